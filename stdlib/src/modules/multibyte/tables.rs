//! The character sets, from `tables.bin`: see `make_tables.py`, which describes the file.

use flate2::read::ZlibDecoder;
use std::io::Read;
use std::sync::OnceLock;

/// The tables, in the order of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Set {
    Gbk,
    Gb2312,
    Gb18030,
    Big5,
    Cp950,
    Big5Hkscs,
    EucKr,
    Cp949,
    Johab,
    ShiftJis,
    Cp932,
    ShiftJis2004,
    ShiftJisX0213,
    EucJp,
    EucJis2004,
    EucJisX0213,
}

const SETS: usize = Set::EucJisX0213 as usize + 1;

/// In place of a sequence: nothing. No sequence of two or three bytes is 0.
const NOTHING: u32 = 0;
/// The bit of a code point's entry that says that it may begin a pair.
const BEGINS_PAIR: u32 = 1 << 31;
/// In place of a code point: one of the pairs from here on.
const PAIRS: u32 = 0x11_0000;

/// What an encoding makes of its sequences, and they of it.
#[derive(Clone, Default)]
pub struct Table {
    /// By sequence, from 0x8000; single bytes from 0x80 and sequences of three bytes are apart.
    double: Vec<u32>,
    single: Vec<u32>,
    /// By the last two bytes behind 0x8f, from 0x8000.
    triple: Vec<u32>,
    /// By code point, in pages of 256.
    pages: Vec<Option<Box<[u32; 256]>>>,
    pairs: Vec<[u32; 2]>,
}

/// What a sequence stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decoded {
    None,
    One(u32),
    Two([u32; 2]),
}

impl Table {
    fn place(&mut self, sequence: u32) -> Option<&mut u32> {
        let (row, from) = match sequence {
            0..0x100 => (&mut self.single, 0x80),
            0x100..0x1_0000 => (&mut self.double, 0x8000),
            _ => (&mut self.triple, 0x8f_8000),
        };
        let index = sequence.checked_sub(from)? as usize;
        if index >= 0x8000 {
            return None;
        }
        // bounded (here and below): by the file, which is a part of the program
        if row.len() <= index {
            row.resize(index + 1, NOTHING);
        }
        row.get_mut(index)
    }

    /// Of one byte from 0x80, two bytes, or three of which the first is 0x8f.
    pub fn decode(&self, sequence: u32) -> Decoded {
        let (row, from) = match sequence {
            0..0x100 => (&self.single, 0x80),
            0x100..0x1_0000 => (&self.double, 0x8000),
            _ => (&self.triple, 0x8f_8000),
        };
        let found = sequence.checked_sub(from).and_then(|i| row.get(i as usize)).copied();
        match found.unwrap_or(NOTHING) {
            NOTHING => Decoded::None,
            pair if pair >= PAIRS => {
                self.pairs.get((pair - PAIRS) as usize).map_or(Decoded::None, |p| Decoded::Two(*p))
            }
            code => Decoded::One(code),
        }
    }

    /// The sequence of a code point; None if there is none.
    pub fn encode(&self, code: u32) -> Option<u32> {
        match self.entry(code) & !BEGINS_PAIR {
            NOTHING => None,
            sequence => Some(sequence),
        }
    }

    /// May the code point be the first of two that have one sequence together?
    pub fn begins_pair(&self, code: u32) -> bool {
        self.entry(code) & BEGINS_PAIR != 0
    }

    /// The sequence of two code points.
    pub fn encode_pair(&self, pair: [u32; 2]) -> Option<u32> {
        let index = self.pairs.iter().position(|p| *p == pair)?;
        let found = self.double.iter().position(|c| *c == PAIRS + index as u32)?;
        Some(found as u32 + 0x8000)
    }

    fn entry(&self, code: u32) -> u32 {
        let page = self.pages.get((code >> 8) as usize).and_then(|p| p.as_ref());
        page.map_or(NOTHING, |page| page[(code & 0xff) as usize])
    }

    fn entry_mut(&mut self, code: u32) -> &mut u32 {
        let page = (code >> 8) as usize;
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        &mut self.pages[page].get_or_insert_with(|| Box::new([NOTHING; 256]))[(code & 0xff) as usize]
    }

