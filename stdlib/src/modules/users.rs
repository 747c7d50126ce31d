//! `pwd` and `grp`: the system's users and groups.

use skein_builtins::modules::structseq::{self, Lazy};
use skein_builtins::struct_sequence;
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm, native_functions};
use std::ffi::{CStr, CString, c_char};

struct_sequence! { PASSWD: "pwd.struct_passwd", "pwd.struct_passwd: Results from getpw*() routines.";
"pw_name" 0, "pw_passwd" 1, "pw_uid" 2, "pw_gid" 3, "pw_gecos" 4, "pw_dir" 5, "pw_shell" 6 }
struct_sequence! { GROUP: "grp.struct_group", "grp.struct_group: Results from getgr*() routines.";
"gr_name" 0, "gr_passwd" 1, "gr_gid" 2, "gr_mem" 3 }

#[derive(Default)]
struct Types {
    passwd: Lazy,
    group: Lazy,
}

/// A text of the system's: bytes that are no UTF-8 are escaped.
fn text(vm: &Vm, p: *const c_char) -> R<Value> {
    if p.is_null() {
        return Ok(Value::NONE);
    }
    // SAFETY: the system's texts end with 0.
    let bytes = unsafe { CStr::from_ptr(p) }.to_bytes();
    let codec = skein_builtins::types::codecs::Codec::Utf8;
    Ok(skein_builtins::types::codecs::decode_with(vm, bytes, codec, Some("surrogateescape"))?.value())
}

fn user(vm: &Vm, p: &libc::passwd) -> R<Value> {
    let ty = vm.state::<Types>().passwd.get(vm, &PASSWD)?;
    let row = [
        text(vm, p.pw_name)?,
        text(vm, p.pw_passwd)?,
        vm.int(p.pw_uid.into())?,
        vm.int(p.pw_gid.into())?,
        text(vm, p.pw_gecos)?,
        text(vm, p.pw_dir)?,
        text(vm, p.pw_shell)?,
    ];
    structseq::make(vm, ty, &row, &[])
}

fn group(vm: &Vm, g: &libc::group) -> R<Value> {
    let ty = vm.state::<Types>().group.get(vm, &GROUP)?;
    let members = List::with_capacity(vm, 0)?;
    let mut p = g.gr_mem;
    // SAFETY: a list of texts that ends with a null pointer, or none.
    while !p.is_null() && unsafe { !(*p).is_null() } {
        // SAFETY: as above.
        members.push(vm, text(vm, unsafe { *p })?)?;
        p = p.wrapping_add(1);
    }
    let row = [text(vm, g.gr_name)?, text(vm, g.gr_passwd)?, vm.int(g.gr_gid.into())?, members.value()];
    structseq::make(vm, ty, &row, &[])
}

fn name(vm: &Vm, s: Ref<Str>) -> R<CString> {
    CString::new(s.bytes()).map_err(|_| vm.value_error("embedded null byte"))
}

/// A number as a user or group id; None: there is no such.
fn id(vm: &Vm, v: Value) -> R<Option<u32>> {
    Ok(vm.as_i64(vm.index(v)?).and_then(|i| if i == -1 { Some(u32::MAX) } else { u32::try_from(i).ok() }))
}

fn missing(vm: &Vm, what: &str, v: Value) -> R<skein_runtime::Raised> {
    let shown = vm.repr_string(v)?;
    let text = vm.str(&format!("{what}: {shown}"))?;
    Ok(vm.key_error(text))
}

// SAFETY of the calls: the results lie in the C library's own memory until the next such call; they are copied
// at once, and there are no other threads that call it.

fn getpwnam(vm: &Vm, s: Ref<Str>) -> R<Value> {
    let c = name(vm, s)?;
    // SAFETY: see above.
    match unsafe { libc::getpwnam(c.as_ptr()).as_ref() } {
        Some(p) => user(vm, p),
        None => Err(missing(vm, "getpwnam(): name not found", s.value())?),
    }
}

fn getpwuid(vm: &Vm, v: Value) -> R<Value> {
    // SAFETY: see above.
    match id(vm, v)?.and_then(|id| unsafe { libc::getpwuid(id).as_ref() }) {
        Some(p) => user(vm, p),
        None => Err(missing(vm, "getpwuid(): uid not found", v)?),
    }
}

fn getgrnam(vm: &Vm, s: Ref<Str>) -> R<Value> {
    let c = name(vm, s)?;
    // SAFETY: see above.
    match unsafe { libc::getgrnam(c.as_ptr()).as_ref() } {
        Some(g) => group(vm, g),
        None => Err(missing(vm, "getgrnam(): name not found", s.value())?),
    }
}

fn getgrgid(vm: &Vm, v: Value) -> R<Value> {
    // SAFETY: see above.
    match id(vm, v)?.and_then(|id| unsafe { libc::getgrgid(id).as_ref() }) {
        Some(g) => group(vm, g),
        None => Err(missing(vm, "getgrgid(): gid not found", v)?),
    }
}

fn getpwall(vm: &Vm) -> R<Ref<List>> {
    let out = List::with_capacity(vm, 0)?;
    // SAFETY: see above.
    unsafe { libc::setpwent() };
    // SAFETY: see above.
    while let Some(p) = unsafe { libc::getpwent().as_ref() } {
        out.push(vm, user(vm, p)?)?;
    }
    // SAFETY: see above.
    unsafe { libc::endpwent() };
    Ok(out)
}

fn getgrall(vm: &Vm) -> R<Ref<List>> {
    let out = List::with_capacity(vm, 0)?;
    // SAFETY: see above.
    unsafe { libc::setgrent() };
    // SAFETY: see above.
    while let Some(g) = unsafe { libc::getgrent().as_ref() } {
        out.push(vm, group(vm, g)?)?;
    }
    // SAFETY: see above.
    unsafe { libc::endgrent() };
    Ok(out)
}

native_functions! { PWD:
    "getpwnam(name, /)" => getpwnam, "Return the password database entry for the given user name.";
    "getpwuid(uidobj, /)" => getpwuid, "Return the password database entry for the given numeric user ID.";
    "getpwall()" => getpwall, "Return a list of all available password database entries, in arbitrary order.";
}

native_functions! { GRP:
    "getgrnam(name)" => getgrnam, "Return the group database entry for the given group name.";
    "getgrgid(id)" => getgrgid, "Return the group database entry for the given numeric group ID.";
    "getgrall()" => getgrall, "Return a list of all available group entries, in arbitrary order.";
}

/// MemoryError.
pub fn make_pwd(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "pwd", PWD)?;
    m.dict().set_name(vm, "struct_passwd", vm.state::<Types>().passwd.get(vm, &PASSWD)?.value())?;
    Ok(m)
}

/// MemoryError.
pub fn make_grp(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "grp", GRP)?;
    m.dict().set_name(vm, "struct_group", vm.state::<Types>().group.get(vm, &GROUP)?.value())?;
    Ok(m)
}
