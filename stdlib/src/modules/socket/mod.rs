//! `_socket`: what the packaged `socket` is built on.

mod address;
mod lookup;
mod messages;
mod names;

use super::support::{BytesLike, add_exception, write_bytes};
use address::{Address, parse};
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::module::Module;
use skein_runtime::types::module::{add_functions, make_module};
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};
use std::cell::Cell;
use std::io;
use std::time::{Duration, Instant};

struct Socket {
    fd: Cell<i32>,
    family: Cell<i32>,
    kind: Cell<i32>,
    protocol: Cell<i32>,
    /// Seconds; negative: none.
    timeout: Cell<f64>,
}

impl Payload for Socket {
    const NAME: &'static str = "_socket.socket";
    const NEEDS_DROP: bool = true;
    fn trace(&self, _: &mut Tracer<'_>) {}
    /// One that was closed has nothing to say.
    fn needs_finalizer(&self) -> bool {
        self.fd.get() >= 0
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.fd.get() >= 0 {
            // SAFETY: this object's descriptor.
            unsafe { libc::close(self.fd.get()) };
        }
    }
}

type This = ExtArg<Socket>;

native_type! {
    SOCKET: "_socket.socket", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_DEL,
        "socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, family=-1, type=-1, proto=-1, fileno=None)" => init;
        "bind($self, address, /)" => bind;
        "listen($self, backlog=128, /)" => listen;
        "_accept($self, /)" => accept;
        "connect($self, address, /)" => connect;
        "connect_ex($self, address, /)" => connect_ex;
        "recv($self, bufsize, flags=0, /)" => recv;
        "recv_into($self, buffer, nbytes=0, flags=0)" => recv_into;
        "recvfrom($self, bufsize, flags=0, /)" => recvfrom;
        "send($self, data, flags=0, /)" => send;
        "sendall($self, data, flags=0, /)" => sendall;
        "recvfrom_into($self, buffer, nbytes=0, flags=0)" => recvfrom_into;
        "recvmsg($self, bufsize, ancbufsize=0, flags=0, /)" => messages::recvmsg;
        "recvmsg_into($self, buffers, ancbufsize=0, flags=0, /)" => messages::recvmsg_into;
        "sendmsg($self, buffers, ancdata=(), flags=0, address=None, /)" => messages::sendmsg;
        "sendmsg_afalg($self, msg=(), /, *, op=<unrepresentable>, iv=None, assoclen=<unrepresentable>, flags=MSG_MORE)" => messages::sendmsg_afalg, "Set operation mode, IV and length of associated data for an AF_ALG\noperation socket.";
        "sendto($self, *args)" => sendto;
        "shutdown($self, how, /)" => shutdown;
        "close($self, /)" => close;
        "__del__($self, /)" => finalize;
        "detach($self, /)" => detach;
        "fileno($self, /)" => fileno;
        "setblocking($self, flag, /)" => setblocking;
        "getblocking($self, /)" => getblocking;
        "settimeout($self, value, /)" => settimeout;
        "gettimeout($self, /)" => gettimeout;
        "setsockopt($self, level, option, value, optlen=<unrepresentable>, /)" => setsockopt;
        "getsockopt($self, level, option, buflen=0, /)" => getsockopt;
        "getsockname($self, /)" => getsockname;
        "getpeername($self, /)" => getpeername;
    }
    getset {
        "family" => |vm: &Vm, v: Value| vm.int(this(vm, v)?.family.get().into());
        "type" => |vm: &Vm, v: Value| vm.int(this(vm, v)?.kind.get().into());
        "proto" => |vm: &Vm, v: Value| vm.int(this(vm, v)?.protocol.get().into());
        "timeout" => |vm: &Vm, v: Value| { let s = this(vm, v)?; timeout_value(vm, s.timeout.get()) };
    }
}

fn this(vm: &Vm, v: Value) -> R<Ref<Ext<Socket>>> {
    v.cast().ok_or_else(|| vm.type_error("not a socket"))
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(ty) = args.positional().first().and_then(|t| t.cast::<Type>()) else {
        return Err(vm.type_error("socket.__new__(X): X is not a type object"));
    };
    let s = Socket {
        fd: Cell::new(-1),
        family: Cell::new(0),
        kind: Cell::new(0),
        protocol: Cell::new(0),
        timeout: Cell::new(-1.0),
    };
    Ok(Ext::new(vm, ty, s)?.value())
}

