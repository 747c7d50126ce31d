//! Expressions back to text, as `ast.unparse` in C writes them: for annotations kept as strings.

use crate::context::Compiler;
use ruff_python_ast::{self as ast, Expr, InterpolatedStringElement as Element, Number, Operator, UnaryOp};
use ruff_text_size::Ranged;
use std::fmt::Write;

/// Precedence of what surrounds an expression; a looser expression gets parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Tuple,
    Test,
    Or,
    And,
    Not,
    Compare,
    BitOr,
    BitXor,
    BitAnd,
    Shift,
    Arith,
    Term,
    Factor,
    Power,
    Await,
    Atom,
}

pub fn unparse(c: &Compiler<'_>, e: &Expr) -> String {
    let mut w = Writer { c, out: String::new() };
    w.expr(e, Level::Test);
    w.out
}

struct Writer<'c, 'a> {
    c: &'c Compiler<'a>,
    out: String,
}

impl Writer<'_, '_> {
    fn push(&mut self, s: &str) {
        self.out.push_str(s);
    }

    /// Writes with parentheses if the place binds tighter than the expression.
    fn wrap(&mut self, own: Level, place: Level, f: impl FnOnce(&mut Self)) {
        let parens = place > own;
        if parens {
            self.push("(");
        }
        f(self);
        if parens {
            self.push(")");
        }
    }

