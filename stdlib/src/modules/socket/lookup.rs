//! Names: of hosts, services, protocols and interfaces.

use super::super::support::{BytesLike, raise_args};
use super::address::{Address, host_bytes, ip_bytes, ip_text};
use super::{DefaultTimeout, timeout_arg, timeout_value};
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Raised, Value, Vm, native_functions};
use std::ffi::{CStr, CString};
use std::net::{Ipv4Addr, Ipv6Addr};

native_functions! { pub FUNCTIONS:
    "close(fd, /)" => close_fd, "Close an integer socket file descriptor.";
    "dup(fd, /)" => dup, "Duplicate an integer socket file descriptor.";
    "getdefaulttimeout()" => getdefaulttimeout, "Returns the default timeout in seconds (float) for new socket objects.";
    "setdefaulttimeout(timeout, /)" => setdefaulttimeout, "Set the default timeout in seconds (float) for new socket objects.";
    "gethostname()" => gethostname, "Return the current host name.";
    "sethostname(name, /)" => sethostname, "Sets the hostname to name.";
    "gethostbyname(hostname, /)" => gethostbyname, "Return the IP address (a string of the form '255.255.255.255') for a host.";
    "gethostbyname_ex(hostname, /)" => |vm: &Vm, host: Value| host_entry(vm, host, "gethostbyname_ex"), "Return the true host name, a list of aliases, and a list of IP addresses, for a host.";
    "gethostbyaddr(ip_address, /)" => |vm: &Vm, host: Value| host_entry(vm, host, "gethostbyaddr"), "Return the true host name, a list of aliases, and a list of IP addresses, for a host.";
    "getaddrinfo(host, port, family=0, type=0, proto=0, flags=0)" => getaddrinfo, "Resolve host and port into addrinfo struct.";
    "getnameinfo(sockaddr, flags, /)" => getnameinfo, "Get host and port for a sockaddr.";
    "getprotobyname(name, /)" => getprotobyname, "Return the protocol number for the named protocol.";
    "getservbyname(servicename, protocolname=None, /)" => getservbyname, "Return a port number from a service name and protocol name.";
    "getservbyport(port, protocolname=None, /)" => getservbyport, "Return the service name from a port number and protocol name.";
    "if_nameindex()" => if_nameindex, "Returns a list of network interface information (index, name) tuples.";
    "if_nametoindex(oname, /)" => |vm: &Vm, name: Value| interface(vm, name).map(i64::from), "Returns the interface index corresponding to the interface name.";
    "if_indextoname(index, /)" => if_indextoname, "Returns the interface name corresponding to the interface index.";
    "htons(x, /)" => htons, "Convert a 16-bit unsigned integer from host to network byte order.";
    "ntohs(x, /)" => htons, "Convert a 16-bit unsigned integer from network to host byte order.";
    "htonl(x, /)" => htonl, "Convert a 32-bit integer from host to network byte order.";
    "ntohl(x, /)" => htonl, "Convert a 32-bit integer from network to host byte order.";
    "inet_aton(ip_addr, /)" => inet_aton, "Convert an IP address in string format (123.45.67.89) to the 32-bit packed binary format.";
    "inet_ntoa(packed_ip, /)" => inet_ntoa, "Convert an IP address from 32-bit packed binary format to string format.";
    "inet_pton(af, ip, /)" => inet_pton, "Convert an IP address from string format to a packed string.";
    "inet_ntop(af, packed_ip, /)" => inet_ntop, "Convert a packed IP address of the given family to string format.";
    "CMSG_LEN(length, /)" => cmsg_len, "Return the total length of an ancillary data item with data of the given length.";
    "CMSG_SPACE(length, /)" => cmsg_space, "Return the buffer size needed for an ancillary data item with data of the given length.";
}

