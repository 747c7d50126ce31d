//! `Context` as Python sees it.

use super::super::arguments::Parameters;
use super::class::{copy_sign, div_mod, float_number, fma, run};
use super::context::{self, Context, ContextRef, Manager};
use super::convert::{How, argument, of_object, plain};
use super::number::{Form, Num, Work};
use super::{arith, compare, digits, powers, text};
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::ext::{Ext, ExtArg};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};

type This = ExtArg<Context>;

native_type! {
    pub CONTEXT: "decimal.Context", Kind::Ext, type_flags::BASETYPE,
        "The context affects almost all operations and controls rounding,\nOver/Underflow, raising of exceptions and much more.  A new context\ncan be initialized as follows:\n\n    >>> c = Context(prec=28, Emin=-425000000, Emax=425000000,\n    ...             rounding=ROUND_HALF_EVEN, capitals=1, clamp=1,\n    ...             traps=[InvalidOperation, DivisionByZero, Overflow],\n    ...             flags=[])\n    >>>\n\n\n";
    methods {
        [static] "__new__($type, prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)" => context::new;
        "__init__($self, prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)" => init;
        "__repr__($self, /)" => |_: &Vm, c: This| context::repr(c.0);
        "__reduce__($self, /)" => |vm: &Vm, c: This| context::reduce(vm, c.0);
        "__copy__($self, /)" => |vm: &Vm, c: This| context::copy(vm, c.0);
        "copy($self, /)" => |vm: &Vm, c: This| context::copy(vm, c.0), "Return a duplicate of the context.\n\n";
        "clear_flags($self, /)" => |_: &Vm, c: This| c.0.flags.set(0), "Reset all flags to False.\n\n";
        "clear_traps($self, /)" => |_: &Vm, c: This| c.0.traps.set(0), "Set all traps to False.\n\n";
        "Etiny($self, /)" => |_: &Vm, c: This| c.0.rules.get().etiny(), "Return a value equal to Emin - prec + 1, which is the minimum exponent value\nfor subnormal results.  When underflow occurs, the exponent is set to Etiny.\n\n";
        "Etop($self, /)" => |_: &Vm, c: This| c.0.rules.get().etop(), "Return a value equal to Emax - prec + 1.  This is the maximum exponent\nif the _clamp field of the context is set to 1 (IEEE clamp mode).  Etop()\nmust not be negative.\n\n";
        "radix($self, /)" => |vm: &Vm, _: This| plain(vm, Num::int(10)), "Return 10.\n\n";
        "create_decimal($self, num='0', /)" => |vm: &Vm, c: This, v: Option<Value>| -> R<Value> {
            match v {
                None => plain(vm, Num::int(0)),
                Some(v) => plain(vm, of_object(vm, v, c.0, How::Rounded)?),
            }
        }, "Create a new Decimal instance from num, using self as the context. Unlike the\nDecimal constructor, this function observes the context limits.\n\n";
        "create_decimal_from_float($self, f, /)" => |vm: &Vm, c: This, v: Value| -> R<Value> { let n = float_number(vm, v)?; run(vm, c.0, |w| n.finish(w)) }, "Create a new Decimal instance from float f.  Unlike the Decimal.from_float()\nclass method, this function observes the context limits.\n\n";
        "_apply($self, object, /)" => |vm: &Vm, c: This, v: Value| -> R<Value> { let n = argument(vm, v)?; run(vm, c.0, |w| n.finish(w)) };
        "abs($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, arith::abs), "Return the absolute value of x.\n\n";
        "add($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, arith::add), "Return the sum of x and y.\n\n";
        "canonical($self, x, /)" => |vm: &Vm, _: This, x: Value| decimal_only(vm, x), "Return a new instance of x.\n\n";
        "compare($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, compare::compare), "Compare x and y numerically.\n\n";
        "compare_signal($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, compare::compare_signal), "Compare x and y numerically.  All NaNs signal.\n\n";
        "compare_total($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, compare::compare_total), "Compare x and y using their abstract representation.\n\n";
        "compare_total_mag($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, compare::compare_total_mag), "Compare x and y using their abstract representation, ignoring sign.\n\n";
        "copy_abs($self, x, /)" => |vm: &Vm, _: This, x: Value| -> R<Value> { plain(vm, argument(vm, x)?.abs()) }, "Return a copy of x with the sign set to 0.\n\n";
        "copy_decimal($self, x, /)" => |vm: &Vm, _: This, x: Value| -> R<Value> { plain(vm, argument(vm, x)?) }, "Return a copy of Decimal x.\n\n";
        "copy_negate($self, x, /)" => |vm: &Vm, _: This, x: Value| -> R<Value> { plain(vm, argument(vm, x)?.negated()) }, "Return a copy of x with the sign inverted.\n\n";
        "copy_sign($self, x, y, /)" => |vm: &Vm, _: This, x: Value, y: Value| -> R<Value> { let x = argument(vm, x)?; copy_sign(vm, x, y) }, "Copy the sign from y to x.\n\n";
        "divide($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, arith::div), "Return x divided by y.\n\n";
        "divide_int($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, arith::div_int), "Return x divided by y, truncated to an integer.\n\n";
        "divmod($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| -> R<Value> { let x = argument(vm, x)?; div_mod(vm, c.0, &x, &argument(vm, y)?) }, "Return quotient and remainder of the division x / y.\n\n";
        "exp($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, powers::exp), "Return e ** x.\n\n";
        "fma($self, x, y, z, /)" => |vm: &Vm, c: This, x: Value, y: Value, z: Value| -> R<Value> { let x = argument(vm, x)?; fma(vm, c.0, &x, y, z) }, "Return x multiplied by y, plus z.\n\n";
        "is_canonical($self, x, /)" => |vm: &Vm, _: This, x: Value| -> R<bool> { decimal_only(vm, x)?; Ok(true) }, "Return True if x is canonical, False otherwise.\n\n";
        "is_finite($self, x, /)" => |vm: &Vm, _: This, x: Value| -> R<bool> { Ok(argument(vm, x)?.is_finite()) }, "Return True if x is finite, False otherwise.\n\n";
        "is_infinite($self, x, /)" => |vm: &Vm, _: This, x: Value| -> R<bool> { Ok(argument(vm, x)?.is_infinite()) }, "Return True if x is infinite, False otherwise.\n\n";
        "is_nan($self, x, /)" => |vm: &Vm, _: This, x: Value| -> R<bool> { Ok(argument(vm, x)?.is_nan()) }, "Return True if x is a qNaN or sNaN, False otherwise.\n\n";
        "is_normal($self, x, /)" => |vm: &Vm, c: This, x: Value| -> R<bool> { Ok(compare::is_normal(&argument(vm, x)?, &c.0.rules.get())) }, "Return True if x is a normal number, False otherwise.\n\n";
        "is_qnan($self, x, /)" => |vm: &Vm, _: This, x: Value| -> R<bool> { Ok(argument(vm, x)?.form == Form::Quiet) }, "Return True if x is a quiet NaN, False otherwise.\n\n";
        "is_signed($self, x, /)" => |vm: &Vm, _: This, x: Value| -> R<bool> { Ok(argument(vm, x)?.negative) }, "Return True if x is negative, False otherwise.\n\n";
        "is_snan($self, x, /)" => |vm: &Vm, _: This, x: Value| -> R<bool> { Ok(argument(vm, x)?.form == Form::Signaling) }, "Return True if x is a signaling NaN, False otherwise.\n\n";
        "is_subnormal($self, x, /)" => |vm: &Vm, c: This, x: Value| -> R<bool> { Ok(compare::is_subnormal(&argument(vm, x)?, &c.0.rules.get())) }, "Return True if x is subnormal, False otherwise.\n\n";
        "is_zero($self, x, /)" => |vm: &Vm, _: This, x: Value| -> R<bool> { Ok(argument(vm, x)?.is_zero()) }, "Return True if x is a zero, False otherwise.\n\n";
        "ln($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, powers::ln), "Return the natural (base e) logarithm of x.\n\n";
        "log10($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, powers::log10), "Return the base 10 logarithm of x.\n\n";
        "logb($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, digits::logb), "Return the exponent of the magnitude of the operand's MSD.\n\n";
        "logical_and($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, digits::logical_and), "Applies the logical operation 'and' between each operand's digits.";
        "logical_invert($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, digits::logical_invert), "Invert all the digits in the operand.";
        "logical_or($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, digits::logical_or), "Applies the logical operation 'or' between each operand's digits.";
        "logical_xor($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, digits::logical_xor), "Applies the logical operation 'xor' between each operand's digits.";
        "max($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, compare::max), "Compare the values numerically and return the maximum.\n\n";
        "max_mag($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, compare::max_mag), "Compare the values numerically with their sign ignored.\n\n";
        "min($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, compare::min), "Compare the values numerically and return the minimum.\n\n";
        "min_mag($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, compare::min_mag), "Compare the values numerically with their sign ignored.\n\n";
        "minus($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, arith::minus), "Minus corresponds to the unary prefix minus operator in Python, but applies\nthe context to the result.\n\n";
        "multiply($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, arith::mul), "Return the product of x and y.\n\n";
        "next_minus($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, compare::next_minus), "Return the largest representable number smaller than x.\n\n";
        "next_plus($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, compare::next_plus), "Return the smallest representable number larger than x.\n\n";
        "next_toward($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, compare::next_toward), "Return the number closest to x, in the direction towards y.\n\n";
        "normalize($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, arith::reduce), "Reduce x to its simplest form. Alias for reduce(x).\n\n";
        "number_class($self, x, /)" => |vm: &Vm, c: This, x: Value| -> R<&'static str> { Ok(compare::class(&argument(vm, x)?, &c.0.rules.get())) }, "Return an indication of the class of x.\n\n";
        "plus($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, arith::plus), "Plus corresponds to the unary prefix plus operator in Python, but applies\nthe context to the result.\n\n";
        "power($self, /, a, b, modulo=None)" => power, "Compute a**b. If 'a' is negative, then 'b' must be integral.";
        "quantize($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, arith::quantize), "Return a value equal to x (rounded), having the exponent of y.\n\n";
        "remainder($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, arith::rem), "Return the remainder from integer division.  The sign of the result,\nif non-zero, is the same as that of the original dividend.\n\n";
        "remainder_near($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, arith::rem_near), "Return x - y * n, where n is the integer nearest the exact value of x / y\n(if the result is 0 then its sign will be the sign of x).\n\n";
        "rotate($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, digits::rotate), "Return a copy of x, rotated by y places.\n\n";
        "same_quantum($self, x, y, /)" => |vm: &Vm, _: This, x: Value, y: Value| -> R<bool> { let x = argument(vm, x)?; Ok(compare::same_quantum(&x, &argument(vm, y)?)) }, "Return True if the two operands have the same exponent.\n\n";
        "scaleb($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, digits::scaleb), "Return the first operand after adding the second value to its exp.\n\n";
        "shift($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, digits::shift), "Return a copy of x, shifted by y places.\n\n";
        "sqrt($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, arith::sqrt), "Square root of a non-negative number to context precision.\n\n";
        "subtract($self, x, y, /)" => |vm: &Vm, c: This, x: Value, y: Value| binary(vm, c.0, x, y, arith::sub), "Return the difference between x and y.\n\n";
        "to_eng_string($self, x, /)" => |vm: &Vm, c: This, x: Value| shown(vm, c.0, x, true), "Convert a number to a string, using engineering notation.\n\n";
        "to_integral($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, |w, n| arith::to_integral(w, n, false)), "Identical to to_integral_value(x).\n\n";
        "to_integral_exact($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, |w, n| arith::to_integral(w, n, true)), "Round to an integer. Signal if the result is rounded or inexact.\n\n";
        "to_integral_value($self, x, /)" => |vm: &Vm, c: This, x: Value| unary(vm, c.0, x, |w, n| arith::to_integral(w, n, false)), "Round to an integer.\n\n";
        "to_sci_string($self, x, /)" => |vm: &Vm, c: This, x: Value| shown(vm, c.0, x, false), "Convert a number to a string using scientific notation.\n\n";
    }
    getset {
        "prec" => |vm: &Vm, c: This| vm.int(c.0.rules.get().prec), |vm: &Vm, c: This, v: Option<Value>| context::set_prec(vm, c.0, v);
        "rounding" => |vm: &Vm, c: This| vm.intern(c.0.rules.get().rounding.name()).map(Value::from), |vm: &Vm, c: This, v: Option<Value>| context::set_rounding(vm, c.0, v);
        "Emin" => |vm: &Vm, c: This| vm.int(c.0.rules.get().emin), |vm: &Vm, c: This, v: Option<Value>| context::set_emin(vm, c.0, v);
        "Emax" => |vm: &Vm, c: This| vm.int(c.0.rules.get().emax), |vm: &Vm, c: This, v: Option<Value>| context::set_emax(vm, c.0, v);
        "capitals" => |vm: &Vm, c: This| vm.int(c.0.capitals.get().into()), |vm: &Vm, c: This, v: Option<Value>| context::set_capitals(vm, c.0, v);
        "clamp" => |vm: &Vm, c: This| vm.int(c.0.rules.get().clamp.into()), |vm: &Vm, c: This, v: Option<Value>| context::set_clamp(vm, c.0, v);
        "flags" => |vm: &Vm, c: This| context::signal_dict(vm, c.0, false), |vm: &Vm, c: This, v: Option<Value>| context::set_flags(vm, c.0, v);
        "traps" => |vm: &Vm, c: This| context::signal_dict(vm, c.0, true), |vm: &Vm, c: This, v: Option<Value>| context::set_traps(vm, c.0, v);
    }
}

