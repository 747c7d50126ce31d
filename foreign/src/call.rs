//! Calls of functions by their addresses.

use crate::entry::{CallState, enter};
use crate::types::{Aggregate, Class, Scalar, Type};

/// An argument: its type, and the word of a scalar (a float's bits) or the bytes of an aggregate.
pub enum Argument<'a> {
    Scalar(Scalar, u64),
    Aggregate(&'a Aggregate, &'a [u8]),
}

/// Where arguments go.
#[derive(Default)]
struct Places {
    state: CallState,
    ints: usize,
    floats: usize,
    stack: Vec<u64>,
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    })
}

impl Places {
    fn int(&mut self, word: u64) {
        match self.state.ints.get_mut(self.ints) {
            Some(place) => *place = word,
            None => self.stack.push(word),
        }
        self.ints += 1;
    }

    fn float(&mut self, word: u64) {
        match self.state.floats.get_mut(self.floats) {
            Some(place) => *place = word,
            None => self.stack.push(word),
        }
        self.floats += 1;
    }

    fn aggregate(&mut self, ty: &Aggregate, bytes: &[u8]) {
        let classes = ty.classes().filter(|classes| {
            let floats = classes.iter().filter(|c| **c == Class::Sse).count();
            let ints = classes.len() - floats;
            self.ints + ints <= self.state.ints.len() && self.floats + floats <= self.state.floats.len()
        });
        match classes {
            Some(classes) => {
                for (class, word) in classes.into_iter().zip(words(bytes)) {
                    match class {
                        Class::Integer => self.int(word),
                        Class::Sse => self.float(word),
                    }
                }
            }
            None => {
                if ty.align > 8 && self.stack.len() % 2 == 1 {
                    self.stack.push(0);
                }
                self.stack.extend(words(bytes));
            }
        }
    }
}

/// Calls a function. The result is a scalar's word (a float's bits), 0 for none; that of an aggregate is in `out`, which has
/// its size.
///
/// # Safety
/// The function is one of C, of this result and these arguments; what it does is its own business.
pub unsafe fn call(function: usize, result: &Type, arguments: &[Argument<'_>], out: &mut [u8]) -> u64 {
    let mut places = Places::default();
    let in_memory = match result {
        Type::Aggregate(a) => a.is_written(),
        _ => false,
    };
    if in_memory {
        places.int(out.as_mut_ptr().addr() as u64);
    }
    for argument in arguments {
        match argument {
            Argument::Scalar(s, word) if s.is_float() => places.float(*word),
            Argument::Scalar(s, word) => places.int(s.narrowed(*word)),
            Argument::Aggregate(ty, bytes) => places.aggregate(ty, bytes),
        }
    }
    let Places { mut state, floats, stack, .. } = places;
    state.vectors = floats.min(8) as u64;
    state.function = function;
    if let Type::Aggregate(a) = result {
        state.long = a.on_stack_of_floats() as u64;
    }
    (state.stack, state.count) = (stack.as_ptr().addr(), stack.len());
    // SAFETY: the caller's promise; the words are there.
    unsafe { enter(&raw mut state) };
    match result {
        Type::Void => 0,
        Type::Scalar(Scalar::F64) => state.result_floats[0],
        Type::Scalar(Scalar::F32) => state.result_floats[0] & 0xffff_ffff,
        Type::Scalar(s) => s.narrowed(state.result_ints[0]),
        Type::Aggregate(_) if state.long != 0 => {
            for (to, long) in out.chunks_mut(16).zip(&state.result_long) {
                to.copy_from_slice(&long[..to.len()]);
            }
            0
        }
        Type::Aggregate(a) => {
            let (mut ints, mut floats) = (state.result_ints.into_iter(), state.result_floats.into_iter());
            for (class, to) in a.classes().unwrap_or_default().into_iter().zip(out.chunks_mut(8)) {
                let word = match class {
                    Class::Integer => ints.next(),
                    Class::Sse => floats.next(),
                };
                let bytes = word.unwrap_or(0).to_le_bytes();
                to.copy_from_slice(&bytes[..to.len()]);
            }
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    extern "C" fn many(a: i8, b: f32, c: u64, d: f64, e: i32, f: i32, g: i32, h: i32, i: i64) -> f64 {
        f64::from(a) + f64::from(b) + c as f64 + d + f64::from(e + f + g + h) + i as f64
    }

    #[repr(C)]
    struct Pair {
        a: f64,
        b: i32,
    }

    extern "C" fn swap(p: Pair, n: i32) -> Pair {
        Pair { a: f64::from(p.b + n), b: p.a as i32 }
    }

    #[test]
    fn scalars_in_registers_and_on_the_stack() {
        let int = |n: i64, size| Argument::Scalar(Scalar::Int(size), n as u64);
        let args = [
            int(-1, 1),
            Argument::Scalar(Scalar::F32, 0.5f32.to_bits().into()),
            int(7, 8),
            Argument::Scalar(Scalar::F64, 2.25f64.to_bits()),
            int(1, 4),
            int(2, 4),
            int(3, 4),
            int(4, 4),
            int(100, 8),
        ];
        let f = many as *const () as usize;
        // SAFETY: the function's own types.
        let word = unsafe { call(f, &Type::Scalar(Scalar::F64), &args, &mut []) };
        assert_eq!(f64::from_bits(word), many(-1, 0.5, 7, 2.25, 1, 2, 3, 4, 100));
    }

    #[test]
    fn small_structs_by_value() {
        let ty = Aggregate { size: 16, align: 8, parts: vec![(0, Scalar::F64), (8, Scalar::Int(4))] };
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&3.0f64.to_le_bytes());
        bytes[8..12].copy_from_slice(&5i32.to_le_bytes());
        let args = [Argument::Aggregate(&ty, &bytes), Argument::Scalar(Scalar::Int(4), 10)];
        let mut out = [0; 16];
        // SAFETY: the function's own types.
        unsafe { call(swap as *const () as usize, &Type::Aggregate(ty.clone()), &args, &mut out) };
        assert_eq!(&out[..8], &15.0f64.to_le_bytes());
        assert_eq!(&out[8..12], &3i32.to_le_bytes());
    }
}
