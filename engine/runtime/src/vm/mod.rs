//! The isolate: all state of one interpreter.

mod alloc;
mod audit;
mod bootstrap;
mod builtins;
mod classes;
mod errors;
mod exceptions;
mod finalize;
mod hooks;
mod known;
mod names;
mod numbers;
mod oserror;
mod pauses;
mod protocol;
mod text_errors;
mod weaks;

pub use bootstrap::StartError;
pub use builtins::{Builtins, LIBRARY, Types};
pub use exceptions::{Exceptions, ROWS as EXCEPTIONS, Row as ExceptionRow};
pub use finalize::write_stderr;
pub use hooks::{
    Compile, Hooks, Maker, Mode, NO_SWITCHER, NoSwitcher, NoTier, Switcher, Tier, Tree, compile_flags,
};
pub use names::Names;
pub use oserror::{class_of_errno, strerror};
pub use pauses::{Pauses, debug};
pub use skein_heap::CollectKind;
pub use text_errors::SyntaxPlace;

use crate::context::{ChunkPool, Context};
use crate::events::Events;
use crate::object::{Model, Ref};
use crate::shape::ShapeTable;
use crate::threads::Threads;
use crate::threads::state::ModuleState;
use crate::threads::words::{Count, Limit};
use crate::types::dict::Dict;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::{MethodCacheEntry, Type};
use crate::value::Value;
use rustc_hash::FxHashMap;
use skein_heap::Heap;
use std::cell::{Cell, RefCell};
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

/// How an isolate is set up.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Key of the hash of text: None is random.
    pub hash_seed: Option<u64>,
    /// Bytes that the heap may use.
    pub heap_limit: Option<usize>,
    /// Collect at every n-th allocation.
    pub gc_stress: Option<u32>,
    /// Write a line about each pause of the collector to the standard error output.
    pub gc_log: bool,
    /// Bytes between two minor collections; None: the heap's default.
    pub nursery: Option<usize>,
    /// `sys.flags` and the like.
    pub optimize: u8,
    pub argv: Vec<String>,
    /// The whole command line.
    pub orig_argv: Vec<String>,
    /// Whether the standard streams' descriptors were closed when the process began.
    pub closed: [bool; 3],
    /// The text of `-c`, whose lines tracebacks show.
    pub command: Option<String>,
    /// Encoding and error handler of the standard streams: `PYTHONIOENCODING`.
    pub io_encoding: (Option<String>, Option<String>),
    pub utf8_mode: bool,
    /// The longest decimal text of an int that conversions take; 0: any.
    pub int_max_str_digits: Option<i64>,
    /// `sys.executable` and its like. Empty prefixes: the place for programs of the system's owner.
    pub executable: String,
    pub base_executable: String,
    pub prefix: String,
    pub base_prefix: String,
    /// The folder whose name stands for the packaged library; empty: [`LIBRARY`]. It need not be there.
    pub library: String,
    pub path: Vec<String>,
    /// The first entry of `sys.path`, where it is the folder of the program (empty: where the process is).
    pub program_folder: Option<String>,
    pub isolated: bool,
    pub no_site: bool,
    pub inspect: bool,
    pub interactive: bool,
    pub quiet: bool,
    pub verbose: u8,
    pub unbuffered: bool,
    pub dont_write_bytecode: bool,
    pub ignore_environment: bool,
    pub no_user_site: bool,
    pub safe_path: bool,
    pub bytes_warning: u8,
    pub dev_mode: bool,
    /// Show tracebacks when the process dies of a signal.
    pub fault_handler: bool,
    /// Code is compiled without columns, which saves memory.
    pub lines_only: bool,
    /// Frames of each allocation that are noted from the beginning; 0: allocations are not traced.
    pub trace_allocations: u16,
    pub warn_options: Vec<String>,
    pub x_options: Vec<(String, Option<String>)>,
    /// Of files whose encoding is not said an EncodingWarning tells.
    pub warn_default_encoding: bool,
    /// Some: a program made the isolate beside its own.
    pub limits: Option<Limits>,
}

/// What code may do in an isolate that a program made beside its own.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub fork: bool,
    pub exec: bool,
    pub threads: bool,
    pub daemon_threads: bool,
}

/// The frame that runs now, written back by the interpreter before it calls anything.
pub struct Published {
    pub pc: Cell<*const u32>,
    pub base: Cell<*mut Value>,
}

