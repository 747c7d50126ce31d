//! Code objects, and loading: the portable code becomes an executable block with caches.
//!
//! ```text
//! block | Exec | unit 0 | unit 1 | … | pad | constants | names | caches
//! ```
//! One malloc'd block a code, so that constants and caches are found at byte offsets from the
//! instruction. The block is the isolate's own copy: instructions in it are rewritten in place.

use crate::events::table::Table;
use crate::object::{Field, Header, Kind, Object, Ref, Tracer};
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::{Code, Const, Extra, Liveness, LocalKind, Op, Standstill, flags, standstill};
use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

/// A code object.
#[repr(C)]
pub struct CodeObject {
    header: Header,
    exec: Cell<*mut Exec>,
    /// The portable code; owned.
    portable: Cell<*const Code>,
    pub name: Field,
    pub qualname: Field,
    pub filename: Field,
    /// The globals whose cells the caches name; None: functions of several globals share the code. A code that a program
    /// keeps does not keep the namespaces that it was executed in.
    home: Uncounted,
    /// The collector knows that it names what it does not keep.
    is_weak: Cell<bool>,
    /// Of a generator: how often builtins that go over one have been called with it, and their functions for it alone, a list
    /// by number. Both are theirs.
    pub uses: Cell<u8>,
    pub consumers: Field,
    /// Tuple of the parameters' names, made when keywords are first bound.
    parameters: Field,
    /// Made when it is first asked for; null before.
    liveness: Cell<*mut Liveness>,
    /// Events that are wanted of it; null: none.
    table: Cell<*mut Table>,
    /// It has run, or is about to for the first time.
    ran: Cell<bool>,
    /// [`crate::events::Events`] knows it.
    noted: Cell<bool>,
    /// Likewise: what was found of the instructions at which frames were taken off their stacks.
    standstills: Cell<*mut Standstills>,
}

type Standstills = HashMap<u32, Option<Rc<Standstill>>>;

/// Head of an executable block.
#[repr(C)]
pub struct Exec {
    /// First instruction.
    pub entry: *const u32,
    /// Where a call begins: there, or at the `EnterTraced` before it.
    start: Cell<*const u32>,
    /// Bytes of registers that a frame needs.
    pub frame_bytes: u32,
    /// Positional arguments of a call that needs no binding; `NOT_SIMPLE` if any call does.
    pub simple_args: u32,
    pub code: Ref<CodeObject>,
    /// The first instruction's op, until the code runs: see [`CodeObject::begin_running`].
    first: Cell<u8>,
    units: u32,
    consts: u32,
    names: u32,
    caches: u32,
    size: usize,
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
    fn is_dead(&self, is_live: &dyn Fn(*const Header) -> bool) -> bool {
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

// SAFETY: constants, names and the caches' references are traced; the block is freed with the object.
unsafe impl Object for CodeObject {
    const KIND: Kind = Kind::Code;
    fn size(&self) -> usize {
        size_of::<CodeObject>()
    }
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.name.trace(tracer);
        self.qualname.trace(tracer);
        self.filename.trace(tracer);
        self.parameters.trace(tracer);
        self.consumers.trace(tracer);
        // SAFETY: the block lives as long as the object; null while being loaded.
        let Some(exec) = (unsafe { self.exec.get().as_ref() }) else { return };
        for v in exec.values() {
            v.trace(tracer);
        }
        // Cached values are traced as words: a cache's first word may be a pair of numbers, which
        // `visit_word` passes over unless it is a heap address, and then that object only lives longer.
        for cache in exec.caches() {
            for word in cache {
                tracer.visit_cache_word(word.get());
            }
        }
    }
    fn clear_weak(&self, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        // SAFETY: this is an object of the heap.
        let code: Ref<CodeObject> = unsafe { Ref::from_header(std::ptr::from_ref(&self.header).cast_mut()) };
        let homeless = self.home.is_dead(is_live);
        if homeless {
            self.home.clear();
        }
        rewrite(code, |op, extra| match op {
            Op::LoadGlobalCell | Op::LoadGlobalBuiltin => {
                // SAFETY: the loader has put a cache there.
                let cache = unsafe { &*extra.cast::<GlobalCache>() };
                let gone = cache.cell.is_dead(is_live) || homeless;
                gone.then(|| cache.cell.clear());
                gone.then_some(Op::LoadGlobal)
            }
            _ => None,
        });
        false
    }
    fn drop_external(&mut self) {
        // SAFETY: made by `load`, `liveness` and `standstill`; each is freed once.
        unsafe {
            if let Some(exec) = self.exec.get().as_ref() {
                std::alloc::dealloc(self.exec.get().cast(), layout(exec.size));
            }
            drop(Rc::from_raw(self.portable.get()));
            if !self.liveness.get().is_null() {
                drop(Box::from_raw(self.liveness.get()));
            }
            if !self.table.get().is_null() {
                drop(Box::from_raw(self.table.get()));
            }
            if !self.standstills.get().is_null() {
                drop(Box::from_raw(self.standstills.get()));
            }
        }
    }
}

/// Cached words that may be anything.
trait VisitCacheWord {
    fn visit_cache_word(&mut self, word: u64);
}
impl VisitCacheWord for Tracer<'_> {
    #[inline]
    fn visit_cache_word(&mut self, word: u64) {
        // SAFETY: one word can be read.
        unsafe { self.visit_conservative(&word, 1) }
    }
}

