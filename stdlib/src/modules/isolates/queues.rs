//! Queues between isolates, for `_interpqueues`. A function that finds no such queue gives None.

use super::family::{current, family};
use super::message::{Message, row_of};
use super::{list_of, numbers};
use crate::modules::support::BytesLike;
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::{R, Value, Vm};
use std::collections::{BTreeMap, VecDeque};

/// What becomes of an item whose isolate has ended: it is taken out, or what is in its place says so.
const REMOVE: i64 = 1;

/// Something that waits to be received.
pub struct Item {
    /// Who sent it; None: that one has ended.
    pub from: Option<i64>,
    pub unbound: i64,
    /// None: it has gone with its isolate.
    pub message: Option<Message>,
    /// By which its sender waits for it; 0: it does not.
    pub ticket: u64,
}

/// The isolate has ended: its items become empty, or are taken out. Those that were taken out.
pub fn unbind(items: &mut VecDeque<Item>, id: i64) -> Vec<Item> {
    let (mut kept, mut gone) = (VecDeque::with_capacity(items.len()), Vec::new());
    for mut item in items.drain(..) {
        if item.from != Some(id) {
            kept.push_back(item);
        } else if item.unbound == REMOVE {
            gone.push(item);
        } else {
            item.from = None;
            item.message = None;
            kept.push_back(item);
        }
    }
    *items = kept;
    gone
}

struct Queue {
    limit: i64,
    unbound: i64,
    fallback: i64,
    references: i64,
    items: VecDeque<Item>,
}

impl Queue {
    fn is_full(&self) -> bool {
        self.limit > 0 && self.items.len() as i64 >= self.limit
    }
}

#[derive(Default)]
pub struct Queues {
    last: i64,
    all: BTreeMap<i64, Queue>,
}

impl Queues {
    pub fn isolate_ended(&mut self, id: i64) {
        for queue in self.all.values_mut() {
            unbind(&mut queue.items, id);
        }
    }
}

pub fn create(vm: &Vm, limit: i64, unbound: i64, fallback: i64) -> i64 {
    let family = family(vm);
    let mut shared = family.lock();
    let queues = &mut shared.queues;
    queues.last += 1;
    let queue = Queue { limit, unbound, fallback, references: 0, items: VecDeque::new() };
    queues.all.insert(queues.last, queue);
    queues.last
}

/// Was there one?
pub fn destroy(vm: &Vm, id: i64) -> bool {
    let queue = family(vm).lock().queues.all.remove(&id);
    queue.is_some()
}

/// Number, what becomes of unbound items, and how items are sent that are not shareable, of each queue.
pub fn list(vm: &Vm) -> R<Ref<List>> {
    let row = |(id, q): (&i64, &Queue)| Vec::from([*id, q.unbound, q.fallback]);
    let rows: Vec<_> = family(vm).lock().queues.all.iter().map(row).collect();
    list_of(vm, rows)
}

/// Counts references; the queue ends with the last one. False: it had none.
pub fn bind(vm: &Vm, id: i64, change: i64) -> Option<bool> {
    let family = family(vm);
    let mut shared = family.lock();
    let queue = shared.queues.all.get_mut(&id)?;
    if change < 0 && queue.references == 0 {
        return Some(false);
    }
    queue.references += change;
    if queue.references == 0 {
        let queue = shared.queues.all.remove(&id);
        drop(shared);
        drop(queue);
    }
    Some(true)
}

/// Limit, number of items, whether it is full, and its defaults.
pub fn facts(vm: &Vm, id: i64) -> R<Option<Value>> {
    let row = |q: &Queue| [q.limit, q.items.len() as i64, q.is_full().into(), q.unbound, q.fallback];
    let row = family(vm).lock().queues.all.get(&id).map(row);
    row.map(|row| numbers(vm, &row)).transpose()
}

/// False: the queue is full.
pub fn put(vm: &Vm, id: i64, unbound: i64, data: BytesLike, views: Value) -> R<Option<bool>> {
    let message = Message::new(vm, data, views)?;
    let from = current(vm);
    let family = family(vm);
    let mut shared = family.lock();
    let Some(queue) = shared.queues.all.get_mut(&id) else { return Ok(None) };
    if queue.is_full() {
        return Ok(Some(false));
    }
    let unbound = if unbound < 0 { queue.unbound } else { unbound };
    queue.items.push_back(Item { from: Some(from), unbound, message: Some(message), ticket: 0 });
    Ok(Some(true))
}

/// A message; the number that says what stands for an unbound item; False: the queue is empty.
pub fn get(vm: &Vm, id: i64) -> R<Value> {
    let item = match family(vm).lock().queues.all.get_mut(&id) {
        None => return Ok(Value::NONE),
        Some(queue) => queue.items.pop_front(),
    };
    match item {
        None => Ok(Value::FALSE),
        Some(Item { message: Some(message), .. }) => row_of(vm, message),
        Some(item) => vm.int(item.unbound),
    }
}
