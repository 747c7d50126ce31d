//! What the layer of builtin types and modules gives to the machine: their declarations, and those of their
//! functions that the machine itself calls.

use crate::native::{GetSetDef, TypeDef};
use crate::object::{Ref, Tracer};
use crate::types::async_step::Awaitable;
use crate::types::bytes::ByteArray;
use crate::types::ext::Ext;
use crate::types::generator::Generator;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::{Intrinsic, Special};

macro_rules! types {
    ($($field:ident;)*) => {
        /// The builtin types.
        pub struct Types { $(pub $field: Ref<Type>),* }

        impl Types {
            pub(crate) fn trace(&self, t: &mut Tracer<'_>) {
                $(t.visit_object(self.$field.header());)*
            }
        }
    };
}

types! {
    object;
    type_;
    int;
    bool;
    float;
    complex;
    str;
    bytes;
    bytearray;
    tuple;
    list;
    dict;
    set;
    frozenset;
    range;
    slice;
    none;
    not_implemented;
    ellipsis;
    function;
    method;
    builtin_function;
    method_descriptor;
    wrapper_descriptor;
    method_wrapper;
    getset_descriptor;
    member_descriptor;
    property;
    staticmethod;
    classmethod;
    classmethod_descriptor;
    super_;
    mappingproxy;
    dict_keys;
    dict_values;
    dict_items;
    dict_keyiterator;
    dict_valueiterator;
    dict_itemiterator;
    dict_reversekeyiterator;
    dict_reversevalueiterator;
    dict_reverseitemiterator;
    set_iterator;
    range_iterator;
    list_iterator;
    list_reverseiterator;
    tuple_iterator;
    str_iterator;
    bytes_iterator;
    bytearray_iterator;
    iterator;
    reversed;
    callable_iterator;
    code;
    cell;
    module;
    frame;
    traceback;
    generator;
    coroutine;
    async_generator;
    coroutine_wrapper;
    async_wrapped_value;
    async_asend;
    async_athrow;
    memoryview;
    generic_alias;
    union;
}

/// The builtin types and modules, as far as the machine meets them. There is one table, and each isolate refers
/// to it by [`super::Hooks::builtins`].
pub struct Builtins {
    /// Declarations of the builtin types. `object` and `type` come first.
    pub types: &'static [&'static TypeDef],
    /// Gives the types that were made of them their names.
    pub assemble: fn(&[Ref<Type>]) -> Types,
    /// Fills the dictionaries of the exception types.
    pub fill_exceptions: fn(&Vm) -> R<()>,
    /// Makes the modules that are there from the start.
    pub init: fn(&Vm) -> R<()>,
    /// `__dict__` of instances.
    pub instance_dict: &'static GetSetDef,
    /// `contextvars.Context`.
    pub context_type: &'static TypeDef,
    /// Imports a module by its whole name: what `sys.modules` has then.
    pub import: fn(&Vm, &str) -> R<Value>,
    /// Runs the Python handlers of signals that arrived.
    pub run_signal_handlers: fn(&Vm) -> R<()>,
    /// What is done for a generator that nothing leads to any more.
    pub finalize_generator: fn(&Vm, Ref<Generator>) -> R<()>,
    /// Does an iterator take its items from a generator, so that another one may stand for it in a loop?
    pub takes_from_generator: fn(&Vm, Value) -> bool,
    /// The generator that stands for such an iterator. MemoryError.
    pub generator_over: fn(&Vm, Value) -> R<Value>,
    pub finalize_awaitable: fn(&Vm, Ref<Ext<Awaitable>>) -> R<()>,
    /// Is the first a memoryview, not released, of the second?
    pub views: fn(Value, Ref<ByteArray>) -> bool,
    /// Arithmetic of exact ints and floats that is not done inline; None for other operands.
    pub number_binary: fn(&Vm, Special, Value, Value) -> R<Option<Value>>,
    /// `origin[args]` of a builtin generic class.
    pub generic_alias: fn(&Vm, Value, Value) -> R<Value>,
    /// What is left to raise after `except*` clauses; see `Intrinsic`.
    pub exceptions_to_reraise: fn(&Vm, Value, Value) -> R<Value>,
    /// The intrinsics that make type parameters and aliases.
    pub typing_intrinsic: fn(&Vm, Intrinsic, &[Value]) -> R<Value>,
    /// An `Interpolation`: value, expression, conversion and format.
    pub interpolation: fn(&Vm, Value, Value, usize, Value) -> R<Value>,
    /// A `Template` of strings and interpolations.
    pub template: fn(&Vm, Value, Value) -> R<Value>,
    /// Prints an exception that has nowhere to go: with what was being done, and to what.
    pub print_unraisable: fn(&Vm, Value, Option<&str>, Value),
    /// A line of a source file, without its end.
    pub source_line: fn(&Vm, &str, u32) -> Option<String>,
}

impl Vm {
    /// The module of that name, imported if it is not yet. ImportError and whatever its code raises.
    pub fn import(&self, name: &str) -> R<Value> {
        (self.builtin.import)(self, name)
    }

    /// Arithmetic of exact ints and floats that is not done inline; None for other operands.
    pub fn number_binary(&self, op: Special, l: Value, r: Value) -> R<Option<Value>> {
        (self.builtin.number_binary)(self, op, l, r)
    }

    /// `origin[args]` of a builtin generic class. MemoryError.
    pub fn generic_alias(&self, origin: Value, args: Value) -> R<Value> {
        (self.builtin.generic_alias)(self, origin, args)
    }
}

/// What stands for the packaged library in `sys.path` and at the head of its files' names, where the configuration
/// names no folder for it.
pub const LIBRARY: &str = "<stdlib>";

impl Vm {
    /// The entry of `sys.path` that stands for the packaged library, which its files' names begin with.
    pub fn library(&self) -> &str {
        match self.config.library.as_str() {
            "" => LIBRARY,
            folder => folder,
        }
    }

    /// The rest of a path that leads into the packaged library, without a slash in front; `""` is all of it.
    pub fn within_library<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(self.library())?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/'))
    }
}
