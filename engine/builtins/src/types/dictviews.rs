//! What Python code sees of `mappingproxy` and of the views and iterators of dicts.

use super::set::{difference_of, new_set, set_update};
use skein_bytecode::Special;
use skein_runtime::interp::check_native_stack;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::dictview::{DictIter, DictView};
use skein_runtime::types::list::List;
use skein_runtime::types::mappingproxy::MappingProxy;
use skein_runtime::types::set::Set;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub MAPPINGPROXY: "mappingproxy", Kind::MappingProxy, type_flags::MAPPING, "Read-only proxy of a mapping.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new_proxy;
        "__len__($self, /)" => |vm: &Vm, p: Ref<MappingProxy>| vm.len(p.mapping.value());
        "__getitem__($self, key, /)" => |vm: &Vm, p: Ref<MappingProxy>, k: Value| vm.get_item(p.mapping.value(), k);
        "__contains__($self, key, /)" => |vm: &Vm, p: Ref<MappingProxy>, k: Value| vm.contains(p.mapping.value(), k);
        "__iter__($self, /)" => |vm: &Vm, p: Ref<MappingProxy>| vm.iter(p.mapping.value());
        "__reversed__($self, /)" => |vm: &Vm, p: Ref<MappingProxy>| vm.call_method(p.mapping.value(), "__reversed__", &[]);
        "get($self, key, default=None, /)" => proxy_get, "Return the value for key if key is in the mapping, else default.";
        "keys($self, /)" => |vm: &Vm, p: Ref<MappingProxy>| vm.call_method(p.mapping.value(), "keys", &[]);
        "values($self, /)" => |vm: &Vm, p: Ref<MappingProxy>| vm.call_method(p.mapping.value(), "values", &[]);
        "items($self, /)" => |vm: &Vm, p: Ref<MappingProxy>| vm.call_method(p.mapping.value(), "items", &[]);
        "copy($self, /)" => |vm: &Vm, p: Ref<MappingProxy>| vm.call_method(p.mapping.value(), "copy", &[]);
        "__or__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Or, bare(a), bare(b));
        "__ror__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Or, bare(b), bare(a));
        "__ior__($self, value, /)" => proxy_ior;
        "__eq__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Eq, bare(a), b);
        "__ne__($self, value, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Ne, bare(a), b);
        "__hash__($self, /)" => |vm: &Vm, p: Ref<MappingProxy>| vm.hash(p.mapping.value());
        "__repr__($self, /)" => proxy_repr;
        "__str__($self, /)" => |vm: &Vm, p: Ref<MappingProxy>| vm.to_str(p.mapping.value());
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
}

fn new_proxy(vm: &Vm, args: Args<'_>) -> R<Value> {
    skein_runtime::types::ext::class_argument(vm, &args, vm.types.mappingproxy)?;
    let mapping = match (&args.positional()[1..], args.keywords().next()) {
        (&[m], None) => m,
        (&[], Some((_, m))) => m,
        _ => return Err(vm.type_error("mappingproxy() missing required argument 'mapping' (pos 1)")),
    };
    let no_mapping = vm.type_of(mapping).special(vm, Special::GetItem).is_none();
    if no_mapping || mapping.cast::<List>().is_some() || mapping.cast::<Tuple>().is_some() {
        return Err(vm.type_error(format!(
            "mappingproxy() argument must be a mapping, not {}",
            vm.type_name(mapping)
        )));
    }
    Ok(MappingProxy::new(vm, mapping)?.value())
}

/// The mapping behind a proxy, or the value itself.
fn bare(v: Value) -> Value {
    v.cast::<MappingProxy>().map_or(v, |p| p.mapping.value())
}

fn proxy_get(vm: &Vm, p: Ref<MappingProxy>, key: Value, default: Option<Value>) -> R<Value> {
    let default = default.unwrap_or(Value::NONE);
    let mapping = p.mapping.value();
    match mapping.cast::<Dict>() {
        Some(d) if vm.type_of(mapping) == vm.types.dict => Ok(d.get(vm, key)?.unwrap_or(default)),
        _ => vm.call_method(mapping, "get", &[key, default]),
    }
}

