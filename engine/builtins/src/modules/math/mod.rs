//! The module `math`.

mod integers;
mod sums;

use crate::types::{Int, float_to_int};
use num_bigint::BigInt as Big;
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::int::big_to_f64;
use skein_runtime::types::module::Module;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

native_functions! { pub FUNCTIONS:
    [simple] "acos(x, /)" => |vm: &Vm, x: f64| checked(vm, x, x.acos(), "expected a number in range from -1 up to 1"), "Return the arc cosine (measured in radians) of x.\n\nThe result is between 0 and pi.";
    "acosh(x, /)" => |vm: &Vm, x: f64| checked(vm, x, libm::acosh(x), "expected argument value not less than 1"), "Return the inverse hyperbolic cosine of x.";
    [simple] "asin(x, /)" => |vm: &Vm, x: f64| checked(vm, x, x.asin(), "expected a number in range from -1 up to 1"), "Return the arc sine (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2.";
    "asinh(x, /)" => |vm: &Vm, x: f64| checked(vm, x, libm::asinh(x), ""), "Return the inverse hyperbolic sine of x.";
    [simple] "atan(x, /)" => |_: &Vm, x: f64| x.atan(), "Return the arc tangent (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2.";
    [simple] "atan2(y, x, /)" => |_: &Vm, y: f64, x: f64| y.atan2(x), "Return the arc tangent (measured in radians) of y/x.\n\nUnlike atan(y/x), the signs of both x and y are considered.";
    "atanh(x, /)" => |vm: &Vm, x: f64| checked(vm, x, libm::atanh(x), "expected a number between -1 and 1"), "Return the inverse hyperbolic tangent of x.";
    "cbrt(x, /)" => |_: &Vm, x: f64| x.cbrt(), "Return the cube root of x.";
    [simple] "ceil(x, /)" => |vm: &Vm, v: Value| rounded(vm, v, Special::Ceil, f64::ceil), "Return the ceiling of x as an Integral.\n\nThis is the smallest integer >= x.";
    [simple] "copysign(x, y, /)" => |_: &Vm, x: f64, y: f64| x.copysign(y), "Return a float with the magnitude (absolute value) of x but the sign of y.\n\nOn platforms that support signed zeros, copysign(1.0, -0.0)\nreturns -1.0.\n";
    [simple] "cos(x, /)" => |vm: &Vm, x: f64| checked(vm, x, x.cos(), "expected a finite input"), "Return the cosine of x (measured in radians).";
    "cosh(x, /)" => |vm: &Vm, x: f64| overflowing(vm, x, x.cosh()), "Return the hyperbolic cosine of x.";
    [simple] "degrees(x, /)" => |_: &Vm, x: f64| x * (180.0 / std::f64::consts::PI), "Convert angle x from radians to degrees.";
    "dist(p, q, /)" => sums::dist, "Return the Euclidean distance between two points p and q.\n\nThe points should be specified as sequences (or iterables) of\ncoordinates.  Both inputs must have the same dimension.\n\nRoughly equivalent to:\n    sqrt(sum((px - qx) ** 2.0 for px, qx in zip(p, q)))";
    "erf(x, /)" => |_: &Vm, x: f64| libm::erf(x), "Error function at x.";
    "erfc(x, /)" => |_: &Vm, x: f64| libm::erfc(x), "Complementary error function at x.";
    [simple] "exp(x, /)" => |vm: &Vm, x: f64| overflowing(vm, x, x.exp()), "Return e raised to the power of x.";
    "exp2(x, /)" => |vm: &Vm, x: f64| overflowing(vm, x, x.exp2()), "Return 2 raised to the power of x.";
    "expm1(x, /)" => |vm: &Vm, x: f64| overflowing(vm, x, x.exp_m1()), "Return exp(x)-1.\n\nThis function avoids the loss of precision involved in the direct evaluation of exp(x)-1 for small x.";
    [simple] "fabs(x, /)" => |_: &Vm, x: f64| x.abs(), "Return the absolute value of the float x.";
    "factorial(n, /)" => integers::factorial, "Find n!.";
    [simple] "floor(x, /)" => |vm: &Vm, v: Value| rounded(vm, v, Special::Floor, f64::floor), "Return the floor of x as an Integral.\n\nThis is the largest integer <= x.";
    "fma(x, y, z, /)" => fma, "Fused multiply-add operation.\n\nCompute (x * y) + z with a single round.";
    [simple] "fmod(x, y, /)" => fmod, "Return fmod(x, y), according to platform C.\n\nx % y may differ.";
    "frexp(x, /)" => frexp, "Return the mantissa and exponent of x, as pair (m, e).\n\nm is a float and e is an int, such that x = m * 2.**e.\nIf x is 0, m and e are both 0.  Else 0.5 <= abs(m) < 1.0.";
    "fsum(seq, /)" => sums::fsum, "Return an accurate floating-point sum of values in the iterable seq.\n\nAssumes IEEE-754 floating-point arithmetic.";
    "gamma(x, /)" => gamma, "Gamma function at x.";
    "gcd(*integers)" => integers::gcd, "Greatest Common Divisor.";
    [simple] "hypot(*coordinates)" => sums::hypot, "Multidimensional Euclidean distance from the origin to a point.";
    "isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0)" => isclose, "Determine whether two floating-point numbers are close in value.";
    [simple] "isfinite(x, /)" => |_: &Vm, x: f64| x.is_finite(), "Return True if x is neither an infinity nor a NaN, and False otherwise.";
    [simple] "isinf(x, /)" => |_: &Vm, x: f64| x.is_infinite(), "Return True if x is a positive or negative infinity, and False otherwise.";
    [simple] "isnan(x, /)" => |_: &Vm, x: f64| x.is_nan(), "Return True if x is a NaN (not a number), and False otherwise.";
    [simple] "isqrt(n, /)" => integers::isqrt, "Return the integer part of the square root of the input.";
    "lcm(*integers)" => integers::lcm, "Least Common Multiple.";
    "ldexp(x, i, /)" => ldexp, "Return x * (2**i).\n\nThis is essentially the inverse of frexp().";
    "lgamma(x, /)" => lgamma, "Natural logarithm of absolute value of Gamma function at x.";
    [simple] "log(x, base=None, /)" => log, "log(x, [base=math.e])\nReturn the logarithm of x to the given base.\n\nIf the base is not specified, returns the natural logarithm (base e) of x.";
    [simple] "log10(x, /)" => |vm: &Vm, v: Value| logarithm(vm, v, f64::log10), "Return the base 10 logarithm of x.";
    "log1p(x, /)" => |vm: &Vm, x: f64| checked(vm, x, if x <= -1.0 { f64::NAN } else { x.ln_1p() }, "expected argument value > -1"), "Return the natural logarithm of 1+x (base e).\n\nThe result is computed in a way which is accurate for x near zero.";
    [simple] "log2(x, /)" => |vm: &Vm, v: Value| logarithm(vm, v, f64::log2), "Return the base 2 logarithm of x.";
    "modf(x, /)" => modf, "Return the fractional and integer parts of x.\n\nBoth results carry the sign of x and are floats.";
    "nextafter(x, y, /, *, steps=None)" => nextafter, "Return the floating-point value the given number of steps after x towards y.\n\nIf steps is not specified or is None, it defaults to 1.\n\nRaises a TypeError, if x or y is not a double, or if steps is not an integer.\nRaises ValueError if steps is negative.";
    "perm(n, k=None, /)" => integers::perm, "Number of ways to choose k items from n items without repetition and with order.";
    "comb(n, k, /)" => integers::comb, "Number of ways to choose k items from n items without repetition and without order.";
    [simple] "pow(x, y, /)" => pow, "Return x**y (x to the power of y).";
    "prod(iterable, /, *, start=1)" => sums::prod, "Calculate the product of all the elements in the input iterable.\n\nThe default start value for the product is 1.\n\nWhen the iterable is empty, return the start value.  This function is\nintended specifically for use with numeric values and may reject\nnon-numeric types.";
    [simple] "radians(x, /)" => |_: &Vm, x: f64| x * (std::f64::consts::PI / 180.0), "Convert angle x from degrees to radians.";
    "remainder(x, y, /)" => remainder, "Difference between x and the closest integer multiple of y.\n\nReturn x - n*y where n*y is the closest integer multiple of y.\nIn the case where x is exactly halfway between two multiples of\ny, the nearest even value of n is used. The result is always exact.";
    [simple] "sin(x, /)" => |vm: &Vm, x: f64| checked(vm, x, x.sin(), "expected a finite input"), "Return the sine of x (measured in radians).";
    "sinh(x, /)" => |vm: &Vm, x: f64| overflowing(vm, x, x.sinh()), "Return the hyperbolic sine of x.";
    [simple] "sqrt(x, /)" => |vm: &Vm, x: f64| checked(vm, x, x.sqrt(), "expected a nonnegative input"), "Return the square root of x.";
    "sumprod(p, q, /)" => sums::sumprod, "Return the sum of products of values from two iterables p and q.\n\nRoughly equivalent to:\n\n    sum(itertools.starmap(operator.mul, zip(p, q, strict=True)))\n\nFor float and mixed int/float inputs, the intermediate products\nand sums are computed with extended precision.";
    [simple] "tan(x, /)" => |vm: &Vm, x: f64| checked(vm, x, x.tan(), "expected a finite input"), "Return the tangent of x (measured in radians).";
    "tanh(x, /)" => |_: &Vm, x: f64| x.tanh(), "Return the hyperbolic tangent of x.";
    [simple] "trunc(x, /)" => trunc, "Truncates the Real x to the nearest Integral toward 0.\n\nUses the __trunc__ magic method.";
    "ulp(x, /)" => |_: &Vm, x: f64| ulp(x), "Return the value of the least significant bit of the float x.";
}

