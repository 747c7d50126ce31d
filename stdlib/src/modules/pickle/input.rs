//! What an unpickler reads: bytes that are there, and a file behind them.

use super::unpickling_error;
use crate::modules::support::BytesLike;
use skein_runtime::{R, Raised, Value, Vm};

/// The callables of a file.
#[derive(Clone, Copy)]
pub struct File {
    pub read: Value,
    pub readline: Value,
}

pub struct Input {
    data: BytesLike,
    at: usize,
    /// Where the frame ends that is being read.
    frame_end: Option<usize>,
    file: Option<File>,
}

#[cold]
fn truncated(vm: &Vm) -> Raised {
    unpickling_error(vm, "pickle data was truncated")
}

#[cold]
fn exhausted(vm: &Vm) -> Raised {
    unpickling_error(vm, "pickle exhausted before end of frame")
}

impl Input {
    pub fn new(data: BytesLike, file: Option<File>) -> Input {
        Input { data, at: 0, frame_end: None, file }
    }

    /// What is left of the frame that is being read. A frame that is used up has ended.
    fn left_in_frame(&mut self) -> Option<usize> {
        self.frame_end = self.frame_end.filter(|&end| end > self.at);
        self.frame_end.map(|end| end - self.at)
    }

    /// Makes the next `n` bytes part of what is there. False: there are not so many. UnpicklingError if they go over
    /// the end of a frame.
    fn fill(&mut self, vm: &Vm, n: usize) -> R<bool> {
        if self.left_in_frame().is_some_and(|left| left < n) {
            return Err(exhausted(vm));
        }
        if self.data.len() - self.at >= n {
            return Ok(true);
        }
        let Some(file) = self.file else { return Ok(false) };
        let rest = vm.copied(&self.data[self.at..])?;
        let missing = n - rest.len();
        let Ok(wanted) = i64::try_from(missing) else { return Err(vm.memory_error()) };
        let got = BytesLike::new(vm, vm.call(file.read, &[vm.int(wanted)?])?)?;
        let whole = got.len() >= missing;
        self.put_behind(vm, rest, got)?;
        Ok(whole)
    }

    fn put_behind(&mut self, vm: &Vm, mut rest: Vec<u8>, more: BytesLike) -> R<()> {
        self.data = if rest.is_empty() {
            more
        } else {
            vm.put(&mut rest, &more)?;
            BytesLike::Copy(rest)
        };
        self.at = 0;
        Ok(())
    }

    /// The next op. EOFError at the end.
    pub fn op(&mut self, vm: &Vm) -> R<u8> {
        if !self.fill(vm, 1)? {
            return Err(vm.eof_error("Ran out of input"));
        }
        self.at += 1;
        Ok(self.data[self.at - 1])
    }

    /// The next bytes. UnpicklingError if there are not so many.
    pub fn take(&mut self, vm: &Vm, n: usize) -> R<&[u8]> {
        if !self.fill(vm, n)? {
            return Err(truncated(vm));
        }
        self.at += n;
        Ok(&self.data[self.at - n..self.at])
    }

    pub fn array<const N: usize>(&mut self, vm: &Vm) -> R<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(vm, N)?);
        Ok(out)
    }

    /// The next bytes are read at once, if they come from a file.
    pub fn frame(&mut self, vm: &Vm, n: usize) -> R<()> {
        if self.left_in_frame().is_some() {
            return Err(unpickling_error(vm, "beginning of a new frame before end of current frame"));
        }
        if !self.fill(vm, n)? {
            return Err(truncated(vm));
        }
        self.frame_end = Some(self.at + n);
        Ok(())
    }

    /// The rest of a line, its end included.
    pub fn line(&mut self, vm: &Vm) -> R<Vec<u8>> {
        let left = self.left_in_frame();
        let rest = &self.data[self.at..];
        let rest = left.map_or(rest, |left| &rest[..left]);
        if let Some(n) = rest.iter().position(|&b| b == b'\n') {
            let line = vm.copied(&rest[..=n])?;
            self.at += n + 1;
            return Ok(line);
        }
        if left.is_some() {
            return Err(exhausted(vm));
        }
        let Some(file) = self.file else { return Err(truncated(vm)) };
        let rest = vm.copied(rest)?;
        let more = BytesLike::new(vm, vm.call(file.readline, &[])?)?;
        self.put_behind(vm, rest, more)?;
        if self.data.last() != Some(&b'\n') {
            return Err(truncated(vm));
        }
        self.at = self.data.len();
        vm.copied(&self.data)
    }

    /// A line of at least one character, without its end.
    pub fn word(&mut self, vm: &Vm) -> R<Vec<u8>> {
        let mut line = self.line(vm)?;
        line.pop();
        if line.is_empty() { Err(truncated(vm)) } else { Ok(line) }
    }

    /// What was read and not used. MemoryError.
    pub fn rest(&self, vm: &Vm) -> R<Vec<u8>> {
        vm.copied(&self.data[self.at..])
    }
}
