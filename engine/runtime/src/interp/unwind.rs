//! Raising: finding the handler, leaving frames, building the traceback.

use crate::context::{RECORD, SIDE};
use crate::interp::call::leave_side;
use crate::interp::cont::{Cont, ContKind, caller, return_word};
use crate::interp::dispatch::EXIT_RAISE;
use crate::interp::frames::{frame_code, frame_function};
use crate::interp::{At, attr, generators, publish};
use crate::types::exception::Exception;
use crate::types::traceback::Traceback;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_bytecode::Op;

/// Finds who handles the pending exception, which was raised by the instruction at `at`: goes on there.
#[cold]
#[inline(never)]
pub fn unwind(vm: &Vm, mut at: At) -> At {
    loop {
        let Some(exception) = vm.pending.get() else { unreachable!("unwinding without a pending exception") };
        if at.base.is_null() {
            return At { pc: EXIT_RAISE.as_ptr(), base: at.base };
        }
        publish(vm, at);
        let code = frame_code(at.base);
        let unit = code.unit_of(at.pc);
        let portable = code.portable();
        let reraise = portable.units.get(unit as usize).is_some_and(|u| *u as u8 == Op::Reraise as u8);
        if !reraise {
            add_traceback(vm, exception, at, unit);
        }
        if let Some(h) = portable.handlers.iter().find(|h| h.start <= unit && unit < h.end) {
            let exception = vm.pending.take().unwrap_or(Value::NONE);
            at.set(h.reg as usize, exception);
            // SAFETY: the verifier has checked the target.
            let pc = unsafe { (*code.exec()).entry.add(h.target as usize) };
            return At { pc, base: at.base };
        }
        match leave(vm, at.base) {
            Ok(next) => return next,
            Err(below) => at = below,
        }
    }
}

/// Leaves a frame with the pending exception. `Ok`: who called it knows what to do with it;
/// `Err`: the exception goes on at the calling instruction.
fn leave(vm: &Vm, base: *mut Value) -> Result<At, At> {
    // SAFETY: `base` is the running frame's.
    let (tags, to, cont) = unsafe {
        let tags = return_word(base) & 3;
        (tags, caller(base), if tags & RECORD != 0 { Some(Cont::read(base)) } else { None })
    };
    if tags & SIDE != 0 {
        leave_side(vm, base);
    }
    let raising = At { pc: to.pc.wrapping_sub(1), base: to.base };
    let Some(cont) = cont else { return Err(raising) };
    let cont = super::task::fail_tasks(vm, cont);
    match cont.kind {
        ContKind::Exit => {
            publish(vm, to);
            return Ok(At { pc: EXIT_RAISE.as_ptr(), base: to.base });
        }
        ContKind::ContextEnd => {
            let hooks = vm.hooks.clone();
            return Ok(hooks.switcher().context_finished(vm, vm.context(), Err(Raised)));
        }
        ContKind::GenFor | ContKind::GenSend | ContKind::GenCall | ContKind::GenStep => {
            generators::raised(vm, to, cont);
            if generators::ends_nested(cont) {
                publish(vm, to);
                return Ok(At { pc: EXIT_RAISE.as_ptr(), base: to.base });
            }
        }
        _ => {}
    }
    if cont.kind == ContKind::LeaveContext {
        publish(vm, to);
        // An error in it replaces the one that is on its way.
        let _ = crate::variables::leave(vm, cont.a, cont.b);
    }
    publish(vm, raising);
    let handled: R<Option<At>> = match cont.kind {
        ContKind::ForNext if vm.catch(vm.exc.stop_iteration).is_some() => Ok(Some(to.jump(cont.jump))),
        ContKind::SendCall => match vm.catch(vm.exc.stop_iteration) {
            Some(e) => {
                to.set(cont.dst as usize, vm.stop_value(e));
                Ok(Some(to.jump(cont.jump)))
            }
            None => Ok(None),
        },
        ContKind::GetAttribute if vm.catch(vm.exc.attribute_error).is_some() => {
            attr::after_attribute_error(vm, to, cont).map(Some)
        }
        _ => Ok(None),
    };
    match handled {
        Ok(Some(next)) => Ok(next),
        Ok(None) | Err(Raised) => Err(raising),
    }
}

/// Notes in the exception's traceback that it passed this instruction.
fn add_traceback(vm: &Vm, exception: Value, at: At, unit: u32) {
    let Some(e) = exception.cast::<Exception>() else { return };
    // The frame's place in the entry is taken by its function until someone asks for the frame.
    // A NameError's suggestions look at the frame's variables, so that frame is kept.
    let keep = e.traceback.get().is_none() && vm.type_of(exception).is_subtype(vm.exc.name_error);
    let frame = match vm.context().frame_object(at.base) {
        Some(f) => f,
        None if keep => match crate::interp::frame_object(vm, at.base) {
            Ok(f) => f.value(),
            Err(Raised) => frame_function(at.base).value(),
        },
        None => frame_function(at.base).value(),
    };
    match Traceback::new(vm, e.traceback.get(), Some(frame), frame_code(at.base), unit) {
        Ok(tb) => e.traceback.set(vm, e, tb.value()),
        // No memory for the entry: the exception itself matters more.
        Err(Raised) => vm.pending.set(Some(exception)),
    }
}

/// For messages when nothing better can be shown: type and text.
pub fn describe_exception(vm: &Vm, exception: Value) -> String {
    let name = vm.type_name(exception);
    match vm.to_str(exception) {
        Ok(s) if s.char_len() > 0 => format!("{name}: {}", s.to_string_lossy()),
        Ok(_) => name,
        Err(Raised) => {
            vm.pending.take();
            format!("{name}: <exception str() failed>")
        }
    }
}
