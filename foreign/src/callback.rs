//! Functions that C calls.

use crate::entry::{Registers, arrive};
use crate::types::{Aggregate, Class, Scalar, Type};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An argument as it came: the word of a scalar (a float's bits), or the bytes of an aggregate.
pub enum Incoming {
    Scalar(Scalar, u64),
    Aggregate(Vec<u8>),
}

/// A result.
pub enum Returned {
    /// Of a function without one, or where making it failed: zeros.
    Nothing,
    Word(u64),
    Bytes(Vec<u8>),
}

type Handler = Box<dyn Fn(Vec<Incoming>) -> Returned>;

/// What a thunk's code leads to.
struct Target {
    handler: Handler,
    result: Type,
    arguments: Vec<Type>,
}

/// A function at an address of its own, which is gone when this is dropped.
pub struct Callback {
    code: *mut u8,
    target: *mut Target,
}

/// `mov r10, target; mov r11, arrive; jmp r11`
const THUNK: usize = 10 + 10 + 3;
const PAGE: usize = 4096;

impl Callback {
    /// None: the system gives no page for it.
    pub fn new(result: Type, arguments: Vec<Type>, handler: Handler) -> Option<Callback> {
        // SAFETY: a page of its own, filled before it is made executable.
        unsafe {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let code = libc::mmap(std::ptr::null_mut(), PAGE, access, flags, -1, 0);
            if code == libc::MAP_FAILED {
                return None;
            }
            let target = Box::into_raw(Box::new(Target { handler, result, arguments }));
            let mut thunk = Vec::with_capacity(THUNK);
            thunk.extend([0x49, 0xba]);
            thunk.extend((target.addr() as u64).to_le_bytes());
            thunk.extend([0x49, 0xbb]);
            thunk.extend((arrive as *const () as u64).to_le_bytes());
            thunk.extend([0x41, 0xff, 0xe3]);
            std::ptr::copy_nonoverlapping(thunk.as_ptr(), code.cast(), THUNK);
            let callback = Callback { code: code.cast(), target };
            let executable = libc::mprotect(code, PAGE, libc::PROT_READ | libc::PROT_EXEC) == 0;
            executable.then_some(callback)
        }
    }

    pub fn address(&self) -> usize {
        self.code.addr()
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // SAFETY: made in `new`, and given back once. That nobody calls it any more is for its owner to see to.
        unsafe {
            libc::munmap(self.code.cast(), PAGE);
            drop(Box::from_raw(self.target));
        }
    }
}

/// Takes arguments from where they came.
struct Source<'a> {
    registers: &'a Registers,
    ints: usize,
    floats: usize,
    stack: usize,
}

impl Source<'_> {
    fn stacked(&mut self) -> u64 {
        self.stack += 1;
        // SAFETY: the caller has put so many words there.
        unsafe { *self.registers.stack.add(self.stack - 1) }
    }

    fn int(&mut self) -> u64 {
        self.ints += 1;
        let word = self.registers.ints.get(self.ints - 1).copied();
        word.unwrap_or_else(|| self.stacked())
    }

    fn float(&mut self) -> u64 {
        self.floats += 1;
        let word = self.registers.floats.get(self.floats - 1).copied();
        word.unwrap_or_else(|| self.stacked())
    }

    fn aggregate(&mut self, ty: &Aggregate) -> Vec<u8> {
        let classes = ty.classes().filter(|classes| {
            let floats = classes.iter().filter(|c| **c == Class::Sse).count();
            let ints = classes.len() - floats;
            self.ints + ints <= 6 && self.floats + floats <= 8
        });
        let words: Vec<u64> = match classes {
            Some(classes) => classes
                .into_iter()
                .map(|class| if class == Class::Integer { self.int() } else { self.float() })
                .collect(),
            None => {
                if ty.align > 8 && self.stack % 2 == 1 {
                    self.stack += 1;
                }
                (0..ty.size.div_ceil(8)).map(|_| self.stacked()).collect()
            }
        };
        let mut bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
        bytes.truncate(ty.size);
        bytes
    }
}

