//! `math` on integers.

use crate::types::int::large;
use crate::types::{Int, check_room};
use num_bigint::{BigInt as Big, BigUint, Sign};
use num_integer::Integer;
use skein_runtime::native::Args;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// An argument with `__index__`. TypeError.
fn integer(vm: &Vm, v: Value) -> R<Int> {
    let v = vm.index(v)?;
    let i = Int::of(v).ok_or_else(|| vm.type_error("an integer is required"))?;
    if let Int::Boxed(b) = i {
        // Copies and what is made on the way.
        check_room(vm, 8 * b.get().bits())?;
    }
    Ok(i)
}

fn positional<'a>(vm: &Vm, args: &Args<'a>, name: &str) -> R<&'a [Value]> {
    if args.has_keywords() {
        return Err(vm.type_error(format!("math.{name}() takes no keyword arguments")));
    }
    Ok(args.positional())
}

pub fn gcd(vm: &Vm, args: Args<'_>) -> R<Value> {
    let mut total = Big::ZERO;
    let mut small = Some(0i64);
    for &v in positional(vm, &args, "gcd")? {
        let i = integer(vm, v)?;
        if let (Some(a), Int::Small(b)) = (small, i) {
            small = Some(a.gcd(&b));
            continue;
        }
        if let Some(a) = small.take() {
            total = Big::from(a);
        }
        total = large::gcd(vm, total, i.big().into_owned())?;
    }
    match small {
        Some(g) => vm.int(g),
        None => vm.big_int(total),
    }
}

pub fn lcm(vm: &Vm, args: Args<'_>) -> R<Value> {
    let mut total = Big::from(1);
    for &v in positional(vm, &args, "lcm")? {
        let i = integer(vm, v)?;
        check_room(vm, 8 * (total.bits() + i.big().bits()))?;
        total = if i.is_zero() { Big::ZERO } else { total.lcm(&i.big()) };
    }
    vm.big_int(total)
}

pub fn isqrt(vm: &Vm, v: Value) -> R<Value> {
    let i = integer(vm, v)?;
    if i.is_negative() {
        return Err(vm.value_error("isqrt() argument must be nonnegative"));
    }
    match i {
        Int::Small(i) => vm.int((i as u64).isqrt() as i64),
        Int::Boxed(b) => {
            let (root, _) = large::square_root(vm, b.get().magnitude())?;
            vm.big_int(Big::from_biguint(Sign::Plus, root))
        }
    }
}

/// The product of `low..=high`, by halves, so that factors of like size meet.
fn product(vm: &Vm, low: u64, high: u64) -> R<BigUint> {
    if low > high {
        return Ok(BigUint::from(1u8));
    }
    if high - low < 8 {
        return Ok((low..=high).fold(BigUint::from(1u8), |p, i| p * i));
    }
    vm.check_signals()?;
    let middle = low + (high - low) / 2;
    large::product(vm, &product(vm, low, middle)?, &product(vm, middle + 1, high)?)
}

pub fn factorial(vm: &Vm, v: Value) -> R<Value> {
    let i = integer(vm, v)?;
    if i.is_negative() {
        return Err(vm.value_error("factorial() not defined for negative values"));
    }
    let Some(n) = i.to_i64() else {
        return Err(vm.overflow_error(format!("factorial() argument should not exceed {}", i64::MAX)));
    };
    if n <= 20 {
        return vm.int((1..=n).product());
    }
    let bits = u64::from(n.ilog2()).saturating_mul(n as u64);
    if bits >= 1 << 40 {
        return Err(vm.memory_error());
    }
    check_room(vm, bits)?;
    vm.big_int(Big::from_biguint(Sign::Plus, product(vm, 2, n as u64)?))
}

/// `n` and `k`, which are not negative. ValueError.
fn not_negative(vm: &Vm, n: Value, k: Value) -> R<(Int, Int)> {
    let (n, k) = (integer(vm, n)?, integer(vm, k)?);
    for (i, name) in [(n, "n"), (k, "k")] {
        if i.is_negative() {
            return Err(vm.value_error(format!("{name} must be a non-negative integer")));
        }
    }
    Ok((n, k))
}

/// The product of the `k` ints below and with `n`.
fn falling(vm: &Vm, n: &Big, k: u64) -> R<Big> {
    if let Ok(n) = u64::try_from(n) {
        check_room(vm, u64::from(n.max(2).ilog2() + 1).saturating_mul(k))?;
        return Ok(Big::from_biguint(Sign::Plus, product(vm, n - k + 1, n)?));
    }
    check_room(vm, n.bits().saturating_mul(k))?;
    let mut all = Big::from(1);
    for i in 0..k {
        vm.check_signals()?;
        all = large::signed_product(vm, &all, &(n - i))?;
    }
    Ok(all)
}

pub fn perm(vm: &Vm, n: Value, k: Option<Value>) -> R<Value> {
    let Some(k) = k.filter(|k| !k.is_none()) else { return factorial(vm, n) };
    let (n, k) = not_negative(vm, n, k)?;
    if k.big() > n.big() {
        return Ok(Value::small_int(0));
    }
    match k.to_i64() {
        Some(k) => vm.big_int(falling(vm, &n.big(), k as u64)?),
        None => Err(vm.overflow_error(format!("k must not exceed {}", i64::MAX))),
    }
}

pub fn comb(vm: &Vm, n: Value, k: Value) -> R<Value> {
    let (n, k) = not_negative(vm, n, k)?;
    let (n, k) = (n.big(), k.big());
    if k > n {
        return Ok(Value::small_int(0));
    }
    let other = &*n - &*k;
    let k = if other < *k { other } else { k.into_owned() };
    let Ok(k) = u64::try_from(&k) else {
        return Err(vm.overflow_error(format!("min(n - k, k) must not exceed {}", i64::MAX)));
    };
    let below = Big::from_biguint(Sign::Plus, product(vm, 2, k)?);
    vm.big_int(large::div_mod_floor(vm, &falling(vm, &n, k)?, &below)?.0)
}
