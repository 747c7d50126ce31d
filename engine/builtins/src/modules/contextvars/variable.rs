//! `ContextVar` and `Token`.

use super::{context_of, current, map, set_map};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{class_argument, ext_type};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// A `ContextVar`.
pub struct Variable {
    name: Field,
    default: Field,
    /// Serial number: the variable's place in maps.
    pub number: u64,
}

impl Payload for Variable {
    const NAME: &'static str = "ContextVar";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Variable { name, default, number: _ } = self;
        name.trace(t);
        default.trace(t);
    }
}

type Var = Ref<Ext<Variable>>;

native_type! {
    pub VARIABLE: "_contextvars.ContextVar", Kind::Ext, 0;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new_variable;
        "get($self, default=<unrepresentable>, /)" => get,
            "The variable's value in the current context, else the default given here, else the variable's own.";
        "set($self, value, /)" => set,
            "Sets the variable in the current context; the token returned can be given to reset().";
        "reset($self, token, /)" => |vm: &Vm, v: ExtArg<Variable>, token: Value| reset(vm, v.0, token),
            "Gives the variable the value that it had before the set() that made the token.";
        "__repr__($self, /)" => repr_variable;
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
    getset { "name" => |_: &Vm, v: Var| Ok(v.name.or_none()); }
}

/// What `ContextVar.set` returns.
pub struct Token {
    context: Field,
    variable: Field,
    /// Nothing where the variable had no value.
    old: Field,
    used: Cell<bool>,
}

impl Payload for Token {
    const NAME: &'static str = "Token";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Token { context, variable, old, used: _ } = self;
        context.trace(t);
        variable.trace(t);
        old.trace(t);
    }
}

native_type! {
    pub TOKEN: "_contextvars.Token", Kind::Ext, 0;
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, _: Args<'_>| -> R<Value> {
            Err(vm.runtime_error("Tokens can only be created by ContextVars"))
        };
        // A type that defines equality and no hash is unhashable, as tokens are.
        "__eq__($self, value, /)" => |_: &Vm, a: Value, b: Value| if a.is(b) { Value::TRUE } else { Value::NOT_IMPLEMENTED };
        "__enter__($self, /)" => |_: &Vm, t: ExtArg<Token>| t.0, "Enter into Token context manager.";
        "__exit__($self, type, value, traceback, /)" => exit,
            "Exit from Token context manager, restore the linked ContextVar.";
        "__repr__($self, /)" => repr_token;
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
    getset {
        "var" => |_: &Vm, v: Ref<Ext<Token>>| Ok(v.variable.or_none());
        "old_value" => |vm: &Vm, v: Ref<Ext<Token>>| match v.old.get() {
            Some(old) => Ok(old),
            None => missing(vm),
        };
    }
}

/// The type of `Token.MISSING`.
struct Missing;

impl Payload for Missing {
    const NAME: &'static str = "Token.MISSING";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Missing = self;
    }
}

native_type! {
    MISSING: "Token.MISSING", Kind::Ext, skein_runtime::types::typeobj::type_flags::NO_NEW;
    methods {
        "__repr__($self, /)" => |_: &Vm, _: Value| "<Token.MISSING>";
    }
}

/// The payload of what is known to be a `ContextVar`.
pub fn variable_of(v: Value) -> Var {
    // SAFETY: the keys of maps are variables.
    unsafe { v.cast_unchecked() }
}

/// Numbers given to variables so far.
#[derive(Default)]
struct Numbers(Cell<u64>);

fn new_variable(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &VARIABLE)?)?;
    let rest = args.rest();
    let (given, all) = (rest.positional(), rest.parts().0.len());
    if all > 2 {
        return Err(vm.type_error(format!("ContextVar() takes at most 2 arguments ({all} given)")));
    }
    let name = match *given {
        [name] => name,
        [] => return Err(vm.type_error("ContextVar() takes exactly 1 positional argument (0 given)")),
        _ => {
            return Err(vm.type_error(format!(
                "ContextVar() takes at most 1 positional argument ({} given)",
                given.len()
            )));
        }
    };
    vm.hash(name)?;
    let mut default = None;
    for (k, v) in rest.keywords() {
        let text = vm.str_string(k)?;
        if text != "default" {
            return Err(vm.type_error(format!("ContextVar() got an unexpected keyword argument '{text}'")));
        }
        default = Some(v);
    }
    if name.cast::<Str>().is_none() {
        return Err(vm.type_error("context variable name must be a str"));
    }
    let numbers = vm.state::<Numbers>();
    let number = numbers.0.get();
    numbers.0.set(number + 1);
    let payload = Variable { name: Field::new(Some(name)), default: Field::new(default), number };
    Ok(Ext::new(vm, class, payload)?.value())
}

