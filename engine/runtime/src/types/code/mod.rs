//! Code objects.

mod block;

pub(crate) use block::is_without_block;
pub use block::{
    AttrCache, Exec, GlobalCache, MethodCache, ModuleCache, NOT_SIMPLE, Uncounted, constant_value,
    instructions, load, reset_attribute_caches, specialise_for_globals,
};

use crate::events::table::Table;
use crate::object::{Field, Header, Kind, Object, Ref, Tracer};
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::types::tuple::Tuple;
use crate::value::{R, Value};
use crate::vm::Vm;
use block::rewrite;
use skein_bytecode::{Code, CodeRef, Head, Liveness, LocalKind, Op, Shared, Standstill, standstill};
use std::cell::{Cell, UnsafeCell};
use std::collections::HashMap;
use std::rc::Rc;

/// A code object.
#[repr(C)]
pub struct CodeObject {
    header: Header,
    exec: UnsafeCell<Exec>,
    /// The portable code: a [`CodeRef`].
    portable: Cell<*const Shared>,
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

/// Where a code object has its [`Exec`].
const EXEC: usize = std::mem::offset_of!(CodeObject, exec);

type Standstills = HashMap<u32, Option<Rc<Standstill>>>;

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
        let exec = self.exec();
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
            Op::LoadGlobalCell | Op::LoadGlobalBuiltin | Op::StoreGlobal => {
                // SAFETY: the loader has put a cache there.
                let cache = unsafe { &*extra.cast::<GlobalCache>() };
                let gone = cache.cell.is_dead(is_live) || homeless;
                gone.then(|| cache.cell.clear());
                (gone && op != Op::StoreGlobal).then_some(Op::LoadGlobal)
            }
            _ => None,
        });
        false
    }
    fn drop_external(&mut self) {
        // SAFETY: made by `load`, `make_block`, `liveness` and `standstill`; each is freed once.
        unsafe {
            self.exec().free();
            drop(CodeRef::from_raw(self.portable.get()));
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

impl CodeObject {
    #[inline(always)]
    pub fn exec(&self) -> &Exec {
        // SAFETY: written once, when the object was made; what changes of it are cells.
        unsafe { &*self.exec.get() }
    }

    /// The portable code that it was loaded from.
    #[inline]
    pub fn portable(&self) -> &Code {
        // SAFETY: set by `load` for the object's life.
        unsafe { (*self.portable.get()).code() }
    }

    /// What is known of it without looking into the portable code.
    #[inline]
    pub fn head(&self) -> &Head {
        // SAFETY: as in `portable`.
        unsafe { (*self.portable.get()).head() }
    }

    /// As [`CodeObject::portable`], to be kept.
    pub fn shared(&self) -> CodeRef {
        // SAFETY: `load` made the pointer, of which the object holds one count.
        unsafe { CodeRef::from_borrowed(self.portable.get()) }
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
        self.exec().unit_of(pc)
    }

    pub fn has_flag(&self, flag: u32) -> bool {
        self.head().flags & flag != 0
    }

    pub fn name_string(&self) -> String {
        self.portable().name.to_string()
    }
}

impl Ref<CodeObject> {
    /// Has it not run yet, or is it to be treated so?
    pub(crate) fn waits_to_run(self) -> bool {
        !self.ran.get()
    }

    /// Is this the first time that it runs? From now on it is not.
    pub(crate) fn begin_running(self) -> bool {
        if self.ran.get() {
            return false;
        }
        if self.exec().is_quiet() {
            self.end_quiet();
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
    /// Constant `i` as an object. MemoryError.
    pub fn constant(self, vm: &Vm, i: usize) -> R<Option<Value>> {
        self.make_block(vm)?;
        Ok(self.exec().constants().get(i).and_then(|f| f.get()))
    }

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
        rewrite(self, |op, extra| match op {
            Op::LoadGlobalCell | Op::LoadGlobalBuiltin => Some(Op::LoadGlobal),
            Op::StoreGlobal => {
                // SAFETY: the loader has put a cache there.
                unsafe { (*extra.cast::<GlobalCache>()).cell.clear() };
                None
            }
            _ => None,
        });
    }
}
