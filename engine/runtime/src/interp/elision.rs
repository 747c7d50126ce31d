//! Coroutines that are awaited where they are called. None is made until it is suspended or somebody asks for it: most are
//! neither, and then `await f()` costs what a call does.
//!
//! ```text
//! call f; get.awaitable it; load.special v, None; send dst, it, v
//! ```
//!
//! The function's frame goes to where the `send` would put that of its coroutine, with a record like that but for the
//! coroutine's place (`a`), which is None; the caller's `it` is None too. What returns or raises needs no more. Who
//! needs the coroutine ([`materialize`]) puts it into both places, and all is as if it had been there from the start.

use crate::context::{FRAME_WORDS, RECORD};
use crate::interp::cont::{Consumer, Cont, ContKind, caller, return_word, tagged};
use crate::interp::frames::{frame_code, frame_function};
use crate::interp::generators::{SEND_UNITS, new_generator, room_at_hand};
use crate::interp::{At, helpers};
use crate::object::Ref;
use crate::types::generator::Generator;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::{Op, flags, ops::NONE};

/// `MakeGenerator`, where nobody records: a recorder knows coroutines as objects, which its trace need not make.
#[inline(never)]
pub fn make_generator(vm: &Vm, at: At) -> At {
    begin_awaited(vm, at).unwrap_or_else(|| (const { helpers::of(Op::MakeGenerator) })(vm, at))
}

/// Where the body of a coroutine that is awaited at once goes on. None: its caller does something else with it, or it
/// matters to somebody that there is one.
#[inline(always)]
fn begin_awaited(vm: &Vm, at: At) -> Option<At> {
    // SAFETY: `at` is the running frame's.
    let (word, to) = unsafe { (return_word(at.base), caller(at.base)) };
    if to.base.is_null() || !to.is_at(Op::GetAwaitable) {
        return None;
    }
    let code = frame_code(at.base);
    let is_coroutine =
        code.portable().flags & (flags::COROUTINE | flags::ASYNC_GENERATOR) == flags::COROUTINE;
    if !is_coroutine || vm.events.has_listeners() || vm.coroutine_origin_depth.get() > 0 {
        return None;
    }
    // Where the call's result would go.
    let result = match word & 3 {
        0 => {
            // SAFETY: a frame without a record stands in the window of its caller's.
            unsafe { at.base.sub(FRAME_WORDS).offset_from(to.base) as usize }
        }
        RECORD => {
            // SAFETY: the tag says that there is a record.
            let cont = unsafe { Cont::read(at.base) };
            if cont.kind != ContKind::Plain || cont.consumer != Consumer::Store {
                return None;
            }
            cont.dst.into()
        }
        _ => return None,
    };
    let (load, send) = (to.skip(1), to.skip(2));
    let (it, v) = (to.a(), load.a());
    let awaits = to.b() == result
        && load.is_at(Op::LoadSpecial)
        && send.is_at(Op::Send)
        && load.b() == usize::from(NONE)
        && (send.b(), send.c()) == (it, v);
    if !awaits {
        return None;
    }
    let exec = code.exec();
    let base = room_at_hand(vm, to.base, exec.frame_bytes as usize)?;
    let mut cont = Cont::store(send.a()).kind(ContKind::GenSend);
    cont.jump = send.extra() as i32 - SEND_UNITS as i32;
    cont.b = vm.context().handled.get().unwrap_or(Value::NONE);
    let parameters = code.portable().param_count();
    // SAFETY: there is room for the record, the head and the registers above the caller's frame, in which this frame may
    // stand: its words move up, the last ones first.
    unsafe {
        let (function, own) = (*at.base.sub(4), *at.base.sub(3));
        std::ptr::copy(at.base, base, parameters);
        cont.write(base);
        *base.sub(4) = function;
        *base.sub(3) = own;
        *base.sub(2).cast::<u64>() = tagged(to.skip(2 + SEND_UNITS).pc, RECORD);
        *base.sub(1).cast::<*mut Value>() = to.base;
    }
    to.set(it, Value::NONE);
    to.set(v, Value::NONE);
    Some(At { pc: at.skip(1).pc, base })
}

/// Gives the frame at `base` its coroutine, if it is that of one which is not there yet. MemoryError.
pub fn materialize(vm: &Vm, base: *mut Value) -> R<()> {
    // SAFETY: `base` is a frame's, and the tag says whether it has a record.
    let (cont, to) = unsafe {
        if return_word(base) & RECORD == 0 {
            return Ok(());
        }
        (Cont::read(base), caller(base))
    };
    if cont.kind != ContKind::GenSend || !cont.a.is_none() {
        return Ok(());
    }
    let g: Ref<Generator> = new_generator(vm, frame_function(base))?;
    g.set_unit(1);
    g.set_on_stack();
    // SAFETY: the record is there.
    unsafe { Cont { a: g.value(), ..cont }.write(base) };
    let send = At { pc: to.pc.wrapping_sub(SEND_UNITS), base: to.base };
    to.set(send.b(), g.value());
    Ok(())
}
