//! `_posixsubprocess`: starts a program in a child, for the packaged `subprocess`.

use super::io::path_bytes;
use super::posix::fork_with;
use super::support::BytesLike;
use skein_runtime::object::Ref;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{Args, R, Value, Vm, native_functions};
use std::ffi::{CString, c_char};

native_functions! { FUNCTIONS:
    "fork_exec(*args)" => fork_exec, "Spawn a fresh new child process.";
}

/// All that the child needs, made before the fork: there it may not allocate.
struct Plan {
    programs: Vec<CString>,
    argv: Vec<*const c_char>,
    env: Option<Vec<*const c_char>>,
    cwd: Option<CString>,
    close_fds: bool,
    keep: Vec<i32>,
    /// Ends of the pipes for stdin, stdout and stderr: the child's, then the parent's; -1: none.
    stdin: (i32, i32),
    stdout: (i32, i32),
    stderr: (i32, i32),
    /// The pipe for errors: the parent's end, then the child's.
    errors: (i32, i32),
    restore_signals: bool,
    new_session: bool,
    process_group: i64,
    gid: Option<u32>,
    groups: Option<Vec<u32>>,
    uid: Option<u32>,
    umask: i64,
}

fn texts(vm: &Vm, v: Value) -> R<Vec<CString>> {
    let list = vm.list_from(v)?;
    let mut out = Vec::new();
    for i in 0..list.len() {
        if let Some(v) = list.get(i) {
            out.push(path_bytes(vm, v)?);
        }
    }
    Ok(out)
}

fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    texts.iter().map(|t| t.as_ptr()).chain([std::ptr::null()]).collect()
}

fn optional_id(vm: &Vm, v: Value) -> R<Option<u32>> {
    match v {
        Value::NONE => Ok(None),
        v => match u32::try_from(vm.index_i64(v)?) {
            Ok(id) => Ok(Some(id)),
            Err(_) => Err(vm.value_error("invalid user or group id")),
        },
    }
}

