//! Skein as a library: Python 3.14 inside a Rust program.
//!
//! ```
//! use skein::Interpreter;
//!
//! # fn main() -> Result<(), skein::Error> {
//! let python = Interpreter::new()?;
//! python.exec("def square(n): return n * n", "squares.py")?;
//! assert_eq!(python.eval::<i64>("square(12)")?, 144);
//! let error = python.eval::<i64>("square('a')").unwrap_err();
//! assert!(error.to_string().ends_with("TypeError: can't multiply sequence by non-int of type 'str'\n"));
//! # Ok(())
//! # }
//! ```
//!
//! An [`Interpreter`] is an isolate: heap, modules and microthreads are its own, and any number of
//! them may live in a thread. All code runs in its module `__main__`, as a microthread that may switch
//! to others; those go on when the next piece of code does. Nothing of Python's crosses the border but
//! plain data, by [`FromPython`].

mod convert;
mod error;
mod host;

pub use convert::FromPython;
pub use error::Error;
pub use skein_runtime::vm::Config;

use skein_builtins::modules::{main_namespace, run_program};
use skein_runtime::types::list::List;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::LIBRARY;
use skein_runtime::vm::{Compile, Mode, Vm};
use std::rc::Rc;

/// What collections and switches there were: see [`Interpreter::counts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Collections of young objects.
    pub minors: u64,
    /// Collections of all objects.
    pub majors: u64,
    /// Switches between microthreads that cost no native stack.
    pub soft_switches: u64,
    /// Switches that left a native stack behind.
    pub hard_switches: u64,
}

/// One isolate.
pub struct Interpreter {
    vm: Box<Vm>,
}

/// The settings of an [`Interpreter`] to be.
#[derive(Default)]
pub struct Builder {
    config: Config,
}

impl Builder {
    /// Bytes that the heap may use. An allocation beyond raises MemoryError.
    pub fn heap_limit(mut self, bytes: usize) -> Builder {
        self.config.heap_limit = Some(bytes);
        self
    }

    /// Bytes between two minor collections, at most.
    pub fn nursery(mut self, bytes: usize) -> Builder {
        self.config.nursery = Some(bytes);
        self
    }

    /// Collects garbage at every n-th allocation, for tests.
    pub fn gc_stress(mut self, every: u32) -> Builder {
        self.config.gc_stress = Some(every);
        self
    }

    /// `sys.argv`.
    pub fn argv<S: Into<String>>(mut self, argv: impl IntoIterator<Item = S>) -> Builder {
        self.config.argv = argv.into_iter().map(Into::into).collect();
        self
    }

    /// Folders where modules are looked for before the packaged library: the head of `sys.path`.
    pub fn path<S: Into<String>>(mut self, folders: impl IntoIterator<Item = S>) -> Builder {
        self.config.path = folders.into_iter().map(Into::into).collect();
        self
    }

    /// The key of the hash of text, so that sets of strings have the same order each time.
    pub fn hash_seed(mut self, seed: u64) -> Builder {
        self.config.hash_seed = Some(seed);
        self
    }

    /// 1: without `assert`; 2: without docstrings too.
    pub fn optimize(mut self, level: u8) -> Builder {
        self.config.optimize = level;
        self
    }

    /// Makes the isolate. Fails without address space, and where `sys.stdout` cannot be made.
    pub fn build(mut self) -> Result<Interpreter, Error> {
        add_library(&mut self.config);
        Interpreter::from_config(self.config)
    }
}

/// Another isolate with the settings of one: what a program makes beside its own.
fn make_isolate(config: Config) -> Result<Box<Vm>, String> {
    let first = config.program_folder.clone();
    let interpreter = Interpreter::from_config(config).map_err(|e| e.traceback().trim_end().to_string())?;
    let vm = interpreter.vm();
    let ready = || {
        let main = main_namespace(vm)?;
        main.set_str(vm, vm.names.__builtins__, vm.import("builtins")?)?;
        if !vm.config.no_site {
            vm.import("site")?;
        }
        let loader = vm.get_attr_str(vm.import("_frozen_importlib")?, "BuiltinImporter")?;
        main.set_name(vm, "__loader__", loader)?;
        first.map_or(Ok(()), |first| put_first(vm, &first))
    };
    interpreter.result(ready()).map_err(|e| e.traceback().trim_end().to_string())?;
    Ok(interpreter.vm)
}

