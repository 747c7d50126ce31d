//! `bytes(…)` and `bytearray(…)`.

use super::Row;
use crate::types::codecs;
use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// The class and (source, encoding, errors). TypeError.
fn arguments(vm: &Vm, args: Args<'_>, name: &str) -> R<(Value, [Option<Value>; 3])> {
    let Some((&first, rest)) = args.positional().split_first() else {
        return Err(vm.type_error(format!("{name}.__new__(): not enough arguments")));
    };
    if rest.len() > 3 {
        return Err(vm.type_error(format!("{name}() takes at most 3 arguments ({} given)", rest.len())));
    }
    let mut slots = [None; 3];
    for (slot, &v) in slots.iter_mut().zip(rest) {
        *slot = Some(v);
    }
    for (k, v) in args.keywords() {
        let key = k.cast::<Str>().map(|k| k.to_string_lossy().into_owned()).unwrap_or_default();
        match ["source", "encoding", "errors"].iter().position(|n| *n == key) {
            Some(i) if slots[i].is_none() => slots[i] = Some(v),
            Some(i) => {
                return Err(vm.type_error(format!(
                    "argument for {name}() given by name ('{key}') and position ({})",
                    i + 1
                )));
            }
            None => return Err(vm.type_error(format!("{name}() got an unexpected keyword argument '{key}'"))),
        }
    }
    Ok((first, slots))
}

/// What `bytes(source, encoding, errors)` holds. `name` is the type's, for messages.
fn contents(vm: &Vm, slots: [Option<Value>; 3], name: &str) -> R<Vec<u8>> {
    let [source, encoding, errors] = slots;
    let text = |v: Option<Value>, which: &str| -> R<Option<Ref<Str>>> {
        match v {
            None => Ok(None),
            Some(v) => v.cast::<Str>().map(Some).ok_or_else(|| {
                vm.type_error(format!("{name}() argument '{which}' must be str, not {}", vm.type_name(v)))
            }),
        }
    };
    let (encoding, errors) = (text(encoding, "encoding")?, text(errors, "errors")?);
    let Some(source) = source else {
        return match (encoding, errors) {
            (None, None) => Ok(Vec::new()),
            (Some(_), _) => Err(vm.type_error("encoding without a string argument")),
            (None, Some(_)) => Err(vm.type_error("errors without a string argument")),
        };
    };
    let ty = vm.type_of(source);
    if name == "bytes"
        && encoding.is_none()
        && errors.is_none()
        && let Some(made) = super::bytes_by_method(vm, source)?
    {
        return super::bytes_of_object(vm, made);
    }
    if let Some(s) = source.cast::<Str>() {
        if encoding.is_none() {
            return Err(vm.type_error("string argument without an encoding"));
        }
        let b = codecs::encode(vm, s, encoding, errors)?;
        return super::bytes_of_object(vm, b);
    }
    if encoding.is_some() {
        return Err(vm.type_error("encoding without a string argument"));
    }
    if errors.is_some() {
        return Err(vm.type_error("errors without a string argument"));
    }
    if let Some(r) = Row::of(vm, source)? {
        return r.into_bytes(vm);
    }
    if vm.is_int(source) || ty.special(vm, Special::Index).is_some() {
        let i = vm.index(source)?;
        let Some(n) = vm.as_i64(i) else {
            return Err(vm.overflow_error("cannot fit 'int' into an index-sized integer"));
        };
        let Ok(n) = usize::try_from(n) else { return Err(vm.value_error("negative count")) };
        let mut out = Vec::new();
        if n > isize::MAX as usize - 64 || out.try_reserve_exact(n).is_err() {
            return Err(vm.memory_error());
        }
        out.resize(n, 0);
        return Ok(out);
    }
    from_iterable(vm, source, name)
}

