//! Errors that CPython's tokenizer finds: they win over the parser's, wherever they stand.

use crate::errors::{ErrorKind, Fault};
use crate::source::Source;
use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_parser::{InterpolatedStringErrorType as Interpolated, LexicalErrorType as Lexical};
use ruff_python_parser::{ParseError, ParseErrorType};
use ruff_text_size::{Ranged, TextRange, TextSize};

type Found = Option<Box<Fault>>;

/// The bracket that is open at the end, and the first error in the tokens.
pub struct Brackets {
    pub open: Option<TextRange>,
    pub mismatch: Found,
}

fn at(offset: usize, len: usize) -> TextRange {
    TextRange::at(TextSize::new(offset as u32), TextSize::new(len as u32))
}

/// The first error of the tokenizer, if there is one.
pub fn first(source: &Source, tokens: &[Token], errors: &[ParseError]) -> Found {
    let mut found: Vec<Box<Fault>> = Vec::new();
    found.extend(brackets(source, tokens).mismatch);
    found.extend(tokens.iter().find_map(|t| number(source, t)));
    found.extend(errors.iter().find_map(|e| lexical(source, tokens, e)));
    found.into_iter().min_by_key(|f| f.range.map(|r| r.start()))
}

fn closes(open: TokenKind) -> TokenKind {
    match open {
        TokenKind::Lpar => TokenKind::Rpar,
        TokenKind::Lsqb => TokenKind::Rsqb,
        _ => TokenKind::Rbrace,
    }
}

pub fn brackets(source: &Source, tokens: &[Token]) -> Brackets {
    let mut open: Vec<&Token> = Vec::new();
    for t in tokens {
        match t.kind() {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => open.push(t),
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                let text = &source.text[t.range()];
                let message = match open.pop() {
                    None => format!("unmatched '{text}'"),
                    Some(o) if closes(o.kind()) == t.kind() => continue,
                    Some(o) => {
                        let opening = &source.text[o.range()];
                        let line = source.line_of(o.start().to_u32());
                        let place = if line == source.line_of(t.start().to_u32()) {
                            String::new()
                        } else {
                            format!(" on line {line}")
                        };
                        format!(
                            "closing parenthesis '{text}' does not match opening parenthesis '{opening}'{place}"
                        )
                    }
                };
                return Brackets { open: None, mismatch: Some(Fault::syntax(message, t.range())) };
            }
            _ => {}
        }
    }
    Brackets { open: open.last().map(|t| t.range()), mismatch: None }
}

/// CPython's rules for the text of a number.
fn number(source: &Source, t: &Token) -> Found {
    if !matches!(t.kind(), TokenKind::Int | TokenKind::Float | TokenKind::Complex | TokenKind::Unknown) {
        return None;
    }
    let start = t.start().to_usize();
    let text = &source.text.as_bytes()[start..];
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let (message, len) = scan_number(text).err()?;
    // The error is behind what was read.
    Some(Fault::syntax(message, at(start + len.max(1) - 1, 0)))
}

fn scan_number(b: &[u8]) -> Result<(), (String, usize)> {
    let get = |i: usize| b.get(i).copied().unwrap_or(0);
    let mut i = 1;
    if b[0] == b'0' {
        let radix = match get(1) {
            b'x' | b'X' => Some(("hexadecimal", 16)),
            b'o' | b'O' => Some(("octal", 8)),
            b'b' | b'B' => Some(("binary", 2)),
            _ => None,
        };
        if let Some((kind, radix)) = radix {
            let digit = |c: u8| (c as char).is_digit(radix);
            i = 2;
            loop {
                if get(i) == b'_' {
                    i += 1;
                }
                if !digit(get(i)) {
                    return Err(bad_digit(kind, get(i), i));
                }
                while digit(get(i)) {
                    i += 1;
                }
                if get(i) != b'_' {
                    break;
                }
            }
            if get(i).is_ascii_digit() {
                return Err(bad_digit(kind, get(i), i));
            }
            return end_of_number(b, i, kind);
        }
        i = 0;
        while get(i) == b'0' || get(i) == b'_' {
            if get(i) == b'_' && !get(i + 1).is_ascii_digit() {
                return Err(("invalid decimal literal".into(), i + 1));
            }
            i += 1;
        }
        let zeros = i;
        let nonzero = get(i).is_ascii_digit();
        i = decimal_tail(b, i)?;
        if nonzero && !matches!(get(i), b'.' | b'e' | b'E' | b'j' | b'J') {
            let message = "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers";
            return Err((message.into(), zeros.min(1)));
        }
    } else {
        i = decimal_tail(b, i)?;
    }
    let mut kind = "decimal";
    if get(i) == b'.' {
        i += 1;
        if get(i).is_ascii_digit() {
            i = decimal_tail(b, i)?;
        }
    }
    if matches!(get(i), b'e' | b'E') {
        let e = i;
        i += 1;
        if matches!(get(i), b'+' | b'-') {
            i += 1;
            if !get(i).is_ascii_digit() {
                return Err(("invalid decimal literal".into(), i));
            }
        }
        if !get(i).is_ascii_digit() {
            return end_of_number(b, e, "decimal");
        }
        i = decimal_tail(b, i)?;
    }
    if matches!(get(i), b'j' | b'J') {
        i += 1;
        kind = "imaginary";
    }
    end_of_number(b, i, kind)
}

fn bad_digit(kind: &str, c: u8, i: usize) -> (String, usize) {
    if c.is_ascii_digit() {
        (format!("invalid digit '{}' in {kind} literal", c as char), i + 1)
    } else {
        (format!("invalid {kind} literal"), i)
    }
}

