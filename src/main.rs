//! The command line.

mod closed;
mod flags;
mod installation;
mod prompt;

use flags::{Flags, Run, UsageError};
use skein::Interpreter;
use skein_builtins::modules::{Main, MainMissing, install_interrupt, main_code, run_main};
use skein_builtins::report::print_exception;
use skein_runtime::interp::hush_panics;
use skein_runtime::types::exception::Exception;
use skein_runtime::types::list::List;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use skein_runtime::vm::write_stderr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// Exit code after output that could not be flushed.
const LOST_OUTPUT: u8 = 120;

/// What programs free is mostly asked for again: to give it to the system and to fault it in each time costs more than
/// to use it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_freed_memory() {
    // SAFETY: no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, 16 << 20);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 4 << 20);
    }
}

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    keep_freed_memory();
    let args: Vec<String> = std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect();
    let program = args.first().map_or("skein", String::as_str);
    let flags = match flags::read(&args) {
        Ok(flags) => flags,
        Err(UsageError { text, code }) => {
            eprint!("{text}");
            return ExitCode::from(code);
        }
    };
    match start(program, flags) {
        Ok(code) => code,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::from(2)
        }
    }
}

/// The text of a `__main__` that is there before the isolate is.
struct Script {
    text: Vec<u8>,
    filename: String,
    is_file: bool,
}

/// Reads the script and sets `sys.path`; runs it. Errors of the command line as text.
fn start(program: &str, mut flags: Flags) -> Result<ExitCode, String> {
    let first;
    let mut script = None;
    skein::add_library(&mut flags.config);
    match &flags.run {
        Run::Show(text) => {
            // A closed standard output is no reason to fail.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return Ok(ExitCode::SUCCESS);
        }
        Run::Command(text) => {
            first = Some(String::new());
            script =
                Some(Script { text: text.clone().into_bytes(), filename: "<string>".into(), is_file: false });
        }
        Run::Module(_) => {
            first = std::env::current_dir().ok().map(|d| d.to_string_lossy().into_owned());
        }
        Run::Stdin => {
            first = Some(String::new());
            if !flags.config.interactive && !prompt::is_terminal() {
                let mut text = Vec::new();
                if let Err(e) = std::io::stdin().read_to_end(&mut text) {
                    return Err(format!("{program}: {e}"));
                }
                script = Some(Script { text, filename: "<stdin>".into(), is_file: false });
            }
        }
        Run::File(file) => {
            let path = Path::new(file);
            if path.is_dir() {
                first = Some(file.clone());
            } else {
                skein_stdlib::unpacked::look_for(&flags.config.library, file.as_bytes());
                let text = std::fs::read(path).map_err(|e| {
                    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
                    let errno = e.raw_os_error().unwrap_or(0);
                    format!(
                        "{program}: can't open file '{}': [Errno {errno}] {}",
                        full.display(),
                        skein_runtime::vm::strerror(errno)
                    )
                })?;
                if is_archive(&text) {
                    first = Some(file.clone());
                } else {
                    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
                    first = real.parent().map(|p| p.to_string_lossy().into_owned());
                    // As the program sees it wherever it goes: in full, but not tidied.
                    let filename = match std::env::current_dir() {
                        Ok(folder) if path.is_relative() => folder
                            .join(file.strip_prefix("./").unwrap_or(file))
                            .to_string_lossy()
                            .into_owned(),
                        _ => file.clone(),
                    };
                    script = Some(Script { text, filename, is_file: true });
                }
            }
        }
    }
    if let Some(script) = &mut script
        && flags.skip_first_line
    {
        // The line stays, empty, so that line numbers are right.
        let end = script.text.iter().position(|&b| b == b'\n').unwrap_or(script.text.len());
        script.text.drain(..end);
    }
    let first = first.filter(|_| !flags.config.safe_path);
    flags.config.program_folder.clone_from(&first);
    flags.config.closed = closed::at_start();
    installation::locate(&mut flags.config, program);
    hush_panics(flags.config.dev_mode);
    let interpreter = Interpreter::from_config(flags.config)
        .map_err(|e| format!("{program}: {}", e.traceback().trim_end()))?;
    let vm = interpreter.vm();
    install_interrupt(vm);
    if !vm.config.no_site && vm.import("site").is_err() {
        eprintln!("Fatal Python error: init_import_site: Failed to import the site module");
        eprintln!("Python runtime state: initialized");
        if let Some(e) = vm.pending.take() {
            print_exception(vm, e);
        }
        return Ok(ExitCode::from(1));
    }
    if let Some(first) = first {
        // As it is: `site` makes the others absolute.
        skein::put_first(vm, &first).map_err(|Raised| format!("{program}: no memory for sys.path"))?;
    }
    if !vm.config.warn_options.is_empty() && vm.import("warnings").is_err() {
        // Without its filters the program can run all the same.
        vm.unraisable(Some("Exception ignored while importing warnings"), Value::NONE);
    }
    let main = match (&script, &flags.run) {
        (Some(s), _) => Main::Source { text: &s.text, filename: &s.filename, is_file: s.is_file },
        (None, Run::Module(name)) => Main::Module(name),
        (None, Run::File(entry)) => Main::Entry(entry),
        (None, _) => {
            let result = prompt::greet(vm).and_then(|()| prompt::run(vm, true));
            return Ok(end(program, &interpreter, result));
        }
    };
    if vm.config.x_options.iter().any(|(name, _)| name == "skein-bytecode") {
        let shown = show_bytecode(vm, main);
        return Ok(end(program, &interpreter, shown));
    }
    let mut result = run_main(vm, main);
    if prompt::is_wanted_at_end(vm) {
        // SystemExit is shown too.
        if result.is_err()
            && let Some(e) = vm.pending.take()
            && show(vm, e).is_err()
        {
            vm.pending.take();
            print_exception(vm, e);
        }
        result = prompt::run(vm, false);
    }
    Ok(end(program, &interpreter, result))
}

