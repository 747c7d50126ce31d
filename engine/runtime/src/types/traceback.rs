//! Tracebacks: where an exception passed.

use crate::fixed_object;
use crate::interp::{frame_code, frame_function_word};
use crate::object::{Field, Header, Ref};
use crate::types::code::CodeObject;
use crate::types::frame::{FrameObject, copy_registers};
use crate::types::instance::Values;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// One entry; the outermost comes first, `next` leads to where the exception was raised.
#[repr(C)]
pub struct Traceback {
    header: Header,
    pub next: Field,
    /// The entry of the caller, when the exception has passed it too.
    outer: Field,
    pub frame: Field,
    code: Field,
    /// What the frame's variables were when the exception left it: a copy of their registers, as far as they had
    /// values. Nothing: it did not leave the frame, or `frame` has them.
    variables: Field,
    /// Unit of the instruction in the code.
    unit: Cell<u32>,
    /// Line set by Python code in place of the instruction's; 0: none.
    line: Cell<u32>,
}
fixed_object!(Traceback, Traceback, [next, outer, frame, code, variables]);

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
            0 => crate::events::line_at(self.code(), self.unit.get()),
            n => n,
        }
    }
}

impl Ref<Traceback> {
    /// The exception leaves the frame at `base`, which has just raised it or called what did, and passed the first
    /// entries there: keeps the variables. MemoryError.
    pub fn keep_variables(self, vm: &Vm, base: *mut Value) -> R<()> {
        let (function, code) = (frame_function_word(base), frame_code(base));
        let object = vm.context().frame_object(base);
        let mut copy = None;
        let mut entry = Some(self);
        while let Some(tb) = entry {
            let is_here = tb.frame.get().is_some_and(|f| f.is(function) || object.is_some_and(|o| f.is(o)));
            if !is_here || tb.code() != code || tb.variables.get().is_some() {
                break;
            }
            match object {
                // Keeps them itself.
                Some(object) => tb.frame.set(vm, tb, object),
                None => {
                    let row = match copy {
                        Some(row) => row,
                        None => copy_registers(vm, base, self.unit())?,
                    };
                    copy = Some(row);
                    tb.variables.set(vm, tb, row.value());
                }
            }
            entry = tb.next.cast();
        }
        Ok(())
    }

    /// The exception has passed this entry's frame, coming from the next one's.
    pub fn link(self, vm: &Vm) {
        if let Some(next) = self.next.cast::<Traceback>() {
            next.outer.set(vm, next, self.value());
        }
    }

    /// The entry of the caller, if the exception has passed it.
    pub fn outer(self) -> Option<Value> {
        self.outer.get()
    }

    /// The copied variables, if nobody has asked for the frame yet.
    pub fn variables(self) -> Option<Ref<Values>> {
        self.variables.cast()
    }

    /// The object of a frame that the exception has left; it has the variables from now on. Other entries of the same frame get it
    /// too, and it finds its caller by the entry outside of them.
    pub fn set_left_frame(self, vm: &Vm, f: Ref<FrameObject>) {
        let row = self.variables();
        let same = |tb: Option<Ref<Traceback>>| tb.filter(|tb| row.is_some() && tb.variables() == row);
        let (mut outermost, mut inner) = (self, self);
        while let Some(tb) = same(inner.next.cast()) {
            inner = tb;
        }
        while let Some(tb) = same(outermost.outer.cast()) {
            outermost = tb;
        }
        f.back.set(vm, f, outermost.outer.get());
        let mut entry = Some(outermost);
        while let Some(tb) = entry {
            tb.frame.set(vm, tb, f.value());
            tb.variables.init(None::<Value>);
            entry = if tb == inner { None } else { tb.next.cast() };
        }
    }
}
