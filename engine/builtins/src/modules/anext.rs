//! What `anext()` with a default returns.

use skein_bytecode::Special;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// An awaitable that gives its default in place of StopAsyncIteration.
struct WithDefault {
    awaitable: Field,
    /// What `await` iterates, once it has begun.
    iterator: Field,
    default: Field,
}

impl Payload for WithDefault {
    const NAME: &'static str = "anext_awaitable";
    fn trace(&self, t: &mut Tracer<'_>) {
        let WithDefault { awaitable, iterator, default } = self;
        for f in [awaitable, iterator, default] {
            f.trace(t);
        }
    }
}

type This = ExtArg<WithDefault>;

native_type! {
    DEF: "anext_awaitable", Kind::Ext, skein_runtime::types::typeobj::type_flags::NO_NEW;
    methods {
        "__await__($self, /)" => |_: &Vm, this: Value| this;
        [leaf] "__iter__($self, /)" => |_: &Vm, this: Value| this;
        "__next__($self, /)" => |vm: &Vm, this: This| forward(vm, this, "__next__", &[]);
        "send($self, value, /)" => |vm: &Vm, this: This, v: Value| forward(vm, this, "send", &[v]);
        "throw($self, typ, val=None, tb=None, /)" => throw;
        "close($self, /)" => |vm: &Vm, this: This| forward(vm, this, "close", &[]);
    }
}

/// An awaitable of `awaitable` with a default.
pub fn with_default(vm: &Vm, awaitable: Value, default: Value) -> R<Value> {
    let payload = WithDefault {
        awaitable: Field::new(Some(awaitable)),
        iterator: Field::new(None),
        default: Field::new(Some(default)),
    };
    Ok(Ext::new(vm, ext_type(vm, &DEF)?, payload)?.value())
}

fn iterator(vm: &Vm, this: &This) -> R<Value> {
    if let Some(it) = this.0.iterator.get() {
        return Ok(it);
    }
    let awaitable = this.0.awaitable.or_none();
    let Some(f) = vm.type_of(awaitable).special(vm, Special::Await) else {
        return Err(vm.type_error(format!(
            "object {} can't be used in 'await' expression",
            vm.type_of(awaitable).name_string()
        )));
    };
    let it = vm.special_1(f, awaitable)?;
    if vm.type_of(it).special(vm, Special::Next).is_none() {
        return Err(
            vm.type_error(format!("__await__() returned non-iterator of type '{}'", vm.type_name(it)))
        );
    }
    this.0.iterator.set(vm, this.0, it);
    Ok(it)
}

fn forward(vm: &Vm, this: This, method: &str, args: &[Value]) -> R<Value> {
    let it = iterator(vm, &this)?;
    match vm.call_method(it, method, args) {
        Err(e) => match vm.catch(vm.exc.stop_async_iteration) {
            Some(_) => Err(vm.stop_iteration(this.0.default.or_none())),
            None => Err(e),
        },
        done => done,
    }
}

fn throw(vm: &Vm, this: This, ty: Value, v: Option<Value>, tb: Option<Value>) -> R<Value> {
    match (v, tb) {
        (None, None) => forward(vm, this, "throw", &[ty]),
        (v, tb) => forward(vm, this, "throw", &[ty, v.unwrap_or(Value::NONE), tb.unwrap_or(Value::NONE)]),
    }
}
