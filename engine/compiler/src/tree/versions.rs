//! `feature_version`: syntax that an older Python does not have is an error.

use crate::errors::{Fault, Res};
use crate::source::Source;
use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_python_ast::visitor::source_order::{
    self, SourceOrderVisitor, walk_comprehension, walk_except_handler, walk_expr, walk_parameters, walk_stmt,
    walk_type_params,
};
use ruff_python_ast::{Comprehension, ExceptHandler, Expr, Mod, Operator, Parameters, Stmt, TypeParams};
use ruff_text_size::{Ranged, TextRange};

/// SyntaxError: the first thing in the source that Python 3.`minor` does not have.
pub fn check(module: &Mod, source: &Source, tokens: &Tokens, minor: u8) -> Res<()> {
    let mut checker = Checker { minor, found: None };
    match module {
        Mod::Module(m) => source_order::walk_body(&mut checker, &m.body),
        Mod::Expression(e) => checker.visit_expr(&e.body),
    }
    let is_number = |k: TokenKind| matches!(k, TokenKind::Int | TokenKind::Float | TokenKind::Complex);
    let underscored =
        tokens.iter().find(|t| is_number(t.kind()) && source.text[t.range().to_std_range()].contains('_'));
    if let Some(t) = underscored {
        checker.need(6, "Underscores in numeric literals are", t.range());
    }
    checker.found.map_or(Ok(()), Err)
}

struct Checker {
    minor: u8,
    found: Option<Box<Fault>>,
}

impl Checker {
    fn need(&mut self, minor: u8, what: &str, range: TextRange) {
        if self.minor < minor && self.found.is_none() {
            let message = format!("{what} only supported in Python 3.{minor} and greater");
            self.found = Some(Fault::syntax(message, range));
        }
    }
}

impl<'a> SourceOrderVisitor<'a> for Checker {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let range = stmt.range();
        match stmt {
            Stmt::FunctionDef(f) if f.is_async => self.need(5, "Async functions are", range),
            Stmt::For(f) if f.is_async => self.need(5, "Async for loops are", range),
            Stmt::With(w) if w.is_async => self.need(5, "Async with statements are", range),
            Stmt::AugAssign(a) if a.op == Operator::MatMult => self.need(5, "The '@' operator is", range),
            Stmt::AnnAssign(_) => self.need(6, "Variable annotation syntax is", range),
            Stmt::Match(_) => self.need(10, "Pattern matching is", range),
            Stmt::TypeAlias(_) => self.need(12, "Type statement is", range),
            Stmt::Try(t) if t.is_star => self.need(11, "Exception groups are", range),
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(h) = handler;
        if let Some(Expr::Tuple(t)) = h.type_.as_deref()
            && !t.parenthesized
        {
            self.need(14, "except expressions without parentheses are", t.range);
        }
        walk_except_handler(self, handler);
    }

    fn visit_parameters(&mut self, parameters: &'a Parameters) {
        if !parameters.posonlyargs.is_empty() {
            self.need(8, "Positional-only parameters are", parameters.range);
        }
        walk_parameters(self, parameters);
    }

    fn visit_type_params(&mut self, params: &'a TypeParams) {
        self.need(12, "Type parameter lists are", params.range);
        if let Some(p) = params.iter().find(|p| p.default().is_some()) {
            self.need(13, "Type parameter defaults are", p.range());
        }
        walk_type_params(self, params);
    }

    fn visit_comprehension(&mut self, comprehension: &'a Comprehension) {
        if comprehension.is_async {
            self.need(6, "Async comprehensions are", comprehension.range);
        }
        walk_comprehension(self, comprehension);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        let range = expr.range();
        match expr {
            Expr::Await(_) => self.need(5, "Await expressions are", range),
            Expr::BinOp(b) if b.op == Operator::MatMult => self.need(5, "The '@' operator is", range),
            Expr::Named(_) => self.need(8, "Assignment expressions are", range),
            Expr::TString(_) => self.need(14, "t-strings are", range),
            _ => {}
        }
        walk_expr(self, expr);
    }
}
