//! Decoded instructions and what each of them does to registers and control flow.
//!
//! Everything that walks code (text form, verifier, loader, trace recorder) decodes through here, so
//! that the few things that the op table's roles do not say (how long a row of registers is, what a
//! call leaves behind in its window) are written down once.

use crate::code::Intrinsic;
use crate::ops::{Extra, Op, Role};

/// One instruction at its place in [`Code::units`](crate::Code::units).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inst {
    /// Index of its first unit.
    pub at: u32,
    pub op: Op,
    pub a: u8,
    pub b: u8,
    pub c: u8,
    /// The second unit; 0 for an op of one unit.
    pub w: u32,
}

/// Why units do not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// No op has this number.
    UnknownOp(u8),
    /// The second unit is missing.
    Truncated(Op),
    /// The start lies behind the last unit.
    OutOfRange,
}

/// A row of registers `first..first + len`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub first: u32,
    pub len: u32,
}

impl Row {
    pub(crate) const fn new(first: u32, len: u32) -> Row {
        Row { first, len }
    }

    /// The register behind the last.
    pub const fn end(self) -> u32 {
        self.first + self.len
    }
}

impl Inst {
    /// Decodes the instruction that starts at unit `at`.
    ///
    /// # Errors
    /// If there is no unit, no such op, or the second unit is missing.
    #[inline]
    pub fn decode(units: &[u32], at: usize) -> Result<Inst, DecodeError> {
        let [op, a, b, c] = units.get(at).ok_or(DecodeError::OutOfRange)?.to_le_bytes();
        let op = Op::from_u8(op).ok_or(DecodeError::UnknownOp(op))?;
        let w = match op.units() {
            1 => 0,
            _ => *units.get(at + 1).ok_or(DecodeError::Truncated(op))?,
        };
        Ok(Inst { at: at as u32, op, a, b, c, w })
    }

    /// The unit behind this instruction.
    pub const fn next(&self) -> u32 {
        self.at + self.op.units() as u32
    }

    /// The operand bytes in order.
    pub const fn bytes(&self) -> [u8; 3] {
        [self.a, self.b, self.c]
    }

    /// The window's first register; meaningful for ops with a `Win` operand.
    pub const fn window(&self) -> u32 {
        self.a as u32 | (self.c as u32) << 8
    }

    /// The signed 16-bit number of `Lo` and `Hi`, which stand in b and c.
    pub const fn wide(&self) -> i16 {
        i16::from_le_bytes([self.b, self.c])
    }

    /// Destination and source of `move.far`.
    pub const fn far(&self) -> (u32, u32) {
        (self.w & 0xffff, self.w >> 16)
    }

    /// Where a jump goes, as a unit index (anything, in broken code); `None` if the op does not jump.
    pub fn target(&self) -> Option<i64> {
        (self.op.info().extra == Extra::Jump).then(|| i64::from(self.at) + i64::from(self.w as i32))
    }

    /// Length of the row that a `First` or `Outs` operand begins. `make.function` reads parts of its row only.
    fn row_len(&self) -> u32 {
        let c = u32::from(self.c);
        match self.op {
            Op::BuildTuple | Op::BuildList | Op::BuildSet | Op::BuildString | Op::Unpack => c,
            Op::BuildMap => 2 * c,
            Op::UnpackEx => (self.w & 0xffff) + 1 + (self.w >> 16),
            Op::LoadSuperAttr | Op::LoadSuperAttr0 | Op::BuildSlice => 3,
            Op::BuildInterpolation | Op::MatchClass => 3,
            Op::ImportName | Op::MatchExcGroup => 2,
            Op::Intrinsic => Intrinsic::from_u8(self.c).map_or(0, Intrinsic::arity),
            _ => 1,
        }
    }

    /// Visits the rows of registers that the instruction reads, the namespace register included.
    #[inline]
    pub fn reads(&self, mut visit: impl FnMut(Row)) {
        let info = self.op.info();
        for (role, byte) in info.operands.into_iter().zip(self.bytes()) {
            let r = u32::from(byte);
            match role {
                Role::Src | Role::Upd => visit(Row::new(r, 1)),
                Role::First if self.op == Op::MakeFunction => {
                    (0..4).filter(|bit| self.c & 1 << bit != 0).for_each(|i| visit(Row::new(r + i, 1)));
                }
                Role::First => visit(Row::new(r, self.row_len())),
                _ => {}
            }
        }
        if info.extra == Extra::Far {
            visit(Row::new(self.far().1, 1));
        }
        if self.op.uses_namespace() {
            visit(Row::new(0, 1));
        }
        let (w, b) = (self.window(), u32::from(self.b));
        let args = match self.op {
            Op::Call | Op::CallKw => b,
            Op::CallMethod | Op::CallMethodKw => b + 1,
            Op::CallEx => 2,
            _ => return,
        };
        visit(Row::new(w, 1));
        visit(Row::new(w + 4, args));
    }

    /// Visits the rows of registers that the instruction has written when it goes on behind itself.
    /// A `for.iter` that jumps has written nothing.
    #[inline]
    pub fn writes(&self, mut visit: impl FnMut(Row)) {
        let info = self.op.info();
        for (role, byte) in info.operands.into_iter().zip(self.bytes()) {
            let r = u32::from(byte);
            match role {
                Role::Dst | Role::Upd => visit(Row::new(r, 1)),
                Role::Outs => visit(Row::new(r, self.row_len())),
                Role::Win => visit(Row::new(self.window(), 1)),
                _ => {}
            }
        }
        if info.extra == Extra::Far {
            visit(Row::new(self.far().0, 1));
        }
        if matches!(self.op, Op::LoadMethod | Op::LoadSpecialMethod | Op::LoadMethodCached) {
            visit(Row::new(self.window() + 4, 1));
        }
    }

