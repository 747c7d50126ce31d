//! What Python code sees of the iterators by index, of `reversed` and of `iter(callable, sentinel)`.

use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Object, Ref};
use skein_runtime::types::list::List;
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

macro_rules! iterator_type {
    ($([$effect:ident])? $def:ident, $name:literal, $next:expr, $hint:expr) => {
        native_type! {
            pub $def: $name, Kind::SeqIter, type_flags::NO_NEW;
            methods {
                [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
                $([$effect])? "__next__($self, /)" => $next;
                "__length_hint__($self, /)" => $hint;
                "__reduce__($self, /)" => reduce;
                "__setstate__($self, state, /)" => setstate;
            }
        }
    };
}
iterator_type!([leaf] LIST, "list_iterator", next_of_list, hint::<List>);
iterator_type!([leaf] TUPLE, "tuple_iterator", next_of_tuple, hint::<Tuple>);
iterator_type!(SEQUENCE, "iterator", next_of_sequence, hint_of_sequence);
iterator_type!([leaf] LIST_REVERSE, "list_reverseiterator", next_of_reversed_list, hint_of_reversed);

native_type! {
    pub REVERSED: "reversed", Kind::SeqIter, type_flags::BASETYPE, "Return a reverse iterator over the values of the given sequence.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new_reversed;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_of_reversed;
        "__length_hint__($self, /)" => hint_of_reversed;
        "__reduce__($self, /)" => reduce_reversed;
        "__setstate__($self, state, /)" => setstate;
    }
}

native_type! {
    pub CALLABLE: "callable_iterator", Kind::SeqIter, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_of_callable;
        "__reduce__($self, /)" => reduce_callable;
    }
}

/// Ends the iterator for good.
fn exhaust(vm: &Vm, it: Ref<SeqIter>) -> Value {
    it.sequence.init(None);
    vm.stop()
}

fn next_of_list(vm: &Vm, it: Ref<SeqIter>) -> Value {
    let i = it.index.get();
    match it.sequence.cast::<List>().and_then(|l| l.get(i)) {
        Some(v) => {
            it.index.set(i + 1);
            v
        }
        None => exhaust(vm, it),
    }
}

fn next_of_tuple(vm: &Vm, it: Ref<SeqIter>) -> Value {
    let i = it.index.get();
    match it.sequence.cast::<Tuple>().and_then(|t| t.items().get(i).copied()) {
        Some(v) => {
            it.index.set(i + 1);
            v
        }
        None => exhaust(vm, it),
    }
}

/// The item, or None where the sequence ends.
fn item_or_end(vm: &Vm, sequence: Value, i: usize) -> R<Option<Value>> {
    let r = vm.get_item(sequence, vm.int(i as i64)?);
    if r.is_err() && (vm.catch(vm.exc.index_error).is_some() || vm.catch(vm.exc.stop_iteration).is_some()) {
        return Ok(None);
    }
    r.map(Some)
}

fn next_of_sequence(vm: &Vm, it: Ref<SeqIter>) -> R<Value> {
    let Some(sequence) = it.sequence.get() else { return Ok(vm.stop()) };
    let i = it.index.get();
    if i >= isize::MAX as usize {
        return Err(vm.overflow_error("iter index too large"));
    }
    match item_or_end(vm, sequence, i)? {
        Some(v) => {
            it.index.set(i + 1);
            Ok(v)
        }
        None => Ok(exhaust(vm, it)),
    }
}

fn next_of_reversed_list(vm: &Vm, it: Ref<SeqIter>) -> Value {
    let i = it.index.get();
    let item = i.checked_sub(1).and_then(|i| it.sequence.cast::<List>()?.get(i));
    match item {
        Some(v) => {
            it.index.set(i - 1);
            v
        }
        None => exhaust(vm, it),
    }
}

fn next_of_reversed(vm: &Vm, it: Ref<SeqIter>) -> R<Value> {
    let Some(sequence) = it.sequence.get() else { return Ok(vm.stop()) };
    let i = it.index.get();
    if i > 0
        && let Some(v) = item_or_end(vm, sequence, i - 1)?
    {
        it.index.set(i - 1);
        return Ok(v);
    }
    Ok(exhaust(vm, it))
}

fn next_of_callable(vm: &Vm, it: Ref<SeqIter>) -> R<Value> {
    let Some(f) = it.sequence.get() else { return Ok(vm.stop()) };
    let v = match vm.call(f, &[]) {
        Ok(v) => v,
        Err(e) => {
            if vm.catch(vm.exc.stop_iteration).is_some() {
                return Ok(exhaust(vm, it));
            }
            return Err(e);
        }
    };
    // The call may have ended this very iterator.
    let Some(sentinel) = it.sentinel.get().filter(|_| it.sequence.get().is_some()) else {
        return Ok(vm.stop());
    };
    if vm.eq(v, sentinel)? {
        it.sentinel.init(None);
        return Ok(exhaust(vm, it));
    }
    Ok(v)
}

