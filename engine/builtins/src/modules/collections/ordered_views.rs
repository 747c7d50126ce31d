//! Views and iterators of `OrderedDict`: as those of dicts, but a change of the order ends an iteration too.

use super::ordereddict::Snapshot;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::dictview::DictView;
use skein_runtime::types::ext::{Ext, Payload, ext_type};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

/// What an iterator gives of each entry.
#[derive(Clone, Copy)]
pub enum Part {
    Key,
    Value,
    Item,
}

pub struct Iter {
    /// The dict; nothing once exhausted.
    dict: Field,
    index: Cell<usize>,
    begun: Snapshot,
    part: Part,
    backward: bool,
}

impl Payload for Iter {
    const NAME: &'static str = "odict_iterator";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Iter { dict, index: _, begun: _, part: _, backward: _ } = self;
        dict.trace(t);
    }
}

native_type! {
    ITERATOR: "odict_iterator", Kind::Ext, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next;
        "__reduce__($self, /)" => reduce, "Return state information for pickling";
    }
}

macro_rules! view {
    ($def:ident, $name:literal, $base:ident, $part:expr) => {
        native_type! {
            $def: $name, Kind::DictView, type_flags::NO_NEW, base |vm| vm.types.$base;
            methods {
                "__iter__($self, /)" => |vm: &Vm, v: Ref<DictView>| of_view(vm, v, $part, false);
                "__reversed__($self, /)" => |vm: &Vm, v: Ref<DictView>| of_view(vm, v, $part, true);
            }
        }
    };
}
view!(KEYS, "odict_keys", dict_keys, Part::Key);
view!(VALUES, "odict_values", dict_values, Part::Value);
view!(ITEMS, "odict_items", dict_items, Part::Item);

/// `keys()`, `values()`, `items()`.
pub fn view(vm: &Vm, d: Ref<Dict>, part: Part) -> R<Ref<DictView>> {
    let def = match part {
        Part::Key => &KEYS,
        Part::Value => &VALUES,
        Part::Item => &ITEMS,
    };
    DictView::new(vm, ext_type(vm, def)?, d.value())
}

fn of_view(vm: &Vm, v: Ref<DictView>, part: Part, backward: bool) -> R<Ref<Ext<Iter>>> {
    match v.dict.cast::<Dict>() {
        Some(d) => iter(vm, d, part, backward),
        None => Err(vm.type_error("a view of a dict is needed")),
    }
}

pub fn iter(vm: &Vm, d: Ref<Dict>, part: Part, backward: bool) -> R<Ref<Ext<Iter>>> {
    let index = if backward { d.fill() } else { d.table.first() };
    let dict = Field::new(Some(d.value()));
    let payload = Iter { dict, index: Cell::new(index), begun: Snapshot::of(d), part, backward };
    Ext::new(vm, ext_type(vm, &ITERATOR)?, payload)
}

fn next(vm: &Vm, it: Ref<Ext<Iter>>) -> R<Value> {
    let Some(d) = it.dict.cast::<Dict>() else { return Ok(vm.stop()) };
    it.begun.check(vm, d)?;
    let mut i = it.index.get();
    let found = loop {
        if it.backward {
            if i == 0 {
                break None;
            }
            i -= 1;
        }
        let entry = d.entry(i);
        if !it.backward {
            if i >= d.fill() {
                break None;
            }
            i += 1;
        }
        if entry.is_some() {
            break entry;
        }
    };
    it.index.set(i);
    match (found, it.part) {
        (None, _) => {
            it.dict.init(None);
            Ok(vm.stop())
        }
        (Some((k, _)), Part::Key) => Ok(k),
        (Some((_, v)), Part::Value) => Ok(v),
        (Some((k, v)), Part::Item) => vm.tuple(&[k, v]),
    }
}

/// `(iter, (rest,))`: the rest as a list, the iterator itself staying where it is.
fn reduce(vm: &Vm, it: Ref<Ext<Iter>>) -> R<Value> {
    let copy = Iter {
        dict: Field::new(it.dict.get()),
        index: it.index.clone(),
        begun: it.begun,
        part: it.part,
        backward: it.backward,
    };
    let copy = Ext::new(vm, ext_type(vm, &ITERATOR)?, copy)?;
    let rest = vm.list_from(copy.value())?;
    let args = vm.tuple(&[rest.value()])?;
    vm.tuple(&[vm.builtin("iter")?, args])
}
