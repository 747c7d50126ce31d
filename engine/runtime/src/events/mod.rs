//! Events of running code: `sys.monitoring`, and `sys.settrace` and `sys.setprofile`, which are two tools more.
//!
//! What tools want of all code, and of single codes, is brought to the instructions themselves: see [`table`].
//! Events that belong to no instruction (an exception passes) are looked for where they happen, all of them far
//! from fast paths.
//!
//! A code gets its table when it runs while something is wanted: its first instruction is
//! [`Op::Event`](skein_bytecode::Op::Event) until it runs for the first time, and is that again when tools want something else.
//! Code that is running then, and that of generators, gets its table at once.

mod jump;
mod legacy;
mod sites;
pub mod table;
mod tell;

pub use jump::set_line;
pub use legacy::Legacy;
pub use legacy::Tracing;
pub use sites::{FRAME_BEGINS, LineStart, MARKS_SHOWN, Sites, Start};
pub use table::is_branch;
pub use tell::{Passes, exception_passes, iteration_stopped, left_of, line_at, run_event, thrown_into};

use crate::interp::{Walk, frame_code};
use crate::object::{Ref, Tracer};
use crate::types::code::CodeObject;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::{Op, flags};
use std::cell::{Cell, RefCell};

/// The bits of event sets; the numbers are CPython's.
pub mod event {
    pub const PY_START: u32 = 1 << 0;
    pub const PY_RESUME: u32 = 1 << 1;
    pub const PY_RETURN: u32 = 1 << 2;
    pub const PY_YIELD: u32 = 1 << 3;
    pub const CALL: u32 = 1 << 4;
    pub const LINE: u32 = 1 << 5;
    pub const INSTRUCTION: u32 = 1 << 6;
    pub const JUMP: u32 = 1 << 7;
    pub const BRANCH_LEFT: u32 = 1 << 8;
    pub const BRANCH_RIGHT: u32 = 1 << 9;
    pub const STOP_ITERATION: u32 = 1 << 10;
    pub const RAISE: u32 = 1 << 11;
    pub const EXCEPTION_HANDLED: u32 = 1 << 12;
    pub const PY_UNWIND: u32 = 1 << 13;
    pub const PY_THROW: u32 = 1 << 14;
    pub const RERAISE: u32 = 1 << 15;
    pub const C_RETURN: u32 = 1 << 16;
    pub const C_RAISE: u32 = 1 << 17;
    /// Both kinds of branches.
    pub const BRANCH: u32 = 1 << 18;
    pub const COUNT: usize = 19;
    /// Those that happen at instructions, and can be wanted of single codes and disabled at single places.
    pub const INSTRUMENTED: u32 = (1 << 11) - 1;
    /// Those that come with [`CALL`].
    pub const OF_NATIVE_CALLS: u32 = C_RETURN | C_RAISE;
}

/// Tools: those of `sys.monitoring`, and two more.
pub const TOOLS: usize = 8;
/// Number of the tools that programs can use.
pub const USER_TOOLS: usize = 6;
/// The tool that is `sys.setprofile`.
pub const PROFILE: usize = 6;
/// The tool that is `sys.settrace`.
pub const TRACE: usize = 7;

/// Who wants to be told of what.
#[derive(Default)]
pub struct Events {
    /// The events of all code that each tool wants.
    wanted: [Cell<u32>; TOOLS],
    callbacks: [[Cell<Option<Value>>; event::COUNT]; USER_TOOLS],
    names: [Cell<Option<Value>>; USER_TOOLS],
    /// What callbacks return to be called no more, and get for what there is not.
    pub disable: Cell<Option<Value>>,
    pub missing: Cell<Option<Value>>,
    /// All events that any tool wants of all code.
    any: Cell<u32>,
    /// Something has been wanted of single codes.
    pub(crate) local: Cell<bool>,
    /// Codes that have run, or of which something is wanted; dead ones are taken out by the collector.
    codes: RefCell<Vec<Ref<CodeObject>>>,
    /// How many of them have survived a collection.
    old: Cell<usize>,
    /// The op of the instruction that is executed by itself, for a run of the loop that does so.
    step_op: Cell<u8>,
    /// The functions of the running thread.
    pub tracing: Tracing,
    /// Threads and suspended microthreads that have a trace function, and a profile function.
    tracers: Cell<usize>,
    profilers: Cell<usize>,
}

impl Events {
    /// Is any of these events wanted of all code?
    #[inline(always)]
    pub fn any_of(&self, events: u32) -> bool {
        self.any.get() & events != 0
    }

    /// May somebody want to be told of what code does?
    #[inline(always)]
    pub fn has_listeners(&self) -> bool {
        self.any_of(event::INSTRUMENTED) || self.local.get()
    }

    /// Would somebody notice that a builtin is done by code in Python? Not who wants to be told of lines, and of where
    /// frames begin and end: such code tells of nothing, and the program's own says the same.
    pub fn sees_hosted(&self) -> bool {
        let quiet = event::LINE | event::PY_START | event::PY_RESUME | event::PY_YIELD | event::PY_RETURN;
        self.has_functions() || self.any_of(event::INSTRUMENTED & !quiet)
    }

