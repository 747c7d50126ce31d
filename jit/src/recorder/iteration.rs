//! Iterators: what they give next, and making them. They seldom become objects, as the optimizer sees that only their
//! loop uses them.

use super::made::takes;
use super::memory::{ELEMS, FIXED_LEN, LEN, shape_of};
use super::{Abort, Expect, Recorder, Slot, Step};
use crate::ir::{self, Class, Id, NewKind, Place, TraceOp};
use skein_bytecode::{Op, Special};
use skein_runtime::interp::{At, Cont, ContKind, plain_native, publish};
use skein_runtime::native::{Effect, NativeDef};
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::ext::Ext;
use skein_runtime::types::function::Function;
use skein_runtime::types::generator::Generator;
use skein_runtime::types::iterators::{
    ENUMERATE_COUNT, ENUMERATE_ITERATOR, ENUMERATE_LARGE, Enumerate, MAP_FUNCTION, MAP_ITERATORS, Map,
    ZIP_ITERATORS, Zip,
};
use skein_runtime::types::list::List;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::range::{Range, RangeIter, range_len};
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::str::{STR_LEN, Str};
use skein_runtime::types::tuple::{TUPLE_ITEMS, Tuple};
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{Raised, Value};
use skein_runtime::vm::Vm;
use std::mem::offset_of;

pub(super) const fn fixed(offset: usize) -> u64 {
    Place::new(Class::Fixed, offset).imm()
}

const fn state(offset: usize) -> u64 {
    Place::new(Class::Iterator, offset).imm()
}

/// What an iterator gives.
pub(super) enum Next {
    Item(Id),
    End,
}

/// Iterators within iterators.
const MAX_NESTED: usize = 3;
/// Iterators that give one item together.
const MAX_TOGETHER: usize = 8;
/// `enumerate` counts further in the interpreter.
const MAX_COUNT: u64 = 1 << 60;

/// Does the iterator, as it is now, give a next item? None: the recorder does not know its kind.
fn has_next(vm: &Vm, v: Value, nested: usize) -> Option<bool> {
    let shape = shape_of(v)?;
    let t = &vm.types;
    if shape == t.range_iterator.root_shape_id() {
        return Some(v.cast::<RangeIter>()?.left.get() != 0);
    }
    if let Some(it) = v.cast::<SeqIter>() {
        let row = it.sequence.get()?;
        if shape == t.str_iterator.root_shape_id() {
            let text = row.cast::<Str>().filter(|s| chars_of(vm, *s).is_some());
            return text.map(|s| it.index.get() < s.bytes().len());
        }
        let len = match (row.cast::<List>(), row.cast::<Tuple>()) {
            (Some(list), _) if shape == t.list_iterator.root_shape_id() => list.len(),
            (_, Some(tuple)) if shape == t.tuple_iterator.root_shape_id() => tuple.len(),
            _ => return None,
        };
        return Some(it.index.get() < len);
    }
    // Of their own classes, whose `__next__` is what it is.
    if nested == 0 || vm.type_of(v).def().is_none() {
        return None;
    }
    if let Some(it) = v.cast::<Ext<Enumerate>>() {
        let counts = it.large.get().is_none() && (0..MAX_COUNT as i64).contains(&it.count.get());
        return has_next(vm, it.iterator.value(), nested - 1).filter(|_| counts);
    }
    let all = v.cast::<Ext<Zip>>()?.0.iterators.cast::<Tuple>()?;
    let each = |it: &Value| has_next(vm, *it, nested - 1) == Some(true);
    // Where one ends, it matters whether the others have to as well.
    (!all.is_empty() && all.len() < MAX_TOGETHER && all.items().iter().all(each)).then_some(true)
}

/// The address of the table that has the characters of the text, as its bytes say. None: they may be others.
pub(super) fn chars_of(vm: &Vm, s: Ref<Str>) -> Option<u64> {
    let plain = s.is_ascii() && !s.is_shared() && vm.is_exact_str(s.value());
    let table = if plain { vm.char_table() } else { None };
    table.map(|table| table.addr() as u64)
}

