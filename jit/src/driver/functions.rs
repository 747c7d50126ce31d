//! Functions that have a trace as a whole, from their first instruction to their return.
//!
//! A loop of few rounds whose function is called from everywhere is left as often as it is entered, and what goes into
//! such a function from outside has as many ways through as it has. So what leaves its loop's frame, or calls itself
//! too often, *wants* a trace: its next call is recorded. Traces that call it leave it to that trace from then on
//! (`Recorder::call_through`).

use super::trace::{LoopFate, Trace};
use super::{Jit, bump, place};
use crate::ir::ExitId;
use crate::recorder::{Abort, End, Recorder, makes_generator};
use skein_runtime::interp::{At, WANTED, frame_code};
use skein_runtime::object::Ref;
use skein_runtime::types::code::CodeObject;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;
use std::cell::Cell;
use std::rc::Rc;

/// Instructions of a tree that goes into a function from which on it is better off with the function's own.
const TROUBLED: usize = 3000;
/// So often a trace begins anew for that.
const MAX_ANEW: u32 = 4;
/// Bridges and instructions of a function's trace from which on others call it. Simpler ones are better gone into.
const RICH_BRIDGES: usize = 2;
const RICH_INSTS: usize = 500;
/// Calls of a function whose trace is wanted from one look at the time to the next.
const CALLS: u32 = 32;

/// Calls of the code enter the trace of this number from now on.
pub(super) fn set_trace(code: Value, number: Option<usize>) {
    if let Some(code) = code.cast::<CodeObject>() {
        code.exec().set_trace(number.map(|n| n as u32));
    }
}

/// The `EnterTraced` before its first instruction, by which its fate is known.
fn head_of(code: Ref<CodeObject>) -> usize {
    code.exec().before_entry() as usize
}

impl Jit {
    /// The function of this code should have a trace.
    pub(super) fn want_function(&self, code: Value) {
        let Some(code) = code.cast::<CodeObject>() else { return };
        let fate = self.loops.borrow().get(&head_of(code)).copied().unwrap_or_default();
        if fate.is_given_up() || fate.trace.is_some() || makes_generator(code) {
            return;
        }
        set_trace(code.value(), Some(WANTED));
    }

    /// A function whose trace is wanted has been called, and is at its first instruction.
    pub(super) fn wanted_function(&self, vm: &Vm, at: At) -> At {
        if self.is_recording() {
            return at;
        }
        let code = frame_code(at.base);
        let fate = {
            let mut loops = self.loops.borrow_mut();
            let fate = loops.entry(head_of(code)).or_default();
            fate.looks += 1;
            *fate
        };
        if fate.trace.is_none() && fate.is_given_up() {
            set_trace(code.value(), None);
            return at;
        }
        if fate.looks % CALLS != 1 && !self.is_forced() {
            return at;
        }
        // One that there is has no code yet.
        if fate.trace.is_some() || !self.may_compile(vm) || self.is_put_off(&fate) {
            return at;
        }
        self.record_function(vm, code, at)
    }

    fn record_function(&self, vm: &Vm, code: Ref<CodeObject>, at: At) -> At {
        let head = head_of(code);
        let valid = Rc::new(Cell::new(1));
        // SAFETY: the code's own units.
        let last = unsafe { at.pc.add(code.portable().units.len()) };
        let range = (head, last as usize);
        let name = self.name(at);
        let recorder = Recorder::new(vm, at, range, true, valid.clone(), self.passes.clone());
        let recorder = self.with_calls(recorder, head);
        let (next, mut recorder) = self.run_recorder(vm, recorder, at);
        if let Some(code) = recorder.wanted {
            self.want_function(code);
        }
        let made = match recorder.take_end() {
            End::Closed => {
                self.publish_trace(std::ptr::null(), head, range, code, name.clone(), recorder, valid)
            }
            End::Round(_) => Err("a round of a function".to_string()),
            End::Abort(Abort::InnerLoop) => {
                bump(&self.counts.aborted);
                self.log(|| format!("function {name} waits for the loop at {}", place(next)));
                self.wait_for_inner(head, next);
                return self.record_inner(vm, next);
            }
            End::Abort(Abort::LongCall) => {
                // A recursive function; another call of it does less.
                bump(&self.counts.aborted);
                self.loops.borrow_mut().entry(head).or_default().waits += 1;
                return next;
            }
            End::Abort(abort) => Err(abort.text().to_string()),
        };
        match made {
            Ok(trace) => self.note_rich(&trace),
            Err(reason) => {
                bump(&self.counts.aborted);
                self.loops.borrow_mut().entry(head).or_default().aborts += 1;
                self.note_given_up(&reason);
                self.log(|| format!("function {name} given up at {}: {reason}", place(next)));
            }
        }
        next
    }

    /// The recorder, which goes into functions with traces or not as the trace with this head is to.
    pub(super) fn with_calls(&self, recorder: Recorder, head: usize) -> Recorder {
        let calls = self.loops.borrow().get(&head).is_some_and(|fate| fate.anew > 0);
        let recorder = recorder.knowing(self.raising.clone(), self.families.clone());
        if calls { recorder.calling(self.rich.clone()) } else { recorder }
    }

    /// Notes whether other traces had better call the function than go into it.
    pub(super) fn note_rich(&self, trace: &Trace) {
        let body = trace.body.borrow();
        let rich = body.bridges >= RICH_BRIDGES || body.closed.insts.len() >= RICH_INSTS || self.is_forced();
        if trace.is_function && rich && trace.valid.get() == 1 {
            self.rich.borrow_mut().insert(trace.head);
        }
    }

    /// The trace is recorded once more, which is no failure.
    pub(super) fn begin_anew(&self, trace: &Trace, note: impl FnOnce(&mut LoopFate)) {
        if trace.valid.get() == 0 {
            return;
        }
        self.invalidate(trace);
        if let Some(fate) = self.loops.borrow_mut().get_mut(&trace.head) {
            fate.aborts = fate.aborts.saturating_sub(1);
            note(fate);
        }
        if trace.is_function {
            self.want_function(trace.object);
        }
    }

    /// An exit that is taken often is within a function that has a trace of its own by now: whether the trace is
    /// recorded once more, so that it calls that, instead of getting a bridge.
    pub(super) fn leaves_to_function(&self, trace: &Trace, exit: ExitId) -> bool {
        let leaves = {
            let body = trace.body.borrow();
            let frames = &body.frame_sets[body.closed.exit(exit).frames as usize];
            let rich = self.rich.borrow();
            let anew = self.loops.borrow().get(&trace.head).map_or(0, |fate| fate.anew);
            let troubled = if self.is_forced() { 50 } else { TROUBLED };
            anew < MAX_ANEW
                && body.closed.insts.len() >= troubled
                && frames[1..].iter().any(|f| rich.contains(&head_of(f.code)))
        };
        if leaves {
            self.begin_anew(trace, |fate| fate.anew += 1);
        }
        leaves
    }
}
