//! Calls of Python functions, whose frames the trace only thinks of, and returns from them.

use super::made::{starts_generator, takes};
use super::memory::{function_of, shape_of};
use super::{Abort, Frame, FrameKind, MAX_RECURSION, Recorder, Step};
use crate::ir::{self, Id, Place, TraceOp};
use skein_bytecode::{Op, Special, flags};
use skein_runtime::context::FRAME_WORDS;
use skein_runtime::interp::WANTED;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::function::{
    BoundMethod, FUNCTION_DEFAULTS, FUNCTION_EXEC, FUNCTION_KWDEFAULTS, Function,
};
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type as Class;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;

/// What a parameter gets in a call.
enum Bound {
    /// The argument of this number.
    Argument(usize),
    Default(Value),
    /// The default of the keyword-only parameter of this name.
    KeywordDefault(Value),
    /// A tuple of the arguments from this number on.
    Rest(std::ops::Range<usize>),
    /// A dict of these names and the arguments of these numbers.
    Keywords(Vec<(Value, usize)>),
}

/// Which argument each parameter gets, in the order of the parameters' registers. None: the call is none that the
/// recorder follows.
fn bound_arguments(f: Ref<Function>, n: usize, names: Option<Ref<Tuple>>) -> Option<Vec<Bound>> {
    /// The interpreter takes longer calls another way.
    const MOST: usize = 8;
    if names.is_none() && takes(f, n) {
        return Some((0..n).map(Bound::Argument).collect());
    }
    let code = f.code();
    let portable = code.portable();
    let names = names.as_ref().map_or(&[][..], |t| t.items());
    let given = n.checked_sub(names.len())?;
    let (npos, total) = (portable.arg_count as usize, (portable.arg_count + portable.kwonly_count) as usize);
    let [has_rest, has_keywords] =
        [flags::VARARGS, flags::VARKEYWORDS].map(|flag| portable.flags & flag != 0);
    if n > MOST || given > npos && !has_rest {
        return None;
    }
    let positional = given.min(npos);
    let mut bound: Vec<Option<Bound>> =
        (0..total).map(|i| (i < positional).then_some(Bound::Argument(i))).collect();
    let mut others = Vec::new();
    // By their text: to ask for the parameters' names as objects may make these.
    let parameters = &portable.locals[..total];
    let positional_only = portable.posonly_count as usize;
    for (i, name) in names.iter().enumerate() {
        let text = name.cast::<Str>()?;
        let at = parameters[positional_only..].iter().position(|p| p.name.as_bytes() == text.bytes());
        match at {
            Some(at) if bound[positional_only + at].is_none() => {
                bound[positional_only + at] = Some(Bound::Argument(given + i));
            }
            None if has_keywords && text.is_interned() => others.push((*name, given + i)),
            _ => return None,
        }
    }
    let defaults = f.defaults.cast::<Tuple>();
    let defaults = defaults.as_ref().map_or(&[][..], |t| t.items());
    let of_keyword = f.kwdefaults.cast::<Dict>();
    let default = |i: usize| {
        if i < npos {
            return defaults.get((i + defaults.len()).checked_sub(npos)?).map(|v| Bound::Default(*v));
        }
        let name =
            names_of_defaults(of_keyword?).find(|name| name.bytes() == parameters[i].name.as_bytes())?;
        Some(Bound::KeywordDefault(name.value()))
    };
    let all = bound.into_iter().enumerate();
    let mut all: Vec<Bound> = all.map(|(i, b)| b.or_else(|| default(i))).collect::<Option<_>>()?;
    if has_rest {
        all.push(Bound::Rest(positional..given));
    }
    if has_keywords {
        all.push(Bound::Keywords(others));
    }
    Some(all)
}

/// The keys of a function's dict of defaults, which are strings unless somebody has put others there.
fn names_of_defaults(defaults: Ref<Dict>) -> impl Iterator<Item = Ref<Str>> {
    (0..defaults.fill()).filter_map(move |i| defaults.entry(i)?.0.cast::<Str>())
}

impl Recorder {
    /// The function in a register, known by its code from now on.
    pub(super) fn guard_function(&mut self, vm: &Vm, id: Id, f: Ref<Function>) -> Id {
        let id = if self.tree.constant(id).is_some() {
            id
        } else {
            self.guard_shape(id, vm.types.function.root_shape_id())
        };
        let exec = self.emit(TraceOp::LoadRaw, &[id], Place::new(ir::Class::Function, FUNCTION_EXEC).imm());
        self.emit(TraceOp::GuardRaw, &[exec], f.exec() as u64);
        self.roots.push(f.code().value());
        id
    }

