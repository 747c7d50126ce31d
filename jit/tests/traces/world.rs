//! Random numbers, and the memory that random trees work on.

use skein_jit::ir::*;
use skein_jit::{BUFFER, Places, layout};
use skein_runtime::value::Value as Word;
use skein_runtime::vm::Vm;

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    pub fn int(&mut self) -> i64 {
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
    pub fn float(&mut self) -> f64 {
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

/// Words of an object: header, length, slots, a raw word, fields.
pub const OBJECT: usize = 14;
pub const SLOTS: usize = 6;
pub const RAW: usize = 16 + 8 * SLOTS;
pub const FIELDS: usize = 5;
pub const OBJECTS: usize = 6;
pub const SHAPES: [u32; 3] = [100, 101, 102];
/// Room for fresh objects.
pub const FRESH: usize = 200;
/// Registers in front of and behind the base.
pub const BEFORE: usize = 2;
pub const FRAME: usize = 12;

#[derive(Clone, Copy)]
#[repr(align(16))]
pub struct Line(pub [u64; 2]);

/// All memory that a tree sees. It stays where it is, for words are addresses in it.
pub struct World {
    pub lines: Vec<Line>,
    pub buffer: Vec<u64>,
}

pub const VM: usize = (size_of::<Vm>() / 8 + 1).next_multiple_of(2);
pub const FRAME_AT: usize = VM;
pub const OBJECTS_AT: usize = FRAME_AT + FRAME;
pub const FRESH_AT: usize = OBJECTS_AT + OBJECT * OBJECTS;
/// What no tree writes.
pub const CELLS_AT: usize = FRESH_AT + OBJECT * FRESH;
pub const CELLS: usize = 4;
pub const WORDS: usize = CELLS_AT + CELLS;

impl World {
    pub fn new() -> World {
        World { lines: vec![Line([0; 2]); WORDS / 2], buffer: vec![0; BUFFER] }
    }

    pub fn address(&self, word: usize) -> u64 {
        self.lines.as_ptr() as u64 + 8 * word as u64
    }

    pub fn set(&mut self, word: usize, value: u64) {
        self.lines[word / 2].0[word % 2] = value;
    }

    pub fn object(&self, n: usize) -> u64 {
        self.address(OBJECTS_AT + OBJECT * n)
    }

    pub fn word(&self, random: &mut Random) -> u64 {
        match random.below(10) {
            0..4 => Word::small_int(random.int()).bits(),
            4..6 => Word::try_float(random.float()).map_or(Word::NONE.bits(), Word::bits),
            6 => random.one_of(&Word::SPECIALS).bits(),
            _ => self.object(random.below(OBJECTS)),
        }
    }

    pub fn fill(&mut self, random: &mut Random) {
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
    pub fn run(
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
    pub fn outcome(
        &mut self,
        tree: &Tree,
        f: impl FnOnce(*const Vm, *mut Word, *mut u64) -> u64,
    ) -> Vec<u64> {
        let ran = self.run(tree, None, f);
        let exit = ExitId(ran[0] as u32);
        let live = tree.exit(exit).live(tree);
        let shown = |id: Id| ran[1 + live.iter().position(|l| *l == id).unwrap()];
        self.settle(tree, exit, ran[0], &shown)
    }

    /// Does what the exit writes, and gives what there is then. `number`: of the exit, for others.
    pub fn settle(&mut self, tree: &Tree, exit: ExitId, number: u64, shown: &dyn Fn(Id) -> u64) -> Vec<u64> {
        let exit = tree.exit(exit);
        let word_of = |id: Id| match (tree.constant(id), tree.inst(id).ty) {
            (Some(bits), Type::B) => Word::bool(bits != 0).bits(),
            (bits, ty) => {
                let shown = bits.unwrap_or_else(|| shown(id));
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
        let mut all = vec![number, word(layout::VM_TICKS as usize / 8)];
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
