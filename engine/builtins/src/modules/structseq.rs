//! Tuples whose items have names: `sys.version_info`, `time.struct_time`, `os.stat_result`.
//!
//! A type has named items; attributes beyond the items (`tm_zone`) are kept in the
//! instance's dictionary.

use skein_runtime::native::Args;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// The `I`th item.
pub fn item<const I: usize>(vm: &Vm, v: Value) -> R<Value> {
    match v.cast::<Tuple>().and_then(|t| t.items().get(I).copied()) {
        Some(v) => Ok(v),
        None => Err(vm.type_error("descriptor requires a struct sequence")),
    }
}

/// Declares a struct sequence type: its name and its items' names with their indexes.
#[macro_export]
macro_rules! struct_sequence {
    ($vis:vis $def:ident: $name:literal, $doc:literal; $($field:literal $i:literal),* $(,)?) => {
        skein_runtime::native_type! {
            $vis $def: $name, skein_runtime::object::Kind::Tuple, skein_runtime::types::typeobj::type_flags::HAS_DICT,
                base |vm| vm.types.tuple, $doc;
            methods {
                [static] "__new__($type, *args, **kwargs)" => $crate::modules::structseq::new;
                "__repr__($self, /)" => $crate::modules::structseq::repr;
                "__reduce__($self, /)" => $crate::modules::structseq::reduce;
                "__setattr__($self, name, value, /)" => $crate::modules::structseq::set_attribute;
                "__delattr__($self, name, /)" => |vm: &Vm, v: Value, name: Value| $crate::modules::structseq::set_attribute(vm, v, name, Value::NONE);
                "__replace__($self, /, **changes)" => $crate::modules::structseq::replace;
            }
            getset { $($field => $crate::modules::structseq::item::<$i>;)* }
        }
    };
}

/// Attributes beyond the items, in their order.
const HIDDEN: [(&str, &[&str]); 3] = [
    ("os.statvfs_result", &["f_fsid"]),
    ("time.struct_time", &["tm_zone", "tm_gmtoff"]),
    (
        "os.stat_result",
        &[
            "st_atime",
            "st_mtime",
            "st_ctime",
            "st_atime_ns",
            "st_mtime_ns",
            "st_ctime_ns",
            "st_blksize",
            "st_blocks",
            "st_rdev",
        ],
    ),
];

fn hidden(def: &skein_runtime::native::TypeDef) -> &'static [&'static str] {
    HIDDEN.iter().find(|(name, _)| *name == def.name).map_or(&[], |(_, names)| names)
}

/// Items that have no name: the whole seconds of `os.stat_result`.
fn unnamed(def: &skein_runtime::native::TypeDef) -> usize {
    if def.name == "os.stat_result" { 3 } else { 0 }
}

/// A struct sequence type made at its first use.
#[derive(Default)]
pub struct Lazy(Cell<Option<Ref<Type>>>);

impl Lazy {
    /// The type. MemoryError.
    pub fn get(&self, vm: &Vm, def: &'static skein_runtime::native::TypeDef) -> R<Ref<Type>> {
        if let Some(t) = self.0.get() {
            return Ok(t);
        }
        let t = vm.make_native_type(def)?;
        let n = def.getset.len();
        let all = Value::small_int((n + hidden(def).len()) as i64);
        let n = Value::small_int(n as i64);
        let names = skein_runtime::types::list::List::with_capacity(vm, def.getset.len())?;
        let named = def.getset.len() - unnamed(def);
        for g in &def.getset[..named] {
            names.push(vm, vm.str(g.name())?)?;
        }
        let d = t.dict();
        // What an instance does not say.
        for name in hidden(def) {
            d.set_name(vm, name, Value::NONE)?;
        }
        d.set_name(vm, "n_sequence_fields", n)?;
        d.set_name(vm, "n_fields", all)?;
        d.set_name(vm, "n_unnamed_fields", Value::small_int(unnamed(def) as i64))?;
        d.set_str(vm, vm.names.__match_args__, Tuple::new(vm, names.items())?.value())?;
        t.modified(vm);
        self.0.set(Some(t));
        Ok(t)
    }
}

/// An instance with these items, and attributes beyond them. MemoryError.
pub fn make(vm: &Vm, ty: Ref<Type>, items: &[Value], more: &[(&str, Value)]) -> R<Value> {
    let t = Tuple::of_type(vm, ty, items)?;
    if !more.is_empty() {
        let d = match vm.instance_dict(t.value())? {
            Some(d) => d,
            None => return Err(vm.system_error("struct sequence without a dictionary")),
        };
        for &(name, v) in more {
            d.set_name(vm, name, v)?;
        }
    }
    Ok(t.value())
}

fn def_of(vm: &Vm, v: Value) -> R<&'static skein_runtime::native::TypeDef> {
    vm.type_of(v).def().ok_or_else(|| vm.type_error("not a struct sequence"))
}

