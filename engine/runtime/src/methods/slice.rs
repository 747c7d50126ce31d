//! What Python code sees of `slice`.

use crate::native_type;
use crate::object::Kind;

native_type! {
    pub DEF: "slice", Kind::Slice, 0;
    methods {}
}
