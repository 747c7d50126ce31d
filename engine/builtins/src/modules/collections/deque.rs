//! `deque`: a ring buffer.

use crate::types::{compare_rows, repeat_count, repeated, string_of_items};
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{check_class, class_argument, ext_type};
use skein_runtime::types::instance::Values;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

struct Deque {
    /// [`Values`] whose capacity is a power of two; nothing while it is empty.
    ring: Field,
    /// Position of the first item.
    head: Cell<usize>,
    len: Cell<usize>,
    /// usize::MAX: unbounded.
    maxlen: Cell<usize>,
    /// Counts changes, so that iterators notice.
    changes: Cell<usize>,
}

impl Payload for Deque {
    const NAME: &'static str = "collections.deque";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Deque { ring, head: _, len: _, maxlen: _, changes: _ } = self;
        ring.trace(t);
    }
}

type This = Ref<Ext<Deque>>;
type Arg = ExtArg<Deque>;

native_type! {
    pub DEQUE: "collections.deque", Kind::Ext, type_flags::BASETYPE | type_flags::SEQUENCE | type_flags::HAS_WEAKREF, "A list-like sequence optimized for data accesses near its endpoints.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, *args, **kwargs)" => init;
        [leaf] "append($self, item, /)" => |vm: &Vm, d: Arg, v: Value| push_back(vm, d.0, v), "Add an element to the right side of the deque.";
        [leaf] "appendleft($self, item, /)" => |vm: &Vm, d: Arg, v: Value| push_front(vm, d.0, v), "Add an element to the left side of the deque.";
        [leaf] "pop($self, /)" => |vm: &Vm, d: Arg| pop_back(d.0).ok_or_else(|| empty(vm)), "Remove and return the rightmost element.";
        [leaf] "popleft($self, /)" => |vm: &Vm, d: Arg| pop_front(d.0).ok_or_else(|| empty(vm)), "Remove and return the leftmost element.";
        "extend($self, iterable, /)" => |vm: &Vm, d: Arg, from: Value| extend(vm, d.0, from, push_back), "Extend the right side of the deque with elements from the iterable.";
        "extendleft($self, iterable, /)" => |vm: &Vm, d: Arg, from: Value| extend(vm, d.0, from, push_front), "Extend the left side of the deque with elements from the iterable.";
        "rotate($self, n=1, /)" => |vm: &Vm, d: Arg, n: Option<i64>| rotate(vm, d.0, n.unwrap_or(1)), "Rotate the deque n steps to the right.  If n is negative, rotates left.";
        [leaf] "clear($self, /)" => |_: &Vm, d: Arg| clear(d.0), "Remove all elements from the deque.";
        [leaf] "copy($self, /)" => |vm: &Vm, d: Arg| copy(vm, d.0), "Return a shallow copy of a deque.";
        "__copy__($self, /)" => |vm: &Vm, d: Arg| copy(vm, d.0), "Return a shallow copy of a deque.";
        "count($self, value, /)" => count, "Return number of occurrences of value.";
        "index($self, value, start=0, stop=<unrepresentable>, /)" => index, "Return first index of value.\n\nRaises ValueError if the value is not present.";
        "insert($self, index, value, /)" => insert, "Insert value before index.";
        "remove($self, value, /)" => remove, "Remove first occurrence of value.";
        [leaf] "reverse($self, /)" => |vm: &Vm, d: Arg| reverse(vm, d.0), "Reverse *IN PLACE*.";
        [leaf] "__len__($self, /)" => |_: &Vm, d: Arg| d.0.len.get();
        "__getitem__($self, key, /)" => |vm: &Vm, d: Arg, key: Value| Ok::<_, skein_runtime::value::Raised>(get(d.0, position(vm, d.0, key)?).unwrap_or(Value::NONE));
        "__setitem__($self, key, value, /)" => setitem;
        "__delitem__($self, key, /)" => |vm: &Vm, d: Arg, key: Value| position(vm, d.0, key).and_then(|i| remove_at(vm, d.0, i));
        "__contains__($self, key, /)" => |vm: &Vm, d: Arg, v: Value| Ok::<_, skein_runtime::value::Raised>(find(vm, d.0, v, 0, usize::MAX)?.is_some());
        "__iter__($self, /)" => |vm: &Vm, d: Arg| iterate(vm, d.0, &ITERATOR);
        "__reversed__($self, /)" => |vm: &Vm, d: Arg| iterate(vm, d.0, &REVERSE_ITERATOR);
        "__add__($self, value, /)" => add;
        "__iadd__($self, value, /)" => |vm: &Vm, d: Arg, from: Value| extend(vm, d.0, from, push_back).map(|()| d.0);
        "__mul__($self, value, /)" => mul;
        "__rmul__($self, value, /)" => mul;
        "__imul__($self, value, /)" => imul;
        "__repr__($self, /)" => repr;
        "__eq__($self, value, /)" => |vm: &Vm, a: Arg, b: Value| compare(vm, Special::Eq, a.0, b);
        "__ne__($self, value, /)" => |vm: &Vm, a: Arg, b: Value| compare(vm, Special::Ne, a.0, b);
        "__lt__($self, value, /)" => |vm: &Vm, a: Arg, b: Value| compare(vm, Special::Lt, a.0, b);
        "__le__($self, value, /)" => |vm: &Vm, a: Arg, b: Value| compare(vm, Special::Le, a.0, b);
        "__gt__($self, value, /)" => |vm: &Vm, a: Arg, b: Value| compare(vm, Special::Gt, a.0, b);
        "__ge__($self, value, /)" => |vm: &Vm, a: Arg, b: Value| compare(vm, Special::Ge, a.0, b);
        "__reduce__($self, /)" => reduce;
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
    getset { "maxlen" => get_maxlen; }
}

