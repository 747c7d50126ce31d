//! What Python code sees of `frame`, `traceback`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub FRAME: "frame", Kind::Frame, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub TRACEBACK: "traceback", Kind::Traceback, 0;
    methods {}
}
