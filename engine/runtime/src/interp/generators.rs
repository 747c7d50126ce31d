//! Generators and coroutines in the loop: making, resuming, suspending, ending.

use crate::context::{FRAME_WORDS, RECORD, RECORD_WORDS};
use crate::events::{event, iteration_stopped, thrown_into};
use crate::interp::call::call_special_1;
use crate::interp::cont::{Consumer, Cont, ContKind, caller, return_word, tagged};
use crate::interp::frames::{frame_code, frame_function};
use crate::interp::result::deliver;
use crate::interp::stack::{leave_side, make_room};
use crate::interp::{At, Site, copy_words, delegation, elision, or_unwind, publish};
use crate::native::Args;
use crate::object::{Kind, Ref};
use crate::types::async_step::{Awaitable, begin_send, settle};
use crate::types::ext::Ext;
use crate::types::function::Function;
use crate::types::generator::{ASYNC, GenState, Generator, PLAIN, REGISTERED};
use crate::types::list::List;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_bytecode::{Op, Special, flags};

/// How a generator is resumed.
#[derive(Clone, Copy)]
pub enum Resume {
    /// With a value, as `send()`.
    Send(Value),
    /// With the pending exception, as `throw()`.
    Throw,
    /// Where it was moved to by [`Vm::leave_yield_from`].
    Continue,
}

/// A generator of this function, without anything in its registers. MemoryError.
pub fn new_generator(vm: &Vm, f: Ref<Function>) -> R<Ref<Generator>> {
    let code = f.code();
    // It is resumed behind its beginning.
    code.make_block(vm)?;
    let flags_ = code.portable().flags;
    let ty = if flags_ & flags::ASYNC_GENERATOR != 0 {
        vm.types.async_generator
    } else if flags_ & flags::COROUTINE != 0 {
        vm.types.coroutine
    } else {
        vm.types.generator
    };
    let g = Generator::new(vm, f, code.liveness().suspended() as u16, ty.root_shape_id())?;
    g.set_flag(PLAIN, ty == vm.types.generator);
    g.set_flag(ASYNC, ty == vm.types.async_generator);
    if ty != vm.types.generator || code.liveness().handles() {
        register(vm, g);
    }
    Ok(g)
}

/// The heap tells of its end, so that it can be closed.
fn register(vm: &Vm, g: Ref<Generator>) {
    g.set_flag(REGISTERED, true);
    vm.heap.register_finalizer(g.header());
}

/// What a call of this function, which is a generator's, with these arguments for its first parameters gives, which
/// are all that it has. MemoryError.
pub fn call_generator(vm: &Vm, f: Ref<Function>, args: &[Value]) -> R<Ref<Generator>> {
    let g = new_generator(vm, f)?;
    for (slot, v) in g.registers().iter().zip(args) {
        slot.set(v.bits());
    }
    g.set_unit(Op::MakeGenerator.units() as u32);
    Ok(g)
}

pub fn make_generator(vm: &Vm, at: At) -> R<At> {
    let f = frame_function(at.base);
    let (code, flags_) = (f.code(), f.code().portable().flags);
    let g = new_generator(vm, f)?;
    // This is the first instruction: only the parameters are set, all other registers hold garbage.
    for (i, slot) in g.registers().iter().enumerate().take(code.portable().param_count()) {
        slot.set(at.reg(i).bits());
    }
    g.set_unit(code.unit_of(at.skip(1).pc));
    if flags_ & flags::COROUTINE != 0 && vm.coroutine_origin_depth.get() > 0 {
        let origin = origin(vm)?;
        g.hook.set(vm, g, origin);
    }
    Ok(super::result::leave_frame(vm, at.base, g.value()))
}

/// Where the running frame was called from: (file, line, function) of as many frames as are wanted.
fn origin(vm: &Vm) -> R<Value> {
    let rows = List::with_capacity(vm, 1)?;
    for frame in super::frames::Frames::running(vm).skip(1).take(vm.coroutine_origin_depth.get()) {
        let code = frame.code();
        let row = [code.filename.or_none(), Value::small_int(frame.line().into()), code.name.or_none()];
        rows.push(vm, vm.tuple(&row)?)?;
    }
    vm.tuple(rows.items())
}

