//! The table of what the recorder knows: instruction by instruction.

use super::{Abort, Recorder, Step};
use skein_bytecode::Op;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;

/// Rounds of an inner loop that a trace takes one after the other.
const MAX_ROUNDS: u32 = 4;
/// Instructions of a trace from which on inner loops are not taken so.
const MAX_UNROLLED: usize = 1000;

impl Recorder {
    /// Records the instruction at `self.at`.
    pub(super) fn record(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        // SAFETY: an instruction's address.
        let Some(op) = Op::from_u8(unsafe { *at.pc.cast::<u8>() }) else { return Err(Abort::Unknown) };
        match op {
            Op::Move => {
                let id = self.reg(at.b());
                // Two registers have it: what is made of it is not for the one alone.
                self.rows.remove(&id);
                self.set(at.a(), id);
                self.next(1)
            }
            Op::MoveFar => {
                let w = at.extra() as usize;
                let id = self.reg(w >> 16);
                self.rows.remove(&id);
                self.set(w & 0xffff, id);
                self.next(2)
            }
            Op::LoadConst => {
                let id = self.value(at.extra_value());
                self.set(at.a(), id);
                self.next(2)
            }
            Op::LoadInt => {
                let n = i16::from_le_bytes([at.b() as u8, at.c() as u8]);
                let id = self.value(Value::small_int(i64::from(n)));
                self.set(at.a(), id);
                self.next(1)
            }
            Op::LoadSpecial => {
                let id = self.value(Value::SPECIALS[at.b().min(5)]);
                self.set(at.a(), id);
                self.next(1)
            }
            Op::CheckBound | Op::DeleteLocal => {
                if at.reg(at.a()).is_unbound() {
                    return self.help(op);
                }
                let id = self.reg(at.a());
                self.guard_is_not(id, Value::UNBOUND.bits());
                if op == Op::DeleteLocal {
                    let unbound = self.value(Value::UNBOUND);
                    self.set(at.a(), unbound);
                }
                self.next(2)
            }
            Op::LoadClosure => self.load_closure(op),
            Op::LoadDeref => self.load_deref(op),
            Op::StoreDeref => self.store_deref(),
            Op::LoadGlobalCell | Op::LoadGlobalBuiltin => self.load_global(vm, op),
            Op::StoreGlobal => self.store_global(vm),
            Op::LoadAttr | Op::LoadAttrSlot | Op::LoadAttrOverflow => self.load_attr(vm, op),
            Op::StoreAttr | Op::StoreAttrSlot | Op::StoreAttrAdd => self.store_attr(vm, op),
            Op::LoadMethod | Op::LoadMethodCached => self.load_method(vm, op),
            Op::LoadSpecialMethod | Op::BindSpecial => self.load_special(vm, op),
            Op::LoadAttrModule | Op::LoadMethodModule => self.load_module(op),
            Op::LoadIndex => self.load_index(vm, op),
            Op::StoreIndex => self.store_index(vm, op),
            Op::Unpack => self.unpack(vm),

            Op::Pow
            | Op::InplacePow
            | Op::Add
            | Op::Sub
            | Op::Mul
            | Op::TrueDiv
            | Op::FloorDiv
            | Op::Mod
            | Op::Shl
            | Op::Shr
            | Op::And
            | Op::Or
            | Op::Xor
            | Op::InplaceAdd
            | Op::InplaceSub
            | Op::InplaceMul
            | Op::InplaceTrueDiv
            | Op::InplaceFloorDiv
            | Op::InplaceMod
            | Op::InplaceShl
            | Op::InplaceShr
            | Op::InplaceAnd
            | Op::InplaceOr
            | Op::InplaceXor
            | Op::Lt
            | Op::Le
            | Op::Eq
            | Op::Ne
            | Op::Gt
            | Op::Ge => self.binary(vm, op),
            Op::AddInt | Op::SubInt => self.binary_int(op),
            Op::Neg | Op::Invert => self.unary(op),
            Op::Not => self.not(vm),
            Op::Is | Op::IsNot => self.identity(op),

            Op::Nop => self.next(1),
            Op::Event => Err(Abort::Watched),
            Op::EnterTraced => {
                // It is followed into, since nothing here calls it as a whole.
                self.passes.set(true);
                self.next(1)
            }
            Op::Jump => self.go_either(true),
            Op::JumpBack | Op::JumpBackTraced => self.jump_back(op),
            Op::JumpTrue | Op::JumpFalse => self.jump_truth(vm, op),
            Op::JumpNone => self.jump_is(Value::NONE, true),
            Op::JumpNotNone => self.jump_is(Value::NONE, false),
            Op::JumpBound => self.jump_is(Value::UNBOUND, false),
            Op::JumpLt | Op::JumpLe | Op::JumpEq | Op::JumpNe | Op::JumpGt | Op::JumpGe => {
                self.jump_compare(vm, op, false)
            }
            Op::JumpLtInt | Op::JumpLeInt | Op::JumpEqInt | Op::JumpNeInt | Op::JumpGtInt | Op::JumpGeInt => {
                self.jump_compare(vm, op, true)
            }
            Op::GetIter => self.get_iter(vm),
            Op::BuildSlice => self.build_slice(vm),
            Op::BuildList => self.build_list(vm),
            Op::BuildTuple => self.build_tuple(vm),
            Op::BuildMap => self.build_map(vm),
            Op::MapUpdate => self.map_update(vm),
            Op::ListAppend | Op::ListExtend | Op::SetAdd | Op::MapAdd => self.add_to(vm, op),
            Op::ForIter | Op::ForRange | Op::ForList | Op::ForGenerator => self.for_iter(vm, op),
            Op::MakeGenerator => self.make_generator(vm),
            Op::Yield | Op::YieldFrom => self.yield_value(vm, op),
            Op::Send => self.send(vm),
            Op::GetYieldFromIter => self.get_yield_from_iter(vm),
            Op::GetAwaitable => self.get_awaitable(vm),
            Op::ReturnGen => self.return_generator(vm),

            Op::Call | Op::CallMethod | Op::CallKw | Op::CallMethodKw => self.call(vm, op),
            Op::CallEx => self.call_unpacked(vm),
            Op::In | Op::NotIn => self.contains(vm, op),
            Op::LoadSuperAttr | Op::LoadSuperAttr0 => self.load_super(vm, op),
            Op::Return => self.ret(vm),
            Op::Exit | Op::ExitRaise => self.exited(),
            _ => self.help(op),
        }
    }

