//! `defaultdict`: a dict that makes missing values. The factory lies in the dict's extra slot.

use crate::types::dict_update_from_args;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub DEF: "collections.defaultdict", Kind::Dict, type_flags::BASETYPE, base |vm| vm.types.dict, "defaultdict(default_factory=None, /, [...]) --> dict with default factory\n\nThe default factory is called without arguments to produce\na new value when a key is not present, in __getitem__ only.\nA defaultdict compares equal to a dict with the same items.\nAll remaining arguments are treated the same as if they were\npassed to the dict constructor, including keyword arguments.";
    methods {
        "__init__($self, /, *args, **kwargs)" => init;
        "__missing__($self, key, /)" => missing, "Called by __getitem__ for missing key; pseudo-code:\n  if self.default_factory is None: raise KeyError((key,))\n  self[key] = value = self.default_factory()\n  return value";
        "copy($self, /)" => copy, "D.copy() -> a shallow copy of D.";
        "__copy__($self, /)" => copy;
        "__repr__($self, /)" => repr;
        "__or__($self, value, /)" => |vm: &Vm, a: Value, b: Value| or(vm, a, b, a);
        "__ror__($self, value, /)" => |vm: &Vm, a: Value, b: Value| or(vm, b, a, a);
        "__reduce__($self, /)" => reduce;
    }
    getset { "default_factory" => |_: &Vm, v: Value| Ok(factory(v).unwrap_or(Value::NONE)), set_factory; }
}

fn factory(v: Value) -> Option<Value> {
    v.cast::<Dict>().and_then(|d| d.extra.get()).filter(|f| !f.is_none())
}

fn set_factory(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    if let Some(d) = v.cast::<Dict>() {
        d.extra.set(vm, d, new.unwrap_or(Value::NONE));
    }
    Ok(())
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let all = args.positional();
    let Some(d) = all.first().and_then(|d| d.cast::<Dict>()) else {
        return Err(vm.type_error("descriptor '__init__' requires a 'collections.defaultdict' object"));
    };
    let f = all.get(1).copied().unwrap_or(Value::NONE);
    if !f.is_none() && !vm.is_callable(f) {
        return Err(vm.type_error("first argument must be callable or None"));
    }
    d.extra.set(vm, d, f);
    if all.len() < 2 {
        return dict_update_from_args(vm, "defaultdict", args);
    }
    // What is left of the arguments when the factory is taken out.
    let rest = skein_runtime::types::list::List::new(vm, &[d.value()])?;
    let (values, names) = args.parts();
    rest.extend(vm, &values[2..])?;
    dict_update_from_args(vm, "defaultdict", Args::new(rest.items(), names))
}

fn missing(vm: &Vm, d: Ref<Dict>, key: Value) -> R<Value> {
    let Some(f) = factory(d.value()) else { return Err(vm.key_error(key)) };
    let v = vm.call(f, &[])?;
    // As `self[key] = v`, which a subclass may define.
    if vm.type_of(d.value()) == ext_type(vm, &DEF)? {
        // The factory may have set it.
        return d.get_or_set(vm, key, v);
    } else {
        vm.set_item(d.value(), key, v)?;
    }
    Ok(v)
}

fn copy(vm: &Vm, d: Value) -> R<Value> {
    let f = factory(d).unwrap_or(Value::NONE);
    vm.call(vm.type_of(d).value(), &[f, d])
}

fn repr(vm: &Vm, d: Ref<Dict>) -> R<String> {
    let f = match factory(d.value()) {
        None => "None".to_string(),
        Some(f) => vm.repr_guard(f, || vm.repr_string(f))?.unwrap_or_else(|| "...".into()),
    };
    let plain = vm.types.dict.special(vm, skein_bytecode::Special::Repr).unwrap_or(Value::NONE);
    let items = vm.special_1(plain, d.value())?;
    Ok(format!("{}({f}, {})", vm.type_of(d.value()).name_string(), vm.str_string(items)?))
}

fn or(vm: &Vm, left: Value, right: Value, own: Value) -> R<Value> {
    if left.cast::<Dict>().is_none() || right.cast::<Dict>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let f = factory(own).unwrap_or(Value::NONE);
    let new = vm.call(vm.type_of(own).value(), &[f, left])?;
    vm.call_method(new, "update", &[right])?;
    Ok(new)
}

fn reduce(vm: &Vm, d: Value) -> R<Value> {
    let args = match factory(d) {
        Some(f) => vm.tuple(&[f])?,
        None => vm.tuple(&[])?,
    };
    let items = vm.iter(vm.call_method(d, "items", &[])?)?;
    vm.tuple(&[vm.type_of(d).value(), args, Value::NONE, Value::NONE, items])
}
