//! Frames apart from any stack: what a microthread or generator that stands still is pickled as, and made of again.
//!
//! A frame may come from a pickle that anyone has written. So before it is put onto a stack all is checked that the
//! machine relies on without looking: that its registers hold what its code takes them for at that instruction
//! (`skein_bytecode::standstill`), and that the record which says what its result comes to fits the instruction
//! of the frame below.

use crate::context::{Context, FRAME_WORDS, RECORD, RECORD_WORDS};
use crate::interp::cont::{Consumer, Cont, ContKind, caller, return_word, tagged};
use crate::interp::delegation::{Waiting, link};
use crate::interp::frames::{Walk, frame_code, frame_function};
use crate::interp::operators::symbol;
use crate::interp::{At, Site, elision};
use crate::object::{Field, Ref, Tracer};
use crate::types::cell::CellObject;
use crate::types::code::CodeObject;
use crate::types::dict::Dict;
use crate::types::exception::Exception;
use crate::types::ext::{Ext, Payload};
use crate::types::function::Function;
use crate::types::generator::{AWAITS_STACK, GenState, Generator, UNFILLED};
use crate::types::list::List;
use crate::types::set::Set;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::Type;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_bytecode::{Holds, Inst, Op, Standstill, flags, instructions};
use std::cell::Cell;
use std::rc::Rc;

/// A frame that stands still.
pub struct FrozenFrame {
    pub function: Field,
    pub code: Field,
    /// A dict from numbers of registers to what they hold: those that matter.
    pub registers: Field,
    /// First unit of the instruction that is under way, or that is to be executed next.
    pub unit: Cell<u32>,
    pub under_way: Cell<bool>,
    /// The record: what the result comes to in the frame below. [`BOTTOM`]: there is none.
    pub record: Cell<i64>,
    pub a: Field,
    pub b: Field,
    /// A tuple of the generators that the frame's runs for, from the nearest to the root, if there are any.
    pub waiting: Field,
}

pub type FrozenRef = Ref<Ext<FrozenFrame>>;

/// Stands for the record of a context's lowest frame.
pub const BOTTOM: i64 = -1;

impl Payload for FrozenFrame {
    const NAME: &'static str = "stackless._wrap.frame";
    fn trace(&self, t: &mut Tracer<'_>) {
        let FrozenFrame { function, code, registers, unit: _, under_way: _, record: _, a, b, waiting } = self;
        for f in [function, code, registers, a, b, waiting] {
            f.trace(t);
        }
    }
}

impl Default for FrozenFrame {
    fn default() -> FrozenFrame {
        let none = || Field::new(None);
        FrozenFrame {
            function: none(),
            code: none(),
            registers: none(),
            unit: Cell::new(0),
            under_way: Cell::new(false),
            record: Cell::new(BOTTOM),
            a: none(),
            b: none(),
            waiting: none(),
        }
    }
}

impl FrozenFrame {
    /// The function, and the code that runs, which need not be the function's any more.
    pub fn parts(&self) -> Option<(Ref<Function>, Ref<CodeObject>)> {
        self.function.cast().zip(self.code.cast())
    }
}

/// The first unit of the instruction that this one is of.
fn start_of(code: Ref<CodeObject>, unit: u32) -> u32 {
    code.liveness().start_of(unit).unwrap_or(unit)
}

fn inst_at(code: Ref<CodeObject>, unit: u32) -> Option<Inst> {
    Inst::decode(&code.portable().units, unit as usize).ok()
}

/// Does it matter what the register holds, in a frame that goes on behind the instruction, or at it? What a call or a
/// `yield` takes for itself does not matter behind it.
fn matters(code: Ref<CodeObject>, unit: u32, under_way: bool, register: usize) -> bool {
    let live = code.liveness();
    if !under_way {
        return live.held_before(unit, register);
    }
    let Some(inst) = inst_at(code, unit) else { return true };
    let taken = match inst.op {
        Op::Yield | Op::YieldFrom => register == usize::from(inst.b),
        _ => inst.clobbers_from().is_some_and(|first| register >= first as usize),
    };
    if taken {
        live.held_before(inst.next(), register) && inst.clobbers_from().is_none()
    } else {
        live.held(unit, register)
    }
}

