//! Compression other than zlib's: `_bz2`, `_lzma` and `_zstd`.

mod bz2;
mod filters;
mod lzma;
mod zstd;

pub use bz2::make as make_bz2;
pub use lzma::make as make_lzma;
pub use zstd::make as make_zstd;

use skein_runtime::{R, Vm};

/// Bytes that are asked for at once.
pub const PIECE: usize = 32 * 1024;

/// A stream that is unpacked.
pub trait Unpack {
    /// After all input was used: is more wanted, though as much came out as was allowed?
    const WANTS_MORE_WHEN_FULL: bool;
    /// What is said to input after the end.
    const AT_END: &'static str;
    /// Takes input and gives output: bytes taken, bytes given, whether that was the end.
    fn step(&mut self, vm: &Vm, input: &[u8], room: &mut [u8]) -> R<(usize, usize, bool)>;
}

/// A decompressor with the input that it could not use yet.
pub struct Unpacker<U> {
    pub stream: U,
    held: Vec<u8>,
    pub unused: Vec<u8>,
    pub eof: bool,
    pub needs_input: bool,
}

impl<U: Unpack> Unpacker<U> {
    pub fn new(stream: U) -> Unpacker<U> {
        Unpacker { stream, held: Vec::new(), unused: Vec::new(), eof: false, needs_input: true }
    }

    /// At most `max` bytes; negative: all. EOFError, and what the stream raises.
    pub fn run(&mut self, vm: &Vm, data: &[u8], max: i64) -> R<Vec<u8>> {
        if self.eof {
            return Err(vm.eof_error(U::AT_END));
        }
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let mut input = std::mem::take(&mut self.held);
        input.extend_from_slice(data);
        let (mut at, mut out) = (0, Vec::new());
        loop {
            let room = PIECE.min(max - out.len());
            if room == 0 && max > 0 {
                break;
            }
            vm.check_room(out.len() + room)?;
            let old = out.len();
            out.resize(old + room, 0);
            let step = self.stream.step(vm, &input[at..], &mut out[old..]);
            let (used, made, end) = step.inspect_err(|_| self.needs_input = false)?;
            out.truncate(old + made);
            at += used;
            self.eof = end;
            if end || room == 0 || (used == 0 && made == 0) || (at == input.len() && made < room) {
                break;
            }
            vm.check_signals()?;
        }
        let rest = input.split_off(at);
        if self.eof {
            self.unused = rest;
            self.needs_input = false;
        } else {
            self.needs_input = rest.is_empty() && (U::WANTS_MORE_WHEN_FULL || out.len() < max);
            self.held = rest;
        }
        Ok(out)
    }
}
