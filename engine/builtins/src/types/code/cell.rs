//! What Python code sees of `cell`.

use skein_bytecode::Special;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::cell::CellObject;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub CELL: "cell", Kind::Cell, 0, "Create a new cell object.\n\n  contents\n    the contents of the cell. If not specified, the cell will be empty,\n    and\n further attempts to access its cell_contents attribute will\n    raise a ValueError.";
    methods {
        [static] "__new__($type, contents=None, /)" => |vm: &Vm, _: Value, v: Option<Value>| CellObject::new(vm, v.unwrap_or(Value::UNBOUND));
        "__repr__($self, /)" => repr;
        "__eq__($self, value, /)" => |vm: &Vm, a: Ref<CellObject>, b: Value| compare(vm, a, b, Special::Eq);
        "__ne__($self, value, /)" => |vm: &Vm, a: Ref<CellObject>, b: Value| compare(vm, a, b, Special::Ne);
        "__lt__($self, value, /)" => |vm: &Vm, a: Ref<CellObject>, b: Value| compare(vm, a, b, Special::Lt);
        "__le__($self, value, /)" => |vm: &Vm, a: Ref<CellObject>, b: Value| compare(vm, a, b, Special::Le);
        "__gt__($self, value, /)" => |vm: &Vm, a: Ref<CellObject>, b: Value| compare(vm, a, b, Special::Gt);
        "__ge__($self, value, /)" => |vm: &Vm, a: Ref<CellObject>, b: Value| compare(vm, a, b, Special::Ge);
    }
    getset {
        "cell_contents" => get, set;
    }
}

fn get(vm: &Vm, v: Value) -> R<Value> {
    match v.cast::<CellObject>().map(|c| c.get()).filter(|v| !v.is_unbound()) {
        Some(v) => Ok(v),
        None => Err(vm.value_error("cell is empty")),
    }
}

fn set(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    if let Some(c) = v.cast::<CellObject>() {
        c.set(vm, new.unwrap_or(Value::UNBOUND));
    }
    Ok(())
}

fn repr(vm: &Vm, c: Ref<CellObject>) -> String {
    let at = c.value().bits();
    match c.get() {
        v if v.is_unbound() => format!("<cell at {at:#x}: empty>"),
        v => format!("<cell at {at:#x}: {} object at {:#x}>", vm.type_name(v), v.bits()),
    }
}

/// Compares the contents; empty cells come first.
fn compare(vm: &Vm, a: Ref<CellObject>, b: Value, op: Special) -> R<Value> {
    let Some(b) = b.cast::<CellObject>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let (x, y) = (a.get(), b.get());
    if !x.is_unbound() && !y.is_unbound() {
        return vm.rich_compare(op, x, y);
    }
    let (l, r) = (!x.is_unbound(), !y.is_unbound());
    Ok(Value::bool(match op {
        Special::Eq => l == r,
        Special::Ne => l != r,
        Special::Lt => !l & r,
        Special::Le => l <= r,
        Special::Gt => l & !r,
        _ => l >= r,
    }))
}
