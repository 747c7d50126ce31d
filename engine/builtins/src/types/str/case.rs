//! `str`: upper and lower case of all scripts.

use crate::types::text::category;
use skein_runtime::object::Ref;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::value::R;
use skein_runtime::vm::Vm;
use unicode_properties::GeneralCategory;

/// Appends what the character's mapping gives; surrogates have none.
fn push_mapped<I: Iterator<Item = char>>(out: &mut Vec<u8>, c: u32, map: impl Fn(char) -> I) {
    match char::from_u32(c) {
        Some(ch) => map(ch).for_each(|m| push_code_point(out, m as u32)),
        None => push_code_point(out, c),
    }
}

pub fn is_upper(c: u32) -> bool {
    char::from_u32(c).is_some_and(char::is_uppercase)
}

pub fn is_lower(c: u32) -> bool {
    char::from_u32(c).is_some_and(char::is_lowercase)
}

pub fn is_title(c: u32) -> bool {
    c >= 0x1c5 && category(c) == GeneralCategory::TitlecaseLetter
}

fn is_cased(c: u32) -> bool {
    is_upper(c) || is_lower(c) || is_title(c)
}

/// Characters that the rule for the final sigma looks past.
fn is_case_ignorable(c: u32) -> bool {
    use GeneralCategory as G;
    if c < 0x80 {
        return matches!(c, 0x27 | 0x2e | 0x3a | 0x5e | 0x60);
    }
    matches!(
        category(c),
        G::NonspacingMark | G::EnclosingMark | G::Format | G::ModifierLetter | G::ModifierSymbol
    ) || matches!(
        c,
        0xb7 | 0x387
            | 0x55f
            | 0x5f4
            | 0x2018
            | 0x2019
            | 0x2024
            | 0x2027
            | 0xfe13
            | 0xfe52
            | 0xfe55
            | 0xff07
            | 0xff0e
            | 0xff1a
    )
}

const SIGMA: u32 = 0x3a3;

/// Is the sigma at `i` the last letter of a word?
fn is_final_sigma(points: &[u32], i: usize) -> bool {
    let cased = |mut it: &mut dyn Iterator<Item = &u32>| {
        (&mut it).find(|c| !is_case_ignorable(**c)).is_some_and(|c| is_cased(*c))
    };
    cased(&mut points[..i].iter().rev()) && !cased(&mut points[i + 1..].iter())
}

fn push_lower(out: &mut Vec<u8>, points: &[u32], i: usize) {
    match points[i] {
        SIGMA => push_code_point(out, if is_final_sigma(points, i) { 0x3c2 } else { 0x3c3 }),
        c => push_mapped(out, c, char::to_lowercase),
    }
}

/// Titlecase where it is not the uppercase letter followed by lowercase ones.
fn push_title(out: &mut Vec<u8>, c: u32) {
    let one = |out: &mut Vec<u8>, points: &[u32]| points.iter().for_each(|&p| push_code_point(out, p));
    match c {
        0x149 => one(out, &[0x2bc, 0x4e]),
        0x1c4..=0x1cc => one(out, &[0x1c5 + (c - 0x1c4) / 3 * 3]),
        0x1f1..=0x1f3 => one(out, &[0x1f2]),
        0x10d0..=0x10fa | 0x10fd..=0x10ff => one(out, &[c]),
        0x1f80..=0x1faf => one(out, &[c | 8]),
        0x1fb3 | 0x1fc3 | 0x1ff3 => one(out, &[c + 9]),
        0x1fbc | 0x1fcc | 0x1ffc => one(out, &[c]),
        0x1fb2 | 0x1fc2 | 0x1ff2 => one(out, &[c + 8, 0x345]),
        0x1fb4 => one(out, &[0x386, 0x345]),
        0x1fc4 => one(out, &[0x389, 0x345]),
        0x1ff4 => one(out, &[0x38f, 0x345]),
        0x1fb7 => one(out, &[0x391, 0x342, 0x345]),
        0x1fc7 => one(out, &[0x397, 0x342, 0x345]),
        0x1ff7 => one(out, &[0x3a9, 0x342, 0x345]),
        _ => match char::from_u32(c) {
            Some(ch) => {
                for (i, u) in ch.to_uppercase().enumerate() {
                    if i == 0 {
                        push_code_point(out, u as u32);
                    } else {
                        push_mapped(out, u as u32, char::to_lowercase);
                    }
                }
            }
            None => push_code_point(out, c),
        },
    }
}

fn push_folded(out: &mut Vec<u8>, c: u32) {
    match c {
        0x131 | 0x13a0..=0x13f5 => push_code_point(out, c),
        0x13f8..=0x13fd => push_code_point(out, c - 8),
        0xab70..=0xabbf => push_code_point(out, c - 0xab70 + 0x13a0),
        0x1e9e => out.extend_from_slice(b"ss"),
        _ => match char::from_u32(c) {
            Some(ch) => ch.to_uppercase().for_each(|u| push_mapped(out, u as u32, char::to_lowercase)),
            None => push_code_point(out, c),
        },
    }
}

