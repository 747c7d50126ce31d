//! `greenlet.settrace`: a function that is called at each switch, in the greenlet switched to.
//!
//! While it is set, the running context is *watched*, which makes natives that switch take their
//! long way; there `depart` turns what is delivered into [`Deliver::Traced`], for which `arrive` is
//! called when the other side has begun to run. So switches that nobody traces cost nothing for it.
//!
//! **Invariant:** of all contexts only the running one is watched, and only while there is a trace
//! function, or while tasklets are to be switched hard.

use crate::greenlet::Green;
use crate::switch::{Deliver, Microthreads};
use skein_runtime::object::Tracer;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// The trace function and the switch under way.
#[derive(Default)]
pub struct Tracing {
    function: Cell<Option<Value>>,
    /// Origin and target.
    route: Cell<Option<(Green, Green)>>,
}

impl Tracing {
    pub fn trace(&self, t: &mut Tracer<'_>) {
        if let Some(f) = self.function.get() {
            t.visit_word(f.bits());
        }
        if let Some((from, to)) = self.route.get() {
            t.visit_object(from.header());
            t.visit_object(to.header());
        }
    }

    pub fn function(&self) -> Option<Value> {
        self.function.get()
    }

    /// The function that was set before.
    pub fn set(&self, vm: &Vm, f: Option<Value>) -> Option<Value> {
        let before = self.function.replace(f);
        vm.context().watch(Microthreads::of(vm).is_watched());
        before
    }
}

fn tracing(vm: &Vm) -> &Tracing {
    &Microthreads::of(vm).greenlets.tracing
}

/// The running greenlet is about to switch, or has ended: what is delivered to the other one.
pub fn depart(vm: &Vm, from: impl FnOnce() -> R<Green>, to: Green, d: Deliver) -> Deliver {
    let tracing = tracing(vm);
    if tracing.function.get().is_none() {
        return d;
    }
    vm.context().watch(false);
    // Without memory for the main greenlet's object there is nobody to tell of.
    if let Ok(from) = from() {
        tracing.route.set(Some((from, to)));
    }
    match d {
        Deliver::Value(v) => Deliver::Traced { raise: false, v },
        Deliver::Raise(v) => Deliver::Traced { raise: true, v },
        traced => traced,
    }
}

/// A traced greenlet has begun to run: the function is called in it. An error in it removes the
/// function and is raised instead of what was delivered.
pub fn arrive(vm: &Vm, raise: bool, v: Value) -> Deliver {
    let tracing = tracing(vm);
    let plain = if raise { Deliver::Raise(v) } else { Deliver::Value(v) };
    let route = tracing.route.take();
    let Some(f) = tracing.function.get() else { return plain };
    vm.context().watch(true);
    let Some((from, to)) = route else { return plain };
    let called = vm.str(if raise { "throw" } else { "switch" }).and_then(|event| {
        let route = vm.tuple(&[from.value(), to.value()])?;
        vm.call(f, &[event, route])
    });
    match called {
        Ok(_) => plain,
        Err(Raised) => {
            tracing.set(vm, None);
            Deliver::Raise(vm.pending.take().unwrap_or(Value::NONE))
        }
    }
}
