//! A code object under construction: instructions with symbolic registers and labels.
//!
//! Registers of locals are their numbers; temporaries are `TEMP + n`, a stack. [`crate::finish`] turns
//! the list into units: there every operand passes one funnel, which also serves codes with more
//! registers than a byte can name.

use crate::scopes::{ScopeId, Sym};
use ruff_text_size::TextRange;
use rustc_hash::FxHashMap;
use skein_bytecode::{Code, CodeRef, Const, Local, LocalKind, Op};

pub type Reg = u16;

/// First register number of a temporary.
pub const TEMP: Reg = 0x8000;

/// `LoadSpecial` numbers.
pub mod special {
    pub const NONE: u16 = 0;
    pub const TRUE: u16 = 1;
    pub const FALSE: u16 = 2;
    pub const ELLIPSIS: u16 = 3;
    pub const UNBOUND: u16 = skein_bytecode::ops::UNBOUND as u16;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(pub u32);

#[derive(Clone, Copy, Debug)]
pub struct Insn {
    pub op: Op,
    pub a: u16,
    pub b: u16,
    pub c: u16,
    /// The second unit: index, label or number. For `LoadSpecial`: 1 if the analysis may drop it.
    pub x: u32,
    pub range: TextRange,
    /// Handler in force, plus one; 0: none.
    pub handler: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct HandlerInfo {
    pub label: Label,
    pub reg: Reg,
}

/// A position that stands for no source text.
pub const NOWHERE: TextRange =
    TextRange::new(ruff_text_size::TextSize::new(u32::MAX), ruff_text_size::TextSize::new(u32::MAX));

pub struct Unit {
    pub scope: ScopeId,
    pub name: Sym,
    pub qualname: Sym,
    pub flags: u32,
    pub first_line: u32,
    pub arg_count: u16,
    pub posonly_count: u16,
    pub kwonly_count: u16,
    pub insns: Vec<Insn>,
    pub labels: Vec<u32>,
    pub handlers: Vec<HandlerInfo>,
    /// Handler in force for what is emitted now.
    pub handler: u32,
    pub consts: Vec<Const>,
    const_index: FxHashMap<Const, u32>,
    pub names: Vec<Box<str>>,
    name_index: FxHashMap<Sym, u32>,
    pub locals: Vec<Local>,
    /// Registers of parameters; they are bound at entry.
    pub params: u16,
    pub temps: u16,
    pub max_temps: u16,
    pub range: TextRange,
    /// Registers are used up: the code cannot be made.
    pub overflow: bool,
    /// All locals must be readable by name at any time.
    pub introspects: bool,
}

impl Unit {
    pub fn new(scope: ScopeId, name: Sym, qualname: Sym, first_line: u32) -> Unit {
        Unit {
            scope,
            name,
            qualname,
            flags: 0,
            first_line,
            arg_count: 0,
            posonly_count: 0,
            kwonly_count: 0,
            insns: Vec::new(),
            labels: Vec::new(),
            handlers: Vec::new(),
            handler: 0,
            consts: Vec::new(),
            const_index: FxHashMap::default(),
            names: Vec::new(),
            name_index: FxHashMap::default(),
            locals: Vec::new(),
            params: 0,
            temps: 0,
            max_temps: 0,
            range: NOWHERE,
            overflow: false,
            introspects: false,
        }
    }

    pub fn add_local(&mut self, name: &str, kind: LocalKind) -> Reg {
        self.locals.push(Local { name: name.into(), kind });
        if self.locals.len() >= TEMP as usize {
            self.overflow = true;
            return 0;
        }
        (self.locals.len() - 1) as Reg
    }

    // ---- temporaries

    pub fn alloc(&mut self) -> Reg {
        self.alloc_row(1)
    }

    /// A row of n temporaries; the first is returned. Where they are used up, any are: the code is not made.
    pub fn alloc_row(&mut self, n: u16) -> Reg {
        let first = self.temps;
        match first.checked_add(n).filter(|&t| t < 0x7f00) {
            Some(t) => self.temps = t,
            None => {
                self.overflow = true;
                return TEMP;
            }
        }
        self.max_temps = self.max_temps.max(self.temps);
        TEMP + first
    }

    pub fn mark(&self) -> u16 {
        self.temps
    }

    pub fn reset(&mut self, mark: u16) {
        debug_assert!(mark <= self.temps || self.overflow);
        self.temps = mark;
    }

