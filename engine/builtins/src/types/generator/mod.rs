//! What Python code sees of `generator`, `coroutine`, `async_generator`.

mod asyncgen;
mod close;
mod coroutine;

pub use asyncgen::{ASEND, ATHROW, WRAPPED, finalize as finalize_awaitable};
pub use close::{close, throw};
pub use coroutine::{COROUTINE_WRAPPER, exception_to_throw};

use skein_runtime::interp::{
    ContKind, Resume, SoftCall, gen_call, is_running, resume_generator, resume_quick, running_from,
};
use skein_runtime::native::At;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::generator::needs_close;
use skein_runtime::types::generator::{GenState, Generator};
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub GENERATOR: "generator", Kind::Generator, type_flags::NO_NEW | type_flags::HAS_WEAKREF;
    methods {
        [soft next_soft] "__next__($self, /)" => next, "Implement next(self).";
        [leaf] "__iter__($self, /)" => |_: &Vm, g: Ref<Generator>| g;
        "__repr__($self, /)" => repr;
        [soft send_soft] "send($self, value, /)" => send,
            "send(value) -> send 'value' into generator,\nreturn next yielded value or raise StopIteration.";
        "throw($self, type, value=None, traceback=None, /)" => throw_method,
            "throw(value)\nthrow(type[,value[,tb]])\n\nRaise exception in generator, return next yielded value or raise\nStopIteration.";
        "close($self, /)" => close, "close() -> raise GeneratorExit inside generator.";
        "__del__($self, /)" => |vm: &Vm, g: Ref<Generator>| finalize(vm, g);
        [class] "__class_getitem__($cls, object, /)" => |vm: &Vm, cls: Value, item: Value| vm.generic_alias(cls, item), "See PEP 585";
    }
    getset {
        "__name__" => get_name, set_name;
        "__qualname__" => get_qualname, set_qualname;
        "gi_running" => |vm: &Vm, v: Ref<Generator>| Ok(Value::bool(is_running(vm, v)));
        "gi_suspended" => |vm: &Vm, v: Ref<Generator>| Ok(Value::bool(is_suspended(vm, v)));
        "gi_frame" => get_frame;
        "gi_code" => |_: &Vm, v: Ref<Generator>| Ok(v.code().value());
        "gi_yieldfrom" => waits_for;
    }
}

native_type! {
    pub COROUTINE: "coroutine", Kind::Generator, type_flags::NO_NEW | type_flags::HAS_WEAKREF;
    methods {
        "__await__($self, /)" => coroutine::wrapper, "Return an iterator to be used in await expression.";
        "__repr__($self, /)" => repr;
        [soft send_soft] "send($self, value, /)" => send,
            "send(arg) -> send 'arg' into coroutine,\nreturn next iterated value or raise StopIteration.";
        "throw($self, type, value=None, traceback=None, /)" => throw_method,
            "throw(value)\nthrow(type[,value[,traceback]])\n\nRaise exception in coroutine, return next iterated value or raise\nStopIteration.";
        "close($self, /)" => close, "close() -> raise GeneratorExit inside coroutine.";
        "__del__($self, /)" => |vm: &Vm, g: Ref<Generator>| finalize(vm, g);
        [class] "__class_getitem__($cls, object, /)" => |vm: &Vm, cls: Value, item: Value| vm.generic_alias(cls, item), "See PEP 585";
    }
    getset {
        "__name__" => get_name, set_name;
        "__qualname__" => get_qualname, set_qualname;
        "cr_running" => |vm: &Vm, v: Ref<Generator>| Ok(Value::bool(is_running(vm, v)));
        "cr_suspended" => |vm: &Vm, v: Ref<Generator>| Ok(Value::bool(is_suspended(vm, v)));
        "cr_frame" => get_frame;
        "cr_code" => |_: &Vm, v: Ref<Generator>| Ok(v.code().value());
        "cr_await" => waits_for;
        "cr_origin" => |_: &Vm, v: Ref<Generator>| Ok(v.hook.or_none());
    }
}

