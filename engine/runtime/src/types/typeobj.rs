//! `type`: classes, builtin and Python-made; the method resolution order and attribute look-up on types.
//!
//! Each type has a version that is unique in the isolate and changes with every change of the type
//! or its bases: caches keep (type, version). The special methods that the machine needs are
//! resolved once per version into a table of [`Special`]s.

use crate::native::TypeDef;
use crate::object::{Field, Header, Kind, Object, Ref, Tracer};
use crate::shape::{Shape, ShapeId};
use crate::types::dict::Dict;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::watch::Watchers;
use crate::types::weak_list::WeakList;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::Special;
use std::cell::Cell;

/// A Python class.
#[repr(C)]
pub struct Type {
    header: Header,
    pub name: Field,
    pub qualname: Field,
    /// Tuple of direct bases.
    pub bases: Field,
    /// Tuple: the type itself first.
    pub mro: Field,
    /// The base whose layout this type extends; nothing for `object`.
    pub base: Field,
    /// The namespace.
    pub dict: Field,
    /// The direct subclasses.
    pub subclasses: WeakList,
    /// Tuple of the names in `__slots__` of this type and its bases, in slot order.
    pub slot_names: Field,
    version: Cell<u32>,
    pub flags: Cell<u32>,
    root_shape: Cell<ShapeId>,
    /// Shape of instances with a dictionary; 0: not made yet.
    dict_shape: Cell<ShapeId>,
    /// Most slots that an instance has come to.
    slots_seen: Cell<u16>,
    /// Layout of instances.
    kind: Cell<u8>,
    /// [`Special::COUNT`] words: 0 not resolved yet, UNBOUND absent, else the value.
    specials: Cell<*mut Cell<u64>>,
    def: Cell<Option<&'static TypeDef>>,
    pub(super) watchers: Watchers,
}

/// Bits of [`Type::flags`].
pub mod type_flags {
    /// Python code may subclass it.
    pub const BASETYPE: u32 = 1;
    /// Made by a class statement or `type()`: attributes can be set.
    pub const HEAP: u32 = 2;
    /// Instances have `__dict__`.
    pub const HAS_DICT: u32 = 4;
    /// Instances can be weakly referenced.
    pub const HAS_WEAKREF: u32 = 8;
    /// Matches sequence patterns.
    pub const SEQUENCE: u32 = 16;
    /// Matches mapping patterns.
    pub const MAPPING: u32 = 32;
    /// `__abstractmethods__` is not empty: cannot be instantiated.
    pub const ABSTRACT: u32 = 64;
    /// Instances with `__del__` are registered as finalizable.
    pub const HAS_DEL: u32 = 128;
    /// A pattern `T(x)` matches the subject itself (int, str, …).
    pub const MATCH_SELF: u32 = 256;
    /// `T()` cannot make instances.
    pub const NO_NEW: u32 = 512;
    /// Instances of a builtin layout have the word for a dictionary, which holds the values of `__slots__` and is no
    /// `__dict__`.
    pub const SLOT_WORD: u32 = 1024;
    /// Made by a class statement of the library's, for a type that is native elsewhere: its attributes cannot be set.
    pub const FIXED: u32 = 2048;
}

// SAFETY: all references are traced; the names in shapes are interned strings that the shape table's roots keep.
unsafe impl Object for Type {
    const KIND: Kind = Kind::Type;
    fn size(&self) -> usize {
        size_of::<Type>()
    }
    fn trace(&self, t: &mut Tracer<'_>) {
        for f in
            [&self.name, &self.qualname, &self.bases, &self.mro, &self.base, &self.dict, &self.slot_names]
        {
            f.trace(t);
        }
    }
    fn clear_weak(&self, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        self.subclasses.retain(is_live);
        self.watchers.codes.retain(is_live);
        false
    }
    fn drop_external(&mut self) {
        self.subclasses.free();
        self.watchers.codes.free();
        let p = std::ptr::slice_from_raw_parts_mut(self.specials.get(), Special::COUNT);
        // SAFETY: made by `init` from a box of this length.
        drop(unsafe { Box::from_raw(p) });
    }
}

