//! Errors in the parameters of functions and lambdas.

use super::{Context, span};
use crate::errors::Fault;
use ruff_python_ast::token::TokenKind;
use ruff_text_size::{Ranged, TextRange};

impl Context<'_> {
    /// A star without parameters behind it, if it is only followed by the end or `**`.
    pub(super) fn bare_star(&self, star: TextRange) -> Box<Fault> {
        let ends = |k: TokenKind| matches!(k, TokenKind::Rpar | TokenKind::Colon);
        let next = self.index_at(star.end());
        let mut at = next;
        if self.kind_at(next) == TokenKind::Comma {
            at = self.after(next).map_or(next, |t| self.index_at(t.start()));
            if self.kind_at(at) == TokenKind::DoubleStar {
                return Fault::syntax("named arguments must follow bare *", star);
            }
        }
        if ends(self.kind_at(at)) {
            let lambda = self.kind_at(at) == TokenKind::Colon;
            let range = self.token(at).map(|t| t.range()).filter(|_| lambda).unwrap_or(star);
            return Fault::syntax("named arguments must follow bare *", range);
        }
        self.invalid(self.token(at).map_or(star.end(), |t| t.start()))
    }

    /// A slash as the first parameter.
    pub(super) fn first_slash(&self, slash: TextRange) -> Box<Fault> {
        let i = self.index_at(slash.start());
        let begins = |k: TokenKind| matches!(k, TokenKind::Lpar | TokenKind::Lambda | TokenKind::Def);
        let starred = self.tokens[..i]
            .iter()
            .rev()
            .take_while(|t| !begins(t.kind()))
            .any(|t| t.kind() == TokenKind::Star);
        if starred {
            return Fault::syntax("/ must be ahead of *", slash);
        }
        match self.after(i).map(|t| t.kind()) {
            Some(TokenKind::Comma) => Fault::syntax("at least one argument must precede /", slash),
            _ => self.invalid(slash.start()),
        }
    }

    /// `*args=1`, but not `*args: *Ts = 1`, which no rule foresees.
    pub(super) fn variadic_default(&self, equal: TextRange) -> Box<Fault> {
        let before = |t: TextRange| self.before(self.index_at(t.start()));
        let starred = before(equal)
            .and_then(|name| before(name.range()))
            .filter(|t| t.kind() == TokenKind::Star)
            .and_then(|star| before(star.range()))
            .is_some_and(|t| t.kind() == TokenKind::Colon);
        if starred {
            return self.invalid(equal.start());
        }
        let kind = if self.parameter_star(equal.start()) { "positional" } else { "keyword" };
        Fault::syntax(format!("var-{kind} argument cannot have default value"), equal)
    }

    /// Whether a token is among the parameters of a lambda.
    pub(super) fn in_lambda_parameters(&self, i: usize) -> bool {
        let mut depth = 0;
        for t in self.tokens[..i].iter().rev() {
            match t.kind() {
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace if depth == 0 => return false,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth -= 1,
                TokenKind::Lambda if depth == 0 => return true,
                TokenKind::Colon | TokenKind::Newline | TokenKind::Semi if depth == 0 => return false,
                _ => {}
            }
        }
        false
    }

    /// `def f((a, b))` and `lambda (a, b): …`, which Python 2 allowed.
    pub(super) fn parenthesized_parameters(&self, i: usize) -> Option<Box<Fault>> {
        if self.kind_at(i) != TokenKind::Lpar {
            return None;
        }
        let mut what = None;
        let mut opened = false;
        for t in self.tokens[..i].iter().rev() {
            match t.kind() {
                TokenKind::Lpar => opened = true,
                TokenKind::Comma | TokenKind::Name => {}
                TokenKind::Lambda => {
                    what = Some("Lambda expression");
                    break;
                }
                TokenKind::Def if opened => {
                    what = Some("Function");
                    break;
                }
                _ => return None,
            }
        }
        let open = self.tokens[i].range();
        let close = self.tokens[i + 1..]
            .iter()
            .find(|t| !t.kind().is_trivia() && !matches!(t.kind(), TokenKind::Name | TokenKind::Comma))
            .filter(|t| t.kind() == TokenKind::Rpar)?;
        let message = format!("{} parameters cannot be parenthesized", what?);
        Some(Fault::syntax(message, span(open.start(), close.end())))
    }

    /// `f(a=)` or `def f(a=)`.
    pub(super) fn missing_value(&self, i: usize, r: TextRange) -> Box<Fault> {
        let equal = self.tokens[..i].iter().rposition(|t| t.kind() == TokenKind::Equal).unwrap_or(0);
        let open = self.tokens[..i].iter().rposition(|t| t.kind() == TokenKind::Lpar).unwrap_or(0);
        let name = self.before(equal).map_or(r, |t| t.range());
        let callee = self.before(open);
        let keyword = self.tokens[..open].iter().rfind(|t| {
            matches!(t.kind(), TokenKind::Def | TokenKind::Lambda | TokenKind::Newline | TokenKind::Equal)
        });
        let is_def = keyword.is_some_and(|t| matches!(t.kind(), TokenKind::Def)) && callee.is_some();
        if is_def || self.in_lambda_parameters(i) {
            return Fault::syntax("expected default value expression", self.tokens[equal].range());
        }
        Fault::syntax("expected argument value expression", span(name.start(), self.tokens[equal].end()))
    }
}