/// The module.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = Module::new(vm, "math")?;
    skein_runtime::types::module::add_functions(vm, m, FUNCTIONS)?;
    let doc =
        vm.str("This module provides access to the mathematical functions\ndefined by the C standard.")?;
    m.dict().set_name(vm, "__doc__", doc)?;
    for (name, x) in [
        ("pi", std::f64::consts::PI),
        ("e", std::f64::consts::E),
        ("tau", std::f64::consts::TAU),
        ("inf", f64::INFINITY),
        ("nan", f64::NAN),
    ] {
        m.dict().set_name(vm, name, vm.float(x)?)?;
    }
    Ok(m)
}

#[cold]
fn domain_error(vm: &Vm) -> Raised {
    vm.value_error("math domain error")
}

#[cold]
fn range_error(vm: &Vm) -> Raised {
    vm.overflow_error("math range error")
}

/// A function's result, which is no number or infinite only where the argument is out of its domain.
fn checked(vm: &Vm, x: f64, r: f64, wanted: &str) -> R<f64> {
    if (r.is_nan() && !x.is_nan()) || (r.is_infinite() && x.is_finite()) {
        if wanted.is_empty() {
            return Err(domain_error(vm));
        }
        return Err(vm.value_error(format!("{wanted}, got {}", crate::types::float_repr(x))));
    }
    Ok(r)
}

