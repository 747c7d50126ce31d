//! f-strings and t-strings.

use crate::context::Compiler;
use crate::errors::Res;
use crate::source::Source;
use crate::unit::{Reg, TEMP, special};
use ruff_python_ast::{self as ast, ConversionFlag, InterpolatedStringElement as Element};
use ruff_text_size::Ranged;
use skein_bytecode::{Const, Op};

/// Parts joined at a time.
const BATCH: u16 = 16;

/// A part of an f-string: text, or something formatted.
enum Part<'a> {
    Text(Vec<u8>),
    Value(&'a ast::InterpolatedElement),
}

impl<'a> Compiler<'a> {
    pub fn fstring(&mut self, f: &'a ast::ExprFString, want: Option<Reg>) -> Res<Reg> {
        let mut parts = Vec::new();
        for part in &f.value {
            match part {
                ast::FStringPart::Literal(l) => {
                    let mut text = Vec::new();
                    self.source.push_literal(&mut text, l);
                    push_text(&mut parts, text);
                }
                ast::FStringPart::FString(f) => {
                    self.collect(&f.elements, f.flags.prefix().is_raw(), &mut parts)
                }
            }
        }
        self.join(&parts, want)
    }

    fn collect(&self, elements: &'a [Element], raw: bool, parts: &mut Vec<Part<'a>>) {
        for e in elements {
            match e {
                Element::Literal(l) => {
                    let mut text = Vec::new();
                    self.source.push_text(&mut text, &l.value, l.range, raw, true);
                    push_text(parts, text);
                }
                Element::Interpolation(i) => {
                    if let Some(d) = &i.debug_text {
                        push_text(parts, without_comments(d.as_str()).into_bytes());
                    }
                    parts.push(Part::Value(i));
                }
            }
        }
    }

