//! What `ast.parse(…, optimize=1)` makes of a tree: `__debug__`, docstrings, `%` on literals and numbers in patterns.

use super::schema::Class;
use super::{Field, Node};
use crate::fold::{binary, unary};
use ruff_python_ast::{Operator, UnaryOp};
use skein_bytecode::{Const, Position};

/// Most digits of a width or precision that is folded.
const MAX_DIGITS: usize = 3;

/// Optimizes a whole tree. From level 2 on docstrings are left out.
pub fn optimize(node: &mut Node, level: u8) {
    for field in &mut node.fields {
        match field {
            Field::Node(inner) => optimize(inner, level),
            Field::List(items) => {
                for item in items {
                    if let Field::Node(inner) = item {
                        optimize(inner, level);
                    }
                }
            }
            Field::None | Field::Text(_) | Field::Int(_) | Field::Const(_) => {}
        }
    }
    match node.class {
        Class::Module if level >= 2 => remove_docstring(&mut node.fields[0]),
        Class::FunctionDef | Class::AsyncFunctionDef if level >= 2 => remove_docstring(&mut node.fields[2]),
        Class::ClassDef if level >= 2 => remove_docstring(&mut node.fields[3]),
        Class::Name if node.text(0) == Some("__debug__") && node.node(1).class == Class::Load => {
            *node = constant(if level == 0 { Const::True } else { Const::False }, node.place);
        }
        Class::BinOp if node.node(1).class == Class::Mod => {
            if let Some(values) = formatted(node) {
                let place = node.place;
                *node = at(place, Class::JoinedStr, vec![Field::List(values)]);
            }
        }
        Class::MatchValue => fold_number(&mut node.fields[0]),
        Class::MatchMapping => {
            if let Field::List(keys) = &mut node.fields[0] {
                keys.iter_mut().for_each(fold_number);
            }
        }
        _ => {}
    }
}

fn constant(value: Const, place: Option<Position>) -> Node {
    at(place, Class::Constant, vec![Field::Const(value), Field::None])
}

fn at(place: Option<Position>, class: Class, fields: Vec<Field>) -> Node {
    Node { class, place, fields }
}

/// A body without its docstring; what nothing is left of is `pass`.
fn remove_docstring(body: &mut Field) {
    let Field::List(body) = body else { return };
    let Some(Field::Node(first)) = body.first() else { return };
    let is_text = |n: &Node| n.class == Class::Constant && matches!(n.fields[0], Field::Const(Const::Str(_)));
    if first.class != Class::Expr || !is_text(first.node(0)) {
        return;
    }
    if body.len() > 1 {
        body.remove(0);
        return;
    }
    let width = "pass".len() as u32;
    let place = first.place.map(|p| Position { end_line: p.line, end_col: p.col + width, ..p });
    body[0] = Field::from(at(place, Class::Pass, Vec::new()));
}

fn const_of(node: &Node) -> Option<Const> {
    match (node.class, node.fields.first()) {
        (Class::Constant, Some(Field::Const(value))) => Some(value.clone()),
        _ => None,
    }
}

/// A negative or complex number in a pattern is a constant.
fn fold_number(field: &mut Field) {
    let Field::Node(node) = field else { return };
    let number = |node: &Node| match node.class {
        Class::UnaryOp if node.node(0).class == Class::USub => unary(UnaryOp::USub, const_of(node.node(1))?),
        _ => const_of(node),
    };
    let folded = match node.class {
        Class::BinOp => {
            let op = match node.node(1).class {
                Class::Add => Operator::Add,
                Class::Sub => Operator::Sub,
                _ => return,
            };
            let Some((left, right)) = number(node.node(0)).zip(number(node.node(2))) else { return };
            binary(left, op, right)
        }
        Class::UnaryOp => number(node),
        _ => return,
    };
    if let Some(value) = folded {
        let place = node.place;
        **node = constant(value, place);
    }
}

/// The parts of an f-string that does what `"…" % (…)` does.
fn formatted(node: &mut Node) -> Option<Vec<Field>> {
    let Some(Const::Str(text)) = const_of(node.node(0)) else { return None };
    let text = std::str::from_utf8(&text).ok()?;
    let place = node.place;
    let args = node.node(2);
    let starred = |f: &Field| matches!(f, Field::Node(n) if n.class == Class::Starred);
    if args.class != Class::Tuple || args.list(0).iter().any(starred) {
        return None;
    }
    let pieces = pieces(text)?;
    if pieces.iter().filter(|p| matches!(p, Piece::Value { .. })).count() != args.list(0).len() {
        return None;
    }
    let Field::Node(args) = &mut node.fields[2] else { return None };
    let Field::List(args) = &mut args.fields[0] else { return None };
    let mut args = std::mem::take(args).into_iter();
    let make = |piece| match piece {
        Piece::Text(text) => Field::from(constant(Const::Str(text.into_bytes().into()), place)),
        Piece::Value { conversion, spec } => {
            let spec = match spec.is_empty() {
                true => Field::None,
                false => {
                    let spec = constant(Const::Str(spec.into_bytes().into()), place);
                    let parts = vec![Field::List(vec![Field::from(spec)])];
                    Field::from(at(place, Class::JoinedStr, parts))
                }
            };
            let value = args.next().unwrap_or(Field::None);
            let fields = vec![value, Field::Int(i64::from(conversion)), spec];
            Field::from(at(place, Class::FormattedValue, fields))
        }
    };
    Some(pieces.into_iter().map(make).collect())
}

enum Piece {
    Text(String),
    Value { conversion: u8, spec: String },
}

/// The pieces of a format of `%s`, `%r` and `%a` with widths and precisions; None if there is anything else in it.
fn pieces(format: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = format.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '%' {
            literal.push(c);
            continue;
        }
        if rest.next_if_eq(&'%').is_some() {
            literal.push('%');
            continue;
        }
        let left = rest.next_if_eq(&'-').is_some();
        let mut digits = || {
            let mut found = String::new();
            while let Some(d) = rest.next_if(char::is_ascii_digit) {
                found.push(d);
            }
            (found, rest.next_if_eq(&'.').is_some())
        };
        let (width, has_precision) = digits();
        let precision = if has_precision { digits() } else { (String::new(), false) };
        let zero = width.starts_with('0');
        if zero || precision.1 || width.len() > MAX_DIGITS || precision.0.len() > MAX_DIGITS {
            return None;
        }
        let conversion = rest.next().filter(|c| matches!(c, 's' | 'r' | 'a'))?;
        let mut spec = String::new();
        if !width.is_empty() {
            spec.push_str(if left { "" } else { ">" });
            spec.push_str(&width);
        }
        if has_precision {
            spec.push('.');
            spec.push_str(if precision.0.is_empty() { "0" } else { &precision.0 });
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Value { conversion: conversion as u8, spec });
    }
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Some(pieces)
}
