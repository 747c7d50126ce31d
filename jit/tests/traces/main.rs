//! Random trees: their machine code does what the reference does, to the last word of memory.
//!
//! `SKEIN_TRACES` says how many trees, `SKEIN_SEED` from which seed on; a failure names the seed of its tree.

mod maker;
mod world;

use maker::Maker;
use skein_jit::ir::*;
use skein_jit::{CompileError, Compiled, Machine, layout, opt, reference, verify};
use world::{BEFORE, FRAME_AT, Random, World};

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn machine_code_does_what_the_reference_does() {
    compiled_trees(|machine, tree| machine.compile(tree));
}

#[test]
fn quick_code_does_what_the_reference_does() {
    compiled_trees(|machine, tree| machine.compile_quickly(tree));
}

#[test]
fn quick_code_of_an_optimized_tree_does_too() {
    compiled_trees(|machine, tree| {
        let mut optimized = tree.clone();
        opt::optimize(&mut optimized);
        *tree = optimized;
        machine.compile_quickly(tree)
    });
}

/// A tree without its bridges, or a bridge of its own, as it was compiled.
struct Part {
    tree: Tree,
    compiled: Compiled,
    /// Its first exit in the whole tree, and how many of its exits that has.
    first_exit: usize,
    shared: usize,
}

/// Exits of a part have numbers from this times the part's number on.
const PART: u64 = 10_000;

#[test]
fn bridges_that_join_code_do_what_the_reference_does() {
    let (count, first) = (variable("SKEIN_TRACES", 3000), variable("SKEIN_SEED", 1));
    let mut machine = Machine::new().expect("a code generator for this machine");
    let mut world = World::new();
    let (mut joined, mut left, mut tied) = (0, 0, 0);
    for seed in first..first + count {
        let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let (tree, bridges) = Maker::new(&mut random, &world).apart();
        let Some(&(_, first_seq, own)) = bridges.first() else { continue };
        let mut main = tree.clone();
        main.seqs.truncate(first_seq.0 as usize);
        main.exits.truncate(own);
        main.exits.iter_mut().for_each(|exit| exit.bridge = None);
        opt::optimize(&mut main);
        let compiled = machine.compile_quickly(&main).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{main}"));
        if !compiled.takes_bridges() {
            println!("skipped: no code is made quickly for this machine");
            return;
        }
        let mut parts = vec![Part { tree: main, compiled, first_exit: 0, shared: own }];
        for &(exit, seq, first_exit) in &bridges {
            let at = parts.iter().rposition(|part| part.first_exit <= exit.0 as usize).unwrap();
            let part = &parts[at];
            let own = ExitId(exit.0 - part.first_exit as u32);
            let recorded = tree.seq(seq).insts.len();
            let bridge = opt::Bridge { tree: &tree, exit, seq, recorded, first_exit, end: None };
            let places = part.compiled.places.shown(own);
            let shown = opt::Shown { tree: &part.tree, exit: part.tree.exit(own), places };
            let shared = tree.exits.len() - first_exit;
            let Ok(mut apart) = opt::set_apart(&bridge, &shown) else {
                // Its code never leaves there, or has nothing to show: that goes for what hangs on it, too.
                tied += 1;
                break;
            };
            if let Err(e) = verify::verify(&apart) {
                panic!("seed {seed}: {e}\n{tree}\n{apart}");
            }
            opt::optimize(&mut apart);
            let number = (PART * parts.len() as u64) as u32;
            let compiled = machine.compile_bridge(&apart, &part.compiled, number, i64::MAX).unwrap();
            part.compiled.lead_to((PART * at as u64) as u32 + own.0, &compiled);
            joined += 1;
            parts.push(Part { tree: apart, compiled, first_exit, shared });
        }
        for run in 0..4 {
            world.fill(&mut random);
            let before = world.lines.clone();
            // SAFETY: the maker lets trees touch the world's memory only.
            let wanted =
                world.outcome(&tree, |vm, base, buffer| unsafe { reference::run(&tree, vm, base, buffer) });
            world.lines.copy_from_slice(&before);
            world.buffer.fill(0);
            let start = world.lines.as_mut_ptr().cast::<u64>();
            let base = start.wrapping_add(FRAME_AT + BEFORE);
            // SAFETY: as above.
            let number =
                unsafe { (parts[0].compiled.entry)(start.cast(), base.cast(), world.buffer.as_mut_ptr()) };
            let (at, own) = ((number / PART) as usize, (number % PART) as usize);
            let part = &parts[at];
            left += u64::from(at > 0);
            let global = (part.first_exit + own) as u64;
            // A bridge that could not be set apart, or could not begin: the reference goes on with it.
            if own >= part.shared || tree.exit(ExitId(global as u32)).bridge.is_some() {
                continue;
            }
            let own = ExitId(own as u32);
            let places: Vec<(Id, u32)> = part.compiled.places.shown(own).to_vec();
            let buffer = world.buffer.clone();
            let shown = |id: Id| buffer[places.iter().find(|(shown, _)| *shown == id).unwrap().1 as usize];
            let got = world.settle(&part.tree, own, global, &shown);
            if got != wanted {
                let differ = got.iter().zip(&wanted).enumerate().filter(|(_, (g, w))| g != w);
                let differ: Vec<_> = differ.map(|(i, (g, w))| format!("{i}: {g:#x}, not {w:#x}")).collect();
                panic!("seed {seed}, run {run}: {differ:#?}\n{tree}\n{}", part.tree);
            }
        }
    }
    println!("{joined} bridges joined, {left} runs ended in one, {tied} were tied to their trees");
    assert!(left > count / 10 && tied < joined, "hardly any bridge runs");
}

