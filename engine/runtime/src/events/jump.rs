//! Where a frame may go on in place of the line that it is at: assigning to `f_lineno`.
//!
//! At the beginnings of two lines the registers that are read later must have the same kinds of things: what loops go
//! over, what `with` leaves by, exceptions and what was handled before them. A dataflow finds out which registers have what.

use super::sites::{LineStart, Sites};
use crate::interp::{FramePlace, FrameVariables, frame_place};
use crate::object::Ref;
use crate::types::frame::{FrameObject, Shown};
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::{Code, Inst, Op};

/// What a register has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Thing {
    /// On some way nothing.
    Nothing,
    /// Something, on all ways, though not the same.
    Something,
    Iterator,
    /// What a `with` block is left by.
    Exit,
    /// An exception that is handled.
    Exception,
    /// The exception that was handled before, kept by the instruction at this unit.
    Before(u32),
    /// What the instruction at this unit has put there.
    Value(u32),
}

impl Thing {
    fn meet(self, other: Thing) -> Thing {
        match (self, other) {
            _ if self == other => self,
            (Thing::Nothing, _) | (_, Thing::Nothing) => Thing::Nothing,
            _ => Thing::Something,
        }
    }

    /// Does it do where the other is expected?
    fn serves_as(self, other: Thing) -> bool {
        match (self, other) {
            (Thing::Before(_), Thing::Before(_)) => true,
            (Thing::Nothing | Thing::Something, _) => false,
            _ => self == other,
        }
    }
}

/// What the registers have before each instruction; None: control does not come there.
struct Things {
    insts: Vec<Inst>,
    before: Vec<Option<Vec<Thing>>>,
}

fn after(inst: &Inst, before: &[Thing]) -> Vec<Thing> {
    let mut things = before.to_vec();
    if let Some(from) = inst.clobbers_from() {
        for t in things.iter_mut().skip(from as usize) {
            *t = Thing::Nothing;
        }
    }
    if inst.op == Op::PopExc {
        things[inst.a as usize] = Thing::Nothing;
    }
    let made = match inst.op {
        Op::GetIter | Op::GetAiter => Thing::Iterator,
        Op::BindSpecial => Thing::Exit,
        Op::PushExc => Thing::Before(inst.at),
        Op::Move => before[inst.b as usize],
        Op::MoveFar => before[inst.far().1 as usize],
        _ => Thing::Value(inst.at),
    };
    inst.writes(|row| {
        for r in row.first..row.end() {
            if let Some(t) = things.get_mut(r as usize) {
                *t = made;
            }
        }
    });
    things
}

impl Things {
    fn of(code: &Code, insts: Vec<Inst>) -> Things {
        let index = |unit: u32| insts.partition_point(|i| i.at < unit);
        let mut before: Vec<Option<Vec<Thing>>> = vec![None; insts.len()];
        let mut entry = vec![Thing::Nothing; code.nregs.into()];
        // Parameters, or the namespace.
        let params = code.param_count().max(1).min(entry.len());
        entry[..params].fill(Thing::Something);
        before[0] = Some(entry);
        let mut work = vec![0];
        while let Some(i) = work.pop() {
            let Some(things) = before[i].clone() else { continue };
            let mut flow = |to: usize, things: &[Thing]| {
                let Some(there) = before.get_mut(to) else { return };
                match there {
                    None => {
                        *there = Some(things.to_vec());
                        work.push(to);
                    }
                    Some(there) => {
                        let mut changed = false;
                        for (a, b) in there.iter_mut().zip(things) {
                            let met = a.meet(*b);
                            changed |= met != *a;
                            *a = met;
                        }
                        if changed {
                            work.push(to);
                        }
                    }
                }
            };
            let inst = &insts[i];
            if let Some(h) = code.handlers.iter().find(|h| h.start <= inst.at && inst.at < h.end) {
                let mut thrown = things.clone();
                thrown[h.reg as usize] = Thing::Exception;
                flow(index(h.target), &thrown);
            }
            let next = after(inst, &things);
            if let Some(t) = inst.target().and_then(|t| u32::try_from(t).ok()) {
                // A loop that ends has no item.
                flow(index(t), if inst.op == Op::ForIter { &things } else { &next });
            }
            if !inst.op.is_terminator() {
                flow(i + 1, &next);
            }
        }
        Things { insts, before }
    }

    fn at(&self, unit: u32) -> Option<&[Thing]> {
        let i = self.insts.partition_point(|i| i.at <= unit).checked_sub(1)?;
        self.before[i].as_deref()
    }
}

