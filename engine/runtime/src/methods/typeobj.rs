//! What Python code sees of `type`: making classes, their attributes, the MRO.

use crate::native::Args;
use crate::native_type;
use crate::object::{Kind, Ref};
use crate::types::descriptor::{Member, Wrapper};
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::instance::Instance;
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::{Type, type_flags};
use crate::value::{R, Value};
use crate::vm::Vm;

native_type! {
    pub DEF: "type", Kind::Type, type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, *args, **kwargs)" => init;
        "__call__($self, /, *args, **kwargs)" => call;
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
        "__bases__" => |_, v| Ok(this(v).bases.or_none()), set_bases;
        "__base__" => |_, v| Ok(this(v).base.or_none());
        "__mro__" => |_, v| Ok(this(v).mro.or_none());
        "__dict__" => get_dict;
        "__doc__" => get_doc, set_doc;
        "__abstractmethods__" => get_abstract, set_abstract;
        "__flags__" => |vm, v| vm.int(i64::from(python_flags(this(v))));
        "__basicsize__" => |_, _| Ok(Value::small_int(16));
        "__itemsize__" => |_, _| Ok(Value::small_int(0));
        "__dictoffset__" => |_, v| Ok(Value::small_int(if this(v).has_flag(type_flags::HAS_DICT) { -1 } else { 0 }));
        "__weakrefoffset__" => |_, v| Ok(Value::small_int(if this(v).has_flag(type_flags::HAS_WEAKREF) { -1 } else { 0 }));
        "__annotations__" => get_annotations, set_annotations;
        "__annotate__" => get_annotate, set_annotate;
        "__type_params__" => get_type_params, set_type_params;
    }
}

/// `__dict__` of the instances of a class.
static DICT: crate::native::GetSetDef = crate::native::GetSetDef {
    name: "__dict__",
    get: super::get_dict,
    set: Some(super::set_dict),
    doc: Some("dictionary for instance variables"),
};

fn this(v: Value) -> Ref<Type> {
    // SAFETY: these attributes are found on types only; the getset machinery passes instances of
    // `type`, and every subclass of it has its layout.
    unsafe { v.cast_unchecked() }
}

