//! Where trees become machine code: quickly and at once, or well and in a thread of its own, so that the program need not
//! stand still meanwhile; that is done at once, too, where there is no second processor, or loops are compiled by force.
//!
//! A job is a copy of a tree and nothing else: the objects that it names are kept and watched by its trace, which is
//! there from the beginning and gets its code when the job is done. Jobs of traces that are void by then are dropped.

use super::trace::{Code, Part, Trace};
use crate::ir::Tree;
use crate::machine::{Compiled, Machine};
use crate::opt;
use rustc_hash::FxHashMap;
use skein_runtime::threads::gil::without_signals;
use skein_runtime::threads::words::Asker;
use skein_runtime::vm::{Vm, poll};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How code is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In little time: see `crate::quick`.
    Quick,
    /// By Cranelift.
    Thorough,
    /// Likewise, with its text.
    Listed,
}

/// What the passes make of a tree.
fn optimized(mut tree: Tree) -> Tree {
    opt::optimize(&mut tree);
    #[cfg(debug_assertions)]
    if let Err(e) = crate::verify::verify(&tree) {
        panic!("bad trace: {e}\n{tree}");
    }
    tree
}

/// Optimizes a tree and makes its code.
fn make(machine: &mut Machine, closed: &Tree, way: Way) -> Result<(Compiled, Tree), String> {
    let tree = optimized(closed.clone());
    machine.set_listing(way == Way::Listed);
    let made = if way == Way::Quick { machine.compile_quickly(&tree) } else { machine.compile(&tree) };
    match made {
        Ok(compiled) => Ok((compiled, tree)),
        Err(e) => Err(e.to_string()),
    }
}

struct Job {
    number: u64,
    closed: Tree,
    way: Way,
}

struct Done {
    number: u64,
    made: Result<(Compiled, Tree), String>,
    way: Way,
    took: Duration,
}

/// The thread, as its isolate sees it, which ends it: a thread that went on could ask for a safepoint of an isolate that
/// is no more.
struct Worker {
    /// None: there will be no more.
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
    /// What waits to be compiled is wanted no more.
    ends: Arc<AtomicBool>,
    /// After a fork the child has no such thread.
    process: u32,
}

impl Worker {
    /// `asker` tells the isolate when a job is done.
    fn start(asker: Arc<Asker>) -> std::io::Result<Worker> {
        let ((jobs, to_do), (report, done)) = (channel::<Job>(), channel());
        let ends = Arc::new(AtomicBool::new(false));
        let ended = ends.clone();
        let run = move || {
            let mut machine = None;
            for Job { number, closed, way } in to_do {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let begun = Instant::now();
                let made = match &mut machine {
                    Some(machine) => make(machine, &closed, way),
                    None => Machine::new().and_then(|new| make(machine.insert(new), &closed, way)),
                };
                if report.send(Done { number, made, way, took: begun.elapsed() }).is_err() {
                    return;
                }
                asker.ask(poll::TIER);
            }
        };
        let thread = std::thread::Builder::new().name("compiler".into());
        let thread = without_signals(|| thread.spawn(run))?;
        Ok(Worker { jobs: Some(jobs), done, thread: Some(thread), ends, process: std::process::id() })
    }

    /// Is it that of this process? A child has none.
    fn is_here(&self) -> bool {
        self.process == std::process::id()
    }

    /// Is there a thread that takes the job?
    fn takes(&self, job: Job) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.is_here() {
            // What the other process's thread held may be locked for ever.
            std::mem::forget((self.jobs.take(), self.thread.take()));
            std::mem::forget(std::mem::replace(&mut self.done, channel().1));
            return;
        }
        self.ends.store(true, Ordering::Relaxed);
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // What a panic of the thread would say has been said.
            let _ = thread.join();
        }
    }
}

/// What makes machine code of an isolate's traces.
#[derive(Default)]
pub(super) struct Compiler {
    machine: RefCell<Option<Machine>>,
    /// Is there a second processor? To ask takes long.
    second: OnceCell<bool>,
    worker: RefCell<Option<Worker>>,
    jobs: Cell<u64>,
    /// What is not done yet, by number.
    waiting: RefCell<FxHashMap<u64, Waiting>>,
    /// Instructions of their trees.
    queued: Cell<usize>,
    asker: OnceCell<Arc<Asker>>,
}

/// The trace of a job that is not done yet, with the instructions and bridges of the tree.
struct Waiting {
    trace: Rc<Trace>,
    insts: usize,
    bridges: usize,
}

