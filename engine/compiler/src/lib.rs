//! Python source to register bytecode.
//!
//! ```text
//! bytes -> source (decoding) -> ruff's parser -> symbols, scopes -> statements, expressions, … (unit)
//!       -> flow (definite assignment, dead code) -> finish (registers, units, tables) -> Code
//! ```
//!
//! Conventions that the machine relies on:
//! * Module and class code takes one positional parameter, the namespace, in `r[0]` (`.namespace`).
//!   Class code returns its `__class__` cell, or None.
//! * `MakeGenerator` is a generator's very first instruction; cells are made and the closure is loaded behind it.
//! * An annotation or type parameter evaluator takes one positional-only parameter, `format`.
//! * Evaluators of bounds, defaults and aliases have the default `(1,)` for it.

mod anchors;
mod annotations;
mod calls;
mod classes;
mod comprehensions;
mod context;
mod control;
mod displays;
mod errors;
mod escapes;
mod exceptions;
mod expressions;
mod finish;
mod flow;
mod fold;
mod fstrings;
mod functions;
mod generators;
mod imports;
mod nesting;
mod parse;
mod parse_errors;
mod patterns;
mod scopes;
mod source;
mod statements;
mod static_attributes;
mod strings;
mod suspicious;
mod symbols;
pub mod symtable;
mod tokenizer_errors;
pub mod tokens;
pub mod tree;
mod unit;
mod unparse;

pub use anchors::{Anchors, caret_anchors, is_plain_call};
use context::{Compiler, Frame};
pub use errors::{ErrorKind, SyntaxError, SyntaxWarning};
use errors::{Fault, Res};
use ruff_python_ast::{Mod, Stmt};
use ruff_text_size::{Ranged, TextRange};
use skein_bytecode::{Code, flags};
use source::Source;
use unit::Unit;

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
    /// The end of interactive input does not end a block: its last line must be whole.
    pub dont_imply_dedent: bool,
    /// Trees have type comments, which are an error where they belong to nothing.
    pub type_comments: bool,
    /// Trees are of a source for Python 3 of this minor version.
    pub feature_version: Option<u8>,
    /// Positions say lines only.
    pub lines_only: bool,
    /// `from __future__ import barry_as_FLUFL` is inherited: `<>` is how inequality is written.
    pub barry: bool,
    /// Digits of a decimal literal; 0: as many as there are. None: CPython's default.
    pub max_int_digits: Option<usize>,
    /// The source is text already, in UTF-8: a byte order mark is an error, a coding cookie says nothing.
    pub decoded: bool,
}

/// A compiled source text.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub code: Code,
    pub warnings: Vec<SyntaxWarning>,
}

pub use source::foreign_encoding;

/// Compiles a source text; honours a byte order mark and a PEP 263 coding cookie.
pub fn compile(source: &[u8], filename: &str, mode: Mode, options: &Options) -> Result<Code, SyntaxError> {
    compile_with_warnings(source, filename, mode, options).map(|c| c.code)
}

/// As [`compile`], with the warnings.
pub fn compile_with_warnings(
    source: &[u8],
    filename: &str,
    mode: Mode,
    options: &Options,
) -> Result<Compiled, SyntaxError> {
    let text = source::decode(source, options.decoded).map_err(|e| *e)?;
    let mut source = Source::new(text);
    source.lines_only = options.lines_only;
    source.max_int_digits = options.max_int_digits;
    source.barry = options.barry;
    nesting::check(&source).map_err(|e| errors::locate(*e, &source))?;
    // How deep expressions nest is bounded by now; what a level takes is bounded too.
    stacker::maybe_grow(RED_ZONE, STACK, || {
        compile_source(&source, filename, mode, options).map_err(|e| errors::locate(*e, &source))
    })
}