/// Pushes a generator's frame; the record's `a` is the generator. ValueError if it is running.
pub fn resume_generator(vm: &Vm, resume: At, g: Ref<Generator>, how: Resume, cont: Cont) -> R<At> {
    let state = g.state();
    match state {
        GenState::Running => return Err(already_running(vm, g)),
        GenState::Finished => {
            if vm.type_of(g.value()) == vm.types.coroutine {
                return Err(vm.runtime_error("cannot reuse already awaited coroutine"));
            }
            if let Resume::Throw = how {
                return Err(Raised);
            }
            return end(vm, resume, cont, Value::NONE);
        }
        GenState::Created => {
            if let Resume::Send(v) = how
                && !v.is_none()
            {
                return Err(vm.type_error(format!(
                    "can't send non-None value to a just-started {}",
                    generator_kind(vm, g)
                )));
            }
        }
        GenState::Suspended => {}
    }
    let root = g;
    let g = match how {
        Resume::Send(_) if state == GenState::Suspended && root.is_delegating() => {
            delegation::innermost(vm, root).ok_or_else(|| already_running(vm, root))?
        }
        Resume::Throw if state == GenState::Suspended => {
            delegation::cut(vm, root);
            root
        }
        _ => root,
    };
    let at = push(vm, resume, g, cont, g != root)?;
    let base = at.base;
    if delegation::is_too_deep(vm, root, g) {
        let site = At { pc: suspended_at(g, at.pc), base }.site();
        vm.set_site(site);
        let Raised = vm.recursion_error("maximum recursion depth exceeded");
        return Ok(super::unwind::unwind(vm, site));
    }
    match how {
        Resume::Throw => {
            let site = match state {
                // It never ran: the exception is raised where it begins.
                GenState::Created => at.call_site(),
                // The instruction that suspended it; its length tells where it began.
                _ => At { pc: suspended_at(g, at.pc), base }.site(),
            };
            vm.set_site(site);
            if g.handled.get().is_some()
                && let Some(e) = vm.pending.take()
            {
                // Raised in the generator's handler: its context is what is handled there.
                let Raised = vm.raise(e);
            }
            if vm.events.any_of(event::PY_THROW) {
                thrown_into(vm, site);
            }
            Ok(super::unwind::unwind(vm, site))
        }
        Resume::Send(v) => {
            if state == GenState::Suspended {
                // SAFETY: the instruction before the resume point is the suspending one.
                let dst = unsafe { *suspended_at(g, at.pc).cast::<u8>().add(1) as usize };
                at.set(dst, v);
            }
            Ok(at)
        }
        Resume::Continue => Ok(at),
    }
}

/// Puts a generator's frame onto the stack, in which it goes on. `for_root`: for the one that its chain begins with.
/// MemoryError, RecursionError.
pub(super) fn push(vm: &Vm, resume: At, g: Ref<Generator>, cont: Cont, for_root: bool) -> R<At> {
    let code = g.code();
    let exec = code.exec();
    let (base, side) = match room_at_hand(vm, resume.base, exec.frame_bytes as usize) {
        Some(base) => (base, 0),
        None => make_room(vm, resume.base, exec.frame_bytes as usize)?,
    };
    // SAFETY: there is room.
    let at = unsafe { write_frame(vm, resume, g, cont, base, side) };
    if let Some(h) = g.handled.get() {
        vm.context().handled.set(Some(h));
    }
    on_stack(vm, g, for_root);
    Ok(at)
}

