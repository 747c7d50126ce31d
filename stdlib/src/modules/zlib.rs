//! `zlib`: deflate streams, raw, with zlib's frame or with gzip's, by a port of zlib itself.

use super::support::{self, BytesLike, add_exception, low_word};
use libz_rs_sys as sys;
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Raised, Value, Vm, native_functions, native_type};
use std::cell::RefCell;
use std::ffi::CStr;

#[cold]
fn error(vm: &Vm, message: impl AsRef<str>) -> Raised {
    support::raise(vm, "zlib.error", message)
}

const DEFAULT_WBITS: i32 = 15;
const PIECE: usize = 16 * 1024;
/// The most bytes that the library is told of at once.
const MOST: usize = 1 << 30;
/// Bytes that are summed between two looks for signals.
const PART: usize = 1 << 24;

/// A stream of the library, in a place of its own; `END` frees what it holds.
struct Stream<const DEFLATE: bool> {
    raw: Box<sys::z_stream>,
}

type Deflate = Stream<true>;
type Inflate = Stream<false>;

impl<const DEFLATE: bool> Drop for Stream<DEFLATE> {
    fn drop(&mut self) {
        // SAFETY: initialised by the same half of the library, and ended once.
        unsafe {
            match DEFLATE {
                true => sys::deflateEnd(&mut *self.raw),
                false => sys::inflateEnd(&mut *self.raw),
            }
        };
    }
}

impl<const DEFLATE: bool> Stream<DEFLATE> {
    /// Text of an error: the library's own words if it has some.
    #[cold]
    fn failed(&self, vm: &Vm, code: i32, doing: &str) -> Raised {
        let own = match self.raw.msg.is_null() {
            true => None,
            // SAFETY: a text of the library's.
            false => Some(unsafe { CStr::from_ptr(self.raw.msg) }.to_string_lossy().into_owned()),
        };
        failure(vm, code, doing, own)
    }

    /// One call: bytes taken, bytes given, the code.
    fn step(&mut self, input: &[u8], room: &mut [u8], flush: i32) -> (usize, usize, i32) {
        let s = &mut *self.raw;
        let (n, m) = (input.len().min(MOST), room.len().min(MOST));
        (s.next_in, s.avail_in) = (input.as_ptr(), n as u32);
        (s.next_out, s.avail_out) = (room.as_mut_ptr(), m as u32);
        // SAFETY: the stream is initialised, and points to slices of those lengths for the call only.
        let code = unsafe {
            match DEFLATE {
                true => sys::deflate(s, flush),
                false => sys::inflate(s, flush),
            }
        };
        let done = (n - s.avail_in as usize, m - s.avail_out as usize, code);
        (s.next_in, s.avail_in) = (std::ptr::null(), 0);
        (s.next_out, s.avail_out) = (std::ptr::null_mut(), 0);
        done
    }
}

#[cold]
fn failure(vm: &Vm, code: i32, doing: &str, own: Option<String>) -> Raised {
    if code == sys::Z_MEM_ERROR {
        return vm.memory_error();
    }
    let own = own.or_else(|| {
        let text = match code {
            sys::Z_BUF_ERROR => "incomplete or truncated stream",
            sys::Z_STREAM_ERROR => "inconsistent stream state",
            sys::Z_DATA_ERROR => "invalid input data",
            _ => return None,
        };
        Some(text.into())
    });
    match own {
        Some(text) => error(vm, format!("Error {code} {doing}: {text}")),
        None => error(vm, format!("Error {code} {doing}")),
    }
}

/// How a stream is packed.
struct Settings {
    level: i32,
    method: i32,
    wbits: i32,
    memory: i32,
    strategy: i32,
}

