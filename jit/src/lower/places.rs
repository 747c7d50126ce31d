//! Where in the buffer exits find the values that they show.

use crate::ir::{ExitId, Id, Tree, Type};

/// Words at the buffer's begin in which helpers say where the machine goes on.
pub const ELSEWHERE: u32 = 2;
/// Exits that show a value which gets a home.
const SEVERAL: u32 = 2;

/// A row of what an exit shows, in the order of [`crate::ir::Exit::live`], with the word of the buffer where it is.
pub type Row = Vec<(Id, u32)>;

/// Where in the buffer each exit's values are.
pub struct Places {
    /// By exit; empty for those that no code leaves by.
    rows: Vec<Row>,
    words: u32,
}

impl Places {
    /// For so many exits. `words`: those that the buffer must have in any case.
    pub fn new(exits: usize, words: u32) -> Places {
        Places { rows: vec![Row::new(); exits], words }
    }

    pub fn set(&mut self, exit: ExitId, row: Row) {
        self.words = row.iter().map(|(_, place)| place + 1).fold(self.words, u32::max);
        self.rows[exit.0 as usize] = row;
    }

    /// Words that the buffer must have.
    pub fn words(&self) -> usize {
        self.words as usize
    }

    /// What the exit shows.
    pub fn shown(&self, exit: ExitId) -> &[(Id, u32)] {
        &self.rows[exit.0 as usize]
    }
}

/// The *homes* of values that several exits show: words of the buffer, behind those of a helper, where such a value is put
/// when it is made. Behind them is what each exit puts there itself.
pub(super) struct Homes {
    /// By `Id`: how many exits show the value.
    shown: Vec<u32>,
    homes: Vec<Option<u32>>,
    next: u32,
    /// The first word behind them.
    pub end: u32,
}

impl Homes {
    /// `wanted`: are there to be any?
    pub fn new(tree: &Tree, wanted: bool) -> Homes {
        let mut shown = vec![0; tree.insts.len()];
        for exit in tree.exits.iter().filter(|exit| wanted && exit.bridge.is_none()) {
            for id in exit.live(tree) {
                shown[id.0 as usize] += 1;
            }
        }
        let homes = shown.iter().filter(|&&n| n >= SEVERAL).count() as u32;
        Homes { homes: vec![None; shown.len()], shown, next: ELSEWHERE, end: ELSEWHERE + homes }
    }

    /// Shall the value have a home? Truth values are made words of by those who show them.
    pub fn wants(&self, tree: &Tree, id: Id) -> bool {
        self.shown[id.0 as usize] >= SEVERAL && tree.inst(id).ty != Type::B
    }

    pub fn of(&self, id: Id) -> Option<u32> {
        self.homes[id.0 as usize]
    }

    /// The value gets a home, which the caller fills.
    pub fn give(&mut self, id: Id) -> u32 {
        let home = self.next;
        self.next += 1;
        self.homes[id.0 as usize] = Some(home);
        home
    }

    /// The second value is the same as the first: has that a home for both?
    pub fn share(&mut self, first: Id, second: Id) -> bool {
        self.homes[second.0 as usize] = self.homes[first.0 as usize];
        self.homes[second.0 as usize].is_some()
    }

    /// What the exit shows, once all homes that it needs are given.
    pub fn row(&self, tree: &Tree, exit: ExitId) -> Row {
        let mut own = self.end..;
        let place = |id| self.of(id).or_else(|| own.next()).unwrap_or_default();
        let live = tree.exit(exit).live(tree);
        let places: Vec<u32> = live.iter().copied().map(place).collect();
        live.into_iter().zip(places).collect()
    }
}