/// One interpreter. All methods take `&self`: one thread at a time is in it, and its parts are cells. Those that
/// [`crate::threads`] saves and restores belong to the thread that runs.
#[repr(C)]
pub struct Vm {
    /// Frames must end at or below this address; null asks for a safepoint at the next call.
    pub limit: Limit,
    /// Instructions left until a back edge stops at a safepoint.
    pub ticks: Count,
    /// Ticks from one safepoint to the next: [`TICKS`], or fewer where a tier looks for busy loops.
    pub quantum: Cell<i64>,
    /// Ticks of a watchdog's time slice; 0: none is set.
    pub slice: Count,
    /// Moves when cached builtins may be shadowed.
    pub globals_epoch: Cell<u32>,
    /// The last string that was made of two, as a word: it may be dead.
    pub(crate) last_sum: Cell<u64>,
    /// Requests to the running code: bits of [`poll`]. Shared with signal handlers and other threads.
    pub poll: Arc<AtomicU32>,
    pub frame: Published,
    pub ctx: Cell<*const Context>,
    /// The exception that is being raised.
    pub pending: Cell<Option<Value>>,
    /// Where a run of the loop that was recorded ended.
    pub recorded: Cell<Option<crate::interp::At>>,
    /// The run of the loop has ended for a collection: where it goes on, and the register that takes the result.
    pub collecting: Cell<Option<(crate::interp::At, usize)>>,
    /// Result of the run of the loop that is about to end, from its return to `Op::Exit`: nothing is
    /// collected in between, and it is no root.
    pub exit_result: Cell<Value>,
    pub heap: Heap<Model>,
    allocation_watcher: Cell<Option<fn(&Vm, *const crate::object::Header, usize)>>,
    pub shapes: ShapeTable,
    pub types: Types,
    pub exc: Exceptions,
    pub names: Names,
    special_names: Vec<Ref<Str>>,
    pub known: known::Known,
    pub method_cache: Box<[MethodCacheEntry]>,
    pub attributes: crate::interp::AttrTable,
    type_versions: Cell<u32>,
    pub hash_key: (u64, u64),
    interned: RefCell<names::InternTable>,
    weak_refs: RefCell<weaks::WeakTable>,
    pub empty_tuple: Cell<Option<Ref<Tuple>>>,
    /// The program's end has come, behind what it has registered with `atexit`.
    pub finalizing: Cell<bool>,
    pub latin1: RefCell<Vec<Value>>,
    /// `builtins.__dict__`.
    pub builtins: Cell<Option<Ref<Dict>>>,
    /// `sys.modules`.
    pub modules: Cell<Option<Ref<Dict>>>,
    pub sys_dict: Cell<Option<Ref<Dict>>>,
    /// What `sys.addaudithook` was given, in its order. None: nothing was.
    pub audit_hooks: Cell<Option<Ref<Tuple>>>,
    /// Values kept for the isolate's life by name or by being pushed.
    pub roots: RefCell<Vec<Value>>,
    /// The preallocated MemoryError.
    memory_error: Cell<Option<Value>>,
    pub recursion_limit: Cell<usize>,
    /// So many frames are noted where a coroutine is made: `sys.set_coroutine_origin_tracking_depth`.
    pub coroutine_origin_depth: Cell<usize>,
    /// Modules of the packaged library whose code is being run: loops there do little.
    pub packaged_imports: Cell<u32>,
    /// Types declared outside of the core, by the address of their declaration.
    pub(crate) ext_types: RefCell<FxHashMap<usize, Ref<Type>>>,
    /// Who wants to be told of what running code does.
    pub events: Events,
    /// The stack of the running thread's main program, which its state owns.
    pub main_ctx: Cell<*const Context>,
    pub threads: Threads,
    pub chunks: ChunkPool,
    pub config: Config,
    pub hooks: Rc<dyn Hooks>,
    /// Functions of the builtin types and modules that the machine calls; from the hooks.
    pub builtin: &'static Builtins,
    /// The native stack in use: its lowest usable address.
    pub native_limit: Cell<usize>,
    /// The native stack in use: its highest address, for scanning.
    pub native_base: Cell<usize>,
    /// Nested `repr` calls, to stop at recursive containers.
    pub repr_stack: RefCell<Vec<Value>>,
    /// Collections are not to be run (`gc.disable` of automatic ones, or while bootstrapping).
    pub gc_enabled: Cell<bool>,
    /// What is told of the collector's pauses.
    pub pauses: Pauses,
    pub counters: Counters,
    /// The microthreads of the running thread.
    switcher: Cell<*const dyn Switcher>,
    /// The switcher's state, for its natives.
    pub switcher_state: Cell<*const ()>,
    /// State of the modules in Rust, by type.
    module_state: RefCell<ModuleState>,
    /// States that were asked for last: natives of busy modules ask again and again.
    recent_states: [Cell<Option<RecentState>>; RECENT_STATES],
    /// That of the running thread.
    pub thread_modules: RefCell<ModuleState>,
    /// Tracers of roots that live in module state.
    pub root_tracers: RefCell<Vec<fn(&Vm, &mut crate::object::Tracer<'_>)>>,
}

/// Counts of how often each way of switching was taken.
#[derive(Default)]
pub struct Counters {
    pub soft_switches: Cell<u64>,
    pub hard_switches: Cell<u64>,
}

/// Instructions between two looks at [`Vm::poll`] in a loop: well under a millisecond.
pub const TICKS: i64 = 1 << 15;

/// Bits of [`Vm::poll`].
pub mod poll {
    /// A signal handler is to be run.
    pub const SIGNAL: u32 = 1;
    /// A watchdog's time slice is over.
    pub const SLICE: u32 = 2;
    /// Finalizers or weak reference callbacks are waiting.
    pub const FINALIZE: u32 = 4;
    /// Calls wanted by the host (`Py_AddPendingCall`-like), another thread's exception.
    pub const ASYNC: u32 = 8;
    /// Another thread has waited for long enough.
    pub const THREAD: u32 = 16;
    /// Machine code that was made in another thread is ready.
    pub const TIER: u32 = 32;
}

impl Vm {
    #[inline(always)]
    pub fn context(&self) -> &Context {
        // SAFETY: the current context lives while it is current.
        unsafe { &*self.ctx.get() }
    }

