//! What Python code sees of `set`, `frozenset`, `set_iterator`.

use skein_bytecode::Special;
use skein_runtime::interp::check_native_stack;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::dictview::DictIter;
use skein_runtime::types::set::Set;
use skein_runtime::types::str::Str;
use skein_runtime::types::table::Table;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// `set` with its own methods, or `frozenset` with its: the methods in common follow.
macro_rules! set_type {
    ($def:ident, $name:literal, $doc:literal, $(construct { $construct:path })? { $($own:tt)* }) => {
        native_type! {
            pub $def: $name, Kind::Set, type_flags::BASETYPE | type_flags::HAS_WEAKREF | type_flags::MATCH_SELF, $doc;
            $(construct { $construct })?
            methods {
                $($own)*
                [reads] "__len__($self, /)" => |_: &Vm, s: Ref<Set>| s.len();
                [simple] "__contains__($self, object, /)" => contains;
                [leaf] "__iter__($self, /)" => |vm: &Vm, s: Ref<Set>| DictIter::new(vm, vm.types.set_iterator, s.value(), 0, s.len());
                "__repr__($self, /)" => repr;
                "__eq__($self, value, /)" => |vm: &Vm, a: Ref<Set>, b: Value| compare(vm, Special::Eq, a, b);
                "__ne__($self, value, /)" => |vm: &Vm, a: Ref<Set>, b: Value| compare(vm, Special::Ne, a, b);
                "__lt__($self, value, /)" => |vm: &Vm, a: Ref<Set>, b: Value| compare(vm, Special::Lt, a, b);
                "__le__($self, value, /)" => |vm: &Vm, a: Ref<Set>, b: Value| compare(vm, Special::Le, a, b);
                "__gt__($self, value, /)" => |vm: &Vm, a: Ref<Set>, b: Value| compare(vm, Special::Gt, a, b);
                "__ge__($self, value, /)" => |vm: &Vm, a: Ref<Set>, b: Value| compare(vm, Special::Ge, a, b);
                "__and__($self, value, /)" => |vm: &Vm, a: Value, b: Value| common(vm, a, b);
                "__or__($self, value, /)" => |vm: &Vm, a: Value, b: Value| union(vm, a, b);
                "__sub__($self, value, /)" => |vm: &Vm, a: Value, b: Value| operator(vm, a, b, difference_of);
                "__xor__($self, value, /)" => |vm: &Vm, a: Value, b: Value| operator(vm, a, b, symmetric_difference_of);
                "__rand__($self, value, /)" => |vm: &Vm, a: Value, b: Value| common(vm, b, a);
                "__ror__($self, value, /)" => |vm: &Vm, a: Value, b: Value| union(vm, b, a);
                "__rsub__($self, value, /)" => |vm: &Vm, a: Value, b: Value| operator(vm, b, a, difference_of);
                "__rxor__($self, value, /)" => |vm: &Vm, a: Value, b: Value| operator(vm, b, a, symmetric_difference_of);
                [simple] "copy($self, /)" => copy, "Return a shallow copy of a set.";
                "union($self, /, *others)" => |vm: &Vm, args: Args<'_>| fresh(vm, "union", args, set_update), "Return a new set with elements from the set and all others.";
                "intersection($self, /, *others)" => |vm: &Vm, args: Args<'_>| fresh(vm, "intersection", args, intersection_into), "Return a new set with elements common to the set and all others.";
                "difference($self, /, *others)" => |vm: &Vm, args: Args<'_>| fresh(vm, "difference", args, difference_of), "Return a new set with elements in the set that are not in the others.";
                "symmetric_difference($self, other, /)" => symmetric_difference, "Return a new set with elements in either the set or other but not both.";
                "isdisjoint($self, other, /)" => isdisjoint, "Return True if two sets have a null intersection.";
                "issubset($self, other, /)" => issubset, "Report whether another set contains this set.";
                "issuperset($self, other, /)" => issuperset, "Report whether this set contains another set.";
                "__reduce__($self, /)" => reduce;
                "__sizeof__($self, /)" => |_: &Vm, s: Ref<Set>| 200 + 16 * s.table.fill();
                [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
            }
        }
    };
}

set_type!(SET, "set", "Build an unordered collection of unique elements.", construct { crate::modules::hosted::set } {
    [static] "__new__($type, *args, **kwargs)" => new;
    "__init__($self, /, *args, **kwargs)" => init;
    [simple] "add($self, object, /)" => |vm: &Vm, s: Ref<Set>, v: Value| s.add(vm, v).map(|_| ()), "Add an element to a set.\n\nThis has no effect if the element is already present.";
    [simple] "remove($self, object, /)" => remove, "Remove an element from a set; it must be a member.\n\nIf the element is not a member, raise a KeyError.";
    [simple] "discard($self, object, /)" => discard, "Remove an element from a set if it is a member.\n\nUnlike set.remove(), the discard() method does not raise\nan exception when an element is missing from the set.";
    [simple] "pop($self, /)" => pop, "Remove and return an arbitrary set element.\n\nRaises KeyError if the set is empty.";
    [simple] "clear($self, /)" => |_: &Vm, s: Ref<Set>| s.table.clear(), "Remove all elements from this set.";
    "update($self, /, *others)" => |vm: &Vm, args: Args<'_>| in_place(vm, "update", args, set_update), "Update the set, adding elements from all others.";
    "intersection_update($self, /, *others)" => |vm: &Vm, args: Args<'_>| in_place(vm, "intersection_update", args, intersection_into), "Update the set, keeping only elements found in it and all others.";
    "difference_update($self, /, *others)" => |vm: &Vm, args: Args<'_>| in_place(vm, "difference_update", args, difference_of), "Update the set, removing elements found in others.";
    "symmetric_difference_update($self, other, /)" => |vm: &Vm, s: Ref<Set>, other: Value| symmetric_difference_of(vm, s, other), "Update the set, keeping only elements found in either set, but not in both.";
    "__iand__($self, value, /)" => |vm: &Vm, a: Ref<Set>, b: Value| inplace_operator(vm, a, b, intersection_into);
    "__ior__($self, value, /)" => |vm: &Vm, a: Ref<Set>, b: Value| inplace_operator(vm, a, b, set_update);
    "__isub__($self, value, /)" => |vm: &Vm, a: Ref<Set>, b: Value| inplace_operator(vm, a, b, difference_of);
    "__ixor__($self, value, /)" => |vm: &Vm, a: Ref<Set>, b: Value| inplace_operator(vm, a, b, symmetric_difference_of);
});

set_type!(FROZENSET, "frozenset", "Build an immutable unordered collection of unique elements.", {
    [static] "__new__($type, *args, **kwargs)" => new_frozen;
    "__hash__($self, /)" => |vm: &Vm, s: Ref<Set>| vm.int(frozen_hash(s));
});

native_type! {
    pub ITERATOR: "set_iterator", Kind::DictIter, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        [leaf] "__next__($self, /)" => next;
        "__length_hint__($self, /)" => length_hint;
        "__reduce__($self, /)" => super::dictviews::reduce, "Return state information for pickling.";
    }
}

