//! The sets of a pattern, as maps of the first 256 characters: most text is of these, and a set's code takes long to read.

use super::chars::charset;
use std::cell::{Cell, RefCell};

/// Which of the first 256 characters are in a set.
pub type Map = [u32; 8];

#[inline(always)]
pub fn has(map: &Map, c: u8) -> bool {
    map[usize::from(c >> 5)] & (1 << (c & 31)) != 0
}

/// The maps of a pattern's sets, each made when it is first asked for.
#[derive(Default)]
pub struct Sets {
    /// Number of the map of the set at each place in the code, from 1 on. Empty until there is a map.
    numbers: RefCell<Box<[Cell<u16>]>>,
    maps: RefCell<Vec<Map>>,
}

impl Sets {
    /// The map of the set that begins at `pc`.
    #[inline]
    pub fn map(&self, code: &[u32], pc: usize) -> Map {
        let number = self.numbers.borrow().get(pc).map_or(0, |n| usize::from(n.get()));
        let made = self.maps.borrow().get(number.wrapping_sub(1)).copied();
        made.unwrap_or_else(|| self.make(code, pc))
    }

    #[cold]
    #[inline(never)]
    fn make(&self, code: &[u32], pc: usize) -> Map {
        let set = code.get(pc..).unwrap_or_default();
        let mut map = Map::default();
        for c in (0..256).filter(|c| charset(set, *c)) {
            map[c as usize >> 5] |= 1 << (c & 31);
        }
        let mut numbers = self.numbers.borrow_mut();
        if numbers.is_empty() {
            // bounded: by the pattern
            *numbers = vec![Cell::new(0); code.len()].into();
        }
        let mut maps = self.maps.borrow_mut();
        if let (Some(number), Ok(n)) = (numbers.get(pc), u16::try_from(maps.len() + 1)) {
            maps.push(map);
            number.set(n);
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::super::ops;
    use super::*;

    #[test]
    fn maps_are_as_sets() {
        let code =
            [0, ops::NEGATE, ops::RANGE, 0x61, 0x7a, ops::CATEGORY, 0, ops::FAILURE, ops::LITERAL, 0xe9];
        let sets = Sets::default();
        for pc in [1, 8, 1, 8] {
            let map = sets.map(&code, pc);
            assert!((0..256).all(|c| has(&map, c as u8) == charset(&code[pc..], c)));
        }
        assert_eq!(sets.maps.borrow().len(), 2);
    }
}
