//! The table of trace ops, declared once.
//!
//! An instruction has up to three operands, a 64-bit immediate and, if its op can leave the trace, an exit.
//!
//! | type | what it is in a register |
//! |---|---|
//! | `W` | any word of Python: see `skein_runtime::value` |
//! | `I` | a word that is known to be an immediate int: `(i << 2) + 1` |
//! | `F` | a double |
//! | `B` | a truth value, 0 or 1 |
//! | `R` | 64 raw bits: a length, an index, an address |
//!
//! An `I` may stand wherever a `W` is wanted. Ints stay tagged: adding is one subtraction more, which constants take
//! away, and nothing has to be boxed where a trace is left.
//!
//! | effect | meaning |
//! |---|---|
//! | `Pure` | depends on its operands alone, cannot leave the trace |
//! | `Guard` | depends on its operands alone, may leave the trace by its exit |
//! | `Load` | reads memory of the class that the immediate names |
//! | `Store` | writes memory of that class |
//! | `Alloc` | allocates: may collect, but runs no Python code; may leave the trace, for want of memory |
//! | `Call` | may do anything to the heap and to the frame's registers |
//! | `End` | ends a sequence |

/// Calls `$each! { … }` with the rows `Variant "text" (operand types) -> result effect "prose";`.
#[macro_export]
macro_rules! for_each_trace_op {
    ($each:ident) => {
        $each! {
// ---- values
Const "const" () -> Any Pure "The immediate, as bits of the result's type.";
Phi "phi" () -> Any Pure "What the jump to the loop's head brings; only at the head of a body.";
FromExit "from.exit" () -> Any Pure "Word imm of the buffer, as the exit that leads here has filled it; only in a bridge that is a tree of its own.";
LoadReg "load.reg" () -> W Load "What the register imm words from the base of the root frame held at the loop's head; nothing has written it since.";
ReloadReg "reload.reg" () -> W Load "What that register holds now, behind a `help` that may have written it.";
StoreReg "store.reg" (W) -> No Store "Writes the word (W, I or R) to the register imm words from the base of the root frame.";
// ---- guards
GuardInt "guard.int" (W) -> I Guard "The word, if it is an immediate int.";
GuardFloat "guard.float" (W) -> F Guard "The float, if the word is an immediate float.";
GuardShape "guard.shape" (W) -> W Guard "The word, if it is an object whose shape is imm.";
GuardFamily "guard.family" (W) -> W Guard "The word, if it is an object of one of the shapes of the tree's family imm.";
GuardIs "guard.is" (W) -> No Guard "Leaves unless the word is imm.";
GuardIsNot "guard.is_not" (W) -> No Guard "Leaves if the word is imm.";
GuardTrue "guard.true" (B) -> No Guard "Leaves unless true.";
GuardFalse "guard.false" (B) -> No Guard "Leaves unless false.";
GuardRaw "guard.raw" (R) -> No Guard "Leaves unless the raw word is imm.";
GuardRawNot "guard.raw_not" (R) -> No Guard "Leaves if the raw word is imm.";
// ---- ints
IntAdd "int.add" (I I) -> I Guard "Sum; leaves if it is no immediate.";
IntSub "int.sub" (I I) -> I Guard "Difference; leaves if it is no immediate.";
IntMul "int.mul" (I I) -> I Guard "Product; leaves if it is no immediate.";
IntFloorDiv "int.floordiv" (I I) -> I Guard "Python's quotient; leaves if the divisor is 0 or the result no immediate.";
IntMod "int.mod" (I I) -> I Guard "Python's remainder; leaves if the divisor is 0.";
IntShl "int.shl" (I I) -> I Guard "Left shift by 0 to 61; leaves for other counts and if the result is no immediate.";
IntShr "int.shr" (I I) -> I Guard "Right shift; leaves if the count is negative.";
IntAnd "int.and" (I I) -> I Pure "Bitwise and.";
IntOr "int.or" (I I) -> I Pure "Bitwise or.";
IntXor "int.xor" (I I) -> I Pure "Bitwise exclusive or.";
IntNeg "int.neg" (I) -> I Guard "Negation; leaves if it is no immediate.";
IntInvert "int.invert" (I) -> I Pure "Bitwise complement.";
IntLt "int.lt" (I I) -> B Pure "Less.";
IntLe "int.le" (I I) -> B Pure "Less or equal.";
IntEq "int.eq" (I I) -> B Pure "Equal.";
IntNe "int.ne" (I I) -> B Pure "Not equal.";
IntGt "int.gt" (I I) -> B Pure "Greater.";
IntGe "int.ge" (I I) -> B Pure "Greater or equal.";
IntToFloat "int.to_float" (I) -> F Guard "The int as a float; leaves if it is beyond 2**53 either way.";
BaseAddress "base" () -> R Pure "The address imm words from the root frame's base.";
Untag "untag" (I) -> R Pure "The int's value.";
Tag "tag" (R) -> I Pure "The int of that value, which fits.";
// ---- floats
FloatAdd "float.add" (F F) -> F Pure "Sum.";
FloatSub "float.sub" (F F) -> F Pure "Difference.";
FloatMul "float.mul" (F F) -> F Pure "Product.";
FloatDiv "float.div" (F F) -> F Guard "Quotient; leaves if the divisor is 0.";
FloatNeg "float.neg" (F) -> F Pure "Negation.";
FloatAbs "float.abs" (F) -> F Pure "Absolute value.";
FloatSqrt "float.sqrt" (F) -> F Guard "Square root; leaves for operands less than 0.";
FloatPow "float.pow" (F F) -> F Guard "Power; leaves unless the result is finite, and so for all operands that Python treats in its own way.";
FloatLt "float.lt" (F F) -> B Pure "Less.";
FloatLe "float.le" (F F) -> B Pure "Less or equal.";
FloatEq "float.eq" (F F) -> B Pure "Equal.";
FloatNe "float.ne" (F F) -> B Pure "Not equal.";
FloatGt "float.gt" (F F) -> B Pure "Greater.";
FloatGe "float.ge" (F F) -> B Pure "Greater or equal.";
BoxFloat "box.float" (F) -> W Guard "The float as a word; leaves if its exponent is uncommon, for then it is an object.";
// ---- truth and identity
BoxBool "box.bool" (B) -> W Pure "True or False.";
Not "not" (B) -> B Pure "The other truth value.";
Same "same" (W W) -> B Pure "Whether the words are the same.";
TextChar "text.char" (W R) -> W Guard "The character at an index of an exact str, of those in the table at imm; leaves unless the text is ASCII.";
TextEq "text.eq" (W W) -> B Pure "Whether two exact str are the same text.";
// ---- raw words
RawAdd "raw.add" (R R) -> R Pure "Wrapping sum.";
RawSub "raw.sub" (R R) -> R Pure "Wrapping difference.";
FromRaw "from.raw" (R) -> I Pure "The raw word as the int word that it is.";
ToRaw "to.raw" (W) -> R Pure "The word's bits.";
CheckBelow "check.below" (R R) -> No Guard "Leaves unless the first, unsigned, is below the second.";
CheckNotBelow "check.not_below" (R R) -> No Guard "Leaves if the first, unsigned, is below the second.";
CheckIndex "check.index" (I R) -> R Guard "The index, counted from the end if negative; leaves if it is not below the length.";
// ---- memory: imm is a `Place`
LoadField "load.field" (W) -> W Load "A word of an object.";
StoreField "store.field" (W W) -> No Store "Writes a word of an object.";
LoadRaw "load.raw" (W) -> R Load "A raw word of an object.";
LoadState "load.state" (W) -> R Load "What that raw word of an iterator was at the loop's head; nothing has written it since.";
LoadHeld "load.held" (W) -> W Load "As load.state, of a word of Python: what a generator's register held.";
StoreRaw "store.raw" (W R) -> No Store "Writes a raw word of an object.";
LoadCell "load.cell" () -> R Load "The raw 32-bit word at the address imm: a counter or flag of the machine.";
LoadHandled "load.handled" () -> R Load "The exception that the running context handles; 0 if there is none.";
LoadElem "load.elem" (W R) -> W Load "A slot of an array or tuple, which begins behind 16 bytes.";
StoreElem "store.elem" (W R W) -> No Store "Writes a slot of an array.";
Barrier "barrier" (W) -> No Store "The write barrier of an object that is about to be stored to.";
SetShape "set.shape" (W) -> No Store "The object's shape is imm from here on.";
NewObject "new.object" () -> W Alloc "A zeroed object; imm is a `NewKind`.";
NumberOp "number.op" (W W) -> W Alloc "What the operator of the special method imm, one that raises nothing, gives for exact numbers of any size; leaves for other operands.";
// ---- calls
Help "help" () -> No Call "Does the instruction of call imm by its helper on the frame in memory. Its exit tells the state before.";
GuardNext "guard.next" () -> No Call "Behind a `help` or another of its kind: leaves unless the machine goes on where call imm says.";
Publish "publish" () -> No Store "The frame of call imm is the innermost that is in memory, from where collections look on.";
NativeNext "native.next" (W) -> W Call "Calls the `__next__` (call imm) of an iterator, which runs no Python code: UNBOUND at its end; leaves, to raise, if it raised.";
Native1 "native.1" (W) -> W Call "Calls a native (call imm) that runs no Python code; leaves, to raise, if it raised.";
Native2 "native.2" (W W) -> W Call "Likewise with two arguments.";
Native3 "native.3" (W W W) -> W Call "Likewise with three.";
CopySlice "copy.slice" (W W) -> R Call "Copies what argument slice 1 selects of the second list over what argument slice 0 selects of the first; leaves, with nothing done, if these are not as many or overlap.";
// ---- ends
Tick "tick" () -> No Guard "Takes imm from the ticks; leaves if none are left.";
Jump "jump" () -> No End "Back to the loop's head with the sequence's arguments for its phis.";
Restart "restart" () -> No End "Back to the trace's entry; the frame is in memory.";
Leave "leave" () -> No End "Leaves by the exit.";
        }
    };
}

