//! Builtin functions and types about iteration.

use crate::types::generator::next_of_generator;
use crate::types::sort_list;
use skein_bytecode::Special;
use skein_runtime::interp::{At, SoftCall, call_soft};
use skein_runtime::native::{Args, too_many, unexpected_keyword};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::complex::Complex;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{check_class, class_argument, ext_type};
use skein_runtime::types::generator::Generator;
use skein_runtime::types::iterators::{Enumerate, Iterators, Map, Zip};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use skein_runtime::{native_functions, native_type};
use std::cell::Cell;

native_functions! { pub FUNCTIONS:
    "iter(object, sentinel=<unrepresentable>, /)" => iter, "Get an iterator from an object.\n\nIn the first form, the argument must supply its own iterator, or be a sequence.\nIn the second form, the callable is called until it returns the sentinel.";
    [soft next_soft] "next(iterator, default=<unrepresentable>, /)" => next, "Return the next item from the iterator.\n\nIf default is given and the iterator is exhausted,\nit is returned instead of raising StopIteration.";
    "aiter(async_iterable, /)" => aiter, "Return an AsyncIterator for an AsyncIterable object.";
    "anext(aiterator, default=<unrepresentable>, /)" => anext, "Return the next item from the async iterator.\n\nIf default is given and the async iterator is exhausted,\nit is returned instead of raising StopAsyncIteration.";
    [soft super::hosted::sorted] "sorted(iterable, /, *, key=None, reverse=False)" => sorted, "Return a new list containing all items from the iterable in ascending order.\n\nA custom key function can be supplied to customize the sort order, and the\nreverse flag can be set to request the result in descending order.";
    [soft super::hosted::min] "min(*args, **kwargs)" => |vm: &Vm, args: Args<'_>| extreme(vm, args, "min", Special::Lt),
        "min(iterable, *[, default=obj, key=func]) -> value\nmin(arg1, arg2, *args, *[, key=func]) -> value\n\nThe smallest item of an iterable, or else the smallest argument.\nWithout any item, `default` is given if there is one.";
    [soft super::hosted::max] "max(*args, **kwargs)" => |vm: &Vm, args: Args<'_>| extreme(vm, args, "max", Special::Gt),
        "max(iterable, *[, default=obj, key=func]) -> value\nmax(arg1, arg2, *args, *[, key=func]) -> value\n\nThe biggest item of an iterable, or else the biggest argument.\nWithout any item, `default` is given if there is one.";
    [soft super::hosted::sum] "sum(iterable, /, start=0)" => sum, "Return the sum of a 'start' value (default: 0) plus an iterable of numbers\n\nWhen the iterable is empty, return the start value.\nThis function is intended specifically for use with numeric values and may\nreject non-numeric types.";
    [soft super::hosted::any] "any(iterable, /)" => any, "Return True if bool(x) is True for any x in the iterable.\n\nIf the iterable is empty, return False.";
    [soft super::hosted::all] "all(iterable, /)" => all, "Return True if bool(x) is True for all values x in the iterable.\n\nIf the iterable is empty, return True.";
}

/// Adds them to the module `builtins`. MemoryError.
pub(super) fn add(vm: &Vm, m: Ref<Module>) -> R<()> {
    skein_runtime::types::module::add_functions(vm, m, FUNCTIONS)?;
    for def in [&ENUMERATE, &ZIP, &MAP, &FILTER] {
        let ty = ext_type(vm, def)?;
        m.dict().set_name(vm, def.name, ty.value())?;
    }
    Ok(())
}

fn iter(vm: &Vm, v: Value, sentinel: Option<Value>) -> R<Value> {
    let Some(sentinel) = sentinel else { return vm.iter(v) };
    if !vm.is_callable(v) {
        return Err(vm.type_error("iter(v, w): v must be callable"));
    }
    let it = SeqIter::new(vm, vm.types.callable_iterator, v, 0)?;
    it.sentinel.init(sentinel);
    Ok(it.value())
}

fn next(vm: &Vm, it: Value, default: Option<Value>) -> R<Value> {
    let ty = vm.type_of(it);
    if ty.special(vm, Special::Next).is_none() {
        return Err(vm.type_error(format!("'{}' object is not an iterator", ty.name_string())));
    }
    match (vm.next_or_stop(it)?, default) {
        (Ok(v), _) | (Err(_), Some(v)) => Ok(v),
        (Err(stop), None) => Err(vm.stop_iteration(stop)),
    }
}

