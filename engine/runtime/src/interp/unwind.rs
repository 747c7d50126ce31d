//! Raising: finding the handler, leaving frames, building the traceback.

use crate::context::{RECORD, SIDE};
use crate::events::{Passes, event, exception_passes};
use crate::interp::cont::{Cont, OnRaise, caller, return_word};
use crate::interp::dispatch::EXIT_RAISE;
use crate::interp::frames::{frame_code, frame_function};
use crate::interp::stack::leave_side;
use crate::interp::{At, Site, attr, generators, publish};
use crate::types::exception::Exception;
use crate::types::traceback::Traceback;
use crate::value::{Raised, Value};
use crate::vm::Vm;
use skein_bytecode::{Op, flags, instructions};

/// Events of exceptions that pass.
const EXCEPTIONS: u32 = event::RAISE | event::RERAISE | event::EXCEPTION_HANDLED | event::PY_UNWIND;

/// Finds who handles the pending exception, which was raised by the instruction at `at`: goes on there.
#[cold]
#[inline(never)]
pub fn unwind(vm: &Vm, mut site: Site) -> At {
    // Where there is no memory for one entry there is none for those of the frames further out, and each look for it
    // would be a collection.
    let mut has_room = true;
    loop {
        let Some(exception) = vm.pending.get() else { unreachable!("unwinding without a pending exception") };
        let base = site.base();
        if base.is_null() {
            return At { pc: EXIT_RAISE.as_ptr(), base };
        }
        vm.set_site(site);
        let code = frame_code(base);
        let unit = site.unit();
        let portable = code.portable();
        let is_op = |op: Op| portable.units.get(unit as usize).is_some_and(|u| *u as u8 == op as u8);
        name_attribute(vm, site);
        // What is raised again has its entry for this frame.
        let bare = is_op(Op::RaiseHandled) && vm.context().handled.get() == Some(exception);
        let again = bare || is_op(Op::Reraise);
        if !again && has_room && !code.has_flag(flags::HOSTED) {
            has_room = add_traceback(vm, exception, site);
        }
        let watched = vm.events.any_of(EXCEPTIONS);
        if watched {
            exception_passes(vm, site, if again { Passes::Again } else { Passes::Raised });
        }
        if let Some(h) = portable.handlers.iter().find(|h| h.start <= unit && unit < h.end) {
            if watched {
                exception_passes(vm, site, Passes::Handled(h.target));
            }
            let exception = vm.pending.take().unwrap_or(Value::NONE);
            if vm.type_of(exception) == vm.exc.recursion_error {
                // The limit is where the innermost frame was: smaller frames from here on could be more than are allowed.
                super::stack::apply_recursion_limit(vm);
            }
            // SAFETY: the verifier has checked the target.
            let pc = unsafe { (*code.exec()).entry().add(h.target as usize) };
            let at = At { pc, base };
            at.set(h.reg as usize, exception);
            return at;
        }
        if watched {
            exception_passes(vm, site, Passes::Leaves);
        }
        keep_variables(vm, base);
        match leave(vm, base) {
            Ok(next) => return next,
            Err(below) => site = below,
        }
    }
}

/// An AttributeError that has reached an instruction that asks for an attribute is about that, if it does not say.
fn name_attribute(vm: &Vm, site: Site) {
    if vm.nameless_attribute_error().is_none() {
        return;
    }
    let code = frame_code(site.base());
    let code = code.portable();
    // The site of a call is the last unit of its instruction.
    let unit = site.unit();
    let Some(inst) = instructions(&code.units).find(|i| unit < i.next()) else { return };
    if !matches!(inst.op, Op::LoadAttr | Op::LoadMethod) {
        return;
    }
    let Some(name) = code.names.get(inst.w as usize) else { return };
    // SAFETY: one of the frame's registers, which has had the object until now: only a result is put in its place. Its word
    // is looked at as a stale one would be.
    let word = unsafe { site.base().add(inst.b.into()).cast::<u64>().read() };
    let (pending, object) = (vm.pending.get(), vm.value_of_register(word));
    match (vm.intern(name), object) {
        (Ok(name), Some(object)) => vm.name_missing_attribute(object, name),
        (Err(Raised), _) => vm.pending.set(pending),
        _ => {}
    }
}

/// Exceptions whose handlers raised the next one that are looked at when a frame is left.
const CHAIN: usize = 4;

