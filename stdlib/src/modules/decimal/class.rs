//! `Decimal` as Python sees it.

use super::super::arguments::Parameters;
use super::super::support::holds;
use super::context::{self, ContextRef};
use super::convert::{
    self, Decimal, DecimalRef, How, allocate, argument, check_finite, of_float, of_int, of_object, operand,
    plain, to_int,
};
use super::number::{Form, Num, Rounding, Rules, Work, status::*};
use super::{State, arith, compare, digits, format, powers, text};
use skein_builtins::modules::import;
use skein_bytecode::Special;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::ext::{ExtArg, class_argument, ext_type};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_type};

/// The type Decimal. MemoryError.
#[inline]
pub fn decimal_type(vm: &Vm) -> R<Ref<Type>> {
    match vm.state::<State>().decimal.get() {
        Some(ty) => Ok(ty),
        None => ext_type(vm, &DECIMAL),
    }
}

/// MemoryError.
pub fn context_type(vm: &Vm) -> R<Ref<Type>> {
    ext_type(vm, &super::context_type::CONTEXT)
}

/// MemoryError.
pub fn manager_type(vm: &Vm) -> R<Ref<Type>> {
    ext_type(vm, &super::context_type::MANAGER)
}

type This = ExtArg<Decimal>;
type Ctx = Option<Value>;
type Unary = fn(&mut Work<'_>, &Num) -> R<Num>;
type Binary = fn(&mut Work<'_>, &Num, &Num) -> R<Num>;

native_type! {
    pub DECIMAL: "decimal.Decimal", Kind::Ext, type_flags::BASETYPE,
        "Construct a new Decimal object. 'value' can be an integer, string, tuple,\nor another Decimal object. If no value is given, return Decimal('0'). The\ncontext does not affect the conversion and is only passed to determine if\nthe InvalidOperation trap is active.\n";
    methods {
        [static] "__new__($type, value='0', context=None)" => new;
        [class] "from_float($type, f, /)" => |vm: &Vm, class: Ref<Type>, v: Value| from_float(vm, class, v), "Class method that converts a float to a decimal number, exactly.";
        [class] "from_number($type, number, /)" => from_number, "Class method that converts a real number to a decimal number, exactly.";
        "__add__($self, value, /)" => |vm: &Vm, a: This, b: Value| operator(vm, a.0, b, arith::add);
        "__radd__($self, value, /)" => |vm: &Vm, a: This, b: Value| reflected(vm, a.0, b, arith::add);
        "__sub__($self, value, /)" => |vm: &Vm, a: This, b: Value| operator(vm, a.0, b, arith::sub);
        "__rsub__($self, value, /)" => |vm: &Vm, a: This, b: Value| reflected(vm, a.0, b, arith::sub);
        "__mul__($self, value, /)" => |vm: &Vm, a: This, b: Value| operator(vm, a.0, b, arith::mul);
        "__rmul__($self, value, /)" => |vm: &Vm, a: This, b: Value| reflected(vm, a.0, b, arith::mul);
        "__truediv__($self, value, /)" => |vm: &Vm, a: This, b: Value| operator(vm, a.0, b, arith::div);
        "__rtruediv__($self, value, /)" => |vm: &Vm, a: This, b: Value| reflected(vm, a.0, b, arith::div);
        "__floordiv__($self, value, /)" => |vm: &Vm, a: This, b: Value| operator(vm, a.0, b, arith::div_int);
        "__rfloordiv__($self, value, /)" => |vm: &Vm, a: This, b: Value| reflected(vm, a.0, b, arith::div_int);
        "__mod__($self, value, /)" => |vm: &Vm, a: This, b: Value| operator(vm, a.0, b, arith::rem);
        "__rmod__($self, value, /)" => |vm: &Vm, a: This, b: Value| reflected(vm, a.0, b, arith::rem);
        "__divmod__($self, value, /)" => |vm: &Vm, a: This, b: Value| match operand(vm, b) { Some(b) => div_mod(vm, context::get(vm)?, &a.0.num(), &b), None => Ok(Value::NOT_IMPLEMENTED) };
        "__rdivmod__($self, value, /)" => |vm: &Vm, a: This, b: Value| match operand(vm, b) { Some(b) => div_mod(vm, context::get(vm)?, &b, &a.0.num()), None => Ok(Value::NOT_IMPLEMENTED) };
        "__pow__($self, value, mod=None, /)" => |vm: &Vm, a: This, b: Value, m: Option<Value>| power_operator(vm, a.0.value(), b, m);
        "__rpow__($self, value, mod=None, /)" => |vm: &Vm, a: This, b: Value, m: Option<Value>| power_operator(vm, b, a.0.value(), m);
        "__neg__($self, /)" => |vm: &Vm, a: This| unary(vm, a.0, None, arith::minus);
        "__pos__($self, /)" => |vm: &Vm, a: This| unary(vm, a.0, None, arith::plus);
        "__abs__($self, /)" => |vm: &Vm, a: This| unary(vm, a.0, None, arith::abs);
        "__bool__($self, /)" => |_: &Vm, a: This| !a.0.num().is_zero();
        "__int__($self, /)" => |vm: &Vm, a: This| to_int(vm, &a.0.num());
        "__float__($self, /)" => |vm: &Vm, a: This| -> R<Value> { vm.float(to_float(vm, &a.0.num())?) };
        "__eq__($self, value, /)" => |vm: &Vm, a: This, b: Value| rich_compare(vm, Special::Eq, a.0, b);
        "__ne__($self, value, /)" => |vm: &Vm, a: This, b: Value| rich_compare(vm, Special::Ne, a.0, b);
        "__lt__($self, value, /)" => |vm: &Vm, a: This, b: Value| rich_compare(vm, Special::Lt, a.0, b);
        "__le__($self, value, /)" => |vm: &Vm, a: This, b: Value| rich_compare(vm, Special::Le, a.0, b);
        "__gt__($self, value, /)" => |vm: &Vm, a: This, b: Value| rich_compare(vm, Special::Gt, a.0, b);
        "__ge__($self, value, /)" => |vm: &Vm, a: This, b: Value| rich_compare(vm, Special::Ge, a.0, b);
        "__hash__($self, /)" => hash;
        "__repr__($self, /)" => |vm: &Vm, a: This| -> R<Value> { let text = shown(vm, a.0, false)?; Ok(Str::new(vm, &[b"Decimal('", &text[..], b"')"].concat())?.value()) };
        "__str__($self, /)" => |vm: &Vm, a: This| -> R<Value> { Ok(Str::new(vm, &shown(vm, a.0, false)?)?.value()) };
        "__format__($self, specifier, override=None, /)" => dunder_format;
        "__ceil__($self, /)" => |vm: &Vm, a: This| rounded_int(vm, a.0, Rounding::Ceiling);
        "__floor__($self, /)" => |vm: &Vm, a: This| rounded_int(vm, a.0, Rounding::Floor);
        "__trunc__($self, /)" => |vm: &Vm, a: This| to_int(vm, &a.0.num());
        "__round__($self, ndigits=None, /)" => round;
        "__complex__($self, /)" => |vm: &Vm, a: This| -> R<Value> { vm.complex(to_float(vm, &a.0.num())?, 0.0) };
        "__copy__($self, /)" => |_: &Vm, a: This| a.0;
        "__deepcopy__($self, object, /)" => |_: &Vm, a: This, _: Value| a.0;
        "__reduce__($self, /)" => |vm: &Vm, a: This| -> R<Value> {
            let text = Str::new(vm, &shown(vm, a.0, false)?)?;
            vm.tuple(&[vm.type_of(a.0.value()).value(), vm.tuple(&[text.value()])?])
        };
        "__sizeof__($self, /)" => |_: &Vm, a: This| size_of::<Decimal>() + a.0.num().coeff.bytes() as usize;
        "adjusted($self, /)" => |_: &Vm, a: This| -> i64 { let n = a.0.num(); if n.is_finite() { n.adjusted() } else { 0 } }, "Return the adjusted exponent of the number.  Defined as exp + digits - 1.\n\n";
        "as_integer_ratio($self, /)" => |vm: &Vm, a: This| convert::to_ratio(vm, &a.0.num()), "Decimal.as_integer_ratio() -> (int, int)\n\nReturn a pair of integers, whose ratio is exactly equal to the original\nDecimal and with a positive denominator. The ratio is in lowest terms.\nRaise OverflowError on infinities and a ValueError on NaNs.\n\n";
        "as_tuple($self, /)" => as_tuple, "Return a tuple representation of the number.\n\n";
        "canonical($self, /)" => |_: &Vm, a: This| a.0;
        "conjugate($self, /)" => |_: &Vm, a: This| a.0, "Return self.\n\n";
        "copy_abs($self, /)" => |vm: &Vm, a: This| plain(vm, a.0.num().abs());
        "copy_negate($self, /)" => |vm: &Vm, a: This| plain(vm, a.0.num().negated());
        "copy_sign($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| -> R<Value> { context::argument(vm, c)?; copy_sign(vm, a.0.num(), b) }, "Return a copy with the sign of the other number, which changes no flags.\n\n>>> Decimal('7.5').copy_sign(Decimal(-1))\nDecimal('-7.5')";
        "compare($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, compare::compare);
        "compare_signal($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, compare::compare_signal);
        "compare_total($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, compare::compare_total), "Compare the representations: also numbers of one value, and NaNs, have an order.\n\n>>> Decimal('1.50').compare_total(Decimal('1.5'))\nDecimal('-1')";
        "compare_total_mag($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, compare::compare_total_mag);
        "exp($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| unary(vm, a.0, c, powers::exp), "Return the value of the (natural) exponential function e**x at the given\nnumber.  The function always uses the ROUND_HALF_EVEN mode and the result\nis correctly rounded.\n\n";
        "fma($self, /, other, third, context=None)" => |vm: &Vm, a: This, b: Value, third: Value, c: Ctx| -> R<Value> { let c = context::argument(vm, c)?; fma(vm, c, &a.0.num(), b, third) }, "Multiply and add, and round only once.\n\n>>> Decimal(4).fma(6, 9)\nDecimal('33')";
        "is_canonical($self, /)" => |_: &Vm, _: This| true;
        "is_finite($self, /)" => |_: &Vm, a: This| a.0.num().is_finite();
        "is_infinite($self, /)" => |_: &Vm, a: This| a.0.num().is_infinite();
        "is_nan($self, /)" => |_: &Vm, a: This| a.0.num().is_nan();
        "is_qnan($self, /)" => |_: &Vm, a: This| a.0.num().form == Form::Quiet;
        "is_snan($self, /)" => |_: &Vm, a: This| a.0.num().form == Form::Signaling;
        "is_signed($self, /)" => |_: &Vm, a: This| a.0.is_negative();
        "is_zero($self, /)" => |_: &Vm, a: This| a.0.num().is_zero();
        "is_normal($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| -> R<bool> { Ok(compare::is_normal(&a.0.num(), &context::argument(vm, c)?.rules.get())) };
        "is_subnormal($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| -> R<bool> { Ok(compare::is_subnormal(&a.0.num(), &context::argument(vm, c)?.rules.get())) };
        "ln($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| unary(vm, a.0, c, powers::ln);
        "log10($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| unary(vm, a.0, c, powers::log10);
        "logb($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| unary(vm, a.0, c, digits::logb);
        "logical_and($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, digits::logical_and);
        "logical_invert($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| unary(vm, a.0, c, digits::logical_invert);
        "logical_or($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, digits::logical_or);
        "logical_xor($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, digits::logical_xor);
        "max($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, compare::max);
        "max_mag($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, compare::max_mag);
        "min($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, compare::min);
        "min_mag($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, compare::min_mag);
        "next_minus($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| unary(vm, a.0, c, compare::next_minus);
        "next_plus($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| unary(vm, a.0, c, compare::next_plus);
        "next_toward($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, compare::next_toward);
        "normalize($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| unary(vm, a.0, c, arith::reduce), "Normalize the number by stripping trailing 0s";
        "number_class($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| -> R<&'static str> { Ok(compare::class(&a.0.num(), &context::argument(vm, c)?.rules.get())) };
        "quantize($self, /, exp, rounding=None, context=None)" => |vm: &Vm, a: This, exp: Value, rounding: Option<Value>, c: Ctx| -> R<Value> {
            let c = context::argument(vm, c)?;
            let rounding = rounding_argument(vm, rounding, c)?;
            let exp = argument(vm, exp)?;
            run(vm, c, |w| { w.rules.rounding = rounding; arith::quantize(w, &a.0.num(), &exp) })
        }, "Round to the exponent of the other number.\n\n>>> Decimal('2.71828').quantize(Decimal('0.01'))\nDecimal('2.72')";
        "radix($self, /)" => |vm: &Vm, _: This| plain(vm, Num::int(10));
        "remainder_near($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, arith::rem_near);
        "rotate($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, digits::rotate);
        "same_quantum($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| -> R<bool> { context::argument(vm, c)?; Ok(compare::same_quantum(&a.0.num(), &argument(vm, b)?)) };
        "scaleb($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, digits::scaleb);
        "shift($self, /, other, context=None)" => |vm: &Vm, a: This, b: Value, c: Ctx| binary(vm, a.0, b, c, digits::shift);
        "sqrt($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| unary(vm, a.0, c, arith::sqrt);
        "to_eng_string($self, /, context=None)" => |vm: &Vm, a: This, c: Ctx| -> R<Value> { let c = context::argument(vm, c)?; Ok(Str::new(vm, &text::to_text(&a.0.num(), true, c.capitals.get()))?.value()) };
        "to_integral($self, /, rounding=None, context=None)" => |vm: &Vm, a: This, r: Option<Value>, c: Ctx| to_integral(vm, a.0, r, c, false);
        "to_integral_exact($self, /, rounding=None, context=None)" => |vm: &Vm, a: This, r: Option<Value>, c: Ctx| to_integral(vm, a.0, r, c, true);
        "to_integral_value($self, /, rounding=None, context=None)" => |vm: &Vm, a: This, r: Option<Value>, c: Ctx| to_integral(vm, a.0, r, c, false);
    }
    getset {
        "real" => |_: &Vm, a: This| -> R<Value> { Ok(a.0.value()) };
        "imag" => |vm: &Vm, _: This| plain(vm, Num::int(0));
    }
}

// ---- operations in a context

/// The result of an operation in a context.
#[inline]
pub fn run(vm: &Vm, c: ContextRef, f: impl FnOnce(&mut Work<'_>) -> R<Num>) -> R<Value> {
    let mut w = c.work(vm);
    let n = f(&mut w)?;
    c.signal(vm, w.status)?;
    plain(vm, n)
}

#[inline]
fn operator(vm: &Vm, a: DecimalRef, b: Value, f: Binary) -> R<Value> {
    let Some(b) = operand(vm, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    run(vm, context::get(vm)?, |w| f(w, &a.num(), &b))
}

fn reflected(vm: &Vm, a: DecimalRef, b: Value, f: Binary) -> R<Value> {
    let Some(b) = operand(vm, b) else { return Ok(Value::NOT_IMPLEMENTED) };
    run(vm, context::get(vm)?, |w| f(w, &b, &a.num()))
}

fn unary(vm: &Vm, a: DecimalRef, c: Ctx, f: Unary) -> R<Value> {
    run(vm, context::argument(vm, c)?, |w| f(w, &a.num()))
}

fn binary(vm: &Vm, a: DecimalRef, b: Value, c: Ctx, f: Binary) -> R<Value> {
    let c = context::argument(vm, c)?;
    let b = argument(vm, b)?;
    run(vm, c, |w| f(w, &a.num(), &b))
}

pub fn div_mod(vm: &Vm, c: ContextRef, a: &Num, b: &Num) -> R<Value> {
    let mut w = c.work(vm);
    let (q, r) = arith::div_mod(&mut w, a, b)?;
    c.signal(vm, w.status)?;
    let q = plain(vm, q)?;
    vm.tuple(&[q, plain(vm, r)?])
}

pub fn fma(vm: &Vm, c: ContextRef, a: &Num, b: Value, third: Value) -> R<Value> {
    let (b, third) = (argument(vm, b)?, argument(vm, third)?);
    run(vm, c, |w| arith::fma(w, a, &b, &third))
}

pub fn copy_sign(vm: &Vm, mut a: Num, b: Value) -> R<Value> {
    a.negative = argument(vm, b)?.negative;
    plain(vm, a)
}

fn power_operator(vm: &Vm, a: Value, b: Value, m: Option<Value>) -> R<Value> {
    let (Some(a), Some(b)) = (operand(vm, a), operand(vm, b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    let c = context::get(vm)?;
    match m.filter(|m| !m.is_none()) {
        None => run(vm, c, |w| powers::pow(w, &a, &b)),
        Some(m) => match operand(vm, m) {
            Some(m) => run(vm, c, |w| powers::pow_mod(w, &a, &b, &m)),
            None => Ok(Value::NOT_IMPLEMENTED),
        },
    }
}

/// A rounding mode that may be left to the context. TypeError.
fn rounding_argument(vm: &Vm, v: Option<Value>, c: ContextRef) -> R<Rounding> {
    match v.filter(|v| !v.is_none()) {
        None => Ok(c.rules.get().rounding),
        Some(v) => context::rounding(vm, v),
    }
}

fn to_integral(vm: &Vm, a: DecimalRef, rounding: Option<Value>, c: Ctx, tells: bool) -> R<Value> {
    let c = context::argument(vm, c)?;
    let rounding = rounding_argument(vm, rounding, c)?;
    run(vm, c, |w| {
        w.rules.rounding = rounding;
        arith::to_integral(w, &a.num(), tells)
    })
}

// ---- construction and conversion

static NEW: Parameters =
    Parameters { function: Some("Decimal"), names: &["value", "context"], positional: 2 };

/// Of a number, or of an object that is a Decimal of this very class.
fn of_class(vm: &Vm, class: Ref<Type>, n: Num) -> R<Value> {
    Ok(allocate(vm, class, n)?.value())
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, decimal_type(vm)?)?;
    let [value, c] = NEW.bind(vm, args.rest())?;
    let c = context::argument(vm, Some(c))?;
    if value.is_unbound() {
        return of_class(vm, class, Num::int(0));
    }
    let own = decimal_type(vm)?;
    if class == own && vm.type_of(value) == own {
        return Ok(value);
    }
    of_class(vm, class, of_object(vm, value, c, How::Exact)?)
}

/// An instance of a subclass is made by calling it with a Decimal.
fn called(vm: &Vm, class: Ref<Type>, n: Num) -> R<Value> {
    let made = plain(vm, n)?;
    if class == decimal_type(vm)? { Ok(made) } else { vm.call(class.value(), &[made]) }
}

/// The number of a float or int. TypeError.
pub fn float_number(vm: &Vm, v: Value) -> R<Num> {
    match (of_int(vm, v), vm.as_float(v)) {
        (Some(n), _) => Ok(n),
        (None, Some(f)) => Ok(of_float(f)),
        (None, None) => Err(vm.type_error("argument must be int or float")),
    }
}

fn from_float(vm: &Vm, class: Ref<Type>, v: Value) -> R<Value> {
    called(vm, class, float_number(vm, v)?)
}

fn from_number(vm: &Vm, class: Ref<Type>, v: Value) -> R<Value> {
    let n = match (operand(vm, v), vm.as_float(v)) {
        (Some(n), _) => n,
        (None, Some(f)) => of_float(f),
        (None, None) => return Err(convert::not_supported(vm, v)),
    };
    called(vm, class, n)
}

/// ValueError for a signaling NaN.
fn to_float(vm: &Vm, n: &Num) -> R<f64> {
    match n.form {
        Form::Signaling => Err(vm.value_error("cannot convert signaling NaN to float")),
        Form::Quiet => Ok(if n.negative { -f64::NAN } else { f64::NAN }),
        Form::Infinite => Ok(if n.negative { f64::NEG_INFINITY } else { f64::INFINITY }),
        Form::Finite => {
            let text = text::to_text(n, false, true);
            Ok(std::str::from_utf8(&text).ok().and_then(|t| t.parse().ok()).unwrap_or(f64::NAN))
        }
    }
}

/// The text of a number in the current context's letters. MemoryError.
fn shown(vm: &Vm, a: DecimalRef, engineering: bool) -> R<Vec<u8>> {
    let capitals = context::get(vm)?.capitals.get();
    let n = a.num();
    vm.check_room(n.coeff.digits() as usize)?;
    Ok(text::to_text(&n, engineering, capitals))
}

fn rounded_int(vm: &Vm, a: DecimalRef, rounding: Rounding) -> R<Value> {
    let n = a.num();
    check_finite(vm, &n, "integer")?;
    let mut w = Work::new(vm, Rules { rounding, ..Rules::EXACT });
    let n = arith::to_integral(&mut w, &n, false)?;
    to_int(vm, &n)
}

fn round(vm: &Vm, a: This, digits: Option<Value>) -> R<Value> {
    let Some(digits) = digits else { return rounded_int(vm, a.0, Rounding::HalfEven) };
    if !vm.is_int(digits) {
        return Err(vm.type_error("optional arg must be an integer"));
    }
    let places = vm.index_i64(digits)?;
    let exp = Num::finite(false, super::coeff::Coeff::ONE, places.checked_neg().unwrap_or(i64::MAX));
    run(vm, context::get(vm)?, |w| arith::quantize(w, &a.0.num(), &exp))
}

fn as_tuple(vm: &Vm, a: This) -> R<Value> {
    let n = a.0.num();
    let mut row = Vec::new();
    if n.is_infinite() {
        row.push(b'0');
    } else if n.is_finite() || !n.coeff.is_zero() {
        vm.check_room(n.coeff.digits() as usize * 9)?;
        n.coeff.write(&mut row);
    }
    let digits: Vec<Value> = row.iter().map(|d| Value::small_int((d - b'0').into())).collect();
    let exp = match n.form {
        Form::Finite => vm.int(n.exp)?,
        Form::Infinite => vm.str("F")?,
        Form::Quiet => vm.str("n")?,
        Form::Signaling => vm.str("N")?,
    };
    let tuple = vm.state::<State>().tuple(vm)?;
    vm.call(tuple, &[Value::small_int(n.negative.into()), vm.tuple(&digits)?, exp])
}

fn hash(vm: &Vm, a: This) -> R<i64> {
    let n = a.0.num();
    match n.form {
        Form::Signaling => Err(vm.type_error("Cannot hash a signaling NaN value")),
        Form::Quiet => {
            let plain = vm.types.object.lookup(vm, vm.intern("__hash__")?).unwrap_or(Value::NONE);
            let h = vm.call(plain, &[a.0.value()])?;
            vm.index_i64(h)
        }
        _ => Ok(convert::hash(&n)),
    }
}

// ---- comparison

/// The two sides of a comparison as numbers. None: they cannot be compared.
fn comparable(vm: &Vm, op: Special, a: Num, b: Value, c: ContextRef) -> R<Option<(Num, Num)>> {
    if let Some(b) = operand(vm, b) {
        return Ok(Some((a, b)));
    }
    let equality = matches!(op, Special::Eq | Special::Ne);
    let mut float = vm.as_float(b);
    if equality && let Some(z) = b.cast::<skein_runtime::types::complex::Complex>() {
        float = (z.im() == 0.0).then(|| z.re());
        if float.is_none() {
            return Ok(None);
        }
    }
    if let Some(f) = float {
        if equality {
            // Equality is told and not trapped.
            c.flags.set(c.flags.get() | FLOAT_OPERATION);
        } else {
            c.signal(vm, FLOAT_OPERATION)?;
        }
        return Ok(Some((a, of_float(f))));
    }
    if b.header().is_none() || b.cast::<Str>().is_some() {
        return Ok(None);
    }
    let rational = vm.get_attr_str(import(vm, "numbers")?, "Rational")?;
    if !vm.is_instance(b, rational)? {
        return Ok(None);
    }
    let part = |name: &str| -> R<Num> {
        let v = vm.get_attr_str(b, name)?;
        of_int(vm, v).ok_or_else(|| vm.type_error(format!("{name} is not an integer")))
    };
    let (above, below) = (part("numerator")?, part("denominator")?);
    if !a.is_finite() {
        return Ok(Some((a, above)));
    }
    // No context limits what is only compared.
    let product = Num::finite(a.negative, a.coeff.times(&below.coeff), a.exp);
    Ok(Some((product, above)))
}

fn rich_compare(vm: &Vm, op: Special, a: DecimalRef, b: Value) -> R<Value> {
    let c = context::get(vm)?;
    let Some((x, y)) = comparable(vm, op, a.num(), b, c)? else { return Ok(Value::NOT_IMPLEMENTED) };
    if x.is_nan() || y.is_nan() {
        let equality = matches!(op, Special::Eq | Special::Ne);
        if !equality || x.form == Form::Signaling || y.form == Form::Signaling {
            c.signal(vm, INVALID_OPERATION)?;
        }
        return Ok(Value::bool(op == Special::Ne));
    }
    Ok(Value::bool(holds(op, x.compare(&y))))
}

// ---- format

/// The marks that a locale has, or a dict in its place. ValueError, TypeError.
fn set_marks(vm: &Vm, spec: &mut format::Spec, from: Value, is_override: bool) -> R<()> {
    let find = |name: &str| -> R<Option<Value>> {
        vm.absorb(vm.call_method(from, "__getitem__", &[vm.str(name)?]), vm.exc.key_error)
    };
    let text = |v: Value| -> R<String> {
        match v.cast::<Str>() {
            Some(s) => Ok(s.to_string_lossy().into_owned()),
            None if is_override => Err(vm.type_error("bad argument type for built-in operation")),
            None => vm.str_string(v),
        }
    };
    if let Some(v) = find("decimal_point")? {
        spec.marks.point = text(v)?;
    }
    if let Some(v) = find("thousands_sep")? {
        spec.marks.separator = text(v)?;
    }
    if let Some(v) = find("grouping")? {
        spec.marks.grouping = match v.cast::<Str>() {
            Some(s) => {
                let sizes: Vec<u32> = s.code_points().collect();
                if sizes.iter().any(|&n| n > 127) {
                    return Err(vm.value_error("invalid override dict"));
                }
                sizes.iter().map(|&n| n as u8).collect()
            }
            None => {
                let mut sizes = Vec::new();
                vm.for_each(v, |n| vm.push(&mut sizes, vm.index_i64(n)?.clamp(0, 127) as u8))?;
                sizes
            }
        };
    }
    if spec.marks.point.chars().count() > 1 || spec.marks.separator.chars().count() > 1 {
        return Err(vm.value_error("invalid override dict"));
    }
    Ok(())
}

fn dunder_format(vm: &Vm, a: This, spec: Value, over: Option<Value>) -> R<Value> {
    let Some(text) = spec.cast::<Str>() else { return Err(vm.type_error("format arg must be str")) };
    let c = context::get(vm)?;
    let mut spec = format::Spec::parse(vm, text)?;
    if let Some(over) = over {
        if over.cast::<skein_runtime::types::dict::Dict>().is_none() {
            return Err(vm.type_error("optional argument must be a dict"));
        }
        set_marks(vm, &mut spec, over, true)?;
    } else if spec.locale {
        let locale = import(vm, "_locale")?;
        let marks = vm.call_method(locale, "localeconv", &[])?;
        set_marks(vm, &mut spec, marks, false)?;
    }
    format::format(&c.work(vm), &a.0.num(), &spec, c.capitals.get())
}
