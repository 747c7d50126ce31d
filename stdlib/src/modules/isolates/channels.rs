//! Channels between isolates, for `_interpchannels`. A function that finds no such channel gives None.

use super::family::{current, family};
use super::message::{Message, row_of};
use super::queues::{Item, unbind};
use super::{list_of, numbers};
use crate::modules::support::BytesLike;
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::{R, Value, Vm};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What an operation comes to, besides what it gives.
const CLOSED: i64 = -1;
const EMPTY: i64 = -2;
const NOT_EMPTY: i64 = -3;

/// `end` of what concerns one end.
const SEND: i64 = 1;
const RECEIVE: i64 = -1;

/// Isolates that have used one end: whether they may go on.
type Ends = BTreeMap<i64, bool>;

struct Channel {
    unbound: i64,
    fallback: i64,
    /// Objects that name it.
    references: i64,
    open: bool,
    /// Somebody has closed it: it is not listed any more.
    closed: bool,
    /// It is closed when it is empty.
    closing: bool,
    items: VecDeque<Item>,
    /// Sending and receiving ends.
    ends: [Ends; 2],
}

impl Channel {
    /// The isolate uses this end from now on. False: it has let go of it.
    fn associate(&mut self, send: bool, id: i64) -> bool {
        *self.ends[usize::from(!send)].entry(id).or_insert(true)
    }

    /// Without anybody who uses it, a channel is closed; a new one is not.
    fn look_whether_used(&mut self) {
        let mut all = self.ends.iter().flat_map(|e| e.values()).peekable();
        self.open = all.peek().is_none() || all.any(|open| *open);
    }

    fn close(&mut self) {
        self.open = false;
        self.closed = true;
        self.ends.iter_mut().flat_map(|e| e.values_mut()).for_each(|open| *open = false);
    }
}

#[derive(Default)]
pub struct Channels {
    next: i64,
    all: BTreeMap<i64, Channel>,
    last_ticket: u64,
    /// Tickets whose items were not received, nor will be: those that wait are told.
    lost: Vec<u64>,
}

impl Channels {
    pub fn isolate_ended(&mut self, id: i64) {
        for channel in self.all.values_mut() {
            let gone = unbind(&mut channel.items, id);
            self.lost.extend(gone.iter().map(|i| i.ticket).filter(|t| *t != 0));
            let mut used = false;
            for ends in &mut channel.ends {
                used |= ends.get_mut(&id).map(|open| std::mem::replace(open, false)).unwrap_or(false);
            }
            if used && channel.open {
                channel.look_whether_used();
            }
        }
    }

    /// The channel is gone, or closed for good: nobody will receive what is in it.
    fn lose(&mut self, items: &VecDeque<Item>) {
        self.lost.extend(items.iter().map(|i| i.ticket).filter(|t| *t != 0));
    }
}

pub fn create(vm: &Vm, unbound: i64, fallback: i64) -> i64 {
    let family = family(vm);
    let mut shared = family.lock();
    let id = shared.channels.next;
    shared.channels.next += 1;
    let channel = Channel {
        unbound,
        fallback,
        references: 0,
        open: true,
        closed: false,
        closing: false,
        items: VecDeque::new(),
        ends: Default::default(),
    };
    shared.channels.all.insert(id, channel);
    id
}

/// Was there one?
pub fn destroy(vm: &Vm, id: i64) -> bool {
    let family = family(vm);
    let mut shared = family.lock();
    let Some(channel) = shared.channels.all.remove(&id) else { return false };
    shared.channels.lose(&channel.items);
    drop(shared);
    family.received.notify_all();
    drop(channel);
    true
}

/// Number and defaults of each channel that nobody has closed.
pub fn list(vm: &Vm) -> R<Ref<List>> {
    let row = |(id, c): (&i64, &Channel)| Vec::from([*id, c.unbound, c.fallback]);
    let rows: Vec<_> = family(vm).lock().channels.all.iter().filter(|(_, c)| !c.closed).map(row).collect();
    list_of(vm, rows)
}

/// Counts objects that name the channel, which goes with the last one.
pub fn refer(vm: &Vm, id: i64, change: i64) -> Option<bool> {
    let left = {
        let family = family(vm);
        let mut shared = family.lock();
        let channel = shared.channels.all.get_mut(&id)?;
        channel.references += change;
        channel.references
    };
    if left <= 0 && change < 0 {
        destroy(vm, id);
    }
    Some(true)
}

/// Defaults, whether it is open and closing, number of items.
pub fn facts(vm: &Vm, id: i64) -> R<Option<Value>> {
    let row = |c: &Channel| [c.unbound, c.fallback, c.open.into(), c.closing.into(), c.items.len() as i64];
    let row = family(vm).lock().channels.all.get(&id).map(row);
    row.map(|row| numbers(vm, &row)).transpose()
}

