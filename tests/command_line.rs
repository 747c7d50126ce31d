//! The command line: what it runs, its exit codes, and its messages.

use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Output, Stdio};

fn skein() -> Command {
    Command::new(env!("CARGO_BIN_EXE_skein"))
}

fn run(args: &[&str]) -> Output {
    skein().args(args).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn versions_and_help() {
    assert!(text(&run(&["-V"]).stdout).starts_with("Python 3.14"));
    assert!(text(&run(&["-h"]).stdout).starts_with("usage: "));
}

#[test]
fn commands_and_exit_codes() {
    let out = run(&["-c", "import sys; print(len(sys.argv)); sys.exit(3)", "a"]);
    assert_eq!((text(&out.stdout).as_str(), out.status.code()), ("2\n", Some(3)));
    let out = run(&["-c", "raise SystemExit('bye')"]);
    assert_eq!((text(&out.stderr).as_str(), out.status.code()), ("bye\n", Some(1)));
    let out = run(&["-c", "def f():\n    return 1 / 0\nf()"]);
    assert_eq!(out.status.code(), Some(1));
    // The lines are shown, though they are in no file.
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("    return 1 / 0\n           ~~^~~\n"), "{text}");
}

#[test]
fn wrong_usage() {
    let out = run(&["--nope"]);
    assert!(text(&out.stderr).starts_with("unknown option --nope\n"));
    assert_eq!(out.status.code(), Some(2));
    let out = run(&["/nonexistent.py"]);
    assert!(
        text(&out.stderr).contains("can't open file '/nonexistent.py': [Errno 2] No such file or directory")
    );
    assert_eq!(out.status.code(), Some(2));
    let out = run(&["-m", "nope"]);
    assert!(text(&out.stderr).ends_with(": No module named nope\n"));
    assert_eq!(out.status.code(), Some(1));
}

#[test]
fn program_from_standard_input() {
    let mut child = skein().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    child.stdin.take().expect("piped").write_all(b"print(1 + 1)\n").expect("it reads");
    assert_eq!(text(&child.wait_with_output().expect("it ends").stdout), "2\n");
}

#[test]
fn ctrl_c_ends_a_loop_by_the_signal() {
    let mut command = skein();
    // SAFETY: only resets a signal that the tests' parent may ignore.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            Ok(())
        });
    }
    let program = "import sys\nprint('go')\nsys.stdout.flush()\nwhile True: pass";
    let mut child = command
        .args(["-c", program])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = [0; 3];
    std::io::Read::read_exact(child.stdout.as_mut().expect("piped"), &mut line).expect("it prints");
    // SAFETY: the child is there until it is waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    let out = child.wait_with_output().expect("it ends");
    assert_eq!(out.status.signal(), Some(libc::SIGINT));
    assert!(text(&out.stderr).contains("KeyboardInterrupt"));
}
