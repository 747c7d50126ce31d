//! Iteration: getting iterators, `for` loops.

use crate::interp::call::{call_special_1, plain_native, soft_native};
use crate::interp::frames::frame_code;
use crate::interp::{At, Cont, ContKind, SoftCall};
use crate::native::Args;
use crate::object::Ref;
use crate::types::function::Function;
use crate::types::generator::Generator;
use crate::types::list::List;
use crate::types::native::NativeFunction;
use crate::types::seqiter::SeqIter;
use crate::types::tuple::Tuple;
use crate::types::typeobj::{Type, type_flags};
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::{Op, Special};

pub fn get_iter(vm: &Vm, at: At) -> R<At> {
    let v = at.reg(at.b());
    let ty = vm.type_of(v);
    if ty == vm.types.list {
        let it = SeqIter::new(vm, vm.types.list_iterator, v, 0)?;
        at.set(at.a(), it.value());
        return Ok(at.skip(1));
    }
    let f = ty.special(vm, Special::Iter);
    let cont = Cont::store(at.a()).kind(ContKind::Iter).with(v, Value::NONE);
    if let Some(f) = f.filter(|f| f.cast::<Function>().is_some()) {
        return call_special_1(vm, at.skip(1), f, v, cont);
    }
    // A delegation may send to its iterator, and wants just that.
    if let Some(soft) = f.and_then(soft_native).filter(|_| at.is_at(Op::GetIter)) {
        return Ok(soft(vm, &SoftCall { args: Args::new(&[v], None), resume: at.skip(1), cont }));
    }
    at.set(at.a(), vm.iter(v)?);
    Ok(at.skip(1))
}

/// What `__iter__` returned must be an iterator.
pub fn check_iterator(vm: &Vm, _of: Value, it: Value) -> R<()> {
    if vm.type_of(it).special(vm, Special::Next).is_some_and(|f| !f.is_none()) {
        return Ok(());
    }
    Err(vm.type_error(format!("iter() returned non-iterator of type '{}'", vm.type_name(it))))
}

pub fn for_iter(vm: &Vm, at: At) -> R<At> {
    let it = at.reg(at.b());
    let ty = vm.type_of(it);
    if ty == vm.types.range_iterator {
        at.quicken(Op::ForRange);
        return Ok(at);
    }
    if ty == vm.types.list_iterator {
        at.quicken(Op::ForList);
        return Ok(at);
    }
    if ty == vm.types.generator && it.cast::<Generator>().is_some() {
        at.quicken(Op::ForGenerator);
        return Ok(at);
    }
    let resume = at.skip(2);
    let exit = at.extra() as i32 - 2;
    let f = ty.special(vm, Special::Next).filter(|_| ty != vm.types.generator);
    if f.is_some_and(|f| f.cast::<Function>().is_some()) || f.and_then(soft_native).is_some() {
        let mut cont = Cont::store(at.a()).kind(ContKind::ForNext);
        cont.jump = exit;
        return match f.and_then(soft_native) {
            Some(soft) => Ok(soft(vm, &SoftCall { args: Args::new(&[it], None), resume, cont })),
            None => call_special_1(vm, resume, f.unwrap_or(Value::NONE), it, cont),
        };
    }
    if let Some(def) = f.and_then(plain_native) {
        return match vm.with_room(|| def.call_1(vm, it)) {
            Ok(v) if v.is_unbound() => Ok(resume.jump(exit)),
            Ok(v) => {
                at.set(at.a(), v);
                Ok(resume)
            }
            Err(e) => match vm.catch(vm.exc.stop_iteration) {
                Some(_) => Ok(resume.jump(exit)),
                None => Err(e),
            },
        };
    }
    match vm.next(it)? {
        Some(v) => {
            at.set(at.a(), v);
            Ok(resume)
        }
        None => Ok(resume.jump(exit)),
    }
}

/// Where to go on if the instruction before this place is a `ForIter` whose iterator has ended.
pub fn loop_end(resume: At) -> Option<At> {
    let code = frame_code(resume.base);
    let units = &code.portable().units;
    let end = code.unit_of(resume.pc) as usize;
    let mut i = 0;
    while i < end {
        let op = Op::from_u8(*units.get(i)? as u8)?;
        let next = i + op.units();
        if next == end {
            let at = At { pc: resume.pc.wrapping_sub(op.units()), base: resume.base };
            return (op == Op::ForIter).then(|| at.jump(at.extra() as i32));
        }
        i = next;
    }
    None
}

impl Vm {
    /// `iter(v)`. TypeError.
    pub fn iter(&self, v: Value) -> R<Value> {
        let ty = self.type_of(v);
        match ty.special(self, Special::Iter) {
            Some(f) if !f.is_none() => {
                let it = self.special_1(f, v)?;
                check_iterator(self, v, it)?;
                Ok(it)
            }
            None if self.is_indexed(ty) => Ok(SeqIter::new(self, self.types.iterator, v, 0)?.value()),
            _ => Err(self.type_error(format!("'{}' object is not iterable", ty.name_string()))),
        }
    }

    /// Whether a type without `__iter__` is iterated by index: a `__getitem__` of Python code says so, those of
    /// builtin types that are no sequences say nothing.
    fn is_indexed(&self, ty: Ref<Type>) -> bool {
        let name = self.special_name(Special::GetItem);
        ty.lookup_with_owner(self, name).is_some_and(|(_, owner)| owner.has_flag(type_flags::HEAP))
    }

    /// The next item; None when the iterator ends.
    pub fn next(&self, it: Value) -> R<Option<Value>> {
        Ok(self.next_or_stop(it)?.ok())
    }

