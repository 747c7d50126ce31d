//! `OrderedDict`: dicts keep the order of insertion anyway; this adds what changes the order.

use super::ordered_views::{Part, iter, view};
use crate::types::dict_update_from_args;
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub DEF: "collections.OrderedDict", Kind::Dict, type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF, base |vm| vm.types.dict, "Dictionary that remembers insertion order";
    methods {
        "__init__($self, /, *args, **kwargs)" => update;
        "update($self, /, *args, **kwargs)" => update;
        "move_to_end($self, /, key, last=True)" => move_to_end, "Move an existing element to the end (or beginning if last is false).\n\nRaise KeyError if the element does not exist.";
        "popitem($self, /, last=True)" => popitem, "Remove and return a (key, value) pair from the dictionary.\n\nPairs are returned in LIFO order if last is true or FIFO order if false.";
        "pop($self, /, key, default=<unrepresentable>)" => |vm: &Vm, d: Ref<Dict>, key: Value, default: Option<Value>| of_dict(vm, d, "pop", key, default),
            "od.pop(key[,default]) -> v, remove specified key and return the corresponding value.\n\nIf the key is not found, return the default if given; otherwise,\nraise a KeyError.";
        "setdefault($self, /, key, default=None)" => |vm: &Vm, d: Ref<Dict>, key: Value, default: Option<Value>| of_dict(vm, d, "setdefault", key, default),
            "Insert key with a value of default if key is not in the dictionary.\n\nReturn the value for key if key is in the dictionary, else default.";
        [class] "fromkeys($type, /, iterable, value=None)" => |vm: &Vm, class: Value, keys: Value, v: Option<Value>| -> R<Value> {
            let made = vm.call(class, &[])?;
            let v = v.unwrap_or(Value::NONE);
            vm.for_each(keys, |k| vm.set_item(made, k, v))?;
            Ok(made)
        }, "Create a new ordered dictionary with keys from iterable and values set to value.";
        "__iter__($self, /)" => |vm: &Vm, d: Ref<Dict>| iter(vm, d, Part::Key, false);
        "__reversed__($self, /)" => |vm: &Vm, d: Ref<Dict>| iter(vm, d, Part::Key, true), "od.__reversed__() <==> reversed(od)";
        "keys($self, /)" => |vm: &Vm, d: Ref<Dict>| view(vm, d, Part::Key);
        "values($self, /)" => |vm: &Vm, d: Ref<Dict>| view(vm, d, Part::Value);
        "items($self, /)" => |vm: &Vm, d: Ref<Dict>| view(vm, d, Part::Item);
        "__sizeof__($self, /)" => |_: &Vm, d: Ref<Dict>| 112 + 48 * d.fill();
        "copy($self, /)" => copy, "od.copy() -> a shallow copy of od";
        "__eq__($self, value, /)" => eq;
        "__ne__($self, value, /)" => ne;
        "__or__($self, value, /)" => |vm: &Vm, a: Value, b: Value| or(vm, a, b, a);
        "__ror__($self, value, /)" => |vm: &Vm, a: Value, b: Value| or(vm, b, a, a);
        "__repr__($self, /)" => repr;
        "__reduce__($self, /)" => reduce;
    }
}

/// As `dict.update`, but a subclass's `__setitem__` is called.
fn update(vm: &Vm, args: Args<'_>) -> R<()> {
    let Some(&d) = args.positional().first() else {
        return Err(
            vm.type_error("descriptor 'update' of 'collections.OrderedDict' object needs an argument")
        );
    };
    let plain = vm.types.dict.special(vm, Special::SetItem);
    if vm.type_of(d).special(vm, Special::SetItem) == plain {
        return dict_update_from_args(vm, "update", args);
    }
    let all = Dict::new(vm)?;
    let (values, names) = args.parts();
    let row = skein_runtime::types::list::List::new(vm, values)?;
    row.store(vm, 0, all.value());
    dict_update_from_args(vm, "update", Args::new(row.items(), names))?;
    let mut i = 0;
    while i < all.fill() {
        if let Some((k, v)) = all.entry(i) {
            vm.set_item(d, k, v)?;
        }
        i += 1;
    }
    Ok(())
}

/// A method of dict whose arguments have names here.
fn of_dict(vm: &Vm, d: Ref<Dict>, name: &str, key: Value, default: Option<Value>) -> R<Value> {
    let method = vm.get_attr_str(vm.types.dict.value(), name)?;
    match default {
        Some(default) => vm.call(method, &[d.value(), key, default]),
        None => vm.call(method, &[d.value(), key]),
    }
}

fn move_to_end(vm: &Vm, d: Ref<Dict>, key: Value, last: Option<bool>) -> R<()> {
    let hash = vm.hash(key)?;
    let Some(v) = d.get_hashed(vm, key, hash)? else { return Err(vm.key_error(key)) };
    if last.unwrap_or(true) {
        return d.move_last(vm, key, hash, v);
    }
    let rest = d.copy(vm)?;
    rest.delete(vm, key)?;
    d.clear(vm);
    d.set_hashed(vm, key, hash, v)?;
    d.update(vm, rest)
}