fn empty(vm: &Vm) -> skein_runtime::value::Raised {
    vm.index_error("pop from an empty deque")
}

fn alloc(vm: &Vm, ty: Ref<Type>, maxlen: usize) -> R<This> {
    let payload = Deque {
        ring: Field::new(None),
        head: Cell::new(0),
        len: Cell::new(0),
        maxlen: Cell::new(maxlen),
        changes: Cell::new(0),
    };
    Ext::new(vm, ty, payload)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, ext_type(vm, &DEQUE)?)?;
    Ok(alloc(vm, ty, usize::MAX)?.value())
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let Some(d) = args.positional().first().and_then(|d| d.cast::<Ext<Deque>>()) else {
        return Err(vm.type_error("descriptor '__init__' requires a 'collections.deque' object"));
    };
    let (mut iterable, mut maxlen) = match args.positional()[1..] {
        [] => (None, None),
        [it] => (Some(it), None),
        [it, n] => (Some(it), Some(n)),
        ref more => {
            return Err(vm.type_error(format!("deque() takes at most 2 arguments ({} given)", more.len())));
        }
    };
    for (k, v) in args.keywords() {
        let k = k.cast::<Str>().map(|k| k.to_string_lossy().into_owned()).unwrap_or_default();
        match k.as_str() {
            "iterable" if iterable.is_none() => iterable = Some(v),
            "maxlen" if maxlen.is_none() => maxlen = Some(v),
            _ => return Err(vm.type_error(format!("deque() got an unexpected keyword argument '{k}'"))),
        }
    }
    let limit = match maxlen.filter(|n| !n.is_none()) {
        None => usize::MAX,
        Some(n) => {
            if !vm.is_int(n) {
                return Err(vm.type_error("an integer is required"));
            }
            usize::try_from(vm.index_i64(n)?).map_err(|_| vm.value_error("maxlen must be non-negative"))?
        }
    };
    d.maxlen.set(limit);
    clear(d);
    match iterable {
        Some(it) => extend(vm, d, it, push_back),
        None => Ok(()),
    }
}

#[inline(always)]
fn ring(d: This) -> Option<Ref<Values>> {
    // SAFETY: the slot holds nothing else.
    d.ring.get().map(|v| unsafe { v.cast_unchecked() })
}

/// Where item `i` lies.
#[inline(always)]
fn slot(d: This, ring: Ref<Values>, i: usize) -> usize {
    (d.head.get() + i) & (ring.slots().len() - 1)
}

/// Item `i`, if there is one.
#[inline(always)]
fn get(d: This, i: usize) -> Option<Value> {
    let ring = ring(d)?;
    if i < d.len.get() { ring.slots()[slot(d, ring, i)].get() } else { None }
}

