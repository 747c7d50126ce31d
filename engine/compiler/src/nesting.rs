//! A scan before parsing: brackets and expressions that nest too deep for the parser and the compiler,
//! which recurse. Exact in programs without errors; it only has to be safe in others.

use crate::errors::{ErrorKind, Fault, Res};
use crate::source::Source;
use crate::{TOO_COMPLEX, TOO_DEEP};
use ruff_text_size::TextRange;

/// CPython's limit of nested brackets.
const MAX_BRACKETS: usize = 200;
/// CPython's limit of nested indentations.
const MAX_INDENTS: usize = 100;
/// Operators that may nest in one another within a logical line.
const MAX_OPERATORS: u32 = 5000;
/// What a lambda counts for: it is a function of its own.
const LAMBDA: u32 = 2;

/// What is open around a place in the source.
#[derive(Clone, Copy)]
enum Kind {
    /// A logical line or a bracket in it.
    Code,
    /// A replacement field of an interpolated string.
    Field,
    /// The text of an interpolated string, or of a field's format.
    Text { quote: u8, triple: bool, format: bool },
}

struct Level {
    kind: Kind,
    /// Operators since the last separator.
    operators: u32,
    /// Lambdas whose colon has not come yet: commas before it end no expression.
    lambdas: u32,
}

#[derive(Default)]
struct Nesting {
    levels: Vec<Level>,
    /// Operators of all levels.
    total: u32,
    /// Those of `levels` that are brackets and fields.
    brackets: usize,
}

impl Nesting {
    fn push(&mut self, kind: Kind) {
        self.levels.push(Level { kind, operators: 1, lambdas: 0 });
        self.total += 1;
    }

    /// Leaves the innermost level, unless it is the line.
    fn pop(&mut self) {
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop()
        {
            self.total -= level.operators;
            self.brackets -= usize::from(!matches!(level.kind, Kind::Text { .. }));
        }
    }

    fn top(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the line is never left")
    }

    /// One more operator. What follows an operand nests to the left, where CPython's parser does not recurse.
    fn bump(&mut self, by: u32, follows_operand: bool) -> Res<()> {
        self.top().operators += by;
        self.total += by;
        if self.total > MAX_OPERATORS {
            return Err(match follows_operand {
                true => Fault::bare(ErrorKind::Recursion, TOO_DEEP),
                false => Fault::bare(ErrorKind::Memory, TOO_COMPLEX),
            });
        }
        Ok(())
    }

    fn open(&mut self, kind: Kind, at: usize) -> Res<()> {
        if self.brackets >= MAX_BRACKETS {
            let at = TextRange::at((at as u32).into(), 1.into());
            return Err(Fault::syntax("too many nested parentheses", at));
        }
        self.brackets += 1;
        self.push(kind);
        Ok(())
    }

    /// An expression is over.
    fn separator(&mut self) {
        let level = self.top();
        let n = if level.lambdas == 0 { std::mem::take(&mut level.operators) } else { 0 };
        self.total -= n;
    }

    /// A logical line is over.
    fn end_line(&mut self) {
        self.top().lambdas = 0;
        self.separator();
    }
}

pub fn check(source: &Source) -> Res<()> {
    let b = source.text.as_bytes();
    let mut n = Nesting::default();
    n.push(Kind::Code);
    let mut indents: Vec<usize> = Vec::new();
    let mut i = 0;
    while i < b.len() {
        if let Kind::Text { quote, triple, format } = n.top().kind {
            i = text(&mut n, b, i, (quote, triple, format))?;
            continue;
        }
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
            b'(' | b'[' | b'{' => n.open(Kind::Code, i)?,
            b')' | b']' | b'}' => {
                let field = matches!(n.top().kind, Kind::Field);
                n.pop();
                // What follows a bracket may go on with a call or subscript of it.
                if !field {
                    n.bump(1, true)?;
                }
            }
            b':' if n.top().lambdas > 0 => n.top().lambdas -= 1,
            b':' => {
                if let (Kind::Field, Some(&Level { kind: Kind::Text { quote, triple, .. }, .. })) =
                    (n.top().kind, n.levels.iter().rev().nth(1))
                {
                    n.push(Kind::Text { quote, triple, format: true });
                }
            }
            b',' | b';' => n.separator(),
            b'\n' if n.levels.len() == 1 => {
                n.end_line();
                indent(b, i + 1, &mut indents)?;
            }
            b'\\' if matches!(b.get(i + 1), Some(b'\n' | b'\r')) => i += 1,
            b'+' | b'-' | b'*' | b'/' | b'%' | b'@' | b'&' | b'|' | b'^' | b'~' | b'.' | b'<' | b'>' => {
                n.bump(1, follows_operand(&b[..i]))?;
            }
            c if c.is_ascii_alphabetic() || c == b'_' || c >= 0x80 => {
                let start = i;
                while i < b.len() && (b[i].is_ascii_alphanumeric() || b[i] == b'_' || b[i] >= 0x80) {
                    i += 1;
                }
                match (&b[start..i], b.get(i)) {
                    (b"lambda", _) => {
                        n.top().lambdas += 1;
                        n.bump(LAMBDA, false)?;
                    }
                    (b"not" | b"if" | b"await" | b"is" | b"in" | b"else" | b"yield", _) => {
                        n.bump(1, false)?
                    }
                    (prefix, Some(&quote @ (b'"' | b'\''))) if is_interpolated(prefix) => {
                        let triple = b.get(i + 1) == Some(&quote) && b.get(i + 2) == Some(&quote);
                        n.push(Kind::Text { quote, triple, format: false });
                        i += if triple { 3 } else { 1 };
                    }
                    _ => {}
                }
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    Ok(())
}

/// Is there an operand before an operator?
fn follows_operand(before: &[u8]) -> bool {
    let last = before.iter().rev().find(|c| !c.is_ascii_whitespace());
    last.is_some_and(|c| {
        c.is_ascii_alphanumeric() || matches!(c, b'_' | b'"' | b'\'' | b')' | b']' | b'}' | 0x80..)
    })
}

/// Goes on in the text of an interpolated string: the index behind what was looked at.
fn text(n: &mut Nesting, b: &[u8], i: usize, (quote, triple, format): (u8, bool, bool)) -> Res<usize> {
    match b[i] {
        b'\\' if matches!(b.get(i + 1), Some(b'\\' | b'"' | b'\'')) => return Ok(i + 2),
        b'{' if !format && b.get(i + 1) == Some(&b'{') => return Ok(i + 2),
        b'{' => n.open(Kind::Field, i)?,
        b'}' if format => {
            // The format's end is the field's.
            n.pop();
            n.pop();
        }
        // A string that is not closed ends with the line.
        b'\n' if !triple => {
            leave_text(n);
            return Ok(i);
        }
        c if c == quote && (!triple || b.get(i + 1) == Some(&quote) && b.get(i + 2) == Some(&quote)) => {
            leave_text(n);
            return Ok(i + if triple { 3 } else { 1 });
        }
        _ => {}
    }
    Ok(i + 1)
}

/// Leaves an interpolated string. Where it ends in a format, which is an error, its field does too.
fn leave_text(n: &mut Nesting) {
    while matches!(n.top().kind, Kind::Text { format: true, .. } | Kind::Field) {
        n.pop();
    }
    n.pop();
}

fn is_interpolated(prefix: &[u8]) -> bool {
    prefix.len() <= 2
        && prefix.iter().any(|c| matches!(c, b'f' | b'F' | b't' | b'T'))
        && prefix.iter().all(|c| matches!(c, b'f' | b'F' | b't' | b'T' | b'r' | b'R'))
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