/// A file name of the system as text.
pub fn text_of_path(vm: &Vm, bytes: &[u8]) -> R<Value> {
    let text = super::super::io::decode(vm, bytes, "utf-8", "surrogateescape")?;
    Ok(Str::new(vm, &text)?.value())
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Raises gaierror for an error of the resolver.
fn gai_error(vm: &Vm, code: i32) -> Raised {
    if code == libc::EAI_SYSTEM {
        return vm.last_os_error(None);
    }
    // SAFETY: a text of the system's library.
    let text = unsafe { CStr::from_ptr(libc::gai_strerror(code)) }.to_string_lossy().into_owned();
    match vm.str(&text) {
        Ok(text) => raise_args(vm, "socket.gaierror", &[Value::small_int(code.into()), text]),
        Err(e) => e,
    }
}

/// What the resolver found.
struct Found(*mut libc::addrinfo);

impl Drop for Found {
    fn drop(&mut self) {
        // SAFETY: the resolver's list.
        unsafe { libc::freeaddrinfo(self.0) };
    }
}

impl Found {
    fn iter(&self) -> impl Iterator<Item = &libc::addrinfo> {
        // SAFETY: a list of the resolver's, which lives as long as `self`.
        std::iter::successors(unsafe { self.0.as_ref() }, |a| unsafe { a.ai_next.as_ref() })
    }
}

/// Asks the resolver. gaierror.
fn ask(vm: &Vm, host: Option<&CStr>, service: Option<&CStr>, hints: &libc::addrinfo) -> R<Found> {
    let mut list = std::ptr::null_mut();
    let p = |s: Option<&CStr>| s.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: C strings or null in, a list out.
    match vm.without_gil(|| unsafe { libc::getaddrinfo(p(host), p(service), hints, &mut list) }) {
        0 => Ok(Found(list)),
        e => Err(gai_error(vm, e)),
    }
}

fn hints(family: i32, kind: i32, protocol: i32, flags: i32) -> libc::addrinfo {
    // SAFETY: plain data.
    let mut h: libc::addrinfo = unsafe { std::mem::zeroed() };
    (h.ai_family, h.ai_socktype, h.ai_protocol, h.ai_flags) = (family, kind, protocol, flags);
    h
}

/// The bytes of a host's IP address: of a number, a name, or empty for any. gaierror.
pub fn resolve(vm: &Vm, host: &[u8], family: i32) -> R<Vec<u8>> {
    let v4 = family == libc::AF_INET;
    match host {
        b"" if v4 => return Ok(Ipv4Addr::UNSPECIFIED.octets().to_vec()),
        b"" => return Ok(Ipv6Addr::UNSPECIFIED.octets().to_vec()),
        b"<broadcast>" | b"255.255.255.255" if v4 => return Ok(Ipv4Addr::BROADCAST.octets().to_vec()),
        _ => {}
    }
    let Ok(name) = CString::new(host) else {
        return Err(vm.type_error("host name must not contain null character"));
    };
    if let Ok(Some(ip)) = ip_bytes(family, &name) {
        return Ok(ip);
    }
    let found = ask(vm, Some(&name), None, &hints(family, 0, 0, 0))?;
    let ip = found.iter().find(|a| a.ai_family == family).map(|a| {
        // SAFETY: the family tells the struct.
        unsafe {
            match v4 {
                true => (*a.ai_addr.cast::<libc::sockaddr_in>()).sin_addr.s_addr.to_ne_bytes().to_vec(),
                false => (*a.ai_addr.cast::<libc::sockaddr_in6>()).sin6_addr.s6_addr.to_vec(),
            }
        }
    });
    ip.ok_or_else(|| gai_error(vm, libc::EAI_NONAME))
}

fn close_fd(vm: &Vm, fd: i32) -> R<()> {
    // SAFETY: the program's own descriptor.
    if unsafe { libc::close(fd) } != 0 && errno() != libc::ECONNRESET {
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
    vm.audit("socket.gethostname", || vm.tuple(&[]))?;
    let mut out = [0u8; 256];
    // SAFETY: a buffer of that length out.
    if unsafe { libc::gethostname(out.as_mut_ptr().cast(), out.len() - 1) } != 0 {
        return Err(vm.last_os_error(None));
    }
    let n = out.iter().position(|&b| b == 0).unwrap_or(0);
    text_of_path(vm, &out[..n])
}

fn sethostname(vm: &Vm, name: Value) -> R<()> {
    vm.audit("socket.sethostname", || vm.tuple(&[name]))?;
    let name = super::super::io::encode_path(vm, name)?;
    // SAFETY: a slice in.
    match unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) } {
        0 => Ok(()),
        _ => Err(vm.last_os_error(None)),
    }
}

