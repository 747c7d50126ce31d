//! Buffers over raw files: what `BufferedReader`, `BufferedWriter` and `BufferedRandom` share.
//!
//! Bytes that were read ahead and bytes that wait to be written are two rows, of which one is empty: a write first moves
//! the raw file back to where the program is, a read first writes out.

use super::fileio::{self, FILE_IO, FileIo, RawFile};
use super::types::is_exact;
use skein_runtime::object::{Field, Tracer};
use skein_runtime::threads::gil::Parked;
use skein_runtime::threads::wait::WaitList;
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::{R, Ref, Value, Vm};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The bytes between a program and a raw file.
#[derive(Default)]
pub struct Buffer {
    /// The descriptor of a native raw file.
    pub file: RefCell<Option<Rc<RawFile>>>,
    read: RefCell<Vec<u8>>,
    /// How much of `read` the program has taken.
    at: Cell<usize>,
    write: RefCell<Vec<u8>>,
    size: Cell<usize>,
    /// Where the raw file is, if that is known.
    position: Cell<Option<i64>>,
    /// Who uses it: the number of the thread and one, 0: nobody.
    user: Cell<u32>,
    waiting: WaitList,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // The program has ended without closing the file. Nobody is left to hear of an error.
        let file = self.file.borrow();
        let Some(fd) = file.as_ref().map(|f| f.fd.get()).filter(|fd| *fd >= 0) else { return };
        let write = self.write.borrow();
        let mut rest = &write[..];
        while !rest.is_empty() {
            // SAFETY: the slice is readable.
            match unsafe { libc::write(fd, rest.as_ptr().cast(), rest.len()) } {
                n if n > 0 => rest = &rest[n as usize..],
                _ if std::io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => {}
                _ => return,
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    New,
    Ready,
    Detached,
}

pub struct Buffered {
    pub buffer: Rc<Buffer>,
    pub raw: Field,
    pub status: Cell<Status>,
    pub readable: bool,
    pub writable: bool,
    pub finalizing: Cell<bool>,
    /// Text over it closes it.
    pub owned: Cell<bool>,
}

impl Payload for Buffered {
    const NAME: &'static str = "_io._Buffered";
    fn needs_finalizer(&self) -> bool {
        !self.owned.get()
    }
    fn trace(&self, t: &mut Tracer<'_>) {
        let Buffered { buffer: _, raw, status: _, readable: _, writable: _, finalizing: _, owned: _ } = self;
        raw.trace(t);
    }
}

pub type BufferedRef = Ref<Ext<Buffered>>;

/// Ends the use of a buffer.
pub struct Busy<'a>(&'a Vm, &'a Buffer);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.1.user.set(0);
        self.1.waiting.wake_one(self.0);
    }
}

/// Begins to use a buffer, which only one may at a time: other threads wait. RuntimeError.
pub fn enter<'a>(vm: &'a Vm, b: &'a BufferedRef) -> R<Busy<'a>> {
    let me = vm.threads.current().serial + 1;
    let buffer = &*b.buffer;
    while ![0, me].contains(&buffer.user.get()) {
        if buffer.waiting.wait(vm, None, false) == Parked::Interrupted {
            vm.check_signals()?;
        }
    }
    if buffer.user.replace(me) == me {
        let shown = vm.repr_string(b.value()).unwrap_or_else(|_| {
            vm.pending.take();
            fileio::type_name(vm, b.value())
        });
        return Err(vm.runtime_error(format!("reentrant call inside {shown}")));
    }
    Ok(Busy(vm, buffer))
}

/// The raw file. ValueError if there is none.
pub fn raw(vm: &Vm, b: &Buffered) -> R<Value> {
    match b.status.get() {
        Status::Ready => Ok(b.raw.value()),
        Status::New => Err(vm.value_error("I/O operation on uninitialized object")),
        Status::Detached => Err(vm.value_error("raw stream has been detached")),
    }
}

