//! Cells, functions, classes, intrinsics.

use crate::interp::At;
use crate::interp::frames::{frame_code, frame_function};
use crate::types::cell::CellObject;
use crate::types::code::CodeObject;
use crate::types::function::{Extra, Function};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_bytecode::{Intrinsic, LocalKind};

pub fn load_common(vm: &Vm, at: At) -> R<At> {
    let v = match at.b() {
        0 => vm.exc.assertion_error.value(),
        1 => vm.exc.not_implemented_error.value(),
        3 => vm.types.tuple.value(),
        n => {
            let name = match n {
                2 => "__build_class__",
                4 => "all",
                _ => "any",
            };
            let found = match crate::interp::globals::builtins_of(vm, frame_function(at.base))? {
                Some(b) => b.get_name(vm, name)?,
                None => None,
            };
            match found {
                Some(v) => v,
                None => return Err(vm.name_error(format!("{name} not found"))),
            }
        }
    };
    at.set(at.a(), v);
    Ok(at.skip(1))
}

pub fn check_bound(vm: &Vm, at: At) -> R<At> {
    if at.reg(at.a()).is_unbound() { Err(unbound_local(vm, at)) } else { Ok(at.skip(2)) }
}

pub fn delete_local(vm: &Vm, at: At) -> R<At> {
    if at.reg(at.a()).is_unbound() {
        return Err(unbound_local(vm, at));
    }
    at.set(at.a(), Value::UNBOUND);
    Ok(at.skip(2))
}

fn unbound_local(vm: &Vm, at: At) -> Raised {
    let name = at.extra_name();
    let text = format!(
        "cannot access local variable '{}' where it is not associated with a value",
        name.to_string_lossy()
    );
    // Without `name`, for which other names would be suggested.
    vm.raise_text(vm.exc.unbound_local_error, &text)
}

fn named_error(
    vm: &Vm,
    ty: crate::object::Ref<crate::types::typeobj::Type>,
    text: &str,
    name: crate::object::Ref<Str>,
) -> Raised {
    let r = vm.raise_text(ty, text);
    if let Some(e) = vm.pending.get().and_then(|e| e.cast::<crate::types::exception::Exception>())
        && e.set_field(vm, 0, name.value()).is_err()
    {
        return Raised;
    }
    r
}

pub fn load_deref(vm: &Vm, at: At) -> R<At> {
    // SAFETY: the compiler only puts cells into such registers, and the verifier has seen that others do too.
    let cell: crate::object::Ref<CellObject> = unsafe { at.reg(at.b()).cast_unchecked() };
    let v = cell.get();
    if v.is_unbound() {
        return Err(empty_cell(vm, at, at.extra_name()));
    }
    at.set(at.a(), v);
    Ok(at.skip(2))
}

fn empty_cell(vm: &Vm, at: At, name: crate::object::Ref<Str>) -> Raised {
    let code = frame_code(at.base);
    let free =
        code.portable().locals.iter().any(|l| l.kind == LocalKind::Free && l.name.as_bytes() == name.bytes());
    let text = name.to_string_lossy();
    if free {
        let message = format!(
            "cannot access free variable '{text}' where it is not associated with a value in enclosing scope"
        );
        return named_error(vm, vm.exc.name_error, &message, name);
    }
    let message = format!("cannot access local variable '{text}' where it is not associated with a value");
    vm.raise_text(vm.exc.unbound_local_error, &message)
}

pub fn make_cell(vm: &Vm, at: At) -> R<At> {
    let cell = CellObject::new(vm, at.reg(at.a()))?;
    at.set(at.a(), cell.value());
    Ok(at.skip(1))
}

pub fn load_closure(vm: &Vm, at: At) -> R<At> {
    let i = at.b() | at.c() << 8;
    let Some(&cell) = frame_function(at.base).cells().get(i) else {
        return Err(vm.system_error("the function's closure is too short for its code"));
    };
    at.set(at.a(), cell);
    Ok(at.skip(1))
}

pub fn delete_deref(vm: &Vm, at: At) -> R<At> {
    // SAFETY: the compiler only puts cells into such registers.
    let cell: crate::object::Ref<CellObject> = unsafe { at.reg(at.a()).cast_unchecked() };
    if cell.get().is_unbound() {
        return Err(empty_cell(vm, at, at.extra_name()));
    }
    cell.set(vm, Value::UNBOUND);
    Ok(at.skip(2))
}

