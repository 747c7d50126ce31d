//! Places in running code: where the machine goes on, and what it is at.

use crate::interp::frames::frame_code;
use crate::value::Value;
use crate::vm::Vm;
use skein_bytecode::Op;

/// Where the interpreter goes on. Two registers.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct At {
    pub pc: *const u32,
    pub base: *mut Value,
}

impl At {
    /// Where a loop ends.
    pub fn exit() -> At {
        At { pc: super::dispatch::EXIT.as_ptr(), base: std::ptr::null_mut() }
    }

    /// This instruction, as the one that is executed.
    #[inline(always)]
    pub fn site(self) -> Site {
        Site { pc: self.pc, base: self.base }
    }

    /// The call behind which the machine goes on here.
    #[inline(always)]
    pub fn call_site(self) -> Site {
        Site { pc: self.pc.wrapping_sub(1), base: self.base }
    }

    /// The same frame, further on.
    #[inline(always)]
    pub fn skip(self, units: usize) -> At {
        // SAFETY: code goes on behind every instruction but the last, which never continues.
        At { pc: unsafe { self.pc.add(units) }, base: self.base }
    }

    /// Relative to this pc, in units.
    #[inline(always)]
    pub fn jump(self, units: i32) -> At {
        At { pc: self.pc.wrapping_offset(units as isize), base: self.base }
    }

    #[inline(always)]
    pub fn reg(self, i: usize) -> Value {
        // SAFETY: the verifier has checked register numbers against the frame's size, and that
        // what is read was written.
        unsafe { *self.base.add(i) }
    }

    #[inline(always)]
    pub fn set(self, i: usize, v: Value) {
        // SAFETY: as in `reg`.
        unsafe { *self.base.add(i) = v }
    }

    /// Is it this instruction?
    #[inline(always)]
    pub fn is_at(self, op: Op) -> bool {
        self.byte(0) == op as usize
    }

    /// Operand bytes of the instruction.
    #[inline(always)]
    pub fn a(self) -> usize {
        self.byte(1)
    }
    #[inline(always)]
    pub fn b(self) -> usize {
        self.byte(2)
    }
    #[inline(always)]
    pub fn c(self) -> usize {
        self.byte(3)
    }
    #[inline(always)]
    fn byte(self, i: usize) -> usize {
        // SAFETY: pc is an instruction's address.
        unsafe { *self.pc.cast::<u8>().add(i) as usize }
    }
    /// First register of the window in a and c.
    #[inline(always)]
    pub fn window(self) -> usize {
        self.a() | self.c() << 8
    }
    /// The second unit.
    #[inline(always)]
    pub fn extra(self) -> u32 {
        // SAFETY: only asked of instructions that have one.
        unsafe { *self.pc.add(1) }
    }
    /// The thing at the byte offset in the second unit.
    #[inline(always)]
    pub fn extra_ptr<T>(self) -> *const T {
        // SAFETY: the loader has put offsets into the block there.
        unsafe { self.pc.byte_add(self.extra() as usize).cast() }
    }
    /// The constant or name of the second unit.
    #[inline(always)]
    pub fn extra_value(self) -> Value {
        // SAFETY: the loader has put a value there.
        unsafe { *self.extra_ptr::<Value>() }
    }
    /// The name of the second unit.
    #[inline(always)]
    pub fn extra_name(self) -> crate::object::Ref<crate::types::str::Str> {
        // SAFETY: the loader has put an interned string there.
        unsafe { self.extra_value().cast_unchecked() }
    }
    /// From now on the instruction is this one, which does the same for what it has met.
    pub fn quicken(self, op: Op) {
        let code = frame_code(self.base);
        code.set_op(code.unit_of(self.pc), op);
    }

    /// Values in a row of registers.
    ///
    /// The slice is good while the frame does not run on.
    #[inline(always)]
    pub fn row<'a>(self, first: usize, n: usize) -> &'a [Value] {
        // SAFETY: as in `reg`; chunks do not move.
        unsafe { std::slice::from_raw_parts(self.base.add(first), n) }
    }
}

/// What a frame is at: the instruction that is executed, or the call that is under way. Tracebacks, handlers and
/// walks over frames go by it; nothing is executed from here, for the address may be of the call's last unit.
#[derive(Clone, Copy)]
pub struct Site {
    pc: *const u32,
    base: *mut Value,
}

impl Site {
    /// Of a context that has no frame.
    pub const NONE: Site = Site { pc: std::ptr::null(), base: std::ptr::null_mut() };

    /// As it is kept in a context: see [`Site::parts`].
    #[inline(always)]
    pub fn from_parts(pc: *const u32, base: *mut Value) -> Site {
        Site { pc, base }
    }

    /// An address in the instruction, and the frame.
    #[inline(always)]
    pub fn parts(self) -> (*const u32, *mut Value) {
        (self.pc, self.base)
    }

    /// The frame's registers; null without a frame.
    #[inline(always)]
    pub fn base(self) -> *mut Value {
        self.base
    }

    /// A unit of the instruction, in the frame's code.
    pub fn unit(self) -> u32 {
        frame_code(self.base).unit_of(self.pc)
    }

    /// The instruction as a return address, for a nested run that comes back to it.
    #[inline(always)]
    pub fn as_return(self) -> At {
        At { pc: self.pc, base: self.base }
    }
}

/// Publishes the frame's state: to be called by every slow path first.
#[inline(always)]
pub fn publish(vm: &Vm, at: At) {
    vm.set_site(at.site());
}

impl Vm {
    /// What the running frame is at.
    #[inline(always)]
    pub fn site(&self) -> Site {
        Site { pc: self.frame.pc.get(), base: self.frame.base.get() }
    }

    #[inline(always)]
    pub fn set_site(&self, site: Site) {
        self.frame.pc.set(site.pc);
        self.frame.base.set(site.base);
    }
}
