//! `_queue`: an unbounded queue between threads.

use super::thread::{Timeout, deadline};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::threads::gil::Parked;
use skein_runtime::threads::wait::WaitList;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, Payload, check_class, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{R, Value, Vm, native_functions, native_type};
use std::cell::Cell;

/// The items, in a list of which the first `taken` have been handed out.
struct SimpleQueue {
    items: Field,
    taken: Cell<usize>,
    getting: WaitList,
}

impl Payload for SimpleQueue {
    const NAME: &'static str = "_queue.SimpleQueue";
    fn trace(&self, t: &mut Tracer<'_>) {
        let SimpleQueue { items, taken: _, getting: _ } = self;
        items.trace(t);
    }
}

type Queue = Ref<Ext<SimpleQueue>>;

native_type! {
    SIMPLE_QUEUE: "_queue.SimpleQueue", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_WEAKREF,
        "Simple, unbounded, reentrant FIFO queue.";
    methods {
        [static] "__new__($type, /)" => new;
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, ty: Value, item: Value| vm.generic_alias(ty, item);
        "put($self, /, item, block=True, timeout=None)" => put, "Put the item on the queue.";
        "put_nowait($self, /, item)" => |vm: &Vm, q: Queue, item: Value| put(vm, q, item, None, None), "Put an item into the queue without blocking.";
        "get($self, /, block=True, timeout=None)" => get, "Remove and return an item from the queue.";
        "get_nowait($self, /)" => |vm: &Vm, q: Queue| get(vm, q, Some(false), None), "Remove and return an item from the queue without blocking.";
        "empty($self, /)" => |_: &Vm, q: Queue| len(q) == 0, "Return True if the queue is empty, False otherwise (not reliable!).";
        "qsize($self, /)" => |_: &Vm, q: Queue| len(q), "Return the approximate size of the queue (not reliable!).";
    }
}

/// `_queue.Empty`.
#[derive(Default)]
struct State(Cell<Option<Ref<Type>>>);

fn new(vm: &Vm, ty: Ref<Type>) -> R<Queue> {
    check_class(vm, ty, &SIMPLE_QUEUE)?;
    let items = List::new(vm, &[])?;
    let queue = SimpleQueue {
        items: Field::new(Some(items.value())),
        taken: Cell::new(0),
        getting: WaitList::default(),
    };
    Ext::new(vm, ty, queue)
}

fn items(q: Queue) -> Option<Ref<List>> {
    q.items.cast()
}

fn len(q: Queue) -> usize {
    items(q).map_or(0, |l| l.len() - q.taken.get())
}

fn put(vm: &Vm, q: Queue, item: Value, _block: Option<bool>, _timeout: Option<Value>) -> R<()> {
    if let Some(list) = items(q) {
        list.push(vm, item)?;
    }
    q.getting.wake_one(vm);
    Ok(())
}

/// Takes the first item.
fn take(vm: &Vm, q: Queue) -> R<Option<Value>> {
    /// So many places at the list's beginning may be empty whatever its length.
    const FEW: usize = 32;
    let Some(list) = items(q) else { return Ok(None) };
    let at = q.taken.get();
    let Some(v) = list.get(at) else { return Ok(None) };
    list.store(vm, at, Value::NONE);
    q.taken.set(at + 1);
    if at + 1 == list.len() {
        list.clear();
        q.taken.set(0);
    } else if at >= FEW && at + 1 > list.len() / 2 {
        list.splice(vm, 0, at + 1, &[])?;
        q.taken.set(0);
    }
    Ok(Some(v))
}

fn get(vm: &Vm, q: Queue, block: Option<bool>, timeout: Option<Value>) -> R<Value> {
    let until = match timeout.filter(|t| !t.is_none() && block.unwrap_or(true)) {
        None if block.unwrap_or(true) => Timeout::Forever,
        None => Timeout::No,
        Some(t) => {
            if super::thread::seconds(vm, t)? < 0.0 {
                return Err(vm.value_error("'timeout' must be a non-negative number"));
            }
            deadline(vm, true, Some(t))?
        }
    };
    let mut again = false;
    loop {
        if let Some(v) = take(vm, q)? {
            return Ok(v);
        }
        let until = match until {
            Timeout::No => break,
            Timeout::Forever => None,
            Timeout::Until(t) => Some(t),
        };
        match q.getting.wait(vm, until, again) {
            Parked::Called => again = true,
            Parked::TimedOut => break,
            Parked::Interrupted => vm.check_signals()?,
        }
    }
    match take(vm, q)? {
        Some(v) => Ok(v),
        None => match vm.state::<State>().0.get() {
            Some(empty) => Err(vm.raise_new(empty, &[])),
            None => Err(vm.system_error("_queue is not imported")),
        },
    }
}

native_functions! { FUNCTIONS: }

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_queue", FUNCTIONS)?;
    let namespace = Dict::new(vm)?;
    namespace.set_name(vm, "__module__", vm.str("_queue")?)?;
    namespace.set_name(vm, "__doc__", vm.str("Exception raised by Queue.get(block=0)/get_nowait().")?)?;
    let bases = vm.tuple(&[vm.exc.exception.value()])?;
    let empty = vm.call(vm.types.type_.value(), &[vm.str("Empty")?, bases, namespace.value()])?;
    if let Some(ty) = empty.cast::<Type>() {
        vm.roots.borrow_mut().push(empty);
        vm.state::<State>().0.set(Some(ty));
    }
    m.dict().set_name(vm, "Empty", empty)?;
    m.dict().set_name(vm, "SimpleQueue", ext_type(vm, &SIMPLE_QUEUE)?.value())?;
    Ok(m)
}
