//! Special methods of Python classes that instructions call: operators, subscripts, truth, attributes. Their frames are
//! such as the machine makes (see [`super::made`]).

use super::generators::can_be_made;
use super::made::{starts_generator, takes};
use super::memory::shape_of;
use super::{Recorder, Step};
use crate::ir::Id;
use skein_bytecode::{Op, Special};
use skein_runtime::context::FRAME_WORDS;
use skein_runtime::interp::{
    Consumer, Cont, ContKind, attr_place, stage_after_comparison, stage_after_first,
};
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::function::Function;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;

/// A value of the trace and what it is now.
type Operand = (Id, Value);

fn is_instance(v: Value) -> bool {
    v.header().is_some_and(|h| h.kind.get() == Kind::Instance as u8)
}

impl Recorder {
    fn operand(&mut self, i: usize) -> Operand {
        (self.reg(i), self.at.reg(i))
    }

    /// The Python function that an instance's class has for a special method with so many arguments. None: it has none
    /// that can be followed.
    fn special_function(&self, vm: &Vm, v: Value, special: Special, n: usize) -> Option<Ref<Function>> {
        let f = vm.type_of(v).special(vm, special)?.cast::<Function>()?;
        (is_instance(v) && takes(f, n)).then_some(f)
    }

    /// The call of a special method's function: what relies on the class, and on the first operand being of it.
    fn call_special(
        &mut self,
        vm: &Vm,
        f: Ref<Function>,
        specials: &[Special],
        operands: &[Operand],
        (cont, units): (Cont, u8),
    ) -> Step {
        let of = operands[0];
        match self.calls_through(f) {
            Ok(false) => {}
            Ok(true) => return self.call_through(),
            Err(abort) => return Err(abort),
        }
        for special in specials {
            self.rely_on_type(vm.type_of(of.1), vm.special_name(*special));
        }
        let mut args: Vec<Id> = operands.iter().map(|(id, _)| *id).collect();
        args[0] = self.guard_type(args[0], of.1);
        let function = self.value(f.value());
        self.guard_function(vm, function, f);
        let none = self.value(Value::NONE);
        // Operators keep what they may have to try again with.
        let kept = match (cont.kind, args.as_slice()) {
            (ContKind::Binary | ContKind::Compare, &[a, b]) => [a, b],
            (ContKind::Iter, &[a]) => [a, none],
            _ => [none, none],
        };
        self.push_made(f, function, &args, (cont, units, false), kept)
    }

    /// A binary operator of an object whose class has a Python method for it. None: it is not so.
    pub(super) fn operator_method(&mut self, vm: &Vm, op: Op) -> Option<Step> {
        let at = self.at;
        let (l, r) = (self.operand(at.b()), self.operand(at.c()));
        let (special, in_place) = super::natives::special_of(op)?;
        if special.reflected() == special
            || matches!(special, Special::Lt | Special::Le | Special::Gt | Special::Ge)
        {
            return self.comparison_method(vm, special, l, r, (Cont::store(at.a()), 1));
        }
        let (lt, rt) = (vm.type_of(l.1), vm.type_of(r.1));
        let f = self.special_function(vm, l.1, special, 2)?;
        let overridden = lt != rt
            && rt.is_subtype(lt)
            && rt.special(vm, special.reflected()) != lt.special(vm, special.reflected());
        if overridden || r.1.cast::<Type>().is_some() || in_place.is_some_and(|s| lt.special(vm, s).is_some())
        {
            return None;
        }
        let mut specials = vec![special, special.reflected()];
        specials.extend(in_place);
        self.rely_on_type(rt, vm.special_name(special.reflected()));
        let right = (self.guard_type(r.0, r.1), r.1);
        let cont =
            Cont::store(at.a()).kind(ContKind::Binary).op(special, stage_after_first(in_place.is_some()));
        Some(self.call_special(vm, f, &specials, &[l, right], (cont, 1)))
    }

    /// A comparison by a Python method of the left operand's class.
    pub(super) fn comparison_method(
        &mut self,
        vm: &Vm,
        special: Special,
        l: Operand,
        r: Operand,
        (cont, units): (Cont, u8),
    ) -> Option<Step> {
        let (lt, rt) = (vm.type_of(l.1), vm.type_of(r.1));
        if lt != rt && rt.is_subtype(lt) || r.1.cast::<Type>().is_some() || !is_instance(l.1) {
            return None;
        }
        // `object.__ne__` asks `__eq__`.
        let by_eq = special == Special::Ne && lt.special(vm, special) == vm.types.object.special(vm, special);
        let asked = if by_eq { Special::Eq } else { special };
        let f = self.special_function(vm, l.1, asked, 2)?;
        let cont = cont.kind(ContKind::Compare).op(special, stage_after_comparison(by_eq));
        let right = (self.guard_type(r.0, r.1), r.1);
        Some(self.call_special(vm, f, &[special, asked], &[l, right], (cont, units)))
    }

    /// The continuation of a jump by a truth value in two units.
    pub(super) fn jump_cont(&self, sense: bool) -> Cont {
        Cont::store(0).jump(sense, self.at.extra() as i32 - 2)
    }

    /// `r[a] = r[b][r[c]]` by `__getitem__`.
    pub(super) fn item_method(&mut self, vm: &Vm) -> Option<Step> {
        let at = self.at;
        let f = self.special_function(vm, at.reg(at.b()), Special::GetItem, 2)?;
        let operands = [self.operand(at.b()), self.operand(at.c())];
        Some(self.call_special(vm, f, &[Special::GetItem], &operands, (Cont::store(at.a()), 1)))
    }

