//! `types.GenericAlias`: a class with its arguments.

use super::{parameters, substitute, type_text};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// `origin[args]`.
pub struct Alias {
    origin: Field,
    args: Field,
    /// Made at the first asking.
    parameters: Field,
    starred: bool,
}

impl Payload for Alias {
    const NAME: &'static str = "types.GenericAlias";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Alias { origin, args, parameters, starred: _ } = self;
        origin.trace(t);
        args.trace(t);
        parameters.trace(t);
    }
}

type This = Ref<Ext<Alias>>;

/// What `*alias` goes through: the alias itself, unpacked.
struct Unpacked(Field);

impl Payload for Unpacked {
    const NAME: &'static str = "generic_alias_iterator";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Unpacked(alias) = self;
        alias.trace(t);
    }
}

native_type! {
    ITERATOR: "generic_alias_iterator", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => |vm: &Vm, it: ExtArg<Unpacked>| -> R<Value> {
            let Some(a) = it.0.0.cast::<Ext<Alias>>() else { return Ok(vm.stop()) };
            it.0.0.init(None);
            make(vm, vm.type_of(a.value()), a.origin.value(), a.args.value(), true)
        };
        "__reduce__($self, /)" => |vm: &Vm, it: ExtArg<Unpacked>| -> R<Value> {
            let rest = it.0.0.get().map_or_else(|| vm.tuple(&[]), Ok)?;
            vm.tuple(&[vm.builtin("iter")?, vm.tuple(&[rest])?])
        };
    }
}

fn iterator(vm: &Vm, alias: Value) -> R<Value> {
    Ok(Ext::new(vm, ext_type(vm, &ITERATOR)?, Unpacked(Field::new(Some(alias))))?.value())
}

native_type! {
    pub DEF: "types.GenericAlias", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_WEAKREF,
        "Represent a PEP 585 generic type\n\nE.g. for t = list[int], t.__origin__ is list and t.__args__ is (int,).";
    methods {
        [static] "__new__($type, origin, args, /)" => |vm: &Vm, ty: Ref<Type>, origin: Value, args: Value| make(vm, ty, origin, args, false);
        "__repr__($self, /)" => repr;
        "__getitem__($self, key, /)" => getitem;
        "__call__($self, /, *args, **kwargs)" => call;
        "__mro_entries__($self, bases, /)" => |vm: &Vm, a: ExtArg<Alias>, _: Value| vm.tuple(&[a.0.origin.value()]);
        "__instancecheck__($self, instance, /)" => |vm: &Vm, _: Value, _: Value| -> R<Value> {
            Err(vm.type_error("isinstance() argument 2 cannot be a parameterized generic"))
        };
        "__subclasscheck__($self, subclass, /)" => |vm: &Vm, _: Value, _: Value| -> R<Value> {
            Err(vm.type_error("issubclass() argument 2 cannot be a parameterized generic"))
        };
        "__getattr__($self, name, /)" => getattr;
        "__eq__($self, value, /)" => eq;
        "__hash__($self, /)" => |vm: &Vm, a: ExtArg<Alias>| -> R<Value> {
            let h = vm.hash(a.0.origin.value())? ^ vm.hash(a.0.args.value())?;
            vm.int(h >> 2)
        };
        "__or__($self, value, /)" => |vm: &Vm, a: Value, b: Value| super::union::make_union(vm, a, b);
        "__ror__($self, value, /)" => |vm: &Vm, a: Value, b: Value| super::union::make_union(vm, b, a);
        "__iter__($self, /)" => |vm: &Vm, a: ExtArg<Alias>| -> R<Value> {
            iterator(vm, a.0.value())
        };
        "__reduce__($self, /)" => |vm: &Vm, a: ExtArg<Alias>| -> R<Value> {
            let args = vm.tuple(&[a.0.origin.value(), a.0.args.value()])?;
            if a.0.starred {
                let plain = make(vm, vm.types.generic_alias, a.0.origin.value(), a.0.args.value(), false)?;
                return vm.tuple(&[vm.builtin("next")?, vm.tuple(&[iterator(vm, plain)?])?]);
            }
            vm.tuple(&[vm.types.generic_alias.value(), args])
        };
        "__dir__($self, /)" => |vm: &Vm, a: ExtArg<Alias>| -> R<Value> {
            let names = vm.call(vm.builtin("dir")?, &[a.0.origin.value()])?;
            let list = vm.list_from(names)?;
            for n in ["__origin__", "__args__", "__parameters__", "__mro_entries__", "__unpacked__"] {
                list.push(vm, vm.str(n)?)?;
            }
            Ok(list.value())
        };
    }
    getset {
        "__origin__" => |_: &Vm, v: This| Ok(v.origin.value());
        "__args__" => |_: &Vm, v: This| Ok(v.args.value());
        "__parameters__" => |vm: &Vm, v: This| Ok(own_parameters(vm, v)?.value());
        "__unpacked__" => |_: &Vm, v: This| Ok(Value::bool(v.starred));
        "__typing_unpacked_tuple_args__" => |vm: &Vm, v: This| {
            let a = v;
            let tuple = a.starred && a.origin.value().is(vm.types.tuple.value());
            Ok(if tuple { a.args.value() } else { Value::NONE })
        };
        "__doc__" => |vm: &Vm, v: This| vm.get_attr(v.origin.value(), vm.names.__doc__);
    }
}

