//! Globals, builtins and names of namespaces.

use crate::interp::At;
use crate::interp::frames::{frame_code, frame_function};
use crate::object::Ref;
use crate::types::cell::CellObject;
use crate::types::code::GlobalCache;
use crate::types::dict::Dict;
use crate::types::function::{Extra, Function};
use crate::types::module::Module;
use crate::types::str::Str;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_bytecode::Op;

/// The builtins that a function's code sees: those of `__builtins__` in its globals.
pub fn builtins_of(vm: &Vm, f: Ref<Function>) -> R<Option<Ref<Dict>>> {
    if let Some(b) = f.extra(Extra::Builtins).and_then(|v| v.cast()) {
        return Ok(Some(b));
    }
    let found = match f.globals().get_str(vm, vm.names.__builtins__)? {
        Some(v) => v.cast::<Module>().map(|m| m.dict()).or_else(|| v.cast::<Dict>()),
        None => None,
    };
    Ok(found.or(vm.builtins.get()))
}

#[cold]
pub fn name_error(vm: &Vm, name: Ref<Str>) -> Raised {
    let text = name.to_string_lossy();
    let r = vm.name_error(format!("name '{text}' is not defined"));
    if let Some(e) = vm.pending.get().and_then(|e| e.cast::<crate::types::exception::Exception>())
        && e.set_field(vm, 0, name.value()).is_err()
    {
        return Raised;
    }
    r
}

pub fn load_global(vm: &Vm, at: At) -> R<At> {
    // SAFETY: the loader has put a cache there.
    let cache = unsafe { &*at.extra_ptr::<GlobalCache>() };
    let name = cache.name;
    let f = frame_function(at.base);
    let globals = f.globals();
    let quicken = |cell: Value, op: Op| {
        frame_code(at.base).barrier(vm);
        cache.cell.set(cell);
        cache.epoch.set(vm.globals_epoch.get());
        at.quicken(op);
    };
    let cached = frame_code(at.base).caches_globals(globals);
    let v = match mapping_get(vm, globals.value(), name)? {
        Some(v) => {
            if cached && let Some(cell) = globals.cell(vm, name) {
                quicken(cell.value(), Op::LoadGlobalCell);
            }
            v
        }
        None => {
            let Some(builtins) = builtins_of(vm, f)? else { return Err(name_error(vm, name)) };
            let Some(v) = mapping_get(vm, builtins.value(), name)? else { return Err(name_error(vm, name)) };
            if cached
                && let Some(cell) = builtins.cell(vm, name)
                && globals.has_cells()
            {
                globals.watch();
                quicken(cell.value(), Op::LoadGlobalBuiltin);
            }
            v
        }
    };
    at.set(at.a(), v);
    Ok(at.skip(2))
}

fn cache_name(at: At) -> Ref<Str> {
    // SAFETY: the loader has put a cache there.
    unsafe { (*at.extra_ptr::<GlobalCache>()).name }
}

pub fn store_global(vm: &Vm, at: At) -> R<At> {
    // SAFETY: the loader has put a cache there.
    let cache = unsafe { &*at.extra_ptr::<GlobalCache>() };
    let v = at.reg(at.a());
    if !cache.cell.is_empty() {
        // SAFETY: noted below; the collector empties the cache before the cell dies.
        let cell: Ref<CellObject> = unsafe { cache.cell.get().cast_unchecked() };
        // That of a name that was deleted is no part of the globals any more.
        if !cell.get().is_unbound() {
            cell.set(vm, v);
            return Ok(at.skip(2));
        }
    }
    let globals = frame_function(at.base).globals();
    globals.set_str(vm, cache.name, v)?;
    let code = frame_code(at.base);
    if code.caches_globals(globals)
        && let Some(cell) = globals.cell(vm, cache.name)
    {
        code.barrier(vm);
        cache.cell.set(cell.value());
    }
    Ok(at.skip(2))
}

pub fn delete_global(vm: &Vm, at: At) -> R<At> {
    let name = at.extra_name();
    if frame_function(at.base).globals().delete_str(vm, name)? {
        return Ok(at.skip(2));
    }
    Err(name_error(vm, name))
}

/// `mapping[name]`, or None if that raises KeyError.
fn mapping_get(vm: &Vm, mapping: Value, name: Ref<Str>) -> R<Option<Value>> {
    if let Some(d) = mapping.cast::<Dict>()
        && vm.type_of(mapping) == vm.types.dict
    {
        return d.get_str(vm, name);
    }
    let r = vm.get_item(mapping, name.value());
    vm.absorb(r, vm.exc.key_error)
}

pub fn load_name(vm: &Vm, at: At) -> R<At> {
    let name = cache_name(at);
    let v = match mapping_get(vm, at.reg(0), name)? {
        Some(v) => v,
        None => {
            let f = frame_function(at.base);
            let found = match mapping_get(vm, f.globals().value(), name)? {
                Some(v) => Some(v),
                None => match builtins_of(vm, f)? {
                    Some(b) => mapping_get(vm, b.value(), name)?,
                    None => None,
                },
            };
            found.ok_or_else(|| name_error(vm, name))?
        }
    };
    at.set(at.a(), v);
    Ok(at.skip(2))
}

pub fn store_name(vm: &Vm, at: At) -> R<At> {
    let (name, v) = (cache_name(at), at.reg(at.a()));
    match at.reg(0).cast::<Dict>() {
        Some(d) if vm.type_of(at.reg(0)) == vm.types.dict => d.set_str(vm, name, v)?,
        _ => vm.set_item(at.reg(0), name.value(), v)?,
    }
    Ok(at.skip(2))
}

pub fn delete_name(vm: &Vm, at: At) -> R<At> {
    let name = at.extra_name();
    let deleted = match at.reg(0).cast::<Dict>() {
        Some(d) if vm.type_of(at.reg(0)) == vm.types.dict => d.delete_str(vm, name)?,
        _ => {
            let r = vm.del_item(at.reg(0), name.value());
            vm.absorb(r, vm.exc.key_error)?.is_some()
        }
    };
    if deleted { Ok(at.skip(2)) } else { Err(name_error(vm, name)) }
}

pub fn lookup_mapping(vm: &Vm, at: At) -> R<At> {
    let v = mapping_get(vm, at.reg(at.b()), at.extra_name())?;
    at.set(at.a(), v.unwrap_or(Value::UNBOUND));
    Ok(at.skip(2))
}