/// Puts a folder before all others in `sys.path`. MemoryError.
#[doc(hidden)]
pub fn put_first(vm: &Vm, folder: &str) -> R<()> {
    let path = match vm.sys_dict.get() {
        Some(sys) => sys.get_name(vm, "path")?.and_then(|path| path.cast::<List>()),
        None => None,
    };
    match path {
        Some(path) => path.splice(vm, 0, 0, &[vm.str(folder)?]),
        // The site module has put something else there.
        None => Ok(()),
    }
}

/// Puts the packaged library at the end of the path, by the name of the folder that it is unpacked in when a program
/// looks for its files.
pub fn add_library(config: &mut Config) {
    let place = skein_stdlib::unpacked::place().and_then(|p| p.into_os_string().into_string().ok());
    config.path.push(place.clone().unwrap_or_else(|| LIBRARY.into()));
    config.library = place.unwrap_or_default();
}

impl Interpreter {
    /// An isolate with default settings.
    pub fn new() -> Result<Interpreter, Error> {
        Interpreter::builder().build()
    }

    /// Settings to choose.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// An isolate with all that the command line can set. `sys.path` is what the configuration says,
    /// without the packaged library unless that is in it.
    pub fn from_config(config: Config) -> Result<Interpreter, Error> {
        let host = Rc::new(host::Host::default());
        let vm = Vm::new(config, host.clone()).map_err(|e| Error::without_python(&e.to_string()))?;
        vm.attach_switcher();
        let asked = vm.config.x_options.iter().rev().find(|(name, _)| name == "jit");
        let options = asked.and_then(|(_, value)| skein_jit::Options::parse(value.as_deref()?));
        host.jit.configure(&vm, options.unwrap_or_default());
        let interpreter = Interpreter { vm };
        interpreter.result(skein_stdlib::install(&interpreter.vm))?;
        Ok(interpreter)
    }

    /// Runs statements in `__main__`. `name` is what tracebacks call the source.
    pub fn exec(&self, source: &str, name: &str) -> Result<(), Error> {
        self.run(source, name, Mode::Exec)
    }

    /// The value of an expression in `__main__`. TypeError if it is not of a Python type that `T`
    /// takes.
    pub fn eval<T: FromPython>(&self, source: &str) -> Result<T, Error> {
        self.run(source.trim_start(), "<string>", Mode::Eval)
    }

    fn run<T: FromPython>(&self, source: &str, filename: &str, mode: Mode) -> Result<T, Error> {
        let vm = &self.vm;
        let roots = vm.roots.borrow().len();
        let run = || {
            let what = Compile {
                source: source.as_bytes(),
                filename,
                mode,
                optimize: vm.config.optimize,
                flags: 0,
                decoded: true,
            };
            let code = vm.hooks.clone().compile(vm, &what)?;
            let value = run_program(vm, code, main_namespace(vm)?)?;
            if mode == Mode::Exec {
                return T::from_python(vm, Value::NONE);
            }
            vm.roots.borrow_mut().push(value);
            T::from_python(vm, value)
        };
        let result = run();
        vm.roots.borrow_mut().truncate(roots);
        self.result(result)
    }

    /// A result of the engine as one of this crate.
    fn result<T>(&self, result: R<T>) -> Result<T, Error> {
        result.map_err(|_| Error::take_pending(&self.vm))
    }

    /// Numbers of collections and switches since the isolate was made.
    pub fn counts(&self) -> Counts {
        let (heap, switches) = (self.vm.heap.stats(), &self.vm.counters);
        Counts {
            minors: heap.minors.count,
            majors: heap.finished_majors,
            soft_switches: switches.soft_switches.get(),
            hard_switches: switches.hard_switches.get(),
        }
    }

    /// The engine's isolate, for programs that use the crates below this one.
    pub fn vm(&self) -> &Vm {
        &self.vm
    }

    /// Runs what the program registered with `atexit`, and flushes the standard streams. False if
    /// output was lost.
    pub fn finish(&self) -> bool {
        self.vm.hooks.tier().finish();
        skein_stdlib::finish(&self.vm)
    }
}
