//! The module `gc`.

use skein_heap::{CollectKind, FINALIZED, HeapConfig, UNLOGGED};
use skein_runtime::interp::{SoftCall, collect_after, running_generators};
use skein_runtime::native::{Args, At};
use skein_runtime::native_functions;
use skein_runtime::object::{Header, Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::{Vm, debug};
use std::cell::Cell;

native_functions! { FUNCTIONS:
    [soft collect_soft] "collect(generation=2)" => collect, "Run the garbage collector.";
    "enable()" => enable, "Enable automatic garbage collection.";
    "disable()" => disable, "Disable automatic garbage collection.";
    "isenabled()" => isenabled, "Returns true if automatic garbage collection is enabled.";
    "get_count()" => get_count;
    "get_threshold()" => get_threshold;
    "set_threshold(threshold0, threshold1=10, threshold2=0, /)" => set_threshold;
    "get_stats()" => get_stats;
    "get_objects(generation=None)" => get_objects;
    "get_referrers(*objs)" => get_referrers;
    "get_referents(*objs)" => get_referents;
    "is_tracked(obj, /)" => is_tracked;
    "is_finalized(obj, /)" => is_finalized;
    "freeze()" => freeze;
    "unfreeze()" => |vm: &Vm| vm.pauses.frozen.set(None);
    "get_freeze_count()" => get_freeze_count;
    "get_debug()" => get_debug;
    "set_debug(flags, /)" => set_debug;
}

/// What programs set and read back; the heap paces itself.
struct State {
    threshold: Cell<[i64; 3]>,
    /// What was asked of the heap; 0 if nothing was.
    nursery: Cell<usize>,
}

impl Default for State {
    fn default() -> State {
        State { threshold: Cell::new([2000, 10, 0]), nursery: Cell::new(0) }
    }
}

/// Returns how many unreachable objects of cycles there were; that of a minor collection is not known.
fn collect(vm: &Vm, generation: Option<i32>) -> R<usize> {
    let generation = generation.unwrap_or(2);
    if !(0..3).contains(&generation) {
        return Err(vm.value_error("invalid generation"));
    }
    if generation == 0 {
        vm.collect_aloud(CollectKind::Minor);
        vm.run_finalizers();
        return Ok(0);
    }
    let [_, slices] = vm.pauses.counts.get();
    let found = vm.collect_for_program()?;
    if generation == 1 {
        vm.pauses.counts.set([0, slices + 1]);
    }
    Ok(found)
}

fn collect_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let whole = match call.args.parts() {
        (&[], None) => true,
        (&[generation], None) => generation.is(Value::small_int(2)),
        _ => false,
    };
    if whole && let Some(at) = collect_after(vm, call) {
        return at;
    }
    match FUNCTIONS[0].invoke(vm, call.args) {
        Ok(v) => call.done(vm, v),
        Err(_) => call.raised(vm),
    }
}

fn enable(vm: &Vm) {
    vm.gc_enabled.set(true);
    pace(vm);
}

fn disable(vm: &Vm) {
    vm.gc_enabled.set(false);
    pace(vm);
}

fn isenabled(vm: &Vm) -> bool {
    vm.gc_enabled.get()
}

fn three(vm: &Vm, n: [i64; 3]) -> R<Value> {
    vm.tuple(&[vm.int(n[0])?, vm.int(n[1])?, vm.int(n[2])?])
}

/// Words allocated since the last collection, minor collections since the last slice of a major one, and slices since the
/// last major one.
fn get_count(vm: &Vm) -> R<Value> {
    let words = vm.heap.young_bytes() / size_of::<u64>();
    let [minors, slices] = vm.pauses.counts.get();
    three(vm, [words as i64, minors, slices])
}

fn get_threshold(vm: &Vm) -> R<Value> {
    three(vm, vm.state::<State>().threshold.get())
}

fn set_threshold(vm: &Vm, a: i64, b: Option<i64>, c: Option<i64>) {
    let state = vm.state::<State>();
    let old = state.threshold.get();
    state.threshold.set([a, b.unwrap_or(old[1]), c.unwrap_or(old[2])]);
    pace(vm);
}

