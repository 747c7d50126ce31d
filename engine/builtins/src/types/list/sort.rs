//! Sorting of lists: a stable merge of natural runs.
//!
//! What is sorted are the items' numbers; the items stay where they are until the order is known.
//! So comparisons, which may run any code, never see a half-moved array, and the collector none either.

use skein_runtime::object::Ref;
use skein_runtime::types::instance::Values;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// `list.sort(key=key, reverse=reverse)`. ValueError if the list is changed meanwhile.
pub fn sort_list(vm: &Vm, list: Ref<List>, key: Option<Value>, reverse: bool) -> R<()> {
    if key.is_none() && list.items().iter().all(|v| v.is_int()) {
        // Equal ones are the same, and nobody is called.
        list.permute(vm, |items| {
            items.sort_unstable_by_key(|v| v.as_small_int());
            if reverse {
                items.reverse();
            }
        });
        return Ok(());
    }
    sort_with(vm, list, reverse, |items| {
        let Some(f) = key else { return Ok(None) };
        let keys = List::with_capacity(vm, items.len())?;
        for &item in items {
            keys.push(vm, vm.call(f, &[item])?)?;
        }
        Ok(Some(keys))
    })
}

/// Sorts a list by the keys of its items. ValueError if one of the lists is changed meanwhile.
pub fn sort_by_keys(vm: &Vm, list: Ref<List>, keys: Ref<List>, reverse: bool) -> R<()> {
    if keys.len() != list.len() {
        return Err(vm.value_error("list modified during sort"));
    }
    sort_with(vm, list, reverse, |_| Ok(Some(keys)))
}

/// Sorts by the keys that a function has for the items; by themselves if it has none.
fn sort_with(
    vm: &Vm,
    list: Ref<List>,
    reverse: bool,
    keys: impl FnOnce(&[Value]) -> R<Option<Ref<List>>>,
) -> R<()> {
    let n = list.len();
    let Ok(count) = u32::try_from(n) else { return Err(vm.memory_error()) };
    let mut order: Vec<u32> = vm.buffer(count as usize)?;
    let (array, mark) = list.take_to_sort(vm)?;
    order.extend(0..count);
    if reverse {
        // Reversed before and after, so that equal items keep their order.
        order.reverse();
    }
    let sorted = (|| match keys(items_of(&array, n))? {
        // Whoever finds the list of keys finds it empty.
        Some(keys) => order_by(vm, items_of(&keys.take(), n), &mut order),
        None => order_by(vm, items_of(&array, n), &mut order),
    })();
    if reverse {
        order.reverse();
    }
    let changed = !list.is_untouched(mark);
    list.put_back(vm, array, n);
    if sorted.is_ok() {
        let mut moved: Vec<u64> = vm.buffer(n)?;
        list.permute(vm, |items| {
            // Nothing is allocated in the heap while the words are only here.
            moved.extend(order.iter().map(|&i| items[i as usize].bits()));
            for (slot, &word) in items.iter_mut().zip(&moved) {
                // SAFETY: the word of an item of this list.
                *slot = unsafe { Value::from_bits(word) };
            }
        });
    }
    sorted?;
    if changed {
        return Err(vm.value_error("list modified during sort"));
    }
    Ok(())
}

/// The items of a list that has `n`, whose array was taken from it.
fn items_of(array: &Option<Ref<Values>>, n: usize) -> &[Value] {
    match array {
        // SAFETY: the first `n` slots were the list's items; a slot is one word.
        Some(a) => unsafe { std::slice::from_raw_parts(a.slots().as_ptr().cast::<Value>(), n) },
        None => &[],
    }
}

/// Brings the numbers of `keys` into the keys' order.
fn order_by(vm: &Vm, keys: &[Value], order: &mut [u32]) -> R<()> {
    if keys.iter().all(|v| v.is_int()) {
        if order.is_sorted_by_key(|&i| keys[i as usize].as_small_int()) {
            return Ok(());
        }
        // With their places in the order so far, which decide among equal ones.
        let mut places: Vec<(i64, u32, u32)> = vm.buffer(order.len())?;
        places.extend((0..).zip(&*order).map(|(place, &i)| (keys[i as usize].as_small_int(), place, i)));
        places.sort_unstable();
        for (to, (.., i)) in order.iter_mut().zip(places) {
            *to = i;
        }
        return Ok(());
    }
    if keys.iter().all(|v| v.is_float() && !v.as_immediate_float().is_nan()) {
        let f = |i: u32| keys[i as usize].as_immediate_float();
        // Without NaN the order is total; -0.0 equals 0.0.
        order.sort_by(|&a, &b| f(a).partial_cmp(&f(b)).unwrap_or(std::cmp::Ordering::Equal));
        return Ok(());
    }
    if keys.iter().all(|&v| vm.is_exact_str(v)) {
        // SAFETY: all are strings. The order of their bytes is that of their code points.
        let text = |i: u32| unsafe { keys[i as usize].cast_unchecked::<Str>() };
        order.sort_by(|&a, &b| text(a).bytes().cmp(text(b).bytes()));
        return Ok(());
    }
    merge_sort(order, &mut |a, b| vm.lt(keys[a as usize], keys[b as usize]))
}

