//! What Python code sees of `generator`, `coroutine`, `async_generator`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub GENERATOR: "generator", Kind::Generator, type_flags::NO_NEW | type_flags::HAS_WEAKREF;
    methods {}
}

native_type! {
    pub COROUTINE: "coroutine", Kind::Generator, type_flags::NO_NEW | type_flags::HAS_WEAKREF;
    methods {}
}

native_type! {
    pub ASYNC_GENERATOR: "async_generator", Kind::Generator, type_flags::NO_NEW | type_flags::HAS_WEAKREF;
    methods {}
}