/// The descriptor of a socket object, and its timeout in seconds: negative, none.
pub fn endpoint(v: Value) -> Option<(i32, f64)> {
    v.cast::<Ext<Socket>>().map(|s| (s.fd.get(), s.timeout.get()))
}

fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn option(fd: i32, name: i32) -> Option<i32> {
    let (mut v, mut n) = (0i32, 4);
    // SAFETY: an int out.
    let done = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, name, (&raw mut v).cast(), &mut n) };
    (done == 0).then_some(v)
}

fn init(
    vm: &Vm,
    this: This,
    family: Option<i32>,
    kind: Option<i32>,
    protocol: Option<i32>,
    fileno: Option<Value>,
) -> R<()> {
    let s = this.0;
    let given = |n: Option<i32>| n.filter(|n| *n != -1);
    vm.audit("socket.__new__", || {
        let number = |n: Option<i32>| Value::small_int(n.unwrap_or(-1).into());
        vm.tuple(&[s.value(), number(family), number(kind), number(protocol)])
    })?;
    let (mut family, mut kind, mut protocol) = (given(family), given(kind), given(protocol));
    let fd = match fileno.filter(|f| !f.is_none()) {
        Some(f) => {
            let fd = vm.index_i64(f)? as i32;
            if fd < 0 {
                return Err(vm.value_error("negative file descriptor"));
            }
            family = family.or(option(fd, libc::SO_DOMAIN));
            kind = kind.or(option(fd, libc::SO_TYPE));
            protocol = protocol.or(option(fd, libc::SO_PROTOCOL));
            if family.is_none() || kind.is_none() {
                return Err(vm.last_os_error(None));
            }
            fd
        }
        None => {
            let (f, k, p) =
                (family.unwrap_or(libc::AF_INET), kind.unwrap_or(libc::SOCK_STREAM), protocol.unwrap_or(0));
            // SAFETY: a plain call.
            let fd = unsafe { libc::socket(f, k | libc::SOCK_CLOEXEC, p) };
            if fd < 0 {
                return Err(vm.last_os_error(None));
            }
            (family, kind, protocol) = (Some(f), Some(k), Some(p));
            fd
        }
    };
    s.fd.set(fd);
    s.family.set(family.unwrap_or(0));
    s.kind.set(kind.unwrap_or(0) & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC));
    s.protocol.set(protocol.unwrap_or(0));
    if kind.unwrap_or(0) & libc::SOCK_NONBLOCK != 0 {
        s.timeout.set(0.0);
    }
    match vm.state::<DefaultTimeout>().0.get() {
        Some(t) if s.timeout.get() < 0.0 => set_timeout(vm, &s, t),
        _ => Ok(()),
    }
}

#[derive(Default)]
struct DefaultTimeout(Cell<Option<f64>>);

/// A call on a socket, which touches nothing of the isolate: waits if it would block and a timeout is set, and again after signals.
fn call(vm: &Vm, s: &Socket, events: i16, mut what: impl FnMut(i32) -> isize) -> R<usize> {
    let t = s.timeout.get();
    let end = (t > 0.0).then(|| Instant::now() + Duration::from_secs_f64(t.min(1e9)));
    loop {
        if end.is_some() {
            wait(vm, s, events, end)?;
        }
        let fd = s.fd.get();
        match vm.without_gil(|| what(fd)) {
            n if n >= 0 => return Ok(n as usize),
            _ => match errno() {
                libc::EINTR => vm.check_signals()?,
                libc::EAGAIN if end.is_some() => {}
                e => return Err(vm.os_error(e, None)),
            },
        }
    }
}

/// Until the socket is ready. TimeoutError.
fn wait(vm: &Vm, s: &Socket, events: i16, end: Option<Instant>) -> R<()> {
    loop {
        let left = end.map_or(-1, |e| {
            e.saturating_duration_since(Instant::now()).as_nanos().div_ceil(1_000_000).min(i32::MAX as u128)
                as i32
        });
        let mut fd = libc::pollfd { fd: s.fd.get(), events, revents: 0 };
        // SAFETY: one entry.
        match vm.without_gil(|| unsafe { libc::poll(&mut fd, 1, left) }) {
            0 => return Err(vm.raise_text(vm.exc.timeout_error, "timed out")),
            1 => return Ok(()),
            _ if errno() == libc::EINTR => vm.check_signals()?,
            _ => return Err(vm.last_os_error(None)),
        }
    }
}

