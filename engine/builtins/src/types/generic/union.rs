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
    /// Of each member when the union was made: what had none then keeps the union from being hashed.
    hashes: Field,
}

impl Payload for Union {
    const NAME: &'static str = "typing.Union";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Union { args, hashes } = self;
        args.trace(t);
        hashes.trace(t);
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
    // The hash of each, and None where it has none: only those of a kind are compared.
    let hashes = List::with_capacity(vm, items.len())?;
    let add = |v: Value| -> R<()> {
        let v = if v.is_none() { vm.types.none.value() } else { v };
        let hash = hash_or_none(vm, v)?;
        let mut i = 0;
        while let (Some(x), Some(h)) = (flat.get(i), hashes.get(i)) {
            i += 1;
            if h.is_none() == hash.is_none() && (hash.is_none() || vm.eq(h, hash)?) && vm.eq(x, v)? {
                return Ok(());
            }
        }
        hashes.push(vm, hash)?;
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
    let (args, hashes) = (vm.tuple(flat.items())?, vm.tuple(hashes.items())?);
    let union = Union { args: Field::new(Some(args)), hashes: Field::new(Some(hashes)) };
    Ok(Ext::new(vm, vm.types.union, union)?.value())
}

/// The hash of a member as an int; None if it has none, which is no error.
fn hash_or_none(vm: &Vm, v: Value) -> R<Value> {
    match vm.hash(v) {
        Ok(h) => vm.int(h),
        Err(e) => vm.catch(vm.exc.type_error).map(|_| Value::NONE).ok_or(e),
    }
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

/// The hashes that the members had when the union was made, and None.
fn hashes(u: Ref<Ext<Union>>) -> Ref<Tuple> {
    // SAFETY: set by `union_of` to a tuple.
    unsafe { u.hashes.value().cast_unchecked() }
}

/// The same members in any order; those without a hash are compared with each other.
fn eq(vm: &Vm, u: ExtArg<Union>, other: Value) -> R<Value> {
    let Some(other) = other.cast::<Ext<Union>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let (a, b) = (arguments(u.0), arguments(other));
    if a.len() != b.len() {
        return Ok(Value::FALSE);
    }
    for (&x, h) in a.items().iter().zip(hashes(u.0).items()) {
        let mut found = false;
        for (&y, k) in b.items().iter().zip(hashes(other).items()) {
            let alike = h.is_none() == k.is_none() && (h.is_none() || vm.eq(*h, *k)?);
            found = found || (alike && vm.eq(x, y)?);
        }
        if !found {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn hash(vm: &Vm, u: ExtArg<Union>) -> R<i64> {
    let hashes = hashes(u.0);
    let without = hashes.items().iter().filter(|h| h.is_none()).count();
    if without == 0 {
        // In any order. They are those of then: a member may be a union itself, of very deep ones.
        return vm.hash(vm.frozenset(hashes.items())?);
    }
    for (&a, _) in arguments(u.0).items().iter().zip(hashes.items()).filter(|(_, h)| h.is_none()) {
        vm.hash(a)?;
    }
    let plural = if without == 1 { "" } else { "s" };
    Err(vm.type_error(format!("union contains {without} unhashable element{plural}")))
}