/// The native that a builtin type has for a special method of its instances, if that runs no Python code.
fn own_method(vm: &Vm, v: Value, special: Special) -> Option<&'static NativeDef> {
    let ty = vm.type_of(v);
    ty.def()?;
    let def = ty.special(vm, special).and_then(plain_native)?;
    (def.effect == Effect::Leaf).then_some(def)
}

/// Is it an iterator of a builtin type that is its own iterator, unless a generator stands for it?
fn is_own_iterator(vm: &Vm, v: Value) -> bool {
    let ty = vm.type_of(v);
    let iter = ty.special(vm, Special::Iter).filter(|_| ty.def().is_some());
    let iter = iter.and_then(|f| f.cast::<NativeFunction>());
    iter.is_some_and(|f| f.def().soft.is_some() && f.def().effect == Effect::Leaf)
}

/// Puts the generator that stands for the iterator of a `ForIter` into its place. Not while a recorder looks at the
/// instruction: this allocates. False, since the recording has ended.
pub fn replace_iterator(vm: &Vm, at: At) -> bool {
    publish(vm, at);
    match (vm.builtin.generator_over)(vm, at.reg(at.b())) {
        Ok(g) => at.set(at.b(), g),
        // No memory for it: the loop can do without.
        Err(Raised) => drop(vm.pending.take()),
    }
    false
}

/// Is it an instance of a list's subclass that is iterated over as a list is?
fn iterates_as_list(vm: &Vm, v: Value) -> bool {
    let iter = |ty: Ref<Type>| ty.special(vm, Special::Iter);
    v.cast::<List>().is_some() && iter(vm.type_of(v)) == iter(vm.types.list)
}

/// The iterator, and all that it takes items from.
fn gather(v: Value, all: &mut Vec<Value>) {
    all.push(v);
    if let Some(it) = v.cast::<Ext<Enumerate>>() {
        gather(it.iterator.value(), all);
    } else if let Some((row, _)) = several(v) {
        row.items().iter().for_each(|it| gather(*it, all));
    }
}

/// The iterators that a `zip` or a `map` takes items from, and the offset of their tuple.
fn several(v: Value) -> Option<(Ref<Tuple>, usize)> {
    let (all, offset) = match (v.cast::<Ext<Zip>>(), v.cast::<Ext<Map>>()) {
        (Some(zip), _) => (zip.0.iterators.cast::<Tuple>(), ZIP_ITERATORS),
        (_, Some(map)) => (map.0.iterators.cast::<Tuple>(), MAP_ITERATORS),
        _ => return None,
    };
    Some((all?, offset))
}

/// Is an iterator among these twice, or are they too many?
fn is_entangled(all: &[Value]) -> bool {
    let twice = |(i, it): (usize, &Value)| all[..i].iter().any(|other| other.is(*it));
    all.len() > MAX_TOGETHER || all.iter().enumerate().any(twice)
}

/// Does the recorder know what the iterator gives next?
pub(super) fn is_followed(vm: &Vm, v: Value) -> bool {
    let mut all = Vec::new();
    if has_next(vm, v, MAX_NESTED).is_some() {
        gather(v, &mut all);
    }
    !all.is_empty() && !is_entangled(&all)
}

impl Recorder {
    // ---- their state

    /// Writes the state of all iterators to memory.
    pub(super) fn flush_fields(&mut self) {
        let mut fields: Vec<_> = self.fields.drain().filter(|(_, slot)| slot.dirty).collect();
        fields.sort_by_key(|(key, _)| *key);
        for ((object, off), slot) in fields {
            self.store_state(object, off, slot.id);
            self.moved_on = true;
        }
    }

    /// Writes a word of an iterator's or a generator's state to memory.
    pub(super) fn store_state(&mut self, object: Id, off: u32, id: Id) {
        let place = Place::new(Class::Iterator, off as usize).imm();
        if self.ty(id) == ir::Type::R {
            self.emit(TraceOp::StoreRaw, &[object, id], place);
        } else {
            self.emit(TraceOp::Barrier, &[object], 0);
            self.emit(TraceOp::StoreField, &[object, id], place);
        }
    }

    /// Can the two be one object?
    fn may_be_same(&self, a: Id, b: Id) -> bool {
        let of_two_shapes = match (self.shapes.get(&a), self.shapes.get(&b)) {
            (Some(a), Some(b)) => a != b,
            _ => false,
        };
        a != b && !of_two_shapes && !self.distinct.contains(&(a.min(b), a.max(b)))
    }

