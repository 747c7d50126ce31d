//! f-strings and t-strings from the parser's tree to [`Node`]s.

use super::from_source::{Builder, optional, text};
use super::schema::Class;
use super::{Field, Node};
use crate::errors::Res;
use crate::fstrings::{interpolation_source, without_comments};
use ruff_python_ast::{self as ast, ConversionFlag, InterpolatedStringElement as Element};
use ruff_text_size::{Ranged, TextRange, TextSize};
use skein_bytecode::Const;

/// Pieces of a string: adjacent ones of text become one.
struct Pieces<'a, 'b> {
    builder: &'a Builder<'b>,
    done: Vec<Field>,
    /// Text not yet in `done`, where it is, and whether it began with `u`.
    text: Option<(Vec<u8>, TextRange, bool)>,
}

impl<'a, 'b> Pieces<'a, 'b> {
    fn new(builder: &'a Builder<'b>) -> Self {
        Pieces { builder, done: Vec::new(), text: None }
    }

    fn push_text(&mut self, more: Vec<u8>, range: TextRange, unicode: bool) {
        match &mut self.text {
            Some((text, whole, _)) => {
                text.extend(more);
                *whole = TextRange::new(whole.start(), range.end());
            }
            None => self.text = Some((more, range, unicode)),
        }
    }

    fn flush(&mut self) {
        if let Some((value, range, unicode)) = self.text.take()
            && !value.is_empty()
        {
            let kind = if unicode { text("u") } else { Field::None };
            let value = Field::Const(Const::Str(value.into()));
            self.done.push(self.builder.at(range, Class::Constant, vec![value, kind]).into());
        }
    }

    fn push(&mut self, node: Node) {
        self.flush();
        self.done.push(node.into());
    }

    fn finish(mut self) -> Field {
        self.flush();
        Field::List(self.done)
    }

    fn elements(&mut self, elements: &[Element], raw: bool, template: bool) -> Res<()> {
        for e in elements {
            match e {
                Element::Literal(l) => {
                    let mut out = Vec::new();
                    self.builder.source.push_text(&mut out, &l.value, l.range, raw, true);
                    self.push_text(out, l.range, false);
                }
                Element::Interpolation(i) => self.interpolation(i, template)?,
            }
        }
        Ok(())
    }

    fn interpolation(&mut self, i: &ast::InterpolatedElement, template: bool) -> Res<()> {
        let builder = self.builder;
        if let Some(d) = &i.debug_text {
            let start = i.start() + TextSize::new(1);
            let shown = without_comments(d.as_str()).into_bytes();
            self.push_text(shown, TextRange::at(start, TextSize::of(d.as_str())), false);
        }
        let conversion = match i.conversion {
            ConversionFlag::None if i.debug_text.is_some() && i.format_spec.is_none() => i64::from(b'r'),
            flag => flag as i64,
        };
        let spec = match &i.format_spec {
            None => None,
            Some(s) => {
                let mut pieces = Pieces::new(builder);
                pieces.elements(&s.elements, false, false)?;
                // From the colon.
                let range = TextRange::new(s.start() - TextSize::new(1), s.end());
                Some(builder.at(range, Class::JoinedStr, vec![pieces.finish()]))
            }
        };
        let value = builder.expr(&i.expression)?.into();
        let node = if template {
            let source =
                Field::Const(Const::Str(interpolation_source(builder.source, i).into_bytes().into()));
            let fields = vec![value, source, Field::Int(conversion), optional(spec)];
            builder.at(i.range, Class::Interpolation, fields)
        } else {
            builder.at(i.range, Class::FormattedValue, vec![value, Field::Int(conversion), optional(spec)])
        };
        self.push(node);
        Ok(())
    }
}

impl Builder<'_> {
    pub fn fstring(&self, f: &ast::ExprFString) -> Res<Node> {
        let mut pieces = Pieces::new(self);
        for part in &f.value {
            match part {
                ast::FStringPart::Literal(l) => {
                    let mut out = Vec::new();
                    self.source.push_literal(&mut out, l);
                    pieces.push_text(out, l.range, l.flags.prefix().is_unicode());
                }
                ast::FStringPart::FString(f) => {
                    pieces.elements(&f.elements, f.flags.prefix().is_raw(), false)?;
                }
            }
        }
        Ok(self.at(f.range, Class::JoinedStr, vec![pieces.finish()]))
    }

    pub fn tstring(&self, t: &ast::ExprTString) -> Res<Node> {
        let mut pieces = Pieces::new(self);
        for part in &t.value {
            pieces.elements(&part.elements, part.flags.prefix().is_raw(), true)?;
        }
        Ok(self.at(t.range, Class::TemplateStr, vec![pieces.finish()]))
    }
}
