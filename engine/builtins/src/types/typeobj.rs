//! What Python code sees of `type`: making classes, their attributes, the MRO.

use super::function::annotations_by;
use skein_runtime::interp::{At, SoftCall, TaskRef, construct, run_task, run_task_soft};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::function::Function;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::types::typeobj::{compute_mro, type_module};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub DEF: "type", Kind::Type, type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type";
    methods {
        [static soft new_soft] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, *args, **kwargs)" => init;
        [soft call_soft] "__call__($self, /, *args, **kwargs)" => call;
        "__repr__($self, /)" => repr;
        "__getattribute__($self, name, /)" => getattribute;
        "__setattr__($self, name, value, /)" => setattr;
        "__delattr__($self, name, /)" => delattr;
        "mro($self, /)" => mro, "Return a type's method resolution order.";
        "__subclasses__($self, /)" => subclasses, "Return a list of immediate subclasses.";
        [class] "__prepare__($cls, name=None, bases=None, /, **kwds)" => prepare;
        "__instancecheck__($self, instance, /)" => instancecheck;
        "__subclasscheck__($self, subclass, /)" => subclasscheck;
        "__dir__($self, /)" => dir;
        "__or__($self, value, /)" => union_or;
        "__ror__($self, value, /)" => union_ror;
    }
    getset {
        "__name__" => get_name, set_name;
        "__qualname__" => get_qualname, set_qualname;
        "__module__" => get_module, set_module;
        "__bases__" => |_: &Vm, v: Ref<Type>| Ok(v.bases.or_none()), set_bases;
        "__base__" => |_: &Vm, v: Ref<Type>| Ok(v.base.or_none());
        "__mro__" => |_: &Vm, v: Ref<Type>| Ok(v.mro.or_none());
        "__dict__" => get_dict;
        "__doc__" => get_doc, set_doc;
        "__abstractmethods__" => get_abstract, set_abstract;
        "__flags__" => |vm: &Vm, v: Ref<Type>| vm.int(i64::from(python_flags(v)));
        "__basicsize__" => |_: &Vm, _: Value| Ok(Value::small_int(16));
        "__itemsize__" => |_: &Vm, _: Value| Ok(Value::small_int(0));
        "__dictoffset__" => |_: &Vm, v: Ref<Type>| Ok(Value::small_int(if v.has_flag(type_flags::HAS_DICT) { -1 } else { 0 }));
        "__text_signature__" => text_signature;
        "__weakrefoffset__" => |_: &Vm, v: Ref<Type>| Ok(Value::small_int(if v.has_flag(type_flags::HAS_WEAKREF) { -1 } else { 0 }));
        "__annotations__" => get_annotations, set_annotations;
        "__annotate__" => get_annotate, set_annotate;
        "__type_params__" => get_type_params, set_type_params;
    }
}

/// `__dict__` of the instances of a class.
pub(crate) static DICT: skein_runtime::native::GetSetDef =
    skein_runtime::native::GetSetDef::new("__dict__", super::get_dict)
        .settable(set_instance_dict)
        .doc("dictionary for instance variables");

/// `__dict__` of the instances of a builtin class, which cannot be deleted.
pub(crate) static BUILTIN_DICT: skein_runtime::native::GetSetDef =
    skein_runtime::native::GetSetDef::new("__dict__", super::get_dict)
        .settable(super::set_dict)
        .doc("dictionary for instance variables");

/// Without a new one, the instance begins with an empty one.
fn set_instance_dict(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    let new = new.map_or_else(|| Dict::new(vm).map(Value::from), Ok)?;
    super::set_dict(vm, v, Some(new))
}

