//! The text form of trees: prints and parses.
//!
//! ```text
//! entry:
//!   v0:W = load.reg r3
//!   v1:I = guard.int v0 !0
//!   v2:I = const 1
//!   v3:I = int.add v1 v2 !1
//!   jump v3
//! body:
//!   v4:I = phi r3
//!   …
//! bridge !4:
//!   …
//! !0 resume 0x1000 base 0:
//! !1 resume 0x1008 base 0: r3 = v1, v7+16 = v8, r5 = base 12, r6 = word 0x4, r8 = o0
//! o0 object #shape/size/kind/bits: 16 = v3, 24 = o0
//! c0 call 0x5000 pc 0x1010 base 0 to 0x1018 base 0
//! end 0x1000 base 0: r3 = v3 known r4 = v1
//! ```
//!
//! The line `end` is a [`RoundEnd`], which tests of closing begin with. Instructions without a result have no number
//! in the text.

use crate::ir::*;
use std::fmt::{self, Display, Write};

/// What an op's immediate is.
#[derive(Clone, Copy, PartialEq)]
enum Imm {
    No,
    Bits,
    Reg,
    Shape,
    Family,
    Word,
    Place,
    New,
    Call,
    Number,
    Key,
}

fn imm_of(op: TraceOp) -> Imm {
    use TraceOp::*;
    match op {
        Const => Imm::Bits,
        Phi => Imm::Key,
        LoadReg | ReloadReg | StoreReg | BaseAddress => Imm::Reg,
        GuardShape | SetShape => Imm::Shape,
        GuardFamily => Imm::Family,
        GuardIs | GuardIsNot | LoadCell | TextChar => Imm::Word,
        GuardRaw | GuardRawNot | Tick => Imm::Number,
        LoadField | StoreField | LoadRaw | LoadState | LoadHeld | StoreRaw | LoadElem | StoreElem => {
            Imm::Place
        }
        NewObject => Imm::New,
        Help | GuardNext | Publish | NativeNext | Native1 | Native2 | Native3 => Imm::Call,
        _ => Imm::No,
    }
}

impl Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Reg(r) => write!(f, "r{r}"),
            Target::Field(object, offset) => write!(f, "{object}+{offset}"),
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Value(id) => write!(f, "{id}"),
            Source::Base(words) => write!(f, "base {words}"),
            Source::Word(bits) => write!(f, "word {bits:#x}"),
            Source::Virtual(number) => write!(f, "o{number}"),
        }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", format!("{:?}", self.class).to_lowercase(), self.offset)
    }
}

impl Display for NewKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}/{}/{}/{}", self.shape, self.size, self.kind, self.bits)
    }
}

struct Imms<'t>(&'t Inst);

impl Display for Imms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let imm = self.0.imm;
        match imm_of(self.0.op) {
            Imm::No | Imm::Key => Ok(()),
            Imm::Bits => match self.0.ty {
                Type::I => write!(f, " {}", imm as i64 >> 2),
                Type::F if f64::from_bits(imm).is_nan() => write!(f, " nan:{imm:#x}"),
                Type::F => write!(f, " {:?}", f64::from_bits(imm)),
                Type::B => write!(f, " {}", imm != 0),
                Type::R => write!(f, " {}", imm as i64),
                _ => write!(f, " {imm:#x}"),
            },
            Imm::Reg => write!(f, " r{}", imm as i32),
            Imm::Shape => write!(f, " #{imm}"),
            Imm::Family => write!(f, " f{imm}"),
            Imm::Word => write!(f, " {imm:#x}"),
            Imm::Number => write!(f, " {}", imm as i64),
            Imm::Place => write!(f, " {}", Place::from_imm(imm)),
            Imm::New => write!(f, " {}", NewKind::from_imm(imm)),
            Imm::Call => write!(f, " c{imm}"),
        }
    }
}

