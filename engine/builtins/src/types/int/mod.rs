//! What Python code sees of `int`.

pub(crate) mod arith;
mod bits;
pub(crate) mod large;
mod parse;

pub use arith::{Int, check_room, int_as_f64, int_op, power_mod, round_scaled};
pub use parse::{parse, parse_str, to_decimal};

use crate::types::Row;
use crate::types::format;
use num_bigint::BigInt as Big;
use num_integer::Integer;
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::int::BigInt;
use skein_runtime::types::int::{decimal_str, hash_big, hash_i64, hash_wide};
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cmp::Ordering;

native_type! {
    pub DEF: "int", Kind::Int, type_flags::BASETYPE | type_flags::MATCH_SELF,
        "int([x]) -> integer\nint(x, base=10) -> integer\n\nConvert a number or string to an integer, or return 0 if no arguments\nare given.  If x is a number, return x.__int__().  For floating-point\nnumbers, this truncates towards zero.\n\nIf x is not a number or if base is given, then x must be a string,\nbytes, or bytearray instance representing an integer literal in the\ngiven base.  The literal can be preceded by '+' or '-' and be surrounded\nby whitespace.  The base defaults to 10.  Valid bases are 0 and 2-36.\nBase 0 means to interpret the base from the string as an integer literal.\n>>> int('0b100', base=0)\n4";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__repr__($self, /)" => repr;
        [simple] "__hash__($self, /)" => hash;
        [simple] "__bool__($self, /)" => |_: &Vm, a: Int| !a.is_zero();
        [simple] "__eq__($self, value, /)" => |vm: &Vm, a: Int, b: Value| compare(vm, a, b, Ordering::is_eq);
        [simple] "__ne__($self, value, /)" => |vm: &Vm, a: Int, b: Value| compare(vm, a, b, Ordering::is_ne);
        [simple] "__lt__($self, value, /)" => |vm: &Vm, a: Int, b: Value| compare(vm, a, b, Ordering::is_lt);
        [simple] "__le__($self, value, /)" => |vm: &Vm, a: Int, b: Value| compare(vm, a, b, Ordering::is_le);
        [simple] "__gt__($self, value, /)" => |vm: &Vm, a: Int, b: Value| compare(vm, a, b, Ordering::is_gt);
        [simple] "__ge__($self, value, /)" => |vm: &Vm, a: Int, b: Value| compare(vm, a, b, Ordering::is_ge);
        [simple] "__add__($self, value, /)" => |vm: &Vm, a: Int, b: Value| forward(vm, Special::Add, a, b);
        [simple] "__radd__($self, value, /)" => |vm: &Vm, a: Int, b: Value| reflected(vm, Special::Add, a, b);
        [simple] "__sub__($self, value, /)" => |vm: &Vm, a: Int, b: Value| forward(vm, Special::Sub, a, b);
        [simple] "__rsub__($self, value, /)" => |vm: &Vm, a: Int, b: Value| reflected(vm, Special::Sub, a, b);
        [simple] "__mul__($self, value, /)" => |vm: &Vm, a: Int, b: Value| forward(vm, Special::Mul, a, b);
        [simple] "__rmul__($self, value, /)" => |vm: &Vm, a: Int, b: Value| reflected(vm, Special::Mul, a, b);
        [simple] "__truediv__($self, value, /)" => |vm: &Vm, a: Int, b: Value| forward(vm, Special::TrueDiv, a, b);
        [simple] "__rtruediv__($self, value, /)" => |vm: &Vm, a: Int, b: Value| reflected(vm, Special::TrueDiv, a, b);
        [simple] "__floordiv__($self, value, /)" => |vm: &Vm, a: Int, b: Value| forward(vm, Special::FloorDiv, a, b);
        [simple] "__rfloordiv__($self, value, /)" => |vm: &Vm, a: Int, b: Value| reflected(vm, Special::FloorDiv, a, b);
        [simple] "__mod__($self, value, /)" => |vm: &Vm, a: Int, b: Value| forward(vm, Special::Mod, a, b);
        [simple] "__rmod__($self, value, /)" => |vm: &Vm, a: Int, b: Value| reflected(vm, Special::Mod, a, b);
        [simple] "__divmod__($self, value, /)" => |vm: &Vm, a: Int, b: Value| forward(vm, Special::DivMod, a, b);
        "__rdivmod__($self, value, /)" => |vm: &Vm, a: Int, b: Value| reflected(vm, Special::DivMod, a, b);
        [simple] "__lshift__($self, value, /)" => |vm: &Vm, a: Int, b: Value| forward(vm, Special::Shl, a, b);
        "__rlshift__($self, value, /)" => |vm: &Vm, a: Int, b: Value| reflected(vm, Special::Shl, a, b);
        [simple] "__rshift__($self, value, /)" => |vm: &Vm, a: Int, b: Value| forward(vm, Special::Shr, a, b);
        "__rrshift__($self, value, /)" => |vm: &Vm, a: Int, b: Value| reflected(vm, Special::Shr, a, b);
        [simple] "__and__($self, value, /)" => |vm: &Vm, a: Int, b: Value| forward(vm, Special::And, a, b);
        "__rand__($self, value, /)" => |vm: &Vm, a: Int, b: Value| reflected(vm, Special::And, a, b);
        [simple] "__or__($self, value, /)" => |vm: &Vm, a: Int, b: Value| forward(vm, Special::Or, a, b);
        "__ror__($self, value, /)" => |vm: &Vm, a: Int, b: Value| reflected(vm, Special::Or, a, b);
        [simple] "__xor__($self, value, /)" => |vm: &Vm, a: Int, b: Value| forward(vm, Special::Xor, a, b);
        "__rxor__($self, value, /)" => |vm: &Vm, a: Int, b: Value| reflected(vm, Special::Xor, a, b);
        [simple] "__pow__($self, value, mod=None, /)" => pow;
        "__rpow__($self, value, mod=None, /)" => rpow;
        [simple] "__neg__($self, /)" => neg;
        [simple] "__pos__($self, /)" => |vm: &Vm, a: Int| a.into_value(vm);
        [simple] "__abs__($self, /)" => abs;
        "__invert__($self, /)" => invert;
        [simple] "__int__($self, /)" => |vm: &Vm, a: Int| a.into_value(vm);
        [simple] "__index__($self, /)" => |vm: &Vm, a: Int| a.into_value(vm);
        [simple] "__trunc__($self, /)" => |vm: &Vm, a: Int| a.into_value(vm), "Truncating an Integral returns itself.";
        [simple] "__floor__($self, /)" => |vm: &Vm, a: Int| a.into_value(vm), "Flooring an Integral returns itself.";
        [simple] "__ceil__($self, /)" => |vm: &Vm, a: Int| a.into_value(vm), "Ceiling of an Integral returns itself.";
        [simple] "__float__($self, /)" => int_as_f64;
        "__round__($self, ndigits=None, /)" => round, "Rounding an Integral returns itself.\n\nRounding with an ndigits argument also returns an integer.";
        "__format__($self, format_spec, /)" => format::format_int, "Convert to a string according to format_spec.";
        "__getnewargs__($self, /)" => getnewargs;
        [simple] "conjugate($self, /)" => |vm: &Vm, a: Int| a.into_value(vm), "Returns self, the complex conjugate of any int.";
        [simple] "bit_length($self, /)" => bits::bit_length, "Number of bits necessary to represent self in binary.\n\n>>> bin(37)\n'0b100101'\n>>> (37).bit_length()\n6";
        [simple] "bit_count($self, /)" => bits::bit_count, "Number of ones in the binary representation of the absolute value of self.\n\nAlso known as the population count.\n\n>>> bin(13)\n'0b1101'\n>>> (13).bit_count()\n3";
        [simple] "as_integer_ratio($self, /)" => as_integer_ratio, "Return a pair of integers, whose ratio is equal to the original int.\n\nThe ratio is in lowest terms and has a positive denominator.\n\n>>> (10).as_integer_ratio()\n(10, 1)\n>>> (-10).as_integer_ratio()\n(-10, 1)\n>>> (0).as_integer_ratio()\n(0, 1)";
        [simple] "is_integer($self, /)" => |_: &Vm, _: Int| true, "Returns True. Exists for duck type compatibility with float.is_integer.";
        [simple] "to_bytes($self, /, length=1, byteorder='big', *, signed=False)" => bits::to_bytes, "Return an array of bytes representing an integer.";
        [class] "from_bytes($type, /, bytes, byteorder='big', *, signed=False)" => bits::from_bytes, "Return the integer represented by the given array of bytes.";
    }
    getset {
        "real" => |vm: &Vm, v: Value| vm_int(vm, v);
        "imag" => |_: &Vm, _: Value| Ok(Value::small_int(0));
        "numerator" => |vm: &Vm, v: Value| vm_int(vm, v);
        "denominator" => |_: &Vm, _: Value| Ok(Value::small_int(1));
    }
}

