//! The making of random trees.

use super::world::*;
use skein_jit::ir::*;
use skein_runtime::value::Value as Word;

/// What is known of a value beyond its type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Word,
    Object,
    Int,
    Float,
    /// That is an immediate.
    PlainFloat,
    Bool,
    Raw,
    /// That fits an int.
    Fitting,
    /// Of a slot that there is.
    Index,
}

impl Kind {
    pub fn ty(self) -> Type {
        match self {
            Kind::Word | Kind::Object => Type::W,
            Kind::Int => Type::I,
            Kind::Float | Kind::PlainFloat => Type::F,
            Kind::Bool => Type::B,
            Kind::Raw | Kind::Fitting | Kind::Index => Type::R,
        }
    }

    /// Is it good where the other is wanted?
    pub fn serves(self, wanted: Kind) -> bool {
        use Kind::*;
        self == wanted
            || matches!(
                (self, wanted),
                (Int | Object, Word) | (PlainFloat, Float) | (Fitting | Index, Raw) | (Index, Fitting)
            )
    }

    pub fn of(ty: Type) -> Kind {
        match ty {
            Type::I => Kind::Int,
            Type::F => Kind::Float,
            Type::B => Kind::Bool,
            Type::R => Kind::Raw,
            _ => Kind::Word,
        }
    }
}

pub type Scope = Vec<(Id, Kind)>;

/// An exit that is to get a bridge.
pub struct Branch {
    exit: ExitId,
    scope: Scope,
    in_body: bool,
}

pub struct Maker<'a> {
    random: &'a mut Random,
    world: &'a World,
    tree: Tree,
    insts: Vec<Id>,
    scope: Scope,
    last_exit: Option<ExitId>,
    branches: Vec<Branch>,
    in_body: bool,
    made_object: bool,
    phis: Vec<Kind>,
    /// If bridges see no more than what their exits write: those that were made, with their first exits.
    apart: Option<Vec<(ExitId, SeqId, usize)>>,
}

