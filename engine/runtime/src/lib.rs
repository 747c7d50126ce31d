//! Skein's runtime: values, objects, builtin types, and the interpreter.

mod blocks;
pub mod context;
pub mod interp;
pub mod methods;
pub mod modules;
pub mod native;
pub mod object;
pub mod shape;
pub mod types;
pub mod value;
pub mod vm;

pub use native::Args;
pub use object::Ref;
pub use value::{R, Raised, Value};
pub use vm::Vm;
