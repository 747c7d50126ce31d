//! The tree of builtin exceptions.

pub(crate) mod base;
pub(crate) mod group;
mod named;
mod os;
mod syntax;
mod unicode;

use skein_runtime::native::{Args, too_many, unexpected_keyword};
use skein_runtime::object::Ref;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::EXCEPTIONS;
use skein_runtime::vm::Vm;

/// Fills the exception types' dictionaries.
pub(crate) fn fill(vm: &skein_runtime::vm::Vm) -> skein_runtime::value::R<()> {
    let e = &vm.exc;
    for (ty, def) in [
        (e.base_exception, &base::DEF),
        (e.key_error, &named::KEY_ERROR),
        (e.stop_iteration, &named::STOP_ITERATION),
        (e.system_exit, &named::SYSTEM_EXIT),
        (e.import_error, &named::IMPORT_ERROR),
        (e.attribute_error, &named::ATTRIBUTE_ERROR),
        (e.name_error, &named::NAME_ERROR),
        (e.os_error, &os::DEF),
        (e.syntax_error, &syntax::DEF),
        (e.unicode_decode_error, &unicode::DECODE),
        (e.unicode_encode_error, &unicode::ENCODE),
        (e.unicode_translate_error, &unicode::TRANSLATE),
        (e.base_exception_group, &group::DEF),
    ] {
        vm.fill_type(ty, def)?;
    }
    for (i, (_, ty)) in vm.exc.all().into_iter().enumerate() {
        if let Some(doc) = EXCEPTIONS[i].doc {
            ty.dict().set_str(vm, vm.names.__doc__, vm.str(doc)?)?;
        }
        ty.modified(vm);
    }
    Ok(())
}

/// Reads one of an exception's own fields; None if it is not set.
pub(crate) fn get_field<const I: usize>(_: &Vm, v: Value) -> R<Value> {
    Ok(v.cast::<Exception>().and_then(|e| e.field(I)).unwrap_or(Value::NONE))
}

/// Sets one of an exception's own fields; deleting makes it None.
pub(crate) fn set_field<const I: usize>(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    match v.cast::<Exception>() {
        Some(e) => e.set_field(vm, I, Some(new.unwrap_or(Value::NONE))),
        None => Ok(()),
    }
}

/// The receiver of a raw method, which must be an exception.
pub(crate) fn receiver(vm: &Vm, args: Args<'_>, method: &str) -> R<Ref<Exception>> {
    match args.positional().first().and_then(|v| v.cast::<Exception>()) {
        Some(e) => Ok(e),
        None => Err(vm.type_error(format!("descriptor '{method}' requires a 'BaseException' object"))),
    }
}

/// Splits `__init__`'s keyword arguments into those of these names. TypeError for others.
pub(crate) fn keywords<const N: usize>(
    vm: &Vm,
    args: Args<'_>,
    names: [&str; N],
    what: &str,
) -> R<[Option<Value>; N]> {
    let mut found = [None; N];
    let given = args.keywords().count();
    if N > 0 && given > N {
        return Err(too_many(vm, what, N, given, true));
    }
    for (k, v) in args.keywords() {
        let text = k.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        match names.iter().position(|n| *n == text) {
            Some(i) => found[i] = Some(v),
            None if N == 0 => return Err(vm.type_error(format!("{what}() takes no keyword arguments"))),
            None => return Err(unexpected_keyword(vm, what, k, &names)),
        }
    }
    Ok(found)
}
