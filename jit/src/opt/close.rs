//! Closing: the loop's second round is made from its first, and rounds are joined at the loop's head.
//!
//! The body is a copy of the entry in which what the first round's end has in hand takes the place of what the first
//! round loaded from the frame: each such thing is a phi of the body, known by the place that it stands for (its
//! key). What a round's end has not written to memory yet is *pending*: the body's exits write it, unless the body
//! has done so.
//!
//! Phis whose value never changes are left to the optimizer: a bridge that comes later may change it.

use crate::ir::*;
use rustc_hash::FxHashMap as HashMap;

/// How a sequence was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// By a jump to the body's head.
    Jump,
    /// The frame is written to memory and the trace's entry does the next round. Of a loop it says that its values
    /// have other types in the second round than in the first: recording once more gives a better trace.
    Restart,
}

/// The state at a round's end has a type that the body cannot take.
struct Contradiction;

/// Ends the entry, and makes the body if the types allow.
pub fn close_loop(tree: &mut Tree, end: &RoundEnd) -> Closed {
    let (insts, exits) = (tree.insts.len(), tree.exits.len());
    let entry = tree.entry.expect("a recorded tree has an entry");
    let length = tree.seq(entry).insts.len();
    if Peel::new(tree, entry, end).run().is_ok() {
        return Closed::Jump;
    }
    tree.insts.truncate(insts);
    tree.exits.truncate(exits);
    tree.seqs[entry.0 as usize].insts.truncate(length);
    restart(tree, entry, end);
    Closed::Restart
}

/// Ends a bridge.
pub fn close_bridge(tree: &mut Tree, bridge: SeqId, end: &RoundEnd) -> Closed {
    let length = tree.seq(bridge).insts.len();
    if comes_from_body(tree, bridge) && jump_to_body(tree, bridge, end).is_ok() {
        return Closed::Jump;
    }
    tree.seqs[bridge.0 as usize].insts.truncate(length);
    restart(tree, bridge, end);
    Closed::Restart
}

/// The word's origin: guards give the word that they checked.
fn origin(tree: &Tree, mut id: Id) -> Id {
    while let Inst { op, args: [Some(of), ..], .. } = *tree.inst(id)
        && op.gives_operand()
    {
        id = of;
    }
    id
}

fn inst(op: TraceOp, args: &[Id], imm: u64, exit: Option<ExitId>) -> Inst {
    let mut operands = [None; 3];
    for (to, from) in operands.iter_mut().zip(args) {
        *to = Some(*from);
    }
    Inst { op, ty: op.info().result, args: operands, imm, exit }
}

fn comes_from_body(tree: &Tree, mut seq: SeqId) -> bool {
    loop {
        if Some(seq) == tree.body {
            return true;
        }
        let Some(exit) = tree.exits.iter().position(|e| e.bridge == Some(seq)) else { return false };
        let exit = Some(ExitId(exit as u32));
        let parent = tree.seqs.iter().position(|s| s.insts.iter().any(|i| tree.inst(*i).exit == exit));
        match parent {
            Some(parent) => seq = SeqId(parent as u32),
            None => return false,
        }
    }
}

/// Makes the instructions that are wanted at one point of a tree.
struct Emit<'a> {
    tree: &'a mut Tree,
    out: &'a mut Vec<Id>,
    /// The state there, if an instruction has to leave.
    exit: Exit,
}

