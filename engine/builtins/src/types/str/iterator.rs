//! `str_iterator`: its index is a byte offset, so that every step costs the same.

use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::str::{Str, char_width};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub ITERATOR: "str_ascii_iterator", Kind::SeqIter, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, this: Ref<SeqIter>| this;
        [leaf] "__next__($self, /)" => next;
        "__length_hint__($self, /)" => length_hint, "Private method returning an estimate of len(list(it)).";
        "__reduce__($self, /)" => reduce, "Return state information for pickling.";
        "__setstate__($self, state, /)" => setstate, "Set state information for unpickling.";
    }
}

fn next(vm: &Vm, this: Ref<SeqIter>) -> R<Value> {
    let Some(s) = this.sequence.cast::<Str>() else { return Ok(vm.stop()) };
    let at = this.index.get();
    let Some(&first) = s.bytes().get(at) else {
        this.sequence.init(None);
        return Ok(vm.stop());
    };
    let width = char_width(first);
    this.index.set(at + width);
    if width == 1 {
        return vm.char_str(u32::from(first));
    }
    Ok(Str::new(vm, &s.bytes()[at..at + width])?.value())
}

fn length_hint(_: &Vm, this: Ref<SeqIter>) -> usize {
    match this.sequence.cast::<Str>() {
        Some(s) => s.char_len() - s.char_index(this.index.get().min(s.bytes().len())),
        None => 0,
    }
}

fn reduce(vm: &Vm, this: Ref<SeqIter>) -> R<Ref<Tuple>> {
    let builtins = crate::modules::import(vm, "builtins")?;
    let iter = vm.get_attr(builtins, vm.intern("iter")?)?;
    match this.sequence.cast::<Str>() {
        Some(s) => {
            let index = s.char_index(this.index.get().min(s.bytes().len()));
            let args = Tuple::new(vm, &[s.value()])?;
            Tuple::new(vm, &[iter, args.value(), vm.int(index as i64)?])
        }
        None => {
            let empty = vm.str("")?;
            let args = Tuple::new(vm, &[empty])?;
            Tuple::new(vm, &[iter, args.value()])
        }
    }
}

fn setstate(vm: &Vm, this: Ref<SeqIter>, state: Value) -> R<()> {
    let i = vm.index_clamped(state)?;
    if let Some(s) = this.sequence.cast::<Str>() {
        this.index.set(s.byte_offset(i.clamp(0, s.char_len() as i64) as usize));
    }
    Ok(())
}
