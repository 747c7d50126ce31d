//! Runs the parser and turns its errors into CPython's.

use crate::Mode;
use crate::errors::{Fault, Res, SyntaxWarning};
use crate::source::Source;
use ruff_python_ast::{Mod, PythonVersion};
use ruff_python_parser::{ParseOptions, parse_unchecked};

pub fn parse(source: &Source, mode: Mode) -> Res<(Mod, Vec<SyntaxWarning>)> {
    let mode = match mode {
        Mode::Eval => ruff_python_parser::Mode::Expression,
        Mode::Exec | Mode::Single => ruff_python_parser::Mode::Module,
    };
    let options = ParseOptions::from(mode).with_target_version(PythonVersion::PY314);
    let parsed = parse_unchecked(&source.text, options);
    if let Some(e) = parsed.errors().first() {
        return Err(Fault::syntax(e.error.to_string(), e.location));
    }
    Ok((parsed.into_syntax(), Vec::new()))
}