/// `next` of a generator resumes it in the loop.
fn next_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    if let (&[it], None) = call.args.parts()
        && vm.type_of(it) == vm.types.generator
        && let Some(g) = it.cast::<Generator>()
    {
        return next_of_generator(vm, call, g);
    }
    let r = match call.args.positional() {
        &[it] if !call.args.has_keywords() => next(vm, it, None),
        &[it, default] if !call.args.has_keywords() => next(vm, it, Some(default)),
        _ if call.args.has_keywords() => Err(vm.type_error("next() takes no keyword arguments")),
        [] => Err(vm.type_error("next expected at least 1 argument, got 0")),
        all => Err(vm.type_error(format!("next expected at most 2 arguments, got {}", all.len()))),
    };
    match r {
        Ok(v) => call.done(vm, v),
        Err(_) => call.raised(vm),
    }
}

fn aiter(vm: &Vm, v: Value) -> R<Value> {
    let ty = vm.type_of(v);
    let Some(f) = ty.special(vm, Special::AIter) else {
        return Err(vm.type_error(format!("'{}' object is not an async iterable", ty.name_string())));
    };
    let it = vm.special_1(f, v)?;
    if vm.type_of(it).special(vm, Special::ANext).is_none() {
        return Err(
            vm.type_error(format!("aiter() returned not an async iterator of type '{}'", vm.type_name(it)))
        );
    }
    Ok(it)
}

fn anext(vm: &Vm, it: Value, default: Option<Value>) -> R<Value> {
    let ty = vm.type_of(it);
    let Some(f) = ty.special(vm, Special::ANext) else {
        return Err(vm.type_error(format!("'{}' object is not an async iterator", ty.name_string())));
    };
    let awaitable = vm.special_1(f, it)?;
    match default {
        Some(default) => super::anext::with_default(vm, awaitable, default),
        None => Ok(awaitable),
    }
}

fn sorted(vm: &Vm, iterable: Value, key: Option<Value>, reverse: Option<Value>) -> R<Value> {
    let list = vm.list_from(iterable)?;
    let reverse = match reverse {
        Some(r) => vm.truth(r)?,
        None => false,
    };
    sort_list(vm, list, key.filter(|k| !k.is_none()), reverse)?;
    Ok(list.value())
}

/// `min` and `max`: the first of the items that no later one beats.
fn extreme(vm: &Vm, args: Args<'_>, name: &str, op: Special) -> R<Value> {
    let (mut key, mut default) = (None, None);
    let given = args.keywords().count();
    if given > 2 {
        return Err(too_many(vm, name, 2, given, true));
    }
    for (k, v) in args.keywords() {
        match k.cast::<Str>().map(|k| k.to_string_lossy().into_owned()).as_deref() {
            Some("key") => key = Some(v).filter(|k| !k.is_none()),
            Some("default") => default = Some(v),
            _ => return Err(unexpected_keyword(vm, name, k, &["key", "default"])),
        }
    }
    let mut best: Option<(Value, Value)> = None;
    let consider = |v: Value, best: &mut Option<(Value, Value)>| -> R<()> {
        let k = match key {
            Some(f) => vm.call(f, &[v])?,
            None => v,
        };
        let better = match *best {
            None => true,
            Some((b, _)) => match vm.quick_compare(op, k, b) {
                Some(t) => t,
                None => {
                    let t = vm.rich_compare(op, k, b)?;
                    vm.truth(t)?
                }
            },
        };
        if better {
            *best = Some((k, v));
        }
        Ok(())
    };
    match args.positional() {
        [] => return Err(vm.type_error(format!("{name} expected at least 1 argument, got 0"))),
        &[iterable] => vm.for_each(iterable, |v| consider(v, &mut best))?,
        many => {
            if default.is_some() {
                return Err(vm.type_error(format!(
                    "Cannot specify a default for {name}() with multiple positional arguments"
                )));
            }
            for &v in many {
                consider(v, &mut best)?;
            }
        }
    }
    match best.map(|(_, v)| v).or(default) {
        Some(v) => Ok(v),
        None => Err(vm.value_error(format!("{name}() iterable argument is empty"))),
    }
}

/// A sum of floats, with what rounding lost.
#[derive(Clone, Copy)]
struct Compensated {
    sum: f64,
    lost: f64,
}

impl Compensated {
    fn new(sum: f64) -> Compensated {
        Compensated { sum, lost: 0.0 }
    }

