//! The file form: code as bytes, read for every module that a program imports.
//!
//! ```text
//! "SKBC"  u16 version  u16 zero  u64 hash of the op table      little-endian
//! strings: count, then where each ends as u32s; then all of them in one piece of UTF-8
//! code
//! ```
//!
//! Numbers are varints of 7 bits a byte, low ones first, if nothing else is said; strings are numbers of the table above:
//! names recur in many codes of a module, and one check finds the whole piece to be UTF-8.
//!
//! ```text
//! code:   name qualname filename first_line flags arg_count posonly_count kwonly_count nregs
//!         count of free locals      count of bytes of the body, then this
//! body:   locals: count, then (name << 2 | kind) each      names: count, then each
//!         units: count, then u32s      consts: count, then each
//!         handlers: count, then start, length, target, register each      positions: count of bytes, then these
//! const:  a tag byte, then what the tag has: see `tag`
//! ```
//!
//! **Invariant:** whatever the bytes, reading ends with a code or an error: no panic, no unbounded
//! recursion, and memory in proportion to the bytes. But a code that comes back from foreign bytes may be
//! nonsense; [`verify`](crate::verify()) is what makes it safe to run.
//!
//! Most functions of a module never run. Of files that cannot be broken, the packaged library's, nested codes are read when
//! somebody looks at them ([`read_packed`]); of others at once, since what is wrong must be found before anything of it runs.
//!
//! There is no checksum: what stores files has its own means, and the embedded library cannot change.

use crate::code::{Code, Const, Handler, Intrinsic, Local, LocalKind};
use crate::code_ref::{CodeRef, Head};
use crate::ops::Op;
use crate::positions::Positions;
use crate::special::Special;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

/// Changes with the layout above. Changes of the op table need no new number: the hash sees them.
pub const FORMAT_VERSION: u16 = 2;

const MAGIC: [u8; 4] = *b"SKBC";

/// Tuples and codes inside each other, at most. Parsers stop well before.
const MAX_DEPTH: u32 = 256;

mod tag {
    pub const NONE: u8 = 0;
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const ELLIPSIS: u8 = 3;
    /// A zigzag number.
    pub const INT: u8 = 4;
    /// Count of digits, then u32s.
    pub const BIG_INT: u8 = 5;
    /// u64.
    pub const FLOAT: u8 = 6;
    /// Two u64s.
    pub const COMPLEX: u8 = 7;
    /// Number of a string.
    pub const STR: u8 = 8;
    /// Count, bytes: text with surrogates, which is no UTF-8.
    pub const STR_WTF8: u8 = 9;
    /// Count, bytes.
    pub const BYTES: u8 = 10;
    /// Count, constants.
    pub const TUPLE: u8 = 11;
    pub const FROZEN_SET: u8 = 12;
    /// A code.
    pub const CODE: u8 = 13;
}

const KINDS: [LocalKind; 4] = [LocalKind::Plain, LocalKind::Cell, LocalKind::Free, LocalKind::Hidden];

/// Why bytes are no code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// The bytes do not begin as the file form does.
    NotACode,
    /// Another version of the format.
    Version(u16),
    /// Made for another op table: compile again.
    OtherOps,
    /// What is wrong, and at which byte.
    Broken(&'static str, usize),
    /// Tuples or codes nest too deeply to be written.
    TooDeep,
    /// More text than the table of strings can have.
    TooLong,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::NotACode => write!(f, "not a Skein bytecode file"),
            FileError::Version(v) => write!(f, "bytecode format {v}, this Skein has {FORMAT_VERSION}"),
            FileError::OtherOps => write!(f, "bytecode of another version of Skein"),
            FileError::Broken(what, at) => write!(f, "broken bytecode file: {what} at byte {at}"),
            FileError::TooDeep => write!(f, "constants nest too deeply for a bytecode file"),
            FileError::TooLong => write!(f, "too much text for a bytecode file"),
        }
    }
}

impl std::error::Error for FileError {}

