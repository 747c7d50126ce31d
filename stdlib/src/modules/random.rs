//! `_random`: the Mersenne Twister (Matsumoto and Nishimura, 1998), with CPython's ways of seeding and drawing.

use num_bigint::{BigInt, Sign};
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{check_class, class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};
use std::cell::RefCell;

const N: usize = 624;
const M: usize = 397;

struct Twister {
    words: [u32; N],
    at: usize,
}

impl Twister {
    fn seeded(seed: u32) -> Twister {
        let mut words = [seed; N];
        for i in 1..N {
            let before = words[i - 1];
            words[i] = 1_812_433_253u32.wrapping_mul(before ^ before >> 30).wrapping_add(i as u32);
        }
        Twister { words, at: N }
    }

    /// By words of any number, at least one.
    fn by_key(key: &[u32]) -> Twister {
        let mut t = Twister::seeded(19_650_218);
        let mt = &mut t.words;
        let (mut i, mut j) = (1, 0);
        let mix = |mt: &[u32; N], i: usize| mt[i - 1] ^ mt[i - 1] >> 30;
        let wrap = |mt: &mut [u32; N], i: &mut usize| {
            *i += 1;
            if *i >= N {
                mt[0] = mt[N - 1];
                *i = 1;
            }
        };
        for _ in 0..N.max(key.len()) {
            let mixed = mt[i] ^ mix(mt, i).wrapping_mul(1_664_525);
            mt[i] = mixed.wrapping_add(key[j]).wrapping_add(j as u32);
            wrap(mt, &mut i);
            j = (j + 1) % key.len();
        }
        for _ in 0..N - 1 {
            let mixed = mt[i] ^ mix(mt, i).wrapping_mul(1_566_083_941);
            mt[i] = mixed.wrapping_sub(i as u32);
            wrap(mt, &mut i);
        }
        mt[0] = 0x8000_0000;
        t
    }

    fn next(&mut self) -> u32 {
        if self.at >= N {
            let mt = &mut self.words;
            for i in 0..N {
                let y = (mt[i] & 0x8000_0000) | (mt[(i + 1) % N] & 0x7fff_ffff);
                let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                mt[i] = mt[(i + M) % N] ^ y >> 1 ^ odd;
            }
            self.at = 0;
        }
        let mut y = self.words[self.at];
        self.at += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }
}

struct Random(RefCell<Twister>);

impl Payload for Random {
    const NAME: &'static str = "_random.Random";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Random(_) = self;
    }
}

type This = ExtArg<Random>;

native_type! {
    RANDOM: "_random.Random", Kind::Ext, type_flags::BASETYPE,
        "Random() -> create a random number generator with its own internal state.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "random($self, /)" => random, "random() -> x in the interval [0, 1).";
        "seed($self, n=None, /)" => seed;
        "getstate($self, /)" => getstate, "getstate() -> tuple containing the current state.";
        "setstate($self, state, /)" => setstate, "setstate(state) -> None.  Restores generator state.";
        "getrandbits($self, k, /)" => getrandbits, "getrandbits(k) -> x.  Generates an int with k random bits.";
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, ext_type(vm, &RANDOM)?)?;
    check_class(vm, ty, &RANDOM)?;
    let own = class_argument(vm, &args, ext_type(vm, &RANDOM)?)? == ext_type(vm, &RANDOM)?;
    if own && (args.has_keywords() || args.positional().len() > 2) {
        return Err(vm.type_error("Random() takes at most 1 argument"));
    }
    let seed = match args.positional().get(1) {
        Some(&v) if !v.is_none() => seed_words(vm, v)?,
        _ => entropy(vm)?,
    };
    Ok(Ext::new(vm, ty, Random(RefCell::new(Twister::by_key(&seed))))?.value())
}

/// Words from the system.
fn entropy(vm: &Vm) -> R<Vec<u32>> {
    let mut bytes = [0u8; 4 * 32];
    // SAFETY: the array is writable for its length.
    if unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) } != bytes.len() as isize {
        return Err(vm.last_os_error(None));
    }
    Ok(bytes.chunks_exact(4).map(|c| u32::from_ne_bytes([c[0], c[1], c[2], c[3]])).collect())
}

