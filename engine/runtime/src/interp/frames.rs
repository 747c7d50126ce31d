//! Reading frames: their heads, and the walk from the innermost outwards.

use crate::context::{Context, FRAME_WORDS, RECORD, RECORD_WORDS};
use crate::interp::cont::{Cont, ContKind, caller, return_word};
use crate::interp::delegation::{Waiting, is_running};
use crate::interp::{Site, elision};
use crate::object::Ref;
use crate::types::code::CodeObject;
use crate::types::frame::FrameObject;
use crate::types::function::Function;
use crate::types::generator::{GenState, Generator};
use crate::types::traceback::Traceback;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::flags;

/// The code of the frame at `base`.
#[inline(always)]
pub fn frame_code(base: *mut Value) -> Ref<CodeObject> {
    // SAFETY: a frame's head has its code.
    unsafe { (*base.sub(3)).cast_unchecked() }
}

/// The function of the frame at `base`.
#[inline(always)]
pub fn frame_function(base: *mut Value) -> Ref<Function> {
    // SAFETY: a frame's head has its function; the result takes its place only when it is left.
    unsafe { (*base.sub(4)).cast_unchecked() }
}

/// What stands in the frame's head for its function.
pub fn frame_function_word(base: *mut Value) -> Value {
    // SAFETY: as in `frame_function`.
    unsafe { *base.sub(4) }
}

/// A frame of a context's stack.
#[derive(Clone, Copy)]
pub struct WalkedFrame {
    pub base: *mut Value,
    /// Unit of the instruction that runs, or that made the call under way.
    pub unit: u32,
}

impl WalkedFrame {
    pub fn line(&self) -> u32 {
        crate::events::line_at(frame_code(self.base), self.unit)
    }
}

/// Frames from the innermost to the context's bottom.
pub struct Walk(Site);

impl Walk {
    /// From this place on.
    pub fn new(site: Site) -> Walk {
        Walk(site)
    }

    /// From the published frame of the running context.
    pub fn running(vm: &Vm) -> Walk {
        Walk::new(vm.site())
    }
}

impl Iterator for Walk {
    type Item = WalkedFrame;

    fn next(&mut self) -> Option<WalkedFrame> {
        let base = self.0.base();
        if base.is_null() {
            return None;
        }
        let unit = self.0.unit();
        // SAFETY: frames of a stack that is walked by its own context, or while it is suspended.
        unsafe {
            let below = caller(base);
            let nested = return_word(base) & RECORD != 0 && Cont::read(base).kind == ContKind::Exit;
            // A nested run keeps the calling instruction itself, else it is the one before.
            self.0 = if nested { below.site() } else { below.call_site() };
        }
        Some(WalkedFrame { base, unit })
    }
}

/// A frame as Python sees it: generators that wait for one which runs for them have no place on the stack.
#[derive(Clone, Copy)]
pub enum Standing {
    OnStack(WalkedFrame),
    Waiting(Ref<Generator>),
}

impl Standing {
    pub fn function(&self) -> Ref<Function> {
        match self {
            Standing::OnStack(w) => frame_function(w.base),
            Standing::Waiting(g) => g.function(),
        }
    }

    pub fn code(&self) -> Ref<CodeObject> {
        match self {
            Standing::OnStack(w) => frame_code(w.base),
            Standing::Waiting(g) => g.code(),
        }
    }

    pub fn line(&self) -> u32 {
        match self {
            Standing::OnStack(w) => w.line(),
            Standing::Waiting(g) => g.code().portable().positions.at(g.unit().saturating_sub(1)).line,
        }
    }

    /// Of the instruction that it is at.
    pub fn unit(&self) -> u32 {
        match self {
            Standing::OnStack(w) => w.unit,
            Standing::Waiting(g) => g.unit().saturating_sub(1),
        }
    }