/// The parameters of a type in Rust, where its constructor names them.
fn text_signature(vm: &Vm, t: Ref<Type>) -> R<Value> {
    let Some(def) = t.def().filter(|_| !t.has_flag(type_flags::HEAP)) else { return Ok(Value::NONE) };
    if t == vm.types.object {
        return vm.str("()");
    }
    if def.kind == Kind::Tuple && t != vm.types.tuple {
        // A struct sequence.
        return vm.str("(iterable=(), /)");
    }
    if let Some(known) = super::signatures::of_type(def.name) {
        return known.map_or(Ok(Value::NONE), |text| vm.str(text));
    }
    let constructors =
        ["__init__", "__new__"].into_iter().filter_map(|n| def.methods.iter().find(|m| m.name == n));
    for m in constructors {
        let Some(open) = m.signature.find('(') else { continue };
        let inside = &m.signature[open + 1..];
        let rest =
            ["$type, /, ", "$type, ", "$self, /, ", "$self, "].iter().find_map(|p| inside.strip_prefix(p));
        if let Some(rest) = rest.filter(|rest| !rest.starts_with('*')) {
            return vm.str(&format!("({rest}"));
        }
    }
    Ok(Value::NONE)
}

/// `__weakref__` of the instances of a class: the first reference to one.
pub(crate) static WEAKREF: skein_runtime::native::GetSetDef =
    skein_runtime::native::GetSetDef::new("__weakref__", get_weakref)
        .doc("list of weak references to the object");

fn get_weakref(vm: &Vm, v: Value) -> R<Value> {
    let all = vm.call_method(crate::modules::import(vm, "_weakref")?, "getweakrefs", &[v])?;
    Ok(all.cast::<List>().and_then(|l| l.get(0)).unwrap_or(Value::NONE))
}

/// CPython's `Py_TPFLAGS_*` bits that library code looks at.
fn python_flags(t: Ref<Type>) -> u32 {
    let mut f = 1 << 12;
    if t.has_flag(type_flags::FIXED) {
        f |= 1 << 8 | 1 << 9;
    } else if t.has_flag(type_flags::HEAP) {
        f |= 1 << 9;
    } else {
        f |= 1 << 8;
        // Types of modules are made at run time in CPython too.
        if t.def().is_some_and(|d| d.name.contains('.')) {
            f |= 1 << 9;
        }
    }
    if t.has_flag(type_flags::BASETYPE) {
        f |= 1 << 10;
    }
    if t.has_flag(type_flags::ABSTRACT) {
        f |= 1 << 20;
    }
    f
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    match begin_new(vm, args)? {
        Begun::Made(v) => Ok(v),
        Begun::Finish(task) => run_task(vm, task),
    }
}

fn new_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    match begin_new(vm, call.args) {
        Ok(Begun::Made(v)) => call.done(vm, v),
        Ok(Begun::Finish(task)) => run_task_soft(vm, call, task),
        Err(Raised) => call.raised(vm),
    }
}

/// What `type.__new__` comes to.
enum Begun {
    Made(Value),
    /// The class is made; its attributes and bases are to be told.
    Finish(TaskRef),
}

fn begin_new(vm: &Vm, args: Args<'_>) -> R<Begun> {
    let all = args.positional();
    let Some(meta) = all.first().and_then(|m| m.cast::<Type>()) else {
        return Err(vm.type_error("type.__new__(X): X is not a type object"));
    };
    if all.len() == 2 && meta == vm.types.type_ && !args.has_keywords() {
        return Ok(Begun::Made(vm.type_of(all[1]).value()));
    }
    if all.len() != 4 {
        return Err(vm.type_error(if meta == vm.types.type_ {
            "type() takes 1 or 3 arguments".to_string()
        } else {
            format!("type.__new__() takes exactly 3 arguments ({} given)", all.len().saturating_sub(1))
        }));
    }
    let wrong = |i: usize, what: &str, v: Value| {
        vm.type_error(format!("type.__new__() argument {i} must be {what}, not {}", vm.type_name(v)))
    };
    let Some(name) = all[1].cast::<Str>() else { return Err(wrong(1, "str", all[1])) };
    let Some(bases) = all[2].cast::<Tuple>() else { return Err(wrong(2, "tuple", all[2])) };
    let Some(dict) = all[3].cast::<Dict>() else { return Err(wrong(3, "dict", all[3])) };
    for b in bases.items() {
        if b.cast::<Type>().is_none() && vm.find_attr(*b, vm.names.__mro_entries__)?.is_some() {
            return Err(vm.type_error("type() doesn't support MRO entry resolution; use types.new_class()"));
        }
    }
    let winner = vm.most_derived_metaclass(meta, bases)?;
    if winner != meta {
        // The winner's own `__new__` makes the class.
        let new = vm.get_attr(winner.value(), vm.names.__new__)?;
        let own = vm.get_attr(meta.value(), vm.names.__new__)?;
        if !new.is(own) {
            let (rest, names) = args.parts();
            let list = List::new(vm, rest)?;
            list.store(vm, 0, winner.value());
            return vm.call_args(new, Args::new(list.items(), names)).map(Begun::Made);
        }
    }
    super::class::new_class(vm, winner, name, bases, dict, args).map(Begun::Finish)
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let n = args.positional().len();
    if n == 2 && args.has_keywords() {
        return Err(vm.type_error("type.__init__() takes no keyword arguments"));
    }
    if n != 2 && n != 4 {
        return Err(vm.type_error("type.__init__() takes 1 or 3 arguments"));
    }
    Ok(())
}

