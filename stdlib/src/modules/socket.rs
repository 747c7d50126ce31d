//! `_socket`: what the packaged `socket` is built on.

use super::io::bytes_of;
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};
use std::cell::Cell;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
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
    SOCKET: "_socket.socket", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_WEAKREF,
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
        "sendto($self, data, flags, address=None, /)" => sendto;
        "shutdown($self, how, /)" => shutdown;
        "close($self, /)" => close;
        "detach($self, /)" => detach;
        "fileno($self, /)" => fileno;
        "setblocking($self, flag, /)" => setblocking;
        "getblocking($self, /)" => getblocking;
        "settimeout($self, value, /)" => settimeout;
        "gettimeout($self, /)" => gettimeout;
        "setsockopt($self, level, option, value, /)" => setsockopt;
        "getsockopt($self, level, option, buflen=0, /)" => getsockopt;
        "getsockname($self, /)" => getsockname;
        "getpeername($self, /)" => getpeername;
    }
    getset {
        "family" => |vm, v| vm.int(this(vm, v)?.family.get().into());
        "type" => |vm, v| vm.int(this(vm, v)?.kind.get().into());
        "proto" => |vm, v| vm.int(this(vm, v)?.protocol.get().into());
        "timeout" => |vm, v| { let s = this(vm, v)?; timeout_value(vm, s.timeout.get()) };
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

/// A call on a socket: waits if it would block and a timeout is set, and again after signals.
fn call(vm: &Vm, s: &Socket, events: i16, mut what: impl FnMut(i32) -> isize) -> R<usize> {
    let t = s.timeout.get();
    let end = (t > 0.0).then(|| Instant::now() + Duration::from_secs_f64(t.min(1e9)));
    loop {
        if end.is_some() {
            wait(vm, s, events, end)?;
        }
        match what(s.fd.get()) {
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
        match unsafe { libc::poll(&mut fd, 1, left) } {
            0 => return Err(vm.raise_text(vm.exc.timeout_error, "timed out")),
            1 => return Ok(()),
            _ if errno() == libc::EINTR => vm.check_signals()?,
            _ => return Err(vm.last_os_error(None)),
        }
    }
}

/// An address as the system has it.
struct Address {
    storage: libc::sockaddr_storage,
    len: libc::socklen_t,
}

impl Address {
    fn empty() -> Address {
        // SAFETY: plain data.
        Address { storage: unsafe { std::mem::zeroed() }, len: size_of::<libc::sockaddr_storage>() as _ }
    }

    fn ptr(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }

    fn mut_ptr(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.storage).cast()
    }

    /// As Python has it.
    fn to_python(&self, vm: &Vm) -> R<Value> {
        // SAFETY (all): the family tells the struct.
        match i32::from(self.storage.ss_family) {
            libc::AF_INET => {
                let a = unsafe { &*self.ptr().cast::<libc::sockaddr_in>() };
                let ip = Ipv4Addr::from(u32::from_be(a.sin_addr.s_addr));
                vm.tuple(&[vm.str(&ip.to_string())?, Value::small_int(u16::from_be(a.sin_port).into())])
            }
            libc::AF_INET6 => {
                let a = unsafe { &*self.ptr().cast::<libc::sockaddr_in6>() };
                let ip = Ipv6Addr::from(a.sin6_addr.s6_addr);
                vm.tuple(&[
                    vm.str(&ip.to_string())?,
                    Value::small_int(u16::from_be(a.sin6_port).into()),
                    Value::small_int(u32::from_be(a.sin6_flowinfo).into()),
                    Value::small_int(a.sin6_scope_id.into()),
                ])
            }
            libc::AF_UNIX => {
                let a = unsafe { &*self.ptr().cast::<libc::sockaddr_un>() };
                let n = (self.len as usize).saturating_sub(2).min(a.sun_path.len());
                let bytes: Vec<u8> = a.sun_path[..n].iter().map(|&c| c as u8).collect();
                if bytes.first() == Some(&0) && n > 0 {
                    return vm.bytes(&bytes);
                }
                let end = bytes.iter().position(|&b| b == 0).unwrap_or(n);
                vm.str(&String::from_utf8_lossy(&bytes[..end]))
            }
            _ => Ok(Value::NONE),
        }
    }
}

/// An IPv4 host's address: a number, a name, or empty for any.
fn resolve_v4(vm: &Vm, host: &str) -> R<Ipv4Addr> {
    if host.is_empty() {
        return Ok(Ipv4Addr::UNSPECIFIED);
    }
    if host == "<broadcast>" {
        return Ok(Ipv4Addr::BROADCAST);
    }
    if let Ok(ip) = host.parse() {
        return Ok(ip);
    }
    use std::net::ToSocketAddrs;
    let found = (host, 0).to_socket_addrs().ok().into_iter().flatten().find_map(|a| match a.ip() {
        std::net::IpAddr::V4(ip) => Some(ip),
        std::net::IpAddr::V6(_) => None,
    });
    match found {
        Some(ip) => Ok(ip),
        None => Err(name_error(vm)),
    }
}

fn name_error(vm: &Vm) -> skein_runtime::Raised {
    let raise = || -> R<skein_runtime::Raised> {
        let m = skein_builtins::modules::import(vm, "_socket")?;
        let ty = vm.get_attr_str(m, "gaierror")?;
        let e =
            vm.call(ty, &[Value::small_int(libc::EAI_NONAME.into()), vm.str("Name or service not known")?])?;
        Ok(vm.raise(e))
    };
    raise().unwrap_or_else(|e| e)
}

fn address(vm: &Vm, s: &Socket, v: Value, method: &str) -> R<Address> {
    let mut out = Address::empty();
    let family = s.family.get();
    if family == libc::AF_UNIX {
        let path = super::io::path_bytes(vm, v)?.into_bytes();
        // SAFETY: the storage is large enough for all families.
        let a = unsafe { &mut *out.mut_ptr().cast::<libc::sockaddr_un>() };
        if path.len() >= a.sun_path.len() {
            return Err(vm.raise_text(vm.exc.os_error, "AF_UNIX path too long"));
        }
        a.sun_family = libc::AF_UNIX as _;
        for (slot, b) in a.sun_path.iter_mut().zip(&path) {
            *slot = *b as _;
        }
        out.len = (2 + path.len() + 1) as _;
        return Ok(out);
    }
    let wrong = |what: &str| {
        vm.type_error(format!("{method}(): {what} address must be tuple, not {}", vm.type_name(v)))
    };
    let label = if family == libc::AF_INET6 { "AF_INET6" } else { "AF_INET" };
    let Some(t) = v.cast::<Tuple>() else { return Err(wrong(label)) };
    let (host, port) = match t.items() {
        [host, port, ..] if t.len() == 2 || family == libc::AF_INET6 => (*host, *port),
        _ => return Err(vm.type_error(format!("{label} address must be a pair (host, port)"))),
    };
    let host = match (host.cast::<Str>(), host.cast::<Bytes>()) {
        (Some(h), _) => h.to_string_lossy().into_owned(),
        (_, Some(b)) => String::from_utf8_lossy(b.bytes()).into_owned(),
        _ => {
            return Err(
                vm.type_error(format!("str, bytes or bytearray expected, not {}", vm.type_name(host)))
            );
        }
    };
    let Ok(port) = u16::try_from(vm.index_i64(port)?) else {
        return Err(vm.overflow_error(format!("{method}(): port must be 0-65535.")));
    };
    match family {
        libc::AF_INET => {
            // SAFETY: as above.
            let a = unsafe { &mut *out.mut_ptr().cast::<libc::sockaddr_in>() };
            a.sin_family = libc::AF_INET as _;
            a.sin_port = port.to_be();
            a.sin_addr.s_addr = u32::from(resolve_v4(vm, &host)?).to_be();
            out.len = size_of::<libc::sockaddr_in>() as _;
        }
        libc::AF_INET6 => {
            let ip: Ipv6Addr = match host.as_str() {
                "" => Ipv6Addr::UNSPECIFIED,
                "localhost" => Ipv6Addr::LOCALHOST,
                h => h.parse().map_err(|_| name_error(vm))?,
            };
            // SAFETY: as above.
            let a = unsafe { &mut *out.mut_ptr().cast::<libc::sockaddr_in6>() };
            a.sin6_family = libc::AF_INET6 as _;
            a.sin6_port = port.to_be();
            a.sin6_addr.s6_addr = ip.octets();
            out.len = size_of::<libc::sockaddr_in6>() as _;
        }
        _ => return Err(vm.raise_text(vm.exc.os_error, &format!("{method}(): bad family"))),
    }
    Ok(out)
}

fn bind(vm: &Vm, this: This, a: Value) -> R<()> {
    let a = address(vm, &this.0, a, "bind")?;
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
    if unsafe { libc::connect(s.fd.get(), a.ptr(), a.len) } == 0 {
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
    let a = address(vm, &this.0, a, "connect")?;
    match try_connect(vm, &this.0, &a)? {
        0 => Ok(()),
        e => Err(vm.os_error(e, None)),
    }
}

fn connect_ex(vm: &Vm, this: This, a: Value) -> R<i64> {
    let a = address(vm, &this.0, a, "connect_ex")?;
    try_connect(vm, &this.0, &a).map(i64::from)
}

fn buffer(vm: &Vm, n: i64, method: &str) -> R<Vec<u8>> {
    match usize::try_from(n) {
        Ok(n) => Ok(vec![0; n]),
        Err(_) => Err(vm.value_error(format!("negative buffersize in {method}"))),
    }
}

fn recv(vm: &Vm, this: This, n: i64, flags: Option<i32>) -> R<Value> {
    let mut out = buffer(vm, n, "recv")?;
    let n = call(vm, &this.0, libc::POLLIN, |fd| {
        // SAFETY: the buffer is as long as said.
        unsafe { libc::recv(fd, out.as_mut_ptr().cast(), out.len(), flags.unwrap_or(0)) }
    })?;
    vm.bytes(&out[..n])
}

fn recv_into(vm: &Vm, this: This, into: Value, n: Option<i64>, flags: Option<i32>) -> R<usize> {
    let Some(b) = into.cast::<ByteArray>() else {
        return Err(vm.unsupported("recv_into with other buffers than bytearray"));
    };
    let want = match n.unwrap_or(0) {
        0 => b.bytes().len(),
        n => (n.max(0) as usize).min(b.bytes().len()),
    };
    let mut out = vec![0; want];
    let n = call(vm, &this.0, libc::POLLIN, |fd| {
        // SAFETY: the buffer is as long as said.
        unsafe { libc::recv(fd, out.as_mut_ptr().cast(), out.len(), flags.unwrap_or(0)) }
    })?;
    if let Some(p) = b.as_mut_ptr().filter(|_| n <= b.bytes().len()) {
        // SAFETY: checked just now.
        unsafe { std::ptr::copy_nonoverlapping(out.as_ptr(), p, n) };
    }
    Ok(n)
}

fn recvfrom(vm: &Vm, this: This, n: i64, flags: Option<i32>) -> R<Value> {
    let mut out = buffer(vm, n, "recvfrom")?;
    let mut a = Address::empty();
    let n = call(vm, &this.0, libc::POLLIN, |fd| {
        a.len = size_of::<libc::sockaddr_storage>() as _;
        // SAFETY: a buffer and an address out.
        unsafe {
            libc::recvfrom(
                fd,
                out.as_mut_ptr().cast(),
                out.len(),
                flags.unwrap_or(0),
                a.mut_ptr(),
                &mut a.len,
            )
        }
    })?;
    vm.tuple(&[vm.bytes(&out[..n])?, a.to_python(vm)?])
}

fn send_bytes(vm: &Vm, s: &Socket, bytes: &[u8], flags: i32) -> R<usize> {
    call(vm, s, libc::POLLOUT, |fd| {
        // SAFETY: the slice is readable.
        unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), flags | libc::MSG_NOSIGNAL) }
    })
}