native_type! {
    pub ASYNC_GENERATOR: "async_generator", Kind::Generator, type_flags::NO_NEW | type_flags::HAS_WEAKREF;
    methods {
        "__aiter__($self, /)" => |_: &Vm, g: Ref<Generator>| g, "Return an awaitable, that resolves in asynchronous iterator.";
        "__anext__($self, /)" => asyncgen::anext, "Return a value or raise StopAsyncIteration.";
        "__repr__($self, /)" => repr;
        "asend($self, value, /)" => asyncgen::asend, "asend(v) -> send 'v' in generator.";
        "athrow($self, type, value=None, traceback=None, /)" => asyncgen::athrow,
            "athrow(value)\nathrow(type[,value[,tb]])\n\nraise exception in generator.";
        "aclose($self, /)" => asyncgen::aclose, "aclose() -> raise GeneratorExit inside generator.";
        "__del__($self, /)" => |vm: &Vm, g: Ref<Generator>| finalize(vm, g);
        [class] "__class_getitem__($cls, object, /)" => |vm: &Vm, cls: Value, item: Value| vm.generic_alias(cls, item), "See PEP 585";
    }
    getset {
        "__name__" => get_name, set_name;
        "__qualname__" => get_qualname, set_qualname;
        "ag_running" => |_: &Vm, v: Ref<Generator>| Ok(Value::bool(v.flag(skein_runtime::types::generator::RUNNING_ASYNC)));
        "ag_suspended" => |vm: &Vm, v: Ref<Generator>| Ok(Value::bool(is_suspended(vm, v)));
        "ag_frame" => get_frame;
        "ag_code" => |_: &Vm, v: Ref<Generator>| Ok(v.code().value());
        "ag_await" => |vm: &Vm, v: Ref<Generator>| Ok(vm.yield_from_target(v).unwrap_or(Value::NONE));
    }
}

fn is_suspended(vm: &Vm, g: Ref<Generator>) -> bool {
    g.state() == GenState::Suspended && !is_running(vm, g)
}

/// What a resumed generator gave, as the result of `send()`.
pub(crate) fn sent(vm: &Vm, r: Result<Value, Value>) -> R<Value> {
    match r {
        Ok(v) => Ok(v),
        Err(returned) => Err(vm.stop_iteration(returned)),
    }
}

fn next(vm: &Vm, g: Ref<Generator>) -> R<Value> {
    match vm.resume(g, Resume::Send(Value::NONE))? {
        Err(returned) if returned.is_none() => Ok(vm.stop()),
        r => sent(vm, r),
    }
}

fn send(vm: &Vm, g: Ref<Generator>, v: Value) -> R<Value> {
    sent(vm, vm.resume(g, Resume::Send(v))?)
}

/// Resumes without a native frame where the result goes straight to the caller.
fn resume_soft(vm: &Vm, call: &SoftCall<'_>, g: Ref<Generator>, v: Value) -> At {
    if !matches!(call.cont.kind, ContKind::Plain | ContKind::Exit) {
        return match send(vm, g, v) {
            Ok(v) => call.done(vm, v),
            Err(_) => call.raised(vm),
        };
    }
    let cont = gen_call(call.cont);
    if let Some(at) = resume_quick(vm, call.resume, g, v, cont) {
        return at;
    }
    call.go_on(vm, resume_generator(vm, call.resume, g, Resume::Send(v), cont))
}

fn next_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    match call.args.parts() {
        (&[g], None) => match g.cast::<Generator>() {
            Some(g) => resume_soft(vm, call, g, Value::NONE),
            None => call.natively(vm, GENERATOR.method("__next__")),
        },
        _ => call.natively(vm, GENERATOR.method("__next__")),
    }
}

fn send_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    match call.args.parts() {
        (&[g, v], None) => match g.cast::<Generator>() {
            Some(g) => resume_soft(vm, call, g, v),
            None => call.natively(vm, GENERATOR.method("send")),
        },
        _ => call.natively(vm, GENERATOR.method("send")),
    }
}

