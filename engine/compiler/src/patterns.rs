//! The `match` statement.
//!
//! Captured values stay in temporaries until the whole pattern has matched; only then are the names bound.

use crate::context::Compiler;
use crate::errors::{Fault, Res};
use crate::scopes::Sym;
use crate::unit::{Label, Reg, TEMP};
use ruff_python_ast::{self as ast, IrrefutablePatternKind, Pattern};
use ruff_text_size::{Ranged, TextRange, TextSize};
use rustc_hash::FxHashSet;
use skein_bytecode::{Const, Op};

/// Names that a pattern has captured so far, with the registers of their values.
type Captures = Vec<(Sym, Reg)>;

impl<'a> Compiler<'a> {
    pub fn match_statement(&mut self, m: &'a ast::StmtMatch) -> Res<()> {
        let mark = self.u.mark();
        let subject = self.expr_next(&m.subject)?;
        let end = self.u.new_label();
        let count = m.cases.len();
        for (i, case) in m.cases.iter().enumerate() {
            if i + 1 < count && case.guard.is_none() {
                check_refutable(&case.pattern)?;
            }
            let inner = self.u.mark();
            let next = self.u.new_label();
            let mut captures = Captures::new();
            self.u.range = case.pattern.range();
            let before = self.u.insns.len();
            self.pattern(&case.pattern, subject, next, &mut captures)?;
            if self.u.insns.len() == before {
                self.u.line_mark();
            }
            for (name, r) in &captures {
                self.store_name(name, *r);
            }
            self.u.reset(inner);
            if let Some(g) = &case.guard {
                self.branch(g, next, false)?;
            }
            self.stmts(&case.body)?;
            self.u.silent_jump(end);
            self.u.place(next);
        }
        self.u.place(end);
        self.u.reset(mark);
        Ok(())
    }

    fn capture(&mut self, name: &ast::Identifier, r: Reg, captures: &mut Captures) -> Res<()> {
        let mangled = self.mangle(name);
        if captures.iter().any(|(n, _)| *n == mangled) {
            return self.error(format!("multiple assignments to name '{mangled}' in pattern"), name.range);
        }
        captures.push((mangled, r));
        Ok(())
    }

    /// Goes on if the subject matches, with its captures noted; else jumps to `fail`.
    fn pattern(&mut self, p: &'a Pattern, subject: Reg, fail: Label, captures: &mut Captures) -> Res<()> {
        self.depth += 1;
        if self.depth > crate::MAX_DEPTH {
            return Err(crate::too_deep());
        }
        let outer = std::mem::replace(&mut self.u.range, p.range());
        match p {
            Pattern::MatchValue(v) => {
                self.check_value(&v.value)?;
                let mark = self.u.mark();
                let r = self.expr(&v.value, None)?;
                self.u.emit(Op::JumpEq, subject, r, 0, fail.0);
                self.u.reset(mark);
            }
            Pattern::MatchSingleton(s) => self.singleton(s.value, subject, fail),
            Pattern::MatchSequence(s) => self.sequence(&s.patterns, subject, fail, captures)?,
            Pattern::MatchMapping(m) => self.mapping(m, subject, fail, captures)?,
            Pattern::MatchClass(c) => self.class_pattern(c, subject, fail, captures)?,
            Pattern::MatchStar(s) => {
                if let Some(n) = &s.name {
                    self.capture(n, subject, captures)?;
                }
            }
            Pattern::MatchAs(a) => {
                if let Some(inner) = &a.pattern {
                    self.pattern(inner, subject, fail, captures)?;
                }
                if let Some(n) = &a.name {
                    self.capture(n, subject, captures)?;
                }
            }
            Pattern::MatchOr(o) => self.alternatives(o, subject, fail, captures)?,
        }
        self.u.range = outer;
        self.depth -= 1;
        Ok(())
    }

