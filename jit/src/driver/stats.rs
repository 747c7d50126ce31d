//! What the driver tells of its traces.

use super::Jit;
use skein_bytecode::Op;
use skein_runtime::interp::At;
use skein_runtime::types::code::CodeObject;

impl Jit {
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
