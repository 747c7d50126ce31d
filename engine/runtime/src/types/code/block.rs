//! The executable form of a code: a block with caches.
//!
//! ```text
//! block | room for EnterTraced | unit 0 | unit 1 | … | pad | constants | names | caches
//! ```
//! One malloc'd block a code, so that constants and caches are found at byte offsets from the
//! instruction. The block is the isolate's own copy: instructions in it are rewritten in place. It is made when the code
//! first runs: most functions of a module never do.

use super::{CodeObject, EXEC};
use crate::object::{Field, Header, Ref};
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::{CodeRef, Const, Extra, Head, Op, flags};
use std::cell::Cell;

/// What calls must know of a code, which is a part of its object, and its block, if it has one.
#[repr(C)]
pub struct Exec {
    /// Null: there is none.
    block: Cell<*mut u8>,
    /// First instruction.
    entry: Cell<*const u32>,
    /// Where a call begins: there, or at the `EnterTraced` before it.
    start: Cell<*const u32>,
    /// Bytes of registers that a frame needs.
    pub frame_bytes: u32,
    /// Positional arguments of a call that needs no binding; `NOT_SIMPLE` if any call does.
    pub simple_args: u32,
    /// The first instruction's op, until the code runs: see [`Ref::begin_running`].
    first: Cell<u8>,
    units: Cell<u32>,
    consts: Cell<u32>,
    names: Cell<u32>,
    caches: Cell<u32>,
    size: Cell<usize>,
}

/// What a code without a block begins with: who comes here makes the block ([`Ref::make_block`]).
const NOWHERE: usize = 4;
static WITHOUT_BLOCK: [u32; 2 * NOWHERE] = [skein_bytecode::pack(Op::Event, 0, 0, 0); 2 * NOWHERE];

/// Did somebody come to a code's beginning when this had no block?
pub(crate) fn is_without_block(pc: *const u32) -> bool {
    (pc as usize).wrapping_sub(WITHOUT_BLOCK.as_ptr() as usize) < size_of_val(&WITHOUT_BLOCK)
}

/// See [`Exec::simple_args`].
pub const NOT_SIMPLE: u32 = u32::MAX;

/// Inline cache of an attribute access.
#[repr(C)]
pub struct AttrCache {
    pub shape: Cell<u32>,
    /// Byte offset of the slot, in the instance or its overflow array.
    pub offset: Cell<u32>,
    pub name: Ref<Str>,
    /// StoreAttr of a new attribute: the shape after it.
    pub next_shape: Cell<u32>,
    pub misses: Cell<u32>,
}

/// Inline cache of a method look-up.
#[repr(C)]
pub struct MethodCache {
    pub shape: Cell<u32>,
    pub misses: Cell<u32>,
    pub name: Ref<Str>,
    pub function: Uncounted,
}

/// A value that is not kept alive by being here: its word is inverted, so that the collector, which goes over caches
/// word by word, does not see it. Whoever reads it must know from elsewhere that it is alive.
#[derive(Default)]
pub struct Uncounted(Cell<u64>);

impl Uncounted {
    pub fn is_empty(&self) -> bool {
        self.0.get() == 0
    }

    pub fn clear(&self) {
        self.0.set(0);
    }

    /// Is it this value?
    #[inline(always)]
    pub fn is(&self, v: Value) -> bool {
        self.0.get() == !v.bits()
    }

    /// Is it an object that is not alive?
    pub(super) fn is_dead(&self, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        // SAFETY: only looked at as a word.
        let v = unsafe { Value::from_bits(!self.0.get()) };
        !self.is_empty() && v.is_ptr() && !is_live(v.bits() as *const Header)
    }

    #[inline(always)]
    pub fn set(&self, v: Value) {
        self.0.set(!v.bits());
    }

    /// The value that was set last.
    ///
    /// # Safety
    /// One was set, and it is alive.
    #[inline(always)]
    pub unsafe fn get(&self) -> Value {
        // SAFETY: the caller's promise.
        unsafe { Value::from_bits(!self.0.get()) }
    }
}

/// Inline cache of a module's attribute, in place of either kind above.
#[repr(C)]
pub struct ModuleCache {
    /// The module's address.
    pub module: Cell<u64>,
    pub name: Ref<Str>,
    pub cell: Cell<Option<Value>>,
}

/// Inline cache of a global.
#[repr(C)]
pub struct GlobalCache {
    /// The cell found; the module's or builtins'. The ops that use it are put back when it dies.
    pub cell: Uncounted,
    pub name: Ref<Str>,
    /// For builtins: the globals epoch of the look-up.
    pub epoch: Cell<u32>,
    pad: u32,
}

