//! The tier: which loops are busy, their traces, entering and leaving them.

mod bridges;
mod compiling;
mod edges;
mod functions;
mod options;
mod report;
mod stats;
mod trace;

use compiling::{Compiler, Finished, Way};
use edges::{enter_from, range_of};
use functions::set_trace;
pub use options::{Options, Ways};
pub use report::{ExitReport, IrLine, Place, TraceReport};
use stats::place;
use trace::{Body, Code, Fate, LoopFate, NEVER, Trace};

use crate::ir::ExitId;
use crate::machine::BUFFER;
use crate::opt;
use crate::recorder::{Abort, End, Families, Recorder, replace_iterator};
use rustc_hash::{FxHashMap, FxHashSet};
use skein_bytecode::{Op, pack};
use skein_runtime::interp::{At, MAX_TRACES, WANTED, frame_code, publish, record};
use skein_runtime::object::{Ref, Tracer};
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::Value;
use skein_runtime::vm::{Tier, Vm};
use std::cell::{Cell, RefCell};
use std::mem::MaybeUninit;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Time that recording and compiling may take in any case, and beyond it as a part of the time since the beginning: where
/// code is made well beside the program, and where the program waits for it.
const BESIDE: (Duration, u32) = (Duration::from_millis(30), 3);
const WITHIN: (Duration, u32) = (Duration::from_millis(15), 6);
/// What an instruction that waits for being compiled will take, about.
const EACH: Duration = Duration::from_micros(8);
/// What is made well takes no more than this part of the time.
const WELL: u32 = 20;
/// A trace is busy when it has been entered so often for each instruction of its tree; a look is worth so many entries.
const HEAT: u64 = 1024;
const LOOK: u64 = 16;
/// See [`Jit::glance`].
const GLANCE: u64 = 1023;
const FORCED_GLANCE: u64 = 15;
/// Recordings of one loop, or of one exit, that may fail.
const MAX_ABORTS: u32 = 5;
/// Recordings of one loop whose next round has values of other types, before one is taken as it is.
const MAX_RESTARTS: u32 = 3;
/// Recordings of one loop that give way to inner ones.
const MAX_WAITS: u32 = 12;
/// Looks that find a loop before it is recorded while a module of the packaged library is imported: what these do once does
/// not repay it.
const IMPORT_LOOKS: u32 = 24;
/// Bytes of the native stack that compiling takes at most.
const ROOM: usize = 64 << 10;

/// Counts of what the compiler has done.
#[derive(Default, Debug)]
pub struct Counts {
    pub recorded: Cell<u32>,
    pub aborted: Cell<u32>,
    pub compiled: Cell<u32>,
    pub bridges: Cell<u32>,
    /// Bridges that were compiled on their own.
    pub joined: Cell<u32>,
    pub invalidated: Cell<u32>,
    pub bytes: Cell<usize>,
}

/// The compiler of busy loops.
pub struct Jit {
    options: RefCell<Options>,
    compiler: Compiler,
    loops: RefCell<FxHashMap<usize, LoopFate>>,
    traces: RefCell<Vec<Option<Rc<Trace>>>>,
    recorder: RefCell<Option<Recorder>>,
    /// The heads of functions whose traces others call.
    rich: Rc<RefCell<FxHashSet<usize>>>,
    /// Instructions whose natives raise exceptions often.
    raising: Rc<RefCell<FxHashSet<usize>>>,
    families: Rc<RefCell<Families>>,
    /// The next back edge with a trace is not to enter it: the recorder follows the loop.
    passes: Rc<Cell<bool>>,
    begun: Instant,
    /// Time that recording and compiling have taken.
    spent: Cell<Duration>,
    /// Of it, that of code that is made well.
    spent_well: Cell<Duration>,
    /// A trace is looked at when the number of its entries has these bits as zeros.
    glance: Cell<u64>,
    /// From which the next quantum comes.
    variation: Cell<u64>,
    pub counts: Counts,
    /// Recordings that were given up, by reason.
    reasons: RefCell<FxHashMap<String, u32>>,
}

