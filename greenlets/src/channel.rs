//! The class `channel`.

use crate::scheduler::neighbour;
use crate::switch::{Deliver, Microthreads};
use crate::tasklet::{Plan, Task, check_trap, current, go_hard, go_soft, make_exception, scheduler, swap};
use skein_runtime::interp::{At, SoftCall};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind as Layout, Ref, Tracer};
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

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
}

impl Payload for Channel {
    const NAME: &'static str = "stackless.channel";
    const NEEDS_DROP: bool = false;
    fn trace(&self, t: &mut Tracer<'_>) {
        let Channel { head, tail, balance: _, preference: _, schedule_all: _, closing: _ } = self;
        head.trace(t);
        tail.trace(t);
    }
}

type Chan = Ref<Ext<Channel>>;

native_type! {
    pub DEF: "stackless.channel", Layout::Ext,
        type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "A channel object is used for communication between tasklets.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        [soft send_soft] "send($self, value, /)" => send, "Send a value over the channel.";
        [soft receive_soft] "receive($self)" => receive, "Receive a value over the channel.";
        [soft send_exception_soft] "send_exception($self, exc, *args)" => send_exception;
        [soft send_throw_soft] "send_throw($self, exc, val=None, tb=None)" => send_throw;
        "send_sequence($self, seq, /)" => send_sequence;
        "open($self)" => |_: &Vm, c: Chan| c.closing.set(false);
        "close($self)" => |_: &Vm, c: Chan| c.closing.set(true);
        "__iter__($self)" => |_: &Vm, c: Chan| c;
        [soft next_soft] "__next__($self)" => next;
        "__reduce__($self)" => |vm: &Vm, _: Chan| -> R<Value> { Err(vm.unsupported("pickling of channels")) };
        "__setstate__($self, state, /)" => |vm: &Vm, _: Chan, _: Value| -> R<Value> { Err(vm.unsupported("pickling of channels")) };
    }
    getset {
        "balance" => |vm, v| vm.int(this(v).balance.get());
        "queue" => |_, v| Ok(this(v).head.or_none());
        "preference" => |_, v| Ok(Value::small_int(i64::from(this(v).preference.get()))), set_preference;
        "schedule_all" => |_, v| Ok(Value::small_int(i64::from(this(v).schedule_all.get()))), set_schedule_all;
        "closing" => |_, v| Ok(Value::bool(this(v).closing.get()));
        "closed" => |_, v| Ok(Value::bool(this(v).closing.get() && this(v).balance.get() == 0));
    }
}

fn this(v: Value) -> Chan {
    // SAFETY: the getset attributes are found on channels only.
    unsafe { v.cast_unchecked() }
}

fn empty() -> Field {
    // SAFETY: a field is valid when zeroed.
    unsafe { std::mem::zeroed() }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = args.positional().first().and_then(|t| t.cast::<Type>());
    let Some(ty) = ty else { return Err(vm.type_error("channel.__new__(X): X is not a type object")) };
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
        },
    )?;
    Ok(c.value())
}

fn set_preference(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    let n = vm.index_i64(new.unwrap_or(Value::NONE))?;
    this(v).preference.set(n.clamp(-1, 1) as i8);
    Ok(())
}