impl Emit<'_> {
    fn add(&mut self, op: TraceOp, args: &[Id], imm: u64) -> Id {
        let exit = op.has_exit().then(|| self.tree.add_exit(self.exit.clone()));
        let id = self.tree.add(inst(op, args, imm, exit));
        self.out.push(id);
        id
    }

    fn constant(&mut self, bits: u64) -> Id {
        let ty = if bits & 3 == 1 { Type::I } else { Type::W };
        let id = self.tree.add(Inst { ty, ..inst(TraceOp::Const, &[], bits, None) });
        self.out.push(id);
        id
    }

    /// The value as one of that type.
    fn typed(&mut self, id: Id, wanted: Type) -> Result<Id, Contradiction> {
        let op = match (wanted, self.tree.inst(id).ty) {
            (wanted, given) if wanted == given => return Ok(id),
            (Type::W, Type::I) => return Ok(id),
            (Type::W, Type::F) => TraceOp::BoxFloat,
            (Type::W, Type::B) => TraceOp::BoxBool,
            (Type::I, Type::W) => TraceOp::GuardInt,
            (Type::F, Type::W) => TraceOp::GuardFloat,
            _ => return Err(Contradiction),
        };
        Ok(self.add(op, &[id], 0))
    }

    /// Writes to memory. The heads of frames that have ended (`Source::Base`) are of no use.
    fn store(&mut self, writes: &[(Target, Source)]) {
        // All that may leave comes before the first store.
        let mut words = Vec::new();
        for &(target, source) in writes {
            let id = match source {
                Source::Value(id) => id,
                Source::Word(bits) => self.constant(bits),
                Source::Base(_) | Source::Virtual(_) => continue,
            };
            let raw = self.tree.inst(id).ty == Type::R;
            words.push((target, if raw { Ok(id) } else { self.typed(id, Type::W) }));
        }
        for (target, word) in words {
            let Ok(word) = word else { unreachable!("every type but raw words has a word") };
            match target {
                Target::Reg(reg) => self.add(TraceOp::StoreReg, &[word], reg as u64),
                Target::Field(object, offset) => {
                    let raw = self.tree.inst(word).ty == Type::R;
                    if !raw {
                        self.add(TraceOp::Barrier, &[object], 0);
                    }
                    let op = if raw { TraceOp::StoreRaw } else { TraceOp::StoreField };
                    self.add(op, &[object, word], Place::new(Class::Iterator, offset as usize).imm())
                }
            };
        }
    }
}

fn at_head(end: &RoundEnd, writes: Vec<(Target, Source)>) -> Exit {
    Exit { kind: ExitKind::Resume, pc: end.pc, base: end.base, writes, frames: 0, bridge: None }
}

/// Ends a sequence by writing everything to memory.
pub(super) fn restart(tree: &mut Tree, seq: SeqId, end: &RoundEnd) {
    let mut out = std::mem::take(&mut tree.seqs[seq.0 as usize].insts);
    let mut emit = Emit { tree, out: &mut out, exit: at_head(end, end.writes.clone()) };
    emit.store(&end.writes);
    emit.add(TraceOp::Restart, &[], 0);
    tree.seqs[seq.0 as usize].insts = out;
}

fn same_target(tree: &Tree, a: Target, b: Target) -> bool {
    match (a, b) {
        (Target::Field(a, i), Target::Field(b, j)) => i == j && origin(tree, a) == origin(tree, b),
        _ => a == b,
    }
}

fn calls_help(tree: &Tree, seq: SeqId) -> bool {
    tree.seq(seq).insts.iter().any(|i| tree.inst(*i).op == TraceOp::Help)
}

/// What a round's end has for a place.
fn found(tree: &Tree, end: &RoundEnd, target: Target) -> Option<Source> {
    let written = end.writes.iter().find(|(t, _)| same_target(tree, *t, target)).map(|(_, source)| *source);
    written.or_else(|| match target {
        Target::Reg(reg) => end.known.iter().find(|(r, _)| *r == reg).map(|(_, id)| Source::Value(*id)),
        Target::Field(..) => None,
    })
}

/// Does the register hold at the round's end what `object` is?
fn still_holds(tree: &Tree, seq: SeqId, end: &RoundEnd, object: Id) -> bool {
    let of = tree.inst(origin(tree, object));
    match of.op {
        TraceOp::Const => true,
        // What another object always has there.
        TraceOp::LoadField if is_fixed(of) => still_holds(tree, seq, end, of.args[0].expect("an operand")),
        TraceOp::LoadReg => match found(tree, end, Target::Reg(of.imm as i32)) {
            Some(Source::Value(id)) => {
                let now = origin(tree, id);
                now == origin(tree, object) || is_phi_of(tree, now, of.imm as i32)
            }
            Some(_) => false,
            None => !calls_help(tree, seq),
        },
        _ => false,
    }
}

fn is_fixed(inst: &Inst) -> bool {
    inst.op == TraceOp::LoadField && Place::from_imm(inst.imm).class == Class::Fixed
}

