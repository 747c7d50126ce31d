//! Calls of Python functions, whose frames the trace only thinks of, and returns from them.

use super::contexts::runs_in_context;
use super::generators::can_be_made;
use super::made::{makes_generator, starts_generator, takes};
use super::memory::{function_of, shape_of};
use super::{Abort, Frame, FrameKind, MAX_RECURSION, Recorder, Step};
use crate::ir::{self, Id, Place, TraceOp};
use skein_bytecode::{Op, flags};
use skein_runtime::context::FRAME_WORDS;
use skein_runtime::interp::WANTED;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::function::{
    BoundMethod, FUNCTION_DEFAULTS, FUNCTION_EXEC, FUNCTION_KWDEFAULTS, Function,
};
use skein_runtime::types::list::List;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type as Class;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;

/// Arguments of calls that are followed: the interpreter takes longer ones another way.
const MOST: usize = 8;

/// A call's instruction.
pub(super) struct Call {
    pub op: Op,
    /// The window's first register, and that of the first argument.
    pub w: usize,
    pub from: usize,
    /// Names of the last arguments.
    pub names: Vec<Value>,
    pub units: u8,
}

/// What a parameter gets in a call.
pub(super) enum Bound {
    /// The argument of this number.
    Argument(usize),
    /// The default of this number.
    Default(usize, Value),
    /// The default of the keyword-only parameter of this name.
    KeywordDefault(Value),
    /// A tuple of the arguments from this number on.
    Rest(std::ops::Range<usize>),
    /// A dict of these names and the arguments of these numbers.
    Keywords(Vec<(Value, usize)>),
}

