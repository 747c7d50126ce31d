//! `_signal`: signals, whose Python handlers run at the next safepoint.
//!
//! The system's handler only notes the number and sets the poll bit of the isolate that installed it.

use super::signal_sets;
use skein_runtime::native_functions;
use skein_runtime::object::{Ref, Tracer};
use skein_runtime::threads::words::Asker;
use skein_runtime::types::module::Module;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::{Vm, poll};
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

pub(super) const COUNT: usize = 65;

static ARRIVED: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];
/// What stops the code of the isolate that takes signals. Never freed once set here.
static ASKER: AtomicPtr<Asker> = AtomicPtr::new(std::ptr::null_mut());
static WAKEUP_FD: AtomicI32 = AtomicI32::new(-1);

extern "C" fn on_signal(number: i32) {
    // SAFETY: errno is restored, since the interrupted code may be about to read it.
    unsafe {
        let errno = *libc::__errno_location();
        ARRIVED[number as usize].store(true, Ordering::Relaxed);
        if let Some(asker) = ASKER.load(Ordering::Acquire).as_ref() {
            asker.signal();
        }
        let fd = WAKEUP_FD.load(Ordering::Relaxed);
        if fd >= 0 {
            let byte = number as u8;
            libc::write(fd, (&raw const byte).cast(), 1);
        }
        *libc::__errno_location() = errno;
    }
}

/// Handlers by signal number; UNBOUND: never looked at.
struct State {
    handlers: RefCell<Vec<Value>>,
    traced: Cell<bool>,
}

impl Default for State {
    fn default() -> State {
        // bounded: so many signals there are
        State { handlers: RefCell::new(vec![Value::UNBOUND; COUNT]), traced: Cell::default() }
    }
}

fn state(vm: &Vm) -> std::rc::Rc<State> {
    let state = vm.state::<State>();
    if !state.traced.replace(true) {
        vm.root_tracers.borrow_mut().push(|vm: &Vm, t: &mut Tracer<'_>| {
            for v in vm.state::<State>().handlers.borrow().iter() {
                t.visit_word(v.bits());
            }
        });
    }
    state
}

const SIG_DFL: Value = Value::small_int(0);
const SIG_IGN: Value = Value::small_int(1);

/// The signal by which another process asks this one to run a script: see `skein.attach`. Nobody pays for it before it comes.
pub fn attach_signal() -> i32 {
    libc::SIGRTMAX() - 2
}

/// May other processes ask for that? As CPython's own way of doing so, it is switched off by `-X disable-remote-debug`.
pub fn is_attachable(vm: &Vm) -> bool {
    let off = |name: &str| name == "disable-remote-debug" || name == "disable_remote_debug";
    let by_variable = !vm.config.ignore_environment
        && std::env::var_os("PYTHON_DISABLE_REMOTE_DEBUG").is_some_and(|v| !v.is_empty());
    !by_variable && !vm.config.x_options.iter().any(|(name, _)| off(name))
}

/// Does what was asked for by that signal. Its errors are shown and end nothing.
fn attached(vm: &Vm) {
    let run = vm.import("skein.attach").and_then(|m| vm.call_method(m, "run_what_was_left", &[]));
    if run.is_err() {
        vm.unraisable(Some("Exception ignored in a script from another process"), Value::NONE);
    }
}

/// Ctrl-C raises KeyboardInterrupt from now on, and a broken pipe or a file that is too large is an error instead of the end.
pub fn install_interrupt(vm: &Vm) {
    let asker = std::sync::Arc::into_raw(vm.threads.asker.clone()).cast_mut();
    ASKER.store(asker, Ordering::Release);
    // SAFETY: plain calls with constant arguments.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        // A parent that ignores Ctrl-C (a shell's `&`) decides for this program too.
        let mut old: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGINT, std::ptr::null(), &mut old) == 0 && old.sa_sigaction != libc::SIG_IGN
        {
            set_action(libc::SIGINT, on_signal as *const () as usize);
        }
        let free = libc::sigaction(attach_signal(), std::ptr::null(), &mut old) == 0;
        if free && old.sa_sigaction == libc::SIG_DFL && is_attachable(vm) {
            set_action(attach_signal(), on_signal as *const () as usize);
        }
    }
}

/// SAFETY: `action` is a handler's address or one of the system's constants.
unsafe fn set_action(number: i32, action: usize) -> bool {
    // SAFETY: the struct is plain data; without SA_RESTART, so that blocking calls come back.
    unsafe {
        let mut new: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = action;
        libc::sigemptyset(&mut new.sa_mask);
        libc::sigaction(number, &new, std::ptr::null_mut()) == 0
    }
}

