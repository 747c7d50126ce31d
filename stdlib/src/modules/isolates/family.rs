//! The isolates of a program, and what they share.

use super::channels::Channels;
use super::message::{Exports, Message};
use super::queues::Queues;
use super::server::{self, Job, ThreadName};
use skein_runtime::vm::Limits;
use skein_runtime::{Value, Vm};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// `_interpreters.WHENCE_RUNTIME` and `WHENCE_STDLIB`.
const BY_RUNTIME: i64 = 1;
const BY_LIBRARY: i64 = 5;

/// What the isolates of a program share. Nobody waits, and nothing of Python's runs, with its lock held.
pub struct Family {
    shared: Mutex<Shared>,
    /// Something was received from a channel, or one was closed.
    pub received: Condvar,
}

pub struct Shared {
    next: i64,
    pub members: BTreeMap<i64, Member>,
    pub queues: Queues,
    pub channels: Channels,
}

/// An isolate.
pub struct Member {
    pub whence: i64,
    /// What it was made with, for those that ask for it.
    pub config: Vec<u8>,
    /// How often the library's objects stand for it, and whether it ends with the last one.
    pub references: i64,
    pub owned: bool,
    /// Its main program runs: nothing else can be asked of it.
    pub running: bool,
    /// Where its thread takes what it is to do; none: it is the program's own.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Family {
    /// With the program's own isolate.
    fn new(id: i64, config: Vec<u8>) -> Family {
        let main = Member {
            whence: BY_RUNTIME,
            config,
            references: 0,
            owned: false,
            running: true,
            jobs: None,
            thread: None,
        };
        Family {
            shared: Mutex::new(Shared {
                next: id + 1,
                members: BTreeMap::from([(id, main)]),
                queues: Queues::default(),
                channels: Channels::default(),
            }),
            received: Condvar::new(),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, Shared> {
        // Nothing panics with the lock held that would leave things half done.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an isolate knows of its family.
#[derive(Default)]
pub struct Place {
    id: Cell<i64>,
    family: RefCell<Option<Arc<Family>>>,
    pub exports: Exports,
}

/// The family of an isolate; one that belongs to none begins one.
pub fn family(vm: &Vm) -> Arc<Family> {
    let place = vm.state::<Place>();
    let mut family = place.family.borrow_mut();
    family.get_or_insert_with(|| Arc::new(Family::new(0, Vec::new()))).clone()
}

/// The number of the isolate.
pub fn current(vm: &Vm) -> i64 {
    vm.state::<Place>().id.get()
}

/// A new isolate belongs to a family.
pub(super) fn join(vm: &Vm, family: Arc<Family>, id: i64) {
    let place = vm.state::<Place>();
    place.id.set(id);
    place.family.replace(Some(family));
}

/// Makes an isolate, and waits until it is ready: its number, or why there is none.
pub fn add(vm: &Vm, config: Vec<u8>, bits: i64, owned: bool) -> Result<i64, String> {
    let family = family(vm);
    let id = {
        let mut shared = family.lock();
        let id = shared.next;
        shared.next += 1;
        id
    };
    let mut settings = vm.config.clone();
    settings.limits = Some(Limits {
        fork: bits & 1 != 0,
        exec: bits & 2 != 0,
        threads: bits & 4 != 0,
        daemon_threads: bits & 8 != 0,
    });
    // The program's own isolate shows the end of the process.
    settings.fault_handler = false;
    let (jobs, todo) = channel();
    let (ready, made) = channel();
    let maker = vm.hooks.maker();
    let own = family.clone();
    let thread = std::thread::Builder::new().name(format!("isolate {id}")).stack_size(server::STACK);
    let thread = thread.spawn(move || server::serve(maker, settings, own, id, &todo, &ready));
    let thread = thread.map_err(|e| e.to_string())?;
    match vm.without_gil(|| made.recv()) {
        Ok(Ok(())) => {}
        Ok(Err(text)) => return Err(text),
        Err(_) => return Err("its thread has ended".into()),
    }
    let member = Member {
        whence: BY_LIBRARY,
        config,
        references: 0,
        owned,
        running: false,
        jobs: Some(jobs),
        thread: Some(thread),
    };
    family.lock().members.insert(id, member);
    Ok(id)
}

pub enum Asked {
    Unknown,
    Running,
    Failed(String),
    Answered(Message),
}

/// Has an isolate answer a message, and waits for it.
pub fn ask(vm: &Vm, id: i64, message: Message) -> Asked {
    let family = family(vm);
    let (answer, answered) = channel();
    {
        let mut shared = family.lock();
        let Some(member) = shared.members.get_mut(&id) else { return Asked::Unknown };
        if member.running {
            return Asked::Running;
        }
        let Some(jobs) = &member.jobs else { return Asked::Running };
        if jobs.send(Job::Answer(message, ThreadName::own(), answer)).is_err() {
            return Asked::Failed("its thread has ended".into());
        }
        member.running = true;
    }
    let result = vm.without_gil(|| answered.recv());
    if let Some(member) = family.lock().members.get_mut(&id) {
        member.running = false;
    }
    match result {
        Ok(Ok(answer)) => Asked::Answered(answer),
        Ok(Err(text)) => Asked::Failed(text),
        Err(_) => Asked::Failed("its thread has ended".into()),
    }
}

pub enum Ending {
    Unknown,
    Running,
    Ended,
}

/// Ends an isolate, and waits for that.
pub fn end(vm: &Vm, id: i64) -> Ending {
    let family = family(vm);
    let thread = {
        let mut shared = family.lock();
        let Some(member) = shared.members.get_mut(&id) else { return Ending::Unknown };
        // Nobody is to ask it for anything meanwhile.
        if member.running || member.jobs.take().is_none() {
            return Ending::Running;
        }
        member.running = true;
        member.thread.take()
    };
    // Without anybody who could ask for more, its thread ends it.
    if let Some(thread) = thread {
        // A panic was shown when it happened.
        let _ = vm.without_gil(|| thread.join());
    }
    let mut shared = family.lock();
    shared.members.remove(&id);
    shared.queues.isolate_ended(id);
    shared.channels.isolate_ended(id);
    drop(shared);
    family.received.notify_all();
    Ending::Ended
}

/// The end of the program's own isolate: it ends the others that do not run.
pub fn end_all(vm: &Vm) {
    if vm.config.limits.is_some() {
        return;
    }
    let place = vm.state::<Place>();
    let Some(family) = place.family.borrow().clone() else { return };
    let left = |shared: &Shared| {
        shared.members.iter().find(|(_, m)| !m.running && m.jobs.is_some()).map(|(id, _)| *id)
    };
    if left(&family.lock()).is_some()
        && vm
            .warn_explicit(
                vm.exc.runtime_warning,
                "remaining subinterpreters; close them with Interpreter.close()",
                "<sys>",
                0,
            )
            .is_err()
    {
        vm.unraisable(None, Value::NONE);
    }
    loop {
        let next = left(&family.lock());
        match next {
            Some(id) => end(vm, id),
            None => break,
        };
    }
}

/// In the child of a fork: the calling isolate is the only one there. What belongs to the others is left alone.
pub fn forked(vm: &Vm) {
    let place = vm.state::<Place>();
    let mut family = place.family.borrow_mut();
    if family.is_some() {
        // Its lock may have been held by a thread that is not there: nothing of it is touched again.
        std::mem::forget(family.replace(Arc::new(Family::new(place.id.get(), Vec::new()))));
    }
}
