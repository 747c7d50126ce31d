//! What Python code sees of `complex`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub DEF: "complex", Kind::Complex, type_flags::BASETYPE;
    methods {}
}
