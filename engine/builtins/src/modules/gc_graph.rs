//! `gc.get_referents`, `gc.get_referrers`: the edges between objects, as the collector sees them.
//!
//! Between two objects that Python code knows there may be some that it does not: the arrays of lists and dicts. Values
//! of module globals lie in cells, which belong to the module's dict.

use super::gc::is_container;
use rustc_hash::FxHashSet;
use skein_runtime::native::Args;
use skein_runtime::object::{Header, Kind, Ref};
use skein_runtime::types::cell::CellObject;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

type Object = *mut Header;

fn value(object: Object) -> Value {
    // SAFETY: the heap hands out live objects.
    unsafe { Value::from_bits(object as u64) }
}

/// Is it an object that Python code never sees?
fn is_internal(vm: &Vm, object: Object) -> bool {
    // SAFETY: a live object.
    unsafe { &*object }.shape.get() == vm.internal_shape()
}

/// What an object refers to, internal objects too. MemoryError.
fn edges(vm: &Vm, object: Object, out: &mut Vec<Object>) -> R<()> {
    out.clear();
    let mut failed = false;
    // SAFETY: a live object.
    let complete = unsafe {
        vm.heap.referents(object, &mut |o| {
            failed |= out.try_reserve(1).is_err();
            if !failed {
                out.push(o);
            }
        })
    };
    if failed || !complete { Err(vm.memory_error()) } else { Ok(()) }
}

pub fn get_referents(vm: &Vm, args: Args<'_>) -> R<Ref<List>> {
    let all = List::with_capacity(vm, 0)?;
    for &v in args.positional() {
        // Of these also what is no object of the heap, in the reference implementation's order.
        if let Some(l) = v.cast::<List>() {
            for i in (0..l.len()).rev() {
                all.push(vm, l.get(i).unwrap_or(Value::NONE))?;
            }
        } else if let Some(t) = v.cast::<Tuple>() {
            for &item in t.items().iter().rev() {
                all.push(vm, item)?;
            }
        } else if let Some(d) = v.cast::<Dict>() {
            let names_only = d.iter().all(|(k, _)| k.cast::<Str>().is_some());
            for (k, v) in d.iter() {
                all.push(vm, v)?;
                if !names_only {
                    all.push(vm, k)?;
                }
            }
        } else if let Some(h) = v.header() {
            referents_of(vm, v, std::ptr::from_ref(h).cast_mut(), all)?;
        }
    }
    Ok(all)
}

fn referents_of(vm: &Vm, v: Value, object: Object, all: Ref<List>) -> R<()> {
    let ty = vm.type_of(v);
    let (mut work, mut out, mut found) = (vec![object], Vec::new(), Vec::new());
    while let Some(o) = work.pop() {
        edges(vm, o, &mut out)?;
        for &to in &out {
            if is_internal(vm, to) {
                vm.push(&mut work, to)?;
            } else if ty.has_flag(type_flags::HEAP) || !value(to).is(ty.value()) {
                vm.push(&mut found, to)?;
            }
        }
    }
    // They live as long as `v` refers to them, and nobody changes it here.
    for o in found {
        all.push(vm, value(o))?;
    }
    Ok(())
}

pub fn get_referrers(vm: &Vm, args: Args<'_>) -> R<Ref<List>> {
    let mut room = 64;
    loop {
        let list = List::with_capacity(vm, room)?;
        let found = referrers(vm, args)?;
        // With room for them nothing is allocated now, so that none of them can have died.
        if found.len() <= room {
            for o in found {
                list.push(vm, value(o))?;
            }
            return Ok(list);
        }
        room = 2 * found.len();
    }
}

fn referrers(vm: &Vm, args: Args<'_>) -> R<Vec<Object>> {
    let mut hot: FxHashSet<usize> = FxHashSet::default();
    for h in args.positional().iter().filter_map(|v| v.header()) {
        hot.insert(std::ptr::from_ref(h).addr());
    }
    // What is found here lives: the garbage goes first.
    vm.collect_thoroughly(skein_heap::CollectKind::Major);
    let objects = objects(vm)?;
    let mut out = Vec::new();
    // Cells that have one of them, and those among these that belong to a dict.
    let (mut cells, mut globals) = (FxHashSet::default(), FxHashSet::default());
    for &o in objects.iter().filter(|&&o| value_is_cell(o)) {
        edges(vm, o, &mut out)?;
        if out.iter().any(|to| hot.contains(&to.addr())) {
            cells.insert(o.addr());
        }
    }
    // Internal objects that lead to them.
    loop {
        let before = hot.len();
        for &o in objects.iter().filter(|&&o| is_internal(vm, o)) {
            if hot.contains(&o.addr()) {
                continue;
            }
            edges(vm, o, &mut out)?;
            // SAFETY: a live object.
            let is_table = unsafe { &*o }.kind.get() == Kind::DictEntries as u8;
            let mut leads = false;
            for to in &out {
                if is_table && cells.contains(&to.addr()) {
                    globals.insert(to.addr());
                    leads = true;
                }
                leads |= hot.contains(&to.addr());
            }
            if leads {
                hot.insert(o.addr());
            }
        }
        if hot.len() == before {
            break;
        }
    }
    let mut found = Vec::new();
    for &o in &objects {
        // SAFETY: a live object.
        if is_internal(vm, o) || !is_container(unsafe { &*o }.kind.get()) || globals.contains(&o.addr()) {
            continue;
        }
        edges(vm, o, &mut out)?;
        if out.iter().any(|to| hot.contains(&to.addr())) {
            vm.push(&mut found, o)?;
        }
    }
    Ok(found)
}

fn value_is_cell(o: Object) -> bool {
    // SAFETY: a live object.
    unsafe { &*o }.kind.get() == Kind::Cell as u8 && value(o).cast::<CellObject>().is_some()
}

/// All objects of the heap. MemoryError.
fn objects(vm: &Vm) -> R<Vec<Object>> {
    let mut n = 0;
    vm.heap.for_each_object(&mut |_| n += 1);
    let mut all = vm.buffer(n)?;
    vm.heap.for_each_object(&mut |o| {
        if all.len() < n {
            all.push(o);
        }
    });
    Ok(all)
}
