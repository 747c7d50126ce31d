//! The module `select`.

use super::support::descriptor;
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

native_functions! { FUNCTIONS:
    "select(rlist, wlist, xlist, timeout=None, /)" => select, "Wait until one or more file descriptors are ready for some kind of I/O.";
    "poll()" => new_poll;
}

struct Epoll {
    fd: Cell<i32>,
}

impl Payload for Epoll {
    const NAME: &'static str = "epoll";
    const NEEDS_DROP: bool = true;
    fn trace(&self, _: &mut Tracer<'_>) {}
}

impl Drop for Epoll {
    fn drop(&mut self) {
        if self.fd.get() >= 0 {
            // SAFETY: this object's descriptor.
            unsafe { libc::close(self.fd.get()) };
        }
    }
}

#[derive(Default)]
struct Poll {
    fds: RefCell<Vec<libc::pollfd>>,
    /// A thread waits by this object.
    polling: Cell<bool>,
}

impl Payload for Poll {
    const NAME: &'static str = "poll";
    fn trace(&self, _: &mut Tracer<'_>) {}
}

native_type! {
    EPOLL: "select.epoll", Kind::Ext, type_flags::BASETYPE, "select.epoll(sizehint=-1, flags=0)";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new_epoll;
        "register($self, fd, eventmask=7)" => register;
        "modify($self, fd, eventmask)" => modify;
        "unregister($self, fd)" => unregister;
        "poll($self, timeout=None, maxevents=-1)" => epoll_poll;
        "close($self, /)" => close;
        "fileno($self, /)" => fileno;
        "__enter__($self, /)" => enter;
        "__exit__($self, exc_type=None, exc_value=None, exc_tb=None, /)" => exit;
        [static] "fromfd(fd, /)" => from_fd;
    }
    getset { "closed" => closed; }
}

native_type! {
    POLL: "select.poll", Kind::Ext, type_flags::NO_NEW;
    methods {
        "register($self, fd, eventmask=7, /)" => poll_register;
        "modify($self, fd, eventmask, /)" => poll_modify;
        "unregister($self, fd, /)" => poll_unregister;
        "poll($self, timeout=None, /)" => poll_poll;
    }
}

#[derive(Default)]
struct State {
    epoll: Cell<Option<Ref<Type>>>,
    poll: Cell<Option<Ref<Type>>>,
}

/// Waits by `call`, which touches nothing of the isolate, and gets the milliseconds left, and again after signals.
fn wait(vm: &Vm, timeout: Option<f64>, mut call: impl FnMut(i32) -> i32) -> R<usize> {
    let end = timeout.filter(|t| *t >= 0.0).map(|t| Instant::now() + Duration::from_secs_f64(t.min(1e9)));
    loop {
        let left = end.map_or(-1, |e| {
            let left = e.saturating_duration_since(Instant::now());
            // Rounded up, so as not to come back early.
            left.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32
        });
        match vm.without_gil(|| call(left)) {
            n if n >= 0 => return Ok(n as usize),
            _ if std::io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => vm.check_signals()?,
            _ => return Err(vm.last_os_error(None)),
        }
    }
}

fn seconds(vm: &Vm, v: Option<Value>) -> R<Option<f64>> {
    match v.filter(|v| !v.is_none()) {
        None => Ok(None),
        Some(v) if vm.is_int(v) => Ok(Some(vm.index_i64(v)? as f64)),
        Some(v) => match vm.as_float(v) {
            Some(f) => Ok(Some(f)),
            None => Err(vm.type_error("timeout must be a real number or None")),
        },
    }
}

fn select(vm: &Vm, r: Value, w: Value, x: Value, timeout: Option<Value>) -> R<Value> {
    let timeout = seconds(vm, timeout)?;
    if timeout.is_some_and(|t| t < 0.0) {
        return Err(vm.value_error("timeout must be non-negative"));
    }
    // A list is looked at as it is, though `fileno` may change it meanwhile.
    let list = |v: Value| v.cast::<List>().map_or_else(|| vm.list_from(v), Ok);
    let lists = [list(r)?, list(w)?, list(x)?];
    let seen = [List::with_capacity(vm, 0)?, List::with_capacity(vm, 0)?, List::with_capacity(vm, 0)?];
    let masks = [libc::POLLIN | libc::POLLHUP | libc::POLLERR, libc::POLLOUT | libc::POLLERR, libc::POLLPRI];
    let mut fds: Vec<libc::pollfd> = Vec::new();
    for ((list, mask), seen) in lists.iter().zip(masks).zip(&seen) {
        let mut i = 0;
        while let Some(v) = list.get(i) {
            i += 1;
            seen.push(vm, v)?;
            fds.push(libc::pollfd { fd: descriptor(vm, v)?, events: mask, revents: 0 });
        }
    }
    // By poll: it has no limit on descriptors' numbers.
    // SAFETY: the array is as long as said.
    wait(vm, timeout, |ms| unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as _, ms) })?;
    if fds.iter().any(|f| f.revents & libc::POLLNVAL != 0) {
        return Err(vm.os_error(libc::EBADF, None));
    }
    let ready = [List::with_capacity(vm, 0)?, List::with_capacity(vm, 0)?, List::with_capacity(vm, 0)?];
    let mut at = 0;
    for ((list, mask), out) in seen.iter().zip(masks).zip(&ready) {
        for i in 0..list.len() {
            if fds[at].revents & mask != 0
                && let Some(v) = list.get(i)
            {
                out.push(vm, v)?;
            }
            at += 1;
        }
    }
    vm.tuple(&ready.map(Value::from))
}

