//! Messages with several buffers and ancillary data.

use super::address::{Address, parse};
use super::{BytesLike, This, buffer, call, write_bytes};
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm};

/// The items of an argument that must be iterable.
fn items(vm: &Vm, v: Value, text: &str) -> R<Ref<List>> {
    match vm.absorb(vm.list_from(v), vm.exc.type_error)? {
        Some(list) => Ok(list),
        None => Err(vm.type_error(text)),
    }
}

/// The kernel's cryptography: a message with what is to be done as ancillary data. ValueError, OSError.
pub fn sendmsg_afalg(
    vm: &Vm,
    this: This,
    message: Option<Value>,
    op: Option<i32>,
    iv: Option<Value>,
    assoclen: Option<i32>,
    flags: Option<i32>,
) -> R<usize> {
    if this.0.family.get() != libc::AF_ALG {
        return Err(vm.raise_text(vm.exc.os_error, "algset is only supported for AF_ALG"));
    }
    let Some(op) = op.filter(|&op| op >= 0) else {
        return Err(vm.value_error("Invalid or missing argument 'op'"));
    };
    if assoclen.is_some_and(|n| n < 0) {
        return Err(vm.type_error("assoclen must be positive"));
    }
    let ancillary = List::with_capacity(vm, 3)?;
    let add = |kind: i32, data: &[u8]| -> R<()> {
        let kind = Value::small_int(kind.into());
        ancillary.push(vm, vm.tuple(&[Value::small_int(libc::SOL_ALG.into()), kind, vm.bytes(data)?])?)
    };
    add(libc::ALG_SET_OP, &op.to_ne_bytes())?;
    if let Some(iv) = iv.filter(|v| !v.is_none()) {
        let iv = BytesLike::new(vm, iv)?;
        let len = u32::try_from(iv.len()).map_err(|_| vm.overflow_error("iv is too long"))?;
        let mut data = vm.copied(&len.to_ne_bytes())?;
        vm.put(&mut data, &iv)?;
        add(libc::ALG_SET_IV, &data)?;
    }
    if let Some(n) = assoclen {
        add(libc::ALG_SET_AEAD_ASSOCLEN, &n.to_ne_bytes())?;
    }
    let message = message.map_or_else(|| vm.tuple(&[]), Ok)?;
    sendmsg(vm, this, message, Some(ancillary.value()), flags.or(Some(libc::MSG_MORE)), None)
}

pub fn sendmsg(
    vm: &Vm,
    this: This,
    buffers: Value,
    ancillary: Option<Value>,
    flags: Option<i32>,
    address: Option<Value>,
) -> R<usize> {
    let list = items(vm, buffers, "sendmsg() argument 1 must be an iterable")?;
    let mut held = Vec::new();
    for i in 0..list.len() {
        held.push(BytesLike::new(vm, list.get(i).unwrap_or(Value::NONE))?);
    }
    let mut rows: Vec<libc::iovec> = held
        .iter()
        .map(|b| libc::iovec { iov_base: b.as_ptr().cast_mut().cast(), iov_len: b.len() })
        .collect();
    let mut control = Vec::new();
    if let Some(v) = ancillary {
        let list = items(vm, v, "sendmsg() argument 2 must be an iterable")?;
        for i in 0..list.len() {
            let wrong = || vm.type_error("[sendmsg() ancillary data items] must be a tuple of 3 items");
            let row =
                list.get(i).and_then(|t| t.cast::<Tuple>()).filter(|t| t.len() == 3).ok_or_else(wrong)?;
            let (level, kind) = (vm.index_i64(row.items()[0])? as i32, vm.index_i64(row.items()[1])? as i32);
            let data = BytesLike::new(vm, row.items()[2])?;
            let Ok(n) = u32::try_from(data.len())
                .map_err(|_| ())
                .and_then(|n| if n < i32::MAX as u32 - 64 { Ok(n) } else { Err(()) })
            else {
                return Err(vm.raise_text(vm.exc.os_error, "ancillary data item too large"));
            };
            let start = control.len();
            // SAFETY: arithmetic.
            let (space, len) = unsafe { (libc::CMSG_SPACE(n) as usize, libc::CMSG_LEN(n) as usize) };
            control.resize(start + space, 0u8);
            let head = libc::cmsghdr { cmsg_len: len, cmsg_level: level, cmsg_type: kind };
            // SAFETY: room for the header and the data was made just now; the vector's bytes need no
            // alignment for an unaligned store, and each item's space is a multiple of the header's alignment.
            unsafe {
                let p = control.as_mut_ptr().add(start);
                p.cast::<libc::cmsghdr>().write_unaligned(head);
                std::ptr::copy_nonoverlapping(data.as_ptr(), p.add(size_of::<libc::cmsghdr>()), data.len());
            }
        }
    }
    let told = address;
    let mut address = match address.filter(|a| !a.is_none()) {
        Some(a) => Some(parse(vm, &this.0, a, "sendmsg")?),
        None => None,
    };
    vm.audit("socket.sendmsg", || vm.tuple(&[this.0.value(), told.unwrap_or(Value::NONE)]))?;
    call(vm, &this.0, libc::POLLOUT, |fd| {
        // SAFETY: plain data that points to what was made above, which outlives the call.
        unsafe {
            let mut m: libc::msghdr = std::mem::zeroed();
            if let Some(a) = &mut address {
                (m.msg_name, m.msg_namelen) = (a.mut_ptr().cast(), a.len);
            }
            (m.msg_iov, m.msg_iovlen) = (rows.as_mut_ptr(), rows.len());
            if !control.is_empty() {
                (m.msg_control, m.msg_controllen) = (control.as_mut_ptr().cast(), control.len());
            }
            libc::sendmsg(fd, &m, flags.unwrap_or(0) | libc::MSG_NOSIGNAL)
        }
    })
}