/// Runs the Python handlers of signals that arrived.
pub fn run_signal_handlers(vm: &Vm) -> R<()> {
    if vm.config.limits.is_some() {
        // They are for the program's own isolate.
        return Ok(());
    }
    let state = state(vm);
    for (number, arrived) in ARRIVED.iter().enumerate() {
        if !arrived.swap(false, Ordering::Relaxed) {
            continue;
        }
        let handler = state.handlers.borrow().get(number).copied().unwrap_or(Value::UNBOUND);
        // The default one is not called: where the recursion limit is near, that would raise something else.
        let is_default = handler.cast::<NativeFunction>().is_some_and(|f| {
            FUNCTIONS.iter().any(|d| std::ptr::eq(d, f.def()) && d.name == "default_int_handler")
        });
        if handler.is_unbound() || handler.is_int() || is_default {
            if number == libc::SIGINT as usize || is_default {
                return Err(vm.raise_new(vm.exc.keyboard_interrupt, &[]));
            }
            if number == attach_signal() as usize && handler != SIG_IGN && is_attachable(vm) {
                attached(vm);
            }
            continue;
        }
        let frame = match skein_runtime::interp::Walk::running(vm).next() {
            Some(f) => skein_runtime::interp::frame_object(vm, f.base)?.value(),
            None => Value::NONE,
        };
        let result = vm.call(handler, &[Value::small_int(number as i64), frame]);
        if result.is_err() {
            if ARRIVED.iter().any(|a| a.load(Ordering::Relaxed)) {
                vm.request(poll::SIGNAL);
            }
            return result.map(|_| ());
        }
    }
    Ok(())
}

native_functions! { FUNCTIONS:
    "signal(signalnum, handler, /)" => signal, "Set the action for the given signal.";
    "getsignal(signalnum, /)" => getsignal, "Return the current action for the given signal.";
    "default_int_handler(signalnum, frame, /)" => default_int_handler;
    "raise_signal(signalnum, /)" => raise_signal;
    "alarm(seconds, /)" => alarm;
    "setitimer(which, seconds, interval=0.0, /)" => setitimer;
    "getitimer(which, /)" => getitimer;
    "pause()" => pause;
    "set_wakeup_fd(fd, /, *, warn_on_full_buffer=True)" => set_wakeup_fd;
    "siginterrupt(signalnum, flag, /)" => siginterrupt;
    "strsignal(signalnum, /)" => strsignal;
    "valid_signals()" => valid_signals;
    "pthread_kill(thread_id, signalnum, /)" => pthread_kill;
    "pidfd_send_signal(pidfd, signalnum, siginfo=None, flags=0, /)" => pidfd_send_signal, "Send a signal to a process referred to by a pid file descriptor.";
    "pthread_sigmask(how, mask, /)" => signal_sets::mask, "Fetch and/or change the signal mask of the calling thread.";
    "sigpending()" => signal_sets::pending, "Examine pending signals.";
    "sigwait(sigset, /)" => signal_sets::wait, "Wait for a signal.";
    "sigwaitinfo(sigset, /)" => signal_sets::wait_info, "Wait synchronously until one of the signals in *sigset* is delivered.";
    "sigtimedwait(sigset, timeout, /)" => signal_sets::timed_wait, "Like sigwaitinfo(), but with a timeout.";
}

fn number(vm: &Vm, n: i32) -> R<i32> {
    if n < 1 || n as usize >= COUNT {
        return Err(vm.value_error("signal number out of range"));
    }
    Ok(n)
}

/// What is installed now, as Python sees it.
fn current(vm: &Vm, n: i32) -> R<Value> {
    let known = state(vm).handlers.borrow()[n as usize];
    if !known.is_unbound() {
        return Ok(known);
    }
    // SAFETY: asks only.
    let action = unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(n, std::ptr::null(), &mut old) != 0 {
            return Ok(Value::NONE);
        }
        old.sa_sigaction
    };
    match action {
        libc::SIG_DFL => Ok(SIG_DFL),
        libc::SIG_IGN => Ok(SIG_IGN),
        _ if n == attach_signal() => Ok(SIG_DFL),
        _ if n == libc::SIGINT => {
            let m = super::import(vm, "_signal")?;
            vm.get_attr_str(m, "default_int_handler")
        }
        _ => Ok(Value::NONE),
    }
}

fn check_main_thread(vm: &Vm, what: &str) -> R<()> {
    if vm.threads.is_main() && vm.config.limits.is_none() {
        return Ok(());
    }
    Err(vm.value_error(format!("{what} only works in main thread of the main interpreter")))
}