/// Hash of the op table, the special methods and the intrinsics: of all numbers that stand in code.
pub const fn table_hash() -> u64 {
    const fn mix(mut hash: u64, bytes: &[u8]) -> u64 {
        // FNV-1a, with a byte of its own behind each string.
        let mut i = 0;
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x100_0000_01b3);
            i += 1;
        }
        (hash ^ 0xff).wrapping_mul(0x100_0000_01b3)
    }
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut i = 0;
    while i < Op::ALL.len() {
        let info = Op::ALL[i].info();
        let [a, b, c] = info.operands;
        hash = mix(hash, info.text.as_bytes());
        hash = mix(hash, &[a as u8, b as u8, c as u8, info.extra as u8]);
        i += 1;
    }
    i = 0;
    while i < Special::COUNT {
        hash = mix(hash, Special::ALL[i].name().as_bytes());
        i += 1;
    }
    i = 0;
    while i < Intrinsic::ALL.len() {
        hash = mix(hash, Intrinsic::ALL[i].name().as_bytes());
        i += 1;
    }
    hash
}

const TABLE_HASH: u64 = table_hash();

/// Writes a code in the file form.
///
/// # Errors
/// [`FileError::TooDeep`] and [`FileError::TooLong`], since reading would refuse it.
pub fn write_file(code: &Code) -> Result<Vec<u8>, FileError> {
    let mut writer = Writer::default();
    writer.code(code, 0)?;
    let mut out = Vec::with_capacity(writer.body.len() + 64);
    out.extend(MAGIC);
    out.extend(FORMAT_VERSION.to_le_bytes());
    out.extend([0, 0]);
    out.extend(TABLE_HASH.to_le_bytes());
    put(&mut out, writer.strings.len() as u64);
    let mut end = 0usize;
    for s in &writer.strings {
        end += s.len();
        out.extend(u32::try_from(end).map_err(|_| FileError::TooLong)?.to_le_bytes());
    }
    writer.strings.iter().for_each(|s| out.extend(s.as_bytes()));
    out.extend(writer.body);
    Ok(out)
}

/// Reads a code in the file form. Does not verify it.
///
/// # Errors
/// If the bytes are of another format, version or op table, or broken.
pub fn read_file(bytes: &[u8]) -> Result<Code, FileError> {
    let (strings, at) = begin(bytes)?;
    let mut reader =
        Reader { bytes, at, strings, budget: bytes.len() * 64 + (1 << 20), filename: None, whole: None };
    let code = reader.code(0)?;
    if reader.at == bytes.len() { Ok(code) } else { Err(reader.broken("something behind the code")) }
}

/// Reads a code of a file that is known to be whole and verified. The codes within it are read when they are looked at.
/// `rename`: what all of them have for their file's name, instead of what is written, which it is given.
///
/// # Errors
/// As those of [`read_file`], as far as it has been read.
///
/// # Panics
/// Later, if one of the codes within it is broken.
pub fn read_packed(
    bytes: &'static [u8],
    rename: impl Fn(&str) -> Option<String>,
) -> Result<CodeRef, FileError> {
    let (strings, at) = begin(bytes)?;
    let mut file = PackedFile { bytes, strings, filename: None };
    let (_, _, filename, _) = file.reader(at).head()?;
    file.filename = rename(filename).map(Box::from);
    let file = Rc::new(file);
    file.code(at).map(CodeRef::new)
}

/// Looks at the head of a file: its strings, and where its code begins.
fn begin(bytes: &[u8]) -> Result<(Strings<'_>, usize), FileError> {
    let header = bytes.get(..16).filter(|h| h[..4] == MAGIC).ok_or(FileError::NotACode)?;
    let version = u16::from_le_bytes([header[4], header[5]]);
    if version != FORMAT_VERSION {
        return Err(FileError::Version(version));
    }
    if header[8..] != TABLE_HASH.to_le_bytes() {
        return Err(FileError::OtherOps);
    }
    let none = Strings { ends: &[], piece: "" };
    let mut reader =
        Reader { bytes, at: 16, strings: none, budget: bytes.len(), filename: None, whole: None };
    let strings = reader.string_table()?;
    Ok((strings, reader.at))
}

/// The table of strings: any of them is found at once.
#[derive(Clone, Copy)]
struct Strings<'a> {
    ends: &'a [[u8; 4]],
    piece: &'a str,
}

impl<'a> Strings<'a> {
    fn get(&self, n: u64) -> Option<&'a str> {
        let n = usize::try_from(n).ok()?;
        let end = |n: usize| self.ends.get(n).map(|e| u32::from_le_bytes(*e) as usize);
        let start = if n == 0 { 0 } else { end(n - 1)? };
        self.piece.get(start..end(n)?)
    }
}

