//! What Python code sees of `code`, `cell`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub DEF: "code", Kind::Code, type_flags::HAS_WEAKREF;
    methods {}
}

native_type! {
    pub CELL: "cell", Kind::Cell, 0;
    methods {}
}
