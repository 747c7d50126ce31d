//! Skein's runtime: values, objects, frames, and the interpreter. What Python sees of the builtin types and
//! modules is in the layer above, which gives it to the runtime as one table ([`vm::Builtins`]).

mod blocks;
pub mod context;
pub mod events;
pub mod interp;
pub mod native;
pub mod object;
pub mod shape;
pub mod threads;
pub mod types;
pub mod value;
pub mod variables;
pub mod vm;

pub use native::Args;
pub use object::Ref;
pub use value::{R, Raised, Value};
pub use vm::Vm;
