//! A native that panics: the program that called it gets a SystemError, and goes on.

use skein::Interpreter;
use skein_runtime::native_functions;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_functions! { FUNCTIONS:
    "boom(x=None, /)" => |_: &Vm, x: Option<Value>| -> R<()> { panic!("no such thing as {x:?}", x = x.is_some()) };
    "index(i, /)" => |_: &Vm, i: usize| -> R<i64> { Ok([1, 2, 3][i]) };
    "calls(f, /)" => |vm: &Vm, f: Value| -> R<Value> {
        let v = vm.call(f, &[])?;
        assert!(v.is_none(), "what was called gave something");
        Ok(v)
    };
}

const PROGRAM: &str = r#"
import sys

def error(f, *args):
    try:
        f(*args)
    except SystemError as e:
        return str(e)
    raise AssertionError("no SystemError")

assert error(boom) == "internal error: no such thing as false"
assert error(boom, 1) == "internal error: no such thing as true"
assert "index out of bounds" in error(index, 10)
assert index(1) == 2

# Through frames, generators and natives that call back.
def deep(n):
    try:
        return deep(n - 1) if n else boom()
    finally:
        seen.append(n)

seen = []
assert "internal error" in error(deep, 5) and seen == [0, 1, 2, 3, 4, 5]

def g():
    try:
        yield boom()
    except SystemError:
        yield "caught"

assert list(g()) == ["caught"]
assert "internal error" in error(lambda: sorted([2, 1], key=boom))
assert "internal error" in error(lambda: max(map(boom, [1, 2])))
assert error(calls, lambda: 1) == "internal error: what was called gave something"
assert calls(lambda: None) is None

class Panics:
    __eq__ = lambda self, other: boom()
    __hash__ = lambda self: 1
    __repr__ = boom

assert "internal error" in error(lambda: {Panics(): 1, Panics(): 2})
assert "internal error" in error(repr, [Panics()])
assert repr([1, [2]]) == "[1, [2]]"

# In microthreads, on native stacks of their own.
import greenlet, stackless

def runs():
    try:
        boom()
    except SystemError:
        results.append("caught")
    greenlet.getcurrent().parent.switch("parked")
    boom()

results = []
one = greenlet.greenlet(runs)
assert one.switch() == "parked" and results == ["caught"]
assert "internal error" in error(one.switch) and one.dead
assert "internal error" in error(greenlet.greenlet(boom).switch)
stackless.tasklet(boom)()
assert "internal error" in error(stackless.run)
nested = greenlet.greenlet(lambda: sorted([1, 2], key=lambda x: greenlet.getcurrent().parent.switch(x) or boom()))
assert nested.switch() == 1
assert "internal error" in error(nested.switch) and nested.dead

# Deep in native recursion.
def nest(n):
    x = Panics()
    for _ in range(n):
        x = [x]
    return x

assert "internal error" in error(repr, nest(200))
assert sum(range(10)) == 45
"#;

#[test]
fn a_panic_becomes_a_system_error() {
    std::panic::set_hook(Box::new(|_| ()));
    let python = Interpreter::new().expect("an isolate");
    let vm = python.vm();
    let builtins = vm.builtins.get().expect("there are builtins");
    for def in FUNCTIONS {
        let module = vm.str("test").expect("memory");
        let f = NativeFunction::function(vm, def, module).expect("memory");
        builtins.set_name(vm, def.name, f.value()).expect("memory");
    }
    if let Err(e) = python.exec(PROGRAM, "panics.py") {
        let _ = std::panic::take_hook();
        panic!("{e}");
    }
    assert_eq!(python.eval::<i64>("1 + 1").expect("the isolate is as good as before"), 2);
}
