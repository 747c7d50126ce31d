//! Processes: making them, waiting for them, signalling them.

use super::State;
use super::arguments::{Fd, Place, c_string, checked, null_byte};
use skein_builtins::modules::structseq;
use skein_builtins::struct_sequence;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm, native_functions};
use std::cell::Cell;
use std::ffi::{CString, c_char};

native_functions! { pub FUNCTIONS:
    "getpid()" => |_: &Vm| i64::from(unsafe { libc::getpid() }), "Return the current process id.";
    "getppid()" => |_: &Vm| i64::from(unsafe { libc::getppid() }), "Return the parent's process id.";
    "getpgid(pid)" => |vm: &Vm, pid: i32| number(vm, || unsafe { libc::getpgid(pid) }), "Call the system call getpgid(), and return the result.";
    "getpgrp()" => |_: &Vm| i64::from(unsafe { libc::getpgrp() }), "Return the current process group id.";
    "getsid(pid, /)" => |vm: &Vm, pid: i32| number(vm, || unsafe { libc::getsid(pid) }), "Call the system call getsid(pid) and return the result.";
    "setpgid(pid, pgrp, /)" => |vm: &Vm, pid: i32, group: i32| on(vm, || unsafe { libc::setpgid(pid, group) }), "Call the system call setpgid(pid, pgrp).";
    "setpgrp()" => |vm: &Vm| on(vm, || unsafe { libc::setpgid(0, 0) }), "Make the current process the leader of its process group.";
    "setsid()" => |vm: &Vm| on(vm, || unsafe { libc::setsid() }), "Call the system call setsid().";
    "_exit(status)" => exit_now, "Exit to the system with specified status, without normal exit processing.";
    "abort()" => |_: &Vm| -> () { std::process::abort() }, "Abort the interpreter immediately.";
    "fork()" => fork, "Fork a child process.";
    "forkpty()" => forkpty, "Fork a new process with a new pseudo-terminal as controlling tty.";
    "register_at_fork(*, before=<unrepresentable>, after_in_child=<unrepresentable>, after_in_parent=<unrepresentable>)" => register_at_fork, "Register callables to be called when forking a new process.";
    "execv(path, argv, /)" => execv, "Execute an executable path with arguments, replacing current process.";
    "execve(path, argv, env)" => execve, "Execute an executable path with arguments, replacing current process.";
    "system(command)" => system, "Execute the command in a subshell.";
    "kill(pid, signal, /)" => kill, "Kill a process with a signal.";
    "killpg(pgid, signal, /)" => killpg, "Kill a process group with a signal.";
    "wait()" => |vm: &Vm| waitpid(vm, -1, 0), "Wait for completion of a child process.";
    "waitpid(pid, options, /)" => waitpid, "Wait for completion of a given child process.";
    "wait3(options)" => |vm: &Vm, options: i32| wait4(vm, -1, options), "Wait for completion of a child process.";
    "wait4(pid, options)" => wait4, "Wait for completion of a specific child process.";
    "waitid(idtype, id, options, /)" => waitid, "Returns the result of waiting for a process or processes.";
    "waitstatus_to_exitcode(status)" => waitstatus_to_exitcode, "Convert a wait status to an exit code.";
    "WCOREDUMP(status, /)" => |_: &Vm, s: i32| libc::WCOREDUMP(s), "Return True if the process returning status was dumped to a core file.";
    "WIFCONTINUED(status)" => |_: &Vm, s: i32| libc::WIFCONTINUED(s), "Return True if a particular process was continued from a job control stop.";
    "WIFEXITED(status)" => |_: &Vm, s: i32| libc::WIFEXITED(s), "Return True if the process returning status exited via the exit() system call.";
    "WEXITSTATUS(status)" => |_: &Vm, s: i32| i64::from(libc::WEXITSTATUS(s)), "Return the process return code from status.";
    "WIFSIGNALED(status)" => |_: &Vm, s: i32| libc::WIFSIGNALED(s), "Return True if the process returning status was terminated by a signal.";
    "WTERMSIG(status)" => |_: &Vm, s: i32| i64::from(libc::WTERMSIG(s)), "Return the signal that terminated the process that provided the status value.";
    "WIFSTOPPED(status)" => |_: &Vm, s: i32| libc::WIFSTOPPED(s), "Return True if the process returning status was stopped.";
    "WSTOPSIG(status)" => |_: &Vm, s: i32| i64::from(libc::WSTOPSIG(s)), "Return the signal that stopped the process that provided the status value.";
    "pidfd_open(pid, flags=0)" => pidfd_open, "Return a file descriptor referring to the process *pid*.";
    "setns(fd, nstype=0)" => |vm: &Vm, fd: Fd, kind: Option<i32>| on(vm, || unsafe { libc::setns(fd.0, kind.unwrap_or(0)) }), "Move the calling thread into different namespaces.";
    "unshare(flags)" => |vm: &Vm, flags: i32| on(vm, || unsafe { libc::unshare(flags) }), "Disassociate parts of a process (or thread) execution context.";
}

