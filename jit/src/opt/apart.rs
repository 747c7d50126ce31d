//! A bridge as a tree of its own, for code that is added to code which its tree has already.
//!
//! It begins with what its exit shows in the buffer, and makes the objects that the code has done without up to there.
//! Nothing else is known: no guard of the tree's is taken for granted. Where the bridge comes to the loop's head it
//! writes the frame to memory and goes on at the tree's entry.

use super::close::restart;
use crate::ir::*;
use TraceOp::*;
use rustc_hash::FxHashMap as HashMap;

/// An exit of a tree as it was compiled.
pub struct Shown<'a> {
    pub tree: &'a Tree,
    pub exit: &'a Exit,
    /// Where in the buffer its values are.
    pub places: &'a [(Id, u32)],
}

/// A bridge of the tree that is recorded on.
pub struct Bridge<'a> {
    pub tree: &'a Tree,
    pub exit: ExitId,
    pub seq: SeqId,
    /// Instructions that were recorded; what comes behind them closed it.
    pub recorded: usize,
    /// The first exit that was made for it.
    pub first_exit: usize,
    /// None: it does not come to the loop's head.
    pub end: Option<&'a RoundEnd>,
}

/// Why a bridge cannot be a tree of its own.
pub type Tied = &'static str;

/// The bridge as a tree. Its exits are those of the bridge's tree from `first_exit` on, and behind them some of its own.
pub fn set_apart(bridge: &Bridge<'_>, shown: &Shown<'_>) -> Result<Tree, Tied> {
    let of = bridge.tree;
    let mut tree =
        Tree { lasting_shapes: of.lasting_shapes.clone(), families: of.families.clone(), ..Tree::default() };
    let seq = tree.add_seq(Seq::default());
    tree.entry = Some(seq);
    let mut apart = Apart {
        bridge,
        shown,
        tree,
        out: Vec::new(),
        map: vec![NOWHERE; of.insts.len()],
        params: HashMap::default(),
        places: HashMap::default(),
        objects: HashMap::default(),
        start: None,
    };
    apart.exits();
    apart.take_along()?;
    apart.copy()?;
    let end = bridge.end.map(|end| apart.end(end)).transpose()?;
    let Apart { mut tree, out, .. } = apart;
    tree.seqs[seq.0 as usize].insts = out;
    if let Some(end) = end {
        restart(&mut tree, seq, &end);
    }
    Ok(tree)
}

const NOWHERE: Id = Id(u32::MAX);

struct Apart<'a> {
    bridge: &'a Bridge<'a>,
    shown: &'a Shown<'a>,
    tree: Tree,
    out: Vec<Id>,
    /// By `Id` of the bridge's tree: the value here.
    map: Vec<Id>,
    /// Those that the exit shows.
    params: HashMap<Id, Id>,
    /// The same, by their words of the buffer.
    places: HashMap<u32, Id>,
    /// The objects that it describes, by their number.
    objects: HashMap<u32, Id>,
    /// The exit by which the bridge is left before it has begun.
    start: Option<ExitId>,
}

