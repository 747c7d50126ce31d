//! What Python code sees of `list`.

use super::common::{LOOK, compare_rows, item_index, repeated, string_of_items};
use super::text::repeat_count;
use super::tuple::index_bound;
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::list::List;
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::slice::Slice;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

mod sort;
pub use sort::{sort_by_keys, sort_list};

native_type! {
    pub DEF: "list", Kind::List, type_flags::BASETYPE | type_flags::SEQUENCE | type_flags::MATCH_SELF,
        "Built-in mutable sequence.\n\nIf no argument is given, the constructor creates a new empty list.\nThe argument must be an iterable if specified.";
    construct { crate::modules::hosted::list }
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, *args, **kwargs)" => init;
        [leaf] "append($self, object, /)" => |vm: &Vm, l: Ref<List>, v: Value| l.push(vm, v), "Append object to the end of the list.";
        [simple] "extend($self, iterable, /)" => extend, "Extend list by appending elements from the iterable.";
        [simple] "insert($self, index, object, /)" => insert, "Insert object before index.";
        [simple] "pop($self, index=-1, /)" => pop, "Remove and return item at index (default last).\n\nRaises IndexError if list is empty or index is out of range.";
        "remove($self, value, /)" => remove, "Remove first occurrence of value.\n\nRaises ValueError if the value is not present.";
        "index($self, value, start=0, stop=sys.maxsize, /)" => index, "Return first index of value.\n\nRaises ValueError if the value is not present.";
        "count($self, value, /)" => count, "Return number of occurrences of value.";
        [leaf] "reverse($self, /)" => |vm: &Vm, l: Ref<List>| l.permute(vm, |items| items.reverse()), "Reverse *IN PLACE*.";
        "sort($self, /, *, key=None, reverse=False)" => sort, "Sort the list in ascending order and return None.\n\nThe sort is in-place (i.e. the list itself is modified) and stable (i.e. the\norder of two equal elements is maintained).\n\nIf a key function is given, apply it once to each list item and sort them,\nascending or descending, according to their function values.\n\nThe reverse flag can be set to sort in descending order.";
        [leaf] "copy($self, /)" => |vm: &Vm, l: Ref<List>| l.snapshot(vm), "Return a shallow copy of the list.";
        [leaf] "clear($self, /)" => |_: &Vm, l: Ref<List>| l.clear(), "Remove all items from list.";
        [reads] "__len__($self, /)" => |_: &Vm, l: Ref<List>| l.len();
        [simple] "__getitem__($self, index, /)" => getitem;
        [simple] "__setitem__($self, key, value, /)" => setitem;
        "__delitem__($self, key, /)" => delitem;
        "__contains__($self, key, /)" => contains;
        [leaf] "__iter__($self, /)" => |vm: &Vm, l: Ref<List>| SeqIter::new(vm, vm.types.list_iterator, l.value(), 0);
        "__reversed__($self, /)" => |vm: &Vm, l: Ref<List>| SeqIter::new(vm, vm.types.list_reverseiterator, l.value(), l.len());
        [simple] "__add__($self, value, /)" => add;
        [simple] "__iadd__($self, value, /)" => iadd;
        [simple] "__mul__($self, value, /)" => mul;
        [simple] "__rmul__($self, value, /)" => mul;
        [simple] "__imul__($self, value, /)" => imul;
        "__repr__($self, /)" => repr;
        "__eq__($self, value, /)" => |vm: &Vm, a: Ref<List>, b: Value| compare(vm, Special::Eq, a, b);
        "__ne__($self, value, /)" => |vm: &Vm, a: Ref<List>, b: Value| compare(vm, Special::Ne, a, b);
        "__lt__($self, value, /)" => |vm: &Vm, a: Ref<List>, b: Value| compare(vm, Special::Lt, a, b);
        "__le__($self, value, /)" => |vm: &Vm, a: Ref<List>, b: Value| compare(vm, Special::Le, a, b);
        "__gt__($self, value, /)" => |vm: &Vm, a: Ref<List>, b: Value| compare(vm, Special::Gt, a, b);
        "__ge__($self, value, /)" => |vm: &Vm, a: Ref<List>, b: Value| compare(vm, Special::Ge, a, b);
        "__sizeof__($self, /)" => |_: &Vm, l: Ref<List>| 56 + 8 * l.len();
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Ref<List>> {
    let ty = skein_runtime::types::ext::class_argument(vm, &args, vm.types.list)?;
    vm.alloc_instance::<List>(ty)
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let Some(list) = args.positional().first().and_then(|l| l.cast::<List>()) else {
        return Err(vm.type_error("descriptor '__init__' requires a 'list' object"));
    };
    let ty = vm.type_of(list.value());
    if args.has_keywords()
        && skein_runtime::types::ext::refuses_keywords(vm, ty, vm.types.list, vm.names.__new__)
    {
        return Err(vm.type_error("list() takes no keyword arguments"));
    }
    if !list.is_empty() {
        list.clear();
    }
    match args.positional()[1..] {
        [] => Ok(()),
        [v] => extend(vm, list, v),
        ref more => Err(vm.type_error(format!("list expected at most 1 argument, got {}", more.len()))),
    }
}

