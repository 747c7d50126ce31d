//! Machine code: compiling trees, and the memory of what was compiled.

use crate::ir::Tree;
use crate::lower::{self, Places};
#[cfg(target_arch = "x86_64")]
use crate::quick;
use crate::shims::Help;
use crate::thunks::Thunks;
use cranelift_codegen::Context;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Module, default_libcall_names};
use skein_runtime::value::Value;
use skein_runtime::vm::Vm;
use std::cell::Cell;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A compiled tree: gives the number of the exit by which it was left.
///
/// Of an exit the buffer has the values where [`Compiled::places`] says, floats and raw words as bits, truth values as the
/// words of True and False. Of one that leaves elsewhere the first two words are the `At` where the machine goes on.
pub type Entry = unsafe extern "C" fn(vm: *const Vm, base: *mut Value, buffer: *mut u64) -> u64;

/// The exit of a tree without an entry.
pub const NOWHERE: u64 = u64::MAX;

/// Words of the buffer that an [`Entry`] is given, at most.
pub const BUFFER: usize = 4096;

/// Why a tree was not compiled.
#[derive(Debug)]
pub enum CompileError {
    /// It breaks the rules of trees.
    Malformed(&'static str),
    /// Code memory is used up.
    NoMemory,
    /// The code generator's own words.
    Generator(String),
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompileError::Malformed(what) => write!(f, "malformed trace: {what}"),
            CompileError::NoMemory => f.write_str("no code memory left"),
            CompileError::Generator(text) => f.write_str(text),
        }
    }
}
impl std::error::Error for CompileError {}

/// Cranelift, set up for this computer.
struct Generator {
    isa: OwnedTargetIsa,
    thunks: Arc<Thunks>,
    /// Kept for its memory.
    context: Context,
}

/// Makes machine code for this computer.
pub struct Machine {
    /// None: not wanted yet.
    generator: Option<Generator>,
    bytes: Arc<AtomicUsize>,
    most_bytes: usize,
    listing: bool,
}

/// A tree's machine code. Freed when dropped, so nobody must be inside then, nor any stack have a return address in
/// it.
pub struct Compiled {
    pub entry: Entry,
    pub places: Places,
    /// Of the code.
    pub bytes: usize,
    /// The code as text, if that was asked for.
    pub listing: Option<String>,
    /// If it was made quickly: how code of bridges joins it.
    joint: Option<Joint>,
    /// Known to the code by its address.
    _calls: Box<[Help]>,
    /// What the code lies in.
    memory: Memory,
    /// Called by the code, if it is Cranelift's.
    _thunks: Option<Arc<Thunks>>,
    /// Bytes of all code.
    total: Arc<AtomicUsize>,
}

/// How code that was made quickly is joined by that of bridges which come later. The code knows all of it by its address.
struct Joint {
    /// The number of the first exit.
    first: u32,
    /// By exit: the address where the code goes on.
    ways: Box<[Cell<usize>]>,
    /// Where the frame is left, and the way of exits without code.
    out: usize,
    /// Where the entry begins, in a frame that is made; of a bridge the entry of the code that it comes from.
    again: usize,
    /// Of a bridge: where it begins, and how often it is still to be run.
    start: usize,
    _runs: Box<Cell<i64>>,
}

/// Of code.
enum Memory {
    None,
    /// Cranelift's.
    Module(Box<JITModule>),
    /// Mapped for this code alone.
    #[cfg(target_arch = "x86_64")]
    Mapped {
        _map: memmap2::Mmap,
    },
}

// SAFETY: it goes from the thread that makes it to the one that runs it, and nobody else has it. What keeps it from being
// `Send` by itself are addresses: of the code, of instructions, and in the module's table of symbols.
unsafe impl Send for Compiled {}

impl Generator {
    fn new() -> Result<Generator, String> {
        let mut flags = settings::builder();
        let mut set = |name, value| flags.set(name, value).map_err(|e| e.to_string());
        // Traces come optimized; regalloc's better algorithm pays off.
        set("opt_level", "none")?;
        set("regalloc_algorithm", "backtracking")?;
        set("preserve_frame_pointers", "true")?;
        set("unwind_info", "false")?;
        // A frame of spilled values touches every page of it, so that a stack's guard page is met.
        set("enable_probestack", "true")?;
        set("probestack_strategy", "inline")?;
        set("use_colocated_libcalls", "false")?;
        set("is_pic", "false")?;
        set("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" })?;
        let isa = cranelift_native::builder()?;
        let isa = isa.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())?;
        Ok(Generator { thunks: Arc::new(Thunks::new(&isa)?), isa, context: Context::new() })
    }
}

