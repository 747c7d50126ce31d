//! Annotations (PEP 649) and type parameters (PEP 695): expressions that are evaluated on demand.

use crate::context::Compiler;
use crate::errors::Res;
use crate::scopes::{Part, ScopeId, Sym, key};
use crate::unit::{Reg, TEMP};
use ruff_python_ast::{self as ast, Expr, TypeParam};
use ruff_text_size::{Ranged, TextRange};
use skein_bytecode::{Const, Intrinsic, Op, flags};

/// Parameters in the order of their annotations in `__annotate__`.
pub fn annotated_parameters(p: &ast::Parameters) -> impl Iterator<Item = &ast::Parameter> {
    let positional = p.posonlyargs.iter().chain(&p.args).map(|p| &p.parameter);
    let vararg = p.vararg.iter().map(|v| &**v);
    let kwonly = p.kwonlyargs.iter().map(|p| &p.parameter);
    let kwarg = p.kwarg.iter().map(|v| &**v);
    positional.chain(vararg).chain(kwonly).chain(kwarg)
}

impl<'a> Compiler<'a> {
    /// Begins a function of the format; formats beyond VALUE_WITH_FAKE_GLOBALS are not supported.
    fn begin_evaluator(&mut self, scope: ScopeId, name: &str, range: TextRange) {
        self.push_unit(scope, name, range);
        self.u.arg_count = 1;
        self.u.posonly_count = 1;
        self.u.flags |= flags::OPTIMIZED | flags::NEWLOCALS;
        self.declare_variables(&[".format".into()]);
        self.u.locals[0].name = "format".into();
        let go_on = self.u.new_label();
        self.u.emit(Op::JumpGtInt, 0, 2, 0, go_on.0);
        let t = self.u.alloc();
        self.u.op2(Op::LoadCommon, t, 1);
        self.u.op1(Op::Raise, t);
        self.u.reset(0);
        self.u.place(go_on);
    }

    /// The `__annotate__` function of a function, if it has annotations.
    pub fn function_annotate(&mut self, f: &'a ast::StmtFunctionDef, dst: Reg) -> Res<bool> {
        let Some(scope) = self.scope_of(key(f), Part::Annotations) else { return Ok(false) };
        let qualname = format!("{}.__annotate__", self.qualname(scope, &f.name));
        self.begin_evaluator(scope, "__annotate__", f.range);
        self.u.qualname = qualname.into();
        let map = self.u.alloc();
        self.u.op3(Op::BuildMap, map, map, 0);
        for p in annotated_parameters(&f.parameters) {
            if let Some(a) = &p.annotation {
                let name = self.mangle(&p.name);
                self.annotation(map, &name, a)?;
            }
        }
        if let Some(r) = &f.returns {
            self.annotation(map, &"return".into(), r)?;
        }
        self.emit_return(map);
        self.u.reset(0);
        let code = self.pop_unit()?;
        self.make_simple_function(code, scope, dst);
        Ok(true)
    }

    /// `map[name] = annotation`.
    fn annotation(&mut self, map: Reg, name: &Sym, e: &'a Expr) -> Res<()> {
        let mark = self.u.mark();
        let key = self.u.alloc();
        self.u.load_str(key, name);
        let value = self.u.alloc();
        if self.future_annotations {
            let text = crate::unparse::unparse(self, e);
            self.u.load_str(value, &text);
        } else if let Expr::Starred(s) = e {
            // `*args: *Ts` stands for the one item of unpacking Ts.
            self.expr(&s.value, Some(value))?;
            self.u.op3(Op::Unpack, value, value, 1);
        } else {
            self.expr(e, Some(value))?;
        }
        self.at(e, |c| c.u.op3(Op::MapAdd, map, key, value));
        self.u.reset(mark);
        Ok(())
    }

    /// At the head of a module or class: what annotations of variables need.
    pub fn annotations_prologue(&mut self, scope: ScopeId) {
        if self.tree.scopes[scope].deferred.is_empty() || !self.future_annotations {
            return;
        }
        let mark = self.u.mark();
        let t = self.u.alloc();
        let n = self.u.name("__annotations__");
        let have = self.u.new_label();
        self.u.emit(Op::LookupMapping, t, 0, 0, n);
        self.u.jump_if(Op::JumpBound, t, have);
        self.u.op3(Op::BuildMap, t, t, 0);
        self.store_plain("__annotations__", t);
        self.u.place(have);
        self.u.reset(mark);
    }

