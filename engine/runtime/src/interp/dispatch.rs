//! The loop: fast paths of all ops. What is not fast here is in the families' files.

use crate::context::FRAME_WORDS;
use crate::interp::cont::{caller, return_word};
use crate::interp::items::wrap_index;
use crate::interp::{At, call, elision, generators, helpers, result, trace};
use crate::object::Ref;
use crate::types::cell::CellObject;
use crate::types::code::{AttrCache, Exec, GlobalCache, MethodCache, ModuleCache};
use crate::types::function::Function;
use crate::types::instance::{Instance, VALUES_SLOTS, Values};
use crate::types::list::List;
use crate::types::range::RangeIter;
use crate::types::seqiter::SeqIter;
use crate::types::tuple::Tuple;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_bytecode::{Op, pack};

/// Where return pcs of nested runs lead.
pub static EXIT: [u32; 1] = [pack(Op::Exit, 0, 0, 0)];
pub static EXIT_RAISE: [u32; 1] = [pack(Op::ExitRaise, 0, 0, 0)];

/// Goes on by the op's helper, out of line.
macro_rules! slow {
    ($vm:ident, $at:ident, $op:ident) => {{
        $at = (const { helpers::of(Op::$op) })($vm, $at);
        continue;
    }};
}

/// A binary operator: `$int` and `$float` give the result on immediates, or None.
macro_rules! binary {
    ($vm:ident, $at:ident, $op:ident, $int:expr, $float:expr) => {{
        let (l, r) = ($at.reg($at.b()), $at.reg($at.c()));
        if Value::both_ints(l, r) {
            let f: fn(Value, Value) -> Option<Value> = $int;
            if let Some(v) = f(l, r) {
                $at.set($at.a(), v);
                $at = $at.skip(1);
                continue;
            }
        } else if Value::both_floats(l, r) {
            let f: fn(f64, f64) -> Option<f64> = $float;
            if let Some(v) = f(l.as_immediate_float(), r.as_immediate_float()).and_then(Value::try_float) {
                $at.set($at.a(), v);
                $at = $at.skip(1);
                continue;
            }
        }
        slow!($vm, $at, $op)
    }};
}

macro_rules! compare {
    ($vm:ident, $at:ident, $name:ident, $op:tt) => {{
        let (l, r) = ($at.reg($at.b()), $at.reg($at.c()));
        if Value::both_ints(l, r) {
            $at.set($at.a(), Value::bool((l.bits() as i64) $op (r.bits() as i64)));
            $at = $at.skip(1);
            continue;
        } else if Value::both_floats(l, r) {
            $at.set($at.a(), Value::bool(l.as_immediate_float() $op r.as_immediate_float()));
            $at = $at.skip(1);
            continue;
        }
        slow!($vm, $at, $name)
    }};
}

macro_rules! jump_compare {
    ($vm:ident, $at:ident, $name:ident, $op:tt) => {{
        let (l, r) = ($at.reg($at.a()), $at.reg($at.b()));
        let truth = if Value::both_ints(l, r) {
            (l.bits() as i64) $op (r.bits() as i64)
        } else if Value::both_floats(l, r) {
            l.as_immediate_float() $op r.as_immediate_float()
        } else if l.is(r) && $vm.is_exact_str(l) {
            // Most texts that are compared are names, and the same object.
            0 $op 0
        } else {
            slow!($vm, $at, $name)
        };
        $at = if truth == ($at.c() != 0) { $at.jump($at.extra() as i32) } else { $at.skip(2) };
        continue;
    }};
}

macro_rules! jump_compare_int {
    ($vm:ident, $at:ident, $name:ident, $op:tt) => {{
        let l = $at.reg($at.a());
        let r = Value::small_int($at.b() as u8 as i8 as i64);
        if l.is_int() {
            let truth = (l.bits() as i64) $op (r.bits() as i64);
            $at = if truth == ($at.c() != 0) { $at.jump($at.extra() as i32) } else { $at.skip(2) };
            continue;
        }
        slow!($vm, $at, $name)
    }};
}

#[inline(always)]
fn add(l: Value, r: Value) -> Option<Value> {
    let (v, over) = (l.bits() as i64).wrapping_sub(1).overflowing_add(r.bits() as i64);
    // SAFETY: the sum of two int words less a tag is an int word.
    if over { None } else { Some(unsafe { Value::from_bits(v as u64) }) }
}

