//! Tokens of the text form: how constants and words are spelled, and a lexer for one line.

use crate::code::Const;
use std::fmt::{self, Write};

/// Spells a constant; `code` names the codes inside it.
pub fn literal(out: &mut String, value: &Const, code: &mut impl FnMut(&crate::Code) -> usize) -> fmt::Result {
    match value {
        Const::None => out.push_str("None"),
        Const::True => out.push_str("True"),
        Const::False => out.push_str("False"),
        Const::Ellipsis => out.push_str("..."),
        Const::Int(n) => write!(out, "{n}")?,
        Const::BigInt(digits) => {
            out.push_str("0x");
            for (i, d) in digits.iter().rev().enumerate() {
                match (i, d) {
                    (0, 1..) => write!(out, "{d:x}")?,
                    _ => write!(out, "{d:08x}")?,
                }
            }
            out.push('n');
        }
        Const::Float(bits) => float(out, *bits)?,
        Const::Complex(re, im) => {
            out.push_str("complex(");
            float(out, *re)?;
            out.push_str(", ");
            float(out, *im)?;
            out.push(')');
        }
        Const::Str(bytes) => quote(out, bytes, '\'')?,
        Const::Bytes(bytes) => {
            out.push_str("b'");
            for &b in bytes {
                match b {
                    b'\'' | b'\\' => write!(out, "\\{}", b as char)?,
                    0x20..0x7f => out.push(b as char),
                    _ => write!(out, "\\x{b:02x}")?,
                }
            }
            out.push('\'');
        }
        Const::Tuple(items) => list(out, "(", items, ")", code)?,
        Const::FrozenSet(items) => list(out, "frozenset(", items, ")", code)?,
        Const::Code(inner) => write!(out, "${}", code(inner))?,
    }
    Ok(())
}

fn list(
    out: &mut String,
    open: &str,
    items: &[Const],
    close: &str,
    code: &mut impl FnMut(&crate::Code) -> usize,
) -> fmt::Result {
    out.push_str(open);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        literal(out, item, code)?;
    }
    out.push_str(close);
    Ok(())
}

/// A float so that its bits come back: NaNs by their bits, others in the shortest decimal form.
fn float(out: &mut String, bits: u64) -> fmt::Result {
    let f = f64::from_bits(bits);
    if f.is_nan() { write!(out, "nan:{bits:016x}") } else { write!(out, "{f:?}") }
}

/// WTF-8 text in quotes; bytes that are not even that become `\?ff`.
fn quote(out: &mut String, bytes: &[u8], mark: char) -> fmt::Result {
    out.push(mark);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (good, bad) = match std::str::from_utf8(rest) {
            Ok(s) => (s, &[][..]),
            Err(e) => {
                let (good, bad) = rest.split_at(e.valid_up_to());
                // The bytes were just found to be valid, so this never falls back.
                (std::str::from_utf8(good).unwrap_or_default(), bad)
            }
        };
        for ch in good.chars() {
            match ch {
                '\n' => out.push_str("\\n"),
                '\\' => out.push_str("\\\\"),
                _ if ch == mark => write!(out, "\\{ch}")?,
                _ if ch == ' ' || ch.is_alphanumeric() || ch.is_ascii_graphic() => out.push(ch),
                '\u{10000}'.. => write!(out, "\\U{:08x}", ch as u32)?,
                _ => write!(out, "\\u{:04x}", ch as u32)?,
            }
        }
        rest = match *bad {
            [] => bad,
            [0xed, hi @ 0xa0..=0xbf, lo @ 0x80..=0xbf, ref rest @ ..] => {
                let ch = 0xd000 | u32::from(hi & 0x3f) << 6 | u32::from(lo & 0x3f);
                write!(out, "\\u{ch:04x}")?;
                rest
            }
            [b, ref rest @ ..] => {
                write!(out, "\\?{b:02x}")?;
                rest
            }
        };
    }
    out.push(mark);
    Ok(())
}

