//! Objects that nothing but the trace sees are not made.
//!
//! The pass walks the tree with what each such object holds at each point. An object that is a phi of the body has a
//! phi for each of its words instead, if every jump brings one of the same kind. Exits that write an object describe
//! it, and it is made where the trace is left.
//!
//! Every object is thought to be such a one at first. Where one is used in another way it is real after all, from its
//! beginning on, and the walk is done anew; a use behind an exit that has a bridge counts as well.

use crate::deopt::MAX_MADE;
use crate::ir::*;
use TraceOp::*;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::borrow::Cow;
use std::collections::BTreeMap;

pub fn remove_allocations(tree: &mut Tree) -> bool {
    let makes = |seq: &Seq| seq.insts.iter().any(|id| tree.inst(*id).op == NewObject);
    if !tree.seqs.iter().any(makes) {
        return false;
    }
    let mut real = Real::default();
    let ids = tree.seqs.iter().flat_map(|seq| &seq.insts).copied();
    let is_kept = |inst: &Inst| inst.op == NewObject && NewKind::from_imm(inst.imm).is_kept();
    real.objects.extend(ids.clone().filter(|id| is_kept(tree.inst(*id))));
    real.objects.extend(ids.flat_map(|id| escaping(tree, tree.inst(id))).flatten());
    loop {
        let mut copy = tree.clone();
        let mut walk = Walk {
            tree: &mut copy,
            real: &real,
            found: Real::default(),
            instead: HashMap::default(),
            floats: HashMap::default(),
            phis: Vec::new(),
            heads: State::default(),
            jumps: Vec::new(),
            exits: HashMap::default(),
            bridges: HashSet::default(),
            removed: false,
        };
        let entry = walk.tree.entry.expect("a tree has an entry");
        walk.seq(entry, State::default());
        let (found, removed) = (std::mem::take(&mut walk.found), walk.removed);
        if found.is_empty() {
            walk.finish();
            let fits = |exit: &Exit| exit.virtuals(&copy).len() <= MAX_MADE;
            if !copy.exits.iter().all(fits) {
                return false;
            }
            *tree = copy;
            return removed;
        }
        real.objects.extend(found.objects);
        real.words.extend(found.words);
    }
}

/// The new objects that an instruction gives away, as far as that is seen without a walk.
fn escaping(tree: &Tree, inst: &Inst) -> [Option<Id>; 3] {
    let is_new = |id: Id| tree.inst(id).op == NewObject;
    // A phi may stand for an object that is not made.
    let may_hold = |id: Id| matches!(tree.inst(id).op, NewObject | Phi) || tree.inst(id).op.gives_operand();
    let kept = match inst.op {
        StoreReg | Help | Native1 | Native2 | Native3 | NativeNext | NumberOp | CopySlice | TextEq => {
            [true; 3]
        }
        StoreField | StoreElem => match inst.args[0] {
            Some(object) if !may_hold(object) => [false, true, true],
            _ => [false; 3],
        },
        _ => [false; 3],
    };
    let mut all = [None; 3];
    for ((found, arg), kept) in all.iter_mut().zip(inst.args).zip(kept) {
        *found = arg.filter(|id| kept && is_new(*id));
    }
    all
}

/// What turned out not to do.
#[derive(Default)]
struct Real {
    /// Objects and phis that are real.
    objects: HashSet<Id>,
    /// Words of phis that cannot be floats.
    words: HashSet<(Id, u32)>,
}

impl Real {
    fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.words.is_empty()
    }
}

#[derive(Clone, PartialEq)]
struct Object {
    kind: NewKind,
    words: BTreeMap<u32, Id>,
}

/// Objects that are not made, by the value that stands for each.
type State = HashMap<Id, Object>;

/// A phi for a word of an object that is a phi.
struct WordPhi {
    object: Id,
    offset: u32,
    phi: Id,
}

struct Walk<'t> {
    tree: &'t mut Tree,
    real: &'t Real,
    found: Real,
    /// What stands for a value that is gone.
    instead: HashMap<Id, Id>,
    /// Loaded words that are floats of word phis.
    floats: HashMap<Id, (Id, Id, u32)>,
    phis: Vec<WordPhi>,
    /// The objects that are phis of the body, as they are at its head.
    heads: State,
    /// What each jump brings for the word phis.
    jumps: Vec<(SeqId, Vec<Id>)>,
    /// Exits that are described, with the objects as they were then: several instructions may have the same exit.
    exits: HashMap<ExitId, State>,
    bridges: HashSet<SeqId>,
    removed: bool,
}

