//! What stands behind `as` or on the left of `=` and cannot be bound.

use super::{Context, expr_name};
use crate::errors::Fault;
use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Expr, Mod};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextRange, TextSize};

impl Context<'_> {
    /// The expression that begins at a token and goes up to the end of the clause, and its range.
    pub(super) fn expression_at(&self, i: usize) -> Option<(Expr, TextRange)> {
        let start = self.token(i)?.start();
        let mut depth = 0;
        let mut end = start;
        for t in self.tokens[i..].iter().filter(|t| !t.kind().is_trivia()) {
            match t.kind() {
                TokenKind::Newline | TokenKind::Semi | TokenKind::EndOfFile => break,
                TokenKind::Colon | TokenKind::Comma | TokenKind::Equal | TokenKind::If if depth == 0 => break,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace if depth == 0 => break,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth -= 1,
                _ => {}
            }
            end = t.end();
        }
        let range = TextRange::new(start, end);
        let parsed = parse_unchecked(self.text(range), ParseOptions::from(Mode::Expression));
        match (parsed.errors().is_empty(), parsed.into_syntax()) {
            (true, Mod::Expression(e)) if !range.is_empty() => Some((*e.body, range)),
            _ => None,
        }
    }

    /// `import a as b.c`, `except A as b[0]`, `case x as 1 + 2`: an expression where a name must stand.
    pub(super) fn as_target(&self, i: usize) -> Option<Box<Fault>> {
        let before = self.before(i)?;
        let name = self.index_at(before.start());
        let start = match before.kind() {
            TokenKind::As => i,
            TokenKind::Name if self.before(name)?.kind() == TokenKind::As => name,
            _ => return None,
        };
        let line = self.line_start(i);
        let (e, range) = self.expression_at(start)?;
        let name = expr_name(&e);
        let message = match self.kind_at(line) {
            TokenKind::Import | TokenKind::From => format!("cannot use {name} as import target"),
            TokenKind::Except => {
                let star = self.after(line).is_some_and(|t| t.kind() == TokenKind::Star);
                format!("cannot use except{} statement with {name}", if star { "*" } else { "" })
            }
            TokenKind::Case if self.text(range) == "_" => "cannot use '_' as a target".into(),
            TokenKind::Case => format!("cannot use {name} as pattern target"),
            _ => return None,
        };
        Some(Fault::syntax(message, range))
    }

    /// Statements where the two sides of a conditional expression must stand.
    pub(super) fn conditional_side(&self, i: usize) -> Option<Box<Fault>> {
        let before = self.before(i)?;
        let range = self.token(i)?.range();
        if before.kind() == TokenKind::Else && self.line_start(i) != self.index_at(before.start()) {
            let message = "expected expression after 'else', but statement is given";
            return Some(Fault::syntax(message, range));
        }
        let next = self.after(i)?;
        let simple = matches!(self.kind_at(i), TokenKind::Pass | TokenKind::Break | TokenKind::Continue);
        let rest = self.tokens[i..].iter().take_while(|t| t.kind() != TokenKind::Newline);
        if simple && next.kind() == TokenKind::If && rest.clone().any(|t| t.kind() == TokenKind::Else) {
            let message = "expected expression before 'if', but statement is given";
            return Some(Fault::syntax(message, range));
        }
        None
    }

    /// `elif` behind the `else` block of the same column.
    pub(super) fn elif_after_else(&self, i: usize) -> Option<Box<Fault>> {
        let elif = self.token(i).filter(|t| t.kind() == TokenKind::Elif)?;
        let column = |t: TextSize| self.source.locate(t.to_u32()).1;
        let mut at = i;
        loop {
            let newline = self.tokens[..at].iter().rposition(|t| t.kind() == TokenKind::Newline)?;
            at = self.line_start(newline);
            let first = self.token(at)?;
            if column(first.start()) == column(elif.start()) {
                let message = "'elif' block follows an 'else' block";
                let follows = first.kind() == TokenKind::Else;
                return follows.then(|| Fault::syntax(message, elif.range()));
            }
        }
    }

    /// The error of a `for` loop's or another statement's target.
    pub(super) fn loop_target(&self, r: TextRange) -> Option<Box<Fault>> {
        let before = self.before(self.index_at(r.start()))?;
        let Some(Expr::Compare(c)) = self.find(|e| e.range() == r) else { return None };
        // `for x in y` without its end reads as a comparison; others are no targets at all.
        let other = before.kind() == TokenKind::For && !c.ops.first()?.is_in();
        other.then(|| self.invalid(c.left.end()))
    }

    /// `a, b += 1`.
    pub(super) fn augmented_tuple(&self, i: usize) -> Option<Box<Fault>> {
        self.kind_at(i).as_augmented_assign_operator()?;
        let first = self.token(self.line_start(i))?;
        let range = super::span(first.start(), self.before(i)?.end());
        let tuple = self.text(range).contains(',') && !self.in_brackets(range.end());
        let message = "'tuple' is an illegal expression for augmented assignment";
        tuple.then(|| Fault::syntax(message, range))
    }

    /// `f(name = element for …)`: the keyword argument's value must be parenthesized.
    pub(super) fn keyword_generator(&self, i: usize) -> Option<Box<Fault>> {
        if !matches!(self.kind_at(i), TokenKind::For | TokenKind::Async) {
            return None;
        }
        let mut depth = 0;
        for (n, t) in self.tokens[..i].iter().enumerate().rev() {
            match t.kind() {
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace | TokenKind::Comma if depth == 0 => {
                    return None;
                }
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth -= 1,
                TokenKind::Equal if depth == 0 => {
                    let name = self.before(n).filter(|t| t.kind() == TokenKind::Name)?;
                    let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
                    return Some(Fault::syntax(message, super::span(name.start(), t.end())));
                }
                _ => {}
            }
        }
        None
    }

    /// Where the first `for` in a range is.
    pub(super) fn first_for(&self, r: TextRange) -> TextSize {
        let inside = self.tokens.iter().filter(|t| r.contains_range(t.range()));
        let mut fors = inside.filter(|t| matches!(t.kind(), TokenKind::For | TokenKind::Async));
        fors.next().map_or(r.start(), |t| t.start())
    }
}
