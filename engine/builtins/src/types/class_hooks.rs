//! What a new class tells its attributes and its bases: `__set_name__`, `__init_subclass__`.

use skein_bytecode::Special;
use skein_runtime::interp::{Step, TaskDef, TaskRef, new_task};
use skein_runtime::native::Args;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::function::Function;
use skein_runtime::types::list::List;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

const CLASS: usize = 0;
/// List: name and value of each attribute that has `__set_name__`.
const NAMED: usize = 1;
const KEYWORDS: usize = 2;
const NAMES: usize = 3;

static HOOKS: TaskDef = TaskDef { step, failed };

/// The hooks of a class with this namespace, made with these arguments.
pub(super) fn task(vm: &Vm, ty: Ref<Type>, dict: Ref<Dict>, args: Args<'_>) -> R<TaskRef> {
    let named = List::with_capacity(vm, 0)?;
    for (name, v) in dict.iter() {
        if v.is_ptr() && vm.type_of(v).special(vm, Special::SetName).is_some() {
            named.push(vm, name)?;
            named.push(vm, v)?;
        }
    }
    let (all, names) = args.parts();
    let keywords = List::new(vm, &all[args.positional().len()..])?;
    let task = new_task(vm, &HOOKS, &[ty.value(), named.value(), keywords.value()])?;
    if let Some(names) = names {
        task.set(vm, NAMES, names.value());
    }
    Ok(task)
}

fn named(t: TaskRef) -> Ref<List> {
    // SAFETY: `task` put it there.
    unsafe { t.slots[NAMED].value().cast_unchecked() }
}

/// Stages: one for each named attribute, one for the bases, the end.
fn step(vm: &Vm, t: TaskRef, _: Value) -> R<Step> {
    // SAFETY: `task` put these there.
    let (ty, keywords): (Ref<Type>, Ref<List>) =
        unsafe { (t.slots[CLASS].value().cast_unchecked(), t.slots[KEYWORDS].value().cast_unchecked()) };
    let stage = t.stage.replace(t.stage.get() + 1);
    let count = named(t).len() / 2;
    if let (Some(name), Some(v)) = (named(t).get(2 * stage), named(t).get(2 * stage + 1)) {
        let vt = vm.type_of(v);
        let Some(f) = vt.special(vm, Special::SetName) else { return step(vm, t, Value::NONE) };
        if f.cast::<Function>().is_some() || f.cast::<NativeFunction>().is_some() {
            return Ok(Step::Call(f, List::new(vm, &[v, ty.value(), name])?, None));
        }
        return Ok(Step::Call(vm.bind(f, v, vt)?, List::new(vm, &[ty.value(), name])?, None));
    }
    if stage > count {
        return Ok(Step::Done(ty.value()));
    }
    let s = vm.new_super(ty.value(), ty.value())?;
    match vm.super_get_attr(s, vm.names.__init_subclass__)? {
        Some(f) => Ok(Step::Call(f, keywords, t.slots[NAMES].cast::<Tuple>())),
        None => Ok(Step::Done(ty.value())),
    }
}

fn failed(vm: &Vm, t: TaskRef) {
    let stage = t.stage.get().wrapping_sub(1);
    let (Some(name), Some(v)) = (named(t).get(2 * stage), named(t).get(2 * stage + 1)) else { return };
    let note = format!(
        "Error calling __set_name__ on '{}' instance {} in '{}'",
        vm.type_of(v).name_string(),
        vm.repr_string(name).unwrap_or_default(),
        t.slots[CLASS].cast::<Type>().map(|t| t.name_string()).unwrap_or_default()
    );
    // No memory for the note: the exception that takes its place says so.
    let _ = super::exceptions::base::add_note_to_pending(vm, &note);
}
