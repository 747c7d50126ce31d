//! What Python code sees of `BaseExceptionGroup` and `ExceptionGroup`, and what `except*` does with them.

use super::base::{new as base_new, set_arguments};
use super::{get_field, keywords};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::exception::Exception;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

const MESSAGE: usize = 0;
const EXCEPTIONS: usize = 1;
/// How a sequence that is neither a list nor a tuple showed itself: it may change.
const SHOWN: usize = 2;

native_type! {
    pub DEF: "BaseExceptionGroup", Kind::Exception, type_flags::BASETYPE | type_flags::HAS_DICT;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, *args, **kwargs)" => init;
        "__str__($self, /)" => str;
        "__repr__($self, /)" => repr;
        "derive($self, excs, /)" => derive;
        "split($self, matcher, /)" => split;
        "subgroup($self, matcher, /)" => subgroup;
        [class] "__class_getitem__($cls, object, /)" => |vm: &Vm, cls: Value, item: Value| vm.generic_alias(cls, item),
            "See PEP 585";
    }
    getset {
        "message" => get_field::<MESSAGE>;
        "exceptions" => get_field::<EXCEPTIONS>;
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(ty) = args.positional().first().and_then(|t| t.cast::<Type>()) else {
        return base_new(vm, args);
    };
    let given = &args.positional()[1..];
    let &[message, sequence] = given else {
        return Err(vm.type_error(format!(
            "BaseExceptionGroup.__new__() takes exactly 2 arguments ({} given)",
            given.len()
        )));
    };
    if message.cast::<Str>().is_none() {
        return Err(vm.type_error(format!(
            "BaseExceptionGroup.__new__() argument 1 must be str, not {}",
            vm.type_name(message)
        )));
    }
    let is_sequence = vm.type_of(sequence).special(vm, skein_bytecode::Special::GetItem).is_some()
        && sequence.cast::<skein_runtime::types::dict::Dict>().is_none();
    if !is_sequence {
        return Err(vm.type_error("second argument (exceptions) must be a sequence"));
    }
    let list = vm.list_from(sequence)?;
    if list.is_empty() {
        return Err(vm.value_error("second argument (exceptions) must be a non-empty sequence"));
    }
    let mut has_base = false;
    for (i, v) in list.items().iter().enumerate() {
        if v.cast::<Exception>().is_none() {
            return Err(
                vm.value_error(format!("Item {i} of second argument (exceptions) is not an exception"))
            );
        }
        has_base |= !vm.type_of(*v).is_subtype(vm.exc.exception);
    }
    let mut ty = ty;
    if ty == vm.exc.base_exception_group {
        if !has_base {
            ty = vm.exc.exception_group;
        }
    } else if has_base && ty.is_subtype(vm.exc.exception) {
        return Err(vm.type_error(if ty == vm.exc.exception_group {
            "Cannot nest BaseExceptions in an ExceptionGroup".to_string()
        } else {
            format!("Cannot nest BaseExceptions in '{}'", ty.name_string())
        }));
    }
    let shown = if sequence.cast::<List>().is_some() || sequence.cast::<Tuple>().is_some() {
        None
    } else {
        Some(vm.repr(sequence)?)
    };
    let made = base_new(vm, Args::new(&[ty.value(), message, sequence], None))?;
    if let Some(e) = made.cast::<Exception>() {
        let items = Tuple::new(vm, list.items())?;
        e.set_field(vm, MESSAGE, message)?;
        e.set_field(vm, EXCEPTIONS, items.value())?;
        if let Some(shown) = shown {
            e.set_field(vm, SHOWN, Value::from(shown))?;
        }
    }
    Ok(made)
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let e = super::receiver(vm, args, "__init__")?;
    keywords(vm, args, [], &vm.type_name(e.value()))?;
    set_arguments(vm, e, &args.positional()[1..])
}

/// The exceptions in a group.
pub fn members(e: Ref<Exception>) -> Option<Ref<Tuple>> {
    e.field(EXCEPTIONS).and_then(|v| v.cast())
}