fn vm_int(vm: &Vm, v: Value) -> R<Value> {
    match Int::of(v) {
        Some(i) => i.into_value(vm),
        None => Err(vm.type_error("descriptor requires an 'int' object")),
    }
}

/// `int(x)` or `int(text, base)`.
fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some((&first, rest)) = args.positional().split_first() else {
        return Err(vm.type_error("int.__new__(): not enough arguments"));
    };
    let Some(ty) = first.cast::<Type>() else {
        return Err(
            vm.type_error(format!("int.__new__(X): X is not a type object ({})", vm.type_name(first)))
        );
    };
    if ty == vm.types.bool {
        return Err(vm.type_error("int.__new__(bool) is not safe, use bool.__new__()"));
    }
    if rest.len() > 2 {
        return Err(vm.type_error(format!("int expected at most 2 arguments, got {}", rest.len())));
    }
    let (x, mut base) = (rest.first().copied(), rest.get(1).copied());
    for (k, v) in args.keywords() {
        match k.cast::<Str>() {
            Some(k) if k.bytes() == b"base" && base.is_none() => base = Some(v),
            k => {
                let name = k.map(|k| k.to_string_lossy().into_owned()).unwrap_or_default();
                return Err(vm.type_error(format!("int() got an unexpected keyword argument '{name}'")));
            }
        }
    }
    let v = match (x, base) {
        (None, None) => Value::small_int(0),
        (None, Some(_)) => return Err(vm.type_error("int() missing string argument")),
        (Some(x), None) => to_int(vm, x)?,
        (Some(x), Some(base)) => {
            let base = vm.index_clamped(base)?;
            if base != 0 && !(2..=36).contains(&base) {
                return Err(vm.value_error("int() base must be >= 2 and <= 36, or 0"));
            }
            match parse_text(vm, x, base as u32)? {
                Some(v) => v,
                None => return Err(vm.type_error("int() can't convert non-string with explicit base")),
            }
        }
    };
    if ty == vm.types.int {
        return Ok(v);
    }
    let Some(value) = vm.as_big(v) else { return Ok(v) };
    let instance = vm.alloc_instance::<BigInt>(ty)?;
    instance.init(vm, value);
    Ok(instance.value())
}

