//! The verifier of trees. What holds of every tree:
//!
//! - The last instruction of a sequence ends it, and no other does.
//! - A value is defined once, and before its uses: earlier in the sequence, or in those that lead to it. The whole
//!   entry leads to the body; what stands before an exit leads to the exit's bridge.
//! - Operands and results have the types of the op table; an `I` stands for a `W` too.
//! - An instruction has an exit exactly if its op can leave the trace.
//! - Only the body has phis, one for each key, and every `jump` brings as many values, of their types. Only the body
//!   and what comes from it jumps, and the entry's end.
//! - Exits, calls, places and kinds of objects exist. Keys and the objects that an exit writes to are words.

use crate::ir::*;

/// Says what is wrong with the tree, if anything.
pub fn verify(tree: &Tree) -> Result<(), String> {
    let entry = tree.entry.ok_or("a tree has an entry")?;
    let mut check = Check {
        tree,
        defined: vec![false; tree.insts.len()],
        placed: vec![false; tree.insts.len()],
        bridges: Vec::new(),
    };
    check.seq(entry, false)?;
    if let Some(body) = tree.body {
        check.seq(body, true)?;
    }
    Ok(())
}

struct Check<'t> {
    tree: &'t Tree,
    defined: Vec<bool>,
    /// Stands in a sequence.
    placed: Vec<bool>,
    /// Bridges that were looked at: with what is defined at the first instruction that has the exit.
    bridges: Vec<SeqId>,
}

