//! Parts of the machine that are not there yet: each raises an error that names it.

use crate::object::Ref;
use crate::types::exception::Exception;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::Intrinsic;

/// Runs the Python handlers of signals that arrived.
pub fn run_signal_handlers(vm: &Vm) -> R<()> {
    Err(vm.raise_new(vm.exc.keyboard_interrupt, &[]))
}

pub fn typing_intrinsic(vm: &Vm, _which: Intrinsic, _args: &[Value]) -> R<Value> {
    Err(vm.unsupported("type parameters"))
}

pub fn make_union(vm: &Vm, _a: Value, _b: Value) -> R<Value> {
    Err(vm.unsupported("unions of types"))
}

pub fn reduce_2(vm: &Vm, _v: Value) -> R<Value> {
    Err(vm.unsupported("copying and pickling by __reduce_ex__"))
}

pub fn default_getstate(vm: &Vm, _v: Value) -> R<Value> {
    Err(vm.unsupported("object.__getstate__"))
}

impl Vm {
    pub fn generic_alias(&self, _origin: Value, _args: Value) -> R<Value> {
        Err(self.unsupported("generic aliases"))
    }

    /// Runs finalizers and weak references' callbacks that collections have found.
    pub fn run_finalizers(&self) {
        while let Some(object) = self.heap.take_finalizable() {
            // SAFETY: the heap hands out live objects.
            let v = unsafe { Value::from_bits(object as u64) };
            if v.cast::<crate::types::ext::ExtObject>().is_some() {
                self.hooks.clone().switcher().finalize(self, v);
            }
        }
    }

    /// `super(class, receiver)`. TypeError.
    pub fn new_super(&self, class: Value, receiver: Value) -> R<Ref<crate::types::descriptor::Super>> {
        let Some(ty) = class.cast::<Type>() else {
            return Err(
                self.type_error(format!("super() argument 1 must be a type, not {}", self.type_name(class)))
            );
        };
        let own = self.type_of(receiver);
        let receiver_type = match receiver.cast::<Type>() {
            Some(t) if t.is_subtype(ty) => t,
            _ if own.is_subtype(ty) => own,
            _ => match self.find_attr(receiver, self.names.__class__)?.and_then(|c| c.cast::<Type>()) {
                Some(c) if c.is_subtype(ty) => c,
                _ => {
                    return Err(self.type_error(
                        "super(type, obj): obj (instance of {}) is not an instance or subtype of type ({})."
                            .replacen("{}", &own.name_string(), 1)
                            .replacen("{}", &ty.name_string(), 1),
                    ));
                }
            },
        };
        let s = self.alloc_fixed::<crate::types::descriptor::Super>(self.types.super_.root_shape_id())?;
        s.this_class.init(class);
        s.receiver.init(receiver);
        s.receiver_type.init(receiver_type.value());
        Ok(s)
    }
}

/// For messages at the top: type and text of an exception, without a traceback.
pub fn exception_line(vm: &Vm, e: Ref<Exception>) -> String {
    crate::interp::describe_exception(vm, e.value())
}
