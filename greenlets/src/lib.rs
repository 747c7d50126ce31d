//! Microthreads: switching, and the modules `greenlet` and `stackless`.
//!
//! ```text
//! micro      one microthread: its context and how it is parked
//! switch     from one microthread to another, softly in the loop or with native stacks
//! greenlet, trace, greenlet_module   the class, the trace function, the module `greenlet`
//! foreign    microthreads of other OS threads, and those that a thread leaves behind
//! scheduler  the queue of runnable tasklets
//! running    from one tasklet to another: plans, and carrying them out
//! across     tasklets of other threads
//! carbon     the modules `scheduler` and `_scheduler`: carbon-scheduler's interface
//! aio        the module `stackless.aio`: with asyncio in one program
//! holders    who can get at what another one waits for
//! seeing     what `skein.inspect` and `skein.profile` show
//! tracing    trace and profile functions of tasklets
//! waiting    who waits on whom, when nothing can run
//! pickling   frames, tasklets, channels and what they reach, in pickles
//! tasklet, channel, bomb, cstack, stackless, testing   the module `stackless`
//! ```

mod across;
mod aio;
mod bomb;
mod carbon;
mod channel;
mod cstack;
mod foreign;
mod greenlet;
mod greenlet_module;
mod holders;
mod micro;
mod pickling;
mod running;
mod scheduler;
mod seeing;
mod stackless;
mod switch;
mod tasklet;
mod testing;
mod trace;
mod tracing;
mod waiting;

pub use skein_continuations::StackPool;
pub use switch::{MicroTypes, Microthreads, new_pool};

use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// The modules of this crate by name.
pub fn native_module(vm: &Vm, name: &str) -> R<Option<Value>> {
    Ok(Some(match name {
        "greenlet" => greenlet_module::make_package(vm)?.value(),
        "greenlet._greenlet" => greenlet_module::make_inner(vm)?.value(),
        "stackless" | "_stackless" => stackless::make(vm)?.value(),
        "stackless.aio" => aio::make(vm)?.value(),
        "stackless._wrap" => pickling::make(vm)?.value(),
        "_teststackless" => testing::make(vm)?.value(),
        seeing::NAME => seeing::make(vm)?.value(),
        "_scheduler" | "scheduler" => carbon::make(vm, name)?,
        _ => return Ok(None),
    }))
}

/// Their names.
pub const MODULE_NAMES: &[&str] = &[
    "greenlet",
    "greenlet._greenlet",
    "stackless",
    "stackless.aio",
    "stackless._wrap",
    "_stackless",
    "_teststackless",
    seeing::NAME,
];
