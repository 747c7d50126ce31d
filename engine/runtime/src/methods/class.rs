//! Making classes: `type.__new__` once its arguments are checked, slots, and instances.

use crate::interp::TaskRef;
use crate::methods::compute_mro;
use crate::methods::typeobj::DICT;
use crate::native::Args;
use crate::object::{Kind, Ref};
use crate::types::descriptor::{Member, Wrapper};
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::instance::Instance;
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::{Type, type_flags};
use crate::value::{R, Value};
use crate::vm::Vm;

impl Vm {
    /// The metaclass that a class of these bases must have. TypeError on a conflict.
    pub fn most_derived_metaclass(&self, meta: Ref<Type>, bases: Ref<Tuple>) -> R<Ref<Type>> {
        let mut winner = meta;
        for b in bases.items() {
            let t = self.type_of(*b);
            if winner.is_subtype(t) {
                continue;
            }
            if t.is_subtype(winner) {
                winner = t;
                continue;
            }
            return Err(self.type_error(
                "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of all its bases",
            ));
        }
        Ok(winner)
    }

    /// The base whose layout the others' are part of. TypeError.
    pub fn best_base(&self, bases: Ref<Tuple>) -> R<Ref<Type>> {
        let mut best: Option<Ref<Type>> = None;
        for b in bases.items() {
            let Some(b) = b.cast::<Type>() else {
                return Err(self.type_error("bases must be types"));
            };
            if !b.has_flag(type_flags::BASETYPE) {
                return Err(
                    self.type_error(format!("type '{}' is not an acceptable base type", b.message_name()))
                );
            }
            best = Some(match best {
                None => b,
                Some(a) if extends(a, b) => a,
                Some(a) if extends(b, a) => b,
                Some(_) => {
                    return Err(self.type_error("multiple bases have instance lay-out conflict"));
                }
            });
        }
        Ok(best.unwrap_or(self.types.object))
    }

    /// `collections.abc` tells which of its classes match sequence or mapping patterns; others are like what they
    /// inherit from.
    fn apply_pattern_flags(&self, ty: Ref<Type>, dict: Ref<Dict>) -> R<()> {
        let name = self.intern("__abc_tpflags__")?;
        let Some(bits) = dict.get_str(self, name)?.and_then(|v| self.as_i64(v)) else { return Ok(()) };
        dict.delete_str(self, name)?;
        ty.set_flag(type_flags::SEQUENCE, bits & 1 << 5 != 0);
        ty.set_flag(type_flags::MAPPING, bits & 1 << 6 != 0);
        Ok(())
    }

