//! The forward pass: walks the entry, the body and the bridges with what is known at each point, and leaves out what
//! has been done already.
//!
//! What the entry knows at its end holds in the body, unless the body, or a bridge that comes back to it, may change
//! it. A bridge begins with what is known at its exit, and that the guard failed. About what phis are, it is assumed
//! that what holds at the end of the entry holds in each round; if a jump shows otherwise, the walk is done anew
//! without that assumption.

use super::facts::{Done, Facts, Order, Word, clobber};
use super::fold::{Folded, fold, mirrored, opposite};
use super::ranges;
use crate::ir::*;
use TraceOp::*;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// What is assumed of a phi.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Assumed {
    shape: Option<u32>,
    range: (i64, i64),
}

impl Assumed {
    /// What holds of both.
    fn or(self, other: Assumed, widest: (i64, i64)) -> Assumed {
        Assumed {
            shape: self.shape.filter(|s| other.shape == Some(*s)),
            range: (
                if other.range.0 < self.range.0 { widest.0 } else { self.range.0 },
                if other.range.1 > self.range.1 { widest.1 } else { self.range.1 },
            ),
        }
    }
}

/// So often is the walk done before nothing is assumed any more.
const WALKS: usize = 4;

pub fn forward(tree: &mut Tree) {
    if tree.body.is_none() {
        // Nothing is assumed.
        let done = walk(tree, None);
        prune(tree, &done.bridges);
        return;
    }
    let mut assumed: Option<Vec<Assumed>> = None;
    for walks in 1.. {
        let mut copy = tree.clone();
        let Walked { shown, bridges, held } = walk(&mut copy, assumed);
        if held || walks > WALKS {
            prune(&mut copy, &bridges);
            *tree = copy;
            return;
        }
        assumed = Some(if walks < WALKS {
            shown
        } else {
            let phis = &tree.seq(tree.body.expect("there are phis")).phis;
            phis.iter()
                .map(|phi| Assumed { shape: None, range: ranges::widest(tree.inst(*phi).ty) })
                .collect()
        });
    }
}

/// What came of a walk.
struct Walked {
    shown: Vec<Assumed>,
    bridges: HashSet<SeqId>,
    /// What was assumed was right.
    held: bool,
}

fn walk(tree: &mut Tree, assumed: Option<Vec<Assumed>>) -> Walked {
    let entry = tree.entry.expect("a tree has an entry");
    let mut walk = Walk {
        uses: uses(tree),
        exits: vec![false; tree.exits.len()],
        tree,
        order: Order::default(),
        assumed,
        shown: Vec::new(),
        saved: HashMap::default(),
        bridges: HashSet::default(),
    };
    walk.seq(entry, Facts::default(), Vec::new());
    let Walk { shown, bridges, assumed, .. } = walk;
    let held = assumed.is_none_or(|assumed| assumed == shown);
    Walked { shown, bridges, held }
}

struct Walk<'t> {
    tree: &'t mut Tree,
    order: Order,
    /// Of each phi, if this is not the first walk.
    assumed: Option<Vec<Assumed>>,
    /// What all jumps so far show of each phi.
    shown: Vec<Assumed>,
    /// By the exit's number.
    uses: Vec<Use>,
    /// By exit: whether its writes are resolved, with what is known at the first of their instructions.
    exits: Vec<bool>,
    /// Writes that exits can do without, since memory has the words.
    saved: HashMap<ExitId, Vec<(i32, Id)>>,
    /// Bridges that are walked: with what is known at the first instruction that has the exit.
    bridges: HashSet<SeqId>,
}

