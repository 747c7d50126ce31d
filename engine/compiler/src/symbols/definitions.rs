//! Symbols of functions, classes and type parameters.

use super::SymbolBuilder;
use crate::errors::{Fault, Res};
use crate::scopes::{Part, ScopeKind, def, key};
use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::FxHashSet;

impl<'a> SymbolBuilder<'a> {
    pub(super) fn function(&mut self, f: &'a ast::StmtFunctionDef) -> Res<()> {
        for d in &f.decorator_list {
            self.expr(&d.expression)?;
        }
        self.bind(&f.name, def::LOCAL, f.name.range)?;
        self.defaults(&f.parameters)?;
        let outer = self.current;
        let outer_conditional = std::mem::take(&mut self.conditional);
        if let Some(tp) = &f.type_params {
            self.enter(ScopeKind::TypeParams, key(f), Part::TypeParams, None);
            self.describe(&f.name, f.name.range.start());
            self.generic_defaults(&f.parameters);
            self.type_params(tp)?;
        }
        self.function_annotations(f)?;
        let before = self.enter(ScopeKind::Function, key(f), Part::Body, None);
        self.describe(&f.name, f.name.range.start());
        self.scope().is_async = f.is_async;
        self.parameters(&f.parameters)?;
        self.stmts(&f.body)?;
        self.static_attributes(f);
        self.current = before;
        self.current = outer;
        self.conditional = outer_conditional;
        Ok(())
    }

    /// Hidden parameters that bring defaults, evaluated outside, into the scope of type parameters.
    pub(super) fn generic_defaults(&mut self, p: &ast::Parameters) {
        if p.posonlyargs.iter().chain(&p.args).any(|p| p.default.is_some()) {
            self.bind_plain(".defaults");
        }
        if p.kwonlyargs.iter().any(|p| p.default.is_some()) {
            self.bind_plain(".kwdefaults");
        }
    }

    /// `self.x = …` in a method adds x to the class's `__static_attributes__`.
    pub(super) fn static_attributes(&mut self, f: &'a ast::StmtFunctionDef) {
        let mut at = self.tree.scopes[self.current].parent;
        while let Some(p) = at {
            match self.tree.scopes[p].kind {
                ScopeKind::Class => break,
                ScopeKind::TypeParams => at = self.tree.scopes[p].parent,
                _ => return,
            }
        }
        let Some(class) = at else { return };
        let mut found = FxHashSet::default();
        let first = f.parameters.iter_non_variadic_params().next();
        if first.is_some() {
            crate::static_attributes::collect(&f.body, &mut |name| {
                found.insert(name.to_string());
            });
        }
        for name in found {
            let name = self.intern(&name);
            self.tree.scopes[class].static_attributes.insert(name);
        }
    }

    pub(super) fn defaults(&mut self, p: &'a ast::Parameters) -> Res<()> {
        for d in p.iter_non_variadic_params() {
            self.exprs(d.default.as_deref())?;
        }
        Ok(())
    }

    pub(super) fn function_annotations(&mut self, f: &'a ast::StmtFunctionDef) -> Res<()> {
        let any = f.returns.is_some() || f.parameters.iter().any(|p| p.annotation().is_some());
        if !any {
            return Ok(());
        }
        let outer = self.enter(ScopeKind::Annotations, key(f), Part::Annotations, None);
        self.scope().start = f.name.range.start();
        self.bind_plain(".format");
        if self.future_annotations {
            // Only strings are made of them; the walk is for their errors.
            let inner = self.enter(ScopeKind::Annotations, key(&f.parameters), Part::Annotations, None);
            self.scope().ghost = true;
            self.annotation_exprs(f)?;
            self.current = inner;
        } else {
            self.annotation_exprs(f)?;
        }
        self.current = outer;
        Ok(())
    }

    pub(super) fn annotation_exprs(&mut self, f: &'a ast::StmtFunctionDef) -> Res<()> {
        for p in crate::annotations::annotated_parameters(&f.parameters) {
            self.exprs(p.annotation.as_deref())?;
        }
        self.exprs(f.returns.as_deref())
    }

    pub(super) fn parameters(&mut self, p: &'a ast::Parameters) -> Res<()> {
        for d in p.posonlyargs.iter().chain(&p.args).chain(&p.kwonlyargs) {
            self.bind(&d.parameter.name, def::PARAM, d.parameter.name.range)?;
        }
        for v in p.vararg.iter().chain(&p.kwarg) {
            self.bind(&v.name, def::PARAM, v.name.range)?;
        }
        Ok(())
    }

