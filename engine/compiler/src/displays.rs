//! Tuple, list, set and dict displays.

use crate::context::Compiler;
use crate::errors::Res;
use crate::fold;
use crate::unit::{Reg, TEMP};
use ruff_python_ast::{self as ast, Expr};
use skein_bytecode::{Const, Op};

/// Items that one instruction builds; the rest is added one by one.
const BATCH: usize = 16;
/// From so many constants on a list or set is made from a constant.
const FROM_CONSTANT: usize = 3;

impl<'a> Compiler<'a> {
    /// `BuildTuple`, `BuildList` or `BuildSet` of the items.
    pub fn display(&mut self, op: Op, items: &'a [Expr], want: Option<Reg>) -> Res<Reg> {
        let mark = self.u.mark();
        if items.len() <= BATCH && !items.iter().any(Expr::is_starred_expr) {
            if op != Op::BuildTuple
                && items.len() >= FROM_CONSTANT
                && let Some(r) = self.constant_display(op, items, want)?
            {
                return Ok(r);
            }
            for e in items {
                self.expr_next(e)?;
            }
            self.u.reset(mark);
            let dst = want.unwrap_or_else(|| self.u.alloc());
            self.u.op3(op, dst, TEMP + mark, items.len() as u16);
            return Ok(dst);
        }
        if op != Op::BuildTuple
            && let Some(r) = self.constant_display(op, items, want)?
        {
            return Ok(r);
        }
        let work = match want {
            Some(r) if r >= TEMP => r,
            _ => self.u.alloc(),
        };
        if op == Op::BuildSet {
            self.build_head(op, work, items)?;
            for e in self.tail(items) {
                let mark = self.u.mark();
                match e {
                    Expr::Starred(s) => {
                        let r = self.expr(&s.value, None)?;
                        self.u.op2(Op::SetUpdate, work, r);
                    }
                    _ => {
                        let r = self.expr(e, None)?;
                        self.u.op2(Op::SetAdd, work, r);
                    }
                }
                self.u.reset(mark);
            }
        } else {
            self.build_head(Op::BuildList, work, items)?;
            let tail = self.tail(items);
            self.extend_list(work, tail, 0)?;
            if op == Op::BuildTuple {
                self.u.op2(Op::ListToTuple, work, work);
            }
        }
        self.u.reset(work - TEMP + 1);
        match want {
            Some(dst) if dst != work => {
                self.u.mov(dst, work);
                self.u.reset(mark);
                Ok(dst)
            }
            _ => Ok(work),
        }
    }

    fn head_len(items: &[Expr]) -> usize {
        items.iter().take(BATCH).take_while(|e| !e.is_starred_expr()).count()
    }

    fn tail(&self, items: &'a [Expr]) -> &'a [Expr] {
        &items[Self::head_len(items)..]
    }

    fn build_head(&mut self, op: Op, dst: Reg, items: &'a [Expr]) -> Res<()> {
        let mark = self.u.mark();
        let n = Self::head_len(items);
        for e in &items[..n] {
            self.expr_next(e)?;
        }
        self.u.reset(mark);
        self.u.op3(op, dst, TEMP + mark, n as u16);
        Ok(())
    }

    /// Appends items to the list; `call` says that it is a call's arguments.
    pub fn extend_list(&mut self, list: Reg, items: &'a [Expr], call: u16) -> Res<()> {
        for e in items {
            let mark = self.u.mark();
            match e {
                Expr::Starred(s) => {
                    let r = self.expr(&s.value, None)?;
                    self.u.op3(Op::ListExtend, list, r, call);
                }
                _ => {
                    let r = self.expr(e, None)?;
                    self.u.op2(Op::ListAppend, list, r);
                }
            }
            self.u.reset(mark);
        }
        Ok(())
    }

    /// A list or set of constants only, made from a constant tuple.
    fn constant_display(&mut self, op: Op, items: &'a [Expr], want: Option<Reg>) -> Res<Option<Reg>> {
        let Some(constants) = fold::constants(self, items)? else { return Ok(None) };
        let mark = self.u.mark();
        let work = match want {
            Some(r) if r >= TEMP => r,
            _ => self.u.alloc(),
        };
        let items = self.u.alloc();
        self.u.op3(op, work, items, 0);
        self.u.load_const(items, &Const::Tuple(constants));
        match op {
            Op::BuildList => self.u.op3(Op::ListExtend, work, items, 0),
            _ => self.u.op2(Op::SetUpdate, work, items),
        }
        self.u.reset(work - TEMP + 1);
        if let Some(dst) = want
            && dst != work
        {
            self.u.mov(dst, work);
            self.u.reset(mark);
            return Ok(want);
        }
        Ok(Some(work))
    }

    pub fn dict(&mut self, d: &'a ast::ExprDict, want: Option<Reg>) -> Res<Reg> {
        let mark = self.u.mark();
        let whole = d.items.len() <= BATCH / 2 && d.items.iter().all(|i| i.key.is_some());
        let work = match want {
            Some(r) if r >= TEMP || whole => r,
            _ => self.u.alloc(),
        };
        let inner = self.u.mark();
        let head = d.items.iter().take(BATCH / 2).take_while(|i| i.key.is_some()).count();
        for item in &d.items[..head] {
            if let Some(key) = &item.key {
                self.expr_next(key)?;
            }
            self.expr_next(&item.value)?;
        }
        self.u.reset(inner);
        self.u.op3(Op::BuildMap, work, TEMP + inner, head as u16);
        for item in &d.items[head..] {
            match &item.key {
                Some(key) => {
                    let k = self.operand(key, &[&item.value])?;
                    let v = self.expr(&item.value, None)?;
                    self.u.op3(Op::MapAdd, work, k, v);
                }
                None => {
                    let v = self.expr(&item.value, None)?;
                    self.u.op2(Op::MapUpdate, work, v);
                }
            }
            self.u.reset(inner);
        }
        match want {
            Some(dst) if dst != work => {
                self.u.mov(dst, work);
                self.u.reset(mark);
                Ok(dst)
            }
            _ => Ok(work),
        }
    }
}
