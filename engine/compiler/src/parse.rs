//! Runs the parser and turns its errors into CPython's.

use crate::Mode;
use crate::errors::{Fault, Res, SyntaxWarning};
use crate::escapes;
use crate::parse_errors::{self, Context};
use crate::source::Source;
use ruff_python_ast::{Mod, PythonVersion};
use ruff_python_parser::{ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextRange, TextSize};

/// The syntax tree and the warnings about string literals.
pub fn parse(source: &Source, mode: Mode) -> Res<(Mod, Vec<SyntaxWarning>)> {
    if let Some(i) = source.text.find('\0') {
        let at = TextRange::empty((i as u32).into());
        return Err(Fault::syntax("source code cannot contain null bytes", at));
    }
    let parser_mode = match mode {
        Mode::Eval => ruff_python_parser::Mode::Expression,
        Mode::Exec | Mode::Single => ruff_python_parser::Mode::Module,
    };
    let options = ParseOptions::from(parser_mode).with_target_version(PythonVersion::PY314);
    let parsed = parse_unchecked(&source.text, options);
    if parsed.errors().is_empty() {
        let warnings = escapes::warnings(source, parsed.tokens());
        let module = parsed.into_syntax();
        if mode == Mode::Single {
            check_single(source, &module)?;
        }
        return Ok((module, warnings));
    }
    let context = Context { source, tokens: parsed.tokens(), module: parsed.syntax() };
    let mut fault = parse_errors::translate(&context, parsed.errors());
    fault.incomplete = parse_errors::is_incomplete(source, parsed.errors(), &fault);
    Err(fault)
}

/// Interactive input is one statement, or several on one line.
fn check_single(source: &Source, module: &Mod) -> Res<()> {
    let Mod::Module(m) = module else { return Ok(()) };
    for pair in m.body.windows(2) {
        let line = |offset: TextSize| source.line_of(offset.to_u32());
        if line(pair[1].start()) > line(pair[0].end()) {
            let message = "multiple statements found while compiling a single statement";
            return Err(Fault::syntax(message, TextRange::empty(pair[0].start())));
        }
    }
    Ok(())
}
