//! Trees by hand, run on a frame of the test's own.

use crate::ir::*;
use crate::layout;
use crate::machine::{CompileError, Compiled, Machine};
use skein_runtime::value::Value as Word;
use skein_runtime::vm::Vm;

/// Builds trees.
#[derive(Default)]
struct Builder {
    tree: Tree,
    insts: Vec<Id>,
}

impl Builder {
    fn push(&mut self, op: TraceOp, ty: Type, args: &[Id], imm: u64, exit: Option<ExitId>) -> Id {
        let mut all = [None; 3];
        for (to, &from) in all.iter_mut().zip(args) {
            *to = Some(from);
        }
        let id = self.tree.add(Inst { op, ty, args: all, imm, exit });
        self.insts.push(id);
        id
    }

    fn op(&mut self, op: TraceOp, args: &[Id]) -> Id {
        self.push(op, op.info().result, args, 0, None)
    }

    fn imm(&mut self, op: TraceOp, args: &[Id], imm: u64) -> Id {
        self.push(op, op.info().result, args, imm, None)
    }

    fn guard(&mut self, op: TraceOp, args: &[Id], exit: ExitId) -> Id {
        self.push(op, op.info().result, args, 0, Some(exit))
    }

    fn int(&mut self, i: i64) -> Id {
        self.push(TraceOp::Const, Type::I, &[], Word::small_int(i).bits(), None)
    }

    fn float(&mut self, f: f64) -> Id {
        self.push(TraceOp::Const, Type::F, &[], f.to_bits(), None)
    }

    fn raw(&mut self, n: u64) -> Id {
        self.push(TraceOp::Const, Type::R, &[], n, None)
    }

    /// An exit that shows these values.
    fn exit(&mut self, shown: &[Id]) -> ExitId {
        let writes = shown.iter().enumerate().map(|(i, &id)| (Target::Reg(i as i32), Source::Value(id)));
        let writes = writes.collect();
        self.tree.add_exit(Exit { kind: ExitKind::Resume, pc: 0, base: 0, writes, frames: 0, bridge: None })
    }

    fn leave(&mut self, exit: ExitId) -> SeqId {
        self.guard(TraceOp::Leave, &[], exit);
        self.finish(&[], &[])
    }

    fn finish(&mut self, phis: &[Id], jump_args: &[Id]) -> SeqId {
        let insts = std::mem::take(&mut self.insts);
        let seq = Seq { phis: phis.to_vec(), keys: Vec::new(), insts, jump_args: jump_args.to_vec() };
        self.tree.add_seq(seq)
    }

    /// In each way that there is.
    fn compile(&mut self) -> Vec<Compiled> {
        let mut machine = Machine::new().unwrap();
        let all = [machine.compile(&self.tree), machine.compile_quickly(&self.tree)];
        let code = |made: Result<Compiled, CompileError>| made.unwrap_or_else(|e| panic!("{e}"));
        all.into_iter().map(code).collect()
    }
}

/// What stands for a `Vm`, a frame and a buffer.
struct Stage {
    vm: Vec<u64>,
    frame: [u64; 8],
    buffer: [u64; 32],
}

impl Stage {
    fn new(frame: &[u64]) -> Stage {
        let mut stage = Stage { vm: vec![0; size_of::<Vm>() / 8 + 1], frame: [0; 8], buffer: [0; 32] };
        stage.frame[..frame.len()].copy_from_slice(frame);
        *stage.vm_word(layout::VM_TICKS) = 1000;
        stage
    }

    fn vm_word(&mut self, offset: i32) -> &mut u64 {
        &mut self.vm[offset as usize / 8]
    }

    /// The exit; what it shows is at the buffer's begin then. All ways of making code come to the same.
    fn run(&mut self, tree: &Tree, compiled: &[Compiled]) -> u64 {
        let before = (self.vm.clone(), self.frame);
        let mut ran = compiled.iter().map(|compiled| {
            (self.vm, self.frame) = before.clone();
            let exit = self.run_one(compiled);
            (exit, self.buffer, self.frame, self.vm.clone())
        });
        let first = ran.next().expect("some code");
        for other in ran {
            assert_eq!(other, first, "{tree}");
        }
        first.0
    }

