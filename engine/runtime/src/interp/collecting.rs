//! Collections that a program asks for, with no run of the loop on the native stack.
//!
//! The native stack is scanned for words that may be references, and the frame of a run has many that are none any more:
//! what they lead to would be kept. So `gc.collect()` ends the run that calls it, and who began that run collects and
//! begins the next one where the call goes on. Frames of compiled traces are left in the same way.

use super::call::SoftCall;
use super::dispatch::EXIT;
use super::or_unwind;
use super::place::At;
use crate::value::Value;
use crate::vm::Vm;

/// Has all unreachable objects collected behind this call, whose result is how many objects of cycles there were. None: the call was not made by an
/// instruction, or somebody is told of what instructions do.
pub fn collect_after(vm: &Vm, call: &SoftCall<'_>) -> Option<At> {
    let dst = call.result_register().filter(|_| !vm.events.has_listeners())?;
    vm.collecting.set(Some((call.resume, dst)));
    Some(At { pc: EXIT.as_ptr(), base: call.resume.base })
}

/// Does it, if a run has ended for that: where the next one begins.
#[inline(never)]
pub(super) fn collect(vm: &Vm) -> Option<At> {
    let (resume, dst) = vm.collecting.take()?;
    vm.set_site(resume.call_site());
    match vm.collect_for_program() {
        Ok(found) => resume.set(dst, Value::small_int(found as i64)),
        Err(raised) => return Some(or_unwind(vm, Err(raised))),
    }
    Some(resume)
}
