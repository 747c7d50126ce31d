//! Arithmetic on ints so large that one operation takes noticeable time: it looks for signals on the way.

use num_bigint::{BigInt as Big, BigUint, Sign};
use num_integer::Integer;
use skein_runtime::value::R;
use skein_runtime::vm::Vm;

/// Bits of operands up to which an operation is a matter of a few milliseconds.
const QUICK: u64 = 1 << 18;

/// The number cut at a bit: what lies above, what lies below.
fn cut(x: &BigUint, at: u64) -> (BigUint, BigUint) {
    let high = x >> at;
    let low = x - (&high << at);
    (high, low)
}

/// `a * b`, by Karatsuba's method as long as both are large. What a signal's handler raises.
pub fn product(vm: &Vm, a: &BigUint, b: &BigUint) -> R<BigUint> {
    let (long, short) = if a.bits() >= b.bits() { (a, b) } else { (b, a) };
    if long.bits() <= QUICK {
        return Ok(long * short);
    }
    vm.check_signals()?;
    super::check_room(vm, 4 * (long.bits() + short.bits()))?;
    let half = long.bits().div_ceil(128) * 64;
    let (high, low) = cut(long, half);
    if short.bits() <= half {
        return Ok((product(vm, &high, short)? << half) + product(vm, &low, short)?);
    }
    let (other_high, other_low) = cut(short, half);
    let top = product(vm, &high, &other_high)?;
    let bottom = product(vm, &low, &other_low)?;
    let both = product(vm, &(high + low), &(other_high + other_low))?;
    let middle = both - &top - &bottom;
    Ok((top << (2 * half)) + (middle << half) + bottom)
}

/// As [`product`], of ints with signs.
pub fn signed_product(vm: &Vm, a: &Big, b: &Big) -> R<Big> {
    let sign = if a.sign() == b.sign() { Sign::Plus } else { Sign::Minus };
    Ok(Big::from_biguint(sign, product(vm, a.magnitude(), b.magnitude())?))
}

/// `base ** exponent`. What a signal's handler raises.
pub fn power(vm: &Vm, base: &Big, exponent: u32) -> R<Big> {
    if base.bits().saturating_mul(exponent.into()) <= QUICK {
        return Ok(base.pow(exponent));
    }
    let mut result = BigUint::from(1u8);
    for bit in (0..u32::BITS - exponent.leading_zeros()).rev() {
        result = product(vm, &result, &result)?;
        if exponent >> bit & 1 != 0 {
            result = product(vm, &result, base.magnitude())?;
        }
    }
    let negative = base.sign() == Sign::Minus && !exponent.is_multiple_of(2);
    Ok(Big::from_biguint(if negative { Sign::Minus } else { Sign::Plus }, result))
}

/// Quotient and remainder of numbers without signs, the longer one taken piece by piece. What a signal's handler
/// raises.
pub fn divided(vm: &Vm, a: &BigUint, b: &BigUint) -> R<(BigUint, BigUint)> {
    if a.bits().saturating_sub(b.bits()) <= SHORT && b.bits() >= SHORT {
        return divided_by_hand(vm, a, b);
    }
    // A piece of so many bits costs that times the divisor's.
    let piece = (QUICK * QUICK / 4 / b.bits().max(1)).clamp(64, QUICK) / 64 * 64;
    if a.bits() <= b.bits() + piece {
        return Ok(a.div_rem(b));
    }
    super::check_room(vm, 8 * a.bits())?;
    let pieces = a.bits().div_ceil(piece);
    let (mut quotient, mut rest) = (Vec::new(), BigUint::ZERO);
    let digits = a.to_u32_digits();
    let words = (piece / 32) as usize;
    for i in (0..pieces as usize).rev() {
        vm.check_signals()?;
        let part = &digits[i * words..digits.len().min((i + 1) * words)];
        rest = (rest << piece) + BigUint::from_slice(part);
        let (q, r) = rest.div_rem(b);
        rest = r;
        quotient.push(q);
    }
    let mut all = vm.filled(0u32, digits.len())?;
    for (i, q) in quotient.iter().rev().enumerate() {
        for (to, digit) in all[i * words..].iter_mut().zip(q.iter_u32_digits()) {
            *to = digit;
        }
    }
    Ok((BigUint::new(all), rest))
}

/// Quotients of up to so many bits are found digit by digit: the library halves numbers of this size again and again,
/// however short the quotient is, which costs five times as much.
const SHORT: u64 = 64 * 32;

