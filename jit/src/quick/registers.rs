//! Where values are: in registers, in words of the buffer, or both.

use super::asm::{Alu, Asm, Gpr, Mem, R11, R12, R13, R14, R15, RAX, RSP, Xmm, mem};
use super::liveness::{Liveness, NEVER};
use crate::ir::{Id, Tree, Type};
use crate::lower::ELSEWHERE;

/// Holds the buffer's address.
pub const BUFFER_REG: Gpr = R15;
/// For an instruction's own use.
pub const SCRATCH: Gpr = R11;
pub const XMM_SCRATCH: Xmm = Xmm(15);
/// For moves that go in a circle.
const XMM_CIRCLE: Xmm = Xmm(14);
/// A word of the native frame for a constant on its way to a vector register.
pub const CONSTANT_WORD: i32 = 8 * 25;

/// Those that calls lose: rax, rcx, rdx, rsi, rdi, r8, r9, r10.
pub const LOST: [u8; 8] = [0, 1, 2, 6, 7, 8, 9, 10];
/// Those that calls keep.
pub const KEPT: [u8; 3] = [R12.0, R13.0, R14.0];
/// Vector registers that hold values; calls lose all.
pub const XMMS: u8 = 14;

const NOWHERE: u8 = u8::MAX;
const NO_SLOT: u32 = u32::MAX;

/// A value's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loc {
    Gpr(Gpr),
    Xmm(Xmm),
    /// A word of the buffer.
    Slot(u32),
    Const(u64),
}

/// Where a value is at a place that is come to again: in a register, a word of the buffer, or both.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub id: Id,
    pub reg: Option<Loc>,
    pub slot: Option<u32>,
}

pub fn slot_mem(slot: u32) -> Mem {
    mem(BUFFER_REG, 8 * slot as i32)
}

pub struct Registers<'a> {
    pub tree: &'a Tree,
    pub live: Liveness<'a>,
    pub asm: Asm,
    /// By `Id` of a root.
    reg: Vec<u8>,
    slot: Vec<u32>,
    gprs: [Option<Id>; 16],
    xmms: [Option<Id>; 16],
    /// Registers that the instruction at hand uses, by bit.
    locked: u16,
    xmm_locked: u16,
    /// By word of the buffer behind those of a helper.
    slots: Vec<Option<Id>>,
    /// Twice the position of the instruction at hand.
    pub now: u32,
}

