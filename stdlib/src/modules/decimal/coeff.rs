//! The digits of a number: an integer of any size, in a machine word of 128 bits as long as it has at most 38 digits.

use num_bigint::BigUint;
use std::cmp::Ordering;

/// Most digits of a small coefficient: all numbers of so many digits fit.
pub const SMALL_DIGITS: u64 = 38;

/// 10^0 to 10^38.
const POWERS: [u128; 39] = {
    let mut all = [1; 39];
    let mut i = 1;
    while i < 39 {
        all[i] = all[i - 1] * 10;
        i += 1;
    }
    all
};

/// **Invariant:** what fits is small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coeff {
    Small(u128),
    Big(BigUint),
}

/// What was cut off at the end, compared with half a unit of the last place that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    Zero,
    BelowHalf,
    Half,
    AboveHalf,
}

/// 10^n. The caller has asked for the room.
pub fn power(n: u64) -> BigUint {
    match POWERS.get(n as usize) {
        Some(&p) => BigUint::from(p),
        // A power of 5 is shorter, and the rest is a shift.
        None => BigUint::from(5u8).pow(n as u32) << n,
    }
}

/// 10^n for numbers that a machine word holds.
#[inline]
fn small_power(n: u64) -> Option<u128> {
    POWERS.get(n as usize).copied()
}

#[inline]
fn small_digits(n: u128) -> u64 {
    if n == 0 {
        return 1;
    }
    // 1233 / 4096 is just above log10(2).
    let estimate = ((128 - n.leading_zeros()) * 1233) >> 12;
    u64::from(estimate) + u64::from(n >= POWERS[estimate as usize])
}

fn big_digits(n: &BigUint) -> u64 {
    // log10(2) from below and above: the two differ only for numbers near a power of ten.
    let bits = n.bits();
    let low = ((u128::from(bits) - 1) * 30_102_999_566_398_119 / 100_000_000_000_000_000) as u64 + 1;
    let high = (u128::from(bits) * 30_102_999_566_398_120 / 100_000_000_000_000_000) as u64 + 1;
    if low == high || *n < power(low) { low } else { low + 1 }
}

impl From<u64> for Coeff {
    fn from(n: u64) -> Coeff {
        Coeff::Small(n.into())
    }
}

impl From<BigUint> for Coeff {
    fn from(n: BigUint) -> Coeff {
        match u128::try_from(&n) {
            Ok(small) if small < POWERS[38] => Coeff::Small(small),
            _ => Coeff::Big(n),
        }
    }
}

impl Coeff {
    pub const ZERO: Coeff = Coeff::Small(0);
    pub const ONE: Coeff = Coeff::Small(1);

    #[inline]
    fn of_word(n: u128) -> Coeff {
        if n < POWERS[38] { Coeff::Small(n) } else { Coeff::Big(n.into()) }
    }

    pub fn big(&self) -> BigUint {
        match self {
            Coeff::Small(n) => (*n).into(),
            Coeff::Big(n) => n.clone(),
        }
    }

    pub fn into_big(self) -> BigUint {
        match self {
            Coeff::Small(n) => n.into(),
            Coeff::Big(n) => n,
        }
    }

    #[inline]
    pub fn is_zero(&self) -> bool {
        matches!(self, Coeff::Small(0))
    }

    pub fn is_odd(&self) -> bool {
        match self {
            Coeff::Small(n) => n & 1 == 1,
            Coeff::Big(n) => n.bit(0),
        }
    }

    /// The remainder of a division by a small number.
    pub fn rem_small(&self, d: u32) -> u32 {
        match self {
            Coeff::Small(n) => (n % u128::from(d)) as u32,
            Coeff::Big(n) => (n % d).try_into().unwrap_or(0),
        }
    }

    /// Its length in decimal digits; that of 0 is 1.
    #[inline]
    pub fn digits(&self) -> u64 {
        match self {
            Coeff::Small(n) => small_digits(*n),
            Coeff::Big(n) => big_digits(n),
        }
    }

    /// Bytes that it takes, about.
    pub fn bytes(&self) -> u64 {
        match self {
            Coeff::Small(_) => 16,
            Coeff::Big(n) => n.bits() / 8,
        }
    }