impl Default for Jit {
    fn default() -> Jit {
        Jit {
            options: RefCell::default(),
            compiler: Compiler::default(),
            loops: RefCell::default(),
            traces: RefCell::default(),
            recorder: RefCell::default(),
            rich: Rc::default(),
            raising: Rc::default(),
            families: Rc::default(),
            passes: Rc::default(),
            begun: Instant::now(),
            spent: Cell::default(),
            spent_well: Cell::default(),
            glance: Cell::new(GLANCE),
            variation: Cell::default(),
            counts: Counts::default(),
            reasons: RefCell::default(),
        }
    }
}

fn bump(cell: &Cell<u32>) {
    cell.set(cell.get() + 1);
}

impl Jit {
    /// Sets the compiler up for an isolate. To be called before it runs anything.
    pub fn configure(&self, vm: &Vm, options: Options) {
        vm.state::<crate::module::Handle>().set(self);
        self.compiler.serve(vm);
        if options.on {
            vm.quantum.set(options.quantum);
            vm.ticks.set(options.quantum);
        }
        if options.looks == 1 {
            self.glance.set(FORCED_GLANCE);
        }
        *self.options.borrow_mut() = options;
    }

    fn log(&self, text: impl FnOnce() -> String) {
        if self.options.borrow().log {
            eprintln!("jit: {}", text());
        }
    }

    /// For messages, if there are any.
    fn name(&self, at: At) -> String {
        let options = self.options.borrow();
        if options.log || !options.dump.is_empty() { place(at) } else { String::new() }
    }

    /// Time that recording and compiling have taken.
    pub fn time_spent(&self) -> Duration {
        self.spent.get()
    }

    /// Is there time for compiling, of which the program gives no more than a share, and room on the native stack?
    fn may_compile(&self, vm: &Vm) -> bool {
        let (always, share) = if self.compiler.has_processor() { BESIDE } else { WITHIN };
        let allowed = always + self.begun.elapsed() / share;
        let spent = self.spent.get() + EACH * self.compiler.queued() as u32;
        (spent < allowed || self.is_forced()) && vm.native_stack_has(ROOM)
    }

    /// Is all that runs twice compiled, and at once?
    fn is_forced(&self) -> bool {
        self.options.borrow().looks == 1
    }

    /// The next look comes a little sooner or later: else two loops that take turns, as a generator's and its
    /// consumer's do, would be looked at in step, and one of them never.
    fn vary_quantum(&self, vm: &Vm) {
        let quantum = self.options.borrow().quantum;
        // Any sequence will do: this is Knuth's.
        let next = self.variation.get().wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.variation.set(next);
        let part = (next >> 33) as i64 % (quantum / 2);
        vm.quantum.set(quantum - quantum / 4 + part);
    }

    fn is_recording(&self) -> bool {
        self.recorder.borrow().is_some()
    }

    /// Runs from `at` with a recorder: where the interpreter goes on, and the recorder.
    fn run_recorder(&self, vm: &Vm, recorder: Recorder, at: At) -> (At, Recorder) {
        *self.recorder.borrow_mut() = Some(recorder);
        bump(&self.counts.recorded);
        let begun = Instant::now();
        let at = record(vm, at);
        self.spent.set(self.spent.get() + begun.elapsed());
        match self.recorder.borrow_mut().take() {
            Some(recorder) => (at, recorder),
            None => unreachable!("only this function takes it"),
        }
    }

