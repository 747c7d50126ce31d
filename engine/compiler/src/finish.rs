//! From the instruction list to the units of a code object.
//!
//! Registers: locals, then temporaries. Where that makes more than 256, a block of scratch registers
//! goes behind the parameters and operands out of a byte's reach are moved through it (`MoveFar`).

use crate::flow;
use crate::source::Source;
use crate::unit::{Insn, Label, Reg, TEMP, Unit};
use skein_bytecode::{
    Code, Extra, Handler, Intrinsic, Local, LocalKind, Op, Position, Positions, Role, pack,
};

/// Scratch registers of a code with far ones: a row, then single operands.
const ROW: u16 = 16;
const SCRATCH: u16 = ROW + 4;
/// Parameters may fill the near registers up to here; beyond, some of them move out of the way.
const LAST_SCRATCH: u16 = 250;

/// Marks before one instruction: there are so many offsets for them in `co_lines`.
const MARKS: usize = 3;

struct Layout {
    params: u16,
    far: bool,
    scratch: u16,
    /// Parameters `scratch..scratch + SCRATCH` live in locals of their own from this number on.
    displaced: Option<u16>,
    temps: u16,
}

impl Layout {
    fn new(unit: &Unit) -> Layout {
        let locals = unit.locals.len() as u16;
        let far = locals as usize + unit.max_temps as usize > 256;
        let mut l = Layout { params: unit.params, far, scratch: 0, displaced: None, temps: locals };
        if far && unit.params + SCRATCH <= LAST_SCRATCH {
            l.scratch = unit.params;
            l.temps = locals + SCRATCH;
        } else if far {
            l.scratch = LAST_SCRATCH - SCRATCH;
            // Behind the scratch registers, however few locals there are.
            let to = locals.max(LAST_SCRATCH);
            l.displaced = Some(to);
            l.temps = to + SCRATCH;
        }
        l
    }

    fn register(&self, r: Reg) -> u16 {
        if r >= TEMP {
            return r - TEMP + self.temps;
        }
        match self.displaced {
            Some(to) if (self.scratch..self.scratch + SCRATCH).contains(&r) => r - self.scratch + to,
            None if self.far && r >= self.params => r + SCRATCH,
            _ => r,
        }
    }

    fn locals(&self, unit: &mut Unit) -> Vec<Local> {
        let mut locals = std::mem::take(&mut unit.locals);
        if !self.far {
            return locals;
        }
        let scratch = Local { name: ".scratch".into(), kind: LocalKind::Hidden };
        if let Some(to) = self.displaced {
            let filled = locals.len().max(to as usize);
            locals.resize(filled, scratch);
            for i in self.scratch..self.scratch + SCRATCH {
                let moved = locals[i as usize].clone();
                locals[i as usize].kind = LocalKind::Hidden;
                locals.push(moved);
            }
        } else {
            let at = self.params as usize;
            locals.splice(at..at, std::iter::repeat_n(scratch, SCRATCH as usize));
        }
        locals
    }
}

struct Output {
    units: Vec<u32>,
    positions: Vec<Position>,
    position: Position,
    /// Positions that no unit has, before the units that they come before.
    marks: Vec<(u32, Position)>,
}

impl Output {
    fn put(&mut self, op: Op, a: u16, b: u16, c: u16, x: Option<u32>) {
        debug_assert!(a < 256 && b < 256 && c < 256, "{op:?} {a} {b} {c}");
        self.units.push(pack(op, a as u8, b as u8, c as u8));
        self.positions.push(self.position);
        if let Some(x) = x {
            self.units.push(x);
            self.positions.push(self.position);
        }
    }

    fn mov(&mut self, dst: u16, src: u16) {
        if dst == src {
        } else if dst < 256 && src < 256 {
            self.put(Op::Move, dst, src, 0, None);
        } else {
            self.put(Op::MoveFar, 0, 0, 0, Some(u32::from(dst) | u32::from(src) << 16));
        }
    }
}

/// Registers of the row that an instruction reads, as offsets from its first.
fn row_reads(insn: &Insn) -> Vec<u16> {
    let n = match insn.op {
        Op::BuildTuple | Op::BuildList | Op::BuildSet | Op::BuildString => insn.c,
        Op::BuildMap => insn.c * 2,
        Op::ImportName => 2,
        Op::MakeFunction => return (0..4).filter(|i| insn.c & 1 << i != 0).collect(),
        Op::Intrinsic => intrinsic_args(insn.c),
        _ => 3,
    };
    (0..n).collect()
}

