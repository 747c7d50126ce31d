//! Displays and comprehensions: tuples and lists, which the trace makes itself, and dicts and sets, which natives make.

use super::iteration::fixed;
use super::memory::{ELEMS, FIXED_LEN, ITEMS, LEN, shape_of};
use super::{Recorder, Step};
use crate::ir::{self, Id, NewKind, TraceOp};
use skein_bytecode::{Op, Special};
use skein_runtime::interp::converted;
use skein_runtime::native::NativeDef;
use skein_runtime::native_functions;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::instance::{VALUES_CAPACITY, VALUES_SLOTS};
use skein_runtime::types::list::List;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::{TUPLE_ITEMS, Tuple};
use skein_runtime::types::typeobj::Type as Class;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_functions! { MADE:
    // No program sees them; they are called as natives are.
    [leaf] "dict_of_pairs(row, /)" => |vm: &Vm, row: Ref<Tuple>| Dict::of_pairs(vm, row.items());
    [simple] "entry_of_name(dict, index, name, /)" => entry_of_name;
    [leaf] "update_plainly(dict, other, /)" => |vm: &Vm, d: Ref<Dict>, other: Ref<Dict>| -> R<Value> {
        Ok(if d.update_plainly(vm, other)? { Value::NONE } else { NOTHING })
    };
    [leaf] "converted(type, value, /)" => converted_or_nothing;
}

/// Items of lists that a trace makes.
const MAX_ITEMS: usize = 32;

/// What these natives give where they give nothing: UNBOUND is the end of an iterator.
pub(super) const NOTHING: Value = Value::NOT_IMPLEMENTED;

/// The value of the entry of this number if it has this name, which is interned; else [`NOTHING`].
fn entry_of_name(_: &Vm, dict: Ref<Dict>, index: usize, name: Value) -> Value {
    match dict.entry(index) {
        Some((k, v)) if k.is(name) => v,
        _ => NOTHING,
    }
}

/// `type(value)` where that is simple; else [`NOTHING`].
fn converted_or_nothing(vm: &Vm, ty: Ref<Class>, v: Value) -> R<Value> {
    Ok(converted(vm, ty, v)?.unwrap_or(NOTHING))
}

/// A value of the trace and what it is now.
type Operand = (Id, Value);

impl Recorder {
    /// The names and values of a plain dict without holes, whose names are checked to be what they are.
    pub(super) fn dict_of_names(
        &mut self,
        vm: &Vm,
        dict: Operand,
        now: Ref<Dict>,
    ) -> Option<Vec<(Value, Operand)>> {
        let interned = |k: Value| k.cast::<Str>().is_some_and(|k| k.is_interned());
        if !now.iter().all(|(k, _)| interned(k)) {
            return None;
        }
        let len = vm.types.dict.special(vm, Special::Len)?.cast::<NativeFunction>()?;
        let len = self.leaf_call(vm, len.def(), &[dict])?;
        self.guard_is(len, Value::small_int(now.len() as i64));
        let mut all = Vec::with_capacity(now.len());
        for (i, (name, v)) in now.iter().enumerate() {
            let index = Value::small_int(i as i64);
            let operands = [dict, (self.value(index), index), (self.value(name), name)];
            let id = self.leaf_call(vm, &MADE[1], &operands)?;
            self.guard_is_not(id, NOTHING.bits());
            all.push((name, (id, v)));
        }
        Some(all)
    }

    pub(super) fn conversion(&mut self, vm: &Vm, ty: Operand, operand: Operand) -> Option<Id> {
        self.leaf_call(vm, &MADE[3], &[ty, operand])
    }

    pub(super) fn new_tuple(&mut self, vm: &Vm, items: &[Id]) -> Id {
        if items.is_empty()
            && let Some(empty) = vm.empty_tuple.get()
        {
            return self.value(empty.value());
        }
        let items: Vec<Id> = items.iter().map(|id| self.as_word(*id)).collect();
        let shape = vm.types.tuple.root_shape_id();
        let size = (TUPLE_ITEMS + 8 * items.len()) as u16;
        let tuple = self.emit(
            TraceOp::NewObject,
            &[],
            NewKind { shape, size, kind: Kind::Tuple as u8, bits: 0 }.imm(),
        );
        self.shapes.insert(tuple, shape);
        let len = self.constant(items.len() as u64, ir::Type::R);
        self.emit(TraceOp::StoreRaw, &[tuple, len], FIXED_LEN.imm());
        for (i, item) in items.into_iter().enumerate() {
            self.emit(TraceOp::StoreField, &[tuple, item], fixed(TUPLE_ITEMS + 8 * i));
        }
        tuple
    }

