//! The recorder: follows the interpreter one instruction at a time and writes down what it does, as a trace.
//!
//! It looks at each instruction *before* the interpreter executes it, with the operands still in the registers. For
//! the common cases it knows what will happen and emits that, with guards for what it took for granted; everything
//! else becomes a `help`: a call of the very function that the interpreter's loop calls for it, on the frame in
//! memory. Where the machine is at the next instruction tells what came of it.
//!
//! Registers are named by their distance in words from the base of the root frame, the loop's. The frame of an inlined
//! call begins in its caller's window, so that its registers have such names too, and arguments are in place.

mod abort;
mod arith;
mod calls;
mod contexts;
mod displays;
mod families;
mod generators;
mod help;
mod iteration;
mod made;
mod memory;
mod natives;
mod ops;
mod slices;
mod slots;
mod specials;

pub use abort::Abort;
pub use families::{Families, unite};
pub use iteration::replace_iterator;
pub use made::{Made, makes_generator};

use crate::ir::{
    Call, Exit, ExitId, ExitKind, Id, Inst, RoundEnd, SeqId, Source, Target, TraceOp, Tree, Type,
};
use rustc_hash::{FxHashMap, FxHashSet};
use skein_bytecode::Op;
use skein_runtime::context::{Context, FRAME_WORDS};
use skein_runtime::interp::At;
use skein_runtime::object::Ref;
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::typeobj::Type as Class;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;
use slots::Slots;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Instructions that a trace may have; compiling takes longer than in proportion.
pub const MAX_INSTS: usize = 5000;
/// Frames inside of the loop's.
const MAX_FRAMES: usize = 12;
/// Frames of the same code that a trace goes into.
const MAX_RECURSION: usize = 3;

/// Instructions in calls that a recording passes over.
const MAX_PASSED_OVER: usize = 20_000;

/// How a recording ended.
pub enum End {
    /// At the loop's head again.
    Round(RoundEnd),
    /// The trace has its end already.
    Closed,
    Abort(Abort),
}

#[derive(Clone, Copy)]
struct Slot {
    id: Id,
    /// Memory does not have it yet.
    dirty: bool,
}

/// A frame that the trace is in.
#[derive(Clone, Copy)]
pub struct Frame {
    pub base: i32,
    pub code: Ref<CodeObject>,
    pub kind: FrameKind,
}

#[derive(Clone, Copy, PartialEq)]
pub enum FrameKind {
    /// The loop's.
    Root,
    /// In its caller's window.
    Window {
        return_pc: usize,
        /// Its head is in memory.
        in_memory: bool,
    },
    /// Pushed by the machine, as the recorder foresaw.
    Made(Made),
    /// Pushed by the machine, with a record; its head is in memory. The instruction that did is at this address.
    Machine { pushed_by: usize },
}

/// Where the interpreter must be at the next instruction.
enum Expect {
    /// Anywhere: the beginning.
    Anywhere,
    At(usize, i32),
    /// Behind a `help`, whose call this is.
    Help(u32, ExitId),
    /// Likewise, when the function that it calls has returned: nothing in between is recorded.
    Returned(u32, ExitId),
    /// Behind a loop's step over a native iterator, which gave this, or at the loop's end.
    Item(Id),
}