    /// The parser takes more for literals than patterns may have.
    fn check_value(&self, e: &ast::Expr) -> Res<()> {
        use ast::Expr;
        let number = |e: &Expr| e.is_number_literal_expr();
        let signed = |e: &Expr| match e {
            Expr::UnaryOp(u) => u.op == ast::UnaryOp::USub && number(&u.operand),
            e => number(e),
        };
        match e {
            Expr::FString(_) | Expr::TString(_) => {
                self.error("patterns may only match literals and attribute lookups", e.range())
            }
            Expr::BinOp(b) if signed(&b.left) && number(&b.right) => Ok(()),
            Expr::UnaryOp(_) | Expr::BinOp(_) if !signed(e) => {
                // CPython names what follows the number.
                let mut end = e;
                while let Expr::UnaryOp(u) = end {
                    end = &u.operand;
                }
                if let Expr::BinOp(b) = end {
                    end = &b.left;
                }
                let rest = self.source.rest(end.end());
                let skip = rest.len() - rest.trim_start().len();
                let len = rest.trim_start().chars().take_while(|c| "*/+-.".contains(*c)).count().max(1);
                let start = end.end() + TextSize::new(skip as u32);
                self.error("invalid syntax", TextRange::at(start, (len as u32).into()))
            }
            _ => Ok(()),
        }
    }

    fn singleton(&mut self, s: ast::Singleton, subject: Reg, fail: Label) {
        let mark = self.u.mark();
        let c = match s {
            ast::Singleton::None => return self.u.jump_if(Op::JumpNotNone, subject, fail),
            ast::Singleton::True => Const::True,
            ast::Singleton::False => Const::False,
        };
        let t = self.constant(&c, None);
        self.u.op3(Op::Is, t, subject, t);
        self.u.jump_if(Op::JumpFalse, t, fail);
        self.u.reset(mark);
    }

    /// Jumps to `fail` unless `op` holds between the length in the register and n.
    fn check_len(&mut self, len: Reg, exactly: bool, n: usize, fail: Label) {
        match i8::try_from(n) {
            Ok(n) => {
                let op = if exactly { Op::JumpEqInt } else { Op::JumpGeInt };
                self.u.emit(op, len, u16::from(n as u8), 0, fail.0);
            }
            Err(_) => {
                let t = self.constant(&Const::Int(n as i64), None);
                self.u.emit(if exactly { Op::JumpEq } else { Op::JumpGe }, len, t, 0, fail.0);
            }
        }
    }

    fn sequence(
        &mut self,
        patterns: &'a [Pattern],
        subject: Reg,
        fail: Label,
        captures: &mut Captures,
    ) -> Res<()> {
        let star = patterns.iter().position(|p| matches!(p, Pattern::MatchStar(_)));
        if let Some(i) = star
            && patterns[i + 1..].iter().any(|p| matches!(p, Pattern::MatchStar(_)))
        {
            return self.error("multiple starred names in sequence pattern", self.u.range);
        }
        let n = patterns.len();
        let t = self.u.alloc();
        self.u.op2(Op::MatchSequence, t, subject);
        self.u.jump_if(Op::JumpFalse, t, fail);
        let least = n - usize::from(star.is_some());
        if star.is_none() || least > 0 {
            self.u.op2(Op::MatchLen, t, subject);
            self.check_len(t, star.is_none(), least, fail);
        }
        if patterns.iter().all(is_wildcard) {
            return Ok(());
        }
        if let Some(s) = star
            && is_wildcard(&patterns[s])
        {
            return self.sequence_by_index(patterns, s, t, subject, fail, captures);
        }
        let row = self.u.alloc_row(n as u16);
        match star {
            None if n <= 255 => self.u.op3(Op::Unpack, row, subject, n as u16),
            None => {
                // The length is known: what is left behind the items is an empty list.
                self.u.alloc();
                self.u.emit(Op::UnpackEx, row, subject, 0, n as u32);
            }
            Some(i) => self.u.emit(Op::UnpackEx, row, subject, 0, (i | (n - i - 1) << 16) as u32),
        }
        for (i, p) in patterns.iter().enumerate() {
            self.pattern(p, row + i as u16, fail, captures)?;
        }
        Ok(())
    }