impl Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut exits = Vec::new();
        let mut calls = Vec::new();
        for (number, seq) in self.seqs.iter().enumerate() {
            let id = Some(SeqId(number as u32));
            if id == self.entry {
                f.write_str("entry:\n")?;
            } else if id == self.body {
                f.write_str("body:\n")?;
            } else {
                match self.exits.iter().position(|e| e.bridge == id) {
                    Some(exit) => writeln!(f, "bridge !{exit}:")?,
                    None => continue,
                }
            }
            for (phi, key) in seq.phis.iter().zip(&seq.keys) {
                writeln!(f, "  {phi}:{:?} = phi {key}", self.inst(*phi).ty)?;
            }
            for &id in &seq.insts {
                let inst = self.inst(id);
                f.write_str("  ")?;
                if inst.ty != Type::No {
                    write!(f, "{id}:{:?} = ", inst.ty)?;
                }
                f.write_str(inst.op.info().text)?;
                for arg in inst.args.iter().flatten() {
                    write!(f, " {arg}")?;
                }
                write!(f, "{}", Imms(inst))?;
                if inst.op == TraceOp::Jump {
                    for arg in &seq.jump_args {
                        write!(f, " {arg}")?;
                    }
                }
                if let Some(exit) = inst.exit {
                    write!(f, " !{}", exit.0)?;
                    exits.push(exit.0 as usize);
                }
                if imm_of(inst.op) == Imm::Call {
                    calls.push(inst.imm as usize);
                }
                f.write_char('\n')?;
            }
        }
        exits.sort();
        exits.dedup();
        for number in exits {
            let exit = &self.exits[number];
            let kind = match exit.kind {
                ExitKind::Resume => "resume",
                ExitKind::Raise => "raise",
                ExitKind::Elsewhere => "elsewhere",
                ExitKind::Return => "return",
            };
            write!(f, "!{number} {kind} {:#x} base {}:", exit.pc, exit.base)?;
            for (i, (target, source)) in exit.writes.iter().enumerate() {
                write!(f, "{} {target} = {source}", if i > 0 { "," } else { "" })?;
            }
            f.write_char('\n')?;
        }
        for (number, object) in self.virtuals.iter().enumerate() {
            write!(f, "o{number} object {}:", object.kind)?;
            for (i, (offset, source)) in object.fields.iter().enumerate() {
                write!(f, "{} {offset} = {source}", if i > 0 { "," } else { "" })?;
            }
            f.write_char('\n')?;
        }
        for (number, family) in self.families.iter().enumerate() {
            write!(f, "f{number} family")?;
            for shape in family {
                write!(f, " #{shape}")?;
            }
            f.write_char('\n')?;
        }
        calls.sort();
        calls.dedup();
        for number in calls {
            let c = &self.calls[number];
            write!(f, "c{number} call {:#x} pc {:#x} base {}", c.callee, c.pc, c.base)?;
            writeln!(f, " to {:#x} base {}", c.next_pc, c.next_base)?;
        }
        Ok(())
    }
}

/// Reads the text form, and the line `end` if there is one.
pub fn parse(text: &str) -> Result<(Tree, Option<RoundEnd>), String> {
    let mut parser = Parser::default();
    for line in text.lines() {
        parser.line(line).map_err(|what| format!("{what} in the line: {line}"))?;
    }
    parser.finish()
}