/// As if a signal had come in, if a handler of the program waits for it.
pub fn trip_signal(vm: &Vm, n: i32) -> R<()> {
    let n = number(vm, n)?;
    let handler = current(vm, n)?;
    if !handler.is_none() && !handler.is_int() {
        ARRIVED[n as usize].store(true, Ordering::Relaxed);
        vm.threads.asker.signal();
    }
    Ok(())
}

fn signal(vm: &Vm, n: i32, handler: Value) -> R<Value> {
    check_main_thread(vm, "signal")?;
    let n = number(vm, n)?;
    let word = vm.as_i64(vm.absorb(vm.index(handler), vm.exc.type_error)?.unwrap_or(Value::NONE));
    let (action, stored) = match word {
        Some(0) if n == attach_signal() && is_attachable(vm) => (on_signal as *const () as usize, SIG_DFL),
        Some(0) => (libc::SIG_DFL, SIG_DFL),
        Some(1) => (libc::SIG_IGN, SIG_IGN),
        _ if word.is_none() && vm.type_of(handler).special(vm, skein_bytecode::Special::Call).is_some() => {
            (on_signal as *const () as usize, handler)
        }
        _ => {
            return Err(
                vm.type_error("signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object")
            );
        }
    };
    vm.check_signals()?;
    let old = current(vm, n)?;
    // SAFETY: one of the three.
    if !unsafe { set_action(n, action) } {
        return Err(vm.last_os_error(None));
    }
    state(vm).handlers.borrow_mut()[n as usize] = stored;
    Ok(old)
}

fn getsignal(vm: &Vm, n: i32) -> R<Value> {
    current(vm, number(vm, n)?)
}

fn default_int_handler(vm: &Vm, _n: Value, _frame: Value) -> R<()> {
    Err(vm.raise_new(vm.exc.keyboard_interrupt, &[]))
}

fn raise_signal(vm: &Vm, n: i32) -> R<()> {
    // SAFETY: a plain call.
    if unsafe { libc::raise(n) } != 0 {
        return Err(vm.last_os_error(None));
    }
    vm.check_signals()
}

fn alarm(_: &Vm, seconds: i32) -> i64 {
    // SAFETY: a plain call.
    unsafe { libc::alarm(seconds as u32) }.into()
}

fn timeval(t: f64) -> libc::timeval {
    libc::timeval { tv_sec: t.trunc() as _, tv_usec: (t.fract() * 1e6) as _ }
}

fn timer_tuple(vm: &Vm, t: &libc::itimerval) -> R<Value> {
    let f = |t: &libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    let (value, interval) = (vm.float(f(&t.it_value))?, vm.float(f(&t.it_interval))?);
    vm.tuple(&[value, interval])
}

fn setitimer(vm: &Vm, which: i32, seconds: f64, interval: Option<f64>) -> R<Value> {
    let new = libc::itimerval { it_value: timeval(seconds), it_interval: timeval(interval.unwrap_or(0.0)) };
    // SAFETY: plain data in and out.
    let (done, old) = unsafe {
        let mut old: libc::itimerval = std::mem::zeroed();
        (libc::setitimer(which as _, &new, &mut old), old)
    };
    if done != 0 {
        return Err(vm.last_os_error(None));
    }
    timer_tuple(vm, &old)
}

fn getitimer(vm: &Vm, which: i32) -> R<Value> {
    // SAFETY: plain data out.
    let (done, old) = unsafe {
        let mut old: libc::itimerval = std::mem::zeroed();
        (libc::getitimer(which as _, &mut old), old)
    };
    if done != 0 {
        return Err(vm.last_os_error(None));
    }
    timer_tuple(vm, &old)
}

fn pause(vm: &Vm) -> R<()> {
    // SAFETY: waits for a signal.
    vm.without_gil(|| unsafe { libc::pause() });
    vm.check_signals()
}

fn set_wakeup_fd(vm: &Vm, fd: i32, _warn: Option<bool>) -> R<i64> {
    check_main_thread(vm, "set_wakeup_fd")?;
    if fd != -1 {
        // SAFETY: asks only.
        let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
        if flags < 0 {
            return Err(vm.last_os_error(None));
        }
        if flags & libc::O_NONBLOCK == 0 {
            return Err(vm.value_error(format!("the fd {fd} must be in non-blocking mode")));
        }
    }
    Ok(WAKEUP_FD.swap(fd, Ordering::Relaxed).into())
}

/// Whether system calls fail when the signal arrives, or are begun again.
fn siginterrupt(vm: &Vm, n: i32, interrupts: bool) -> R<()> {
    let n = number(vm, n)?;
    // SAFETY: the action that is there, with one flag changed.
    let done = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(n, std::ptr::null(), &mut action) == 0 && {
            match interrupts {
                true => action.sa_flags &= !libc::SA_RESTART,
                false => action.sa_flags |= libc::SA_RESTART,
            }
            libc::sigaction(n, &action, std::ptr::null_mut()) == 0
        }
    };
    if done { Ok(()) } else { Err(vm.last_os_error(None)) }
}

