//! The class `channel`.

use crate::bomb::{exception_of_class, make_exception};
use crate::pickling::{channel_reduce, channel_setstate};
use crate::running::{
    Plan, bind_row, call_back, check_trap, current, deadlock, go_hard, go_soft, scheduler, swap, switching,
};
use crate::scheduler::neighbour;
use crate::switch::{Deliver, Microthreads};
use crate::tasklet::{Arrival, Task, Tasklet, keep};
use skein_runtime::interp::{At, SoftCall};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind as Layout, Ref, Tracer};
use skein_runtime::types::ext::class_argument;
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// A channel's data: a queue of tasklets blocked on it, all senders or all receivers.
pub struct Channel {
    head: Field,
    tail: Field,
    /// Waiting senders, or minus the waiting receivers.
    balance: Cell<i64>,
    /// -1: the receiver runs first, 1: the sender, 0: whoever runs goes on.
    preference: Cell<i8>,
    schedule_all: Cell<bool>,
    closing: Cell<bool>,
    /// The tasklets that a pickle has in the queue, in their order, as long as some of them are still to block.
    order: Field,
}

impl Payload for Channel {
    const NAME: &'static str = "stackless.channel";
    const NEEDS_DROP: bool = false;
    fn trace(&self, t: &mut Tracer<'_>) {
        let Channel { head, tail, balance: _, preference: _, schedule_all: _, closing: _, order } = self;
        head.trace(t);
        tail.trace(t);
        order.trace(t);
    }
}

pub type Chan = Ref<Ext<Channel>>;

native_type! {
    pub DEF: "stackless.channel", Layout::Ext,
        type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "A channel object is used for communication between tasklets.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        [soft send_soft] "send($self, value, /)" => send, "Send a value over the channel.";
        [soft receive_soft] "receive($self)" => receive, "Receive a value over the channel.";
        [soft send_exception_soft] "send_exception($self, exc, *args)" => send_exception, "Raise an exception in the receiver.";
        [soft send_throw_soft] "send_throw($self, exc, val=None, tb=None)" => send_throw, "Raise an exception in the receiver.";
        "send_sequence($self, seq, /)" => send_sequence, "Send the items of an iterable; returns how many there were.";
        "open($self)" => |_: &Vm, c: Chan| c.closing.set(false), "Reopen a channel that was closed.";
        "close($self)" => |_: &Vm, c: Chan| c.closing.set(true), "Let nobody else wait on the channel.";
        "__iter__($self)" => |_: &Vm, c: Chan| c;
        "__aiter__($self)" => |vm: &Vm, c: Chan| crate::aio::iterate(vm, c.value()), "In a coroutine: what is sent, until the channel is closed.";
        [soft next_soft] "__next__($self)" => next;
        "__reduce__($self)" => channel_reduce;
        "__reduce_ex__($self, protocol, /)" => |vm: &Vm, c: Chan, _: Value| vm.call_method(c.value(), "__reduce__", &[]);
        "__setstate__($self, state, /)" => channel_setstate;
    }
    getset {
        "balance" => |vm: &Vm, v: Chan| vm.int(v.balance.get());
        "queue" => |_: &Vm, v: Chan| Ok(v.head.or_none());
        "preference" => |_: &Vm, v: Chan| Ok(Value::small_int(i64::from(v.preference.get()))), set_preference;
        "schedule_all" => |_: &Vm, v: Chan| Ok(Value::small_int(i64::from(v.schedule_all.get()))), set_schedule_all;
        "closing" => |_: &Vm, v: Chan| Ok(Value::bool(v.closing.get()));
        "closed" => |_: &Vm, v: Chan| Ok(Value::bool(v.closing.get() && v.balance.get() == 0));
    }
}

fn empty() -> Field {
    // SAFETY: a field is valid when zeroed.
    unsafe { std::mem::zeroed() }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(class) = Microthreads::of(vm).types.channel.get() else {
        return Err(vm.runtime_error("stackless is not imported"));
    };
    let ty = class_argument(vm, &args, class)?;
    let c = Ext::new(
        vm,
        ty,
        Channel {
            head: empty(),
            tail: empty(),
            balance: Cell::new(0),
            preference: Cell::new(-1),
            schedule_all: Cell::new(false),
            closing: Cell::new(false),
            order: empty(),
        },
    )?;
    Ok(c.value())
}

/// An attribute that takes ints only.
fn int_attribute(vm: &Vm, new: Option<Value>, text: &str) -> R<i64> {
    match new.filter(|&v| vm.is_int(v) || v.is_bool()) {
        Some(v) => vm.index_clamped(v),
        None => Err(vm.type_error(text)),
    }
}