    fn run_one(&mut self, compiled: &Compiled) -> u64 {
        let mut buffer = [0; 64];
        // SAFETY: the trees of these tests use what the stage has, and leave before they call anything.
        let exit = unsafe {
            (compiled.entry)(self.vm.as_ptr().cast(), self.frame.as_mut_ptr().cast(), buffer.as_mut_ptr())
        };
        let shown = compiled.places.shown(ExitId(exit as u32));
        for (to, (_, place)) in self.buffer.iter_mut().zip(shown) {
            *to = buffer[*place as usize];
        }
        exit
    }
}

fn word(i: i64) -> u64 {
    Word::small_int(i).bits()
}

/// Runs an op on ints: its result, or None where it leaves.
fn int_op(op: TraceOp, operands: &[i64], constant: Option<usize>) -> Option<u64> {
    let mut b = Builder::default();
    let failed = b.exit(&[]);
    let mut args = Vec::new();
    for (i, &operand) in operands.iter().enumerate() {
        if constant == Some(i) {
            args.push(b.int(operand));
        } else {
            let reg = b.imm(TraceOp::LoadReg, &[], i as u64);
            args.push(b.guard(TraceOp::GuardInt, &[reg], failed));
        }
    }
    let result = b.guard(op, &args, failed);
    let done = b.exit(&[result]);
    b.tree.entry = Some(b.leave(done));
    let compiled = b.compile();
    let words: Vec<u64> = operands.iter().map(|&i| word(i)).collect();
    let mut stage = Stage::new(&words);
    match stage.run(&b.tree, &compiled) {
        0 => None,
        1 => Some(stage.buffer[0]),
        n => panic!("left by exit {n}"),
    }
}

/// The result as Python has it, if it is an immediate.
fn expected(op: TraceOp, a: i128, b: i128) -> Option<u64> {
    use TraceOp::*;
    let floor = |a: i128, b: i128| a.div_euclid(b) - i128::from(b < 0 && a.rem_euclid(b) != 0);
    let truth = |t: bool| Some(Word::bool(t).bits());
    let value = match op {
        IntAdd => a + b,
        IntSub => a - b,
        IntMul => a * b,
        IntFloorDiv if b != 0 => floor(a, b),
        IntMod if b != 0 => a - floor(a, b) * b,
        IntShl if (0..62).contains(&b) => a << b,
        IntShr if b >= 0 => a >> b.min(100),
        IntAnd => a & b,
        IntOr => a | b,
        IntXor => a ^ b,
        IntNeg => -a,
        IntInvert => !a,
        IntLt => return truth(a < b),
        IntLe => return truth(a <= b),
        IntEq => return truth(a == b),
        IntNe => return truth(a != b),
        IntGt => return truth(a > b),
        IntGe => return truth(a >= b),
        _ => return None,
    };
    i64::try_from(value).ok().and_then(Word::try_int).map(Word::bits)
}

#[test]
fn int_ops_are_pythons() {
    use TraceOp::*;
    let some = [0, 1, -1, 2, -2, 3, 7, -8, 61, 62, 63, 1 << 40, -(1 << 40) + 1, Word::MAX_INT, Word::MIN_INT];
    let ops = [
        IntAdd,
        IntSub,
        IntMul,
        IntFloorDiv,
        IntMod,
        IntShl,
        IntShr,
        IntAnd,
        IntOr,
        IntXor,
        IntLt,
        IntLe,
        IntEq,
        IntNe,
        IntGt,
        IntGe,
    ];
    for op in ops {
        for (i, &a) in some.iter().enumerate() {
            for (j, &b) in some.iter().enumerate() {
                let constant = [None, Some(0), Some(1)][(i + j) % 3];
                let (got, wanted) = (int_op(op, &[a, b], constant), expected(op, a.into(), b.into()));
                assert_eq!(got, wanted, "{op:?} {a} {b}, constant {constant:?}");
            }
        }
    }
    for op in [IntNeg, IntInvert] {
        for &a in &some {
            assert_eq!(int_op(op, &[a], None), expected(op, a.into(), 0), "{op:?} {a}");
        }
    }
}

