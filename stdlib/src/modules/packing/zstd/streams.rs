//! `ZstdCompressor` and `ZstdDecompressor`.

use super::super::super::support::BytesLike;
use super::super::{Unpack, Unpacker};
use super::dictionary::{self, DictionaryRef, ForCompression, ForDecompression, Use};
use super::{SIZE_ERROR, SIZE_UNKNOWN, check, is_error, parameters, sys};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Raised, Value, Vm, native_type};
use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;
use sys::ZSTD_EndDirective as End;
use sys::ZSTD_ResetDirective::ZSTD_reset_session_only as SESSION;

/// The library's state of a compressor.
struct Packing {
    raw: *mut sys::ZSTD_CCtx,
    /// What it refers to.
    _dictionary: Option<Rc<ForCompression>>,
}

impl Drop for Packing {
    fn drop(&mut self) {
        // SAFETY: made by the library, and nobody else's.
        unsafe { sys::ZSTD_freeCCtx(self.raw) };
    }
}

struct Compressor {
    stream: RefCell<Packing>,
    last_mode: Cell<i64>,
    /// The `ZstdDict`, to whose bytes a prefix refers.
    dictionary: Field,
}

/// The library's state of a decompressor.
struct Unpacking {
    raw: *mut sys::ZSTD_DCtx,
    /// What it refers to.
    _dictionary: Option<Rc<ForDecompression>>,
}

impl Drop for Unpacking {
    fn drop(&mut self) {
        // SAFETY: made by the library, and nobody else's.
        unsafe { sys::ZSTD_freeDCtx(self.raw) };
    }
}

impl Unpack for Unpacking {
    const WANTS_MORE_WHEN_FULL: bool = false;
    const AT_END: &'static str = "Already at the end of a Zstandard frame.";
    fn step(&mut self, vm: &Vm, input: &[u8], room: &mut [u8]) -> R<(usize, usize, bool)> {
        let mut from = sys::ZSTD_inBuffer { src: input.as_ptr().cast(), size: input.len(), pos: 0 };
        let mut to = sys::ZSTD_outBuffer { dst: room.as_mut_ptr().cast(), size: room.len(), pos: 0 };
        // SAFETY: the buffers are those slices, for the call only.
        let code = unsafe { sys::ZSTD_decompressStream(self.raw, &mut to, &mut from) };
        if is_error(code) {
            // SAFETY: the stream is the library's; it may begin with another frame.
            unsafe { sys::ZSTD_DCtx_reset(self.raw, SESSION) };
        }
        let left = check(vm, code, "decompress Zstandard data")?;
        Ok((from.pos, to.pos, left == 0))
    }
}

struct Decompressor {
    stream: RefCell<Unpacker<Unpacking>>,
    /// As in [`Compressor`].
    dictionary: Field,
}

impl Payload for Compressor {
    const NAME: &'static str = "compression.zstd.ZstdCompressor";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Compressor { stream: _, last_mode: _, dictionary } = self;
        dictionary.trace(t);
    }
}

impl Payload for Decompressor {
    const NAME: &'static str = "compression.zstd.ZstdDecompressor";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Decompressor { stream: _, dictionary } = self;
        dictionary.trace(t);
    }
}

const CONTINUE: i64 = 0;
const FLUSH_BLOCK: i64 = 1;
const FLUSH_FRAME: i64 = 2;
const MODES: [(&str, i64); 3] =
    [("CONTINUE", CONTINUE), ("FLUSH_BLOCK", FLUSH_BLOCK), ("FLUSH_FRAME", FLUSH_FRAME)];

native_type! {
    COMPRESSOR: "compression.zstd.ZstdCompressor", Kind::Ext, 0, "Create a compressor object for compressing data incrementally.";
    methods {
        [static] "__new__($type, level=None, options=None, zstd_dict=None)" => new_compressor;
        "compress($self, /, data, mode=ZstdCompressor.CONTINUE)" => compress, "Provide data to the compressor object.";
        "flush($self, /, mode=ZstdCompressor.FLUSH_FRAME)" => flush, "Finish the compression process.";
        "set_pledged_input_size($self, size, /)" => set_pledged_input_size, "Set the uncompressed content size to be written into the frame header.";
        "__reduce__($self, /)" => |vm: &Vm, _: Value| -> R<()> { Err(vm.type_error("cannot pickle 'compression.zstd.ZstdCompressor' object")) };
    }
    getset {
        "last_mode" => |vm: &Vm, c: ExtArg<Compressor>| vm.int(c.0.last_mode.get());
    }
}

