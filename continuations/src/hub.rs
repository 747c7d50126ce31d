//! Switching from any stack of an OS thread to any other, by id.
//!
//! ```text
//!   OS stack                        fibers of the hub
//!   +----------------------+       +----------+  +----------+  +----------+
//!   | frames               |       | root     |  | root     |  | root     |
//!   | switch_to(Some(A), …)|       | frames   |  | frames   |  | entry not|
//!   | dispatch: resume A,  |  ───> | running  |  | parked in|  | started  |
//!   |  serve its requests  |       |          |  | switch_to|  |          |
//!   +----------------------+       +----------+  +----------+  +----------+
//!                                    A, current    B              C
//! ```
//!
//! A switch from A to B: A's `switch_to` leaves the payload in the hub and
//! suspends A with the address of B's core as the request; the dispatcher, which
//! never left the OS stack, resumes that core. A request for the OS stack (null)
//! makes the dispatcher return, that is, the parked `switch_to` down there.
//!
//! Invariants:
//! - `current` is null exactly while no fiber runs, and then no dispatcher is
//!   active either: a dispatcher runs a fiber or is about to return. So there is
//!   at most one dispatcher, and it is the topmost frame of the OS stack.
//! - A switch is made only on the stack that `current` names, which `switch_to`
//!   checks against the stack pointer: a fiber not started by the hub, or another
//!   hub's, cannot park a stack that is not its own.
//! - An id stays taken while its stack lives, so the core that a request points
//!   to is there when the dispatcher resumes it: only the dispatcher removes
//!   cores, after their return, and no code of a fiber runs in between.

use std::cell::{Cell, RefCell};
use std::marker::PhantomPinned;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::process;
use std::ptr::{self, NonNull};
use std::thread;

use slab::Slab;

use crate::backend::Backend;
use crate::backend::corosensei::Corosensei;
use crate::bounds::{StackBounds, StackLimit, current_stack_pointer, os_stack_bounds};
use crate::fiber::{Core, Fiber, Resumed};
use crate::pool::{StackError, StackPool};

/// A stack of a [`Hub`]; small, and used again once the stack has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StackId(u32);

impl StackId {
    /// The id as a small number, for tables.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where control goes when a stack ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The stack to go on with; `None` is the OS stack.
    pub to: Option<StackId>,
    /// What its parked [`Hub::switch_to`] returns.
    pub payload: usize,
}

/// The function a stack starts with: it is given the hub, the argument of
/// [`Hub::spawn`] and the payload of the first switch.
pub type Entry<B = Corosensei> = fn(&Hub<B>, arg: usize, payload: usize) -> Exit;

/// Empties the registers that a function saves before it uses them. A fresh stack begins with what the one that ran before
/// had in them; the first functions on it would keep that for as long as it lives, which a garbage collector takes for
/// references.
#[inline(always)]
fn clear_registers() {
    // SAFETY: nothing but the registers named is changed.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!(
            "xor r12d, r12d", "xor r13d, r13d", "xor r14d, r14d", "xor r15d, r15d",
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
            options(nomem, nostack),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!(
            "mov x20, xzr", "mov x21, xzr", "mov x22, xzr", "mov x23, xzr", "mov x24, xzr",
            "mov x25, xzr", "mov x26, xzr", "mov x27, xzr", "mov x28, xzr",
            out("x20") _, out("x21") _, out("x22") _, out("x23") _, out("x24") _,
            out("x25") _, out("x26") _, out("x27") _, out("x28") _,
            options(nomem, nostack, preserves_flags),
        );
    }
}

/// A hub's fiber takes a payload, asks for a core (null: the OS stack), and ends
/// by saying where to go.
type HubFiber<B> = Fiber<usize, *const (), Exit, B>;
type HubCore<B> = Core<usize, *const (), Exit, B>;

/// All stacks of one OS thread, and which of them runs.
///
/// ```
/// use skein_continuations::{Corosensei, Exit, Hub, StackPool};
///
/// fn twice(hub: &Hub, arg: usize, payload: usize) -> Exit {
///     let payload = hub.switch_to(None, payload + arg);
///     Exit { to: None, payload: payload * arg }
/// }
///
/// let hub = Hub::<Corosensei>::new(StackPool::default());
/// let stack = hub.spawn(twice, 10)?;
/// assert_eq!(hub.switch_to(Some(stack), 1), 11);
/// assert_eq!(hub.switch_to(Some(stack), 5), 50);
/// assert!(hub.is_empty());
/// # Ok::<(), skein_continuations::StackError>(())
/// ```
pub struct Hub<B: Backend = Corosensei> {
    /// Null while the OS stack runs.
    current: Cell<*const HubCore<B>>,
    /// The running stack's, at an address for compiled code.
    limit: Cell<StackLimit>,
    /// In flight during a switch.
    payload: Cell<usize>,
    switches: Cell<u64>,
    stacks: RefCell<Slab<HubFiber<B>>>,
    os_bounds: StackBounds,
    pool: StackPool,
    /// Fibers hold the hub's address: `new` is the only way to a hub and gives a
    /// pinned one, so no hub is ever moved.
    _pinned: PhantomPinned,
}

