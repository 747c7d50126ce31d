//! `posix_spawn`: a program in a child of its own, without a fork of this process.

use super::arguments::{Path, null_byte};
use super::process::{arguments, environment, pointers};
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm, native_functions};
use std::ffi::CString;

native_functions! { pub FUNCTIONS:
    "posix_spawn(path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)" => posix_spawn, "Execute the program specified by path in a new process.";
    "posix_spawnp(path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)" => posix_spawnp, "Execute the program specified by path in a new process.";
}

pub const OPEN: i64 = 0;
pub const CLOSE: i64 = 1;
pub const DUP2: i64 = 2;
pub const CLOSE_FROM: i64 = 3;

/// The system's list of things to do with descriptors.
struct Actions(libc::posix_spawn_file_actions_t);

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: it was initialised.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.0) };
    }
}

struct Attributes(libc::posix_spawnattr_t);

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: it was initialised.
        unsafe { libc::posix_spawnattr_destroy(&mut self.0) };
    }
}

fn check(vm: &Vm, e: i32) -> R<()> {
    if e == 0 { Ok(()) } else { Err(vm.os_error(e, None)) }
}

fn file_actions(vm: &Vm, given: Value, kept: &mut Vec<CString>) -> R<Actions> {
    // SAFETY: plain data that the next call initialises.
    let mut actions = Actions(unsafe { std::mem::zeroed() });
    // SAFETY: as said.
    check(vm, unsafe { libc::posix_spawn_file_actions_init(&mut actions.0) })?;
    let list = vm.list_from(given)?;
    for i in 0..list.len() {
        let wrong = || vm.type_error("Each file_actions element must be a non-empty tuple");
        let row = list.get(i).and_then(|t| t.cast::<Tuple>()).filter(|t| !t.is_empty()).ok_or_else(wrong)?;
        let number = |i: usize| -> R<i32> {
            i32::try_from(vm.index_i64(row.items()[i])?)
                .map_err(|_| vm.overflow_error("signed integer is greater than maximum"))
        };
        let arity = |n: usize, name: &str| match row.len() == n {
            true => Ok(()),
            false => Err(vm.type_error(format!("A {name} file_action tuple must have {n} elements"))),
        };
        let a = &mut actions.0;
        // SAFETY (all): the list is initialised; texts are kept until the call.
        let done = match vm.index_i64(row.items()[0])? {
            OPEN => {
                arity(5, "open")?;
                let path = super::arguments::c_string(vm, row.items()[2])?;
                let (fd, flags, mode) = (number(1)?, number(3)?, number(4)?);
                let p = path.as_ptr();
                kept.push(path);
                unsafe { libc::posix_spawn_file_actions_addopen(a, fd, p, flags, mode as libc::mode_t) }
            }
            CLOSE => {
                arity(2, "close")?;
                let fd = number(1)?;
                unsafe { libc::posix_spawn_file_actions_addclose(a, fd) }
            }
            DUP2 => {
                arity(3, "dup2")?;
                let (from, to) = (number(1)?, number(2)?);
                unsafe { libc::posix_spawn_file_actions_adddup2(a, from, to) }
            }
            CLOSE_FROM => {
                arity(2, "closefrom")?;
                // As many single closes as there can be descriptors.
                let from = number(1)?.max(0);
                let most = unsafe { libc::sysconf(libc::_SC_OPEN_MAX) }.clamp(0, 1 << 16) as i32;
                let mut done = 0;
                for fd in (from..most).filter(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } >= 0) {
                    done = unsafe { libc::posix_spawn_file_actions_addclose(a, fd) };
                    if done != 0 {
                        break;
                    }
                }
                done
            }
            _ => return Err(vm.type_error("Unknown file_actions identifier")),
        };
        check(vm, done)?;
    }
    Ok(actions)
}

fn signals(vm: &Vm, given: Value) -> R<libc::sigset_t> {
    // SAFETY: plain data that the call initialises.
    let mut set = unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        set
    };
    vm.for_each(given, |v| {
        let n = vm.index_i64(v)?;
        if !(1..=64).contains(&n) {
            return Err(vm.value_error(format!("signal number {n} out of range [1; 64]")));
        }
        // SAFETY: a signal's number; those of the system's library are refused, which is no error.
        unsafe { libc::sigaddset(&mut set, n as i32) };
        Ok(())
    })?;
    Ok(set)
}

#[derive(Default)]
struct Options {
    group: Option<i32>,
    reset_ids: bool,
    new_session: bool,
    mask: Option<Value>,
    defaults: Option<Value>,
    scheduler: Option<Value>,
}

