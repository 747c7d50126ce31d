//! Functions, lambdas and what makes closures of them.

use crate::calls::GAP;
use crate::context::Compiler;
use crate::errors::Res;
use crate::scopes::{Part, ScopeId, Sym, key};
use crate::unit::{NOWHERE, Reg, TEMP, special};
use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::{Ranged, TextRange};
use skein_bytecode::{Code, Const, Intrinsic, Op, flags};

/// Where the parts of a function that its definition evaluates come from.
#[derive(Clone, Copy, Default)]
pub struct Defaults {
    pub tuple: bool,
    pub dict: bool,
}

impl<'a> Compiler<'a> {
    /// Makes a function of the code; the row holds defaults, keyword defaults and `__annotate__` by `bits`.
    pub fn make_function(&mut self, code: Code, scope: ScopeId, row: Reg, mut bits: u16, dst: Reg) {
        let frees = self.tree.scopes[scope].frees.clone();
        if !frees.is_empty() {
            let mark = self.u.mark();
            let cells = self.u.alloc_row(frees.len() as u16);
            for (i, name) in frees.iter().enumerate() {
                let cell = self.cell_for_closure(name);
                self.u.mov(cells + i as u16, cell);
            }
            self.u.reset(mark);
            self.cell_tuple(row + 3, cells, frees.len());
            bits |= 8;
        }
        let k = self.u.code_constant(code);
        self.u.emit(Op::MakeFunction, dst, row, bits, k);
    }

    fn cell_tuple(&mut self, dst: Reg, cells: Reg, n: usize) {
        if n <= 16 {
            self.u.op3(Op::BuildTuple, dst, cells, n as u16);
            return;
        }
        self.u.op3(Op::BuildList, dst, cells, 0);
        for i in 0..n {
            self.u.op2(Op::ListAppend, dst, cells + i as u16);
        }
        self.u.op2(Op::ListToTuple, dst, dst);
    }

    /// A function without parts of its own, e.g. a class body or a generator expression.
    pub fn make_simple_function(&mut self, code: Code, scope: ScopeId, dst: Reg) {
        let mark = self.u.mark();
        let row = self.u.alloc_row(4);
        self.make_function(code, scope, row, 0, dst);
        self.u.reset(mark);
    }

    /// Evaluates default values into `row` and `row + 1`.
    pub fn defaults(&mut self, p: &'a ast::Parameters, row: Reg) -> Res<Defaults> {
        let mut made = Defaults::default();
        let positional: Vec<&'a Expr> =
            p.posonlyargs.iter().chain(&p.args).filter_map(|p| p.default.as_deref()).collect();
        if !positional.is_empty() {
            made.tuple = true;
            self.tuple_of(&positional, row)?;
        }
        if p.kwonlyargs.iter().any(|p| p.default.is_some()) {
            made.dict = true;
            self.u.op3(Op::BuildMap, row + 1, row + 1, 0);
            for k in &p.kwonlyargs {
                let Some(d) = &k.default else { continue };
                let mark = self.u.mark();
                let name = self.u.alloc();
                let mangled = self.mangle(&k.parameter.name);
                self.u.load_str(name, &mangled);
                let v = self.expr(d, None)?;
                self.u.op3(Op::MapAdd, row + 1, name, v);
                self.u.reset(mark);
            }
        }
        Ok(made)
    }

