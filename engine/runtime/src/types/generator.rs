//! Generators, coroutines and async generators: a frame's registers kept in the heap.
//!
//! Resuming copies the registers onto the running context's stack, suspending copies them back: a
//! generator's frame on the stack is like any other, so that calls need no case of their own.
//!
//! ```text
//! Generator | header (bits: kind) | function | … | unit, count, state | register 0 | …
//! ```

use crate::object::{Field, Header, Kind, Object, Ref, Tracer};
use crate::types::function::Function;
use crate::value::{R, Value};
use crate::vm::Vm;
use skein_bytecode::{Inst, Intrinsic, Op, flags};
use std::cell::Cell;

/// A generator, coroutine or async generator (by its shape).
#[repr(C)]
pub struct Generator {
    header: Header,
    pub function: Field,
    code: Field,
    /// (`__name__`, `__qualname__`), if one was set by Python code.
    pub names: Field,
    /// The exception being handled inside, while suspended in a handler.
    pub handled: Field,
    /// Frame object, if one was asked for.
    pub frame: Field,
    /// Async generator: finalizer hook. Coroutine: origin.
    pub hook: Field,
    /// The generator that waits in a `YieldFrom` for this one, in a chain: see `interp::delegation`.
    pub outer: Field,
    /// The other end of the chain, as [`LEADS`] or [`ENDS`] says.
    pub link: Field,
    /// How many wait for it in the chain that it was found in last.
    pub depth: Cell<usize>,
    place: Cell<Place>,
    registers: [Cell<u64>; 0],
}

/// What a generator does, in one word, which compiled code compares as such.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Place {
    /// Instruction to resume at, as a unit index.
    pub unit: u32,
    /// Of its registers.
    pub count: u16,
    /// A [`GenState`], [`DELEGATING`], [`ON_STACK`] and [`FOR_ROOT`].
    pub state: u16,
}

impl Place {
    pub fn bits(self) -> u64 {
        let (u, c, s) = (self.unit.to_ne_bytes(), self.count.to_ne_bytes(), self.state.to_ne_bytes());
        u64::from_ne_bytes([u[0], u[1], u[2], u[3], c[0], c[1], s[0], s[1]])
    }
}

/// Byte offsets for compiled code.
pub const GENERATOR_PLACE: usize = std::mem::offset_of!(Generator, place);
pub const GENERATOR_REGISTERS: usize = std::mem::offset_of!(Generator, registers);
pub const GENERATOR_FUNCTION: usize = std::mem::offset_of!(Generator, function);
pub const GENERATOR_CODE: usize = std::mem::offset_of!(Generator, code);
pub const GENERATOR_OUTER: usize = std::mem::offset_of!(Generator, outer);
pub const GENERATOR_LINK: usize = std::mem::offset_of!(Generator, link);
pub const GENERATOR_HANDLED: usize = std::mem::offset_of!(Generator, handled);
const _: () = assert!(size_of::<Place>() == 8);

/// State of a generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum GenState {
    Created,
    Suspended,
    Running,
    Finished,
}

/// The part of a place's state that is a [`GenState`].
pub const STATE: u16 = 3;
/// Made by compiled code, and may be dropped in a `try` or `with` whose end is then run: it is an object even where
/// nothing but that code sees it.
pub const CLOSES: u16 = 1;
/// Async generator: its hooks were called.
pub const HOOKS_INITED: u16 = 4;
/// Async generator: closed or being closed.
pub const CLOSED: u16 = 8;
/// Async generator: an `asend`, `athrow` or `aclose` is under way.
pub const RUNNING_ASYNC: u16 = 16;

/// Registered as one whose end the heap tells of: a coroutine, or what may have to be closed.
pub const REGISTERED: u16 = 32;
/// Neither a coroutine nor an async generator; the shape says so too, but takes longer to ask.
pub const PLAIN: u16 = 64;
/// An async generator, likewise.
pub const ASYNC: u16 = 128;