/// The text with ASCII letters mapped, where it is all ASCII.
fn map_ascii(vm: &Vm, s: Ref<Str>, map: impl Fn(u8) -> u8) -> Option<R<Ref<Str>>> {
    if !s.is_ascii() {
        return None;
    }
    let bytes = s.bytes();
    Some(Str::build(vm, bytes.len(), bytes.len(), |to| {
        for (to, &b) in to.iter_mut().zip(bytes) {
            *to = map(b);
        }
    }))
}

/// The code points of a text. MemoryError.
fn points(vm: &Vm, s: Ref<Str>) -> R<Vec<u32>> {
    let mut all = vm.buffer(s.char_len())?;
    all.extend(s.code_points());
    Ok(all)
}

/// Room for what a text becomes: no character grows to more than three of its length. MemoryError.
fn room(vm: &Vm, s: Ref<Str>) -> R<Vec<u8>> {
    vm.buffer(s.bytes().len().saturating_mul(if s.is_ascii() { 1 } else { 3 }))
}

/// So many characters are mapped between two looks for signals.
const BATCH: usize = 1 << 14;

/// What characters that were mapped lately have become.
struct Memo {
    keys: [u32; Memo::SIZE],
    texts: [[u8; Memo::LONGEST]; Memo::SIZE],
    lengths: [u8; Memo::SIZE],
}

impl Memo {
    const SIZE: usize = 256;
    /// Bytes of three characters.
    const LONGEST: usize = 12;

    fn new() -> Memo {
        let (keys, texts) = ([u32::MAX; Memo::SIZE], [[0; Memo::LONGEST]; Memo::SIZE]);
        Memo { keys, texts, lengths: [0; Memo::SIZE] }
    }

    fn push(&mut self, out: &mut Vec<u8>, c: u32, map: &impl Fn(&mut Vec<u8>, u32)) {
        let i = c as usize % Memo::SIZE;
        if self.keys[i] != c {
            let before = out.len();
            map(out, c);
            let made = &out[before..];
            if made.len() <= Memo::LONGEST {
                self.texts[i][..made.len()].copy_from_slice(made);
                (self.keys[i], self.lengths[i]) = (c, made.len() as u8);
            }
            return;
        }
        out.extend_from_slice(&self.texts[i][..usize::from(self.lengths[i])]);
    }
}

/// The text with each character mapped by itself.
fn mapped(vm: &Vm, s: Ref<Str>, map: impl Fn(&mut Vec<u8>, u32)) -> R<Ref<Str>> {
    let mut out = room(vm, s)?;
    let mut memo = Memo::new();
    for (i, c) in s.code_points().enumerate() {
        if i % BATCH == 0 {
            vm.check_signals()?;
        }
        memo.push(&mut out, c, &map);
    }
    Str::new(vm, &out)
}

pub fn upper(vm: &Vm, s: Ref<Str>) -> R<Ref<Str>> {
    map_ascii(vm, s, |b| b.to_ascii_uppercase())
        .unwrap_or_else(|| mapped(vm, s, |out, c| push_mapped(out, c, char::to_uppercase)))
}

pub fn lower(vm: &Vm, s: Ref<Str>) -> R<Ref<Str>> {
    map_ascii(vm, s, |b| b.to_ascii_lowercase()).unwrap_or_else(|| {
        // What a sigma becomes depends on what is around it.
        if !s.bytes().windows(2).any(|two| two == "\u{3a3}".as_bytes()) {
            return mapped(vm, s, |out, c| push_mapped(out, c, char::to_lowercase));
        }
        let points = points(vm, s)?;
        let mut out = room(vm, s)?;
        for i in 0..points.len() {
            if i % BATCH == 0 {
                vm.check_signals()?;
            }
            push_lower(&mut out, &points, i);
        }
        Str::new(vm, &out)
    })
}

pub fn casefold(vm: &Vm, s: Ref<Str>) -> R<Ref<Str>> {
    map_ascii(vm, s, |b| b.to_ascii_lowercase()).unwrap_or_else(|| mapped(vm, s, push_folded))
}

pub fn title(vm: &Vm, s: Ref<Str>) -> R<Ref<Str>> {
    let points = points(vm, s)?;
    let mut out = room(vm, s)?;
    let mut inside = false;
    for (i, &c) in points.iter().enumerate() {
        if i % BATCH == 0 {
            vm.check_signals()?;
        }
        if inside {
            push_lower(&mut out, &points, i);
        } else {
            push_title(&mut out, c);
        }
        inside = is_cased(c);
    }
    Str::new(vm, &out)
}

pub fn capitalize(vm: &Vm, s: Ref<Str>) -> R<Ref<Str>> {
    let points = points(vm, s)?;
    let mut out = room(vm, s)?;
    for (i, &c) in points.iter().enumerate() {
        if i == 0 {
            push_title(&mut out, c);
        } else {
            push_lower(&mut out, &points, i);
        }
    }
    Str::new(vm, &out)
}

pub fn swapcase(vm: &Vm, s: Ref<Str>) -> R<Ref<Str>> {
    let points = points(vm, s)?;
    let mut out = room(vm, s)?;
    for (i, &c) in points.iter().enumerate() {
        if i % BATCH == 0 {
            vm.check_signals()?;
        }
        if is_upper(c) {
            push_lower(&mut out, &points, i);
        } else if is_lower(c) {
            push_mapped(&mut out, c, char::to_uppercase);
        } else {
            push_code_point(&mut out, c);
        }
    }
    Str::new(vm, &out)
}
