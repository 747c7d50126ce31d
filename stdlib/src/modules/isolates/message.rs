//! What goes from one isolate to another: bytes, and memory that an object of the sender's shows.

use super::family::Place;
use crate::modules::support::BytesLike;
use skein_builtins::types::{view_of, view_span, view_target};
use skein_runtime::object::{Kind, Tracer};
use skein_runtime::types::bytes::ByteArray;
use skein_runtime::types::ext::{Ext, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::{R, Value, Vm, native_type};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Memory of an isolate that others see. The sender keeps the object that shows it until this is dropped: objects never
/// move, and what is shown is neither resized nor freed. An isolate that ends while there are some is never freed
/// (`server.rs`). Who writes to it from two isolates at once finds one or the other's bytes, as with memory that processes share.
pub struct Lent {
    start: usize,
    length: usize,
    readonly: bool,
    number: u64,
    owner: Returns,
}

/// Numbers of what has come back to an isolate.
type Returns = Arc<Mutex<Vec<u64>>>;

impl Drop for Lent {
    fn drop(&mut self) {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner).push(self.number);
    }
}

/// What an isolate has lent.
#[derive(Default)]
pub struct Exports {
    next: Cell<u64>,
    views: RefCell<BTreeMap<u64, Value>>,
    returned: Returns,
    traced: Cell<bool>,
}

impl Exports {
    /// Lets go of what has come back.
    pub fn sweep(&self) {
        let returned = std::mem::take(&mut *self.returned.lock().unwrap_or_else(PoisonError::into_inner));
        for number in returned {
            self.views.borrow_mut().remove(&number);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.views.borrow().is_empty()
    }

    fn trace(&self, t: &mut Tracer<'_>) {
        for v in self.views.borrow().values() {
            t.visit_word(v.bits());
        }
    }
}

/// Plain data.
pub struct Message {
    data: Vec<u8>,
    lent: Vec<Arc<Lent>>,
}

impl Message {
    /// Of bytes and a row of memoryviews. BufferError where one does not show bytes in a row.
    pub fn new(vm: &Vm, data: BytesLike, views: Value) -> R<Message> {
        let data = data.into_vec(vm)?;
        let views = vm.list_from(views)?;
        let place = vm.state::<Place>();
        place.exports.sweep();
        if !place.exports.traced.replace(true) {
            vm.root_tracers.borrow_mut().push(|vm, t| vm.state::<Place>().exports.trace(t));
        }
        let mut lent = Vec::new();
        for &view in views.items() {
            let Some((start, length)) = view_span(view) else {
                return Err(vm.buffer_error("memoryview: underlying buffer is not C-contiguous"));
            };
            let number = place.exports.next.get();
            place.exports.next.set(number + 1);
            place.exports.views.borrow_mut().insert(number, view);
            let owner = place.exports.returned.clone();
            let readonly = view_target(view).is_none();
            vm.push(&mut lent, Arc::new(Lent { start, length, readonly, number, owner }))?;
        }
        Ok(Message { data, lent })
    }
}

/// Memory of another isolate, which it keeps.
struct Borrowed {
    _lent: Arc<Lent>,
}

impl Payload for Borrowed {
    const NAME: &'static str = "_interpreters.CrossInterpreterBufferView";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Borrowed { _lent: _ } = self;
    }
}

native_type! {
    BORROWED: "_interpreters.CrossInterpreterBufferView", Kind::Ext, 0, "Memory of another interpreter.";
}

/// The type of what memoryviews of other isolates' memory are of. MemoryError.
pub fn borrowed_type(vm: &Vm) -> R<Value> {
    ext_type(vm, &BORROWED).map(|t| t.value())
}

/// A message as a tuple of bytes and a tuple of memoryviews. MemoryError.
pub fn row_of(vm: &Vm, message: Message) -> R<Value> {
    vm.state::<Place>().exports.sweep();
    let data = vm.bytes(&message.data)?;
    let views = List::new(vm, &[])?;
    for lent in message.lent {
        let (start, length, readonly) = (lent.start, lent.length, lent.readonly);
        let keeper = Ext::new(vm, ext_type(vm, &BORROWED)?, Borrowed { _lent: lent })?;
        // SAFETY: the memory is there as long as the keeper; see `Lent`.
        let array = unsafe { ByteArray::of_foreign(vm, keeper.value(), start as *mut u8, length)? };
        let view = view_of(vm, array.value(), keeper.value(), b'B')?;
        let view = if readonly { vm.call_method(view, "toreadonly", &[])? } else { view };
        views.push(vm, view)?;
    }
    vm.tuple(&[data, vm.tuple(views.items())?])
}