/// `link` is the innermost of the chain of delegations that begins here.
pub const LEADS: u16 = 256;
/// `link` is the generator that the chain begins with which this one ends.
pub const ENDS: u16 = 512;
/// Waits for one that runs for it; set while that is asked.
pub const WAITING: u16 = 1024;
/// It comes from a pickle, and has not got its frame yet.
pub const UNFILLED: u16 = 2048;
/// It comes from a pickle, as one that runs in a microthread which has not got its frames yet.
pub const AWAITS_STACK: u16 = 4096;

/// Of a place's state: suspended in a `YieldFrom`.
pub const DELEGATING: u16 = 4;
/// Of a place's state: its frame is on a stack. What runs on behalf of a generator (a delegate) makes it count as
/// running too.
pub const ON_STACK: u16 = 8;
/// Of a place's state: it is on a stack for the generator that its chain begins with.
pub const FOR_ROOT: u16 = 16;

// SAFETY: `count` never changes after allocation. Registers are zeroed at creation and later hold
// values or raw addresses outside of the heap, which `visit_word` passes over.
unsafe impl Object for Generator {
    const KIND: Kind = Kind::Generator;
    fn size(&self) -> usize {
        size_of::<Generator>() + 8 * usize::from(self.place.get().count)
    }
    fn trace(&self, t: &mut Tracer<'_>) {
        for f in [&self.function, &self.code, &self.names, &self.handled, &self.frame, &self.hook] {
            f.trace(t);
        }
        // Those further out are kept only while this one runs for them: else who holds it does not hold them.
        let for_root = self.runs_for_root();
        if for_root {
            self.outer.trace(t);
        }
        if for_root || self.flag(LEADS) {
            self.link.trace(t);
        }
        // While its frame is on a stack, these words are what its registers were before.
        if self.place.get().state & ON_STACK == 0 {
            if t.is_thorough() {
                self.clear_dead();
            }
            for r in self.registers() {
                t.visit_word(r.get());
            }
        }
    }
    /// As `methods::generator::finalize` would do something.
    fn needs_finalizer(&self) -> bool {
        match self.state() {
            // While it is made it has no code yet.
            GenState::Created => {
                let code = self.code.cast::<crate::types::code::CodeObject>();
                code.is_some_and(|code| code.has_flag(flags::COROUTINE))
            }
            // SAFETY: this is a generator.
            GenState::Suspended => {
                self.hook.get().is_some() || needs_close(unsafe { Ref::from_header(&self.header) })
            }
            GenState::Running | GenState::Finished => false,
        }
    }
}

impl Generator {
    /// A generator that will begin behind its `MakeGenerator`. MemoryError.
    pub fn new(vm: &Vm, function: Ref<Function>, registers: u16, shape: u32) -> R<Ref<Generator>> {
        let size = size_of::<Generator>() + 8 * usize::from(registers);
        let g = vm.alloc::<Generator>(size, shape)?;
        g.place.set(Place { unit: 0, count: registers, state: GenState::Created as u16 });
        g.function.init(function.value());
        g.code.init(function.code().value());
        Ok(g)
    }

    /// Those of the frame that matter while it is suspended: see `Liveness::suspended`.
    #[inline(always)]
    pub fn registers(&self) -> &[Cell<u64>] {
        // SAFETY: `count` words follow the struct.
        unsafe { std::slice::from_raw_parts(self.registers.as_ptr(), usize::from(self.place.get().count)) }
    }

    /// Empties the registers that nobody will look at: what was yielded last is not kept by whoever has yielded it.
    fn clear_dead(&self) {
        let code = self.code.cast::<crate::types::code::CodeObject>();
        let Some(code) = code.filter(|_| self.state() == GenState::Suspended && self.unit() > 0) else {
            return;
        };
        let (liveness, site) = (code.liveness(), self.unit() - 1);
        let yields = liveness
            .start_of(site)
            .and_then(|start| Inst::decode(&code.portable().units, start as usize).ok());
        let Some(yields) = yields.filter(|i| matches!(i.op, Op::Yield | Op::YieldFrom)) else { return };
        let variables = code.portable().locals.len();
        let (during, behind) = (liveness.at(site), liveness.at(self.unit()));
        for (i, r) in self.registers().iter().enumerate() {
            // The value that is handed out, the one that is sent in, what handlers need and what comes later.
            let given = i == usize::from(yields.b) || !during.held_before(i);
            let taken = i == usize::from(yields.a) && i >= variables || !behind.held_before(i);
            if given && taken {
                r.set(Value::UNBOUND.bits());
            }
        }
    }