/// The exception as a group.
pub fn as_group(vm: &Vm, v: Value) -> Option<Ref<Exception>> {
    v.cast::<Exception>().filter(|_| vm.type_of(v).is_subtype(vm.exc.base_exception_group))
}

fn str(vm: &Vm, e: Ref<Exception>) -> R<String> {
    let n = members(e).map_or(0, |t| t.len());
    let message = vm.str_string(e.field(MESSAGE).unwrap_or(Value::NONE))?;
    Ok(format!("{message} ({n} sub-exception{})", if n == 1 { "" } else { "s" }))
}

/// The exceptions as the sequence that was given, whatever has become of it and of `args`.
fn repr(vm: &Vm, e: Ref<Exception>) -> R<String> {
    let name = vm.type_name(e.value());
    let message = vm.repr_string(e.field(MESSAGE).unwrap_or(Value::NONE))?;
    if let Some(shown) = e.field(SHOWN) {
        return Ok(format!("{name}({message}, {})", vm.str_string(shown)?));
    }
    let mut all = e.field(EXCEPTIONS).unwrap_or(Value::NONE);
    let given = e.args.cast::<Tuple>().and_then(|t| t.items().get(1).copied());
    if given.is_some_and(|g| g.cast::<List>().is_some()) {
        all = vm.list_from(all)?.value();
    }
    Ok(format!("{name}({message}, {})", vm.repr_string(all)?))
}

fn derive(vm: &Vm, e: Ref<Exception>, excs: Value) -> R<Value> {
    let message = e.field(MESSAGE).unwrap_or(Value::NONE);
    vm.call(vm.exc.base_exception_group.value(), &[message, excs])
}

/// What selects exceptions of a group.
#[derive(Clone, Copy)]
enum Matcher<'a> {
    /// An exception type or a tuple of them.
    Types(Value),
    Predicate(Value),
    /// These very objects.
    Identity(&'a [Value]),
}

impl Matcher<'_> {
    fn of(vm: &Vm, v: Value) -> R<Matcher<'static>> {
        let is_class = |v: Value| v.cast::<Type>().is_some_and(|t| t.is_subtype(vm.exc.base_exception));
        if v.cast::<Type>().is_none() && vm.type_of(v).special(vm, skein_bytecode::Special::Call).is_some() {
            return Ok(Matcher::Predicate(v));
        }
        if is_class(v) || v.cast::<Tuple>().is_some_and(|t| t.items().iter().all(|&v| is_class(v))) {
            return Ok(Matcher::Types(v));
        }
        Err(vm.type_error(
            "expected an exception type, a tuple of exception types, or a callable (other than a class)",
        ))
    }

    fn matches(self, vm: &Vm, e: Value) -> R<bool> {
        match self {
            Matcher::Types(t) => {
                let ty = vm.type_of(e);
                let one = |v: Value| v.cast::<Type>().is_some_and(|t| ty.is_subtype(t));
                Ok(one(t) || t.cast::<Tuple>().is_some_and(|t| t.items().iter().any(|&v| one(v))))
            }
            Matcher::Predicate(f) => {
                let r = vm.call(f, &[e])?;
                vm.truth(r)
            }
            Matcher::Identity(all) => Ok(as_group(vm, e).is_none() && all.iter().any(|v| v.is(e))),
        }
    }
}

/// The matching part and the rest of an exception; nothing of one is None.
fn split_by(vm: &Vm, v: Value, matcher: Matcher<'_>, want_rest: bool) -> R<(Value, Value)> {
    if matcher.matches(vm, v)? {
        return Ok((v, Value::NONE));
    }
    let Some(group) = as_group(vm, v) else { return Ok((Value::NONE, v)) };
    let (hits, rest) = (List::with_capacity(vm, 2)?, List::with_capacity(vm, 2)?);
    if let Some(items) = members(group) {
        for &e in items.items() {
            let (hit, other) = match as_group(vm, e) {
                Some(_) if vm.native_stack_low() => {
                    return Err(vm.recursion_error("maximum recursion depth exceeded"));
                }
                _ => split_by(vm, e, matcher, want_rest)?,
            };
            if !hit.is_none() {
                hits.push(vm, hit)?;
            }
            if want_rest && !other.is_none() {
                rest.push(vm, other)?;
            }
        }
    }
    Ok((subset(vm, group, hits)?, subset(vm, group, rest)?))
}

