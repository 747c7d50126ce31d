//! What Python code sees of `list_iterator`, `list_reverseiterator`, `tuple_iterator`, `iterator`, `reversed`, `callable_iterator`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub LIST: "list_iterator", Kind::SeqIter, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub LIST_REVERSE: "list_reverseiterator", Kind::SeqIter, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub TUPLE: "tuple_iterator", Kind::SeqIter, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub SEQUENCE: "iterator", Kind::SeqIter, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub REVERSED: "reversed", Kind::SeqIter, type_flags::BASETYPE;
    methods {}
}

native_type! {
    pub CALLABLE: "callable_iterator", Kind::SeqIter, type_flags::NO_NEW;
    methods {}
}
