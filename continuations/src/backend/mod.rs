//! What does the switch itself: one trait, two implementations.
//!
//! A backend knows how to start a body on a stack of its own, to resume it, and
//! to suspend from within it. [`crate::Fiber`] adds to that what both backends
//! need alike: states, panics, and the pointers that a scanner asks for.

pub(crate) mod corosensei;
#[cfg(feature = "generator")]
pub(crate) mod generator;

use crate::bounds::StackBounds;
use crate::pool::{StackError, StackPool};

/// What came out of a coroutine when it handed control back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer<Out, Ret> {
    /// It suspended itself with this value.
    Yielded(Out),
    /// Its body returned this value; it cannot be resumed again.
    Returned(Ret),
}

/// A coroutine ready to start, and the stack it will run on.
pub struct Prepared<C> {
    /// The coroutine.
    pub coroutine: C,
    /// The usable part of its stack.
    pub bounds: StackBounds,
}

/// A way of switching stacks.
///
/// Dropping a coroutine that has not started drops its body; dropping one that
/// has finished frees its stack. Dropping one that is suspended may unwind its
/// stack, which [`crate::Fiber`] therefore never does.
///
/// # Safety
/// The body must run on a stack that is the coroutine's alone and lies within
/// the bounds told, from the first `resume` on; while it is suspended, all words
/// alive on that stack, saved registers included, must be at most `SLACK` below
/// the stack pointer of the caller of `suspend`, and likewise for `resume`.
pub unsafe trait Backend: Sized + 'static {
    /// For reports.
    const NAME: &'static str;
    /// Bytes at the base of a stack that the backend uses for itself before the
    /// body's closure is stored.
    const HEADER: usize;

    /// How many bytes below the stack pointer of a caller of `suspend` or `resume`
    /// the switch, and the functions it goes through, may save registers.
    const SLACK: usize;

    /// A body and the stack it runs on.
    type Coroutine<In: 'static, Out: 'static, Ret: 'static>;
    /// What a body suspends itself through.
    type Suspender<In: 'static, Out: 'static>;

    /// Prepares `body` to run on a stack of its own; it starts at the first
    /// `resume`. The body must not unwind.
    ///
    /// # Errors
    /// [`StackError`] when no stack can be had.
    fn create<In, Out, Ret, F>(
        pool: &StackPool,
        body: F,
    ) -> Result<Prepared<Self::Coroutine<In, Out, Ret>>, StackError>
    where
        In: 'static,
        Out: 'static,
        Ret: 'static,
        F: FnOnce(&Self::Suspender<In, Out>, In) -> Ret + 'static;

    /// Runs the coroutine until it suspends itself or returns. Panics if it has
    /// returned already.
    fn resume<In: 'static, Out: 'static, Ret: 'static>(
        coroutine: &mut Self::Coroutine<In, Out, Ret>,
        value: In,
    ) -> Transfer<Out, Ret>;

    /// Hands `value` to the resumer, and waits to be resumed.
    ///
    /// # Safety
    /// Must be called on the stack of the coroutine whose body was given this
    /// suspender.
    unsafe fn suspend<In: 'static, Out: 'static>(suspender: &Self::Suspender<In, Out>, value: Out) -> In;
}
