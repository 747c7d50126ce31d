//! What Python code sees of `float`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub DEF: "float", Kind::Float, type_flags::BASETYPE | type_flags::MATCH_SELF;
    methods {}
}
