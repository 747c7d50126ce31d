//! Parameterised types: `list[int]`, `int | str`.

pub mod alias;
pub mod union;

pub use alias::DEF as ALIAS;
pub use union::DEF as UNION;

use skein_bytecode::Special;
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

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

/// A tuple, or a list's items as one.
fn row(vm: &Vm, v: Value) -> R<Option<Ref<Tuple>>> {
    match v.cast::<List>() {
        Some(l) => Tuple::new(vm, l.items()).map(Some),
        None => Ok(v.cast::<Tuple>()),
    }
}

/// The type parameters in a tuple of arguments, each once.
pub fn parameters(vm: &Vm, args: Ref<Tuple>) -> R<Ref<Tuple>> {
    vm.check_depth()?;
    let found = List::with_capacity(vm, 2)?;
    let add = |v: Value| -> R<()> {
        if found.items().iter().any(|x| x.is(v)) { Ok(()) } else { found.push(vm, v) }
    };
    let (subst, params) = (vm.intern("__typing_subst__")?, vm.intern("__parameters__")?);
    for &a in args.items() {
        // A class's own parameters are of no interest.
        if a.cast::<Type>().is_some() {
            continue;
        }
        let inner = match row(vm, a)? {
            Some(inner) => Some(parameters(vm, inner)?),
            None if vm.find_attr(a, subst)?.is_some() => {
                add(a)?;
                None
            }
            None => vm.find_attr(a, params)?.and_then(|p| p.cast::<Tuple>()),
        };
        if let Some(inner) = inner {
            inner.items().iter().try_for_each(|&p| add(p))?;
        }
    }
    Tuple::new(vm, found.items())
}

/// The items of a subscript, unpacked tuples of known length spread.
fn spread(vm: &Vm, item: Value) -> R<Ref<Tuple>> {
    let given = match item.cast::<Tuple>() {
        Some(t) => t,
        None => Tuple::new(vm, &[item])?,
    };
    let unpacked = vm.intern("__typing_unpacked_tuple_args__")?;
    let out = List::with_capacity(vm, given.len())?;
    for &v in given.items() {
        let inner = match v.cast::<Type>() {
            Some(_) => None,
            None => vm.find_attr(v, unpacked)?.and_then(|t| t.cast::<Tuple>()),
        };
        match inner.filter(|t| !t.items().last().is_some_and(|v| v.is(Value::ELLIPSIS))) {
            Some(t) => out.extend(vm, t.items())?,
            None => out.push(vm, v)?,
        }
    }
    Tuple::new(vm, out.items())
}

/// `alias[item]`: the arguments with the parameters replaced. TypeError.
pub fn substitute(vm: &Vm, of: Value, args: Ref<Tuple>, params: Ref<Tuple>, item: Value) -> R<Ref<Tuple>> {
    if params.is_empty() {
        return Err(vm.type_error(format!("{} is not a generic class", vm.repr_string(of)?)));
    }
    let mut given = spread(vm, item)?;
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
    replace(vm, args, params, given)
}

/// The arguments with each parameter replaced by what is given for it, also in nested rows.
fn replace(vm: &Vm, args: Ref<Tuple>, params: Ref<Tuple>, given: Ref<Tuple>) -> R<Ref<Tuple>> {
    let value_of = |p: Value| params.items().iter().position(|x| x.is(p)).map(|i| given.items()[i]);
    let subst = vm.intern("__typing_subst__")?;
    let unpacked = vm.intern("__typing_is_unpacked_typevartuple__")?;
    let out = List::with_capacity(vm, args.len())?;
    for &a in args.items() {
        if a.cast::<Type>().is_some() {
            out.push(vm, a)?;
            continue;
        }
        if let Some(inner) = row(vm, a)? {
            let new = replace(vm, inner, params, given)?;
            let new =
                if a.cast::<List>().is_some() { List::new(vm, new.items())?.value() } else { new.value() };
            out.push(vm, new)?;
            continue;
        }
        let spreads = match vm.find_attr(a, unpacked)? {
            Some(u) => vm.truth(u)?,
            None => false,
        };
        let new = match (value_of(a), vm.find_attr(a, subst)?) {
            (Some(v), Some(f)) => vm.call(f, &[v])?,
            _ => replace_inside(vm, a, value_of)?,
        };
        match new.cast::<Tuple>() {
            Some(t) if spreads => out.extend(vm, t.items())?,
            None if spreads => {
                let (what, got) = (vm.repr_string(a)?, vm.type_name(new));
                let text =
                    format!("expected __typing_subst__ of {what} objects to return a tuple, not {got}");
                return Err(vm.type_error(text));
            }
            _ => out.push(vm, new)?,
        }
    }
    Tuple::new(vm, out.items())
}

/// A generic argument, subscripted with what is given for its own parameters.
fn replace_inside(vm: &Vm, a: Value, value_of: impl Fn(Value) -> Option<Value>) -> R<Value> {
    let own = vm.find_attr(a, vm.intern("__parameters__")?)?.and_then(|p| p.cast::<Tuple>());
    let Some(own) = own.filter(|t| !t.is_empty()) else { return Ok(a) };
    let row = List::with_capacity(vm, own.len())?;
    for &p in own.items() {
        match value_of(p) {
            // Only what can be iterated stands for several types: a TypeVarTuple.
            Some(v) => match v.cast::<Tuple>().filter(|_| vm.type_of(p).special(vm, Special::Iter).is_some())
            {
                Some(t) => row.extend(vm, t.items())?,
                None => row.push(vm, v)?,
            },
            None => row.push(vm, p)?,
        }
    }
    vm.get_item(a, vm.tuple(row.items())?)
}
