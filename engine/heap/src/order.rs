//! The order in which unreachable objects are finalized: one that leads to another before that, as reference counts would have it.
//! A file's buffer is to be written while the file is still open, and a response read by what it has open is to be closed first.
//!
//! What leads to what is found by following references a few steps far. Where there are very many of them at once the order stays
//! what it was: looking is to take no time that a program would notice.

use crate::chunk::Parity;
use crate::header::Header;
use crate::{Heap, ObjectModel};

/// So many objects are put into order.
const MOST: usize = 256;
/// Objects that are looked at from one of them, and in all.
const FROM_ONE: usize = 48;
const IN_ALL: usize = 4096;

struct Search<'a> {
    objects: &'a [*mut Header],
    /// Objects and their numbers, by address.
    by_address: Vec<(*mut Header, usize)>,
    seen: Vec<bool>,
    /// Those that have been gone through, the innermost first.
    done: Vec<usize>,
    left: usize,
    /// Of the marks of what lives: that leads to none of them.
    parity: Parity,
}

impl Search<'_> {
    /// The numbers of those that an object leads to, not by way of another of them.
    fn behind<M: ObjectModel>(&mut self, heap: &Heap<M>, from: usize) -> Vec<usize> {
        let mut inner = Vec::new();
        let mut row = vec![self.objects[from]];
        let mut at = 0;
        while at < row.len() && at < FROM_ONE && self.left > 0 {
            let obj = row[at];
            (at, self.left) = (at + 1, self.left - 1);
            let mut look = |to: *const Header| {
                let to = to.cast_mut();
                if let Ok(i) = self.by_address.binary_search_by_key(&to, |known| known.0) {
                    inner.push(self.by_address[i].1);
                } else if row.len() < FROM_ONE && !heap.is_marked(to, self.parity) && !row.contains(&to) {
                    row.push(to);
                }
            };
            // SAFETY: what an object leads to that is not swept yet is not swept yet either.
            unsafe { heap.for_each_reference(obj, &mut look) };
        }
        inner
    }

    fn go_through<M: ObjectModel>(&mut self, heap: &Heap<M>, first: usize) {
        if std::mem::replace(&mut self.seen[first], true) {
            return;
        }
        // Each with those behind it that are still to be gone through.
        let behind = self.behind(heap, first);
        let mut path = vec![(first, behind)];
        while let Some((at, behind)) = path.last_mut() {
            match behind.pop() {
                Some(next) if !std::mem::replace(&mut self.seen[next], true) => {
                    let behind = self.behind(heap, next);
                    path.push((next, behind));
                }
                Some(_) => {}
                None => {
                    self.done.push(*at);
                    path.pop();
                }
            }
        }
    }
}

/// Puts each before those that it leads to; in a circle, and where none leads to another, the order stays.
pub(crate) fn outer_first<M: ObjectModel>(
    heap: &Heap<M>,
    objects: Vec<*mut Header>,
    parity: Parity,
) -> Vec<*mut Header> {
    if !(2..=MOST).contains(&objects.len()) {
        return objects;
    }
    let mut by_address: Vec<_> = objects.iter().copied().zip(0..).collect();
    by_address.sort_unstable();
    let mut search = Search {
        objects: &objects,
        by_address,
        seen: vec![false; objects.len()],
        done: Vec::with_capacity(objects.len()),
        left: IN_ALL,
        parity,
    };
    for i in (0..objects.len()).rev() {
        search.go_through(heap, i);
    }
    search.done.iter().rev().map(|&i| objects[i]).collect()
}