fn new_epoll(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(ty) = args.positional().first().and_then(|t| t.cast::<Type>()) else {
        return Err(vm.type_error("epoll.__new__(X): X is not a type object"));
    };
    let rest = args.rest();
    let [mut size, mut flags] = [Value::small_int(-1), Value::small_int(0)];
    if rest.positional().len() > 2 {
        let given = rest.positional().len();
        return Err(vm.type_error(format!("epoll() takes at most 2 arguments ({given} given)")));
    }
    for (slot, &v) in [&mut size, &mut flags].into_iter().zip(rest.positional()) {
        *slot = v;
    }
    for (name, v) in rest.keywords() {
        match name.cast::<Str>().as_ref().map(|n| n.bytes()) {
            Some(b"sizehint") => size = v,
            Some(b"flags") => flags = v,
            _ => {
                let name = vm.str_string(name)?;
                return Err(vm.type_error(format!("epoll() got an unexpected keyword argument '{name}'")));
            }
        }
    }
    let number = |v: Value| -> R<Option<i32>> { Ok(vm.as_i64(vm.index(v)?).and_then(|n| n.try_into().ok())) };
    if number(size)?.is_none_or(|n| n != -1 && n <= 0) {
        return Err(vm.value_error("negative sizehint"));
    }
    if number(flags)?.is_none_or(|f| f & !libc::EPOLL_CLOEXEC != 0) {
        return Err(vm.os_error(libc::EINVAL, None));
    }
    // SAFETY: a plain call.
    let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    if fd < 0 {
        return Err(vm.last_os_error(None));
    }
    Ok(Ext::new(vm, ty, Epoll { fd: Cell::new(fd) })?.value())
}

fn from_fd(vm: &Vm, fd: i32) -> R<Value> {
    match vm.state::<State>().epoll.get() {
        Some(ty) => Ok(Ext::new(vm, ty, Epoll { fd: Cell::new(fd) })?.value()),
        None => Err(vm.system_error("select is not set up")),
    }
}

fn open_fd(vm: &Vm, e: Ref<Ext<Epoll>>) -> R<i32> {
    match e.fd.get() {
        fd if fd >= 0 => Ok(fd),
        _ => Err(vm.value_error("I/O operation on closed epoll object")),
    }
}