type Less<'a> = &'a mut dyn FnMut(u32, u32) -> R<bool>;

/// Shortest run that is merged; shorter natural runs are extended by insertion.
fn min_run(mut n: usize) -> usize {
    let mut odd = 0;
    while n >= 64 {
        odd |= n & 1;
        n >>= 1;
    }
    n + odd
}

fn merge_sort(v: &mut [u32], less: Less<'_>) -> R<()> {
    let n = v.len();
    let shortest = min_run(n);
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut spare: Vec<u32> = Vec::new();
    let mut at = 0;
    while at < n {
        let natural = find_run(&mut v[at..], less)?;
        let len = natural.max(shortest.min(n - at));
        insert_rest(&mut v[at..at + len], natural, less)?;
        runs.push((at, len));
        at += len;
        // The lengths on the stack fall quickly, so that merges are of like lengths.
        while runs.len() > 1 {
            let k = runs.len();
            let len = |i: usize| runs[i].1;
            let join = if (k >= 3 && len(k - 3) <= len(k - 2) + len(k - 1))
                || (k >= 4 && len(k - 4) <= len(k - 3) + len(k - 2))
            {
                if len(k - 3) < len(k - 1) { k - 3 } else { k - 2 }
            } else if len(k - 2) <= len(k - 1) {
                k - 2
            } else {
                break;
            };
            join_runs(v, &mut runs, join, &mut spare, less)?;
        }
    }
    while runs.len() > 1 {
        let k = runs.len();
        let join = if k >= 3 && runs[k - 3].1 < runs[k - 1].1 { k - 3 } else { k - 2 };
        join_runs(v, &mut runs, join, &mut spare, less)?;
    }
    Ok(())
}

/// Length of the sorted run at the beginning; a strictly falling one is reversed.
fn find_run(v: &mut [u32], less: Less<'_>) -> R<usize> {
    if v.len() < 2 {
        return Ok(v.len());
    }
    let falling = less(v[1], v[0])?;
    let mut n = 2;
    while n < v.len() && less(v[n], v[n - 1])? == falling {
        n += 1;
    }
    if falling {
        v[..n].reverse();
    }
    Ok(n)
}

/// Sorts `v`, whose first `sorted` items are sorted, by binary insertion.
fn insert_rest(v: &mut [u32], sorted: usize, less: Less<'_>) -> R<()> {
    for i in sorted.max(1)..v.len() {
        let x = v[i];
        let (mut low, mut high) = (0, i);
        while low < high {
            let mid = low + (high - low) / 2;
            if less(x, v[mid])? {
                high = mid;
            } else {
                low = mid + 1;
            }
        }
        v.copy_within(low..i, low + 1);
        v[low] = x;
    }
    Ok(())
}

/// Merges run `i` with the next one.
fn join_runs(
    v: &mut [u32],
    runs: &mut Vec<(usize, usize)>,
    i: usize,
    spare: &mut Vec<u32>,
    less: Less<'_>,
) -> R<()> {
    let ((start, left), (_, right)) = (runs[i], runs[i + 1]);
    runs[i].1 = left + right;
    runs.remove(i + 1);
    let v = &mut v[start..start + left + right];
    // Already in order?
    if !less(v[left], v[left - 1])? {
        return Ok(());
    }
    spare.clear();
    spare.extend_from_slice(&v[..left]);
    let (mut a, mut b, mut to) = (0, left, 0);
    while a < left && b < v.len() {
        if less(v[b], spare[a])? {
            v[to] = v[b];
            b += 1;
        } else {
            v[to] = spare[a];
            a += 1;
        }
        to += 1;
    }
    let rest = left - a;
    v[to..to + rest].copy_from_slice(&spare[a..]);
    Ok(())
}
