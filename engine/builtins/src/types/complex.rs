//! What Python code sees of `complex`, and its arithmetic.

use crate::types::float::text;
use crate::types::format;
use crate::types::int::{Int, int_as_f64};
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::complex::Complex;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub DEF: "complex", Kind::Complex, type_flags::BASETYPE,
        "Create a complex number from a string or numbers.\n\nIf a string is given, parse it as a complex number.\nIf a single number is given, convert it to a complex number.\nIf the 'real' or 'imag' arguments are given, create a complex number\nwith the specified real and imaginary components.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__repr__($self, /)" => |_: &Vm, a: Ref<Complex>| repr_text(a.re(), a.im());
        "__hash__($self, /)" => hash;
        "__bool__($self, /)" => |_: &Vm, a: Ref<Complex>| a.re() != 0.0 || a.im() != 0.0;
        "__eq__($self, value, /)" => |_: &Vm, a: Ref<Complex>, b: Value| equal(a, b).map_or(Value::NOT_IMPLEMENTED, Value::bool);
        "__ne__($self, value, /)" => |_: &Vm, a: Ref<Complex>, b: Value| equal(a, b).map_or(Value::NOT_IMPLEMENTED, |e| Value::bool(!e));
        "__add__($self, value, /)" => |vm: &Vm, a: Ref<Complex>, b: Value| operate(vm, Special::Add, a, b, false);
        "__radd__($self, value, /)" => |vm: &Vm, a: Ref<Complex>, b: Value| operate(vm, Special::Add, a, b, true);
        "__sub__($self, value, /)" => |vm: &Vm, a: Ref<Complex>, b: Value| operate(vm, Special::Sub, a, b, false);
        "__rsub__($self, value, /)" => |vm: &Vm, a: Ref<Complex>, b: Value| operate(vm, Special::Sub, a, b, true);
        "__mul__($self, value, /)" => |vm: &Vm, a: Ref<Complex>, b: Value| operate(vm, Special::Mul, a, b, false);
        "__rmul__($self, value, /)" => |vm: &Vm, a: Ref<Complex>, b: Value| operate(vm, Special::Mul, a, b, true);
        "__truediv__($self, value, /)" => |vm: &Vm, a: Ref<Complex>, b: Value| operate(vm, Special::TrueDiv, a, b, false);
        "__rtruediv__($self, value, /)" => |vm: &Vm, a: Ref<Complex>, b: Value| operate(vm, Special::TrueDiv, a, b, true);
        "__pow__($self, value, mod=None, /)" => |vm: &Vm, a: Ref<Complex>, b: Value, m: Option<Value>| {
            check_no_mod(vm, m)?;
            operate(vm, Special::Pow, a, b, false)
        };
        "__rpow__($self, value, mod=None, /)" => |vm: &Vm, a: Ref<Complex>, b: Value, m: Option<Value>| {
            check_no_mod(vm, m)?;
            operate(vm, Special::Pow, a, b, true)
        };
        "__neg__($self, /)" => |vm: &Vm, a: Ref<Complex>| vm.complex(-a.re(), -a.im());
        "__pos__($self, /)" => |vm: &Vm, a: Ref<Complex>| vm.complex(a.re(), a.im());
        "__abs__($self, /)" => abs;
        "__complex__($self, /)" => |vm: &Vm, a: Ref<Complex>| vm.complex(a.re(), a.im()), "Convert this value to exact type complex.";
        "__format__($self, format_spec, /)" => format::format_complex, "Convert to a string according to format_spec.";
        "__getnewargs__($self, /)" => getnewargs;
        "conjugate($self, /)" => |vm: &Vm, a: Ref<Complex>| vm.complex(a.re(), -a.im()), "Return the complex conjugate of its argument. (3-4j).conjugate() == 3+4j.";
        [class] "from_number($type, number, /)" => from_number, "Convert number to a complex floating-point number.";
    }
    getset {
        "real" => |vm: &Vm, v: Value| vm.float(v.cast::<Complex>().map_or(0.0, |c| c.re()));
        "imag" => |vm: &Vm, v: Value| vm.float(v.cast::<Complex>().map_or(0.0, |c| c.im()));
    }
}

/// Real and imaginary part.
type Pair = (f64, f64);

