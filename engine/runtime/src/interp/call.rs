//! Calls: pushing frames, binding arguments, calling natives and types.

use crate::context::{FRAME_WORDS, RECORD, RECORD_WORDS, SIDE, Side, SideEntry};
use crate::interp::cont::{caller, return_word, tagged};
use crate::interp::frames::frame_code;
use crate::interp::{
    At, Consumer, Cont, ContKind, copy_words, generators, iteration, operators, or_unwind, publish,
};
use crate::native::Args;
use crate::object::{Kind, Ref};
use crate::types::code::NOT_SIMPLE;
use crate::types::dict::Dict;
use crate::types::function::{BoundMethod, Function};
use crate::types::list::List;
use crate::types::native::NativeFunction;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::{Type, type_flags};
use crate::value::{R, Value};
use crate::vm::{TICKS, Vm, poll};
use skein_bytecode::Special;
use std::sync::atomic::Ordering;

/// A call of a native in the interpreter's loop: what a soft native works on.
///
/// It must return where to go on: with [`SoftCall::done`] for a plain result, [`SoftCall::raised`]
/// for a pending exception, or another context's position after a switch, having saved
/// `resume` (whose result register takes what is sent back) in its own context.
#[derive(Clone, Copy)]
pub struct SoftCall<'a> {
    pub args: Args<'a>,
    /// The instruction behind the call.
    pub resume: At,
    /// What the result comes to.
    pub cont: Cont,
}

impl SoftCall<'_> {
    /// The call's result is this.
    #[inline(always)]
    pub fn done(&self, vm: &Vm, v: Value) -> At {
        if self.cont.kind == ContKind::Plain && self.cont.consumer == Consumer::Store {
            self.resume.set(self.cont.dst as usize, v);
            return self.resume;
        }
        let r = apply(vm, self.resume, self.cont, v);
        self.go_on(vm, r)
    }

    /// The call raised the pending exception.
    pub fn raised(&self, vm: &Vm) -> At {
        if self.cont.kind == ContKind::LeaveContext {
            // There is no frame whose unwinding would do it. An error in it replaces the other.
            let _ = crate::variables::leave(vm, self.cont.a, self.cont.b);
        }
        self.go_on(vm, Err(crate::value::Raised))
    }

    /// Goes on where the work led to, or raises the pending exception out of the call.
    pub fn go_on(&self, vm: &Vm, r: R<At>) -> At {
        if r.is_err() {
            match self.cont.kind {
                // A nested run made the call: it ends, its frames are not to be unwound here.
                ContKind::Exit => {
                    return At { pc: super::dispatch::EXIT_RAISE.as_ptr(), base: self.resume.base };
                }
                // All that the context was to run is this call.
                ContKind::ContextEnd => {
                    let hooks = vm.hooks.clone();
                    return hooks.switcher().context_finished(vm, vm.context(), Err(crate::value::Raised));
                }
                ContKind::ForNext if vm.catch(vm.exc.stop_iteration).is_some() => {
                    return self.resume.jump(self.cont.jump);
                }
                _ => {}
            }
        }
        or_unwind(vm, r)
    }

    /// Where to put the result if the call is left by a switch and later goes on at `resume`: only
    /// for plain calls, whose result is stored.
    #[inline(always)]
    pub fn result_register(&self) -> Option<usize> {
        (self.cont.kind == ContKind::Plain && self.cont.consumer == Consumer::Store)
            .then_some(self.cont.dst as usize)
    }

    /// As [`SoftCall::result_register`], also for `__next__` of a `for` loop; see [`super::raise_parked`].
    #[inline(always)]
    pub fn parking_register(&self) -> Option<usize> {
        if self.cont.kind == ContKind::ForNext {
            return Some(self.cont.dst as usize);
        }
        self.result_register()
    }
}

/// `Call` of anything but a simple function, or without room.
#[inline(never)]
pub fn call(vm: &Vm, at: At) -> At {
    publish(vm, at);
    let w = at.window();
    // The word before the arguments is the head's last, which only a frame needs.
    call_window(vm, at, w, w + FRAME_WORDS, at.b())
}

/// `CallMethod`, likewise.
#[inline(never)]
pub fn call_method(vm: &Vm, at: At) -> At {
    publish(vm, at);
    let w = at.window();
    let first = w + FRAME_WORDS;
    if at.reg(first).is_unbound() {
        call_window(vm, at, w, first + 1, at.b())
    } else {
        call_window(vm, at, w, first, at.b() + 1)
    }
}

