//! What an encoding does with the next character, and the eight bytes of state that some have between characters.

use super::iso2022::{self, Variant};
use super::tables::{Decoded, Set, from_four_bytes, table, to_four_bytes};

/// What is kept between characters. Programs see it as a number (`getstate()`), with CPython's meaning of each byte.
pub type State = [u8; 8];

/// An encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Codec {
    /// Each sequence stands for itself.
    Plain(Set),
    Hz,
    Iso2022(Variant),
}

/// The names that `getcodec` of the modules `_codecs_cn` and its like knows.
pub const CODECS: &[(&str, Codec)] = &[
    ("gb2312", Codec::Plain(Set::Gb2312)),
    ("gbk", Codec::Plain(Set::Gbk)),
    ("gb18030", Codec::Plain(Set::Gb18030)),
    ("hz", Codec::Hz),
    ("big5", Codec::Plain(Set::Big5)),
    ("cp950", Codec::Plain(Set::Cp950)),
    ("big5hkscs", Codec::Plain(Set::Big5Hkscs)),
    ("euc_kr", Codec::Plain(Set::EucKr)),
    ("cp949", Codec::Plain(Set::Cp949)),
    ("johab", Codec::Plain(Set::Johab)),
    ("shift_jis", Codec::Plain(Set::ShiftJis)),
    ("cp932", Codec::Plain(Set::Cp932)),
    ("shift_jis_2004", Codec::Plain(Set::ShiftJis2004)),
    ("shift_jisx0213", Codec::Plain(Set::ShiftJisX0213)),
    ("euc_jp", Codec::Plain(Set::EucJp)),
    ("euc_jis_2004", Codec::Plain(Set::EucJis2004)),
    ("euc_jisx0213", Codec::Plain(Set::EucJisX0213)),
    ("iso2022_kr", Codec::Iso2022(Variant::Kr)),
    ("iso2022_jp", Codec::Iso2022(Variant::Jp)),
    ("iso2022_jp_1", Codec::Iso2022(Variant::Jp1)),
    ("iso2022_jp_2", Codec::Iso2022(Variant::Jp2)),
    ("iso2022_jp_2004", Codec::Iso2022(Variant::Jp2004)),
    ("iso2022_jp_3", Codec::Iso2022(Variant::Jp3)),
    ("iso2022_jp_ext", Codec::Iso2022(Variant::JpExt)),
];

/// Why there is no next character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// So many bytes, or characters, mean nothing.
    Illegal(usize),
    /// What there is may be the beginning of something.
    Incomplete,
}

/// The next step in decoding: what comes out, and how many bytes it took.
pub type Step = Result<(Decoded, usize), Stop>;

/// What a step in encoding puts out: bytes, in order, and how many characters they stand for.
#[derive(Default)]
pub struct Output {
    bytes: [u8; 16],
    length: usize,
    pub taken: usize,
}

impl Output {
    pub fn put(&mut self, row: &[u8]) {
        self.bytes[self.length..self.length + row.len()].copy_from_slice(row);
        self.length += row.len();
    }