/// Bytes of an iterable of ints. TypeError, ValueError.
pub fn from_iterable(vm: &Vm, v: Value, name: &str) -> R<Vec<u8>> {
    let ty = vm.type_of(v);
    let iterable = ty.special(vm, Special::Iter).is_some_and(|f| !f.is_none())
        || ty.special(vm, Special::GetItem).is_some();
    if !iterable || v.cast::<Str>().is_some() {
        return Err(vm.type_error(format!("cannot convert '{}' object to {name}", ty.name_string())));
    }
    let mut out = Vec::new();
    let mut push = |v: Value| -> R<()> {
        let b = u8::try_from(vm.index_clamped(v)?).ok();
        let Some(b) = b else {
            return Err(vm.value_error(if name == "bytes" {
                "bytes must be in range(0, 256)"
            } else {
                "byte must be in range(0, 256)"
            }));
        };
        vm.push(&mut out, b)
    };
    if let Some(l) = v.cast::<List>() {
        let mut i = 0;
        while let Some(item) = l.get(i) {
            push(item)?;
            i += 1;
        }
    } else if let Some(t) = v.cast::<Tuple>() {
        t.items().iter().try_for_each(|&item| push(item))?;
    } else {
        vm.for_each(v, push)?;
    }
    Ok(out)
}

fn class(vm: &Vm, v: Value, name: &str) -> R<Ref<Type>> {
    v.cast::<Type>().ok_or_else(|| {
        vm.type_error(format!("{name}.__new__(X): X is not a type object ({})", vm.type_name(v)))
    })
}

pub fn new_bytes(vm: &Vm, args: Args<'_>) -> R<Value> {
    let (ty, slots) = arguments(vm, args, "bytes")?;
    let ty = class(vm, ty, "bytes")?;
    if ty == vm.types.bytes
        && let [Some(b), None, None] = slots
        && vm.type_of(b) == ty
    {
        return Ok(b);
    }
    if ty == vm.types.bytes
        && let [Some(source), None, None] = slots
        && let Some(made) = super::bytes_by_method(vm, source)?
    {
        // Also one of a subclass.
        return Ok(made);
    }
    let out = contents(vm, slots, "bytes")?;
    Ok(Bytes::of_type(vm, &out, ty)?.value())
}

pub fn new_bytearray(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(&ty) = args.positional().first() else {
        return Err(vm.type_error("bytearray.__new__(): not enough arguments"));
    };
    let ty = class(vm, ty, "bytearray")?;
    Ok(vm.alloc_instance::<ByteArray>(ty)?.value())
}

pub fn init_bytearray(vm: &Vm, args: Args<'_>) -> R<()> {
    let (this, slots) = arguments(vm, args, "bytearray")?;
    let Some(this) = this.cast::<ByteArray>() else {
        return Err(vm.type_error("descriptor '__init__' requires a 'bytearray' object"));
    };
    let out = contents(vm, slots, "bytearray")?;
    this.replace(vm, &out)
}

pub fn fromhex(vm: &Vm, ty: Ref<Type>, text: Value) -> R<Value> {
    let hex = match (text.cast::<Str>(), Row::of(vm, text)?) {
        (Some(s), _) => vm.copied(s.bytes())?,
        (_, Some(r)) => r.into_bytes(vm)?,
        _ => {
            return Err(vm.type_error(format!(
                "fromhex() argument must be str or bytes-like, not {}",
                vm.type_name(text)
            )));
        }
    };
    let mut out = vm.buffer(hex.len() / 2)?;
    let mut i = 0;
    let wrong = |i: usize| -> R<Value> {
        let at =
            if text.cast::<Str>().is_some() { skein_runtime::types::str::count_chars(&hex[..i]) } else { i };
        Err(vm.value_error(format!("non-hexadecimal number found in fromhex() arg at position {at}")))
    };
    let digit = |i: usize| hex.get(i).and_then(|&c| char::from(c).to_digit(16));
    while i < hex.len() {
        if crate::types::text::is_byte_space(hex[i]) {
            i += 1;
            continue;
        }
        let Some(high) = digit(i) else { return wrong(i) };
        let Some(low) = digit(i + 1) else {
            if i + 1 >= hex.len() {
                return Err(vm.value_error("fromhex() arg must contain an even number of hexadecimal digits"));
            }
            return wrong(i + 1);
        };
        out.push((high << 4 | low) as u8);
        i += 2;
    }
    if ty == vm.types.bytes {
        return vm.bytes(&out);
    }
    if ty == vm.types.bytearray {
        return Ok(ByteArray::new(vm, &out)?.value());
    }
    let b = vm.bytes(&out)?;
    vm.call(ty.value(), &[b])
}
