//! What Python code sees of the exceptions with a few attributes of their own: KeyError,
//! StopIteration, SystemExit, ImportError, AttributeError, NameError.

use super::base::{filled_dict, reduced, set_arguments, str as base_str};
use super::{get_field, keywords, receiver, set_field};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

const FLAGS: u32 = type_flags::BASETYPE | type_flags::HAS_DICT;

native_type! {
    pub KEY_ERROR: "KeyError", Kind::Exception, FLAGS;
    methods {
        "__str__($self, /)" => |vm: &Vm, e: Ref<Exception>| match e.args.cast::<Tuple>() {
            // The repr, so that KeyError('') does not show as nothing.
            Some(t) if t.len() == 1 => Ok(vm.repr(t.items()[0])?.value()),
            _ => base_str(vm, e),
        };
    }
}

native_type! {
    pub STOP_ITERATION: "StopIteration", Kind::Exception, FLAGS;
    methods {
        "__init__($self, /, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| {
            let e = receiver(vm, args, "__init__")?;
            keywords(vm, args, [], &vm.type_name(e.value()))?;
            set_arguments(vm, e, &args.positional()[1..])?;
            e.set_field(vm, 0, args.positional().get(1).copied().unwrap_or(Value::NONE))
        };
    }
    getset {
        "value" => |vm: &Vm, v: Value| Ok(vm.stop_value(v)), set_field::<0>;
    }
}

native_type! {
    pub SYSTEM_EXIT: "SystemExit", Kind::Exception, FLAGS;
    methods {
        "__init__($self, /, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| {
            let e = receiver(vm, args, "__init__")?;
            keywords(vm, args, [], &vm.type_name(e.value()))?;
            set_arguments(vm, e, &args.positional()[1..])?;
            let code = exit_code(e);
            e.set_field(vm, 0, code)
        };
    }
    getset {
        "code" => |_: &Vm, v: Value| Ok(v.cast::<Exception>().map_or(Value::NONE, |e| e.field(0).unwrap_or_else(|| exit_code(e)))), set_field::<0>;
    }
}

fn exit_code(e: Ref<Exception>) -> Value {
    match e.args.cast::<Tuple>().as_ref().map_or(&[][..], |t| t.items()) {
        [] => Value::NONE,
        [one] => *one,
        _ => e.args.or_none(),
    }
}

/// Fields: name, path, name_from, msg.
const MSG: usize = 3;

native_type! {
    pub IMPORT_ERROR: "ImportError", Kind::Exception, FLAGS;
    methods {
        "__init__($self, /, *args, **kwargs)" => import_init;
        "__str__($self, /)" => |vm: &Vm, e: Ref<Exception>| match import_message(e).cast::<Str>() {
            Some(s) if vm.is_exact_str(s.value()) => Ok(s.value()),
            _ => base_str(vm, e),
        };
        "__reduce__($self, /)" => import_reduce;
    }
    getset {
        "msg" => |_: &Vm, v: Value| Ok(v.cast::<Exception>().map_or(Value::NONE, import_message)), set_field::<MSG>;
        "name" => get_field::<0>, set_field::<0>;
        "path" => get_field::<1>, set_field::<1>;
        "name_from" => get_field::<2>, set_field::<2>;
    }
}

fn import_message(e: Ref<Exception>) -> Value {
    let one = e.args.cast::<Tuple>().is_some_and(|t| t.len() == 1);
    e.field(MSG).or_else(|| e.arg(0).filter(|_| one)).unwrap_or(Value::NONE)
}

fn import_init(vm: &Vm, args: Args<'_>) -> R<()> {
    let e = receiver(vm, args, "__init__")?;
    let own = keywords(vm, args, ["name", "path", "name_from"], "ImportError")?;
    let positional = &args.positional()[1..];
    set_arguments(vm, e, positional)?;
    for (i, v) in own.into_iter().enumerate() {
        e.set_field(vm, i, v)?;
    }
    e.set_field(vm, MSG, if positional.len() == 1 { Some(positional[0]) } else { None })
}

fn import_reduce(vm: &Vm, e: Ref<Exception>) -> R<Value> {
    let state = match filled_dict(vm, e)? {
        Some(d) => d.copy(vm)?,
        None => Dict::new(vm)?,
    };
    for (i, name) in ["name", "path", "name_from"].into_iter().enumerate() {
        if let Some(v) = e.field(i).filter(|v| !v.is_none()) {
            state.set_name(vm, name, v)?;
        }
    }
    reduced(vm, e, e.args.or_none(), (!state.is_empty()).then_some(state))
}

native_type! {
    pub ATTRIBUTE_ERROR: "AttributeError", Kind::Exception, FLAGS;
    methods {
        "__init__($self, /, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| {
            let e = receiver(vm, args, "__init__")?;
            let [name, obj] = keywords(vm, args, ["name", "obj"], "AttributeError")?;
            set_arguments(vm, e, &args.positional()[1..])?;
            e.set_field(vm, 0, name)?;
            e.set_field(vm, 1, obj)
        };
        // The object is left out: it may be anything.
        "__getstate__($self, /)" => |vm: &Vm, e: Ref<Exception>| {
            let state = match filled_dict(vm, e)? {
                Some(d) => d.copy(vm)?,
                None => Dict::new(vm)?,
            };
            if let Some(name) = e.field(0).filter(|v| !v.is_none()) {
                state.set_name(vm, "name", name)?;
            }
            let args = e.args.or_none();
            state.set_name(vm, "args", args)?;
            Ok(state.value())
        };
        "__reduce__($self, /)" => |vm: &Vm, e: Ref<Exception>| {
            let state = vm.call_method(e.value(), "__getstate__", &[])?;
            reduced(vm, e, e.args.or_none(), state.cast::<Dict>())
        };
    }
    getset {
        "name" => get_field::<0>, set_field::<0>;
        "obj" => get_field::<1>, set_field::<1>;
    }
}

native_type! {
    pub NAME_ERROR: "NameError", Kind::Exception, FLAGS;
    methods {
        "__init__($self, /, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| {
            let e = receiver(vm, args, "__init__")?;
            let [name] = keywords(vm, args, ["name"], "NameError")?;
            set_arguments(vm, e, &args.positional()[1..])?;
            e.set_field(vm, 0, name)
        };
    }
    getset {
        "name" => get_field::<0>, set_field::<0>;
    }
}