/// Writes the generator's frame and its record: where it goes on.
///
/// # Safety
/// There is room for the record, the head and the registers at `base`; `side` is the tag for that place.
#[inline(always)]
unsafe fn write_frame(
    vm: &Vm,
    resume: At,
    g: Ref<Generator>,
    cont: Cont,
    base: *mut Value,
    side: usize,
) -> At {
    let code = g.code();
    let cont = Cont { a: g.value(), b: vm.context().handled.get().unwrap_or(Value::NONE), ..cont };
    // SAFETY: the caller's promise; a generator's code is loaded, and its unit inside of it.
    unsafe {
        cont.write(base);
        *base.sub(4) = g.function.value();
        *base.sub(3) = code.value();
        *base.sub(2).cast::<u64>() = tagged(resume.pc, RECORD | side);
        *base.sub(1).cast::<*mut Value>() = resume.base;
        let words = g.registers();
        copy_words(words.as_ptr().cast(), base.cast(), words.len());
        At { pc: (*code.exec()).entry().add(g.unit() as usize), base }
    }
}

/// Where a record and a frame of so many bytes fit behind the frame at `below`, if that is above the limit.
#[inline(always)]
pub(super) fn room_at_hand(vm: &Vm, below: *mut Value, frame_bytes: usize) -> Option<*mut Value> {
    if below.is_null() {
        return None;
    }
    // SAFETY: `below` is a frame's base, and its code loaded.
    let top = unsafe { below.byte_add(frame_code(below).exec().frame_bytes as usize) };
    let base = top.wrapping_add(RECORD_WORDS + FRAME_WORDS);
    (base.wrapping_byte_add(frame_bytes) <= vm.limit.get()).then_some(base)
}

#[inline(always)]
fn on_stack(vm: &Vm, g: Ref<Generator>, for_root: bool) {
    if for_root {
        // It leads to those that it runs for from now on.
        g.barrier(vm);
        g.set_on_stack_for_root();
    } else {
        g.set_on_stack();
    }
}

/// The `Yield` or `YieldFrom` that suspended the generator, which goes on at `pc`.
pub(super) fn suspended_at(g: Ref<Generator>, pc: *const u32) -> *const u32 {
    let units = if g.is_delegating() { 2 } else { 1 };
    // SAFETY: the resume point is behind that instruction.
    unsafe { pc.sub(units) }
}

fn already_running(vm: &Vm, g: Ref<Generator>) -> Raised {
    vm.value_error(format!("{} already executing", generator_kind(vm, g)))
}

/// For messages.
pub fn generator_kind(vm: &Vm, g: Ref<Generator>) -> &'static str {
    let ty = vm.type_of(g.value());
    if ty == vm.types.coroutine {
        "coroutine"
    } else if ty == vm.types.async_generator {
        "async generator"
    } else {
        "generator"
    }
}

/// The common case of sending into a generator: it is suspended outside of any handler, or has not begun, and there
/// is room for its frame. None: not so.
#[inline(always)]
pub fn resume_quick(vm: &Vm, resume: At, g: Ref<Generator>, v: Value, cont: Cont) -> Option<At> {
    let begins = g.state() == GenState::Created && v.is_none();
    if g.state() != GenState::Suspended && !begins {
        return None;
    }
    let root = g;
    let g = if root.is_delegating() { delegation::innermost(vm, root)? } else { root };
    if g.handled.get().is_some() || delegation::is_too_deep(vm, root, g) {
        return None;
    }
    // SAFETY: a generator's code is loaded, there is room, and the instruction before the resume point is the suspending
    // one.
    unsafe {
        let base = room_at_hand(vm, resume.base, g.code().exec().frame_bytes as usize)?;
        let at = write_frame(vm, resume, g, cont, base, 0);
        on_stack(vm, g, g != root);
        if !begins {
            let dst = *suspended_at(g, at.pc).cast::<u8>().add(1) as usize;
            at.set(dst, v);
        }
        Some(at)
    }
}