impl Deflate {
    /// The library's code if it refuses the settings.
    fn new(s: &Settings) -> Result<Deflate, i32> {
        let mut raw: Box<sys::z_stream> = Box::default();
        // SAFETY: a fresh stream of the size that is told.
        let code = unsafe {
            sys::deflateInit2_(
                &mut *raw,
                s.level,
                s.method,
                s.wbits,
                s.memory,
                s.strategy,
                sys::zlibVersion(),
                size_of::<sys::z_stream>() as i32,
            )
        };
        // A stream that was refused holds nothing.
        if code == sys::Z_OK { Ok(Stream { raw }) } else { Err(code) }
    }

    /// Packs all of the input; what comes out is added. The last code.
    fn run(&mut self, vm: &Vm, input: &[u8], flush: i32, out: &mut Vec<u8>) -> R<i32> {
        let mut at = 0;
        loop {
            vm.check_room(out.len() + PIECE)?;
            let old = out.len();
            out.resize(old + PIECE, 0);
            let whole = input.len() - at <= MOST;
            let flush = if whole { flush } else { sys::Z_NO_FLUSH };
            let (used, made, code) = self.step(&input[at..], &mut out[old..], flush);
            out.truncate(old + made);
            at += used;
            if code == sys::Z_STREAM_ERROR || code == sys::Z_STREAM_END {
                return Ok(code);
            }
            if made < PIECE && at == input.len() {
                return Ok(code);
            }
            vm.check_signals()?;
        }
    }
}

impl Inflate {
    fn new(wbits: i32) -> Result<Inflate, i32> {
        let mut raw: Box<sys::z_stream> = Box::default();
        let size = size_of::<sys::z_stream>() as i32;
        // SAFETY: a fresh stream of the size that is told.
        let code = unsafe { sys::inflateInit2_(&mut *raw, wbits, sys::zlibVersion(), size) };
        if code == sys::Z_OK { Ok(Stream { raw }) } else { Err(code) }
    }

    fn set_dictionary(&mut self, vm: &Vm, dictionary: &[u8]) -> R<()> {
        let Ok(n) = u32::try_from(dictionary.len()) else {
            return Err(vm.overflow_error("zdict length does not fit in an unsigned int"));
        };
        // SAFETY: a slice of that length.
        match unsafe { sys::inflateSetDictionary(&mut *self.raw, dictionary.as_ptr(), n) } {
            sys::Z_OK => Ok(()),
            code => Err(self.failed(vm, code, "while setting zdict")),
        }
    }

    /// Unpacks at most `max` bytes: bytes taken, and the last code.
    fn run(
        &mut self,
        vm: &Vm,
        input: &[u8],
        dictionary: Option<&[u8]>,
        max: usize,
        flush: i32,
        out: &mut Vec<u8>,
    ) -> R<(usize, i32)> {
        let mut at = 0;
        let start = out.len();
        loop {
            let room = PIECE.min(max - (out.len() - start));
            if room == 0 {
                return Ok((at, sys::Z_OK));
            }
            vm.check_room(out.len() + room)?;
            let old = out.len();
            out.resize(old + room, 0);
            let (used, made, code) = self.step(&input[at..], &mut out[old..], flush);
            out.truncate(old + made);
            at += used;
            match code {
                sys::Z_NEED_DICT => match dictionary {
                    Some(d) => self.set_dictionary(vm, d)?,
                    None => return Ok((at, code)),
                },
                sys::Z_OK if made == room || at < input.len() => {}
                // With Z_FINISH the library says so whenever its room was not enough.
                sys::Z_BUF_ERROR if made == room => {}
                code => return Ok((at, code)),
            }
            vm.check_signals()?;
        }
    }
}

// ---- objects

struct Packer {
    stream: Deflate,
    finished: bool,
}

struct CompressObject(RefCell<Packer>);

struct Unpacker {
    stream: Inflate,
    dictionary: Option<Vec<u8>>,
    unused: Vec<u8>,
    unconsumed: Vec<u8>,
    eof: bool,
    /// It was flushed at its end: there is nothing left to be copied.
    flushed: bool,
}

struct DecompressObject(RefCell<Unpacker>);

/// The reader that the library's `gzip` uses: it keeps its input itself.
struct Reader {
    inner: RefCell<(Unpacker, bool)>,
}

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