pub fn make_function(vm: &Vm, at: At) -> R<At> {
    // SAFETY: the verifier has checked that the constant is a code.
    let code: crate::object::Ref<CodeObject> = unsafe { at.extra_value().cast_unchecked() };
    let outer = frame_function(at.base);
    let f = Function::new(vm, code, outer.globals())?;
    let (b, parts) = (at.b(), at.c());
    if parts & 1 != 0 {
        f.defaults.init(at.reg(b));
    }
    if parts & 2 != 0 {
        f.kwdefaults.init(at.reg(b + 1));
    }
    if parts & 8 != 0 {
        // That it is a tuple the verifier has seen, but not what is in it, which the function's code relies on.
        let closure = at.reg(b + 3);
        let cells = closure.cast::<Tuple>().filter(|t| {
            t.len() == usize::from(code.head().free)
                && t.items().iter().all(|c| c.cast::<CellObject>().is_some())
        });
        if cells.is_none() {
            return Err(vm.system_error("a closure that is no tuple of the code's cells"));
        }
        f.closure.init(closure);
    }
    if parts & 4 != 0 {
        f.set_extra(vm, Extra::Annotate, Some(at.reg(b + 2)))?;
    }
    if let Some(builtins) = outer.extra(Extra::Builtins) {
        f.set_extra(vm, Extra::Builtins, Some(builtins))?;
    }
    at.set(at.a(), f.value());
    Ok(at.skip(2))
}

pub fn intrinsic(vm: &Vm, at: At) -> R<At> {
    let Some(which) = Intrinsic::from_u8(at.c() as u8) else {
        return Err(vm.system_error("unknown intrinsic"));
    };
    let arg = |i: usize| at.reg(at.b() + i);
    let v = match which {
        Intrinsic::Print => {
            let hook = match vm.sys_dict.get() {
                Some(sys) => sys.get_str(vm, vm.names.displayhook)?,
                None => None,
            };
            let Some(hook) = hook else { return Err(vm.runtime_error("lost sys.displayhook")) };
            vm.call(hook, &[arg(0)])?
        }
        Intrinsic::SetFunctionTypeParams => {
            if let Some(f) = arg(0).cast::<Function>() {
                f.set_extra(vm, Extra::TypeParams, Some(arg(1)))?;
            }
            arg(0)
        }
        Intrinsic::ClassNamespace => arg(0),
        Intrinsic::Namespace => at.reg(0),
        Intrinsic::NewSet => crate::types::set::Set::new(vm)?.value(),
        Intrinsic::StopIterationError => stop_iteration_error(vm, at, arg(0))?,
        Intrinsic::TypeVar
        | Intrinsic::TypeVarWithBound
        | Intrinsic::TypeVarWithConstraints
        | Intrinsic::ParamSpec
        | Intrinsic::TypeVarTuple
        | Intrinsic::SubscriptGeneric
        | Intrinsic::TypeAlias
        | Intrinsic::SetTypeParamDefault => {
            (vm.builtin.typing_intrinsic)(vm, which, at.row(at.b(), intrinsic_args(which)))?
        }
    };
    at.set(at.a(), v);
    Ok(at.skip(1))
}

fn intrinsic_args(which: Intrinsic) -> usize {
    match which {
        Intrinsic::TypeAlias => 3,
        Intrinsic::TypeVar | Intrinsic::ParamSpec | Intrinsic::TypeVarTuple | Intrinsic::SubscriptGeneric => {
            1
        }
        _ => 2,
    }
}

/// A StopIteration that leaves a generator becomes RuntimeError (PEP 479).
fn stop_iteration_error(vm: &Vm, at: At, e: Value) -> R<Value> {
    use skein_bytecode::flags;
    let ty = vm.type_of(e);
    let code_flags = frame_code(at.base).portable().flags;
    let text = if ty.is_subtype(vm.exc.stop_iteration) {
        if code_flags & flags::ASYNC_GENERATOR != 0 {
            "async generator raised StopIteration"
        } else if code_flags & flags::COROUTINE != 0 {
            "coroutine raised StopIteration"
        } else {
            "generator raised StopIteration"
        }
    } else if ty.is_subtype(vm.exc.stop_async_iteration) && code_flags & flags::ASYNC_GENERATOR != 0 {
        "async generator raised StopAsyncIteration"
    } else {
        return Ok(e);
    };
    let new = crate::types::exception::Exception::new(vm, vm.exc.runtime_error, &[vm.str(text)?])?;
    new.cause.init(e);
    new.context.init(e);
    new.set_suppress_context(true);
    Ok(new.value())
}
