//! What the runtime reaches through its hooks: the compiler, the packaged library, the switcher.

use skein_bytecode::Code;
use skein_compiler::{Mode as CompilerMode, Options};
use skein_greenlets::Microthreads;
use skein_runtime::object::Tracer;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::{Compile, Hooks, Mode, Switcher, Vm};
use std::rc::Rc;

/// The layers above the runtime.
#[derive(Default)]
pub struct Host {
    pub microthreads: Microthreads,
}

impl Hooks for Host {
    fn compile(&self, vm: &Vm, what: &Compile<'_>) -> R<Rc<Code>> {
        let mode = match what.mode {
            Mode::Exec => CompilerMode::Exec,
            Mode::Eval => CompilerMode::Eval,
            Mode::Single => CompilerMode::Single,
        };
        let options = Options { optimize: what.optimize, ..Options::default() };
        match skein_compiler::compile(what.source, what.filename, mode, &options) {
            Ok(code) => {
                #[cfg(debug_assertions)]
                if let Err(e) = skein_bytecode::verify(&code) {
                    return Err(vm.system_error(format!("bad code from the compiler: {e}")));
                }
                Ok(Rc::new(code))
            }
            Err(e) => Err(vm.raise_text(vm.exc.syntax_error, &format!("{} (line {})", e.message, e.line))),
        }
    }

    fn packaged_module(&self, _: &Vm, _: &str) -> R<Option<(Rc<Code>, bool)>> {
        Ok(None)
    }

    fn packaged_source(&self, _: &str) -> Option<String> {
        None
    }

    fn native_module(&self, vm: &Vm, name: &str) -> R<Option<Value>> {
        skein_greenlets::native_module(vm, name)
    }

    fn native_module_names(&self) -> Vec<&'static str> {
        skein_greenlets::MODULE_NAMES.to_vec()
    }

    fn switcher(&self) -> &dyn Switcher {
        &self.microthreads
    }

    fn trace_roots(&self, vm: &Vm, t: &mut Tracer<'_>) {
        self.microthreads.trace(vm, t);
    }
}
