//! `_lzma`: what the packaged `lzma` is built on.

use super::super::support::{self, BytesLike, add_exception};
use super::filters::{self, Chain};
use super::{PIECE, Unpack, Unpacker};
use liblzma_sys as sys;
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::{R, Raised, Value, Vm, native_functions, native_type};
use std::cell::{Cell, RefCell};

const FORMAT_AUTO: i32 = 0;
const FORMAT_XZ: i32 = 1;
const FORMAT_ALONE: i32 = 2;
const FORMAT_RAW: i32 = 3;
const CHECK_UNKNOWN: u32 = 16;

#[cold]
pub fn error(vm: &Vm, message: &str) -> Raised {
    support::raise(vm, "_lzma.LZMAError", message)
}

/// Raises what a code of the library means. LZMAError, MemoryError.
pub fn check(vm: &Vm, code: sys::lzma_ret) -> R<()> {
    Err(match code {
        sys::LZMA_OK | sys::LZMA_GET_CHECK | sys::LZMA_NO_CHECK | sys::LZMA_STREAM_END => return Ok(()),
        sys::LZMA_UNSUPPORTED_CHECK => error(vm, "Unsupported integrity check"),
        sys::LZMA_MEM_ERROR => vm.memory_error(),
        sys::LZMA_MEMLIMIT_ERROR => error(vm, "Memory usage limit exceeded"),
        sys::LZMA_FORMAT_ERROR => error(vm, "Input format not supported by decoder"),
        sys::LZMA_OPTIONS_ERROR => error(vm, "Invalid or unsupported options"),
        sys::LZMA_DATA_ERROR => error(vm, "Corrupt input data"),
        sys::LZMA_BUF_ERROR => error(vm, "Insufficient buffer space"),
        sys::LZMA_PROG_ERROR => error(vm, "Internal error"),
        other => error(vm, &format!("Unrecognized error from liblzma: {other}")),
    })
}

/// The library's stream, in a place of its own.
struct Stream {
    raw: Box<sys::lzma_stream>,
    check: u32,
}

impl Stream {
    fn new() -> Stream {
        // SAFETY: zeroes are the library's initial value.
        Stream { raw: unsafe { Box::new(std::mem::zeroed()) }, check: CHECK_UNKNOWN }
    }

    /// One call: bytes taken, bytes given, the code.
    fn code(
        &mut self,
        input: &[u8],
        room: &mut [u8],
        action: sys::lzma_action,
    ) -> (usize, usize, sys::lzma_ret) {
        let s = &mut *self.raw;
        (s.next_in, s.avail_in) = (input.as_ptr(), input.len());
        (s.next_out, s.avail_out) = (room.as_mut_ptr(), room.len());
        // SAFETY: the stream is initialised, and points to slices of those lengths for the call only.
        let code = unsafe { sys::lzma_code(s, action) };
        let done = (input.len() - s.avail_in, room.len() - s.avail_out, code);
        (s.next_in, s.avail_in) = (std::ptr::null(), 0);
        (s.next_out, s.avail_out) = (std::ptr::null_mut(), 0);
        done
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the library's own, also if it was never initialised.
        unsafe { sys::lzma_end(&mut *self.raw) };
    }
}

impl Unpack for Stream {
    const WANTS_MORE_WHEN_FULL: bool = false;
    const AT_END: &'static str = "Already at end of stream";
    fn step(&mut self, vm: &Vm, input: &[u8], room: &mut [u8]) -> R<(usize, usize, bool)> {
        let (mut at, mut made) = (0, 0);
        loop {
            let (used, more, code) = self.code(&input[at..], &mut room[made..], sys::LZMA_RUN);
            at += used;
            made += more;
            match code {
                // No progress is no error: more is wanted.
                sys::LZMA_BUF_ERROR => return Ok((at, made, false)),
                sys::LZMA_GET_CHECK | sys::LZMA_NO_CHECK => {
                    // It stopped only to tell. SAFETY: the stream is initialised.
                    self.check = unsafe { sys::lzma_get_check(&*self.raw) };
                }
                code => {
                    check(vm, code)?;
                    return Ok((at, made, code == sys::LZMA_STREAM_END));
                }
            }
        }
    }
}

