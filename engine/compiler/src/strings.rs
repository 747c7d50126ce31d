//! Values of string literals.
//!
//! The parser's values are Rust strings, in which a lone surrogate escape became U+FFFD; such literals
//! are decoded again from the source, into WTF-8.

use crate::source::Source;
use ruff_python_ast as ast;
use ruff_text_size::TextRange;

impl Source {
    /// The literal's text as WTF-8.
    pub fn string_value(&self, s: &ast::ExprStringLiteral) -> Vec<u8> {
        let mut out = Vec::new();
        for part in &s.value {
            self.push_literal(&mut out, part);
        }
        out
    }

    pub fn push_literal(&self, out: &mut Vec<u8>, part: &ast::StringLiteral) {
        let raw = part.flags.prefix().is_raw();
        if !raw && part.value.contains('\u{fffd}') && self.has_text() {
            self.push_text(out, &part.value, part.content_range(), raw, false);
        } else {
            out.extend_from_slice(part.value.as_bytes());
        }
    }

    pub fn push_text(&self, out: &mut Vec<u8>, value: &str, content: TextRange, raw: bool, braces: bool) {
        if !raw && value.contains('\u{fffd}') {
            decode_escapes(&self.text[content], value, braces, out);
        } else {
            out.extend_from_slice(value.as_bytes());
        }
    }
}

/// Decodes the raw text; `value` is what the parser made of it, right but for surrogates: they are the
/// U+FFFD in it that an escape of a surrogate stands for.
fn decode_escapes(raw: &str, value: &str, braces: bool, out: &mut Vec<u8>) {
    let mut surrogates = Vec::new();
    let bytes = raw.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] != b'\\' {
            if bytes[i..].starts_with("\u{fffd}".as_bytes()) {
                surrogates.push(None);
            }
            i += 1;
            continue;
        }
        let n = match bytes.get(i + 1) {
            Some(b'u') => 4,
            Some(b'U') => 8,
            Some(b'N') if bytes[i..].starts_with(b"\\N{REPLACEMENT CHARACTER}") => {
                surrogates.push(None);
                2
            }
            _ => 0,
        };
        if n == 4 || n == 8 {
            let code = raw.get(i + 2..i + 2 + n).and_then(|h| u32::from_str_radix(h, 16).ok());
            match code {
                Some(c @ 0xd800..=0xdfff) => surrogates.push(Some(c)),
                Some(0xfffd) => surrogates.push(None),
                _ => {}
            }
            i += 2 + n;
        } else {
            i += 2;
        }
    }
    debug_assert!(braces || surrogates.len() == value.matches('\u{fffd}').count());
    let mut next = surrogates.into_iter();
    for c in value.chars() {
        if c == '\u{fffd}'
            && let Some(Some(code)) = next.next()
        {
            out.extend([
                0xe0 | (code >> 12) as u8,
                0x80 | (code >> 6 & 0x3f) as u8,
                0x80 | (code & 0x3f) as u8,
            ]);
        } else {
            let mut buf = [0; 4];
            out.extend(c.encode_utf8(&mut buf).bytes());
        }
    }
}

/// Strips the common indentation off a docstring, as `inspect.cleandoc` does but for blank lines at the ends.
pub fn clean_docstring(doc: &[u8]) -> Vec<u8> {
    // Tabs are expanded first.
    let mut text = Vec::with_capacity(doc.len());
    let mut column = 0;
    for &b in doc {
        match b {
            b'\t' => {
                let n = 8 - column % 8;
                text.extend(std::iter::repeat_n(b' ', n));
                column += n;
            }
            b'\n' | b'\r' => {
                text.push(b);
                column = 0;
            }
            _ => {
                text.push(b);
                // Continuation bytes take no column.
                column += usize::from(b & 0xc0 != 0x80);
            }
        }
    }
    let lines: Vec<&[u8]> = text.split(|&b| b == b'\n').collect();
    let indent = |l: &[u8]| l.iter().position(|&b| b != b' ');
    let margin = lines.iter().skip(1).filter_map(|l| indent(l)).min().unwrap_or(0);
    let mut out = Vec::with_capacity(text.len());
    for (i, line) in lines.iter().enumerate() {
        if i == 0 {
            let start = indent(line).unwrap_or(line.len());
            out.extend_from_slice(&line[start..]);
        } else {
            out.push(b'\n');
            let start = margin.min(line.len());
            out.extend_from_slice(&line[start..]);
        }
    }
    out
}
