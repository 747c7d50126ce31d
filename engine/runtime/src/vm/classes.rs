//! What the machine does with classes: their layouts, subclasses, attributes and instances.

use crate::native::Args;
use crate::object::Kind;
use crate::object::Ref;
use crate::types::instance::Instance;
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

    /// Notes a subclass, weakly.
    pub fn add_subclass(&self, base: Ref<Type>, sub: Ref<Type>) -> R<()> {
        let mut known = false;
        self.for_each_subclass(base, &mut |t| known |= t == sub);
        if !known {
            base.subclasses.add(self, base, sub.header())?;
        }
        Ok(())
    }

    /// Calls `f` with each direct subclass.
    pub fn for_each_subclass(&self, base: Ref<Type>, f: &mut dyn FnMut(Ref<Type>)) {
        let mut i = 0;
        while let Some(t) = base.subclasses.get::<Type>(i) {
            i += 1;
            if t.bases.cast::<Tuple>().is_some_and(|b| b.items().contains(&base.value())) {
                f(t);
            }
        }
    }

    /// Sets or deletes an attribute in a class's own dictionary.
    pub fn set_type_attr(&self, t: Ref<Type>, name: Ref<Str>, v: Option<Value>) -> R<()> {
        if !t.has_flag(type_flags::HEAP) || t.has_flag(type_flags::FIXED) {
            return Err(self.type_error(format!(
                "cannot set '{}' attribute of immutable type '{}'",
                name.to_string_lossy(),
                t.message_name()
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
        let shape = self.instance_shape::<Instance>(ty)?;
        let cap = self.shapes.get(shape).inline_cap;
        let size = crate::types::instance::INSTANCE_SLOTS + 8 * cap as usize;
        let i = self.alloc::<Instance>(size, shape)?;
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

impl Ref<Type> {
    /// The type itself or the nearest of its bases that adds to the layout of instances.
    pub fn solid_base(self) -> Ref<Type> {
        let mut t = self;
        while let Some(base) = t.base() {
            if base.instance_kind() != t.instance_kind() || base.slot_count() != t.slot_count() {
                break;
            }
            t = base;
        }
        t
    }

    /// Have the instances the layout of `of`'s, and perhaps more? By the chain of bases, whatever the MRO says.
    pub fn has_layout_of(self, of: Ref<Type>) -> bool {
        let solid = of.solid_base();
        std::iter::successors(Some(self.solid_base()), |t| t.base()).any(|t| t == solid)
    }
}

/// Does `a`'s layout extend `b`'s?
fn extends(a: Ref<Type>, b: Ref<Type>) -> bool {
    const PLAIN: u8 = Kind::Instance as u8;
    let (sa, sb) = (a.solid_base(), b.solid_base());
    if sb.instance_kind() == PLAIN && sb.slot_count() == 0 {
        return true;
    }
    a.is_subtype(sb)
        || sa == sb
        || (sa.instance_kind() == sb.instance_kind() && sb.slot_count() == 0 && sa.is_subtype(sb))
}
