//! Stacks cut from one large mapping.
//!
//! ```text
//!   one mapping, one entry in the kernel's list, only touched pages cost
//!   low                                                              high
//!   +----------------+----------------+----------------+-- - - - --------+
//!   | slot 0         | slot 1         | slot 2         |  never used yet |
//!   +----------------+----------------+----------------+-- - - - --------+
//!                   /                  \
//!   +-------+-----------------------------------+
//!   | guard | usable: frames grow from the right |
//!   +-------+-----------------------------------+
//!   ^ low   ^ limit                             ^ base
//! ```
//!
//! The usable size is an even number of pages, so that with the page of guard the
//! distance between neighbouring slots is an odd one. At 64 pages the hot top
//! pages of all stacks would compete for the same few sets of the TLB: a switch
//! around a ring of 10,000 stacks takes 52 ns then, against 36 ns at 65 pages.
//!
//! A slot is in use, *warm* (idle, its pages kept), *cold* (idle, its pages
//! given back) or not used yet. The slot freed last is handed out first, as its
//! pages are in the cache; when more than `keep_warm` are idle, the one idle
//! longest turns cold.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::rc::Rc;

use crate::bounds::StackBounds;
use crate::mapping::{Mapping, page_size};

/// The sizes that a [`StackPool`] works with.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// Usable bytes of a stack, rounded up to an even number of pages.
    pub stack_size: usize,
    /// Bytes of address space to reserve at once; halved until the kernel
    /// agrees. When it is used up, another such mapping is made.
    pub reserve: usize,
    /// How many idle stacks keep their pages.
    pub keep_warm: usize,
    /// Ask the kernel for lightweight guards.
    pub guards: bool,
}

impl Default for PoolConfig {
    fn default() -> Self {
        PoolConfig { stack_size: 256 << 10, reserve: 64 << 30, keep_warm: 1024, guards: true }
    }
}

/// No further stack can be had.
#[derive(Debug)]
pub struct StackError(io::Error);

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no address space for another stack: {}", self.0)
    }
}

impl std::error::Error for StackError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// What a [`StackPool`] holds at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Mappings made.
    pub mappings: usize,
    /// Bytes of address space in them.
    pub reserved: usize,
    /// Stacks handed out and not returned, leaked ones included.
    pub in_use: usize,
    /// Idle stacks whose pages are kept.
    pub warm: usize,
    /// Idle stacks whose pages were given back.
    pub cold: usize,
    /// Fibers dropped while suspended: their stacks are never used again.
    pub leaked: usize,
    /// The kernel guards the low end of each stack.
    pub guarded: bool,
}

/// A source of stacks for one thread. Cloning it gives another handle to the
/// same pool, whose memory lives as long as any handle or stack.
#[derive(Clone)]
pub struct StackPool {
    shared: Rc<Shared>,
}

struct Shared {
    /// Usable bytes of a slot, an even number of pages.
    stack_size: usize,
    /// One page, at the low end of each slot.
    guard_size: usize,
    reserve: usize,
    keep_warm: usize,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    mappings: Vec<Mapping>,
    /// The first slot of the newest mapping that was never handed out, and the
    /// end of the last whole slot there.
    next: usize,
    end: usize,
    /// Low ends of idle slots, the one freed last at the back.
    warm: VecDeque<usize>,
    cold: Vec<usize>,
    in_use: usize,
    leaked: usize,
    guards: bool,
}

impl StackPool {
    /// A pool without stacks: address space is reserved by the first `acquire`.
    pub fn new(config: PoolConfig) -> Self {
        let page = page_size();
        let stack_size = config.stack_size.max(4 * page).next_multiple_of(2 * page);
        StackPool {
            shared: Rc::new(Shared {
                stack_size,
                guard_size: page,
                reserve: config.reserve,
                keep_warm: config.keep_warm,
                state: RefCell::new(State { guards: config.guards, ..State::default() }),
            }),
        }
    }

    /// A stack, the one most recently returned if there is any.
    ///
    /// # Errors
    /// [`StackError`] when the kernel refuses to map another region.
    pub fn acquire(&self) -> Result<PoolStack, StackError> {
        let mut state = self.shared.state.borrow_mut();
        let low = match state.warm.pop_back().or_else(|| state.cold.pop()) {
            Some(low) => low,
            None => self.shared.fresh_slot(&mut state)?,
        };
        state.in_use += 1;
        let limit = low + self.shared.guard_size;
        Ok(PoolStack {
            bounds: StackBounds { base: limit + self.shared.stack_size, limit },
            shared: Rc::clone(&self.shared),
        })
    }

