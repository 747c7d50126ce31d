//! Leaving frames with a result: what its record says is done with it.

use crate::context::{FRAME_WORDS, RECORD, SIDE};
use crate::interp::call::{check_init_result, init_instance};
use crate::interp::cont::{caller, return_word};
use crate::interp::stack::leave_side;
use crate::interp::{At, Consumer, Cont, ContKind, generators, iteration, operators, or_unwind};
use crate::native::Args;
use crate::object::Ref;
use crate::types::tuple::Tuple;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;

/// Leaves the frame with this result.
pub fn leave_frame(vm: &Vm, base: *mut Value, v: Value) -> At {
    // SAFETY: `base` is the running frame's; an untagged one stands in its caller's window.
    unsafe {
        if return_word(base) & 3 != 0 {
            return return_slow(vm, base, v);
        }
        *base.sub(FRAME_WORDS) = v;
        caller(base)
    }
}

/// `Return` to a tagged address.
#[inline(never)]
pub fn return_slow(vm: &Vm, base: *mut Value, v: Value) -> At {
    // SAFETY: `base` is the running frame's.
    let (tags, to, cont) = unsafe {
        let tags = return_word(base) & 3;
        let to = caller(base);
        (tags, to, if tags & RECORD != 0 { Some(Cont::read(base)) } else { None })
    };
    if tags & SIDE != 0 {
        vm.frame.base.set(base);
        leave_side(vm, base);
    }
    let Some(cont) = cont else {
        // Only a frame object was attached: as an untagged return.
        // SAFETY: an untagged frame stands in its caller's window.
        unsafe { *base.sub(FRAME_WORDS) = v };
        return to;
    };
    if cont.kind == ContKind::Plain && cont.consumer == Consumer::Store {
        to.set(cont.dst as usize, v);
        return to;
    }
    if cont.kind == ContKind::Init && v.is_none() && cont.consumer == Consumer::Store {
        to.set(cont.dst as usize, cont.a);
        return to;
    }
    // What the machine does not take is raised where the call was made.
    vm.set_site(to.call_site());
    if cont.kind == ContKind::Exit {
        vm.exit_result.set(v);
        return At { pc: crate::interp::dispatch::EXIT.as_ptr(), base: to.base };
    }
    let r = apply(vm, to, cont, v);
    or_unwind(vm, r)
}

/// Goes on with the result of what the machine called.
#[inline(always)]
pub fn apply(vm: &Vm, resume: At, cont: Cont, v: Value) -> R<At> {
    if cont.kind == ContKind::Plain && cont.consumer == Consumer::Store {
        resume.set(cont.dst as usize, v);
        return Ok(resume);
    }
    apply_any(vm, resume, cont, v)
}

#[inline(never)]
fn apply_any(vm: &Vm, resume: At, cont: Cont, v: Value) -> R<At> {
    match cont.kind {
        ContKind::Plain | ContKind::GetAttribute => deliver(vm, resume, cont, v),
        ContKind::Exit => {
            vm.exit_result.set(v);
            Ok(At { pc: crate::interp::dispatch::EXIT.as_ptr(), base: resume.base })
        }
        ContKind::ContextEnd => Ok(vm.switcher().context_finished(vm, vm.context(), Ok(v))),
        ContKind::Init => {
            check_init_result(vm, v)?;
            deliver(vm, resume, cont, cont.a)
        }
        ContKind::New => {
            // SAFETY: `construct` put a class and a tuple there.
            let (ty, kept): (Ref<Type>, Ref<Tuple>) =
                unsafe { (cont.a.cast_unchecked(), cont.b.cast_unchecked()) };
            let all = kept.items()[0].cast::<Tuple>();
            let names = kept.items().get(1).and_then(|n| n.cast::<Tuple>());
            let args = Args::new(all.as_ref().map_or(&[], |t| t.items()), names);
            init_instance(vm, resume, ty, v, args, Cont::store(cont.dst as usize))
        }
        ContKind::Binary => operators::binary_result(vm, resume, cont, v),
        ContKind::Compare => operators::compare_result(vm, resume, cont, v),
        ContKind::Bool => {
            if !v.is_bool() {
                return Err(
                    vm.type_error(format!("__bool__ should return bool, returned {}", vm.type_name(v)))
                );
            }
            deliver(vm, resume, cont, v)
        }
        ContKind::LenTruth => {
            let n = vm.check_len(v)?;
            deliver(vm, resume, cont, Value::bool(n != 0))
        }
        ContKind::Contains => deliver(vm, resume, cont, v),
        ContKind::Iter => {
            iteration::check_iterator(vm, cont.a, v)?;
            deliver(vm, resume, cont, v)
        }
        ContKind::ForNext | ContKind::SendCall => deliver(vm, resume, cont, v),
        ContKind::GenFor | ContKind::GenSend | ContKind::GenCall | ContKind::GenStep => {
            unreachable!("generators leave by their own ops")
        }
        ContKind::Await => {
            generators::check_await_iter(vm, v)?;
            deliver(vm, resume, cont, v)
        }
        ContKind::Anext => generators::anext_result(vm, resume, cont, v),
        ContKind::LeaveContext => {
            crate::variables::leave(vm, cont.a, cont.b)?;
            deliver(vm, resume, cont, v)
        }
        ContKind::Discard => deliver(vm, resume, cont, Value::NONE),
        ContKind::Text => {
            super::text::check(vm, cont.special(), v)?;
            deliver(vm, resume, cont, v)
        }
        ContKind::AsyncIter => {
            generators::check_async_iter(vm, v)?;
            deliver(vm, resume, cont, v)
        }
        ContKind::Task => super::task::resume_task(vm, resume, cont, v),
    }
}

/// Hands a result to its consumer.
#[inline]
pub fn deliver(vm: &Vm, resume: At, cont: Cont, v: Value) -> R<At> {
    match cont.consumer {
        Consumer::Store => {
            resume.set(cont.dst as usize, v);
            Ok(resume)
        }
        Consumer::Drop => Ok(resume),
        Consumer::StoreTruth | Consumer::StoreNot | Consumer::Jump => match super::dispatch::quick_truth(v) {
            Some(t) => Ok(deliver_truth(resume, cont, t)),
            None => operators::truth(vm, resume, v, cont),
        },
    }
}

/// Hands a truth value to a consumer of one.
pub fn deliver_truth(resume: At, cont: Cont, t: bool) -> At {
    match cont.consumer {
        Consumer::StoreNot => resume.set(cont.dst as usize, Value::bool(!t)),
        Consumer::Store | Consumer::StoreTruth => resume.set(cont.dst as usize, Value::bool(t)),
        Consumer::Jump if t == (cont.dst != 0) => return resume.jump(cont.jump),
        Consumer::Jump | Consumer::Drop => {}
    }
    resume
}
