//! Syntax trees as programs see them: the abstract grammar of Python, without the parser's own types.
//!
//! [`parse`] makes a tree of source text, [`compile`] code of a tree. What a program hands to `compile()` may be anything:
//! [`validate`] checks what the compiler relies on.

mod from_source;
mod from_strings;
mod optimize;
pub mod schema;
mod to_parsed;
mod to_strings;
mod type_comments;
mod validate;
mod versions;

use crate::errors::{self, SyntaxError, SyntaxWarning};
use crate::source::{self, Source};
use crate::{Compiled, Mode, Options, RED_ZONE, STACK, compile_module, nesting, parse as parser};
use from_source::Builder;
use ruff_python_ast::token::Tokens;
use ruff_text_size::TextRange;
use schema::Class;
use skein_bytecode::{Const, Position};
use type_comments::TypeComments;
pub use validate::Wrong;

/// A node of a tree.
#[derive(Debug)]
pub struct Node {
    pub class: Class,
    /// For classes with attributes. Columns are of UTF-8 bytes, from 0.
    pub place: Option<Position>,
    /// In the order of the class's fields.
    pub fields: Vec<Field>,
}

/// A value of a field.
#[derive(Debug)]
pub enum Field {
    None,
    Node(Box<Node>),
    List(Vec<Field>),
    /// An identifier or a string.
    Text(Box<str>),
    Int(i64),
    Const(Const),
}

impl From<Node> for Field {
    fn from(node: Node) -> Field {
        Field::Node(Box::new(node))
    }
}

impl Drop for Node {
    /// Without recursion: trees nest deeper than a native stack may.
    fn drop(&mut self) {
        let mut rows = vec![std::mem::take(&mut self.fields)];
        while let Some(row) = rows.pop() {
            for field in row {
                match field {
                    Field::Node(mut node) => rows.push(std::mem::take(&mut node.fields)),
                    Field::List(items) => rows.push(items),
                    Field::None | Field::Text(_) | Field::Int(_) | Field::Const(_) => {}
                }
            }
        }
    }
}

/// Code of a tree that [`validate`] has nothing against.
///
/// # Errors
/// SyntaxError and its like.
pub fn compile(tree: &Node, filename: &str, mode: Mode, options: &Options) -> Result<Compiled, SyntaxError> {
    // How deep it nests is bounded by who made it: see [`MAX_NODES_DEEP`].
    stacker::maybe_grow(RED_ZONE, STACK, || {
        let (module, source) = to_parsed::parsed(tree);
        compile_module(&module, Vec::new(), &source, filename, mode, options)
            .map_err(|e| errors::locate(*e, &source))
    })
}

/// Checks what the compiler relies on.
///
/// # Errors
/// What is wrong with the tree.
pub fn validate(tree: &Node) -> Result<(), Wrong> {
    stacker::maybe_grow(RED_ZONE, STACK, || validate::validate(tree))
}

/// Does what `compile()` does to a tree that is to be optimized.
pub fn optimize(tree: &mut Node, level: u8) {
    stacker::maybe_grow(RED_ZONE, STACK, || optimize::optimize(tree, level));
}

/// How deep nodes of a tree that is to be compiled may nest.
pub const MAX_NODES_DEEP: usize = 3000;

/// A parsed source text.
pub struct Parsed {
    pub tree: Node,
    pub warnings: Vec<SyntaxWarning>,
}

/// Parses a source text.
pub fn parse(source: &[u8], mode: Mode, options: &Options) -> Result<Parsed, SyntaxError> {
    let text = source::decode(source, options.decoded).map_err(|e| *e)?;
    let mut source = Source::new(text);
    source.max_int_digits = options.max_int_digits;
    source.barry = options.barry;
    nesting::check(&source).map_err(|e| errors::locate(*e, &source))?;
    let parse = || -> errors::Res<Parsed> {
        let (module, tokens, warnings) =
            parser::parse_keeping(&source, mode, options.dont_imply_dedent, Tokens::clone)?;
        if let Some(minor) = options.feature_version {
            versions::check(&module, &source, &tokens, minor)?;
        }
        let comments = options.type_comments.then(|| TypeComments::of(&source, &tokens));
        let builder = Builder { source: &source, tokens: &tokens, comments: comments.as_ref() };
        Ok(Parsed { tree: builder.module(&module, mode == Mode::Single)?, warnings })
    };
    stacker::maybe_grow(RED_ZONE, STACK, || parse().map_err(|e| errors::locate(*e, &source)))
}

