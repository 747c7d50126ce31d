//! Python source to register bytecode.

mod errors;

pub use errors::{ErrorKind, SyntaxError, SyntaxWarning};
use skein_bytecode::Code;

/// What a source text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A module.
    Exec,
    /// One expression; the code returns its value.
    Eval,
    /// One interactive statement: the values of expression statements go to `sys.displayhook`.
    Single,
}

/// How to compile.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// 1 (`-O`) leaves out asserts, 2 (`-OO`) docstrings too.
    pub optimize: u8,
    /// `from __future__ import annotations` is inherited from the code that compiles this.
    pub future_annotations: bool,
    /// `await` is allowed at the top level; the code is then a coroutine's.
    pub allow_top_level_await: bool,
}

/// A compiled source text.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub code: Code,
    pub warnings: Vec<SyntaxWarning>,
}

/// Compiles a source text; honours a byte order mark and a PEP 263 coding cookie.
pub fn compile(source: &[u8], filename: &str, mode: Mode, options: &Options) -> Result<Code, SyntaxError> {
    compile_with_warnings(source, filename, mode, options).map(|c| c.code)
}

/// As [`compile`], with the warnings.
pub fn compile_with_warnings(
    _source: &[u8],
    _filename: &str,
    _mode: Mode,
    _options: &Options,
) -> Result<Compiled, SyntaxError> {
    Err(SyntaxError::bare(ErrorKind::Syntax, "this form is not compiled yet"))
}