fn make(vm: &Vm, ty: Ref<Type>, origin: Value, args: Value, starred: bool) -> R<Value> {
    let args = match args.cast::<Tuple>() {
        Some(t) => t,
        None => Tuple::new(vm, &[args])?,
    };
    let payload = Alias {
        origin: Field::new(Some(origin)),
        args: Field::new(Some(args.value())),
        parameters: Field::new(None),
        starred,
    };
    Ok(Ext::new(vm, ty, payload)?.value())
}

/// `origin[args]` of a builtin generic class. MemoryError.
pub fn of(vm: &Vm, origin: Value, args: Value) -> R<Value> {
    make(vm, vm.types.generic_alias, origin, args, false)
}

fn arguments(a: This) -> Ref<Tuple> {
    // SAFETY: set by `make` to a tuple.
    unsafe { a.args.value().cast_unchecked() }
}

fn own_parameters(vm: &Vm, a: This) -> R<Ref<Tuple>> {
    if let Some(t) = a.parameters.cast() {
        return Ok(t);
    }
    let t = parameters(vm, arguments(a))?;
    a.parameters.set(vm, a, t.value());
    Ok(t)
}

fn repr(vm: &Vm, a: ExtArg<Alias>) -> R<String> {
    let shown = vm.repr_guard(a.0.value(), || alias_text(vm, a))?;
    Ok(shown.unwrap_or_else(|| "...".into()))
}

fn alias_text(vm: &Vm, a: ExtArg<Alias>) -> R<String> {
    let mut parts = Vec::new();
    for &v in arguments(a.0).items() {
        parts.push(match v.cast::<List>() {
            Some(l) => {
                let inner = l.items().iter().map(|&x| type_text(vm, x)).collect::<R<Vec<_>>>()?;
                format!("[{}]", inner.join(", "))
            }
            None => type_text(vm, v)?,
        });
    }
    let star = if a.0.starred { "*" } else { "" };
    let inner = if parts.is_empty() { "()".to_string() } else { parts.join(", ") };
    Ok(format!("{star}{}[{inner}]", type_text(vm, a.0.origin.value())?))
}

fn getitem(vm: &Vm, a: ExtArg<Alias>, item: Value) -> R<Value> {
    let a = a.0;
    let args = substitute(vm, a.value(), arguments(a), own_parameters(vm, a)?, item)?;
    make(vm, vm.type_of(a.value()), a.origin.value(), args.value(), a.starred)
}

fn call(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(a) = args.positional().first().and_then(|a| a.cast::<Ext<Alias>>()) else {
        return Err(vm.type_error("descriptor '__call__' requires a 'types.GenericAlias' object"));
    };
    let made = vm.call_args(a.origin.value(), args.rest())?;
    let set = vm.set_attr(made, vm.intern("__orig_class__")?, a.value());
    if set.is_err() && vm.catch(vm.exc.attribute_error).is_none() && vm.catch(vm.exc.type_error).is_none() {
        set?;
    }
    Ok(made)
}

/// What the alias does not have is the origin's, but for what would make it a class or copy the origin.
fn getattr(vm: &Vm, a: ExtArg<Alias>, name: Ref<Str>) -> R<Value> {
    let name = vm.intern_str(name);
    if matches!(name.bytes(), b"__bases__" | b"__copy__" | b"__deepcopy__") {
        return Err(vm.no_attribute(a.0.value(), name));
    }
    vm.get_attr(a.0.origin.value(), name)
}

fn eq(vm: &Vm, a: ExtArg<Alias>, b: Value) -> R<Value> {
    let Some(b) = b.cast::<Ext<Alias>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let a = a.0;
    let same = a.starred == b.starred
        && vm.eq(a.origin.value(), b.origin.value())?
        && vm.eq(a.args.value(), b.args.value())?;
    Ok(Value::bool(same))
}
