//! `cmath`: functions of complex numbers. The branch cuts and the values at infinities and NaNs are those of C's Annex G.

use skein_runtime::native::{FromArg, NativeDef};
use skein_runtime::object::Ref;
use skein_runtime::types::complex::Complex as Object;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::{R, Value, Vm, native_functions};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, LN_2, LN_10, PI};

/// A complex argument: a number, or anything with `__complex__`, `__float__` or `__index__`.
#[derive(Clone, Copy)]
struct C(f64, f64);

impl FromArg for C {
    fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<C> {
        if let Some(f) = vm.as_float(v) {
            return Ok(C(f, 0.0));
        }
        if let Some(c) = v.cast::<Object>() {
            return Ok(C(c.re(), c.im()));
        }
        let ty = vm.type_of(v);
        if let Some(f) = ty.lookup(vm, vm.intern("__complex__")?) {
            let r = vm.call(vm.bind(f, v, ty)?, &[])?;
            return match r.cast::<Object>() {
                Some(c) => Ok(C(c.re(), c.im())),
                None => {
                    let (name, got) = (ty.name_string(), vm.type_name(r));
                    Err(vm.type_error(format!("{name}.__complex__() must return a complex, not {got}")))
                }
            };
        }
        Ok(C(vm.to_f64(v)?, 0.0))
    }
}

/// What a function comes to besides its value.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    None,
    /// A pole or a point without a value: ValueError.
    Domain,
    /// OverflowError.
    Range,
}

type Answer = (C, Fault);

fn good(re: f64, im: f64) -> Answer {
    (C(re, im), Fault::None)
}

/// The answer of finite arithmetic: an infinity is an overflow.
fn ranged(re: f64, im: f64) -> Answer {
    let fault = if re.is_infinite() || im.is_infinite() { Fault::Range } else { Fault::None };
    (C(re, im), fault)
}

impl C {
    fn is_finite(self) -> bool {
        self.0.is_finite() && self.1.is_finite()
    }
    fn is_nan(self) -> bool {
        self.0.is_nan() || self.1.is_nan()
    }
    /// Divided by i: for functions that are others turned by a quarter.
    fn turned_back(self) -> C {
        C(self.1, -self.0)
    }
    fn turned(self) -> C {
        C(-self.1, self.0)
    }
}

/// As `turned_back` of what is answered.
fn turn_back((c, fault): Answer) -> Answer {
    (c.turned_back(), fault)
}

const LARGE: f64 = f64::MAX / 4.0;
const LOG_LARGE: f64 = 708.396_418_532_264_1;

fn hypot(a: f64, b: f64) -> f64 {
    libm::hypot(a, b)
}

fn sqrt(C(x, y): C) -> Answer {
    if y.is_infinite() {
        return good(f64::INFINITY, y);
    }
    if x.is_infinite() {
        return match (x > 0.0, y.is_nan()) {
            (true, true) => good(x, f64::NAN),
            (true, false) => good(x, 0f64.copysign(y)),
            (false, true) => good(f64::NAN, f64::INFINITY),
            (false, false) => good(0.0, f64::INFINITY.copysign(y)),
        };
    }
    if x.is_nan() || y.is_nan() {
        return good(f64::NAN, f64::NAN);
    }
    if x == 0.0 && y == 0.0 {
        return good(0.0, y);
    }
    let (ax, ay) = (x.abs(), y.abs());
    // Scaled, so that neither the smallest nor the largest numbers lose digits.
    let s = if ax < f64::MIN_POSITIVE && ay < f64::MIN_POSITIVE {
        let (ax, ay) = (ldexp(ax, 54), ldexp(ay, 54));
        ldexp((ax + hypot(ax, ay)).sqrt(), -27) * std::f64::consts::FRAC_1_SQRT_2
    } else {
        let ax = ax / 8.0;
        2.0 * (ax + hypot(ax, ay / 8.0)).sqrt()
    };
    let d = ay / (2.0 * s);
    if x >= 0.0 { good(s, d.copysign(y)) } else { good(d, s.copysign(y)) }
}

