//! Operators, comparisons and truth.

use crate::interp::call::{call_special, call_special_1, call_special_2, plain_native};
use crate::interp::result::{deliver, deliver_truth};
use crate::interp::{At, Consumer, Cont, ContKind};
use crate::native::Args;
use crate::object::Ref;
use crate::types::dict::Dict;
use crate::types::set::Set;
use crate::types::str::Str;
use crate::types::typeobj::Type;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_bytecode::Special;

/// Stages of an operator's methods, in order.
const INPLACE: u8 = 0;
const FIRST: u8 = 1;
const SECOND: u8 = 2;
const NONE_LEFT: u8 = 3;
/// Flag in the stage: the statement was in-place (for the message).
const WAS_INPLACE: u8 = 8;
/// Flag in the stage of a comparison: `__eq__` was called for `!=`, so its result is to be inverted.
const INVERTED: u8 = 8;

/// The stage in the record of a binary operator whose left operand's method is called first.
pub fn stage_after_first(inplace: bool) -> u8 {
    if inplace { SECOND | WAS_INPLACE } else { SECOND }
}

/// The stage in the record of a comparison whose left operand's method is called first: for `!=` by `__eq__`, or its own.
pub fn stage_after_comparison(by_eq: bool) -> u8 {
    if by_eq { SECOND | INVERTED } else { SECOND }
}

/// Is the result of the comparison's method to be inverted?
pub fn is_inverted(cont: &Cont) -> bool {
    cont.kind == ContKind::Compare && cont.stage & INVERTED != 0
}

/// `r[a] = r[b] op r[c]`.
pub fn binary(vm: &Vm, at: At, op: Special, inplace: bool) -> R<At> {
    let (l, r) = (at.reg(at.b()), at.reg(at.c()));
    binary_values(vm, at.skip(1), op, inplace, l, r, at.a())
}

/// `r[a] = r[b] op immediate`.
pub fn binary_int(vm: &Vm, at: At, op: Special) -> R<At> {
    let (l, r) = (at.reg(at.b()), Value::small_int(at.c() as u8 as i8 as i64));
    binary_values(vm, at.skip(2), op, at.extra() == 1, l, r, at.a())
}

fn binary_values(vm: &Vm, resume: At, op: Special, inplace: bool, l: Value, r: Value, dst: usize) -> R<At> {
    if let Some(v) = vm.number_binary(op, l, r)? {
        resume.set(dst, v);
        return Ok(resume);
    }
    let (lt, rt) = (vm.type_of(l), vm.type_of(r));
    let mut stage = FIRST;
    if inplace && let Some(f) = lt.special(vm, op.inplace()) {
        match plain_native(f) {
            Some(def) => {
                let v = def.call_2(vm, l, r)?;
                if !v.is(Value::NOT_IMPLEMENTED) {
                    resume.set(dst, v);
                    return Ok(resume);
                }
            }
            None => stage = INPLACE,
        }
    }
    if stage == FIRST
        && let Some(def) = lt.special(vm, op).and_then(plain_native)
        && (lt == rt || !rt.is_subtype(lt))
    {
        // There is nothing to be asked before.
        let v = def.call_2(vm, l, r)?;
        if !v.is(Value::NOT_IMPLEMENTED) {
            resume.set(dst, v);
            return Ok(resume);
        }
        stage = SECOND;
    }
    if inplace {
        stage |= WAS_INPLACE;
    }
    binary_step(vm, resume, Cont::store(dst).kind(ContKind::Binary).op(op, stage).with(l, r))
}

/// What the two operands' types have for the operator: (method, its arguments), tried in this order.
fn candidates(vm: &Vm, op: Special, l: Value, r: Value) -> [Option<(Value, [Value; 2])>; 2] {
    let (lt, rt) = (vm.type_of(l), vm.type_of(r));
    let left = lt.special(vm, op).map(|f| (f, [l, r]));
    if lt == rt {
        return [left, None];
    }
    let right = rt.special(vm, op.reflected()).map(|f| (f, [r, l]));
    if let (Some((_, _)), true) = (right, rt.is_subtype(lt)) {
        // A subclass that redefines the reflected method goes first.
        if lt.special(vm, op.reflected()) != rt.special(vm, op.reflected()) {
            return [right, left];
        }
    }
    [left, right]
}