    /// `r[a][r[b]] = r[c]` by `__setitem__`.
    pub(super) fn set_item_method(&mut self, vm: &Vm) -> Option<Step> {
        let at = self.at;
        let f = self.special_function(vm, at.reg(at.a()), Special::SetItem, 3)?;
        let operands = [self.operand(at.a()), self.operand(at.b()), self.operand(at.c())];
        let cont = Cont::new(ContKind::Discard, Consumer::Drop, 0);
        Some(self.call_special(vm, f, &[Special::SetItem], &operands, (cont, 1)))
    }

    /// `In` and `NotIn` by `__contains__`.
    pub(super) fn contains_method(&mut self, vm: &Vm, op: Op) -> Option<Step> {
        let at = self.at;
        let f = self.special_function(vm, at.reg(at.c()), Special::Contains, 2)?;
        let operands = [self.operand(at.c()), self.operand(at.b())];
        let mut cont = Cont::store(at.a()).kind(ContKind::Contains);
        cont.consumer = if op == Op::In { Consumer::StoreTruth } else { Consumer::StoreNot };
        Some(self.call_special(vm, f, &[Special::Contains], &operands, (cont, 1)))
    }

    /// The truth of an object by `__bool__` or `__len__`.
    pub(super) fn truth_method(&mut self, vm: &Vm, v: Operand, cont: Cont, units: u8) -> Option<Step> {
        let has_bool = vm.type_of(v.1).special(vm, Special::Bool).is_some();
        let (special, kind) =
            if has_bool { (Special::Bool, ContKind::Bool) } else { (Special::Len, ContKind::LenTruth) };
        let f = self.special_function(vm, v.1, special, 1)?;
        Some(self.call_special(vm, f, &[Special::Bool, special], &[v], (cont.kind(kind), units)))
    }

    /// The iterator of an object by its `__iter__`, which may be a generator function.
    pub(super) fn iter_method(&mut self, vm: &Vm) -> Option<Step> {
        let at = self.at;
        let v = at.reg(at.b());
        let f = vm.type_of(v).special(vm, Special::Iter)?.cast::<Function>().filter(|_| is_instance(v))?;
        // SAFETY: a function's code is loaded.
        let one = unsafe { (*f.exec()).simple_args == 1 };
        if !one || starts_generator(f) && !can_be_made(f.code()) {
            return None;
        }
        let operands = [self.operand(at.b())];
        let cont = Cont::store(at.a()).kind(ContKind::Iter);
        Some(self.call_special(vm, f, &[Special::Iter], &operands, (cont, 1)))
    }

    /// A loop's step over an iterator whose `__next__` is in Python.
    pub(super) fn next_method(&mut self, vm: &Vm, v: Value) -> Option<Step> {
        let f = self.special_function(vm, v, Special::Next, 1)?;
        let operands = [(self.reg(self.at.b()), v)];
        Some(self.call_special(vm, f, &[Special::Next], &operands, (self.for_next(), 2)))
    }

    /// An attribute that only `__getattr__` knows.
    pub(super) fn getattr_method(&mut self, vm: &Vm, v: Value) -> Option<Step> {
        let (at, name) = (self.at, self.cached_name());
        let f = attr_place::fallback(vm, v, name).filter(|f| takes(*f, 2))?;
        self.rely_on_type(vm.type_of(v), name);
        let obj = self.reg(at.b());
        let obj = self.guard_layout(vm, obj, shape_of(v)?, name);
        let operands = [(obj, v), (self.value(name.value()), name.value())];
        Some(self.call_special(vm, f, &[Special::GetAttr], &operands, (Cont::store(at.a()), 2)))
    }

    /// An attribute that a property's Python function sets.
    pub(super) fn setter_method(&mut self, vm: &Vm, target: Value) -> Option<Step> {
        let (at, name) = (self.at, self.cached_name());
        let f = attr_place::property_setter(vm, target, name).filter(|f| takes(*f, 2))?;
        self.rely_on_type(vm.type_of(target), name);
        let operands = [self.operand(at.a()), self.operand(at.b())];
        let cont = Cont::new(ContKind::Discard, Consumer::Drop, 0);
        Some(self.call_special(vm, f, &[Special::SetAttr], &operands, (cont, 2)))
    }

    /// The function that a call of an instance calls.
    pub(super) fn called_method(&self, vm: &Vm, callee: Value) -> Option<Ref<Function>> {
        let f = vm.type_of(callee).special(vm, Special::Call)?.cast::<Function>();
        f.filter(|_| is_instance(callee))
    }

    /// A special method of Python's, for a call or bound: `LoadSpecialMethod` and `BindSpecial`.
    pub(super) fn load_special(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let v = at.reg(at.b());
        let number = if op == Op::BindSpecial { at.c() } else { at.extra() as usize };
        let special = Special::from_u8(number as u8);
        let found = special.and_then(|s| vm.type_of(v).special(vm, s)).and_then(|f| f.cast::<Function>());
        let Some((special, f)) = special.zip(found) else { return self.help(op) };
        self.rely_on_type(vm.type_of(v), vm.special_name(special));
        let obj = self.reg(at.b());
        let obj = self.guard_type(obj, v);
        if op == Op::BindSpecial {
            let method = self.bind(vm, f, obj);
            self.set(at.a(), method);
            return self.next(1);
        }
        let w = at.window();
        let f = self.value(f.value());
        self.set(w, f);
        self.set(w + FRAME_WORDS, obj);
        self.next(2)
    }
}
