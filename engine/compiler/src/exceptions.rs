//! `try` and `with`.
//!
//! A handler gets the exception in a temporary, makes it the handled one (`PushExc save`) and undoes
//! that on every way out (`PopExc save`); if it raises itself, a cleanup handler does so and raises on.

use crate::calls::GAP;
use crate::context::{Block, Compiler};
use crate::errors::Res;
use crate::unit::{Label, NOWHERE, Reg, TEMP, special};
use ruff_python_ast::{self as ast, Stmt};
use ruff_text_size::Ranged;
use skein_bytecode::{Op, Special};

/// The registers and the cleanup of a handler.
struct Handling {
    /// The exception.
    exc: Reg,
    /// What was handled before.
    save: Reg,
    cleanup: Label,
    /// Takes the exception that the handler raises.
    raised: Reg,
    outer: u32,
}

impl<'a> Compiler<'a> {
    /// What is emitted belongs to no line.
    fn silent(&mut self, f: impl FnOnce(&mut Self)) {
        let range = std::mem::replace(&mut self.u.range, NOWHERE);
        f(self);
        self.u.range = range;
    }

    /// Begins a handler's code: its registers are the next three temporaries.
    fn begin_handling(&mut self, label: Label) -> Res<Handling> {
        self.u.place(label);
        let exc = self.u.alloc();
        let save = self.u.alloc();
        let raised = self.u.alloc();
        let cleanup = self.u.new_label();
        let outer = self.u.handler;
        self.silent(|c| c.u.op2(Op::PushExc, save, exc));
        self.u.handler = self.u.new_handler(cleanup, raised);
        self.push_block(Block::Handling { save, outer_handler: outer })?;
        Ok(Handling { exc, save, cleanup, raised, outer })
    }

    /// Ends a handler's code with its cleanup; control does not come here.
    fn end_handling(&mut self, h: &Handling) {
        self.pop_block();
        self.u.handler = h.outer;
        self.u.place(h.cleanup);
        self.silent(|c| {
            c.u.op1(Op::PopExc, h.save);
            c.u.op1(Op::Reraise, h.raised);
        });
    }

    /// The handled exception goes on its way.
    fn reraise(&mut self, h: &Handling) {
        let inner = std::mem::replace(&mut self.u.handler, h.outer);
        self.silent(|c| {
            c.u.op1(Op::PopExc, h.save);
            c.u.op1(Op::Reraise, h.exc);
        });
        self.u.handler = inner;
    }

    /// Opens a protected range: exceptions go to the label, in the next temporary.
    fn protect(&mut self, label: Label) -> u32 {
        let outer = self.u.handler;
        let reg = TEMP + self.u.mark();
        self.u.handler = self.u.new_handler(label, reg);
        outer
    }

    pub fn try_statement(&mut self, t: &'a ast::StmtTry) -> Res<()> {
        if t.finalbody.is_empty() {
            return self.try_except(t);
        }
        self.u.line_mark();
        let mark = self.u.mark();
        let (handler, end) = (self.u.new_label(), self.u.new_label());
        let outer = self.protect(handler);
        self.push_block(Block::Finally { body: &t.finalbody, outer_handler: outer })?;
        if t.handlers.is_empty() {
            self.stmts(&t.body)?;
        } else {
            self.try_except(t)?;
        }
        self.pop_block();
        self.u.handler = outer;
        self.f.blocks.push(Block::InFinally);
        self.stmts(&t.finalbody)?;
        self.f.blocks.pop();
        self.u.silent_jump(end);

        let h = self.begin_handling(handler)?;
        self.f.blocks.push(Block::InFinally);
        self.stmts(&t.finalbody)?;
        self.f.blocks.pop();
        self.reraise(&h);
        self.end_handling(&h);
        self.u.reset(mark);
        self.u.place(end);
        Ok(())
    }

    fn try_except(&mut self, t: &'a ast::StmtTry) -> Res<()> {
        self.u.line_mark();
        let mark = self.u.mark();
        let (handler, end) = (self.u.new_label(), self.u.new_label());
        let outer = self.protect(handler);
        self.push_block(Block::Protected { outer_handler: outer })?;
        self.stmts(&t.body)?;
        self.pop_block();
        self.u.handler = outer;
        self.stmts(&t.orelse)?;
        self.u.silent_jump(end);
        self.u.range = t.handlers.first().map_or(t.range, |h| h.range());
        let h = self.begin_handling(handler)?;
        if t.is_star {
            self.except_star_clauses(t, &h, end)?;
        } else {
            self.except_clauses(t, &h, end)?;
        }
        self.end_handling(&h);
        self.u.reset(mark);
        self.u.place(end);
        Ok(())
    }

