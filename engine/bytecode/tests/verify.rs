//! The verifier on code that nobody wrote by hand; the cases by hand are file tests.

mod common;

use skein_bytecode::{parse, verify};

#[test]
fn random_codes_do_not_upset_it() {
    common::with_seeds(3000, |rng| {
        let _ = verify(&common::code(rng, 1));
    });
}

/// A loop with a call, a handler and two exits.
const GOOD: &str = "code $0 f
  args 1 posonly 0 kwonly 0
  regs 12
  local x
  local y
    load.special r1, 5
    get.iter r2, r0
  L1:
    for.iter r1, r2, L3
    load.global r3, print
    load.method r3, r1, x
    call.method r3, 0
    jump.back L1
  L2:
    push.exc r5, r4
    pop.exc r5
    reraise r4
  L3:
    check.bound r1, y
    return r1
  handler L1 L2 -> L2 r4
end
";

#[test]
fn one_changed_byte_gives_a_verdict() {
    let good = parse(GOOD).unwrap();
    verify(&good).unwrap();
    for unit in 0..good.units.len() {
        for shift in [0, 8, 16, 24] {
            for value in [0, 1, 3, 7, 0x20, 0x7f, 0x80, 0xff] {
                let mut code = good.clone();
                code.units[unit] = code.units[unit] & !(0xff << shift) | value << shift;
                let _ = verify(&code);
            }
        }
    }
}

/// Nested loops and handlers around a long body: time must stay near linear in the size.
#[test]
fn a_long_code_is_quick() {
    let mut text = String::from("code $0 f\n  args 1 posonly 0 kwonly 0\n  regs 200\n  local x\n");
    for depth in 0..20 {
        text += &format!("  A{depth}:\n    for.iter r{}, r0, B{depth}\n", depth + 1);
    }
    for _ in 0..20_000 {
        text += "    load.global r100, g\n    move r104, r0\n    call r100, 1\n    jump.true r100, N\n"
            .replace("N", &format!("N{}", text.len()))
            .as_str();
        let label = text.rsplit_once(", N").unwrap().1.trim().to_owned();
        text += &format!("  N{label}:\n");
    }
    for depth in (0..20).rev() {
        text += &format!("    jump.back A{depth}\n  B{depth}:\n");
    }
    text += "    return r0\n  E:\n    reraise r99\n  handler A0 E -> E r99\nend\n";
    let code = parse(&text).unwrap();
    let start = std::time::Instant::now();
    verify(&code).unwrap();
    let took = start.elapsed();
    println!("{} units in {took:?}", code.units.len());
    assert!(took.as_secs() < 5, "{took:?}");
}
