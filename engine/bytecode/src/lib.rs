//! Skein's bytecode: the op table, code objects, their text form, verifier and file form.

mod code;
mod code_ref;
mod docs;
mod file;
mod inst;
mod liveness;
pub mod ops;
mod positions;
mod special;
mod text;
mod verify;
mod written;

pub use code::{Code, Const, Handler, Intrinsic, Local, LocalKind, flags};
pub use code_ref::{CodeRef, Head, Shared};
pub use docs::ops_markdown;
pub use file::{FORMAT_VERSION, FileError, read_file, read_packed, table_hash, write_file};
pub use inst::{DecodeError, Inst, Row, instructions};
pub use liveness::Liveness;
pub use ops::{Extra, Op, OpInfo, Role, pack};
pub use positions::{Position, Positions};
pub use special::Special;
pub use text::{ParseError, parse};
pub use verify::{VerifyError, verify};
pub use written::{Holds, Standstill, standstill};