/// An operand: a real number stays one, so that the signs of zeros come out right.
#[derive(Clone, Copy)]
enum Operand {
    Real(f64),
    Complex(Pair),
}

impl Operand {
    fn pair(self) -> Pair {
        match self {
            Operand::Real(r) => (r, 0.0),
            Operand::Complex(c) => c,
        }
    }
}

fn operand(vm: &Vm, v: Value) -> R<Option<Operand>> {
    if let Some(c) = v.cast::<Complex>() {
        return Ok(Some(Operand::Complex((c.re(), c.im()))));
    }
    if let Some(f) = vm.as_float(v) {
        return Ok(Some(Operand::Real(f)));
    }
    Ok(Int::of(v).map(|i| int_as_f64(vm, i)).transpose()?.map(Operand::Real))
}

fn check_no_mod(vm: &Vm, m: Option<Value>) -> R<()> {
    match m {
        Some(m) if !m.is_none() => Err(vm.value_error("complex modulo")),
        _ => Ok(()),
    }
}

fn operate(vm: &Vm, op: Special, a: Ref<Complex>, b: Value, reflected: bool) -> R<Value> {
    use Operand::{Complex as C, Real};
    let Some(other) = operand(vm, b)? else { return Ok(Value::NOT_IMPLEMENTED) };
    let own = C((a.re(), a.im()));
    let (x, y) = if reflected { (other, own) } else { (own, other) };
    let (re, im) = match (op, x, y) {
        (Special::Add, C(a), Real(b)) | (Special::Add, Real(b), C(a)) => (a.0 + b, a.1),
        (Special::Sub, C(a), Real(b)) => (a.0 - b, a.1),
        (Special::Sub, Real(a), C(b)) => (a - b.0, -b.1),
        (Special::Mul, C(a), Real(b)) | (Special::Mul, Real(b), C(a)) => (a.0 * b, a.1 * b),
        (Special::TrueDiv, C(a), Real(b)) if b != 0.0 => (a.0 / b, a.1 / b),
        (Special::Add, x, y) => (x.pair().0 + y.pair().0, x.pair().1 + y.pair().1),
        (Special::Sub, x, y) => (x.pair().0 - y.pair().0, x.pair().1 - y.pair().1),
        (Special::Mul, x, y) => product(x.pair(), y.pair()),
        (Special::TrueDiv, x, y) => {
            let q = match x {
                Real(x) => quotient_of_real(x, y.pair()),
                C(x) => quotient(x, y.pair()),
            };
            match q {
                Some(q) => q,
                None => return Err(vm.zero_division("division by zero")),
            }
        }
        (_, x, y) => return power(vm, x.pair(), y.pair()),
    };
    vm.complex(re, im)
}

/// As in C's annex G: a product that comes to NaNs is infinite where a factor is, or where it overflows.
fn product((mut a, mut b): Pair, (mut c, mut d): Pair) -> Pair {
    let parts = [a * c, b * d, a * d, b * c];
    let (re, im) = (parts[0] - parts[1], parts[2] + parts[3]);
    if !re.is_nan() || !im.is_nan() {
        return (re, im);
    }
    let no_nan = |x: f64| if x.is_nan() { 0.0_f64.copysign(x) } else { x };
    let mut infinite = false;
    if a.is_infinite() || b.is_infinite() {
        ((a, b), (c, d)) = (boxed((a, b)), (no_nan(c), no_nan(d)));
        infinite = true;
    }
    if c.is_infinite() || d.is_infinite() {
        ((c, d), (a, b)) = (boxed((c, d)), (no_nan(a), no_nan(b)));
        infinite = true;
    }
    if !infinite && parts.iter().any(|p| p.is_infinite()) {
        (a, b, c, d) = (no_nan(a), no_nan(b), no_nan(c), no_nan(d));
        infinite = true;
    }
    if infinite { (f64::INFINITY * (a * c - b * d), f64::INFINITY * (a * d + b * c)) } else { (re, im) }
}

/// The direction of an infinite number: ones where it is infinite, zeros elsewhere.
fn boxed((re, im): Pair) -> Pair {
    let one = |x: f64| if x.is_infinite() { 1.0_f64.copysign(x) } else { 0.0_f64.copysign(x) };
    (one(re), one(im))
}

