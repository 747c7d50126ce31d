//! Attribute access from native code.

use crate::interp::attr::{
    AttrLookup, bind_descriptor, generic_lookup, has_builtin_getattribute, module_getattr, no_attribute,
    property_error, set_member, super_lookup,
};
use crate::native::Args;
use crate::object::{Field, Header, Ref, dict_word};
use crate::types::descriptor::{GetSet, Member, Property, Super, Wrapper};
use crate::types::dict::Dict;
use crate::types::function::{BoundMethod, Function};
use crate::types::instance::Instance;
use crate::types::module::Module;
use crate::types::native::NativeFunction;
use crate::types::str::Str;
use crate::types::typeobj::{Type, type_flags};
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_bytecode::Special;

impl Vm {
    /// What a classmethod of this function is on this class.
    pub fn bind_to_class(&self, f: Value, class: Value) -> R<Value> {
        Ok(match f.cast::<NativeFunction>() {
            Some(native) if native.receiver.get().is_none() => native.bind(self, class)?.value(),
            _ => BoundMethod::new(self, f, class)?.value(),
        })
    }

    /// Sets or deletes (`None`) a slot of `__slots__`.
    pub fn set_slot(&self, m: Ref<Member>, obj: Value, v: Option<Value>) -> R<()> {
        set_member(self, m, obj, v)
    }

    /// Applies `__get__` for an instance: a bound method of a function.
    pub fn bind(&self, f: Value, obj: Value, ty: Ref<Type>) -> R<Value> {
        match bind_descriptor(self, f, Some(obj), ty)? {
            AttrLookup::Call(f, args, n) => self.call(f, &args[..n]),
            AttrLookup::Value(v) => Ok(v),
            AttrLookup::Missing => Ok(f),
        }
    }

    fn finish_lookup(&self, found: AttrLookup) -> R<Option<Value>> {
        match found {
            AttrLookup::Value(v) => Ok(Some(v)),
            AttrLookup::Call(f, args, n) => self.call(f, &args[..n]).map(Some),
            AttrLookup::Missing => Ok(None),
        }
    }

    /// `object.__getattribute__(obj, name)` and its like; None if there is no such attribute.
    pub fn generic_get_attr(&self, obj: Value, name: Ref<Str>) -> R<Option<Value>> {
        let found = generic_lookup(self, obj, name)?;
        self.finish_lookup(found)
    }

    /// As [`Vm::generic_get_attr`] of a super object.
    pub fn super_get_attr(&self, s: Ref<Super>, name: Ref<Str>) -> R<Option<Value>> {
        let found = super_lookup(self, s, name)?;
        self.finish_lookup(found)
    }

    /// `obj.name`. AttributeError.
    pub fn get_attr(&self, obj: Value, name: Ref<Str>) -> R<Value> {
        self.check_depth()?;
        let ty = self.type_of(obj);
        let found = if has_builtin_getattribute(self, ty) {
            let r = self.generic_get_attr(obj, name);
            if ty.special(self, Special::GetAttr).is_none() {
                r?
            } else {
                self.absorb(r, self.exc.attribute_error)?.flatten()
            }
        } else {
            let Some(f) = ty.special(self, Special::GetAttribute) else {
                return Err(self.no_attribute(obj, name));
            };
            let r = self.special_2(f, obj, name.value());
            if ty.special(self, Special::GetAttr).is_none() {
                return r;
            }
            self.absorb(r, self.exc.attribute_error)?
        };
        if let Some(v) = found {
            return Ok(v);
        }
        if let Some(f) = ty.special(self, Special::GetAttr) {
            return self.special_2(f, obj, name.value());
        }
        match module_getattr(self, obj)? {
            Some(f) => self.call(f, &[name.value()]),
            None => Err(no_attribute(self, obj, name)),
        }
    }