    pub(super) fn state(&mut self, it: Id, offset: usize) -> Id {
        self.state_by(it, offset, [TraceOp::LoadRaw, TraceOp::LoadState])
    }

    /// As `state`, of a word of Python.
    pub(super) fn held(&mut self, g: Id, offset: usize) -> Id {
        self.state_by(g, offset, [TraceOp::LoadField, TraceOp::LoadHeld])
    }

    fn state_by(&mut self, it: Id, offset: usize, [now, at_head]: [TraceOp; 2]) -> Id {
        let key = (it, offset as u32);
        if let Some(slot) = self.fields.get(&key) {
            return slot.id;
        }
        // It may be one that is known by another name.
        if self.fields.iter().any(|(k, slot)| slot.dirty && self.may_be_same(k.0, it)) {
            self.flush_fields();
        }
        let op = if self.moved_on { now } else { at_head };
        let id = self.emit(op, &[it], Place::new(Class::Iterator, offset).imm());
        self.fields.insert(key, Slot { id, dirty: false });
        id
    }

    pub(super) fn set_state(&mut self, it: Id, offset: usize, id: Id) {
        self.fields.insert((it, offset as u32), Slot { id, dirty: true });
    }

    /// The iterator that a value is, which is of this shape.
    pub(super) fn iterator(&mut self, id: Id, shape: u32) -> Id {
        let new = self.guard_shape(id, shape);
        if new != id {
            // What was known of it goes by its new name.
            let known: Vec<_> = self.fields.extract_if(|k, _| k.0 == id).collect();
            self.fields.extend(known.into_iter().map(|((_, off), slot)| ((new, off), slot)));
        }
        new
    }

    /// An object that another always has at this place; the same value each time, so that its state is known.
    pub(super) fn part(&mut self, object: Id, offset: usize) -> Id {
        let key = (object, offset as u32);
        if let Some(&id) = self.parts.get(&key) {
            return id;
        }
        let id = self.emit(TraceOp::LoadField, &[object], fixed(offset));
        self.parts.insert(key, id);
        id
    }

    // ---- what they give

    /// Names the iterator and all that it takes items from, as [`gather`] does.
    fn name_all(&mut self, id: Id, v: Value, all: &mut Vec<(Id, Value)>) {
        let Some(shape) = shape_of(v) else { return };
        let it = self.iterator(id, shape);
        all.push((it, v));
        if let Some(now) = v.cast::<Ext<Enumerate>>() {
            self.name_part(it, ENUMERATE_ITERATOR, now.iterator.value(), all);
        } else if let Some((row, offset)) = several(v) {
            let each = self.part(it, offset);
            let len = self.emit(TraceOp::LoadRaw, &[each], FIXED_LEN.imm());
            self.emit(TraceOp::GuardRaw, &[len], row.len() as u64);
            for (i, &v) in row.items().iter().enumerate() {
                self.name_part(each, TUPLE_ITEMS + 8 * i, v, all);
            }
        }
    }

    fn name_part(&mut self, object: Id, offset: usize, v: Value, all: &mut Vec<(Id, Value)>) {
        let (part, at) = (self.part(object, offset), all.len());
        self.name_all(part, v, all);
        if let Some((it, _)) = all.get(at) {
            self.parts.insert((object, offset as u32), *it);
        }
    }

    /// Makes sure that iterators are not the same which are not now, and that none is known by yet another name: in
    /// between the steps of an instruction nothing may have to be written to memory.
    fn tell_apart(&mut self, all: &[(Id, Value)]) {
        for (i, &(a, _)) in all.iter().enumerate() {
            for &(b, _) in &all[..i] {
                if self.may_be_same(a, b) {
                    let same = self.emit(TraceOp::Same, &[a, b], 0);
                    self.emit(TraceOp::GuardFalse, &[same], 0);
                    self.distinct.insert((a.min(b), a.max(b)));
                }
            }
        }
        let others = |k: Id, this: &Recorder| all.iter().any(|&(id, _)| this.may_be_same(k, id));
        if self.fields.iter().any(|(k, slot)| slot.dirty && others(k.0, self)) {
            self.flush_fields();
        }
    }