    fn record_loop(&self, vm: &Vm, from: At, at: At) -> At {
        let head = at.pc as usize;
        let valid = Rc::new(Cell::new(1));
        let range = range_of(at);
        // The frame may be gone when the recording is.
        let (name, code) = (self.name(at), frame_code(at.base));
        let recorder = Recorder::new(vm, at, range, false, valid.clone(), self.passes.clone());
        let recorder = self.with_calls(recorder, head);
        let (next, mut recorder) = self.run_recorder(vm, recorder, at);
        if let Some(code) = recorder.wanted {
            self.want_function(code);
        }
        let mut watched = false;
        let made = match recorder.take_end() {
            End::Round(end) => {
                let closed = opt::close_loop(&mut recorder.tree, &end);
                let again = {
                    let mut loops = self.loops.borrow_mut();
                    let fate = loops.entry(head).or_default();
                    fate.restarts += u32::from(closed == opt::Closed::Restart);
                    closed == opt::Closed::Restart && fate.restarts < MAX_RESTARTS
                };
                if again {
                    // Its values have other types in the next round: that gives a better trace.
                    return next;
                }
                self.publish_trace(from.pc, head, range, code, name.clone(), recorder, valid)
            }
            End::Closed => Err("does not come round".to_string()),
            End::Abort(Abort::InnerLoop) => {
                bump(&self.counts.aborted);
                self.log(|| format!("loop at {} waits for the one at {}", name, place(next)));
                self.wait_for_inner(head, next);
                return self.record_inner(vm, next);
            }
            End::Abort(abort) => {
                watched = abort == Abort::Watched;
                let tried = self.loops.borrow().get(&head).map_or(0, |fate| fate.aborts);
                if abort == Abort::LeftLoop && (tried + 2 >= MAX_ABORTS || self.is_forced()) {
                    // It seldom comes round, but often enough to be found again.
                    self.want_function(code.value());
                }
                Err(abort.text().to_string())
            }
        };
        if let Err(reason) = made.map(|_| ()) {
            bump(&self.counts.aborted);
            let mut loops = self.loops.borrow_mut();
            let fate = loops.entry(head).or_default();
            // Nobody may want events any more when it is looked at again.
            fate.aborts += u32::from(!watched);
            fate.looks = 0;
            self.note_given_up(&reason);
            self.log(|| format!("loop at {name} given up at {}: {reason}", place(next)));
        }
        next
    }

    /// The trace of the loop whose back edge the interpreter is at, if it is being compiled.
    fn pending_inner(&self, from: At) -> Option<usize> {
        let head = from.jump(from.extra() as i32).pc as usize;
        let trace = self.loops.borrow().get(&head).and_then(|fate| fate.trace);
        trace.filter(|n| self.is_pending(*n))
    }

    fn is_pending(&self, trace: usize) -> bool {
        self.traces.borrow().get(trace).is_some_and(|t| t.as_ref().is_some_and(|t| t.pending.get()))
    }

    /// A recording of the loop or function with this head has met the back edge of an inner loop that has no code.
    fn wait_for_inner(&self, head: usize, from: At) {
        let pending = self.pending_inner(from);
        let mut loops = self.loops.borrow_mut();
        let fate = loops.entry(head).or_default();
        fate.behind = pending;
        fate.waits += u32::from(pending.is_none());
    }

    /// Is there a reason not to record the loop or function with this fate now?
    fn is_put_off(&self, fate: &LoopFate) -> bool {
        fate.is_given_up() || fate.behind.is_some_and(|n| self.is_pending(n))
    }

    /// The interpreter is at the back edge of a loop that stands in the way of an outer one: its turn comes first.
    fn record_inner(&self, vm: &Vm, from: At) -> At {
        let head = from.jump(from.extra() as i32);
        let fate = self.loops.borrow().get(&(head.pc as usize)).copied().unwrap_or_default();
        if fate.aborts >= MAX_ABORTS || fate.trace.is_some() {
            return from;
        }
        self.record_loop(vm, from, head)
    }

    #[expect(clippy::too_many_arguments, reason = "what a trace is told by")]
    fn publish_trace(
        &self,
        from: *const u32,
        head: usize,
        range: (usize, usize),
        code: Ref<CodeObject>,
        name: String,
        recorder: Recorder,
        valid: Rc<Cell<u32>>,
    ) -> Result<Rc<Trace>, String> {
        let number = self.traces.borrow().len();
        if number >= MAX_TRACES {
            return Err("too many traces".to_string());
        }
        let fates = vec![self.fate(); recorder.tree.exits.len()];
        let body = Body {
            closed: recorder.tree,
            frame_sets: recorder.frame_sets,
            bridges: 0,
            roots: recorder.roots,
            types: recorder.types,
            entries: Vec::new(),
        };
        let trace = Rc::new(Trace {
            number,
            is_function: from.is_null(),
            name,
            head,
            object: code.value(),
            code: RefCell::default(),
            pending: Cell::new(false),
            extent: Cell::new(recorder.extent as usize * 8),
            fates: RefCell::new(fates),
            waiting: Cell::new(0),
            active: Cell::new(0),
            entered: Cell::new(0),
            looks: Cell::new(0),
            from,
            range,
            valid,
            body: RefCell::new(body),
        });
        self.compile(&trace)?;
        self.traces.borrow_mut().push(Some(trace.clone()));
        self.loops.borrow_mut().entry(head).or_default().trace = Some(number);
        Ok(trace)
    }