    /// The `__annotate__` function of a module or class, stored under `name`.
    pub fn annotate_variables(&mut self, scope: ScopeId, name: &str) -> Res<()> {
        let deferred = self.tree.scopes[scope].deferred.clone();
        if deferred.is_empty() || self.future_annotations {
            return Ok(());
        }
        let evaluator = self.scope_of(scope, Part::Annotations).expect("deferred annotations have a scope");
        let range = self.u.range;
        self.begin_evaluator(evaluator, "__annotate__", range);
        let map = self.u.alloc();
        self.u.op3(Op::BuildMap, map, map, 0);
        for d in deferred {
            let skip = self.u.new_label();
            if let Some(i) = d.condition {
                let mark = self.u.mark();
                let index = self.u.alloc();
                self.u.load_const(index, &Const::Int(i64::from(i)));
                let set = self.load_name(&"__conditional_annotations__".into(), None);
                self.u.op3(Op::In, index, index, set);
                self.u.jump_if(Op::JumpFalse, index, skip);
                self.u.reset(mark);
            }
            self.annotation(map, &d.name, d.annotation)?;
            self.u.place(skip);
        }
        self.emit_return(map);
        self.u.reset(0);
        let code = self.pop_unit()?;
        let mark = self.u.mark();
        let f = self.u.alloc();
        self.make_simple_function(code, evaluator, f);
        self.store_plain(name, f);
        self.u.reset(mark);
        Ok(())
    }

    /// At an annotated assignment in a module or class.
    pub fn variable_annotation(&mut self, a: &'a ast::StmtAnnAssign, name: &Sym) -> Res<()> {
        let mark = self.u.mark();
        if self.future_annotations {
            let map = self.u.alloc();
            self.load_name(&"__annotations__".into(), Some(map));
            let key = self.u.alloc();
            self.u.load_str(key, name);
            let value = self.u.alloc();
            let text = crate::unparse::unparse(self, &a.annotation);
            self.u.load_str(value, &text);
            self.u.op3(Op::StoreIndex, map, key, value);
            self.u.reset(mark);
            return Ok(());
        }
        let scope = &self.tree.scopes[self.u.scope];
        let found = scope.deferred.iter().find(|d| std::ptr::eq(d.annotation, &*a.annotation));
        let Some(i) = found.and_then(|d| d.condition) else { return Ok(()) };
        let set = self.u.alloc();
        match self.f.conditional_annotations {
            Some(cell) => {
                let n = self.u.name("__conditional_annotations__");
                self.u.emit(Op::LoadDeref, set, cell, 0, n);
            }
            None => {
                self.load_name(&"__conditional_annotations__".into(), Some(set));
            }
        }
        let index = self.u.alloc();
        self.u.load_const(index, &Const::Int(i64::from(i)));
        // The name may have been given to anything meanwhile.
        self.u.op3(Op::BuildSet, index, index, 1);
        self.u.op3(Op::InplaceOr, set, set, index);
        self.u.reset(mark);
        Ok(())
    }

    // ---- type parameters

