//! Constant folding, with CPython's limits.

use crate::context::Compiler;
use crate::errors::{Fault, Res};
use crate::source::Source;
use num_bigint::{BigInt, Sign};
use ruff_python_ast::{Expr, Number, Operator, UnaryOp};
use ruff_text_size::TextRange;
use skein_bytecode::Const;

/// Bits of an int, items of a tuple and bytes of a string that folding may make.
const MAX_INT_BITS: u64 = 128;
const MAX_ITEMS: usize = 256;
const MAX_BYTES: usize = 4096;
/// Digits of a decimal literal, unless it is said.
const MAX_DIGITS: usize = 4300;

/// The constant that the expression is, if it is one.
pub fn constant(c: &Compiler<'_>, e: &Expr) -> Res<Option<Const>> {
    Ok(Some(match e {
        Expr::Name(n) if n.id.as_str() == "__debug__" => boolean(c.options.optimize == 0),
        Expr::Tuple(t) => match constants(c, &t.elts)? {
            Some(items) => Const::Tuple(items),
            None => return Ok(None),
        },
        Expr::UnaryOp(u) => return Ok(constant(c, &u.operand)?.and_then(|k| unary(u.op, k))),
        Expr::BinOp(b) => {
            let Some(right) = constant(c, &b.right)? else { return Ok(None) };
            let Some(left) = constant(c, &b.left)? else { return Ok(None) };
            return Ok(binary(left, b.op, right));
        }
        _ => return literal(c.source, e),
    }))
}

/// The constant that the literal is; None: it is none.
pub fn literal(source: &Source, e: &Expr) -> Res<Option<Const>> {
    Ok(Some(match e {
        Expr::NumberLiteral(n) => number(source, &n.value, n.range)?,
        Expr::StringLiteral(s) => Const::Str(source.string_value(s).into()),
        Expr::BytesLiteral(b) => Const::Bytes(b.value.bytes().collect()),
        Expr::BooleanLiteral(b) => boolean(b.value),
        Expr::NoneLiteral(_) => Const::None,
        Expr::EllipsisLiteral(_) => Const::Ellipsis,
        Expr::IpyEscapeCommand(c) => return Ok(source.constant(&c.value).cloned()),
        _ => return Ok(None),
    }))
}

/// The constants that the expressions are, if all are.
pub fn constants(c: &Compiler<'_>, es: &[Expr]) -> Res<Option<Vec<Const>>> {
    let mut out = Vec::new();
    for e in es {
        match constant(c, e)? {
            Some(k) => out.push(k),
            None => return Ok(None),
        }
    }
    Ok(Some(out))
}

/// A list or set of constants as a tuple or frozenset, where nobody can tell.
pub fn constant_container(c: &Compiler<'_>, e: &Expr) -> Res<Option<Const>> {
    Ok(match e {
        Expr::List(l) => constants(c, &l.elts)?.map(Const::Tuple),
        Expr::Set(s) => constants(c, &s.elts)?.map(|mut items| {
            #[expect(clippy::mutable_key_type, reason = "codes are alike by what is in them, read or not")]
            let mut seen = rustc_hash::FxHashSet::default();
            items.retain(|k| seen.insert(k.clone()));
            Const::FrozenSet(items)
        }),
        _ => None,
    })
}

/// The expression's truth, if it is constant.
pub fn truth(c: &Compiler<'_>, e: &Expr) -> Res<Option<bool>> {
    Ok(constant(c, e)?.map(|k| is_true(&k)))
}

fn boolean(b: bool) -> Const {
    if b { Const::True } else { Const::False }
}

fn is_true(k: &Const) -> bool {
    match k {
        Const::None | Const::False => false,
        Const::True | Const::Ellipsis | Const::Code(_) => true,
        Const::Int(n) => *n != 0,
        Const::BigInt(_) => true,
        Const::Float(f) => f64::from_bits(*f) != 0.0,
        Const::Complex(r, i) => f64::from_bits(*r) != 0.0 || f64::from_bits(*i) != 0.0,
        Const::Str(s) => !s.is_empty(),
        Const::Bytes(b) => !b.is_empty(),
        Const::Tuple(t) | Const::FrozenSet(t) => !t.is_empty(),
    }
}

