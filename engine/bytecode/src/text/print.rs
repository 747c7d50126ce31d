//! Prints code; the form is described at the module's head.

use super::literal::{literal, word};
use crate::code::{Code, Const, LocalKind, flags};
use crate::inst::Inst;
use crate::ops::{Extra, Op, Role};
use crate::positions::Position;
use crate::{Intrinsic, Special};
use std::collections::{BTreeSet, HashMap};
use std::fmt::{self, Write};

/// The text form; `{:#}` prints columns too. See the `text` module's head.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut queue = vec![self];
        let mut at = 0;
        while let Some(&code) = queue.get(at) {
            let text = Printer::new(code, f.alternate()).print(at, &mut queue)?;
            f.write_str(&text)?;
            at += 1;
        }
        Ok(())
    }
}

pub(super) const FLAG_NAMES: &[(&str, u32)] = &[
    ("OPTIMIZED", flags::OPTIMIZED),
    ("NEWLOCALS", flags::NEWLOCALS),
    ("VARARGS", flags::VARARGS),
    ("VARKEYWORDS", flags::VARKEYWORDS),
    ("NESTED", flags::NESTED),
    ("GENERATOR", flags::GENERATOR),
    ("COROUTINE", flags::COROUTINE),
    ("ITERABLE_COROUTINE", flags::ITERABLE_COROUTINE),
    ("ASYNC_GENERATOR", flags::ASYNC_GENERATOR),
    ("FUTURE_ANNOTATIONS", flags::FUTURE_ANNOTATIONS),
    ("HAS_DOCSTRING", flags::HAS_DOCSTRING),
    ("METHOD", flags::METHOD),
];

pub(super) const KIND_NAMES: &[(&str, LocalKind)] = &[
    ("plain", LocalKind::Plain),
    ("cell", LocalKind::Cell),
    ("free", LocalKind::Free),
    ("hidden", LocalKind::Hidden),
];

/// What `load.special` and `load.common` load, for comments.
const SPECIALS: [&str; 6] = ["None", "True", "False", "Ellipsis", "NotImplemented", "UNBOUND"];
const COMMON: [&str; 6] = ["AssertionError", "NotImplementedError", "__build_class__", "tuple", "all", "any"];

/// A unit or run of units as the text shows it.
enum Item {
    Inst(Inst),
    Unit(u32),
}

struct Printer<'a> {
    code: &'a Code,
    full: bool,
    /// Items by their first unit.
    items: Vec<(u32, Item)>,
    labels: HashMap<u32, usize>,
}

