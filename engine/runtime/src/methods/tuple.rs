//! What Python code sees of `tuple`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub DEF: "tuple", Kind::Tuple, type_flags::BASETYPE | type_flags::SEQUENCE | type_flags::MATCH_SELF;
    methods {}
}