#[derive(Default)]
struct Parser {
    tree: Tree,
    end: Option<RoundEnd>,
    /// Instructions without a number, by the place in their sequence.
    nameless: Vec<(usize, usize, Inst)>,
    bridges: Vec<(usize, SeqId)>,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let line = line.split(" ;").next().unwrap();
        if line.trim().is_empty() || line.starts_with(';') {
            return Ok(());
        }
        let words: Vec<&str> = line.split([' ', ',']).filter(|w| !w.is_empty()).collect();
        if line.starts_with("  ") {
            return self.inst(&words);
        }
        match words[0].as_bytes()[0] {
            b'o' => self.object(&words),
            b'!' => self.exit(&words),
            b'c' => self.call(&words),
            b'f' => self.family(&words),
            _ if words[0] == "end" => {
                let (pc, base) = (address(words[1])?, number(words[3].trim_end_matches(':'))? as i32);
                let known = words.iter().position(|w| *w == "known").unwrap_or(words.len());
                let mut end = RoundEnd { writes: writes(&words[4..known])?, known: Vec::new(), pc, base };
                for (target, source) in writes(words.get(known + 1..).unwrap_or(&[]))? {
                    match (target, source) {
                        (Target::Reg(r), Source::Value(id)) => end.known.push((r, id)),
                        _ => return Err("only values of registers are known".to_owned()),
                    }
                }
                self.end = Some(end);
                Ok(())
            }
            _ => {
                let seq = self.tree.add_seq(Seq::default());
                match words[0] {
                    "entry:" => self.tree.entry = Some(seq),
                    "body:" => self.tree.body = Some(seq),
                    "bridge" => {
                        self.bridges.push((number(words[1].trim_matches(['!', ':']))? as usize, seq));
                    }
                    other => return Err(format!("what is {other}")),
                }
                Ok(())
            }
        }
    }

    fn inst(&mut self, words: &[&str]) -> Result<(), String> {
        let (id, ty, words) = match words[0].split_once(':') {
            Some((id, ty)) => (Some(value(id)?), type_of(ty)?, &words[2..]),
            None => (None, Type::No, words),
        };
        let op = TraceOp::ALL.iter().copied().find(|op| op.info().text == words[0]).ok_or("unknown op")?;
        let mut inst = Inst { op, ty, args: [None; 3], imm: 0, exit: None };
        let here = self.tree.seqs.len().checked_sub(1).ok_or("no sequence")?;
        let seq = &mut self.tree.seqs[here];
        if op == TraceOp::Phi {
            seq.keys.push(target(words[1])?);
            seq.phis.push(id.ok_or("a phi has a number")?);
        } else {
            let mut args = 0;
            for word in &words[1..] {
                if let Some(exit) = word.strip_prefix('!') {
                    inst.exit = Some(ExitId(number(exit)? as u32));
                } else if word.starts_with('v') && op == TraceOp::Jump {
                    seq.jump_args.push(value(word)?);
                } else if word.starts_with('v') {
                    *inst.args.get_mut(args).ok_or("too many operands")? = Some(value(word)?);
                    args += 1;
                } else {
                    inst.imm = imm(op, ty, word)?;
                }
            }
            let at = seq.insts.len();
            seq.insts.push(id.unwrap_or(Id(u32::MAX)));
            if id.is_none() {
                self.nameless.push((here, at, inst));
            }
        }
        if let Some(id) = id {
            self.place(id, inst);
        }
        Ok(())
    }

    fn place(&mut self, id: Id, inst: Inst) {
        let none = Inst { op: TraceOp::Const, ty: Type::No, args: [None; 3], imm: 0, exit: None };
        let need = (id.0 as usize + 1).max(self.tree.insts.len());
        self.tree.insts.resize(need, none);
        self.tree.insts[id.0 as usize] = inst;
    }

    fn exit(&mut self, words: &[&str]) -> Result<(), String> {
        let at = number(words[0].trim_start_matches('!'))? as usize;
        let kind = match words[1] {
            "raise" => ExitKind::Raise,
            "elsewhere" => ExitKind::Elsewhere,
            "return" => ExitKind::Return,
            _ => ExitKind::Resume,
        };
        let (pc, base) = (address(words[2])?, number(words[4].trim_end_matches(':'))? as i32);
        let none = Exit { kind, pc: 0, base: 0, writes: Vec::new(), frames: 0, bridge: None };
        let need = (at + 1).max(self.tree.exits.len());
        self.tree.exits.resize(need, none);
        self.tree.exits[at] = Exit { kind, pc, base, writes: writes(&words[5..])?, frames: 0, bridge: None };
        Ok(())
    }

    /// `f0 family #40 #41`
    fn family(&mut self, words: &[&str]) -> Result<(), String> {
        if number(&words[0][1..])? as usize != self.tree.families.len() {
            return Err("families stand in their order".to_owned());
        }
        let shapes = words[2..].iter().map(|w| Ok(imm(TraceOp::GuardShape, Type::W, w)? as u32));
        self.tree.families.push(shapes.collect::<Result<_, String>>()?);
        Ok(())
    }

    /// `o0 object #1/32/2/0: 16 = v1`
    fn object(&mut self, words: &[&str]) -> Result<(), String> {
        if number(&words[0][1..])? as usize != self.tree.virtuals.len() {
            return Err("objects stand in their order".to_owned());
        }
        let kind = NewKind::from_imm(imm(TraceOp::NewObject, Type::W, words[2].trim_end_matches(':'))?);
        let mut fields = Vec::new();
        for field in words[3..].chunks(3) {
            let [offset, "=", word] = field else { return Err("fields are: offset = source".to_owned()) };
            fields.push((number(offset)? as u32, source(word)?));
        }
        self.tree.virtuals.push(Virtual { kind, fields });
        Ok(())
    }

    fn call(&mut self, words: &[&str]) -> Result<(), String> {
        let at = number(&words[0][1..])? as usize;
        let call = Call {
            callee: address(words[2])?,
            pc: address(words[4])?,
            base: number(words[6])? as i32,
            next_pc: address(words[8])?,
            next_base: number(words[10])? as i32,
        };
        let need = (at + 1).max(self.tree.calls.len());
        self.tree.calls.resize(need, call);
        self.tree.calls[at] = call;
        Ok(())
    }

    fn finish(mut self) -> Result<(Tree, Option<RoundEnd>), String> {
        for (seq, at, inst) in self.nameless {
            let id = self.tree.add(inst);
            self.tree.seqs[seq].insts[at] = id;
        }
        for (exit, seq) in self.bridges {
            self.tree.exits.get_mut(exit).ok_or(format!("there is no exit !{exit}"))?.bridge = Some(seq);
        }
        Ok((self.tree, self.end))
    }
}