fn gethostbyname(vm: &Vm, host: Value) -> R<String> {
    vm.audit("socket.gethostbyname", || vm.tuple(&[host]))?;
    Ok(ip_text(libc::AF_INET, &resolve(vm, &host_bytes(vm, host)?, libc::AF_INET)?))
}

/// `(name, aliases, addresses)` of a host that is given by name or number.
fn host_entry(vm: &Vm, host: Value, function: &str) -> R<Value> {
    let name = host_bytes(vm, host)?;
    let by_address = function == "gethostbyaddr";
    let event = if by_address { "socket.gethostbyaddr" } else { "socket.gethostbyname" };
    vm.audit(event, || vm.tuple(&[host]))?;
    let Ok(c) = CString::new(name.clone()) else {
        return Err(vm.type_error("host name must not contain null character"));
    };
    let family = if by_address { libc::AF_UNSPEC } else { libc::AF_INET };
    let flags = if by_address { 0 } else { libc::AI_CANONNAME };
    let found = ask(vm, Some(&c), None, &hints(family, libc::SOCK_STREAM, 0, flags))?;
    let list = List::with_capacity(vm, 0)?;
    let mut canonical = None;
    for a in found.iter() {
        // SAFETY: the resolver's own; the family tells the struct; a name ends with a zero byte.
        unsafe {
            if !a.ai_canonname.is_null() && canonical.is_none() {
                canonical = Some(CStr::from_ptr(a.ai_canonname).to_bytes().to_vec());
            }
            if by_address && canonical.is_none() {
                let mut out = [0 as libc::c_char; libc::NI_MAXHOST as usize];
                let done = libc::getnameinfo(
                    a.ai_addr,
                    a.ai_addrlen,
                    out.as_mut_ptr(),
                    out.len() as _,
                    std::ptr::null_mut(),
                    0,
                    libc::NI_NAMEREQD,
                );
                if done != 0 {
                    let text = vm.str("Unknown host")?;
                    return Err(raise_args(vm, "socket.herror", &[Value::small_int(1), text]));
                }
                canonical = Some(CStr::from_ptr(out.as_ptr()).to_bytes().to_vec());
            }
            let address = Address::copy_of(a.ai_addr, a.ai_addrlen).to_python(vm)?;
            if let Some(t) = address.cast::<Tuple>() {
                list.push(vm, t.items()[0])?;
            }
        }
    }
    let canonical = text_of_path(vm, &canonical.unwrap_or(name))?;
    vm.tuple(&[canonical, List::with_capacity(vm, 0)?.value(), list.value()])
}

fn getaddrinfo(
    vm: &Vm,
    host: Value,
    port: Value,
    family: Option<i32>,
    kind: Option<i32>,
    protocol: Option<i32>,
    flags: Option<i32>,
) -> R<Ref<List>> {
    vm.audit("socket.getaddrinfo", || {
        let number = |n: Option<i32>| Value::small_int(n.unwrap_or(0).into());
        vm.tuple(&[host, port, number(family), number(kind), number(protocol)])
    })?;
    let c = |bytes: Vec<u8>| CString::new(bytes).map_err(|_| vm.value_error("embedded null character"));
    let host = match host {
        Value::NONE => None,
        v if v.cast::<Str>().is_some() || BytesLike::is(v) => Some(c(host_bytes(vm, v)?)?),
        _ => return Err(vm.type_error("getaddrinfo() argument 1 must be string or None")),
    };
    let service = match port {
        Value::NONE => None,
        v if vm.is_int(v) || v.is_bool() => Some(c(vm.str_string(vm.index(v)?)?.into_bytes())?),
        v if v.cast::<Str>().is_some() || BytesLike::is(v) => {
            let bytes = match v.cast::<Str>() {
                Some(s) => s.bytes().to_vec(),
                None => BytesLike::new(vm, v)?.into_vec(vm)?,
            };
            Some(c(bytes)?)
        }
        _ => return Err(vm.raise_text(vm.exc.os_error, "Int or String expected")),
    };
    let h = hints(family.unwrap_or(0), kind.unwrap_or(0), protocol.unwrap_or(0), flags.unwrap_or(0));
    let found = ask(vm, host.as_deref(), service.as_deref(), &h)?;
    let list = List::with_capacity(vm, 0)?;
    for a in found.iter() {
        // SAFETY: the resolver's own address and name.
        let (address, name) = unsafe {
            let name = match a.ai_canonname.is_null() {
                true => &b""[..],
                false => CStr::from_ptr(a.ai_canonname).to_bytes(),
            };
            (Address::copy_of(a.ai_addr, a.ai_addrlen).to_python(vm)?, text_of_path(vm, name)?)
        };
        let int = |n: i32| Value::small_int(n.into());
        let row = [int(a.ai_family), int(a.ai_socktype), int(a.ai_protocol), name, address];
        list.push(vm, vm.tuple(&row)?)?;
    }
    Ok(list)
}