#[test]
fn a_loop_adds_until_it_overflows() {
    let mut b = Builder::default();
    let first = b.imm(TraceOp::LoadReg, &[], 0);
    let at_start = b.exit(&[]);
    let first = b.guard(TraceOp::GuardInt, &[first], at_start);
    b.op(TraceOp::Jump, &[]);
    b.tree.entry = Some(b.finish(&[], &[first]));

    let sum = b.push(TraceOp::Phi, Type::I, &[], 0, None);
    let overflow = b.exit(&[sum]);
    let next = b.guard(TraceOp::IntAdd, &[sum, sum], overflow);
    let no_time = b.exit(&[next]);
    b.push(TraceOp::Tick, Type::No, &[], 3, Some(no_time));
    b.op(TraceOp::Jump, &[]);
    b.tree.body = Some(b.finish(&[sum], &[next]));
    let compiled = b.compile();

    let mut stage = Stage::new(&[word(5)]);
    assert_eq!(stage.run(&b.tree, &compiled), 1);
    let last = (0..).map(|n| 5_i64 << n).take_while(|&i| i <= Word::MAX_INT).last().unwrap();
    assert_eq!(stage.buffer[0], word(last));
    let rounds = (last / 5).trailing_zeros() as u64;
    assert_eq!(*stage.vm_word(layout::VM_TICKS), 1000 - 3 * rounds);

    // Without time the count is as it was before the last round's end.
    *stage.vm_word(layout::VM_TICKS) = 7;
    assert_eq!(stage.run(&b.tree, &compiled), 2);
    assert_eq!((stage.buffer[0], *stage.vm_word(layout::VM_TICKS)), (word(5 << 3), 1));

    stage.frame[0] = Word::NONE.bits();
    assert_eq!(stage.run(&b.tree, &compiled), 0);
}

#[test]
fn floats_are_unboxed_in_a_loop() {
    // while x < limit: x = sqrt(x * x * 1.5) + 0.25; n += 1
    let mut b = Builder::default();
    let start = b.exit(&[]);
    let x = b.imm(TraceOp::LoadReg, &[], 0);
    let x = b.guard(TraceOp::GuardFloat, &[x], start);
    let limit = b.imm(TraceOp::LoadReg, &[], 1);
    let limit = b.guard(TraceOp::GuardFloat, &[limit], start);
    let zero = b.int(0);
    b.op(TraceOp::Jump, &[]);
    b.tree.entry = Some(b.finish(&[], &[x, zero]));

    let x = b.push(TraceOp::Phi, Type::F, &[], 0, None);
    let n = b.push(TraceOp::Phi, Type::I, &[], 0, None);
    let done = b.exit(&[x, n]);
    let less = b.op(TraceOp::FloatLt, &[x, limit]);
    b.guard(TraceOp::GuardTrue, &[less], done);
    let square = b.op(TraceOp::FloatMul, &[x, x]);
    let scale = b.float(1.5);
    let scaled = b.op(TraceOp::FloatMul, &[square, scale]);
    let root = b.guard(TraceOp::FloatSqrt, &[scaled], done);
    let quarter = b.float(0.25);
    let next = b.op(TraceOp::FloatAdd, &[root, quarter]);
    let one = b.int(1);
    let count = b.guard(TraceOp::IntAdd, &[n, one], done);
    b.op(TraceOp::Jump, &[]);
    b.tree.body = Some(b.finish(&[x, n], &[next, count]));
    let compiled = b.compile();

    let float = |f: f64| Word::try_float(f).unwrap().bits();
    let mut stage = Stage::new(&[float(1.0), float(1e9)]);
    assert_eq!(stage.run(&b.tree, &compiled), 1);
    let (mut x, mut n) = (1.0_f64, 0);
    while x < 1e9 {
        x = (x * x * 1.5).sqrt() + 0.25;
        n += 1;
    }
    assert_eq!((stage.buffer[0], stage.buffer[1]), (x.to_bits(), word(n)));

    stage.frame[0] = float(f64::NAN);
    assert_eq!(stage.run(&b.tree, &compiled), 1);
    assert_eq!(stage.buffer[1], word(0));
}