struct Compressor {
    stream: RefCell<Stream>,
    flushed: Cell<bool>,
}
struct Decompressor(RefCell<Unpacker<Stream>>);

impl Payload for Compressor {
    const NAME: &'static str = "_lzma.LZMACompressor";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Compressor { stream: _, flushed: _ } = self;
    }
}

impl Payload for Decompressor {
    const NAME: &'static str = "_lzma.LZMADecompressor";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Decompressor(_) = self;
    }
}

native_type! {
    COMPRESSOR: "_lzma.LZMACompressor", Kind::Ext, 0, "Create a compressor object for compressing data incrementally.";
    methods {
        [static] "__new__($type, format=FORMAT_XZ, check=-1, preset=None, filters=None)" => new_compressor;
        "compress($self, data, /)" => |vm: &Vm, c: ExtArg<Compressor>, data: BytesLike| -> R<Value> {
            if c.0.flushed.get() { return Err(vm.value_error("Compressor has been flushed")); }
            compress(vm, &c, &data, sys::LZMA_RUN)
        }, "Provide data to the compressor object.";
        "flush($self, /)" => |vm: &Vm, c: ExtArg<Compressor>| -> R<Value> {
            if c.0.flushed.replace(true) { return Err(vm.value_error("Repeated call to flush()")); }
            compress(vm, &c, &[], sys::LZMA_FINISH)
        }, "Finish the compression process.";
        "__reduce__($self, /)" => |vm: &Vm, _: Value| -> R<()> { Err(vm.type_error("cannot pickle '_lzma.LZMACompressor' object")) };
    }
}

native_type! {
    DECOMPRESSOR: "_lzma.LZMADecompressor", Kind::Ext, 0, "Create a decompressor object for decompressing data incrementally.";
    methods {
        [static] "__new__($type, format=FORMAT_AUTO, memlimit=None, filters=None)" => new_decompressor;
        "decompress($self, /, data, max_length=-1)" => |vm: &Vm, d: ExtArg<Decompressor>, data: BytesLike, max: Option<i64>| -> R<Value> {
            let out = d.0.0.borrow_mut().run(vm, &data, max.unwrap_or(-1))?;
            vm.bytes(&out)
        }, "Decompress *data*, returning uncompressed data as bytes.";
        "__reduce__($self, /)" => |vm: &Vm, _: Value| -> R<()> { Err(vm.type_error("cannot pickle '_lzma.LZMADecompressor' object")) };
    }
    getset {
        "check" => |vm: &Vm, d: ExtArg<Decompressor>| vm.int(d.0.0.borrow().stream.check.into());
        "eof" => |_: &Vm, d: ExtArg<Decompressor>| -> R<Value> { Ok(Value::bool(d.0.0.borrow().eof)) };
        "needs_input" => |_: &Vm, d: ExtArg<Decompressor>| -> R<Value> { Ok(Value::bool(d.0.0.borrow().needs_input)) };
        "unused_data" => |vm: &Vm, d: ExtArg<Decompressor>| -> R<Value> { let unused = d.0.0.borrow().unused.clone(); vm.bytes(&unused) };
    }
}

