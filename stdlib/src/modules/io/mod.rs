//! `_io`: raw files, buffers over them, text over those, and the same in memory.
//!
//! Each layer works over any object of the layer below, also one that is written in Python. Over a native one it goes past
//! the methods: a buffer shares the descriptor of a `FileIO` ([`fileio::RawFile`]), text shares the buffer
//! ([`buffered::Buffer`]). What is shared is held by `Rc`, outside of the heap, so that what a program has written reaches the
//! system even if it ends without closing its files.

mod base;
mod buffered;
mod bytesio;
mod codec;
mod fileio;
mod methods;
mod newlines;
mod open;
mod pair;
mod stringio;
mod text;
mod text_position;
mod text_read;
mod types;

pub use codec::decode;
pub use open::{encode_path, flush_standard, install, make, path_bytes, standard_streams};
