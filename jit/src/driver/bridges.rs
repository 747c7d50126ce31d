//! Bridges: what goes on from exits that are taken often, as part of their trees.

use super::compiling::Way;
use super::edges::is_back_edge;
use super::stats::place;
use super::trace::{Fate, NEVER, Trace};
use super::{Jit, MAX_ABORTS, bump};
use crate::ir::{Exit, ExitId, ExitKind, Extent, RoundEnd, SeqId};
use crate::opt;
use crate::recorder::{Abort, End, Recorder, unite};
use skein_runtime::context::Context;
use skein_runtime::interp::At;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;
use std::rc::Rc;
use std::time::Instant;

/// Times that exits with bridges are taken for each instruction of the tree that is compiled anew for them: well, and
/// quickly.
const HITS_PER_INST: usize = 2;
const QUICK_HITS_PER_INST: usize = 1;
/// Runs of a bridge that has code of its own, for each instruction of the tree, before the whole is compiled anew.
const RUNS_PER_INST: i64 = 16;
const FORCED_RUNS: i64 = 8;
/// Instructions of a tree for each time that an exit is taken before it gets a bridge.
const INSTS_PER_HIT: usize = 4;
/// Times that an exit out of a loop's frame is taken before the function is to have a trace of its own.
const LEAVES: u32 = 4000;
/// Bridges of one loop.
const MAX_BRIDGES: usize = 150;
/// Bridges one behind the other: the passes go from each to the next.
const MAX_NESTING: usize = 24;
/// Instructions of one loop and its bridges.
const MAX_TREE: usize = 12_000;

impl Jit {
    /// An exit has been left by so often that it may get a bridge. The interpreter is at `at`.
    pub(super) fn try_bridge(
        &self,
        vm: &Vm,
        trace: &Rc<Trace>,
        exit: ExitId,
        root: *mut Value,
        ctx: *const Context,
        at: At,
    ) -> At {
        let leads_out = trace.fates.borrow()[exit.0 as usize].leads_out;
        if leads_out {
            trace.fates.borrow_mut()[exit.0 as usize].limit = NEVER;
            self.want_function(trace.object);
            return at;
        }
        // A recording of a bridge has the tree.
        if self.is_recording() || self.leaves_to_function(trace, exit) {
            return at;
        }
        if !self.may_compile(vm) {
            trace.fates.borrow_mut()[exit.0 as usize].later();
            return at;
        }
        let (recorder, extent) = {
            let body = trace.body.borrow();
            let info = body.closed.exit(exit);
            // Where its frame has ended there is nothing to come back from; at the back edge, nothing new to see.
            let outside = at.base < root || vm.ctx.get() != ctx || is_back_edge(at);
            let full = body.bridges >= MAX_BRIDGES || body.closed.insts.len() > MAX_TREE;
            let waits = info.bridge.is_some();
            if !waits && (outside || full) {
                trace.fates.borrow_mut()[exit.0 as usize].limit = NEVER;
                return at;
            }
            if waits {
                drop(body);
                self.wait_for_bridge(trace, exit);
                return at;
            }
            if body.closed.nesting(exit) >= MAX_NESTING {
                trace.fates.borrow_mut()[exit.0 as usize].limit = NEVER;
                return at;
            }
            // The larger the tree, the more an exit must matter.
            let options = self.options.borrow();
            let worth = if options.looks > 1 { (body.closed.insts.len() / INSTS_PER_HIT) as u32 } else { 0 };
            let fate = &mut trace.fates.borrow_mut()[exit.0 as usize];
            // What is amiss in a function with a trace of its own is mended there, if it can be.
            let within =
                info.kind == ExitKind::Elsewhere && at.base > root.wrapping_offset(info.base as isize);
            // For a native that raises the whole tree is recorded anew.
            let later = if (within || info.kind == ExitKind::Raise) && options.looks > 1 { 4 } else { 0 };
            let wanted = options.hits.max(worth) << (fate.aborts.min(8) + later);
            if fate.hits < wanted {
                fate.limit = wanted;
                return at;
            }
            if info.kind == ExitKind::Raise {
                fate.limit = NEVER;
                let pc = info.pc;
                drop(body);
                self.record_raising(trace, pc);
                return at;
            }
            drop(body);
            if self.unites_shapes(vm, trace, exit, at) {
                return at;
            }
            let mut body = trace.body.borrow_mut();
            let extent = body.closed.extent();
            let (tree, sets) = (std::mem::take(&mut body.closed), body.frame_sets.clone());
            let recorder = Recorder::bridge(
                vm,
                at,
                root,
                tree,
                sets,
                exit,
                trace.range,
                trace.is_function,
                trace.valid.clone(),
                self.passes.clone(),
            );
            (self.with_calls(recorder, trace.head), extent)
        };
        let name = self.name(at);
        let (next, mut recorder) = self.run_recorder(vm, recorder, at);
        if let Some(code) = recorder.wanted {
            self.want_function(code);
        }
        let end = recorder.take_end();
        let is_made = matches!(end, End::Round(_)) || matches!(end, End::Closed) && trace.is_function;
        if !is_made || trace.valid.get() == 0 {
            let mut tree = std::mem::take(&mut recorder.tree);
            tree.cut(extent);
            trace.body.borrow_mut().closed = tree;
        }
        let made = match end {
            _ if trace.valid.get() == 0 => Err("a type changed".to_string()),
            End::Round(end) => {
                recorder.tree.exits[exit.0 as usize].bridge = Some(recorder.seq);
                let (seq, recorded) = (recorder.seq, recorder.tree.seq(recorder.seq).insts.len());
                opt::close_bridge(&mut recorder.tree, seq, &end);
                self.add_bridge(trace, exit, recorder);
                self.join_bridge(trace, exit, seq, recorded, extent, Some(&end));
                Ok(())
            }
            End::Closed if trace.is_function => {
                recorder.tree.exits[exit.0 as usize].bridge = Some(recorder.seq);
                let (seq, recorded) = (recorder.seq, recorder.tree.seq(recorder.seq).insts.len());
                self.add_bridge(trace, exit, recorder);
                self.join_bridge(trace, exit, seq, recorded, extent, None);
                Ok(())
            }
            End::Closed => {
                // If that stays so though outer loops have traces, the function as a whole is worth one.
                let fate = &mut trace.fates.borrow_mut()[exit.0 as usize];
                (fate.leads_out, fate.hits, fate.limit) =
                    (true, 0, if self.is_forced() { 2 } else { LEAVES });
                bump(&self.counts.aborted);
                self.note_given_up("leaves the loop's frame");
                self.log(|| format!("bridge at {name} given up at {}: leaves the loop's frame", place(next)));
                return next;
            }
            End::Abort(Abort::InnerLoop) => {
                bump(&self.counts.aborted);
                match self.pending_inner(next) {
                    Some(_) => trace.fates.borrow_mut()[exit.0 as usize].later(),
                    None => self.put_off(trace, exit),
                }
                self.log(|| format!("bridge at {} waits for the loop at {}", name, place(next)));
                return self.record_inner(vm, next);
            }
            End::Abort(abort) => {
                if abort == Abort::Watched {
                    // As in `record_loop`.
                    trace.fates.borrow_mut()[exit.0 as usize].hits = 0;
                    return next;
                }
                if abort == Abort::OtherLoop {
                    trace.fates.borrow_mut()[exit.0 as usize].limit = NEVER;
                }
                Err(abort.text().to_string())
            }
        };
        if let Err(reason) = made {
            bump(&self.counts.aborted);
            self.put_off(trace, exit);
            self.note_given_up(&reason);
            self.log(|| format!("bridge at {name} given up at {}: {reason}", place(next)));
        }
        next
    }

