//! The tree of builtin exceptions. What Python sees of their fields and methods is installed by the layer above.

use crate::native::TypeDef;
use crate::object::{Kind, Ref, Tracer};
use crate::types::typeobj::{Type, type_flags};

macro_rules! exceptions {
    ($($field:ident $name:literal $base:ident $($doc:literal)?;)*) => {
        /// The builtin exception types.
        pub struct Exceptions { $(pub $field: Ref<Type>),* }

        /// A row: name and base's index in this table, if the base is an exception.
        pub struct Row { pub def: &'static TypeDef, pub base: Option<usize>, pub doc: Option<&'static str> }

        #[allow(non_camel_case_types, dead_code)]
        enum Index { $($field),* , object }

        pub const ROWS: &[Row] = &[$(Row {
            def: &TypeDef {
                name: $name,
                kind: Kind::Exception,
                flags: type_flags::BASETYPE | type_flags::HAS_DICT,
                doc: None,
                methods: &[],
                getset: &[],
                base: None,
                construct: None,
            },
            base: base_index(Index::$base as usize),
            doc: crate::first_or_none!($($doc)?),
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
    base_exception "BaseException" object "Common base class for all exceptions";
    base_exception_group "BaseExceptionGroup" base_exception "A combination of multiple unrelated exceptions.";
    generator_exit "GeneratorExit" base_exception "Request that a generator exit.";
    keyboard_interrupt "KeyboardInterrupt" base_exception "Program interrupted by user.";
    system_exit "SystemExit" base_exception "Request to exit from the interpreter.";
    tasklet_exit "TaskletExit" system_exit;
    exception "Exception" base_exception "Common base class for all non-exit exceptions.";
    arithmetic_error "ArithmeticError" exception "Base class for arithmetic errors.";
    floating_point_error "FloatingPointError" arithmetic_error "Floating-point operation failed.";
    overflow_error "OverflowError" arithmetic_error "Result too large to be represented.";
    zero_division_error "ZeroDivisionError" arithmetic_error "Second argument to a division or modulo operation was zero.";
    assertion_error "AssertionError" exception "Assertion failed.";
    attribute_error "AttributeError" exception "Attribute not found.";
    buffer_error "BufferError" exception "Buffer error.";
    eof_error "EOFError" exception "Read beyond end of file.";
    exception_group "ExceptionGroup" base_exception_group;
    import_error "ImportError" exception "Import can't find module, or can't find name in module.";
    module_not_found_error "ModuleNotFoundError" import_error "Module not found.";
    lookup_error "LookupError" exception "Base class for lookup errors.";
    index_error "IndexError" lookup_error "Sequence index out of range.";
    key_error "KeyError" lookup_error "Mapping key not found.";
    memory_error "MemoryError" exception "Out of memory.";
    name_error "NameError" exception "Name not found globally.";
    unbound_local_error "UnboundLocalError" name_error "Local name referenced but not bound to a value.";
    os_error "OSError" exception "Base class for I/O related errors.";
    blocking_io_error "BlockingIOError" os_error "I/O operation would block.";
    child_process_error "ChildProcessError" os_error "Child process error.";
    connection_error "ConnectionError" os_error "Connection error.";
    broken_pipe_error "BrokenPipeError" connection_error "Broken pipe.";
    connection_aborted_error "ConnectionAbortedError" connection_error "Connection aborted.";
    connection_refused_error "ConnectionRefusedError" connection_error "Connection refused.";
    connection_reset_error "ConnectionResetError" connection_error "Connection reset.";
    file_exists_error "FileExistsError" os_error "File already exists.";
    file_not_found_error "FileNotFoundError" os_error "File not found.";
    interrupted_error "InterruptedError" os_error "Interrupted by signal.";
    is_a_directory_error "IsADirectoryError" os_error "Operation doesn't work on directories.";
    not_a_directory_error "NotADirectoryError" os_error "Operation only works on directories.";
    permission_error "PermissionError" os_error "Not enough permissions.";
    process_lookup_error "ProcessLookupError" os_error "Process not found.";
    timeout_error "TimeoutError" os_error "Timeout expired.";
    reference_error "ReferenceError" exception "Weak ref proxy used after referent went away.";
    runtime_error "RuntimeError" exception "Unspecified run-time error.";
    not_implemented_error "NotImplementedError" runtime_error "Method or function hasn't been implemented yet.";
    python_finalization_error "PythonFinalizationError" runtime_error "Operation blocked during Python finalization.";
    recursion_error "RecursionError" runtime_error "Recursion limit exceeded.";
    stop_async_iteration "StopAsyncIteration" exception "Signal the end from iterator.__anext__().";
    stop_iteration "StopIteration" exception "Signal the end from iterator.__next__().";
    syntax_error "SyntaxError" exception "Invalid syntax.";
    incomplete_input_error "_IncompleteInputError" syntax_error "incomplete input.";
    indentation_error "IndentationError" syntax_error "Improper indentation.";
    tab_error "TabError" indentation_error "Improper mixture of spaces and tabs.";
    system_error "SystemError" exception "Internal error in the Python interpreter.\n\nPlease report this to the Python maintainer, along with the traceback,\nthe Python version, and the hardware/OS platform and version.";
    type_error "TypeError" exception "Inappropriate argument type.";
    value_error "ValueError" exception "Inappropriate argument value (of correct type).";
    unicode_error "UnicodeError" value_error "Unicode related error.";
    unicode_decode_error "UnicodeDecodeError" unicode_error "Unicode decoding error.";
    unicode_encode_error "UnicodeEncodeError" unicode_error "Unicode encoding error.";
    unicode_translate_error "UnicodeTranslateError" unicode_error "Unicode translation error.";
    warning "Warning" exception "Base class for warning categories.";
    bytes_warning "BytesWarning" warning "Base class for warnings about bytes and buffer related problems, mostly\nrelated to conversion from str or comparing to str.";
    deprecation_warning "DeprecationWarning" warning "Base class for warnings about deprecated features.";
    encoding_warning "EncodingWarning" warning "Base class for warnings about encodings.";
    future_warning "FutureWarning" warning "Base class for warnings about constructs that will change semantically\nin the future.";
    import_warning "ImportWarning" warning "Base class for warnings about probable mistakes in module imports";
    pending_deprecation_warning "PendingDeprecationWarning" warning "Base class for warnings about features which will be deprecated\nin the future.";
    resource_warning "ResourceWarning" warning "Base class for warnings about resource usage.";
    runtime_warning "RuntimeWarning" warning "Base class for warnings about dubious runtime behavior.";
    syntax_warning "SyntaxWarning" warning "Base class for warnings about dubious syntax.";
    unicode_warning "UnicodeWarning" warning "Base class for warnings about Unicode related problems, mostly\nrelated to conversion problems.";
    user_warning "UserWarning" warning "Base class for warnings generated by user code.";
}