native_type! {
    pub MANAGER: "decimal.ContextManager", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__enter__($self, /)" => |vm: &Vm, m: ExtArg<Manager>| context::enter(vm, m.0);
        "__exit__($self, type, value, traceback, /)" => |vm: &Vm, m: ExtArg<Manager>, _: Value, _: Value, _: Value| context::exit(vm, m.0);
    }
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let this: Option<Ref<Ext<Context>>> = args.positional().first().and_then(|v| v.cast());
    let Some(this) = this else {
        return Err(vm.type_error("descriptor '__init__' requires a 'decimal.Context' object"));
    };
    let given = context::NEW.bind(vm, args.rest())?;
    context::fill(vm, this, &given)
}

fn unary(vm: &Vm, c: ContextRef, x: Value, f: fn(&mut Work<'_>, &Num) -> R<Num>) -> R<Value> {
    let x = argument(vm, x)?;
    run(vm, c, |w| f(w, &x))
}

fn binary(
    vm: &Vm,
    c: ContextRef,
    x: Value,
    y: Value,
    f: fn(&mut Work<'_>, &Num, &Num) -> R<Num>,
) -> R<Value> {
    let (x, y) = (argument(vm, x)?, argument(vm, y)?);
    run(vm, c, |w| f(w, &x, &y))
}

/// An argument that may not even be an int. TypeError.
fn decimal_only(vm: &Vm, x: Value) -> R<Value> {
    if x.cast::<Ext<super::convert::Decimal>>().is_some() {
        return Ok(x);
    }
    Err(vm.type_error("argument must be a Decimal"))
}

fn shown(vm: &Vm, c: ContextRef, x: Value, engineering: bool) -> R<Value> {
    let n = argument(vm, x)?;
    vm.check_room(n.coeff.digits() as usize)?;
    Ok(Str::new(vm, &text::to_text(&n, engineering, c.capitals.get()))?.value())
}

static POWER: Parameters =
    Parameters { function: Some("power"), names: &["a", "b", "modulo"], positional: 3 };

fn power(vm: &Vm, args: Args<'_>) -> R<Value> {
    let this: Option<Ref<Ext<Context>>> = args.positional().first().and_then(|v| v.cast());
    let Some(this) = this else {
        return Err(vm.type_error("descriptor 'power' requires a 'decimal.Context' object"));
    };
    let [a, b, m] = POWER.bind(vm, args.rest())?;
    for (i, v) in [a, b].into_iter().enumerate() {
        if v.is_unbound() {
            return Err(POWER.missing(vm, i));
        }
    }
    let (a, b) = (argument(vm, a)?, argument(vm, b)?);
    if m.is_unbound() || m.is_none() {
        return run(vm, this, |w| powers::pow(w, &a, &b));
    }
    let m = argument(vm, m)?;
    run(vm, this, |w| powers::pow_mod(w, &a, &b, &m))
}