/// A function's result, which is infinite only where it is too large.
fn overflowing(vm: &Vm, x: f64, r: f64) -> R<f64> {
    if r.is_infinite() && x.is_finite() { Err(range_error(vm)) } else { Ok(r) }
}

/// `floor` and `ceil`: by the type's method, else as a float.
fn rounded(vm: &Vm, v: Value, method: Special, f: fn(f64) -> f64) -> R<Value> {
    if let Some(x) = vm.as_float(v)
        && vm.type_of(v) == vm.types.float
    {
        return float_to_int(vm, f(x));
    }
    match vm.type_of(v).special(vm, method) {
        Some(m) => vm.special_1(m, v),
        None => float_to_int(vm, f(vm.to_f64(v)?)),
    }
}

fn trunc(vm: &Vm, v: Value) -> R<Value> {
    match vm.type_of(v).special(vm, Special::Trunc) {
        Some(m) => vm.special_1(m, v),
        None => Err(vm.type_error(format!("type {} doesn't define __trunc__ method", vm.type_name(v)))),
    }
}

fn fma(vm: &Vm, x: f64, y: f64, z: f64) -> R<f64> {
    let r = x.mul_add(y, z);
    if r.is_nan() && !x.is_nan() && !y.is_nan() && !z.is_nan() {
        return Err(vm.value_error("invalid operation in fma"));
    }
    if r.is_infinite() && x.is_finite() && y.is_finite() && z.is_finite() {
        return Err(vm.overflow_error("overflow in fma"));
    }
    Ok(r)
}

