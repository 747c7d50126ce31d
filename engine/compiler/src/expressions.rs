//! Expressions into registers.
//!
//! [`Compiler::expr`] puts a value where it is wanted, or anywhere: then a local is named in place and
//! anything else lands in the next temporary. After it at most that one temporary is in use.

use crate::context::{Compiler, Place};
use crate::errors::Res;
use crate::fold;
use crate::unit::{Label, Reg, TEMP};
use ruff_python_ast::{self as ast, BoolOp, CmpOp, Expr, Operator, UnaryOp};
use ruff_text_size::Ranged;
use skein_bytecode::{Const, Op};

pub fn binary_op(op: Operator, in_place: bool) -> Op {
    let base = match op {
        Operator::Add => Op::Add,
        Operator::Sub => Op::Sub,
        Operator::Mult => Op::Mul,
        Operator::Div => Op::TrueDiv,
        Operator::FloorDiv => Op::FloorDiv,
        Operator::Mod => Op::Mod,
        Operator::Pow => Op::Pow,
        Operator::MatMult => Op::MatMul,
        Operator::LShift => Op::Shl,
        Operator::RShift => Op::Shr,
        Operator::BitAnd => Op::And,
        Operator::BitOr => Op::Or,
        Operator::BitXor => Op::Xor,
    };
    if !in_place {
        return base;
    }
    Op::ALL[base as usize - Op::Add as usize + Op::InplaceAdd as usize]
}

const _: () =
    assert!(Op::Xor as usize - Op::Add as usize == Op::InplaceXor as usize - Op::InplaceAdd as usize);

fn compare_op(op: CmpOp) -> Op {
    match op {
        CmpOp::Eq => Op::Eq,
        CmpOp::NotEq => Op::Ne,
        CmpOp::Lt => Op::Lt,
        CmpOp::LtE => Op::Le,
        CmpOp::Gt => Op::Gt,
        CmpOp::GtE => Op::Ge,
        CmpOp::Is => Op::Is,
        CmpOp::IsNot => Op::IsNot,
        CmpOp::In => Op::In,
        CmpOp::NotIn => Op::NotIn,
    }
}

/// The fused compare-and-branch op, and its form with a number.
fn branch_ops(op: CmpOp) -> Option<(Op, Op)> {
    Some(match op {
        CmpOp::Lt => (Op::JumpLt, Op::JumpLtInt),
        CmpOp::LtE => (Op::JumpLe, Op::JumpLeInt),
        CmpOp::Eq => (Op::JumpEq, Op::JumpEqInt),
        CmpOp::NotEq => (Op::JumpNe, Op::JumpNeInt),
        CmpOp::Gt => (Op::JumpGt, Op::JumpGtInt),
        CmpOp::GtE => (Op::JumpGe, Op::JumpGeInt),
        _ => return None,
    })
}

/// Whether evaluating it may rebind a local of this unit.
fn contains_walrus(e: &Expr) -> bool {
    ruff_python_ast::helpers::any_over_expr(e, |e: &Expr| matches!(e, Expr::Named(_)))
}

impl<'a> Compiler<'a> {
    /// Evaluates into `want`, or anywhere.
    pub fn expr(&mut self, e: &'a Expr, want: Option<Reg>) -> Res<Reg> {
        self.depth += 1;
        if self.depth > crate::MAX_DEPTH {
            return Err(crate::too_deep());
        }
        let outer = std::mem::replace(&mut self.u.range, e.range());
        let r = self.expr_inner(e, want);
        self.u.range = outer;
        self.depth -= 1;
        r
    }

    /// Evaluates into a new temporary, the next one.
    pub fn expr_next(&mut self, e: &'a Expr) -> Res<Reg> {
        let dst = self.u.alloc();
        self.expr(e, Some(dst))
    }

    /// Evaluates for its effects.
    pub fn expr_drop(&mut self, e: &'a Expr) -> Res<()> {
        let mark = self.u.mark();
        self.expr(e, None)?;
        self.u.reset(mark);
        Ok(())
    }