fn decimal_tail(b: &[u8], mut i: usize) -> Result<usize, (String, usize)> {
    let get = |i: usize| b.get(i).copied().unwrap_or(0);
    loop {
        while get(i).is_ascii_digit() {
            i += 1;
        }
        if get(i) != b'_' {
            return Ok(i);
        }
        i += 1;
        if !get(i).is_ascii_digit() {
            return Err(("invalid decimal literal".into(), i));
        }
    }
}

/// A number may run into a keyword, but into no other name.
fn end_of_number(b: &[u8], i: usize, kind: &str) -> Result<(), (String, usize)> {
    let rest = &b[i.min(b.len())..];
    let keyword = ["and", "else", "for", "if", "in", "is", "not", "or"];
    if keyword.iter().any(|k| rest.starts_with(k.as_bytes())) {
        return Ok(());
    }
    match rest.first() {
        Some(c) if c.is_ascii_alphanumeric() || *c == b'_' || *c >= 0x80 => {
            Err((format!("invalid {kind} literal"), i))
        }
        _ => Ok(()),
    }
}

/// The parser's own lexical errors, in CPython's words.
fn lexical(source: &Source, tokens: &[Token], e: &ParseError) -> Found {
    let kind = match &e.error {
        ParseErrorType::Lexical(k) => k,
        ParseErrorType::FStringError(f) => return interpolated("f", f, e.location, source, tokens),
        ParseErrorType::TStringError(f) => return interpolated("t", f, e.location, source, tokens),
        _ => return None,
    };
    let start = e.location.start();
    let message = match kind {
        Lexical::UnclosedStringError => return Some(unclosed(source, e.location, "")),
        Lexical::FStringError(f) => return interpolated("f", f, e.location, source, tokens),
        Lexical::TStringError(f) => return interpolated("t", f, e.location, source, tokens),
        Lexical::IndentationError => {
            let line = source.line_of(start.to_u32());
            let text = source.line_text(line).trim_end_matches(['\n', '\r']);
            let line_start = start - TextSize::new(source.locate(start.to_u32()).1);
            let range = TextRange::empty(line_start + TextSize::new(text.len() as u32));
            if mixes_tabs(source, line) {
                let message = "inconsistent use of tabs and spaces in indentation";
                let range = TextRange::empty(line_start);
                return Some(Fault::new(ErrorKind::Tab, message, range));
            }
            let message = "unindent does not match any outer indentation level";
            return Some(Fault::new(ErrorKind::Indentation, message, range));
        }
        Lexical::LineContinuationError => {
            let message = "unexpected character after line continuation character";
            let line_end = source.text[start.to_usize()..].find('\\').unwrap_or(0);
            return Some(Fault::syntax(message, at(start.to_usize() + line_end + 1, 0)));
        }
        Lexical::UnrecognizedToken { tok } if !tok.is_ascii() => {
            let code = *tok as u32;
            if tok.is_control() || tok.is_whitespace() || (0x200b..=0x200f).contains(&code) || code == 0xfeff
            {
                format!("invalid non-printable character U+{code:04X}")
            } else {
                format!("invalid character '{tok}' (U+{code:04X})")
            }
        }
        _ => return None,
    };
    Some(Fault::syntax(message, at(start.to_usize(), 0)))
}

fn mixes_tabs(source: &Source, line: u32) -> bool {
    let indent = |n: u32| {
        let text = source.line_text(n);
        text[..text.len() - text.trim_start_matches([' ', '\t']).len()].to_string()
    };
    let this = indent(line);
    (1..line).any(|n| {
        let other = indent(n);
        other.contains('\t') != this.contains('\t') && !other.is_empty() && !this.is_empty()
    })
}

fn unclosed(source: &Source, location: TextRange, prefix: &str) -> Box<Fault> {
    let start = location.start().to_usize();
    let text = &source.text[start..];
    let quote = text.find(['"', '\'']).unwrap_or(0);
    let triple = text[quote..].starts_with("\"\"\"") || text[quote..].starts_with("'''");
    let message = if triple {
        let last = source.line_of(source.text.trim_end_matches('\n').len() as u32);
        format!("unterminated triple-quoted {prefix}string literal (detected at line {last})")
    } else {
        let line = source.line_of(start as u32);
        format!("unterminated {prefix}string literal (detected at line {line})")
    };
    Fault::syntax(message, at(start, 0))
}

fn interpolated(
    letter: &str,
    e: &Interpolated,
    range: TextRange,
    source: &Source,
    tokens: &[Token],
) -> Found {
    let what = match e {
        Interpolated::UnterminatedString | Interpolated::UnterminatedTripleQuotedString => {
            if let Some(open) = brackets(source, tokens).open
                && source.text[open] == *"{"
            {
                return Some(never_closed(source, open));
            }
            let start = tokens
                .iter()
                .rfind(|t| {
                    matches!(t.kind(), TokenKind::FStringStart | TokenKind::TStringStart)
                        && t.start() <= range.start()
                })
                .map_or(range, |t| t.range());
            return Some(unclosed(source, start, &format!("{letter}-")));
        }
        Interpolated::SingleRbrace => "single '}' is not allowed".to_string(),
        _ => return None,
    };
    Some(Fault::syntax(format!("{letter}-string: {what}"), TextRange::empty(range.start())))
}

pub fn never_closed(source: &Source, open: TextRange) -> Box<Fault> {
    Fault::syntax(format!("'{}' was never closed", &source.text[open]), open)
}