pub fn is_closed(vm: &Vm, b: &Buffered) -> R<bool> {
    let raw = raw(vm, b)?;
    if let Some(f) = b.buffer.file.borrow().as_ref() {
        return Ok(f.fd.get() < 0);
    }
    super::base::is_closed(vm, raw)
}

/// Bytes that the buffer has room for.
pub fn buffer_size(b: &Buffered) -> usize {
    b.buffer.size.get()
}

/// ValueError: `what` is e.g. `read of`.
pub fn check_open(vm: &Vm, b: &Buffered, what: &str) -> R<()> {
    match is_closed(vm, b)? {
        true => Err(vm.value_error(format!("{what} closed file"))),
        false => Ok(()),
    }
}

/// Makes it a buffer over this raw file. ValueError, MemoryError.
pub fn attach(vm: &Vm, b: BufferedRef, raw: Value, size: i64) -> R<()> {
    let Some(size) = usize::try_from(size).ok().filter(|n| *n > 0) else {
        return Err(vm.value_error("buffer size must be strictly positive"));
    };
    vm.check_room(size)?;
    let below = raw.cast::<Ext<FileIo>>();
    if let Some(f) = below {
        f.owned.set(true);
    }
    let shared = below.filter(|_| is_exact(vm, raw, &FILE_IO)).map(|f| f.file.clone());
    b.buffer.file.replace(shared);
    b.buffer.size.set(size);
    b.buffer.position.set(None);
    forget_read(&b.buffer);
    b.buffer.write.borrow_mut().clear();
    b.raw.set(vm, b, raw);
    b.status.set(Status::Ready);
    Ok(())
}

/// Takes the raw file away.
pub fn detach(vm: &Vm, b: BufferedRef) -> R<Value> {
    let raw = raw(vm, &b)?;
    if let Some(f) = raw.cast::<Ext<FileIo>>() {
        f.owned.set(false);
    }
    b.buffer.file.replace(None);
    b.raw.set(vm, b, None);
    b.status.set(Status::Detached);
    Ok(raw)
}

impl Buffer {
    /// Bytes read ahead.
    pub fn ahead(&self) -> usize {
        self.read.borrow().len() - self.at.get()
    }

    /// Takes up to `n` of them.
    fn take(&self, n: usize, out: &mut Vec<u8>) -> usize {
        let read = self.read.borrow();
        let n = n.min(read.len() - self.at.get());
        out.extend_from_slice(&read[self.at.get()..self.at.get() + n]);
        self.at.set(self.at.get() + n);
        n
    }

    pub fn size(&self) -> usize {
        self.size.get()
    }
}

fn forget_read(b: &Buffer) {
    b.read.borrow_mut().clear();
    b.at.set(0);
}

// ---- the raw file

/// One read of the raw file, appended to `out`; None: it would block.
fn read_raw(vm: &Vm, b: BufferedRef, n: usize, out: &mut Vec<u8>) -> R<Option<usize>> {
    vm.check_room(out.len() + n)?;
    out.try_reserve(n).map_err(|_| vm.memory_error())?;
    let old = out.len();
    let file = b.buffer.file.borrow().clone();
    let got = match file {
        Some(f) => {
            out.resize(old + n, 0);
            let got = fileio::read_once(vm, &f, &mut out[old..]);
            out.truncate(old + *got.as_ref().unwrap_or(&None).as_ref().unwrap_or(&0));
            got?
        }
        None => read_python(vm, b, n, out)?,
    };
    if let (Some(n), Some(at)) = (got, b.buffer.position.get()) {
        b.buffer.position.set(Some(at + n as i64));
    }
    Ok(got)
}

