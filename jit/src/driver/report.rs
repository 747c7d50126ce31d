//! What the driver tells a program of its traces: `skein.jit`.

use super::Jit;
use crate::ir::ExitKind;
use skein_bytecode::Op;
use skein_runtime::object::Ref;
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::str::Str;

/// A place in a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub function: String,
    /// 0: of no line.
    pub line: u32,
    /// The instruction.
    pub op: &'static str,
}

/// How a trace was left.
pub struct ExitReport {
    pub place: Place,
    /// "guard", "raise", "elsewhere" (behind an instruction that was done by its helper), "return".
    pub kind: &'static str,
    /// Times that the interpreter went on from there.
    pub taken: u64,
    /// Recordings of a bridge that were given up.
    pub aborts: u32,
    pub bridge: bool,
}

/// A line of a trace as text, and the line of the program that it is for; 0: of none in particular.
pub struct IrLine {
    pub text: String,
    pub file: String,
    pub line: u32,
}

/// A trace.
pub struct TraceReport {
    pub number: usize,
    /// The loop's head, or the function's first instruction.
    pub place: Place,
    pub is_function: bool,
    pub valid: bool,
    /// Instructions as recorded, with bridges.
    pub recorded: usize,
    pub bridges: usize,
    /// Bytes of machine code; 0 where it is not compiled.
    pub bytes: usize,
    /// Times that the interpreter went into it.
    pub entered: u64,
    pub exits: Vec<ExitReport>,
    pub ir: Vec<IrLine>,
    /// Machine code as text, if `view` asked for it to be kept.
    pub code: Option<String>,
}

fn place_of(code: Ref<CodeObject>, pc: usize) -> Place {
    let unit = code.unit_of(pc as *const u32);
    let op = Op::from_u8(code.portable().units.get(unit as usize).map_or(0, |u| *u as u8));
    Place {
        file: code.filename.cast::<Str>().map_or(String::new(), |s| s.to_string_lossy().into_owned()),
        function: code.name_string(),
        line: code.portable().positions.at(unit).line,
        op: op.map_or("", |op| op.info().text),
    }
}

impl Jit {
    /// All traces that there are.
    pub fn traces(&self) -> Vec<TraceReport> {
        let all: Vec<_> = self.traces.borrow().iter().flatten().cloned().collect();
        all.iter()
            .filter_map(|trace| {
                let (body, fates) = (trace.body.borrow(), trace.fates.borrow());
                let own = trace.object.cast::<CodeObject>()?;
                let place = |pc: usize, frames: u32| {
                    let code = body.frame_sets[frames as usize].last().map_or(own, |f| f.code);
                    place_of(code, pc)
                };
                let exits = fates.iter().zip(&body.closed.exits).filter(|(fate, _)| fate.taken > 0);
                let exits = exits.map(|(fate, exit)| ExitReport {
                    place: place(exit.pc, exit.frames),
                    kind: match exit.kind {
                        ExitKind::Resume => "guard",
                        ExitKind::Raise => "raise",
                        ExitKind::Elsewhere => "elsewhere",
                        ExitKind::Return => "return",
                    },
                    taken: fate.taken,
                    aborts: fate.aborts,
                    bridge: exit.bridge.is_some(),
                });
                let code = trace.code.borrow();
                let text = code.as_ref().map_or(String::new(), |code| code.main.tree.to_string());
                let ir = text.lines().map(|line| {
                    // An instruction that can leave ends with its exit's number.
                    let exit = line.rsplit_once('!').filter(|_| line.starts_with("  "));
                    let exit = exit.and_then(|(_, n)| n.trim().parse::<usize>().ok());
                    let exit = exit.and_then(|n| code.as_ref()?.main.tree.exits.get(n));
                    let at = exit.map(|exit| place(exit.pc, exit.frames));
                    let (file, line_number) = at.map_or((String::new(), 0), |at| (at.file, at.line));
                    IrLine { text: line.to_owned(), file, line: line_number }
                });
                // An `EnterTraced` stands before a function's first instruction.
                let first = if trace.is_function { trace.head + 4 } else { trace.head };
                Some(TraceReport {
                    number: trace.number,
                    place: place_of(own, first),
                    is_function: trace.is_function,
                    valid: trace.valid.get() == 1,
                    recorded: body.closed.insts.len(),
                    bridges: body.bridges,
                    bytes: code.as_ref().map_or(0, |code| code.bytes()),
                    entered: trace.entered.get(),
                    exits: exits.collect(),
                    ir: ir.collect(),
                    code: code.as_ref().and_then(|code| code.main.compiled.listing.clone()),
                })
            })
            .collect()
    }

    /// How many recordings and compilations were given up for each reason.
    pub fn given_up(&self) -> Vec<(String, u32)> {
        let mut all: Vec<_> = self.reasons.borrow().iter().map(|(reason, n)| (reason.clone(), *n)).collect();
        all.sort();
        all
    }

    /// A recording or compilation was given up.
    pub(super) fn note_given_up(&self, reason: &str) {
        *self.reasons.borrow_mut().entry(reason.to_owned()).or_default() += 1;
    }
}