    /// The next item, or the value with which the iterator stopped.
    pub fn next_or_stop(&self, it: Value) -> R<Result<Value, Value>> {
        let ty = self.type_of(it);
        if let Some(g) = it.cast::<Generator>()
            && ty == self.types.generator
        {
            return self.resume(g, crate::interp::Resume::Send(Value::NONE));
        }
        // A native may go through an iterator that has no end.
        self.check_signals()?;
        // Lists are what is mostly gone over.
        if ty == self.types.list_iterator
            && let Some(it) = it.cast::<SeqIter>()
            && let Some(v) = it.sequence.cast::<List>().and_then(|l| l.get(it.index.get()))
        {
            it.index.set(it.index.get() + 1);
            return Ok(Ok(v));
        }
        let Some(f) = ty.special(self, Special::Next) else {
            return Err(self.type_error(format!("'{}' object is not an iterator", ty.name_string())));
        };
        self.call_next(f, it)
    }

    /// Calls this `__next__`: an item, or the value with which the iterator stopped.
    #[inline]
    fn call_next(&self, f: Value, it: Value) -> R<Result<Value, Value>> {
        // Native iterators end by returning UNBOUND: no exception is made.
        let r = match f.cast::<NativeFunction>().filter(|n| n.receiver.get().is_none()) {
            Some(native) => self.with_room(|| native.def().call_1(self, it)),
            None => self.special_1(f, it),
        };
        match r {
            Ok(v) if v.is_unbound() => Ok(Err(Value::NONE)),
            Ok(v) => Ok(Ok(v)),
            Err(e) => match self.catch(self.exc.stop_iteration) {
                Some(stop) => Ok(Err(self.stop_value(stop))),
                None => Err(e),
            },
        }
    }

    /// `len(v)`, or else what `__length_hint__` says, if there is either. OverflowError.
    pub fn length_hint(&self, v: Value) -> R<Option<i64>> {
        let ty = self.type_of(v);
        if ty.special(self, Special::Len).is_some() {
            match self.len(v) {
                Ok(n) => return Ok(Some(n as i64)),
                Err(e) if self.catch(self.exc.type_error).is_none() => return Err(e),
                Err(_) => {}
            }
        }
        let Some(f) = ty.special(self, Special::LengthHint) else { return Ok(None) };
        let hint = match self.special_1(f, v) {
            Ok(hint) => hint,
            Err(e) if self.catch(self.exc.type_error).is_none() => return Err(e),
            Err(_) => return Ok(None),
        };
        if hint.is(Value::NOT_IMPLEMENTED) {
            return Ok(None);
        }
        if !self.is_int(hint) {
            let text = format!("__length_hint__ must be an integer, not {}", self.type_name(hint));
            return Err(self.type_error(text));
        }
        match self.as_i64(hint) {
            Some(n) if n < 0 => Err(self.value_error("__length_hint__() should return >= 0")),
            Some(n) => Ok(Some(n)),
            None => Err(self.overflow_error("Python int too large to convert to C ssize_t")),
        }
    }

    /// Calls `f` with each item of an iterable.
    pub fn for_each(&self, iterable: Value, mut f: impl FnMut(Value) -> R<()>) -> R<()> {
        let ty = self.type_of(iterable);
        if ty == self.types.list
            && let Some(l) = iterable.cast::<List>()
        {
            let mut i = 0;
            while let Some(v) = l.get(i) {
                f(v)?;
                i += 1;
            }
            return Ok(());
        }
        if ty == self.types.tuple
            && let Some(t) = iterable.cast::<Tuple>()
        {
            return t.items().iter().try_for_each(|&v| f(v));
        }
        let it = self.iter(iterable)?;
        // Nothing that a call does changes `__next__` of a builtin type.
        let ty = self.type_of(it);
        let fixed = !ty.has_flag(type_flags::HEAP) && ty != self.types.generator;
        let next = ty.special(self, Special::Next).filter(|_| fixed);
        loop {
            let step = match next {
                Some(next) => self.check_signals().and_then(|()| self.call_next(next, it))?,
                None => self.next_or_stop(it)?,
            };
            match step {
                Ok(v) => f(v)?,
                Err(_) => return Ok(()),
            }
        }
    }

    /// A new list of an iterable's items.
    pub fn list_from(&self, iterable: Value) -> R<Ref<List>> {
        if let Some(t) = iterable.cast::<Tuple>()
            && self.type_of(iterable) == self.types.tuple
        {
            return List::new(self, t.items());
        }
        if let Some(l) = iterable.cast::<List>()
            && self.type_of(iterable) == self.types.list
        {
            return l.snapshot(self);
        }
        let list = List::with_capacity(self, 0)?;
        list.make_room(self, iterable)?;
        self.for_each(iterable, |v| list.push(self, v))?;
        Ok(list)
    }

    /// The arguments of `f(*iterable)`; TypeError in the call's words.
    pub fn list_from_iterable_for_call(&self, iterable: Value, callee: Value) -> R<Ref<List>> {
        let ty = self.type_of(iterable);
        if ty.special(self, Special::Iter).is_none() && ty.special(self, Special::GetItem).is_none() {
            return Err(self.type_error(format!(
                "{} argument after * must be an iterable, not {}",
                self.callable_text(callee),
                ty.name_string()
            )));
        }
        self.list_from(iterable)
    }

    /// The end of a native iterator's items: what its `__next__` returns then.
    #[inline]
    pub fn stop(&self) -> Value {
        Value::UNBOUND
    }
}
