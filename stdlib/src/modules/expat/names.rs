//! Characters, names, references and the small texts of XML.

use super::codes;
use super::parser::{Fault, Out, fault};

pub fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_name_start(c: char) -> bool {
    matches!(c, ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}')
}

pub fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Length of the name at the start.
pub fn name_length(text: &str) -> usize {
    match text.chars().next() {
        Some(c) if is_name_start(c) => text.find(|c| !is_name_char(c)).unwrap_or(text.len()),
        _ => 0,
    }
}

/// The first character that no document may have.
pub fn forbidden(text: &str) -> Option<usize> {
    text.char_indices()
        .find(
            |(_, c)| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}'),
        )
        .map(|(i, _)| i)
}

/// Line ends as one character.
pub fn normal_lines(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.into() }
}

/// The character of a reference such as `#x41`.
pub fn character(reference: &str) -> Out<char> {
    let n = match reference.strip_prefix("#x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => reference[1..].parse(),
    };
    let c = n.ok().and_then(char::from_u32);
    let legal = c.filter(|c| forbidden(&c.to_string()).is_none());
    legal.ok_or(Fault::Code(codes::BAD_CHAR_REF))
}

pub fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// Blanks at the ends away, those between one each.
pub fn collapsed(value: &str) -> String {
    value.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Where the `;` of a reference is; Err: where something wrong is; None: it is not whole.
pub fn reference_end(rest: &str) -> Option<Result<usize, usize>> {
    let body = &rest[1..];
    let n = if let Some(hex) = body.strip_prefix("#x") {
        let digits = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits > 0 || hex.is_empty() { digits + 2 } else { return Some(Err(3)) }
    } else if let Some(digits) = body.strip_prefix('#') {
        let n = digits.bytes().take_while(u8::is_ascii_digit).count();
        if n > 0 || digits.is_empty() { n + 1 } else { return Some(Err(2)) }
    } else {
        name_length(body)
    };
    match body.as_bytes().get(n) {
        None => None,
        Some(b';') if n > 0 => Some(Ok(n + 1)),
        Some(_) => Some(Err(n + 1)),
    }
}

pub struct Declaration {
    pub version: Option<String>,
    pub encoding: Option<String>,
    pub standalone: i64,
}

/// The inside of `<?xml … ?>`.
pub fn declaration(text: &str, external: bool) -> Out<Declaration> {
    let mut d = Declaration { version: None, encoding: None, standalone: -1 };
    let mut rest = text.trim_matches([' ', '\t', '\n', '\r']);
    let mut last = 0;
    while !rest.is_empty() {
        let wrong = Fault::Code(codes::XML_DECL);
        let (name, after) = rest.split_once('=').ok_or(wrong)?;
        let after = after.trim_start();
        let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return fault(codes::XML_DECL);
        };
        let Some(end) = after[1..].find(quote) else { return fault(codes::XML_DECL) };
        let value = &after[1..1 + end];
        let order = match name.trim() {
            "version" => 1,
            "encoding" => 2,
            "standalone" if !external => 3,
            _ => return fault(codes::XML_DECL),
        };
        if order <= last {
            return fault(codes::XML_DECL);
        }
        last = order;
        match order {
            1 => d.version = Some(value.into()),
            2 => d.encoding = Some(value.into()),
            _ => {
                d.standalone = match value {
                    "yes" => 1,
                    "no" => 0,
                    _ => return fault(codes::XML_DECL),
                }
            }
        }
        rest = after[end + 2..].trim_start();
    }
    if d.version.is_none() && !external {
        return fault(codes::XML_DECL);
    }
    Ok(d)
}
