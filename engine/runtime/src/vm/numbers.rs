//! What methods that stand for a number may return: a subclass's instance is taken, with a warning.

use crate::object::Ref;
use crate::types::complex::Complex;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;

impl Vm {
    /// What a method for a number as an int has returned, as an exact int. A subclass's instance is deprecated. TypeError.
    #[inline]
    pub fn exact_int(&self, r: Value, method: &str) -> R<Value> {
        if r.is_int() || self.type_of(r) == self.types.int {
            return Ok(r);
        }
        self.int_of_subclass(r, method)
    }

    #[cold]
    fn int_of_subclass(&self, r: Value, method: &str) -> R<Value> {
        let got = self.type_name(r);
        let Some(i) = self.as_big(r) else {
            return Err(self.type_error(format!("{method} returned non-int (type {got})")));
        };
        self.warn_of_subclass(&format!("{method} returned non-int"), &got, "int")?;
        self.big_int(i)
    }

    fn warn_of_subclass(&self, what: &str, got: &str, wanted: &str) -> R<()> {
        let text = format!(
            "{what} (type {got}).  The ability to return an instance of a strict subclass of {wanted} is deprecated, and may be removed in a future version of Python."
        );
        self.warn(self.exc.deprecation_warning, &text)
    }

    /// What `__float__` has returned. A subclass's instance is deprecated. TypeError.
    pub fn float_result(&self, ty: Ref<Type>, r: Value) -> R<f64> {
        let (owner, got) = (ty.name_string(), self.type_name(r));
        match self.as_float(r) {
            Some(f) if self.type_of(r) == self.types.float => Ok(f),
            Some(f) => {
                self.warn_of_subclass(&format!("{owner}.__float__ returned non-float"), &got, "float")?;
                Ok(f)
            }
            None => Err(self.type_error(format!("{owner}.__float__ returned non-float (type {got})"))),
        }
    }

    /// What `__complex__` has returned. A subclass's instance is deprecated. TypeError.
    pub fn complex_result(&self, r: Value) -> R<(f64, f64)> {
        let got = self.type_name(r);
        match r.cast::<Complex>() {
            Some(c) if self.type_of(r) == self.types.complex => Ok((c.re(), c.im())),
            Some(c) => {
                self.warn_of_subclass("__complex__ returned non-complex", &got, "complex")?;
                Ok((c.re(), c.im()))
            }
            None => Err(self.type_error(format!("__complex__ returned non-complex (type {got})"))),
        }
    }
}
