//! Slices of builtin containers, whose parts are ints and None.

use super::memory::shape_of;
use super::{Recorder, Step};
use crate::ir::{Class, ExitId, Id, Place, TraceOp};
use skein_bytecode::{Op, Special};
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::list::List;
use skein_runtime::types::slice::{SLICE_PARTS, Slice};
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;

/// What a slice has taken of a list, for what comes right behind.
pub struct Taken {
    result: Id,
    list: Id,
    parts: [Id; 3],
    /// Before the instruction that took it, and where in the sequence its instructions begin.
    before: ExitId,
    from: usize,
    frames: usize,
}

impl Recorder {
    /// A slice of ints and None: what takes it needs no calls for its parts.
    pub(super) fn build_slice(&mut self, vm: &Vm) -> Step {
        let at = self.at;
        let parts = [0, 1, 2].map(|i| at.reg(at.b() + i));
        if !parts.iter().all(|v| v.is_int() || v.is_none()) {
            return self.help(Op::BuildSlice);
        }
        let ids = [0, 1, 2].map(|i| {
            let id = self.reg(at.b() + i);
            self.guard_type(id, parts[i])
        });
        let slice = self.new_object::<Slice>(vm.types.slice.root_shape_id(), Kind::Slice);
        for (id, offset) in ids.into_iter().zip(SLICE_PARTS) {
            self.emit(TraceOp::StoreField, &[slice, id], Place::new(Class::Fixed, offset).imm());
        }
        self.simple_slices.insert(slice, ids);
        self.set(at.a(), slice);
        self.next(1)
    }

    /// A subscript of a builtin container that takes no Python code: `obj[key]`.
    pub(super) fn native_item(&mut self, vm: &Vm) -> Option<Id> {
        let at = self.at;
        let (obj, key) = (at.reg(at.b()), at.reg(at.c()));
        let def = self.item_native(vm, obj, key, Special::GetItem)?;
        let operands = [(self.reg(at.b()), obj), (self.reg(at.c()), key)];
        let parts = self.simple_slices.get(&operands[1].0).copied();
        let before = self.exit();
        let from = self.tree.seq(self.seq).insts.len();
        let result = self.leaf_call(vm, def, &operands)?;
        self.taken = parts.filter(|_| obj.cast::<List>().is_some()).map(|parts| {
            let list = self.tree.inst(result).args[0].unwrap_or(operands[0].0);
            Taken { result, list, parts, before, from, frames: self.frames.len() }
        });
        Some(result)
    }

    /// `obj[key] = v`, likewise.
    pub(super) fn native_store_item(&mut self, vm: &Vm) -> Option<Id> {
        let at = self.at;
        let (obj, key, v) = (at.reg(at.a()), at.reg(at.b()), at.reg(at.c()));
        let def = self.item_native(vm, obj, key, Special::SetItem)?;
        let is_slice = key.cast::<Slice>().is_some();
        let rows = [vm.types.list.root_shape_id(), vm.types.tuple.root_shape_id()];
        // What a slice is replaced by is iterated over.
        if is_slice && !shape_of(v).is_some_and(|s| rows.contains(&s)) {
            return None;
        }
        if let Some(done) = self.copy_slice(vm) {
            return Some(done);
        }
        let operands = [(self.reg(at.a()), obj), (self.reg(at.b()), key), (self.reg(at.c()), v)];
        self.leaf_call(vm, def, &operands)
    }