fn proxy_ior(vm: &Vm, _: Value, _: Value) -> R<Value> {
    Err(vm.type_error("'|=' is not supported by mappingproxy; use '|' instead"))
}

fn proxy_repr(vm: &Vm, p: Ref<MappingProxy>) -> R<String> {
    Ok(format!("mappingproxy({})", vm.repr_string(p.mapping.value())?))
}

/// The methods of `dict_keys` and `dict_items` that sets have too.
macro_rules! set_like_view {
    ($def:ident, $name:literal, $forward:ident, $backward:ident, $contains:expr) => {
        native_type! {
            pub $def: $name, Kind::DictView, type_flags::NO_NEW;
            methods {
                "__len__($self, /)" => |_: &Vm, v: Ref<DictView>| dict_of(v).len();
                "__contains__($self, key, /)" => $contains;
                [leaf] "__iter__($self, /)" => |vm: &Vm, v: Ref<DictView>| super::dict::forward(vm, vm.types.$forward, dict_of(v));
                "__reversed__($self, /)" => |vm: &Vm, v: Ref<DictView>| super::dict::backward(vm, vm.types.$backward, dict_of(v));
                "__repr__($self, /)" => repr;
                "__eq__($self, value, /)" => |vm: &Vm, a: Value, b: Value| compare(vm, Special::Eq, a, b);
                "__ne__($self, value, /)" => |vm: &Vm, a: Value, b: Value| compare(vm, Special::Ne, a, b);
                "__lt__($self, value, /)" => |vm: &Vm, a: Value, b: Value| compare(vm, Special::Lt, a, b);
                "__le__($self, value, /)" => |vm: &Vm, a: Value, b: Value| compare(vm, Special::Le, a, b);
                "__gt__($self, value, /)" => |vm: &Vm, a: Value, b: Value| compare(vm, Special::Gt, a, b);
                "__ge__($self, value, /)" => |vm: &Vm, a: Value, b: Value| compare(vm, Special::Ge, a, b);
                "__and__($self, value, /)" => and;
                "__rand__($self, value, /)" => and;
                "__or__($self, value, /)" => or;
                "__ror__($self, value, /)" => or;
                "__sub__($self, value, /)" => sub;
                "__rsub__($self, value, /)" => |vm: &Vm, a: Value, b: Value| sub(vm, b, a);
                "__xor__($self, value, /)" => xor;
                "__rxor__($self, value, /)" => xor;
                "isdisjoint($self, other, /)" => isdisjoint, "Return True if the view and the given iterable have a null intersection.";
            }
            getset { "mapping" => mapping; }
        }
    };
}
set_like_view!(KEYS, "dict_keys", dict_keyiterator, dict_reversekeyiterator, keys_contains);
set_like_view!(ITEMS, "dict_items", dict_itemiterator, dict_reverseitemiterator, items_contains);

native_type! {
    pub VALUES: "dict_values", Kind::DictView, type_flags::NO_NEW;
    methods {
        "__len__($self, /)" => |_: &Vm, v: Ref<DictView>| dict_of(v).len();
        [leaf] "__iter__($self, /)" => |vm: &Vm, v: Ref<DictView>| super::dict::forward(vm, vm.types.dict_valueiterator, dict_of(v));
        "__reversed__($self, /)" => |vm: &Vm, v: Ref<DictView>| super::dict::backward(vm, vm.types.dict_reversevalueiterator, dict_of(v));
        "__repr__($self, /)" => repr;
    }
    getset { "mapping" => mapping; }
}

fn dict_of(v: Ref<DictView>) -> Ref<Dict> {
    // SAFETY: views are made of dicts only.
    unsafe { v.dict.value().cast_unchecked() }
}

fn mapping(vm: &Vm, v: Value) -> R<Value> {
    match v.cast::<DictView>() {
        Some(v) => Ok(MappingProxy::new(vm, v.dict.value())?.value()),
        None => Err(vm.type_error("a view of a dict is needed")),
    }
}

fn keys_contains(vm: &Vm, v: Ref<DictView>, key: Value) -> R<bool> {
    dict_of(v).contains(vm, key)
}