/// The object in a register by which the trace came to this one.
fn root(tree: &Tree, mut object: Id) -> (Id, &Inst) {
    loop {
        let of = tree.inst(origin(tree, object));
        if !is_fixed(of) {
            return (object, of);
        }
        object = of.args[0].expect("an operand");
    }
}

fn is_phi_of(tree: &Tree, id: Id, reg: i32) -> bool {
    let Some(body) = tree.body.map(|b| tree.seq(b)) else { return false };
    body.phis.iter().zip(&body.keys).any(|(phi, key)| *phi == id && *key == Target::Reg(reg))
}

fn jump_to_body(tree: &mut Tree, bridge: SeqId, end: &RoundEnd) -> Result<(), Contradiction> {
    let body = tree.seq(tree.body.expect("it comes from the body"));
    let (phis, keys) = (body.phis.clone(), body.keys.clone());
    for key in &keys {
        if let Target::Field(object, _) = *key
            && !still_holds(tree, bridge, end, object)
        {
            return Err(Contradiction);
        }
    }
    let mut out = std::mem::take(&mut tree.seqs[bridge.0 as usize].insts);
    let mut emit = Emit { tree, out: &mut out, exit: at_head(end, end.writes.clone()) };
    let mut args = Vec::new();
    for (phi, key) in phis.iter().zip(&keys) {
        let id = match found(emit.tree, end, *key) {
            Some(Source::Value(id)) => Ok(id),
            Some(Source::Word(bits)) => Ok(emit.constant(bits)),
            Some(Source::Base(_) | Source::Virtual(_)) => Err(Contradiction),
            None => Ok(match *key {
                Target::Reg(reg) => emit.add(TraceOp::ReloadReg, &[], reg as u64),
                Target::Field(object, offset) => {
                    let raw = emit.tree.inst(*phi).ty == Type::R;
                    let op = if raw { TraceOp::LoadRaw } else { TraceOp::LoadField };
                    emit.add(op, &[object], Place::new(Class::Iterator, offset as usize).imm())
                }
            }),
        };
        let wanted = emit.tree.inst(*phi).ty;
        match id.and_then(|id| emit.typed(id, wanted)) {
            Ok(id) => args.push(id),
            Err(c) => {
                tree.seqs[bridge.0 as usize].insts = out;
                return Err(c);
            }
        }
    }
    // What the body's exits write need not be in memory; of other phis they take it that it is.
    let pending: Vec<bool> =
        phis.iter().zip(&keys).map(|(phi, key)| is_pending(emit.tree, *phi, *key)).collect();
    let is_kept = |tree: &Tree, t: Target| {
        keys.iter().zip(&pending).any(|(key, pending)| *pending && same_target(tree, t, *key))
    };
    let rest: Vec<_> = end.writes.iter().filter(|(t, _)| !is_kept(emit.tree, *t)).copied().collect();
    emit.store(&rest);
    emit.add(TraceOp::Jump, &[], 0);
    tree.seqs[bridge.0 as usize].insts = out;
    tree.seqs[bridge.0 as usize].jump_args = args;
    Ok(())
}

/// Does some exit of the body write what the phi brought to the place that it stands for?
fn is_pending(tree: &Tree, phi: Id, key: Target) -> bool {
    let Some(body) = tree.body else { return false };
    let exits = tree.seq(body).insts.iter().filter_map(|i| tree.inst(*i).exit);
    let mut writes = exits.flat_map(|exit| &tree.exit(exit).writes);
    writes.any(|(target, source)| {
        same_target(tree, *target, key) && matches!(source, Source::Value(id) if origin(tree, *id) == phi)
    })
}

/// The making of a body.
struct Peel<'t> {
    tree: &'t mut Tree,
    entry: SeqId,
    end: &'t RoundEnd,
    /// What the copy has for a value of the entry.
    map: HashMap<Id, Id>,
    keys: Vec<Target>,
    phis: Vec<Id>,
    /// What each phi is at the end of the entry.
    firsts: Vec<Id>,
    /// Words of phis that are wanted as such.
    words: HashMap<Id, Id>,
    /// The copies of exits, while nothing else is pending: instructions made of one of Python have the same.
    exits: HashMap<ExitId, ExitId>,
    /// What memory does not have yet at this point of the copy.
    pending: Vec<(Target, Source)>,
    /// The objects of keys, by the register that holds them in all rounds.
    holders: HashMap<i32, Id>,
    /// What is written to memory at the end of each round: the state of objects that change from round to round.
    flushed: Vec<(Target, Source)>,
    /// Instructions at the head of the body.
    head: Vec<Id>,
    out: Vec<Id>,
}

