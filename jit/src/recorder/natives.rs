//! Calls of natives that run no Python code: they need no frame in memory, and leave the registers alone.

use super::memory::shape_of;
use super::{Recorder, Step};
use crate::ir::{self, Call, Exit, ExitKind, Id, Inst, Place, TraceOp};
use skein_bytecode::{Op, Special};
use skein_runtime::interp::small_decimal;
use skein_runtime::native::{Effect, NativeDef};
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::list::LIST_LEN;
use skein_runtime::types::native::{NATIVE_DEF, NATIVE_OWNER, NATIVE_RECEIVER, NativeFunction};
use skein_runtime::types::slice::SLICE_PARTS;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::TUPLE_LEN;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;

/// Operands that a trace's call of a native has at most.
const MAX_OPERANDS: usize = 3;

/// Is the value of a builtin type, so that what natives do with it runs no Python code?
fn is_simple(vm: &Vm, v: Value) -> bool {
    const OTHERS: [u8; 10] = [
        Kind::Slice as u8,
        Kind::Type as u8,
        Kind::Generator as u8,
        Kind::Ext as u8,
        Kind::SeqIter as u8,
        Kind::DictIter as u8,
        Kind::Super as u8,
        Kind::MappingProxy as u8,
        Kind::Instance as u8,
        Kind::Exception as u8,
    ];
    let Some(header) = v.header() else { return true };
    let ty = vm.type_of(v);
    ty.def().is_some() && header.shape.get() == ty.root_shape_id() && !OTHERS.contains(&header.kind.get())
}

impl Recorder {
    /// The value as a word, whose type is checked to be what it is now.
    pub(super) fn guard_type(&mut self, id: Id, v: Value) -> Id {
        if v.is_int() {
            return self.as_int(id);
        }
        if v.is_float() {
            let float = self.as_float(id);
            return self.as_word(float);
        }
        match shape_of(v) {
            Some(shape) => self.guard_class(id, shape),
            // None, True, False and the like.
            None => self.guard_is(id, v),
        }
    }

    /// Emits the call of a native that the operands, as they are now, let run no Python code.
    pub(super) fn leaf_call(
        &mut self,
        vm: &Vm,
        def: &'static NativeDef,
        operands: &[(Id, Value)],
    ) -> Option<Id> {
        let n = operands.len();
        let pc = self.at.pc as usize;
        if self.raising.borrow().contains(&pc)
            || n == 0
            || n > MAX_OPERANDS
            || !(def.min as usize..=def.max as usize).contains(&n)
            || !def.keywords_optional
        {
            return None;
        }
        let simple = match def.effect {
            Effect::Leaf | Effect::ReadsHeap | Effect::Pure => false,
            Effect::Simple => true,
            Effect::CallsPython | Effect::MaySwitch => return None,
        };
        let fits = |(id, v): &(Id, Value)| is_simple(vm, *v) || self.simple_slices.contains_key(id);
        // What a container stores is not looked at.
        let looked_at = if def.signature == "__setitem__($self, key, value, /)"
            && operands[1].1.header().is_none_or(|h| h.kind.get() != Kind::Slice as u8)
        {
            &operands[..2]
        } else {
            operands
        };
        if simple && !looked_at.iter().all(fits) {
            return None;
        }
        // Who asks may have found the native by the first operand's type.
        let checked = if simple { looked_at.len() } else { 1 };
        let mut row = [None; 3];
        for (i, (to, &(id, v))) in row.iter_mut().zip(operands).enumerate() {
            let slice = self.simple_slices.get(&id).copied().zip(vm.argument_slice(0));
            *to = Some(match slice {
                Some((parts, slice)) => self.argument_slice(slice, parts),
                None if i < checked => self.guard_type(id, v),
                None => self.as_word(id),
            });
        }
        let op = [TraceOp::Native1, TraceOp::Native2, TraceOp::Native3][n - 1];
        Some(self.native_op(op, def, row))
    }

