//! `faulthandler`: shows where threads are, also when the process dies of a signal.
//!
//! What a program asks for itself is shown by a thread that has the isolate's lock. A fatal signal's handler can have no
//! lock; it reads the stack of the thread that has it, and the process ends in any case.

use super::thread::seconds;
use skein_builtins::modules::import;
use skein_runtime::interp::Frames;
use skein_runtime::object::{Ref, Tracer};
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm, native_functions};
use std::cell::{Cell, RefCell, UnsafeCell};
use std::fmt::{self, Write};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Frames and threads that are shown at most.
const MOST: usize = 100;
/// Characters of a name that are shown at most.
const LONGEST: usize = 500;
/// How long a thread that computes in native code may keep the program from being shown before it is ended unseen.
const PATIENCE: Duration = Duration::from_secs(2);

native_functions! { FUNCTIONS:
    "dump_traceback(file=sys.stderr, all_threads=True)" => dump_traceback,
        "Dump the traceback of the current thread, or of all threads, into file.";
    "dump_c_stack(file=sys.stderr)" => dump_c_stack, "Dump the C stack of the current thread.";
    "enable(file=sys.stderr, all_threads=True, c_stack=True)" => enable,
        "Show the traceback when the process dies of a signal.";
    "disable()" => disable, "Do not show tracebacks of fatal signals any more; tells whether they were.";
    "is_enabled()" => |_: &Vm| FATAL.enabled.load(Ordering::Relaxed), "Are tracebacks of fatal signals shown?";
    "dump_traceback_later(timeout, repeat=False, file=sys.stderr, exit=False)" => dump_later,
        "Dump the tracebacks of all threads in timeout seconds, unless that is cancelled before.";
    "cancel_dump_traceback_later()" => cancel, "Do not do what dump_traceback_later() was asked for.";
    "register(signum, file=sys.stderr, all_threads=True, chain=False)" => register,
        "Dump the traceback of the current thread, or of all threads, when the signal arrives.";
    "unregister(signum, /)" => unregister, "Undo register(); tells whether there was something to undo.";
    "_on_signal(signum, frame, /)" => on_registered, "The handler of signals that were registered.";
    "_read_null()" => |_: &Vm| kill_self(libc::SIGSEGV);
    "_sigsegv(release_gil=False, /)" => |_: &Vm, _: Option<bool>| kill_self(libc::SIGSEGV);
    "_sigabrt()" => |_: &Vm| kill_self(libc::SIGABRT);
    "_sigfpe()" => |_: &Vm| kill_self(libc::SIGFPE);
}

fn kill_self(number: i32) {
    // The handler that Rust's library has for faults takes itself off and goes on: they would come again.
    for _ in 0..2 {
        // SAFETY: what is asked for is the end of the process.
        unsafe { libc::raise(number) };
    }
}

// ---- text without memory of its own, since a signal's handler must not allocate

struct Out(i32);

impl Write for Out {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            // SAFETY: the bytes of a slice.
            let n = unsafe { libc::write(self.0, rest.as_ptr().cast(), rest.len()) };
            match usize::try_from(n) {
                Ok(n) => rest = rest.get(n..).unwrap_or_default(),
                // Nobody is left to be told.
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }
}

impl Out {
    /// A name in ASCII, as long as names may be.
    fn name(&mut self, text: Value) -> fmt::Result {
        let Some(text) = text.cast::<Str>() else { return self.write_str("???") };
        let mut n = 0;
        for c in text.code_points() {
            n += 1;
            match c {
                _ if n > LONGEST => return self.write_str("..."),
                0x20..0x7f => self.write_char(char::from(c as u8))?,
                0..0x100 => write!(self, "\\x{c:02x}")?,
                0x100..0x10000 => write!(self, "\\u{c:04x}")?,
                _ => write!(self, "\\U{c:08x}")?,
            }
        }
        Ok(())
    }

    fn frame(&mut self, code: Ref<CodeObject>, line: u32) -> fmt::Result {
        self.write_str("  File \"")?;
        self.name(code.filename.or_none())?;
        match line {
            0 => self.write_str("\", line ???")?,
            _ => write!(self, "\", line {line}")?,
        }
        self.write_str(" in ")?;
        self.name(code.name.or_none())?;
        self.write_str("\n")
    }

    /// The frames of the thread that has the lock.
    fn running(&mut self, vm: &Vm) -> fmt::Result {
        for (n, frame) in Frames::running(vm).enumerate() {
            if n == MOST {
                return self.write_str("  ...\n");
            }
            self.frame(frame.code(), frame.line())?;
        }
        Ok(())
    }

