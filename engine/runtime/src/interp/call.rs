//! Calls: pushing frames, binding arguments, calling natives and types.

use crate::context::{FRAME_WORDS, RECORD, SIDE};
use crate::interp::cont::{return_word, tagged};
use crate::interp::result::apply;
use crate::interp::safepoint::safepoint_at;
use crate::interp::stack::{leave_side, make_room};
use crate::interp::{At, Consumer, Cont, ContKind, copy_words, or_unwind, publish};
use crate::native::{Args, NativeDef, SoftFn};
use crate::object::{Kind, Ref};
use crate::types::code::NOT_SIMPLE;
use crate::types::dict::Dict;
use crate::types::exception::Exception;
use crate::types::function::{BoundMethod, Function};
use crate::types::int::decimal_str;
use crate::types::list::List;
use crate::types::native::NativeFunction;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::{Type, type_flags};
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
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
        self.go_on(vm, Err(Raised))
    }

    /// The call of a native that has no soft form, or not for these arguments.
    pub fn natively(&self, vm: &Vm, def: &'static NativeDef) -> At {
        match def.invoke(vm, self.args) {
            Ok(v) => self.done(vm, v),
            Err(Raised) => self.raised(vm),
        }
    }

    /// The call was of a `__next__`, and there are no more items.
    pub fn ended(&self, vm: &Vm) -> At {
        if self.cont.kind == ContKind::ForNext {
            return self.resume.jump(self.cont.jump);
        }
        vm.stop_iteration(Value::NONE);
        self.raised(vm)
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
                    return vm.switcher().context_finished(vm, vm.context(), Err(Raised));
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
    if let Some(f) = callee.cast::<Function>()
        && let Some(r) = enter_window(vm, at, w, f, Args::new(at.row(first, n), None), resume)
    {
        return or_unwind(vm, r);
    }
    if let Some(native) = callee.cast::<NativeFunction>() {
        let def = native.def();
        let row = match native.receiver.get() {
            None => at.row(first, n),
            Some(receiver) => {
                at.set(first - 1, receiver);
                at.row(first - 1, n + 1)
            }
        };
        if let Some(soft) = def.soft {
            return soft(vm, &SoftCall { args: Args::new(row, None), resume, cont: Cont::store(w) });
        }
        return match def.call_row(vm, row) {
            Ok(v) => {
                at.set(w, v);
                resume
            }
            Err(e) => or_unwind(vm, Err(e)),
        };
    }
    if n == 1 && callee.is(vm.types.type_.value()) {
        at.set(w, vm.type_of(at.reg(first)).value());
        return resume;
    }
    let r = call_soft(vm, resume, callee, Args::new(at.row(first, n), None), Cont::store(w));
    or_unwind(vm, r)
}

pub fn call_kw(vm: &Vm, at: At) -> R<At> {
    let w = at.window();
    call_row_kw(vm, at, w, at.row(w + FRAME_WORDS, at.b()))
}

pub fn call_method_kw(vm: &Vm, at: At) -> R<At> {
    let w = at.window();
    call_row_kw(vm, at, w, method_args(at, w))
}

fn call_row_kw(vm: &Vm, at: At, w: usize, row: &[Value]) -> R<At> {
    let args = Args::new(row, at.extra_value().cast());
    let (callee, resume) = (at.reg(w), at.skip(2));
    if let Some(f) = callee.cast::<Function>()
        && let Some(r) = enter_window(vm, at, w, f, args, resume)
    {
        return r;
    }
    call_soft(vm, resume, callee, args, Cont::store(w))
}

/// Arguments that a call which has to bind them takes to the callee's frame itself.
const MOST: usize = 8;

/// Enters a function whose arguments have to be bound, with its frame on the window: so its return needs no record.
/// None: there is no room, or too many arguments for this way.
#[inline]
fn enter_window(vm: &Vm, at: At, w: usize, f: Ref<Function>, args: Args<'_>, resume: At) -> Option<R<At>> {
    let (row, names) = args.parts();
    let code = f.code();
    let exec = code.exec();
    // SAFETY: the frame's head stands in the window.
    let base = unsafe { at.base.add(w + FRAME_WORDS) };
    if row.len() > MOST || base.wrapping_byte_add(exec.frame_bytes as usize) > vm.limit.get() {
        return None;
    }
    // The parameters take the arguments' place.
    let mut copy = [Value::UNBOUND; MOST];
    copy[..row.len()].copy_from_slice(row);
    if let Err(e) = super::bind_arguments(vm, f, Args::new(&copy[..row.len()], names), base) {
        return Some(Err(e));
    }
    // SAFETY: as above.
    unsafe {
        *base.sub(3) = exec.code().value();
        *base.sub(2).cast::<*const u32>() = resume.pc;
        *base.sub(1).cast::<*mut Value>() = at.base;
    }
    Some(Ok(At { pc: exec.start(), base }))
}