    /// The call of a native, which leaves where it raises.
    pub(super) fn native_op(&mut self, op: TraceOp, def: &'static NativeDef, args: [Option<Id>; 3]) -> Id {
        let (pc, base) = (self.at.pc as usize, self.base());
        self.native_at = pc;
        let callee = std::ptr::from_ref(def) as usize;
        self.tree.calls.push(Call { callee, pc, base, next_pc: 0, next_base: 0 });
        let (writes, frames) = (self.writes(), self.frames_number());
        let exit = Exit { kind: ExitKind::Raise, pc, base, writes, frames, bridge: None };
        let exit = self.tree.add_exit(exit);
        let imm = self.tree.calls.len() as u64 - 1;
        let id = self.push(Inst { op, ty: ir::Type::W, args, imm, exit: Some(exit) });
        // Memory may be another now; what the trace knows of its iterators it has in hand.
        self.shapes.clear();
        id
    }

    /// The slice that is filled in for a call, so that none need be made.
    pub(super) fn argument_slice(&mut self, slice: Value, parts: [Id; 3]) -> Id {
        let slice = self.value(slice);
        for (id, offset) in parts.into_iter().zip(SLICE_PARTS) {
            self.emit(TraceOp::StoreField, &[slice, id], Place::new(ir::Class::Argument, offset).imm());
        }
        slice
    }

    /// A method of a builtin type, bound to a receiver by the trace.
    pub(super) fn bind_native(&mut self, vm: &Vm, method: Ref<NativeFunction>, receiver: Id) -> Id {
        let bound = self.new_object::<NativeFunction>(method.bound_shape(vm), Kind::Native);
        let def = self.constant(std::ptr::from_ref(method.def()) as u64, ir::Type::R);
        let (receiver, owner) = (self.as_word(receiver), self.value(method.owner.value()));
        self.emit(TraceOp::StoreRaw, &[bound, def], Place::new(ir::Class::Fixed, NATIVE_DEF).imm());
        for (id, offset) in [(receiver, NATIVE_RECEIVER), (owner, NATIVE_OWNER)] {
            self.emit(TraceOp::StoreField, &[bound, id], Place::new(ir::Class::Fixed, offset).imm());
        }
        bound
    }

    /// The receiver of a bound method of this declaration, which the value of the trace must be.
    pub(super) fn receiver_of(&mut self, callee: Id, native: Ref<NativeFunction>) -> Id {
        let callee = self.guard_shape(callee, native.header().shape.get());
        let place = Place::new(ir::Class::Fixed, NATIVE_DEF);
        let declared = self.emit(TraceOp::LoadRaw, &[callee], place.imm());
        self.emit(TraceOp::GuardRaw, &[declared], std::ptr::from_ref(native.def()) as u64);
        let place = Place::new(ir::Class::Fixed, NATIVE_RECEIVER);
        let id = self.emit(TraceOp::LoadField, &[callee], place.imm());
        self.guard_is_not(id, 0);
        id
    }

    /// `Call` and `CallMethod` of a builtin function.
    pub(super) fn native_call(
        &mut self,
        vm: &Vm,
        op: Op,
        native: Ref<NativeFunction>,
        w: usize,
        from: usize,
        n: usize,
    ) -> Step {
        let at = self.at;
        if let Some(step) = self.call_in_context(vm, op, native, (w, from, n)) {
            return step;
        }
        if n > MAX_OPERANDS {
            return self.help(op);
        }
        let def = native.def();
        self.guard_receiver(op, w, from);
        let callee = self.reg(w);
        let mut operands: Vec<(Id, Value)> = (from..from + n).map(|i| (self.reg(i), at.reg(i))).collect();
        match native.receiver.get() {
            None => drop(self.guard_is(callee, native.value())),
            // A bound method is made anew each time: it is known by its declaration.
            Some(receiver) => {
                let id = self.receiver_of(callee, native);
                operands.insert(0, (id, receiver));
            }
        }
        if let Some(step) = self.call_generator(vm, op, (def.signature, w), &operands) {
            return step;
        }
        let known = match (def.signature, &operands[..]) {
            ("len(obj, /)", &[one]) => self.known_len(vm, one).or_else(|| self.native_len(vm, one)),
            ("isinstance(obj, class_or_tuple, /)", &[object, class]) => {
                self.known_instance(vm, object, class)
            }
            ("sqrt(x, /)", &[(id, v)]) if v.is_float() && v.as_immediate_float() >= 0.0 => {
                let float = self.as_float(id);
                Some(self.emit(TraceOp::FloatSqrt, &[float], 0))
            }
            _ => None,
        };
        let Some(result) = known.or_else(|| self.leaf_call(vm, def, &operands)) else {
            return self.help(op);
        };
        let base = self.base();
        self.forget_from(base + w as i32 + 1);
        self.set(w, result);
        self.next(1)
    }

