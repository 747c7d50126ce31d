//! The default backend: `corosensei` on pooled stacks.
//!
//! ```text
//!   base  +--------------------+
//!         | initial function   |  16 bytes: the parent link is where a running
//!         | parent link        |  coroutine finds its resumer
//!         +--------------------+
//!         | the body's closure |  moved into a frame when it starts
//!         +--------------------+
//!         | frames             |
//!         +--------------------+  <- stack pointer in `suspend`
//!         | rbp, rbx, return   |  pushed by the switch, found by starting the
//!         +--------------------+  scan some way below the stack pointer
//! ```

use corosensei::{Coroutine, CoroutineResult, Yielder};

use crate::backend::{Backend, Prepared, Transfer};
use crate::pool::{PoolStack, StackError, StackPool};

/// `corosensei`, on stacks from the pool.
pub struct Corosensei;

// SAFETY: the stack was taken from the pool for this coroutine, with its bounds.
// The switch pushes three words below the frame of `Yielder::suspend` (one more
// function in a build without inlining), and two and a frame below `resume`.
unsafe impl Backend for Corosensei {
    const NAME: &'static str = "corosensei";
    const HEADER: usize = 64;
    const SLACK: usize = 512;

    type Coroutine<In: 'static, Out: 'static, Ret: 'static> = Coroutine<In, Out, Ret, PoolStack>;
    type Suspender<In: 'static, Out: 'static> = Yielder<In, Out>;

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
        let stack = pool.acquire()?;
        let bounds = stack.bounds();
        Ok(Prepared { coroutine: Coroutine::with_stack(stack, body), bounds })
    }

    #[inline(always)]
    fn resume<In: 'static, Out: 'static, Ret: 'static>(
        coroutine: &mut Self::Coroutine<In, Out, Ret>,
        value: In,
    ) -> Transfer<Out, Ret> {
        match coroutine.resume(value) {
            CoroutineResult::Yield(out) => Transfer::Yielded(out),
            CoroutineResult::Return(ret) => Transfer::Returned(ret),
        }
    }

    #[inline(always)]
    unsafe fn suspend<In: 'static, Out: 'static>(suspender: &Self::Suspender<In, Out>, value: Out) -> In {
        suspender.suspend(value)
    }
}