    /// A sequence with `*_`: the items that count are indexed, the rest is not touched.
    fn sequence_by_index(
        &mut self,
        patterns: &'a [Pattern],
        star: usize,
        len: Reg,
        subject: Reg,
        fail: Label,
        captures: &mut Captures,
    ) -> Res<()> {
        for (i, p) in patterns.iter().enumerate() {
            if is_wildcard(p) {
                continue;
            }
            let item = self.u.alloc();
            if i < star {
                self.u.load_const(item, &Const::Int(i as i64));
            } else {
                let back = (patterns.len() - i) as i64;
                self.u.load_const(item, &Const::Int(back));
                self.u.op3(Op::Sub, item, len, item);
            }
            self.u.op3(Op::LoadIndex, item, subject, item);
            self.pattern(p, item, fail, captures)?;
        }
        Ok(())
    }

    fn mapping(
        &mut self,
        m: &'a ast::PatternMatchMapping,
        subject: Reg,
        fail: Label,
        captures: &mut Captures,
    ) -> Res<()> {
        let n = m.keys.len();
        let t = self.u.alloc();
        self.u.op2(Op::MatchMapping, t, subject);
        self.u.jump_if(Op::JumpFalse, t, fail);
        if n == 0 && m.rest.is_none() {
            return Ok(());
        }
        if n > 255 {
            return self.error("too many sub-patterns in mapping pattern", m.range);
        }
        if n > 0 {
            self.u.op2(Op::MatchLen, t, subject);
            self.check_len(t, false, n, fail);
        }
        #[expect(clippy::mutable_key_type, reason = "codes are alike by what is in them, read or not")]
        let mut seen = FxHashSet::default();
        for k in &m.keys {
            self.check_value(k)?;
            if let Some(c) = crate::fold::constant(self, k)?
                && !seen.insert(comparable(c))
            {
                let text = match k {
                    ast::Expr::UnaryOp(u) if is_zero(&u.operand) => "0".into(),
                    _ => crate::unparse::unparse(self, k),
                };
                return self.error(format!("mapping pattern checks duplicate key ({text})"), m.range);
            }
        }
        let keys: Vec<&ast::Expr> = m.keys.iter().collect();
        let keys_tuple = self.u.alloc();
        self.tuple_of(&keys, keys_tuple)?;
        if n > 0 {
            let values = self.u.alloc();
            self.u.op3(Op::MatchKeys, values, subject, keys_tuple);
            self.u.jump_if(Op::JumpNone, values, fail);
            let row = self.u.alloc_row(n as u16);
            self.u.op3(Op::Unpack, row, values, n as u16);
            for (i, p) in m.patterns.iter().enumerate() {
                self.pattern(p, row + i as u16, fail, captures)?;
            }
        }
        if let Some(rest) = &m.rest {
            let r = self.u.alloc();
            self.u.op3(Op::MatchRest, r, subject, keys_tuple);
            self.capture(rest, r, captures)?;
        }
        Ok(())
    }

    fn class_pattern(
        &mut self,
        c: &'a ast::PatternMatchClass,
        subject: Reg,
        fail: Label,
        captures: &mut Captures,
    ) -> Res<()> {
        let (positional, keywords) = (&c.arguments.patterns, &c.arguments.keywords);
        let n = positional.len() + keywords.len();
        if n > 255 {
            return self.error("too many sub-patterns in class pattern", c.range);
        }
        let mut seen = FxHashSet::default();
        for k in keywords {
            if !seen.insert(k.attr.as_str()) {
                let message = format!("attribute name repeated in class pattern: {}", k.attr);
                return self.error(message, k.range);
            }
        }
        let row = self.u.alloc_row(3);
        self.u.mov(row, subject);
        self.expr(&c.cls, Some(row + 1))?;
        // Keyword attributes are not mangled, unlike other private names.
        let names = keywords.iter().map(|k| Const::Str(k.attr.as_bytes().into())).collect();
        self.u.load_const(row + 2, &Const::Tuple(names));
        self.u.op3(Op::MatchClass, row, row, positional.len() as u16);
        self.u.jump_if(Op::JumpNone, row, fail);
        if n == 0 {
            return Ok(());
        }
        let items = self.u.alloc_row(n as u16);
        self.u.op3(Op::Unpack, items, row, n as u16);
        let patterns = positional.iter().chain(keywords.iter().map(|k| &k.pattern));
        for (i, p) in patterns.enumerate() {
            self.pattern(p, items + i as u16, fail, captures)?;
        }
        Ok(())
    }

