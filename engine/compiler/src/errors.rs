//! The error that a source text which is no program gives.

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
    /// `RecursionError`: the source nests deeper than the compiler follows. No position.
    Recursion,
    /// `MemoryError`: the source is too large for its tables. No position.
    Memory,
    /// `ValueError`: the source holds a null byte where only text may be (never from `compile` on files).
    Value,
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
}