/// The size of an int, or an object's hash, in words.
fn seed_words(vm: &Vm, v: Value) -> R<Vec<u32>> {
    let bits = skein_builtins::types::Int::of(v).map_or(0, |i| i.big().bits());
    skein_builtins::types::check_room(vm, 4 * bits)?;
    let big = match vm.as_big(v) {
        Some(b) => b.magnitude().clone(),
        None => (vm.hash(v)? as u64).into(),
    };
    let words = big.to_u32_digits();
    Ok(if words.is_empty() { vec![0] } else { words })
}

fn seed(vm: &Vm, this: This, n: Option<Value>) -> R<()> {
    let words = match n.filter(|n| !n.is_none()) {
        Some(n) => seed_words(vm, n)?,
        None => entropy(vm)?,
    };
    this.0.0.replace(Twister::by_key(&words));
    Ok(())
}

fn random(_: &Vm, this: This) -> f64 {
    let mut t = this.0.0.borrow_mut();
    let (a, b) = (t.next() >> 5, t.next() >> 6);
    (f64::from(a) * 67_108_864.0 + f64::from(b)) / 9_007_199_254_740_992.0
}

fn getstate(vm: &Vm, this: This) -> R<Value> {
    let list = List::with_capacity(vm, N + 1)?;
    let (words, at) = {
        let t = this.0.0.borrow();
        (t.words, t.at)
    };
    for w in words {
        list.push(vm, Value::small_int(w.into()))?;
    }
    list.push(vm, Value::small_int(at as i64))?;
    vm.tuple(list.items())
}

fn setstate(vm: &Vm, this: This, state: Value) -> R<()> {
    let Some(t) = state.cast::<Tuple>() else { return Err(vm.type_error("state vector must be a tuple")) };
    if t.len() != N + 1 {
        return Err(vm.value_error("state vector is the wrong size"));
    }
    let mut words = [0; N];
    for (slot, &v) in words.iter_mut().zip(t.items()) {
        let n = vm.index_i64(v)?;
        *slot = u32::try_from(n)
            .map_err(|_| vm.overflow_error("can't convert negative value to unsigned int"))?;
    }
    match vm.index_i64(t.items()[N])? {
        at @ 0..=624 => {
            this.0.0.replace(Twister { words, at: at as usize });
            Ok(())
        }
        _ => Err(vm.value_error("invalid state")),
    }
}

/// Words that are made between two looks for signals, less one.
const LOOK: usize = (1 << 20) - 1;

fn getrandbits(vm: &Vm, this: This, k: Value) -> R<Value> {
    let k = vm.index(k)?;
    if vm.lt(k, Value::small_int(0))? {
        return Err(vm.value_error("number of bits must be non-negative"));
    }
    let Some(k) = vm.as_i64(k).and_then(|k| u64::try_from(k).ok()) else {
        return Err(vm.overflow_error("Python int too large to convert to C uint64_t"));
    };
    let mut t = this.0.0.borrow_mut();
    if k == 0 {
        return Ok(Value::small_int(0));
    }
    if k <= 32 {
        return vm.int((t.next() >> (32 - k)).into());
    }
    if k > 1 << 40 {
        return Err(vm.memory_error());
    }
    let mut words = vm.buffer(k.div_ceil(32) as usize)?;
    let mut left = k;
    while left > 0 {
        if words.len() & LOOK == LOOK {
            // A handler may want numbers too.
            drop(t);
            vm.check_signals()?;
            t = this.0.0.borrow_mut();
        }
        let w = t.next();
        words.push(if left < 32 { w >> (32 - left) } else { w });
        left = left.saturating_sub(32);
    }
    vm.big_int(BigInt::from_slice(Sign::Plus, &words))
}

native_functions! { FUNCTIONS: }

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_random", FUNCTIONS)?;
    m.dict().set_name(vm, "Random", ext_type(vm, &RANDOM)?.value())?;
    Ok(m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_sequence() {
        // The first numbers of the authors' own test, whose key is this.
        let mut t = Twister::by_key(&[0x123, 0x234, 0x345, 0x456]);
        assert_eq!([t.next(), t.next(), t.next()], [1_067_595_299, 955_945_823, 477_289_528]);
    }
}