/// `ForIter` over a generator.
#[inline(never)]
pub fn for_generator(vm: &Vm, at: At) -> At {
    if let Some(g) = at.reg(at.b()).cast::<Generator>()
        && g.flag(PLAIN)
    {
        let mut cont = Cont::store(at.a()).kind(ContKind::GenFor);
        cont.jump = at.extra() as i32 - 2;
        if let Some(next) = resume_quick(vm, at.skip(2), g, Value::NONE, cont) {
            return next;
        }
    }
    #[inline(never)]
    fn slow(vm: &Vm, at: At) -> At {
        publish(vm, at);
        let it = at.reg(at.b());
        let r = match it.cast::<Generator>() {
            Some(g) if vm.type_of(it) == vm.types.generator => {
                let mut cont = Cont::store(at.a()).kind(ContKind::GenFor);
                cont.jump = at.extra() as i32 - 2;
                resume_generator(vm, at.skip(2), g, Resume::Send(Value::NONE), cont)
            }
            _ => super::iteration::for_iter(vm, at),
        };
        or_unwind(vm, r)
    }
    slow(vm, at)
}

/// Takes the running generator frame off the stack: its registers go back into the object.
#[inline(always)]
fn suspend(vm: &Vm, at: At, next: At, delegating: bool) -> (At, Cont) {
    // SAFETY: a generator's frame has a record whose `a` is the generator.
    unsafe {
        let cont = Cont::read(at.base);
        let g: Ref<Generator> = cont.a.cast_unchecked();
        g.barrier(vm);
        let words = g.registers();
        copy_words(at.base.cast::<u64>(), words.as_ptr() as *mut u64, words.len());
        g.suspend_at(g.code().unit_of(next.pc), delegating);
        let ctx = vm.context();
        let handled = ctx.handled.get().unwrap_or(Value::NONE);
        g.handled.init((!handled.is(cont.b)).then_some(handled));
        ctx.handled.set((!cont.b.is_none()).then_some(cont.b));
        let to = caller(at.base);
        if return_word(at.base) & crate::context::SIDE != 0 {
            publish(vm, at);
            leave_side(vm, at.base);
        }
        (to, cont)
    }
}

/// `Yield`.
#[inline(never)]
pub fn yield_value(vm: &Vm, at: At) -> At {
    let v = at.reg(at.b());
    let (to, cont) = suspend(vm, at, at.skip(1), false);
    // The plainest of calls, without the detour by its continuation.
    if cont.kind == ContKind::GenCall && cont.stage != GEN_CALL_EXIT && cont.consumer == Consumer::Store {
        to.set(cont.dst as usize, v);
        return to;
    }
    if ends_nested(cont) {
        vm.set_site(to.call_site());
        vm.exit_result.set(v);
        return At { pc: super::dispatch::EXIT.as_ptr(), base: to.base };
    }
    yielded(vm, to, cont, v)
}

#[inline(always)]
fn yielded(vm: &Vm, to: At, cont: Cont, v: Value) -> At {
    match cont.kind {
        ContKind::GenFor | ContKind::GenSend => {
            to.set(cont.dst as usize, v);
            to
        }
        ContKind::GenStep => {
            vm.set_site(to.call_site());
            let r = step_settled(vm, to, cont, Ok(Ok(v)));
            or_unwind(vm, r)
        }
        _ => {
            vm.set_site(to.call_site());
            let r = gen_call_result(vm, to, cont, v);
            or_unwind(vm, r)
        }
    }
}

/// The caller of `next()` and its like gets the value as from any call: by the continuation that
/// was saved in the record's stage.
fn gen_call_result(vm: &Vm, to: At, cont: Cont, v: Value) -> R<At> {
    let inner = Cont { kind: outer_kind(cont), a: Value::NONE, b: Value::NONE, ..cont };
    super::result::apply(vm, to, inner, v)
}

/// What a `GenCall` was made for: the stage says whether a nested run is to end.
fn outer_kind(cont: Cont) -> ContKind {
    if cont.stage == GEN_CALL_EXIT { ContKind::Exit } else { ContKind::Plain }
}

const GEN_CALL_EXIT: u8 = 1;
const GEN_CALL_RETURNS: u8 = 2;