    /// `BuildTuple`.
    pub(super) fn build_tuple(&mut self, vm: &Vm) -> Step {
        /// Longer ones are seldom taken apart again.
        const MAX_ITEMS: usize = 32;
        let at = self.at;
        if !(1..=MAX_ITEMS).contains(&at.c()) {
            return self.help(Op::BuildTuple);
        }
        let items: Vec<Id> = (at.b()..at.b() + at.c()).map(|i| self.reg(i)).collect();
        let tuple = self.new_tuple(vm, &items);
        self.set(at.a(), tuple);
        self.next(1)
    }

    /// `BuildList`.
    pub(super) fn build_list(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        if at.c() > MAX_ITEMS {
            return self.help(Op::BuildList);
        }
        let items: Vec<Id> = (at.b()..at.b() + at.c()).map(|i| self.reg(i)).collect();
        let list = self.new_list(vm, items);
        self.set(at.a(), list);
        self.next(1)
    }

    /// A list that nobody but the register that it is made in has.
    fn new_list(&mut self, vm: &Vm, items: Vec<Id>) -> Id {
        let (n, shape) = (items.len(), vm.types.list.root_shape_id());
        let items: Vec<Id> = items.into_iter().map(|id| self.as_word(id)).collect();
        let row = items.clone();
        // The array first: what is stored to the list without a barrier is stored before anything else is made, by which the
        // list would be old.
        let array = (n > 0).then(|| {
            let size = (VALUES_SLOTS + 8 * n) as u16;
            let kind = NewKind { shape: vm.internal_shape(), size, kind: Kind::Values as u8, bits: 0 };
            let array = self.emit(TraceOp::NewObject, &[], kind.imm());
            let count = self.constant(n as u64, ir::Type::R);
            self.emit(TraceOp::StoreRaw, &[array, count], fixed(VALUES_CAPACITY));
            for (i, item) in items.into_iter().enumerate() {
                let index = self.constant(i as u64, ir::Type::R);
                self.emit(TraceOp::StoreElem, &[array, index, item], ELEMS.imm());
            }
            (array, count)
        });
        let list = self.new_object::<List>(shape, Kind::List);
        if let Some((array, count)) = array {
            self.emit(TraceOp::StoreField, &[list, array], ITEMS.imm());
            self.emit(TraceOp::StoreRaw, &[list, count], LEN.imm());
        }
        self.rows.insert(list, row);
        list
    }

    /// The items of a list that the trace is making, or of any list or tuple, whose length is checked. None: it is something
    /// else, or longer than that.
    pub(super) fn items_of_row(&mut self, vm: &Vm, (id, v): Operand, most: usize) -> Option<Vec<Id>> {
        if let Some(row) = self.rows.get(&id) {
            return (row.len() <= most).then(|| row.clone());
        }
        let shape = shape_of(v)?;
        let n = match (v.cast::<Tuple>(), v.cast::<List>()) {
            (Some(t), _) if shape == vm.types.tuple.root_shape_id() => t.len(),
            (_, Some(l)) if shape == vm.types.list.root_shape_id() => l.len(),
            _ => return None,
        };
        if n > most {
            return None;
        }
        let len = self.raw_len(vm, (id, v))?;
        self.emit(TraceOp::GuardRaw, &[len], n as u64);
        let row = self.guard_shape(id, shape);
        if v.cast::<Tuple>().is_some() {
            let item = |i: usize| fixed(TUPLE_ITEMS + 8 * i);
            return Some((0..n).map(|i| self.emit(TraceOp::LoadField, &[row], item(i))).collect());
        }
        let items = self.items_of(row);
        let mut all = Vec::with_capacity(n);
        for i in 0..n {
            let index = self.constant(i as u64, ir::Type::R);
            all.push(self.emit(TraceOp::LoadElem, &[items, index], ELEMS.imm()));
        }
        Some(all)
    }

