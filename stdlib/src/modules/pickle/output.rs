//! What a pickler writes: bytes in frames, and now and then to a file.

use super::ops::FRAME;
use skein_runtime::{R, Vm};

/// A frame's op and length.
const HEADER: usize = 9;
/// Shorter ones are no frames.
const SHORTEST: usize = 4;
/// A frame that is so long is closed at the next object. Bytes that are so long are in no frame.
pub const TARGET: usize = 64 << 10;

#[derive(Default)]
pub struct Output {
    pub bytes: Vec<u8>,
    /// Where the open frame begins.
    frame: Option<usize>,
    pub framing: bool,
}

impl Output {
    /// MemoryError.
    pub fn write(&mut self, vm: &Vm, data: &[u8]) -> R<()> {
        if self.framing && self.frame.is_none() {
            self.frame = Some(self.bytes.len());
            vm.put(&mut self.bytes, &[0; HEADER])?;
        }
        vm.put(&mut self.bytes, data)
    }

    /// Has the open frame its length?
    pub fn is_full(&self) -> bool {
        self.frame.is_some_and(|start| self.bytes.len() - start - HEADER >= TARGET)
    }

    /// Closes the open frame.
    pub fn commit(&mut self) {
        let Some(start) = self.frame.take() else { return };
        let len = self.bytes.len() - start - HEADER;
        if len >= SHORTEST {
            self.bytes[start] = FRAME;
            self.bytes[start + 1..start + HEADER].copy_from_slice(&(len as u64).to_le_bytes());
        } else {
            self.bytes.copy_within(start + HEADER.., start);
            self.bytes.truncate(start + len);
        }
    }

    /// Forgets what was written for an object that could not be written.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.frame = None;
        self.framing = false;
    }
}