/// The arguments of a method call's window: with the receiver, if the method is not bound yet.
fn method_args<'a>(at: At, w: usize) -> &'a [Value] {
    let first = w + FRAME_WORDS;
    if at.reg(first).is_unbound() { at.row(first + 1, at.b()) } else { at.row(first, at.b() + 1) }
}

/// A call with `n` arguments in the registers from `first` on; the register before is free.
#[inline(always)]
fn call_window(vm: &Vm, at: At, w: usize, first: usize, n: usize) -> At {
    if vm.limit.get().is_null() && vm.poll.load(Ordering::Relaxed) != 0 {
        return safepoint_at(vm, at);
    }
    let callee = at.reg(w);
    let resume = at.skip(1);
    if let Some(native) = callee.cast::<NativeFunction>() {
        let def = native.def();
        let args = match native.receiver.get() {
            None => at.row(first, n),
            Some(receiver) => {
                at.set(first - 1, receiver);
                at.row(first - 1, n + 1)
            }
        };
        let args = Args::new(args, None);
        if let Some(soft) = def.soft {
            return soft(vm, &SoftCall { args, resume, cont: Cont::store(w) });
        }
        return match def.invoke(vm, args) {
            Ok(v) => {
                at.set(w, v);
                resume
            }
            Err(e) => or_unwind(vm, Err(e)),
        };
    }
    let r = call_soft(vm, resume, callee, Args::new(at.row(first, n), None), Cont::store(w));
    or_unwind(vm, r)
}

pub fn call_kw(vm: &Vm, at: At) -> R<At> {
    let w = at.window();
    let args = Args::new(at.row(w + FRAME_WORDS, at.b()), at.extra_value().cast());
    call_soft(vm, at.skip(2), at.reg(w), args, Cont::store(w))
}

pub fn call_method_kw(vm: &Vm, at: At) -> R<At> {
    let w = at.window();
    let args = Args::new(method_args(at, w), at.extra_value().cast());
    call_soft(vm, at.skip(2), at.reg(w), args, Cont::store(w))
}

pub fn call_ex(vm: &Vm, at: At) -> R<At> {
    let w = at.window();
    let callee = at.reg(w);
    let positional = at.reg(w + FRAME_WORDS);
    let list = match positional.cast::<Tuple>() {
        Some(t) => List::new(vm, t.items())?,
        None => vm.list_from_iterable_for_call(positional, callee)?,
    };
    let mut names = None;
    let keywords = at.reg(w + FRAME_WORDS + 1);
    if !keywords.is_unbound() {
        let Some(dict) = keywords.cast::<Dict>() else {
            return Err(vm.type_error(format!(
                "{} argument after ** must be a mapping, not {}",
                vm.callable_text(callee),
                vm.type_name(keywords)
            )));
        };
        let keys = List::with_capacity(vm, dict.len())?;
        for (k, v) in dict.iter() {
            if k.cast::<Str>().is_none() {
                return Err(vm.type_error("keywords must be strings"));
            }
            keys.push(vm, k)?;
            list.push(vm, v)?;
        }
        names = Some(Tuple::new(vm, keys.items())?);
    }
    // The list keeps the values alive; nobody else has it, so that its items stay in place.
    let items = list.items();
    call_soft(vm, at.skip(1), callee, Args::new(items, names), Cont::store(w))
}