    /// The limit for frames after a change of context or chunk.
    #[inline]
    pub fn refresh_limit(&self) {
        let asked = self.poll.load(std::sync::atomic::Ordering::Relaxed) != 0;
        self.limit.set(if asked { std::ptr::null_mut() } else { self.context().limit.get() });
    }

    /// Asks the running code to stop at its next safepoint.
    pub fn request(&self, bit: u32) {
        self.poll.fetch_or(bit, std::sync::atomic::Ordering::Relaxed);
        self.limit.set(std::ptr::null_mut());
    }

    /// Is something allowed here? All is in a program's own isolate.
    pub fn allows(&self, what: impl FnOnce(&Limits) -> bool) -> bool {
        self.config.limits.as_ref().is_none_or(what)
    }

    /// State of a module in Rust, made at the first use.
    #[inline]
    pub fn state<T: Default + 'static>(&self) -> Rc<T> {
        let id = std::any::TypeId::of::<T>();
        let mut hasher = rustc_hash::FxHasher::default();
        id.hash(&mut hasher);
        let recent = &self.recent_states[hasher.finish() as usize % RECENT_STATES];
        if let Some((of, state)) = recent.get()
            && of == id
        {
            let state = state.cast::<T>();
            // SAFETY: the pointer of an `Rc` of this type, which stays in `module_state` as long as the isolate lives.
            return unsafe {
                Rc::increment_strong_count(state);
                Rc::from_raw(state)
            };
        }
        let state: Rc<T> = find_state(&self.module_state);
        recent.set(Some((id, Rc::as_ptr(&state).cast())));
        state
    }

    /// As [`Vm::state`], for the running thread alone.
    pub fn thread_state<T: Default + 'static>(&self) -> Rc<T> {
        find_state(&self.thread_modules)
    }

    /// The stack of the running thread's main program.
    #[inline(always)]
    pub fn main_context(&self) -> &Context {
        // SAFETY: the state of the thread owns it, and lives as long as the thread.
        unsafe { &*self.main_ctx.get() }
    }

    /// The microthreads of the running thread.
    #[inline]
    pub fn switcher(&self) -> &dyn Switcher {
        // SAFETY: the state of the thread owns it, and lives as long as the thread.
        unsafe { &*self.switcher.get() }
    }

    pub(crate) fn switcher_pointer(&self) -> *const dyn Switcher {
        self.switcher.get()
    }

    pub(crate) fn set_switcher(&self, switcher: *const dyn Switcher, state: *const ()) {
        self.switcher.set(switcher);
        self.switcher_state.set(state);
    }

    pub(crate) fn next_type_version(&self) -> u32 {
        let v = self.type_versions.get() + 1;
        self.type_versions.set(v);
        v
    }

    /// Is this interned string the name of a special method?
    pub(crate) fn is_special_name(&self, name: Ref<Str>) -> bool {
        name.bytes().starts_with(b"__") && self.special_names.contains(&name)
    }

    /// The interned name of a special method.
    #[inline]
    pub fn special_name(&self, s: skein_bytecode::Special) -> Ref<Str> {
        self.special_names[s as usize]
    }
}

/// How many of [`Vm::recent_states`] there are.
const RECENT_STATES: usize = 16;

/// A type of states, and that of the isolate.
type RecentState = (std::any::TypeId, *const ());

fn find_state<T: Default + 'static>(map: &RefCell<ModuleState>) -> Rc<T> {
    let id = std::any::TypeId::of::<T>();
    if let Some(s) = map.borrow().get(&id)
        && let Ok(s) = s.clone().downcast::<T>()
    {
        return s;
    }
    let s = Rc::new(T::default());
    map.borrow_mut().insert(id, s.clone());
    s
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.threads.asker.set_target(std::ptr::null());
        self.threads.gil().end_ticker();
        for thread in self.threads.all() {
            thread.main_ctx().release(&self.chunks);
        }
    }
}