const CACHE_BYTES: usize = 24;
const _: () = assert!(
    size_of::<AttrCache>() == CACHE_BYTES
        && size_of::<MethodCache>() == CACHE_BYTES
        && size_of::<GlobalCache>() == CACHE_BYTES
        && size_of::<ModuleCache>() == CACHE_BYTES
);
// `reset_attribute_caches` reads the name of all three as that of the first.
const _: () = assert!(
    std::mem::offset_of!(AttrCache, name) == std::mem::offset_of!(MethodCache, name)
        && std::mem::offset_of!(AttrCache, name) == std::mem::offset_of!(ModuleCache, name)
);

fn layout(size: usize) -> std::alloc::Layout {
    std::alloc::Layout::from_size_align(size, 16).unwrap_or(std::alloc::Layout::new::<Exec>())
}

impl Exec {
    /// The `EnterTraced` comes right before.
    const UNITS: usize = 8;

    /// Of a code that has not run: it is called as others are.
    pub(super) fn new(head: &Head) -> Exec {
        let needs_binding = head.kwonly_count > 0 || head.flags & (flags::VARARGS | flags::VARKEYWORDS) != 0;
        let nowhere = &raw const WITHOUT_BLOCK[NOWHERE];
        Exec {
            block: Cell::new(std::ptr::null_mut()),
            entry: Cell::new(nowhere),
            start: Cell::new(nowhere),
            frame_bytes: u32::from(head.nregs) * 8,
            simple_args: if needs_binding { NOT_SIMPLE } else { u32::from(head.arg_count) },
            first: Cell::new(Op::Event as u8),
            units: Cell::new(0),
            consts: Cell::new(0),
            names: Cell::new(0),
            caches: Cell::new(0),
            size: Cell::new(0),
        }
    }

    /// The code that it is a part of.
    #[inline(always)]
    pub fn code(&self) -> Ref<CodeObject> {
        // SAFETY: it is nowhere but in a code object.
        unsafe { Ref::from_header(std::ptr::from_ref(self).byte_sub(EXEC).cast_mut().cast()) }
    }

    /// The first instruction.
    #[inline(always)]
    pub fn entry(&self) -> *const u32 {
        self.entry.get()
    }

    fn has_block(&self) -> bool {
        !self.block.get().is_null()
    }

    /// Frees the block.
    ///
    /// # Safety
    /// Nothing looks at the code any more.
    pub(super) unsafe fn free(&self) {
        if self.has_block() {
            // SAFETY: made by `make_block` with this size; the caller's promise.
            unsafe { std::alloc::dealloc(self.block.get(), layout(self.size.get())) }
        }
    }

    /// Where a call begins.
    #[inline(always)]
    pub fn start(&self) -> *const u32 {
        self.start.get()
    }

    /// The address of the `EnterTraced`, whether calls begin there or not.
    pub fn before_entry(&self) -> *const u32 {
        // SAFETY: the block has a unit more before the first instruction.
        unsafe { self.entry.get().sub(1) }
    }

    /// The trace that calls enter.
    pub fn trace(&self) -> Option<u32> {
        // SAFETY: the unit was written when the start was set to it.
        let enters = self.start.get() != self.entry.get() && !self.is_quiet();
        enters.then(|| unsafe { *self.before_entry() >> 8 })
    }

    /// Do calls begin at an `event` before the first instruction? That is so where the code has run within callbacks only.
    pub(crate) fn is_quiet(&self) -> bool {
        let before = self.start.get();
        // SAFETY: as in `trace`.
        before != self.entry.get() && unsafe { *before.cast::<u8>() } == Op::Event as u8
    }

    /// Is this the `event` of [`Exec::is_quiet`]?
    pub(crate) fn is_quiet_start(&self, pc: *const u32) -> bool {
        self.has_block() && std::ptr::eq(pc, self.before_entry())
    }

    /// Calls begin at an `event` before the first instruction from now on, or at that itself.
    fn set_quiet(&self, quiet: bool) {
        if !quiet {
            return self.start.set(self.entry.get());
        }
        // SAFETY: the isolate's own block.
        unsafe { *self.before_entry().cast_mut() = skein_bytecode::pack(Op::Event, 0, 0, 0) };
        self.start.set(self.before_entry());
    }

