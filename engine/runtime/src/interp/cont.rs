//! What to do with the result of a call that the machine made: the record before a frame.

use crate::context::{RECORD, RECORD_WORDS};
use crate::interp::At;
use crate::value::Value;
use skein_bytecode::Special;

/// What an exception that leaves the called frame comes to, before it goes on at the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRaise {
    /// Nothing.
    Pass,
    /// The nested run ends with it.
    EndRun,
    /// The microthread ends with it.
    EndContext,
    /// The frame was a generator's (the record's `a`), which is finished.
    FinishGenerator,
    /// The context of variables that was entered is left.
    LeaveContext,
    /// StopIteration: goes on at the jump target.
    EndLoop,
    /// StopIteration: its value is the result, and goes on at the jump target.
    Deliver,
    /// AttributeError: `__getattr__` is tried.
    TryGetattr,
}

/// Declares the kinds, each with what an exception comes to. What a result comes to is in `result::apply`.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $raise:ident;)*) => {
        /// Step of the machine's work that a result comes to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum ContKind { $($(#[$doc])* $kind),* }

        impl ContKind {
            pub const ALL: &'static [ContKind] = &[$(ContKind::$kind),*];

            pub const fn on_raise(self) -> OnRaise {
                match self { $(ContKind::$kind => OnRaise::$raise),* }
            }

            /// Is the called frame that of a generator, which is the record's `a`?
            pub const fn is_generator(self) -> bool {
                matches!(self.on_raise(), OnRaise::FinishGenerator)
            }
        }
    };
}

kinds! {
    /// Hand it to the consumer.
    Plain Pass;
    /// A nested run of the loop ends with it.
    Exit EndRun;
    /// The context's bottom frame returned it.
    ContextEnd EndContext;
    /// `__init__`: must be None; the instance `a` is the result.
    Init Pass;
    /// `__new__` made it: if an instance of the class `a`, its `__init__` is to be called with the arguments in `b`.
    New Pass;
    /// Binary operator `op`, `stage` tried: NotImplemented goes on with the next one. Operands a, b.
    Binary Pass;
    /// Comparison, likewise.
    Compare Pass;
    /// `__bool__`: must be a bool.
    Bool Pass;
    /// `__len__` for truth: must be an int >= 0.
    LenTruth Pass;
    /// `__contains__`, or a found `==`: its truth.
    Contains Pass;
    /// `__getattribute__` or a property of `a` for name `b`: on AttributeError `__getattr__` is tried.
    GetAttribute TryGetattr;
    /// `__iter__`: must be an iterator. `a`: the object.
    Iter Pass;
    /// `__next__` of a `for` loop: StopIteration ends it.
    ForNext EndLoop;
    /// A generator resumed by a `for` loop (its object in `a`).
    GenFor FinishGenerator;
    /// A generator resumed by `Send` or `YieldFrom`: its return value goes to the jump target.
    GenSend FinishGenerator;
    /// A generator resumed by `next()`, `send()` and the like: returning is StopIteration.
    GenCall FinishGenerator;
    /// An async generator resumed by `Send` through one of its steps, which is the operand.
    GenStep FinishGenerator;
    /// `__next__` or `send` method of an iterator in `Send`.
    SendCall Deliver;
    /// `__await__`: must be an iterator. `a`: the awaited object.
    Await Pass;
    /// `__anext__`: its awaitable is wanted. `a`: the async iterator.
    Anext Pass;
    /// `__format__`, `__str__` or `__repr__` (`op`): must be a str.
    Text Pass;
    /// `__aiter__`: must have `__anext__`.
    AsyncIter Pass;
    /// A call that the task `a` made.
    Task Pass;
    /// A function called in another context: `a` is left, or (if None) `b` is current again.
    LeaveContext LeaveContext;
    /// `__exit__`-like calls and setters whose result is thrown away but errors count.
    Discard Pass;
}

/// What takes the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Consumer {
    /// `r[dst] = result`.
    Store,
    /// `r[dst] = bool(result)`.
    StoreTruth,
    /// `r[dst] = not result`.
    StoreNot,
    /// Jump if the truth of the result is `dst`.
    Jump,
    /// Nothing.
    Drop,
}

/// A record: three words before a frame.
#[derive(Clone, Copy, Debug)]
pub struct Cont {
    pub kind: ContKind,
    pub op: u8,
    /// 4 bits.
    pub stage: u8,
    pub consumer: Consumer,
    pub dst: u16,
    /// Units from the resume pc; 21 bits, signed.
    pub jump: i32,
    pub a: Value,
    pub b: Value,
}