fn ldexp(x: f64, n: i32) -> f64 {
    libm::ldexp(x, n)
}

/// The natural logarithm of |z|.
fn log_of_size(x: f64, y: f64) -> f64 {
    let (ax, ay) = (x.abs(), y.abs());
    if ax > LARGE || ay > LARGE {
        return hypot(ax / 2.0, ay / 2.0).ln() + LN_2;
    }
    if ax < f64::MIN_POSITIVE && ay < f64::MIN_POSITIVE {
        return match ax > 0.0 || ay > 0.0 {
            true => hypot(ldexp(ax, 53), ldexp(ay, 53)).ln() - 53.0 * LN_2,
            false => f64::NEG_INFINITY,
        };
    }
    let h = hypot(ax, ay);
    if (0.71..=1.73).contains(&h) {
        let (more, less) = if ax > ay { (ax, ay) } else { (ay, ax) };
        return libm::log1p((more - 1.0) * (more + 1.0) + less * less) / 2.0;
    }
    h.ln()
}

/// The angle, with the values of Annex G where C's own may differ.
fn angle(C(x, y): C) -> f64 {
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    if y.is_infinite() {
        return match x {
            f64::INFINITY => FRAC_PI_4.copysign(y),
            f64::NEG_INFINITY => (0.75 * PI).copysign(y),
            _ => FRAC_PI_2.copysign(y),
        };
    }
    if x.is_infinite() || y == 0.0 {
        return if x.is_sign_positive() { 0f64.copysign(y) } else { PI.copysign(y) };
    }
    libm::atan2(y, x)
}

fn log(z: C) -> Answer {
    let C(x, y) = z;
    if !z.is_finite() {
        let re = if x.is_infinite() || y.is_infinite() { f64::INFINITY } else { f64::NAN };
        return good(re, angle(z));
    }
    let re = log_of_size(x, y);
    let fault = if x == 0.0 && y == 0.0 { Fault::Domain } else { Fault::None };
    (C(re, angle(z)), fault)
}

fn acos(z: C) -> Answer {
    let C(x, y) = z;
    if !z.is_finite() {
        let im = -f64::INFINITY.copysign(y);
        return match (x, y) {
            _ if x.is_nan() && y.is_infinite() => good(f64::NAN, im),
            _ if x.is_nan() => good(f64::NAN, f64::NAN),
            _ if y.is_nan() && x.is_infinite() => good(f64::NAN, f64::INFINITY),
            _ if y.is_nan() => good(if x == 0.0 { FRAC_PI_2 } else { f64::NAN }, f64::NAN),
            (f64::INFINITY, _) if y.is_infinite() => good(FRAC_PI_4, im),
            (f64::INFINITY, _) => good(0.0, im),
            (f64::NEG_INFINITY, _) if y.is_infinite() => good(0.75 * PI, im),
            (f64::NEG_INFINITY, _) => good(PI, im),
            _ => good(FRAC_PI_2, im),
        };
    }
    if x.abs() > LARGE || y.abs() > LARGE {
        let re = libm::atan2(y.abs(), x);
        let im = hypot(x / 2.0, y / 2.0).ln() + 2.0 * LN_2;
        return good(re, -im.copysign(y));
    }
    let (C(a, b), _) = sqrt(C(1.0 - x, -y));
    let (C(c, d), _) = sqrt(C(1.0 + x, y));
    good(2.0 * libm::atan2(a, c), libm::asinh(c * b - d * a))
}

fn acosh(z: C) -> Answer {
    let C(x, y) = z;
    if !z.is_finite() {
        let (C(re, im), _) = acos(z);
        // The same values, turned, with a positive real part.
        return good(im.abs(), re.copysign(y));
    }
    if x.abs() > LARGE || y.abs() > LARGE {
        return good(hypot(x / 2.0, y / 2.0).ln() + 2.0 * LN_2, libm::atan2(y, x));
    }
    let (C(a, b), _) = sqrt(C(x - 1.0, y));
    let (C(c, d), _) = sqrt(C(x + 1.0, y));
    good(libm::asinh(a * c + b * d), 2.0 * libm::atan2(b, c))
}