fn number(source: &Source, n: &Number, range: TextRange) -> Res<Const> {
    Ok(match n {
        Number::Float(f) => Const::Float(f.to_bits()),
        Number::Complex { real, imag } => Const::Complex(real.to_bits(), imag.to_bits()),
        Number::Int(i) => match i.as_u64() {
            Some(u) => from_big(BigInt::from(u)).expect("not negative"),
            None => big_literal(&source.text[range], range, source.max_int_digits)?,
        },
    })
}

fn big_literal(text: &str, range: TextRange, most: Option<usize>) -> Res<Const> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let (digits, radix) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (&digits[2..], 16),
        Some("0o") => (&digits[2..], 8),
        Some("0b") => (&digits[2..], 2),
        _ => (&*digits, 10),
    };
    let most = most.unwrap_or(MAX_DIGITS);
    if radix == 10 && most > 0 && digits.len() > most {
        let message = format!(
            "Exceeds the limit ({most} digits) for integer string conversion: value has {} digits; use \
             sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer \
             literals to avoid decimal conversion limits.",
            digits.len()
        );
        return Err(Fault::syntax(message, range));
    }
    let n = BigInt::parse_bytes(digits.as_bytes(), radix).and_then(from_big);
    n.ok_or_else(|| Fault::syntax("invalid decimal literal", range))
}

/// An int as a constant; large negative ones have none.
fn from_big(n: BigInt) -> Option<Const> {
    match i64::try_from(&n) {
        Ok(i) => Some(Const::Int(i)),
        Err(_) if n.sign() == Sign::Minus => None,
        Err(_) => Some(Const::BigInt(n.to_u32_digits().1)),
    }
}

fn to_big(k: &Const) -> Option<BigInt> {
    match k {
        Const::Int(n) => Some(BigInt::from(*n)),
        Const::BigInt(d) => Some(BigInt::from_slice(Sign::Plus, d)),
        Const::True => Some(BigInt::from(1)),
        Const::False => Some(BigInt::from(0)),
        _ => None,
    }
}

fn to_float(k: &Const) -> Option<f64> {
    match k {
        Const::Float(f) => Some(f64::from_bits(*f)),
        // Larger ints round differently than a cast of their parts.
        Const::Int(n) if n.unsigned_abs() < 1 << 53 => Some(*n as f64),
        Const::True => Some(1.0),
        Const::False => Some(0.0),
        _ => None,
    }
}

pub fn unary(op: UnaryOp, k: Const) -> Option<Const> {
    if op == UnaryOp::Not {
        return Some(boolean(!is_true(&k)));
    }
    match (op, &k) {
        (UnaryOp::USub, Const::Float(f)) => Some(Const::Float((-f64::from_bits(*f)).to_bits())),
        (UnaryOp::UAdd, Const::Float(_) | Const::Complex(..)) => Some(k),
        (UnaryOp::USub, Const::Complex(r, i)) => {
            Some(Const::Complex((-f64::from_bits(*r)).to_bits(), (-f64::from_bits(*i)).to_bits()))
        }
        // ~True is deprecated: left to run time for the warning.
        (UnaryOp::Invert, Const::True | Const::False) => None,
        _ => {
            let n = to_big(&k)?;
            from_big(match op {
                UnaryOp::USub => -n,
                UnaryOp::Invert => -n - 1,
                _ => n,
            })
        }
    }
}