    /// `In` and `NotIn` of a builtin container.
    pub(super) fn contains(&mut self, vm: &Vm, op: Op) -> Step {
        let at = self.at;
        let operands = [at.c(), at.b()].map(|i| (self.reg(i), at.reg(i)));
        let native = vm.type_of(operands[0].1).special(vm, Special::Contains);
        let native = native.and_then(|f| f.cast::<NativeFunction>());
        let Some(found) = native.and_then(|f| self.leaf_call(vm, f.def(), &operands)) else {
            return self.contains_method(vm, op).unwrap_or_else(|| self.help(op));
        };
        let yes = self.value(Value::TRUE);
        let is = self.emit(TraceOp::Same, &[found, yes], 0);
        let truth = if op == Op::In { is } else { self.emit(TraceOp::Not, &[is], 0) };
        self.set(at.a(), truth);
        self.next(1)
    }

    /// `int(x)`, `float(x)` and `str(x)` of exact numbers and text. None: it is something else.
    pub(super) fn call_number(
        &mut self,
        vm: &Vm,
        ty: Ref<Type>,
        w: usize,
        operand: (Id, Value),
    ) -> Option<Id> {
        let (id, v) = operand;
        let result = if ty == vm.types.int && v.is_int() {
            self.as_int(id)
        } else if ty == vm.types.float && v.is_float() {
            self.as_float(id)
        } else if ty == vm.types.float && v.is_int() && v.as_small_int().unsigned_abs() <= 1 << 53 {
            let id = self.as_int(id);
            self.emit(TraceOp::IntToFloat, &[id], 0)
        } else if ty == vm.types.int && v.is_float() {
            let to_int = vm.types.float.special(vm, Special::Int)?.cast::<NativeFunction>()?;
            self.leaf_call(vm, to_int.def(), &[operand])?
        } else {
            // Nothing may be made while it is looked at.
            let text = v.cast::<Str>().filter(|_| vm.is_exact_str(v));
            let simple = if ty == vm.types.str {
                v.is_int() || text.is_some()
            } else {
                ty == vm.types.int && text.is_some_and(|text| small_decimal(text.bytes()).is_some())
            };
            if !simple {
                return None;
            }
            let ty = (self.value(ty.value()), ty.value());
            let result = self.conversion(vm, ty, operand)?;
            self.guard_is_not(result, super::displays::NOTHING.bits());
            result
        };
        let callee = self.reg(w);
        self.guard_is(callee, ty.value());
        Some(result)
    }

    /// The length of a list or tuple.
    fn known_len(&mut self, vm: &Vm, object: (Id, Value)) -> Option<Id> {
        let len = self.raw_len(vm, object)?;
        Some(self.emit(TraceOp::Tag, &[len], 0))
    }

    /// The length of an object whose type has a native for it that runs no Python code.
    fn native_len(&mut self, vm: &Vm, (id, v): (Id, Value)) -> Option<Id> {
        let ty = v.header().map(|_| vm.type_of(v))?;
        let len = ty.special(vm, Special::Len)?.cast::<NativeFunction>()?.def();
        if len.effect != Effect::Leaf {
            return None;
        }
        self.rely_on_type(ty, vm.special_name(Special::Len));
        self.leaf_call(vm, len, &[(id, v)])
    }

