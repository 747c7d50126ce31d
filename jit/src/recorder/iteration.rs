//! Making ranges, slices and iterators, which seldom become objects: the optimizer sees that only their loop or
//! their subscript uses them.

use super::memory::shape_of;
use super::{Recorder, Slot, Step};
use crate::ir::{self, Class, Id, NewKind, Place, TraceOp};
use skein_bytecode::Op;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::range::{Range, RangeIter, range_len};
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::slice::Slice;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;
use std::mem::offset_of;

const fn fixed(offset: usize) -> u64 {
    Place::new(Class::Fixed, offset).imm()
}

const fn state(offset: usize) -> u64 {
    Place::new(Class::Iterator, offset).imm()
}

impl Recorder {
    fn new_object<T>(&mut self, shape: u32, kind: Kind) -> Id {
        let kind = NewKind { shape, size: size_of::<T>() as u16, kind: kind as u8, bits: 0 };
        let id = self.emit(TraceOp::NewObject, &[], kind.imm());
        self.shapes.insert(id, shape);
        id
    }

    /// A raw word of an iterator that was made just now.
    fn begin_state(&mut self, it: Id, offset: usize, id: Id) {
        self.emit(TraceOp::StoreRaw, &[it, id], state(offset));
        self.fields.insert((it, offset as u32), Slot { id, dirty: false });
    }

    pub(super) fn get_iter(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        let v = at.reg(at.b());
        let (list, tuple) = (vm.types.list.root_shape_id(), vm.types.tuple.root_shape_id());
        let id = match shape_of(v) {
            Some(shape) if shape == list || shape == tuple => {
                let object = self.reg(at.b());
                let object = self.guard_shape(object, shape);
                let ty = if shape == list { vm.types.list_iterator } else { vm.types.tuple_iterator };
                self.flush_fields();
                let it = self.new_object::<SeqIter>(ty.root_shape_id(), Kind::SeqIter);
                self.emit(TraceOp::StoreField, &[it, object], state(offset_of!(SeqIter, sequence)));
                let zero = self.constant(0, ir::Type::R);
                self.begin_state(it, offset_of!(SeqIter, index), zero);
                it
            }
            Some(shape) if shape == vm.types.range.root_shape_id() => match self.range_iterator(vm, v) {
                Some(it) => it,
                None => return self.help(Op::GetIter),
            },
            _ => return self.help(Op::GetIter),
        };
        self.set(at.a(), id);
        self.next(1)
    }

    /// An iterator over a range of small ints with step 1.
    fn range_iterator(&mut self, vm: &Vm, v: Value) -> Option<Id> {
        let (start, stop, step) = v.cast::<Range>()?.small()?;
        if step != 1 {
            return None;
        }
        let range = self.reg(self.at.b());
        let range = self.guard_shape(range, vm.types.range.root_shape_id());
        let mut part = |offset: usize| {
            let id = self.emit(TraceOp::LoadField, &[range], fixed(offset));
            self.as_int(id)
        };
        let (first, last) = (part(offset_of!(Range, start)), part(offset_of!(Range, stop)));
        let step_id = part(offset_of!(Range, step));
        self.guard_is(step_id, Value::small_int(1));
        let empty = range_len(start, stop, 1) == 0;
        let less = self.emit(TraceOp::IntLt, &[first, last], 0);
        self.emit(if empty { TraceOp::GuardFalse } else { TraceOp::GuardTrue }, &[less], 0);
        let left = if empty {
            self.constant(0, ir::Type::R)
        } else {
            let (a, b) = (self.emit(TraceOp::Untag, &[first], 0), self.emit(TraceOp::Untag, &[last], 0));
            self.emit(TraceOp::RawSub, &[b, a], 0)
        };
        self.flush_fields();
        let it = self.new_object::<RangeIter>(vm.types.range_iterator.root_shape_id(), Kind::RangeIter);
        let next = self.emit(TraceOp::ToRaw, &[first], 0);
        self.begin_state(it, offset_of!(RangeIter, next), next);
        // Of words: ints are shifted by two.
        let step = self.constant(4, ir::Type::R);
        self.begin_state(it, offset_of!(RangeIter, step), step);
        self.begin_state(it, offset_of!(RangeIter, left), left);
        Some(it)
    }