fn writes(words: &[&str]) -> Result<Vec<(Target, Source)>, String> {
    let mut out = Vec::new();
    let mut rest = words;
    while let [to, "=", from, tail @ ..] = rest {
        let (source, tail) = match (*from, tail) {
            ("base", [n, tail @ ..]) => (Source::Base(number(n)? as i32), tail),
            ("word", [n, tail @ ..]) => (Source::Word(address(n)? as u64), tail),
            _ => (source(from)?, tail),
        };
        out.push((target(to)?, source));
        rest = tail;
    }
    if rest.is_empty() { Ok(out) } else { Err("writes are: target = source".to_owned()) }
}

fn source(word: &str) -> Result<Source, String> {
    match word.strip_prefix('o') {
        Some(object) => Ok(Source::Virtual(number(object)? as u32)),
        None => Ok(Source::Value(value(word)?)),
    }
}

fn number(word: &str) -> Result<i64, String> {
    word.parse().map_err(|_| format!("no number: {word}"))
}

fn address(word: &str) -> Result<usize, String> {
    let digits = word.trim_end_matches(':').strip_prefix("0x").ok_or(format!("no address: {word}"))?;
    usize::from_str_radix(digits, 16).map_err(|_| format!("no address: {word}"))
}

fn value(word: &str) -> Result<Id, String> {
    let digits = word.strip_prefix('v').ok_or(format!("no value: {word}"))?;
    Ok(Id(number(digits)? as u32))
}

fn target(word: &str) -> Result<Target, String> {
    match word.split_once('+') {
        Some((object, offset)) => Ok(Target::Field(value(object)?, number(offset)? as u32)),
        None => {
            let digits = word.strip_prefix('r').ok_or(format!("no target: {word}"))?;
            Ok(Target::Reg(number(digits)? as i32))
        }
    }
}

fn type_of(word: &str) -> Result<Type, String> {
    [Type::W, Type::I, Type::F, Type::B, Type::R]
        .into_iter()
        .find(|ty| format!("{ty:?}") == word)
        .ok_or(format!("no type: {word}"))
}

fn imm(op: TraceOp, ty: Type, word: &str) -> Result<u64, String> {
    Ok(match imm_of(op) {
        Imm::No | Imm::Key => return Err(format!("the op has no immediate: {word}")),
        Imm::Bits => match ty {
            Type::I => ((number(word)? << 2) + 1) as u64,
            Type::F => match word.strip_prefix("nan:") {
                Some(bits) => address(bits)? as u64,
                None => word.parse::<f64>().map_err(|_| format!("no float: {word}"))?.to_bits(),
            },
            Type::B => (word == "true") as u64,
            Type::R => number(word)? as u64,
            _ => address(word)? as u64,
        },
        Imm::Reg => number(word.strip_prefix('r').ok_or("a register is wanted")?)? as i32 as u64,
        Imm::Shape => number(word.strip_prefix('#').ok_or("a shape is wanted")?)? as u64,
        Imm::Family => number(word.strip_prefix('f').ok_or("a family is wanted")?)? as u64,
        Imm::Word => address(word)? as u64,
        Imm::Number => number(word)? as u64,
        Imm::Call => number(word.strip_prefix('c').ok_or("a call is wanted")?)? as u64,
        Imm::Place => {
            let (class, offset) = word.split_once('+').ok_or("a place is wanted")?;
            let class = Place::ALL_CLASSES
                .into_iter()
                .find(|c| format!("{c:?}").to_lowercase() == class)
                .ok_or(format!("no class: {class}"))?;
            Place::new(class, number(offset)? as usize).imm()
        }
        Imm::New => {
            let parts: Vec<i64> =
                word.trim_start_matches('#').split('/').map(number).collect::<Result<_, _>>()?;
            let [shape, size, kind, bits] = parts[..] else {
                return Err("an object is #shape/size/kind/bits".to_owned());
            };
            NewKind { shape: shape as u32, size: size as u16, kind: kind as u8, bits: bits as u8 }.imm()
        }
    })
}