impl Machine {
    /// Is there a way for this kind of machine that is quicker than Cranelift's?
    pub const HAS_QUICK: bool = cfg!(target_arch = "x86_64");

    /// `Err` says why there is no compiling on this machine.
    pub fn new() -> Result<Machine, String> {
        let generator = if Machine::HAS_QUICK { None } else { Some(Generator::new()?) };
        Ok(Machine { generator, bytes: Arc::default(), most_bytes: 64 << 20, listing: false })
    }

    /// Bytes of all code that is alive.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// No tree is compiled where the code would grow beyond this.
    pub fn set_most_bytes(&mut self, bytes: usize) {
        self.most_bytes = bytes;
    }

    /// Shall [`Compiled`] have a listing?
    pub fn set_listing(&mut self, wanted: bool) {
        self.listing = wanted;
    }

    /// Compiles a tree with all its bridges in a tenth of the time, to code that is not quite as good. Where that is not
    /// known how to, as `compile` does.
    #[cfg(target_arch = "x86_64")]
    pub fn compile_quickly(&mut self, tree: &Tree) -> Result<Compiled, CompileError> {
        self.compile_joint(tree, None)
    }

    /// Compiles a bridge that is a tree of its own, to be entered from an exit of code that was made quickly, which it
    /// lives no longer than. Its exits have numbers from `first` on. After so many runs it leads to the interpreter.
    #[cfg(target_arch = "x86_64")]
    pub fn compile_bridge(
        &mut self,
        tree: &Tree,
        of: &Compiled,
        first: u32,
        runs: i64,
    ) -> Result<Compiled, CompileError> {
        let joint = of.joint.as_ref().ok_or(CompileError::Malformed("a bridge from other code"))?;
        self.compile_joint(tree, Some((joint.again, first, runs)))
    }

