//! The module `builtins`.

use skein_runtime::native::{Args, unexpected_keyword};
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_functions! { pub FUNCTIONS:
    "breakpoint(*args, **kwargs)" => super::sys_hooks::breakpoint, "Call sys.breakpointhook(*args, **kws).";
    [soft super::classes::build_class_soft] "__build_class__(func, name, /, *bases, **kwds)" => super::classes::build_class, "Internal helper function used by the class statement.";
    "__import__(name, globals=None, locals=None, fromlist=(), level=0)" => super::import::import_builtin, "Import a module.";
    "print(*args, sep=' ', end='\\n', file=None, flush=False)" => print;
    "input(prompt='', /)" => input, "Read a string from standard input.";
    "repr(obj, /)" => repr, "Return the canonical string representation of the object.";
    [simple] "len(obj, /)" => len, "Return the number of items in a container.";
    "isinstance(obj, class_or_tuple, /)" => isinstance;
    "issubclass(cls, class_or_tuple, /)" => issubclass;
    "id(obj, /)" => id;
    "hash(obj, /)" => hash;
}

/// The text of an optional keyword of `print`.
fn print_option(vm: &Vm, v: Value, name: &str, default: u8) -> R<Ref<Str>> {
    match v.cast::<Str>() {
        Some(s) => Ok(s),
        // SAFETY: that is a string.
        None if v.is_none() => Ok(unsafe { vm.char_str(default.into())?.cast_unchecked() }),
        None => Err(vm.type_error(format!("{name} must be None or a string, not {}", vm.type_name(v)))),
    }
}

fn print(vm: &Vm, args: Args<'_>) -> R<()> {
    let (mut sep, mut end, mut file, mut flush) = (Value::NONE, Value::NONE, Value::NONE, false);
    for (k, v) in args.keywords() {
        let name = k.cast::<Str>();
        match name.as_ref().map_or(&[][..], |k| k.bytes()) {
            b"sep" => sep = v,
            b"end" => end = v,
            b"file" => file = v,
            b"flush" => flush = vm.truth(v)?,
            _ => return Err(unexpected_keyword(vm, "print", k, &["sep", "end", "file", "flush"])),
        }
    }
    let (sep, end) = (print_option(vm, sep, "sep", b' ')?, print_option(vm, end, "end", b'\n')?);
    if file.is_none() {
        file = match vm.sys_dict.get() {
            Some(sys) => {
                sys.get_str(vm, vm.names.stdout)?.ok_or_else(|| vm.runtime_error("lost sys.stdout"))?
            }
            None => Value::NONE,
        };
        // A program without a standard output prints nothing.
        if file.is_none() {
            return Ok(());
        }
    }
    let native = file.cast::<skein_runtime::types::ext::ExtObject>().is_some();
    let write = vm.get_attr(file, vm.names.write)?;
    // A native file gets one text, which is what a Python one would come to write.
    let mut all = Vec::new();
    for (i, &v) in args.positional().iter().enumerate() {
        let text = vm.to_str(v)?;
        if native {
            if i > 0 {
                all.extend_from_slice(sep.bytes());
            }
            all.extend_from_slice(text.bytes());
            continue;
        }
        if i > 0 {
            vm.call(write, &[sep.value()])?;
        }
        vm.call(write, &[text.value()])?;
    }
    all.extend_from_slice(end.bytes());
    vm.call(write, &[Str::new(vm, &all)?.value()])?;
    if flush {
        vm.call_method(file, "flush", &[])?;
    }
    Ok(())
}

fn input(vm: &Vm, prompt: Option<Value>) -> R<Value> {
    let stream = |name: &str| -> R<Value> {
        let found = match vm.sys_dict.get() {
            Some(sys) => sys.get_name(vm, name)?,
            None => None,
        };
        found.filter(|f| !f.is_none()).ok_or_else(|| vm.runtime_error(format!("input(): lost sys.{name}")))
    };
    let (stdin, stdout) = (stream("stdin")?, stream("stdout")?);
    vm.audit("builtins.input", || vm.tuple(&[prompt.map_or_else(|| vm.str(""), Ok)?]))?;
    if let Some(p) = prompt {
        let text = vm.to_str(p)?;
        vm.call_method(stdout, "write", &[text.value()])?;
    }
    // What cannot be flushed is not in the way of reading.
    let flushed = vm.call_method(stdout, "flush", &[]);
    vm.absorb(flushed, vm.exc.exception)?;
    let line = vm.call_method(stdin, "readline", &[])?;
    let Some(line) = line.cast::<Str>() else {
        return Err(vm.type_error("object.readline() returned non-string"));
    };
    if line.bytes().is_empty() {
        return Err(vm.eof_error("EOF when reading a line"));
    }
    let text = line.bytes();
    let result = Str::new(vm, text.strip_suffix(b"\n").unwrap_or(text))?.value();
    vm.audit("builtins.input/result", || vm.tuple(&[result]))?;
    Ok(result)
}

fn repr(vm: &Vm, v: Value) -> R<Value> {
    Ok(vm.repr(v)?.value())
}

fn len(vm: &Vm, v: Value) -> R<usize> {
    vm.len(v)
}

fn isinstance(vm: &Vm, v: Value, class: Value) -> R<bool> {
    vm.is_instance(v, class)
}

fn issubclass(vm: &Vm, c: Value, class: Value) -> R<bool> {
    vm.is_subclass(c, class)
}

/// The word itself: of an object the address that its `repr` shows.
fn id(vm: &Vm, v: Value) -> R<Value> {
    vm.int_u64(v.bits())
}

fn hash(vm: &Vm, v: Value) -> R<i64> {
    vm.hash(v)
}

/// The module with its functions, types and constants.
pub(crate) fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = Module::new(vm, "builtins")?;
    skein_runtime::types::module::add_functions(vm, m, FUNCTIONS)?;
    skein_runtime::types::module::add_functions(vm, m, super::builtins_numbers::FUNCTIONS)?;
    skein_runtime::types::module::add_functions(vm, m, super::builtins_objects::FUNCTIONS)?;
    super::builtins_iteration::add(vm, m)?;
    let d = m.dict();
    let t = &vm.types;
    for ty in [
        t.object,
        t.type_,
        t.int,
        t.bool,
        t.float,
        t.complex,
        t.str,
        t.bytes,
        t.bytearray,
        t.tuple,
        t.list,
        t.dict,
        t.set,
        t.frozenset,
        t.range,
        t.slice,
        t.property,
        t.staticmethod,
        t.classmethod,
        t.super_,
        t.reversed,
        t.memoryview,
    ] {
        d.set_str(vm, ty.name(), ty.value())?;
    }
    for (name, ty) in vm.exc.all() {
        d.set_name(vm, name, ty.value())?;
    }
    d.set_name(vm, "EnvironmentError", vm.exc.os_error.value())?;
    d.set_name(vm, "IOError", vm.exc.os_error.value())?;
    for (name, v) in [
        ("None", Value::NONE),
        ("True", Value::TRUE),
        ("False", Value::FALSE),
        ("Ellipsis", Value::ELLIPSIS),
        ("NotImplemented", Value::NOT_IMPLEMENTED),
        ("__debug__", Value::bool(vm.config.optimize == 0)),
    ] {
        d.set_name(vm, name, v)?;
    }
    Ok(m)
}
