//! What Python code sees of `bool`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub DEF: "bool", Kind::Int, type_flags::MATCH_SELF, base |vm| vm.types.int;
    methods {}
}
