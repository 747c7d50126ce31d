//! Timers by the time when they are due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Due time in nanoseconds, a number that keeps those due at the same time in order, the watcher's place, and its
/// serial number, which tells that the watcher has not been stopped or moved since.
type Due = (u64, u64, u32, u32);

#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<Due>>,
    count: u64,
    /// Entries whose timer was stopped.
    stale: usize,
}

impl Timers {
    pub fn add(&mut self, due: u64, place: u32, serial: u32) {
        self.count += 1;
        self.heap.push(Reverse((due, self.count, place, serial)));
    }

    /// A timer in the heap was stopped. `is_live` tells those that were not.
    pub fn dropped(&mut self, is_live: impl Fn(u32, u32) -> bool) {
        const FEW: usize = 64;
        self.stale += 1;
        if self.stale > FEW && self.stale > self.heap.len() / 2 {
            self.heap.retain(|Reverse((_, _, place, serial))| is_live(*place, *serial));
            self.stale = 0;
        }
    }

    /// When the next one is due.
    pub fn next(&mut self, is_live: impl Fn(u32, u32) -> bool) -> Option<u64> {
        while let Some(&Reverse((due, _, place, serial))) = self.heap.peek() {
            if is_live(place, serial) {
                return Some(due);
            }
            self.heap.pop();
            self.stale = self.stale.saturating_sub(1);
        }
        None
    }

    /// Takes the place of the next timer out if it was due before `now`. One that is due just now, as a timer that
    /// repeats at once, has its turn in the next round.
    pub fn take(&mut self, now: u64, is_live: impl Fn(u32, u32) -> bool) -> Option<u32> {
        if self.next(is_live)? >= now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, _, place, _))| place)
    }
}