impl<B: Backend> Hub<B> {
    /// A hub for the calling thread, to be made and used on its OS stack first.
    /// Stacks come from `pool`.
    pub fn new(pool: StackPool) -> Pin<Box<Self>> {
        let os_bounds = os_stack_bounds();
        Box::pin(Hub {
            current: Cell::new(ptr::null()),
            limit: Cell::new(StackLimit::new(os_bounds)),
            payload: Cell::new(0),
            switches: Cell::new(0),
            stacks: RefCell::new(Slab::new()),
            os_bounds,
            pool,
            _pinned: PhantomPinned,
        })
    }

    /// A new stack that runs `entry` when it is first switched to.
    ///
    /// # Errors
    /// [`StackError`] when no stack can be had.
    pub fn spawn(&self, entry: Entry<B>, arg: usize) -> Result<StackId, StackError> {
        let hub = NonNull::from(self);
        let fiber = HubFiber::<B>::new(&self.pool, move |_, payload| {
            // SAFETY: a fiber of the hub runs only inside `dispatch`, whose
            // caller borrows the hub, and a hub is always pinned, so it is still
            // where it was. The reference cannot leave `entry`, which takes it with any
            // lifetime; on a stack that is parked for good it is never used.
            let hub = unsafe { hub.as_ref() };
            clear_registers();
            entry(hub, arg, payload)
        })?;
        let mut stacks = self.stacks.borrow_mut();
        let place = stacks.vacant_entry();
        let id = u32::try_from(place.key()).expect("fewer than 2^32 stacks");
        fiber.core().set_tag(id);
        place.insert(fiber);
        Ok(StackId(id))
    }

    /// Parks the running stack and goes on with `target` (`None`: the OS stack).
    /// Returns the payload of the switch that comes back here; at once, with
    /// `payload` itself, if `target` is the running stack.
    ///
    /// # Panics
    /// If `target` is no stack of this hub, or the caller runs on a stack that is
    /// not the hub's current one. On the OS stack also with the panic of an
    /// [`Entry`] that was running meanwhile.
    #[inline]
    pub fn switch_to(&self, target: Option<StackId>, payload: usize) -> usize {
        self.check_running_on_current();
        let next = match target {
            None => ptr::null(),
            Some(id) => self.core(id),
        };
        if ptr::eq(next, self.current.get()) {
            return payload;
        }
        self.payload.set(payload);
        match self.current_core() {
            // SAFETY: the check above shows that this code runs on the stack of
            // the current fiber.
            Some(core) => unsafe { core.suspend(next.cast()) },
            None => self.dispatch(next),
        }
    }

    /// Calls `f` on a fresh stack while the running one waits.
    ///
    /// `f` may switch to other stacks. Whoever switches to the waiting stack
    /// meanwhile reaches the stack of `f` instead, which stands for it. A panic
    /// in `f` goes on in the caller.
    ///
    /// # Errors
    /// [`StackError`] when no stack can be had; `f` was not called then.
    pub fn call_on_new_stack<F, R>(&self, f: F) -> Result<R, StackError>
    where
        F: FnOnce() -> R,
    {
        let mut call = Call { f: Some(f), result: None, home: self.current() };
        let call_ptr = &raw mut call;
        let stack = self.spawn(run_call::<F, R, B>, call_ptr as usize)?;
        let mut payload = 0;
        loop {
            let back = catch_unwind(AssertUnwindSafe(|| self.switch_to(Some(stack), payload)));
            // SAFETY: the other stack writes to the call only while it runs, and
            // here it does not.
            if let Some(result) = unsafe { (*call_ptr).result.take() } {
                return Ok(result.unwrap_or_else(|panic| resume_unwind(panic)));
            }
            match back {
                Ok(switched) => payload = switched,
                // A panic of another stack came down to the OS stack. Unwinding
                // would end the frames that `f`, which is parked, may borrow.
                Err(_) => {
                    eprintln!("panic across a parked call on a fresh stack: aborting");
                    process::abort();
                }
            }
        }
    }

    /// The running stack; `None` is the OS stack.
    #[inline]
    pub fn current(&self) -> Option<StackId> {
        self.current_core().map(|core| StackId(core.tag()))
    }

    /// The limit of the running stack.
    #[inline]
    pub fn current_limit(&self) -> StackLimit {
        self.limit.get()
    }

    /// Where [`current_limit`](Self::current_limit) is kept, for compiled code;
    /// valid as long as the hub.
    pub fn limit_address(&self) -> *const StackLimit {
        self.limit.as_ptr()
    }

    /// The bounds of the running stack.
    #[inline]
    pub fn current_bounds(&self) -> StackBounds {
        self.current_core().map_or(self.os_bounds, HubCore::<B>::bounds)
    }

