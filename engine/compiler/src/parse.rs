//! Runs the parser and turns its errors into CPython's.

use crate::Mode;
use crate::errors::{Fault, Res};
use crate::parse_errors::{self, Context};
use crate::source::Source;
use ruff_python_ast::{Mod, PythonVersion};
use ruff_python_parser::{ParseOptions, parse_unchecked};

pub fn parse(source: &Source, mode: Mode) -> Res<Mod> {
    if let Some(i) = source.text.find('\0') {
        let at = ruff_text_size::TextRange::empty((i as u32).into());
        return Err(Fault::syntax("source code cannot contain null bytes", at));
    }
    let parser_mode = match mode {
        Mode::Eval => ruff_python_parser::Mode::Expression,
        Mode::Exec | Mode::Single => ruff_python_parser::Mode::Module,
    };
    let options = ParseOptions::from(parser_mode).with_target_version(PythonVersion::PY314);
    let parsed = parse_unchecked(&source.text, options);
    if parsed.errors().is_empty() {
        return Ok(parsed.into_syntax());
    }
    let context = Context { source, tokens: parsed.tokens(), module: parsed.syntax() };
    let mut fault = parse_errors::translate(&context, parsed.errors());
    fault.incomplete = parse_errors::is_incomplete(source, parsed.errors(), &fault);
    Err(fault)
}
