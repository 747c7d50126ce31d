//! Parameterised types: `list[int]`, `int | str`.

pub mod alias;
pub mod union;

pub use alias::DEF as ALIAS;
pub use union::DEF as UNION;

use crate::object::Ref;
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;

/// A type as annotations show it.
pub fn type_text(vm: &Vm, v: Value) -> R<String> {
    if v.is(Value::ELLIPSIS) {
        return Ok("...".into());
    }
    if v.is(vm.types.none.value()) {
        return Ok("None".into());
    }
    let has = |name: &str| -> R<bool> { Ok(vm.find_attr(v, vm.intern(name)?)?.is_some()) };
    if has("__origin__")? && has("__args__")? {
        return vm.repr_string(v);
    }
    let text = |v: Option<Value>| v.and_then(|v| v.cast::<Str>()).map(|s| s.to_string_lossy().into_owned());
    let name = text(vm.find_attr(v, vm.names.__qualname__)?);
    let module = text(vm.find_attr(v, vm.names.__module__)?);
    match (name, module) {
        (Some(n), Some(m)) if m == "builtins" => Ok(n),
        (Some(n), Some(m)) => Ok(format!("{m}.{n}")),
        _ => vm.repr_string(v),
    }
}

/// The type parameters in a tuple of arguments, each once.
pub fn parameters(vm: &Vm, args: Ref<Tuple>) -> R<Ref<Tuple>> {
    let found = List::with_capacity(vm, 2)?;
    let add = |v: Value| -> R<()> {
        if found.items().iter().any(|x| x.is(v)) { Ok(()) } else { found.push(vm, v) }
    };
    let (subst, params) = (vm.intern("__typing_subst__")?, vm.intern("__parameters__")?);
    for &a in args.items() {
        if a.cast::<Type>().is_some() {
            continue;
        }
        if vm.find_attr(a, subst)?.is_some() {
            add(a)?;
        } else if let Some(inner) = a.cast::<Tuple>() {
            for &p in parameters(vm, inner)?.items() {
                add(p)?;
            }
        } else if let Some(inner) = vm.find_attr(a, params)?.and_then(|p| p.cast::<Tuple>()) {
            for &p in inner.items() {
                add(p)?;
            }
        }
    }
    Tuple::new(vm, found.items())
}

/// `alias[item]`: the arguments with the parameters replaced. TypeError.
pub fn substitute(vm: &Vm, of: Value, args: Ref<Tuple>, params: Ref<Tuple>, item: Value) -> R<Ref<Tuple>> {
    if params.is_empty() {
        return Err(vm.type_error(format!("{} is not a generic class", vm.repr_string(of)?)));
    }
    let mut given = match item.cast::<Tuple>() {
        Some(t) => t,
        None => Tuple::new(vm, &[item])?,
    };
    let prepare = vm.intern("__typing_prepare_subst__")?;
    for &p in params.items() {
        if let Some(f) = vm.find_attr(p, prepare)?.filter(|f| !f.is_none()) {
            let r = vm.call(f, &[of, given.value()])?;
            given = match r.cast::<Tuple>() {
                Some(t) => t,
                None => Tuple::new(vm, &[r])?,
            };
        }
    }
    if given.len() != params.len() {
        let which = if given.len() > params.len() { "many" } else { "few" };
        return Err(vm.type_error(format!(
            "Too {which} arguments for {}; actual {}, expected {}",
            vm.repr_string(of)?,
            given.len(),
            params.len()
        )));
    }
    let value_of = |p: Value| params.items().iter().position(|x| x.is(p)).map(|i| given.items()[i]);
    let (subst, own) = (vm.intern("__typing_subst__")?, vm.intern("__parameters__")?);
    let out = List::with_capacity(vm, args.len())?;
    for &a in args.items() {
        if a.cast::<Type>().is_some() {
            out.push(vm, a)?;
            continue;
        }
        if let Some(v) = value_of(a)
            && let Some(f) = vm.find_attr(a, subst)?
        {
            let r = vm.call(f, &[v])?;
            match r.cast::<Tuple>().filter(|_| is_unpacked_parameter(vm, a)) {
                Some(t) => out.extend(vm, t.items())?,
                None => out.push(vm, r)?,
            }
            continue;
        }
        let inner = vm.find_attr(a, own)?.and_then(|p| p.cast::<Tuple>()).filter(|t| !t.is_empty());
        match inner {
            Some(inner) => {
                let row = List::with_capacity(vm, inner.len())?;
                for &p in inner.items() {
                    match value_of(p) {
                        Some(v) if is_unpacked_parameter(vm, p) && v.cast::<Tuple>().is_some() => {
                            row.extend(vm, v.cast::<Tuple>().as_ref().map_or(&[], |t| t.items()))?;
                        }
                        Some(v) => row.push(vm, v)?,
                        None => row.push(vm, p)?,
                    }
                }
                let row = vm.tuple(row.items())?;
                out.push(vm, vm.get_item(a, row)?)?;
            }
            None => out.push(vm, a)?,
        }
    }
    Tuple::new(vm, out.items())
}

/// Does it stand for any number of arguments (a TypeVarTuple)?
fn is_unpacked_parameter(vm: &Vm, v: Value) -> bool {
    vm.type_of(v).name_string() == "TypeVarTuple"
}