fn pidfd_send_signal(vm: &Vm, pidfd: i32, n: i32, info: Option<Value>, flags: Option<u32>) -> R<()> {
    if info.is_some_and(|i| !i.is_none()) {
        return Err(vm.type_error("siginfo must be None"));
    }
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: plain numbers, and no information.
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd, n, none, flags.unwrap_or(0)) };
    if sent == 0 { vm.check_signals() } else { Err(vm.last_os_error(None)) }
}

fn strsignal(vm: &Vm, n: i32) -> R<Value> {
    let n = number(vm, n)?;
    // SAFETY: the text is static or lives until the next call.
    unsafe {
        let text = libc::strsignal(n);
        if text.is_null() {
            return Ok(Value::NONE);
        }
        vm.str(&std::ffi::CStr::from_ptr(text).to_string_lossy())
    }
}

fn valid_signals(vm: &Vm) -> R<Value> {
    let all = skein_runtime::types::list::List::with_capacity(vm, COUNT)?;
    for n in (1..COUNT as i64).filter(|n| !(32..34).contains(n)) {
        all.push(vm, Value::small_int(n))?;
    }
    vm.frozenset(all.items())
}

fn pthread_kill(vm: &Vm, thread: u64, n: i32) -> R<()> {
    vm.audit("signal.pthread_kill", || vm.tuple(&[vm.int_u64(thread)?, Value::small_int(n.into())]))?;
    // SAFETY: the caller's thread id, as in C.
    match unsafe { libc::pthread_kill(thread as libc::pthread_t, n) } {
        0 => vm.check_signals(),
        errno => Err(vm.os_error(errno, None)),
    }
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = skein_runtime::types::module::make_module(vm, "_signal", FUNCTIONS)?;
    let d = m.dict();
    for (name, n) in [
        ("SIG_DFL", 0),
        ("SIG_IGN", 1),
        ("SIG_BLOCK", libc::SIG_BLOCK),
        ("SIG_UNBLOCK", libc::SIG_UNBLOCK),
        ("SIG_SETMASK", libc::SIG_SETMASK),
        ("NSIG", COUNT as i32),
        ("SIGHUP", libc::SIGHUP),
        ("SIGINT", libc::SIGINT),
        ("SIGQUIT", libc::SIGQUIT),
        ("SIGILL", libc::SIGILL),
        ("SIGTRAP", libc::SIGTRAP),
        ("SIGABRT", libc::SIGABRT),
        ("SIGBUS", libc::SIGBUS),
        ("SIGFPE", libc::SIGFPE),
        ("SIGKILL", libc::SIGKILL),
        ("SIGUSR1", libc::SIGUSR1),
        ("SIGSEGV", libc::SIGSEGV),
        ("SIGUSR2", libc::SIGUSR2),
        ("SIGPIPE", libc::SIGPIPE),
        ("SIGALRM", libc::SIGALRM),
        ("SIGTERM", libc::SIGTERM),
        ("SIGCHLD", libc::SIGCHLD),
        ("SIGCONT", libc::SIGCONT),
        ("SIGSTOP", libc::SIGSTOP),
        ("SIGTSTP", libc::SIGTSTP),
        ("SIGTTIN", libc::SIGTTIN),
        ("SIGTTOU", libc::SIGTTOU),
        ("SIGURG", libc::SIGURG),
        ("SIGXCPU", libc::SIGXCPU),
        ("SIGXFSZ", libc::SIGXFSZ),
        ("SIGVTALRM", libc::SIGVTALRM),
        ("SIGPROF", libc::SIGPROF),
        ("SIGWINCH", libc::SIGWINCH),
        ("SIGIO", libc::SIGIO),
        ("SIGPWR", libc::SIGPWR),
        ("SIGSYS", libc::SIGSYS),
        ("SIGCLD", libc::SIGCHLD),
        ("SIGIOT", libc::SIGABRT),
        ("SIGPOLL", libc::SIGIO),
        ("SIGSTKFLT", libc::SIGSTKFLT),
        ("SIGRTMIN", libc::SIGRTMIN()),
        ("SIGRTMAX", libc::SIGRTMAX()),
        ("ITIMER_REAL", 0),
        ("ITIMER_VIRTUAL", 1),
        ("ITIMER_PROF", 2),
    ] {
        d.set_name(vm, name, Value::small_int(n.into()))?;
    }
    d.set_name(vm, "struct_siginfo", signal_sets::info_type(vm)?)?;
    d.set_name(vm, "ItimerError", vm.exc.os_error.value())?;
    Ok(m)
}
