//! What Python code sees of `float`, and its arithmetic.

pub mod text;

use crate::types::Row;
use crate::types::format;
use crate::types::int::{Int, int_as_f64};
use crate::types::text as chars;
use skein_bytecode::Special;
use skein_runtime::native::{Args, FromArg, NativeDef, wrong_type};
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::float::Float;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use std::cmp::Ordering;

native_type! {
    pub DEF: "float", Kind::Float, type_flags::BASETYPE | type_flags::MATCH_SELF,
        "Convert a string or number to a floating-point number, if possible.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__repr__($self, /)" => |_: &Vm, a: Num| text::repr(a.0);
        [simple] "__hash__($self, /)" => |_: &Vm, a: Num| text::hash(a.0);
        [simple] "__bool__($self, /)" => |_: &Vm, a: Num| a.0 != 0.0;
        [simple] "__eq__($self, value, /)" => |_: &Vm, a: Num, b: Value| compare(a.0, b, |o| o == Some(Ordering::Equal));
        [simple] "__ne__($self, value, /)" => |_: &Vm, a: Num, b: Value| compare(a.0, b, |o| o != Some(Ordering::Equal));
        [simple] "__lt__($self, value, /)" => |_: &Vm, a: Num, b: Value| compare(a.0, b, |o| o.is_some_and(Ordering::is_lt));
        [simple] "__le__($self, value, /)" => |_: &Vm, a: Num, b: Value| compare(a.0, b, |o| o.is_some_and(Ordering::is_le));
        [simple] "__gt__($self, value, /)" => |_: &Vm, a: Num, b: Value| compare(a.0, b, |o| o.is_some_and(Ordering::is_gt));
        [simple] "__ge__($self, value, /)" => |_: &Vm, a: Num, b: Value| compare(a.0, b, |o| o.is_some_and(Ordering::is_ge));
        [simple] "__add__($self, value, /)" => |vm: &Vm, a: Num, b: Value| forward(vm, Special::Add, a, b);
        [simple] "__radd__($self, value, /)" => |vm: &Vm, a: Num, b: Value| reflected(vm, Special::Add, a, b);
        [simple] "__sub__($self, value, /)" => |vm: &Vm, a: Num, b: Value| forward(vm, Special::Sub, a, b);
        [simple] "__rsub__($self, value, /)" => |vm: &Vm, a: Num, b: Value| reflected(vm, Special::Sub, a, b);
        [simple] "__mul__($self, value, /)" => |vm: &Vm, a: Num, b: Value| forward(vm, Special::Mul, a, b);
        [simple] "__rmul__($self, value, /)" => |vm: &Vm, a: Num, b: Value| reflected(vm, Special::Mul, a, b);
        [simple] "__truediv__($self, value, /)" => |vm: &Vm, a: Num, b: Value| forward(vm, Special::TrueDiv, a, b);
        [simple] "__rtruediv__($self, value, /)" => |vm: &Vm, a: Num, b: Value| reflected(vm, Special::TrueDiv, a, b);
        [simple] "__floordiv__($self, value, /)" => |vm: &Vm, a: Num, b: Value| forward(vm, Special::FloorDiv, a, b);
        [simple] "__rfloordiv__($self, value, /)" => |vm: &Vm, a: Num, b: Value| reflected(vm, Special::FloorDiv, a, b);
        [simple] "__mod__($self, value, /)" => |vm: &Vm, a: Num, b: Value| forward(vm, Special::Mod, a, b);
        [simple] "__rmod__($self, value, /)" => |vm: &Vm, a: Num, b: Value| reflected(vm, Special::Mod, a, b);
        [simple] "__divmod__($self, value, /)" => |vm: &Vm, a: Num, b: Value| forward(vm, Special::DivMod, a, b);
        "__rdivmod__($self, value, /)" => |vm: &Vm, a: Num, b: Value| reflected(vm, Special::DivMod, a, b);
        [simple] "__pow__($self, value, mod=None, /)" => |vm: &Vm, a: Num, b: Value, m: Option<Value>| {
            check_no_mod(vm, m)?;
            forward(vm, Special::Pow, a, b)
        };
        "__rpow__($self, value, mod=None, /)" => |vm: &Vm, a: Num, b: Value, m: Option<Value>| {
            check_no_mod(vm, m)?;
            reflected(vm, Special::Pow, a, b)
        };
        [simple] "__neg__($self, /)" => |_: &Vm, a: Num| -a.0;
        [simple] "__pos__($self, /)" => |_: &Vm, a: Num| a.0;
        [simple] "__abs__($self, /)" => |_: &Vm, a: Num| a.0.abs();
        [simple] "__float__($self, /)" => |_: &Vm, a: Num| a.0;
        [simple] "__int__($self, /)" => |vm: &Vm, a: Num| to_int(vm, a.0);
        [simple] "__trunc__($self, /)" => |vm: &Vm, a: Num| to_int(vm, a.0), "Return the Integral closest to x between 0 and x.";
        [simple] "__floor__($self, /)" => |vm: &Vm, a: Num| to_int(vm, a.0.floor()), "Return the floor as an Integral.";
        [simple] "__ceil__($self, /)" => |vm: &Vm, a: Num| to_int(vm, a.0.ceil()), "Return the ceiling as an Integral.";
        "__round__($self, ndigits=None, /)" => round, "Return the Integral closest to x, rounding half toward even.\n\nWhen an argument is passed, work like built-in round(x, ndigits).";
        "__format__($self, format_spec, /)" => format::format_float, "Formats the float according to format_spec.";
        "__getnewargs__($self, /)" => |vm: &Vm, a: Num| {
            let v = vm.float(a.0)?;
            Tuple::new(vm, &[v])
        };
        [simple] "conjugate($self, /)" => |_: &Vm, a: Num| a.0, "Return self, the complex conjugate of any float.";
        [simple] "is_integer($self, /)" => |_: &Vm, a: Num| a.0.is_finite() && a.0.fract() == 0.0, "Return True if the float is an integer.";
        [simple] "as_integer_ratio($self, /)" => as_integer_ratio, "Return a pair of integers, whose ratio is exactly equal to the original float.\n\nThe ratio is in lowest terms and has a positive denominator.  Raise\nOverflowError on infinities and a ValueError on NaNs.\n\n>>> (10.0).as_integer_ratio()\n(10, 1)\n>>> (0.0).as_integer_ratio()\n(0, 1)\n>>> (-.25).as_integer_ratio()\n(-1, 4)";
        [simple] "hex($self, /)" => |_: &Vm, a: Num| text::hex(a.0), "Return a hexadecimal representation of a floating-point number.\n\n>>> (-0.1).hex()\n'-0x1.999999999999ap-4'\n>>> 3.14159.hex()\n'0x1.921f9f01b866ep+1'";
        [class] "fromhex($type, string, /)" => fromhex, "Create a floating-point number from a hexadecimal string.\n\n>>> float.fromhex('0x1.ffffp10')\n2047.984375\n>>> float.fromhex('-0x1p-1074')\n-5e-324";
        [class] "from_number($type, number, /)" => from_number, "Convert real number to a floating-point number.";
        [class] "__getformat__($type, typestr, /)" => getformat, "You probably don't want to use this function.";
    }
    getset {
        "real" => |vm: &Vm, v: Value| vm.float(vm.as_float(v).unwrap_or(0.0));
        "imag" => |vm: &Vm, _: Value| vm.float(0.0);
    }
}

