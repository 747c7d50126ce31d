//! What Python code sees of `bytes`, `bytearray`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub BYTES: "bytes", Kind::Bytes, type_flags::BASETYPE | type_flags::MATCH_SELF;
    methods {}
}

native_type! {
    pub BYTEARRAY: "bytearray", Kind::ByteArray, type_flags::BASETYPE | type_flags::MATCH_SELF;
    methods {}
}
