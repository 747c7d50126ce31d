//! Where in a code which events can happen: lines begin, frames begin and go on, branches part.
//!
//! An instruction *begins a line* if control can come to it from another line. Mostly all ways to it do, or none does.
//! Where some do and others do not ([`Start::Unless`]), the instructions of the same line that lead there are marked,
//! so that who comes from them is known.

use skein_bytecode::{Code, Inst, Intrinsic, Op, instructions};

/// Marks before one instruction that have an offset of their own in `co_lines`: there are four bytes a unit.
pub const MARKS_SHOWN: usize = 3;

/// The offset that stands for the beginning of a frame, before its first instruction and the marks before that.
pub const FRAME_BEGINS: i32 = -(MARKS_SHOWN as i32) - 1;

/// A line that begins at an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineStart {
    pub unit: u32,
    pub line: u32,
    pub start: Start,
    /// Of lines for which nothing is done: how many of them there are before the instruction, from this one on.
    pub before: u8,
}

/// Whether control comes from another line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Always,
    /// Not where it comes from an instruction that [`Sites::leads_on`] names.
    Unless,
}

/// What there is in a code.
pub struct Sites {
    pub insts: Vec<Inst>,
    /// In the order of their units; several at one unit if lines are executed for which nothing is done.
    pub lines: Vec<LineStart>,
    /// From which instructions control comes to a [`Start::Unless`] in the same line, and that.
    pub leads_on: Vec<(u32, u32)>,
    /// Unit of the instruction that a frame begins with; what comes before makes the generator.
    pub entry: u32,
    /// Units of instructions that generators go on from.
    pub resumes: Vec<u32>,
    /// Back edges within a line.
    pub short_loops: Vec<u32>,
    /// Jumps over a handler that follows.
    pub over_handlers: Vec<u32>,
}

/// The line of each instruction and those of the marks before it.
fn lines_of(code: &Code, insts: &[Inst]) -> (Vec<u32>, Vec<Vec<u32>>) {
    let mut own = vec![0; insts.len()];
    let mut marks = vec![Vec::new(); insts.len()];
    let mut i = 0;
    for (start, end, p) in code.positions.rows() {
        if start == end {
            let at = insts.partition_point(|inst| inst.at < start);
            if p.line != 0 && at < insts.len() {
                marks[at].push(p.line);
            }
            continue;
        }
        while i < insts.len() && insts[i].at < end {
            own[i] = p.line;
            i += 1;
        }
    }
    (own, marks)
}

/// Code that only undoes what a handler did, and is of no line.
fn is_cleanup(inst: &Inst) -> bool {
    inst.op == Op::Intrinsic && Intrinsic::from_u8(inst.c) == Some(Intrinsic::StopIterationError)
}

impl Sites {
    pub fn of(code: &Code) -> Sites {
        let insts: Vec<Inst> = instructions(&code.units).collect();
        let n = insts.len();
        let (mut own, marks) = lines_of(code, &insts);
        let index = |unit: i64| insts.partition_point(|inst| i64::from(inst.at) < unit);
        let entry = usize::from(insts.first().is_some_and(|i| i.op == Op::MakeGenerator));
        for i in 0..n {
            if is_cleanup(&insts[i]) {
                own[i] = 0;
                if i + 1 < n {
                    own[i + 1] = 0;
                }
            }
        }
        // Jumps by their targets.
        let mut jumps: Vec<(usize, usize)> = (0..n)
            .filter_map(|i| insts[i].target().map(|t| (index(t), i)))
            .filter(|&(to, _)| to < n)
            .collect();
        jumps.sort_unstable();
        let jumps_to = |to: usize| {
            let first = jumps.partition_point(|&(t, _)| t < to);
            jumps[first..].iter().take_while(move |&&(t, _)| t == to).map(|&(_, from)| from)
        };
        let mut handles = vec![false; n];
        for h in &code.handlers {
            if let Some(at) = handles.get_mut(index(i64::from(h.target))) {
                *at = true;
            }
        }
        // What has no line of its own is of the line that it is come to from.
        let mut line = vec![0; n];
        for i in 0..n {
            let last = match own[i] {
                0 => marks[i].last().copied().unwrap_or(0),
                l => l,
            };
            line[i] = if last != 0 {
                last
            } else if i > entry && !insts[i - 1].op.is_terminator() && !handles[i] {
                line[i - 1]
            } else {
                jumps_to(i).filter(|&from| from < i).map(|from| line[from]).next().unwrap_or(0)
            };
        }
        let mut this = Sites {
            lines: Vec::new(),
            leads_on: Vec::new(),
            entry: insts.get(entry).map_or(0, |i| i.at),
            resumes: Vec::new(),
            short_loops: Vec::new(),
            over_handlers: Vec::new(),
            insts: Vec::new(),
        };
        let mut begun = false;
        for i in entry..n {
            let unit = insts[i].at;
            if i > 0 && matches!(insts[i - 1].op, Op::Yield | Op::YieldFrom) {
                this.resumes.push(unit);
            }
            if insts[i].op == Op::JumpBack
                && insts[i]
                    .target()
                    .map(index)
                    .is_some_and(|t| t < n && first_line(&own, &marks, t) == line[i])
            {
                this.short_loops.push(unit);
            }
            if insts[i].op == Op::Jump && handles.get(i + 1) == Some(&true) {
                this.over_handlers.push(unit);
            }
            // Where an asynchronous loop ends no line begins.
            if insts[i].op == Op::EndAsyncFor {
                continue;
            }
            let mut last = 0;
            for (k, l) in marks[i].iter().copied().chain((own[i] != 0).then_some(own[i])).enumerate() {
                let before = (marks[i].len().saturating_sub(k)).min(MARKS_SHOWN) as u8;
                let begins = |start: Start| LineStart { unit, line: l, start, before };
                if k > 0 {
                    if l != last {
                        this.lines.push(begins(Start::Always));
                    }
                    last = l;
                    continue;
                }
                last = l;
                let falls = i > entry && !insts[i - 1].op.is_terminator();
                let ways = falls.then(|| i - 1).into_iter().chain(jumps_to(i));
                let (mut same, mut other) = (Vec::new(), !begun || handles[i]);
                // Back edges within a line are told apart from lines.
                for from in ways {
                    if line[from] == l {
                        same.push((insts[from].at, unit));
                    } else {
                        other = true;
                    }
                }
                match (same.is_empty(), other) {
                    (true, _) => this.lines.push(begins(Start::Always)),
                    (false, false) => {}
                    (false, true) => {
                        this.lines.push(begins(Start::Unless));
                        this.leads_on.append(&mut same);
                    }
                }
                begun = true;
            }
        }
        if this.lines.is_empty()
            && &*code.name == "<module>"
            && let Some(first) = insts.first()
        {
            // In a module without statements there is a line nevertheless: who steps through it stops there.
            this.lines.push(LineStart {
                unit: first.at,
                line: code.first_line,
                start: Start::Always,
                before: 0,
            });
        }
        this.insts = insts;
        this
    }
}

/// The line that executing an instruction begins with.
fn first_line(own: &[u32], marks: &[Vec<u32>], i: usize) -> u32 {
    marks[i].first().copied().unwrap_or(own[i])
}