    /// `Call` and `CallMethod`.
    pub(super) fn call(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let w = at.window();
        let callee = at.reg(w);
        let first = w + FRAME_WORDS;
        // Arguments from this register on.
        let (from, n) = match op {
            Op::CallMethod if at.reg(first).is_unbound() => (first + 1, at.b()),
            Op::CallMethod => (first, at.b() + 1),
            _ => (first, at.b()),
        };
        if let Some(ty) = callee.cast::<Class>() {
            if ty == vm.types.range && op == Op::Call {
                let callee = self.reg(w);
                if let Some(range) = self.call_range(vm, from, n) {
                    self.guard_is(callee, ty.value());
                    self.forget_from(self.base() + w as i32 + 1);
                    self.set(w, range);
                    return self.next(1);
                }
            }
            if n == 1 && op == Op::Call && (ty == vm.types.int || ty == vm.types.float) {
                let operand = (self.reg(from), at.reg(from));
                if let Some(number) = self.call_number(vm, ty, w, operand) {
                    self.forget_from(self.base() + w as i32 + 1);
                    self.set(w, number);
                    return self.next(1);
                }
            }
            return self.instantiate(vm, op, ty, w, from, n);
        }
        if let Some(native) = callee.cast::<NativeFunction>() {
            return self.native_call(vm, op, native, w, from, n);
        }
        if let Some(method) = callee.cast::<BoundMethod>() {
            return self.call_bound(vm, op, method, w, from, n);
        }
        let called = vm.type_of(callee).special(vm, Special::Call).and_then(|f| f.cast::<Function>());
        if let Some(f) = called
            && !starts_generator(f)
            && self.calls_through(f)?
        {
            return self.call_through();
        }
        self.call_function(vm, op, w, from, n, None)
    }

    /// `CallKw` and `CallMethodKw`, of Python functions.
    pub(super) fn call_keywords(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let first = at.window() + FRAME_WORDS;
        let (from, n) = match op {
            Op::CallMethodKw if at.reg(first).is_unbound() => (first + 1, at.b()),
            Op::CallMethodKw => (first, at.b() + 1),
            _ => (first, at.b()),
        };
        let names = at.extra_value().cast::<Tuple>();
        self.call_function(vm, op, at.window(), from, n, names)
    }

    /// Which way of passing the receiver a method call has.
    pub(super) fn guard_receiver(&mut self, op: Op, w: usize, from: usize) {
        if !matches!(op, Op::CallMethod | Op::CallMethodKw) {
            return;
        }
        let first = w + FRAME_WORDS;
        let receiver = self.reg(first);
        if from == first {
            self.guard_is_not(receiver, Value::UNBOUND.bits());
        } else {
            self.guard_is(receiver, Value::UNBOUND);
        }
    }

    /// A call of a plain function in the register `w`, with `n` arguments from `from` on.
    fn call_function(
        &mut self,
        vm: &Vm,
        op: Op,
        w: usize,
        from: usize,
        n: usize,
        names: Option<Ref<Tuple>>,
    ) -> Step {
        let at = self.at;
        let callee = at.reg(w);
        let plain = shape_of(callee) == Some(vm.types.function.root_shape_id());
        let Some(f) = function_of(callee).filter(|f| plain && !starts_generator(*f)) else {
            return self.help(op);
        };
        let through = self.calls_through(f)?;
        let Some(bound) = bound_arguments(f, n, names) else {
            return if through { self.call_through() } else { self.help(op) };
        };
        let code = f.code();
        let exit = self.exit();
        let id = self.reg(w);
        let id = self.guard_function(vm, id, f);
        let base = self.base();
        self.guard_receiver(op, w, from);
        if let Some(defaults) =
            f.defaults.get().filter(|_| bound.iter().any(|b| matches!(b, Bound::Default(_))))
        {
            let place = Place::new(ir::Class::Function, FUNCTION_DEFAULTS);
            let now = self.emit(TraceOp::LoadField, &[id], place.imm());
            self.guard_is(now, defaults);
        }
        let mut args = Vec::with_capacity(bound.len());
        for b in bound {
            args.push(match b {
                Bound::Argument(i) => self.reg(from + i),
                Bound::Default(v) => self.value(v),
                Bound::Rest(all) => {
                    let items: Vec<Id> = all.map(|i| self.reg(from + i)).collect();
                    self.new_tuple(vm, &items)
                }
                Bound::KeywordDefault(name) => match self.keyword_default(vm, f, id, name) {
                    Some(default) => default,
                    None => return self.help(op),
                },
                Bound::Keywords(all) => match self.keyword_dict(vm, from, &all) {
                    Some(dict) => dict,
                    None => return self.help(op),
                },
            });
        }
        self.set(w, id);
        self.forget_from(base + w as i32 + 1);
        let callee_base = base + (w + FRAME_WORDS) as i32;
        for (i, arg) in args.into_iter().enumerate() {
            self.slots.insert(callee_base + i as i32, super::Slot { id: arg, dirty: true });
        }
        let units = if matches!(op, Op::CallKw | Op::CallMethodKw) { 2 } else { 1 };
        let return_pc = at.skip(units).pc as usize;
        let kind = FrameKind::Window { return_pc, in_memory: false };
        self.push_frame(Frame { base: callee_base, code, kind })?;
        self.clobbered_from = self.clobbered_from.min(callee_base - 3);
        if through {
            return self.enter_called(f, exit);
        }
        // SAFETY: a function's code is loaded.
        self.go(unsafe { (*f.exec()).start() });
        Ok(())
    }

