//! The garbage-collected heap. Knows nothing of Python.
//!
//! Tracing, non-moving; precise in the heap and conservative where the user asks for it;
//! generational by sticky mark bits; allocation by bumping into lines (Immix). One heap per
//! isolate, no globals, no threads.
//!
//! Layout: `reserve` the range of addresses, `chunk` metadata of the small objects, `space` their
//! allocation, `sweep` their freeing, `large` and `pages` the large objects. Collection: `collect`
//! the course of a pause, `cycle` that of a major collection, `tracer` the marking, `resolve`
//! conservative look-ups, `tables` weak references, finalizers and external memory, `garbage` cycles
//! among the dead, `pacing` when, which and how much.

mod chunk;
mod collect;
mod config;
mod cycle;
mod garbage;
mod header;
mod heap;
mod large;
mod model;
mod native_stack;
mod order;
mod pacing;
mod pages;
mod reserve;
mod resolve;
mod space;
mod stack;
mod sweep;
mod tables;
mod tracer;

pub use config::*;
pub use garbage::Cycles;
pub use header::*;
pub use heap::Heap;
pub use model::ObjectModel;
pub use native_stack::{clear_stack_below, with_native_stack};
pub use tracer::Tracer;