/// Receives into buffers: bytes received, ancillary data, flags and address.
fn receive(
    vm: &Vm,
    this: &This,
    rooms: &mut [Vec<u8>],
    ancillary: i64,
    flags: i32,
    function: &str,
) -> R<(usize, [Value; 3])> {
    let Ok(size) = i32::try_from(ancillary) else {
        return Err(vm.value_error("invalid ancillary data buffer length"));
    };
    if size < 0 {
        return Err(vm.value_error("invalid ancillary data buffer length"));
    }
    let mut control = buffer(vm, size.into(), function)?;
    let mut rows: Vec<libc::iovec> =
        rooms.iter_mut().map(|r| libc::iovec { iov_base: r.as_mut_ptr().cast(), iov_len: r.len() }).collect();
    let mut address = Address::empty();
    let room = address.len;
    // SAFETY: plain data.
    let mut m: libc::msghdr = unsafe { std::mem::zeroed() };
    let n = call(vm, &this.0, libc::POLLIN, |fd| {
        (m.msg_name, m.msg_namelen) = (address.mut_ptr().cast(), room);
        (m.msg_iov, m.msg_iovlen) = (rows.as_mut_ptr(), rows.len());
        (m.msg_control, m.msg_controllen) = (control.as_mut_ptr().cast(), control.len());
        // SAFETY: it points to buffers of those lengths, which outlive the call.
        unsafe { libc::recvmsg(fd, &mut m, flags) }
    })?;
    address.len = m.msg_namelen;
    let list = List::with_capacity(vm, 0)?;
    let head = size_of::<libc::cmsghdr>();
    let mut rest = &control[..m.msg_controllen.min(control.len())];
    while rest.len() >= head {
        // SAFETY: a whole header is there.
        let h = unsafe { rest.as_ptr().cast::<libc::cmsghdr>().read_unaligned() };
        if h.cmsg_len < head {
            break;
        }
        let data = &rest[head..h.cmsg_len.min(rest.len())];
        let row = [vm.int(h.cmsg_level.into())?, vm.int(h.cmsg_type.into())?, vm.bytes(data)?];
        list.push(vm, vm.tuple(&row)?)?;
        let next = h.cmsg_len.next_multiple_of(align_of::<libc::cmsghdr>());
        rest = rest.get(next..).unwrap_or_default();
    }
    Ok((n, [list.value(), vm.int(m.msg_flags.into())?, address.to_python(vm)?]))
}

pub fn recvmsg(vm: &Vm, this: This, size: i64, ancillary: Option<i64>, flags: Option<i32>) -> R<Value> {
    if size < 0 {
        return Err(vm.value_error("negative buffer size in recvmsg()"));
    }
    let mut room = [buffer(vm, size, "recvmsg")?];
    let (n, [list, flags, address]) =
        receive(vm, &this, &mut room, ancillary.unwrap_or(0), flags.unwrap_or(0), "recvmsg")?;
    vm.tuple(&[vm.bytes(&room[0][..n])?, list, flags, address])
}

pub fn recvmsg_into(
    vm: &Vm,
    this: This,
    targets: Value,
    ancillary: Option<i64>,
    flags: Option<i32>,
) -> R<Value> {
    let text = "recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers";
    let targets = items(vm, targets, "recvmsg_into() argument 1 must be an iterable")?;
    let mut rooms = Vec::new();
    for i in 0..targets.len() {
        let target = targets.get(i).unwrap_or(Value::NONE);
        let mut n = 0;
        let known = write_bytes(vm, target, |b| {
            n = b.len();
            Ok(())
        });
        if vm.absorb(known, vm.exc.type_error)?.is_none() {
            return Err(vm.type_error(text));
        }
        rooms.push(buffer(vm, n as i64, "recvmsg_into")?);
    }
    let (n, [list, flags, address]) =
        receive(vm, &this, &mut rooms, ancillary.unwrap_or(0), flags.unwrap_or(0), "recvmsg_into")?;
    let mut left = n;
    for (i, room) in rooms.iter().enumerate() {
        let part = left.min(room.len());
        write_bytes(vm, targets.get(i).unwrap_or(Value::NONE), |b| {
            let part = part.min(b.len());
            b[..part].copy_from_slice(&room[..part]);
            Ok(())
        })?;
        left -= part;
    }
    vm.tuple(&[vm.int(n as i64)?, list, flags, address])
}