    /// Takes the next item of an iterator of which `has_next` has told something, and whose parts are told apart.
    fn next_of(&mut self, vm: &Vm, it: Id, v: Value) -> Next {
        if v.cast::<RangeIter>().is_some() {
            self.next_of_range(it, v)
        } else if v.cast::<SeqIter>().is_some() {
            self.next_of_row(vm, it, v)
        } else {
            self.next_of_several(vm, it, v)
        }
    }

    fn next_of_range(&mut self, it: Id, v: Value) -> Next {
        const LEFT: usize = offset_of!(RangeIter, left);
        const NEXT: usize = offset_of!(RangeIter, next);
        const STEP: usize = offset_of!(RangeIter, step);
        let left = self.state(it, LEFT);
        if v.cast::<RangeIter>().is_some_and(|range| range.left.get() == 0) {
            self.emit(TraceOp::GuardRaw, &[left], 0);
            return Next::End;
        }
        self.emit(TraceOp::GuardRawNot, &[left], 0);
        let (next, step) = (self.state(it, NEXT), self.state(it, STEP));
        let item = self.emit(TraceOp::FromRaw, &[next], 0);
        let one = self.constant(1, ir::Type::R);
        let less = self.emit(TraceOp::RawSub, &[left, one], 0);
        let further = self.emit(TraceOp::RawAdd, &[next, step], 0);
        self.set_state(it, LEFT, less);
        self.set_state(it, NEXT, further);
        Next::Item(item)
    }

    /// Of a list, tuple or text.
    fn next_of_row(&mut self, vm: &Vm, it: Id, v: Value) -> Next {
        const INDEX: usize = offset_of!(SeqIter, index);
        let is_tuple = shape_of(v) == Some(vm.types.tuple_iterator.root_shape_id());
        let text = v.cast::<SeqIter>().and_then(|it| it.sequence.cast::<Str>());
        let chars = text.and_then(|text| chars_of(vm, text));
        // The iterator of a subclass's instance is no other.
        let row_shape = v.cast::<SeqIter>().and_then(|it| shape_of(it.sequence.get()?)).expect("of a row");
        let ended = has_next(vm, v, 0) == Some(false);
        let place = Place::new(Class::Iterator, offset_of!(SeqIter, sequence));
        let row = self.emit(TraceOp::LoadField, &[it], place.imm());
        self.guard_is_not(row, 0);
        let row = self.guard_shape(row, row_shape);
        let len = match chars {
            Some(_) => Place::new(Class::Fixed, STR_LEN),
            None if is_tuple => FIXED_LEN,
            None => LEN,
        };
        let len = self.emit(TraceOp::LoadRaw, &[row], len.imm());
        let index = self.state(it, INDEX);
        if ended {
            // From now on it has ended, whatever becomes of the row.
            self.emit(TraceOp::CheckNotBelow, &[index, len], 0);
            let none = self.constant(0, ir::Type::R);
            self.emit(TraceOp::StoreRaw, &[it, none], place.imm());
            return Next::End;
        }
        self.emit(TraceOp::CheckBelow, &[index, len], 0);
        let item = if let Some(chars) = chars {
            self.emit(TraceOp::TextChar, &[row, index], chars)
        } else if is_tuple {
            self.emit(TraceOp::LoadElem, &[row, index], fixed(0))
        } else {
            let items = self.items_of(row);
            self.emit(TraceOp::LoadElem, &[items, index], ELEMS.imm())
        };
        let one = self.constant(1, ir::Type::R);
        let next = self.emit(TraceOp::RawAdd, &[index, one], 0);
        self.set_state(it, INDEX, next);
        Next::Item(item)
    }

