//! Simple statements, and the dispatch over all.

use crate::calls::GAP;
use crate::context::{Compiler, Place};
use crate::errors::Res;
use crate::fold;
use crate::scopes::ScopeKind;
use crate::unit::{NOWHERE, Reg, TEMP};
use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::Ranged;
use skein_bytecode::{Intrinsic, Op};

impl<'a> Compiler<'a> {
    pub fn stmts(&mut self, body: &'a [Stmt]) -> Res<()> {
        for s in body {
            self.stmt(s)?;
        }
        Ok(())
    }

    pub fn stmt(&mut self, s: &'a Stmt) -> Res<()> {
        self.u.range = s.range();
        let mark = self.u.mark();
        let before = self.u.insns.len();
        match s {
            Stmt::Expr(e) => self.expression_statement(e)?,
            Stmt::Assign(a) => self.assign(a)?,
            Stmt::AugAssign(a) => self.aug_assign(a)?,
            Stmt::AnnAssign(a) => self.ann_assign(a)?,
            Stmt::Return(r) => self.return_statement(r)?,
            Stmt::If(i) => self.if_statement(i)?,
            Stmt::For(f) if f.is_async => self.async_for(f)?,
            Stmt::For(f) => self.for_statement(f)?,
            Stmt::While(w) => self.while_statement(w)?,
            Stmt::Break(b) => self.break_or_continue(b.range, true)?,
            Stmt::Continue(c) => self.break_or_continue(c.range, false)?,
            Stmt::Try(t) => self.try_statement(t)?,
            Stmt::With(w) => self.with_statement(w)?,
            Stmt::FunctionDef(f) => self.function_def(f)?,
            Stmt::ClassDef(c) => self.class_def(c)?,
            Stmt::Import(i) => self.import(i)?,
            Stmt::ImportFrom(i) => self.import_from(i)?,
            Stmt::Raise(r) => self.raise(r)?,
            Stmt::Assert(a) => self.assert(a)?,
            Stmt::Delete(d) => {
                for t in &d.targets {
                    self.delete(t)?;
                }
            }
            Stmt::Match(m) => self.match_statement(m)?,
            Stmt::TypeAlias(t) => self.type_alias(t)?,
            Stmt::Global(_) | Stmt::Nonlocal(_) | Stmt::Pass(_) | Stmt::IpyEscapeCommand(_) => {}
        }
        let declares = matches!(s, Stmt::Global(_) | Stmt::Nonlocal(_) | Stmt::AnnAssign(_));
        if self.u.insns.len() == before && !declares {
            // Its line counts as executed all the same.
            self.u.range = s.range();
            self.u.line_mark();
        }
        debug_assert!(self.u.mark() == mark || self.u.overflow, "a statement left temporaries");
        Ok(())
    }

    fn expression_statement(&mut self, e: &'a ast::StmtExpr) -> Res<()> {
        if self.interactive && self.outer.is_empty() {
            let mark = self.u.mark();
            let r = self.expr_next(&e.value)?;
            self.u.op3(Op::Intrinsic, r, r, Intrinsic::Print as u16);
            self.u.reset(mark);
            return Ok(());
        }
        if fold::constant(self, &e.value)?.is_some() {
            return Ok(());
        }
        self.expr_drop(&e.value)
    }

    fn assign(&mut self, a: &'a ast::StmtAssign) -> Res<()> {
        let mark = self.u.mark();
        if let [target] = &*a.targets {
            if let Some(r) = self.fast_target(target) {
                self.expr(&a.value, Some(r))?;
                return Ok(());
            }
            if self.parallel_assign(target, &a.value)? {
                self.u.reset(mark);
                return Ok(());
            }
        }
        let r = self.operand(&a.value, &a.targets.iter().collect::<Vec<_>>())?;
        // A local read in place must not be rebound by an earlier target than the one that stores it.
        let r = if r < TEMP && a.targets.len() > 1 {
            let t = self.u.alloc();
            self.u.mov(t, r);
            t
        } else {
            r
        };
        for t in &a.targets {
            self.store(t, r)?;
        }
        self.u.reset(mark);
        Ok(())
    }

