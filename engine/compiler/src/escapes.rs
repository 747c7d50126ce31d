//! Warnings about backslashes that begin no escape sequence.

use crate::errors::SyntaxWarning;
use crate::source::Source;
use ruff_python_ast::token::{Token, TokenKind};
use ruff_text_size::{Ranged, TextRange, TextSize};

pub fn warnings(source: &Source, tokens: &[Token]) -> Vec<SyntaxWarning> {
    let mut found = Vec::new();
    for t in tokens {
        let Some(flags) = t.string_flags() else { continue };
        if !matches!(t.kind(), TokenKind::String | TokenKind::FStringMiddle | TokenKind::TStringMiddle)
            || flags.is_raw_string()
        {
            continue;
        }
        let text = &source.text[t.range()];
        let mut chars = text.char_indices();
        while let Some((i, c)) = chars.next() {
            if c != '\\' {
                continue;
            }
            let escaped = match chars.next() {
                Some((_, escaped)) => escaped,
                // Right before a replacement field.
                None if t.kind() != TokenKind::String => '{',
                None => break,
            };
            let rest = &text[i + 1..];
            let message = match escaped {
                '\n' | '\r' | '\\' | '\'' | '"' | 'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' => continue,
                'N' | 'u' | 'U' if !flags.is_byte_string() => continue,
                '0'..='7' => {
                    let n = rest.bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
                    if u32::from_str_radix(&rest[..n], 8).is_ok_and(|v| v <= 0o377) {
                        continue;
                    }
                    invalid(&rest[..n], "octal escape")
                }
                c => invalid(c.encode_utf8(&mut [0; 4]), "escape"),
            };
            let at = TextRange::empty(t.start() + TextSize::new(i as u32));
            found.push(SyntaxWarning::new(message, at, source));
        }
    }
    found
}

fn invalid(escape: &str, kind: &str) -> String {
    format!(
        "\"\\{escape}\" is an invalid {kind} sequence. Such sequences will not work in the future. Did you mean \
         \"\\\\{escape}\"? A raw string is also an option."
    )
}