    fn thread(&mut self, ident: u64, current: bool) -> fmt::Result {
        let what = if current { "Current thread" } else { "Thread" };
        write!(self, "{what} {ident:#018x}")?;
        let mut name = [0_u8; 32];
        // SAFETY: the thread is one of the isolate's, which are known as long as they run.
        let known = unsafe {
            libc::pthread_getname_np(ident as libc::pthread_t, name.as_mut_ptr().cast(), name.len())
        };
        let len = name.iter().position(|&b| b == 0).unwrap_or(0);
        if known == 0 && len > 0 {
            write!(self, " [{}]", std::str::from_utf8(&name[..len]).unwrap_or("???"))?;
        }
        self.write_str(" (most recent call first):\n")
    }
}

// ---- at a safepoint

/// Where the threads are; `but` is left out. MemoryError.
fn show_all(vm: &Vm, fd: i32, but: Option<u32>) -> R<()> {
    let mut out = Out(fd);
    let me = vm.threads.current().serial;
    let all = vm.threads.all();
    let wanted = all.iter().rev().filter(|t| Some(t.serial) != but);
    for (shown, thread) in wanted.enumerate() {
        if shown == MOST {
            let _ = out.write_str("...\n");
            break;
        }
        if shown > 0 {
            let _ = out.write_str("\n");
        }
        let _ = out.thread(thread.ident(), thread.serial == me);
        if thread.serial == me {
            let _ = out.running(vm);
            continue;
        }
        let owner = thread.parked_switcher().running();
        let Some(frame) = skein_runtime::interp::innermost_frame(vm, owner)? else {
            let _ = out.write_str("  <no Python frame>\n");
            continue;
        };
        let mut frame = frame.value();
        for n in 0.. {
            if n == MOST {
                let _ = out.write_str("  ...\n");
                break;
            }
            let line = vm.as_i64(vm.get_attr_str(frame, "f_lineno")?).and_then(|n| u32::try_from(n).ok());
            if let Some(code) = vm.get_attr_str(frame, "f_code")?.cast::<CodeObject>() {
                let _ = out.frame(code, line.unwrap_or(0));
            }
            frame = vm.get_attr_str(frame, "f_back")?;
            if frame.is_none() {
                break;
            }
        }
    }
    Ok(())
}

fn show(vm: &Vm, fd: i32, all: bool, head: &str) -> R<()> {
    if all {
        return show_all(vm, fd, None);
    }
    let mut out = Out(fd);
    let _ = out.write_str(head);
    let _ = out.running(vm);
    Ok(())
}

fn dump_traceback(vm: &Vm, file: Option<Value>, all_threads: Option<bool>) -> R<()> {
    let (fd, _) = file_of(vm, file)?;
    show(vm, fd, all_threads.unwrap_or(true), "Stack (most recent call first):\n")
}

fn dump_c_stack(vm: &Vm, file: Option<Value>) -> R<()> {
    let (fd, _) = file_of(vm, file)?;
    let _ = Out(fd).write_str(NO_C_STACK);
    Ok(())
}

const NO_C_STACK: &str =
    "Current thread's C stack trace (most recent call first):\n  <cannot get C stack on this system>\n";

/// The descriptor of a file, with what is to be kept alive for it.
fn file_of(vm: &Vm, file: Option<Value>) -> R<(i32, Value)> {
    let file = match file.filter(|f| !f.is_none()) {
        Some(file) => file,
        None => {
            let file = vm.get_attr_str(import(vm, "sys")?, "stderr")?;
            if file.is_none() {
                return Err(vm.runtime_error("sys.stderr is None"));
            }
            file
        }
    };
    if vm.is_int(file) {
        return match i32::try_from(vm.index_i64(file)?) {
            Ok(fd) if fd >= 0 => Ok((fd, Value::NONE)),
            Ok(_) => Err(vm.value_error("file is not a valid file descriptor")),
            Err(_) => Err(vm.overflow_error("Python int too large to convert to C int")),
        };
    }
    let number = vm.call_method(file, "fileno", &[])?;
    let fd = vm.as_i64(number).and_then(|n| i32::try_from(n).ok()).filter(|&fd| fd >= 0);
    let Some(fd) = fd else {
        return Err(vm.runtime_error("file.fileno() is not a valid file descriptor"));
    };
    // One that cannot be flushed is written to all the same.
    let flushed = vm.call_method(file, "flush", &[]);
    vm.absorb(flushed, vm.exc.exception)?;
    Ok((fd, file))
}

// ---- fatal signals