fn control(vm: &Vm, this: ExtArg<Epoll>, op: i32, fd: Value, mask: u32) -> R<()> {
    let epoll = open_fd(vm, this.0)?;
    let fd = descriptor(vm, fd)?;
    let mut event = libc::epoll_event { events: mask, u64: fd as u64 };
    // SAFETY: plain data in.
    match unsafe { libc::epoll_ctl(epoll, op, fd, &mut event) } {
        0 => Ok(()),
        _ => Err(vm.last_os_error(None)),
    }
}

fn register(vm: &Vm, this: ExtArg<Epoll>, fd: Value, mask: Option<u32>) -> R<()> {
    const DEFAULT: i32 = libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLOUT;
    control(vm, this, libc::EPOLL_CTL_ADD, fd, mask.unwrap_or(DEFAULT as u32))
}

fn modify(vm: &Vm, this: ExtArg<Epoll>, fd: Value, mask: u32) -> R<()> {
    control(vm, this, libc::EPOLL_CTL_MOD, fd, mask)
}

fn unregister(vm: &Vm, this: ExtArg<Epoll>, fd: Value) -> R<()> {
    control(vm, this, libc::EPOLL_CTL_DEL, fd, 0)
}

fn epoll_poll(vm: &Vm, this: ExtArg<Epoll>, timeout: Option<Value>, max: Option<i64>) -> R<Ref<List>> {
    let epoll = open_fd(vm, this.0)?;
    let max = match max.unwrap_or(-1) {
        -1 => 1023,
        n if n > 0 => n.min(1 << 20) as usize,
        n => return Err(vm.value_error(format!("maxevents must be greater than 0, got {n}"))),
    };
    let timeout = seconds(vm, timeout)?;
    let mut events: Vec<libc::epoll_event> = vm.buffer(max)?;
    // SAFETY: the array has room for `max`.
    let n = wait(vm, timeout, |ms| unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), max as i32, ms) })?;
    // SAFETY: the system wrote the first `n`.
    unsafe { events.set_len(n) };
    let list = List::with_capacity(vm, n)?;
    for e in &events {
        let (fd, mask) = (e.u64 as i64, i64::from(e.events));
        list.push(vm, vm.tuple(&[Value::small_int(fd), Value::small_int(mask)])?)?;
    }
    Ok(list)
}

fn close(vm: &Vm, this: ExtArg<Epoll>) -> R<()> {
    let fd = this.0.fd.replace(-1);
    // SAFETY: this object's descriptor.
    if fd >= 0 && unsafe { libc::close(fd) } != 0 {
        return Err(vm.last_os_error(None));
    }
    Ok(())
}

fn fileno(vm: &Vm, this: ExtArg<Epoll>) -> R<i64> {
    open_fd(vm, this.0).map(i64::from)
}

fn enter(vm: &Vm, this: ExtArg<Epoll>) -> R<Value> {
    open_fd(vm, this.0)?;
    Ok(this.0.value())
}

fn exit(vm: &Vm, this: ExtArg<Epoll>, _t: Option<Value>, _v: Option<Value>, _tb: Option<Value>) -> R<()> {
    close(vm, this)
}

fn closed(vm: &Vm, v: Value) -> R<Value> {
    match v.cast::<Ext<Epoll>>() {
        Some(e) => Ok(Value::bool(e.fd.get() < 0)),
        None => Err(vm.type_error("not an epoll object")),
    }
}

fn new_poll(vm: &Vm) -> R<Value> {
    match vm.state::<State>().poll.get() {
        Some(ty) => Ok(Ext::new(vm, ty, Poll::default())?.value()),
        None => Err(vm.system_error("select is not set up")),
    }
}

