//! `math`: sums and distances with little or no loss.

use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// A sum as floats that do not overlap, smallest first: no bit is lost (Shewchuk 1997).
#[derive(Default)]
struct Exact {
    partials: Vec<f64>,
    /// Sum of infinities and NaNs, and of infinities alone.
    special: f64,
    infinite: f64,
    overflow: bool,
}

impl Exact {
    fn add(&mut self, value: f64) {
        if !value.is_finite() {
            self.special += value;
            if value.is_infinite() {
                self.infinite += value;
            }
            return;
        }
        let mut x = value;
        let mut kept = 0;
        for i in 0..self.partials.len() {
            let mut y = self.partials[i];
            if x.abs() < y.abs() {
                (x, y) = (y, x);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                self.partials[kept] = low;
                kept += 1;
            }
            x = high;
        }
        self.partials.truncate(kept);
        if x.is_infinite() {
            self.overflow = true;
            self.partials.clear();
        } else if x != 0.0 {
            self.partials.push(x);
        }
    }

    /// The sum, rounded once.
    fn finish(mut self, vm: &Vm) -> R<f64> {
        if self.special != 0.0 || self.special.is_nan() {
            if self.infinite.is_nan() {
                return Err(vm.value_error("-inf + inf in fsum"));
            }
            return Ok(self.special);
        }
        if self.overflow {
            return Err(vm.overflow_error("intermediate overflow in fsum"));
        }
        let Some(mut high) = self.partials.pop() else { return Ok(0.0) };
        let mut low = 0.0;
        while let Some(y) = self.partials.pop() {
            let x = high;
            high = x + y;
            low = y - (high - x);
            if low != 0.0 {
                break;
            }
        }
        // Half an ulp is left: what is below it decides.
        if let Some(&below) = self.partials.last()
            && ((low < 0.0 && below < 0.0) || (low > 0.0 && below > 0.0))
        {
            let y = low * 2.0;
            let x = high + y;
            if y == x - high {
                high = x;
            }
        }
        Ok(high)
    }
}

pub fn fsum(vm: &Vm, iterable: Value) -> R<f64> {
    let mut sum = Exact::default();
    vm.for_each(iterable, |v| {
        sum.add(vm.to_f64(v)?);
        Ok(())
    })?;
    sum.finish(vm)
}

pub fn prod(vm: &Vm, iterable: Value, start: Option<Value>) -> R<Value> {
    let mut total = start.unwrap_or(Value::small_int(1));
    vm.for_each(iterable, |v| {
        total = vm.binary(Special::Mul, total, v)?;
        Ok(())
    })?;
    Ok(total)
}

pub fn sumprod(vm: &Vm, p: Value, q: Value) -> R<Value> {
    let (p, q) = (vm.list_from(p)?, vm.list_from(q)?);
    if p.len() != q.len() {
        return Err(vm.value_error("Inputs are not the same length"));
    }
    let mut total = Value::small_int(0);
    // The first products of floats are summed exactly, until one is of other things or the sum is not finite.
    let mut floats = Some((Exact::default(), 0.0f64));
    let mut any = false;
    let mut i = 0;
    while let (Some(a), Some(b)) = (p.get(i), q.get(i)) {
        i += 1;
        if let Some((mut sum, rough)) = floats.take() {
            let added = float_pair(vm, a, b).map(|(a, b)| (a, b, a * b, rough + a * b));
            if let Some((a, b, high, rough)) = added.filter(|(_, _, _, rough)| rough.is_finite()) {
                sum.add(high);
                // The product's rounding error.
                sum.add(a.mul_add(b, -high));
                floats = Some((sum, rough));
                any = true;
                continue;
            }
            if any {
                let so_far = vm.float(sum.finish(vm)?)?;
                total = vm.binary(Special::Add, total, so_far)?;
            } else if vm.type_of(a) == vm.types.int && vm.type_of(b) == vm.types.int {
                // Products of ints may come before.
                floats = Some((sum, rough));
            }
        }
        let product = vm.binary(Special::Mul, a, b)?;
        total = vm.binary(Special::Add, total, product)?;
    }
    match floats {
        Some((sum, _)) if any => {
            let so_far = vm.float(sum.finish(vm)?)?;
            vm.binary(Special::Add, total, so_far)
        }
        _ => Ok(total),
    }
}

/// Two numbers of which one is a float, and the other one, or an int or bool, as floats.
fn float_pair(vm: &Vm, a: Value, b: Value) -> Option<(f64, f64)> {
    let is_float = |v: Value| vm.type_of(v) == vm.types.float;
    let is_plain = |v: Value| is_float(v) || [vm.types.int, vm.types.bool].contains(&vm.type_of(v));
    if !(is_float(a) && is_plain(b) || is_float(b) && is_plain(a)) {
        return None;
    }
    let float = |v: Value| vm.as_float(v).or_else(|| vm.as_i64(v).map(|i| i as f64));
    Some((float(a)?, float(b)?))
}

/// The length of a vector, of little more error than its rounding.
fn norm(coordinates: &[f64]) -> f64 {
    let max = coordinates.iter().fold(0.0f64, |m, c| m.max(c.abs()));
    if max.is_infinite() {
        return f64::INFINITY;
    }
    if coordinates.iter().any(|c| c.is_nan()) {
        return f64::NAN;
    }
    if max == 0.0 || coordinates.len() == 1 {
        return max;
    }
    // Scaled by a power of two, so that no square overflows or vanishes.
    let (_, e) = libm::frexp(max);
    let (mut high, mut low) = (0.0f64, 0.0f64);
    for c in coordinates {
        let x = libm::scalbn(*c, -e);
        let square = x * x;
        let error = x.mul_add(x, -square);
        let sum = high + square;
        let (big, small) = if high >= square { (high, square) } else { (square, high) };
        low += (small - (sum - big)) + error;
        high = sum;
    }
    let root = (high + low).sqrt();
    // One step of Newton's method on the part that was rounded away.
    let rest = (-root).mul_add(root, high) + low;
    libm::scalbn(root + rest / (2.0 * root), e)
}

pub fn hypot(vm: &Vm, args: Args<'_>) -> R<f64> {
    if args.has_keywords() {
        return Err(vm.type_error("math.hypot() takes no keyword arguments"));
    }
    let mut all = vm.buffer(args.positional().len())?;
    for &v in args.positional() {
        all.push(vm.to_f64(v)?);
    }
    Ok(norm(&all))
}

pub fn dist(vm: &Vm, p: Value, q: Value) -> R<f64> {
    let point = |v: Value| match v.cast::<Tuple>() {
        Some(t) => Ok(t),
        None => Tuple::new(vm, vm.list_from(v)?.items()),
    };
    let (p, q) = (point(p)?, point(q)?);
    if p.len() != q.len() {
        return Err(vm.value_error("both points must have the same number of dimensions"));
    }
    let mut all = vm.buffer(p.len())?;
    for (&a, &b) in p.items().iter().zip(q.items()) {
        all.push((vm.to_f64(a)? - vm.to_f64(b)?).abs());
    }
    Ok(norm(&all))
}