    /// How the exits of a tree begin.
    fn fate(&self) -> Fate {
        Fate { hits: 0, limit: self.options.borrow().hits, aborts: 0, taken: 0, leads_out: false }
    }

    /// How the trace is to be compiled as it is now: where its code is good already, well.
    fn next_way(&self, trace: &Trace) -> Way {
        let options = self.options.borrow();
        let listed = options.dump.machine || options.view;
        match options.ways {
            _ if listed => Way::Listed,
            Ways::Quick => Way::Quick,
            Ways::Thorough => Way::Thorough,
            Ways::Both if trace.is_compiled() && !trace.is_quick() && self.compiles_beside() => Way::Thorough,
            Ways::Both => Way::Quick,
        }
    }

    /// Is code made well while the program goes on?
    fn compiles_beside(&self) -> bool {
        !self.is_forced() && self.compiler.has_processor()
    }

    /// Has the trace compiled as it is now: at once, or in time.
    fn compile(&self, trace: &Rc<Trace>) -> Result<(), String> {
        self.compile_by(trace, self.next_way(trace))
    }

    fn compile_by(&self, trace: &Rc<Trace>, way: Way) -> Result<(), String> {
        if trace.valid.get() == 0 {
            return Err("a type changed".to_string());
        }
        if self.counts.bytes.get() > self.options.borrow().memory {
            return Err("no room for more machine code".to_string());
        }
        if way != Way::Quick && self.compiles_beside() {
            let closed = trace.body.borrow().closed.clone();
            return self.compiler.submit(trace, closed, way);
        }
        let begun = Instant::now();
        let code = self.compiler.compile(&trace.body.borrow().closed, way);
        self.install(trace, code?, begun.elapsed());
        Ok(())
    }

    /// A trace whose code was made quickly may have turned out to be so busy that better code is worth its while.
    #[cold]
    fn look_at(&self, number: usize) {
        let trace = self.traces.borrow().get(number).cloned().flatten();
        let Some(trace) = trace.filter(|t| t.valid.get() == 1 && !t.pending.get() && t.is_quick()) else {
            return;
        };
        if self.is_recording() {
            return;
        }
        let size = trace.body.borrow().closed.insts.len() as u64;
        let heat = u64::from(trace.looks.get()) * LOOK + trace.entered.get();
        let spent = self.spent_well.get() + EACH * (self.compiler.queued() as u32 + size as u32);
        let allowed = self.begun.elapsed() / WELL;
        let is_wanted = heat >= size * HEAT && spent < allowed || self.is_forced();
        if self.options.borrow().ways != Ways::Both || !is_wanted {
            return;
        }
        if let Err(reason) = self.compile_by(&trace, Way::Thorough) {
            trace.looks.set(0);
            self.note_given_up(&reason);
        }
    }

    /// The trace gets its code.
    fn install(&self, trace: &Trace, code: Code, took: Duration) {
        self.note_spent(code.way, took);
        trace.looks.set(0);
        let mut fates = trace.fates.borrow_mut();
        let exits = fates.len().max(code.main.tree.exits.len());
        fates.resize(exits, self.fate());
        bump(&self.counts.compiled);
        self.tell_of(trace, &code, took);
        let bytes = self.counts.bytes.get() + code.main.compiled.bytes;
        drop(fates);
        let old = trace.code.replace(Some(Rc::new(code)));
        if old.is_none() {
            if trace.is_function {
                set_trace(trace.object, Some(trace.number));
            } else {
                enter_from(trace, trace.from);
            }
        }
        self.counts.bytes.set(bytes.saturating_sub(old.map_or(0, |old| old.bytes())));
    }

