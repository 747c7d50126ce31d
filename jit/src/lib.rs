//! The tracing compiler: hot loops become machine code.

pub mod deopt;
pub mod driver;
pub mod ir;
pub mod recorder;