fn extend(vm: &Vm, list: Ref<List>, from: Value) -> R<()> {
    let ty = vm.type_of(from);
    if ty == vm.types.list
        && let Some(other) = from.cast::<List>()
    {
        if other == list {
            return list.extend(vm, list.snapshot(vm)?.items());
        }
        return list.extend(vm, other.items());
    }
    if ty == vm.types.tuple
        && let Some(t) = from.cast::<Tuple>()
    {
        return list.extend(vm, t.items());
    }
    let it = vm.iter(from)?;
    list.make_room(vm, from)?;
    while let Some(v) = vm.next(it)? {
        list.push(vm, v)?;
    }
    Ok(())
}

fn insert(vm: &Vm, list: Ref<List>, i: i64, v: Value) -> R<()> {
    let n = list.len();
    let at = if i < 0 { i.saturating_add(n as i64).max(0) as usize } else { (i as usize).min(n) };
    list.splice(vm, at, at, &[v])
}

fn pop(vm: &Vm, list: Ref<List>, i: Option<Value>) -> R<Value> {
    let n = list.len();
    let i = match i {
        None => -1,
        Some(v) => vm.index_i64(v)?,
    };
    if n == 0 {
        return Err(vm.index_error("pop from empty list"));
    }
    let at = if i < 0 { i + n as i64 } else { i };
    let Some(v) = usize::try_from(at).ok().and_then(|at| list.get(at)) else {
        return Err(vm.index_error("pop index out of range"));
    };
    if at as usize == n - 1 {
        list.pop();
    } else {
        list.splice(vm, at as usize, at as usize + 1, &[])?;
    }
    Ok(v)
}

fn remove(vm: &Vm, list: Ref<List>, v: Value) -> R<()> {
    let mut i = 0;
    while let Some(item) = list.get(i) {
        if vm.eq(item, v)? {
            if i < list.len() {
                list.splice(vm, i, i + 1, &[])?;
            }
            return Ok(());
        }
        i += 1;
    }
    Err(vm.value_error("list.remove(x): x not in list"))
}

fn index(vm: &Vm, list: Ref<List>, v: Value, start: Option<Value>, stop: Option<Value>) -> R<usize> {
    let n = list.len();
    let (start, stop) = (index_bound(vm, start, 0, n)?, index_bound(vm, stop, usize::MAX, n)?);
    let mut i = start;
    while i < stop
        && let Some(item) = list.get(i)
    {
        if vm.eq(item, v)? {
            return Ok(i);
        }
        i += 1;
        if i & LOOK == 0 {
            vm.check_signals()?;
        }
    }
    Err(vm.value_error("list.index(x): x not in list"))
}

fn count(vm: &Vm, list: Ref<List>, v: Value) -> R<usize> {
    let (mut n, mut i) = (0, 0);
    while let Some(item) = list.get(i) {
        n += usize::from(vm.eq(item, v)?);
        i += 1;
        if i & LOOK == 0 {
            vm.check_signals()?;
        }
    }
    Ok(n)
}

fn sort(vm: &Vm, list: Ref<List>, key: Option<Value>, reverse: Option<Value>) -> R<()> {
    let reverse = match reverse {
        Some(r) => vm.truth(r)?,
        None => false,
    };
    sort_list(vm, list, key.filter(|k| !k.is_none()), reverse)
}

fn getitem(vm: &Vm, list: Ref<List>, key: Value) -> R<Value> {
    if let Some(s) = key.cast::<Slice>() {
        let r = vm.slice_range(s, || list.len())?;
        if r.step == 1 {
            let (a, b) = r.bounds();
            return Ok(List::new(vm, &list.items()[a..b])?.value());
        }
        let items = list.items();
        if r.step == -1 && r.count > 0 {
            let last = r.start as usize + 1;
            return Ok(List::reversed(vm, &items[last - r.count..last])?.value());
        }
        return Ok(List::of(vm, r.count, r.positions().map(|i| items[i]))?.value());
    }
    let i = item_index(vm, key, || list.len(), "list")?;
    Ok(list.items()[i])
}

fn setitem(vm: &Vm, list: Ref<List>, key: Value, v: Value) -> R<()> {
    let Some(s) = key.cast::<Slice>() else {
        // The message for a wrong index differs from that of reading.
        let i = if key.is_int() { key.as_small_int() } else { assign_index(vm, key)? };
        let at = if i < 0 { i + list.len() as i64 } else { i };
        if at < 0 || at as usize >= list.len() {
            return Err(vm.index_error("list assignment index out of range"));
        }
        list.store(vm, at as usize, v);
        return Ok(());
    };
    let bounds = skein_runtime::types::slice::slice_bounds(vm, s)?;
    if bounds.step == 1 {
        let assign = |new: &[Value]| {
            let (a, b) = bounds.of_len(list.len()).bounds();
            list.splice(vm, a, b, new)
        };
        // Another list, or a tuple, stays as it is while its items are copied.
        let ty = vm.type_of(v);
        if let Some(new) = v.cast::<List>().filter(|new| ty == vm.types.list && *new != list) {
            return assign(new.items());
        }
        if let Some(new) = v.cast::<Tuple>().filter(|_| ty == vm.types.tuple) {
            return assign(new.items());
        }
        if !can_iterate(vm, v) {
            return Err(vm.type_error("can only assign an iterable"));
        }
        return assign(vm.list_from(v)?.items());
    }
    let new = match can_iterate(vm, v) {
        true => vm.list_from(v)?,
        false => return Err(vm.type_error("must assign iterable to extended slice")),
    };
    let r = bounds.of_len(list.len());
    if new.len() != r.count {
        return Err(vm.value_error(format!(
            "attempt to assign sequence of size {} to extended slice of size {}",
            new.len(),
            r.count
        )));
    }
    for (at, &v) in r.positions().zip(new.items()) {
        list.store(vm, at, v);
    }
    Ok(())
}