/// CPython's `Py_TPFLAGS_*` bits that library code looks at.
fn python_flags(t: Ref<Type>) -> u32 {
    let mut f = 1 << 12;
    if t.has_flag(type_flags::HEAP) {
        f |= 1 << 9;
    } else {
        f |= 1 << 8;
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
    let all = args.positional();
    let Some(meta) = all.first().and_then(|m| m.cast::<Type>()) else {
        return Err(vm.type_error("type.__new__(X): X is not a type object"));
    };
    if all.len() == 2 && meta == vm.types.type_ && !args.has_keywords() {
        return Ok(vm.type_of(all[1]).value());
    }
    if all.len() != 4 {
        return Err(vm.type_error(if all.len() == 2 {
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
            return vm.call_args(new, Args::new(list.items(), names));
        }
    }
    vm.new_class(winner, name, bases, dict, args)
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

fn check_settable(vm: &Vm, t: Ref<Type>, what: &str) -> R<()> {
    if t.has_flag(type_flags::HEAP) {
        return Ok(());
    }
    Err(vm.type_error(format!("cannot set '{what}' attribute of immutable type '{}'", t.name_string())))
}

fn get_name(_: &Vm, v: Value) -> R<Value> {
    Ok(this(v).name.value())
}

fn set_string(vm: &Vm, t: Ref<Type>, what: &str, v: Option<Value>) -> R<Value> {
    check_settable(vm, t, what)?;
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

fn set_name(vm: &Vm, obj: Value, v: Option<Value>) -> R<()> {
    let t = this(obj);
    let v = set_string(vm, t, "__name__", v)?;
    t.name.set(vm, t, v);
    Ok(())
}

fn get_qualname(_: &Vm, v: Value) -> R<Value> {
    Ok(this(v).qualname.value())
}

fn set_qualname(vm: &Vm, obj: Value, v: Option<Value>) -> R<()> {
    let t = this(obj);
    let v = set_string(vm, t, "__qualname__", v)?;
    t.qualname.set(vm, t, v);
    Ok(())
}

/// `__module__`.
pub fn type_module(vm: &Vm, t: Ref<Type>) -> R<Option<Value>> {
    if let Some(m) = t.dict().get_str(vm, vm.names.__module__)? {
        return Ok(Some(m));
    }
    if t.has_flag(type_flags::HEAP) {
        return Ok(None);
    }
    let module = t.def().and_then(|d| d.name.rsplit_once('.')).map_or("builtins", |(m, _)| m);
    Ok(Some(vm.intern(module)?.value()))
}

fn get_module(vm: &Vm, v: Value) -> R<Value> {
    match type_module(vm, this(v))? {
        Some(m) => Ok(m),
        None => Err(vm.attribute_error("__module__")),
    }
}

fn set_module(vm: &Vm, obj: Value, v: Option<Value>) -> R<()> {
    check_settable(vm, this(obj), "__module__")?;
    match v {
        Some(v) => this(obj).set_own(vm, vm.names.__module__, v),
        None => Err(vm.type_error("cannot delete '__module__' attribute")),
    }
}

fn get_dict(vm: &Vm, v: Value) -> R<Value> {
    Ok(crate::types::mappingproxy::MappingProxy::new(vm, this(v).dict.value())?.value())
}

fn get_doc(vm: &Vm, v: Value) -> R<Value> {
    if !this(v).has_flag(type_flags::HEAP)
        && let Some(doc) = this(v).def().and_then(|d| d.doc)
    {
        return vm.str(doc);
    }
    match this(v).dict().get_str(vm, vm.names.__doc__)? {
        Some(d) if d.cast::<Function>().is_none() => {
            match vm.type_of(d).special(vm, skein_bytecode::Special::Get) {
                Some(_) => vm.bind(d, v, vm.type_of(v)),
                None => Ok(d),
            }
        }
        Some(d) => Ok(d),
        None => Ok(Value::NONE),
    }
}

fn set_doc(vm: &Vm, obj: Value, v: Option<Value>) -> R<()> {
    check_settable(vm, this(obj), "__doc__")?;
    match v {
        Some(v) => this(obj).set_own(vm, vm.names.__doc__, v),
        None => Err(vm.type_error("cannot delete '__doc__' attribute of type")),
    }
}

fn get_abstract(vm: &Vm, v: Value) -> R<Value> {
    let own = this(v).dict().get_str(vm, vm.names.__abstractmethods__)?;
    match own {
        Some(a) if !this(v).value().is(vm.types.type_.value()) => Ok(a),
        _ => Err(vm.no_attribute(v, vm.names.__abstractmethods__)),
    }
}

fn set_abstract(vm: &Vm, obj: Value, v: Option<Value>) -> R<()> {
    let t = this(obj);
    match v {
        Some(v) => {
            let abstract_ = vm.truth(v)?;
            t.set_own(vm, vm.names.__abstractmethods__, v)?;
            t.set_flag(type_flags::ABSTRACT, abstract_);
        }
        None => {
            if !t.dict().delete_str(vm, vm.names.__abstractmethods__)? {
                return Err(vm.no_attribute(obj, vm.names.__abstractmethods__));
            }
            t.modified(vm);
            t.set_flag(type_flags::ABSTRACT, false);
        }
    }
    Ok(())
}

fn get_annotate(vm: &Vm, v: Value) -> R<Value> {
    let d = this(v).dict();
    for name in ["__annotate__", "__annotate_func__"] {
        if let Some(f) = d.get_name(vm, name)? {
            return Ok(f);
        }
    }
    Ok(Value::NONE)
}

fn set_annotate(vm: &Vm, obj: Value, v: Option<Value>) -> R<()> {
    check_settable(vm, this(obj), "__annotate__")?;
    match v {
        Some(v) => this(obj).set_own(vm, vm.intern("__annotate_func__")?, v),
        None => Err(vm.type_error("cannot delete __annotate__ attribute")),
    }
}

fn get_annotations(vm: &Vm, v: Value) -> R<Value> {
    let t = this(v);
    for name in ["__annotations__", "__annotations_cache__"] {
        if let Some(a) = t.dict().get_name(vm, name)? {
            return Ok(a);
        }
    }
    if !t.has_flag(type_flags::HEAP) {
        return Err(vm.no_attribute(v, vm.names.__annotations__));
    }
    let annotate = get_annotate(vm, v)?;
    let made =
        if annotate.is_none() { Dict::new(vm)?.value() } else { vm.call(annotate, &[Value::small_int(1)])? };
    t.set_own(vm, vm.intern("__annotations_cache__")?, made)?;
    Ok(made)
}

fn set_annotations(vm: &Vm, obj: Value, v: Option<Value>) -> R<()> {
    let t = this(obj);
    check_settable(vm, t, "__annotations__")?;
    match v {
        Some(v) => t.set_own(vm, vm.names.__annotations__, v),
        None => {
            let mut found = false;
            for name in ["__annotations__", "__annotations_cache__"] {
                found |= t.dict().delete_str(vm, vm.intern(name)?)?;
            }
            t.modified(vm);
            if found { Ok(()) } else { Err(vm.no_attribute(obj, vm.names.__annotations__)) }
        }
    }
}

fn get_type_params(vm: &Vm, v: Value) -> R<Value> {
    match this(v).dict().get_str(vm, vm.names.__type_params__)? {
        Some(t) => Ok(t),
        None => vm.tuple(&[]),
    }
}

fn set_type_params(vm: &Vm, obj: Value, v: Option<Value>) -> R<()> {
    check_settable(vm, this(obj), "__type_params__")?;
    match v {
        Some(v) => this(obj).set_own(vm, vm.names.__type_params__, v),
        None => Err(vm.type_error("cannot delete '__type_params__' attribute")),
    }
}

fn set_bases(vm: &Vm, obj: Value, v: Option<Value>) -> R<()> {
    let t = this(obj);
    check_settable(vm, t, "__bases__")?;
    let Some(bases) = v.and_then(|v| v.cast::<Tuple>()).filter(|b| !b.is_empty()) else {
        return Err(vm.type_error(format!(
            "can only assign non-empty tuple to {}.__bases__, not {}",
            t.name_string(),
            v.map_or("nothing".into(), |v| vm.type_name(v))
        )));
    };
    let best = vm.best_base(bases)?;
    if best.instance_kind() != t.instance_kind() || best.slot_count() > t.slot_count() {
        return Err(vm.type_error(format!(
            "__bases__ assignment: '{}' object layout differs from '{}'",
            best.name_string(),
            t.base().map(|b| b.name_string()).unwrap_or_default()
        )));
    }
    let old = (t.bases.get(), t.base.get());
    t.bases.set(vm, t, bases.value());
    t.base.set(vm, t, best.value());
    match compute_mro(vm, t) {
        Ok(mro) => t.mro.set(vm, t, mro.value()),
        Err(e) => {
            t.bases.set(vm, t, old.0);
            t.base.set(vm, t, old.1);
            return Err(e);
        }
    }
    for b in bases.items() {
        if let Some(b) = b.cast::<Type>() {
            vm.add_subclass(b, t)?;
        }
    }
    t.modified(vm);
    Ok(())
}

/// C3 linearisation. TypeError if there is none.
pub fn compute_mro(vm: &Vm, t: Ref<Type>) -> R<Ref<Tuple>> {
    let Some(bases) = t.bases.cast::<Tuple>() else { return Tuple::new(vm, &[t.value()]) };
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for b in bases.items() {
        let Some(b) = b.cast::<Type>() else {
            return Err(vm.type_error("bases must be types"));
        };
        rows.push(b.mro().items().to_vec());
    }
    rows.push(bases.items().to_vec());
    // The values are kept alive by the bases.
    let mut out = vec![t.value()];
    loop {
        rows.retain(|r| !r.is_empty());
        if rows.is_empty() {
            return Tuple::new(vm, &out);
        }
        let good = rows.iter().map(|r| r[0]).find(|c| !rows.iter().any(|r| r[1..].contains(c)));
        let Some(next) = good else {
            let names: Vec<String> =
                rows.iter().filter_map(|r| r[0].cast::<Type>()).map(|t| t.name_string()).collect();
            return Err(vm.type_error(format!(
                "Cannot create a consistent method resolution order (MRO) for bases {}",
                names.join(", ")
            )));
        };
        out.push(next);
        for r in &mut rows {
            if r[0] == next {
                r.remove(0);
            }
        }
    }
}

impl Vm {
    /// The metaclass that a class of these bases must have. TypeError on a conflict.
    pub fn most_derived_metaclass(&self, meta: Ref<Type>, bases: Ref<Tuple>) -> R<Ref<Type>> {
        let mut winner = meta;
        for b in bases.items() {
            let t = self.type_of(*b);
            if winner.is_subtype(t) {
                continue;
            }
            if t.is_subtype(winner) {
                winner = t;
                continue;
            }
            return Err(self.type_error(
                "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of all its bases",
            ));
        }
        Ok(winner)
    }

    /// The base whose layout the others' are part of. TypeError.
    pub fn best_base(&self, bases: Ref<Tuple>) -> R<Ref<Type>> {
        let mut best: Option<Ref<Type>> = None;
        for b in bases.items() {
            let Some(b) = b.cast::<Type>() else {
                return Err(self.type_error("bases must be types"));
            };
            if !b.has_flag(type_flags::BASETYPE) {
                return Err(
                    self.type_error(format!("type '{}' is not an acceptable base type", b.name_string()))
                );
            }
            best = Some(match best {
                None => b,
                Some(a) if extends(a, b) => a,
                Some(a) if extends(b, a) => b,
                Some(_) => {
                    return Err(self.type_error("multiple bases have instance lay-out conflict"));
                }
            });
        }
        Ok(best.unwrap_or(self.types.object))
    }

    /// `type.__new__` once the metaclass is known.
    pub fn new_class(
        &self,
        meta: Ref<Type>,
        name: Ref<Str>,
        bases: Ref<Tuple>,
        namespace: Ref<Dict>,
        args: Args<'_>,
    ) -> R<Value> {
        let bases = if bases.is_empty() { Tuple::new(self, &[self.types.object.value()])? } else { bases };
        let base = self.best_base(bases)?;
        let ty = self.alloc_instance::<Type>(meta)?;
        let mut flags = type_flags::HEAP | type_flags::BASETYPE;
        const INHERITED: u32 = type_flags::HAS_DICT
            | type_flags::HAS_WEAKREF
            | type_flags::SEQUENCE
            | type_flags::MAPPING
            | type_flags::HAS_DEL;
        for b in bases.items().iter().filter_map(|b| b.cast::<Type>()) {
            flags |= b.flags.get() & INHERITED;
        }
        let kind = Kind::ALL[base.instance_kind() as usize];
        ty.init(self, kind, flags, None);
        let dict = namespace.copy(self)?;
        ty.dict.set(self, ty, dict.value());
        ty.name.set(self, ty, self.intern_str(name).value());
        let qualname = match dict.get_str(self, self.names.__qualname__)? {
            Some(q) if q.cast::<Str>().is_some() => {
                dict.delete_str(self, self.names.__qualname__)?;
                q
            }
            Some(q) => {
                return Err(
                    self.type_error(format!("type __qualname__ must be a str, not {}", self.type_name(q)))
                );
            }
            None => name.value(),
        };
        ty.qualname.set(self, ty, qualname);
        ty.bases.set(self, ty, bases.value());
        ty.base.set(self, ty, base.value());
        if dict.get_str(self, self.names.__module__)?.is_none()
            && let Some(f) = crate::interp::Walk::running(self).next()
        {
            let globals = crate::interp::frame_function(f.base).globals();
            if let Some(m) = globals.get_str(self, self.names.__name__)? {
                dict.set_str(self, self.names.__module__, m)?;
            }
        }
        if dict.get_str(self, self.names.__doc__)?.is_none() {
            dict.set_str(self, self.names.__doc__, Value::NONE)?;
        }
        self.apply_slots(ty, base, dict)?;
        if ty.has_flag(type_flags::HAS_DICT)
            && !base.has_flag(type_flags::HAS_DICT)
            && dict.get_str(self, self.names.__dict__)?.is_none()
        {
            let d = crate::types::descriptor::GetSet::new(self, &DICT, ty)?;
            dict.set_str(self, self.names.__dict__, d.value())?;
        }
        ty.make_root_shape(self);
        for (method, wrapper) in [
            (self.names.__init_subclass__, self.types.classmethod),
            (self.names.__class_getitem__, self.types.classmethod),
            (self.names.__new__, self.types.staticmethod),
        ] {
            if let Some(f) = dict.get_str(self, method)?
                && f.cast::<Function>().is_some()
            {
                let w = Wrapper::new(self, wrapper, f)?;
                dict.set_str(self, method, w.value())?;
            }
        }
        let cell = dict.get_str(self, self.names.__classcell__)?;
        if let Some(c) = cell {
            dict.delete_str(self, self.names.__classcell__)?;
            match c.cast::<crate::types::cell::CellObject>() {
                Some(c) => c.set(self, ty.value()),
                None => {
                    return Err(self.type_error(format!(
                        "type.__new__() argument __classcell__ must be a nonlocal cell, not {}",
                        self.type_name(c)
                    )));
                }
            }
        }
        if dict.get_str(self, self.names.__del__)?.is_some() {
            ty.set_flag(type_flags::HAS_DEL, true);
        }
        // A class that defines equality but no hash is unhashable.
        let (eq, hash) = (self.intern("__eq__")?, self.intern("__hash__")?);
        if dict.get_str(self, eq)?.is_some() && dict.get_str(self, hash)?.is_none() {
            dict.set_str(self, hash, Value::NONE)?;
        }
        let mro = self.class_mro(meta, ty)?;
        ty.mro.set(self, ty, mro.value());
        for b in bases.items() {
            if let Some(b) = b.cast::<Type>() {
                self.add_subclass(b, ty)?;
            }
        }
        ty.modified(self);
        self.call_set_names(ty, dict)?;
        self.call_init_subclass(ty, args)?;
        Ok(ty.value())
    }

    /// The MRO, by the metaclass's `mro()` if it has its own.
    fn class_mro(&self, meta: Ref<Type>, ty: Ref<Type>) -> R<Ref<Tuple>> {
        if meta != self.types.type_
            && let Some(f) = meta.lookup(self, self.names.mro)
            && f.cast::<Function>().is_some()
        {
            // Look-ups on the class meanwhile go by the standard order.
            let standard = compute_mro(self, ty)?;
            ty.mro.set(self, ty, standard.value());
            let r = self.call(f, &[ty.value()])?;
            let list = self.list_from(r)?;
            for t in list.items() {
                if t.cast::<Type>().is_none() {
                    return Err(
                        self.type_error(format!("mro() returned a non-class ('{}')", self.type_name(*t)))
                    );
                }
            }
            return Tuple::new(self, list.items());
        }
        compute_mro(self, ty)
    }

    /// `__slots__`: member descriptors and the slots' names.
    fn apply_slots(&self, ty: Ref<Type>, base: Ref<Type>, dict: Ref<Dict>) -> R<()> {
        ty.slot_names.set(self, ty, base.slot_names.get());
        let Some(slots) = dict.get_str(self, self.names.__slots__)? else {
            ty.set_flag(type_flags::HAS_DICT | type_flags::HAS_WEAKREF, true);
            return Ok(());
        };
        let declared = match slots.cast::<Str>() {
            Some(_) => List::new(self, &[slots])?,
            None => self.list_from(slots)?,
        };
        let names = List::with_capacity(self, declared.len())?;
        for &s in declared.items() {
            let Some(s) = s.cast::<Str>() else {
                return Err(
                    self.type_error(format!("__slots__ items must be strings, not '{}'", self.type_name(s)))
                );
            };
            let text = s.to_string_lossy().into_owned();
            let identifier = text.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic())
                && text.chars().all(|c| c == '_' || c.is_alphanumeric());
            if !identifier {
                return Err(self.type_error("__slots__ must be identifiers"));
            }
            match text.as_str() {
                "__dict__" => {
                    if base.has_flag(type_flags::HAS_DICT) {
                        return Err(self.type_error("__dict__ slot disallowed: we already got one"));
                    }
                    ty.set_flag(type_flags::HAS_DICT, true);
                }
                "__weakref__" => ty.set_flag(type_flags::HAS_WEAKREF, true),
                _ => {
                    let name = self.intern(&mangle(&ty.name_string(), &text))?;
                    let clash = dict.get_str(self, name)?;
                    if clash.is_some() && text != "__qualname__" && text != "__classcell__" {
                        return Err(self.value_error(format!(
                            "'{}' in __slots__ conflicts with class variable",
                            name.to_string_lossy()
                        )));
                    }
                    names.push(self, name.value())?;
                }
            }
        }
        if !names.is_empty()
            && matches!(Kind::ALL[base.instance_kind() as usize], Kind::Int | Kind::Bytes | Kind::Tuple)
        {
            return Err(self.type_error(format!(
                "nonempty __slots__ not supported for subtype of '{}'",
                base.name_string()
            )));
        }
        let all = match base.slot_names.cast::<Tuple>() {
            Some(t) => List::new(self, t.items())?,
            None => List::with_capacity(self, names.len())?,
        };
        // Slots of a builtin layout are kept in the instance's dictionary word.
        if ty.has_builtin_layout() && !names.is_empty() {
            ty.set_flag(type_flags::HAS_DICT, true);
        }
        for &n in names.items() {
            // SAFETY: only strings were pushed.
            let name: Ref<Str> = unsafe { n.cast_unchecked() };
            let member = Member::new(self, name, ty, all.len())?;
            dict.set_str(self, name, member.value())?;
            if !ty.has_builtin_layout() {
                all.push(self, n)?;
            }
        }
        let all = Tuple::new(self, all.items())?;
        ty.slot_names.set(self, ty, all.value());
        Ok(())
    }

    fn call_set_names(&self, ty: Ref<Type>, dict: Ref<Dict>) -> R<()> {
        let entries = dict.copy(self)?;
        for (name, v) in entries.iter() {
            let vt = self.type_of(v);
            if v.is_ptr()
                && let Some(f) = vt.special(self, skein_bytecode::Special::SetName)
            {
                let r = self.call_special_method(f, Args::new(&[v, ty.value(), name], None));
                if r.is_err() {
                    self.add_note_to_pending(&format!(
                        "Error calling __set_name__ on '{}' instance {} in '{}'",
                        vt.name_string(),
                        self.repr_string(name).unwrap_or_default(),
                        ty.name_string()
                    ))?;
                    return r.map(|_| ());
                }
            }
        }
        Ok(())
    }

    fn call_init_subclass(&self, ty: Ref<Type>, args: Args<'_>) -> R<()> {
        let s = self.new_super(ty.value(), ty.value())?;
        let Some(f) = self.super_get_attr(s, self.names.__init_subclass__)? else { return Ok(()) };
        let (all, names) = args.parts();
        let keywords = &all[args.positional().len()..];
        self.call_args(f, Args::new(keywords, names)).map(|_| ())
    }

    /// Notes a subclass, weakly.
    pub fn add_subclass(&self, base: Ref<Type>, sub: Ref<Type>) -> R<()> {
        let list = match base.subclasses.cast::<List>() {
            Some(l) => l,
            None => {
                let l = List::with_capacity(self, 4)?;
                base.subclasses.set(self, base, l.value());
                l
            }
        };
        if !list.items().contains(&sub.value()) {
            list.push(self, sub.value())?;
        }
        Ok(())
    }

    /// Calls `f` with each direct subclass.
    pub fn for_each_subclass(&self, base: Ref<Type>, f: &mut dyn FnMut(Ref<Type>)) {
        let Some(list) = base.subclasses.cast::<List>() else { return };
        let mut i = 0;
        while let Some(v) = list.get(i) {
            i += 1;
            if let Some(t) = v.cast::<Type>()
                && t.bases.cast::<Tuple>().is_some_and(|b| b.items().contains(&base.value()))
            {
                f(t);
            }
        }
    }

    /// Sets or deletes an attribute in a class's own dictionary.
    pub fn set_type_attr(&self, t: Ref<Type>, name: Ref<Str>, v: Option<Value>) -> R<()> {
        if !t.has_flag(type_flags::HEAP) {
            return Err(self.type_error(format!(
                "cannot set '{}' attribute of immutable type '{}'",
                name.to_string_lossy(),
                t.name_string()
            )));
        }
        match v {
            Some(v) => t.set_own(self, name, v)?,
            None => {
                if !t.dict().delete_str(self, name)? {
                    return Err(self.no_attribute(t.value(), name));
                }
                t.modified(self);
            }
        }
        if name == self.names.__del__ {
            t.set_flag(type_flags::HAS_DEL, v.is_some());
        }
        Ok(())
    }

    /// A bare instance of a class of the plain layout. TypeError for an abstract one.
    #[inline]
    pub fn new_instance(&self, ty: Ref<Type>) -> R<Value> {
        if ty.has_flag(type_flags::ABSTRACT) {
            return Err(self.abstract_error(ty));
        }
        let cap = self.shapes.get(ty.root_shape_id()).inline_cap;
        let size = crate::types::instance::INSTANCE_SLOTS + 8 * cap as usize;
        let i = self.alloc::<Instance>(size, ty.root_shape_id())?;
        i.header().bits.set(cap);
        if ty.has_flag(type_flags::HAS_DEL) {
            self.heap.register_finalizer(i.header());
        }
        Ok(i.value())
    }

    #[cold]
    fn abstract_error(&self, ty: Ref<Type>) -> crate::value::Raised {
        let names =
            match self.get_attr(ty.value(), self.names.__abstractmethods__).and_then(|n| self.list_from(n)) {
                Ok(n) => n,
                Err(e) => return e,
            };
        let mut texts: Vec<String> = names
            .items()
            .iter()
            .filter_map(|n| n.cast::<Str>())
            .map(|n| n.to_string_lossy().into_owned())
            .collect();
        texts.sort();
        self.type_error(format!(
            "Can't instantiate abstract class {} without an implementation for abstract method{} '{}'",
            ty.name_string(),
            if texts.len() == 1 { "" } else { "s" },
            texts.join("', '")
        ))
    }

    /// `type.__call__` from native code.
    pub fn construct(&self, ty: Ref<Type>, args: Args<'_>) -> R<Value> {
        let new = self.get_attr(ty.value(), self.names.__new__)?;
        let instance = crate::interp::with_first(self, ty.value(), args, |a| self.call_args(new, a))?;
        let own = self.type_of(instance);
        if own.is_subtype(ty)
            && let Some(init) = own.special(self, skein_bytecode::Special::Init)
        {
            let r = crate::interp::with_first(self, instance, args, |a| self.call_special_method(init, a))?;
            if !r.is_none() {
                return Err(
                    self.type_error(format!("__init__() should return None, not '{}'", self.type_name(r)))
                );
            }
        }
        Ok(instance)
    }
}

/// Does `a`'s layout extend `b`'s?
fn extends(a: Ref<Type>, b: Ref<Type>) -> bool {
    const PLAIN: u8 = Kind::Instance as u8;
    let solid = |t: Ref<Type>| {
        // The nearest base that adds to the layout.
        let mut t = t;
        while let Some(base) = t.base() {
            if base.instance_kind() != t.instance_kind() || base.slot_count() != t.slot_count() {
                break;
            }
            t = base;
        }
        t
    };
    let (sa, sb) = (solid(a), solid(b));
    if sb.instance_kind() == PLAIN && sb.slot_count() == 0 {
        return true;
    }
    a.is_subtype(sb)
        || sa == sb
        || (sa.instance_kind() == sb.instance_kind() && sb.slot_count() == 0 && sa.is_subtype(sb))
}

/// Private names in a class body: `__x` becomes `_Class__x`.
fn mangle(class: &str, name: &str) -> String {
    let class = class.trim_start_matches('_');
    if name.starts_with("__") && !name.ends_with("__") && !name.contains('.') && !class.is_empty() {
        return format!("_{class}{name}");
    }
    name.to_string()
}
