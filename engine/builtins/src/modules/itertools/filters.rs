//! `accumulate`, `compress`, `dropwhile`, `filterfalse`, `islice`, `starmap`, `takewhile`.

use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref};
use skein_runtime::types::ext::{Ext, ExtArg};
use skein_runtime::types::ext::{check_class, class_argument, ext_type};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

payload!(Accumulate, "itertools.accumulate", [iterator, function, total, initial]);

native_type! {
    pub ACCUMULATE: "itertools.accumulate", Kind::Ext, type_flags::BASETYPE, "Return series of accumulated sums.";
    methods {
        [static] "__new__($type, iterable, func=None, *, initial=None)" => new_accumulate;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_accumulate;
    }
}

fn new_accumulate(
    vm: &Vm,
    class: Ref<Type>,
    iterable: Value,
    func: Option<Value>,
    initial: Option<Value>,
) -> R<Value> {
    check_class(vm, class, &ACCUMULATE)?;
    let iterator = vm.iter(iterable)?;
    let payload = Accumulate {
        iterator: Field::new(Some(iterator)),
        function: Field::new(func.filter(|f| !f.is_none())),
        total: Field::new(None),
        initial: Field::new(initial.filter(|i| !i.is_none())),
    };
    Ok(Ext::new(vm, class, payload)?.value())
}

fn next_accumulate(vm: &Vm, it: ExtArg<Accumulate>) -> R<Value> {
    let it = it.0;
    if let Some(initial) = it.initial.get() {
        it.initial.init(None);
        it.total.set(vm, it, initial);
        return Ok(initial);
    }
    let Some(v) = vm.next(it.iterator.value())? else { return Ok(vm.stop()) };
    let total = match (it.total.get(), it.function.get()) {
        (None, _) => v,
        (Some(t), Some(f)) => vm.call(f, &[t, v])?,
        (Some(t), None) => vm.binary(Special::Add, t, v)?,
    };
    it.total.set(vm, it, total);
    Ok(total)
}

payload!(Compress, "itertools.compress", [data, selectors]);

native_type! {
    pub COMPRESS: "itertools.compress", Kind::Ext, type_flags::BASETYPE, "Return data elements corresponding to true selector elements.";
    methods {
        [static] "__new__($type, data, selectors)" => new_compress;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_compress;
    }
}

fn new_compress(vm: &Vm, class: Ref<Type>, data: Value, selectors: Value) -> R<Value> {
    check_class(vm, class, &COMPRESS)?;
    let (data, selectors) = (vm.iter(data)?, vm.iter(selectors)?);
    Ok(Ext::new(
        vm,
        class,
        Compress { data: Field::new(Some(data)), selectors: Field::new(Some(selectors)) },
    )?
    .value())
}

fn next_compress(vm: &Vm, it: ExtArg<Compress>) -> R<Value> {
    let (data, selectors) = (it.0.data.value(), it.0.selectors.value());
    while let Some(v) = vm.next(data)? {
        let Some(s) = vm.next(selectors)? else { break };
        if vm.truth(s)? {
            return Ok(v);
        }
    }
    Ok(vm.stop())
}

payload!(Dropwhile, "itertools.dropwhile", [function, iterator], started: bool);

native_type! {
    pub DROPWHILE: "itertools.dropwhile", Kind::Ext, type_flags::BASETYPE, "Drop items from the iterable while predicate(item) is true.\n\nAfterwards, return every element until the iterable is exhausted.";
    methods {
        [static] "__new__($type, predicate, iterable, /)" => new_dropwhile;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_dropwhile;
    }
}

fn new_dropwhile(vm: &Vm, class: Ref<Type>, f: Value, iterable: Value) -> R<Value> {
    check_class(vm, class, &DROPWHILE)?;
    let iterator = Field::new(Some(vm.iter(iterable)?));
    let payload = Dropwhile { function: Field::new(Some(f)), iterator, started: Cell::new(false) };
    Ok(Ext::new(vm, class, payload)?.value())
}

fn holds(vm: &Vm, f: Value, v: Value) -> R<bool> {
    let r = vm.call(f, &[v])?;
    vm.truth(r)
}