    fn generator(&self) -> Option<Ref<Generator>> {
        match self {
            Standing::OnStack(w) => frame_generator(w.base),
            Standing::Waiting(g) => Some(*g),
        }
    }
}

/// All frames from the innermost to the bottom, those of waiting generators too.
pub struct Frames {
    stack: Walk,
    waiting: Option<Waiting>,
}

impl Frames {
    pub fn running(vm: &Vm) -> Frames {
        Frames { stack: Walk::running(vm), waiting: None }
    }
}

impl Iterator for Frames {
    type Item = Standing;

    fn next(&mut self) -> Option<Standing> {
        if let Some(g) = self.waiting.as_mut().and_then(Iterator::next) {
            return Some(Standing::Waiting(g));
        }
        let w = self.stack.find(|w| !frame_code(w.base).has_flag(flags::HOSTED))?;
        self.waiting = frame_generator(w.base).map(Waiting::of);
        Some(Standing::OnStack(w))
    }
}

/// The stack of a microthread, running or not.
struct Stack {
    ctx: *const Context,
    /// The microthread's object; None: the main program.
    owner: Option<Value>,
    site: Site,
}

impl Stack {
    fn running(vm: &Vm) -> Stack {
        Stack { ctx: vm.ctx.get(), owner: vm.switcher().running(), site: vm.site() }
    }

    /// None: it has ended, or not begun.
    fn of(vm: &Vm, owner: Option<Value>) -> Option<Stack> {
        if vm.switcher().running() == owner {
            return Some(Stack::running(vm));
        }
        let thread = vm.switcher().thread_of(owner);
        let (ctx, site) = if thread == vm.threads.current().serial {
            vm.switcher().standing(vm, owner)?
        } else if let Some(thread) = vm.threads.by_serial(thread) {
            let switcher = thread.parked_switcher();
            if switcher.running() == owner { thread.standing() } else { switcher.standing(vm, owner)? }
        } else {
            // Its thread has ended, and it stays as it was left.
            vm.switcher().standing(vm, Some(owner.filter(|v| !v.is_int())?))?
        };
        Some(Stack { ctx, owner, site })
    }

    fn walk(&self) -> Walk {
        Walk::new(self.site)
    }

    fn frames(&self) -> Frames {
        Frames { stack: self.walk(), waiting: None }
    }

    /// The frame object of any of its frames. MemoryError.
    fn object(&self, vm: &Vm, frame: Standing) -> R<Ref<FrameObject>> {
        match frame {
            Standing::OnStack(w) => self.frame_object(vm, w.base),
            Standing::Waiting(g) => {
                let f = generator_frame(vm, g)?;
                f.microthread.set(vm, f, self.owner);
                Ok(f)
            }
        }
    }

    /// The frame object of its frame at `base`, made at the first asking. MemoryError.
    fn frame_object(&self, vm: &Vm, base: *mut Value) -> R<Ref<FrameObject>> {
        // SAFETY: the context is the running one, the isolate's own, or part of `owner`.
        let ctx = unsafe { &*self.ctx };
        if let Some(f) = ctx.frame_object(base).and_then(|v| v.cast()) {
            return Ok(f);
        }
        elision::materialize(vm, base)?;
        let generator = frame_generator(base);
        let f = match generator.and_then(|g| g.frame.cast::<FrameObject>()) {
            Some(f) => {
                f.set_base(base);
                f
            }
            None => {
                let f = FrameObject::new(vm, frame_function(base), frame_code(base), base)?;
                if let Some(g) = generator {
                    f.generator.set(vm, f, g.value());
                    g.frame.set(vm, g, f.value());
                }
                f
            }
        };
        f.microthread.set(vm, f, self.owner);
        let inner: Vec<*mut Value> = self.walk().map(|f| f.base).take_while(|&b| b != base).collect();
        ctx.add_frame_object(base, f.value(), |b| inner.contains(&b));
        // The context's side list now leads to the object.
        if let Some(h) = self.owner.and_then(Value::header) {
            vm.heap.write_barrier(h);
        }
        // SAFETY: a frame's head; the tag makes its return look at the side list.
        unsafe {
            let word = base.sub(2).cast::<usize>();
            *word |= crate::context::SIDE;
        }
        Ok(f)
    }
}