/// Parses the signature in a function's type comment, `(int, *str) -> bool`: a `FunctionType`.
pub fn parse_function_type(text: &[u8], options: &Options) -> Result<Node, SyntaxError> {
    let text = source::decode(text, options.decoded).map_err(|e| *e)?;
    let parts = type_comments::function_type(&text);
    // As a call, which has all kinds of parameters.
    let parts = parts.map(|(parameters, result)| {
        let blanks = &text[..parameters.start().to_usize()];
        (
            format!("{blanks}_{}", &text[parameters.to_std_range()]),
            text[result.to_std_range()].to_owned(),
            result,
        )
    });
    let whole = Source::new(text);
    let invalid = || {
        let range = TextRange::up_to((whole.text.len() as u32).into());
        errors::locate(*errors::Fault::syntax("invalid syntax", range), &whole)
    };
    let Some((call, result, place)) = parts else { return Err(invalid()) };
    let parsed =
        |text: &str| parse(text.as_bytes(), Mode::Eval, &Options { decoded: true, ..options.clone() });
    let trimmed = result.trim_start();
    let skipped = result.len() - trimmed.len();
    let blanks = call.len() - call.trim_start().len();
    let (mut call, mut result) = (parsed(call.trim_start())?.tree, parsed(trimmed)?.tree);
    let (Field::Node(mut call), Field::Node(mut result)) = (call.fields.remove(0), result.fields.remove(0))
    else {
        return Err(invalid());
    };
    if call.class != Class::Call {
        return Err(invalid());
    }
    let place_of = |f: Option<&Field>| match f {
        Some(Field::Node(n)) => n.place.map(|p| (p.line, p.col)),
        _ => None,
    };
    // A keyword's own place is that of its name; without one, that of the value.
    let first_named = call.list(2).first().and_then(|k| match k {
        Field::Node(k) => place_of(k.fields.get(1)),
        _ => None,
    });
    let positional_after_named =
        first_named.is_some_and(|p| place_of(call.list(1).last()).is_some_and(|q| q > p));
    call.shift(blanks as i32 - 1);
    result.shift(place.start().to_u32() as i32 + skipped as i32);
    let (Field::List(mut types), Field::List(named)) = (
        std::mem::replace(&mut call.fields[1], Field::None),
        std::mem::replace(&mut call.fields[2], Field::None),
    ) else {
        return Err(invalid());
    };
    let starred = |f: &Field| matches!(f, Field::Node(n) if n.class == Class::Starred);
    let stars = types.iter().position(starred);
    let after_star = stars.is_some_and(|first| first + 1 < types.len());
    if after_star || named.len() > 1 || positional_after_named {
        return Err(invalid());
    }
    if let Some(Field::Node(node)) = stars.map(|i| &mut types[i]) {
        let inner = std::mem::replace(&mut node.fields[0], Field::None);
        types.pop();
        types.push(inner);
    }
    for item in named {
        match item {
            Field::Node(mut node) if matches!(node.fields[0], Field::None) => {
                types.push(std::mem::replace(&mut node.fields[1], Field::None));
            }
            _ => return Err(invalid()),
        }
    }
    Ok(Class::FunctionType.node(vec![Field::List(types), Field::Node(result)]))
}

/// Fields by their numbers.
impl Node {
    /// Moves what stands on the first line by so many columns.
    fn shift(&mut self, columns: i32) {
        if let Some(place) = &mut self.place {
            if place.line == 1 {
                place.col = place.col.saturating_add_signed(columns as _);
            }
            if place.end_line == 1 {
                place.end_col = place.end_col.saturating_add_signed(columns as _);
            }
        }
        let mut rows: Vec<&mut Field> = self.fields.iter_mut().collect();
        while let Some(field) = rows.pop() {
            match field {
                Field::Node(node) => node.shift(columns),
                Field::List(items) => rows.extend(items),
                Field::None | Field::Text(_) | Field::Int(_) | Field::Const(_) => {}
            }
        }
    }

    pub fn opt(&self, i: usize) -> Option<&Node> {
        match self.fields.get(i) {
            Some(Field::Node(node)) => Some(node),
            _ => None,
        }
    }

    pub fn node(&self, i: usize) -> &Node {
        self.opt(i).expect("whoever makes trees gives required fields their nodes")
    }

    pub fn list(&self, i: usize) -> &[Field] {
        match self.fields.get(i) {
            Some(Field::List(items)) => items,
            _ => &[],
        }
    }

    pub fn text(&self, i: usize) -> Option<&str> {
        match self.fields.get(i) {
            Some(Field::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn int(&self, i: usize) -> i64 {
        match self.fields.get(i) {
            Some(Field::Int(n)) => *n,
            _ => 0,
        }
    }
}