#[test]
fn floats_become_words() {
    for f in [0.0, -0.0, 1.5, f64::NAN, f64::INFINITY, -3e-5, 1e60] {
        let mut b = Builder::default();
        let failed = b.exit(&[]);
        let value = b.imm(TraceOp::LoadReg, &[], 0);
        let value = b.guard(TraceOp::GuardFloat, &[value], failed);
        let boxed = b.guard(TraceOp::BoxFloat, &[value], failed);
        let same = b.op(TraceOp::FloatEq, &[value, value]);
        let done = b.exit(&[value, boxed, same]);
        b.tree.entry = Some(b.leave(done));
        let compiled = b.compile();
        let immediate = Word::try_float(f).unwrap().bits();
        let mut stage = Stage::new(&[immediate]);
        assert_eq!(stage.run(&b.tree, &compiled), 1);
        assert_eq!(stage.buffer[..3], [f.to_bits(), immediate, Word::bool(!f.is_nan()).bits()], "{f}");
    }
}

#[test]
fn floats_that_are_no_words_leave() {
    for (f, exit) in [(1e30, 1), (1e40, 0), (1e-30, 1), (1e-60, 0)] {
        // The square.
        let mut b = Builder::default();
        let failed = b.exit(&[]);
        let value = b.imm(TraceOp::LoadReg, &[], 0);
        let value = b.guard(TraceOp::GuardFloat, &[value], failed);
        let square = b.op(TraceOp::FloatMul, &[value, value]);
        let boxed = b.guard(TraceOp::BoxFloat, &[square], failed);
        let done = b.exit(&[boxed]);
        b.tree.entry = Some(b.leave(done));
        let compiled = b.compile();
        let mut stage = Stage::new(&[Word::try_float(f).unwrap().bits()]);
        assert_eq!(
            (stage.run(&b.tree, &compiled), Word::try_float(f * f).is_some()),
            (exit, exit == 1),
            "{f}"
        );
    }
}

#[test]
fn ints_become_floats_where_that_is_exact() {
    for (i, exact) in [(0, true), (-7, true), ((1 << 53) - 1, true), (-(1 << 53), true), (1 << 54, false)] {
        let got = int_op(TraceOp::IntToFloat, &[i], None);
        assert_eq!(got, exact.then(|| (i as f64).to_bits()), "{i}");
    }
    assert_eq!(int_op(TraceOp::IntToFloat, &[-(1 << 53) - 1], None), None);
}

#[test]
fn division_by_zero_leaves() {
    for (divisor, left) in [(0.0, true), (-0.0, true), (2.0, false), (f64::NAN, false)] {
        let mut b = Builder::default();
        let failed = b.exit(&[]);
        let value = b.imm(TraceOp::LoadReg, &[], 0);
        let value = b.guard(TraceOp::GuardFloat, &[value], failed);
        let one = b.float(1.0);
        let quotient = b.guard(TraceOp::FloatDiv, &[one, value], failed);
        let done = b.exit(&[quotient]);
        b.tree.entry = Some(b.leave(done));
        let compiled = b.compile();
        let mut stage = Stage::new(&[Word::try_float(divisor).unwrap().bits()]);
        assert_eq!(stage.run(&b.tree, &compiled), u64::from(!left), "{divisor}");
        if !left {
            assert_eq!(f64::from_bits(stage.buffer[0]).is_nan(), divisor.is_nan());
        }
    }
}

