//! What Python code sees of `dict`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub DEF: "dict", Kind::Dict, type_flags::BASETYPE | type_flags::MAPPING | type_flags::MATCH_SELF;
    methods {}
}
