//! Leaving a trace: its state becomes the interpreter's.

use crate::ir::{Exit, ExitKind, Id, Source, Target, Tree, Type};
use skein_runtime::interp::{At, Site, publish, raise_site};
use skein_runtime::value::{Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// What an exit found in the buffer is worth.
enum Word {
    Ready(u64),
    /// A float that has to be made an object.
    Float(f64),
}

fn word_of(tree: &Tree, live: &[Id], buffer: &[Cell<u64>], id: Id) -> Word {
    let inst = tree.inst(id);
    let bits = match tree.constant(id) {
        Some(bits) => bits,
        None => live.iter().position(|&l| l == id).map_or(0, |i| buffer[i].get()),
    };
    match inst.ty {
        Type::F => match Value::try_float(f64::from_bits(bits)) {
            Some(v) => Word::Ready(v.bits()),
            None => Word::Float(f64::from_bits(bits)),
        },
        // A constant's immediate is the truth; the buffer has the word.
        Type::B if tree.constant(id).is_some() => Word::Ready(Value::bool(bits != 0).bits()),
        _ => Word::Ready(bits),
    }
}

/// Writes what the exit has to write, and tells where the interpreter goes on.
///
/// `root` is the base of the loop's frame, `live` are the exit's values in the order of the buffer.
pub fn leave(vm: &Vm, tree: &Tree, exit: &Exit, live: &[Id], buffer: &[Cell<u64>], root: *mut Value) -> At {
    let address = |off: i32| root.wrapping_offset(off as isize).cast::<u64>();
    let mut floats = Vec::new();
    for (target, source) in &exit.writes {
        let word = match source {
            Source::Value(id) => match word_of(tree, live, buffer, *id) {
                Word::Ready(word) => word,
                Word::Float(f) => {
                    floats.push((*target, f));
                    continue;
                }
            },
            Source::Base(off) => address(*off) as u64,
            Source::Word(word) => *word,
        };
        match target {
            // SAFETY: a register or head of one of the trace's frames, for which there was room at its entry.
            Target::Reg(off) => unsafe { *address(*off) = word },
            Target::Field(object, off) => {
                let Word::Ready(object) = word_of(tree, live, buffer, *object) else { continue };
                // SAFETY: a raw word of an iterator, whose shape the trace has checked.
                unsafe { *((object as usize + *off as usize) as *mut u64) = word };
            }
        }
    }
    let at = At { pc: exit.pc as *const u32, base: address(exit.base).cast() };
    // From here on the frames are whole: to make objects may collect.
    publish(vm, at);
    for (target, f) in floats {
        let Target::Reg(off) = target else { continue };
        match vm.float(f) {
            // SAFETY: as above.
            Ok(v) => unsafe { *address(off) = v.bits() },
            Err(Raised) => return raise_site(vm, at.site()),
        }
    }
    match exit.kind {
        ExitKind::Resume => at,
        ExitKind::Raise => raise_site(vm, Site::from_parts(at.pc, at.base)),
    }
}
