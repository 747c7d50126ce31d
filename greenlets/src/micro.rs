//! One microthread: a context, and how it is parked.

use skein_continuations::{Hub, StackId};
use skein_runtime::context::Context;
use skein_runtime::interp::{At, Site, clear_dead_from};
use skein_runtime::object::Tracer;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// Where a microthread is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum State {
    /// It has not begun; its context has no memory yet.
    New,
    /// It runs now.
    Running,
    /// Parked softly: its context says where to go on.
    Soft,
    /// As `Soft`, and a tasklet waits in it: see [`Micro::lent`].
    SoftLent,
    /// Parked with the native stack it was running on, the first of its `stacks`.
    Hard,
    /// It has ended.
    Dead,
}

/// A native stack of a microthread that does not run: the one it is parked on, or one that waits
/// for those above it. The record lies on that very stack, in the frame that waits there.
pub struct Parked {
    hub: *const Hub,
    /// None: the thread's own.
    stack: Option<StackId>,
    /// It was scanned since it began to wait, and cannot have changed.
    scanned: Cell<bool>,
    below: Cell<*const Parked>,
    /// Whose it is.
    micro: *const Micro,
    /// Neighbours in the list of those that are parked: see [`ParkedList`].
    next: Cell<*const Parked>,
    prev: Cell<*const Parked>,
    /// What programs see of it, which the scan of the native stack keeps alive.
    object: Cell<Option<Value>>,
}

impl Parked {
    pub fn new(hub: &Hub, micro: &Micro) -> Parked {
        let none = || Cell::new(std::ptr::null());
        Parked {
            hub,
            stack: hub.current(),
            scanned: Cell::new(false),
            below: none(),
            micro,
            next: none(),
            prev: none(),
            object: Cell::new(None),
        }
    }

    pub fn micro(&self) -> &Micro {
        // SAFETY: it is parked, on the stack where this is, and objects do not move.
        unsafe { &*self.micro }
    }

    /// What programs see of it.
    pub fn shown(&self) -> Option<Value> {
        self.object.get()
    }

    pub fn show(&self, object: Value) {
        self.object.set(Some(object));
        self.scanned.set(false);
    }

    pub fn next(&self) -> Option<&Parked> {
        // SAFETY: records are taken off the list before their frames go on.
        unsafe { self.next.get().as_ref() }
    }

    pub fn prev(&self) -> Option<&Parked> {
        // SAFETY: as in `next`.
        unsafe { self.prev.get().as_ref() }
    }
}

/// The microthreads of a thread that are parked with their native stacks, the one parked last first.
pub struct ParkedList(Cell<*const Parked>);

impl Default for ParkedList {
    fn default() -> ParkedList {
        ParkedList(Cell::new(std::ptr::null()))
    }
}

impl ParkedList {
    /// The record must not move until it is taken off.
    pub fn add(&self, record: &Parked) {
        record.next.set(self.0.get());
        if let Some(next) = record.next() {
            next.prev.set(record);
        }
        self.0.set(record);
    }