    /// The tools that want an event of all code, a bit each.
    fn tools_of(&self, event: u32) -> u8 {
        (0..TOOLS).fold(0, |tools, t| tools | u8::from(self.wanted[t].get() & event != 0) << t)
    }

    fn wanted_everywhere(&self) -> [u32; TOOLS] {
        std::array::from_fn(|t| self.wanted[t].get())
    }

    /// See [`crate::interp::step`].
    pub(crate) fn step_op(&self) -> Op {
        // SAFETY: `set_step_op` puts the number of an op there, and whoever reads it has called that.
        unsafe { std::mem::transmute::<u8, Op>(self.step_op.get()) }
    }

    pub(crate) fn set_step_op(&self, op: Op) {
        self.step_op.set(op as u8);
    }

    /// What a tool wants of all code.
    pub fn wanted(&self, tool: usize) -> u32 {
        self.wanted[tool].get()
    }

    pub fn name(&self, tool: usize) -> Option<Value> {
        self.names[tool].get()
    }

    pub fn set_name(&self, tool: usize, name: Option<Value>) {
        self.names[tool].set(name);
    }

    /// Sets a tool's function for the event of this number: the one before.
    pub fn set_callback(&self, tool: usize, number: usize, f: Option<Value>) -> Option<Value> {
        self.callbacks[tool][number].replace(f)
    }

    /// Sets what a tool wants of all code. MemoryError: of some code it is not told.
    pub fn set_wanted(&self, vm: &Vm, tool: usize, events: u32) -> R<()> {
        let old = self.wanted[tool].replace(events);
        if old == events {
            return Ok(());
        }
        self.any.set(self.wanted.iter().fold(0, |all, w| all | w.get()));
        let adds = events & !old & event::INSTRUMENTED != 0;
        if adds {
            vm.hooks.tier().code_watched(None);
        }
        // Code that no frame is of is changed when it runs again. Who knows what suspended microthreads are in?
        let switched = vm.counters.soft_switches.get() + vm.counters.hard_switches.get() > 0;
        self.each_code(|code| match code.table() {
            None if !adds => Ok(()),
            None if !switched && !code.has_flag(flags::ANY_GENERATOR) => {
                code.defer();
                Ok(())
            }
            _ => code.update_events(vm),
        })?;
        if adds && !switched {
            let current = vm.threads.current();
            for thread in vm.threads.all() {
                let runs = thread.serial == current.serial;
                let site = if runs { vm.site() } else { thread.standing().1 };
                for frame in Walk::new(site) {
                    frame_code(frame.base).update_events(vm)?;
                }
            }
        }
        Ok(())
    }

    /// What a tool does not want any more, of all code and of each.
    pub fn clear_tool(&self, vm: &Vm, tool: usize) -> R<()> {
        self.set_wanted(vm, tool, 0)?;
        for f in &self.callbacks[tool] {
            f.set(None);
        }
        self.each_code(|code| match code.local_events(tool) {
            0 => Ok(()),
            _ => code.set_local_events(vm, tool, 0),
        })
    }

    /// What tools have disabled counts again.
    pub fn restart(&self, vm: &Vm) {
        vm.hooks.tier().code_watched(None);
        let _: R<()> = self.each_code(|code| {
            code.restart_events();
            Ok(())
        });
    }

    /// From the last to the first: what is asked for memory may collect, and that takes codes out and moves those
    /// behind them down.
    fn each_code(&self, f: impl Fn(Ref<CodeObject>) -> R<()>) -> R<()> {
        let mut i = self.codes.borrow().len();
        while i > 0 {
            i -= 1;
            let code = self.codes.borrow().get(i).copied();
            if let Some(code) = code {
                f(code)?;
            }
        }
        Ok(())
    }

    /// The code is to be known from now on. MemoryError.
    pub(crate) fn note_code(&self, vm: &Vm, code: Ref<CodeObject>) -> R<()> {
        if code.is_noted() {
            return Ok(());
        }
        let mut codes = self.codes.borrow_mut();
        codes.try_reserve(1).map_err(|_| vm.memory_error())?;
        codes.push(code);
        code.set_noted();
        Ok(())
    }

    /// A collection has found out what is alive: of what is new, or of all.
    pub(crate) fn sweep(&self, all: bool, is_live: impl Fn(Ref<CodeObject>) -> bool) {
        let mut codes = self.codes.borrow_mut();
        let from = if all { 0 } else { self.old.get().min(codes.len()) };
        let mut kept = from;
        for i in from..codes.len() {
            if is_live(codes[i]) {
                codes[kept] = codes[i];
                kept += 1;
            }
        }
        codes.truncate(kept);
        self.old.set(kept);
    }

    pub(crate) fn trace(&self, t: &mut Tracer<'_>) {
        let callbacks = self.callbacks.iter().flatten();
        for v in callbacks.chain(&self.names).chain([&self.disable, &self.missing]).filter_map(Cell::get) {
            t.visit_word(v.bits());
        }
        self.tracing.trace(t);
    }
}
