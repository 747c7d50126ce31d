//! Fields of ctypes' structures and unions: of those that are numbers of Python's in the machine's order, reading and writing.

use super::{load, scalar, word};
use skein_foreign::Scalar;
use skein_runtime::native::Args;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::descriptor::Member;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument, ext_type};
use skein_runtime::types::instance::Instance;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{R, Value, Vm, native_type};
use std::cell::Cell;

/// A field: the class of all data, and in which slot its instances have their address.
pub struct Place {
    class: Field,
    slot: Cell<usize>,
    offset: Cell<usize>,
    /// None: the values are made in Python.
    number: Cell<Option<Scalar>>,
}

impl Payload for Place {
    const NAME: &'static str = "_foreign.Field";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Place { class, slot: _, offset: _, number: _ } = self;
        class.trace(t);
    }
}

type Arg = ExtArg<Place>;

native_type! {
    pub FIELD: "_foreign.Field", Kind::Ext, type_flags::BASETYPE, "A field of C data; what is no number is left to _get() and _set().";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "_place($self, class, address, offset, code, /)" => place,
            "Where it is in instances of a class, which have their address in the slot of that name; the code of the number, or ''.";
        "__get__($self, obj, cls=None, /)" => get;
        "__set__($self, obj, value, /)" => set;
        "__delete__($self, obj, /)" => |vm: &Vm, _: Arg, _: Value| -> R<()> { Err(vm.type_error("can't delete attribute")) };
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &FIELD)?)?;
    let place =
        Place { class: Field::new(None), slot: Cell::new(0), offset: Cell::new(0), number: Cell::new(None) };
    Ok(Ext::new(vm, class, place)?.value())
}

fn place(vm: &Vm, f: Arg, class: Ref<Type>, address: Ref<Str>, offset: usize, code: Ref<Str>) -> R<()> {
    let member = class.lookup(vm, vm.intern_str(address)).and_then(|m| m.cast::<Member>());
    let Some(member) = member.filter(|m| m.owner.get() == Some(class.value())) else {
        return Err(vm.type_error("the class has no such slot"));
    };
    let number = match code.bytes() {
        [] => None,
        &[c] => Some(scalar(vm, c)?),
        _ => return Err(vm.type_error("a type's code is one character")),
    };
    f.0.class.set(vm, f.0, class.value());
    f.0.slot.set(member.slot());
    f.0.offset.set(offset);
    f.0.number.set(number);
    Ok(())
}

/// Where a number lies in the data of an object. TypeError, ValueError.
fn address(vm: &Vm, f: Ref<Ext<Place>>, obj: Value) -> R<*mut u8> {
    let known = f.class.cast::<Type>();
    let data = obj.cast::<Instance>().filter(|_| known.is_some_and(|c| vm.type_of(obj).is_subtype(c)));
    let Some(data) = data else { return Err(vm.type_error("not a ctype instance")) };
    let Some(start) = data.slot(f.slot.get()) else { return Err(vm.attribute_error("_address")) };
    match super::address(vm, start)?.wrapping_add(f.offset.get()) {
        0 => Err(vm.value_error("NULL pointer access")),
        at => Ok(at as *mut u8),
    }
}

fn get(vm: &Vm, f: Arg, obj: Value, _: Option<Value>) -> R<Value> {
    let f = f.0;
    if obj.is_none() {
        return Ok(f.value());
    }
    let Some(number) = f.number.get() else { return vm.call_method(f.value(), "_get", &[obj]) };
    super::object(vm, number, load(number, address(vm, f, obj)?))
}

fn set(vm: &Vm, f: Arg, obj: Value, v: Value) -> R<()> {
    let f = f.0;
    let class = vm.type_of(v);
    let fits = |s: &Scalar| match s {
        Scalar::F32 | Scalar::F64 => class == vm.types.float,
        Scalar::Int(_) | Scalar::Uint(_) => class == vm.types.int,
        Scalar::F80 | Scalar::C80 => false,
    };
    // Anything else is converted, or refused, in Python.
    let Some(number) = f.number.get().filter(fits) else {
        return vm.call_method(f.value(), "_set", &[obj, v]).map(|_| ());
    };
    let at = address(vm, f, obj)?;
    let bytes = word(vm, number, v)?.to_le_bytes();
    // SAFETY: the program says that the field is there.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at, number.size()) };
    Ok(())
}