/// Empties the registers of the running context that nobody will look at, so that what they still have is not kept
/// by them. Their words count as references otherwise.
pub fn clear_dead_registers(vm: &Vm) {
    clear_dead_from(vm.site());
}

/// As [`clear_dead_registers`], in the frames from this one on. None of them runs.
pub fn clear_dead_from(site: Site) {
    // Where the frame above begins: it may stand in the window of the one below.
    let mut above = std::ptr::null_mut::<Value>();
    for frame in Walk::new(site) {
        let code = frame_code(frame.base);
        for i in (0..own_registers(&frame, above)).filter(|&i| !code.liveness().held(frame.unit, i)) {
            // SAFETY: one of the frame's registers, in no other frame; what it had is not needed.
            unsafe { *frame.base.add(i) = Value::UNBOUND };
        }
        above = head_of(&frame);
    }
}

/// Is it true of what a register has that is still to be read, in one of the innermost frames of the running context?
pub fn live_register(vm: &Vm, test: impl Fn(Value) -> bool) -> bool {
    const FRAMES: usize = 16;
    let mut above = std::ptr::null_mut::<Value>();
    for frame in Walk::running(vm).take(FRAMES) {
        let code = frame_code(frame.base);
        for i in (0..own_registers(&frame, above)).filter(|&i| code.liveness().held(frame.unit, i)) {
            // SAFETY: one of the frame's registers. Its word is looked at as a stale one would be.
            let word = unsafe { frame.base.add(i).cast::<u64>().read() };
            if vm.value_of_register(word).is_some_and(&test) {
                return true;
            }
        }
        above = head_of(&frame);
    }
    false
}

/// The generators whose frames run, each with the values that its variables have: their objects do not show them now.
pub fn running_generators(vm: &Vm, mut show: impl FnMut(Ref<Generator>, Value)) {
    let mut above = std::ptr::null_mut::<Value>();
    for frame in Walk::running(vm) {
        if let Some(g) = frame_generator(frame.base) {
            let variables = frame_code(frame.base).portable().locals.len();
            for i in 0..own_registers(&frame, above).min(variables) {
                // SAFETY: one of the frame's registers. Its word is looked at as a stale one would be.
                let word = unsafe { frame.base.add(i).cast::<u64>().read() };
                if let Some(v) = vm.value_of_register(word) {
                    show(g, v);
                }
            }
        }
        above = head_of(&frame);
    }
}

/// How many of its registers are not in the frame above, which may stand in its window.
fn own_registers(frame: &WalkedFrame, above: *mut Value) -> usize {
    let registers = usize::from(frame_code(frame.base).portable().nregs);
    match (above as usize).checked_sub(frame.base as usize) {
        Some(bytes) => registers.min(bytes / size_of::<Value>()),
        None => registers,
    }
}

/// Where a frame's head begins, or the record before it.
fn head_of(frame: &WalkedFrame) -> *mut Value {
    // SAFETY: a frame's head precedes its registers, and a record that where the tag says so.
    unsafe {
        let record = if return_word(frame.base) & RECORD != 0 { RECORD_WORDS } else { 0 };
        frame.base.sub(FRAME_WORDS + record)
    }
}

/// The frame object for a live frame of the running context, made at the first asking. MemoryError.
pub fn frame_object(vm: &Vm, base: *mut Value) -> R<Ref<FrameObject>> {
    if let Some(f) = vm.context().frame_object(base).and_then(|f| f.cast()) {
        return Ok(f);
    }
    Stack::running(vm).frame_object(vm, base)
}