    /// `ListAppend` and `ListExtend` to a list that the trace is making: it makes another one instead, since nobody has
    /// the first. None: it is none of those, or a long one.
    fn add_to_row(&mut self, vm: &Vm, op: Op) -> Option<Step> {
        let at = self.at;
        let list = self.reg(at.a());
        let mut row = self.rows.get(&list)?.clone();
        let added = (self.reg(at.b()), at.reg(at.b()));
        match op {
            Op::ListAppend if row.len() < MAX_ITEMS => row.push(added.0),
            Op::ListExtend if added.1.cast::<Tuple>().is_some() => {
                row.extend(self.items_of_row(vm, added, MAX_ITEMS - row.len())?);
            }
            _ => return None,
        }
        let list = self.new_list(vm, row);
        self.set(at.a(), list);
        Some(self.next(1))
    }

    /// The native that is the method of a builtin type.
    fn method_of(vm: &Vm, ty: Ref<Class>, name: Ref<Str>) -> Option<&'static NativeDef> {
        Some(ty.lookup(vm, name)?.cast::<NativeFunction>()?.def())
    }

    /// A new dict of these keys and values. None: it is not one that natives make without running Python code.
    pub(super) fn new_dict(&mut self, vm: &Vm, items: &[(Operand, Operand)]) -> Option<Id> {
        let simple = |(key, _): &(Operand, Operand)| key.1.is_int() || vm.is_exact_str(key.1);
        // Any tuple: nothing is made while an instruction is looked at.
        let like = vm.empty_tuple.get().filter(|_| items.iter().all(simple))?;
        let mut row = Vec::with_capacity(2 * items.len());
        for &((key, now), (value, _)) in items {
            row.push(if now.is_int() { self.as_int(key) } else { self.guard_type(key, now) });
            row.push(value);
        }
        let row = self.new_tuple(vm, &row);
        let dict = self.leaf_call(vm, &MADE[0], &[(row, like.value())])?;
        self.shapes.insert(dict, vm.types.dict.root_shape_id());
        Some(dict)
    }

    /// `BuildMap`.
    pub(super) fn build_map(&mut self, vm: &Vm) -> Step {
        const MAX_PAIRS: usize = 16;
        let at = self.at;
        if at.c() > MAX_PAIRS {
            return self.help(Op::BuildMap);
        }
        let mut operand = |i: usize| (self.reg(i), at.reg(i));
        let items: Vec<_> =
            (0..at.c()).map(|i| (operand(at.b() + 2 * i), operand(at.b() + 2 * i + 1))).collect();
        let Some(dict) = self.new_dict(vm, &items) else { return self.help(Op::BuildMap) };
        self.set(at.a(), dict);
        self.next(1)
    }

    /// `MapUpdate`.
    pub(super) fn map_update(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        let operands = [at.a(), at.b()].map(|i| (self.reg(i), at.reg(i)));
        let plain = operands.iter().all(|(_, v)| shape_of(*v) == Some(vm.types.dict.root_shape_id()));
        if !plain {
            return self.help(Op::MapUpdate);
        }
        self.guard_type(operands[1].0, operands[1].1);
        let Some(done) = self.leaf_call(vm, &MADE[2], &operands) else { return self.help(Op::MapUpdate) };
        // What has been set is set again then.
        self.guard_is_not(done, NOTHING.bits());
        self.next(1)
    }

    /// Instructions of comprehensions and displays that do what a method of the container in r[a] does.
    pub(super) fn add_to(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        if let Some(step) = self.add_to_row(vm, op) {
            return step;
        }
        // From here on the list itself is changed.
        let container = self.reg(at.a());
        self.rows.remove(&container);
        let (ty, name, operands) = match op {
            Op::ListAppend => (vm.types.list, vm.names.append, &[at.a(), at.b()][..]),
            Op::ListExtend => (vm.types.list, vm.names.extend, &[at.a(), at.b()][..]),
            Op::SetAdd => (vm.types.set, vm.names.add, &[at.a(), at.b()][..]),
            Op::MapAdd => (vm.types.dict, vm.names.__setitem__, &[at.a(), at.b(), at.c()][..]),
            _ => return self.help(op),
        };
        let operands: Vec<Operand> = operands.iter().map(|i| (self.reg(*i), at.reg(*i))).collect();
        match Self::method_of(vm, ty, name).and_then(|def| self.leaf_call(vm, def, &operands)) {
            Some(_) => self.next(1),
            None => self.help(op),
        }
    }
}