/// As [`read_raw`], by the raw file's own `readinto`.
fn read_python(vm: &Vm, b: BufferedRef, n: usize, out: &mut Vec<u8>) -> R<Option<usize>> {
    let room = ByteArray::new(vm, &[])?;
    room.append(vm, &fileio::zeroes(vm, n)?)?;
    let view = vm.call(vm.types.memoryview.value(), &[room.value()])?;
    let got = vm.call_method(raw(vm, &b)?, "readinto", &[view])?;
    if got.is_none() {
        return Ok(None);
    }
    let got = match vm.index_i64(got) {
        Ok(got) => got,
        Err(e) => {
            let Some(cause) = vm.catch(vm.exc.type_error) else { return Err(e) };
            let raised = vm.raise_text(vm.exc.os_error, "raw readinto() failed");
            if let Some(made) = vm.pending.take() {
                vm.set_attr(made, vm.intern("__cause__")?, cause)?;
                vm.pending.set(Some(made));
            }
            return Err(raised);
        }
    };
    match usize::try_from(got).ok().and_then(|got| room.bytes().get(..got)) {
        Some(bytes) if got as usize <= n => {
            vm.put(out, bytes)?;
            Ok(Some(got as usize))
        }
        _ => Err(vm.raise_text(
            vm.exc.os_error,
            &format!("raw readinto() returned invalid length {got} (should have been between 0 and {n})"),
        )),
    }
}

/// One write to the raw file; None: it would block.
fn write_raw(vm: &Vm, b: BufferedRef, bytes: &[u8]) -> R<Option<usize>> {
    let file = b.buffer.file.borrow().clone();
    let done = match file {
        Some(f) => fileio::write_once(vm, &f, bytes)?,
        None => {
            let view = vm.call(vm.types.memoryview.value(), &[vm.bytes(bytes)?])?;
            let done = vm.call_method(raw(vm, &b)?, "write", &[view])?;
            if done.is_none() {
                None
            } else {
                let n = vm.index_i64(done)?;
                let wanted = bytes.len();
                let Some(n) = usize::try_from(n).ok().filter(|n| *n <= wanted) else {
                    return Err(vm.raise_text(
                        vm.exc.os_error,
                        &format!(
                            "raw write() returned invalid length {n} (should have been between 0 and {wanted})"
                        ),
                    ));
                };
                Some(n)
            }
        }
    };
    if let (Some(n), Some(at)) = (done, b.buffer.position.get()) {
        b.buffer.position.set(Some(at + n as i64));
    }
    Ok(done)
}

fn raw_position(vm: &Vm, n: R<Value>) -> R<i64> {
    let n = vm.index_i64(n?)?;
    if n < 0 {
        let text = format!("Raw stream returned invalid position {n}");
        return Err(vm.raise_text(vm.exc.os_error, &text));
    }
    Ok(n)
}

/// Where the raw file is, asked anew.
fn tell_raw(vm: &Vm, b: BufferedRef) -> R<i64> {
    let file = b.buffer.file.borrow().clone();
    let n = match file {
        Some(f) => fileio::seek_to(vm, &f, 0, libc::SEEK_CUR)?,
        None => raw_position(vm, vm.call_method(raw(vm, &b)?, "tell", &[]))?,
    };
    b.buffer.position.set(Some(n));
    Ok(n)
}

fn seek_raw(vm: &Vm, b: BufferedRef, at: i64, whence: i32) -> R<i64> {
    b.buffer.position.set(None);
    let file = b.buffer.file.borrow().clone();
    let n = match file {
        Some(f) => fileio::seek_to(vm, &f, at, whence)?,
        None => {
            let row = [vm.int(at)?, vm.int(whence.into())?];
            raw_position(vm, vm.call_method(raw(vm, &b)?, "seek", &row))?
        }
    };
    b.buffer.position.set(Some(n));
    Ok(n)
}

// ---- both directions

/// Fills the buffer, which is empty; None: it would block.
fn fill(vm: &Vm, b: BufferedRef) -> R<Option<usize>> {
    let mut row = std::mem::take(&mut *b.buffer.read.borrow_mut());
    row.clear();
    b.buffer.at.set(0);
    let got = read_raw(vm, b, b.buffer.size.get(), &mut row);
    b.buffer.read.replace(row);
    got
}