/// Inline slots of instances of a class of which nothing is known.
const DEFAULT_INLINE: u16 = 4;
/// At most that many.
const MAX_INLINE: u16 = 32;

impl Ref<Type> {
    /// Sets up a type whose memory was just allocated, its bases and MRO not yet known.
    pub fn init(self, vm: &Vm, kind: Kind, flags: u32, def: Option<&'static TypeDef>) {
        self.kind.set(kind as u8);
        self.flags.set(flags);
        self.def.set(def);
        let table: Box<[Cell<u64>]> = (0..Special::COUNT).map(|_| Cell::new(0)).collect();
        self.specials.set(Box::into_raw(table).cast());
        vm.heap.register_free_on_death(self.header());
        vm.heap.register_weak(self.header());
        self.version.set(vm.next_type_version());
    }

    /// Makes the shape of fresh instances; the first slots are those of `__slots__`.
    pub fn make_root_shape(self, vm: &Vm) {
        let names: Box<[Ref<Str>]> = match self.slot_names.cast::<Tuple>() {
            Some(t) => t.items().iter().filter_map(|v| v.cast::<Str>()).collect(),
            None => Box::default(),
        };
        let room = if self.has_flag(type_flags::HAS_DICT) { DEFAULT_INLINE } else { 0 };
        let wanted = self.slots_seen.get().clamp(room, MAX_INLINE).max(names.len() as u16);
        self.root_shape.set(vm.shapes.add_root(self, wanted, false, names).id);
    }

    /// The builtin types' root shapes are made in the order of their table.
    pub(crate) fn set_root_shape(self, id: ShapeId) {
        self.root_shape.set(id);
    }

    /// Shape of a fresh instance.
    #[inline(always)]
    pub fn root_shape_id(self) -> ShapeId {
        self.root_shape.get()
    }

