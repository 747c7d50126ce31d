//! `_skein_jit`: what `skein.jit` shows a program of the compiler.

use crate::driver::{Jit, Place};
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::module::make_module;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// The isolate's compiler.
#[derive(Default)]
pub(crate) struct Handle(Cell<Option<*const Jit>>);

impl Handle {
    pub fn set(&self, jit: *const Jit) {
        self.0.set(Some(jit));
    }
}

pub const NAME: &str = "_skein_jit";

native_functions! { FUNCTIONS:
    "counters()" => counters, "What the compiler has done, as a dict.";
    "given_up()" => given_up, "How many recordings were given up, by reason.";
    "traces()" => traces, "A dict for each trace.";
}

/// The module of this name, if it is this one.
pub fn native_module(vm: &Vm, name: &str) -> R<Option<Value>> {
    if name != NAME {
        return Ok(None);
    }
    Ok(Some(make_module(vm, NAME, FUNCTIONS)?.value()))
}

fn with<T>(vm: &Vm, f: impl FnOnce(&Jit) -> R<T>) -> R<T> {
    match vm.state::<Handle>().0.get() {
        // SAFETY: the host owns it, and lives as long as the isolate.
        Some(jit) => f(unsafe { &*jit }),
        None => Err(vm.runtime_error("the compiler of loops is not set up")),
    }
}

fn counters(vm: &Vm) -> R<Ref<Dict>> {
    let d = Dict::new(vm)?;
    with(vm, |jit| {
        let c = &jit.counts;
        let all = [
            ("recorded", u64::from(c.recorded.get())),
            ("aborted", u64::from(c.aborted.get())),
            ("compiled", u64::from(c.compiled.get())),
            ("bridges", u64::from(c.bridges.get())),
            ("joined", u64::from(c.joined.get())),
            ("invalidated", u64::from(c.invalidated.get())),
            ("bytes", c.bytes.get() as u64),
            ("microseconds", jit.time_spent().as_micros() as u64),
        ];
        all.into_iter().try_for_each(|(name, n)| d.set_name(vm, name, vm.int_u64(n)?))
    })?;
    Ok(d)
}

fn given_up(vm: &Vm) -> R<Ref<Dict>> {
    let d = Dict::new(vm)?;
    let all = with(vm, |jit| Ok(jit.given_up()))?;
    for (reason, n) in all {
        d.set(vm, vm.str(&reason)?, Value::small_int(n.into()))?;
    }
    Ok(d)
}

fn set_place(vm: &Vm, d: Ref<Dict>, place: &Place) -> R<()> {
    d.set_name(vm, "file", vm.str(&place.file)?)?;
    d.set_name(vm, "function", vm.str(&place.function)?)?;
    d.set_name(vm, "line", Value::small_int(place.line.into()))?;
    d.set_name(vm, "op", vm.str(place.op)?)
}

fn traces(vm: &Vm) -> R<Ref<List>> {
    let rows = List::new(vm, &[])?;
    for trace in with(vm, |jit| Ok(jit.traces()))? {
        let d = Dict::new(vm)?;
        rows.push(vm, d.value())?;
        set_place(vm, d, &trace.place)?;
        for (name, n) in [
            ("number", trace.number as u64),
            ("recorded", trace.recorded as u64),
            ("bridges", trace.bridges as u64),
            ("bytes", trace.bytes as u64),
            ("entered", trace.entered),
        ] {
            d.set_name(vm, name, vm.int_u64(n)?)?;
        }
        d.set_name(vm, "is_function", Value::bool(trace.is_function))?;
        d.set_name(vm, "valid", Value::bool(trace.valid))?;
        let exits = List::new(vm, &[])?;
        d.set_name(vm, "exits", exits.value())?;
        for exit in &trace.exits {
            let e = Dict::new(vm)?;
            exits.push(vm, e.value())?;
            set_place(vm, e, &exit.place)?;
            e.set_name(vm, "kind", vm.str(exit.kind)?)?;
            e.set_name(vm, "taken", vm.int_u64(exit.taken)?)?;
            e.set_name(vm, "aborts", Value::small_int(exit.aborts.into()))?;
            e.set_name(vm, "bridge", Value::bool(exit.bridge))?;
        }
        let ir = List::new(vm, &[])?;
        d.set_name(vm, "ir", ir.value())?;
        for line in &trace.ir {
            let row = List::new(vm, &[])?;
            ir.push(vm, row.value())?;
            row.push(vm, vm.str(&line.text)?)?;
            row.push(vm, vm.str(&line.file)?)?;
            row.push(vm, Value::small_int(line.line.into()))?;
        }
        let code = match &trace.code {
            Some(text) => vm.str(text)?,
            None => Value::NONE,
        };
        d.set_name(vm, "code", code)?;
    }
    Ok(rows)
}
