//! Addresses: Python's tuples and texts, and the system's structs.

use super::Socket;
use super::lookup::{resolve, text_of_path};
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm};
use std::ffi::CStr;
use std::net::Ipv4Addr;

unsafe extern "C" {
    // The crate `libc` does not declare these two.
    fn inet_ntop(
        family: i32,
        src: *const libc::c_void,
        dst: *mut libc::c_char,
        size: libc::socklen_t,
    ) -> *const libc::c_char;
    fn inet_pton(family: i32, src: *const libc::c_char, dst: *mut libc::c_void) -> i32;
}

/// An address as the system has it.
pub struct Address {
    storage: libc::sockaddr_storage,
    pub len: libc::socklen_t,
}

/// The text of the bytes of an IP address.
pub fn ip_text(family: i32, bytes: &[u8]) -> String {
    let mut out = [0 as libc::c_char; 64];
    let fits = bytes.len() == if family == libc::AF_INET { 4 } else { 16 };
    assert!(fits, "the callers pass an address of that family");
    // SAFETY: an address of that family in; a buffer that is longer than any text of one out.
    unsafe {
        inet_ntop(family, bytes.as_ptr().cast(), out.as_mut_ptr(), out.len() as _);
        CStr::from_ptr(out.as_ptr()).to_string_lossy().into_owned()
    }
}

/// The bytes of an IP address's text; None if it is none, an error if the system has no such family.
pub fn ip_bytes(family: i32, text: &CStr) -> std::io::Result<Option<Vec<u8>>> {
    let mut out = [0u8; 16];
    // SAFETY: a C string in; room for the longest address out.
    match unsafe { inet_pton(family, text.as_ptr(), out.as_mut_ptr().cast()) } {
        1 => Ok(Some(out[..if family == libc::AF_INET { 4 } else { 16 }].to_vec())),
        0 => Ok(None),
        _ => Err(std::io::Error::last_os_error()),
    }
}

impl Address {
    pub fn empty() -> Address {
        // SAFETY: plain data.
        Address { storage: unsafe { std::mem::zeroed() }, len: size_of::<libc::sockaddr_storage>() as _ }
    }

    /// A copy of an address of the system's.
    ///
    /// # Safety
    /// `len` bytes are readable at `p`.
    pub unsafe fn copy_of(p: *const libc::sockaddr, len: libc::socklen_t) -> Address {
        let mut a = Address::empty();
        a.len = len.min(a.len);
        // SAFETY: the caller's promise; the storage is at least as long.
        unsafe { std::ptr::copy_nonoverlapping(p.cast::<u8>(), a.mut_ptr().cast(), a.len as usize) };
        a
    }

    pub fn ptr(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }

    pub fn mut_ptr(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.storage).cast()
    }

    /// The bytes that belong to it.
    fn bytes(&self) -> &[u8] {
        let n = (self.len as usize).min(size_of::<libc::sockaddr_storage>());
        // SAFETY: plain data of that length.
        unsafe { std::slice::from_raw_parts(self.ptr().cast(), n) }
    }

    /// As Python has it. An address that was not filled is None.
    pub fn to_python(&self, vm: &Vm) -> R<Value> {
        if self.len == 0 {
            return Ok(Value::NONE);
        }
        // SAFETY (all): the family tells the struct; the storage is large enough for each.
        match i32::from(self.storage.ss_family) {
            libc::AF_INET => {
                let a = unsafe { &*self.ptr().cast::<libc::sockaddr_in>() };
                let ip = Ipv4Addr::from(u32::from_be(a.sin_addr.s_addr));
                vm.tuple(&[vm.str(&ip.to_string())?, Value::small_int(u16::from_be(a.sin_port).into())])
            }
            libc::AF_INET6 => {
                let a = unsafe { &*self.ptr().cast::<libc::sockaddr_in6>() };
                vm.tuple(&[
                    vm.str(&ip_text(libc::AF_INET6, &a.sin6_addr.s6_addr))?,
                    Value::small_int(u16::from_be(a.sin6_port).into()),
                    Value::small_int(u32::from_be(a.sin6_flowinfo).into()),
                    Value::small_int(a.sin6_scope_id.into()),
                ])
            }
            libc::AF_UNIX => {
                let path = self.bytes().get(2..).unwrap_or_default();
                if path.first() == Some(&0) {
                    return vm.bytes(path);
                }
                let end = path.iter().position(|&b| b == 0).unwrap_or(path.len());
                text_of_path(vm, &path[..end])
            }
            libc::AF_NETLINK => {
                let a = unsafe { &*self.ptr().cast::<libc::sockaddr_nl>() };
                vm.tuple(&[Value::small_int(a.nl_pid.into()), Value::small_int(a.nl_groups.into())])
            }
            libc::AF_VSOCK => {
                let a = unsafe { &*self.ptr().cast::<libc::sockaddr_vm>() };
                vm.tuple(&[Value::small_int(a.svm_cid.into()), Value::small_int(a.svm_port.into())])
            }
            libc::AF_PACKET => {
                let a = unsafe { &*self.ptr().cast::<libc::sockaddr_ll>() };
                let mut name = [0 as libc::c_char; libc::IF_NAMESIZE];
                unsafe { libc::if_indextoname(a.sll_ifindex as u32, name.as_mut_ptr()) };
                let name = unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned();
                vm.tuple(&[
                    vm.str(&name)?,
                    Value::small_int(u16::from_be(a.sll_protocol).into()),
                    Value::small_int(a.sll_pkttype.into()),
                    Value::small_int(a.sll_hatype.into()),
                    vm.bytes(&a.sll_addr[..usize::from(a.sll_halen).min(8)])?,
                ])
            }
            family => {
                let rest = self.bytes().get(2..).unwrap_or_default();
                vm.tuple(&[Value::small_int(family.into()), vm.bytes(rest)?])
            }
        }
    }
}

