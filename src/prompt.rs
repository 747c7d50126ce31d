//! The interactive prompt: the library's `_pyrepl` at a terminal, else the plain one.

use skein_builtins::modules::{import, main_namespace, run_code};
use skein_runtime::Args;
use skein_runtime::types::exception::Exception;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::{Compile, Mode, Vm, write_stderr};

/// Is the standard input a terminal?
pub fn is_terminal() -> bool {
    // SAFETY: asks only.
    unsafe { libc::isatty(0) == 1 }
}

/// A variable of the environment that is set to something, and counts.
fn setting(vm: &Vm, name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty() && !vm.config.ignore_environment)
}

/// Does the program ask for a prompt at its end?
pub fn is_wanted_at_end(vm: &Vm) -> bool {
    let inspect = vm.config.inspect || setting(vm, "PYTHONINSPECT").is_some();
    inspect && (vm.config.interactive || is_terminal())
}

/// Who this is, unless `-q` was given.
pub fn greet(vm: &Vm) -> R<()> {
    if vm.config.quiet {
        return Ok(());
    }
    let Some(sys) = vm.sys_dict.get() else { return Ok(()) };
    let text = |name: &str| -> R<String> {
        match sys.get_name(vm, name)? {
            Some(v) => vm.str_string(v),
            None => Ok(String::new()),
        }
    };
    write_stderr(vm, &format!("Python {} on {}\n", text("version")?, text("platform")?));
    if !vm.config.no_site {
        let more = "Type \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n";
        write_stderr(vm, more);
    }
    Ok(())
}

/// Runs the prompt in the namespace of `__main__`. `startup`: after the file that PYTHONSTARTUP names. SystemExit.
pub fn run(vm: &Vm, startup: bool) -> R<Value> {
    main_namespace(vm)?;
    let f = if is_terminal() && setting(vm, "PYTHON_BASIC_REPL").is_none() {
        let pyrepl = import(vm, "_pyrepl.main")?;
        let main = import(vm, "__main__")?;
        let f = vm.get_attr_str(pyrepl, "interactive_console")?;
        let partial = vm.get_attr_str(import(vm, "functools")?, "partial")?;
        vm.call(partial, &[f, main, Value::bool(vm.config.quiet), Value::bool(startup)])?
    } else {
        if startup {
            run_startup(vm)?;
        }
        vm.get_attr_str(import(vm, "sys")?, "_baserepl")?
    };
    vm.switcher().run_program(vm, f, Args::new(&[], None))
}

/// Runs the file that PYTHONSTARTUP names. SystemExit; other exceptions are shown.
fn run_startup(vm: &Vm) -> R<()> {
    let Some(path) = setting(vm, "PYTHONSTARTUP") else { return Ok(()) };
    let done = match std::fs::read(&path) {
        Ok(text) => {
            let what = Compile {
                source: &text,
                filename: &path,
                mode: Mode::Exec,
                optimize: vm.config.optimize,
                flags: 0,
                decoded: false,
            };
            let namespace = main_namespace(vm)?;
            vm.hooks.clone().compile(vm, &what).and_then(|code| run_code(vm, code, namespace))
        }
        Err(e) => {
            write_stderr(vm, "Could not open PYTHONSTARTUP\n");
            Err(vm.os_error(e.raw_os_error().unwrap_or(0), Some(vm.str(&path)?)))
        }
    };
    match done {
        Ok(_) => Ok(()),
        Err(Raised) => show_pending(vm),
    }
}

/// Shows the pending exception, unless it is SystemExit.
pub fn show_pending(vm: &Vm) -> R<()> {
    let Some(e) = vm.pending.take() else { return Ok(()) };
    if vm.is_exact_or_subtype(e, vm.exc.system_exit) {
        return Err(vm.raise_again(e));
    }
    if e.cast::<Exception>().is_some() {
        crate::show(vm, e)?;
    }
    Ok(())
}
