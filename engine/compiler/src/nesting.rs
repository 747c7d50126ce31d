//! A scan before parsing: brackets and expressions that nest too deep for the parser and the compiler,
//! which recurse. Exact in programs without errors; it only has to be safe in others.

use crate::errors::{ErrorKind, Fault, Res};
use crate::source::Source;
use ruff_text_size::TextRange;

/// CPython's limit of nested brackets.
const MAX_BRACKETS: usize = 200;
/// CPython's limit of nested indentations.
const MAX_INDENTS: usize = 100;
/// Operators that may nest in one another within a logical line.
const MAX_OPERATORS: u32 = 5000;

pub fn check(source: &Source) -> Res<()> {
    let b = source.text.as_bytes();
    // Operators since the last separator, for each open bracket.
    let mut open: Vec<u32> = vec![0];
    let mut total = 0u32;
    let mut indents: Vec<usize> = Vec::new();
    let mut i = 0;
    while i < b.len() {
        match b[i] {
            b'#' => {
                while i < b.len() && b[i] != b'\n' {
                    i += 1;
                }
                continue;
            }
            b'"' | b'\'' => {
                i = skip_string(b, i);
                continue;
            }
            b'(' | b'[' | b'{' => {
                if open.len() > MAX_BRACKETS {
                    let at = TextRange::at((i as u32).into(), 1.into());
                    return Err(Fault::syntax("too many nested parentheses", at));
                }
                open.push(1);
                total += 1;
            }
            b')' | b']' | b'}' => {
                if open.len() > 1 {
                    total -= open.pop().unwrap_or(0);
                }
                // What follows a bracket may go on with a call or subscript of it.
                bump(&mut open, &mut total)?;
            }
            b',' | b';' | b':' => {
                let n = open.last_mut().expect("never empty");
                total -= *n;
                *n = 0;
            }
            b'\n' if open.len() == 1 => {
                total -= open[0];
                open[0] = 0;
                indent(b, i + 1, &mut indents)?;
            }
            b'\\' => i += 1,
            b'+' | b'-' | b'*' | b'/' | b'%' | b'@' | b'&' | b'|' | b'^' | b'~' | b'.' | b'<' | b'>' => {
                bump(&mut open, &mut total)?;
            }
            // `not`, `if`, `else`, `lambda`, `await`, `and` and others: a word.
            c if c.is_ascii_alphabetic() => {
                let start = i;
                while i < b.len() && (b[i].is_ascii_alphanumeric() || b[i] == b'_' || b[i] >= 0x80) {
                    i += 1;
                }
                if matches!(
                    &b[start..i],
                    b"not" | b"if" | b"lambda" | b"await" | b"is" | b"in" | b"else" | b"yield"
                ) {
                    bump(&mut open, &mut total)?;
                }
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    Ok(())
}

/// Notes the indentation of the line that begins here.
fn indent(text: &[u8], start: usize, indents: &mut Vec<usize>) -> Res<()> {
    let line = &text[start..];
    let n = line.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    if matches!(line.get(n), None | Some(b'\n' | b'\r' | b'#')) {
        return Ok(());
    }
    while indents.last().is_some_and(|&top| top > n) {
        indents.pop();
    }
    if n > 0 && indents.last() != Some(&n) {
        indents.push(n);
        if indents.len() >= MAX_INDENTS {
            let at = TextRange::empty((start as u32).into());
            return Err(Fault::new(ErrorKind::Indentation, "too many levels of indentation", at));
        }
    }
    Ok(())
}

fn bump(open: &mut [u32], total: &mut u32) -> Res<()> {
    *open.last_mut().expect("never empty") += 1;
    *total += 1;
    if *total > MAX_OPERATORS {
        return Err(Fault::bare(ErrorKind::Recursion, "maximum recursion depth exceeded during compilation"));
    }
    Ok(())
}

/// The index behind a string literal.
fn skip_string(b: &[u8], start: usize) -> usize {
    let q = b[start];
    let triple = b.get(start + 1) == Some(&q) && b.get(start + 2) == Some(&q);
    let mut i = start + if triple { 3 } else { 1 };
    while i < b.len() {
        match b[i] {
            b'\\' => i += 1,
            b'\n' if !triple => return i,
            c if c == q && !triple => return i + 1,
            c if c == q && b.get(i + 1) == Some(&q) && b.get(i + 2) == Some(&q) => return i + 3,
            _ => {}
        }
        i += 1;
    }
    b.len()
}