/// A name as a word: bare if it looks like one, else in double quotes.
pub fn word(name: &str) -> String {
    let plain = |ch: char| ch.is_alphanumeric() || matches!(ch, '_' | '.' | '<' | '>');
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_owned();
    }
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = quote(&mut out, name.as_bytes(), '"');
    out
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// Anything bare: mnemonics, registers, numbers, labels, position marks.
    Word(String),
    /// A double-quoted word, which is never a keyword.
    Quoted(Vec<u8>),
    Str(Vec<u8>),
    Bytes(Vec<u8>),
    Open,
    Close,
    Comma,
}

/// Splits a line into tokens, its comment dropped.
pub fn lex(line: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = line.chars().peekable();
    while let Some(ch) = rest.next() {
        out.push(match ch {
            ';' => break,
            _ if ch.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '\'' => Token::Str(unquote(&mut rest, '\'', true)?),
            '"' => Token::Quoted(unquote(&mut rest, '"', true)?),
            'b' if rest.peek() == Some(&'\'') => {
                rest.next();
                Token::Bytes(unquote(&mut rest, '\'', false)?)
            }
            _ => {
                let mut word = String::from(ch);
                let bare = |c: &char| !c.is_whitespace() && !matches!(c, '(' | ')' | ',' | ';' | '"' | '\'');
                while let Some(c) = rest.next_if(bare) {
                    word.push(c);
                }
                Token::Word(word)
            }
        });
    }
    Ok(out)
}

/// Reads up to the closing mark. In text `\xhh` is not used; in bytes it is the byte.
fn unquote(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    mark: char,
    text: bool,
) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut buf = [0; 4];
    loop {
        let ch = rest.next().ok_or("a string that does not end")?;
        if ch == mark {
            return Ok(out);
        }
        if ch != '\\' {
            out.extend_from_slice(ch.encode_utf8(&mut buf).as_bytes());
            continue;
        }
        let kind = rest.next().ok_or("a string that does not end")?;
        let width = match kind {
            'n' => {
                out.push(b'\n');
                continue;
            }
            'x' if !text => 2,
            '?' if text => 2,
            'u' if text => 4,
            'U' if text => 8,
            _ => {
                out.extend_from_slice(kind.encode_utf8(&mut buf).as_bytes());
                continue;
            }
        };
        let mut n = 0;
        for _ in 0..width {
            let digit = rest.next().and_then(|c| c.to_digit(16));
            n = n << 4 | digit.ok_or("a broken escape in a string")?;
        }
        match (width, char::from_u32(n)) {
            (2, _) => out.push(n as u8),
            (_, Some(ch)) => out.extend_from_slice(ch.encode_utf8(&mut buf).as_bytes()),
            (4, None) => {
                out.extend_from_slice(&[0xed, 0x80 | (n >> 6) as u8 & 0x3f, 0x80 | n as u8 & 0x3f]);
            }
            _ => return Err("an escape for no character".into()),
        }
    }
}

/// Reads a number-like word: an int, a big int or a float.
pub fn number(word: &str) -> Option<Const> {
    if let Some(hex) = word.strip_prefix("0x").and_then(|w| w.strip_suffix('n')) {
        let digits = hex.as_bytes().rchunks(8);
        let digit = |chunk: &[u8]| u32::from_str_radix(std::str::from_utf8(chunk).ok()?, 16).ok();
        return digits.map(digit).collect::<Option<_>>().map(Const::BigInt);
    }
    if let Ok(n) = word.parse() {
        return Some(Const::Int(n));
    }
    float_bits(word).map(Const::Float)
}

/// Reads what [`float`] wrote.
pub fn float_bits(word: &str) -> Option<u64> {
    match word.strip_prefix("nan:") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok().filter(|f: &f64| !f.is_nan()).map(f64::to_bits),
    }
}
