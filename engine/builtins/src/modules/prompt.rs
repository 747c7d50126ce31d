//! The plain interactive prompt: `sys._baserepl`, where there is no terminal, or PYTHON_BASIC_REPL is set.

use super::{MainCode, main_namespace, run_code};
use skein_bytecode::CodeRef;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::list::List;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::{Compile, Mode, Vm, compile_flags, write_stderr};

/// Reads statements from `sys.stdin` and runs each, until the input ends. SystemExit; other exceptions are shown.
pub fn base_prompt(vm: &Vm) -> R<()> {
    let namespace = main_namespace(vm)?;
    let mut futures = 0;
    set_prompts(vm)?;
    loop {
        let done = match read_statement(vm, futures) {
            Ok(None) => return Ok(()),
            Ok(Some((code, source))) => {
                vm.state::<MainCode>().add(code.clone(), &source);
                // `from __future__` holds for the statements that follow.
                futures |= code.flags & compile_flags::FUTURES;
                run_code(vm, code, namespace).map(|_| ())
            }
            Err(e) => Err(e),
        };
        if done.is_err() {
            report(vm)?;
        }
    }
}

/// `sys.ps1` and `sys.ps2`, where the program has not set its own.
fn set_prompts(vm: &Vm) -> R<()> {
    let Some(sys) = vm.sys_dict.get() else { return Ok(()) };
    for (name, text) in [("ps1", ">>> "), ("ps2", "... ")] {
        if sys.get_name(vm, name)?.is_none_or(|p| p.is_none()) {
            sys.set_name(vm, name, vm.str(text)?)?;
        }
    }
    Ok(())
}

/// Shows a prompt and reads a line. None at the end of the input.
fn read_line(vm: &Vm, prompt: &str) -> R<Option<String>> {
    let Some(sys) = vm.sys_dict.get() else { return Ok(None) };
    let prompt = match sys.get_name(vm, prompt)? {
        Some(prompt) => vm.str_string(prompt)?,
        None => String::new(),
    };
    if let Some(out) = sys.get_str(vm, vm.names.stdout)?.filter(|o| !o.is_none()) {
        vm.call_method(out, "flush", &[])?;
    }
    write_stderr(vm, &prompt);
    let Some(stdin) = sys.get_name(vm, "stdin")?.filter(|s| !s.is_none()) else {
        write_stderr(vm, "lost sys.stdin\n");
        return Ok(None);
    };
    let line = match vm.call_method(stdin, "readline", &[]) {
        Ok(line) => vm.str_string(line)?,
        // It is closed, or its descriptor is: the next attempt would end in the same way.
        Err(_) if vm.catch(vm.exc.os_error).is_some() || vm.catch(vm.exc.value_error).is_some() => {
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    Ok((!line.is_empty()).then_some(line))
}

/// Reads lines until they are a statement; its code and source. None at the end of the input. SyntaxError.
fn read_statement(vm: &Vm, futures: u32) -> R<Option<(CodeRef, String)>> {
    let mut source = String::new();
    let mut prompt = "ps1";
    loop {
        let Some(line) = read_line(vm, prompt)? else {
            return match source.is_empty() {
                true => Ok(None),
                false => compile(vm, &source, futures).map(|code| Some((code, source))),
            };
        };
        let blank = |text: &str| text.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with('#'));
        source.push_str(&line);
        if blank(&source) {
            source.clear();
            continue;
        }
        // The end of the last line is that of a block only if it is empty.
        let typed = source.strip_suffix('\n').unwrap_or(&source);
        let wanted = compile_flags::DONT_IMPLY_DEDENT | compile_flags::ALLOW_INCOMPLETE_INPUT;
        match compile(vm, typed, futures | wanted) {
            Err(Raised) if vm.catch(vm.exc.incomplete_input_error).is_some() => prompt = "ps2",
            r => return r.map(|code| Some((code, source))),
        }
    }
}

fn compile(vm: &Vm, source: &str, flags: u32) -> R<CodeRef> {
    let what = Compile {
        source: source.as_bytes(),
        filename: "<stdin>",
        mode: Mode::Single,
        optimize: vm.config.optimize,
        flags,
        decoded: true,
    };
    vm.hooks.clone().compile(vm, &what)
}

/// Shows the pending exception by `sys.excepthook`. SystemExit goes on.
fn report(vm: &Vm) -> R<()> {
    let Some(e) = vm.pending.take() else { return Ok(()) };
    if vm.is_exact_or_subtype(e, vm.exc.system_exit) {
        return Err(vm.raise_again(e));
    }
    if vm.is_exact_or_subtype(e, vm.exc.keyboard_interrupt) {
        write_stderr(vm, "\nKeyboardInterrupt\n");
        return Ok(());
    }
    let traceback = e.cast::<Exception>().map_or(Value::NONE, |x| x.traceback.or_none());
    let Some(sys) = vm.sys_dict.get() else { return Ok(()) };
    let ty = vm.type_of(e).value();
    for (name, v) in [("last_exc", e), ("last_type", ty), ("last_value", e), ("last_traceback", traceback)] {
        sys.set_name(vm, name, v)?;
    }
    let hook = sys.get_str(vm, vm.names.excepthook)?;
    let row = List::new(vm, &[ty, e, traceback])?;
    let shown = hook.map(|hook| vm.call(hook, row.items()));
    if !matches!(shown, Some(Ok(_))) {
        vm.pending.take();
        crate::report::print_exception(vm, e);
    }
    Ok(())
}
