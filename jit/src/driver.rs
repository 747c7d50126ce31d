//! The tier: which loops are busy, their traces, entering and leaving them.

use crate::deopt;
use crate::ir::{ExitId, Id, Tree};
use crate::machine::{BUFFER, Compiled, Machine, RETURNED};
use crate::opt;
use crate::recorder::{Abort, End, Frame, Recorder};
use rustc_hash::FxHashMap;
use skein_bytecode::{Op, pack};
use skein_runtime::interp::{At, MAX_TRACES, publish, record};
use skein_runtime::object::{Ref, Tracer};
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::Value;
use skein_runtime::vm::{Tier, Vm};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// How eager the compiler is, and what it tells.
///
/// As text, parts with commas between: `on`, `off`, `force` (record and compile whatever runs twice), `log`, `dump`,
/// `mem=BYTES`.
#[derive(Clone, Debug)]
pub struct Options {
    pub on: bool,
    /// Instructions from one look at the running loop to the next.
    pub quantum: i64,
    /// Looks that find a loop before it is recorded.
    pub looks: u32,
    /// Times that an exit is taken before its bridge is recorded.
    pub hits: u32,
    /// Bytes of machine code at most.
    pub memory: usize,
    /// Tell on stderr what is recorded, compiled and given up.
    pub log: bool,
    /// Print traces as they are compiled.
    pub dump: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { on: true, quantum: 1 << 12, looks: 2, hits: 40, memory: 64 << 20, log: false, dump: false }
    }
}

impl Options {
    /// From the text of `-X jit=…`.
    pub fn parse(text: &str) -> Option<Options> {
        let mut options = Options::default();
        for part in text.split(',') {
            match part {
                "on" => options.on = true,
                "off" => options.on = false,
                "force" => (options.quantum, options.looks, options.hits) = (24, 1, 2),
                "log" => options.log = true,
                "dump" => options.dump = true,
                _ => options.memory = part.strip_prefix("mem=").and_then(bytes)?,
            }
        }
        Some(options)
    }
}

/// A number of bytes, with k, m or g behind it.
fn bytes(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(1 << shift)
}

/// Recordings of one loop, or of one exit, that may fail.
const MAX_ABORTS: u32 = 5;
/// Recordings of one loop that give way to inner ones.
const MAX_WAITS: u32 = 12;
/// Times that an exit is taken for each instruction that is compiled anew for its bridge.
const HITS_PER_INST: usize = 1;
/// Bridges of one loop.
const MAX_BRIDGES: usize = 60;
/// Instructions of one loop and its bridges.
const MAX_TREE: usize = 5_000;

/// How an exit has fared.
#[derive(Clone, Copy, Default)]
struct Fate {
    hits: u32,
    aborts: u32,
}

/// The loop's state that changes when a bridge is added.
struct Body {
    /// As it was recorded and closed: what bridges are recorded on.
    closed: Tree,
    /// As it was compiled.
    tree: Rc<Tree>,
    compiled: Rc<Compiled>,
    frame_sets: Vec<Vec<Frame>>,
    fates: Vec<Fate>,
    live: Vec<Option<Rc<[Id]>>>,
    bridges: usize,
    /// Bytes of registers that the trace may use from the root frame's base on.
    extent: usize,
    roots: Vec<Value>,
    types: Vec<Ref<Type>>,
    /// Back edges that enter the trace.
    entries: Vec<*const u32>,
}

/// One loop's trace.
struct Trace {
    number: usize,
    head: usize,
    /// First and last instruction of the loop.
    range: (usize, usize),
    valid: Rc<Cell<u32>>,
    body: RefCell<Body>,
}

#[derive(Clone, Copy, Default)]
struct LoopFate {
    looks: u32,
    aborts: u32,
    /// Recordings that met an inner loop without a trace.
    waits: u32,
    trace: Option<usize>,
}

/// Counts of what the compiler has done.
#[derive(Default, Debug)]
pub struct Counts {
    pub recorded: Cell<u32>,
    pub aborted: Cell<u32>,
    pub compiled: Cell<u32>,
    pub bridges: Cell<u32>,
    pub invalidated: Cell<u32>,
    pub bytes: Cell<usize>,
}

/// The compiler of busy loops.
pub struct Jit {
    options: RefCell<Options>,
    machine: RefCell<Option<Machine>>,
    loops: RefCell<FxHashMap<usize, LoopFate>>,
    traces: RefCell<Vec<Option<Rc<Trace>>>>,
    recorder: RefCell<Option<Recorder>>,
    buffer: Box<[Cell<u64>]>,
    pub counts: Counts,
}