impl Walk<'_> {
    fn seq(&mut self, id: SeqId, mut facts: Facts, mut out: Vec<Id>) {
        let at = id.0 as usize;
        for inst in std::mem::take(&mut self.tree.seqs[at].insts) {
            if self.inst(inst, &mut facts, &mut out) {
                break;
            }
        }
        let last = *out.last().expect("a sequence ends");
        self.tree.seqs[at].insts = out;
        if self.tree.inst(last).op != Jump {
            self.tree.seqs[at].jump_args.clear();
            if Some(id) == self.tree.entry {
                self.tree.body = None;
            }
            return;
        }
        let args: Vec<Id> = self.tree.seqs[at].jump_args.iter().map(|arg| facts.resolve(*arg)).collect();
        let now = args.iter().map(|arg| Assumed {
            shape: facts.shapes.get(arg).copied(),
            range: ranges::range(self.tree, &facts, *arg),
        });
        if Some(id) == self.tree.entry {
            self.shown = now.collect();
            self.tree.seqs[at].jump_args = args;
            self.body(facts);
        } else {
            for (at, now) in now.enumerate() {
                let widest = ranges::widest(self.tree.inst(args[at]).ty);
                self.shown[at] = self.shown[at].or(now, widest);
            }
            self.tree.seqs[at].jump_args = args;
        }
    }

    /// Goes on to the body with what is known at the end of the entry.
    fn body(&mut self, mut facts: Facts) {
        let body = self.tree.body.expect("what jumps has a body to jump to");
        self.forget(&mut facts, body);
        let assumed = self.assumed.get_or_insert_with(|| self.shown.clone());
        let seq = &mut self.tree.seqs[body.0 as usize];
        for (phi, assumed) in seq.phis.iter().zip(assumed) {
            self.order.define(*phi);
            if let Some(shape) = assumed.shape {
                facts.shapes.insert(*phi, shape);
            }
            facts.ranges.insert(*phi, assumed.range);
        }
        for key in &mut seq.keys {
            if let Target::Field(object, _) = key {
                *object = facts.resolve(*object);
            }
        }
        self.seq(body, facts, Vec::new());
    }

    /// Forgets what the loop may change.
    fn forget(&mut self, facts: &mut Facts, body: SeqId) {
        let mut insts = Vec::new();
        looping(self.tree, body, &mut HashMap::default(), &mut insts);
        facts.words.retain(|word, _| !matches!(word, Word::Cell(_)));
        // What changes shapes comes first: then a shape that is still known tells objects apart in the whole loop.
        let (shapes, rest): (Vec<Id>, Vec<Id>) = insts.iter().partition(|id| {
            let op = self.tree.inst(**id).op;
            op == SetShape || op.info().effect == Effect::Call
        });
        for id in shapes.into_iter().chain(rest) {
            let mut inst = *self.tree.inst(id);
            if !matches!(inst.op.info().effect, Effect::Store | Effect::Call | Effect::Alloc) {
                continue;
            }
            for arg in inst.args.iter_mut().flatten() {
                *arg = self.origin(facts, *arg);
            }
            clobber(self.tree, facts, &self.order, &inst);
        }
    }

    /// What the value is, as far as the entry knows; guards of a shape that are not known to hold stay.
    fn origin(&self, facts: &Facts, mut id: Id) -> Id {
        loop {
            id = facts.resolve(id);
            match self.tree.inst(id) {
                Inst { op: GuardShape, args: [Some(of), ..], imm, .. } => {
                    let of = facts.resolve(*of);
                    if facts.shapes.get(&of) != Some(&(*imm as u32)) {
                        return id;
                    }
                    id = of;
                }
                Inst { op: GuardFamily, args: [Some(of), ..], imm, .. } => {
                    let of = facts.resolve(*of);
                    if facts.families.get(&of) != Some(imm) && !facts.shapes.contains_key(&of) {
                        return id;
                    }
                    id = of;
                }
                _ => return id,
            }
        }
    }

    /// Handles an instruction; says whether it ends the sequence before its time.
    fn inst(&mut self, id: Id, facts: &mut Facts, out: &mut Vec<Id>) -> bool {
        let mut inst = *self.tree.inst(id);
        loop {
            for arg in inst.args.iter_mut().flatten() {
                *arg = facts.resolve(*arg);
            }
            let Some(rule) = self.by_facts(&inst, facts).or_else(|| fold(self.tree, &inst)) else { break };
            match rule {
                Folded::Const(bits) => {
                    let constant = self.constant(inst.ty, bits, facts, out);
                    facts.is(id, constant);
                    return false;
                }
                Folded::Value(value) => {
                    facts.is(id, value);
                    return false;
                }
                Folded::Nothing => return false,
                Folded::Op(op, args, imm) => {
                    (inst.op, inst.args, inst.imm) = (op, args, imm);
                }
                Folded::WithConst(op, x, ty, bits) => {
                    let constant = self.constant(ty, bits, facts, out);
                    (inst.op, inst.args, inst.imm) = (op, [Some(x), Some(constant), None], 0);
                }
                Folded::Leaves => {
                    inst = Inst { op: Leave, ty: Type::No, args: [None; 3], imm: 0, exit: inst.exit };
                    self.tree.insts[id.0 as usize] = inst;
                    self.exit(&inst, facts);
                    self.bridge(&inst, facts);
                    out.push(id);
                    return true;
                }
            }
        }
        if matches!(inst.op, IntAdd | IntSub) && ranges::fits(self.tree, facts, &inst) {
            self.without_check(id, &inst, facts, out);
            return false;
        }
        if !inst.op.has_exit() {
            inst.exit = None;
        }
        self.tree.insts[id.0 as usize] = inst;
        self.exit(&inst, facts);
        // A call is done when it leaves.
        if matches!(inst.op.info().effect, Effect::Call | Effect::Alloc) {
            clobber(self.tree, facts, &self.order, &inst);
            self.bridge(&inst, facts);
        } else {
            self.bridge(&inst, facts);
            clobber(self.tree, facts, &self.order, &inst);
        }
        out.push(id);
        self.order.define(id);
        self.learn(id, &inst, facts, out);
        false
    }

    /// What the facts make of an instruction.
    fn by_facts(&self, inst: &Inst, facts: &Facts) -> Option<Folded> {
        let tree = &*self.tree;
        let shape = |n: usize| facts.shapes.get(&inst.args[n]?).copied();
        let no_object = |word: u64| word & 7 != 0;
        match (inst.op, inst.args[0], inst.args[1]) {
            (GuardShape, Some(x), _) => match shape(0) {
                Some(shape) if shape as u64 == inst.imm => return Some(Folded::Value(x)),
                Some(_) => return Some(Folded::Leaves),
                None => {}
            },
            (GuardFamily, Some(x), _) => match shape(0) {
                Some(shape) if tree.family(inst).contains(&shape) => return Some(Folded::Value(x)),
                Some(_) => return Some(Folded::Leaves),
                None if facts.families.get(&x) == Some(&inst.imm) => return Some(Folded::Value(x)),
                None => {}
            },
            (GuardIs, ..) if no_object(inst.imm) && shape(0).is_some() => return Some(Folded::Leaves),
            (GuardIsNot, ..) if no_object(inst.imm) && shape(0).is_some() => return Some(Folded::Nothing),
            (Same, Some(x), Some(y)) => {
                let (a, b) = (shape(0), shape(1));
                let constant = |id| tree.constant(id).is_some_and(no_object);
                if a.is_some() && (constant(y) || (b.is_some() && a != b)) || b.is_some() && constant(x) {
                    return Some(Folded::Const(0));
                }
            }
            (CheckIndex, Some(x), Some(length)) if ranges::is_index(tree, facts, x, length) => {
                return Some(Folded::Op(Untag, [Some(x), None, None], 0));
            }
            (CheckBelow, Some(x), Some(length)) if ranges::is_index(tree, facts, x, length) => {
                return Some(Folded::Nothing);
            }
            (Barrier, Some(x), _) if facts.barriers.contains(&x) => return Some(Folded::Nothing),
            (SetShape, ..) if shape(0).is_some_and(|shape| shape as u64 == inst.imm) => {
                return Some(Folded::Nothing);
            }
            _ => {}
        }
        if let Some(truth) = ranges::compare(tree, facts, inst) {
            return Some(Folded::Const(truth as u64));
        }
        if let Some(word) = Word::of(inst) {
            let held = facts.words.get(&word).map(|id| facts.resolve(*id));
            return match (stored(inst), held) {
                // A raw word may stand in a register: a return address.
                (None, Some(held)) if tree.inst(held).ty == Type::R && inst.ty == Type::W => {
                    tree.constant(held).map(Folded::Const)
                }
                (None, Some(held)) => Some(Folded::Value(held)),
                (Some(new), Some(held)) if new == held => Some(Folded::Nothing),
                _ => None,
            };
        }
        let done = facts.done.get(&key(inst)?)?;
        Some(Folded::Value(*done))
    }

    fn constant(&mut self, ty: Type, bits: u64, facts: &mut Facts, out: &mut Vec<Id>) -> Id {
        let ty = if ty == Type::W && bits & 3 == 1 { Type::I } else { ty };
        self.plain(Const, ty, [None; 3], bits, facts, out)
    }

    /// An op without an exit, if it is not done yet.
    fn plain(
        &mut self,
        op: TraceOp,
        ty: Type,
        args: [Option<Id>; 3],
        imm: u64,
        facts: &mut Facts,
        out: &mut Vec<Id>,
    ) -> Id {
        let inst = Inst { op, ty, args, imm, exit: None };
        if let Some(Folded::Value(value)) = fold(self.tree, &inst) {
            return value;
        }
        if let Some(done) = facts.done.get(&(op, ty, args, imm)) {
            return *done;
        }
        let id = self.tree.add(inst);
        out.push(id);
        self.order.define(id);
        facts.done.insert((op, ty, args, imm), id);
        id
    }

    /// A sum or difference that is known to be an immediate, on raw words: `(i << 2) + 1` each.
    fn without_check(&mut self, id: Id, inst: &Inst, facts: &mut Facts, out: &mut Vec<Id>) {
        let (x, y) = (inst.args[0].expect("an operand"), inst.args[1].expect("an operand"));
        let op = if inst.op == IntAdd { RawAdd } else { RawSub };
        let raw = self.plain(ToRaw, Type::R, [Some(x), None, None], 0, facts, out);
        let (op, left, right) = match self.tree.constant(y) {
            Some(word) => (op, raw, self.plain(Const, Type::R, [None; 3], word - 1, facts, out)),
            None => {
                let y = self.plain(ToRaw, Type::R, [Some(y), None, None], 0, facts, out);
                let sum = self.plain(op, Type::R, [Some(raw), Some(y), None], 0, facts, out);
                let one = self.plain(Const, Type::R, [None; 3], 1, facts, out);
                (if op == RawAdd { RawSub } else { RawAdd }, sum, one)
            }
        };
        let sum = self.plain(op, Type::R, [Some(left), Some(right), None], 0, facts, out);
        self.tree.insts[id.0 as usize] =
            Inst { op: FromRaw, ty: Type::I, args: [Some(sum), None, None], imm: 0, exit: None };
        out.push(id);
        self.order.define(id);
        facts.done.insert((inst.op, Type::I, inst.args, 0), id);
        ranges::note(self.tree, facts, id, inst);
    }

    /// Resolves an exit's writes. What is in memory, whenever the exit is taken, need not be written.
    fn exit(&mut self, inst: &Inst, facts: &Facts) {
        let Some(exit) = inst.way_out() else { return };
        let at = exit.0 as usize;
        let holds =
            |reg: i32, id: Id| facts.words.get(&Word::Reg(reg)).is_some_and(|w| facts.resolve(*w) == id);
        if std::mem::replace(&mut self.exits[at], true) {
            for (reg, id) in self.saved.remove(&exit).unwrap_or_default() {
                if holds(reg, id) {
                    self.saved.entry(exit).or_default().push((reg, id));
                } else {
                    self.tree.exits[at].writes.push((Target::Reg(reg), Source::Value(id)));
                }
            }
            return;
        }
        self.objects(exit, facts);
        let mut writes = std::mem::take(&mut self.tree.exits[at].writes);
        for (target, source) in &mut writes {
            if let Target::Field(object, _) = target {
                *object = facts.resolve(*object);
            }
            if let Source::Value(id) = source {
                *id = facts.resolve(*id);
            }
        }
        writes.retain_mut(|(target, source)| {
            let Source::Value(id) = source else { return true };
            if let Target::Reg(reg) = *target
                && holds(reg, *id)
            {
                self.saved.entry(exit).or_default().push((reg, *id));
                return false;
            }
            *id = unboxed(self.tree, facts, *id);
            true
        });
        self.tree.exits[at].writes = writes;
    }

    /// Resolves what the objects hold that an exit makes.
    fn objects(&mut self, exit: ExitId, facts: &Facts) {
        for number in self.tree.exit(exit).virtuals(self.tree) {
            let mut fields = std::mem::take(&mut self.tree.virtuals[number as usize].fields);
            for (_, source) in &mut fields {
                if let Source::Value(id) = source {
                    *id = unboxed(self.tree, facts, facts.resolve(*id));
                }
            }
            self.tree.virtuals[number as usize].fields = fields;
        }
    }

    /// Walks the bridge at an instruction's exit, with the facts at its exit.
    fn bridge(&mut self, inst: &Inst, facts: &Facts) {
        let Some(bridge) = inst.exit.and_then(|exit| self.tree.exit(exit).bridge) else { return };
        if !self.bridges.insert(bridge) {
            return;
        }
        let mut facts = facts.clone();
        let mut out = Vec::new();
        let used = inst.exit.map_or(Use::default(), |exit| self.uses[exit.0 as usize]);
        if used.memory_differs {
            facts.words.clear();
            facts.shapes.clear();
            facts.families.clear();
            facts.barriers.clear();
        }
        let alone = used.instructions == 1;
        if let (GuardTrue | GuardFalse, Some(x), true) = (inst.op, inst.args[0], alone) {
            self.truth(x, inst.op == GuardFalse, &mut facts, &mut out);
        }
        self.seq(bridge, facts, out);
    }

    /// Learns that a truth value is this one.
    fn truth(&mut self, x: Id, truth: bool, facts: &mut Facts, out: &mut Vec<Id>) {
        let def = *self.tree.inst(x);
        ranges::learn(self.tree, facts, &def, truth);
        if let (IntEq, true, [Some(int), Some(of), _]) | (IntNe, false, [Some(int), Some(of), _]) =
            (def.op, truth, def.args)
            && self.tree.constant(of).is_some()
        {
            facts.is(int, of);
        }
        let constant = self.constant(Type::B, truth as u64, facts, out);
        facts.is(x, constant);
        // The same comparison in other words.
        let other = self.constant(Type::B, !truth as u64, facts, out);
        let [a, b, _] = def.args;
        let mut note = |op: Option<TraceOp>, args, constant| {
            if let Some(op) = op {
                facts.done.insert((op, Type::B, args, 0), constant);
            }
        };
        note(mirrored(def.op), [b, a, None], constant);
        note(opposite(def.op), [a, b, None], other);
        note(opposite(def.op).and_then(mirrored), [b, a, None], other);
    }

    /// Learns from an instruction that was done.
    fn learn(&mut self, id: Id, inst: &Inst, facts: &mut Facts, out: &mut Vec<Id>) {
        if let Some(key) = key(inst) {
            facts.done.insert(key, id);
        }
        if let Some(word) = Word::of(inst) {
            facts.words.insert(word, stored(inst).unwrap_or(id));
        }
        ranges::note(self.tree, facts, id, inst);
        let Some(x) = inst.args[0] else {
            if inst.op == NewObject {
                facts.shapes.insert(id, NewKind::from_imm(inst.imm).shape);
                facts.barriers.insert(id);
            }
            return;
        };
        match inst.op {
            GuardInt => facts.is(x, id),
            GuardShape => {
                facts.shapes.insert(x, inst.imm as u32);
                facts.is(id, x);
            }
            GuardFamily => {
                facts.families.insert(x, inst.imm);
                facts.is(id, x);
            }
            GuardIs => {
                let constant = self.constant(Type::W, inst.imm, facts, out);
                facts.is(x, constant);
            }
            GuardRaw => {
                let constant = self.constant(Type::R, inst.imm, facts, out);
                facts.is(x, constant);
            }
            GuardTrue => self.truth(x, true, facts, out),
            GuardFalse => self.truth(x, false, facts, out),
            SetShape => {
                facts.shapes.insert(x, inst.imm as u32);
            }
            Barrier => {
                facts.barriers.insert(x);
            }
            CheckIndex | CheckBelow => ranges::passed(self.tree, facts, inst),
            _ => {}
        }
    }
}