    pub(super) fn type_params(&mut self, tp: &'a ast::TypeParams) -> Res<()> {
        let mut default_seen = false;
        for p in &tp.type_params {
            if p.name().as_str() == "__classdict__" {
                let message = "reserved name '__classdict__' cannot be used for type parameter";
                return Err(Fault::syntax(message, p.range()));
            }
            self.bind(p.name(), def::TYPE_PARAM, p.range())?;
            if p.default().is_some() {
                default_seen = true;
            } else if default_seen {
                let message =
                    format!("non-default type parameter '{}' follows default type parameter", p.name());
                return Err(Fault::syntax(message, p.range()));
            }
            if let ast::TypeParam::TypeVar(t) = p
                && let Some(bound) = &t.bound
            {
                let place = if bound.is_tuple_expr() { "a TypeVar constraint" } else { "a TypeVar bound" };
                self.evaluator(ScopeKind::TypeVar, key(p), Part::Bound, p.name(), bound, place)?;
            }
            if let Some(d) = p.default() {
                let place = match p {
                    ast::TypeParam::TypeVar(_) => "a TypeVar default",
                    ast::TypeParam::TypeVarTuple(_) => "a TypeVarTuple default",
                    ast::TypeParam::ParamSpec(_) => "a ParamSpec default",
                };
                self.evaluator(ScopeKind::TypeVar, key(p), Part::Default, p.name(), d, place)?;
            }
        }
        Ok(())
    }

    /// A lazily evaluated expression: a function of the format.
    pub(super) fn evaluator(
        &mut self,
        kind: ScopeKind,
        node: usize,
        part: Part,
        name: &str,
        e: &'a Expr,
        place: &'static str,
    ) -> Res<()> {
        let outer = self.enter(kind, node, part, None);
        self.describe(name, e.range().start());
        self.scope().place = place;
        self.bind_plain(".format");
        self.expr(e)?;
        self.current = outer;
        Ok(())
    }

    pub(super) fn type_alias(&mut self, t: &'a ast::StmtTypeAlias) -> Res<()> {
        let Expr::Name(name) = &*t.name else { return Ok(()) };
        self.bind(&name.id, def::LOCAL, name.range)?;
        let outer = self.current;
        if let Some(tp) = &t.type_params {
            self.enter(ScopeKind::TypeParams, key(t), Part::TypeParams, None);
            self.describe(&name.id, t.range.start());
            self.type_params(tp)?;
        }
        self.evaluator(ScopeKind::TypeAlias, key(t), Part::Body, &name.id, &t.value, "a type alias")?;
        self.current = outer;
        Ok(())
    }

    pub(super) fn class(&mut self, c: &'a ast::StmtClassDef) -> Res<()> {
        for d in &c.decorator_list {
            self.expr(&d.expression)?;
        }
        self.bind(&c.name, def::LOCAL, c.name.range)?;
        let name = self.intern(&c.name);
        let outer = self.current;
        let outer_conditional = std::mem::take(&mut self.conditional);
        let outer_count = std::mem::take(&mut self.condition_count);
        if let Some(tp) = &c.type_params {
            self.enter(ScopeKind::TypeParams, key(c), Part::TypeParams, Some(name.clone()));
            self.describe(&c.name, c.name.range.start());
            let names = tp.type_params.iter().map(|p| self.intern(p.name())).collect();
            self.scope().private_names = Some(names);
            for hidden in [".type_params", ".generic_base"] {
                let n = self.intern(hidden);
                self.note(n, def::LOCAL | def::USED, TextRange::default());
            }
            self.type_params(tp)?;
        }
        if let Some(args) = &c.arguments {
            self.exprs(args.args.iter())?;
            for k in &args.keywords {
                self.expr(&k.value)?;
            }
        }
        let before = self.enter(ScopeKind::Class, key(c), Part::Body, Some(name));
        self.describe(&c.name, c.name.range.start());
        if c.type_params.is_some() {
            let n = self.intern(".type_params");
            self.note(n, def::USED, TextRange::default());
        }
        self.stmts(&c.body)?;
        self.current = before;
        self.current = outer;
        self.conditional = outer_conditional;
        self.condition_count = outer_count;
        Ok(())
    }
}