    /// The exit is one by a guard that tells shapes apart, and need not: the trace is recorded anew.
    fn unites_shapes(&self, vm: &Vm, trace: &Trace, exit: ExitId, at: At) -> bool {
        const MOST: u32 = 6;
        let mixed = self.loops.borrow().get(&trace.head).map_or(0, |fate| fate.mixed);
        let unites =
            mixed < MOST && unite(vm, &mut self.families.borrow_mut(), &trace.body.borrow().closed, exit, at);
        if unites {
            self.log(|| format!("{} is to be recorded anew for a family of shapes", trace.name));
            self.begin_anew(trace, |fate| fate.mixed += 1);
        }
        unites
    }

    /// The native of this instruction of the trace raises exceptions often. A trace that calls it by its helper goes on in
    /// the handler, so it is recorded anew, unless that has been done often enough.
    fn record_raising(&self, trace: &Trace, pc: usize) {
        const MOST: u32 = 3;
        let aborts = self.loops.borrow().get(&trace.head).map_or(0, |fate| fate.aborts);
        if aborts < MOST && self.raising.borrow_mut().insert(pc) {
            self.log(|| format!("{} is to be recorded anew, since natives in it raise", trace.name));
            self.invalidate(trace);
        }
    }

    /// A bridge was given up: the next try comes later, and some day no more.
    fn put_off(&self, trace: &Trace, exit: ExitId) {
        let fate = &mut trace.fates.borrow_mut()[exit.0 as usize];
        fate.aborts += 1;
        fate.hits = 0;
        fate.limit = if fate.aborts >= MAX_ABORTS { NEVER } else { fate.limit.saturating_mul(2) };
    }

