//! What Python code sees of `list`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub DEF: "list", Kind::List, type_flags::BASETYPE | type_flags::SEQUENCE | type_flags::MATCH_SELF;
    methods {}
}