fn changed(d: This) {
    d.changes.set(d.changes.get().wrapping_add(1));
}

/// The ring with room for one more item. MemoryError.
#[inline(always)]
fn room(vm: &Vm, d: This) -> R<Ref<Values>> {
    match ring(d) {
        Some(r) if d.len.get() < r.slots().len() => Ok(r),
        _ => grow(vm, d),
    }
}

#[cold]
fn grow(vm: &Vm, d: This) -> R<Ref<Values>> {
    let new = Values::new(vm, (d.len.get() + 1).next_power_of_two().max(8))?;
    if let Some(old) = ring(d) {
        for i in 0..d.len.get() {
            new.store(vm, i, old.slots()[slot(d, old, i)].get());
        }
    }
    d.ring.set(vm, d, new.value());
    d.head.set(0);
    Ok(new)
}

/// A deque of no class of a program's.
fn exact(vm: &Vm, v: Value) -> Option<This> {
    v.cast::<Ext<Deque>>().filter(|_| vm.type_of(v).def().is_some())
}

pub fn is_deque(vm: &Vm, v: Value) -> bool {
    exact(vm, v).is_some()
}

/// Adds an item at the right side. None: it is no deque, or one of a class of a program's.
pub fn push(vm: &Vm, deque: Value, item: Value) -> Option<R<()>> {
    exact(vm, deque).map(|d| push_back(vm, d, item))
}

fn push_back(vm: &Vm, d: This, v: Value) -> R<()> {
    if d.len.get() >= d.maxlen.get() && pop_front(d).is_none() {
        return Ok(());
    }
    let ring = room(vm, d)?;
    ring.store(vm, slot(d, ring, d.len.get()), v);
    d.len.set(d.len.get() + 1);
    changed(d);
    Ok(())
}

fn push_front(vm: &Vm, d: This, v: Value) -> R<()> {
    if d.len.get() >= d.maxlen.get() && pop_back(d).is_none() {
        return Ok(());
    }
    let ring = room(vm, d)?;
    let head = d.head.get().wrapping_sub(1) & (ring.slots().len() - 1);
    ring.store(vm, head, v);
    d.head.set(head);
    d.len.set(d.len.get() + 1);
    changed(d);
    Ok(())
}

fn pop_front(d: This) -> Option<Value> {
    let v = get(d, 0)?;
    let ring = ring(d)?;
    ring.slots()[d.head.get()].init(None);
    d.head.set(slot(d, ring, 1));
    d.len.set(d.len.get() - 1);
    changed(d);
    Some(v)
}

fn pop_back(d: This) -> Option<Value> {
    let last = d.len.get().checked_sub(1)?;
    let ring = ring(d)?;
    let at = slot(d, ring, last);
    let v = ring.slots()[at].get();
    ring.slots()[at].init(None);
    d.len.set(last);
    changed(d);
    v
}

fn clear(d: This) {
    d.ring.init(None);
    d.head.set(0);
    d.len.set(0);
    changed(d);
}

fn extend(vm: &Vm, d: This, from: Value, push: fn(&Vm, This, Value) -> R<()>) -> R<()> {
    if from.is(d.value()) {
        let items = list_of(vm, d)?;
        return items.items().iter().try_for_each(|&v| push(vm, d, v));
    }
    vm.for_each(from, |v| push(vm, d, v))
}

/// The items in a new list.
fn list_of(vm: &Vm, d: This) -> R<Ref<List>> {
    let list = List::with_capacity(vm, d.len.get())?;
    let mut i = 0;
    while let Some(v) = get(d, i) {
        list.push(vm, v)?;
        i += 1;
    }
    Ok(list)
}

fn rotate(vm: &Vm, d: This, n: i64) {
    let len = d.len.get();
    if len < 2 {
        return;
    }
    let right = n.rem_euclid(len as i64) as usize;
    let Some(ring) = ring(d) else { return };
    if len == ring.slots().len() {
        // A full ring is turned by its head alone.
        d.head.set(slot(d, ring, len - right));
    } else {
        // Item by item, on the shorter way round.
        let shift = |from: usize, to: usize| {
            let v = ring.slots()[from].get();
            ring.slots()[from].init(None);
            ring.store(vm, to, v);
        };
        let mask = ring.slots().len() - 1;
        if right <= len / 2 {
            for _ in 0..right {
                let head = d.head.get().wrapping_sub(1) & mask;
                shift(slot(d, ring, len - 1), head);
                d.head.set(head);
            }
        } else {
            for _ in 0..len - right {
                shift(d.head.get(), slot(d, ring, len));
                d.head.set(slot(d, ring, 1));
            }
        }
    }
    changed(d);
}

