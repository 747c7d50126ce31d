//! `cmp_to_key`: keys that compare by a function of two.

use skein_bytecode::Special;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Tracer};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// The function, and the object that the key stands for; none in what `cmp_to_key` itself returns.
struct Key {
    cmp: Field,
    object: Field,
}

impl Payload for Key {
    const NAME: &'static str = "functools.KeyWrapper";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Key { cmp, object } = self;
        cmp.trace(t);
        object.trace(t);
    }
}

native_type! {
    KEY: "functools.KeyWrapper", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__call__($self, /, obj)" => call;
        "__eq__($self, value, /)" => |vm: &Vm, a: ExtArg<Key>, b: Value| compare(vm, Special::Eq, a, b);
        "__ne__($self, value, /)" => |vm: &Vm, a: ExtArg<Key>, b: Value| compare(vm, Special::Ne, a, b);
        "__lt__($self, value, /)" => |vm: &Vm, a: ExtArg<Key>, b: Value| compare(vm, Special::Lt, a, b);
        "__le__($self, value, /)" => |vm: &Vm, a: ExtArg<Key>, b: Value| compare(vm, Special::Le, a, b);
        "__gt__($self, value, /)" => |vm: &Vm, a: ExtArg<Key>, b: Value| compare(vm, Special::Gt, a, b);
        "__ge__($self, value, /)" => |vm: &Vm, a: ExtArg<Key>, b: Value| compare(vm, Special::Ge, a, b);
    }
    getset { "obj" => get_obj, set_obj; }
}

pub(super) fn cmp_to_key(vm: &Vm, cmp: Value) -> R<Value> {
    let ty = ext_type(vm, &KEY)?;
    Ok(Ext::new(vm, ty, Key { cmp: Field::new(Some(cmp)), object: Field::new(None) })?.value())
}

fn call(vm: &Vm, key: ExtArg<Key>, object: Value) -> R<Value> {
    let ty = ext_type(vm, &KEY)?;
    let payload = Key { cmp: Field::new(key.0.cmp.get()), object: Field::new(Some(object)) };
    Ok(Ext::new(vm, ty, payload)?.value())
}

fn compare(vm: &Vm, op: Special, a: ExtArg<Key>, b: Value) -> R<Value> {
    let Some(b) = b.cast::<Ext<Key>>() else {
        return Err(vm.type_error("other argument must be K instance"));
    };
    let (Some(x), Some(y)) = (a.0.object.get(), b.object.get()) else {
        return Err(vm.attribute_error("object"));
    };
    let r = vm.call(a.0.cmp.value(), &[x, y])?;
    vm.rich_compare(op, r, Value::small_int(0))
}

fn get_obj(vm: &Vm, v: Value) -> R<Value> {
    let object = v.cast::<Ext<Key>>().and_then(|k| k.object.get());
    object.ok_or_else(|| vm.attribute_error("object"))
}

fn set_obj(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    if let Some(k) = v.cast::<Ext<Key>>() {
        k.object.set(vm, k, new);
    }
    Ok(())
}