/// Which argument each parameter gets, in the order of the parameters' registers. None: the call is none that the
/// recorder follows.
pub(super) fn bound_arguments(f: Ref<Function>, n: usize, names: &[Value]) -> Option<Vec<Bound>> {
    if names.is_empty() && takes(f, n) {
        return Some((0..n).map(Bound::Argument).collect());
    }
    let code = f.code();
    let portable = code.portable();
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
            let number = (i + defaults.len()).checked_sub(npos)?;
            return defaults.get(number).map(|v| Bound::Default(number, *v));
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

    /// `Call` and `CallMethod`, `CallKw` and `CallMethodKw`.
    pub(super) fn call(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let w = at.window();
        let callee = at.reg(w);
        let first = w + FRAME_WORDS;
        // Arguments from this register on.
        let (from, n) = match op {
            Op::CallMethod | Op::CallMethodKw if at.reg(first).is_unbound() => (first + 1, at.b()),
            Op::CallMethod | Op::CallMethodKw => (first, at.b() + 1),
            _ => (first, at.b()),
        };
        let given: Vec<(Id, Value)> = (from..from + n).map(|i| (self.reg(i), at.reg(i))).collect();
        if matches!(op, Op::CallKw | Op::CallMethodKw) {
            let names = at.extra_value().cast::<Tuple>().map_or(Vec::new(), |t| t.items().to_vec());
            let call = Call { op, w, from, names, units: 2 };
            return self.call_python(vm, call, given);
        }
        let call = Call { op, w, from, names: Vec::new(), units: 1 };
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
            if n == 1 && op == Op::Call && ty == vm.types.type_ {
                // The type goes with the shape.
                let (callee, operand) = (self.reg(w), self.reg(from));
                self.guard_is(callee, ty.value());
                self.guard_type(operand, at.reg(from));
                let class = self.value(vm.type_of(at.reg(from)).value());
                self.forget_from(self.base() + w as i32 + 1);
                self.set(w, class);
                return self.next(1);
            }
            let t = &vm.types;
            if n == 1 && op == Op::Call && [t.int, t.float, t.str].contains(&ty) {
                let operand = (self.reg(from), at.reg(from));
                if let Some(number) = self.call_number(vm, ty, w, operand) {
                    self.forget_from(self.base() + w as i32 + 1);
                    self.set(w, number);
                    return self.next(1);
                }
            }
            return self.instantiate(vm, call, ty, given);
        }
        if let Some(native) = callee.cast::<NativeFunction>() {
            return self.native_call(vm, op, native, w, from, n);
        }
        self.call_python(vm, call, given)
    }

    /// `CallEx` of a row of few arguments, and of a dict of few with names.
    pub(super) fn call_unpacked(&mut self, vm: &Vm) -> Step {
        let (at, op) = (self.at, Op::CallEx);
        let w = at.window();
        let (positional, keywords) = (at.reg(w + FRAME_WORDS), at.reg(w + FRAME_WORDS + 1));
        let dict = keywords.cast::<Dict>();
        let plain =
            |d: &Ref<Dict>| shape_of(keywords) == Some(vm.types.dict.root_shape_id()) && d.fill() == d.len();
        if !keywords.is_unbound() && !dict.is_some_and(|d| plain(&d)) {
            return self.help(op);
        }
        let values = match (positional.cast::<Tuple>(), positional.cast::<List>()) {
            (Some(t), _) => t.items().to_vec(),
            (_, Some(l)) => l.items().to_vec(),
            _ => return self.help(op),
        };
        let native = at.reg(w).cast::<NativeFunction>();
        if values.len() + dict.map_or(0, |d| d.len()) > MOST || native.is_some_and(|n| !runs_in_context(n)) {
            return self.help(op);
        }
        let row = (self.reg(w + FRAME_WORDS), positional);
        let Some(row) = self.items_of_row(vm, row, MOST) else { return self.help(op) };
        let mut given: Vec<(Id, Value)> = row.into_iter().zip(values).collect();
        let mut names = Vec::new();
        let id = self.reg(w + FRAME_WORDS + 1);
        match dict {
            None => drop(self.guard_is(id, Value::UNBOUND)),
            Some(dict) => {
                let Some(all) = self.dict_of_names(vm, (id, keywords), dict) else { return self.help(op) };
                for (name, value) in all {
                    names.push(name);
                    given.push(value);
                }
            }
        }
        let call = Call { op, w, from: w + FRAME_WORDS, names, units: 1 };
        match native {
            Some(native) => self.run_in_context(vm, call, native, given).unwrap_or_else(|| self.help(op)),
            None => self.call_python(vm, call, given),
        }
    }

    /// A call of something of Python's.
    fn call_python(&mut self, vm: &Vm, call: Call, given: Vec<(Id, Value)>) -> Step {
        let callee = self.at.reg(call.w);
        match (callee.cast::<Class>(), callee.cast::<BoundMethod>()) {
            (Some(ty), _) => self.instantiate(vm, call, ty, given),
            (_, Some(method)) => self.call_bound(vm, call, method, given),
            _ => match self.called_method(vm, callee).filter(|f| !starts_generator(*f)) {
                Some(f) => self.call_instance(vm, call, f, given),
                None => self.call_function(vm, call, given),
            },
        }
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

    /// A call of a plain function in the window's first register.
    fn call_function(&mut self, vm: &Vm, call: Call, given: Vec<(Id, Value)>) -> Step {
        let (at, w) = (self.at, call.w);
        let callee = at.reg(w);
        let plain = shape_of(callee) == Some(vm.types.function.root_shape_id());
        let follows = |f: &Ref<Function>| plain && (!starts_generator(*f) || can_be_made(f.code()));
        let Some(f) = function_of(callee).filter(follows) else {
            return self.help(call.op);
        };
        let through = self.calls_through(f)?;
        let Some(bound) = bound_arguments(f, given.len(), &call.names) else {
            return if through { self.call_through() } else { self.help(call.op) };
        };
        let code = f.code();
        let exit = self.exit();
        let id = self.reg(w);
        let id = self.guard_function(vm, id, f);
        let base = self.base();
        self.guard_receiver(call.op, w, call.from);
        let Some(args) = self.bind_arguments(vm, f, id, bound, &given) else { return self.help(call.op) };
        self.set(w, id);
        self.forget_from(base + w as i32 + 1);
        let callee_base = base + (w + FRAME_WORDS) as i32;
        for (i, arg) in args.into_iter().enumerate() {
            self.slots.insert(callee_base + i as i32, super::Slot { id: arg, dirty: true });
        }
        let return_pc = at.skip(call.units.into()).pc as usize;
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

    /// What the parameters get. None: a default that is not found as it should be.
    pub(super) fn bind_arguments(
        &mut self,
        vm: &Vm,
        f: Ref<Function>,
        function: Id,
        bound: Vec<Bound>,
        given: &[(Id, Value)],
    ) -> Option<Vec<Id>> {
        let is_known = self.tree.constant(function).is_some();
        let mut defaults = None;
        if let Some(tuple) =
            f.defaults.get().filter(|_| bound.iter().any(|b| matches!(b, Bound::Default(..))))
        {
            let place = Place::new(ir::Class::Function, FUNCTION_DEFAULTS);
            let now = self.emit(TraceOp::LoadField, &[function], place.imm());
            if is_known {
                self.guard_is(now, tuple);
            } else {
                // Each function that a definition makes has a row of its own.
                defaults = Some(self.items_of_row(vm, (now, tuple), MOST)?);
            }
        }
        let mut args = Vec::with_capacity(bound.len());
        for b in bound {
            args.push(match b {
                Bound::Argument(i) => given[i].0,
                Bound::Default(i, v) => match &defaults {
                    Some(row) => *row.get(i)?,
                    None => self.value(v),
                },
                Bound::Rest(all) => {
                    let items: Vec<Id> = given[all].iter().map(|(id, _)| *id).collect();
                    self.new_tuple(vm, &items)
                }
                Bound::KeywordDefault(name) => self.keyword_default(vm, f, function, name)?,
                Bound::Keywords(all) => {
                    let items: Vec<_> =
                        all.iter().map(|(name, i)| ((self.value(*name), *name), given[*i])).collect();
                    self.new_dict(vm, &items)?
                }
            });
        }
        Some(args)
    }

    /// The default of a keyword-only parameter, as it is in the function's dict of them when the trace runs.
    fn keyword_default(&mut self, vm: &Vm, f: Ref<Function>, function: Id, name: Value) -> Option<Id> {
        let defaults = f.kwdefaults.get()?;
        let get = vm.types.dict.lookup(vm, vm.names.get)?.cast::<NativeFunction>()?;
        let place = Place::new(ir::Class::Function, FUNCTION_KWDEFAULTS);
        let dict = self.emit(TraceOp::LoadField, &[function], place.imm());
        let dict = match self.tree.constant(function) {
            Some(_) => self.guard_is(dict, defaults),
            None => self.guard_type(dict, defaults),
        };
        let missing = Value::UNBOUND;
        let operands = [(dict, defaults), (self.value(name), name), (self.value(missing), missing)];
        let default = self.leaf_call(vm, get.def(), &operands)?;
        self.guard_is_not(default, missing.bits());
        Some(default)
    }

    /// Is the function called, instead of followed into? An error: it has to have a trace of its own first.
    pub(super) fn calls_through(&mut self, f: Ref<Function>) -> Result<bool, Abort> {
        let code = f.code();
        if makes_generator(code) {
            // Its body is another frame's affair.
            return Ok(false);
        }
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

    pub(super) fn ret(&mut self, vm: &Vm) -> Step {
        let frame = self.frame();
        match frame.kind {
            FrameKind::Root => {
                self.leave();
                Ok(())
            }
            FrameKind::Machine { .. } => self.help(Op::Return),
            FrameKind::Made(made) => self.ret_made(vm, frame, made),
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
                self.pop_frame(in_memory, return_pc);
                let result = frame.base - FRAME_WORDS as i32;
                self.forget_from(result);
                self.slots.insert(result, super::Slot { id: v, dirty: true });
                self.go(return_pc as *const u32);
                Ok(())
            }
        }
    }
}