    /// The words to scan of a stack that is not running, `None` for the one that
    /// is. A stack not started yet has only its argument there, as an integer.
    ///
    /// # Panics
    /// If `stack` is no stack of this hub.
    pub fn parked_range(&self, stack: Option<StackId>) -> Option<Range<usize>> {
        match stack {
            Some(id) => self.stacks.borrow()[id.index()].scan_range(),
            None => {
                // A fiber of the hub is always resumed from the OS stack.
                let resumer_sp = self.current_core()?.resumer_sp();
                Some(self.os_bounds.in_use_from(resumer_sp))
            }
        }
    }

    /// Calls `f` for each stack that is not running, the OS stack included.
    /// `f` must neither spawn nor switch.
    pub fn for_each_parked(&self, mut f: impl FnMut(Option<StackId>, Range<usize>)) {
        if let Some(range) = self.parked_range(None) {
            f(None, range);
        }
        for (_, fiber) in self.stacks.borrow().iter() {
            if let Some(range) = fiber.scan_range() {
                f(Some(StackId(fiber.core().tag())), range);
            }
        }
    }

    /// How many stacks there are besides the OS stack.
    pub fn len(&self) -> usize {
        self.stacks.borrow().len()
    }

    /// Is the OS stack the only one?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often a stack was entered from another since the hub was made.
    pub fn switches(&self) -> u64 {
        self.switches.get()
    }

    /// Where the stacks come from.
    pub fn pool(&self) -> &StackPool {
        &self.pool
    }

    /// Resumes `next`, then whatever the running fiber asks for, until that is
    /// the OS stack. Runs on the OS stack, with `current` null.
    #[inline(never)]
    fn dispatch(&self, mut next: *const HubCore<B>) -> usize {
        loop {
            let core = NonNull::new(next.cast_mut()).expect("the OS stack does not resume itself");
            // SAFETY: `next` came from `core` (checked there) on this stack or on
            // the one that just parked; stacks are removed below only, and this
            // one was not, since its fiber has not run meanwhile.
            let resumed = unsafe {
                self.enter(core.as_ref());
                Core::resume(core, self.payload.get())
            };
            match resumed {
                Resumed::Yielded(request) => next = request.cast(),
                Resumed::Returned(result) => {
                    // Until the exit is known to be good the OS stack runs.
                    let ended = self.current().expect("a fiber was running");
                    self.leave();
                    drop(self.stacks.borrow_mut().remove(ended.index()));
                    let exit = result.unwrap_or_else(|panic| resume_unwind(panic));
                    self.payload.set(exit.payload);
                    next = exit.to.map_or(ptr::null(), |id| self.core(id));
                }
            }
            if next.is_null() {
                self.leave();
                return self.payload.get();
            }
        }
    }

    /// Notes that the fiber of `core` runs now.
    #[inline(always)]
    fn enter(&self, core: &HubCore<B>) {
        self.current.set(core);
        self.limit.set(StackLimit::new(core.bounds()));
        self.switches.set(self.switches.get() + 1);
    }

    /// Notes that the OS stack runs now.
    fn leave(&self) {
        self.current.set(ptr::null());
        self.limit.set(StackLimit::new(self.os_bounds));
    }

    /// The core of the running fiber.
    #[inline(always)]
    fn current_core(&self) -> Option<&HubCore<B>> {
        // SAFETY: `current` is null or the core of the running fiber, which is
        // freed by the dispatcher after the fiber has returned and `current` has
        // been set to null; its fields are cells.
        unsafe { self.current.get().as_ref() }
    }

    #[inline]
    fn core(&self, id: StackId) -> *const HubCore<B> {
        match self.stacks.borrow().get(id.index()) {
            Some(fiber) => fiber.core_ptr().as_ptr(),
            None => no_such_stack(id),
        }
    }

    #[inline]
    fn check_running_on_current(&self) {
        if !self.current_bounds().contains(current_stack_pointer()) {
            foreign_stack();
        }
    }
}

/// A call that runs on a fresh stack; it lives in the waiting caller's frame.
struct Call<F, R> {
    f: Option<F>,
    result: Option<thread::Result<R>>,
    home: Option<StackId>,
}

/// The entry of a fresh stack for one call.
fn run_call<F, R, B: Backend>(_: &Hub<B>, arg: usize, _: usize) -> Exit
where
    F: FnOnce() -> R,
{
    let call = arg as *mut Call<F, R>;
    // SAFETY: `call_on_new_stack` passes the address of a call of these types in
    // its own frame, and does not leave that frame before `result` is set: it
    // loops, or aborts. It touches the call only while this stack is not running.
    unsafe {
        let f = (*call).f.take().expect("a call is made once");
        let result = catch_unwind(AssertUnwindSafe(f));
        (*call).result = Some(result);
        Exit { to: (*call).home, payload: 0 }
    }
}

#[cold]
#[inline(never)]
fn no_such_stack(id: StackId) -> ! {
    panic!("switch to stack {}, which does not exist", id.0)
}

#[cold]
#[inline(never)]
fn foreign_stack() -> ! {
    panic!("a switch from a stack that is not the hub's current one")
}