/// A threshold below CPython's own asks for more collections than the heap would make: the first one sets how much is
/// allocated between minor collections, as if each object had 64 bytes. The heap paces the rest by itself.
fn pace(vm: &Vm) {
    const OBJECT: usize = 64;
    const LEAST: usize = 256 << 10;
    let state = vm.state::<State>();
    let most = vm.config.nursery.unwrap_or(HeapConfig::default().nursery_bytes);
    let wanted = match usize::try_from(state.threshold.get()[0]) {
        Ok(objects @ 1..2000) if vm.gc_enabled.get() => (objects * OBJECT).clamp(LEAST.min(most), most),
        _ => most,
    };
    let before = state.nursery.get();
    if wanted != if before == 0 { most } else { before } {
        state.nursery.set(wanted);
        vm.heap.set_nursery(wanted);
    }
}

/// Minor collections as generation 0, slices of major ones as 1, major ones as 2. Besides what CPython tells:
/// the pauses, in seconds; those of generation 2 are of majors that were done at once.
fn get_stats(vm: &Vm) -> R<Ref<List>> {
    let stats = vm.heap.stats();
    let list = List::with_capacity(vm, 3)?;
    let generations = [
        (stats.minors.count, stats.minors),
        (stats.slices.count, stats.slices),
        (stats.finished_majors, stats.majors),
    ];
    for (n, pause) in generations {
        let d = Dict::new(vm)?;
        d.set_name(vm, "collections", vm.int_u64(n)?)?;
        d.set_name(vm, "collected", vm.int(if list.len() == 2 { vm.pauses.found.get() as i64 } else { 0 })?)?;
        d.set_name(vm, "uncollectable", Value::small_int(0))?;
        d.set_name(vm, "paused", vm.float(pause.total.as_secs_f64())?)?;
        d.set_name(vm, "longest_pause", vm.float(pause.longest.as_secs_f64())?)?;
        list.push(vm, d.value())?;
    }
    Ok(list)
}

/// Containers that are not frozen: all of them, those since the last collection (0), or those that survived one (2).
fn get_objects(vm: &Vm, generation: Option<Value>) -> R<Ref<List>> {
    let generation = match generation.filter(|g| !g.is_none()) {
        None => None,
        Some(g) => Some(vm.index_i64(g)?),
    };
    if generation.is_some_and(|g| !(0..3).contains(&g)) {
        return Err(vm.value_error("generation must be less than the number of available generations (3)"));
    }
    vm.audit("gc.get_objects", || vm.tuple(&[vm.int(generation.unwrap_or(-1))?]))?;
    if generation.is_none() {
        vm.collect(CollectKind::Major);
    }
    containers(vm, |h| match generation {
        None => true,
        Some(0) => h.gc.get() & UNLOGGED == 0,
        Some(g) => g == 2 && h.gc.get() & UNLOGGED != 0,
    })
}

/// The containers that are not frozen and `wanted`.
fn containers(vm: &Vm, wanted: impl Fn(&Header) -> bool) -> R<Ref<List>> {
    let frozen = vm.pauses.frozen.get();
    let is_wanted = |h: &Header| Kind::is_container(h.kind.get()) && wanted(h) && !is_frozen(frozen, h);
    let mut n = 0;
    // SAFETY (both): the heap hands out its objects.
    vm.heap.for_each_object(&mut |h| n += usize::from(is_wanted(unsafe { &*h })));
    let list = List::with_capacity(vm, n + 16)?;
    let mut room = n + 16;
    let mut failed = false;
    vm.heap.for_each_object(&mut |h| {
        let h = unsafe { &*h };
        if room > 0 && is_wanted(h) && !std::ptr::eq(h, list.header()) {
            room -= 1;
            // SAFETY: an object's address is a value; the list has room, so nothing is allocated.
            failed |= list.push(vm, unsafe { Value::from_bits(std::ptr::from_ref(h) as u64) }).is_err();
        }
    });
    if failed { Err(vm.memory_error()) } else { Ok(list) }
}

