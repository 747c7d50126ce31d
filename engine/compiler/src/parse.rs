//! Runs the parser and turns its errors into CPython's.

use crate::Mode;
use crate::errors::{ErrorKind, Fault, Res, SyntaxWarning};
use crate::escapes;
use crate::parse_errors::{self, Context};
use crate::source::Source;
use ruff_python_ast::token::{Token, TokenKind, Tokens};
use ruff_python_ast::visitor::source_order::{self, SourceOrderVisitor};
use ruff_python_ast::visitor::transformer::{Transformer, walk_stmt};
use ruff_python_ast::{AtomicNodeIndex, Mod, PythonVersion, Stmt, StmtRaise};
use ruff_python_parser::{ParseError, ParseErrorType, ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextRange, TextSize};

/// The syntax tree and the warnings about string literals.
pub fn parse(source: &Source, mode: Mode, dont_imply_dedent: bool) -> Res<(Mod, Vec<SyntaxWarning>)> {
    parse_keeping(source, mode, dont_imply_dedent, |_| ()).map(|(module, (), warnings)| (module, warnings))
}

/// As [`parse`], with what is wanted of the tokens.
pub fn parse_keeping<T>(
    source: &Source,
    mode: Mode,
    dont_imply_dedent: bool,
    keep: impl FnOnce(&Tokens) -> T,
) -> Res<(Mod, T, Vec<SyntaxWarning>)> {
    if let Some(i) = source.text.find('\0') {
        let at = TextRange::empty((i as u32).into());
        return Err(Fault::syntax("source code cannot contain null bytes", at));
    }
    if source.text.starts_with('\u{feff}') {
        // The parser would pass over it.
        let at = TextRange::empty(0.into());
        return Err(Fault::syntax("invalid non-printable character U+FEFF", at));
    }
    if mode == Mode::Eval {
        indented(source)?;
    }
    let parser_mode = match mode {
        Mode::Eval => ruff_python_parser::Mode::Expression,
        Mode::Exec | Mode::Single => ruff_python_parser::Mode::Module,
    };
    let options = ParseOptions::from(parser_mode).with_target_version(PythonVersion::PY314);
    let diamonds = diamonds(source, &options)?;
    let text = diamonds.as_deref().unwrap_or(&source.text);
    let mut parsed = parse_unchecked(text, options.clone());
    let mut raises = Vec::new();
    if !parsed.errors().is_empty() {
        raises = raises_before_semicolons(parsed.tokens());
        if !raises.is_empty() {
            parsed = parse_unchecked(&with_breaks(text, &raises), options);
        }
    }
    let errors = real_errors(parsed.syntax(), parsed.errors());
    if errors.is_empty() {
        let warnings = escapes::warnings(source, parsed.tokens());
        let kept = keep(parsed.tokens());
        let mut module = parsed.into_syntax();
        if let Mod::Module(m) = &mut module
            && !raises.is_empty()
        {
            BreaksToRaises(&raises).visit_body(&mut m.body);
        }
        if mode == Mode::Single {
            check_single(source, &module, dont_imply_dedent)?;
        }
        return Ok((module, kept, warnings));
    }
    let (tokens, module) = (parsed.tokens(), parsed.syntax());
    let mut fault = parse_errors::translate(&Context { source, tokens, module, errors: &errors });
    fault.incomplete = parse_errors::is_incomplete(source, &errors, &fault);
    Err(fault)
}

/// An expression does not begin behind blanks, over which the parser passes in the first line.
fn indented(source: &Source) -> Res<()> {
    let rest = source.text.trim_start_matches([' ', '\t']);
    let blanks = source.text.len() - rest.len();
    if blanks == 0 || rest.starts_with(['\n', '\r', '#', '\x0c', '\\']) {
        return Ok(());
    }
    // CPython points behind the indentation's last column.
    let at = TextRange::empty((blanks as u32 - 1).into());
    Err(Fault::new(ErrorKind::Indentation, "unexpected indent", at))
}