impl Apart<'_> {
    fn add(&mut self, op: TraceOp, ty: Type, args: &[Id], imm: u64, exit: Option<ExitId>) -> Id {
        let mut operands = [None; 3];
        operands.iter_mut().zip(args).for_each(|(to, from)| *to = Some(*from));
        let id = self.tree.add(Inst { op, ty, args: operands, imm, exit });
        self.out.push(id);
        id
    }

    /// The exits have the same numbers, from 0 on.
    fn exits(&mut self) {
        for exit in &self.bridge.tree.exits[self.bridge.first_exit..] {
            self.tree.exits.push(Exit { writes: Vec::new(), bridge: None, ..*exit });
        }
    }

    // ---- what the bridge begins with

    /// Brings what the bridge and its end use of its tree.
    fn take_along(&mut self) -> Result<(), Tied> {
        let of = self.bridge.tree;
        let insts = &of.seq(self.bridge.seq).insts[..self.bridge.recorded];
        let mut own = vec![false; of.insts.len()];
        let mut used = Vec::new();
        for &id in insts {
            let inst = of.inst(id);
            used.extend(inst.args.iter().flatten());
            own[id.0 as usize] = true;
            if let Some(exit) = inst.exit {
                of.exit(exit).each_value(of, |id| used.push(id));
            }
        }
        if let Some(end) = self.bridge.end {
            for (target, source) in &end.writes {
                used.extend(object_of(*target).into_iter().chain(value_of(*source)));
            }
        }
        for id in used {
            if !own[id.0 as usize] && self.map[id.0 as usize] == NOWHERE {
                self.map[id.0 as usize] = self.import(id)?;
            }
        }
        Ok(())
    }

    /// A value of the tree, as the exit shows it.
    fn import(&mut self, id: Id) -> Result<Id, Tied> {
        let of = self.bridge.tree;
        let inst = of.inst(id);
        if inst.op == Const {
            return Ok(self.add(Const, inst.ty, &[], inst.imm, None));
        }
        let writes = &of.exit(self.bridge.exit).writes;
        let written = |(_, source): &&(Target, Source)| *source == Source::Value(id);
        let registers = writes.iter().filter(|(target, _)| matches!(target, Target::Reg(_)));
        if let Some((target, _)) = registers.clone().find(written) {
            let shown = self.shown.exit.writes.iter().find(|(t, _)| t == target);
            return match (shown, target) {
                (Some((_, source)), _) => self.typed(*source, inst.ty),
                // Memory has it.
                (None, Target::Reg(reg)) => {
                    let word = self.add(ReloadReg, Type::W, &[], *reg as u64, None);
                    self.as_type(word, inst.ty)
                }
                (None, Target::Field(..)) => Err("a field is not shown"),
            };
        }
        // States of iterators are written in the same order, but for those of objects that the exit makes.
        let exit_at =
            |target| self.shown.exit.writes.iter().find(|(t, _)| *t == target).map(|(_, source)| *source);
        let made = |object: Id| {
            let (register, _) = registers.clone().find(|(_, source)| *source == Source::Value(object))?;
            match exit_at(*register)? {
                Source::Virtual(number) => Some(&self.shown.tree.virtuals[number as usize]),
                _ => None,
            }
        };
        let (recorded, mut shown) = (fields(of.exit(self.bridge.exit)), fields(self.shown.exit).into_iter());
        let mut found = None;
        for (object, off, source) in recorded {
            let (shown_object, shown_source) = match made(object) {
                Some(made) => (None, made.fields.iter().find(|(o, _)| *o == off).map(|(_, source)| *source)),
                None => {
                    let (object, o, source) =
                        shown.next().ok_or("the state of an object that is not made")?;
                    if o != off {
                        return Err("the state of another object");
                    }
                    (Some(Source::Value(object)), Some(source))
                }
            };
            if object == id {
                found = found.or(shown_object);
            }
            if source == Source::Value(id) {
                found = found.or(shown_source);
            }
        }
        if shown.next().is_some() {
            return Err("the state of more objects");
        }
        self.typed(found.ok_or("a value that the exit does not show")?, inst.ty)
    }

    fn typed(&mut self, source: Source, ty: Type) -> Result<Id, Tied> {
        let id = self.source(source)?;
        self.as_type(id, ty)
    }

    /// What the exit shows.
    fn source(&mut self, source: Source) -> Result<Id, Tied> {
        match source {
            Source::Value(id) => self.param(id),
            Source::Word(word) => {
                let ty = if word & 3 == 1 { Type::I } else { Type::W };
                Ok(self.add(Const, ty, &[], word, None))
            }
            Source::Virtual(number) => self.object(number),
            Source::Base(_) => Err("an address of a frame"),
        }
    }

    fn param(&mut self, id: Id) -> Result<Id, Tied> {
        if let Some(param) = self.params.get(&id) {
            return Ok(*param);
        }
        let inst = self.shown.tree.inst(id);
        // Truth values are shown as words.
        let ty = if inst.ty == Type::B { Type::W } else { inst.ty };
        let param = match self.shown.tree.constant(id) {
            Some(bits) if inst.ty == Type::B => {
                let word = skein_runtime::value::Value::bool(bits != 0).bits();
                self.add(Const, Type::W, &[], word, None)
            }
            Some(bits) => self.add(Const, ty, &[], bits, None),
            None => {
                let place = self.shown.places.iter().find(|(shown, _)| *shown == id);
                let (_, place) = *place.ok_or("a value that has no place")?;
                // Two names of one value may have one place.
                match self.places.get(&place) {
                    Some(&param) if self.tree.inst(param).ty == ty => param,
                    Some(_) => return Err("a value of two types"),
                    None => {
                        let param = self.add(FromExit, ty, &[], u64::from(place), None);
                        self.places.insert(place, param);
                        param
                    }
                }
            }
        };
        self.params.insert(id, param);
        Ok(param)
    }

    fn as_type(&mut self, id: Id, wanted: Type) -> Result<Id, Tied> {
        let op = match (self.tree.inst(id).ty, wanted) {
            (given, wanted) if given == wanted => return Ok(id),
            (Type::I, Type::W) => return Ok(id),
            (Type::F, Type::W) => BoxFloat,
            (Type::W, Type::I) => GuardInt,
            (Type::W, Type::F) => GuardFloat,
            (Type::W, Type::B) => {
                let truth = skein_runtime::value::Value::TRUE.bits();
                let truth = self.add(Const, Type::W, &[], truth, None);
                return Ok(self.add(Same, Type::B, &[id, truth], 0, None));
            }
            _ => return Err("a value of another type"),
        };
        let start = self.start()?;
        Ok(self.add(op, wanted, &[id], 0, Some(start)))
    }

    /// An object that the code did without, with all that it holds.
    fn object(&mut self, number: u32) -> Result<Id, Tied> {
        if let Some(object) = self.objects.get(&number) {
            return Ok(*object);
        }
        let start = self.start()?;
        let Virtual { kind, fields } = &self.shown.tree.virtuals[number as usize];
        let object = self.add(NewObject, Type::W, &[], kind.imm(), Some(start));
        self.objects.insert(number, object);
        for (off, source) in fields {
            let held = self.source(*source)?;
            let is_raw = self.tree.inst(held).ty == Type::R;
            let held = if is_raw { held } else { self.as_type(held, Type::W)? };
            self.add(Barrier, Type::No, &[object], 0, None);
            let op = if is_raw { StoreRaw } else { StoreField };
            // Nothing has looked at the object before: any class does.
            let place = Place::new(Class::Fixed, *off as usize).imm();
            self.add(op, Type::No, &[object, held], place, None);
        }
        Ok(object)
    }

    /// The exit, as the exit of this tree's beginning.
    fn start(&mut self) -> Result<ExitId, Tied> {
        if let Some(start) = self.start {
            return Ok(start);
        }
        let mut described = HashMap::default();
        let mut writes = Vec::new();
        for (target, source) in &self.shown.exit.writes {
            let target = match *target {
                Target::Field(object, off) => Target::Field(self.param(object)?, off),
                target => target,
            };
            writes.push((target, self.describe(*source, &mut described)?));
        }
        let start = self.tree.add_exit(Exit { writes, bridge: None, ..*self.shown.exit });
        self.start = Some(start);
        Ok(start)
    }

    fn describe(&mut self, source: Source, described: &mut HashMap<u32, u32>) -> Result<Source, Tied> {
        Ok(match source {
            Source::Value(id) => Source::Value(self.param(id)?),
            Source::Virtual(number) => {
                if let Some(number) = described.get(&number) {
                    return Ok(Source::Virtual(*number));
                }
                let new = self.tree.virtuals.len();
                described.insert(number, new as u32);
                let Virtual { kind, fields } = &self.shown.tree.virtuals[number as usize];
                self.tree.virtuals.push(Virtual { kind: *kind, fields: Vec::new() });
                for (off, source) in fields {
                    let held = self.describe(*source, described)?;
                    self.tree.virtuals[new].fields.push((*off, held));
                }
                Source::Virtual(new as u32)
            }
            source => source,
        })
    }

    // ---- the bridge itself

    fn copy(&mut self) -> Result<(), Tied> {
        let of = self.bridge.tree;
        let mut calls = HashMap::default();
        let mut done = vec![false; self.tree.exits.len()];
        for &id in &of.seq(self.bridge.seq).insts[..self.bridge.recorded] {
            let mut inst = *of.inst(id);
            for arg in inst.args.iter_mut().flatten() {
                *arg = self.map[arg.0 as usize];
            }
            match inst.op {
                Help | GuardNext | Publish | NativeNext | Native1 | Native2 | Native3 => {
                    let number = *calls.entry(inst.imm).or_insert_with(|| {
                        self.tree.calls.push(of.calls[inst.imm as usize]);
                        self.tree.calls.len() as u64 - 1
                    });
                    inst.imm = number;
                }
                // What stood there at the loop's head still does.
                LoadReg => inst.op = ReloadReg,
                LoadState | LoadHeld => return Err("what was at the loop's head"),
                _ => {}
            }
            if let Some(exit) = inst.exit {
                let at =
                    (exit.0 as usize).checked_sub(self.bridge.first_exit).ok_or("an exit of the tree's")?;
                inst.exit = Some(ExitId(at as u32));
                if !std::mem::replace(&mut done[at], true) {
                    self.tree.exits[at].writes = self.writes(&of.exit(exit).writes);
                }
            }
            let new = self.tree.add(inst);
            self.map[id.0 as usize] = new;
            self.out.push(new);
        }
        Ok(())
    }

    fn writes(&self, writes: &[(Target, Source)]) -> Vec<(Target, Source)> {
        let write = |(target, source): &(Target, Source)| {
            let target = match *target {
                Target::Field(object, off) => Target::Field(self.map[object.0 as usize], off),
                target => target,
            };
            let source = match *source {
                Source::Value(id) => Source::Value(self.map[id.0 as usize]),
                source => source,
            };
            (target, source)
        };
        writes.iter().map(write).collect()
    }

    fn end(&self, end: &RoundEnd) -> Result<RoundEnd, Tied> {
        Ok(RoundEnd { writes: self.writes(&end.writes), known: Vec::new(), pc: end.pc, base: end.base })
    }
}

/// The states of iterators that the exit writes.
fn fields(of: &Exit) -> Vec<(Id, u32, Source)> {
    let field = |(target, source): &(Target, Source)| match *target {
        Target::Field(object, off) => Some((object, off, *source)),
        Target::Reg(_) => None,
    };
    of.writes.iter().filter_map(field).collect()
}

fn object_of(target: Target) -> Option<Id> {
    match target {
        Target::Field(object, _) => Some(object),
        Target::Reg(_) => None,
    }
}

fn value_of(source: Source) -> Option<Id> {
    match source {
        Source::Value(id) => Some(id),
        _ => None,
    }
}
