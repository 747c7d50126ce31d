//! What becomes of a warning: the filters, and the registries of those that were shown already.

use super::{State, Warning, replaced};
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm};

pub enum Decision {
    Ignore,
    Raise,
    Show,
}

/// The filters of a program that sets none.
pub fn builtin(vm: &Vm) -> R<Ref<List>> {
    let list = List::with_capacity(vm, 5)?;
    let e = &vm.exc;
    for (action, category, module) in [
        ("default", e.deprecation_warning, Some("__main__")),
        ("ignore", e.deprecation_warning, None),
        ("ignore", e.pending_deprecation_warning, None),
        ("ignore", e.import_warning, None),
        ("ignore", e.resource_warning, None),
    ] {
        let module = module.map_or(Ok(Value::NONE), |m| vm.str(m))?;
        let row = [vm.str(action)?, Value::NONE, category.value(), module, Value::small_int(0)];
        list.push(vm, vm.tuple(&row)?)?;
    }
    Ok(list)
}

/// Finds out what is to be done, and notes that it will be.
pub fn decide(vm: &Vm, w: &Warning) -> R<Decision> {
    let key = vm.tuple(&[w.text, w.category, vm.int(w.line)?])?;
    if let Some(registry) = w.registry
        && was_shown(vm, registry, key)?
    {
        return Ok(Decision::Ignore);
    }
    let (action, filter) = action(vm, w)?;
    let action_text = vm.str_string(action)?;
    match action_text.as_str() {
        "error" => return Ok(Decision::Raise),
        "ignore" => return Ok(Decision::Ignore),
        "always" | "all" => return Ok(Decision::Show),
        _ => {}
    }
    if let Some(registry) = w.registry {
        registry.set(vm, key, Value::TRUE)?;
    }
    let shown_before = match action_text.as_str() {
        "default" => false,
        "once" => match w.registry {
            Some(registry) => note(vm, registry, w)?,
            None => note(vm, once_registry(vm)?, w)?,
        },
        "module" => match w.registry {
            Some(registry) => note(vm, registry, w)?,
            None => false,
        },
        _ => {
            return Err(vm.runtime_error(format!(
                "Unrecognized action ({}) in warnings.filters:\n {}",
                vm.repr_string(action)?,
                vm.repr_string(filter)?
            )));
        }
    };
    Ok(if shown_before { Decision::Ignore } else { Decision::Show })
}

/// Is the key in the registry? One that knows of other filters is emptied.
fn was_shown(vm: &Vm, registry: Ref<Dict>, key: Value) -> R<bool> {
    let version = vm.state::<State>().version.get();
    match registry.get_name(vm, "version")? {
        Some(v) if vm.as_i64(v) == Some(version) => match registry.get(vm, key)? {
            Some(shown) => vm.truth(shown),
            None => Ok(false),
        },
        _ => {
            registry.clear(vm);
            registry.set_name(vm, "version", vm.int(version)?)?;
            Ok(false)
        }
    }
}

/// Notes the warning whatever its line. True: it was there.
fn note(vm: &Vm, registry: Ref<Dict>, w: &Warning) -> R<bool> {
    let key = vm.tuple(&[w.text, w.category])?;
    if was_shown(vm, registry, key)? {
        return Ok(true);
    }
    registry.set(vm, key, Value::TRUE)?;
    Ok(false)
}

fn once_registry(vm: &Vm) -> R<Ref<Dict>> {
    let own = vm.state::<State>().once.get();
    match replaced(vm, "onceregistry")? {
        None => own.ok_or_else(|| vm.system_error("_warnings is not imported")),
        Some(v) => v.cast::<Dict>().ok_or_else(|| {
            let got = vm.type_name(v);
            vm.type_error(format!("_warnings.onceregistry must be a dict, not '{got}'"))
        }),
    }
}

/// The action for a warning and the filter that asks for it.
fn action(vm: &Vm, w: &Warning) -> R<(Value, Value)> {
    if let Some(filters) = context_filters(vm)?
        && let Some(found) = search(vm, w, filters, "_warnings_context")?
    {
        return Ok(found);
    }
    let own = vm.state::<State>().filters.get().map_or(Value::NONE, Value::from);
    let filters = replaced(vm, "filters")?.unwrap_or(own);
    if let Some(found) = search(vm, w, filters, "_warnings.filters")? {
        return Ok(found);
    }
    let action = match replaced(vm, "defaultaction")? {
        None => vm.str("default")?,
        Some(v) if v.cast::<Str>().is_some() => v,
        Some(v) => {
            let got = vm.type_name(v);
            return Err(vm.type_error(format!("_warnings.defaultaction must be a string, not '{got}'")));
        }
    };
    Ok((action, Value::NONE))
}

/// The filters of the current context, where they belong to contexts.
fn context_filters(vm: &Vm) -> R<Option<Value>> {
    let flags = match vm.sys_dict.get() {
        Some(sys) => sys.get_name(vm, "flags")?,
        None => None,
    };
    let flag = match flags {
        Some(flags) => vm.find_attr(flags, vm.intern("context_aware_warnings")?)?,
        None => None,
    };
    let variable = vm.state::<State>().context.get();
    let (Some(flag), Some(variable)) = (flag, variable) else { return Ok(None) };
    if !vm.truth(flag)? {
        return Ok(None);
    }
    match vm.call_method(variable, "get", &[Value::NONE])? {
        context if context.is_none() => Ok(None),
        context => vm.get_attr_str(context, "_filters").map(Some),
    }
}

fn search(vm: &Vm, w: &Warning, filters: Value, name: &str) -> R<Option<(Value, Value)>> {
    let Some(filters) = filters.cast::<List>() else {
        return Err(vm.value_error(format!("{name} must be a list")));
    };
    let mut i = 0;
    // Matching runs Python code, which may change the list.
    while let Some(filter) = filters.get(i) {
        let row = filter.cast::<Tuple>();
        let Some(&[action, message, category, module, line]) = row.as_ref().map(|r| r.items()) else {
            return Err(vm.value_error(format!("{name} item {i} isn't a 5-tuple")));
        };
        if action.cast::<Str>().is_none() {
            let got = vm.type_name(action);
            return Err(vm.type_error(format!("action must be a string, not '{got}'")));
        }
        if matches(vm, message, w.text)?
            && vm.is_subclass(w.category, category)?
            && matches(vm, module, w.module)?
        {
            let line = vm.index_i64(line)?;
            if line == 0 || line == w.line {
                return Ok(Some((action, filter)));
            }
        }
        i += 1;
    }
    Ok(None)
}

/// None matches all, text itself, and a compiled pattern what it matches.
fn matches(vm: &Vm, pattern: Value, text: Value) -> R<bool> {
    if pattern.is_none() {
        Ok(true)
    } else if vm.is_exact_str(pattern) {
        vm.eq(pattern, text)
    } else {
        let found = vm.call_method(pattern, "match", &[text])?;
        vm.truth(found)
    }
}
