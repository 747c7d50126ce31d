//! `_multiprocessing`: locks that processes share, and `_posixshmem`: memory that they share.

use super::arguments::{Parameters, c_int};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument, ext_type};
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};
use std::cell::Cell;
use std::ffi::CString;

/// Kinds of [`SemLock`].
const RECURSIVE_MUTEX: i32 = 0;
const SEMAPHORE: i32 = 1;

/// A semaphore of the system, as a mutex that its thread can take again or as what it is.
struct SemLock {
    handle: *mut libc::sem_t,
    kind: i32,
    most: i32,
    /// None: it was made without one.
    name: Field,
    /// Times that this process has taken it, and the thread that was the last to do so.
    count: Cell<i64>,
    owner: Cell<u64>,
}

impl Payload for SemLock {
    const NAME: &'static str = "_multiprocessing.SemLock";
    const NEEDS_DROP: bool = true;
    fn trace(&self, t: &mut Tracer<'_>) {
        let SemLock { handle: _, kind: _, most: _, name, count: _, owner: _ } = self;
        name.trace(t);
    }
}

impl Drop for SemLock {
    fn drop(&mut self) {
        // SAFETY: opened by the constructor, and nobody uses it any more.
        unsafe { libc::sem_close(self.handle) };
    }
}

type This = ExtArg<SemLock>;

native_type! {
    SEM_LOCK: "_multiprocessing.SemLock", Kind::Ext, type_flags::BASETYPE, "Semaphore/Mutex type";
    methods {
        [static] "__new__($type, /, kind, value, maxvalue, name, unlink)" => new;
        "acquire($self, /, block=True, timeout=None)" => acquire, "Acquire the semaphore/lock.";
        "release($self, /)" => release, "Release the semaphore/lock.";
        "__enter__($self, /)" => |vm: &Vm, s: This| acquire(vm, s, None, None), "Enter the semaphore/lock.";
        "__exit__($self, exc_type=None, exc_value=None, exc_tb=None, /)" => |vm: &Vm, s: This, _: Option<Value>, _: Option<Value>, _: Option<Value>| release(vm, s), "Exit the semaphore/lock.";
        "_count($self, /)" => |_: &Vm, s: This| s.0.count.get(), "Num of `acquire()`s minus num of `release()`s for this process.";
        "_is_mine($self, /)" => |vm: &Vm, s: This| is_mine(vm, &s.0), "Whether the lock is owned by this thread.";
        "_get_value($self, /)" => |vm: &Vm, s: This| -> R<i64> { Ok(value(vm, &s.0)?.max(0).into()) }, "Get the value of the semaphore.";
        "_is_zero($self, /)" => |vm: &Vm, s: This| -> R<bool> { Ok(value(vm, &s.0)? <= 0) }, "Return whether semaphore has value zero.";
        "_after_fork($self, /)" => |_: &Vm, s: This| s.0.count.set(0), "Rezero the net acquisition count after fork().";
        [class] "_rebuild($type, handle, kind, maxvalue, name, /)" => rebuild;
    }
    getset {
        "handle" => |vm: &Vm, s: This| vm.int(s.0.handle.addr() as i64);
        "kind" => |vm: &Vm, s: This| vm.int(s.0.kind.into());
        "maxvalue" => |vm: &Vm, s: This| vm.int(s.0.most.into());
        "name" => |_: &Vm, s: This| -> R<Value> { Ok(s.0.name.or_none()) };
    }
}

/// A name for the system. ValueError.
fn c_name(vm: &Vm, s: Ref<Str>) -> R<CString> {
    CString::new(s.bytes()).map_err(|_| vm.value_error("embedded null character"))
}

fn new(
    vm: &Vm,
    class: Ref<Type>,
    kind: Value,
    first: Value,
    most: Value,
    name: Ref<Str>,
    unlink: bool,
) -> R<Value> {
    let (kind, first, most) = (c_int(vm, kind)?, c_int(vm, first)?, c_int(vm, most)?);
    if kind != RECURSIVE_MUTEX && kind != SEMAPHORE {
        return Err(vm.value_error("unrecognized kind"));
    }
    let path = c_name(vm, name)?;
    // SAFETY: a new semaphore of this name; the system checks the rest.
    let handle = unsafe { libc::sem_open(path.as_ptr(), libc::O_CREAT | libc::O_EXCL, 0o600, first) };
    if handle == libc::SEM_FAILED {
        return Err(vm.last_os_error(None));
    }
    // SAFETY: the name just made.
    if unlink && unsafe { libc::sem_unlink(path.as_ptr()) } != 0 {
        let error = vm.last_os_error(None);
        // SAFETY: opened above.
        unsafe { libc::sem_close(handle) };
        return Err(error);
    }
    let name = if unlink { None } else { Some(name.value()) };
    make_lock(vm, class, handle, kind, most, name)
}