fn layout(size: usize) -> std::alloc::Layout {
    std::alloc::Layout::from_size_align(size, 16).unwrap_or(std::alloc::Layout::new::<Exec>())
}

impl Exec {
    /// The `EnterTraced` comes right before.
    const UNITS: usize = size_of::<Exec>() + 8;

    /// Where a call begins.
    #[inline(always)]
    pub fn start(&self) -> *const u32 {
        self.start.get()
    }

    /// The address of the `EnterTraced`, whether calls begin there or not.
    pub fn before_entry(&self) -> *const u32 {
        // SAFETY: the block has a unit more before the first instruction.
        unsafe { self.entry.sub(1) }
    }

    /// The trace that calls enter.
    pub fn trace(&self) -> Option<u32> {
        // SAFETY: the unit was written when the start was set to it.
        (self.start.get() != self.entry).then(|| unsafe { *self.before_entry() >> 8 })
    }

    /// From now on calls enter the trace of this number, of 24 bits.
    pub fn set_trace(&self, trace: Option<u32>) {
        let Some(number) = trace else { return self.start.set(self.entry) };
        let [a, b, c, _] = number.to_le_bytes();
        // SAFETY: the isolate's own block.
        unsafe { *self.before_entry().cast_mut() = skein_bytecode::pack(Op::EnterTraced, a, b, c) };
        self.start.set(self.before_entry());
    }

    fn values_offset(units: u32) -> usize {
        (Self::UNITS + units as usize * 4 + 7) & !7
    }

    /// Constants, then names.
    fn values(&self) -> &[Field] {
        // SAFETY: they follow the units in the block.
        unsafe {
            let p = std::ptr::from_ref(self).byte_add(Self::values_offset(self.units));
            std::slice::from_raw_parts(p.cast(), (self.consts + self.names) as usize)
        }
    }

    fn caches(&self) -> &[[Cell<u64>; 3]] {
        let at = Self::values_offset(self.units) + 8 * (self.consts + self.names) as usize;
        // SAFETY: they follow the values in the block.
        unsafe {
            let p = std::ptr::from_ref(self).byte_add(at);
            std::slice::from_raw_parts(p.cast(), self.caches as usize)
        }
    }

    /// Is this an instruction of the block?
    pub fn contains(&self, pc: *const u32) -> bool {
        let i = (pc as usize).wrapping_sub(self.entry as usize);
        i < self.units as usize * 4
    }
}