/// Does a zip file end here? Its last record says how long the comment is that follows it.
fn is_archive(bytes: &[u8]) -> bool {
    const RECORD: usize = 22;
    let farthest = bytes.len().saturating_sub(RECORD + usize::from(u16::MAX));
    let records = bytes[farthest..].windows(RECORD).enumerate();
    records.rev().any(|(i, record)| {
        let comment = usize::from(u16::from_le_bytes([record[20], record[21]]));
        record.starts_with(b"PK\x05\x06") && farthest + i + RECORD + comment == bytes.len()
    })
}

/// Prints the code of the main program, or of the module of `-m`.
fn show_bytecode(vm: &Vm, main: Main<'_>) -> R<Value> {
    let (code, _) = main_code(vm, main)?;
    // A closed standard output is no reason to fail.
    let _ = write!(std::io::stdout(), "{code}");
    Ok(Value::NONE)
}

/// Reports how the program ended, runs what is to be run at its end, and gives its exit code.
fn end(program: &str, interpreter: &Interpreter, result: R<Value>) -> ExitCode {
    let vm = interpreter.vm();
    let (mut code, mut interrupted) = (0, false);
    if result.is_err()
        && let Some(e) = vm.pending.take()
    {
        if vm.state::<MainMissing>().0.get() && e.cast::<Exception>().is_some() {
            let text = vm.str_string(e).unwrap_or_default();
            eprintln!("{program}: {text}");
            code = 1;
        } else {
            (code, interrupted) = uncaught(vm, e);
        }
    }
    if !interpreter.finish() {
        code = LOST_OUTPUT;
    }
    if interrupted {
        // The parent is to see that it was Ctrl-C.
        // SAFETY: plain calls.
        unsafe {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::kill(libc::getpid(), libc::SIGINT);
        }
        code = 130;
    }
    ExitCode::from(code)
}

/// Shows an exception that nothing caught; its exit code, and whether it was Ctrl-C.
fn uncaught(vm: &Vm, e: Value) -> (u8, bool) {
    if vm.is_exact_or_subtype(e, vm.exc.system_exit) {
        return (exit_code(vm, e), false);
    }
    let interrupted = vm.is_exact_or_subtype(e, vm.exc.keyboard_interrupt);
    if show(vm, e).is_err()
        && let Some(second) = vm.pending.take()
    {
        if vm.is_exact_or_subtype(second, vm.exc.system_exit) {
            return (exit_code(vm, second), false);
        }
        write_stderr(vm, "Error in sys.excepthook:\n");
        print_exception(vm, second);
        write_stderr(vm, "\nOriginal exception was:\n");
        print_exception(vm, e);
    }
    (1, interrupted)
}

/// The code that a SystemExit asks for; another object is shown.
fn exit_code(vm: &Vm, e: Value) -> u8 {
    let code = match vm.get_attr_str(e, "code") {
        Ok(v) => v,
        Err(_) => {
            vm.pending.take();
            Value::NONE
        }
    };
    if code.is_none() {
        return 0;
    }
    if vm.is_int(code) {
        // As C's exit: the low byte; -1 for an int that is too large.
        return vm.as_i64(code).unwrap_or(-1) as u8;
    }
    let text = vm.str_string(code).unwrap_or_default();
    vm.pending.take();
    let stderr = vm.sys_dict.get().and_then(|d| d.get_str(vm, vm.names.stderr).ok().flatten());
    let written = match stderr {
        Some(f) if !f.is_none() => vm
            .str(&format!("{text}\n"))
            .and_then(|line| vm.call_method(f, "write", &[line]))
            .and_then(|_| vm.call_method(f, "flush", &[]))
            .is_ok(),
        _ => false,
    };
    if !written {
        vm.pending.take();
        eprintln!("{text}");
    }
    1
}

/// Calls `sys.excepthook`.
fn show(vm: &Vm, e: Value) -> R<()> {
    let traceback = e.cast::<Exception>().map_or(Value::NONE, |x| x.traceback.or_none());
    let ty = vm.type_of(e).value();
    if let Some(sys) = vm.sys_dict.get() {
        for (name, v) in
            [("last_exc", e), ("last_type", ty), ("last_value", e), ("last_traceback", traceback)]
        {
            sys.set_name(vm, name, v)?;
        }
        let hook = sys.get_str(vm, vm.names.excepthook)?;
        let told = vm.audit("sys.excepthook", || vm.tuple(&[hook.unwrap_or(Value::NONE), ty, e, traceback]));
        // A hook that raises RuntimeError keeps the exception from being shown.
        if vm.absorb(told, vm.exc.runtime_error)?.is_none() {
            return Ok(());
        }
        if let Some(hook) = hook {
            let row = List::new(vm, &[ty, e, traceback])?;
            return vm.call(hook, row.items()).map(|_| ());
        }
        write_stderr(vm, "sys.excepthook is missing\n");
    }
    print_exception(vm, e);
    Ok(())
}