fn asin(z: C) -> Answer {
    turn_back(asinh(z.turned()))
}

fn asinh(z: C) -> Answer {
    let C(x, y) = z;
    if !z.is_finite() {
        let inf = f64::INFINITY.copysign(x);
        return match (x, y) {
            _ if x.is_nan() && y.is_infinite() => good(f64::INFINITY, f64::NAN),
            _ if x.is_nan() && y == 0.0 => good(f64::NAN, y),
            _ if x.is_nan() => good(f64::NAN, f64::NAN),
            _ if y.is_nan() && x.is_infinite() => good(inf, f64::NAN),
            _ if y.is_nan() => good(f64::NAN, f64::NAN),
            _ if x.is_infinite() && y.is_infinite() => good(inf, FRAC_PI_4.copysign(y)),
            _ if x.is_infinite() => good(inf, 0f64.copysign(y)),
            _ => good(inf, FRAC_PI_2.copysign(y)),
        };
    }
    if x.abs() > LARGE || y.abs() > LARGE {
        let size = hypot(x / 2.0, y / 2.0).ln() + 2.0 * LN_2;
        return good(size.copysign(x), libm::atan2(y, x.abs()));
    }
    let (C(a, b), _) = sqrt(C(1.0 + y, -x));
    let (C(c, d), _) = sqrt(C(1.0 - y, x));
    good(libm::asinh(a * d - c * b), libm::atan2(y, a * c - b * d))
}

fn atan(z: C) -> Answer {
    turn_back(atanh(z.turned()))
}

fn atanh(z: C) -> Answer {
    let C(x, y) = z;
    if !z.is_finite() {
        let zero = 0f64.copysign(x);
        return match (x, y) {
            _ if y.is_infinite() => good(zero, FRAC_PI_2.copysign(y)),
            _ if x.is_nan() => good(f64::NAN, f64::NAN),
            _ if y.is_nan() && (x.is_infinite() || x == 0.0) => good(zero, f64::NAN),
            _ if y.is_nan() => good(f64::NAN, f64::NAN),
            _ => good(zero, FRAC_PI_2.copysign(y)),
        };
    }
    if x < 0.0 || (x == 0.0 && x.is_sign_negative()) {
        let (C(re, im), fault) = atanh(C(-x, -y));
        return (C(-re, -im), fault);
    }
    let ay = y.abs();
    let root = LARGE.sqrt();
    if x > root || ay > root {
        // Of the order of 1 / z.
        let h = hypot(x / 2.0, y / 2.0);
        return good(x / 4.0 / h / h, FRAC_PI_2.copysign(y));
    }
    let least = f64::MIN_POSITIVE.sqrt();
    if x == 1.0 && ay < least {
        if ay == 0.0 {
            return (C(f64::INFINITY, y), Fault::Domain);
        }
        let re = -(ay.sqrt() / hypot(ay, 2.0).sqrt()).ln();
        return good(re, (libm::atan2(2.0, -ay) / 2.0).copysign(y));
    }
    let re = libm::log1p(4.0 * x / ((1.0 - x) * (1.0 - x) + ay * ay)) / 4.0;
    good(re, -libm::atan2(-2.0 * y, (1.0 - x) * (1.0 + x) - ay * ay) / 2.0)
}

fn cos(z: C) -> Answer {
    cosh(z.turned())
}

fn sin(z: C) -> Answer {
    turn_back(sinh(z.turned()))
}

fn tan(z: C) -> Answer {
    turn_back(tanh(z.turned()))
}

/// Is the real part infinite and the imaginary one finite and not 0, or has the angle no value?
fn special_fault(x: f64, y: f64, even_nan: bool) -> Fault {
    if y.is_infinite() && (!x.is_nan() || even_nan) && !x.is_nan() { Fault::Domain } else { Fault::None }
}