impl Payload for Reader {
    const NAME: &'static str = "zlib._ZlibDecompressor";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Reader { inner: _ } = self;
    }
}

native_type! {
    COMPRESS: "zlib.Compress", Kind::Ext, type_flags::NO_NEW;
    methods {
        "compress($self, data, /)" => compress_some, "Returns a bytes object containing compressed data.";
        "flush($self, mode=zlib.Z_FINISH, /)" => flush, "Return a bytes object containing any remaining compressed data.";
        "copy($self, /)" => copy_packer, "Return a copy of the compression object.";
        "__copy__($self, /)" => copy_packer;
        "__deepcopy__($self, memo, /)" => |vm: &Vm, c: ExtArg<CompressObject>, _: Value| copy_packer(vm, c);
    }
}

native_type! {
    DECOMPRESS: "zlib.Decompress", Kind::Ext, type_flags::NO_NEW;
    methods {
        "decompress($self, data, /, max_length=0)" => decompress_some, "Return a bytes object containing the decompressed version of the data.";
        "flush($self, length=zlib.DEF_BUF_SIZE, /)" => flush_rest, "Return a bytes object containing any remaining decompressed data.";
        "copy($self, /)" => copy_unpacker, "Return a copy of the decompression object.";
        "__copy__($self, /)" => copy_unpacker;
        "__deepcopy__($self, memo, /)" => |vm: &Vm, d: ExtArg<DecompressObject>, _: Value| copy_unpacker(vm, d);
    }
    getset {
        "unused_data" => |vm: &Vm, d: ExtArg<DecompressObject>| { let b = d.0.0.borrow().unused.clone(); vm.bytes(&b) };
        "unconsumed_tail" => |vm: &Vm, d: ExtArg<DecompressObject>| { let b = d.0.0.borrow().unconsumed.clone(); vm.bytes(&b) };
        "eof" => |_: &Vm, d: ExtArg<DecompressObject>| -> R<Value> { Ok(Value::bool(d.0.0.borrow().eof)) };
    }
}

native_type! {
    READER: "zlib._ZlibDecompressor", Kind::Ext, 0, "Create a decompressor object for decompressing data incrementally.";
    methods {
        [static] "__new__($type, wbits=15, zdict=b'')" => new_reader;
        "decompress($self, /, data, max_length=-1)" => read_some, "Decompress *data*, returning uncompressed data as bytes.";
    }
    getset {
        "unused_data" => |vm: &Vm, r: ExtArg<Reader>| { let b = r.0.inner.borrow().0.unused.clone(); vm.bytes(&b) };
        "needs_input" => |_: &Vm, r: ExtArg<Reader>| -> R<Value> { Ok(Value::bool(r.0.inner.borrow().1)) };
        "eof" => |_: &Vm, r: ExtArg<Reader>| -> R<Value> { Ok(Value::bool(r.0.inner.borrow().0.eof)) };
    }
}

fn compress_some(vm: &Vm, c: ExtArg<CompressObject>, data: BytesLike) -> R<Value> {
    let mut p = c.0.0.borrow_mut();
    let mut out = Vec::new();
    if p.finished || p.stream.run(vm, &data, sys::Z_NO_FLUSH, &mut out)? == sys::Z_STREAM_ERROR {
        return Err(failure(vm, sys::Z_STREAM_ERROR, "while compressing data", None));
    }
    vm.bytes(&out)
}

fn flush(vm: &Vm, c: ExtArg<CompressObject>, mode: Option<i32>) -> R<Value> {
    let mode = mode.unwrap_or(sys::Z_FINISH);
    if mode == sys::Z_NO_FLUSH {
        return vm.bytes(b"");
    }
    let mut p = c.0.0.borrow_mut();
    let mut out = Vec::new();
    if p.finished || p.stream.run(vm, &[], mode, &mut out)? == sys::Z_STREAM_ERROR {
        return Err(failure(vm, sys::Z_STREAM_ERROR, "while flushing", None));
    }
    p.finished = mode == sys::Z_FINISH;
    vm.bytes(&out)
}