/// As [`divided`], of a divisor of two digits at least, by long division (Knuth, The Art of Computer Programming,
/// volume 2, algorithm 4.3.1 D). MemoryError.
fn divided_by_hand(vm: &Vm, a: &BigUint, b: &BigUint) -> R<(BigUint, BigUint)> {
    let shift = (64 - b.bits() % 64) % 64;
    // Shifted so that the divisor's first bit is set.
    let shifted = |n: &BigUint, len: usize| -> R<Vec<u64>> {
        let mut digits = vm.filled(0, len)?;
        let mut carry = 0;
        for (place, digit) in digits.iter_mut().zip(n.iter_u64_digits().chain([0])) {
            *place = digit << shift | carry;
            carry = if shift == 0 { 0 } else { digit >> (64 - shift) };
        }
        Ok(digits)
    };
    let n = b.bits().div_ceil(64) as usize;
    let divisor = shifted(b, n)?;
    let mut rest = shifted(a, a.bits().div_ceil(64).max(n as u64) as usize + 1)?;
    let (first, second) = (divisor[n - 1], divisor[n - 2]);
    let mut quotient = vm.filled(0u64, rest.len() - n)?;
    for j in (0..quotient.len()).rev() {
        let window = &mut rest[j..=j + n];
        let top = u128::from(window[n]) << 64 | u128::from(window[n - 1]);
        // By the first two digits; at most one too large once the third has been looked at.
        let mut digit = (top / u128::from(first)).min(u128::from(u64::MAX));
        let mut left = top - digit * u128::from(first);
        while left >> 64 == 0 && digit * u128::from(second) > left << 64 | u128::from(window[n - 2]) {
            digit -= 1;
            left += u128::from(first);
        }
        let mut borrow = 0u128;
        for (place, &d) in window.iter_mut().zip(&divisor) {
            let taken = digit * u128::from(d) + borrow;
            let (new, below) = place.overflowing_sub(taken as u64);
            *place = new;
            borrow = (taken >> 64) + u128::from(below);
        }
        let (new, below) = window[n].overflowing_sub(borrow as u64);
        window[n] = new;
        if below {
            digit -= 1;
            let mut carry = false;
            for (place, &d) in window.iter_mut().zip(&divisor) {
                let (sum, over) = place.overflowing_add(d);
                let (sum, more) = sum.overflowing_add(carry.into());
                (*place, carry) = (sum, over | more);
            }
            window[n] = window[n].wrapping_add(carry.into());
        }
        quotient[j] = digit as u64;
    }
    rest.truncate(n);
    Ok((of_digits(vm, &quotient)?, of_digits(vm, &rest)? >> shift))
}

/// The number of these digits, the lowest first. MemoryError.
fn of_digits(vm: &Vm, digits: &[u64]) -> R<BigUint> {
    let mut halves = vm.filled(0u32, 2 * digits.len())?;
    for (pair, digit) in halves.chunks_exact_mut(2).zip(digits) {
        pair[0] = *digit as u32;
        pair[1] = (digit >> 32) as u32;
    }
    Ok(BigUint::new(halves))
}

/// The square root rounded down, and what is left, by halves: the root of the upper half leads to the lower digits by one
/// division (P. Zimmermann, Karatsuba Square Root, 1999). What a signal's handler raises.
pub fn square_root(vm: &Vm, n: &BigUint) -> R<(BigUint, BigUint)> {
    const LEAST: u64 = 1 << 12;
    if n.bits() <= LEAST {
        let root = n.sqrt();
        let rest = n - &root * &root;
        return Ok((root, rest));
    }
    vm.check_signals()?;
    let quarter = n.bits() / 4;
    let (high, low) = cut(n, 2 * quarter);
    let (middle, low) = cut(&low, quarter);
    let (root, rest) = square_root(vm, &high)?;
    let (quotient, over) = divided(vm, &((rest << quarter) + middle), &(&root << 1u8))?;
    let root = (root << quarter) + &quotient;
    let (rest, square) = ((over << quarter) + low, product(vm, &quotient, &quotient)?);
    if rest >= square {
        return Ok((root, rest - square));
    }
    // One too many: (s - 1)^2 = s^2 - 2s + 1.
    let rest = rest + (&root << 1u8) - 1u8 - square;
    Ok((root - 1u8, rest))
}

/// The greatest common divisor. What a signal's handler raises.
pub fn gcd(vm: &Vm, a: Big, b: Big) -> R<Big> {
    const TURNS: u32 = 64;
    let (mut a, mut b) = (a.into_parts().1, b.into_parts().1);
    let mut turn = 0u32;
    while a.bits().min(b.bits()) > QUICK / 16 {
        turn += 1;
        if turn.is_multiple_of(TURNS) {
            vm.check_signals()?;
        }
        let rest = divided(vm, &a, &b)?.1;
        (a, b) = (b, rest);
    }
    Ok(Big::from(a.gcd(&b)))
}

/// Python's floor division and remainder; the divisor is not 0.
pub fn div_mod_floor(vm: &Vm, a: &Big, b: &Big) -> R<(Big, Big)> {
    if a.bits() <= SHORT {
        return Ok(a.div_mod_floor(b));
    }
    let (q, r) = divided(vm, a.magnitude(), b.magnitude())?;
    let (mut q, mut r) = (Big::from(q), Big::from(r));
    if a.sign() != b.sign() && a.sign() != Sign::NoSign {
        q = -q;
        if r.sign() != Sign::NoSign {
            q -= 1;
            r = Big::from(b.magnitude().clone()) - r;
        }
    }
    Ok((q, if b.sign() == Sign::Minus { -r } else { r }))
}

/// `base ** exponent % modulus` of large numbers, none of them negative.
pub fn power_mod(vm: &Vm, base: &Big, exponent: &Big, modulus: &Big) -> R<Big> {
    const WORK: u64 = 1 << 34;
    let (bits, turns) = (modulus.bits(), exponent.bits());
    if bits.saturating_mul(bits).saturating_mul(turns) <= WORK {
        return Ok(base.modpow(exponent, modulus));
    }
    let m = modulus.magnitude();
    let base = divided(vm, Big::mod_floor(base, modulus).magnitude(), m)?.1;
    let mut result = BigUint::from(1u8);
    for bit in (0..turns).rev() {
        vm.check_signals()?;
        result = divided(vm, &product(vm, &result, &result)?, m)?.1;
        if exponent.bit(bit) {
            result = divided(vm, &product(vm, &result, &base)?, m)?.1;
        }
    }
    let result = Big::from(result);
    // The result has the modulus's sign, as all remainders have.
    Ok(if modulus.sign() == Sign::Minus && result.sign() != Sign::NoSign { result + modulus } else { result })
}
