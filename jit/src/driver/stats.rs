//! What the driver tells of its traces.

use super::Jit;
use super::trace::{Code, Trace};
use skein_bytecode::Op;
use skein_runtime::interp::At;
use skein_runtime::types::code::CodeObject;
use std::time::Duration;

impl Jit {
    /// A trace was compiled: tells what the options ask for.
    pub(super) fn tell_of(&self, trace: &Trace, code: &Code, took: Duration) {
        let name = &trace.name;
        let dump = self.options.borrow().dump;
        if dump.bytecode
            && let Some(code) = trace.object.cast::<CodeObject>()
        {
            eprintln!("jit: bytecode of {name}\n{}", code.portable());
        }
        if dump.trace {
            eprintln!("jit: trace at {name} as recorded\n{}", trace.body.borrow().closed);
        }
        if dump.optimized {
            eprintln!("jit: trace at {name}\n{}", code.main.tree);
        } else if dump.exits {
            let text = code.main.tree.to_string();
            let exits: Vec<&str> = text.lines().filter(|line| line.starts_with('!')).collect();
            eprintln!("jit: exits of {name}\n{}", exits.join("\n"));
        }
        self.log(|| {
            let (n, bytes) = (code.main.tree.insts.len(), code.main.compiled.bytes);
            format!("compiled {name}: {n} instructions, {bytes} bytes, {} us", took.as_micros())
        });
        if let Some(listing) = code.main.compiled.listing.as_ref().filter(|_| dump.machine) {
            eprintln!("jit: code of {name}\n{listing}");
        }
        let perf = self.options.borrow().perf;
        if perf && let Err(e) = code.main.compiled.write_perf_map(&format!("jit: {name}")) {
            eprintln!("jit: no names for perf: {e}");
            self.options.borrow_mut().perf = false;
        }
    }

    pub(super) fn print_stats(&self) {
        if !self.options.borrow().stats {
            return;
        }
        eprintln!("jit: {:?}", self.counts);
        for trace in self.traces.borrow().iter().flatten() {
            let (body, fates) = (trace.body.borrow(), trace.fates.borrow());
            let place = |pc: usize, frames: u32| {
                let code = body.frame_sets[frames as usize].last().map(|f| f.code);
                code.map_or(String::new(), |code| {
                    let unit = code.unit_of(pc as *const u32);
                    let op = Op::from_u8(code.portable().units.get(unit as usize).map_or(0, |u| *u as u8));
                    let line = code.portable().positions.at(unit).line;
                    format!("{}:{line} {}", code.name_string(), op.map_or("", |op| op.info().text))
                })
            };
            let entered = trace.entered.get();
            let name = match trace.object.cast::<CodeObject>().filter(|_| trace.is_function) {
                Some(code) => format!("{} as a whole", code.name_string()),
                None => place(trace.head, 0),
            };
            let (bridges, size) = (body.bridges, body.closed.insts.len());
            eprintln!("{name}: {size} instructions, {bridges} bridges, entered {entered}");
            let mut exits: Vec<_> =
                fates.iter().zip(&body.closed.exits).filter(|(f, _)| f.taken > 0).collect();
            exits.sort_by_key(|(f, _)| std::cmp::Reverse(f.taken));
            for (fate, exit) in exits.iter().take(8) {
                let (taken, aborts) = (fate.taken, fate.aborts);
                eprintln!("  {taken} at {} ({aborts} aborts)", place(exit.pc, exit.frames));
            }
        }
    }
}

/// For messages: function and line of a place.
pub(super) fn place(at: At) -> String {
    let code = skein_runtime::interp::frame_code(at.base);
    let line = code.portable().positions.at(code.unit_of(at.pc)).line;
    // SAFETY: an instruction's address.
    let op = Op::from_u8(unsafe { *at.pc.cast::<u8>() });
    format!("{}:{line} {}", code.name_string(), op.map_or("", |op| op.info().text))
}
