//! The error that a source text which is no program gives.

use crate::source::Source;
use ruff_text_size::TextRange;
use std::fmt;

/// The Python class that the error becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// `SyntaxError`.
    Syntax,
    /// `IndentationError`.
    Indentation,
    /// `TabError`.
    Tab,
    /// `MemoryError`: the source is too large for its tables, or nests deeper than the compiler follows. No
    /// position.
    Memory,
    /// `RecursionError`: operators or calls go on without end, which a parser passes over in a loop. No position.
    Recursion,
}

/// A source text that does not compile. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub kind: ErrorKind,
    pub message: String,
    pub line: u32,
    pub col: u32,
    pub end_line: u32,
    pub end_col: u32,
    /// The source line, its newline included.
    pub text: Option<String>,
    /// Whether more lines might complete it: for interactive input.
    pub incomplete: bool,
}

impl SyntaxError {
    /// An error without a position.
    pub(crate) fn bare(kind: ErrorKind, message: impl Into<String>) -> SyntaxError {
        SyntaxError {
            kind,
            message: message.into(),
            line: 0,
            col: 0,
            end_line: 0,
            end_col: 0,
            text: None,
            incomplete: false,
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}, column {})", self.message, self.line, self.col)
    }
}

impl std::error::Error for SyntaxError {}

/// A `SyntaxWarning`, e.g. for an invalid escape sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxWarning {
    pub message: String,
    pub line: u32,
    pub col: u32,
    pub end_line: u32,
    pub end_col: u32,
}

impl SyntaxWarning {
    pub(crate) fn new(message: impl Into<String>, range: TextRange, source: &Source) -> SyntaxWarning {
        let (start, end) = (range.start().to_u32(), range.end().to_u32());
        SyntaxWarning {
            message: message.into(),
            line: source.line_of(start),
            col: source.char_col(start),
            end_line: source.line_of(end),
            end_col: source.char_col(end),
        }
    }
}

/// An error inside the compiler, before its range is turned into lines and columns.
#[derive(Clone, Debug)]
pub struct Fault {
    pub kind: ErrorKind,
    pub message: String,
    pub range: Option<TextRange>,
    /// See [`SyntaxError::incomplete`].
    pub incomplete: bool,
}

pub type Res<T = ()> = Result<T, Box<Fault>>;

impl Fault {
    pub fn new(kind: ErrorKind, message: impl Into<String>, range: TextRange) -> Box<Fault> {
        Box::new(Fault { kind, message: message.into(), range: Some(range), incomplete: false })
    }

    pub fn syntax(message: impl Into<String>, range: TextRange) -> Box<Fault> {
        Fault::new(ErrorKind::Syntax, message, range)
    }

    pub fn bare(kind: ErrorKind, message: impl Into<String>) -> Box<Fault> {
        Box::new(Fault { kind, message: message.into(), range: None, incomplete: false })
    }
}

/// Turns a fault's range into lines and columns.
pub fn locate(fault: Fault, source: &Source) -> SyntaxError {
    let mut e = SyntaxError::bare(fault.kind, fault.message);
    e.incomplete = fault.incomplete;
    if let Some(range) = fault.range {
        let (start, end) = (range.start().to_u32(), range.end().to_u32());
        e.line = source.line_of(start);
        e.col = source.char_col(start);
        // A line's end is behind its last column, not before the next line's first.
        let line_end = source.text.get(range.to_std_range()).is_some_and(|t| t.ends_with('\n'));
        let last = end - u32::from(line_end);
        e.end_line = source.line_of(last);
        e.end_col = source.char_col(last) + u32::from(line_end);
        e.text = source.has_text().then(|| source.line_text(e.line).to_string());
    }
    e
}