fn call(vm: &Vm, args: Args<'_>) -> R<Value> {
    match args.positional().first().and_then(|t| t.cast::<Type>()) {
        Some(t) => vm.construct(t, args.rest()),
        None => Err(vm.type_error("descriptor '__call__' requires a 'type' object")),
    }
}

fn call_soft(vm: &Vm, c: &SoftCall<'_>) -> At {
    match c.args.positional().first().and_then(|t| t.cast::<Type>()) {
        Some(t) => c.go_on(vm, construct(vm, c.resume, t, c.args.rest(), c.cont)),
        None => {
            let _: Raised = vm.type_error("descriptor '__call__' requires a 'type' object");
            c.raised(vm)
        }
    }
}

fn repr(vm: &Vm, t: Ref<Type>) -> R<String> {
    let qualname = vm.str_string(t.qualname.value())?;
    Ok(match type_module(vm, t)?.and_then(|m| m.cast::<Str>()) {
        Some(m) if m.bytes() != b"builtins" => format!("<class '{}.{qualname}'>", m.to_string_lossy()),
        _ => format!("<class '{qualname}'>"),
    })
}

fn attribute_name(vm: &Vm, name: Value) -> R<Ref<Str>> {
    match name.cast::<Str>() {
        Some(s) => Ok(vm.intern_str(s)),
        None => Err(vm.type_error(format!("attribute name must be string, not '{}'", vm.type_name(name)))),
    }
}

fn getattribute(vm: &Vm, t: Ref<Type>, name: Value) -> R<Value> {
    let name = attribute_name(vm, name)?;
    match vm.generic_get_attr(t.value(), name)? {
        Some(v) => Ok(v),
        None => Err(vm.no_attribute(t.value(), name)),
    }
}

fn setattr(vm: &Vm, t: Ref<Type>, name: Value, v: Value) -> R<()> {
    vm.generic_set_attr(t.value(), attribute_name(vm, name)?, Some(v))
}

fn delattr(vm: &Vm, t: Ref<Type>, name: Value) -> R<()> {
    vm.generic_set_attr(t.value(), attribute_name(vm, name)?, None)
}

fn mro(vm: &Vm, t: Ref<Type>) -> R<Value> {
    Ok(List::new(vm, compute_mro(vm, t)?.items())?.value())
}

fn subclasses(vm: &Vm, t: Ref<Type>) -> R<Value> {
    let list = List::with_capacity(vm, 4)?;
    let mut error = Ok(());
    vm.for_each_subclass(t, &mut |s| {
        if error.is_ok() {
            error = list.push(vm, s.value());
        }
    });
    error?;
    Ok(list.value())
}

fn prepare(vm: &Vm, _args: Args<'_>) -> R<Ref<Dict>> {
    Dict::new(vm)
}

fn instancecheck(vm: &Vm, t: Ref<Type>, v: Value) -> R<bool> {
    vm.is_instance_plain(v, t)
}

fn subclasscheck(vm: &Vm, t: Ref<Type>, c: Value) -> R<bool> {
    vm.is_subclass_by_bases(c, t.value())
}