    /// `range(stop)` or `range(start, stop)` of small ints. None: it is something else.
    pub(super) fn call_range(&mut self, vm: &Vm, from: usize, n: usize) -> Option<Id> {
        let at = self.at;
        if !(1..=2).contains(&n) || !(from..from + n).all(|i| at.reg(i).is_int()) {
            return None;
        }
        let ids: Vec<Id> = (from..from + n).map(|i| self.reg(i)).collect();
        let mut ids: Vec<Id> = ids.into_iter().map(|id| self.as_int(id)).collect();
        if n == 1 {
            let zero = self.value(Value::small_int(0));
            ids.insert(0, zero);
        }
        ids.push(self.value(Value::small_int(1)));
        let range = self.new_object::<Range>(vm.types.range.root_shape_id(), Kind::Range);
        let offsets = [offset_of!(Range, start), offset_of!(Range, stop), offset_of!(Range, step)];
        for (id, offset) in ids.into_iter().zip(offsets) {
            self.emit(TraceOp::StoreField, &[range, id], fixed(offset));
        }
        Some(range)
    }

    /// A slice of ints and None: what takes it needs no calls for its parts.
    pub(super) fn build_slice(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        let parts = [0, 1, 2].map(|i| at.reg(at.b() + i));
        if !parts.iter().all(|v| v.is_int() || v.is_none()) {
            return self.help(Op::BuildSlice);
        }
        let ids = [0, 1, 2].map(|i| {
            let id = self.reg(at.b() + i);
            self.guard_type(id, parts[i])
        });
        let slice = self.new_object::<Slice>(vm.types.slice.root_shape_id(), Kind::Slice);
        let offsets = [offset_of!(Slice, start), offset_of!(Slice, stop), offset_of!(Slice, step)];
        for (id, offset) in ids.into_iter().zip(offsets) {
            self.emit(TraceOp::StoreField, &[slice, id], fixed(offset));
        }
        self.simple_slices.push(slice);
        self.set(at.a(), slice);
        self.next(1)
    }

    /// A subscript of a builtin container that takes no Python code: `obj[key]`.
    pub(super) fn native_item(&mut self, vm: &Vm) -> Option<Id> {
        let at = self.at;
        let (obj, key) = (at.reg(at.b()), at.reg(at.c()));
        let def = self.item_native(vm, obj, key, skein_bytecode::Special::GetItem)?;
        let operands = [(self.reg(at.b()), obj), (self.reg(at.c()), key)];
        self.leaf_call(vm, def, &operands)
    }

    /// `obj[key] = v`, likewise.
    pub(super) fn native_store_item(&mut self, vm: &Vm) -> Option<Id> {
        let at = self.at;
        let (obj, key, v) = (at.reg(at.a()), at.reg(at.b()), at.reg(at.c()));
        let def = self.item_native(vm, obj, key, skein_bytecode::Special::SetItem)?;
        let is_slice = key.cast::<Slice>().is_some();
        let rows = [vm.types.list.root_shape_id(), vm.types.tuple.root_shape_id()];
        // What a slice is replaced by is iterated over.
        if is_slice && !shape_of(v).is_some_and(|s| rows.contains(&s)) {
            return None;
        }
        let operands = [(self.reg(at.a()), obj), (self.reg(at.b()), key), (self.reg(at.c()), v)];
        self.leaf_call(vm, def, &operands)
    }

    /// The native of an exact list, tuple, str or dict for a key that is compared and hashed without calls.
    fn item_native(
        &mut self,
        vm: &Vm,
        obj: Value,
        key: Value,
        special: skein_bytecode::Special,
    ) -> Option<&'static skein_runtime::native::NativeDef> {
        let shape = shape_of(obj)?;
        let t = &vm.types;
        let plain_key = key.header().is_none() || shape_of(key) == Some(t.str.root_shape_id());
        let is_slice = key.cast::<Slice>().is_some();
        let fits = if shape == t.dict.root_shape_id() {
            plain_key
        } else {
            [t.list, t.tuple, t.str].iter().any(|ty| shape == ty.root_shape_id())
                && (key.is_int() || is_slice)
        };
        let native: Ref<skein_runtime::types::native::NativeFunction> =
            vm.type_of(obj).special(vm, special).filter(|_| fits)?.cast()?;
        Some(native.def())
    }
}
