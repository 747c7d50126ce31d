//! Random trees: their machine code does what the reference does, to the last word of memory.
//!
//! `SKEIN_TRACES` says how many trees, `SKEIN_SEED` from which seed on; a failure names the seed of its tree.

use skein_jit::ir::*;
use skein_jit::{BUFFER, CompileError, Compiled, Machine, Places, layout, opt, reference, verify};
use skein_runtime::value::Value as Word;
use skein_runtime::vm::Vm;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn int(&mut self) -> i64 {
        let small = self.below(20) as i64 - 7;
        match self.below(8) {
            0 => Word::MAX_INT - small.abs(),
            1 => Word::MIN_INT + small.abs(),
            2 => 1 << self.below(61),
            3 => self.next() as i64 >> 2 >> self.below(60),
            _ => small,
        }
    }

    /// One that is an immediate.
    fn float(&mut self) -> f64 {
        let (zero, other) = (std::hint::black_box(0.0), std::hint::black_box(0.0));
        match self.below(10) {
            0 => 0.0,
            1 => -0.0,
            // As the processor makes it.
            2 => zero / other,
            3 => f64::INFINITY,
            4 => 1e60 * self.int() as f64,
            _ => self.int() as f64 / 8.0,
        }
    }
}

// ---- memory

/// Words of an object: header, length, slots, a raw word, fields.
const OBJECT: usize = 14;
const SLOTS: usize = 6;
const RAW: usize = 16 + 8 * SLOTS;
const FIELDS: usize = 5;
const OBJECTS: usize = 6;
const SHAPES: [u32; 3] = [100, 101, 102];
/// Room for fresh objects.
const FRESH: usize = 200;
/// Registers in front of and behind the base.
const BEFORE: usize = 2;
const FRAME: usize = 12;

#[derive(Clone, Copy)]
#[repr(align(16))]
struct Line([u64; 2]);

/// All memory that a tree sees. It stays where it is, for words are addresses in it.
struct World {
    lines: Vec<Line>,
    buffer: Vec<u64>,
}

const VM: usize = (size_of::<Vm>() / 8 + 1).next_multiple_of(2);
const FRAME_AT: usize = VM;
const OBJECTS_AT: usize = FRAME_AT + FRAME;
const FRESH_AT: usize = OBJECTS_AT + OBJECT * OBJECTS;
/// What no tree writes.
const CELLS_AT: usize = FRESH_AT + OBJECT * FRESH;
const CELLS: usize = 4;
const WORDS: usize = CELLS_AT + CELLS;

impl World {
    fn new() -> World {
        World { lines: vec![Line([0; 2]); WORDS / 2], buffer: vec![0; BUFFER] }
    }

    fn address(&self, word: usize) -> u64 {
        self.lines.as_ptr() as u64 + 8 * word as u64
    }

    fn set(&mut self, word: usize, value: u64) {
        self.lines[word / 2].0[word % 2] = value;
    }

    fn object(&self, n: usize) -> u64 {
        self.address(OBJECTS_AT + OBJECT * n)
    }

    fn word(&self, random: &mut Random) -> u64 {
        match random.below(10) {
            0..4 => Word::small_int(random.int()).bits(),
            4..6 => Word::try_float(random.float()).map_or(Word::NONE.bits(), Word::bits),
            6 => random.one_of(&Word::SPECIALS).bits(),
            _ => self.object(random.below(OBJECTS)),
        }
    }

    fn fill(&mut self, random: &mut Random) {
        self.lines.fill(Line([0; 2]));
        self.set(layout::VM_TICKS as usize / 8, random.below(20) as u64);
        let fresh = self.address(FRESH_AT);
        self.set(layout::VM_HEAP_CURSOR as usize / 8, fresh);
        self.set(layout::VM_HEAP_LIMIT as usize / 8, fresh + 8 * (OBJECT * FRESH) as u64);
        for word in FRAME_AT..FRAME_AT + FRAME {
            let value = self.word(random);
            self.set(word, value);
        }
        for object in 0..OBJECTS {
            let at = OBJECTS_AT + OBJECT * object;
            self.set(at, layout::header_word(random.one_of(&SHAPES), 0, 0));
            self.set(at + 1, random.below(SLOTS + 1) as u64);
            for slot in 2..2 + SLOTS {
                let value = self.word(random);
                self.set(at + slot, value);
            }
            self.set(at + RAW / 8, random.next() >> random.below(64));
            for field in 0..FIELDS {
                let value = self.word(random);
                self.set(at + RAW / 8 + 1 + field, value);
            }
        }
        for cell in CELLS_AT..WORDS {
            self.set(cell, random.next());
        }
    }