fn send(vm: &Vm, this: This, data: Value, flags: Option<i32>) -> R<usize> {
    if let Some(b) = data.cast::<Bytes>() {
        return send_bytes(vm, &this.0, b.bytes(), flags.unwrap_or(0));
    }
    send_bytes(vm, &this.0, &bytes_of(vm, data)?, flags.unwrap_or(0))
}

fn sendall(vm: &Vm, this: This, data: Value, flags: Option<i32>) -> R<()> {
    let bytes = bytes_of(vm, data)?;
    let mut at = 0;
    while at < bytes.len() {
        at += send_bytes(vm, &this.0, &bytes[at..], flags.unwrap_or(0))?;
        vm.check_signals()?;
    }
    Ok(())
}

fn sendto(vm: &Vm, this: This, data: Value, flags: Value, a: Option<Value>) -> R<usize> {
    let (flags, a) = match a {
        Some(a) => (vm.index_i64(flags)? as i32, a),
        None => (0, flags),
    };
    let bytes = bytes_of(vm, data)?;
    let a = address(vm, &this.0, a, "sendto")?;
    call(vm, &this.0, libc::POLLOUT, |fd| {
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

fn setsockopt(vm: &Vm, this: This, level: i32, name: i32, v: Value) -> R<()> {
    let bytes = if vm.is_int(v) || v.is_bool() {
        (vm.index_i64(v)? as i32).to_ne_bytes().to_vec()
    } else {
        bytes_of(vm, v)?
    };
    // SAFETY: a slice in.
    if unsafe { libc::setsockopt(this.0.fd.get(), level, name, bytes.as_ptr().cast(), bytes.len() as _) } != 0
    {
        return Err(vm.last_os_error(None));
    }
    Ok(())
}

fn getsockopt(vm: &Vm, this: This, level: i32, name: i32, n: Option<i64>) -> R<Value> {
    let want = n.unwrap_or(0);
    if !(0..=1024).contains(&want) {
        return Err(vm.raise_text(vm.exc.os_error, "getsockopt buflen out of range"));
    }
    let mut out = vec![0u8; if want == 0 { 4 } else { want as usize }];
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

native_functions! { FUNCTIONS:
    "close(fd, /)" => close_fd;
    "dup(fd, /)" => dup;
    "getdefaulttimeout()" => getdefaulttimeout;
    "setdefaulttimeout(timeout, /)" => setdefaulttimeout;
    "gethostname()" => gethostname;
    "gethostbyname(host, /)" => gethostbyname;
    "socketpair(family=1, type=1, proto=0, /)" => socketpair;
    "htons(x, /)" => htons;
    "ntohs(x, /)" => htons;
    "htonl(x, /)" => htonl;
    "ntohl(x, /)" => htonl;
    "inet_aton(ip_addr, /)" => inet_aton;
    "inet_ntoa(packed_ip, /)" => inet_ntoa;
    "getaddrinfo(host, port, family=0, type=0, proto=0, flags=0)" => getaddrinfo;
}

fn close_fd(vm: &Vm, fd: i32) -> R<()> {
    // SAFETY: the program's own descriptor.
    if unsafe { libc::close(fd) } != 0 {
        return Err(vm.last_os_error(None));
    }
    Ok(())
}

fn dup(vm: &Vm, fd: i32) -> R<i64> {
    // SAFETY: a plain call.
    match unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) } {
        -1 => Err(vm.last_os_error(None)),
        fd => Ok(fd.into()),
    }
}

fn getdefaulttimeout(vm: &Vm) -> R<Value> {
    timeout_value(vm, vm.state::<DefaultTimeout>().0.get().unwrap_or(-1.0))
}

fn setdefaulttimeout(vm: &Vm, v: Value) -> R<()> {
    let t = timeout_arg(vm, v)?;
    vm.state::<DefaultTimeout>().0.set((t >= 0.0).then_some(t));
    Ok(())
}

fn gethostname(vm: &Vm) -> R<Value> {
    let mut out = [0u8; 256];
    // SAFETY: a buffer of that length out.
    if unsafe { libc::gethostname(out.as_mut_ptr().cast(), out.len() - 1) } != 0 {
        return Err(vm.last_os_error(None));
    }
    let n = out.iter().position(|&b| b == 0).unwrap_or(0);
    vm.str(&String::from_utf8_lossy(&out[..n]))
}

fn gethostbyname(vm: &Vm, host: Ref<Str>) -> R<String> {
    Ok(resolve_v4(vm, &host.to_string_lossy())?.to_string())
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

fn htons(vm: &Vm, n: i64) -> R<i64> {
    match u16::try_from(n) {
        Ok(n) => Ok(n.to_be().into()),
        Err(_) => {
            Err(vm.overflow_error("htons: Python int too large to convert to C 16-bit unsigned integer"))
        }
    }
}

fn htonl(_: &Vm, n: u32) -> i64 {
    n.to_be().into()
}

fn inet_aton(vm: &Vm, ip: Ref<Str>) -> R<Value> {
    match ip.to_string_lossy().parse::<Ipv4Addr>() {
        Ok(ip) => vm.bytes(&ip.octets()),
        Err(_) => Err(vm.raise_text(vm.exc.os_error, "illegal IP address string passed to inet_aton")),
    }
}

fn inet_ntoa(vm: &Vm, ip: Value) -> R<String> {
    match <[u8; 4]>::try_from(&bytes_of(vm, ip)?[..]) {
        Ok(b) => Ok(Ipv4Addr::from(b).to_string()),
        Err(_) => Err(vm.raise_text(vm.exc.os_error, "packed IP wrong length")),
    }
}

/// IPv4 only, by number or name; the port is a number.
fn getaddrinfo(
    vm: &Vm,
    host: Value,
    port: Value,
    family: Option<i32>,
    kind: Option<i32>,
    protocol: Option<i32>,
    _flags: Option<i32>,
) -> R<Value> {
    let host = if host.is_none() { "127.0.0.1".into() } else { vm.str_string(host)? };
    let port = match port.cast::<Str>() {
        Some(s) => match s.to_string_lossy().parse() {
            Ok(n) => n,
            Err(_) => return Err(vm.unsupported("getaddrinfo with names of services")),
        },
        None if port.is_none() => 0,
        None => vm.index_i64(port)?,
    };
    if family.is_some_and(|f| f != libc::AF_INET && f != 0) {
        return Err(vm.unsupported("getaddrinfo for other families than AF_INET"));
    }
    let ip = resolve_v4(vm, &host)?;
    let (kind, protocol) = match (kind.unwrap_or(0), protocol.unwrap_or(0)) {
        (0, 0) => (libc::SOCK_STREAM, libc::IPPROTO_TCP),
        (k, 0) if k == libc::SOCK_STREAM => (k, libc::IPPROTO_TCP),
        (k, 0) if k == libc::SOCK_DGRAM => (k, libc::IPPROTO_UDP),
        other => other,
    };
    let int = |n: i32| Value::small_int(n.into());
    let a = vm.tuple(&[vm.str(&ip.to_string())?, Value::small_int(port)])?;
    let row = vm.tuple(&[int(libc::AF_INET), int(kind), int(protocol), vm.str("")?, a])?;
    Ok(skein_runtime::types::list::List::new(vm, &[row])?.value())
}

macro_rules! numbers {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name as i64)),*] };
}
const NUMBERS: &[(&str, i64)] = numbers! {
    AF_UNSPEC AF_UNIX AF_INET AF_INET6 SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_SEQPACKET SOCK_NONBLOCK SOCK_CLOEXEC
    SOL_SOCKET SO_REUSEADDR SO_REUSEPORT SO_KEEPALIVE SO_BROADCAST SO_LINGER SO_RCVBUF SO_SNDBUF SO_ERROR SO_TYPE
    SO_DOMAIN SO_PROTOCOL SO_RCVTIMEO SO_SNDTIMEO SO_ACCEPTCONN SO_OOBINLINE IPPROTO_IP IPPROTO_TCP IPPROTO_UDP
    IPPROTO_IPV6 IPPROTO_ICMP TCP_NODELAY TCP_MAXSEG TCP_CORK TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT TCP_DEFER_ACCEPT
    TCP_QUICKACK TCP_USER_TIMEOUT IPV6_V6ONLY IP_TOS IP_TTL MSG_PEEK MSG_OOB MSG_DONTWAIT MSG_WAITALL MSG_TRUNC
    MSG_NOSIGNAL SHUT_RD SHUT_WR SHUT_RDWR SOMAXCONN AI_PASSIVE AI_CANONNAME AI_NUMERICHOST AI_NUMERICSERV
    EAI_NONAME EAI_AGAIN EAI_FAIL EAI_FAMILY NI_NUMERICHOST NI_NUMERICSERV
};

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_socket", FUNCTIONS)?;
    let d = m.dict();
    let ty = vm.make_native_type(&SOCKET)?;
    d.set_name(vm, "socket", ty.value())?;
    d.set_name(vm, "SocketType", ty.value())?;
    d.set_name(vm, "error", vm.exc.os_error.value())?;
    d.set_name(vm, "timeout", vm.exc.timeout_error.value())?;
    d.set_name(vm, "has_ipv6", Value::TRUE)?;
    for &(name, n) in NUMBERS {
        d.set_name(vm, name, vm.int(n)?)?;
    }
    let bases = vm.tuple(&[vm.exc.os_error.value()])?;
    for name in ["gaierror", "herror"] {
        let namespace = skein_runtime::types::dict::Dict::new(vm)?;
        namespace.set_name(vm, "__module__", vm.str("socket")?)?;
        let class = vm.call(vm.types.type_.value(), &[vm.str(name)?, bases, namespace.value()])?;
        d.set_name(vm, name, class)?;
    }
    Ok(m)
}
