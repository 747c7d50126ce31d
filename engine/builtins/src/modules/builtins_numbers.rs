//! `builtins`: functions on numbers and characters.

use crate::types::{Int, Row, int_digits};
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_functions! { pub FUNCTIONS:
    [simple] "abs(x, /)" => abs, "Return the absolute value of the argument.";
    "bin(number, /)" => |vm: &Vm, v: Value| prefixed(vm, v, 2, "0b"), "Return the binary representation of an integer.\n\n>>> bin(2796202)\n'0b1010101010101010101010'";
    "hex(number, /)" => |vm: &Vm, v: Value| prefixed(vm, v, 16, "0x"), "Return the hexadecimal representation of an integer.\n\n>>> hex(12648430)\n'0xc0ffee'";
    "oct(number, /)" => |vm: &Vm, v: Value| prefixed(vm, v, 8, "0o"), "Return the octal representation of an integer.\n\n>>> oct(342391)\n'0o1234567'";
    [simple] "ord(c, /)" => ord, "Return the Unicode code point for a one-character string.";
    [simple] "chr(i, /)" => chr, "Return a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff.";
    "divmod(x, y, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::DivMod, a, b), "Return the tuple (x//y, x%y).  Invariant: div*y + mod == x.";
    "pow(base, exp, mod=None)" => pow, "Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments.\n\nSome types, such as ints, are able to use a more efficient algorithm when\ninvoked using the three argument form.";
    "round(number, ndigits=None)" => round, "Round a number to a given precision in decimal digits.\n\nThe return value is an integer if ndigits is omitted or None.  Otherwise\nthe return value has the same type as the number.  ndigits may be negative.";
    "ascii(obj, /)" => |vm: &Vm, v: Value| vm.ascii(v), "Return an ASCII-only representation of an object.";
    "format(value, format_spec='', /)" => format, "Return type(value).__format__(value, format_spec)\n\nMany built-in types implement format_spec according to the\nFormat Specification Mini-language.";
}

fn abs(vm: &Vm, v: Value) -> R<Value> {
    match vm.type_of(v).special(vm, Special::Abs) {
        Some(f) => vm.special_1(f, v),
        None => Err(vm.type_error(format!("bad operand type for abs(): '{}'", vm.type_name(v)))),
    }
}

fn prefixed(vm: &Vm, v: Value, radix: u32, prefix: &str) -> R<String> {
    let v = vm.index(v)?;
    let Some(i) = Int::of(v) else { return Err(vm.type_error("an integer is required")) };
    let sign = if i.is_negative() { "-" } else { "" };
    Ok(format!("{sign}{prefix}{}", int_digits(vm, i, radix, false)?))
}

fn ord(vm: &Vm, v: Value) -> R<Value> {
    let len = if let Some(s) = v.cast::<Str>() {
        if s.char_len() == 1 {
            return Ok(Value::small_int(s.code_points().next().map_or(0, i64::from)));
        }
        s.char_len()
    } else if let Some(row) = Row::of(vm, v)? {
        if let [b] = row.data()[..] {
            return Ok(Value::small_int(i64::from(b)));
        }
        row.data().len()
    } else {
        return Err(
            vm.type_error(format!("ord() expected string of length 1, but {} found", vm.type_name(v)))
        );
    };
    Err(vm.type_error(format!("ord() expected a character, but string of length {len} found")))
}

fn chr(vm: &Vm, v: Value) -> R<Value> {
    match u32::try_from(vm.index_clamped(v)?) {
        Ok(c) if c < 0x11_0000 => vm.char_str(c),
        _ => Err(vm.value_error("chr() arg not in range(0x110000)")),
    }
}

fn pow(vm: &Vm, base: Value, exponent: Value, modulus: Option<Value>) -> R<Value> {
    let Some(m) = modulus.filter(|m| !m.is_none()) else { return vm.binary(Special::Pow, base, exponent) };
    let (left, right) = (vm.type_of(base), vm.type_of(exponent));
    let forward = left.special(vm, Special::Pow).map(|f| (f, [base, exponent, m]));
    let reflected = right.special(vm, Special::RPow).map(|f| (f, [exponent, base, m]));
    let order = if left == right {
        [forward, None]
    } else if right.is_subtype(left) {
        [reflected, forward]
    } else {
        [forward, reflected]
    };
    for (f, args) in order.into_iter().flatten().filter(|(f, _)| !f.is_none()) {
        let r = vm.call_special_method(f, Args::new(&args, None))?;
        if !r.is(Value::NOT_IMPLEMENTED) {
            return Ok(r);
        }
    }
    Err(vm.type_error(format!(
        "unsupported operand type(s) for ** or pow(): '{}', '{}', '{}'",
        left.name_string(),
        right.name_string(),
        vm.type_name(m)
    )))
}

fn round(vm: &Vm, v: Value, digits: Option<Value>) -> R<Value> {
    let ty = vm.type_of(v);
    let Some(f) = ty.special(vm, Special::Round) else {
        return Err(vm.type_error(format!("type {} doesn't define __round__ method", ty.name_string())));
    };
    match digits.filter(|d| !d.is_none()) {
        Some(d) => vm.special_2(f, v, d),
        None => vm.special_1(f, v),
    }
}

fn format(vm: &Vm, v: Value, spec: Option<Ref<Str>>) -> R<Value> {
    vm.format(v, spec.map_or(Value::UNBOUND, |s| s.value()))
}
