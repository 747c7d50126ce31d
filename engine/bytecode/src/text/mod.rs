//! The text form of code: what `Display` prints and [`parse`] reads back.
//!
//! ```text
//! code $0 outer
//!   qualname outer
//!   file t.py
//!   line 1
//!   flags OPTIMIZED NEWLOCALS
//!   args 1 posonly 0 kwonly 0
//!   regs 9
//!   local x
//!   local total cell
//!     make.cell r1                         @2
//!   L1:
//!     load.global r3, print                @3
//!     load.const r7, 'so far'
//!     call r3, 1
//!     jump.true r0, L1                     ; x
//!     return r3
//!   handler L1 L2 -> L3 r4
//! end
//! ```
//!
//! - A code inside the constants is a block of its own further down, and `$1` where it is used.
//! - A constant or name is spelled out where it is used. The pools' order follows from that; where it
//!   would not, a `const` or `name` line for each entry precedes the instructions, and an operand that the
//!   literal does not pin down (an equal constant earlier in the pool, an index out of range) is `#7`.
//! - A jump goes to a label, or to `u12`, a unit's index, if no instruction starts there. Units that are
//!   no well-formed instruction are `.unit 0x1234`. So any code whatever prints, broken ones too.
//! - `@12` begins the instructions of line 12. In the alternate form (`{:#}`) marks say all:
//!   `@12:4-13:9`, columns as in [`Position`](crate::Position), `?` for an unknown one; `@-` is no position. There,
//!   `passes @12:4-12:8` before an instruction is a line that is executed though no instruction has it.
//! - Words with unusual characters are in double quotes. `;` begins a comment.
//!
//! What comes back from the alternate form is equal to what was printed, provided that the position
//! table is one that `Positions::encode_with_marks` made with one position an instruction. From the plain form
//! the positions come back with their lines only.

mod literal;
mod parse;
mod print;

pub use parse::{ParseError, parse};