    /// n zeros more at the end. The caller has asked for the room.
    #[inline]
    pub fn scaled_up(&self, n: u64) -> Coeff {
        if n == 0 || self.is_zero() {
            return self.clone();
        }
        if let Coeff::Small(a) = self
            && let Some(p) = small_power(n)
            && let Some(product) = a.checked_mul(p)
        {
            return Coeff::of_word(product);
        }
        Coeff::Big(self.big() * power(n))
    }

    /// Without the last n digits, and what they were.
    #[inline]
    pub fn scaled_down(&self, n: u64) -> (Coeff, Rest) {
        if n == 0 {
            return (self.clone(), Rest::Zero);
        }
        match self {
            Coeff::Small(a) => {
                let Some(p) = small_power(n) else {
                    return (Coeff::ZERO, if *a == 0 { Rest::Zero } else { Rest::BelowHalf });
                };
                let (q, r) = div_rem(*a, p);
                let rest = match r {
                    0 => Rest::Zero,
                    r => rest_of(r.cmp(&(p / 2))),
                };
                (Coeff::Small(q), rest)
            }
            Coeff::Big(a) => {
                if n > self.digits() {
                    return (Coeff::ZERO, Rest::BelowHalf);
                }
                let p = power(n);
                let (q, r) = (a / &p, a % &p);
                let rest = if r == BigUint::ZERO { Rest::Zero } else { rest_of(r.cmp(&(p >> 1u8))) };
                (q.into(), rest)
            }
        }
    }

    #[inline]
    pub fn plus(&self, other: &Coeff) -> Coeff {
        match (self, other) {
            // Both are far from the end of the word.
            (Coeff::Small(a), Coeff::Small(b)) => Coeff::of_word(a + b),
            _ => Coeff::Big(self.big() + other.big()),
        }
    }

    /// The difference to a number that is not greater.
    #[inline]
    pub fn minus(&self, other: &Coeff) -> Coeff {
        match (self, other) {
            (Coeff::Small(a), Coeff::Small(b)) => Coeff::Small(a - b),
            _ => (self.big() - other.big()).into(),
        }
    }

    #[inline]
    pub fn times(&self, other: &Coeff) -> Coeff {
        match (self, other) {
            (Coeff::Small(a), Coeff::Small(b)) => match a.checked_mul(*b) {
                Some(product) => Coeff::of_word(product),
                None => Coeff::Big(BigUint::from(*a) * BigUint::from(*b)),
            },
            _ => (self.big() * other.big()).into(),
        }
    }

    /// Quotient and remainder; the divisor is not 0.
    pub fn div_rem(&self, other: &Coeff) -> (Coeff, Coeff) {
        match (self, other) {
            (Coeff::Small(a), Coeff::Small(b)) => {
                let (q, r) = div_rem(*a, *b);
                (Coeff::Small(q), Coeff::Small(r))
            }
            _ => {
                let (a, b) = (self.big(), other.big());
                let q = &a / &b;
                let r = a - &q * b;
                (q.into(), r.into())
            }
        }
    }

    /// Zeros at its end; none for 0.
    pub fn trailing_zeros(&self) -> u64 {
        if self.is_zero() {
            return 0;
        }
        match self {
            Coeff::Small(n) => {
                let (mut n, mut zeros) = (*n, 0);
                while n % 10 == 0 {
                    (n, zeros) = (n / 10, zeros + 1);
                }
                zeros
            }
            Coeff::Big(n) => {
                // A number has no more zeros than factors of 2; they are tried by halves.
                let twos = n.trailing_zeros().unwrap_or(0).min(self.digits() - 1);
                let (mut n, mut zeros) = (n.clone(), 0);
                let mut step = twos.next_power_of_two();
                while step > 0 {
                    if zeros + step <= twos {
                        let p = power(step);
                        if &n % &p == BigUint::ZERO {
                            (n, zeros) = (n / p, zeros + step);
                        }
                    }
                    step /= 2;
                }
                zeros
            }
        }
    }

    /// 10^n - 1.
    pub fn nines(n: u64) -> Coeff {
        match small_power(n) {
            Some(p) => Coeff::Small(p - 1),
            None => Coeff::Big(power(n) - 1u8),
        }
    }

    /// Has it so many digits that it is 10^n or more?
    #[inline]
    pub fn exceeds(&self, n: u64) -> bool {
        match (self, small_power(n)) {
            (Coeff::Small(a), Some(p)) => *a >= p,
            (Coeff::Small(_), None) => false,
            (Coeff::Big(_), Some(_)) => true,
            (Coeff::Big(a), None) => big_digits(a) > n,
        }
    }

