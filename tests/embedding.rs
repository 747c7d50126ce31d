//! The library: isolates in a Rust program.

use skein::{Error, Interpreter};

fn python() -> Interpreter {
    Interpreter::new().expect("an isolate")
}

#[test]
fn statements_and_expressions_share_a_namespace() -> Result<(), Error> {
    let python = python();
    python.exec("x = 20\ndef double(n): return 2 * n", "a.py")?;
    python.exec("x += 1", "b.py")?;
    assert_eq!(python.eval::<i64>("double(x)")?, 42);
    assert_eq!(python.eval::<String>("__name__")?, "__main__");
    Ok(())
}

#[test]
fn values_become_those_of_rust() -> Result<(), Error> {
    let python = python();
    assert!(python.eval::<bool>("1 < 2")?);
    assert_eq!(python.eval::<f64>("0.5")?, 0.5);
    assert_eq!(python.eval::<f64>("2")?, 2.0);
    assert_eq!(python.eval::<i64>("-2**63")?, i64::MIN);
    assert_eq!(python.eval::<Option<i64>>("None")?, None);
    assert_eq!(python.eval::<Vec<Option<i64>>>("(1, None)")?, [Some(1), None]);
    assert_eq!(python.eval::<Vec<String>>("['ä', '']")?, ["ä", ""]);
    python.eval::<()>("object()")?;
    assert_eq!(python.eval::<i64>("2**63").unwrap_err().kind(), "OverflowError");
    let e = python.eval::<i64>("'1'").unwrap_err();
    assert_eq!((e.kind(), e.message()), ("TypeError", "expected int, got str"));
    Ok(())
}

#[test]
fn errors_carry_the_traceback() {
    let python = python();
    let e = python.exec("def f():\n    raise KeyError('k')\nf()", "f.py").unwrap_err();
    assert_eq!((e.kind(), e.message()), ("KeyError", "'k'"));
    let expected = "Traceback (most recent call last):\n  File \"f.py\", line 3, in <module>\n  \
                    File \"f.py\", line 2, in f\nKeyError: 'k'\n";
    assert_eq!(e.to_string(), expected);
    assert_eq!(python.exec("def", "f.py").unwrap_err().kind(), "SyntaxError");
    assert_eq!(python.eval::<()>("x = 1").unwrap_err().kind(), "SyntaxError");
    assert_eq!(python.exec("import sys; sys.exit(3)", "f.py").unwrap_err().kind(), "SystemExit");
    // The isolate is as good as before.
    assert_eq!(python.eval::<i64>("1").unwrap(), 1);
}

#[test]
fn isolates_share_nothing() -> Result<(), Error> {
    let (a, b) = (python(), python());
    a.exec("import sys; sys.mark = x = 1", "a.py")?;
    assert_eq!(b.eval::<()>("x").unwrap_err().kind(), "NameError");
    b.exec("import sys", "b.py")?;
    assert!(!b.eval::<bool>("hasattr(sys, 'mark')")?);
    drop(a);
    assert_eq!(b.eval::<i64>("2")?, 2);
    Ok(())
}

#[test]
fn settings_are_kept() -> Result<(), Error> {
    let python =
        Interpreter::builder().argv(["a", "b"]).path(["/nowhere"]).optimize(1).gc_stress(50).build()?;
    python.exec("import sys\nassert False", "a.py")?;
    assert_eq!(python.eval::<Vec<String>>("sys.argv")?, ["a", "b"]);
    assert_eq!(python.eval::<String>("sys.path[0]")?, "/nowhere");
    assert!(python.counts().minors > 0);
    let small = Interpreter::builder().heap_limit(32 << 20).build()?;
    assert_eq!(small.exec("x = [0] * 10**8", "a.py").unwrap_err().kind(), "MemoryError");
    small.exec("x = [0] * 10**5", "a.py")
}

#[test]
fn microthreads_go_on_in_the_next_piece_of_code() -> Result<(), Error> {
    let python = python();
    python.exec("import stackless\nlog = []", "a.py")?;
    python.exec("stackless.tasklet(log.append)(1)", "b.py")?;
    assert_eq!(python.eval::<Vec<i64>>("log")?, []);
    python.exec("stackless.run()", "c.py")?;
    assert_eq!(python.eval::<Vec<i64>>("log")?, [1]);
    Ok(())
}

#[test]
fn running_code_leaves_nothing_behind() -> Result<(), Error> {
    let python = python();
    python.exec("import gc\nclass A: pass", "a.py")?;
    for _ in 0..300 {
        python.exec("a = A()", "a.py")?;
        python.eval::<()>("[A()]")?;
    }
    python.exec("del a", "a.py")?;
    assert_eq!(python.eval::<i64>("sum(type(o) is A for o in gc.get_objects())")?, 0);
    Ok(())
}
