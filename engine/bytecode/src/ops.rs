//! The op table: every instruction of the register machine, declared once.
//!
//! An instruction is one 32-bit unit, bytes `op a b c` in memory order, and for some ops a second
//! 32-bit unit `w`. Operand roles say what the three bytes are:
//!
//! | role | meaning |
//! |---|---|
//! | `No`  | unused, zero |
//! | `Dst` | register written |
//! | `Src` | register read |
//! | `Upd` | register read and written |
//! | `Win` | first register of a window (low byte; `WinHi` in `c` is the high byte) |
//! | `WinHi` | high byte of the window that `a` begins |
//! | `First` | first register of a row of registers read |
//! | `Outs` | first register of a row of registers written |
//! | `Num` | a plain unsigned number |
//! | `Imm` | a signed 8-bit number |
//! | `Lo`, `Hi` | low and high byte of a signed 16-bit number |
//!
//! and of the second unit:
//!
//! | role | in a portable [`Code`](crate::Code) | after loading |
//! |---|---|---|
//! | `Const` | index into `consts` | byte offset of the value from this instruction |
//! | `Name` | index into `names` | byte offset of the interned string from this instruction |
//! | `Attr`, `Method`, `Global` | index into `names` | byte offset of the inline cache from this instruction |
//! | `Jump` | signed offset in units from this instruction's first unit | the same |
//! | `Far` | low half: destination register, high half: source register | the same |
//! | `Raw` | a plain unsigned number | the same |
//!
//! **Windows.** A call places the callee in `r[w]`, leaves `r[w+1..w+4]` to the machine (clobbered)
//! and the arguments in `r[w+4..]`; the result arrives in `r[w]`. The callee's frame begins at
//! `r[w+4]`: its arguments are in place. A code's `nregs` counts windows with their arguments.
//!
//! **Unbound.** A register may hold the UNBOUND sentinel: a deleted or not yet bound local.
//! Registers of parameters are bound at entry; all other registers hold garbage until written, so
//! the compiler emits `LoadSpecial r, UNBOUND` at the start of a code for every local that may be
//! read (or captured by a cell or `locals()`) before it is bound, and `CheckBound` where a read may see UNBOUND.
//!
//! **Registers.** `r[0..]` are the locals in the order of `Code::locals` (parameters first: positional,
//! keyword-only, `*args`, `**kwargs`), then temporaries. In module and class code `r[0]` is the
//! namespace mapping that the `*Name` ops use.