impl<'a> Maker<'a> {
    pub fn new(random: &'a mut Random, world: &'a World) -> Maker<'a> {
        Maker {
            random,
            world,
            tree: Tree::default(),
            insts: Vec::new(),
            scope: Vec::new(),
            last_exit: None,
            branches: Vec::new(),
            in_body: false,
            made_object: false,
            phis: Vec::new(),
            apart: None,
        }
    }

    pub fn push(&mut self, op: TraceOp, args: &[Id], imm: u64) -> Id {
        let exit = op.has_exit().then(|| self.exit());
        let mut all = [None; 3];
        for (to, &from) in all.iter_mut().zip(args) {
            *to = Some(from);
        }
        let id = self.tree.add(Inst { op, ty: op.info().result, args: all, imm, exit });
        self.insts.push(id);
        id
    }

    pub fn known(&mut self, op: TraceOp, args: &[Id], imm: u64, kind: Kind) -> Id {
        let id = self.push(op, args, imm);
        self.scope.push((id, kind));
        id
    }

    pub fn constant(&mut self, kind: Kind) -> Id {
        let bits = match kind {
            Kind::Word => self.world.word(self.random),
            Kind::Object => {
                let address = self.world.object(self.random.below(OBJECTS));
                let object = self.push(TraceOp::Const, &[], address);
                self.tree.insts[object.0 as usize].ty = Type::W;
                let shape = self.random_shape();
                return self.known(TraceOp::GuardShape, &[object], shape, Kind::Object);
            }
            Kind::Int => Word::small_int(self.random.int()).bits(),
            Kind::Float => self.random.float().to_bits(),
            Kind::PlainFloat => 2.5f64.to_bits(),
            Kind::Bool => self.random.next() & 1,
            Kind::Raw => self.random.next() >> self.random.below(64),
            Kind::Fitting => self.random.next() >> (3 + self.random.below(60)),
            Kind::Index => self.random.below(SLOTS) as u64,
        };
        let id = self.push(TraceOp::Const, &[], bits);
        self.tree.insts[id.0 as usize].ty = kind.ty();
        id
    }

    pub fn random_shape(&mut self) -> u64 {
        self.random.one_of(&SHAPES).into()
    }

    pub fn pick(&mut self, kind: Kind) -> Id {
        let fitting: Vec<Id> = self.scope.iter().filter(|(_, k)| k.serves(kind)).map(|&(id, _)| id).collect();
        if fitting.is_empty() || self.random.chance(15) {
            return self.constant(kind);
        }
        // Rather late ones.
        let last = fitting.len() - 1;
        fitting[last - self.random.below(fitting.len()).min(self.random.below(fitting.len()))]
    }

    pub fn exit(&mut self) -> ExitId {
        if let Some(exit) = self.last_exit
            && self.random.chance(30)
        {
            return exit;
        }
        let mut writes = Vec::new();
        for _ in 0..self.random.below(9) {
            if self.scope.is_empty() {
                break;
            }
            let id = self.scope[self.random.below(self.scope.len())].0;
            let mut objects: Vec<Id> =
                self.scope.iter().filter(|(_, k)| *k == Kind::Object).map(|&(id, _)| id).collect();
            // A recorded bridge writes such words first: if the exit makes the object, it has them by then.
            if self.apart.is_some() {
                objects.retain(|id| !self.is_new(*id));
            }
            let target = if objects.is_empty() || self.random.chance(70) {
                Target::Reg(self.random.below(8) as i32)
            } else {
                Target::Field(self.random.one_of(&objects), 16)
            };
            let source = match self.random.below(10) {
                0 => Source::Word(Word::NONE.bits()),
                1 => Source::Base(3),
                _ => Source::Value(id),
            };
            if writes.iter().all(|(t, _)| *t != target) {
                writes.push((target, source));
            }
        }
        let exit = self.tree.add_exit(Exit {
            kind: ExitKind::Resume,
            pc: 0,
            base: 0,
            writes,
            frames: 0,
            bridge: None,
        });
        self.last_exit = Some(exit);
        if self.tree.exits.len() < 60 && self.random.chance(12) {
            self.branches.push(Branch { exit, scope: self.scope.clone(), in_body: self.in_body });
        }
        exit
    }

    pub fn is_new(&self, mut id: Id) -> bool {
        while let Inst { op, args: [Some(of), ..], .. } = *self.tree.inst(id)
            && op.gives_operand()
        {
            id = of;
        }
        self.tree.inst(id).op == TraceOp::NewObject
    }

    pub fn step(&mut self) {
        use TraceOp::*;
        let op = self.random.one_of(TraceOp::ALL);
        let field = |n: usize| Place::new(Class::Slot, RAW + 8 + 8 * n).imm();
        match op {
            Const | Phi | Help | GuardNext | Publish | NativeNext | Native1 | Native2 | Native3 | Tick
            | Jump | Restart | Leave | FromRaw | FromExit => {}
            // Bridges that are trees of their own know no more than what there is now.
            LoadState | LoadHeld if self.apart.is_some() => {}
            // The world has no contexts.
            LoadHandled => {}
            // Nor has it numbers in objects, slices, or text.
            NumberOp | CopySlice | TextEq | TextChar => {}
            LoadReg | ReloadReg => {
                let imm = self.register();
                self.known(op, &[], imm, Kind::Word);
            }
            BaseAddress => {
                let imm = self.register();
                self.known(op, &[], imm, Kind::Raw);
            }
            StoreReg => {
                let (value, imm) = (self.pick(Kind::Word), self.register());
                self.push(op, &[value], imm);
            }
            GuardShape => {
                let (word, shape) = (self.pick(Kind::Word), self.random_shape());
                self.known(op, &[word], shape, Kind::Object);
            }
            GuardFamily => {
                let word = self.pick(Kind::Word);
                let family = (0..1 + self.random.below(3)).map(|_| self.random_shape() as u32).collect();
                self.tree.families.push(family);
                self.known(op, &[word], self.tree.families.len() as u64 - 1, Kind::Object);
            }
            GuardFloat => {
                let word = self.pick(Kind::Word);
                self.known(op, &[word], 0, Kind::PlainFloat);
            }
            IntToFloat => {
                let int = self.pick(Kind::Int);
                self.known(op, &[int], 0, Kind::PlainFloat);
            }
            // Where the float is no immediate, an optimized tree goes on if nothing wants the word.
            BoxFloat => {
                let float = self.pick(Kind::PlainFloat);
                self.known(op, &[float], 0, Kind::Word);
            }
            GuardIs | GuardIsNot => {
                let (word, imm) = (self.pick(Kind::Word), self.world.word(self.random));
                // A guard that a word is there gives way to one that it is a number, which leaves in more cases.
                if imm != Word::UNBOUND.bits() {
                    self.push(op, &[word], imm);
                }
            }
            GuardRaw | GuardRawNot => {
                let word = self.pick(Kind::Raw);
                let imm = self.random.below(8) as u64;
                self.push(op, &[word], imm);
            }
            Untag => {
                let int = self.pick(Kind::Int);
                self.known(op, &[int], 0, Kind::Fitting);
            }
            Tag => {
                let raw = self.pick(Kind::Fitting);
                self.known(op, &[raw], 0, Kind::Int);
            }
            ToRaw => {
                let int = self.pick(Kind::Int);
                let raw = self.known(op, &[int], 0, Kind::Raw);
                self.known(FromRaw, &[raw], 0, Kind::Int);
            }
            CheckIndex => {
                let (object, index) = (self.pick(Kind::Object), self.pick(Kind::Int));
                let len = self.known(LoadRaw, &[object], Place::new(Class::List, 8).imm(), Kind::Raw);
                self.known(op, &[index, len], 0, Kind::Index);
            }
            LoadField | LoadHeld => {
                let (object, imm) = (self.pick(Kind::Object), field(self.random.below(FIELDS)));
                self.known(op, &[object], imm, Kind::Word);
            }
            StoreField => {
                let (object, value) = (self.pick(Kind::Object), self.pick(Kind::Word));
                let imm = field(self.random.below(FIELDS));
                self.push(op, &[object, value], imm);
            }
            LoadRaw | LoadState => {
                let object = self.pick(Kind::Object);
                self.known(op, &[object], Place::new(Class::Iterator, RAW).imm(), Kind::Raw);
            }
            StoreRaw => {
                let (object, raw) = (self.pick(Kind::Object), self.pick(Kind::Raw));
                self.push(op, &[object, raw], Place::new(Class::Iterator, RAW).imm());
            }
            LoadCell => {
                let address = self.world.address(CELLS_AT + self.random.below(CELLS));
                self.known(op, &[], address, Kind::Fitting);
            }
            LoadElem => {
                let (object, index) = (self.pick(Kind::Object), self.pick(Kind::Index));
                self.known(op, &[object, index], 0, Kind::Word);
            }
            StoreElem => {
                let (object, index) = (self.pick(Kind::Object), self.pick(Kind::Index));
                let value = self.pick(Kind::Word);
                self.push(op, &[object, index, value], 0);
            }
            Barrier => {
                let object = self.pick(Kind::Object);
                self.push(op, &[object], 0);
            }
            SetShape => {
                let (object, shape) = (self.pick(Kind::Object), self.random_shape());
                self.push(op, &[object], shape);
            }
            NewObject => {
                if std::mem::replace(&mut self.made_object, true) {
                    return;
                }
                let shape = self.random.one_of(&SHAPES);
                let kind = NewKind { shape, size: 8 * OBJECT as u16, kind: 0, bits: 0 };
                let object = self.push(op, &[], kind.imm());
                // No word of an object is nothing.
                for n in 0..FIELDS {
                    let value = self.pick(Kind::Word);
                    self.push(StoreField, &[object, value], field(n));
                }
                for n in 0..SLOTS {
                    let index = self.push(Const, &[], n as u64);
                    self.tree.insts[index.0 as usize].ty = Type::R;
                    let value = self.pick(Kind::Word);
                    self.push(StoreElem, &[object, index, value], 0);
                }
                self.scope.push((object, Kind::Object));
            }
            _ => {
                let args: Vec<Id> = op.info().operands.iter().map(|&ty| self.pick(Kind::of(ty))).collect();
                let id = self.push(op, &args, 0);
                if op.info().result != Type::No {
                    self.scope.push((id, Kind::of(op.info().result)));
                }
            }
        }
    }

    pub fn register(&mut self) -> u64 {
        (self.random.below(FRAME) as i64 - BEFORE as i64) as u64
    }

    pub fn begin(&mut self, scope: Scope, in_body: bool) {
        self.scope = scope;
        self.in_body = in_body;
        self.last_exit = None;
        self.made_object = false;
    }

    pub fn steps(&mut self, most: usize) {
        for _ in 0..self.random.below(most) + 1 {
            self.step();
        }
    }

    pub fn end(&mut self, op: TraceOp, phis: Vec<Id>) -> SeqId {
        let mut jump_args = Vec::new();
        if op == TraceOp::Jump {
            for kind in self.phis.clone() {
                jump_args.push(self.pick(kind));
            }
        }
        self.push(op, &[], 0);
        let insts = std::mem::take(&mut self.insts);
        let keys = (0..phis.len()).map(|n| Target::Reg(100 + n as i32)).collect();
        self.tree.add_seq(Seq { phis, keys, insts, jump_args })
    }

    pub fn tick(&mut self) {
        let imm = self.random.below(4) as u64 + 1;
        self.push(TraceOp::Tick, &[], imm);
    }

    pub fn tree(mut self) -> Tree {
        self.make()
    }

    /// A tree whose bridges may be set apart, with these.
    pub fn apart(mut self) -> (Tree, Vec<(ExitId, SeqId, usize)>) {
        self.apart = Some(Vec::new());
        (self.make(), self.apart.unwrap_or_default())
    }

    pub fn make(&mut self) -> Tree {
        let kinds = [Kind::Int, Kind::Int, Kind::Float, Kind::Word, Kind::Bool, Kind::Index, Kind::Object];
        self.phis = (0..self.random.below(6)).map(|_| self.random.one_of(&kinds)).collect();
        let has_body = self.random.chance(85);
        self.begin(Vec::new(), false);
        for _ in 0..3 {
            let imm = self.register();
            let word = self.known(TraceOp::LoadReg, &[], imm, Kind::Word);
            if self.random.chance(60) {
                let op = self.random.one_of(&[TraceOp::GuardInt, TraceOp::GuardFloat]);
                let kind = if op == TraceOp::GuardInt { Kind::Int } else { Kind::PlainFloat };
                self.known(op, &[word], 0, kind);
            }
        }
        self.steps(15);
        let entry = if has_body {
            self.end(TraceOp::Jump, Vec::new())
        } else if self.random.chance(50) {
            self.tick();
            self.end(TraceOp::Restart, Vec::new())
        } else {
            self.end(TraceOp::Leave, Vec::new())
        };
        self.tree.entry = Some(entry);
        if has_body {
            let scope = self.scope.clone();
            self.begin(scope, true);
            let mut phis = Vec::new();
            for kind in self.phis.clone() {
                let id = self.known(TraceOp::Phi, &[], 0, kind);
                self.tree.insts[id.0 as usize].ty = kind.ty();
                phis.push(id);
            }
            self.insts.clear();
            self.steps(40);
            self.tick();
            self.tree.body = Some(self.end(TraceOp::Jump, phis));
        }
        while let Some(branch) = self.branches.pop() {
            let first_exit = self.tree.exits.len();
            let mut scope = branch.scope;
            if self.apart.is_some() {
                let writes = &self.tree.exit(branch.exit).writes;
                let is_written = |id: Id| {
                    let is_it =
                        |w: &(Target, Source)| matches!(w.0, Target::Reg(_)) && w.1 == Source::Value(id);
                    writes.iter().any(is_it)
                };
                scope.retain(|(id, _)| is_written(*id));
            }
            self.begin(scope, branch.in_body);
            self.steps(12);
            self.tick();
            let end = if branch.in_body && self.apart.is_none() && self.random.chance(70) {
                TraceOp::Jump
            } else {
                self.random.one_of(&[TraceOp::Leave, TraceOp::Restart])
            };
            let seq = self.end(end, Vec::new());
            self.tree.exits[branch.exit.0 as usize].bridge = Some(seq);
            if let Some(apart) = &mut self.apart {
                apart.push((branch.exit, seq, first_exit));
            }
        }
        std::mem::take(&mut self.tree)
    }
}
