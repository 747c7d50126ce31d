//! What trees mean: a slow interpreter of them, that machine code is compared with.
//!
//! It works on the same memory as machine code and is entered and left in the same way. Nothing of it is made for
//! speed, nor shares anything with the lowering but what both call: the shims.

use crate::ir::{Exit, ExitId, Inst, NewKind, Place, SeqId, TraceOp, Tree, Type};
use crate::layout::{
    CONTEXT_HANDLED, FIRST_SLOT, GRANULE, HEADER_GC, VM_FRAME_BASE, VM_FRAME_PC, VM_HEAP_CURSOR,
    VM_HEAP_LIMIT, VM_TICKS, header_word,
};
use crate::machine::NOWHERE;
use crate::shims;
use skein_heap::{Header, UNLOGGED};
use skein_runtime::types::str::Str;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// Runs a tree as its machine code would: see [`crate::Entry`].
///
/// # Safety
/// As of an entry: the tree is good for this frame and the memory that it leads to.
pub unsafe fn run(tree: &Tree, vm: *const Vm, base: *mut Value, buffer: *mut u64) -> u64 {
    let mut run = Run { tree, vm, base, buffer, values: vec![None; tree.insts.len()] };
    let Some(mut seq) = tree.entry else { panic!("a tree without an entry") };
    loop {
        seq = match run.sequence(seq) {
            Next::Sequence(next) => next,
            Next::Left(number) => return number,
        };
    }
}

struct Run<'a> {
    tree: &'a Tree,
    vm: *const Vm,
    base: *mut Value,
    buffer: *mut u64,
    /// By `Id`: words, bits of floats, truth values as 0 and 1.
    values: Vec<Option<u64>>,
}

enum Next {
    Sequence(SeqId),
    Left(u64),
}

/// What an instruction comes to.
enum Outcome {
    Done(Option<u64>),
    Exit,
}

fn int(word: u64) -> i64 {
    word as i64 >> 2
}

/// The word of an int, if it is an immediate.
fn int_word(i: i128) -> Option<u64> {
    Some(Value::try_int(i64::try_from(i).ok()?)?.bits())
}

/// What the processor makes of operands that are no numbers: the first of them.
fn arithmetic(a: f64, b: f64, f: fn(f64, f64) -> f64) -> f64 {
    const QUIET: u64 = 1 << 51;
    match (a.is_nan(), b.is_nan()) {
        (true, _) => f64::from_bits(a.to_bits() | QUIET),
        (_, true) => f64::from_bits(b.to_bits() | QUIET),
        _ => f(a, b),
    }
}