/// The record for a generator resumed by a call whose result goes by `cont`.
pub fn gen_call(cont: Cont) -> Cont {
    let stage = if cont.kind == ContKind::Exit { GEN_CALL_EXIT } else { 0 };
    Cont { kind: ContKind::GenCall, stage, ..cont }
}

/// As [`gen_call`], of a plain call which gets what the generator returns as it gets what it yields: the generator's state tells
/// them apart.
pub fn gen_call_returning(cont: Cont) -> Cont {
    Cont { kind: ContKind::GenCall, stage: GEN_CALL_RETURNS, ..cont }
}

/// Does the call of a `GenCall` get what the generator returns, without an exception?
pub fn returns_plainly(cont: Cont) -> bool {
    cont.kind == ContKind::GenCall && cont.stage == GEN_CALL_RETURNS
}

/// `YieldFrom`: suspends; the delegate is in r[c].
#[inline(never)]
pub fn yield_from(vm: &Vm, at: At) -> At {
    // SAFETY: a generator's frame has a record.
    if unsafe { Cont::read(at.base) }.a.is_none() {
        publish(vm, at);
        if let Err(e) = elision::materialize(vm, at.base) {
            return or_unwind(vm, Err(e));
        }
    }
    let (v, delegate) = (at.reg(at.b()), at.reg(at.c()));
    // SAFETY: the record's `a` is the generator.
    let g: Ref<Generator> = unsafe { Cont::read(at.base).a.cast_unchecked() };
    if !g.flag(REGISTERED) && !needs_no_close(delegate) {
        // Who drops the generator closes what it delegates to.
        register(vm, g);
    }
    let (to, cont) = suspend(vm, at, at.skip(2), true);
    yielded(vm, to, cont, v)
}

/// Is it an iterator that has no `close()`?
fn needs_no_close(v: Value) -> bool {
    const KINDS: [Kind; 3] = [Kind::SeqIter, Kind::RangeIter, Kind::DictIter];
    v.header().is_some_and(|h| KINDS.iter().any(|kind| *kind as u8 == h.kind.get()))
}

/// `ReturnGen`.
pub fn return_gen(vm: &Vm, at: At) -> R<At> {
    let v = at.reg(at.a());
    // SAFETY: a generator's frame has a record.
    let (to, cont) = unsafe { (caller(at.base), Cont::read(at.base)) };
    // SAFETY: as above.
    if unsafe { return_word(at.base) } & crate::context::SIDE != 0 {
        leave_side(vm, at.base);
    }
    vm.context().handled.set((!cont.b.is_none()).then_some(cont.b));
    vm.set_site(to.call_site());
    // None: no coroutine was made of it.
    let Some(g) = cont.a.cast::<Generator>() else { return end(vm, to, cont, v) };
    if g.runs_for_root() {
        return match delegation::returned(vm, to, cont, g, v) {
            Err(Raised) if ends_nested(cont) => Ok(exit_raise(vm, to)),
            r => r,
        };
    }
    g.finish();
    end(vm, to, cont, v)
}

/// A nested run ends with the pending exception.
fn exit_raise(vm: &Vm, to: At) -> At {
    publish(vm, to);
    At { pc: super::dispatch::EXIT_RAISE.as_ptr(), base: to.base }
}

/// A generator ended with a value: its resumer goes on.
fn end(vm: &Vm, to: At, cont: Cont, v: Value) -> R<At> {
    match cont.kind {
        ContKind::GenFor => {
            if vm.events.any_of(event::STOP_ITERATION) {
                iteration_stopped(vm, to.call_site(), v)?;
            }
            Ok(to.jump(cont.jump))
        }
        ContKind::GenSend => {
            if vm.events.any_of(event::STOP_ITERATION) {
                iteration_stopped(vm, to.call_site(), v)?;
            }
            to.set(cont.dst as usize, v);
            Ok(to.jump(cont.jump))
        }
        ContKind::GenStep => step_settled(vm, to, cont, Ok(Err(v))),
        _ => {
            if cont.stage == GEN_CALL_EXIT {
                // The nested run ends with the exception.
                let _: Raised = vm.stop_iteration_raw(v);
                return Ok(exit_raise(vm, to));
            }
            if returns_plainly(cont) {
                to.set(cont.dst as usize, v);
                return Ok(to);
            }
            Err(vm.stop_iteration_raw(v))
        }
    }
}

