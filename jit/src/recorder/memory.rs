//! Globals, cells, attributes and items.

use super::iteration::chars_of;
use super::{Recorder, Step};
use crate::ir::{self, Class, Id, Place, TraceOp};
use skein_bytecode::Op;
use skein_runtime::context::FRAME_WORDS;
use skein_runtime::interp::{At, attr_place};
use skein_runtime::native::Effect;
use skein_runtime::native_functions;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::cell::{CELL_CONTENTS, CellObject};
use skein_runtime::types::code::{AttrCache, GlobalCache, ModuleCache};
use skein_runtime::types::descriptor::GetSet;
use skein_runtime::types::function::{FUNCTION_CLOSURE, Function};
use skein_runtime::types::instance::{INSTANCE_SLOTS, Instance, VALUES_SLOTS};
use skein_runtime::types::list::{LIST_ITEMS, LIST_LEN, List};
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::str::{STR_LEN, Str};
use skein_runtime::types::tuple::{TUPLE_ITEMS, TUPLE_LEN, Tuple};
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{Raised, Value};
use skein_runtime::vm::Vm;
use std::mem::offset_of;

const CONTENTS: Place = Place::new(Class::Cell, CELL_CONTENTS);
pub(super) const LEN: Place = Place::new(Class::List, LIST_LEN);
pub(super) const ITEMS: Place = Place::new(Class::List, LIST_ITEMS);
/// Slots of arrays; which one is an operand.
pub(super) const ELEMS: Place = Place::new(Class::Array, 0);
pub(super) const FIXED_LEN: Place = Place::new(Class::Fixed, TUPLE_LEN);

native_functions! { GETTERS:
    // No program sees it; it is called as natives are, for getters that are leaves.
    [leaf] "get(getter, object, /)" => |vm: &Vm, getter: Value, object: Value| match getter.cast::<GetSet>() {
        Some(getter) => getter.get(vm, object),
        None => Err(vm.system_error("no getter")),
    };
}

/// The shape of an object; none of an immediate.
pub(super) fn shape_of(v: Value) -> Option<u32> {
    v.header().map(|h| h.shape.get())
}

/// Does the word of a global stay what it is, as far as one can guess?
fn is_lasting(v: Value) -> bool {
    const LASTING: [u8; 4] = [Kind::Function as u8, Kind::Type as u8, Kind::Native as u8, Kind::Module as u8];
    v.header().is_some_and(|h| LASTING.contains(&h.kind.get()))
}

/// The name that the cache of an attribute op has.
pub(super) fn name_in_cache(at: At) -> Ref<Str> {
    // SAFETY: the loader has put a cache there; all kinds have the name in the same place.
    unsafe { (*at.extra_ptr::<AttrCache>()).name }
}

impl Recorder {
    /// What a cell that is known holds: `v` now.
    fn load_cell(&mut self, cell: Id, v: Value) -> Id {
        let id = self.emit(TraceOp::LoadField, &[cell], CONTENTS.imm());
        if is_lasting(v) {
            return self.guard_is(id, v);
        }
        self.guard_is_not(id, 0);
        self.guard_is_not(id, Value::UNBOUND.bits());
        id
    }

    /// Globals that quickening has found.
    pub(super) fn load_global(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        // SAFETY: the loader has put a cache there; quickening has put a cell into it.
        let (cell, epoch) = unsafe {
            let cache = &*at.extra_ptr::<GlobalCache>();
            (cache.cell.get(), cache.epoch.get())
        };
        let Some(cell) = cell.cast::<CellObject>() else { return self.help(op) };
        let v = cell.get();
        if v.is_unbound() {
            return self.help(op);
        }
        if op == Op::LoadGlobalBuiltin {
            if epoch != vm.globals_epoch.get() {
                return self.help(op);
            }
            let address = std::ptr::from_ref(&vm.globals_epoch) as u64;
            let now = self.emit(TraceOp::LoadCell, &[], address);
            self.emit(TraceOp::GuardRaw, &[now], u64::from(epoch));
        }
        let cell = self.value(cell.value());
        let id = self.load_cell(cell, v);
        self.set(at.a(), id);
        self.next(2)
    }

