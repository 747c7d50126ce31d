//! What lies under a connection: a socket, or two `MemoryBIO`s; and waiting for the peer.

use super::super::socket::endpoint;
use super::bio::Bio;
use super::errors::raise_plain;
use skein_runtime::object::Ref;
use skein_runtime::types::ext::Ext;
use skein_runtime::{R, Value, Vm};
use std::io;
use std::time::{Duration, Instant};

pub enum Transport {
    Socket(Value),
    Memory { incoming: Ref<Ext<Bio>>, outgoing: Ref<Ext<Bio>> },
}

/// How long a call may take.
#[derive(Clone, Copy)]
pub enum Until {
    /// It does not wait.
    Now,
    Time(Instant),
    Forever,
}

/// What came of an attempt.
pub enum Attempt<T> {
    Done(T),
    /// It would have to wait.
    Blocks,
    /// The peer will send nothing any more.
    End,
}

/// What a call does, for the messages of those that take too long.
#[derive(Clone, Copy)]
pub enum Operation {
    Handshake,
    Read,
    Write,
    Shutdown,
}

fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

impl Transport {
    /// Until when a call that begins now may wait.
    pub fn until(&self) -> Until {
        match self {
            Transport::Memory { .. } => Until::Now,
            Transport::Socket(socket) => match endpoint(*socket) {
                Some((_, t)) if t > 0.0 => Until::Time(Instant::now() + Duration::from_secs_f64(t.min(1e9))),
                Some((_, 0.0)) => Until::Now,
                _ => Until::Forever,
            },
        }
    }

    fn fd(vm: &Vm, socket: Value) -> R<i32> {
        match endpoint(socket) {
            Some((fd, _)) if fd >= 0 => Ok(fd),
            _ => Err(raise_plain(vm, "Underlying socket has been closed.")),
        }
    }

    /// Takes up to `n` bytes of the peer's. OSError, TimeoutError.
    pub fn receive(&self, vm: &Vm, n: usize, until: Until, operation: Operation) -> R<Attempt<Vec<u8>>> {
        let socket = match self {
            Transport::Memory { incoming, .. } => {
                return Ok(match incoming.take(vm, n)? {
                    bytes if !bytes.is_empty() => Attempt::Done(bytes),
                    _ if incoming.is_at_end() => Attempt::End,
                    _ => Attempt::Blocks,
                });
            }
            Transport::Socket(socket) => *socket,
        };
        let mut out = vm.filled(0u8, n)?;
        loop {
            let fd = Self::fd(vm, socket)?;
            // SAFETY: the buffer is as long as said.
            match vm.without_gil(|| unsafe { libc::recv(fd, out.as_mut_ptr().cast(), n, 0) }) {
                0 => return Ok(Attempt::End),
                got @ 1.. => {
                    out.truncate(got as usize);
                    return Ok(Attempt::Done(out));
                }
                _ => {}
            }
            if self.must_wait(vm, fd, libc::POLLIN, until, operation)? {
                return Ok(Attempt::Blocks);
            }
        }
    }

    /// Hands over bytes for the peer: how many were taken. OSError, TimeoutError.
    pub fn send(&self, vm: &Vm, bytes: &[u8], until: Until, operation: Operation) -> R<Attempt<usize>> {
        let socket = match self {
            Transport::Memory { outgoing, .. } => {
                outgoing.put(vm, bytes)?;
                return Ok(Attempt::Done(bytes.len()));
            }
            Transport::Socket(socket) => *socket,
        };
        loop {
            let fd = Self::fd(vm, socket)?;
            // SAFETY: so many bytes in, which are this call's own.
            let sent = vm.without_gil(|| unsafe {
                libc::send(fd, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL)
            });
            if sent >= 0 {
                return Ok(Attempt::Done(sent as usize));
            }
            if self.must_wait(vm, fd, libc::POLLOUT, until, operation)? {
                return Ok(Attempt::Blocks);
            }
        }
    }

    /// After a call that failed: waits until another one is worth while. True: it may not wait.
    fn must_wait(&self, vm: &Vm, fd: i32, events: i16, until: Until, operation: Operation) -> R<bool> {
        match errno() {
            libc::EINTR => {
                vm.check_signals()?;
                return Ok(false);
            }
            libc::EAGAIN => {}
            e => return Err(vm.os_error(e, None)),
        }
        loop {
            let left = match until {
                Until::Now => return Ok(true),
                // The descriptor does not block although the object says so: the program has changed it.
                Until::Forever => -1,
                Until::Time(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    left.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32
                }
            };
            let mut entry = libc::pollfd { fd, events, revents: 0 };
            // SAFETY: one entry.
            match vm.without_gil(|| unsafe { libc::poll(&mut entry, 1, left) }) {
                0 => {
                    let what = match operation {
                        Operation::Handshake => "handshake",
                        Operation::Read | Operation::Shutdown => "read",
                        Operation::Write => "write",
                    };
                    let text = format!("The {what} operation timed out");
                    return Err(vm.raise_text(vm.exc.timeout_error, &text));
                }
                1.. => return Ok(false),
                _ if errno() == libc::EINTR => vm.check_signals()?,
                _ => return Err(vm.last_os_error(None)),
            }
        }
    }
}
