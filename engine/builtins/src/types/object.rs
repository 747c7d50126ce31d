//! What Python code sees of `object`.

use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref, dict_word};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub DEF: "object", Kind::Instance, type_flags::BASETYPE,
        "The base class of the class hierarchy.\n\nWhen called, it accepts no arguments and returns a new featureless\ninstance that has no instance attributes and cannot be given any.\n";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, *args, **kwargs)" => init;
        "__repr__($self, /)" => repr;
        "__str__($self, /)" => str;
        "__format__($self, format_spec, /)" => format;
        "__hash__($self, /)" => hash;
        "__eq__($self, value, /)" => eq;
        "__ne__($self, value, /)" => ne;
        "__lt__($self, value, /)" => unordered;
        "__le__($self, value, /)" => unordered;
        "__gt__($self, value, /)" => unordered;
        "__ge__($self, value, /)" => unordered;
        "__getattribute__($self, name, /)" => getattribute;
        "__setattr__($self, name, value, /)" => setattr;
        "__delattr__($self, name, /)" => delattr;
        "__dir__($self, /)" => dir;
        "__sizeof__($self, /)" => sizeof;
        "__reduce__($self, /)" => reduce;
        "__reduce_ex__($self, protocol, /)" => reduce_ex;
        "__getstate__($self, /)" => getstate;
        [class] "__init_subclass__($type, /)" => init_subclass;
        [class] "__subclasshook__($type, object, /)" => subclasshook;
    }
    getset {
        [leaf] "__class__" => |vm: &Vm, v: Value| Ok(vm.type_of(v).value()), set_class;
    }
}

/// Does the type take its `__new__` or `__init__` from somewhere else than `object`?
fn overrides(vm: &Vm, ty: Ref<Type>, s: Special, own: Value) -> bool {
    ty.special(vm, s).is_some_and(|f| !f.is(own))
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(ty) = args.positional().first().and_then(|t| t.cast::<Type>()) else {
        return Err(vm.type_error("object.__new__(X): X is not a type object"));
    };
    if args.positional().len() > 1 || args.has_keywords() {
        if overrides(vm, ty, Special::New, vm.object_new()) {
            return Err(
                vm.type_error("object.__new__() takes exactly one argument (the type to instantiate)")
            );
        }
        if !overrides(vm, ty, Special::Init, vm.object_init()) {
            return Err(vm.type_error(format!("{}() takes no arguments", ty.name_string())));
        }
    }
    if ty.has_flag(type_flags::NO_NEW) && !ty.has_flag(type_flags::HEAP) {
        return Err(vm.type_error(format!("cannot create '{}' instances", ty.message_name())));
    }
    if ty.has_builtin_layout()
        && !overrides(vm, ty, Special::New, vm.object_new())
        && !ty.has_flag(type_flags::HEAP)
    {
        return Err(vm.type_error(format!("cannot create '{}' instances", ty.message_name())));
    }
    if ty.has_builtin_layout() {
        let kind = Kind::ALL[ty.instance_kind() as usize];
        if kind == Kind::Exception {
            return Ok(skein_runtime::types::exception::Exception::new(vm, ty, &[])?.value());
        }
        return Err(vm.type_error(format!(
            "object.__new__({0}) is not safe, use {1}.__new__()",
            ty.name_string(),
            vm.kind_name(kind)
        )));
    }
    vm.new_instance(ty)
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let Some(&this) = args.positional().first() else {
        return Err(vm.type_error("descriptor '__init__' of 'object' object needs an argument"));
    };
    if args.positional().len() > 1 || args.has_keywords() {
        let ty = vm.type_of(this);
        if overrides(vm, ty, Special::Init, vm.object_init()) {
            return Err(
                vm.type_error("object.__init__() takes exactly one argument (the instance to initialize)")
            );
        }
        if !overrides(vm, ty, Special::New, vm.object_new()) {
            return Err(vm.type_error(format!(
                "{}.__init__() takes exactly one argument (the instance to initialize)",
                ty.name_string()
            )));
        }
    }
    Ok(())
}