/// A file of which codes are read as they are asked for.
pub(crate) struct PackedFile {
    bytes: &'static [u8],
    strings: Strings<'static>,
    filename: Option<Box<str>>,
}

impl PackedFile {
    fn reader(&self, at: usize) -> Reader<'static, '_> {
        Reader {
            bytes: self.bytes,
            at,
            strings: self.strings,
            budget: usize::MAX,
            filename: self.filename.as_deref(),
            whole: None,
        }
    }

    fn code(self: &Rc<Self>, at: usize) -> Result<Code, FileError> {
        Reader { whole: Some(self), ..self.reader(at) }.code(0)
    }
}

/// A code in such a file that has not been read yet.
pub(crate) struct PackedCode {
    file: Rc<PackedFile>,
    at: usize,
    pub name: &'static str,
    pub qualname: &'static str,
    filename: &'static str,
}

impl PackedCode {
    pub fn filename(&self) -> &str {
        self.file.filename.as_deref().unwrap_or(self.filename)
    }

    pub fn read(&self) -> Code {
        self.file.code(self.at).expect("it was verified when it was packed")
    }
}

fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

#[derive(Default)]
struct Writer<'a> {
    strings: Vec<&'a str>,
    numbers: HashMap<&'a str, u64>,
    body: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn number(&mut self, n: u64) {
        put(&mut self.body, n);
    }

    fn string_number(&mut self, s: &'a str) -> u64 {
        *self.numbers.entry(s).or_insert_with(|| {
            self.strings.push(s);
            self.strings.len() as u64 - 1
        })
    }

    fn string(&mut self, s: &'a str) {
        let n = self.string_number(s);
        self.number(n);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.body.extend(bytes);
    }

    fn words(&mut self, words: &[u32]) {
        self.number(words.len() as u64);
        words.iter().for_each(|w| self.body.extend(w.to_le_bytes()));
    }

    fn code(&mut self, code: &'a Code, depth: u32) -> Result<(), FileError> {
        let before = std::mem::take(&mut self.body);
        self.inner(code, depth)?;
        let body = std::mem::replace(&mut self.body, before);
        self.string(&code.name);
        self.string(&code.qualname);
        self.string(&code.filename);
        let head = Head::of(code);
        self.number(head.first_line.into());
        self.number(head.flags.into());
        for n in [head.arg_count, head.posonly_count, head.kwonly_count, head.nregs, head.free] {
            self.number(n.into());
        }
        self.bytes(&body);
        Ok(())
    }

    fn inner(&mut self, code: &'a Code, depth: u32) -> Result<(), FileError> {
        self.number(code.locals.len() as u64);
        for local in &code.locals {
            let n = self.string_number(&local.name);
            self.number(n << 2 | local.kind as u64);
        }
        self.number(code.names.len() as u64);
        code.names.iter().for_each(|name| self.string(name));
        self.words(&code.units);
        self.constants(&code.consts, depth)?;
        self.number(code.handlers.len() as u64);
        for h in &code.handlers {
            for n in [h.start, h.end.wrapping_sub(h.start), h.target, h.reg.into()] {
                self.number(n.into());
            }
        }
        self.bytes(code.positions.as_bytes());
        Ok(())
    }

    fn constants(&mut self, all: &'a [Const], depth: u32) -> Result<(), FileError> {
        self.number(all.len() as u64);
        all.iter().try_for_each(|value| self.constant(value, depth + 1))
    }

    fn constant(&mut self, value: &'a Const, depth: u32) -> Result<(), FileError> {
        if depth > MAX_DEPTH {
            return Err(FileError::TooDeep);
        }
        match value {
            Const::None => self.body.push(tag::NONE),
            Const::True => self.body.push(tag::TRUE),
            Const::False => self.body.push(tag::FALSE),
            Const::Ellipsis => self.body.push(tag::ELLIPSIS),
            Const::Int(n) => {
                self.body.push(tag::INT);
                self.number((n << 1 ^ n >> 63) as u64);
            }
            Const::BigInt(digits) => {
                self.body.push(tag::BIG_INT);
                self.words(digits);
            }
            Const::Float(bits) => {
                self.body.push(tag::FLOAT);
                self.body.extend(bits.to_le_bytes());
            }
            Const::Complex(re, im) => {
                self.body.push(tag::COMPLEX);
                self.body.extend(re.to_le_bytes());
                self.body.extend(im.to_le_bytes());
            }
            Const::Str(bytes) => match std::str::from_utf8(bytes) {
                Ok(s) => {
                    self.body.push(tag::STR);
                    self.string(s);
                }
                Err(_) => {
                    self.body.push(tag::STR_WTF8);
                    self.bytes(bytes);
                }
            },
            Const::Bytes(bytes) => {
                self.body.push(tag::BYTES);
                self.bytes(bytes);
            }
            Const::Tuple(items) => {
                self.body.push(tag::TUPLE);
                self.constants(items, depth)?;
            }
            Const::FrozenSet(items) => {
                self.body.push(tag::FROZEN_SET);
                self.constants(items, depth)?;
            }
            Const::Code(code) => {
                self.body.push(tag::CODE);
                self.code(code, depth)?;
            }
        }
        Ok(())
    }
}