fn make_lock(
    vm: &Vm,
    class: Ref<Type>,
    handle: *mut libc::sem_t,
    kind: i32,
    most: i32,
    name: Option<Value>,
) -> R<Value> {
    let args = [class.value()];
    let class = class_argument(vm, &Args::new(&args, None), ext_type(vm, &SEM_LOCK)?)?;
    let lock =
        SemLock { handle, kind, most, name: Field::new(name), count: Cell::new(0), owner: Cell::new(0) };
    Ok(Ext::new(vm, class, lock)?.value())
}

/// The lock of a name, in another process than that which made it.
fn rebuild(vm: &Vm, class: Ref<Type>, _: Value, kind: Value, most: Value, name: Option<Value>) -> R<Value> {
    let (kind, most) = (c_int(vm, kind)?, c_int(vm, most)?);
    let Some(name) = name.and_then(|n| n.cast::<Str>()) else {
        return Err(vm.type_error("a SemLock without a name cannot be used by another program"));
    };
    let path = c_name(vm, name)?;
    // SAFETY: the system checks the name.
    let handle = unsafe { libc::sem_open(path.as_ptr(), 0) };
    if handle == libc::SEM_FAILED {
        return Err(vm.last_os_error(None));
    }
    make_lock(vm, class, handle, kind, most, Some(name.value()))
}

fn is_mine(vm: &Vm, s: &SemLock) -> bool {
    s.count.get() > 0 && s.owner.get() == vm.threads.current().ident()
}

fn value(vm: &Vm, s: &SemLock) -> R<i32> {
    let mut n = 0;
    // SAFETY: an open semaphore; writes the number.
    match unsafe { libc::sem_getvalue(s.handle, &mut n) } {
        0 => Ok(n),
        _ => Err(vm.last_os_error(None)),
    }
}

fn taken(vm: &Vm, s: &SemLock) {
    s.count.set(s.count.get() + 1);
    s.owner.set(vm.threads.current().ident());
}

/// The time of the system's clock so many seconds from now. OSError.
fn deadline(vm: &Vm, seconds: f64) -> R<libc::timespec> {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the struct.
    if unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &mut t) } != 0 {
        return Err(vm.last_os_error(None));
    }
    // A year is as good as any longer time.
    let seconds = seconds.clamp(0.0, 3.2e7);
    let nanos = t.tv_nsec + (seconds.fract() * 1e9) as i64;
    t.tv_sec += seconds as i64 + nanos / 1_000_000_000;
    t.tv_nsec = nanos % 1_000_000_000;
    Ok(t)
}

fn acquire(vm: &Vm, s: This, block: Option<bool>, timeout: Option<Value>) -> R<bool> {
    let s = s.0;
    if s.kind == RECURSIVE_MUTEX && is_mine(vm, &s) {
        s.count.set(s.count.get() + 1);
        return Ok(true);
    }
    let until = match timeout.filter(|t| !t.is_none()) {
        Some(t) if block.unwrap_or(true) => Some(deadline(vm, vm.to_f64(t)?)?),
        _ => None,
    };
    // An object does not move, and the semaphore outlives it.
    let handle = s.handle.addr();
    let sem = |addr: usize| std::ptr::with_exposed_provenance_mut::<libc::sem_t>(addr);
    s.handle.expose_provenance();
    // SAFETY (all): an open semaphore.
    let mut done = unsafe { libc::sem_trywait(s.handle) };
    while done != 0 {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        match errno {
            libc::EAGAIN if block.unwrap_or(true) => {}
            libc::EAGAIN | libc::ETIMEDOUT => return Ok(false),
            libc::EINTR => vm.check_signals()?,
            errno => return Err(vm.os_error(errno, None)),
        }
        done = vm.without_gil(|| unsafe {
            match &until {
                Some(t) => libc::sem_timedwait(sem(handle), t),
                None => libc::sem_wait(sem(handle)),
            }
        });
    }
    taken(vm, &s);
    Ok(true)
}