    /// One, two or three bytes as a number.
    pub fn put_sequence(&mut self, sequence: u32) {
        let row = sequence.to_be_bytes();
        self.put(
            &row[match sequence {
                0..0x100 => 3,
                0x100..0x1_0000 => 2,
                _ => 1,
            }..],
        );
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Codec {
    pub fn named(name: &str) -> Option<Codec> {
        CODECS.iter().find(|(n, _)| *n == name).map(|(_, codec)| *codec)
    }

    /// The state of an encoder at the beginning.
    pub fn encoder_state(self) -> State {
        match self {
            Codec::Iso2022(_) => iso2022::ENCODER,
            _ => State::default(),
        }
    }

    /// The state of a decoder at the beginning.
    pub fn decoder_state(self) -> State {
        match self {
            Codec::Iso2022(_) => iso2022::DECODER,
            _ => State::default(),
        }
    }

    /// The state of a decoder after `reset()`.
    pub fn reset_decoder(self, state: &mut State) {
        match self {
            Codec::Plain(_) => {}
            Codec::Hz => state[0] = 0,
            Codec::Iso2022(_) => iso2022::reset_decoder(state),
        }
    }

    /// Decodes what `bytes`, of which there is at least one, begin with.
    pub fn decode(self, bytes: &[u8], state: &mut State) -> Step {
        match self {
            Codec::Plain(set) => decode_plain(set, bytes),
            Codec::Hz => decode_hz(bytes, state),
            Codec::Iso2022(variant) => iso2022::decode(variant, bytes, state),
        }
    }

    /// Encodes the first of the characters. The second one is the next, if there is one; `whole` if there will be none.
    pub fn encode(
        self,
        first: u32,
        second: Option<u32>,
        whole: bool,
        state: &mut State,
    ) -> Result<Output, Stop> {
        let mut out = Output { taken: 1, ..Output::default() };
        match self {
            Codec::Plain(set) => encode_plain(set, first, second, whole, &mut out)?,
            Codec::Hz => encode_hz(first, state, &mut out)?,
            Codec::Iso2022(variant) => iso2022::encode(variant, first, second, whole, state, &mut out)?,
        }
        Ok(out)
    }

    /// What brings the output back to its first state.
    pub fn reset_encoder(self, state: &mut State) -> Output {
        let mut out = Output::default();
        match self {
            Codec::Plain(_) => {}
            Codec::Hz => leave_hz(state, &mut out),
            Codec::Iso2022(_) => iso2022::reset_encoder(state, &mut out),
        }
        out
    }
}

fn one(code: u32, length: usize) -> Step {
    Ok((Decoded::One(code), length))
}

/// The sequence of so many bytes.
fn found(set: Set, bytes: &[u8], length: usize) -> Step {
    let row = bytes.get(..length).ok_or(Stop::Incomplete)?;
    match table(set).decode(row.iter().fold(0, |n, b| n << 8 | u32::from(*b))) {
        Decoded::None if is_later(set, row) => Err(Stop::Illegal(2)),
        Decoded::None => Err(Stop::Illegal(1)),
        decoded => Ok((decoded, length)),
    }
}

/// The encodings of JIS X 0213:2000 know the characters that came in 2004, and do not take them.
fn is_later(set: Set, row: &[u8]) -> bool {
    let later = match set {
        Set::ShiftJisX0213 => Set::ShiftJis2004,
        Set::EucJisX0213 => Set::EucJis2004,
        _ => return false,
    };
    row.len() == 2 && found(later, row, 2).is_ok()
}

fn is_jis_2004(set: Set) -> bool {
    matches!(set, Set::ShiftJis2004 | Set::ShiftJisX0213)
}

fn decode_plain(set: Set, bytes: &[u8]) -> Step {
    let lead = bytes[0];
    match (set, lead) {
        (_, 0x5c) if is_jis_2004(set) => return one(0xa5, 1),
        (_, 0x7e) if is_jis_2004(set) => return one(0x203e, 1),
        (_, ..0x80) => return one(lead.into(), 1),
        (Set::EucJp | Set::EucJis2004 | Set::EucJisX0213, 0x8f) => return found(set, bytes, 3),
        (Set::Gb18030, _) if bytes.get(1).is_some_and(u8::is_ascii_digit) => return decode_four_bytes(bytes),
        (Set::EucKr, 0xa4) if bytes.get(1) == Some(&JAMO_FILLER) => return decode_jamo(bytes),
        (Set::ShiftJis | Set::ShiftJis2004 | Set::ShiftJisX0213 | Set::Cp932, _) => {
            if let one @ Ok(_) = found(set, bytes, 1) {
                return one;
            }
            let last = if set == Set::ShiftJis { 0xea } else { 0xfc };
            if set != Set::Cp932 && !matches!(lead, 0x81..=0x9f) && !(0xe0..=last).contains(&lead) {
                return Err(Stop::Illegal(1));
            }
        }
        _ => {}
    }
    found(set, bytes, 2)
}

fn encode_plain(
    set: Set,
    first: u32,
    second: Option<u32>,
    whole: bool,
    out: &mut Output,
) -> Result<(), Stop> {
    if first < 0x80 && !(is_jis_2004(set) && matches!(first, 0x5c | 0x7e)) {
        out.put(&[first as u8]);
        return Ok(());
    }
    let table = table(set);
    if table.begins_pair(first) {
        match second {
            None if !whole => return Err(Stop::Incomplete),
            None => {}
            Some(second) => {
                if let Some(sequence) = table.encode_pair([first, second]) {
                    out.taken = 2;
                    out.put_sequence(sequence);
                    return Ok(());
                }
            }
        }
    }
    if let Some(sequence) = table.encode(first) {
        out.put_sequence(sequence);
        return Ok(());
    }
    match set {
        Set::Gb18030 => {
            let n = to_four_bytes(first).ok_or(Stop::Illegal(1))?;
            let digit = |n: u32| 0x30 + (n % 10) as u8;
            let row = [0x81 + (n / 12600) as u8, digit(n / 1260), 0x81 + (n / 10 % 126) as u8, digit(n)];
            out.put(&row);
            Ok(())
        }
        Set::EucKr if (0xac00..0xd7a4).contains(&first) => {
            let n = first - 0xac00;
            let (initial, vowel, last) = (INITIALS[(n / 588) as usize], (n / 28 % 21) as u8, n % 28);
            let last = if last == 0 { JAMO_FILLER } else { 0xa1 + FINALS[last as usize - 1] };
            out.put(&[0xa4, JAMO_FILLER, 0xa4, 0xa1 + initial, 0xa4, 0xbf + vowel, 0xa4, last]);
            Ok(())
        }
        _ => Err(Stop::Illegal(1)),
    }
}

fn decode_four_bytes(bytes: &[u8]) -> Step {
    let &[a, b, c, d] = bytes.get(..4).and_then(|row| row.first_chunk()).ok_or(Stop::Incomplete)?;
    if !matches!(a, 0x81..=0xfe) || !matches!(c, 0x81..=0xfe) || !d.is_ascii_digit() {
        return Err(Stop::Illegal(1));
    }
    let digits = [u32::from(a - 0x81), u32::from(b - 0x30), u32::from(c - 0x81), u32::from(d - 0x30)];
    let number = ((digits[0] * 10 + digits[1]) * 126 + digits[2]) * 10 + digits[3];
    from_four_bytes(number).map(|code| (Decoded::One(code), 4)).ok_or(Stop::Illegal(1))
}

/// Begins a syllable that KS X 1001 has no sequence for: it is written as this and three letters.
const JAMO_FILLER: u8 = 0xd4;
/// Consonants at the beginning of syllables, as places among the letters of KS X 1001.
const INITIALS: [u8; 19] = [0, 1, 3, 6, 7, 8, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
/// Those at their end.
const FINALS: [u8; 27] =
    [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 25, 26, 27, 28, 29];

fn decode_jamo(bytes: &[u8]) -> Step {
    let row: &[u8; 8] = bytes.first_chunk().ok_or(Stop::Incomplete)?;
    let place = |row: &[u8], letter: u8| row.iter().position(|p| Some(*p) == letter.checked_sub(0xa1));
    let syllable = || {
        let initial = place(&INITIALS, row[3])?;
        let vowel = row[5].checked_sub(0xbf).filter(|v| *v < 21)?;
        let last = if row[7] == JAMO_FILLER { 0 } else { place(&FINALS, row[7])? + 1 };
        let letters = [2, 4, 6].iter().all(|i| row[*i] == 0xa4);
        letters.then(|| 0xac00 + initial as u32 * 588 + u32::from(vowel) * 28 + last as u32)
    };
    syllable().map(|code| (Decoded::One(code), 8)).ok_or(Stop::Illegal(1))
}

/// HZ: GB 2312 in seven bits, between `~{` and `~}`. The first byte of the state says whether we are there.
fn decode_hz(bytes: &[u8], state: &mut State) -> Step {
    let inside = state[0] != 0;
    match (bytes[0], inside) {
        (b'~', _) => {
            let next = *bytes.get(1).ok_or(Stop::Incomplete)?;
            match (next, inside) {
                (b'~', false) => return one(b'~'.into(), 2),
                (b'{', false) => state[0] = 1,
                (b'\n', false) => {}
                (b'}', true) => state[0] = 0,
                _ => return Err(Stop::Illegal(1)),
            }
            Ok((Decoded::None, 2))
        }
        (0x80.., _) => Err(Stop::Illegal(1)),
        (c, false) => one(c.into(), 1),
        (c, true) => {
            let next = *bytes.get(1).ok_or(Stop::Incomplete)?;
            if next >= 0x80 {
                return Err(Stop::Illegal(1));
            }
            found(Set::Gb2312, &[c | 0x80, next | 0x80], 2)
        }
    }
}

fn encode_hz(first: u32, state: &mut State, out: &mut Output) -> Result<(), Stop> {
    if first < 0x80 {
        leave_hz(state, out);
        out.put(&[first as u8]);
        if first == u32::from(b'~') {
            out.put(b"~");
        }
        return Ok(());
    }
    let sequence = table(Set::Gb2312).encode(first).ok_or(Stop::Illegal(1))?;
    if state[0] == 0 {
        state[0] = 1;
        out.put(b"~{");
    }
    out.put_sequence(sequence & 0x7f7f);
    Ok(())
}

fn leave_hz(state: &mut State, out: &mut Output) {
    if state[0] != 0 {
        state[0] = 0;
        out.put(b"~}");
    }
}