fn copy(vm: &Vm, d: This) -> R<Value> {
    let ty = vm.type_of(d.value());
    if ty == ext_type(vm, &DEQUE)? {
        let new = alloc(vm, ty, d.maxlen.get())?;
        extend(vm, new, d.value(), push_back)?;
        return Ok(new.value());
    }
    let made = match get_maxlen(vm, d.value())? {
        n if n.is_none() => vm.call(ty.value(), &[d.value()]),
        n => vm.call(ty.value(), &[d.value(), n]),
    }?;
    if made.cast::<Ext<Deque>>().is_none() {
        return Err(vm.type_error(format!(
            "{}() must return a deque, not {}",
            ty.name_string(),
            vm.type_name(made)
        )));
    }
    Ok(made)
}

fn get_maxlen(vm: &Vm, v: Value) -> R<Value> {
    match v.cast::<Ext<Deque>>() {
        Some(d) if d.maxlen.get() != usize::MAX => vm.int(d.maxlen.get() as i64),
        _ => Ok(Value::NONE),
    }
}

/// The first item from `start` on and before `stop` that equals `v`. RuntimeError if changed.
fn find(vm: &Vm, d: This, v: Value, start: usize, stop: usize) -> R<Option<usize>> {
    let changes = d.changes.get();
    let mut i = start;
    while i < stop
        && let Some(item) = get(d, i)
    {
        let same = vm.eq(item, v)?;
        if d.changes.get() != changes {
            return Err(vm.runtime_error("deque mutated during iteration"));
        }
        if same {
            return Ok(Some(i));
        }
        i += 1;
    }
    Ok(None)
}

fn count(vm: &Vm, d: Arg, v: Value) -> R<usize> {
    let (mut n, mut from) = (0, 0);
    while let Some(i) = find(vm, d.0, v, from, usize::MAX)? {
        n += 1;
        from = i + 1;
    }
    Ok(n)
}

fn index(vm: &Vm, d: Arg, v: Value, start: Option<Value>, stop: Option<Value>) -> R<usize> {
    let len = d.0.len.get();
    let bound = |v: Option<Value>, default: usize| -> R<usize> {
        let Some(v) = v else { return Ok(default) };
        let i = vm.index_clamped(v)?;
        Ok(if i < 0 { i.saturating_add(len as i64).max(0) as usize } else { i as usize })
    };
    match find(vm, d.0, v, bound(start, 0)?, bound(stop, len)?)? {
        Some(i) => Ok(i),
        None => Err(vm.value_error(format!("{} is not in deque", vm.repr_string(v)?))),
    }
}

fn insert(vm: &Vm, d: Arg, i: i64, v: Value) -> R<()> {
    let (d, len) = (d.0, d.0.len.get());
    if len >= d.maxlen.get() {
        return Err(vm.index_error("deque already at its maximum size"));
    }
    let at = if i < 0 { i.saturating_add(len as i64).max(0) as usize } else { (i as usize).min(len) };
    push_back(vm, d, v)?;
    if let Some(ring) = ring(d) {
        for i in (at..len).rev() {
            ring.store(vm, slot(d, ring, i + 1), ring.slots()[slot(d, ring, i)].get());
        }
        ring.store(vm, slot(d, ring, at), v);
    }
    Ok(())
}

fn remove_at(vm: &Vm, d: This, at: usize) -> R<()> {
    if let Some(ring) = ring(d) {
        if at < d.len.get() / 2 {
            for i in (0..at).rev() {
                ring.store(vm, slot(d, ring, i + 1), ring.slots()[slot(d, ring, i)].get());
            }
            pop_front(d);
        } else {
            for i in at + 1..d.len.get() {
                ring.store(vm, slot(d, ring, i - 1), ring.slots()[slot(d, ring, i)].get());
            }
            pop_back(d);
        }
    }
    Ok(())
}

