//! The module `_operator`: what `operator` has in Rust.

use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

mod getters;

native_functions! { FUNCTIONS:
    "truth(a, /)" => |vm: &Vm, a: Value| vm.truth(a), "Return True if a is true, False otherwise.";
    "not_(a, /)" => |vm: &Vm, a: Value| vm.truth(a).map(|t| !t), "Same as not a.";
    "is_(a, b, /)" => |_: &Vm, a: Value, b: Value| a.is(b), "Same as a is b.";
    "is_not(a, b, /)" => |_: &Vm, a: Value, b: Value| !a.is(b), "Same as a is not b.";
    "is_none(a, /)" => |_: &Vm, a: Value| a.is_none(), "Same as a is None.";
    "is_not_none(a, /)" => |_: &Vm, a: Value| !a.is_none(), "Same as a is not None.";
    "lt(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Lt, a, b), "Same as a < b.";
    "le(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Le, a, b), "Same as a <= b.";
    "eq(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Eq, a, b), "Same as a == b.";
    "ne(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Ne, a, b), "Same as a != b.";
    "gt(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Gt, a, b), "Same as a > b.";
    "ge(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.rich_compare(Special::Ge, a, b), "Same as a >= b.";
    "add(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Add, a, b), "Same as a + b.";
    "sub(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Sub, a, b), "Same as a - b.";
    "mul(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Mul, a, b), "Same as a * b.";
    "matmul(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::MatMul, a, b), "Same as a @ b.";
    "truediv(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::TrueDiv, a, b), "Same as a / b.";
    "floordiv(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::FloorDiv, a, b), "Same as a // b.";
    "mod(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Mod, a, b), "Same as a % b.";
    "pow(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Pow, a, b), "Same as a ** b.";
    "lshift(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Shl, a, b), "Same as a << b.";
    "rshift(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Shr, a, b), "Same as a >> b.";
    "and_(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::And, a, b), "Same as a & b.";
    "or_(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Or, a, b), "Same as a | b.";
    "xor(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.binary(Special::Xor, a, b), "Same as a ^ b.";
    "iadd(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Add, a, b), "Same as a += b.";
    "isub(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Sub, a, b), "Same as a -= b.";
    "imul(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Mul, a, b), "Same as a *= b.";
    "imatmul(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::MatMul, a, b), "Same as a @= b.";
    "itruediv(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::TrueDiv, a, b), "Same as a /= b.";
    "ifloordiv(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::FloorDiv, a, b), "Same as a //= b.";
    "imod(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Mod, a, b), "Same as a %= b.";
    "ipow(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Pow, a, b), "Same as a **= b.";
    "ilshift(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Shl, a, b), "Same as a <<= b.";
    "irshift(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Shr, a, b), "Same as a >>= b.";
    "iand(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::And, a, b), "Same as a &= b.";
    "ior(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Or, a, b), "Same as a |= b.";
    "ixor(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.inplace(Special::Xor, a, b), "Same as a ^= b.";
    "neg(a, /)" => |vm: &Vm, a: Value| vm.unary(Special::Neg, a), "Same as -a.";
    "pos(a, /)" => |vm: &Vm, a: Value| vm.unary(Special::Pos, a), "Same as +a.";
    "inv(a, /)" => |vm: &Vm, a: Value| vm.unary(Special::Invert, a), "Same as ~a.";
    "invert(a, /)" => |vm: &Vm, a: Value| vm.unary(Special::Invert, a), "Same as ~a.";
    "abs(a, /)" => abs, "Same as abs(a).";
    "index(a, /)" => |vm: &Vm, a: Value| vm.index(a), "Same as a.__index__()";
    "concat(a, b, /)" => concat, "Same as a + b, for a and b sequences.";
    "iconcat(a, b, /)" => iconcat, "Same as a += b, for a and b sequences.";
    "contains(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.contains(a, b), "Same as b in a (note reversed operands).";
    "getitem(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.get_item(a, b), "Same as a[b].";
    "setitem(a, b, c, /)" => |vm: &Vm, a: Value, b: Value, c: Value| vm.set_item(a, b, c), "Same as a[b] = c.";
    "delitem(a, b, /)" => |vm: &Vm, a: Value, b: Value| vm.del_item(a, b), "Same as del a[b].";
    "countOf(a, b, /)" => count_of, "Return the number of items in a which are, or which equal, b.";
    "indexOf(a, b, /)" => index_of, "Return the first index of b in a.";
    "length_hint(obj, default=0, /)" => length_hint, "Return an estimate of the number of items in obj.\n\nThis is useful for presizing containers when building from an iterable.\n\nIf the object supports len(), the result will be exact.\nOtherwise, it may over- or under-estimate by an arbitrary amount.";
    "call(obj, /, *args, **kwargs)" => call, "Same as obj(*args, **kwargs).";
    "_compare_digest(a, b, /)" => compare_digest, "Return 'a == b'.\n\nThis function uses an approach designed to prevent\ntiming analysis, making it appropriate for cryptography.";
}

