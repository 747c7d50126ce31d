//! A panic is a fault of the engine's own. It becomes a SystemError of the program that met it, which may go on.
//!
//! A native that panics is left as any function is; the innermost loop below it, whose frame called it, raises
//! in that frame. What a native was in the middle of changing is as it left it: natives keep no object in a state
//! that is not sound across what can panic.

use crate::interp::{At, collecting, dispatch, or_unwind};
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// Where the last panic of the thread came from.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on a panic says nothing itself, since it becomes an exception, unless backtraces are wanted. To be
/// called by programs that are an interpreter and nothing else.
pub fn hush_panics(backtraces: bool) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PLACE.with_borrow_mut(|place| {
                *place = info.location().map(|l| format!("{}:{}", l.file(), l.line()))
            });
            if backtraces {
                default(info);
                eprintln!("{}", std::backtrace::Backtrace::force_capture());
            }
        }));
    });
}

/// Runs the loop until an `Exit`, but for collections (see [`super::collecting`]).
pub(super) fn run(vm: &Vm, start: At) -> R<Value> {
    let mut at = start;
    loop {
        if vm.collecting.get().is_some() {
            // The run that has ended leaves its words below, where the frames of the collection are made now.
            skein_heap::clear_stack_below();
            match catch_unwind(AssertUnwindSafe(|| collecting::collect(vm))) {
                Ok(next) => at = next.unwrap_or(at),
                Err(panic) => at = or_unwind(vm, Err(internal_error(vm, &*panic))),
            }
        }
        match catch_unwind(AssertUnwindSafe(|| dispatch::run::<{ dispatch::PLAIN }>(vm, at))) {
            Ok(_) if vm.collecting.get().is_some() => {}
            Ok(result) => return result,
            Err(panic) => at = or_unwind(vm, Err(internal_error(vm, &*panic))),
        }
    }
}

/// Runs the loop under the tier's eyes until that has seen enough: where to go on.
pub(super) fn record(vm: &Vm, start: At) -> At {
    match catch_unwind(AssertUnwindSafe(|| dispatch::run::<{ dispatch::RECORD }>(vm, start))) {
        Ok(_) => vm.recorded.take().unwrap_or(start),
        Err(panic) => raise_internal_error(vm, &*panic),
    }
}

/// Does an instruction by its helper, for compiled code, which no panic may pass through: where to go on.
pub fn help(vm: &Vm, at: At, helper: crate::interp::helpers::Helper) -> At {
    catch_unwind(AssertUnwindSafe(|| helper(vm, at)))
        .unwrap_or_else(|panic| raise_internal_error(vm, &*panic))
}

#[cold]
fn raise_internal_error(vm: &Vm, panic: &(dyn Any + Send)) -> At {
    or_unwind(vm, Err(internal_error(vm, panic)))
}

/// Calls `f` where no loop runs yet. SystemError for a panic in it.
pub fn without_panics<T>(vm: &Vm, f: impl FnOnce() -> R<T>) -> R<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| Err(internal_error(vm, &*panic)))
}

#[cold]
fn internal_error(vm: &Vm, panic: &(dyn Any + Send)) -> Raised {
    let text = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "a panic",
    };
    let place = PLACE.with_borrow_mut(Option::take).map(|p| format!(" ({p})")).unwrap_or_default();
    vm.repr_stack.borrow_mut().clear();
    vm.system_error(format!("internal error: {text}{place}"))
}
