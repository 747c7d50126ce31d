//! ISO 2022 in seven bits: escape sequences say which character set what follows is in.
//!
//! Of a state the first four bytes are the sets that G0 to G3 have, the fifth has the flags.

use super::codec::{Output, State, Step, Stop};
use super::tables::{Decoded, Set, table};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    Kr,
    Jp,
    Jp1,
    Jp2,
    Jp3,
    Jp2004,
    JpExt,
}

/// Of a set's mark, which is the last byte of its escape sequence: characters have two bytes.
const DOUBLE: u8 = 0x80;
const ASCII: u8 = b'B';
const ISO_8859_1: u8 = b'A';
const ISO_8859_7: u8 = b'F';
const JIS_ROMAN: u8 = b'J';
const JIS_KANA: u8 = b'I';
const JIS_1978: u8 = b'@' | DOUBLE;
const JIS: u8 = b'B' | DOUBLE;
const GB_2312: u8 = b'A' | DOUBLE;
const KS_X_1001: u8 = b'C' | DOUBLE;
const JIS_X_0212: u8 = b'D' | DOUBLE;
const JIS_X_0213_2000: u8 = b'O' | DOUBLE;
const JIS_X_0213_2: u8 = b'P' | DOUBLE;
const JIS_X_0213_2004: u8 = b'Q' | DOUBLE;

/// In the fifth byte of the state: characters are in G1.
const SHIFTED: u8 = 1;
/// An escape sequence that means nothing here is passed on as it is, up to its end.
const THROUGH: u8 = 2;
const FLAGS: usize = 4;

pub const ENCODER: State = [ASCII, ASCII, 0, 0, 0, 0, 0, 0];
pub const DECODER: State = [ASCII, ASCII, ASCII, 0, 0, 0, 0, 0];

const HANGUL_FILLER: u32 = 0xa4d4;
const ESC: u8 = 0x1b;
const SHIFT_OUT: u8 = 0x0e;
const SHIFT_IN: u8 = 0x0f;
/// How far the end of an escape sequence is looked for.
const LONGEST_ESCAPE: usize = 16;

/// A set that an encoding uses.
#[derive(Clone, Copy)]
struct Designation {
    mark: u8,
    /// 0 to 2 for G0 to G2.
    plane: u8,
    /// Only what two code points are together.
    pairs_only: bool,
}

const fn g0(mark: u8) -> Designation {
    Designation { mark, plane: 0, pairs_only: false }
}

const fn pairs(mark: u8) -> Designation {
    Designation { mark, plane: 0, pairs_only: true }
}