struct_sequence! { pub WAITID: "posix.waitid_result", "waitid_result: Result from waitid.";
"si_pid" 0, "si_uid" 1, "si_signo" 2, "si_status" 3, "si_code" 4 }

/// A call of numbers only whose result is a number.
fn number(vm: &Vm, call: impl Fn() -> i32) -> R<i64> {
    checked(vm, None, || call().into())
}

fn on(vm: &Vm, call: impl Fn() -> i32) -> R<()> {
    number(vm, call).map(|_| ())
}

fn exit_now(_: &Vm, status: i32) {
    // SAFETY: ends the process.
    unsafe { libc::_exit(status) }
}

// ---- fork

/// What is to be called around a fork: before, in the child, in the parent. `Vm::roots` keeps the lists.
#[derive(Default)]
struct Hooks([Cell<Option<Ref<List>>>; 3]);

fn hooks(vm: &Vm, which: usize) -> R<Ref<List>> {
    let state = vm.state::<Hooks>();
    if let Some(list) = state.0[which].get() {
        return Ok(list);
    }
    let list = List::with_capacity(vm, 0)?;
    vm.roots.borrow_mut().push(list.value());
    state.0[which].set(Some(list));
    Ok(list)
}

fn register_at_fork(vm: &Vm, before: Option<Value>, child: Option<Value>, parent: Option<Value>) -> R<()> {
    let given = [("before", before), ("after_in_child", child), ("after_in_parent", parent)];
    if given.iter().all(|(_, f)| f.is_none()) {
        return Err(vm.type_error("At least one argument is required."));
    }
    for (name, f) in given {
        if let Some(f) = f
            && !vm.is_callable(f)
        {
            let got = vm.type_name(f);
            return Err(vm.type_error(format!("'{name}' must be callable, not {got}")));
        }
    }
    for (i, (_, f)) in given.into_iter().enumerate() {
        if let Some(f) = f {
            hooks(vm, i)?.push(vm, f)?;
        }
    }
    Ok(())
}

/// Calls hooks, whose exceptions are shown and forgotten.
pub fn run_hooks(vm: &Vm, which: usize) -> R<()> {
    let list = hooks(vm, which)?;
    let n = list.len();
    for i in 0..n {
        let i = if which == 0 { n - 1 - i } else { i };
        if let Some(f) = list.get(i)
            && vm.call(f, &[]).is_err()
        {
            vm.unraisable(Some("Exception ignored in fork hook"), f);
        }
    }
    Ok(())
}

/// Forks between the hooks. Heap, stacks and microthreads are private memory that the system copies; of the threads
/// the child has the calling one only.
pub fn fork_with(vm: &Vm, fork: impl Fn() -> i32) -> R<i64> {
    run_hooks(vm, 0)?;
    let pid = vm.fork_process(fork);
    if pid == 0 {
        crate::modules::thread::forked(vm);
        crate::modules::isolates::forked(vm);
        // The event loop and its task go on in the parent.
        let kept = &vm.threads.current().kept;
        kept.running_loop.set(None);
        kept.current_task.set(None);
    }
    let failed = (pid < 0).then(std::io::Error::last_os_error);
    run_hooks(vm, if pid == 0 { 1 } else { 2 })?;
    match failed {
        Some(e) => Err(vm.os_error(e.raw_os_error().unwrap_or(0), None)),
        None => Ok(pid.into()),
    }
}