pub(super) fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = skein_runtime::types::module::make_module(vm, "_operator", FUNCTIONS)?;
    for def in [&getters::ITEMGETTER, &getters::ATTRGETTER, &getters::METHODCALLER] {
        let ty = ext_type(vm, def)?;
        m.dict().set_str(vm, ty.name(), ty.value())?;
    }
    Ok(m)
}

fn abs(vm: &Vm, v: Value) -> R<Value> {
    match vm.type_of(v).special(vm, Special::Abs) {
        Some(f) => vm.special_1(f, v),
        None => Err(vm.type_error(format!("bad operand type for abs(): '{}'", vm.type_name(v)))),
    }
}

fn check_sequence(vm: &Vm, v: Value) -> R<()> {
    if vm.type_of(v).special(vm, Special::GetItem).is_some() {
        return Ok(());
    }
    Err(vm.type_error(format!("'{}' object can't be concatenated", vm.type_name(v))))
}

fn concat(vm: &Vm, a: Value, b: Value) -> R<Value> {
    check_sequence(vm, a)?;
    vm.binary(Special::Add, a, b)
}

fn iconcat(vm: &Vm, a: Value, b: Value) -> R<Value> {
    check_sequence(vm, a)?;
    vm.inplace(Special::Add, a, b)
}

fn count_of(vm: &Vm, a: Value, b: Value) -> R<usize> {
    let mut n = 0;
    vm.for_each(a, |v| {
        n += usize::from(vm.eq(v, b)?);
        Ok(())
    })?;
    Ok(n)
}

fn index_of(vm: &Vm, a: Value, b: Value) -> R<usize> {
    let it = vm.iter(a)?;
    let mut i = 0;
    while let Some(v) = vm.next(it)? {
        if vm.eq(v, b)? {
            return Ok(i);
        }
        i += 1;
    }
    Err(vm.value_error("sequence.index(x): x not in sequence"))
}

fn length_hint(vm: &Vm, v: Value, default: Option<Value>) -> R<Value> {
    let default = default.unwrap_or(Value::small_int(0));
    if !vm.is_int(default) {
        return Err(
            vm.type_error(format!("'{}' object cannot be interpreted as an integer", vm.type_name(default)))
        );
    }
    match vm.length_hint(v)? {
        Some(n) => vm.int(n),
        None => Ok(default),
    }
}

fn call(vm: &Vm, args: Args<'_>) -> R<Value> {
    match args.positional().first() {
        Some(&f) => vm.call_args(f, args.rest()),
        None => Err(vm.type_error("call expected at least 1 argument, got 0")),
    }
}

fn compare_digest(vm: &Vm, a: Value, b: Value) -> R<bool> {
    let equal = |x: &[u8], y: &[u8]| {
        // Looks at every byte whatever the first ones are.
        let differing = x.iter().zip(y).fold(0, |acc, (p, q)| acc | (p ^ q));
        x.len() == y.len() && std::hint::black_box(differing) == 0
    };
    if let (Some(x), Some(y)) = (a.cast::<Str>(), b.cast::<Str>()) {
        if !x.is_ascii() || !y.is_ascii() {
            return Err(vm.type_error("comparing strings with non-ASCII characters is not supported"));
        }
        return Ok(equal(x.bytes(), y.bytes()));
    }
    let lends = |v: Value| vm.type_of(v).special(vm, Special::Buffer).is_some();
    if !lends(a) && !lends(b) {
        let (a, b) = (vm.type_name(a), vm.type_name(b));
        let text = format!("unsupported operand types(s) or combination of types: '{a}' and '{b}'");
        return Err(vm.type_error(text));
    }
    let bytes = |v: Value| -> R<Ref<Bytes>> {
        if let Some(b) = v.cast::<Bytes>() {
            return Ok(b);
        }
        if !lends(v) {
            return Err(vm.type_error(format!("a bytes-like object is required, not '{}'", vm.type_name(v))));
        }
        let view = vm.call(vm.types.memoryview.value(), &[v])?;
        let copy = vm.call_method(view, "tobytes", &[])?;
        copy.cast().ok_or_else(|| vm.type_error("tobytes() returned no bytes"))
    };
    let (x, y) = (bytes(a)?, bytes(b)?);
    Ok(equal(x.bytes(), y.bytes()))
}