    /// Of `enumerate` and `zip`.
    fn next_of_several(&mut self, vm: &Vm, it: Id, v: Value) -> Next {
        if let Some(now) = v.cast::<Ext<Enumerate>>() {
            let large = self.part(it, ENUMERATE_LARGE);
            let large = self.emit(TraceOp::ToRaw, &[large], 0);
            self.emit(TraceOp::GuardRaw, &[large], 0);
            let count = self.state(it, ENUMERATE_COUNT);
            let most = self.constant(MAX_COUNT, ir::Type::R);
            self.emit(TraceOp::CheckBelow, &[count, most], 0);
            let inner = self.part(it, ENUMERATE_ITERATOR);
            let Next::Item(item) = self.next_of(vm, inner, now.iterator.value()) else { return Next::End };
            let number = self.emit(TraceOp::Tag, &[count], 0);
            let one = self.constant(1, ir::Type::R);
            let next = self.emit(TraceOp::RawAdd, &[count, one], 0);
            self.set_state(it, ENUMERATE_COUNT, next);
            return Next::Item(self.new_tuple(vm, &[number, item]));
        }
        let row = v.cast::<Ext<Zip>>().and_then(|zip| zip.0.iterators.cast::<Tuple>()).expect("a zip");
        let each = self.part(it, ZIP_ITERATORS);
        let mut items = Vec::new();
        for (i, &v) in row.items().iter().enumerate() {
            let inner = self.part(each, TUPLE_ITEMS + 8 * i);
            let Next::Item(item) = self.next_of(vm, inner, v) else { return Next::End };
            items.push(item);
        }
        Next::Item(self.new_tuple(vm, &items))
    }

    /// `ForIter` and its forms.
    pub(super) fn for_iter(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let v = at.reg(at.b());
        if let Some(g) = v.cast::<Generator>() {
            return self.resume(vm, op, g);
        }
        if (vm.builtin.takes_from_generator)(vm, v) {
            // The loop has begun before that was known to be worth it. Who records does it, since nothing is allocated here.
            return Err(Abort::Replaced);
        }
        if !is_followed(vm, v) {
            let followed = match v.cast::<Ext<Map>>() {
                Some(map) => self.next_of_map(vm, map),
                None => self.next_method(vm, v),
            };
            return match (followed, own_method(vm, v, Special::Next)) {
                (Some(step), _) => step,
                (None, Some(def)) => self.next_of_native(def, v),
                (None, None) => self.help(op),
            };
        }
        match self.next_of_known(vm, v) {
            Next::Item(item) => {
                self.set(at.a(), item);
                self.next(2)
            }
            Next::End => self.go_either(true),
        }
    }

    /// What the iterator in r[b] gives, which [`is_followed`].
    pub(super) fn next_of_known(&mut self, vm: &Vm, v: Value) -> Next {
        // All that leaves the trace does it before the instruction.
        self.exit();
        let (id, mut named) = (self.reg(self.at.b()), Vec::new());
        self.name_all(id, v, &mut named);
        self.tell_apart(&named);
        self.next_of(vm, named[0].0, v)
    }

    /// A loop's step over a `map`: the frame of its function, whose result is the item.
    fn next_of_map(&mut self, vm: &Vm, map: Ref<Ext<Map>>) -> Option<Step> {
        let (at, v) = (self.at, map.value());
        let f = map.0.function.cast::<Function>()?;
        let (row, _) = several(v)?;
        let mut all = Vec::new();
        gather(v, &mut all);
        let goes_on = |it: &Value| has_next(vm, *it, MAX_NESTED) == Some(true);
        // Of its own class, whose `__next__` is what it is.
        let own = vm.type_of(v).def().is_some();
        if !own || !takes(f, row.len()) || is_entangled(&all) || !row.items().iter().all(goes_on) {
            return None;
        }
        match self.calls_through(f) {
            Ok(false) => {}
            Ok(true) => return Some(self.call_through()),
            Err(abort) => return Some(Err(abort)),
        }
        // All that leaves the trace does it before the instruction.
        self.exit();
        let (id, mut named) = (self.reg(at.b()), Vec::new());
        self.name_all(id, v, &mut named);
        self.tell_apart(&named);
        let it = named[0].0;
        let function = self.part(it, MAP_FUNCTION);
        self.guard_function(vm, function, f);
        let each = self.part(it, MAP_ITERATORS);
        let mut items = Vec::new();
        for (i, &v) in row.items().iter().enumerate() {
            let inner = self.part(each, TUPLE_ITEMS + 8 * i);
            let Next::Item(item) = self.next_of(vm, inner, v) else { return Some(Err(Abort::Surprised)) };
            items.push(item);
        }
        let none = self.value(Value::NONE);
        Some(self.push_made(f, function, &items, (self.for_next(), 2, false), [none, none]))
    }