    /// A global that there is already.
    pub(super) fn store_global(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        // SAFETY: the loader has put a cache there.
        let name = unsafe { (*at.extra_ptr::<GlobalCache>()).name };
        let f = skein_runtime::interp::frame_function_word(at.base).cast::<Function>();
        let globals = f.map(|f| f.globals()).filter(|g| self.frame().code.caches_globals(*g));
        let cell = globals.and_then(|g| g.cell(vm, name)).filter(|cell| !cell.get().is_unbound());
        let Some(cell) = cell else { return self.help(Op::StoreGlobal) };
        let cell = self.value(cell.value());
        // One that was deleted is no part of the globals any more.
        let now = self.emit(TraceOp::LoadField, &[cell], CONTENTS.imm());
        self.guard_is_not(now, Value::UNBOUND.bits());
        let v = self.reg(at.a());
        self.store_field(cell, v, CONTENTS);
        self.next(2)
    }

    pub(super) fn load_closure(&mut self, op: Op) -> Step {
        let at = self.at;
        let index = usize::from(u16::from_le_bytes([at.b() as u8, at.c() as u8]));
        let f = skein_runtime::interp::frame_function_word(at.base);
        let Some(function) = f.cast::<Function>() else { return self.help(op) };
        let Some(&cell) = function.cells().get(index) else { return self.help(op) };
        let base = self.base();
        let f = if self.frames.len() == 1 && self.slots.get(base - 4).is_none() {
            // The loop's own function: what else runs its code comes to other closures.
            self.emit(TraceOp::ReloadReg, &[], (base - 4) as i64 as u64)
        } else {
            self.slot(base - 4)
        };
        let id = if self.tree.constant(f).is_some() {
            self.value(cell)
        } else {
            let cells = self.emit(TraceOp::LoadField, &[f], Place::new(Class::Fixed, FUNCTION_CLOSURE).imm());
            self.emit(TraceOp::LoadField, &[cells], Place::new(Class::Fixed, TUPLE_ITEMS + 8 * index).imm())
        };
        self.set(at.a(), id);
        self.next(1)
    }

    pub(super) fn load_deref(&mut self, op: Op) -> Step {
        let at = self.at;
        let Some(cell) = at.reg(at.b()).cast::<CellObject>() else { return self.help(op) };
        let v = cell.get();
        if v.is_unbound() {
            return self.help(op);
        }
        let cell = self.reg(at.b());
        let id = self.load_cell(cell, v);
        self.set(at.a(), id);
        self.next(2)
    }

    pub(super) fn store_deref(&mut self) -> Step {
        let at = self.at;
        let (cell, v) = (self.reg(at.a()), self.reg(at.b()));
        self.store_field(cell, v, CONTENTS);
        self.next(1)
    }

    /// Stores with the barrier that the value calls for.
    fn store_field(&mut self, object: Id, v: Id, place: Place) {
        let v = self.as_word(v);
        if self.ty(v) != ir::Type::I {
            self.emit(TraceOp::Barrier, &[object], 0);
        }
        self.emit(TraceOp::StoreField, &[object, v], place.imm());
    }

    /// The trace relies on what looking up the name on the object's type gives.
    fn rely_on_shape(&mut self, vm: &Vm, v: Value, name: Ref<Str>) {
        self.rely_on_type(vm.type_of(v), name);
    }

    pub(super) fn rely_on_type(&mut self, ty: Ref<Type>, name: Ref<Str>) {
        ty.watch_name(name);
        if !self.types.contains(&ty) {
            self.types.push(ty);
            self.roots.push(ty.value());
        }
    }

    /// The name that an attribute op has in its cache.
    pub(super) fn cached_name(&self) -> Ref<Str> {
        name_in_cache(self.at)
    }

