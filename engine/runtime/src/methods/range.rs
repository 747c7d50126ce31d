//! What Python code sees of `range`, `range_iterator`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub DEF: "range", Kind::Range, type_flags::SEQUENCE;
    methods {}
}

native_type! {
    pub ITERATOR: "range_iterator", Kind::RangeIter, type_flags::NO_NEW;
    methods {}
}