/// Removes bridges that nothing leads to.
fn prune(tree: &mut Tree, bridges: &HashSet<SeqId>) {
    let (entry, body) = (tree.entry, tree.body);
    let is_there = |seq: SeqId| Some(seq) == entry || Some(seq) == body || bridges.contains(&seq);
    for (at, seq) in tree.seqs.iter_mut().enumerate().filter(|(at, _)| !is_there(SeqId(*at as u32))) {
        *seq = Seq::default();
        for exit in tree.exits.iter_mut().filter(|exit| exit.bridge == Some(SeqId(at as u32))) {
            exit.bridge = None;
        }
    }
}

/// What is boxed for an exit alone need not be.
fn unboxed(tree: &Tree, facts: &Facts, id: Id) -> Id {
    match tree.inst(id) {
        Inst { op: BoxFloat | BoxBool, args: [Some(inner), ..], .. } => facts.resolve(*inner),
        _ => id,
    }
}

/// How an exit is used: instructions made of one of Python have the same.
#[derive(Clone, Copy, Default)]
struct Use {
    instructions: u32,
    /// Stores before the first of them.
    stores: u32,
    /// Memory is not the same at all of them.
    memory_differs: bool,
}

fn uses(tree: &Tree) -> Vec<Use> {
    let mut uses = vec![Use::default(); tree.exits.len()];
    let mut stores = 0;
    for id in tree.seqs.iter().flat_map(|seq| &seq.insts) {
        let inst = tree.inst(*id);
        if let Some(exit) = inst.exit {
            let exit = &mut uses[exit.0 as usize];
            if exit.instructions == 0 {
                exit.stores = stores;
            }
            exit.instructions += 1;
            exit.memory_differs |= exit.stores != stores;
        }
        let effect = inst.op.info().effect;
        stores += matches!(effect, Effect::Store | Effect::Alloc | Effect::Call | Effect::End) as u32;
    }
    uses
}

