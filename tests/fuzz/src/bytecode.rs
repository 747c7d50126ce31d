//! Bytecode as text: what can be parsed prints as it was, and what the verifier accepts can be run, whatever it then raises.

use crate::{Isolate, too_much};
use skein_builtins::modules::run_program;
use skein_bytecode::{CodeRef, parse, verify};
use skein_runtime::types::dict::Dict;
use skein_runtime::value::{R, Value};

/// Names that a code may use: nothing that reaches out of the process or makes code by itself.
const PRELUDE: &str = "
import builtins
_FAR = ('open', 'exec', 'eval', 'compile', 'input', 'breakpoint', 'help', 'print', '__import__', 'exit', 'quit', '__loader__', '__spec__')
def namespace():
    return {'__name__': 'fuzz', '__builtins__': {name: value for name, value in vars(builtins).items() if name not in _FAR}}
";

/// How far an input came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// It is no code.
    Nowhere,
    /// It is one that the verifier refuses.
    Refused,
    /// It ran.
    Ran,
}

/// Runs codes.
pub struct Codes {
    isolate: Isolate,
}

impl Codes {
    /// # Errors
    /// If the isolate cannot be made.
    pub fn new() -> Result<Codes, String> {
        Ok(Codes { isolate: Isolate::new(PRELUDE, Some(5)).map_err(|e| e.to_string())? })
    }

    /// The text of what a Python source is compiled to.
    ///
    /// # Errors
    /// If it does not compile.
    pub fn text(&mut self, source: &str) -> Result<String, String> {
        let python = self.isolate.for_input().map_err(|e| e.to_string())?;
        let code = compiled(python, source).map_err(|()| format!("does not compile: {source}"))?;
        Ok(code.to_string())
    }

    /// Parses, verifies and runs.
    ///
    /// # Errors
    /// If the text does not come back as it was, or the engine is at fault.
    pub fn check(&mut self, text: &[u8]) -> Result<Came, String> {
        let Some(code) = std::str::from_utf8(text).ok().and_then(|text| parse(text).ok()) else {
            return Ok(Came::Nowhere);
        };
        let again = parse(&code.to_string()).map_err(|e| format!("printed, it does not parse: {e}"))?;
        if again.to_string() != code.to_string() {
            return Err(format!("printed and parsed, it is another:\n{code}\nnow\n{again}"));
        }
        if verify(&code).is_err() {
            return Ok(Came::Refused);
        }
        let python = self.isolate.for_input().map_err(|e| e.to_string())?;
        run(python, CodeRef::new(code))?;
        Ok(Came::Ran)
    }
}

fn compiled(python: &skein::Interpreter, source: &str) -> Result<CodeRef, ()> {
    let vm = python.vm();
    let what = skein_runtime::vm::Compile {
        source: source.as_bytes(),
        filename: "seed.py",
        mode: skein_runtime::vm::Mode::Exec,
        optimize: 0,
        flags: 0,
        decoded: true,
    };
    vm.hooks.clone().compile(vm, &what).map_err(|_| {
        vm.pending.take();
    })
}

/// Runs a code in a namespace of its own, for a fifth of a second at most.
fn run(python: &skein::Interpreter, code: CodeRef) -> Result<(), String> {
    python.exec("_space = namespace(); watch(0.2)", "watch.py").map_err(|e| e.to_string())?;
    let vm = python.vm();
    let ran: R<Value> = (|| {
        let main = skein_builtins::modules::main_namespace(vm)?;
        let space = main.get_name(vm, "_space")?.and_then(|space| space.cast::<Dict>());
        match space {
            Some(space) => run_program(vm, code, space),
            None => Ok(Value::NONE),
        }
    })();
    let raised = match ran {
        Ok(_) => None,
        Err(_) => vm.pending.take().map(|e| (vm.type_of(e).name_string(), vm.str_string(e))),
    };
    vm.pending.take();
    // The timer may go off until it is stopped.
    while let Err(error) = python.exec("watch(0)", "watch.py") {
        if !too_much(error.kind()) {
            return Err(error.to_string());
        }
    }
    match raised {
        Some((kind, Ok(text))) if kind == "SystemError" && text.contains("internal") => Err(text),
        _ => Ok(()),
    }
}