    fn note_spent(&self, way: Way, took: Duration) {
        self.spent.set(self.spent.get() + took);
        if way != Way::Quick {
            self.spent_well.set(self.spent_well.get() + took);
        }
    }

    /// Gives traces the code that is ready.
    fn take_finished(&self) {
        while let Some(Finished { trace, bridges, code, took }) = self.compiler.finished() {
            let is_there = |t: &Option<Rc<Trace>>| t.as_ref().is_some_and(|t| Rc::ptr_eq(t, &trace));
            let wanted = trace.valid.get() == 1 && self.traces.borrow().iter().any(is_there);
            match code {
                // It lacks bridges that the code has which was made quickly since.
                Ok(code) if trace.is_quick() && bridges != trace.body.borrow().bridges => {
                    self.note_spent(code.way, took);
                    trace.looks.set(0);
                }
                Ok(code) if wanted => self.install(&trace, code, took),
                Ok(code) => self.note_spent(code.way, took),
                Err(reason) => {
                    self.note_spent(Way::Thorough, took);
                    self.note_given_up(&reason);
                    self.log(|| format!("{} given up: {reason}", trace.name));
                    if !trace.is_compiled() {
                        // It is not tried again.
                        self.loops.borrow_mut().entry(trace.head).or_default().aborts = MAX_ABORTS;
                    }
                    trace.fates.borrow_mut().iter_mut().for_each(|fate| fate.limit = NEVER);
                }
            }
        }
    }

    /// Voids the traces, and the recording, that rely on something.
    fn invalidate_where(&self, relies: impl Fn(&Body) -> bool, recording_relies: impl Fn(&Recorder) -> bool) {
        let all: Vec<Rc<Trace>> = self.traces.borrow().iter().flatten().cloned().collect();
        for trace in all {
            if trace.valid.get() == 1 && relies(&trace.body.borrow()) {
                self.invalidate(&trace);
            }
        }
        if let Some(recorder) = self.recorder.borrow().as_ref().filter(|r| recording_relies(r)) {
            recorder.valid.set(0);
        }
    }

    /// Nobody enters the trace any more; who is in it leaves at the next occasion.
    fn invalidate(&self, trace: &Trace) {
        trace.valid.set(0);
        for &pc in &trace.body.borrow().entries {
            // SAFETY: the isolate's own copy of a code that the trace keeps alive.
            unsafe {
                if *pc.cast::<u8>() == Op::JumpBackTraced as u8 {
                    *pc.cast_mut() = pack(Op::JumpBack, 0, 0, 0);
                }
            }
        }
        if trace.is_function {
            set_trace(trace.object, None);
            self.rich.borrow_mut().remove(&trace.head);
        }
        if let Some(fate) = self.loops.borrow_mut().get_mut(&trace.head) {
            *fate = LoopFate { looks: 0, aborts: fate.aborts + 1, restarts: 0, trace: None, ..*fate };
        }
        bump(&self.counts.invalidated);
        self.log(|| format!("loop at {:#x} invalidated", trace.head));
    }
}

/// Sizes of buffers, besides the largest.
const FEW_WORDS: usize = 64;
const MORE_WORDS: usize = 512;

/// The size of a buffer for code that wants so many words, with some for bridges that may be added.
fn buffer_size(words: usize, takes_bridges: bool) -> usize {
    let room = if takes_bridges { words / 2 } else { 0 };
    [FEW_WORDS, MORE_WORDS].into_iter().find(|&size| words + room <= size).unwrap_or(BUFFER)
}