/// Tries the methods from the record's stage on.
fn binary_step(vm: &Vm, resume: At, mut cont: Cont) -> R<At> {
    let (l, r, op) = (cont.a, cont.b, cont.special());
    loop {
        let stage = cont.stage & !WAS_INPLACE;
        let next = match stage {
            INPLACE => vm.type_of(l).special(vm, op.inplace()).map(|f| (f, [l, r])),
            FIRST => candidates(vm, op, l, r)[0],
            SECOND => candidates(vm, op, l, r)[1],
            _ => return Err(unsupported(vm, op, cont.stage & WAS_INPLACE != 0, l, r)),
        };
        cont.stage = (cont.stage & WAS_INPLACE) | (stage + 1).min(NONE_LEFT);
        // None in a method's place says that there is none to fall back on: calling it is the error.
        if let Some((f, args)) = next {
            return call_special(vm, resume, f, Args::new(&args, None), cont);
        }
    }
}

/// A method of the operator returned.
pub fn binary_result(vm: &Vm, resume: At, cont: Cont, v: Value) -> R<At> {
    if v.is(Value::NOT_IMPLEMENTED) { binary_step(vm, resume, cont) } else { deliver(vm, resume, cont, v) }
}

fn unsupported(vm: &Vm, op: Special, inplace: bool, l: Value, r: Value) -> Raised {
    if let Some(text) = sequence_operands(vm, op, l, r) {
        return vm.type_error(text);
    }
    let symbol = symbol(op);
    let text = match (op, inplace) {
        (Special::Pow, false) => "** or pow()".to_string(),
        (Special::DivMod, _) => "divmod()".to_string(),
        (_, true) => format!("{symbol}="),
        (_, false) => symbol.to_string(),
    };
    vm.type_error(format!(
        "unsupported operand type(s) for {text}: '{}' and '{}'",
        vm.type_name(l),
        vm.type_name(r)
    ))
}

/// The message where a sequence is added to something else, or multiplied by no integer.
fn sequence_operands(vm: &Vm, op: Special, l: Value, r: Value) -> Option<String> {
    let base = |v: Value| {
        let t = &vm.types;
        let of = vm.type_of(v);
        [t.str, t.list, t.tuple, t.bytes, t.bytearray].into_iter().find(|&b| of.is_subtype(b))
    };
    let (left, right) = (base(l), base(r));
    match op {
        Special::Add => {
            let b = left?;
            let (name, other) = (b.name_string(), vm.type_name(r));
            Some(if b == vm.types.bytes || b == vm.types.bytearray {
                format!("can't concat {other} to {name}")
            } else {
                format!("can only concatenate {name} (not \"{other}\") to {name}")
            })
        }
        Special::Mul => {
            let other = if left.is_some() { r } else { right.map(|_| l)? };
            Some(format!("can't multiply sequence by non-int of type '{}'", vm.type_name(other)))
        }
        _ => None,
    }
}

/// The operator's sign.
pub fn symbol(op: Special) -> &'static str {
    match op {
        Special::Add => "+",
        Special::Sub => "-",
        Special::Mul => "*",
        Special::TrueDiv => "/",
        Special::FloorDiv => "//",
        Special::Mod => "%",
        Special::Pow => "**",
        Special::MatMul => "@",
        Special::Shl => "<<",
        Special::Shr => ">>",
        Special::And => "&",
        Special::Or => "|",
        Special::Xor => "^",
        Special::Lt => "<",
        Special::Le => "<=",
        Special::Eq => "==",
        Special::Ne => "!=",
        Special::Gt => ">",
        Special::Ge => ">=",
        _ => "?",
    }
}

/// `r[a] = op r[b]`.
pub fn unary(vm: &Vm, at: At, op: Special) -> R<At> {
    let v = at.reg(at.b());
    let resume = at.skip(1);
    let Some(f) = vm.type_of(v).special(vm, op) else {
        return Err(bad_unary(vm, op, v));
    };
    call_special_1(vm, resume, f, v, Cont::store(at.a()))
}

fn bad_unary(vm: &Vm, op: Special, v: Value) -> Raised {
    let sign = match op {
        Special::Neg => "unary -",
        Special::Pos => "unary +",
        _ => "unary ~",
    };
    vm.type_error(format!("bad operand type for {sign}: '{}'", vm.type_name(v)))
}

pub fn compare(vm: &Vm, at: At, op: Special) -> R<At> {
    let (l, r) = (at.reg(at.b()), at.reg(at.c()));
    compare_values(vm, at.skip(1), l, r, Cont::store(at.a()).op(op, FIRST))
}

pub fn jump_compare(vm: &Vm, at: At, op: Special) -> R<At> {
    let (l, r) = (at.reg(at.a()), at.reg(at.b()));
    compare_values(vm, at.skip(2), l, r, jump_cont(at).op(op, FIRST))
}

