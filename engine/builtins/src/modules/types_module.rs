//! `_types`: the builtin types that have no name in `builtins`, for the module `types`.

use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

// Nothing makes one: there is no C interface.
native_type! {
    CAPSULE: "PyCapsule", Kind::Ext, type_flags::NO_NEW;
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_types", &[])?;
    let t = &vm.types;
    for (name, ty) in [
        ("AsyncGeneratorType", t.async_generator),
        ("BuiltinFunctionType", t.builtin_function),
        ("BuiltinMethodType", t.builtin_function),
        ("CapsuleType", ext_type(vm, &CAPSULE)?),
        ("CellType", t.cell),
        ("ClassMethodDescriptorType", t.classmethod_descriptor),
        ("CodeType", t.code),
        ("CoroutineType", t.coroutine),
        ("EllipsisType", vm.type_of(Value::ELLIPSIS)),
        ("FrameType", t.frame),
        ("FunctionType", t.function),
        ("GeneratorType", t.generator),
        ("GenericAlias", t.generic_alias),
        ("GetSetDescriptorType", t.getset_descriptor),
        ("LambdaType", t.function),
        ("MappingProxyType", t.mappingproxy),
        ("MemberDescriptorType", t.member_descriptor),
        ("MethodDescriptorType", t.method_descriptor),
        ("MethodType", t.method),
        ("MethodWrapperType", t.method_wrapper),
        ("ModuleType", t.module),
        ("NoneType", t.none),
        ("NotImplementedType", vm.type_of(Value::NOT_IMPLEMENTED)),
        ("SimpleNamespace", super::namespace::namespace_type(vm)?),
        ("TracebackType", t.traceback),
        ("UnionType", t.union),
        ("WrapperDescriptorType", t.wrapper_descriptor),
    ] {
        m.dict().set_name(vm, name, ty.value())?;
    }
    Ok(m)
}