    /// The native of an exact list, tuple, str or dict for a key that is compared and hashed without calls.
    fn item_native(
        &mut self,
        vm: &Vm,
        obj: Value,
        key: Value,
        special: Special,
    ) -> Option<&'static skein_runtime::native::NativeDef> {
        let shape = shape_of(obj)?;
        let t = &vm.types;
        let plain_key = key.header().is_none() || shape_of(key) == Some(t.str.root_shape_id());
        let is_slice = key.cast::<Slice>().is_some();
        let fits = if shape == t.dict.root_shape_id() {
            plain_key
        } else {
            [t.list, t.tuple, t.str].iter().any(|ty| shape == ty.root_shape_id())
                && (key.is_int() || is_slice)
        };
        let native: Ref<skein_runtime::types::native::NativeFunction> =
            vm.type_of(obj).special(vm, special).filter(|_| fits)?.cast()?;
        Some(native.def())
    }

    /// `a[i:j] = b[k:l]` of lists: the items go over without a list between. The instructions since the right side was
    /// taken have done nothing that may not be done again, so that what leaves the trace there, or cannot be done so,
    /// goes on before that. None: it is not so.
    fn copy_slice(&mut self, vm: &Vm) -> Option<Id> {
        let at = self.at;
        let taken = self.taken.take()?;
        let (to, over) = (self.reg(at.a()), self.reg(at.b()));
        let over = *self.simple_slices.get(&over)?;
        let slices = [vm.argument_slice(0)?, vm.argument_slice(1)?];
        let step = |id: Id| self.tree.constant(id);
        let [none, one, back] = [Value::NONE, Value::small_int(1), Value::small_int(-1)].map(Value::bits);
        let steps = [none, one].map(Some).contains(&step(over[2]))
            && [none, one, back].map(Some).contains(&step(taken.parts[2]));
        let list = vm.types.list.root_shape_id();
        if !steps
            || self.reg(at.c()) != taken.result
            || taken.frames != self.frames.len()
            || shape_of(at.reg(at.a())) != Some(list)
            || self.is_held_behind(taken.result)
        {
            return None;
        }
        let since: Vec<Id> = self.tree.seq(self.seq).insts[taken.from..].to_vec();
        let made = |id: Option<Id>| id.is_some_and(|id| since.contains(&id) && self.makes(id));
        let filled = |id: Id| {
            let inst = self.tree.inst(id);
            inst.op == TraceOp::StoreField && Place::from_imm(inst.imm).class == Class::Argument
        };
        let can_be_redone = |&id: &Id| {
            use crate::ir::Effect::{Alloc, Guard, Load, Pure};
            let inst = self.tree.inst(id);
            id == taken.result
                || filled(id)
                || matches!(inst.op.info().effect, Pure | Guard | Load | Alloc) && inst.op != TraceOp::Tick
                || inst.op == TraceOp::StoreField && made(inst.args[0])
        };
        if !since.iter().all(can_be_redone) {
            return None;
        }
        let kept = since.iter().copied().filter(|&id| id != taken.result && !filled(id)).collect::<Vec<_>>();
        if kept.iter().any(|&id| self.tree.inst(id).args.contains(&Some(taken.result))) {
            return None;
        }
        self.tree.seqs[self.seq.0 as usize].insts.truncate(taken.from);
        for id in kept {
            let inst = &mut self.tree.insts[id.0 as usize];
            inst.exit = inst.exit.map(|_| taken.before);
            self.tree.seqs[self.seq.0 as usize].insts.push(id);
        }
        self.exit_here = Some(taken.before);
        let to = self.guard_shape(to, list);
        for (slice, parts) in slices.into_iter().zip([over, taken.parts]) {
            self.argument_slice(slice, parts);
        }
        let done = self.emit(TraceOp::CopySlice, &[to, taken.list], 0);
        self.shapes.clear();
        self.slots.retain(|slot| slot.id != taken.result);
        self.frames_changed();
        self.exit_here = None;
        Some(done)
    }

    fn makes(&self, id: Id) -> bool {
        self.tree.inst(id).op == TraceOp::NewObject
    }

    /// Does something besides the instruction want the value, which is in no memory?
    fn is_held_behind(&self, id: Id) -> bool {
        let frame = self.frame();
        let behind = frame.code.unit_of(self.at.skip(1).pc);
        let wanted = |off: i32| match usize::try_from(off - frame.base) {
            Ok(reg) => frame.code.liveness().held_before(behind, reg),
            Err(_) => true,
        };
        self.slots.iter().any(|(off, slot)| slot.id == id && wanted(off))
            || self.fields.values().any(|slot| slot.id == id)
    }
}
