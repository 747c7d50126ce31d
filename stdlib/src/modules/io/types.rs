//! The types of `_io`, made together and in order, and its exception.

use skein_runtime::native::TypeDef;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{R, Raised, Ref, Value, Vm};
use std::cell::{Cell, RefCell};

/// Of all file types: subclasses, attributes, weak references, an end.
pub const FLAGS: u32 =
    type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF | type_flags::HAS_DEL;

/// The types, made with the module.
#[derive(Default)]
pub struct Types {
    all: RefCell<Vec<(&'static TypeDef, Ref<Type>)>>,
    unsupported: Cell<Option<Value>>,
}

/// A type's base, of those that were made before it.
pub fn base(vm: &Vm, def: &'static TypeDef) -> Ref<Type> {
    find(vm, def).unwrap_or(vm.types.object)
}

fn find(vm: &Vm, def: &'static TypeDef) -> Option<Ref<Type>> {
    let types = vm.state::<Types>();
    types.all.borrow().iter().find(|(d, _)| std::ptr::eq(*d, def)).map(|(_, t)| *t)
}

/// The type of this declaration. MemoryError.
pub fn ty(vm: &Vm, def: &'static TypeDef) -> R<Ref<Type>> {
    if let Some(t) = find(vm, def) {
        return Ok(t);
    }
    make_all(vm)?;
    find(vm, def).ok_or_else(|| vm.system_error(format!("{} is not of _io", def.name)))
}

/// The types, in the order of their bases.
pub const ALL: [&TypeDef; 14] = [
    &super::base::IO_BASE,
    &super::base::RAW_BASE,
    &super::base::BUFFERED_BASE,
    &super::base::TEXT_BASE,
    &super::fileio::FILE_IO,
    &super::bytesio::BYTES_IO,
    &super::bytesio::BUFFER,
    &super::stringio::STRING_IO,
    &super::methods::READER,
    &super::methods::WRITER,
    &super::methods::RANDOM,
    &super::pair::PAIR,
    &super::newlines::DECODER,
    &super::text::TEXT_IO,
];

/// Makes all types that are not there yet. MemoryError.
pub fn make_all(vm: &Vm) -> R<()> {
    for def in ALL {
        if find(vm, def).is_none() {
            let t = vm.make_native_type(def)?;
            vm.state::<Types>().all.borrow_mut().push((def, t));
        }
    }
    Ok(())
}

/// Is it of exactly this type, so that its methods are known?
pub fn is_exact(vm: &Vm, v: Value, def: &'static TypeDef) -> bool {
    vm.type_of(v).def().is_some_and(|d| std::ptr::eq(d, def))
}

/// Makes io.UnsupportedOperation, which has two bases. MemoryError.
pub fn make_unsupported(vm: &Vm) -> R<Value> {
    let bases = vm.tuple(&[vm.exc.os_error.value(), vm.exc.value_error.value()])?;
    let namespace = skein_runtime::types::dict::Dict::new(vm)?;
    namespace.set_name(vm, "__module__", vm.str("io")?)?;
    let class =
        vm.call(vm.types.type_.value(), &[vm.str("UnsupportedOperation")?, bases, namespace.value()])?;
    vm.state::<Types>().unsupported.set(Some(class));
    vm.roots.borrow_mut().push(class);
    Ok(class)
}

/// Raises io.UnsupportedOperation.
#[cold]
pub fn unsupported(vm: &Vm, text: &str) -> Raised {
    let raise = || -> R<Raised> {
        let class = vm.state::<Types>().unsupported.get();
        let class = class.ok_or_else(|| vm.value_error(text))?;
        let e = vm.call(class, &[vm.str(text)?])?;
        Ok(vm.raise(e))
    };
    raise().unwrap_or_else(|e| e)
}

/// The class of a call of `__new__`. TypeError.
pub fn class_of(vm: &Vm, args: &skein_runtime::Args<'_>, def: &'static TypeDef) -> R<Ref<Type>> {
    let ty = skein_runtime::types::ext::class_argument(vm, args, ty(vm, def)?)?;
    vm.check_instantiable(ty)?;
    Ok(ty)
}

/// A size argument: None, or negative, is everything. TypeError.
pub fn size(vm: &Vm, v: Option<Value>) -> R<Option<usize>> {
    match v {
        None | Some(Value::NONE) => Ok(None),
        Some(v) if vm.type_of(v).lookup(vm, vm.intern("__index__")?).is_none() => {
            let got = vm.type_name(v);
            Err(vm.type_error(format!("argument should be integer or None, not '{got}'")))
        }
        Some(v) => Ok(usize::try_from(vm.index_i64(v)?).ok()),
    }
}
