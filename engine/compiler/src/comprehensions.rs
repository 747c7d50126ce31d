//! Comprehensions, inlined as in PEP 709, and generator expressions.

use crate::calls::GAP;
use crate::context::Compiler;
use crate::errors::Res;
use crate::scopes::{Part, Resolution, ScopeId, key};
use crate::unit::{Reg, TEMP};
use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::Ranged;
use skein_bytecode::{LocalKind, Op, flags};

/// What a comprehension does with each round.
#[derive(Clone, Copy)]
enum Element<'a> {
    List(&'a Expr),
    Set(&'a Expr),
    Dict(&'a Expr, &'a Expr),
    Yield(&'a Expr),
}

impl Element<'_> {
    /// The place of what is made in each round.
    fn range(self) -> ruff_text_size::TextRange {
        match self {
            Element::List(e) | Element::Set(e) | Element::Dict(e, _) | Element::Yield(e) => e.range(),
        }
    }
}

impl<'a> Compiler<'a> {
    pub fn comprehension(&mut self, e: &'a Expr, want: Option<Reg>) -> Res<Reg> {
        let (node, generators, element, name) = match e {
            Expr::ListComp(c) => (key(c), &c.generators, Element::List(&c.elt), "<listcomp>"),
            Expr::SetComp(c) => (key(c), &c.generators, Element::Set(&c.elt), "<setcomp>"),
            Expr::DictComp(c) => {
                let Some(k) = &c.key else {
                    return self
                        .error("dict unpacking cannot be used in dict comprehension", c.value.range());
                };
                (key(c), &c.generators, Element::Dict(k, &c.value), "<dictcomp>")
            }
            Expr::Generator(c) => (key(c), &c.generators, Element::Yield(&c.elt), "<genexpr>"),
            _ => return self.error("invalid syntax", e.range()),
        };
        let (Element::List(elt) | Element::Set(elt) | Element::Dict(_, elt) | Element::Yield(elt)) = element;
        if elt.is_starred_expr() {
            return self.error("iterable unpacking cannot be used in comprehension", elt.range());
        }
        let scope = self.scope_of(node, Part::Body).expect("every comprehension has a scope");
        let is_generator = matches!(element, Element::Yield(_));
        if self.tree.scopes[scope].is_async && !is_generator {
            let message = "asynchronous comprehension outside of an asynchronous function";
            self.require_async(message, e.range())?;
        }
        if self.tree.scopes[scope].inlined {
            self.inlined_comprehension(scope, generators, element, want)
        } else {
            self.separate_comprehension(e, scope, generators, element, name, want)
        }
    }

    fn first_iterator(&mut self, g: &'a ast::Comprehension, dst: Reg) -> Res<()> {
        if g.is_async {
            let mark = self.u.mark();
            let r = self.expr(&g.iter, None)?;
            self.u.reset(mark);
            self.at(&g.iter, |c| c.u.op2(Op::GetAiter, dst, r));
            return Ok(());
        }
        self.iterable(&g.iter, dst)
    }

    fn inlined_comprehension(
        &mut self,
        scope: ScopeId,
        generators: &'a [ast::Comprehension],
        element: Element<'a>,
        want: Option<Reg>,
    ) -> Res<Reg> {
        let mark = self.u.mark();
        let acc = match want {
            Some(r) if r >= TEMP => r,
            _ => self.u.alloc(),
        };
        let iter = self.u.alloc();
        self.first_iterator(&generators[0], iter)?;
        let outer = std::mem::replace(&mut self.f.scope, scope);
        let mut taken = Vec::new();
        for i in 0..self.tree.scopes[scope].symbols.len() {
            let s = &self.tree.scopes[scope].symbols[i];
            let (name, captured) = (s.name.clone(), s.captured);
            if s.resolution != Resolution::Local {
                continue;
            }
            let r = self.hidden_local(&name, LocalKind::Hidden);
            taken.push(r);
            if captured {
                self.u.load_unbound(r);
                self.u.op1(Op::MakeCell, r);
            } else {
                self.u.init_unbound(r);
            }
            self.f.vars.insert((scope, name), r);
        }
        self.new_accumulator(element, acc);
        self.rounds(generators, 0, iter, acc, element)?;
        // Nobody can name them any more: what they had last is not kept alive.
        taken.iter().for_each(|&r| self.u.load_unbound(r));
        self.f.hidden.extend(taken.into_iter().rev());
        self.f.scope = outer;
        match want {
            Some(dst) if dst != acc => {
                self.u.mov(dst, acc);
                self.u.reset(mark);
                Ok(dst)
            }
            _ => {
                self.u.reset(iter - TEMP);
                Ok(acc)
            }
        }
    }

    fn new_accumulator(&mut self, element: Element<'a>, acc: Reg) {
        let op = match element {
            Element::List(_) => Op::BuildList,
            Element::Set(_) => Op::BuildSet,
            Element::Dict(..) => Op::BuildMap,
            Element::Yield(_) => return,
        };
        self.u.op3(op, acc, acc, 0);
    }

    fn rounds(
        &mut self,
        generators: &'a [ast::Comprehension],
        i: usize,
        iter: Reg,
        acc: Reg,
        element: Element<'a>,
    ) -> Res<()> {
        let Some(g) = generators.get(i) else { return self.element(acc, element) };
        let mark = self.u.mark();
        let iter = if i == 0 {
            iter
        } else {
            let r = self.u.alloc();
            self.first_iterator(g, r)?;
            r
        };
        let outer = std::mem::replace(&mut self.u.range, g.iter.range());
        let head = self.u.here();
        let (next, end) = (self.u.new_label(), self.u.new_label());
        let mut stopped = None;
        if g.is_async {
            stopped = Some(self.async_step(&g.target, iter)?);
        } else {
            self.for_step(&g.target, iter, end)?;
        }
        self.u.range = outer;
        for test in &g.ifs {
            self.branch(test, next, false)?;
        }
        self.rounds(generators, i + 1, iter, acc, element)?;
        self.u.range = element.range();
        self.u.place(next);
        self.u.jump(head);
        self.u.range = g.iter.range();
        match stopped {
            Some(label) => {
                self.end_async_for(label, iter);
                self.u.place(end);
            }
            None => self.u.place(end),
        }
        self.u.range = outer;
        self.u.reset(mark);
        Ok(())
    }

    fn element(&mut self, acc: Reg, element: Element<'a>) -> Res<()> {
        let mark = self.u.mark();
        match element {
            Element::List(e) => {
                let r = self.expr(e, None)?;
                self.at(e, |c| c.u.op2(Op::ListAppend, acc, r));
            }
            Element::Set(e) => {
                let r = self.expr(e, None)?;
                self.at(e, |c| c.u.op2(Op::SetAdd, acc, r));
            }
            Element::Dict(k, v) => {
                let kr = self.operand(k, &[v])?;
                let vr = self.expr(v, None)?;
                self.at(k, |c| c.u.op3(Op::MapAdd, acc, kr, vr));
            }
            Element::Yield(e) => {
                let r = self.expr(e, None)?;
                self.at(e, |c| {
                    let r = c.wrap_async(r);
                    let t = c.u.alloc();
                    c.u.op2(Op::Yield, t, r);
                });
            }
        }
        self.u.reset(mark);
        Ok(())
    }

    /// A generator expression, or a comprehension that is not inlined: a function of the first iterator.
    fn separate_comprehension(
        &mut self,
        e: &'a Expr,
        scope: ScopeId,
        generators: &'a [ast::Comprehension],
        element: Element<'a>,
        name: &str,
        want: Option<Reg>,
    ) -> Res<Reg> {
        let is_generator = matches!(element, Element::Yield(_));
        let is_async = self.tree.scopes[scope].is_async;
        let w = self.window(want);
        let arg = self.u.alloc_row(GAP + 1) + GAP;
        self.first_iterator(&generators[0], arg)?;

        self.push_unit(scope, name, e.range());
        self.u.arg_count = 1;
        self.u.flags |= flags::OPTIMIZED | flags::NEWLOCALS;
        self.begin_generator();
        self.declare_variables(&[".0".into()]);
        if is_generator {
            self.rounds(generators, 0, 0, TEMP, element)?;
            self.return_none();
        } else {
            let acc = self.u.alloc();
            self.new_accumulator(element, acc);
            self.rounds(generators, 0, 0, acc, element)?;
            self.emit_return(acc);
            self.u.reset(0);
        }
        self.end_generator();
        let code = self.pop_unit()?;

        self.make_simple_function(code, scope, w);
        self.u.emit(Op::Call, w, 1, 0, 0);
        self.u.reset(w - TEMP + 1);
        if is_async && !is_generator {
            let it = self.u.alloc();
            self.u.op3(Op::GetAwaitable, it, w, 0);
            self.send_loop(it, w);
        }
        Ok(self.window_result(w, want))
    }
}
