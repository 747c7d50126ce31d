//! What Python code sees of `getset_descriptor`, `member_descriptor`, `property`, `staticmethod`, `classmethod`, `super`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub GETSET: "getset_descriptor", Kind::GetSet, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub MEMBER: "member_descriptor", Kind::Member, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub PROPERTY: "property", Kind::Property, type_flags::BASETYPE;
    methods {}
}

native_type! {
    pub STATICMETHOD: "staticmethod", Kind::Wrapper, type_flags::BASETYPE;
    methods {}
}

native_type! {
    pub CLASSMETHOD: "classmethod", Kind::Wrapper, type_flags::BASETYPE;
    methods {}
}

native_type! {
    pub SUPER: "super", Kind::Super, type_flags::BASETYPE;
    methods {}
}
