//! What is known at a point of a trace.
//!
//! Some facts are about values and hold for good, since a value never changes: `same`, `done`, `ranges`, `less`.
//! Others are about memory and end when it may be written: `words`, `shapes`, `families`, `barriers`.

use crate::ir::*;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// An operation on operands; type and immediate tell constants apart.
pub type Done = (TraceOp, Type, [Option<Id>; 3], u64);

/// A word of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    Reg(i32),
    /// Object, place (its immediate), and whether it is a raw word.
    Field(Id, u64, bool),
    /// Array, index, class.
    Elem(Id, Id, Class),
    Cell(u64),
}

impl Word {
    /// The word that an instruction loads or stores.
    pub fn of(inst: &Inst) -> Option<Word> {
        use TraceOp::*;
        let raw = matches!(inst.op, LoadRaw | LoadState | StoreRaw);
        match (inst.op, inst.args) {
            (LoadReg | ReloadReg | StoreReg, _) => Some(Word::Reg(inst.imm as i32)),
            (LoadField | LoadHeld | StoreField | LoadRaw | LoadState | StoreRaw, [Some(object), ..]) => {
                Some(Word::Field(object, inst.imm, raw))
            }
            (LoadElem | StoreElem, [Some(array), Some(index), _]) => {
                Some(Word::Elem(array, index, Place::from_imm(inst.imm).class))
            }
            (LoadCell, _) => Some(Word::Cell(inst.imm)),
            _ => None,
        }
    }

    fn class(&self) -> Option<Class> {
        match self {
            Word::Field(_, place, _) => Some(Place::from_imm(*place).class),
            Word::Elem(_, _, class) => Some(*class),
            Word::Reg(_) | Word::Cell(_) => None,
        }
    }
}

#[derive(Clone, Default)]
pub struct Facts {
    /// By `Id`: what else a value is known to be on this path, a constant, or the same word with a better type. Those
    /// behind the last are themselves.
    same: Vec<Id>,
    /// Operations that have been done, and their results.
    pub done: HashMap<Done, Id>,
    /// Least and largest value of ints and raw words.
    pub ranges: HashMap<Id, (i64, i64)>,
    /// The first int is less than the second.
    pub less: HashSet<(Id, Id)>,
    /// What words of memory hold.
    pub words: HashMap<Word, Id>,
    /// Shapes of objects.
    pub shapes: HashMap<Id, u32>,
    /// Families of objects whose very shapes are not known.
    pub families: HashMap<Id, u64>,
    /// Objects that need no barrier before something is stored to them.
    pub barriers: HashSet<Id>,
}

impl Facts {
    /// What the value is known to be.
    pub fn resolve(&self, mut id: Id) -> Id {
        while let Some(&better) = self.same.get(id.0 as usize)
            && better != id
        {
            id = better;
        }
        id
    }

    pub fn is(&mut self, id: Id, better: Id) {
        if id != better {
            if let Some(&shape) = self.shapes.get(&id) {
                self.shapes.entry(better).or_insert(shape);
            }
            if let Some(&family) = self.families.get(&id) {
                self.families.entry(better).or_insert(family);
            }
            if let Some(&range) = self.ranges.get(&id) {
                self.ranges.entry(better).or_insert(range);
            }
            let known = self.same.len() as u32;
            self.same.extend((known..=id.0).map(Id));
            self.same[id.0 as usize] = better;
        }
    }
}

/// Numbers values in the order of their definition, for what can be the same object.
#[derive(Default)]
pub struct Order {
    /// By `Id`, from 1 on.
    numbers: Vec<u32>,
    last: u32,
}

impl Order {
    pub fn define(&mut self, id: Id) {
        let at = id.0 as usize;
        if self.numbers.len() <= at {
            self.numbers.resize(at + 1, 0);
        }
        if self.numbers[at] == 0 {
            self.last += 1;
            self.numbers[at] = self.last;
        }
    }

