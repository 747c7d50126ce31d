//! `PickleBuffer`: a buffer that may be pickled out of band.

use skein_builtins::types::{is_contiguous_view, take_back};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument, ext_type};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};

pub struct PickleBuffer {
    /// A memoryview, until it is released.
    view: Field,
}

impl Payload for PickleBuffer {
    const NAME: &'static str = "PickleBuffer";
    fn trace(&self, t: &mut Tracer<'_>) {
        let PickleBuffer { view } = self;
        view.trace(t);
    }
}

type This = ExtArg<PickleBuffer>;

native_type! {
    pub BUFFER: "pickle.PickleBuffer", Kind::Ext, type_flags::HAS_WEAKREF, "Wrapper for potentially out-of-band buffers";
    methods {
        [static] "__new__($type, object)" => new;
        "raw($self, /)" => |vm: &Vm, b: This| raw(vm, b.0), "Return a memoryview of the raw memory underlying this buffer.\n\nWill raise BufferError is the buffer isn't contiguous.";
        "release($self, /)" => |vm: &Vm, b: This| -> R<()> {
            match b.0.view.get().filter(|v| !v.is_none()) {
                Some(view) => { b.0.view.set(vm, b.0, Value::NONE); vm.call_method(view, "release", &[]).map(|_| ()) }
                None => Ok(()),
            }
        }, "Release the underlying buffer exposed by the PickleBuffer object.";
        "__release_buffer__($self, buffer, /)" => |vm: &Vm, _: This, view: Value| take_back(vm, view), "Release the buffer object that exposes the underlying memory of the object.";
        "__buffer__($self, flags, /)" => |vm: &Vm, b: This, _: Value| -> R<Value> { vm.call(vm.types.memoryview.value(), &[view(vm, b.0)?]) };
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, ext_type(vm, &BUFFER)?)?;
    let object = match (args.positional(), args.keywords().next()) {
        (&[_, object], None) => object,
        (&[_], Some((_, object))) => object,
        _ => return Err(vm.type_error("PickleBuffer() takes exactly one argument")),
    };
    let text = || format!("a bytes-like object is required, not '{}'", vm.type_name(object));
    let view = vm.call(vm.types.memoryview.value(), &[object]);
    let Some(view) = vm.absorb(view, vm.exc.type_error)? else { return Err(vm.type_error(text())) };
    Ok(Ext::new(vm, ty, PickleBuffer { view: Field::new(Some(view)) })?.value())
}

/// The memoryview. ValueError once it is released.
pub fn view(vm: &Vm, b: Ref<Ext<PickleBuffer>>) -> R<Value> {
    match b.view.get().filter(|v| !v.is_none()) {
        Some(view) => Ok(view),
        None => Err(vm.value_error("operation forbidden on released PickleBuffer object")),
    }
}

fn raw(vm: &Vm, b: Ref<Ext<PickleBuffer>>) -> R<Value> {
    let view = view(vm, b)?;
    if !is_contiguous_view(view) {
        return Err(vm.buffer_error("cannot extract raw buffer from non-contiguous buffer"));
    }
    vm.call_method(view, "cast", &[vm.str("B")?])
}