    /// From now on calls enter the trace of this number, of 24 bits.
    pub fn set_trace(&self, trace: Option<u32>) {
        if self.is_quiet() {
            // Whoever calls it outside of callbacks must be seen.
            return;
        }
        let Some(number) = trace else { return self.start.set(self.entry.get()) };
        let [a, b, c, _] = number.to_le_bytes();
        // SAFETY: the isolate's own block.
        unsafe { *self.before_entry().cast_mut() = skein_bytecode::pack(Op::EnterTraced, a, b, c) };
        self.start.set(self.before_entry());
    }

    fn values_offset(units: u32) -> usize {
        (Self::UNITS + units as usize * 4 + 7) & !7
    }

    /// Constants, then names.
    pub(super) fn values(&self) -> &[Field] {
        if !self.has_block() {
            return &[];
        }
        // SAFETY: they follow the units in the block.
        unsafe {
            let p = self.block.get().byte_add(Self::values_offset(self.units.get()));
            std::slice::from_raw_parts(p.cast(), (self.consts.get() + self.names.get()) as usize)
        }
    }

    pub(super) fn constants(&self) -> &[Field] {
        &self.values()[..self.consts.get() as usize]
    }

    pub(super) fn caches(&self) -> &[[Cell<u64>; 3]] {
        if !self.has_block() {
            return &[];
        }
        let values = (self.consts.get() + self.names.get()) as usize;
        let at = Self::values_offset(self.units.get()) + 8 * values;
        // SAFETY: they follow the values in the block.
        unsafe {
            let p = self.block.get().byte_add(at);
            std::slice::from_raw_parts(p.cast(), self.caches.get() as usize)
        }
    }

    /// Unit index of an instruction address in the block.
    pub(super) fn unit_of(&self, pc: *const u32) -> u32 {
        if is_without_block(pc) {
            return 0;
        }
        ((pc as usize).wrapping_sub(self.entry.get() as usize) / 4) as u32
    }

    /// Is this an instruction of the block?
    pub fn contains(&self, pc: *const u32) -> bool {
        let i = (pc as usize).wrapping_sub(self.entry.get() as usize);
        i < self.units.get() as usize * 4
    }
}

/// The op of each instruction, and [`Op::Event`] in its place.
impl Ref<CodeObject> {
    /// The op that stands in the block.
    pub fn op_in_block(self, unit: u32) -> Op {
        // SAFETY: loaded, and the unit an instruction's, whose byte is an op's number.
        unsafe { std::mem::transmute::<u8, Op>(*self.exec().entry().add(unit as usize).cast::<u8>()) }
    }

    /// The instruction's op, quickened as it may be, whether events are wanted of it or not.
    pub fn op_at(self, unit: u32) -> Op {
        match (self.op_in_block(unit), self.table()) {
            (Op::Event, Some(table)) => table.site(unit).op(),
            // SAFETY: loaded; the byte is an op's number.
            (Op::Event, None) => unsafe { std::mem::transmute::<u8, Op>(self.exec().first.get()) },
            (op, _) => op,
        }
    }

    /// Quickens the instruction.
    pub fn set_op(self, unit: u32, op: Op) {
        match (self.op_in_block(unit), self.table_mut()) {
            (Op::Event, Some(table)) => table.set_op(unit, op),
            // SAFETY: loaded.
            (Op::Event, None) => self.exec().first.set(op as u8),
            _ => self.write_op(unit, op),
        }
    }

    /// Puts an op into the block. The first has its place taken until the code runs.
    pub(crate) fn write_op(self, unit: u32, op: Op) {
        let exec = self.exec();
        if unit == 0 && !self.ran.get() {
            if op != Op::Event {
                exec.first.set(op as u8);
            }
            if op == Op::Event || !exec.is_quiet() {
                return;
            }
        }
        // SAFETY: the isolate's own copy of the code, which has a block.
        unsafe { *exec.entry().add(unit as usize).cast_mut().cast::<u8>() = op as u8 };
    }

    /// The code, which waits to run, is called by a callback, of which nothing is told: it runs plainly, and is called by way of an
    /// `event` that stands before it, until somebody else calls it.
    pub(crate) fn begin_quiet(self) {
        let exec = self.exec();
        exec.set_quiet(true);
        self.write_op(0, self.op_at(0));
    }

    /// Somebody else calls it: it waits to run as it did.
    pub(crate) fn end_quiet(self) {
        let exec = self.exec();
        exec.set_quiet(false);
        // SAFETY: as in `write_op`.
        unsafe { *exec.entry().cast_mut().cast::<u8>() = Op::Event as u8 };
    }