impl Walk<'_> {
    fn resolve(&self, mut id: Id) -> Id {
        while let Some(instead) = self.instead.get(&id) {
            id = *instead;
        }
        id
    }

    /// The object is real: the next walk knows.
    fn is_real(&mut self, id: Id) {
        self.found.objects.insert(id);
    }

    fn seq(&mut self, id: SeqId, mut state: State) {
        let at = id.0 as usize;
        let mut out = Vec::new();
        for inst in std::mem::take(&mut self.tree.seqs[at].insts) {
            self.inst(inst, &mut state, &mut out);
        }
        self.tree.seqs[at].insts = out;
        let last = *self.tree.seqs[at].insts.last().expect("a sequence ends");
        if self.tree.inst(last).op == Jump {
            self.jump(id, state);
        }
    }

    fn jump(&mut self, id: SeqId, state: State) {
        let body = self.tree.body.expect("what jumps has a body to jump to");
        let args: Vec<Id> = self.tree.seq(id).jump_args.iter().map(|arg| self.resolve(*arg)).collect();
        self.tree.seqs[id.0 as usize].jump_args = args.clone();
        let phis = self.tree.seq(body).phis.clone();
        let is_entry = Some(id) == self.tree.entry;
        if is_entry {
            self.keys(body);
            for (phi, arg) in phis.iter().zip(&args) {
                if let Some(object) = state.get(arg).filter(|_| !self.real.objects.contains(phi)) {
                    self.head(*phi, object);
                }
            }
        }
        self.bring(id, &phis, &args, &state);
        if is_entry {
            self.removed |= !self.heads.is_empty();
            self.seq(body, self.heads.clone());
        }
    }

    fn keys(&mut self, body: SeqId) {
        for at in 0..self.tree.seq(body).keys.len() {
            if let Target::Field(object, offset) = self.tree.seq(body).keys[at] {
                let object = self.resolve(object);
                self.tree.seqs[body.0 as usize].keys[at] = Target::Field(object, offset);
                if self.is_unknown(object) {
                    self.is_real(object);
                }
            }
        }
    }

    /// The phi is an object like this one of the entry.
    fn head(&mut self, phi: Id, object: &Object) {
        let mut words = BTreeMap::new();
        for (&offset, &word) in &object.words {
            let any = self.real.words.contains(&(phi, offset));
            let ty = match (self.tree.inst(word).ty, self.float_of(word)) {
                (Type::R, _) => Type::R,
                _ if any => Type::W,
                (_, Some(_)) => Type::F,
                (ty, None) => ty,
            };
            let word_phi = self.tree.add(Inst { op: Phi, ty, args: [None; 3], imm: 0, exit: None });
            self.phis.push(WordPhi { object: phi, offset, phi: word_phi });
            words.insert(offset, word_phi);
        }
        self.heads.insert(phi, Object { kind: object.kind, words });
    }

    /// Notes what a jump brings for the words of the objects that are phis.
    fn bring(&mut self, id: SeqId, phis: &[Id], args: &[Id], state: &State) {
        for (n, (phi, arg)) in phis.iter().zip(args).enumerate() {
            match (state.get(arg), self.heads.get(phi)) {
                (Some(object), Some(head)) => {
                    // Two names of one object would be two objects.
                    let twice = args[..n].contains(arg);
                    if twice || object.kind != head.kind || !object.words.keys().eq(head.words.keys()) {
                        self.is_real(*phi);
                        self.is_real(*arg);
                    }
                    let held: Vec<Id> = object.words.values().copied().collect();
                    for word in held {
                        if state.contains_key(&word) || self.is_unknown(word) {
                            self.is_real(word);
                        }
                    }
                }
                (Some(_), None) => self.is_real(*arg),
                (None, Some(_)) => self.is_real(*phi),
                (None, None) if self.is_unknown(*arg) => self.is_real(*arg),
                (None, None) => self.is_word(*arg),
            }
        }
        let mut brought = Vec::new();
        for at in 0..self.phis.len() {
            let WordPhi { object, offset, phi } = self.phis[at];
            let n = phis.iter().position(|p| *p == object).expect("a phi of the body");
            // If there is none, the walk is done anew.
            let Some(word) = state.get(&args[n]).and_then(|o| o.words.get(&offset).copied()) else {
                continue;
            };
            let (wanted, given) = (self.tree.inst(phi).ty, self.tree.inst(word).ty);
            let value = match self.float_of(word) {
                Some(float) if wanted == Type::F => float,
                _ => word,
            };
            let ty = self.tree.inst(value).ty;
            if wanted == Type::W {
                self.is_word(word);
            } else if ty != wanted {
                self.found.words.insert((object, offset));
            }
            if (wanted == Type::R) != (given == Type::R) {
                self.is_real(object);
            }
            brought.push(value);
        }
        self.jumps.push((id, brought));
    }

    /// The value is wanted as a word, which floats of word phis are not.
    fn is_word(&mut self, id: Id) {
        let of_phi = self.phis.iter().find(|p| p.phi == id && self.tree.inst(id).ty == Type::F);
        if let Some(word) = of_phi {
            self.found.words.insert((word.object, word.offset));
        } else if let Some((_, object, offset)) = self.floats.get(&id) {
            self.found.words.insert((*object, *offset));
        }
    }

    /// The float that the word is.
    fn float_of(&self, word: Id) -> Option<Id> {
        if let Some((float, ..)) = self.floats.get(&word) {
            return Some(*float);
        }
        match *self.tree.inst(word) {
            Inst { ty: Type::F, .. } => Some(word),
            Inst { op: BoxFloat, args: [Some(float), ..], .. } => Some(self.resolve(float)),
            _ => None,
        }
    }

    fn inst(&mut self, id: Id, state: &mut State, out: &mut Vec<Id>) {
        let mut inst = *self.tree.inst(id);
        for arg in inst.args.iter_mut().flatten() {
            *arg = self.resolve(*arg);
        }
        if self.without(id, &inst, state, out) {
            return;
        }
        // Whatever else it does with an object, it wants a real one.
        for arg in inst.args.iter().flatten() {
            if state.contains_key(arg) || self.is_unknown(*arg) {
                self.is_real(*arg);
            } else if self.floats.contains_key(arg) {
                self.is_word(*arg);
            }
        }
        self.tree.insts[id.0 as usize] = inst;
        if let Some(exit) = inst.way_out() {
            if !self.exits.contains_key(&exit) {
                let described = self.exit(exit, state);
                // A bridge may look at any.
                let all = self.tree.exit(exit).bridge.is_some();
                self.exits.insert(exit, if all { state.clone() } else { described });
            }
            let changed: Vec<Id> = self.exits[&exit]
                .iter()
                .filter(|(id, then)| state.get(id) != Some(then))
                .map(|(id, _)| *id)
                .collect();
            changed.into_iter().for_each(|id| self.is_real(id));
            if let Some(bridge) = self.tree.exit(exit).bridge
                && self.bridges.insert(bridge)
            {
                self.seq(bridge, state.clone());
            }
        }
        out.push(id);
    }

    /// An object that is not made, but stands here for one of an earlier round: only phis may.
    fn is_unknown(&self, id: Id) -> bool {
        self.tree.inst(id).op == NewObject && !self.real.objects.contains(&id)
    }

    /// Does the instruction without any, if it only looks at or changes an object that is not made.
    fn without(&mut self, id: Id, inst: &Inst, state: &mut State, out: &mut Vec<Id>) -> bool {
        if inst.op == NewObject && !self.real.objects.contains(&id) {
            state.insert(id, Object { kind: NewKind::from_imm(inst.imm), words: BTreeMap::new() });
            self.removed = true;
            return true;
        }
        let Some(x) = inst.args[0] else { return false };
        if inst.op == GuardFloat
            && let Some((float, ..)) = self.floats.get(&x)
        {
            self.instead.insert(id, *float);
            return true;
        }
        let Some(object) = state.get_mut(&x) else { return false };
        let offset = match inst.op {
            // Slots begin behind 16 bytes.
            LoadElem | StoreElem => match inst.args[1].and_then(|index| self.tree.constant(index)) {
                Some(index) if index < 1 << 8 => 16 + 8 * index as u32,
                _ => return false,
            },
            LoadField | LoadRaw | LoadState | LoadHeld | StoreField | StoreRaw => {
                Place::from_imm(inst.imm).offset
            }
            _ => 0,
        };
        match inst.op {
            LoadField | LoadElem | LoadRaw | LoadState | LoadHeld => match object.words.get(&offset).copied()
            {
                Some(word) => {
                    let (given, wanted) = (self.tree.inst(word).ty, inst.ty);
                    if (wanted == Type::R) != (given == Type::R) {
                        return false;
                    }
                    if given == Type::F {
                        let phi = self.phis.iter().find(|p| p.phi == word).expect("floats are word phis");
                        self.floats.insert(id, (word, phi.object, offset));
                        return true;
                    }
                    self.instead.insert(id, word);
                }
                None => {
                    let zero = Inst { op: Const, ty: inst.ty, args: [None; 3], imm: 0, exit: None };
                    self.tree.insts[id.0 as usize] = zero;
                    out.push(id);
                }
            },
            StoreField | StoreRaw | StoreElem => {
                let word = inst.args[if inst.op == StoreElem { 2 } else { 1 }].expect("an operand");
                // What a word phi holds as a float stays one.
                let word = self.floats.get(&word).map_or(word, |(float, ..)| *float);
                object.words.insert(offset, word);
            }
            SetShape => object.kind.shape = inst.imm as u32,
            GuardShape if object.kind.shape as u64 == inst.imm => {
                self.instead.insert(id, x);
            }
            GuardFamily if self.tree.family(inst).contains(&object.kind.shape) => {
                self.instead.insert(id, x);
            }
            // No word that is known beforehand is a new object.
            GuardIsNot | Barrier => {}
            _ => return false,
        }
        true
    }

    /// Describes the objects that an exit writes. Gives them as they are.
    fn exit(&mut self, exit: ExitId, now: &State) -> State {
        let at = exit.0 as usize;
        let mut made = HashMap::default();
        let mut writes = std::mem::take(&mut self.tree.exits[at].writes);
        let changes = |(target, _): &(Target, Source)| match *target {
            Target::Field(object, _) => now.contains_key(&self.resolve(object)),
            Target::Reg(_) => false,
        };
        let mut state = if writes.iter().any(changes) { Cow::Owned(now.clone()) } else { Cow::Borrowed(now) };
        // What is to be written to an object that is made there is made so.
        writes.retain(|(target, source)| {
            let Target::Field(object, offset) = *target else { return true };
            let id = self.resolve(object);
            match (state.contains_key(&id), source) {
                (true, Source::Value(word)) => {
                    let object = state.to_mut().get_mut(&id).expect("it is there");
                    object.words.insert(offset, self.resolve(*word));
                    return false;
                }
                (true, _) => self.is_real(id),
                (false, _) if self.is_unknown(id) => self.is_real(id),
                (false, _) => {}
            }
            true
        });
        for (target, source) in &mut writes {
            if let Target::Field(object, _) = target {
                *object = self.resolve(*object);
            }
            if let Source::Value(id) = source {
                *source = self.source(*id, &state, &mut made);
            }
        }
        self.tree.exits[at].writes = writes;
        made.keys().map(|id| (*id, now[id].clone())).collect()
    }

    fn source(&mut self, id: Id, state: &State, made: &mut HashMap<Id, u32>) -> Source {
        let id = self.resolve(id);
        if let Some(number) = made.get(&id) {
            return Source::Virtual(*number);
        }
        let Some(object) = state.get(&id) else {
            if self.is_unknown(id) {
                self.is_real(id);
            }
            return Source::Value(self.float_of(id).unwrap_or(id));
        };
        let number = self.tree.virtuals.len() as u32;
        made.insert(id, number);
        self.tree.virtuals.push(Virtual { kind: object.kind, fields: Vec::new() });
        let fields = object.words.iter().map(|(offset, word)| (*offset, self.source(*word, state, made)));
        self.tree.virtuals[number as usize].fields = fields.collect();
        Source::Virtual(number)
    }

    /// Phis of objects give way to those of their words.
    fn finish(&mut self) {
        let Some(body) = self.tree.body else { return };
        let gone: HashSet<Id> = self.phis.iter().map(|p| p.object).collect();
        let phis = self.tree.seq(body).phis.clone();
        let stays: Vec<bool> = phis.iter().map(|phi| !gone.contains(phi)).collect();
        for (seq, brought) in std::mem::take(&mut self.jumps) {
            let args = &mut self.tree.seqs[seq.0 as usize].jump_args;
            let mut stays = stays.iter();
            args.retain(|_| *stays.next().expect("an argument for each phi"));
            args.extend(brought);
        }
        let seq = &mut self.tree.seqs[body.0 as usize];
        for word in &self.phis {
            let at = phis.iter().position(|phi| *phi == word.object).expect("a phi of the body");
            let key = seq.keys[at];
            seq.keys.push(key);
        }
        let mut all = stays.iter().copied().chain(std::iter::repeat(true));
        seq.keys.retain(|_| all.next().expect("without end"));
        let mut kept = stays.iter();
        seq.phis.retain(|_| *kept.next().expect("each phi"));
        seq.phis.extend(self.phis.iter().map(|word| word.phi));
    }
}
