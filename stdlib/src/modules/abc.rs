//! `_abc`: what abstract base classes know of other classes.

use super::weakref;
use rustc_hash::FxHashSet;
use skein_builtins::modules::import;
use skein_runtime::object::{Header, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::set::Set;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::types::weak_list::WeakList;
use skein_runtime::{R, Value, Vm, native_functions, native_type};
use std::cell::{Cell, RefCell};

const COLLECTIONS: u32 = type_flags::SEQUENCE | type_flags::MAPPING;

/// Counts registrations: what is known not to be a subclass may be one after another.
#[derive(Default)]
struct Token(Cell<u64>);

/// Classes by where they are; those that die are taken out.
#[derive(Default)]
struct Classes(RefCell<FxHashSet<*const Header>>);

impl Classes {
    fn has(&self, v: Value) -> bool {
        v.header().is_some_and(|h| self.0.borrow().contains(&std::ptr::from_ref(h)))
    }

    /// MemoryError.
    fn add(&self, vm: &Vm, owner: DataRef, class: Ref<Type>) -> R<()> {
        owner.barrier(vm);
        // Not held while an exception is made, which may collect.
        let room = self.0.borrow_mut().try_reserve(1);
        room.map_err(|_| vm.memory_error())?;
        self.0.borrow_mut().insert(std::ptr::from_ref(class.header()));
        Ok(())
    }

    fn clear(&self) {
        self.0.borrow_mut().clear();
    }

    fn retain(&self, is_live: &dyn Fn(*const Header) -> bool) {
        self.0.borrow_mut().retain(|&h| is_live(h));
    }
}

/// `_abc_impl` of a class.
struct Data {
    registry: WeakList,
    known: Classes,
    /// Classes that are none of its subclasses.
    others: Classes,
    /// The [`Token`] that `others` are of.
    token: Cell<u64>,
}

impl Payload for Data {
    const NAME: &'static str = "_abc._abc_data";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Data { registry: _, known: _, others: _, token: _ } = self;
    }
    fn clear_weak(&self, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        self.registry.retain(is_live);
        self.known.retain(is_live);
        self.others.retain(is_live);
        false
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        self.registry.free();
    }
}

type DataRef = Ref<Ext<Data>>;

native_type! {
    DATA: "_abc._abc_data", Kind::Ext, type_flags::NO_NEW, "Internal state held by ABC machinery.";
    methods {}
    getset {}
}

native_functions! { FUNCTIONS:
    "get_cache_token()" => |vm: &Vm| -> R<Value> { vm.int_u64(vm.state::<Token>().0.get()) },
        "Returns the current ABC cache token, which changes with every registration of a virtual subclass.";
    "_abc_init(self, /)" => init, "Sets up a new abstract base class.";
    "_abc_register(self, subclass, /)" => register, "Registers a virtual subclass.";
    "_abc_instancecheck(self, instance, /)" => instance_check, "isinstance() for an abstract base class.";
    "_abc_subclasscheck(self, subclass, /)" => subclass_check, "issubclass() for an abstract base class.";
    "_get_dump(self, /)" => dump, "The registry and the caches of an abstract base class.";
    "_reset_registry(self, /)" => |vm: &Vm, class: Value| -> R<()> { data(vm, class)?.registry.clear(); Ok(()) },
        "Forgets all virtual subclasses.";
    "_reset_caches(self, /)" => reset_caches, "Forgets what is known of classes.";
}

fn reset_caches(vm: &Vm, class: Value) -> R<()> {
    let data = data(vm, class)?;
    data.known.clear();
    data.others.clear();
    Ok(())
}

/// TypeError where a program has put something else there.
fn data(vm: &Vm, class: Value) -> R<DataRef> {
    match vm.get_attr_str(class, "_abc_impl")?.cast::<Ext<Data>>() {
        Some(data) => Ok(data),
        None => Err(vm.type_error("_abc_impl is set to a wrong type")),
    }
}

