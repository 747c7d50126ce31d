//! `_bz2`: what the packaged `bz2` is built on.

use super::super::support::BytesLike;
use super::{PIECE, Unpack, Unpacker};
use bzip2::{Action, Compress, Compression, Decompress, Status};
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument, ext_type};
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::{Args, R, Raised, Value, Vm, native_functions, native_type};
use std::cell::RefCell;

struct Packer {
    stream: Compress,
    finished: bool,
}

struct Compressor(RefCell<Packer>);
struct Decompressor(RefCell<Unpacker<Stream>>);

impl Payload for Compressor {
    const NAME: &'static str = "_bz2.BZ2Compressor";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Compressor(_) = self;
    }
}

impl Payload for Decompressor {
    const NAME: &'static str = "_bz2.BZ2Decompressor";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Decompressor(_) = self;
    }
}

native_type! {
    COMPRESSOR: "_bz2.BZ2Compressor", Kind::Ext, 0, "Create a compressor object for compressing data incrementally.";
    methods {
        [static] "__new__($type, compresslevel=9, /)" => new_compressor;
        "compress($self, data, /)" => |vm: &Vm, c: ExtArg<Compressor>, data: BytesLike| compress(vm, &c, &data, Action::Run), "Provide data to the compressor object.";
        "flush($self, /)" => |vm: &Vm, c: ExtArg<Compressor>| compress(vm, &c, &[], Action::Finish), "Finish the compression process.";
        "__reduce__($self, /)" => |vm: &Vm, _: Value| -> R<()> { Err(vm.type_error("cannot pickle '_bz2.BZ2Compressor' object")) };
    }
}

native_type! {
    DECOMPRESSOR: "_bz2.BZ2Decompressor", Kind::Ext, 0, "Create a decompressor object for decompressing data incrementally.";
    methods {
        [static] "__new__($type, /)" => new_decompressor;
        "decompress($self, /, data, max_length=-1)" => |vm: &Vm, d: ExtArg<Decompressor>, data: BytesLike, max: Option<i64>| -> R<Value> {
            let out = d.0.0.borrow_mut().run(vm, &data, max.unwrap_or(-1))?;
            vm.bytes(&out)
        }, "Decompress *data*, returning uncompressed data as bytes.";
        "__reduce__($self, /)" => |vm: &Vm, _: Value| -> R<()> { Err(vm.type_error("cannot pickle '_bz2.BZ2Decompressor' object")) };
    }
    getset {
        "eof" => |_: &Vm, d: ExtArg<Decompressor>| -> R<Value> { Ok(Value::bool(d.0.0.borrow().eof)) };
        "needs_input" => |_: &Vm, d: ExtArg<Decompressor>| -> R<Value> { Ok(Value::bool(d.0.0.borrow().needs_input)) };
        "unused_data" => |vm: &Vm, d: ExtArg<Decompressor>| -> R<Value> { let unused = d.0.0.borrow().unused.clone(); vm.bytes(&unused) };
    }
}

#[cold]
fn raised(vm: &Vm, e: bzip2::Error) -> Raised {
    match e {
        bzip2::Error::Data | bzip2::Error::DataMagic => vm.raise_text(vm.exc.os_error, "Invalid data stream"),
        bzip2::Error::Param => vm.value_error("Internal error - invalid parameters passed to libbzip2"),
        bzip2::Error::Sequence => {
            vm.runtime_error("Internal error - Invalid sequence of commands sent to libbzip2")
        }
    }
}

fn new_compressor(vm: &Vm, _class: Value, level: Option<i32>) -> R<Value> {
    let level = level.unwrap_or(9);
    if !(1..=9).contains(&level) {
        return Err(vm.value_error("compresslevel must be between 1 and 9"));
    }
    let stream = Compress::new(Compression::new(level as u32), 0);
    let packer = Compressor(RefCell::new(Packer { stream, finished: false }));
    Ok(Ext::new(vm, ext_type(vm, &COMPRESSOR)?, packer)?.value())
}

/// Bytes that are compressed between two looks for signals.
const STEP: usize = 1 << 16;

fn compress(vm: &Vm, c: &ExtArg<Compressor>, data: &[u8], action: Action) -> R<Value> {
    let mut c = c.0.0.borrow_mut();
    if c.finished {
        return Err(vm.value_error(match action {
            Action::Finish => "Repeated call to flush()",
            _ => "Compressor has been flushed",
        }));
    }
    let finish = matches!(action, Action::Finish);
    c.finished = finish;
    let (mut at, mut out) = (0, Vec::new());
    while finish || at < data.len() {
        let old = out.len();
        vm.check_room(old + PIECE)?;
        out.resize(old + PIECE, 0);
        let before = (c.stream.total_in(), c.stream.total_out());
        let action = if finish { Action::Finish } else { Action::Run };
        // A little at a time, to look for signals in between.
        let end = data.len().min(at + STEP);
        let status = c.stream.compress(&data[at..end], &mut out[old..], action).map_err(|e| raised(vm, e))?;
        at += (c.stream.total_in() - before.0) as usize;
        out.truncate(old + (c.stream.total_out() - before.1) as usize);
        if status == Status::StreamEnd {
            break;
        }
        vm.check_signals()?;
    }
    vm.bytes(&out)
}

/// A stream, and whether it has failed: the library must not be called again then.
struct Stream(Decompress, bool);

impl Unpack for Stream {
    const WANTS_MORE_WHEN_FULL: bool = true;
    const AT_END: &'static str = "End of stream already reached";
    fn step(&mut self, vm: &Vm, input: &[u8], room: &mut [u8]) -> R<(usize, usize, bool)> {
        if self.1 {
            return Err(vm.value_error("Decompressor is unusable after a previous error"));
        }
        let before = (self.0.total_in(), self.0.total_out());
        let status = self.0.decompress(input, room).map_err(|e| {
            self.1 = true;
            raised(vm, e)
        })?;
        if status == Status::MemNeeded {
            return Err(vm.memory_error());
        }
        let used = (self.0.total_in() - before.0) as usize;
        let made = (self.0.total_out() - before.1) as usize;
        Ok((used, made, status == Status::StreamEnd))
    }
}

fn new_decompressor(vm: &Vm, args: Args<'_>) -> R<Value> {
    class_argument(vm, &args, ext_type(vm, &DECOMPRESSOR)?)?;
    if args.positional().len() > 1 || args.has_keywords() {
        return Err(vm.type_error("BZ2Decompressor() takes no arguments"));
    }
    let d = Decompressor(RefCell::new(Unpacker::new(Stream(Decompress::new(false), false))));
    Ok(Ext::new(vm, ext_type(vm, &DECOMPRESSOR)?, d)?.value())
}

native_functions! { FUNCTIONS: }

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_bz2", FUNCTIONS)?;
    m.dict().set_name(vm, "BZ2Compressor", ext_type(vm, &COMPRESSOR)?.value())?;
    m.dict().set_name(vm, "BZ2Decompressor", ext_type(vm, &DECOMPRESSOR)?.value())?;
    Ok(m)
}
