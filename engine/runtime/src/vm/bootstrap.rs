//! Making an isolate: the first types have to be made before there are types.

use crate::context::{ChunkPool, Context};
use crate::native::{NativeDef, NativeKind, TypeDef};
use crate::object::{Field, Kind, Ref};
use crate::threads::Threads;
use crate::threads::words::{Asker, Count, Limit};
use crate::types::descriptor::{GetSet, Wrapper};
use crate::types::dict::Dict;
use crate::types::native::NativeFunction;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::{METHOD_CACHE_SIZE, Type};
use crate::value::{R, Value};
use crate::vm::exceptions::{Exceptions, ROWS};
use crate::vm::{Config, Counters, Hooks, NO_SWITCHER, Names, Published, Vm};
use skein_bytecode::Special;
use skein_heap::{Heap, HeapConfig};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// Why an isolate could not be made.
#[derive(Debug)]
pub struct StartError(pub String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for StartError {}

impl Vm {
    /// A new isolate with the builtin types and modules.
    pub fn new(config: Config, hooks: Rc<dyn Hooks>) -> Result<Box<Vm>, StartError> {
        let defaults = HeapConfig::default();
        let heap = Heap::new(HeapConfig {
            nursery_bytes: config.nursery.unwrap_or(defaults.nursery_bytes),
            ..defaults
        })
        .map_err(|e| StartError(e.to_string()))?;
        let no_memory = || StartError("not enough memory to start".into());
        let chunks = ChunkPool::default();
        let main_ctx = Box::new(Context::main(&chunks).map_err(|_| no_memory())?);
        let poll = Arc::default();
        let asker = Arc::new(Asker::new(Arc::clone(&poll)));

        // The types' memory first, then the tables that name it, then what the types hold.
        let bare_type = || -> Result<Ref<Type>, StartError> {
            let p = match heap.alloc_slow(size_of::<Type>(), true) {
                skein_heap::Allocation::Ok(p) => p,
                _ => return Err(no_memory()),
            };
            // SAFETY: fresh zeroed memory; its shape is set below, once `type` has one.
            unsafe {
                (*p).kind.set(Kind::Type as u8);
                Ok(Ref::from_header(p))
            }
        };
        let builtin = hooks.builtins();
        let list = builtin.types.iter().map(|_| bare_type()).collect::<Result<Vec<_>, _>>()?;
        let exceptions = ROWS.iter().map(|_| bare_type()).collect::<Result<Vec<_>, _>>()?;
        let bare_str = heap_str(&heap).ok_or_else(no_memory)?;
        let hash_key = match config.hash_seed {
            Some(0) => (0, 0),
            Some(n) => seeded_key(n as u32),
            None => random_key(),
        };
        let (heap_limit, gc_stress) = (config.heap_limit, config.gc_stress);

        let mut vm = Box::new(Vm {
            limit: Limit::new(main_ctx.limit.get()),
            ticks: Count::new(crate::vm::TICKS),
            quantum: Cell::new(crate::vm::TICKS),
            recorded: Cell::new(None),
            collecting: Cell::new(None),
            slice: Count::new(0),
            globals_epoch: Cell::new(1),
            last_sum: Cell::new(0),
            poll,
            frame: Published { pc: Cell::new(std::ptr::null()), base: Cell::new(std::ptr::null_mut()) },
            ctx: Cell::new(&*main_ctx),
            pending: Cell::new(None),
            exit_result: Cell::new(Value::NONE),
            heap,
            allocation_watcher: Cell::new(None),
            shapes: Default::default(),
            types: (builtin.assemble)(&list),
            exc: Exceptions::from_list(&exceptions),
            names: Names::new(&mut |_| bare_str),
            special_names: Vec::new(),
            known: Default::default(),
            method_cache: (0..METHOD_CACHE_SIZE).map(|_| Default::default()).collect(),
            attributes: Default::default(),
            type_versions: Cell::new(0),
            hash_key,
            interned: RefCell::default(),
            weak_refs: RefCell::default(),
            empty_tuple: Cell::new(None),
            finalizing: Cell::new(false),
            latin1: RefCell::default(),
            builtins: Cell::new(None),
            modules: Cell::new(None),
            sys_dict: Cell::new(None),
            audit_hooks: Cell::new(None),
            roots: RefCell::default(),
            memory_error: Cell::new(None),
            recursion_limit: Cell::new(1000),
            coroutine_origin_depth: Cell::new(0),
            packaged_imports: Cell::new(0),
            ext_types: RefCell::default(),
            events: Default::default(),
            main_ctx: Cell::new(&*main_ctx),
            threads: Threads::new(asker, main_ctx),
            chunks,
            config,
            hooks,
            builtin,
            native_limit: Cell::new(0),
            native_base: Cell::new(0),
            repr_stack: RefCell::default(),
            gc_enabled: Cell::new(true),
            pauses: Default::default(),
            counters: Counters::default(),
            switcher: Cell::new(&NO_SWITCHER),
            switcher_state: Cell::new(std::ptr::null()),
            module_state: RefCell::default(),
            recent_states: std::array::from_fn(|_| Cell::new(None)),
            thread_modules: RefCell::default(),
            root_tracers: RefCell::default(),
        });
        vm.heap.set_context(std::ptr::from_ref(&vm.shapes).cast());
        vm.threads.asker.set_target(&*vm);
        vm.set_native_stack();
        vm.init_types(&list, &exceptions).map_err(|_| no_memory())?;
        let this: &Vm = &vm;
        let names = Names::new(&mut |n| this.intern(n).unwrap_or(bare_str));
        let specials = Special::ALL.iter().map(|s| vm.intern(s.name()));
        let specials = specials.collect::<R<Vec<_>>>().map_err(|_| no_memory())?;
        vm.names = names;
        vm.special_names = specials;
        vm.shapes.seal();
        vm.fill_types(&list, &exceptions).map_err(|_| no_memory())?;
        vm.known.find(&vm);
        let error = vm.preallocate_memory_error().and_then(|()| (vm.builtin.init)(&vm));
        if error.is_err() {
            let text = vm.pending.take().map(|e| crate::interp::describe_exception(&vm, e));
            return Err(StartError(text.unwrap_or_else(|| "not enough memory to start".into())));
        }
        vm.heap.set_limit(heap_limit);
        vm.heap.set_stress(gc_stress);
        Ok(vm)
    }

    /// Root shapes, in table order, and what `init` sets. Shape 0 is that of internal arrays.
    fn init_types(&self, list: &[Ref<Type>], exceptions: &[Ref<Type>]) -> R<()> {
        self.shapes.add_root(self.types.object, 0, false, Box::default());
        let defs = self.builtin.types.iter().copied().chain(ROWS.iter().map(|r| r.def));
        let all: Vec<(Ref<Type>, &'static TypeDef)> =
            list.iter().chain(exceptions).copied().zip(defs).collect();
        for &(ty, _) in &all {
            let shape = self.shapes.add_root(ty, 0, false, Box::default());
            ty.set_root_shape(shape.id);
        }
        for &(ty, def) in &all {
            ty.header().shape.set(self.types.type_.root_shape_id());
            ty.init(self, def.kind, def.flags, Some(def));
        }
        let empty = Tuple::with_shape(self, &[], self.types.tuple.root_shape_id())?;
        self.empty_tuple.set(Some(empty));
        for &(ty, def) in &all {
            let dict = Dict::new(self)?;
            ty.dict.set(self, ty, dict.value());
            let short = def.name.rsplit('.').next().unwrap_or(def.name);
            let name = self.intern(short)?;
            ty.name.set(self, ty, name.value());
            ty.qualname.set(self, ty, name.value());
        }
        Ok(())
    }

    /// Bases, MROs and dictionaries.
    fn fill_types(&self, list: &[Ref<Type>], exceptions: &[Ref<Type>]) -> R<()> {
        for (ty, def) in list.iter().zip(self.builtin.types) {
            let base = match def.base {
                Some(base) => Some(base(self)),
                None => (*ty != self.types.object).then_some(self.types.object),
            };
            self.set_single_base(*ty, base)?;
        }
        for (ty, row) in exceptions.iter().zip(ROWS) {
            let base = row.base.map_or(self.types.object, |i| exceptions[i]);
            self.set_single_base(*ty, Some(base))?;
        }
        let group_bases = [self.exc.base_exception_group, self.exc.exception].map(Value::from);
        self.set_bases(self.exc.exception_group, &group_bases)?;
        for (ty, def) in list.iter().zip(self.builtin.types) {
            self.fill_type(*ty, def)?;
        }
        (self.builtin.fill_exceptions)(self)?;
        Ok(())
    }

    fn set_single_base(&self, ty: Ref<Type>, base: Option<Ref<Type>>) -> R<()> {
        match base {
            Some(base) => {
                let mro: Vec<Value> =
                    std::iter::once(ty.value()).chain(base.mro().items().iter().copied()).collect();
                ty.base.set(self, ty, base.value());
                let bases = Tuple::new(self, &[base.value()])?;
                ty.bases.set(self, ty, bases.value());
                ty.mro.set(self, ty, Tuple::new(self, &mro)?.value());
                self.add_subclass(base, ty)
            }
            None => {
                let empty = Tuple::new(self, &[])?;
                ty.bases.set(self, ty, empty.value());
                ty.mro.set(self, ty, Tuple::new(self, &[ty.value()])?.value());
                Ok(())
            }
        }
    }

    fn set_bases(&self, ty: Ref<Type>, bases: &[Value]) -> R<()> {
        let tuple = Tuple::new(self, bases)?;
        ty.bases.set(self, ty, tuple.value());
        let mro = crate::types::typeobj::compute_mro(self, ty)?;
        ty.mro.set(self, ty, mro.value());
        Ok(())
    }

    /// Fills a builtin type's dictionary from its declaration. MemoryError.
    pub fn fill_type(&self, ty: Ref<Type>, def: &'static TypeDef) -> R<()> {
        let dict = ty.dict();
        for g in def.getset {
            let d = GetSet::new(self, g, ty)?;
            dict.set_name(self, g.name(), d.value())?;
        }
        self.add_methods(ty, def.methods)?;
        if def.flags & crate::types::typeobj::type_flags::HAS_DICT != 0
            && dict.get_str(self, self.names.__dict__)?.is_none()
        {
            let d = GetSet::new(self, self.builtin.instance_dict, ty)?;
            dict.set_str(self, self.names.__dict__, d.value())?;
        }
        // Where instances have documentation of their own, its descriptor stands under the name.
        if dict.get_name(self, "__doc__")?.is_none() {
            let doc = match def.doc {
                Some(doc) => self.str(doc)?,
                None => Value::NONE,
            };
            dict.set_name(self, "__doc__", doc)?;
        }
        // A type that defines equality but no hash is unhashable.
        if dict.get_name(self, "__eq__")?.is_some() && dict.get_name(self, "__hash__")?.is_none() {
            dict.set_name(self, "__hash__", Value::NONE)?;
        }
        ty.modified(self);
        Ok(())
    }

    /// Adds native methods to a type's dictionary. MemoryError.
    pub(crate) fn add_methods(&self, ty: Ref<Type>, methods: &'static [NativeDef]) -> R<()> {
        for m in methods {
            let v = match m.kind {
                NativeKind::Plain => NativeFunction::method(self, m, ty.value())?.value(),
                NativeKind::Static if m.name == "__new__" => {
                    NativeFunction::function(self, m, ty.value())?.value()
                }
                NativeKind::Static => {
                    let f = NativeFunction::function(self, m, ty.value())?;
                    Wrapper::new(self, self.types.staticmethod, f.value())?.value()
                }
                NativeKind::Class => {
                    let f = NativeFunction::function(self, m, ty.value())?;
                    Wrapper::new(self, self.types.classmethod_descriptor, f.value())?.value()
                }
            };
            ty.dict().set_name(self, m.name, v)?;
        }
        Ok(())
    }

    /// A type declared outside of the core, ready for use. MemoryError.
    pub fn make_native_type(&self, def: &'static TypeDef) -> R<Ref<Type>> {
        let ty = self.alloc_fixed::<Type>(self.types.type_.root_shape_id())?;
        ty.init(self, def.kind, def.flags, Some(def));
        let (module, short) = def.name.rsplit_once('.').unwrap_or(("builtins", def.name));
        let name = self.intern(short)?;
        // The type is older than the name, so that the collector must be told.
        ty.name.set(self, ty, name.value());
        ty.qualname.set(self, ty, name.value());
        self.roots.borrow_mut().push(ty.value());
        let dict = Dict::new(self)?;
        ty.dict.set(self, ty, dict.value());
        let base = def.base.map_or(self.types.object, |b| b(self));
        self.set_single_base(ty, Some(base))?;
        ty.make_root_shape(self);
        self.fill_type(ty, def)?;
        if dict.get_str(self, self.names.__module__)?.is_none() {
            dict.set_str(self, self.names.__module__, self.intern(module)?.value())?;
        }
        ty.modified(self);
        Ok(ty)
    }

    /// Notes the bounds of the native stack that the calling thread runs on.
    pub fn set_native_stack(&self) {
        let (low, high) = native_stack_bounds();
        self.native_base.set(high);
        // Room for the slow paths between two checks.
        self.native_limit.set(low + (256 * 1024).min((high - low) / 2));
    }
}

/// Lowest and highest address of the calling thread's stack.
fn native_stack_bounds() -> (usize, usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: the calls fill in the attributes of the calling thread; results are checked.
    unsafe {
        let mut attr: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attr) == 0 {
            let (mut low, mut size) = (std::ptr::null_mut(), 0);
            let ok = libc::pthread_attr_getstack(&attr, &mut low, &mut size) == 0;
            libc::pthread_attr_destroy(&mut attr);
            if ok {
                return (low as usize, low as usize + size);
            }
        }
    }
    let here = &0u8 as *const u8 as usize;
    // Without better knowledge: the stack began a little above, and a megabyte of it can be used.
    (here - (1 << 20), here + (64 << 10))
}

/// The key that a seed stands for, as CPython makes it, so that hashes of text in ASCII are the same.
fn seeded_key(seed: u32) -> (u64, u64) {
    let mut x = seed;
    let mut word = || {
        u64::from_le_bytes(std::array::from_fn(|_| {
            x = x.wrapping_mul(214_013).wrapping_add(2_531_011);
            (x >> 16) as u8
        }))
    };
    (word(), word())
}

fn random_key() -> (u64, u64) {
    let mut key = [0u64; 2];
    // SAFETY: writes into the array, at most its size.
    let n = unsafe { libc::getrandom(key.as_mut_ptr().cast(), 16, 0) };
    if n != 16 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        key[0] ^= now.map_or(1, |d| d.as_nanos() as u64);
        key[1] ^= std::process::id() as u64;
    }
    (key[0], key[1])
}

/// An empty string to stand for names until they are interned.
fn heap_str(heap: &Heap<crate::object::Model>) -> Option<Ref<Str>> {
    match heap.alloc_slow(size_of::<Str>() + 8, true) {
        skein_heap::Allocation::Ok(p) => {
            // SAFETY: fresh zeroed memory: an empty string.
            unsafe {
                (*p).kind.set(Kind::Str as u8);
                Some(Ref::from_header(p))
            }
        }
        _ => None,
    }
}

const _: () = assert!(size_of::<Field>() == 8);