    /// The object, where a slot of it lies: in itself or in its overflow array.
    fn slot_place(&mut self, obj: Id, i: Ref<Instance>, slot: usize) -> (Id, Place) {
        if slot < i.capacity() {
            return (obj, Place::new(Class::Slot, INSTANCE_SLOTS + 8 * slot));
        }
        let place = Place::new(Class::Slot, offset_of!(Instance, overflow));
        let array = self.emit(TraceOp::LoadField, &[obj], place.imm());
        self.guard_is_not(array, 0);
        (array, Place::new(Class::Slot, VALUES_SLOTS + 8 * (slot - i.capacity())))
    }

    pub(super) fn load_attr(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let (v, name) = (at.reg(at.b()), self.cached_name());
        if let Some(ty) = v.cast::<Type>() {
            return self.load_type_attr(vm, op, ty, name);
        }
        let Some(i) = v.cast::<Instance>() else {
            return self.described(vm, v, name).unwrap_or_else(|| self.help(op));
        };
        match self.own_value(vm, i, name) {
            Some(id) => {
                self.set(at.a(), id);
                self.next(2)
            }
            None => self.load_class_value(vm, op, v, name),
        }
    }

    /// What a descriptor of the class gets from an object that has no attributes of its own, by a native that runs no
    /// Python code.
    fn described(&mut self, vm: &Vm, v: Value, name: Ref<Str>) -> Option<Step> {
        if let Some(getter) = attr_place::getter(vm, v, name) {
            return self.get_natively(vm, v, name, getter);
        }
        let (descriptor, def) = attr_place::native_descriptor(vm, v, name)?;
        let ty = vm.type_of(v);
        if let Some(method) = descriptor.cast::<NativeFunction>().filter(|m| m.is_method(vm)) {
            self.rely_on_type(ty, name);
            let obj = self.reg(self.at.b());
            let obj = self.guard_type(obj, v);
            let bound = self.bind_native(vm, method, obj);
            self.set(self.at.a(), bound);
            return Some(self.next(2));
        }
        if def.effect != Effect::Leaf {
            return None;
        }
        self.rely_on_type(ty, name);
        let obj = self.reg(self.at.b());
        let obj = self.guard_type(obj, v);
        let own = self.value(descriptor);
        let class = self.value(ty.value());
        let id = self.native_op(TraceOp::Native3, def, [Some(own), Some(obj), Some(class)]);
        self.set(self.at.a(), id);
        Some(self.next(2))
    }

    /// What the getter of a builtin type gives, which runs no Python code.
    fn get_natively(&mut self, vm: &Vm, v: Value, name: Ref<Str>, getter: Ref<GetSet>) -> Option<Step> {
        if !getter.def().is_leaf || v.header().is_none() {
            return None;
        }
        self.rely_on_type(vm.type_of(v), name);
        let obj = self.reg(self.at.b());
        let obj = self.guard_type(obj, v);
        let getter = self.value(getter.value());
        let id = self.native_op(TraceOp::Native2, &GETTERS[0], [Some(getter), Some(obj), None]);
        self.set(self.at.a(), id);
        Some(self.next(2))
    }

    /// What the object in r[b] has in a slot of its own.
    fn own_value(&mut self, vm: &Vm, i: Ref<Instance>, name: Ref<Str>) -> Option<Id> {
        let slot = attr_place::load_slot(vm, i, name)?;
        self.rely_on_shape(vm, i.value(), name);
        let obj = self.reg(self.at.b());
        let obj = self.guard_layout(vm, obj, i.header().shape.get(), name);
        let (holder, place) = self.slot_place(obj, i, slot);
        let id = self.emit(TraceOp::LoadField, &[holder], place.imm());
        self.guard_is_not(id, 0);
        Some(id)
    }

    /// An attribute of a class itself, as it is.
    fn load_type_attr(&mut self, vm: &Vm, op: Op, ty: Ref<Type>, name: Ref<Str>) -> Step {
        let Some(id) = self.type_attr(vm, ty, name) else { return self.help(op) };
        self.set(self.at.a(), id);
        self.next(2)
    }

