//! Deep, long and wide sources: they compile to sound code or are refused, and never overflow the stack.

use skein_compiler::{ErrorKind, Mode, Options, SyntaxError, compile};
use std::fmt::Write;

fn check(source: &str) -> Result<(), SyntaxError> {
    let code = compile(source.as_bytes(), "<test>", Mode::Exec, &Options::default())?;
    skein_bytecode::verify(&code).expect("the code is sound");
    Ok(())
}

fn kind(source: &str) -> Option<ErrorKind> {
    check(source).err().map(|e| e.kind)
}

fn nested(n: usize, head: &str) -> String {
    let mut s = String::new();
    for i in 0..n {
        writeln!(s, "{}{head}", " ".repeat(i)).expect("a string takes it");
    }
    s + &" ".repeat(n) + "pass"
}

#[test]
fn deep_sources_are_compiled_or_refused() {
    let brackets = |n: usize| "(".repeat(n) + "1" + &")".repeat(n);
    assert_eq!(kind(&brackets(200)), None);
    let e = check(&brackets(100_000)).expect_err("too deep");
    assert_eq!(e.message, "too many nested parentheses");
    assert_eq!(kind(&vec!["a"; 4900].join("+")), None);
    assert_eq!(kind(&vec!["a"; 60_000].join("+")), Some(ErrorKind::Recursion));
    assert_eq!(kind(&("a".to_string() + &"()".repeat(60_000))), Some(ErrorKind::Recursion));
    assert_eq!(kind(&("-".repeat(4000) + "1")), None);
    assert_eq!(kind(&("-".repeat(100_000) + "1")), Some(ErrorKind::Memory));
    for lambda in ["lambda: ", "lambda a, b=(1, 2): ", "lambda x=lambda y, z: z: "] {
        assert_eq!(kind(&(lambda.repeat(1200) + "1")), None, "{lambda}");
        assert_eq!(kind(&(lambda.repeat(20_000) + "1")), Some(ErrorKind::Memory), "{lambda}");
    }
    for (head, tail) in
        [("f'{", "}'"), (r"rf'''\{", "}'''"), ("f'{1:{", "}}'"), ("f'{(", ")}'"), (r"f'\'{", r"}'")]
    {
        let deep = |n: usize| head.to_string() + &"-".repeat(n) + "1" + tail;
        assert_eq!(kind(&deep(4000)), None, "{head}");
        assert_eq!(kind(&deep(100_000)), Some(ErrorKind::Memory), "{head}");
    }
    assert_eq!(kind(&format!("f'{}{{1}}'", "-".repeat(100_000))), None);
    assert_eq!(kind(&format!("[{}]", "f'{-a:-}' + 'b', lambda x, y: {1: 2}, a[b:c], ".repeat(5_000))), None);
    assert_eq!(kind(&("if a: pass\n".to_string() + &"elif b: x\n".repeat(5000))), None);
    assert_eq!(kind(&nested(21, "for x in y:")), None);
    let e = check(&nested(22, "for x in y:")).expect_err("too deep");
    assert_eq!(e.message, "too many statically nested blocks");
    assert_eq!(kind(&nested(99, "def f():")), None);
    assert_eq!(kind(&nested(150, "if x:")), Some(ErrorKind::Indentation));
    let strings = |n: usize| "f'{".repeat(n) + "1" + &"}'".repeat(n);
    assert_eq!(kind(&strings(100)), None);
    assert_eq!(check(&strings(150)).expect_err("too deep").message, "too many nested f-strings or t-strings");
    assert_eq!(kind(&strings(100_000)), Some(ErrorKind::Syntax));
    assert_eq!(kind("f'{1:{2:{3}}}'"), None);
    let e = check("f'{1:{2:{3:{4}}}}'").expect_err("too deep");
    assert_eq!(e.message, "f-string: expressions nested too deeply");
    assert_eq!(kind(&("@a\n".repeat(50_000) + "def f(): pass")), Some(ErrorKind::Memory));
}

#[test]
fn functions_with_far_registers_are_sound() {
    let names = |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
    let (args, locals) = (names("a", 300).join(", "), names("x", 300).join(", "));
    let body = "
    a299 += a235 * 2
    f = lambda: (a240, x299, a1)
    x5, *x6, x7 = a1, a2
    r = [x250, *x251, f(x252, k=x253, **x254), f'{x255}{x256!r:>{x257}}', {x258: x259}, x260[x261:x262]]
    try:
        with x263 as x264: x265.y = x266.z(x267)
    except x268 as e: raise x269 from e
    for x270, x271 in x272: yield x270
    match x273:
        case {'k': x274, **rest} | [x274, rest] if x275 < x276: return [q for q in x277 if q > x278]
";
    assert_eq!(kind(&format!("def g({args}):\n    {locals} = a0\n{body}")), None);
    assert_eq!(kind(&format!("async def g():\n    {locals} = a0\n    return await x299(await x298)")), None);
    let many = names("f", 300).join("(), ");
    assert_eq!(kind(&format!("h({many}); t = [{many}]; u = {{{many}}}")), None);
}

#[test]
fn null_bytes_are_refused() {
    let e = check("x = 1\0").expect_err("it holds a null byte");
    assert_eq!(e.message, "source code cannot contain null bytes");
}