const SIGNALS: [(i32, &str); 5] = [
    (libc::SIGBUS, "Bus error"),
    (libc::SIGILL, "Illegal instruction"),
    (libc::SIGFPE, "Floating-point exception"),
    (libc::SIGABRT, "Aborted"),
    (libc::SIGSEGV, "Segmentation fault"),
];

struct Fatal {
    enabled: AtomicBool,
    c_stack: AtomicBool,
    fd: AtomicI32,
    vm: AtomicPtr<Vm>,
    /// What was there before, by the place in [`SIGNALS`].
    before: UnsafeCell<[MaybeUninit<libc::sigaction>; SIGNALS.len()]>,
}

// SAFETY: `before` is written by `enable` alone, before its handlers are in place, under the isolate's lock.
unsafe impl Sync for Fatal {}

static FATAL: Fatal = Fatal {
    enabled: AtomicBool::new(false),
    c_stack: AtomicBool::new(true),
    fd: AtomicI32::new(2),
    vm: AtomicPtr::new(std::ptr::null_mut()),
    before: UnsafeCell::new([MaybeUninit::uninit(); SIGNALS.len()]),
};

/// Puts back what was there before for a signal.
fn restore(place: usize) {
    // SAFETY: `enable` has written the action there.
    unsafe {
        let before = (*FATAL.before.get())[place].as_ptr();
        libc::sigaction(SIGNALS[place].0, before, std::ptr::null_mut());
    }
}

extern "C" fn on_fatal(number: i32) {
    let Some(place) = SIGNALS.iter().position(|(n, _)| *n == number) else { return };
    // A fault in here, or the instruction that comes again, ends the process.
    restore(place);
    let mut out = Out(FATAL.fd.load(Ordering::Relaxed));
    let _ = writeln!(out, "Fatal Python error: {}\n", SIGNALS[place].1);
    // SAFETY: the isolate lives as long as the handlers are in place.
    if let Some(vm) = unsafe { FATAL.vm.load(Ordering::Acquire).as_ref() } {
        // SAFETY: a plain call.
        let me = unsafe { libc::pthread_self() };
        let _ = out.thread(vm.threads.current().ident(), vm.threads.current().ident() == me);
        let _ = out.running(vm);
    }
    if FATAL.c_stack.load(Ordering::Relaxed) {
        let _ = write!(out, "\n{NO_C_STACK}");
    }
    // SAFETY: for signals that did not come from an instruction, which would not come again; what handled them before may
    // leave them to the system.
    unsafe {
        libc::raise(number);
        libc::signal(number, libc::SIG_DFL);
        libc::raise(number);
    }
}

/// As `enable()`, for a program that is started so. Without standard error there is nowhere to show anything.
pub fn install(vm: &Vm) -> R<()> {
    let enabled = enable(vm, None, None, None);
    vm.absorb(enabled, vm.exc.exception).map(|_| ())
}