/// Calls `f` with what an object refers to as programs see it: what is in the memory that belongs to it alone counts as its
/// own. False: not all, for want of memory.
fn for_each_referent(vm: &Vm, holder: &Header, f: &mut dyn FnMut(&'static Header)) -> bool {
    // SAFETY: an object's address is a value.
    let dict = unsafe { Value::from_bits(std::ptr::from_ref(holder) as u64) }.cast::<Dict>();
    let has_cells = dict.is_some_and(|d| d.has_cells());
    let is_part = |h: &Header| {
        let kind = h.kind.get();
        let parts = [Kind::Values, Kind::Raw, Kind::DictEntries];
        parts.iter().any(|p| *p as u8 == kind) || has_cells && kind == Kind::Cell as u8
    };
    let (mut parts, mut complete, mut full) = (Vec::new(), true, false);
    let mut next = Some(std::ptr::from_ref(holder));
    while let Some(h) = next {
        // SAFETY (both): the heap's objects, of which none is freed meanwhile, since nothing is allocated in it.
        complete &= unsafe {
            vm.heap.for_each_reference(h, &mut |r| match &*r {
                part if !is_part(part) => f(part),
                _ if parts.try_reserve(1).is_ok() => parts.push(r),
                _ => full = true,
            })
        };
        next = parts.pop();
    }
    complete && !full
}

/// Containers that refer directly to one of the objects.
fn get_referrers(vm: &Vm, args: Args<'_>) -> R<Ref<List>> {
    let targets = args.positional();
    vm.audit("gc.get_referrers", || vm.tuple(&[vm.tuple(targets)?]))?;
    // What a frame that runs has is nobody's but its generator's.
    let running = List::with_capacity(vm, 4)?;
    let mut pushed = Ok(());
    running_generators(vm, |g, v| {
        let g = g.value();
        if pushed.is_ok() && targets.iter().any(|t| t.is(v)) && !running.items().iter().any(|r| r.is(g)) {
            pushed = running.push(vm, g);
        }
    });
    pushed?;
    vm.collect_thoroughly(CollectKind::Major);
    let refers = |h: &Header| {
        let mut found = false;
        let complete = for_each_referent(vm, h, &mut |r| {
            found |= targets.iter().any(|t| t.header().is_some_and(|t| std::ptr::eq(t, r)));
        });
        (found, complete)
    };
    let (mut n, mut complete) = (0, true);
    // SAFETY (both): the heap hands out its objects.
    vm.heap.for_each_object(&mut |h| {
        let h = unsafe { &*h };
        if Kind::is_container(h.kind.get()) {
            let (found, all) = refers(h);
            n += usize::from(found);
            complete &= all;
        }
    });
    if !complete {
        return Err(vm.memory_error());
    }
    let list = List::with_capacity(vm, n)?;
    vm.heap.for_each_object(&mut |h| {
        let h = unsafe { &*h };
        let own = std::ptr::eq(h, list.header()) || std::ptr::eq(h, running.header());
        if n > 0 && Kind::is_container(h.kind.get()) && !own && refers(h).0 {
            n -= 1;
            // SAFETY: an object's address is a value; the list has room, so nothing is allocated.
            complete &= list.push(vm, unsafe { Value::from_bits(std::ptr::from_ref(h) as u64) }).is_ok();
        }
    });
    if !complete {
        return Err(vm.memory_error());
    }
    list.extend(vm, running.items())?;
    Ok(list)
}

/// The items of a container that are no objects of the heap, as small numbers are.
fn plain_items(v: Value) -> Vec<Value> {
    let plain = |v: &Value| !v.is_ptr();
    if let Some(list) = v.cast::<List>() {
        // bounded (all): by the container
        return list.items().iter().copied().filter(plain).collect();
    }
    if let Some(tuple) = v.cast::<Tuple>() {
        return tuple.items().iter().copied().filter(plain).collect();
    }
    match v.cast::<Dict>() {
        Some(dict) => dict.iter().flat_map(|(k, v)| [k, v]).filter(plain).collect(),
        None => Vec::new(),
    }
}

/// What the objects refer to directly, in no order.
fn get_referents(vm: &Vm, args: Args<'_>) -> R<Ref<List>> {
    vm.audit("gc.get_referents", || vm.tuple(&[vm.tuple(args.positional())?]))?;
    let headers = || args.positional().iter().filter_map(|v| v.header());
    let words = args.positional().iter().flat_map(|v| plain_items(*v));
    // bounded: by what the containers hold
    let words: Vec<Value> = words.collect();
    let (mut n, mut complete) = (0, true);
    for h in headers() {
        complete &= for_each_referent(vm, h, &mut |_| n += 1);
    }
    let (list, mut pushed) = (List::with_capacity(vm, n + words.len())?, true);
    for h in headers() {
        complete &= for_each_referent(vm, h, &mut |r| {
            if list.len() < n {
                // SAFETY: as in `get_referrers`.
                pushed &= list.push(vm, unsafe { Value::from_bits(std::ptr::from_ref(r) as u64) }).is_ok();
            }
        });
    }
    for word in words {
        pushed &= list.push(vm, word).is_ok();
    }
    if complete && pushed { Ok(list) } else { Err(vm.memory_error()) }
}

/// Would CPython's collector look at it? Not at builtin types, and not at plain objects and tuples that lead nowhere.
fn is_tracked(vm: &Vm, v: Value) -> bool {
    // How deep tuples are looked into.
    const DEEP: usize = 16;
    fn leads_on(vm: &Vm, v: Value, deep: usize) -> bool {
        let Some(header) = v.header() else { return false };
        let ty = vm.type_of(v);
        if let Some(tuple) = v.cast::<Tuple>().filter(|_| ty == vm.types.tuple) {
            return deep == 0 || tuple.items().iter().any(|i| leads_on(vm, *i, deep - 1));
        }
        if let Some(class) = v.cast::<Type>() {
            return class.has_flag(type_flags::HEAP);
        }
        ty != vm.types.object && (ty.has_flag(type_flags::HEAP) || Kind::is_container(header.kind.get()))
    }
    leads_on(vm, v, DEEP)
}

fn is_finalized(_: &Vm, v: Value) -> bool {
    v.header().is_some_and(|h| h.gc.get() & FINALIZED != 0)
}

/// Keeps all containers that live now, whatever becomes of what leads to them, until `unfreeze`. Collections write nothing
/// into old objects, so that a forked child shares their memory in any case.
fn freeze(vm: &Vm) -> R<()> {
    vm.collect(CollectKind::Major);
    let found = containers(vm, |_| true)?;
    if let Some(frozen) = vm.pauses.frozen.get() {
        found.extend(vm, frozen.items())?;
    }
    // Looked up by address.
    let mut sorted = vm.collected(found.items().iter().copied())?;
    sorted.sort_unstable_by_key(|v| v.bits());
    vm.pauses.frozen.set(Some(List::new(vm, &sorted)?));
    Ok(())
}

fn is_frozen(frozen: Option<Ref<List>>, h: &Header) -> bool {
    let bits = std::ptr::from_ref(h) as u64;
    frozen.is_some_and(|list| {
        std::ptr::eq(list.header(), h) || list.items().binary_search_by_key(&bits, |v| v.bits()).is_ok()
    })
}

fn get_freeze_count(vm: &Vm) -> usize {
    vm.pauses.frozen.get().map_or(0, |list| list.len())
}

fn get_debug(vm: &Vm) -> i64 {
    vm.pauses.debug.get()
}

fn set_debug(vm: &Vm, flags: i64) {
    vm.pauses.debug.set(flags);
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = skein_runtime::types::module::make_module(vm, "gc", FUNCTIONS)?;
    let d = m.dict();
    for (name, n) in [
        ("DEBUG_STATS", debug::STATS),
        ("DEBUG_COLLECTABLE", debug::COLLECTABLE),
        ("DEBUG_UNCOLLECTABLE", debug::UNCOLLECTABLE),
        ("DEBUG_SAVEALL", debug::SAVEALL),
        ("DEBUG_LEAK", debug::COLLECTABLE | debug::UNCOLLECTABLE | debug::SAVEALL),
    ] {
        d.set_name(vm, name, Value::small_int(n))?;
    }
    let garbage = List::new(vm, &[])?;
    vm.pauses.garbage.set(Some(garbage));
    d.set_name(vm, "garbage", garbage.value())?;
    let callbacks = List::new(vm, &[])?;
    vm.pauses.callbacks.set(Some(callbacks));
    d.set_name(vm, "callbacks", callbacks.value())?;
    Ok(m)
}