    /// What the call of a `__next__` for a loop's step leads to.
    pub(super) fn for_next(&self) -> Cont {
        let mut cont = Cont::store(self.at.a()).kind(ContKind::ForNext);
        cont.jump = self.at.extra() as i32 - 2;
        cont
    }

    /// A loop's step over an iterator of a builtin type. What it gives is seen behind it.
    fn next_of_native(&mut self, def: &'static NativeDef, v: Value) -> Step {
        let at = self.at;
        self.exit();
        let id = self.reg(at.b());
        let id = self.guard_type(id, v);
        let item = self.native_op(TraceOp::NativeNext, def, [Some(id), None, None]);
        self.expect = Expect::Item(item);
        Ok(())
    }

    /// The machine has gone on behind the step over a native iterator, or at the loop's end.
    pub(super) fn after_item(&mut self, at: At, item: Id) -> Step {
        let from = self.at;
        let (behind, end) = (from.skip(2), from.jump(from.extra() as i32));
        if at.base != from.base || at.pc != behind.pc && at.pc != end.pc {
            return Err(Abort::Surprised);
        }
        let unbound = Value::UNBOUND.bits();
        if at.pc == behind.pc {
            // One that has ended does so again when it is asked again.
            self.guard_is_not(item, unbound);
            self.set(from.a(), item);
            return Ok(());
        }
        // Else it has given an item, and the loop goes on.
        let place = self.base() + from.a() as i32;
        let before = self.slots.insert(place, Slot { id: item, dirty: true });
        self.begin(behind);
        self.emit(TraceOp::GuardIs, &[item], unbound);
        match before {
            Some(slot) => self.slots.insert(place, slot),
            None => self.slots.remove(place),
        };
        Ok(())
    }

    // ---- making them

    pub(super) fn new_object<T>(&mut self, shape: u32, kind: Kind) -> Id {
        let kind = NewKind { shape, size: size_of::<T>() as u16, kind: kind as u8, bits: 0 };
        let id = self.emit(TraceOp::NewObject, &[], kind.imm());
        self.shapes.insert(id, shape);
        id
    }

    /// A raw word of an iterator that was made just now.
    pub(super) fn begin_state(&mut self, it: Id, offset: usize, id: Id) {
        self.emit(TraceOp::StoreRaw, &[it, id], state(offset));
        self.fields.insert((it, offset as u32), Slot { id, dirty: false });
    }

    /// As `begin_state`, of a word of Python.
    pub(super) fn begin_held(&mut self, it: Id, offset: usize, id: Id) {
        self.emit(TraceOp::StoreField, &[it, id], state(offset));
        self.fields.insert((it, offset as u32), Slot { id, dirty: false });
    }

    pub(super) fn get_iter(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        let v = at.reg(at.b());
        let (list, tuple) = (vm.types.list.root_shape_id(), vm.types.tuple.root_shape_id());
        let id = match shape_of(v) {
            Some(shape) if shape == list || shape == tuple || iterates_as_list(vm, v) => {
                if shape != list && shape != tuple {
                    self.rely_on_type(vm.type_of(v), vm.special_name(Special::Iter));
                }
                let object = self.reg(at.b());
                let object = self.guard_shape(object, shape);
                let ty = if shape == tuple { vm.types.tuple_iterator } else { vm.types.list_iterator };
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
            Some(shape) if shape == vm.types.generator.root_shape_id() => {
                let g = self.reg(at.b());
                self.guard_shape(g, shape)
            }
            _ if is_own_iterator(vm, v) => {
                if (vm.builtin.takes_from_generator)(vm, v) {
                    return self.help(Op::GetIter);
                }
                let it = self.reg(at.b());
                self.guard_type(it, v)
            }
            _ => match own_method(vm, v, Special::Iter) {
                Some(def) => {
                    let object = self.reg(at.b());
                    let object = self.guard_type(object, v);
                    self.native_op(TraceOp::Native1, def, [Some(object), None, None])
                }
                None => return self.iter_method(vm).unwrap_or_else(|| self.help(Op::GetIter)),
            },
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
}
