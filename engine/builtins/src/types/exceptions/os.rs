//! What Python code sees of `OSError`; which of its subclasses stands for which error number.

use super::base::{filled_dict, new as base_new, reduced, set_arguments, str as base_str};
use super::{keywords, receiver, set_field};
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::exception::Exception;
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use skein_runtime::vm::class_of_errno;

const ERRNO: usize = 0;
const STRERROR: usize = 1;
const FILENAME: usize = 2;
const FILENAME2: usize = 3;
const WRITTEN: usize = 4;

native_type! {
    pub DEF: "OSError", Kind::Exception, type_flags::BASETYPE | type_flags::HAS_DICT;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, *args, **kwargs)" => init;
        "__str__($self, /)" => str;
        "__reduce__($self, /)" => reduce;
    }
    getset {
        "errno" => |_: &Vm, v: Value| Ok(part(v, ERRNO)), set_field::<ERRNO>;
        "strerror" => |_: &Vm, v: Value| Ok(part(v, STRERROR)), set_field::<STRERROR>;
        "filename" => |_: &Vm, v: Value| Ok(part(v, FILENAME)), set_field::<FILENAME>;
        "filename2" => |_: &Vm, v: Value| Ok(part(v, FILENAME2)), set_field::<FILENAME2>;
        "characters_written" => written, set_written;
    }
}

/// A field; errno and strerror of an instance made by the runtime are only in `args`.
fn part(v: Value, i: usize) -> Value {
    let Some(e) = v.cast::<Exception>() else { return Value::NONE };
    let from_args = || {
        let n = e.args.cast::<Tuple>().map_or(0, |t| t.len());
        if i <= STRERROR && n == 2 { e.arg(i) } else { None }
    };
    e.field(i).or_else(from_args).unwrap_or(Value::NONE)
}

/// Is `__init__`, not `__new__`, to take the arguments: has the class an `__init__` of its own only?
fn init_takes_arguments(vm: &Vm, ty: Ref<Type>) -> bool {
    let own = vm.exc.os_error;
    ty.special(vm, Special::Init) != own.special(vm, Special::Init)
        && ty.special(vm, Special::New) == own.special(vm, Special::New)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(ty) = args.positional().first().and_then(|t| t.cast::<Type>()) else {
        return base_new(vm, args);
    };
    if init_takes_arguments(vm, ty) {
        return base_new(vm, Args::new(&args.positional()[..1], None));
    }
    keywords(vm, args, [], &ty.name_string())?;
    let items = &args.positional()[1..];
    let mut ty = ty;
    if ty == vm.exc.os_error
        && (2..=5).contains(&items.len())
        && let Some(errno) = vm.as_i64(items[0])
    {
        ty = class_of_errno(vm, errno);
    }
    let e = base_new(vm, Args::new(&[ty.value()], None))?;
    if let Some(x) = e.cast::<Exception>() {
        fill(vm, x, items)?;
    }
    Ok(e)
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let e = receiver(vm, args, "__init__")?;
    if !init_takes_arguments(vm, vm.type_of(e.value())) {
        return Ok(());
    }
    keywords(vm, args, [], &vm.type_name(e.value()))?;
    fill(vm, e, &args.positional()[1..])
}

/// Sets the fields from `(errno, strerror[, filename[, winerror[, filename2]]])`.
fn fill(vm: &Vm, e: Ref<Exception>, items: &[Value]) -> R<()> {
    let mut args = items;
    if (2..=5).contains(&items.len()) {
        e.set_field(vm, ERRNO, items[0])?;
        e.set_field(vm, STRERROR, items[1])?;
        let filename = items.get(2).copied().filter(|f| !f.is_none());
        if let Some(f) = filename {
            let blocking = vm.type_of(e.value()) == vm.exc.blocking_io_error;
            match vm.as_i64(f) {
                Some(n) if blocking => e.set_field(vm, WRITTEN, vm.int(n)?)?,
                _ => {
                    e.set_field(vm, FILENAME, f)?;
                    e.set_field(vm, FILENAME2, items.get(4).copied().filter(|f| !f.is_none()))?;
                    args = &items[..2];
                }
            }
        }
    }
    set_arguments(vm, e, args)
}

fn str(vm: &Vm, e: Ref<Exception>) -> R<Value> {
    let v = e.value();
    let field = |i| part(v, i);
    let filename = field(FILENAME);
    let head = |vm: &Vm| -> R<String> {
        Ok(format!("[Errno {}] {}", vm.str_string(field(ERRNO))?, vm.str_string(field(STRERROR))?))
    };
    if !filename.is_none() {
        let second = field(FILENAME2);
        let names = match second.is_none() {
            true => vm.repr_string(filename)?,
            false => format!("{} -> {}", vm.repr_string(filename)?, vm.repr_string(second)?),
        };
        return vm.str(&format!("{}: {names}", head(vm)?));
    }
    let has = |i| e.field(i).is_some() || !part(v, i).is_none();
    if has(ERRNO) && has(STRERROR) {
        return vm.str(&head(vm)?);
    }
    base_str(vm, e)
}

fn reduce(vm: &Vm, e: Ref<Exception>) -> R<Value> {
    let mut args = e.args.or_none();
    let filename = part(e.value(), FILENAME);
    if let Some(t) = args.cast::<Tuple>()
        && t.len() == 2
        && !filename.is_none()
    {
        let row = List::new(vm, t.items())?;
        row.push(vm, filename)?;
        let second = part(e.value(), FILENAME2);
        if !second.is_none() {
            row.push(vm, Value::NONE)?;
            row.push(vm, second)?;
        }
        args = vm.tuple(row.items())?;
    }
    reduced(vm, e, args, filled_dict(vm, e)?)
}

fn written(vm: &Vm, v: Value) -> R<Value> {
    match v.cast::<Exception>().and_then(|e| e.field(WRITTEN)) {
        Some(n) => Ok(n),
        None => Err(vm.attribute_error("characters_written")),
    }
}

fn set_written(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    let Some(e) = v.cast::<Exception>() else { return Ok(()) };
    match new {
        Some(n) => {
            let n = vm.index(n)?;
            e.set_field(vm, WRITTEN, n)
        }
        None if e.field(WRITTEN).is_none() => Err(vm.attribute_error("characters_written")),
        None => e.set_field(vm, WRITTEN, None::<Value>),
    }
}