    /// A tuple of the expressions' values.
    pub fn tuple_of(&mut self, es: &[&'a Expr], dst: Reg) -> Res<()> {
        let mark = self.u.mark();
        let mut constants = Vec::new();
        for e in es {
            match crate::fold::constant(self, e)? {
                Some(c) => constants.push(c),
                None => break,
            }
        }
        if constants.len() == es.len() {
            self.u.load_const(dst, &Const::Tuple(constants));
            return Ok(());
        }
        if es.len() <= 16 {
            for e in es {
                self.expr_next(e)?;
            }
            self.u.op3(Op::BuildTuple, dst, TEMP + mark, es.len() as u16);
        } else {
            self.u.op3(Op::BuildList, dst, dst, 0);
            for e in es {
                let r = self.expr(e, None)?;
                self.u.op2(Op::ListAppend, dst, r);
                self.u.reset(mark);
            }
            self.u.op2(Op::ListToTuple, dst, dst);
        }
        self.u.reset(mark);
        Ok(())
    }

    /// Notes the parameters of the unit that was pushed last and gives variables their registers.
    pub fn declare_parameters(&mut self, p: Option<&ast::Parameters>) {
        let mut params: Vec<Sym> = Vec::new();
        if let Some(p) = p {
            let names = p.posonlyargs.iter().chain(&p.args).chain(&p.kwonlyargs).map(|d| &d.parameter);
            let rest = p.vararg.iter().chain(&p.kwarg).map(|v| &**v);
            params.extend(names.chain(rest).map(|p| self.mangle(&p.name)));
            self.u.arg_count = (p.posonlyargs.len() + p.args.len()) as u16;
            self.u.posonly_count = p.posonlyargs.len() as u16;
            self.u.kwonly_count = p.kwonlyargs.len() as u16;
            if self.u.arg_count > 0 {
                self.f.first_param = Some(params[0].clone());
            }
            if p.vararg.is_some() {
                self.u.flags |= flags::VARARGS;
            }
            if p.kwarg.is_some() {
                self.u.flags |= flags::VARKEYWORDS;
            }
        }
        self.u.flags |= flags::OPTIMIZED | flags::NEWLOCALS;
        self.declare_variables(&params);
    }

    /// The flags and the first instruction of a generator, coroutine or async generator; it must come first.
    pub fn begin_generator(&mut self) {
        let scope = &self.tree.scopes[self.u.scope];
        let flag = match (scope.is_async, scope.is_generator) {
            (true, true) => flags::ASYNC_GENERATOR,
            (true, false) => flags::COROUTINE,
            (false, true) => flags::GENERATOR,
            (false, false) => return,
        };
        self.u.flags |= flag;
        self.u.emit(Op::MakeGenerator, 0, 0, 0, 0);
        let label = self.u.new_label();
        self.u.handler = self.u.new_handler(label, TEMP);
    }

    /// The handler around a generator's body: a StopIteration must not leave it.
    pub fn end_generator(&mut self) {
        if !self.is_generator() {
            return;
        }
        let label = self.u.handlers[0].label;
        self.u.handler = 0;
        self.u.place(label);
        self.u.reset(0);
        let e = self.u.alloc();
        self.u.op3(Op::Intrinsic, e, e, Intrinsic::StopIterationError as u16);
        self.u.op1(Op::Reraise, e);
        self.u.reset(0);
    }

    pub fn is_generator(&self) -> bool {
        self.u.flags & flags::ANY_GENERATOR != 0
    }

    pub fn emit_return(&mut self, r: Reg) {
        let op = if self.is_generator() { Op::ReturnGen } else { Op::Return };
        self.u.op1(op, r);
    }

    pub fn return_none(&mut self) {
        let mark = self.u.mark();
        let r = self.u.alloc();
        self.u.load_special(r, special::NONE);
        self.emit_return(r);
        self.u.reset(mark);
    }

    /// The docstring of a body and the statements behind it.
    pub fn docstring(&self, body: &'a [Stmt]) -> (Option<Const>, &'a [Stmt]) {
        if let [Stmt::Expr(e), rest @ ..] = body
            && let Expr::StringLiteral(s) = &*e.value
        {
            let text = (self.options.optimize < 2)
                .then(|| Const::Str(crate::strings::clean_docstring(&self.source.string_value(s)).into()));
            return (text, rest);
        }
        (None, body)
    }

    /// Compiles a function's code; the unit's parameters come from `params`.
    fn function_code(&mut self, f: &'a ast::StmtFunctionDef, scope: ScopeId) -> Res<Code> {
        let first = f.decorator_list.first().map_or(f.range, |d| d.range);
        self.push_unit(scope, &f.name, first);
        self.u.range = TextRange::at(first.start(), 0.into());
        let (doc, body) = self.docstring(&f.body);
        if let Some(doc) = doc {
            self.u.constant(doc);
            self.u.flags |= flags::HAS_DOCSTRING;
        }
        if self.in_class(scope) {
            self.u.flags |= flags::METHOD;
        }
        self.begin_generator();
        self.declare_parameters(Some(&f.parameters));
        self.stmts(body)?;
        self.u.range = NOWHERE;
        self.return_none();
        self.u.range = f.body.last().map_or(first, |s| s.range());
        self.end_generator();
        self.pop_unit()
    }

    fn in_class(&self, scope: ScopeId) -> bool {
        use crate::scopes::ScopeKind;
        let parent = self.tree.scopes[scope].parent.map(|p| &self.tree.scopes[p]);
        parent.is_some_and(|p| {
            p.kind == ScopeKind::Class
                || p.kind == ScopeKind::TypeParams
                    && p.parent.is_some_and(|p| self.tree.scopes[p].kind == ScopeKind::Class)
        })
    }

    pub fn function_def(&mut self, f: &'a ast::StmtFunctionDef) -> Res<()> {
        let mark = self.u.mark();
        let slot = self.decorators(&f.decorator_list)?;
        self.u.range = f.name.range;
        let outer = self.u.range;
        if f.type_params.is_some() {
            self.generic_function(f, slot)?;
        } else {
            self.plain_function(f, None, slot)?;
        }
        self.u.range = outer;
        self.apply_decorators(&f.decorator_list, slot);
        let name = self.mangle(&f.name);
        self.store_name(&name, TEMP + mark);
        self.u.reset(mark);
        Ok(())
    }

    /// Makes the function; `given` are defaults made outside, in the first locals.
    fn plain_function(&mut self, f: &'a ast::StmtFunctionDef, given: Option<Defaults>, dst: Reg) -> Res<()> {
        let mark = self.u.mark();
        let row = self.u.alloc_row(4);
        let made = match given {
            None => self.defaults(&f.parameters, row)?,
            Some(d) => {
                let mut from = 0;
                if d.tuple {
                    self.u.mov(row, from);
                    from += 1;
                }
                if d.dict {
                    self.u.mov(row + 1, from);
                }
                d
            }
        };
        let mut bits = u16::from(made.tuple) | u16::from(made.dict) << 1;
        if self.function_annotate(f, row + 2)? {
            bits |= 4;
        }
        let scope = self.scope_of(key(f), Part::Body).expect("every function has a scope");
        let code = self.function_code(f, scope)?;
        self.make_function(code, scope, row, bits, dst);
        self.u.reset(mark);
        Ok(())
    }

    /// `def f[T](…)`: the function is made inside a function that binds the type parameters.
    fn generic_function(&mut self, f: &'a ast::StmtFunctionDef, dst: Reg) -> Res<()> {
        let mark = self.u.mark();
        let w = self.u.alloc();
        let args = self.u.alloc_row(GAP + 2) + GAP;
        let made = self.defaults(&f.parameters, args)?;
        if made.dict && !made.tuple {
            self.u.mov(args, args + 1);
        }
        let scope = self.scope_of(key(f), Part::TypeParams).expect("generic");
        self.push_unit(scope, &format!("<generic parameters of {}>", f.name), f.range);
        let mut params: Vec<Sym> = Vec::new();
        if made.tuple {
            params.push(".defaults".into());
        }
        if made.dict {
            params.push(".kwdefaults".into());
        }
        let n = params.len() as u16;
        self.u.arg_count = n;
        self.u.flags |= flags::OPTIMIZED | flags::NEWLOCALS;
        self.declare_variables(&params);
        let row = self.u.alloc_row(2);
        if let Some(tp) = &f.type_params {
            self.type_params(tp, row + 1)?;
        }
        self.plain_function(f, Some(made), row)?;
        self.u.op3(Op::Intrinsic, row, row, Intrinsic::SetFunctionTypeParams as u16);
        self.emit_return(row);
        let code = self.pop_unit()?;
        self.make_simple_function(code, scope, w);
        self.u.emit(Op::Call, w, n, 0, 0);
        self.u.reset(mark);
        self.u.mov(dst, w);
        Ok(())
    }

    /// Evaluates decorators, each in the window that will call it, and gives the innermost argument's slot.
    pub fn decorators(&mut self, list: &'a [ast::Decorator]) -> Res<Reg> {
        for d in list {
            self.expr_next(&d.expression)?;
            self.u.alloc_row(GAP);
        }
        if self.u.overflow {
            return Err(crate::context::too_many_registers());
        }
        Ok(self.u.alloc())
    }

    pub fn apply_decorators(&mut self, list: &'a [ast::Decorator], slot: Reg) {
        let mut w = slot;
        let outer = self.u.range;
        for d in list.iter().rev() {
            w -= GAP + 1;
            self.u.range = d.expression.range();
            self.u.emit(Op::Call, w, 1, 0, 0);
        }
        self.u.range = outer;
    }

    pub fn lambda(&mut self, l: &'a ast::ExprLambda, want: Option<Reg>) -> Res<Reg> {
        let mark = self.u.mark();
        let row = self.u.alloc_row(4);
        let made = match &l.parameters {
            Some(p) => self.defaults(p, row)?,
            None => Defaults::default(),
        };
        let bits = u16::from(made.tuple) | u16::from(made.dict) << 1;
        let scope = self.scope_of(key(l), Part::Body).expect("every lambda has a scope");
        self.push_unit(scope, "<lambda>", l.range);
        self.begin_generator();
        self.declare_parameters(l.parameters.as_deref());
        let r = self.expr(&l.body, None)?;
        self.u.range = l.body.range();
        self.emit_return(r);
        self.u.reset(0);
        self.end_generator();
        let code = self.pop_unit()?;
        let dst = want.unwrap_or(TEMP + mark);
        self.make_function(code, scope, row, bits, dst);
        self.u.reset(mark);
        if want.is_none() {
            self.u.alloc();
        }
        Ok(dst)
    }
}