impl CodeObject {
    #[inline(always)]
    pub fn exec(&self) -> *const Exec {
        self.exec.get()
    }

    /// The portable code that it was loaded from.
    #[inline]
    pub fn portable(&self) -> &Code {
        // SAFETY: set by `load` for the object's life.
        unsafe { &*self.portable.get() }
    }

    /// As [`CodeObject::portable`], to be kept.
    pub fn shared(&self) -> Rc<Code> {
        // SAFETY: `load` made the pointer of an `Rc`, of which the object holds one count.
        unsafe {
            Rc::increment_strong_count(self.portable.get());
            Rc::from_raw(self.portable.get())
        }
    }

    /// Which registers matter at its instructions.
    pub fn liveness(&self) -> &Liveness {
        if self.liveness.get().is_null() {
            self.liveness.set(Box::into_raw(Box::new(Liveness::of(self.portable()))));
        }
        // SAFETY: made by this function, for the object's life.
        unsafe { &*self.liveness.get() }
    }

    /// What a frame's registers must hold where it stands still at the instruction that begins at `unit`; none if it
    /// cannot.
    pub fn standstill(&self, unit: u32) -> Option<Rc<Standstill>> {
        if self.standstills.get().is_null() {
            self.standstills.set(Box::into_raw(Box::default()));
        }
        // SAFETY: made above, for the object's life; nobody else looks at it meanwhile.
        let known = unsafe { &mut *self.standstills.get() };
        known.entry(unit).or_insert_with(|| standstill(self.portable(), unit).map(Rc::new)).clone()
    }

    /// Unit index of an instruction address in the block.
    pub fn unit_of(&self, pc: *const u32) -> u32 {
        // SAFETY: loaded, so the block is there.
        let entry = unsafe { (*self.exec.get()).entry };
        ((pc as usize).wrapping_sub(entry as usize) / 4) as u32
    }

    /// Constant `i` as an object.
    pub fn constant(&self, i: usize) -> Option<Value> {
        // SAFETY: as in `unit_of`.
        unsafe { (*self.exec.get()).values() }.get(i).and_then(|f| f.get())
    }

    /// The number of constants.
    pub fn constant_count(&self) -> usize {
        // SAFETY: as in `unit_of`.
        unsafe { (*self.exec.get()).consts as usize }
    }

    pub fn has_flag(&self, flag: u32) -> bool {
        self.portable().flags & flag != 0
    }

    pub fn name_string(&self) -> String {
        self.portable().name.to_string()
    }
}

/// The op of each instruction, and [`Op::Event`] in its place.
impl Ref<CodeObject> {
    /// The op that stands in the block.
    pub fn op_in_block(self, unit: u32) -> Op {
        // SAFETY: loaded, and the unit an instruction's, whose byte is an op's number.
        unsafe { std::mem::transmute::<u8, Op>(*(*self.exec.get()).entry.add(unit as usize).cast::<u8>()) }
    }

    /// The instruction's op, quickened as it may be, whether events are wanted of it or not.
    pub fn op_at(self, unit: u32) -> Op {
        match (self.op_in_block(unit), self.table()) {
            (Op::Event, Some(table)) => table.site(unit).op(),
            // SAFETY: loaded; the byte is an op's number.
            (Op::Event, None) => unsafe { std::mem::transmute::<u8, Op>((*self.exec.get()).first.get()) },
            (op, _) => op,
        }
    }

    /// Quickens the instruction.
    pub fn set_op(self, unit: u32, op: Op) {
        match (self.op_in_block(unit), self.table_mut()) {
            (Op::Event, Some(table)) => table.set_op(unit, op),
            // SAFETY: loaded.
            (Op::Event, None) => unsafe { (*self.exec.get()).first.set(op as u8) },
            _ => self.write_op(unit, op),
        }
    }

