//! `_tuplegetter`: the attributes of named tuples.

use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::check_class;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

struct TupleGetter {
    index: Cell<usize>,
    doc: Field,
}

impl Payload for TupleGetter {
    const NAME: &'static str = "collections._tuplegetter";
    fn trace(&self, t: &mut Tracer<'_>) {
        let TupleGetter { index: _, doc } = self;
        doc.trace(t);
    }
}

native_type! {
    pub DEF: "collections._tuplegetter", Kind::Ext, 0;
    methods {
        [static] "__new__($type, index, doc, /)" => new;
        [leaf] "__get__($self, instance, owner=None, /)" => get;
        "__set__($self, instance, value, /)" => set;
        "__delete__($self, instance, /)" => delete;
        "__reduce__($self, /)" => reduce;
        "__repr__($self, /)" => repr;
    }
    getset { "__doc__" => get_doc, set_doc; }
}

fn new(vm: &Vm, class: Ref<Type>, index: usize, doc: Value) -> R<Value> {
    check_class(vm, class, &DEF)?;
    Ok(Ext::new(vm, class, TupleGetter { index: Cell::new(index), doc: Field::new(Some(doc)) })?.value())
}

fn get(vm: &Vm, this: ExtArg<TupleGetter>, instance: Value, _owner: Option<Value>) -> R<Value> {
    let i = this.0.index.get();
    match instance.cast::<Tuple>() {
        Some(t) => t.items().get(i).copied().ok_or_else(|| vm.index_error("tuple index out of range")),
        None if instance.is_none() => Ok(this.0.value()),
        None => Err(vm.type_error(format!(
            "descriptor for index '{i}' for tuple subclasses doesn't apply to '{}' object",
            vm.type_name(instance)
        ))),
    }
}

fn repr(vm: &Vm, this: ExtArg<TupleGetter>) -> R<String> {
    let doc = vm.repr_string(this.0.doc.or_none())?;
    Ok(format!("_tuplegetter({}, {doc})", this.0.index.get()))
}

fn set(vm: &Vm, _: Value, _: Value, _: Value) -> R<()> {
    Err(vm.attribute_error("can't set attribute"))
}

fn delete(vm: &Vm, _: Value, _: Value) -> R<()> {
    Err(vm.attribute_error("can't delete attribute"))
}

fn reduce(vm: &Vm, this: ExtArg<TupleGetter>) -> R<Value> {
    let index = vm.int(this.0.index.get() as i64)?;
    let args = vm.tuple(&[index, this.0.doc.value()])?;
    vm.tuple(&[vm.type_of(this.0.value()).value(), args])
}

fn get_doc(_: &Vm, v: Value) -> R<Value> {
    Ok(v.cast::<Ext<TupleGetter>>().map_or(Value::NONE, |t| t.doc.or_none()))
}

fn set_doc(vm: &Vm, v: Value, new: Option<Value>) -> R<()> {
    if let Some(t) = v.cast::<Ext<TupleGetter>>() {
        t.doc.set(vm, t, new.unwrap_or(Value::NONE));
    }
    Ok(())
}
