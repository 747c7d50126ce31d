//! `bytes_iterator` and `bytearray_iterator`.

use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub BYTES_ITERATOR: "bytes_iterator", Kind::SeqIter, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, this: Ref<SeqIter>| this;
        [leaf] "__next__($self, /)" => next;
        "__length_hint__($self, /)" => length_hint, "Private method returning an estimate of len(list(it)).";
        "__reduce__($self, /)" => reduce, "Return state information for pickling.";
        "__setstate__($self, state, /)" => setstate, "Set state information for unpickling.";
    }
}

native_type! {
    pub BYTEARRAY_ITERATOR: "bytearray_iterator", Kind::SeqIter, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, this: Ref<SeqIter>| this;
        [leaf] "__next__($self, /)" => next;
        "__length_hint__($self, /)" => length_hint, "Private method returning an estimate of len(list(it)).";
        "__reduce__($self, /)" => reduce, "Return state information for pickling.";
        "__setstate__($self, state, /)" => setstate, "Set state information for unpickling.";
    }
}

/// The byte at an index of what is iterated over.
fn byte_at(this: Ref<SeqIter>, i: usize) -> Option<u8> {
    match this.sequence.cast::<Bytes>() {
        Some(b) => b.bytes().get(i).copied(),
        None => this.sequence.cast::<ByteArray>()?.bytes().get(i).copied(),
    }
}

fn len(this: Ref<SeqIter>) -> usize {
    match this.sequence.cast::<Bytes>() {
        Some(b) => b.bytes().len(),
        None => this.sequence.cast::<ByteArray>().map_or(0, |b| b.bytes().len()),
    }
}

fn next(vm: &Vm, this: Ref<SeqIter>) -> Value {
    let i = this.index.get();
    match byte_at(this, i) {
        Some(b) => {
            this.index.set(i + 1);
            Value::small_int(i64::from(b))
        }
        None => {
            this.sequence.init(None);
            vm.stop()
        }
    }
}

fn length_hint(_: &Vm, this: Ref<SeqIter>) -> usize {
    len(this).saturating_sub(this.index.get())
}

fn reduce(vm: &Vm, this: Ref<SeqIter>) -> R<Ref<Tuple>> {
    let builtins = crate::modules::import(vm, "builtins")?;
    let iter = vm.get_attr(builtins, vm.intern("iter")?)?;
    match this.sequence.get() {
        Some(s) => {
            let args = Tuple::new(vm, &[s])?;
            Tuple::new(vm, &[iter, args.value(), Value::small_int(this.index.get() as i64)])
        }
        None => {
            let empty = vm.tuple(&[])?;
            let args = Tuple::new(vm, &[empty])?;
            Tuple::new(vm, &[iter, args.value()])
        }
    }
}

fn setstate(vm: &Vm, this: Ref<SeqIter>, state: Value) -> R<()> {
    let i = vm.index_clamped(state)?;
    this.index.set(i.clamp(0, len(this) as i64) as usize);
    Ok(())
}
