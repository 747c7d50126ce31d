//! Telling of the collector's pauses: `gc.callbacks`, and the log.

use crate::object::{Kind, Ref};
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_heap::{CollectKind, CollectStats, Cycles, MajorStep, UNLOGGED};
use std::cell::{Cell, RefCell};
use std::io::Write;
use std::time::Duration;

/// Pauses that are kept until somebody can be told.
const KEPT: usize = 64;

/// What is noted about pauses.
#[derive(Default)]
pub struct Pauses {
    /// `gc.callbacks`.
    pub callbacks: Cell<Option<Ref<List>>>,
    /// `gc.garbage`.
    pub garbage: Cell<Option<Ref<List>>>,
    /// What `gc.freeze` keeps, by address.
    pub frozen: Cell<Option<Ref<List>>>,
    /// `gc.set_debug`.
    pub debug: Cell<i64>,
    /// Minor collections since the last slice, and slices since the last major collection.
    pub counts: Cell<[i64; 2]>,
    /// How many objects of cycles `gc.collect()` has found in all.
    pub found: Cell<usize>,
    /// Those of which the callbacks are still to be told: generation and length.
    waiting: RefCell<Vec<(i64, Duration)>>,
    /// Pauses are not noted now: the callbacks run, or are called around the collection anyway.
    quiet: Cell<bool>,
}

/// Bits of `gc.set_debug`.
pub mod debug {
    pub const STATS: i64 = 1;
    pub const COLLECTABLE: i64 = 2;
    pub const UNCOLLECTABLE: i64 = 4;
    pub const SAVEALL: i64 = 32;
}

impl Pauses {
    pub(super) fn wanted_cycles(&self) -> Cycles {
        match self.debug.get() & (debug::COLLECTABLE | debug::SAVEALL) {
            0 => Cycles::Count,
            _ => Cycles::Save,
        }
    }

    fn has_callbacks(&self) -> bool {
        self.callbacks.get().is_some_and(|list| !list.is_empty())
    }
}

/// What the pause would be called in CPython: 0 a young collection, 1 an increment, 2 a full one.
fn generation(done: &CollectStats) -> i64 {
    match done.step {
        _ if done.finished_major() => 2,
        MajorStep::None => 0,
        _ => 1,
    }
}

impl Vm {
    /// A collection has ended.
    pub(super) fn note_pause(&self, done: &CollectStats) {
        if self.config.gc_log {
            let what = match done.step {
                _ if done.kind == CollectKind::Major => "major",
                MajorStep::None => "minor",
                MajorStep::Mark => "minor, mark",
                MajorStep::Finish => "minor, finish",
                MajorStep::Sweep => "minor, sweep",
            };
            let (ms, before, after) = (done.duration.as_secs_f64() * 1e3, done.bytes_before, done.live_bytes);
            // Where the log cannot be written, nobody wants to read it.
            let _ = writeln!(std::io::stderr(), "gc: {what}: {ms:.3} ms, {before} -> {after} bytes");
        }
        let pauses = &self.pauses;
        let [minors, slices] = pauses.counts.get();
        pauses.counts.set(match generation(done) {
            0 => [minors + 1, slices],
            1 => [0, slices + 1],
            _ => [0, 0],
        });
        if pauses.has_callbacks() && !pauses.quiet.get() {
            let mut waiting = pauses.waiting.borrow_mut();
            if waiting.len() < KEPT {
                waiting.push((generation(done), done.duration));
            }
        }
    }

    /// Calls `gc.callbacks` for the pauses since the last call. Errors are reported and go nowhere.
    pub(super) fn report_pauses(&self) {
        if self.pauses.waiting.borrow().is_empty() || self.pauses.quiet.replace(true) {
            return;
        }
        for (generation, duration) in self.pauses.waiting.take() {
            self.tell_pause("start", generation, None);
            self.tell_pause("stop", generation, Some(duration));
        }
        self.pauses.quiet.set(false);
    }

