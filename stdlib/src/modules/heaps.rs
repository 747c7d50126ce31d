//! `_heapq` and `_bisect`: heaps in lists, and searches in sorted rows.

use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::{R, Raised, Value, Vm, native_functions};

/// Which of two items is nearer to the top.
type Before = fn(&Vm, Value, Value) -> R<bool>;

fn less(vm: &Vm, a: Value, b: Value) -> R<bool> {
    vm.lt(a, b)
}

fn greater(vm: &Vm, a: Value, b: Value) -> R<bool> {
    vm.lt(b, a)
}

/// The item, where comparisons may have changed the list. RuntimeError.
fn item(vm: &Vm, heap: Ref<List>, i: usize, len: usize) -> R<Value> {
    match heap.get(i) {
        Some(v) if heap.len() == len => Ok(v),
        _ => Err(vm.runtime_error("list changed size during iteration")),
    }
}

/// Moves the item at `at` up to where it belongs, at most to `top`.
fn rise(vm: &Vm, heap: Ref<List>, top: usize, mut at: usize, before: Before) -> R<()> {
    let len = heap.len();
    while at > top {
        let parent = (at - 1) / 2;
        let (v, p) = (item(vm, heap, at, len)?, item(vm, heap, parent, len)?);
        let rises = before(vm, v, p)?;
        let (v, p) = (item(vm, heap, at, len)?, item(vm, heap, parent, len)?);
        if !rises {
            break;
        }
        heap.store(vm, at, p);
        heap.store(vm, parent, v);
        at = parent;
    }
    Ok(())
}

/// Moves the item at `at` down to a leaf by way of the nearer children, then up to where it belongs.
fn sink(vm: &Vm, heap: Ref<List>, mut at: usize, before: Before) -> R<()> {
    let (len, top) = (heap.len(), at);
    while 2 * at + 1 < len {
        let mut child = 2 * at + 1;
        if child + 1 < len {
            let (l, r) = (item(vm, heap, child, len)?, item(vm, heap, child + 1, len)?);
            if !before(vm, l, r)? {
                child += 1;
            }
        }
        let (v, c) = (item(vm, heap, at, len)?, item(vm, heap, child, len)?);
        heap.store(vm, at, c);
        heap.store(vm, child, v);
        at = child;
    }
    rise(vm, heap, top, at, before)
}

fn empty(vm: &Vm) -> Raised {
    vm.index_error("index out of range")
}

fn push(vm: &Vm, heap: Ref<List>, v: Value, before: Before) -> R<()> {
    heap.push(vm, v)?;
    rise(vm, heap, 0, heap.len() - 1, before)
}

fn pop(vm: &Vm, heap: Ref<List>, before: Before) -> R<Value> {
    let last = heap.pop().ok_or_else(|| empty(vm))?;
    let Some(top) = heap.get(0) else { return Ok(last) };
    heap.store(vm, 0, last);
    sink(vm, heap, 0, before)?;
    Ok(top)
}

fn replace(vm: &Vm, heap: Ref<List>, v: Value, before: Before) -> R<Value> {
    let top = heap.get(0).ok_or_else(|| empty(vm))?;
    heap.store(vm, 0, v);
    sink(vm, heap, 0, before)?;
    Ok(top)
}

fn pushpop(vm: &Vm, heap: Ref<List>, v: Value, before: Before) -> R<Value> {
    match heap.get(0) {
        Some(top) if before(vm, top, v)? => replace(vm, heap, v, before),
        _ => Ok(v),
    }
}

fn heapify(vm: &Vm, heap: Ref<List>, before: Before) -> R<()> {
    for i in (0..heap.len() / 2).rev() {
        sink(vm, heap, i, before)?;
    }
    Ok(())
}

native_functions! { HEAPQ:
    "heappush(heap, item, /)" => |vm: &Vm, h: Ref<List>, v: Value| push(vm, h, v, less), "Push item onto heap, maintaining the heap invariant.";
    "heappop(heap, /)" => |vm: &Vm, h: Ref<List>| pop(vm, h, less), "Pop the smallest item off the heap, maintaining the heap invariant.";
    "heapreplace(heap, item, /)" => |vm: &Vm, h: Ref<List>, v: Value| replace(vm, h, v, less), "Pop and return the current smallest value, and add the new item.";
    "heappushpop(heap, item, /)" => |vm: &Vm, h: Ref<List>, v: Value| pushpop(vm, h, v, less), "Push item on the heap, then pop and return the smallest item from the heap.";
    "heapify(heap, /)" => |vm: &Vm, h: Ref<List>| heapify(vm, h, less), "Transform list into a heap, in-place, in O(len(heap)) time.";
    "heappush_max(heap, item, /)" => |vm: &Vm, h: Ref<List>, v: Value| push(vm, h, v, greater), "Push item onto max heap, maintaining the heap invariant.";
    "heappop_max(heap, /)" => |vm: &Vm, h: Ref<List>| pop(vm, h, greater), "Maxheap variant of heappop.";
    "heapreplace_max(heap, item, /)" => |vm: &Vm, h: Ref<List>, v: Value| replace(vm, h, v, greater), "Maxheap variant of heapreplace.";
    "heappushpop_max(heap, item, /)" => |vm: &Vm, h: Ref<List>, v: Value| pushpop(vm, h, v, greater), "Maxheap variant of heappushpop.";
    "heapify_max(heap, /)" => |vm: &Vm, h: Ref<List>| heapify(vm, h, greater), "Maxheap variant of heapify.";
}

