//! Numbers of the General Decimal Arithmetic Specification, and what a context makes of an exact result.

use super::coeff::{Coeff, Rest};
use skein_runtime::{R, Vm};
use std::cmp::Ordering;

pub const MAX_PREC: i64 = 999_999_999_999_999_999;
pub const MAX_EMAX: i64 = 999_999_999_999_999_999;
pub const MIN_EMIN: i64 = -999_999_999_999_999_999;
pub const MIN_ETINY: i64 = MIN_EMIN - (MAX_PREC - 1);

/// Conditions and signals, as bits.
pub mod status {
    pub const CLAMPED: u32 = 1;
    pub const CONVERSION_SYNTAX: u32 = 1 << 1;
    pub const DIVISION_BY_ZERO: u32 = 1 << 2;
    pub const DIVISION_IMPOSSIBLE: u32 = 1 << 3;
    pub const DIVISION_UNDEFINED: u32 = 1 << 4;
    pub const INEXACT: u32 = 1 << 6;
    pub const INVALID_CONTEXT: u32 = 1 << 7;
    pub const INVALID_OPERATION: u32 = 1 << 8;
    pub const OVERFLOW: u32 = 1 << 11;
    pub const ROUNDED: u32 = 1 << 12;
    pub const SUBNORMAL: u32 = 1 << 13;
    pub const UNDERFLOW: u32 = 1 << 14;
    pub const FLOAT_OPERATION: u32 = 1 << 15;
    /// All that signal InvalidOperation.
    pub const ALL_INVALID: u32 =
        CONVERSION_SYNTAX | DIVISION_IMPOSSIBLE | DIVISION_UNDEFINED | INVALID_CONTEXT | INVALID_OPERATION;
}
use status::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    Up,
    Down,
    Ceiling,
    Floor,
    HalfUp,
    HalfDown,
    HalfEven,
    ZeroFiveUp,
}