fn bind(vm: &Vm, this: This, a: Value) -> R<()> {
    let told = a;
    let a = parse(vm, &this.0, a, "bind")?;
    vm.audit("socket.bind", || vm.tuple(&[this.0.value(), told]))?;
    // SAFETY: an address of that length.
    if unsafe { libc::bind(this.0.fd.get(), a.ptr(), a.len) } != 0 {
        return Err(vm.last_os_error(None));
    }
    Ok(())
}

fn listen(vm: &Vm, this: This, backlog: Option<i32>) -> R<()> {
    // SAFETY: a plain call.
    if unsafe { libc::listen(this.0.fd.get(), backlog.unwrap_or(128).max(0)) } != 0 {
        return Err(vm.last_os_error(None));
    }
    Ok(())
}

fn accept(vm: &Vm, this: This) -> R<Value> {
    let mut a = Address::empty();
    let fd = call(vm, &this.0, libc::POLLIN, |fd| {
        a.len = size_of::<libc::sockaddr_storage>() as _;
        // SAFETY: an address out.
        unsafe { libc::accept4(fd, a.mut_ptr(), &mut a.len, libc::SOCK_CLOEXEC) as isize }
    })?;
    vm.tuple(&[Value::small_int(fd as i64), a.to_python(vm)?])
}

/// The error number of a connection attempt, 0 if there is one now.
fn try_connect(vm: &Vm, s: &Socket, a: &Address) -> R<i32> {
    // SAFETY: an address of that length.
    let fd = s.fd.get();
    if vm.without_gil(|| unsafe { libc::connect(fd, a.ptr(), a.len) }) == 0 {
        return Ok(0);
    }
    match errno() {
        libc::EINTR => vm.check_signals()?,
        libc::EINPROGRESS if s.timeout.get() > 0.0 => {}
        e => return Ok(e),
    }
    let t = s.timeout.get();
    let end = (t > 0.0).then(|| Instant::now() + Duration::from_secs_f64(t.min(1e9)));
    wait(vm, s, libc::POLLOUT, end)?;
    Ok(option(s.fd.get(), libc::SO_ERROR).unwrap_or(0))
}

fn connect(vm: &Vm, this: This, a: Value) -> R<()> {
    let told = a;
    let a = parse(vm, &this.0, a, "connect")?;
    vm.audit("socket.connect", || vm.tuple(&[this.0.value(), told]))?;
    match try_connect(vm, &this.0, &a)? {
        0 => Ok(()),
        e => Err(vm.os_error(e, None)),
    }
}

fn connect_ex(vm: &Vm, this: This, a: Value) -> R<i64> {
    let told = a;
    let a = parse(vm, &this.0, a, "connect_ex")?;
    vm.audit("socket.connect", || vm.tuple(&[this.0.value(), told]))?;
    try_connect(vm, &this.0, &a).map(i64::from)
}

/// A buffer whose size the program chose. ValueError, MemoryError.
fn buffer(vm: &Vm, n: i64, method: &str) -> R<Vec<u8>> {
    let Ok(n) = usize::try_from(n) else {
        return Err(vm.value_error(format!("negative buffersize in {method}")));
    };
    vm.check_room(n)?;
    let mut out = Vec::new();
    out.try_reserve_exact(n).map_err(|_| vm.memory_error())?;
    out.resize(n, 0);
    Ok(out)
}

fn receive(vm: &Vm, s: &Socket, out: &mut [u8], flags: Option<i32>) -> R<usize> {
    call(vm, s, libc::POLLIN, |fd| {
        // SAFETY: the buffer is as long as said.
        unsafe { libc::recv(fd, out.as_mut_ptr().cast(), out.len(), flags.unwrap_or(0)) }
    })
}

fn receive_from(vm: &Vm, s: &Socket, out: &mut [u8], flags: Option<i32>) -> R<(usize, Value)> {
    let mut a = Address::empty();
    let room = a.len;
    let n = call(vm, s, libc::POLLIN, |fd| {
        a.len = room;
        // SAFETY: a buffer and an address out.
        unsafe {
            let (p, len) = (out.as_mut_ptr().cast(), out.len());
            libc::recvfrom(fd, p, len, flags.unwrap_or(0), a.mut_ptr(), &mut a.len)
        }
    })?;
    Ok((n, a.to_python(vm)?))
}