fn get(vm: &Vm, v: ExtArg<Variable>, default: Option<Value>) -> R<Value> {
    let var = v.0;
    let current = vm.context().variables.get().map(context_of);
    if let Some(v) = current.and_then(|c| map::get(map::of(c), var)) {
        return Ok(v);
    }
    match default.or(var.default.get()) {
        Some(v) => Ok(v),
        None => Err(vm.raise_new(vm.exc.lookup_error, &[var.value()])),
    }
}

fn set(vm: &Vm, v: ExtArg<Variable>, value: Value) -> R<Ref<Ext<Token>>> {
    let var = v.0;
    let context = current(vm)?;
    let payload = Token {
        context: Field::new(Some(context.value())),
        variable: Field::new(Some(var.value())),
        old: Field::new(map::get(map::of(context), var)),
        used: Cell::new(false),
    };
    let token = Ext::new(vm, ext_type(vm, &TOKEN)?, payload)?;
    let map = map::insert(vm, map::of(context), var, value)?;
    let added = usize::from(token.old.get().is_none());
    set_map(vm, context, Some(map), context.len() + added);
    Ok(token)
}

fn reset(vm: &Vm, var: Var, token: Value) -> R<()> {
    let Some(token) = token.cast::<Ext<Token>>() else {
        return Err(vm.type_error(format!("expected an instance of Token, got {}", vm.repr_string(token)?)));
    };
    let text = || vm.repr_string(token.value());
    if token.used.get() {
        return Err(vm.runtime_error(format!("{} has already been used once", text()?)));
    }
    if token.variable.get() != Some(var.value()) {
        return Err(vm.value_error(format!("{} was created by a different ContextVar", text()?)));
    }
    let context = current(vm)?;
    if token.context.get() != Some(context.value()) {
        return Err(vm.value_error(format!("{} was created in a different Context", text()?)));
    }
    match token.old.get() {
        Some(old) => {
            let map = map::insert(vm, map::of(context), var, old)?;
            set_map(vm, context, Some(map), context.len());
        }
        None if map::get(map::of(context), var).is_none() => {
            return Err(vm.raise_new(vm.exc.lookup_error, &[var.value()]));
        }
        None => {
            let map = map::remove(vm, map::of(context), var)?;
            set_map(vm, context, map, context.len() - 1);
        }
    }
    token.used.set(true);
    Ok(())
}

fn exit(vm: &Vm, t: ExtArg<Token>, _ty: Value, _value: Value, _tb: Value) -> R<()> {
    reset(vm, variable_of(t.0.variable.value()), t.0.value())
}

fn repr_variable(vm: &Vm, v: ExtArg<Variable>) -> R<String> {
    let name = vm.repr_string(v.0.name.or_none())?;
    let default = match v.0.default.get() {
        Some(d) => {
            format!(" default={}", vm.repr_guard(v.0.value(), || vm.repr_string(d))?.unwrap_or("...".into()))
        }
        None => String::new(),
    };
    Ok(format!("<ContextVar name={name}{default} at {:#x}>", v.0.value().bits()))
}

fn repr_token(vm: &Vm, t: ExtArg<Token>) -> R<String> {
    let used = if t.0.used.get() { " used" } else { "" };
    let var = vm.repr_string(t.0.variable.or_none())?;
    Ok(format!("<Token{used} var={var} at {:#x}>", t.0.value().bits()))
}

/// `Token.MISSING`. MemoryError.
fn missing(vm: &Vm) -> R<Value> {
    let ty = ext_type(vm, &TOKEN)?;
    if let Some(m) = ty.dict().get_name(vm, "MISSING")? {
        return Ok(m);
    }
    let m = Ext::new(vm, ext_type(vm, &MISSING)?, Missing)?;
    ty.dict().set_name(vm, "MISSING", m.value())?;
    ty.modified(vm);
    Ok(m.value())
}

/// The types, ready for the module. MemoryError.
pub fn types(vm: &Vm) -> R<(Ref<Type>, Ref<Type>)> {
    missing(vm)?;
    Ok((ext_type(vm, &VARIABLE)?, ext_type(vm, &TOKEN)?))
}