#[inline(always)]
fn sub(l: Value, r: Value) -> Option<Value> {
    let (v, over) = (l.bits() as i64).overflowing_sub((r.bits() as i64).wrapping_sub(1));
    // SAFETY: as in `add`.
    if over { None } else { Some(unsafe { Value::from_bits(v as u64) }) }
}

#[inline(always)]
fn mul(l: Value, r: Value) -> Option<Value> {
    let (v, over) = (l.bits() as i64).wrapping_sub(1).overflowing_mul(r.as_small_int());
    // SAFETY: a multiple of 4, plus the tag.
    if over { None } else { Some(unsafe { Value::from_bits(v as u64 + 1) }) }
}

#[inline(always)]
fn int_true_div(l: Value, r: Value) -> Option<Value> {
    let (l, r) = (l.as_small_int(), r.as_small_int());
    const EXACT: i64 = 1 << 53;
    if r == 0 || l.abs() > EXACT || r.abs() > EXACT {
        return None;
    }
    Value::try_float(l as f64 / r as f64)
}

#[inline(always)]
fn floor_div(l: Value, r: Value) -> Option<Value> {
    let (l, r) = (l.as_small_int(), r.as_small_int());
    if r == 0 {
        return None;
    }
    let q = l / r;
    Value::try_int(if (l % r != 0) && ((l < 0) != (r < 0)) { q - 1 } else { q })
}

#[inline(always)]
fn modulo(l: Value, r: Value) -> Option<Value> {
    let (l, r) = (l.as_small_int(), r.as_small_int());
    if r == 0 {
        return None;
    }
    let m = l % r;
    Some(Value::small_int(if m != 0 && ((m < 0) != (r < 0)) { m + r } else { m }))
}

#[inline(always)]
fn shl(l: Value, r: Value) -> Option<Value> {
    let (l, r) = (l.as_small_int(), r.as_small_int());
    if !(0..62).contains(&r) {
        return None;
    }
    let v = l << r;
    if v >> r == l { Value::try_int(v) } else { None }
}

#[inline(always)]
fn shr(l: Value, r: Value) -> Option<Value> {
    let (l, r) = (l.as_small_int(), r.as_small_int());
    if r < 0 { None } else { Some(Value::small_int(l >> r.min(63))) }
}

fn no_float(_: f64, _: f64) -> Option<f64> {
    None
}

/// Truth of the values that need no call.
#[inline(always)]
pub fn quick_truth(v: Value) -> Option<bool> {
    if v.is_bool() {
        Some(v.is(Value::TRUE))
    } else if v.is_none() {
        Some(false)
    } else if v.is_int() {
        Some(v.as_small_int() != 0)
    } else {
        None
    }
}

/// Is this an object whose shape has this id?
#[inline(always)]
fn has_shape(v: Value, shape: u32) -> bool {
    v.header().is_some_and(|h| h.shape.get() == shape)
}

/// The global that a module's attribute cache names, if it is this module and the name is bound.
#[inline(always)]
fn module_attr(at: At, obj: Value) -> Option<Value> {
    // SAFETY: the loader has put a cache there; quickening has put a cell into it.
    unsafe {
        let cache = &*at.extra_ptr::<ModuleCache>();
        if obj.bits() != cache.module.get() {
            return None;
        }
        let v = cache.cell.get()?.cast_unchecked::<CellObject>().get();
        if v.is_unbound() { None } else { Some(v) }
    }
}

/// How the loop runs: until an `Exit`; until the tier, told of each instruction, ends it; one (`vm.events.step_op`).
pub const PLAIN: u8 = 0;
pub const RECORD: u8 = 1;
pub const STEP: u8 = 2;