/// Type of an operand or result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// No result.
    No,
    W,
    I,
    F,
    B,
    R,
    /// As the instruction says; in the table only.
    Any,
}

/// What an op does besides giving its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Pure,
    Guard,
    Load,
    Store,
    Alloc,
    Call,
    End,
}

/// A row of the table.
#[derive(Debug)]
pub struct OpInfo {
    pub text: &'static str,
    pub operands: &'static [Type],
    pub result: Type,
    pub effect: Effect,
    pub prose: &'static str,
}

macro_rules! declare {
    ($($op:ident $text:literal ($($operand:ident)*) -> $result:ident $effect:ident $prose:literal;)*) => {
        /// An operation of a trace.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum TraceOp { $(#[doc = $prose] $op),* }

        impl TraceOp {
            /// All ops in table order.
            pub const ALL: &'static [TraceOp] = &[$(TraceOp::$op),*];
            const INFOS: &'static [OpInfo] = &[$(OpInfo {
                text: $text,
                operands: &[$(Type::$operand),*],
                result: Type::$result,
                effect: Effect::$effect,
                prose: $prose,
            }),*];
        }
    };
}
for_each_trace_op!(declare);

impl TraceOp {
    pub const fn info(self) -> &'static OpInfo {
        &Self::INFOS[self as usize]
    }

    /// Is the result the operand, of which more is known?
    pub const fn gives_operand(self) -> bool {
        matches!(self, TraceOp::GuardShape | TraceOp::GuardFamily | TraceOp::GuardInt)
    }

    /// Can the op leave the trace?
    pub const fn has_exit(self) -> bool {
        matches!(self.info().effect, Effect::Guard | Effect::Alloc | Effect::Call)
            || matches!(self, TraceOp::Leave)
    }
}
