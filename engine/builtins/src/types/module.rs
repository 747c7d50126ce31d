//! What Python code sees of `module`.

use super::function::annotations_by;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub DEF: "module", Kind::Module, type_flags::BASETYPE | type_flags::HAS_WEAKREF,
        "Create a module object.\n\nThe name must be a string; the optional docstring can have any type.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, name, doc=None)" => init;
        "__repr__($self, /)" => repr;
        "__dir__($self, /)" => dir;
    }
    getset {
        "__dict__" => crate::types::get_dict;
        "__annotations__" => get_annotations, set_annotations;
        "__annotate__" => |vm: &Vm, v: Ref<Module>| Ok(v.dict().get_str(vm, vm.names.__annotate__)?.unwrap_or(Value::NONE)), |vm: &Vm, v: Ref<Module>, new: Option<Value>| {
            let Some(new) = new else { return Err(vm.type_error("cannot delete __annotate__ attribute")) };
            set_annotate(vm, v, new)
        };
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let first = args.positional().first().copied().unwrap_or(Value::NONE);
    let ty = super::function::type_argument(vm, first, "module")?;
    Ok(Module::bare(vm, ty)?.value())
}

fn init(vm: &Vm, m: Ref<Module>, name: Value, doc: Option<Value>) -> R<()> {
    if name.cast::<Str>().is_none() {
        return Err(
            vm.type_error(format!("module() argument 'name' must be str, not {}", vm.type_name(name)))
        );
    }
    let d = m.dict();
    d.set_str(vm, vm.names.__name__, name)?;
    d.set_str(vm, vm.names.__doc__, doc.unwrap_or(Value::NONE))?;
    for attr in [vm.names.__package__, vm.names.__loader__, vm.names.__spec__] {
        d.set_str(vm, attr, Value::NONE)?;
    }
    Ok(())
}

fn repr(vm: &Vm, m: Ref<Module>) -> R<String> {
    let d = m.dict();
    let get = |name| -> R<Option<Value>> { Ok(d.get_str(vm, name)?.filter(|v| !v.is_none())) };
    let name = |v: Option<Value>| -> R<String> {
        match v {
            Some(n) => vm.repr_string(n),
            None => Ok("'?'".into()),
        }
    };
    if let Some(spec) = get(vm.names.__spec__)? {
        let spec_name = name(vm.find_attr(spec, vm.names.name)?)?;
        let origin = vm.find_attr(spec, vm.intern("origin")?)?.filter(|o| !o.is_none());
        let located = vm.find_attr(spec, vm.intern("has_location")?)?;
        let located = located.map_or(Ok(false), |l| vm.truth(l))?;
        return Ok(match origin {
            Some(o) if located => format!("<module {spec_name} from {}>", vm.repr_string(o)?),
            Some(o) => format!("<module {spec_name} ({})>", vm.str_string(o)?),
            None => match vm.find_attr(spec, vm.intern("loader")?)?.filter(|l| !l.is_none()) {
                Some(l) => match namespace_path(vm, l)? {
                    Some(path) => format!("<module {spec_name} (namespace) from {}>", vm.repr_string(path)?),
                    None => format!("<module {spec_name} ({})>", vm.repr_string(l)?),
                },
                None => format!("<module {spec_name}>"),
            },
        });
    }
    let own = name(get(vm.names.__name__)?)?;
    if let Some(file) = get(vm.names.__file__)? {
        return Ok(format!("<module {own} from {}>", vm.repr_string(file)?));
    }
    match get(vm.names.__loader__)? {
        Some(l) => Ok(format!("<module {own} ({})>", vm.repr_string(l)?)),
        None => Ok(format!("<module {own}>")),
    }
}

/// The folders of a package without files, as a list, if that is what the loader loads.
fn namespace_path(vm: &Vm, loader: Value) -> R<Option<Value>> {
    let modules = vm.modules.get();
    let external = modules.map_or(Ok(None), |m| m.get_name(vm, "_frozen_importlib_external"))?;
    let class = match external {
        Some(m) => vm.find_attr(m, vm.intern("NamespaceLoader")?)?,
        None => None,
    };
    match class {
        Some(class) if vm.type_of(loader).value().is(class) => {
            Ok(Some(vm.list_from(vm.get_attr_str(loader, "_path")?)?.value()))
        }
        _ => Ok(None),
    }
}

fn dir(vm: &Vm, m: Ref<Module>) -> R<Value> {
    let dict = vm.get_attr(m.value(), vm.names.__dict__)?;
    let Some(dict) = dict.cast::<Dict>() else {
        return Err(vm.type_error("<module>.__dict__ is not a dictionary"));
    };
    if let Some(f) = dict.get_name(vm, "__dir__")? {
        return vm.call(f, &[]);
    }
    let list = List::with_capacity(vm, dict.len())?;
    for (k, _) in dict.iter() {
        list.push(vm, k)?;
    }
    Ok(list.value())
}

fn get_annotations(vm: &Vm, v: Ref<Module>) -> R<Value> {
    let d = v.dict();
    if let Some(a) = d.get_str(vm, vm.names.__annotations__)? {
        return Ok(a);
    }
    let made = match d.get_str(vm, vm.names.__annotate__)?.filter(|a| !a.is_none()) {
        Some(annotate) => annotations_by(vm, annotate)?,
        None => Dict::new(vm)?.value(),
    };
    d.set_str(vm, vm.names.__annotations__, made)?;
    Ok(made)
}

fn set_annotate(vm: &Vm, m: Ref<Module>, new: Value) -> R<()> {
    if !new.is_none() && !vm.is_callable(new) {
        return Err(vm.type_error("__annotate__ must be callable or None"));
    }
    m.dict().set_str(vm, vm.names.__annotate__, new)?;
    if !new.is_none() {
        m.dict().delete_str(vm, vm.names.__annotations__)?;
    }
    Ok(())
}

fn set_annotations(vm: &Vm, v: Ref<Module>, new: Option<Value>) -> R<()> {
    let d = v.dict();
    match new {
        Some(a) => d.set_str(vm, vm.names.__annotations__, a)?,
        None if !d.delete_str(vm, vm.names.__annotations__)? => {
            return Err(vm.attribute_error("__annotations__"));
        }
        None => {}
    }
    d.delete_str(vm, vm.names.__annotate__).map(|_| ())
}
