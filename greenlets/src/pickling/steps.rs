//! What is awaited, in pickles: steps of async generators, and iterators over coroutines.

use super::{bad, parts, wrap};
use skein_runtime::native_functions;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind as Layout, Ref};
use skein_runtime::types::async_step::{Awaitable, State, Step, Wrapper, generator, wrapper};
use skein_runtime::types::exception::Exception;
use skein_runtime::types::ext::{Ext, ExtArg, ext_type};
use skein_runtime::types::generator::{Generator, RUNNING_ASYNC};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

native_functions! { pub FUNCTIONS:
    "reduce_wrapper(wrapper, /)" => |vm: &Vm, w: ExtArg<Wrapper>| -> R<Value> {
        vm.tuple(&[wrap(vm, "coroutine_wrapper")?, vm.tuple(&[w.0.coroutine.or_none()])?])
    };
    "coroutine_wrapper(coroutine, /)" => |vm: &Vm, g: Ref<Generator>| -> R<Value> {
        if vm.type_of(g.value()) != vm.types.coroutine {
            return Err(bad(vm, "the iterator over what is no coroutine"));
        }
        wrapper(vm, g)
    };
    "reduce_step(step, /)" => reduce_step;
    "step(generator, kind, /)" => make_step;
    "set_step(step, state, /)" => set_step;
}

// Names that Stackless has for them.
native_type! {
    pub ASEND: "stackless._wrap.async_generator_asend", Layout::Ext, 0;
    methods {
        [static] "__new__($type, generator, kind=0)" => |vm: &Vm, _: Ref<Type>, g: Ref<Generator>, kind: Option<i64>| make_step(vm, g, kind.unwrap_or(0));
        [static] "__reduce__(step, /)" => reduce_step;
    }
}

native_type! {
    pub ATHROW: "stackless._wrap.async_generator_athrow", Layout::Ext, 0;
    methods {
        [static] "__new__($type, generator, kind=1)" => |vm: &Vm, _: Ref<Type>, g: Ref<Generator>, kind: Option<i64>| make_step(vm, g, kind.unwrap_or(1));
        [static] "__reduce__(step, /)" => reduce_step;
    }
}

fn reduce_step(vm: &Vm, a: ExtArg<Awaitable>) -> R<Value> {
    let a = a.0;
    let g = generator(a).value();
    let (def, kind) = match a.step {
        Step::Send => (&ASEND, 0),
        Step::Throw => (&ATHROW, 1),
        Step::Close => (&ATHROW, 2),
    };
    let state = match a.state.get() {
        State::Fresh => 0,
        State::Iterating => 1,
        State::Closed => 2,
    };
    let argument = a.argument.or_none();
    let shown = if a.step == Step::Throw { vm.tuple(&[argument])? } else { argument };
    let all = [g, shown, Value::small_int(state), Value::bool(!argument.is_none())];
    let args = vm.tuple(&[g, Value::small_int(kind)])?;
    let ty = ext_type(vm, def)?.value();
    vm.tuple(&[ty, args, vm.tuple(&all)?, Value::NONE, Value::NONE, wrap(vm, "set_step")?])
}

/// A step of an async generator, which is over as long as it is not filled. ValueError.
fn make_step(vm: &Vm, g: Ref<Generator>, kind: i64) -> R<Value> {
    if vm.type_of(g.value()) != vm.types.async_generator {
        return Err(bad(vm, "a step of what is no async generator"));
    }
    let (step, ty) = match kind {
        0 => (Step::Send, vm.types.async_asend),
        1 => (Step::Throw, vm.types.async_athrow),
        2 => (Step::Close, vm.types.async_athrow),
        _ => return Err(bad(vm, "no such step of an async generator")),
    };
    let payload = Awaitable {
        generator: Field::new(Some(g.value())),
        argument: Field::new(None),
        step,
        state: Cell::new(State::Closed),
    };
    Ok(Ext::new(vm, ty, payload)?.value())
}

fn set_step(vm: &Vm, a: ExtArg<Awaitable>, state: Value) -> R<()> {
    let a = a.0;
    let [_, shown, state, _] = parts(vm, state, "step")?;
    let argument = match (a.step, shown.cast::<Tuple>()) {
        (Step::Throw, Some(t)) => match t.items() {
            &[e] if e.cast::<Exception>().is_some() => e,
            _ => return Err(bad(vm, "what is thrown is no exception")),
        },
        (Step::Throw, None) => return Err(bad(vm, "what is thrown is no exception")),
        _ => shown,
    };
    if a.argument.get().is_some() || a.state.get() != State::Closed {
        return Err(bad(vm, "a step is filled twice"));
    }
    a.argument.set(vm, a, argument);
    match vm.as_i64(state) {
        Some(0) => a.state.set(State::Fresh),
        Some(1) => {
            a.state.set(State::Iterating);
            generator(a).set_flag(RUNNING_ASYNC, true);
        }
        _ => {}
    }
    Ok(())
}