    /// What the class in r[b] has by this name: a value as it is, or a class method.
    fn type_attr(&mut self, vm: &Vm, ty: Ref<Type>, name: Ref<Str>) -> Option<Id> {
        let value = attr_place::type_value(vm, ty, name);
        let method = attr_place::class_method(vm, ty, name);
        if value.is_none() && method.is_none() {
            return None;
        }
        self.rely_on_type(ty, name);
        self.rely_on_type(vm.type_of(ty.value()), name);
        let class = self.reg(self.at.b());
        let class = self.guard_is(class, ty.value());
        match method {
            Some(f) => Some(self.bind(vm, f, class)),
            None => value.map(|v| self.value(v)),
        }
    }

    /// `super().name` of a method of Python's.
    pub(super) fn load_super(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let [callee, class, receiver] = [0, 1, 2].map(|i| at.reg(at.b() + i));
        let name = at.extra_name();
        let found = class
            .cast::<Type>()
            .filter(|_| callee.is(vm.types.super_.value()) && shape_of(receiver).is_some())
            .and_then(|class| attr_place::super_method(vm, class, receiver, name));
        let (Some(f), Some(shape)) = (found, shape_of(receiver)) else { return self.help(op) };
        self.rely_on_shape(vm, receiver, name);
        let [callee_id, class_id, object] = [0, 1, 2].map(|i| self.reg(at.b() + i));
        self.guard_is(callee_id, callee);
        self.guard_is(class_id, class);
        let object = self.guard_layout(vm, object, shape, name);
        let method = self.bind(vm, f, object);
        self.set(at.a(), method);
        self.next(2)
    }

    /// An attribute that the class has, as it is.
    fn load_class_value(&mut self, vm: &Vm, op: Op, v: Value, name: Ref<Str>) -> Step {
        let found = match attr_place::class_value(vm, v, name) {
            Ok(found) => found,
            Err(Raised) => {
                vm.pending.set(None);
                None
            }
        };
        let Some(shape) = shape_of(v) else { return self.help(op) };
        let getter = attr_place::property_getter(vm, v, name).filter(|g| self.is_simple_getter(*g));
        if found.is_none() && getter.is_none() {
            return self.getattr_method(vm, v).unwrap_or_else(|| self.help(op));
        }
        self.rely_on_shape(vm, v, name);
        let obj = self.reg(self.at.b());
        let obj = self.guard_layout(vm, obj, shape, name);
        if let Some(getter) = getter {
            return self.load_property(vm, getter, obj);
        }
        let Some(value) = found else { return self.help(op) };
        let id = self.value(value);
        self.set(self.at.a(), id);
        self.next(2)
    }

    pub(super) fn store_attr(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let (target, name) = (at.reg(at.a()), self.cached_name());
        let Some(i) = target.cast::<Instance>() else { return self.help(op) };
        let shape = i.header().shape.get();
        let (slot, next) = match attr_place::store_slot(vm, i, name) {
            Some(slot) => (slot, None),
            None => match attr_place::added_slot(vm, i, name) {
                Some((slot, next)) => (slot, Some(next)),
                None => return self.setter_method(vm, target).unwrap_or_else(|| self.help(op)),
            },
        };
        // The overflow array may have to grow.
        if i.slot(slot).is_none() && slot >= i.capacity() {
            return self.help(op);
        }
        self.rely_on_shape(vm, target, name);
        let (obj, v) = (self.reg(at.a()), self.reg(at.b()));
        let obj = match next {
            Some(_) => self.guard_shape(obj, shape),
            None => self.guard_layout(vm, obj, shape, name),
        };
        let (holder, place) = self.slot_place(obj, i, slot);
        self.store_field(holder, v, place);
        if let Some(next) = next {
            self.emit(TraceOp::SetShape, &[obj], u64::from(next));
            // Another name of the same object may be known by its shape too.
            self.shapes.clear();
            self.shapes.insert(obj, next);
        }
        self.next(2)
    }