fn getnameinfo(vm: &Vm, address: Value, flags: i32) -> R<Value> {
    let Some(t) = address.cast::<Tuple>() else {
        return Err(vm.type_error("getnameinfo() argument 1 must be a tuple"));
    };
    let (host, port) = match t.items() {
        &[host, port, ref more @ ..] if more.len() <= 2 => (host, port),
        _ => return Err(vm.type_error("getnameinfo(): illegal sockaddr argument")),
    };
    let Some(host) = host.cast::<Str>() else {
        return Err(vm.type_error("getnameinfo(): illegal sockaddr argument"));
    };
    let flow = t.items().get(2).map_or(Ok(0), |&v| vm.index_i64(v))?;
    if !(0..=0xf_ffff).contains(&flow) {
        return Err(vm.overflow_error("getnameinfo(): flowinfo must be 0-1048575."));
    }
    let scope = t.items().get(3).map_or(Ok(0), |&v| vm.index_i64(v))? as u32;
    vm.audit("socket.getnameinfo", || vm.tuple(&[address]))?;
    let c = |bytes: Vec<u8>| CString::new(bytes).map_err(|_| vm.value_error("embedded null character"));
    let name = c(host.bytes().to_vec())?;
    let service = c(vm.index_i64(port)?.to_string().into_bytes())?;
    let h = hints(libc::AF_UNSPEC, libc::SOCK_DGRAM, 0, libc::AI_NUMERICHOST);
    let found = ask(vm, Some(&name), Some(&service), &h)?;
    let mut all = found.iter();
    let Some(first) = all.next() else { return Err(gai_error(vm, libc::EAI_NONAME)) };
    if all.next().is_some() {
        return Err(vm.raise_text(vm.exc.os_error, "sockaddr resolved to multiple addresses"));
    }
    if first.ai_family == libc::AF_INET && t.len() != 2 {
        return Err(vm.raise_text(vm.exc.os_error, "IPv4 sockaddr must be 2 tuple"));
    }
    let mut host = [0 as libc::c_char; libc::NI_MAXHOST as usize];
    let mut serv = [0 as libc::c_char; 32];
    // SAFETY: the resolver's own address in, whose family tells the struct; buffers of those lengths out.
    let e = unsafe {
        if first.ai_family == libc::AF_INET6 {
            let a = &mut *first.ai_addr.cast::<libc::sockaddr_in6>();
            a.sin6_flowinfo = (flow as u32).to_be();
            a.sin6_scope_id = scope;
        }
        libc::getnameinfo(
            first.ai_addr,
            first.ai_addrlen,
            host.as_mut_ptr(),
            host.len() as _,
            serv.as_mut_ptr(),
            serv.len() as _,
            flags,
        )
    };
    if e != 0 {
        return Err(gai_error(vm, e));
    }
    // SAFETY: both end with a zero byte.
    let (host, serv) = unsafe { (CStr::from_ptr(host.as_ptr()), CStr::from_ptr(serv.as_ptr())) };
    vm.tuple(&[text_of_path(vm, host.to_bytes())?, text_of_path(vm, serv.to_bytes())?])
}

fn c_text(vm: &Vm, s: Ref<Str>) -> R<CString> {
    CString::new(s.bytes()).map_err(|_| vm.value_error("embedded null character"))
}