/// A float object as the receiver.
pub struct Num(pub f64);

impl FromArg for Num {
    #[inline]
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Num> {
        match vm.as_float(v) {
            Some(f) => Ok(Num(f)),
            None => Err(wrong_type(vm, def, i, v, "float")),
        }
    }
}

/// An instance of `float` or a subclass.
fn make(vm: &Vm, ty: Ref<Type>, f: f64) -> R<Value> {
    if ty == vm.types.float {
        return vm.float(f);
    }
    let instance = vm.alloc_instance::<Float>(ty)?;
    instance.init(f);
    Ok(instance.value())
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(ty) = args.positional().first().and_then(|t| t.cast::<Type>()) else {
        return Err(vm.type_error("float.__new__(X): X is not a type object"));
    };
    if args.has_keywords()
        && skein_runtime::types::ext::refuses_keywords(vm, ty, vm.types.float, vm.names.__init__)
    {
        return Err(vm.type_error("float() takes no keyword arguments"));
    }
    let f = match &args.positional()[1..] {
        [] => 0.0,
        [x] => to_float(vm, *x)?,
        more => {
            return Err(vm.type_error(format!("float expected at most 1 argument, got {}", more.len())));
        }
    };
    make(vm, ty, f)
}

/// `float(x)`. TypeError, ValueError.
fn to_float(vm: &Vm, x: Value) -> R<f64> {
    let converts = |x: Value| !vm.is_exact_str(x) && vm.type_of(x).special(vm, Special::Float).is_some();
    let parsed = if let Some(s) = x.cast::<Str>().filter(|_| !converts(x)) {
        if s.is_ascii() { parse_bytes(s.bytes()) } else { parse_bytes(&chars::to_ascii_number(s)) }
    } else if let Some(b) = x.cast::<Bytes>() {
        parse_bytes(b.bytes())
    } else if let Some(b) = x.cast::<ByteArray>() {
        parse_bytes(b.bytes())
    } else {
        let ty = vm.type_of(x);
        let number = vm.as_float(x).is_some()
            || vm.is_int(x)
            || ty.special(vm, Special::Float).is_some()
            || ty.special(vm, Special::Index).is_some();
        // Of a subclass, what its `__float__` says.
        if ty != vm.types.float
            && vm.as_float(x).is_some()
            && let Some(f) = ty.special(vm, Special::Float)
        {
            return vm.float_result(ty, vm.special_1(f, x)?);
        }
        if number {
            return vm.to_f64(x);
        }
        if let Some(row) = Row::of(vm, x)? {
            return parsed_or(vm, parse_bytes(row.data()), x);
        }
        return Err(vm.type_error(format!(
            "float() argument must be a string or a real number, not '{}'",
            ty.name_string()
        )));
    };
    parsed_or(vm, parsed, x)
}

