//! What Python code sees of `dict`.

use crate::modules::builtins_iteration::each_zipped;
use skein_bytecode::Special;
use skein_runtime::interp::{At, SoftCall, check_native_stack, construct};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::dictview::{DictIter, DictView};
use skein_runtime::types::list::List;
use skein_runtime::types::set::Set;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub DEF: "dict", Kind::Dict, type_flags::BASETYPE | type_flags::MAPPING | type_flags::MATCH_SELF,
        "dict() -> new empty dictionary\ndict(mapping) -> new dictionary initialized from a mapping object's\n    (key, value) pairs\ndict(iterable) -> new dictionary initialized as if via:\n    d = {}\n    for k, v in iterable:\n        d[k] = v\ndict(**kwargs) -> new dictionary initialized with the name=value pairs\n    in the keyword argument list.  For example:  dict(one=1, two=2)";
    construct { construct_soft }
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| update_from_args(vm, "dict", args);
        [reads] "__len__($self, /)" => |_: &Vm, d: Ref<Dict>| d.len();
        [simple] "__getitem__($self, key, /)" => getitem;
        [simple] "__setitem__($self, key, value, /)" => |vm: &Vm, d: Ref<Dict>, k: Value, v: Value| d.set(vm, k, v);
        "__delitem__($self, key, /)" => delitem;
        [simple] "__contains__($self, key, /)" => |vm: &Vm, d: Ref<Dict>, k: Value| d.contains(vm, k);
        [leaf] "__iter__($self, /)" => |vm: &Vm, d: Ref<Dict>| forward(vm, vm.types.dict_keyiterator, d);
        "__reversed__($self, /)" => |vm: &Vm, d: Ref<Dict>| backward(vm, vm.types.dict_reversekeyiterator, d);
        [simple] "get($self, key, default=None, /)" => get, "Return the value for key if key is in the dictionary, else default.";
        [simple] "setdefault($self, key, default=None, /)" => setdefault, "Insert key with a value of default if key is not in the dictionary.\n\nReturn the value for key if key is in the dictionary, else default.";
        [simple] "pop($self, key, default=<unrepresentable>, /)" => pop, "D.pop(k[,d]) -> v, remove specified key and return the corresponding value.\n\nIf the key is not found, return the default if given; otherwise,\nraise a KeyError.";
        [simple] "popitem($self, /)" => popitem, "Remove and return a (key, value) pair as a 2-tuple.\n\nPairs are returned in LIFO (last-in, first-out) order.\nRaises KeyError if the dict is empty.";
        [simple] "keys($self, /)" => |vm: &Vm, d: Value| DictView::new(vm, vm.types.dict_keys, d);
        [simple] "values($self, /)" => |vm: &Vm, d: Value| DictView::new(vm, vm.types.dict_values, d);
        [simple] "items($self, /)" => |vm: &Vm, d: Value| DictView::new(vm, vm.types.dict_items, d);
        "update($self, /, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| update_from_args(vm, "update", args), "D.update([E, ]**F) -> None.  Update D from mapping/iterable E and F.";
        [simple] "clear($self, /)" => |vm: &Vm, d: Ref<Dict>| d.clear(vm), "Remove all items from the dict.";
        [simple] "copy($self, /)" => |vm: &Vm, d: Ref<Dict>| d.copy(vm), "Return a shallow copy of the dict.";
        [class] "fromkeys($type, iterable, value=None, /)" => fromkeys, "Create a new dictionary with keys from iterable and values set to value.";
        "__or__($self, value, /)" => or;
        "__ror__($self, value, /)" => ror;
        "__ior__($self, value, /)" => ior;
        "__eq__($self, value, /)" => eq;
        "__ne__($self, value, /)" => ne;
        "__repr__($self, /)" => repr;
        "__sizeof__($self, /)" => |_: &Vm, d: Ref<Dict>| 64 + 24 * d.fill();
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Ref<Dict>> {
    let ty = skein_runtime::types::ext::class_argument(vm, &args, vm.types.dict)?;
    vm.alloc_instance::<Dict>(ty)
}

/// An iterator over a dict's entries from the first on.
pub fn forward(vm: &Vm, ty: Ref<Type>, d: Ref<Dict>) -> R<Ref<DictIter>> {
    DictIter::new(vm, ty, d.value(), d.table.first(), d.len())
}

