//! The tracing compiler: hot loops become machine code.

pub mod ir;
