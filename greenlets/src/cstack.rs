//! `tasklet.cstate`: which native stack a tasklet is on.
//!
//! A tasklet without native calls has none of its own: its `cstate` is the *stub* of its thread. One that is parked
//! under native calls has a `cstack` as long as it is. The stub and those of one thread form a ring by `next` and `prev`.

use crate::micro::{Kind, Micro, Parked};
use crate::switch::Microthreads;
use crate::tasklet::{Task, Tasklet};
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind as Layout, Ref, Tracer};
use skein_runtime::types::ext::{Ext, Payload, ext_type};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// A native stack, as programs see it.
pub struct CStack {
    /// Who is parked on it; None: the thread's stub.
    task: Field,
    thread: u32,
}

impl Payload for CStack {
    const NAME: &'static str = "stackless.cstack";
    fn trace(&self, t: &mut Tracer<'_>) {
        let CStack { task, thread: _ } = self;
        task.trace(t);
    }
}

type Stack = Ref<Ext<CStack>>;

native_type! {
    pub DEF: "stackless.cstack", Layout::Ext, type_flags::NO_NEW, "A native stack: a tasklet's that is parked under native calls, or a thread's.";
    methods {
        "__str__($self, /)" => |_: &Vm, _: Stack| "";
    }
    getset {
        "task" => |_: &Vm, c: Stack| Ok(c.task.or_none());
        "next" => |vm: &Vm, c: Stack| beside(vm, c, true);
        "prev" => |vm: &Vm, c: Stack| beside(vm, c, false);
        // Its words are not shown.
        "size" => |_: &Vm, _: Stack| Ok(Value::small_int(0));
        "startaddr" => |vm: &Vm, c: Stack| vm.int_u64(c.value().bits());
        "nesting_level" => |vm: &Vm, c: Stack| vm.int(i64::from(nesting(vm, c)));
        "serial" => |_: &Vm, c: Stack| Ok(Value::small_int(serial(c.thread)));
    }
}

/// The serial number of a thread's stub.
pub fn serial(thread: u32) -> i64 {
    i64::from(thread) + 1
}

fn task_of(c: Stack) -> Option<Task> {
    c.task.cast::<Ext<Tasklet>>()
}

fn nesting(vm: &Vm, c: Stack) -> u32 {
    task_of(c).map_or(0, |t| crate::tasklet::nesting(vm, t))
}

fn make(vm: &Vm, task: Option<Value>, thread: u32) -> R<Value> {
    Ok(Ext::new(vm, ext_type(vm, &DEF)?, CStack { task: Field::new(task), thread })?.value())
}

/// The stub of a thread, made at the first asking.
pub fn stub(vm: &Vm, micros: &Microthreads) -> R<Value> {
    if let Some(stub) = micros.stub.get() {
        return Ok(stub);
    }
    let stub = make(vm, None, micros.thread)?;
    micros.stub.set(Some(stub));
    Ok(stub)
}

/// The native stack that a tasklet is on.
pub fn of_tasklet(vm: &Vm, m: &Micro, t: Task) -> R<Value> {
    let thread = t.micro.ctx.thread.get();
    let Some(micros) = Microthreads::of_thread(vm, thread) else { return make(vm, None, thread) };
    match micros.parked().find(|p| std::ptr::eq(p.micro(), m)) {
        Some(record) => of_record(vm, record, t),
        None => stub(vm, micros),
    }
}

/// The object of a record, made at the first asking.
fn of_record(vm: &Vm, record: &Parked, t: Task) -> R<Value> {
    if let Some(known) = record.shown() {
        return Ok(known);
    }
    let made = make(vm, Some(t.value()), t.micro.ctx.thread.get())?;
    record.show(made);
    // What holds the stack is looked at again by the next collection.
    t.barrier(vm);
    Ok(made)
}

/// The tasklet that a record is of; None: a greenlet's.
fn tasklet_of(micros: &Microthreads, record: &Parked) -> Option<Task> {
    let m = record.micro();
    match m.kind {
        Kind::Main => micros.scheduler.main.get(),
        Kind::Tasklet => m.owner().and_then(|v| v.cast::<Ext<Tasklet>>()),
        Kind::Greenlet => None,
    }
}

fn beside(vm: &Vm, c: Stack, forward: bool) -> R<Value> {
    let Some(micros) = Microthreads::of_thread(vm, c.thread) else { return Ok(c.value()) };
    fn step(p: &Parked, forward: bool) -> Option<&Parked> {
        if forward { p.next() } else { p.prev() }
    }
    let own = micros.parked().find(|p| p.shown() == Some(c.value()));
    let mut at = match own {
        Some(own) => step(own, forward),
        // The stub, before the first and behind the last; or one that nobody is on any more.
        None if forward => micros.parked().next(),
        None => micros.parked().last(),
    };
    while let Some(record) = at {
        if let Some(t) = tasklet_of(micros, record) {
            return of_record(vm, record, t);
        }
        at = step(record, forward);
    }
    stub(vm, micros)
}