fn poll_register(vm: &Vm, this: ExtArg<Poll>, fd: Value, mask: Option<i32>) -> R<()> {
    let fd = descriptor(vm, fd)?;
    let events = events_of(vm, mask.unwrap_or((libc::POLLIN | libc::POLLPRI | libc::POLLOUT).into()))?;
    let mut fds = this.0.fds.borrow_mut();
    match fds.iter_mut().find(|f| f.fd == fd) {
        Some(f) => f.events = events,
        None => fds.push(libc::pollfd { fd, events, revents: 0 }),
    }
    Ok(())
}

/// The events of a mask, which has 16 bits. ValueError, OverflowError.
fn events_of(vm: &Vm, mask: i32) -> R<i16> {
    if mask < 0 {
        return Err(vm.value_error("value must be positive"));
    }
    let mask = u16::try_from(mask);
    mask.map(u16::cast_signed).map_err(|_| vm.overflow_error("Python int too large for C unsigned short"))
}

fn poll_modify(vm: &Vm, this: ExtArg<Poll>, fd: Value, mask: i32) -> R<()> {
    let fd = descriptor(vm, fd)?;
    let events = events_of(vm, mask)?;
    match this.0.fds.borrow_mut().iter_mut().find(|f| f.fd == fd) {
        Some(f) => {
            f.events = events;
            Ok(())
        }
        None => Err(vm.os_error(libc::ENOENT, None)),
    }
}

fn poll_unregister(vm: &Vm, this: ExtArg<Poll>, fd: Value) -> R<()> {
    let number = descriptor(vm, fd)?;
    let mut fds = this.0.fds.borrow_mut();
    match fds.iter().position(|f| f.fd == number) {
        Some(i) => {
            fds.remove(i);
            Ok(())
        }
        None => Err(vm.key_error(fd)),
    }
}

fn poll_poll(vm: &Vm, this: ExtArg<Poll>, timeout: Option<Value>) -> R<Ref<List>> {
    let timeout = seconds(vm, timeout)?.map(|ms| ms / 1000.0);
    if this.0.polling.replace(true) {
        return Err(vm.runtime_error("concurrent poll() invocation"));
    }
    let mut fds = this.0.fds.borrow().clone();
    // SAFETY: the array is as long as said.
    let waited = wait(vm, timeout, |ms| unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as _, ms) });
    this.0.polling.set(false);
    waited?;
    let list = List::with_capacity(vm, 0)?;
    for f in fds.iter().filter(|f| f.revents != 0) {
        list.push(vm, vm.tuple(&[Value::small_int(f.fd.into()), Value::small_int(f.revents.into())])?)?;
    }
    Ok(list)
}

macro_rules! numbers {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name as u32 as i64)),*] };
}
const NUMBERS: &[(&str, i64)] = numbers! {
    EPOLLIN EPOLLOUT EPOLLPRI EPOLLERR EPOLLHUP EPOLLRDHUP EPOLLET EPOLLONESHOT EPOLLEXCLUSIVE EPOLLWAKEUP EPOLLRDNORM
    EPOLLRDBAND EPOLLWRNORM EPOLLWRBAND EPOLLMSG EPOLL_CLOEXEC POLLIN POLLOUT POLLPRI POLLERR POLLHUP POLLNVAL
    POLLRDNORM POLLRDBAND POLLWRNORM POLLWRBAND POLLRDHUP
};

/// `POLLMSG` of Linux, which the crate `libc` lacks.
const POLLMSG: i64 = 0x400;

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "select", FUNCTIONS)?;
    let d = m.dict();
    let (epoll, poll) = (vm.make_native_type(&EPOLL)?, vm.make_native_type(&POLL)?);
    let state = vm.state::<State>();
    state.epoll.set(Some(epoll));
    state.poll.set(Some(poll));
    d.set_name(vm, "epoll", epoll.value())?;
    d.set_name(vm, "error", vm.exc.os_error.value())?;
    d.set_name(vm, "PIPE_BUF", Value::small_int(4096))?;
    for &(name, n) in NUMBERS.iter().chain(&[("POLLMSG", POLLMSG)]) {
        d.set_name(vm, name, vm.int(n)?)?;
    }
    Ok(m)
}