impl Default for Jit {
    fn default() -> Jit {
        Jit {
            options: RefCell::default(),
            machine: RefCell::default(),
            loops: RefCell::default(),
            traces: RefCell::default(),
            recorder: RefCell::default(),
            buffer: vec![Cell::new(0); BUFFER].into_boxed_slice(),
            counts: Counts::default(),
        }
    }
}

fn bump(cell: &Cell<u32>) {
    cell.set(cell.get() + 1);
}

impl Jit {
    /// Sets the compiler up for an isolate. To be called before it runs anything.
    pub fn configure(&self, vm: &Vm, options: Options) {
        if options.on {
            vm.quantum.set(options.quantum);
            vm.ticks.set(options.quantum);
        }
        *self.options.borrow_mut() = options;
    }

    fn log(&self, text: impl FnOnce() -> String) {
        if self.options.borrow().log {
            eprintln!("jit: {}", text());
        }
    }

    fn is_recording(&self) -> bool {
        self.recorder.borrow().is_some()
    }

    /// Runs from `at` with a recorder: where the interpreter goes on, and the recorder.
    fn run_recorder(&self, vm: &Vm, recorder: Recorder, at: At) -> (At, Recorder) {
        *self.recorder.borrow_mut() = Some(recorder);
        bump(&self.counts.recorded);
        let at = record(vm, at);
        match self.recorder.borrow_mut().take() {
            Some(recorder) => (at, recorder),
            None => unreachable!("only this function takes it"),
        }
    }

