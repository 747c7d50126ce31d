//! Code objects as the compiler makes them: portable, no pointers into a heap.

use crate::code_ref::CodeRef;
use crate::positions::Positions;
use std::hash::{Hash, Hasher};

/// A constant. Compared by the compiler's pool bit by bit (`0.0` and `-0.0`, `1` and `True` differ).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Const {
    None,
    True,
    False,
    Ellipsis,
    /// An int that fits 64 bits.
    Int(i64),
    /// A larger int: sign is never negative (a minus sign is an operator), magnitude little-endian 32-bit digits.
    BigInt(Vec<u32>),
    /// A float by its bits.
    Float(u64),
    /// A complex by the bits of its parts.
    Complex(u64, u64),
    /// Text as WTF-8 bytes (lone surrogates are allowed in Python strings).
    Str(Box<[u8]>),
    Bytes(Box<[u8]>),
    Tuple(Vec<Const>),
    FrozenSet(Vec<Const>),
    /// Shared, since what loads the outer code takes it along.
    Code(CodeRef),
}

/// What a local's register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LocalKind {
    /// The value itself.
    Plain,
    /// A cell made by this code (`MakeCell` at entry), since an inner function refers to it.
    Cell,
    /// A cell of the closure (`LoadClosure` at entry).
    Free,
    /// Not a variable of this function for `locals()`, e.g. an inlined comprehension's, outside of it.
    Hidden,
}

/// A local variable; its register is its index in [`Code::locals`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    pub name: Box<str>,
    pub kind: LocalKind,
}

/// A handler: an exception raised in units `start..end` goes to `target` with the exception in
/// register `reg`. The first entry that covers the instruction wins: inner ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handler {
    pub start: u32,
    pub end: u32,
    pub target: u32,
    pub reg: u16,
}

/// Bits of [`Code::flags`]; the values are CPython's `co_flags`.
pub mod flags {
    pub const OPTIMIZED: u32 = 0x1;
    pub const NEWLOCALS: u32 = 0x2;
    pub const VARARGS: u32 = 0x4;
    pub const VARKEYWORDS: u32 = 0x8;
    pub const NESTED: u32 = 0x10;
    pub const GENERATOR: u32 = 0x20;
    pub const COROUTINE: u32 = 0x80;
    pub const ITERABLE_COROUTINE: u32 = 0x100;
    pub const ASYNC_GENERATOR: u32 = 0x200;
    pub const FUTURE_ANNOTATIONS: u32 = 0x100_0000;
    pub const HAS_DOCSTRING: u32 = 0x400_0000;
    pub const METHOD: u32 = 0x800_0000;
    /// Part of a builtin that is written in Python: no program sees its frames.
    pub const HOSTED: u32 = 0x1000_0000;
    /// Any of the kinds that begin with `MakeGenerator`.
    pub const ANY_GENERATOR: u32 = GENERATOR | COROUTINE | ASYNC_GENERATOR;
}

/// A compiled function, class body, module or expression.
#[derive(Clone, Debug)]
pub struct Code {
    pub name: Box<str>,
    pub qualname: Box<str>,
    pub filename: Box<str>,
    pub first_line: u32,
    /// See [`flags`].
    pub flags: u32,
    /// Positional parameters, positional-only ones included.
    pub arg_count: u16,
    pub posonly_count: u16,
    pub kwonly_count: u16,
    /// Registers that a frame needs, call windows with arguments included.
    pub nregs: u16,
    /// Locals in register order. For module and class code the first is the namespace, `Hidden`, named `.namespace`.
    pub locals: Vec<Local>,
    /// Instruction units; see [`crate::ops`].
    pub units: Vec<u32>,
    pub consts: Vec<Const>,
    pub names: Vec<Box<str>>,
    pub handlers: Vec<Handler>,
    pub positions: Positions,
}

/// Functions nest as deep as a program likes: their codes are not dropped within each other.
impl Drop for Code {
    fn drop(&mut self) {
        let mut queue = std::mem::take(&mut self.consts);
        while let Some(value) = queue.pop() {
            match value {
                Const::Code(code) => {
                    if let Some(mut code) = code.into_inner() {
                        queue.append(&mut code.consts);
                    }
                }
                Const::Tuple(items) | Const::FrozenSet(items) => queue.extend(items),
                _ => {}
            }
        }
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Code) -> bool {
        let mut queue = vec![(self, other)];
        while let Some((a, b)) = queue.pop() {
            if std::ptr::eq(a, b) {
                continue;
            }
            if !a.same_but_constants(b) || a.consts.len() != b.consts.len() {
                return false;
            }
            for pair in a.consts.iter().zip(&b.consts) {
                match pair {
                    (Const::Code(a), Const::Code(b)) => queue.push((a, b)),
                    (a, b) if a == b => {}
                    _ => return false,
                }
            }
        }
        true
    }
}