fn release(vm: &Vm, s: This) -> R<()> {
    let s = s.0;
    if s.kind == RECURSIVE_MUTEX {
        if !is_mine(vm, &s) {
            let class = vm.builtin("AssertionError")?;
            let text = vm.str("attempt to release recursive lock not owned by thread")?;
            let e = vm.call(class, &[text])?;
            return Err(vm.raise(e));
        }
        if s.count.get() > 1 {
            s.count.set(s.count.get() - 1);
            return Ok(());
        }
    } else if value(vm, &s)? >= s.most {
        return Err(vm.value_error("semaphore or lock released too many times"));
    }
    // SAFETY: an open semaphore.
    if unsafe { libc::sem_post(s.handle) } != 0 {
        return Err(vm.last_os_error(None));
    }
    s.count.set(s.count.get() - 1);
    Ok(())
}

fn sem_unlink(vm: &Vm, name: Ref<Str>) -> R<()> {
    let path = c_name(vm, name)?;
    // SAFETY: the system checks the name.
    match unsafe { libc::sem_unlink(path.as_ptr()) } {
        0 => Ok(()),
        _ => Err(vm.last_os_error(None)),
    }
}

native_functions! { FUNCTIONS:
    "sem_unlink(name, /)" => sem_unlink;
}

/// MemoryError.
pub fn make_multiprocessing(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_multiprocessing", FUNCTIONS)?;
    let class = ext_type(vm, &SEM_LOCK)?;
    let most = Value::small_int(i32::MAX.into());
    class.dict().set_name(vm, "SEM_VALUE_MAX", most)?;
    class.modified(vm);
    m.dict().set_name(vm, "SemLock", class.value())?;
    let flags = Dict::new(vm)?;
    for name in ["HAVE_SEM_OPEN", "HAVE_SEM_TIMEDWAIT"] {
        flags.set_name(vm, name, Value::small_int(1))?;
    }
    m.dict().set_name(vm, "flags", flags.value())?;
    Ok(m)
}

// ---- _posixshmem

static OPEN: Parameters =
    Parameters { function: Some("shm_open"), names: &["path", "flags", "mode"], positional: 3 };

/// A path that may not be anything else than text. TypeError.
fn path_argument(vm: &Vm, v: Value) -> R<CString> {
    match v.cast::<Str>() {
        Some(s) => c_name(vm, s),
        None => {
            let got = vm.type_name(v);
            Err(vm.type_error(format!("a str is required, not {got}")))
        }
    }
}

fn shm_open(vm: &Vm, args: Args<'_>) -> R<i64> {
    let [path, flags, mode] = OPEN.bind(vm, args)?;
    for (i, v) in [path, flags].into_iter().enumerate() {
        if v.is_unbound() {
            return Err(OPEN.missing(vm, i));
        }
    }
    let path = path_argument(vm, path)?;
    let flags = c_int(vm, flags)?;
    let mode = if mode.is_unbound() { 0o777 } else { c_int(vm, mode)? };
    let opened = vm.retry(|| {
        // SAFETY: the system checks all.
        match unsafe { libc::shm_open(path.as_ptr(), flags, mode as libc::mode_t) } {
            -1 => Err(std::io::Error::last_os_error()),
            fd => Ok(fd),
        }
    })?;
    opened.map(i64::from).map_err(|e| vm.os_error(e.raw_os_error().unwrap_or(0), None))
}

fn shm_unlink(vm: &Vm, path: Value) -> R<()> {
    let path = path_argument(vm, path)?;
    // SAFETY: the system checks the name.
    match unsafe { libc::shm_unlink(path.as_ptr()) } {
        0 => Ok(()),
        _ => Err(vm.last_os_error(None)),
    }
}

native_functions! { SHARED_MEMORY:
    "shm_open(path, flags, mode=511)" => shm_open, "Open a shared memory object.  Returns a file descriptor (integer).";
    "shm_unlink(path)" => shm_unlink, "Remove a shared memory object (similar to unlink()).";
}

/// MemoryError.
pub fn make_posixshmem(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "_posixshmem", SHARED_MEMORY)
}
