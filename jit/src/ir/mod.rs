//! Traces: straight sequences of typed instructions in SSA form, with exits.
//!
//! A [`Tree`] is one compiled loop with all that hangs on it. Its *entry* sequence is the loop's first round, which
//! loads what it needs from the frame and checks it; it ends by a jump to the *body*, a round that can take for
//! granted what the first has checked, and which jumps to itself. An exit that is taken often gets a *bridge*, a
//! sequence that begins there and ends by a jump to the body's head as well. A sequence sees all values of those that
//! lead to it.

mod ops;

pub use ops::{Effect, OpInfo, TraceOp, Type};
use skein_runtime::object::Kind;
use skein_runtime::types::generator::{CLOSES, REGISTERED};

/// An instruction's number, which names its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

/// A sequence's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeqId(pub u32);

/// An exit's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExitId(pub u32);

/// An instruction.
#[derive(Clone, Copy, Debug)]
pub struct Inst {
    pub op: TraceOp,
    /// Type of the result.
    pub ty: Type,
    pub args: [Option<Id>; 3],
    pub imm: u64,
    pub exit: Option<ExitId>,
}

impl Inst {
    /// The exit by which its code leaves. That of a `help` only tells others what the state is: where a helper went is
    /// where the machine is.
    pub fn way_out(&self) -> Option<ExitId> {
        self.exit.filter(|_| self.op != TraceOp::Help)
    }
}

/// Kinds of memory: a store of one does not change what a load of another gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Class {
    /// An attribute's slot in an instance or its overflow array.
    Slot,
    /// A list's length and its array's address.
    List,
    /// Slots of arrays.
    Array,
    /// Contents of cells.
    Cell,
    /// An iterator's state, which nothing but its loop looks at.
    Iterator,
    /// What never changes once it is made: a tuple's items, a method's parts.
    Fixed,
    /// Words of functions: their code.
    Function,
    /// An argument that is filled in for the next call, and read there only.
    Argument,
}

/// Where in an object a word lies: the immediate of memory ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub class: Class,
    /// Bytes from the object's address.
    pub offset: u32,
}

impl Place {
    pub const ALL_CLASSES: [Class; 8] = [
        Class::Slot,
        Class::List,
        Class::Array,
        Class::Cell,
        Class::Iterator,
        Class::Fixed,
        Class::Function,
        Class::Argument,
    ];

    pub const fn new(class: Class, offset: usize) -> Place {
        Place { class, offset: offset as u32 }
    }

    pub const fn imm(self) -> u64 {
        (self.class as u64) << 32 | self.offset as u64
    }

    pub const fn from_imm(imm: u64) -> Place {
        Place { class: Self::ALL_CLASSES[(imm >> 32) as usize], offset: imm as u32 }
    }
}

/// What `new.object` makes: the immediate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NewKind {
    pub shape: u32,
    /// Whole size in bytes, at most 2048.
    pub size: u16,
    /// `Header::kind`.
    pub kind: u8,
    /// `Header::bits` is `bits`.
    pub bits: u8,
}

impl NewKind {
    /// Is the heap to be told of the object, since something may have to be done when it dies?
    pub fn is_registered(self) -> bool {
        self.has_generator_flag(REGISTERED)
    }

    /// Must there be an object, even if nothing but the trace sees it?
    pub fn is_kept(self) -> bool {
        self.has_generator_flag(CLOSES)
    }

    fn has_generator_flag(self, flag: u16) -> bool {
        self.kind == Kind::Generator as u8 && u16::from(self.bits) & flag != 0
    }

    pub const fn imm(self) -> u64 {
        (self.shape as u64) << 32 | (self.size as u64) << 16 | (self.kind as u64) << 8 | self.bits as u64
    }

    pub const fn from_imm(imm: u64) -> NewKind {
        NewKind {
            shape: (imm >> 32) as u32,
            size: (imm >> 16) as u16,
            kind: (imm >> 8) as u8,
            bits: imm as u8,
        }
    }
}