/// Compares what machine code of random trees does with what the reference does.
fn compiled_trees(compile: impl Fn(&mut Machine, &mut Tree) -> Result<Compiled, CompileError>) {
    let (count, first) = (variable("SKEIN_TRACES", 3000), variable("SKEIN_SEED", 1));
    let mut machine = Machine::new().expect("a code generator for this machine");
    let mut world = World::new();
    let mut rounds = 0;
    for seed in first..first + count {
        let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let mut tree = Maker::new(&mut random, &world).tree();
        let compiled = match compile(&mut machine, &mut tree) {
            Ok(compiled) => compiled,
            Err(e) => panic!("seed {seed}: {e}\n{tree}"),
        };
        for run in 0..4 {
            world.fill(&mut random);
            let before = world.lines.clone();
            // SAFETY: the maker lets trees touch the world's memory only.
            let wanted =
                world.run(&tree, None, |vm, base, buffer| unsafe { reference::run(&tree, vm, base, buffer) });
            world.lines.copy_from_slice(&before);
            // SAFETY: as above.
            let got = world.run(&tree, Some(&compiled.places), |vm, base, buffer| unsafe {
                (compiled.entry)(vm, base, buffer)
            });
            rounds += before[layout::VM_TICKS as usize / 16].0[layout::VM_TICKS as usize / 8 % 2]
                - world.lines[layout::VM_TICKS as usize / 16].0[layout::VM_TICKS as usize / 8 % 2];
            if got != wanted {
                let differ = got.iter().zip(&wanted).enumerate().filter(|(_, (g, w))| g != w);
                let differ: Vec<_> = differ.map(|(i, (g, w))| format!("{i}: {g:#x}, not {w:#x}")).collect();
                panic!("seed {seed}, run {run}: {differ:#?}\n{tree}");
            }
        }
    }
    println!("{count} traces, {rounds} ticks");
    assert!(rounds > count, "the traces hardly run");
}

#[test]
fn an_optimized_tree_does_what_it_did() {
    let (count, first) = (variable("SKEIN_TRACES", 3000), variable("SKEIN_SEED", 1));
    let mut world = World::new();
    let mut gone = 0;
    for seed in first..first + count {
        let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let tree = Maker::new(&mut random, &world).tree();
        if let Err(e) = verify::verify(&tree) {
            panic!("seed {seed}: {e}\n{tree}");
        }
        let mut optimized = tree.clone();
        opt::optimize(&mut optimized);
        if let Err(e) = verify::verify(&optimized) {
            panic!("seed {seed}: {e}\n{tree}\n{optimized}");
        }
        let size = |tree: &Tree| tree.seqs.iter().map(|seq| seq.insts.len()).sum::<usize>();
        gone += size(&tree).saturating_sub(size(&optimized));
        for run in 0..4 {
            world.fill(&mut random);
            let before = world.lines.clone();
            // SAFETY: the maker lets trees touch the world's memory only.
            let wanted =
                world.outcome(&tree, |vm, base, buffer| unsafe { reference::run(&tree, vm, base, buffer) });
            world.lines.copy_from_slice(&before);
            // SAFETY: as above.
            let got = world.outcome(&optimized, |vm, base, buffer| unsafe {
                reference::run(&optimized, vm, base, buffer)
            });
            if got != wanted {
                let differ = got.iter().zip(&wanted).enumerate().filter(|(_, (g, w))| g != w);
                let differ: Vec<_> = differ.map(|(i, (g, w))| format!("{i}: {g:#x}, not {w:#x}")).collect();
                panic!("seed {seed}, run {run}: {differ:#?}\n{tree}\n{optimized}");
            }
        }
    }
    assert!(gone as u64 > count, "hardly anything is made better");
}