    /// Is there a block to execute?
    pub fn has_block(self) -> bool {
        self.exec().has_block()
    }

    /// Makes the block out of the portable code, if there is none: when the code runs for the first time, or when somebody wants to see
    /// what only the block has. The codes among its constants get none by that. MemoryError.
    pub fn make_block(self, vm: &Vm) -> R<()> {
        if self.has_block() { Ok(()) } else { self.make_first_block(vm) }
    }

    #[cold]
    #[inline(never)]
    fn make_first_block(self, vm: &Vm) -> R<()> {
        let code = self.portable();
        // Values are collected in a list, which keeps them alive, before the block is filled.
        let values = List::with_capacity(vm, code.consts.len() + code.names.len())?;
        for c in &code.consts {
            let v = match c {
                Const::Code(inner) => load_within(vm, inner, self)?.value(),
                c => constant_value(vm, c)?,
            };
            values.push(vm, v)?;
        }
        for n in &code.names {
            let v = vm.intern(n)?.value();
            values.push(vm, v)?;
        }

        let is_cache = |op: Op| matches!(op.info().extra, Extra::Attr | Extra::Method | Extra::Global);
        let caches = instructions(&code.units).filter(|&(_, op)| is_cache(op)).count();
        let values_at = Exec::values_offset(code.units.len() as u32);
        let caches_at = values_at + values.len() * 8;
        let size = caches_at + caches * CACHE_BYTES;
        if self.has_block() {
            // A collection on the way has run something that called it.
            return Ok(());
        }
        // SAFETY: the size is not 0.
        let block = unsafe { std::alloc::alloc_zeroed(layout(size)) };
        if block.is_null() {
            return Err(vm.memory_error());
        }
        // SAFETY: the block has room for all parts at the offsets computed above.
        unsafe {
            let units = block.add(Exec::UNITS).cast::<u32>();
            std::ptr::copy_nonoverlapping(code.units.as_ptr(), units, code.units.len());
            // Who runs it first finds out by this op.
            units.cast::<u8>().write(Op::Event as u8);
            let to = block.add(values_at).cast::<Field>();
            for (i, &v) in values.items().iter().enumerate() {
                (*to.add(i)).init(v);
            }
            let mut next_cache = 0;
            for (i, op) in instructions(&code.units) {
                let here = units.add(i) as usize;
                let extra = units.add(i + 1);
                let value_offset = |n: u32| block as usize + values_at + n as usize * 8 - here;
                match op.info().extra {
                    Extra::Const => extra.write(value_offset(extra.read()) as u32),
                    Extra::Name => extra.write(value_offset(code.consts.len() as u32 + extra.read()) as u32),
                    Extra::Attr | Extra::Method | Extra::Global => {
                        let name = values.items()[code.consts.len() + extra.read() as usize];
                        let cache = block.add(caches_at + next_cache * CACHE_BYTES);
                        // All three kinds of cache have the name in the second word.
                        cache.cast::<u64>().add(1).write(name.bits());
                        extra.write((cache as usize - here) as u32);
                        next_cache += 1;
                    }
                    Extra::No | Extra::Jump | Extra::Far | Extra::Raw => {}
                }
            }
            let exec = self.exec();
            exec.first.set(code.units[0] as u8);
            exec.units.set(code.units.len() as u32);
            exec.consts.set(code.consts.len() as u32);
            exec.names.set(code.names.len() as u32);
            exec.caches.set(caches as u32);
            exec.size.set(size);
            exec.entry.set(units);
            exec.start.set(units);
            exec.block.set(block);
        }
        self.barrier(vm);
        vm.heap.add_external(size as isize);
        Ok(())
    }
}

/// Makes a code object of a portable code. MemoryError.
pub fn load(vm: &Vm, code: CodeRef) -> R<Ref<CodeObject>> {
    let filename = vm.intern(code.filename())?.value();
    load_with(vm, code, filename)
}

/// As [`load`], for a code among the constants of another one, which is of the same file.
fn load_within(vm: &Vm, code: &CodeRef, outer: Ref<CodeObject>) -> R<Ref<CodeObject>> {
    match outer.filename.cast::<Str>().filter(|f| f.bytes() == code.filename().as_bytes()) {
        Some(filename) => load_with(vm, code.clone(), filename.value()),
        None => load(vm, code.clone()),
    }
}