    fn except_clauses(&mut self, t: &'a ast::StmtTry, h: &Handling, end: Label) -> Res<()> {
        let count = t.handlers.len();
        for (i, ast::ExceptHandler::ExceptHandler(clause)) in t.handlers.iter().enumerate() {
            self.u.range = clause.range;
            let next = self.u.new_label();
            match &clause.type_ {
                Some(e) => {
                    let mark = self.u.mark();
                    let class = self.expr(e, None)?;
                    self.u.reset(mark);
                    let t = self.u.alloc();
                    self.at(&**e, |c| {
                        c.u.op3(Op::MatchExc, t, h.exc, class);
                        c.u.jump_if(Op::JumpFalse, t, next);
                    });
                    self.u.reset(mark);
                }
                None if i + 1 < count => {
                    return self.error("default 'except:' must be last", clause.range);
                }
                None => self.u.line_mark(),
            }
            self.clause_body(clause, h.exc)?;
            let inner = std::mem::replace(&mut self.u.handler, h.outer);
            self.silent(|c| {
                c.u.op1(Op::PopExc, h.save);
                c.u.jump(end);
            });
            self.u.handler = inner;
            self.u.place(next);
        }
        self.reraise(h);
        Ok(())
    }

    /// The body of an `except` clause, with its name bound to `exc` and unbound behind it.
    fn clause_body(&mut self, clause: &'a ast::ExceptHandlerExceptHandler, exc: Reg) -> Res<()> {
        let Some(name) = &clause.name else { return self.stmts(&clause.body) };
        let name = self.mangle(name);
        self.store_name(&name, exc);
        let mark = self.u.mark();
        let (cleanup, over) = (self.u.new_label(), self.u.new_label());
        let outer = self.protect(cleanup);
        self.push_block(Block::ExceptName { name: name.clone(), outer_handler: outer })?;
        self.stmts(&clause.body)?;
        self.pop_block();
        self.u.handler = outer;
        let range = std::mem::replace(&mut self.u.range, NOWHERE);
        self.unbind(&name);
        self.u.jump(over);
        self.u.place(cleanup);
        let raised = self.u.alloc();
        self.unbind(&name);
        self.u.op1(Op::Reraise, raised);
        self.u.range = range;
        self.u.reset(mark);
        self.u.place(over);
        Ok(())
    }

    /// `except*`: each clause takes its part of the group; what they raise and what is left is raised
    /// together at the end.
    fn except_star_clauses(&mut self, t: &'a ast::StmtTry, h: &Handling, end: Label) -> Res<()> {
        let list = self.u.alloc();
        let pair = self.u.alloc_row(2);
        let rest = self.u.alloc();
        self.u.op3(Op::BuildList, list, list, 0);
        self.u.mov(rest, h.exc);
        for ast::ExceptHandler::ExceptHandler(clause) in &t.handlers {
            self.u.range = clause.range;
            let next = self.u.new_label();
            let Some(e) = &clause.type_ else {
                return self.error("expected one or more exception types", clause.range);
            };
            let mark = self.u.mark();
            // Once everything is caught, the other clauses have nothing to do.
            self.u.jump_if(Op::JumpNone, rest, next);
            let class = self.expr(e, None)?;
            self.u.op3(Op::MatchExcGroup, pair, rest, class);
            self.u.reset(mark);
            self.u.mov(rest, pair + 1);
            self.u.jump_if(Op::JumpNone, pair, next);
            // The caught part is the handled exception in the clause.
            let save = self.u.alloc();
            self.u.op2(Op::PushExc, save, pair);
            let failed = self.u.new_label();
            let outer = self.protect(failed);
            self.push_block(Block::Handling { save, outer_handler: outer })?;
            self.push_block(Block::ExceptStar)?;
            self.clause_body(clause, pair)?;
            self.pop_block();
            self.pop_block();
            self.u.handler = outer;
            let range = std::mem::replace(&mut self.u.range, NOWHERE);
            self.u.op1(Op::PopExc, save);
            self.u.jump(next);
            self.u.place(failed);
            let raised = self.u.alloc();
            self.u.op1(Op::PopExc, save);
            self.u.op2(Op::ListAppend, list, raised);
            self.u.range = range;
            self.u.reset(mark);
            self.u.place(next);
        }
        let range = std::mem::replace(&mut self.u.range, NOWHERE);
        self.u.op2(Op::ListAppend, list, rest);
        let result = pair;
        self.u.op3(Op::PrepReraiseStar, result, h.exc, list);
        let inner = std::mem::replace(&mut self.u.handler, h.outer);
        self.u.op1(Op::PopExc, h.save);
        self.u.jump_if(Op::JumpNone, result, end);
        self.u.op1(Op::Reraise, result);
        self.u.handler = inner;
        self.u.range = range;
        Ok(())
    }