pub fn call_ex(vm: &Vm, at: At) -> R<At> {
    let w = at.window();
    let callee = at.reg(w);
    let positional = at.reg(w + FRAME_WORDS);
    let (tuple, list);
    let items = match positional.cast::<Tuple>() {
        Some(t) => {
            tuple = t;
            tuple.items()
        }
        None => {
            list = vm.list_from_iterable_for_call(positional, callee)?;
            // It keeps the values alive; nobody else has it, so that its items stay in place.
            at.set(w + FRAME_WORDS, list.value());
            list.items()
        }
    };
    let keywords = at.reg(w + FRAME_WORDS + 1);
    if keywords.is_unbound() {
        return call_unpacked(vm, at, w, callee, Args::new(items, None));
    }
    let Some(dict) = keywords.cast::<Dict>() else {
        return Err(vm.type_error(format!(
            "{} argument after ** must be a mapping, not {}",
            vm.callable_text(callee),
            vm.type_name(keywords)
        )));
    };
    let n = items.len() + dict.len();
    if n > MOST {
        let row = List::new(vm, items)?;
        let names = add_keywords(vm, row, dict)?;
        return call_unpacked(vm, at, w, callee, Args::new(row.items(), Some(names)));
    }
    let mut row = [Value::UNBOUND; MOST];
    let mut names = [Value::UNBOUND; MOST];
    row[..items.len()].copy_from_slice(items);
    for (i, (k, v)) in dict.iter().enumerate() {
        if k.cast::<Str>().is_none() {
            return Err(vm.type_error("keywords must be strings"));
        }
        (names[i], row[items.len() + i]) = (k, v);
    }
    let names = Tuple::new(vm, &names[..dict.len()])?;
    call_unpacked(vm, at, w, callee, Args::new(&row[..n], Some(names)))
}

fn call_unpacked(vm: &Vm, at: At, w: usize, callee: Value, args: Args<'_>) -> R<At> {
    if let Some(f) = callee.cast::<Function>()
        && let Some(r) = enter_window(vm, at, w, f, args, at.skip(1))
    {
        return r;
    }
    call_soft(vm, at.skip(1), callee, args, Cont::store(w))
}

/// Adds the values of arguments by name to a row of arguments: their names. TypeError, MemoryError.
pub fn add_keywords(vm: &Vm, row: Ref<List>, keywords: Ref<Dict>) -> R<Ref<Tuple>> {
    let names = List::with_capacity(vm, keywords.len())?;
    for (k, v) in keywords.iter() {
        if k.cast::<Str>().is_none() {
            return Err(vm.type_error("keywords must be strings"));
        }
        names.push(vm, k)?;
        row.push(vm, v)?;
    }
    Tuple::new(vm, names.items())
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
            if method.function.cast::<BoundMethod>().is_some() {
                vm.check_depth()?;
            }
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

/// The native that a type's dictionary had for a special method, if it can be called at once.
#[inline(always)]
pub fn plain_native(f: Value) -> Option<&'static NativeDef> {
    let native = f.cast::<NativeFunction>()?;
    (native.receiver.get().is_none() && native.def().soft.is_none()).then(|| native.def())
}

/// The form that runs Python code in the loop at hand, of a native that a type's dictionary had for a special method.
pub fn soft_native(f: Value) -> Option<SoftFn> {
    let native = f.cast::<NativeFunction>().filter(|n| n.receiver.get().is_none())?;
    native.def().soft
}