pub fn binary(left: Const, op: Operator, right: Const) -> Option<Const> {
    if let (Some(a), Some(b)) = (to_big(&left), to_big(&right)) {
        return integers(&left, &right, &a, op, &b);
    }
    if let (Some(a), Some(b)) = (to_float(&left), to_float(&right)) {
        return floats(a, op, b);
    }
    match (left, op, right) {
        (Const::Complex(r, i), Operator::Add, b) => {
            let (r, i) = (f64::from_bits(r), f64::from_bits(i));
            match b {
                Const::Complex(r2, i2) => Some(complex(r + f64::from_bits(r2), i + f64::from_bits(i2))),
                b => Some(complex(r + to_float(&b)?, i)),
            }
        }
        (Const::Complex(r, i), Operator::Sub, b) => {
            let (r, i) = (f64::from_bits(r), f64::from_bits(i));
            match b {
                Const::Complex(r2, i2) => Some(complex(r - f64::from_bits(r2), i - f64::from_bits(i2))),
                b => Some(complex(r - to_float(&b)?, i)),
            }
        }
        (a, Operator::Add, Const::Complex(r, i)) => {
            Some(complex(to_float(&a)? + f64::from_bits(r), f64::from_bits(i)))
        }
        (a, Operator::Sub, Const::Complex(r, i)) => {
            Some(complex(to_float(&a)? - f64::from_bits(r), -f64::from_bits(i)))
        }
        (Const::Str(a), Operator::Add, Const::Str(b)) if a.len() + b.len() <= MAX_BYTES => {
            Some(Const::Str([a, b].concat().into()))
        }
        (Const::Bytes(a), Operator::Add, Const::Bytes(b)) if a.len() + b.len() <= MAX_BYTES => {
            Some(Const::Bytes([a, b].concat().into()))
        }
        (Const::Tuple(mut a), Operator::Add, Const::Tuple(b)) if a.len() + b.len() <= MAX_ITEMS => {
            a.extend(b);
            Some(Const::Tuple(a))
        }
        (a, Operator::Mult, Const::Int(n)) | (Const::Int(n), Operator::Mult, a) => repeat(a, n),
        _ => None,
    }
}

fn complex(r: f64, i: f64) -> Const {
    Const::Complex(r.to_bits(), i.to_bits())
}

fn repeat(k: Const, n: i64) -> Option<Const> {
    let n = usize::try_from(n.max(0)).ok()?;
    let fits = |len: usize, max: usize| len.checked_mul(n).is_some_and(|l| l <= max);
    match k {
        Const::Str(s) if fits(s.len(), MAX_BYTES) => Some(Const::Str(s.repeat(n).into())),
        Const::Bytes(s) if fits(s.len(), MAX_BYTES) => Some(Const::Bytes(s.repeat(n).into())),
        Const::Tuple(t) if fits(t.len(), MAX_ITEMS) => {
            Some(Const::Tuple((0..n).flat_map(|_| t.iter().cloned()).collect()))
        }
        _ => None,
    }
}

fn integers(left: &Const, right: &Const, a: &BigInt, op: Operator, b: &BigInt) -> Option<Const> {
    let zero = BigInt::from(0);
    let both_bools = |k: &Const| matches!(k, Const::True | Const::False);
    from_big(match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult if a.bits() + b.bits() <= MAX_INT_BITS => a * b,
        Operator::Div if *b != zero => return floats(to_float(left)?, op, to_float(right)?),
        Operator::FloorDiv | Operator::Mod if *b != zero => {
            // Python rounds down, and a remainder has the divisor's sign.
            let (mut q, mut r) = (a / b, a % b);
            if r != zero && (r < zero) != (*b < zero) {
                q -= 1;
                r += b;
            }
            if op == Operator::FloorDiv { q } else { r }
        }
        Operator::Pow if *b >= zero => {
            let n = u32::try_from(b).ok()?;
            if a.bits().checked_mul(u64::from(n))? > MAX_INT_BITS {
                return None;
            }
            a.pow(n)
        }
        Operator::LShift if *b >= zero => {
            let n = u64::try_from(b).ok()?;
            if a.bits() + n > MAX_INT_BITS {
                return None;
            }
            a << n
        }
        Operator::RShift if *b >= zero => a >> u64::try_from(b).ok()?,
        // Of two bools these make a bool.
        Operator::BitAnd | Operator::BitOr | Operator::BitXor if both_bools(left) && both_bools(right) => {
            return None;
        }
        Operator::BitAnd => a & b,
        Operator::BitOr => a | b,
        Operator::BitXor => a ^ b,
        _ => return None,
    })
}

fn floats(a: f64, op: Operator, b: f64) -> Option<Const> {
    let f = match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => a * b,
        Operator::Div if b != 0.0 => a / b,
        // Overflow and complex results are errors or other types at run time.
        Operator::Pow if a > 0.0 => Some(a.powf(b)).filter(|f| f.is_finite())?,
        _ => return None,
    };
    Some(Const::Float(f.to_bits()))
}