/// `while i < n: i += 1 if i & 1 else 2`, whose second branch is a bridge.
fn with_bridge() -> Builder {
    let mut b = Builder::default();
    let start = b.exit(&[]);
    let i = b.imm(TraceOp::LoadReg, &[], 0);
    let i = b.guard(TraceOp::GuardInt, &[i], start);
    let n = b.imm(TraceOp::LoadReg, &[], 1);
    let n = b.guard(TraceOp::GuardInt, &[n], start);
    b.op(TraceOp::Jump, &[]);
    b.tree.entry = Some(b.finish(&[], &[i]));

    let i = b.push(TraceOp::Phi, Type::I, &[], 0, None);
    let done = b.exit(&[i]);
    let less = b.op(TraceOp::IntLt, &[i, n]);
    b.guard(TraceOp::GuardTrue, &[less], done);
    let one = b.int(1);
    let low = b.op(TraceOp::IntAnd, &[i, one]);
    let even = b.exit(&[i, low]);
    b.push(TraceOp::GuardIs, Type::No, &[low], word(1), Some(even));
    let next = b.guard(TraceOp::IntAdd, &[i, one], done);
    b.op(TraceOp::Jump, &[]);
    b.tree.body = Some(b.finish(&[i], &[next]));

    let two = b.int(2);
    let next = b.guard(TraceOp::IntAdd, &[i, two], done);
    b.op(TraceOp::Jump, &[]);
    let bridge = b.finish(&[], &[next]);
    b.tree.exits[even.0 as usize].bridge = Some(bridge);
    b
}

#[test]
fn a_bridge_goes_on_where_a_guard_fails() {
    let mut b = with_bridge();
    let mut stage = Stage::new(&[word(3), word(10)]);
    assert_eq!(
        {
            let compiled = b.compile();
            stage.run(&b.tree, &compiled)
        },
        1
    );
    assert_eq!(stage.buffer[0], word(10));
    for exit in &mut b.tree.exits {
        exit.bridge = None;
    }
    assert_eq!(
        {
            let compiled = b.compile();
            stage.run(&b.tree, &compiled)
        },
        2
    );
    assert_eq!(stage.buffer[..2], [word(4), word(0)]);
}

#[test]
fn restart_begins_at_the_entry() {
    // A loop that keeps all its state in memory: if r0 < r1: r0 += 1; restart.
    let mut b = Builder::default();
    let done = b.exit(&[]);
    let i = b.imm(TraceOp::LoadReg, &[], 0);
    let i = b.guard(TraceOp::GuardInt, &[i], done);
    let n = b.imm(TraceOp::LoadReg, &[], 1);
    let n = b.guard(TraceOp::GuardInt, &[n], done);
    let less = b.op(TraceOp::IntLt, &[i, n]);
    b.guard(TraceOp::GuardTrue, &[less], done);
    let one = b.int(1);
    let next = b.guard(TraceOp::IntAdd, &[i, one], done);
    b.imm(TraceOp::StoreReg, &[next], 0);
    b.op(TraceOp::Restart, &[]);
    b.tree.entry = Some(b.finish(&[], &[]));
    let mut stage = Stage::new(&[word(-5), word(37)]);
    assert_eq!(
        {
            let compiled = b.compile();
            stage.run(&b.tree, &compiled)
        },
        0
    );
    assert_eq!(stage.frame[0], word(37));
}

#[repr(align(16))]
struct Object([u64; 8]);

