//! Ops of raising and handling.

use crate::interp::At;
use crate::object::Ref;
use crate::types::exception::Exception;
use crate::types::tuple::Tuple;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;

/// An exception instance of what `raise` was given.
fn instance(vm: &Vm, v: Value) -> R<Ref<Exception>> {
    if let Some(e) = v.cast::<Exception>() {
        return Ok(e);
    }
    if let Some(t) = v.cast::<Type>()
        && t.is_subtype(vm.exc.base_exception)
    {
        let made = vm.call(v, &[])?;
        return made.cast::<Exception>().ok_or_else(|| {
            vm.type_error(format!(
                "calling {} should have returned an instance of BaseException, not {}",
                vm.repr_string(v).unwrap_or_default(),
                vm.type_name(made)
            ))
        });
    }
    Err(vm.type_error("exceptions must derive from BaseException"))
}

pub fn raise(vm: &Vm, at: At) -> R<At> {
    let e = instance(vm, at.reg(at.a()))?;
    Err(vm.raise(e.value()))
}

pub fn raise_from(vm: &Vm, at: At) -> R<At> {
    let e = instance(vm, at.reg(at.a()))?;
    let cause = at.reg(at.b());
    if cause.is_none() {
        e.cause.init(None::<Value>);
    } else {
        let is_exception = cause.cast::<Exception>().is_some()
            || cause.cast::<Type>().is_some_and(|t| t.is_subtype(vm.exc.base_exception));
        if !is_exception {
            return Err(vm.type_error("exception causes must derive from BaseException"));
        }
        let cause = instance(vm, cause)?;
        e.cause.set(vm, e, cause.value());
    }
    e.set_suppress_context(true);
    Err(vm.raise(e.value()))
}

pub fn raise_handled(vm: &Vm, _: At) -> R<At> {
    match vm.context().handled.get() {
        Some(e) if !e.is_none() => Err(vm.raise_again(e)),
        _ => Err(vm.runtime_error("No active exception to reraise")),
    }
}

pub fn reraise(vm: &Vm, at: At) -> R<At> {
    Err(vm.raise_again(at.reg(at.a())))
}

pub fn push_exc(vm: &Vm, at: At) -> R<At> {
    let ctx = vm.context();
    let previous = ctx.handled.get().unwrap_or(Value::NONE);
    let exception = at.reg(at.b());
    at.set(at.a(), previous);
    ctx.handled.set(Some(exception));
    Ok(at.skip(1))
}

pub fn pop_exc(vm: &Vm, at: At) -> R<At> {
    let v = at.reg(at.a());
    vm.context().handled.set((!v.is_none()).then_some(v));
    Ok(at.skip(1))
}

fn check_catchable(vm: &Vm, ty: Value) -> R<()> {
    let ok = |v: Value| v.cast::<Type>().is_some_and(|t| t.is_subtype(vm.exc.base_exception));
    let fine = match ty.cast::<Tuple>() {
        Some(t) => t.items().iter().all(|&v| ok(v)),
        None => ok(ty),
    };
    if fine {
        return Ok(());
    }
    Err(vm.type_error("catching classes that do not inherit from BaseException is not allowed"))
}

pub fn match_exc(vm: &Vm, at: At) -> R<At> {
    let (e, ty) = (at.reg(at.b()), at.reg(at.c()));
    let hit = match ty.cast::<Type>() {
        Some(t) if vm.type_of(e).is_subtype(t) => true,
        _ => {
            check_catchable(vm, ty)?;
            let actual = vm.type_of(e);
            let one = |v: Value| v.cast::<Type>().is_some_and(|t| actual.is_subtype(t));
            ty.cast::<Tuple>().is_some_and(|t| t.items().iter().any(|&v| one(v)))
        }
    };
    at.set(at.a(), Value::bool(hit));
    Ok(at.skip(1))
}

pub fn match_exc_group(vm: &Vm, at: At) -> R<At> {
    let (e, ty) = (at.reg(at.b()), at.reg(at.c()));
    check_catchable(vm, ty)?;
    let has_group = |v: Value| v.cast::<Type>().is_some_and(|t| t.is_subtype(vm.exc.base_exception_group));
    let group_named = match ty.cast::<Tuple>() {
        Some(t) => t.items().iter().any(|&v| has_group(v)),
        None => has_group(ty),
    };
    if group_named {
        return Err(vm.type_error("catching ExceptionGroup with except* is not allowed. Use except instead."));
    }
    let (hit, rest) = if vm.is_instance(e, ty)? {
        let is_group = vm.type_of(e).is_subtype(vm.exc.base_exception_group);
        let group = if is_group { e } else { wrap_in_group(vm, e, at)? };
        (group, Value::NONE)
    } else if vm.type_of(e).is_subtype(vm.exc.base_exception_group) {
        let split = vm.call(vm.get_attr_str(e, "split")?, &[ty])?;
        match split.cast::<Tuple>() {
            // What there is beyond is not looked at.
            Some(t) if t.len() >= 2 => (t.items()[0], t.items()[1]),
            Some(t) => {
                return Err(vm.type_error(format!(
                    "{}.split must return a 2-tuple, got tuple of size {}",
                    vm.type_name(e),
                    t.len()
                )));
            }
            None => {
                let (class, got) = (vm.type_name(e), vm.type_name(split));
                return Err(vm.type_error(format!("{class}.split must return a tuple, not {got}")));
            }
        }
    } else {
        (Value::NONE, e)
    };
    at.set(at.a(), hit);
    at.set(at.a() + 1, rest);
    if !hit.is_none() {
        vm.context().handled.set(Some(hit));
    }
    Ok(at.skip(1))
}

pub fn prep_reraise_star(vm: &Vm, at: At) -> R<At> {
    let v = (vm.builtin.exceptions_to_reraise)(vm, at.reg(at.b()), at.reg(at.c()))?;
    at.set(at.a(), v);
    Ok(at.skip(1))
}

/// The name closest to a misspelt one, if it is close: CPython's suggestion rule.
pub fn closest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const MOVE: usize = 2;
    const CASE: usize = 1;
    let mut best: Option<(usize, &str)> = None;
    for name in names.filter(|n| *n != wrong).take(750) {
        let max = (name.len() + wrong.len() + 3) * MOVE / 6;
        let limit = best.map_or(max, |(d, _)| max.min(d.saturating_sub(1)));
        let d = distance(wrong.as_bytes(), name.as_bytes(), MOVE, CASE);
        if d <= limit && best.is_none_or(|(b, _)| d < b) {
            best = Some((d, name));
        }
    }
    best.map(|(_, n)| n)
}

/// Edit distance in which a change of case costs less.
fn distance(a: &[u8], b: &[u8], step: usize, case: usize) -> usize {
    let cost = |x: u8, y: u8| match () {
        () if x == y => 0,
        () if x.eq_ignore_ascii_case(&y) => case,
        () => step,
    };
    let mut row: Vec<usize> = (0..=b.len()).map(|i| i * step).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = (i + 1) * step;
        for (j, &y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + cost(x, y)).min(above + step).min(row[j] + step);
            diagonal = above;
        }
    }
    row[b.len()]
}

/// An exception group of one exception, for `except*`: it comes from there.
fn wrap_in_group(vm: &Vm, e: Value, at: At) -> R<Value> {
    let message = vm.str("")?;
    let items = vm.tuple(&[e])?;
    let group = vm.call(vm.exc.base_exception_group.value(), &[message, items])?;
    super::unwind::add_traceback(vm, group, at.site());
    Ok(group)
}
