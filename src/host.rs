//! What the runtime reaches through its hooks: the compiler, the packaged library, the switcher.

use skein_bytecode::Code;
use skein_compiler::{Mode as CompilerMode, Options};
use skein_runtime::object::Tracer;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::{Compile, Hooks, Mode, NoSwitcher, Switcher, Vm};
use std::rc::Rc;

/// The layers above the runtime.
pub struct Host;

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

    fn packaged_module(&self, vm: &Vm, name: &str) -> R<Option<(Rc<Code>, bool)>> {
        let Some(entry) = skein_stdlib::find(name) else { return Ok(None) };
        match skein_bytecode::read_file(&entry.code()) {
            Ok(code) => Ok(Some((Rc::new(code), entry.is_package()))),
            Err(e) => Err(vm.import_error(format!("packaged code of {name}: {e}"))),
        }
    }

    fn packaged_source(&self, filename: &str) -> Option<String> {
        let name = match filename.strip_prefix("<frozen ").and_then(|f| f.strip_suffix('>')) {
            Some(name) => name.to_string(),
            None => {
                let path = filename.strip_prefix(skein_stdlib::FILENAME_PREFIX)?.strip_suffix(".py")?;
                path.strip_suffix("/__init__").unwrap_or(path).replace('/', ".")
            }
        };
        String::from_utf8(skein_stdlib::find(&name)?.source()).ok()
    }

    fn native_module(&self, vm: &Vm, name: &str) -> R<Option<Value>> {
        skein_stdlib::native_module(vm, name)
    }

    fn native_module_names(&self) -> Vec<&'static str> {
        skein_stdlib::native_module_names()
    }

    fn switcher(&self) -> &dyn Switcher {
        &NoSwitcher
    }

    fn trace_roots(&self, _: &Vm, _: &mut Tracer<'_>) {}
}
