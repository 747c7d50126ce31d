//! Python functions and bound methods.

use crate::fixed_object;
use crate::object::{Field, Header, Ref};
use crate::types::code::{CodeObject, Exec};
use crate::types::dict::Dict;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// A Python function.
#[repr(C)]
pub struct Function {
    header: Header,
    /// The code's executable form, for calls; follows `code`.
    exec: Cell<*const Exec>,
    code: Field,
    pub globals: Field,
    /// Tuple of defaults, or nothing.
    pub defaults: Field,
    /// Dict of keyword-only defaults, or nothing.
    pub kwdefaults: Field,
    /// Tuple of cells, or nothing.
    pub closure: Field,
    /// What is rarely used: [`Extra`], made on demand.
    extra: Field,
}
fixed_object!(Function, Function, [code, globals, defaults, kwdefaults, closure, extra]);

/// Places of a function's rarely used attributes in its extra row.
#[derive(Clone, Copy)]
#[repr(usize)]
pub enum Extra {
    Name,
    Qualname,
    Doc,
    Dict,
    Module,
    /// The `__annotate__` function.
    Annotate,
    /// The `__annotations__` dict once made.
    Annotations,
    TypeParams,
    Builtins,
}
const EXTRAS: usize = 9;

/// Byte offsets for compiled code.
pub const FUNCTION_EXEC: usize = std::mem::offset_of!(Function, exec);
pub const FUNCTION_CLOSURE: usize = std::mem::offset_of!(Function, closure);
pub const FUNCTION_DEFAULTS: usize = std::mem::offset_of!(Function, defaults);
pub const FUNCTION_KWDEFAULTS: usize = std::mem::offset_of!(Function, kwdefaults);

impl Function {
    /// MemoryError.
    pub fn new(vm: &Vm, code: Ref<CodeObject>, globals: Ref<Dict>) -> R<Ref<Function>> {
        let f = vm.alloc_fixed::<Function>(vm.types.function.root_shape_id())?;
        code.note_globals(vm, globals);
        f.exec.set(code.exec());
        f.code.init(code.value());
        f.globals.init(globals.value());
        Ok(f)
    }

    #[inline(always)]
    pub fn exec(&self) -> *const Exec {
        self.exec.get()
    }

    #[inline(always)]
    pub fn code(&self) -> Ref<CodeObject> {
        // SAFETY: set at creation, only to codes.
        unsafe { self.code.value().cast_unchecked() }
    }

    #[inline(always)]
    pub fn globals(&self) -> Ref<Dict> {
        // SAFETY: set at creation, only to dicts.
        unsafe { self.globals.value().cast_unchecked() }
    }

    pub fn extra(&self, which: Extra) -> Option<Value> {
        let row = self.extra.cast::<crate::types::instance::Values>()?;
        row.slots()[which as usize].get()
    }

    /// `__name__`.
    pub fn name(&self) -> Value {
        self.extra(Extra::Name).unwrap_or_else(|| self.code().name.value())
    }

    /// `__qualname__`.
    pub fn qualname(&self) -> Value {
        self.extra(Extra::Qualname).unwrap_or_else(|| self.code().qualname.value())
    }

    pub fn qualname_string(&self) -> String {
        let s = self.qualname().cast::<Str>().map(|s| s.to_string_lossy().into_owned());
        s.unwrap_or_default()
    }
}

impl Ref<Function> {
    /// `None` removes. MemoryError.
    pub fn set_extra(self, vm: &Vm, which: Extra, v: Option<Value>) -> R<()> {
        let row = match self.extra.cast::<crate::types::instance::Values>() {
            Some(row) => row,
            None => {
                let row = crate::types::instance::Values::new(vm, EXTRAS)?;
                self.extra.set(vm, self, row.value());
                row
            }
        };
        row.store(vm, which as usize, v);
        Ok(())
    }

    pub fn set_code(self, vm: &Vm, code: Ref<CodeObject>) {
        code.note_globals(vm, self.globals());
        self.code.set(vm, self, code.value());
        self.exec.set(code.exec());
    }

    /// The attribute dictionary, made on demand. MemoryError.
    pub fn dict(self, vm: &Vm) -> R<Ref<Dict>> {
        if let Some(d) = self.extra(Extra::Dict).and_then(|v| v.cast()) {
            return Ok(d);
        }
        let d = Dict::new(vm)?;
        self.set_extra(vm, Extra::Dict, Some(d.value()))?;
        Ok(d)
    }

    /// The cells of the closure.
    #[inline]
    pub fn cells(self) -> &'static [Value] {
        match self.closure.cast::<Tuple>() {
            // SAFETY: the function keeps the tuple; its holder keeps the function.
            Some(t) => unsafe { &*std::ptr::from_ref(t.items()) },
            None => &[],
        }
    }
}

/// A method bound to its receiver.
#[repr(C)]
pub struct BoundMethod {
    header: Header,
    pub function: Field,
    pub receiver: Field,
}
fixed_object!(BoundMethod, BoundMethod, [function, receiver]);

impl BoundMethod {
    /// MemoryError.
    pub fn new(vm: &Vm, function: Value, receiver: Value) -> R<Ref<BoundMethod>> {
        let m = vm.alloc_fixed::<BoundMethod>(vm.types.method.root_shape_id())?;
        m.function.init(function);
        m.receiver.init(receiver);
        Ok(m)
    }
}