    /// The bridge is part of the tree from now on, and of the machine code when that is compiled anew.
    fn add_bridge(&self, trace: &Trace, exit: ExitId, recorder: Recorder) {
        let mut fates = trace.fates.borrow_mut();
        let mut body = trace.body.borrow_mut();
        fates.resize(recorder.tree.exits.len(), self.fate());
        fates[exit.0 as usize] =
            Fate { hits: 0, limit: self.options.borrow().hits, ..fates[exit.0 as usize] };
        body.closed = recorder.tree;
        body.frame_sets = recorder.frame_sets;
        body.bridges += 1;
        trace.extent.set(trace.extent.get().max(recorder.extent as usize * 8));
        body.roots.extend(recorder.roots);
        body.types.extend(recorder.types);
        bump(&self.counts.bridges);
        drop((fates, body));
        self.note_rich(trace);
    }

    /// Until the whole is compiled anew, the bridge gets code of its own, if the trace's was made quickly.
    fn join_bridge(
        &self,
        trace: &Trace,
        exit: ExitId,
        seq: SeqId,
        recorded: usize,
        before: Extent,
        end: Option<&RoundEnd>,
    ) {
        let Some(code) = trace.code.borrow().clone() else { return };
        if code.way != Way::Quick || self.counts.bytes.get() > self.options.borrow().memory {
            return;
        }
        let begun = Instant::now();
        let first_exit = before.exits;
        let mut body = trace.body.borrow_mut();
        let made = code.with_part(exit, |part, own| {
            let bridge = opt::Bridge { tree: &body.closed, exit, seq, recorded, first_exit, end };
            let shown = opt::Shown {
                tree: &part.tree,
                exit: part.tree.exit(own),
                places: part.compiled.places.shown(own),
            };
            let apart = opt::set_apart(&bridge, &shown)?;
            let runs =
                if self.is_forced() { FORCED_RUNS } else { body.closed.insts.len() as i64 * RUNS_PER_INST };
            let made = self.compiler.compile_bridge(apart, part, first_exit as u32, runs)?;
            if made.compiled.places.words() > code.words {
                return Err("no room in the buffer".to_string());
            }
            part.compiled.lead_to(exit.0, &made.compiled);
            Ok(made)
        });
        match made {
            None => {}
            Some(Err(reason)) => {
                self.log(|| format!("a bridge of {} has no code of its own: {reason}", trace.name))
            }
            Some(Ok(part)) => {
                let mut fates = trace.fates.borrow_mut();
                // Its own exits have numbers that no recording may give to others.
                for own in &part.tree.exits[body.closed.exits.len() - first_exit..] {
                    body.closed.exits.push(Exit { writes: Vec::new(), ..*own });
                    fates.push(Fate { limit: NEVER, ..self.fate() });
                }
                self.counts.bytes.set(self.counts.bytes.get() + part.compiled.bytes);
                bump(&self.counts.joined);
                self.log(|| {
                    let (n, bytes, took) =
                        (part.tree.insts.len(), part.compiled.bytes, begun.elapsed().as_micros());
                    format!("compiled a bridge of {}: {n} instructions, {bytes} bytes, {took} us", trace.name)
                });
                code.bridges.borrow_mut().push(Rc::new(part));
            }
        }
        self.note_spent(Way::Quick, begun.elapsed());
    }

    /// An exit has been left by whose bridge is not compiled yet. The whole tree is compiled anew when so many exits
    /// were in vain that it is worth it.
    fn wait_for_bridge(&self, trace: &Rc<Trace>, exit: ExitId) {
        {
            let fate = &mut trace.fates.borrow_mut()[exit.0 as usize];
            trace.waiting.set(trace.waiting.get().saturating_add(fate.hits));
            fate.hits = 0;
        }
        let joined = trace.code.borrow().as_ref().is_some_and(|code| code.leads_on(exit));
        let size = trace.body.borrow().closed.insts.len();
        let quick = self.next_way(trace) == Way::Quick;
        let enough = size * if quick { QUICK_HITS_PER_INST } else { HITS_PER_INST };
        let waits = !quick && trace.pending.get();
        // A bridge with code of its own has been run as often as it is allowed to.
        if waits || trace.waiting.get() as usize <= enough && !self.is_forced() && !joined {
            return;
        }
        trace.waiting.set(0);
        if let Err(reason) = self.compile(trace) {
            if let Some(code) = &*trace.code.borrow() {
                code.lead_out(exit);
            }
            trace.fates.borrow_mut()[exit.0 as usize].limit = NEVER;
            self.note_given_up(&reason);
            self.log(|| format!("bridges of {} given up: {reason}", trace.name));
        }
    }
}