    /// Gives back the pages of all idle stacks but the `keep` warmest.
    pub fn trim(&self, keep: usize) {
        let mut state = self.shared.state.borrow_mut();
        while state.warm.len() > keep {
            self.shared.cool_one(&mut state);
        }
    }

    /// Usable bytes of each stack.
    pub fn stack_size(&self) -> usize {
        self.shared.stack_size
    }

    /// What the pool holds now.
    pub fn stats(&self) -> PoolStats {
        let state = self.shared.state.borrow();
        PoolStats {
            mappings: state.mappings.len(),
            reserved: state.mappings.iter().map(Mapping::len).sum(),
            in_use: state.in_use,
            warm: state.warm.len(),
            cold: state.cold.len(),
            leaked: state.leaked,
            guarded: state.guards && !state.mappings.is_empty(),
        }
    }

    pub(crate) fn note_leak(&self) {
        self.shared.state.borrow_mut().leaked += 1;
    }
}

impl Default for StackPool {
    fn default() -> Self {
        StackPool::new(PoolConfig::default())
    }
}

impl Shared {
    /// Bytes from one slot to the next.
    fn pitch(&self) -> usize {
        self.guard_size + self.stack_size
    }

    /// A slot never handed out before, guarded if the kernel can.
    #[cold]
    fn fresh_slot(&self, state: &mut State) -> Result<usize, StackError> {
        if state.next == state.end {
            self.reserve_more(state)?;
        }
        let low = state.next;
        state.next += self.pitch();
        if state.guards {
            let mapping = state.mappings.last().expect("a fresh slot has a mapping");
            // The first refusal (a kernel before 6.13, or locked memory) is the
            // answer for all further slots.
            state.guards = mapping.guard(low, self.guard_size).is_ok();
        }
        Ok(low)
    }

    /// Maps another region, of fewer bytes if the kernel refuses the wanted.
    fn reserve_more(&self, state: &mut State) -> Result<(), StackError> {
        let mut slots = (self.reserve / self.pitch()).max(1);
        let mapping = loop {
            match Mapping::new(slots * self.pitch()) {
                Ok(mapping) => break mapping,
                Err(refusal) if slots == 1 => return Err(StackError(refusal)),
                Err(_) => slots /= 2,
            }
        };
        state.next = mapping.low();
        state.end = mapping.low() + slots * self.pitch();
        state.mappings.push(mapping);
        Ok(())
    }

    /// Turns the slot idle longest from warm to cold.
    fn cool_one(&self, state: &mut State) {
        let Some(low) = state.warm.pop_front() else {
            return;
        };
        let mapping = state
            .mappings
            .iter()
            .find(|mapping| (mapping.low()..mapping.low() + mapping.len()).contains(&low))
            .expect("a slot lies in a mapping of its pool");
        // A refusal (memory locked by the process) leaves the pages where they
        // are, which is what locking asks for; the slot is as good as before.
        let _ = mapping.give_back(low + self.guard_size, self.stack_size);
        state.cold.push(low);
    }
}

/// A stack on loan from a [`StackPool`]; dropping it returns it.
pub struct PoolStack {
    bounds: StackBounds,
    shared: Rc<Shared>,
}

impl PoolStack {
    /// The usable part.
    pub fn bounds(&self) -> StackBounds {
        self.bounds
    }

    /// The low end of the slot, where the guard begins.
    fn low(&self) -> usize {
        self.bounds.limit - self.shared.guard_size
    }
}

impl Drop for PoolStack {
    fn drop(&mut self) {
        let mut state = self.shared.state.borrow_mut();
        state.in_use -= 1;
        state.warm.push_back(self.low());
        if state.warm.len() > self.shared.keep_warm {
            self.shared.cool_one(&mut state);
        }
    }
}

// SAFETY: base and limit are page-aligned ends of a slot that `acquire` took off
// the free lists and that only `drop` puts back, so the memory is this value's
// alone, mapped (the pool is held) and at least four pages long. The trait asks
// for a guard page: it is there where the kernel has lightweight guards. Where
// it has none, the users of this crate must check `StackLimit` before recursing,
// as the crate documentation says.
unsafe impl corosensei::stack::Stack for PoolStack {
    #[inline]
    fn base(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.bounds.base).expect("a mapping is not at address 0")
    }

    #[inline]
    fn limit(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.low()).expect("a mapping is not at address 0")
    }
}
