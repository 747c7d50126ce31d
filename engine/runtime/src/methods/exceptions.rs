//! The tree of builtin exceptions.

use crate::native::TypeDef;
use crate::object::{Kind, Ref, Tracer};
use crate::types::typeobj::{Type, type_flags};

macro_rules! exceptions {
    ($($field:ident $name:literal $base:ident;)*) => {
        /// The builtin exception types.
        pub struct Exceptions { $(pub $field: Ref<Type>),* }

        /// A row: name and base's index in this table, if the base is an exception.
        pub(crate) struct Row { pub def: &'static TypeDef, pub base: Option<usize> }

        #[allow(non_camel_case_types, dead_code)]
        enum Index { $($field),* , object }

        pub(crate) const ROWS: &[Row] = &[$(Row {
            def: &TypeDef {
                name: $name,
                kind: Kind::Exception,
                flags: type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
                doc: None,
                methods: &[],
                getset: &[],
                base: None,
            },
            base: base_index(Index::$base as usize),
        }),*];

        impl Exceptions {
            pub(crate) fn from_list(list: &[Ref<Type>]) -> Exceptions {
                let mut i = 0..;
                Exceptions { $($field: list[i.next().unwrap_or_default()]),* }
            }

            pub(crate) fn trace(&self, t: &mut Tracer<'_>) {
                $(t.visit_object(self.$field.header());)*
            }

            /// All of them by name.
            pub fn all(&self) -> Vec<(&'static str, Ref<Type>)> {
                vec![$(($name, self.$field)),*]
            }
        }
    };
}

const fn base_index(i: usize) -> Option<usize> {
    if i == Index::object as usize { None } else { Some(i) }
}

exceptions! {
    base_exception "BaseException" object;
    base_exception_group "BaseExceptionGroup" base_exception;
    generator_exit "GeneratorExit" base_exception;
    keyboard_interrupt "KeyboardInterrupt" base_exception;
    system_exit "SystemExit" base_exception;
    tasklet_exit "TaskletExit" system_exit;
    exception "Exception" base_exception;
    arithmetic_error "ArithmeticError" exception;
    floating_point_error "FloatingPointError" arithmetic_error;
    overflow_error "OverflowError" arithmetic_error;
    zero_division_error "ZeroDivisionError" arithmetic_error;
    assertion_error "AssertionError" exception;
    attribute_error "AttributeError" exception;
    buffer_error "BufferError" exception;
    eof_error "EOFError" exception;
    exception_group "ExceptionGroup" base_exception_group;
    import_error "ImportError" exception;
    module_not_found_error "ModuleNotFoundError" import_error;
    lookup_error "LookupError" exception;
    index_error "IndexError" lookup_error;
    key_error "KeyError" lookup_error;
    memory_error "MemoryError" exception;
    name_error "NameError" exception;
    unbound_local_error "UnboundLocalError" name_error;
    os_error "OSError" exception;
    blocking_io_error "BlockingIOError" os_error;
    child_process_error "ChildProcessError" os_error;
    connection_error "ConnectionError" os_error;
    broken_pipe_error "BrokenPipeError" connection_error;
    connection_aborted_error "ConnectionAbortedError" connection_error;
    connection_refused_error "ConnectionRefusedError" connection_error;
    connection_reset_error "ConnectionResetError" connection_error;
    file_exists_error "FileExistsError" os_error;
    file_not_found_error "FileNotFoundError" os_error;
    interrupted_error "InterruptedError" os_error;
    is_a_directory_error "IsADirectoryError" os_error;
    not_a_directory_error "NotADirectoryError" os_error;
    permission_error "PermissionError" os_error;
    process_lookup_error "ProcessLookupError" os_error;
    timeout_error "TimeoutError" os_error;
    reference_error "ReferenceError" exception;
    runtime_error "RuntimeError" exception;
    not_implemented_error "NotImplementedError" runtime_error;
    python_finalization_error "PythonFinalizationError" runtime_error;
    recursion_error "RecursionError" runtime_error;
    stop_async_iteration "StopAsyncIteration" exception;
    stop_iteration "StopIteration" exception;
    syntax_error "SyntaxError" exception;
    incomplete_input_error "_IncompleteInputError" syntax_error;
    indentation_error "IndentationError" syntax_error;
    tab_error "TabError" indentation_error;
    system_error "SystemError" exception;
    type_error "TypeError" exception;
    value_error "ValueError" exception;
    unicode_error "UnicodeError" value_error;
    unicode_decode_error "UnicodeDecodeError" unicode_error;
    unicode_encode_error "UnicodeEncodeError" unicode_error;
    unicode_translate_error "UnicodeTranslateError" unicode_error;
    warning "Warning" exception;
    bytes_warning "BytesWarning" warning;
    deprecation_warning "DeprecationWarning" warning;
    encoding_warning "EncodingWarning" warning;
    future_warning "FutureWarning" warning;
    import_warning "ImportWarning" warning;
    pending_deprecation_warning "PendingDeprecationWarning" warning;
    resource_warning "ResourceWarning" warning;
    runtime_warning "RuntimeWarning" warning;
    syntax_warning "SyntaxWarning" warning;
    unicode_warning "UnicodeWarning" warning;
    user_warning "UserWarning" warning;
}

/// Fills the exception types' dictionaries.
pub(crate) fn fill(vm: &crate::vm::Vm) -> crate::value::R<()> {
    for (_, ty) in vm.exc.all() {
        ty.modified(vm);
    }
    Ok(())
}