pub fn jump_compare_int(vm: &Vm, at: At, op: Special) -> R<At> {
    let (l, r) = (at.reg(at.a()), Value::small_int(at.b() as u8 as i8 as i64));
    compare_values(vm, at.skip(2), l, r, jump_cont(at).op(op, FIRST))
}

/// The continuation of a two-unit branch with its sense in c.
fn jump_cont(at: At) -> Cont {
    Cont::store(0).jump(at.c() != 0, at.extra() as i32 - 2)
}

fn compare_values(vm: &Vm, resume: At, l: Value, r: Value, cont: Cont) -> R<At> {
    if let Some(t) = vm.quick_compare(cont.special(), l, r) {
        return Ok(deliver_truth(resume, cont, t));
    }
    compare_step(vm, resume, cont.kind(ContKind::Compare).with(l, r))
}

fn compare_step(vm: &Vm, resume: At, mut cont: Cont) -> R<At> {
    let (l, r, op) = (cont.a, cont.b, cont.special());
    loop {
        let stage = cont.stage;
        cont.stage = (stage + 1).min(NONE_LEFT);
        let next = match stage {
            FIRST | SECOND => compare_candidates(vm, op, l, r)[(stage - FIRST) as usize],
            _ => {
                let same = l.is(r);
                return match op {
                    Special::Eq => Ok(deliver_truth(resume, cont, same)),
                    Special::Ne => Ok(deliver_truth(resume, cont, !same)),
                    _ => Err(vm.type_error(format!(
                        "'{}' not supported between instances of '{}' and '{}'",
                        symbol(op),
                        vm.type_name(l),
                        vm.type_name(r)
                    ))),
                };
            }
        };
        if let Some((f, args)) = next
            && !f.is_none()
        {
            // `object.__ne__` asks `__eq__`, which may be Python's.
            if vm.known.is_object_ne(f)
                && let Some(eq) = vm.type_of(args[0]).special(vm, Special::Eq)
            {
                cont.stage |= INVERTED;
                return call_special(vm, resume, eq, Args::new(&args, None), cont);
            }
            return call_special(vm, resume, f, Args::new(&args, None), cont);
        }
    }
}

fn compare_candidates(vm: &Vm, op: Special, l: Value, r: Value) -> [Option<(Value, [Value; 2])>; 2] {
    let (lt, rt): (Ref<Type>, Ref<Type>) = (vm.type_of(l), vm.type_of(r));
    let left = lt.special(vm, op).map(|f| (f, [l, r]));
    let right = rt.special(vm, op.reflected()).map(|f| (f, [r, l]));
    if lt != rt && rt.is_subtype(lt) { [right, left] } else { [left, right] }
}

pub fn compare_result(vm: &Vm, resume: At, mut cont: Cont, v: Value) -> R<At> {
    if cont.stage & INVERTED != 0 {
        cont.stage &= !INVERTED;
        if !v.is(Value::NOT_IMPLEMENTED) {
            match cont.consumer {
                Consumer::Jump => cont.dst ^= 1,
                _ => cont.consumer = Consumer::StoreNot,
            }
        }
    }
    if v.is(Value::NOT_IMPLEMENTED) { compare_step(vm, resume, cont) } else { deliver(vm, resume, cont, v) }
}

/// Whether a set or dict has a key whose hash and comparison run no code; None where more is to be looked at.
#[inline]
fn quick_contains(vm: &Vm, container: Value, item: Value) -> Option<bool> {
    let ty = vm.type_of(container);
    let t = &vm.types;
    // SAFETY: the types are exact.
    let table = unsafe {
        if ty == t.set || ty == t.frozenset {
            &container.cast_unchecked::<Set>().table
        } else if ty == t.dict {
            &container.cast_unchecked::<Dict>().table
        } else {
            return None;
        }
    };
    let hash = if item.is_int() {
        crate::types::int::hash_i64(item.as_small_int())
    } else if vm.is_exact_str(item) {
        // SAFETY: the shape is str's.
        unsafe { item.cast_unchecked::<Str>() }.hash(vm)
    } else {
        return None;
    };
    table.find_same(item, hash)
}

