//! `typing.Union`, which is `types.UnionType`: `int | str`.

use super::{parameters, substitute, type_text};
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// A union of types.
pub struct Union {
    args: Field,
}

impl Payload for Union {
    const NAME: &'static str = "typing.Union";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Union { args } = self;
        args.trace(t);
    }
}

native_type! {
    pub DEF: "typing.Union", Kind::Ext, type_flags::NO_NEW | type_flags::HAS_WEAKREF,
        "Represent a union type\n\nE.g. for int | str";
    methods {
        "__repr__($self, /)" => |vm: &Vm, u: ExtArg<Union>| -> R<String> {
            let parts = arguments(u.0).items().iter().map(|&a| type_text(vm, a)).collect::<R<Vec<_>>>()?;
            Ok(parts.join(" | "))
        };
        "__or__($self, value, /)" => make_union;
        "__ror__($self, value, /)" => |vm: &Vm, a: Value, b: Value| make_union(vm, b, a);
        "__eq__($self, value, /)" => eq;
        "__hash__($self, /)" => hash;
        "__instancecheck__($self, instance, /)" => |vm: &Vm, u: ExtArg<Union>, v: Value| -> R<bool> {
            for &a in arguments(u.0).items() {
                if vm.is_instance(v, a)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        "__subclasscheck__($self, subclass, /)" => |vm: &Vm, u: ExtArg<Union>, c: Value| -> R<bool> {
            for &a in arguments(u.0).items() {
                if vm.is_subclass(c, a)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        "__mro_entries__($self, bases, /)" => |vm: &Vm, u: ExtArg<Union>, _: Value| -> R<Value> {
            Err(vm.type_error(format!("Cannot subclass {}", vm.repr_string(u.0.value())?)))
        };
        "__getitem__($self, key, /)" => |vm: &Vm, u: ExtArg<Union>, item: Value| -> R<Value> {
            let args = arguments(u.0);
            let new = substitute(vm, u.0.value(), args, parameters(vm, args)?, item)?;
            union_checked(vm, new.items())
        };
        [class] "__class_getitem__($cls, parameters, /)" => |vm: &Vm, _: Value, item: Value| match item.cast::<Tuple>() {
            Some(t) if t.is_empty() => Err(vm.type_error("Cannot take a Union of no types.")),
            Some(t) => union_checked(vm, t.items()),
            None => union_checked(vm, &[item]),
        };
        "__reduce__($self, /)" => |vm: &Vm, u: ExtArg<Union>| -> R<Value> {
            let getitem = vm.get_attr_str(vm.types.union.value(), "__class_getitem__")?;
            let args = vm.tuple(&[u.0.args.value()])?;
            vm.tuple(&[getitem, args])
        };
    }
    getset {
        "__args__" => |_: &Vm, v: Ref<Ext<Union>>| Ok(v.args.value());
        "__parameters__" => |vm: &Vm, v: Ref<Ext<Union>>| Ok(parameters(vm, arguments(v))?.value());
        "__origin__" => |vm: &Vm, _: Value| Ok(vm.types.union.value());
        "__name__" => |vm: &Vm, _: Value| vm.str("Union");
        "__qualname__" => |vm: &Vm, _: Value| vm.str("Union");
        "__module__" => |vm: &Vm, _: Value| vm.str("typing");
    }
}

fn arguments(u: Ref<Ext<Union>>) -> Ref<Tuple> {
    // SAFETY: set by `union_of` to a tuple.
    unsafe { u.args.value().cast_unchecked() }
}

/// `Union[items]`: what is no type is checked and converted as `typing` does. TypeError.
pub fn union_checked(vm: &Vm, items: &[Value]) -> R<Value> {
    let types = List::with_capacity(vm, items.len())?;
    for &v in items {
        if is_unionable(v) {
            types.push(vm, v)?;
            continue;
        }
        let message = vm.str("Union[arg, ...]: each arg must be a type.")?;
        types.push(vm, crate::modules::call_typing(vm, "_type_check", &[v, message])?)?;
    }
    union_of(vm, types.items())
}

/// The union of these, each once; a single one stays itself.
fn union_of(vm: &Vm, items: &[Value]) -> R<Value> {
    let flat = List::with_capacity(vm, items.len())?;
    let add = |v: Value| -> R<()> {
        let v = if v.is_none() { vm.types.none.value() } else { v };
        for &x in flat.items() {
            if vm.eq(x, v)? {
                return Ok(());
            }
        }
        flat.push(vm, v)
    };
    for &v in items {
        match v.cast::<Ext<Union>>() {
            Some(u) => arguments(u).items().iter().try_for_each(|&a| add(a))?,
            None => add(v)?,
        }
    }
    if let [one] = flat.items() {
        return Ok(*one);
    }
    let args = vm.tuple(flat.items())?;
    Ok(Ext::new(vm, vm.types.union, Union { args: Field::new(Some(args)) })?.value())
}

/// Whether it stands in a union as it is.
fn is_unionable(v: Value) -> bool {
    v.is_none()
        || v.cast::<Type>().is_some()
        || v.cast::<Ext<Union>>().is_some()
        || v.cast::<Ext<super::alias::Alias>>().is_some()
        || crate::modules::is_alias(v)
}

/// `a | b` of types; NotImplemented if one is none.
pub fn make_union(vm: &Vm, a: Value, b: Value) -> R<Value> {
    let is_union = |v: Value| v.cast::<Ext<Union>>().is_some();
    if (is_union(a) || is_union(b)) && (a.cast::<Str>().is_some() || b.cast::<Str>().is_some()) {
        // The name of a type that is not there yet.
        return union_checked(vm, &[a, b]);
    }
    if !is_unionable(a) || !is_unionable(b) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    union_of(vm, &[a, b])
}

/// The same members in any order; they are compared, as some have no hash.
fn eq(vm: &Vm, u: ExtArg<Union>, other: Value) -> R<Value> {
    let Some(other) = other.cast::<Ext<Union>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let (a, b) = (arguments(u.0), arguments(other));
    if a.len() != b.len() {
        return Ok(Value::FALSE);
    }
    for &x in a.items() {
        let mut found = false;
        for &y in b.items() {
            found = found || vm.eq(x, y)?;
        }
        if !found {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn hash(vm: &Vm, u: ExtArg<Union>) -> R<i64> {
    // Each member is hashed once, as it may be a union itself, and the hashes are put together in any order.
    let hashes = List::with_capacity(vm, arguments(u.0).len())?;
    for &a in arguments(u.0).items() {
        hashes.push(vm, vm.int(vm.hash(a)?)?)?;
    }
    vm.hash(vm.frozenset(hashes.items())?)
}