/// Calls anything: a Python function as a frame with the continuation, all else at once.
pub fn call_soft(vm: &Vm, resume: At, callee: Value, args: Args<'_>, cont: Cont) -> R<At> {
    let Some(header) = callee.header() else {
        return Err(not_callable(vm, callee));
    };
    const FUNCTION: u8 = Kind::Function as u8;
    const NATIVE: u8 = Kind::Native as u8;
    const BOUND: u8 = Kind::BoundMethod as u8;
    const TYPE: u8 = Kind::Type as u8;
    match header.kind.get() {
        // SAFETY (casts of this match): the kind says so.
        FUNCTION => push_function(vm, resume, unsafe { callee.cast_unchecked() }, args, cont),
        NATIVE => {
            let native: Ref<NativeFunction> = unsafe { callee.cast_unchecked() };
            let def = native.def();
            match native.receiver.get() {
                None => match def.soft {
                    Some(soft) => Ok(soft(vm, &SoftCall { args, resume, cont })),
                    None => apply(vm, resume, cont, def.invoke(vm, args)?),
                },
                Some(receiver) => with_first(vm, receiver, args, |args| match def.soft {
                    Some(soft) => Ok(soft(vm, &SoftCall { args, resume, cont })),
                    None => apply(vm, resume, cont, def.invoke(vm, args)?),
                }),
            }
        }
        BOUND => {
            let method: Ref<BoundMethod> = unsafe { callee.cast_unchecked() };
            with_first(vm, method.receiver.value(), args, |args| {
                call_soft(vm, resume, method.function.value(), args, cont)
            })
        }
        TYPE => call_type(vm, resume, unsafe { callee.cast_unchecked() }, args, cont),
        _ => {
            let Some(f) = vm.type_of(callee).special(vm, Special::Call) else {
                return Err(not_callable(vm, callee));
            };
            // A builtin function is not bound to what has it for a `__call__`.
            if f.cast::<NativeFunction>().is_some_and(|f| !f.is_method(vm)) {
                return call_soft(vm, resume, f, args, cont);
            }
            // A `__call__` may be an object with a `__call__`, and so on.
            if vm.native_stack_low() {
                return Err(
                    vm.recursion_error("maximum recursion depth exceeded while calling a Python object")
                );
            }
            with_first(vm, callee, args, |args| call_special(vm, resume, f, args, cont))
        }
    }
}

/// Calls what a type's dictionary had for a special method; the receiver is the first argument.
pub fn call_special(vm: &Vm, resume: At, f: Value, args: Args<'_>, cont: Cont) -> R<At> {
    match f.header().map(|h| h.kind.get()) {
        Some(k) if k == Kind::Function as u8 || k == Kind::Native as u8 => {
            call_soft(vm, resume, f, args, cont)
        }
        _ => {
            // What is bound may be such an object again.
            super::check_native_stack(vm, " while calling a Python object")?;
            let receiver = args.positional()[0];
            let bound = vm.bind(f, receiver, vm.type_of(receiver))?;
            call_soft(vm, resume, bound, args.rest(), cont)
        }
    }
}

fn not_callable(vm: &Vm, callee: Value) -> crate::value::Raised {
    vm.type_error(format!("'{}' object is not callable", vm.type_name(callee)))
}

/// Calls `f` with one more argument in front.
pub fn with_first<T>(vm: &Vm, first: Value, args: Args<'_>, f: impl FnOnce(Args<'_>) -> R<T>) -> R<T> {
    const SMALL: usize = 12;
    let (all, names) = args.parts();
    if all.len() < SMALL {
        let mut row = [const { std::mem::MaybeUninit::<Value>::uninit() }; SMALL];
        row[0].write(first);
        // SAFETY: the row is longer than the arguments, and its beginning is then initialised.
        let row = unsafe {
            let p = row.as_mut_ptr().cast::<Value>();
            copy_words(all.as_ptr().cast(), p.add(1).cast(), all.len());
            std::slice::from_raw_parts(p, all.len() + 1)
        };
        return f(Args::new(row, names));
    }
    let list = List::with_capacity(vm, all.len() + 1)?;
    list.push(vm, first)?;
    list.extend(vm, all)?;
    f(Args::new(list.items(), names))
}

/// Instantiates a class, or calls its metaclass's `__call__`.
fn call_type(vm: &Vm, resume: At, ty: Ref<Type>, args: Args<'_>, cont: Cont) -> R<At> {
    let meta = vm.type_of(ty.value());
    if meta != vm.types.type_
        && let Some(f) = meta.special(vm, Special::Call)
        && !f.is(vm.type_call())
    {
        return with_first(vm, ty.value(), args, |args| call_special(vm, resume, f, args, cont));
    }
    if let Some(construct) = ty.def().and_then(|d| d.construct) {
        return Ok(construct(vm, &SoftCall { args, resume, cont }));
    }
    construct(vm, resume, ty, args, cont)
}

