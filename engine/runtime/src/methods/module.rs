//! What Python code sees of `module`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub DEF: "module", Kind::Module, type_flags::BASETYPE | type_flags::HAS_WEAKREF;
    methods {}
}
