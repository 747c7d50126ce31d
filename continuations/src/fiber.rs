//! A stackful coroutine that panics into its resumer, is never unwound from
//! outside, and tells a scanner where its live words are.
//!
//! ```text
//!   Fiber ──> Core (boxed: the stack points to it, so it must not move)
//!              state, saved_sp, resumer_sp, yielder ──┐
//!                                                     │
//!   the fiber's stack                                 │
//!   base +--------------------------+                 │
//!        | backend's header         |                 │
//!        | root frame: Yielder      | <───────────────┘ (from the start on)
//!        | frames of the body       |
//!        | frame of `suspend`       | <- stack pointer that `suspend` records
//!        | registers saved by the   |
//!        | switch, at most B::SLACK |
//!        +--------------------------+ <- saved_sp: scan from here to base
//!        | free                     |
//!  limit +--------------------------+
//! ```

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::{self, NonNull};
use std::thread;

use crate::backend::corosensei::Corosensei;
use crate::backend::{Backend, Prepared, Transfer};
use crate::bounds::{StackBounds, current_stack_pointer};
use crate::pool::{StackError, StackPool};

/// What a resumed fiber did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed<Out, Ret> {
    /// It suspended itself with this value, and can be resumed.
    Yielded(Out),
    /// It returned this value; its stack is free again.
    Returned(Ret),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fresh,
    Running,
    Suspended,
    Finished,
}

/// A backend's coroutine whose body returns what it caught.
type Coroutine<In, Out, Ret, B> = <B as Backend>::Coroutine<In, Out, thread::Result<Ret>>;

/// The part of a fiber with a fixed address.
pub(crate) struct Core<In: 'static, Out: 'static, Ret: 'static, B: Backend> {
    state: Cell<State>,
    /// While not running: the lowest address to scan.
    saved_sp: Cell<usize>,
    /// While running: the lowest address to scan on the stack that resumed it.
    resumer_sp: Cell<usize>,
    /// From the first resume to the return of the body: how to suspend it.
    yielder: Cell<*const Yielder<In, Out, B>>,
    /// For the owner's use: the hub keeps its id for the fiber here.
    tag: Cell<u32>,
    bounds: StackBounds,
    pool: StackPool,
    coroutine: UnsafeCell<ManuallyDrop<Coroutine<In, Out, Ret, B>>>,
}

impl<In, Out, Ret, B: Backend> Core<In, Out, Ret, B> {
    /// Runs the fiber until it suspends itself or ends; a panic that ended it is
    /// returned as `Returned(Err(_))`.
    ///
    /// # Safety
    /// `core` must point to the core of a fiber that is not dropped during the
    /// call.
    #[inline(always)]
    pub(crate) unsafe fn resume(core: NonNull<Self>, value: In) -> Resumed<Out, thread::Result<Ret>> {
        // SAFETY: the caller keeps the core alive, and all fields written while
        // it runs are cells, so a shared reference is sound.
        let this = unsafe { core.as_ref() };
        match this.state.get() {
            State::Fresh | State::Suspended => {}
            state => not_resumable(state),
        }
        this.state.set(State::Running);
        this.resumer_sp.set(current_stack_pointer().saturating_sub(B::SLACK));
        // SAFETY: the state was Fresh or Suspended, so the coroutine is there
        // (only Finished means that it was dropped), and no other call is inside
        // it: one that were would have left the state at Running. So this is the
        // only reference to it until the state changes below.
        let coroutine = unsafe { &mut *this.coroutine.get() };
        match B::resume(coroutine, value) {
            Transfer::Yielded(out) => {
                this.state.set(State::Suspended);
                Resumed::Yielded(out)
            }
            Transfer::Returned(ret) => {
                this.state.set(State::Finished);
                // SAFETY: a coroutine that has returned is dropped here, and
                // never again: `Finished` keeps `Fiber::drop` from it.
                unsafe { ManuallyDrop::drop(coroutine) };
                Resumed::Returned(ret)
            }
        }
    }

    /// Suspends the fiber that runs.
    ///
    /// # Safety
    /// Must be called on this fiber's own stack.
    #[inline(always)]
    pub(crate) unsafe fn suspend(&self, value: Out) -> In {
        // SAFETY: code that runs on the fiber's stack runs below its root frame,
        // where the yielder lives and set this pointer to itself.
        unsafe { (*self.yielder.get()).suspend_here(value) }
    }

    /// The owner's number for the fiber.
    #[inline(always)]
    pub(crate) fn tag(&self) -> u32 {
        self.tag.get()
    }

    pub(crate) fn set_tag(&self, tag: u32) {
        self.tag.set(tag);
    }

    /// The bounds of its stack.
    #[inline(always)]
    pub(crate) fn bounds(&self) -> StackBounds {
        self.bounds
    }