/// RuntimeError in an isolate that a program made, unless it may.
fn check_allowed(vm: &Vm, allowed: bool, what: &str) -> R<()> {
    match allowed {
        true => Ok(()),
        false => Err(vm.runtime_error(format!("{what} not supported for isolated subinterpreters"))),
    }
}

fn fork(vm: &Vm) -> R<i64> {
    check_allowed(vm, vm.allows(|l| l.fork), "fork")?;
    vm.audit("os.fork", || vm.tuple(&[]))?;
    // SAFETY: see `fork_with`.
    fork_with(vm, || unsafe { libc::fork() })
}

fn forkpty(vm: &Vm) -> R<Value> {
    check_allowed(vm, vm.allows(|l| l.fork), "fork")?;
    vm.audit("os.forkpty", || vm.tuple(&[]))?;
    let master = Cell::new(-1);
    use std::ptr::null_mut;
    // SAFETY: a descriptor out; see `fork_with`.
    let pid = fork_with(vm, || unsafe {
        let mut fd = -1;
        let pid = libc::forkpty(&mut fd, null_mut(), null_mut(), null_mut());
        if pid > 0 {
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
        }
        master.set(fd);
        pid
    })?;
    vm.tuple(&[Value::small_int(pid), Value::small_int(master.get().into())])
}

// ---- exec

/// The arguments of a program: a tuple or list of paths with a first one that is not empty.
pub fn arguments(vm: &Vm, v: Value, wrong: &str, empty: &str, first: &str) -> R<Vec<CString>> {
    if v.cast::<Tuple>().is_none() && v.cast::<List>().is_none() {
        return Err(vm.type_error(wrong));
    }
    let list = vm.list_from(v)?;
    if list.is_empty() {
        return Err(vm.value_error(empty));
    }
    let mut out = Vec::new();
    for i in 0..list.len() {
        out.push(c_string(vm, list.get(i).unwrap_or(Value::NONE))?);
    }
    if out[0].is_empty() {
        return Err(vm.value_error(first));
    }
    Ok(out)
}

/// `name=value` texts of a mapping.
pub fn environment(vm: &Vm, v: Value, function: &str) -> R<Vec<CString>> {
    if vm.find_attr(v, vm.intern("keys")?)?.is_none() || vm.find_attr(v, vm.intern("values")?)?.is_none() {
        return Err(vm.type_error(format!("{function}: environment must be a mapping object")));
    }
    let copy = Dict::new(vm)?;
    vm.call_method(copy.value(), "update", &[v])?;
    let items = vm.list_from(vm.call_method(copy.value(), "items", &[])?)?;
    let mut out = Vec::new();
    for i in 0..items.len() {
        let Some(pair) = items.get(i).and_then(|p| p.cast::<Tuple>()) else { continue };
        let (name, value) = (c_string(vm, pair.items()[0])?, c_string(vm, pair.items()[1])?);
        if name.is_empty() || name.as_bytes().contains(&b'=') {
            return Err(vm.value_error("illegal environment variable name"));
        }
        let text = [name.as_bytes(), b"=", value.as_bytes()].concat();
        out.push(CString::new(text).map_err(|_| null_byte(vm))?);
    }
    Ok(out)
}

pub fn pointers(texts: &[CString]) -> Vec<*mut c_char> {
    texts.iter().map(|t| t.as_ptr().cast_mut()).chain([std::ptr::null_mut()]).collect()
}

fn execv(vm: &Vm, path: super::arguments::Path, argv: Value) -> R<()> {
    let told = argv;
    check_allowed(vm, vm.allows(|l| l.exec), "exec")?;
    let argv = arguments(
        vm,
        argv,
        "execv() arg 2 must be a tuple or list",
        "execv() arg 2 must not be empty",
        "execv() arg 2 first element cannot be empty",
    )?;
    vm.audit("os.exec", || vm.tuple(&[path.object, told, Value::NONE]))?;
    let argv = pointers(&argv);
    // SAFETY: C strings and a list of them that ends with null; they outlive the call.
    unsafe { libc::execv(path.c().as_ptr(), argv.as_ptr().cast()) };
    Err(vm.last_os_error(Some(path.object)))
}