    pub(super) fn load_method(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let (v, name) = (at.reg(at.b()), self.cached_name());
        let found = match attr_place::plain_method(vm, v, name) {
            Ok(found) => found.filter(|_| v.header().is_none() || attr_place::shape_tells_all(vm, v)),
            Err(Raised) => {
                vm.pending.set(None);
                None
            }
        };
        let w = at.window();
        let Some(function) = found else {
            // What is called is no method of the object's, but a value of its own.
            let callee = match v.cast::<Type>() {
                Some(ty) => self.type_attr(vm, ty, name),
                None => v.cast::<Instance>().and_then(|i| self.own_value(vm, i, name)),
            };
            let Some(callee) = callee else { return self.help(op) };
            self.set(w, callee);
            let unbound = self.value(Value::UNBOUND);
            self.set(w + FRAME_WORDS, unbound);
            return self.next(2);
        };
        self.rely_on_shape(vm, v, name);
        let obj = self.reg(at.b());
        let obj = match shape_of(v) {
            Some(shape) => self.guard_layout(vm, obj, shape, name),
            None => self.guard_type(obj, v),
        };
        let f = self.value(function);
        self.set(w, f);
        self.set(w + FRAME_WORDS, obj);
        self.next(2)
    }

    /// A module's global: `LoadAttrModule` and `LoadMethodModule`.
    pub(super) fn load_module(&mut self, op: Op) -> Step {
        let at = self.at;
        let obj = at.reg(at.b());
        // SAFETY: the loader has put a cache there.
        let cache = unsafe { &*at.extra_ptr::<ModuleCache>() };
        let cell = cache.cell.get().and_then(|c| c.cast::<CellObject>());
        let Some(cell) = cell.filter(|c| obj.bits() == cache.module.get() && !c.get().is_unbound()) else {
            return self.help(op);
        };
        let module = self.reg(at.b());
        self.guard_is(module, obj);
        let v = cell.get();
        let cell = self.value(cell.value());
        let id = self.load_cell(cell, v);
        if op == Op::LoadAttrModule {
            self.set(at.a(), id);
        } else {
            let w = at.window();
            self.set(w, id);
            let unbound = self.value(Value::UNBOUND);
            self.set(w + FRAME_WORDS, unbound);
        }
        self.next(2)
    }

    /// The array of a list, which has one.
    pub(super) fn items_of(&mut self, list: Id) -> Id {
        self.emit(TraceOp::LoadField, &[list], ITEMS.imm())
    }

    pub(super) fn load_index(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let (obj, key) = (at.reg(at.b()), at.reg(at.c()));
        if !key.is_int() || shape_of(obj).is_none() {
            return self.load_native_item(vm, op);
        }
        let in_range = |len: usize| {
            let i = key.as_small_int();
            (if i < 0 { i + len as i64 } else { i }) as u64 as usize
        };
        let (list, tuple) = (vm.types.list.root_shape_id(), vm.types.tuple.root_shape_id());
        let text = obj.cast::<Str>().filter(|s| in_range(s.bytes().len()) < s.bytes().len());
        if let Some((text, chars)) = text.and_then(|text| Some((text, chars_of(vm, text)?))) {
            let (o, k) = (self.reg(at.b()), self.reg(at.c()));
            let (o, k) = (self.guard_type(o, text.value()), self.as_int(k));
            let len = self.emit(TraceOp::LoadRaw, &[o], Place::new(Class::Fixed, STR_LEN).imm());
            let i = self.emit(TraceOp::CheckIndex, &[k, len], 0);
            let id = self.emit(TraceOp::TextChar, &[o, i], chars);
            self.set(at.a(), id);
            return self.next(1);
        }
        let found = match (obj.cast::<List>(), obj.cast::<Tuple>()) {
            (Some(l), _) if shape_of(obj) == Some(list) => in_range(l.len()) < l.len(),
            (_, Some(t)) if shape_of(obj) == Some(tuple) => in_range(t.len()) < t.len(),
            _ => false,
        };
        if !found {
            return self.load_native_item(vm, op);
        }
        let (o, k) = (self.reg(at.b()), self.reg(at.c()));
        let k = self.as_int(k);
        let id = if shape_of(obj) == Some(list) {
            let o = self.guard_shape(o, list);
            let len = self.emit(TraceOp::LoadRaw, &[o], LEN.imm());
            let i = self.emit(TraceOp::CheckIndex, &[k, len], 0);
            let items = self.items_of(o);
            self.emit(TraceOp::LoadElem, &[items, i], ELEMS.imm())
        } else {
            let o = self.guard_shape(o, tuple);
            let len = self.emit(TraceOp::LoadRaw, &[o], FIXED_LEN.imm());
            let i = self.emit(TraceOp::CheckIndex, &[k, len], 0);
            self.emit(TraceOp::LoadElem, &[o, i], Place::new(Class::Fixed, 0).imm())
        };
        self.set(at.a(), id);
        self.next(1)
    }

