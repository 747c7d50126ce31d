//! One microthread: a context, and how it is parked.

use skein_continuations::StackId;
use skein_runtime::context::Context;
use skein_runtime::object::Tracer;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;
use std::cell::{Cell, RefCell};

/// Where a microthread is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It has not begun; its context has no memory yet.
    New,
    /// It runs now.
    Running,
    /// Parked softly: its context says where to go on.
    Soft,
    /// Parked with the native stack it was running on (None: the thread's own).
    Hard(Option<StackId>),
    /// It has ended.
    Dead,
}

/// A native stack below the one in use, which waits for it (see `Switcher::on_new_stack`).
pub struct Waiting {
    pub stack: Option<StackId>,
    /// It was scanned, and cannot have changed since.
    pub scanned: bool,
}

/// [`Micro::result`] of one that was interrupted between two instructions: nothing is to be stored.
pub const NO_RESULT: u16 = u16::MAX;

/// One microthread. Part of a greenlet or tasklet object, which does not move.
pub struct Micro {
    pub ctx: Context,
    pub state: Cell<State>,
    /// Register that takes what is sent to it, while it is parked softly.
    pub result: Cell<u16>,
    /// Native stacks below the one that it runs or is parked on.
    pub waiting: RefCell<Vec<Waiting>>,
    /// The object that it is part of.
    pub owner: Cell<Option<Value>>,
    pub kind: Kind,
}

/// What a microthread belongs to: who goes on when it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The main program of the isolate, main greenlet and main tasklet in one.
    Main,
    Greenlet,
    Tasklet,
}

impl Micro {
    pub fn new(kind: Kind) -> Micro {
        Micro {
            ctx: Context::default(),
            state: Cell::new(State::New),
            result: Cell::new(0),
            waiting: RefCell::default(),
            owner: Cell::new(None),
            kind,
        }
    }

    pub fn is_alive(&self) -> bool {
        !matches!(self.state.get(), State::New | State::Dead)
    }

    /// Visits what a parked microthread holds; one that runs is the isolate's root.
    pub fn trace(&self, vm: &Vm, hub: &skein_continuations::Hub, tracer: &mut Tracer<'_>) {
        match self.state.get() {
            State::New | State::Dead | State::Running => {}
            State::Soft => vm.trace_suspended(&self.ctx, tracer),
            State::Hard(stack) => {
                vm.trace_suspended(&self.ctx, tracer);
                trace_stack(hub, stack, tracer);
                self.trace_waiting(hub, tracer, true);
            }
        }
    }

    /// Visits the native stacks below; those that cannot have changed only if `all`.
    pub fn trace_waiting(&self, hub: &skein_continuations::Hub, tracer: &mut Tracer<'_>, all: bool) {
        for w in self.waiting.borrow_mut().iter_mut() {
            if all || !w.scanned {
                trace_stack(hub, w.stack, tracer);
                w.scanned = true;
            }
        }
    }
}

/// Visits the words of a parked native stack.
fn trace_stack(hub: &skein_continuations::Hub, stack: Option<StackId>, tracer: &mut Tracer<'_>) {
    if let Some(range) = hub.parked_range(stack) {
        let words = (range.end - range.start) / 8;
        // SAFETY: the hub says that this part of the parked stack is in use.
        unsafe { tracer.visit_conservative(range.start as *const u64, words) };
    }
}
