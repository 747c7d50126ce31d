//! `_io`: files, memory files and text on them.

mod codec;
mod core;
mod files;
mod missing;
mod open;

pub use codec::decode;
pub use open::{encode_path, flush_standard, install, make, path_bytes};
