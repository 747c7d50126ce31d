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
    interrupted("import sys\nprint('go')\nsys.stdout.flush()\nwhile True: pass");
}

/// Exit code, output and error output of a shell command in which `$P` is the program.
fn shell(command: &str) -> (Option<i32>, String, String) {
    let mut bash = Command::new("sh");
    for name in ["PYTHONUNBUFFERED", "PYTHONOPTIMIZE", "PYTHONPATH", "PYTHONIOENCODING"] {
        bash.env_remove(name);
    }
    let out = bash.args(["-c", command]).env("P", env!("CARGO_BIN_EXE_skein")).output().expect("a shell");
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

/// What a one-liner prints.
fn printed(args: &str) -> String {
    let (code, out, err) = shell(&format!("$P {args}"));
    assert_eq!((code, err.as_str()), (Some(0), ""), "{args}");
    out
}

/// A file that goes away.
struct Script(std::path::PathBuf);

impl Script {
    fn new(name: &str, content: &[u8]) -> Script {
        let path = std::env::temp_dir().join(format!("skein-{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("a file for the test");
        Script(path)
    }

    fn run(&self) -> (Option<i32>, String, String) {
        let out = skein().arg(&self.0).output().expect("the program starts");
        (out.status.code(), text(&out.stdout), text(&out.stderr))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn ways_to_exit() {
    for (statement, code, error) in [
        ("sys.exit()", 0, ""),
        ("sys.exit(None)", 0, ""),
        ("sys.exit(256)", 0, ""),
        ("sys.exit(-1)", 255, ""),
        ("sys.exit(True)", 1, ""),
        ("sys.exit(10**30)", 255, ""),
        ("sys.exit('msg')", 1, "msg\n"),
        ("sys.exit((1, 2))", 1, "(1, 2)\n"),
        ("sys.exit(1.5)", 1, "1.5\n"),
        ("raise SystemExit(1, 2)", 1, "(1, 2)\n"),
        ("exit(3)", 3, ""),
        ("quit()", 0, ""),
        ("os._exit(7)", 7, ""),
        ("sys.stderr = None; 1 / 0", 1, ""),
    ] {
        let out = run(&["-c", &format!("import sys, os; {statement}")]);
        assert_eq!((out.status.code(), text(&out.stderr).as_str()), (Some(code), error), "{statement}");
    }
    assert_eq!(run(&["-S", "-c", "exit(3)"]).status.code(), Some(1));
}

#[test]
fn errors_at_the_end() {
    let (code, out, err) =
        shell("$P -c 'import atexit\ndef f(): 1/0\natexit.register(f)\natexit.register(print, 1)'");
    assert_eq!((code, out.as_str()), (Some(0), "1\n"));
    assert!(err.starts_with("Exception ignored in atexit callback <function f at 0x"), "{err}");
    assert!(err.ends_with(
        ", line 2, in f\n    def f(): 1/0\n             ~^~\nZeroDivisionError: division by zero\n"
    ));
    let err = shell("$P -c 'import sys; sys.excepthook = 1; 1/0'").2;
    assert!(
        err.starts_with("Error in sys.excepthook:\nTypeError: 'int' object is not callable\n\nOriginal"),
        "{err}"
    );
    assert!(err.ends_with("Original exception was:\nTraceback (most recent call last):\n  File \"<string>\", line 1, in <module>\n    import sys; sys.excepthook = 1; 1/0\n                                    ~^~\nZeroDivisionError: division by zero\n"), "{err}");
    let err = shell("$P -c 'import sys; del sys.excepthook; 1/0'").2;
    assert!(err.starts_with("sys.excepthook is missing\nTraceback"), "{err}");
    assert_eq!(printed("-c 'import sys; print(sys.excepthook is sys.__excepthook__)'"), "True\n");
}

#[test]
fn standard_streams_that_are_closed_or_full() {
    assert_eq!(shell("$P -c 'print(1)' >&-"), (Some(0), String::new(), String::new()));
    assert_eq!(shell("$P -c '1/0' 2>&-").0, Some(1));
    assert_eq!(shell("$P -c 'import sys; print(sys.stdout, file=sys.stderr)' >&-").2, "None\n");
    let err = shell("$P -c 'input()' <&-").2;
    assert!(err.ends_with("RuntimeError: input(): lost sys.stdin\n"), "{err}");
    assert_eq!(shell("$P -c 'print(1)' <&- >&- 2>&-").0, Some(0));
    if std::path::Path::new("/dev/full").exists() {
        let (code, _, err) = shell("$P -c 'print(1)' >/dev/full");
        assert_eq!(code, Some(120));
        assert_eq!(
            err,
            "Exception ignored while flushing sys.stdout:\nOSError: [Errno 28] No space left on device\n"
        );
        let (code, _, err) = shell("$P -u -c 'print(1)' >/dev/full");
        assert_eq!(code, Some(1));
        assert!(
            err.ends_with("\nOSError: [Errno 28] No space left on device\n") && !err.contains("ignored"),
            "{err}"
        );
    }
    let (_, out, err) = shell("{ $P -c 'while 1: print(1)'; echo $? >&2; } | head -1");
    assert_eq!(out, "1\n");
    // Where the pipe took part of a block, the rest is tried, and fails, once more at the end: as CPython.
    let ends = [
        "\nBrokenPipeError: [Errno 32] Broken pipe\n1\n",
        "\nBrokenPipeError: [Errno 32] Broken pipe\n120\n",
    ];
    assert!(ends.iter().any(|end| err.ends_with(end)), "{err}");
}

#[test]
fn sources_of_all_sorts() {
    let out = |name: &str, content: &[u8]| Script::new(name, content).run();
    let fine = |printed: &str| (Some(0), printed.to_string(), String::new());
    assert_eq!(out("empty.py", b""), fine(""));
    assert_eq!(out("bom.py", b"\xef\xbb\xbfprint(1)\n"), fine("1\n"));
    assert_eq!(out("latin.py", b"# coding: latin-1\nprint(ascii('\xe9'))\n"), fine("'\\xe9'\n"));
    assert_eq!(out("ends.py", b"print(1)\rprint(2)\r\nprint(3)"), fine("1\n2\n3\n"));
    assert_eq!(
        out("name.py", b"print(__name__, __file__ == __import__('sys').argv[0])"),
        fine("__main__ True\n")
    );
    for (name, content) in [
        ("bytes.py", &b"x = '\xff'\n"[..]),
        ("null.py", b"print(1)\0\n"),
        ("cookie.py", b"# coding: nope\n"),
        ("wide.py", b"\xff\xfep\0r\0"),
        ("open.py", b"x = (1,\n"),
        ("string.py", b"x = '''\n"),
    ] {
        let (code, printed, err) = out(name, content);
        assert_eq!((code, printed.as_str()), (Some(1), ""), "{name}");
        assert!(err.contains("SyntaxError: "), "{name}: {err}");
    }
    assert_eq!(run(&["/tmp"]).status.code(), Some(1));
    let script = Script::new("relative.py", b"import sys; print(sys.argv[0]); 1/0\n");
    let name = script.0.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let folder = std::env::temp_dir();
    let out = skein().current_dir(&folder).arg(format!("./{name}")).output().expect("the program starts");
    assert_eq!(text(&out.stdout), format!("./{name}\n"));
    assert!(text(&out.stderr).contains(&format!("File \"{}\", line 1", folder.join(name).display())));
}

#[test]
fn options_and_variables() {
    assert_eq!(printed("-c 'import sys; print(sys.argv)' -- -V"), "['-c', '--', '-V']\n");
    assert_eq!(printed("-OO -c 'print(__debug__)'"), "False\n");
    assert_eq!(printed("-X a -Xb=1 -c 'import sys; print(sys._xoptions)'"), "{'a': True, 'b': '1'}\n");
    assert_eq!(printed("-X dev -c 'import sys; print(sys.warnoptions)'"), "['default']\n");
    assert_eq!(printed("-X utf8 -c 'import sys; print(sys.flags.utf8_mode)'"), "1\n");
    let digits = "-c 'import sys; print(sys.flags.int_max_str_digits, sys.get_int_max_str_digits())'";
    assert_eq!(printed(&format!("-X int_max_str_digits=1000 {digits}")), "1000 1000\n");
    assert_eq!(shell(&format!("PYTHONINTMAXSTRDIGITS=2000 $P {digits}")).1, "2000 2000\n");
    assert_eq!(shell(&format!("PYTHONINTMAXSTRDIGITS=2000 $P -E {digits}")).1, "4300 4300\n");
    let (code, _, err) = shell("$P -X int_max_str_digits=10 -c 1");
    assert_eq!(code, Some(1));
    assert!(err.starts_with(
        "Fatal Python error: config_init_int_max_str_digits: -X int_max_str_digits: invalid limit"
    ));
    assert_eq!(shell("PYTHONHASHSEED=x $P -c 1").0, Some(1));
    assert_eq!(shell("PYTHONIOENCODING=ascii:replace $P -c 'print(chr(233))'").1, "?\n");
    assert_eq!(shell("PYTHONPATH=/a:/b $P -c 'import sys; print(sys.path[:3])'").1, "['', '/a', '/b']\n");
    assert_eq!(shell("PYTHONPATH=/a $P -I -c 'import sys; print(\"/a\" in sys.path)'").1, "False\n");
    for option in ["--help-env", "--help-xoptions", "--help-all", "-VV", "--version"] {
        assert_ne!(printed(option), "");
    }
    for (args, error) in [
        ("-c", "Argument expected for the -c option\n"),
        ("-z", "Unknown option: -z\n"),
        ("-X", "Argument expected for the -X option\n"),
    ] {
        let (code, _, err) = shell(&format!("$P {args}"));
        assert_eq!(code, Some(2));
        assert!(err.starts_with(error) && err.ends_with("Try `python -h' for more information.\n"), "{err}");
    }
    for (module, error) in [
        ("nope", "No module named nope"),
        ("sys", "No code object available for sys"),
        (".x", "Relative module names not supported"),
        ("''", "No module named "),
    ] {
        let (code, _, err) = shell(&format!("$P -m {module}"));
        assert!(code == Some(1) && err.ends_with(&format!(": {error}\n")), "{err}");
    }
    // Not UTF-8, which is no reason to fall over.
    assert_eq!(shell("$P -c 'import sys; print(len(sys.argv))' $(printf 'a\\377b')").1, "2\n");
    assert_eq!(shell("$P $(printf 'a\\377b')").0, Some(2));
}

#[test]
fn bytecode_is_shown_and_not_run() {
    let shown = printed("-X skein-bytecode -c 'def f(a): return a.x'");
    assert!(shown.starts_with("code $0 <module>\n") && shown.contains("load.attr r1, r0, x"), "{shown}");
}

#[test]
fn the_heap_limit_is_a_memory_error() {
    for body in [
        "x = []\nwhile 1: x.append([1])",
        "x = 'a'\nwhile 1: x += x",
        "x = {}\nwhile 1: x[len(x)] = str(x)",
        "x = None\nwhile 1: x = [x]",
        "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
        "import greenlet; x = []\nwhile 1: x.append(greenlet.greenlet(print))",
        "x = bytearray()\nwhile 1: x += bytes(100000)",
        "1 << 10**9",
        "'x'.ljust(10**9)",
    ] {
        let lines = body.replace('\n', "\n    ");
        let program = format!(
            "x = f = None\ntry:\n    {lines}\nexcept MemoryError:\n    x = f = None\n    print('caught', [1] * 3)"
        );
        let out = run(&["-X", "skein-heap-limit=64m", "-c", &program]);
        assert_eq!(text(&out.stdout), "caught [1, 1, 1]\n", "{body}: {}", text(&out.stderr));
    }
    // Not even enough to begin with.
    for limit in ["0", "100k", "1m"] {
        let out = run(&["-X", &format!("skein-heap-limit={limit}"), "-c", "print(1)"]);
        assert!(out.status.code().is_some(), "{limit}: {}", out.status);
    }
    assert_eq!(run(&["-X", "skein-heap-limit=x", "-c", "1"]).status.code(), Some(1));
}

#[test]
fn ctrl_c_ends_natives_that_go_through_endless_iterators() {
    for program in [
        "import itertools, collections; collections.deque(itertools.count(), 0)",
        "9 in iter(int, 1)",
        "any(x < 0 for x in iter(int, 1))",
        "sorted(map(abs, iter(int, 1)))",
    ] {
        interrupted(&format!("import sys\nprint('go')\nsys.stdout.flush()\n{program}"));
    }
}

/// Runs a program that prints `go` and does not end, and interrupts it after that.
fn interrupted(program: &str) {
    let mut command = skein();
    // SAFETY: only resets a signal that the tests' parent may ignore.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            Ok(())
        });
    }
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
    assert_eq!(out.status.signal(), Some(libc::SIGINT), "{program}");
    assert!(text(&out.stderr).contains("KeyboardInterrupt"), "{program}");
}