fn set_schedule_all(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    let n = vm.index_i64(new.unwrap_or(Value::NONE))?;
    this(v).schedule_all.set(n != 0);
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
enum Direction {
    Send,
    Receive,
}

/// One side of a communication: `temp` and `bomb` are what is sent.
fn plan(vm: &Vm, c: Chan, dir: Direction, temp: Value, bomb: bool) -> Plan {
    match try_plan(vm, c, dir, temp, bomb) {
        Ok(p) => p,
        Err(e) => Plan::Stay(Err(e)),
    }
}

fn try_plan(vm: &Vm, c: Chan, dir: Direction, temp: Value, bomb: bool) -> R<Plan> {
    let s = scheduler(vm);
    let me = current(vm)?;
    let balance = c.balance.get();
    let partner = if dir == Direction::Send { balance < 0 } else { balance > 0 };
    if s.channel_callback.get().is_some() {
        call_back(vm, c, me, dir, !partner)?;
    }
    if !partner {
        return would_block(vm, c, me, dir, temp, bomb);
    }
    let Some(other) = neighbour(&c.head) else {
        return Err(vm.system_error("a channel's balance does not fit its queue"));
    };
    unblock(vm, other);
    // What this side gets now, and what the other side gets when it runs.
    let mine = if dir == Direction::Send {
        other.temp.set(vm, other, temp);
        other.bomb.set(bomb);
        Deliver::Value(Value::NONE)
    } else {
        let got = other.take_deliver();
        other.temp.init(Value::NONE);
        got
    };
    let own_first = if dir == Direction::Send { 1 } else { -1 };
    if c.schedule_all.get() || c.preference.get() == -own_first {
        check_trap(vm)?;
        leave_for_me(vm, me, mine);
        if c.schedule_all.get() {
            s.push(vm, other);
            s.push(vm, me);
            return Ok(match s.next(vm) {
                Some((t, d)) => Plan::Go(t, d),
                None => Plan::Stay(Ok(Value::NONE)),
            });
        }
        s.push(vm, me);
        return Ok(Plan::Go(other, other.take_deliver()));
    }
    s.push(vm, other);
    Ok(Plan::Stay(match mine.parts() {
        (false, v) => Ok(v),
        (true, e) => {
            vm.pending.set(Some(e));
            Err(Raised)
        }
    }))
}

fn leave_for_me(vm: &Vm, me: Task, d: Deliver) {
    let (bomb, v) = d.parts();
    me.temp.set(vm, me, v);
    me.bomb.set(bomb);
}

#[cold]
fn closed(vm: &Vm) -> Raised {
    vm.value_error("Send/receive operation on a closed channel")
}

/// Nobody waits on the other side: the running tasklet blocks.
fn would_block(vm: &Vm, c: Chan, me: Task, dir: Direction, temp: Value, bomb: bool) -> R<Plan> {
    let s = scheduler(vm);
    if c.closing.get() {
        return Err(closed(vm));
    }
    if me.block_trap.get() {
        return Err(vm.runtime_error("this tasklet does not like to be blocked."));
    }
    check_trap(vm)?;
    block(vm, c, me);
    c.balance.set(c.balance.get() + if dir == Direction::Send { 1 } else { -1 });
    if dir == Direction::Send {
        me.temp.set(vm, me, temp);
        me.bomb.set(bomb);
    } else {
        me.temp.init(None::<Value>);
    }
    match s.next(vm) {
        Some((t, d)) => Ok(Plan::Go(t, d)),
        None => {
            unblock(vm, me);
            me.temp.init(None::<Value>);
            me.bomb.set(false);
            let e = crate::scheduler::deadlock(vm);
            vm.pending.set(Some(e));
            Err(Raised)
        }
    }
}

#[cold]
fn call_back(vm: &Vm, c: Chan, me: Task, dir: Direction, will_block: bool) -> R<()> {
    let Some(f) = scheduler(vm).channel_callback.get() else { return Ok(()) };
    let sending = Value::bool(dir == Direction::Send);
    vm.call(f, &[c.value(), me.value(), sending, Value::bool(will_block)]).map(|_| ())
}

/// The common cases, with the receiver preferred and nobody looking: blocking where another tasklet
/// can run; sending to one that waits, which then runs; receiving what one waits to send.
#[inline(always)]
fn quick(vm: &Vm, call: &SoftCall<'_>, c: Chan, dir: Direction, v: Value) -> Option<At> {
    let micros = Microthreads::of(vm);
    let s = &micros.scheduler;
    let me = s.current.get()?;
    let result = Microthreads::soft_result(vm, call)?;
    if !s.is_quiet() || c.preference.get() != -1 || c.schedule_all.get() {
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
        me.bomb.set(false);
        return Some(swap(vm, micros, call, result, next));
    }
    let other = neighbour(&c.head)?;
    if dir == Direction::Receive && other.bomb.get() {
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
    me.bomb.set(false);
    s.push(vm, me);
    other.temp.set(vm, other, v);
    other.bomb.set(false);
    Some(swap(vm, micros, call, result, other))
}

fn receiver(vm: &Vm, args: Args<'_>, n: usize) -> R<Chan> {
    let all = args.positional();
    if all.len() != n || args.has_keywords() {
        return Err(vm.type_error(format!("channel method takes {} argument(s)", n - 1)));
    }
    match all.first().and_then(|c| c.cast::<Ext<Channel>>()) {
        Some(c) => Ok(c),
        None => Err(vm.type_error("descriptor requires a 'stackless.channel' object")),
    }
}

fn send(vm: &Vm, c: Chan, v: Value) -> R<Value> {
    go_hard(vm, plan(vm, c, Direction::Send, v, false))
}

fn send_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    if let (&[c, v], None) = call.args.parts()
        && let Some(c) = c.cast::<Ext<Channel>>()
        && let Some(at) = quick(vm, call, c, Direction::Send, v)
    {
        return at;
    }
    match receiver(vm, call.args, 2) {
        Ok(c) => go_soft(vm, call, plan(vm, c, Direction::Send, call.args.positional()[1], false)),
        Err(Raised) => call.raised(vm),
    }
}

fn receive(vm: &Vm, c: Chan) -> R<Value> {
    go_hard(vm, plan(vm, c, Direction::Receive, Value::NONE, false))
}

fn receive_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    if let (&[c], None) = call.args.parts()
        && let Some(c) = c.cast::<Ext<Channel>>()
        && let Some(at) = quick(vm, call, c, Direction::Receive, Value::NONE)
    {
        return at;
    }
    match receiver(vm, call.args, 1) {
        Ok(c) => go_soft(vm, call, plan(vm, c, Direction::Receive, Value::NONE, false)),
        Err(Raised) => call.raised(vm),
    }
}