fn remove(vm: &Vm, d: Arg, v: Value) -> R<()> {
    let changes = d.0.changes.get();
    let found = find(vm, d.0, v, 0, usize::MAX);
    if d.0.changes.get() != changes {
        return found.and(Err(vm.index_error("deque mutated during remove().")));
    }
    match found? {
        Some(i) => remove_at(vm, d.0, i),
        None => Err(vm.value_error("deque.remove(x): x not in deque")),
    }
}

fn reverse(vm: &Vm, d: This) {
    let Some(ring) = ring(d) else { return };
    let len = d.len.get();
    for i in 0..len / 2 {
        let (a, b) = (slot(d, ring, i), slot(d, ring, len - 1 - i));
        let (x, y) = (ring.slots()[a].get(), ring.slots()[b].get());
        ring.store(vm, a, y);
        ring.store(vm, b, x);
    }
    changed(d);
}

fn position(vm: &Vm, d: This, key: Value) -> R<usize> {
    if !vm.is_int(key) && vm.type_of(key).special(vm, Special::Index).is_none() {
        return Err(vm.type_error(format!("sequence index must be integer, not '{}'", vm.type_name(key))));
    }
    let (i, len) = (vm.index_clamped(key)?, d.len.get());
    let at = if i < 0 { i.saturating_add(len as i64) } else { i };
    if at >= 0 && (at as usize) < len {
        Ok(at as usize)
    } else {
        Err(vm.index_error("deque index out of range"))
    }
}

fn setitem(vm: &Vm, d: Arg, key: Value, v: Value) -> R<()> {
    let i = position(vm, d.0, key)?;
    if let Some(ring) = ring(d.0) {
        ring.store(vm, slot(d.0, ring, i), v);
    }
    Ok(())
}

fn add(vm: &Vm, d: Arg, other: Value) -> R<Value> {
    if other.cast::<Ext<Deque>>().is_none() {
        return Err(
            vm.type_error(format!("can only concatenate deque (not \"{}\") to deque", vm.type_name(other)))
        );
    }
    let new = copy(vm, d.0)?;
    if let Some(new) = new.cast::<Ext<Deque>>() {
        extend(vm, new, other, push_back)?;
    }
    Ok(new)
}

fn mul(vm: &Vm, d: Arg, n: Value) -> R<Value> {
    let Some(n) = repeat_count(vm, d.0.value(), n)? else { return Ok(Value::NOT_IMPLEMENTED) };
    let items = repeated(vm, list_of(vm, d.0)?.items(), n)?;
    let new = copy(vm, d.0)?;
    if let Some(new) = new.cast::<Ext<Deque>>() {
        clear(new);
        extend(vm, new, items.value(), push_back)?;
    }
    Ok(new)
}

fn imul(vm: &Vm, d: Arg, n: Value) -> R<Value> {
    let Some(n) = repeat_count(vm, d.0.value(), n)? else { return Ok(Value::NOT_IMPLEMENTED) };
    let items = repeated(vm, list_of(vm, d.0)?.items(), n)?;
    clear(d.0);
    extend(vm, d.0, items.value(), push_back)?;
    Ok(d.0.value())
}

fn repr(vm: &Vm, d: Arg) -> R<Value> {
    let d = d.0;
    let name = vm.type_of(d.value()).name_string();
    let close = match d.maxlen.get() {
        usize::MAX => "])".to_string(),
        n => format!("], maxlen={n})"),
    };
    let items = list_of(vm, d)?;
    let text =
        vm.repr_guard(d.value(), || string_of_items(vm, &format!("{name}(["), &close, |i| items.get(i)))?;
    match text {
        Some(v) => Ok(v),
        None => vm.str("[...]"),
    }
}

fn compare(vm: &Vm, op: Special, a: This, b: Value) -> R<Value> {
    let Some(b) = b.cast::<Ext<Deque>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    if a.len.get() != b.len.get() && matches!(op, Special::Eq | Special::Ne) {
        return Ok(Value::bool(op == Special::Ne));
    }
    compare_rows(vm, op, |i| get(a, i), |i| get(b, i))
}

