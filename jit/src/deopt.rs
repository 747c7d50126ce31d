//! Leaving a trace: its state becomes the interpreter's.

use crate::ir::{ExitId, ExitKind, Id, Source, Target, Tree, Type};
use skein_runtime::interp::{At, publish, raise_site};
use skein_runtime::value::{Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// Where a word comes from.
#[derive(Clone, Copy)]
enum From {
    Word(u64),
    /// The address so many words from the root frame's base.
    Base(i32),
    /// The buffer has the word.
    Buffer(u32),
    /// The buffer has the bits of a float.
    Float(u32),
    /// A constant float that needs an object.
    Boxed(f64),
}

/// Where it goes.
#[derive(Clone, Copy)]
enum To {
    Reg(i32),
    Field(From, u32),
}

/// What an exit does, ready to be done.
pub struct Plan {
    kind: ExitKind,
    pc: *const u32,
    base: i32,
    writes: Box<[(To, From)]>,
}

impl Plan {
    pub fn new(tree: &Tree, exit: ExitId) -> Plan {
        let exit = tree.exit(exit);
        let live = exit.live(tree);
        let from = |id: Id| {
            let inst = tree.inst(id);
            match (tree.constant(id), inst.ty) {
                (Some(bits), Type::F) => match Value::try_float(f64::from_bits(bits)) {
                    Some(v) => From::Word(v.bits()),
                    None => From::Boxed(f64::from_bits(bits)),
                },
                (Some(bits), Type::B) => From::Word(Value::bool(bits != 0).bits()),
                (Some(bits), _) => From::Word(bits),
                (None, ty) => {
                    let at = live.iter().position(|&l| l == id).unwrap_or_default() as u32;
                    if ty == Type::F { From::Float(at) } else { From::Buffer(at) }
                }
            }
        };
        let writes = exit.writes.iter().map(|(target, source)| {
            let to = match *target {
                Target::Reg(off) => To::Reg(off),
                Target::Field(object, off) => To::Field(from(object), off),
            };
            let from = match *source {
                Source::Value(id) => from(id),
                Source::Base(off) => From::Base(off),
                Source::Word(word) => From::Word(word),
            };
            (to, from)
        });
        Plan { kind: exit.kind, pc: exit.pc as *const u32, base: exit.base, writes: writes.collect() }
    }

    /// Writes what the exit has to write, and tells where the interpreter goes on. `root` is the base of the loop's
    /// frame; the buffer has the exit's values in the order of [`crate::ir::Exit::live`].
    pub fn leave(&self, vm: &Vm, buffer: &[Cell<u64>], root: *mut Value) -> At {
        let address = |off: i32| root.wrapping_offset(off as isize).cast::<u64>();
        let word = |from: From| match from {
            From::Word(word) => Ok(word),
            From::Base(off) => Ok(address(off) as u64),
            From::Buffer(i) => Ok(buffer[i as usize].get()),
            From::Float(i) => {
                let f = f64::from_bits(buffer[i as usize].get());
                Value::try_float(f).map(Value::bits).ok_or(f)
            }
            From::Boxed(f) => Err(f),
        };
        let mut boxes = false;
        for &(to, from) in &self.writes {
            let Ok(word_) = word(from) else {
                boxes = true;
                continue;
            };
            match to {
                // SAFETY: a register or head of one of the trace's frames, for which there was room at its entry.
                To::Reg(off) => unsafe { *address(off) = word_ },
                To::Field(object, off) => {
                    let Ok(object) = word(object) else { continue };
                    // SAFETY: a raw word of an iterator, whose shape the trace has checked.
                    unsafe { *((object as usize + off as usize) as *mut u64) = word_ };
                }
            }
        }
        let at = At { pc: self.pc, base: address(self.base).cast() };
        if boxes {
            // The frames are whole but for floats: to make objects may collect.
            publish(vm, at);
            for &(to, from) in &self.writes {
                let (To::Reg(off), Err(f)) = (to, word(from)) else { continue };
                match vm.float(f) {
                    // SAFETY: as above.
                    Ok(v) => unsafe { *address(off) = v.bits() },
                    Err(Raised) => return raise_site(vm, at.site()),
                }
            }
        }
        match self.kind {
            ExitKind::Resume => at,
            ExitKind::Raise => raise_site(vm, at.site()),
            ExitKind::Elsewhere => {
                At { pc: buffer[0].get() as *const u32, base: buffer[1].get() as *mut Value }
            }
        }
    }
}
