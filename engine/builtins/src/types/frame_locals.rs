//! `FrameLocalsProxy`: the variables of a function's frame as a mapping that writes through (PEP 667).

use skein_bytecode::Special;
use skein_runtime::interp::FrameVariables;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::frame::FrameObject;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

pub struct FrameLocals {
    frame: Field,
}

impl Payload for FrameLocals {
    const NAME: &'static str = "FrameLocalsProxy";
    fn trace(&self, t: &mut Tracer<'_>) {
        let FrameLocals { frame } = self;
        frame.trace(t);
    }
}

type This = ExtArg<FrameLocals>;

native_type! {
    FRAME_LOCALS: "FrameLocalsProxy", Kind::Ext, type_flags::MAPPING;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__len__($self, /)" => |vm: &Vm, p: This| -> R<usize> { Ok(rows(vm, &p)?.0.len()) };
        "__contains__($self, key, /)" => |vm: &Vm, p: This, k: Value| -> R<bool> { Ok(find(vm, &p, k)?.is_some()) };
        "__getitem__($self, key, /)" => getitem;
        "__setitem__($self, key, value, /)" => setitem;
        "__delitem__($self, key, /)" => |vm: &Vm, p: This, k: Value| remove(vm, &p, k, None).map(|_| ());
        "__iter__($self, /)" => |vm: &Vm, p: This| -> R<Value> { vm.iter(rows(vm, &p)?.0.value()) };
        "__reversed__($self, /)" => |vm: &Vm, p: This| -> R<Value> { let keys = rows(vm, &p)?.0; vm.call_method(keys.value(), "reverse", &[])?; vm.iter(keys.value()) };
        "__eq__($self, value, /)" => |vm: &Vm, p: This, v: Value| equal(vm, &p, v);
        "__ne__($self, value, /)" => |vm: &Vm, p: This, v: Value| -> R<Value> { let r = equal(vm, &p, v)?; Ok(if r.is_bool() { Value::bool(!r.is(Value::TRUE)) } else { r }) };
        "__or__($self, value, /)" => or;
        "__ror__($self, value, /)" => |vm: &Vm, p: Value, v: Value| or(vm, v, p);
        "__ior__($self, value, /)" => |vm: &Vm, p: This, v: Value| -> R<Value> { update(vm, &p, v)?; Ok(p.0.value()) };
        "__repr__($self, /)" => |vm: &Vm, p: This| -> R<String> { Ok(vm.repr_guard(p.0.value(), || vm.repr_string(copy(vm, &p)?.value()))?.unwrap_or_else(|| "{...}".into())) };
        "keys($self, /)" => |vm: &Vm, p: This| -> R<Ref<List>> { Ok(rows(vm, &p)?.0) };
        "values($self, /)" => |vm: &Vm, p: This| -> R<Ref<List>> { Ok(rows(vm, &p)?.1) };
        "items($self, /)" => items;
        "copy($self, /)" => |vm: &Vm, p: This| copy(vm, &p);
        "get($self, key, default=None, /)" => |vm: &Vm, p: This, k: Value, default: Option<Value>| -> R<Value> { Ok(find(vm, &p, k)?.or(default).unwrap_or(Value::NONE)) };
        "setdefault($self, key, default=None, /)" => setdefault;
        "pop($self, key, default=<unrepresentable>, /)" => |vm: &Vm, p: This, k: Value, default: Option<Value>| remove(vm, &p, k, default);
        "update($self, other, /)" => |vm: &Vm, p: This, v: Value| update(vm, &p, v);
    }
}

