//! `partial` and `Placeholder`.

use skein_runtime::interp::{At, SoftCall, call_soft};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{class_argument, ext_type};
use skein_runtime::types::function::BoundMethod;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

struct Partial {
    function: Field,
    /// A tuple.
    args: Field,
    /// A dict.
    keywords: Field,
    /// Placeholders in `args`.
    places: Cell<usize>,
}

impl Payload for Partial {
    const NAME: &'static str = "functools.partial";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Partial { function, args, keywords, places: _ } = self;
        function.trace(t);
        args.trace(t);
        keywords.trace(t);
    }
}

type This = Ref<Ext<Partial>>;

native_type! {
    pub PARTIAL: "functools.partial", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF, "Create a new function with partial application of the given arguments and keywords.";
    methods {
        [static] "__new__($type, func, /, *args, **keywords)" => new;
        [soft call_soft_] "__call__($self, /, *args, **kwargs)" => call;
        "__get__($self, instance, owner=None, /)" => get;
        "__repr__($self, /)" => repr;
        "__reduce__($self, /)" => reduce;
        "__setstate__($self, state, /)" => setstate;
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
    getset {
        "func" => |_: &Vm, v: Value| Ok(v.cast::<Ext<Partial>>().map_or(Value::NONE, |p| p.function.value()));
        "args" => |_: &Vm, v: Value| Ok(v.cast::<Ext<Partial>>().map_or(Value::NONE, |p| p.args.value()));
        "keywords" => |_: &Vm, v: Value| Ok(v.cast::<Ext<Partial>>().map_or(Value::NONE, |p| p.keywords.value()));
        "__dict__" => get_dict, crate::types::set_dict;
    }
}

native_type! {
    pub PLACEHOLDER_TYPE: "functools._PlaceholderType", Kind::Ext, 0, "The type of the Placeholder singleton.\n\nUsed as a placeholder for partial arguments.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new_placeholder;
        "__repr__($self, /)" => |_: &Vm, _: Value| "Placeholder";
        "__reduce__($self, /)" => |_: &Vm, _: Value| "Placeholder";
    }
}

struct Placeholder;