fn reduce(vm: &Vm, d: Arg) -> R<Value> {
    let v = d.0.value();
    let maxlen = get_maxlen(vm, v)?;
    let args = if maxlen.is_none() {
        vm.tuple(&[])?
    } else {
        let empty = vm.tuple(&[])?;
        vm.tuple(&[empty, maxlen])?
    };
    let state = vm.instance_dict(v)?.map_or(Value::NONE, |d| d.value());
    vm.tuple(&[vm.type_of(v).value(), args, state, vm.iter(v)?])
}

struct DequeIter {
    deque: Field,
    index: Cell<usize>,
    changes: Cell<usize>,
}

impl Payload for DequeIter {
    const NAME: &'static str = "collections._deque_iterator";
    fn trace(&self, t: &mut Tracer<'_>) {
        let DequeIter { deque, index: _, changes: _ } = self;
        deque.trace(t);
    }
}

native_type! {
    pub ITERATOR: "collections._deque_iterator", Kind::Ext, 0;
    methods {
        [static] "__new__($type, iterable, index=0, /)" => |vm: &Vm, ty: Ref<Type>, d: Arg, i: Option<usize>| new_iterator(vm, ty, &ITERATOR, d.0, i);
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        [leaf] "__next__($self, /)" => |vm: &Vm, it: ExtArg<DequeIter>| next(vm, it.0, false);
        "__reduce__($self, /)" => reduce_iterator, "Return state information for pickling.";
        "__length_hint__($self, /)" => length_hint;
    }
}

native_type! {
    pub REVERSE_ITERATOR: "collections._deque_reverse_iterator", Kind::Ext, 0;
    methods {
        [static] "__new__($type, iterable, index=0, /)" => |vm: &Vm, ty: Ref<Type>, d: Arg, i: Option<usize>| new_iterator(vm, ty, &REVERSE_ITERATOR, d.0, i);
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        [leaf] "__next__($self, /)" => |vm: &Vm, it: ExtArg<DequeIter>| next(vm, it.0, true);
        "__reduce__($self, /)" => reduce_iterator, "Return state information for pickling.";
        "__length_hint__($self, /)" => length_hint;
    }
}

fn iterate(vm: &Vm, d: This, def: &'static skein_runtime::native::TypeDef) -> R<Value> {
    new_iterator(vm, ext_type(vm, def)?, def, d, None)
}

fn new_iterator(
    vm: &Vm,
    ty: Ref<Type>,
    def: &'static skein_runtime::native::TypeDef,
    d: This,
    index: Option<usize>,
) -> R<Value> {
    check_class(vm, ty, def)?;
    let payload = DequeIter {
        deque: Field::new(Some(d.value())),
        index: Cell::new(index.unwrap_or(0)),
        changes: Cell::new(d.changes.get()),
    };
    Ok(Ext::new(vm, ty, payload)?.value())
}

fn next(vm: &Vm, it: Ref<Ext<DequeIter>>, backward: bool) -> R<Value> {
    let Some(d) = it.deque.cast::<Ext<Deque>>() else { return Ok(vm.stop()) };
    if d.changes.get() != it.changes.get() {
        it.deque.init(None);
        return Err(vm.runtime_error("deque mutated during iteration"));
    }
    let i = it.index.get();
    let at = if backward { d.len.get().checked_sub(i + 1) } else { Some(i) };
    match at.and_then(|at| get(d, at)) {
        Some(v) => {
            it.index.set(i + 1);
            Ok(v)
        }
        None => {
            it.deque.init(None);
            Ok(vm.stop())
        }
    }
}

fn reduce_iterator(vm: &Vm, it: ExtArg<DequeIter>) -> R<Value> {
    let deque = match it.0.deque.get() {
        Some(d) => d,
        // One that has ended.
        None => vm.call(ext_type(vm, &DEQUE)?.value(), &[])?,
    };
    let args = vm.tuple(&[deque, vm.int(it.0.index.get() as i64)?])?;
    vm.tuple(&[vm.type_of(it.0.value()).value(), args])
}

fn length_hint(_: &Vm, it: ExtArg<DequeIter>) -> usize {
    let n = it.0.deque.cast::<Ext<Deque>>().map_or(0, |d| d.len.get());
    n.saturating_sub(it.0.index.get())
}