/// What `arrive` calls.
pub unsafe extern "sysv64" fn handle(target: *const (), registers: *mut Registers) {
    // SAFETY: the thunk's own target, and registers on the stack of `arrive`.
    let (target, registers) = unsafe { (&*target.cast::<Target>(), &mut *registers) };
    let (mut ints, mut floats) = ([0; 2], [0; 2]);
    (registers.long, registers.result_long) = (0, Default::default());
    if let Type::Aggregate(a) = &target.result {
        registers.long = a.on_stack_of_floats() as u64;
    }
    let mut memory = None;
    {
        let mut source = Source { registers, ints: 0, floats: 0, stack: 0 };
        if let Type::Aggregate(a) = &target.result
            && a.is_written()
        {
            memory = Some(source.int());
        }
        let arguments = target.arguments.iter().filter_map(|ty| match ty {
            Type::Void => None,
            Type::Scalar(s) if s.is_float() => Some(Incoming::Scalar(*s, source.float())),
            Type::Scalar(s) => Some(Incoming::Scalar(*s, s.narrowed(source.int()))),
            Type::Aggregate(a) => Some(Incoming::Aggregate(source.aggregate(a))),
        });
        let arguments = arguments.collect();
        let returned = catch_unwind(AssertUnwindSafe(|| (target.handler)(arguments)));
        match (returned.unwrap_or(Returned::Nothing), &target.result) {
            (Returned::Word(word), Type::Scalar(s)) if s.is_float() => floats[0] = word,
            (Returned::Word(word), Type::Scalar(s)) => ints[0] = s.narrowed(word),
            (Returned::Bytes(bytes), Type::Aggregate(a)) if bytes.len() == a.size => match memory {
                None if registers.long != 0 => {
                    for (to, from) in registers.result_long.iter_mut().zip(bytes.chunks(16)) {
                        to[..from.len()].copy_from_slice(from);
                    }
                }
                Some(to) => {
                    // SAFETY: room for the result, which the caller gave the address of.
                    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to as *mut u8, bytes.len()) };
                }
                None => {
                    let (mut i, mut f) = (ints.iter_mut(), floats.iter_mut());
                    for (class, chunk) in a.classes().unwrap_or_default().into_iter().zip(bytes.chunks(8)) {
                        let mut word = [0; 8];
                        word[..chunk.len()].copy_from_slice(chunk);
                        let place = if class == Class::Integer { i.next() } else { f.next() };
                        if let Some(place) = place {
                            *place = u64::from_le_bytes(word);
                        }
                    }
                }
            },
            _ => {}
        }
    }
    if let Some(to) = memory {
        ints[0] = to;
    }
    (registers.result_ints, registers.result_floats) = (ints, floats);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_calls_it() {
        let int = Type::Scalar(Scalar::Int(4));
        let double = Type::Scalar(Scalar::F64);
        let arguments = vec![
            int.clone(),
            double.clone(),
            int.clone(),
            int.clone(),
            int.clone(),
            int.clone(),
            int.clone(),
            int,
        ];
        let callback = Callback::new(
            double,
            arguments,
            Box::new(|row| {
                let sum: f64 = row
                    .iter()
                    .map(|v| match v {
                        Incoming::Scalar(Scalar::F64, w) => f64::from_bits(*w),
                        Incoming::Scalar(_, w) => *w as i64 as f64,
                        Incoming::Aggregate(_) => 0.0,
                    })
                    .sum();
                Returned::Word(sum.to_bits())
            }),
        );
        let callback = callback.expect("a page");
        // SAFETY: the function has these types.
        let f: extern "C" fn(i32, f64, i32, i32, i32, i32, i32, i32) -> f64 =
            unsafe { std::mem::transmute(callback.address()) };
        assert_eq!(f(-1, 0.5, 2, 3, 4, 5, 6, 7), 26.5);
    }
}