fn copy_packer(vm: &Vm, c: ExtArg<CompressObject>) -> R<Value> {
    let p = c.0.0.borrow();
    if p.finished {
        return Err(vm.value_error("Inconsistent stream state"));
    }
    let mut raw: Box<sys::z_stream> = Box::default();
    // SAFETY: an initialised stream in, a fresh one out.
    let code = unsafe { sys::deflateCopy(&mut *raw, std::ptr::from_ref(&*p.stream.raw).cast_mut()) };
    match code {
        sys::Z_OK => {}
        sys::Z_MEM_ERROR => return Err(vm.memory_error()),
        _ => return Err(vm.value_error("Inconsistent stream state")),
    }
    let copy = Packer { stream: Stream { raw }, finished: false };
    Ok(Ext::new(vm, ext_type(vm, &COMPRESS)?, CompressObject(RefCell::new(copy)))?.value())
}

fn copy_unpacker(vm: &Vm, d: ExtArg<DecompressObject>) -> R<Value> {
    let mut u = d.0.0.borrow_mut();
    if u.flushed {
        return Err(vm.value_error("Inconsistent stream state"));
    }
    // The library does not copy a stream without a place for its output, of which it needs none now.
    u.stream.raw.next_out = std::ptr::NonNull::dangling().as_ptr();
    let mut raw: Box<sys::z_stream> = Box::default();
    // SAFETY: an initialised stream in, a fresh one out.
    match unsafe { sys::inflateCopy(&mut *raw, &*u.stream.raw) } {
        sys::Z_OK => {}
        sys::Z_MEM_ERROR => return Err(vm.memory_error()),
        _ => return Err(vm.value_error("Inconsistent stream state")),
    }
    let copy = Unpacker {
        stream: Stream { raw },
        dictionary: u.dictionary.clone(),
        unused: u.unused.clone(),
        unconsumed: u.unconsumed.clone(),
        eof: u.eof,
        flushed: false,
    };
    Ok(Ext::new(vm, ext_type(vm, &DECOMPRESS)?, DecompressObject(RefCell::new(copy)))?.value())
}

impl Unpacker {
    fn new(vm: &Vm, wbits: i32, dictionary: Option<&[u8]>) -> R<Unpacker> {
        let Ok(mut stream) = Inflate::new(wbits) else {
            return Err(vm.value_error("Invalid initialization option"));
        };
        if let Some(d) = dictionary
            && wbits < 0
        {
            // A raw stream does not say that it wants one.
            stream.set_dictionary(vm, d)?;
        }
        Ok(Unpacker {
            stream,
            dictionary: dictionary.map(<[u8]>::to_vec),
            unused: Vec::new(),
            unconsumed: Vec::new(),
            eof: false,
            flushed: false,
        })
    }

    /// Unpacks; what is over goes to its place.
    fn run(&mut self, vm: &Vm, input: &[u8], max: usize, flush: i32) -> R<Vec<u8>> {
        let mut out = Vec::new();
        let dictionary = self.dictionary.take();
        let done = self.stream.run(vm, input, dictionary.as_deref(), max, flush, &mut out);
        self.dictionary = dictionary;
        let (used, code) = done?;
        let rest = &input[used..];
        match code {
            sys::Z_STREAM_END => {
                self.eof = true;
                self.unused.extend_from_slice(rest);
                self.unconsumed.clear();
            }
            sys::Z_OK | sys::Z_BUF_ERROR => self.unconsumed = rest.to_vec(),
            code => return Err(self.stream.failed(vm, code, "while decompressing data")),
        }
        Ok(out)
    }
}

