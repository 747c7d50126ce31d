//! What Python code sees of `super`.

use crate::types::function::type_argument;
use skein_bytecode::LocalKind;
use skein_runtime::interp::{Walk, frame_code};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::cell::CellObject;
use skein_runtime::types::descriptor::Super;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub SUPER: "super", Kind::Super, type_flags::BASETYPE,
        "super() -> same as super(__class__, <first argument>)\nsuper(type) -> unbound super object\nsuper(type, obj) -> bound super object; requires isinstance(obj, type)\nsuper(type, type2) -> bound super object; requires issubclass(type2, type)\nTypical use to call a cooperative superclass method:\nclass C(B):\n    def meth(self, arg):\n        super().meth(arg)\nThis works for class methods too:\nclass C(B):\n    @classmethod\n    def cmeth(cls, arg):\n        super().cmeth(arg)\n";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, *args, **kwargs)" => init;
        "__getattribute__($self, name, /)" => getattribute;
        "__get__($self, instance, owner=None, /)" => get;
        "__repr__($self, /)" => repr;
    }
    getset {
        "__thisclass__" => |_: &Vm, v: Ref<Super>| Ok(v.this_class.or_none());
        "__self__" => |_: &Vm, v: Ref<Super>| Ok(v.receiver.or_none());
        "__self_class__" => |_: &Vm, v: Ref<Super>| Ok(v.receiver_type.or_none());
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let first = args.positional().first().copied().unwrap_or(Value::NONE);
    Ok(vm.alloc_instance::<Super>(type_argument(vm, first, "super")?)?.value())
}

/// Class and receiver of `super()` without arguments, from the calling frame.
fn from_caller(vm: &Vm) -> R<(Value, Value)> {
    let Some(frame) = Walk::running(vm).next() else {
        return Err(vm.runtime_error("super(): no current frame"));
    };
    let code = frame_code(frame.base);
    let portable = code.portable();
    if portable.arg_count == 0 && portable.flags & skein_bytecode::flags::VARARGS == 0 {
        return Err(vm.runtime_error("super(): no arguments"));
    }
    let register = |i: usize| {
        // SAFETY: a frame has registers for all locals.
        vm.value_of_register(unsafe { *frame.base.add(i).cast::<u64>() }).filter(|v| !v.is_unbound())
    };
    let contents = |v: Value| match v.cast::<CellObject>() {
        Some(c) => Some(c.get()).filter(|v| !v.is_unbound()),
        None => Some(v),
    };
    let first =
        if portable.locals[0].kind == LocalKind::Cell { register(0).and_then(contents) } else { register(0) };
    let Some(receiver) = first else { return Err(vm.runtime_error("super(): arg[0] deleted")) };
    let place = portable.locals.iter().position(|l| l.kind == LocalKind::Free && &*l.name == "__class__");
    let Some(place) = place else { return Err(vm.runtime_error("super(): __class__ cell not found")) };
    match register(place).and_then(contents) {
        Some(c) if c.cast::<Type>().is_some() => Ok((c, receiver)),
        Some(c) => Err(vm.runtime_error(format!("super(): __class__ is not a type ({})", vm.type_name(c)))),
        None => Err(vm.runtime_error("super(): empty __class__ cell")),
    }
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let Some(s) = args.positional().first().and_then(|s| s.cast::<Super>()) else {
        return Err(vm.type_error("descriptor '__init__' requires a 'super' object"));
    };
    if args.has_keywords() {
        return Err(vm.type_error("super() takes no keyword arguments"));
    }
    let (class, receiver) = match args.positional()[1..] {
        [] => {
            let (c, r) = from_caller(vm)?;
            (c, Some(r))
        }
        [c] => (c, None),
        [c, r] => (c, (!r.is_none()).then_some(r)),
        ref more => {
            return Err(vm.type_error(format!("super() expected at most 2 arguments, got {}", more.len())));
        }
    };
    match receiver {
        Some(r) => {
            let made = vm.new_super(class, r)?;
            s.this_class.set(vm, s, made.this_class.get());
            s.receiver.set(vm, s, made.receiver.get());
            s.receiver_type.set(vm, s, made.receiver_type.get());
        }
        None if class.cast::<Type>().is_none() => {
            return Err(
                vm.type_error(format!("super() argument 1 must be a type, not {}", vm.type_name(class)))
            );
        }
        None => s.this_class.set(vm, s, class),
    }
    Ok(())
}

fn getattribute(vm: &Vm, s: Ref<Super>, name: Value) -> R<Value> {
    let name = crate::types::attribute_name(vm, name)?;
    if let Some(v) = vm.super_get_attr(s, name)? {
        return Ok(v);
    }
    match vm.generic_get_attr(s.value(), name)? {
        Some(v) => Ok(v),
        None => Err(vm.no_attribute(s.value(), name)),
    }
}

fn get(vm: &Vm, s: Ref<Super>, obj: Value, _owner: Option<Value>) -> R<Value> {
    if obj.is_none() || s.receiver.get().is_some() {
        return Ok(s.value());
    }
    let ty = vm.type_of(s.value());
    if ty != vm.types.super_ {
        return vm.call(ty.value(), &[s.this_class.or_none(), obj]);
    }
    Ok(vm.new_super(s.this_class.or_none(), obj)?.value())
}

fn repr(_: &Vm, s: Ref<Super>) -> String {
    let name = |v: Option<Ref<Type>>| v.map_or("NULL".into(), |t| t.name_string());
    match s.receiver_type.cast::<Type>() {
        Some(t) => format!("<super: <class '{}'>, <{} object>>", name(s.this_class.cast()), t.name_string()),
        None => format!("<super: <class '{}'>, NULL>", name(s.this_class.cast())),
    }
}
