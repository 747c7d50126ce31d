//! `_tracemalloc`: where the objects that live were allocated.
//!
//! While it is on, the heap asks the isolate for each object, which notes the place of the running frames. Objects that a
//! collection does not find are taken out. Memory of Rust's that belongs to objects is not seen, nor are objects that
//! compiled traces make on behalf of frames that are only thought of: those are of the loop's place.

use rustc_hash::FxHashMap;
use skein_runtime::interp::Frames;
use skein_runtime::object::{Header, Ref, Tracer};
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::vm::CollectKind;
use skein_runtime::{R, Value, Vm, native_functions};
use std::cell::{Cell, RefCell};

/// A frame: the name of its file and its line.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    file: Value,
    line: u32,
}

/// The innermost frames, and how many there were.
#[derive(PartialEq, Eq, Hash)]
struct Stack {
    frames: Vec<Place>,
    depth: usize,
}

#[derive(Default)]
struct Table {
    stacks: Vec<Stack>,
    /// Stacks by their hash; those of the same hash take the next number that is free.
    by_hash: FxHashMap<u64, u32>,
    /// Size and stack of each object by where it is.
    objects: FxHashMap<usize, (usize, u32)>,
    now: usize,
    peak: usize,
}

/// Weak: it does not keep what it knows of.
struct Traces {
    table: RefCell<Table>,
    limit: Cell<usize>,
    on: Cell<bool>,
}

impl Payload for Traces {
    const NAME: &'static str = "_tracemalloc traces";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Traces { table, limit: _, on: _ } = self;
        for stack in &table.borrow().stacks {
            for place in &stack.frames {
                t.visit_word(place.file.bits());
            }
        }
    }
    fn clear_weak(&self, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        let Table { objects, now, .. } = &mut *self.table.borrow_mut();
        objects.retain(|&at, &mut (size, _)| {
            let lives = is_live(at as *const Header);
            if !lives {
                *now -= size;
            }
            lives
        });
        false
    }
}

#[derive(Default)]
struct State(Cell<Option<Ref<Ext<Traces>>>>, Cell<bool>);

fn traces(vm: &Vm) -> R<Ref<Ext<Traces>>> {
    let state = vm.state::<State>();
    if !state.1.replace(true) {
        vm.root_tracers.borrow_mut().push(|vm: &Vm, t: &mut Tracer<'_>| {
            if let Some(traces) = vm.state::<State>().0.get() {
                t.visit_word(traces.value().bits());
            }
        });
    }
    if let Some(traces) = state.0.get() {
        return Ok(traces);
    }
    let traces = Traces { table: RefCell::default(), limit: Cell::new(1), on: Cell::new(false) };
    let traces = Ext::internal(vm, traces)?;
    vm.heap.register_weak(traces.header());
    state.0.set(Some(traces));
    Ok(traces)
}

/// The heap has given out an object.
fn allocated(vm: &Vm, object: *const Header, size: usize) {
    let Some(traces) = vm.state::<State>().0.get() else { return };
    // Also what is thrown away is to be looked at by the next minor collection.
    traces.barrier(vm);
    let limit = traces.limit.get();
    // A collection cannot come in between: nothing is allocated here.
    let mut table = traces.table.borrow_mut();
    if table.note(vm, object, size, limit).is_none() {
        // No memory for more: what is known stays.
        drop(table);
        stop_watching(vm, traces);
    }
}

impl Table {
    fn note(&mut self, vm: &Vm, object: *const Header, size: usize, limit: usize) -> Option<()> {
        use std::hash::BuildHasher;
        let mut frames: Vec<Place> = Vec::new();
        frames.try_reserve(limit.min(64)).ok()?;
        let mut depth = 0;
        // Frames are counted up to the largest number that CPython tells.
        for frame in Frames::running(vm).take(usize::from(u16::MAX)) {
            if depth < limit {
                frames.try_reserve(1).ok()?;
                frames.push(Place { file: frame.code().filename.or_none(), line: frame.line() });
            }
            depth += 1;
        }
        let stack = Stack { frames, depth };
        let mut hash = self.by_hash.hasher().hash_one(&stack);
        let number = loop {
            match self.by_hash.get(&hash).copied() {
                Some(n) if self.stacks.get(n as usize) == Some(&stack) => break n,
                Some(_) => hash = hash.wrapping_add(1),
                None => {
                    let n = u32::try_from(self.stacks.len()).ok()?;
                    self.stacks.try_reserve(1).ok()?;
                    self.by_hash.try_reserve(1).ok()?;
                    self.stacks.push(stack);
                    self.by_hash.insert(hash, n);
                    break n;
                }
            }
        };
        self.objects.try_reserve(1).ok()?;
        if let Some((old, _)) = self.objects.insert(object as usize, (size, number)) {
            self.now -= old;
        }
        self.now += size;
        self.peak = self.peak.max(self.now);
        Some(())
    }
}

/// From now on. ValueError.
pub fn start(vm: &Vm, frames: Option<i64>) -> R<()> {
    let frames = frames.unwrap_or(1);
    if !(1..=0xffff).contains(&frames) {
        return Err(vm.value_error("the number of frames must be in range [1; 65535]"));
    }
    let traces = traces(vm)?;
    if !traces.on.replace(true) {
        traces.limit.set(frames as usize);
        vm.watch_allocations(Some(allocated));
    }
    Ok(())
}