/// Why a frame cannot go on there, as CPython says it; else how many handlers it stays in.
fn compare(from: &[Thing], to: &[Thing], is_read: impl Fn(usize) -> bool) -> Result<usize, &'static str> {
    let mut same = 0;
    for (i, (&a, &b)) in from.iter().zip(to).enumerate() {
        if !is_read(i) && !matches!(b, Thing::Before(_)) {
            continue;
        }
        if !a.serves_as(b) {
            return Err(match b {
                Thing::Exception | Thing::Before(_) => {
                    "can't jump into an 'except' block as there's no exception"
                }
                Thing::Iterator => "can't jump into the body of a for loop",
                _ => "incompatible stacks",
            });
        }
        same += usize::from(a == b && matches!(b, Thing::Before(_)));
    }
    Ok(same)
}

/// Makes the frame go on at a line when its trace function, which this is called by, is through. ValueError.
pub fn set_line(vm: &Vm, frame: Ref<FrameObject>, line: i64) -> R<()> {
    match vm.events.tracing.telling.get() {
        Some(("line" | "opcode", f)) if f.is(frame.value()) => {}
        Some(("call", f)) if f.is(frame.value()) => {
            return Err(vm.value_error("can't jump from the 'call' trace event of a new frame"));
        }
        Some((_, f)) if f.is(frame.value()) => {
            return Err(vm.value_error("can only jump from a 'line' trace event"));
        }
        _ => return Err(vm.value_error("f_lineno can only be set in a trace function")),
    }
    let FramePlace::Live(place) = frame_place(vm, frame) else {
        return Err(vm.value_error("f_lineno can only be set in a trace function"));
    };
    let object = frame.code();
    let code = object.portable();
    if line < i64::from(code.first_line) {
        return Err(vm.value_error(format!("line {line} comes before the current code block")));
    }
    let mut sites = Sites::of(code);
    let things = Things::of(code, std::mem::take(&mut sites.insts));
    // The line itself, or the next that there is.
    let Some(wanted) = sites.lines.iter().map(|l| l.line).filter(|&l| i64::from(l) >= line).min() else {
        return Err(vm.value_error(format!("line {line} comes after the current code block")));
    };
    let liveness = object.liveness();
    let locals = code.locals.len();
    // What is not read any more is there by chance.
    let mut from = things.at(place.unit).unwrap_or_default().to_vec();
    for (i, thing) in from.iter_mut().enumerate() {
        if !matches!(thing, Thing::Before(_)) && !liveness.is_read(place.unit, i) {
            *thing = Thing::Nothing;
        }
    }
    let mut best: Option<(usize, LineStart)> = None;
    let mut error = "can't jump into an exception handler, or code may be unreachable";
    for start in sites.lines.iter().filter(|l| l.line == wanted) {
        let Some(to) = things.at(start.unit) else { continue };
        match compare(&from, to, |i| i >= locals && liveness.is_read(start.unit, i)) {
            Ok(n) if best.is_none_or(|(most, _)| n > most) => best = Some((n, *start)),
            Ok(_) => {}
            Err(e) => error = e,
        }
    }
    let Some((_, target)) = best else { return Err(vm.value_error(error)) };
    bind_all(vm, frame)?;
    // Handlers that are left have handled their exceptions.
    let to = things.at(target.unit).unwrap_or_default();
    let is_before = |t: &Thing| matches!(t, Thing::Before(_));
    let left = (0..from.len()).find(|&i| is_before(&from[i]) && !is_before(&to[i]));
    if let Some(i) = left {
        // SAFETY: a register of the live frame, which has what was handled before.
        let before = unsafe { *place.base.add(i) };
        vm.context().handled.set((!before.is_none()).then_some(before));
    }
    frame.move_to(target.unit);
    let shown = Shown { line: target.line, offset: target.unit as i32 * 4 };
    frame.note_line(shown);
    frame.show(Some(shown));
    Ok(())
}

/// The code relies on variables being bound where they always are; None stands for those that are not yet.
fn bind_all(vm: &Vm, frame: Ref<FrameObject>) -> R<()> {
    let variables = FrameVariables::of(vm, frame);
    let unbound = |i: &usize| !variables.holds(vm, *i);
    let mut named = 0;
    for i in (0..variables.count()).filter(unbound) {
        named += usize::from(variables.name(vm, i)?.is_some());
    }
    if named > 0 {
        let s = if named == 1 { "" } else { "s" };
        vm.warn(vm.exc.runtime_warning, &format!("assigning None to {named} unbound local{s}"))?;
    }
    for i in (0..variables.count()).filter(unbound) {
        variables.set(vm, i, Value::NONE);
    }
    Ok(())
}