fn repr(vm: &Vm, v: Value) -> R<String> {
    let ty = vm.type_of(v);
    let qualname = vm.str_string(ty.qualname.value())?;
    let module = skein_runtime::types::typeobj::type_module(vm, ty)?.and_then(|m| m.cast::<Str>());
    Ok(match module {
        Some(m) if m.bytes() != b"builtins" => {
            format!("<{}.{qualname} object at {:#x}>", m.to_string_lossy(), v.bits())
        }
        _ => format!("<{qualname} object at {:#x}>", v.bits()),
    })
}

/// Who asks for the text checks what it is.
fn str(vm: &Vm, v: Value) -> R<Value> {
    match vm.type_of(v).special(vm, Special::Repr) {
        Some(f) => vm.special_1(f, v),
        None => Ok(vm.repr(v)?.value()),
    }
}

fn format(vm: &Vm, v: Value, spec: Ref<Str>) -> R<Value> {
    if !spec.bytes().is_empty() {
        return Err(
            vm.type_error(format!("unsupported format string passed to {}.__format__", vm.type_name(v)))
        );
    }
    Ok(vm.to_str(v)?.value())
}

fn hash(vm: &Vm, v: Value) -> R<Value> {
    // Objects do not move. Rotated as CPython's, since the low bits are always 0.
    vm.int((v.bits().rotate_right(4) & (u64::MAX >> 3)) as i64)
}

fn eq(_: &Vm, a: Value, b: Value) -> Value {
    if a.is(b) { Value::TRUE } else { Value::NOT_IMPLEMENTED }
}

fn ne(vm: &Vm, a: Value, b: Value) -> R<Value> {
    let Some(f) = vm.type_of(a).special(vm, Special::Eq) else { return Ok(Value::NOT_IMPLEMENTED) };
    let r = vm.special_2(f, a, b)?;
    if r.is(Value::NOT_IMPLEMENTED) {
        return Ok(r);
    }
    Ok(Value::bool(!vm.truth(r)?))
}

fn unordered(_: &Vm, _: Value, _: Value) -> Value {
    Value::NOT_IMPLEMENTED
}

/// The name argument of attribute functions, interned. TypeError.
pub fn attribute_name(vm: &Vm, name: Value) -> R<Ref<Str>> {
    match name.cast::<Str>() {
        Some(s) => Ok(vm.intern_str(s)),
        None => Err(vm.type_error(format!("attribute name must be string, not '{}'", vm.type_name(name)))),
    }
}

fn getattribute(vm: &Vm, v: Value, name: Value) -> R<Value> {
    let name = attribute_name(vm, name)?;
    match vm.generic_get_attr(v, name)? {
        Some(v) => Ok(v),
        None => Err(vm.no_attribute(v, name)),
    }
}

fn setattr(vm: &Vm, v: Value, name: Value, new: Value) -> R<()> {
    let name = attribute_name(vm, name)?;
    if v.cast::<Type>().is_some() {
        return Err(vm.type_error("can't apply this __setattr__ to type object"));
    }
    vm.generic_set_attr(v, name, Some(new))
}

fn delattr(vm: &Vm, v: Value, name: Value) -> R<()> {
    vm.generic_set_attr(v, attribute_name(vm, name)?, None)
}

fn dir(vm: &Vm, v: Value) -> R<Value> {
    let names = Dict::new(vm)?;
    if let Some(d) = vm.find_attr(v, vm.names.__dict__)?.and_then(|d| d.cast::<Dict>()) {
        names.update(vm, d)?;
    }
    for c in vm.type_of(v).mro().items() {
        if let Some(c) = c.cast::<Type>() {
            names.update(vm, c.dict())?;
        }
    }
    let list = List::with_capacity(vm, names.len())?;
    for (k, _) in names.iter() {
        list.push(vm, k)?;
    }
    Ok(list.value())
}

fn sizeof(_: &Vm, v: Value) -> usize {
    match v.header() {
        // SAFETY: the header of a live object.
        Some(h) => unsafe { <skein_runtime::object::Model as skein_heap::ObjectModel>::size(h) },
        None => 8,
    }
}