/// A host argument: text is encoded by IDNA unless it is ASCII. TypeError, UnicodeError.
pub fn host_bytes(vm: &Vm, host: Value) -> R<Vec<u8>> {
    let bytes = match (host.cast::<Str>(), host.cast::<Bytes>(), host.cast::<ByteArray>()) {
        (Some(s), ..) if s.is_ascii() => s.bytes().to_vec(),
        (Some(_), ..) => {
            let b = vm.call_method(host, "encode", &[vm.str("idna")?])?;
            match b.cast::<Bytes>() {
                Some(b) => b.bytes().to_vec(),
                None => return Err(vm.type_error("encoding of hostname failed")),
            }
        }
        (_, Some(b), _) => b.bytes().to_vec(),
        (_, _, Some(b)) => b.bytes().to_vec(),
        _ => {
            let got = vm.type_name(host);
            return Err(vm.type_error(format!("str, bytes or bytearray expected, not {got}")));
        }
    };
    if bytes.contains(&0) {
        return Err(vm.type_error("host name must not contain null character"));
    }
    Ok(bytes)
}

fn port_of(vm: &Vm, port: Value, method: &str) -> R<u16> {
    let n = vm.as_i64(vm.index(port)?).and_then(|n| u16::try_from(n).ok());
    n.ok_or_else(|| vm.overflow_error(format!("{method}(): port must be 0-65535.")))
}

fn number<T: TryFrom<i64>>(vm: &Vm, v: Value, message: &str) -> R<T> {
    let n = vm.as_i64(vm.index(v)?).and_then(|n| T::try_from(n).ok());
    n.ok_or_else(|| vm.overflow_error(message))
}

/// A path, or a name that begins with a zero byte, of the family AF_UNIX.
fn unix(vm: &Vm, v: Value, out: &mut Address) -> R<()> {
    let path = match v.cast::<Str>() {
        Some(_) => super::super::io::encode_path(vm, v)?,
        None => super::BytesLike::new(vm, v)?.into_vec(vm)?,
    };
    // SAFETY: the storage is large enough for all families.
    let a = unsafe { &mut *out.mut_ptr().cast::<libc::sockaddr_un>() };
    let is_name = path.first() == Some(&0);
    if path.len() + usize::from(!is_name) > a.sun_path.len() {
        return Err(vm.raise_text(vm.exc.os_error, "AF_UNIX path too long"));
    }
    a.sun_family = libc::AF_UNIX as _;
    for (slot, b) in a.sun_path.iter_mut().zip(&path) {
        *slot = *b as _;
    }
    out.len = (2 + path.len() + usize::from(!is_name)) as _;
    Ok(())
}

