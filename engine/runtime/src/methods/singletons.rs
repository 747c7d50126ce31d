//! What Python code sees of `NoneType`, `NotImplementedType`, `ellipsis`.

use crate::native_type;
use crate::object::Kind;

native_type! {
    pub NONE_TYPE: "NoneType", Kind::Ext, 0;
    methods {}
}

native_type! {
    pub NOT_IMPLEMENTED_TYPE: "NotImplementedType", Kind::Ext, 0;
    methods {}
}

native_type! {
    pub ELLIPSIS_TYPE: "ellipsis", Kind::Ext, 0;
    methods {}
}
