//! What a program begins with: the module `__main__`.

use super::imp::MAGIC_NUMBER;
use super::loader::{Loader, finder_type};
use super::{Found, find, import, modules, not_found, quoted, set_attributes};
use skein_bytecode::{Code, CodeRef, Const};
use skein_runtime::object::Ref;
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::{Compile, Mode, Vm};
use std::cell::RefCell;
use std::rc::Rc;

/// Bytes before the code in a compiled file: the magic number, flags, and what they say of the source.
const PYC_HEAD: usize = 16;

/// A module's code to be run as `__main__` (`-m`): its name, spec parts and code.
fn main_module(vm: &Vm, name: &str) -> R<(String, Found)> {
    if name.starts_with('.') {
        return Err(vm.import_error("Relative module names not supported"));
    }
    if matches!(name, "sys" | "builtins") {
        return Err(vm.import_error(format!("No code object available for {name}")));
    }
    if name.is_empty() {
        return Err(not_found(vm, name, "No module named "));
    }
    let path = match name.rsplit_once('.') {
        None => None,
        Some((parent, _)) => {
            let parent_module = import(vm, parent)?;
            match vm.find_attr(parent_module, vm.names.__path__)? {
                Some(p) => Some(p),
                None => {
                    let text = format!(
                        "Error while finding module specification for {} (ModuleNotFoundError: __path__ attribute not found on {} while trying to find {})",
                        quoted(vm, name),
                        quoted(vm, parent),
                        quoted(vm, name)
                    );
                    return Err(not_found(vm, name, &text));
                }
            }
        }
    };
    let Some(found) = find(vm, name, path)? else {
        return Err(not_found(vm, name, &format!("No module named {name}")));
    };
    if found.is_package() {
        let main = format!("{name}.__main__");
        return match name.ends_with("__main__") {
            true => Err(vm.import_error("Cannot use package as __main__ module")),
            false => main_module(vm, &main).map_err(|e| {
                if vm.catch(vm.exc.module_not_found_error).is_some() {
                    let text = format!(
                        "No module named {main}; {} is a package and cannot be directly executed",
                        quoted(vm, name)
                    );
                    return not_found(vm, &main, &text);
                }
                e
            }),
        };
    }
    Ok((name.to_string(), found))
}

