//! What Python code sees of `property`.

use super::is_abstract;
use crate::types::function::type_argument;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref};
use skein_runtime::types::descriptor::Property;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub PROPERTY: "property", Kind::Property, type_flags::BASETYPE;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, fget=None, fset=None, fdel=None, doc=None)" => init;
        "getter($self, object, /)" => |vm: &Vm, p: Ref<Property>, f: Value| copy(vm, p, Some(f), None, None), "Descriptor to obtain a copy of the property with a different getter.";
        "setter($self, object, /)" => |vm: &Vm, p: Ref<Property>, f: Value| copy(vm, p, None, Some(f), None), "Descriptor to obtain a copy of the property with a different setter.";
        "deleter($self, object, /)" => |vm: &Vm, p: Ref<Property>, f: Value| copy(vm, p, None, None, Some(f)), "Descriptor to obtain a copy of the property with a different deleter.";
        "__set_name__($self, owner, name, /)" => set_name, "Method to set name of a property.";
        "__get__($self, instance, owner=None, /)" => get, "Return an attribute of instance, which is of type owner.";
        "__set__($self, instance, value, /)" => |vm: &Vm, p: Ref<Property>, obj: Value, v: Value| set(vm, p, obj, Some(v)), "Set an attribute of instance to value.";
        "__delete__($self, instance, /)" => |vm: &Vm, p: Ref<Property>, obj: Value| set(vm, p, obj, None), "Delete an attribute of instance.";
    }
    getset {
        "fget" => |_: &Vm, v: Ref<Property>| Ok(v.getter.or_none()), read_only;
        "fset" => |_: &Vm, v: Ref<Property>| Ok(v.setter.or_none()), read_only;
        "fdel" => |_: &Vm, v: Ref<Property>| Ok(v.deleter.or_none()), read_only;
        "__doc__" => |_: &Vm, v: Ref<Property>| Ok(v.doc.or_none()), |vm: &Vm, v: Ref<Property>, new: Option<Value>| {
            v.doc.set(vm, v, new);
            Ok(())
        };
        "__name__" => get_name, |vm: &Vm, v: Ref<Property>, new: Option<Value>| {
            v.name.set(vm, v, new);
            Ok(())
        };
        "__isabstractmethod__" => |vm: &Vm, v: Ref<Property>| {
            let p = v;
            Ok(Value::bool(
                is_abstract(vm, p.getter.get())? || is_abstract(vm, p.setter.get())? || is_abstract(vm, p.deleter.get())?,
            ))
        };
    }
}

fn read_only(vm: &Vm, _: Ref<Property>, _: Option<Value>) -> R<()> {
    Err(vm.attribute_error("readonly attribute"))
}

/// Bit of the header: the documentation is the getter's.
const DOC_OF_GETTER: u16 = 1;

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let first = args.positional().first().copied().unwrap_or(Value::NONE);
    Ok(vm.alloc_instance::<Property>(type_argument(vm, first, "property")?)?.value())
}

fn init(
    vm: &Vm,
    p: Ref<Property>,
    getter: Option<Value>,
    setter: Option<Value>,
    deleter: Option<Value>,
    doc: Option<Value>,
) -> R<()> {
    let given = |v: Option<Value>| v.filter(|v| !v.is_none());
    let put = |field: &Field, v: Option<Value>| field.set(vm, p, given(v));
    put(&p.getter, getter);
    put(&p.setter, setter);
    put(&p.deleter, deleter);
    let bits = p.header().bits.get() & !DOC_OF_GETTER;
    p.header().bits.set(bits);
    let mut doc = given(doc);
    if doc.is_none()
        && let Some(g) = given(getter)
        && let Some(d) = vm.find_attr(g, vm.names.__doc__)?.filter(|d| !d.is_none())
    {
        doc = Some(d);
        p.header().bits.set(bits | DOC_OF_GETTER);
    }
    if vm.type_of(p.value()) == vm.types.property {
        p.doc.set(vm, p, doc);
        return Ok(());
    }
    // A subclass's own `__doc__` would hide the field. One that has no room for it loses a text that is given.
    let from_getter = p.header().bits.get() & DOC_OF_GETTER != 0;
    match vm.set_attr(p.value(), vm.names.__doc__, doc.unwrap_or(Value::NONE)) {
        Err(_) if !from_getter && vm.catch(vm.exc.attribute_error).is_some() => Ok(()),
        r => r,
    }
}

fn set_name(vm: &Vm, args: Args<'_>) -> R<()> {
    let wrong =
        |n: usize| vm.type_error(format!("__set_name__() takes 2 positional arguments but {n} were given"));
    match *args.positional() {
        [this, _, name] => match this.cast::<Property>() {
            Some(p) => {
                p.name.set(vm, p, name);
                Ok(())
            }
            None => Err(vm.type_error(format!(
                "descriptor '__set_name__' for 'property' objects doesn't apply to a '{}' object",
                vm.type_name(this)
            ))),
        },
        [_, ref given @ ..] => Err(wrong(given.len())),
        [] => Err(vm.type_error("unbound method property.__set_name__() needs an argument")),
    }
}

fn copy(
    vm: &Vm,
    p: Ref<Property>,
    getter: Option<Value>,
    setter: Option<Value>,
    deleter: Option<Value>,
) -> R<Value> {
    let pick = |new: Option<Value>, old: &Field| new.filter(|v| !v.is_none()).unwrap_or(old.or_none());
    let from_getter = p.header().bits.get() & DOC_OF_GETTER != 0;
    let getter = pick(getter, &p.getter);
    let doc = if from_getter && !getter.is_none() { Value::NONE } else { p.doc.or_none() };
    let args = [getter, pick(setter, &p.setter), pick(deleter, &p.deleter), doc];
    let new = vm.call(vm.type_of(p.value()).value(), &args)?;
    if let Some(q) = new.cast::<Property>() {
        q.name.set(vm, q, p.name.get());
    }
    Ok(new)
}

fn get_name(vm: &Vm, v: Ref<Property>) -> R<Value> {
    let p = v;
    if let Some(n) = p.name.get() {
        return Ok(n);
    }
    let found = match p.getter.get() {
        Some(g) => vm.find_attr(g, vm.names.__name__)?,
        None => None,
    };
    found.ok_or_else(|| vm.no_attribute(v.value(), vm.names.__name__))
}

fn missing(vm: &Vm, p: Ref<Property>, obj: Value, what: &str) -> skein_runtime::value::Raised {
    let owner =
        vm.type_of(obj).qualname.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let name = match p.name.get() {
        Some(n) => format!(" {}", vm.repr_string(n).unwrap_or_default()),
        None => String::new(),
    };
    vm.attribute_error(format!("property{name} of '{owner}' object has no {what}"))
}

fn get(vm: &Vm, p: Ref<Property>, obj: Value, _owner: Option<Value>) -> R<Value> {
    if obj.is_none() {
        return Ok(p.value());
    }
    match p.getter.get() {
        Some(f) => vm.call(f, &[obj]),
        None => Err(missing(vm, p, obj, "getter")),
    }
}

fn set(vm: &Vm, p: Ref<Property>, obj: Value, v: Option<Value>) -> R<()> {
    let (f, what) = if v.is_some() { (p.setter.get(), "setter") } else { (p.deleter.get(), "deleter") };
    let Some(f) = f else { return Err(missing(vm, p, obj, what)) };
    let args = [obj, v.unwrap_or(Value::NONE)];
    vm.call(f, &args[..1 + usize::from(v.is_some())]).map(|_| ())
}
