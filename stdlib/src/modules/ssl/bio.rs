//! `MemoryBIO`: bytes on their way, for programs that do the input and output themselves.

use super::super::support::BytesLike;
use skein_runtime::object::{Kind, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument, ext_type};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::{Cell, RefCell};

#[derive(Default)]
pub struct Bio {
    bytes: RefCell<Vec<u8>>,
    /// So many of them were read.
    read: Cell<usize>,
    ended: Cell<bool>,
}

impl Payload for Bio {
    const NAME: &'static str = "_ssl.MemoryBIO";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Bio { bytes: _, read: _, ended: _ } = self;
    }
}

type This = ExtArg<Bio>;

native_type! {
    pub MEMORY_BIO: "_ssl.MemoryBIO", Kind::Ext, type_flags::BASETYPE;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "read($self, size=-1, /)" => read, "Read up to size bytes, all by default.";
        "write($self, b, /)" => write, "Append bytes; return their number.";
        "write_eof($self, /)" => |_: &Vm, this: This| this.0.ended.set(true), "Nothing will be written any more.";
    }
    getset {
        "pending" => |vm: &Vm, this: This| vm.int_u64(this.0.pending() as u64);
        "eof" => |_: &Vm, this: This| -> R<Value> { Ok(Value::bool(this.0.is_at_end())) };
    }
}

impl Bio {
    pub fn pending(&self) -> usize {
        self.bytes.borrow().len() - self.read.get()
    }

    /// Is there nothing to read, and never will be?
    pub fn is_at_end(&self) -> bool {
        self.ended.get() && self.pending() == 0
    }

    /// Takes up to `n` bytes. MemoryError.
    pub fn take(&self, vm: &Vm, n: usize) -> R<Vec<u8>> {
        let n = n.min(self.pending());
        let start = self.read.get();
        let out = vm.copied(&self.bytes.borrow()[start..start + n])?;
        self.read.set(start + n);
        if self.pending() == 0 {
            self.read.set(0);
            self.bytes.borrow_mut().clear();
        } else if self.read.get() > self.bytes.borrow().len() / 2 {
            self.bytes.borrow_mut().drain(..self.read.replace(0));
        }
        Ok(out)
    }

    /// Appends bytes. MemoryError.
    pub fn put(&self, vm: &Vm, bytes: &[u8]) -> R<()> {
        vm.put(&mut self.bytes.borrow_mut(), bytes)
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &MEMORY_BIO)?)?;
    if args.positional().len() > 1 {
        return Err(vm.type_error("MemoryBIO() takes no positional arguments"));
    }
    if args.has_keywords() {
        return Err(vm.type_error("MemoryBIO() takes no keyword arguments"));
    }
    Ok(Ext::new(vm, class, Bio::default())?.value())
}

fn read(vm: &Vm, this: This, size: Option<i64>) -> R<Value> {
    let n = usize::try_from(size.unwrap_or(-1)).unwrap_or(usize::MAX);
    vm.bytes(&this.0.take(vm, n)?)
}

fn write(vm: &Vm, this: This, bytes: BytesLike) -> R<i64> {
    if this.0.ended.get() {
        return Err(super::errors::raise_plain(vm, "cannot write() after write_eof()"));
    }
    this.0.put(vm, &bytes)?;
    Ok(bytes.len() as i64)
}
