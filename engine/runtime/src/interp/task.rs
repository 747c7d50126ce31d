//! Natives in steps: one that calls Python code, goes on with the result and calls again, without
//! a native frame that waits meanwhile. Making a class is such a one.
//!
//! A [`Task`] holds what the native would have in its variables. Its step function is called with
//! the last call's result and says what is to be called next. In the loop the callee's frame is
//! pushed with a record that names the task, which keeps the native's own continuation.

use crate::interp::call::{SoftCall, call_soft};
use crate::interp::dispatch::EXIT_RAISE;
use crate::interp::result::apply;
use crate::interp::{At, Consumer, Cont, ContKind};
use crate::native::Args;
use crate::object::{Field, Ref, Tracer};
use crate::types::ext::{Ext, Payload};
use crate::types::list::List;
use crate::types::native::NativeFunction;
use crate::types::tuple::Tuple;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// What a task does next.
pub enum Step {
    /// Call this with these arguments, the last of which have the names.
    Call(Value, Ref<List>, Option<Ref<Tuple>>),
    Done(Value),
}

/// What is declared of a kind of task.
pub struct TaskDef {
    /// Gets the result of the last call; None at the beginning.
    pub step: fn(&Vm, TaskRef, Value) -> R<Step>,
    /// The last call raised the pending exception, to which something may be added.
    pub failed: fn(&Vm, TaskRef),
}

/// A native under way.
pub struct Task {
    def: &'static TaskDef,
    /// The steps' own.
    pub stage: Cell<usize>,
    pub slots: [Field; SLOTS],
    /// A call was made and has not come back.
    calling: Cell<bool>,
    /// What the result comes to, in the words of a record.
    outer: [Field; 3],
}

/// References that a task can hold.
pub const SLOTS: usize = 9;

pub type TaskRef = Ref<Ext<Task>>;

impl Payload for Task {
    const NAME: &'static str = "task";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Task { def: _, stage: _, slots, calling: _, outer } = self;
        for f in slots.iter().chain(outer) {
            f.trace(t);
        }
    }
}

/// A task that begins with these in its slots. MemoryError.
pub fn new_task(vm: &Vm, def: &'static TaskDef, slots: &[Value]) -> R<TaskRef> {
    let slots = std::array::from_fn(|i| Field::new(slots.get(i).copied()));
    let outer = [const { Field::new(None) }; 3];
    Ext::internal(vm, Task { def, stage: Cell::new(0), slots, calling: Cell::new(false), outer })
}

impl Ref<Ext<Task>> {
    pub fn set(self, vm: &Vm, i: usize, v: Value) {
        self.slots[i].set(vm, self, v);
    }

    fn outer(self) -> Cont {
        Cont::unpack(std::array::from_fn(|i| self.outer[i].or_none()))
    }

    /// Tells the task that its call failed, once.
    fn fail(self, vm: &Vm) {
        if self.calling.replace(false) {
            (self.def.failed)(vm, self);
        }
    }
}

/// Nothing is to be added to an exception.
pub fn no_note(_: &Vm, _: TaskRef) {}

/// Runs a task to its end from native code.
pub fn run_task(vm: &Vm, task: TaskRef) -> R<Value> {
    let mut v = Value::NONE;
    loop {
        match (task.def.step)(vm, task, v)? {
            Step::Done(v) => return Ok(v),
            Step::Call(f, args, names) => v = call_here(vm, task, f, args, names)?,
        }
    }
}

fn call_here(vm: &Vm, task: TaskRef, f: Value, args: Ref<List>, names: Option<Ref<Tuple>>) -> R<Value> {
    task.calling.set(true);
    let r = vm.call_args(f, Args::new(args.items(), names));
    match r {
        Ok(_) => task.calling.set(false),
        Err(Raised) => task.fail(vm),
    }
    r
}

/// Runs a task in the loop, as what `call` comes to.
pub fn run_task_soft(vm: &Vm, call: &SoftCall<'_>, task: TaskRef) -> At {
    let r = begin_task(vm, call.resume, call.cont, task);
    call.go_on(vm, r)
}

pub(super) fn begin_task(vm: &Vm, resume: At, cont: Cont, task: TaskRef) -> R<At> {
    for (slot, word) in task.outer.iter().zip(cont.pack()) {
        slot.set(vm, task, word);
    }
    advance(vm, resume, task, Value::NONE)
}

fn advance(vm: &Vm, resume: At, task: TaskRef, result: Value) -> R<At> {
    let mut v = result;
    loop {
        let (f, args, names) = match (task.def.step)(vm, task, v)? {
            Step::Done(v) => return apply(vm, resume, task.outer(), v),
            Step::Call(f, args, names) => (f, args, names),
        };
        // Natives come back at once: many of them in a row must not pile up on the native stack.
        if f.cast::<NativeFunction>().is_some_and(|n| n.def().soft.is_none()) {
            v = call_here(vm, task, f, args, names)?;
            continue;
        }
        task.calling.set(true);
        let cont = Cont::new(ContKind::Task, Consumer::Drop, 0).with(task.value(), Value::NONE);
        let r = call_soft(vm, resume, f, Args::new(args.items(), names), cont);
        if r.is_err() {
            task.fail(vm);
        }
        return r;
    }
}

fn task_of(cont: Cont) -> TaskRef {
    // SAFETY: records of this kind are made by `advance` only.
    unsafe { cont.a.cast_unchecked() }
}

/// A task's call returned.
pub(super) fn resume_task(vm: &Vm, resume: At, cont: Cont, v: Value) -> R<At> {
    let task = task_of(cont);
    task.calling.set(false);
    let r = advance(vm, resume, task, v);
    if r.is_ok() {
        return r;
    }
    match outermost(cont).kind {
        // A nested run, or the context, ends with the exception.
        ContKind::Exit => Ok(At { pc: EXIT_RAISE.as_ptr(), base: resume.base }),
        ContKind::ContextEnd => Ok(vm.switcher().context_finished(vm, vm.context(), Err(Raised))),
        _ => r,
    }
}

fn outermost(mut cont: Cont) -> Cont {
    while cont.kind == ContKind::Task {
        cont = task_of(cont).outer();
    }
    cont
}

/// An exception leaves the call that has this record: what its tasks' own results were to come to.
pub(super) fn fail_tasks(vm: &Vm, mut cont: Cont) -> Cont {
    while cont.kind == ContKind::Task {
        let task = task_of(cont);
        task.fail(vm);
        cont = task.outer();
    }
    cont
}
