//! Time and bytes that compiling takes, on loops such as the optimizer leaves them.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skein_jit::ir::*;
use skein_jit::{CompileError, Compiled, Machine};
use std::hint::black_box;
use std::time::Duration;

/// A tree under construction.
#[derive(Default)]
struct Loop {
    tree: Tree,
    insts: Vec<Id>,
    /// The values that exits show: such as a frame's registers.
    shown: Vec<Id>,
}

impl Loop {
    fn push(&mut self, op: TraceOp, args: &[Id], imm: u64, exit: Option<ExitId>) -> Id {
        let mut all = [None; 3];
        for (to, &from) in all.iter_mut().zip(args) {
            *to = Some(from);
        }
        let id = self.tree.add(Inst { op, ty: op.info().result, args: all, imm, exit });
        self.insts.push(id);
        id
    }

    fn exit(&mut self) -> Option<ExitId> {
        let writes = self.shown.iter().enumerate();
        let writes = writes.map(|(i, &id)| (Target::Reg(i as i32), Source::Value(id))).collect();
        Some(self.tree.add_exit(Exit {
            kind: ExitKind::Resume,
            pc: 0,
            base: 0,
            writes,
            frames: 0,
            bridge: None,
        }))
    }

    fn guard(&mut self, op: TraceOp, args: &[Id], imm: u64) -> Id {
        let exit = self.exit();
        self.push(op, args, imm, exit)
    }

    fn finish(&mut self, phis: Vec<Id>, jump_args: Vec<Id>) -> SeqId {
        self.push(TraceOp::Jump, &[], 0, None);
        let insts = std::mem::take(&mut self.insts);
        self.tree.add_seq(Seq { phis, keys: Vec::new(), insts, jump_args })
    }
}

/// A loop of about so many ops, of which every fifth is a guard: attributes, ints, floats, elements.
fn loop_of(ops: usize, live: usize) -> Tree {
    let mut l = Loop::default();
    let object = l.push(TraceOp::LoadReg, &[], 0, None);
    let first = l.push(TraceOp::LoadReg, &[], 1, None);
    let object = l.guard(TraceOp::GuardShape, &[object], 55);
    let int = l.guard(TraceOp::GuardInt, &[first], 0);
    let word = l.push(TraceOp::LoadField, &[object], Place::new(Class::Slot, 16).imm(), None);
    let float = l.guard(TraceOp::GuardFloat, &[word], 0);
    l.tree.entry = Some(l.finish(Vec::new(), vec![int, float]));

    let phi = |l: &mut Loop, ty| {
        let id = l.push(TraceOp::Phi, &[], 0, None);
        l.tree.insts[id.0 as usize].ty = ty;
        id
    };
    let int = phi(&mut l, Type::I);
    let float = phi(&mut l, Type::F);
    let (mut i, mut f) = (int, float);
    let mut n = 0;
    while l.insts.len() < ops {
        l.shown.push(if n % 2 == 0 { i } else { f });
        if l.shown.len() > live {
            l.shown.remove(0);
        }
        let place = |slot: usize| Place::new(Class::Slot, 16 + 8 * slot).imm();
        match n % 4 {
            0 => {
                let word = l.push(TraceOp::LoadField, &[object], place(n % 7), None);
                let g = l.guard(TraceOp::GuardFloat, &[word], 0);
                let scaled = l.push(TraceOp::FloatMul, &[f, g], 0, None);
                f = l.push(TraceOp::FloatAdd, &[scaled, g], 0, None);
                let word = l.guard(TraceOp::BoxFloat, &[f], 0);
                l.push(TraceOp::StoreField, &[object, word], place(n % 5), None);
            }
            1 => {
                i = l.guard(TraceOp::IntAdd, &[i, int], 0);
                let raw = l.push(TraceOp::Untag, &[i], 0, None);
                let less = l.push(TraceOp::FloatLt, &[f, float], 0, None);
                l.guard(TraceOp::GuardTrue, &[less], 0);
                let word = l.push(TraceOp::LoadElem, &[object, raw], 0, None);
                l.push(TraceOp::StoreElem, &[object, raw, word], 0, None);
            }
            2 => {
                let inner = l.push(TraceOp::LoadField, &[object], place(n % 6), None);
                let inner = l.guard(TraceOp::GuardShape, &[inner], 60 + n as u64);
                let word = l.push(TraceOp::LoadField, &[inner], place(n % 3), None);
                let other = l.guard(TraceOp::GuardInt, &[word], 0);
                let both = l.push(TraceOp::IntXor, &[other, i], 0, None);
                i = l.push(TraceOp::IntAnd, &[both, i], 0, None);
                l.push(TraceOp::Barrier, &[inner], 0, None);
                l.push(TraceOp::StoreField, &[inner, i], place(n % 3), None);
            }
            _ => {
                let difference = l.push(TraceOp::FloatSub, &[f, float], 0, None);
                let square = l.push(TraceOp::FloatMul, &[difference, difference], 0, None);
                f = l.push(TraceOp::FloatAdd, &[square, f], 0, None);
                let less = l.push(TraceOp::IntLt, &[i, int], 0, None);
                l.guard(TraceOp::GuardFalse, &[less], 0);
            }
        }
        n += 1;
    }
    l.guard(TraceOp::Tick, &[], 20);
    l.tree.body = Some(l.finish(vec![int, float], vec![i, f]));
    l.tree
}

/// What the thread has used: other programs do not count.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists, and the struct is the caller's.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// One of the ways in which code is made.
type Way = fn(&mut Machine, &Tree) -> Result<Compiled, CompileError>;

fn compile(c: &mut Criterion) {
    let mut machine = Machine::new().expect("a code generator for this machine");
    let ways: [(&str, Way); 2] = [("quick", Machine::compile_quickly), ("thorough", Machine::compile)];
    for (name, way) in ways {
        let mut group = c.benchmark_group(name);
        for ops in [50, 200, 1000] {
            for live in [3, 8] {
                let tree = loop_of(ops, live);
                let count = tree.insts.len();
                let compiled = way(&mut machine, &tree).expect("the tree compiles");
                println!(
                    "{name}: {count} ops, {} exits of up to {live} values: {} bytes, {:.1} per op",
                    tree.exits.len(),
                    compiled.bytes,
                    compiled.bytes as f64 / count as f64
                );
                group.throughput(Throughput::Elements(count as u64));
                let id = BenchmarkId::new(format!("{live} live"), ops);
                group.bench_with_input(id, &tree, |b, tree| {
                    b.iter_custom(|rounds| {
                        let begun = processor_time();
                        for _ in 0..rounds {
                            black_box(way(&mut machine, black_box(tree))).expect("the tree compiles");
                        }
                        processor_time() - begun
                    });
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, compile);
criterion_main!(benches);