impl Cont {
    pub const fn new(kind: ContKind, consumer: Consumer, dst: usize) -> Cont {
        Cont { kind, op: 0, stage: 0, consumer, dst: dst as u16, jump: 0, a: Value::NONE, b: Value::NONE }
    }

    /// `r[dst] = result`.
    pub const fn store(dst: usize) -> Cont {
        Cont::new(ContKind::Plain, Consumer::Store, dst)
    }

    pub const fn with(mut self, a: Value, b: Value) -> Cont {
        self.a = a;
        self.b = b;
        self
    }

    pub const fn kind(mut self, kind: ContKind) -> Cont {
        self.kind = kind;
        self
    }

    pub const fn op(mut self, op: Special, stage: u8) -> Cont {
        self.op = op as u8;
        self.stage = stage;
        self
    }

    pub const fn jump(mut self, sense: bool, units: i32) -> Cont {
        self.consumer = Consumer::Jump;
        self.dst = sense as u16;
        self.jump = units;
        self
    }

    /// The words of a record.
    #[inline(always)]
    pub fn pack(&self) -> [Value; 3] {
        let info = self.kind as i64
            | (self.op as i64) << 8
            | (self.stage as i64) << 16
            | (self.consumer as i64) << 20
            | (self.dst as i64) << 24
            | (self.jump as i64) << 40;
        // `jump` has 21 bits, so that the number fits an int word.
        [Value::small_int(info), self.a, self.b]
    }

    /// From the words that `pack` gave.
    #[inline(always)]
    pub fn unpack([info, a, b]: [Value; 3]) -> Cont {
        let info = info.as_small_int();
        // SAFETY: the numbers come from these types.
        unsafe {
            Cont {
                kind: std::mem::transmute::<u8, ContKind>(info as u8),
                op: (info >> 8) as u8,
                stage: (info >> 16) as u8 & 15,
                consumer: std::mem::transmute::<u8, Consumer>((info >> 20) as u8 & 15),
                dst: (info >> 24) as u16,
                jump: (info >> 40) as i32,
                a,
                b,
            }
        }
    }

    /// As [`Cont::unpack`], of words that may be anything.
    pub fn checked(info: i64, a: Value, b: Value) -> Option<Cont> {
        const CONSUMERS: i64 = Consumer::Drop as i64 + 1;
        let (kind, op, consumer) = (info & 0xff, info >> 8 & 0xff, info >> 20 & 15);
        let known =
            kind < ContKind::ALL.len() as i64 && consumer < CONSUMERS && (op as usize) < Special::ALL.len();
        let info = Value::try_int(info).filter(|_| known)?;
        Some(Cont::unpack([info, a, b]))
    }

    pub fn special(&self) -> Special {
        Special::ALL[self.op as usize]
    }

    /// Writes the record before the frame at `base`.
    ///
    /// # Safety
    /// The words before the frame's head are free.
    #[inline(always)]
    pub unsafe fn write(&self, base: *mut Value) {
        let [info, a, b] = self.pack();
        // SAFETY: the caller's promise.
        unsafe {
            *base.sub(5) = info;
            *base.sub(6) = a;
            *base.sub(7) = b;
        }
    }

    /// Reads the record before the frame at `base`.
    ///
    /// # Safety
    /// The frame's return pc has the RECORD bit.
    #[inline(always)]
    pub unsafe fn read(base: *mut Value) -> Cont {
        // SAFETY: written by `write`.
        unsafe { Cont::unpack([*base.sub(5), *base.sub(6), *base.sub(7)]) }
    }
}

/// Word for a return pc with a record.
#[inline(always)]
pub fn tagged(pc: *const u32, bits: usize) -> u64 {
    (pc as usize | bits) as u64
}

const _: () = assert!(RECORD == 1 && RECORD_WORDS == 3);

/// The return address in a frame's head, its tag bits apart.
///
/// # Safety
/// `base` is a frame's.
#[inline(always)]
pub unsafe fn return_word(base: *mut Value) -> usize {
    // SAFETY: the head precedes the registers.
    unsafe { *base.sub(2).cast::<usize>() }
}

/// The frame below; its pc is where it goes on (or, for a nested run, the calling instruction).
///
/// # Safety
/// `base` is a frame's.
#[inline(always)]
pub unsafe fn caller(base: *mut Value) -> At {
    // SAFETY: the head precedes the registers.
    unsafe { At { pc: (return_word(base) & !3) as *const u32, base: *base.sub(1).cast::<*mut Value>() } }
}