/// Scaled by the larger part of the divisor, and as in C's annex G where that comes to NaNs; None: division by zero.
fn quotient((a, b): Pair, (c, d): Pair) -> Option<Pair> {
    let (re, im) = if c.abs() >= d.abs() {
        if c == 0.0 {
            return None;
        }
        let ratio = d / c;
        let scale = c + d * ratio;
        ((a + b * ratio) / scale, (b - a * ratio) / scale)
    } else if d.abs() >= c.abs() {
        let ratio = c / d;
        let scale = c * ratio + d;
        ((a * ratio + b) / scale, (b * ratio - a) / scale)
    } else {
        (f64::NAN, f64::NAN)
    };
    let is_infinite = |x: f64, y: f64| x.is_infinite() || y.is_infinite();
    let is_finite = |x: f64, y: f64| x.is_finite() && y.is_finite();
    Some(match re.is_nan() && im.is_nan() {
        true if is_infinite(a, b) && is_finite(c, d) => {
            let (x, y) = boxed((a, b));
            (f64::INFINITY * (x * c + y * d), f64::INFINITY * (y * c - x * d))
        }
        true if is_infinite(c, d) && is_finite(a, b) => {
            let (x, y) = boxed((c, d));
            (0.0 * (a * x + b * y), 0.0 * (b * x - a * y))
        }
        _ => (re, im),
    })
}

/// As [`quotient`] of a number without an imaginary part.
fn quotient_of_real(a: f64, (c, d): Pair) -> Option<Pair> {
    let (re, im) = if c.abs() >= d.abs() {
        if c == 0.0 {
            return None;
        }
        let ratio = d / c;
        let scale = c + d * ratio;
        (a / scale, (-a * ratio) / scale)
    } else if d.abs() >= c.abs() {
        let ratio = c / d;
        let scale = c * ratio + d;
        ((a * ratio) / scale, -a / scale)
    } else {
        (f64::NAN, f64::NAN)
    };
    Some(match re.is_nan() && im.is_nan() && a.is_finite() && (c.is_infinite() || d.is_infinite()) {
        true => {
            let (x, y) = boxed((c, d));
            (0.0 * (a * x), 0.0 * (-a * y))
        }
        false => (re, im),
    })
}

/// `x ** y`. ZeroDivisionError, OverflowError.
pub fn power(vm: &Vm, x: Pair, y: Pair) -> R<Value> {
    let small = y.1 == 0.0 && y.0.fract() == 0.0 && y.0.abs() <= 100.0;
    let (re, im) = if small {
        let n = y.0 as i32;
        let p = integer_power(x, n.unsigned_abs());
        if n >= 0 {
            p
        } else {
            match quotient((1.0, 0.0), p) {
                Some(q) => q,
                None => return Err(vm.zero_division("zero to a negative or complex power")),
            }
        }
    } else if x == (0.0, 0.0) {
        if y.1 != 0.0 || y.0 < 0.0 {
            return Err(vm.zero_division("zero to a negative or complex power"));
        }
        (0.0, 0.0)
    } else {
        let size = x.0.hypot(x.1);
        let angle = x.1.atan2(x.0);
        let mut len = size.powf(y.0);
        let mut phase = angle * y.0;
        if y.1 != 0.0 {
            len /= (angle * y.1).exp();
            phase += y.1 * size.ln();
        }
        (len * phase.cos(), len * phase.sin())
    };
    if (re.is_infinite() || im.is_infinite()) && [x.0, x.1, y.0, y.1].iter().all(|f| f.is_finite()) {
        return Err(vm.overflow_error("complex exponentiation"));
    }
    vm.complex(re, im)
}

fn integer_power(mut x: Pair, mut n: u32) -> Pair {
    let mut r = (1.0, 0.0);
    while n > 0 {
        if n & 1 == 1 {
            r = product(r, x);
        }
        n >>= 1;
        if n > 0 {
            x = product(x, x);
        }
    }
    r
}

fn abs(vm: &Vm, a: Ref<Complex>) -> R<f64> {
    let r = a.re().hypot(a.im());
    if r.is_infinite() && a.re().is_finite() && a.im().is_finite() {
        return Err(vm.overflow_error("absolute value too large"));
    }
    Ok(r)
}

