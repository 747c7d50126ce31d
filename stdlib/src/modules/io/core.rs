//! Bytes of a file descriptor or of memory, with read and write buffers.
//!
//! The layers of a Python file (raw, buffered, text) share one core, so that they are never out of step.

use std::io::{self, ErrorKind};

/// Bytes asked of the system at once.
pub const CHUNK: usize = 64 * 1024;
/// `io.DEFAULT_BUFFER_SIZE`.
pub const DEFAULT_BUFFER_SIZE: usize = 128 * 1024;

/// Where the bytes are.
#[derive(Default)]
pub struct Core {
    /// A descriptor; negative: memory.
    pub fd: i32,
    pub memory: Vec<u8>,
    pub at: usize,
    pub read_buffer: Vec<u8>,
    pub read_at: usize,
    pub write_buffer: Vec<u8>,
    pub closed: bool,
    pub close_fd: bool,
    pub readable: bool,
    pub writable: bool,
    /// Bytes that are held back before they are written; 0: none.
    pub buffer_size: usize,
}

impl Drop for Core {
    fn drop(&mut self) {
        if !self.closed {
            // Nobody is left to hear of an error.
            let _ = self.flush();
            let _ = self.close();
        }
    }
}

fn check(n: isize) -> io::Result<usize> {
    if n < 0 { Err(io::Error::last_os_error()) } else { Ok(n as usize) }
}

impl Core {
    fn raw_read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.fd < 0 {
            let rest = self.memory.get(self.at..).unwrap_or_default();
            let n = rest.len().min(out.len());
            out[..n].copy_from_slice(&rest[..n]);
            self.at += n;
            return Ok(n);
        }
        // SAFETY: the slice is writable for its length.
        check(unsafe { libc::read(self.fd, out.as_mut_ptr().cast(), out.len()) })
    }

    fn raw_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.fd < 0 {
            if self.memory.len() < self.at {
                self.memory.resize(self.at, 0);
            }
            let over = bytes.len().min(self.memory.len() - self.at);
            self.memory[self.at..self.at + over].copy_from_slice(&bytes[..over]);
            self.memory.extend_from_slice(&bytes[over..]);
            self.at += bytes.len();
            return Ok(bytes.len());
        }
        // SAFETY: the slice is readable for its length.
        check(unsafe { libc::write(self.fd, bytes.as_ptr().cast(), bytes.len()) })
    }

    /// Bytes read and not yet taken.
    pub fn buffered(&self) -> &[u8] {
        &self.read_buffer[self.read_at..]
    }

    /// Reads one more piece into the buffer; 0 at the end.
    pub fn fill(&mut self) -> io::Result<usize> {
        if !self.write_buffer.is_empty() {
            self.flush()?;
        }
        if self.read_at > 0 {
            self.read_buffer.drain(..self.read_at);
            self.read_at = 0;
        }
        let old = self.read_buffer.len();
        if self.read_buffer.try_reserve(CHUNK).is_err() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let mut buffer = std::mem::take(&mut self.read_buffer);
        buffer.resize(old + CHUNK, 0);
        let n = self.raw_read(&mut buffer[old..]);
        buffer.truncate(old + *n.as_ref().unwrap_or(&0));
        self.read_buffer = buffer;
        n
    }

    /// Takes `n` bytes that are buffered.
    pub fn take(&mut self, n: usize) -> Vec<u8> {
        let out = self.buffered()[..n].to_vec();
        self.read_at += n;
        out
    }

    /// Up to `n` bytes, or all until the end.
    pub fn read(&mut self, n: Option<usize>) -> io::Result<Vec<u8>> {
        while n.is_none_or(|n| self.buffered().len() < n) {
            if self.fill()? == 0 {
                break;
            }
        }
        let have = self.buffered().len();
        Ok(self.take(n.map_or(have, |n| n.min(have))))
    }

    /// What one system call gives.
    pub fn read_once(&mut self, n: usize) -> io::Result<Vec<u8>> {
        if self.buffered().is_empty() && n > 0 {
            self.fill()?;
        }
        Ok(self.take(n.min(self.buffered().len())))
    }

    /// A line with its `\n`, at most `limit` bytes.
    pub fn read_line(&mut self, limit: Option<usize>) -> io::Result<Vec<u8>> {
        let mut searched = 0;
        loop {
            let have = self.buffered();
            if let Some(i) = have[searched..].iter().position(|&b| b == b'\n') {
                let n = searched + i + 1;
                return Ok(self.take(limit.map_or(n, |l| n.min(l))));
            }
            searched = have.len();
            if limit.is_some_and(|l| searched >= l) {
                return Ok(self.take(limit.unwrap_or(0)));
            }
            if self.fill()? == 0 {
                return Ok(self.take(searched));
            }
        }
    }

    /// Adds to the write buffer.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.buffered().is_empty() {
            let back = self.buffered().len() as i64;
            self.drop_read_buffer();
            self.raw_seek(-back, libc::SEEK_CUR)?;
        }
        self.write_buffer.extend_from_slice(bytes);
        if self.fd < 0 || self.write_buffer.len() > self.buffer_size { self.flush() } else { Ok(()) }
    }

    fn drop_read_buffer(&mut self) {
        self.read_buffer.clear();
        self.read_at = 0;
    }

    /// Writes out what is held back. What was written before an error is gone from the buffer.
    pub fn flush(&mut self) -> io::Result<()> {
        let buffer = std::mem::take(&mut self.write_buffer);
        let mut done = 0;
        let mut result = Ok(());
        while done < buffer.len() {
            match self.raw_write(&buffer[done..]) {
                Ok(n) => done += n,
                Err(e) => {
                    result = Err(e);
                    break;
                }
            }
        }
        self.write_buffer = buffer;
        self.write_buffer.drain(..done);
        result
    }

    fn raw_seek(&mut self, offset: i64, whence: i32) -> io::Result<u64> {
        if self.fd < 0 {
            let base = match whence {
                libc::SEEK_SET => 0,
                libc::SEEK_CUR => self.at as i64,
                _ => self.memory.len() as i64,
            };
            self.at = (base + offset).max(0) as usize;
            return Ok(self.at as u64);
        }
        // SAFETY: a plain call.
        let n = unsafe { libc::lseek(self.fd, offset, whence) };
        if n < 0 { Err(io::Error::last_os_error()) } else { Ok(n as u64) }
    }

    pub fn seek(&mut self, offset: i64, whence: i32) -> io::Result<u64> {
        self.flush()?;
        let ahead = if whence == libc::SEEK_CUR { self.buffered().len() as i64 } else { 0 };
        let n = self.raw_seek(offset - ahead, whence)?;
        self.drop_read_buffer();
        Ok(n)
    }

    pub fn tell(&mut self) -> io::Result<u64> {
        let n = self.raw_seek(0, libc::SEEK_CUR)?;
        Ok(n + self.write_buffer.len() as u64 - self.buffered().len() as u64)
    }

    pub fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.flush()?;
        if self.fd < 0 {
            self.memory.truncate(size as usize);
            return Ok(());
        }
        // SAFETY: a plain call.
        match unsafe { libc::ftruncate(self.fd, size as libc::off_t) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Closes the descriptor; the write buffer is lost.
    pub fn close(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.closed, true) || self.fd < 0 || !self.close_fd {
            return Ok(());
        }
        // SAFETY: the descriptor is this core's.
        match unsafe { libc::close(self.fd) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()).or_else(|e: io::Error| match e.kind() {
                // Closed all the same.
                ErrorKind::Interrupted => Ok(()),
                _ => Err(e),
            }),
        }
    }
}
