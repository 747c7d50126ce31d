//! Instantiation in steps, for what the fast ways of `call::construct` do not cover.

use crate::interp::call::check_init_result;
use crate::interp::{Step, TaskDef, TaskRef, new_task, no_note};
use crate::native::Args;
use crate::object::Ref;
use crate::types::descriptor::Wrapper;
use crate::types::function::Function;
use crate::types::list::List;
use crate::types::native::NativeFunction;
use crate::types::tuple::Tuple;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::Special;

const CLASS: usize = 0;
const NEW: usize = 1;
const ARGS: usize = 2;
const NAMES: usize = 3;
const INSTANCE: usize = 4;

static CONSTRUCT: TaskDef = TaskDef { step, failed: no_note };

/// `ty(*args)` with this `__new__`, as the type has it.
pub(super) fn task(vm: &Vm, ty: Ref<Type>, new: Value, args: Args<'_>) -> R<TaskRef> {
    let new = if new.cast::<Function>().is_some() || new.cast::<NativeFunction>().is_some() {
        new
    } else {
        vm.get_attr(ty.value(), vm.names.__new__)?
    };
    let (all, names) = args.parts();
    let list = List::new(vm, all)?;
    let task = new_task(vm, &CONSTRUCT, &[ty.value(), new, list.value()])?;
    if let Some(names) = names {
        task.set(vm, NAMES, names.value());
    }
    Ok(task)
}

fn step(vm: &Vm, t: TaskRef, v: Value) -> R<Step> {
    // SAFETY: `task` put these there.
    let (ty, args): (Ref<Type>, Ref<List>) =
        unsafe { (t.slots[CLASS].value().cast_unchecked(), t.slots[ARGS].value().cast_unchecked()) };
    let names = t.slots[NAMES].cast::<Tuple>();
    let with_first = |first: Value| -> R<Ref<List>> {
        let list = List::with_capacity(vm, args.len() + 1)?;
        list.push(vm, first)?;
        list.extend(vm, args.items())?;
        Ok(list)
    };
    match t.stage.replace(t.stage.get() + 1) {
        0 => Ok(Step::Call(t.slots[NEW].value(), with_first(ty.value())?, names)),
        1 => {
            let own = vm.type_of(v);
            let Some(init) = own.special(vm, Special::Init).filter(|_| own.is_subtype(ty)) else {
                return Ok(Step::Done(v));
            };
            t.set(vm, INSTANCE, v);
            let unbound = init.cast::<NativeFunction>().is_some_and(|n| n.receiver.get().is_none());
            if init.cast::<Function>().is_some() || unbound {
                return Ok(Step::Call(init, with_first(v)?, names));
            }
            Ok(Step::Call(vm.bind(init, v, own)?, args, names))
        }
        _ => {
            check_init_result(vm, v)?;
            Ok(Step::Done(t.slots[INSTANCE].value()))
        }
    }
}

impl Vm {
    /// The function of a `staticmethod`; anything else as it is.
    pub fn unwrap_static(&self, v: Value) -> Value {
        match v.cast::<Wrapper>() {
            Some(w) if self.type_of(v) == self.types.staticmethod => w.function.value(),
            _ => v,
        }
    }
}