/// Runs a trace, and does what the exit has to do by which it is left: that exit, where the machine goes on, and whether
/// the trace was a function's that has returned. The buffer is on the native stack, where the collector sees what it leads
/// to, and each of several runs on one stack has its own.
///
/// # Safety
/// The code is that of the loop or function at `at`, and the buffer is as large as its places want.
#[inline(never)]
unsafe fn run<const WORDS: usize>(code: &Code, vm: &Vm, at: At) -> (ExitId, At, bool) {
    let mut buffer = [const { MaybeUninit::<u64>::uninit() }; WORDS];
    let buffer = buffer.as_mut_ptr().cast::<u64>();
    // SAFETY: the caller's promise.
    let left = unsafe { (code.main.compiled.entry)(vm, at.base, buffer) };
    let exit = ExitId(left as u32);
    code.with_plan(exit, |plan| {
        // SAFETY: the trace has left by this exit, and so filled the buffer's words that the exit's plan reads.
        (exit, unsafe { plan.leave(vm, buffer, at.base) }, plan.is_return())
    })
}

impl Tier for Jit {
    fn is_available(&self) -> bool {
        self.compiler.is_available()
    }

    fn is_enabled(&self) -> bool {
        self.options.borrow().on && self.is_available()
    }

    fn is_active(&self, code: Ref<CodeObject>) -> bool {
        let running = |t: &&Rc<Trace>| t.active.get() > 0;
        let within =
            |t: &Rc<Trace>| t.body.borrow().frame_sets.iter().any(|set| set.iter().any(|f| f.code == code));
        self.traces.borrow().iter().flatten().filter(running).any(within)
    }

    fn finish(&self) {
        self.print_stats();
    }

    fn trace(&self, t: &mut Tracer<'_>) {
        // A trace does not keep what it names, unless it runs.
        let keeps = |trace: &&Rc<Trace>| !t.is_major() || trace.active.get() > 0;
        let traces: Vec<_> = self.traces.borrow().iter().flatten().filter(keeps).cloned().collect();
        for trace in traces {
            for v in &trace.body.borrow().roots {
                t.visit_word(v.bits());
            }
        }
        // While it looks at an instruction nothing is allocated: no frame is published then.
        debug_assert!(self.recorder.try_borrow().is_ok(), "the recorder has allocated");
        if let Ok(recorder) = self.recorder.try_borrow()
            && let Some(recorder) = &*recorder
        {
            for v in &recorder.roots {
                t.visit_word(v.bits());
            }
        }
    }

    fn back_edge(&self, vm: &Vm, from: At, at: At) -> At {
        let head = at.pc as usize;
        let (on, wanted) = {
            let options = self.options.borrow();
            (options.on, options.looks)
        };
        // SAFETY: an instruction's address.
        let plain = unsafe { *from.pc.cast::<u8>() } == Op::JumpBack as u8;
        if !on || self.is_recording() {
            return at;
        }
        if !plain {
            let number = self.loops.borrow().get(&head).and_then(|fate| fate.trace);
            if let Some(number) = number {
                if let Some(Some(trace)) = self.traces.borrow().get(number) {
                    trace.looks.set(trace.looks.get() + 1);
                }
                self.look_at(number);
            }
            return at;
        }
        self.take_finished();
        self.vary_quantum(vm);
        let fate = {
            let mut loops = self.loops.borrow_mut();
            let fate = loops.entry(head).or_default();
            fate.looks += 1;
            *fate
        };
        if let Some(number) = fate.trace {
            if let Some(trace) = self.traces.borrow()[number].as_ref().filter(|t| t.is_compiled()) {
                enter_from(trace, from.pc);
            }
            return at;
        }
        let importing = wanted > 1 && vm.packaged_imports.get() > 0;
        let wanted = if importing { IMPORT_LOOKS } else { wanted };
        if !self.may_compile(vm) || fate.looks < wanted || self.is_put_off(&fate) {
            return at;
        }
        self.record_loop(vm, from, at)
    }

    fn code_ready(&self) {
        self.take_finished();
    }