/// Units of a `Send`.
pub(super) const SEND_UNITS: usize = 2;

/// The step of an async generator behind whose `Send` the machine goes on at `to`.
fn step_of(to: At) -> Option<Ref<Ext<Awaitable>>> {
    let send = At { pc: to.pc.wrapping_sub(SEND_UNITS), base: to.base };
    send.reg(send.b()).cast()
}

/// An async generator did something in a step: it is awaited further, or the step is over.
fn step_settled(vm: &Vm, to: At, cont: Cont, r: R<Result<Value, Value>>) -> R<At> {
    let Some(step) = step_of(to) else { return Err(vm.system_error("a step without its object")) };
    match settle(vm, step, r)? {
        Ok(v) => {
            to.set(cont.dst as usize, v);
            Ok(to)
        }
        Err(result) => {
            if vm.events.any_of(event::STOP_ITERATION) {
                iteration_stopped(vm, to.call_site(), result)?;
            }
            to.set(cont.dst as usize, result);
            Ok(to.jump(cont.jump))
        }
    }
}

/// An exception left a generator's frame, whose resumer goes on at `to`. Where it is raised next, if in one that
/// delegated to it.
pub fn raised(vm: &Vm, to: At, cont: Cont) -> Option<Site> {
    let g = cont.a.cast::<Generator>();
    vm.context().handled.set((!cont.b.is_none()).then_some(cont.b));
    if let Some(g) = g.filter(|g| g.runs_for_root()) {
        vm.set_site(to.call_site());
        if let Ok(at) = delegation::raised(vm, to, cont, g) {
            return Some(at.site());
        }
    }
    if cont.kind == ContKind::GenStep
        && let Some(step) = step_of(to)
    {
        // A step that sends never makes something else of an exception.
        let _ = settle(vm, step, Err(Raised));
    }
    if let Some(g) = g {
        g.finish();
    }
    None
}

/// Does the exception that left a `GenCall` generator end a nested run?
pub fn ends_nested(cont: Cont) -> bool {
    cont.kind == ContKind::GenCall && cont.stage == GEN_CALL_EXIT
}

/// `Send`.
#[inline(never)]
pub fn send(vm: &Vm, at: At) -> At {
    if let Some(g) = at.reg(at.b()).cast::<Generator>()
        && !g.flag(ASYNC)
    {
        let mut cont = Cont::store(at.a()).kind(ContKind::GenSend);
        cont.jump = at.extra() as i32 - 2;
        if let Some(next) = resume_quick(vm, at.skip(2), g, at.reg(at.c()), cont) {
            return next;
        }
    }
    publish(vm, at);
    let r = send_any(vm, at);
    or_unwind(vm, r)
}