impl Variant {
    /// Those that are tried in turn for a character.
    fn designations(self) -> &'static [Designation] {
        const G1_KOREAN: Designation = Designation { mark: KS_X_1001, plane: 1, pairs_only: false };
        const LATIN_1: Designation = Designation { mark: ISO_8859_1, plane: 2, pairs_only: false };
        const GREEK: Designation = Designation { mark: ISO_8859_7, plane: 2, pairs_only: false };
        match self {
            Variant::Kr => &[G1_KOREAN],
            Variant::Jp => const { &[g0(JIS), g0(JIS_ROMAN), g0(JIS_1978)] },
            Variant::Jp1 => const { &[g0(JIS), g0(JIS_X_0212), g0(JIS_ROMAN), g0(JIS_1978)] },
            Variant::Jp2 => {
                const {
                    &[
                        g0(JIS),
                        g0(JIS_X_0212),
                        g0(KS_X_1001),
                        g0(GB_2312),
                        g0(JIS_ROMAN),
                        g0(JIS_1978),
                        LATIN_1,
                        GREEK,
                    ]
                }
            }
            Variant::Jp3 => {
                const { &[pairs(JIS_X_0213_2000), g0(JIS), g0(JIS_X_0213_2000), g0(JIS_X_0213_2)] }
            }
            Variant::Jp2004 => {
                const { &[pairs(JIS_X_0213_2004), g0(JIS), g0(JIS_X_0213_2004), g0(JIS_X_0213_2)] }
            }
            Variant::JpExt => const { &[g0(JIS), g0(JIS_X_0212), g0(JIS_ROMAN), g0(JIS_KANA), g0(JIS_1978)] },
        }
    }

    fn knows(self, mark: u8) -> bool {
        mark == ASCII || self.designations().iter().any(|d| d.mark == mark)
    }

    fn shifts(self) -> bool {
        self == Variant::Kr
    }

    fn uses_g2(self) -> bool {
        self == Variant::Jp2
    }

    /// Do escape sequences with the prefix of JIS X 0208:1990 count?
    fn has_prefixes(self) -> bool {
        self != Variant::Kr
    }

    /// The table that has a set, with sequences of three bytes for the second plane.
    fn table(self, mark: u8) -> Option<Set> {
        Some(match mark {
            JIS | JIS_1978 | JIS_X_0212 => Set::EucJp,
            GB_2312 => Set::Gb2312,
            KS_X_1001 => Set::EucKr,
            JIS_X_0213_2000 => Set::EucJisX0213,
            JIS_X_0213_2004 => Set::EucJis2004,
            JIS_X_0213_2 if self == Variant::Jp3 => Set::EucJisX0213,
            JIS_X_0213_2 => Set::EucJis2004,
            _ => return None,
        })
    }
}

/// Rows of the second plane of JIS X 0213; the others of the tables' sequences of three bytes are those of JIS X 0212.
fn is_second_plane(row: u32) -> bool {
    matches!(row, 0x21 | 0x23..=0x25 | 0x28 | 0x2c..=0x2f | 0x6e..=0x7e)
}

fn is_triple(mark: u8) -> bool {
    mark == JIS_X_0212 || mark == JIS_X_0213_2
}

/// The two bytes of a sequence of a table, if it is of this set.
fn within(mark: u8, sequence: u32) -> Option<u32> {
    let low = sequence & 0x7f7f;
    let fits = match mark {
        JIS_X_0212 => sequence > 0xffff && !is_second_plane(low >> 8),
        JIS_X_0213_2 => sequence > 0xffff && is_second_plane(low >> 8),
        _ => sequence <= 0xffff && sequence & 0x8080 == 0x8080 && (0x2121..=0x7e7e).contains(&low),
    };
    fits.then_some(low)
}

pub fn reset_decoder(state: &mut State) {
    state[0] = ASCII;
    state[FLAGS] &= !SHIFTED;
}

pub fn reset_encoder(state: &mut State, out: &mut Output) {
    shift_in(state, out);
    if state[0] != ASCII {
        state[0] = ASCII;
        out.put(&[ESC, b'(', ASCII]);
    }
}

fn shift_in(state: &mut State, out: &mut Output) {
    if state[FLAGS] & SHIFTED != 0 {
        state[FLAGS] &= !SHIFTED;
        out.put(&[SHIFT_IN]);
    }
}

pub fn encode(
    variant: Variant,
    first: u32,
    second: Option<u32>,
    whole: bool,
    state: &mut State,
    out: &mut Output,
) -> Result<(), Stop> {
    if first < 0x80 {
        if state[0] != ASCII {
            state[0] = ASCII;
            out.put(&[ESC, b'(', ASCII]);
        }
        shift_in(state, out);
        out.put(&[first as u8]);
        return Ok(());
    }
    for designation in variant.designations() {
        if let Some((sequence, taken)) = coded(variant, *designation, first, second, whole)? {
            out.taken = taken;
            designate(*designation, state, out);
            out.put_sequence(sequence);
            return Ok(());
        }
    }
    Err(Stop::Illegal(1))
}