pub struct Recorder {
    pub tree: Tree,
    pub seq: SeqId,
    /// First and last instruction of the loop.
    range: (usize, usize),
    root: *mut Value,
    ctx: *const Context,
    slots: Slots,
    /// State of iterators that memory does not have yet, by object and offset.
    fields: FxHashMap<(Id, u32), Slot>,
    /// Objects that others always have at a place, by the other and the offset.
    parts: FxHashMap<(Id, u32), Id>,
    /// The items of lists that the trace is making, which nobody else has yet.
    rows: FxHashMap<Id, Vec<Id>>,
    /// Iterators that are known not to be the same, the smaller first.
    distinct: FxHashSet<(Id, Id)>,
    frames: Vec<Frame>,
    /// Frames of each exit's number.
    pub frame_sets: Vec<Rc<[Frame]>>,
    frame_set: Option<u32>,
    /// What is to be written of all frames but the innermost, while that stays the same.
    outer_writes: RefCell<Option<Vec<(Target, Source)>>>,
    /// Registers that a helper may have written since the head.
    clobbered: FxHashSet<i32>,
    clobbered_from: i32,
    /// State at the head is not what memory has now.
    moved_on: bool,
    at: At,
    exit_here: Option<ExitId>,
    expect: Expect,
    consts: FxHashMap<(u64, Type), Id>,
    shapes: FxHashMap<Id, u32>,
    /// Slices made by the trace, with their parts, which are ints and None.
    simple_slices: FxHashMap<Id, [Id; 3]>,
    taken: Option<slices::Taken>,
    /// Objects that the trace names.
    pub roots: Vec<Value>,
    /// Types that the trace relies on.
    pub types: Vec<Ref<Class>>,
    /// Words that all frames need from the root's base on.
    pub extent: i32,
    /// 1 until something changes that the trace relies on.
    pub valid: Rc<Cell<u32>>,
    is_bridge: bool,
    /// The root frame's function is recorded from its first instruction to its return.
    is_function: bool,
    /// The heads of functions whose traces are called, and not gone into.
    rich: Rc<RefCell<FxHashSet<usize>>>,
    /// Instructions whose natives raise exceptions often enough to be left to their helpers.
    raising: Rc<RefCell<FxHashSet<usize>>>,
    families: Rc<RefCell<Families>>,
    /// The instruction that was recorded as the call of a native without a frame.
    native_at: usize,
    /// The function that should have a trace of its own before this one can be.
    pub wanted: Option<Value>,
    /// The bridge goes on behind the loop's end.
    left_loop: bool,
    /// The trace of the back edge that comes next is not to be entered: the recording goes on in its loop.
    passes: Rc<Cell<bool>>,
    end: Option<End>,
    /// Rounds that inner loops have made, by their heads.
    rounds: FxHashMap<usize, u32>,
    /// Instructions that a round takes from the ticks.
    ticks: i64,
    pub bytecodes: usize,
    passed_over: usize,
}

pub type Step = Result<(), Abort>;

impl Recorder {
    /// A recording that begins at the head `at` of a loop, or at the first instruction of a function.
    pub fn new(
        vm: &Vm,
        at: At,
        range: (usize, usize),
        is_function: bool,
        valid: Rc<Cell<u32>>,
        passes: Rc<Cell<bool>>,
    ) -> Recorder {
        let mut tree = Tree::default();
        let lasting = [&vm.types.list, &vm.types.tuple, &vm.types.range_iterator, &vm.types.list_iterator];
        tree.lasting_shapes = lasting.iter().map(|t| t.root_shape_id()).collect();
        tree.lasting_shapes.push(vm.types.function.root_shape_id());
        let seq = tree.add_seq(Default::default());
        tree.entry = Some(seq);
        let code = skein_runtime::interp::frame_code(at.base);
        let root = Frame { base: 0, code, kind: FrameKind::Root };
        Recorder::with(vm, at, tree, seq, vec![root], at.base, range, is_function, valid, passes)
    }