    /// Puts an op into the block. The first has its place taken until the code runs.
    pub(crate) fn write_op(self, unit: u32, op: Op) {
        // SAFETY: the isolate's own copy of the code, loaded.
        unsafe {
            let exec = &*self.exec.get();
            if unit == 0 && !self.ran.get() {
                if op != Op::Event {
                    exec.first.set(op as u8);
                }
                return;
            }
            *(exec.entry.add(unit as usize) as *mut u8) = op as u8;
        }
    }

    /// Is this the first time that it runs? From now on it is not.
    pub(crate) fn begin_running(self) -> bool {
        if self.ran.get() {
            return false;
        }
        let op = self.op_at(0);
        self.ran.set(true);
        self.write_op(0, op);
        true
    }

    /// The code has no table, and no frame is of it: what is wanted of it is looked at when it runs next.
    pub(crate) fn defer(self) {
        if self.ran.get() {
            let op = self.op_at(0);
            self.write_op(0, Op::Event);
            self.ran.set(false);
            self.write_op(0, op);
        }
    }

    /// What is wanted of the code, if anything. Good until something runs that may change that.
    pub(crate) fn table<'a>(self) -> Option<&'a Table> {
        // SAFETY: null, or made by `install_table`.
        unsafe { self.table.get().as_ref() }
    }

    /// As [`Ref::table`], to change it: nobody has a reference to it meanwhile.
    pub(crate) fn table_mut<'a>(self) -> Option<&'a mut Table> {
        // SAFETY: as in `table`.
        unsafe { self.table.get().as_mut() }
    }

    pub(crate) fn install_table(self, table: Table) {
        self.drop_table();
        self.table.set(Box::into_raw(Box::new(table)));
    }

    pub(crate) fn drop_table(self) {
        let old = self.table.replace(std::ptr::null_mut());
        if !old.is_null() {
            // SAFETY: made by `install_table`; nobody has a reference to it.
            drop(unsafe { Box::from_raw(old) });
        }
    }

    pub(crate) fn is_noted(self) -> bool {
        self.noted.get()
    }

    pub(crate) fn set_noted(self) {
        self.noted.set(true);
    }
}

impl Ref<CodeObject> {
    /// The names of the parameters that have one and can be given by it, as interned strings. MemoryError.
    pub fn parameters(self, vm: &Vm) -> R<Ref<Tuple>> {
        if let Some(t) = self.parameters.cast::<Tuple>() {
            return Ok(t);
        }
        let code = self.portable();
        let names = List::with_capacity(vm, code.param_count())?;
        for local in &code.locals[..(code.arg_count + code.kwonly_count) as usize] {
            names.push(vm, vm.intern(&local.name)?.value())?;
        }
        let t = Tuple::new(vm, names.items())?;
        self.parameters.set(vm, self, t.value());
        Ok(t)
    }
}