    /// `a, b = x, y`: no tuple is built.
    fn parallel_assign(&mut self, target: &'a Expr, value: &'a Expr) -> Res<bool> {
        let (Some(targets), Expr::Tuple(values)) = (elements(target), value) else { return Ok(false) };
        let plain = |es: &[Expr]| es.len() <= 16 && !es.iter().any(Expr::is_starred_expr);
        if targets.len() != values.elts.len() || !plain(targets) || !plain(&values.elts) || targets.is_empty()
        {
            return Ok(false);
        }
        let row = TEMP + self.u.mark();
        for v in &values.elts {
            self.expr_next(v)?;
        }
        for (i, t) in targets.iter().enumerate() {
            self.store(t, row + i as u16)?;
        }
        Ok(true)
    }

    /// Stores the register's value into an assignment target.
    pub fn store(&mut self, target: &'a Expr, src: Reg) -> Res<()> {
        self.depth += 1;
        if self.depth > crate::MAX_DEPTH {
            return Err(crate::too_deep());
        }
        let r = self.at(target, |c| c.store_inner(target, src));
        self.depth -= 1;
        r
    }

    fn store_inner(&mut self, target: &'a Expr, src: Reg) -> Res<()> {
        let mark = self.u.mark();
        match target {
            Expr::Name(n) => {
                let name = self.mangle(&n.id);
                self.store_name(&name, src);
            }
            Expr::Attribute(a) => {
                let object = self.expr(&a.value, None)?;
                let name = self.mangle(&a.attr);
                let n = self.u.name(&name);
                let outer = self.u.range;
                self.u.range = self.beginning_at_name(a.range, a);
                self.u.emit(Op::StoreAttr, object, src, 0, n);
                self.u.range = outer;
            }
            Expr::Subscript(s) => {
                let object = self.operand(&s.value, &[&s.slice])?;
                let index = self.expr(&s.slice, None)?;
                self.u.op3(Op::StoreIndex, object, index, src);
            }
            Expr::Tuple(t) => self.unpack(&t.elts, src)?,
            Expr::List(l) => self.unpack(&l.elts, src)?,
            Expr::Starred(s) => {
                return self.error("starred assignment target must be in a list or tuple", s.range);
            }
            _ => return self.error("cannot assign to expression", target.range()),
        }
        self.u.reset(mark);
        Ok(())
    }

    fn unpack(&mut self, targets: &'a [Expr], src: Reg) -> Res<()> {
        let star = targets.iter().position(Expr::is_starred_expr);
        if let Some(i) = star
            && let Some(second) = targets[i + 1..].iter().find(|t| t.is_starred_expr())
        {
            return self.error("multiple starred expressions in assignment", second.range());
        }
        let n = targets.len();
        if n > 0x7000 || star.is_some_and(|i| i > 255) {
            return self.error("too many expressions in star-unpacking assignment", self.u.range);
        }
        // Targets that are neighbouring locals take the items directly.
        let first = targets.first().and_then(|t| self.fast_target(t));
        let direct = star.is_none()
            && n <= 255
            && first.is_some()
            && targets.iter().enumerate().all(|(i, t)| self.fast_target(t) == first.map(|r| r + i as u16));
        let row = match first {
            Some(r) if direct => r,
            _ => self.u.alloc_row(n as u16),
        };
        match star {
            None if n <= 255 => self.u.op3(Op::Unpack, row, src, n as u16),
            None => self.unpack_long(row, src, n),
            Some(i) => self.u.emit(Op::UnpackEx, row, src, 0, (i | (n - i - 1) << 16) as u32),
        }
        if direct {
            return Ok(());
        }
        for (i, t) in targets.iter().enumerate() {
            let t = if let Expr::Starred(s) = t { &*s.value } else { t };
            self.store(t, row + i as u16)?;
        }
        Ok(())
    }