impl Payload for Placeholder {
    const NAME: &'static str = "functools._PlaceholderType";
    fn trace(&self, _: &mut Tracer<'_>) {}
}

/// The one placeholder, kept as a root.
#[derive(Default)]
struct PlaceholderCell(Cell<Option<Value>>);

/// `Placeholder`, made at the first use. MemoryError.
pub(super) fn placeholder(vm: &Vm) -> R<Value> {
    let state = vm.state::<PlaceholderCell>();
    if let Some(v) = state.0.get() {
        return Ok(v);
    }
    let v = Ext::new(vm, ext_type(vm, &PLACEHOLDER_TYPE)?, Placeholder)?.value();
    vm.roots.borrow_mut().push(v);
    state.0.set(Some(v));
    Ok(v)
}

fn new_placeholder(vm: &Vm, args: Args<'_>) -> R<Value> {
    if args.positional().len() > 1 || args.has_keywords() {
        return Err(vm.type_error("_PlaceholderType takes no arguments"));
    }
    placeholder(vm)
}

/// The attribute dictionary of an object that has one.
pub(super) fn get_dict(vm: &Vm, v: Value) -> R<Value> {
    match vm.instance_dict(v)? {
        Some(d) => Ok(d.value()),
        None => Err(vm.attribute_error("__dict__")),
    }
}

/// The argument tuple of a partial.
fn args_of(p: This) -> Option<Ref<Tuple>> {
    p.args.cast::<Tuple>()
}

fn keywords_of(p: This) -> Option<Ref<Dict>> {
    p.keywords.cast::<Dict>()
}

/// `first`, its placeholders filled from the beginning of `more`, then the rest of `more`.
fn fill(vm: &Vm, first: &[Value], more: &[Value]) -> R<Ref<List>> {
    let hole = placeholder(vm)?;
    let out = List::with_capacity(vm, first.len() + more.len())?;
    let mut more = more.iter().copied();
    for &v in first {
        out.push(vm, if v.is(hole) { more.next().unwrap_or(hole) } else { v })?;
    }
    more.try_for_each(|v| out.push(vm, v))?;
    Ok(out)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let own = ext_type(vm, &PARTIAL)?;
    let class = class_argument(vm, &args, own)?;
    let [_, function, given @ ..] = args.positional() else {
        return Err(vm.type_error("type 'partial' takes at least one argument"));
    };
    let mut function = *function;
    if !vm.is_callable(function) {
        return Err(vm.type_error("the first argument must be callable"));
    }
    let hole = placeholder(vm)?;
    if given.last().is_some_and(|v| v.is(hole)) {
        return Err(vm.type_error("trailing Placeholders are not allowed"));
    }
    let keywords = Dict::new(vm)?;
    let mut all = List::new(vm, given)?;
    // A partial of a partial is one.
    if let Some(inner) = function.cast::<Ext<Partial>>()
        && vm.type_of(function) == own
    {
        if let Some(first) = args_of(inner) {
            all = fill(vm, first.items(), given)?;
        }
        if let Some(k) = keywords_of(inner) {
            keywords.update(vm, k)?;
        }
        function = inner.function.value();
    }
    for (k, v) in args.keywords() {
        if v.is(hole) {
            return Err(vm.type_error("Placeholder cannot be passed as a keyword argument"));
        }
        keywords.set(vm, k, v)?;
    }
    let places = all.items().iter().filter(|v| v.is(hole)).count();
    let payload = Partial {
        function: Field::new(Some(function)),
        args: Field::new(Some(vm.tuple(all.items())?)),
        keywords: Field::new(Some(keywords.value())),
        places: Cell::new(places),
    };
    Ok(Ext::new(vm, class, payload)?.value())
}

/// Arguments that need no list.
const FEW: usize = 8;

fn call(vm: &Vm, args: Args<'_>) -> R<Value> {
    with_all(vm, args, |function, args| vm.call_args(function, args))
}

/// As `call`, in the loop.
fn call_soft_(vm: &Vm, call: &SoftCall<'_>) -> At {
    let r = with_all(vm, call.args, |function, args| call_soft(vm, call.resume, function, args, call.cont));
    call.go_on(vm, r)
}

/// Hands the function that a partial object calls to `f`, with all that it is called with.
fn with_all<T>(vm: &Vm, args: Args<'_>, f: impl FnOnce(Value, Args<'_>) -> R<T>) -> R<T> {
    let Some(this) = args.positional().first().and_then(|v| v.cast::<Ext<Partial>>()) else {
        return Err(vm.type_error("a functools.partial object is needed"));
    };
    let (args, function) = (args.rest(), this.function.value());
    let (Some(first), Some(keywords)) = (args_of(this), keywords_of(this)) else {
        return f(function, args);
    };
    let given = args.positional();
    let places = this.places.get();
    if given.len() < places {
        return Err(vm.type_error(format!(
            "missing positional arguments in 'partial' call; expected at least {places}, got {}",
            given.len()
        )));
    }
    let (values, names) = args.parts();
    if places == 0 && keywords.is_empty() && first.len() + values.len() <= FEW {
        // The values are kept by the object and by who calls it.
        let mut row = [Value::UNBOUND; FEW];
        row[..first.len()].copy_from_slice(first.items());
        row[first.len()..first.len() + values.len()].copy_from_slice(values);
        return f(function, Args::new(&row[..first.len() + values.len()], names));
    }
    let row = if places > 0 {
        fill(vm, first.items(), given)?
    } else {
        let row = List::with_capacity(vm, first.len() + values.len())?;
        row.extend(vm, first.items())?;
        row.extend(vm, given)?;
        row
    };
    if keywords.is_empty() {
        row.extend(vm, &values[given.len()..])?;
        return f(function, Args::new(row.items(), names));
    }
    let merged = keywords.copy(vm)?;
    for (k, v) in args.keywords() {
        merged.set(vm, k, v)?;
    }
    let names = List::with_capacity(vm, merged.len())?;
    for (k, v) in merged.iter() {
        names.push(vm, k)?;
        row.push(vm, v)?;
    }
    let names = Tuple::new(vm, names.items())?;
    f(function, Args::new(row.items(), Some(names)))
}

