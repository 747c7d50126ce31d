//! Telling of the collector's pauses: `gc.callbacks`, and the log.

use crate::object::Ref;
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_heap::{CollectKind, CollectStats, MajorStep};
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
    /// Those of which the callbacks are still to be told: generation and length.
    waiting: RefCell<Vec<(i64, Duration)>>,
    /// Pauses are not noted now: the callbacks run, or are called around the collection anyway.
    quiet: Cell<bool>,
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
        if pauses.callbacks.get().is_some_and(|list| !list.is_empty()) && !pauses.quiet.get() {
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
        let quiet = self.pauses.quiet.replace(true);
        if !quiet {
            self.tell_pause("start", generation, None);
        }
        let done = match kind {
            CollectKind::Minor => self.collect(kind),
            CollectKind::Major => self.collect_thoroughly(kind),
        };
        if !quiet {
            self.tell_pause("stop", generation, Some(done.duration));
        }
        self.pauses.quiet.set(quiet);
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

    /// The arguments of a callback. What a tracing collector frees it does not count.
    fn pause_row(&self, phase: &str, generation: i64, duration: Option<Duration>) -> R<[Value; 2]> {
        let info = Dict::new(self)?;
        info.set_name(self, "generation", Value::small_int(generation))?;
        info.set_name(self, "collected", Value::small_int(0))?;
        info.set_name(self, "uncollectable", Value::small_int(0))?;
        if let Some(duration) = duration {
            info.set_name(self, "duration", self.float(duration.as_secs_f64())?)?;
        }
        Ok([self.str(phase)?, info.value()])
    }
}