    /// From a text of digits.
    pub fn parse(digits: &[u8]) -> Coeff {
        if digits.len() <= SMALL_DIGITS as usize {
            return Coeff::Small(digits.iter().fold(0, |n, d| n * 10 + u128::from(d - b'0')));
        }
        parse_big(digits).into()
    }

    /// Appends its digits.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Coeff::Small(n) => write_small(*n, 1, out),
            Coeff::Big(n) => write_big(n, 1, out),
        }
    }
}

impl PartialOrd for Coeff {
    fn partial_cmp(&self, other: &Coeff) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Coeff {
    fn cmp(&self, other: &Coeff) -> Ordering {
        match (self, other) {
            (Coeff::Small(a), Coeff::Small(b)) => a.cmp(b),
            (Coeff::Small(_), Coeff::Big(_)) => Ordering::Less,
            (Coeff::Big(_), Coeff::Small(_)) => Ordering::Greater,
            (Coeff::Big(a), Coeff::Big(b)) => a.cmp(b),
        }
    }
}

#[inline]
fn rest_of(order: Ordering) -> Rest {
    match order {
        Ordering::Less => Rest::BelowHalf,
        Ordering::Equal => Rest::Half,
        Ordering::Greater => Rest::AboveHalf,
    }
}

/// Division of 128 bits, by that of 64 where both fit, which is many times faster.
#[inline]
fn div_rem(a: u128, b: u128) -> (u128, u128) {
    match (u64::try_from(a), u64::try_from(b)) {
        (Ok(a), Ok(b)) => ((a / b).into(), (a % b).into()),
        _ => {
            let q = a / b;
            (q, a - q * b)
        }
    }
}

/// Below so many digits the simple way is the fastest.
const SPLIT: usize = 1500;

fn parse_big(digits: &[u8]) -> BigUint {
    if digits.len() <= SPLIT {
        return BigUint::parse_bytes(digits, 10).unwrap_or_default();
    }
    let low = digits.len() / 2;
    let (high, rest) = digits.split_at(digits.len() - low);
    parse_big(high) * power(low as u64) + parse_big(rest)
}

/// Appends at least `width` digits.
fn write_small(n: u128, width: usize, out: &mut Vec<u8>) {
    let mut row = [b'0'; SMALL_DIGITS as usize + 1];
    let (mut n, mut at) = (n, row.len());
    while n > u128::from(u64::MAX) {
        at -= 1;
        row[at] = b'0' + (n % 10) as u8;
        n /= 10;
    }
    let mut n = n as u64;
    while n > 0 || row.len() - at < width.min(row.len()) {
        at -= 1;
        row[at] = b'0' + (n % 10) as u8;
        n /= 10;
    }
    out.extend_from_slice(&row[at..]);
}

fn write_big(n: &BigUint, width: usize, out: &mut Vec<u8>) {
    let digits = big_digits(n) as usize;
    if digits <= SPLIT {
        let text = n.to_str_radix(10);
        out.resize(out.len() + width.saturating_sub(text.len()), b'0');
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let low = digits / 2;
    let p = power(low as u64);
    let (q, r) = (n / &p, n % &p);
    write_big(&q, width.saturating_sub(low), out);
    write_big(&r, low, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted() {
        for n in 0..200u64 {
            let p = Coeff::from(power(n));
            assert_eq!(p.digits(), n + 1);
            assert!(p.exceeds(n) && !p.exceeds(n + 1));
            if n > 0 {
                assert_eq!(p.minus(&Coeff::ONE).digits(), n);
                assert_eq!(Coeff::nines(n), p.minus(&Coeff::ONE));
            }
            assert_eq!(p.trailing_zeros(), n);
        }
    }

    #[test]
    fn texts_agree() {
        for n in [1usize, 37, 38, 39, 1499, 1501, 5000] {
            let text: Vec<u8> = (0..n).map(|i| b'1' + (i * 7 % 9) as u8).collect();
            let c = Coeff::parse(&text);
            let mut out = Vec::new();
            c.write(&mut out);
            assert_eq!(out, text);
            let (q, _) = c.scaled_down(n as u64 / 2);
            let mut out = Vec::new();
            q.write(&mut out);
            assert!(out == text[..n - n / 2] || n == 1);
        }
    }
}