fn recv(vm: &Vm, this: This, n: i64, flags: Option<i32>) -> R<Value> {
    let mut out = buffer(vm, n, "recv")?;
    let n = receive(vm, &this.0, &mut out, flags)?;
    vm.bytes(&out[..n])
}

fn recvfrom(vm: &Vm, this: This, n: i64, flags: Option<i32>) -> R<Value> {
    let mut out = buffer(vm, n, "recvfrom")?;
    let (n, address) = receive_from(vm, &this.0, &mut out, flags)?;
    vm.tuple(&[vm.bytes(&out[..n])?, address])
}

/// Room for what goes into a program's buffer. While the call waits, the program's other microthreads
/// may change theirs, so the bytes are received here first.
fn room_for(vm: &Vm, into: Value, n: Option<i64>, method: &str) -> R<Vec<u8>> {
    let n = n.unwrap_or(0);
    if n < 0 {
        return Err(vm.value_error(format!("negative buffersize in {method}")));
    }
    let mut size = 0;
    let known = write_bytes(vm, into, |b| {
        size = b.len();
        Ok(())
    });
    if vm.absorb(known, vm.exc.type_error)?.is_none() {
        let got = vm.type_name(into);
        let text = format!("{method}() argument 1 must be read-write bytes-like object, not {got}");
        return Err(vm.type_error(text));
    }
    match n as usize {
        0 => buffer(vm, size as i64, method),
        n if n > size && method == "recv_into" => Err(vm.value_error("buffer too small for requested bytes")),
        n if n > size => Err(vm.value_error("nbytes is greater than the length of the buffer")),
        n => buffer(vm, n as i64, method),
    }
}

fn put(vm: &Vm, into: Value, bytes: &[u8]) -> R<()> {
    write_bytes(vm, into, |b| {
        let n = bytes.len().min(b.len());
        b[..n].copy_from_slice(&bytes[..n]);
        Ok(())
    })
}

fn recv_into(vm: &Vm, this: This, into: Value, n: Option<i64>, flags: Option<i32>) -> R<usize> {
    let mut out = room_for(vm, into, n, "recv_into")?;
    let n = receive(vm, &this.0, &mut out, flags)?;
    put(vm, into, &out[..n])?;
    Ok(n)
}

fn recvfrom_into(vm: &Vm, this: This, into: Value, n: Option<i64>, flags: Option<i32>) -> R<Value> {
    let mut out = room_for(vm, into, n, "recvfrom_into")?;
    let (n, address) = receive_from(vm, &this.0, &mut out, flags)?;
    put(vm, into, &out[..n])?;
    vm.tuple(&[vm.int(n as i64)?, address])
}

fn send_bytes(vm: &Vm, s: &Socket, bytes: &[u8], flags: i32) -> R<usize> {
    call(vm, s, libc::POLLOUT, |fd| {
        // SAFETY: the slice is readable.
        unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), flags | libc::MSG_NOSIGNAL) }
    })
}

fn send(vm: &Vm, this: This, data: BytesLike, flags: Option<i32>) -> R<usize> {
    send_bytes(vm, &this.0, &data, flags.unwrap_or(0))
}

fn sendall(vm: &Vm, this: This, data: BytesLike, flags: Option<i32>) -> R<()> {
    let mut at = 0;
    while at < data.len() {
        at += send_bytes(vm, &this.0, &data[at..], flags.unwrap_or(0))?;
        vm.check_signals()?;
    }
    Ok(())
}

fn sendto(vm: &Vm, args: Args<'_>) -> R<usize> {
    let all = args.positional();
    let Some(this) = all.first().and_then(|v| v.cast::<Ext<Socket>>()) else {
        return Err(vm.type_error("descriptor 'sendto' for '_socket.socket' objects needs an argument"));
    };
    let (data, flags, a) = match all[1..] {
        [data, a] => (data, 0, a),
        [data, flags, a] => (data, vm.index_i64(flags)? as i32, a),
        ref other => {
            let n = other.len();
            return Err(vm.type_error(format!("sendto() takes 2 or 3 arguments ({n} given)")));
        }
    };
    let bytes = BytesLike::new(vm, data)?;
    let told = a;
    let a = parse(vm, &this, a, "sendto")?;
    vm.audit("socket.sendto", || vm.tuple(&[this.value(), told]))?;
    call(vm, &this, libc::POLLOUT, |fd| {
        // SAFETY: a slice and an address in.
        unsafe {
            libc::sendto(fd, bytes.as_ptr().cast(), bytes.len(), flags | libc::MSG_NOSIGNAL, a.ptr(), a.len)
        }
    })
}

