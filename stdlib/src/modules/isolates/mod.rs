//! `_isolates`: several isolates in one process, what `_interpreters`, `_interpqueues` and `_interpchannels` (in Python) stand on.
//!
//! ```text
//!  isolate 0                     Family (shared, one mutex)                isolate 1: its own heap, lock, modules
//!  a thread: ask(1, message) ──> jobs of 1 ───────────────────────────────> its thread: _interpreters._serve(message)
//!            waits         <──── answer (a message) <─────────────────────  waits for the next job
//! ```
//! Each isolate that a program makes has an OS thread of its own, which made it, runs what others ask of it, and ends it.
//! Isolates share no objects: only [`message::Message`]s go from one to another, which are bytes and lent memory.

mod channels;
mod family;
mod message;
mod queues;
mod server;

pub use family::{end_all, forked};

use family::{Asked, Ending, current, family};
use message::{Message, row_of};
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::{R, Value, Vm, native_functions};

use super::support::BytesLike;

native_functions! { FUNCTIONS:
    "current()" => |vm: &Vm| current(vm), "The number of this isolate.";
    "members()" => members, "Numbers of all isolates, and where they come from.";
    "create(config, bits, owned, /)" => create, "Makes an isolate: its number, or why there is none.";
    "whence(isolate, /)" => whence, "Where an isolate comes from; None: there is no such isolate.";
    "config(isolate, /)" => config, "What the isolate was made with, as bytes.";
    "is_running(isolate, /)" => is_running, "Does an isolate run code of its main program?";
    "retain(isolate, implies_link, /)" => retain, "Counts one more reference.";
    "release(isolate, /)" => release, "Counts one reference fewer. True: that was the last one, and it is to be ended.";
    "ask(isolate, data, views, /)" => ask, "Has the isolate answer a message. None: there is no such isolate; False: it is running; a text: it cannot.";
    "end(isolate, /)" => end, "Ends an isolate. None: there is no such isolate; False: it is running.";
    "queue_create(limit, unbound, fallback, /)" => queues::create;
    "queue_destroy(queue, /)" => queues::destroy;
    "queue_list()" => queues::list;
    "queue_bind(queue, change, /)" => queues::bind;
    "queue_facts(queue, /)" => queues::facts;
    "queue_put(queue, unbound, data, views, /)" => queues::put;
    "queue_get(queue, /)" => queues::get;
    "channel_create(unbound, fallback, /)" => channels::create;
    "channel_destroy(channel, /)" => channels::destroy;
    "channel_list()" => channels::list;
    "channel_refer(channel, change, /)" => channels::refer;
    "channel_facts(channel, /)" => channels::facts;
    "channel_ends(channel, send, /)" => channels::ends;
    "channel_send(channel, unbound, awaited, data, views, /)" => channels::send;
    "channel_wait(channel, ticket, seconds, /)" => channels::wait;
    "channel_cancel(channel, ticket, /)" => channels::cancel;
    "channel_receive(channel, /)" => channels::receive;
    "channel_release(channel, end, /)" => channels::release;
    "channel_close(channel, end, force, /)" => channels::close;
}

/// A pair of numbers for each entry, in a list. MemoryError.
fn list_of(vm: &Vm, rows: impl IntoIterator<Item = Vec<i64>>) -> R<Ref<List>> {
    let list = List::new(vm, &[])?;
    for row in rows {
        list.push(vm, numbers(vm, &row)?)?;
    }
    Ok(list)
}

/// A tuple of numbers. MemoryError.
fn numbers(vm: &Vm, row: &[i64]) -> R<Value> {
    let values = List::with_capacity(vm, row.len())?;
    for n in row {
        values.push(vm, vm.int(*n)?)?;
    }
    vm.tuple(values.items())
}

fn members(vm: &Vm) -> R<Ref<List>> {
    let rows: Vec<_> = family(vm).lock().members.iter().map(|(id, m)| Vec::from([*id, m.whence])).collect();
    list_of(vm, rows)
}

fn create(vm: &Vm, config: BytesLike, bits: i64, owned: bool) -> R<Value> {
    let config = config.into_vec(vm)?;
    match family::add(vm, config, bits, owned) {
        Ok(id) => vm.int(id),
        Err(text) => vm.str(&text),
    }
}

fn whence(vm: &Vm, id: i64) -> Option<i64> {
    family(vm).lock().members.get(&id).map(|m| m.whence)
}

fn config(vm: &Vm, id: i64) -> R<Option<Value>> {
    let config = family(vm).lock().members.get(&id).map(|m| m.config.clone());
    config.map(|c| vm.bytes(&c)).transpose()
}

fn is_running(vm: &Vm, id: i64) -> Option<bool> {
    family(vm).lock().members.get(&id).map(|m| m.running)
}

fn retain(vm: &Vm, id: i64, implies_link: bool) {
    if let Some(member) = family(vm).lock().members.get_mut(&id) {
        member.references += 1;
        member.owned |= implies_link;
    }
}

fn release(vm: &Vm, id: i64) -> bool {
    match family(vm).lock().members.get_mut(&id) {
        Some(member) => {
            member.references -= 1;
            member.owned && member.references <= 0
        }
        None => false,
    }
}

fn ask(vm: &Vm, id: i64, data: BytesLike, views: Value) -> R<Value> {
    let message = Message::new(vm, data, views)?;
    match family::ask(vm, id, message) {
        Asked::Unknown => Ok(Value::NONE),
        Asked::Running => Ok(Value::FALSE),
        Asked::Failed(text) => vm.str(&text),
        Asked::Answered(answer) => row_of(vm, answer),
    }
}

fn end(vm: &Vm, id: i64) -> Value {
    match family::end(vm, id) {
        Ending::Unknown => Value::NONE,
        Ending::Running => Value::FALSE,
        Ending::Ended => Value::TRUE,
    }
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_isolates", FUNCTIONS)?;
    m.dict().set_name(vm, "CrossInterpreterBufferView", message::borrowed_type(vm)?)?;
    Ok(m)
}
