//! `groupby` and `tee`.

use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref};
use skein_runtime::types::ext::{Ext, ExtArg};
use skein_runtime::types::ext::{check_class, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

payload!(Groupby, "itertools.groupby", [iterator, function, group_key, key, item, group]);
payload!(Grouper, "itertools._grouper", [parent, key]);

native_type! {
    pub GROUPBY: "itertools.groupby", Kind::Ext, type_flags::BASETYPE, "make an iterator that returns consecutive keys and groups from the iterable";
    methods {
        [static] "__new__($type, iterable, key=None)" => new_groupby;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_groupby;
    }
}

native_type! {
    pub GROUPER: "itertools._grouper", Kind::Ext, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_grouper;
    }
}

fn new_groupby(vm: &Vm, class: Ref<Type>, iterable: Value, key: Option<Value>) -> R<Value> {
    check_class(vm, class, &GROUPBY)?;
    let iterator = vm.iter(iterable)?;
    let payload = Groupby {
        iterator: Field::new(Some(iterator)),
        function: Field::new(key.filter(|k| !k.is_none())),
        group_key: Field::new(None),
        key: Field::new(None),
        item: Field::new(None),
        group: Field::new(None),
    };
    Ok(Ext::new(vm, class, payload)?.value())
}

/// Takes the next item and its key; false at the end.
fn step(vm: &Vm, g: Ref<Ext<Groupby>>) -> R<bool> {
    let Some(v) = vm.next(g.iterator.value())? else { return Ok(false) };
    let key = match g.function.get() {
        Some(f) => vm.call(f, &[v])?,
        None => v,
    };
    g.item.set(vm, g, v);
    g.key.set(vm, g, key);
    Ok(true)
}

fn next_groupby(vm: &Vm, g: ExtArg<Groupby>) -> R<Value> {
    let g = g.0;
    g.group.init(None);
    // Past the rest of the present group.
    loop {
        match (g.key.get(), g.group_key.get()) {
            (Some(_), None) => break,
            (Some(key), Some(of)) if !vm.eq(of, key)? => break,
            _ => {}
        }
        if !step(vm, g)? {
            return Ok(vm.stop());
        }
    }
    let key = g.key.value();
    g.group_key.set(vm, g, key);
    let ty = ext_type(vm, &GROUPER)?;
    let group =
        Ext::new(vm, ty, Grouper { parent: Field::new(Some(g.value())), key: Field::new(Some(key)) })?;
    g.group.set(vm, g, group.value());
    vm.tuple(&[key, group.value()])
}

fn next_grouper(vm: &Vm, it: ExtArg<Grouper>) -> R<Value> {
    let Some(g) = it.0.parent.cast::<Ext<Groupby>>() else { return Ok(vm.stop()) };
    if g.group.get() != Some(it.0.value()) {
        return Ok(vm.stop());
    }
    if g.item.get().is_none() && !step(vm, g)? {
        return Ok(vm.stop());
    }
    if !vm.eq(it.0.key.value(), g.key.value())? {
        return Ok(vm.stop());
    }
    // The comparison may have taken the item.
    let Some(v) = g.item.get() else { return Ok(vm.stop()) };
    g.item.init(None);
    Ok(v)
}

// One item that was read from the iterator, and the link to the next.
payload!(TeeLink, "itertools._tee_dataobject", [iterator, item, next], running: bool);
payload!(Tee, "itertools._tee", [link]);

native_type! {
    pub TEE_LINK: "itertools._tee_dataobject", Kind::Ext, type_flags::NO_NEW;
    methods {}
}

native_type! {
    pub TEE: "itertools._tee", Kind::Ext, type_flags::HAS_WEAKREF, "Iterator wrapped to make it copyable.";
    methods {
        [static] "__new__($type, iterable, /)" => new_tee;
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next_tee;
        "__copy__($self, /)" => copy_tee, "Returns an independent iterator.";
    }
}

fn link(vm: &Vm, iterator: Value) -> R<Value> {
    let ty = ext_type(vm, &TEE_LINK)?;
    let payload = TeeLink {
        iterator: Field::new(Some(iterator)),
        item: Field::new(None),
        next: Field::new(None),
        running: Cell::new(false),
    };
    Ok(Ext::new(vm, ty, payload)?.value())
}

fn tee_at(vm: &Vm, link: Value) -> R<Value> {
    let ty = ext_type(vm, &TEE)?;
    Ok(Ext::new(vm, ty, Tee { link: Field::new(Some(link)) })?.value())
}

fn copy_tee(vm: &Vm, t: ExtArg<Tee>) -> R<Value> {
    tee_at(vm, t.0.link.value())
}

fn new_tee(vm: &Vm, class: Ref<Type>, iterable: Value) -> R<Value> {
    check_class(vm, class, &TEE)?;
    let iterator = vm.iter(iterable)?;
    match iterator.cast::<Ext<Tee>>() {
        Some(t) => tee_at(vm, t.link.value()),
        None => tee_at(vm, link(vm, iterator)?),
    }
}

pub(super) fn tee(vm: &Vm, iterable: Value, n: Option<i64>) -> R<Value> {
    let n = n.unwrap_or(2);
    if n < 0 {
        return Err(vm.value_error("n must be >= 0"));
    }
    let out = List::with_capacity(vm, n as usize)?;
    if n > 0 {
        let first = new_tee(vm, ext_type(vm, &TEE)?, iterable)?;
        out.push(vm, first)?;
        for _ in 1..n {
            if let Some(t) = first.cast::<Ext<Tee>>() {
                out.push(vm, tee_at(vm, t.link.value())?)?;
            }
        }
    }
    vm.tuple(out.items())
}

fn next_tee(vm: &Vm, t: ExtArg<Tee>) -> R<Value> {
    let t = t.0;
    let Some(at) = t.link.cast::<Ext<TeeLink>>() else { return Ok(vm.stop()) };
    if at.item.get().is_none() {
        let iterator = at.iterator.value();
        // The iterator's own code, or another thread's meanwhile.
        if at.running.replace(true) {
            return Err(vm.runtime_error("cannot re-enter the tee iterator"));
        }
        let next = vm.next(iterator);
        at.running.set(false);
        let Some(v) = next? else { return Ok(vm.stop()) };
        let next = link(vm, iterator)?;
        at.item.set(vm, at, v);
        at.next.set(vm, at, next);
    }
    t.link.set(vm, t, at.next.value());
    Ok(at.item.value())
}