fn send_any(vm: &Vm, at: At) -> R<At> {
    let (it, v) = (at.reg(at.b()), at.reg(at.c()));
    let resume = at.skip(2);
    let jump = at.extra() as i32 - 2;
    if let Some(g) = it.cast::<Generator>()
        && !g.flag(ASYNC)
    {
        let mut cont = Cont::store(at.a()).kind(ContKind::GenSend);
        cont.jump = jump;
        return resume_generator(vm, resume, g, Resume::Send(v), cont);
    }
    if let Some(step) = it.cast::<Ext<Awaitable>>()
        && let Some((g, v)) = begin_send(vm, step, v)?
    {
        let mut cont = Cont::store(at.a()).kind(ContKind::GenStep);
        cont.jump = jump;
        let r = resume_generator(vm, resume, g, Resume::Send(v), cont);
        if r.is_err() {
            // It was not resumed, so the step is over.
            let _ = settle(vm, step, Err(Raised));
        }
        return r;
    }
    let mut cont = Cont::store(at.a()).kind(ContKind::SendCall);
    cont.jump = jump;
    let result = if v.is_none() {
        match vm.type_of(it).special(vm, Special::Next) {
            Some(f) if f.cast::<crate::types::function::Function>().is_some() => {
                return call_special_1(vm, resume, f, it, cont);
            }
            _ => vm.next_or_stop(it),
        }
    } else {
        let f = vm.get_attr(it, vm.names.send)?;
        if f.cast::<crate::types::native::NativeFunction>().is_none() {
            return super::call::call_soft(vm, resume, f, Args::new(&[v], None), cont);
        }
        vm.call(f, &[v]).map(Ok).or_else(|_| match vm.catch(vm.exc.stop_iteration) {
            Some(e) => Ok(Err(vm.stop_value(e))),
            None => Err(Raised),
        })
    };
    match result? {
        Ok(v) => deliver(vm, resume, Cont::store(at.a()), v),
        Err(returned) => {
            at.set(at.a(), returned);
            Ok(resume.jump(jump))
        }
    }
}

pub fn get_yield_from_iter(vm: &Vm, at: At) -> R<At> {
    let v = at.reg(at.b());
    let ty = vm.type_of(v);
    if ty == vm.types.coroutine {
        let own = frame_code(at.base).portable().flags;
        if own & (flags::COROUTINE | flags::ITERABLE_COROUTINE) == 0 {
            return Err(vm.type_error("cannot 'yield from' a coroutine object in a non-coroutine generator"));
        }
        at.set(at.a(), v);
        return Ok(at.skip(1));
    }
    if ty == vm.types.generator {
        at.set(at.a(), v);
        return Ok(at.skip(1));
    }
    super::iteration::get_iter(vm, at)
}

pub fn get_awaitable(vm: &Vm, at: At) -> R<At> {
    let v = at.reg(at.b());
    if let Some(g) = v.cast::<Generator>() {
        let is_coroutine = vm.type_of(v) == vm.types.coroutine;
        if is_coroutine && g.state() == GenState::Suspended && vm.yield_from_target(g).is_some() {
            return Err(vm.runtime_error("coroutine is being awaited already"));
        }
        if is_coroutine || g.code().has_flag(flags::ITERABLE_COROUTINE) {
            at.set(at.a(), v);
            return Ok(at.skip(1));
        }
    }
    match vm.type_of(v).special(vm, Special::Await) {
        Some(f) => {
            let cont = Cont::store(at.a()).kind(ContKind::Await).with(v, Value::NONE);
            call_special_1(vm, at.skip(1), f, v, cont)
        }
        None => {
            let name = vm.type_name(v);
            Err(vm.type_error(match at.c() {
                1 => format!(
                    "'async with' received an object from __aenter__ that does not implement __await__: {name}"
                ),
                2 => format!(
                    "'async with' received an object from __aexit__ that does not implement __await__: {name}"
                ),
                _ => format!("'{name}' object can't be awaited"),
            }))
        }
    }
}

/// What `__await__` returned must be an iterator, and no coroutine.
pub fn check_await_iter(vm: &Vm, v: Value) -> R<()> {
    let ty = vm.type_of(v);
    if ty == vm.types.coroutine {
        return Err(vm.type_error("__await__() returned a coroutine"));
    }
    if ty.special(vm, Special::Next).is_none() {
        return Err(
            vm.type_error(format!("__await__() returned non-iterator of type '{}'", ty.name_string()))
        );
    }
    Ok(())
}

pub fn get_aiter(vm: &Vm, at: At) -> R<At> {
    let v = at.reg(at.b());
    let Some(f) = vm.type_of(v).special(vm, Special::AIter) else {
        return Err(vm.type_error(format!(
            "'async for' requires an object with __aiter__ method, got {}",
            vm.type_name(v)
        )));
    };
    let cont = Cont::store(at.a()).kind(ContKind::AsyncIter);
    call_special_1(vm, at.skip(1), f, v, cont)
}

