//! Leaving a trace: its state becomes the interpreter's.

use crate::ir::{ExitId, ExitKind, Id, NewKind, Source, Target, Tree, Type};
use crate::lower::Places;
use skein_runtime::interp::{At, leave_frame, publish, raise_site};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

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
    /// The object of this number that the exit makes.
    Made(u32),
}

/// A word that needs an object.
enum Late {
    Float(f64),
    Made(u32),
}

/// Most objects that an exit makes.
pub const MAX_MADE: usize = 128;

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
    /// Registers that get words of the buffer.
    copies: Box<[(i32, u32)]>,
    /// Registers that get words that are known.
    words: Box<[(i32, u64)]>,
    /// All others.
    writes: Box<[(To, From)]>,
    /// Objects that are made, with their words by offset.
    objects: Box<[(NewKind, Box<[(u32, From)]>)]>,
}

impl Plan {
    pub fn new(tree: &Tree, places: &Places, exit: ExitId) -> Plan {
        let shown = places.shown(exit);
        let exit = tree.exit(exit);
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
                    let at = shown.iter().find(|(shown, _)| *shown == id).map_or(0, |(_, at)| *at);
                    if ty == Type::F { From::Float(at) } else { From::Buffer(at) }
                }
            }
        };
        let virtuals = exit.virtuals(tree);
        let source = |source: Source| match source {
            Source::Value(id) => from(id),
            Source::Base(off) => From::Base(off),
            Source::Word(word) => From::Word(word),
            Source::Virtual(number) => {
                From::Made(virtuals.iter().position(|&v| v == number).unwrap_or_default() as u32)
            }
        };
        let (mut copies, mut words, mut writes) = (Vec::new(), Vec::new(), Vec::new());
        for (target, written) in &exit.writes {
            match (*target, source(*written)) {
                (Target::Reg(off), From::Buffer(i)) => copies.push((off, i)),
                (Target::Reg(off), From::Word(word)) => words.push((off, word)),
                (Target::Reg(off), from) => writes.push((To::Reg(off), from)),
                (Target::Field(object, off), written) => writes.push((To::Field(from(object), off), written)),
            }
        }
        let objects = virtuals.iter().map(|&number| {
            let object = &tree.virtuals[number as usize];
            (object.kind, object.fields.iter().map(|(off, held)| (*off, source(*held))).collect())
        });
        Plan {
            kind: exit.kind,
            pc: exit.pc as *const u32,
            base: exit.base,
            copies: copies.into(),
            words: words.into(),
            writes: writes.into(),
            objects: objects.collect(),
        }
    }

    /// Is it the end of what a function's trace does?
    pub fn is_return(&self) -> bool {
        self.kind == ExitKind::Return
    }

    /// Writes what the exit has to write, and tells where the interpreter goes on. `root` is the base of the loop's
    /// frame; the buffer is on the native stack, where the collector sees what it leads to.
    ///
    /// # Safety
    /// The trace that was left by the exit has filled the buffer.
    pub unsafe fn leave(&self, vm: &Vm, buffer: *const u64, root: *mut Value) -> At {
        // SAFETY: the caller's promise; the exit's places are in the buffer.
        let buffer = |i: u32| unsafe { *buffer.add(i as usize) };
        let address = |off: i32| root.wrapping_offset(off as isize).cast::<u64>();
        let word = |from: From| match from {
            From::Word(word) => Ok(word),
            From::Base(off) => Ok(address(off) as u64),
            From::Made(number) => Err(Late::Made(number)),
            From::Buffer(i) => Ok(buffer(i)),
            From::Float(i) => {
                let f = f64::from_bits(buffer(i));
                Value::try_float(f).map(Value::bits).ok_or(Late::Float(f))
            }
            From::Boxed(f) => Err(Late::Float(f)),
        };
        // SAFETY: registers or heads of frames of the trace, for which there was room at its entry.
        unsafe {
            for &(off, i) in &self.copies {
                *address(off) = buffer(i);
            }
            for &(off, word) in &self.words {
                *address(off) = word;
            }
        }
        let mut late = false;
        for &(to, from) in &self.writes {
            let Ok(word_) = word(from) else {
                late = true;
                continue;
            };
            match to {
                // SAFETY: as above.
                To::Reg(off) => unsafe { *address(off) = word_ },
                To::Field(object, off) => {
                    let Ok(object) = word(object) else { continue };
                    vm.heap.write_barrier(object as *const _);
                    // SAFETY: a word of an iterator or generator, whose shape the trace has checked.
                    unsafe { *((object as usize + off as usize) as *mut u64) = word_ };
                }
            }
        }
        let at = At { pc: self.pc, base: address(self.base).cast() };
        if late {
            // The frames are whole but for what needs objects: to make them may collect.
            publish(vm, at);
            if let Err(Raised) = self.late(vm, &word, &address) {
                return raise_site(vm, at.site());
            }
        }
        match self.kind {
            ExitKind::Resume => at,
            ExitKind::Raise => raise_site(vm, at.site()),
            ExitKind::Return => leave_frame(vm, root, at.reg(at.a())),
            ExitKind::Elsewhere => At { pc: buffer(0) as *const u32, base: buffer(1) as *mut Value },
        }
    }

    /// Makes objects, and writes what needed them.
    fn late(
        &self,
        vm: &Vm,
        word: &dyn Fn(From) -> Result<u64, Late>,
        address: &dyn Fn(i32) -> *mut u64,
    ) -> R<()> {
        // What is made is seen by the collector while it is on the stack.
        let mut made = [0u64; MAX_MADE];
        for (at, (kind, _)) in self.objects.iter().enumerate() {
            made[at] = vm.alloc_kind(kind.size as usize, kind.shape, kind.kind, kind.bits.into())? as u64;
            std::hint::black_box(&mut made);
        }
        let ready = |from: From| match word(from) {
            Ok(word) => Ok(word),
            Err(Late::Float(f)) => vm.float(f).map(Value::bits),
            Err(Late::Made(number)) => Ok(made[number as usize]),
        };
        for (at, (_, fields)) in self.objects.iter().enumerate() {
            for &(off, from) in fields {
                let word = ready(from)?;
                vm.heap.write_barrier(made[at] as *const _);
                // SAFETY: a word of an object of the size that its kind tells.
                unsafe { *((made[at] as usize + off as usize) as *mut u64) = word };
            }
        }
        for &(to, from) in &self.writes {
            if word(from).is_ok() {
                continue;
            }
            let word_ = ready(from)?;
            match to {
                // SAFETY: as in `leave`.
                To::Reg(off) => unsafe { *address(off) = word_ },
                To::Field(object, off) => {
                    let Ok(object) = word(object) else { continue };
                    vm.heap.write_barrier(object as *const _);
                    // SAFETY: as in `leave`.
                    unsafe { *((object as usize + off as usize) as *mut u64) = word_ };
                }
            }
        }
        std::hint::black_box(&made);
        Ok(())
    }
}