#[cold]
fn would_block(vm: &Vm, text: &str, written: usize) -> skein_runtime::Raised {
    let make = || -> R<Value> {
        let row = [Value::small_int(libc::EAGAIN.into()), vm.str(text)?, vm.int(written as i64)?];
        vm.call(vm.exc.blocking_io_error.value(), &row)
    };
    match make() {
        Ok(e) => vm.raise(e),
        Err(e) => e,
    }
}

/// Writes out what waits. BlockingIOError.
pub fn flush_writes(vm: &Vm, b: BufferedRef) -> R<()> {
    loop {
        let row = std::mem::take(&mut *b.buffer.write.borrow_mut());
        if row.is_empty() {
            b.buffer.write.replace(row);
            return Ok(());
        }
        let mut done = 0;
        let mut result = Ok(Some(0));
        while done < row.len() {
            result = write_raw(vm, b, &row[done..]);
            match result {
                Ok(Some(n)) => done += n,
                _ => break,
            }
            if let Err(e) = vm.check_signals() {
                result = Err(e);
                break;
            }
        }
        let mut row = row;
        row.drain(..done);
        // Nothing was added meanwhile: the buffer is busy.
        b.buffer.write.replace(row);
        if result?.is_none() {
            return Err(would_block(vm, "write could not complete without blocking", 0));
        }
    }
}

/// Moves the raw file back to where the program is.
fn rewind(vm: &Vm, b: BufferedRef) -> R<()> {
    let ahead = b.buffer.ahead();
    if ahead > 0 {
        seek_raw(vm, b, -(ahead as i64), libc::SEEK_CUR)?;
    }
    forget_read(&b.buffer);
    Ok(())
}

pub fn flush(vm: &Vm, b: BufferedRef) -> R<()> {
    let _busy = enter(vm, &b)?;
    flush_and_rewind(vm, b)
}

fn flush_and_rewind(vm: &Vm, b: BufferedRef) -> R<()> {
    flush_writes(vm, b)?;
    if b.readable { rewind(vm, b) } else { Ok(()) }
}

/// Before reading: what was written goes out.
fn before_read(vm: &Vm, b: BufferedRef) -> R<()> {
    if b.writable && !b.buffer.write.borrow().is_empty() { flush_and_rewind(vm, b) } else { Ok(()) }
}

/// `n` bytes, fewer at the end; None: it would block and there is nothing.
pub fn read_some(vm: &Vm, b: BufferedRef, n: usize) -> R<Option<Vec<u8>>> {
    let mut out = Vec::new();
    if b.buffer.ahead() >= n {
        vm.check_room(n)?;
        b.buffer.take(n, &mut out);
        return Ok(Some(out));
    }
    let _busy = enter(vm, &b)?;
    let ahead = b.buffer.ahead();
    b.buffer.take(ahead, &mut out);
    forget_read(&b.buffer);
    before_read(vm, b)?;
    while out.len() < n {
        let left = n - out.len();
        // Whole buffers go past the buffer.
        let got = match left / b.buffer.size.get() {
            0 => {
                let got = fill(vm, b)?;
                b.buffer.take(left, &mut out);
                got
            }
            whole => read_raw(vm, b, (whole * b.buffer.size.get()).min(1 << 26), &mut out)?,
        };
        match got {
            Some(0) => break,
            Some(_) => {}
            None => return Ok((!out.is_empty()).then_some(out)),
        }
    }
    Ok(Some(out))
}

