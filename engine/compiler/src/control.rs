//! Branches and loops, and leaving nested blocks on the way out.

use crate::context::{Block, Compiler};
use crate::errors::{Fault, Res};
use crate::unit::{NOWHERE, Reg, TEMP, special};
use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::{Ranged, TextRange};
use skein_bytecode::{Const, Op};

/// Nested blocks that CPython allows.
const MAX_BLOCKS: usize = 21;

impl<'a> Compiler<'a> {
    pub fn push_block(&mut self, b: Block<'a>) -> Res<()> {
        // A generator's body is in a block of its own.
        if self.f.blocks.len() + usize::from(self.is_generator()) >= MAX_BLOCKS {
            return Err(Fault::syntax("too many statically nested blocks", self.u.range));
        }
        self.f.blocks.push(b);
        Ok(())
    }

    pub fn pop_block(&mut self) {
        self.f.blocks.pop();
    }

    /// Emits what leaving all blocks above `depth` takes, then `last`; the blocks stay for what follows.
    pub fn leave_blocks(&mut self, depth: usize, last: impl FnOnce(&mut Self)) -> Res<()> {
        let handler = self.u.handler;
        let blocks = self.f.blocks.clone();
        let range = self.u.range;
        while self.f.blocks.len() > depth {
            let b = self.f.blocks.pop().expect("above depth");
            self.leave_block(b)?;
        }
        last(self);
        self.f.blocks = blocks;
        self.u.handler = handler;
        self.u.range = range;
        Ok(())
    }

    fn leave_block(&mut self, b: Block<'a>) -> Res<()> {
        match b {
            Block::Loop { .. } | Block::InFinally | Block::ExceptStar => {}
            Block::Protected { outer_handler } => self.u.handler = outer_handler,
            Block::Finally { body, outer_handler } => {
                self.u.handler = outer_handler;
                self.f.blocks.push(Block::InFinally);
                self.stmts(body)?;
                self.f.blocks.pop();
                // What leaves the blocks seems to be done before, so that what follows is of no line.
                self.u.range = NOWHERE;
            }
            Block::Handling { save, outer_handler } => {
                self.u.handler = outer_handler;
                self.u.op1(Op::PopExc, save);
            }
            Block::ExceptName { name, outer_handler } => {
                self.u.handler = outer_handler;
                self.u.range = NOWHERE;
                self.unbind(&name);
            }
            Block::With { exit, is_async, outer_handler, range: with_range } => {
                self.u.handler = outer_handler;
                self.u.range = with_range;
                self.call_exit_plain(exit, is_async)?;
                self.u.range = NOWHERE;
            }
        }
        Ok(())
    }

    /// Unbinds a name silently, at the end of `except … as name`.
    pub fn unbind(&mut self, name: &crate::scopes::Sym) {
        use crate::context::Place;
        let mark = self.u.mark();
        match self.place(name) {
            Place::Fast(r) => self.u.load_unbound(r),
            _ => {
                let t = self.u.alloc();
                self.u.load_special(t, special::NONE);
                self.store_name(name, t);
                self.delete_name(name);
            }
        }
        self.u.reset(mark);
    }