fn cosh(z: C) -> Answer {
    let C(x, y) = z;
    if !z.is_finite() {
        let fault = special_fault(x, y, false);
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            let (s, c) = (y.sin(), y.cos());
            let inf = f64::INFINITY;
            return good(inf.copysign(c), if x > 0.0 { inf.copysign(s) } else { -inf.copysign(s) });
        }
        let value = match (x, y) {
            _ if x.is_infinite() && y == 0.0 => C(f64::INFINITY, if x > 0.0 { y } else { -y }),
            _ if x.is_infinite() => C(f64::INFINITY, f64::NAN),
            _ if x.is_nan() && y == 0.0 => C(f64::NAN, y),
            _ if x == 0.0 => C(f64::NAN, 0.0),
            _ => C(f64::NAN, f64::NAN),
        };
        return (value, fault);
    }
    if x.abs() > LOG_LARGE {
        let one = x - 1f64.copysign(x);
        let e = std::f64::consts::E;
        return ranged(y.cos() * one.cosh() * e, y.sin() * one.sinh() * e);
    }
    ranged(y.cos() * x.cosh(), y.sin() * x.sinh())
}

fn sinh(z: C) -> Answer {
    let C(x, y) = z;
    if !z.is_finite() {
        let fault = special_fault(x, y, false);
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            let (s, c) = (y.sin(), y.cos());
            let inf = f64::INFINITY;
            return good(if x > 0.0 { inf.copysign(c) } else { -inf.copysign(c) }, inf.copysign(s));
        }
        let value = match (x, y) {
            _ if x.is_infinite() && y == 0.0 => C(x, y),
            _ if x.is_infinite() => C(f64::INFINITY, f64::NAN),
            _ if x.is_nan() && y == 0.0 => C(f64::NAN, y),
            _ if x == 0.0 => C(0.0, f64::NAN),
            _ => C(f64::NAN, f64::NAN),
        };
        return (value, fault);
    }
    if x.abs() > LOG_LARGE {
        let one = x - 1f64.copysign(x);
        let e = std::f64::consts::E;
        return ranged(y.cos() * one.sinh() * e, y.sin() * one.cosh() * e);
    }
    ranged(y.cos() * x.sinh(), y.sin() * x.cosh())
}

fn tanh(z: C) -> Answer {
    let C(x, y) = z;
    if !z.is_finite() {
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            let im = 0f64.copysign(2.0 * y.sin() * y.cos());
            return good(1f64.copysign(x), im);
        }
        let fault = if y.is_infinite() && x.is_finite() { Fault::Domain } else { Fault::None };
        let value = match (x, y) {
            _ if x.is_infinite() && y == 0.0 => C(1f64.copysign(x), y),
            _ if x.is_infinite() => C(1f64.copysign(x), 0.0),
            _ if x.is_nan() && y == 0.0 => C(f64::NAN, y),
            _ if x == 0.0 => C(x, f64::NAN),
            _ => C(f64::NAN, f64::NAN),
        };
        return (value, fault);
    }
    if x.abs() > LOG_LARGE {
        return good(1f64.copysign(x), 4.0 * y.sin() * y.cos() * (-2.0 * x.abs()).exp());
    }
    let (tx, ty) = (x.tanh(), y.tan());
    let cx = 1.0 / x.cosh();
    let txty = tx * ty;
    let denominator = 1.0 + txty * txty;
    good(tx * (1.0 + ty * ty) / denominator, ty / denominator * cx * cx)
}