/// A job that is done.
pub(super) struct Finished {
    pub trace: Rc<Trace>,
    /// That the tree has.
    pub bridges: usize,
    pub code: Result<Code, String>,
    pub took: Duration,
}

impl Compiler {
    /// The isolate whose traces these are.
    pub fn serve(&self, vm: &Vm) {
        self.asker.get_or_init(|| vm.threads.asker.clone());
    }

    /// Instructions that wait for being compiled.
    pub fn queued(&self) -> usize {
        self.queued.get()
    }

    /// Is there a processor for the thread besides the program's?
    pub fn has_processor(&self) -> bool {
        *self.second.get_or_init(|| std::thread::available_parallelism().is_ok_and(|n| n.get() > 1))
    }

    /// Is this a machine that code can be made for?
    pub fn is_available(&self) -> bool {
        let mut machine = self.machine.borrow_mut();
        if machine.is_none() {
            *machine = Machine::new().ok();
        }
        machine.is_some()
    }

    /// Compiles at once.
    pub fn compile(&self, closed: &Tree, way: Way) -> Result<Code, String> {
        let mut machine = self.machine.borrow_mut();
        let made = match &mut *machine {
            Some(machine) => make(machine, closed, way),
            None => make(machine.insert(Machine::new()?), closed, way),
        };
        made.map(|(compiled, tree)| Code::new(compiled, tree, way))
    }

    /// Compiles a bridge that is a tree of its own, for code of this part. Its exits have numbers from `first` on.
    pub fn compile_bridge(&self, apart: Tree, of: &Part, first: u32, runs: i64) -> Result<Part, String> {
        let tree = optimized(apart);
        let mut machine = self.machine.borrow_mut();
        let machine = machine.as_mut().ok_or("no machine")?;
        let compiled = machine.compile_bridge(&tree, &of.compiled, first, runs).map_err(|e| e.to_string())?;
        Ok(Part::new(compiled, tree, first))
    }

    /// Has a tree compiled for the trace. An error says why that cannot be.
    pub fn submit(&self, trace: &Rc<Trace>, closed: Tree, way: Way) -> Result<(), String> {
        self.after_fork();
        let mut worker = self.worker.borrow_mut();
        if worker.is_none() {
            let asker = self.asker.get().ok_or("no isolate")?;
            *worker = Some(Worker::start(asker.clone()).map_err(|e| e.to_string())?);
        }
        let number = self.jobs.get();
        self.jobs.set(number + 1);
        let insts = closed.insts.len();
        let job = Job { number, closed, way };
        if !worker.as_ref().is_some_and(|w| w.takes(job)) {
            return Err("the compiler's thread has ended".to_string());
        }
        trace.pending.set(true);
        let bridges = trace.body.borrow().bridges;
        self.waiting.borrow_mut().insert(number, Waiting { trace: trace.clone(), insts, bridges });
        self.queued.set(self.queued.get() + insts);
        Ok(())
    }

    /// A child has no thread yet, and does the jobs that its parent had anew.
    fn after_fork(&self) {
        if self.worker.borrow_mut().take_if(|w| !w.is_here()).is_none() {
            return;
        }
        let lost: Vec<Rc<Trace>> =
            self.waiting.borrow_mut().drain().map(|(_, waiting)| waiting.trace).collect();
        self.queued.set(0);
        for trace in lost {
            trace.pending.set(false);
            let closed = trace.body.borrow().closed.clone();
            // A bridge is being recorded on it: it is compiled when it turns out to be busy again.
            if closed.entry.is_none() {
                continue;
            }
            // Where that fails, its loop is interpreted.
            let _ = self.submit(&trace, closed, Way::Thorough);
        }
    }

    /// The next job that is done, if any.
    pub fn finished(&self) -> Option<Finished> {
        if self.waiting.borrow().is_empty() {
            return None;
        }
        self.after_fork();
        let worker = self.worker.borrow();
        let Done { number, made, way, took } = match worker.as_ref()?.done.try_recv() {
            Ok(done) => done,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => {
                // Only a fault of the compiler ends it.
                debug_assert!(false, "the compiler's thread has ended");
                self.waiting.borrow_mut().clear();
                self.queued.set(0);
                return None;
            }
        };
        let Waiting { trace, insts, bridges } = self.waiting.borrow_mut().remove(&number)?;
        self.queued.set(self.queued.get() - insts);
        trace.pending.set(false);
        let code = made.map(|(compiled, tree)| Code::new(compiled, tree, way));
        Some(Finished { trace, bridges, code, took })
    }
}
