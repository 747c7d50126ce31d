//! What compiled code calls: the machine's functions with C's way of passing arguments.
//!
//! A panic must not leave a shim: it becomes a SystemError of the program, as in the interpreter's loop.

use crate::ir::{Call, NewKind};
use skein_bytecode::{Op, Special};
use skein_runtime::interp::{At, help as call_helper, publish, without_panics};
use skein_runtime::native::NativeDef;
use skein_runtime::object::Header;
use skein_runtime::types::list::List;
use skein_runtime::types::slice::Slice;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// Says that an exception is pending.
const RAISED: u64 = 0;

fn word(r: R<Value>) -> u64 {
    match r {
        Ok(v) => v.bits(),
        Err(Raised) => RAISED,
    }
}

// SAFETY (all): compiled code passes the `Vm` that it was entered with, words that are values, and places of its own
// for results.

/// The call of a helper.
pub struct Help {
    pub call: Call,
    /// The address of a word that has to be what it is here behind the call, for the trace to go on.
    pub watched: Cell<Option<(*const u32, u32)>>,
}

/// Does an instruction by its helper; the buffer tells where the machine goes on. 1 if that is where the call says,
/// and the trace is still valid; else 0.
pub unsafe extern "C" fn help(vm: *const Vm, base: *mut Value, help: *const Help, buffer: *mut u64) -> u64 {
    unsafe {
        let (vm, call, watched) = (&*vm, &(*help).call, &(*help).watched);
        let helper = std::mem::transmute::<usize, fn(&Vm, At) -> At>(call.callee);
        let at = At { pc: call.pc as *const u32, base: base.offset(call.base as isize) };
        let next = call_helper(vm, at, helper);
        let is_valid = watched.get().is_none_or(|(address, value)| *address == value);
        *buffer = next.pc as u64;
        *buffer.add(1) = next.base as u64;
        let expected = base.offset(call.next_base as isize);
        let op = *next.pc.cast::<u8>();
        if op != Op::Exit as u8 && op != Op::ExitRaise as u8 {
            // What the machine has published last may be a frame that is long gone, with others in its place. Where it goes
            // on elsewhere than expected, a bridge may begin.
            publish(vm, next);
        }
        u64::from(is_valid && next.pc as usize == call.next_pc && next.base == expected)
    }
}

/// Are two exact str the same text?
pub extern "C" fn same_text(a: Value, b: Value) -> u64 {
    u64::from(a.cast::<Str>().zip(b.cast::<Str>()).is_some_and(|(a, b)| a.same(b)))
}

/// `pow` on the bits of floats.
pub extern "C" fn float_pow(base: u64, exponent: u64) -> u64 {
    f64::from_bits(base).powf(f64::from_bits(exponent)).to_bits()
}

/// A native `__next__`: UNBOUND at the end.
pub unsafe extern "C" fn native_next(vm: *const Vm, def: &'static NativeDef, it: Value) -> u64 {
    let vm = unsafe { &*vm };
    word(without_panics(vm, || def.call_1(vm, it)))
}

pub unsafe extern "C" fn native_1(vm: *const Vm, def: &'static NativeDef, a: Value) -> u64 {
    let vm = unsafe { &*vm };
    word(without_panics(vm, || def.call_row(vm, &[a])))
}

pub unsafe extern "C" fn native_2(vm: *const Vm, def: &'static NativeDef, a: Value, b: Value) -> u64 {
    let vm = unsafe { &*vm };
    word(without_panics(vm, || def.call_row(vm, &[a, b])))
}

pub unsafe extern "C" fn native_3(
    vm: *const Vm,
    def: &'static NativeDef,
    a: Value,
    b: Value,
    c: Value,
) -> u64 {
    let vm = unsafe { &*vm };
    word(without_panics(vm, || def.call_row(vm, &[a, b, c])))
}

/// What an operator gives for exact numbers; 0 for other operands, and for want of memory.
pub unsafe extern "C" fn number_op(vm: *const Vm, op: u64, a: Value, b: Value) -> u64 {
    let vm = unsafe { &*vm };
    let op = Special::ALL[op as usize];
    match without_panics(vm, || vm.number_binary(op, a, b)) {
        Ok(v) => v.map_or(0, Value::bits),
        Err(Raised) => {
            // The interpreter comes to the same when it does the instruction.
            vm.pending.set(None);
            0
        }
    }
}

/// Copies from list to list by the argument slices: 1 if it is done.
pub unsafe extern "C" fn copy_slice(vm: *const Vm, to: Value, from: Value) -> u64 {
    let vm = unsafe { &*vm };
    let slice = |n| vm.argument_slice(n).and_then(|s| s.cast::<Slice>());
    let done = without_panics(vm, || {
        Ok(match (to.cast::<List>(), from.cast::<List>(), slice(0), slice(1)) {
            (Some(to), Some(from), Some(over), Some(part)) => to.copy_slice(vm, over, from, part),
            _ => false,
        })
    });
    u64::from(done.unwrap_or_else(|Raised| {
        vm.pending.set(None);
        false
    }))
}

/// A zeroed object, where the heap's run at hand is used up.
pub unsafe extern "C" fn new_object(vm: *const Vm, kind: u64, result: *mut u64) {
    let (vm, kind) = (unsafe { &*vm }, NewKind::from_imm(kind));
    let made = without_panics(vm, || {
        let header = vm.alloc_kind(kind.size as usize, kind.shape, kind.kind, kind.bits.into())?;
        // SAFETY: the address of an object.
        Ok(unsafe { Value::from_bits(header as u64) })
    });
    unsafe { *result = word(made) };
}

/// The write barrier of an object that is old and not in the remembered set.
pub unsafe extern "C" fn barrier(vm: *const Vm, object: *const Header) {
    let vm = unsafe { &*vm };
    // A panic here is the heap's and ends the process: nothing could go on.
    vm.heap.write_barrier(object);
}

/// As `barrier`, for a store to a slot of an array.
pub unsafe extern "C" fn slot_barrier(vm: *const Vm, array: *const Header, slot: *const u64) {
    let vm = unsafe { &*vm };
    vm.heap.write_barrier_array(array, slot);
}