/// A sequence of instructions; the last one ends it.
#[derive(Clone, Debug, Default)]
pub struct Seq {
    /// Of a body: its phis, and what each stands for: the state at the head that is not in memory.
    pub phis: Vec<Id>,
    pub keys: Vec<Target>,
    pub insts: Vec<Id>,
    /// What the `jump` at the end brings to the body's phis.
    pub jump_args: Vec<Id>,
}

/// Where a word is to be written when a trace is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The register so many words from the root frame's base: also words of the heads of inner frames.
    Reg(i32),
    /// The word at this offset of the object.
    Field(Id, u32),
}

/// What is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A value of the trace, made a word.
    Value(Id),
    /// The address so many words from the root frame's base.
    Base(i32),
    /// This word.
    Word(u64),
    /// The object that the tree's virtual of this number describes.
    Virtual(u32),
}

/// An object that a trace does without: it is made where the trace is left, if the exit writes it.
#[derive(Clone, Debug)]
pub struct Virtual {
    /// With the shape that it has come to.
    pub kind: NewKind,
    /// Words by their offset; the others are 0. Virtuals may hold one another, and each is made once.
    pub fields: Vec<(u32, Source)>,
}

/// What happens behind an exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitKind {
    /// The interpreter goes on at the instruction.
    Resume,
    /// The pending exception is raised at the instruction.
    Raise,
    /// A helper did the instruction, and memory has everything: the interpreter goes on where that said.
    Elsewhere,
    /// The root frame's `Return` is done: its caller goes on.
    Return,
}

/// How the interpreter goes on where a trace is left.
#[derive(Clone, Debug)]
pub struct Exit {
    pub kind: ExitKind,
    /// The instruction's address.
    pub pc: usize,
    /// Its frame: words from the root frame's base.
    pub base: i32,
    pub writes: Vec<(Target, Source)>,
    /// Which frames there are: the recorder's number.
    pub frames: u32,
    /// The sequence that goes on here instead.
    pub bridge: Option<SeqId>,
}

/// The state at the end of a round, where the sequence comes to the loop's head again.
///
/// What stands in neither list is in memory as it was at the head.
#[derive(Clone, Debug, Default)]
pub struct RoundEnd {
    /// What memory does not have yet.
    pub writes: Vec<(Target, Source)>,
    /// Registers whose value is known and in memory, by word offset.
    pub known: Vec<(i32, Id)>,
    /// The exit at the head: nothing of the next round is done.
    pub pc: usize,
    pub base: i32,
}

/// A call: of a helper on the frame in memory, or of a native.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Address of the helper, or of the native's declaration.
    pub callee: usize,
    /// The instruction, and its frame in words from the root frame's base.
    pub pc: usize,
    pub base: i32,
    /// Of a helper: where the machine went on.
    pub next_pc: usize,
    pub next_base: i32,
}

/// One loop with its bridges.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    pub insts: Vec<Inst>,
    pub seqs: Vec<Seq>,
    pub exits: Vec<Exit>,
    pub calls: Vec<Call>,
    pub virtuals: Vec<Virtual>,
    /// Shapes that an object never loses, as those of lists and tuples: no call changes them.
    pub lasting_shapes: Vec<u32>,
    /// Shapes that are told apart only where that matters.
    pub families: Vec<Box<[u32]>>,
    /// The first round.
    pub entry: Option<SeqId>,
    /// The round that jumps to itself.
    pub body: Option<SeqId>,
}

/// How much there is of a tree that grows.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    insts: usize,
    seqs: usize,
    pub exits: usize,
    calls: usize,
}

impl Tree {
    pub fn extent(&self) -> Extent {
        let Tree { insts, seqs, exits, calls, .. } = self;
        Extent { insts: insts.len(), seqs: seqs.len(), exits: exits.len(), calls: calls.len() }
    }

