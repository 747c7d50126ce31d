//! `_struct`: packed binary data.

mod format;

use super::support::{self, BytesLike, add_exception, write_bytes};
use format::Format;
use skein_builtins::types::LOOK;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{check_class, class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Raised, Value, Vm, native_functions, native_type};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

#[cold]
fn error(vm: &Vm, message: impl AsRef<str>) -> Raised {
    support::raise(vm, "struct.error", message)
}

struct Struct {
    format: RefCell<Option<(String, Rc<Format>)>>,
}

impl Payload for Struct {
    const NAME: &'static str = "_struct.Struct";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Struct { format: _ } = self;
    }
}

type This = ExtArg<Struct>;

native_type! {
    STRUCT: "_struct.Struct", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_WEAKREF,
        "Struct(fmt) --> compiled struct object";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, format)" => init;
        "pack($self, /, *values)" => |vm: &Vm, args: Args<'_>| -> R<Value> { let (f, rest) = receiver(vm, args)?; pack_values(vm, &f, rest, "pack") };
        "pack_into($self, /, buffer, offset, *values)" => |vm: &Vm, args: Args<'_>| -> R<()> { let (f, rest) = receiver(vm, args)?; pack_values_into(vm, &f, rest) };
        "unpack($self, buffer, /)" => |vm: &Vm, s: This, b: BytesLike| unpack_all(vm, &*of(vm, &s.0)?, &b);
        "unpack_from($self, /, buffer, offset=0)" => |vm: &Vm, s: This, b: BytesLike, at: Option<i64>| unpack_at(vm, &*of(vm, &s.0)?, &b, at.unwrap_or(0));
        "iter_unpack($self, buffer, /)" => |vm: &Vm, s: This, b: Value| iterate(vm, of(vm, &s.0)?, b);
        "__sizeof__($self, /)" => |vm: &Vm, s: This| -> R<usize> { Ok(64 + of(vm, &s.0)?.items.len() * 32) };
        "__repr__($self, /)" => |vm: &Vm, s: This| -> R<String> { of(vm, &s.0)?; Ok(format!("{}({})", vm.type_of(s.0.value()).name_string(), vm.repr_string(vm.str(&format_text(&s.0))?)?)) };
    }
    getset {
        "format" => |vm: &Vm, v: Value| match v.cast::<Ext<Struct>>() { Some(s) => { of(vm, &s)?; vm.str(&format_text(&s)) } None => Err(vm.type_error("not a Struct")) };
        "size" => |vm: &Vm, v: Value| match v.cast::<Ext<Struct>>() { Some(s) => vm.int(s.format.borrow().as_ref().map_or(-1, |(_, f)| f.size as i64)), None => Err(vm.type_error("not a Struct")) };
    }
}

fn format_text(s: &Struct) -> String {
    s.format.borrow().as_ref().map_or(String::new(), |(t, _)| t.clone())
}

fn of(vm: &Vm, s: &Struct) -> R<Rc<Format>> {
    match &*s.format.borrow() {
        Some((_, f)) => Ok(f.clone()),
        None => Err(vm.runtime_error("Struct object is not initialized")),
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, ext_type(vm, &STRUCT)?)?;
    check_class(vm, ty, &STRUCT)?;
    Ok(Ext::new(vm, ty, Struct { format: RefCell::new(None) })?.value())
}

fn init(vm: &Vm, s: This, format: Value) -> R<()> {
    let (text, f) = format_of(vm, format)?;
    s.0.format.replace(Some((text, f)));
    Ok(())
}

/// Formats that were parsed before.
#[derive(Default)]
struct Cache(RefCell<std::collections::HashMap<Vec<u8>, Rc<Format>>>);

const CACHED: usize = 100;

fn format_of(vm: &Vm, v: Value) -> R<(String, Rc<Format>)> {
    let bytes = match v.cast::<Str>() {
        Some(s) if s.is_ascii() => vm.copied(s.bytes())?,
        Some(s) => {
            let at = skein_runtime::types::str::code_points(s.bytes()).take_while(|&c| c < 128).count();
            return Err(vm.encode_error("ascii", v, at, at + 1, "ordinal not in range(128)"));
        }
        None => match v.cast::<skein_runtime::types::bytes::Bytes>() {
            Some(b) => vm.copied(b.bytes())?,
            None => {
                let got = vm.type_name(v);
                return Err(
                    vm.type_error(format!("Struct() argument 1 must be a str or bytes object, not {got}"))
                );
            }
        },
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let cache = vm.state::<Cache>();
    if let Some(f) = cache.0.borrow().get(&bytes) {
        return Ok((text, f.clone()));
    }
    if bytes.contains(&0) {
        return Err(error(vm, "embedded null character"));
    }
    let f = Rc::new(Format::parse(vm, &bytes)?);
    let mut map = cache.0.borrow_mut();
    if map.len() >= CACHED {
        map.clear();
    }
    map.insert(bytes, f.clone());
    Ok((text, f))
}

fn receiver<'a>(vm: &Vm, args: Args<'a>) -> R<(Rc<Format>, &'a [Value])> {
    if args.has_keywords() {
        return Err(vm.type_error("Struct.pack() takes no keyword arguments"));
    }
    match args.positional().first().and_then(|s| s.cast::<Ext<Struct>>()) {
        Some(s) => Ok((of(vm, &s)?, &args.positional()[1..])),
        None => Err(vm.type_error("descriptor 'pack' requires a '_struct.Struct' object")),
    }
}