impl<'t> Peel<'t> {
    fn new(tree: &'t mut Tree, entry: SeqId, end: &'t RoundEnd) -> Self {
        let stays = |target: &Target| match *target {
            Target::Reg(_) => true,
            Target::Field(object, _) => still_holds(tree, entry, end, object),
        };
        let (pending, flushed): (Vec<_>, Vec<_>) = end
            .writes
            .iter()
            .filter(|(_, source)| matches!(source, Source::Value(_) | Source::Word(_)))
            .partition(|(target, _)| stays(target));
        let mut holders = HashMap::default();
        for (target, _) in &pending {
            if let Target::Field(object, _) = *target {
                let (root, of) = root(tree, object);
                if of.op == TraceOp::LoadReg {
                    holders.insert(of.imm as i32, root);
                }
            }
        }
        Peel {
            tree,
            entry,
            end,
            map: HashMap::default(),
            keys: Vec::new(),
            phis: Vec::new(),
            firsts: Vec::new(),
            words: HashMap::default(),
            exits: HashMap::default(),
            pending,
            holders,
            flushed,
            head: Vec::new(),
            out: Vec::new(),
        }
    }

    fn run(mut self) -> Result<(), Contradiction> {
        let entry = self.entry;
        // What is pending at the head is so in each round: a key each, of one type.
        let keys: Vec<_> = self.pending.clone();
        let mut entry_out = self.tree.seq(entry).insts.clone();
        let first_round = entry_out.clone();
        let exit = at_head(self.end, self.end.writes.clone());
        let mut emit = Emit { tree: self.tree, out: &mut entry_out, exit };
        emit.store(&self.flushed);
        for (target, source) in &keys {
            let first = match *source {
                Source::Value(id) => id,
                Source::Word(bits) => emit.constant(bits),
                Source::Base(_) | Source::Virtual(_) => unreachable!("left out above"),
            };
            let ty = emit.tree.inst(first).ty;
            let phi = emit.tree.add(Inst { ty, ..inst(TraceOp::Phi, &[], 0, None) });
            self.keys.push(*target);
            self.phis.push(phi);
            self.firsts.push(first);
        }
        emit.add(TraceOp::Jump, &[], 0);
        for (pending, phi) in self.pending.iter_mut().zip(&self.phis) {
            pending.1 = Source::Value(*phi);
        }
        for id in first_round {
            self.copy(id)?;
        }
        self.finish(entry_out)
    }

    /// The phi of what stands at the place when the body begins.
    fn at_head(&mut self, target: Target) -> Option<Id> {
        if let Some(at) = self.keys.iter().position(|key| same_target(self.tree, *key, target)) {
            return Some(self.phis[at]);
        }
        let Some(Source::Value(first)) = found(self.tree, self.end, target) else { return None };
        if matches!(target, Target::Field(..)) {
            return None;
        }
        let ty = self.tree.inst(first).ty;
        let phi = self.tree.add(Inst { ty, ..inst(TraceOp::Phi, &[], 0, None) });
        self.keys.push(target);
        self.phis.push(phi);
        self.firsts.push(first);
        Some(phi)
    }

    fn mapped(&self, id: Id) -> Id {
        self.map.get(&id).copied().unwrap_or(id)
    }

    fn mapped_target(&self, target: Target) -> Target {
        match target {
            Target::Field(object, offset) => Target::Field(self.mapped(object), offset),
            reg => reg,
        }
    }

    fn mapped_write(&self, &(target, source): &(Target, Source)) -> (Target, Source) {
        let source = match source {
            Source::Value(id) => Source::Value(self.mapped(id)),
            other => other,
        };
        (self.mapped_target(target), source)
    }