fn init(vm: &Vm, class: Value) -> R<()> {
    set_abstract_methods(vm, class)?;
    let token = vm.state::<Token>().0.get();
    let data = Data {
        registry: WeakList::default(),
        known: Classes::default(),
        others: Classes::default(),
        token: Cell::new(token),
    };
    let data = Ext::new(vm, ext_type(vm, &DATA)?, data)?;
    vm.heap.register_weak(data.header());
    vm.set_attr(class, vm.intern("_abc_impl")?, data.value())
}

fn is_abstract(vm: &Vm, v: Value) -> R<bool> {
    match vm.find_attr(v, vm.intern("__isabstractmethod__")?)? {
        Some(mark) => vm.truth(mark),
        None => Ok(false),
    }
}

fn set_abstract_methods(vm: &Vm, class: Value) -> R<()> {
    let names = Set::new(vm)?;
    let namespace = vm.get_attr(class, vm.names.__dict__)?;
    let items = vm.list_from(vm.call_method(namespace, "items", &[])?)?;
    let mut i = 0;
    while let Some(pair) = items.get(i) {
        i += 1;
        let Some(&[name, v]) = pair.cast::<Tuple>().as_ref().map(|t| t.items()) else {
            return Err(vm.type_error("Iteration over mapping did not give pairs"));
        };
        if is_abstract(vm, v)? {
            names.add(vm, name)?;
        }
    }
    let Some(bases) = vm.get_attr(class, vm.names.__bases__)?.cast::<Tuple>() else {
        return Err(vm.type_error("__bases__ is not tuple"));
    };
    for &base in bases.items() {
        let Some(inherited) = vm.find_attr(base, vm.names.__abstractmethods__)? else { continue };
        let inherited = vm.list_from(inherited)?;
        let mut i = 0;
        while let Some(name) = inherited.get(i) {
            i += 1;
            let Some(text) = name.cast::<Str>() else {
                return Err(vm.type_error("attribute name must be string"));
            };
            if let Some(v) = vm.find_attr(class, text)?
                && is_abstract(vm, v)?
            {
                names.add(vm, name)?;
            }
        }
    }
    let row = List::with_capacity(vm, names.len())?;
    for name in names.iter() {
        row.push(vm, name)?;
    }
    let frozen = vm.frozenset(row.items())?;
    vm.set_attr(class, vm.names.__abstractmethods__, frozen)
}

fn register(vm: &Vm, class: Value, subclass: Value) -> R<Value> {
    let Some(ty) = subclass.cast::<Type>() else {
        return Err(vm.type_error("Can only register classes"));
    };
    if vm.is_subclass(subclass, class)? {
        return Ok(subclass);
    }
    // Behind the first question: a class may be registered with itself.
    if vm.is_subclass(class, subclass)? {
        return Err(vm.runtime_error("Refusing to create an inheritance cycle"));
    }
    let data = data(vm, class)?;
    data.registry.add(vm, data, ty.header())?;
    let token = vm.state::<Token>();
    token.0.set(token.0.get() + 1);
    if let Some(base) = class.cast::<Type>() {
        let flags = base.flags.get() & COLLECTIONS;
        if flags != 0 && ty.has_flag(type_flags::HEAP) {
            ty.set_flag(COLLECTIONS, false);
            ty.set_flag(flags, true);
        }
    }
    Ok(subclass)
}

fn instance_check(vm: &Vm, class: Value, instance: Value) -> R<Value> {
    let data = data(vm, class)?;
    let subtype = vm.type_of(instance).value();
    let subclass = vm.find_attr(instance, vm.names.__class__)?.unwrap_or(subtype);
    if data.known.has(subclass) {
        return Ok(Value::TRUE);
    }
    if subtype.is(subclass) {
        if data.token.get() == vm.state::<Token>().0.get() && data.others.has(subclass) {
            return Ok(Value::FALSE);
        }
        return vm.call_method(class, "__subclasscheck__", &[subclass]);
    }
    let first = vm.call_method(class, "__subclasscheck__", &[subclass])?;
    if vm.truth(first)? {
        return Ok(first);
    }
    vm.call_method(class, "__subclasscheck__", &[subtype])
}