/// Calls `$each! { … }` with the rows `Variant "text" a b c w "prose";`.
#[macro_export]
macro_rules! for_each_op {
    ($each:ident) => {
        $each! {
// ---- moves and constants
Move "move" Dst Src No No "r[a] = r[b].";
MoveFar "move.far" No No No Far "r[dst] = r[src] with 16-bit register numbers, for registers from 256 up.";
LoadConst "load.const" Dst No No Const "r[a] = the constant.";
LoadInt "load.int" Dst Lo Hi No "r[a] = the 16-bit signed number in b and c.";
LoadSpecial "load.special" Dst Num No No "r[a] = the b-th of None, True, False, Ellipsis, NotImplemented, UNBOUND (0..=5).";
LoadCommon "load.common" Dst Num No No "r[a] = the b-th common object: 0 AssertionError, 1 NotImplementedError, 2 builtins.__build_class__, 3 tuple, 4 builtins.all, 5 builtins.any.";
CheckBound "check.bound" Src No No Name "Raises UnboundLocalError for the name if r[a] is UNBOUND.";
DeleteLocal "delete.local" Upd No No Name "As CheckBound, then r[a] = UNBOUND.";
// ---- cells
MakeCell "make.cell" Upd No No No "r[a] = a new cell that holds r[a] (which may be UNBOUND).";
LoadClosure "load.closure" Dst Lo Hi No "r[a] = the cell at the 16-bit index in b and c of the running function's closure.";
LoadDeref "load.deref" Dst Src No Name "r[a] = contents of the cell r[b]; empty: UnboundLocalError if the name is a cell variable of this code, NameError 'cannot access free variable' if it is a free one.";
StoreDeref "store.deref" Src Src No No "Contents of the cell r[a] = r[b] (UNBOUND empties it silently).";
DeleteDeref "delete.deref" Src No No Name "Empties the cell r[a]; the errors of LoadDeref if it is empty already.";
// ---- globals and names
LoadGlobal "load.global" Dst No No Global "r[a] = the global, or else the builtin, of that name; NameError.";
StoreGlobal "store.global" Src No No Global "The global of that name = r[a].";
DeleteGlobal "delete.global" No No No Name "Deletes the global of that name; NameError.";
LoadName "load.name" Dst No No Global "r[a] = namespace r[0][name], else global, else builtin; NameError.";
StoreName "store.name" Src No No Global "Namespace r[0][name] = r[a].";
DeleteName "delete.name" No No No Name "Deletes r[0][name]; NameError.";
LookupMapping "lookup.mapping" Dst Src No Name "r[a] = r[b][name], or UNBOUND if that raises KeyError.";
// ---- attributes and items
LoadAttr "load.attr" Dst Src No Attr "r[a] = r[b].name.";
StoreAttr "store.attr" Src Src No Attr "r[a].name = r[b].";
DeleteAttr "delete.attr" Src No No Name "del r[a].name.";
LoadMethod "load.method" Win Src WinHi Method "Looks up r[b].name for a CallMethod on window w: a method that would be bound gives r[w] = the plain function, r[w+4] = r[b]; anything else r[w] = the value, r[w+4] = UNBOUND.";
LoadSuperAttr "load.super_attr" Dst First No Name "r[a] = super(r[b+1], r[b+2]).name, where r[b] is what the name 'super' gave: if that is not the builtin class, r[b](r[b+1], r[b+2]).name.";
LoadSuperAttr0 "load.super_attr0" Dst First No Name "As load.super_attr for a zero-argument super() call: calls r[b]() if r[b] is not the builtin class.";
LoadSpecialMethod "load.special_method" Win Src WinHi Raw "As LoadMethod for the special method number w (Special, in special.rs), looked up on the type only; TypeError with CPython's text for with, async with and iteration.";
BindSpecial "bind.special" Dst Src Num No "r[a] = the special method number c of r[b], bound; looked up on the type only; the errors of LoadSpecialMethod.";
LoadIndex "load.index" Dst Src Src No "r[a] = r[b][r[c]].";
StoreIndex "store.index" Src Src Src No "r[a][r[b]] = r[c].";
DeleteIndex "delete.index" Src Src No No "del r[a][r[b]].";
BuildSlice "build.slice" Dst First No No "r[a] = slice(r[b], r[b+1], r[b+2]).";
// ---- arithmetic: the operands' order is Python's
Add "add" Dst Src Src No "r[a] = r[b] + r[c].";
Sub "sub" Dst Src Src No "r[a] = r[b] - r[c].";
Mul "mul" Dst Src Src No "r[a] = r[b] * r[c].";
TrueDiv "truediv" Dst Src Src No "r[a] = r[b] / r[c].";
FloorDiv "floordiv" Dst Src Src No "r[a] = r[b] // r[c].";
Mod "mod" Dst Src Src No "r[a] = r[b] % r[c].";
Pow "pow" Dst Src Src No "r[a] = r[b] ** r[c].";
MatMul "matmul" Dst Src Src No "r[a] = r[b] @ r[c].";
Shl "shl" Dst Src Src No "r[a] = r[b] << r[c].";
Shr "shr" Dst Src Src No "r[a] = r[b] >> r[c].";
And "and" Dst Src Src No "r[a] = r[b] & r[c].";
Or "or" Dst Src Src No "r[a] = r[b] | r[c].";
Xor "xor" Dst Src Src No "r[a] = r[b] ^ r[c].";
InplaceAdd "iadd" Dst Src Src No "r[a] = r[b] += r[c].";
InplaceSub "isub" Dst Src Src No "r[a] = r[b] -= r[c].";
InplaceMul "imul" Dst Src Src No "r[a] = r[b] *= r[c].";
InplaceTrueDiv "itruediv" Dst Src Src No "r[a] = r[b] /= r[c].";
InplaceFloorDiv "ifloordiv" Dst Src Src No "r[a] = r[b] //= r[c].";
InplaceMod "imod" Dst Src Src No "r[a] = r[b] %= r[c].";
InplacePow "ipow" Dst Src Src No "r[a] = r[b] **= r[c].";
InplaceMatMul "imatmul" Dst Src Src No "r[a] = r[b] @= r[c].";
InplaceShl "ishl" Dst Src Src No "r[a] = r[b] <<= r[c].";
InplaceShr "ishr" Dst Src Src No "r[a] = r[b] >>= r[c].";
InplaceAnd "iand" Dst Src Src No "r[a] = r[b] &= r[c].";
InplaceOr "ior" Dst Src Src No "r[a] = r[b] |= r[c].";
InplaceXor "ixor" Dst Src Src No "r[a] = r[b] ^= r[c].";
AddInt "add.int" Dst Src Imm Raw "r[a] = r[b] + c; w = 1 for the in-place form.";
SubInt "sub.int" Dst Src Imm Raw "r[a] = r[b] - c; w = 1 for the in-place form.";
Neg "neg" Dst Src No No "r[a] = -r[b].";
Pos "pos" Dst Src No No "r[a] = +r[b].";
Invert "invert" Dst Src No No "r[a] = ~r[b].";
Not "not" Dst Src No No "r[a] = not r[b].";
// ---- comparison
Lt "lt" Dst Src Src No "r[a] = r[b] < r[c].";
Le "le" Dst Src Src No "r[a] = r[b] <= r[c].";
Eq "eq" Dst Src Src No "r[a] = r[b] == r[c].";
Ne "ne" Dst Src Src No "r[a] = r[b] != r[c].";
Gt "gt" Dst Src Src No "r[a] = r[b] > r[c].";
Ge "ge" Dst Src Src No "r[a] = r[b] >= r[c].";
Is "is" Dst Src Src No "r[a] = r[b] is r[c].";
IsNot "is_not" Dst Src Src No "r[a] = r[b] is not r[c].";
In "in" Dst Src Src No "r[a] = r[b] in r[c].";
NotIn "not_in" Dst Src Src No "r[a] = r[b] not in r[c].";
// ---- branches
Jump "jump" No No No Jump "Goes to the target; forward only.";
Nop "nop" No No No No "Does nothing: a place for events where nothing else is, or where several ways meet.";
JumpBack "jump.back" No No No Jump "Goes to the target, a loop head; a safepoint.";
JumpTrue "jump.true" Src No No Jump "Goes to the target if r[a] is true.";
JumpFalse "jump.false" Src No No Jump "Goes to the target if r[a] is false.";
JumpNone "jump.none" Src No No Jump "Goes to the target if r[a] is None.";
JumpNotNone "jump.not_none" Src No No Jump "Goes to the target if r[a] is not None.";
JumpBound "jump.bound" Src No No Jump "Goes to the target if r[a] is not UNBOUND.";
JumpLt "jump.lt" Src Src Num Jump "Goes to the target if bool(r[a] < r[b]) is the truth value c (1 or 0).";
JumpLe "jump.le" Src Src Num Jump "As jump.lt for <=.";
JumpEq "jump.eq" Src Src Num Jump "As jump.lt for ==.";
JumpNe "jump.ne" Src Src Num Jump "As jump.lt for !=.";
JumpGt "jump.gt" Src Src Num Jump "As jump.lt for >.";
JumpGe "jump.ge" Src Src Num Jump "As jump.lt for >=.";
JumpLtInt "jump.lt.int" Src Imm Num Jump "As jump.lt with the number b in place of a register.";
JumpLeInt "jump.le.int" Src Imm Num Jump "As jump.lt.int for <=.";
JumpEqInt "jump.eq.int" Src Imm Num Jump "As jump.lt.int for ==.";
JumpNeInt "jump.ne.int" Src Imm Num Jump "As jump.lt.int for !=.";
JumpGtInt "jump.gt.int" Src Imm Num Jump "As jump.lt.int for >.";
JumpGeInt "jump.ge.int" Src Imm Num Jump "As jump.lt.int for >=.";
// ---- iteration
GetIter "get.iter" Dst Src No No "r[a] = iter(r[b]).";
ForIter "for.iter" Dst Src No Jump "r[a] = next item of the iterator r[b], or goes to the target when it ends (r[a] is then unchanged).";
Unpack "unpack" Outs Src Num No "Unpacks r[b] into exactly c registers from r[a].";
UnpackEx "unpack.ex" Outs Src No Raw "Unpacks r[b] for a starred target: (w & 0xffff) items, the list, then (w >> 16) items, into registers from r[a].";
// ---- calls
Call "call" Win Num WinHi No "Calls r[w] with b positional arguments.";
CallKw "call.kw" Win Num WinHi Const "Calls r[w] with b arguments, the last of which are named by the constant tuple of strings.";
CallMethod "call.method" Win Num WinHi No "Calls what LoadMethod left in window w with b positional arguments in r[w+5..]; r[w+4] is self or UNBOUND.";
CallMethodKw "call.method.kw" Win Num WinHi Const "As call.method, the last arguments named by the constant tuple.";
CallEx "call.ex" Win No WinHi No "Calls r[w] with the positional arguments of the iterable r[w+4] and the keyword arguments of the mapping r[w+5] (UNBOUND: none).";
Return "return" Src No No No "Returns r[a]. Not in a generator's code.";
ReturnGen "return.gen" Src No No No "Ends a generator, coroutine or async generator with r[a].";
// ---- functions and classes
MakeFunction "make.function" Dst First Num Const "r[a] = a function of the constant code; bits of c: 1 defaults tuple r[b], 2 keyword defaults dict r[b+1], 4 __annotate__ function r[b+2], 8 closure tuple of cells r[b+3]; rows of absent parts are not read.";
Intrinsic "intrinsic" Dst First Num No "r[a] = intrinsic number c (Intrinsic, in code.rs) of its arguments in registers from r[b].";
// ---- generators and coroutines
MakeGenerator "make.generator" No No No No "First instruction of a generator, coroutine or async generator: makes the object out of this frame and returns it; resumption goes on behind it.";
Yield "yield" Dst Src No No "Suspends the generator with r[b]; r[a] = what is sent in.";
YieldFrom "yield.from" Dst Src Src Jump "Suspends with r[b] inside a delegation to the iterator r[c]; r[a] = what is sent in. throw() and close() go to r[c] first; if it then returns, r[a] = its result and goes to the target.";
Send "send" Dst Src Src Jump "Sends r[c] into the iterator r[b]: r[a] = what it yields; if it returns, r[a] = its result and goes to the target.";
GetYieldFromIter "get.yield_from_iter" Dst Src No No "r[a] = iterator for `yield from r[b]` (a coroutine is allowed in a coroutine only).";
GetAwaitable "get.awaitable" Dst Src Num No "r[a] = iterator for `await r[b]`; c: 0 plain, 1 for __aenter__, 2 for __aexit__ (error texts).";
GetAiter "get.aiter" Dst Src No No "r[a] = r[b].__aiter__().";
GetAnext "get.anext" Dst Src No No "r[a] = awaitable iterator of r[b].__anext__().";
EndAsyncFor "end.async_for" Src No No No "r[a] is the exception of an `async for` step: returns silently if it is StopAsyncIteration, else raises it again.";
WrapAsyncYield "wrap.async_yield" Dst Src No No "r[a] = r[b] wrapped as a value of an async generator, before its Yield.";
// ---- exceptions
Raise "raise" Src No No No "raise r[a].";
RaiseFrom "raise.from" Src Src No No "raise r[a] from r[b].";
RaiseHandled "raise.handled" No No No No "Bare `raise`: the handled exception again; RuntimeError if there is none.";
Reraise "reraise" Src No No No "Raises the exception r[a] again, its traceback kept as it is and no context set.";
PushExc "push.exc" Dst Src No No "r[a] = the exception handled so far (or None); the handled exception = r[b].";
PopExc "pop.exc" Src No No No "The handled exception = r[a].";
MatchExc "match.exc" Dst Src Src No "r[a] = whether the exception r[b] is caught by r[c], a class or tuple; TypeError for anything else.";
MatchExcGroup "match.exc_group" Outs Src Src No "r[a] = the part of the exception r[b] that r[c] catches in `except*`, or None; r[a+1] = the rest, or None.";
PrepReraiseStar "prep.reraise_star" Dst Src Src No "r[a] = the exception to raise after `except*` clauses, or None: r[b] the original, r[c] the list of raised and unhandled ones.";
// ---- displays
BuildTuple "build.tuple" Dst First Num No "r[a] = tuple of c registers from r[b].";
BuildList "build.list" Dst First Num No "r[a] = list of c registers from r[b].";
BuildSet "build.set" Dst First Num No "r[a] = set of c registers from r[b].";
BuildMap "build.map" Dst First Num No "r[a] = dict of c pairs key, value in registers from r[b].";
BuildString "build.string" Dst First Num No "r[a] = c strings from r[b], joined.";
ListAppend "list.append" Src Src No No "r[a].append(r[b]) on an exact list.";
ListExtend "list.extend" Src Src Num No "r[a].extend(r[b]) on an exact list; c = 1: for a call's star argument (error text).";
SetAdd "set.add" Src Src No No "r[a].add(r[b]) on an exact set.";
SetUpdate "set.update" Src Src No No "r[a].update(r[b]) on an exact set.";
MapAdd "map.add" Src Src Src No "r[a][r[b]] = r[c] on an exact dict.";
MapUpdate "map.update" Src Src No No "r[a].update(r[b]) for `{**x}`; TypeError if r[b] is no mapping.";
MapMerge "map.merge" Src Src Src No "As map.update for a call's keyword arguments: TypeError on a repeated or non-string key; r[c] is the callee, for the text.";
ListToTuple "list.to_tuple" Dst Src No No "r[a] = tuple(r[b]) of an exact list.";
ToStr "to.str" Dst Src Num No "r[a] = str, repr or ascii (c = 1, 2, 3) of r[b].";
FormatValue "format" Dst Src Src No "r[a] = format(r[b], r[c]); r[c] UNBOUND: empty specification.";
BuildInterpolation "build.interpolation" Dst First Num No "r[a] = Interpolation(value r[b], expression r[b+1], conversion c (0 none, 1 's', 2 'r', 3 'a'), format_spec r[b+2]).";
BuildTemplate "build.template" Dst Src Src No "r[a] = Template of the tuple of strings r[b] and the tuple of interpolations r[c].";
// ---- match statement
MatchSequence "match.sequence" Dst Src No No "r[a] = whether r[b] is a sequence for a pattern.";
MatchMapping "match.mapping" Dst Src No No "r[a] = whether r[b] is a mapping for a pattern.";
MatchLen "match.len" Dst Src No No "r[a] = len(r[b]).";
MatchKeys "match.keys" Dst Src Src No "r[a] = tuple of the values in the mapping r[b] for the keys in the tuple r[c], or None if one is missing.";
MatchRest "match.rest" Dst Src Src No "r[a] = dict of the mapping r[b] without the keys in the tuple r[c].";
MatchClass "match.class" Dst First Num No "Subject r[b], class r[b+1], tuple of keyword attribute names r[b+2], c positional patterns: r[a] = tuple of attributes, or None if it does not match.";
// ---- imports
ImportName "import.name" Dst First No Name "r[a] = __import__(name, globals, locals, fromlist r[b], level r[b+1]).";
ImportFrom "import.from" Dst Src No Name "r[a] = r[b].name for `from … import name`; ImportError.";
ImportStar "import.star" Src No No No "`from r[a] import *` into the namespace.";
// ---- put in by the loader and by quickening; not in a portable code
LoadGlobalCell "q.load.global.cell" Dst No No Global "LoadGlobal whose cache names a bound cell of the module.";
LoadGlobalBuiltin "q.load.global.builtin" Dst No No Global "LoadGlobal whose cache names a cell of builtins, good while the globals' epoch stands.";
LoadAttrSlot "q.load.attr.slot" Dst Src No Attr "LoadAttr of an instance slot at a fixed offset under a shape.";
LoadAttrOverflow "q.load.attr.overflow" Dst Src No Attr "LoadAttr of a slot in the instance's overflow array under a shape.";
LoadAttrModule "q.load.attr.module" Dst Src No Attr "LoadAttr of a module's global, by its cell.";
StoreAttrSlot "q.store.attr.slot" Src Src No Attr "StoreAttr to an existing inline slot under a shape.";
StoreAttrAdd "q.store.attr.add" Src Src No Attr "StoreAttr that adds an inline slot: from one shape to the next.";
LoadMethodCached "q.load.method.cached" Win Src WinHi Method "LoadMethod of a plain function under a shape.";
LoadMethodModule "q.load.method.module" Win Src WinHi Method "LoadMethod of a module's global, by its cell: there is no receiver.";
ForRange "q.for.range" Dst Src No Jump "ForIter over a range iterator of small ints.";
ForList "q.for.list" Dst Src No Jump "ForIter over an exact list's iterator.";
JumpBackTraced "q.jump.back.traced" Num Num Num Jump "JumpBack of a loop that has a trace, whose number is in a, b and c: goes on in that.";
EnterTraced "q.enter.traced" Num Num Num No "Before the first instruction of a function that has a trace, whose number is in a, b and c: goes on in that.";
ForGenerator "q.for.generator" Dst Src No Jump "ForIter over a generator: resumes its frame.";
Event "q.event" Num Num Num No "Stands for an instruction, whose operands it has, at which somebody wants to be told of events: tells them, and does the instruction.";
Exit "q.exit" No No No No "Ends a run of the loop with the result that the Vm holds.";
ExitRaise "q.exit.raise" No No No No "Ends a run of the loop with the pending exception.";
        }
    };
}