/// What `__aiter__` returned must have `__anext__`.
pub fn check_async_iter(vm: &Vm, it: Value) -> R<()> {
    if vm.type_of(it).special(vm, Special::ANext).is_some() {
        return Ok(());
    }
    Err(vm.type_error(format!(
        "'async for' received an object from __aiter__ that does not implement __anext__: {}",
        vm.type_name(it)
    )))
}

pub fn get_anext(vm: &Vm, at: At) -> R<At> {
    let v = at.reg(at.b());
    let Some(f) = vm.type_of(v).special(vm, Special::ANext) else {
        return Err(vm.type_error(format!(
            "'async for' requires an iterator with __anext__ method, got {}",
            vm.type_name(v)
        )));
    };
    let cont = Cont::store(at.a()).kind(ContKind::Anext).with(v, Value::NONE);
    call_special_1(vm, at.skip(1), f, v, cont)
}

/// What `__anext__` returned is to be awaited: the iterator for it.
pub fn anext_result(vm: &Vm, resume: At, cont: Cont, v: Value) -> R<At> {
    if v.cast::<Generator>().is_some() && vm.type_of(v) == vm.types.coroutine {
        return deliver(vm, resume, cont, v);
    }
    match vm.type_of(v).special(vm, Special::Await) {
        Some(f) => {
            let cont = cont.kind(ContKind::Await).with(v, Value::NONE);
            call_special_1(vm, resume, f, v, cont)
        }
        None => Err(vm.type_error(format!(
            "'async for' received an invalid object from __anext__: {}",
            vm.type_name(v)
        ))),
    }
}

pub fn end_async_for(vm: &Vm, at: At) -> R<At> {
    let e = at.reg(at.a());
    if vm.type_of(e).is_subtype(vm.exc.stop_async_iteration) {
        return Ok(at.skip(1));
    }
    Err(vm.raise_again(e))
}

pub fn wrap_async_yield(vm: &Vm, at: At) -> R<At> {
    let v = crate::types::async_step::wrap_async_value(vm, at.reg(at.b()))?;
    at.set(at.a(), v);
    Ok(at.skip(1))
}

/// Where a suspended delegating generator goes on when its delegation is over, and the register that takes the result.
pub fn behind_delegation(g: Ref<Generator>) -> (u32, usize) {
    // SAFETY: the generator's code is loaded, its unit inside of it, and behind a `YieldFrom`.
    unsafe {
        let entry = (*g.code().exec()).entry();
        let from = suspended_at(g, entry.add(g.unit() as usize));
        let jump = *from.add(1) as i32;
        (g.code().unit_of(from.wrapping_offset(jump as isize)), *from.cast::<u8>().add(1) as usize)
    }
}

impl Vm {
    /// StopIteration(v), where a tuple is one value.
    pub(crate) fn stop_iteration_raw(&self, v: Value) -> Raised {
        self.stop_iteration(v)
    }

    /// What a suspended generator delegates to (`gi_yieldfrom`).
    pub fn yield_from_target(&self, g: Ref<Generator>) -> Option<Value> {
        if g.state() != GenState::Suspended || !g.is_delegating() {
            return None;
        }
        // SAFETY: the generator's code is loaded and its unit inside of it.
        unsafe {
            let pc = (*g.code().exec()).entry().add(g.unit() as usize);
            let from = suspended_at(g, pc);
            let c = *from.cast::<u8>().add(3) as usize;
            Some(Value::from_bits(g.registers()[c].get()))
        }
    }

    /// Makes a suspended delegating generator go on behind its delegation with this result.
    pub fn leave_yield_from(&self, g: Ref<Generator>, result: Value) {
        let (unit, register) = behind_delegation(g);
        delegation::cut(self, g);
        g.barrier(self);
        g.registers()[register].set(result.bits());
        g.suspend_at(unit, false);
    }
}

const _: () = assert!(Consumer::Store as u8 == 0);