    /// A recording of a bridge, which begins at the exit that was just taken to `at`.
    #[expect(clippy::too_many_arguments, reason = "what a bridge is told by")]
    pub fn bridge(
        vm: &Vm,
        at: At,
        root: *mut Value,
        mut tree: Tree,
        frame_sets: Vec<Rc<[Frame]>>,
        exit: ExitId,
        range: (usize, usize),
        is_function: bool,
        valid: Rc<Cell<u32>>,
        passes: Rc<Cell<bool>>,
    ) -> Recorder {
        let seq = tree.add_seq(Default::default());
        let info = tree.exit(exit).clone();
        let mut frames = frame_sets[info.frames as usize].to_vec();
        for frame in &mut frames {
            // What the exit writes is not in memory on this way.
            let unwritten = |off| info.writes.iter().any(|w| w.0 == Target::Reg(off));
            if let FrameKind::Window { in_memory, .. } | FrameKind::Made(Made { in_memory, .. }) =
                &mut frame.kind
            {
                *in_memory = !unwritten(frame.base - 1);
            }
        }
        let mut this = Recorder::with(vm, at, tree, seq, frames, root, range, is_function, valid, passes);
        this.frame_sets = frame_sets;
        this.is_bridge = true;
        this.moved_on = true;
        this.clobbered_from = i32::MIN;
        if info.kind == ExitKind::Elsewhere {
            // The helper's instruction is done; what came of it is seen at the next one.
            this.at = At { pc: info.pc as *const u32, base: this.address(info.base) };
            this.tree.calls.push(Call { callee: 0, pc: info.pc, base: info.base, next_pc: 0, next_base: 0 });
            let elsewhere = this.elsewhere();
            this.expect = Expect::Help(this.tree.calls.len() as u32 - 1, elsewhere);
        }
        let frames = this.frames.clone();
        // A frame's head is written anew from the frames.
        let in_head = |off: i32| frames.iter().any(|f| matches!(f.base - off, 1 | 2 | 3 | 5));
        for (target, source) in info.writes {
            let id = match (target, source) {
                (_, Source::Value(id)) => id,
                (Target::Reg(off), Source::Word(_)) if in_head(off) => continue,
                (_, Source::Word(word)) => this.word(word),
                (_, Source::Base(_)) => continue,
                (_, Source::Virtual(_)) => unreachable!("only optimized trees have them"),
            };
            match target {
                Target::Reg(off) => {
                    this.slots.insert(off, Slot { id, dirty: true });
                }
                Target::Field(object, off) => {
                    this.fields.insert((object, off), Slot { id, dirty: true });
                }
            }
        }
        // The registers may be loaded anew, and iterators known by other names then.
        this.flush_fields();
        this
    }

    #[expect(clippy::too_many_arguments, reason = "the two ways to begin are few")]
    fn with(
        vm: &Vm,
        at: At,
        tree: Tree,
        seq: SeqId,
        frames: Vec<Frame>,
        root: *mut Value,
        range: (usize, usize),
        is_function: bool,
        valid: Rc<Cell<u32>>,
        passes: Rc<Cell<bool>>,
    ) -> Recorder {
        let mut this = Recorder {
            tree,
            seq,
            range,
            root,
            ctx: vm.ctx.get(),
            slots: Slots::default(),
            fields: FxHashMap::default(),
            parts: FxHashMap::default(),
            rows: FxHashMap::default(),
            distinct: FxHashSet::default(),
            // The first is what there is at the head.
            frame_sets: vec![frames[..1].into()],
            frame_set: None,
            outer_writes: RefCell::default(),
            frames,
            clobbered: FxHashSet::default(),
            clobbered_from: i32::MAX,
            moved_on: false,
            at,
            exit_here: None,
            expect: Expect::Anywhere,
            consts: FxHashMap::default(),
            shapes: FxHashMap::default(),
            simple_slices: FxHashMap::default(),
            taken: None,
            roots: Vec::new(),
            types: Vec::new(),
            extent: 0,
            valid,
            is_bridge: false,
            is_function,
            rich: Rc::default(),
            raising: Rc::default(),
            families: Rc::default(),
            native_at: 0,
            wanted: None,
            left_loop: false,
            passes,
            end: None,
            rounds: FxHashMap::default(),
            ticks: 0,
            bytecodes: 0,
            passed_over: 0,
        };
        for i in 0..this.frames.len() {
            this.note_extent(this.frames[i]);
            this.roots.push(this.frames[i].code.value());
        }
        this
    }

