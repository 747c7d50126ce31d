//! `_pickle`: objects as bytes, and back.

mod buffer;
mod input;
mod load;
mod ops;
mod output;
mod pickler;
mod reduce;
mod save;
mod unpickler;

use super::support::{self, BytesLike, add_exception};
use pickler::dump;
use skein_builtins::modules::import;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{Args, R, Raised, Value, Vm, native_functions};

const PICKLING_ERROR: &str = "_pickle.PicklingError";
const UNPICKLING_ERROR: &str = "_pickle.UnpicklingError";

native_functions! { FUNCTIONS:
    "dump(obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)" => |vm: &Vm, v: Value, file: Value, protocol: Option<Value>, fix: Option<bool>, callback: Option<Value>| -> R<()> {
        let p = pickler::without_file(vm, protocol, fix, callback)?;
        let Some(write) = vm.find_attr(file, vm.intern("write")?)? else {
            return Err(vm.type_error("file must have a 'write' attribute"));
        };
        p.write.set(vm, p, write);
        dump(vm, p, v)
    }, "Write a pickled representation of obj to the open file object file.";
    "dumps(obj, protocol=None, *, fix_imports=True, buffer_callback=None)" => |vm: &Vm, v: Value, protocol: Option<Value>, fix: Option<bool>, callback: Option<Value>| -> R<Value> {
        let p = pickler::without_file(vm, protocol, fix, callback)?;
        dump(vm, p, v)?;
        let out = p.out.borrow();
        vm.bytes(&out.bytes)
    }, "Return the pickled representation of the object as a bytes object.";
    "load(file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())" => |vm: &Vm, file: Value, fix: Option<bool>, encoding: Option<Ref<Str>>, errors: Option<Ref<Str>>, buffers: Option<Value>| -> R<Value> {
        let u = unpickler::fresh(vm)?;
        unpickler::set_up(vm, u, fix, encoding, errors, buffers)?;
        unpickler::set_file(vm, u, file)?;
        unpickler::load(vm, u)
    }, "Read and return an object from the pickle data stored in a file.";
    "loads(data, /, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())" => |vm: &Vm, data: BytesLike, fix: Option<bool>, encoding: Option<Ref<Str>>, errors: Option<Ref<Str>>, buffers: Option<Value>| -> R<Value> {
        let u = unpickler::fresh(vm)?;
        unpickler::set_up(vm, u, fix, encoding, errors, buffers)?;
        unpickler::load_bytes(vm, u, data)
    }, "Read and return an object from the given pickle data.";
}

/// `module.name` of an object's class, as messages have it.
fn full_name(vm: &Vm, v: Value) -> R<String> {
    let ty = vm.type_of(v).value();
    let name = vm.str_string(vm.get_attr(ty, vm.names.__qualname__)?)?;
    let module = vm.find_attr(ty, vm.intern("__module__")?)?.and_then(|m| m.cast::<Str>());
    Ok(match module.as_ref().map(|m| m.to_string_lossy()).as_deref() {
        None | Some("builtins" | "__main__") => name,
        Some(module) => format!("{module}.{name}"),
    })
}

/// Adds to an error what was being written.
fn noted(vm: &Vm, r: R<()>, what: impl FnOnce() -> R<String>) -> R<()> {
    let Err(raised) = r else { return Ok(()) };
    let Some(error) = vm.pending.take() else { return Err(raised) };
    let text = vm.str(&format!("when serializing {}", what()?))?;
    vm.call_method(error, "add_note", &[text])?;
    vm.pending.set(Some(error));
    Err(Raised)
}

/// A new error, raised while this other one was handled.
fn in_context(vm: &Vm, raised: Raised, other: Value) -> Raised {
    let Some(error) = vm.pending.take() else { return raised };
    match vm.intern("__context__").and_then(|name| vm.set_attr(error, name, other)) {
        Ok(()) => vm.raise_again(error),
        Err(e) => e,
    }
}

/// What an attempt gave, or the error of this kind that it raised; other errors stay raised.
fn attempt<T>(vm: &Vm, r: R<T>, kinds: &[Ref<Type>]) -> R<Result<T, Value>> {
    match r {
        Ok(v) => Ok(Ok(v)),
        Err(e) => match kinds.iter().find_map(|&kind| vm.catch(kind)) {
            Some(error) => Ok(Err(error)),
            None => Err(e),
        },
    }
}

/// A call with keywords from a dict.
fn call_with(vm: &Vm, f: Value, positional: &[Value], keywords: Option<Ref<Dict>>) -> R<Value> {
    let row = List::new(vm, positional)?;
    let names = List::with_capacity(vm, 0)?;
    for (k, v) in keywords.iter().flat_map(|d| d.iter()) {
        if k.cast::<Str>().is_none() {
            return Err(vm.type_error("keywords must be strings"));
        }
        names.push(vm, k)?;
        row.push(vm, v)?;
    }
    let names = if names.is_empty() { None } else { Some(Tuple::new(vm, names.items())?) };
    let row = Tuple::new(vm, row.items())?;
    vm.call_args(f, Args::new(row.items(), names))
}

/// An entry of one of the tables of names that Python 2 had.
fn library(vm: &Vm, table: &str, key: Value) -> R<Option<Value>> {
    match vm.get_attr_str(import(vm, "_compat_pickle")?, table)?.cast::<Dict>() {
        Some(table) => table.get(vm, key),
        None => Ok(None),
    }
}

/// A method that a subclass or the object itself has in place of that of the native class.
fn callable_attribute(vm: &Vm, v: Value, name: &str, own: Ref<Type>) -> R<Option<Value>> {
    let name = vm.intern(name)?;
    let f = vm.get_attr(v, name)?;
    let plain = own.lookup(vm, name).and_then(|p| p.cast::<NativeFunction>());
    let bound = f.cast::<NativeFunction>();
    let is_plain = plain.zip(bound).is_some_and(|(plain, bound)| {
        std::ptr::eq(plain.def(), bound.def()) && bound.receiver.get().is_some_and(|r| r.is(v))
    });
    Ok((!is_plain).then_some(f))
}

/// What a proxy of a memo is pickled as: a dict of its own.
fn proxy_copy(vm: &Vm, copy: Value) -> R<Value> {
    let args = vm.tuple(&[copy])?;
    vm.tuple(&[vm.types.dict.value(), args])
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_pickle", FUNCTIONS)?;
    let base = add_exception(vm, m, "_pickle.PickleError", vm.exc.exception)?;
    if let Some(base) = base.cast::<Type>() {
        add_exception(vm, m, PICKLING_ERROR, base)?;
        add_exception(vm, m, UNPICKLING_ERROR, base)?;
    }
    for (name, ty) in [
        ("Pickler", &pickler::PICKLER),
        ("Unpickler", &unpickler::UNPICKLER),
        ("PickleBuffer", &buffer::BUFFER),
    ] {
        m.dict().set_name(vm, name, ext_type(vm, ty)?.value())?;
    }
    Ok(m)
}

/// UnpicklingError.
#[cold]
fn unpickling_error(vm: &Vm, text: impl AsRef<str>) -> Raised {
    support::raise(vm, UNPICKLING_ERROR, text)
}