    /// PEP 765: `return`, `break` and `continue` that leave a `finally` block give a warning.
    pub fn check_leaving_finally(&mut self, range: TextRange, word: &str, loops: bool) -> Res<()> {
        for i in (0..self.f.blocks.len()).rev() {
            match self.f.blocks[i] {
                Block::Loop { .. } if loops => return Ok(()),
                Block::ExceptStar => {
                    let message = "'break', 'continue' and 'return' cannot appear in an except* block";
                    return self.error(message, range);
                }
                Block::InFinally => {
                    self.warn(format!("'{word}' in a 'finally' block"), range);
                    return Ok(());
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub fn break_or_continue(&mut self, range: TextRange, is_break: bool) -> Res<()> {
        let word = if is_break { "break" } else { "continue" };
        let found = self.f.blocks.iter().rposition(|b| matches!(b, Block::Loop { .. }));
        self.check_leaving_finally(range, word, true)?;
        let Some(i) = found else {
            let message = if is_break { "'break' outside loop" } else { "'continue' not properly in loop" };
            return self.error(message, range);
        };
        let Block::Loop { break_to, continue_to } = self.f.blocks[i] else { return Ok(()) };
        let to = if is_break { break_to } else { continue_to };
        self.u.line_mark();
        self.leave_blocks(i + 1, |c| c.u.jump(to))
    }

    pub fn if_statement(&mut self, i: &'a ast::StmtIf) -> Res<()> {
        let end = self.u.new_label();
        let mut next = self.u.new_label();
        self.line_of_test(&i.test, next)?;
        self.stmts(&i.body)?;
        for clause in &i.elif_else_clauses {
            self.u.silent_jump(end);
            self.u.place(next);
            next = self.u.new_label();
            if let Some(test) = &clause.test {
                self.line_of_test(test, next)?;
            }
            self.stmts(&clause.body)?;
        }
        self.u.place(next);
        self.u.place(end);
        Ok(())
    }

    /// Goes on if the test is true, else to `otherwise`. The line counts as executed also where the test is constant.
    fn line_of_test(&mut self, test: &'a Expr, otherwise: crate::unit::Label) -> Res<()> {
        self.u.range = test.range();
        if crate::fold::constant(self, test)?.is_some() {
            self.u.line_mark();
        }
        self.branch(test, otherwise, false)
    }

    pub fn while_statement(&mut self, w: &'a ast::StmtWhile) -> Res<()> {
        let head = self.u.here();
        let (next, end, out) = (self.u.new_label(), self.u.new_label(), self.u.new_label());
        self.line_of_test(&w.test, end)?;
        self.push_block(Block::Loop { break_to: out, continue_to: next })?;
        self.stmts(&w.body)?;
        self.pop_block();
        self.u.place(next);
        self.u.silent_jump(head);
        self.u.place(end);
        self.stmts(&w.orelse)?;
        self.u.place(out);
        Ok(())
    }

    /// Evaluates an iterable: a list of constants is as good as a tuple of them.
    pub fn iterable(&mut self, e: &'a Expr, dst: Reg) -> Res<()> {
        if let Expr::List(l) = e
            && let Some(items) = crate::fold::constants(self, &l.elts)?
        {
            self.u.load_const(dst, &Const::Tuple(items));
            self.at(e, |c| c.u.op2(Op::GetIter, dst, dst));
            return Ok(());
        }
        // A local is read in place; a call uses the iterator's register as its window.
        let mark = self.u.mark();
        let r = self.expr(e, (!e.is_name_expr()).then_some(dst))?;
        self.u.reset(mark);
        self.at(e, |c| c.u.op2(Op::GetIter, dst, r));
        Ok(())
    }

    /// The next item of the iterator into the target, or to `end`.
    pub fn for_step(&mut self, target: &'a Expr, iter: Reg, end: crate::unit::Label) -> Res<()> {
        if let Some(r) = self.fast_target(target) {
            self.u.emit(Op::ForIter, r, iter, 0, end.0);
            return Ok(());
        }
        let mark = self.u.mark();
        let t = self.u.alloc();
        self.u.emit(Op::ForIter, t, iter, 0, end.0);
        self.store(target, t)?;
        self.u.reset(mark);
        Ok(())
    }

    pub fn for_statement(&mut self, f: &'a ast::StmtFor) -> Res<()> {
        let mark = self.u.mark();
        let iter = self.u.alloc();
        self.iterable(&f.iter, iter)?;
        let head = self.u.here();
        let (next, end, out) = (self.u.new_label(), self.u.new_label(), self.u.new_label());
        self.u.range = f.iter.range();
        self.for_step(&f.target, iter, end)?;
        self.push_block(Block::Loop { break_to: out, continue_to: next })?;
        self.stmts(&f.body)?;
        self.pop_block();
        self.u.range = f.iter.range();
        self.u.place(next);
        self.u.silent_jump(head);
        self.u.place(end);
        self.u.reset(mark);
        self.stmts(&f.orelse)?;
        self.u.place(out);
        Ok(())
    }

    pub fn async_for(&mut self, f: &'a ast::StmtFor) -> Res<()> {
        self.require_async("'async for' outside async function", f.range)?;
        let mark = self.u.mark();
        let iter = self.u.alloc();
        let r = self.expr(&f.iter, None)?;
        self.u.range = f.iter.range();
        self.u.op2(Op::GetAiter, iter, r);
        self.u.reset(iter - TEMP + 1);
        let head = self.u.here();
        let (next, out) = (self.u.new_label(), self.u.new_label());
        let end = self.async_step(&f.target, iter)?;
        self.push_block(Block::Loop { break_to: out, continue_to: next })?;
        self.stmts(&f.body)?;
        self.pop_block();
        self.u.range = f.iter.range();
        self.u.place(next);
        self.u.silent_jump(head);
        self.end_async_for(end, iter);
        self.u.reset(mark);
        self.stmts(&f.orelse)?;
        self.u.place(out);
        Ok(())
    }

    /// Awaits the next item into the target; the returned handler's code goes behind the loop.
    pub fn async_step(&mut self, target: &'a Expr, iter: Reg) -> Res<crate::unit::Label> {
        let mark = self.u.mark();
        let t = self.u.alloc();
        let end = self.u.new_label();
        let outer = self.u.handler;
        self.u.handler = self.u.new_handler(end, iter);
        let it = self.u.alloc();
        self.u.op2(Op::GetAnext, it, iter);
        self.send_loop(it, t);
        self.u.handler = outer;
        self.store(target, t)?;
        self.u.reset(mark);
        Ok(end)
    }

    /// The end of an asynchronous loop: StopAsyncIteration ends it, anything else goes on. The iterator's
    /// register takes the exception.
    pub fn end_async_for(&mut self, end: crate::unit::Label, iter: Reg) {
        self.u.place(end);
        self.u.op1(Op::EndAsyncFor, iter);
    }
}