fn new_reversed(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = skein_runtime::types::ext::class_argument(vm, &args, vm.types.reversed)?;
    if args.has_keywords() && ty == vm.types.reversed {
        return Err(vm.type_error("reversed() takes no keyword arguments"));
    }
    let [sequence] = args.positional()[1..] else {
        return Err(vm.type_error(format!(
            "reversed expected 1 argument, got {}",
            args.positional().len().saturating_sub(1)
        )));
    };
    let of = vm.type_of(sequence);
    match of.special(vm, Special::Reversed) {
        Some(f) if !f.is_none() => return vm.special_1(f, sequence),
        None if of.special(vm, Special::GetItem).is_some() && of.special(vm, Special::Len).is_some() => {}
        _ => return Err(vm.type_error(format!("'{}' object is not reversible", of.name_string()))),
    }
    let n = vm.len(sequence)?;
    let it = vm.alloc_instance::<SeqIter>(ty)?;
    it.sequence.init(sequence);
    it.index.set(n);
    Ok(it.value())
}

/// Layouts with a length, for the length hints of their iterators.
trait Length: Object {
    fn length(&self) -> usize;
}
impl Length for List {
    fn length(&self) -> usize {
        self.len()
    }
}
impl Length for Tuple {
    fn length(&self) -> usize {
        self.len()
    }
}

fn hint<T: Length>(_: &Vm, it: Ref<SeqIter>) -> usize {
    it.sequence.cast::<T>().map_or(0, |s| s.length().saturating_sub(it.index.get()))
}

fn hint_of_sequence(vm: &Vm, it: Ref<SeqIter>) -> R<Value> {
    let Some(sequence) = it.sequence.get() else { return Ok(Value::small_int(0)) };
    if vm.type_of(sequence).special(vm, Special::Len).is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    vm.int(vm.len(sequence)?.saturating_sub(it.index.get()) as i64)
}

fn hint_of_reversed(vm: &Vm, it: Ref<SeqIter>) -> R<usize> {
    let Some(sequence) = it.sequence.get() else { return Ok(0) };
    let n = it.index.get();
    Ok(if vm.len(sequence)? < n { 0 } else { n })
}

fn reduce(vm: &Vm, it: Ref<SeqIter>) -> R<Value> {
    let down = vm.type_of(it.value()) == vm.types.list_reverseiterator;
    match it.sequence.get() {
        Some(sequence) => {
            let args = vm.tuple(&[sequence])?;
            let f = if down { vm.types.reversed.value() } else { vm.builtin("iter")? };
            let at = vm.int(it.index.get() as i64 - i64::from(down))?;
            vm.tuple(&[f, args, at])
        }
        None => {
            // One that has ended.
            let list = down || vm.type_of(it.value()) == vm.types.list_iterator;
            let empty = if list { List::with_capacity(vm, 0)?.value() } else { vm.tuple(&[])? };
            let f = if down { vm.types.reversed.value() } else { vm.builtin("iter")? };
            vm.tuple(&[f, vm.tuple(&[empty])?])
        }
    }
}

fn reduce_reversed(vm: &Vm, it: Ref<SeqIter>) -> R<Value> {
    let ty = vm.type_of(it.value()).value();
    match it.sequence.get() {
        Some(sequence) => {
            let args = vm.tuple(&[sequence])?;
            let at = vm.int(it.index.get() as i64 - 1)?;
            vm.tuple(&[ty, args, at])
        }
        None => {
            let empty = vm.tuple(&[])?;
            let args = vm.tuple(&[empty])?;
            vm.tuple(&[ty, args])
        }
    }
}

fn reduce_callable(vm: &Vm, it: Ref<SeqIter>) -> R<Value> {
    let iter = vm.builtin("iter")?;
    let args = match (it.sequence.get(), it.sentinel.get()) {
        (Some(f), Some(s)) => vm.tuple(&[f, s])?,
        _ => {
            let empty = vm.tuple(&[])?;
            vm.tuple(&[empty])?
        }
    };
    vm.tuple(&[iter, args])
}

fn setstate(vm: &Vm, it: Ref<SeqIter>, state: i64) -> R<()> {
    let Some(sequence) = it.sequence.get() else { return Ok(()) };
    let ty = vm.type_of(it.value());
    if ty == vm.types.list_reverseiterator || ty.is_subtype(vm.types.reversed) {
        let n = vm.len(sequence)? as i64;
        it.index.set((state.saturating_add(1)).clamp(0, n) as usize);
        return Ok(());
    }
    it.index.set(state.max(0) as usize);
    Ok(())
}
