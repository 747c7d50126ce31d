//! What the layers above install: the compiler and the switcher.

use crate::context::Context;
use crate::interp::{At, Site};
use crate::native::Args;
use crate::object::{Ref, Tracer};
use crate::types::code::CodeObject;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::{Builtins, Config, Vm, poll};
use skein_bytecode::CodeRef;
use std::sync::atomic::Ordering;

/// What to compile.
#[derive(Clone, Copy, Debug)]
pub struct Compile<'a> {
    pub source: &'a [u8],
    pub filename: &'a str,
    pub mode: Mode,
    pub optimize: u8,
    /// Flags of `compile()`: the `from __future__` bits of code, and those of [`compile_flags`].
    pub flags: u32,
    /// The source was a string: a coding cookie in it says nothing.
    pub decoded: bool,
}

/// Which tree is wanted of a source.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tree {
    /// What Python 3 of this minor version does not have is an error.
    pub feature_version: Option<u8>,
    /// The source is the signature in a function's type comment.
    pub function_type: bool,
}

/// Bits of `compile()`'s flags that are no `co_flags`.
pub mod compile_flags {
    pub const DONT_IMPLY_DEDENT: u32 = 0x200;
    pub const ONLY_AST: u32 = 0x400;
    pub const IGNORE_COOKIE: u32 = 0x800;
    pub const TYPE_COMMENTS: u32 = 0x1000;
    pub const TOP_LEVEL_AWAIT: u32 = 0x2000;
    pub const ALLOW_INCOMPLETE_INPUT: u32 = 0x4000;
    pub const OPTIMIZED_AST: u32 = 0x8000;
    /// All of them.
    pub const ALL: u32 = 0xfe00;
    /// `nested_scopes` and the `from __future__` features up to `annotations`.
    pub const FUTURES: u32 = 0x1fe_0010;
}

/// The mode argument of `compile()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Exec,
    Eval,
    Single,
}

/// Makes an isolate like the calling one, in the thread that calls it: with all layers, its library imported as for a
/// program. Why it could not, as text.
pub type Maker = fn(Config) -> Result<Box<Vm>, String>;

/// The layers above. One object, so that the runtime names none of them.
pub trait Hooks {
    /// The builtin types and modules.
    fn builtins(&self) -> &'static Builtins;