    /// First of the registers that hold garbage afterwards, up to the last of the frame, whether the
    /// instruction returns or raises; `writes` come after it. A callee's frame begins inside its
    /// caller's window and is as long as the callee likes, so a call leaves nothing above the window.
    pub fn clobbers_from(&self) -> Option<u32> {
        self.op.is_call().then(|| self.window())
    }

    /// Registers that the frame must have for this instruction: one more than the highest it touches.
    pub fn registers_needed(&self) -> u32 {
        let mut most = 0;
        self.reads(|row| most = most.max(if row.len == 0 { 0 } else { row.end() }));
        self.writes(|row| most = most.max(if row.len == 0 { 0 } else { row.end() }));
        if self.op.is_call() { most.max(self.window() + 4) } else { most }
    }
}

/// The instructions of a code in order, up to the first that does not decode.
pub fn instructions(units: &[u32]) -> impl Iterator<Item = Inst> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let inst = Inst::decode(units, at).ok()?;
        at = inst.next() as usize;
        Some(inst)
    })
}

impl Op {
    /// Whether it pushes the frame of a callee into a window.
    pub const fn is_call(self) -> bool {
        matches!(self, Op::Call | Op::CallKw | Op::CallMethod | Op::CallMethodKw | Op::CallEx)
    }

    /// Whether control never goes on behind it.
    pub const fn is_terminator(self) -> bool {
        matches!(
            self,
            Op::Jump
                | Op::JumpBack
                | Op::Return
                | Op::ReturnGen
                | Op::Raise
                | Op::RaiseFrom
                | Op::RaiseHandled
                | Op::Reraise
        )
    }

    /// Whether it works on the namespace mapping in `r[0]`.
    pub const fn uses_namespace(self) -> bool {
        matches!(self, Op::LoadName | Op::StoreName | Op::DeleteName | Op::ImportStar)
    }

    /// Whether an exception can come out of it. Ops that only allocate count: memory may run out.
    pub const fn may_raise(self) -> bool {
        !matches!(
            self,
            Op::Move
                | Op::MoveFar
                | Op::LoadConst
                | Op::LoadInt
                | Op::LoadSpecial
                | Op::LoadCommon
                | Op::LoadClosure
                | Op::StoreDeref
                | Op::Is
                | Op::IsNot
                | Op::Jump
                | Op::Nop
                | Op::JumpNone
                | Op::JumpNotNone
                | Op::JumpBound
                | Op::Return
                | Op::ReturnGen
                | Op::PushExc
                | Op::PopExc
        )
    }
}

impl Intrinsic {
    /// Number of its arguments.
    pub const fn arity(self) -> u32 {
        match self {
            Intrinsic::Namespace | Intrinsic::NewSet => 0,
            Intrinsic::Print
            | Intrinsic::TypeVar
            | Intrinsic::ParamSpec
            | Intrinsic::TypeVarTuple
            | Intrinsic::SubscriptGeneric
            | Intrinsic::ClassNamespace
            | Intrinsic::StopIterationError => 1,
            Intrinsic::TypeVarWithBound
            | Intrinsic::TypeVarWithConstraints
            | Intrinsic::SetTypeParamDefault
            | Intrinsic::SetFunctionTypeParams => 2,
            Intrinsic::TypeAlias => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::pack;

    fn rows(f: impl FnOnce(&mut dyn FnMut(Row))) -> Vec<(u32, u32)> {
        let mut out = Vec::new();
        f(&mut |row| out.push((row.first, row.len)));
        out
    }

    #[test]
    fn a_method_call_reads_callee_self_and_arguments() {
        let units = [pack(Op::CallMethod, 10, 2, 1)];
        let inst = Inst::decode(&units, 0).unwrap();
        assert_eq!(rows(|f| inst.reads(f)), [(266, 1), (270, 3)]);
        assert_eq!(rows(|f| inst.writes(f)), [(266, 1)]);
        assert_eq!(inst.clobbers_from(), Some(266));
        assert_eq!(inst.registers_needed(), 273);
    }

    #[test]
    fn rows_follow_counts() {
        let units = [pack(Op::UnpackEx, 5, 1, 0), 2 | 3 << 16];
        let inst = Inst::decode(&units, 0).unwrap();
        assert_eq!(rows(|f| inst.writes(f)), [(5, 6)]);
        let units = [pack(Op::MakeFunction, 5, 1, 0b1010), 0];
        let inst = Inst::decode(&units, 0).unwrap();
        assert_eq!(rows(|f| inst.reads(f)), [(2, 1), (4, 1)]);
    }

    #[test]
    fn a_missing_second_unit_is_an_error() {
        assert_eq!(Inst::decode(&[pack(Op::Jump, 0, 0, 0)], 0), Err(DecodeError::Truncated(Op::Jump)));
        assert_eq!(Inst::decode(&[0xff], 0), Err(DecodeError::UnknownOp(0xff)));
        assert_eq!(Inst::decode(&[], 0), Err(DecodeError::OutOfRange));
    }
}