/// `type.__call__`: `__new__`, then `__init__`.
pub fn construct(vm: &Vm, resume: At, ty: Ref<Type>, args: Args<'_>, cont: Cont) -> R<At> {
    if ty == vm.types.type_ && args.positional().len() == 1 && !args.has_keywords() {
        return apply(vm, resume, cont, vm.type_of(args.positional()[0]).value());
    }
    let Some(new) = ty.special(vm, Special::New) else {
        return Err(vm.type_error(format!("cannot create '{}' instances", ty.name_string())));
    };
    let new = vm.unwrap_static(new);
    if new.is(vm.object_new()) {
        let init = ty.special(vm, Special::Init);
        if let Some(f) = init.and_then(|f| f.cast::<Function>())
            && !ty.has_flag(type_flags::ABSTRACT)
            && cont.consumer == Consumer::Store
            && cont.kind == ContKind::Plain
        {
            let instance = vm.new_instance(ty)?;
            let init_cont = cont.kind(ContKind::Init).with(instance, Value::NONE);
            return with_first(vm, instance, args, |args| push_function(vm, resume, f, args, init_cont));
        }
    }
    let native = new.cast::<NativeFunction>();
    // A `__new__` that makes calls of its own, or a continuation that its record has no room for.
    let plain = cont.kind == ContKind::Plain && cont.consumer == Consumer::Store;
    if !plain || native.is_none_or(|n| n.def().soft.is_some()) && new.cast::<Function>().is_none() {
        let task = super::construct::task(vm, ty, new, args)?;
        return super::task::begin_task(vm, resume, cont, task);
    }
    if let Some(native) = native {
        let instance = with_first(vm, ty.value(), args, |args| native.def().invoke(vm, args))?;
        return init_instance(vm, resume, ty, instance, args, cont);
    }
    // A Python `__new__`: its frame first. The arguments are kept for `__init__`.
    let (all, names) = args.parts();
    let kept = Tuple::new(vm, all)?;
    let kept = match names {
        Some(names) => Tuple::new(vm, &[kept.value(), names.value()])?,
        None => Tuple::new(vm, &[kept.value()])?,
    };
    let new_cont = cont.kind(ContKind::New).with(ty.value(), kept.value());
    with_first(vm, ty.value(), args, |args| call_soft(vm, resume, new, args, new_cont))
}

fn init_instance(vm: &Vm, resume: At, ty: Ref<Type>, instance: Value, args: Args<'_>, cont: Cont) -> R<At> {
    let own = vm.type_of(instance);
    if !own.is_subtype(ty) {
        return apply(vm, resume, cont, instance);
    }
    let Some(init) = own.special(vm, Special::Init) else {
        return apply(vm, resume, cont, instance);
    };
    if let Some(f) = init.cast::<Function>()
        && cont.kind == ContKind::Plain
        && cont.consumer == Consumer::Store
    {
        let init_cont = cont.kind(ContKind::Init).with(instance, Value::NONE);
        return with_first(vm, instance, args, |args| push_function(vm, resume, f, args, init_cont));
    }
    let r = with_first(vm, instance, args, |args| vm.call_special_method(init, args))?;
    check_init_result(vm, r)?;
    apply(vm, resume, cont, instance)
}

pub(super) fn check_init_result(vm: &Vm, v: Value) -> R<()> {
    if v.is_none() {
        return Ok(());
    }
    Err(vm.type_error(format!("__init__() should return None, not '{}'", vm.type_name(v))))
}

/// Pushes a frame of a Python function behind the running one.
pub fn push_function(vm: &Vm, resume: At, f: Ref<Function>, args: Args<'_>, cont: Cont) -> R<At> {
    let code = f.code();
    // SAFETY: a function's code is loaded.
    let exec = unsafe { &*code.exec() };
    let (base, side) = make_room(vm, resume.base, exec.frame_bytes as usize)?;
    // SAFETY: `make_room` has found room for the record, the head and the registers.
    unsafe {
        cont.write(base);
        *base.sub(4) = f.value();
        *base.sub(3) = code.value();
        *base.sub(2).cast::<u64>() = tagged(resume.pc, RECORD | side);
        *base.sub(1).cast::<*mut Value>() = resume.base;
    }
    let (all, names) = args.parts();
    if exec.simple_args as usize == all.len() && names.is_none() {
        // SAFETY: parameters are the first registers. Nobody's values lie behind the running frame.
        unsafe { copy_words(all.as_ptr().cast(), base.cast(), all.len()) };
        return Ok(At { pc: exec.entry, base });
    }
    if let Err(e) = super::bind_arguments(vm, f, args, base) {
        if side != 0 {
            leave_side(vm, base);
        }
        return Err(e);
    }
    Ok(At { pc: exec.entry, base })
}