fn dir(vm: &Vm, t: Ref<Type>) -> R<Value> {
    let names = Dict::new(vm)?;
    for c in t.mro().items().iter().rev() {
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

fn union_or(vm: &Vm, a: Value, b: Value) -> R<Value> {
    crate::modules::make_union(vm, a, b)
}

fn union_ror(vm: &Vm, a: Value, b: Value) -> R<Value> {
    crate::modules::make_union(vm, b, a)
}

// ---- attributes

fn check_settable(vm: &Vm, t: Ref<Type>, what: &str, v: Option<Value>) -> R<()> {
    if t.has_flag(type_flags::HEAP) && !t.has_flag(type_flags::FIXED) {
        return match v {
            Some(v) => vm.audit("object.__setattr__", || vm.tuple(&[t.value(), vm.str(what)?, v])),
            None => Ok(()),
        };
    }
    Err(vm.type_error(format!("cannot set '{what}' attribute of immutable type '{}'", t.message_name())))
}

fn get_name(_: &Vm, v: Ref<Type>) -> R<Value> {
    Ok(v.name.value())
}

fn set_string(vm: &Vm, t: Ref<Type>, what: &str, v: Option<Value>) -> R<Value> {
    check_settable(vm, t, what, v)?;
    match v {
        None => Err(vm.type_error(format!("cannot delete '{what}' attribute of type '{}'", t.name_string()))),
        Some(v) if v.cast::<Str>().is_some() => Ok(v),
        Some(v) => Err(vm.type_error(format!(
            "can only assign string to {}.{what}, not '{}'",
            t.name_string(),
            vm.type_name(v)
        ))),
    }
}

fn set_name(vm: &Vm, obj: Ref<Type>, v: Option<Value>) -> R<()> {
    let t = obj;
    let v = set_string(vm, t, "__name__", v)?;
    if let Some(name) = v.cast::<Str>() {
        super::class::check_text(vm, name, "type name must not contain null characters")?;
    }
    t.name.set(vm, t, v);
    Ok(())
}

fn get_qualname(_: &Vm, v: Ref<Type>) -> R<Value> {
    Ok(v.qualname.value())
}

fn set_qualname(vm: &Vm, obj: Ref<Type>, v: Option<Value>) -> R<()> {
    let t = obj;
    let v = set_string(vm, t, "__qualname__", v)?;
    t.qualname.set(vm, t, v);
    Ok(())
}

fn get_module(vm: &Vm, v: Ref<Type>) -> R<Value> {
    match type_module(vm, v)? {
        Some(m) => Ok(m),
        None => Err(vm.attribute_error("__module__")),
    }
}

fn set_module(vm: &Vm, obj: Ref<Type>, v: Option<Value>) -> R<()> {
    check_settable(vm, obj, "__module__", v)?;
    match v {
        Some(v) => {
            // Where it begins is told of the module that it was made in.
            obj.dict().delete_str(vm, vm.intern("__firstlineno__")?)?;
            obj.set_own(vm, vm.names.__module__, v)
        }
        None => Err(vm.type_error("cannot delete '__module__' attribute")),
    }
}

pub(super) fn get_dict(vm: &Vm, v: Ref<Type>) -> R<Value> {
    Ok(skein_runtime::types::mappingproxy::MappingProxy::new(vm, v.dict.value())?.value())
}

fn get_doc(vm: &Vm, v: Ref<Type>) -> R<Value> {
    let native = !v.has_flag(type_flags::HEAP);
    if native && let Some(doc) = v.def().and_then(|d| d.doc) {
        return vm.str(doc);
    }
    match v.dict().get_str(vm, vm.names.__doc__)? {
        // A computed attribute of a builtin type is for its instances.
        Some(d) if native && d.cast::<Str>().is_none() => Ok(Value::NONE),
        Some(d) if d.cast::<Function>().is_none() => {
            match vm.type_of(d).special(vm, skein_bytecode::Special::Get) {
                Some(_) => vm.call_method(d, "__get__", &[Value::NONE, v.value()]),
                None => Ok(d),
            }
        }
        Some(d) => Ok(d),
        None => Ok(Value::NONE),
    }
}

fn set_doc(vm: &Vm, obj: Ref<Type>, v: Option<Value>) -> R<()> {
    check_settable(vm, obj, "__doc__", v)?;
    match v {
        Some(v) => obj.set_own(vm, vm.names.__doc__, v),
        None => Err(vm.type_error(format!(
            "cannot delete '__doc__' attribute of immutable type '{}'",
            obj.message_name()
        ))),
    }
}

fn get_abstract(vm: &Vm, v: Ref<Type>) -> R<Value> {
    let own = v.dict().get_str(vm, vm.names.__abstractmethods__)?;
    match own {
        Some(a) if !v.value().is(vm.types.type_.value()) => Ok(a),
        _ => Err(vm.no_attribute(v.value(), vm.names.__abstractmethods__)),
    }
}

fn set_abstract(vm: &Vm, obj: Ref<Type>, v: Option<Value>) -> R<()> {
    let t = obj;
    match v {
        Some(v) => {
            let abstract_ = vm.truth(v)?;
            t.set_own(vm, vm.names.__abstractmethods__, v)?;
            t.set_flag(type_flags::ABSTRACT, abstract_);
        }
        None => {
            if !t.dict().delete_str(vm, vm.names.__abstractmethods__)? {
                return Err(vm.no_attribute(obj.value(), vm.names.__abstractmethods__));
            }
            t.modified_name(vm, vm.names.__abstractmethods__);
            t.set_flag(type_flags::ABSTRACT, false);
        }
    }
    Ok(())
}

fn get_annotate(vm: &Vm, t: Ref<Type>) -> R<Value> {
    if !t.has_flag(type_flags::HEAP) {
        return Err(vm.no_attribute(t.value(), vm.intern("__annotate__")?));
    }
    for name in ["__annotate__", "__annotate_func__"] {
        if let Some(f) = t.dict().get_name(vm, name)? {
            return Ok(f);
        }
    }
    t.set_own(vm, vm.intern("__annotate_func__")?, Value::NONE)?;
    Ok(Value::NONE)
}

fn set_annotate(vm: &Vm, t: Ref<Type>, v: Option<Value>) -> R<()> {
    check_settable(vm, t, "__annotate__", v)?;
    let Some(v) = v else { return Err(vm.type_error("cannot delete __annotate__ attribute")) };
    if !v.is_none() && !vm.is_callable(v) {
        return Err(vm.type_error("__annotate__ must be callable or None"));
    }
    t.set_own(vm, vm.intern("__annotate_func__")?, v)?;
    if !v.is_none() {
        t.dict().delete_str(vm, vm.intern("__annotations_cache__")?)?;
        t.modified(vm);
    }
    Ok(())
}

fn get_annotations(vm: &Vm, t: Ref<Type>) -> R<Value> {
    if !t.has_flag(type_flags::HEAP) {
        return Err(vm.no_attribute(t.value(), vm.names.__annotations__));
    }
    for name in ["__annotations__", "__annotations_cache__"] {
        if let Some(a) = t.dict().get_name(vm, name)? {
            return Ok(a);
        }
    }
    let annotate = get_annotate(vm, t)?;
    let made = match annotate.is_none() {
        true => Dict::new(vm)?.value(),
        false => annotations_by(vm, annotate)?,
    };
    t.set_own(vm, vm.intern("__annotations_cache__")?, made)?;
    Ok(made)
}

fn set_annotations(vm: &Vm, t: Ref<Type>, v: Option<Value>) -> R<()> {
    check_settable(vm, t, "__annotations__", v)?;
    let dict = t.dict();
    match v {
        Some(v) => {
            let name = match dict.get_str(vm, vm.names.__annotations__)? {
                Some(_) => vm.names.__annotations__,
                None => vm.intern("__annotations_cache__")?,
            };
            t.set_own(vm, name, v)?;
        }
        None => {
            let mut found = dict.delete_str(vm, vm.names.__annotations__)?;
            if !found {
                found = dict.delete_str(vm, vm.intern("__annotations_cache__")?)?;
            }
            if !found {
                return Err(vm.attribute_error("__annotations__"));
            }
        }
    }
    // What would make others is not theirs any more.
    for name in ["__annotate__", "__annotate_func__"] {
        dict.delete_str(vm, vm.intern(name)?)?;
    }
    t.modified(vm);
    Ok(())
}

fn get_type_params(vm: &Vm, v: Ref<Type>) -> R<Value> {
    match v.dict().get_str(vm, vm.names.__type_params__)? {
        // What `type` itself has is this attribute.
        Some(t) if v != vm.types.type_ => Ok(t),
        _ => vm.tuple(&[]),
    }
}

fn set_type_params(vm: &Vm, obj: Ref<Type>, v: Option<Value>) -> R<()> {
    check_settable(vm, obj, "__type_params__", v)?;
    match v {
        Some(v) => obj.set_own(vm, vm.names.__type_params__, v),
        None => Err(vm.type_error("cannot delete '__type_params__' attribute")),
    }
}

fn set_bases(vm: &Vm, t: Ref<Type>, v: Option<Value>) -> R<()> {
    check_settable(vm, t, "__bases__", v)?;
    let name = t.name_string();
    let Some(v) = v else {
        return Err(vm.type_error(format!("cannot delete '__bases__' attribute of type '{name}'")));
    };
    let Some(bases) = v.cast::<Tuple>() else {
        let got = vm.type_name(v);
        return Err(vm.type_error(format!("can only assign tuple to {name}.__bases__, not {got}")));
    };
    if bases.is_empty() {
        return Err(vm.type_error(format!("can only assign non-empty tuple to {name}.__bases__, not ()")));
    }
    for &b in bases.items() {
        let Some(b) = b.cast::<Type>() else {
            return Err(vm.type_error(format!(
                "{name}.__bases__ must be tuple of classes, not '{}'",
                vm.type_name(b)
            )));
        };
        if b.is_subtype(t) || std::iter::successors(Some(b), |b| b.base()).any(|b| b == t) {
            return Err(vm.type_error("a __bases__ item causes an inheritance cycle"));
        }
    }
    let best = vm.best_base(bases)?;
    let old_best = t.base().unwrap_or(vm.types.object);
    const KEPT: u32 = type_flags::HAS_DICT | type_flags::HAS_WEAKREF;
    let same_flags = t.flags.get() & KEPT | best.flags.get() & KEPT == t.flags.get() & KEPT;
    if best.solid_base() != old_best.solid_base() || !same_flags {
        return Err(vm.type_error(format!(
            "__bases__ assignment: '{}' object layout differs from '{}'",
            best.name_string(),
            old_best.name_string()
        )));
    }
    // The order of the subclasses too, each with what it was before.
    let before = List::with_capacity(vm, 4)?;
    let old = (t.bases.get(), t.base.get());
    t.bases.set(vm, t, bases.value());
    t.base.set(vm, t, best.value());
    if let Err(e) = new_orders(vm, t, before) {
        let exception = vm.pending.take();
        t.bases.set(vm, t, old.0);
        t.base.set(vm, t, old.1);
        for pair in before.items().chunks_exact(2) {
            if let Some(t) = pair[0].cast::<Type>() {
                t.mro.set(vm, t, pair[1]);
            }
        }
        t.modified(vm);
        vm.pending.set(exception);
        return Err(e);
    }
    for b in bases.items() {
        if let Some(b) = b.cast::<Type>() {
            vm.add_subclass(b, t)?;
        }
    }
    t.modified(vm);
    Ok(())
}

/// Computes the MROs of a class and its subclasses anew; the old ones are put into the list. TypeError.
fn new_orders(vm: &Vm, t: Ref<Type>, before: Ref<List>) -> R<()> {
    vm.check_depth()?;
    before.push(vm, t.value())?;
    before.push(vm, t.mro.value())?;
    let mro = super::class::class_mro(vm, t)?;
    t.mro.set(vm, t, mro.value());
    let subclasses = List::with_capacity(vm, 0)?;
    let mut noted = Ok(());
    vm.for_each_subclass(t, &mut |sub| {
        if noted.is_ok() {
            noted = subclasses.push(vm, sub.value());
        }
    });
    noted?;
    let mut i = 0;
    while let Some(sub) = subclasses.get(i) {
        i += 1;
        if let Some(sub) = sub.cast::<Type>() {
            new_orders(vm, sub, before)?;
        }
    }
    Ok(())
}