/// `__new__`: from a sequence, and a dict of the attributes beyond its items.
pub fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let all = args.positional();
    let Some(ty) = all.first().and_then(|t| t.cast::<Type>()) else {
        return Err(vm.type_error("struct sequence: not a type"));
    };
    let Some(def) = ty.def() else { return Err(vm.type_error("struct sequence: not a type")) };
    let name = def.name;
    if matches!(name, "sys.flags" | "sys.version_info") {
        return Err(vm.type_error(format!("cannot create '{name}' instances")));
    }
    let named = |wanted: &[u8]| {
        args.keywords().find(|(k, _)| k.cast::<Str>().is_some_and(|k| k.bytes() == wanted)).map(|(_, v)| v)
    };
    let Some(given) = all.get(1).copied().or_else(|| named(b"sequence")) else {
        return Err(vm.type_error(format!("{name}() missing required argument 'sequence' (pos 1)")));
    };
    let more = match all.get(2).copied().or_else(|| named(b"dict")).map(|m| m.cast::<Dict>()) {
        Some(None) => {
            return Err(vm.type_error(format!("{name}() takes a dict as second arg, if any")));
        }
        Some(more) => more,
        None => None,
    };
    let beyond = hidden(def);
    let (least, most) = (def.getset.len(), def.getset.len() + beyond.len());
    let items = vm.list_from(given)?;
    if items.len() < least || items.len() > most {
        let bound = match items.len() < least {
            _ if beyond.is_empty() => "a",
            true => "an at least",
            false => "an at most",
        };
        let n = if items.len() < least { least } else { most };
        let got = items.len();
        return Err(vm.type_error(format!("{name}() takes {bound} {n}-sequence ({got}-sequence given)")));
    }
    let made = make(vm, ty, Tuple::new(vm, &items.items()[..least])?.items(), &[])?;
    let Some(to) = vm.instance_dict(made)? else { return Ok(made) };
    let mut used = 0;
    for (i, name) in beyond.iter().enumerate() {
        let v = match (items.get(least + i), more) {
            (Some(v), _) => v,
            (None, Some(more)) => match more.get_name(vm, name)? {
                Some(v) => {
                    used += 1;
                    v
                }
                None => Value::NONE,
            },
            (None, None) => Value::NONE,
        };
        to.set_name(vm, name, v)?;
    }
    if more.is_some_and(|more| more.len() > used) {
        return Err(vm.type_error(format!("{name}() got duplicate or unexpected field name(s)")));
    }
    Ok(made)
}

/// `__setattr__`: no attribute can be set. AttributeError.
pub fn set_attribute(vm: &Vm, v: Value, name: Value, _new: Value) -> R<()> {
    let Some(name) = name.cast::<Str>() else {
        let got = vm.type_name(name);
        return Err(vm.type_error(format!("attribute name must be string, not '{got}'")));
    };
    if vm.find_attr(v, vm.intern_str(name))?.is_some() {
        return Err(vm.attribute_error("readonly attribute"));
    }
    let (ty, name) = (vm.type_name(v), name.to_string_lossy());
    Err(vm.attribute_error(format!(
        "'{ty}' object has no attribute '{name}' and no __dict__ for setting new attributes"
    )))
}

/// `__replace__`: a copy with other items.
pub fn replace(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(this) = args.positional().first().and_then(|v| v.cast::<Tuple>()) else {
        return Err(vm.type_error("descriptor '__replace__' requires a struct sequence"));
    };
    if args.positional().len() > 1 {
        return Err(vm.type_error("__replace__() takes no positional arguments"));
    }
    let def = def_of(vm, this.value())?;
    if unnamed(def) > 0 {
        return Err(vm.type_error(
            "__replace__() is not supported for os.stat_result because it has unnamed field(s)",
        ));
    }
    let mut items = this.items().to_vec();
    let attributes = vm.instance_dict(this.value())?;
    let mut more = Vec::new();
    let mut unknown = Vec::new();
    for (k, v) in args.keywords() {
        let name = k.cast::<Str>().map(|k| k.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        match def.getset.iter().position(|g| g.name() == name) {
            Some(i) => items[i] = v,
            None if attributes.is_some_and(|d| d.get_name(vm, &name).is_ok_and(|v| v.is_some())) => {
                more.push((name, v));
            }
            None => unknown.push(format!("'{name}'")),
        }
    }
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        return Err(vm.type_error(format!("Got unexpected field name(s): [{names}]")));
    }
    let new = make(vm, vm.type_of(this.value()), &items, &[])?;
    if let (Some(from), Some(to)) = (attributes, vm.instance_dict(new)?) {
        vm.call_method(to.value(), "update", &[from.value()])?;
        for (name, v) in more {
            to.set_name(vm, &name, v)?;
        }
    }
    Ok(new)
}

/// `__repr__`.
pub fn repr(vm: &Vm, this: Ref<Tuple>) -> R<String> {
    let def = def_of(vm, this.value())?;
    let mut out = format!("{}(", def.name);
    for (i, (g, &v)) in def.getset.iter().zip(this.items()).enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        out.push_str(&format!("{}={}", g.name(), vm.repr_string(v)?));
    }
    out.push(')');
    Ok(out)
}

/// `__reduce__`.
pub fn reduce(vm: &Vm, this: Ref<Tuple>) -> R<Value> {
    let items = Tuple::new(vm, this.items())?;
    let more = match vm.instance_dict(this.value())? {
        Some(d) => d.copy(vm)?,
        None => Dict::new(vm)?,
    };
    let args = Tuple::new(vm, &[items.value(), more.value()])?;
    vm.tuple(&[vm.type_of(this.value()).value(), args.value()])
}
