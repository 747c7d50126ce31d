//! Frame objects: what Python code sees of a frame. Made on demand.
//!
//! While the frame is on a context's stack, `base` leads to its registers. When it is left, the
//! registers are copied into the object (see `interp::unwind`), since someone may still look at them.

use crate::fixed_object;
use crate::interp::{bound, frame_code};
use crate::object::{Field, Header, Ref};
use crate::types::code::CodeObject;
use crate::types::function::Function;
use crate::types::instance::Values;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// A place of which a trace function is told that is no instruction, or not the one that is executed.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// `f_lineno`
    pub line: u32,
    /// `f_lasti`
    pub offset: i32,
}

/// A Python frame object.
#[repr(C)]
pub struct FrameObject {
    header: Header,
    pub function: Field,
    pub back: Field,
    /// Copy of the locals' registers once the frame is left.
    registers: Field,
    /// `f_trace`.
    pub trace_function: Field,
    /// A dict of names that were set through `f_locals` and are no variables.
    pub extra_locals: Field,
    /// The generator that the frame belongs to.
    pub generator: Field,
    /// The microthread on whose stack the frame is, or was last: its object, nothing for the main program.
    pub microthread: Field,
    base: Cell<*mut Value>,
    /// Last instruction, once the frame is left or suspended.
    unit: Cell<u32>,
    /// What a trace function sees of where the frame is, while it is told of something; else the instruction.
    shown: Cell<Option<Shown>>,
    /// The line that a trace function was told of last.
    last: Cell<Option<Shown>>,
    /// Where a trace function wants the frame to go on: an instruction's unit, plus one.
    moved: Cell<u32>,
    /// Not `f_trace_lines`.
    skips_lines: Cell<bool>,
    /// `f_trace_opcodes`.
    opcodes: Cell<bool>,
    code: Field,
}
fixed_object!(
    FrameObject,
    Frame,
    [function, back, registers, trace_function, extra_locals, generator, microthread, code]
);

impl FrameObject {
    /// An object for the live frame at `base`. MemoryError.
    pub fn new(
        vm: &Vm,
        function: Ref<Function>,
        code: Ref<CodeObject>,
        base: *mut Value,
    ) -> R<Ref<FrameObject>> {
        let f = vm.alloc_fixed::<FrameObject>(vm.types.frame.root_shape_id())?;
        f.function.init(function.value());
        f.code.init(code.value());
        f.base.set(base);
        Ok(f)
    }

    /// The live frame, if it is still on a stack.
    pub fn base(&self) -> Option<*mut Value> {
        (!self.base.get().is_null()).then(|| self.base.get())
    }

    pub fn set_base(&self, base: *mut Value) {
        self.base.set(base);
    }

    pub fn code(&self) -> Ref<CodeObject> {
        // SAFETY: set at creation.
        unsafe { self.code.value().cast_unchecked() }
    }

    pub fn function(&self) -> Ref<Function> {
        // SAFETY: set at creation.
        unsafe { self.function.value().cast_unchecked() }
    }

    /// Instruction of a frame that was left.
    pub fn unit(&self) -> u32 {
        self.unit.get()
    }

    pub fn set_unit(&self, unit: u32) {
        self.unit.set(unit);
    }

    pub fn shown(&self) -> Option<Shown> {
        self.shown.get()
    }

    pub fn show(&self, shown: Option<Shown>) {
        self.shown.set(shown);
    }

    /// The line that a trace function was told of last.
    pub fn last(&self) -> Option<Shown> {
        self.last.get()
    }

    pub fn note_line(&self, line: Shown) {
        self.last.set(Some(line));
    }

    /// `f_trace_lines`
    pub fn wants_lines(&self) -> bool {
        !self.skips_lines.get()
    }

    pub fn set_wants_lines(&self, on: bool) {
        self.skips_lines.set(!on);
    }

    /// `f_trace_opcodes`
    pub fn wants_opcodes(&self) -> bool {
        self.opcodes.get()
    }

    pub fn set_wants_opcodes(&self, on: bool) {
        self.opcodes.set(on);
    }

    /// When the trace function is through, the frame goes on at the instruction of this unit.
    pub fn move_to(&self, unit: u32) {
        self.moved.set(unit + 1);
    }

    /// Where the frame is to go on, if a trace function has said so.
    pub fn take_move(&self) -> Option<u32> {
        self.moved.replace(0).checked_sub(1)
    }

    /// Lets go of the copied registers.
    pub fn forget_locals(&self) {
        self.registers.init(None::<Value>);
    }

    /// The copied registers of a frame that was left.
    pub fn saved(&self) -> Option<Ref<Values>> {
        self.registers.cast()
    }
}

impl Ref<FrameObject> {
    /// The copied registers of the frame, which was left.
    pub fn set_saved(self, vm: &Vm, registers: Ref<Values>) {
        self.registers.set(vm, self, registers.value());
    }

    /// The frame is left: keeps its locals. MemoryError.
    pub fn detach(self, vm: &Vm, unit: u32) -> R<()> {
        let Some(base) = self.base() else { return Ok(()) };
        let copy = copy_registers(vm, base, unit)?;
        self.registers.set(vm, self, copy.value());
        self.unit.set(unit);
        self.base.set(std::ptr::null_mut());
        Ok(())
    }
}

/// The values of the variables of a frame, which is at this unit. MemoryError.
///
/// The unit may be where the machine has published last that it was, and what compiled code had in hand may not be in
/// memory: each word is looked at, whatever the code says of it.
pub(crate) fn copy_registers(vm: &Vm, base: *mut Value, unit: u32) -> R<Ref<Values>> {
    let code = frame_code(base);
    let row = Values::new(vm, code.portable().locals.len())?;
    for (i, slot) in row.slots().iter().enumerate() {
        // SAFETY: a frame has registers for all locals.
        let word = unsafe { *base.add(i).cast::<u64>() };
        slot.init(bound(vm, code, unit, i, word));
    }
    Ok(row)
}