fn parse_text(vm: &Vm, x: Value, base: u32) -> R<Option<Value>> {
    if let Some(s) = x.cast::<Str>() {
        return parse_str(vm, s, base).map(Some);
    }
    if let Some(b) = x.cast::<Bytes>() {
        return parse(vm, b.bytes(), base, x).map(Some);
    }
    match x.cast::<ByteArray>() {
        Some(b) => parse(vm, b.bytes(), base, x).map(Some),
        None => Ok(None),
    }
}

/// `int(x)` as an exact int. TypeError, ValueError.
fn to_int(vm: &Vm, x: Value) -> R<Value> {
    if x.is_int() || vm.type_of(x) == vm.types.int {
        return Ok(x);
    }
    let ty = vm.type_of(x);
    if let Some(f) = ty.special(vm, Special::Int)
        && !f.is_none()
    {
        let r = vm.special_1(f, x)?;
        return vm.exact_int(r, "__int__");
    }
    if ty.special(vm, Special::Index).is_some() {
        let i = vm.index(x)?;
        return vm_int(vm, i);
    }
    if let Some(v) = parse_text(vm, x, 10)? {
        return Ok(v);
    }
    if let Some(row) = Row::of(vm, x)? {
        return parse(vm, row.data(), 10, x);
    }
    Err(vm.type_error(format!(
        "int() argument must be a string, a bytes-like object or a real number, not '{}'",
        ty.name_string()
    )))
}

