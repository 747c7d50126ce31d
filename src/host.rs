//! What the runtime reaches through its hooks: the compiler, the packaged library, the switcher.

use skein_bytecode::Code;
use skein_compiler::{ErrorKind, Mode as CompilerMode, Options, SyntaxError};
use skein_greenlets::Microthreads;
use skein_runtime::object::Tracer;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::{Compile, Hooks, Mode, Switcher, SyntaxPlace, Vm};
use std::rc::Rc;

/// Raises the compiler's error as Python's exception.
fn raise_error(vm: &Vm, e: &SyntaxError, filename: &str) -> Raised {
    let ty = match e.kind {
        ErrorKind::Syntax => vm.exc.syntax_error,
        ErrorKind::Indentation => vm.exc.indentation_error,
        ErrorKind::Tab => vm.exc.tab_error,
        ErrorKind::Recursion => return vm.raise_text(vm.exc.recursion_error, &e.message),
        ErrorKind::Memory => return vm.raise_text(vm.exc.memory_error, &e.message),
    };
    let place = SyntaxPlace {
        filename,
        line: e.line,
        col: e.col,
        end_line: e.end_line,
        end_col: e.end_col,
        text: e.text.as_deref(),
    };
    vm.syntax_error(ty, &e.message, &place)
}

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
            Err(e) => Err(raise_error(vm, &e, what.filename)),
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