/// All bytes to the end; None: it would block and there is nothing.
pub fn read_all(vm: &Vm, b: BufferedRef) -> R<Option<Vec<u8>>> {
    let _busy = enter(vm, &b)?;
    let mut out = Vec::new();
    let ahead = b.buffer.ahead();
    b.buffer.take(ahead, &mut out);
    forget_read(&b.buffer);
    before_read(vm, b)?;
    b.buffer.position.set(None);
    let file = b.buffer.file.borrow().clone();
    if let Some(f) = file {
        return Ok(match fileio::read_to_end(vm, &f)? {
            Some(more) if out.is_empty() => Some(more),
            Some(more) => {
                vm.put(&mut out, &more)?;
                Some(out)
            }
            None => (!out.is_empty()).then_some(out),
        });
    }
    let raw = raw(vm, &b)?;
    let by_one = vm.find_attr(raw, vm.intern("readall")?)?;
    loop {
        let piece = match by_one {
            Some(f) => vm.call(f, &[])?,
            None => vm.call_method(raw, "read", &[])?,
        };
        if piece.is_none() {
            return Ok((!out.is_empty()).then_some(out));
        }
        let Some(bytes) = piece.cast::<Bytes>() else {
            return Err(vm.type_error(match by_one {
                Some(_) => "readall() should return bytes",
                None => "read() should return bytes",
            }));
        };
        vm.put(&mut out, bytes.bytes())?;
        if by_one.is_some() || bytes.bytes().is_empty() {
            return Ok(Some(out));
        }
    }
}

/// What is there without waiting twice: bytes read ahead, or one read.
pub fn read_one(vm: &Vm, b: BufferedRef, n: usize) -> R<Vec<u8>> {
    let mut out = Vec::new();
    if n == 0 || b.buffer.take(n, &mut out) > 0 {
        return Ok(out);
    }
    let _busy = enter(vm, &b)?;
    forget_read(&b.buffer);
    before_read(vm, b)?;
    read_raw(vm, b, n, &mut out)?;
    Ok(out)
}

/// What was read ahead, and one read more if there is room for it.
pub fn read_into_once(vm: &Vm, b: BufferedRef, n: usize) -> R<Option<Vec<u8>>> {
    let mut out = Vec::new();
    b.buffer.take(n, &mut out);
    if out.len() == n {
        return Ok(Some(out));
    }
    let _busy = enter(vm, &b)?;
    forget_read(&b.buffer);
    before_read(vm, b)?;
    let left = n - out.len();
    let got = if left > b.buffer.size.get() {
        read_raw(vm, b, left, &mut out)?
    } else if !out.is_empty() {
        // The buffer would have to be filled for it.
        None
    } else {
        let got = fill(vm, b)?;
        b.buffer.take(left, &mut out);
        got
    };
    Ok(if got.is_none() && out.is_empty() { None } else { Some(out) })
}

pub fn peek(vm: &Vm, b: BufferedRef) -> R<Value> {
    if b.buffer.ahead() == 0 {
        let _busy = enter(vm, &b)?;
        before_read(vm, b)?;
        fill(vm, b)?;
    }
    let read = b.buffer.read.borrow();
    vm.bytes(&read[b.buffer.at.get()..])
}

/// A line, at most `limit` bytes of it.
pub fn read_line(vm: &Vm, b: BufferedRef, limit: Option<usize>) -> R<Vec<u8>> {
    let mut out = Vec::new();
    let mut left = limit.unwrap_or(usize::MAX);
    let part = |left: usize, out: &mut Vec<u8>| -> bool {
        let end = {
            let read = b.buffer.read.borrow();
            let rest = &read[b.buffer.at.get()..];
            memchr::memchr(b'\n', &rest[..rest.len().min(left)]).map(|i| i + 1)
        };
        b.buffer.take(end.unwrap_or(left), out);
        end.is_some()
    };
    if part(left, &mut out) || out.len() == left {
        return Ok(out);
    }
    let _busy = enter(vm, &b)?;
    before_read(vm, b)?;
    loop {
        left = limit.unwrap_or(usize::MAX) - out.len();
        if left == 0 || fill(vm, b)?.unwrap_or(0) == 0 {
            return Ok(out);
        }
        vm.check_room(out.len() + b.buffer.ahead())?;
        if part(left, &mut out) {
            return Ok(out);
        }
    }
}