/// A place for a frame behind the frame at `below` (null: at the bottom), and its tag bits.
/// RecursionError, MemoryError.
pub fn make_room(vm: &Vm, below: *mut Value, frame_bytes: usize) -> R<(*mut Value, usize)> {
    let ctx = vm.context();
    let top = if below.is_null() {
        ctx.chunk_start()
    } else {
        // SAFETY: `below` is a frame's base.
        unsafe { below.byte_add((*frame_code(below).exec()).frame_bytes as usize) }
    };
    const HEAD: usize = RECORD_WORDS + FRAME_WORDS;
    // SAFETY: only compared, unless it is below the limit.
    let base = top.wrapping_add(HEAD);
    if base.wrapping_byte_add(frame_bytes) <= ctx.limit.get() {
        return Ok((base, 0));
    }
    let depth = depth_of(vm, below);
    if depth >= vm.recursion_limit.get() {
        return Err(vm.recursion_error("maximum recursion depth exceeded"));
    }
    if base.wrapping_byte_add(frame_bytes) <= ctx.chunk_end() {
        // Only the address that stands for the recursion limit was met.
        set_limit(vm, base, depth);
        let end = base.wrapping_byte_add(frame_bytes);
        if ctx.limit.get() < end {
            ctx.limit.set(end);
            vm.refresh_limit();
        }
        return Ok((base, 0));
    }
    let fits = vm.heap.external_fits(vm.chunks.bytes());
    if !fits || ctx.grow(&vm.chunks, frame_bytes / 8, depth).is_err() {
        return Err(vm.memory_error());
    }
    let base = ctx.chunk_start().wrapping_add(HEAD);
    set_limit(vm, base, depth);
    let end = base.wrapping_byte_add(frame_bytes);
    if ctx.limit.get() < end {
        ctx.limit.set(end);
    }
    vm.refresh_limit();
    ctx.add_side(SideEntry { base, side: Side::Chunk });
    Ok((base, SIDE))
}

/// Lets the limit stand for both the chunk's end and the recursion limit: a frame takes at least
/// its head's words, so that below this address there cannot be too many.
fn set_limit(vm: &Vm, base: *mut Value, depth: usize) {
    let ctx = vm.context();
    let frames = vm.recursion_limit.get().saturating_sub(depth);
    let soft = base.wrapping_add(frames.saturating_mul(FRAME_WORDS).min(1 << 40));
    ctx.limit.set(soft.min(ctx.chunk_end()));
    vm.refresh_limit();
}

/// After a change of the recursion limit, or for a context that begins to run.
pub fn apply_recursion_limit(vm: &Vm) {
    let base = vm.frame.base.get();
    let from = if base.is_null() { vm.context().chunk_start() } else { vm.stack_top() };
    set_limit(vm, from, depth_of(vm, base));
}

/// Frames on the context's stack up to this one.
pub fn depth_of(vm: &Vm, base: *mut Value) -> usize {
    let ctx = vm.context();
    let (start, end) = (ctx.chunk_start(), ctx.chunk_end());
    let mut n = 0;
    let mut frame = base;
    while !frame.is_null() && (start..end).contains(&frame) {
        n += 1;
        // SAFETY: a frame of this context.
        frame = unsafe { caller(frame) }.base;
    }
    n + ctx.chunk_depth()
}

/// Undoes the side entries of a frame that is left.
pub fn leave_side(vm: &Vm, base: *mut Value) {
    let ctx = vm.context();
    while let Some(side) = ctx.last_side(base) {
        ctx.pop_side();
        match side {
            Side::Frame(object) => {
                if let Some(f) = object.cast::<crate::types::frame::FrameObject>() {
                    let unit = f.code().unit_of(vm.frame.pc.get());
                    // Out of memory: the frame object loses its locals, the program goes on.
                    if f.detach(vm, unit).is_err() {
                        vm.pending.take();
                        f.set_base(std::ptr::null_mut());
                    }
                }
            }
            Side::Chunk => {
                let depth = ctx.chunk_depth();
                // SAFETY: the frame's head, read before its chunk is given back.
                let below = unsafe { caller(base) }.base;
                ctx.pop_chunk(&vm.chunks);
                set_limit(vm, below, depth);
            }
        }
    }
}

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
    publish(vm, to);
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
        ContKind::ContextEnd => Ok(vm.hooks.clone().switcher().context_finished(vm, vm.context(), Ok(v))),
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