    /// `type.__new__` once the metaclass is known. What is left is to call `__set_name__` and
    /// `__init_subclass__`, after which the task has the class.
    pub fn new_class(
        &self,
        meta: Ref<Type>,
        name: Ref<Str>,
        bases: Ref<Tuple>,
        namespace: Ref<Dict>,
        args: Args<'_>,
    ) -> R<TaskRef> {
        let bases = if bases.is_empty() { Tuple::new(self, &[self.types.object.value()])? } else { bases };
        let base = self.best_base(bases)?;
        let ty = self.alloc_instance::<Type>(meta)?;
        let mut flags = type_flags::HEAP | type_flags::BASETYPE;
        const INHERITED: u32 = type_flags::HAS_DICT | type_flags::HAS_WEAKREF | type_flags::HAS_DEL;
        for b in bases.items().iter().filter_map(|b| b.cast::<Type>()) {
            flags |= b.flags.get() & INHERITED;
        }
        let kind = Kind::ALL[base.instance_kind() as usize];
        ty.init(self, kind, flags, None);
        let dict = namespace.copy(self)?;
        ty.dict.set(self, ty, dict.value());
        ty.name.set(self, ty, self.intern_str(name).value());
        let qualname = match dict.get_str(self, self.names.__qualname__)? {
            Some(q) if q.cast::<Str>().is_some() => {
                dict.delete_str(self, self.names.__qualname__)?;
                q
            }
            Some(q) => {
                return Err(
                    self.type_error(format!("type __qualname__ must be a str, not {}", self.type_name(q)))
                );
            }
            None => name.value(),
        };
        ty.qualname.set(self, ty, qualname);
        ty.bases.set(self, ty, bases.value());
        ty.base.set(self, ty, base.value());
        if dict.get_str(self, self.names.__module__)?.is_none()
            && let Some(f) = crate::interp::Walk::running(self).next()
        {
            let globals = crate::interp::frame_function(f.base).globals();
            if let Some(m) = globals.get_str(self, self.names.__name__)? {
                dict.set_str(self, self.names.__module__, m)?;
            }
        }
        self.apply_slots(ty, base, dict)?;
        if dict.get_str(self, self.names.__doc__)?.is_none() {
            dict.set_str(self, self.names.__doc__, Value::NONE)?;
        }
        if ty.has_flag(type_flags::HAS_DICT)
            && !base.has_flag(type_flags::HAS_DICT)
            && dict.get_str(self, self.names.__dict__)?.is_none()
        {
            let d = crate::types::descriptor::GetSet::new(self, &DICT, ty)?;
            dict.set_str(self, self.names.__dict__, d.value())?;
        }
        ty.make_root_shape(self);
        for (method, wrapper) in [
            (self.names.__init_subclass__, self.types.classmethod),
            (self.names.__class_getitem__, self.types.classmethod),
            (self.names.__new__, self.types.staticmethod),
        ] {
            if let Some(f) = dict.get_str(self, method)?
                && f.cast::<Function>().is_some()
            {
                let w = Wrapper::new(self, wrapper, f)?;
                dict.set_str(self, method, w.value())?;
            }
        }
        let cell = dict.get_str(self, self.names.__classcell__)?;
        if let Some(c) = cell {
            dict.delete_str(self, self.names.__classcell__)?;
            match c.cast::<crate::types::cell::CellObject>() {
                Some(c) => c.set(self, ty.value()),
                None => {
                    return Err(self.type_error(format!(
                        "type.__new__() argument __classcell__ must be a nonlocal cell, not {}",
                        self.type_name(c)
                    )));
                }
            }
        }
        if let Some(c) = dict.get_str(self, self.names.__classdictcell__)? {
            dict.delete_str(self, self.names.__classdictcell__)?;
            let Some(c) = c.cast::<crate::types::cell::CellObject>() else {
                return Err(self.type_error(format!(
                    "type.__new__() argument __classdictcell__ must be a nonlocal cell, not {}",
                    self.type_name(c)
                )));
            };
            // Annotations see what the class has when they are evaluated; not its dictionary itself, as
            // changes of that must go through the class.
            c.set(self, crate::types::mappingproxy::MappingProxy::new(self, dict.value())?.value());
        }
        if dict.get_str(self, self.names.__del__)?.is_some() {
            ty.set_flag(type_flags::HAS_DEL, true);
        }
        // A class that defines equality but no hash is unhashable.
        let (eq, hash) = (self.intern("__eq__")?, self.intern("__hash__")?);
        if dict.get_str(self, eq)?.is_some() && dict.get_str(self, hash)?.is_none() {
            dict.set_str(self, hash, Value::NONE)?;
        }
        let mro = self.class_mro(meta, ty)?;
        ty.mro.set(self, ty, mro.value());
        self.apply_pattern_flags(ty, dict)?;
        for b in bases.items() {
            if let Some(b) = b.cast::<Type>() {
                self.add_subclass(b, ty)?;
            }
        }
        ty.modified(self);
        super::class_hooks::task(self, ty, dict, args)
    }

    /// The MRO, by the metaclass's `mro()` if it has its own.
    fn class_mro(&self, meta: Ref<Type>, ty: Ref<Type>) -> R<Ref<Tuple>> {
        if meta != self.types.type_
            && let Some(f) = meta.lookup(self, self.names.mro)
            && f.cast::<Function>().is_some()
        {
            // Look-ups on the class meanwhile go by the standard order.
            let standard = compute_mro(self, ty)?;
            ty.mro.set(self, ty, standard.value());
            let r = self.call(f, &[ty.value()])?;
            let list = self.list_from(r)?;
            for t in list.items() {
                if t.cast::<Type>().is_none() {
                    return Err(
                        self.type_error(format!("mro() returned a non-class ('{}')", self.type_name(*t)))
                    );
                }
            }
            return Tuple::new(self, list.items());
        }
        compute_mro(self, ty)
    }