    /// What to scan of the fiber's stack; `None` if it runs or has finished.
    pub(crate) fn scan_range(&self) -> Option<Range<usize>> {
        match self.state.get() {
            State::Fresh | State::Suspended => Some(self.bounds.in_use_from(self.saved_sp.get())),
            State::Running | State::Finished => None,
        }
    }

    /// While it runs: the lowest address to scan of the stack that resumed it.
    pub(crate) fn resumer_sp(&self) -> usize {
        self.resumer_sp.get()
    }
}

#[cold]
#[inline(never)]
fn not_resumable(state: State) -> ! {
    panic!("attempt to resume a fiber that is {state:?}")
}

/// What the body of a fiber suspends itself through.
pub struct Yielder<In: 'static, Out: 'static, B: Backend = Corosensei> {
    suspender: *const B::Suspender<In, Out>,
    saved_sp: *const Cell<usize>,
    bounds: StackBounds,
}

impl<In, Out, B: Backend> Yielder<In, Out, B> {
    /// Hands `value` to the resumer, and returns what the next resume gives.
    ///
    /// Must not be called by a destructor that runs because of a panic: the
    /// count of panics belongs to the OS thread, not to the stack.
    ///
    /// # Panics
    /// If it is called on another stack than the fiber's own.
    #[inline(always)]
    pub fn suspend(&self, value: Out) -> In {
        if !self.bounds.contains(current_stack_pointer()) {
            foreign_stack();
        }
        // SAFETY: the check shows that this code runs on the fiber's stack.
        unsafe { self.suspend_here(value) }
    }

    /// `suspend` without the check.
    ///
    /// # Safety
    /// Must be called on the fiber's own stack.
    #[inline(always)]
    unsafe fn suspend_here(&self, value: Out) -> In {
        debug_assert!(!thread::panicking(), "a stack switch during a panic");
        // SAFETY: a yielder lives in the root frame of a fiber, where both
        // pointers were made: the suspender is alive as long as that frame, the
        // core as long as the fiber has not finished. That this is the stack to
        // suspend, the caller promises.
        unsafe {
            (*self.saved_sp).set(current_stack_pointer() - B::SLACK);
            B::suspend(&*self.suspender, value)
        }
    }
}

#[cold]
#[inline(never)]
fn foreign_stack() -> ! {
    panic!("attempt to suspend a fiber from another stack")
}

/// A stackful coroutine on a pooled stack.
///
/// A suspended fiber must be resumed until it returns. Dropping it before that
/// leaks its stack, with all that lives there ([`crate::PoolStats::leaked`]);
/// dropping it before its start drops the closure.
///
/// ```
/// use skein_continuations::{Fiber, Resumed, StackPool};
///
/// let pool = StackPool::default();
/// let mut sum = Fiber::<u32, u32, ()>::new(&pool, |yielder, first| {
///     let mut sum = first;
///     while sum < 10 {
///         sum += yielder.suspend(sum);
///     }
/// })?;
/// assert_eq!(sum.resume(1), Resumed::Yielded(1));
/// assert_eq!(sum.resume(5), Resumed::Yielded(6));
/// assert_eq!(sum.resume(4), Resumed::Returned(()));
/// # Ok::<(), skein_continuations::StackError>(())
/// ```
pub struct Fiber<In: 'static, Out: 'static, Ret: 'static, B: Backend = Corosensei> {
    core: NonNull<Core<In, Out, Ret, B>>,
    owns: PhantomData<Core<In, Out, Ret, B>>,
}

impl<In, Out, Ret, B: Backend> Fiber<In, Out, Ret, B> {
    /// Prepares `body` to run on a stack from `pool`; it starts with the first
    /// [`resume`](Self::resume), whose value it is given.
    ///
    /// # Errors
    /// [`StackError`] when no stack can be had; `body` is dropped.
    pub fn new<F>(pool: &StackPool, body: F) -> Result<Self, StackError>
    where
        F: FnOnce(&Yielder<In, Out, B>, In) -> Ret + 'static,
    {
        // Before the start the closure is all that lives on the stack. It is
        // aligned, and the closure made below adds a pointer to it.
        let closure = size_of::<F>() + 2 * align_of::<F>() + size_of::<usize>();
        let initial = (B::HEADER + closure).next_multiple_of(64);
        assert!(
            initial <= pool.stack_size() / 2,
            "a closure of {} bytes is too large for a stack",
            size_of::<F>()
        );
        let mut memory = Box::<Core<In, Out, Ret, B>>::new_uninit();
        let core = NonNull::from(&mut *memory).cast::<Core<In, Out, Ret, B>>();
        let Prepared { coroutine, bounds } = B::create(pool, move |suspender, first| {
            // SAFETY: the body runs while `resume` holds the core.
            let core = unsafe { core.as_ref() };
            let yielder = Yielder { suspender, saved_sp: &raw const core.saved_sp, bounds: core.bounds };
            core.yielder.set(&raw const yielder);
            // Unwinding must not reach the switch, which has no frame to unwind
            // into; the resumer goes on with the panic instead.
            catch_unwind(AssertUnwindSafe(|| body(&yielder, first)))
        })?;
        memory.write(Core {
            state: Cell::new(State::Fresh),
            saved_sp: Cell::new(bounds.base - initial),
            resumer_sp: Cell::new(0),
            yielder: Cell::new(ptr::null()),
            tag: Cell::new(0),
            bounds,
            pool: pool.clone(),
            coroutine: UnsafeCell::new(ManuallyDrop::new(coroutine)),
        });
        // From here on the memory is reached through `core` only; `drop` makes
        // it a box again.
        let _ = Box::into_raw(memory);
        Ok(Fiber { core, owns: PhantomData })
    }

