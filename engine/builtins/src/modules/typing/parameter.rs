//! What the three kinds of type parameters have in common.

use super::lazy::Lazy;
use super::{calling_module, no_default, paramspec, typevar, typevartuple};
use skein_runtime::native::TypeDef;
use skein_runtime::object::{Field, Ref, Tracer};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::marker::PhantomData;

/// Tells the kinds of parameters apart.
pub trait Which: 'static {
    const NAME: &'static str;
    const DEF: &'static TypeDef;
}

/// How subtypes of the argument and of the generic relate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Variance {
    pub covariant: bool,
    pub contravariant: bool,
    pub infer: bool,
}

impl Variance {
    /// That of parameters made by syntax.
    pub const INFERRED: Variance = Variance { covariant: false, contravariant: false, infer: true };

    /// From a constructor's arguments. ValueError.
    pub fn of(vm: &Vm, covariant: Value, contravariant: Value, infer: Value) -> R<Variance> {
        let flag = |v: Value| if v.is_unbound() { Ok(false) } else { vm.truth(v) };
        let v = Variance {
            covariant: flag(covariant)?,
            contravariant: flag(contravariant)?,
            infer: flag(infer)?,
        };
        if v.covariant && v.contravariant {
            return Err(vm.value_error("Bivariant types are not supported."));
        }
        if v.infer && (v.covariant || v.contravariant) {
            return Err(vm.value_error("Variance cannot be specified with infer_variance."));
        }
        Ok(v)
    }
}

/// A type parameter.
pub struct Parameter<W> {
    pub name: Field,
    pub bound: Lazy,
    pub constraints: Lazy,
    pub default: Lazy,
    pub variance: Variance,
    pub which: PhantomData<W>,
}

impl<W: Which> Payload for Parameter<W> {
    const NAME: &'static str = W::NAME;
    fn trace(&self, t: &mut Tracer<'_>) {
        let Parameter { name, bound, constraints, default, variance: _, which: _ } = self;
        name.trace(t);
        for l in [bound, constraints, default] {
            l.trace(t);
        }
    }
}

impl<W: Which> Parameter<W> {
    /// Without bound, constraints and default.
    pub fn plain(name: Value, variance: Variance) -> Parameter<W> {
        let absent = || Lazy::new(None, None);
        Parameter {
            name: Field::new(Some(name)),
            bound: absent(),
            constraints: absent(),
            default: absent(),
            variance,
            which: PhantomData,
        }
    }

    /// A parameter made by syntax.
    pub fn of_code(self, vm: &Vm) -> R<Value> {
        Ok(Ext::new(vm, ext_type(vm, W::DEF)?, self)?.value())
    }

    /// A parameter made by a call: it knows the calling module, for pickling.
    pub fn of_call(mut self, vm: &Vm, class: Ref<Type>, default: Value) -> R<Value> {
        if !default.is_unbound() && !default.is(no_default(vm)?) {
            self.default = Lazy::new(Some(default), None);
        }
        let made = Ext::new(vm, class, self)?.value();
        if let Some(module) = calling_module(vm)? {
            vm.set_attr(made, vm.names.__module__, module)?;
        }
        Ok(made)
    }
}

/// The payload of an attribute's owner.
pub fn this<W: Which>(v: Value) -> Ref<Ext<Parameter<W>>> {
    // SAFETY: used by attributes that are found on such parameters only.
    unsafe { v.cast_unchecked() }
}

/// `__default__`; NoDefault if there is none.
pub fn default<W: Which>(vm: &Vm, v: Value) -> R<Value> {
    match this::<W>(v).default.get(vm, this::<W>(v))? {
        Some(d) => Ok(d),
        None => no_default(vm),
    }
}

pub fn has_default<W: Which>(p: Ref<Ext<Parameter<W>>>) -> bool {
    !p.default.is_absent()
}

/// `~T`, `+T`, `-T`, or the name alone where variance is inferred.
pub fn repr<W: Which>(p: Ref<Ext<Parameter<W>>>) -> Vec<u8> {
    let mut out = Vec::new();
    match p.variance {
        Variance { infer: true, .. } => {}
        Variance { covariant: true, .. } => out.push(b'+'),
        Variance { contravariant: true, .. } => out.push(b'-'),
        _ => out.push(b'~'),
    }
    if let Some(name) = p.name.cast::<Str>() {
        out.extend_from_slice(name.bytes());
    }
    out
}

/// The default of a parameter made by syntax is what the evaluator gives.
pub fn set_default(vm: &Vm, parameter: Value, evaluator: Value) {
    if let Some(p) = parameter.cast::<Ext<Parameter<typevar::Kind>>>() {
        p.default.set_evaluator(vm, p, evaluator);
    } else if let Some(p) = parameter.cast::<Ext<Parameter<paramspec::Kind>>>() {
        p.default.set_evaluator(vm, p, evaluator);
    } else if let Some(p) = parameter.cast::<Ext<Parameter<typevartuple::Kind>>>() {
        p.default.set_evaluator(vm, p, evaluator);
    }
}

/// `has_default()` of any type parameter; None for other objects.
pub fn any_has_default(v: Value) -> Option<bool> {
    if let Some(p) = v.cast::<Ext<Parameter<typevar::Kind>>>() {
        return Some(has_default(p));
    }
    if let Some(p) = v.cast::<Ext<Parameter<paramspec::Kind>>>() {
        return Some(has_default(p));
    }
    v.cast::<Ext<Parameter<typevartuple::Kind>>>().map(has_default)
}