fn intrinsic_args(n: u16) -> u16 {
    match Intrinsic::from_u8(n as u8) {
        Some(Intrinsic::Namespace | Intrinsic::NewSet) | None => 0,
        Some(Intrinsic::TypeVarWithBound | Intrinsic::TypeVarWithConstraints) => 2,
        Some(Intrinsic::SetTypeParamDefault | Intrinsic::SetFunctionTypeParams) => 2,
        Some(Intrinsic::TypeAlias) => 3,
        Some(_) => 1,
    }
}

/// Emits one instruction; its registers may be out of reach. Returns where a jump's offset goes.
fn lower(out: &mut Output, layout: &Layout, insn: &Insn) -> Option<usize> {
    let info = insn.op.info();
    let mut operands = [insn.a, insn.b, insn.c];
    let x = (info.extra != Extra::No).then_some(insn.x);
    if insn.op == Op::Move {
        out.mov(layout.register(insn.a), layout.register(insn.b));
        return None;
    }
    if let [Role::Win, _, Role::WinHi] = info.operands {
        let w = layout.register(insn.a);
        operands[0] = w & 0xff;
        operands[2] = w >> 8;
    }
    let mut single = layout.scratch + ROW;
    let mut behind: Vec<(u16, u16)> = Vec::new();
    for (i, role) in info.operands.into_iter().enumerate() {
        if !matches!(role, Role::Dst | Role::Src | Role::Upd | Role::First | Role::Outs) {
            continue;
        }
        let r = layout.register(operands[i]);
        operands[i] = r;
        if r < 256 {
            continue;
        }
        match role {
            Role::First => {
                for o in row_reads(insn) {
                    out.mov(layout.scratch + o, r + o);
                }
                operands[i] = layout.scratch;
            }
            Role::Outs => {
                let n = flow::outs_len(insn) as u16;
                if n > ROW {
                    unpack_far(out, layout, insn, r);
                    return None;
                }
                behind.extend((0..n).map(|o| (r + o, layout.scratch + o)));
                operands[i] = layout.scratch;
            }
            _ => {
                if role != Role::Dst {
                    out.mov(single, r);
                }
                if role != Role::Src {
                    behind.push((r, single));
                }
                operands[i] = single;
                single += 1;
            }
        }
    }
    let at = out.units.len();
    out.put(insn.op, operands[0], operands[1], operands[2], x);
    for &(dst, src) in &behind {
        out.mov(dst, src);
    }
    if behind.is_empty() || !matches!(insn.op, Op::Send | Op::YieldFrom) {
        return (info.extra == Extra::Jump).then_some(at);
    }
    // These have a result when they jump as well: the jump goes by way of the moves.
    let over = out.units.len();
    out.put(Op::Jump, 0, 0, 0, Some(0));
    out.units[at + 1] = (out.units.len() - at) as u32;
    for &(dst, src) in &behind {
        out.mov(dst, src);
    }
    let jump = out.units.len();
    out.put(Op::Jump, 0, 0, 0, Some(0));
    out.units[over + 1] = (out.units.len() - over) as u32;
    Some(jump)
}

/// Unpacks into a long far row, in pieces: each takes items off one end of the list of the rest.
fn unpack_far(out: &mut Output, layout: &Layout, insn: &Insn, first: u16) {
    let (mut before, after, starred) = match insn.op {
        Op::Unpack => (u32::from(insn.c), 0, false),
        _ => (insn.x & 0xffff, insn.x >> 16, true),
    };
    let (scratch, list) = (layout.scratch, layout.scratch + ROW);
    let piece = u32::from(ROW) - 1;
    out.mov(list, layout.register(insn.b));
    let mut to = first;
    while before > 0 && (starred || before > u32::from(ROW)) {
        let n = before.min(piece);
        out.put(Op::UnpackEx, scratch, list, 0, Some(n));
        for o in 0..n as u16 {
            out.mov(to + o, scratch + o);
        }
        out.mov(list, scratch + n as u16);
        to += n as u16;
        before -= n;
    }
    if !starred {
        out.put(Op::Unpack, scratch, list, before as u16, None);
        for o in 0..before as u16 {
            out.mov(to + o, scratch + o);
        }
        return;
    }
    let mut left = after;
    while left > 0 {
        let n = left.min(piece);
        out.put(Op::UnpackEx, scratch, list, 0, Some(n << 16));
        left -= n;
        for o in 0..n as u16 {
            out.mov(to + 1 + left as u16 + o, scratch + 1 + o);
        }
        out.mov(list, scratch);
    }
    out.mov(to, list);
}