// ---- bisect

type Key = Option<Value>;

/// Where the item belongs: before the equal ones, or after them.
fn position(
    vm: &Vm,
    row: Value,
    x: Value,
    bounds: (Option<i64>, Option<Value>),
    key: Key,
    right: bool,
) -> R<i64> {
    let mut low = bounds.0.unwrap_or(0);
    if low < 0 {
        return Err(vm.value_error("lo must be non-negative"));
    }
    let mut high = match bounds.1.filter(|h| !h.is_none()) {
        Some(h) => vm.index_i64(h)?,
        None => vm.len(row)? as i64,
    };
    let key = key.filter(|k| !k.is_none());
    while low < high {
        let middle = low + (high - low) / 2;
        let mut v = match row.cast::<List>() {
            Some(l) if vm.type_of(row) == vm.types.list => {
                l.get(middle as usize).ok_or_else(|| vm.index_error("list index out of range"))?
            }
            _ => vm.get_item(row, vm.int(middle)?)?,
        };
        if let Some(k) = key {
            v = vm.call(k, &[v])?;
        }
        let after = if right { !vm.lt(x, v)? } else { vm.lt(v, x)? };
        if after {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

fn insert(
    vm: &Vm,
    row: Value,
    x: Value,
    bounds: (Option<i64>, Option<Value>),
    key: Key,
    right: bool,
) -> R<()> {
    let wanted = match key.filter(|k| !k.is_none()) {
        Some(k) => vm.call(k, &[x])?,
        None => x,
    };
    let i = position(vm, row, wanted, bounds, key, right)?;
    match row.cast::<List>() {
        Some(l) if vm.type_of(row) == vm.types.list => {
            let at = (i as usize).min(l.len());
            l.splice(vm, at, at, &[x])
        }
        _ => vm.call_method(row, "insert", &[vm.int(i)?, x]).map(|_| ()),
    }
}

native_functions! { BISECT:
    "bisect_right(a, x, lo=0, hi=None, *, key=None)" => |vm: &Vm, a: Value, x: Value, lo: Option<i64>, hi: Option<Value>, key: Key| position(vm, a, x, (lo, hi), key, true), "Return the index where to insert item x in list a, assuming a is sorted.";
    "bisect(a, x, lo=0, hi=None, *, key=None)" => |vm: &Vm, a: Value, x: Value, lo: Option<i64>, hi: Option<Value>, key: Key| position(vm, a, x, (lo, hi), key, true), "Return the index where to insert item x in list a, assuming a is sorted.";
    "bisect_left(a, x, lo=0, hi=None, *, key=None)" => |vm: &Vm, a: Value, x: Value, lo: Option<i64>, hi: Option<Value>, key: Key| position(vm, a, x, (lo, hi), key, false), "Return the index where to insert item x in list a, assuming a is sorted.";
    "insort_right(a, x, lo=0, hi=None, *, key=None)" => |vm: &Vm, a: Value, x: Value, lo: Option<i64>, hi: Option<Value>, key: Key| insert(vm, a, x, (lo, hi), key, true), "Insert item x in list a, and keep it sorted assuming a is sorted.";
    "insort(a, x, lo=0, hi=None, *, key=None)" => |vm: &Vm, a: Value, x: Value, lo: Option<i64>, hi: Option<Value>, key: Key| insert(vm, a, x, (lo, hi), key, true), "Insert item x in list a, and keep it sorted assuming a is sorted.";
    "insort_left(a, x, lo=0, hi=None, *, key=None)" => |vm: &Vm, a: Value, x: Value, lo: Option<i64>, hi: Option<Value>, key: Key| insert(vm, a, x, (lo, hi), key, false), "Insert item x in list a, and keep it sorted assuming a is sorted.";
}

/// MemoryError.
pub fn make_heapq(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "_heapq", HEAPQ)
}

/// MemoryError.
pub fn make_bisect(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "_bisect", BISECT)
}