/// What of `n` registers matters at an instruction, as a dict. MemoryError.
fn keep_registers(
    vm: &Vm,
    words: impl Fn(usize) -> u64,
    n: usize,
    matters: impl Fn(usize) -> bool,
) -> R<Ref<Dict>> {
    let kept = Dict::new(vm)?;
    for i in (0..n).filter(|&i| matters(i)) {
        // What is not bound is what a register has to begin with.
        if let Some(v) = vm.value_of_register(words(i)).filter(|v| !v.is_unbound()) {
            kept.set(vm, Value::small_int(i as i64), v)?;
        }
    }
    Ok(kept)
}

/// The frames of a context that stands still, the innermost first. `under_way`: the innermost is in a call. `make`
/// gives an empty one. TypeError where one cannot be taken off its stack; MemoryError.
pub fn freeze(vm: &Vm, site: Site, under_way: bool, make: impl Fn() -> R<FrozenRef>) -> R<Ref<List>> {
    let frames = List::with_capacity(vm, 2)?;
    let mut above = std::ptr::null_mut::<Value>();
    for walked in Walk::new(site) {
        let base = walked.base;
        elision::materialize(vm, base)?;
        let (code, is_first) = (frame_code(base), frames.is_empty());
        let unit = start_of(code, walked.unit);
        let frame = make()?;
        let under_way = under_way || !is_first;
        let n = usize::from(code.portable().nregs);
        let n = match (above as usize).checked_sub(base as usize) {
            Some(bytes) => n.min(bytes / size_of::<Value>()),
            None => n,
        };
        let matters = |i: usize| matters(code, unit, under_way, i);
        // SAFETY: one of the frame's registers.
        let registers = keep_registers(vm, |i| unsafe { base.add(i).cast::<u64>().read() }, n, matters)?;
        frame.function.set(vm, frame, frame_function(base).value());
        frame.code.set(vm, frame, code.value());
        frame.registers.set(vm, frame, registers.value());
        frame.unit.set(unit);
        frame.under_way.set(under_way);
        // SAFETY: a frame's head, and its record where the tag says so.
        let (cont, head) = unsafe {
            let below = caller(base);
            if return_word(base) & RECORD != 0 {
                (Cont::read(base), base.sub(FRAME_WORDS + RECORD_WORDS))
            } else {
                // It stands in the window of the frame below.
                let window = base.sub(FRAME_WORDS).offset_from(below.base);
                (Cont::store(window as usize), base.sub(FRAME_WORDS))
            }
        };
        above = head;
        frame.record.set(BOTTOM);
        if cont.kind != ContKind::ContextEnd {
            if let ContKind::Exit | ContKind::Task | ContKind::LeaveContext = cont.kind {
                return Err(cannot(vm, "the machine is in the middle of native code"));
            }
            let [info, a, b] = cont.pack();
            frame.record.set(info.as_small_int());
            frame.a.set(vm, frame, a);
            frame.b.set(vm, frame, b);
            if cont.kind.is_generator()
                && let Some(g) = cont.a.cast::<Generator>()
                && g.runs_for_root()
            {
                let waiting = List::with_capacity(vm, 1)?;
                for w in Waiting::of(g) {
                    waiting.push(vm, w.value())?;
                }
                frame.waiting.set(vm, frame, Tuple::new(vm, waiting.items())?.value());
            }
        }
        frames.push(vm, frame.value())?;
    }
    Ok(frames)
}

fn cannot(vm: &Vm, why: &str) -> Raised {
    vm.type_error(format!("cannot pickle frames of a microthread: {why}"))
}

