//! Arguments and results of natives: from values to Rust's types and back.

use super::NativeDef;
use crate::object::{Object, Ref};
use crate::value::{R, Raised, Value};
use crate::vm::Vm;

/// What a native's parameter can be.
pub trait FromArg: Sized {
    /// Converts the argument in slot `i`; TypeError in CPython's words.
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Self>;
}

impl FromArg for Value {
    #[inline(always)]
    fn from_arg(_: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<Value> {
        Ok(v)
    }
}

impl<T: FromArg> FromArg for Option<T> {
    #[inline]
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Option<T>> {
        if v.is_unbound() { Ok(None) } else { T::from_arg(vm, def, i, v).map(Some) }
    }
}

impl<T: Object> FromArg for Ref<T> {
    #[inline]
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Ref<T>> {
        match v.cast::<T>() {
            Some(r) => Ok(r),
            None => Err(wrong_type(vm, def, i, v, vm.kind_name(T::KIND))),
        }
    }
}

/// The text for an int that does not fit, by what C calls the type.
fn too_large(ty: &str) -> String {
    let name = match ty {
        "i32" => "C int",
        "u32" => "C unsigned int",
        "i64" | "isize" => "C ssize_t",
        "u64" => "C unsigned long",
        "usize" => "C size_t",
        other => other,
    };
    format!("Python int too large to convert to {name}")
}

/// An integer argument: anything with `__index__`; OverflowError if it does not fit.
macro_rules! int_args {
    ($($ty:ty),*) => {$(
        impl FromArg for $ty {
            fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<$ty> {
                let i = vm.as_i64(vm.index(v)?).and_then(|i| <$ty>::try_from(i).ok());
                i.ok_or_else(|| vm.overflow_error(too_large(stringify!($ty))))
            }
        }
    )*};
}
int_args!(i64, i32, u32, u8);

/// As the others, beyond the range of an i64.
macro_rules! unsigned_args {
    ($($ty:ty),*) => {$(
        impl FromArg for $ty {
            fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<$ty> {
                let i = vm.index(v)?;
                let small = vm.as_i64(i).map(|i| <$ty>::try_from(i).ok());
                let fits = small.unwrap_or_else(|| vm.as_big(i).and_then(|big| <$ty>::try_from(big).ok()));
                fits.ok_or_else(|| vm.overflow_error(too_large(stringify!($ty))))
            }
        }
    )*};
}
unsigned_args!(u64, usize);

impl FromArg for f64 {
    #[inline]
    fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<f64> {
        if v.is_float() { Ok(v.as_immediate_float()) } else { vm.to_f64(v) }
    }
}

/// The truth of any object.
impl FromArg for bool {
    fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<bool> {
        vm.truth(v)
    }
}

/// TypeError for an argument of the wrong type.
#[cold]
pub fn wrong_type(vm: &Vm, def: &'static NativeDef, i: usize, v: Value, wanted: &str) -> Raised {
    let got = vm.type_name(v);
    if i == 0 && def.is_method() {
        return vm.type_error(format!(
            "descriptor '{}' for '{wanted}' objects doesn't apply to a '{got}' object",
            def.name
        ));
    }
    let got = if v.is_none() { "None".to_owned() } else { got };
    let params = def.params as usize - usize::from(def.is_method());
    let n = i + usize::from(!def.is_method());
    let which = if params == 1 { "argument".to_string() } else { format!("argument {n}") };
    vm.type_error(format!("{}() {which} must be {wanted}, not {got}", def.name))
}

/// What a native can return.
pub trait IntoRet {
    fn into_ret(self, vm: &Vm) -> R<Value>;
}

impl IntoRet for Value {
    #[inline(always)]
    fn into_ret(self, _: &Vm) -> R<Value> {
        Ok(self)
    }
}
impl IntoRet for () {
    #[inline(always)]
    fn into_ret(self, _: &Vm) -> R<Value> {
        Ok(Value::NONE)
    }
}
impl IntoRet for bool {
    #[inline(always)]
    fn into_ret(self, _: &Vm) -> R<Value> {
        Ok(Value::bool(self))
    }
}
impl IntoRet for i64 {
    fn into_ret(self, vm: &Vm) -> R<Value> {
        vm.int(self)
    }
}
impl IntoRet for usize {
    fn into_ret(self, vm: &Vm) -> R<Value> {
        vm.int_u64(self as u64)
    }
}
impl IntoRet for f64 {
    fn into_ret(self, vm: &Vm) -> R<Value> {
        vm.float(self)
    }
}
impl IntoRet for &str {
    fn into_ret(self, vm: &Vm) -> R<Value> {
        vm.str(self)
    }
}
impl IntoRet for String {
    fn into_ret(self, vm: &Vm) -> R<Value> {
        vm.str(&self)
    }
}
impl<T: Object> IntoRet for Ref<T> {
    #[inline(always)]
    fn into_ret(self, _: &Vm) -> R<Value> {
        Ok(self.value())
    }
}
impl<T: IntoRet> IntoRet for Option<T> {
    fn into_ret(self, vm: &Vm) -> R<Value> {
        self.map_or(Ok(Value::NONE), |v| v.into_ret(vm))
    }
}
impl<T: IntoRet> IntoRet for R<T> {
    #[inline(always)]
    fn into_ret(self, vm: &Vm) -> R<Value> {
        self?.into_ret(vm)
    }
}