    fn number(&self, id: Id) -> Option<u32> {
        self.numbers.get(id.0 as usize).copied().filter(|&n| n != 0)
    }

    /// Is it certain that `new`, made by `new.object`, did not exist when `other` was defined?
    fn is_newer(&self, new: Id, other: Id) -> bool {
        match (self.number(new), self.number(other)) {
            (Some(new), Some(other)) => other < new,
            // What is not defined yet belongs to the loop, of which this is the entry.
            (None, Some(_)) => true,
            _ => false,
        }
    }
}

/// Can the two values be the same object?
pub fn may_alias(tree: &Tree, facts: &Facts, order: &Order, a: Id, b: Id) -> bool {
    let new = |id: Id| tree.inst(id).op == TraceOp::NewObject;
    if a == b {
        return true;
    }
    if let (Some(a), Some(b)) = (tree.constant(a), tree.constant(b)) {
        return a == b;
    }
    if (new(a) && (new(b) || tree.constant(b).is_some() || order.is_newer(a, b)))
        || (new(b) && (tree.constant(a).is_some() || order.is_newer(b, a)))
    {
        return false;
    }
    match (shape_of(tree, facts, a), shape_of(tree, facts, b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

fn shape_of(tree: &Tree, facts: &Facts, id: Id) -> Option<u32> {
    facts.shapes.get(&id).copied().or_else(|| {
        let inst = tree.inst(id);
        (inst.op == TraceOp::GuardShape).then_some(inst.imm as u32)
    })
}

/// Forgets what the instruction may change, whose operands are resolved.
pub fn clobber(tree: &Tree, facts: &mut Facts, order: &Order, inst: &Inst) {
    match inst.op.info().effect {
        Effect::Alloc => facts.barriers.clear(),
        Effect::Call => {
            let registers = inst.op != TraceOp::Help;
            facts.words.retain(|word, _| match word {
                Word::Reg(_) => registers,
                Word::Cell(_) => false,
                word => word.class() == Some(Class::Fixed),
            });
            facts.shapes.retain(|_, shape| tree.lasting_shapes.contains(shape));
            facts.families.clear();
            facts.barriers.clear();
        }
        Effect::Store => {}
        _ => return,
    }
    if inst.op == TraceOp::SetShape {
        let object = inst.args[0].expect("an operand");
        let known: Vec<Id> = facts.shapes.keys().copied().collect();
        for other in known {
            let lasts = tree.lasting_shapes.contains(&facts.shapes[&other]);
            if other == object || !lasts && may_alias_by_age(tree, order, object, other) {
                facts.shapes.remove(&other);
            }
        }
        facts.families.retain(|other, _| *other != object && !may_alias_by_age(tree, order, object, *other));
        return;
    }
    let Some(stored) = Word::of(inst) else { return };
    if matches!(stored, Word::Reg(_)) {
        facts.words.remove(&stored);
        return;
    }
    let mut words = std::mem::take(&mut facts.words);
    words.retain(|word, _| match (stored, *word) {
        (Word::Field(a, place, _), Word::Field(b, other, _)) => {
            place != other || !may_alias(tree, facts, order, a, b)
        }
        (Word::Elem(a, i, class), Word::Elem(b, j, other)) => {
            class != other || !may_be_equal(tree, facts, i, j) || !may_alias(tree, facts, order, a, b)
        }
        _ => true,
    });
    facts.words = words;
}

/// Shapes say nothing while one of them changes.
fn may_alias_by_age(tree: &Tree, order: &Order, a: Id, b: Id) -> bool {
    may_alias(tree, &Facts::default(), order, a, b)
}

fn may_be_equal(tree: &Tree, facts: &Facts, i: Id, j: Id) -> bool {
    if i == j {
        return true;
    }
    let ((a, b), (c, d)) = (super::ranges::range(tree, facts, i), super::ranges::range(tree, facts, j));
    a <= d && c <= b
}