fn can_iterate(vm: &Vm, v: Value) -> bool {
    let ty = vm.type_of(v);
    ty.special(vm, Special::Iter).is_some_and(|f| !f.is_none()) || ty.special(vm, Special::GetItem).is_some()
}

fn assign_index(vm: &Vm, key: Value) -> R<i64> {
    if !vm.is_int(key) && vm.type_of(key).special(vm, Special::Index).is_none() {
        return Err(
            vm.type_error(format!("list indices must be integers or slices, not {}", vm.type_name(key)))
        );
    }
    let i = vm.index(key)?;
    vm.as_i64(i).ok_or_else(|| {
        vm.index_error(format!("cannot fit '{}' into an index-sized integer", vm.type_name(key)))
    })
}

fn delitem(vm: &Vm, list: Ref<List>, key: Value) -> R<()> {
    let Some(s) = key.cast::<Slice>() else {
        let i = if key.is_int() { key.as_small_int() } else { assign_index(vm, key)? };
        let at = if i < 0 { i + list.len() as i64 } else { i };
        if at < 0 || at as usize >= list.len() {
            return Err(vm.index_error("list assignment index out of range"));
        }
        return list.splice(vm, at as usize, at as usize + 1, &[]);
    };
    let r = vm.slice_range(s, || list.len())?;
    if r.count == 0 {
        return Ok(());
    }
    if r.step == 1 {
        let (a, b) = r.bounds();
        return list.splice(vm, a, b, &[]);
    }
    // The items that stay move to the front, then the rest goes.
    let last = r.start + (r.count as i64 - 1) * r.step;
    let (mut hole, low, gap) = (0, r.start.min(last), r.step.unsigned_abs() as usize);
    let low = low as usize;
    list.permute(vm, |items| {
        for i in 0..items.len() {
            let gone = i >= low && (i - low).is_multiple_of(gap) && (i - low) / gap < r.count;
            if !gone {
                items[hole] = items[i];
                hole += 1;
            }
        }
    });
    list.splice(vm, hole, list.len(), &[])
}

fn contains(vm: &Vm, list: Ref<List>, v: Value) -> R<bool> {
    let mut i = 0;
    while let Some(item) = list.get(i) {
        if vm.eq(item, v)? {
            return Ok(true);
        }
        i += 1;
        if i & LOOK == 0 {
            vm.check_signals()?;
        }
    }
    Ok(false)
}

fn add(vm: &Vm, a: Ref<List>, b: Value) -> R<Value> {
    let Some(b) = b.cast::<List>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let all = List::with_capacity(vm, a.len() + b.len())?;
    all.extend(vm, a.items())?;
    all.extend(vm, b.items())?;
    Ok(all.value())
}

fn iadd(vm: &Vm, list: Ref<List>, v: Value) -> R<Value> {
    extend(vm, list, v)?;
    Ok(list.value())
}

fn mul(vm: &Vm, list: Ref<List>, n: Value) -> R<Value> {
    let Some(n) = repeat_count(vm, list.value(), n)? else { return Ok(Value::NOT_IMPLEMENTED) };
    Ok(repeated(vm, list.items(), n)?.value())
}

fn imul(vm: &Vm, list: Ref<List>, n: Value) -> R<Value> {
    let Some(n) = repeat_count(vm, list.value(), n)? else { return Ok(Value::NOT_IMPLEMENTED) };
    let all = repeated(vm, list.items(), n)?;
    list.splice(vm, 0, list.len(), all.items())?;
    Ok(list.value())
}

fn repr(vm: &Vm, list: Ref<List>) -> R<Value> {
    match vm.repr_guard(list.value(), || string_of_items(vm, "[", "]", |i| list.get(i)))? {
        Some(v) => Ok(v),
        None => vm.str("[...]"),
    }
}

fn compare(vm: &Vm, op: Special, a: Ref<List>, b: Value) -> R<Value> {
    let Some(b) = b.cast::<List>() else { return Ok(Value::NOT_IMPLEMENTED) };
    if a.len() != b.len() && matches!(op, Special::Eq | Special::Ne) {
        return Ok(Value::bool(op == Special::Ne));
    }
    compare_rows(vm, op, |i| a.get(i), |i| b.get(i))
}