/// `f_locals`: the namespace itself where the frame has one, else a new proxy. MemoryError.
pub fn of_frame(vm: &Vm, frame: Ref<FrameObject>) -> R<Value> {
    match FrameVariables::of(vm, frame).namespace(vm) {
        Some(v) => Ok(v),
        None => {
            let ty = ext_type(vm, &FRAME_LOCALS)?;
            Ok(Ext::new(vm, ty, FrameLocals { frame: Field::new(Some(frame.value())) })?.value())
        }
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let given = args.positional().len() - 1;
    if args.keywords().next().is_some() {
        return Err(vm.type_error("FrameLocalsProxy takes no keyword arguments"));
    }
    if given != 1 {
        return Err(vm.type_error(format!("FrameLocalsProxy expected 1 argument, got {given}")));
    }
    let v = args.positional()[1];
    match v.cast::<FrameObject>() {
        Some(frame) => {
            let ty = ext_type(vm, &FRAME_LOCALS)?;
            Ok(Ext::new(vm, ty, FrameLocals { frame: Field::new(Some(frame.value())) })?.value())
        }
        None => Err(vm.type_error(format!("expect frame, not {}", vm.type_name(v)))),
    }
}

fn frame(vm: &Vm, p: &This) -> R<Ref<FrameObject>> {
    p.0.frame.cast().ok_or_else(|| vm.system_error("a FrameLocalsProxy without a frame"))
}

/// Names that were set through a proxy and are no variables.
fn extra(vm: &Vm, p: &This) -> R<Option<Ref<Dict>>> {
    Ok(frame(vm, p)?.extra_locals.cast())
}

/// The variable that a key names.
fn variable(vm: &Vm, p: &This, key: Value) -> R<Option<(FrameVariables, usize)>> {
    // What cannot be hashed is no key.
    vm.hash(key)?;
    let Some(name) = key.cast::<Str>() else { return Ok(None) };
    let variables = FrameVariables::of(vm, frame(vm, p)?);
    Ok(variables.find(name).map(|i| (variables, i)))
}

fn find(vm: &Vm, p: &This, key: Value) -> R<Option<Value>> {
    if let Some((variables, i)) = variable(vm, p, key)?
        && let Some(v) = variables.get(vm, i)
    {
        return Ok(Some(v));
    }
    match extra(vm, p)? {
        Some(d) => d.get(vm, key),
        None => Ok(None),
    }
}

fn getitem(vm: &Vm, p: This, key: Value) -> R<Value> {
    if let Some(v) = find(vm, &p, key)? {
        return Ok(v);
    }
    let key = vm.repr_string(key)?;
    let message = vm.str(&format!("local variable '{key}' is not defined"))?;
    Err(vm.key_error(message))
}

fn setitem(vm: &Vm, p: This, key: Value, v: Value) -> R<()> {
    store(vm, &p, key, v)
}

fn store(vm: &Vm, p: &This, key: Value, v: Value) -> R<()> {
    if let Some((variables, i)) = variable(vm, p, key)? {
        variables.set(vm, i, v);
        return Ok(());
    }
    let frame = frame(vm, p)?;
    let extra = match frame.extra_locals.cast::<Dict>() {
        Some(d) => d,
        None => {
            let d = Dict::new(vm)?;
            frame.extra_locals.set(vm, frame, d.value());
            d
        }
    };
    extra.set(vm, key, v)
}

/// Takes out a name that is no variable: its value. KeyError without a default, ValueError for variables.
fn remove(vm: &Vm, p: &This, key: Value, default: Option<Value>) -> R<Value> {
    if variable(vm, p, key)?.is_some() {
        return Err(vm.value_error("cannot remove local variables from FrameLocalsProxy"));
    }
    let extra = extra(vm, p)?;
    let found = match extra {
        Some(d) => d.get(vm, key)?,
        None => None,
    };
    match (found, extra) {
        (Some(v), Some(d)) => {
            d.delete(vm, key)?;
            Ok(v)
        }
        _ => default.ok_or_else(|| vm.key_error(key)),
    }
}

/// The names and the values.
fn rows(vm: &Vm, p: &This) -> R<(Ref<List>, Ref<List>)> {
    let variables = FrameVariables::of(vm, frame(vm, p)?);
    let (keys, values) = (List::with_capacity(vm, variables.count())?, List::with_capacity(vm, 0)?);
    for i in 0..variables.count() {
        if let Some(v) = variables.get(vm, i)
            && let Some(name) = variables.name(vm, i)?
        {
            keys.push(vm, name.value())?;
            values.push(vm, v)?;
        }
    }
    if let Some(d) = extra(vm, p)? {
        let more = vm.list_from(d.value())?;
        for i in 0..more.len() {
            if let Some(k) = more.get(i)
                && let Some(v) = d.get(vm, k)?
            {
                keys.push(vm, k)?;
                values.push(vm, v)?;
            }
        }
    }
    Ok((keys, values))
}

fn items(vm: &Vm, p: This) -> R<Ref<List>> {
    let (keys, values) = rows(vm, &p)?;
    let items = List::with_capacity(vm, keys.len())?;
    for (i, k) in keys.items().iter().enumerate() {
        if let Some(v) = values.get(i) {
            items.push(vm, vm.tuple(&[*k, v])?)?;
        }
    }
    Ok(items)
}

fn copy(vm: &Vm, p: &This) -> R<Ref<Dict>> {
    let (keys, values) = rows(vm, p)?;
    let all = Dict::new(vm)?;
    for i in 0..keys.len() {
        if let (Some(k), Some(v)) = (keys.get(i), values.get(i)) {
            all.set(vm, k, v)?;
        }
    }
    Ok(all)
}

fn equal(vm: &Vm, p: &This, v: Value) -> R<Value> {
    match v.cast::<Ext<FrameLocals>>() {
        Some(o) => Ok(Value::bool(o.frame.get() == p.0.frame.get())),
        None if v.cast::<Dict>().is_some() => vm.rich_compare(Special::Eq, copy(vm, p)?.value(), v),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// A dict, for a proxy or a dict.
fn as_dict(vm: &Vm, v: Value) -> R<Option<Value>> {
    match v.cast::<Ext<FrameLocals>>() {
        Some(p) => Ok(Some(copy(vm, &ExtArg(p))?.value())),
        None => Ok(v.cast::<Dict>().map(|_| v)),
    }
}

fn or(vm: &Vm, a: Value, b: Value) -> R<Value> {
    match (as_dict(vm, a)?, as_dict(vm, b)?) {
        (Some(a), Some(b)) => vm.binary(Special::Or, a, b),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn setdefault(vm: &Vm, p: This, key: Value, default: Option<Value>) -> R<Value> {
    if let Some(v) = find(vm, &p, key)? {
        return Ok(v);
    }
    let v = default.unwrap_or(Value::NONE);
    store(vm, &p, key, v)?;
    Ok(v)
}

fn update(vm: &Vm, p: &This, from: Value) -> R<()> {
    let Some(from) = as_dict(vm, from)? else {
        return Err(vm.type_error("update() argument must be dict or another FrameLocalsProxy"));
    };
    let keys = vm.list_from(from)?;
    for i in 0..keys.len() {
        if let Some(k) = keys.get(i) {
            store(vm, p, k, vm.get_item(from, k)?)?;
        }
    }
    Ok(())
}
