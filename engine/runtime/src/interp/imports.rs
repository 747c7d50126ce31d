//! The ops of the import statement.

use crate::interp::frames::frame_function;
use crate::interp::{At, globals, module_names};
use crate::object::Ref;
use crate::types::dict::Dict;
use crate::types::str::Str;
use crate::value::{R, Value};
use crate::vm::Vm;

pub fn import_name(vm: &Vm, at: At) -> R<At> {
    let (fromlist, level, name) = (at.reg(at.b()), at.reg(at.b() + 1), at.extra_name());
    let f = frame_function(at.base);
    let builtins = globals::builtins_of(vm, f)?;
    let import = match builtins {
        Some(b) => b.get_str(vm, vm.names.__import__)?,
        None => None,
    };
    let Some(import) = import else { return Err(vm.import_error("__import__ not found")) };
    let module = vm.call(import, &[name.value(), f.globals.value(), Value::NONE, fromlist, level])?;
    at.set(at.a(), module);
    Ok(at.skip(2))
}

pub fn import_from(vm: &Vm, at: At) -> R<At> {
    let (module, name) = (at.reg(at.b()), at.extra_name());
    let v = match vm.find_attr(module, name)? {
        Some(v) => v,
        None => submodule(vm, module, name)?,
    };
    at.set(at.a(), v);
    Ok(at.skip(2))
}

/// A submodule that is in `sys.modules` but not yet an attribute (a circular import).
fn submodule(vm: &Vm, module: Value, name: Ref<Str>) -> R<Value> {
    let package = vm.find_attr(module, vm.names.__name__)?.and_then(|n| n.cast::<Str>());
    let full = package.map(|p| format!("{}.{}", p.to_string_lossy(), name.to_string_lossy()));
    if let (Some(full), Some(modules)) = (&full, vm.modules.get())
        && let Some(m) = modules.get_name(vm, full)?
    {
        return Ok(m);
    }
    Err(module_names::cannot_import(vm, module, package, name)?)
}

pub fn import_star(vm: &Vm, at: At) -> R<At> {
    let module = at.reg(at.a());
    let all = vm.find_attr(module, vm.names.__all__)?;
    let skip_private = all.is_none();
    let names = match all {
        Some(a) => vm.list_from(a)?,
        None => {
            let Some(d) = vm.find_attr(module, vm.names.__dict__)?.and_then(|d| d.cast::<Dict>()) else {
                return Err(vm.import_error("from-import-* object has no __dict__ and no __all__"));
            };
            let names = crate::types::list::List::with_capacity(vm, d.len())?;
            for (k, _) in d.iter() {
                names.push(vm, k)?;
            }
            names
        }
    };
    let target = at.reg(0);
    let mut i = 0;
    while let Some(name) = names.get(i) {
        i += 1;
        let Some(s) = name.cast::<Str>() else {
            return Err(module_names::not_a_name(vm, module, name, skip_private)?);
        };
        if skip_private && s.bytes().starts_with(b"_") {
            continue;
        }
        let v = vm.get_attr(module, vm.intern_str(s))?;
        match target.cast::<Dict>() {
            Some(d) => d.set_str(vm, vm.intern_str(s), v)?,
            None => vm.set_item(target, name, v)?,
        }
    }
    Ok(at.skip(1))
}