fn fmod(vm: &Vm, x: f64, y: f64) -> R<f64> {
    let r = x % y;
    if r.is_nan() && !x.is_nan() && !y.is_nan() { Err(domain_error(vm)) } else { Ok(r) }
}

fn remainder(vm: &Vm, x: f64, y: f64) -> R<f64> {
    if x.is_nan() || y.is_nan() {
        return Ok(x + y);
    }
    if x.is_infinite() || y == 0.0 {
        return Err(domain_error(vm));
    }
    Ok(libm::remainder(x, y))
}

fn pow(vm: &Vm, x: f64, y: f64) -> R<f64> {
    let r = x.powf(y);
    if x.is_finite() && y.is_finite() {
        if r.is_nan() || (x == 0.0 && y < 0.0) {
            return Err(domain_error(vm));
        }
        if r.is_infinite() {
            return Err(range_error(vm));
        }
    }
    Ok(r)
}

fn frexp(vm: &Vm, x: f64) -> R<Ref<Tuple>> {
    let (m, e) = if x == 0.0 || !x.is_finite() { (x, 0) } else { libm::frexp(x) };
    let m = vm.float(m)?;
    Tuple::new(vm, &[m, Value::small_int(i64::from(e))])
}

fn ldexp(vm: &Vm, x: f64, i: Value) -> R<f64> {
    if !vm.is_int(i) {
        return Err(vm.type_error("Expected an int as second argument to ldexp."));
    }
    if x == 0.0 || !x.is_finite() {
        return Ok(x);
    }
    // Beyond these every result is 0 or too large.
    let i = vm.index_clamped(i)?.clamp(-5000, 5000);
    let r = libm::scalbn(x, i as i32);
    if r.is_infinite() { Err(range_error(vm)) } else { Ok(r) }
}

fn modf(vm: &Vm, x: f64) -> R<Ref<Tuple>> {
    let (fraction, whole) =
        if x.is_infinite() { (0.0f64.copysign(x), x) } else { (x.fract().copysign(x), x.trunc()) };
    let fraction = vm.float(fraction)?;
    Tuple::new(vm, &[fraction, vm.float(whole)?])
}

fn gamma(vm: &Vm, x: f64) -> R<f64> {
    if x == f64::NEG_INFINITY || (x <= 0.0 && x.fract() == 0.0) {
        let shown = crate::types::float_repr(x);
        return Err(vm.value_error(format!("expected a noninteger or positive integer, got {shown}")));
    }
    // Of small integers it is a factorial, which floats hold exactly.
    if x.fract() == 0.0 && x <= 23.0 {
        return Ok((1..x as u64).fold(1.0, |p, i| p * i as f64));
    }
    overflowing(vm, x, libm::tgamma(x))
}

fn lgamma(vm: &Vm, x: f64) -> R<f64> {
    if x.is_finite() && x <= 0.0 && x.fract() == 0.0 {
        let shown = crate::types::float_repr(x);
        return Err(vm.value_error(format!("expected a noninteger or positive integer, got {shown}")));
    }
    overflowing(vm, x, libm::lgamma(x))
}