    /// As `known_len`, as a raw word.
    pub(super) fn raw_len(&mut self, vm: &Vm, (id, v): (Id, Value)) -> Option<Id> {
        let shape = shape_of(v)?;
        let place = if shape == vm.types.list.root_shape_id() {
            Place::new(ir::Class::List, LIST_LEN)
        } else if shape == vm.types.tuple.root_shape_id() {
            Place::new(ir::Class::Fixed, TUPLE_LEN)
        } else {
            return None;
        };
        let id = self.guard_shape(id, shape);
        Some(self.emit(TraceOp::LoadRaw, &[id], place.imm()))
    }

    /// Whether an object is an instance of a plain class: known by its type.
    fn known_instance(&mut self, vm: &Vm, (id, v): (Id, Value), class: (Id, Value)) -> Option<Id> {
        let ty = class.1.cast::<Type>()?;
        let own = vm.type_of(v);
        let name = vm.names.__class__;
        let plain = vm.type_of(ty.value()) == vm.types.type_ && v.cast::<Type>().is_none();
        if !plain || own.lookup(vm, name) != vm.types.object.lookup(vm, name) {
            return None;
        }
        let is = own.is_subtype(ty);
        self.guard_is(class.0, class.1);
        self.guard_type(id, v);
        self.rely_on_type(own, name);
        Some(self.value(Value::bool(is)))
    }

    /// `==` or `!=` of two texts, or of objects whose classes leave that to `object`: its truth, and which that is now.
    pub(super) fn equality(&mut self, vm: &Vm, op: Op, l: (Id, Value), r: (Id, Value)) -> Option<(Id, bool)> {
        let equal = match op {
            Op::Eq | Op::JumpEq => true,
            Op::Ne | Op::JumpNe => false,
            _ => return None,
        };
        let (same, now) = self.same_text(vm, l, r).or_else(|| self.identity_of(vm, l, r))?;
        Some((if equal { same } else { self.emit(TraceOp::Not, &[same], 0) }, now == equal))
    }

    /// Whether two exact str are the same text, and whether these are.
    fn same_text(&mut self, vm: &Vm, l: (Id, Value), r: (Id, Value)) -> Option<(Id, bool)> {
        let text = |v: Value| v.cast::<Str>().filter(|_| vm.is_exact_str(v));
        let now = text(l.1)?.same(text(r.1)?);
        let [a, b] = [l, r].map(|(id, v)| self.guard_type(id, v));
        Some((self.emit(TraceOp::TextEq, &[a, b], 0), now))
    }

    /// Whether two objects are the same, and whether these are, where that is what `object` compares.
    fn identity_of(&mut self, vm: &Vm, l: (Id, Value), r: (Id, Value)) -> Option<(Id, bool)> {
        let specials = [Special::Eq, Special::Ne];
        let object = specials.map(|s| vm.types.object.special(vm, s));
        let plain = |v: Value| {
            let fits = v.is_none() || v.header().is_some_and(|h| h.kind.get() == Kind::Instance as u8);
            fits && specials.map(|s| vm.type_of(v).special(vm, s)) == object
        };
        if !plain(l.1) || !plain(r.1) {
            return None;
        }
        for (id, v) in [l, r] {
            for special in specials {
                self.rely_on_type(vm.type_of(v), vm.special_name(special));
            }
            self.guard_type(id, v);
        }
        Some((self.emit(TraceOp::Same, &[l.0, r.0], 0), l.1.is(r.1)))
    }