fn execve(vm: &Vm, path: Place, argv: Value, env: Value) -> R<()> {
    let told = [argv, env];
    check_allowed(vm, vm.allows(|l| l.exec), "exec")?;
    let argv = arguments(
        vm,
        argv,
        "execve: argv must be a tuple or list",
        "execve: argv must not be empty",
        "execve: argv first element cannot be empty",
    )?;
    let env = environment(vm, env, "execve")?;
    vm.audit("os.exec", || vm.tuple(&[path.object(), told[0], told[1]]))?;
    let (argv, env) = (pointers(&argv), pointers(&env));
    // SAFETY: as above.
    unsafe {
        match &path {
            Place::Path(p) => libc::execve(p.c().as_ptr(), argv.as_ptr().cast(), env.as_ptr().cast()),
            Place::Fd(fd, _) => libc::fexecve(*fd, argv.as_ptr().cast(), env.as_ptr().cast()),
        };
    }
    Err(vm.last_os_error(Some(path.object())))
}

fn system(vm: &Vm, command: Value) -> R<i64> {
    vm.audit("os.system", || vm.tuple(&[command]))?;
    let command = c_string(vm, command)?;
    // SAFETY: a C string.
    let status = unsafe { libc::system(command.as_ptr()) };
    vm.check_signals()?;
    Ok(status.into())
}

// ---- signals and ends

fn kill(vm: &Vm, pid: i32, signal: i32) -> R<()> {
    vm.audit("os.kill", || vm.tuple(&[Value::small_int(pid.into()), Value::small_int(signal.into())]))?;
    // SAFETY: a plain call.
    on(vm, || unsafe { libc::kill(pid, signal) })?;
    vm.check_signals()
}

fn killpg(vm: &Vm, group: i32, signal: i32) -> R<()> {
    vm.audit("os.killpg", || vm.tuple(&[Value::small_int(group.into()), Value::small_int(signal.into())]))?;
    // SAFETY: a plain call.
    on(vm, || unsafe { libc::killpg(group, signal) })?;
    vm.check_signals()
}

fn pidfd_open(vm: &Vm, pid: i32, flags: Option<u32>) -> R<i64> {
    // SAFETY: a plain call.
    checked(vm, None, || unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags.unwrap_or(0)) })
}

fn waitpid(vm: &Vm, pid: i32, options: i32) -> R<Value> {
    let mut status = 0;
    // SAFETY: a number out.
    let pid = checked(vm, None, || unsafe { libc::waitpid(pid, &mut status, options).into() })?;
    vm.tuple(&[Value::small_int(pid), Value::small_int(status.into())])
}

fn wait4(vm: &Vm, pid: i32, options: i32) -> R<Value> {
    let mut status = 0;
    // SAFETY: plain data.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: plain data out.
    let pid = checked(vm, None, || unsafe { libc::wait4(pid, &mut status, options, &mut usage).into() })?;
    let usage = super::super::resource::usage_result(vm, &usage)?;
    vm.tuple(&[Value::small_int(pid), Value::small_int(status.into()), usage])
}

fn waitid(vm: &Vm, kind: u32, id: u32, options: i32) -> R<Value> {
    // SAFETY: plain data.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: plain data out.
    checked(vm, None, || unsafe { libc::waitid(kind, id, &mut info, options).into() })?;
    // SAFETY: these fields are set for a child's end, and zero where none has ended.
    let (pid, uid, status) = unsafe { (info.si_pid(), info.si_uid(), info.si_status()) };
    if pid == 0 {
        return Ok(Value::NONE);
    }
    let row = [pid.into(), uid.into(), info.si_signo.into(), status.into(), info.si_code.into()];
    structseq::make(vm, vm.state::<State>().waitid.get(vm, &WAITID)?, &row.map(Value::small_int), &[])
}

fn waitstatus_to_exitcode(vm: &Vm, status: i32) -> R<i64> {
    if libc::WIFEXITED(status) {
        return Ok(libc::WEXITSTATUS(status).into());
    }
    if libc::WIFSIGNALED(status) {
        return Ok(-i64::from(libc::WTERMSIG(status)));
    }
    if libc::WIFSTOPPED(status) {
        return Err(
            vm.value_error(format!("process stopped by delivery of signal {}", libc::WSTOPSIG(status)))
        );
    }
    Err(vm.value_error(format!("invalid wait status: {status}")))
}