/// Room for the handler where the stack itself is what is at fault.
fn give_stack() {
    const ROOM: usize = 64 * 1024;
    // SAFETY: memory for this thread's handlers alone, which is never given back.
    unsafe {
        let mut now: libc::stack_t = std::mem::zeroed();
        if libc::sigaltstack(std::ptr::null(), &mut now) != 0 || now.ss_flags & libc::SS_DISABLE == 0 {
            return;
        }
        let room = libc::mmap(
            std::ptr::null_mut(),
            ROOM,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if room != libc::MAP_FAILED {
            let stack = libc::stack_t { ss_sp: room, ss_flags: 0, ss_size: ROOM };
            libc::sigaltstack(&stack, std::ptr::null_mut());
        }
    }
}

fn enable(vm: &Vm, file: Option<Value>, _all_threads: Option<bool>, c_stack: Option<bool>) -> R<()> {
    let (fd, file) = file_of(vm, file)?;
    state(vm).files.borrow_mut()[0] = file;
    FATAL.fd.store(fd, Ordering::Relaxed);
    FATAL.c_stack.store(c_stack.unwrap_or(true), Ordering::Relaxed);
    FATAL.vm.store(std::ptr::from_ref(vm).cast_mut(), Ordering::Release);
    if FATAL.enabled.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    give_stack();
    for (place, (number, _)) in SIGNALS.iter().enumerate() {
        // SAFETY: plain data; the handler above.
        let done = unsafe {
            let mut new: libc::sigaction = std::mem::zeroed();
            new.sa_sigaction = on_fatal as *const () as usize;
            new.sa_flags = libc::SA_NODEFER | libc::SA_ONSTACK;
            libc::sigaction(*number, &new, (*FATAL.before.get())[place].as_mut_ptr())
        };
        if done != 0 {
            return Err(vm.last_os_error(None));
        }
    }
    Ok(())
}

/// The isolate is about to go: a fatal signal's handler is not to look at it.
pub fn forget(vm: &Vm) {
    let vm = std::ptr::from_ref(vm).cast_mut();
    // Another one that has enabled it since is left alone.
    let _ = FATAL.vm.compare_exchange(vm, std::ptr::null_mut(), Ordering::AcqRel, Ordering::Relaxed);
}

fn disable(vm: &Vm) -> bool {
    let was = FATAL.enabled.swap(false, Ordering::Relaxed);
    if was {
        (0..SIGNALS.len()).for_each(restore);
        FATAL.vm.store(std::ptr::null_mut(), Ordering::Release);
        state(vm).files.borrow_mut()[0] = Value::NONE;
    }
    was
}

// ---- later

/// What a thread that waits is told.
struct Watch {
    cancelled: Mutex<bool>,
    told: Condvar,
    /// The tracebacks are shown.
    shown: AtomicBool,
}

struct Later {
    watch: Arc<Watch>,
    after: Duration,
    repeat: bool,
    exit: bool,
    fd: i32,
    head: String,
}

/// Signals that were registered: number, descriptor, all threads, what handled them before if it is to be called too.
struct Registered {
    number: i32,
    fd: i32,
    all: bool,
    chain: bool,
    before: Value,
    file: Value,
}

struct State {
    /// Kept open: for fatal signals, and for what is shown later.
    files: RefCell<[Value; 2]>,
    registered: RefCell<Vec<Registered>>,
    later: RefCell<Option<Later>>,
    watch: RefCell<Option<Arc<Watch>>>,
    traced: Cell<bool>,
}

impl Default for State {
    fn default() -> State {
        State {
            files: RefCell::new([Value::NONE; 2]),
            registered: RefCell::default(),
            later: RefCell::default(),
            watch: RefCell::default(),
            traced: Cell::default(),
        }
    }
}

fn state(vm: &Vm) -> std::rc::Rc<State> {
    let state = vm.state::<State>();
    if !state.traced.replace(true) {
        vm.root_tracers.borrow_mut().push(|vm: &Vm, t: &mut Tracer<'_>| {
            let state = vm.state::<State>();
            for v in state.files.borrow().iter() {
                t.visit_word(v.bits());
            }
            for r in state.registered.borrow().iter() {
                t.visit_word(r.before.bits());
                t.visit_word(r.file.bits());
            }
        });
    }
    state
}

fn dump_later(
    vm: &Vm,
    timeout: Value,
    repeat: Option<bool>,
    file: Option<Value>,
    exit: Option<bool>,
) -> R<()> {
    let t = seconds(vm, timeout)?;
    if t <= 0.0 {
        return Err(vm.value_error("timeout must be greater than 0"));
    }
    let (fd, file) = file_of(vm, file)?;
    cancel(vm);
    let watch =
        Arc::new(Watch { cancelled: Mutex::new(false), told: Condvar::new(), shown: AtomicBool::new(false) });
    let state = state(vm);
    state.files.borrow_mut()[1] = file;
    *state.watch.borrow_mut() = Some(watch.clone());
    let (s, us) = (t.trunc() as u64, (t.fract() * 1e6).round() as u64);
    let part = if us == 0 { String::new() } else { format!(".{us:06}") };
    let head = format!("Timeout ({}:{:02}:{:02}{part})!\n", s / 3600, s / 60 % 60, s % 60);
    *state.later.borrow_mut() = Some(Later {
        watch,
        after: Duration::from_secs_f64(t),
        repeat: repeat.unwrap_or(false),
        exit: exit.unwrap_or(false),
        fd,
        head,
    });
    match vm.start_thread(Value::NONE, watch_over)? {
        Ok(_) => Ok(()),
        Err(_) => {
            state.later.borrow_mut().take();
            Err(vm.runtime_error("unable to start watchdog thread"))
        }
    }
}

/// What the watching thread does: it has the lock but while it waits.
fn watch_over(vm: &Vm) {
    let Some(later) = state(vm).later.borrow_mut().take() else { return };
    loop {
        later.watch.shown.store(false, Ordering::Relaxed);
        let cancelled = vm.without_gil(|| {
            let cancelled = wait(&later.watch, later.after);
            if !cancelled {
                let _ = Out(later.fd).write_str(&later.head);
                if later.exit {
                    end_in_any_case(later.watch.clone());
                }
            }
            cancelled
        });
        if cancelled {
            return;
        }
        let me = vm.threads.current().serial;
        if show_all(vm, later.fd, Some(me)).is_err() {
            vm.unraisable(None, Value::NONE);
        }
        later.watch.shown.store(true, Ordering::Relaxed);
        if later.exit {
            // SAFETY: the end of the process, as asked for.
            unsafe { libc::_exit(1) };
        }
        if !later.repeat {
            return;
        }
    }
}