    fn load_native_item(&mut self, vm: &Vm, op: Op) -> Step {
        match self.native_item(vm) {
            Some(id) => {
                self.set(self.at.a(), id);
                self.next(1)
            }
            None => self.item_method(vm).unwrap_or_else(|| self.help(op)),
        }
    }

    pub(super) fn store_index(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let (obj, key) = (at.reg(at.a()), at.reg(at.b()));
        let shape = vm.types.list.root_shape_id();
        let Some(list) = obj.cast::<List>().filter(|_| key.is_int() && shape_of(obj) == Some(shape)) else {
            return match self.native_store_item(vm) {
                Some(_) => self.next(1),
                None => self.set_item_method(vm).unwrap_or_else(|| self.help(op)),
            };
        };
        let i = key.as_small_int();
        let i = if i < 0 { i + list.len() as i64 } else { i };
        if i as u64 >= list.len() as u64 {
            return self.help(op);
        }
        let (o, k, v) = (self.reg(at.a()), self.reg(at.b()), self.reg(at.c()));
        let (k, o) = (self.as_int(k), self.guard_shape(o, shape));
        let len = self.emit(TraceOp::LoadRaw, &[o], LEN.imm());
        let i = self.emit(TraceOp::CheckIndex, &[k, len], 0);
        let v = self.as_word(v);
        let items = self.items_of(o);
        self.emit(TraceOp::StoreElem, &[items, i, v], ELEMS.imm());
        self.next(1)
    }

    pub(super) fn unpack(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        let (v, n) = (at.reg(at.b()), at.c());
        let (list, tuple) = (vm.types.list.root_shape_id(), vm.types.tuple.root_shape_id());
        let shape = shape_of(v);
        let fits = if shape == Some(tuple) {
            v.cast::<Tuple>().is_some_and(|t| t.len() == n)
        } else {
            shape == Some(list) && n > 0 && v.cast::<List>().is_some_and(|l| l.len() == n)
        };
        let Some(shape) = shape.filter(|_| fits) else { return self.help(Op::Unpack) };
        let o = self.reg(at.b());
        let o = self.guard_shape(o, shape);
        if shape == tuple {
            let len = self.emit(TraceOp::LoadRaw, &[o], FIXED_LEN.imm());
            self.emit(TraceOp::GuardRaw, &[len], n as u64);
            for i in 0..n {
                let place = Place::new(Class::Fixed, TUPLE_ITEMS + 8 * i);
                let id = self.emit(TraceOp::LoadField, &[o], place.imm());
                self.set(at.a() + i, id);
            }
        } else {
            let len = self.emit(TraceOp::LoadRaw, &[o], LEN.imm());
            self.emit(TraceOp::GuardRaw, &[len], n as u64);
            let items = self.items_of(o);
            for i in 0..n {
                let index = self.constant(i as u64, ir::Type::R);
                let id = self.emit(TraceOp::LoadElem, &[items, index], ELEMS.imm());
                self.set(at.a() + i, id);
            }
        }
        self.next(1)
    }
}

/// A function as an object, if the value is one that runs this code.
pub(super) fn function_of(v: Value) -> Option<Ref<Function>> {
    v.cast::<Function>()
}