fn shutdown(vm: &Vm, this: This, how: i32) -> R<()> {
    // SAFETY: a plain call.
    if unsafe { libc::shutdown(this.0.fd.get(), how) } != 0 {
        return Err(vm.last_os_error(None));
    }
    Ok(())
}

fn close(vm: &Vm, this: This) -> R<()> {
    let fd = this.0.fd.replace(-1);
    // SAFETY: this object's descriptor. The other side may have gone: that is no error of closing.
    if fd >= 0 && unsafe { libc::close(fd) } != 0 && errno() != libc::ECONNRESET {
        return Err(vm.last_os_error(None));
    }
    Ok(())
}

/// Nothing leads to a socket that is open: the program is told, and it is closed.
fn finalize(vm: &Vm, this: This) {
    if this.0.fd.get() < 0 {
        return;
    }
    let pending = vm.pending.take();
    let shown = vm.repr_string(this.0.value());
    let told = shown.and_then(|text| vm.warn(vm.exc.resource_warning, &format!("unclosed {text}")));
    if told.is_err() {
        vm.unraisable(None, this.0.value());
    }
    vm.pending.set(pending);
    let fd = this.0.fd.replace(-1);
    if fd >= 0 {
        // SAFETY: this object's descriptor.
        unsafe { libc::close(fd) };
    }
}

fn detach(_: &Vm, this: This) -> i64 {
    this.0.fd.replace(-1).into()
}

fn fileno(_: &Vm, this: This) -> i64 {
    this.0.fd.get().into()
}

fn set_timeout(vm: &Vm, s: &Socket, t: f64) -> R<()> {
    let nonblocking = i32::from(t >= 0.0);
    // SAFETY: an int in.
    if unsafe { libc::ioctl(s.fd.get(), libc::FIONBIO, &nonblocking) } != 0 {
        return Err(vm.last_os_error(None));
    }
    s.timeout.set(t);
    Ok(())
}

fn setblocking(vm: &Vm, this: This, on: bool) -> R<()> {
    set_timeout(vm, &this.0, if on { -1.0 } else { 0.0 })
}

fn getblocking(_: &Vm, this: This) -> bool {
    this.0.timeout.get() != 0.0
}

fn timeout_arg(vm: &Vm, v: Value) -> R<f64> {
    if v.is_none() {
        return Ok(-1.0);
    }
    let t = if vm.is_int(v) { vm.index_i64(v)? as f64 } else { vm.to_f64(v)? };
    if t < 0.0 || t.is_nan() {
        return Err(vm.value_error("Timeout value out of range"));
    }
    Ok(t)
}

fn timeout_value(vm: &Vm, t: f64) -> R<Value> {
    if t < 0.0 { Ok(Value::NONE) } else { vm.float(t) }
}

fn settimeout(vm: &Vm, this: This, v: Value) -> R<()> {
    let t = timeout_arg(vm, v)?;
    set_timeout(vm, &this.0, t)
}

fn gettimeout(vm: &Vm, this: This) -> R<Value> {
    timeout_value(vm, this.0.timeout.get())
}

fn setsockopt(vm: &Vm, this: This, level: i32, name: i32, v: Value, length: Option<u32>) -> R<()> {
    let set = |p: *const libc::c_void, n: libc::socklen_t| {
        // SAFETY: so many bytes in, or none at null.
        match unsafe { libc::setsockopt(this.0.fd.get(), level, name, p, n) } {
            0 => Ok(()),
            _ => Err(vm.last_os_error(None)),
        }
    };
    if let Some(n) = length {
        if !v.is_none() {
            return Err(vm.type_error("setsockopt() argument 3 must be None where a length is given"));
        }
        return set(std::ptr::null(), n);
    }
    if vm.is_int(v) || v.is_bool() {
        let n = vm
            .as_i64(vm.index(v)?)
            .and_then(|n| i32::try_from(n).ok().or(u32::try_from(n).ok().map(|n| n as i32)));
        let n = n.ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))?;
        return set((&raw const n).cast(), 4);
    }
    let bytes = BytesLike::new(vm, v)?;
    set(bytes.as_ptr().cast(), bytes.len() as _)
}

