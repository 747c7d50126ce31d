//! What Python code sees of `getset_descriptor`, `member_descriptor`, `staticmethod`, `classmethod`.

mod property;
mod super_;

pub use property::PROPERTY;
pub use super_::SUPER;

use super::function::type_argument;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::descriptor::{GetSet, Member, Wrapper};
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub GETSET: "getset_descriptor", Kind::GetSet, type_flags::NO_NEW;
    methods {
        "__get__($self, instance, owner=None, /)" => |vm: &Vm, g: Ref<GetSet>, obj: Value, _: Option<Value>| {
            if obj.is_none() {
                return Ok(g.value());
            }
            g.get(vm, obj)
        }, "Return an attribute of instance, which is of type owner.";
        "__set__($self, instance, value, /)" => |vm: &Vm, g: Ref<GetSet>, obj: Value, v: Value| g.set(vm, obj, Some(v)),
            "Set an attribute of instance to value.";
        "__delete__($self, instance, /)" => |vm: &Vm, g: Ref<GetSet>, obj: Value| g.set(vm, obj, None),
            "Delete an attribute of instance.";
        "__repr__($self, /)" => |_: &Vm, g: Ref<GetSet>| format!("<attribute '{}' of '{}' objects>", g.def().name(), owner_name(g.owner.cast()));
    }
    getset {
        "__name__" => |vm: &Vm, v: Ref<GetSet>| vm.str(v.def().name());
        "__qualname__" => |vm: &Vm, v: Ref<GetSet>| vm.str(&format!("{}.{}", qualifier(v.owner.cast()), v.def().name()));
        "__doc__" => |vm: &Vm, v: Ref<GetSet>| match v.def().doc {
            Some(d) => vm.str(d),
            None => Ok(Value::NONE),
        };
        "__objclass__" => |_: &Vm, v: Ref<GetSet>| Ok(v.owner.or_none());
    }
}

native_type! {
    pub MEMBER: "member_descriptor", Kind::Member, type_flags::NO_NEW;
    methods {
        "__get__($self, instance, owner=None, /)" => |vm: &Vm, m: Ref<Member>, obj: Value, _: Option<Value>| {
            if obj.is_none() { Ok(m.value()) } else { vm.bind(m.value(), obj, vm.type_of(obj)) }
        }, "Return an attribute of instance, which is of type owner.";
        "__set__($self, instance, value, /)" => |vm: &Vm, m: Ref<Member>, obj: Value, v: Value| vm.set_slot(m, obj, Some(v)),
            "Set an attribute of instance to value.";
        "__delete__($self, instance, /)" => |vm: &Vm, m: Ref<Member>, obj: Value| vm.set_slot(m, obj, None),
            "Delete an attribute of instance.";
        "__repr__($self, /)" => |vm: &Vm, m: Ref<Member>| -> R<String> {
            Ok(format!("<member '{}' of '{}' objects>", vm.str_string(m.name.value())?, owner_name(m.owner.cast())))
        };
    }
    getset {
        "__name__" => |_: &Vm, v: Ref<Member>| Ok(v.name.or_none());
        "__qualname__" => |vm: &Vm, v: Ref<Member>| {
            let name = vm.str_string(v.name.value())?;
            vm.str(&format!("{}.{name}", qualifier(v.owner.cast())))
        };
        "__doc__" => |_: &Vm, _: Value| Ok(Value::NONE);
        "__objclass__" => |_: &Vm, v: Ref<Member>| Ok(v.owner.or_none());
    }
}

native_type! {
    pub STATICMETHOD: "staticmethod", Kind::Wrapper, type_flags::BASETYPE,
        "Convert a function to be a static method.\n\nA static method does not receive an implicit first argument.\nTo declare a static method, use this idiom:\n\n     class C:\n         @staticmethod\n         def f(arg1, arg2, argN):\n             ...\n\nIt can be called either on the class (e.g. C.f()) or on an instance\n(e.g. C().f()). Both the class and the instance are ignored, and\nneither is passed implicitly as the first argument to the method.\n\nStatic methods in Python are similar to those found in Java or C++.\nFor a more advanced concept, see the classmethod builtin.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new_wrapper;
        "__init__($self, function, /)" => init_wrapper;
        "__get__($self, instance, owner=None, /)" => |_: &Vm, w: Ref<Wrapper>, _: Value, _: Option<Value>| w.function.or_none();
        "__call__($self, /, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| match args.positional().first().and_then(|w| w.cast::<Wrapper>()) {
            Some(w) => vm.call_args(w.function.or_none(), args.rest()),
            None => Err(vm.type_error("descriptor '__call__' requires a 'staticmethod' object")),
        };
        "__repr__($self, /)" => |vm: &Vm, w: Ref<Wrapper>| -> R<String> {
            Ok(format!("<staticmethod({})>", vm.repr_string(w.function.or_none())?))
        };
        [class] "__class_getitem__($cls, object, /)" => |vm: &Vm, cls: Value, item: Value| vm.generic_alias(cls, item), "See PEP 585";
    }
    getset {
        "__func__" => |_: &Vm, v: Ref<Wrapper>| Ok(v.function.or_none());
        "__wrapped__" => |_: &Vm, v: Ref<Wrapper>| Ok(v.function.or_none());
        "__isabstractmethod__" => |vm: &Vm, v: Ref<Wrapper>| Ok(Value::bool(is_abstract(vm, v.function.get())?));
        "__dict__" => super::get_dict, super::set_dict;
        "__annotations__" => |vm: &Vm, w: Ref<Wrapper>| wrapped(vm, w, "__annotations__"), |vm: &Vm, w: Ref<Wrapper>, v: Option<Value>| set_wrapped(vm, w, "__annotations__", v);
        "__annotate__" => |vm: &Vm, w: Ref<Wrapper>| wrapped(vm, w, "__annotate__"), |vm: &Vm, w: Ref<Wrapper>, v: Option<Value>| set_wrapped(vm, w, "__annotate__", v);
    }
}