fn exp(z: C) -> Answer {
    let C(x, y) = z;
    if !z.is_finite() {
        if x.is_infinite() && y.is_finite() && y != 0.0 {
            let size = if x > 0.0 { f64::INFINITY } else { 0.0 };
            return good(size.copysign(y.cos()), size.copysign(y.sin()));
        }
        let fault = match y.is_infinite() && (x.is_finite() || x == f64::INFINITY) {
            true => Fault::Domain,
            false => Fault::None,
        };
        let value = match (x, y) {
            (f64::NEG_INFINITY, _) if y == 0.0 => C(0.0, y),
            (f64::NEG_INFINITY, _) => C(0.0, 0.0),
            (f64::INFINITY, _) if y == 0.0 => C(x, y),
            (f64::INFINITY, _) => C(x, f64::NAN),
            _ if x.is_nan() && y == 0.0 => C(x, y),
            _ => C(f64::NAN, f64::NAN),
        };
        return (value, fault);
    }
    if x > LOG_LARGE {
        let size = (x - 1.0).exp();
        let e = std::f64::consts::E;
        return ranged(size * y.cos() * e, size * y.sin() * e);
    }
    let size = x.exp();
    ranged(size * y.cos(), size * y.sin())
}

fn answer(vm: &Vm, (C(re, im), fault): Answer) -> R<Value> {
    match fault {
        Fault::None => vm.complex(re, im),
        Fault::Domain => Err(vm.value_error("math domain error")),
        Fault::Range => Err(vm.overflow_error("math range error")),
    }
}

fn log_to(vm: &Vm, z: C, base: Option<C>) -> R<Value> {
    let (z, fault) = log(z);
    let Some(base) = base else { return answer(vm, (z, fault)) };
    let (b, other) = log(base);
    if fault != Fault::None || other != Fault::None {
        return Err(vm.value_error("math domain error"));
    }
    let (z, b) = (vm.complex(z.0, z.1)?, vm.complex(b.0, b.1)?);
    match vm.call_method(z, "__truediv__", &[b]) {
        Ok(v) => Ok(v),
        Err(e) => match vm.catch(vm.exc.zero_division_error) {
            Some(_) => Err(vm.value_error("math domain error")),
            None => Err(e),
        },
    }
}

fn log10(vm: &Vm, z: C) -> R<Value> {
    let (C(re, im), fault) = log(z);
    answer(vm, (C(re / LN_10, im / LN_10), fault))
}

fn polar(vm: &Vm, z: C) -> R<Value> {
    let size = match z.0.is_infinite() || z.1.is_infinite() {
        true => f64::INFINITY,
        false => hypot(z.0, z.1),
    };
    if size.is_infinite() && z.is_finite() {
        return Err(vm.overflow_error("absolute value too large"));
    }
    vm.tuple(&[vm.float(size)?, vm.float(angle(z))?])
}

fn rect(vm: &Vm, r: f64, phi: f64) -> R<Value> {
    if r.is_finite() && phi.is_finite() {
        return match phi == 0.0 {
            // An exact zero keeps its sign.
            true => vm.complex(r, r * phi),
            false => vm.complex(r * phi.cos(), r * phi.sin()),
        };
    }
    if r.is_infinite() && phi.is_finite() && phi != 0.0 {
        let inf = f64::INFINITY;
        let (re, im) = (inf.copysign(phi.cos()), inf.copysign(phi.sin()));
        return if r > 0.0 { vm.complex(re, im) } else { vm.complex(-re, -im) };
    }
    if r != 0.0 && !r.is_nan() && phi.is_infinite() {
        return Err(vm.value_error("math domain error"));
    }
    match () {
        () if r == 0.0 => vm.complex(0.0, 0.0),
        () if r.is_infinite() && phi == 0.0 => vm.complex(r, if r > 0.0 { phi } else { -phi }),
        () if r.is_infinite() => vm.complex(f64::INFINITY, f64::NAN),
        () if phi == 0.0 => vm.complex(r, 0.0),
        () => vm.complex(f64::NAN, f64::NAN),
    }
}