/// What `run_main` runs.
pub enum Main<'a> {
    /// Source text and the name of its file; the flag is for a real file, which is in `__file__`.
    Source { text: &'a [u8], filename: &'a str, is_file: bool },
    /// `-m`.
    Module(&'a str),
    /// `__main__` in the folder or archive that is the first entry of `sys.path`.
    Entry(&'a str),
}

/// Runs the program's main code as the module `__main__`. ImportError where it is not found.
pub fn run_main(vm: &Vm, what: Main<'_>) -> R<Value> {
    let (code, main) = main_code(vm, what)?;
    crate::modules::run_program(vm, code, main.dict())
}

/// The program's main code, compiled, and the module `__main__` that it is to run as.
pub fn main_code(vm: &Vm, what: Main<'_>) -> R<(CodeRef, Ref<Module>)> {
    let main = Module::new(vm, "__main__")?;
    modules(vm)?.set_name(vm, "__main__", main.value())?;
    let code = match what {
        Main::Source { text, filename, is_file: true } if is_compiled(text, filename) => {
            let loaders = import(vm, "_frozen_importlib_external")?;
            let (name, path) = (vm.str("__main__")?, vm.str(filename)?);
            let loader = vm.call_method(loaders, "SourcelessFileLoader", &[name, path])?;
            main.dict().set_name(vm, "__loader__", loader)?;
            main.dict().set_str(vm, vm.names.__file__, path)?;
            main.dict().set_name(vm, "__cached__", Value::NONE)?;
            compiled(vm, text)?
        }
        Main::Source { text, filename, is_file } => {
            let loader = match is_file {
                true => {
                    Loader::of(vm, "__main__", &Found::File { path: filename.into(), is_package: false })?
                }
                false => finder_type(vm)?.value(),
            };
            main.dict().set_name(vm, "__loader__", loader)?;
            if is_file {
                main.dict().set_str(vm, vm.names.__file__, vm.str(filename)?)?;
                main.dict().set_name(vm, "__cached__", Value::NONE)?;
            }
            let what = Compile {
                source: text,
                filename,
                mode: Mode::Exec,
                optimize: vm.config.optimize,
                flags: 0,
                decoded: false,
            };
            let code = vm.hooks.clone().compile(vm, &what)?;
            if let Some(source) = &vm.config.command {
                vm.state::<MainCode>().add(code.clone(), source);
            }
            code
        }
        Main::Module(name) => {
            let (name, found) = match main_module(vm, name) {
                Ok(f) => f,
                Err(e) => {
                    vm.state::<MainMissing>().0.set(vm.pending_is(vm.exc.import_error));
                    return Err(e);
                }
            };
            let file = set_main_attributes(vm, main, &name, &found)?;
            if let (Some(sys), Some(file)) = (vm.sys_dict.get(), file)
                && let Some(argv) = sys.get_name(vm, "argv")?.and_then(|a| a.cast::<List>())
                && !argv.is_empty()
            {
                argv.store(vm, 0, file);
            }
            code_of_main(vm, &name, &found)?
        }
        Main::Entry(entry) => {
            let Some(found) = find(vm, "__main__", None)? else {
                vm.state::<MainMissing>().0.set(true);
                let entry = quoted(vm, entry);
                return Err(vm.import_error(format!("can't find '__main__' module in {entry}")));
            };
            set_main_attributes(vm, main, "__main__", &found)?;
            code_of_main(vm, "__main__", &found)?
        }
    };
    Ok((code, main))
}

/// Is it a compiled file? By its name, or else by how it begins.
fn is_compiled(text: &[u8], filename: &str) -> bool {
    filename.ends_with(".pyc") || text.starts_with(&MAGIC_NUMBER.to_le_bytes()[..4])
}

/// The code in a compiled file. RuntimeError if it is of another interpreter, or holds something else.
fn compiled(vm: &Vm, file: &[u8]) -> R<CodeRef> {
    let magic = &MAGIC_NUMBER.to_le_bytes()[..4];
    if file.len() >= magic.len() && !file.starts_with(magic) {
        return Err(vm.runtime_error("Bad magic number in .pyc file"));
    }
    let Some(data) = file.get(PYC_HEAD..) else {
        return Err(vm.eof_error("EOF read where not expected"));
    };
    let data = vm.bytes(data)?;
    let code = vm.call_method(import(vm, "marshal")?, "loads", &[data])?;
    match code.cast::<CodeObject>() {
        Some(code) => Ok(code.shared()),
        None => Err(vm.runtime_error("Bad code object in .pyc file")),
    }
}

/// The attributes of the main module that was found; its `__file__`.
fn set_main_attributes(vm: &Vm, main: Ref<Module>, name: &str, found: &Found) -> R<Option<Value>> {
    if let Found::Spec { spec, .. } = found {
        let set = vm.get_attr_str(import(vm, "_frozen_importlib")?, "_init_module_attrs")?;
        vm.call(set, &[*spec, main.value()])?;
        return main.dict().get_str(vm, vm.names.__file__);
    }
    Ok(set_attributes(vm, main, name, found)?.file())
}

fn code_of_main(vm: &Vm, name: &str, found: &Found) -> R<CodeRef> {
    match found.code(vm, name)? {
        Some(code) => Ok(code),
        None => {
            vm.state::<MainMissing>().0.set(true);
            Err(vm.import_error(format!("No code object available for {name}")))
        }
    }
}

/// The namespace of the module `__main__`, which is made if it is not there. MemoryError.
pub fn main_namespace(vm: &Vm) -> R<Ref<Dict>> {
    let modules = modules(vm)?;
    if let Some(main) = modules.get_name(vm, "__main__")?.and_then(|m| m.cast::<Module>()) {
        return Ok(main.dict());
    }
    let main = Module::new(vm, "__main__")?;
    modules.set_name(vm, "__main__", main.value())?;
    Ok(main.dict())
}

/// The codes of `-c` and of the prompt with their sources, which cannot be read again.
#[derive(Default)]
pub struct MainCode(RefCell<Vec<(CodeRef, Rc<str>)>>);

impl MainCode {
    pub fn add(&self, code: CodeRef, source: &str) {
        self.0.borrow_mut().push((code, source.into()));
    }

    /// The source of which this code is a part.
    pub fn source_of(&self, code: &Code) -> Option<Rc<str>> {
        let all = self.0.borrow();
        all.iter().find(|(whole, _)| contains(whole, code)).map(|(_, source)| source.clone())
    }
}

fn contains(whole: &Code, code: &Code) -> bool {
    let mut queue = vec![whole];
    while let Some(part) = queue.pop() {
        if std::ptr::eq(part, code) {
            return true;
        }
        queue.extend(part.consts.iter().filter_map(|c| match c {
            Const::Code(inner) => Some(&**inner),
            _ => None,
        }));
    }
    false
}

/// Whether the module of `-m` was not found, which the command line tells in one line.
#[derive(Default)]
pub struct MainMissing(pub std::cell::Cell<bool>);
