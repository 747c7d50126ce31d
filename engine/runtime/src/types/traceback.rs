//! Tracebacks: where an exception passed.

use crate::fixed_object;
use crate::interp::{bound, frame_code, frame_function_word};
use crate::object::{Field, Header, Ref};
use crate::types::code::CodeObject;
use crate::types::instance::Values;
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
    /// What the frame's variables were when the exception left it: a copy of their registers, as far as they had
    /// values. Nothing: it did not leave the frame, or `frame` has them.
    variables: Field,
    /// Unit of the instruction in the code.
    unit: Cell<u32>,
    /// Line set by Python code in place of the instruction's; 0: none.
    line: Cell<u32>,
}
fixed_object!(Traceback, Traceback, [next, frame, code, variables]);

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

    /// Gives the copied variables away.
    pub fn take_variables(self) -> Option<Ref<Values>> {
        let row = self.variables.cast();
        self.variables.init(None::<Value>);
        row
    }
}

/// The values of the variables of a frame, which is at this unit. MemoryError.
fn copy_registers(vm: &Vm, base: *mut Value, unit: u32) -> R<Ref<Values>> {
    let code = frame_code(base);
    let row = Values::new(vm, code.portable().locals.len())?;
    let is_certain = code.certain().at(unit);
    for (i, slot) in row.slots().iter().enumerate() {
        // SAFETY: a frame has registers for all locals, and those that were written on all ways have values. The others
        // may have stale words.
        let v = unsafe {
            if is_certain(i) {
                Some(*base.add(i))
            } else {
                bound(vm, code, unit, i, *base.add(i).cast::<u64>())
            }
        };
        slot.init(v.filter(|v| !v.is_unbound()));
    }
    Ok(row)
}
