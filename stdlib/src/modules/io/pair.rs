//! `BufferedRWPair`: a reader and a writer as one file.

use super::base::{BUFFERED_BASE, DEFAULT_BUFFER_SIZE, require_readable, require_writable};
use super::types::{FLAGS, base, class_of};
use skein_runtime::object::{Field, Kind, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::{Args, R, Ref, Value, Vm, native_type};

pub struct Pair {
    reader: Field,
    writer: Field,
}

impl Payload for Pair {
    const NAME: &'static str = "_io.BufferedRWPair";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Pair { reader, writer } = self;
        reader.trace(t);
        writer.trace(t);
    }
}

type This = ExtArg<Pair>;

native_type! {
    pub PAIR: "_io.BufferedRWPair", Kind::Ext, FLAGS, base |vm| base(vm, &BUFFERED_BASE), "A buffered reader and writer object together.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, reader, writer, buffer_size=131072, /)" => init;
        "read($self, *args)" => |vm: &Vm, args: Args<'_>| read_by(vm, args, "read");
        "read1($self, *args)" => |vm: &Vm, args: Args<'_>| read_by(vm, args, "read1");
        "peek($self, *args)" => |vm: &Vm, args: Args<'_>| read_by(vm, args, "peek");
        "readinto($self, *args)" => |vm: &Vm, args: Args<'_>| read_by(vm, args, "readinto");
        "readinto1($self, *args)" => |vm: &Vm, args: Args<'_>| read_by(vm, args, "readinto1");
        "readable($self, /)" => |vm: &Vm, p: This| vm.call_method(reader(vm, p.0)?, "readable", &[]);
        "write($self, b, /)" => |vm: &Vm, p: This, b: Value| vm.call_method(writer(vm, p.0)?, "write", &[b]);
        "flush($self, /)" => |vm: &Vm, p: This| vm.call_method(writer(vm, p.0)?, "flush", &[]);
        "writable($self, /)" => |vm: &Vm, p: This| vm.call_method(writer(vm, p.0)?, "writable", &[]);
        "close($self, /)" => close;
        "isatty($self, /)" => isatty;
    }
    getset {
        "closed" => |vm: &Vm, v: Value| match v.cast::<Ext<Pair>>() {
            Some(p) => vm.get_attr_str(writer(vm, p)?, "closed"),
            None => Err(vm.type_error("not a BufferedRWPair")),
        };
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_of(vm, &args, &PAIR)?;
    let p = Ext::new(vm, ty, Pair { reader: Field::new(None), writer: Field::new(None) })?;
    vm.finalize_later(p.header());
    Ok(p.value())
}

fn init(vm: &Vm, p: This, raw_reader: Value, raw_writer: Value, size: Option<i64>) -> R<()> {
    require_readable(vm, raw_reader)?;
    require_writable(vm, raw_writer)?;
    let size = size.unwrap_or(DEFAULT_BUFFER_SIZE as i64);
    let r = super::methods::over(vm, raw_reader, true, false, size)?;
    let w = super::methods::over(vm, raw_writer, false, true, size)?;
    // The pair's end closes both.
    r.owned.set(true);
    w.owned.set(true);
    p.0.reader.set(vm, p.0, r.value());
    p.0.writer.set(vm, p.0, w.value());
    Ok(())
}

fn part(vm: &Vm, field: &Field) -> R<Value> {
    field.get().ok_or_else(|| vm.value_error("I/O operation on uninitialized object"))
}

fn reader(vm: &Vm, p: Ref<Ext<Pair>>) -> R<Value> {
    part(vm, &p.reader)
}

fn writer(vm: &Vm, p: Ref<Ext<Pair>>) -> R<Value> {
    part(vm, &p.writer)
}

fn read_by(vm: &Vm, args: Args<'_>, method: &str) -> R<Value> {
    match args.positional() {
        [this, rest @ ..] => match this.cast::<Ext<Pair>>() {
            Some(p) => vm.call_method(reader(vm, p)?, method, rest),
            None => Err(vm.type_error("not a BufferedRWPair")),
        },
        [] => Err(vm.type_error("the method needs an argument")),
    }
}

fn close(vm: &Vm, p: This) -> R<Value> {
    let w = writer(vm, p.0)?;
    let r = reader(vm, p.0)?;
    let closed = vm.call_method(w, "close", &[]);
    super::base::chain(vm, closed, || vm.call_method(r, "close", &[]))
}

fn isatty(vm: &Vm, p: This) -> R<Value> {
    match vm.call_method(writer(vm, p.0)?, "isatty", &[])? {
        Value::FALSE => vm.call_method(reader(vm, p.0)?, "isatty", &[]),
        yes => Ok(yes),
    }
}
