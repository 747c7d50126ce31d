//! Iterators over generators, as generators: what a loop goes over in the place of an `enumerate`, `zip`, `map`, `filter`,
//! `islice` or `chain` that takes its items from one.
//!
//! A native `__next__` would run the interpreter's loop anew for each item, on a native stack that a switch inside of the
//! generator had to keep. These are in Python (see [`super::hosted`]), and have no state of their own between two items:
//! the iterator's own object has it, so that a loop that is left, `next()` and other loops go on where they are.

use super::builtins_iteration::{Filter, ended_of_zip, next_number};
use super::hosted::{Hosted, Part, function, part, worth_it};
use super::itertools::filters::{Islice, end_islice, islice_ahead};
use super::itertools::together::{Chain, begin_next};
use skein_bytecode::Special;
use skein_runtime::interp::{At, ContKind, SoftCall, call_generator};
use skein_runtime::native::{Effect, NativeDef, TypeDef};
use skein_runtime::native_functions;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::function::Function;
use skein_runtime::types::generator::{GenState, Generator, PLAIN};
use skein_runtime::types::iterators::{Enumerate, Map, Zip};
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// In the order of [`Hosted`], from `Filter` on.
pub(super) const SOURCE: &str = "
def filter(items, function, StopIteration):
    for item in items:
        try:
            kept = function(item)
        except StopIteration:
            return
        if kept:
            yield item

def kept(items):
    for item in items:
        if item:
            yield item

def map(items, function, StopIteration):
    for item in items:
        try:
            item = function(item)
        except StopIteration:
            return
        yield item

def enumerate(items, number, all):
    for item in items:
        yield number(all), item

def zip(first, second, ended, all):
    for a in first:
        for b in second:
            yield a, b
            break
        else:
            return ended(all, 1)
    ended(all, 0)

def zip3(first, second, third, ended, all):
    for a in first:
        for b in second:
            for c in third:
                yield a, b, c
                break
            else:
                return ended(all, 2)
            break
        else:
            return ended(all, 1)
    ended(all, 0)

def islice(items, ahead, end, all):
    while (over := ahead(all)) >= 0:
        for item in items:
            if over:
                over -= 1
                continue
            yield item
            break
        else:
            return
    end(all)

def chain(active, iterables, begin, all):
    if active is not None:
        for item in active:
            yield item
    for iterable in iterables:
        for item in begin(all, iterable):
            yield item
";

native_functions! { pub(super) PARTS:
    // No program sees them; the functions call them. In the order of [`Part`], from `Number` on.
    [leaf] "number(all, /)" => next_number;
    "ended(all, i, /)" => ended_of_zip;
    [leaf] "ahead(all, /)" => islice_ahead;
    "end(all, /)" => end_islice;
    "begin(all, iterable, /)" => begin_next;
}

/// The code of a generator that waits to be resumed.
pub(super) fn waiting(v: Value) -> Option<Ref<CodeObject>> {
    let g = v.cast::<Generator>().filter(|g| g.flag(PLAIN))?;
    matches!(g.state(), GenState::Created | GenState::Suspended).then(|| g.code())
}

/// Is it a builtin iterator that runs no Python code, which is its own iterator?
fn is_native(vm: &Vm, v: Value) -> bool {
    let ty = vm.type_of(v);
    let iter = ty.special(vm, Special::Iter).and_then(|f| f.cast::<NativeFunction>());
    let same = |def: &NativeDef| def.effect == Effect::Leaf && def.soft.is_none();
    ty.def().is_some() && ty.special(vm, Special::Next).is_some() && iter.is_some_and(|f| same(f.def()))
}

/// A generator that is to go over an iterator.
pub(super) struct Stream {
    /// Of the generator, or else the function, that makes the items.
    pub owner: Ref<CodeObject>,
    which: Hosted,
    /// Its first arguments, which the iterator leads to.
    own: [Value; 3],
    count: usize,
    /// What comes behind them; and if there are any, the iterator itself.
    parts: &'static [Part],
}

impl Stream {
    fn new(owner: Ref<CodeObject>, which: Hosted, own: &[Value], parts: &'static [Part]) -> Stream {
        let mut all = [Value::NONE; 3];
        all[..own.len()].copy_from_slice(own);
        Stream { owner, which, own: all, count: own.len(), parts }
    }

    /// That of a `filter` by a function.
    pub fn of_filter(vm: &Vm, owner: Ref<CodeObject>, filter: &Filter) -> Stream {
        let stop = vm.exc.stop_iteration.value();
        Stream::new(owner, Hosted::Filter, &[filter.iterator.value(), filter.function.value(), stop], &[])
    }
}

