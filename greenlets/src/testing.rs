//! The helpers of Stackless's own tests: the module `_teststackless`, and functions of `stackless` that are not for programs.

use crate::running::{bind_row, go_hard};
use crate::stackless::{run_plan, schedule_plan};
use skein_runtime::native::Args;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::module::{Module, add_functions};
use skein_runtime::types::native::NativeFunction;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_functions! { FUNCTIONS:
    "test_cframe(switches, words=0)" => test_cframe, "Lets the next tasklet run so often, from native code.";
    "test_cstate(callable, /)" => test_cstate, "Calls it from native code: switches in it are hard ones.";
}

native_functions! { OF_STACKLESS:
    "_test_nostacklesscall(callable, /, *args, **kwargs)" => call_from_native, "Calls it from native code: switches in it are hard ones.";
    "test_cframe_nr(switches)" => test_cframe, "As _teststackless.test_cframe.";
    "__reduce__()" => |_: &Vm| "stackless", "Modules are not pickled: this one is found by its name.";
    "__reduce_ex__(protocol, /)" => |_: &Vm, _: Value| "stackless";
    "test_outside()" => test_outside, "Runs all other tasklets, as a program without a main tasklet would.";
}

/// Words that `test_cframe` may be told to use of the C stack.
const MOST_WORDS: i64 = 64_000;

fn test_cframe(vm: &Vm, args: Args<'_>) -> R<Value> {
    let [switches, words] = bind_row(vm, args, "test_cframe", ["switches", "words"])?;
    let Some(switches) = switches else {
        return Err(vm.type_error("test_cframe() missing required argument 'switches' (pos 1)"));
    };
    let switches = vm.index_i64(switches)?;
    let words = words.map_or(Ok(0), |w| vm.index_i64(w))?;
    if !(0..=MOST_WORDS).contains(&words) {
        return Err(vm.value_error("test_cframe: words are limited by 0 and 64000"));
    }
    let mut last = Value::NONE;
    for _ in 0..switches {
        last = go_hard(vm, schedule_plan(vm, Args::new(&[Value::NONE], None))?)?;
    }
    Ok(last)
}

fn test_cstate(vm: &Vm, f: Value) -> R<Value> {
    vm.call(f, &[])
}

fn call_from_native(vm: &Vm, args: Args<'_>) -> R<Value> {
    match args.positional().first() {
        Some(f) if f.is_none() => vm.tuple(args.rest().positional()),
        Some(&f) => vm.call_args(f, args.rest()),
        None => Err(vm.index_error("tuple index out of range")),
    }
}

fn test_outside(vm: &Vm) -> R<Value> {
    go_hard(vm, run_plan(vm, Args::new(&[], None))?)
}

/// Puts the functions into `stackless`.
pub fn extend(vm: &Vm, m: Ref<Module>) -> R<()> {
    for def in OF_STACKLESS {
        let f = NativeFunction::function(vm, def, vm.str("stackless")?)?;
        m.dict().set_name(vm, def.name, f.value())?;
    }
    Ok(())
}

/// The module `_teststackless`.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = Module::new(vm, "_teststackless")?;
    add_functions(vm, m, FUNCTIONS)?;
    Ok(m)
}
