//! The backend for comparison: `generator`, on stacks it maps itself.
//!
//! ```text
//!   base  +--------------------+  page-aligned: a mapping of its own
//!         | the generator      |  registers, stack handle, value slots
//!         +--------------------+  <- `into_raw`
//!         | the body's closure |
//!         +--------------------+
//!         | frames             |
//!   limit +--------------------+
//!         | protected page     |  splits the mapping: the kernel's limit on
//!         +--------------------+  mappings is reached near 32,000 stacks
//! ```
//!
//! It takes no stacks from outside, so the pool is asked for the size only. On
//! first use it installs a handler for SIGSEGV and a panic hook, process-wide.

use std::marker::PhantomData;

use generator::{Gn, LocalGenerator, Scope};

use crate::backend::{Backend, Prepared, Transfer};
use crate::bounds::{StackBounds, with_spilled_registers};
use crate::mapping::page_size;
use crate::pool::{StackError, StackPool};

/// `generator`, on stacks of its own.
pub struct Generator;

/// A `Scope` without its lifetimes and return type.
pub struct Suspender<In, Out> {
    scope: *mut (),
    suspend: unsafe fn(*mut (), Out) -> In,
    types: PhantomData<fn(Out) -> In>,
}

// SAFETY: each generator maps a stack of its own, and is asked for its size; how
// its base is found is told in `create`. A suspended one has its registers in
// the generator at the base of its stack, or in the frames of the five functions
// on the way; a resumer has them in the frame of `with_spilled_registers`.
unsafe impl Backend for Generator {
    const NAME: &'static str = "generator";
    const HEADER: usize = 1024;
    const SLACK: usize = 1024;

    type Coroutine<In: 'static, Out: 'static, Ret: 'static> = LocalGenerator<'static, In, Transfer<Out, Ret>>;
    type Suspender<In: 'static, Out: 'static> = Suspender<In, Out>;

    fn create<In, Out, Ret, F>(
        pool: &StackPool,
        body: F,
    ) -> Result<Prepared<Self::Coroutine<In, Out, Ret>>, StackError>
    where
        In: 'static,
        Out: 'static,
        Ret: 'static,
        F: FnOnce(&Self::Suspender<In, Out>, In) -> Ret + 'static,
    {
        // An even number of words: an odd one asks for the stack to be filled.
        let words = pool.stack_size() / size_of::<usize>();
        let coroutine: Self::Coroutine<In, Out, Ret> = Gn::new_scoped_opt_local(words, move |mut scope| {
            let first = scope.get_yield().expect("the first resume gives a value");
            let suspender = Suspender {
                scope: (&raw mut scope).cast(),
                suspend: suspend_in::<In, Out, Ret>,
                types: PhantomData,
            };
            Transfer::Returned(body(&suspender, first))
        });
        let size = coroutine.stack_usage().0 * size_of::<usize>();
        let raw = coroutine.into_raw();
        // The generator lies directly below the page-aligned base, and is
        // smaller than a page.
        let base = (raw as usize | (page_size() - 1)) + 1;
        // SAFETY: `raw` comes from `into_raw` on this very type one line ago,
        // and is made a generator again once.
        let coroutine = unsafe { LocalGenerator::from_raw(raw) };
        Ok(Prepared { coroutine, bounds: StackBounds { base, limit: base - size } })
    }

    #[inline(always)]
    fn resume<In: 'static, Out: 'static, Ret: 'static>(
        coroutine: &mut Self::Coroutine<In, Out, Ret>,
        value: In,
    ) -> Transfer<Out, Ret> {
        // The resumer's registers are saved on the heap if it is the OS stack,
        // where no scanner looks; so they are stored on the stack as well.
        with_spilled_registers(|_| coroutine.raw_send(Some(value)))
            .expect("attempt to resume a completed coroutine")
    }

    #[inline(always)]
    unsafe fn suspend<In: 'static, Out: 'static>(suspender: &Self::Suspender<In, Out>, value: Out) -> In {
        // SAFETY: the pointer is to the scope in the root frame of the calling
        // coroutine (the caller's promise), which lives until the body returns,
        // and the function was made for that scope's types.
        unsafe { (suspender.suspend)(suspender.scope, value) }
    }
}

/// Suspends through the scope at `scope`.
///
/// # Safety
/// `scope` must point to the scope of the running coroutine, made for these
/// types.
unsafe fn suspend_in<In: 'static, Out: 'static, Ret: 'static>(scope: *mut (), value: Out) -> In {
    // SAFETY: the caller shows the type; the lifetimes of `Scope` do not take
    // part in its layout. While the coroutine is suspended inside `yield_unsafe`
    // nothing else reaches the scope, so the unique reference is unique. The
    // value is owned, so no borrow of it crosses the switch.
    unsafe {
        let scope = &mut *scope.cast::<Scope<'_, '_, In, Transfer<Out, Ret>>>();
        scope.yield_unsafe(Transfer::Yielded(value))
    }
    .expect("every resume gives a value")
}