native_type! {
    pub CLASSMETHOD: "classmethod", Kind::Wrapper, type_flags::BASETYPE,
        "Convert a function to be a class method.\n\nA class method receives the class as implicit first argument,\njust like an instance method receives the instance.\nTo declare a class method, use this idiom:\n\n  class C:\n      @classmethod\n      def f(cls, arg1, arg2, argN):\n          ...\n\nIt can be called either on the class (e.g. C.f()) or on an instance\n(e.g. C().f()).  The instance is ignored except for its class.\nIf a class method is called for a derived class, the derived class\nobject is passed as the implied first argument.\n\nClass methods are different than C++ or Java static methods.\nIf you want those, see the staticmethod builtin.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new_wrapper;
        "__init__($self, function, /)" => init_wrapper;
        "__get__($self, instance, owner=None, /)" => |vm: &Vm, w: Ref<Wrapper>, obj: Value, owner: Option<Value>| {
            let class = owner.filter(|o| !o.is_none()).unwrap_or_else(|| vm.type_of(obj).value());
            vm.bind_to_class(w.function.or_none(), class)
        };
        "__repr__($self, /)" => |vm: &Vm, w: Ref<Wrapper>| -> R<String> {
            Ok(format!("<classmethod({})>", vm.repr_string(w.function.or_none())?))
        };
        [class] "__class_getitem__($cls, object, /)" => |vm: &Vm, cls: Value, item: Value| vm.generic_alias(cls, item), "See PEP 585";
    }
    getset {
        "__func__" => |_: &Vm, v: Ref<Wrapper>| Ok(v.function.or_none());
        "__wrapped__" => |_: &Vm, v: Ref<Wrapper>| Ok(v.function.or_none());
        "__isabstractmethod__" => |vm: &Vm, v: Ref<Wrapper>| Ok(Value::bool(is_abstract(vm, v.function.get())?));
        "__dict__" => super::get_dict, super::set_dict;
        "__annotations__" => |vm: &Vm, w: Ref<Wrapper>| wrapped(vm, w, "__annotations__"), |vm: &Vm, w: Ref<Wrapper>, v: Option<Value>| set_wrapped(vm, w, "__annotations__", v);
        "__annotate__" => |vm: &Vm, w: Ref<Wrapper>| wrapped(vm, w, "__annotate__"), |vm: &Vm, w: Ref<Wrapper>, v: Option<Value>| set_wrapped(vm, w, "__annotate__", v);
    }
}

native_type! {
    pub CLASSMETHOD_DESCRIPTOR: "classmethod_descriptor", Kind::Wrapper, type_flags::NO_NEW;
    methods {
        "__get__($self, instance, owner=None, /)" => |vm: &Vm, w: Ref<Wrapper>, obj: Value, owner: Option<Value>| {
            let class = owner.filter(|o| !o.is_none()).unwrap_or_else(|| vm.type_of(obj).value());
            bind_native(vm, w, class)
        };
        "__call__($self, /, *args, **kwargs)" => call_native_of_class;
        "__repr__($self, /)" => |vm: &Vm, w: Ref<Wrapper>| -> R<String> {
            let owner = native_owner(w).map(|t| t.name_string()).unwrap_or_default();
            let name = vm.str_string(vm.get_attr(w.function.or_none(), vm.names.__name__)?)?;
            Ok(format!("<method '{name}' of '{owner}' objects>"))
        };
    }
    getset {
        "__name__" => |vm: &Vm, w: Ref<Wrapper>| vm.get_attr(w.function.or_none(), vm.names.__name__);
        "__qualname__" => |vm: &Vm, w: Ref<Wrapper>| vm.get_attr(w.function.or_none(), vm.names.__qualname__);
        "__doc__" => |vm: &Vm, w: Ref<Wrapper>| vm.get_attr(w.function.or_none(), vm.names.__doc__);
        "__text_signature__" => |vm: &Vm, w: Ref<Wrapper>| vm.get_attr_str(w.function.or_none(), "__text_signature__");
        "__objclass__" => |_: &Vm, w: Ref<Wrapper>| Ok(native_owner(w).map_or(Value::NONE, Value::from));
    }
}