/// The format that a module's function got first, and its other arguments.
fn first<'a>(vm: &Vm, args: Args<'a>, name: &str) -> R<(Rc<Format>, &'a [Value])> {
    if args.has_keywords() {
        return Err(vm.type_error(format!("_struct.{name}() takes no keyword arguments")));
    }
    match args.positional() {
        [f, rest @ ..] => Ok((format_of(vm, *f)?.1, rest)),
        [] => Err(vm.type_error(format!("{name} expected at least 1 argument, got 0"))),
    }
}

fn fill(vm: &Vm, f: &Format, values: &[Value], out: &mut [u8]) -> R<()> {
    let mut values = values.iter().enumerate();
    for item in &f.items {
        for i in 0..item.count {
            let Some((n, &v)) = values.next() else { return Ok(()) };
            if n & LOOK == LOOK {
                vm.check_signals()?;
            }
            let at = item.offset + i * item.size;
            f.write(vm, *item, v, &mut out[at..at + item.size])?;
        }
    }
    Ok(())
}

fn check_count(vm: &Vm, f: &Format, got: usize, name: &str) -> R<()> {
    if got == f.values {
        return Ok(());
    }
    let wanted = f.values;
    Err(error(vm, format!("{name} expected {wanted} items for packing (got {got})")))
}

fn pack_values(vm: &Vm, f: &Format, values: &[Value], name: &str) -> R<Value> {
    const SMALL: usize = 64;
    check_count(vm, f, values.len(), name)?;
    if f.size <= SMALL {
        let mut out = [0; SMALL];
        fill(vm, f, values, &mut out[..f.size])?;
        return vm.bytes(&out[..f.size]);
    }
    let mut out = zeroed(vm, f.size)?;
    fill(vm, f, values, &mut out)?;
    vm.bytes(&out)
}

/// Sizes come from the format's text: they may be any.
fn zeroed(vm: &Vm, size: usize) -> R<Vec<u8>> {
    let mut out = Vec::new();
    if out.try_reserve_exact(size).is_err() {
        return Err(vm.memory_error());
    }
    out.resize(size, 0);
    Ok(out)
}

fn pack_values_into(vm: &Vm, f: &Format, args: &[Value]) -> R<()> {
    let (buffer, offset, values) = match args {
        [buffer, offset, values @ ..] => (*buffer, vm.index_i64(*offset)?, values),
        [_] => return Err(error(vm, "pack_into expected offset argument")),
        [] => return Err(error(vm, "pack_into expected buffer argument")),
    };
    check_count(vm, f, values.len(), "pack_into")?;
    // Values may run code when they are converted, so that this comes before the buffer is looked at.
    let mut packed = zeroed(vm, f.size)?;
    fill(vm, f, values, &mut packed)?;
    write_bytes(vm, buffer, |to| {
        let len = to.len() as i64;
        let size = f.size;
        let mut at = offset;
        if at < 0 {
            if at + size as i64 > 0 {
                return Err(error(vm, format!("no space to pack {size} bytes at offset {offset}")));
            }
            if at + len < 0 {
                return Err(error(vm, format!("offset {offset} out of range for {len}-byte buffer")));
            }
            at += len;
        }
        if len - at < size as i64 {
            let need = i128::from(at) + size as i128;
            return Err(error(
                vm,
                format!(
                    "pack_into requires a buffer of at least {need} bytes for packing {size} bytes at offset {at} \
                     (actual buffer size is {len})"
                ),
            ));
        }
        to[at as usize..at as usize + size].copy_from_slice(&packed);
        Ok(())
    })
}

fn read_all(vm: &Vm, f: &Format, bytes: &[u8]) -> R<Value> {
    const FEW: usize = 16;
    if f.values <= FEW {
        // On the native stack, where the collector sees them.
        let mut row = [Value::NONE; FEW];
        let mut n = 0;
        for item in &f.items {
            for i in 0..item.count {
                let at = item.offset + i * item.size;
                row[n] = f.read(vm, *item, &bytes[at..at + item.size])?;
                n += 1;
            }
        }
        return vm.tuple(&row[..n]);
    }
    let out = List::with_capacity(vm, f.values)?;
    for item in &f.items {
        for i in 0..item.count {
            let at = item.offset + i * item.size;
            if out.len() & LOOK == LOOK {
                vm.check_signals()?;
            }
            out.push(vm, f.read(vm, *item, &bytes[at..at + item.size])?)?;
        }
    }
    vm.tuple(out.items())
}