fn decompress_some(vm: &Vm, d: ExtArg<DecompressObject>, data: BytesLike, max: Option<i64>) -> R<Value> {
    let max = match max.unwrap_or(0) {
        0 => usize::MAX,
        n if n < 0 => return Err(vm.value_error("max_length must be non-negative")),
        n => n as usize,
    };
    let mut u = d.0.0.borrow_mut();
    if u.eof {
        u.unused.extend_from_slice(&data);
        return vm.bytes(b"");
    }
    let out = u.run(vm, &data, max, sys::Z_SYNC_FLUSH)?;
    vm.bytes(&out)
}

fn flush_rest(vm: &Vm, d: ExtArg<DecompressObject>, length: Option<i64>) -> R<Value> {
    if length.is_some_and(|n| n <= 0) {
        return Err(vm.value_error("length must be greater than zero"));
    }
    let mut u = d.0.0.borrow_mut();
    if u.eof {
        u.flushed = true;
        return vm.bytes(b"");
    }
    let rest = std::mem::take(&mut u.unconsumed);
    let out = u.run(vm, &rest, usize::MAX, sys::Z_FINISH)?;
    u.flushed = u.eof;
    vm.bytes(&out)
}

/// A dictionary argument. TypeError.
fn dictionary(vm: &Vm, zdict: Option<Value>) -> R<Option<BytesLike>> {
    let Some(v) = zdict else { return Ok(None) };
    match vm.absorb(BytesLike::new(vm, v), vm.exc.type_error)? {
        Some(d) => Ok(Some(d).filter(|d| !d.is_empty())),
        None => Err(vm.type_error("zdict argument must support the buffer protocol")),
    }
}

fn new_reader(vm: &Vm, _: Value, wbits: Option<i32>, zdict: Option<Value>) -> R<Value> {
    let d = dictionary(vm, zdict)?;
    let u = Unpacker::new(vm, wbits.unwrap_or(DEFAULT_WBITS), d.as_deref())?;
    Ok(Ext::new(vm, ext_type(vm, &READER)?, Reader { inner: RefCell::new((u, true)) })?.value())
}

fn read_some(vm: &Vm, r: ExtArg<Reader>, data: BytesLike, max: Option<i64>) -> R<Value> {
    let mut inner = r.0.inner.borrow_mut();
    let (u, needs_input) = &mut *inner;
    if u.eof {
        return Err(vm.eof_error("End of stream already reached"));
    }
    let mut input = std::mem::take(&mut u.unconsumed);
    input.extend_from_slice(&data);
    let max = usize::try_from(max.unwrap_or(-1)).unwrap_or(usize::MAX);
    let out = u.run(vm, &input, max, sys::Z_SYNC_FLUSH);
    *needs_input =
        out.is_ok() && !u.eof && u.unconsumed.is_empty() && out.as_ref().is_ok_and(|o| o.len() < max);
    vm.bytes(&out?)
}

fn compressobj(
    vm: &Vm,
    level: Option<i32>,
    method: Option<i32>,
    wbits: Option<i32>,
    memory: Option<i32>,
    strategy: Option<i32>,
    zdict: Option<BytesLike>,
) -> R<Value> {
    let settings = Settings {
        level: level.unwrap_or(-1),
        method: method.unwrap_or(sys::Z_DEFLATED),
        wbits: wbits.unwrap_or(DEFAULT_WBITS),
        memory: memory.unwrap_or(8),
        strategy: strategy.unwrap_or(0),
    };
    let mut stream = match Deflate::new(&settings) {
        Ok(s) => s,
        Err(sys::Z_MEM_ERROR) => return Err(vm.memory_error()),
        Err(_) => return Err(vm.value_error("Invalid initialization option")),
    };
    if let Some(d) = zdict {
        let Ok(n) = u32::try_from(d.len()) else {
            return Err(vm.overflow_error("zdict length does not fit in an unsigned int"));
        };
        // SAFETY: a slice of that length.
        if unsafe { sys::deflateSetDictionary(&mut *stream.raw, d.as_ptr(), n) } != sys::Z_OK {
            return Err(vm.value_error("Invalid dictionary"));
        }
    }
    let p = CompressObject(RefCell::new(Packer { stream, finished: false }));
    Ok(Ext::new(vm, ext_type(vm, &COMPRESS)?, p)?.value())
}