fn attributes(vm: &Vm, o: &Options) -> R<Attributes> {
    // SAFETY: plain data that the next call initialises.
    let mut attributes = Attributes(unsafe { std::mem::zeroed() });
    let a = &mut attributes.0;
    let mut flags = 0;
    // SAFETY (all): the attributes are initialised first.
    unsafe {
        check(vm, libc::posix_spawnattr_init(a))?;
        if let Some(group) = o.group {
            check(vm, libc::posix_spawnattr_setpgroup(a, group))?;
            flags |= libc::POSIX_SPAWN_SETPGROUP;
        }
        if o.reset_ids {
            flags |= libc::POSIX_SPAWN_RESETIDS;
        }
        if o.new_session {
            flags |= i32::from(libc::POSIX_SPAWN_SETSID);
        }
        if let Some(v) = o.mask {
            check(vm, libc::posix_spawnattr_setsigmask(a, &signals(vm, v)?))?;
            flags |= libc::POSIX_SPAWN_SETSIGMASK;
        }
        if let Some(v) = o.defaults {
            check(vm, libc::posix_spawnattr_setsigdefault(a, &signals(vm, v)?))?;
            flags |= libc::POSIX_SPAWN_SETSIGDEF;
        }
        if let Some(v) = o.scheduler {
            let row = v.cast::<Tuple>().filter(|t| t.len() == 2);
            let Some(row) = row else {
                return Err(vm.type_error(match v.cast::<Tuple>() {
                    Some(_) => "A scheduler tuple must have two elements",
                    None => "scheduler must be a tuple or None",
                }));
            };
            if !row.items()[0].is_none() {
                check(vm, libc::posix_spawnattr_setschedpolicy(a, vm.index_i64(row.items()[0])? as i32))?;
                flags |= libc::POSIX_SPAWN_SETSCHEDULER;
            }
            let p = super::schedule::param(vm, row.items()[1])?;
            check(vm, libc::posix_spawnattr_setschedparam(a, &p))?;
            flags |= libc::POSIX_SPAWN_SETSCHEDPARAM;
        }
        check(vm, libc::posix_spawnattr_setflags(a, flags as libc::c_short))?;
    }
    Ok(attributes)
}

fn spawn(
    vm: &Vm,
    by_path: bool,
    path: &Path,
    argv: Value,
    env: Value,
    actions: Option<Value>,
    o: &Options,
) -> R<i64> {
    let name = if by_path { "posix_spawnp" } else { "posix_spawn" };
    let told = [path.object, argv, env];
    let argv = arguments(
        vm,
        argv,
        &format!("{name}: argv must be a tuple or list"),
        &format!("{name}: argv must not be empty"),
        &format!("{name}: argv first element cannot be empty"),
    )?;
    let env = if env.is_none() { current(vm)? } else { environment(vm, env, name)? };
    let mut kept = Vec::new();
    let empty: Ref<List> = List::with_capacity(vm, 0)?;
    let actions = file_actions(vm, actions.filter(|a| !a.is_none()).unwrap_or(empty.value()), &mut kept)?;
    let attributes = attributes(vm, o)?;
    vm.audit("os.posix_spawn", || vm.tuple(&told))?;
    let (argv, env) = (pointers(&argv), pointers(&env));
    let call = if by_path { libc::posix_spawnp } else { libc::posix_spawn };
    let mut pid = 0;
    // SAFETY: everything is initialised and outlives the call.
    let e =
        unsafe { call(&mut pid, path.c().as_ptr(), &actions.0, &attributes.0, argv.as_ptr(), env.as_ptr()) };
    match e {
        0 => Ok(pid.into()),
        e => Err(vm.os_error(e, Some(path.object))),
    }
}

/// This process's own environment.
fn current(vm: &Vm) -> R<Vec<CString>> {
    use std::os::unix::ffi::OsStrExt;
    std::env::vars_os()
        .map(|(k, v)| CString::new([k.as_bytes(), b"=", v.as_bytes()].concat()).map_err(|_| null_byte(vm)))
        .collect()
}

macro_rules! spawns {
    ($($name:ident $by_path:literal)*) => {$(
        #[allow(clippy::too_many_arguments)]
        fn $name(
            vm: &Vm,
            path: Path,
            argv: Value,
            env: Value,
            actions: Option<Value>,
            group: Option<Value>,
            reset_ids: Option<bool>,
            new_session: Option<bool>,
            mask: Option<Value>,
            defaults: Option<Value>,
            scheduler: Option<Value>,
        ) -> R<i64> {
            let group = match group.filter(|g| !g.is_none()) {
                Some(g) => Some(i32::try_from(vm.index_i64(g)?).map_err(|_| {
                    vm.overflow_error("signed integer is greater than maximum")
                })?),
                None => None,
            };
            let scheduler = scheduler.filter(|s| !s.is_none());
            let (reset_ids, new_session) = (reset_ids == Some(true), new_session == Some(true));
            let o = Options { group, reset_ids, new_session, mask, defaults, scheduler };
            spawn(vm, $by_path, &path, argv, env, actions, &o)
        }
    )*};
}
spawns! { posix_spawn false posix_spawnp true }