native_type! {
    pub DECOMPRESSOR: "compression.zstd.ZstdDecompressor", Kind::Ext, 0, "Create a decompressor object for decompressing data incrementally.";
    methods {
        [static] "__new__($type, zstd_dict=None, options=None)" => new_decompressor;
        "decompress($self, /, data, max_length=-1)" => decompress, "Decompress *data*, returning uncompressed bytes if possible, or b'' otherwise.";
        "__reduce__($self, /)" => |vm: &Vm, _: Value| -> R<()> { Err(vm.type_error("cannot pickle 'compression.zstd.ZstdDecompressor' object")) };
    }
    getset {
        "eof" => |vm: &Vm, d: ExtArg<Decompressor>| -> R<Value> { Ok(Value::bool(unpacker(vm, &d)?.eof)) };
        "needs_input" => |vm: &Vm, d: ExtArg<Decompressor>| -> R<Value> { Ok(Value::bool(unpacker(vm, &d)?.needs_input)) };
        "unused_data" => |vm: &Vm, d: ExtArg<Decompressor>| -> R<Value> { let unused = vm.copied(&unpacker(vm, &d)?.unused)?; vm.bytes(&unused) };
    }
}

/// The type, with its modes as attributes. MemoryError.
pub fn compressor_type(vm: &Vm) -> R<Ref<Type>> {
    let ty = ext_type(vm, &COMPRESSOR)?;
    for (name, mode) in MODES {
        ty.dict().set_name(vm, name, Value::small_int(mode))?;
    }
    ty.modified(vm);
    Ok(ty)
}

/// A signal's handler, or another thread that one lets go on, may come back to a stream while it works.
#[cold]
fn in_use(vm: &Vm) -> Raised {
    vm.runtime_error("the stream is in use")
}

fn unpacker<'a>(vm: &Vm, d: &'a ExtArg<Decompressor>) -> R<RefMut<'a, Unpacker<Unpacking>>> {
    d.0.stream.try_borrow_mut().map_err(|_| in_use(vm))
}

/// A dict of parameters, or None. TypeError.
fn options_of(vm: &Vm, v: Option<Value>, function: &str) -> R<Option<Ref<Dict>>> {
    match v.filter(|v| !v.is_none()) {
        None => Ok(None),
        Some(v) => match v.cast::<Dict>() {
            Some(d) => Ok(Some(d)),
            None => {
                let got = vm.type_name(v);
                Err(vm.type_error(format!("{function}() argument 'options' must be dict, not {got}")))
            }
        },
    }
}

