//! `coroutine_wrapper`: the iterator that `coroutine.__await__()` returns; the arguments of `throw()`.

use super::{sent, throw};
use skein_runtime::interp::{At, Resume, SoftCall};
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::async_step::Wrapper;
pub use skein_runtime::types::async_step::wrapper;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::ext::{Ext, ExtArg};
use skein_runtime::types::generator::Generator;
use skein_runtime::types::traceback::Traceback;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub COROUTINE_WRAPPER: "coroutine_wrapper", Kind::Ext, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, v: Value| v;
        [soft next_soft] "__next__($self, /)" => |vm: &Vm, w: ExtArg<Wrapper>| sent(vm, vm.resume(inner(w), Resume::Send(Value::NONE))?);
        [soft send_soft] "send($self, value, /)" => |vm: &Vm, w: ExtArg<Wrapper>, v: Value| sent(vm, vm.resume(inner(w), Resume::Send(v))?);
        "throw($self, type, value=None, traceback=None, /)" => throw_method;
        "close($self, /)" => |vm: &Vm, w: ExtArg<Wrapper>| super::close(vm, inner(w));
    }
}

fn inner(w: ExtArg<Wrapper>) -> Ref<Generator> {
    // SAFETY: set by `wrapper` to a coroutine.
    unsafe { w.0.coroutine.value().cast_unchecked() }
}

fn next_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    match call.args.parts() {
        (&[w], None) => resume_softly(vm, call, w, Value::NONE, "__next__"),
        _ => call.natively(vm, COROUTINE_WRAPPER.method("__next__")),
    }
}

fn send_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    match call.args.parts() {
        (&[w, v], None) => resume_softly(vm, call, w, v, "send"),
        _ => call.natively(vm, COROUTINE_WRAPPER.method("send")),
    }
}

fn resume_softly(vm: &Vm, call: &SoftCall<'_>, w: Value, v: Value, method: &str) -> At {
    match w.cast::<Ext<Wrapper>>() {
        Some(w) => super::resume_soft(vm, call, inner(ExtArg(w)), v),
        None => call.natively(vm, COROUTINE_WRAPPER.method(method)),
    }
}

fn throw_method(vm: &Vm, w: ExtArg<Wrapper>, ty: Value, value: Option<Value>, tb: Option<Value>) -> R<Value> {
    super::warn_of_parts(vm, "throw", value)?;
    let e = exception_to_throw(vm, ty, value, tb)?;
    sent(vm, throw(vm, inner(w), e, true)?)
}

/// The exception that `throw(type, value, traceback)` means. TypeError.
pub fn exception_to_throw(vm: &Vm, ty: Value, value: Option<Value>, tb: Option<Value>) -> R<Value> {
    let value = value.filter(|v| !v.is_none());
    let tb = tb.filter(|t| !t.is_none());
    if tb.is_some_and(|t| t.cast::<Traceback>().is_none()) {
        return Err(vm.type_error("throw() third argument must be a traceback object"));
    }
    let e = if ty.cast::<Type>().is_some_and(|t| t.is_subtype(vm.exc.base_exception)) {
        let made = match value {
            Some(v) if vm.is_instance(v, ty)? => Ok(v),
            Some(v) if v.cast::<Tuple>().is_some() => {
                let args = v.cast::<Tuple>();
                vm.call(ty, args.as_ref().map_or(&[], |t| t.items()))
            }
            Some(v) => vm.call(ty, &[v]),
            None => vm.call(ty, &[]),
        };
        let made = made.and_then(|e| match e.cast::<Exception>() {
            Some(_) => Ok(e),
            None => Err(not_an_exception(vm, ty, e)?),
        });
        // What goes wrong while it is made is what is thrown.
        made.or_else(|e| vm.catch(vm.exc.base_exception).ok_or(e))?
    } else if ty.cast::<Exception>().is_some() {
        if value.is_some() {
            return Err(vm.type_error("instance exception may not have a separate value"));
        }
        ty
    } else {
        return Err(vm.type_error(format!(
            "exceptions must be classes or instances deriving from BaseException, not {}",
            vm.type_name(ty)
        )));
    };
    match e.cast::<Exception>() {
        Some(x) => {
            if tb.is_some() {
                x.traceback.set(vm, x, tb);
            }
            Ok(e)
        }
        None => Err(not_an_exception(vm, ty, e)?),
    }
}

#[cold]
fn not_an_exception(vm: &Vm, class: Value, made: Value) -> R<Raised> {
    let class = vm.repr_string(class)?;
    let made = vm.qualified_type_name(vm.type_of(made), &[b"builtins"])?;
    Ok(vm
        .type_error(format!("calling {class} should have returned an instance of BaseException, not {made}")))
}
