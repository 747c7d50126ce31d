//! What Python code sees of `mappingproxy`, `dict_keys`, `dict_values`, `dict_items`, `dict_keyiterator`, `dict_valueiterator`, `dict_itemiterator`, `dict_reversekeyiterator`, `dict_reversevalueiterator`, `dict_reverseitemiterator`.

use crate::native_type;
use crate::object::Kind;
use crate::types::typeobj::type_flags;

native_type! {
    pub MAPPINGPROXY: "mappingproxy", Kind::MappingProxy, type_flags::MAPPING;
    methods {}
}

native_type! {
    pub KEYS: "dict_keys", Kind::DictView, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub VALUES: "dict_values", Kind::DictView, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub ITEMS: "dict_items", Kind::DictView, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub KEY_ITERATOR: "dict_keyiterator", Kind::DictIter, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub VALUE_ITERATOR: "dict_valueiterator", Kind::DictIter, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub ITEM_ITERATOR: "dict_itemiterator", Kind::DictIter, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub REVERSE_KEY_ITERATOR: "dict_reversekeyiterator", Kind::DictIter, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub REVERSE_VALUE_ITERATOR: "dict_reversevalueiterator", Kind::DictIter, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub REVERSE_ITEM_ITERATOR: "dict_reverseitemiterator", Kind::DictIter, type_flags::NO_NEW;
    methods {}
}
