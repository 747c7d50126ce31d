//! Classes whose instances come in several shapes: some have an attribute that others get later, or never.
//!
//! A guard of the very shape would split what follows in two at each such object. So where a trace is often left by one, the
//! shapes become a family, the trace is recorded anew, and its guards let the whole family pass, as long as that is the
//! same for the attribute that is wanted.

use super::Recorder;
use super::memory::name_in_cache;
use crate::ir::{ExitId, Id, TraceOp, Tree};
use rustc_hash::FxHashMap;
use skein_bytecode::Op;
use skein_runtime::interp::At;
use skein_runtime::object::Ref;
use skein_runtime::shape::{Shape, ShapeId};
use skein_runtime::types::str::Str;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;
use std::rc::Rc;

/// The families, by each of their shapes.
pub type Families = FxHashMap<ShapeId, Rc<[ShapeId]>>;

/// Shapes of a family at most.
const MOST: usize = 6;

/// Is the attribute in the same place in all shapes of the family as in this one, or in none?
fn agree(vm: &Vm, family: &[ShapeId], shape: ShapeId, name: Ref<Str>) -> bool {
    let slot = vm.shapes.get(shape).slot(name);
    family.iter().all(|id| vm.shapes.get(*id).slot(name) == slot)
}

/// May the shapes be of one family? A class that has found out how many attributes its instances get makes them larger
/// from then on; the smaller ones are all there will be.
fn are_alike(a: &Shape, b: &Shape) -> bool {
    a.ty == b.ty && a.inline_cap == b.inline_cap && !a.is_dict && !b.is_dict
}

/// The object that the instruction wants an attribute of, and the name.
fn wanted_of(at: At) -> Option<(Value, Ref<Str>)> {
    // SAFETY: an instruction's address.
    let op = Op::from_u8(unsafe { *at.pc.cast::<u8>() })?;
    let register = match op {
        Op::LoadAttr | Op::LoadAttrSlot | Op::LoadAttrOverflow | Op::LoadMethod | Op::LoadMethodCached => {
            at.b()
        }
        Op::StoreAttr | Op::StoreAttrSlot => at.a(),
        _ => return None,
    };
    Some((at.reg(register), name_in_cache(at)))
}

/// The trace has been left often by this exit, to the instruction at `at`. Was it by a guard of a shape that the object
/// there has no more, or which need not be told from its own? Then they are of one family from now on, and a trace that is
/// recorded anew is a better one than a bridge.
pub fn unite(vm: &Vm, families: &mut Families, tree: &Tree, exit: ExitId, at: At) -> bool {
    let Some((v, name)) = wanted_of(at) else { return false };
    let Some(shape) = v.header().map(|h| h.shape.get()) else { return false };
    let like = vm.shapes.get(shape);
    let mut all = families.get(&shape).map_or(vec![shape], |family| family.to_vec());
    let is_new = like.inline_cap == vm.shapes.get(like.ty.get().root_shape_id()).inline_cap;
    let (mut guarded, mut outdated) = (false, false);
    for inst in tree.insts.iter().filter(|inst| inst.exit == Some(exit)) {
        let own = [inst.imm as ShapeId];
        let passes = match inst.op {
            TraceOp::GuardShape => &own[..],
            TraceOp::GuardFamily => tree.family(inst),
            _ => continue,
        };
        let others = || passes.iter().map(|id| vm.shapes.get(*id));
        outdated |= is_new && others().all(|s| s.ty == like.ty && s.inline_cap != like.inline_cap);
        if passes.contains(&shape) || !others().all(|s| are_alike(s, like)) {
            continue;
        }
        guarded = true;
        all.extend(passes);
        all.extend(passes.iter().filter_map(|id| families.get(id)).flat_map(|family| &**family));
    }
    all.sort();
    all.dedup();
    if !guarded || all.len() > MOST || !agree(vm, &all, shape, name) {
        return outdated;
    }
    let family: Rc<[ShapeId]> = all.into();
    for id in &*family {
        families.insert(*id, family.clone());
    }
    true
}

impl Recorder {
    /// The value must be an object of this shape, or of its family if that is the same for the attribute.
    pub(super) fn guard_layout(&mut self, vm: &Vm, id: Id, shape: ShapeId, name: Ref<Str>) -> Id {
        let family = self.families.borrow().get(&shape).filter(|f| agree(vm, f, shape, name)).cloned();
        match family {
            Some(family) => self.guard_family(id, shape, &family),
            None => self.guard_shape(id, shape),
        }
    }

    /// The value must be an object of the class of which this is a shape.
    pub(super) fn guard_class(&mut self, id: Id, shape: ShapeId) -> Id {
        let family = self.families.borrow().get(&shape).cloned();
        match family {
            Some(family) => self.guard_family(id, shape, &family),
            None => self.guard_shape(id, shape),
        }
    }

    fn guard_family(&mut self, id: Id, shape: ShapeId, family: &[ShapeId]) -> Id {
        if self.shapes.get(&id) == Some(&shape) {
            return id;
        }
        let families = &mut self.tree.families;
        let number = families.iter().position(|f| **f == *family).unwrap_or_else(|| {
            families.push(family.into());
            families.len() - 1
        });
        let id = self.as_word(id);
        let new = self.emit(TraceOp::GuardFamily, &[id], number as u64);
        self.refine(id, new);
        new
    }
}
