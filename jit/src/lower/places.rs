//! Where in the buffer exits find the values that they show.

use crate::ir::{ExitId, Id, Tree, Type};

/// Words at the buffer's begin in which helpers say where the machine goes on.
pub const ELSEWHERE: u32 = 2;
/// Exits that show a value which gets a home.
const SEVERAL: u32 = 2;

/// The words of the buffer: those of a helper, then the *homes* of values that are put there when they are made, then
/// what each exit puts there itself.
#[derive(Default)]
pub struct Places {
    /// By `Id`: how many exits show the value.
    shown: Vec<u32>,
    homes: Vec<Option<u32>>,
    next_home: u32,
    /// The first word behind the homes.
    own: u32,
    words: u32,
    /// By exit, if they are all known.
    rows: Vec<Vec<(Id, u32)>>,
}

impl Places {
    /// `homes`: are there to be any?
    pub(super) fn new(tree: &Tree, homes: bool) -> Places {
        let mut shown = vec![0; tree.insts.len()];
        for exit in tree.exits.iter().filter(|exit| homes && exit.bridge.is_none()) {
            for id in exit.live(tree) {
                shown[id.0 as usize] += 1;
            }
        }
        let homes = shown.iter().filter(|&&n| n >= SEVERAL).count() as u32;
        let own = ELSEWHERE + homes;
        Places {
            homes: vec![None; shown.len()],
            shown,
            next_home: ELSEWHERE,
            own,
            words: own,
            rows: Vec::new(),
        }
    }

    /// By exit, what it shows and where.
    pub fn of_rows(rows: Vec<Vec<(Id, u32)>>, words: u32) -> Places {
        Places { rows, words, ..Places::default() }
    }

    /// Shall the value have a home? Truth values are made words of by those who show them.
    pub(super) fn wants_home(&self, tree: &Tree, id: Id) -> bool {
        self.shown[id.0 as usize] >= SEVERAL && tree.inst(id).ty != Type::B
    }

    pub(super) fn home(&self, id: Id) -> Option<u32> {
        self.homes[id.0 as usize]
    }

    /// The value gets a home, which the caller fills.
    pub(super) fn give(&mut self, id: Id) -> u32 {
        let home = self.next_home;
        self.next_home += 1;
        self.homes[id.0 as usize] = Some(home);
        home
    }

    /// The second value is the same as the first: has that a home for both?
    pub(super) fn share(&mut self, first: Id, second: Id) -> bool {
        self.homes[second.0 as usize] = self.homes[first.0 as usize];
        self.homes[second.0 as usize].is_some()
    }

    pub(super) fn of_exit(&mut self, tree: &Tree, exit: ExitId) -> Vec<(Id, u32)> {
        let found = self.shown(tree, exit);
        self.words = found.iter().map(|(_, place)| place + 1).fold(self.words, u32::max);
        found
    }

    /// Words that the buffer must have.
    pub fn words(&self) -> usize {
        self.words as usize
    }

    /// The values that the exit shows, in the order of [`crate::ir::Exit::live`], and the words of the buffer where they
    /// are. The same each time once all homes that it needs are given.
    pub fn shown(&self, tree: &Tree, exit: ExitId) -> Vec<(Id, u32)> {
        if let Some(row) = self.rows.get(exit.0 as usize) {
            return row.clone();
        }
        let mut own = self.own..;
        let place = |id| self.home(id).or_else(|| own.next()).unwrap_or_default();
        let live = tree.exit(exit).live(tree);
        let places: Vec<u32> = live.iter().copied().map(place).collect();
        live.into_iter().zip(places).collect()
    }
}