fn new_compressor(
    vm: &Vm,
    _class: Value,
    format: Option<i32>,
    check_id: Option<i32>,
    preset: Option<Value>,
    specs: Option<Value>,
) -> R<Value> {
    let given = |v: Option<Value>| v.filter(|v| !v.is_none());
    let (format, check_id) = (format.unwrap_or(FORMAT_XZ), check_id.unwrap_or(-1));
    let (preset, specs) = (given(preset), given(specs));
    if preset.is_some() && specs.is_some() {
        return Err(vm.value_error("Cannot specify both preset and filter chain"));
    }
    let preset = match preset {
        Some(v) => {
            let n = vm.as_i64(vm.index(v)?);
            if n.is_some_and(|n| n < 0) {
                return Err(vm.value_error("Cannot convert negative int"));
            }
            let n = n.and_then(|n| u32::try_from(n).ok());
            n.ok_or_else(|| vm.overflow_error("Python int too large for C uint32_t"))?
        }
        None => sys::LZMA_PRESET_DEFAULT,
    };
    if format != FORMAT_XZ && check_id != -1 && check_id != 0 {
        return Err(vm.value_error("Integrity checks are only supported by FORMAT_XZ"));
    }
    let mut s = Stream::new();
    let raw = &mut *s.raw;
    // SAFETY (all): a zeroed stream, and options that outlive the call; the library copies them.
    let code = match format {
        FORMAT_XZ => {
            let id = if check_id == -1 { sys::LZMA_CHECK_CRC64 } else { check_id as u32 };
            match specs {
                None => unsafe { sys::lzma_easy_encoder(raw, preset, id) },
                Some(v) => unsafe { sys::lzma_stream_encoder(raw, filters::of_specifiers(vm, v)?.row(), id) },
            }
        }
        FORMAT_ALONE => {
            let chain = match specs {
                None => filters::of_preset(vm, preset)?,
                Some(v) => filters::of_specifiers(vm, v)?,
            };
            let Some(o) = chain.single_lzma1() else {
                return Err(
                    vm.value_error("Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 filter")
                );
            };
            unsafe { sys::lzma_alone_encoder(raw, o) }
        }
        FORMAT_RAW => match specs {
            Some(v) => unsafe { sys::lzma_raw_encoder(raw, filters::of_specifiers(vm, v)?.row()) },
            None => return Err(vm.value_error("Must specify filters for FORMAT_RAW")),
        },
        other => return Err(vm.value_error(format!("Invalid container format: {other}"))),
    };
    check(vm, code)?;
    let c = Compressor { stream: RefCell::new(s), flushed: Cell::new(false) };
    Ok(Ext::new(vm, ext_type(vm, &COMPRESSOR)?, c)?.value())
}

/// Bytes that are compressed between two looks for signals.
const STEP: usize = 1 << 16;

fn compress(vm: &Vm, c: &ExtArg<Compressor>, data: &[u8], action: sys::lzma_action) -> R<Value> {
    let mut s = c.0.stream.borrow_mut();
    let (mut at, mut out) = (0, Vec::new());
    loop {
        let old = out.len();
        vm.check_room(old + PIECE)?;
        out.resize(old + PIECE, 0);
        // A little at a time, to look for signals in between.
        let end = data.len().min(at + STEP);
        let (used, made, code) = s.code(&data[at..end], &mut out[old..], action);
        out.truncate(old + made);
        at += used;
        match code {
            sys::LZMA_STREAM_END => break,
            // Nothing to do is no error.
            sys::LZMA_BUF_ERROR if data.is_empty() => break,
            code => check(vm, code)?,
        }
        if action == sys::LZMA_RUN && at == data.len() && made < PIECE {
            break;
        }
        vm.check_signals()?;
    }
    vm.bytes(&out)
}