/// What a store writes.
fn stored(inst: &Inst) -> Option<Id> {
    match inst.op {
        StoreReg => inst.args[0],
        StoreField | StoreRaw => inst.args[1],
        StoreElem => inst.args[2],
        _ => None,
    }
}

/// Under which the op is known when it is done, if doing it again gives the same.
fn key(inst: &Inst) -> Option<Done> {
    let again = match inst.op {
        Tick | GuardShape | GuardFamily | Phi => false,
        op => matches!(op.info().effect, Effect::Pure | Effect::Guard),
    };
    again.then_some((inst.op, inst.ty, inst.args, inst.imm))
}

/// Adds the instructions of the sequence, and of bridges that lead back to the loop's head; says whether any does. Many
/// instructions may share an exit: its bridge is looked at once, and `seen` has what was found.
fn looping(tree: &Tree, seq: SeqId, seen: &mut HashMap<SeqId, bool>, insts: &mut Vec<Id>) -> bool {
    let before = insts.len();
    let mut loops = false;
    for &id in &tree.seq(seq).insts {
        insts.push(id);
        loops |= tree.inst(id).op == Jump;
        if let Some(bridge) = tree.inst(id).exit.and_then(|exit| tree.exit(exit).bridge) {
            loops |= match seen.get(&bridge) {
                Some(found) => *found,
                None => {
                    let found = looping(tree, bridge, seen, insts);
                    seen.insert(bridge, found);
                    found
                }
            };
        }
    }
    if !loops {
        insts.truncate(before);
    }
    loops
}