/// An iterator over a dict's entries from the last on.
pub fn backward(vm: &Vm, ty: Ref<Type>, d: Ref<Dict>) -> R<Ref<DictIter>> {
    DictIter::new(vm, ty, d.value(), d.fill(), d.len())
}

/// `dict(items)`, without the calls of `__new__` and `__init__` that make it else.
fn construct_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let (&[items], None) = call.args.parts() else {
        return call.go_on(vm, construct(vm, call.resume, vm.types.dict, call.args, call.cont));
    };
    let made = || {
        let d = Dict::new(vm)?;
        update(vm, d, items)?;
        Ok(d.value())
    };
    match made() {
        Ok(d) => call.done(vm, d),
        Err(Raised) => call.raised(vm),
    }
}

/// `d.update(*args, **kwargs)`, `args` beginning with the dict.
pub fn update_from_args(vm: &Vm, name: &str, args: Args<'_>) -> R<()> {
    let Some(d) = args.positional().first().and_then(|d| d.cast::<Dict>()) else {
        return Err(vm.type_error(format!("descriptor '{name}' requires a 'dict' object")));
    };
    match args.positional()[1..] {
        [] => {}
        [from] => update(vm, d, from)?,
        ref more => {
            return Err(vm.type_error(format!("{name} expected at most 1 argument, got {}", more.len())));
        }
    }
    for (k, v) in args.keywords() {
        d.set(vm, k, v)?;
    }
    Ok(())
}

/// The pending TypeError with a note of which item of a dict's update it is about.
#[cold]
fn with_note(vm: &Vm, raised: Raised, i: usize) -> Raised {
    let Some(e) = vm.pending.take() else { return raised };
    let note = format!("Cannot convert dictionary update sequence element #{i} to a sequence");
    match vm.str(&note).and_then(|note| vm.call_method(e, "add_note", &[note])) {
        Ok(_) => vm.raise_again(e),
        Err(raised) => raised,
    }
}

/// `d.update(from)`.
pub fn update(vm: &Vm, d: Ref<Dict>, from: Value) -> R<()> {
    if let Some(other) = from.cast::<Dict>() {
        let ty = vm.type_of(from);
        if ty == vm.types.dict || ty.special(vm, Special::Iter) == vm.types.dict.special(vm, Special::Iter) {
            let n = other.len();
            d.update(vm, other)?;
            if other.len() != n && d != other {
                return Err(vm.runtime_error("dict mutated during update"));
            }
            return Ok(());
        }
    }
    if let Some(keys) = vm.find_attr(from, vm.names.keys)? {
        let keys = vm.call(keys, &[])?;
        return vm.for_each(keys, |k| {
            let v = vm.get_item(from, k)?;
            d.set(vm, k, v)
        });
    }
    if let Some(()) = each_zipped(vm, from, |k, v| d.set(vm, k, v))? {
        return Ok(());
    }
    let mut i = 0;
    vm.for_each(from, |pair| {
        let (tuple, list);
        let items = match pair.cast::<Tuple>() {
            Some(t) if vm.type_of(pair) == vm.types.tuple => {
                tuple = t;
                tuple.items()
            }
            _ => {
                list = pair_from(vm, pair, i)?;
                list.items()
            }
        };
        let [k, v] = *items else {
            return Err(vm.value_error(format!(
                "dictionary update sequence element #{i} has length {}; 2 is required",
                items.len()
            )));
        };
        i += 1;
        d.set(vm, k, v)
    })
}

/// The items of what should be a key and its value, the `i`-th that `dict.update` is given.
fn pair_from(vm: &Vm, pair: Value, i: usize) -> R<Ref<List>> {
    let ty = vm.type_of(pair);
    if ty.special(vm, Special::Iter).is_none() && ty.special(vm, Special::GetItem).is_none() {
        let raised = vm.type_error("object is not iterable");
        return Err(with_note(vm, raised, i));
    }
    match vm.list_from(pair) {
        Err(raised) if vm.pending_is(vm.exc.type_error) => Err(with_note(vm, raised, i)),
        r => r,
    }
}

fn getitem(vm: &Vm, d: Ref<Dict>, key: Value) -> R<Value> {
    if let Some(v) = d.get(vm, key)? {
        return Ok(v);
    }
    let ty = vm.type_of(d.value());
    if ty != vm.types.dict
        && let Some(missing) = ty.special(vm, Special::Missing)
    {
        return vm.special_2(missing, d.value(), key);
    }
    Err(vm.key_error(key))
}