#[test]
fn objects_are_read_and_written() {
    let slot = Place::new(Class::Slot, 24).imm();
    let mut b = Builder::default();
    let failed = b.exit(&[]);
    let object = b.imm(TraceOp::LoadReg, &[], 0);
    let object = b.push(TraceOp::GuardShape, Type::W, &[object], 77, Some(failed));
    let value = b.imm(TraceOp::LoadField, &[object], slot);
    let value = b.guard(TraceOp::GuardInt, &[value], failed);
    let three = b.int(3);
    let product = b.guard(TraceOp::IntMul, &[value, three], failed);
    b.op(TraceOp::Barrier, &[object]);
    b.imm(TraceOp::StoreField, &[object, product], slot);
    b.imm(TraceOp::SetShape, &[object], 78);
    let index = b.imm(TraceOp::LoadReg, &[], 1);
    let index = b.guard(TraceOp::GuardInt, &[index], failed);
    let len = b.raw(4);
    let index = b.guard(TraceOp::CheckIndex, &[index, len], failed);
    let item = b.op(TraceOp::LoadElem, &[object, index]);
    let first = b.raw(0);
    b.op(TraceOp::StoreElem, &[object, first, item]);
    let done = b.exit(&[item, index]);
    b.tree.entry = Some(b.leave(done));
    let compiled = b.compile();

    let indices = [(1, Some(1)), (-1, Some(3)), (4, None), (-4, Some(0)), (-5, None)];
    // Each on an object of its own.
    for (compiled, (index, at)) in compiled.chunks(1).flat_map(|c| indices.map(|i| (c, i))) {
        let mut object = Object([77, 0, word(100), word(7), word(300), word(400), 0, 0]);
        let mut stage = Stage::new(&[object.0.as_mut_ptr() as u64, word(index)]);
        let exit = stage.run(&b.tree, compiled);
        assert_eq!(exit, u64::from(at.is_some()));
        assert_eq!((object.0[0], object.0[3]), (78, word(21)));
        if let Some(at) = at {
            let item = [word(100), word(21), word(300), word(400)][at];
            assert_eq!(stage.buffer[..2], [item, at as u64]);
            assert_eq!(object.0[2], item);
        }
    }
    let mut object = Object([76, 0, 0, word(7), 0, 0, 0, 0]);
    for value in
        [object.0.as_mut_ptr() as u64, Word::NONE.bits(), word(4), Word::try_float(2.5).unwrap().bits()]
    {
        assert_eq!(Stage::new(&[value, word(0)]).run(&b.tree, &compiled), 0);
    }
    assert_eq!(object.0[0], 76);
}

#[test]
fn objects_are_made_in_the_run_at_hand() {
    let kind = NewKind { shape: 0x1234_5678, size: 40, kind: 9, bits: 3 };
    let mut b = Builder::default();
    let failed = b.exit(&[]);
    let made = b.push(TraceOp::NewObject, Type::W, &[], kind.imm(), Some(failed));
    let done = b.exit(&[made]);
    b.tree.entry = Some(b.leave(done));
    let compiled = b.compile();

    let mut room = [Object([0; 8]), Object([0; 8])];
    let start = room.as_mut_ptr() as u64;
    let mut stage = Stage::new(&[]);
    *stage.vm_word(layout::VM_HEAP_CURSOR) = start;
    *stage.vm_word(layout::VM_HEAP_LIMIT) = start + 96;
    for n in 0..2 {
        assert_eq!(stage.run(&b.tree, &compiled), 1);
        assert_eq!(stage.buffer[0], start + 48 * n);
    }
    assert_eq!(*stage.vm_word(layout::VM_HEAP_CURSOR), start + 96);
    // SAFETY: the header that the code has written.
    let header = unsafe { &*(start as *const skein_heap::Header) };
    assert_eq!((header.shape.get(), header.gc.get()), (0x1234_5678, 0));
    assert_eq!((header.kind.get(), header.bits.get()), (9, 3));
}

#[test]
fn memory_of_code_is_accounted_for() {
    let mut machine = Machine::new().unwrap();
    let mut b = with_bridge();
    let first = machine.compile(&b.tree).unwrap();
    let second = machine.compile(&b.tree).unwrap();
    assert!(first.bytes > 0 && machine.bytes() == first.bytes + second.bytes);
    drop(first);
    assert_eq!(machine.bytes(), second.bytes);
    machine.set_most_bytes(1);
    assert!(machine.compile(&b.tree).is_err());
    // What breaks the rules is refused, not compiled to something.
    machine.set_most_bytes(1 << 20);
    b.tree.entry = None;
    assert!(machine.compile(&b.tree).is_err());
}
