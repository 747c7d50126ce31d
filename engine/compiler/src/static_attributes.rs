//! Finds the attributes that a method assigns through `self`, for `__static_attributes__`.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprContext, Stmt};

struct Collector<'f> {
    found: &'f mut dyn FnMut(&str),
}

impl<'a> Visitor<'a> for Collector<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if !matches!(stmt, Stmt::ClassDef(_)) {
            walk_stmt(self, stmt);
        }
    }

    fn visit_expr(&mut self, e: &'a Expr) {
        if let Expr::Attribute(a) = e
            && a.ctx == ExprContext::Store
            && let Expr::Name(n) = &*a.value
            && n.id.as_str() == "self"
        {
            (self.found)(&a.attr);
        }
        walk_expr(self, e);
    }
}

/// Calls `found` with each name assigned as `self.name`, as CPython does by the parameter's usual name.
pub fn collect(body: &[Stmt], found: &mut dyn FnMut(&str)) {
    let mut c = Collector { found };
    for s in body {
        c.visit_stmt(s);
    }
}