fn set_preference(vm: &Vm, v: Chan, new: Option<Value>) -> R<()> {
    let n = int_attribute(vm, new, "preference must be set to an integer")?;
    v.preference.set(n.clamp(-1, 1) as i8);
    Ok(())
}

fn set_schedule_all(vm: &Vm, v: Chan, new: Option<Value>) -> R<()> {
    let n = int_attribute(vm, new, "preference must be set to a bool or integer")?;
    v.schedule_all.set(n != 0);
    Ok(())
}

/// Appends a tasklet to the channel's queue.
fn block(vm: &Vm, c: Chan, t: Task) {
    match neighbour(&c.tail) {
        Some(last) => {
            last.next.set(vm, last, t.value());
            t.prev.set(vm, t, last.value());
        }
        None => {
            c.head.set(vm, c, t.value());
            t.prev.init(None::<Value>);
        }
    }
    c.tail.set(vm, c, t.value());
    t.next.init(None::<Value>);
    t.channel.set(vm, t, c.value());
}

/// Takes a blocked tasklet out of its channel's queue.
pub fn unblock(vm: &Vm, t: Task) {
    let Some(c) = t.channel.cast::<Ext<Channel>>() else { return };
    let (prev, next) = (t.prev.get(), t.next.get());
    match neighbour(&t.prev) {
        Some(p) => p.next.set(vm, p, next),
        None => c.head.set(vm, c, next),
    }
    match neighbour(&t.next) {
        Some(n) => n.prev.set(vm, n, prev),
        None => c.tail.set(vm, c, prev),
    }
    t.prev.init(None::<Value>);
    t.next.init(None::<Value>);
    t.channel.init(None::<Value>);
    let b = c.balance.get();
    c.balance.set(b - b.signum());
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Send,
    Receive,
}

/// The first tasklet in the queue.
pub fn first(c: Chan) -> Option<Task> {
    neighbour(&c.head)
}

impl Channel {
    /// Preference, `schedule_all` and `closing`.
    pub fn settings(&self) -> (i8, bool, bool) {
        (self.preference.get(), self.schedule_all.get(), self.closing.get())
    }

    pub fn set_settings(&self, preference: i8, schedule_all: bool, closing: bool) {
        self.preference.set(preference);
        self.schedule_all.set(schedule_all);
        self.closing.set(closing);
    }
}

/// A tasklet that comes from a pickle blocks as it was blocked there. ValueError.
pub fn block_again(vm: &Vm, c: Chan, t: Task, dir: Direction) -> R<()> {
    let step = if dir == Direction::Send { 1 } else { -1 };
    if c.balance.get() * step < 0 {
        return Err(vm.value_error("bad pickle: senders and receivers wait on the same channel"));
    }
    block(vm, c, t);
    c.balance.set(c.balance.get() + step);
    put_in_order(vm, c);
    Ok(())
}

/// The queue of a channel that comes from a pickle has this order: those that are there, and those still to come.
pub fn set_order(vm: &Vm, c: Chan, order: Ref<List>) {
    c.order.set(vm, c, order.value());
    put_in_order(vm, c);
}

fn put_in_order(vm: &Vm, c: Chan) {
    let Some(order) = c.order.cast::<List>() else { return };
    let waits = |t: Task| t.channel.cast::<Ext<Channel>>() == Some(c);
    let all = |i: usize| order.get(i).and_then(|v| v.cast::<Ext<Tasklet>>());
    let balance = c.balance.get();
    let mut missing = false;
    for i in 0..order.len() {
        match all(i).filter(|&t| waits(t)) {
            // To the end of the queue, one after the other.
            Some(t) => {
                unblock(vm, t);
                block(vm, c, t);
            }
            None => missing = true,
        }
    }
    c.balance.set(balance);
    if !missing {
        c.order.init(None::<Value>);
    }
}

/// One side of a communication; `sent` is None to receive.
fn plan(vm: &Vm, c: Chan, sent: Deliver, dir: Direction) -> R<Plan> {
    let s = scheduler(vm);
    let me = current(vm)?;
    let partner = || if dir == Direction::Send { c.balance.get() < 0 } else { c.balance.get() > 0 };
    // The callback sees in the tasklet what is sent.
    keep(vm, me, sent);
    if let Some(f) = s.channel_callback.get() {
        let flag = |on: bool| Value::small_int(i64::from(on));
        let args = [c.value(), me.value(), flag(dir == Direction::Send), flag(!partner())];
        call_back(vm, f, &args, "Error in channel callback");
    }
    // The callback may have taken the partner away.
    let planned = if partner() { exchange(vm, c, me, sent, dir) } else { would_block(vm, c, me, dir) };
    if planned.is_err() {
        keep(vm, me, Deliver::Value(Value::NONE));
    }
    planned
}