    /// What the run has come to, and the memory behind it.
    fn run(
        &mut self,
        tree: &Tree,
        places: Option<&Places>,
        f: impl FnOnce(*const Vm, *mut Word, *mut u64) -> u64,
    ) -> Vec<u64> {
        self.buffer.fill(0);
        let start = self.lines.as_mut_ptr().cast::<u64>();
        let exit = f(start.cast(), start.wrapping_add(FRAME_AT + BEFORE).cast(), self.buffer.as_mut_ptr());
        let mut all = vec![exit];
        let live = tree.exits[exit as usize].live(tree).len();
        // The reference has them in their order.
        match places {
            Some(places) => {
                let shown = places.shown(ExitId(exit as u32));
                all.extend(shown.iter().map(|(_, place)| self.buffer[*place as usize]));
            }
            None => all.extend(&self.buffer[..live]),
        }
        all.extend(self.lines.iter().flat_map(|line| line.0));
        all
    }

    /// What the run has come to as the interpreter sees it, with the exit's writes done: the exit, and all words that
    /// can be reached from registers and objects, in which fresh objects are named in the order in which they are met.
    fn outcome(&mut self, tree: &Tree, f: impl FnOnce(*const Vm, *mut Word, *mut u64) -> u64) -> Vec<u64> {
        let ran = self.run(tree, None, f);
        let exit = &tree.exits[ran[0] as usize];
        let live = exit.live(tree);
        let word_of = |id: Id| match (tree.constant(id), tree.inst(id).ty) {
            (Some(bits), Type::B) => Word::bool(bits != 0).bits(),
            (bits, ty) => {
                let shown = bits.unwrap_or_else(|| ran[1 + live.iter().position(|l| *l == id).unwrap()]);
                let float = f64::from_bits(shown);
                if ty == Type::F { Word::try_float(float).map_or(shown, Word::bits) } else { shown }
            }
        };
        let base = self.address(FRAME_AT + BEFORE);
        // Objects are made where fresh ones are.
        let cursor = layout::VM_HEAP_CURSOR as usize / 8;
        let mut fresh = self.lines[cursor / 2].0[cursor % 2];
        let mut made = Vec::new();
        for number in exit.virtuals(tree) {
            made.push((number, fresh));
            fresh += 8 * OBJECT as u64;
        }
        let word_of_source = |source: Source| match source {
            Source::Value(id) => word_of(id),
            Source::Base(words) => base.wrapping_add_signed(8 * i64::from(words)),
            Source::Word(word) => word,
            Source::Virtual(number) => made.iter().find(|(n, _)| *n == number).unwrap().1,
        };
        for &(number, address) in &made {
            let object = &tree.virtuals[number as usize];
            let at = (address - self.address(0)) as usize / 8;
            self.set(at, layout::header_word(object.kind.shape, object.kind.kind, object.kind.bits.into()));
            for &(offset, source) in &object.fields {
                self.set(at + offset as usize / 8, word_of_source(source));
            }
        }
        for (target, source) in &exit.writes {
            let word = word_of_source(*source);
            let to = match *target {
                Target::Reg(reg) => base.wrapping_add_signed(8 * i64::from(reg)),
                Target::Field(object, offset) => word_of(object) + u64::from(offset),
            };
            self.set((to - self.address(0)) as usize / 8, word);
        }
        let word = |n: usize| self.lines[n / 2].0[n % 2];
        let mut all = vec![ran[0], word(layout::VM_TICKS as usize / 8)];
        let mut fresh = Vec::new();
        let (from, to) = (self.address(FRESH_AT), self.address(CELLS_AT));
        let mut note = |value: u64, all: &mut Vec<u64>| {
            if !(from..to).contains(&value) || value & 7 != 0 {
                all.push(value);
                return None;
            }
            let number = fresh.iter().position(|f| *f == value);
            all.push(0xf0000 + number.unwrap_or(fresh.len()) as u64);
            if number.is_none() {
                fresh.push(value);
            }
            number.is_none().then_some(value)
        };
        let mut found: Vec<u64> = (FRAME_AT..FRESH_AT).filter_map(|n| note(word(n), &mut all)).collect();
        while let Some(object) = found.pop() {
            let at = (object - self.address(0)) as usize / 8;
            found.extend((at..at + OBJECT).filter_map(|n| note(word(n), &mut all)));
        }
        all
    }
}

