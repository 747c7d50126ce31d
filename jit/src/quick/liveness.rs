//! What each sequence wants: values of those that lead to it, and where each value is used next and last.

use crate::ir::{ExitId, Id, SeqId, TraceOp, Tree, Type};

/// No use.
pub const NEVER: u32 = u32::MAX;

/// What is known of a tree before its code is made.
pub struct Liveness<'a> {
    tree: &'a Tree,
    /// By `Id`: the value that it is another name of, as what a guard gives is.
    roots: Vec<Id>,
    /// By `Id` of a root: how often it is wanted, for anything.
    pub uses: Vec<u32>,
    /// By `ExitId`, of those in use: the values that it shows, by their names there.
    shown: Vec<Vec<Id>>,
    /// By `SeqId`: the values of other sequences that it wants, with those that its bridges want.
    needs: Vec<Option<Vec<Id>>>,
    /// What the body wants each time that it begins, besides its phis.
    pub invariants: Vec<Id>,

    // Of the sequence that was scanned last:
    /// Its instructions that have code.
    pub code: Vec<Id>,
    /// By `Id`: where it is an operand next, NEVER if nowhere.
    pub next: Vec<u32>,
    /// By `Id`: where it is wanted last: 2 * position for an operand, one more for an exit; 0: nowhere.
    pub last: Vec<u32>,
    /// By `Id`: the last position where it is an operand; 0: nowhere.
    pub last_operand: Vec<u32>,
    /// By position: what `next` is behind it, for each operand.
    behind: Vec<[u32; 3]>,
    /// Positions of calls, the last one first.
    pub calls: Vec<u32>,
    /// The sequence that was scanned last, if nothing of it has been passed.
    scanned: Option<SeqId>,
    /// By `Id`: the last collection that it is part of.
    marks: Vec<u32>,
    mark: u32,
}

/// Does code of the instruction lose the registers that a function may use?
pub fn is_call(op: TraceOp) -> bool {
    use TraceOp::*;
    matches!(op, Help | NativeNext | Native1 | Native2 | Native3 | CopySlice | NumberOp | FloatPow)
}