    fn enter(&self, vm: &Vm, number: usize, at: At) -> At {
        if self.passes.take() {
            return at;
        }
        if number == WANTED {
            return self.wanted_function(vm, at);
        }
        let Some(trace) = self.traces.borrow().get(number).and_then(|t| t.as_ref().map(Rc::as_ptr)) else {
            return at;
        };
        // SAFETY: nothing is allocated before `active` is 1, so that no sweep drops the trace, and none does while it is.
        let trace = unsafe { &*trace };
        // A compiled trace does the instruction that told the number by its helper, also when that is none any more, and
        // so has no number, because the trace that it entered is void.
        let is_here = trace.head == at.pc.wrapping_sub(trace.is_function.into()) as usize;
        if !is_here
            || trace.valid.get() == 0
            || at.base.wrapping_byte_add(trace.extent.get()) > vm.limit.get()
            || vm.native_stack_low()
        {
            return at;
        }
        let Some(code) = trace.code.borrow().clone() else { return at };
        publish(vm, at);
        let ctx = vm.ctx.get();
        trace.active.set(trace.active.get() + 1);
        // SAFETY: the trace is of the loop or function whose head is at `at`; its frame, and room behind it for those of
        // inlined calls, begins at the base.
        let (exit, next, returned) = unsafe {
            match code.words {
                FEW_WORDS => run::<FEW_WORDS>(&code, vm, at),
                MORE_WORDS => run::<MORE_WORDS>(&code, vm, at),
                _ => run::<BUFFER>(&code, vm, at),
            }
        };
        let entered = trace.entered.get() + 1;
        trace.entered.set(entered);
        let tries = !returned && trace.take_exit(exit);
        trace.active.set(trace.active.get() - 1);
        if entered & self.glance.get() == 0 {
            self.look_at(number);
        }
        if !tries {
            return next;
        }
        let trace = self.traces.borrow().get(number).cloned().flatten();
        match trace {
            Some(trace) => self.try_bridge(vm, &trace, exit, at.base, ctx, next),
            None => next,
        }
    }

    fn sweep(&self, is_live: &dyn Fn(Value) -> bool) {
        let mut traces = self.traces.borrow_mut();
        for slot in traces.iter_mut() {
            let Some(trace) = slot else { continue };
            if trace.active.get() > 0 || trace.body.borrow().roots.iter().all(|v| is_live(*v)) {
                continue;
            }
            if is_live(trace.object) {
                self.invalidate(trace);
            } else {
                self.loops.borrow_mut().remove(&trace.range.0);
                self.rich.borrow_mut().remove(&trace.head);
            }
            let bytes = trace.bytes();
            self.counts.bytes.set(self.counts.bytes.get().saturating_sub(bytes));
            *slot = None;
        }
    }

    fn before(&self, vm: &Vm, at: At) -> bool {
        let goes_on = self.recorder.borrow_mut().as_mut().map_or(Some(false), |r| r.before(vm, at));
        goes_on.unwrap_or_else(|| replace_iterator(vm, at))
    }

    fn frame_written(&self) {
        let running = |trace: &&Rc<Trace>| trace.active.get() > 0 && trace.valid.get() == 1;
        let all: Vec<Rc<Trace>> = self.traces.borrow().iter().flatten().filter(running).cloned().collect();
        for trace in all {
            self.invalidate(&trace);
        }
        if let Some(recorder) = &*self.recorder.borrow() {
            recorder.valid.set(0);
        }
    }

    fn type_changed(&self, ty: Ref<Type>) {
        self.invalidate_where(|body| body.types.contains(&ty), |recorder| recorder.types.contains(&ty));
    }

    fn code_watched(&self, code: Option<Ref<CodeObject>>) {
        let is = |v: &Value| code.is_none_or(|code| v.is(code.value()));
        let names = |roots: &[Value]| code.is_none() || roots.iter().any(is);
        let fates = self.loops.borrow().clone();
        self.invalidate_where(|body| names(&body.roots), |recorder| names(&recorder.roots));
        // The loops are none the worse for it: they may be compiled when events are wanted no more.
        for (head, fate) in self.loops.borrow_mut().iter_mut() {
            fate.aborts = fates.get(head).map_or(fate.aborts, |f| f.aborts);
        }
    }

    fn globals_shared(&self, code: Ref<CodeObject>) {
        let is = |v: &Value| v.is(code.value());
        self.invalidate_where(|body| body.roots.iter().any(is), |recorder| recorder.roots.iter().any(is));
    }
}