    /// The writes of an exit of the copy.
    fn exit_writes(&self, writes: &[(Target, Source)]) -> Vec<(Target, Source)> {
        let mut out: Vec<_> = writes.iter().map(|w| self.mapped_write(w)).collect();
        for pending in &self.pending {
            if !out.iter().any(|(t, _)| same_target(self.tree, *t, pending.0)) {
                out.push(*pending);
            }
        }
        out
    }

    fn is_done(&mut self, target: Target) {
        let tree = &*self.tree;
        let before = self.pending.len();
        self.pending.retain(|(t, _)| !same_target(tree, *t, target));
        if self.pending.len() != before {
            self.exits.clear();
        }
    }

    /// A value of the copy as an operand of that type. What has to be made for it is made at the head, where nothing
    /// of the round is done if it leaves.
    fn operand(&mut self, id: Id, wanted: Type) -> Result<Id, Contradiction> {
        let given = self.tree.inst(id).ty;
        if wanted == given || (wanted, given) == (Type::W, Type::I) {
            return Ok(id);
        }
        if wanted != Type::W || self.tree.inst(id).op != TraceOp::Phi {
            return Err(Contradiction);
        }
        if let Some(word) = self.words.get(&id) {
            return Ok(*word);
        }
        // The pending writes at the head; which of them this exit writes is seen when all phis are known.
        let exit = at_head(self.end, Vec::new());
        let word = Emit { tree: self.tree, out: &mut self.head, exit }.typed(id, Type::W)?;
        self.words.insert(id, word);
        Ok(word)
    }

    fn copy(&mut self, id: Id) -> Result<(), Contradiction> {
        let mut new = *self.tree.inst(id);
        let instead = match new.op {
            TraceOp::LoadReg => {
                let reg = new.imm as i32;
                self.holders.get(&reg).copied().or_else(|| self.at_head(Target::Reg(reg)))
            }
            TraceOp::LoadState | TraceOp::LoadHeld => {
                let object = self.mapped(new.args[0].expect("an operand"));
                self.at_head(Target::Field(object, Place::from_imm(new.imm).offset))
            }
            // The same in each round.
            TraceOp::LoadField if is_fixed(&new) => {
                let object = new.args[0].expect("an operand");
                let same = origin(self.tree, self.mapped(object)) == origin(self.tree, object);
                same.then_some(id)
            }
            TraceOp::GuardInt | TraceOp::GuardFloat => {
                let of = self.mapped(new.args[0].expect("an operand"));
                match self.tree.inst(of).ty {
                    ty if ty == new.ty => Some(of),
                    Type::W => None,
                    _ => return Err(Contradiction),
                }
            }
            TraceOp::GuardShape | TraceOp::GuardFamily if self.is_no_object(new.args[0]) => {
                return Err(Contradiction);
            }
            _ => None,
        };
        if let Some(instead) = instead {
            self.map.insert(id, instead);
            return Ok(());
        }
        for (arg, wanted) in new.args.iter_mut().zip(new.op.info().operands) {
            let of = self.mapped(arg.expect("an operand"));
            *arg = Some(self.operand(of, *wanted)?);
        }
        if self.always_leaves(&new) {
            return Err(Contradiction);
        }
        if new.op == TraceOp::Help {
            self.flush(&new);
        }
        self.settle(&new);
        if let Some(exit) = new.exit {
            new.exit = Some(match self.exits.get(&exit) {
                Some(copy) => *copy,
                None => self.copy_exit(exit),
            });
        }
        let copy = self.tree.add(new);
        self.out.push(copy);
        self.map.insert(id, copy);
        match (new.op, new.args) {
            (TraceOp::StoreReg, _) => self.is_done(Target::Reg(new.imm as i32)),
            (TraceOp::StoreRaw | TraceOp::StoreField, [Some(object), ..]) => {
                self.is_done(Target::Field(object, Place::from_imm(new.imm).offset));
            }
            _ => {}
        }
        Ok(())
    }

