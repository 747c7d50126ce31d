//! Tracebacks: where an exception passed.

use crate::fixed_object;
use crate::object::{Field, Header, Ref};
use crate::types::code::CodeObject;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// One entry; the outermost comes first, `next` leads to where the exception was raised.
#[repr(C)]
pub struct Traceback {
    header: Header,
    pub next: Field,
    pub frame: Field,
    code: Field,
    /// Unit of the instruction in the code.
    unit: Cell<u32>,
    /// Line set by Python code in place of the instruction's; 0: none.
    line: Cell<u32>,
}
fixed_object!(Traceback, Traceback, [next, frame, code]);

impl Traceback {
    /// MemoryError.
    pub fn new(
        vm: &Vm,
        next: Option<Value>,
        frame: Option<Value>,
        code: Ref<CodeObject>,
        unit: u32,
    ) -> R<Ref<Traceback>> {
        let tb = vm.alloc_fixed::<Traceback>(vm.types.traceback.root_shape_id())?;
        tb.next.init(next);
        tb.frame.init(frame);
        tb.code.init(code.value());
        tb.unit.set(unit);
        Ok(tb)
    }

    pub fn code(&self) -> Ref<CodeObject> {
        // SAFETY: set at creation.
        unsafe { self.code.value().cast_unchecked() }
    }

    pub fn unit(&self) -> u32 {
        self.unit.get()
    }

    pub fn set_line(&self, line: u32) {
        self.line.set(line);
    }

    pub fn line(&self) -> u32 {
        match self.line.get() {
            0 => self.code().portable().positions.at(self.unit.get()).line,
            n => n,
        }
    }
}