/// Writes, through the buffer if it is not more than that holds. BlockingIOError tells how much was taken.
pub fn write(vm: &Vm, b: BufferedRef, bytes: &[u8]) -> R<usize> {
    let _busy = enter(vm, &b)?;
    if b.readable && !b.buffer.read.borrow().is_empty() {
        rewind(vm, b)?;
    }
    let size = b.buffer.size.get();
    let room = size.saturating_sub(b.buffer.write.borrow().len());
    if bytes.len() <= room {
        b.buffer.write.borrow_mut().extend_from_slice(bytes);
        return Ok(bytes.len());
    }
    let keep = |bytes: &[u8], before: usize| -> R<usize> {
        // As much as fits waits in the buffer.
        let mut write = b.buffer.write.borrow_mut();
        let n = bytes.len().min(size.saturating_sub(write.len()));
        write.extend_from_slice(&bytes[..n]);
        if n == bytes.len() {
            return Ok(before + n);
        }
        drop(write);
        Err(would_block(vm, "write could not complete without blocking", before + n))
    };
    if let Err(e) = flush_writes(vm, b) {
        return match vm.catch(vm.exc.blocking_io_error) {
            Some(_) => keep(bytes, 0),
            None => Err(e),
        };
    }
    let mut done = 0;
    while bytes.len() - done > size {
        match write_raw(vm, b, &bytes[done..])? {
            Some(n) => done += n,
            None => return keep(&bytes[done..], done),
        }
        vm.check_signals()?;
    }
    b.buffer.write.borrow_mut().extend_from_slice(&bytes[done..]);
    Ok(bytes.len())
}

pub fn tell(vm: &Vm, b: BufferedRef) -> R<i64> {
    let at = tell_raw(vm, b)?;
    let waiting = b.buffer.write.borrow().len() as i64;
    // A raw file that a program moved by itself may be before what was read ahead.
    Ok((at + waiting - b.buffer.ahead() as i64).max(0))
}

pub fn seek(vm: &Vm, b: BufferedRef, target: i64, whence: i32) -> R<i64> {
    let waiting = !b.buffer.write.borrow().is_empty();
    if matches!(whence, libc::SEEK_SET | libc::SEEK_CUR) && b.readable && !waiting {
        // Within what was read the raw file stays where it is.
        let raw_at = match b.buffer.position.get() {
            Some(at) => at,
            None => tell_raw(vm, b)?,
        };
        let (at, ahead) = (b.buffer.at.get() as i64, b.buffer.ahead() as i64);
        let here = raw_at - ahead;
        let offset = if whence == libc::SEEK_SET { target.saturating_sub(here) } else { target };
        if (-at..=ahead).contains(&offset) {
            b.buffer.at.set((at + offset) as usize);
            // Devices have no place that moves.
            return Ok((here + offset).max(0));
        }
    }
    let _busy = enter(vm, &b)?;
    flush_writes(vm, b)?;
    let ahead = if whence == libc::SEEK_CUR { b.buffer.ahead() as i64 } else { 0 };
    let n = seek_raw(vm, b, target.saturating_sub(ahead), whence)?;
    forget_read(&b.buffer);
    Ok(n)
}

pub fn truncate(vm: &Vm, b: BufferedRef, size: Value) -> R<Value> {
    let _busy = enter(vm, &b)?;
    flush_and_rewind(vm, b)?;
    let r = vm.call_method(raw(vm, &b)?, "truncate", &[size])?;
    b.buffer.position.set(None);
    Ok(r)
}

/// Forgets everything: after closing.
pub fn discard(b: BufferedRef) {
    forget_read(&b.buffer);
    b.buffer.write.borrow_mut().clear();
}