fn broken(vm: &Vm, why: &str) -> Raised {
    vm.value_error(format!("bad frame in a pickle: {why}"))
}

/// Does the register hold what the code takes it for?
fn fits(v: Option<Value>, holds: Holds) -> bool {
    match (holds, v) {
        (Holds::Anything, _) => true,
        (_, None) => false,
        (Holds::Cell, Some(v)) => v.cast::<CellObject>().is_some(),
        (Holds::List, Some(v)) => v.cast::<List>().is_some(),
        (Holds::Set, Some(v)) => v.cast::<Set>().is_some(),
        (Holds::Dict, Some(v)) => v.cast::<Dict>().is_some(),
        (Holds::Tuple, Some(v)) => v.cast::<Tuple>().is_some(),
    }
}

/// The registers by number; numbers that the frame has. ValueError.
fn registers_of(vm: &Vm, frame: FrozenRef, n: usize) -> R<Vec<Option<Value>>> {
    // bounded: by the registers of a code, which are less than 65,536
    let mut row = vec![None; n];
    let Some(kept) = frame.registers.cast::<Dict>() else { return Err(broken(vm, "no registers")) };
    for (k, v) in kept.iter() {
        match row.get_mut(if k.is_int() { k.as_small_int() as usize } else { usize::MAX }) {
            Some(slot) => *slot = Some(v),
            None => return Err(broken(vm, "a register that the code does not have")),
        }
    }
    Ok(row)
}

fn check_registers(vm: &Vm, frame: FrozenRef, still: &Standstill) -> R<()> {
    let row = registers_of(vm, frame, still.registers.len())?;
    let Some((_, code)) = frame.parts() else { return Err(broken(vm, "it was not filled")) };
    let (unit, under_way) = (frame.unit.get(), frame.under_way.get());
    // One that does not matter is written before it is read, whatever the verifier knows of it.
    let wrong = |(i, (v, holds)): (usize, (&Option<Value>, &Holds))| {
        !fits(*v, *holds) && matters(code, unit, under_way, i)
    };
    match row.iter().zip(&still.registers).enumerate().position(wrong) {
        Some(i) => Err(broken(vm, &format!("register {i} does not hold what the code takes it for"))),
        None => Ok(()),
    }
}

/// Is the register one that the instruction leaves its result in?
fn is_result(inst: &Inst, register: usize) -> bool {
    let mut found = false;
    inst.writes(|row| found |= (row.first..row.end()).contains(&(register as u32)));
    found
}

/// The code's own checks: where the frame stands, and what it holds. ValueError.
fn check_frame(vm: &Vm, frame: FrozenRef) -> R<Rc<Standstill>> {
    let Some((function, code)) = frame.parts() else { return Err(broken(vm, "it was not filled")) };
    if function.code() != code {
        return Err(broken(vm, "its function has another code"));
    }
    let Some(still) = code.standstill(frame.unit.get()) else {
        return Err(broken(vm, "no instruction begins where it stands"));
    };
    if frame.under_way.get()
        && (still.makes_kind || !still.inst.op.may_raise() || still.inst.op.is_terminator())
    {
        return Err(broken(vm, "its instruction calls nothing"));
    }
    check_registers(vm, frame, &still)?;
    Ok(still)
}

fn is_generator_code(code: Ref<CodeObject>) -> bool {
    code.portable().flags & (flags::GENERATOR | flags::COROUTINE | flags::ASYNC_GENERATOR) != 0
}

/// Where a generator's body begins: behind its `MakeGenerator`.
fn body_of(code: Ref<CodeObject>) -> u32 {
    let made = instructions(&code.portable().units).find(|i| i.op == Op::MakeGenerator);
    made.map_or(u32::MAX, |i| i.next())
}

