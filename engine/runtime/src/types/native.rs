//! Native functions and methods as Python objects.

use crate::fixed_object;
use crate::native::NativeDef;
use crate::object::{Field, Header, Ref};
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;
use std::cell::Cell;

/// By its shape `builtin_function_or_method`, `method_descriptor`, or `wrapper_descriptor` and `method-wrapper` for the
/// special methods that are slots in CPython.
#[repr(C)]
pub struct NativeFunction {
    header: Header,
    def: Cell<Option<&'static NativeDef>>,
    /// The bound first argument; nothing for a plain function or an unbound method.
    pub receiver: Field,
    /// The type of a method, the module (or its name) of a function.
    pub owner: Field,
}
fixed_object!(NativeFunction, Native, [receiver, owner]);

/// Byte offsets for compiled code.
pub const NATIVE_DEF: usize = std::mem::offset_of!(NativeFunction, def);
pub const NATIVE_RECEIVER: usize = std::mem::offset_of!(NativeFunction, receiver);
pub const NATIVE_OWNER: usize = std::mem::offset_of!(NativeFunction, owner);

impl NativeFunction {
    /// A function of a module. MemoryError.
    pub fn function(vm: &Vm, def: &'static NativeDef, module: Value) -> R<Ref<NativeFunction>> {
        NativeFunction::new(vm, def, None, module, vm.types.builtin_function.root_shape_id())
    }

    /// A method as it stands in its type's dictionary. MemoryError.
    pub fn method(vm: &Vm, def: &'static NativeDef, owner: Value) -> R<Ref<NativeFunction>> {
        let slot = def.is_slot && !is_plain_there(vm, def, owner);
        let ty = if slot { vm.types.wrapper_descriptor } else { vm.types.method_descriptor };
        NativeFunction::new(vm, def, None, owner, ty.root_shape_id())
    }

    /// The method bound to a receiver. MemoryError.
    pub fn bind(&self, vm: &Vm, receiver: Value) -> R<Ref<NativeFunction>> {
        NativeFunction::new(vm, self.def(), Some(receiver), self.owner.value(), self.bound_shape(vm))
    }

    /// The shape that the method has when it is bound.
    pub fn bound_shape(&self, vm: &Vm) -> u32 {
        let slot = self.header.shape.get() == vm.types.wrapper_descriptor.root_shape_id();
        let ty = if slot { vm.types.method_wrapper } else { vm.types.builtin_function };
        ty.root_shape_id()
    }

    fn new(
        vm: &Vm,
        def: &'static NativeDef,
        receiver: Option<Value>,
        owner: Value,
        shape: u32,
    ) -> R<Ref<NativeFunction>> {
        let f = vm.alloc_fixed::<NativeFunction>(shape)?;
        f.def.set(Some(def));
        f.receiver.init(receiver);
        f.owner.init(owner);
        Ok(f)
    }

    #[inline(always)]
    pub fn def(&self) -> &'static NativeDef {
        match self.def.get() {
            Some(def) => def,
            None => unreachable!("set by every constructor"),
        }
    }
}

impl Ref<NativeFunction> {
    /// Is it bound on attribute access?
    #[inline]
    pub fn is_method(self, vm: &Vm) -> bool {
        let shape = self.header().shape.get();
        shape == vm.types.method_descriptor.root_shape_id()
            || shape == vm.types.wrapper_descriptor.root_shape_id()
    }
}

/// The subscripts and membership of containers, which in CPython are plain methods besides.
pub(crate) fn is_plain_there(vm: &Vm, def: &NativeDef, owner: Value) -> bool {
    let of = |types: &[Ref<Type>]| types.iter().any(|t| t.value().is(owner));
    match def.name {
        "__getitem__" => of(&[vm.types.list, vm.types.dict]),
        "__contains__" => of(&[vm.types.dict, vm.types.set, vm.types.frozenset]),
        _ => false,
    }
}