/// Waits for so long. True: it was cancelled meanwhile.
fn wait(watch: &Watch, time: Duration) -> bool {
    let until = Instant::now().checked_add(time);
    let Ok(mut cancelled) = watch.cancelled.lock() else { return true };
    while !*cancelled {
        let left = until.map_or(Duration::MAX, |u| u.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            break;
        }
        cancelled = match watch.told.wait_timeout(cancelled, left) {
            Ok((guard, _)) => guard,
            Err(_) => return true,
        };
    }
    *cancelled
}

/// The program may compute in native code, which does not let go of the lock.
fn end_in_any_case(watch: Arc<Watch>) {
    let end = move || {
        std::thread::sleep(PATIENCE);
        if !watch.shown.load(Ordering::Relaxed) {
            // SAFETY: the end of the process, as asked for.
            unsafe { libc::_exit(1) };
        }
    };
    // Without a thread for it, the program ends when it lets go of the lock.
    drop(std::thread::Builder::new().spawn(end));
}

fn cancel(vm: &Vm) {
    let state = state(vm);
    if let Some(watch) = state.watch.borrow_mut().take() {
        if let Ok(mut cancelled) = watch.cancelled.lock() {
            *cancelled = true;
        }
        watch.told.notify_all();
    }
    state.files.borrow_mut()[1] = Value::NONE;
}

// ---- signals that the program asks for

fn register(
    vm: &Vm,
    number: i32,
    file: Option<Value>,
    all_threads: Option<bool>,
    chain: Option<bool>,
) -> R<()> {
    if SIGNALS.iter().any(|(n, _)| *n == number) {
        return Err(vm.runtime_error(format!("signal {number} cannot be registered, use enable() instead")));
    }
    let (fd, file) = file_of(vm, file)?;
    let signals = import(vm, "_signal")?;
    let handler = vm.get_attr_str(import(vm, "faulthandler")?, "_on_signal")?;
    let before = vm.call_method(signals, "signal", &[Value::small_int(number.into()), handler])?;
    let state = state(vm);
    let mut registered = state.registered.borrow_mut();
    let (all, chain) = (all_threads.unwrap_or(true), chain.unwrap_or(false));
    match registered.iter_mut().find(|r| r.number == number) {
        // What handled it before that has been handled before.
        Some(r) => (r.fd, r.file, r.all, r.chain) = (fd, file, all, chain),
        // bounded: by the number of signals
        None => registered.push(Registered { number, fd, all, chain, before, file }),
    }
    Ok(())
}

fn unregister(vm: &Vm, number: i32) -> R<bool> {
    if !(1..65).contains(&number) {
        return Err(vm.value_error("signal number out of range"));
    }
    let state = state(vm);
    let found = state.registered.borrow().iter().position(|r| r.number == number);
    let Some(place) = found else { return Ok(false) };
    let r = state.registered.borrow_mut().remove(place);
    let before = if r.before.is_none() { Value::small_int(0) } else { r.before };
    vm.call_method(import(vm, "_signal")?, "signal", &[Value::small_int(number.into()), before])?;
    Ok(true)
}

fn on_registered(vm: &Vm, number: i32, frame: Value) -> R<()> {
    let state = state(vm);
    let found = state.registered.borrow().iter().find(|r| r.number == number).map(|r| {
        // Also what is called below may register others.
        (r.fd, r.all, r.chain, r.before)
    });
    let Some((fd, all, chain, before)) = found else { return Ok(()) };
    show(vm, fd, all, "Stack (most recent call first):\n")?;
    if !chain {
        return Ok(());
    }
    if vm.is_callable(before) {
        vm.call(before, &[Value::small_int(number.into()), frame])?;
    } else if vm.as_i64(before) != Some(1) {
        // What the system does by itself.
        let signals = import(vm, "_signal")?;
        let n = Value::small_int(number.into());
        let handler = vm.call_method(signals, "signal", &[n, Value::small_int(0)])?;
        kill_self(number);
        vm.call_method(signals, "signal", &[n, handler])?;
    }
    Ok(())
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "faulthandler", FUNCTIONS)
}