/// Makes the code object.
pub fn finish(mut unit: Unit, source: &Source, filename: &str) -> Code {
    flow::run(&mut unit);
    let layout = Layout::new(&unit);
    let mut out =
        Output { units: Vec::new(), positions: Vec::new(), position: Position::NONE, marks: Vec::new() };
    let mut starts = Vec::with_capacity(unit.insns.len() + 1);
    let mut patches = Vec::new();
    let met = meeting_points(&unit);
    let entry = usize::from(unit.insns.first().is_some_and(|i| i.op == Op::MakeGenerator));
    if entry == 0 {
        displace(&mut out, &layout);
    }
    for (i, insn) in unit.insns.iter().enumerate() {
        // Events tell where a frame begins and where it goes on from instructions that are reached in no other way.
        let after_yield = i > 0 && matches!(unit.insns[i - 1].op, Op::Yield | Op::YieldFrom);
        if met[i] && (i == entry || after_yield) {
            out.position = if after_yield { out.position } else { Position::NONE };
            out.put(Op::Nop, 0, 0, 0, None);
        }
        starts.push(out.units.len() as u32);
        out.position = source.position(insn.range);
        let at = out.units.len() as u32;
        let marked = out.marks.iter().rev().take_while(|m| m.0 == at).count();
        if insn.op == Op::Nop && i + 1 < unit.insns.len() && !met[i + 1] && marked < MARKS {
            // A line that is executed where nothing is done: told with the next instruction.
            out.marks.push((at, out.position));
            continue;
        }
        let mut insn = *insn;
        if insn.op == Op::Jump && unit.labels[insn.x as usize] as usize <= i {
            insn.op = Op::JumpBack;
        }
        if let Some(at) = lower(&mut out, &layout, &insn) {
            patches.push((at, Label(insn.x)));
        }
        if insn.op == Op::MakeGenerator {
            displace(&mut out, &layout);
        }
    }
    starts.push(out.units.len() as u32);
    for (at, Label(l)) in patches {
        let to = starts[unit.labels[l as usize] as usize];
        out.units[at + 1] = to.wrapping_sub(at as u32);
    }
    let handlers = handler_table(&unit, &layout, &starts);
    let locals = layout.locals(&mut unit);
    let nregs = layout.temps + unit.max_temps;
    Code {
        name: unit.name.as_ref().into(),
        qualname: unit.qualname.as_ref().into(),
        filename: filename.into(),
        first_line: unit.first_line,
        flags: unit.flags,
        arg_count: unit.arg_count,
        posonly_count: unit.posonly_count,
        kwonly_count: unit.kwonly_count,
        nregs,
        locals,
        units: out.units,
        consts: unit.consts,
        names: unit.names,
        handlers,
        positions: Positions::encode_with_marks(&out.positions, &out.marks),
    }
}

/// Which instructions are the target of a jump or begin a handler.
fn meeting_points(unit: &Unit) -> Vec<bool> {
    let mut met = vec![false; unit.insns.len() + 1];
    for insn in &unit.insns {
        if insn.op.info().extra == Extra::Jump {
            met[unit.labels[insn.x as usize] as usize] = true;
        }
        if insn.handler != 0 {
            let Label(l) = unit.handlers[insn.handler as usize - 1].label;
            met[unit.labels[l as usize] as usize] = true;
        }
    }
    met
}

/// Parameters in the place of the scratch registers move to their own locals, first of all.
fn displace(out: &mut Output, layout: &Layout) {
    let Some(to) = layout.displaced else { return };
    for i in 0..layout.params.saturating_sub(layout.scratch).min(SCRATCH) {
        out.mov(to + i, layout.scratch + i);
    }
}

fn handler_table(unit: &Unit, layout: &Layout, starts: &[u32]) -> Vec<Handler> {
    let mut table: Vec<Handler> = Vec::new();
    let mut last = 0;
    for (i, insn) in unit.insns.iter().enumerate() {
        let (start, end) = (starts[i], starts[i + 1]);
        if start == end {
            continue;
        }
        if insn.handler == 0 {
        } else if insn.handler == last && table.last().is_some_and(|h| h.end == start) {
            table.last_mut().expect("just seen").end = end;
        } else {
            let info = unit.handlers[insn.handler as usize - 1];
            let target = starts[unit.labels[info.label.0 as usize] as usize];
            table.push(Handler { start, end, target, reg: layout.register(info.reg) });
        }
        last = insn.handler;
    }
    table
}