impl Rounding {
    pub const ALL: [(Rounding, &'static str); 8] = [
        (Rounding::Up, "ROUND_UP"),
        (Rounding::Down, "ROUND_DOWN"),
        (Rounding::Ceiling, "ROUND_CEILING"),
        (Rounding::Floor, "ROUND_FLOOR"),
        (Rounding::HalfUp, "ROUND_HALF_UP"),
        (Rounding::HalfDown, "ROUND_HALF_DOWN"),
        (Rounding::HalfEven, "ROUND_HALF_EVEN"),
        (Rounding::ZeroFiveUp, "ROUND_05UP"),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Is the last place that is left to be one greater?
    #[inline]
    fn is_up(self, negative: bool, left: &Coeff, rest: Rest) -> bool {
        if rest == Rest::Zero {
            return false;
        }
        match self {
            Rounding::Up => true,
            Rounding::Down => false,
            Rounding::Ceiling => !negative,
            Rounding::Floor => negative,
            Rounding::HalfUp => rest != Rest::BelowHalf,
            Rounding::HalfDown => rest == Rest::AboveHalf,
            Rounding::HalfEven => rest == Rest::AboveHalf || (rest == Rest::Half && left.is_odd()),
            Rounding::ZeroFiveUp => left.rem_small(5) == 0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Finite,
    Infinite,
    Quiet,
    Signaling,
}

/// `coeff * 10^exp`, an infinity, or a NaN with its payload as coefficient.
#[derive(Clone, Debug)]
pub struct Num {
    pub negative: bool,
    pub form: Form,
    pub exp: i64,
    pub coeff: Coeff,
}

/// What a context says of results.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub prec: i64,
    pub emax: i64,
    pub emin: i64,
    pub rounding: Rounding,
    pub clamp: bool,
}

impl Rules {
    /// The widest context: what is exact stays so.
    pub const EXACT: Rules =
        Rules { prec: MAX_PREC, emax: MAX_EMAX, emin: MIN_EMIN, rounding: Rounding::HalfEven, clamp: false };

    #[inline]
    pub fn etiny(&self) -> i64 {
        self.emin - (self.prec - 1)
    }

    #[inline]
    pub fn etop(&self) -> i64 {
        self.emax - (self.prec - 1)
    }
}

/// An operation under way: the context's rules, and what was signalled.
pub struct Work<'v> {
    pub vm: &'v Vm,
    pub rules: Rules,
    pub status: u32,
}

impl<'v> Work<'v> {
    pub fn new(vm: &'v Vm, rules: Rules) -> Work<'v> {
        Work { vm, rules, status: 0 }
    }

    /// The same with other rules, and nothing signalled yet.
    pub fn with(&self, rules: Rules) -> Work<'v> {
        Work { vm: self.vm, rules, status: 0 }
    }

    /// To be asked before a coefficient of so many digits is made. MemoryError.
    #[inline]
    pub fn room(&self, digits: u64) -> R<()> {
        const FEW: u64 = 10_000;
        if digits <= FEW { Ok(()) } else { self.much_room(digits) }
    }

    #[cold]
    fn much_room(&self, digits: u64) -> R<()> {
        // Products and quotients take some more of the same size.
        const MOST: u64 = 1 << 32;
        if digits >= MOST {
            return Err(self.vm.memory_error());
        }
        self.vm.check_signals()?;
        self.vm.check_room(digits as usize * 2)
    }

    /// NaN, with a condition.
    pub fn invalid(&mut self, condition: u32) -> R<Num> {
        self.status |= condition;
        Ok(Num::nan())
    }
}

impl Num {
    #[inline]
    pub fn finite(negative: bool, coeff: Coeff, exp: i64) -> Num {
        Num { negative, form: Form::Finite, exp, coeff }
    }

    pub fn int(n: i64) -> Num {
        Num::finite(n < 0, n.unsigned_abs().into(), 0)
    }

    pub fn zero(negative: bool, exp: i64) -> Num {
        Num::finite(negative, Coeff::ZERO, exp)
    }

    pub fn infinity(negative: bool) -> Num {
        Num { negative, form: Form::Infinite, exp: 0, coeff: Coeff::ZERO }
    }

    pub fn nan() -> Num {
        Num { negative: false, form: Form::Quiet, exp: 0, coeff: Coeff::ZERO }
    }

    #[inline]
    pub fn is_finite(&self) -> bool {
        self.form == Form::Finite
    }

    #[inline]
    pub fn is_infinite(&self) -> bool {
        self.form == Form::Infinite
    }

    #[inline]
    pub fn is_nan(&self) -> bool {
        matches!(self.form, Form::Quiet | Form::Signaling)
    }

    #[inline]
    pub fn is_zero(&self) -> bool {
        self.is_finite() && self.coeff.is_zero()
    }

    /// The exponent of its first digit.
    #[inline]
    pub fn adjusted(&self) -> i64 {
        self.exp + self.coeff.digits() as i64 - 1
    }

    pub fn abs(mut self) -> Num {
        self.negative = false;
        self
    }

    pub fn negated(mut self) -> Num {
        self.negative = !self.negative;
        self
    }

    /// Is it a whole number?
    pub fn is_integer(&self) -> bool {
        if !self.is_finite() {
            return false;
        }
        self.exp >= 0 || self.coeff.is_zero() || self.coeff.trailing_zeros() as i64 >= -self.exp
    }

    /// The whole part, without the sign. The caller has asked for the room.
    pub fn truncated(&self) -> Coeff {
        if self.exp >= 0 {
            self.coeff.scaled_up(self.exp as u64)
        } else {
            self.coeff.scaled_down(self.exp.unsigned_abs()).0
        }
    }

    /// Comparison of numbers that are no NaN; the sign of zero does not matter.
    pub fn compare(&self, other: &Num) -> Ordering {
        let sign = |n: &Num| if n.is_zero() { 0 } else { 1 - 2 * i8::from(n.negative) };
        let (a, b) = (sign(self), sign(other));
        if a != b || a == 0 {
            return a.cmp(&b);
        }
        let order = self.compare_magnitude(other);
        if a < 0 { order.reverse() } else { order }
    }

    /// Comparison of magnitudes of numbers that are no NaN.
    pub fn compare_magnitude(&self, other: &Num) -> Ordering {
        match (self.is_infinite(), other.is_infinite()) {
            (false, false) => {}
            (a, b) => return a.cmp(&b),
        }
        match (self.coeff.is_zero(), other.coeff.is_zero()) {
            (false, false) => {}
            (a, b) => return b.cmp(&a),
        }
        if self.exp == other.exp {
            return self.coeff.cmp(&other.coeff);
        }
        self.adjusted().cmp(&other.adjusted()).then_with(|| {
            // With the same first place, the distance of the last ones is below the digits that are there.
            if self.exp > other.exp {
                self.coeff.scaled_up(self.exp.abs_diff(other.exp)).cmp(&other.coeff)
            } else {
                self.coeff.cmp(&other.coeff.scaled_up(self.exp.abs_diff(other.exp)))
            }
        })
    }

    /// Without the last `n` digits, rounded: whether anything but zeros was cut off.
    pub fn cut(&mut self, n: u64, rounding: Rounding) -> bool {
        if n == 0 {
            return false;
        }
        let (left, rest) = self.coeff.scaled_down(n);
        self.exp += n as i64;
        self.coeff = if rounding.is_up(self.negative, &left, rest) { left.plus(&Coeff::ONE) } else { left };
        rest != Rest::Zero
    }

    /// The number as the context can have it. MemoryError.
    #[inline]
    pub fn finish(mut self, w: &mut Work<'_>) -> R<Num> {
        if self.form != Form::Finite {
            self.shorten_payload(&w.rules);
            return Ok(self);
        }
        // Nearly all results fit as they are.
        let len = self.coeff.digits() as i64;
        let adjusted = self.exp + len - 1;
        if len <= w.rules.prec
            && adjusted <= w.rules.emax
            && adjusted >= w.rules.emin
            && !self.coeff.is_zero()
            && (!w.rules.clamp || self.exp <= w.rules.etop())
        {
            return Ok(self);
        }
        self.fit(w, len)
    }

    /// A NaN has no more digits than a number.
    fn shorten_payload(&mut self, rules: &Rules) {
        let most = (rules.prec - i64::from(rules.clamp)) as u64;
        if self.is_nan() && self.coeff.exceeds(most) {
            self.coeff = self.coeff.div_rem(&Coeff::ONE.scaled_up(most)).1;
        }
    }

    #[inline(never)]
    fn fit(mut self, w: &mut Work<'_>, len: i64) -> R<Num> {
        let rules = w.rules;
        let (etiny, etop) = (rules.etiny(), rules.etop());
        if self.coeff.is_zero() {
            let last = if rules.clamp { etop } else { rules.emax };
            let exp = self.exp.clamp(etiny.min(last), last);
            if exp != self.exp {
                w.status |= CLAMPED;
                self.exp = exp;
            }
            return Ok(self);
        }
        // The least exponent with which it has no more digits than it may.
        let mut least = len + self.exp - rules.prec;
        if least > etop {
            return overflow(w, self.negative);
        }
        let subnormal = least < etiny;
        if subnormal {
            least = etiny;
        }
        if self.exp < least {
            let inexact = self.cut(least.abs_diff(self.exp), rules.rounding);
            if self.coeff.exceeds(rules.prec as u64) {
                (self.coeff, _) = self.coeff.scaled_down(1);
                self.exp += 1;
            }
            if self.exp > etop {
                return overflow(w, self.negative);
            }
            w.status |= ROUNDED;
            if inexact {
                w.status |= INEXACT;
            }
            if subnormal {
                w.status |= SUBNORMAL;
                if inexact {
                    w.status |= UNDERFLOW;
                }
                if self.coeff.is_zero() {
                    w.status |= CLAMPED;
                }
            }
            return Ok(self);
        }
        if subnormal {
            w.status |= SUBNORMAL;
        }
        if rules.clamp && self.exp > etop {
            w.status |= CLAMPED;
            w.room(rules.prec as u64)?;
            self.coeff = self.coeff.scaled_up(self.exp.abs_diff(etop));
            self.exp = etop;
        }
        Ok(self)
    }
}

/// The result that is too large: an infinity or the largest number. MemoryError.
fn overflow(w: &mut Work<'_>, negative: bool) -> R<Num> {
    w.status |= OVERFLOW | INEXACT | ROUNDED;
    let infinite = match w.rules.rounding {
        Rounding::HalfUp | Rounding::HalfEven | Rounding::HalfDown | Rounding::Up => true,
        Rounding::Down | Rounding::ZeroFiveUp => false,
        Rounding::Ceiling => !negative,
        Rounding::Floor => negative,
    };
    if infinite {
        return Ok(Num::infinity(negative));
    }
    w.room(w.rules.prec as u64)?;
    Ok(Num::finite(negative, Coeff::nines(w.rules.prec as u64), w.rules.etop()))
}
