//! `_skein_microthreads`: what `skein.inspect` and `skein.profile` show of the microthreads that there are.
//!
//! A look at all of them walks the heap and allocates nothing in it, so that a million of them cost a second and the memory of
//! a list of numbers; only the rows that are asked for become objects.

use crate::channel::is_sending;
use crate::greenlet::Greenlet;
use crate::holders::each_reached;
use crate::micro::{Kind, Micro, State as MicroState};
use crate::switch::Microthreads;
use crate::tasklet::{Task, Tasklet, has_frames};
use skein_runtime::interp::{Standing, frames_of};
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::threads::state::ThreadState;
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::function::{BoundMethod, Function};
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::collections::HashMap;

pub const NAME: &str = "_skein_microthreads";

native_functions! { FUNCTIONS:
    "survey(hidden, prefixes, state, text, sort, offset, count, /)" => survey,
        "(how many there are, how many in each state, how many are asked for, rows, groups by place). `hidden` is a thread that is left out; the frames of files that begin with one of the prefixes are the library's. A minus before the column to sort by turns it round.";
    "stack(which, /)" => stack, "The frames of a microthread, or of a thread's main program by the thread's id, the innermost first: (file, line, function).";
    "reached(things, among, /)" => reached, "Which of the microthreads can get at which of the things: places in the two lists, and in how many steps.";
    "sample(idle, /)" => sample, "For each other thread that computes, or for all: (thread's id, microthread or None, (code, line, code, line, ...)).";
}

/// A place where microthreads stand.
struct Place {
    file: String,
    line: u32,
    function: String,
    /// The function of the library that was called there, if it is in one.
    via: String,
}

#[derive(Default)]
struct Places {
    all: Vec<Place>,
    known: HashMap<(usize, u32, usize), u32>,
}

impl Places {
    /// The place's number. MemoryError.
    fn number(&mut self, vm: &Vm, code: Ref<CodeObject>, line: u32, via: Option<Ref<CodeObject>>) -> R<u32> {
        let address = |c: Ref<CodeObject>| std::ptr::from_ref(c.header()).addr();
        let key = (address(code), line, via.map_or(0, address));
        if let Some(&n) = self.known.get(&key) {
            return Ok(n);
        }
        let n = self.all.len() as u32;
        self.known.try_reserve(1).map_err(|_| vm.memory_error())?;
        let portable = code.portable();
        let place = Place {
            file: portable.filename.to_string(),
            line,
            function: portable.qualname.to_string(),
            via: via.map(|c| c.portable().qualname.to_string()).unwrap_or_default(),
        };
        vm.push(&mut self.all, place)?;
        self.known.insert(key, n);
        Ok(n)
    }
}

/// No place: it has begun nothing, or what it is to call is native.
const NOWHERE: u32 = u32::MAX;

/// One microthread.
#[derive(Clone, Copy)]
struct Seen {
    /// Its object; None: the main program of the thread.
    object: Option<Value>,
    thread: u32,
    state: &'static str,
    place: u32,
    depth: u32,
    bytes: usize,
}

impl Seen {
    fn kind(&self) -> &'static str {
        match self.object {
            None => "thread",
            Some(v) if v.cast::<Ext<Greenlet>>().is_some() => "greenlet",
            Some(_) => "tasklet",
        }
    }
}

/// All microthreads, and where they stand.
struct Survey<'a> {
    vm: &'a Vm,
    prefixes: Vec<String>,
    places: Places,
    seen: Vec<Seen>,
}