/// The sequence in a set, and how many of the characters it stands for.
fn coded(
    variant: Variant,
    designation: Designation,
    first: u32,
    second: Option<u32>,
    whole: bool,
) -> Result<Option<(u32, usize)>, Stop> {
    let mark = designation.mark;
    match (mark, first) {
        (JIS_ROMAN, 0xa5) => return Ok(Some((0x5c, 1))),
        (JIS_ROMAN, 0x203e) => return Ok(Some((0x7e, 1))),
        (JIS_KANA, 0xff61..=0xff9f) => return Ok(Some((first - 0xff61 + 0x21, 1))),
        // The wide tilde is of the tables, but not of the set.
        (JIS_X_0213_2000 | JIS_X_0213_2004 | JIS_X_0213_2, 0xff5e) => return Ok(None),
        _ => {}
    }
    let Some(table) = variant.table(mark).map(table) else { return Ok(None) };
    let has_pairs = matches!(mark, JIS_X_0213_2000 | JIS_X_0213_2004);
    if has_pairs && table.begins_pair(first) {
        match second {
            None if !whole => return Err(Stop::Incomplete),
            None => {}
            Some(second) => {
                if let Some(sequence) = table.encode_pair([first, second]) {
                    return Ok(Some((sequence & 0x7f7f, 2)));
                }
            }
        }
    }
    if designation.pairs_only {
        return Ok(None);
    }
    Ok(table.encode(first).and_then(|sequence| within(mark, sequence)).map(|low| (low, 1)))
}

/// Brings the output to where the set's characters are understood.
fn designate(designation: Designation, state: &mut State, out: &mut Output) {
    let Designation { mark, plane, .. } = designation;
    let last = mark & !DOUBLE;
    let double = mark & DOUBLE != 0;
    if plane == 0 {
        shift_in(state, out);
    }
    let held = &mut state[usize::from(plane)];
    if *held != mark {
        *held = mark;
        let into = if plane == 0 { b'(' } else { b')' };
        match double {
            false => out.put(&[ESC, into, last]),
            true if mark == JIS => out.put(&[ESC, b'$', last]),
            true => out.put(&[ESC, b'$', into, last]),
        }
    }
    if plane == 1 && state[FLAGS] & SHIFTED == 0 {
        state[FLAGS] |= SHIFTED;
        out.put(&[SHIFT_OUT]);
    }
}

fn nothing(taken: usize) -> Step {
    Ok((Decoded::None, taken))
}

fn one(code: u8, taken: usize) -> Step {
    Ok((Decoded::One(code.into()), taken))
}

fn ends_escape(c: u8) -> bool {
    matches!(c, b'A'..=b'Z' | b'@')
}

pub fn decode(variant: Variant, bytes: &[u8], state: &mut State) -> Step {
    let c = bytes[0];
    if state[FLAGS] & THROUGH != 0 {
        if ends_escape(c) {
            state[FLAGS] &= !THROUGH;
        }
        return one(c, 1);
    }
    match c {
        ESC => match *bytes.get(1).ok_or(Stop::Incomplete)? {
            b'(' | b')' | b'$' | b'.' | b'&' => decode_escape(variant, bytes, state),
            b'N' if variant.uses_g2() => decode_g2(bytes, state),
            _ => {
                state[FLAGS] |= THROUGH;
                one(c, 1)
            }
        },
        SHIFT_IN if variant.shifts() => {
            state[FLAGS] &= !SHIFTED;
            nothing(1)
        }
        SHIFT_OUT if variant.shifts() => {
            state[FLAGS] |= SHIFTED;
            nothing(1)
        }
        b'\n' => {
            state[FLAGS] &= !SHIFTED;
            one(c, 1)
        }
        ..0x20 => one(c, 1),
        0x80.. => Err(Stop::Illegal(1)),
        _ => match state[usize::from(state[FLAGS] & SHIFTED)] {
            ASCII => one(c, 1),
            mark => decode_in(variant, mark, bytes),
        },
    }
}