/// The record of a frame, which must fit the instruction of the one below. ValueError.
fn check_record(vm: &Vm, frame: FrozenRef, below: Option<&Standstill>) -> R<Cont> {
    let record = frame.record.get();
    let is_generator = frame.code.cast::<CodeObject>().is_some_and(is_generator_code);
    let Some(below) = below else {
        return match record == BOTTOM && !is_generator {
            true => Ok(Cont::new(ContKind::ContextEnd, Consumer::Drop, 0)),
            false => Err(broken(vm, "the lowest one is called by another")),
        };
    };
    let (a, b) = (frame.a.or_none(), frame.b.or_none());
    let Some(cont) = Cont::checked(record, a, b) else { return Err(broken(vm, "no such record")) };
    let stores = matches!(cont.consumer, Consumer::Store | Consumer::StoreTruth | Consumer::StoreNot);
    if stores && !is_result(&below.inst, cont.dst.into()) {
        return Err(broken(vm, "its result has no place"));
    }
    let jumps = cont.consumer == Consumer::Jump || cont.jump != 0;
    let target = i64::from(below.inst.next()) + i64::from(cont.jump);
    if jumps && below.inst.target() != Some(target) {
        return Err(broken(vm, "its result leads nowhere"));
    }
    if cont.kind.is_generator() != is_generator {
        return Err(broken(vm, "a generator's frame is called as another, or the reverse"));
    }
    let fits = match cont.kind {
        ContKind::Exit | ContKind::ContextEnd | ContKind::Task | ContKind::LeaveContext => false,
        ContKind::GenFor | ContKind::GenSend | ContKind::GenStep => jumps && stores && runs(vm, frame, cont),
        ContKind::GenCall => cont.stage == 0 && cont.jump == 0 && runs(vm, frame, cont),
        ContKind::ForNext | ContKind::SendCall => jumps && stores,
        ContKind::New => {
            let args = b.cast::<Tuple>();
            let parts = args.as_ref().map_or(&[][..], |t| t.items());
            let names = parts.get(1).map(|n| n.cast::<Tuple>());
            let all = parts.first().and_then(|p| p.cast::<Tuple>());
            a.cast::<Type>().is_some()
                && all.is_some_and(|all| match names {
                    None => true,
                    Some(None) => false,
                    Some(Some(names)) => {
                        names.len() <= all.len() && names.items().iter().all(|n| n.cast::<Str>().is_some())
                    }
                })
        }
        ContKind::Binary | ContKind::Compare => symbol(cont.special()) != "?",
        ContKind::GetAttribute => b.cast::<Str>().is_some(),
        ContKind::Plain
        | ContKind::Init
        | ContKind::Bool
        | ContKind::LenTruth
        | ContKind::Contains
        | ContKind::Iter
        | ContKind::Await
        | ContKind::Anext
        | ContKind::Text
        | ContKind::AsyncIter
        | ContKind::Discard => true,
    };
    if fits { Ok(cont) } else { Err(broken(vm, "a record that does not fit")) }
}

/// Do those that a generator is said to run for wait for it, each for the one before?
fn waits_for(vm: &Vm, frame: FrozenRef, g: Ref<Generator>) -> bool {
    let Some(waiting) = frame.waiting.get() else { return true };
    let Some(waiting) = waiting.cast::<Tuple>() else { return false };
    let mut inner = g;
    for &w in waiting.items() {
        let Some(w) = w.cast::<Generator>() else { return false };
        if w == g || vm.yield_from_target(w) != Some(inner.value()) || w.handled.get().is_some() {
            return false;
        }
        inner = w;
    }
    true
}

/// Is the record's generator the one whose frame this is, and without it?
fn runs(vm: &Vm, frame: FrozenRef, cont: Cont) -> bool {
    let handled = cont.b.is_none() || cont.b.cast::<Exception>().is_some();
    let Some((g, (function, code))) = cont.a.cast::<Generator>().zip(frame.parts()) else { return false };
    handled
        && waits_for(vm, frame, g)
        && g.flag(AWAITS_STACK)
        && g.function() == function
        && g.code() == code
        && frame.unit.get() >= body_of(code)
}

