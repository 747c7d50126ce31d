//! `yield`, `yield from` and `await`.

use crate::context::Compiler;
use crate::errors::Res;
use crate::scopes::ScopeKind;
use crate::unit::{Reg, TEMP, special};
use ruff_python_ast as ast;
use ruff_text_size::{TextRange, TextSize};
use skein_bytecode::Op;

impl<'a> Compiler<'a> {
    /// Drives the iterator until it returns; the result lands in `dst`, which must be a temporary.
    pub fn send_loop(&mut self, iter: Reg, dst: Reg) {
        debug_assert!(dst >= TEMP);
        self.u.load_special(dst, special::NONE);
        let done = self.u.new_label();
        let head = self.u.here();
        self.u.emit(Op::Send, dst, iter, dst, done.0);
        self.u.emit(Op::YieldFrom, dst, dst, iter, done.0);
        self.u.jump(head);
        self.u.place(done);
    }

    /// Errors unless `await` may stand here.
    pub fn require_async(&mut self, message: &str, range: TextRange) -> Res<()> {
        let scope = &self.tree.scopes[self.u.scope];
        let top = scope.kind == ScopeKind::Module && self.options.allow_top_level_await;
        if scope.is_async || top || scope.kind == ScopeKind::GenExpr {
            return Ok(());
        }
        self.error(message, range)
    }

    pub fn await_expr(&mut self, a: &'a ast::ExprAwait, want: Option<Reg>) -> Res<Reg> {
        let scope = &self.tree.scopes[self.u.scope];
        if !scope.is_function_like() {
            self.require_async("'await' outside function", a.range)?;
        }
        self.require_async("'await' outside async function", a.range)?;
        let mark = self.u.mark();
        let dst = self.delegate_dst(want);
        let it = self.u.alloc();
        let r = self.expr(&a.value, None)?;
        self.u.op3(Op::GetAwaitable, it, r, 0);
        self.u.reset(it - TEMP + 1);
        self.send_loop(it, dst);
        Ok(self.delegate_result(dst, mark, want))
    }

    fn delegate_dst(&mut self, want: Option<Reg>) -> Reg {
        match want {
            Some(r) if r >= TEMP => r,
            _ => self.u.alloc(),
        }
    }

    fn delegate_result(&mut self, dst: Reg, mark: u16, want: Option<Reg>) -> Reg {
        self.u.reset(mark);
        match want {
            Some(w) => {
                self.u.mov(w, dst);
                w
            }
            None => self.u.alloc(),
        }
    }

    fn require_function(&mut self, what: &str, range: TextRange) -> Res<()> {
        if !self.tree.scopes[self.u.scope].is_function_like() {
            return self.error(format!("'{what}' outside function"), range);
        }
        Ok(())
    }

    pub fn yield_expr(&mut self, y: &'a ast::ExprYield, want: Option<Reg>) -> Res<Reg> {
        self.require_function("yield", y.range)?;
        if y.value.is_none() {
            self.check_bare_yield(y.range)?;
        }
        let mark = self.u.mark();
        let mut r = match &y.value {
            Some(v) => self.expr(v, None)?,
            None => {
                let t = self.u.alloc();
                self.u.load_special(t, special::NONE);
                t
            }
        };
        self.u.reset(mark);
        let dst = want.unwrap_or_else(|| self.u.alloc());
        r = self.wrap_async(r);
        self.u.op2(Op::Yield, dst, r);
        self.u.reset(mark);
        if want.is_none() {
            self.u.alloc();
        }
        Ok(dst)
    }

    /// `yield @ 1` and `yield, 1`, which the parser takes for operators with a yield expression on the left.
    fn check_bare_yield(&self, range: TextRange) -> Res<()> {
        let rest = self.source.rest(range.end());
        let mut skip = rest.len() - rest.trim_start_matches([' ', '\t', '\x0c']).len();
        while let Some(next) = rest[skip..].strip_prefix("\\\n") {
            skip = rest.len() - next.trim_start_matches([' ', '\t', '\x0c']).len();
        }
        let compares = ["==", "!="].iter().any(|op| rest[skip..].starts_with(op));
        match rest[skip..].chars().next() {
            None => Ok(()),
            Some(')' | '}' | '!' | ':' | '=' | '\n' | '\r' | ';' | '#') if !compares => Ok(()),
            Some(c) => {
                let start = range.end() + TextSize::new(skip as u32);
                self.error(
                    "invalid syntax",
                    TextRange::at(start, (c.len_utf8() as u32 + u32::from(compares)).into()),
                )
            }
        }
    }

    /// An async generator's values are wrapped, so that what awaits it can tell them from its awaits.
    pub fn wrap_async(&mut self, r: Reg) -> Reg {
        if !self.tree.scopes[self.u.scope].is_async {
            return r;
        }
        let t = if r >= TEMP { r } else { self.u.alloc() };
        self.u.op2(Op::WrapAsyncYield, t, r);
        t
    }

    pub fn yield_from(&mut self, y: &'a ast::ExprYieldFrom, want: Option<Reg>) -> Res<Reg> {
        self.require_function("yield from", y.range)?;
        if self.tree.scopes[self.u.scope].is_async {
            return self.error("'yield from' inside async function", y.range);
        }
        let mark = self.u.mark();
        let dst = self.delegate_dst(want);
        let it = self.u.alloc();
        let r = self.expr(&y.value, None)?;
        self.u.op2(Op::GetYieldFromIter, it, r);
        self.u.reset(it - TEMP + 1);
        self.send_loop(it, dst);
        Ok(self.delegate_result(dst, mark, want))
    }
}