/// A character in a set.
fn decode_in(variant: Variant, mark: u8, bytes: &[u8]) -> Step {
    if mark & DOUBLE == 0 {
        return match (mark, bytes[0]) {
            (JIS_ROMAN, 0x5c) => Ok((Decoded::One(0xa5), 1)),
            (JIS_ROMAN, 0x7e) => Ok((Decoded::One(0x203e), 1)),
            (JIS_ROMAN, c) => one(c, 1),
            (JIS_KANA, c @ 0x21..=0x5f) => Ok((Decoded::One(u32::from(c) - 0x21 + 0xff61), 1)),
            _ => Err(Stop::Illegal(1)),
        };
    }
    let &[a, b] = bytes.first_chunk().ok_or(Stop::Incomplete)?;
    let sequence =
        u32::from(a | 0x80) << 8 | u32::from(b | 0x80) | if is_triple(mark) { 0x8f_0000 } else { 0 };
    if (mark, sequence) == (KS_X_1001, HANGUL_FILLER) {
        // In EUC-KR it begins a syllable of letters.
        return Ok((Decoded::One(0x3164), 2));
    }
    let known = b < 0x80 && within(mark, sequence).is_some();
    match variant.table(mark).filter(|_| known).map(|set| table(set).decode(sequence)) {
        None | Some(Decoded::None) => Err(Stop::Illegal(2)),
        Some(decoded) => Ok((decoded, 2)),
    }
}

fn decode_escape(variant: Variant, bytes: &[u8], state: &mut State) -> Step {
    let mut length = 0;
    let mut i = 1;
    while i < LONGEST_ESCAPE {
        let c = *bytes.get(i).ok_or(Stop::Incomplete)?;
        if ends_escape(c) {
            length = i + 1;
            break;
        }
        if variant.has_prefixes() && c == b'&' && bytes.get(i + 1) == Some(&b'@') {
            i += 2;
        }
        i += 1;
    }
    let illegal = Err(Stop::Illegal(length.max(1)));
    let (mark, plane) = match bytes[1..length.max(1)] {
        [b'$', last] => (last | DOUBLE, 0),
        [b'(', last] => (last, 0),
        [b')', last] => (last, 1),
        [b'.', last] if variant.uses_g2() => (last, 2),
        [b'$', b'(', last] => (last | DOUBLE, 0),
        [b'$', b')', last] => (last | DOUBLE, 1),
        [_, _, ESC, b'$', b'B'] if variant.has_prefixes() => (JIS, 0),
        _ => return illegal,
    };
    if !variant.knows(mark) {
        return illegal;
    }
    state[plane] = mark;
    nothing(length)
}

/// A character in G2, behind ESC N.
fn decode_g2(bytes: &[u8], state: &State) -> Step {
    let c = *bytes.get(2).ok_or(Stop::Incomplete)?;
    if c >= 0x80 {
        return Err(Stop::Illegal(3));
    }
    match state[2] {
        ISO_8859_1 => one(c + 0x80, 3),
        ISO_8859_7 => match greek(c + 0x80) {
            Some(code) => Ok((Decoded::One(code), 3)),
            None => Err(Stop::Illegal(3)),
        },
        _ => one(c, 3),
    }
}

/// The upper half of ISO 8859-7 of 1987.
fn greek(c: u8) -> Option<u32> {
    Some(match c {
        0xa1 => 0x2018,
        0xa2 => 0x2019,
        0xaf => 0x2015,
        0x80..=0xa0 | 0xa3 | 0xa6..=0xa9 | 0xab..=0xad | 0xb0..=0xb3 | 0xb7 | 0xbb | 0xbd => c.into(),
        0xb4..=0xb6 | 0xb8..=0xba | 0xbc | 0xbe..=0xd1 | 0xd3..=0xfe => u32::from(c) - 0xa0 + 0x370,
        _ => return None,
    })
}