/// Somebody waits on the other side.
fn exchange(vm: &Vm, c: Chan, me: Task, sent: Deliver, dir: Direction) -> R<Plan> {
    let s = scheduler(vm);
    let own_first = if dir == Direction::Send { 1 } else { -1 };
    let switches = c.schedule_all.get() || c.preference.get() == -own_first;
    if switches {
        check_trap(vm)?;
    }
    let Some(other) = neighbour(&c.head) else {
        return Err(vm.system_error("a channel's balance does not fit its queue"));
    };
    unblock(vm, other);
    let mine = other.take_deliver();
    keep(vm, other, sent);
    if Microthreads::of(vm).is_foreign(&other.micro) {
        // It goes on in its own thread.
        wake_in_its_thread(vm, other);
        keep(vm, me, Deliver::Value(Value::NONE));
        return match mine.parts() {
            (false, v) => Ok(Plan::Stay(Ok(v))),
            (true, e) => Err(vm.raise_again(e)),
        };
    }
    if c.schedule_all.get() {
        keep(vm, me, mine);
        s.push(vm, other);
        s.push(vm, me);
        return Ok(match s.pop() {
            Some(t) if t != me => Plan::Go(t, t.take_deliver()),
            // At least `other` is in the queue.
            _ => Plan::Stay(Ok(Value::NONE)),
        });
    }
    if switches {
        keep(vm, me, mine);
        s.push(vm, me);
        return Ok(Plan::GoOn(other, other.take_deliver()));
    }
    keep(vm, me, Deliver::Value(Value::NONE));
    s.push(vm, other);
    match mine.parts() {
        (false, v) => Ok(Plan::Stay(Ok(v))),
        (true, e) => Err(vm.raise_again(e)),
    }
}

/// Nobody waits on the other side: the running tasklet blocks.
fn would_block(vm: &Vm, c: Chan, me: Task, dir: Direction) -> R<Plan> {
    if me.block_trap.get() {
        return Err(vm.runtime_error("this tasklet does not like to be blocked."));
    }
    if c.closing.get() {
        return Err(vm.value_error("Send/receive operation on a closed channel"));
    }
    check_trap(vm)?;
    block(vm, c, me);
    c.balance.set(c.balance.get() + if dir == Direction::Send { 1 } else { -1 });
    match wait_for_runnable(vm) {
        Ok(Some((t, d))) => Ok(Plan::Go(t, d)),
        Ok(None) => {
            unblock(vm, me);
            Err(deadlock(vm))
        }
        Err(e) => {
            if me.is_blocked() {
                unblock(vm, me);
            } else {
                scheduler(vm).remove(me);
            }
            Err(e)
        }
    }
}

/// So often a thread that waits for others looks whether there still are some.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Who runs when the running tasklet cannot. Other threads may come to the channels on which this one's tasklets wait;
/// None: there are none.
pub fn wait_for_runnable(vm: &Vm) -> R<Option<(Task, Deliver)>> {
    loop {
        if let Some(found) = scheduler(vm).next(vm) {
            return Ok(Some(found));
        }
        if vm.threads.is_alone() {
            return Ok(None);
        }
        // Nobody calls when the last of them has ended.
        vm.park(Some(Instant::now() + LOOK_AGAIN));
        vm.check_signals()?;
    }
}

/// A tasklet of another thread is not blocked any more.
fn wake_in_its_thread(vm: &Vm, t: Task) {
    let serial = t.micro.ctx.thread.get();
    if let Some(micros) = Microthreads::of_thread(vm, serial) {
        micros.scheduler.push(vm, t);
    }
    crate::across::wake(vm, t);
}

/// Is a blocked tasklet a sender?
pub fn is_sending(t: Task) -> bool {
    t.channel.cast::<Ext<Channel>>().is_some_and(|c| c.balance.get() > 0)
}