fn delitem(vm: &Vm, d: Ref<Dict>, key: Value) -> R<()> {
    if d.delete(vm, key)? { Ok(()) } else { Err(vm.key_error(key)) }
}

fn get(vm: &Vm, d: Ref<Dict>, key: Value, default: Option<Value>) -> R<Value> {
    Ok(d.get(vm, key)?.or(default).unwrap_or(Value::NONE))
}

fn setdefault(vm: &Vm, d: Ref<Dict>, key: Value, default: Option<Value>) -> R<Value> {
    d.get_or_set(vm, key, default.unwrap_or(Value::NONE))
}

fn pop(vm: &Vm, d: Ref<Dict>, key: Value, default: Option<Value>) -> R<Value> {
    match d.pop(vm, key)?.or(default) {
        Some(v) => Ok(v),
        None => Err(vm.key_error(key)),
    }
}

fn popitem(vm: &Vm, d: Ref<Dict>) -> R<Value> {
    match d.pop_last(vm) {
        Some((k, v)) => vm.tuple(&[k, v]),
        None => {
            let text = vm.str("popitem(): dictionary is empty")?;
            Err(vm.key_error(text))
        }
    }
}

fn fromkeys(vm: &Vm, class: Value, iterable: Value, value: Option<Value>) -> R<Value> {
    let value = value.unwrap_or(Value::NONE);
    let made = vm.call(class, &[])?;
    match made.cast::<Dict>() {
        Some(d) if vm.type_of(made) == vm.types.dict => match iterable.cast::<Set>() {
            Some(s) if [vm.types.set, vm.types.frozenset].contains(&vm.type_of(iterable)) => {
                super::set::each_hashed(&s.table, |k, h| d.set_hashed(vm, k, h, value))?;
            }
            _ => vm.for_each(iterable, |k| d.set(vm, k, value))?,
        },
        _ => vm.for_each(iterable, |k| vm.set_item(made, k, value))?,
    }
    Ok(made)
}

fn or(vm: &Vm, a: Value, b: Value) -> R<Value> {
    let (Some(x), Some(y)) = (a.cast::<Dict>(), b.cast::<Dict>()) else { return Ok(Value::NOT_IMPLEMENTED) };
    let new = x.copy(vm)?;
    update(vm, new, y.value())?;
    Ok(new.value())
}

fn ror(vm: &Vm, a: Value, b: Value) -> R<Value> {
    or(vm, b, a)
}

fn ior(vm: &Vm, d: Ref<Dict>, other: Value) -> R<Value> {
    update(vm, d, other)?;
    Ok(d.value())
}

/// `a == b` of two dicts.
fn equal(vm: &Vm, a: Ref<Dict>, b: Ref<Dict>) -> R<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    check_native_stack(vm, " in comparison")?;
    let mut i = 0;
    while i < a.fill() {
        if let Some((k, v)) = a.entry(i)
            && let Some(e) = a.table.entries()
        {
            match b.get_hashed(vm, k, e.hash_at(i))? {
                Some(w) if vm.eq(v, w)? => {}
                _ => return Ok(false),
            }
        }
        i += 1;
    }
    Ok(true)
}

fn eq(vm: &Vm, a: Ref<Dict>, b: Value) -> R<Value> {
    match b.cast::<Dict>() {
        Some(b) => Ok(Value::bool(equal(vm, a, b)?)),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn ne(vm: &Vm, a: Ref<Dict>, b: Value) -> R<Value> {
    match b.cast::<Dict>() {
        Some(b) => Ok(Value::bool(!equal(vm, a, b)?)),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn repr(vm: &Vm, d: Ref<Dict>) -> R<Value> {
    let text = vm.repr_guard(d.value(), || {
        check_native_stack(vm, " while getting the repr of an object")?;
        let mut out = vec![b'{'];
        let mut i = 0;
        while i < d.fill() {
            if let Some((k, v)) = d.entry(i) {
                if out.len() > 1 {
                    vm.put(&mut out, b", ")?;
                }
                vm.put(&mut out, vm.repr(k)?.bytes())?;
                vm.put(&mut out, b": ")?;
                vm.put(&mut out, vm.repr(v)?.bytes())?;
            }
            i += 1;
        }
        out.push(b'}');
        Ok(Str::new(vm, &out)?.value())
    })?;
    match text {
        Some(v) => Ok(v),
        None => vm.str("{...}"),
    }
}