    /// `obj.name`, or None where that raises AttributeError.
    pub fn find_attr(&self, obj: Value, name: Ref<Str>) -> R<Option<Value>> {
        self.check_depth()?;
        let ty = self.type_of(obj);
        if has_builtin_getattribute(self, ty) && ty.special(self, Special::GetAttr).is_none() {
            // No exception object is made for what is often asked and often missing.
            let r = self.generic_get_attr(obj, name);
            let found = self.absorb(r, self.exc.attribute_error)?.flatten();
            if found.is_some() || module_getattr(self, obj)?.is_none() {
                return Ok(found);
            }
        }
        let r = self.get_attr(obj, name);
        self.absorb(r, self.exc.attribute_error)
    }

    /// `obj.name` by a Rust string.
    pub fn get_attr_str(&self, obj: Value, name: &str) -> R<Value> {
        self.get_attr(obj, self.intern(name)?)
    }

    /// `obj.name = v`.
    pub fn set_attr(&self, obj: Value, name: Ref<Str>, v: Value) -> R<()> {
        self.set_or_delete_attr(obj, name, Some(v))
    }

    /// `obj.name = v`, or deletion (`None`).
    pub fn set_or_delete_attr(&self, obj: Value, name: Ref<Str>, v: Option<Value>) -> R<()> {
        self.check_depth()?;
        let ty = self.type_of(obj);
        let special = if v.is_some() { Special::SetAttr } else { Special::DelAttr };
        match ty.special(self, special) {
            Some(f) if !self.known.is_setattr(f) => {
                let args = [obj, name.value(), v.unwrap_or(Value::NONE)];
                self.call_special_method(f, Args::new(&args[..2 + usize::from(v.is_some())], None))?;
                Ok(())
            }
            _ => self.generic_set_attr(obj, name, v),
        }
    }

    /// `object.__setattr__` and `type.__setattr__`; `None` deletes.
    pub fn generic_set_attr(&self, obj: Value, name: Ref<Str>, v: Option<Value>) -> R<()> {
        let ty = self.type_of(obj);
        let name = self.intern_str(name);
        if let Some(d) = ty.lookup(self, name) {
            if let Some(m) = d.cast::<Member>() {
                return set_member(self, m, obj, v);
            }
            if let Some(g) = d.cast::<GetSet>() {
                return g.set(self, obj, v);
            }
            if let Some(p) = d.cast::<Property>()
                && self.type_of(d) == self.types.property
            {
                let f = if v.is_some() { p.setter.get() } else { p.deleter.get() };
                let Some(f) = f.filter(|f| !f.is_none()) else {
                    return Err(property_error(self, p, obj, if v.is_some() { "setter" } else { "deleter" }));
                };
                let args = [obj, v.unwrap_or(Value::NONE)];
                return self.call(f, &args[..1 + usize::from(v.is_some())]).map(|_| ());
            }
            let dt = self.type_of(d);
            let special = if v.is_some() { Special::Set } else { Special::Delete };
            if let Some(f) = dt.special(self, special) {
                let args = [d, obj, v.unwrap_or(Value::NONE)];
                self.call_special_method(f, Args::new(&args[..2 + usize::from(v.is_some())], None))?;
                return Ok(());
            }
        }
        if let Some(t) = obj.cast::<Type>() {
            return self.set_type_attr(t, name, v);
        }
        let missing = |vm: &Vm| match ty.lookup(vm, name) {
            Some(_) => vm.attribute_error_for(
                obj,
                name,
                &format!("'{}' object attribute '{}' is read-only", ty.name_string(), name.to_string_lossy()),
            ),
            None => no_attribute_to_set(vm, obj, name),
        };
        if let Some(i) = obj.cast::<Instance>() {
            if !ty.has_flag(type_flags::HAS_DICT) {
                return Err(missing(self));
            }
            return match v {
                Some(v) => i.set_own(self, name, v),
                None => match i.delete_own(self, name)? {
                    true => Ok(()),
                    false => Err(self.no_attribute(obj, name)),
                },
            };
        }
        let Some(dict) = self.instance_dict(obj)? else { return Err(missing(self)) };
        match v {
            Some(v) => dict.set_str(self, name, v),
            None if dict.delete_str(self, name)? => Ok(()),
            None => Err(no_attribute(self, obj, name)),
        }
    }