    /// Compiles source text; SyntaxError and its like are raised.
    fn compile(&self, vm: &Vm, what: &Compile<'_>) -> R<CodeRef>;

    /// The syntax tree of source text, as an object; SyntaxError and its like are raised.
    fn parse(&self, vm: &Vm, what: &Compile<'_>, tree: Tree) -> R<Value>;

    /// The scopes of source text, as an object for `symtable`; SyntaxError and its like are raised.
    fn symbol_table(&self, vm: &Vm, what: &Compile<'_>) -> R<Value>;

    /// Is the object a node of a syntax tree?
    fn is_tree(&self, vm: &Vm, v: Value) -> R<bool>;

    /// As [`Hooks::compile`], of a syntax tree in place of the source.
    fn compile_tree(&self, vm: &Vm, tree: Value, what: &Compile<'_>) -> R<CodeRef>;

    /// The tree itself, or an optimized one if that is wanted. TypeError if it is none of the mode's.
    fn checked_tree(&self, vm: &Vm, tree: Value, what: &Compile<'_>, function_type: bool) -> R<Value>;

    /// The packaged library: code and whether it is a package.
    fn packaged_module(&self, vm: &Vm, name: &str) -> R<Option<(CodeRef, bool)>>;

    /// Names of the packaged library's modules that are in no package.
    fn packaged_module_names(&self) -> Vec<&'static str>;

    /// The modules of a package of the packaged library ("": those in none), and whether each is a package.
    fn packaged_children(&self, package: &str) -> Vec<(String, bool)>;

    /// Source text of a packaged module by the file name in its code.
    fn packaged_source(&self, vm: &Vm, filename: &str) -> Option<String>;

    /// The bytes of any packaged file, by its path with the library's entry of `sys.path`.
    fn packaged_file(&self, vm: &Vm, path: &str) -> Option<Vec<u8>>;

    /// Byte offsets in a piece of source between which a traceback's markers are `^`, not `~`: its
    /// operator, subscript or call.
    fn caret_anchors(&self, segment: &str) -> Option<(usize, usize)>;

    /// Are these lines an assigned or returned call, which stands at these byte offsets?
    fn is_plain_call(&self, lines: &str, start: usize, end: usize) -> bool;

    /// A module written in Rust outside of the runtime.
    fn native_module(&self, vm: &Vm, name: &str) -> R<Option<Value>>;

    /// Names of those.
    fn native_module_names(&self) -> Vec<&'static str>;

    /// A container registered as weak has lost a referent and has a callback to run.
    fn weak_cleared(&self, vm: &Vm, container: Value);

    /// Has [`Vm::run_finalizers`] called in a thread of its own. False: it could not be started.
    fn finalize_apart(&self, _vm: &Vm) -> bool {
        false
    }

    /// What makes further isolates.
    fn maker(&self) -> Maker {
        |_| Err("there is nothing to make isolates of".into())
    }

    /// A switcher for the microthreads of the calling thread, which has this number, and what
    /// [`Vm::switcher_state`] is to be for it.
    fn new_switcher(&self, vm: &Vm, thread: u32) -> (Box<dyn Switcher>, *const ());

    /// The compiler of busy loops.
    fn tier(&self) -> &dyn Tier {
        &NoTier
    }
}

/// The microthreads of a thread, as far as the interpreter meets them.
pub trait Switcher {
    /// Runs a callable as the thread's main program: its result. The caller keeps the arguments alive.
    fn run_program(&self, vm: &Vm, f: Value, args: Args<'_>) -> R<Value>;

    /// Visits what the microthreads hold, but for the running context's registers.
    fn trace(&self, t: &mut Tracer<'_>);

    /// The thread has ended. False: native stacks refer to this, which must never go away then.
    fn end(&self, vm: &Vm) -> bool;

    /// The bottom frame of a context returned: what goes on instead. The result is what its function
    /// returned, or an exception is pending.
    fn context_finished(&self, vm: &Vm, ctx: &Context, result: R<Value>) -> At;

    /// Runs `f` on a fresh native stack, since the one in use is nearly used up. RecursionError.
    fn on_new_stack(&self, vm: &Vm, f: &mut dyn FnMut()) -> R<()>;

    /// An object of a type of the layers above became unreachable and was registered as finalizable.
    fn finalize(&self, vm: &Vm, object: Value);

    /// A safepoint with a time slice's end.
    fn slice_over(&self, vm: &Vm, at: At) -> At;

    /// The object of the microthread that runs; for the main program the number of its thread, None for 0.
    fn running(&self) -> Option<Value>;

    /// The number of the thread that a microthread belongs to, by its object or what stands for one.
    fn thread_of(&self, owner: Option<Value>) -> u32;

    /// The context of a microthread, by its object, and where it stands while it does not run: its
    /// innermost frame and what this is at.
    fn standing(&self, vm: &Vm, owner: Option<Value>) -> Option<(*const Context, Site)>;
}

/// A compiler of loops that run often, as far as the interpreter meets it.
pub trait Tier {
    /// The program has ended.
    fn finish(&self) {}

    /// Can code be made for this machine?
    fn is_available(&self) -> bool {
        false
    }

    /// Is it made?
    fn is_enabled(&self) -> bool {
        false
    }

    /// Does this code run in compiled code now?
    fn is_active(&self, _: Ref<CodeObject>) -> bool {
        false
    }

    /// Visits the objects that compiled code names and that must not die now.
    fn trace(&self, t: &mut Tracer<'_>);

    /// A major collection has found out what is alive: compiled code that names dead objects is void.
    fn sweep(&self, is_live: &dyn Fn(Value) -> bool);

    /// Time has passed in a loop: it goes by the back edge `from` to its head `at`. Where to go on.
    fn back_edge(&self, vm: &Vm, from: At, at: At) -> At;

    /// [`poll::TIER`] was asked for.
    fn code_ready(&self);

    /// A loop is at its head, and has the trace of this number. Where to go on.
    fn enter(&self, vm: &Vm, trace: usize, at: At) -> At;

    /// The instruction at `at` is about to be executed, in a run that is recorded. Is that to go on?
    fn before(&self, vm: &Vm, at: At) -> bool;

    /// A variable of a frame that is in a call was written from outside: who knows it by heart must look again.
    fn frame_written(&self);

    /// What look-ups on the type give has changed in a way that somebody relied on.
    fn type_changed(&self, ty: Ref<Type>);

    /// Events are wanted of what the code does (None: of all code), which compiled code would not tell of: that is
    /// void. The code's own instructions are what they were before any of it was compiled, when this is done.
    fn code_watched(&self, code: Option<Ref<CodeObject>>);

    /// The code runs with several globals from now on: what it has of them can be known by heart no longer.
    fn globals_shared(&self, code: Ref<CodeObject>);
}

/// For an isolate that only interprets.
pub struct NoTier;

impl Tier for NoTier {
    fn trace(&self, _: &mut Tracer<'_>) {}
    fn sweep(&self, _: &dyn Fn(Value) -> bool) {}
    fn back_edge(&self, _: &Vm, _: At, at: At) -> At {
        at
    }
    fn code_ready(&self) {}
    fn enter(&self, _: &Vm, _: usize, at: At) -> At {
        at
    }
    fn before(&self, _: &Vm, _: At) -> bool {
        false
    }
    fn frame_written(&self) {}
    fn type_changed(&self, _: Ref<Type>) {}
    fn code_watched(&self, _: Option<Ref<CodeObject>>) {}
    fn globals_shared(&self, _: Ref<CodeObject>) {}
}

/// For an isolate without microthreads.
pub struct NoSwitcher;

/// The one that a thread begins with.
pub static NO_SWITCHER: NoSwitcher = NoSwitcher;

impl Switcher for NoSwitcher {
    fn run_program(&self, vm: &Vm, f: Value, args: Args<'_>) -> R<Value> {
        vm.call_args(f, args)
    }
    fn trace(&self, _: &mut Tracer<'_>) {}
    fn end(&self, _: &Vm) -> bool {
        true
    }
    fn context_finished(&self, _: &Vm, _: &Context, _: R<Value>) -> At {
        unreachable!("only a switcher makes contexts")
    }
    fn on_new_stack(&self, vm: &Vm, _: &mut dyn FnMut()) -> R<()> {
        Err(vm.recursion_error("maximum recursion depth exceeded: native stack used up"))
    }
    fn finalize(&self, _: &Vm, _: Value) {}
    fn slice_over(&self, _: &Vm, at: At) -> At {
        at
    }
    fn running(&self) -> Option<Value> {
        None
    }
    fn thread_of(&self, _: Option<Value>) -> u32 {
        0
    }
    fn standing(&self, _: &Vm, _: Option<Value>) -> Option<(*const Context, Site)> {
        None
    }
}

impl Vm {
    /// Runs handlers of signals that came in while in a system call, which is to be tried again if
    /// this is fine. Their exception otherwise. Lets other threads run if they have waited for long enough.
    pub fn check_signals(&self) -> R<()> {
        let asked = self.poll.load(Ordering::Relaxed);
        if asked & (poll::SIGNAL | poll::THREAD) == 0 {
            return Ok(());
        }
        if asked & poll::THREAD != 0 {
            self.poll.fetch_and(!poll::THREAD, Ordering::Relaxed);
            self.yield_gil();
        }
        if self.poll.fetch_and(!poll::SIGNAL, Ordering::Relaxed) & poll::SIGNAL != 0 {
            return self.run_signal_handlers();
        }
        Ok(())
    }

    /// Runs the handlers of signals that came in, if this is the main thread; else they are left to that.
    pub(crate) fn run_signal_handlers(&self) -> R<()> {
        if self.threads.leave_signal() {
            return Ok(());
        }
        (self.builtin.run_signal_handlers)(self)
    }

    /// Makes a system call while other threads run (see [`Vm::without_gil`] for what it may touch); again, as long
    /// as signals interrupt it whose handlers raise nothing.
    pub fn retry<T>(&self, mut call: impl FnMut() -> std::io::Result<T>) -> R<std::io::Result<T>> {
        loop {
            match self.without_gil(&mut call) {
                Err(e) if e.raw_os_error() == Some(libc::EINTR) => self.check_signals()?,
                r => return Ok(r),
            }
        }
    }
}
