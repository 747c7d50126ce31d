//! `zlib`: deflate streams, raw, with zlib's frame or with gzip's.

use super::support::{self, BytesLike, add_exception, low_word};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Raised, Value, Vm, native_functions, native_type};
use std::cell::RefCell;

#[cold]
fn error(vm: &Vm, message: impl AsRef<str>) -> Raised {
    support::raise(vm, "zlib.error", message)
}

const SYNC_FLUSH: i64 = 2;
const FULL_FLUSH: i64 = 3;
const FINISH: i64 = 4;
const BUFFER: usize = 16 * 1024;

/// What is around the deflate stream.
#[derive(Clone, Copy, PartialEq)]
enum Frame {
    Raw,
    Zlib,
    Gzip,
    /// Zlib's or gzip's, as the beginning tells.
    Any,
}

fn frame(vm: &Vm, wbits: i64) -> R<Frame> {
    match wbits {
        -15..=-8 => Ok(Frame::Raw),
        0 | 8..=15 => Ok(Frame::Zlib),
        24..=31 => Ok(Frame::Gzip),
        40..=47 => Ok(Frame::Any),
        _ => Err(vm.value_error("Invalid initialization option")),
    }
}

struct Packer {
    stream: Compress,
    frame: Frame,
    level: i64,
    begun: bool,
    finished: bool,
    crc: crc32fast::Hasher,
    size: u32,
}

impl Packer {
    fn new(vm: &Vm, level: i64, wbits: i64) -> R<Packer> {
        let frame = match frame(vm, wbits)? {
            Frame::Any => return Err(vm.value_error("Invalid initialization option")),
            f => f,
        };
        let amount = match level {
            -1 => Compression::default(),
            0..=9 => Compression::new(level as u32),
            _ => return Err(error(vm, "Bad compression level")),
        };
        let stream = Compress::new(amount, frame == Frame::Zlib);
        let crc = crc32fast::Hasher::new();
        Ok(Packer { stream, frame, level, begun: false, finished: false, crc, size: 0 })
    }

    fn run(&mut self, vm: &Vm, mut data: &[u8], flush: FlushCompress) -> R<Vec<u8>> {
        let mut out = Vec::new();
        if self.frame == Frame::Gzip {
            if !std::mem::replace(&mut self.begun, true) {
                let extra = match self.level {
                    9 => 2,
                    1 => 4,
                    _ => 0,
                };
                out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extra, 3]);
            }
            self.crc.update(data);
            self.size = self.size.wrapping_add(data.len() as u32);
        }
        loop {
            let before = self.stream.total_in();
            let full = out.len() + BUFFER;
            out.reserve(BUFFER);
            let status = match self.stream.compress_vec(data, &mut out, flush) {
                Ok(s) => s,
                Err(e) => return Err(error(vm, format!("Error -2 while compressing data: {e}"))),
            };
            data = &data[(self.stream.total_in() - before) as usize..];
            let room = out.len() < full.min(out.capacity());
            match status {
                Status::StreamEnd => break,
                _ if data.is_empty() && room && !matches!(flush, FlushCompress::Finish) => break,
                Status::BufError if data.is_empty() && room => break,
                _ => {}
            }
        }
        if matches!(flush, FlushCompress::Finish) {
            self.finished = true;
            if self.frame == Frame::Gzip {
                out.extend_from_slice(&self.crc.clone().finalize().to_le_bytes());
                out.extend_from_slice(&self.size.to_le_bytes());
            }
        }
        Ok(out)
    }
}

/// Where a reader of gzip's frame is.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Header,
    Body,
    Trailer,
    End,
}

struct Unpacker {
    stream: Decompress,
    frame: Frame,
    stage: Stage,
    /// Input of a header or trailer that is not whole yet.
    held: Vec<u8>,
    crc: crc32fast::Hasher,
    size: u32,
    unused: Vec<u8>,
    unconsumed: Vec<u8>,
}

