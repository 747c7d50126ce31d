//! The local variables of frames, by name: for `locals()` and `f_locals`.

use crate::interp::frames::{FramePlace, Walk, frame_code, frame_place};
use crate::object::Ref;
use crate::types::cell::CellObject;
use crate::types::code::CodeObject;
use crate::types::dict::Dict;
use crate::types::frame::FrameObject;
use crate::types::str::Str;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::LocalKind;

/// The variables of a frame, wherever its registers are now.
pub struct FrameVariables {
    frame: Ref<FrameObject>,
    code: Ref<CodeObject>,
    place: FramePlace,
}

impl FrameVariables {
    pub fn of(vm: &Vm, frame: Ref<FrameObject>) -> FrameVariables {
        FrameVariables { frame, code: frame.code(), place: frame_place(vm, frame) }
    }

    /// The namespace of module and class code.
    pub fn namespace(&self, vm: &Vm) -> Option<Value> {
        takes_namespace(self.code).then(|| self.register(vm, 0)).flatten()
    }

    /// Number of registers of local variables.
    pub fn count(&self) -> usize {
        self.code.portable().locals.len()
    }

    /// The name of variable `i`; None: it is no variable of the function.
    pub fn name(&self, vm: &Vm, i: usize) -> R<Option<Ref<Str>>> {
        match self.code.portable().locals.get(i) {
            Some(l) if l.kind != LocalKind::Hidden => vm.intern(&l.name).map(Some),
            _ => Ok(None),
        }
    }

    /// The variable of that name.
    pub fn find(&self, name: Ref<Str>) -> Option<usize> {
        let locals = &self.code.portable().locals;
        locals.iter().position(|l| l.kind != LocalKind::Hidden && l.name.as_bytes() == name.bytes())
    }

    /// The value of variable `i`, if it has one.
    pub fn get(&self, vm: &Vm, i: usize) -> Option<Value> {
        contents(self.code, i, self.register(vm, i))
    }

    /// Does the register of variable `i` have something?
    pub fn holds(&self, vm: &Vm, i: usize) -> bool {
        self.register(vm, i).is_some()
    }

    /// Gives variable `i` a value. What has been left or cleared has no variables.
    pub fn set(&self, vm: &Vm, i: usize, v: Value) {
        vm.hooks.tier().frame_written();
        let kind = self.code.portable().locals[i].kind;
        if matches!(kind, LocalKind::Cell | LocalKind::Free)
            && let Some(cell) = self.register(vm, i).and_then(|v| v.cast::<CellObject>())
        {
            cell.set(vm, v);
            return;
        }
        match &self.place {
            FramePlace::Live(w) => {
                // SAFETY: a frame has registers for all locals.
                unsafe { *w.base.add(i) = v };
                // A stack that does not run is traced through its microthread.
                if let Some(h) = self.frame.microthread.get().and_then(Value::header) {
                    vm.heap.write_barrier(h);
                }
            }
            FramePlace::Suspended(g) => {
                if let Some(register) = g.registers().get(i) {
                    vm.heap.write_barrier(g.header());
                    register.set(v.bits());
                }
            }
            FramePlace::Left => {
                if let Some(saved) = self.frame.saved().filter(|s| i < s.slots().len()) {
                    saved.store(vm, i, v);
                }
            }
        }
    }

    fn register(&self, vm: &Vm, i: usize) -> Option<Value> {
        let (word, unit) = match &self.place {
            // SAFETY: a frame has registers for all locals.
            FramePlace::Live(w) => (unsafe { *w.base.add(i).cast::<u64>() }, w.unit),
            FramePlace::Suspended(g) => {
                (g.registers().get(i).map_or(0, |r| r.get()), g.unit().saturating_sub(1))
            }
            FramePlace::Left => {
                let v = self.frame.saved()?.slots().get(i)?.get()?;
                (v.bits(), self.frame.unit())
            }
        };
        bound(vm, self.code, unit, i, word)
    }
}

/// Is it code of a module or class, which is given the mapping that it binds names in?
pub fn takes_namespace(code: Ref<CodeObject>) -> bool {
    code.portable().locals.first().is_some_and(|l| &*l.name == ".namespace")
}

/// What a local variable's register has at an instruction, unless it is a stale word.
pub fn bound(vm: &Vm, code: Ref<CodeObject>, unit: u32, i: usize, word: u64) -> Option<Value> {
    if !code.liveness().bound(unit, i) {
        return None;
    }
    vm.value_of_register(word).filter(|v| !v.is_unbound())
}

/// The value of variable `i`, by what its register has.
fn contents(code: Ref<CodeObject>, i: usize, register: Option<Value>) -> Option<Value> {
    match code.portable().locals[i].kind {
        LocalKind::Hidden => None,
        LocalKind::Plain => register,
        LocalKind::Cell | LocalKind::Free => match register?.cast::<CellObject>() {
            Some(c) => Some(c.get()).filter(|v| !v.is_unbound()),
            None => register,
        },
    }
}

/// The namespace of module and class code, else a new dict of the bound variables. MemoryError.
pub fn frame_locals(vm: &Vm, f: Ref<FrameObject>) -> R<Value> {
    let variables = FrameVariables::of(vm, f);
    match variables.namespace(vm) {
        Some(v) => Ok(v),
        None => Ok(snapshot(vm, variables.code, |i| variables.register(vm, i))?.value()),
    }
}

/// `locals()` in the frame that runs. MemoryError.
pub fn running_locals(vm: &Vm) -> R<Option<Value>> {
    let Some(w) = Walk::running(vm).next() else { return Ok(None) };
    let code = frame_code(w.base);
    // SAFETY: a frame has registers for all locals.
    let register = |i: usize| bound(vm, code, w.unit, i, unsafe { *w.base.add(i).cast::<u64>() });
    match takes_namespace(code).then(|| register(0)).flatten() {
        Some(v) => Ok(Some(v)),
        None => {
            let dict = snapshot(vm, code, register)?;
            let object = vm.context().frame_object(w.base).and_then(|f| f.cast::<FrameObject>());
            if let Some(extra) = object.and_then(|f| f.extra_locals.cast::<Dict>()) {
                for (k, v) in extra.iter() {
                    dict.set(vm, k, v)?;
                }
            }
            Ok(Some(dict.value()))
        }
    }
}

fn snapshot(vm: &Vm, code: Ref<CodeObject>, register: impl Fn(usize) -> Option<Value>) -> R<Ref<Dict>> {
    let dict = Dict::new(vm)?;
    for (i, l) in code.portable().locals.iter().enumerate() {
        if let Some(v) = contents(code, i, register(i)) {
            dict.set_str(vm, vm.intern(&l.name)?, v)?;
        }
    }
    Ok(dict)
}