    /// The traces of these functions are to be called.
    pub fn calling(mut self, rich: Rc<RefCell<FxHashSet<usize>>>) -> Recorder {
        self.rich = rich;
        self
    }

    /// Natives are known to raise exceptions at these instructions; more may be found.
    pub fn knowing(
        mut self,
        raising: Rc<RefCell<FxHashSet<usize>>>,
        families: Rc<RefCell<Families>>,
    ) -> Recorder {
        (self.raising, self.families) = (raising, families);
        self
    }

    /// Looks at the instruction that is about to be executed. False: the recording has ended. None: it has, and
    /// [`replace_iterator`] is to be done.
    pub fn before(&mut self, vm: &Vm, at: At) -> Option<bool> {
        self.bytecodes += 1;
        if let Err(abort) = self.step(vm, at) {
            self.end = Some(End::Abort(abort));
        }
        let replaces = matches!(self.end, Some(End::Abort(Abort::Replaced)));
        (!replaces).then(|| self.end.is_none())
    }

    /// How it ended.
    pub fn take_end(&mut self) -> End {
        self.end.take().unwrap_or(End::Abort(Abort::Exited))
    }

    /// Does the loop in the root frame that has these bounds go around this one?
    fn is_outer(&self, first: usize, last: usize) -> bool {
        self.frames.len() == 1 && first <= self.range.0 && self.range.1 <= last
    }

    fn step(&mut self, vm: &Vm, at: At) -> Step {
        if vm.ctx.get() != self.ctx {
            return Err(Abort::Switched);
        }
        if self.valid.get() == 0 {
            return Err(Abort::Void);
        }
        if self.tree.insts.len() > MAX_INSTS && self.tree.seq(self.seq).insts.len() > MAX_INSTS {
            return Err(Abort::Long);
        }
        match std::mem::replace(&mut self.expect, Expect::Anywhere) {
            Expect::Anywhere => {}
            Expect::At(pc, base) => {
                if at.pc as usize != pc || at.base != self.address(base) {
                    if self.native_at == self.at.pc as usize && self.handler_frame(at).is_some() {
                        self.raising.borrow_mut().insert(self.native_at);
                        return Err(Abort::RaisedThere);
                    }
                    return Err(Abort::Surprised);
                }
            }
            Expect::Item(item) => self.after_item(at, item)?,
            Expect::Help(call, elsewhere) => {
                self.after_help(at, call)?;
                self.begin(at);
                self.guard_next(call, elsewhere);
                return self.record(vm);
            }
            Expect::Returned(call, elsewhere) => {
                // SAFETY: an instruction's address.
                if let Some(Op::Exit | Op::ExitRaise) = Op::from_u8(unsafe { *at.pc.cast::<u8>() }) {
                    return Err(Abort::Exited);
                }
                if self.offset_of(at.base)? > self.base() {
                    self.passed_over += 1;
                    if self.passed_over > MAX_PASSED_OVER {
                        return Err(Abort::LongCall);
                    }
                    self.expect = Expect::Returned(call, elsewhere);
                    return Ok(());
                }
                self.after_help(at, call)?;
                self.begin(at);
                self.guard_next(call, elsewhere);
                return self.record(vm);
            }
        }
        self.begin(at);
        if self.frames.len() == 1 && at.base == self.root && !self.is_function {
            let pc = at.pc as usize;
            if pc == self.range.0 && self.bytecodes > 1 {
                // By way of an outer loop.
                self.close();
                return Ok(());
            }
            if pc < self.range.0 || pc > self.range.1 {
                if !self.is_bridge {
                    return Err(Abort::LeftLoop);
                }
                self.left_loop = true;
            }
        }
        self.record(vm)
    }

    fn begin(&mut self, at: At) {
        self.at = at;
        self.exit_here = None;
    }