    /// Neumaier's.
    fn add(&mut self, x: f64) {
        let t = self.sum + x;
        self.lost += if self.sum.abs() >= x.abs() { (self.sum - t) + x } else { (x - t) + self.sum };
        self.sum = t;
    }

    fn value(self) -> f64 {
        if self.lost != 0.0 && self.lost.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

/// A sum under way: of ints while they fit, of floats, of complex numbers, or of anything.
enum Sum {
    Int(i64),
    Float(Compensated),
    Complex(Compensated, Compensated),
    Any(Value),
}

impl Sum {
    fn value(&self, vm: &Vm) -> R<Value> {
        match *self {
            Sum::Int(i) => vm.int(i),
            Sum::Float(sum) => vm.float(sum.value()),
            Sum::Complex(re, im) => vm.complex(re.value(), im.value()),
            Sum::Any(v) => Ok(v),
        }
    }

    fn add(&mut self, vm: &Vm, v: Value) -> R<()> {
        let plain_int = vm.type_of(v) == vm.types.int || v.is_bool();
        let plain_float = v.is_float() || vm.type_of(v) == vm.types.float;
        match self {
            Sum::Int(i) if plain_int => {
                if let Some(n) = vm.as_i64(v).and_then(|n| i.checked_add(n)) {
                    *i = n;
                    return Ok(());
                }
            }
            Sum::Int(i) if plain_float => {
                // As `int + float`; exact sums begin here.
                *self = Sum::Float(Compensated::new(vm.int_to_f64(vm.int(*i)?)?));
                return self.add(vm, v);
            }
            Sum::Float(sum) | Sum::Complex(sum, _) if plain_float || plain_int => {
                sum.add(if plain_int { vm.int_to_f64(v)? } else { vm.to_f64(v)? });
                return Ok(());
            }
            Sum::Complex(re, im) => {
                if let Some(c) = exact_complex(vm, v) {
                    re.add(c.re());
                    im.add(c.im());
                    return Ok(());
                }
            }
            _ => {}
        }
        let so_far = self.value(vm)?;
        *self = Sum::from(vm, vm.binary(Special::Add, so_far, v)?);
        Ok(())
    }

    fn from(vm: &Vm, v: Value) -> Sum {
        match exact_complex(vm, v) {
            _ if v.is_int() => Sum::Int(v.as_small_int()),
            Some(c) => Sum::Complex(Compensated::new(c.re()), Compensated::new(c.im())),
            None => match vm.as_float(v).filter(|_| vm.type_of(v) == vm.types.float) {
                Some(x) => Sum::Float(Compensated::new(x)),
                None => Sum::Any(v),
            },
        }
    }
}

fn exact_complex(vm: &Vm, v: Value) -> Option<Ref<Complex>> {
    v.cast::<Complex>().filter(|_| vm.type_of(v) == vm.types.complex)
}

fn sum(vm: &Vm, iterable: Value, start: Option<Value>) -> R<Value> {
    let start = start.unwrap_or(Value::small_int(0));
    let t = &vm.types;
    let of = vm.type_of(start);
    for (ty, what, join) in
        [(t.str, "strings", "''"), (t.bytes, "bytes", "b''"), (t.bytearray, "bytearray", "b''")]
    {
        if of.is_subtype(ty) {
            return Err(vm.type_error(format!("sum() can't sum {what} [use {join}.join(seq) instead]")));
        }
    }
    let mut total = Sum::from(vm, start);
    vm.for_each(iterable, |v| total.add(vm, v))?;
    total.value(vm)
}

/// Goes on with a sum, of which rounding has lost something, from an item on.
pub(super) fn sum_on(vm: &Vm, items: Value, total: Value, lost: f64, item: Value) -> R<Value> {
    let mut total = match Sum::from(vm, total) {
        Sum::Float(sum) => Sum::Float(Compensated { lost, ..sum }),
        other => other,
    };
    total.add(vm, item)?;
    vm.for_each(items, |v| total.add(vm, v))?;
    total.value(vm)
}

fn any(vm: &Vm, iterable: Value) -> R<bool> {
    let it = vm.iter(iterable)?;
    while let Some(v) = vm.next(it)? {
        if vm.truth(v)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn all(vm: &Vm, iterable: Value) -> R<bool> {
    let it = vm.iter(iterable)?;
    while let Some(v) = vm.next(it)? {
        if !vm.truth(v)? {
            return Ok(false);
        }
    }
    Ok(true)
}

// ---- enumerate

native_type! {
    pub ENUMERATE: "enumerate", Kind::Ext, type_flags::BASETYPE, "Return an enumerate object.";
    methods {
        [static] "__new__($type, iterable, start=0)" => new_enumerate;
        [leaf soft super::streams::enumerate] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_enumerate;
        "__reduce__($self, /)" => reduce_enumerate, "Return state information for pickling.";
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
}

fn new_enumerate(vm: &Vm, class: Ref<Type>, iterable: Value, start: Option<Value>) -> R<Value> {
    check_class(vm, class, &ENUMERATE)?;
    let (count, large) = match start {
        None => (0, None),
        Some(v) => match vm.index(v)? {
            i if i.is_int() => (i.as_small_int(), None),
            i => (0, Some(i)),
        },
    };
    let iterator = Field::new(Some(vm.iter(iterable)?));
    let payload = Enumerate { iterator, count: Cell::new(count), large: Field::new(large) };
    Ok(Ext::new(vm, class, payload)?.value())
}

fn next_enumerate(vm: &Vm, it: ExtArg<Enumerate>) -> R<Value> {
    let it = it.0;
    let Some(v) = vm.next(it.iterator.value())? else { return Ok(vm.stop()) };
    let n = number_of(vm, it)?;
    vm.tuple(&[n, v])
}

/// The number of its next item, which has been taken.
fn number_of(vm: &Vm, it: Ref<Ext<Enumerate>>) -> R<Value> {
    match it.large.get() {
        Some(large) => {
            it.large.set(vm, it, vm.binary(Special::Add, large, Value::small_int(1))?);
            Ok(large)
        }
        None => {
            let n = it.count.get();
            it.count.set(n + 1);
            vm.int(n)
        }
    }
}

/// As [`number_of`], for its generator.
pub(super) fn next_number(vm: &Vm, it: Value) -> R<Value> {
    match it.cast::<Ext<Enumerate>>() {
        Some(it) => number_of(vm, it),
        None => Err(vm.system_error("no enumerate")),
    }
}

fn reduce_enumerate(vm: &Vm, it: ExtArg<Enumerate>) -> R<Value> {
    let it = it.0;
    let n = match it.large.get() {
        Some(large) => large,
        None => vm.int(it.count.get())?,
    };
    let args = vm.tuple(&[it.iterator.value(), n])?;
    vm.tuple(&[vm.type_of(it.value()).value(), args])
}

// ---- zip, map

/// Those of these iterables.
fn iterators(vm: &Vm, function: Option<Value>, iterables: &[Value], strict: bool) -> R<Iterators> {
    let list = List::with_capacity(vm, iterables.len())?;
    for &v in iterables {
        list.push(vm, vm.iter(v)?)?;
    }
    let iterators = vm.tuple(list.items())?;
    Ok(Iterators {
        function: Field::new(function),
        iterators: Field::new(Some(iterators)),
        strict: Cell::new(strict),
    })
}

/// What makes a copy of `object`, which has these: its class, its arguments, and that it is strict.
fn reduce(all: &Iterators, vm: &Vm, object: Value) -> R<Value> {
    let row = List::with_capacity(vm, 2)?;
    if let Some(f) = all.function.get() {
        row.push(vm, f)?;
    }
    if let Some(iterators) = all.iterators.cast::<Tuple>() {
        row.extend(vm, iterators.items())?;
    }
    let (class, args) = (vm.type_of(object).value(), vm.tuple(row.items())?);
    if all.strict.get() { vm.tuple(&[class, args, Value::TRUE]) } else { vm.tuple(&[class, args]) }
}

fn setstate(all: &Iterators, vm: &Vm, state: Value) -> R<()> {
    all.strict.set(vm.truth(state)?);
    Ok(())
}

/// Calls `f` with the next item of each; None at the end of the shortest.
fn next_of_all<T>(all: &Iterators, vm: &Vm, name: &str, f: impl FnOnce(&[Value]) -> R<T>) -> R<Option<T>> {
    let Some(iterators) = all.iterators.cast::<Tuple>() else { return Ok(None) };
    const FEW: usize = 6;
    if iterators.len() <= FEW {
        let mut row = [Value::NONE; FEW];
        for (i, &it) in iterators.items().iter().enumerate() {
            match vm.next(it)? {
                Some(v) => row[i] = v,
                None => return ended(all, vm, name, iterators, i).map(|()| None),
            }
        }
        return f(&row[..iterators.len()]).map(Some);
    }
    let row = List::with_capacity(vm, iterators.len())?;
    for (i, &it) in iterators.items().iter().enumerate() {
        match vm.next(it)? {
            Some(v) => row.push(vm, v)?,
            None => return ended(all, vm, name, iterators, i).map(|()| None),
        }
    }
    f(row.items()).map(Some)
}

/// Iterator `i` has ended: an error if the others have not, where that matters.
#[cold]
fn ended(all: &Iterators, vm: &Vm, name: &str, iterators: Ref<Tuple>, i: usize) -> R<()> {
    if !all.strict.get() {
        return Ok(());
    }
    let others = |n: usize| if n == 1 { "argument 1".to_string() } else { format!("arguments 1-{n}") };
    if i > 0 {
        return Err(vm.value_error(format!("{name}() argument {} is shorter than {}", i + 1, others(i))));
    }
    for (n, &it) in iterators.items().iter().enumerate().skip(1) {
        if vm.next(it)?.is_some() {
            return Err(vm.value_error(format!("{name}() argument {} is longer than {}", n + 1, others(n))));
        }
    }
    Ok(())
}

native_type! {
    pub ZIP: "zip", Kind::Ext, type_flags::BASETYPE, "The zip object yields n-length tuples, where n is the number of iterables\npassed as positional arguments to zip().  The i-th element in every tuple\ncomes from the i-th iterable argument to zip().  This continues until the\nshortest argument is exhausted.\n\nIf strict is true and one of the arguments is exhausted before the others,\nraise a ValueError.\n\n>>> list(zip('ab', range(3)))\n[('a', 0), ('b', 1)]";
    methods {
        [static] "__new__($type, *iterables, strict=False)" => new_zip;
        [leaf soft super::streams::zip] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_zip;
        "__reduce__($self, /)" => |vm: &Vm, it: ExtArg<Zip>| reduce(&it.0.0, vm, it.0.value()), "Return state information for pickling.";
        "__setstate__($self, state, /)" => |vm: &Vm, it: ExtArg<Zip>, state: Value| setstate(&it.0.0, vm, state), "Set state information for unpickling.";
    }
}

native_type! {
    pub MAP: "map", Kind::Ext, type_flags::BASETYPE, "Make an iterator that computes the function using arguments from\neach of the iterables.  Stops when the shortest iterable is exhausted.\n\nIf strict is true and one of the arguments is exhausted before the others,\nraise a ValueError.";
    methods {
        [static] "__new__($type, function, iterable, /, *iterables, strict=False)" => new_map;
        [leaf soft super::streams::map] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        [soft next_map_soft] "__next__($self, /)" => next_map;
        "__reduce__($self, /)" => |vm: &Vm, it: ExtArg<Map>| reduce(&it.0.0, vm, it.0.value()), "Return state information for pickling.";
        "__setstate__($self, state, /)" => |vm: &Vm, it: ExtArg<Map>, state: Value| setstate(&it.0.0, vm, state), "Set state information for unpickling.";
    }
}

/// The `strict` keyword, the only one.
fn strict_argument(vm: &Vm, name: &str, args: Args<'_>) -> R<bool> {
    let mut strict = false;
    for (k, v) in args.keywords() {
        match k.cast::<Str>().as_ref().map(|k| k.bytes()) {
            Some(b"strict") => strict = vm.truth(v)?,
            _ => return Err(unexpected_keyword(vm, name, k, &["strict"])),
        }
    }
    Ok(strict)
}

fn new_zip(vm: &Vm, args: Args<'_>) -> R<Value> {
    let own = ext_type(vm, &ZIP)?;
    let ty = class_argument(vm, &args, own)?;
    let strict = strict_argument(vm, "zip", args)?;
    let iterators = iterators(vm, None, &args.positional()[1..], strict)?;
    Ok(Ext::new(vm, ty, Zip(iterators))?.value())
}

fn next_zip(vm: &Vm, it: ExtArg<Zip>) -> R<Value> {
    let iterators = &it.0.0;
    if iterators.iterators.cast::<Tuple>().is_some_and(|t| t.is_empty()) {
        return Ok(vm.stop());
    }
    Ok(next_of_all(iterators, vm, "zip", |row| vm.tuple(row))?.unwrap_or(vm.stop()))
}

/// Iterator `i` of a zip has ended, for its generator.
pub(super) fn ended_of_zip(vm: &Vm, zip: Value, i: usize) -> R<()> {
    match zip.cast::<Ext<Zip>>().and_then(|zip| Some((zip, zip.0.iterators.cast::<Tuple>()?))) {
        Some((zip, iterators)) => ended(&zip.0, vm, "zip", iterators, i),
        None => Err(vm.system_error("no zip")),
    }
}

/// Calls `f` with the pairs that a `zip` of two iterables gives, without making them. None: it is none.
pub fn each_zipped(vm: &Vm, v: Value, mut f: impl FnMut(Value, Value) -> R<()>) -> R<Option<()>> {
    let zip = v.cast::<Ext<Zip>>().filter(|_| vm.type_of(v).def().is_some());
    let Some(zip) = zip.filter(|zip| zip.0.iterators.cast::<Tuple>().is_some_and(|t| t.len() == 2)) else {
        return Ok(None);
    };
    while let Some((a, b)) = next_of_all(&zip.0, vm, "zip", |row| Ok((row[0], row[1])))? {
        f(a, b)?;
    }
    Ok(Some(()))
}

fn new_map(vm: &Vm, args: Args<'_>) -> R<Value> {
    let own = ext_type(vm, &MAP)?;
    let ty = class_argument(vm, &args, own)?;
    let strict = strict_argument(vm, "map", args)?;
    let [_, function, iterables @ ..] = args.positional() else {
        return Err(vm.type_error("map() must have at least two arguments."));
    };
    if iterables.is_empty() {
        return Err(vm.type_error("map() must have at least two arguments."));
    }
    let iterators = iterators(vm, Some(*function), iterables, strict)?;
    Ok(Ext::new(vm, ty, Map(iterators))?.value())
}

fn next_map(vm: &Vm, it: ExtArg<Map>) -> R<Value> {
    let iterators = &it.0.0;
    let f = iterators.function.value();
    Ok(next_of_all(iterators, vm, "map", |row| vm.call(f, row))?.unwrap_or(vm.stop()))
}

fn next_map_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    let map = match call.args.parts() {
        (&[it], None) => it.cast::<Ext<Map>>(),
        _ => None,
    };
    let Some(map) = map else { return call.natively(vm, MAP.method("__next__")) };
    let f = map.0.function.value();
    let next =
        next_of_all(&map.0, vm, "map", |row| call_soft(vm, call.resume, f, Args::new(row, None), call.cont));
    match next {
        Ok(Some(at)) => at,
        Ok(None) => call.ended(vm),
        Err(Raised) => call.raised(vm),
    }
}

// ---- filter

pub(super) struct Filter {
    pub function: Field,
    pub iterator: Field,
}

impl Payload for Filter {
    const NAME: &'static str = "filter";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Filter { function, iterator } = self;
        function.trace(t);
        iterator.trace(t);
    }
}

native_type! {
    pub FILTER: "filter", Kind::Ext, type_flags::BASETYPE, "Return an iterator yielding those items of iterable for which function(item)\nis true. If function is None, return the items that are true.";
    methods {
        [static] "__new__($type, function, iterable, /)" => new_filter;
        [leaf soft super::streams::filter] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_filter;
        "__reduce__($self, /)" => |vm: &Vm, it: ExtArg<Filter>| -> R<Value> {
            let args = vm.tuple(&[it.0.function.value(), it.0.iterator.value()])?;
            vm.tuple(&[vm.type_of(it.0.value()).value(), args])
        }, "Return state information for pickling.";
    }
}

fn new_filter(vm: &Vm, class: Ref<Type>, function: Value, iterable: Value) -> R<Value> {
    check_class(vm, class, &FILTER)?;
    let iterator = vm.iter(iterable)?;
    let payload = Filter { function: Field::new(Some(function)), iterator: Field::new(Some(iterator)) };
    Ok(Ext::new(vm, class, payload)?.value())
}

fn next_filter(vm: &Vm, it: ExtArg<Filter>) -> R<Value> {
    let (f, iterator) = (it.0.function.value(), it.0.iterator.value());
    while let Some(v) = vm.next(iterator)? {
        let keep = if f.is_none() || f.is(vm.types.bool.value()) {
            vm.truth(v)?
        } else {
            let r = vm.call(f, &[v])?;
            vm.truth(r)?
        };
        if keep {
            return Ok(v);
        }
    }
    Ok(vm.stop())
}