impl Run<'_> {
    fn sequence(&mut self, seq: SeqId) -> Next {
        let tree = self.tree;
        for &id in &tree.seq(seq).insts {
            let inst = tree.inst(id);
            match inst.op {
                TraceOp::Jump => return Next::Sequence(self.jump(seq)),
                TraceOp::Restart => return tree.entry.map_or(Next::Left(NOWHERE), Next::Sequence),
                TraceOp::Phi => continue,
                _ => {}
            }
            match self.instruction(inst) {
                Outcome::Done(value) => self.values[id.0 as usize] = value,
                Outcome::Exit => {
                    let Some(exit) = inst.exit else { panic!("{inst:?} has no exit") };
                    return self.leave(exit, tree.exit(exit));
                }
            }
        }
        panic!("a sequence without an end")
    }

    /// Binds the body's phis.
    fn jump(&mut self, from: SeqId) -> SeqId {
        let Some(body) = self.tree.body else { panic!("a jump without a body") };
        let args: Vec<u64> = self.tree.seq(from).jump_args.iter().map(|&id| self.value(id)).collect();
        for (&phi, arg) in self.tree.seq(body).phis.iter().zip(args) {
            self.values[phi.0 as usize] = Some(arg);
        }
        body
    }

    fn leave(&mut self, number: ExitId, exit: &Exit) -> Next {
        if let Some(bridge) = exit.bridge {
            return Next::Sequence(bridge);
        }
        for (i, id) in exit.live(self.tree).into_iter().enumerate() {
            let value = self.value(id);
            let shown = match self.tree.inst(id).ty {
                Type::B => Value::bool(value != 0).bits(),
                _ => value,
            };
            // SAFETY: the buffer has room for what exits show.
            unsafe { *self.buffer.add(i) = shown };
        }
        Next::Left(number.0.into())
    }

    fn value(&self, id: crate::ir::Id) -> u64 {
        if let Some(constant) = self.tree.constant(id) {
            return constant;
        }
        match self.values[id.0 as usize] {
            Some(value) => value,
            None => panic!("value {} is used before it is made", id.0),
        }
    }

    fn instruction(&mut self, inst: &Inst) -> Outcome {
        use TraceOp::*;
        let arg = |n: usize| match inst.args[n] {
            Some(id) => self.value(id),
            None => panic!("{inst:?} lacks an operand"),
        };
        let float = |n: usize| f64::from_bits(arg(n));
        let made = |value: u64| Outcome::Done(Some(value));
        let holds = |truth: bool| Outcome::Done(Some(truth.into()));
        let checked = |value: Option<u64>| value.map_or(Outcome::Exit, made);
        let ints = |f: fn(i128, i128) -> Option<i128>| {
            checked(f(int(arg(0)).into(), int(arg(1)).into()).and_then(int_word))
        };
        let guard = |passes: bool| if passes { Outcome::Done(None) } else { Outcome::Exit };
        match inst.op {
            Const => Outcome::Done(None),
            LoadReg | ReloadReg => made(read(self.register(inst))),
            StoreReg => {
                write(self.register(inst), arg(0));
                Outcome::Done(None)
            }

            GuardInt => checked((arg(0) & 3 == 1).then_some(arg(0))),
            GuardFloat => {
                let word = arg(0);
                // SAFETY: an operand of type W is a value.
                let is_float = word != 0 && unsafe { Value::from_bits(word) }.is_float();
                checked(is_float.then(|| word.wrapping_add(1).rotate_right(4)))
            }
            GuardShape => {
                let word = arg(0);
                let same = word & 7 == 0 && read_half(word) == inst.imm as u32;
                checked(same.then_some(word))
            }
            GuardFamily => {
                let word = arg(0);
                let one = word & 7 == 0 && self.tree.family(inst).contains(&read_half(word));
                checked(one.then_some(word))
            }
            GuardIs | GuardRaw => guard(arg(0) == inst.imm),
            GuardIsNot | GuardRawNot => guard(arg(0) != inst.imm),
            GuardTrue => guard(arg(0) != 0),
            GuardFalse => guard(arg(0) == 0),

            IntAdd => ints(|a, b| Some(a + b)),
            IntSub => ints(|a, b| Some(a - b)),
            IntMul => ints(|a, b| Some(a * b)),
            IntFloorDiv => ints(floor_div),
            IntMod => ints(|a, b| Some(a - floor_div(a, b)? * b)),
            IntShl => ints(|a, b| (0..62).contains(&b).then(|| a << b)),
            IntShr => ints(|a, b| (b >= 0).then(|| a >> b.min(64))),
            IntAnd => made(arg(0) & arg(1)),
            IntOr => made(arg(0) | arg(1)),
            IntXor => made(arg(0) ^ arg(1) | 1),
            IntNeg => checked(int_word(-i128::from(int(arg(0))))),
            IntInvert => checked(int_word(!i128::from(int(arg(0))))),
            IntLt => holds(int(arg(0)) < int(arg(1))),
            IntLe => holds(int(arg(0)) <= int(arg(1))),
            IntEq => holds(int(arg(0)) == int(arg(1))),
            IntNe => holds(int(arg(0)) != int(arg(1))),
            IntGt => holds(int(arg(0)) > int(arg(1))),
            IntGe => holds(int(arg(0)) >= int(arg(1))),
            IntToFloat => {
                let i = int(arg(0));
                checked((-(1 << 53)..1 << 53).contains(&i).then(|| (i as f64).to_bits()))
            }
            Untag => made(int(arg(0)) as u64),
            Tag => checked(int_word((arg(0) as i64).into())),

            FloatAdd => made(arithmetic(float(0), float(1), |a, b| a + b).to_bits()),
            FloatSub => made(arithmetic(float(0), float(1), |a, b| a - b).to_bits()),
            FloatMul => made(arithmetic(float(0), float(1), |a, b| a * b).to_bits()),
            FloatDiv => {
                checked((float(1) != 0.0).then(|| arithmetic(float(0), float(1), |a, b| a / b).to_bits()))
            }
            FloatNeg => made(arg(0) ^ 1 << 63),
            FloatAbs => made(arg(0) & !(1 << 63)),
            FloatPow => {
                let result = float(0).powf(float(1));
                checked(result.is_finite().then(|| result.to_bits()))
            }
            FloatSqrt => {
                let less = float(0) < 0.0;
                checked((!less).then(|| float(0).sqrt().to_bits()))
            }
            FloatLt => holds(float(0) < float(1)),
            FloatLe => holds(float(0) <= float(1)),
            FloatEq => holds(float(0) == float(1)),
            FloatNe => holds(float(0) != float(1)),
            FloatGt => holds(float(0) > float(1)),
            FloatGe => holds(float(0) >= float(1)),
            BoxFloat => checked(Value::try_float(float(0)).map(Value::bits)),

            BoxBool => made(Value::bool(arg(0) != 0).bits()),
            Not => holds(arg(0) == 0),
            Same => holds(arg(0) == arg(1)),
            TextChar => {
                // SAFETY: the operand is a str, the index of one of its bytes, and the table has all that are ASCII.
                unsafe {
                    let text = Value::from_bits(arg(0)).cast::<Str>().filter(|s| s.is_ascii());
                    let byte = text.map(|s| s.bytes()[arg(1) as usize]);
                    checked(byte.map(|byte| *(inst.imm as *const u64).add(byte.into())))
                }
            }
            TextEq => {
                // SAFETY: the operands are str.
                let [a, b] = [arg(0), arg(1)].map(|word| unsafe { Value::from_bits(word) }.cast::<Str>());
                holds(a.zip(b).is_some_and(|(a, b)| a.bytes() == b.bytes()))
            }
            RawAdd => made(arg(0).wrapping_add(arg(1))),
            RawSub => made(arg(0).wrapping_sub(arg(1))),
            FromRaw | ToRaw => made(arg(0)),
            BaseAddress => made(self.register(inst)),
            CheckBelow => guard(arg(0) < arg(1)),
            CheckNotBelow => guard(arg(0) >= arg(1)),
            CheckIndex => {
                let (i, len) = (int(arg(0)), arg(1));
                let index = if i < 0 { (i as u64).wrapping_add(len) } else { i as u64 };
                checked((index < len).then_some(index))
            }

            LoadField | LoadRaw | LoadState | LoadHeld => made(read(field(arg(0), inst))),
            StoreField | StoreRaw => {
                write(field(arg(0), inst), arg(1));
                Outcome::Done(None)
            }
            LoadHandled => {
                // SAFETY: the isolate's running context is there.
                let context = unsafe { (*self.vm).ctx.get() };
                made(read(context as u64 + CONTEXT_HANDLED as u64))
            }
            LoadCell => made(read_half(inst.imm).into()),
            LoadElem => made(read(element(arg(0), arg(1)))),
            StoreElem => {
                let slot = element(arg(0), arg(1));
                if self.is_unlogged(arg(0)) && arg(2) & 7 == 0 {
                    // SAFETY: the slot is the array's.
                    unsafe { shims::slot_barrier(self.vm, arg(0) as *const Header, slot as *const u64) };
                }
                write(slot, arg(2));
                Outcome::Done(None)
            }
            Barrier => {
                if self.is_unlogged(arg(0)) {
                    // SAFETY: the operand is an object.
                    unsafe { shims::barrier(self.vm, arg(0) as *const Header) };
                }
                Outcome::Done(None)
            }
            SetShape => {
                write_half(arg(0), inst.imm as u32);
                Outcome::Done(None)
            }
            NewObject => raised(self.new_object(inst.imm)),
            // SAFETY (both): the Vm that `run` was given, and words that are values.
            CopySlice => raised(unsafe {
                shims::copy_slice(self.vm, Value::from_bits(arg(0)), Value::from_bits(arg(1)))
            }),
            NumberOp => raised(unsafe {
                let (a, b) = (Value::from_bits(arg(0)), Value::from_bits(arg(1)));
                shims::number_op(self.vm, inst.imm, a, b)
            }),

            Help => {
                let help = shims::Help { call: *self.tree.call(inst), watched: Cell::new(None) };
                // SAFETY: the frame that the tree runs in.
                unsafe { shims::help(self.vm, self.base, &help, self.buffer) };
                Outcome::Done(None)
            }
            GuardNext => {
                let call = self.tree.call(inst);
                let base = self.base.wrapping_offset(call.next_base as isize) as u64;
                let buffer = self.buffer as u64;
                guard(read(buffer) == call.next_pc as u64 && read(buffer + 8) == base)
            }
            Publish => {
                let call = self.tree.call(inst);
                write(self.vm_word(VM_FRAME_PC), call.pc as u64);
                write(self.vm_word(VM_FRAME_BASE), self.base.wrapping_offset(call.base as isize) as u64);
                Outcome::Done(None)
            }
            NativeNext | Native1 | Native2 | Native3 => {
                let callee = self.tree.call(inst).callee as *const skein_runtime::native::NativeDef;
                // SAFETY: calls of natives name their declarations; the operands are values.
                raised(unsafe {
                    let value = |n| Value::from_bits(arg(n));
                    match inst.op {
                        NativeNext => shims::native_next(self.vm, &*callee, value(0)),
                        Native1 => shims::native_1(self.vm, &*callee, value(0)),
                        Native2 => shims::native_2(self.vm, &*callee, value(0), value(1)),
                        _ => shims::native_3(self.vm, &*callee, value(0), value(1), value(2)),
                    }
                })
            }
            Tick => {
                let ticks = self.vm_word(VM_TICKS);
                let left = read(ticks).wrapping_sub(inst.imm);
                if (left as i64) < 0 {
                    return Outcome::Exit;
                }
                write(ticks, left);
                Outcome::Done(None)
            }
            Leave => Outcome::Exit,
            FromExit => {
                // SAFETY: the buffer has what the exit showed.
                let word = unsafe { *self.buffer.add(inst.imm as usize) };
                Outcome::Done(Some(word))
            }
            Phi | Jump | Restart => panic!("{inst:?} is no step"),
        }
    }

    /// The address of the instruction's register.
    fn register(&self, inst: &Inst) -> u64 {
        self.base.wrapping_offset(inst.imm as isize) as u64
    }

    fn vm_word(&self, offset: i32) -> u64 {
        self.vm as u64 + offset as u64
    }

    fn is_unlogged(&self, object: u64) -> bool {
        read_half(object + HEADER_GC as u64).to_ne_bytes()[0] & UNLOGGED != 0
    }

    /// The object's address, or 0.
    fn new_object(&self, imm: u64) -> u64 {
        let kind = NewKind::from_imm(imm);
        let size = u64::from(kind.size).next_multiple_of(GRANULE);
        let cursor = self.vm_word(VM_HEAP_CURSOR);
        let start = read(cursor);
        if kind.is_registered() || size > read(self.vm_word(VM_HEAP_LIMIT)) - start {
            // SAFETY: the `Vm` that the tree runs in.
            return unsafe { given(|word| shims::new_object(self.vm, imm, word)) };
        }
        write(cursor, start + size);
        write(start, header_word(kind.shape, kind.kind, kind.bits.into()));
        start
    }
}

