//! What Python code sees of `BaseException`.

use super::{keywords, receiver};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::traceback::Traceback;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub DEF: "BaseException", Kind::Exception, type_flags::BASETYPE | type_flags::HAS_DICT;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, *args, **kwargs)" => init;
        "__repr__($self, /)" => repr;
        "__str__($self, /)" => str;
        "__reduce__($self, /)" => reduce;
        "__setstate__($self, state, /)" => setstate;
        "with_traceback($self, object, /)" => with_traceback,
            "Set self.__traceback__ to tb and return self.";
        "add_note($self, object, /)" => add_note, "Add a note to the exception";
    }
    getset {
        "args" => |_: &Vm, v: Ref<Exception>| Ok(v.args.or_none()), set_args;
        "__traceback__" => |_: &Vm, v: Ref<Exception>| Ok(v.traceback.or_none()), set_traceback;
        "__context__" => |_: &Vm, v: Ref<Exception>| Ok(v.context.or_none()), set_context;
        "__cause__" => |_: &Vm, v: Ref<Exception>| Ok(v.cause.or_none()), set_cause;
        "__suppress_context__" => |_: &Vm, v: Ref<Exception>| Ok(Value::bool(v.suppress_context())), set_suppress_context;
        "__dict__" => crate::types::get_dict, crate::types::set_dict;
    }
}

/// An instance of the class that is the first argument, with the other positional ones as `args`.
pub(super) fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(ty) = args.positional().first().and_then(|t| t.cast::<Type>()) else {
        return Err(vm.type_error("BaseException.__new__(X): X is not a type object"));
    };
    if !ty.is_subtype(vm.exc.base_exception) {
        return Err(vm.type_error(format!(
            "BaseException.__new__({0}): {0} is not a subtype of BaseException",
            ty.name_string()
        )));
    }
    let e = Exception::new(vm, ty, &args.positional()[1..])?;
    if ty.has_flag(type_flags::HAS_DEL) {
        vm.heap.register_finalizer(e.header());
    }
    Ok(e.value())
}

/// `BaseException.__init__` for a receiver known to be an exception: only sets `args`.
pub(super) fn set_arguments(vm: &Vm, e: Ref<Exception>, positional: &[Value]) -> R<()> {
    let same = e.args.cast::<Tuple>().is_some_and(|t| t.items() == positional);
    if !same {
        let args = Tuple::new(vm, positional)?;
        e.args.set(vm, e, args.value());
    }
    Ok(())
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let e = receiver(vm, args, "__init__")?;
    if args.has_keywords() {
        keywords(vm, args, [], &vm.type_name(e.value()))?;
    }
    set_arguments(vm, e, &args.positional()[1..])
}

fn repr(vm: &Vm, e: Ref<Exception>) -> R<String> {
    let name = vm.type_name(e.value());
    match e.args.cast::<Tuple>() {
        Some(t) if t.len() == 1 => Ok(format!("{name}({})", vm.repr_string(t.items()[0])?)),
        _ => Ok(format!("{name}{}", vm.repr_string(e.args.or_none())?)),
    }
}

/// `BaseException.__str__`.
pub(super) fn str(vm: &Vm, e: Ref<Exception>) -> R<Value> {
    match e.args.cast::<Tuple>().as_ref().map_or(&[][..], |t| t.items()) {
        [] => vm.str(""),
        [one] => Ok(vm.to_str(*one)?.value()),
        _ => Ok(vm.to_str(e.args.or_none())?.value()),
    }
}

/// The instance's dictionary, if it has anything in it.
pub(super) fn filled_dict(vm: &Vm, e: Ref<Exception>) -> R<Option<Ref<Dict>>> {
    Ok(vm.instance_dict(e.value())?.filter(|d| !d.is_empty()))
}

/// The tuple that `__reduce__` returns for these arguments and state.
pub(super) fn reduced(vm: &Vm, e: Ref<Exception>, args: Value, state: Option<Ref<Dict>>) -> R<Value> {
    let ty = vm.type_of(e.value()).value();
    match state {
        Some(d) => vm.tuple(&[ty, args, d.value()]),
        None => vm.tuple(&[ty, args]),
    }
}

