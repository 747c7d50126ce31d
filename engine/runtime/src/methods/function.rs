//! What Python code sees of `function`, `method`, `builtin_function_or_method`, `method_descriptor`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub FUNCTION: "function", Kind::Function, type_flags::HAS_DICT | type_flags::HAS_WEAKREF;
    methods {}
}

native_type! {
    pub METHOD: "method", Kind::BoundMethod, type_flags::HAS_WEAKREF;
    methods {}
}

native_type! {
    pub BUILTIN: "builtin_function_or_method", Kind::Native, type_flags::NO_NEW | type_flags::HAS_WEAKREF;
    methods {}
}

native_type! {
    pub METHOD_DESCRIPTOR: "method_descriptor", Kind::Native, type_flags::NO_NEW;
    methods {}
}
