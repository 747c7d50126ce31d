//! Removes what nothing needs: instructions, phis, and what jumps bring to them.
//! Guards stay.

use crate::ir::*;
use TraceOp::*;

pub fn remove_dead(tree: &mut Tree) {
    let mut mark = Mark { tree, needed: vec![false; tree.insts.len()], work: Vec::new() };
    for seq in [tree.entry, tree.body].into_iter().flatten() {
        mark.seq(seq);
    }
    mark.run();
    let needed = mark.needed;
    let live = |id: &Id| needed[id.0 as usize];
    let kept: Vec<bool> = match tree.body {
        Some(body) => tree.seq(body).phis.iter().map(live).collect(),
        None => Vec::new(),
    };
    for seq in &mut tree.seqs {
        seq.insts.retain(live);
        for list in [&mut seq.jump_args, &mut seq.phis] {
            keep(list, &kept);
        }
        keep(&mut seq.keys, &kept);
    }
}

fn keep<T>(list: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    list.retain(|_| kept.next().is_some_and(|kept| *kept));
}

fn note(needed: &mut [bool], work: &mut Vec<Id>, id: Id) {
    if !std::mem::replace(&mut needed[id.0 as usize], true) {
        work.push(id);
    }
}

struct Mark<'t> {
    tree: &'t Tree,
    needed: Vec<bool>,
    work: Vec<Id>,
}

impl Mark<'_> {
    /// Marks what a sequence does.
    fn seq(&mut self, seq: SeqId) {
        for &id in &self.tree.seq(seq).insts {
            let inst = self.tree.inst(id);
            let does = match inst.op.info().effect {
                Effect::Pure | Effect::Load | Effect::Alloc => false,
                // It leaves for want of a word, which nothing wants.
                Effect::Guard if inst.op == BoxFloat => false,
                Effect::Guard | Effect::Store | Effect::Call | Effect::End => true,
            };
            if does {
                self.value(id);
            }
        }
    }

    fn value(&mut self, id: Id) {
        note(&mut self.needed, &mut self.work, id);
    }

    fn run(&mut self) {
        while let Some(id) = self.work.pop() {
            let inst = self.tree.inst(id);
            if inst.op == Phi {
                self.phi(id);
            }
            for arg in inst.args.iter().flatten() {
                self.value(*arg);
            }
            let Some(exit) = inst.way_out() else { continue };
            let exit = self.tree.exit(exit);
            let (needed, work) = (&mut self.needed, &mut self.work);
            exit.each_value(self.tree, |id| note(needed, work, id));
            if let Some(bridge) = exit.bridge {
                self.seq(bridge);
            }
        }
    }

    /// What jumps bring for a phi.
    fn phi(&mut self, phi: Id) {
        let body = self.tree.seq(self.tree.body.expect("a phi is of a body"));
        let at = body.phis.iter().position(|p| *p == phi).expect("a phi of the body");
        if let Target::Field(object, _) = body.keys[at] {
            self.value(object);
        }
        for seq in &self.tree.seqs {
            if let Some(arg) = seq.jump_args.get(at) {
                self.value(*arg);
            }
        }
    }
}