    /// The attribute dictionary (`__dict__`), made on demand; None for objects without. MemoryError.
    pub fn instance_dict(&self, obj: Value) -> R<Option<Ref<Dict>>> {
        if let Some(i) = obj.cast::<Instance>() {
            if !self.type_of(obj).has_flag(type_flags::HAS_DICT) {
                return Ok(None);
            }
            return i.to_dict(self).map(Some);
        }
        if let Some(m) = obj.cast::<Module>() {
            return Ok(Some(m.dict()));
        }
        if let Some(f) = obj.cast::<Function>() {
            return f.dict(self).map(Some);
        }
        if let Some(w) = obj.cast::<Wrapper>() {
            if w.dict.get().is_none() {
                let d = Dict::new(self)?;
                w.dict.set(self, w, d.value());
            }
            return Ok(w.dict.cast());
        }
        if !self.type_of(obj).has_flag(type_flags::HAS_DICT) {
            return Ok(None);
        }
        self.word_dict(obj)
    }

    /// The dictionary in the trailing word of an object of a builtin layout, be it for attributes or for slots.
    pub fn word_dict(&self, obj: Value) -> R<Option<Ref<Dict>>> {
        let Some(header) = obj.header() else { return Ok(None) };
        let Some(word) = dict_word(header) else { return Ok(None) };
        if word.get().is_none() {
            let dict = Dict::new(self)?;
            let expected = self.type_of(obj).slots_seen();
            if expected != 0 {
                dict.table.reserve(self, dict, expected)?;
            }
            self.set_dict_word(header, word, dict);
        }
        Ok(word.cast())
    }

    /// Gives an object of a builtin layout its dictionary: from now on its shape is one that proves
    /// nothing of its attributes.
    fn set_dict_word(&self, header: &'static Header, word: &Field, dict: Ref<Dict>) {
        self.heap.write_barrier(header);
        word.init(dict.value());
        let ty = self.shapes.get(header.shape.get()).ty.get();
        header.shape.set(ty.dict_shape(self).id);
    }

    /// Makes `dict` the attribute dictionary (`obj.__dict__ = dict`). TypeError, AttributeError.
    pub fn replace_instance_dict(&self, obj: Value, dict: Ref<Dict>) -> R<()> {
        if let Some(i) = obj.cast::<Instance>()
            && self.type_of(obj).has_flag(type_flags::HAS_DICT)
        {
            return i.set_dict(self, dict);
        }
        if let Some(f) = obj.cast::<Function>() {
            return f.set_extra(self, crate::types::function::Extra::Dict, Some(dict.value()));
        }
        if let Some(w) = obj.cast::<Wrapper>() {
            w.dict.set(self, w, dict.value());
            return Ok(());
        }
        let has_dict = self.type_of(obj).has_flag(type_flags::HAS_DICT);
        match obj.header().filter(|_| has_dict).and_then(|h| dict_word(h).map(|word| (h, word))) {
            Some((header, word)) => {
                self.set_dict_word(header, word, dict);
                Ok(())
            }
            None => Err(self.attribute_error("__dict__ is not writable")),
        }
    }
}

#[cold]
fn no_attribute_to_set(vm: &Vm, obj: Value, name: Ref<Str>) -> Raised {
    // A class with a way of its own to set attributes, or to delete them, may have others.
    let ty = vm.type_of(obj);
    let own = |op: Special| ty.special(vm, op) != vm.types.object.special(vm, op);
    let why = match own(Special::SetAttr) || own(Special::DelAttr) {
        true => "",
        false => " and no __dict__ for setting new attributes",
    };
    let text = format!("'{}' object has no attribute '{}'{why}", vm.type_name(obj), name.to_string_lossy());
    vm.attribute_error_for(obj, name, &text)
}