impl Survey<'_> {
    fn is_library(&self, file: &str) -> bool {
        self.prefixes.iter().any(|p| file.starts_with(p.as_str()))
    }

    /// Depth and place of what has frames.
    fn stand(&mut self, owner: Option<Value>) -> R<(u32, u32)> {
        let Some(frames) = frames_of(self.vm, owner) else { return Ok((0, NOWHERE)) };
        let mut depth = 0;
        let mut first: Option<Standing> = None;
        let mut via: Option<Standing> = None;
        let mut outside: Option<Standing> = None;
        for f in frames {
            depth += 1;
            first = first.or(Some(f));
            if outside.is_none() {
                if self.is_library(&f.code().portable().filename) {
                    via = Some(f);
                } else {
                    outside = Some(f);
                }
            }
        }
        let Some(first) = first else { return Ok((0, NOWHERE)) };
        // All of it may be the library's, as the hub is.
        let (at, via) = match outside {
            Some(at) => (at, via.map(|v| v.code())),
            None => (first, None),
        };
        let place = self.places.number(self.vm, at.code(), at.line(), via)?;
        Ok((depth, place))
    }

    /// The place of what is still to be called.
    fn beginning(&mut self, f: Value) -> R<u32> {
        let f = f.cast::<BoundMethod>().map_or(f, |m| m.function.or_none());
        match f.cast::<Function>() {
            Some(f) => self.places.number(self.vm, f.code(), f.code().portable().first_line, None),
            None => Ok(NOWHERE),
        }
    }

    fn add_thread(&mut self, thread: &ThreadState) -> R<()> {
        let owner = (thread.serial != 0).then(|| Value::small_int(thread.serial.into()));
        let Some(micros) = Microthreads::of_thread(self.vm, thread.serial) else { return Ok(()) };
        let main = micros.scheduler.main.get();
        let runs = std::ptr::eq(micros.current(), micros.main());
        let state = match main {
            _ if runs => thread_state(self.vm, thread),
            Some(t) => tasklet_state(t),
            None => "suspended",
        };
        let (depth, place) = self.stand(owner)?;
        let bytes = thread.main_ctx().bytes();
        let seen = Seen { object: None, thread: thread.serial, state, place, depth, bytes };
        self.vm.push(&mut self.seen, seen)
    }

    fn add(&mut self, object: Value, m: &Micro, state: &'static str, to_begin: Value, size: usize) -> R<()> {
        let (depth, place) = match m.state.get() {
            MicroState::New => (0, self.beginning(to_begin)?),
            _ => self.stand(Some(object))?,
        };
        let thread = m.ctx.thread.get();
        let state = match m.state.get() {
            MicroState::Running => match self.vm.threads.by_serial(thread) {
                Some(t) => thread_state(self.vm, &t),
                None => state,
            },
            _ if state == "suspended" && self.is_via(place) => "waiting",
            _ => state,
        };
        let seen = Seen { object: Some(object), thread, state, place, depth, bytes: m.ctx.bytes() + size };
        self.vm.push(&mut self.seen, seen)
    }

    fn is_via(&self, place: u32) -> bool {
        self.places.all.get(place as usize).is_some_and(|p| !p.via.is_empty())
    }

    fn add_all(&mut self, hidden: u64) -> R<()> {
        for thread in self.vm.threads.all().iter().filter(|t| t.ident() != hidden) {
            self.add_thread(thread)?;
        }
        let mut result = Ok(());
        self.vm.heap.for_each_object(&mut |h| {
            // SAFETY: the heap hands out its objects; an object's address is a value.
            let v = unsafe { Value::from_bits(h as u64) };
            if result.is_err() {
                return;
            }
            if let Some(t) = v.cast::<Ext<Tasklet>>() {
                if t.micro.kind == Kind::Tasklet && has_frames(t) {
                    result = self.add(v, &t.micro, tasklet_state(t), t.func.or_none(), size_of::<Tasklet>());
                }
            } else if let Some(g) = v.cast::<Ext<Greenlet>>()
                && g.micro.kind == Kind::Greenlet
                && g.micro.state.get() != MicroState::Dead
            {
                let state = if g.micro.state.get() == MicroState::New { "new" } else { "suspended" };
                result = self.add(v, &g.micro, state, g.to_run(), size_of::<Greenlet>());
            }
        });
        result
    }
}

/// What a thread does with the microthread that is its own.
fn thread_state(vm: &Vm, thread: &ThreadState) -> &'static str {
    if thread.serial == vm.threads.current().serial {
        "running"
    } else if vm.threads.computes(thread) {
        "runnable"
    } else {
        "in a call"
    }
}

fn tasklet_state(t: Task) -> &'static str {
    match t.micro.state.get() {
        _ if t.is_blocked() && is_sending(t) => "sending",
        _ if t.is_blocked() => "receiving",
        _ if t.queued.get() => "runnable",
        _ if t.watching.get() => "in run()",
        MicroState::New => "new",
        _ => "paused",
    }
}

/// Sorts by a column. Places are sorted as texts, each of which is looked at once.
fn sort_by(survey: &mut Survey<'_>, column: &str, reverse: bool) -> R<()> {
    let vm = survey.vm;
    let all = &survey.places.all;
    let mut order: Vec<u32> = Vec::new();
    let mut rank: Vec<u32> = Vec::new();
    for n in 0..all.len() as u32 {
        vm.push(&mut order, n)?;
        vm.push(&mut rank, 0)?;
    }
    order.sort_unstable_by_key(|&n| {
        let p = &all[n as usize];
        if column == "waits" { (&p.via, &p.file, p.line) } else { (&p.file, &p.function, p.line) }
    });
    for (i, &n) in order.iter().enumerate() {
        rank[n as usize] = i as u32;
    }
    let key = |s: &Seen| -> (u64, u64) {
        let id = s.object.map_or(0, Value::bits);
        let first = match column {
            "state" => {
                u64::from_be_bytes(std::array::from_fn(|i| s.state.as_bytes().get(i).copied().unwrap_or(0)))
            }
            "kind" => u64::from(s.kind().as_bytes()[0]),
            "thread" => s.thread.into(),
            "depth" => s.depth.into(),
            "memory" => s.bytes as u64,
            "place" | "waits" => rank.get(s.place as usize).map_or(u64::MAX, |&r| r.into()),
            _ => id,
        };
        (first, id)
    };
    match reverse {
        true => survey.seen.sort_unstable_by_key(|s| std::cmp::Reverse(key(s))),
        false => survey.seen.sort_unstable_by_key(key),
    }
    Ok(())
}