fn new_compressor(
    vm: &Vm,
    _class: Value,
    level: Option<Value>,
    options: Option<Value>,
    dict: Option<Value>,
) -> R<Value> {
    let level = level.filter(|v| !v.is_none());
    let options = options_of(vm, options, "ZstdCompressor")?;
    if level.is_some() && options.is_some() {
        return Err(vm.type_error("Only one of level or options should be used."));
    }
    // SAFETY: it makes a stream, or gives null.
    let raw = unsafe { sys::ZSTD_createCCtx() };
    if raw.is_null() {
        return Err(vm.memory_error());
    }
    let mut stream = Packing { raw, _dictionary: None };
    // SAFETY: the library's constant.
    let mut used_level = unsafe { sys::ZSTD_defaultCLevel() };
    if let Some(v) = level {
        used_level = parameters::level(vm, v)?;
        let which = sys::ZSTD_cParameter::ZSTD_c_compressionLevel;
        // SAFETY: a stream of its own, and a parameter that there is.
        let code = unsafe { sys::ZSTD_CCtx_setParameter(raw, which, used_level) };
        check(vm, code, "set the compression level")?;
    }
    if let Some(options) = options {
        used_level = parameters::set_for_compression(vm, options, raw)?.unwrap_or(used_level);
    }
    let dict =
        dict.filter(|v| !v.is_none()).map(|v| dictionary::argument(vm, v, Use::Undigested)).transpose()?;
    if let Some((d, how)) = dict {
        // SAFETY (all): a stream of its own; what it refers to, it holds.
        let code = match how {
            Use::Digested => {
                let digested = d.for_compression(vm, used_level)?;
                let code = unsafe { sys::ZSTD_CCtx_refCDict(raw, digested.raw()) };
                stream._dictionary = Some(digested);
                code
            }
            Use::Undigested => {
                d.with(|b| unsafe { sys::ZSTD_CCtx_loadDictionary(raw, b.as_ptr().cast(), b.len()) })
            }
            Use::Prefix => d.with(|b| unsafe { sys::ZSTD_CCtx_refPrefix(raw, b.as_ptr().cast(), b.len()) }),
        };
        check(vm, code, "load Zstandard dictionary or prefix for compression")?;
    }
    let c = Compressor {
        stream: RefCell::new(stream),
        last_mode: Cell::new(FLUSH_FRAME),
        dictionary: held(dict),
    };
    Ok(Ext::new(vm, ext_type(vm, &COMPRESSOR)?, c)?.value())
}

fn held(dict: Option<(DictionaryRef, Use)>) -> Field {
    Field::new(dict.map(|(d, _)| d.value()))
}

fn compress(vm: &Vm, c: ExtArg<Compressor>, data: BytesLike, mode: Option<i32>) -> R<Value> {
    let mode = i64::from(mode.unwrap_or(CONTINUE as i32));
    let end = match mode {
        CONTINUE => End::ZSTD_e_continue,
        FLUSH_BLOCK => End::ZSTD_e_flush,
        FLUSH_FRAME => End::ZSTD_e_end,
        _ => {
            return Err(vm.value_error(
                "mode argument wrong value, it should be one of ZstdCompressor.CONTINUE, \
                 ZstdCompressor.FLUSH_BLOCK, ZstdCompressor.FLUSH_FRAME.",
            ));
        }
    };
    packed(vm, &c, &data, end, mode)
}

fn flush(vm: &Vm, c: ExtArg<Compressor>, mode: Option<i32>) -> R<Value> {
    let mode = i64::from(mode.unwrap_or(FLUSH_FRAME as i32));
    let end = match mode {
        FLUSH_BLOCK => End::ZSTD_e_flush,
        FLUSH_FRAME => End::ZSTD_e_end,
        _ => {
            return Err(vm.value_error(
                "mode argument wrong value, it should be ZstdCompressor.FLUSH_FRAME or ZstdCompressor.FLUSH_BLOCK.",
            ));
        }
    };
    packed(vm, &c, &[], end, mode)
}

/// Room that is given to the library at once: what a whole frame may take, if that is not too much.
fn room_for(len: usize, end: End) -> usize {
    const LEAST: usize = 1 << 17;
    const MOST: usize = 1 << 20;
    if end == End::ZSTD_e_end {
        // SAFETY: a function of a number.
        return unsafe { sys::ZSTD_compressBound(len) }.clamp(64, MOST);
    }
    LEAST
}

fn packed(vm: &Vm, c: &ExtArg<Compressor>, data: &[u8], end: End, mode: i64) -> R<Value> {
    let stream = c.0.stream.try_borrow_mut().map_err(|_| in_use(vm))?;
    let out = pack(vm, &stream, data, end);
    if out.is_err() {
        // SAFETY: the stream is the library's; it may begin with another frame.
        unsafe { sys::ZSTD_CCtx_reset(stream.raw, SESSION) };
    }
    c.0.last_mode.set(if out.is_ok() { mode } else { FLUSH_FRAME });
    drop(stream);
    vm.bytes(&out?)
}

