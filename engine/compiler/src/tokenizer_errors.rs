//! Errors that CPython's tokenizer finds: they win over the parser's, wherever they stand.

use crate::errors::{ErrorKind, Fault};
use crate::source::Source;
use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_parser::{InterpolatedStringErrorType as Interpolated, LexicalErrorType as Lexical};
use ruff_python_parser::{ParseError, ParseErrorType};
use ruff_text_size::{Ranged, TextRange, TextSize};

type Found = Option<Box<Fault>>;

/// Letters before a string that cannot stand together.
fn string_prefix(source: &Source, name: &Token, string: &Token) -> Found {
    let strings = [TokenKind::String, TokenKind::FStringStart, TokenKind::TStringStart];
    if name.kind() != TokenKind::Name || !strings.contains(&string.kind()) || name.end() != string.start() {
        return None;
    }
    let text = source.text[name.range()].to_ascii_lowercase();
    let each_once = text.chars().all(|c| "bruft".contains(c) && text.matches(c).count() == 1);
    const APART: [(char, char); 7] =
        [('u', 'b'), ('u', 'r'), ('u', 'f'), ('u', 't'), ('b', 'f'), ('b', 't'), ('f', 't')];
    let (a, b) = APART.into_iter().find(|&(a, b)| text.contains(a) && text.contains(b))?;
    let range = TextRange::new(name.start(), name.end() + TextSize::new(1));
    each_once.then(|| Fault::syntax(format!("'{a}' and '{b}' prefixes are incompatible"), range))
}

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
    found.extend(tokens.windows(2).find_map(|pair| string_prefix(source, &pair[0], &pair[1])));
    let cut_short = errors.iter().position(|e| closes_literal(source, tokens, e));
    if cut_short == Some(0) {
        let kind = literal_around(tokens, errors[0].location.start()).map_or("f", |t| letter(t));
        let range = TextRange::empty(errors[0].location.start());
        return Some(Fault::syntax(format!("{kind}-string: expecting '}}'"), range));
    }
    // What the parser found before stands; what its recovery makes of the rest is no error.
    let real = |(i, e): (usize, &ParseError)| {
        // Some ends of the tokens are errors only where the parser comes to them.
        use ParseErrorType::Lexical as L;
        let ends = matches!(e.error, L(Lexical::IndentationError | Lexical::LineContinuationError));
        let recovery = cut_short.is_some_and(|c| i >= c) || i > 0 && (is_single_brace(e) || ends);
        if recovery { None } else { lexical(source, tokens, e) }
    };
    found.extend(errors.iter().enumerate().find_map(real));
    found.extend(continued_end(source, tokens).filter(|f| first_error(errors, f)));
    found.into_iter().min_by_key(|f| f.range.map(|r| r.start()))
}

/// Whether the parser found nothing before it.
fn first_error(errors: &[ParseError], f: &Fault) -> bool {
    let start = f.range.map(|r| r.start());
    errors.first().is_none_or(|e| start.is_some_and(|s| e.location.end() >= s))
}

fn is_single_brace(e: &ParseError) -> bool {
    use ParseErrorType as E;
    matches!(
        e.error,
        E::Lexical(
            Lexical::FStringError(Interpolated::SingleRbrace)
                | Lexical::TStringError(Interpolated::SingleRbrace)
        )
    )
}