/// The one that goes over this iterator. None: it takes no items from a generator, or is none of these.
pub(super) fn over(vm: &Vm, v: Value) -> Option<Stream> {
    // Those of subclasses may do anything.
    vm.type_of(v).def()?;
    if let Some(e) = v.cast::<Ext<Enumerate>>() {
        let items = e.iterator.value();
        return Some(Stream::new(waiting(items)?, Hosted::Enumerate, &[items], &[Part::Number]));
    }
    if let Some(zip) = v.cast::<Ext<Zip>>() {
        let row = zip.0.iterators.cast::<Tuple>()?;
        let which = match row.len() {
            2 => Hosted::Zip,
            3 => Hosted::Zip3,
            _ => return None,
        };
        let owner = row.items().iter().find_map(|it| waiting(*it))?;
        let all = row.items().iter().all(|it| waiting(*it).is_some() || is_native(vm, *it));
        return all.then(|| Stream::new(owner, which, row.items(), &[Part::Ended]));
    }
    if let Some(map) = v.cast::<Ext<Map>>() {
        let row = map.0.iterators.cast::<Tuple>()?;
        let &[items] = row.items() else { return None };
        let own = [items, map.0.function.value(), vm.exc.stop_iteration.value()];
        return Some(Stream::new(waiting(items)?, Hosted::Map, &own, &[]));
    }
    if let Some(filter) = v.cast::<Ext<Filter>>() {
        let (items, f) = (filter.iterator.value(), filter.function.value());
        let owner = waiting(items)?;
        return Some(match f.is_none() || f.is(vm.types.bool.value()) {
            true => Stream::new(owner, Hosted::Kept, &[items], &[]),
            false => Stream::of_filter(vm, owner, &filter),
        });
    }
    if let Some(slice) = v.cast::<Ext<Islice>>() {
        let items = slice.iterator.get()?;
        return Some(Stream::new(waiting(items)?, Hosted::Islice, &[items], &[Part::Ahead, Part::End]));
    }
    if let Some(chain) = v.cast::<Ext<Chain>>() {
        let iterables = chain.iterables.get()?;
        let row = iterables.cast::<SeqIter>().and_then(|it| it.sequence.cast::<Tuple>());
        let of_row = |row: Ref<Tuple>| row.items().iter().find_map(|v| waiting(*v));
        let owner = match row {
            Some(row) => chain.active.get().and_then(waiting).or_else(|| of_row(row))?,
            None => waiting(iterables)?,
        };
        return Some(Stream::new(owner, Hosted::Chain, &[chain.active.or_none(), iterables], &[Part::Begin]));
    }
    None
}

/// The generator that goes over the iterator. MemoryError.
pub(super) fn make(vm: &Vm, v: Value, stream: &Stream) -> R<Value> {
    let f = function(vm, stream.owner, stream.which)?;
    let f = f.cast::<Function>().ok_or_else(|| vm.system_error("no function"))?;
    // All of these are part of what the iterator or the code leads to.
    let mut row = [Value::NONE; 6];
    let mut n = stream.count;
    row[..n].copy_from_slice(&stream.own[..n]);
    for &one in stream.parts {
        row[n] = part(vm, stream.owner, one)?;
        n += 1;
    }
    if !stream.parts.is_empty() {
        row[n] = v;
        n += 1;
    }
    Ok(call_generator(vm, f, &row[..n])?.value())
}

/// As [`over`], for traces.
pub fn takes_from_generator(vm: &Vm, v: Value) -> bool {
    v.header().is_some_and(|h| h.kind.get() == Kind::Ext as u8)
        && !vm.events.sees_hosted()
        && over(vm, v).is_some()
}

/// As [`make`], for traces.
pub fn generator_over(vm: &Vm, v: Value) -> R<Value> {
    match over(vm, v) {
        Some(stream) => make(vm, v, &stream),
        None => Err(vm.system_error("no iterator over a generator")),
    }
}

/// `__iter__` of such an iterator: for a loop that is the generator over it.
fn iterate(vm: &Vm, call: &SoftCall<'_>, def: &'static TypeDef) -> At {
    let (&[v], ContKind::Iter) = (call.args.positional(), call.cont.kind) else {
        return call.natively(vm, def.method("__iter__"));
    };
    match over(vm, v).filter(|stream| worth_it(vm, stream.owner).is_some()) {
        Some(stream) => match make(vm, v, &stream) {
            Ok(g) => call.done(vm, g),
            Err(e) => call.go_on(vm, Err(e)),
        },
        None => call.done(vm, v),
    }
}

macro_rules! iterators {
    ($($name:ident $def:path;)*) => {$(
        pub fn $name(vm: &Vm, call: &SoftCall<'_>) -> At {
            iterate(vm, call, &$def)
        }
    )*};
}
iterators! {
    enumerate super::builtins_iteration::ENUMERATE;
    zip super::builtins_iteration::ZIP;
    map super::builtins_iteration::MAP;
    filter super::builtins_iteration::FILTER;
    islice super::itertools::filters::ISLICE;
    chain super::itertools::together::CHAIN;
}