fn getprotobyname(vm: &Vm, name: Ref<Str>) -> R<i64> {
    let name = c_text(vm, name)?;
    // SAFETY: a C string in; the entry is good until the next call.
    match unsafe { libc::getprotobyname(name.as_ptr()).as_ref() } {
        Some(p) => Ok(p.p_proto.into()),
        None => Err(vm.raise_text(vm.exc.os_error, "protocol not found")),
    }
}

fn getservbyname(vm: &Vm, name: Ref<Str>, protocol: Option<Ref<Str>>) -> R<i64> {
    vm.audit("socket.getservbyname", || {
        vm.tuple(&[name.value(), protocol.map_or(Value::NONE, |p| p.value())])
    })?;
    let name = c_text(vm, name)?;
    let protocol = protocol.map(|p| c_text(vm, p)).transpose()?;
    let p = protocol.as_ref().map_or(std::ptr::null(), |p| p.as_ptr());
    // SAFETY: C strings in; the entry is good until the next call.
    match unsafe { libc::getservbyname(name.as_ptr(), p).as_ref() } {
        Some(s) => Ok(u16::from_be(s.s_port as u16).into()),
        None => Err(vm.raise_text(vm.exc.os_error, "service/proto not found")),
    }
}

fn getservbyport(vm: &Vm, port: i64, protocol: Option<Ref<Str>>) -> R<Value> {
    let Ok(port) = u16::try_from(port) else {
        return Err(vm.overflow_error("getservbyport: port must be 0-65535."));
    };
    vm.audit("socket.getservbyport", || {
        vm.tuple(&[Value::small_int(port.into()), protocol.map_or(Value::NONE, |p| p.value())])
    })?;
    let protocol = protocol.map(|p| c_text(vm, p)).transpose()?;
    let p = protocol.as_ref().map_or(std::ptr::null(), |p| p.as_ptr());
    // SAFETY: a C string in; the entry is good until the next call.
    match unsafe { libc::getservbyport(port.to_be().into(), p).as_ref() } {
        // SAFETY: the entry's own text.
        Some(s) => text_of_path(vm, unsafe { CStr::from_ptr(s.s_name) }.to_bytes()),
        None => Err(vm.raise_text(vm.exc.os_error, "port/proto not found")),
    }
}

/// The number of an interface. OSError.
pub fn interface(vm: &Vm, name: Value) -> R<u32> {
    let Ok(name) = CString::new(super::super::io::encode_path(vm, name)?) else {
        return Err(vm.value_error("embedded null byte"));
    };
    // SAFETY: a C string.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(vm.last_os_error(None)),
        n => Ok(n),
    }
}

fn if_indextoname(vm: &Vm, index: Value) -> R<Value> {
    let index = unsigned(vm, index, 32)? as u32;
    let mut name = [0 as libc::c_char; libc::IF_NAMESIZE];
    // SAFETY: a buffer of the length that is asked for.
    if unsafe { libc::if_indextoname(index, name.as_mut_ptr()) }.is_null() {
        return Err(vm.last_os_error(None));
    }
    // SAFETY: it ends with a zero byte.
    text_of_path(vm, unsafe { CStr::from_ptr(name.as_ptr()) }.to_bytes())
}

fn if_nameindex(vm: &Vm) -> R<Ref<List>> {
    struct Free(*mut libc::if_nameindex);
    impl Drop for Free {
        fn drop(&mut self) {
            // SAFETY: the system's list.
            unsafe { libc::if_freenameindex(self.0) };
        }
    }
    // SAFETY: a list out.
    let all = Free(unsafe { libc::if_nameindex() });
    if all.0.is_null() {
        return Err(vm.last_os_error(None));
    }
    let list = List::with_capacity(vm, 0)?;
    let mut at = all.0;
    // SAFETY: the list ends with a row of index 0.
    unsafe {
        while (*at).if_index != 0 {
            let name = text_of_path(vm, CStr::from_ptr((*at).if_name).to_bytes())?;
            list.push(vm, vm.tuple(&[Value::small_int((*at).if_index.into()), name])?)?;
            at = at.add(1);
        }
    }
    Ok(list)
}