/// Puts frames, the innermost first, onto the stack of a context that has none. The context goes on in the innermost,
/// whose call's result goes to this register (None: it is between two instructions). ValueError, MemoryError.
pub fn thaw(
    vm: &Vm,
    ctx: &Context,
    frames: &[FrozenRef],
    result: Option<u16>,
    handled: Option<Value>,
) -> R<()> {
    let mut below: Option<Rc<Standstill>> = None;
    // bounded: by the frames that there are
    let mut checked: Vec<(FrozenRef, Cont)> = vm.buffer(frames.len())?;
    for &frame in frames.iter().rev() {
        let cont = check_record(vm, frame, below.as_deref())?;
        let still = check_frame(vm, frame)?;
        if checked.len() + 1 < frames.len() && !frame.under_way.get() {
            return Err(broken(vm, "it calls another between two instructions"));
        }
        if checked
            .iter()
            .any(|(f, c)| f.value().is(frame.value()) || cont.kind.is_generator() && c.a.is(cont.a))
        {
            return Err(broken(vm, "it is there twice"));
        }
        checked.push((frame, cont));
        below = Some(still);
    }
    let (Some(innermost), Some(&(last, _))) = (below, checked.last()) else {
        return Err(broken(vm, "there is none"));
    };
    let fits = match result {
        Some(register) => last.under_way.get() && is_result(&innermost.inst, register.into()),
        None => !last.under_way.get(),
    };
    if !fits || handled.is_some_and(|e| e.cast::<Exception>().is_none()) {
        return Err(broken(vm, "what it goes on with has no place"));
    }
    build(vm, ctx, &checked, handled)
}

fn words_of(code: Ref<CodeObject>) -> usize {
    let bytes = code.exec().frame_bytes as usize;
    RECORD_WORDS + FRAME_WORDS + bytes / size_of::<Value>()
}

/// The checked frames, the lowest first.
fn build(vm: &Vm, ctx: &Context, frames: &[(FrozenRef, Cont)], handled: Option<Value>) -> R<()> {
    for code in frames.iter().filter_map(|(f, _)| f.code.cast::<CodeObject>()) {
        code.make_block(vm)?;
    }
    let words = frames.iter().filter_map(|(f, _)| f.code.cast()).map(words_of).sum();
    if !vm.heap.external_fits(vm.chunks.bytes()) || ctx.begin_with(&vm.chunks, words).is_err() {
        return Err(vm.memory_error());
    }
    let mut at = At { pc: std::ptr::null(), base: std::ptr::null_mut() };
    let mut top = ctx.chunk_start();
    for &(frame, cont) in frames {
        let Some((function, code)) = frame.parts() else { continue };
        let exec = code.exec();
        let base = top.wrapping_add(RECORD_WORDS + FRAME_WORDS);
        // SAFETY: the chunk has room for all frames; what is written is what the checks have found.
        unsafe {
            cont.write(base);
            *base.sub(4) = function.value();
            *base.sub(3) = code.value();
            *base.sub(2).cast::<u64>() = tagged(at.pc, RECORD);
            *base.sub(1).cast::<*mut Value>() = at.base;
            top = base.byte_add(exec.frame_bytes as usize);
            let n = usize::from(code.portable().nregs);
            for i in 0..n {
                *base.add(i) = Value::UNBOUND;
            }
            if let Some(kept) = frame.registers.cast::<Dict>() {
                for (k, v) in kept.iter().filter(|(k, _)| k.is_int()) {
                    *base.add(k.as_small_int() as usize) = v;
                }
            }
            let unit = frame.unit.get();
            let next = inst_at(code, unit).map_or(unit, |i| i.next());
            at = At { pc: exec.entry().add(if frame.under_way.get() { next } else { unit } as usize), base };
        }
        if cont.kind.is_generator()
            && let Some(g) = cont.a.cast::<Generator>()
        {
            g.set_flag(AWAITS_STACK, false);
            run_for(vm, frame, g);
        }
    }
    ctx.pc.set(at.pc);
    ctx.base.set(at.base);
    ctx.handled.set(handled);
    Ok(())
}

