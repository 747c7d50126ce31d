//! The class `bomb`: an exception on its way to a tasklet, as Python code sees it.

use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind as Layout, Ref, Tracer};
use skein_runtime::types::exception::Exception;
use skein_runtime::types::ext::class_argument;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::traceback::Traceback;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

/// What `raise` would be given.
pub struct Bomb {
    ty: Field,
    value: Field,
    traceback: Field,
}

impl Payload for Bomb {
    const NAME: &'static str = "stackless.bomb";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Bomb { ty, value, traceback } = self;
        ty.trace(t);
        value.trace(t);
        traceback.trace(t);
    }
}

native_type! {
    pub DEF: "stackless.bomb", Layout::Ext, 0,
        "bomb(type=None, value=None, traceback=None)\n\nAn exception; as a tasklet's tempval it is raised when the tasklet goes on.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__reduce__($self)" => |vm: &Vm, _: Value| -> R<Value> { Err(vm.unsupported("pickling of bombs")) };
    }
    getset {
        "type" => |_: &Vm, v: Ref<Ext<Bomb>>| Ok(v.ty.or_none());
        "value" => |_: &Vm, v: Ref<Ext<Bomb>>| Ok(v.value.or_none());
        "traceback" => |_: &Vm, v: Ref<Ext<Bomb>>| Ok(v.traceback.or_none());
    }
}

fn alloc(vm: &Vm, class: Ref<Type>, row: [Value; 3]) -> R<Value> {
    let [ty, value, traceback] = row.map(|v| Field::new((!v.is_none()).then_some(v)));
    Ok(Ext::new(vm, class, Bomb { ty, value, traceback })?.value())
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &DEF)?)?;
    let rest = args.rest();
    // A tuple stands for what it has, as sys.exc_info() gives it.
    let packed = match *rest.positional() {
        [one] => one.cast::<Tuple>(),
        _ => None,
    };
    let given = packed.as_ref().map_or(rest.positional(), |t| t.items());
    let mut row = [Value::NONE; 3];
    if given.len() > row.len() {
        return Err(vm.type_error(format!("bomb() takes at most 3 arguments ({} given)", given.len())));
    }
    row[..given.len()].copy_from_slice(given);
    for (k, v) in rest.keywords() {
        let name = vm.str_string(k)?;
        match ["type", "value", "traceback"].iter().position(|n| *n == name) {
            Some(i) => row[i] = v,
            None => return Err(vm.type_error(format!("bomb() got an unexpected keyword argument '{name}'"))),
        }
    }
    alloc(vm, class, row)
}

/// A bomb of an exception.
pub fn bomb_of(vm: &Vm, e: Value) -> R<Value> {
    let tb = e.cast::<Exception>().map_or(Value::NONE, |e| e.traceback.or_none());
    alloc(vm, ext_type(vm, &DEF)?, [vm.type_of(e).value(), e, tb])
}

/// The exception that a bomb raises; None: it is no bomb.
pub fn exploded(vm: &Vm, v: Value) -> R<Option<Value>> {
    let Some(b) = v.cast::<Ext<Bomb>>() else { return Ok(None) };
    make_exception(vm, b.ty.or_none(), b.value.or_none(), b.traceback.or_none()).map(Some)
}

/// The exception that `throw(exc, val, tb)` stands for; one that arises in making it takes its place.
pub fn make_exception(vm: &Vm, exc: Value, val: Value, tb: Value) -> R<Value> {
    if !tb.is_none() && tb.cast::<Traceback>().is_none() {
        return Err(vm.type_error("third argument must be a traceback object"));
    }
    let e = if exc.cast::<Exception>().is_some() {
        if !val.is_none() {
            return Err(vm.type_error("instance exception may not have a separate value"));
        }
        exc
    } else if let Some(class) = exception_class(vm, exc) {
        let made = match val.cast::<Tuple>() {
            Some(args) => vm.call(exc, args.items()),
            None if val.is_none() => vm.call(exc, &[]),
            None if vm.type_of(val).is_subtype(class) => Ok(val),
            None => vm.call(exc, &[val]),
        };
        made.unwrap_or_else(|Raised| vm.pending.take().unwrap_or(Value::NONE))
    } else {
        return Err(
            vm.type_error(format!("exceptions must be classes, or instances, not {}", vm.type_name(exc)))
        );
    };
    if let (Some(x), false) = (e.cast::<Exception>(), tb.is_none()) {
        x.traceback.set(vm, x, tb);
    }
    Ok(e)
}

fn exception_class(vm: &Vm, v: Value) -> Option<Ref<Type>> {
    v.cast::<Type>().filter(|t| t.is_subtype(vm.exc.base_exception))
}

/// The exception of `raise_exception(class, *args)` and its like, which take classes only.
pub fn exception_of_class(vm: &Vm, class: Value, args: &[Value], method: &str) -> R<Value> {
    if exception_class(vm, class).is_none() {
        if class.cast::<Type>().is_none() {
            return Err(vm.type_error("issubclass() arg 1 must be a class"));
        }
        return Err(vm.type_error(format!("{method} needs Exception or string subclass as first parameter")));
    }
    Ok(vm.call(class, args).unwrap_or_else(|Raised| vm.pending.take().unwrap_or(Value::NONE)))
}
