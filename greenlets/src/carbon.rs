//! The modules `scheduler` and `_scheduler`: carbon-scheduler's interface over tasklets. What it has beyond `stackless` is
//! written in Python, but for the step of its schedule.
//!
//! They are not among the names of builtin modules: a program's own module of that name comes first.

use crate::running::{Plan, bind_row, check_trap, current, go_hard, go_soft, scheduler, switching};
use crate::switch::Deliver;
use crate::tasklet::{Tasklet, alive, keep};
use skein_runtime::interp::{At, SoftCall};
use skein_runtime::native::Args;
use skein_runtime::native_functions;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::module::{make_module, run_source};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

const SOURCE: &str = include_str!("carbon.py");

native_functions! { FUNCTIONS:
    [soft step_soft] "_step(tasklet=None)" => step, "Runs a tasklet, by default the next runnable one, until it gives way; the calling one goes on then.";
    "_at_thread_end(f, /)" => |vm: &Vm, f: Value| scheduler(vm).at_end.set(Some(f)), "Sets what is called when the running thread's main program has ended.";
}

/// A tasklet runs, and the calling one is the next: errors go to it too.
fn step_plan(vm: &Vm, args: Args<'_>) -> R<Plan> {
    let (me, s) = (current(vm)?, scheduler(vm));
    let [asked] = bind_row(vm, args, "_step", ["tasklet"])?;
    let asked =
        asked.and_then(|v| v.cast::<Ext<Tasklet>>()).filter(|t| *t != me && alive(vm, *t) && !t.is_blocked());
    let Some(t) = asked.or(s.first()) else { return Ok(Plan::Stay(Ok(Value::NONE))) };
    check_trap(vm)?;
    if t.queued.get() {
        s.remove(t);
    }
    let d = t.take_deliver();
    keep(vm, me, Deliver::Value(Value::NONE));
    s.watch(me);
    s.push_front(vm, me);
    Ok(Plan::Go(t, d))
}

switching! {
    step, step_soft => step_plan;
}

/// The module of that name, both of one source. What importing the library raises.
pub fn make(vm: &Vm, name: &str) -> R<Value> {
    if name == "_scheduler" {
        return vm.import("scheduler");
    }
    let m = make_module(vm, "scheduler", FUNCTIONS)?;
    run_source(vm, m, "scheduler", SOURCE)?;
    Ok(m.value())
}
