//! Errors in the replacement fields of f-strings and t-strings: CPython's grammar names what it expects.

use super::{Context, Interpolated, span};
use crate::errors::Fault;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::ParseErrorType as E;
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextRange, TextSize};

/// Something open around a token; numbers are indices of tokens.
#[derive(Clone, Copy)]
enum Open {
    Literal(usize),
    /// A replacement field's expression, and what is behind it.
    Field(usize),
    /// A format specification, from its colon on.
    Specification(usize),
    Bracket,
}

impl Context<'_> {
    /// What is open before the token, outermost first.
    fn open_before(&self, i: usize) -> Vec<Open> {
        let mut open = Vec::new();
        for (n, t) in self.tokens[..i].iter().enumerate() {
            match (t.kind(), open.last()) {
                (TokenKind::FStringStart | TokenKind::TStringStart, _) => open.push(Open::Literal(n)),
                (TokenKind::FStringEnd | TokenKind::TStringEnd, _) => {
                    while let Some(o) = open.pop() {
                        if matches!(o, Open::Literal(_)) {
                            break;
                        }
                    }
                }
                (TokenKind::Lbrace, Some(Open::Literal(_) | Open::Specification(_))) => {
                    open.push(Open::Field(n));
                }
                (TokenKind::Lbrace | TokenKind::Lpar | TokenKind::Lsqb, _) => open.push(Open::Bracket),
                (TokenKind::Colon, Some(Open::Field(_))) => open.push(Open::Specification(n)),
                (TokenKind::Rbrace, Some(Open::Specification(_))) => {
                    open.truncate(open.len().saturating_sub(2));
                }
                (TokenKind::Rbrace | TokenKind::Rpar | TokenKind::Rsqb, Some(_)) => {
                    open.pop();
                }
                _ => {}
            }
        }
        open
    }

    /// The error of the replacement field that the first of the parser's errors is in.
    pub(super) fn replacement_field(&self) -> Option<Box<Fault>> {
        let error = self.errors.first()?;
        if let E::Lexical(_) = error.error
            && !matches!(self.kind_at(self.index_at(error.location.start())), TokenKind::Unknown)
        {
            return None;
        }
        let mut i = self.index_at(error.location.start());
        let mut open = self.open_before(i);
        let specification = match open.last() {
            Some(&Open::Specification(colon)) => {
                open.pop();
                Some(colon)
            }
            _ => None,
        };
        let Some(&Open::Field(brace)) = open.last() else { return None };
        let letter = self.letter(&open)?;
        let f = |message: &str, r: TextRange| Some(Fault::syntax(format!("{letter}-string: {message}"), r));
        if let Some(r) = self.bare_lambda(brace) {
            return f("lambda expressions are not allowed without parentheses", r);
        }
        let first = self.after(brace).map_or(brace, |t| self.index_at(t.start()));
        let text = |i: usize| self.token(i).map_or("", |t| self.text(t.range()));
        let range = |i: usize| self.token(i).map_or(error.location, |t| t.range());
        let is_end = |i: usize| matches!(self.kind_at(i), TokenKind::FStringEnd | TokenKind::TStringEnd);
        if let Some(begin) = specification {
            // The parser may have gone on behind the colon of an empty field.
            let colon = self.before(i).map_or(i, |t| self.index_at(t.start()));
            if first == colon || first == i {
                return f("valid expression required before ':'", range(first));
            }
            if is_end(i) {
                return f("expecting '}', or format specs", range(i));
            }
            let expression = TextRange::new(range(first).start(), range(begin).start());
            return if self.parses(expression) { None } else { Some(self.unexpected(first, begin, letter)) };
        }
        match self.kind_at(first) {
            TokenKind::Equal | TokenKind::Exclamation | TokenKind::Colon | TokenKind::Rbrace
                if first == i =>
            {
                return f(&format!("valid expression required before '{}'", text(first)), range(first));
            }
            _ => {}
        }
        if is_end(i) {
            return f("expecting '}'", TextRange::empty(range(i).start()));
        }
        // The tokens directly in the field behind its expression.
        let mut behind = None;
        let mut depth = 0;
        for n in first..i {
            match self.kind_at(n) {
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth -= 1,
                TokenKind::FStringStart | TokenKind::TStringStart => depth += 1,
                TokenKind::FStringEnd | TokenKind::TStringEnd => depth -= 1,
                TokenKind::Equal | TokenKind::Exclamation if depth == 0 => {
                    behind = behind.or(Some(n));
                }
                _ => {}
            }
        }
        let last = self.before(i)?;
        if let Some(n) = behind {
            // The index of an error about a conversion is its own.
            if let E::FStringError(k) | E::TStringError(k) = &error.error
                && matches!(k, Interpolated::UnclosedLbrace)
            {
                i = self.index_at(error.location.start());
            }
            return match last.kind() {
                TokenKind::Equal
                    if n + 1 == i || self.before(i).is_some_and(|t| t.start() == range(n).start()) =>
                {
                    f("expecting '!', or ':', or '}'", range(i))
                }
                TokenKind::Exclamation => self.conversion(i, last.range(), letter),
                _ => f("expecting ':' or '}'", range(i)),
            };
        }
        let expression = TextRange::new(range(first).start(), last.end().max(range(first).start()));
        if first == i || !self.parses(expression) {
            return Some(self.unexpected(first, i, letter));
        }
        if let Some(second) = self.expression_from(i)
            && !self.names_string(first, i)
        {
            let whole = span(expression.start(), second);
            return Some(Fault::syntax("invalid syntax. Perhaps you forgot a comma?", whole));
        }
        f("expecting '=', or '!', or ':', or '}'", range(i))
    }

    /// The error of a field whose expression goes wrong in brackets.
    pub(super) fn field_with_brackets(&self) -> Option<Box<Fault>> {
        let i = self.index_at(self.errors.first()?.location.start());
        let open = self.open_before(i);
        let outside = open.iter().rposition(|o| !matches!(o, Open::Bracket))?;
        let Open::Field(brace) = open[outside] else { return None };
        let first = self.index_at(self.after(brace)?.start());
        Some(self.unexpected(first, i, self.letter(&open)?))
    }

    /// What the innermost of the literals that are open is called.
    fn letter(&self, open: &[Open]) -> Option<char> {
        open.iter().rev().find_map(|o| match *o {
            Open::Literal(n) if self.kind_at(n) == TokenKind::TStringStart => Some('t'),
            Open::Literal(_) => Some('f'),
            _ => None,
        })
    }

    /// What a field's expression, from its first token to the one that is wrong, is followed by, as far as it is an
    /// expression.
    fn unexpected(&self, first: usize, wrong: usize, letter: char) -> Box<Fault> {
        /// Tokens that are left away one after the other.
        const MOST: usize = 64;
        let f = |message: &str, r: TextRange| Fault::syntax(format!("{letter}-string: {message}"), r);
        let range = |i: usize| self.token(i).map_or(TextRange::default(), |t| t.range());
        let start = range(first).start();
        let ends = (first..wrong).rev().filter(|&n| self.token(n).is_some_and(|t| !t.kind().is_trivia()));
        let end = ends.take(MOST).find(|&n| self.parses(span(start, range(n).end())));
        let Some(next) = end.and_then(|n| self.after(n)) else {
            return f("expecting a valid expression after '{'", range(first));
        };
        let rest = span(next.end(), range(wrong).start());
        if next.kind() == TokenKind::If && !self.text(rest).trim().is_empty() && self.parses(rest) {
            return Fault::syntax("expected 'else' after 'if' expression", span(start, rest.end()));
        }
        f("expecting '=', or '!', or ':', or '}'", next.range())
    }

    /// The token behind an exclamation mark.
    fn conversion(&self, i: usize, mark: TextRange, letter: char) -> Option<Box<Fault>> {
        let r = self.token(i)?.range();
        let f = |message: String, r: TextRange| Some(Fault::syntax(format!("{letter}-string: {message}"), r));
        match self.kind_at(i) {
            TokenKind::Colon | TokenKind::Rbrace => f("missing conversion character".into(), r),
            TokenKind::Name if r.start() > mark.end() => {
                let message = "conversion type must come right after the exclamation mark";
                f(message.into(), span(mark.start(), r.end()))
            }
            TokenKind::Name => {
                let name = self.text(r);
                f(format!("invalid conversion character '{name}': expected 's', 'r', or 'a'"), r)
            }
            _ => f("invalid conversion character".into(), r),
        }
    }

    /// A lambda whose colon begins the field's format specification: from the word to the colon.
    fn bare_lambda(&self, brace: usize) -> Option<TextRange> {
        let mut depth = 0;
        let mut lambda = None;
        let mut previous = TokenKind::Comma;
        for t in self.tokens[brace + 1..].iter().filter(|t| !t.kind().is_trivia()) {
            match t.kind() {
                TokenKind::Lambda if depth == 0 && matches!(previous, TokenKind::Comma | TokenKind::Else) => {
                    lambda = Some(t.start());
                }
                TokenKind::Colon if depth == 0 => return lambda.map(|start| span(start, t.end())),
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace if depth == 0 => return None,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth -= 1,
                TokenKind::FStringEnd | TokenKind::TStringEnd | TokenKind::FStringMiddle => return None,
                _ => {}
            }
            previous = t.kind();
        }
        None
    }

    fn parses(&self, r: TextRange) -> bool {
        // In parentheses, as in braces, lines may end anywhere.
        let text = format!("({})", self.text(r));
        parse_unchecked(&text, ParseOptions::from(Mode::Expression)).errors().is_empty()
    }

    /// The end of an expression that begins at the token, as far as the field goes.
    fn expression_from(&self, i: usize) -> Option<TextSize> {
        let start = self.token(i)?.start();
        let mut depth = 0;
        let mut end = None;
        for t in self.tokens[i..].iter().filter(|t| !t.kind().is_trivia()) {
            match t.kind() {
                TokenKind::Equal | TokenKind::Exclamation | TokenKind::Colon if depth == 0 => break,
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace if depth == 0 => break,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth -= 1,
                TokenKind::FStringEnd | TokenKind::TStringEnd if depth == 0 => break,
                TokenKind::Unknown if depth == 0 => break,
                TokenKind::FStringStart | TokenKind::TStringStart => depth += 1,
                TokenKind::FStringEnd | TokenKind::TStringEnd => depth -= 1,
                _ => {}
            }
            end = Some(t.end());
        }
        end.filter(|&end| end > start && self.parses(TextRange::new(start, end)))
    }

    /// A name and a string, which may be meant for a prefix.
    fn names_string(&self, first: usize, i: usize) -> bool {
        self.kind_at(first) == TokenKind::Name
            && self.after(first).is_some_and(|t| self.index_at(t.start()) == i)
            && matches!(
                self.kind_at(i),
                TokenKind::String | TokenKind::FStringStart | TokenKind::TStringStart
            )
    }
}