/// The generator is on a stack, for the root of those that wait for it.
fn run_for(vm: &Vm, frame: FrozenRef, g: Ref<Generator>) {
    let waiting = frame.waiting.cast::<Tuple>();
    let mut root = g;
    for w in waiting.as_ref().map_or(&[][..], |t| t.items()).iter().filter_map(|w| w.cast::<Generator>()) {
        root.outer.set(vm, root, w.value());
        root = w;
    }
    if root == g {
        return g.set_on_stack();
    }
    link(vm, root, g);
    g.set_on_stack_for_root();
}

/// A generator that stands still, as a frame. One that runs has its frame on a stack, and one that has finished has
/// none. MemoryError.
pub fn freeze_generator(vm: &Vm, g: Ref<Generator>, frame: FrozenRef) -> R<()> {
    let code = g.code();
    let unit = start_of(code, g.unit().saturating_sub(1));
    let words = g.registers();
    let registers = keep_registers(vm, |i| words[i].get(), words.len(), |i| matters(code, unit, true, i))?;
    frame.function.set(vm, frame, g.function().value());
    frame.code.set(vm, frame, code.value());
    frame.registers.set(vm, frame, registers.value());
    frame.unit.set(unit);
    frame.under_way.set(true);
    frame.record.set(BOTTOM);
    Ok(())
}

/// A generator that is to be filled. TypeError if the function makes none; MemoryError.
pub fn unfilled_generator(vm: &Vm, function: Ref<Function>) -> R<Ref<Generator>> {
    let code = function.code();
    if !is_generator_code(code) {
        return Err(vm.type_error("the function is no generator"));
    }
    let g = crate::interp::generators::new_generator(vm, function)?;
    g.set_state(GenState::Finished);
    g.set_flag(UNFILLED, true);
    Ok(g)
}

/// Fills a generator with its frame. ValueError.
pub fn thaw_generator(vm: &Vm, g: Ref<Generator>, frame: FrozenRef, handled: Option<Value>) -> R<()> {
    if !g.flag(UNFILLED) {
        return Err(broken(vm, "the generator is in use"));
    }
    let still = check_generator_frame(vm, g, frame)?;
    if handled.is_some_and(|e| e.cast::<Exception>().is_none()) {
        return Err(broken(vm, "what is handled is no exception"));
    }
    let words = g.registers();
    let row = registers_of(vm, frame, still.registers.len())?;
    g.barrier(vm);
    for (word, v) in words.iter().zip(row) {
        word.set(v.unwrap_or(Value::UNBOUND).bits());
    }
    g.handled.init(handled);
    g.set_flag(UNFILLED, false);
    match still.inst.op {
        Op::MakeGenerator => {
            g.set_unit(still.inst.next());
            g.set_state(GenState::Created);
        }
        op => g.suspend_at(still.inst.next(), op == Op::YieldFrom),
    }
    Ok(())
}

fn check_generator_frame(vm: &Vm, g: Ref<Generator>, frame: FrozenRef) -> R<Rc<Standstill>> {
    let Some((function, code)) = frame.parts() else { return Err(broken(vm, "it was not filled")) };
    if g.function() != function || g.code() != code || function.code() != code {
        return Err(broken(vm, "the generator is of another function"));
    }
    let Some(still) = code.standstill(frame.unit.get()) else {
        return Err(broken(vm, "no instruction begins where it stands"));
    };
    if !matches!(still.inst.op, Op::MakeGenerator | Op::Yield | Op::YieldFrom) {
        return Err(broken(vm, "a generator does not stand still there"));
    }
    check_registers(vm, frame, &still)?;
    Ok(still)
}