/// The text with `!=` for each `<>`, if it is the one to be written (PEP 401): `from __future__ import barry_as_FLUFL`.
fn diamonds(source: &Source, options: &ParseOptions) -> Res<Option<String>> {
    const FEATURE: &str = "barry_as_FLUFL";
    if !source.barry && !source.text.contains(FEATURE) {
        return Ok(None);
    }
    let text = |t: &Token| &source.text[t.range()];
    let parsed = parse_unchecked(&source.text, options.clone());
    let (mut on, mut out) = (source.barry, source.text.clone());
    // How much of `from __future__ import` the statement begins with.
    let mut seen = 0;
    let mut before: Option<&Token> = None;
    for t in parsed.tokens().iter().filter(|t| !t.kind().is_trivia()) {
        match t.kind() {
            TokenKind::Newline | TokenKind::Semi => seen = 0,
            TokenKind::From => seen = 1,
            TokenKind::Import if seen == 2 => seen = 3,
            TokenKind::Comma | TokenKind::Lpar | TokenKind::Name if seen == 3 => on |= text(t) == FEATURE,
            TokenKind::Name if seen == 1 && text(t) == "__future__" => seen = 2,
            TokenKind::NotEqual if on => {
                return Err(Fault::syntax("with Barry as BDFL, use '<>' instead of '!='", t.range()));
            }
            TokenKind::Greater if on => {
                if let Some(less) = before.filter(|b| b.kind() == TokenKind::Less && b.end() == t.start()) {
                    out.replace_range(less.start().to_usize()..t.end().to_usize(), "!=");
                }
            }
            _ => seen = if seen == 3 { 3 } else { 0 },
        }
        before = Some(t);
    }
    Ok(Some(out))
}

/// The parser's errors without those that are none: it takes any `match` behind a semicolon for a statement.
fn real_errors(module: &Mod, errors: &[ParseError]) -> Vec<ParseError> {
    let on_same_line = |e: &&ParseError| e.error == ParseErrorType::SimpleAndCompoundStatementOnSameLine;
    if !errors.iter().any(|e| on_same_line(&e)) {
        return errors.to_vec();
    }
    let mut compound = CompoundStarts(Vec::new());
    if let Mod::Module(m) = module {
        source_order::walk_body(&mut compound, &m.body);
    }
    let real = |e: &&ParseError| !on_same_line(e) || compound.0.contains(&e.location.start());
    errors.iter().filter(real).cloned().collect()
}

/// Where compound statements begin.
struct CompoundStarts(Vec<TextSize>);

impl<'a> SourceOrderVisitor<'a> for CompoundStarts {
    fn visit_stmt(&mut self, s: &'a Stmt) {
        if is_compound(s) {
            self.0.push(s.start());
            source_order::walk_stmt(self, s);
        }
    }
}

// ---- `raise;`, which the parser takes no semicolon behind: it is shown a `break`, of the same length

fn raises_before_semicolons(tokens: &[Token]) -> Vec<TextRange> {
    let significant: Vec<&Token> = tokens.iter().filter(|t| !t.kind().is_trivia()).collect();
    let bare = |pair: &&[&Token]| pair[0].kind() == TokenKind::Raise && pair[1].kind() == TokenKind::Semi;
    significant.windows(2).filter(bare).map(|pair| pair[0].range()).collect()
}

fn with_breaks(text: &str, raises: &[TextRange]) -> String {
    let mut out = text.to_string();
    for r in raises {
        out.replace_range(r.to_std_range(), "break");
    }
    out
}

/// Puts the `raise` statements back.
struct BreaksToRaises<'a>(&'a [TextRange]);

impl Transformer for BreaksToRaises<'_> {
    fn visit_stmt(&self, stmt: &mut Stmt) {
        let range = stmt.range();
        if stmt.is_break_stmt() && self.0.contains(&range) {
            let node_index = AtomicNodeIndex::NONE;
            *stmt = Stmt::Raise(StmtRaise { node_index, range, exc: None, cause: None });
        } else {
            walk_stmt(self, stmt);
        }
    }
}

/// Interactive input is one statement, or several on one line.
fn check_single(source: &Source, module: &Mod, dont_imply_dedent: bool) -> Res<()> {
    let Mod::Module(m) = module else { return Ok(()) };
    for pair in m.body.windows(2) {
        let line = |offset: TextSize| source.line_of(offset.to_u32());
        if line(pair[1].start()) > line(pair[0].end()) {
            let message = "multiple statements found while compiling a single statement";
            return Err(Fault::syntax(message, TextRange::empty(pair[0].start())));
        }
    }
    let incomplete = |end: TextSize| {
        let mut fault = Fault::syntax("invalid syntax", TextRange::empty(end));
        fault.incomplete = true;
        Err(fault)
    };
    let Some(last) = m.body.last() else { return incomplete(0.into()) };
    if is_compound(last) {
        let rest = &source.text[last.end().to_usize()..];
        let indented = source.line_text(source.line_of(last.end().to_u32())).starts_with([' ', '\t']);
        // An indented block ends with the source, unless that is not to be; what is on one line, with the line.
        let ends =
            if dont_imply_dedent { source.text.ends_with('\n') } else { indented || rest.contains('\n') };
        if !ends {
            return incomplete(last.end());
        }
    }
    Ok(())
}

fn is_compound(s: &Stmt) -> bool {
    matches!(
        s,
        Stmt::FunctionDef(_)
            | Stmt::ClassDef(_)
            | Stmt::For(_)
            | Stmt::While(_)
            | Stmt::If(_)
            | Stmt::With(_)
            | Stmt::Match(_)
            | Stmt::Try(_)
    )
}