    /// The default of a keyword-only parameter, as it is in the function's dict of them when the trace runs.
    fn keyword_default(&mut self, vm: &Vm, f: Ref<Function>, function: Id, name: Value) -> Option<Id> {
        let defaults = f.kwdefaults.get()?;
        let get = vm.types.dict.lookup(vm, vm.names.get)?.cast::<NativeFunction>()?;
        let place = Place::new(ir::Class::Function, FUNCTION_KWDEFAULTS);
        let dict = self.emit(TraceOp::LoadField, &[function], place.imm());
        let dict = self.guard_is(dict, defaults);
        let missing = Value::UNBOUND;
        let operands = [(dict, defaults), (self.value(name), name), (self.value(missing), missing)];
        let default = self.leaf_call(vm, get.def(), &operands)?;
        self.guard_is_not(default, missing.bits());
        Some(default)
    }

    /// A dict of names and arguments.
    fn keyword_dict(&mut self, vm: &Vm, from: usize, all: &[(Value, usize)]) -> Option<Id> {
        let at = self.at;
        let items: Vec<_> = all
            .iter()
            .map(|(name, i)| ((self.value(*name), *name), (self.reg(from + i), at.reg(from + i))))
            .collect();
        self.new_dict(vm, &items)
    }

    /// Is the function called, instead of followed into? An error: it has to have a trace of its own first.
    pub(super) fn calls_through(&mut self, f: Ref<Function>) -> Result<bool, Abort> {
        let code = f.code();
        // SAFETY: a function's code is loaded.
        let (head, trace) = unsafe { ((*f.exec()).before_entry() as usize, (*f.exec()).trace()) };
        if self.rich.borrow().contains(&head) || self.is_function && self.frames[0].code == code {
            return Ok(true);
        }
        match self.frames.iter().filter(|f| f.code == code).count() {
            0 => Ok(false),
            // Each call may go on as deep again: to follow some would give many ways through for little.
            _ if trace.is_some_and(|n| n as usize != WANTED) => Ok(true),
            n => {
                self.wanted = Some(code.value());
                if n > MAX_RECURSION { Err(Abort::Deep) } else { Ok(false) }
            }
        }
    }

    /// A frame whose head is in memory must still return where it did: there is a tag if somebody looks at it.
    pub(super) fn guard_return(&mut self, frame: Frame, word: u64) {
        let id = self.emit(TraceOp::ReloadReg, &[], i64::from(frame.base - 2) as u64);
        let raw = self.emit(TraceOp::ToRaw, &[id], 0);
        self.emit(TraceOp::GuardRaw, &[raw], word);
    }

    pub(super) fn ret(&mut self) -> Step {
        let frame = self.frame();
        match frame.kind {
            FrameKind::Root => {
                self.leave();
                Ok(())
            }
            FrameKind::Machine { .. } => self.help(Op::Return),
            FrameKind::Made(made) => self.ret_made(frame, made),
            FrameKind::Window { return_pc, in_memory } => {
                let v = self.reg(self.at.a());
                if in_memory {
                    // SAFETY: a frame's head precedes its registers.
                    let word = unsafe { *self.at.base.sub(2).cast::<usize>() };
                    if word != return_pc {
                        return self.help(Op::Return);
                    }
                    self.guard_return(frame, return_pc as u64);
                }
                self.frames.pop();
                self.frame_set = None;
                let result = frame.base - FRAME_WORDS as i32;
                self.forget_from(result);
                self.slots.insert(result, super::Slot { id: v, dirty: true });
                self.go(return_pc as *const u32);
                Ok(())
            }
        }
    }
}