/// The address that an argument names. TypeError, OverflowError, gaierror.
pub fn parse(vm: &Vm, s: &Socket, v: Value, method: &str) -> R<Address> {
    let mut out = Address::empty();
    let family = s.family.get();
    let label = match family {
        libc::AF_UNIX => {
            unix(vm, v, &mut out)?;
            return Ok(out);
        }
        libc::AF_INET => "AF_INET",
        libc::AF_INET6 => "AF_INET6",
        libc::AF_NETLINK => "AF_NETLINK",
        libc::AF_VSOCK => "AF_VSOCK",
        libc::AF_PACKET => "AF_PACKET",
        _ => return Err(vm.raise_text(vm.exc.os_error, &format!("{method}(): bad family"))),
    };
    let Some(t) = v.cast::<Tuple>() else {
        let got = vm.type_name(v);
        return Err(vm.type_error(format!("{method}(): {label} address must be tuple, not {got}")));
    };
    let row = t.items();
    // SAFETY (all): the storage is large enough for all families.
    match (family, row) {
        (libc::AF_INET, &[host, port]) => {
            let ip = resolve(vm, &host_bytes(vm, host)?, libc::AF_INET)?;
            let port = port_of(vm, port, method)?;
            let a = unsafe { &mut *out.mut_ptr().cast::<libc::sockaddr_in>() };
            a.sin_family = libc::AF_INET as _;
            a.sin_port = port.to_be();
            a.sin_addr.s_addr = u32::from_ne_bytes([ip[0], ip[1], ip[2], ip[3]]);
            out.len = size_of::<libc::sockaddr_in>() as _;
        }
        (libc::AF_INET, _) => return Err(vm.type_error("AF_INET address must be a pair (host, port)")),
        (libc::AF_INET6, &[host, port, ref more @ ..]) if more.len() <= 2 => {
            let ip = resolve(vm, &host_bytes(vm, host)?, libc::AF_INET6)?;
            let port = port_of(vm, port, method)?;
            let wrong = format!("{method}(): flowinfo must be 0-1048575.");
            let flow: u32 = more.first().map_or(Ok(0), |&v| number(vm, v, &wrong))?;
            if flow > 0xf_ffff {
                return Err(vm.overflow_error(wrong));
            }
            let scope = more.get(1).map_or(Ok(0), |&v| number(vm, v, "scope_id out of range"))?;
            let a = unsafe { &mut *out.mut_ptr().cast::<libc::sockaddr_in6>() };
            a.sin6_family = libc::AF_INET6 as _;
            a.sin6_port = port.to_be();
            a.sin6_flowinfo = flow.to_be();
            a.sin6_scope_id = scope;
            a.sin6_addr.s6_addr.copy_from_slice(&ip[..16]);
            out.len = size_of::<libc::sockaddr_in6>() as _;
        }
        (libc::AF_INET6, _) => {
            let text = "AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])";
            return Err(vm.type_error(text));
        }
        (libc::AF_NETLINK, &[pid, groups]) => {
            let (pid, groups) =
                (number(vm, pid, "pid out of range")?, number(vm, groups, "groups out of range")?);
            let a = unsafe { &mut *out.mut_ptr().cast::<libc::sockaddr_nl>() };
            a.nl_family = libc::AF_NETLINK as _;
            (a.nl_pid, a.nl_groups) = (pid, groups);
            out.len = size_of::<libc::sockaddr_nl>() as _;
        }
        (libc::AF_VSOCK, &[cid, port]) => {
            let (cid, port) = (number(vm, cid, "cid out of range")?, number(vm, port, "port out of range")?);
            let a = unsafe { &mut *out.mut_ptr().cast::<libc::sockaddr_vm>() };
            a.svm_family = libc::AF_VSOCK as _;
            (a.svm_cid, a.svm_port) = (cid, port);
            out.len = size_of::<libc::sockaddr_vm>() as _;
        }
        (libc::AF_PACKET, &[name, protocol, ref more @ ..]) if more.len() <= 3 => {
            let name = super::lookup::interface(vm, name)?;
            let protocol: u16 = number(vm, protocol, &format!("{method}(): proto must be 0-65535."))?;
            let kind = more.first().map_or(Ok(0), |&v| number(vm, v, "pkttype out of range"))?;
            let hardware = more.get(1).map_or(Ok(0), |&v| number(vm, v, "hatype out of range"))?;
            let bytes = match more.get(2) {
                Some(&v) => super::BytesLike::new(vm, v)?.into_vec(vm)?,
                None => Vec::new(),
            };
            if bytes.len() > 8 {
                return Err(vm.value_error("Hardware address must be 8 bytes or less"));
            }
            let a = unsafe { &mut *out.mut_ptr().cast::<libc::sockaddr_ll>() };
            a.sll_family = libc::AF_PACKET as _;
            a.sll_protocol = protocol.to_be();
            a.sll_ifindex = name as i32;
            (a.sll_pkttype, a.sll_hatype, a.sll_halen) = (kind, hardware, bytes.len() as u8);
            a.sll_addr[..bytes.len()].copy_from_slice(&bytes);
            out.len = size_of::<libc::sockaddr_ll>() as _;
        }
        _ => return Err(vm.type_error(format!("{label} address must be a pair"))),
    }
    Ok(out)
}