    /// The trace has come to the loop's head again.
    fn close(&mut self) {
        if self.ticks > 0 {
            self.emit(TraceOp::Tick, &[], self.ticks as u64);
        }
        let at = self.at;
        self.at = At { pc: self.range.0 as *const u32, base: at.base };
        let writes = self.writes();
        let known = self.slots.iter().filter(|(_, s)| !s.dirty).map(|(off, s)| (off, s.id)).collect();
        self.at = at;
        self.end = Some(End::Round(RoundEnd { writes, known, pc: self.range.0, base: 0 }));
    }

    /// The trace leaves here for good, before the instruction.
    fn leave(&mut self) {
        if self.is_function && self.ticks > 0 {
            self.emit(TraceOp::Tick, &[], self.ticks as u64);
        }
        if self.is_function {
            let (writes, frames) = (self.writes(), self.frames_number());
            let (kind, pc, base) = (ExitKind::Return, self.at.pc as usize, self.base());
            let exit = self.tree.add_exit(Exit { kind, pc, base, writes, frames, bridge: None });
            self.exit_here = Some(exit);
        }
        self.emit(TraceOp::Leave, &[], 0);
        self.end = Some(End::Closed);
    }

    // ---- places

    fn address(&self, off: i32) -> *mut Value {
        self.root.wrapping_offset(off as isize)
    }

    fn offset_of(&self, base: *mut Value) -> Result<i32, Abort> {
        let bytes = (base as isize).wrapping_sub(self.root as isize);
        match i32::try_from(bytes / 8) {
            Ok(off) if bytes % 8 == 0 && off.abs() < 1 << 16 => Ok(off),
            _ => Err(Abort::FarFrame),
        }
    }

    fn frame(&self) -> Frame {
        self.frames[self.frames.len() - 1]
    }

    fn base(&self) -> i32 {
        self.frame().base
    }

    fn note_extent(&mut self, frame: Frame) {
        self.extent = self.extent.max(frame.base + i32::from(frame.code.portable().nregs));
    }

    fn push_frame(&mut self, frame: Frame) -> Step {
        if self.frames.len() >= MAX_FRAMES {
            return Err(Abort::Deep);
        }
        self.note_extent(frame);
        self.roots.push(frame.code.value());
        self.frames.push(frame);
        self.frames_changed();
        Ok(())
    }

    /// The machine goes on at this instruction, of the innermost frame.
    fn go(&mut self, pc: *const u32) {
        self.expect = Expect::At(pc as usize, self.base());
    }

    /// It goes on behind the instruction, which is so many units long.
    fn next(&mut self, units: usize) -> Step {
        self.go(self.at.skip(units).pc);
        Ok(())
    }

    // ---- registers

    /// The value of a register of the innermost frame.
    fn reg(&mut self, i: usize) -> Id {
        self.slot(self.base() + i as i32)
    }

    fn slot(&mut self, off: i32) -> Id {
        if let Some(slot) = self.slots.get(off) {
            return slot.id;
        }
        let stale = off >= self.clobbered_from || self.clobbered.contains(&off) || self.frames[0].base > off;
        let op = if stale { TraceOp::ReloadReg } else { TraceOp::LoadReg };
        let id = self.emit(op, &[], off as i64 as u64);
        self.slots.insert(off, Slot { id, dirty: false });
        id
    }

    fn set(&mut self, i: usize, id: Id) {
        self.slots.insert(self.base() + i as i32, Slot { id, dirty: true });
    }

    /// The values from this register on are nothing any more.
    fn forget_from(&mut self, off: i32) {
        self.slots.truncate(off);
        self.outer_changed(off);
    }

    /// A slot at or behind this register has changed: what outer frames have to be written may be another.
    fn outer_changed(&mut self, off: i32) {
        if self.frames.last().is_none_or(|frame| off < frame.base) {
            *self.outer_writes.get_mut() = None;
        }
    }