    /// A comparison of builtin types that a jump goes by: its result, and which it is now.
    pub(super) fn comparison(
        &mut self,
        vm: &Vm,
        op: Op,
        l: (Id, Value),
        r: (Id, Value),
    ) -> Option<(Id, bool)> {
        let special = jump_special(op)?;
        let native = vm.type_of(l.1).special(vm, special)?.cast::<NativeFunction>()?;
        let def = native.def();
        if def.effect != Effect::Simple || !is_simple(vm, l.1) || !is_simple(vm, r.1) {
            return None;
        }
        let Ok(now) = def.call_2(vm, l.1, r.1) else {
            vm.pending.set(None);
            return None;
        };
        if !now.is_bool() {
            return None;
        }
        let id = self.leaf_call(vm, def, &[l, r])?;
        Some((id, now.is(Value::TRUE)))
    }

    /// An operator on builtin types that is no arithmetic of immediates.
    pub(super) fn operator(&mut self, vm: &Vm, op: Op) -> Option<Id> {
        let at = self.at;
        let (l, r) = ((self.reg(at.b()), at.reg(at.b())), (self.reg(at.c()), at.reg(at.c())));
        let (special, in_place) = special_of(op)?;
        if !is_simple(vm, l.1) || !is_simple(vm, r.1) {
            return None;
        }
        let ty = vm.type_of(l.1);
        if in_place.is_some_and(|s| ty.special(vm, s).is_some()) {
            return None;
        }
        let native = ty.special(vm, special)?.cast::<NativeFunction>()?;
        let id = self.leaf_call(vm, native.def(), &[l, r])?;
        self.guard_is_not(id, Value::NOT_IMPLEMENTED.bits());
        Some(id)
    }
}

/// The special method of a jump by the comparison of two registers, or of one with a small number.
pub(super) fn jump_special(op: Op) -> Option<Special> {
    Some(match op {
        Op::JumpLt | Op::JumpLtInt => Special::Lt,
        Op::JumpLe | Op::JumpLeInt => Special::Le,
        Op::JumpEq | Op::JumpEqInt => Special::Eq,
        Op::JumpNe | Op::JumpNeInt => Special::Ne,
        Op::JumpGt | Op::JumpGtInt => Special::Gt,
        Op::JumpGe | Op::JumpGeInt => Special::Ge,
        _ => return None,
    })
}

/// The special methods of a binary operator, and of its in-place form.
pub(super) fn special_of(op: Op) -> Option<(Special, Option<Special>)> {
    Some(match op {
        Op::Add => (Special::Add, None),
        Op::Sub => (Special::Sub, None),
        Op::Mul => (Special::Mul, None),
        Op::TrueDiv => (Special::TrueDiv, None),
        Op::FloorDiv => (Special::FloorDiv, None),
        Op::Mod => (Special::Mod, None),
        Op::Pow => (Special::Pow, None),
        Op::InplaceAdd => (Special::Add, Some(Special::IAdd)),
        Op::InplaceSub => (Special::Sub, Some(Special::ISub)),
        Op::InplaceMul => (Special::Mul, Some(Special::IMul)),
        Op::InplacePow => (Special::Pow, Some(Special::IPow)),
        Op::InplaceFloorDiv => (Special::FloorDiv, Some(Special::IFloorDiv)),
        Op::InplaceMod => (Special::Mod, Some(Special::IMod)),
        Op::And => (Special::And, None),
        Op::Or => (Special::Or, None),
        Op::Xor => (Special::Xor, None),
        Op::Shl => (Special::Shl, None),
        Op::Shr => (Special::Shr, None),
        Op::InplaceAnd => (Special::And, Some(Special::IAnd)),
        Op::InplaceOr => (Special::Or, Some(Special::IOr)),
        Op::InplaceXor => (Special::Xor, Some(Special::IXor)),
        Op::InplaceShl => (Special::Shl, Some(Special::IShl)),
        Op::InplaceShr => (Special::Shr, Some(Special::IShr)),
        Op::InplaceTrueDiv => (Special::TrueDiv, Some(Special::ITrueDiv)),
        Op::Lt => (Special::Lt, None),
        Op::Le => (Special::Le, None),
        Op::Eq => (Special::Eq, None),
        Op::Ne => (Special::Ne, None),
        Op::Gt => (Special::Gt, None),
        Op::Ge => (Special::Ge, None),
        _ => return None,
    })
}
