//! Phis whose value never changes become that value.

use crate::ir::*;

/// Says whether there were any.
pub fn remove_unchanging(tree: &mut Tree) -> bool {
    let (Some(entry), Some(body)) = (tree.entry, tree.body) else { return false };
    let mut any = false;
    loop {
        let seq = tree.seq(body);
        let found = seq.phis.iter().enumerate().find_map(|(at, phi)| {
            let first = tree.seq(entry).jump_args[at];
            let same = |other: Id| {
                let mut other = other;
                while let Inst { op, args: [Some(of), ..], .. } = *tree.inst(other)
                    && op.gives_operand()
                {
                    if other == first {
                        break;
                    }
                    other = of;
                }
                other == *phi || other == first || is_same_constant(tree, other, first)
            };
            let jumps = tree.seqs.iter().filter(|s| !s.jump_args.is_empty());
            jumps.map(|s| s.jump_args[at]).all(same).then_some((at, *phi, first))
        });
        let Some((at, phi, first)) = found else { return any };
        any = true;
        for seq in &mut tree.seqs {
            if !seq.jump_args.is_empty() {
                seq.jump_args.remove(at);
            }
        }
        let seq = &mut tree.seqs[body.0 as usize];
        seq.phis.remove(at);
        seq.keys.remove(at);
        replace(tree, phi, first);
    }
}

fn is_same_constant(tree: &Tree, a: Id, b: Id) -> bool {
    tree.constant(a).is_some() && tree.constant(a) == tree.constant(b) && tree.inst(a).ty == tree.inst(b).ty
}

fn replace(tree: &mut Tree, old: Id, new: Id) {
    let swap = |id: &mut Id| {
        if *id == old {
            *id = new;
        }
    };
    for inst in &mut tree.insts {
        inst.args.iter_mut().flatten().for_each(swap);
    }
    for seq in &mut tree.seqs {
        seq.jump_args.iter_mut().for_each(swap);
        for key in &mut seq.keys {
            if let Target::Field(object, _) = key {
                swap(object);
            }
        }
    }
    for (_, source) in tree.virtuals.iter_mut().flat_map(|object| &mut object.fields) {
        if let Source::Value(id) = source {
            swap(id);
        }
    }
    for exit in &mut tree.exits {
        for (target, source) in &mut exit.writes {
            if let Target::Field(object, _) = target {
                swap(object);
            }
            if let Source::Value(id) = source {
                swap(id);
            }
        }
    }
}