fn subclass_check(vm: &Vm, class: Value, subclass: Value) -> R<bool> {
    let Some(ty) = subclass.cast::<Type>() else {
        return Err(vm.type_error("issubclass() arg 1 must be a class"));
    };
    let data = data(vm, class)?;
    if data.known.has(subclass) {
        return Ok(true);
    }
    let token = vm.state::<Token>().0.get();
    if data.token.get() < token {
        data.others.clear();
        data.token.set(token);
    } else if data.others.has(subclass) {
        return Ok(false);
    }
    vm.check_depth()?;
    let found = is_virtual_subclass(vm, class, data, ty)?;
    let cache = if found { &data.known } else { &data.others };
    cache.add(vm, data, ty)?;
    Ok(found)
}

/// Asks the hook, the order of bases, and all classes that are known to be subclasses.
fn is_virtual_subclass(vm: &Vm, class: Value, data: DataRef, ty: Ref<Type>) -> R<bool> {
    let answer = vm.call_method(class, "__subclasshook__", &[ty.value()])?;
    if answer == Value::TRUE || answer == Value::FALSE {
        return Ok(answer == Value::TRUE);
    }
    if answer != Value::NOT_IMPLEMENTED {
        let message = "__subclasshook__ must return either False, True, or NotImplemented";
        return Err(vm.raise_text(vm.exc.assertion_error, message));
    }
    if class.cast::<Type>().is_some_and(|class| ty.is_subtype(class)) {
        return Ok(true);
    }
    // Classes may be registered while it is asked about those that there are.
    let mut i = 0;
    while let Some(registered) = data.registry.get::<Type>(i) {
        i += 1;
        if registered == ty || vm.is_subclass(ty.value(), registered.value())? {
            return Ok(true);
        }
    }
    let subclasses = vm.call_method(class, "__subclasses__", &[])?;
    let Some(subclasses) = subclasses.cast::<List>() else {
        return Err(vm.type_error("__subclasses__() must return a list"));
    };
    let mut i = 0;
    while let Some(sub) = subclasses.get(i) {
        i += 1;
        if vm.is_subclass(ty.value(), sub)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Sets of weak references to the registered, known and other classes, and the token.
fn dump(vm: &Vm, class: Value) -> R<Value> {
    let data = data(vm, class)?;
    let registry = List::with_capacity(vm, 4)?;
    let mut i = 0;
    while let Some(ty) = data.registry.get::<Type>(i) {
        i += 1;
        registry.push(vm, ty.value())?;
    }
    let row = [
        references(vm, registry)?,
        references(vm, members(vm, &data.known)?)?,
        references(vm, members(vm, &data.others)?)?,
        vm.int_u64(data.token.get())?,
    ];
    vm.tuple(&row)
}

fn members(vm: &Vm, classes: &Classes) -> R<Ref<List>> {
    // Room for all is made before: a collection takes dead ones out of the set.
    let list = List::with_capacity(vm, classes.0.borrow().len())?;
    for &h in classes.0.borrow().iter() {
        // SAFETY: those that died were taken out.
        list.push(vm, unsafe { Ref::<Type>::from_header(h.cast_mut()) }.value())?;
    }
    Ok(list)
}

fn references(vm: &Vm, classes: Ref<List>) -> R<Value> {
    let set = Set::new(vm)?;
    let kind = vm.get_attr_str(import(vm, "_weakref")?, "ref")?;
    let Some(kind) = kind.cast::<Type>() else { return Err(vm.type_error("_weakref.ref is no type")) };
    let mut i = 0;
    while let Some(class) = classes.get(i) {
        i += 1;
        set.add(vm, weakref::make_weak(vm, kind, class, None)?)?;
    }
    Ok(set.value())
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "_abc", FUNCTIONS)
}