    pub fn take_off(&self, record: &Parked) {
        match record.prev() {
            Some(prev) => prev.next.set(record.next.get()),
            None => self.0.set(record.next.get()),
        }
        if let Some(next) = record.next() {
            next.prev.set(record.prev.get());
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Parked> {
        // SAFETY: as in `Parked::next`.
        std::iter::successors(unsafe { self.0.get().as_ref() }, |p| p.next())
    }
}

/// [`Micro::result`] of one that was interrupted between two instructions: nothing is to be stored.
pub const NO_RESULT: u16 = u16::MAX;

/// One microthread. The first thing in a greenlet's or tasklet's payload, which does not move.
#[repr(C)]
pub struct Micro {
    pub ctx: Context,
    /// Its native stacks that do not run, the uppermost first.
    stacks: Cell<*const Parked>,
    pub state: Cell<State>,
    pub kind: Kind,
    /// A greenlet in which a tasklet waits: it goes on with that tasklet only.
    pub lent: Cell<bool>,
    /// It is made to go on and has not reached the loop yet.
    pub entering: Cell<bool>,
    /// Register that takes what is sent to it, while it is parked softly.
    pub result: Cell<u16>,
}

/// What a microthread belongs to: who goes on when it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
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
            stacks: Cell::new(std::ptr::null()),
            state: Cell::new(State::New),
            kind,
            lent: Cell::new(false),
            entering: Cell::new(false),
            result: Cell::new(0),
        }
    }

    #[inline(always)]
    pub fn is_alive(&self) -> bool {
        !matches!(self.state.get(), State::New | State::Dead)
    }

    /// The object that it is part of; the main program's is none.
    #[inline(always)]
    pub fn owner(&self) -> Option<Value> {
        use crate::greenlet::Greenlet;
        use crate::tasklet::Tasklet;
        use skein_runtime::types::ext::Ext;
        // SAFETY: microthreads of these kinds are made within these payloads only (`Micro::new` is
        // called by their constructors), at the beginning (asserted there).
        unsafe {
            match self.kind {
                Kind::Main => None,
                Kind::Greenlet => Some(Ext::of_payload(std::ptr::from_ref(self).cast::<Greenlet>()).value()),
                Kind::Tasklet => Some(Ext::of_payload(std::ptr::from_ref(self).cast::<Tasklet>()).value()),
            }
        }
    }

    /// The microthread that an object is.
    pub fn of_owner<'a>(v: Value) -> Option<&'a Micro> {
        use skein_runtime::types::ext::Ext;
        let m = match v.cast::<Ext<crate::greenlet::Greenlet>>() {
            Some(g) => std::ptr::from_ref(&g.micro),
            None => std::ptr::from_ref(&v.cast::<Ext<crate::tasklet::Tasklet>>()?.micro),
        };
        // SAFETY: objects do not move, and whoever has asked keeps this one.
        Some(unsafe { &*m })
    }

    /// The native stack it runs on is left, for good measure until `unpark`.
    pub fn park(&self, record: &Parked) {
        record.below.set(self.stacks.get());
        self.stacks.set(record);
    }

    /// The record parked last is about to go away.
    pub fn unpark(&self, record: &Parked) {
        debug_assert!(std::ptr::eq(self.stacks.get(), record));
        self.stacks.set(record.below.get());
    }

    /// The native stack that it is parked on.
    pub fn stack(&self) -> Option<StackId> {
        // SAFETY: records are there as long as their frames wait, which take them off the list.
        unsafe { self.stacks.get().as_ref() }.and_then(|p| p.stack)
    }

    /// Visits what a parked microthread holds; one that runs is the isolate's root.
    #[inline]
    pub fn trace(&self, tracer: &mut Tracer<'_>) {
        match self.state.get() {
            // Its context has no frames, but may have variables.
            State::New | State::Dead => {
                if let Some(v) = self.ctx.variables.get() {
                    tracer.visit_word(v.bits());
                }
            }
            State::Running => {}
            State::Soft | State::SoftLent | State::Hard => self.trace_context(&self.ctx, tracer),
        }
    }

    /// Visits what one that is parked holds in its context and on its native stacks.
    pub fn trace_context(&self, ctx: &Context, tracer: &mut Tracer<'_>) {
        if tracer.is_thorough()
            && let Some(site) = self.site(ctx)
        {
            clear_dead_from(site);
        }
        Vm::trace_suspended(ctx, tracer);
        if self.state.get() == State::Hard {
            self.trace_stacks(tracer, true);
        }
    }

    /// What its innermost frame is at; None: it runs, has ended, or not begun. The main program's context is the isolate's.
    pub fn site(&self, ctx: &Context) -> Option<Site> {
        let (pc, base) = (ctx.pc.get(), ctx.base.get());
        match self.state.get() {
            State::Hard => Some(Site::from_parts(pc, base)),
            State::Soft | State::SoftLent if self.result.get() == NO_RESULT => Some(At { pc, base }.site()),
            // It goes on behind its call.
            State::Soft | State::SoftLent => Some(At { pc, base }.call_site()),
            State::New | State::Running | State::Dead => None,
        }
    }

    /// Visits the native stacks that do not run; those that cannot have changed only if `all`.
    pub fn trace_stacks(&self, tracer: &mut Tracer<'_>, all: bool) {
        let mut next = self.stacks.get();
        // SAFETY: as in `stack`.
        while let Some(p) = unsafe { next.as_ref() } {
            if all || !p.scanned.get() {
                // SAFETY: the hub outlives its stacks; it says which part of the stack is in use.
                unsafe {
                    if let Some(range) = (*p.hub).parked_range(p.stack) {
                        tracer.visit_conservative(range.start as *const u64, (range.end - range.start) / 8);
                    }
                }
                p.scanned.set(true);
            }
            next = p.below.get();
        }
    }
}
