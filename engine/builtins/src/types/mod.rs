//! What Python code sees of the builtin types: one file a type, and their table.

pub mod exceptions;
macro_rules! types {
    ($($field:ident: $module:ident::$def:ident;)*) => {
        /// Declarations of the builtin types, in the order of their root shapes. `object` and `type` come first.
        pub(crate) const DEFS: &[&TypeDef] = &[$(&$module::$def),*];

        /// The types that were made of [`DEFS`]; each one of the runtime's table must be there.
        pub(crate) fn assemble(list: &[Ref<Type>]) -> Types {
            let mut i = 0..;
            Types { $($field: list[i.next().unwrap_or_default()]),* }
        }
    };
}

use skein_runtime::native::TypeDef;
use skein_runtime::object::Ref;
use skein_runtime::types::typeobj::Type;
use skein_runtime::vm::Types;

mod boolean;
mod bytes;
mod class;
mod class_hooks;
mod code;
pub mod codecs;
mod common;
mod complex;
mod descriptors;
mod dict;
mod dictviews;
mod float;
mod format;
mod frame;
mod frame_jump;
mod frame_locals;
mod function;
pub(crate) mod generator;
pub(crate) mod generic;
pub(crate) mod int;
mod iterators;
mod list;
mod memoryview;
mod module;
mod object;
mod percent;
mod range;
mod reduce;
pub mod registry;
mod rows;
mod set;
mod signatures;
mod singletons;
mod slice;
pub mod str;
mod template;
mod text;
mod tuple;
mod typeobj;

types! {
    object: object::DEF;
    type_: typeobj::DEF;
    int: int::DEF;
    bool: boolean::DEF;
    float: float::DEF;
    complex: complex::DEF;
    str: str::DEF;
    bytes: bytes::BYTES;
    bytearray: bytes::BYTEARRAY;
    tuple: tuple::DEF;
    list: list::DEF;
    dict: dict::DEF;
    set: set::SET;
    frozenset: set::FROZENSET;
    range: range::DEF;
    slice: slice::DEF;
    none: singletons::NONE_TYPE;
    not_implemented: singletons::NOT_IMPLEMENTED_TYPE;
    ellipsis: singletons::ELLIPSIS_TYPE;
    function: function::FUNCTION;
    method: function::METHOD;
    builtin_function: function::BUILTIN;
    method_descriptor: function::METHOD_DESCRIPTOR;
    wrapper_descriptor: function::WRAPPER_DESCRIPTOR;
    method_wrapper: function::METHOD_WRAPPER;
    getset_descriptor: descriptors::GETSET;
    member_descriptor: descriptors::MEMBER;
    property: descriptors::PROPERTY;
    staticmethod: descriptors::STATICMETHOD;
    classmethod: descriptors::CLASSMETHOD;
    classmethod_descriptor: descriptors::CLASSMETHOD_DESCRIPTOR;
    super_: descriptors::SUPER;
    mappingproxy: dictviews::MAPPINGPROXY;
    dict_keys: dictviews::KEYS;
    dict_values: dictviews::VALUES;
    dict_items: dictviews::ITEMS;
    dict_keyiterator: dictviews::KEY_ITERATOR;
    dict_valueiterator: dictviews::VALUE_ITERATOR;
    dict_itemiterator: dictviews::ITEM_ITERATOR;
    dict_reversekeyiterator: dictviews::REVERSE_KEY_ITERATOR;
    dict_reversevalueiterator: dictviews::REVERSE_VALUE_ITERATOR;
    dict_reverseitemiterator: dictviews::REVERSE_ITEM_ITERATOR;
    set_iterator: set::ITERATOR;
    range_iterator: range::ITERATOR;
    list_iterator: iterators::LIST;
    list_reverseiterator: iterators::LIST_REVERSE;
    tuple_iterator: iterators::TUPLE;
    str_iterator: str::ITERATOR;
    bytes_iterator: bytes::BYTES_ITERATOR;
    bytearray_iterator: bytes::BYTEARRAY_ITERATOR;
    iterator: iterators::SEQUENCE;
    reversed: iterators::REVERSED;
    callable_iterator: iterators::CALLABLE;
    code: code::DEF;
    cell: code::CELL;
    module: module::DEF;
    frame: frame::FRAME;
    traceback: frame::TRACEBACK;
    generator: generator::GENERATOR;
    coroutine: generator::COROUTINE;
    async_generator: generator::ASYNC_GENERATOR;
    coroutine_wrapper: generator::COROUTINE_WRAPPER;
    async_wrapped_value: generator::WRAPPED;
    async_asend: generator::ASEND;
    async_athrow: generator::ATHROW;
    memoryview: memoryview::DEF;
    generic_alias: generic::ALIAS;
    union: generic::UNION;
}

pub use bytes::{Like, Row, is_bytes_like};
pub use code::constant_of;
pub use common::{LOOK, compare_rows, item_index, path_object, repeated, string_of_items};
pub use dict::update_from_args as dict_update_from_args;
pub use float::text::repr as float_repr;
pub use float::to_int as float_to_int;
pub use format::int_digits;
pub(crate) use int::arith::number_binary;
pub use int::large::square_root;
pub use int::{Int, check_room};
pub use list::{sort_by_keys, sort_list};
pub use memoryview::{
    is_contiguous_view, is_scattered_view, item_size, lend, read as read_item, take_back, view_of, view_span,
    view_target, views, write as write_item,
};
pub use object::attribute_name;
pub(crate) use reduce::{default_getstate, reduce_2};
pub(crate) use str::format as format_string;
pub(crate) use template::{interpolation_of, template_of};
pub use text::{repeat_count, to_ascii_number};
pub(crate) use typeobj::BUILTIN_DICT as INSTANCE_DICT;

use skein_runtime::types::dict::Dict;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// `__dict__` of an object that has one.
pub(crate) fn get_dict(vm: &Vm, v: Value) -> R<Value> {
    // A metaclass may have this from a base that is no type.
    if let Some(class) = v.cast::<Type>() {
        return typeobj::get_dict(vm, class);
    }
    match vm.instance_dict(v)? {
        Some(d) => Ok(d.value()),
        None => Err(vm.no_attribute(v, vm.names.__dict__)),
    }
}

/// Replaces an object's `__dict__`.
pub(crate) fn set_dict(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    let Some(new) = new else { return Err(vm.type_error("cannot delete __dict__")) };
    let Some(d) = new.cast::<Dict>() else {
        return Err(
            vm.type_error(format!("__dict__ must be set to a dictionary, not a '{}'", vm.type_name(new)))
        );
    };
    vm.replace_instance_dict(v, d)
}
