//! What Python code sees of `str`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub DEF: "str", Kind::Str, type_flags::BASETYPE | type_flags::MATCH_SELF;
    methods {}
}