/// `repr` of a complex number.
pub fn repr_text(re: f64, im: f64) -> String {
    let imag = text::repr_short(im);
    if re == 0.0 && !re.is_sign_negative() {
        return format!("{imag}j");
    }
    let sign = if imag.starts_with('-') { "" } else { "+" };
    format!("({}{sign}{imag}j)", text::repr_short(re))
}

fn hash(_: &Vm, a: Ref<Complex>) -> i64 {
    match text::hash(a.re()).wrapping_add(1_000_003i64.wrapping_mul(text::hash(a.im()))) {
        -1 => -2,
        h => h,
    }
}

/// Equal to a number? None for anything else.
fn equal(a: Ref<Complex>, b: Value) -> Option<bool> {
    if let Some(b) = b.cast::<Complex>() {
        return Some(a.re() == b.re() && a.im() == b.im());
    }
    if b.is_float() {
        return Some(a.im() == 0.0 && a.re() == b.as_immediate_float());
    }
    if let Some(b) = b.cast::<skein_runtime::types::float::Float>() {
        return Some(a.im() == 0.0 && a.re() == b.get());
    }
    let b = Int::of(b)?;
    Some(a.im() == 0.0 && !a.re().is_nan() && text::compare_big(&b.big(), a.re()).is_eq())
}

fn getnewargs(vm: &Vm, a: Ref<Complex>) -> R<Ref<Tuple>> {
    let re = vm.float(a.re())?;
    Tuple::new(vm, &[re, vm.float(a.im())?])
}

fn make(vm: &Vm, ty: Ref<Type>, (re, im): Pair) -> R<Value> {
    let c = vm.alloc_instance::<Complex>(ty)?;
    c.init(re, im);
    Ok(c.value())
}

/// By `__complex__`, if the object has it. TypeError.
fn by_method(vm: &Vm, v: Value) -> R<Option<Pair>> {
    if let Some(c) = v.cast::<Complex>() {
        return Ok(Some((c.re(), c.im())));
    }
    let Some(f) = vm.type_of(v).special(vm, Special::Complex) else { return Ok(None) };
    let r = vm.special_1(f, v)?;
    vm.complex_result(r).map(Some)
}

fn is_real(vm: &Vm, v: Value) -> bool {
    let ty = vm.type_of(v);
    vm.is_int(v) || ty.special(vm, Special::Float).is_some() || ty.special(vm, Special::Index).is_some()
}

/// The value of a number by `__complex__`, `__float__` or `__index__`; None for anything else.
pub fn to_complex(vm: &Vm, v: Value) -> R<Option<Pair>> {
    if let Some(c) = by_method(vm, v)? {
        return Ok(Some(c));
    }
    if is_real(vm, v) { Ok(Some((vm.to_f64(v)?, 0.0))) } else { Ok(None) }
}