    /// Runs the fiber until it suspends itself or returns.
    ///
    /// # Panics
    /// With the panic of the body, if that is how it ended; also if the fiber
    /// has finished.
    #[inline]
    pub fn resume(&mut self, value: In) -> Resumed<Out, Ret> {
        // SAFETY: `self` is borrowed for the call, so it is not dropped.
        match unsafe { Core::resume(self.core, value) } {
            Resumed::Yielded(out) => Resumed::Yielded(out),
            Resumed::Returned(Ok(ret)) => Resumed::Returned(ret),
            Resumed::Returned(Err(panic)) => go_on_panicking(panic),
        }
    }

    /// Has it returned or panicked?
    pub fn is_finished(&self) -> bool {
        self.core().state.get() == State::Finished
    }

    /// The usable part of its stack. Once it has finished, the stack may belong
    /// to another.
    pub fn bounds(&self) -> StackBounds {
        self.core().bounds
    }

    /// The lowest address that a scanner must look at while the fiber is not
    /// running. It lies a little below the last word in use.
    pub fn saved_sp(&self) -> usize {
        self.core().saved_sp.get().max(self.core().bounds.limit)
    }

    /// The part of the stack to scan: from [`saved_sp`](Self::saved_sp) to the
    /// base; `None` if it runs or has finished.
    pub fn scan_range(&self) -> Option<Range<usize>> {
        self.core().scan_range()
    }

    #[inline(always)]
    pub(crate) fn core_ptr(&self) -> NonNull<Core<In, Out, Ret, B>> {
        self.core
    }

    pub(crate) fn core(&self) -> &Core<In, Out, Ret, B> {
        // SAFETY: the core is freed in `drop` only, and its fields are cells.
        unsafe { self.core.as_ref() }
    }
}

#[cold]
fn go_on_panicking(panic: Box<dyn Any + Send>) -> ! {
    resume_unwind(panic)
}

impl<In, Out, Ret, B: Backend> Drop for Fiber<In, Out, Ret, B> {
    fn drop(&mut self) {
        match self.core().state.get() {
            State::Finished => {}
            // SAFETY: a fresh coroutine was not dropped yet, and the core that
            // holds it is freed below without dropping it again. It has no
            // frames: only its closure and its stack are dropped.
            State::Fresh => unsafe { ManuallyDrop::drop(&mut *self.core().coroutine.get()) },
            State::Suspended | State::Running => {
                self.core().pool.note_leak();
                // The core stays too: frames on the leaked stack point to it.
                return;
            }
        }
        // SAFETY: the memory came out of a box in `new`, and `self` is its one
        // owner. No frame points to it: the body never ran, or has returned.
        drop(unsafe { Box::from_raw(self.core.as_ptr()) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `corosensei` does not tell where it suspended; its own record, found by
    /// looking through it, must not be below what `saved_sp` tells.
    #[test]
    fn saved_sp_is_below_the_pointer_of_the_switch() {
        let pool = StackPool::default();
        let mut fiber = Fiber::<usize, (), ()>::new(&pool, |y, _| {
            y.suspend(());
        })
        .unwrap();
        fiber.resume(0);
        let bounds = fiber.bounds();
        let coroutine = fiber.core().coroutine.get().cast::<usize>();
        let words = size_of::<Coroutine<usize, (), (), Corosensei>>() / size_of::<usize>();
        let lowest = (0..words)
            // SAFETY: the words are inside the suspended coroutine, which is made
            // of pointers and addresses.
            .map(|i| unsafe { coroutine.add(i).read() })
            .filter(|&word| word > bounds.limit && bounds.contains(word))
            .min()
            .expect("the coroutine holds its stack pointer");
        println!("saved_sp is {} bytes below", lowest - fiber.saved_sp());
        assert!(fiber.saved_sp() < lowest);
        assert!(lowest < bounds.base - Corosensei::HEADER);
        fiber.resume(0);
    }
}