fn isclose(vm: &Vm, a: f64, b: f64, rel: Option<f64>, abs: Option<f64>) -> R<bool> {
    let (rel, abs) = (rel.unwrap_or(1e-9), abs.unwrap_or(0.0));
    if rel < 0.0 || abs < 0.0 {
        return Err(vm.value_error("tolerances must be non-negative"));
    }
    if a == b {
        return Ok(true);
    }
    if a.is_infinite() || b.is_infinite() {
        return Ok(false);
    }
    let diff = (b - a).abs();
    Ok(diff <= (rel * b).abs() || diff <= (rel * a).abs() || diff <= abs)
}

/// The logarithm of any number: ints may be too large for floats.
fn logarithm(vm: &Vm, v: Value, f: fn(f64) -> f64) -> R<f64> {
    let Some(i) = Int::of(v) else {
        let x = vm.to_f64(v)?;
        let r = if x > 0.0 || x.is_nan() { f(x) } else { f64::NAN };
        return checked(vm, x, r, "expected a positive input");
    };
    if i.is_negative() || i.is_zero() {
        return Err(vm.value_error("expected a positive input"));
    }
    if let Int::Small(i) = i {
        return Ok(f(i as f64));
    }
    let big = i.big();
    let x = big_to_f64(&big);
    if x.is_finite() {
        return Ok(f(x));
    }
    let shift = big.bits() - 64;
    let top: Big = &*big >> shift;
    Ok(f(big_to_f64(&top)) + f(2.0) * shift as f64)
}

fn log(vm: &Vm, args: Args<'_>) -> R<f64> {
    if args.has_keywords() {
        return Err(vm.type_error("math.log() takes no keyword arguments"));
    }
    match args.positional() {
        [x] => logarithm(vm, *x, f64::ln),
        [x, base] => {
            let (x, base) = (logarithm(vm, *x, f64::ln)?, logarithm(vm, *base, f64::ln)?);
            if base == 0.0 {
                return Err(vm.zero_division("division by zero"));
            }
            Ok(x / base)
        }
        [] => Err(vm.type_error("log expected at least 1 argument, got 0")),
        more => Err(vm.type_error(format!("log expected at most 2 arguments, got {}", more.len()))),
    }
}

fn ulp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let x = x.abs();
    if x.is_infinite() {
        return x;
    }
    let next = x.next_up();
    if next.is_infinite() { x - x.next_down() } else { next - x }
}

fn nextafter(vm: &Vm, x: f64, y: f64, steps: Option<Value>) -> R<f64> {
    let steps = steps.filter(|s| !s.is_none());
    // Where the number of steps is given, a zero that is reached is that of `y`.
    let zero = |reached: f64| if steps.is_none() && reached == 0.0 { 0.0f64.copysign(x) } else { reached };
    let steps = match steps {
        None => 1,
        Some(s) => {
            let n = vm.index_clamped(s)?;
            if n < 0 {
                return Err(vm.value_error("steps must be a non-negative integer"));
            }
            n
        }
    };
    if steps == 0 {
        return Ok(x);
    }
    if x.is_nan() || y.is_nan() {
        return Ok(x + y);
    }
    if x == y {
        return Ok(y);
    }
    // Floats in order, as ints in order.
    let place = |f: f64| {
        let bits = (f.to_bits() & (u64::MAX >> 1)) as i64;
        i128::from(if f.is_sign_negative() { -bits } else { bits })
    };
    let (from, to) = (place(x), place(y));
    let at = if from < to {
        (from + i128::from(steps)).min(to)
    } else if from > to {
        (from - i128::from(steps)).max(to)
    } else {
        return Ok(y);
    };
    if at == to {
        return Ok(zero(y));
    }
    let r = f64::from_bits(at.unsigned_abs() as u64);
    Ok(if at < 0 || (at == 0 && x < 0.0) { -r } else { r })
}
