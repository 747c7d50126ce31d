//! Registers in memory, objects and arrays.

use super::asm::{Alu, Cond, Gpr, Label, Mem, RBP, RBX, indexed, mem};
use super::calls::ColdKind;
use super::registers::SCRATCH;
use super::{Quick, Result};
use crate::ir::{Id, Inst, NewKind, Place, TraceOp};
use crate::layout::{
    CONTEXT_HANDLED, FIRST_SLOT, GRANULE, HEADER_BITS, HEADER_GC, HEADER_SHAPE, VM_CTX, VM_HEAP_CURSOR,
    VM_HEAP_LIMIT, header_word,
};
use crate::lower::may_be_reference;
use crate::machine::CompileError;
use skein_heap::UNLOGGED;
use skein_runtime::types::str::{ASCII, INTERNED, SHARED, STR_DATA};

/// Constant indices beyond this are in a register.
const FAR: u64 = 1 << 24;

impl Quick<'_> {
    pub(super) fn load_reg(&mut self, id: Id, inst: &Inst) {
        let to = self.regs.def(id);
        self.regs.asm.load(to, mem(RBP, 8 * inst.imm as i32));
    }

    pub(super) fn store_reg(&mut self, inst: &Inst) -> Result<()> {
        let value = self.arg(inst, 0)?;
        let place = mem(RBP, 8 * inst.imm as i32);
        self.store(place, value);
        Ok(())
    }

    fn store(&mut self, place: Mem, value: Id) {
        match self.regs.short_constant(value) {
            Some(n) => self.regs.asm.store_imm(place, n),
            None => {
                let r = self.regs.gpr(value);
                self.regs.asm.store(place, r);
            }
        }
    }

    fn offset(inst: &Inst) -> Result<i32> {
        let offset = Place::from_imm(inst.imm).offset;
        i32::try_from(offset).map_err(|_| CompileError::Malformed("an offset beyond 31 bits"))
    }

    pub(super) fn load_field(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let object = self.arg(inst, 0)?;
        let r = self.regs.gpr(object);
        let to = self.regs.def(id);
        self.regs.asm.load(to, mem(r, Self::offset(inst)?));
        Ok(())
    }

    pub(super) fn store_field(&mut self, inst: &Inst) -> Result<()> {
        let (object, value) = self.args2(inst)?;
        let r = self.regs.gpr(object);
        self.store(mem(r, Self::offset(inst)?), value);
        Ok(())
    }

    pub(super) fn load_cell(&mut self, id: Id, inst: &Inst) {
        let to = self.regs.def(id);
        self.regs.asm.mov_imm(SCRATCH, inst.imm);
        self.regs.asm.load32(to, mem(SCRATCH, 0));
    }

    pub(super) fn load_handled(&mut self, id: Id) {
        let to = self.regs.def(id);
        self.regs.asm.load(to, mem(RBX, VM_CTX));
        self.regs.asm.load(to, mem(to, CONTEXT_HANDLED));
    }

    /// An element's index: a register, or a displacement.
    fn element(&mut self, inst: &Inst) -> Result<(Gpr, Option<Gpr>, i32)> {
        let (array, index) = self.args2(inst)?;
        let array = self.regs.gpr(array);
        Ok(match self.constant(inst, 1).filter(|&index| index < FAR) {
            Some(index) => (array, None, FIRST_SLOT + 8 * index as i32),
            None => (array, Some(self.regs.gpr(index)), FIRST_SLOT),
        })
    }

    fn element_mem((array, index, disp): (Gpr, Option<Gpr>, i32)) -> Mem {
        match index {
            Some(index) => indexed(array, index, 3, disp),
            None => mem(array, disp),
        }
    }

    pub(super) fn load_elem(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let element = self.element(inst)?;
        let to = self.regs.def(id);
        self.regs.asm.load(to, Self::element_mem(element));
        Ok(())
    }

    /// As `Ref<Values>::store` does it: only references need the barrier.
    pub(super) fn store_elem(&mut self, inst: &Inst) -> Result<()> {
        let element = self.element(inst)?;
        let value = self.arg(inst, 2)?;
        if may_be_reference(self.tree, value) {
            let r = self.regs.gpr(value);
            let (array, index, disp) = element;
            self.regs.asm.test8_mem_imm(mem(array, HEADER_GC), UNLOGGED);
            let kind = ColdKind::SlotBarrier { array, index, disp, value: r };
            self.slow_way_if(Cond::NE, kind);
        }
        self.store(Self::element_mem(element), value);
        Ok(())
    }

    fn slow_way_if(&mut self, cond: Cond, kind: ColdKind) {
        let (slow, back) = self.slow_way(kind);
        self.regs.asm.jump_if(cond, slow);
        self.regs.asm.bind(back);
    }

    pub(super) fn barrier(&mut self, inst: &Inst) -> Result<()> {
        let object = self.arg(inst, 0)?;
        let r = self.regs.gpr(object);
        self.regs.asm.test8_mem_imm(mem(r, HEADER_GC), UNLOGGED);
        self.slow_way_if(Cond::NE, ColdKind::Barrier { object: r });
        Ok(())
    }

    /// The operand, if it is an object at all, and where the guard leaves to.
    fn object(&mut self, inst: &Inst) -> Result<(Gpr, Label)> {
        let object = self.arg(inst, 0)?;
        let r = self.regs.gpr(object);
        let label = self.leave(inst)?;
        let op = self.tree.inst(object).op;
        if !matches!(op, TraceOp::GuardShape | TraceOp::GuardFamily | TraceOp::NewObject) {
            self.regs.asm.test8_imm(r, 7);
            self.regs.asm.jump_if(Cond::NE, label);
        }
        Ok((r, label))
    }

    pub(super) fn guard_shape(&mut self, inst: &Inst) -> Result<()> {
        let (r, label) = self.object(inst)?;
        self.regs.asm.cmp32_mem_imm(mem(r, HEADER_SHAPE), inst.imm as u32 as i32);
        self.regs.asm.jump_if(Cond::NE, label);
        Ok(())
    }

    pub(super) fn guard_family(&mut self, inst: &Inst) -> Result<()> {
        let (r, label) = self.object(inst)?;
        self.regs.asm.load32(SCRATCH, mem(r, HEADER_SHAPE));
        let one = self.regs.asm.label();
        let family = self.tree.family(inst);
        for &shape in &family[1..] {
            self.regs.asm.cmp32_imm(SCRATCH, shape as i32);
            self.regs.asm.jump_if(Cond::E, one);
        }
        self.regs.asm.cmp32_imm(SCRATCH, family[0] as i32);
        self.regs.asm.jump_if(Cond::NE, label);
        self.regs.asm.bind(one);
        Ok(())
    }

    pub(super) fn text_char(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let (text, index) = self.args2(inst)?;
        let (text, index) = (self.regs.gpr(text), self.regs.gpr(index));
        let label = self.leave(inst)?;
        self.regs.asm.load16(SCRATCH, mem(text, HEADER_BITS));
        self.regs.asm.alu_imm(Alu::And, SCRATCH, i32::from(ASCII | SHARED));
        self.regs.asm.cmp32_imm(SCRATCH, i32::from(ASCII));
        self.regs.asm.jump_if(Cond::NE, label);
        let to = self.regs.def(id);
        self.regs.asm.load8(SCRATCH, indexed(text, index, 0, STR_DATA as i32));
        self.regs.asm.mov_imm(to, inst.imm);
        self.regs.asm.load(to, indexed(to, SCRATCH, 3, 0));
        Ok(())
    }

    /// As `Ref<Str>::same`.
    pub(super) fn text_eq(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let (a, b) = self.args2(inst)?;
        let (a, b) = (self.regs.gpr(a), self.regs.gpr(b));
        let to = self.regs.def(id);
        let (slow, back) = self.slow_way(ColdKind::SameText { a, b, to });
        self.regs.asm.mov_imm(to, 1);
        self.regs.asm.alu(Alu::Cmp, a, b);
        self.regs.asm.jump_if(Cond::E, back);
        self.regs.asm.load16(SCRATCH, mem(a, HEADER_BITS));
        self.regs.asm.and16_load(SCRATCH, mem(b, HEADER_BITS));
        self.regs.asm.test32_imm(SCRATCH, i32::from(INTERNED));
        self.regs.asm.jump_if(Cond::E, slow);
        self.regs.asm.mov_imm(to, 0);
        self.regs.asm.bind(back);
        Ok(())
    }

    pub(super) fn set_shape(&mut self, inst: &Inst) -> Result<()> {
        let object = self.arg(inst, 0)?;
        let r = self.regs.gpr(object);
        self.regs.asm.store32_imm(mem(r, HEADER_SHAPE), inst.imm as u32 as i32);
        Ok(())
    }

    /// Room from the heap's run at hand, which is zeroed, or from the slow allocator.
    pub(super) fn new_object(&mut self, id: Id, inst: &Inst) -> Result<()> {
        let kind = NewKind::from_imm(inst.imm);
        let to = self.regs.def(id);
        let leave = self.leave(inst)?;
        let (slow, back) = self.slow_way(ColdKind::NewObject { kind: inst.imm, to, leave });
        if kind.is_registered() {
            self.regs.asm.jump(slow);
            self.regs.asm.bind(back);
            return Ok(());
        }
        let size = u64::from(kind.size).next_multiple_of(GRANULE);
        self.regs.asm.load(to, mem(RBX, VM_HEAP_CURSOR));
        self.regs.asm.lea(SCRATCH, mem(to, size as i32));
        self.regs.asm.alu_load(Alu::Cmp, SCRATCH, mem(RBX, VM_HEAP_LIMIT));
        self.regs.asm.jump_if(Cond::A, slow);
        self.regs.asm.store(mem(RBX, VM_HEAP_CURSOR), SCRATCH);
        self.regs.asm.mov_imm(SCRATCH, header_word(kind.shape, kind.kind, kind.bits.into()));
        self.regs.asm.store(mem(to, 0), SCRATCH);
        self.regs.asm.bind(back);
        Ok(())
    }
}
