//! Tasklets of other threads: to be made runnable, taken out, ended or moved from any thread. They run in their own.

use crate::channel::unblock;
use crate::micro::{Kind, State};
use crate::running::{Plan, ensure_main, go_hard, plan_throw};
use crate::switch::{Deliver, Microthreads};
use crate::tasklet::{Task, Tasklet, alive, is_scheduled, keep, nesting};
use skein_runtime::interp::abandon_frames;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::list::List;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;

/// The microthreads of a tasklet's thread; None: it has ended.
pub fn home(vm: &Vm, t: Task) -> Option<&Microthreads> {
    Microthreads::of_thread(vm, t.micro.ctx.thread.get())
}

pub fn no_thread(vm: &Vm) -> Raised {
    vm.runtime_error("tasklet has no thread")
}

/// Its thread may be waiting for something to run, or for events.
pub fn wake(vm: &Vm, t: Task) {
    let serial = t.micro.ctx.thread.get();
    if serial == Microthreads::of(vm).thread {
        return;
    }
    if let Some(thread) = vm.threads.by_serial(serial) {
        vm.unpark(&thread);
    }
    if let Some(fd) = Microthreads::of_thread(vm, serial).and_then(|micros| micros.scheduler.waker.get()) {
        // SAFETY: a byte in. Where the pipe is full, the loop is told already; where it is closed, there is no loop.
        unsafe { libc::write(fd, [0u8].as_ptr().cast(), 1) };
    }
}

/// Makes a tasklet runnable that is neither that nor blocked, in its own thread.
pub fn make_runnable(vm: &Vm, micros: &Microthreads, t: Task) {
    if !t.queued.get() && !micros.scheduler.runs(t) {
        micros.scheduler.push(vm, t);
    }
    wake(vm, t);
}

/// `run` of a tasklet of another thread: it is the next one there.
pub fn run(vm: &Vm, t: Task) -> R<Plan> {
    let Some(micros) = home(vm, t) else { return Err(no_thread(vm)) };
    crate::tasklet::check_insertable(vm, t)?;
    let s = &micros.scheduler;
    if !s.runs(t) {
        if t.queued.get() {
            s.remove(t);
        }
        s.push_front(vm, t);
    }
    wake(vm, t);
    Ok(Plan::Stay(Ok(Value::NONE)))
}

/// Leaves an exception for a tasklet, which is made runnable.
pub fn leave_exception(vm: &Vm, t: Task, e: Value) -> R<Plan> {
    let Some(micros) = home(vm, t) else { return Err(no_thread(vm)) };
    if t.is_blocked() {
        unblock(vm, t);
    }
    keep(vm, t, Deliver::Raise(e));
    make_runnable(vm, micros, t);
    Ok(Plan::Stay(Ok(Value::NONE)))
}

/// Drops the frames of a suspended tasklet without leaving them.
pub fn abandon(vm: &Vm, t: Task) {
    abandon_frames(vm, t.value());
    if let Some(micros) = home(vm, t) {
        micros.dropped.count_ended();
    }
    t.micro.ctx.release(&vm.chunks);
}

/// `kill` of one whose thread has ended: nothing can run in it any more.
pub fn kill_stranded(vm: &Vm, t: Task) {
    if t.is_blocked() {
        unblock(vm, t);
    }
    match t.micro.state.get() {
        State::Soft => {
            abandon(vm, t);
            t.micro.state.set(State::Dead);
        }
        State::New => t.args.init(None::<Value>),
        _ => {}
    }
}

/// `bind_thread`: the tasklet is from now on one of the thread with this id (None: of the running thread).
pub fn bind_thread(vm: &Vm, t: Task, id: Option<Value>) -> R<()> {
    let id = match id {
        None => -1,
        Some(v) if vm.is_int(v) => vm.index_clamped(v)?,
        Some(v) => {
            let name = vm.type_name(v);
            return Err(vm.type_error(format!("bind_thread() argument 1 must be int, not {name}")));
        }
    };
    let here = Microthreads::of(vm);
    if id == -1 && !here.is_foreign(&t.micro) {
        return Ok(());
    }
    if is_scheduled(vm, t) && !t.is_blocked() {
        return Err(vm.runtime_error("can't (re)bind a runnable tasklet"));
    }
    let on_its_stack = !t.at.get().is_null() || t.micro.kind == Kind::Main;
    if nesting(vm, t) > 0 || t.micro.state.get() == State::Hard || on_its_stack {
        return Err(vm.runtime_error("tasklet has C state on its stack"));
    }
    if id < -1 {
        return Err(vm.overflow_error("can't convert negative int to unsigned"));
    }
    let target = if id == -1 {
        ensure_main(vm)?;
        here
    } else {
        let thread = vm.threads.all().into_iter().find(|t| t.ident() as i64 == id);
        let micros = thread.and_then(|t| Microthreads::of_thread(vm, t.serial));
        match micros.filter(|m| m.scheduler.main.get().is_some()) {
            Some(micros) => micros,
            None => return Err(vm.value_error("bad thread")),
        }
    };
    if t.micro.is_alive() {
        if let Some(micros) = home(vm, t) {
            micros.dropped.count_ended();
        }
        target.dropped.count_begun();
    }
    t.micro.ctx.thread.set(target.thread);
    Ok(())
}

/// A thread's main program has ended: its tasklets that are under native calls are killed, the others just stop.
pub fn end_tasklets(vm: &Vm, micros: &Microthreads) -> R<()> {
    let s = &micros.scheduler;
    if s.main.take().is_none() {
        while s.pop().is_some() {}
        return Ok(());
    }
    // What is killed sees another main tasklet, since the thread's has ended.
    s.current.set(None);
    ensure_main(vm)?;
    if let Some(f) = s.at_end.take()
        && vm.call(f, &[]).is_err()
    {
        vm.unraisable(None, f);
    }
    let parked = List::with_capacity(vm, 0)?;
    for record in micros.parked().filter(|p| p.micro().kind == Kind::Tasklet) {
        if let Some(owner) = record.micro().owner() {
            parked.push(vm, owner)?;
        }
    }
    let mut i = 0;
    while let Some(v) = parked.get(i) {
        i += 1;
        let Some(t) = v.cast::<Ext<Tasklet>>().filter(|&t| alive(vm, t) && s.current.get() != Some(t)) else {
            continue;
        };
        let exit = vm.call(vm.exc.tasklet_exit.value(), &[])?;
        if go_hard(vm, plan_throw(vm, t, exit, false)?).is_err() {
            vm.unraisable(None, v);
        }
    }
    while s.pop().is_some() {}
    Ok(())
}
