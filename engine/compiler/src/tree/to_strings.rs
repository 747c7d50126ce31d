//! Constants and strings from [`Node`]s to the parser's tree.

use super::schema::Class;
use super::to_parsed::{Builder, Start, nodes};
use super::{Field, Node};
use ruff_python_ast::{self as ast, AtomicNodeIndex, Expr, Int};
use ruff_text_size::{Ranged, TextRange};
use skein_bytecode::Const;

impl Builder {
    pub fn fstring(&mut self, e: &Node, start: Start, elements: Vec<ast::InterpolatedStringElement>) -> Expr {
        let range = self.end(e, start);
        let flags = ast::FStringFlags::empty();
        let f = ast::FString { range, node_index: AtomicNodeIndex::NONE, elements: elements.into(), flags };
        let value = ast::FStringValue::single(f);
        Expr::FString(ast::ExprFString { node_index: AtomicNodeIndex::NONE, range, value })
    }

    /// Parts of an f-string. What is no text and no formatted value is formatted as it is.
    pub fn elements(&mut self, items: &[Field]) -> Vec<ast::InterpolatedStringElement> {
        let mut out = Vec::new();
        for part in nodes(items) {
            match (part.class, part.fields.first()) {
                (Class::Constant, Some(Field::Const(Const::Str(text)))) => match plain_text(text) {
                    Some(text) => {
                        let range = self.here();
                        let (value, node_index) = (text.into(), AtomicNodeIndex::NONE);
                        out.push(ast::InterpolatedStringElement::Literal(
                            ast::InterpolatedStringLiteralElement { range, node_index, value },
                        ));
                    }
                    None => out.push(self.whole(part)),
                },
                (Class::FormattedValue, _) => out.push(self.interpolation(part, 1)),
                (Class::Interpolation, _) => out.push(self.interpolation(part, 2)),
                (Class::JoinedStr, _) => out.extend(self.elements(part.list(0))),
                _ => out.push(self.whole(part)),
            }
        }
        out
    }

    fn whole(&mut self, e: &Node) -> ast::InterpolatedStringElement {
        let expression = self.boxed(e);
        ast::InterpolatedStringElement::Interpolation(ast::InterpolatedElement {
            range: expression.range(),
            node_index: AtomicNodeIndex::NONE,
            expression,
            debug_text: None,
            conversion: ast::ConversionFlag::None,
            format_spec: None,
        })
    }

    /// A formatted value; its conversion is the field of that number, and its specification the next one.
    pub fn interpolation(&mut self, e: &Node, conversion_field: usize) -> ast::InterpolatedStringElement {
        let start = self.begin(e);
        if let Some(Field::Const(text)) = e.fields.get(1).filter(|_| conversion_field == 2) {
            self.texts.push((start.0.to_u32(), text.clone()));
        }
        let expression = self.boxed(e.node(0));
        let conversion = match u8::try_from(e.int(conversion_field)) {
            Ok(b's') => ast::ConversionFlag::Str,
            Ok(b'r') => ast::ConversionFlag::Repr,
            Ok(b'a') => ast::ConversionFlag::Ascii,
            _ => ast::ConversionFlag::None,
        };
        let format_spec = e.opt(conversion_field + 1).map(|spec| {
            let elements = match spec.class {
                Class::JoinedStr => self.elements(spec.list(0)),
                _ => vec![self.whole(spec)],
            };
            let range = self.here();
            Box::new(ast::InterpolatedStringFormatSpec {
                range,
                node_index: AtomicNodeIndex::NONE,
                elements: elements.into(),
            })
        });
        let range = self.end(e, start);
        ast::InterpolatedStringElement::Interpolation(ast::InterpolatedElement {
            range,
            node_index: AtomicNodeIndex::NONE,
            expression,
            debug_text: None,
            conversion,
            format_spec,
        })
    }

    pub fn constant(&mut self, c: &Const, range: TextRange) -> Expr {
        let node_index = AtomicNodeIndex::NONE;
        let number = |value| {
            Expr::NumberLiteral(ast::ExprNumberLiteral { node_index: AtomicNodeIndex::NONE, range, value })
        };
        match c {
            Const::None => Expr::NoneLiteral(ast::ExprNoneLiteral { node_index, range }),
            Const::True | Const::False => {
                let value = *c == Const::True;
                Expr::BooleanLiteral(ast::ExprBooleanLiteral { node_index, range, value })
            }
            Const::Ellipsis => Expr::EllipsisLiteral(ast::ExprEllipsisLiteral { node_index, range }),
            Const::Int(n) if *n >= 0 => number(ast::Number::Int(Int::from(*n as u64))),
            Const::Float(bits) if f64::from_bits(*bits) >= 0.0 => {
                number(ast::Number::Float(f64::from_bits(*bits)))
            }
            Const::Bytes(bytes) => {
                let flags = ast::BytesLiteralFlags::empty();
                let literal = ast::BytesLiteral { range, node_index, value: bytes.clone(), flags };
                let value = ast::BytesLiteralValue::single(literal);
                Expr::BytesLiteral(ast::ExprBytesLiteral { node_index: AtomicNodeIndex::NONE, range, value })
            }
            Const::Str(text) if plain_text(text).is_some() => {
                let value = plain_text(text).unwrap_or_default().into();
                let flags = ast::StringLiteralFlags::empty();
                let literal = ast::StringLiteral { range, node_index, value, flags };
                let value = ast::StringLiteralValue::single(literal);
                Expr::StringLiteral(ast::ExprStringLiteral {
                    node_index: AtomicNodeIndex::NONE,
                    range,
                    value,
                })
            }
            _ => {
                // The parser has no literal of it: a kind of node that it makes for another language stands for it.
                self.constants.push(c.clone());
                Expr::IpyEscapeCommand(ast::ExprIpyEscapeCommand {
                    node_index,
                    range,
                    kind: ast::IpyEscapeKind::Shell,
                    value: (self.constants.len() - 1).to_string().into(),
                })
            }
        }
    }
}

/// Text that a Rust string can hold, and that no one takes for text with surrogates.
fn plain_text(text: &[u8]) -> Option<&str> {
    std::str::from_utf8(text).ok().filter(|t| !t.contains('\u{fffd}'))
}
