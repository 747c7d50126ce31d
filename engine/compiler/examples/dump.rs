//! Compiles a file and prints its code as JSON lines of raw tables, for experiments.
//! Several files: prints one line a file with the outcome only.
use skein_bytecode::{Code, Const, Extra, Op};
use std::fmt::Write;

fn js(s: &[u8]) -> String {
    let mut o = String::from("\"");
    for &b in s {
        match b {
            b'"' | b'\\' => {
                o.push('\\');
                o.push(b as char)
            }
            0x20..=0x7e => o.push(b as char),
            _ => write!(o, "\\u{b:04x}").unwrap(),
        }
    }
    o.push('"');
    o
}
fn konst(c: &Const) -> String {
    match c {
        Const::None => "[\"none\"]".into(),
        Const::True => "[\"true\"]".into(),
        Const::False => "[\"false\"]".into(),
        Const::Ellipsis => "[\"ellipsis\"]".into(),
        Const::Int(n) => format!("[\"int\",\"{n}\"]"),
        Const::BigInt(d) => format!("[\"big\",{d:?}]"),
        Const::Float(f) => format!("[\"float\",\"{:?}\"]", f64::from_bits(*f)),
        Const::Complex(a, b) => {
            format!("[\"complex\",\"{:?}\",\"{:?}\"]", f64::from_bits(*a), f64::from_bits(*b))
        }
        Const::Str(s) => format!("[\"str\",{}]", js(s)),
        Const::Bytes(s) => format!("[\"bytes\",{}]", js(s)),
        Const::Tuple(t) => format!("[\"tuple\",[{}]]", t.iter().map(konst).collect::<Vec<_>>().join(",")),
        Const::FrozenSet(t) => {
            format!("[\"frozenset\",[{}]]", t.iter().map(konst).collect::<Vec<_>>().join(","))
        }
        Const::Code(c) => format!("[\"code\",{}]", code(c)),
    }
}
fn code(c: &Code) -> String {
    let mut insns = Vec::new();
    let mut i = 0;
    while i < c.units.len() {
        let [op, a, b, cc] = c.units[i].to_le_bytes();
        let op = Op::from_u8(op).expect("op");
        let info = op.info();
        let x = if info.extra != Extra::No { c.units[i + 1] } else { 0 };
        let p = c.positions.at(i as u32);
        insns.push(format!(
            "[{i},\"{op:?}\",{a},{b},{cc},{x},[{},{},{},{}]]",
            p.line, p.end_line, p.col as i32, p.end_col as i32
        ));
        i += op.units();
    }
    let locals: Vec<String> =
        c.locals.iter().map(|l| format!("[{},\"{:?}\"]", js(l.name.as_bytes()), l.kind)).collect();
    let handlers: Vec<String> =
        c.handlers.iter().map(|h| format!("[{},{},{},{}]", h.start, h.end, h.target, h.reg)).collect();
    let names: Vec<String> = c.names.iter().map(|n| js(n.as_bytes())).collect();
    format!(
        "{{\"name\":{},\"qualname\":{},\"line\":{},\"flags\":{},\"arg_count\":{},\"posonly\":{},\"kwonly\":{},\"nregs\":{},\"locals\":[{}],\"consts\":[{}],\"names\":[{}],\"handlers\":[{}],\"insns\":[{}]}}",
        js(c.name.as_bytes()),
        js(c.qualname.as_bytes()),
        c.first_line,
        c.flags,
        c.arg_count,
        c.posonly_count,
        c.kwonly_count,
        c.nregs,
        locals.join(","),
        c.consts.iter().map(konst).collect::<Vec<_>>().join(","),
        names.join(","),
        handlers.join(","),
        insns.join(",")
    )
}
fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let bulk = args.first().is_some_and(|a| a == "--bulk");
    if bulk {
        args.remove(0);
        let list = std::fs::read_to_string(&args[0]).unwrap();
        for path in list.lines() {
            let Ok(src) = std::fs::read(path) else { continue };
            let r = std::panic::catch_unwind(|| {
                skein_compiler::compile(&src, path, skein_compiler::Mode::Exec, &Default::default())
            });
            match r {
                Ok(Ok(c)) => match skein_bytecode::verify(&c) {
                    Ok(()) => println!("ok {path}"),
                    Err(e) => println!("unsound {path}\t{e:?}"),
                },
                Ok(Err(e)) => println!("err {path}\t{}\t{}\t{}\t{:?}", e.line, e.col, e.message, e.kind),
                Err(_) => println!("panic {path}"),
            }
        }
        return;
    }
    let mode = match args.get(1).map(String::as_str) {
        Some("eval") => skein_compiler::Mode::Eval,
        Some("single") => skein_compiler::Mode::Single,
        _ => skein_compiler::Mode::Exec,
    };
    let src = if args[0] == "-" {
        use std::io::Read;
        let mut v = Vec::new();
        std::io::stdin().read_to_end(&mut v).unwrap();
        v
    } else {
        std::fs::read(&args[0]).unwrap()
    };
    match skein_compiler::compile(&src, &args[0], mode, &Default::default()) {
        Ok(c) => println!("{}", code(&c)),
        Err(e) => println!(
            "{{\"error\":{:?},\"line\":{},\"col\":{},\"end_line\":{},\"end_col\":{},\"kind\":\"{:?}\",\"incomplete\":{}}}",
            e.message, e.line, e.col, e.end_line, e.end_col, e.kind, e.incomplete
        ),
    }
}