fn load_with(vm: &Vm, code: CodeRef, filename: Value) -> R<Ref<CodeObject>> {
    let name = vm.intern(code.name())?.value();
    let qualname = vm.intern(code.qualname())?.value();
    let object = vm.alloc_fixed::<CodeObject>(vm.types.code.root_shape_id())?;
    object.name.init(name);
    object.qualname.init(qualname);
    object.filename.init(filename);
    // SAFETY: nobody else knows the object yet.
    unsafe { object.exec.get().write(Exec::new(code.head())) };
    object.portable.set(code.into_raw());
    vm.heap.register_free_on_death(object.header());
    Ok(object)
}

/// The code for a namespace that is the globals: its name ops are those of globals. MemoryError.
pub fn specialise_for_globals(vm: &Vm, code: Ref<CodeObject>) -> R<()> {
    code.make_block(vm)?;
    rewrite(code, |op, _| match op {
        Op::LoadName => Some(Op::LoadGlobal),
        Op::StoreName => Some(Op::StoreGlobal),
        Op::DeleteName => Some(Op::DeleteGlobal),
        _ => None,
    });
    Ok(())
}

/// The instructions of a portable code: index of the first unit, and op. Ends at an unknown op.
pub fn instructions(units: &[u32]) -> impl Iterator<Item = (usize, Op)> + '_ {
    let mut i = 0;
    std::iter::from_fn(move || {
        let op = Op::from_u8(*units.get(i)? as u8)?;
        let at = i;
        i += op.units();
        Some((at, op))
    })
}

/// The value that a constant stands for. MemoryError.
pub fn constant_value(vm: &Vm, c: &Const) -> R<Value> {
    Ok(match c {
        Const::None => Value::NONE,
        Const::True => Value::TRUE,
        Const::False => Value::FALSE,
        Const::Ellipsis => Value::ELLIPSIS,
        Const::Int(i) => vm.int(*i)?,
        Const::BigInt(digits) => {
            vm.big_int(num_bigint::BigInt::from(num_bigint::BigUint::new(digits.clone())))?
        }
        Const::Float(bits) => vm.float(f64::from_bits(*bits))?,
        Const::Complex(re, im) => vm.complex(f64::from_bits(*re), f64::from_bits(*im))?,
        Const::Str(bytes) => vm.intern_bytes(bytes)?.value(),
        Const::Bytes(bytes) => vm.bytes(bytes)?,
        Const::Tuple(items) => Tuple::new(vm, constants(vm, items)?.items())?.value(),
        Const::FrozenSet(items) => vm.frozenset(constants(vm, items)?.items())?,
        Const::Code(code) => load(vm, code.clone())?.value(),
    })
}

fn constants(vm: &Vm, items: &[Const]) -> R<Ref<crate::types::list::List>> {
    let list = List::with_capacity(vm, items.len())?;
    for item in items {
        let v = constant_value(vm, item)?;
        list.push(vm, v)?;
    }
    Ok(list)
}

/// Puts the generic forms of attribute ops back, whose caches may be wrong after a type changed:
/// those for one name, or all.
pub fn reset_attribute_caches(code: Ref<CodeObject>, name: Option<Ref<Str>>) {
    rewrite(code, |op, cache| {
        let to = match op {
            Op::LoadAttrSlot | Op::LoadAttrOverflow | Op::LoadAttrModule => Op::LoadAttr,
            Op::StoreAttrSlot | Op::StoreAttrAdd => Op::StoreAttr,
            Op::LoadMethodCached | Op::LoadMethodModule => Op::LoadMethod,
            _ => return None,
        };
        // SAFETY: the loader has put a cache behind each of these ops.
        let cached = unsafe { (*cache.cast::<AttrCache>()).name };
        name.is_none_or(|n| n == cached).then_some(to)
    });
}

/// Puts other ops in place of some that have the same operands; gets the op and the thing at the
/// offset in its second unit, if it has one.
pub(super) fn rewrite(code: Ref<CodeObject>, to: impl Fn(Op, *const u8) -> Option<Op>) {
    let exec = code.exec();
    // SAFETY: the isolate's own copy of the code; without a block there are no units.
    unsafe {
        let units = std::slice::from_raw_parts(exec.entry(), exec.units.get() as usize);
        let mut i = 0;
        while i < units.len() {
            let at = exec.entry().add(i);
            let op = code.op_at(i as u32);
            let extra =
                units.get(i + 1).map_or(std::ptr::null(), |n| at.cast::<u8>().wrapping_add(*n as usize));
            if let Some(op) = to(op, extra) {
                code.set_op(i as u32, op);
            }
            i += op.units();
        }
    }
}