fn popitem(vm: &Vm, d: Ref<Dict>, last: Option<bool>) -> R<Value> {
    let popped = if last.unwrap_or(true) { d.pop_last(vm) } else { d.pop_first(vm) };
    match popped {
        Some((k, v)) => vm.tuple(&[k, v]),
        None => {
            let text = vm.str("dictionary is empty")?;
            Err(vm.key_error(text))
        }
    }
}

/// What the order of the keys is recognized by, while Python code runs in between.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    len: usize,
    fill: usize,
    first: usize,
    /// Where the entries lie: they are moved together when there is no room behind the last.
    place: usize,
}

impl Snapshot {
    pub fn of(d: Ref<Dict>) -> Snapshot {
        let place = d.table.entries().map_or(0, |e| e.value().bits() as usize);
        Snapshot { len: d.len(), fill: d.fill(), first: d.table.first(), place }
    }

    /// RuntimeError: it is another order now.
    pub fn check(self, vm: &Vm, d: Ref<Dict>) -> R<()> {
        if Snapshot::of(d) == self {
            return Ok(());
        }
        Err(vm.runtime_error("OrderedDict mutated during iteration"))
    }
}

fn copy(vm: &Vm, d: Ref<Dict>) -> R<Value> {
    let ty = vm.type_of(d.value());
    let new = vm.call(ty.value(), &[])?;
    let plain = ty == ext_type(vm, &DEF)?;
    let begun = Snapshot::of(d);
    let mut i = 0;
    while i < d.fill() {
        if let Some((k, v)) = d.entry(i) {
            let v = if plain { v } else { vm.get_item(d.value(), k)? };
            vm.set_item(new, k, v)?;
            begun.check(vm, d)?;
        }
        i += 1;
    }
    Ok(new)
}

fn equal(vm: &Vm, a: Value, b: Value) -> R<Option<bool>> {
    let plain = vm.types.dict.special(vm, Special::Eq).unwrap_or(Value::NONE);
    let r = vm.special_2(plain, a, b)?;
    if r.is(Value::NOT_IMPLEMENTED) {
        return Ok(None);
    }
    if r.is(Value::FALSE) || !vm.type_of(b).is_subtype(ext_type(vm, &DEF)?) {
        return Ok(Some(r.is(Value::TRUE)));
    }
    // Between two of them the order counts.
    let (Some(a), Some(b)) = (a.cast::<Dict>(), b.cast::<Dict>()) else { return Ok(Some(false)) };
    let begun = (Snapshot::of(a), Snapshot::of(b));
    let (mut i, mut j) = (0, 0);
    loop {
        let (k, l) = (key_from(a, &mut i), key_from(b, &mut j));
        let (Some(k), Some(l)) = (k, l) else { return Ok(Some(k.is_none() && l.is_none())) };
        let same = vm.eq(k, l)?;
        begun.0.check(vm, a)?;
        begun.1.check(vm, b)?;
        if !same {
            return Ok(Some(false));
        }
    }
}

/// The key of the next entry from there on.
fn key_from(d: Ref<Dict>, i: &mut usize) -> Option<Value> {
    while *i < d.fill() {
        *i += 1;
        if let Some((k, _)) = d.entry(*i - 1) {
            return Some(k);
        }
    }
    None
}

fn eq(vm: &Vm, a: Value, b: Value) -> R<Value> {
    Ok(equal(vm, a, b)?.map_or(Value::NOT_IMPLEMENTED, Value::bool))
}

fn ne(vm: &Vm, a: Value, b: Value) -> R<Value> {
    Ok(equal(vm, a, b)?.map_or(Value::NOT_IMPLEMENTED, |t| Value::bool(!t)))
}

fn or(vm: &Vm, left: Value, right: Value, own: Value) -> R<Value> {
    if left.cast::<Dict>().is_none() || right.cast::<Dict>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let new = vm.call(vm.type_of(own).value(), &[left])?;
    vm.call_method(new, "update", &[right])?;
    Ok(new)
}

fn repr(vm: &Vm, d: Ref<Dict>) -> R<String> {
    let name = vm.type_of(d.value()).name_string();
    if d.is_empty() {
        return Ok(format!("{name}()"));
    }
    let text = vm.repr_guard(d.value(), || {
        let plain = d.copy(vm)?;
        Ok(format!("{name}({})", vm.repr_string(plain.value())?))
    })?;
    Ok(text.unwrap_or_else(|| "...".into()))
}

fn reduce(vm: &Vm, d: Value) -> R<Value> {
    let state = match vm.instance_dict(d)? {
        Some(state) if !state.is_empty() => state.value(),
        _ => Value::NONE,
    };
    let items = vm.iter(vm.call_method(d, "items", &[])?)?;
    let empty = vm.tuple(&[])?;
    vm.tuple(&[vm.type_of(d).value(), empty, state, Value::NONE, items])
}