/// The innermost frame of a microthread by its object (None: the main program), if it has any. MemoryError.
pub fn innermost_frame(vm: &Vm, owner: Option<Value>) -> R<Option<Ref<FrameObject>>> {
    let Some(stack) = Stack::of(vm, owner) else { return Ok(None) };
    match stack.walk().next() {
        Some(f) => stack.frame_object(vm, f.base).map(Some),
        None => Ok(None),
    }
}

/// The frames of a microthread by its object (None: the main program), the innermost first. None: it has ended, or not begun.
pub fn frames_of(vm: &Vm, owner: Option<Value>) -> Option<Frames> {
    Stack::of(vm, owner).map(|s| s.frames())
}

/// Calls `f` with what the frames of a microthread still need: their registers that are to be read, but for the namespace of a
/// module, and their functions. Those frames are passed over of whose code `looks` is true.
pub fn each_held(
    vm: &Vm,
    owner: Option<Value>,
    looks: impl Fn(Ref<CodeObject>) -> bool,
    f: &mut dyn FnMut(Value),
) {
    let Some(stack) = Stack::of(vm, owner) else { return };
    let mut above = std::ptr::null_mut::<Value>();
    for frame in stack.walk() {
        let code = frame_code(frame.base);
        if looks(code) {
            above = head_of(&frame);
            continue;
        }
        for i in (0..own_registers(&frame, above)).filter(|&i| code.liveness().held(frame.unit, i)) {
            // SAFETY: one of the frame's registers. Its word is looked at as a stale one would be.
            let word = unsafe { frame.base.add(i).cast::<u64>().read() };
            if let Some(v) = vm.value_of_register(word)
                && !v.is(frame_function(frame.base).globals().value())
            {
                f(v);
            }
        }
        f(frame_function(frame.base).value());
        above = head_of(&frame);
    }
}

/// Frames on the stack of a microthread, by its object (None: the main program).
pub fn frame_count(vm: &Vm, owner: Option<Value>) -> usize {
    Stack::of(vm, owner).map_or(0, |s| s.frames().count())
}

/// The frames of a microthread that does not run are about to go away without being left.
pub fn abandon_frames(vm: &Vm, owner: Value) {
    let Some(stack) = Stack::of(vm, Some(owner)) else { return };
    // SAFETY: as in `Stack::frame_object`.
    let ctx = unsafe { &*stack.ctx };
    for w in stack.walk() {
        if let Some(f) = ctx.frame_object(w.base).and_then(|v| v.cast::<FrameObject>()) {
            f.set_base(std::ptr::null_mut());
        }
        if let Some(g) = frame_generator(w.base) {
            Waiting::of(g).for_each(|w| w.set_state(GenState::Finished));
            g.set_state(GenState::Finished);
        }
    }
}

/// The generator whose frame is at `base`.
fn frame_generator(base: *mut Value) -> Option<Ref<Generator>> {
    // SAFETY: a frame's head, and its record where the tag says so.
    unsafe {
        if return_word(base) & RECORD == 0 {
            return None;
        }
        let cont = Cont::read(base);
        if cont.kind.is_generator() { cont.a.cast() } else { None }
    }
}

/// The frame object of a generator that has not finished. MemoryError.
pub fn generator_frame(vm: &Vm, g: Ref<Generator>) -> R<Ref<FrameObject>> {
    if g.state() == GenState::Running
        && let Some(f) = Walk::running(vm).find(|f| frame_generator(f.base) == Some(g))
    {
        return frame_object(vm, f.base);
    }
    if let Some(f) = g.frame.cast() {
        return Ok(f);
    }
    let f = FrameObject::new(vm, g.function(), g.code(), std::ptr::null_mut())?;
    f.generator.set(vm, f, g.value());
    g.frame.set(vm, g, f.value());
    Ok(f)
}

/// Where a frame object's registers are.
pub enum FramePlace {
    /// On the stack of a microthread.
    Live(WalkedFrame),
    /// In the generator that it belongs to.
    Suspended(Ref<Generator>),
    /// The frame was left: in the object, if at all.
    Left,
}