fn repr(vm: &Vm, a: Int) -> R<Value> {
    match a {
        Int::Small(i) => Ok(decimal_str(vm, i)?.value()),
        Int::Boxed(b) => match b.wide() {
            Some(wide) => vm.str(&wide.to_string()),
            None => vm.str(&to_decimal(vm, &b.get())?),
        },
    }
}

fn hash(_: &Vm, a: Int) -> i64 {
    match a {
        Int::Small(i) => hash_i64(i),
        Int::Boxed(b) => b.wide().map_or_else(|| hash_big(&b.get()), hash_wide),
    }
}

/// Order of two ints.
pub fn compare_ints(a: Int, b: Int) -> Ordering {
    match (a.wide(), b.wide()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.big().cmp(&b.big()),
    }
}

fn compare(_: &Vm, a: Int, b: Value, test: fn(Ordering) -> bool) -> Value {
    match Int::of(b) {
        Some(b) => Value::bool(test(compare_ints(a, b))),
        None => Value::NOT_IMPLEMENTED,
    }
}

fn forward(vm: &Vm, op: Special, a: Int, b: Value) -> R<Value> {
    match Int::of(b) {
        Some(b) => int_op(vm, op, a, b),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn reflected(vm: &Vm, op: Special, a: Int, b: Value) -> R<Value> {
    match Int::of(b) {
        Some(b) => int_op(vm, op, b, a),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn pow(vm: &Vm, a: Int, b: Value, m: Option<Value>) -> R<Value> {
    let Some(b) = Int::of(b) else { return Ok(Value::NOT_IMPLEMENTED) };
    match m {
        Some(m) if !m.is_none() => match Int::of(m) {
            Some(m) => power_mod(vm, a, b, m),
            None => Ok(Value::NOT_IMPLEMENTED),
        },
        _ => int_op(vm, Special::Pow, a, b),
    }
}

fn rpow(vm: &Vm, a: Int, b: Value, m: Option<Value>) -> R<Value> {
    let Some(b) = Int::of(b) else { return Ok(Value::NOT_IMPLEMENTED) };
    match m {
        Some(m) if !m.is_none() => match Int::of(m) {
            Some(m) => power_mod(vm, b, a, m),
            None => Ok(Value::NOT_IMPLEMENTED),
        },
        _ => int_op(vm, Special::Pow, b, a),
    }
}

fn neg(vm: &Vm, a: Int) -> R<Value> {
    match a {
        Int::Small(i) => vm.int(-i),
        Int::Boxed(b) => {
            check_room(vm, 2 * b.get().bits())?;
            vm.big_int(-&*b.get())
        }
    }
}

fn abs(vm: &Vm, a: Int) -> R<Value> {
    if a.is_negative() { neg(vm, a) } else { a.into_value(vm) }
}

fn invert(vm: &Vm, a: Int) -> R<Value> {
    match a {
        Int::Small(i) => vm.int(!i),
        Int::Boxed(b) => {
            check_room(vm, 2 * b.get().bits())?;
            vm.big_int(!&*b.get())
        }
    }
}

/// To a multiple of a power of ten, halves to the even one.
fn round(vm: &Vm, a: Int, digits: Option<Value>) -> R<Value> {
    let Some(digits) = digits.filter(|d| !d.is_none()) else { return a.into_value(vm) };
    let n = vm.index_clamped(digits)?;
    if n >= 0 {
        return a.into_value(vm);
    }
    let value = a.big();
    check_room(vm, 4 * value.bits())?;
    let power = n.unsigned_abs();
    // More digits than the number has: it rounds to 0.
    if power > value.bits() / 3 + 2 {
        return Ok(Value::small_int(0));
    }
    let unit = Big::from(10).pow(power as u32);
    let (q, r) = value.div_mod_floor(&unit);
    let up = match (&r * 2u8).cmp(&unit) {
        Ordering::Greater => true,
        Ordering::Equal => q.bit(0),
        Ordering::Less => false,
    };
    vm.big_int((if up { q + 1u8 } else { q }) * unit)
}

fn getnewargs(vm: &Vm, a: Int) -> R<Ref<Tuple>> {
    let v = a.into_value(vm)?;
    Tuple::new(vm, &[v])
}

fn as_integer_ratio(vm: &Vm, a: Int) -> R<Ref<Tuple>> {
    let v = a.into_value(vm)?;
    Tuple::new(vm, &[v, Value::small_int(1)])
}