#[inline(never)]
pub fn run<const MODE: u8>(vm: &Vm, start: At) -> R<Value> {
    let mut at = start;
    let mut stepped = false;
    loop {
        if MODE == RECORD && !vm.hooks.tier().before(vm, at) || MODE == STEP && stepped {
            vm.recorded.set(Some(at));
            return Ok(Value::NONE);
        }
        // SAFETY: pc is an instruction's address, and op bytes come from the table.
        let op: Op = unsafe { std::mem::transmute::<u8, Op>(*at.pc.cast::<u8>()) };
        let op = if MODE == STEP { vm.events.step_op() } else { op };
        stepped = true;
        match op {
            Op::Move => {
                at.set(at.a(), at.reg(at.b()));
                at = at.skip(1);
            }
            Op::MoveFar => {
                let w = at.extra() as usize;
                at.set(w & 0xffff, at.reg(w >> 16));
                at = at.skip(2);
            }
            Op::LoadConst => {
                at.set(at.a(), at.extra_value());
                at = at.skip(2);
            }
            Op::LoadInt => {
                let n = i16::from_le_bytes([at.b() as u8, at.c() as u8]);
                at.set(at.a(), Value::small_int(i64::from(n)));
                at = at.skip(1);
            }
            Op::LoadSpecial => {
                at.set(at.a(), Value::SPECIALS[at.b().min(5)]);
                at = at.skip(1);
            }
            Op::LoadCommon => slow!(vm, at, LoadCommon),
            Op::CheckBound => {
                if at.reg(at.a()).is_unbound() {
                    slow!(vm, at, CheckBound);
                }
                at = at.skip(2);
            }
            Op::DeleteLocal => {
                if at.reg(at.a()).is_unbound() {
                    slow!(vm, at, DeleteLocal);
                }
                at.set(at.a(), Value::UNBOUND);
                at = at.skip(2);
            }
            Op::MakeCell => slow!(vm, at, MakeCell),
            Op::LoadClosure => slow!(vm, at, LoadClosure),
            Op::LoadDeref => {
                // SAFETY: the compiler only puts cells into such registers.
                let cell: Ref<CellObject> = unsafe { at.reg(at.b()).cast_unchecked() };
                let v = cell.get();
                if v.is_unbound() {
                    slow!(vm, at, LoadDeref);
                }
                at.set(at.a(), v);
                at = at.skip(2);
            }
            Op::StoreDeref => {
                // SAFETY: as in LoadDeref.
                let cell: Ref<CellObject> = unsafe { at.reg(at.a()).cast_unchecked() };
                cell.set(vm, at.reg(at.b()));
                at = at.skip(1);
            }
            Op::DeleteDeref => slow!(vm, at, DeleteDeref),

            Op::LoadGlobal => slow!(vm, at, LoadGlobal),
            Op::LoadGlobalCell => {
                // SAFETY: the loader has put a cache there; quickening has put a cell into it.
                let v = unsafe {
                    let cache = &*at.extra_ptr::<GlobalCache>();
                    cache.cell.get().cast_unchecked::<CellObject>().get()
                };
                if v.is_unbound() {
                    slow!(vm, at, LoadGlobalCell);
                }
                at.set(at.a(), v);
                at = at.skip(2);
            }
            Op::LoadGlobalBuiltin => {
                // SAFETY: as in LoadGlobalCell.
                let (v, epoch) = unsafe {
                    let cache = &*at.extra_ptr::<GlobalCache>();
                    let cell = cache.cell.get().cast_unchecked::<CellObject>();
                    (cell.get(), cache.epoch.get())
                };
                if v.is_unbound() || epoch != vm.globals_epoch.get() {
                    slow!(vm, at, LoadGlobalBuiltin);
                }
                at.set(at.a(), v);
                at = at.skip(2);
            }
            Op::StoreGlobal => slow!(vm, at, StoreGlobal),
            Op::DeleteGlobal => slow!(vm, at, DeleteGlobal),
            Op::LoadName => slow!(vm, at, LoadName),
            Op::StoreName => slow!(vm, at, StoreName),
            Op::DeleteName => slow!(vm, at, DeleteName),
            Op::LookupMapping => slow!(vm, at, LookupMapping),

            Op::LoadAttr => slow!(vm, at, LoadAttr),
            Op::LoadAttrSlot => {
                let obj = at.reg(at.b());
                // SAFETY: the loader has put a cache there; under this shape the object is an
                // instance with a slot at that offset.
                let v = unsafe {
                    let cache = &*at.extra_ptr::<AttrCache>();
                    if has_shape(obj, cache.shape.get()) {
                        *(obj.bits() as *const Option<Value>).byte_add(cache.offset.get() as usize)
                    } else {
                        None
                    }
                };
                let Some(v) = v else { slow!(vm, at, LoadAttrSlot) };
                at.set(at.a(), v);
                at = at.skip(2);
            }
            Op::LoadAttrOverflow => {
                let obj = at.reg(at.b());
                // SAFETY: as in LoadAttrSlot; the slot is in the overflow array.
                let v = unsafe {
                    let cache = &*at.extra_ptr::<AttrCache>();
                    if has_shape(obj, cache.shape.get()) {
                        let instance: Ref<Instance> = obj.cast_unchecked();
                        instance.overflow.get().and_then(|array| {
                            *(array.bits() as *const Option<Value>).byte_add(cache.offset.get() as usize)
                        })
                    } else {
                        None
                    }
                };
                let Some(v) = v else { slow!(vm, at, LoadAttrOverflow) };
                at.set(at.a(), v);
                at = at.skip(2);
            }
            Op::LoadAttrModule => {
                let Some(v) = module_attr(at, at.reg(at.b())) else { slow!(vm, at, LoadAttrModule) };
                at.set(at.a(), v);
                at = at.skip(2);
            }
            Op::StoreAttr => slow!(vm, at, StoreAttr),
            Op::StoreAttrSlot => {
                let obj = at.reg(at.a());
                // SAFETY: as in LoadAttrSlot.
                unsafe {
                    let cache = &*at.extra_ptr::<AttrCache>();
                    if !has_shape(obj, cache.shape.get()) {
                        slow!(vm, at, StoreAttrSlot);
                    }
                    vm.heap.write_barrier(obj.bits() as *const crate::object::Header);
                    *(obj.bits() as *mut Value).byte_add(cache.offset.get() as usize) = at.reg(at.b());
                }
                at = at.skip(2);
            }
            Op::StoreAttrAdd => {
                let obj = at.reg(at.a());
                // SAFETY: as in LoadAttrSlot; the slot is free inline room under this shape.
                unsafe {
                    let cache = &*at.extra_ptr::<AttrCache>();
                    if !has_shape(obj, cache.shape.get()) {
                        slow!(vm, at, StoreAttrAdd);
                    }
                    let header = &*(obj.bits() as *const crate::object::Header);
                    vm.heap.write_barrier(header);
                    *(obj.bits() as *mut Value).byte_add(cache.offset.get() as usize) = at.reg(at.b());
                    header.shape.set(cache.next_shape.get());
                }
                at = at.skip(2);
            }
            Op::DeleteAttr => slow!(vm, at, DeleteAttr),
            Op::LoadMethod => slow!(vm, at, LoadMethod),
            Op::LoadMethodCached => {
                let obj = at.reg(at.b());
                // SAFETY: the loader has put a cache there. The object keeps its class alive, that its methods;
                // and a change of the class resets the cache.
                let f = unsafe {
                    let cache = &*at.extra_ptr::<MethodCache>();
                    if has_shape(obj, cache.shape.get()) { Some(cache.function.get()) } else { None }
                };
                let Some(f) = f else { slow!(vm, at, LoadMethodCached) };
                let w = at.window();
                at.set(w, f);
                at.set(w + FRAME_WORDS, obj);
                at = at.skip(2);
            }
            Op::LoadMethodModule => {
                let Some(v) = module_attr(at, at.reg(at.b())) else { slow!(vm, at, LoadMethodModule) };
                let w = at.window();
                at.set(w, v);
                at.set(w + FRAME_WORDS, Value::UNBOUND);
                at = at.skip(2);
            }
            Op::LoadSuperAttr => slow!(vm, at, LoadSuperAttr),
            Op::LoadSuperAttr0 => slow!(vm, at, LoadSuperAttr0),
            Op::LoadSpecialMethod => slow!(vm, at, LoadSpecialMethod),
            Op::BindSpecial => slow!(vm, at, BindSpecial),
            Op::LoadIndex => {
                let (obj, key) = (at.reg(at.b()), at.reg(at.c()));
                if key.is_int() {
                    let item = if has_shape(obj, vm.types.list.root_shape_id()) {
                        // SAFETY: the shape is list's.
                        let list: Ref<List> = unsafe { obj.cast_unchecked() };
                        list.get(wrap_index(key.as_small_int(), list.len()))
                    } else if has_shape(obj, vm.types.tuple.root_shape_id()) {
                        // SAFETY: the shape is tuple's.
                        let tuple: Ref<Tuple> = unsafe { obj.cast_unchecked() };
                        tuple.items().get(wrap_index(key.as_small_int(), tuple.len())).copied()
                    } else {
                        None
                    };
                    if let Some(v) = item {
                        at.set(at.a(), v);
                        at = at.skip(1);
                        continue;
                    }
                }
                slow!(vm, at, LoadIndex)
            }
            Op::StoreIndex => {
                let (obj, key) = (at.reg(at.a()), at.reg(at.b()));
                if key.is_int() && has_shape(obj, vm.types.list.root_shape_id()) {
                    // SAFETY: the shape is list's.
                    let list: Ref<List> = unsafe { obj.cast_unchecked() };
                    let i = wrap_index(key.as_small_int(), list.len());
                    if i < list.len() {
                        list.store(vm, i, at.reg(at.c()));
                        at = at.skip(1);
                        continue;
                    }
                }
                slow!(vm, at, StoreIndex)
            }
            Op::DeleteIndex => slow!(vm, at, DeleteIndex),
            Op::BuildSlice => slow!(vm, at, BuildSlice),

            Op::Add => binary!(vm, at, Add, add, |l, r| Some(l + r)),
            Op::Sub => binary!(vm, at, Sub, sub, |l, r| Some(l - r)),
            Op::Mul => binary!(vm, at, Mul, mul, |l, r| Some(l * r)),
            Op::TrueDiv => {
                binary!(vm, at, TrueDiv, int_true_div, |l, r| (r != 0.0).then(|| l / r))
            }
            Op::FloorDiv => binary!(vm, at, FloorDiv, floor_div, no_float),
            Op::Mod => binary!(vm, at, Mod, modulo, no_float),
            Op::Pow => slow!(vm, at, Pow),
            Op::MatMul => slow!(vm, at, MatMul),
            Op::Shl => binary!(vm, at, Shl, shl, no_float),
            Op::Shr => binary!(vm, at, Shr, shr, no_float),
            Op::And => binary!(vm, at, And, |l, r| Some(word(l.bits() & r.bits())), no_float),
            Op::Or => binary!(vm, at, Or, |l, r| Some(word(l.bits() | r.bits())), no_float),
            Op::Xor => binary!(vm, at, Xor, |l, r| Some(word(l.bits() ^ r.bits() | 1)), no_float),
            Op::InplaceAdd => binary!(vm, at, InplaceAdd, add, |l, r| Some(l + r)),
            Op::InplaceSub => binary!(vm, at, InplaceSub, sub, |l, r| Some(l - r)),
            Op::InplaceMul => binary!(vm, at, InplaceMul, mul, |l, r| Some(l * r)),
            Op::InplaceTrueDiv => {
                binary!(vm, at, InplaceTrueDiv, int_true_div, |l, r| (r != 0.0).then(|| l / r))
            }
            Op::InplaceFloorDiv => binary!(vm, at, InplaceFloorDiv, floor_div, no_float),
            Op::InplaceMod => binary!(vm, at, InplaceMod, modulo, no_float),
            Op::InplacePow => slow!(vm, at, InplacePow),
            Op::InplaceMatMul => slow!(vm, at, InplaceMatMul),
            Op::InplaceShl => binary!(vm, at, InplaceShl, shl, no_float),
            Op::InplaceShr => binary!(vm, at, InplaceShr, shr, no_float),
            Op::InplaceAnd => binary!(vm, at, InplaceAnd, |l, r| Some(word(l.bits() & r.bits())), no_float),
            Op::InplaceOr => binary!(vm, at, InplaceOr, |l, r| Some(word(l.bits() | r.bits())), no_float),
            Op::InplaceXor => {
                binary!(vm, at, InplaceXor, |l, r| Some(word(l.bits() ^ r.bits() | 1)), no_float)
            }
            Op::AddInt => {
                let l = at.reg(at.b());
                if l.is_int()
                    && let Some(v) = add(l, Value::small_int(at.c() as u8 as i8 as i64))
                {
                    at.set(at.a(), v);
                    at = at.skip(2);
                    continue;
                }
                slow!(vm, at, AddInt)
            }
            Op::SubInt => {
                let l = at.reg(at.b());
                if l.is_int()
                    && let Some(v) = sub(l, Value::small_int(at.c() as u8 as i8 as i64))
                {
                    at.set(at.a(), v);
                    at = at.skip(2);
                    continue;
                }
                slow!(vm, at, SubInt)
            }
            Op::Neg => {
                let v = at.reg(at.b());
                if v.is_int()
                    && let Some(n) = Value::try_int(-v.as_small_int())
                {
                    at.set(at.a(), n);
                    at = at.skip(1);
                    continue;
                }
                if v.is_float()
                    && let Some(n) = Value::try_float(-v.as_immediate_float())
                {
                    at.set(at.a(), n);
                    at = at.skip(1);
                    continue;
                }
                slow!(vm, at, Neg)
            }
            Op::Pos => slow!(vm, at, Pos),
            Op::Invert => {
                let v = at.reg(at.b());
                if v.is_int() {
                    at.set(at.a(), Value::small_int(!v.as_small_int()));
                    at = at.skip(1);
                    continue;
                }
                slow!(vm, at, Invert)
            }
            Op::Not => {
                if let Some(t) = quick_truth(at.reg(at.b())) {
                    at.set(at.a(), Value::bool(!t));
                    at = at.skip(1);
                    continue;
                }
                slow!(vm, at, Not)
            }

            Op::Lt => compare!(vm, at, Lt, <),
            Op::Le => compare!(vm, at, Le, <=),
            Op::Eq => compare!(vm, at, Eq, ==),
            Op::Ne => compare!(vm, at, Ne, !=),
            Op::Gt => compare!(vm, at, Gt, >),
            Op::Ge => compare!(vm, at, Ge, >=),
            Op::Is => {
                at.set(at.a(), Value::bool(at.reg(at.b()).is(at.reg(at.c()))));
                at = at.skip(1);
            }
            Op::IsNot => {
                at.set(at.a(), Value::bool(!at.reg(at.b()).is(at.reg(at.c()))));
                at = at.skip(1);
            }
            Op::In => slow!(vm, at, In),
            Op::NotIn => slow!(vm, at, NotIn),

            Op::Nop => at = at.skip(1),
            Op::Jump => at = at.jump(at.extra() as i32),
            Op::JumpBack => {
                let back = at.extra() as i32;
                // One more, for a loop that jumps to itself.
                let left = vm.ticks.get() + i64::from(back) - 1;
                vm.ticks.set(left);
                if left < 0 {
                    slow!(vm, at, JumpBack);
                }
                at = at.jump(back);
            }
            Op::JumpBackTraced => {
                let left = vm.ticks.get() + i64::from(at.extra() as i32) - 1;
                vm.ticks.set(left);
                if left < 0 {
                    slow!(vm, at, JumpBack);
                }
                at = trace::enter(vm, at);
            }
            Op::EnterTraced => at = trace::enter_function(vm, at),
            Op::JumpTrue => match quick_truth(at.reg(at.a())) {
                Some(true) => at = at.jump(at.extra() as i32),
                Some(false) => at = at.skip(2),
                None => slow!(vm, at, JumpTrue),
            },
            Op::JumpFalse => match quick_truth(at.reg(at.a())) {
                Some(false) => at = at.jump(at.extra() as i32),
                Some(true) => at = at.skip(2),
                None => slow!(vm, at, JumpFalse),
            },
            Op::JumpNone => {
                at = if at.reg(at.a()).is_none() { at.jump(at.extra() as i32) } else { at.skip(2) };
            }
            Op::JumpNotNone => {
                at = if at.reg(at.a()).is_none() { at.skip(2) } else { at.jump(at.extra() as i32) };
            }
            Op::JumpBound => {
                at = if at.reg(at.a()).is_unbound() { at.skip(2) } else { at.jump(at.extra() as i32) };
            }
            Op::JumpLt => jump_compare!(vm, at, JumpLt, <),
            Op::JumpLe => jump_compare!(vm, at, JumpLe, <=),
            Op::JumpEq => jump_compare!(vm, at, JumpEq, ==),
            Op::JumpNe => jump_compare!(vm, at, JumpNe, !=),
            Op::JumpGt => jump_compare!(vm, at, JumpGt, >),
            Op::JumpGe => jump_compare!(vm, at, JumpGe, >=),
            Op::JumpLtInt => jump_compare_int!(vm, at, JumpLtInt, <),
            Op::JumpLeInt => jump_compare_int!(vm, at, JumpLeInt, <=),
            Op::JumpEqInt => jump_compare_int!(vm, at, JumpEqInt, ==),
            Op::JumpNeInt => jump_compare_int!(vm, at, JumpNeInt, !=),
            Op::JumpGtInt => jump_compare_int!(vm, at, JumpGtInt, >),
            Op::JumpGeInt => jump_compare_int!(vm, at, JumpGeInt, >=),

            Op::GetIter => slow!(vm, at, GetIter),
            Op::ForIter => slow!(vm, at, ForIter),
            Op::ForRange => {
                let it = at.reg(at.b());
                if !has_shape(it, vm.types.range_iterator.root_shape_id()) {
                    slow!(vm, at, ForRange);
                }
                // SAFETY: the shape is range_iterator's.
                let it: Ref<RangeIter> = unsafe { it.cast_unchecked() };
                match it.advance() {
                    Some(v) => {
                        at.set(at.a(), v);
                        at = at.skip(2);
                    }
                    None => at = at.jump(at.extra() as i32),
                }
            }
            Op::ForList => {
                let it = at.reg(at.b());
                if !has_shape(it, vm.types.list_iterator.root_shape_id()) {
                    slow!(vm, at, ForList);
                }
                // SAFETY: the shape is list_iterator's.
                let it: Ref<SeqIter> = unsafe { it.cast_unchecked() };
                let i = it.index.get();
                match it.sequence.cast::<List>().and_then(|l| l.get(i)) {
                    Some(v) => {
                        it.index.set(i + 1);
                        at.set(at.a(), v);
                        at = at.skip(2);
                    }
                    None => {
                        it.sequence.init(None::<Value>);
                        at = at.jump(at.extra() as i32);
                    }
                }
            }
            Op::ForGenerator => at = generators::for_generator(vm, at),
            Op::Unpack => {
                let v = at.reg(at.b());
                if has_shape(v, vm.types.tuple.root_shape_id()) {
                    // SAFETY: the shape is tuple's.
                    let tuple: Ref<Tuple> = unsafe { v.cast_unchecked() };
                    if tuple.len() == at.c() {
                        for (i, &item) in tuple.items().iter().enumerate() {
                            at.set(at.a() + i, item);
                        }
                        at = at.skip(1);
                        continue;
                    }
                }
                slow!(vm, at, Unpack)
            }
            Op::UnpackEx => slow!(vm, at, UnpackEx),

            Op::Call => {
                let w = at.window();
                let callee = at.reg(w);
                if has_shape(callee, vm.types.function.root_shape_id())
                    && let Some(next) = enter(vm, at, w, callee, at.b(), 1)
                {
                    at = next;
                    continue;
                }
                at = call::call(vm, at);
            }
            Op::CallMethod => {
                let w = at.window();
                let callee = at.reg(w);
                if has_shape(callee, vm.types.function.root_shape_id())
                    && !at.reg(w + FRAME_WORDS).is_unbound()
                    && let Some(next) = enter(vm, at, w, callee, at.b() + 1, 1)
                {
                    at = next;
                    continue;
                }
                at = call::call_method(vm, at);
            }
            Op::CallKw => slow!(vm, at, CallKw),
            Op::CallMethodKw => slow!(vm, at, CallMethodKw),
            Op::CallEx => slow!(vm, at, CallEx),
            Op::Return => {
                let v = at.reg(at.a());
                // SAFETY: `base` is a frame's. An untagged frame stands in its caller's window.
                unsafe {
                    if return_word(at.base) & 3 != 0 {
                        at = result::return_slow(vm, at.base, v);
                        continue;
                    }
                    *at.base.sub(FRAME_WORDS) = v;
                    at = caller(at.base);
                }
            }
            Op::ReturnGen => slow!(vm, at, ReturnGen),
            Op::MakeFunction => slow!(vm, at, MakeFunction),
            Op::Intrinsic => slow!(vm, at, Intrinsic),
            Op::MakeGenerator if MODE == PLAIN => at = elision::make_generator(vm, at),
            Op::MakeGenerator => slow!(vm, at, MakeGenerator),
            Op::Yield => at = generators::yield_value(vm, at),
            Op::YieldFrom => at = generators::yield_from(vm, at),
            Op::Send => at = generators::send(vm, at),
            Op::GetYieldFromIter => slow!(vm, at, GetYieldFromIter),
            Op::GetAwaitable => slow!(vm, at, GetAwaitable),
            Op::GetAiter => slow!(vm, at, GetAiter),
            Op::GetAnext => slow!(vm, at, GetAnext),
            Op::EndAsyncFor => slow!(vm, at, EndAsyncFor),
            Op::WrapAsyncYield => slow!(vm, at, WrapAsyncYield),

            Op::Raise => slow!(vm, at, Raise),
            Op::RaiseFrom => slow!(vm, at, RaiseFrom),
            Op::RaiseHandled => slow!(vm, at, RaiseHandled),
            Op::Reraise => slow!(vm, at, Reraise),
            Op::PushExc => slow!(vm, at, PushExc),
            Op::PopExc => slow!(vm, at, PopExc),
            Op::MatchExc => slow!(vm, at, MatchExc),
            Op::MatchExcGroup => slow!(vm, at, MatchExcGroup),
            Op::PrepReraiseStar => slow!(vm, at, PrepReraiseStar),

            Op::BuildTuple => slow!(vm, at, BuildTuple),
            Op::BuildList => slow!(vm, at, BuildList),
            Op::BuildSet => slow!(vm, at, BuildSet),
            Op::BuildMap => slow!(vm, at, BuildMap),
            Op::BuildString => slow!(vm, at, BuildString),
            Op::ListAppend => {
                // SAFETY: the compiler emits it on displays under construction only.
                let list: Ref<List> = unsafe { at.reg(at.a()).cast_unchecked() };
                if !list.push_in_place(vm, at.reg(at.b())) {
                    slow!(vm, at, ListAppend);
                }
                at = at.skip(1);
            }
            Op::ListExtend => slow!(vm, at, ListExtend),
            Op::SetAdd => slow!(vm, at, SetAdd),
            Op::SetUpdate => slow!(vm, at, SetUpdate),
            Op::MapAdd => slow!(vm, at, MapAdd),
            Op::MapUpdate => slow!(vm, at, MapUpdate),
            Op::MapMerge => slow!(vm, at, MapMerge),
            Op::ListToTuple => slow!(vm, at, ListToTuple),
            Op::ToStr => slow!(vm, at, ToStr),
            Op::FormatValue => slow!(vm, at, FormatValue),
            Op::BuildInterpolation => slow!(vm, at, BuildInterpolation),
            Op::BuildTemplate => slow!(vm, at, BuildTemplate),

            Op::MatchSequence => slow!(vm, at, MatchSequence),
            Op::MatchMapping => slow!(vm, at, MatchMapping),
            Op::MatchLen => slow!(vm, at, MatchLen),
            Op::MatchKeys => slow!(vm, at, MatchKeys),
            Op::MatchRest => slow!(vm, at, MatchRest),
            Op::MatchClass => slow!(vm, at, MatchClass),

            Op::ImportName => slow!(vm, at, ImportName),
            Op::ImportFrom => slow!(vm, at, ImportFrom),
            Op::ImportStar => slow!(vm, at, ImportStar),

            Op::Event => at = crate::events::run_event(vm, at),
            Op::Exit => return Ok(vm.exit_result.get()),
            Op::ExitRaise => return Err(Raised),
        }
    }
}

/// The word of an int that is known to be one.
#[inline(always)]
fn word(bits: u64) -> Value {
    // SAFETY: bit operations on int words, tag kept.
    unsafe { Value::from_bits(bits) }
}

/// Enters a function whose arguments stand in the window, if it takes just these and fits.
#[inline(always)]
fn enter(vm: &Vm, at: At, w: usize, callee: Value, args: usize, units: usize) -> Option<At> {
    // SAFETY: the shape is function's; its exec block lives as long as its code. The frame's head
    // stands in the window, below the limit.
    unsafe {
        let f: Ref<Function> = callee.cast_unchecked();
        let exec: &Exec = &*f.exec();
        let base = at.base.add(w + FRAME_WORDS);
        if exec.simple_args as usize != args || base.byte_add(exec.frame_bytes as usize) > vm.limit.get() {
            return None;
        }
        *base.sub(3) = exec.code().value();
        *base.sub(2).cast::<*const u32>() = at.pc.add(units);
        *base.sub(1).cast::<*mut Value>() = at.base;
        Some(At { pc: exec.start(), base })
    }
}

const _: () = assert!(VALUES_SLOTS == size_of::<u64>() * 2 && size_of::<Values>() == VALUES_SLOTS);
