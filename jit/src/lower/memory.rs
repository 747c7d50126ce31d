//! Registers in memory, objects and arrays.

use super::{Lowerer, Result, trusted};
use crate::ir::{Id, Inst, NewKind, Place, TraceOp, Tree, Type};
use crate::layout::{
    CONTEXT_HANDLED, FIRST_SLOT, GRANULE, HEADER_BITS, HEADER_GC, HEADER_SHAPE, VM_CTX, VM_HEAP_CURSOR,
    VM_HEAP_LIMIT, header_word,
};
use crate::machine::CompileError;
use crate::thunks::Thunk;
use cranelift_codegen::cursor::Cursor;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I16, I32, I64};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Value};
use skein_heap::UNLOGGED;
use skein_runtime::types::str::{ASCII, INTERNED, SHARED, STR_DATA};
use skein_runtime::value::Value as Word;

/// Can the value be the address of an object?
pub fn may_be_reference(tree: &Tree, id: Id) -> bool {
    let value = tree.inst(id);
    match value.op {
        TraceOp::Const => {
            // SAFETY: a constant of a trace is a word that the program had.
            value.imm != 0 && unsafe { Word::from_bits(value.imm) }.is_ptr()
        }
        TraceOp::BoxBool => false,
        _ => value.ty == Type::W,
    }
}