    /// Evaluates an operand that must keep its value while `later` ones are evaluated.
    pub fn operand(&mut self, e: &'a Expr, later: &[&'a Expr]) -> Res<Reg> {
        let r = self.expr(e, None)?;
        if r < TEMP && self.f.walrus && later.iter().any(|e| contains_walrus(e)) {
            let t = self.u.alloc();
            self.u.mov(t, r);
            return Ok(t);
        }
        Ok(r)
    }

    fn dst(&mut self, want: Option<Reg>) -> Reg {
        want.unwrap_or_else(|| self.u.alloc())
    }

    pub fn constant(&mut self, c: &Const, want: Option<Reg>) -> Reg {
        let dst = self.dst(want);
        self.u.load_const(dst, c);
        dst
    }

    fn expr_inner(&mut self, e: &'a Expr, want: Option<Reg>) -> Res<Reg> {
        if let Some(c) = fold::constant(self, e)? {
            return Ok(self.constant(&c, want));
        }
        match e {
            Expr::Name(n) => {
                let name = self.mangle(&n.id);
                Ok(self.load_name(&name, want))
            }
            Expr::BinOp(b) => self.binary(&b.left, b.op, &b.right, want),
            Expr::UnaryOp(u) => self.unary(u, want),
            Expr::BoolOp(b) => self.bool_op(b, want),
            Expr::Compare(c) => self.compare(c, want),
            Expr::Call(c) => self.call(c, want),
            Expr::Attribute(a) => self.attribute(a, want),
            Expr::Subscript(s) => {
                self.check_subscript(s);
                let mark = self.u.mark();
                let object = self.operand(&s.value, &[&s.slice])?;
                let index = self.expr(&s.slice, None)?;
                self.u.reset(mark);
                let dst = self.dst(want);
                self.u.op3(Op::LoadIndex, dst, object, index);
                Ok(dst)
            }
            Expr::Slice(s) => self.slice(s, want),
            Expr::If(i) => self.conditional(i, want),
            Expr::Named(n) => self.named(n, want),
            Expr::Tuple(t) => self.display(Op::BuildTuple, &t.elts, want),
            Expr::List(l) => self.display(Op::BuildList, &l.elts, want),
            Expr::Set(s) => self.display(Op::BuildSet, &s.elts, want),
            Expr::Dict(d) => self.dict(d, want),
            Expr::Lambda(l) => self.lambda(l, want),
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                self.comprehension(e, want)
            }
            Expr::FString(f) => self.fstring(f, want),
            Expr::TString(t) => self.tstring(t, want),
            Expr::Await(a) => self.await_expr(a, want),
            Expr::Yield(y) => self.yield_expr(y, want),
            Expr::YieldFrom(y) => self.yield_from(y, want),
            Expr::Starred(s) => self.error("can't use starred expression here", s.range),
            Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_)
            | Expr::IpyEscapeCommand(_) => self.error("invalid syntax", e.range()),
        }
    }

    /// A small int constant, for the immediate forms.
    fn small_int(&mut self, e: &'a Expr) -> Res<Option<u16>> {
        Ok(match fold::constant(self, e)? {
            Some(Const::Int(n)) => i8::try_from(n).ok().map(|n| u16::from(n as u8)),
            _ => None,
        })
    }

    fn binary(&mut self, left: &'a Expr, op: Operator, right: &'a Expr, want: Option<Reg>) -> Res<Reg> {
        let mark = self.u.mark();
        if matches!(op, Operator::Add | Operator::Sub)
            && let Some(n) = self.small_int(right)?
        {
            let l = self.expr(left, None)?;
            self.u.reset(mark);
            let dst = self.dst(want);
            let op = if op == Operator::Add { Op::AddInt } else { Op::SubInt };
            self.u.emit(op, dst, l, n, 0);
            return Ok(dst);
        }
        let l = self.operand(left, &[right])?;
        let r = self.expr(right, None)?;
        self.u.reset(mark);
        let dst = self.dst(want);
        self.u.op3(binary_op(op, false), dst, l, r);
        Ok(dst)
    }

    /// `dst = left op= right`.
    pub fn in_place(&mut self, dst: Reg, left: Reg, op: Operator, right: &'a Expr) -> Res<()> {
        if matches!(op, Operator::Add | Operator::Sub)
            && let Some(n) = self.small_int(right)?
        {
            let op = if op == Operator::Add { Op::AddInt } else { Op::SubInt };
            self.u.emit(op, dst, left, n, 1);
            return Ok(());
        }
        let mark = self.u.mark();
        let left = if left < TEMP && self.f.walrus && contains_walrus(right) {
            let t = self.u.alloc();
            self.u.mov(t, left);
            t
        } else {
            left
        };
        let r = self.expr(right, None)?;
        self.u.reset(mark);
        self.u.op3(binary_op(op, true), dst, left, r);
        Ok(())
    }

    fn unary(&mut self, u: &'a ast::ExprUnaryOp, want: Option<Reg>) -> Res<Reg> {
        let mark = self.u.mark();
        let r = self.expr(&u.operand, None)?;
        self.u.reset(mark);
        let dst = self.dst(want);
        let op = match u.op {
            UnaryOp::Invert => Op::Invert,
            UnaryOp::Not => Op::Not,
            UnaryOp::UAdd => Op::Pos,
            UnaryOp::USub => Op::Neg,
        };
        self.u.op2(op, dst, r);
        Ok(dst)
    }

    /// A destination that may hold intermediate values: `want` if it is a temporary, else a new one.
    fn working_dst(&mut self, want: Option<Reg>) -> Reg {
        match want {
            Some(r) if r >= TEMP => r,
            _ => self.u.alloc(),
        }
    }

    /// Moves from a working destination to where the value is wanted.
    fn settle(&mut self, work: Reg, want: Option<Reg>) -> Reg {
        match want {
            Some(dst) if dst != work => {
                self.u.mov(dst, work);
                self.u.reset(work - TEMP);
                dst
            }
            _ => work,
        }
    }

    fn bool_op(&mut self, b: &'a ast::ExprBoolOp, want: Option<Reg>) -> Res<Reg> {
        let dst = self.working_dst(want);
        let end = self.u.new_label();
        let op = if b.op == BoolOp::And { Op::JumpFalse } else { Op::JumpTrue };
        let (last, rest) = b.values.split_last().expect("an operator has operands");
        for v in rest {
            self.expr(v, Some(dst))?;
            self.u.jump_if(op, dst, end);
        }
        self.expr(last, Some(dst))?;
        self.u.place(end);
        Ok(self.settle(dst, want))
    }

    fn conditional(&mut self, i: &'a ast::ExprIf, want: Option<Reg>) -> Res<Reg> {
        match fold::truth(self, &i.test)? {
            Some(true) => return self.expr(&i.body, want),
            Some(false) => return self.expr(&i.orelse, want),
            None => {}
        }
        let dst = self.dst(want);
        let (other, end) = (self.u.new_label(), self.u.new_label());
        self.branch(&i.test, other, false)?;
        self.expr(&i.body, Some(dst))?;
        self.u.jump(end);
        self.u.place(other);
        self.expr(&i.orelse, Some(dst))?;
        self.u.place(end);
        Ok(dst)
    }

    fn named(&mut self, n: &'a ast::ExprNamed, want: Option<Reg>) -> Res<Reg> {
        if let Some(target) = self.fast_target(&n.target) {
            self.expr(&n.value, Some(target))?;
            return Ok(match want {
                Some(dst) => {
                    self.u.mov(dst, target);
                    dst
                }
                None => target,
            });
        }
        let r = self.expr(&n.value, want)?;
        self.at(&*n.target, |c| c.store(&n.target, r))?;
        Ok(r)
    }

    pub fn slice(&mut self, s: &'a ast::ExprSlice, want: Option<Reg>) -> Res<Reg> {
        let mark = self.u.mark();
        let row = TEMP + mark;
        for part in [&s.lower, &s.upper, &s.step] {
            let slot = self.u.alloc();
            match part {
                Some(e) => {
                    self.expr(e, Some(slot))?;
                }
                None => self.u.load_const(slot, &Const::None),
            }
        }
        self.u.reset(mark);
        let dst = self.dst(want);
        self.u.op2(Op::BuildSlice, dst, row);
        Ok(dst)
    }

    fn attribute(&mut self, a: &'a ast::ExprAttribute, want: Option<Reg>) -> Res<Reg> {
        let mark = self.u.mark();
        let name = self.mangle(&a.attr);
        let n = self.u.name(&name);
        if let Some((op, row)) = self.super_row(&a.value)? {
            self.u.reset(mark);
            let dst = self.dst(want);
            self.u.emit(op, dst, row, 0, n);
            return Ok(dst);
        }
        let object = self.expr(&a.value, None)?;
        self.u.reset(mark);
        let dst = self.dst(want);
        let outer = self.u.range;
        self.u.range = self.beginning_at_name(outer, a);
        self.u.emit(Op::LoadAttr, dst, object, 0, n);
        self.u.range = outer;
        Ok(dst)
    }

    // ---- comparisons and conditions

    /// The right side of `in`: a display of constants need not be built anew.
    fn container(&mut self, op: CmpOp, e: &'a Expr) -> Res<Reg> {
        if matches!(op, CmpOp::In | CmpOp::NotIn)
            && let Some(c) = fold::constant_container(self, e)?
        {
            return Ok(self.constant(&c, None));
        }
        self.expr(e, None)
    }

    fn compare(&mut self, c: &'a ast::ExprCompare, want: Option<Reg>) -> Res<Reg> {
        self.check_is_literal(c);
        let mark = self.u.mark();
        if let ([op], [right]) = (&*c.ops, &*c.comparators) {
            let l = self.operand(&c.left, &[right])?;
            let r = self.container(*op, right)?;
            self.u.reset(mark);
            let dst = self.dst(want);
            self.u.op3(compare_op(*op), dst, l, r);
            return Ok(dst);
        }
        let dst = self.working_dst(want);
        let inner = self.u.mark();
        let end = self.u.new_label();
        let later: Vec<&Expr> = c.comparators.iter().collect();
        let mut left = self.operand(&c.left, &later)?;
        for (i, (op, e)) in c.ops.iter().zip(&c.comparators).enumerate() {
            let last = i + 1 == c.ops.len();
            let right = if last { self.container(*op, e)? } else { self.operand(e, &later[i + 1..])? };
            self.u.op3(compare_op(*op), dst, left, right);
            if !last {
                self.u.jump_if(Op::JumpFalse, dst, end);
            }
            left = right;
        }
        self.u.place(end);
        self.u.reset(inner);
        Ok(self.settle(dst, want))
    }

    /// Jumps to the label if the expression's truth is `when`; else goes on.
    pub fn branch(&mut self, e: &'a Expr, label: Label, when: bool) -> Res<()> {
        self.depth += 1;
        if self.depth > crate::MAX_DEPTH {
            return Err(crate::too_deep());
        }
        let outer = std::mem::replace(&mut self.u.range, e.range());
        let mark = self.u.mark();
        let r = self.branch_inner(e, label, when);
        if r.is_ok() {
            self.u.reset(mark);
        }
        self.u.range = outer;
        self.depth -= 1;
        r
    }

    fn branch_inner(&mut self, e: &'a Expr, label: Label, when: bool) -> Res<()> {
        if let Some(truth) = fold::truth(self, e)? {
            if truth == when {
                self.u.jump(label);
            }
            return Ok(());
        }
        match e {
            Expr::UnaryOp(u) if u.op == UnaryOp::Not => return self.branch(&u.operand, label, !when),
            Expr::BoolOp(b) => {
                // `and` is settled by the first false operand, `or` by the first true one.
                let settles = b.op == BoolOp::Or;
                let (last, rest) = b.values.split_last().expect("an operator has operands");
                if settles == when {
                    for v in rest {
                        self.branch(v, label, when)?;
                    }
                    return self.branch(last, label, when);
                }
                let skip = self.u.new_label();
                for v in rest {
                    self.branch(v, skip, settles)?;
                }
                self.branch(last, label, when)?;
                self.u.place(skip);
                return Ok(());
            }
            Expr::If(i) => {
                let (other, end) = (self.u.new_label(), self.u.new_label());
                self.branch(&i.test, other, false)?;
                self.branch(&i.body, label, when)?;
                self.u.jump(end);
                self.u.place(other);
                self.branch(&i.orelse, label, when)?;
                self.u.place(end);
                return Ok(());
            }
            Expr::Compare(c) => return self.branch_compare(c, label, when),
            _ => {}
        }
        let r = self.expr(e, None)?;
        self.u.jump_if(if when { Op::JumpTrue } else { Op::JumpFalse }, r, label);
        Ok(())
    }

    fn branch_compare(&mut self, c: &'a ast::ExprCompare, label: Label, when: bool) -> Res<()> {
        self.check_is_literal(c);
        let later: Vec<&Expr> = c.comparators.iter().collect();
        let mut left = self.operand(&c.left, &later)?;
        let skip = self.u.new_label();
        for (i, (&op, e)) in c.ops.iter().zip(&c.comparators).enumerate() {
            let last = i + 1 == c.ops.len();
            let (to, truth) = if last { (label, when) } else { (if when { skip } else { label }, false) };
            let fused = branch_ops(op);
            if last
                && let Some((_, with_int)) = fused
                && let Some(n) = self.small_int(e)?
            {
                self.u.emit(with_int, left, n, u16::from(truth), to.0);
                break;
            }
            if last && matches!(op, CmpOp::Is | CmpOp::IsNot) && e.is_none_literal_expr() {
                let none = (op == CmpOp::Is) == truth;
                self.u.jump_if(if none { Op::JumpNone } else { Op::JumpNotNone }, left, to);
                break;
            }
            let right = if last { self.container(op, e)? } else { self.operand(e, &later[i + 1..])? };
            match fused {
                Some((plain, _)) => self.u.emit(plain, left, right, u16::from(truth), to.0),
                None => {
                    let t = self.u.alloc();
                    self.u.op3(compare_op(op), t, left, right);
                    self.u.jump_if(if truth { Op::JumpTrue } else { Op::JumpFalse }, t, to);
                }
            }
            left = right;
        }
        self.u.place(skip);
        Ok(())
    }

    /// Whether a name is what the builtin of that name is, unless the module rebinds it.
    pub fn is_plain_global(&self, name: &str) -> bool {
        let name = self.mangle(name);
        matches!(self.place(&name), Place::Global)
            && self.tree.scopes[0].get(&name).is_none_or(|s| s.flags & crate::scopes::def::BOUND == 0)
    }
}