    #[cfg(target_arch = "x86_64")]
    fn compile_joint(
        &mut self,
        tree: &Tree,
        joins: Option<(usize, u32, i64)>,
    ) -> Result<Compiled, CompileError> {
        if self.bytes() >= self.most_bytes {
            return Err(CompileError::NoMemory);
        }
        let calls = helps(tree);
        let ways: Box<[Cell<usize>]> = (0..tree.exits.len()).map(|_| Cell::new(0)).collect();
        let runs = Box::new(Cell::new(joins.map_or(0, |(.., runs)| runs)));
        let ties = quick::Ties {
            calls: &calls,
            ways: &ways,
            joins: joins.map(|(again, first, _)| quick::Joins { first, again, runs: &runs }),
        };
        let quick::Made { code, places, again, out } = quick::compile(tree, &ties)?;
        let no_memory = |_| CompileError::NoMemory;
        let mut map = memmap2::MmapMut::map_anon(code.len()).map_err(no_memory)?;
        map[..code.len()].copy_from_slice(&code);
        let map = map.make_exec().map_err(no_memory)?;
        self.bytes.fetch_add(code.len(), Ordering::Relaxed);
        let start = map.as_ptr() as usize;
        ways.iter().for_each(|way| way.set(start + out));
        let entry: Entry = match joins {
            // SAFETY: the code is a function of this signature, and lives as long as what it is in.
            None => unsafe { std::mem::transmute::<*const u8, Entry>(map.as_ptr()) },
            Some(_) => never_entered,
        };
        let (first, again) = joins.map_or((0, start + again), |(again, first, _)| (first, again));
        Ok(Compiled {
            entry,
            joint: Some(Joint { first, ways, out: start + out, again, start, _runs: runs }),
            places,
            bytes: code.len(),
            listing: None,
            _calls: calls,
            memory: Memory::Mapped { _map: map },
            _thunks: None,
            total: self.bytes.clone(),
        })
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub fn compile_quickly(&mut self, tree: &Tree) -> Result<Compiled, CompileError> {
        self.compile(tree)
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub fn compile_bridge(
        &mut self,
        _: &Tree,
        _: &Compiled,
        _: u32,
        _: i64,
    ) -> Result<Compiled, CompileError> {
        Err(CompileError::Malformed("a bridge from other code"))
    }

    /// Compiles a tree with all its bridges.
    pub fn compile(&mut self, tree: &Tree) -> Result<Compiled, CompileError> {
        let generator = |e: &dyn fmt::Display| CompileError::Generator(e.to_string());
        if self.bytes() >= self.most_bytes {
            return Err(CompileError::NoMemory);
        }
        let calls = helps(tree);
        let made = match &mut self.generator {
            Some(generator) => generator,
            none => none.insert(Generator::new().map_err(CompileError::Generator)?),
        };
        let Generator { isa, thunks, context } = made;
        context.clear();
        let places = lower::lower(tree, &calls, thunks, &**isa, &mut context.func)?;
        context.set_disasm(self.listing);
        let mut module = JITModule::new(JITBuilder::with_isa(isa.clone(), default_libcall_names()));
        let function =
            module.declare_anonymous_function(&context.func.signature).map_err(|e| generator(&e))?;
        let finished = match module.define_function(function, context) {
            Ok(()) => module.finalize_definitions(),
            Err(e) => Err(e),
        };
        let mut compiled = Compiled {
            entry: never_entered,
            joint: None,
            places,
            bytes: 0,
            listing: None,
            _calls: calls,
            memory: Memory::None,
            _thunks: Some(thunks.clone()),
            total: self.bytes.clone(),
        };
        if let Err(e) = &finished {
            compiled.memory = Memory::Module(Box::new(module));
            return Err(match e {
                // The verifier's findings are in the long form only.
                cranelift_module::ModuleError::Compilation(e) => {
                    CompileError::Generator(format!("{e:?}\n{}", context.func.display()))
                }
                e => generator(e),
            });
        }
        let address = module.get_finalized_function(function);
        // SAFETY: the function just made has this signature.
        compiled.entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
        compiled.memory = Memory::Module(Box::new(module));
        if let Some(code) = context.compiled_code() {
            compiled.bytes = code.code_buffer().len();
            compiled.listing = code.vcode.clone();
        }
        self.bytes.fetch_add(compiled.bytes, Ordering::Relaxed);
        Ok(compiled)
    }
}

/// A tree's calls, as its code will know them by their addresses.
fn helps(tree: &Tree) -> Box<[Help]> {
    tree.calls.iter().map(|&call| Help { call, watched: Cell::new(None) }).collect()
}

/// Stands for an entry that was not made.
unsafe extern "C" fn never_entered(_: *const Vm, _: *mut Value, _: *mut u64) -> u64 {
    NOWHERE
}

impl Compiled {
    /// Code of bridges can be added to it.
    pub fn takes_bridges(&self) -> bool {
        self.joint.is_some()
    }

    /// From now on the exit, by its number, leads to the bridge's code, which must live as long as this code.
    pub fn lead_to(&self, exit: u32, bridge: &Compiled) {
        if let (Some(joint), Some(bridge)) = (&self.joint, &bridge.joint)
            && let Some(way) = joint.ways.get((exit - joint.first) as usize)
        {
            way.set(bridge.start);
        }
    }

    /// Does the exit lead to a bridge's code?
    pub fn leads_on(&self, exit: u32) -> bool {
        self.joint.as_ref().is_some_and(|joint| {
            joint.ways.get((exit - joint.first) as usize).is_some_and(|way| way.get() != joint.out)
        })
    }

    /// The exit leads to the interpreter again.
    pub fn lead_out(&self, exit: u32) {
        if let Some(joint) = &self.joint
            && let Some(way) = joint.ways.get((exit - joint.first) as usize)
        {
            way.set(joint.out);
        }
    }

    /// Tells `perf` the code's name.
    pub fn write_perf_map(&self, name: &str) -> std::io::Result<()> {
        let path = format!("/tmp/perf-{}.map", std::process::id());
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        writeln!(file, "{:x} {:x} {name}", self.entry as usize, self.bytes)
    }
}

impl Drop for Compiled {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
        if let Memory::Module(module) = std::mem::replace(&mut self.memory, Memory::None) {
            // SAFETY: see the type.
            unsafe { module.free_memory() };
        }
    }
}