fn getsockopt(vm: &Vm, this: This, level: i32, name: i32, n: Option<i64>) -> R<Value> {
    let want = n.unwrap_or(0);
    if !(0..=1024).contains(&want) {
        return Err(vm.raise_text(vm.exc.os_error, "getsockopt buflen out of range"));
    }
    let mut out = vm.filled(0u8, if want == 0 { 4 } else { want as usize })?;
    let mut len = out.len() as libc::socklen_t;
    // SAFETY: a buffer of that length out.
    if unsafe { libc::getsockopt(this.0.fd.get(), level, name, out.as_mut_ptr().cast(), &mut len) } != 0 {
        return Err(vm.last_os_error(None));
    }
    match <[u8; 4]>::try_from(&out[..]) {
        Ok(b) if want == 0 => vm.int(i32::from_ne_bytes(b).into()),
        _ => vm.bytes(&out[..len as usize]),
    }
}

fn getsockname(vm: &Vm, this: This) -> R<Value> {
    let mut a = Address::empty();
    // SAFETY: an address out.
    if unsafe { libc::getsockname(this.0.fd.get(), a.mut_ptr(), &mut a.len) } != 0 {
        return Err(vm.last_os_error(None));
    }
    a.to_python(vm)
}

fn getpeername(vm: &Vm, this: This) -> R<Value> {
    let mut a = Address::empty();
    // SAFETY: an address out.
    if unsafe { libc::getpeername(this.0.fd.get(), a.mut_ptr(), &mut a.len) } != 0 {
        return Err(vm.last_os_error(None));
    }
    a.to_python(vm)
}

fn socketpair(vm: &Vm, family: Option<i32>, kind: Option<i32>, protocol: Option<i32>) -> R<Value> {
    let (family, kind, protocol) =
        (family.unwrap_or(libc::AF_UNIX), kind.unwrap_or(libc::SOCK_STREAM), protocol.unwrap_or(0));
    let mut fds = [0i32; 2];
    // SAFETY: two descriptors out.
    if unsafe { libc::socketpair(family, kind | libc::SOCK_CLOEXEC, protocol, fds.as_mut_ptr()) } != 0 {
        return Err(vm.last_os_error(None));
    }
    let m = skein_builtins::modules::import(vm, "_socket")?;
    let ty = vm.get_attr_str(m, "socket")?;
    let int = |n: i32| Value::small_int(n.into());
    let a = vm.call(ty, &[int(family), int(kind), int(protocol), int(fds[0])])?;
    let b = vm.call(ty, &[int(family), int(kind), int(protocol), int(fds[1])])?;
    vm.tuple(&[a, b])
}

native_functions! { FUNCTIONS:
    "socketpair(family=1, type=1, proto=0, /)" => socketpair, "Create a pair of socket objects.";
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_socket", FUNCTIONS)?;
    add_functions(vm, m, lookup::FUNCTIONS)?;
    let d = m.dict();
    let ty = vm.make_native_type(&SOCKET)?;
    d.set_name(vm, "socket", ty.value())?;
    d.set_name(vm, "SocketType", ty.value())?;
    d.set_name(vm, "error", vm.exc.os_error.value())?;
    d.set_name(vm, "timeout", vm.exc.timeout_error.value())?;
    d.set_name(vm, "has_ipv6", Value::TRUE)?;
    for (name, text) in [("BDADDR_ANY", "00:00:00:00:00:00"), ("BDADDR_LOCAL", "00:00:00:FF:FF:FF")] {
        d.set_name(vm, name, vm.str(text)?)?;
    }
    for &(name, n) in names::NAMED.iter().chain(names::OTHERS) {
        d.set_name(vm, name, vm.int(n)?)?;
    }
    add_exception(vm, m, "socket.gaierror", vm.exc.os_error)?;
    add_exception(vm, m, "socket.herror", vm.exc.os_error)?;
    Ok(m)
}