fn reduce(vm: &Vm, e: Ref<Exception>) -> R<Value> {
    reduced(vm, e, e.args.or_none(), filled_dict(vm, e)?)
}

fn setstate(vm: &Vm, e: Ref<Exception>, state: Value) -> R<()> {
    if state.is_none() {
        return Ok(());
    }
    let Some(d) = state.cast::<Dict>() else { return Err(vm.type_error("state is not a dictionary")) };
    let d = d.copy(vm)?;
    for (k, v) in d.iter() {
        vm.set_attr(e.value(), crate::types::attribute_name(vm, k)?, v)?;
    }
    Ok(())
}

fn with_traceback(vm: &Vm, e: Ref<Exception>, tb: Value) -> R<Value> {
    set_traceback(vm, e, Some(tb))?;
    Ok(e.value())
}

fn add_note(vm: &Vm, e: Ref<Exception>, note: Value) -> R<()> {
    if note.cast::<Str>().is_none() {
        return Err(vm.type_error(format!("note must be a str, not '{}'", vm.type_name(note))));
    }
    let name = vm.intern("__notes__")?;
    let notes = match vm.find_attr(e.value(), name)? {
        Some(n) => n,
        None => {
            let n = List::with_capacity(vm, 1)?.value();
            vm.set_attr(e.value(), name, n)?;
            n
        }
    };
    match notes.cast::<List>() {
        Some(l) => l.push(vm, note),
        None => Err(vm.type_error("Cannot add note: __notes__ is not a list")),
    }
}

fn set_args(vm: &Vm, v: Ref<Exception>, new: Option<Value>) -> R<()> {
    let Some(new) = new else { return Err(vm.type_error("args may not be deleted")) };
    let items = vm.list_from(new)?;
    let args = Tuple::new(vm, items.items())?;
    v.args.set(vm, v, args.value());
    Ok(())
}

fn set_traceback(vm: &Vm, v: Ref<Exception>, new: Option<Value>) -> R<()> {
    let Some(new) = new else { return Err(vm.type_error("__traceback__ may not be deleted")) };
    if !new.is_none() && new.cast::<Traceback>().is_none() {
        return Err(vm.type_error("__traceback__ must be a traceback or None"));
    }
    v.traceback.set(vm, v, (!new.is_none()).then_some(new));
    Ok(())
}

/// An exception or nothing.
fn link(vm: &Vm, new: Option<Value>, what: &str) -> R<Option<Value>> {
    let Some(new) = new else { return Err(vm.type_error(format!("__{what}__ may not be deleted"))) };
    if new.is_none() {
        return Ok(None);
    }
    if new.cast::<Exception>().is_none() {
        return Err(vm.type_error(format!("exception {what} must be None or derive from BaseException")));
    }
    Ok(Some(new))
}

fn set_context(vm: &Vm, v: Ref<Exception>, new: Option<Value>) -> R<()> {
    let new = link(vm, new, "context")?;
    v.context.set(vm, v, new);
    Ok(())
}

fn set_cause(vm: &Vm, v: Ref<Exception>, new: Option<Value>) -> R<()> {
    let new = link(vm, new, "cause")?;
    v.cause.set(vm, v, new);
    v.set_suppress_context(true);
    Ok(())
}

fn set_suppress_context(vm: &Vm, v: Ref<Exception>, new: Option<Value>) -> R<()> {
    match new {
        Some(b) if b.is_bool() => {
            v.set_suppress_context(b.is(Value::TRUE));
            Ok(())
        }
        Some(_) => Err(vm.type_error("attribute value type must be bool")),
        None => Err(vm.type_error("can't delete numeric/char attribute")),
    }
}

/// Adds a note to the pending exception.
pub fn add_note_to_pending(vm: &Vm, note: &str) -> R<()> {
    let Some(e) = vm.pending.take() else { return Ok(()) };
    let text = vm.str(note)?;
    if let Some(x) = e.cast::<Exception>() {
        add_note(vm, x, text).map_err(|Raised| vm.raise_again(e))?;
    }
    vm.pending.set(Some(e));
    Ok(())
}