impl<'a> Liveness<'a> {
    pub fn new(tree: &'a Tree) -> Liveness<'a> {
        let count = tree.insts.len();
        let mut this = Liveness {
            tree,
            roots: (0..count as u32).map(Id).collect(),
            uses: vec![0; count],
            shown: vec![Vec::new(); tree.exits.len()],
            needs: vec![None; tree.seqs.len()],
            invariants: Vec::new(),
            code: Vec::new(),
            next: vec![NEVER; count],
            last: vec![0; count],
            last_operand: vec![0; count],
            behind: Vec::new(),
            calls: Vec::new(),
            scanned: None,
            marks: vec![0; count],
            mark: 0,
        };
        for (at, inst) in tree.insts.iter().enumerate() {
            if inst.op.gives_operand() || matches!(inst.op, TraceOp::FromRaw | TraceOp::ToRaw) {
                // An operand has a lower number, mostly; in a body a phi may not.
                if let Some(operand) = inst.args[0] {
                    this.roots[at] = operand;
                }
            }
        }
        for at in 0..count {
            let mut root = this.roots[at];
            while this.roots[root.0 as usize] != root {
                root = this.roots[root.0 as usize];
            }
            this.roots[at] = root;
        }
        this.count_uses();
        if let Some(body) = tree.body {
            // Without what its own jump takes along.
            let raw = this.find_needs(body);
            let phis = &tree.seq(body).phis;
            this.invariants = raw.into_iter().filter(|id| !phis.contains(id)).collect();
            // What the bridges of the body want is more by what their jumps take along.
            this.needs.fill(None);
        }
        this
    }

    /// Counts what is wanted, also by exits.
    fn count_uses(&mut self) {
        let tree = self.tree;
        let mut is_known = vec![false; tree.exits.len()];
        for seq in &tree.seqs {
            for &id in &seq.insts {
                let inst = tree.inst(id);
                if matches!(inst.op, TraceOp::FromRaw | TraceOp::ToRaw) {
                    continue;
                }
                for id in inst.args.iter().flatten() {
                    self.uses[self.roots[id.0 as usize].0 as usize] += 1;
                }
                let exit = inst.way_out().filter(|exit| tree.exit(*exit).bridge.is_none());
                let Some(exit) = exit else { continue };
                if !std::mem::replace(&mut is_known[exit.0 as usize], true) {
                    let exit_of = tree.exit(exit);
                    let mut shown = Vec::with_capacity(exit_of.writes.len());
                    self.mark += 1;
                    let (marks, mark) = (&mut self.marks, self.mark);
                    exit_of.each_value(tree, |id| {
                        let is_new = std::mem::replace(&mut marks[id.0 as usize], mark) != mark;
                        if is_new && tree.constant(id).is_none() {
                            shown.push(id);
                        }
                    });
                    for id in &shown {
                        self.uses[self.roots[id.0 as usize].0 as usize] += 1;
                    }
                    self.shown[exit.0 as usize] = shown;
                }
            }
            for id in &seq.jump_args {
                self.uses[self.roots[id.0 as usize].0 as usize] += 1;
            }
        }
    }

    pub fn root(&self, id: Id) -> Id {
        self.roots[id.0 as usize]
    }

    /// The values that the exit shows, by their names there.
    pub fn shown(&self, exit: ExitId) -> &[Id] {
        &self.shown[exit.0 as usize]
    }

    /// The values of other sequences that this one wants, constants aside.
    pub fn needs(&mut self, seq: SeqId) -> Vec<Id> {
        if let Some(known) = &self.needs[seq.0 as usize] {
            return known.clone();
        }
        let found = self.find_needs(seq);
        self.needs[seq.0 as usize] = Some(found.clone());
        found
    }

    fn find_needs(&mut self, seq: SeqId) -> Vec<Id> {
        let tree = self.tree;
        let mut all = Vec::new();
        for &id in &tree.seq(seq).insts {
            let inst = tree.inst(id);
            all.extend(inst.args.iter().flatten().map(|&id| self.root(id)));
            if let Some(exit) = inst.way_out() {
                match tree.exit(exit).bridge {
                    Some(bridge) => all.extend(self.needs(bridge)),
                    None => all.extend(self.shown[exit.0 as usize].iter().map(|&id| self.root(id))),
                }
            }
            if inst.op == TraceOp::Jump {
                all.extend(tree.seq(seq).jump_args.iter().map(|&id| self.root(id)));
                all.extend_from_slice(&self.invariants);
            }
        }
        // What the sequence makes itself, and what was found before, is marked.
        self.mark += 1;
        let own = tree.seq(seq);
        for &id in own.insts.iter().chain(&own.phis) {
            self.marks[id.0 as usize] = self.mark;
        }
        all.retain(|&id| {
            let is_new = self.marks[id.0 as usize] != self.mark && tree.inst(id).op != TraceOp::Const;
            self.marks[id.0 as usize] = self.mark;
            is_new
        });
        all
    }

    /// What is wanted where the instruction leaves.
    fn wanted_at_exit(&mut self, exit: ExitId, to: &mut Vec<Id>) {
        to.clear();
        match self.tree.exit(exit).bridge {
            Some(bridge) => {
                let needs = self.needs(bridge);
                to.extend(needs);
            }
            None => to.extend(self.shown[exit.0 as usize].iter().map(|&id| self.roots[id.0 as usize])),
        }
    }

    /// Looks through a sequence. Positions begin at 1.
    pub fn scan(&mut self, seq: SeqId) {
        if self.scanned.replace(seq) == Some(seq) {
            return;
        }
        let tree = self.tree;
        let sequence = tree.seq(seq);
        self.code.clear();
        let has_code = |&id: &Id| {
            let op = tree.inst(id).op;
            use TraceOp::*;
            !matches!(op, Const | Phi | FromExit | FromRaw | ToRaw)
        };
        self.code.extend(sequence.insts.iter().copied().filter(has_code));
        let mut wanted = Vec::new();
        // Forget what another sequence has left.
        for at in 0..self.code.len() {
            let inst = tree.inst(self.code[at]);
            wanted.clear();
            if let Some(exit) = inst.way_out() {
                self.wanted_at_exit(exit, &mut wanted);
            }
            wanted.push(self.code[at]);
            if inst.op == TraceOp::Jump {
                wanted.extend(sequence.jump_args.iter().map(|&id| self.roots[id.0 as usize]));
                wanted.extend_from_slice(&self.invariants);
            }
            wanted.extend(inst.args.iter().flatten().map(|&id| self.roots[id.0 as usize]));
            wanted.drain(..).for_each(|id| self.forget(id));
        }
        sequence.phis.iter().for_each(|&id| self.forget(id));
        self.calls.clear();
        self.behind.clear();
        self.behind.resize(self.code.len() + 1, [NEVER; 3]);
        for at in (0..self.code.len()).rev() {
            let position = at as u32 + 1;
            let inst = tree.inst(self.code[at]);
            if is_call(inst.op) {
                self.calls.push(position);
            }
            wanted.clear();
            if let Some(exit) = inst.way_out() {
                self.wanted_at_exit(exit, &mut wanted);
            }
            if inst.op == TraceOp::Jump {
                wanted.extend_from_slice(&self.invariants);
                for id in &sequence.jump_args {
                    let id = self.roots[id.0 as usize];
                    self.next[id.0 as usize] = position;
                    wanted.push(id);
                }
            }
            for id in &wanted {
                let last = &mut self.last[id.0 as usize];
                *last = (*last).max(2 * position + 1);
            }
            for (n, id) in inst.args.iter().enumerate() {
                let Some(id) = id else { continue };
                let id = self.roots[id.0 as usize];
                self.behind[position as usize][n] = self.next[id.0 as usize];
                self.next[id.0 as usize] = position;
                let last = &mut self.last[id.0 as usize];
                *last = (*last).max(2 * position);
                let last = &mut self.last_operand[id.0 as usize];
                *last = (*last).max(position);
            }
        }
    }

    /// The instruction at the position has its operands: they are wanted next at a later one.
    pub fn pass(&mut self, position: u32) {
        self.scanned = None;
        let inst = self.tree.inst(self.code[position as usize - 1]);
        for (n, id) in inst.args.iter().enumerate() {
            if let Some(id) = id {
                let next = self.behind[position as usize][n];
                // Of several like operands the first tells of the later ones.
                if next != position {
                    self.next[self.roots[id.0 as usize].0 as usize] = next;
                }
            }
        }
    }

    fn forget(&mut self, id: Id) {
        self.next[id.0 as usize] = NEVER;
        self.last[id.0 as usize] = 0;
        self.last_operand[id.0 as usize] = 0;
    }

    /// Is the value an operand behind the next call at or after the position?
    pub fn crosses_call(&mut self, id: Id, position: u32) -> bool {
        while self.calls.last().is_some_and(|&call| call < position) {
            self.calls.pop();
        }
        self.calls.last().is_some_and(|&call| self.last_operand[id.0 as usize] > call)
    }

    /// The constant that a root is, as registers have it: truth values are 0 or 1.
    pub fn constant(&self, id: Id) -> Option<u64> {
        let bits = self.tree.constant(id)?;
        Some(if self.tree.inst(id).ty == Type::B { bits & 1 } else { bits })
    }
}