impl<'a> Printer<'a> {
    fn new(code: &'a Code, full: bool) -> Printer<'a> {
        let mut items = Vec::new();
        let mut starts = BTreeSet::new();
        let mut at = 0;
        while at < code.units.len() {
            let item = match Inst::decode(&code.units, at) {
                Ok(inst) if is_regular(&inst) => Item::Inst(inst),
                _ => Item::Unit(code.units[at]),
            };
            starts.insert(at as u32);
            items.push((at as u32, item));
            at = match &items[items.len() - 1].1 {
                Item::Inst(inst) => inst.next() as usize,
                Item::Unit(_) => at + 1,
            };
        }
        starts.insert(at as u32);
        let mut used = BTreeSet::new();
        for (_, item) in &items {
            if let Item::Inst(inst) = item {
                used.extend(inst.target().and_then(|t| u32::try_from(t).ok()));
            }
        }
        used.extend(code.handlers.iter().flat_map(|h| [h.start, h.end, h.target]));
        let labels = used.intersection(&starts).enumerate().map(|(i, &unit)| (unit, i + 1)).collect();
        Printer { code, full, items, labels }
    }

    fn print(&self, number: usize, queue: &mut Vec<&'a Code>) -> Result<String, fmt::Error> {
        let code = self.code;
        let mut out = String::new();
        writeln!(out, "code ${number} {}", word(&code.name))?;
        writeln!(out, "  qualname {}", word(&code.qualname))?;
        writeln!(out, "  file {}", word(&code.filename))?;
        writeln!(out, "  line {}", code.first_line)?;
        if code.flags != 0 {
            out.push_str("  flags");
            let mut rest = code.flags;
            for &(name, bit) in FLAG_NAMES.iter().filter(|(_, bit)| code.flags & bit != 0) {
                write!(out, " {name}")?;
                rest &= !bit;
            }
            if rest != 0 {
                write!(out, " {rest:#x}")?;
            }
            out.push('\n');
        }
        let (args, posonly, kwonly) = (code.arg_count, code.posonly_count, code.kwonly_count);
        writeln!(out, "  args {args} posonly {posonly} kwonly {kwonly}")?;
        writeln!(out, "  regs {}", code.nregs)?;
        for local in &code.locals {
            write!(out, "  local {}", word(&local.name))?;
            match KIND_NAMES.iter().find(|(_, kind)| *kind == local.kind) {
                Some((name, kind)) if *kind != LocalKind::Plain => writeln!(out, " {name}")?,
                _ => out.push('\n'),
            }
        }
        let pools = Pools::new(code, &self.items, queue)?;
        if !pools.names_follow {
            for name in &code.names {
                writeln!(out, "  name {}", word(name))?;
            }
        }
        if !pools.consts_follow {
            for text in &pools.literals {
                writeln!(out, "  const {text}")?;
            }
        }
        self.items(&mut out, &pools)?;
        for h in &code.handlers {
            let [start, end, target] = [h.start, h.end, h.target].map(|u| self.place(i64::from(u)));
            writeln!(out, "  handler {start} {end} -> {target} r{}", h.reg)?;
        }
        out.push_str("end\n");
        Ok(out)
    }

    fn items(&self, out: &mut String, pools: &Pools<'_>) -> fmt::Result {
        let mut rows = self.code.positions.rows().peekable();
        let mut last = None;
        for (at, item) in &self.items {
            if let Some(label) = self.labels.get(at) {
                writeln!(out, "  L{label}:")?;
            }
            let mut line = String::from("    ");
            let mut comment = String::new();
            match item {
                Item::Inst(inst) => self.inst(&mut line, &mut comment, inst, pools)?,
                Item::Unit(unit) => write!(line, ".unit {unit:#010x}")?,
            }
            while let Some((start, end, position)) = rows.next_if(|&(_, end, _)| end <= *at) {
                if start == end && self.full {
                    writeln!(out, "    passes {}", self.mark(position))?;
                }
            }
            let row = rows.peek().filter(|&&(start, _, _)| start <= *at);
            let position = row.map_or(Position::NONE, |&(_, _, p)| p);
            let known = !self.code.positions.as_bytes().is_empty();
            let mark = self.mark(position);
            if known && last.as_ref() != Some(&mark) {
                write!(line, "{:1$}{mark}", "", 44usize.saturating_sub(line.chars().count()).max(2))?;
                last = Some(mark);
            }
            if !comment.is_empty() {
                write!(line, "{:1$}; {comment}", "", 52usize.saturating_sub(line.chars().count()).max(2))?;
            }
            writeln!(out, "{line}")?;
        }
        for (_, _, position) in rows.filter(|&(start, end, _)| start == end && self.full) {
            writeln!(out, "    passes {}", self.mark(position))?;
        }
        if let Some(label) = self.labels.get(&(self.code.units.len() as u32)) {
            writeln!(out, "  L{label}:")?;
        }
        Ok(())
    }

    fn mark(&self, p: Position) -> String {
        let col = |c: u32| if c == u32::MAX { "?".to_owned() } else { c.to_string() };
        match p {
            Position::NONE => "@-".to_owned(),
            _ if self.full => format!("@{}:{}-{}:{}", p.line, col(p.col), p.end_line, col(p.end_col)),
            _ => format!("@{}", p.line),
        }
    }

    /// A place in the code: its label, or its unit index if it has none.
    fn place(&self, unit: i64) -> String {
        match u32::try_from(unit).ok().and_then(|u| self.labels.get(&u)) {
            Some(label) => format!("L{label}"),
            None => format!("u{unit}"),
        }
    }

    fn inst(&self, out: &mut String, comment: &mut String, inst: &Inst, pools: &Pools<'_>) -> fmt::Result {
        let info = inst.op.info();
        out.push_str(info.text);
        let mut sep = " ";
        let mut operand = |out: &mut String, text: &dyn fmt::Display| {
            let _ = write!(out, "{sep}{text}");
            sep = ", ";
        };
        for (role, byte) in info.operands.into_iter().zip(inst.bytes()) {
            match role {
                Role::Dst | Role::Src | Role::Upd | Role::First | Role::Outs => {
                    operand(out, &format_args!("r{byte}"));
                    self.local(comment, u32::from(byte));
                }
                Role::Win => operand(out, &format_args!("r{}", inst.window())),
                Role::Num => operand(out, &byte),
                Role::Imm => operand(out, &(byte as i8)),
                Role::Lo => operand(out, &inst.wide()),
                Role::Hi | Role::WinHi | Role::No => {}
            }
        }
        match info.extra {
            Extra::No => {}
            Extra::Const => operand(out, &pools.const_operand(inst.w)),
            Extra::Name | Extra::Attr | Extra::Method | Extra::Global => {
                operand(out, &pools.name_operand(inst.w));
            }
            Extra::Jump => operand(out, &self.place(inst.target().unwrap_or_default())),
            Extra::Far => {
                let (dst, src) = inst.far();
                operand(out, &format_args!("r{dst}, r{src}"));
                self.local(comment, dst);
                self.local(comment, src);
            }
            Extra::Raw => operand(out, &inst.w),
        }
        let meaning = match inst.op {
            Op::LoadSpecial => SPECIALS.get(inst.b as usize).map(|s| s.to_string()),
            Op::LoadCommon => COMMON.get(inst.b as usize).map(|s| s.to_string()),
            Op::Intrinsic => Intrinsic::from_u8(inst.c).map(|i| i.name().to_owned()),
            Op::BindSpecial => Special::from_u8(inst.c).map(|s| s.name().to_owned()),
            Op::LoadSpecialMethod => {
                u8::try_from(inst.w).ok().and_then(Special::from_u8).map(|s| s.name().to_owned())
            }
            Op::LoadClosure => {
                let index = usize::try_from(inst.wide()).ok();
                let local = index.and_then(|i| self.code.free_locals().nth(i));
                local.map(|l| self.code.locals[l].name.to_string())
            }
            _ => None,
        };
        if let Some(meaning) = meaning {
            add_comment(comment, &meaning);
        }
        Ok(())
    }

    /// Adds the local's name to the comment if the register is one's.
    fn local(&self, comment: &mut String, register: u32) {
        if let Some(local) = self.code.locals.get(register as usize) {
            add_comment(comment, &word(&local.name));
        }
    }
}

fn add_comment(comment: &mut String, text: &str) {
    if !comment.is_empty() {
        comment.push_str(", ");
    }
    comment.push_str(text);
}

/// Whether the text form says all of the instruction: unused bytes are zero.
fn is_regular(inst: &Inst) -> bool {
    let unused = |(role, byte): (Role, u8)| role == Role::No && byte != 0;
    !inst.op.info().operands.into_iter().zip(inst.bytes()).any(unused)
}

/// How operands refer to the pools.
struct Pools<'a> {
    /// Each constant as a literal.
    literals: Vec<String>,
    /// Index of the first constant equal to each.
    first_const: Vec<usize>,
    names: &'a [Box<str>],
    first_name: Vec<usize>,
    /// Whether the order of use gives the pools.
    consts_follow: bool,
    names_follow: bool,
}