    /// Exactly n items where n does not fit a byte: the rest's list must come out empty.
    fn unpack_long(&mut self, row: Reg, src: Reg, n: usize) {
        let mark = self.u.mark();
        let mut done = 0;
        let mut from = src;
        while n - done > 255 {
            self.u.emit(Op::UnpackEx, row + done as u16, from, 0, 254);
            done += 254;
            from = row + done as u16;
        }
        let rest = self.u.alloc();
        self.u.mov(rest, from);
        self.u.op3(Op::Unpack, row + done as u16, rest, (n - done) as u16);
        self.u.reset(mark);
    }

    fn aug_assign(&mut self, a: &'a ast::StmtAugAssign) -> Res<()> {
        let mark = self.u.mark();
        match &*a.target {
            Expr::Name(n) => {
                let name = self.mangle(&n.id);
                let place = self.place(&name);
                let old = self.at(&*a.target, |c| c.load_name(&name, None));
                if let Place::Fast(r) = place {
                    self.in_place(r, old, a.op, &a.value)?;
                } else {
                    self.in_place(old, old, a.op, &a.value)?;
                    self.at(&*a.target, |c| c.store_name(&name, old));
                }
            }
            Expr::Attribute(t) => {
                let object = self.operand(&t.value, &[&a.value])?;
                let name = self.mangle(&t.attr);
                let n = self.u.name(&name);
                let old = self.u.alloc();
                let place = self.beginning_at_name(t.range, t);
                self.at(&place, |c| c.u.emit(Op::LoadAttr, old, object, 0, n));
                self.in_place(old, old, a.op, &a.value)?;
                self.at(&place, |c| c.u.emit(Op::StoreAttr, object, old, 0, n));
            }
            Expr::Subscript(t) => {
                let object = self.operand(&t.value, &[&t.slice, &a.value])?;
                let index = self.operand(&t.slice, &[&a.value])?;
                let old = self.u.alloc();
                self.at(&*a.target, |c| c.u.op3(Op::LoadIndex, old, object, index));
                self.in_place(old, old, a.op, &a.value)?;
                self.at(&*a.target, |c| c.u.op3(Op::StoreIndex, object, index, old));
            }
            t => return self.error("illegal expression for augmented assignment", t.range()),
        }
        self.u.reset(mark);
        Ok(())
    }

    fn delete(&mut self, target: &'a Expr) -> Res<()> {
        let outer = std::mem::replace(&mut self.u.range, target.range());
        let mark = self.u.mark();
        match target {
            Expr::Name(n) => {
                let name = self.mangle(&n.id);
                self.delete_name(&name);
            }
            Expr::Attribute(a) => {
                let object = self.expr(&a.value, None)?;
                let name = self.mangle(&a.attr);
                let n = self.u.name(&name);
                self.u.range = self.beginning_at_name(a.range, a);
                self.u.emit(Op::DeleteAttr, object, 0, 0, n);
            }
            Expr::Subscript(s) => {
                let object = self.operand(&s.value, &[&s.slice])?;
                let index = self.expr(&s.slice, None)?;
                self.u.op2(Op::DeleteIndex, object, index);
            }
            Expr::Tuple(_) | Expr::List(_) => {
                for t in elements(target).unwrap_or_default() {
                    self.delete(t)?;
                }
            }
            _ => return self.error("cannot delete expression", target.range()),
        }
        self.u.reset(mark);
        self.u.range = outer;
        Ok(())
    }