/// A back edge whose ticks are used up; `at` is the loop head.
pub fn safepoint(vm: &Vm, at: At) -> R<At> {
    vm.ticks.set(TICKS);
    publish(vm, at);
    vm.collect_if_logged();
    if vm.slice.get() > 0 {
        let at = if vm.poll.load(Ordering::Relaxed) != 0 { safepoint_at(vm, at) } else { at };
        return Ok(vm.hooks.clone().switcher().slice_over(vm, at));
    }
    if vm.poll.load(Ordering::Relaxed) == 0 {
        return Ok(at);
    }
    Ok(safepoint_at(vm, at))
}

/// Does what was requested of the running code, then goes on at `at`.
#[cold]
#[inline(never)]
pub fn safepoint_at(vm: &Vm, at: At) -> At {
    publish(vm, at);
    let asked = vm.poll.swap(0, Ordering::Relaxed);
    vm.refresh_limit();
    if asked & poll::FINALIZE != 0 {
        vm.run_finalizers();
    }
    if asked & poll::SIGNAL != 0
        && let Err(e) = (vm.builtin.run_signal_handlers)(vm)
    {
        if asked & poll::SLICE != 0 {
            vm.request(poll::SLICE);
        }
        return or_unwind(vm, Err(e));
    }
    if asked & (poll::SLICE | poll::ASYNC) != 0 {
        return vm.hooks.clone().switcher().slice_over(vm, at);
    }
    at
}

impl Vm {
    /// Calls anything from native code; Python functions run in a nested loop.
    pub fn call(&self, callee: Value, args: &[Value]) -> R<Value> {
        self.call_args(callee, Args::new(args, None))
    }

    /// As [`Vm::call`], with keyword arguments.
    pub fn call_args(&self, callee: Value, args: Args<'_>) -> R<Value> {
        if let Some(native) = callee.cast::<NativeFunction>() {
            self.check_depth()?;
            return match native.receiver.get() {
                Some(receiver) => with_first(self, receiver, args, |args| native.def().invoke(self, args)),
                None => native.def().invoke(self, args),
            };
        }
        self.enter_nested(|resume, cont| call_soft(self, resume, callee, args, cont))
    }

    /// Calls what a type's dictionary had for a special method.
    pub fn call_special_method(&self, f: Value, args: Args<'_>) -> R<Value> {
        if let Some(native) = f.cast::<NativeFunction>()
            && native.receiver.get().is_none()
        {
            self.check_depth()?;
            return native.def().invoke(self, args);
        }
        self.enter_nested(|resume, cont| call_special(self, resume, f, args, cont))
    }

    /// Runs what `push` starts to its end in a nested loop. RecursionError where the native stack
    /// is used up and no other is to be had.
    pub fn enter_nested(&self, push: impl FnOnce(At, Cont) -> R<At>) -> R<Value> {
        if !self.native_stack_low() {
            return self.enter_here(push);
        }
        let mut push = Some(push);
        let mut result = Err(crate::value::Raised);
        self.hooks.clone().switcher().on_new_stack(self, &mut || {
            if let Some(push) = push.take() {
                result = self.enter_here(push);
            }
        })?;
        result
    }

    fn enter_here(&self, push: impl FnOnce(At, Cont) -> R<At>) -> R<Value> {
        let saved = At { pc: self.frame.pc.get(), base: self.frame.base.get() };
        let cont = Cont::new(ContKind::Exit, Consumer::Drop, 0);
        let result = match push(saved, cont) {
            // A native was called at once: there is nothing to run.
            Ok(at) if std::ptr::eq(at.pc, super::dispatch::EXIT.as_ptr()) => Ok(self.exit_result.get()),
            Ok(at) => super::run_nested(self, at),
            Err(e) => Err(e),
        };
        self.frame.pc.set(saved.pc);
        self.frame.base.set(saved.base);
        result
    }
}

const _: () = assert!(NOT_SIMPLE as usize > u16::MAX as usize);