/// The pending exception is about to leave the frame, whose variables its traceback keeps. So do those of exceptions that
/// the frame was handling.
fn keep_variables(vm: &Vm, base: *mut Value) {
    let pending = vm.pending.get();
    let mut exception = pending.and_then(|e| e.cast::<Exception>());
    for _ in 0..CHAIN {
        let Some(e) = exception else { return };
        if let Some(tb) = e.traceback.cast::<Traceback>()
            && tb.keep_variables(vm, base).is_err()
        {
            // No memory for them: the exception itself matters more.
            vm.pending.set(pending);
            return;
        }
        exception = e.context.cast();
    }
}

/// Leaves a frame with the pending exception. `Ok`: who called it knows what to do with it;
/// `Err`: the exception goes on at the calling instruction.
fn leave(vm: &Vm, base: *mut Value) -> Result<At, Site> {
    // SAFETY: `base` is the running frame's.
    let (tags, to, cont) = unsafe {
        let tags = return_word(base) & 3;
        (tags, caller(base), if tags & RECORD != 0 { Some(Cont::read(base)) } else { None })
    };
    if tags & SIDE != 0 {
        leave_side(vm, base);
    }
    let raising = to.call_site();
    let Some(cont) = cont else { return Err(raising) };
    let cont = super::task::fail_tasks(vm, cont);
    let exit = || {
        // A nested run was entered from this very instruction.
        publish(vm, to);
        Ok(At { pc: EXIT_RAISE.as_ptr(), base: to.base })
    };
    let handled = match cont.kind.on_raise() {
        OnRaise::EndRun => return exit(),
        OnRaise::EndContext => {
            return Ok(vm.switcher().context_finished(vm, vm.context(), Err(Raised)));
        }
        OnRaise::FinishGenerator => {
            if let Some(outer) = generators::raised(vm, to, cont) {
                return Err(outer);
            }
            if generators::ends_nested(cont) {
                return exit();
            }
            vm.set_site(raising);
            None
        }
        OnRaise::LeaveContext => {
            vm.set_site(raising);
            // An error in it replaces the one that is on its way.
            let _ = crate::variables::leave(vm, cont.a, cont.b);
            None
        }
        OnRaise::EndLoop => {
            vm.set_site(raising);
            if vm.events.any_of(event::RAISE) && vm.pending_is(vm.exc.stop_iteration) {
                exception_passes(vm, raising, Passes::Raised);
            }
            vm.catch(vm.exc.stop_iteration).map(|_| to.jump(cont.jump))
        }
        OnRaise::Deliver => {
            vm.set_site(raising);
            vm.catch(vm.exc.stop_iteration).map(|e| {
                to.set(cont.dst as usize, vm.stop_value(e));
                to.jump(cont.jump)
            })
        }
        OnRaise::TryGetattr => {
            vm.set_site(raising);
            match vm.catch(vm.exc.attribute_error) {
                Some(_) => attr::after_attribute_error(vm, to, cont).ok(),
                None => None,
            }
        }
        OnRaise::Pass => {
            vm.set_site(raising);
            None
        }
    };
    handled.ok_or(raising)
}

/// Notes in the exception's traceback that it passed this instruction; false: there is no memory for that.
pub(super) fn add_traceback(vm: &Vm, exception: Value, site: Site) -> bool {
    let Some(e) = exception.cast::<Exception>() else { return true };
    let base = site.base();
    // The frame's place in the entry is taken by its function until someone asks for the frame.
    // A NameError's suggestions look at the frame's variables, so that frame is kept.
    let keep = e.traceback.get().is_none() && vm.type_of(exception).is_subtype(vm.exc.name_error);
    let frame = match vm.context().frame_object(base) {
        Some(f) => f,
        None if keep => match crate::interp::frame_object(vm, base) {
            Ok(f) => f.value(),
            Err(Raised) => frame_function(base).value(),
        },
        None => frame_function(base).value(),
    };
    match Traceback::new(vm, e.traceback.get(), Some(frame), frame_code(base), site.unit()) {
        Ok(tb) => {
            // By its names any entry keeps all others, be it only a stale word that leads to it: not where memory is short.
            if !vm.type_of(exception).is_subtype(vm.exc.memory_error) {
                tb.link(vm);
            }
            e.traceback.set(vm, e, tb.value());
            true
        }
        // The exception itself matters more.
        Err(Raised) => {
            vm.pending.set(Some(exception));
            false
        }
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
