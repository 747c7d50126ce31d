//! What the recorder knows of registers, by their distance in words from the root frame's base.

use super::Slot;

/// A row of slots. Distances are small, and some a little below 0: those of frames outside.
#[derive(Default)]
pub(super) struct Slots {
    /// The distance of the first one.
    first: i32,
    row: Vec<Option<Slot>>,
}

impl Slots {
    fn place(&self, off: i32) -> usize {
        off.wrapping_sub(self.first) as u32 as usize
    }

    pub fn get(&self, off: i32) -> Option<&Slot> {
        self.row.get(self.place(off))?.as_ref()
    }

    pub fn get_mut(&mut self, off: i32) -> Option<&mut Slot> {
        let place = self.place(off);
        self.row.get_mut(place)?.as_mut()
    }

    /// What was there before.
    pub fn insert(&mut self, off: i32, slot: Slot) -> Option<Slot> {
        if self.row.is_empty() {
            self.first = off;
        } else if off < self.first {
            let more = (self.first - off) as usize;
            self.row.splice(0..0, std::iter::repeat_n(None, more));
            self.first = off;
        }
        let place = self.place(off);
        if place >= self.row.len() {
            self.row.resize(place + 1, None);
        }
        self.row[place].replace(slot)
    }

    pub fn remove(&mut self, off: i32) -> Option<Slot> {
        let place = self.place(off);
        self.row.get_mut(place)?.take()
    }

    /// Forgets all from this one on.
    pub fn truncate(&mut self, off: i32) {
        self.row.truncate((off - self.first).max(0) as usize);
    }

    pub fn retain(&mut self, mut keeps: impl FnMut(&Slot) -> bool) {
        for slot in &mut self.row {
            if slot.as_ref().is_some_and(|slot| !keeps(slot)) {
                *slot = None;
            }
        }
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (i32, &Slot)> {
        (self.first..).zip(&self.row).filter_map(|(off, slot)| Some((off, slot.as_ref()?)))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (i32, &mut Slot)> {
        (self.first..).zip(&mut self.row).filter_map(|(off, slot)| Some((off, slot.as_mut()?)))
    }

    /// Those from one distance up to another, in order.
    pub fn range(&self, from: i32, end: i32) -> impl Iterator<Item = (i32, &Slot)> {
        let place = |off: i32| ((off - self.first).max(0) as usize).min(self.row.len());
        let (from, end) = (place(from), place(end));
        let row = &self.row[from.min(end)..end];
        (self.first + from as i32..).zip(row).filter_map(|(off, slot)| Some((off, slot.as_ref()?)))
    }
}