fn pack(vm: &Vm, stream: &Packing, data: &[u8], end: End) -> R<Vec<u8>> {
    let (piece, mut out) = (room_for(data.len(), end), Vec::new());
    let mut from = sys::ZSTD_inBuffer { src: data.as_ptr().cast(), size: data.len(), pos: 0 };
    loop {
        let old = out.len();
        vm.check_room(old + piece)?;
        out.resize(old + piece, 0);
        let mut to = sys::ZSTD_outBuffer { dst: out[old..].as_mut_ptr().cast(), size: piece, pos: 0 };
        // SAFETY: the buffers are the data and the room, for the call only.
        let code = unsafe { sys::ZSTD_compressStream2(stream.raw, &mut to, &mut from, end) };
        let left = check(vm, code, "compress Zstandard data")?;
        out.truncate(old + to.pos);
        let done = match end {
            End::ZSTD_e_continue => from.pos == from.size,
            _ => left == 0,
        };
        if done {
            return Ok(out);
        }
        vm.check_signals()?;
    }
}

fn set_pledged_input_size(vm: &Vm, c: ExtArg<Compressor>, size: Value) -> R<()> {
    let size = if size.is_none() {
        SIZE_UNKNOWN
    } else if vm.is_int(size) {
        let n = match vm.as_i64(size) {
            Some(n) => u64::try_from(n).ok(),
            None => vm.as_big(size).and_then(|n| u64::try_from(n).ok()),
        };
        n.filter(|&n| n < SIZE_ERROR).ok_or_else(|| {
            vm.value_error(format!("size argument should be a positive int less than {SIZE_ERROR}"))
        })?
    } else {
        return Err(vm.type_error("an integer is required"));
    };
    if c.0.last_mode.get() != FLUSH_FRAME {
        return Err(
            vm.value_error("set_pledged_input_size() method must be called when last_mode == FLUSH_FRAME")
        );
    }
    let stream = c.0.stream.try_borrow_mut().map_err(|_| in_use(vm))?;
    // SAFETY: the stream is the library's.
    let code = unsafe { sys::ZSTD_CCtx_setPledgedSrcSize(stream.raw, size) };
    check(vm, code, "set pledged uncompressed content size").map(|_| ())
}

fn new_decompressor(vm: &Vm, _class: Value, dict: Option<Value>, options: Option<Value>) -> R<Value> {
    let options = options_of(vm, options, "ZstdDecompressor")?;
    // SAFETY: it makes a stream, or gives null.
    let raw = unsafe { sys::ZSTD_createDCtx() };
    if raw.is_null() {
        return Err(vm.memory_error());
    }
    let mut stream = Unpacking { raw, _dictionary: None };
    let dict =
        dict.filter(|v| !v.is_none()).map(|v| dictionary::argument(vm, v, Use::Digested)).transpose()?;
    if let Some((d, how)) = dict {
        // SAFETY (all): a stream of its own; what it refers to, it holds.
        let code = match how {
            Use::Digested => {
                let digested = d.for_decompression(vm)?;
                let code = unsafe { sys::ZSTD_DCtx_refDDict(raw, digested.raw()) };
                stream._dictionary = Some(digested);
                code
            }
            Use::Undigested => {
                d.with(|b| unsafe { sys::ZSTD_DCtx_loadDictionary(raw, b.as_ptr().cast(), b.len()) })
            }
            Use::Prefix => d.with(|b| unsafe { sys::ZSTD_DCtx_refPrefix(raw, b.as_ptr().cast(), b.len()) }),
        };
        check(vm, code, "load Zstandard dictionary or prefix for decompression")?;
    }
    if let Some(options) = options {
        parameters::set_for_decompression(vm, options, raw)?;
    }
    let d = Decompressor { stream: RefCell::new(Unpacker::new(stream)), dictionary: held(dict) };
    Ok(Ext::new(vm, ext_type(vm, &DECOMPRESSOR)?, d)?.value())
}

fn decompress(vm: &Vm, d: ExtArg<Decompressor>, data: BytesLike, max: Option<i64>) -> R<Value> {
    let mut unpacker = unpacker(vm, &d)?;
    let out = unpacker.run(vm, &data, max.unwrap_or(-1));
    if out.is_err() && !unpacker.eof {
        // It may begin with another frame.
        unpacker.needs_input = true;
    }
    drop(unpacker);
    vm.bytes(&out?)
}
