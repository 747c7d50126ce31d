//! The command line.

mod host;

use skein_runtime::vm::{Config, Vm};
use std::process::ExitCode;
use std::rc::Rc;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let config = Config { argv: args[1..].to_vec(), executable: args[0].clone(), ..Config::default() };
    let host = Rc::new(host::Host::default());
    let vm = match Vm::new(config, host.clone()) {
        Ok(vm) => vm,
        Err(e) => {
            eprintln!("skein: {e}");
            return ExitCode::from(1);
        }
    };
    host.microthreads.attach(&vm);
    let (source, name) = match args.get(1).map(String::as_str) {
        Some("-c") => (args.get(2).cloned().unwrap_or_default().into_bytes(), "<string>".to_string()),
        Some(file) => match std::fs::read(file) {
            Ok(s) => (s, file.to_string()),
            Err(e) => {
                eprintln!("skein: can't open file '{file}': {e}");
                return ExitCode::from(2);
            }
        },
        None => return ExitCode::from(2),
    };
    match skein_runtime::modules::run_main(&vm, &source, &name) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => {
            if let Some(e) = vm.pending.take() {
                let mut tb = e
                    .cast::<skein_runtime::types::exception::Exception>()
                    .and_then(|e| e.traceback.cast::<skein_runtime::types::traceback::Traceback>());
                while let Some(t) = tb {
                    eprintln!(
                        "  File {:?}, line {}, in {}",
                        t.code().portable().filename,
                        t.line(),
                        t.code().portable().name
                    );
                    tb = t.next.cast();
                }
                eprintln!("{}", skein_runtime::interp::describe_exception(&vm, e));
            }
            ExitCode::from(1)
        }
    }
}