struct Reader<'a, 'f> {
    bytes: &'a [u8],
    at: usize,
    strings: Strings<'a>,
    /// Bytes of strings that may still be copied: few bytes can name a long string many times.
    budget: usize,
    /// What codes have for their file's name, if not what is written.
    filename: Option<&'f str>,
    /// The file, if codes within others are to be read later.
    whole: Option<&'f Rc<PackedFile>>,
}

impl<'a> Reader<'a, '_> {
    #[cold]
    fn broken(&self, what: &'static str) -> FileError {
        FileError::Broken(what, self.at)
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, FileError> {
        let b = *self.bytes.get(self.at).ok_or_else(|| self.broken("the end"))?;
        self.at += 1;
        Ok(b)
    }

    #[inline]
    fn number(&mut self) -> Result<u64, FileError> {
        let first = self.byte()?;
        if first < 0x80 { Ok(first.into()) } else { self.long_number(first & 0x7f) }
    }

    fn long_number(&mut self, first: u8) -> Result<u64, FileError> {
        let mut n = u64::from(first);
        for shift in (7..64).step_by(7) {
            let b = self.byte()?;
            n |= u64::from(b & 0x7f) << shift;
            if b < 0x80 {
                return Ok(n);
            }
        }
        Err(self.broken("a number without end"))
    }

    #[inline]
    fn fits<T: TryFrom<u64>>(&mut self) -> Result<T, FileError> {
        let n = self.number()?;
        T::try_from(n).map_err(|_| self.broken("a number that is too large"))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], FileError> {
        let end = self.at.checked_add(len).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| self.broken("the end"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn blob(&mut self) -> Result<&'a [u8], FileError> {
        let len = self.fits()?;
        self.take(len)
    }

    fn words(&mut self) -> Result<Vec<u32>, FileError> {
        let len: usize = self.fits()?;
        let len = len.checked_mul(4).ok_or_else(|| self.broken("a number that is too large"))?;
        let (words, _) = self.take(len)?.as_chunks::<4>();
        Ok(words.iter().map(|w| u32::from_le_bytes(*w)).collect())
    }

    fn u64(&mut self) -> Result<u64, FileError> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(bytes))
    }

    /// Reads `count` things. Each takes a byte at least, so a count beyond the bytes is wrong; and
    /// room is made for a part at first, since counts may nest.
    fn many<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, FileError>,
    ) -> Result<Vec<T>, FileError> {
        let count: usize = self.fits()?;
        if count > self.bytes.len() - self.at {
            return Err(self.broken("a count beyond the end"));
        }
        let mut out = Vec::with_capacity(count.min(4096));
        for _ in 0..count {
            out.push(one(self)?);
        }
        Ok(out)
    }

    fn string_table(&mut self) -> Result<Strings<'a>, FileError> {
        let count: usize = self.fits()?;
        let len = count.checked_mul(4).ok_or_else(|| self.broken("a number that is too large"))?;
        let (ends, _) = self.take(len)?.as_chunks::<4>();
        let total = ends.last().map_or(0, |end| u32::from_le_bytes(*end) as usize);
        let piece = self.take(total)?;
        let piece = std::str::from_utf8(piece).map_err(|_| self.broken("text that is no UTF-8"))?;
        Ok(Strings { ends, piece })
    }

    #[inline]
    fn string_at(&mut self, n: u64) -> Result<&'a str, FileError> {
        let s = self.strings.get(n).ok_or_else(|| self.broken("a string that is not there"))?;
        self.budget = self.budget.checked_sub(s.len()).ok_or_else(|| self.broken("too much text"))?;
        Ok(s)
    }

    fn text(&mut self) -> Result<&'a str, FileError> {
        let n = self.number()?;
        self.string_at(n)
    }

    fn string(&mut self) -> Result<Box<str>, FileError> {
        self.text().map(Box::from)
    }

    fn local(&mut self) -> Result<Local, FileError> {
        let n = self.number()?;
        Ok(Local { name: self.string_at(n >> 2)?.into(), kind: KINDS[n as usize & 3] })
    }

    fn handler(&mut self) -> Result<Handler, FileError> {
        let start: u32 = self.fits()?;
        let len: u32 = self.fits()?;
        Ok(Handler { start, end: start.wrapping_add(len), target: self.fits()?, reg: self.fits()? })
    }

    fn code(&mut self, depth: u32) -> Result<Code, FileError> {
        let (name, qualname, filename, head) = self.head()?;
        let len: usize = self.fits()?;
        let start = self.at;
        let code = Code {
            name: name.into(),
            qualname: qualname.into(),
            filename: self.filename.unwrap_or(filename).into(),
            first_line: head.first_line,
            flags: head.flags,
            arg_count: head.arg_count,
            posonly_count: head.posonly_count,
            kwonly_count: head.kwonly_count,
            nregs: head.nregs,
            locals: self.many(Self::local)?,
            names: self.many(Self::string)?,
            units: self.words()?,
            consts: self.many(|r| r.constant(depth + 1))?,
            handlers: self.many(Self::handler)?,
            positions: Positions::from_bytes(self.blob()?.into()),
        };
        if self.at - start == len { Ok(code) } else { Err(self.broken("a code of another length")) }
    }

    fn head(&mut self) -> Result<(&'a str, &'a str, &'a str, Head), FileError> {
        let (name, qualname, filename) = (self.text()?, self.text()?, self.text()?);
        let head = Head {
            first_line: self.fits()?,
            flags: self.fits()?,
            arg_count: self.fits()?,
            posonly_count: self.fits()?,
            kwonly_count: self.fits()?,
            nregs: self.fits()?,
            free: self.fits()?,
        };
        Ok((name, qualname, filename, head))
    }

    fn code_ref(&mut self, depth: u32) -> Result<CodeRef, FileError> {
        let Some(file) = self.whole else { return self.code(depth).map(CodeRef::new) };
        // The same bytes, for as long as they are there.
        let mut ahead = file.reader(self.at);
        let (name, qualname, filename, head) = ahead.head()?;
        ahead.blob()?;
        let at = std::mem::replace(&mut self.at, ahead.at);
        Ok(CodeRef::packed(PackedCode { file: Rc::clone(file), at, name, qualname, filename }, head))
    }

    fn constant(&mut self, depth: u32) -> Result<Const, FileError> {
        if depth > MAX_DEPTH {
            return Err(self.broken("constants that nest too deeply"));
        }
        Ok(match self.byte()? {
            tag::NONE => Const::None,
            tag::TRUE => Const::True,
            tag::FALSE => Const::False,
            tag::ELLIPSIS => Const::Ellipsis,
            tag::INT => {
                let z = self.number()?;
                Const::Int((z >> 1) as i64 ^ -((z & 1) as i64))
            }
            tag::BIG_INT => Const::BigInt(self.words()?),
            tag::FLOAT => Const::Float(self.u64()?),
            tag::COMPLEX => Const::Complex(self.u64()?, self.u64()?),
            tag::STR => {
                let n = self.number()?;
                Const::Str(self.string_at(n)?.as_bytes().into())
            }
            tag::STR_WTF8 => Const::Str(self.blob()?.into()),
            tag::BYTES => Const::Bytes(self.blob()?.into()),
            tag::TUPLE => Const::Tuple(self.many(|r| r.constant(depth + 1))?),
            tag::FROZEN_SET => Const::FrozenSet(self.many(|r| r.constant(depth + 1))?),
            tag::CODE => Const::Code(self.code_ref(depth)?),
            _ => return Err(self.broken("an unknown kind of constant")),
        })
    }
}
