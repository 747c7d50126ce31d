//! `syslog`: messages to the system's log.

use super::posix::c_string;
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::{Args, R, Value, Vm, native_functions};
use std::cell::{Cell, RefCell};
use std::ffi::CString;

native_functions! { FUNCTIONS:
    "openlog(ident=<unrepresentable>, logoption=0, facility=syslog.LOG_USER)" => openlog, "Set logging options of subsequent syslog() calls.";
    "syslog(*args)" => syslog, "Send the string message to the system logger.";
    "closelog()" => closelog, "Reset the syslog module values and call the system library closelog().";
    "setlogmask(maskpri, /)" => setlogmask, "Set the priority mask to maskpri and return the previous mask value.";
    "LOG_MASK(pri, /)" => |_: &Vm, n: i32| 1i64.checked_shl(n as u32).unwrap_or(0), "Calculates the mask for the individual priority pri.";
    "LOG_UPTO(pri, /)" => |_: &Vm, n: i32| 1i64.checked_shl(n.wrapping_add(1) as u32).unwrap_or(0).wrapping_sub(1), "Calculates the mask for all priorities up to and including pri.";
}

/// The system keeps a pointer to the name, so it stays here while the log is open.
#[derive(Default)]
struct State {
    name: RefCell<Option<CString>>,
    open: Cell<bool>,
}

/// The program's own name.
fn program(vm: &Vm) -> R<Option<CString>> {
    let Some(sys) = vm.sys_dict.get() else { return Ok(None) };
    let Some(argv) = sys.get_name(vm, "argv")? else { return Ok(None) };
    let Some(list) = argv.cast::<List>() else { return Ok(None) };
    let Some(first) = list.get(0).filter(|f| f.cast::<Str>().is_some()) else { return Ok(None) };
    let text = vm.str_string(first)?;
    let name = text.rsplit('/').next().unwrap_or_default();
    Ok(CString::new(name).ok().filter(|n| !n.is_empty()))
}

fn openlog(vm: &Vm, ident: Option<Value>, option: Option<i32>, facility: Option<i32>) -> R<()> {
    let name = match ident.filter(|i| !i.is_none()) {
        Some(v) => Some(c_string(vm, v)?),
        None => program(vm)?,
    };
    let (option, facility) = (option.unwrap_or(0), facility.unwrap_or(libc::LOG_USER));
    vm.audit("syslog.openlog", || {
        let told = match &name {
            Some(name) => vm.str(&name.to_string_lossy())?,
            None => Value::NONE,
        };
        vm.tuple(&[told, Value::small_int(option.into()), Value::small_int(facility.into())])
    })?;
    let state = vm.state::<State>();
    // SAFETY: the old name is no longer used after the call, and the new one lives in the state.
    unsafe {
        let p = name.as_ref().map_or(std::ptr::null(), |n| n.as_ptr());
        libc::openlog(p, option, facility);
    }
    state.name.replace(name);
    state.open.set(true);
    Ok(())
}

fn syslog(vm: &Vm, args: Args<'_>) -> R<()> {
    let (priority, message) = match *args.positional() {
        [message] => (libc::LOG_INFO, message),
        [priority, message] => (vm.index_i64(priority)? as i32, message),
        ref all => {
            let n = all.len();
            return Err(vm.type_error(format!("syslog.syslog requires 1 to 2 arguments, got {n}")));
        }
    };
    if message.cast::<Str>().is_none() {
        let got = vm.type_name(message);
        return Err(vm.type_error(format!("syslog() argument must be str, not {got}")));
    }
    vm.audit("syslog.syslog", || vm.tuple(&[Value::small_int(priority.into()), message]))?;
    let message = c_string(vm, message)?;
    if !vm.state::<State>().open.get() {
        openlog(vm, None, None, None)?;
    }
    // SAFETY: a format with one text.
    unsafe { libc::syslog(priority, c"%s".as_ptr(), message.as_ptr()) };
    Ok(())
}

fn closelog(vm: &Vm) -> R<()> {
    vm.audit("syslog.closelog", || vm.tuple(&[]))?;
    let state = vm.state::<State>();
    if state.open.replace(false) {
        // SAFETY: a plain call; the name is dropped after it.
        unsafe { libc::closelog() };
        state.name.replace(None);
    }
    Ok(())
}

fn setlogmask(vm: &Vm, mask: i32) -> R<i64> {
    vm.audit("syslog.setlogmask", || vm.tuple(&[Value::small_int(mask.into())]))?;
    // SAFETY: a plain call.
    Ok(i64::from(unsafe { libc::setlogmask(mask) }))
}

macro_rules! numbers {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name as i64)),*] };
}
const NUMBERS: &[(&str, i64)] = numbers! {
    LOG_ALERT LOG_AUTH LOG_AUTHPRIV LOG_CONS LOG_CRIT LOG_CRON LOG_DAEMON LOG_DEBUG LOG_EMERG LOG_ERR LOG_FTP LOG_INFO
    LOG_KERN LOG_LOCAL0 LOG_LOCAL1 LOG_LOCAL2 LOG_LOCAL3 LOG_LOCAL4 LOG_LOCAL5 LOG_LOCAL6 LOG_LOCAL7 LOG_LPR LOG_MAIL
    LOG_NDELAY LOG_NEWS LOG_NOTICE LOG_NOWAIT LOG_ODELAY LOG_PERROR LOG_PID LOG_SYSLOG LOG_USER LOG_UUCP LOG_WARNING
};

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "syslog", FUNCTIONS)?;
    for &(name, n) in NUMBERS {
        m.dict().set_name(vm, name, vm.int(n)?)?;
    }
    Ok(m)
}