/// `next(g)` of the builtin, softly: for generators.
pub(crate) fn next_of_generator(vm: &Vm, call: &SoftCall<'_>, g: Ref<Generator>) -> At {
    resume_soft(vm, call, g, Value::NONE)
}

/// An exception given in more than one argument is deprecated.
pub(crate) fn warn_of_parts(vm: &Vm, method: &str, value: Option<Value>) -> R<()> {
    if value.is_none() {
        return Ok(());
    }
    let text = format!(
        "the (type, exc, tb) signature of {method}() is deprecated, use the single-arg signature instead."
    );
    vm.warn(vm.exc.deprecation_warning, &text)
}

fn throw_method(vm: &Vm, g: Ref<Generator>, ty: Value, value: Option<Value>, tb: Option<Value>) -> R<Value> {
    warn_of_parts(vm, "throw", value)?;
    let e = exception_to_throw(vm, ty, value, tb)?;
    sent(vm, throw(vm, g, e, true)?)
}

/// What it delegates to while it is suspended.
fn waits_for(vm: &Vm, g: Ref<Generator>) -> R<Value> {
    if running_from(vm, g).is_some() {
        return Ok(Value::NONE);
    }
    Ok(vm.yield_from_target(g).unwrap_or(Value::NONE))
}

fn repr(vm: &Vm, g: Ref<Generator>) -> R<String> {
    let name = vm.str_string(get_qualname(vm, g)?)?;
    Ok(format!("<{} object {name} at {:#x}>", vm.type_name(g.value()), g.value().bits()))
}

fn get_name(_: &Vm, v: Ref<Generator>) -> R<Value> {
    Ok(names(v).0)
}

fn get_qualname(_: &Vm, v: Ref<Generator>) -> R<Value> {
    Ok(names(v).1)
}

/// Its name and qualified name: its own if one was set, else its function's.
fn names(v: Ref<Generator>) -> (Value, Value) {
    match v.names.cast::<Tuple>().as_ref().map(|t| t.items()) {
        Some(&[name, qualname]) => (name, qualname),
        _ => (v.function().name(), v.function().qualname()),
    }
}

fn set_name(vm: &Vm, v: Ref<Generator>, new: Option<Value>) -> R<()> {
    let name = text_of(vm, new, "__name__")?;
    set_names(vm, v, name, names(v).1)
}

fn set_qualname(vm: &Vm, v: Ref<Generator>, new: Option<Value>) -> R<()> {
    let qualname = text_of(vm, new, "__qualname__")?;
    set_names(vm, v, names(v).0, qualname)
}

fn text_of(vm: &Vm, new: Option<Value>, what: &str) -> R<Value> {
    new.filter(|n| n.cast::<Str>().is_some())
        .ok_or_else(|| vm.type_error(format!("{what} must be set to a string object")))
}

fn set_names(vm: &Vm, v: Ref<Generator>, name: Value, qualname: Value) -> R<()> {
    let both = vm.tuple(&[name, qualname])?;
    v.names.set(vm, v, both);
    Ok(())
}

fn get_frame(vm: &Vm, v: Ref<Generator>) -> R<Value> {
    if v.state() == GenState::Finished {
        return Ok(Value::NONE);
    }
    Ok(skein_runtime::interp::generator_frame(vm, v)?.value())
}

/// What is done for a generator that nothing leads to any more.
pub(crate) fn finalize(vm: &Vm, g: Ref<Generator>) -> R<()> {
    match g.state() {
        GenState::Created if vm.type_of(g.value()) == vm.types.coroutine => {
            let name = vm.str_string(get_qualname(vm, g)?)?;
            vm.warn(vm.exc.runtime_warning, &format!("coroutine '{name}' was never awaited"))
        }
        GenState::Suspended => {
            if asyncgen::call_finalizer(vm, g)? {
                return Ok(());
            }
            if needs_close(g) { close(vm, g).map(|_| ()) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}