    /// The trace goes into a frame, comes out of one, or memory has what it had not.
    fn frames_changed(&mut self) {
        self.frame_set = None;
        *self.outer_writes.get_mut() = None;
    }

    /// Where a value stood, a better known form of it stands from now on.
    fn refine(&mut self, old: Id, new: Id) {
        let mut first = None;
        for (off, slot) in self.slots.iter_mut().filter(|(_, s)| s.id == old) {
            slot.id = new;
            first.get_or_insert(off);
        }
        if let Some(off) = first {
            self.outer_changed(off);
        }
    }

    // ---- emitting

    fn ty(&self, id: Id) -> Type {
        self.tree.inst(id).ty
    }

    fn push(&mut self, inst: Inst) -> Id {
        let id = self.tree.add(inst);
        self.tree.seqs[self.seq.0 as usize].insts.push(id);
        id
    }

    fn emit(&mut self, op: TraceOp, args: &[Id], imm: u64) -> Id {
        let exit = op.has_exit().then(|| self.exit());
        let mut row = [None; 3];
        for (to, &arg) in row.iter_mut().zip(args) {
            *to = Some(arg);
        }
        self.push(Inst { op, ty: op.info().result, args: row, imm, exit })
    }

    fn constant(&mut self, bits: u64, ty: Type) -> Id {
        if let Some(&id) = self.consts.get(&(bits, ty)) {
            return id;
        }
        let id = self.push(Inst { op: TraceOp::Const, ty, args: [None; 3], imm: bits, exit: None });
        self.consts.insert((bits, ty), id);
        id
    }

    /// A constant word.
    fn word(&mut self, bits: u64) -> Id {
        // SAFETY: words that come here are of live values, and kept alive as roots from now on.
        let v = unsafe { Value::from_bits(bits) };
        if v.is_ptr() {
            self.roots.push(v);
        }
        self.constant(bits, if v.is_int() { Type::I } else { Type::W })
    }

    fn value(&mut self, v: Value) -> Id {
        self.word(v.bits())
    }

    /// The value as a word.
    fn as_word(&mut self, id: Id) -> Id {
        match self.ty(id) {
            Type::B => self.emit(TraceOp::BoxBool, &[id], 0),
            Type::F => self.emit(TraceOp::BoxFloat, &[id], 0),
            _ => id,
        }
    }

    fn as_int(&mut self, id: Id) -> Id {
        if self.ty(id) == Type::I {
            return id;
        }
        let id = self.as_word(id);
        let new = self.emit(TraceOp::GuardInt, &[id], 0);
        self.refine(id, new);
        new
    }

    fn as_float(&mut self, id: Id) -> Id {
        match self.ty(id) {
            Type::F => id,
            Type::I => self.emit(TraceOp::IntToFloat, &[id], 0),
            _ => {
                if let Some(bits) = self.tree.constant(id) {
                    // SAFETY: a constant word of the trace.
                    let v = unsafe { Value::from_bits(bits) };
                    if v.is_float() {
                        return self.constant(v.as_immediate_float().to_bits(), Type::F);
                    }
                }
                let new = self.emit(TraceOp::GuardFloat, &[id], 0);
                self.refine(id, new);
                new
            }
        }
    }

    /// The value must be an object of this shape.
    fn guard_shape(&mut self, id: Id, shape: u32) -> Id {
        if self.shapes.get(&id) == Some(&shape) {
            return id;
        }
        let id = self.as_word(id);
        let new = self.emit(TraceOp::GuardShape, &[id], u64::from(shape));
        self.shapes.insert(new, shape);
        self.refine(id, new);
        new
    }

    /// The value must be this very one, which it is from now on.
    fn guard_is(&mut self, id: Id, v: Value) -> Id {
        if self.tree.constant(id).is_some() {
            return id;
        }
        let id = self.as_word(id);
        if v.is_ptr() {
            self.roots.push(v);
        }
        self.emit(TraceOp::GuardIs, &[id], v.bits());
        let new = self.value(v);
        self.refine(id, new);
        new
    }