impl<'a> Pools<'a> {
    fn new(
        code: &'a Code,
        items: &[(u32, Item)],
        queue: &mut Vec<&'a Code>,
    ) -> Result<Pools<'a>, fmt::Error> {
        let mut literals = Vec::new();
        for value in &code.consts {
            let mut text = String::new();
            literal_of(&mut text, value, queue)?;
            literals.push(text);
        }
        let first_const = firsts::<Const>(code.consts.iter());
        let first_name = firsts::<str>(code.names.iter().map(|n| &**n));
        let (mut consts_used, mut names_used) = (Vec::new(), Vec::new());
        for (_, item) in items {
            let Item::Inst(inst) = item else { continue };
            let used = match inst.op.info().extra {
                Extra::Const => &mut consts_used,
                Extra::Name | Extra::Attr | Extra::Method | Extra::Global => &mut names_used,
                _ => continue,
            };
            used.push(inst.w as usize);
        }
        Ok(Pools {
            literals,
            consts_follow: follows(&consts_used, &first_const),
            names_follow: follows(&names_used, &first_name),
            first_const,
            names: &code.names,
            first_name,
        })
    }

    fn const_operand(&self, index: u32) -> String {
        let i = index as usize;
        if self.first_const.get(i) == Some(&i) { self.literals[i].clone() } else { format!("#{index}") }
    }

    fn name_operand(&self, index: u32) -> String {
        let i = index as usize;
        if self.first_name.get(i) == Some(&i) { word(&self.names[i]) } else { format!("#{index}") }
    }
}

/// Spells a constant and queues the codes in it.
fn literal_of<'a>(text: &mut String, value: &'a Const, queue: &mut Vec<&'a Code>) -> fmt::Result {
    // `literal` visits the codes in this same order, so numbers can be given out beforehand.
    let mut next = queue.len();
    collect_codes(value, queue);
    literal(text, value, &mut |_| {
        next += 1;
        next - 1
    })
}

fn collect_codes<'a>(value: &'a Const, queue: &mut Vec<&'a Code>) {
    match value {
        Const::Code(code) => queue.push(code),
        Const::Tuple(items) | Const::FrozenSet(items) => items.iter().for_each(|i| collect_codes(i, queue)),
        _ => {}
    }
}

fn firsts<'a, T: std::hash::Hash + Eq + ?Sized + 'a>(pool: impl Iterator<Item = &'a T>) -> Vec<usize> {
    let mut seen = HashMap::new();
    pool.enumerate().map(|(i, value)| *seen.entry(value).or_insert(i)).collect()
}

/// Whether entries come into use one after the other, each once in the pool.
fn follows(used: &[usize], first: &[usize]) -> bool {
    let mut next = 0;
    for &i in used {
        match i.cmp(&next) {
            std::cmp::Ordering::Equal if first.get(i) == Some(&i) => next += 1,
            std::cmp::Ordering::Less => {}
            _ => return false,
        }
    }
    next == first.len()
}