/// The isolates that have used an end, and whether they still may.
pub fn ends(vm: &Vm, id: i64, send: bool) -> R<Option<Ref<List>>> {
    let row = |(id, open): (&i64, &bool)| Vec::from([*id, i64::from(*open)]);
    let rows = {
        let family = family(vm);
        let shared = family.lock();
        let channel = shared.channels.all.get(&id);
        channel.map(|c| c.ends[usize::from(!send)].iter().map(row).collect::<Vec<_>>())
    };
    rows.map(|rows| list_of(vm, rows)).transpose()
}

/// The ticket by which its receiving can be waited for, if it will be; negative: why it was not sent.
pub fn send(vm: &Vm, id: i64, unbound: i64, awaited: bool, data: BytesLike, views: Value) -> R<Option<i64>> {
    let message = Message::new(vm, data, views)?;
    let from = current(vm);
    let family = family(vm);
    let mut shared = family.lock();
    let channels = &mut shared.channels;
    let Some(channel) = channels.all.get_mut(&id) else { return Ok(None) };
    if !channel.open || channel.closing || !channel.associate(true, from) {
        return Ok(Some(CLOSED));
    }
    channels.last_ticket += u64::from(awaited);
    let ticket = if awaited { channels.last_ticket } else { 0 };
    let unbound = if unbound < 0 { channel.unbound } else { unbound };
    channel.items.push_back(Item { from: Some(from), unbound, message: Some(message), ticket });
    Ok(Some(ticket as i64))
}

/// Waits until what was sent is received (1), or will never be (-1); 0: the time is over.
pub fn wait(vm: &Vm, id: i64, ticket: i64, seconds: f64) -> i64 {
    let family = family(vm);
    let ticket = ticket as u64;
    let state = |shared: &mut super::family::Shared| {
        let channels = &mut shared.channels;
        if let Some(place) = channels.lost.iter().position(|t| *t == ticket) {
            channels.lost.swap_remove(place);
            return -1;
        }
        let waits = channels.all.get(&id).is_some_and(|c| c.items.iter().any(|i| i.ticket == ticket));
        i64::from(!waits)
    };
    let patience = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    vm.without_gil(|| {
        let mut shared = family.lock();
        match state(&mut shared) {
            0 => {}
            known => return known,
        }
        let waited = family.received.wait_timeout(shared, patience);
        let (mut shared, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        state(&mut shared)
    })
}

/// Takes back what was sent, if nobody has received it. Whether it did.
pub fn cancel(vm: &Vm, id: i64, ticket: i64) -> bool {
    let family = family(vm);
    let mut shared = family.lock();
    let Some(channel) = shared.channels.all.get_mut(&id) else { return false };
    let place = channel.items.iter().position(|i| i.ticket == ticket as u64);
    let item = place.and_then(|place| channel.items.remove(place));
    drop(shared);
    item.is_some()
}

/// A tuple of a message; a tuple of the number that says what stands for an unbound item; a number: why there is neither.
pub fn receive(vm: &Vm, id: i64) -> R<Value> {
    let family = family(vm);
    let me = current(vm);
    let item = {
        let mut shared = family.lock();
        let Some(channel) = shared.channels.all.get_mut(&id) else { return Ok(Value::NONE) };
        if !channel.open || !channel.associate(false, me) {
            return vm.int(CLOSED);
        }
        let item = channel.items.pop_front();
        if channel.closing && channel.items.is_empty() {
            channel.close();
        }
        item
    };
    let Some(item) = item else { return vm.int(EMPTY) };
    family.received.notify_all();
    match item.message {
        Some(message) => row_of(vm, message),
        None => vm.tuple(&[vm.int(item.unbound)?]),
    }
}

/// The isolate lets go of one end, or of both (0). Negative: it is closed.
pub fn release(vm: &Vm, id: i64, end: i64) -> Option<i64> {
    let me = current(vm);
    let family = family(vm);
    let mut shared = family.lock();
    let channel = shared.channels.all.get_mut(&id)?;
    if !channel.open {
        return Some(CLOSED);
    }
    if end != RECEIVE {
        channel.ends[0].insert(me, false);
    }
    if end != SEND {
        channel.ends[1].insert(me, false);
    }
    channel.look_whether_used();
    Some(0)
}

/// Closes the channel for all isolates. Negative: why not.
pub fn close(vm: &Vm, id: i64, end: i64, force: bool) -> Option<i64> {
    let family = family(vm);
    let mut shared = family.lock();
    let channel = shared.channels.all.get_mut(&id)?;
    if !channel.open || (!force && end == SEND && channel.closing) {
        return Some(CLOSED);
    }
    if !force && !channel.items.is_empty() {
        if end != SEND {
            return Some(NOT_EMPTY);
        }
        // What is in it can still be received, by those who did so before.
        channel.closing = true;
        return Some(0);
    }
    channel.close();
    let items = std::mem::take(&mut channel.items);
    shared.channels.lose(&items);
    drop(shared);
    family.received.notify_all();
    Some(0)
}