fn reduce(vm: &Vm, v: Value) -> R<Value> {
    copyreg_reduce(vm, v, 0)
}

fn reduce_ex(vm: &Vm, v: Value, protocol: i64) -> R<Value> {
    let own = vm.type_of(v).lookup(vm, vm.names.__reduce__);
    if own != vm.types.object.lookup(vm, vm.names.__reduce__)
        && let Some(f) = own
    {
        return vm.special_1(f, v);
    }
    copyreg_reduce(vm, v, protocol)
}

/// `copyreg` has the protocols' common part in Python.
fn copyreg_reduce(vm: &Vm, v: Value, protocol: i64) -> R<Value> {
    if protocol >= 2 {
        return crate::modules::reduce_2(vm, v);
    }
    let copyreg = crate::modules::import(vm, "copyreg")?;
    vm.call_method(copyreg, "_reduce_ex", &[v, Value::small_int(protocol)])
}

fn getstate(vm: &Vm, v: Value) -> R<Value> {
    crate::modules::default_getstate(vm, v)
}

fn init_subclass(vm: &Vm, args: Args<'_>) -> R<()> {
    if args.has_keywords() || args.positional().len() > 1 {
        let ty = args.positional().first().and_then(|t| t.cast::<Type>());
        return Err(vm.type_error(format!(
            "{}.__init_subclass__() takes no keyword arguments",
            ty.map(|t| t.name_string()).unwrap_or_default()
        )));
    }
    Ok(())
}

fn subclasshook(_: &Vm, _: Value, _: Value) -> Value {
    Value::NOT_IMPLEMENTED
}

fn set_class(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    let Some(new) = new else { return Err(vm.type_error("can't delete __class__ attribute")) };
    let Some(to) = new.cast::<Type>() else {
        return Err(
            vm.type_error(format!("__class__ must be set to a class, not '{}' object", vm.type_name(new)))
        );
    };
    vm.audit("object.__setattr__", || vm.tuple(&[v, vm.str("__class__")?, new]))?;
    let from = vm.type_of(v);
    if let Some(m) = v.cast::<skein_runtime::types::module::Module>()
        && to.is_subtype(vm.types.module)
    {
        vm.heap.write_barrier(m.header());
        m.header().shape.set(to.root_shape_id());
        return Ok(());
    }
    if !(from.has_flag(type_flags::HEAP) && to.has_flag(type_flags::HEAP)) {
        return Err(
            vm.type_error("__class__ assignment only supported for mutable types or ModuleType subclasses")
        );
    }
    // `__slots__ = ()` adds nothing.
    let slot_names = |ty: Ref<Type>| ty.slot_names.cast::<Tuple>().map_or(Vec::new(), |t| t.items().to_vec());
    let same_layout = from.instance_kind() == to.instance_kind()
        && from.slot_count() == to.slot_count()
        && slot_names(from) == slot_names(to)
        && from.has_flag(type_flags::HAS_DICT) == to.has_flag(type_flags::HAS_DICT)
        && from.has_flag(type_flags::SLOT_WORD) == to.has_flag(type_flags::SLOT_WORD);
    if !same_layout {
        return Err(vm.type_error(format!(
            "__class__ assignment: '{}' object layout differs from '{}'",
            to.name_string(),
            from.name_string()
        )));
    }
    // The object leads to another class from now on.
    if let Some(h) = v.header() {
        vm.heap.write_barrier(h);
    }
    match v.cast::<skein_runtime::types::instance::Instance>() {
        Some(i) => {
            if from.has_flag(type_flags::HAS_DICT) {
                i.to_dict(vm)?;
                i.header().shape.set(to.dict_shape(vm).id);
            } else {
                i.header().shape.set(to.root_shape_id());
            }
        }
        None => {
            if let Some(h) = v.header() {
                let has_dict = dict_word(h).is_some_and(|word| word.get().is_some());
                h.shape.set(if has_dict { to.dict_shape(vm).id } else { to.root_shape_id() });
            }
        }
    }
    Ok(())
}