/// Length of gzip's header, if these bytes have it all; an error if it is none.
fn gzip_header(bytes: &[u8]) -> Result<Option<usize>, ()> {
    if bytes.iter().zip([0x1f, 0x8b, 8]).any(|(&a, b)| a != b) {
        return Err(());
    }
    let Some(&flags) = bytes.get(3) else { return Ok(None) };
    let mut at = 10;
    if flags & 4 != 0 {
        let Some(&[a, b]) = bytes.get(at..at + 2).and_then(|s| s.first_chunk()) else { return Ok(None) };
        at += 2 + usize::from(u16::from_le_bytes([a, b]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let Some(n) = bytes.get(at..).and_then(|rest| rest.iter().position(|&b| b == 0)) else {
                return Ok(None);
            };
            at += n + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    Ok((bytes.len() >= at).then_some(at))
}

impl Unpacker {
    fn new(vm: &Vm, wbits: i64) -> R<Unpacker> {
        let frame = frame(vm, wbits)?;
        let stage = if matches!(frame, Frame::Gzip | Frame::Any) { Stage::Header } else { Stage::Body };
        Ok(Unpacker {
            stream: Decompress::new(frame == Frame::Zlib),
            frame,
            stage,
            held: Vec::new(),
            crc: crc32fast::Hasher::new(),
            size: 0,
            unused: Vec::new(),
            unconsumed: Vec::new(),
        })
    }

    /// Takes input, gives at most `max` bytes; what is over is kept.
    fn run(&mut self, vm: &Vm, data: &[u8], max: usize) -> R<Vec<u8>> {
        let mut input = std::mem::take(&mut self.held);
        input.extend_from_slice(data);
        let mut rest = &input[..];
        let mut out = Vec::new();
        self.unconsumed.clear();
        if self.stage == Stage::Header {
            if self.frame == Frame::Any && rest.first().is_some_and(|&b| b != 0x1f) {
                self.frame = Frame::Zlib;
                self.stream = Decompress::new(true);
                self.stage = Stage::Body;
            } else {
                match gzip_header(rest) {
                    Ok(Some(n)) => {
                        self.frame = Frame::Gzip;
                        self.stage = Stage::Body;
                        rest = &rest[n..];
                    }
                    Ok(None) => {
                        self.held = input;
                        return Ok(out);
                    }
                    Err(()) => {
                        return Err(error(vm, "Error -3 while decompressing data: incorrect header check"));
                    }
                }
            }
        }
        while self.stage == Stage::Body {
            let room = max.saturating_sub(out.len()).min(BUFFER);
            if room == 0 {
                break;
            }
            let (before, old) = (self.stream.total_in(), out.len());
            let mut piece = vm.buffer(room)?;
            let status = match self.stream.decompress_vec(rest, &mut piece, FlushDecompress::None) {
                Ok(s) => s,
                Err(e) => {
                    let why = e.message().unwrap_or("invalid stream").to_string();
                    return Err(error(vm, format!("Error -3 while decompressing data: {why}")));
                }
            };
            // A vector may have more room than was asked for.
            out.extend_from_slice(&piece);
            let used = (self.stream.total_in() - before) as usize;
            rest = &rest[used..];
            if self.frame == Frame::Gzip {
                self.crc.update(&out[old..]);
                self.size = self.size.wrapping_add((out.len() - old) as u32);
            }
            match status {
                Status::StreamEnd if self.frame == Frame::Gzip => self.stage = Stage::Trailer,
                Status::StreamEnd => self.stage = Stage::End,
                _ if used == 0 && out.len() == old => break,
                _ => {}
            }
        }
        match self.stage {
            Stage::Trailer if rest.len() >= 8 => {
                let mut wanted = self.crc.clone().finalize().to_le_bytes().to_vec();
                if rest[..4] != wanted[..] {
                    return Err(error(vm, "Error -3 while decompressing data: incorrect data check"));
                }
                wanted.extend_from_slice(&self.size.to_le_bytes());
                if rest[..8] != wanted[..] {
                    return Err(error(vm, "Error -3 while decompressing data: incorrect length check"));
                }
                self.stage = Stage::End;
                self.unused.extend_from_slice(&rest[8..]);
            }
            Stage::Trailer => self.held = rest.to_vec(),
            Stage::End => self.unused.extend_from_slice(rest),
            _ => self.unconsumed = rest.to_vec(),
        }
        Ok(out)
    }
}

// ---- objects

struct CompressObject(RefCell<Packer>);
struct DecompressObject(RefCell<Unpacker>);

impl Payload for CompressObject {
    const NAME: &'static str = "zlib.Compress";
    fn trace(&self, _: &mut Tracer<'_>) {
        let CompressObject(_) = self;
    }
}

impl Payload for DecompressObject {
    const NAME: &'static str = "zlib.Decompress";
    fn trace(&self, _: &mut Tracer<'_>) {
        let DecompressObject(_) = self;
    }
}

native_type! {
    COMPRESS: "zlib.Compress", Kind::Ext, type_flags::NO_NEW;
    methods {
        "compress($self, data, /)" => |vm: &Vm, c: ExtArg<CompressObject>, data: BytesLike| -> R<Value> { let out = c.0.0.borrow_mut().run(vm, &data, FlushCompress::None)?; vm.bytes(&out) };
        "flush($self, mode=zlib.Z_FINISH, /)" => flush;
    }
}

native_type! {
    DECOMPRESS: "zlib.Decompress", Kind::Ext, type_flags::NO_NEW;
    methods {
        "decompress($self, data, /, max_length=0)" => decompress_some;
        "flush($self, length=zlib.DEF_BUF_SIZE, /)" => flush_rest;
    }
    getset {
        "unused_data" => |vm: &Vm, v: Value| vm.bytes(&unpacker(vm, v)?.0.borrow().unused);
        "unconsumed_tail" => |vm: &Vm, v: Value| vm.bytes(&unpacker(vm, v)?.0.borrow().unconsumed);
        "eof" => |vm: &Vm, v: Value| Ok(Value::bool(unpacker(vm, v)?.0.borrow().stage == Stage::End));
    }
}

/// The reader that the library's `gzip` uses: it keeps its input itself.
struct Reader {
    inner: RefCell<Unpacker>,
    pending: RefCell<Vec<u8>>,
}

impl Payload for Reader {
    const NAME: &'static str = "zlib._ZlibDecompressor";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Reader { inner: _, pending: _ } = self;
    }
}

native_type! {
    READER: "zlib._ZlibDecompressor", Kind::Ext, 0;
    methods {
        [static] "__new__($type, wbits=15, zdict=b'')" => new_reader;
        "decompress($self, /, data, max_length=-1)" => read_some;
    }
    getset {
        "unused_data" => |vm: &Vm, v: Value| vm.bytes(&reader(vm, v)?.inner.borrow().unused);
        "needs_input" => |vm: &Vm, v: Value| { let r = reader(vm, v)?; Ok(Value::bool(r.pending.borrow().is_empty() && r.inner.borrow().stage != Stage::End)) };
        "eof" => |vm: &Vm, v: Value| Ok(Value::bool(reader(vm, v)?.inner.borrow().stage == Stage::End));
    }
}

fn unpacker(vm: &Vm, v: Value) -> R<Ref<Ext<DecompressObject>>> {
    v.cast().ok_or_else(|| vm.type_error("not a zlib.Decompress object"))
}

fn reader(vm: &Vm, v: Value) -> R<Ref<Ext<Reader>>> {
    v.cast().ok_or_else(|| vm.type_error("not a zlib._ZlibDecompressor object"))
}

fn new_reader(vm: &Vm, _: Value, wbits: Option<i64>, zdict: Option<BytesLike>) -> R<Value> {
    no_dictionary(vm, zdict)?;
    let r =
        Reader { inner: RefCell::new(Unpacker::new(vm, wbits.unwrap_or(15))?), pending: RefCell::default() };
    Ok(Ext::new(vm, ext_type(vm, &READER)?, r)?.value())
}

fn read_some(vm: &Vm, r: ExtArg<Reader>, data: BytesLike, max: Option<i64>) -> R<Value> {
    let mut inner = r.0.inner.borrow_mut();
    if inner.stage == Stage::End {
        return Err(vm.eof_error("End of stream already reached"));
    }
    let mut input = r.0.pending.take();
    input.extend_from_slice(&data);
    let out = inner.run(vm, &input, usize::try_from(max.unwrap_or(-1)).unwrap_or(usize::MAX))?;
    r.0.pending.replace(inner.unconsumed.clone());
    vm.bytes(&out)
}

fn flush(vm: &Vm, c: ExtArg<CompressObject>, mode: Option<i64>) -> R<Value> {
    let mut packer = c.0.0.borrow_mut();
    let how = match mode.unwrap_or(FINISH) {
        0 => return vm.bytes(b""),
        1 => FlushCompress::Partial,
        SYNC_FLUSH => FlushCompress::Sync,
        FULL_FLUSH => FlushCompress::Full,
        FINISH => FlushCompress::Finish,
        _ => return Err(error(vm, "Error -2 while flushing: inconsistent stream state")),
    };
    if packer.finished {
        return Err(error(vm, "Error -2 while flushing: inconsistent stream state"));
    }
    let out = packer.run(vm, b"", how)?;
    vm.bytes(&out)
}

fn decompress_some(vm: &Vm, d: ExtArg<DecompressObject>, data: BytesLike, max: Option<i64>) -> R<Value> {
    let max = match max.unwrap_or(0) {
        0 => usize::MAX,
        n if n < 0 => return Err(vm.value_error("max_length must be non-negative")),
        n => n as usize,
    };
    let out = d.0.0.borrow_mut().run(vm, &data, max)?;
    vm.bytes(&out)
}

fn flush_rest(vm: &Vm, d: ExtArg<DecompressObject>, length: Option<i64>) -> R<Value> {
    if length.is_some_and(|n| n <= 0) {
        return Err(vm.value_error("length must be greater than zero"));
    }
    let mut inner = d.0.0.borrow_mut();
    let rest = std::mem::take(&mut inner.unconsumed);
    let out = inner.run(vm, &rest, usize::MAX)?;
    vm.bytes(&out)
}

fn no_dictionary(vm: &Vm, zdict: Option<BytesLike>) -> R<()> {
    match zdict {
        Some(d) if !d.is_empty() => Err(vm.unsupported("preset dictionaries of zlib")),
        _ => Ok(()),
    }
}

fn compressobj(
    vm: &Vm,
    level: Option<i64>,
    _method: Option<i64>,
    wbits: Option<i64>,
    _memory: Option<i64>,
    _strategy: Option<i64>,
    zdict: Option<BytesLike>,
) -> R<Value> {
    no_dictionary(vm, zdict)?;
    let p = Packer::new(vm, level.unwrap_or(-1), wbits.unwrap_or(15))?;
    Ok(Ext::new(vm, ext_type(vm, &COMPRESS)?, CompressObject(RefCell::new(p)))?.value())
}

fn decompressobj(vm: &Vm, wbits: Option<i64>, zdict: Option<BytesLike>) -> R<Value> {
    no_dictionary(vm, zdict)?;
    let u = Unpacker::new(vm, wbits.unwrap_or(15))?;
    Ok(Ext::new(vm, ext_type(vm, &DECOMPRESS)?, DecompressObject(RefCell::new(u)))?.value())
}

fn compress(vm: &Vm, data: BytesLike, level: Option<i64>, wbits: Option<i64>) -> R<Value> {
    let out =
        Packer::new(vm, level.unwrap_or(-1), wbits.unwrap_or(15))?.run(vm, &data, FlushCompress::Finish)?;
    vm.bytes(&out)
}

fn decompress(vm: &Vm, data: BytesLike, wbits: Option<i64>, _size: Option<i64>) -> R<Value> {
    let mut u = Unpacker::new(vm, wbits.unwrap_or(15))?;
    let out = u.run(vm, &data, usize::MAX)?;
    if u.stage != Stage::End {
        return Err(error(vm, "Error -5 while decompressing data: incomplete or truncated stream"));
    }
    vm.bytes(&out)
}

fn adler32(vm: &Vm, data: BytesLike, start: Option<Value>) -> R<i64> {
    let start = start.map_or(Ok(1), |v| low_word(vm, v))?;
    let (mut a, mut b) = (start & 0xffff, start >> 16);
    // So many bytes cannot overflow the sums.
    for chunk in data.chunks(5552) {
        for &byte in chunk {
            a += u32::from(byte);
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    Ok((b << 16 | a).into())
}

native_functions! { FUNCTIONS:
    "compress(data, /, level=-1, wbits=15)" => compress, "Returns a bytes object containing compressed data.";
    "decompress(data, /, wbits=15, bufsize=16384)" => decompress, "Returns a bytes object containing the uncompressed data.";
    "compressobj(level=-1, method=8, wbits=15, memLevel=8, strategy=0, zdict=<unrepresentable>)" => compressobj, "Return a compressor object.";
    "decompressobj(wbits=15, zdict=b'')" => decompressobj, "Return a decompressor object.";
    "crc32(data, value=0, /)" => super::binascii::crc32, "Compute a CRC-32 checksum of data.";
    "adler32(data, value=1, /)" => adler32, "Compute an Adler-32 checksum of data.";
}

const NUMBERS: &[(&str, i64)] = &[
    ("DEFLATED", 8),
    ("DEF_BUF_SIZE", 16384),
    ("DEF_MEM_LEVEL", 8),
    ("MAX_WBITS", 15),
    ("Z_BEST_COMPRESSION", 9),
    ("Z_BEST_SPEED", 1),
    ("Z_BLOCK", 5),
    ("Z_DEFAULT_COMPRESSION", -1),
    ("Z_DEFAULT_STRATEGY", 0),
    ("Z_FILTERED", 1),
    ("Z_FINISH", FINISH),
    ("Z_FIXED", 4),
    ("Z_FULL_FLUSH", FULL_FLUSH),
    ("Z_HUFFMAN_ONLY", 2),
    ("Z_NO_COMPRESSION", 0),
    ("Z_NO_FLUSH", 0),
    ("Z_PARTIAL_FLUSH", 1),
    ("Z_RLE", 3),
    ("Z_SYNC_FLUSH", SYNC_FLUSH),
    ("Z_TREES", 6),
];

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "zlib", FUNCTIONS)?;
    for &(name, n) in NUMBERS {
        m.dict().set_name(vm, name, Value::small_int(n))?;
    }
    for name in ["ZLIB_VERSION", "ZLIB_RUNTIME_VERSION"] {
        m.dict().set_name(vm, name, vm.str("1.3.1")?)?;
    }
    m.dict().set_name(vm, "_ZlibDecompressor", ext_type(vm, &READER)?.value())?;
    add_exception(vm, m, "zlib.error", vm.exc.exception)?;
    Ok(m)
}