    /// Shape of instances whose attributes are in a dictionary.
    pub fn dict_shape(self, vm: &Vm) -> &'static Shape {
        if self.dict_shape.get() == 0 {
            let root = vm.shapes.get(self.root_shape.get());
            let names = root.names[..self.slot_count()].into();
            self.dict_shape.set(vm.shapes.add_root(self, root.inline_cap, true, names).id);
        }
        vm.shapes.get(self.dict_shape.get())
    }

    /// An instance came to have this many slots: give later ones the room inline.
    pub fn note_slots(self, vm: &Vm, n: usize) {
        let n = n.min(MAX_INLINE as usize) as u16;
        if n > self.slots_seen.get() {
            self.slots_seen.set(n);
            if n > vm.shapes.get(self.root_shape.get()).inline_cap && !self.has_builtin_layout() {
                // Rounded up, so that few root shapes are made while a class's first instances grow.
                self.slots_seen.set((n + 3) & !3);
                self.make_root_shape(vm);
            }
        }
    }

    /// The most slots, or entries of a dictionary of attributes, that an instance is known to have had.
    #[inline(always)]
    pub fn slots_seen(self) -> usize {
        self.slots_seen.get().into()
    }

    /// Is the instances' layout that of a builtin type?
    #[inline]
    pub fn has_builtin_layout(self) -> bool {
        self.kind.get() != Kind::Instance as u8
    }

    /// Layout of the instances.
    #[inline(always)]
    pub fn instance_kind(self) -> u8 {
        self.kind.get()
    }

    /// Slots named by `__slots__`, bases' included.
    #[inline]
    pub fn slot_count(self) -> usize {
        self.slot_names.cast::<Tuple>().map_or(0, |t| t.len())
    }

    #[inline(always)]
    pub fn has_flag(self, flag: u32) -> bool {
        self.flags.get() & flag != 0
    }

    pub fn set_flag(self, flag: u32, on: bool) {
        let f = self.flags.get();
        self.flags.set(if on { f | flag } else { f & !flag });
    }

    /// Unique in the isolate; changes whenever look-ups on the type may give something else.
    #[inline(always)]
    pub fn version(self) -> u32 {
        self.version.get()
    }

    /// The builtin type's declaration.
    pub fn def(self) -> Option<&'static TypeDef> {
        self.def.get()
    }

    pub fn name(self) -> Ref<Str> {
        // SAFETY: set at creation, and only to strings.
        unsafe { self.name.value().cast_unchecked() }
    }

    /// As messages name it: types in Rust with their module, unless that is builtins.
    pub fn message_name(self) -> String {
        match self.def() {
            Some(def) if !self.has_flag(type_flags::HEAP) => def.name.to_string(),
            _ => self.name_string(),
        }
    }

    pub fn name_string(self) -> String {
        self.name().to_string_lossy().into_owned()
    }

    pub fn dict(self) -> Ref<Dict> {
        // SAFETY: set at creation.
        unsafe { self.dict.value().cast_unchecked() }
    }

    pub fn mro(self) -> Ref<Tuple> {
        // SAFETY: set at creation.
        unsafe { self.mro.value().cast_unchecked() }
    }

    pub fn base(self) -> Option<Ref<Type>> {
        self.base.cast()
    }

    #[inline]
    pub fn is_subtype(self, of: Ref<Type>) -> bool {
        if self == of {
            return true;
        }
        match self.mro.cast::<Tuple>() {
            Some(mro) => mro.items().iter().any(|t| t.is(of.value())),
            None => std::iter::successors(self.base(), |t| t.base()).any(|t| t == of),
        }
    }

    /// The attribute as it stands in the first dictionary of the MRO, not bound.
    #[inline]
    pub fn lookup(self, vm: &Vm, name: Ref<Str>) -> Option<Value> {
        let entry = &vm.method_cache[method_cache_slot(self, name)];
        if entry.version.get() == self.version.get() && entry.name.get() == name.as_ptr() {
            return entry.value.get();
        }
        self.lookup_slow(vm, name, entry)
    }

    #[cold]
    #[inline(never)]
    fn lookup_slow(self, vm: &Vm, name: Ref<Str>, entry: &MethodCacheEntry) -> Option<Value> {
        let v = self.lookup_with_owner(vm, name).map(|(v, _)| v);
        if name.is_interned() {
            entry.version.set(self.version.get());
            entry.name.set(name.as_ptr());
            entry.value.set(v);
        }
        v
    }

    /// As [`Ref::<Type>::lookup`], with the type whose dictionary has it.
    pub fn lookup_with_owner(self, vm: &Vm, name: Ref<Str>) -> Option<(Value, Ref<Type>)> {
        let hash = name.hash(vm);
        for t in self.mro().items() {
            let Some(t) = t.cast::<Type>() else { continue };
            if let Some(i) = t.dict().table.find_str(name, hash) {
                return t.dict().entry(i).map(|(_, v)| (v, t));
            }
        }
        None
    }

    /// The special method, not bound.
    #[inline(always)]
    pub fn special(self, vm: &Vm, s: Special) -> Option<Value> {
        // SAFETY: the table has COUNT words from creation to death.
        let word = unsafe { (*self.specials.get().add(s as usize)).get() };
        if word == Value::UNBOUND.bits() {
            return None;
        }
        if word != 0 {
            // SAFETY: put there by `resolve_special`; the MRO's dictionaries keep it alive.
            return Some(unsafe { Value::from_bits(word) });
        }
        self.resolve_special(vm, s)
    }

    #[cold]
    #[inline(never)]
    fn resolve_special(self, vm: &Vm, s: Special) -> Option<Value> {
        let v = self.lookup_with_owner(vm, vm.special_name(s)).map(|(v, _)| v);
        // SAFETY: as in `special`.
        unsafe { (*self.specials.get().add(s as usize)).set(v.unwrap_or(Value::UNBOUND).bits()) };
        v
    }

    /// To be called after every change of bases or MRO, and of more than one name.
    pub fn modified(self, vm: &Vm) {
        self.version.set(vm.next_type_version());
        self.tell_watchers(vm, None);
        // SAFETY: COUNT words.
        for word in unsafe { std::slice::from_raw_parts(self.specials.get(), Special::COUNT) } {
            word.set(0);
        }
        vm.for_each_subclass(self, &mut |sub| sub.modified(vm));
    }

    /// To be called after a change of one name in the dictionary. Cheap where nobody relies on it:
    /// classes are used as places for counters.
    pub fn modified_name(self, vm: &Vm, name: Ref<Str>) {
        if !name.is_interned() || vm.is_special_name(name) {
            return self.modified(vm);
        }
        let entry = &vm.method_cache[method_cache_slot(self, name)];
        if entry.name.get() == name.as_ptr() {
            entry.clear();
        }
        self.tell_watchers(vm, Some(name));
        vm.for_each_subclass(self, &mut |sub| sub.modified_name(vm, name));
    }

    /// Sets an attribute in the type's own dictionary. MemoryError.
    pub fn set_own(self, vm: &Vm, name: Ref<Str>, v: Value) -> R<()> {
        self.dict().set_str(vm, name, v)?;
        self.modified_name(vm, name);
        Ok(())
    }
}