/// Calls what a type's dictionary had for a special method; the receiver is the first argument.
pub fn call_special(vm: &Vm, resume: At, f: Value, args: Args<'_>, cont: Cont) -> R<At> {
    match f.header().map(|h| h.kind.get()) {
        Some(k) if k == Kind::Function as u8 => call_soft(vm, resume, f, args, cont),
        Some(k) if k == Kind::Native as u8 => {
            // One that has a receiver of its own takes no other.
            let bound = f.cast::<NativeFunction>().is_some_and(|n| n.receiver.get().is_some());
            call_soft(vm, resume, f, if bound { args.rest() } else { args }, cont)
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

/// StopIteration for a native `__next__` that has ended.
#[inline(always)]
pub(super) fn no_stop(vm: &Vm, r: R<Value>) -> R<Value> {
    match r {
        Ok(v) if v.is_unbound() => Err(vm.stop_iteration(Value::NONE)),
        r => r,
    }
}

/// As [`call_special`] with the receiver alone: a native is called at once.
#[inline]
pub fn call_special_1(vm: &Vm, resume: At, f: Value, a: Value, cont: Cont) -> R<At> {
    match plain_native(f) {
        Some(def) => apply(vm, resume, cont, no_stop(vm, def.call_1(vm, a))?),
        None => call_special(vm, resume, f, Args::new(&[a], None), cont),
    }
}

/// As [`call_special_1`], with one argument more.
#[inline]
pub fn call_special_2(vm: &Vm, resume: At, f: Value, a: Value, b: Value, cont: Cont) -> R<At> {
    match plain_native(f) {
        Some(def) => apply(vm, resume, cont, no_stop(vm, def.call_2(vm, a, b))?),
        None => call_special(vm, resume, f, Args::new(&[a, b], None), cont),
    }
}

/// As [`call_special_1`], with two arguments more.
#[inline]
pub fn call_special_3(vm: &Vm, resume: At, f: Value, row: [Value; 3], cont: Cont) -> R<At> {
    let [a, b, c] = row;
    match plain_native(f) {
        Some(def) => apply(vm, resume, cont, no_stop(vm, def.call_3(vm, a, b, c))?),
        None => call_special(vm, resume, f, Args::new(&row, None), cont),
    }
}

fn not_callable(vm: &Vm, callee: Value) -> Raised {
    // A module is often meant to be what it has under its own name.
    let inner = || {
        let module = callee.cast::<crate::types::module::Module>()?;
        let name = module.dict().get_name(vm, "__name__").ok().flatten()?.cast::<Str>()?;
        let found = module.dict().get_str(vm, vm.intern(&name.to_string_lossy()).ok()?).ok().flatten()?;
        vm.is_callable(found).then(|| name.to_string_lossy().into_owned())
    };
    let hint = inner().map(|name| format!(". Did you mean: '{name}.{name}(...)'?")).unwrap_or_default();
    vm.type_error(format!("'{}' object is not callable{hint}", vm.type_name(callee)))
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

/// What the commonest builtin types make of one simple value; None: the general way.
pub fn converted(vm: &Vm, ty: Ref<Type>, v: Value) -> R<Option<Value>> {
    let t = &vm.types;
    if ty == t.type_ {
        return Ok(Some(vm.type_of(v).value()));
    }
    if ty == t.str {
        return match v.is_int() {
            true => Ok(Some(decimal_str(vm, v.as_small_int())?.value())),
            false => Ok(vm.is_exact_str(v).then_some(v)),
        };
    }
    if ty == t.int {
        return Ok(match vm.is_exact_str(v) {
            // SAFETY: it is a string.
            true => small_decimal(unsafe { v.cast_unchecked::<Str>() }.bytes()).map(Value::small_int),
            false => v.is_int().then_some(v),
        });
    }
    if ty == t.float {
        if v.is_int() && v.as_small_int().unsigned_abs() <= 1 << 53 {
            return vm.float(v.as_small_int() as f64).map(Some);
        }
        return Ok(v.is_float().then_some(v));
    }
    if ty == t.bool && (v.is_int() || v.is_bool() || v.is_none()) {
        return Ok(Some(Value::bool(v.is(Value::TRUE) || v.is_int() && v.as_small_int() != 0)));
    }
    Ok(None)
}

/// The number that some plain digits stand for.
pub fn small_decimal(text: &[u8]) -> Option<i64> {
    /// That many fit a word.
    const MOST: usize = 18;
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if !(1..=MOST).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let n = digits.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0'));
    Some(if digits.len() < text.len() { -n } else { n })
}

/// `type.__call__`: `__new__`, then `__init__`.
pub fn construct(vm: &Vm, resume: At, ty: Ref<Type>, args: Args<'_>, cont: Cont) -> R<At> {
    if let &[v] = args.positional()
        && !args.has_keywords()
        && let Some(made) = converted(vm, ty, v)?
    {
        return apply(vm, resume, cont, made);
    }
    let Some(new) = ty.special(vm, Special::New) else {
        return Err(vm.type_error(format!("cannot create '{}' instances", ty.name_string())));
    };
    let new = vm.unwrap_static(new);
    let init = ty.special(vm, Special::Init);
    // Whose own checks `object.__new__` makes, or nobody.
    let bare = init.is_some_and(|f| f.is(vm.object_init()));
    if new.is(vm.object_new()) {
        let none = args.positional().is_empty() && !args.has_keywords();
        if bare && none && ty.has_flag(type_flags::HEAP) && ty.instance_kind() == Kind::Instance as u8 {
            return apply(vm, resume, cont, vm.new_instance(ty)?);
        }
        if let Some(f) = init.and_then(|f| f.cast::<Function>())
            && !ty.has_flag(type_flags::ABSTRACT)
            && cont.consumer == Consumer::Store
            && cont.kind == ContKind::Plain
        {
            let instance = vm.new_instance(ty)?;
            let init_cont = cont.kind(ContKind::Init).with(instance, Value::NONE);
            return push_method(vm, resume, f, instance, args, init_cont);
        }
    }
    if vm.known.is_exception_new(new)
        && init.is_some_and(|f| vm.known.is_exception_init(f))
        && !args.has_keywords()
    {
        // `__init__` would only set what is set already.
        let e = Exception::new(vm, ty, args.positional())?;
        if ty.has_flag(type_flags::HAS_DEL) {
            vm.heap.register_finalizer(e.header());
        }
        return apply(vm, resume, cont, e.value());
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
        if bare && !new.is(vm.object_new()) && vm.type_of(instance) == ty {
            return apply(vm, resume, cont, instance);
        }
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

pub(super) fn init_instance(
    vm: &Vm,
    resume: At,
    ty: Ref<Type>,
    instance: Value,
    args: Args<'_>,
    cont: Cont,
) -> R<At> {
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
        return push_method(vm, resume, f, instance, args, init_cont);
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

/// As [`push_function`], with one more argument in front.
fn push_method(vm: &Vm, resume: At, f: Ref<Function>, first: Value, args: Args<'_>, cont: Cont) -> R<At> {
    let (all, names) = args.parts();
    let code = f.code();
    let exec = code.exec();
    if names.is_some() || exec.simple_args as usize != all.len() + 1 {
        return with_first(vm, first, args, |args| push_function(vm, resume, f, args, cont));
    }
    let at = push_head(vm, resume, f, cont)?;
    at.set(0, first);
    // SAFETY: parameters are the first registers. Nobody's values lie behind the running frame.
    unsafe { copy_words(all.as_ptr().cast(), at.base.add(1).cast(), all.len()) };
    Ok(at)
}

/// Puts the head of a function's frame behind the running one: its first instruction and its registers, of which
/// none is set. RecursionError, MemoryError.
#[inline(always)]
fn push_head(vm: &Vm, resume: At, f: Ref<Function>, cont: Cont) -> R<At> {
    let code = f.code();
    let exec = code.exec();
    let (base, side) = make_room(vm, resume.base, exec.frame_bytes as usize)?;
    // SAFETY: `make_room` has found room for the record, the head and the registers.
    unsafe {
        cont.write(base);
        *base.sub(4) = f.value();
        *base.sub(3) = code.value();
        *base.sub(2).cast::<u64>() = tagged(resume.pc, RECORD | side);
        *base.sub(1).cast::<*mut Value>() = resume.base;
    }
    Ok(At { pc: exec.start(), base })
}

/// Pushes a frame of a Python function behind the running one.
pub fn push_function(vm: &Vm, resume: At, f: Ref<Function>, args: Args<'_>, cont: Cont) -> R<At> {
    let at = push_head(vm, resume, f, cont)?;
    let base = at.base;
    let code = f.code();
    let exec = code.exec();
    // SAFETY: the head that was just written has the tags.
    let side = unsafe { return_word(base) & SIDE };
    let (all, names) = args.parts();
    if exec.simple_args as usize == all.len() && names.is_none() {
        // SAFETY: parameters are the first registers. Nobody's values lie behind the running frame.
        unsafe { copy_words(all.as_ptr().cast(), base.cast(), all.len()) };
        return Ok(at);
    }
    if let Err(e) = super::bind_arguments(vm, f, args, base) {
        if side != 0 {
            leave_side(vm, base);
        }
        return Err(e);
    }
    Ok(at)
}

const _: () = assert!(NOT_SIMPLE as usize > u16::MAX as usize);