/// Groups that are told of.
const GROUPS: usize = 100;

#[expect(clippy::too_many_arguments, reason = "one for each part of the question")]
fn survey(
    vm: &Vm,
    hidden: u64,
    prefixes: Ref<Tuple>,
    state: Value,
    text: Ref<Str>,
    sort: Ref<Str>,
    offset: i64,
    count: i64,
) -> R<Value> {
    let mut names = Vec::new();
    for p in prefixes.items() {
        vm.push(&mut names, vm.str_string(*p)?)?;
    }
    let state = if state.is_none() { None } else { Some(vm.str_string(state)?) };
    let text = text.to_string_lossy().to_lowercase();
    let sort = sort.to_string_lossy();
    let address = text.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
    // Rows are chosen while nothing is allocated in the heap, into a list that has room for them.
    const MOST: i64 = 10_000;
    let count = count.clamp(0, MOST) as usize;
    let (column, reverse) = sort.strip_prefix('-').map_or((&*sort, false), |column| (column, true));
    let objects = List::with_capacity(vm, count)?;
    let mut s = Survey { vm, prefixes: names, places: Places::default(), seen: Vec::new() };
    s.add_all(hidden)?;
    let total = s.seen.len();
    let mut states: HashMap<&'static str, usize> = HashMap::new();
    for seen in &s.seen {
        // bounded: so many states there are
        *states.entry(seen.state).or_default() += 1;
    }
    if state.is_some() || !text.is_empty() {
        let mut fits = Vec::new();
        for p in &s.places.all {
            let fit = [&p.file, &p.function, &p.via].iter().any(|t| t.to_lowercase().contains(&text));
            vm.push(&mut fits, fit)?;
        }
        s.seen.retain(|seen| {
            state.as_deref().is_none_or(|state| state == seen.state)
                && (text.is_empty()
                    || fits.get(seen.place as usize).copied().unwrap_or(false)
                    || seen.state.contains(&text)
                    || seen.kind().contains(&text)
                    || address.is_some() && seen.object.map(Value::bits) == address)
        });
    }
    sort_by(&mut s, column, reverse)?;
    let offset = (offset.max(0) as usize).min(s.seen.len());
    let mut chosen = Vec::new();
    for seen in s.seen[offset..].iter().take(count) {
        vm.push(&mut chosen, *seen)?;
        objects.push(vm, seen.object.unwrap_or(Value::NONE))?;
    }
    // From here on what was not chosen may go away.
    let matching = s.seen.len();
    let mut groups: HashMap<(&'static str, u32), i64> = HashMap::new();
    for seen in &s.seen {
        groups.try_reserve(1).map_err(|_| vm.memory_error())?;
        *groups.entry((seen.state, seen.place)).or_default() += 1;
    }
    let states_dict = Dict::new(vm)?;
    for (state, n) in states {
        states_dict.set_name(vm, state, Value::small_int(n as i64))?;
    }
    let rows = List::with_capacity(vm, chosen.len())?;
    for seen in &chosen {
        rows.push(vm, row(vm, &s.places, seen)?)?;
    }
    // bounded: no more than the groups, for which there was room
    let mut by_size: Vec<((&'static str, u32), i64)> = groups.into_iter().collect();
    by_size.sort_unstable_by_key(|&((_, place), n)| (std::cmp::Reverse(n), place));
    let groups = List::with_capacity(vm, GROUPS.min(by_size.len()))?;
    for &((state, place), n) in by_size.iter().take(GROUPS) {
        let [file, line, function, via] = place_values(vm, &s.places, place)?;
        groups.push(vm, vm.tuple(&[Value::small_int(n), vm.str(state)?, file, line, function, via])?)?;
    }
    std::hint::black_box(objects);
    vm.tuple(&[
        Value::small_int(total as i64),
        states_dict.value(),
        Value::small_int(matching as i64),
        rows.value(),
        groups.value(),
    ])
}

fn place_values(vm: &Vm, places: &Places, place: u32) -> R<[Value; 4]> {
    let Some(p) = places.all.get(place as usize) else { return Ok([Value::NONE; 4]) };
    let via = if p.via.is_empty() { Value::NONE } else { vm.str(&p.via)? };
    Ok([vm.str(&p.file)?, Value::small_int(p.line.into()), vm.str(&p.function)?, via])
}

/// (object, thread's id, kind, state, frames, bytes, file, line, function, via, channel, parent).
fn row(vm: &Vm, places: &Places, seen: &Seen) -> R<Value> {
    let [file, line, function, via] = place_values(vm, places, seen.place)?;
    let object = seen.object.unwrap_or(Value::NONE);
    let waits_on = match seen.object {
        Some(v) => v.cast::<Ext<Tasklet>>(),
        None => Microthreads::of_thread(vm, seen.thread).and_then(|m| m.scheduler.main.get()),
    };
    let channel = waits_on.map_or(Value::NONE, |t| t.channel.or_none());
    let parent = object.cast::<Ext<Greenlet>>().map_or(Value::NONE, |g| g.parent.or_none());
    let thread = crate::stackless::thread_id(vm, seen.thread)?;
    vm.tuple(&[
        object,
        thread,
        vm.str(seen.kind())?,
        vm.str(seen.state)?,
        Value::small_int(seen.depth.into()),
        vm.int_u64(seen.bytes as u64)?,
        file,
        line,
        function,
        via,
        channel,
        parent,
    ])
}

/// Whose stack is meant: a microthread's, or that of the main program of the thread with this id. TypeError, ValueError.
fn owner(vm: &Vm, which: Value) -> R<Option<Value>> {
    if let Some(m) = Micro::of_owner(which) {
        if m.kind != Kind::Main {
            return Ok(Some(which));
        }
        let serial = m.ctx.thread.get();
        return Ok((serial != 0).then(|| Value::small_int(serial.into())));
    }
    let id = vm.index_i64(which)?;
    match vm.threads.all().iter().find(|t| t.ident() as i64 == id) {
        Some(t) => Ok((t.serial != 0).then(|| Value::small_int(t.serial.into()))),
        None => Err(vm.value_error("there is no such thread")),
    }
}

fn stack(vm: &Vm, which: Value) -> R<Ref<List>> {
    let owner = owner(vm, which)?;
    // Frames are looked at before anything is allocated, since others may run then.
    let mut found: Vec<(Ref<CodeObject>, u32)> = Vec::new();
    let codes = List::with_capacity(vm, 0)?;
    for f in frames_of(vm, owner).into_iter().flatten() {
        vm.push(&mut found, (f.code(), f.line()))?;
    }
    for (code, _) in &found {
        codes.push(vm, code.value())?;
    }
    let list = List::with_capacity(vm, found.len())?;
    for (code, line) in &found {
        let portable = code.portable();
        let (file, function) = (vm.str(&portable.filename)?, vm.str(&portable.qualname)?);
        list.push(vm, vm.tuple(&[file, Value::small_int((*line).into()), function])?)?;
    }
    std::hint::black_box(codes);
    Ok(list)
}

fn reached(vm: &Vm, things: Ref<List>, among: Ref<List>) -> R<Ref<List>> {
    let things = Tuple::new(vm, things.items())?;
    let mut pairs = Vec::new();
    let mut i = 0;
    while let Some(which) = among.get(i) {
        let owner = owner(vm, which)?;
        let mut full = false;
        each_reached(vm, owner, things.items(), &mut |thing, steps| {
            full |= vm.push(&mut pairs, (i, thing, steps)).is_err();
        });
        if full {
            return Err(vm.memory_error());
        }
        i += 1;
    }
    let list = List::with_capacity(vm, pairs.len())?;
    for (i, thing, steps) in pairs {
        let row = [i as i64, thing as i64, steps.into()].map(Value::small_int);
        list.push(vm, vm.tuple(&row)?)?;
    }
    Ok(list)
}

fn sample(vm: &Vm, idle: bool) -> R<Ref<List>> {
    let list = List::with_capacity(vm, 0)?;
    let here = vm.threads.current().serial;
    for thread in vm.threads.all().iter().filter(|t| t.serial != here) {
        if !idle && !vm.threads.computes(thread) {
            continue;
        }
        let Some(micros) = Microthreads::of_thread(vm, thread.serial) else { continue };
        let m = micros.current();
        let main = (thread.serial != 0).then(|| Value::small_int(thread.serial.into()));
        let frames = List::with_capacity(vm, 32)?;
        let owner = m.owner();
        for f in frames_of(vm, owner.or(main)).into_iter().flatten() {
            frames.push(vm, f.code().value())?;
            frames.push(vm, Value::small_int(f.line().into()))?;
        }
        let id = vm.int_u64(thread.ident())?;
        let frames = vm.tuple(frames.items())?;
        list.push(vm, vm.tuple(&[id, owner.unwrap_or(Value::NONE), frames])?)?;
    }
    Ok(list)
}

/// The module.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, NAME, FUNCTIONS)
}