fn parsed_or(vm: &Vm, parsed: Option<f64>, x: Value) -> R<f64> {
    match parsed {
        Some(f) => Ok(f),
        None => Err(vm.value_error(format!("could not convert string to float: {}", vm.repr_string(x)?))),
    }
}

fn parse_bytes(b: &[u8]) -> Option<f64> {
    let space = |c: &u8| chars::is_byte_space(*c);
    let start = b.iter().position(|c| !space(c))?;
    let end = b.iter().rposition(|c| !space(c))? + 1;
    text::parse(&b[start..end])
}

fn from_number(vm: &Vm, ty: Ref<Type>, x: Value) -> R<Value> {
    if vm.type_of(x) == vm.types.float && ty == vm.types.float {
        return Ok(x);
    }
    make(vm, ty, vm.to_f64(x)?)
}

fn check_no_mod(vm: &Vm, m: Option<Value>) -> R<()> {
    match m {
        Some(m) if !m.is_none() => {
            Err(vm.type_error("pow() 3rd argument not allowed unless all arguments are integers"))
        }
        _ => Ok(()),
    }
}

/// The other operand as a float, if it is a number that fits.
fn operand(vm: &Vm, b: Value) -> R<Option<f64>> {
    if let Some(f) = vm.as_float(b) {
        return Ok(Some(f));
    }
    Int::of(b).map(|i| int_as_f64(vm, i)).transpose()
}

