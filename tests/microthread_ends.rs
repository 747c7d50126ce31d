//! How programs of greenlets and tasklets end: exit codes, signals, messages; never by hanging.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Far more than any of these programs needs.
const TIME: Duration = Duration::from_secs(60);

/// Runs a program; with `interrupt`, Ctrl-C is pressed when it has printed a line "go".
fn run(program: &str, interrupt: bool) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skein"));
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
    if interrupt {
        let mut line = [0; 3];
        child.stdout.as_mut().expect("piped").read_exact(&mut line).expect("it prints");
        std::thread::sleep(Duration::from_millis(50));
        // SAFETY: the child is there until it is waited for.
        unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    }
    let begin = Instant::now();
    while child.try_wait().expect("it can be asked").is_none() {
        if begin.elapsed() > TIME {
            child.kill().expect("it can be ended");
            panic!("it hangs:\n{program}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("it has ended")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is printed first by the programs that are interrupted.
const GO: &str = "print('go'); sys.stdout.flush()\n";

fn interrupted(program: &str) -> Output {
    run(&format!("import sys, time, greenlet, stackless\nmain = greenlet.getcurrent()\n{program}"), true)
}

#[test]
fn ctrl_c_that_nobody_catches_ends_by_the_signal() {
    let loops = format!("def f():\n    {GO}    while True: pass\n");
    let programs = [
        format!("{loops}greenlet.greenlet(f).switch()"),
        format!("{loops}stackless.tasklet(f)()\nstackless.run()"),
        format!("{loops}t = stackless.tasklet(f)()\nwhile True: stackless.run(1000).insert()"),
        format!(
            "{GO}def f():\n    while True: main.switch()\ng = greenlet.greenlet(f)\nwhile True: g.switch()"
        ),
        format!("{GO}def f():\n    while True: stackless.schedule()\nstackless.tasklet(f)()\nf()"),
        format!(
            "a, b = stackless.channel(), stackless.channel()\ndef f():\n    while True: b.send(a.receive())\n\
             stackless.tasklet(f)()\n{GO}while True:\n    a.send(1)\n    b.receive()"
        ),
        format!(
            "def f():\n    {GO}    sorted([1, 2], key=lambda n: [0 for v in iter(int, 1) if v])\ngreenlet.greenlet(f).switch()"
        ),
    ];
    for program in programs {
        let out = interrupted(&program);
        assert_eq!(out.status.signal(), Some(libc::SIGINT), "{program}\n{}", text(&out.stderr));
        assert!(text(&out.stderr).ends_with("KeyboardInterrupt\n"), "{program}\n{}", text(&out.stderr));
    }
}

#[test]
fn ctrl_c_is_raised_where_the_program_is() {
    let catches = "try:\n    {}\nexcept KeyboardInterrupt:\n    print('caught')\n";
    let sleeps = "def f():\n    print('go'); sys.stdout.flush()\n    time.sleep(100)\n";
    for start in ["greenlet.greenlet(f).switch()", "stackless.tasklet(f)(); stackless.run()"] {
        let out = interrupted(&format!("{sleeps}{}", catches.replace("{}", start)));
        assert_eq!((out.status.code(), text(&out.stdout).as_str()), (Some(0), "caught\n"), "{start}");
    }
    // The greenlet that sleeps may answer in its own way.
    let program = "def f():\n    try:\n        print('go'); sys.stdout.flush(); time.sleep(100)\n    \
                   except KeyboardInterrupt:\n        main.throw(KeyError('told'))\ngreenlet.greenlet(f).switch()";
    let out = interrupted(program);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).ends_with("KeyError: 'told'\n"));
}

#[test]
fn when_nothing_can_run_the_main_tasklet_is_told() {
    let waits = "import stackless\ndef f(): stackless.channel().receive()\n";
    let cases = [
        ("f()", "RuntimeError: Deadlock: the last runnable tasklet cannot be blocked.\n", 0),
        (
            "for i in range(3): stackless.tasklet(f)()\nstackless.run()\nf()",
            "RuntimeError: Deadlock: the last runnable tasklet cannot be blocked.\n",
            3,
        ),
        (
            "stackless.tasklet(lambda: None)()\nf()",
            "RuntimeError: the main tasklet is receiving without a sender available.\n",
            0,
        ),
        (
            "stackless.tasklet(lambda: None)()\nstackless.channel().send(1)",
            "RuntimeError: the main tasklet is sending without a receiver available.\n",
            0,
        ),
        (
            "stackless.tasklet(f)()\nf()",
            "RuntimeError: Deadlock: the last runnable tasklet cannot be blocked.\n",
            0,
        ),
    ];
    for (program, message, waiting) in cases {
        let out = run(&format!("{waits}{program}"), false);
        assert_eq!(out.status.code(), Some(1), "{program}");
        let told = text(&out.stderr);
        // Behind the message stands who waits on whom.
        let (head, notes) = match told.split_once("tasklets that wait:\n") {
            Some((head, notes)) => (head, notes.lines().collect()),
            None => (&*told, Vec::new()),
        };
        assert!(head.ends_with(message), "{program}\n{told}");
        assert_eq!(notes.len(), waiting, "{program}\n{told}");
        for note in notes {
            let (who, whom) = note.split_once(" receives from ").unwrap_or_default();
            assert!(who.starts_with("  stackless.tasklet at 0x"), "{note}");
            assert!(whom.starts_with("stackless.channel at 0x"), "{note}");
            assert!(whom.ends_with(", file \"<string>\", line 2, in f"), "{note}");
        }
    }
}

#[test]
fn errors_and_exits_in_microthreads() {
    let head = "import sys, atexit, greenlet, stackless\nmain = greenlet.getcurrent()\n\
                atexit.register(lambda: print('atexit'))\n";
    // (program, exit code, output, last line of the messages)
    let cases = [
        ("greenlet.greenlet(lambda: 1 / 0).switch()", 1, "atexit\n", "ZeroDivisionError: division by zero"),
        ("greenlet.greenlet(lambda: sys.exit(7)).switch()", 7, "atexit\n", ""),
        ("greenlet.greenlet(lambda: main.throw(SystemExit(8))).switch()", 8, "atexit\n", ""),
        ("main.throw()", 1, "atexit\n", "greenlet.GreenletExit"),
        // A greenlet that is dead, or that never began, passes things on.
        ("g = greenlet.greenlet(int)\ng.switch()\nprint(g.switch('x'), g.throw())", 0, "x \natexit\n", ""),
        ("greenlet.greenlet(int).throw(KeyError, 'k')", 1, "atexit\n", "KeyError: 'k'"),
        // Left suspended at the end: nothing of them runs.
        (
            "def f():\n    try: main.switch()\n    finally: print('never')\ng = greenlet.greenlet(f)\ng.switch()",
            0,
            "atexit\n",
            "",
        ),
        (
            "def f():\n    try: stackless.schedule_remove()\n    finally: print('never')\n\
             t = stackless.tasklet(f)()\nstackless.run()",
            0,
            "atexit\n",
            "",
        ),
        (
            "stackless.tasklet(lambda: 1 / 0)()\nstackless.run()",
            1,
            "atexit\n",
            "ZeroDivisionError: division by zero",
        ),
        // SystemExit in a tasklet ends the program, whatever the main tasklet would do with it.
        (
            "stackless.tasklet(sys.exit)(9)\ntry: stackless.run()\nexcept BaseException: print('never')",
            9,
            "atexit\n",
            "",
        ),
        (
            "stackless.tasklet(lambda: stackless.current.kill())()\nprint(stackless.run())",
            0,
            "None\natexit\n",
            "",
        ),
        (
            "def f(e): raise e\nstackless.tasklet(f)(KeyboardInterrupt())\n\
             try: stackless.run()\nexcept KeyboardInterrupt: print('caught')",
            0,
            "caught\natexit\n",
            "",
        ),
    ];
    for (program, code, output, message) in cases {
        let out = run(&format!("{head}{program}"), false);
        let error = text(&out.stderr);
        assert_eq!(out.status.code(), Some(code), "{program}\n{error}");
        assert_eq!(text(&out.stdout), output, "{program}");
        assert_eq!(error.lines().last().unwrap_or_default(), message, "{program}");
    }
}
