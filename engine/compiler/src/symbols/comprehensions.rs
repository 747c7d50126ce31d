//! Symbols of comprehensions, and of `:=`, which binds around them.

use super::SymbolBuilder;
use crate::errors::{Fault, Res};
use crate::scopes::{Part, ScopeKind, def};
use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::Ranged;

impl<'a> SymbolBuilder<'a> {
    pub(super) fn comprehension(
        &mut self,
        kind: ScopeKind,
        node: usize,
        generators: &'a [ast::Comprehension],
        elt: &'a Expr,
        key: Option<&'a Expr>,
    ) -> Res<()> {
        let Some(first) = generators.first() else { return Ok(()) };
        self.in_iterable(|b| b.expr(&first.iter))?;
        let outer = self.enter(kind, node, Part::Body, None);
        self.scope().start = elt.range().start();
        if kind == ScopeKind::GenExpr || !self.tree.scopes[self.current].inlined {
            self.bind_plain(".0");
        }
        let mut is_async = false;
        for (i, g) in generators.iter().enumerate() {
            self.expr(&g.target)?;
            if i > 0 {
                self.in_iterable(|b| b.expr(&g.iter))?;
            }
            for c in &g.ifs {
                self.expr(c)?;
            }
            is_async |= g.is_async;
        }
        self.exprs(key)?;
        self.expr(elt)?;
        if is_async {
            self.scope().has_await = true;
            self.scope().is_async = true;
        }
        let awaits = self.scope().has_await;
        if awaits {
            self.scope().is_async = true;
        }
        self.current = outer;
        if awaits && kind != ScopeKind::GenExpr {
            self.scope().has_await = true;
        }
        Ok(())
    }

    pub(super) fn in_iterable(&mut self, f: impl FnOnce(&mut Self) -> Res<()>) -> Res<()> {
        let id = self.current;
        let outer = std::mem::replace(&mut self.tree.scopes[id].in_iterable, true);
        let r = f(self);
        self.tree.scopes[id].in_iterable = outer;
        r
    }

    pub(super) fn named(&mut self, n: &'a ast::ExprNamed) -> Res<()> {
        self.forbid_in_annotation("named expression", n.range)?;
        let Expr::Name(target) = &*n.target else { return Ok(()) };
        if target.range.start() > n.range.start() {
            // In parentheses it is no plain name.
            return Err(Fault::syntax("cannot use assignment expressions with name", target.range));
        }
        if self.tree.scopes[self.current].in_iterable {
            let message = "assignment expression cannot be used in a comprehension iterable expression";
            return Err(Fault::syntax(message, n.range));
        }
        if self.kind().is_comprehension() {
            self.bind_outside_comprehension(target)?;
        } else {
            self.bind(&target.id, def::LOCAL, target.range)?;
        }
        let unit = self.tree.unit_of(self.current);
        self.tree.scopes[unit].has_walrus = true;
        self.expr(&n.value)
    }

    /// `:=` in a comprehension binds in the scope around all comprehensions.
    pub(super) fn bind_outside_comprehension(&mut self, target: &ast::ExprName) -> Res<()> {
        if target.id.as_str() == "__debug__" {
            return Err(Fault::syntax("cannot assign to __debug__", target.range));
        }
        let name = self.mangled(&target.id);
        let mut at = self.current;
        while self.tree.scopes[at].kind.is_comprehension() {
            let scope = &self.tree.scopes[at];
            if let Some(s) = scope.get(&name)
                && s.flags & def::COMP_ITER != 0
            {
                let message = format!(
                    "assignment expression cannot rebind comprehension iteration variable '{}'",
                    target.id
                );
                return Err(Fault::syntax(message, target.range));
            }
            at = scope.parent.expect("the module is no comprehension");
        }
        let unit = self.tree.unit_of(at);
        self.tree.scopes[unit].has_walrus = true;
        let (kind, flags) = {
            let s = &self.tree.scopes[at];
            (s.kind, s.get(&name).map_or(0, |s| s.flags))
        };
        if kind == ScopeKind::Class || kind.is_annotation_like() {
            let place = self.tree.scopes[at].place;
            let around = matches!(kind, ScopeKind::TypeParams | ScopeKind::Annotations);
            let preposition = if around { "within" } else { "in" };
            let message =
                format!("assignment expression within a comprehension cannot be used {preposition} {place}");
            return Err(Fault::syntax(message, target.range));
        }
        let inner_flag =
            if kind == ScopeKind::Module || flags & def::GLOBAL != 0 { def::GLOBAL } else { def::NONLOCAL };
        let current = self.current;
        let mut inner = current;
        while inner != at {
            self.current = inner;
            self.note(name.clone(), inner_flag, target.range);
            inner = self.tree.scopes[inner].parent.expect("the module is no comprehension");
        }
        self.current = at;
        if flags & (def::NONLOCAL | def::GLOBAL) == 0 {
            let flag = if kind == ScopeKind::Module { def::GLOBAL } else { def::LOCAL };
            self.note(name, flag, target.range);
        }
        self.current = current;
        Ok(())
    }
}