/// Iteration ends when the channel is closed and empty.
fn next_plan(vm: &Vm, c: Chan) -> Plan {
    if c.closing.get() && c.balance.get() <= 0 {
        return Plan::Stay(Err(vm.stop_iteration(Value::NONE)));
    }
    plan(vm, c, Direction::Receive, Value::NONE, false)
}

fn next(vm: &Vm, c: Chan) -> R<Value> {
    go_hard(vm, next_plan(vm, c))
}

fn next_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    match receiver(vm, call.args, 1) {
        Ok(c) => go_soft(vm, call, next_plan(vm, c)),
        Err(Raised) => call.raised(vm),
    }
}

fn exception_plan(vm: &Vm, args: Args<'_>, separate: bool) -> R<Plan> {
    let all = args.positional();
    let (Some(c), Some(&exc)) = (all.first().and_then(|c| c.cast::<Ext<Channel>>()), all.get(1)) else {
        return Err(vm.type_error("send_exception() missing required argument 'exc'"));
    };
    let arg = |i: usize| all.get(i).copied().unwrap_or(Value::NONE);
    let e = if separate {
        make_exception(vm, exc, arg(2), arg(3))?
    } else {
        make_exception(vm, exc, vm.tuple(&all[2..])?, Value::NONE)?
    };
    Ok(plan(vm, c, Direction::Send, e, true))
}

fn send_exception(vm: &Vm, args: Args<'_>) -> R<Value> {
    let plan = exception_plan(vm, args, false)?;
    go_hard(vm, plan)
}

fn send_exception_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let plan = exception_plan(vm, call.args, false).unwrap_or_else(|e| Plan::Stay(Err(e)));
    go_soft(vm, call, plan)
}

fn send_throw(vm: &Vm, args: Args<'_>) -> R<Value> {
    let plan = exception_plan(vm, args, true)?;
    go_hard(vm, plan)
}

fn send_throw_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let plan = exception_plan(vm, call.args, true).unwrap_or_else(|e| Plan::Stay(Err(e)));
    go_soft(vm, call, plan)
}

fn send_sequence(vm: &Vm, c: Chan, seq: Value) -> R<i64> {
    let mut n = 0;
    vm.for_each(seq, |v| {
        n += 1;
        send(vm, c, v).map(|_| ())
    })?;
    Ok(n)
}