/// `r[a] = r[b] in r[c]`.
pub fn contains(vm: &Vm, at: At, negate: bool) -> R<At> {
    let (item, container) = (at.reg(at.b()), at.reg(at.c()));
    let resume = at.skip(1);
    let mut cont = Cont::store(at.a());
    cont.consumer = if negate { Consumer::StoreNot } else { Consumer::StoreTruth };
    if let Some(found) = quick_contains(vm, container, item) {
        at.set(at.a(), Value::bool(found != negate));
        return Ok(resume);
    }
    match vm.type_of(container).special(vm, Special::Contains) {
        Some(f) if f.is_none() => {
            Err(vm.type_error(format!("'{}' object is not a container", vm.type_name(container))))
        }
        Some(f) => match plain_native(f) {
            Some(def) => {
                let found = def.call_2(vm, container, item)?;
                deliver(vm, resume, cont, found)
            }
            None => call_special_2(vm, resume, f, container, item, cont.kind(ContKind::Contains)),
        },
        None => {
            let found = vm.contains_by_iteration(container, item)?;
            Ok(deliver_truth(resume, cont, found))
        }
    }
}

pub fn not(vm: &Vm, at: At) -> R<At> {
    let mut cont = Cont::store(at.a());
    cont.consumer = Consumer::StoreNot;
    truth(vm, at.skip(1), at.reg(at.b()), cont)
}

/// `JumpTrue` and `JumpFalse`.
pub fn jump_truth(vm: &Vm, at: At, sense: bool) -> R<At> {
    let cont = Cont::store(0).jump(sense, at.extra() as i32 - 2);
    truth(vm, at.skip(2), at.reg(at.a()), cont)
}

/// Hands the truth of `v` to a consumer of truth.
pub fn truth(vm: &Vm, resume: At, v: Value, cont: Cont) -> R<At> {
    if let Some(t) = vm.builtin_truth(v) {
        return Ok(deliver_truth(resume, cont, t));
    }
    let ty = vm.type_of(v);
    if let Some(f) = ty.special(vm, Special::Bool) {
        return call_special_1(vm, resume, f, v, cont.kind(ContKind::Bool));
    }
    if let Some(f) = ty.special(vm, Special::Len) {
        if let Some(def) = plain_native(f)
            && let n = def.call_1(vm, v)?
            && n.is_int()
            && n.as_small_int() >= 0
        {
            return Ok(deliver_truth(resume, cont, n.as_small_int() != 0));
        }
        return call_special_1(vm, resume, f, v, cont.kind(ContKind::LenTruth));
    }
    Ok(deliver_truth(resume, cont, true))
}

impl Vm {
    /// `l op r` from native code.
    pub fn binary(&self, op: Special, l: Value, r: Value) -> R<Value> {
        self.binary_form(op, l, r, false)
    }

    /// `l op= r` from native code.
    pub fn inplace(&self, op: Special, l: Value, r: Value) -> R<Value> {
        self.binary_form(op, l, r, true)
    }

    fn binary_form(&self, op: Special, l: Value, r: Value, inplace: bool) -> R<Value> {
        if let Some(v) = self.number_binary(op, l, r)? {
            return Ok(v);
        }
        let first =
            if inplace { self.type_of(l).special(self, op.inplace()).map(|f| (f, [l, r])) } else { None };
        let [a, b] = candidates(self, op, l, r);
        for (f, args) in [first, a, b].into_iter().flatten() {
            let v = self.call_special_method(f, Args::new(&args, None))?;
            if !v.is(Value::NOT_IMPLEMENTED) {
                return Ok(v);
            }
        }
        Err(unsupported(self, op, inplace, l, r))
    }

    /// `op v` from native code: `__neg__`, `__pos__`, `__invert__`.
    pub fn unary(&self, op: Special, v: Value) -> R<Value> {
        match self.type_of(v).special(self, op) {
            Some(f) => self.special_1(f, v),
            None => Err(bad_unary(self, op, v)),
        }
    }

    /// `l op r` of a comparison from native code; the result may be any object.
    pub fn rich_compare(&self, op: Special, l: Value, r: Value) -> R<Value> {
        if let Some(t) = self.quick_compare(op, l, r) {
            return Ok(Value::bool(t));
        }
        for (f, args) in compare_candidates(self, op, l, r).into_iter().flatten() {
            let v = self.call_special_method(f, Args::new(&args, None))?;
            if !v.is(Value::NOT_IMPLEMENTED) {
                return Ok(v);
            }
        }
        match op {
            Special::Eq => Ok(Value::bool(l.is(r))),
            Special::Ne => Ok(Value::bool(!l.is(r))),
            _ => Err(self.type_error(format!(
                "'{}' not supported between instances of '{}' and '{}'",
                symbol(op),
                self.type_name(l),
                self.type_name(r)
            ))),
        }
    }
}