fn fork_exec(vm: &Vm, args: Args<'_>) -> R<i64> {
    let a = args.positional();
    if a.len() != 22 && a.len() != 23 {
        return Err(vm.type_error(format!("fork_exec expected 22 or 23 arguments, got {}", a.len())));
    }
    if vm.config.limits.is_some() && !a[21].is_none() {
        return Err(vm.runtime_error("preexec_fn not supported within subinterpreters"));
    }
    let number = |i: usize| -> R<i32> { Ok(vm.index_i64(a[i])? as i32) };
    let argv = texts(vm, a[0])?;
    let env = if a[5].is_none() { None } else { Some(texts(vm, a[5])?) };
    let mut keep = Vec::new();
    if let Some(fds) = a[3].cast::<Tuple>() {
        for &fd in fds.items() {
            keep.push(vm.index_i64(fd)? as i32);
        }
    }
    let groups = match a[18] {
        Value::NONE => None,
        v => {
            let list = vm.list_from(v)?;
            let mut ids = Vec::new();
            for i in 0..list.len() {
                ids.extend(list.get(i).map_or(Ok(None), |v| optional_id(vm, v))?);
            }
            Some(ids)
        }
    };
    let told;
    let programs = {
        let list = vm.list_from(a[1])?;
        told = list.value();
        let mut out = Vec::new();
        for i in 0..list.len() {
            let Some(v) = list.get(i) else { continue };
            let bytes = BytesLike::new(vm, v)?.into_vec(vm)?;
            out.push(CString::new(bytes).map_err(|_| vm.value_error("embedded null byte"))?);
        }
        out
    };
    let plan = Plan {
        programs,
        argv: pointers(&argv),
        env: env.as_ref().map(|e| pointers(e)),
        cwd: if a[4].is_none() { None } else { Some(path_bytes(vm, a[4])?) },
        close_fds: vm.truth(a[2])?,
        keep,
        stdin: (number(6)?, number(7)?),
        stdout: (number(9)?, number(8)?),
        stderr: (number(11)?, number(10)?),
        errors: (number(12)?, number(13)?),
        restore_signals: vm.truth(a[14])?,
        new_session: vm.truth(a[15])?,
        process_group: vm.index_i64(a[16])?,
        gid: optional_id(vm, a[17])?,
        groups,
        uid: optional_id(vm, a[19])?,
        umask: vm.index_i64(a[20])?,
    };
    vm.audit("_posixsubprocess.fork_exec", || vm.tuple(&[told, a[0], a[5]]))?;
    if !a[21].is_none() {
        // The child is a Python program until it has run the function.
        // SAFETY: see `fork_with`.
        return match fork_with(vm, || unsafe { libc::fork() })? {
            0 => child(&plan, Some((vm, a[21]))),
            pid => Ok(pid),
        };
    }
    // SAFETY: the child calls only functions that are safe between fork and exec, and allocates nothing.
    match unsafe { libc::fork() } {
        -1 => Err(vm.last_os_error(None)),
        0 => child(&plan, None),
        pid => Ok(pid.into()),
    }
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Tells the parent what failed, and ends.
fn fail(plan: &Plan, before_exec: bool) -> ! {
    // `OSError:errno in hexadecimal:message`; the message names what is not the program's own fault.
    let mut text = *b"OSError:00000000:";
    let mut n = errno() as u32;
    for place in (8..16).rev() {
        text[place] = b"0123456789abcdef"[(n & 15) as usize];
        n >>= 4;
    }
    let what: &[u8] = if before_exec { b"noexec" } else { b"" };
    // SAFETY: plain writes; the child ends.
    unsafe {
        libc::write(plan.errors.1, text.as_ptr().cast(), text.len());
        libc::write(plan.errors.1, what.as_ptr().cast(), what.len());
        libc::_exit(255)
    }
}

/// Runs in the child: sets everything up and becomes the program.
fn child(p: &Plan, before_exec: Option<(&Vm, Value)>) -> ! {
    let check = |r: i32| {
        if r < 0 {
            fail(p, true);
        }
        r
    };
    // SAFETY (all): plain system calls on numbers and texts that were made before the fork.
    unsafe {
        for fd in [p.stdin.1, p.stdout.1, p.stderr.1, p.errors.0] {
            if fd >= 0 {
                libc::close(fd);
            }
        }
        // Ends that lie where others are to be go out of the way first.
        let (mut out, mut err) = (p.stdout.0, p.stderr.0);
        if out == 0 {
            out = check(libc::dup(out));
        }
        while err == 0 || err == 1 {
            err = check(libc::dup(err));
        }
        for (from, to) in [(p.stdin.0, 0), (out, 1), (err, 2)] {
            if from == to {
                let flags = check(libc::fcntl(from, libc::F_GETFD));
                check(libc::fcntl(from, libc::F_SETFD, flags & !libc::FD_CLOEXEC));
            } else if from >= 0 {
                check(libc::dup2(from, to));
            }
        }
        if let Some(cwd) = &p.cwd
            && libc::chdir(cwd.as_ptr()) != 0
        {
            // subprocess looks for this text.
            let mut text = *b"OSError:00000000:noexec:chdir";
            let mut n = errno() as u32;
            for place in (8..16).rev() {
                text[place] = b"0123456789abcdef"[(n & 15) as usize];
                n >>= 4;
            }
            libc::write(p.errors.1, text.as_ptr().cast(), text.len());
            libc::_exit(255);
        }
        if p.umask >= 0 {
            libc::umask(p.umask as libc::mode_t);
        }
        if p.restore_signals {
            for signal in [libc::SIGPIPE, libc::SIGXFSZ] {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
        if p.new_session {
            check(libc::setsid());
        }
        if p.process_group >= 0 {
            check(libc::setpgid(0, p.process_group as libc::pid_t));
        }
        if let Some(groups) = &p.groups {
            check(libc::setgroups(groups.len(), groups.as_ptr()));
        }
        if let Some(gid) = p.gid {
            check(libc::setregid(gid, gid));
        }
        if let Some(uid) = p.uid {
            check(libc::setreuid(uid, uid));
        }
        if let Some((vm, f)) = before_exec
            && vm.call(f, &[]).is_err()
        {
            let text = b"SubprocessError:0:Exception occurred in preexec_fn.";
            libc::write(p.errors.1, text.as_ptr().cast(), text.len());
            libc::_exit(255);
        }
        for &fd in &p.keep {
            let flags = libc::fcntl(fd, libc::F_GETFD);
            if flags >= 0 && fd != p.errors.1 {
                libc::fcntl(fd, libc::F_SETFD, flags & !libc::FD_CLOEXEC);
            }
        }
        if p.close_fds {
            // All above the standard ones close at the exec, but those that are kept.
            let most = libc::sysconf(libc::_SC_OPEN_MAX).clamp(3, 1 << 16) as i32;
            for fd in 3..most {
                if fd != p.errors.1 && !p.keep.contains(&fd) {
                    libc::close(fd);
                }
            }
        }
        let mut saved = 0;
        for program in &p.programs {
            match &p.env {
                Some(env) => libc::execve(program.as_ptr(), p.argv.as_ptr(), env.as_ptr()),
                None => libc::execv(program.as_ptr(), p.argv.as_ptr()),
            };
            let e = errno();
            if e != libc::ENOENT && e != libc::ENOTDIR && saved == 0 {
                saved = e;
            }
        }
        if saved != 0 {
            *libc::__errno_location() = saved;
        }
        fail(p, false)
    }
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "_posixsubprocess", FUNCTIONS)
}