    // ---- instructions

    pub fn emit(&mut self, op: Op, a: u16, b: u16, c: u16, x: u32) {
        let (range, handler) = (self.range, self.handler);
        self.insns.push(Insn { op, a, b, c, x, range, handler });
    }

    pub fn op1(&mut self, op: Op, a: u16) {
        self.emit(op, a, 0, 0, 0);
    }

    pub fn op2(&mut self, op: Op, a: u16, b: u16) {
        self.emit(op, a, b, 0, 0);
    }

    pub fn op3(&mut self, op: Op, a: u16, b: u16, c: u16) {
        self.emit(op, a, b, c, 0);
    }

    pub fn mov(&mut self, dst: Reg, src: Reg) {
        if dst != src {
            self.op2(Op::Move, dst, src);
        }
    }

    pub fn new_label(&mut self) -> Label {
        self.labels.push(u32::MAX);
        Label(self.labels.len() as u32 - 1)
    }

    pub fn place(&mut self, label: Label) {
        debug_assert_eq!(self.labels[label.0 as usize], u32::MAX);
        self.labels[label.0 as usize] = self.insns.len() as u32;
    }

    /// A label here.
    pub fn here(&mut self) -> Label {
        let l = self.new_label();
        self.place(l);
        l
    }

    pub fn jump(&mut self, label: Label) {
        self.emit(Op::Jump, 0, 0, 0, label.0);
    }

    /// A jump that belongs to no line.
    pub fn silent_jump(&mut self, label: Label) {
        let range = std::mem::replace(&mut self.range, NOWHERE);
        self.jump(label);
        self.range = range;
    }

    /// The line of `range` is executed here, though nothing may be done for it.
    pub fn line_mark(&mut self) {
        self.emit(Op::Nop, 0, 0, 0, 0);
    }

    pub fn jump_if(&mut self, op: Op, a: Reg, label: Label) {
        self.emit(op, a, 0, 0, label.0);
    }

    /// A handler whose code begins at the label with the exception in `reg`.
    pub fn new_handler(&mut self, label: Label, reg: Reg) -> u32 {
        self.handlers.push(HandlerInfo { label, reg });
        self.handlers.len() as u32
    }

    // ---- tables

    pub fn name(&mut self, name: &str) -> u32 {
        if let Some(&i) = self.name_index.get(name) {
            return i;
        }
        let i = self.names.len() as u32;
        self.names.push(name.into());
        self.name_index.insert(name.into(), i);
        i
    }

    pub fn constant(&mut self, c: Const) -> u32 {
        if let Some(&i) = self.const_index.get(&c) {
            return i;
        }
        let i = self.consts.len() as u32;
        self.consts.push(c.clone());
        self.const_index.insert(c, i);
        i
    }

    /// A code is never shared, so it needs no look-up.
    pub fn code_constant(&mut self, code: Code) -> u32 {
        self.consts.push(Const::Code(CodeRef::new(code)));
        self.consts.len() as u32 - 1
    }

    pub fn load_special(&mut self, dst: Reg, n: u16) {
        self.op2(Op::LoadSpecial, dst, n);
    }

    pub fn load_unbound(&mut self, dst: Reg) {
        self.load_special(dst, special::UNBOUND);
    }

    /// As [`Unit::load_unbound`] for a local that may turn out to be always bound.
    pub fn init_unbound(&mut self, dst: Reg) {
        self.emit(Op::LoadSpecial, dst, special::UNBOUND, 0, 1);
    }

    pub fn load_int(&mut self, dst: Reg, n: i16) {
        let n = n as u16;
        self.op3(Op::LoadInt, dst, n & 0xff, n >> 8);
    }

    pub fn load_str(&mut self, dst: Reg, s: &str) {
        self.load_const(dst, &Const::Str(s.as_bytes().into()));
    }

    pub fn load_const(&mut self, dst: Reg, c: &Const) {
        match c {
            Const::None => self.load_special(dst, special::NONE),
            Const::True => self.load_special(dst, special::TRUE),
            Const::False => self.load_special(dst, special::FALSE),
            Const::Ellipsis => self.load_special(dst, special::ELLIPSIS),
            Const::Int(n) if i16::try_from(*n).is_ok() => self.load_int(dst, *n as i16),
            _ => {
                let i = self.constant(c.clone());
                self.emit(Op::LoadConst, dst, 0, 0, i);
            }
        }
    }
}