impl Eq for Code {}

/// Without the codes within it: they may nest deep, and their outer one tells enough.
impl Hash for Code {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.qualname, &self.filename, self.first_line, self.flags).hash(state);
        (self.arg_count, self.posonly_count, self.kwonly_count).hash(state);
        (&self.units, &self.names, self.consts.len()).hash(state);
    }
}

impl Code {
    fn same_but_constants(&self, other: &Code) -> bool {
        let head = |c: &Code| (c.first_line, c.flags, c.arg_count, c.posonly_count, c.kwonly_count, c.nregs);
        head(self) == head(other)
            && self.name == other.name
            && self.qualname == other.qualname
            && self.filename == other.filename
            && self.locals == other.locals
            && self.units == other.units
            && self.names == other.names
            && self.handlers == other.handlers
            && self.positions == other.positions
    }

    /// Index into the closure of each `Free` local, in register order: the i-th free local is the i-th cell.
    pub fn free_locals(&self) -> impl Iterator<Item = usize> + '_ {
        let free = |(_, l): &(usize, &Local)| l.kind == LocalKind::Free;
        self.locals.iter().enumerate().filter(free).map(|(i, _)| i)
    }

    /// Parameters in all, `*args` and `**kwargs` included.
    pub fn param_count(&self) -> usize {
        self.arg_count as usize
            + self.kwonly_count as usize
            + (self.flags & flags::VARARGS != 0) as usize
            + (self.flags & flags::VARKEYWORDS != 0) as usize
    }

    /// The docstring, which is the first constant under `HAS_DOCSTRING`.
    pub fn docstring(&self) -> Option<&Const> {
        (self.flags & flags::HAS_DOCSTRING != 0).then(|| self.consts.first()).flatten()
    }
}

macro_rules! intrinsics {
    ($($(#[doc = $doc:literal])* $name:ident),* $(,)?) => {
        /// Rare operations behind the `intrinsic` op. Arguments are in registers from the first.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Intrinsic { $($(#[doc = $doc])* $name),* }
        impl Intrinsic {
            pub const ALL: &'static [Intrinsic] = &[$(Intrinsic::$name),*];
            const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];
            const PROSE: &'static [&'static str] = &[$(concat!($($doc),*)),*];

            /// Its name in this enum, e.g. `TypeVar`.
            pub const fn name(self) -> &'static str {
                Self::NAMES[self as usize]
            }

            /// Arguments and effect, as the table says them.
            pub const fn prose(self) -> &'static str {
                Self::PROSE[self as usize]
            }

            pub const fn from_u8(n: u8) -> Option<Intrinsic> {
                if (n as usize) < Self::ALL.len() { Some(Self::ALL[n as usize]) } else { None }
            }
        }
    };
}
intrinsics! {
    /// (value): `sys.displayhook(value)`, for an expression statement in interactive code.
    Print,
    /// (name): `TypeVar(name)` of a type parameter.
    TypeVar,
    /// (name, evaluator of the bound).
    TypeVarWithBound,
    /// (name, evaluator of the constraints).
    TypeVarWithConstraints,
    /// (name).
    ParamSpec,
    /// (name).
    TypeVarTuple,
    /// (tuple of type parameters): `Generic[*params]`, the implicit base of a generic class.
    SubscriptGeneric,
    /// (name, type parameters or None, evaluator of the value): a `type` statement.
    TypeAlias,
    /// (type parameter, evaluator of its default): returns the parameter.
    SetTypeParamDefault,
    /// (function, tuple of type parameters): sets `__type_params__`, returns the function.
    SetFunctionTypeParams,
    /// (class namespace): `locals()`-like view for annotation scopes in classes: returns it as is.
    ClassNamespace,
    /// (): the mapping that the running module or class code binds names in.
    Namespace,
    /// (): a new set or dict for `__conditional_annotations__`: returns a set.
    NewSet,
    /// (exception): converts a StopIteration that leaves a generator (or StopAsyncIteration an async one) into RuntimeError.
    StopIterationError,
}