/// An int of so many bits without sign. ValueError, OverflowError.
fn unsigned(vm: &Vm, v: Value, bits: u32) -> R<u64> {
    let v = vm.index(v)?;
    match vm.as_i64(v) {
        Some(n) if n < 0 => Err(vm.value_error("Cannot convert negative int")),
        Some(n) if (n as u64) >> bits == 0 => Ok(n as u64),
        None if vm.as_big(v).is_some_and(|b| b.sign() == num_bigint::Sign::Minus) => {
            Err(vm.value_error("Cannot convert negative int"))
        }
        _ => Err(vm.overflow_error(format!("Python int too large for C uint{bits}_t"))),
    }
}

fn htons(vm: &Vm, n: Value) -> R<i64> {
    Ok((unsigned(vm, n, 16)? as u16).to_be().into())
}

fn htonl(vm: &Vm, n: Value) -> R<i64> {
    Ok((unsigned(vm, n, 32)? as u32).to_be().into())
}

/// The old forms of an IPv4 address: one to four numbers, in decimal, octal or hexadecimal.
fn old_ipv4(text: &str) -> Option<u32> {
    let parts: Vec<&str> = text.split('.').collect();
    let (last, first) = parts.split_last()?;
    if first.len() > 3 {
        return None;
    }
    let number = |s: &str| match s.strip_prefix("0x").or(s.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None if s.len() > 1 && s.starts_with('0') => u32::from_str_radix(&s[1..], 8).ok(),
        None if s.bytes().all(|b| b.is_ascii_digit()) => s.parse().ok(),
        None => None,
    };
    let mut out = 0u32;
    for (i, s) in first.iter().enumerate() {
        out |= u32::from(u8::try_from(number(s)?).ok()?) << (24 - 8 * i);
    }
    let last = number(last)?;
    let room = 32 - 8 * first.len() as u32;
    (room == 32 || last >> room == 0).then_some(out | last)
}

fn inet_aton(vm: &Vm, ip: Ref<Str>) -> R<Value> {
    match old_ipv4(ip.to_string_lossy().trim_end()) {
        Some(ip) => vm.bytes(&ip.to_be_bytes()),
        None => Err(vm.raise_text(vm.exc.os_error, "illegal IP address string passed to inet_aton")),
    }
}

fn inet_ntoa(vm: &Vm, ip: BytesLike) -> R<String> {
    match <[u8; 4]>::try_from(&ip[..]) {
        Ok(b) => Ok(Ipv4Addr::from(b).to_string()),
        Err(_) => Err(vm.raise_text(vm.exc.os_error, "packed IP wrong length for inet_ntoa")),
    }
}

fn inet_pton(vm: &Vm, family: i32, ip: Ref<Str>) -> R<Value> {
    match ip_bytes(family, &c_text(vm, ip)?) {
        Ok(Some(ip)) => vm.bytes(&ip),
        Ok(None) => Err(vm.raise_text(vm.exc.os_error, "illegal IP address string passed to inet_pton")),
        Err(e) => Err(vm.os_error_of(&e, None)),
    }
}

fn inet_ntop(vm: &Vm, family: i32, ip: BytesLike) -> R<String> {
    let wanted = match family {
        libc::AF_INET => 4,
        libc::AF_INET6 => 16,
        _ => return Err(vm.value_error(format!("unknown address family {family}"))),
    };
    if ip.len() != wanted {
        return Err(vm.value_error("invalid length of packed IP address string"));
    }
    Ok(ip_text(family, &ip))
}

/// Sizes of ancillary data; OverflowError beyond what the system can take.
fn ancillary(vm: &Vm, n: i64, name: &str, f: impl Fn(u32) -> u32) -> R<i64> {
    match u32::try_from(n) {
        Ok(n) if n < i32::MAX as u32 - 64 => Ok(f(n).into()),
        _ => Err(vm.overflow_error(format!("{name}() argument out of range"))),
    }
}

fn cmsg_len(vm: &Vm, n: i64) -> R<i64> {
    // SAFETY: arithmetic.
    ancillary(vm, n, "CMSG_LEN", |n| unsafe { libc::CMSG_LEN(n) })
}

fn cmsg_space(vm: &Vm, n: i64) -> R<i64> {
    // SAFETY: arithmetic.
    ancillary(vm, n, "CMSG_SPACE", |n| unsafe { libc::CMSG_SPACE(n) })
}
