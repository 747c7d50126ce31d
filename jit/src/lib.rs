//! The tracing compiler: hot loops become machine code.

mod deopt;
mod driver;
pub mod ir;
pub mod layout;
mod lower;
mod machine;
mod module;
pub mod opt;
#[cfg(target_arch = "x86_64")]
mod quick;
mod recorder;
pub mod reference;
mod shims;
pub mod text;
mod thunks;
pub mod verify;

pub use driver::{Counts, ExitReport, IrLine, Jit, Options, Place, TraceReport};
pub use lower::Places;
pub use machine::{BUFFER, CompileError, Compiled, Entry, Machine};
pub use module::{NAME as MODULE_NAME, native_module};
