//! What objects lend by `__buffer__`, and how it is given back.

use super::{Part, View, make_of, open, release, view_of};
use skein_bytecode::Special;
use skein_runtime::object::{Field, Ref, Tracer};
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::function::Function;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// What an object of Python's has lent by `__buffer__`, and how many views show it.
pub(super) struct Lease {
    lender: Field,
    lent: Field,
    pub(super) views: Cell<usize>,
}

impl Payload for Lease {
    const NAME: &'static str = "lent buffer";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Lease { lender, lent, views: _ } = self;
        lender.trace(t);
        lent.trace(t);
    }
}

/// A view is released. With the last one, the lender is told.
pub(super) fn give_back(vm: &Vm, lease: Ref<Ext<Lease>>) -> R<()> {
    let left = lease.views.get().saturating_sub(1);
    lease.views.set(left);
    if left > 0 {
        return Ok(());
    }
    let (lender, lent) = (lease.lender.or_none(), lease.lent.or_none());
    let ty = vm.type_of(lender);
    if let Some(f) = ty.special(vm, Special::ReleaseBuffer)
        && vm.bind(f, lender, ty).and_then(|f| vm.call(f, &[lent])).is_err()
    {
        vm.unraisable(Some("Exception ignored in __release_buffer__"), lender);
    }
    match lent.cast::<Ext<View>>() {
        Some(lent) => release(vm, lent),
        None => Ok(()),
    }
}

pub(super) fn from_flags(vm: &Vm, _class: Value, object: Value, flags: i64) -> R<Value> {
    let view = of_object(vm, object, flags)?;
    let Some(v) = view.cast::<Ext<View>>() else { return Ok(view) };
    if flags & WRITABLE == 0 {
        return Ok(v.shaped(vm, Part { readonly: true, ..v.part }, v.shape.get())?.value());
    }
    if v.readonly {
        return Err(vm.buffer_error("Object is not writable."));
    }
    Ok(view)
}

/// `inspect.BufferFlags.WRITABLE`.
const WRITABLE: i64 = 1;

/// A view of the object. TypeError; what its `__buffer__` raises.
pub(super) fn of_object(vm: &Vm, object: Value, flags: i64) -> R<Value> {
    if let Some(v) = object.cast::<Ext<View>>() {
        open(vm, v)?;
        return Ok(v.shaped(vm, v.part, v.shape.get())?.value());
    }
    let ty = vm.type_of(object);
    let lender = ty.special(vm, Special::Buffer);
    let has_bytes = object.cast::<Bytes>().is_some() || object.cast::<ByteArray>().is_some();
    // A class of Python's may lend others than its own.
    let own = has_bytes && lender.is_none_or(|f| f.cast::<Function>().is_none());
    if own {
        return view_of(vm, object, object, b'B');
    }
    // Others lend their bytes as an object that has them.
    let Some(f) = lender else {
        let got = ty.name_string();
        return Err(vm.type_error(format!("memoryview: a bytes-like object is required, not '{got}'")));
    };
    let lent = vm.call(vm.bind(f, object, ty)?, &[Value::small_int(flags)])?;
    let Some(v) = lent.cast::<Ext<View>>() else {
        return Err(vm.type_error("__buffer__ returned non-memoryview object"));
    };
    let v = open(vm, v)?;
    if f.cast::<Function>().is_none() {
        return Ok(v.shaped(vm, v.part, v.shape.get())?.value());
    }
    let lease = Lease { lender: Field::new(Some(object)), lent: Field::new(Some(lent)), views: Cell::new(0) };
    let lease = Ext::internal(vm, lease)?;
    Ok(make_of(vm, v.object.value(), object, v.part, v.shape.get(), Some(lease))?.value())
}

/// What `bytes` and `bytearray` lend. OverflowError.
pub fn lend(vm: &Vm, object: Value, flags: i64) -> R<Value> {
    if i32::try_from(flags).is_err() {
        return Err(vm.overflow_error("buffer flags out of range"));
    }
    let readonly = object.cast::<Bytes>().is_some();
    if readonly && flags & WRITABLE != 0 {
        return Err(vm.buffer_error("Object is not writable."));
    }
    view_of(vm, object, object, b'B')
}

/// The view that [`lend`] gave is not needed any more.
pub fn take_back(vm: &Vm, view: Value) -> R<()> {
    match view.cast::<Ext<View>>() {
        Some(view) => release(vm, view),
        None => Err(vm.type_error(format!("expected a memoryview object, not '{}'", vm.type_name(view)))),
    }
}