fn unpack_all(vm: &Vm, f: &Format, bytes: &[u8]) -> R<Value> {
    if bytes.len() != f.size {
        return Err(error(vm, format!("unpack requires a buffer of {} bytes", f.size)));
    }
    read_all(vm, f, bytes)
}

fn unpack_at(vm: &Vm, f: &Format, bytes: &[u8], offset: i64) -> R<Value> {
    let (len, size) = (bytes.len() as i64, f.size as i64);
    let mut at = offset;
    if at < 0 {
        if at + size > 0 {
            return Err(error(vm, format!("not enough data to unpack {size} bytes at offset {offset}")));
        }
        if at + len < 0 {
            return Err(error(vm, format!("offset {offset} out of range for {len}-byte buffer")));
        }
        at += len;
    }
    if len - at < size {
        let need = i128::from(at) + i128::from(size);
        return Err(error(
            vm,
            format!(
                "unpack_from requires a buffer of at least {need} bytes for unpacking {size} bytes at offset {at} \
                 (actual buffer size is {len})"
            ),
        ));
    }
    read_all(vm, f, &bytes[at as usize..])
}

// ---- iter_unpack

struct Unpacker {
    buffer: Field,
    format: Rc<Format>,
    at: Cell<usize>,
}

impl Payload for Unpacker {
    const NAME: &'static str = "_struct.unpack_iterator";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Unpacker { buffer, format: _, at: _ } = self;
        buffer.trace(t);
    }
}

native_type! {
    UNPACKER: "_struct.unpack_iterator", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next;
        "__length_hint__($self, /)" => |vm: &Vm, it: ExtArg<Unpacker>| -> R<usize> { Ok((BytesLike::new(vm, it.0.buffer.value())?.len() - it.0.at.get()) / it.0.format.size) };
    }
}

fn iterate(vm: &Vm, format: Rc<Format>, buffer: Value) -> R<Value> {
    let len = BytesLike::new(vm, buffer)?.len();
    if format.size == 0 {
        return Err(error(vm, "cannot iteratively unpack with a struct of length 0"));
    }
    if len % format.size != 0 {
        let size = format.size;
        return Err(error(
            vm,
            format!("iterative unpacking requires a buffer of a multiple of {size} bytes"),
        ));
    }
    // The bytes as they are now, so that each step need not copy a buffer of another kind.
    let own = vm.bytes(&BytesLike::new(vm, buffer)?)?;
    let it = Unpacker { buffer: Field::new(Some(own)), format, at: Cell::new(0) };
    Ok(Ext::new(vm, ext_type(vm, &UNPACKER)?, it)?.value())
}

fn next(vm: &Vm, it: ExtArg<Unpacker>) -> R<Value> {
    let it = it.0;
    let bytes = BytesLike::new(vm, it.buffer.value())?;
    let at = it.at.get();
    if at + it.format.size > bytes.len() {
        return Ok(vm.stop());
    }
    it.at.set(at + it.format.size);
    read_all(vm, &it.format, &bytes[at..])
}

native_functions! { FUNCTIONS:
    "calcsize(format, /)" => |vm: &Vm, f: Value| -> R<usize> { Ok(format_of(vm, f)?.1.size) }, "Return size in bytes of the struct described by the format string.";
    "pack(format, /, *values)" => |vm: &Vm, args: Args<'_>| -> R<Value> { let (f, rest) = first(vm, args, "pack")?; pack_values(vm, &f, rest, "pack") }, "Pack values and return the packed bytes.";
    "pack_into(format, buffer, offset, /, *values)" => |vm: &Vm, args: Args<'_>| -> R<()> { let (f, rest) = first(vm, args, "pack_into")?; pack_values_into(vm, &f, rest) }, "Pack values and write the packed bytes into the buffer.";
    "unpack(format, buffer, /)" => |vm: &Vm, f: Value, b: BytesLike| unpack_all(vm, &format_of(vm, f)?.1, &b), "Return a tuple containing values unpacked according to the format string.";
    "unpack_from(format, /, buffer, offset=0)" => |vm: &Vm, f: Value, b: BytesLike, at: Option<i64>| unpack_at(vm, &format_of(vm, f)?.1, &b, at.unwrap_or(0)), "Return a tuple containing values unpacked according to the format string.";
    "iter_unpack(format, buffer, /)" => |vm: &Vm, f: Value, b: Value| iterate(vm, format_of(vm, f)?.1, b), "Return an iterator yielding tuples unpacked from the given bytes.";
    "_clearcache()" => |vm: &Vm| vm.state::<Cache>().0.borrow_mut().clear(), "Clear the internal cache.";
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_struct", FUNCTIONS)?;
    m.dict().set_name(vm, "Struct", ext_type(vm, &STRUCT)?.value())?;
    m.dict().set_name(
        vm,
        "__doc__",
        vm.str(
            "Functions to convert between Python values and C structs represented as Python bytes objects.",
        )?,
    )?;
    add_exception(vm, m, "struct.error", vm.exc.exception)?;
    Ok(m)
}