// ---- trees

/// What is known of a value beyond its type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
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
    fn ty(self) -> Type {
        match self {
            Kind::Word | Kind::Object => Type::W,
            Kind::Int => Type::I,
            Kind::Float | Kind::PlainFloat => Type::F,
            Kind::Bool => Type::B,
            Kind::Raw | Kind::Fitting | Kind::Index => Type::R,
        }
    }

    /// Is it good where the other is wanted?
    fn serves(self, wanted: Kind) -> bool {
        use Kind::*;
        self == wanted
            || matches!(
                (self, wanted),
                (Int | Object, Word) | (PlainFloat, Float) | (Fitting | Index, Raw) | (Index, Fitting)
            )
    }

    fn of(ty: Type) -> Kind {
        match ty {
            Type::I => Kind::Int,
            Type::F => Kind::Float,
            Type::B => Kind::Bool,
            Type::R => Kind::Raw,
            _ => Kind::Word,
        }
    }
}

type Scope = Vec<(Id, Kind)>;

/// An exit that is to get a bridge.
struct Branch {
    exit: ExitId,
    scope: Scope,
    in_body: bool,
}

struct Maker<'a> {
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
}

impl<'a> Maker<'a> {
    fn new(random: &'a mut Random, world: &'a World) -> Maker<'a> {
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
        }
    }

    fn push(&mut self, op: TraceOp, args: &[Id], imm: u64) -> Id {
        let exit = op.has_exit().then(|| self.exit());
        let mut all = [None; 3];
        for (to, &from) in all.iter_mut().zip(args) {
            *to = Some(from);
        }
        let id = self.tree.add(Inst { op, ty: op.info().result, args: all, imm, exit });
        self.insts.push(id);
        id
    }

    fn known(&mut self, op: TraceOp, args: &[Id], imm: u64, kind: Kind) -> Id {
        let id = self.push(op, args, imm);
        self.scope.push((id, kind));
        id
    }

    fn constant(&mut self, kind: Kind) -> Id {
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

    fn random_shape(&mut self) -> u64 {
        self.random.one_of(&SHAPES).into()
    }

    fn pick(&mut self, kind: Kind) -> Id {
        let fitting: Vec<Id> = self.scope.iter().filter(|(_, k)| k.serves(kind)).map(|&(id, _)| id).collect();
        if fitting.is_empty() || self.random.chance(15) {
            return self.constant(kind);
        }
        // Rather late ones.
        let last = fitting.len() - 1;
        fitting[last - self.random.below(fitting.len()).min(self.random.below(fitting.len()))]
    }

    fn exit(&mut self) -> ExitId {
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
            let objects: Vec<Id> =
                self.scope.iter().filter(|(_, k)| *k == Kind::Object).map(|&(id, _)| id).collect();
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

    fn step(&mut self) {
        use TraceOp::*;
        let op = self.random.one_of(TraceOp::ALL);
        let field = |n: usize| Place::new(Class::Slot, RAW + 8 + 8 * n).imm();
        match op {
            Const | Phi | Help | GuardNext | Publish | NativeNext | Native1 | Native2 | Native3 | Tick
            | Jump | Restart | Leave | FromRaw => {}
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

    fn register(&mut self) -> u64 {
        (self.random.below(FRAME) as i64 - BEFORE as i64) as u64
    }

    fn begin(&mut self, scope: Scope, in_body: bool) {
        self.scope = scope;
        self.in_body = in_body;
        self.last_exit = None;
        self.made_object = false;
    }

    fn steps(&mut self, most: usize) {
        for _ in 0..self.random.below(most) + 1 {
            self.step();
        }
    }

    fn end(&mut self, op: TraceOp, phis: Vec<Id>) -> SeqId {
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

    fn tick(&mut self) {
        let imm = self.random.below(4) as u64 + 1;
        self.push(TraceOp::Tick, &[], imm);
    }

    fn tree(mut self) -> Tree {
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
            self.begin(branch.scope, branch.in_body);
            self.steps(12);
            self.tick();
            let end = if branch.in_body && self.random.chance(70) {
                TraceOp::Jump
            } else {
                self.random.one_of(&[TraceOp::Leave, TraceOp::Restart])
            };
            let seq = self.end(end, Vec::new());
            self.tree.exits[branch.exit.0 as usize].bridge = Some(seq);
        }
        self.tree
    }
}

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn machine_code_does_what_the_reference_does() {
    compiled_trees(|machine, tree| machine.compile(tree));
}

#[test]
fn quick_code_does_what_the_reference_does() {
    compiled_trees(|machine, tree| machine.compile_quickly(tree));
}

#[test]
fn quick_code_of_an_optimized_tree_does_too() {
    compiled_trees(|machine, tree| {
        let mut optimized = tree.clone();
        opt::optimize(&mut optimized);
        *tree = optimized;
        machine.compile_quickly(tree)
    });
}

/// Compares what machine code of random trees does with what the reference does.
fn compiled_trees(compile: impl Fn(&mut Machine, &mut Tree) -> Result<Compiled, CompileError>) {
    let (count, first) = (variable("SKEIN_TRACES", 3000), variable("SKEIN_SEED", 1));
    let mut machine = Machine::new().expect("a code generator for this machine");
    let mut world = World::new();
    let mut rounds = 0;
    for seed in first..first + count {
        let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let mut tree = Maker::new(&mut random, &world).tree();
        let compiled = match compile(&mut machine, &mut tree) {
            Ok(compiled) => compiled,
            Err(e) => panic!("seed {seed}: {e}\n{tree}"),
        };
        for run in 0..4 {
            world.fill(&mut random);
            let before = world.lines.clone();
            // SAFETY: the maker lets trees touch the world's memory only.
            let wanted =
                world.run(&tree, None, |vm, base, buffer| unsafe { reference::run(&tree, vm, base, buffer) });
            world.lines.copy_from_slice(&before);
            // SAFETY: as above.
            let got = world.run(&tree, Some(&compiled.places), |vm, base, buffer| unsafe {
                (compiled.entry)(vm, base, buffer)
            });
            rounds += before[layout::VM_TICKS as usize / 16].0[layout::VM_TICKS as usize / 8 % 2]
                - world.lines[layout::VM_TICKS as usize / 16].0[layout::VM_TICKS as usize / 8 % 2];
            if got != wanted {
                let differ = got.iter().zip(&wanted).enumerate().filter(|(_, (g, w))| g != w);
                let differ: Vec<_> = differ.map(|(i, (g, w))| format!("{i}: {g:#x}, not {w:#x}")).collect();
                panic!("seed {seed}, run {run}: {differ:#?}\n{tree}");
            }
        }
    }
    println!("{count} traces, {rounds} ticks");
    assert!(rounds > count, "the traces hardly run");
}

#[test]
fn an_optimized_tree_does_what_it_did() {
    let (count, first) = (variable("SKEIN_TRACES", 3000), variable("SKEIN_SEED", 1));
    let mut world = World::new();
    let mut gone = 0;
    for seed in first..first + count {
        let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let tree = Maker::new(&mut random, &world).tree();
        if let Err(e) = verify::verify(&tree) {
            panic!("seed {seed}: {e}\n{tree}");
        }
        let mut optimized = tree.clone();
        opt::optimize(&mut optimized);
        if let Err(e) = verify::verify(&optimized) {
            panic!("seed {seed}: {e}\n{tree}\n{optimized}");
        }
        let size = |tree: &Tree| tree.seqs.iter().map(|seq| seq.insts.len()).sum::<usize>();
        gone += size(&tree).saturating_sub(size(&optimized));
        for run in 0..4 {
            world.fill(&mut random);
            let before = world.lines.clone();
            // SAFETY: the maker lets trees touch the world's memory only.
            let wanted =
                world.outcome(&tree, |vm, base, buffer| unsafe { reference::run(&tree, vm, base, buffer) });
            world.lines.copy_from_slice(&before);
            // SAFETY: as above.
            let got = world.outcome(&optimized, |vm, base, buffer| unsafe {
                reference::run(&optimized, vm, base, buffer)
            });
            if got != wanted {
                let differ = got.iter().zip(&wanted).enumerate().filter(|(_, (g, w))| g != w);
                let differ: Vec<_> = differ.map(|(i, (g, w))| format!("{i}: {g:#x}, not {w:#x}")).collect();
                panic!("seed {seed}, run {run}: {differ:#?}\n{tree}\n{optimized}");
            }
        }
    }
    assert!(gone as u64 > count, "hardly anything is made better");
}