    // ---- with

    pub fn with_statement(&mut self, w: &'a ast::StmtWith) -> Res<()> {
        if w.is_async {
            self.require_async("'async with' outside async function", w.range)?;
        }
        self.with_items(&w.items, w.is_async, &w.body)
    }

    fn with_items(&mut self, items: &'a [ast::WithItem], is_async: bool, body: &'a [Stmt]) -> Res<()> {
        let [item, others @ ..] = items else { return self.stmts(body) };
        let mark = self.u.mark();
        let exit = self.u.alloc();
        let range = item.context_expr.range();
        let manager = self.expr(&item.context_expr, None)?;
        self.u.range = range;
        let (enter_name, exit_name) =
            if is_async { (Special::AEnter, Special::AExit) } else { (Special::Enter, Special::Exit) };
        self.u.op3(Op::BindSpecial, exit, manager, exit_name as u16);
        self.u.reset(exit - TEMP + 1);
        let w = self.u.alloc();
        self.u.emit(Op::LoadSpecialMethod, w, manager, 0, enter_name as u32);
        self.u.alloc_row(GAP + 1);
        self.u.emit(Op::CallMethod, w, 0, 0, 0);
        self.u.reset(w - TEMP + 1);
        if is_async {
            self.u.op3(Op::GetAwaitable, w, w, 1);
            let value = self.u.alloc();
            self.send_loop(w, value);
            self.u.mov(w, value);
            self.u.reset(w - TEMP + 1);
        }
        let (handler, end) = (self.u.new_label(), self.u.new_label());
        let outer = self.u.handler;
        self.u.handler = self.u.new_handler(handler, w);
        self.push_block(Block::With { exit, is_async, outer_handler: outer, range })?;
        if let Some(target) = &item.optional_vars {
            self.store(target, w)?;
        }
        self.u.reset(w - TEMP);
        self.with_items(others, is_async, body)?;
        self.pop_block();
        self.u.handler = outer;
        self.u.range = range;
        self.call_exit_plain(exit, is_async)?;
        self.u.silent_jump(end);

        let h = self.begin_handling(handler)?;
        self.u.range = range;
        let w = self.u.alloc();
        self.u.mov(w, exit);
        let args = self.u.alloc_row(GAP + 3) + GAP;
        let class = self.u.name("__class__");
        let traceback = self.u.name("__traceback__");
        self.u.emit(Op::LoadAttr, args, h.exc, 0, class);
        self.u.mov(args + 1, h.exc);
        self.u.emit(Op::LoadAttr, args + 2, h.exc, 0, traceback);
        self.u.emit(Op::Call, w, 3, 0, 0);
        self.u.reset(w - TEMP + 1);
        if is_async {
            self.await_exit(w);
        }
        let suppress = self.u.new_label();
        self.u.jump_if(Op::JumpTrue, w, suppress);
        self.reraise(&h);
        self.u.place(suppress);
        let inner = std::mem::replace(&mut self.u.handler, h.outer);
        self.silent(|c| {
            c.u.op1(Op::PopExc, h.save);
            c.u.jump(end);
        });
        self.u.handler = inner;
        self.end_handling(&h);
        self.u.reset(mark);
        self.u.place(end);
        Ok(())
    }

    /// Awaits the awaitable that `__aexit__` gave, into the same register.
    fn await_exit(&mut self, w: Reg) {
        let mark = self.u.mark();
        self.u.op3(Op::GetAwaitable, w, w, 2);
        let value = self.u.alloc();
        self.send_loop(w, value);
        self.u.mov(w, value);
        self.u.reset(mark);
    }

    /// Calls `__exit__(None, None, None)` and drops the result.
    pub fn call_exit_plain(&mut self, exit: Reg, is_async: bool) -> Res<()> {
        let mark = self.u.mark();
        let w = self.u.alloc();
        self.u.mov(w, exit);
        let args = self.u.alloc_row(GAP + 3) + GAP;
        for i in 0..3 {
            self.u.load_special(args + i, special::NONE);
        }
        self.u.emit(Op::Call, w, 3, 0, 0);
        self.u.reset(w - TEMP + 1);
        if is_async {
            self.await_exit(w);
        }
        self.u.reset(mark);
        Ok(())
    }
}