fn next_dropwhile(vm: &Vm, it: ExtArg<Dropwhile>) -> R<Value> {
    let it = it.0;
    while let Some(v) = vm.next(it.iterator.value())? {
        if it.started.get() || !holds(vm, it.function.value(), v)? {
            it.started.set(true);
            return Ok(v);
        }
    }
    Ok(vm.stop())
}

payload!(Takewhile, "itertools.takewhile", [function, iterator], ended: bool);

native_type! {
    pub TAKEWHILE: "itertools.takewhile", Kind::Ext, type_flags::BASETYPE, "Return successive entries from an iterable as long as the predicate evaluates to true for each entry.";
    methods {
        [static] "__new__($type, predicate, iterable, /)" => new_takewhile;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_takewhile;
    }
}

fn new_takewhile(vm: &Vm, class: Ref<Type>, f: Value, iterable: Value) -> R<Value> {
    check_class(vm, class, &TAKEWHILE)?;
    let iterator = Field::new(Some(vm.iter(iterable)?));
    let payload = Takewhile { function: Field::new(Some(f)), iterator, ended: Cell::new(false) };
    Ok(Ext::new(vm, class, payload)?.value())
}

fn next_takewhile(vm: &Vm, it: ExtArg<Takewhile>) -> R<Value> {
    let it = it.0;
    if it.ended.get() {
        return Ok(vm.stop());
    }
    let Some(v) = vm.next(it.iterator.value())? else { return Ok(vm.stop()) };
    if holds(vm, it.function.value(), v)? {
        return Ok(v);
    }
    it.ended.set(true);
    Ok(vm.stop())
}

payload!(Filterfalse, "itertools.filterfalse", [function, iterator]);

native_type! {
    pub FILTERFALSE: "itertools.filterfalse", Kind::Ext, type_flags::BASETYPE, "Return those items of iterable for which function(item) is false.\n\nIf function is None, return the items that are false.";
    methods {
        [static] "__new__($type, function, iterable, /)" => new_filterfalse;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_filterfalse;
    }
}

fn new_filterfalse(vm: &Vm, class: Ref<Type>, f: Value, iterable: Value) -> R<Value> {
    check_class(vm, class, &FILTERFALSE)?;
    let iterator = Field::new(Some(vm.iter(iterable)?));
    Ok(Ext::new(vm, class, Filterfalse { function: Field::new(Some(f)), iterator })?.value())
}

fn next_filterfalse(vm: &Vm, it: ExtArg<Filterfalse>) -> R<Value> {
    let f = it.0.function.value();
    while let Some(v) = vm.next(it.0.iterator.value())? {
        let t = if f.is_none() || f.is(vm.types.bool.value()) { vm.truth(v)? } else { holds(vm, f, v)? };
        if !t {
            return Ok(v);
        }
    }
    Ok(vm.stop())
}

payload!(Starmap, "itertools.starmap", [function, iterator]);

native_type! {
    pub STARMAP: "itertools.starmap", Kind::Ext, type_flags::BASETYPE, "Return an iterator whose values are returned from the function evaluated with an argument tuple taken from the given sequence.";
    methods {
        [static] "__new__($type, function, iterable, /)" => new_starmap;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_starmap;
    }
}

fn new_starmap(vm: &Vm, class: Ref<Type>, f: Value, iterable: Value) -> R<Value> {
    check_class(vm, class, &STARMAP)?;
    let iterator = Field::new(Some(vm.iter(iterable)?));
    Ok(Ext::new(vm, class, Starmap { function: Field::new(Some(f)), iterator })?.value())
}

fn next_starmap(vm: &Vm, it: ExtArg<Starmap>) -> R<Value> {
    let Some(v) = vm.next(it.0.iterator.value())? else { return Ok(vm.stop()) };
    let f = it.0.function.value();
    if let Some(t) = v.cast::<Tuple>()
        && vm.type_of(v) == vm.types.tuple
    {
        return vm.call(f, t.items());
    }
    let args = vm.list_from(v)?;
    vm.call(f, args.items())
}