fn new_decompressor(
    vm: &Vm,
    _class: Value,
    format: Option<i32>,
    limit: Option<Value>,
    specs: Option<Value>,
) -> R<Value> {
    let format = format.unwrap_or(FORMAT_AUTO);
    let specs = specs.filter(|v| !v.is_none());
    let limit = match limit.filter(|v| !v.is_none()) {
        Some(_) if format == FORMAT_RAW => {
            return Err(vm.value_error("Cannot specify memory limit with FORMAT_RAW"));
        }
        Some(v) => {
            let n = vm.as_i64(vm.index(v)?).and_then(|n| u64::try_from(n).ok());
            n.ok_or_else(|| vm.overflow_error("int too large to convert to C uint64_t"))?
        }
        None => u64::MAX,
    };
    if format == FORMAT_RAW && specs.is_none() {
        return Err(vm.value_error("Must specify filters for FORMAT_RAW"));
    }
    if format != FORMAT_RAW && specs.is_some() {
        return Err(vm.value_error("Cannot specify filters except with FORMAT_RAW"));
    }
    let mut s = Stream::new();
    let raw = &mut *s.raw;
    let flags = sys::LZMA_TELL_ANY_CHECK | sys::LZMA_TELL_NO_CHECK;
    // SAFETY (all): a zeroed stream, and options that outlive the call; the library copies them.
    let (code, known) = match (format, specs) {
        (FORMAT_AUTO, _) => (unsafe { sys::lzma_auto_decoder(raw, limit, flags) }, CHECK_UNKNOWN),
        (FORMAT_XZ, _) => (unsafe { sys::lzma_stream_decoder(raw, limit, flags) }, CHECK_UNKNOWN),
        (FORMAT_ALONE, _) => (unsafe { sys::lzma_alone_decoder(raw, limit) }, 0),
        (FORMAT_RAW, Some(v)) => {
            let mut chain: Chain = filters::of_specifiers(vm, v)?;
            (unsafe { sys::lzma_raw_decoder(raw, chain.row()) }, 0)
        }
        (other, _) => return Err(vm.value_error(format!("Invalid container format: {other}"))),
    };
    s.check = known;
    check(vm, code)?;
    let d = Decompressor(RefCell::new(Unpacker::new(s)));
    Ok(Ext::new(vm, ext_type(vm, &DECOMPRESSOR)?, d)?.value())
}

fn decode_properties(vm: &Vm, id: u64, properties: BytesLike) -> R<Value> {
    filters::decode_properties(vm, id, &properties)
}

native_functions! { FUNCTIONS:
    "is_check_supported(check_id, /)" => |_: &Vm, id: i32| unsafe { sys::lzma_check_is_supported(id as u32) != 0 }, "Test whether the given integrity check is supported.";
    "_encode_filter_properties(filter, /)" => |vm: &Vm, spec: Value| -> R<Value> { vm.bytes(&filters::encode_properties(vm, spec)?) }, "Return a bytes object encoding the options (properties) of the filter specified by *filter*.";
    "_decode_filter_properties(filter_id, encoded_props, /)" => decode_properties, "Return a bytes object encoding the options (properties) of the filter specified by *filter*.";
}

const NUMBERS: &[(&str, i64)] = &[
    ("FORMAT_AUTO", FORMAT_AUTO as i64),
    ("FORMAT_XZ", FORMAT_XZ as i64),
    ("FORMAT_ALONE", FORMAT_ALONE as i64),
    ("FORMAT_RAW", FORMAT_RAW as i64),
    ("CHECK_NONE", 0),
    ("CHECK_CRC32", 1),
    ("CHECK_CRC64", 4),
    ("CHECK_SHA256", 10),
    ("CHECK_ID_MAX", 15),
    ("CHECK_UNKNOWN", CHECK_UNKNOWN as i64),
    ("FILTER_LZMA1", sys::LZMA_FILTER_LZMA1 as i64),
    ("FILTER_LZMA2", sys::LZMA_FILTER_LZMA2 as i64),
    ("FILTER_DELTA", 3),
    ("FILTER_X86", 4),
    ("FILTER_POWERPC", 5),
    ("FILTER_IA64", 6),
    ("FILTER_ARM", 7),
    ("FILTER_ARMTHUMB", 8),
    ("FILTER_SPARC", 9),
    ("MF_HC3", 3),
    ("MF_HC4", 4),
    ("MF_BT2", 0x12),
    ("MF_BT3", 0x13),
    ("MF_BT4", 0x14),
    ("MODE_FAST", 1),
    ("MODE_NORMAL", 2),
    ("PRESET_DEFAULT", 6),
    ("PRESET_EXTREME", 1 << 31),
];

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_lzma", FUNCTIONS)?;
    for &(name, n) in NUMBERS {
        m.dict().set_name(vm, name, vm.int(n)?)?;
    }
    m.dict().set_name(vm, "LZMACompressor", ext_type(vm, &COMPRESSOR)?.value())?;
    m.dict().set_name(vm, "LZMADecompressor", ext_type(vm, &DECOMPRESSOR)?.value())?;
    add_exception(vm, m, "_lzma.LZMAError", vm.exc.exception)?;
    Ok(m)
}
