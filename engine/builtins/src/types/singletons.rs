//! What Python code sees of `NoneType`, `NotImplementedType`, `ellipsis`.

use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::Kind;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub NONE_TYPE: "NoneType", Kind::Ext, 0, "The type of the None singleton.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| only(vm, "NoneType", args, Value::NONE);
        "__repr__($self, /)" => |_: &Vm, _: Value| "None";
        "__bool__($self, /)" => |_: &Vm, _: Value| false;
        "__hash__($self, /)" => |_: &Vm, _: Value| 0xfca8_6420_i64;
    }
}

native_type! {
    pub NOT_IMPLEMENTED_TYPE: "NotImplementedType", Kind::Ext, 0, "The type of the NotImplemented singleton.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| only(vm, "NotImplementedType", args, Value::NOT_IMPLEMENTED);
        "__repr__($self, /)" => |_: &Vm, _: Value| "NotImplemented";
        "__reduce__($self, /)" => |_: &Vm, _: Value| "NotImplemented";
        "__bool__($self, /)" => no_truth;
    }
}

native_type! {
    pub ELLIPSIS_TYPE: "ellipsis", Kind::Ext, 0, "The type of the Ellipsis singleton.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| only(vm, "EllipsisType", args, Value::ELLIPSIS);
        "__repr__($self, /)" => |_: &Vm, _: Value| "Ellipsis";
        "__reduce__($self, /)" => |_: &Vm, _: Value| "Ellipsis";
    }
}

/// The constructor of a type with one instance.
fn only(vm: &Vm, name: &str, args: Args<'_>, v: Value) -> R<Value> {
    if args.positional().len() > 1 || args.has_keywords() {
        return Err(vm.type_error(format!("{name} takes no arguments")));
    }
    Ok(v)
}

fn no_truth(vm: &Vm, _: Value) -> R<Value> {
    Err::<Value, Raised>(vm.type_error("NotImplemented should not be used in a boolean context"))
}