/// A row of the isolate's cache of look-ups on types.
pub struct MethodCacheEntry {
    version: Cell<u32>,
    name: Cell<*mut Str>,
    value: Cell<Option<Value>>,
}

impl Default for MethodCacheEntry {
    fn default() -> Self {
        MethodCacheEntry {
            version: Cell::new(0),
            name: Cell::new(std::ptr::null_mut()),
            value: Cell::new(None),
        }
    }
}

impl MethodCacheEntry {
    /// Forgets what it holds: names may have died.
    pub fn clear(&self) {
        self.version.set(0);
    }
}

/// Rows of the cache.
pub const METHOD_CACHE_SIZE: usize = 4096;

#[inline(always)]
fn method_cache_slot(ty: Ref<Type>, name: Ref<Str>) -> usize {
    ((ty.version.get() as usize).wrapping_mul(0x9e37) ^ (name.as_ptr() as usize >> 4))
        & (METHOD_CACHE_SIZE - 1)
}

/// `__module__`.
pub fn type_module(vm: &Vm, t: Ref<Type>) -> R<Option<Value>> {
    // Where instances have a module of their own, its descriptor stands under the name.
    let own = t.dict().get_str(vm, vm.names.__module__)?;
    if let Some(m) =
        own.filter(|&m| t.has_flag(type_flags::HEAP) || vm.type_of(m) != vm.types.getset_descriptor)
    {
        return Ok(Some(m));
    }
    if t.has_flag(type_flags::HEAP) {
        return Ok(None);
    }
    let module = t.def().and_then(|d| d.name.rsplit_once('.')).map_or("builtins", |(m, _)| m);
    Ok(Some(vm.intern(module)?.value()))
}

/// C3 linearisation. TypeError if there is none.
pub fn compute_mro(vm: &Vm, t: Ref<Type>) -> R<Ref<Tuple>> {
    let Some(bases) = t.bases.cast::<Tuple>() else { return Tuple::new(vm, &[t.value()]) };
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for b in bases.items() {
        let Some(b) = b.cast::<Type>() else {
            return Err(vm.type_error("bases must be types"));
        };
        rows.push(b.mro().items().to_vec());
    }
    rows.push(bases.items().to_vec());
    // The values are kept alive by the bases.
    let mut out = vec![t.value()];
    loop {
        rows.retain(|r| !r.is_empty());
        if rows.is_empty() {
            return Tuple::new(vm, &out);
        }
        let good = rows.iter().map(|r| r[0]).find(|c| !rows.iter().any(|r| r[1..].contains(c)));
        let Some(next) = good else {
            let names: Vec<String> =
                rows.iter().filter_map(|r| r[0].cast::<Type>()).map(|t| t.name_string()).collect();
            return Err(vm.type_error(format!(
                "Cannot create a consistent method resolution order (MRO) for bases {}",
                names.join(", ")
            )));
        };
        out.push(next);
        for r in &mut rows {
            if r[0] == next {
                r.remove(0);
            }
        }
    }
}