    /// `__slots__`: member descriptors and the slots' names.
    fn apply_slots(&self, ty: Ref<Type>, base: Ref<Type>, dict: Ref<Dict>) -> R<()> {
        ty.slot_names.set(self, ty, base.slot_names.get());
        let Some(slots) = dict.get_str(self, self.names.__slots__)? else {
            ty.set_flag(type_flags::HAS_DICT | type_flags::HAS_WEAKREF, true);
            return Ok(());
        };
        let declared = match slots.cast::<Str>() {
            Some(_) => List::new(self, &[slots])?,
            None => self.list_from(slots)?,
        };
        let names = List::with_capacity(self, declared.len())?;
        for &s in declared.items() {
            let Some(s) = s.cast::<Str>() else {
                return Err(
                    self.type_error(format!("__slots__ items must be strings, not '{}'", self.type_name(s)))
                );
            };
            let text = s.to_string_lossy().into_owned();
            let identifier = text.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic())
                && text.chars().all(|c| c == '_' || c.is_alphanumeric());
            if !identifier {
                return Err(self.type_error("__slots__ must be identifiers"));
            }
            match text.as_str() {
                "__dict__" => {
                    if base.has_flag(type_flags::HAS_DICT) {
                        return Err(self.type_error("__dict__ slot disallowed: we already got one"));
                    }
                    ty.set_flag(type_flags::HAS_DICT, true);
                }
                "__weakref__" => ty.set_flag(type_flags::HAS_WEAKREF, true),
                _ => {
                    let name = self.intern(&mangle(&ty.name_string(), &text))?;
                    let clash = dict.get_str(self, name)?;
                    if clash.is_some() && text != "__qualname__" && text != "__classcell__" {
                        return Err(self.value_error(format!(
                            "'{}' in __slots__ conflicts with class variable",
                            name.to_string_lossy()
                        )));
                    }
                    names.push(self, name.value())?;
                }
            }
        }
        if !names.is_empty()
            && matches!(Kind::ALL[base.instance_kind() as usize], Kind::Int | Kind::Bytes | Kind::Tuple)
        {
            return Err(self.type_error(format!(
                "nonempty __slots__ not supported for subtype of '{}'",
                base.name_string()
            )));
        }
        let all = match base.slot_names.cast::<Tuple>() {
            Some(t) => List::new(self, t.items())?,
            None => List::with_capacity(self, names.len())?,
        };
        // Slots of a builtin layout are kept in the instance's dictionary word.
        if ty.has_builtin_layout() && !names.is_empty() {
            ty.set_flag(type_flags::HAS_DICT, true);
        }
        for &n in names.items() {
            // SAFETY: only strings were pushed.
            let name: Ref<Str> = unsafe { n.cast_unchecked() };
            let member = Member::new(self, name, ty, all.len())?;
            dict.set_str(self, name, member.value())?;
            if !ty.has_builtin_layout() {
                all.push(self, n)?;
            }
        }
        let all = Tuple::new(self, all.items())?;
        ty.slot_names.set(self, ty, all.value());
        Ok(())
    }

    /// Notes a subclass, weakly.
    pub fn add_subclass(&self, base: Ref<Type>, sub: Ref<Type>) -> R<()> {
        let list = match base.subclasses.cast::<List>() {
            Some(l) => l,
            None => {
                let l = List::with_capacity(self, 4)?;
                base.subclasses.set(self, base, l.value());
                l
            }
        };
        if !list.items().contains(&sub.value()) {
            list.push(self, sub.value())?;
        }
        Ok(())
    }

    /// Calls `f` with each direct subclass.
    pub fn for_each_subclass(&self, base: Ref<Type>, f: &mut dyn FnMut(Ref<Type>)) {
        let Some(list) = base.subclasses.cast::<List>() else { return };
        let mut i = 0;
        while let Some(v) = list.get(i) {
            i += 1;
            if let Some(t) = v.cast::<Type>()
                && t.bases.cast::<Tuple>().is_some_and(|b| b.items().contains(&base.value()))
            {
                f(t);
            }
        }
    }

    /// Sets or deletes an attribute in a class's own dictionary.
    pub fn set_type_attr(&self, t: Ref<Type>, name: Ref<Str>, v: Option<Value>) -> R<()> {
        if !t.has_flag(type_flags::HEAP) {
            return Err(self.type_error(format!(
                "cannot set '{}' attribute of immutable type '{}'",
                name.to_string_lossy(),
                t.name_string()
            )));
        }
        match v {
            Some(v) => t.set_own(self, name, v)?,
            None => {
                if !t.dict().delete_str(self, name)? {
                    return Err(self.no_attribute(t.value(), name));
                }
                t.modified_name(self, name);
            }
        }
        if name == self.names.__del__ {
            t.set_flag(type_flags::HAS_DEL, v.is_some());
        }
        Ok(())
    }

    /// A bare instance of a class of the plain layout. TypeError for an abstract one.
    #[inline]
    pub fn new_instance(&self, ty: Ref<Type>) -> R<Value> {
        if ty.has_flag(type_flags::ABSTRACT) {
            return Err(self.abstract_error(ty));
        }
        let cap = self.shapes.get(ty.root_shape_id()).inline_cap;
        let size = crate::types::instance::INSTANCE_SLOTS + 8 * cap as usize;
        let i = self.alloc::<Instance>(size, ty.root_shape_id())?;
        i.header().bits.set(cap);
        if ty.has_flag(type_flags::HAS_DEL) {
            self.heap.register_finalizer(i.header());
        }
        Ok(i.value())
    }

    /// TypeError for a class with abstract methods.
    pub fn check_instantiable(&self, ty: Ref<Type>) -> R<()> {
        if ty.has_flag(type_flags::ABSTRACT) { Err(self.abstract_error(ty)) } else { Ok(()) }
    }

    #[cold]
    fn abstract_error(&self, ty: Ref<Type>) -> crate::value::Raised {
        let names =
            match self.get_attr(ty.value(), self.names.__abstractmethods__).and_then(|n| self.list_from(n)) {
                Ok(n) => n,
                Err(e) => return e,
            };
        let mut texts: Vec<String> = names
            .items()
            .iter()
            .filter_map(|n| n.cast::<Str>())
            .map(|n| n.to_string_lossy().into_owned())
            .collect();
        texts.sort();
        self.type_error(format!(
            "Can't instantiate abstract class {} without an implementation for abstract method{} '{}'",
            ty.name_string(),
            if texts.len() == 1 { "" } else { "s" },
            texts.join("', '")
        ))
    }

    /// `type.__call__` from native code.
    pub fn construct(&self, ty: Ref<Type>, args: Args<'_>) -> R<Value> {
        let new = self.get_attr(ty.value(), self.names.__new__)?;
        let instance = crate::interp::with_first(self, ty.value(), args, |a| self.call_args(new, a))?;
        let own = self.type_of(instance);
        if own.is_subtype(ty)
            && let Some(init) = own.special(self, skein_bytecode::Special::Init)
        {
            let r = crate::interp::with_first(self, instance, args, |a| self.call_special_method(init, a))?;
            if !r.is_none() {
                return Err(
                    self.type_error(format!("__init__() should return None, not '{}'", self.type_name(r)))
                );
            }
        }
        Ok(instance)
    }
}

/// Does `a`'s layout extend `b`'s?
fn extends(a: Ref<Type>, b: Ref<Type>) -> bool {
    const PLAIN: u8 = Kind::Instance as u8;
    let solid = |t: Ref<Type>| {
        // The nearest base that adds to the layout.
        let mut t = t;
        while let Some(base) = t.base() {
            if base.instance_kind() != t.instance_kind() || base.slot_count() != t.slot_count() {
                break;
            }
            t = base;
        }
        t
    };
    let (sa, sb) = (solid(a), solid(b));
    if sb.instance_kind() == PLAIN && sb.slot_count() == 0 {
        return true;
    }
    a.is_subtype(sb)
        || sa == sb
        || (sa.instance_kind() == sb.instance_kind() && sb.slot_count() == 0 && sa.is_subtype(sb))
}

/// Private names in a class body: `__x` becomes `_Class__x`.
fn mangle(class: &str, name: &str) -> String {
    let class = class.trim_start_matches('_');
    if name.starts_with("__") && !name.ends_with("__") && !name.contains('.') && !class.is_empty() {
        return format!("_{class}{name}");
    }
    name.to_string()
}