    fn record_loop(&self, vm: &Vm, from: At, at: At) -> At {
        let head = at.pc as usize;
        let valid = Rc::new(Cell::new(1));
        let (next, mut recorder) = self.run_recorder(vm, Recorder::new(vm, at, valid.clone()), at);
        let made = match recorder.take_end() {
            End::Round(end) => {
                opt::close_loop(&mut recorder.tree, &end);
                self.publish_loop(from, at, recorder, valid)
            }
            End::Closed => Err("does not come round".to_string()),
            End::Abort(Abort::InnerLoop) => {
                bump(&self.counts.aborted);
                self.log(|| format!("loop at {} waits for the one at {}", place(at), place(next)));
                self.loops.borrow_mut().entry(head).or_default().waits += 1;
                return self.record_inner(vm, next);
            }
            End::Abort(abort) => Err(abort.text().to_string()),
        };
        if let Err(reason) = made {
            bump(&self.counts.aborted);
            let mut loops = self.loops.borrow_mut();
            let fate = loops.entry(head).or_default();
            fate.aborts += 1;
            fate.looks = 0;
            self.log(|| format!("loop at {} given up: {reason}", place(at)));
        }
        next
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

    fn publish_loop(&self, from: At, at: At, recorder: Recorder, valid: Rc<Cell<u32>>) -> Result<(), String> {
        let mut traces = self.traces.borrow_mut();
        let number = traces.len();
        if number >= MAX_TRACES {
            return Err("too many traces".to_string());
        }
        let (tree, compiled) = self.compile(&recorder.tree, at, &valid)?;
        let range = (at.pc as usize, from.pc as usize);
        let body = Body {
            fates: vec![Fate::default(); tree.exits.len()],
            live: vec![None; tree.exits.len()],
            closed: recorder.tree,
            tree: Rc::new(tree),
            compiled: Rc::new(compiled),
            frame_sets: recorder.frame_sets,
            bridges: 0,
            extent: recorder.extent as usize * 8,
            roots: recorder.roots,
            types: recorder.types,
            entries: Vec::new(),
        };
        let head = at.pc as usize;
        let trace = Rc::new(Trace { number, head, range, valid, body: RefCell::new(body) });
        enter_from(&trace, from.pc);
        traces.push(Some(trace));
        self.loops.borrow_mut().entry(head).or_default().trace = Some(number);
        Ok(())
    }

    fn compile(&self, closed: &Tree, at: At, valid: &Cell<u32>) -> Result<(Tree, Compiled), String> {
        if valid.get() == 0 {
            return Err("a type changed".to_string());
        }
        let mut tree = closed.clone();
        opt::optimize(&mut tree);
        let mut machine = self.machine.borrow_mut();
        if machine.is_none() {
            *machine = Some(Machine::new()?);
        }
        let Some(machine) = machine.as_mut() else { unreachable!("made just now") };
        if self.counts.bytes.get() > self.options.borrow().memory {
            return Err("no room for more machine code".to_string());
        }
        if self.options.borrow().dump {
            eprintln!("jit: trace at {}\n{}", place(at), tree);
        }
        #[cfg(debug_assertions)]
        if let Err(e) = crate::verify::verify(&tree) {
            panic!("bad trace: {e}\n{}", tree);
        }
        let begun = std::time::Instant::now();
        let compiled = machine.compile(&tree).map_err(|e| e.to_string())?;
        self.counts.bytes.set(self.counts.bytes.get() + compiled.bytes);
        bump(&self.counts.compiled);
        self.log(|| {
            let (n, bytes) = (tree.insts.len(), compiled.bytes);
            let micros = begun.elapsed().as_micros();
            format!("compiled {}: {n} instructions, {bytes} bytes, {micros} us", place(at))
        });
        Ok((tree, compiled))
    }

    /// An exit has been left by to `at`: maybe it gets a bridge.
    fn note_exit(&self, vm: &Vm, trace: &Rc<Trace>, exit: ExitId, root: *mut Value, at: At) -> At {
        let (hits, aborts, bridges, size) = {
            let mut body = trace.body.borrow_mut();
            let fate = &mut body.fates[exit.0 as usize];
            fate.hits += 1;
            let (hits, aborts) = (fate.hits, fate.aborts);
            (hits, aborts, body.bridges, body.tree.insts.len())
        };
        let options = self.options.borrow();
        // Each bridge compiles the whole tree anew: what is saved must be worth it.
        let worth = if options.looks > 1 { (size * HITS_PER_INST) as u32 } else { 0 };
        let wanted = options.hits.max(worth) << aborts.min(8);
        drop(options);
        if hits < wanted
            || aborts >= MAX_ABORTS
            || bridges >= MAX_BRIDGES
            || size > MAX_TREE
            || self.is_recording()
        {
            return at;
        }
        let recorder = {
            let mut body = trace.body.borrow_mut();
            body.fates[exit.0 as usize].hits = 0;
            let info = body.tree.exit(exit);
            // Where the loop ends there is nothing to come back from; at its head, nothing new to see.
            let outside = info.base == 0 && (info.pc < trace.range.0 || info.pc >= trace.range.1);
            if outside || info.kind == crate::ir::ExitKind::Raise || info.bridge.is_some() {
                body.fates[exit.0 as usize].aborts = MAX_ABORTS;
                return at;
            }
            let (tree, sets) = (body.closed.clone(), body.frame_sets.clone());
            Recorder::bridge(vm, at, root, tree, sets, exit, trace.head, trace.valid.clone())
        };
        let (next, mut recorder) = self.run_recorder(vm, recorder, at);
        let made = match recorder.take_end() {
            End::Round(end) => {
                recorder.tree.exits[exit.0 as usize].bridge = Some(recorder.seq);
                opt::close_bridge(&mut recorder.tree, recorder.seq, &end);
                self.publish_bridge(trace, exit, recorder, at)
            }
            End::Closed => self.publish_bridge(trace, exit, recorder, at),
            End::Abort(Abort::InnerLoop) => {
                bump(&self.counts.aborted);
                trace.body.borrow_mut().fates[exit.0 as usize].aborts += 1;
                self.log(|| format!("bridge at {} waits for the loop at {}", place(at), place(next)));
                return self.record_inner(vm, next);
            }
            End::Abort(abort) => Err(abort.text().to_string()),
        };
        if let Err(reason) = made {
            bump(&self.counts.aborted);
            trace.body.borrow_mut().fates[exit.0 as usize].aborts += 1;
            self.log(|| format!("bridge at {} given up: {reason}", place(at)));
        }
        next
    }

    fn publish_bridge(&self, trace: &Trace, exit: ExitId, recorder: Recorder, at: At) -> Result<(), String> {
        let mut closed = recorder.tree;
        closed.exits[exit.0 as usize].bridge = Some(recorder.seq);
        let (tree, compiled) = self.compile(&closed, at, &trace.valid)?;
        let mut body = trace.body.borrow_mut();
        body.fates.resize(tree.exits.len(), Fate::default());
        body.live = vec![None; tree.exits.len()];
        body.closed = closed;
        body.tree = Rc::new(tree);
        self.counts.bytes.set(self.counts.bytes.get().saturating_sub(body.compiled.bytes));
        body.compiled = Rc::new(compiled);
        body.frame_sets = recorder.frame_sets;
        body.bridges += 1;
        body.extent = body.extent.max(recorder.extent as usize * 8);
        body.roots.extend(recorder.roots);
        body.types.extend(recorder.types);
        bump(&self.counts.bridges);
        Ok(())
    }

    /// Nobody enters the trace any more; who is in it leaves at the next occasion.
    fn invalidate(&self, trace: &Trace) {
        trace.valid.set(0);
        for &pc in &trace.body.borrow().entries {
            // SAFETY: the isolate's own copy of a code that the trace keeps alive.
            unsafe { *pc.cast_mut() = pack(Op::JumpBack, 0, 0, 0) };
        }
        if let Some(fate) = self.loops.borrow_mut().get_mut(&trace.head) {
            *fate = LoopFate { looks: 0, aborts: fate.aborts + 1, waits: fate.waits, trace: None };
        }
        bump(&self.counts.invalidated);
        self.log(|| format!("loop at {:#x} invalidated", trace.head));
    }
}

/// For messages: function and line of a place.
fn place(at: At) -> String {
    let code = skein_runtime::interp::frame_code(at.base);
    let line = code.portable().positions.at(code.unit_of(at.pc)).line;
    format!("{}:{line}", code.name_string())
}

/// From now on this back edge goes to the trace.
fn enter_from(trace: &Trace, pc: *const u32) {
    let [a, b, c, _] = (trace.number as u32).to_le_bytes();
    // SAFETY: the isolate's own copy of the loop's code, which the trace keeps alive.
    unsafe { *pc.cast_mut() = pack(Op::JumpBackTraced, a, b, c) };
    trace.body.borrow_mut().entries.push(pc);
}

impl Tier for Jit {
    fn trace(&self, t: &mut Tracer<'_>) {
        for trace in self.traces.borrow().iter().flatten() {
            for v in &trace.body.borrow().roots {
                t.visit_word(v.bits());
            }
        }
        if let Some(recorder) = &*self.recorder.borrow() {
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
        if !on || !plain || self.is_recording() {
            return at;
        }
        let fate = {
            let mut loops = self.loops.borrow_mut();
            let fate = loops.entry(head).or_default();
            fate.looks += 1;
            *fate
        };
        if let Some(number) = fate.trace {
            if let Some(trace) = &self.traces.borrow()[number] {
                enter_from(trace, from.pc);
            }
            return at;
        }
        if fate.looks < wanted || fate.aborts >= MAX_ABORTS || fate.waits >= MAX_WAITS {
            return at;
        }
        self.record_loop(vm, from, at)
    }

    fn enter(&self, vm: &Vm, number: usize, at: At) -> At {
        let trace = match &self.traces.borrow()[number] {
            Some(trace) => trace.clone(),
            None => return at,
        };
        let (compiled, extent) = {
            let body = trace.body.borrow();
            (body.compiled.clone(), body.extent)
        };
        if at.base.wrapping_byte_add(extent) > vm.limit.get() || vm.native_stack_low() {
            return at;
        }
        publish(vm, at);
        let buffer = self.buffer.as_ptr().cast::<u64>().cast_mut();
        // SAFETY: the trace is of the loop whose head is at `at`; its frame, and room behind it for those of inlined
        // calls, begins at the base. `compiled` keeps the code in place while it runs.
        let left = unsafe { (compiled.entry)(vm, at.base, buffer) };
        if left == RETURNED {
            return At { pc: self.buffer[0].get() as *const u32, base: self.buffer[1].get() as *mut Value };
        }
        let exit = ExitId(left as u32);
        let (tree, live) = {
            let mut body = trace.body.borrow_mut();
            let tree = body.tree.clone();
            let live = &mut body.live[left as usize];
            (tree.clone(), live.get_or_insert_with(|| tree.exit(exit).live(&tree).into()).clone())
        };
        let next = deopt::leave(vm, &tree, tree.exit(exit), &live, &self.buffer, at.base);
        self.note_exit(vm, &trace, exit, at.base, next)
    }

    fn before(&self, vm: &Vm, at: At) -> bool {
        self.recorder.borrow_mut().as_mut().is_some_and(|r| r.before(vm, at))
    }

    fn type_changed(&self, ty: Ref<Type>) {
        let all: Vec<Rc<Trace>> = self.traces.borrow().iter().flatten().cloned().collect();
        for trace in all {
            if trace.valid.get() == 1 && trace.body.borrow().types.contains(&ty) {
                self.invalidate(&trace);
            }
        }
        if let Some(recorder) = &*self.recorder.borrow()
            && recorder.types.contains(&ty)
        {
            recorder.valid.set(0);
        }
    }
}
