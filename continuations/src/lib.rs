//! Native stack switching for Skein, with no knowledge of Python.
//!
//! Three layers, each usable without the one above:
//!
//! - [`StackPool`] cuts stacks out of one large mapping, so that hundreds of
//!   thousands can exist at once and idle ones give their pages back.
//! - [`Fiber`] is a stackful coroutine on such a stack. A [`Backend`] does the
//!   switch itself: [`Corosensei`] by default, `Generator` for comparison.
//! - [`Hub`] lets any stack of an OS thread switch to any other by id. The
//!   thread's own stack takes part: while it is parked, its call to
//!   [`Hub::switch_to`] is the dispatcher that resumes the others.
//!
//! # Invariants
//!
//! - **A suspended stack is never unwound or dropped.** Its frames hold values
//!   that other code may point to. A fiber dropped while suspended leaks its
//!   stack, which [`PoolStats::leaked`] counts; the layer above ends a parked
//!   computation by resuming it and raising inside it.
//! - **A stack never changes its OS thread.** Nothing here is `Send`.
//! - **Overflow is kept off in software.** Code that recurses compares the stack
//!   pointer with [`StackLimit`]; where the kernel has lightweight guards
//!   (Linux 6.13), they turn a missed check into a fault instead of damage.
//! - **There are no globals.** All state hangs off a pool or a hub.
//!
//! # Scanning stacks for references
//!
//! A conservative collector scans `saved_sp()..bounds().base` of each fiber
//! that is not running ([`Fiber::scan_range`], [`Hub::parked_range`]), and from
//! the pointer that [`with_spilled_registers`] gives up to the base of the
//! stack it runs on. A fiber that has not started keeps its closure on its own
//! stack, inside that range, so captured words are found as well. The values in
//! flight during a switch live in registers only, and no code of the caller's
//! runs in between.

mod backend;
mod bounds;
mod fiber;
mod hub;
mod mapping;
mod pool;

pub use backend::corosensei::Corosensei;
#[cfg(feature = "generator")]
pub use backend::generator::Generator;
pub use backend::{Backend, Prepared, Transfer};
pub use bounds::{StackBounds, StackLimit, current_stack_pointer, os_stack_bounds, with_spilled_registers};
pub use fiber::{Fiber, Resumed, Yielder};
pub use hub::{Entry, Exit, Hub, StackId};
pub use pool::{PoolConfig, PoolStack, PoolStats, StackError, StackPool};
