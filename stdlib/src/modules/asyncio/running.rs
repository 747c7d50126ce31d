//! Which loop and which task run in a thread; which tasks there are.

use super::find;
use super::future::{Future, FutureRef, State, get_loop};
use rustc_hash::FxHashSet;
use skein_runtime::object::Tracer;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::list::List;
use skein_runtime::{R, Value, Vm};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The tasks that are scheduled, which it does not keep alive: a task takes itself out when it ends or dies.
#[derive(Default)]
pub struct Registry(RefCell<FxHashSet<usize>>);

impl Registry {
    pub fn remove(&self, f: &Future) {
        self.0.borrow_mut().remove(&std::ptr::from_ref(f).addr());
    }
}

/// Tasks of other classes than ours, in a WeakSet.
#[derive(Default)]
struct Others(Cell<Option<Value>>, Cell<bool>);

fn others(vm: &Vm) -> R<Value> {
    let state = vm.state::<Others>();
    if !state.1.replace(true) {
        vm.root_tracers.borrow_mut().push(|vm: &Vm, t: &mut Tracer<'_>| {
            if let Some(v) = vm.state::<Others>().0.get() {
                t.visit_word(v.bits());
            }
        });
    }
    if let Some(set) = state.0.get() {
        return Ok(set);
    }
    let set = vm.call(find(vm, "weakref", "WeakSet")?, &[])?;
    state.0.set(Some(set));
    Ok(set)
}

fn registry(vm: &Vm) -> Rc<Registry> {
    vm.state::<Registry>()
}

pub fn register_task(vm: &Vm, task: Value) -> R<()> {
    let Some(f) = task.cast::<Ext<Future>>().filter(|f| f.task.is_task.get()) else {
        return vm.call_method(others(vm)?, "add", &[task]).map(|_| ());
    };
    let registry = registry(vm);
    let future: &Future = &f;
    registry.0.borrow_mut().insert(std::ptr::from_ref(future).addr());
    f.task.registry.set(Some(registry));
    Ok(())
}

/// A task of ours is scheduled no more.
pub fn unregister(f: FutureRef) {
    if let Some(registry) = f.task.registry.take() {
        registry.remove(&f);
    }
}

pub fn unregister_task(vm: &Vm, task: Value) -> R<()> {
    match task.cast::<Ext<Future>>().filter(|f| f.task.is_task.get()) {
        Some(f) => {
            unregister(f);
            Ok(())
        }
        None => vm.call_method(others(vm)?, "discard", &[task]).map(|_| ()),
    }
}

pub fn register_eager_task(vm: &Vm, task: Value) -> R<()> {
    register_task(vm, task)
}

pub fn unregister_eager_task(vm: &Vm, task: Value) -> R<()> {
    unregister_task(vm, task)
}

/// All tasks of a loop that are not done, as a set.
pub fn all_tasks(vm: &Vm, event_loop: Option<Value>) -> R<Value> {
    let event_loop = match event_loop.filter(|l| !l.is_none()) {
        Some(l) => l,
        None => get_running_loop(vm)?,
    };
    let all = List::new(vm, &[])?;
    let registry = registry(vm);
    let known: Vec<usize> = registry.0.borrow().iter().copied().collect();
    for address in known {
        // A task may end meanwhile, if making room runs finalizers.
        if !registry.0.borrow().contains(&address) {
            continue;
        }
        // SAFETY: the address of the payload of a task that is alive: it would have taken itself out.
        let f = unsafe { Ext::<Future>::of_payload(address as *const Future) };
        if f.state.get() == State::Pending && f.event_loop.get() == Some(event_loop) {
            all.push(vm, f.value())?;
        }
    }
    let set = vm.call(vm.types.set.value(), &[all.value()])?;
    if vm.state::<Others>().0.get().is_some() {
        vm.for_each(others(vm)?, |t| {
            let its = vm.call(find(vm, "asyncio.futures", "_get_loop")?, &[t])?;
            let done = vm.call_method(t, "done", &[])?;
            if its.is(event_loop) && !vm.truth(done)? {
                vm.call_method(set, "add", &[t])?;
            }
            Ok(())
        })?;
    }
    Ok(set)
}

pub fn get_running_loop_or_none(vm: &Vm) -> Value {
    vm.threads.current().kept.running_loop.get().unwrap_or(Value::NONE)
}

pub fn set_running_loop(vm: &Vm, event_loop: Value) {
    vm.threads.current().kept.running_loop.set((!event_loop.is_none()).then_some(event_loop));
}

pub fn get_running_loop(vm: &Vm) -> R<Value> {
    let running = vm.threads.current().kept.running_loop.get();
    running.ok_or_else(|| vm.runtime_error("no running event loop"))
}

pub fn get_event_loop(vm: &Vm) -> R<Value> {
    match vm.threads.current().kept.running_loop.get() {
        Some(l) => Ok(l),
        None => {
            let policy = vm.call(find(vm, "asyncio.events", "_get_event_loop_policy")?, &[])?;
            vm.call_method(policy, "get_event_loop", &[])
        }
    }
}

fn check_running(vm: &Vm, event_loop: Value) -> R<()> {
    if vm.threads.current().kept.running_loop.get() == Some(event_loop) {
        return Ok(());
    }
    let text = format!("loop {} is not the running loop", vm.repr_string(event_loop)?);
    Err(vm.runtime_error(text))
}

pub fn enter_task(vm: &Vm, event_loop: Value, task: Value) -> R<()> {
    check_running(vm, event_loop)?;
    let thread = vm.threads.current();
    if let Some(other) = thread.kept.current_task.get() {
        let text = format!(
            "Cannot enter into task {} while another task {} is being executed.",
            vm.repr_string(task)?,
            vm.repr_string(other)?
        );
        return Err(vm.runtime_error(text));
    }
    thread.kept.current_task.set(Some(task));
    Ok(())
}

pub fn leave_task(vm: &Vm, event_loop: Value, task: Value) -> R<()> {
    check_running(vm, event_loop)?;
    let thread = vm.threads.current();
    let current = thread.kept.current_task.get();
    if current != Some(task) {
        let text = format!(
            "Invalid attempt to leave task {} while task {} is entered.",
            vm.repr_string(task)?,
            vm.repr_string(current.unwrap_or(Value::NONE))?
        );
        return Err(vm.runtime_error(text));
    }
    thread.kept.current_task.set(None);
    Ok(())
}

pub fn swap_current_task(vm: &Vm, event_loop: Value, task: Value) -> R<Value> {
    check_running(vm, event_loop)?;
    let slot = &vm.threads.current().kept.current_task;
    Ok(slot.replace((!task.is_none()).then_some(task)).unwrap_or(Value::NONE))
}

pub fn current_task(vm: &Vm, event_loop: Option<Value>) -> R<Value> {
    let running = vm.threads.current().kept.running_loop.get();
    let event_loop = match event_loop.filter(|l| !l.is_none()) {
        Some(l) => l,
        None => get_running_loop(vm)?,
    };
    if running == Some(event_loop) {
        return Ok(vm.threads.current().kept.current_task.get().unwrap_or(Value::NONE));
    }
    let other = vm.threads.all().into_iter().find(|t| t.kept.running_loop.get() == Some(event_loop));
    Ok(other.and_then(|t| t.kept.current_task.get()).unwrap_or(Value::NONE))
}

/// The loop of a future of any class.
pub fn loop_of(vm: &Vm, future: Value) -> R<Value> {
    match future.cast::<Ext<Future>>() {
        Some(f) => get_loop(vm, f),
        None => vm.call(find(vm, "asyncio.futures", "_get_loop")?, &[future]),
    }
}