/// Makes a code object of a portable code, its nested codes included. MemoryError.
pub fn load(vm: &Vm, code: Rc<Code>) -> R<Ref<CodeObject>> {
    let object = vm.alloc_fixed::<CodeObject>(vm.types.code.root_shape_id())?;
    let portable = Rc::into_raw(code);
    object.portable.set(portable);
    vm.heap.register_free_on_death(object.header());
    // SAFETY: the object owns it from here on.
    let code: &Code = unsafe { &*portable };
    let name = vm.intern(&code.name)?.value();
    object.name.set(vm, object, name);
    let qualname = vm.intern(&code.qualname)?.value();
    object.qualname.set(vm, object, qualname);
    let filename = vm.intern(&code.filename)?.value();
    object.filename.set(vm, object, filename);

    // Values are collected in a list, which keeps them alive, before the block is filled.
    let values = List::with_capacity(vm, code.consts.len() + code.names.len())?;
    for c in &code.consts {
        let v = constant_value(vm, c)?;
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
    // SAFETY: the size is not 0.
    let block = unsafe { std::alloc::alloc_zeroed(layout(size)) };
    if block.is_null() {
        return Err(vm.memory_error());
    }
    let needs_binding = code.kwonly_count > 0 || code.flags & (flags::VARARGS | flags::VARKEYWORDS) != 0;
    let exec = block.cast::<Exec>();
    // SAFETY: the block has room for all parts at the offsets computed above.
    unsafe {
        let units = block.add(Exec::UNITS).cast::<u32>();
        std::ptr::copy_nonoverlapping(code.units.as_ptr(), units, code.units.len());
        // Who runs it first finds out by this op.
        units.cast::<u8>().write(Op::Event as u8);
        exec.write(Exec {
            first: Cell::new(code.units[0] as u8),
            entry: units,
            start: Cell::new(units),
            frame_bytes: u32::from(code.nregs) * 8,
            simple_args: if needs_binding { NOT_SIMPLE } else { u32::from(code.arg_count) },
            code: object,
            units: code.units.len() as u32,
            consts: code.consts.len() as u32,
            names: code.names.len() as u32,
            caches: caches as u32,
            size,
        });
        for (field, &v) in (*exec).values().iter().zip(values.items()) {
            field.init(v);
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
    }
    object.barrier(vm);
    object.exec.set(exec);
    vm.heap.add_external(size as isize);
    Ok(object)
}

/// The code for a namespace that is the globals: its name ops are those of globals.
pub fn specialise_for_globals(code: Ref<CodeObject>) {
    rewrite(code, |op, _| match op {
        Op::LoadName => Some(Op::LoadGlobal),
        Op::StoreName => Some(Op::StoreGlobal),
        Op::DeleteName => Some(Op::DeleteGlobal),
        _ => None,
    });
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
        // Functions may nest deep.
        Const::Code(code) => vm.with_room(|| Ok(load(vm, Rc::clone(code))?.value()))?,
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

/// Index and name of the locals of one kind.
pub fn locals_of(code: &Code, kind: LocalKind) -> impl Iterator<Item = (usize, &str)> {
    code.locals.iter().enumerate().filter(move |(_, l)| l.kind == kind).map(|(i, l)| (i, &*l.name))
}

/// What a function's globals must be.
pub fn globals_dict(vm: &Vm, v: Value) -> R<Ref<Dict>> {
    v.cast::<Dict>().ok_or_else(|| vm.type_error("globals must be a dict"))
}

impl Ref<CodeObject> {
    /// A function with these globals is to run the code: caches of globals can serve one dictionary only.
    #[inline]
    pub fn note_globals(self, vm: &Vm, globals: Ref<Dict>) {
        if self.home.is(globals.value()) || self.home.is(Value::NONE) {
            return;
        }
        if self.home.is_empty() {
            self.set_home(vm, globals);
        } else {
            self.share_among_globals(vm);
        }
    }

    /// Whether caches may hold cells of these globals.
    pub fn caches_globals(self, globals: Ref<Dict>) -> bool {
        self.home.is(globals.value())
    }

    #[cold]
    #[inline(never)]
    fn set_home(self, vm: &Vm, globals: Ref<Dict>) {
        if !self.is_weak.replace(true) {
            vm.heap.register_weak(self.header());
        }
        self.barrier(vm);
        self.home.set(globals.value());
    }

    #[cold]
    #[inline(never)]
    fn share_among_globals(self, vm: &Vm) {
        self.home.set(Value::NONE);
        vm.hooks.tier().globals_shared(self);
        rewrite(self, |op, _| match op {
            Op::LoadGlobalCell | Op::LoadGlobalBuiltin => Some(Op::LoadGlobal),
            _ => None,
        });
    }
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
fn rewrite(code: Ref<CodeObject>, to: impl Fn(Op, *const u8) -> Option<Op>) {
    // SAFETY: the isolate's own copy of the code.
    unsafe {
        let Some(exec) = code.exec.get().as_ref() else { return };
        let units = std::slice::from_raw_parts(exec.entry, exec.units as usize);
        let mut i = 0;
        while i < units.len() {
            let at = exec.entry.add(i);
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
