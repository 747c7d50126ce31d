//! Iterators over generators, as generators: what a loop goes over in the place of an `enumerate`, `zip`, `map`, `filter`,
//! `islice` or `chain` that takes its items from one.
//!
//! A native `__next__` would run the interpreter's loop anew for each item, on a native stack that a switch inside of the
//! generator had to keep. These are in Python (see [`super::hosted`]), and have no state of their own between two items:
//! the iterator's own object has it, so that a loop that is left, `next()` and other loops go on where they are.

use super::builtins_iteration::{Filter, ended_of_zip, next_number};
use super::hosted::{Hosted, function, part, worth_it};
use super::itertools::filters::{Islice, end_islice, islice_ahead};
use super::itertools::together::{Chain, begin_next};
use skein_bytecode::Special;
use skein_runtime::interp::{At, ContKind, SoftCall, call_generator};
use skein_runtime::native::{Effect, NativeDef};
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
    // No program sees them; the functions call them.
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

/// Which of the generators goes over this iterator, and the code of the one that it takes items from. None: it takes
/// none from a generator, or is none of these.
pub(super) fn over(vm: &Vm, v: Value) -> Option<(Ref<CodeObject>, Hosted)> {
    // Those of subclasses may do anything.
    vm.type_of(v).def()?;
    if let Some(e) = v.cast::<Ext<Enumerate>>() {
        return Some((waiting(e.iterator.value())?, Hosted::Enumerate));
    }
    if let Some(zip) = v.cast::<Ext<Zip>>() {
        let row = zip.0.iterators.cast::<Tuple>()?;
        let which = match row.len() {
            2 => Hosted::Zip,
            3 => Hosted::Zip3,
            _ => return None,
        };
        let code = row.items().iter().find_map(|it| waiting(*it))?;
        let all = row.items().iter().all(|it| waiting(*it).is_some() || is_native(vm, *it));
        return all.then_some((code, which));
    }
    if let Some(map) = v.cast::<Ext<Map>>() {
        let row = map.0.iterators.cast::<Tuple>()?;
        return match row.items() {
            [one] => Some((waiting(*one)?, Hosted::Map)),
            _ => None,
        };
    }
    if let Some(filter) = v.cast::<Ext<Filter>>() {
        let f = filter.function.value();
        let plain = f.is_none() || f.is(vm.types.bool.value());
        return Some((waiting(filter.iterator.value())?, if plain { Hosted::Kept } else { Hosted::Filter }));
    }
    if let Some(slice) = v.cast::<Ext<Islice>>() {
        return Some((waiting(slice.iterator.get()?)?, Hosted::Islice));
    }
    if let Some(chain) = v.cast::<Ext<Chain>>() {
        let iterables = chain.iterables.get()?;
        let row = iterables.cast::<SeqIter>().and_then(|it| it.sequence.cast::<Tuple>());
        let of_row = |row: Ref<Tuple>| row.items().iter().find_map(|v| waiting(*v));
        let code = match row {
            Some(row) => chain.active.get().and_then(waiting).or_else(|| of_row(row))?,
            None => waiting(iterables)?,
        };
        return Some((code, Hosted::Chain));
    }
    None
}

/// The generator that goes over the iterator. MemoryError.
pub(super) fn make(vm: &Vm, v: Value, owner: Ref<CodeObject>, which: Hosted) -> R<Value> {
    let function = function(vm, owner, which)?;
    let part = |name| part(vm, owner, name);
    // All of these are part of what the iterator or the code leads to.
    let mut row = [Value::NONE; 5];
    let mut fill = |args: &[Value]| row[..args.len()].copy_from_slice(args);
    if let Some(e) = v.cast::<Ext<Enumerate>>() {
        fill(&[e.iterator.value(), part("number")?, v]);
    } else if let Some(zip) = v.cast::<Ext<Zip>>() {
        let ended = part("ended")?;
        match zip.0.iterators.cast::<Tuple>().as_ref().map_or(&[][..], |row| row.items()) {
            [a, b] => fill(&[*a, *b, ended, v]),
            [a, b, c] => fill(&[*a, *b, *c, ended, v]),
            _ => return Err(vm.system_error("a zip of other iterators")),
        }
    } else if let Some(map) = v.cast::<Ext<Map>>() {
        let items = map.0.iterators.cast::<Tuple>().and_then(|row| row.items().first().copied());
        fill(&[items.unwrap_or(Value::NONE), map.0.function.value(), vm.exc.stop_iteration.value()]);
    } else if let Some(filter) = v.cast::<Ext<Filter>>() {
        fill(&[filter.iterator.value(), filter.function.value(), vm.exc.stop_iteration.value()]);
    } else if let Some(slice) = v.cast::<Ext<Islice>>() {
        fill(&[slice.iterator.or_none(), part("ahead")?, part("end")?, v]);
    } else if let Some(chain) = v.cast::<Ext<Chain>>() {
        fill(&[chain.active.or_none(), chain.iterables.or_none(), part("begin")?, v]);
    }
    let f = function.cast::<Function>().ok_or_else(|| vm.system_error("no function"))?;
    let n = f.code().portable().param_count();
    Ok(call_generator(vm, f, &row[..n])?.value())
}

/// As [`over`], for traces.
pub fn takes_from_generator(vm: &Vm, v: Value) -> bool {
    v.header().is_some_and(|h| h.kind.get() == Kind::Ext as u8)
        && !vm.events.has_listeners()
        && over(vm, v).is_some()
}

/// As [`make`], for traces.
pub fn generator_over(vm: &Vm, v: Value) -> R<Value> {
    match over(vm, v) {
        Some((owner, which)) => make(vm, v, owner, which),
        None => Err(vm.system_error("no iterator over a generator")),
    }
}

/// `__iter__` of such an iterator: for a loop that is the generator over it.
fn iterate(vm: &Vm, call: &SoftCall<'_>, def: &'static NativeDef) -> At {
    let followed = match call.args.parts() {
        (&[v], None) if call.cont.kind == ContKind::Iter => {
            over(vm, v).and_then(|(code, which)| Some((v, worth_it(vm, code)?, which)))
        }
        _ => None,
    };
    let Some((v, owner, which)) = followed else { return call.natively(vm, def) };
    match make(vm, v, owner, which) {
        Ok(g) => call.done(vm, g),
        Err(e) => call.go_on(vm, Err(e)),
    }
}

macro_rules! iterators {
    ($($name:ident $def:path;)*) => {$(
        pub fn $name(vm: &Vm, call: &SoftCall<'_>) -> At {
            iterate(vm, call, $def.method("__iter__"))
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
