//! Errors in and around string literals.

use super::{Context, Interpolated, Lexical};
use crate::errors::Fault;
use crate::tokenizer_errors as tokenizer;
use ruff_python_ast::token::TokenKind;
use ruff_text_size::{Ranged, TextRange};

impl Context<'_> {
    pub(super) fn lexical(&self, k: &Lexical, r: TextRange) -> Box<Fault> {
        match k {
            Lexical::InvalidByteLiteral => {
                let message = "bytes can only contain ASCII literal characters";
                Fault::syntax(message, self.string_around(r))
            }
            Lexical::UnicodeError | Lexical::MissingUnicodeLbrace | Lexical::MissingUnicodeRbrace => {
                self.unicode_escape(r)
            }
            Lexical::Eof => match tokenizer::brackets(self.source, self.tokens).open {
                Some(open) => tokenizer::never_closed(self.source, open),
                None => self.invalid(r.start()),
            },
            _ => self.invalid(r.start()),
        }
    }

    fn string_around(&self, r: TextRange) -> TextRange {
        self.tokens.iter().find(|t| t.range().contains_range(r)).map_or(r, |t| t.range())
    }

    /// The broken escape sequence in the literal around the range.
    fn unicode_escape(&self, r: TextRange) -> Box<Fault> {
        let string = self.string_around(r);
        let text = self.text(string);
        let open = text.find(['"', '\'']).unwrap_or(0);
        let quotes =
            if text[open..].starts_with("\"\"\"") || text[open..].starts_with("'''") { 3 } else { 1 };
        let is_bytes = text[..open].contains(['b', 'B']);
        let start = open + quotes;
        let body = text.get(start..text.len().saturating_sub(quotes)).unwrap_or_default();
        let upto = (r.start() - string.start()).to_usize().saturating_sub(start).min(body.len());
        let at = body.get(..upto).and_then(|b| b.rfind('\\')).unwrap_or(0);
        let chars = |s: &str| s.chars().count();
        let position = chars(&body[..at]);
        let letter = body[at..].chars().nth(1).unwrap_or(' ');
        if is_bytes {
            let message = format!("(value error) invalid \\x escape at position {position}");
            return Fault::syntax(message, string);
        }
        let (what, digits) = match letter {
            'x' => ("truncated \\xXX escape", 2),
            'u' => ("truncated \\uXXXX escape", 4),
            'U' => ("truncated \\UXXXXXXXX escape", 8),
            _ => ("", 0),
        };
        let rest = &body[(at + 2).min(body.len())..];
        let hex = rest.chars().take(digits).take_while(char::is_ascii_hexdigit).count();
        let (what, len) = if digits == 0 {
            match rest.strip_prefix('{').and_then(|r| r.find('}').map(|i| chars(&r[..i]))) {
                Some(n) if n > 0 => ("unknown Unicode character name", n + 4),
                // An open brace reaches to the end.
                None if rest.starts_with('{') => ("malformed \\N character escape", 2 + chars(rest)),
                _ => ("malformed \\N character escape", 2 + usize::from(rest.starts_with('{'))),
            }
        } else if hex == digits {
            ("illegal Unicode character", digits + 2)
        } else {
            (what, hex + 2)
        };
        let end = position + len - 1;
        let message = format!(
            "(unicode error) 'unicodeescape' codec can't decode bytes in position {position}-{end}: {what}"
        );
        Fault::syntax(message, string)
    }

    pub(super) fn interpolated(&self, letter: &str, k: &Interpolated, r: TextRange) -> Box<Fault> {
        let text = self.text(r);
        let what = match k {
            Interpolated::InvalidConversionFlag
                if text.chars().all(|c| c.is_alphanumeric() || c == '_') && !text.is_empty() =>
            {
                format!("invalid conversion character '{text}': expected 's', 'r', or 'a'")
            }
            Interpolated::InvalidConversionFlag => "missing conversion character".into(),
            Interpolated::LambdaWithoutParentheses => {
                "lambda expressions are not allowed without parentheses".into()
            }
            Interpolated::UnclosedLbrace => "expecting '}'".into(),
            Interpolated::SingleRbrace => "single '}' is not allowed".into(),
            Interpolated::ConversionFlagNotImmediatelyAfterExclamation => {
                "conversion type must come right after the exclamation mark".into()
            }
            Interpolated::NewlineInFormatSpec => {
                "newlines are not allowed in format specifiers for single quoted f-strings".into()
            }
            Interpolated::UnterminatedString | Interpolated::UnterminatedTripleQuotedString => {
                "unterminated string".into()
            }
        };
        Fault::syntax(format!("{letter}-string: {what}"), r)
    }

    /// What the literal around a token is called.
    pub(super) fn interpolated_kind(&self, i: usize) -> &'static str {
        let mut depth = 0;
        for t in self.tokens[..i].iter().rev() {
            match t.kind() {
                TokenKind::FStringEnd | TokenKind::TStringEnd => depth += 1,
                TokenKind::FStringStart | TokenKind::TStringStart if depth > 0 => depth -= 1,
                TokenKind::TStringStart => return "t-string",
                TokenKind::FStringStart => return "f-string",
                _ => {}
            }
        }
        "f-string"
    }

    // ---- literals side by side

    /// Names between two strings, which a quote in the middle may have made.
    pub(super) fn interrupted_string(&self, i: usize) -> Option<Box<Fault>> {
        if self.before(i)?.kind() != TokenKind::String {
            return None;
        }
        let rest = self.tokens[i..].iter().filter(|t| !t.kind().is_trivia());
        let names: Vec<_> = rest.clone().take_while(|t| t.kind() == TokenKind::Name).collect();
        let closes = rest.clone().nth(names.len()).is_some_and(|t| t.kind() == TokenKind::String);
        let range = names.first()?.range().cover(names.last()?.range());
        let message = "invalid syntax. Is this intended to be part of the string?";
        closes.then(|| Fault::syntax(message, range))
    }

    /// The literals in a range: whether each is a t-string, and where it is.
    fn literals(&self, r: TextRange) -> Vec<(bool, TextRange)> {
        let mut found = Vec::new();
        let mut open: Vec<(bool, TextRange)> = Vec::new();
        for t in self.tokens.iter().filter(|t| r.contains_range(t.range())) {
            match t.kind() {
                TokenKind::FStringStart | TokenKind::TStringStart => {
                    open.push((t.kind() == TokenKind::TStringStart, t.range()));
                }
                TokenKind::FStringEnd | TokenKind::TStringEnd => {
                    if let (Some((template, start)), true) = (open.pop(), open.is_empty()) {
                        found.push((template, start.cover(t.range())));
                    }
                }
                TokenKind::String if open.is_empty() => found.push((false, t.range())),
                _ => {}
            }
        }
        found
    }

    /// A t-string next to another literal.
    pub(super) fn mixed_templates(&self, r: TextRange) -> Box<Fault> {
        let all = self.literals(r);
        let pair = all.windows(2).find(|p| p[0].0 != p[1].0);
        let range = pair.map_or(r, |p| p[0].1.cover(p[1].1));
        Fault::syntax("cannot mix t-string literals with string or bytes literals", range)
    }

    /// Bytes next to text: CPython names the token behind the literals.
    pub(super) fn mixed_bytes(&self, r: TextRange) -> Box<Fault> {
        let range = match self.token(self.index_at(r.end())) {
            Some(t) if t.kind() == TokenKind::Newline => TextRange::at(r.end(), 1.into()),
            Some(t) => t.range(),
            None => TextRange::empty(r.end()),
        };
        Fault::syntax("cannot mix bytes and nonbytes literals", range)
    }
}