    fn jump_back(&mut self, op: Op) -> Step {
        let at = self.at;
        let back = at.extra() as i32;
        let target = at.jump(back);
        self.ticks += 1 - i64::from(back);
        let (first, last) = (target.pc as usize, at.pc as usize);
        if self.frames.len() == 1 && first == self.range.0 {
            self.close();
            return Ok(());
        }
        if self.is_outer(first, last) {
            // It comes to this loop again.
            self.rounds.retain(|head, _| !(first + 1..last).contains(head));
            self.passes.set(op == Op::JumpBackTraced);
            self.go(target.pc);
            return Ok(());
        }
        // A loop of few rounds is best taken as it comes; those within it begin anew.
        self.rounds.retain(|head, _| !(first + 1..last).contains(head));
        let rounds = self.rounds.entry(first).or_insert(0);
        *rounds += 1;
        if *rounds > MAX_ROUNDS || self.tree.seq(self.seq).insts.len() > MAX_UNROLLED {
            if self.left_loop && self.frames.len() == 1 {
                return Err(Abort::OtherLoop);
            }
            if op == Op::JumpBack {
                return Err(Abort::InnerLoop);
            }
            self.ticks -= 1 - i64::from(back);
            return self.help(op);
        }
        self.passes.set(op == Op::JumpBackTraced);
        self.go(target.pc);
        Ok(())
    }
}