/// The beginning of the f-string or t-string that is open at an offset.
fn literal_around(tokens: &[Token], offset: TextSize) -> Option<&Token> {
    let mut open = Vec::new();
    for t in tokens.iter().take_while(|t| t.start() < offset) {
        match t.kind() {
            TokenKind::FStringStart | TokenKind::TStringStart => open.push(t),
            TokenKind::FStringEnd | TokenKind::TStringEnd => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop()
}

fn letter(start: &Token) -> &'static str {
    if start.kind() == TokenKind::TStringStart { "t" } else { "f" }
}

/// A string without an end that begins where the f-string around it should end.
fn closes_literal(source: &Source, tokens: &[Token], e: &ParseError) -> bool {
    let at = e.location.start();
    let quote = source.text[at.to_usize()..].chars().next();
    matches!(e.error, ParseErrorType::Lexical(Lexical::UnclosedStringError))
        && literal_around(tokens, at).is_some_and(|t| source.text[t.range()].chars().last() == quote)
}

/// A backslash at the end of the source, in no comment and no string.
fn continued_end(source: &Source, tokens: &[Token]) -> Found {
    let end = source.text.trim_end_matches(['\n', '\r']).len();
    let backslash = end.checked_sub(1).filter(|&i| source.text.as_bytes()[i] == b'\\')?;
    let inside = |t: &Token| {
        let opaque = t.kind() == TokenKind::Comment || t.kind() == TokenKind::String;
        opaque && t.range().contains_inclusive(TextSize::new(backslash as u32))
    };
    if tokens.iter().rev().take(4).any(inside) {
        return None;
    }
    Some(Fault::syntax("unexpected EOF while parsing", at(end, 0)))
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
    // Braces of replacement fields, and the literals that they are in.
    let mut fields = Vec::new();
    let mut kinds = Vec::new();
    let mut previous = TokenKind::Newline;
    for t in tokens {
        let before = std::mem::replace(&mut previous, t.kind());
        match t.kind() {
            TokenKind::FStringStart => kinds.push("f-string"),
            TokenKind::TStringStart => kinds.push("t-string"),
            TokenKind::FStringEnd | TokenKind::TStringEnd => {
                kinds.pop();
            }
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                let begins = matches!(
                    before,
                    TokenKind::FStringStart
                        | TokenKind::TStringStart
                        | TokenKind::FStringMiddle
                        | TokenKind::TStringMiddle
                );
                if begins {
                    fields.push(t.start());
                }
                open.push(t);
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                let text = &source.text[t.range()];
                let message = match open.pop() {
                    None => format!("unmatched '{text}'"),
                    // A field of an f-string is not closed by what is in it.
                    Some(o) if fields.contains(&o.start()) && closes(o.kind()) != t.kind() => {
                        let message = format!("{}: unmatched '{text}'", kinds.last().unwrap_or(&"f-string"));
                        let mismatch = Some(Fault::syntax(message, TextRange::empty(t.start())));
                        return Brackets { open: None, mismatch };
                    }
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
    // `1._2`, of which the parser names the underscore.
    let before = &source.text.as_bytes()[..start];
    if text.first() == Some(&b'_') && matches!(before, [.., b'0'..=b'9', b'.']) {
        return Some(Fault::syntax("invalid decimal literal", at(start - 1, 0)));
    }
    let digits = text.strip_prefix(b".").unwrap_or(text);
    if !digits.first()?.is_ascii_digit() {
        return None;
    }
    let (message, len) = scan_number(text).err()?;
    // The error is behind what was read.
    Some(Fault::syntax(message, at(start + len.max(1) - 1, 0)))
}

fn scan_number(b: &[u8]) -> Result<(), (String, usize)> {
    let get = |i: usize| b.get(i).copied().unwrap_or(0);
    let mut i = 1;
    if b[0] == b'.' {
        i = 0;
    } else if b[0] == b'0' {
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

fn first_char(b: &[u8]) -> Option<char> {
    let valid = match std::str::from_utf8(b) {
        Ok(s) => s,
        Err(e) => std::str::from_utf8(&b[..e.valid_up_to()]).ok()?,
    };
    valid.chars().next()
}

/// A number may run into a keyword, but into no other name.
fn end_of_number(b: &[u8], i: usize, kind: &str) -> Result<(), (String, usize)> {
    let rest = &b[i.min(b.len())..];
    let keyword = ["and", "else", "for", "if", "in", "is", "not", "or"];
    let ends = |rest: &[u8]| !matches!(rest.first(), Some(c) if c.is_ascii_alphanumeric() || *c == b'_' || *c >= 0x80);
    if keyword.iter().any(|k| rest.strip_prefix(k.as_bytes()).is_some_and(ends)) {
        return Ok(());
    }
    match rest.first() {
        Some(c) if c.is_ascii_alphanumeric() || *c == b'_' => Err((format!("invalid {kind} literal"), i)),
        // Other characters are errors of their own.
        Some(0x80..) if first_char(rest).is_some_and(char::is_alphanumeric) => {
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
            if let Some(f) = inconsistent_tabs(source, start) {
                return Some(f);
            }
            let message = "unindent does not match any outer indentation level";
            return Some(Fault::new(ErrorKind::Indentation, message, range));
        }
        Lexical::LineContinuationError => {
            if source.text[start.to_usize()..].trim_start_matches('\\').trim_end_matches('\n').is_empty() {
                return None;
            }
            let message = "unexpected character after line continuation character";
            let line_end = source.text[start.to_usize()..].find('\\').unwrap_or(0);
            return Some(Fault::syntax(message, at(start.to_usize() + line_end + 1, 0)));
        }
        Lexical::UnrecognizedToken { tok } if !tok.is_ascii() || tok.is_ascii_control() => {
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

/// The error of a line that is indented with tabs where others have spaces, or the other way round.
pub fn inconsistent_tabs(source: &Source, offset: TextSize) -> Found {
    let (line, column) = source.locate(offset.to_u32());
    let range = TextRange::empty(offset - TextSize::new(column));
    let message = "inconsistent use of tabs and spaces in indentation";
    mixes_tabs(source, line).then(|| Fault::new(ErrorKind::Tab, message, range))
}

/// Whether how the line's indentation compares with that of an earlier one depends on the width of tabs.
fn mixes_tabs(source: &Source, line: u32) -> bool {
    let columns = |n: u32| {
        let mut wide = 0;
        let mut narrow = 0;
        for c in source.line_text(n).chars().take_while(|c| matches!(c, ' ' | '\t')) {
            wide = if c == '\t' { wide / 8 * 8 + 8 } else { wide + 1 };
            narrow += 1;
        }
        (wide, narrow)
    };
    let (wide, narrow) = columns(line);
    (1..line).filter(|&n| !source.line_text(n).trim().is_empty()).any(|n| {
        let (w, c) = columns(n);
        wide.cmp(&w) != narrow.cmp(&c)
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
        let body = text[quote..].lines().next().unwrap_or_default();
        let escaped = body.contains(&format!("\\{}", &body[..1]));
        let hint = if escaped { "; perhaps you escaped the end quote?" } else { "" };
        format!("unterminated {prefix}string literal (detected at line {line}){hint}")
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
        Interpolated::NewlineInFormatSpec => {
            format!("newlines are not allowed in format specifiers for single quoted {letter}-strings")
        }
        _ => return None,
    };
    Some(Fault::syntax(format!("{letter}-string: {what}"), TextRange::empty(range.start())))
}

pub fn never_closed(source: &Source, open: TextRange) -> Box<Fault> {
    Fault::syntax(format!("'{}' was never closed", &source.text[open]), open)
}