    fn alternatives(
        &mut self,
        o: &'a ast::PatternMatchOr,
        subject: Reg,
        fail: Label,
        captures: &mut Captures,
    ) -> Res<()> {
        // All alternatives deliver their captures in the same registers.
        let mut names = Vec::new();
        if let Some(first) = o.patterns.first() {
            captured_names(self, first, &mut names);
        }
        let row = self.u.alloc_row(names.len() as u16);
        let matched = self.u.new_label();
        for (i, p) in o.patterns.iter().enumerate() {
            let last = i + 1 == o.patterns.len();
            if !last {
                check_refutable(p)?;
            }
            let mark = self.u.mark();
            let next = if last { fail } else { self.u.new_label() };
            let mut own = Captures::new();
            self.pattern(p, subject, next, &mut own)?;
            let same = own.len() == names.len() && own.iter().all(|(n, _)| names.contains(n));
            if !same {
                return self.error("alternative patterns bind different names", o.range);
            }
            for (name, r) in own {
                let i = names.iter().position(|n| *n == name).unwrap_or_default();
                self.u.mov(row + i as u16, r);
            }
            self.u.reset(mark);
            if !last {
                self.u.jump(matched);
                self.u.place(next);
            }
        }
        self.u.place(matched);
        for (i, name) in names.into_iter().enumerate() {
            if captures.iter().any(|(n, _)| *n == name) {
                return self.error(format!("multiple assignments to name '{name}' in pattern"), o.range);
            }
            captures.push((name, row + i as u16));
        }
        debug_assert!(self.u.mark() >= row - TEMP);
        Ok(())
    }
}

/// The constant that stands for all that are equal to it.
fn comparable(c: Const) -> Const {
    let integer = |f: f64| (f.fract() == 0.0 && f.abs() < 9e18).then_some(Const::Int(f as i64));
    match c {
        Const::False => Const::Int(0),
        Const::True => Const::Int(1),
        Const::Float(bits) => integer(f64::from_bits(bits)).unwrap_or(c),
        Const::Complex(re, im) if f64::from_bits(im) == 0.0 => comparable(Const::Float(re)),
        c => c,
    }
}

fn is_zero(e: &ast::Expr) -> bool {
    matches!(e, ast::Expr::NumberLiteral(n) if matches!(&n.value, ast::Number::Int(i) if *i == 0))
}

fn is_wildcard(p: &Pattern) -> bool {
    match p {
        Pattern::MatchAs(a) => a.pattern.is_none() && a.name.is_none(),
        Pattern::MatchStar(s) => s.name.is_none(),
        _ => false,
    }
}

/// A pattern that always matches must be the last one.
fn check_refutable(p: &Pattern) -> Res<()> {
    let Some(i) = p.irrefutable_pattern() else { return Ok(()) };
    let message = match &i.kind {
        IrrefutablePatternKind::Name(n) => format!("name capture '{n}' makes remaining patterns unreachable"),
        IrrefutablePatternKind::Wildcard => "wildcard makes remaining patterns unreachable".into(),
    };
    let range: TextRange = i.range;
    Err(Fault::syntax(message, range))
}

fn captured_names(c: &Compiler<'_>, p: &Pattern, names: &mut Vec<Sym>) {
    let mut add = |n: &Option<ast::Identifier>| {
        if let Some(n) = n {
            let n = c.mangle(n);
            if !names.contains(&n) {
                names.push(n);
            }
        }
    };
    match p {
        Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => {}
        Pattern::MatchSequence(s) => s.patterns.iter().for_each(|p| captured_names(c, p, names)),
        Pattern::MatchMapping(m) => {
            add(&m.rest);
            m.patterns.iter().for_each(|p| captured_names(c, p, names));
        }
        Pattern::MatchClass(k) => {
            k.arguments.patterns.iter().for_each(|p| captured_names(c, p, names));
            k.arguments.keywords.iter().for_each(|k| captured_names(c, &k.pattern, names));
        }
        Pattern::MatchStar(s) => add(&s.name),
        Pattern::MatchAs(a) => {
            add(&a.name);
            if let Some(p) = &a.pattern {
                captured_names(c, p, names);
            }
        }
        Pattern::MatchOr(o) => {
            if let Some(p) = o.patterns.first() {
                captured_names(c, p, names);
            }
        }
    }
}