/// An empty set of this type. MemoryError.
pub fn new_set(vm: &Vm, ty: Ref<Type>) -> R<Ref<Set>> {
    vm.alloc_instance::<Set>(ty)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Ref<Set>> {
    let ty = skein_runtime::types::ext::class_argument(vm, &args, vm.types.set)?;
    new_set(vm, ty)
}

fn this(vm: &Vm, name: &str, args: Args<'_>) -> R<Ref<Set>> {
    match args.positional().first().and_then(|s| s.cast::<Set>()) {
        Some(_) if args.has_keywords() => Err(vm.type_error(format!("{name}() takes no keyword arguments"))),
        Some(s) => Ok(s),
        None => Err(vm.type_error(format!("descriptor '{name}' requires a 'set' object"))),
    }
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let s = this(vm, "set", args)?;
    match args.positional()[1..] {
        [] => s.table.clear(),
        [v] => {
            s.table.clear();
            set_update(vm, s, v)?;
        }
        ref more => return Err(vm.type_error(format!("set expected at most 1 argument, got {}", more.len()))),
    }
    Ok(())
}

fn new_frozen(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = skein_runtime::types::ext::class_argument(vm, &args, vm.types.frozenset)?;
    if args.has_keywords()
        && skein_runtime::types::ext::refuses_keywords(vm, ty, vm.types.frozenset, vm.names.__init__)
    {
        return Err(vm.type_error("frozenset() takes no keyword arguments"));
    }
    match args.positional()[1..] {
        [] => Ok(new_set(vm, ty)?.value()),
        [v] if ty == vm.types.frozenset && vm.type_of(v) == ty => Ok(v),
        [v] => {
            let s = new_set(vm, ty)?;
            set_update(vm, s, v)?;
            Ok(s.value())
        }
        ref more => Err(vm.type_error(format!("frozenset expected at most 1 argument, got {}", more.len()))),
    }
}

fn is_frozen(vm: &Vm, s: Ref<Set>) -> bool {
    vm.type_of(s.value()).is_subtype(vm.types.frozenset)
}

/// `set` or `frozenset`, whichever the set's type derives from.
fn base_of(vm: &Vm, s: Ref<Set>) -> Ref<Type> {
    let ty = vm.type_of(s.value());
    if ty == vm.types.set || ty == vm.types.frozenset {
        return ty;
    }
    if is_frozen(vm, s) { vm.types.frozenset } else { vm.types.set }
}

/// Calls `f` with each key and its hash. The table may change meanwhile.
pub(super) fn each_hashed(table: &Table, mut f: impl FnMut(Value, i64) -> R<()>) -> R<()> {
    let mut i = 0;
    while let Some(e) = table.entries()
        && i < e.fill()
    {
        if let Some((k, _)) = e.entry(i) {
            f(k, e.hash_at(i))?;
        }
        i += 1;
    }
    Ok(())
}

/// A dict that is gone over as dicts are.
fn plain_dict(vm: &Vm, v: Value) -> Option<Ref<Dict>> {
    v.cast::<Dict>().filter(|_| vm.type_of(v) == vm.types.dict)
}

/// `s.update(from)`.
pub fn set_update(vm: &Vm, s: Ref<Set>, from: Value) -> R<()> {
    let add = |v, h| s.add_hashed(vm, v, h).map(|_| ());
    if let Some(other) = from.cast::<Set>() {
        if s.is_empty() {
            return s.table.copy_from(vm, s, &other.table);
        }
        return each_hashed(&other.table, add);
    }
    if let Some(d) = plain_dict(vm, from) {
        return each_hashed(&d.table, add);
    }
    vm.for_each(from, |v| s.add(vm, v).map(|_| ()))
}

/// Removes everything that `other` gives.
pub fn difference_of(vm: &Vm, s: Ref<Set>, other: Value) -> R<()> {
    let remove = |v, h| {
        if let Some(i) = s.table.find(vm, v, h)? {
            s.table.remove(i);
        }
        Ok(())
    };
    if let Some(o) = other.cast::<Set>() {
        if o == s {
            s.table.clear();
            return Ok(());
        }
        return each_hashed(&o.table, remove);
    }
    if let Some(d) = plain_dict(vm, other) {
        return each_hashed(&d.table, remove);
    }
    vm.for_each(other, |v| s.remove(vm, v).map(|_| ()))
}

/// Keeps what `other` gives too.
fn intersection_into(vm: &Vm, s: Ref<Set>, other: Value) -> R<()> {
    let kept = new_set(vm, vm.types.set)?;
    add_common(vm, kept, s, other)?;
    s.table.clear();
    s.table.copy_from(vm, s, &kept.table)
}

/// Adds what a set and `other` have both.
fn add_common(vm: &Vm, to: Ref<Set>, s: Ref<Set>, other: Value) -> R<()> {
    let Some(o) = other.cast::<Set>() else {
        return vm.for_each(other, |v| {
            let hash = vm.hash_as(v, "a set element")?;
            if s.table.find(vm, v, hash)?.is_some() {
                to.add_hashed(vm, v, hash)?;
            }
            Ok(())
        });
    };
    // The smaller set is gone through, and gives the items; of two alike the other one.
    let (small, large) = if o.len() <= s.len() { (o, s) } else { (s, o) };
    // The items are others than those before them, unless code has run that put these there.
    let mut distinct = to.is_empty();
    each_hashed(&small.table, |v, h| {
        let found = match large.table.find_same(v, h) {
            Some(found) => found,
            None => {
                distinct = false;
                large.table.find(vm, v, h)?.is_some()
            }
        };
        if found && distinct {
            to.table.push(vm, to, v, h, Value::NONE)?;
        } else if found {
            to.add_hashed(vm, v, h)?;
        }
        Ok(())
    })
}

/// Keeps what is in one of the two only.
pub fn symmetric_difference_of(vm: &Vm, s: Ref<Set>, other: Value) -> R<()> {
    if other.is(s.value()) {
        s.table.clear();
        return Ok(());
    }
    let other = match other.cast::<Set>() {
        Some(o) => o,
        None => {
            // Its items count once.
            let o = new_set(vm, vm.types.set)?;
            set_update(vm, o, other)?;
            o
        }
    };
    each_hashed(&other.table, |v, h| match s.table.find(vm, v, h)? {
        Some(i) => {
            s.table.remove(i);
            Ok(())
        }
        None => s.add_hashed(vm, v, h).map(|_| ()),
    })
}

type Into = fn(&Vm, Ref<Set>, Value) -> R<()>;

/// A copy of the set, of the base type, with `f` applied for each argument.
fn fresh(vm: &Vm, name: &str, args: Args<'_>, f: Into) -> R<Ref<Set>> {
    let s = this(vm, name, args)?;
    let out = copy_as(vm, s, base_of(vm, s))?;
    for &v in &args.positional()[1..] {
        f(vm, out, v)?;
    }
    Ok(out)
}

fn in_place(vm: &Vm, name: &str, args: Args<'_>, f: Into) -> R<()> {
    let s = this(vm, name, args)?;
    args.positional()[1..].iter().try_for_each(|&v| f(vm, s, v))
}

fn operator(vm: &Vm, a: Value, b: Value, f: Into) -> R<Value> {
    let (Some(x), Some(_)) = (a.cast::<Set>(), b.cast::<Set>()) else { return Ok(Value::NOT_IMPLEMENTED) };
    let out = copy_as(vm, x, base_of(vm, x))?;
    f(vm, out, b)?;
    Ok(out.value())
}

/// `a | b`.
fn union(vm: &Vm, a: Value, b: Value) -> R<Value> {
    /// More than that may well be in both.
    const MOST: usize = 64;
    let (Some(x), Some(y)) = (a.cast::<Set>(), b.cast::<Set>()) else { return Ok(Value::NOT_IMPLEMENTED) };
    let out = new_set(vm, base_of(vm, x))?;
    out.table.copy_with_room(vm, out, &x.table, y.len().min(MOST))?;
    set_update(vm, out, b)?;
    Ok(out.value())
}

/// `a & b`.
fn common(vm: &Vm, a: Value, b: Value) -> R<Value> {
    let (Some(x), Some(_)) = (a.cast::<Set>(), b.cast::<Set>()) else { return Ok(Value::NOT_IMPLEMENTED) };
    let out = new_set(vm, base_of(vm, x))?;
    add_common(vm, out, x, b)?;
    Ok(out.value())
}

fn inplace_operator(vm: &Vm, a: Ref<Set>, b: Value, f: Into) -> R<Value> {
    if b.cast::<Set>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    f(vm, a, b)?;
    Ok(a.value())
}

fn copy_as(vm: &Vm, s: Ref<Set>, ty: Ref<Type>) -> R<Ref<Set>> {
    let out = new_set(vm, ty)?;
    out.table.copy_from(vm, out, &s.table)?;
    Ok(out)
}

fn copy(vm: &Vm, s: Ref<Set>) -> R<Ref<Set>> {
    if vm.type_of(s.value()) == vm.types.frozenset {
        return Ok(s);
    }
    copy_as(vm, s, base_of(vm, s))
}

/// The hash of a key, where a set stands for the frozenset of its items.
fn key_hash(vm: &Vm, v: Value) -> R<i64> {
    match v.cast::<Set>() {
        Some(s)
            if !is_frozen(vm, s) && vm.type_of(v).special(vm, Special::Hash).is_none_or(|f| f.is_none()) =>
        {
            Ok(items_hash(s))
        }
        _ => vm.hash_as(v, "a set element"),
    }
}

fn contains(vm: &Vm, s: Ref<Set>, v: Value) -> R<bool> {
    let hash = key_hash(vm, v)?;
    Ok(s.table.find(vm, v, hash)?.is_some())
}

fn take(vm: &Vm, s: Ref<Set>, v: Value) -> R<bool> {
    let hash = key_hash(vm, v)?;
    let found = s.table.find(vm, v, hash)?;
    if let Some(i) = found {
        s.table.remove(i);
    }
    Ok(found.is_some())
}

fn remove(vm: &Vm, s: Ref<Set>, v: Value) -> R<()> {
    if take(vm, s, v)? { Ok(()) } else { Err(vm.key_error(v)) }
}

fn discard(vm: &Vm, s: Ref<Set>, v: Value) -> R<()> {
    take(vm, s, v).map(|_| ())
}

fn pop(vm: &Vm, s: Ref<Set>) -> R<Value> {
    for i in (0..s.table.fill()).rev() {
        if let Some((v, _)) = s.table.entry(i) {
            s.table.remove(i);
            return Ok(v);
        }
    }
    let text = vm.str("pop from an empty set")?;
    Err(vm.key_error(text))
}

fn symmetric_difference(vm: &Vm, s: Ref<Set>, other: Value) -> R<Ref<Set>> {
    let out = copy_as(vm, s, base_of(vm, s))?;
    symmetric_difference_of(vm, out, other)?;
    Ok(out)
}

fn isdisjoint(vm: &Vm, s: Ref<Set>, other: Value) -> R<bool> {
    if other.is(s.value()) {
        return Ok(s.is_empty());
    }
    // Of two sets the smaller one is walked.
    let ty = vm.type_of(other);
    let (s, other) = match other.cast::<Set>() {
        Some(o) if o.len() > s.len() && (ty == vm.types.set || ty == vm.types.frozenset) => (o, s.value()),
        _ => (s, other),
    };
    let it = vm.iter(other)?;
    while let Some(v) = vm.next(it)? {
        if s.contains(vm, v)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The items as a set, if they are not one.
fn as_set(vm: &Vm, v: Value) -> R<Ref<Set>> {
    match v.cast::<Set>() {
        Some(s) => Ok(s),
        None => {
            let s = new_set(vm, vm.types.set)?;
            set_update(vm, s, v)?;
            Ok(s)
        }
    }
}

fn subset(vm: &Vm, a: Ref<Set>, b: Ref<Set>) -> R<bool> {
    if a.len() > b.len() {
        return Ok(false);
    }
    let mut i = 0;
    while let Some(e) = a.table.entries()
        && i < e.fill()
    {
        if let Some((k, _)) = e.entry(i)
            && b.table.find(vm, k, e.hash_at(i))?.is_none()
        {
            return Ok(false);
        }
        i += 1;
    }
    Ok(true)
}

fn issubset(vm: &Vm, s: Ref<Set>, other: Value) -> R<bool> {
    subset(vm, s, as_set(vm, other)?)
}

fn issuperset(vm: &Vm, s: Ref<Set>, other: Value) -> R<bool> {
    if other.cast::<Set>().is_none() {
        let it = vm.iter(other)?;
        while let Some(v) = vm.next(it)? {
            if !s.contains(vm, v)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    subset(vm, as_set(vm, other)?, s)
}

fn compare(vm: &Vm, op: Special, a: Ref<Set>, b: Value) -> R<Value> {
    let Some(b) = b.cast::<Set>() else { return Ok(Value::NOT_IMPLEMENTED) };
    check_native_stack(vm, " in comparison")?;
    let (n, m) = (a.len(), b.len());
    Ok(Value::bool(match op {
        Special::Eq => n == m && subset(vm, a, b)?,
        Special::Ne => n != m || !subset(vm, a, b)?,
        Special::Lt => n < m && subset(vm, a, b)?,
        Special::Le => subset(vm, a, b)?,
        Special::Gt => n > m && subset(vm, b, a)?,
        _ => subset(vm, b, a)?,
    }))
}

/// The hash of the set of these items, whatever their order.
fn items_hash(s: Ref<Set>) -> i64 {
    let mut hash = 0u64;
    if let Some(e) = s.table.entries() {
        for i in (0..e.fill()).filter(|&i| e.entry(i).is_some()) {
            let h = e.hash_at(i) as u64;
            hash ^= ((h ^ 89_869_747) ^ (h << 16)).wrapping_mul(3_644_798_167);
        }
    }
    hash ^= (s.len() as u64 + 1).wrapping_mul(1_927_868_237);
    hash ^= (hash >> 11) ^ (hash >> 25);
    hash = hash.wrapping_mul(69_069).wrapping_add(907_133_923);
    if hash == u64::MAX { 590_923_713 } else { hash as i64 }
}

fn frozen_hash(s: Ref<Set>) -> i64 {
    if s.hash.get() == 0 {
        s.hash.set(items_hash(s));
    }
    s.hash.get()
}

fn repr(vm: &Vm, s: Ref<Set>) -> R<Value> {
    let ty = vm.type_of(s.value());
    let name = ty.name_string();
    if s.is_empty() {
        return vm.str(&format!("{name}()"));
    }
    let text = vm.repr_guard(s.value(), || {
        check_native_stack(vm, " while getting the repr of an object")?;
        let mut out = if ty == vm.types.set { Vec::new() } else { format!("{name}(").into_bytes() };
        out.push(b'{');
        let items = vm.list_from(s.value())?;
        for (i, &v) in items.items().iter().enumerate() {
            if i > 0 {
                vm.put(&mut out, b", ")?;
            }
            vm.put(&mut out, vm.repr(v)?.bytes())?;
        }
        out.push(b'}');
        if ty != vm.types.set {
            out.push(b')');
        }
        Ok(Str::new(vm, &out)?.value())
    })?;
    match text {
        Some(v) => Ok(v),
        None => vm.str(&format!("{name}(...)")),
    }
}

fn reduce(vm: &Vm, s: Ref<Set>) -> R<Value> {
    let items = vm.list_from(s.value())?;
    let args = vm.tuple(&[items.value()])?;
    let state = vm.instance_dict(s.value())?.map_or(Value::NONE, |d| d.value());
    vm.tuple(&[vm.type_of(s.value()).value(), args, state])
}

fn next(vm: &Vm, it: Ref<DictIter>) -> R<Value> {
    let Some(s) = it.table.cast::<Set>() else { return Ok(vm.stop()) };
    if s.len() != it.len.get() {
        it.len.set(usize::MAX);
        return Err(vm.runtime_error("Set changed size during iteration"));
    }
    let mut i = it.index.get();
    while i < s.table.fill() {
        i += 1;
        if let Some((k, _)) = s.table.entry(i - 1) {
            it.index.set(i);
            return Ok(k);
        }
    }
    it.table.init(None);
    Ok(vm.stop())
}

fn length_hint(_: &Vm, it: Ref<DictIter>) -> usize {
    match it.table.cast::<Set>() {
        Some(s) if s.len() == it.len.get() => {
            (it.index.get()..s.table.fill()).filter(|&i| s.table.entry(i).is_some()).count()
        }
        _ => 0,
    }
}