/// A group like `of` with only these exceptions.
fn subset(vm: &Vm, of: Ref<Exception>, items: Ref<List>) -> R<Value> {
    if items.is_empty() {
        return Ok(Value::NONE);
    }
    let made = vm.call_method(of.value(), "derive", &[items.value()])?;
    let Some(e) = as_group(vm, made) else {
        return Err(vm.type_error("derive must return an instance of BaseExceptionGroup"));
    };
    e.traceback.set(vm, e, of.traceback.get());
    e.context.set(vm, e, of.context.get());
    e.cause.set(vm, e, of.cause.get());
    e.set_suppress_context(true);
    let name = vm.intern("__notes__")?;
    if let Some(notes) = vm.find_attr(of.value(), name)?
        && vm.type_of(notes).special(vm, skein_bytecode::Special::GetItem).is_some()
    {
        let copy = vm.list_from(notes)?;
        vm.set_attr(made, name, copy.value())?;
    }
    Ok(made)
}

fn split(vm: &Vm, e: Ref<Exception>, matcher: Value) -> R<Value> {
    let matcher = Matcher::of(vm, matcher)?;
    let (hit, rest) = split_by(vm, e.value(), matcher, true)?;
    vm.tuple(&[hit, rest])
}

fn subgroup(vm: &Vm, e: Ref<Exception>, matcher: Value) -> R<Value> {
    let matcher = Matcher::of(vm, matcher)?;
    Ok(split_by(vm, e.value(), matcher, false)?.0)
}

fn collect_leaves(vm: &Vm, v: Value, into: Ref<List>) -> R<()> {
    match as_group(vm, v).and_then(members) {
        Some(items) => items.items().iter().try_for_each(|&e| collect_leaves(vm, e, into)),
        None => into.push(vm, v),
    }
}

/// Was it raised again as it is: same traceback, cause, context and notes?
fn same_origin(vm: &Vm, a: Value, b: Value) -> R<bool> {
    let (Some(x), Some(y)) = (a.cast::<Exception>(), b.cast::<Exception>()) else { return Ok(false) };
    let name = vm.intern("__notes__")?;
    let notes = vm.find_attr(a, name)? == vm.find_attr(b, name)?;
    Ok(notes
        && x.traceback.or_none().is(y.traceback.or_none())
        && x.cause.or_none().is(y.cause.or_none())
        && x.context.or_none().is(y.context.or_none()))
}

/// What remains to be raised after `except*` clauses: `raised` is a list of what they raised or
/// left, with None for nothing.
pub fn exceptions_to_reraise(vm: &Vm, original: Value, raised: Value) -> R<Value> {
    let list = vm.list_from(raised)?;
    if as_group(vm, original).is_none() {
        // A plain exception was wrapped: one clause at most has run.
        return Ok(list.items().iter().copied().find(|v| !v.is_none()).unwrap_or(Value::NONE));
    }
    let fresh = List::with_capacity(vm, 2)?;
    let kept = List::with_capacity(vm, 2)?;
    for &e in list.items() {
        if e.is_none() {
            continue;
        }
        if same_origin(vm, e, original)? {
            collect_leaves(vm, e, kept)?;
        } else {
            fresh.push(vm, e)?;
        }
    }
    let rest = match kept.is_empty() {
        true => Value::NONE,
        false => split_by(vm, original, Matcher::Identity(kept.items()), false)?.0,
    };
    if fresh.is_empty() {
        return Ok(rest);
    }
    if !rest.is_none() {
        fresh.push(vm, rest)?;
    }
    match fresh.items() {
        [one] => Ok(*one),
        _ => {
            let message = vm.str("")?;
            vm.call(vm.exc.base_exception_group.value(), &[message, fresh.value()])
        }
    }
}
