//! Source positions of instructions, run-length coded.
//!
//! One row a run of units with the same position, or a mark, which is of no units (see [`Positions::encode_with_marks`]):
//! five varints, the run's length in units, the line as a zigzag difference from the row before, the lines it spans, then
//! start column + 1 and end column + 1 (0: not known). Columns count UTF-8 bytes from 0, lines from 1. Line 0: no position.

/// Where an instruction stands in the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position {
    pub line: u32,
    pub end_line: u32,
    /// Byte column; `u32::MAX` if unknown.
    pub col: u32,
    pub end_col: u32,
}

impl Position {
    /// For code that no source line stands for.
    pub const NONE: Position = Position { line: 0, end_line: 0, col: u32::MAX, end_col: u32::MAX };
}

/// The coded table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Positions(Box<[u8]>);

impl Positions {
    /// Codes one position per unit.
    pub fn encode(per_unit: &[Position]) -> Positions {
        Positions::encode_with_marks(per_unit, &[])
    }

    /// As [`Positions::encode`]; each mark, in the order of their units, is a row of no units before its unit: a line
    /// that is executed there though no instruction has it.
    pub fn encode_with_marks(per_unit: &[Position], marks: &[(u32, Position)]) -> Positions {
        let mut out = Vec::with_capacity(per_unit.len() * 2);
        let mut line = 0i64;
        let mut row = |len: usize, p: Position| {
            put(&mut out, len as u64);
            let delta = i64::from(p.line) - line;
            put(&mut out, ((delta << 1) ^ (delta >> 63)) as u64);
            line = i64::from(p.line);
            put(&mut out, u64::from(p.end_line.saturating_sub(p.line)));
            put(&mut out, u64::from(p.col.wrapping_add(1)));
            put(&mut out, u64::from(p.end_col.wrapping_add(1)));
        };
        let mut from = 0;
        let mut runs = |to: usize, row: &mut dyn FnMut(usize, Position)| {
            for run in per_unit[from..to].chunk_by(|a, b| a == b) {
                row(run.len(), run[0]);
            }
            from = to;
        };
        for &(unit, p) in marks {
            runs(unit as usize, &mut row);
            row(0, p);
        }
        runs(per_unit.len(), &mut row);
        Positions(out.into_boxed_slice())
    }

    /// Takes bytes that [`Positions::as_bytes`] gave; broken ones only yield fewer rows.
    pub fn from_bytes(bytes: Box<[u8]>) -> Positions {
        Positions(bytes)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Rows (first unit, unit behind the last, position); of a mark both are the unit that it comes before.
    pub fn rows(&self) -> impl Iterator<Item = (u32, u32, Position)> + '_ {
        let (mut at, mut unit, mut line) = (0usize, 0u32, 0i64);
        std::iter::from_fn(move || {
            let len = take(&self.0, &mut at)? as u32;
            let z = take(&self.0, &mut at)?;
            line = line.wrapping_add((z >> 1) as i64 ^ -((z & 1) as i64));
            let span = take(&self.0, &mut at)? as u32;
            let col = (take(&self.0, &mut at)? as u32).wrapping_sub(1);
            let end_col = (take(&self.0, &mut at)? as u32).wrapping_sub(1);
            let start = unit;
            unit = unit.saturating_add(len);
            let p =
                Position { line: line as u32, end_line: (line as u32).saturating_add(span), col, end_col };
            Some((start, unit, p))
        })
    }

    /// Position of the instruction at this unit.
    pub fn at(&self, unit: u32) -> Position {
        let hit = self.rows().find(|&(start, end, _)| start <= unit && unit < end);
        hit.map_or(Position::NONE, |(_, _, p)| p)
    }
}

fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn take(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let (mut n, mut shift) = (0u64, 0);
    loop {
        let b = *bytes.get(*at)?;
        *at += 1;
        n |= u64::from(b & 0x7f).checked_shl(shift)?;
        if b & 0x80 == 0 {
            return Some(n);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back() {
        let p = |line, end_line, col, end_col| Position { line, end_line, col, end_col };
        let all = [p(3, 3, 0, 5), p(3, 3, 0, 5), p(10, 12, 4, 1), Position::NONE, p(2, 2, 300, 301)];
        let coded = Positions::encode(&all);
        for (i, want) in all.iter().enumerate() {
            assert_eq!(coded.at(i as u32), *want);
        }
        assert_eq!(coded.at(5), Position::NONE);
    }
}