pub fn frame_place(vm: &Vm, f: Ref<FrameObject>) -> FramePlace {
    if let Some(base) = f.base()
        && let Some(stack) = Stack::of(vm, f.microthread.get())
        && let Some(found) = stack.walk().find(|w| w.base == base)
    {
        return FramePlace::Live(found);
    }
    let Some(g) = f.generator.cast::<Generator>() else { return FramePlace::Left };
    match g.state() {
        GenState::Created | GenState::Suspended => FramePlace::Suspended(g),
        GenState::Running => match Walk::running(vm).find(|w| frame_generator(w.base) == Some(g)) {
            Some(found) => {
                f.microthread.set(vm, f, vm.switcher().running());
                FramePlace::Live(found)
            }
            None => FramePlace::Left,
        },
        GenState::Finished => FramePlace::Left,
    }
}

/// Unit of the instruction that a frame is at.
pub fn frame_unit(vm: &Vm, f: Ref<FrameObject>) -> u32 {
    match frame_place(vm, f) {
        FramePlace::Live(w) => w.unit,
        FramePlace::Suspended(g) => g.unit().saturating_sub(1),
        FramePlace::Left => f.unit(),
    }
}

/// The calling frame. MemoryError.
pub fn frame_back(vm: &Vm, f: Ref<FrameObject>) -> R<Option<Ref<FrameObject>>> {
    let same: &dyn Fn(&Standing) -> bool = match frame_place(vm, f) {
        FramePlace::Live(w) => &move |x| matches!(x, Standing::OnStack(x) if x.base == w.base),
        FramePlace::Suspended(g) if is_running(vm, g) => &move |x| x.generator() == Some(g),
        _ => {
            return match f.back.cast::<Traceback>() {
                Some(tb) => frame_of_traceback(vm, tb).map(Some),
                None => Ok(f.back.cast()),
            };
        }
    };
    let Some(stack) = Stack::of(vm, f.microthread.get()) else { return Ok(None) };
    match stack.frames().skip_while(|x| !same(x)).nth(1) {
        Some(below) => stack.object(vm, below).map(Some),
        None => Ok(None),
    }
}

/// The frame object of a traceback entry: of the frame that still runs; else one with the locals that the exception
/// left behind, and without any if the frame went on and returned. MemoryError.
pub fn frame_of_traceback(vm: &Vm, tb: Ref<Traceback>) -> R<Ref<FrameObject>> {
    if let Some(f) = tb.frame.cast::<FrameObject>() {
        if f.back.get().is_none() {
            f.back.set(vm, f, tb.outer());
        }
        return Ok(f);
    }
    let Some(function) = tb.frame.cast::<Function>() else {
        return Err(vm.attribute_error("tb_frame"));
    };
    let same = |w: &WalkedFrame| frame_function(w.base) == function && frame_code(w.base) == tb.code();
    let running = match tb.variables() {
        Some(_) => None,
        None => Walk::running(vm).find(same),
    };
    if let Some(w) = running {
        let f = frame_object(vm, w.base)?;
        tb.frame.set(vm, tb, f.value());
        return Ok(f);
    }
    let f = FrameObject::new(vm, function, tb.code(), std::ptr::null_mut())?;
    f.set_unit(tb.unit());
    if let Some(row) = tb.variables() {
        f.set_saved(vm, row);
    }
    tb.set_left_frame(vm, f);
    Ok(f)
}

/// `sys._getframe(depth)`: None where the stack is not as deep. MemoryError.
pub fn frame_at_depth(vm: &Vm, depth: usize) -> R<Option<Ref<FrameObject>>> {
    match Frames::running(vm).nth(depth) {
        Some(frame) => Stack::running(vm).object(vm, frame).map(Some),
        None => Ok(None),
    }
}
