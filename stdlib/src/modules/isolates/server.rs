//! The thread of an isolate: makes it, does what others ask of it, ends it.

use super::family::{Family, Place, join};
use super::message::{Message, row_of};
use crate::modules::faulthandler;
use skein_runtime::interp::describe_exception;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::vm::{Config, Maker};
use skein_runtime::{Args, R, Vm};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

/// Bytes of the thread's own stack. Programs run on pooled ones.
pub const STACK: usize = 4 << 20;

pub enum Job {
    /// The answer to a message, or why there is none, by the name of the thread that asks.
    Answer(Message, ThreadName, Sender<Result<Message, String>>),
}

/// What the system knows a thread by.
pub struct ThreadName([libc::c_char; 16]);

impl ThreadName {
    /// That of the calling thread.
    pub fn own() -> ThreadName {
        let mut name = [0; 16];
        // SAFETY: a buffer and its size, which names fit into. Without a name there is an empty one.
        unsafe { libc::pthread_getname_np(libc::pthread_self(), name.as_mut_ptr(), name.len()) };
        ThreadName(name)
    }

    /// Gives it to the calling thread.
    fn take(&self) {
        // SAFETY: ends with a null, as it was got.
        unsafe { libc::pthread_setname_np(libc::pthread_self(), self.0.as_ptr()) };
    }
}

/// The thread's function. `ready` is told when the isolate is there; it ends when nobody is left who could ask.
pub fn serve(
    maker: Maker,
    config: Config,
    family: Arc<Family>,
    id: i64,
    jobs: &Receiver<Job>,
    ready: &Sender<Result<(), String>>,
) {
    let vm = match maker(config) {
        Ok(vm) => vm,
        Err(text) => {
            // The one who asked waits for it.
            let _ = ready.send(Err(text));
            return;
        }
    };
    join(&vm, family, id);
    if ready.send(Ok(())).is_ok() {
        while let Ok(Job::Answer(message, name, to)) = vm.without_gil(|| jobs.recv()) {
            name.take();
            let answered = catch_unwind(AssertUnwindSafe(|| answer(&vm, message)));
            let answer = match answered {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(_)) => {
                    Err(vm.pending.take().map_or_else(|| "no memory".into(), |e| describe_exception(&vm, e)))
                }
                Err(_) => Err("internal error".into()),
            };
            // The one who asked may be gone with its process's main thread.
            let _ = to.send(answer);
        }
    }
    vm.hooks.clone().tier().finish();
    crate::modules::finish(&vm);
    faulthandler::forget(&vm);
    vm.state::<Place>().exports.sweep();
    if vm.threads.is_alone() && vm.state::<Place>().exports.is_empty() {
        drop(vm);
    } else {
        // Others look at its memory, or wait for its lock for ever.
        std::mem::forget(vm);
    }
}

/// What `_interpreters._serve` makes of a message.
fn answer(vm: &Vm, message: Message) -> R<Message> {
    let serve = vm.get_attr_str(vm.import("_interpreters")?, "_serve")?;
    let row = row_of(vm, message)?;
    let Some(row) = row.cast::<Tuple>() else { return Err(vm.system_error("no message")) };
    let result = vm.switcher().run_program(vm, serve, Args::new(row.items(), None))?;
    let parts = result.cast::<Tuple>().filter(|t| t.items().len() == 2);
    let Some(parts) = parts else { return Err(vm.system_error("_serve() gave no message")) };
    Message::new(vm, super::BytesLike::new(vm, parts.items()[0])?, parts.items()[1])
}