/// The common cases, with the receiver preferred and nobody looking: blocking where another tasklet
/// can run; sending to one that waits, which then runs; receiving what one waits to send.
#[inline(always)]
fn quick(vm: &Vm, call: &SoftCall<'_>, c: Chan, dir: Direction, v: Value) -> Option<At> {
    let micros = Microthreads::of(vm);
    let s = &micros.scheduler;
    let me = s.current.get()?;
    let result = Microthreads::soft_result(vm, call)?;
    if !s.is_quiet(vm) || c.preference.get() != -1 || c.schedule_all.get() {
        return None;
    }
    let balance = c.balance.get();
    let step = if dir == Direction::Send { 1 } else { -1 };
    if balance * step >= 0 {
        if c.closing.get() || me.block_trap.get() {
            return None;
        }
        let next = s.pop()?;
        block(vm, c, me);
        c.balance.set(balance + step);
        me.temp.set(vm, me, (dir == Direction::Send).then_some(v));
        me.arrival.set(Arrival::Value);
        return Some(swap(vm, micros, call, result, next));
    }
    let other = neighbour(&c.head)?;
    if other.arrival.get() != Arrival::Value || vm.slice.get() != 0 || micros.is_foreign(&other.micro) {
        return None;
    }
    unblock(vm, other);
    if dir == Direction::Receive {
        let got = other.temp.or_none();
        other.temp.init(Value::NONE);
        s.push(vm, other);
        return Some(call.done(vm, got));
    }
    me.temp.init(Value::NONE);
    me.arrival.set(Arrival::Value);
    s.push(vm, me);
    other.temp.set(vm, other, v);
    Some(swap(vm, micros, call, result, other))
}

fn receiver(vm: &Vm, args: Args<'_>, method: &str) -> R<Chan> {
    let Some(&first) = args.positional().first() else {
        return Err(vm.type_error(format!("unbound method channel.{method}() needs an argument")));
    };
    first.cast::<Ext<Channel>>().ok_or_else(|| {
        vm.type_error(format!(
            "descriptor '{method}' for 'stackless.channel' objects doesn't apply to a '{}' object",
            vm.type_name(first)
        ))
    })
}

fn send_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let c = receiver(vm, args, "send")?;
    match args.rest().parts() {
        (&[v], None) => plan(vm, c, Deliver::Value(v), Direction::Send),
        (all, None) => {
            Err(vm.type_error(format!("channel.send() takes exactly one argument ({} given)", all.len())))
        }
        _ => Err(vm.type_error("channel.send() takes no keyword arguments")),
    }
}

fn receive_plan(vm: &Vm, args: Args<'_>, method: &str) -> R<Plan> {
    let c = receiver(vm, args, method)?;
    match args.rest().parts().0.len() {
        0 => plan(vm, c, Deliver::Value(Value::NONE), Direction::Receive),
        n => Err(vm.type_error(format!("channel.{method}() takes no arguments ({n} given)"))),
    }
}

/// Iteration ends when the channel is closed and nobody waits to send.
fn next_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let c = receiver(vm, args, "__next__")?;
    if c.closing.get() && c.balance.get() <= 0 {
        return Err(vm.stop_iteration(Value::NONE));
    }
    receive_plan(vm, args, "__next__")
}

fn send_exception_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let c = receiver(vm, args, "send_exception")?;
    let &[class, ref rest @ ..] = args.rest().positional() else {
        return Err(vm.type_error("send_exception() takes at least 1 argument"));
    };
    let e = exception_of_class(vm, class, rest, "channel.send_exception")?;
    plan(vm, c, Deliver::Raise(e), Direction::Send)
}

fn send_throw_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let c = receiver(vm, args, "send_throw")?;
    let [exc, val, tb] = bind_row(vm, args.rest(), "send_throw", ["exc", "val", "tb"])?;
    let Some(exc) = exc else {
        return Err(vm.type_error("send_throw expected at least 1 argument, got 0"));
    };
    let e = make_exception(vm, exc, val.unwrap_or(Value::NONE), tb.unwrap_or(Value::NONE))?;
    plan(vm, c, Deliver::Raise(e), Direction::Send)
}

switching! {
    send, send_slow => send_plan;
    receive, receive_slow => |vm, args| receive_plan(vm, args, "receive");
    next, next_soft => next_plan;
    send_exception, send_exception_soft => send_exception_plan;
    send_throw, send_throw_soft => send_throw_plan;
}

fn send_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    if let (&[c, v], None) = call.args.parts()
        && let Some(c) = c.cast::<Ext<Channel>>()
        && let Some(at) = quick(vm, call, c, Direction::Send, v)
    {
        return at;
    }
    send_slow(vm, call)
}

fn receive_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    if let (&[c], None) = call.args.parts()
        && let Some(c) = c.cast::<Ext<Channel>>()
        && let Some(at) = quick(vm, call, c, Direction::Receive, Value::NONE)
    {
        return at;
    }
    receive_slow(vm, call)
}

fn send_sequence(vm: &Vm, c: Chan, seq: Value) -> R<i64> {
    let mut n = 0;
    vm.for_each(seq, |v| {
        n += 1;
        go_hard(vm, plan(vm, c, Deliver::Value(v), Direction::Send)?).map(|_| ())
    })?;
    Ok(n)
}
