//! Exceptions: the object, and the tree of builtin exception types.

use crate::fixed_object;
use crate::object::{Field, HAS_DICT_WORD, Header, Ref};
use crate::types::tuple::Tuple;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;

/// An exception instance. Python attributes are in the dictionary of the trailing word.
#[repr(C)]
pub struct Exception {
    header: Header,
    /// Tuple.
    pub args: Field,
    pub traceback: Field,
    pub context: Field,
    pub cause: Field,
    /// What the type keeps besides, by its own numbering: a [`crate::types::instance::Values`] or nothing.
    pub fields: Field,
}
fixed_object!(Exception, Exception, [args, traceback, context, cause, fields]);

/// Bit of the header: `__suppress_context__`.
const SUPPRESS_CONTEXT: u16 = 1;

impl Exception {
    /// An instance of an exception type without calling Python code. MemoryError.
    pub fn new(vm: &Vm, ty: Ref<Type>, args: &[Value]) -> R<Ref<Exception>> {
        let args = Tuple::new(vm, args)?;
        let size = size_of::<Exception>() + 8;
        let e = vm.alloc::<Exception>(size, vm.instance_shape::<Exception>(ty)?)?;
        e.header().bits.set(HAS_DICT_WORD);
        e.args.init(args.value());
        Ok(e)
    }

    pub fn suppress_context(&self) -> bool {
        self.header.bits.get() & SUPPRESS_CONTEXT != 0
    }

    pub fn set_suppress_context(&self, on: bool) {
        let bits = self.header.bits.get() & !SUPPRESS_CONTEXT;
        self.header.bits.set(bits | if on { SUPPRESS_CONTEXT } else { 0 });
    }

    /// Item of `args`.
    pub fn arg(&self, i: usize) -> Option<Value> {
        self.args.cast::<Tuple>().and_then(|t| t.items().get(i).copied())
    }
}

impl Ref<Exception> {
    /// One of the type's own fields.
    pub fn field(self, i: usize) -> Option<Value> {
        let row = self.fields.cast::<crate::types::instance::Values>()?;
        row.slots().get(i).and_then(|s| s.get())
    }

    /// Sets one of the type's own fields. MemoryError.
    pub fn set_field(self, vm: &Vm, i: usize, v: impl Into<Option<Value>>) -> R<()> {
        let row = match self.fields.cast::<crate::types::instance::Values>() {
            Some(row) if i < row.slots().len() => row,
            Some(row) => row.resized(vm, i + 1)?,
            None => crate::types::instance::Values::new(vm, (i + 1).max(4))?,
        };
        self.fields.set(vm, self, row.value());
        row.store(vm, i, v);
        Ok(())
    }
}