/// Levels of nested expressions; beyond, CPython's parser gives up as well.
const MAX_DEPTH: u32 = 6000;
/// Stack that [`MAX_DEPTH`] levels of the parser's, the symbols' and the compiler's recursion fit.
const STACK: usize = 64 << 20;
const RED_ZONE: usize = 32 << 20;

/// CPython's words for a source that nests too deep.
const TOO_COMPLEX: &str = "Parser stack overflowed - Python source too complex to parse";

/// And for one whose operators, calls or subscripts go on too long.
const TOO_DEEP: &str = "maximum recursion depth exceeded during compilation";

fn too_deep() -> Box<Fault> {
    Fault::bare(ErrorKind::Memory, TOO_COMPLEX)
}

fn compile_source(source: &Source, filename: &str, mode: Mode, options: &Options) -> Res<Compiled> {
    let (module, warnings) = parse::parse(source, mode, options.dont_imply_dedent)?;
    compile_module(&module, warnings, source, filename, mode, options)
}

/// Code of the parser's tree.
fn compile_module(
    module: &Mod,
    warnings: Vec<SyntaxWarning>,
    source: &Source,
    filename: &str,
    mode: Mode,
    options: &Options,
) -> Res<Compiled> {
    let body = match module {
        Mod::Module(m) => symbols::Body::Suite(&m.body),
        Mod::Expression(e) => symbols::Body::Expr(&e.body),
    };
    let mut future_annotations = options.future_annotations;
    if let symbols::Body::Suite(suite) = body {
        future_annotations |= imports::future_annotations(suite)?;
    }
    let tree = symbols::build(body, future_annotations)?;
    let unit = Unit::new(0, "<module>".into(), "<module>".into(), 1);
    let mut c = Compiler {
        source,
        filename,
        options,
        future_annotations,
        interactive: mode == Mode::Single,
        tree,
        u: unit,
        f: Frame::new(0),
        outer: Vec::new(),
        warnings,
        depth: 0,
    };
    c.module(body)?;
    let unit = std::mem::replace(&mut c.u, Unit::new(0, "".into(), "".into(), 1));
    let code = c.finish_unit(unit)?;
    Ok(Compiled { code, warnings: c.warnings })
}

impl<'a> Compiler<'a> {
    fn module(&mut self, body: symbols::Body<'a>) -> Res<()> {
        if self.future_annotations {
            self.u.flags |= flags::FUTURE_ANNOTATIONS;
        }
        let top_await = self.options.allow_top_level_await && self.tree.scopes[0].has_await;
        if top_await {
            self.tree.scopes[0].is_async = true;
            self.begin_generator();
        }
        self.f.walrus = self.tree.scopes[0].has_walrus;
        self.u.range = TextRange::empty(0.into());
        self.declare_namespace();
        match body {
            symbols::Body::Expr(e) => {
                let r = self.expr(e, None)?;
                self.u.range = e.range();
                self.emit_return(r);
                self.u.reset(0);
            }
            symbols::Body::Suite(suite) => self.module_body(suite)?,
        }
        self.end_generator();
        Ok(())
    }

    fn module_body(&mut self, suite: &'a [Stmt]) -> Res<()> {
        let (doc, body) = if self.interactive { (None, suite) } else { self.docstring(suite) };
        if let Some(doc) = doc {
            let t = self.u.alloc();
            self.at(&suite[0], |c| {
                c.u.load_const(t, &doc);
                c.store_plain("__doc__", t);
            });
            self.u.reset(0);
        }
        if self.tree.scopes[0].conditional_annotations {
            let t = self.u.alloc();
            self.u.op3(skein_bytecode::Op::Intrinsic, t, t, skein_bytecode::Intrinsic::NewSet as u16);
            self.store_plain("__conditional_annotations__", t);
            self.u.reset(0);
        }
        self.annotations_prologue(0);
        // The module's annotations may be asked for while it still runs.
        self.annotate_variables(0, "__annotate__")?;
        self.stmts(body)?;
        self.u.range = unit::NOWHERE;
        self.return_none();
        Ok(())
    }
}
