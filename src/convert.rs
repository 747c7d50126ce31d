//! Plain data from Python.

use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// A Rust type that takes values of some Python types.
///
/// Sealed: `()` takes anything, `bool`, `i64` (OverflowError beyond it), `f64` (ints too) and `String`
/// their counterparts (a lone surrogate in a str becomes U+FFFD), `Option` None too, and `Vec` lists and tuples.
pub trait FromPython: private::Sealed + Sized {
    #[doc(hidden)]
    fn from_python(vm: &Vm, value: Value) -> R<Self>;
}

mod private {
    pub trait Sealed {}
    impl Sealed for () {}
    impl Sealed for bool {}
    impl Sealed for i64 {}
    impl Sealed for f64 {}
    impl Sealed for String {}
    impl<T: Sealed> Sealed for Option<T> {}
    impl<T: Sealed> Sealed for Vec<T> {}
}

fn wrong<T>(vm: &Vm, wanted: &str, value: Value) -> R<T> {
    Err(vm.type_error(format!("expected {wanted}, got {}", vm.type_of(value).name_string())))
}

impl FromPython for () {
    fn from_python(_: &Vm, _: Value) -> R<()> {
        Ok(())
    }
}

impl FromPython for bool {
    fn from_python(vm: &Vm, value: Value) -> R<bool> {
        if value.is_bool() { Ok(value.is(Value::TRUE)) } else { wrong(vm, "bool", value) }
    }
}

impl FromPython for i64 {
    fn from_python(vm: &Vm, value: Value) -> R<i64> {
        if !vm.is_int(value) {
            return wrong(vm, "int", value);
        }
        match vm.as_i64(value) {
            Some(n) => Ok(n),
            None => Err(vm.raise_text(vm.exc.overflow_error, "int too large for i64")),
        }
    }
}

impl FromPython for f64 {
    fn from_python(vm: &Vm, value: Value) -> R<f64> {
        match vm.as_float(value).or_else(|| vm.as_i64(value).map(|n| n as f64)) {
            Some(x) => Ok(x),
            None => wrong(vm, "float", value),
        }
    }
}

impl FromPython for String {
    fn from_python(vm: &Vm, value: Value) -> R<String> {
        match value.cast::<Str>() {
            Some(text) => Ok(text.to_string_lossy().into_owned()),
            None => wrong(vm, "str", value),
        }
    }
}

impl<T: FromPython> FromPython for Option<T> {
    fn from_python(vm: &Vm, value: Value) -> R<Option<T>> {
        if value.is_none() { Ok(None) } else { T::from_python(vm, value).map(Some) }
    }
}

impl<T: FromPython> FromPython for Vec<T> {
    fn from_python(vm: &Vm, value: Value) -> R<Vec<T>> {
        if let Some(list) = value.cast::<List>() {
            return list.items().iter().map(|item| T::from_python(vm, *item)).collect();
        }
        match value.cast::<Tuple>() {
            Some(tuple) => tuple.items().iter().map(|item| T::from_python(vm, *item)).collect(),
            None => wrong(vm, "list or tuple", value),
        }
    }
}