    /// The value must not be this one.
    fn guard_is_not(&mut self, id: Id, bits: u64) {
        if self.ty(id) == Type::W && self.tree.constant(id).is_none() {
            self.emit(TraceOp::GuardIsNot, &[id], bits);
        }
    }

    // ---- exits

    /// The exit to the instruction that is recorded.
    fn exit(&mut self) -> ExitId {
        if let Some(exit) = self.exit_here {
            return exit;
        }
        let writes = self.writes();
        let frames = self.frames_number();
        let (pc, base) = (self.at.pc as usize, self.base());
        let exit =
            self.tree.add_exit(Exit { kind: ExitKind::Resume, pc, base, writes, frames, bridge: None });
        self.exit_here = Some(exit);
        exit
    }

    fn frames_number(&mut self) -> u32 {
        if let Some(n) = self.frame_set {
            return n;
        }
        self.frame_sets.push(self.frames.as_slice().into());
        let n = self.frame_sets.len() as u32 - 1;
        self.frame_set = Some(n);
        n
    }

    /// What is to be written so that memory has the state before the instruction at `self.at`.
    fn writes(&self) -> Vec<(Target, Source)> {
        let innermost = self.frames.len() - 1;
        let mut outer = self.outer_writes.borrow_mut();
        let outer = outer.get_or_insert_with(|| {
            let mut writes = Vec::new();
            (0..innermost).for_each(|i| self.frame_writes(i, &mut writes));
            writes
        });
        let mut writes = Vec::with_capacity(outer.len() + 16);
        writes.extend_from_slice(outer);
        self.frame_writes(innermost, &mut writes);
        for (&(object, off), slot) in self.fields.iter().filter(|(_, s)| s.dirty) {
            writes.push((Target::Field(object, off), Source::Value(slot.id)));
        }
        writes
    }

    /// Those of one frame.
    fn frame_writes(&self, i: usize, writes: &mut Vec<(Target, Source)>) {
        let frame = &self.frames[i];
        let inner = self.frames.get(i + 1);
        let end = frame.base + i32::from(frame.code.portable().nregs);
        let end = inner.map_or(end, |f| end.min(f.base - FRAME_WORDS as i32));
        let liveness = frame.code.liveness();
        // Outer frames are in a call.
        let (pc, in_call) = match inner.map(|f| f.kind) {
            None => (self.at.pc as usize, false),
            Some(FrameKind::Window { return_pc, .. }) => (return_pc - 4, true),
            Some(FrameKind::Made(made)) => (made.call_pc, true),
            Some(FrameKind::Machine { pushed_by }) => (pushed_by, true),
            Some(FrameKind::Root) => unreachable!("the root frame is the first"),
        };
        let live = liveness.at(frame.code.unit_of(pc as *const u32));
        for (off, slot) in self.slots.range(frame.base, end).filter(|(_, s)| s.dirty) {
            let reg = (off - frame.base) as usize;
            let held = if in_call { live.held(reg) } else { live.held_before(reg) };
            if held {
                writes.push((Target::Reg(off), Source::Value(slot.id)));
            }
        }
        if let FrameKind::Made(made) = frame.kind
            && !made.in_memory
        {
            self.made_writes(*frame, self.frames[i - 1].base, made, writes);
        }
        if let FrameKind::Window { return_pc, in_memory: false } = frame.kind {
            if let Some(slot) = self.slots.get(frame.base - 4).filter(|s| s.dirty) {
                writes.push((Target::Reg(frame.base - 4), Source::Value(slot.id)));
            }
            writes.push((Target::Reg(frame.base - 3), Source::Word(frame.code.value().bits())));
            writes.push((Target::Reg(frame.base - 2), Source::Word(return_pc as u64)));
            writes.push((Target::Reg(frame.base - 1), Source::Base(self.frames[i - 1].base)));
        }
    }
}