    /// A collection that the program asks for, with `gc.callbacks` called before and after it. A major one is thorough.
    pub fn collect_aloud(&self, kind: CollectKind) {
        let generation = if kind == CollectKind::Minor { 0 } else { 2 };
        let before = self.pauses.quiet.replace(true);
        let quiet = before || !self.pauses.has_callbacks();
        let stats = self.pauses.debug.get() & debug::STATS != 0;
        if stats {
            self.print_generations(generation);
        }
        if !quiet {
            self.tell_pause("start", generation, None);
        }
        let done = match kind {
            CollectKind::Minor => self.collect(kind),
            CollectKind::Major => self.collect_thoroughly(kind),
        };
        let found = self.heap.cycles_found();
        self.pauses.found.set(self.pauses.found.get() + found);
        if stats {
            let seconds = done.duration.as_secs_f64();
            let _ = writeln!(
                std::io::stderr(),
                "gc: done, {found} unreachable, 0 uncollectable, {seconds:.4}s elapsed"
            );
        }
        if !quiet {
            self.tell_pause("stop", generation, Some(done.duration));
        }
        self.pauses.quiet.set(before);
    }

    /// The first lines of `gc.DEBUG_STATS`. Where they cannot be written, nobody wants to read them.
    fn print_generations(&self, generation: i64) {
        let (mut young, mut old) = (0, 0);
        self.heap.for_each_object(&mut |h| {
            // SAFETY: the heap hands out its objects.
            let h = unsafe { &*h };
            if Kind::is_container(h.kind.get()) {
                *(if h.gc.get() & UNLOGGED == 0 { &mut young } else { &mut old }) += 1;
            }
        });
        let _ = writeln!(
            std::io::stderr(),
            "gc: collecting generation {generation}...\ngc: objects in each generation: {young} 0 {old}\n\
             gc: objects in permanent generation: {}",
            self.pauses.frozen.get().map_or(0, |list| list.len())
        );
    }

    /// Puts what was saved of cycles into `gc.garbage`, and prints it, as `gc.set_debug` wants. MemoryError.
    pub(super) fn keep_saved(&self) -> R<()> {
        let wanted = self.pauses.debug.get();
        while let Some(object) = self.heap.take_saved() {
            // SAFETY: the heap hands out live objects.
            let v = unsafe { Value::from_bits(object as u64) };
            if wanted & debug::COLLECTABLE != 0 {
                let _ = writeln!(std::io::stderr(), "gc: collectable <{} {object:p}>", self.type_name(v));
            }
            if wanted & debug::SAVEALL != 0
                && let Some(list) = self.pauses.garbage.get()
            {
                list.push(self, v)?;
            }
        }
        Ok(())
    }

    fn tell_pause(&self, phase: &str, generation: i64, duration: Option<Duration>) {
        let Some(list) = self.pauses.callbacks.get() else { return };
        let row = match self.pause_row(phase, generation, duration) {
            Ok(row) => row,
            Err(Raised) => return self.unraisable(None, Value::NONE),
        };
        let mut index = 0;
        // A callback may change the list.
        while let Some(callback) = list.get(index) {
            index += 1;
            if self.call(callback, &row).is_err() {
                let name = self.repr_or_type(callback);
                let what = format!("Exception ignored while calling GC callback {name}");
                self.unraisable(Some(&what), Value::NONE);
            }
        }
    }

    /// The arguments of a callback. Only collections that the program asks for count what they find.
    fn pause_row(&self, phase: &str, generation: i64, duration: Option<Duration>) -> R<[Value; 2]> {
        let info = Dict::new(self)?;
        info.set_name(self, "generation", Value::small_int(generation))?;
        info.set_name(self, "collected", self.int(self.heap.cycles_found() as i64)?)?;
        info.set_name(self, "uncollectable", Value::small_int(0))?;
        if let Some(duration) = duration {
            info.set_name(self, "duration", self.float(duration.as_secs_f64())?)?;
        }
        Ok([self.str(phase)?, info.value()])
    }
}