fn items_contains(vm: &Vm, v: Ref<DictView>, pair: Value) -> R<bool> {
    let Some(t) = pair.cast::<Tuple>() else { return Ok(false) };
    let &[key, value] = t.items() else { return Ok(false) };
    match dict_of(v).get(vm, key)? {
        Some(found) => vm.eq(found, value),
        None => Ok(false),
    }
}

fn repr(vm: &Vm, v: Ref<DictView>) -> R<Value> {
    let name = vm.type_name(v.value());
    let text = vm.repr_guard(v.value(), || {
        check_native_stack(vm, " while getting the repr of an object")?;
        let items = vm.list_from(v.value())?;
        let mut out = name.clone().into_bytes();
        out.push(b'(');
        out.extend_from_slice(vm.repr(items.value())?.bytes());
        out.push(b')');
        Ok(Str::new(vm, &out)?.value())
    })?;
    match text {
        Some(v) => Ok(v),
        None => vm.str("..."),
    }
}

/// A set, frozenset, or view of keys or items?
fn is_set_like(vm: &Vm, v: Value) -> bool {
    v.cast::<Set>().is_some()
        || v.cast::<DictView>().is_some_and(|_| !vm.type_of(v).is_subtype(vm.types.dict_values))
}

fn all_in(vm: &Vm, items: Value, container: Value) -> R<bool> {
    let it = vm.iter(items)?;
    while let Some(v) = vm.next(it)? {
        if !vm.contains(container, v)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn compare(vm: &Vm, op: Special, a: Value, b: Value) -> R<Value> {
    if !is_set_like(vm, b) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (n, m) = (vm.len(a)?, vm.len(b)?);
    Ok(Value::bool(match op {
        Special::Eq => n == m && all_in(vm, a, b)?,
        Special::Ne => n != m || !all_in(vm, a, b)?,
        Special::Lt => n < m && all_in(vm, a, b)?,
        Special::Le => n <= m && all_in(vm, a, b)?,
        Special::Gt => n > m && all_in(vm, b, a)?,
        _ => n >= m && all_in(vm, b, a)?,
    }))
}

fn and(vm: &Vm, a: Value, b: Value) -> R<Value> {
    // The receiver may stand on either side; the items come from the other operand.
    let out = new_set(vm, vm.types.set)?;
    vm.for_each(b, |v| {
        if vm.contains(a, v)? {
            out.add(vm, v)?;
        }
        Ok(())
    })?;
    Ok(out.value())
}

fn or(vm: &Vm, a: Value, b: Value) -> R<Value> {
    let out = new_set(vm, vm.types.set)?;
    set_update(vm, out, a)?;
    set_update(vm, out, b)?;
    Ok(out.value())
}

fn sub(vm: &Vm, a: Value, b: Value) -> R<Value> {
    let out = new_set(vm, vm.types.set)?;
    set_update(vm, out, a)?;
    difference_of(vm, out, b)?;
    Ok(out.value())
}

fn xor(vm: &Vm, a: Value, b: Value) -> R<Value> {
    let out = new_set(vm, vm.types.set)?;
    set_update(vm, out, a)?;
    super::set::symmetric_difference_of(vm, out, b)?;
    Ok(out.value())
}

fn isdisjoint(vm: &Vm, a: Value, b: Value) -> R<bool> {
    let it = vm.iter(b)?;
    while let Some(v) = vm.next(it)? {
        if vm.contains(a, v)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The next entry of a dict's iterator; None at the end.
#[inline]
fn advance(vm: &Vm, it: Ref<DictIter>) -> R<Option<(Value, Value)>> {
    let Some(d) = it.table.cast::<Dict>() else { return Ok(None) };
    if d.len() != it.len.get() {
        return Err(changed(vm, it));
    }
    let mut i = it.index.get();
    while i < d.fill() {
        i += 1;
        if let Some(e) = d.entry(i - 1) {
            it.index.set(i);
            return take(vm, it).map(|()| Some(e));
        }
    }
    it.index.set(i);
    it.table.init(None);
    Ok(None)
}

/// As [`advance`], towards the first entry.
fn retreat(vm: &Vm, it: Ref<DictIter>) -> R<Option<(Value, Value)>> {
    let Some(d) = it.table.cast::<Dict>() else { return Ok(None) };
    if d.len() != it.len.get() {
        return Err(changed(vm, it));
    }
    let mut i = it.index.get();
    // A dict that has been emptied and filled again may be shorter.
    if i > d.fill() {
        i = 0;
    }
    while i > 0 {
        i -= 1;
        if let Some(e) = d.entry(i) {
            it.index.set(i);
            return take(vm, it).map(|()| Some(e));
        }
    }
    it.table.init(None);
    Ok(None)
}

/// Counts an entry that is given. RuntimeError if there were not so many when the iteration began.
#[inline]
fn take(vm: &Vm, it: Ref<DictIter>) -> R<()> {
    match it.left.get().checked_sub(1) {
        Some(left) => {
            it.left.set(left);
            Ok(())
        }
        None => {
            it.table.init(None);
            Err(vm.runtime_error("dictionary keys changed during iteration"))
        }
    }
}

#[cold]
fn changed(vm: &Vm, it: Ref<DictIter>) -> skein_runtime::value::Raised {
    // It stays an error.
    it.len.set(usize::MAX);
    vm.runtime_error("dictionary changed size during iteration")
}

/// Entries still to come; counted, since deleted ones do not count.
fn length_hint(_: &Vm, it: Ref<DictIter>) -> usize {
    let Some(d) = it.table.cast::<Dict>() else { return 0 };
    if d.len() != it.len.get() {
        return 0;
    }
    let at = it.index.get();
    (at..d.fill()).filter(|&i| d.entry(i).is_some()).count()
}

fn length_hint_backward(_: &Vm, it: Ref<DictIter>) -> usize {
    let Some(d) = it.table.cast::<Dict>() else { return 0 };
    if d.len() != it.len.get() {
        return 0;
    }
    (0..it.index.get()).filter(|&i| d.entry(i).is_some()).count()
}

macro_rules! dict_iterator {
    ($def:ident, $name:literal, $step:ident, $hint:ident, $item:expr) => {
        native_type! {
            pub $def: $name, Kind::DictIter, type_flags::NO_NEW;
            methods {
                [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
                [leaf] "__next__($self, /)" => |vm: &Vm, it: Ref<DictIter>| -> R<Value> {
                    match $step(vm, it)? {
                        Some(entry) => $item(vm, entry),
                        None => Ok(vm.stop()),
                    }
                };
                "__length_hint__($self, /)" => $hint;
                "__reduce__($self, /)" => reduce;
            }
        }
    };
}
dict_iterator!(KEY_ITERATOR, "dict_keyiterator", advance, length_hint, key);
dict_iterator!(VALUE_ITERATOR, "dict_valueiterator", advance, length_hint, value);
dict_iterator!(ITEM_ITERATOR, "dict_itemiterator", advance, length_hint, item);
dict_iterator!(REVERSE_KEY_ITERATOR, "dict_reversekeyiterator", retreat, length_hint_backward, key);
dict_iterator!(REVERSE_VALUE_ITERATOR, "dict_reversevalueiterator", retreat, length_hint_backward, value);
dict_iterator!(REVERSE_ITEM_ITERATOR, "dict_reverseitemiterator", retreat, length_hint_backward, item);

fn key(_: &Vm, (k, _): (Value, Value)) -> R<Value> {
    Ok(k)
}

fn value(_: &Vm, (_, v): (Value, Value)) -> R<Value> {
    Ok(v)
}

fn item(vm: &Vm, (k, v): (Value, Value)) -> R<Value> {
    vm.tuple(&[k, v])
}

/// `(iter, (rest,))`: the rest as a list, the iterator itself staying where it is.
pub fn reduce(vm: &Vm, it: Ref<DictIter>) -> R<Value> {
    let copy = DictIter::new(vm, vm.type_of(it.value()), it.table.or_none(), it.index.get(), it.len.get())?;
    copy.left.set(it.left.get());
    let rest = vm.list_from(copy.value())?;
    let args = vm.tuple(&[rest.value()])?;
    vm.tuple(&[vm.builtin("iter")?, args])
}