fn isclose(vm: &Vm, a: C, b: C, rel: Option<f64>, abs: Option<f64>) -> R<bool> {
    let (rel, abs) = (rel.unwrap_or(1e-9), abs.unwrap_or(0.0));
    if rel < 0.0 || abs < 0.0 {
        return Err(vm.value_error("tolerances must be non-negative"));
    }
    if a.0 == b.0 && a.1 == b.1 {
        return Ok(true);
    }
    let infinite = |c: C| c.0.is_infinite() || c.1.is_infinite();
    if infinite(a) || infinite(b) {
        return Ok(false);
    }
    let apart = hypot(a.0 - b.0, a.1 - b.1);
    Ok(apart <= rel * hypot(b.0, b.1) || apart <= rel * hypot(a.0, a.1) || apart <= abs)
}

native_functions! { FUNCTIONS:
    "acos(z, /)" => |vm: &Vm, z: C| answer(vm, acos(z)), "Return the arc cosine of z.";
    "acosh(z, /)" => |vm: &Vm, z: C| answer(vm, acosh(z)), "Return the inverse hyperbolic cosine of z.";
    "asin(z, /)" => |vm: &Vm, z: C| answer(vm, asin(z)), "Return the arc sine of z.";
    "asinh(z, /)" => |vm: &Vm, z: C| answer(vm, asinh(z)), "Return the inverse hyperbolic sine of z.";
    "atan(z, /)" => |vm: &Vm, z: C| answer(vm, atan(z)), "Return the arc tangent of z.";
    "atanh(z, /)" => |vm: &Vm, z: C| answer(vm, atanh(z)), "Return the inverse hyperbolic tangent of z.";
    "cos(z, /)" => |vm: &Vm, z: C| answer(vm, cos(z)), "Return the cosine of z.";
    "cosh(z, /)" => |vm: &Vm, z: C| answer(vm, cosh(z)), "Return the hyperbolic cosine of z.";
    "exp(z, /)" => |vm: &Vm, z: C| answer(vm, exp(z)), "Return the exponential value e**z.";
    "log(z, base=<unrepresentable>, /)" => log_to, "log(z[, base]) -> the logarithm of z to the given base.";
    "log10(z, /)" => log10, "Return the base-10 logarithm of z.";
    "sin(z, /)" => |vm: &Vm, z: C| answer(vm, sin(z)), "Return the sine of z.";
    "sinh(z, /)" => |vm: &Vm, z: C| answer(vm, sinh(z)), "Return the hyperbolic sine of z.";
    "sqrt(z, /)" => |vm: &Vm, z: C| answer(vm, sqrt(z)), "Return the square root of z.";
    "tan(z, /)" => |vm: &Vm, z: C| answer(vm, tan(z)), "Return the tangent of z.";
    "tanh(z, /)" => |vm: &Vm, z: C| answer(vm, tanh(z)), "Return the hyperbolic tangent of z.";
    "phase(z, /)" => |_: &Vm, z: C| angle(z), "Return argument, also known as the phase angle, of a complex.";
    "polar(z, /)" => polar, "Convert a complex from rectangular coordinates to polar coordinates.";
    "rect(r, phi, /)" => rect, "Convert from polar coordinates to rectangular coordinates.";
    "isfinite(z, /)" => |_: &Vm, z: C| z.is_finite(), "Return True if both the real and imaginary parts of z are finite, else False.";
    "isnan(z, /)" => |_: &Vm, z: C| z.is_nan(), "Checks if the real or imaginary part of z not a number (NaN).";
    "isinf(z, /)" => |_: &Vm, z: C| z.0.is_infinite() || z.1.is_infinite(), "Checks if the real or imaginary part of z is infinite.";
    "isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0)" => isclose, "Determine whether two complex numbers are close in value.";
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "cmath", FUNCTIONS)?;
    let d = m.dict();
    let numbers = [
        ("pi", PI),
        ("e", std::f64::consts::E),
        ("tau", 2.0 * PI),
        ("inf", f64::INFINITY),
        ("nan", f64::NAN),
    ];
    for (name, f) in numbers {
        d.set_name(vm, name, vm.float(f)?)?;
    }
    d.set_name(vm, "infj", vm.complex(0.0, f64::INFINITY)?)?;
    d.set_name(vm, "nanj", vm.complex(0.0, f64::NAN)?)?;
    Ok(m)
}