fn get(vm: &Vm, this: Value, instance: Value, _owner: Option<Value>) -> R<Value> {
    if instance.is_none() { Ok(this) } else { Ok(BoundMethod::new(vm, this, instance)?.value()) }
}

fn repr(vm: &Vm, this: ExtArg<Partial>) -> R<Value> {
    let this = this.0;
    let text = vm.repr_guard(this.value(), || {
        // As they are now: what is shown may change them.
        let (function, args, keywords) = (this.function.value(), args_of(this), keywords_of(this));
        let ty = vm.type_of(this.value());
        let module = vm.get_attr(ty.value(), vm.names.__module__)?;
        let mut out =
            format!("{}.{}(", vm.str_string(module)?, vm.str_string(ty.qualname.value())?).into_bytes();
        out.extend_from_slice(vm.repr(function)?.bytes());
        if let Some(args) = args {
            for &v in args.items() {
                out.extend_from_slice(b", ");
                out.extend_from_slice(vm.repr(v)?.bytes());
            }
        }
        if let Some(keywords) = keywords {
            for (k, v) in keywords.iter() {
                out.extend_from_slice(b", ");
                out.extend_from_slice(vm.to_str(k)?.bytes());
                out.push(b'=');
                out.extend_from_slice(vm.repr(v)?.bytes());
            }
        }
        out.push(b')');
        Ok(Str::new(vm, &out)?.value())
    })?;
    match text {
        Some(v) => Ok(v),
        None => vm.str("..."),
    }
}

fn reduce(vm: &Vm, this: ExtArg<Partial>) -> R<Value> {
    let this = this.0;
    let dict = match vm.instance_dict(this.value())? {
        Some(d) if !d.is_empty() => d.value(),
        _ => Value::NONE,
    };
    let f = this.function.value();
    let state = vm.tuple(&[f, this.args.value(), this.keywords.value(), dict])?;
    let args = vm.tuple(&[f])?;
    vm.tuple(&[vm.type_of(this.value()).value(), args, state])
}

fn setstate(vm: &Vm, this: ExtArg<Partial>, state: Ref<Tuple>) -> R<()> {
    let this = this.0;
    let &[f, args, keywords, dict] = state.items() else {
        return Err(vm.type_error("invalid partial state"));
    };
    let args = args.cast::<Tuple>().filter(|_| vm.is_callable(f));
    let is_dict = |v: Value| v.is_none() || v.cast::<Dict>().is_some();
    let (Some(args), true) = (args, is_dict(keywords) && is_dict(dict)) else {
        return Err(vm.type_error("invalid partial state"));
    };
    let hole = placeholder(vm)?;
    if args.items().last().is_some_and(|v| v.is(hole)) {
        return Err(vm.type_error("trailing Placeholders are not allowed"));
    }
    let is_exact = |v: Value, ty| vm.type_of(v) == ty;
    let plain = if is_exact(args.value(), vm.types.tuple) { args.value() } else { vm.tuple(args.items())? };
    let copy = match keywords.cast::<Dict>() {
        Some(k) if is_exact(keywords, vm.types.dict) => k,
        Some(k) => k.copy(vm)?,
        None => Dict::new(vm)?,
    };
    this.function.set(vm, this, f);
    this.args.set(vm, this, plain);
    this.keywords.set(vm, this, copy.value());
    this.places.set(args.items().iter().filter(|v| v.is(hole)).count());
    match dict.cast::<Dict>() {
        Some(new) => vm.replace_instance_dict(this.value(), new),
        None => {
            if let Some(own) = vm.instance_dict(this.value())? {
                own.clear(vm);
            }
            Ok(())
        }
    }
}