    #[inline(always)]
    pub fn state(&self) -> GenState {
        match self.place.get().state & STATE {
            0 => GenState::Created,
            1 => GenState::Suspended,
            2 => GenState::Running,
            _ => GenState::Finished,
        }
    }

    #[inline(always)]
    pub fn set_state(&self, s: GenState) {
        let place = self.place.get();
        self.place.set(Place { state: place.state & !(STATE | ON_STACK | FOR_ROOT) | s as u16, ..place });
    }

    /// Suspended behind the instruction, or in it if it delegates.
    #[inline(always)]
    pub fn suspend_at(&self, unit: u32, delegating: bool) {
        let delegating = if delegating { DELEGATING } else { 0 };
        let state = GenState::Suspended as u16 | delegating;
        self.place.set(Place { unit, state, ..self.place.get() });
    }

    /// Is it suspended in a `YieldFrom`, or was it when it was last?
    #[inline(always)]
    pub fn is_delegating(&self) -> bool {
        self.place.get().state & DELEGATING != 0
    }

    pub fn place(&self) -> Place {
        self.place.get()
    }

    /// Its registers were put onto a stack.
    #[inline(always)]
    pub fn set_on_stack(&self) {
        let place = self.place.get();
        self.place.set(Place { state: place.state & !STATE | GenState::Running as u16 | ON_STACK, ..place });
    }

    /// Its registers were put onto a stack, for the generator that its chain begins with.
    #[inline(always)]
    pub fn set_on_stack_for_root(&self) {
        self.set_on_stack();
        let place = self.place.get();
        self.place.set(Place { state: place.state | FOR_ROOT, ..place });
    }

    /// Does it run for the generator that its chain begins with?
    #[inline(always)]
    pub fn runs_for_root(&self) -> bool {
        self.place.get().state & FOR_ROOT != 0
    }

    pub fn flag(&self, flag: u16) -> bool {
        self.header.bits.get() & flag != 0
    }

    pub fn set_flag(&self, flag: u16, on: bool) {
        let bits = self.header.bits.get() & !flag;
        self.header.bits.set(bits | if on { flag } else { 0 });
    }

    #[inline(always)]
    pub fn unit(&self) -> u32 {
        self.place.get().unit
    }

    #[inline(always)]
    pub fn set_unit(&self, unit: u32) {
        self.place.set(Place { unit, ..self.place.get() });
    }

    pub fn function(&self) -> Ref<Function> {
        // SAFETY: set at creation.
        unsafe { self.function.value().cast_unchecked() }
    }

    #[inline(always)]
    pub fn code(&self) -> Ref<crate::types::code::CodeObject> {
        // SAFETY: set at creation.
        unsafe { self.code.value().cast_unchecked() }
    }
}

impl Ref<Generator> {
    /// Finished: lets go of everything it held.
    pub fn finish(self) {
        self.set_state(GenState::Finished);
        for r in self.registers() {
            r.set(0);
        }
        for f in [&self.handled, &self.outer, &self.link] {
            f.init(None::<Value>);
        }
        self.set_flag(LEADS | ENDS, false);
    }
}

/// Is a suspended generator inside of a `try` or `with`, so that closing it runs code?
pub fn needs_close(g: Ref<Generator>) -> bool {
    if g.is_delegating() {
        return true;
    }
    let code = g.code();
    let portable = code.portable();
    let at = g.unit().wrapping_sub(1);
    portable.handlers.iter().any(|h| {
        // The one around the whole body only converts StopIteration.
        let converts = portable.units[h.target as usize..].iter().take(1).any(|u| {
            *u as u8 == Op::Intrinsic as u8 && (u >> 24) as u8 == Intrinsic::StopIterationError as u8
        });
        h.start <= at && at < h.end && !converts
    })
}
