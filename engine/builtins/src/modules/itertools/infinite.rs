//! `count`, `cycle`, `repeat`.

use skein_bytecode::Special;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref};
use skein_runtime::types::ext::check_class;
use skein_runtime::types::ext::{Ext, ExtArg};
use skein_runtime::types::list::List;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

payload!(Count, "itertools.count", [next, step]);

native_type! {
    pub COUNT: "itertools.count", Kind::Ext, type_flags::BASETYPE, "Return a count object whose .__next__() method returns consecutive values.";
    methods {
        [static] "__new__($type, start=0, step=1)" => new_count;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_count;
        "__repr__($self, /)" => repr_count;
    }
}

fn is_number(vm: &Vm, v: Value) -> bool {
    let ty = vm.type_of(v);
    [Special::Index, Special::Float, Special::Complex].into_iter().any(|s| ty.special(vm, s).is_some())
        || vm.is_int(v)
        || vm.as_float(v).is_some()
}

fn new_count(vm: &Vm, class: Ref<Type>, start: Option<Value>, step: Option<Value>) -> R<Value> {
    check_class(vm, class, &COUNT)?;
    let (start, step) = (start.unwrap_or(Value::small_int(0)), step.unwrap_or(Value::small_int(1)));
    if !is_number(vm, start) || !is_number(vm, step) {
        return Err(vm.type_error("a number is required"));
    }
    Ok(Ext::new(vm, class, Count { next: Field::new(Some(start)), step: Field::new(Some(step)) })?.value())
}

fn next_count(vm: &Vm, it: ExtArg<Count>) -> R<Value> {
    let it = it.0;
    let (v, step) = (it.next.value(), it.step.value());
    if v.is_int()
        && step.is_int()
        && let Some(next) = Value::try_int(v.as_small_int() + step.as_small_int())
    {
        it.next.init(next);
        return Ok(v);
    }
    let next = vm.binary(Special::Add, v, step)?;
    it.next.set(vm, it, next);
    Ok(v)
}

fn repr_count(vm: &Vm, it: ExtArg<Count>) -> R<String> {
    let (next, step) = (it.0.next.value(), it.0.step.value());
    let next = vm.repr_string(next)?;
    if step.is_int() && step.as_small_int() == 1 {
        return Ok(format!("count({next})"));
    }
    Ok(format!("count({next}, {})", vm.repr_string(step)?))
}

payload!(Cycle, "itertools.cycle", [iterator, saved], index: usize);

native_type! {
    pub CYCLE: "itertools.cycle", Kind::Ext, type_flags::BASETYPE, "Return elements from the iterable until it is exhausted. Then repeat the sequence indefinitely.";
    methods {
        [static] "__new__($type, iterable, /)" => new_cycle;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_cycle;
    }
}

fn new_cycle(vm: &Vm, class: Ref<Type>, iterable: Value) -> R<Value> {
    check_class(vm, class, &CYCLE)?;
    let iterator = vm.iter(iterable)?;
    let saved = List::with_capacity(vm, 0)?;
    let payload = Cycle {
        iterator: Field::new(Some(iterator)),
        saved: Field::new(Some(saved.value())),
        index: Cell::new(0),
    };
    Ok(Ext::new(vm, class, payload)?.value())
}

fn next_cycle(vm: &Vm, it: ExtArg<Cycle>) -> R<Value> {
    let it = it.0;
    let Some(saved) = it.saved.cast::<List>() else { return Ok(vm.stop()) };
    if let Some(iterator) = it.iterator.get() {
        if let Some(v) = vm.next(iterator)? {
            saved.push(vm, v)?;
            return Ok(v);
        }
        it.iterator.init(None);
    }
    let i = it.index.get();
    let Some(v) = saved.get(i) else { return Ok(vm.stop()) };
    it.index.set(if i + 1 == saved.len() { 0 } else { i + 1 });
    Ok(v)
}

payload!(Repeat, "itertools.repeat", [object], left: i64);

native_type! {
    pub REPEAT: "itertools.repeat", Kind::Ext, type_flags::BASETYPE, "repeat(object [,times]) -> create an iterator which returns the object\nfor the specified number of times.  If not specified, returns the object\nendlessly.";
    methods {
        [static] "__new__($type, object, times=<unrepresentable>)" => new_repeat;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        [leaf] "__next__($self, /)" => next_repeat;
        "__length_hint__($self, /)" => hint_repeat;
        "__repr__($self, /)" => repr_repeat;
    }
}

/// As the number of times: without end.
const ENDLESS: i64 = -1;

fn new_repeat(vm: &Vm, class: Ref<Type>, object: Value, times: Option<i64>) -> R<Value> {
    check_class(vm, class, &REPEAT)?;
    let left = Cell::new(times.map_or(ENDLESS, |n| n.max(0)));
    Ok(Ext::new(vm, class, Repeat { object: Field::new(Some(object)), left })?.value())
}

fn next_repeat(vm: &Vm, it: ExtArg<Repeat>) -> Value {
    let left = it.0.left.get();
    if left == 0 {
        return vm.stop();
    }
    if left != ENDLESS {
        it.0.left.set(left - 1);
    }
    it.0.object.value()
}

fn hint_repeat(vm: &Vm, it: ExtArg<Repeat>) -> R<i64> {
    match it.0.left.get() {
        ENDLESS => Err(vm.type_error("len() of unsized object")),
        n => Ok(n),
    }
}

fn repr_repeat(vm: &Vm, it: ExtArg<Repeat>) -> R<String> {
    let object = vm.repr_string(it.0.object.value())?;
    Ok(match it.0.left.get() {
        ENDLESS => format!("repeat({object})"),
        n => format!("repeat({object}, {n})"),
    })
}