fn forward(vm: &Vm, op: Special, a: Num, b: Value) -> R<Value> {
    match operand(vm, b)? {
        Some(b) => float_op(vm, op, a.0, b),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn reflected(vm: &Vm, op: Special, a: Num, b: Value) -> R<Value> {
    match operand(vm, b)? {
        Some(b) => float_op(vm, op, b, a.0),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn compare(a: f64, b: Value, test: fn(Option<Ordering>) -> bool) -> Value {
    let order = if b.is_float() {
        a.partial_cmp(&b.as_immediate_float())
    } else if let Some(b) = b.cast::<Float>() {
        a.partial_cmp(&b.get())
    } else if let Some(b) = Int::of(b) {
        if a.is_nan() { None } else { Some(text::compare_big(&b.big(), a).reverse()) }
    } else {
        return Value::NOT_IMPLEMENTED;
    };
    Value::bool(test(order))
}

/// Quotient rounded down and remainder with the divisor's sign; the divisor is not 0.
pub fn float_divmod(x: f64, y: f64) -> (f64, f64) {
    let mut rest = x % y;
    let mut quotient = (x - rest) / y;
    if rest == 0.0 {
        rest = 0.0f64.copysign(y);
    } else if (y < 0.0) != (rest < 0.0) {
        rest += y;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0f64.copysign(x / y), rest);
    }
    let whole = quotient.floor();
    (if quotient - whole > 0.5 { whole + 1.0 } else { whole }, rest)
}

/// `x op y`; NotImplemented for operators that floats do not have.
pub fn float_op(vm: &Vm, op: Special, x: f64, y: f64) -> R<Value> {
    let divides = matches!(op, Special::TrueDiv | Special::FloorDiv | Special::Mod | Special::DivMod);
    if divides && y == 0.0 {
        return Err(vm.zero_division("division by zero"));
    }
    vm.float(match op {
        Special::Add => x + y,
        Special::Sub => x - y,
        Special::Mul => x * y,
        Special::TrueDiv => x / y,
        Special::FloorDiv => float_divmod(x, y).0,
        Special::Mod => float_divmod(x, y).1,
        Special::DivMod => {
            let (q, r) = float_divmod(x, y);
            let q = vm.float(q)?;
            return Ok(Tuple::new(vm, &[q, vm.float(r)?])?.value());
        }
        Special::Pow => return float_pow(vm, x, y),
        _ => return Ok(Value::NOT_IMPLEMENTED),
    })
}

/// OverflowError as C's `errno` gives it.
#[cold]
pub fn out_of_range(vm: &Vm) -> Raised {
    match vm.str("Numerical result out of range") {
        Ok(text) => vm.raise_new(vm.exc.overflow_error, &[Value::small_int(34), text]),
        Err(e) => e,
    }
}

/// `x ** y`: complex for a negative base with a fraction in the exponent.
pub fn float_pow(vm: &Vm, x: f64, y: f64) -> R<Value> {
    if x == 0.0 && y < 0.0 && y.is_finite() {
        return Err(vm.zero_division("zero to a negative power"));
    }
    if x < 0.0 && x.is_finite() && y.is_finite() && y.fract() != 0.0 {
        return crate::types::complex::power(vm, (x, 0.0), (y, 0.0));
    }
    let r = x.powf(y);
    if r.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(out_of_range(vm));
    }
    vm.float(r)
}

/// The integer part as an int. OverflowError, ValueError.
pub fn to_int(vm: &Vm, x: f64) -> R<Value> {
    if x.is_nan() {
        return Err(vm.value_error("cannot convert float NaN to integer"));
    }
    if x.is_infinite() {
        return Err(vm.overflow_error("cannot convert float infinity to integer"));
    }
    if x.abs() < 1e18 { vm.int(x as i64) } else { vm.big_int(text::to_big(x)) }
}

fn round(vm: &Vm, a: Num, digits: Option<Value>) -> R<Value> {
    let Some(digits) = digits.filter(|d| !d.is_none()) else { return to_int(vm, a.0.round_ties_even()) };
    let n = vm.index_clamped(digits)?;
    let r = text::round(a.0, n);
    if r.is_infinite() && a.0.is_finite() {
        return Err(vm.overflow_error("rounded value too large to represent"));
    }
    vm.float(r)
}

fn as_integer_ratio(vm: &Vm, a: Num) -> R<Ref<Tuple>> {
    if a.0.is_infinite() {
        return Err(vm.overflow_error("cannot convert Infinity to integer ratio"));
    }
    if a.0.is_nan() {
        return Err(vm.value_error("cannot convert NaN to integer ratio"));
    }
    let (n, d) = text::ratio(a.0);
    let n = vm.big_int(n)?;
    Tuple::new(vm, &[n, vm.big_int(d)?])
}

fn fromhex(vm: &Vm, ty: Ref<Type>, s: Ref<Str>) -> R<Value> {
    let text = s.to_string_lossy();
    match text::from_hex(text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b')) {
        Ok(f) if ty == vm.types.float => vm.float(f),
        Ok(f) => vm.call(ty.value(), &[vm.float(f)?]),
        Err(text::HexError::Invalid) => Err(vm.value_error("invalid hexadecimal floating-point string")),
        Err(text::HexError::TooLarge) => {
            Err(vm.overflow_error("hexadecimal value too large to represent as a float"))
        }
    }
}

fn getformat(vm: &Vm, _ty: Value, which: Ref<Str>) -> R<&'static str> {
    match which.bytes() {
        b"double" | b"float" if cfg!(target_endian = "little") => Ok("IEEE, little-endian"),
        b"double" | b"float" => Ok("IEEE, big-endian"),
        _ => Err(vm.value_error("__getformat__() argument 1 must be 'double' or 'float'")),
    }
}