    /// Each code point has the first sequence that gives it.
    fn invert(&mut self) {
        self.pages.clear();
        for (from, row) in
            [(0x80, self.single.clone()), (0x8000, self.double.clone()), (0x8f_8000, self.triple.clone())]
        {
            for (i, &code) in row.iter().enumerate() {
                if code != NOTHING && code < PAIRS {
                    let entry = self.entry_mut(code);
                    if *entry == NOTHING {
                        *entry = from + i as u32;
                    }
                }
            }
        }
    }

    fn mark_pairs(&mut self) {
        for [first, _] in self.pairs.clone() {
            *self.entry_mut(first) |= BEGINS_PAIR;
        }
    }
}

/// A run of sequences of four bytes in GB18030: numbers from `first` on are the code points from `code` on.
#[derive(Clone, Copy)]
struct Run {
    first: u32,
    length: u32,
    code: u32,
}

struct Tables {
    tables: Vec<Table>,
    runs: Vec<Run>,
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> u32 {
        let (mut n, mut shift) = (0, 0);
        while let Some((&byte, rest)) = self.0.split_first() {
            self.0 = rest;
            n |= u32::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        n
    }

    fn table(&mut self, before: &[Table]) -> Table {
        let base = self.number();
        let mut table = match base.checked_sub(1).and_then(|i| before.get(i as usize)) {
            Some(base) => base.clone(),
            None => Table::default(),
        };
        let (mut sequence, mut last) = (0, 0);
        for _ in 0..self.number() {
            sequence += self.number();
            let code = match self.number() {
                0 => NOTHING,
                1 => {
                    table.pairs.push([self.number(), self.number()]);
                    PAIRS + table.pairs.len() as u32 - 1
                }
                n => {
                    let n = n - 2;
                    let distance = (n >> 1) as i32 ^ -((n & 1) as i32);
                    last = (last as i32 + distance) as u32;
                    last
                }
            };
            if let Some(place) = table.place(sequence) {
                *place = code;
            }
            sequence += 1;
        }
        table.invert();
        let mut code = 0;
        for _ in 0..self.number() {
            code += self.number();
            let sequence = self.number().checked_sub(1).unwrap_or(NOTHING);
            *table.entry_mut(code) = sequence;
            code += 1;
        }
        table.mark_pairs();
        table
    }

    fn runs(&mut self) -> Vec<Run> {
        let (mut runs, mut end) = (Vec::new(), 0);
        for _ in 0..self.number() {
            let run = Run { first: end + self.number(), length: self.number(), code: self.number() };
            end = run.first + run.length;
            runs.push(run);
        }
        runs
    }
}

fn all() -> &'static Tables {
    static ALL: OnceLock<Tables> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut bytes = Vec::new();
        // What is packed in is whole; if not, nothing is found in the tables.
        let _ = ZlibDecoder::new(&include_bytes!("tables.bin")[..]).read_to_end(&mut bytes);
        let mut reader = Reader(&bytes);
        let mut tables = Vec::new();
        for _ in 0..SETS {
            tables.push(reader.table(&tables));
        }
        Tables { tables, runs: reader.runs() }
    })
}

/// A table, unpacked with all others when the first one is wanted.
pub fn table(set: Set) -> &'static Table {
    &all().tables[set as usize]
}

/// First number of the sequences of four bytes that are code points from U+10000 on.
const SUPPLEMENTARY: u32 = (0x90 - 0x81) * 12600;

/// What a sequence of four bytes in GB18030 stands for, by its number.
pub fn from_four_bytes(number: u32) -> Option<u32> {
    if number >= SUPPLEMENTARY {
        return Some(number - SUPPLEMENTARY + 0x1_0000).filter(|code| *code < PAIRS);
    }
    let runs = &all().runs;
    let run = runs.get(runs.partition_point(|r| r.first + r.length <= number))?;
    number.checked_sub(run.first).map(|i| run.code + i)
}

/// The number of the sequence of four bytes that a code point has in GB18030.
pub fn to_four_bytes(code: u32) -> Option<u32> {
    if code >= 0x1_0000 {
        return Some(code - 0x1_0000 + SUPPLEMENTARY);
    }
    let run = all().runs.iter().find(|r| (r.code..r.code + r.length).contains(&code))?;
    Some(run.first + code - run.code)
}
