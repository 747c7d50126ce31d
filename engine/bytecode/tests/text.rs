//! The text form prints, and parses back to what was printed.

mod common;

use skein_bytecode::{Position, Positions, parse};

#[test]
fn random_codes_come_back_from_the_alternate_form() {
    common::with_seeds(3000, |rng| {
        let code = common::code(rng, 2);
        let text = format!("{code:#}");
        let back = parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(code, back, "\n{text}");
    });
}

#[test]
fn lines_without_instructions_come_back_from_the_alternate_form() {
    common::with_seeds(500, |rng| {
        let mut code = common::code(rng, 0);
        let at = |line| Position { line, end_line: line, col: 4, end_col: 9 };
        let position = |unit| code.positions.at(unit);
        let units: Vec<Position> = (0..code.units.len() as u32).map(position).collect();
        let starts = skein_bytecode::instructions(&code.units).map(|inst| inst.at);
        let marks: Vec<_> =
            starts.filter(|_| rng.below(3) == 0).map(|start| (start, at(start + 1))).collect();
        code.positions = Positions::encode_with_marks(&units, &marks);
        let text = format!("{code:#}");
        let back = parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(code, back, "\n{text}");
        assert_eq!(text.matches("    passes @").count(), marks.len());
    });
}

#[test]
fn the_plain_form_keeps_all_but_columns() {
    common::with_seeds(500, |rng| {
        let mut code = common::code(rng, 0);
        let text = code.to_string();
        let mut back = parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let lines = |p: &Positions| p.rows().map(|(_, end, p)| (p.line, end)).collect::<Vec<_>>();
        let merged = |rows: Vec<(u32, u32)>| {
            let mut out: Vec<(u32, u32)> = Vec::new();
            for (line, end) in rows {
                match out.last_mut() {
                    Some(last) if last.0 == line => last.1 = end,
                    _ => out.push((line, end)),
                }
            }
            out
        };
        assert_eq!(merged(lines(&code.positions)), merged(lines(&back.positions)), "\n{text}");
        code.positions = Positions::default();
        back.positions = Positions::default();
        assert_eq!(code, back, "\n{text}");
    });
}

const SAMPLE: &str = r#"code $0 outer
  qualname outer
  file t.py
  line 1
  flags OPTIMIZED NEWLOCALS
  args 1 posonly 0 kwonly 0
  regs 9
  local x
  local total cell
    load.special r1, 5                      @1      ; total, UNBOUND
    make.cell r1                                    ; total
  L1:
    load.global r4, print                   @3
    load.const r8, 'so far; \'x\''
    call r4, 1
    make.function r2, r5, 0, $1             @4
    jump.true r0, L1                        @3      ; x
  L2:
    return r4                               @5
  L3:
    reraise r3
  handler L1 L2 -> L3 r3
end
code $1 <lambda>
  qualname outer.<locals>.<lambda>
  file t.py
  line 4
  args 0 posonly 0 kwonly 0
  regs 1
    load.int r0, -300                       @4
    return r0
end
"#;

#[test]
fn the_sample_prints_as_it_stands() {
    let code = parse(SAMPLE).unwrap();
    assert_eq!(code.to_string(), SAMPLE);
    assert_eq!(code.positions.at(3), Position { line: 3, end_line: 3, col: u32::MAX, end_col: u32::MAX });
}

#[test]
fn errors_name_the_line() {
    let broken = |from: &str, to: &str| parse(&SAMPLE.replacen(from, to, 1)).unwrap_err().to_string();
    assert_eq!(broken("make.cell", "make.sell"), "line 11: unknown instruction make.sell");
    assert_eq!(broken("r0, L1", "r0, L9"), "line 17: label L9 is nowhere");
    assert_eq!(broken("call r4, 1", "call r4"), "line 15: expected a comma");
    assert_eq!(broken("r8, 'so", "r8, 3, 'so"), "line 14: Comma is too much");
    assert_eq!(broken("r0, -300", "r0, 33000"), "line 30: 33000 is no number that fits here");
    assert_eq!(broken(", $1", ", None"), "line 32: a code that no other one refers to");
    assert_eq!(broken("$1 <lambda>", "$2 <lambda>"), "line 24: codes are numbered in order: expected $1");
    assert_eq!(parse("").unwrap_err().message, "no code");
}
