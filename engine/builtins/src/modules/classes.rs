//! `__build_class__`.

use skein_bytecode::Special;
use skein_runtime::interp::{
    At, SoftCall, Step, TaskDef, TaskRef, new_task, no_note, run_task, run_task_soft,
};
use skein_runtime::native::Args;
use skein_runtime::object::Ref;
use skein_runtime::types::cell::CellObject;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::function::Function;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

const BODY: usize = 0;
const NAME: usize = 1;
const BASES: usize = 2;
/// The bases as they were written.
const ORIGINAL: usize = 3;
const META: usize = 4;
/// Values of the keyword arguments but `metaclass`.
const KEYWORDS: usize = 5;
const NAMES: usize = 6;
const NAMESPACE: usize = 7;
/// The cell of `__class__`, or None.
const CELL: usize = 8;

static BUILD: TaskDef = TaskDef { step, failed: no_note };

/// `__build_class__(func, name, /, *bases, [metaclass], **kwds)`.
pub fn build_class(vm: &Vm, args: Args<'_>) -> R<Value> {
    let task = task(vm, args)?;
    run_task(vm, task)
}

pub fn build_class_soft(vm: &Vm, call: &SoftCall<'_>) -> At {
    match task(vm, call.args) {
        Ok(task) => run_task_soft(vm, call, task),
        Err(Raised) => call.raised(vm),
    }
}

fn task(vm: &Vm, args: Args<'_>) -> R<TaskRef> {
    let all = args.positional();
    let (Some(f), Some(name)) =
        (all.first().and_then(|f| f.cast::<Function>()), all.get(1).and_then(|n| n.cast::<Str>()))
    else {
        return Err(vm.type_error(if all.len() < 2 {
            "__build_class__: not enough arguments"
        } else if all[0].cast::<Function>().is_none() {
            "__build_class__: func must be a function"
        } else {
            "__build_class__: name is not a string"
        }));
    };
    let original = Tuple::new(vm, &all[2..])?;
    let bases = resolve_bases(vm, original)?;
    let names = List::with_capacity(vm, 4)?;
    let values = List::with_capacity(vm, 4)?;
    let mut metaclass = None;
    for (k, v) in args.keywords() {
        if k.cast::<Str>().is_some_and(|k| k.bytes() == b"metaclass") {
            metaclass = Some(v);
        } else {
            names.push(vm, k)?;
            values.push(vm, v)?;
        }
    }
    let names = Tuple::new(vm, names.items())?;
    let meta = match metaclass {
        None => match bases.items().first() {
            None => vm.types.type_.value(),
            Some(&b) => vm.type_of(b).value(),
        },
        Some(m) => m,
    };
    let meta = match meta.cast::<Type>() {
        Some(m) => vm.most_derived_metaclass(m, bases)?.value(),
        None => meta,
    };
    new_task(
        vm,
        &BUILD,
        &[f.value(), name.value(), bases.value(), original.value(), meta, values.value(), names.value()],
    )
}

fn step(vm: &Vm, t: TaskRef, v: Value) -> R<Step> {
    let slot = |i: usize| t.slots[i].or_none();
    let names = t.slots[NAMES].cast::<Tuple>();
    let with_keywords = |first: &[Value]| -> R<Ref<List>> {
        let list = List::new(vm, first)?;
        if let Some(values) = t.slots[KEYWORDS].cast::<List>() {
            list.extend(vm, values.items())?;
        }
        Ok(list)
    };
    match t.stage.replace(t.stage.get() + 1) {
        0 => match vm.find_attr(slot(META), vm.names.__prepare__)? {
            Some(p) => Ok(Step::Call(p, with_keywords(&[slot(NAME), slot(BASES)])?, names)),
            None => step(vm, t, Dict::new(vm)?.value()),
        },
        1 => {
            check_namespace(vm, slot(META), v)?;
            t.set(vm, NAMESPACE, v);
            Ok(Step::Call(slot(BODY), List::new(vm, &[v])?, None))
        }
        2 => {
            t.set(vm, CELL, v);
            if !slot(BASES).is(slot(ORIGINAL)) {
                vm.set_item(slot(NAMESPACE), vm.names.__orig_bases__.value(), slot(ORIGINAL))?;
            }
            Ok(Step::Call(slot(META), with_keywords(&[slot(NAME), slot(BASES), slot(NAMESPACE)])?, names))
        }
        _ => {
            check_cell(vm, slot(CELL), slot(NAME), v)?;
            Ok(Step::Done(v))
        }
    }
}

/// What `__prepare__` returned must be a mapping.
fn check_namespace(vm: &Vm, meta: Value, namespace: Value) -> R<()> {
    if namespace.cast::<Dict>().is_some() || vm.type_of(namespace).special(vm, Special::GetItem).is_some() {
        return Ok(());
    }
    let text = match meta.cast::<Type>() {
        Some(t) => t.name_string(),
        None => "<metaclass>".into(),
    };
    Err(vm.type_error(format!("{text}.__prepare__() must return a mapping, not {}", vm.type_name(namespace))))
}

/// The metaclass must have passed the cell of `__class__` on to `type.__new__`.
fn check_cell(vm: &Vm, cell: Value, name: Value, class: Value) -> R<()> {
    let (Some(c), Some(_)) = (cell.cast::<CellObject>(), class.cast::<Type>()) else { return Ok(()) };
    if c.get().is_unbound() {
        return Err(vm.runtime_error(format!(
            "__class__ not set defining {} as {}. Was __classcell__ propagated to type.__new__?",
            vm.repr_string(name)?,
            vm.repr_string(class)?
        )));
    }
    if !c.get().is(class) {
        return Err(vm.type_error(format!(
            "__class__ set to {} defining {} as {}",
            vm.repr_string(c.get())?,
            vm.repr_string(name)?,
            vm.repr_string(class)?
        )));
    }
    Ok(())
}

/// Bases that are no classes are replaced by what their `__mro_entries__` gives (PEP 560).
fn resolve_bases(vm: &Vm, original: Ref<Tuple>) -> R<Ref<Tuple>> {
    if original.items().iter().all(|b| b.cast::<Type>().is_some()) {
        return Ok(original);
    }
    let list = List::with_capacity(vm, original.len())?;
    let mut changed = false;
    for &b in original.items() {
        if b.cast::<Type>().is_none()
            && let Some(f) = vm.find_attr(b, vm.names.__mro_entries__)?
        {
            let r = vm.call(f, &[original.value()])?;
            let Some(t) = r.cast::<Tuple>() else {
                return Err(vm.type_error("__mro_entries__ must return a tuple"));
            };
            list.extend(vm, t.items())?;
            changed = true;
        } else {
            list.push(vm, b)?;
        }
    }
    if changed { Tuple::new(vm, list.items()) } else { Ok(original) }
}