/// Python's quotient.
fn floor_div(a: i128, b: i128) -> Option<i128> {
    if b == 0 {
        return None;
    }
    let quotient = a / b;
    Some(if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}

/// What a shim puts into its result's place.
unsafe fn given(shim: impl FnOnce(*mut u64)) -> u64 {
    let mut word = 0;
    shim(&mut word);
    word
}

/// What a shim gave: a word, or 0 if an exception is pending.
fn raised(word: u64) -> Outcome {
    if word == 0 { Outcome::Exit } else { Outcome::Done(Some(word)) }
}

fn field(object: u64, inst: &Inst) -> u64 {
    object + u64::from(Place::from_imm(inst.imm).offset)
}

fn element(array: u64, index: u64) -> u64 {
    array + FIRST_SLOT as u64 + 8 * index
}

// Memory, at addresses that `run`'s caller has promised to be good.

fn read(address: u64) -> u64 {
    // SAFETY: see above.
    unsafe { *(address as *const u64) }
}

fn write(address: u64, word: u64) {
    // SAFETY: see above.
    unsafe { *(address as *mut u64) = word }
}

fn read_half(address: u64) -> u32 {
    // SAFETY: see above.
    unsafe { *(address as *const u32) }
}

fn write_half(address: u64, half: u32) {
    // SAFETY: see above.
    unsafe { *(address as *mut u32) = half }
}