impl<'a> Registers<'a> {
    pub fn new(tree: &'a Tree) -> Registers<'a> {
        Registers {
            tree,
            live: Liveness::new(tree),
            asm: Asm::default(),
            reg: vec![NOWHERE; tree.insts.len()],
            slot: vec![NO_SLOT; tree.insts.len()],
            gprs: [None; 16],
            xmms: [None; 16],
            locked: 0,
            xmm_locked: 0,
            slots: Vec::new(),
            now: 0,
        }
    }

    pub fn is_float(&self, id: Id) -> bool {
        self.tree.inst(id).ty == Type::F
    }

    /// The first word of the buffer behind all slots.
    pub fn slots_end(&self) -> u32 {
        ELSEWHERE + self.slots.len() as u32
    }

    /// Is the value wanted by nothing at or behind the instruction at hand?
    fn is_dead(&self, id: Id) -> bool {
        self.live.last[id.0 as usize] < self.now
    }

    /// Is the value wanted behind the operands of the instruction at hand, by its exit or later?
    pub fn outlives(&self, id: Id) -> bool {
        self.live.last[id.0 as usize] > self.now
    }

    /// The next instruction begins.
    pub fn begin(&mut self, position: u32) {
        self.now = 2 * position;
        self.locked = 0;
        self.xmm_locked = 0;
        self.live.pass(position);
    }

    /// Nothing is anywhere any more but these values.
    pub fn restore(&mut self, held: &[Held]) {
        for owner in self.gprs.iter_mut().chain(&mut self.xmms) {
            if let Some(id) = owner.take() {
                self.reg[id.0 as usize] = NOWHERE;
            }
        }
        for owner in &mut self.slots {
            if let Some(id) = owner.take() {
                self.slot[id.0 as usize] = NO_SLOT;
            }
        }
        for &Held { id, reg, slot } in held {
            match reg {
                Some(Loc::Gpr(r)) => {
                    self.gprs[r.0 as usize] = Some(id);
                    self.reg[id.0 as usize] = r.0;
                }
                Some(Loc::Xmm(x)) => {
                    self.xmms[x.0 as usize] = Some(id);
                    self.reg[id.0 as usize] = x.0;
                }
                _ => {}
            }
            if let Some(slot) = slot {
                let at = (slot - ELSEWHERE) as usize;
                if self.slots.len() <= at {
                    self.slots.resize(at + 1, None);
                }
                self.slots[at] = Some(id);
                self.slot[id.0 as usize] = slot;
            }
        }
    }

    fn reg_of(&self, id: Id) -> Option<Loc> {
        match self.reg[id.0 as usize] {
            NOWHERE => None,
            r if self.is_float(id) => Some(Loc::Xmm(Xmm(r))),
            r => Some(Loc::Gpr(Gpr(r))),
        }
    }

    pub fn slot_of(&self, id: Id) -> Option<u32> {
        Some(self.slot[id.0 as usize]).filter(|&slot| slot != NO_SLOT)
    }

    /// Where the value is, the best place first. None: nowhere, which no sound tree comes to.
    pub fn loc(&self, id: Id) -> Option<Loc> {
        if let Some(bits) = self.live.constant(id) {
            return Some(Loc::Const(bits));
        }
        self.reg_of(id).or_else(|| self.slot_of(id).map(Loc::Slot))
    }

    pub fn held(&self, id: Id) -> Option<Held> {
        let held = Held { id, reg: self.reg_of(id), slot: self.slot_of(id) };
        (held.reg.is_some() || held.slot.is_some()).then_some(held)
    }

    /// A word of the buffer for the value.
    pub fn new_slot(&mut self, id: Id) -> u32 {
        if let Some(slot) = self.slot_of(id) {
            return slot;
        }
        let free = self.slots.iter().position(|owner| owner.is_none_or(|owner| self.is_dead(owner)));
        let at = free.unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        if let Some(old) = self.slots[at].replace(id) {
            self.slot[old.0 as usize] = NO_SLOT;
        }
        let slot = ELSEWHERE + at as u32;
        self.slot[id.0 as usize] = slot;
        slot
    }

    /// As `new_slot`, for a place that the value is to be moved to later.
    pub fn new_slot_for_head(&mut self, id: Id) -> u32 {
        self.slot_of(id).unwrap_or_else(|| {
            let slot = self.new_slot(id);
            self.slot[id.0 as usize] = NO_SLOT;
            slot
        })
    }

    /// The value, which is in a register, is in the buffer too.
    pub fn save(&mut self, id: Id) {
        if self.live.constant(id).is_some() || self.slot_of(id).is_some() {
            return;
        }
        let Some(reg) = self.reg_of(id) else { return };
        let slot = self.new_slot(id);
        match reg {
            Loc::Xmm(x) => self.asm.store_double(slot_mem(slot), x),
            Loc::Gpr(r) => self.asm.store(slot_mem(slot), r),
            Loc::Slot(_) | Loc::Const(_) => {}
        }
    }

    fn forget_gpr(&mut self, r: u8) {
        if let Some(id) = self.gprs[r as usize].take() {
            self.reg[id.0 as usize] = NOWHERE;
        }
    }

    fn forget_xmm(&mut self, x: u8) {
        if let Some(id) = self.xmms[x as usize].take() {
            self.reg[id.0 as usize] = NOWHERE;
        }
    }

    pub fn lock(&mut self, r: Gpr) {
        self.locked |= 1 << r.0;
    }

    pub fn unlock(&mut self, r: Gpr) {
        self.locked &= !(1 << r.0);
    }

    /// The register whose value is wanted last among those that may be taken; free ones before all.
    fn choose(&self, owners: &[Option<Id>; 16], locked: u16, order: impl Iterator<Item = u8>) -> u8 {
        let mut best = (0, 0);
        for r in order {
            if locked >> r & 1 != 0 {
                continue;
            }
            let Some(id) = owners[r as usize].filter(|&id| !self.is_dead(id)) else { return r };
            // What is there anyway costs less.
            let cheap = self.slot_of(id).is_some() || self.live.constant(id).is_some();
            let next = self.live.next[id.0 as usize];
            let rank =
                if next == NEVER { u32::MAX } else { (next << 1 | u32::from(cheap)).min(u32::MAX - 1) };
            if rank >= best.0 {
                best = (rank, r);
            }
        }
        best.1
    }

    /// A register that nothing is in, for a value, or for the instruction's own use.
    pub fn free_gpr(&mut self, value: Option<Id>) -> Gpr {
        let crosses = value.is_some_and(|id| self.live.crosses_call(id, self.now / 2 + 1));
        let (lost, kept) = (LOST.iter().copied(), KEPT.iter().copied());
        let r = if crosses {
            self.choose(&self.gprs, self.locked, kept.chain(lost))
        } else {
            self.choose(&self.gprs, self.locked, lost.chain(kept))
        };
        self.clear_gpr(r);
        self.lock(Gpr(r));
        Gpr(r)
    }

    /// Saves what is in the register if it is wanted, and forgets that it is there.
    fn clear_gpr(&mut self, r: u8) {
        if let Some(id) = self.gprs[r as usize] {
            if !self.is_dead(id) {
                self.save(id);
            }
            self.forget_gpr(r);
        }
    }

    pub fn free_xmm(&mut self) -> Xmm {
        let x = self.choose(&self.xmms, self.xmm_locked, 0..XMMS);
        if let Some(id) = self.xmms[x as usize] {
            if !self.is_dead(id) {
                self.save(id);
            }
            self.forget_xmm(x);
        }
        self.xmm_locked |= 1 << x;
        Xmm(x)
    }

    /// The register is the instruction's own: what was there is elsewhere.
    pub fn take(&mut self, r: Gpr) {
        self.clear_gpr(r.0);
        self.lock(r);
    }

    fn bind_gpr(&mut self, id: Id, r: Gpr) {
        self.forget_gpr(r.0);
        self.gprs[r.0 as usize] = Some(id);
        self.reg[id.0 as usize] = r.0;
        self.lock(r);
    }

    fn bind_xmm(&mut self, id: Id, x: Xmm) {
        self.forget_xmm(x.0);
        self.xmms[x.0 as usize] = Some(id);
        self.reg[id.0 as usize] = x.0;
        self.xmm_locked |= 1 << x.0;
    }

    /// The value in a register, which is locked.
    pub fn gpr(&mut self, id: Id) -> Gpr {
        let id = self.live.root(id);
        if let Some(Loc::Gpr(r)) = self.reg_of(id) {
            self.lock(r);
            return r;
        }
        let r = self.free_gpr(Some(id));
        match self.loc(id) {
            Some(Loc::Const(bits)) => self.asm.mov_imm(r, bits),
            Some(Loc::Slot(slot)) => self.asm.load(r, slot_mem(slot)),
            _ => debug_assert!(false, "a value that is nowhere"),
        }
        self.bind_gpr(id, r);
        r
    }

    pub fn xmm(&mut self, id: Id) -> Xmm {
        let id = self.live.root(id);
        if let Some(Loc::Xmm(x)) = self.reg_of(id) {
            self.xmm_locked |= 1 << x.0;
            return x;
        }
        let x = self.free_xmm();
        match self.loc(id) {
            Some(Loc::Const(bits)) => {
                self.asm.mov_imm(SCRATCH, bits);
                self.asm.gpr_to_xmm(x, SCRATCH);
            }
            Some(Loc::Slot(slot)) => self.asm.load_double(x, slot_mem(slot)),
            _ => debug_assert!(false, "a value that is nowhere"),
        }
        self.bind_xmm(id, x);
        x
    }

    /// A register for the result, which is none of the operands'.
    pub fn def(&mut self, id: Id) -> Gpr {
        let r = self.free_gpr(Some(id));
        self.bind_gpr(id, r);
        r
    }

    /// A register for the result with the operand's value in it: the operand's own, if that is wanted no more.
    /// `others`: operands that are used behind that.
    pub fn def_over(&mut self, id: Id, operand: Id, others: &[Id]) -> Gpr {
        let from = self.gpr(operand);
        let root = self.live.root(operand);
        let shared = others.iter().any(|&other| self.live.root(other) == root);
        if !self.outlives(root) && !shared && !self.leaves_it(id, from) {
            self.bind_gpr(id, from);
            return from;
        }
        let to = self.def(id);
        self.asm.mov(to, from);
        to
    }

    /// Is the result better off in another register than the one at hand, because a call comes?
    fn leaves_it(&mut self, id: Id, r: Gpr) -> bool {
        let crosses = self.live.crosses_call(id, self.now / 2 + 1);
        crosses
            && !KEPT.contains(&r.0)
            && KEPT.iter().any(|&k| self.gprs[k as usize].is_none_or(|id| self.is_dead(id)))
    }

    pub fn def_xmm(&mut self, id: Id) -> Xmm {
        let x = self.free_xmm();
        self.bind_xmm(id, x);
        x
    }

    pub fn def_xmm_over(&mut self, id: Id, operand: Id, others: &[Id]) -> Xmm {
        let from = self.xmm(operand);
        let root = self.live.root(operand);
        let shared = others.iter().any(|&other| self.live.root(other) == root);
        if !self.outlives(root) && !shared {
            self.bind_xmm(id, from);
            return from;
        }
        let to = self.def_xmm(id);
        self.asm.movsd(to, from);
        to
    }

    /// The result is in rax, behind a call.
    pub fn def_rax(&mut self, id: Id) -> Gpr {
        if self.leaves_it(id, RAX) {
            let r = self.def(id);
            self.asm.mov(r, RAX);
            return r;
        }
        self.bind_gpr(id, RAX);
        RAX
    }

    // ---- calls

    /// All that is wanted behind a call is where the call does not lose it.
    pub fn save_lost(&mut self) {
        let owners = LOST.map(|r| self.gprs[r as usize]);
        for id in owners.into_iter().chain(self.xmms).flatten() {
            if self.outlives(id) {
                self.save(id);
            }
        }
    }

    /// The call has been made.
    pub fn forget_lost(&mut self) {
        LOST.iter().for_each(|&r| self.forget_gpr(r));
        (0..16).for_each(|x| self.forget_xmm(x));
    }

    /// The registers that a call would lose and that have something.
    pub fn occupied(&self) -> (Vec<Gpr>, Vec<Xmm>) {
        let is_wanted = |owner: &Option<Id>| owner.is_some_and(|id| !self.is_dead(id));
        let gprs = LOST.iter().copied().filter(|&r| is_wanted(&self.gprs[r as usize])).map(Gpr);
        let xmms = (0..16).filter(|&x| is_wanted(&self.xmms[x as usize])).map(Xmm);
        (gprs.collect(), xmms.collect())
    }

    // ---- moves

    /// Does all moves as if at once.
    pub fn move_all(&mut self, mut moves: Vec<(Loc, Loc)>) {
        moves.retain(|(to, from)| to != from);
        // By move: how many others come from where it goes to.
        let count = |to: Loc| moves.iter().filter(|(_, from)| *from == to).count();
        let mut blocked: Vec<usize> = moves.iter().map(|(to, _)| count(*to)).collect();
        while let Some(first) = moves.first() {
            let at = match blocked.iter().position(|&n| n == 0) {
                Some(at) => at,
                None => {
                    // A circle: what one comes from gets out of the way.
                    let from = first.1;
                    let aside = match from {
                        Loc::Xmm(_) => Loc::Xmm(XMM_CIRCLE),
                        _ => Loc::Gpr(SCRATCH),
                    };
                    self.move_one(aside, from);
                    for (to, f) in &mut moves {
                        if *f == from {
                            *f = aside;
                        }
                        debug_assert!(*to != aside);
                    }
                    let freed = moves.iter().position(|(to, _)| *to == from);
                    debug_assert!(freed.is_some(), "what blocks a move goes on");
                    let at = freed.unwrap_or(0);
                    blocked[at] = 0;
                    at
                }
            };
            let (to, from) = moves.swap_remove(at);
            blocked.swap_remove(at);
            self.move_one(to, from);
            for (n, (to, _)) in blocked.iter_mut().zip(&moves) {
                if *to == from {
                    *n -= 1;
                }
            }
        }
    }

    /// Uses no register but the last vector register.
    pub fn move_one(&mut self, to: Loc, from: Loc) {
        let asm = &mut self.asm;
        match (to, from) {
            (Loc::Gpr(to), Loc::Gpr(from)) => asm.mov(to, from),
            (Loc::Gpr(to), Loc::Slot(from)) => asm.load(to, slot_mem(from)),
            (Loc::Gpr(to), Loc::Const(bits)) => asm.mov_imm(to, bits),
            (Loc::Gpr(to), Loc::Xmm(from)) => asm.xmm_to_gpr(to, from),
            (Loc::Xmm(to), Loc::Xmm(from)) => asm.movsd(to, from),
            (Loc::Xmm(to), Loc::Slot(from)) => asm.load_double(to, slot_mem(from)),
            (Loc::Xmm(to), Loc::Gpr(from)) => asm.gpr_to_xmm(to, from),
            (Loc::Xmm(to), Loc::Const(bits)) => {
                let word = mem(RSP, CONSTANT_WORD);
                store_constant(asm, word, mem(RSP, CONSTANT_WORD + 4), bits);
                asm.load_double(to, word);
            }
            (Loc::Slot(to), Loc::Gpr(from)) => asm.store(slot_mem(to), from),
            (Loc::Slot(to), Loc::Xmm(from)) => asm.store_double(slot_mem(to), from),
            (Loc::Slot(to), Loc::Slot(from)) => {
                asm.load_double(XMM_SCRATCH, slot_mem(from));
                asm.store_double(slot_mem(to), XMM_SCRATCH);
            }
            (Loc::Slot(to), Loc::Const(bits)) => {
                store_constant(asm, slot_mem(to), mem(BUFFER_REG, 8 * to as i32 + 4), bits);
            }
            (Loc::Const(_), _) => debug_assert!(false, "a move to a constant"),
        }
    }

    /// Arithmetic with an operand that may be a constant that fits.
    pub fn alu(&mut self, op: Alu, to: Gpr, operand: Id) {
        match self.short_constant(operand) {
            Some(n) => self.asm.alu_imm(op, to, n),
            None => {
                let r = self.gpr(operand);
                self.asm.alu(op, to, r);
            }
        }
    }

    /// The operand, if it is a constant of 32 bits with a sign.
    pub fn short_constant(&self, id: Id) -> Option<i32> {
        let bits = self.live.constant(self.live.root(id))?;
        i32::try_from(bits as i64).ok()
    }
}

fn store_constant(asm: &mut Asm, word: Mem, upper: Mem, bits: u64) {
    match i32::try_from(bits as i64) {
        Ok(n) => asm.store_imm(word, n),
        Err(_) => {
            asm.store32_imm(word, bits as i32);
            asm.store32_imm(upper, (bits >> 32) as i32);
        }
    }
}