/// The type that a native class method is of.
fn native_owner(w: Ref<Wrapper>) -> Option<Ref<Type>> {
    w.function.cast::<NativeFunction>()?.owner.cast()
}

/// The method for a class. TypeError: it is none of that type's.
fn bind_native(vm: &Vm, w: Ref<Wrapper>, class: Value) -> R<Value> {
    let name = || vm.get_attr(w.function.or_none(), vm.names.__name__).and_then(|n| vm.str_string(n));
    let owner = native_owner(w).map(|t| t.message_name()).unwrap_or_default();
    let Some(class) = class.cast::<Type>() else {
        let got = vm.type_name(class);
        return Err(vm.type_error(format!(
            "descriptor '{}' for type '{owner}' needs a type, not a '{got}' as arg 2",
            name()?
        )));
    };
    if native_owner(w).is_some_and(|t| !class.is_subtype(t)) {
        let got = class.message_name();
        return Err(vm.type_error(format!(
            "descriptor '{}' requires a subtype of '{owner}' but received '{got}'",
            name()?
        )));
    }
    vm.bind_to_class(w.function.or_none(), class.value())
}

fn call_native_of_class(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(w) = args.positional().first().and_then(|w| w.cast::<Wrapper>()) else {
        return Err(vm.type_error("descriptor '__call__' requires a 'classmethod_descriptor' object"));
    };
    let Some(&class) = args.positional().get(1) else {
        let name = vm.str_string(vm.get_attr(w.function.or_none(), vm.names.__name__)?)?;
        let owner = native_owner(w).map(|t| t.message_name()).unwrap_or_default();
        return Err(vm.type_error(format!("descriptor '{name}' of '{owner}' object needs an argument")));
    };
    let bound = bind_native(vm, w, class)?;
    vm.call_args(bound, args.rest().rest())
}

/// An attribute of the function, kept as the wrapper's own once it has been asked for.
fn wrapped(vm: &Vm, w: Ref<Wrapper>, name: &str) -> R<Value> {
    let Some(own) = vm.instance_dict(w.value())? else { return vm.get_attr_str(w.function.or_none(), name) };
    if let Some(v) = own.get_name(vm, name)? {
        return Ok(v);
    }
    let v = vm.get_attr_str(w.function.or_none(), name)?;
    own.set_name(vm, name, v)?;
    Ok(v)
}

fn set_wrapped(vm: &Vm, w: Ref<Wrapper>, name: &str, v: Option<Value>) -> R<()> {
    let Some(own) = vm.instance_dict(w.value())? else { return Ok(()) };
    let name = vm.intern(name)?;
    match v {
        Some(v) => own.set_str(vm, name, v),
        None if own.delete_str(vm, name)? => Ok(()),
        None => Err(vm.no_attribute(w.value(), name)),
    }
}

fn owner_name(owner: Option<Ref<Type>>) -> String {
    owner.map(|t| t.message_name()).unwrap_or_default()
}

/// What stands before the name in `__qualname__`.
fn qualifier(owner: Option<Ref<Type>>) -> String {
    owner.map(|t| t.name_string()).unwrap_or_default()
}

/// Has the function a true `__isabstractmethod__`?
fn is_abstract(vm: &Vm, f: Option<Value>) -> R<bool> {
    let Some(f) = f.filter(|f| !f.is_none()) else { return Ok(false) };
    match vm.find_attr(f, vm.names.__isabstractmethod__)? {
        Some(v) => vm.truth(v),
        None => Ok(false),
    }
}

fn new_wrapper(vm: &Vm, args: Args<'_>) -> R<Value> {
    let first = args.positional().first().copied().unwrap_or(Value::NONE);
    let ty = type_argument(vm, first, "staticmethod")?;
    let w = vm.alloc_instance::<Wrapper>(ty)?;
    w.function.init(Value::NONE);
    Ok(w.value())
}

fn init_wrapper(vm: &Vm, w: Ref<Wrapper>, f: Value) -> R<()> {
    w.function.set(vm, w, f);
    let names = [vm.names.__module__, vm.names.__name__, vm.names.__qualname__, vm.names.__doc__];
    for name in names {
        if let Some(v) = vm.find_attr(f, name)?
            && let Some(d) = vm.instance_dict(w.value())?
        {
            d.set_str(vm, name, v)?;
        }
    }
    Ok(())
}