impl Check<'_> {
    fn seq(&mut self, id: SeqId, in_body: bool) -> Result<(), String> {
        let tree = self.tree;
        let seq = tree.seqs.get(id.0 as usize).ok_or(format!("sequence {} does not exist", id.0))?;
        if seq.phis.len() != seq.keys.len() {
            return Err("each phi has its key".to_owned());
        }
        if !seq.phis.is_empty() && Some(id) != tree.body {
            return Err("only the body has phis".to_owned());
        }
        for &phi in &seq.phis {
            if tree.inst(phi).op != TraceOp::Phi {
                return Err(format!("{phi} is no phi"));
            }
            self.define(phi)?;
        }
        for key in &seq.keys {
            self.target(*key)?;
        }
        let mut added = seq.phis.clone();
        let (&last, insts) = seq.insts.split_last().ok_or("a sequence is empty")?;
        for &inst in insts {
            if tree.inst(inst).op.info().effect == Effect::End {
                return Err(format!("{} in the middle of a sequence", tree.inst(inst).op.info().text));
            }
            self.inst(inst, in_body)?;
            added.push(inst);
        }
        self.inst(last, in_body)?;
        match tree.inst(last).op {
            TraceOp::Jump => self.jump(seq, in_body || Some(id) == tree.entry)?,
            op if op.info().effect == Effect::End => {}
            _ => return Err("a sequence has no end".to_owned()),
        }
        // The whole entry leads to the body.
        if Some(id) != tree.entry {
            for id in added {
                self.defined[id.0 as usize] = false;
            }
        }
        Ok(())
    }

    fn define(&mut self, id: Id) -> Result<(), String> {
        let slot = self.placed.get_mut(id.0 as usize).ok_or(format!("{id} does not exist"))?;
        if std::mem::replace(slot, true) {
            return Err(format!("{id} is defined twice"));
        }
        self.defined[id.0 as usize] = true;
        Ok(())
    }

    fn value(&self, id: Id, wanted: Type, user: &dyn std::fmt::Display) -> Result<(), String> {
        if !self.defined.get(id.0 as usize).is_some_and(|d| *d) {
            return Err(format!("{id} is not defined where {user} uses it"));
        }
        let ty = self.tree.inst(id).ty;
        let good = match wanted {
            Type::Any => ty != Type::No,
            Type::W => matches!(ty, Type::W | Type::I),
            _ => ty == wanted,
        };
        if good { Ok(()) } else { Err(format!("{user} wants {id} as {wanted:?}, it is {ty:?}")) }
    }

    fn is_raw(&self, id: Id) -> bool {
        self.tree.insts.get(id.0 as usize).is_some_and(|inst| inst.ty == Type::R)
    }

    fn target(&self, target: Target) -> Result<(), String> {
        match target {
            Target::Reg(_) => Ok(()),
            Target::Field(object, _) => self.value(object, Type::W, &target),
        }
    }

    fn inst(&mut self, id: Id, in_body: bool) -> Result<(), String> {
        let tree = self.tree;
        let inst = *tree.insts.get(id.0 as usize).ok_or(format!("{id} does not exist"))?;
        let info = inst.op.info();
        if inst.op == TraceOp::Phi {
            return Err(format!("{id}: a phi in the middle of a sequence"));
        }
        for (at, arg) in inst.args.iter().enumerate() {
            match (info.operands.get(at), arg) {
                (Some(Type::W), Some(arg)) if inst.op == TraceOp::StoreReg && self.is_raw(*arg) => {
                    self.value(*arg, Type::R, &id)?;
                }
                (None, None) => {}
                (Some(&wanted), Some(arg)) => {
                    self.value(*arg, wanted, &format_args!("{id} ({})", info.text))?
                }
                _ => return Err(format!("{id}: {} has {} operands", info.text, info.operands.len())),
            }
        }
        if inst.ty != info.result && (info.result != Type::Any || inst.ty == Type::No) {
            return Err(format!("{id}: {} gives {:?}, not {:?}", info.text, info.result, inst.ty));
        }
        if inst.op.has_exit() != inst.exit.is_some() {
            return Err(format!(
                "{id}: {} {} exit",
                info.text,
                if inst.exit.is_some() { "has no" } else { "wants an" }
            ));
        }
        use TraceOp::*;
        let fits = match inst.op {
            Help | GuardNext | Publish | NativeNext | Native1 | Native2 | Native3 => {
                inst.imm < tree.calls.len() as u64
            }
            GuardFamily => tree.families.get(inst.imm as usize).is_some_and(|f| !f.is_empty()),
            LoadField | StoreField | LoadRaw | LoadState | LoadHeld | StoreRaw | LoadElem | StoreElem => {
                inst.imm >> 32 < Place::ALL_CLASSES.len() as u64
            }
            NewObject => {
                let size = NewKind::from_imm(inst.imm).size;
                (8..=2048).contains(&size) && size.is_multiple_of(8)
            }
            _ => true,
        };
        if !fits {
            return Err(format!("{id}: the immediate of {} is wrong", info.text));
        }
        if let Some(exit) = inst.way_out() {
            let exit = tree.exits.get(exit.0 as usize).ok_or(format!("{id}: its exit does not exist"))?;
            for (target, _) in &exit.writes {
                self.target(*target)?;
            }
            for v in exit.live(tree) {
                self.value(v, Type::Any, &format_args!("the exit of {id}"))?;
            }
            if let Some(bridge) = exit.bridge.filter(|bridge| !self.bridges.contains(bridge)) {
                self.bridges.push(bridge);
                self.seq(bridge, in_body)?;
            }
        }
        self.define(id)
    }

    fn jump(&self, seq: &Seq, allowed: bool) -> Result<(), String> {
        let body = self.tree.seq(self.tree.body.ok_or("a jump to no body")?);
        if !allowed {
            return Err("a jump to the body from where not all of the entry was run".to_owned());
        }
        if seq.jump_args.len() != body.phis.len() {
            return Err(format!("a jump with {} values for {} phis", seq.jump_args.len(), body.phis.len()));
        }
        for (arg, phi) in seq.jump_args.iter().zip(&body.phis) {
            self.value(*arg, self.tree.inst(*phi).ty, &format_args!("the jump to {phi}"))?;
        }
        Ok(())
    }
}
