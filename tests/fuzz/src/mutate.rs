//! Changes to sources and to bytecode as text that leave more of them well-formed than changes of bytes would.

use skein_bytecode::Op;

/// Tokens of Python that sources are changed with.
const TOKENS: &str = "False None True and as assert async await break class continue def del elif else except finally for \
    from global if import in is lambda nonlocal not or pass raise return try while with yield match case type _ x y z f a b \
    __class__ super self __debug__ print 0 1 00 0x1 1_0 1.5 1e400 1j 'a' b'a' f'{x}' f'{x!r:>{y}}' t'{x}' rb'\\' '''a''' \
    \"\" '\\N{DIGIT ONE}' '\\x' '\\777' ( ) [ ] { } , : ; . ... -> := = == != <> < > <= >= + - * / // % @ & | ^ ~ << >> \
    += -= *= **= //= @= ** ! \\ # $ ? ` async\tfor *x **x *, /, x:int (yield) (x:=1) x.y x[y] x[y:z] x() lambda:0 \
    [x\tfor\tx\tin\ty] {x:y} {*x} *(x,) from\t__future__\timport\tannotations except*\tx print\tx except\tx,y";

/// Operands that instructions are changed with.
const OPERANDS: &[&str] = &[
    "r0",
    "r1",
    "r2",
    "r3",
    "r4",
    "r5",
    "r6",
    "r7",
    "r8",
    "r255",
    "0",
    "1",
    "2",
    "3",
    "7",
    "255",
    "-1",
    "None",
    "True",
    "'a'",
    "x",
    "print",
    "len",
    "list",
    "(1, 2)",
    "1.5",
    "#0",
    "#1",
    "$1",
    "L1",
    "L2",
    "L3",
    "u0",
    "u2",
    "4611686018427387904",
];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`, which is not 0.
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

/// The tokens of a text and the blanks between them.
fn tokens(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        ' ' | '\t' => 0,
        c if c.is_alphanumeric() || c == '_' => 1,
        _ => 2,
    };
    let mut out = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        let now = kind(c);
        if last.is_some_and(|last| last != now || now == 2) {
            out.push(&text[start..at]);
            start = at;
        }
        last = Some(now);
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

/// A source with some tokens or lines changed. None where the fuzzer's own changes of bytes are wanted.
pub fn source(data: &[u8], seed: u32) -> Option<String> {
    let random = &mut Random(seed.into());
    let text = std::str::from_utf8(data).ok()?;
    if random.below(8) == 0 || text.is_empty() {
        return None;
    }
    if random.below(4) == 0 {
        return Some(lines(text, random));
    }
    let words: Vec<&str> = TOKENS.split(' ').filter(|word| !word.is_empty()).collect();
    let mut all = tokens(text);
    for _ in 0..=random.below(3) {
        let (at, other) = (random.below(all.len()), random.below(all.len()));
        match random.below(6) {
            0 => all[at] = random.pick(&words),
            1 => all.insert(at, random.pick(&words)),
            2 => all[at] = all[other],
            3 => all.insert(at, all[other]),
            4 => all.swap(at, other),
            _ if all.len() > 1 => drop(all.remove(at)),
            _ => {}
        }
        // What stood apart stays apart.
        if at > 0 && random.below(3) == 0 {
            all.insert(at, " ");
        }
    }
    Some(all.concat().replace("async\t", "async ").replace('\t', " "))
}

/// A text with some lines moved, doubled, left out or indented anew.
fn lines(text: &str, random: &mut Random) -> String {
    let mut all: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let (at, other) = (random.below(all.len()), random.below(all.len()));
    match random.below(5) {
        0 => all.swap(at, other),
        1 => all.insert(at, all[other].clone()),
        2 => all[at].insert_str(0, random.pick(&["    ", " ", "\t", "  "])),
        3 => all[at] = all[at].trim_start().to_owned(),
        _ if all.len() > 1 => drop(all.remove(at)),
        _ => {}
    }
    all.join("\n")
}

/// Bytecode as text with some instructions changed. None where the fuzzer's own changes of bytes are wanted.
pub fn bytecode(data: &[u8], seed: u32) -> Option<String> {
    let random = &mut Random(seed.into());
    let text = std::str::from_utf8(data).ok()?;
    if random.below(16) == 0 || text.is_empty() {
        return None;
    }
    let mut all: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for _ in 0..=random.below(3) {
        let (at, other) = (random.below(all.len()), random.below(all.len()));
        match random.below(10) {
            0 => all.swap(at, other),
            1 => all.insert(at, all[other].clone()),
            2 if all.len() > 1 => drop(all.remove(at)),
            3 => all.insert(at, instruction(random)),
            4 | 5 => all[at] = with_op(&all[at], random),
            _ => all[at] = with_operand(&all[at], &all[other], random),
        }
    }
    Some(all.join("\n"))
}

fn op(random: &mut Random) -> &'static str {
    Op::ALL[random.below(Op::ALL.len())].info().text
}

fn instruction(random: &mut Random) -> String {
    let operands: Vec<&str> = (0..random.below(5)).map(|_| random.pick(OPERANDS)).collect();
    format!("    {} {}", op(random), operands.join(", "))
}

/// The line with another op.
fn with_op(line: &str, random: &mut Random) -> String {
    let body = line.trim_start();
    let Some(word) = body.split(' ').next().filter(|word| !word.is_empty()) else { return line.to_owned() };
    format!("{}{}{}", &line[..line.len() - body.len()], op(random), &body[word.len()..])
}

/// The line with another operand: from a list, from another line, or one that is there already.
fn with_operand(line: &str, donor: &str, random: &mut Random) -> String {
    let is_word = |word: &&str| word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    let all = tokens(line);
    let places: Vec<usize> = (0..all.len()).filter(|&i| is_word(&all[i])).collect();
    let from: Vec<&str> = tokens(donor).into_iter().filter(is_word).collect();
    if places.is_empty() {
        return line.to_owned();
    }
    let at = places[random.below(places.len())];
    let new = match random.below(3) {
        0 if !from.is_empty() => random.pick(&from),
        1 => all[places[random.below(places.len())]],
        _ => random.pick(OPERANDS),
    };
    let mut changed: Vec<&str> = all.clone();
    changed[at] = new;
    changed.concat()
}