/// What an operand byte is; see the module's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    No,
    Dst,
    Src,
    Upd,
    Win,
    WinHi,
    First,
    Outs,
    Num,
    Imm,
    Lo,
    Hi,
}

/// What the second unit is; see the module's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    No,
    Const,
    Name,
    Attr,
    Method,
    Global,
    Jump,
    Far,
    Raw,
}

/// A row of the op table.
#[derive(Debug)]
pub struct OpInfo {
    /// Name in the text form.
    pub text: &'static str,
    /// Roles of the bytes a, b and c.
    pub operands: [Role; 3],
    /// Role of the second unit.
    pub extra: Extra,
    /// What the op does.
    pub prose: &'static str,
}

macro_rules! declare {
    ($($op:ident $text:literal $a:ident $b:ident $c:ident $w:ident $prose:literal;)*) => {
        /// An operation of the register machine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op { $(#[doc = $prose] $op),* }

        impl Op {
            /// All ops in table order; an op's number is its index.
            pub const ALL: &'static [Op] = &[$(Op::$op),*];
            const INFOS: &'static [OpInfo] = &[$(OpInfo {
                text: $text,
                operands: [Role::$a, Role::$b, Role::$c],
                extra: Extra::$w,
                prose: $prose,
            }),*];
        }
    };
}
for_each_op!(declare);

/// Ops from this one on are put in by the loader or by quickening only.
pub const FIRST_QUICKENED: Op = Op::LoadGlobalCell;

impl Op {
    pub const fn info(self) -> &'static OpInfo {
        &Self::INFOS[self as usize]
    }

    /// The op with this number, if there is one.
    #[inline]
    pub const fn from_u8(n: u8) -> Option<Op> {
        if (n as usize) < Self::ALL.len() { Some(Self::ALL[n as usize]) } else { None }
    }

    /// Length of the instruction in 32-bit units: 1 or 2.
    pub const fn units(self) -> usize {
        match self.info().extra {
            Extra::No => 1,
            _ => 2,
        }
    }

    /// Whether a portable code may hold it.
    pub const fn is_portable(self) -> bool {
        (self as u8) < FIRST_QUICKENED as u8
    }
}

/// The number of UNBOUND in `LoadSpecial`.
pub const UNBOUND: u8 = 5;
/// That of None.
pub const NONE: u8 = 0;

/// Packs the first unit of an instruction.
pub const fn pack(op: Op, a: u8, b: u8, c: u8) -> u32 {
    u32::from_le_bytes([op as u8, a, b, c])
}