    /// Makes and binds the type parameters; their tuple lands in `dst`.
    pub fn type_params(&mut self, tp: &'a ast::TypeParams, dst: Reg) -> Res<()> {
        let mark = self.u.mark();
        let outer = self.u.range;
        let list = self.u.alloc();
        self.u.op3(Op::BuildList, list, list, 0);
        for p in &tp.type_params {
            self.u.range = p.range();
            let inner = self.u.mark();
            let row = self.u.alloc_row(2);
            self.u.load_str(row, p.name());
            let kind = match p {
                TypeParam::TypeVar(t) => match &t.bound {
                    Some(bound) => {
                        self.evaluator(key(p), Part::Bound, p.name(), bound, row + 1)?;
                        if bound.is_tuple_expr() {
                            Intrinsic::TypeVarWithConstraints
                        } else {
                            Intrinsic::TypeVarWithBound
                        }
                    }
                    None => Intrinsic::TypeVar,
                },
                TypeParam::TypeVarTuple(_) => Intrinsic::TypeVarTuple,
                TypeParam::ParamSpec(_) => Intrinsic::ParamSpec,
            };
            self.u.op3(Op::Intrinsic, row, row, kind as u16);
            if let Some(d) = p.default() {
                self.evaluator(key(p), Part::Default, p.name(), d, row + 1)?;
                self.u.op3(Op::Intrinsic, row, row, Intrinsic::SetTypeParamDefault as u16);
            }
            let name = self.mangle(p.name());
            self.store_name(&name, row);
            self.u.op2(Op::ListAppend, list, row);
            self.u.reset(inner);
        }
        self.u.range = outer;
        self.u.op2(Op::ListToTuple, dst, list);
        self.u.reset(mark);
        Ok(())
    }

    /// A function that evaluates the expression, in `dst`.
    fn evaluator(&mut self, node: usize, part: Part, name: &str, e: &'a Expr, dst: Reg) -> Res<()> {
        let scope = self.scope_of(node, part).expect("evaluators have scopes");
        self.begin_evaluator(scope, name, e.range());
        let r = match e {
            Expr::Starred(s) => {
                let t = self.expr_next(&s.value)?;
                self.u.op3(Op::Unpack, t, t, 1);
                t
            }
            _ => self.expr(e, None)?,
        };
        self.emit_return(r);
        self.u.reset(0);
        let code = self.pop_unit()?;
        // The format's default is VALUE.
        let mark = self.u.mark();
        let row = self.u.alloc_row(4);
        self.u.load_const(row, &Const::Tuple(vec![Const::Int(1)]));
        self.make_function(code, scope, row, 1, dst);
        self.u.reset(mark);
        Ok(())
    }

    pub fn type_alias(&mut self, t: &'a ast::StmtTypeAlias) -> Res<()> {
        let Expr::Name(n) = &*t.name else { return self.error("invalid syntax", t.range) };
        let mark = self.u.mark();
        let dst = self.u.alloc();
        match &t.type_params {
            None => self.alias_value(t, n, dst)?,
            Some(tp) => {
                let scope = self.scope_of(key(t), Part::TypeParams).expect("generic");
                self.push_unit(scope, &format!("<generic parameters of {}>", n.id), t.range);
                self.u.flags |= flags::OPTIMIZED | flags::NEWLOCALS;
                self.declare_variables(&[]);
                let row = self.u.alloc_row(2);
                self.type_params(tp, row + 1)?;
                self.alias_row(t, n, row)?;
                self.emit_return(row);
                let code = self.pop_unit()?;
                self.make_simple_function(code, scope, dst);
                self.u.alloc_row(crate::calls::GAP);
                self.u.emit(Op::Call, dst, 0, 0, 0);
                self.u.reset(dst - TEMP + 1);
            }
        }
        let name = self.mangle(&n.id);
        self.store_name(&name, dst);
        self.u.reset(mark);
        Ok(())
    }

    fn alias_value(&mut self, t: &'a ast::StmtTypeAlias, n: &ast::ExprName, dst: Reg) -> Res<()> {
        let mark = self.u.mark();
        let row = self.u.alloc_row(2);
        self.u.load_const(row + 1, &Const::None);
        self.alias_row(t, n, row)?;
        self.u.reset(mark);
        self.u.mov(dst, row);
        Ok(())
    }

    /// The alias object in `row`; `row + 1` holds the type parameters.
    fn alias_row(&mut self, t: &'a ast::StmtTypeAlias, n: &ast::ExprName, row: Reg) -> Res<()> {
        self.u.load_str(row, &n.id);
        let value = self.u.alloc();
        debug_assert_eq!(value, row + 2);
        self.evaluator(key(t), Part::Body, &n.id, &t.value, value)?;
        self.u.range = t.range;
        self.u.op3(Op::Intrinsic, row, row, Intrinsic::TypeAlias as u16);
        Ok(())
    }
}