payload!(pub Islice, "itertools.islice", [iterator], position: i64, next: i64, stop: i64, step: i64);

native_type! {
    pub ISLICE: "itertools.islice", Kind::Ext, type_flags::BASETYPE, "islice(iterable, stop) --> islice object\nislice(iterable, start, stop[, step]) --> islice object\n\nReturn an iterator whose next() method returns selected values from an\niterable.";
    methods {
        [static] "__new__($type, *args)" => new_islice;
        [leaf soft crate::modules::streams::islice] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_islice;
    }
}

fn new_islice(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &ISLICE)?)?;
    if args.has_keywords() {
        return Err(vm.type_error("islice() takes no keyword arguments"));
    }
    let none = Value::NONE;
    let (iterable, start, stop, step) = match args.positional()[1..] {
        [it, stop] => (it, none, stop, none),
        [it, start, stop] => (it, start, stop, none),
        [it, start, stop, step] => (it, start, stop, step),
        ref other => {
            let n = other.len();
            return Err(vm.type_error(if n < 2 {
                format!("islice expected at least 2 arguments, got {n}")
            } else {
                format!("islice expected at most 4 arguments, got {n}")
            }));
        }
    };
    let short = args.positional().len() == 3;
    let number = |v: Value, default: i64| -> R<Option<i64>> {
        if v.is_none() {
            return Ok(Some(default));
        }
        if !vm.is_int(v) && vm.type_of(v).special(vm, Special::Index).is_none() {
            return Ok(None);
        }
        let i = vm.index(v)?;
        Ok(vm.as_i64(i).filter(|&i| i >= 0))
    };
    let Some(stop) = number(stop, i64::MAX)? else {
        return Err(vm.value_error(if short {
            "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize."
        } else {
            "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize."
        }));
    };
    let Some(start) = number(start, 0)? else {
        return Err(vm.value_error("Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize."));
    };
    let Some(step) = number(step, 1)?.filter(|&s| s > 0) else {
        return Err(vm.value_error("Step for islice() must be a positive integer or None."));
    };
    let payload = Islice {
        iterator: Field::new(Some(vm.iter(iterable)?)),
        position: Cell::new(0),
        next: Cell::new(start),
        stop: Cell::new(stop),
        step: Cell::new(step),
    };
    Ok(Ext::new(vm, class, payload)?.value())
}

fn next_islice(vm: &Vm, it: ExtArg<Islice>) -> R<Value> {
    let it = it.0;
    let Some(iterator) = it.iterator.get() else { return Ok(vm.stop()) };
    let target = it.next.get().min(it.stop.get());
    while it.position.get() < target {
        if vm.next(iterator)?.is_none() {
            it.iterator.init(None);
            return Ok(vm.stop());
        }
        it.position.set(it.position.get() + 1);
    }
    if it.position.get() >= it.stop.get() {
        it.iterator.init(None);
        return Ok(vm.stop());
    }
    let Some(v) = vm.next(iterator)? else {
        it.iterator.init(None);
        return Ok(vm.stop());
    };
    it.position.set(it.position.get() + 1);
    it.next.set(it.next.get().saturating_add(it.step.get()));
    Ok(v)
}

/// How many items the generator over it passes over before the one that it gives next; -1: it gives no more.
pub fn islice_ahead(vm: &Vm, it: Value) -> R<i64> {
    let Some(it) = it.cast::<Ext<Islice>>() else { return Err(vm.system_error("no islice")) };
    let (position, next) = (it.position.get(), it.next.get());
    if it.iterator.get().is_none() || next.max(position) >= it.stop.get() {
        return Ok(-1);
    }
    let over = (next - position).max(0);
    it.position.set(position + over + 1);
    it.next.set(next.saturating_add(it.step.get()));
    Ok(over)
}

/// The generator over it is at the end: what is left up to that is taken.
pub fn end_islice(vm: &Vm, it: Value) -> R<()> {
    let Some(it) = it.cast::<Ext<Islice>>() else { return Err(vm.system_error("no islice")) };
    next_islice(vm, ExtArg(it)).map(|_| ())
}