    fn join(&mut self, parts: &[Part<'a>], want: Option<Reg>) -> Res<Reg> {
        match parts {
            [] => return Ok(self.constant(&Const::Str(Box::default()), want)),
            [Part::Text(t)] => return Ok(self.constant(&Const::Str(t.as_slice().into()), want)),
            [Part::Value(i)] => return self.formatted(i, want),
            _ => {}
        }
        let mark = self.u.mark();
        let row = TEMP + mark;
        for p in parts {
            // A full row is joined into its first register.
            if self.u.mark() - mark == BATCH {
                self.u.op3(Op::BuildString, row, row, BATCH);
                self.u.reset(mark + 1);
            }
            let slot = self.u.alloc();
            match p {
                Part::Text(t) => self.u.load_const(slot, &Const::Str(t.as_slice().into())),
                Part::Value(i) => {
                    self.formatted(i, Some(slot))?;
                }
            }
        }
        let n = self.u.mark() - mark;
        self.u.reset(mark);
        let dst = want.unwrap_or_else(|| self.u.alloc());
        self.u.op3(Op::BuildString, dst, row, n);
        Ok(dst)
    }

    /// `=` without conversion or specification means repr.
    fn conversion(i: &ast::InterpolatedElement) -> u16 {
        match i.conversion {
            ConversionFlag::None if i.debug_text.is_some() && i.format_spec.is_none() => 2,
            ConversionFlag::None => 0,
            ConversionFlag::Str => 1,
            ConversionFlag::Repr => 2,
            ConversionFlag::Ascii => 3,
        }
    }

    fn formatted(&mut self, i: &'a ast::InterpolatedElement, want: Option<Reg>) -> Res<Reg> {
        let mark = self.u.mark();
        let later: Vec<&ast::Expr> = Vec::new();
        let mut value = self.operand(&i.expression, &later)?;
        let outer = std::mem::replace(&mut self.u.range, i.range);
        let conversion = Self::conversion(i);
        if conversion != 0 && i.format_spec.is_none() {
            // What the conversion gives is an exact string, which formats to itself.
            self.u.reset(mark);
            let dst = want.unwrap_or_else(|| self.u.alloc());
            self.u.op3(Op::ToStr, dst, value, conversion);
            self.u.range = outer;
            return Ok(dst);
        }
        if conversion != 0 {
            let t = if value >= TEMP { value } else { self.u.alloc() };
            self.u.op3(Op::ToStr, t, value, conversion);
            value = t;
        }
        let spec = match &i.format_spec {
            Some(s) => {
                let mut parts = Vec::new();
                self.collect(&s.elements, false, &mut parts);
                self.join(&parts, None)?
            }
            None => {
                let t = self.u.alloc();
                self.u.load_special(t, special::UNBOUND);
                t
            }
        };
        self.u.reset(mark);
        let dst = want.unwrap_or_else(|| self.u.alloc());
        self.u.op3(Op::FormatValue, dst, value, spec);
        self.u.range = outer;
        Ok(dst)
    }

    // ---- t-strings

    pub fn tstring(&mut self, t: &'a ast::ExprTString, want: Option<Reg>) -> Res<Reg> {
        let mut strings: Vec<Vec<u8>> = vec![Vec::new()];
        let mut values = Vec::new();
        for part in &t.value {
            let raw = part.flags.prefix().is_raw();
            for e in &part.elements {
                match e {
                    Element::Literal(l) => {
                        let text = strings.last_mut().expect("begins with one");
                        self.source.push_text(text, &l.value, l.range, raw, true);
                    }
                    Element::Interpolation(i) => {
                        if let Some(d) = &i.debug_text {
                            let text = strings.last_mut().expect("begins with one");
                            text.extend_from_slice(without_comments(d.as_str()).as_bytes());
                        }
                        values.push(i);
                        strings.push(Vec::new());
                    }
                }
            }
        }
        let mark = self.u.mark();
        let texts = self.u.alloc();
        let list = self.u.alloc();
        let strings = strings.into_iter().map(|s| Const::Str(s.into())).collect();
        self.u.load_const(texts, &Const::Tuple(strings));
        self.u.op3(Op::BuildList, list, list, 0);
        for i in values {
            let inner = self.u.mark();
            self.interpolation(i)?;
            self.u.op2(Op::ListAppend, list, TEMP + inner);
            self.u.reset(inner);
        }
        self.u.op2(Op::ListToTuple, list, list);
        self.u.reset(mark);
        let dst = want.unwrap_or_else(|| self.u.alloc());
        self.u.op3(Op::BuildTemplate, dst, texts, list);
        Ok(dst)
    }

    /// An Interpolation object in the next temporary.
    fn interpolation(&mut self, i: &'a ast::InterpolatedElement) -> Res<()> {
        let row = self.expr_next(&i.expression)?;
        let text = self.u.alloc();
        match self.source.interpolation(i.range.start()) {
            Some(source) => self.u.load_const(text, source),
            None => self.u.load_str(text, &interpolation_source(self.source, i)),
        }
        let spec = self.u.alloc();
        match &i.format_spec {
            Some(s) => {
                let mut parts = Vec::new();
                self.collect(&s.elements, false, &mut parts);
                self.join(&parts, Some(spec))?;
            }
            None => self.u.load_const(spec, &Const::Str(Box::default())),
        }
        self.at(i, |c| c.u.op3(Op::BuildInterpolation, row, row, Self::conversion(i)));
        Ok(())
    }
}

/// The text behind the brace, without comments, up to what follows the expression: with the spaces
/// around it.
pub fn interpolation_source(source: &Source, i: &ast::InterpolatedElement) -> String {
    let text = &source.text[..i.range.end().to_usize()];
    let mut end = i.expression.range().end().to_usize();
    // Closing parentheses belong to it.
    loop {
        let rest = text[end..].trim_start();
        end = text.len() - rest.len();
        if rest.starts_with('#') {
            end += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with(')') {
            end += 1;
        } else {
            break;
        }
    }
    without_comments(&text[i.range.start().to_usize() + 1..end])
}

fn push_text(parts: &mut Vec<Part<'_>>, text: Vec<u8>) {
    if text.is_empty() {
        return;
    }
    match parts.last_mut() {
        Some(Part::Text(t)) => t.extend(text),
        _ => parts.push(Part::Text(text)),
    }
}

/// The text of `{expr=}` without comments, as CPython keeps it.
pub fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let (mut comment, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            '\n' => comment = false,
            _ if escaped => {}
            '#' if quote.is_none() => comment = true,
            '"' | '\'' if !comment => match quote {
                None => quote = Some(c),
                Some(q) if q == c => quote = None,
                Some(_) => {}
            },
            _ => {}
        }
        escaped = c == '\\' && quote.is_some() && !escaped;
        if !comment {
            out.push(c);
        }
    }
    out
}