    fn list<'e>(&mut self, es: impl IntoIterator<Item = &'e Expr>) {
        for (i, e) in es.into_iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            self.expr(e, Level::Test);
        }
    }

    fn expr(&mut self, e: &Expr, place: Level) {
        match e {
            Expr::Name(n) => self.push(&n.id),
            Expr::Attribute(a) => {
                let number = matches!(&*a.value, Expr::NumberLiteral(n) if matches!(n.value, Number::Int(_)));
                self.expr(&a.value, Level::Atom);
                self.push(if number { " ." } else { "." });
                self.push(&a.attr);
            }
            Expr::Subscript(s) => {
                self.expr(&s.value, Level::Atom);
                self.push("[");
                match &*s.slice {
                    Expr::Tuple(t) if !t.elts.is_empty() => self.tuple_items(&t.elts),
                    other => self.expr(other, Level::Tuple),
                }
                self.push("]");
            }
            Expr::Slice(s) => {
                self.slice_part("", s.lower.as_deref());
                self.push(":");
                self.slice_part("", s.upper.as_deref());
                self.slice_part(":", s.step.as_deref());
            }
            Expr::Tuple(t) => {
                if t.elts.is_empty() {
                    return self.push("()");
                }
                self.wrap(Level::Tuple, place, |w| w.tuple_items(&t.elts));
            }
            Expr::List(l) => {
                self.push("[");
                self.list(&l.elts);
                self.push("]");
            }
            Expr::Set(s) => {
                self.push("{");
                self.list(&s.elts);
                self.push("}");
            }
            Expr::Dict(d) => self.dict(d),
            Expr::BoolOp(b) => {
                let (word, own) = match b.op {
                    ast::BoolOp::And => (" and ", Level::And),
                    ast::BoolOp::Or => (" or ", Level::Or),
                };
                self.wrap(own, place, |w| {
                    for (i, v) in b.values.iter().enumerate() {
                        if i > 0 {
                            w.push(word);
                        }
                        w.expr(v, tighter(own));
                    }
                });
            }
            Expr::BinOp(b) => self.binary(b, place),
            Expr::UnaryOp(u) => {
                let (word, own) = match u.op {
                    UnaryOp::Invert => ("~", Level::Factor),
                    UnaryOp::UAdd => ("+", Level::Factor),
                    UnaryOp::USub => ("-", Level::Factor),
                    UnaryOp::Not => ("not ", Level::Not),
                };
                self.wrap(own, place, |w| {
                    w.push(word);
                    w.expr(&u.operand, own);
                });
            }
            Expr::Compare(c) => self.wrap(Level::Compare, place, |w| {
                w.expr(&c.left, tighter(Level::Compare));
                for (op, right) in c.ops.iter().zip(&c.comparators) {
                    let _ = write!(w.out, " {op} ");
                    w.expr(right, tighter(Level::Compare));
                }
            }),
            Expr::If(i) => self.wrap(Level::Test, place, |w| {
                w.expr(&i.body, tighter(Level::Test));
                w.push(" if ");
                w.expr(&i.test, tighter(Level::Test));
                w.push(" else ");
                w.expr(&i.orelse, Level::Test);
            }),
            Expr::Lambda(l) => self.wrap(Level::Test, place, |w| {
                w.push("lambda");
                if let Some(p) = &l.parameters {
                    w.push(" ");
                    w.parameters(p);
                }
                w.push(": ");
                w.expr(&l.body, Level::Test);
            }),
            Expr::Named(n) => self.wrap(Level::Tuple, place, |w| {
                w.expr(&n.target, Level::Atom);
                w.push(" := ");
                w.expr(&n.value, Level::Atom);
            }),
            Expr::Call(c) => self.call(c),
            Expr::Starred(s) => {
                self.push("*");
                self.expr(&s.value, Level::BitOr);
            }
            Expr::Await(a) => self.wrap(Level::Await, place, |w| {
                w.push("await ");
                w.expr(&a.value, Level::Atom);
            }),
            Expr::ListComp(c) => self.comprehension("[", None, &c.elt, &c.generators, "]"),
            Expr::SetComp(c) => self.comprehension("{", None, &c.elt, &c.generators, "}"),
            Expr::DictComp(c) => self.comprehension("{", c.key.as_deref(), &c.value, &c.generators, "}"),
            Expr::Generator(c) => self.comprehension("(", None, &c.elt, &c.generators, ")"),
            Expr::StringLiteral(s) => {
                let text = self.c.source.string_value(s);
                self.string(&String::from_utf8_lossy(&text));
            }
            Expr::BytesLiteral(b) => {
                let bytes: Vec<u8> = b.value.bytes().collect();
                self.push("b");
                let text: String = bytes.iter().map(|&b| b as char).collect();
                self.quoted(&text, true);
            }
            Expr::FString(f) => self.fstring(f),
            Expr::NumberLiteral(n) => self.number(n),
            Expr::BooleanLiteral(b) => self.push(if b.value { "True" } else { "False" }),
            Expr::NoneLiteral(_) => self.push("None"),
            Expr::EllipsisLiteral(_) => self.push("..."),
            Expr::Yield(_) | Expr::YieldFrom(_) | Expr::TString(_) | Expr::IpyEscapeCommand(_) => {
                let text = match self.c.source.has_text() {
                    true => self.c.source.text[e.range()].to_string(),
                    false => "...".to_string(),
                };
                self.push(&text);
            }
        }
    }

    fn tuple_items(&mut self, items: &[Expr]) {
        self.list(items);
        if items.len() == 1 {
            self.push(",");
        }
    }

    fn dict(&mut self, d: &ast::ExprDict) {
        self.push("{");
        for (i, item) in d.items.iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            match &item.key {
                Some(k) => {
                    self.expr(k, Level::Test);
                    self.push(": ");
                    self.expr(&item.value, Level::Test);
                }
                None => {
                    self.push("**");
                    self.expr(&item.value, Level::BitOr);
                }
            }
        }
        self.push("}");
    }

    fn binary(&mut self, b: &ast::ExprBinOp, place: Level) {
        let own = match b.op {
            Operator::BitOr => Level::BitOr,
            Operator::BitXor => Level::BitXor,
            Operator::BitAnd => Level::BitAnd,
            Operator::LShift | Operator::RShift => Level::Shift,
            Operator::Add | Operator::Sub => Level::Arith,
            Operator::Mult | Operator::Div | Operator::Mod | Operator::FloorDiv | Operator::MatMult => {
                Level::Term
            }
            Operator::Pow => Level::Power,
        };
        let right_assoc = b.op == Operator::Pow;
        self.wrap(own, place, |w| {
            w.expr(&b.left, if right_assoc { tighter(own) } else { own });
            let _ = write!(w.out, " {} ", b.op);
            w.expr(&b.right, if right_assoc { own } else { tighter(own) });
        });
    }

    fn call(&mut self, c: &ast::ExprCall) {
        self.expr(&c.func, Level::Atom);
        if let ([Expr::Generator(_)], []) = (&*c.arguments.args, &*c.arguments.keywords) {
            return self.expr(&c.arguments.args[0], Level::Atom);
        }
        self.push("(");
        self.list(&c.arguments.args);
        for (i, k) in c.arguments.keywords.iter().enumerate() {
            if i > 0 || !c.arguments.args.is_empty() {
                self.push(", ");
            }
            match &k.arg {
                Some(n) => {
                    self.push(n);
                    self.push("=");
                }
                None => self.push("**"),
            }
            self.expr(&k.value, Level::Test);
        }
        self.push(")");
    }

    fn comprehension(
        &mut self,
        open: &str,
        key: Option<&Expr>,
        elt: &Expr,
        gens: &[ast::Comprehension],
        close: &str,
    ) {
        self.push(open);
        if let Some(k) = key {
            self.expr(k, Level::Test);
            self.push(": ");
        }
        self.expr(elt, Level::Test);
        for g in gens {
            self.push(if g.is_async { " async for " } else { " for " });
            self.expr(&g.target, Level::Tuple);
            self.push(" in ");
            self.expr(&g.iter, tighter(Level::Test));
            for i in &g.ifs {
                self.push(" if ");
                self.expr(i, tighter(Level::Test));
            }
        }
        self.push(close);
    }

    fn slice_part(&mut self, mark: &str, e: Option<&Expr>) {
        if let Some(e) = e {
            self.push(mark);
            self.expr(e, Level::Test);
        }
    }

    fn parameter(&self, d: &ast::ParameterWithDefault) -> String {
        match &d.default {
            Some(v) => format!("{}={}", d.parameter.name, unparse(self.c, v)),
            None => d.parameter.name.to_string(),
        }
    }

    fn parameters(&mut self, p: &ast::Parameters) {
        let mut parts: Vec<String> = p.posonlyargs.iter().map(|d| self.parameter(d)).collect();
        if !p.posonlyargs.is_empty() {
            parts.push("/".into());
        }
        parts.extend(p.args.iter().map(|d| self.parameter(d)));
        match &p.vararg {
            Some(v) => parts.push(format!("*{}", v.name)),
            None if !p.kwonlyargs.is_empty() => parts.push("*".into()),
            None => {}
        }
        parts.extend(p.kwonlyargs.iter().map(|d| self.parameter(d)));
        if let Some(k) = &p.kwarg {
            parts.push(format!("**{}", k.name));
        }
        let text = parts.join(", ");
        self.push(&text);
    }

    fn fstring(&mut self, f: &ast::ExprFString) {
        let mut body = String::new();
        for part in &f.value {
            match part {
                ast::FStringPart::Literal(l) => body.push_str(&l.value.replace('{', "{{").replace('}', "}}")),
                ast::FStringPart::FString(f) => self.elements(&f.elements, &mut body),
            }
        }
        self.push("f");
        self.string(&body);
    }

    fn elements(&self, elements: &[Element], body: &mut String) {
        for e in elements {
            match e {
                Element::Literal(l) => body.push_str(&l.value.replace('{', "{{").replace('}', "}}")),
                Element::Interpolation(i) => {
                    if let Some(d) = &i.debug_text {
                        body.push_str(d.as_str());
                    }
                    body.push('{');
                    let text = unparse(self.c, &i.expression);
                    // A brace at the start must not be doubled.
                    if text.starts_with('{') {
                        body.push(' ');
                    }
                    body.push_str(&text);
                    if let Some(conversion) = i.conversion.to_char() {
                        body.push('!');
                        body.push(conversion);
                    }
                    if let Some(s) = &i.format_spec {
                        body.push(':');
                        self.elements(&s.elements, body);
                    }
                    body.push('}');
                }
            }
        }
    }

    fn number(&mut self, n: &ast::ExprNumberLiteral) {
        let float = |f: f64| {
            if f.is_infinite() {
                return "1e309".to_string();
            }
            let exponent = if f == 0.0 { 0 } else { f.abs().log10().floor() as i32 };
            if (-4..16).contains(&exponent) {
                format!("{f:?}")
            } else {
                let s = format!("{f:e}");
                let (m, e) = s.split_once('e').unwrap_or((&s, "0"));
                let (sign, digits) = e.strip_prefix('-').map_or(('+', e), |d| ('-', d));
                format!("{m}e{sign}{digits:0>2}")
            }
        };
        let text = match &n.value {
            Number::Float(f) => float(*f),
            Number::Complex { imag, .. } => {
                let s = float(*imag);
                format!("{}j", s.strip_suffix(".0").unwrap_or(&s))
            }
            Number::Int(i) => match i.as_u64() {
                Some(u) => u.to_string(),
                None => self.c.source.text[n.range].replace('_', ""),
            },
        };
        self.push(&text);
    }

    fn string(&mut self, s: &str) {
        self.quoted(s, false);
    }

    /// As `repr` quotes it.
    fn quoted(&mut self, s: &str, bytes: bool) {
        let quote = if s.contains('\'') && !s.contains('"') { '"' } else { '\'' };
        self.out.push(quote);
        for c in s.chars() {
            match c {
                '\\' => self.push("\\\\"),
                '\n' => self.push("\\n"),
                '\r' => self.push("\\r"),
                '\t' => self.push("\\t"),
                c if c == quote => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                c if (c as u32) < 0x20 || c as u32 == 0x7f || bytes && c as u32 >= 0x7f || c.is_control() => {
                    let _ = write!(self.out, "\\x{:02x}", c as u32);
                }
                c => self.out.push(c),
            }
        }
        self.out.push(quote);
    }
}

/// The next tighter level.
fn tighter(l: Level) -> Level {
    const LEVELS: [Level; 16] = [
        Level::Tuple,
        Level::Test,
        Level::Or,
        Level::And,
        Level::Not,
        Level::Compare,
        Level::BitOr,
        Level::BitXor,
        Level::BitAnd,
        Level::Shift,
        Level::Arith,
        Level::Term,
        Level::Factor,
        Level::Power,
        Level::Await,
        Level::Atom,
    ];
    LEVELS[(l as usize + 1).min(LEVELS.len() - 1)]
}
