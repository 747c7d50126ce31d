//! Common mistakes that CPython's grammar names.

use super::{Context, expr_name, is_bitwise_or, span};
use crate::errors::Fault;
use crate::tokenizer_errors as tokenizer;
use ruff_python_ast::token::TokenKind;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, walk_stmt};
use ruff_python_ast::{Expr, Mod, Stmt};
use ruff_text_size::{Ranged, TextRange, TextSize};

/// Calls the function with every statement.
struct Statements<'f, 'a>(&'f mut dyn FnMut(&'a Stmt));

impl<'a> SourceOrderVisitor<'a> for Statements<'_, 'a> {
    fn visit_stmt(&mut self, s: &'a Stmt) {
        (self.0)(s);
        walk_stmt(self, s);
    }
}

impl<'a> Context<'a> {
    pub(super) fn assignment_target(&self, r: TextRange) -> Box<Fault> {
        let name = self.name_of(r);
        let parenthesized = self.source.text[..r.start().to_usize()].ends_with('(');
        if name == "yield expression" && !parenthesized {
            return Fault::syntax("assignment to yield expression not possible", r);
        }
        let plain = self.single_assignment(r) && self.find(|e| e.range() == r).is_some_and(is_bitwise_or);
        let here = (plain || name == "yield expression")
            && !matches!(name, "generator expression" | "True" | "None" | "False" | "list" | "tuple");
        let message = if here {
            format!("cannot assign to {name} here. Maybe you meant '==' instead of '='?")
        } else {
            format!("cannot assign to {name}")
        };
        Fault::syntax(message, r)
    }

    /// Whether the range is the one whole target of an assignment of a plain value.
    fn single_assignment(&self, r: TextRange) -> bool {
        let Mod::Module(m) = self.module else { return false };
        let mut found = false;
        let mut look = |s: &Stmt| {
            if let Stmt::Assign(a) = s
                && let [target] = &*a.targets
                && target.range() == r
            {
                found = is_bitwise_or(&a.value);
            }
        };
        let mut statements = Statements(&mut look);
        m.body.iter().for_each(|s| statements.visit_stmt(s));
        found
    }

    /// `a = b` where an expression stands: the mistaken `=`.
    pub(super) fn mistaken_equal(&self, equal: TextSize) -> Option<Box<Fault>> {
        let i = self.index_at(equal);
        let named = matches!(
            self.kind_at(self.line_start(i)),
            TokenKind::If
                | TokenKind::Elif
                | TokenKind::While
                | TokenKind::Match
                | TokenKind::Case
                | TokenKind::At
        );
        if !named && !self.in_brackets(equal) {
            return None;
        }
        let before = self.before(i)?;
        let left = self.expr_ending(before.end())?;
        let left = match left {
            Expr::Compare(c) => c.comparators.last()?,
            other => other,
        };
        if !is_bitwise_or(left) || self.starts_inside_operator(left) {
            return None;
        }
        let right = self.after(i)?;
        let end = self.expr_starting(right.start()).map_or(right.end(), |e| e.end());
        if left.is_name_expr() {
            let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
            return Some(Fault::syntax(message, span(left.start(), end)));
        }
        let name = expr_name(left);
        if matches!(name, "list" | "tuple" | "generator expression" | "True" | "None" | "False") {
            return None;
        }
        let message = format!("cannot assign to {name} here. Maybe you meant '==' instead of '='?");
        Some(Fault::syntax(message, left.range()))
    }

    fn starts_inside_operator(&self, e: &Expr) -> bool {
        let before = self.before(self.index_at(e.start()));
        before.is_some_and(|t| {
            matches!(t.kind(), TokenKind::And | TokenKind::Or | TokenKind::EqEqual | TokenKind::Less)
        })
    }

    /// The `if` behind the target of a `for` whose `in` is missing.
    pub(super) fn loop_without_in(&self, start: TextSize, end: TextSize) -> Option<TextRange> {
        let first = self.index_at(start);
        let looped = self.tokens[..first]
            .iter()
            .rev()
            .take_while(|t| {
                !matches!(t.kind(), TokenKind::In | TokenKind::Newline | TokenKind::Lsqb | TokenKind::Lbrace)
            })
            .any(|t| t.kind() == TokenKind::For);
        let word =
            self.tokens[first..].iter().take_while(|t| t.end() <= end).find(|t| t.kind() == TokenKind::If);
        word.filter(|_| looped).map(|t| t.range())
    }

    /// `f(**kwargs=…)`.
    pub(super) fn assigned_unpacking(&self, i: usize) -> Option<Box<Fault>> {
        let name = self.before(i)?;
        let stars = self.before(self.index_at(name.start()))?;
        if stars.kind() != TokenKind::DoubleStar {
            return None;
        }
        let value = self.after(i).and_then(|t| self.expr_starting(t.start()));
        let range = span(stars.start(), value.map_or(name.end(), |e| e.end()));
        Some(Fault::syntax("cannot assign to keyword argument unpacking", range))
    }

    /// `[a, b for a, b in …]`.
    pub(super) fn comprehension_target(&self, i: usize) -> Option<Box<Fault>> {
        if !matches!(self.kind_at(i), TokenKind::For | TokenKind::Async) {
            return None;
        }
        let before = tokenizer::brackets(self.source, &self.tokens[..i]).open?;
        let open = self.index_at(before.start());
        if !matches!(self.kind_at(open), TokenKind::Lsqb | TokenKind::Lbrace) {
            return None;
        }
        let mut depth = 0;
        let mut comma = false;
        for t in &self.tokens[open + 1..i] {
            match t.kind() {
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth -= 1,
                TokenKind::Comma => comma |= depth == 0,
                TokenKind::Colon if depth == 0 => return None,
                _ => {}
            }
        }
        let range = span(self.after(open)?.start(), self.before(i)?.end());
        comma.then(|| Fault::syntax("did you forget parentheses around the comprehension target?", range))
    }

    /// `[*Ts: bound]` and `[**P: bound]` in a list of type parameters; `i` is the colon.
    pub(super) fn type_parameter_bound(&self, i: usize) -> Option<Box<Fault>> {
        if self.kind_at(i) != TokenKind::Colon {
            return None;
        }
        let before = |t: TextRange| self.before(self.index_at(t.start()));
        let star = before(self.before(i)?.range())?;
        let kind = match star.kind() {
            TokenKind::Star => "TypeVarTuple",
            TokenKind::DoubleStar => "ParamSpec",
            _ => return None,
        };
        let open = tokenizer::brackets(self.source, &self.tokens[..i]).open?;
        let keyword = before(before(open)?.range())?;
        let opens = self.text(open) == "[";
        if !opens || !matches!(keyword.kind(), TokenKind::Def | TokenKind::Class | TokenKind::Type) {
            return None;
        }
        // The bound goes up to the next parameter.
        let mut depth = 0;
        let mut end = None;
        let mut tuple = false;
        for t in self.tokens[i + 1..].iter().filter(|t| !t.kind().is_trivia()) {
            match t.kind() {
                TokenKind::Comma | TokenKind::Equal | TokenKind::Rsqb if depth == 0 => break,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth -= 1,
                TokenKind::Comma if depth == 1 => tuple |= self.kind_at(i + 1) == TokenKind::Lpar,
                _ => {}
            }
            end = Some(t.end());
        }
        let what = if tuple { "constraints" } else { "bound" };
        let range = span(self.tokens[i].start(), end?);
        Some(Fault::syntax(format!("cannot use {what} with {kind}"), range))
    }
}
