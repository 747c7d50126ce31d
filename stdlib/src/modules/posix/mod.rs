//! `posix`: what the packaged `os` is built on.

mod arguments;
mod descriptors;
mod files;
mod names;
mod process;
mod scandir;
mod schedule;
mod spawn;
mod stats;
mod system;

pub use arguments::c_string;
pub use process::fork_with;
pub use stats::stat_result;

use skein_builtins::modules::structseq::Lazy;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::{add_functions, make_module};
use skein_runtime::{R, Value, Vm};

/// Struct sequence types, made at their first use.
#[derive(Default)]
struct State {
    stat: Lazy,
    statvfs: Lazy,
    terminal_size: Lazy,
    times: Lazy,
    uname: Lazy,
    waitid: Lazy,
    sched_param: Lazy,
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "posix", files::FUNCTIONS)?;
    for table in [
        descriptors::FUNCTIONS,
        process::FUNCTIONS,
        schedule::FUNCTIONS,
        spawn::FUNCTIONS,
        stats::FUNCTIONS,
        system::FUNCTIONS,
    ] {
        add_functions(vm, m, table)?;
    }
    let d = m.dict();
    for &(name, n) in names::NAMED.iter().chain(names::OTHERS) {
        d.set_name(vm, name, vm.int(n)?)?;
    }
    d.set_name(vm, "environ", system::create_environ(vm)?.value())?;
    let tables = [
        ("sysconf_names", names::SYSCONF),
        ("pathconf_names", names::PATHCONF),
        ("confstr_names", names::CONFSTR),
    ];
    for (name, table) in tables {
        let numbers = Dict::new(vm)?;
        for &(k, n) in table {
            numbers.set_name(vm, k, Value::small_int(n.into()))?;
        }
        d.set_name(vm, name, numbers.value())?;
    }
    let have = List::with_capacity(vm, names::HAVE.len())?;
    for name in names::HAVE {
        have.push(vm, vm.str(name)?)?;
    }
    d.set_name(vm, "_have_functions", have.value())?;
    let state = vm.state::<State>();
    for (name, ty, def) in [
        ("stat_result", &state.stat, &stats::STAT),
        ("statvfs_result", &state.statvfs, &stats::STATVFS),
        ("terminal_size", &state.terminal_size, &descriptors::TERMINAL_SIZE),
        ("times_result", &state.times, &system::TIMES),
        ("uname_result", &state.uname, &system::UNAME),
        ("waitid_result", &state.waitid, &process::WAITID),
        ("sched_param", &state.sched_param, &schedule::PARAM),
    ] {
        d.set_name(vm, name, ty.get(vm, def)?.value())?;
    }
    d.set_name(vm, "error", vm.exc.os_error.value())?;
    d.set_name(vm, "DirEntry", ext_type(vm, &scandir::ENTRY)?.value())?;
    Ok(m)
}