    /// Takes away what was added since.
    pub fn cut(&mut self, to: Extent) {
        self.insts.truncate(to.insts);
        self.seqs.truncate(to.seqs);
        self.exits.truncate(to.exits);
        self.calls.truncate(to.calls);
    }

    pub fn inst(&self, id: Id) -> &Inst {
        &self.insts[id.0 as usize]
    }

    pub fn seq(&self, id: SeqId) -> &Seq {
        &self.seqs[id.0 as usize]
    }

    pub fn exit(&self, id: ExitId) -> &Exit {
        &self.exits[id.0 as usize]
    }

    /// The shapes that a `guard.family` lets pass.
    pub fn family(&self, inst: &Inst) -> &[u32] {
        &self.families[inst.imm as usize]
    }

    pub fn call(&self, inst: &Inst) -> &Call {
        &self.calls[inst.imm as usize]
    }

    /// How many bridges lead to an exit, one from the other.
    pub fn nesting(&self, exit: ExitId) -> usize {
        let leads_to = |exit: ExitId| {
            let holds = |seq: &Seq| seq.insts.iter().any(|i| self.inst(*i).exit == Some(exit));
            let seq = self.seqs.iter().position(holds)?;
            let from = self.exits.iter().position(|e| e.bridge == Some(SeqId(seq as u32)))?;
            Some(ExitId(from as u32))
        };
        std::iter::successors(leads_to(exit), |exit| leads_to(*exit)).count()
    }

    /// Adds an instruction to no sequence yet.
    pub fn add(&mut self, inst: Inst) -> Id {
        self.insts.push(inst);
        Id(self.insts.len() as u32 - 1)
    }

    pub fn add_exit(&mut self, exit: Exit) -> ExitId {
        self.exits.push(exit);
        ExitId(self.exits.len() as u32 - 1)
    }

    pub fn add_seq(&mut self, seq: Seq) -> SeqId {
        self.seqs.push(seq);
        SeqId(self.seqs.len() as u32 - 1)
    }

    /// The constant that a value is.
    pub fn constant(&self, id: Id) -> Option<u64> {
        let inst = self.inst(id);
        (inst.op == TraceOp::Const).then_some(inst.imm)
    }
}

impl Exit {
    /// The objects that are made there, each once.
    pub fn virtuals(&self, tree: &Tree) -> Vec<u32> {
        let mut all = Vec::new();
        let add = |source: Source, all: &mut Vec<u32>| match source {
            Source::Virtual(number) if !all.contains(&number) => all.push(number),
            _ => {}
        };
        self.writes.iter().for_each(|(_, source)| add(*source, &mut all));
        let mut at = 0;
        while let Some(&number) = all.get(at) {
            tree.virtuals[number as usize].fields.iter().for_each(|(_, source)| add(*source, &mut all));
            at += 1;
        }
        all
    }

    /// Calls `f` with the values that are written, to objects that are made there as well, and those that are written to.
    pub fn each_value(&self, tree: &Tree, mut f: impl FnMut(Id)) {
        let mut source = |source: Source| {
            if let Source::Value(id) = source {
                f(id);
            }
        };
        for (target, written) in &self.writes {
            if let Target::Field(object, _) = target {
                source(Source::Value(*object));
            }
            source(*written);
        }
        for number in self.virtuals(tree) {
            tree.virtuals[number as usize].fields.iter().for_each(|(_, held)| source(*held));
        }
    }

    /// The values that the exit needs, each once, in the order in which the exit's buffer has them; constants of the
    /// trace are not among them.
    pub fn live(&self, tree: &Tree) -> Vec<Id> {
        let mut live = Vec::with_capacity(self.writes.len());
        self.each_value(tree, |id| {
            if tree.constant(id).is_none() && !live.contains(&id) {
                live.push(id);
            }
        });
        live
    }
}
