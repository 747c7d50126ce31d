//! What Python code sees of `set`, `frozenset`, `set_iterator`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub SET: "set", Kind::Set, type_flags::BASETYPE | type_flags::HAS_WEAKREF | type_flags::MATCH_SELF;
    methods {}
}

native_type! {
    pub FROZENSET: "frozenset", Kind::Set, type_flags::BASETYPE | type_flags::HAS_WEAKREF | type_flags::MATCH_SELF;
    methods {}
}

native_type! {
    pub ITERATOR: "set_iterator", Kind::DictIter, type_flags::NO_NEW;
    methods {}
}