impl Lowerer<'_> {
    pub(super) fn load_reg(&mut self, inst: &Inst) -> Value {
        self.pos.ins().load(I64, trusted(), self.base, 8 * inst.imm as i32)
    }

    pub(super) fn store_reg(&mut self, inst: &Inst) -> Result<Option<Value>> {
        let value = self.arg(inst, 0)?;
        self.pos.ins().store(trusted(), value, self.base, 8 * inst.imm as i32);
        Ok(None)
    }

    fn offset(inst: &Inst) -> Result<i32> {
        let offset = Place::from_imm(inst.imm).offset;
        i32::try_from(offset).map_err(|_| CompileError::Malformed("an offset beyond 31 bits"))
    }

    pub(super) fn load_field(&mut self, inst: &Inst) -> Result<Value> {
        let object = self.arg(inst, 0)?;
        Ok(self.pos.ins().load(I64, trusted(), object, Self::offset(inst)?))
    }

    pub(super) fn store_field(&mut self, inst: &Inst) -> Result<Option<Value>> {
        let (object, value) = self.args2(inst)?;
        self.pos.ins().store(trusted(), value, object, Self::offset(inst)?);
        Ok(None)
    }

    pub(super) fn load_handled(&mut self) -> Value {
        let context = self.pos.ins().load(I64, trusted(), self.vm, VM_CTX);
        self.pos.ins().load(I64, trusted(), context, CONTEXT_HANDLED)
    }

    pub(super) fn load_cell(&mut self, inst: &Inst) -> Value {
        let address = self.pos.ins().iconst(I64, inst.imm as i64);
        self.pos.ins().uload32(trusted(), address, 0)
    }

    /// Base and offset of an element.
    fn element(&mut self, inst: &Inst) -> Result<(Value, i32)> {
        let array = self.arg(inst, 0)?;
        if let Some(index) = self.constant(inst, 1)
            && index < 1 << 24
        {
            return Ok((array, FIRST_SLOT + 8 * index as i32));
        }
        let index = self.arg(inst, 1)?;
        let scaled = self.pos.ins().ishl_imm_u(index, 3);
        Ok((self.pos.ins().iadd(array, scaled), FIRST_SLOT))
    }

    pub(super) fn load_elem(&mut self, inst: &Inst) -> Result<Value> {
        let (address, offset) = self.element(inst)?;
        Ok(self.pos.ins().load(I64, trusted(), address, offset))
    }

    /// As `Ref<Values>::store` does it: only references need the barrier.
    pub(super) fn store_elem(&mut self, inst: &Inst) -> Result<Option<Value>> {
        let array = self.arg(inst, 0)?;
        let value = self.arg(inst, 2)?;
        if may_be_reference(self.tree, self.arg_id(inst, 2)?) {
            let (old, reference) = (self.pos.func.dfg.make_block(), self.pos.func.dfg.make_block());
            let join = self.pos.func.dfg.make_block();
            self.test_unlogged(array, old, join);
            self.enter_cold(old);
            let tag = self.pos.ins().band_imm_u(value, 7);
            self.pos.ins().brif(tag, join, &[], reference, &[]);
            self.enter_cold(reference);
            let (address, offset) = self.element(inst)?;
            let slot = self.pos.ins().iadd_imm_s(address, i64::from(offset));
            self.call_thunk(Thunk::SlotBarrier, &[self.vm, array, slot]);
            self.pos.ins().jump(join, &[]);
            self.pos.insert_block(join);
        }
        let (address, offset) = self.element(inst)?;
        self.pos.ins().store(trusted(), value, address, offset);
        Ok(None)
    }

    /// Goes to `old` if the object is one whose stores are to be noted, else to `join`.
    fn test_unlogged(&mut self, object: Value, old: Block, join: Block) {
        let gc = self.pos.ins().load(I8, trusted(), object, HEADER_GC);
        let unlogged = self.pos.ins().band_imm_u(gc, i64::from(UNLOGGED));
        self.pos.ins().brif(unlogged, old, &[], join, &[]);
    }

    pub(super) fn barrier(&mut self, inst: &Inst) -> Result<Option<Value>> {
        let object = self.arg(inst, 0)?;
        let (old, join) = (self.pos.func.dfg.make_block(), self.pos.func.dfg.make_block());
        self.test_unlogged(object, old, join);
        self.enter_cold(old);
        self.call_thunk(Thunk::Barrier, &[self.vm, object]);
        self.pos.ins().jump(join, &[]);
        self.pos.insert_block(join);
        Ok(None)
    }

    /// The word, if it is an object of the shape.
    pub(super) fn guard_shape(&mut self, inst: &Inst) -> Result<Value> {
        let (object, shape) = self.shape_of(inst)?;
        let same = self.pos.ins().icmp_imm_s(IntCC::Equal, shape, i64::from(inst.imm as u32 as i32));
        self.leave_unless(inst, same)?;
        Ok(object)
    }

    /// The word, if it is an object of one of the family's shapes.
    pub(super) fn guard_family(&mut self, inst: &Inst) -> Result<Value> {
        let (object, shape) = self.shape_of(inst)?;
        let family = self.tree.family(inst);
        let is =
            |this: &mut Self, id: u32| this.pos.ins().icmp_imm_s(IntCC::Equal, shape, i64::from(id as i32));
        let mut one = is(self, family[0]);
        for id in &family[1..] {
            let other = is(self, *id);
            one = self.pos.ins().bor(one, other);
        }
        self.leave_unless(inst, one)?;
        Ok(object)
    }

    /// The operand, if it is an object, and its shape.
    fn shape_of(&mut self, inst: &Inst) -> Result<(Value, Value)> {
        let object = self.arg(inst, 0)?;
        let operand = self.tree.inst(self.arg_id(inst, 0)?);
        if !matches!(operand.op, TraceOp::GuardShape | TraceOp::GuardFamily | TraceOp::NewObject) {
            let tag = self.pos.ins().band_imm_u(object, 7);
            self.leave_if(inst, tag)?;
        }
        Ok((object, self.pos.ins().load(I32, trusted(), object, HEADER_SHAPE)))
    }

    pub(super) fn text_char(&mut self, inst: &Inst) -> Result<Value> {
        let (text, index) = self.args2(inst)?;
        let bits = self.pos.ins().load(I16, trusted(), text, HEADER_BITS);
        let kind = self.pos.ins().band_imm_u(bits, i64::from(ASCII | SHARED));
        let plain = self.pos.ins().icmp_imm_s(IntCC::Equal, kind, i64::from(ASCII));
        self.leave_unless(inst, plain)?;
        let address = self.pos.ins().iadd(text, index);
        let byte = self.pos.ins().load(I8, trusted(), address, STR_DATA as i32);
        let byte = self.pos.ins().uextend(I64, byte);
        let offset = self.pos.ins().ishl_imm_u(byte, 3);
        let table = self.pos.ins().iconst(I64, inst.imm as i64);
        let slot = self.pos.ins().iadd(table, offset);
        Ok(self.pos.ins().load(I64, trusted(), slot, 0))
    }

    /// As `Ref<Str>::same`.
    pub(super) fn text_eq(&mut self, inst: &Inst) -> Result<Value> {
        let (a, b) = self.args2(inst)?;
        let [others, unknown, join] = [(); 3].map(|()| self.pos.func.dfg.make_block());
        let result = self.pos.func.dfg.append_block_param(join, I64);
        let truth = |this: &mut Self, truth: i64| BlockArg::Value(this.pos.ins().iconst(I64, truth));
        let same = self.pos.ins().icmp(IntCC::Equal, a, b);
        let yes = truth(self, 1);
        self.pos.ins().brif(same, join, &[yes], others, &[]);

        self.pos.insert_block(others);
        let [a_bits, b_bits] = [a, b].map(|s| self.pos.ins().load(I16, trusted(), s, HEADER_BITS));
        let both = self.pos.ins().band(a_bits, b_bits);
        let interned = self.pos.ins().band_imm_u(both, i64::from(INTERNED));
        let no = truth(self, 0);
        self.pos.ins().brif(interned, join, &[no], unknown, &[]);

        self.pos.insert_block(unknown);
        let told = self.call_shim(crate::shims::same_text as *const () as usize, &[a, b]);
        self.pos.ins().jump(join, &[BlockArg::Value(told)]);
        self.pos.insert_block(join);
        Ok(self.pos.ins().icmp_imm_s(IntCC::NotEqual, result, 0))
    }

    pub(super) fn set_shape(&mut self, inst: &Inst) -> Result<Option<Value>> {
        let object = self.arg(inst, 0)?;
        let shape = self.pos.ins().iconst(I32, i64::from(inst.imm as u32 as i32));
        self.pos.ins().store(trusted(), shape, object, HEADER_SHAPE);
        Ok(None)
    }

    /// Room from the heap's run at hand, which is zeroed, or from the slow allocator.
    pub(super) fn new_object(&mut self, inst: &Inst) -> Result<Value> {
        let kind = NewKind::from_imm(inst.imm);
        if kind.is_registered() {
            return self.new_object_slowly(inst);
        }
        let size = u64::from(kind.size).next_multiple_of(GRANULE);
        let cursor = self.pos.ins().load(I64, trusted(), self.vm, VM_HEAP_CURSOR);
        let limit = self.pos.ins().load(I64, trusted(), self.vm, VM_HEAP_LIMIT);
        let end = self.pos.ins().iadd_imm_s(cursor, size as i64);
        let (fast, slow) = (self.pos.func.dfg.make_block(), self.pos.func.dfg.make_block());
        let join = self.pos.func.dfg.make_block();
        let result = self.pos.func.dfg.append_block_param(join, I64);
        let over = self.pos.ins().icmp(IntCC::UnsignedGreaterThan, end, limit);
        self.pos.ins().brif(over, slow, &[], fast, &[]);

        self.pos.insert_block(fast);
        self.pos.ins().store(trusted(), end, self.vm, VM_HEAP_CURSOR);
        let header = header_word(kind.shape, kind.kind, kind.bits.into());
        let header = self.pos.ins().iconst(I64, header as i64);
        self.pos.ins().store(trusted(), header, cursor, 0);
        self.pos.ins().jump(join, &[BlockArg::Value(cursor)]);

        self.enter_cold(slow);
        let object = self.new_object_slowly(inst)?;
        self.pos.ins().jump(join, &[BlockArg::Value(object)]);
        self.pos.insert_block(join);
        Ok(result)
    }

    /// The slow allocator, which also registers what needs it.
    fn new_object_slowly(&mut self, inst: &Inst) -> Result<Value> {
        let imm = self.pos.ins().iconst(I64, inst.imm as i64);
        let object = self.call_thunk_for_result(Thunk::NewObject, &[self.vm, imm]);
        let made = self.pos.ins().icmp_imm_s(IntCC::NotEqual, object, 0);
        self.leave_unless(inst, made)?;
        Ok(object)
    }
}
