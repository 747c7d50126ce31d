//! Replacement templates: literal text and numbers of groups in turn.

use super::subject::Subject;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Value, Vm, native_type};

pub struct Template {
    /// literal, group, literal, group, …, literal
    parts: Field,
}

impl Payload for Template {
    const NAME: &'static str = "_sre.template";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Template { parts } = self;
        parts.trace(t);
    }
}

native_type! {
    TEMPLATE: "_sre.template", Kind::Ext, type_flags::NO_NEW;
}

/// The bytes of a str or bytes object. TypeError.
pub fn literal_bytes<'a>(vm: &Vm, v: &'a Value) -> R<&'a [u8]> {
    if let Some(s) = v.cast::<Str>() {
        // SAFETY: the text lives as long as the value, which the caller holds.
        return Ok(unsafe { &*std::ptr::from_ref(s.bytes()) });
    }
    match v.cast::<Bytes>() {
        // SAFETY: as above.
        Some(b) => Ok(unsafe { &*std::ptr::from_ref(b.bytes()) }),
        None => Err(vm.type_error("invalid template")),
    }
}

/// `_sre.template(pattern, parts)`. TypeError.
pub fn make(vm: &Vm, _pattern: Value, parts: Ref<List>) -> R<Value> {
    let items = Tuple::new(vm, parts.items())?;
    for (i, v) in items.items().iter().enumerate() {
        if i % 2 == 0 {
            literal_bytes(vm, v)?;
        } else if !vm.is_int(*v) {
            return Err(vm.type_error("an integer is required"));
        } else if vm.as_i64(*v).is_none_or(|n| n < 0) {
            return Err(vm.type_error("invalid template"));
        }
    }
    Ok(Ext::new(vm, ext_type(vm, &TEMPLATE)?, Template { parts: Field::new(Some(items.value())) })?.value())
}

impl Template {
    /// A literal part that is not empty and does not go with text, or with bytes.
    pub fn literal_of_other_kind(&self, text: bool) -> Option<Value> {
        let parts = self.parts.cast::<Tuple>()?;
        let other = |v: &&Value| match (v.cast::<Str>(), v.cast::<Bytes>()) {
            (Some(s), _) => !text && !s.bytes().is_empty(),
            (None, Some(b)) => text && !b.bytes().is_empty(),
            (None, None) => false,
        };
        parts.items().iter().step_by(2).find(other).copied()
    }

    /// Appends the text for a match whose groups are at these byte offsets. IndexError.
    pub fn expand(
        &self,
        vm: &Vm,
        subject: &Subject,
        group: impl Fn(usize) -> Option<(usize, usize)>,
        groups: usize,
        out: &mut Vec<u8>,
    ) -> R<()> {
        let Some(parts) = self.parts.cast::<Tuple>() else { return Ok(()) };
        for (i, v) in parts.items().iter().enumerate() {
            if i % 2 == 0 {
                vm.put(out, literal_bytes(vm, v)?)?;
                continue;
            }
            let n = v.as_small_int() as usize;
            if n >= groups {
                return Err(vm.index_error("no such group"));
            }
            if let Some((begin, end)) = group(n) {
                vm.put(out, &subject.bytes()[begin..end])?;
            }
        }
        Ok(())
    }
}