fn decompressobj(vm: &Vm, wbits: Option<i32>, zdict: Option<Value>) -> R<Value> {
    let d = dictionary(vm, zdict)?;
    let u = Unpacker::new(vm, wbits.unwrap_or(DEFAULT_WBITS), d.as_deref())?;
    Ok(Ext::new(vm, ext_type(vm, &DECOMPRESS)?, DecompressObject(RefCell::new(u)))?.value())
}

fn compress(vm: &Vm, data: BytesLike, level: Option<i32>, wbits: Option<i32>) -> R<Value> {
    let settings = Settings {
        level: level.unwrap_or(-1),
        method: sys::Z_DEFLATED,
        wbits: wbits.unwrap_or(DEFAULT_WBITS),
        memory: 8,
        strategy: 0,
    };
    let mut stream = match Deflate::new(&settings) {
        Ok(s) => s,
        Err(sys::Z_MEM_ERROR) => return Err(vm.memory_error()),
        Err(sys::Z_STREAM_ERROR) => return Err(error(vm, "Bad compression level")),
        Err(code) => return Err(failure(vm, code, "while compressing data", None)),
    };
    let mut out = Vec::new();
    match stream.run(vm, &data, sys::Z_FINISH, &mut out)? {
        sys::Z_STREAM_END => vm.bytes(&out),
        code => Err(stream.failed(vm, code, "while compressing data")),
    }
}

fn decompress(vm: &Vm, data: BytesLike, wbits: Option<i32>, size: Option<i64>) -> R<Value> {
    if size.is_some_and(|n| n < 0) {
        return Err(vm.value_error("bufsize must be non-negative"));
    }
    let mut stream = match Inflate::new(wbits.unwrap_or(DEFAULT_WBITS)) {
        Ok(s) => s,
        Err(code) => return Err(failure(vm, code, "while preparing to decompress data", None)),
    };
    let mut out = Vec::new();
    match stream.run(vm, &data, None, usize::MAX, sys::Z_SYNC_FLUSH, &mut out)?.1 {
        sys::Z_STREAM_END => vm.bytes(&out),
        // All was taken, and more is wanted.
        sys::Z_OK => Err(failure(vm, sys::Z_BUF_ERROR, "while decompressing data", None)),
        code => Err(stream.failed(vm, code, "while decompressing data")),
    }
}

fn adler32(vm: &Vm, data: BytesLike, start: Option<Value>) -> R<i64> {
    let mut sum = u64::from(start.map_or(Ok(1), |v| low_word(vm, v))?);
    for part in data.chunks(PART) {
        vm.check_signals()?;
        // SAFETY: a slice of that length.
        sum = unsafe { sys::adler32(sum, part.as_ptr(), part.len() as u32) };
    }
    Ok(sum as i64)
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
    ("Z_FINISH", 4),
    ("Z_FIXED", 4),
    ("Z_FULL_FLUSH", 3),
    ("Z_HUFFMAN_ONLY", 2),
    ("Z_NO_COMPRESSION", 0),
    ("Z_NO_FLUSH", 0),
    ("Z_PARTIAL_FLUSH", 1),
    ("Z_RLE", 3),
    ("Z_SYNC_FLUSH", 2),
    ("Z_TREES", 6),
];

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "zlib", FUNCTIONS)?;
    for &(name, n) in NUMBERS {
        m.dict().set_name(vm, name, Value::small_int(n))?;
    }
    // The module's own.
    m.dict().set_name(vm, "__version__", vm.str("1.0")?)?;
    for name in ["ZLIB_VERSION", "ZLIB_RUNTIME_VERSION"] {
        m.dict().set_name(vm, name, vm.str("1.3.1")?)?;
    }
    m.dict().set_name(vm, "_ZlibDecompressor", ext_type(vm, &READER)?.value())?;
    add_exception(vm, m, "zlib.error", vm.exc.exception)?;
    Ok(m)
}