    fn return_statement(&mut self, r: &'a ast::StmtReturn) -> Res<()> {
        if !self.tree.scopes[self.u.scope].is_function_like() {
            return self.error("'return' outside function", r.range);
        }
        let scope = &self.tree.scopes[self.u.scope];
        if scope.is_async && scope.is_generator && r.value.is_some() {
            return self.error("'return' with value in async generator", r.range);
        }
        self.check_leaving_finally(r.range, "return", false)?;
        let mark = self.u.mark();
        let value = match &r.value {
            Some(v) => {
                let reg = self.expr(v, None)?;
                if reg < TEMP && !self.f.blocks.is_empty() {
                    // Code that runs on the way out may rebind the local.
                    let t = self.u.alloc();
                    self.u.mov(t, reg);
                    t
                } else {
                    reg
                }
            }
            None => {
                let t = self.u.alloc();
                self.u.load_const(t, &skein_bytecode::Const::None);
                t
            }
        };
        self.leave_blocks(0, |c| {
            if c.u.range != NOWHERE {
                c.u.range = r.range;
            }
            c.emit_return(value);
        })?;
        self.u.reset(mark);
        Ok(())
    }

    fn raise(&mut self, r: &'a ast::StmtRaise) -> Res<()> {
        let mark = self.u.mark();
        match (&r.exc, &r.cause) {
            (None, _) => self.u.emit(Op::RaiseHandled, 0, 0, 0, 0),
            (Some(e), None) => {
                let e = self.expr(e, None)?;
                self.u.op1(Op::Raise, e);
            }
            (Some(e), Some(cause)) => {
                let e = self.operand(e, &[cause])?;
                let cause = self.expr(cause, None)?;
                self.u.op2(Op::RaiseFrom, e, cause);
            }
        }
        self.u.reset(mark);
        Ok(())
    }

    fn assert(&mut self, a: &'a ast::StmtAssert) -> Res<()> {
        if let Expr::Tuple(t) = &*a.test
            && !t.elts.is_empty()
        {
            self.warn("assertion is always true, perhaps remove parentheses?", a.range);
        }
        if self.options.optimize > 0 {
            return Ok(());
        }
        let mark = self.u.mark();
        let end = self.u.new_label();
        self.branch(&a.test, end, true)?;
        let w = self.u.alloc();
        self.u.op2(Op::LoadCommon, w, 0);
        if let Some(msg) = &a.msg {
            self.u.alloc_row(GAP);
            self.expr_next(msg)?;
            self.u.emit(Op::Call, w, 1, 0, 0);
        }
        self.at(&*a.test, |c| c.u.op1(Op::Raise, w));
        self.u.place(end);
        self.u.reset(mark);
        Ok(())
    }

    fn ann_assign(&mut self, a: &'a ast::StmtAnnAssign) -> Res<()> {
        let mark = self.u.mark();
        if let Some(v) = &a.value {
            match self.fast_target(&a.target) {
                Some(r) => {
                    self.expr(v, Some(r))?;
                }
                None => {
                    let r = self.operand(v, &[&a.target])?;
                    self.store(&a.target, r)?;
                }
            }
        }
        self.u.reset(mark);
        let eager = matches!(self.unit_kind(), ScopeKind::Module | ScopeKind::Class);
        match &*a.target {
            Expr::Name(n) if a.simple => {
                if eager {
                    let name = self.mangle(&n.id);
                    self.variable_annotation(a, &name)?;
                }
                return Ok(());
            }
            Expr::Attribute(t) if a.value.is_none() => self.expr_drop(&t.value)?,
            Expr::Subscript(t) if a.value.is_none() => {
                // The parts of the subscript are evaluated one by one: nothing can be unpacked.
                if let Expr::Tuple(parts) = &*t.slice
                    && let Some(star) = parts.elts.iter().find(|e| e.is_starred_expr())
                {
                    return self.error("can't use starred expression here", star.range());
                }
                self.expr_drop(&t.value)?;
                self.expr_drop(&t.slice)?;
            }
            _ => {}
        }
        if eager && !self.future_annotations {
            self.expr_drop(&a.annotation)?;
        }
        Ok(())
    }
}

/// Items of a tuple or list.
pub fn elements(e: &Expr) -> Option<&[Expr]> {
    match e {
        Expr::Tuple(t) => Some(&t.elts),
        Expr::List(l) => Some(&l.elts),
        _ => None,
    }
}
