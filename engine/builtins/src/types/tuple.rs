//! What Python code sees of `tuple`.

use super::common::{compare_rows, item_index, repeated, string_of_items};
use super::text::repeat_count;
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::list::List;
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::slice::Slice;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::tuple::hash_tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub DEF: "tuple", Kind::Tuple, type_flags::BASETYPE | type_flags::SEQUENCE | type_flags::MATCH_SELF,
        "Built-in immutable sequence.\n\nIf no argument is given, the constructor returns an empty tuple.\nIf iterable is specified the tuple is initialized from iterable's items.\n\nIf the argument is a tuple, the return value is the same object.";
    construct { crate::modules::hosted::tuple }
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "count($self, value, /)" => count, "Return number of occurrences of value.";
        "index($self, value, start=0, stop=sys.maxsize, /)" => index, "Return first index of value.\n\nRaises ValueError if the value is not present.";
        [reads] "__len__($self, /)" => |_: &Vm, t: Ref<Tuple>| t.len();
        [simple] "__getitem__($self, key, /)" => getitem;
        "__contains__($self, key, /)" => contains;
        [leaf] "__iter__($self, /)" => |vm: &Vm, t: Ref<Tuple>| SeqIter::new(vm, vm.types.tuple_iterator, t.value(), 0);
        [simple] "__add__($self, value, /)" => add;
        [simple] "__mul__($self, value, /)" => mul;
        [simple] "__rmul__($self, value, /)" => mul;
        "__hash__($self, /)" => hash;
        "__repr__($self, /)" => repr;
        "__eq__($self, value, /)" => |vm: &Vm, a: Ref<Tuple>, b: Value| compare(vm, Special::Eq, a, b);
        "__ne__($self, value, /)" => |vm: &Vm, a: Ref<Tuple>, b: Value| compare(vm, Special::Ne, a, b);
        "__lt__($self, value, /)" => |vm: &Vm, a: Ref<Tuple>, b: Value| compare(vm, Special::Lt, a, b);
        "__le__($self, value, /)" => |vm: &Vm, a: Ref<Tuple>, b: Value| compare(vm, Special::Le, a, b);
        "__gt__($self, value, /)" => |vm: &Vm, a: Ref<Tuple>, b: Value| compare(vm, Special::Gt, a, b);
        "__ge__($self, value, /)" => |vm: &Vm, a: Ref<Tuple>, b: Value| compare(vm, Special::Ge, a, b);
        "__getnewargs__($self, /)" => getnewargs;
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = skein_runtime::types::ext::class_argument(vm, &args, vm.types.tuple)?;
    if args.has_keywords()
        && skein_runtime::types::ext::refuses_keywords(vm, ty, vm.types.tuple, vm.names.__init__)
    {
        return Err(vm.type_error("tuple() takes no keyword arguments"));
    }
    match args.positional()[1..] {
        [] => Ok(Tuple::of_type(vm, ty, &[])?.value()),
        [v] if ty == vm.types.tuple && vm.type_of(v) == ty => Ok(v),
        [v] => {
            if let Some(t) = v.cast::<Tuple>()
                && vm.type_of(v) == vm.types.tuple
            {
                return Ok(Tuple::of_type(vm, ty, t.items())?.value());
            }
            let items = vm.list_from(v)?;
            Ok(Tuple::of_type(vm, ty, items.items())?.value())
        }
        ref more => Err(vm.type_error(format!("tuple expected at most 1 argument, got {}", more.len()))),
    }
}

fn count(vm: &Vm, t: Ref<Tuple>, v: Value) -> R<usize> {
    let mut n = 0;
    for &item in t.items() {
        n += usize::from(vm.eq(item, v)?);
    }
    Ok(n)
}

/// A `start` or `stop` argument of `index` as a position.
pub fn index_bound(vm: &Vm, v: Option<Value>, default: usize, len: usize) -> R<usize> {
    let Some(v) = v else { return Ok(default) };
    let i = vm.index_clamped(v)?;
    Ok(if i < 0 { i.saturating_add(len as i64).max(0) as usize } else { i as usize })
}

fn index(vm: &Vm, t: Ref<Tuple>, v: Value, start: Option<Value>, stop: Option<Value>) -> R<usize> {
    let n = t.len();
    let (start, stop) = (index_bound(vm, start, 0, n)?, index_bound(vm, stop, n, n)?);
    for i in start..stop.min(n) {
        if vm.eq(t.items()[i], v)? {
            return Ok(i);
        }
    }
    Err(vm.value_error("tuple.index(x): x not in tuple"))
}

fn getitem(vm: &Vm, t: Ref<Tuple>, key: Value) -> R<Value> {
    if let Some(s) = key.cast::<Slice>() {
        let r = vm.slice_range(s, || t.len())?;
        if r.step == 1 {
            if r.count == t.len() && vm.type_of(t.value()) == vm.types.tuple {
                return Ok(t.value());
            }
            let (a, b) = r.bounds();
            return vm.tuple(&t.items()[a..b]);
        }
        let picked = List::with_capacity(vm, r.count)?;
        for i in r.positions() {
            picked.push(vm, t.items()[i])?;
        }
        return vm.tuple(picked.items());
    }
    Ok(t.items()[item_index(vm, key, || t.len(), "tuple")?])
}

fn contains(vm: &Vm, t: Ref<Tuple>, v: Value) -> R<bool> {
    for &item in t.items() {
        if vm.eq(item, v)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn add(vm: &Vm, a: Ref<Tuple>, b: Value) -> R<Value> {
    let Some(b) = b.cast::<Tuple>() else { return Ok(Value::NOT_IMPLEMENTED) };
    if b.is_empty() && vm.type_of(a.value()) == vm.types.tuple {
        return Ok(a.value());
    }
    if a.is_empty() && vm.type_of(b.value()) == vm.types.tuple {
        return Ok(b.value());
    }
    let all = List::with_capacity(vm, a.len() + b.len())?;
    all.extend(vm, a.items())?;
    all.extend(vm, b.items())?;
    vm.tuple(all.items())
}

fn mul(vm: &Vm, t: Ref<Tuple>, n: Value) -> R<Value> {
    let Some(n) = repeat_count(vm, t.value(), n)? else { return Ok(Value::NOT_IMPLEMENTED) };
    if n == 1 && vm.type_of(t.value()) == vm.types.tuple {
        return Ok(t.value());
    }
    vm.tuple(repeated(vm, t.items(), n)?.items())
}

fn hash(vm: &Vm, t: Ref<Tuple>) -> R<Value> {
    let h = hash_tuple(vm, t)?;
    vm.int(h)
}

fn repr(vm: &Vm, t: Ref<Tuple>) -> R<Value> {
    let close = if t.len() == 1 { ",)" } else { ")" };
    match vm.repr_guard(t.value(), || string_of_items(vm, "(", close, |i| t.items().get(i).copied()))? {
        Some(v) => Ok(v),
        None => vm.str("(...)"),
    }
}

fn compare(vm: &Vm, op: Special, a: Ref<Tuple>, b: Value) -> R<Value> {
    let Some(b) = b.cast::<Tuple>() else { return Ok(Value::NOT_IMPLEMENTED) };
    compare_rows(vm, op, |i| a.items().get(i).copied(), |i| b.items().get(i).copied())
}

fn getnewargs(vm: &Vm, t: Ref<Tuple>) -> R<Value> {
    let plain = vm.tuple(t.items())?;
    vm.tuple(&[plain])
}