fn from_number(vm: &Vm, ty: Ref<Type>, v: Value) -> R<Value> {
    if ty == vm.types.complex && vm.type_of(v) == ty {
        return Ok(v);
    }
    match to_complex(vm, v)? {
        Some(c) => make(vm, ty, c),
        None => Err(vm.type_error(format!("must be real number, not {}", vm.type_name(v)))),
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some((first, rest)) = args.positional().split_first() else {
        return Err(vm.type_error("complex.__new__(): not enough arguments"));
    };
    let Some(ty) = first.cast::<Type>() else {
        return Err(vm.type_error("complex.__new__(X): X is not a type object"));
    };
    if rest.len() > 2 {
        return Err(vm.type_error(format!("complex() takes at most 2 arguments ({} given)", rest.len())));
    }
    let (mut real, mut imag) = (rest.first().copied(), rest.get(1).copied());
    for (k, v) in args.keywords() {
        let name = k.cast::<Str>().map(|k| k.to_string_lossy().into_owned()).unwrap_or_default();
        match name.as_str() {
            "real" if real.is_none() => real = Some(v),
            "imag" if imag.is_none() => imag = Some(v),
            "real" | "imag" => {
                return Err(
                    vm.type_error(format!("argument for complex() given by name ('{name}') and position"))
                );
            }
            _ => return Err(vm.type_error(format!("complex() got an unexpected keyword argument '{name}'"))),
        }
    }
    let (Some(real), None) = (real, imag) else {
        let part = |v: Option<Value>, name: &str| -> R<Pair> {
            let Some(v) = v else { return Ok((0.0, 0.0)) };
            let text =
                || format!("complex() argument '{name}' must be a real number, not {}", vm.type_name(v));
            if let Some(c) = v.cast::<Complex>() {
                vm.warn(vm.exc.deprecation_warning, &text())?;
                return Ok((c.re(), c.im()));
            }
            if name == "real"
                && let Some(pair) = by_method(vm, v)?
            {
                vm.warn(vm.exc.deprecation_warning, &text())?;
                return Ok(pair);
            }
            if !is_real(vm, v) {
                return Err(vm.type_error(text()));
            }
            Ok((vm.to_f64(v)?, 0.0))
        };
        let (a, b) = (part(real, "real")?, part(imag, "imag")?);
        let re = if b.1 == 0.0 { a.0 } else { a.0 - b.1 };
        let im = if a.1 == 0.0 { b.0 } else { b.0 + a.1 };
        return make(vm, ty, (re, im));
    };
    if ty == vm.types.complex && vm.type_of(real) == ty {
        return Ok(real);
    }
    if let Some(s) = real.cast::<Str>() {
        let text = crate::types::text::to_ascii_number(s);
        return match parse(&text) {
            Some(c) => make(vm, ty, c),
            None => Err(vm.value_error("complex() arg is a malformed string")),
        };
    }
    match to_complex(vm, real)? {
        Some(c) => make(vm, ty, c),
        None => Err(vm.type_error(format!(
            "complex() argument must be a string or a number, not {}",
            vm.qualified_type_name(vm.type_of(real), &[b"builtins", b"__main__"])?
        ))),
    }
}

/// Length of the longest number at the beginning of the text.
fn number_len(t: &[u8]) -> usize {
    let mut i = usize::from(matches!(t.first(), Some(b'+' | b'-')));
    let word = t[i..].iter().take_while(|c| c.is_ascii_alphabetic()).count();
    let lower = t[i..i + word].to_ascii_lowercase();
    for name in [&b"infinity"[..], b"inf", b"nan"] {
        if lower.starts_with(name) {
            return i + name.len();
        }
    }
    let digits = |i: usize| t[i..].iter().take_while(|c| c.is_ascii_digit() || **c == b'_').count();
    let start = i;
    i += digits(i);
    if t.get(i) == Some(&b'.') {
        i += 1;
        i += digits(i);
    }
    if i == start || (i == start + 1 && t[start] == b'.') {
        return 0;
    }
    if matches!(t.get(i), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(t.get(i + 1), Some(b'+' | b'-')));
        let n = if i + 1 + sign <= t.len() { digits(i + 1 + sign) } else { 0 };
        if n > 0 {
            i += 1 + sign + n;
        }
    }
    i
}

/// A complex number's text.
fn parse(text: &[u8]) -> Option<Pair> {
    let mut t = text.trim_ascii();
    if let [b'(', inner @ .., b')'] = t {
        t = inner.trim_ascii();
    }
    let imaginary = |t: &[u8]| matches!(t, [b'j' | b'J']);
    // A sign alone before the `j` means one.
    let unit = |t: &[u8]| match t {
        [b'+', rest @ ..] if imaginary(rest) => Some(1.0),
        [b'-', rest @ ..] if imaginary(rest) => Some(-1.0),
        _ => None,
    };
    if imaginary(t) {
        return Some((0.0, 1.0));
    }
    if let Some(u) = unit(t) {
        return Some((0.0, u));
    }
    let n = number_len(t);
    if n == 0 {
        return None;
    }
    let first = text::parse(&t[..n])?;
    let rest = &t[n..];
    if rest.is_empty() {
        return Some((first, 0.0));
    }
    if imaginary(rest) {
        return Some((0.0, first));
    }
    if !matches!(rest[0], b'+' | b'-') {
        return None;
    }
    if let Some(u) = unit(rest) {
        return Some((first, u));
    }
    let m = number_len(rest);
    if m == 0 || !imaginary(&rest[m..]) {
        return None;
    }
    Some((first, text::parse(&rest[..m])?))
}