    /// Before the state of an iterator is looked at or written: writes what is pending for another one there, which may
    /// be the same one by another name.
    fn settle(&mut self, inst: &Inst) {
        use TraceOp::{LoadField, LoadHeld, LoadRaw, LoadState, StoreField, StoreRaw};
        let ([Some(object), ..], LoadField | LoadRaw | LoadState | LoadHeld | StoreField | StoreRaw) =
            (inst.args, inst.op)
        else {
            return;
        };
        let place = Place::from_imm(inst.imm);
        if place.class != Class::Iterator {
            return;
        }
        let of = origin(self.tree, object);
        let is_other = |target: &Target| match *target {
            Target::Field(other, offset) => offset == place.offset && origin(self.tree, other) != of,
            Target::Reg(_) => false,
        };
        let others: Vec<_> = self.pending.iter().filter(|(target, _)| is_other(target)).copied().collect();
        // Raw words: nothing leaves.
        Emit { tree: self.tree, out: &mut self.out, exit: at_head(self.end, Vec::new()) }.store(&others);
        others.iter().for_each(|(target, _)| self.is_done(*target));
    }

    fn copy_exit(&mut self, exit: ExitId) -> ExitId {
        let old = self.tree.exit(exit);
        let (kind, pc, base, frames) = (old.kind, old.pc, old.base, old.frames);
        let writes = self.exit_writes(&old.writes.clone());
        let copy = self.tree.add_exit(Exit { kind, pc, base, writes, frames, bridge: None });
        self.exits.insert(exit, copy);
        copy
    }

    fn is_no_object(&self, arg: Option<Id>) -> bool {
        self.tree.inst(self.mapped(arg.expect("an operand"))).ty != Type::W
    }

    /// A guard on a phi that begins as a constant, which does not pass it, and so never will in this loop.
    fn always_leaves(&self, new: &Inst) -> bool {
        let [Some(of), ..] = new.args else { return false };
        let at = self.phis.iter().position(|phi| *phi == origin(self.tree, of));
        let Some(word) = self.tree.constant(at.map_or(of, |at| self.firsts[at])) else { return false };
        match new.op {
            TraceOp::GuardIs | TraceOp::GuardRaw => word != new.imm,
            TraceOp::GuardIsNot | TraceOp::GuardRawNot => word == new.imm,
            TraceOp::GuardTrue => word == 0,
            TraceOp::GuardFalse => word != 0,
            _ => false,
        }
    }

    /// Before a helper, which works on memory: writes what is pending.
    fn flush(&mut self, help: &Inst) {
        // Nothing of the helper's instruction is done.
        let exit = self.tree.exit(help.exit.expect("a helper has an exit")).clone();
        let writes = self.exit_writes(&exit.writes);
        let exit = Exit { writes, bridge: None, ..exit };
        let pending = std::mem::take(&mut self.pending);
        self.exits.clear();
        Emit { tree: self.tree, out: &mut self.out, exit }.store(&pending);
    }

    fn finish(mut self, mut entry_out: Vec<Id>) -> Result<(), Contradiction> {
        // The second round's end.
        let writes: Vec<_> = self.end.writes.iter().map(|w| self.mapped_write(w)).collect();
        let flushed: Vec<_> = self.flushed.iter().map(|w| self.mapped_write(w)).collect();
        let mut emit = Emit { tree: self.tree, out: &mut self.out, exit: at_head(self.end, writes) };
        let mut seconds = Vec::new();
        for (first, phi) in self.firsts.iter().zip(&self.phis) {
            let second = self.map.get(first).copied().unwrap_or(*first);
            let wanted = emit.tree.inst(*phi).ty;
            seconds.push(emit.typed(second, wanted)?);
        }
        emit.store(&flushed);
        emit.add(TraceOp::Jump, &[], 0);
        let at_head: Vec<_> =
            self.keys.iter().zip(&self.phis).map(|(key, phi)| (*key, Source::Value(*phi))).collect();
        for made in &self.head {
            if let Some(exit) = self.tree.inst(*made).exit {
                self.tree.exits[exit.0 as usize].writes = at_head.clone();
            }
        }
        let mut insts = self.head;
        insts.append(&mut self.out);
        let body = Seq { phis: self.phis, keys: self.keys, insts, jump_args: seconds };
        self.tree.body = Some(self.tree.add_seq(body));
        let entry = &mut self.tree.seqs[self.entry.0 as usize];
        entry.insts = std::mem::take(&mut entry_out);
        entry.jump_args = self.firsts;
        Ok(())
    }
}