fn stop_watching(vm: &Vm, traces: Ref<Ext<Traces>>) {
    traces.on.set(false);
    vm.watch_allocations(None);
}

fn stop(vm: &Vm) -> R<()> {
    let traces = traces(vm)?;
    stop_watching(vm, traces);
    traces.table.take();
    Ok(())
}

fn clear(vm: &Vm) -> R<()> {
    traces(vm)?.table.take();
    Ok(())
}

fn traced_memory(vm: &Vm) -> R<Value> {
    let (now, peak) = {
        let traces = traces(vm)?;
        let table = traces.table.borrow();
        (table.now, table.peak)
    };
    vm.tuple(&[vm.int_u64(now as u64)?, vm.int_u64(peak as u64)?])
}

fn reset_peak(vm: &Vm) -> R<()> {
    let traces = traces(vm)?;
    let mut table = traces.table.borrow_mut();
    table.peak = table.now;
    Ok(())
}

/// Bytes that the table itself takes, nearly.
fn own_memory(vm: &Vm) -> R<usize> {
    let traces = traces(vm)?;
    let table = traces.table.borrow();
    let frames: usize = table.stacks.iter().map(|s| s.frames.capacity() * size_of::<Place>()).sum();
    Ok(frames
        + table.stacks.capacity() * size_of::<Stack>()
        + table.by_hash.capacity() * size_of::<(u64, u32)>()
        + table.objects.capacity() * size_of::<(usize, (usize, u32))>())
}

/// ((file, line), …) of a stack, the innermost frame first.
fn frames_of(vm: &Vm, places: &[Place]) -> R<Value> {
    let list = List::with_capacity(vm, places.len())?;
    for place in places {
        let row = [place.file, Value::small_int(place.line.into())];
        list.push(vm, vm.tuple(&row)?)?;
    }
    vm.tuple(list.items())
}

/// (0, size, frames, depth) of each object that lives.
fn all_traces(vm: &Vm) -> R<Ref<List>> {
    let traces = traces(vm)?;
    // What nothing leads to is not to be told of; and what is made here is no part of it.
    vm.collect_thoroughly(CollectKind::Major);
    let was_on = traces.on.get();
    vm.watch_allocations(None);
    let result = rows(vm, traces);
    if was_on {
        vm.watch_allocations(Some(allocated));
    }
    result
}

fn rows(vm: &Vm, traces: Ref<Ext<Traces>>) -> R<Ref<List>> {
    // Copies, since making the rows may collect. The files are named by the table as long as it is not cleared, for
    // which Python code would have to run.
    let stacks: Vec<(Vec<Place>, usize)> =
        traces.table.borrow().stacks.iter().map(|s| (s.frames.clone(), s.depth)).collect();
    let objects: Vec<(usize, u32)> = traces.table.borrow().objects.values().copied().collect();
    let texts = List::with_capacity(vm, stacks.len())?;
    for (frames, _) in &stacks {
        texts.push(vm, frames_of(vm, frames)?)?;
    }
    let list = List::with_capacity(vm, objects.len())?;
    for (size, stack) in objects {
        let (Some(frames), Some((_, depth))) = (texts.get(stack as usize), stacks.get(stack as usize)) else {
            continue;
        };
        let row = [Value::small_int(0), vm.int_u64(size as u64)?, frames, vm.int_u64(*depth as u64)?];
        list.push(vm, vm.tuple(&row)?)?;
    }
    Ok(list)
}

fn object_traceback(vm: &Vm, v: Value) -> R<Value> {
    let traces = traces(vm)?;
    let places = v.header().and_then(|h| {
        let table = traces.table.borrow();
        let &(_, stack) = table.objects.get(&(std::ptr::from_ref(h) as usize))?;
        table.stacks.get(stack as usize).map(|s| s.frames.clone())
    });
    places.map_or(Ok(Value::NONE), |places| frames_of(vm, &places))
}

native_functions! { FUNCTIONS:
    "start(nframe=1, /)" => start, "Start tracing Python memory allocations.";
    "stop()" => stop, "Stop tracing Python memory allocations, and forget those that were traced.";
    "is_tracing()" => |vm: &Vm| -> R<bool> { Ok(traces(vm)?.on.get()) }, "True if memory allocations are traced.";
    "clear_traces()" => clear, "Forget the allocations that were traced.";
    "get_traceback_limit()" => |vm: &Vm| -> R<usize> { Ok(traces(vm)?.limit.get()) },
        "How many frames of an allocation are noted.";
    "get_traced_memory()" => traced_memory, "The size of all traced objects, now and at most.";
    "reset_peak()" => reset_peak, "Forget the largest size of all traced objects.";
    "get_tracemalloc_memory()" => own_memory, "Bytes that the traces take.";
    "_get_traces()" => all_traces, "Rows of domain, size, frames and their number, of all objects that live.";
    "_get_object_traceback(obj, /)" => object_traceback, "The frames that an object was made by, or None.";
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "_tracemalloc", FUNCTIONS)
}
