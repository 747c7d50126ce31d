//! The module `_string`: the parser of format strings, for `string.Formatter`.

use crate::types::format_string::{Step, as_number, next_piece, split_name};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use skein_runtime::{native_functions, native_type};
use std::cell::Cell;

native_functions! { FUNCTIONS:
    "formatter_parser(format, /)" => parser, "Iterate over the pieces of a format string: (literal text, field name, format spec, conversion).";
    "formatter_field_name_split(name, /)" => split, "Split a field name into its first part and an iterator of (is attribute, name).";
}

pub(super) fn make(vm: &Vm) -> R<Ref<Module>> {
    skein_runtime::types::module::make_module(vm, "_string", FUNCTIONS)
}

fn text_argument(vm: &Vm, v: Value) -> R<Ref<Str>> {
    v.cast::<Str>().ok_or_else(|| vm.type_error(format!("expected str, got {}", vm.type_name(v))))
}

/// The pieces of a format string.
struct Pieces {
    text: Field,
    at: Cell<usize>,
}

impl Payload for Pieces {
    const NAME: &'static str = "formatteriterator";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Pieces { text, at: _ } = self;
        text.trace(t);
    }
}

native_type! {
    PIECES: "formatteriterator", Kind::Ext, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next;
    }
}

fn parser(vm: &Vm, format: Value) -> R<Value> {
    let text = text_argument(vm, format)?;
    let pieces = Pieces { text: Field::new(Some(text.value())), at: Cell::new(0) };
    Ok(Ext::new(vm, ext_type(vm, &PIECES)?, pieces)?.value())
}

fn next(vm: &Vm, it: ExtArg<Pieces>) -> R<Value> {
    let Some(text) = it.0.text.cast::<Str>() else { return Ok(vm.stop()) };
    let mut at = it.0.at.get();
    let piece = next_piece(vm, text.bytes(), &mut at)?;
    it.0.at.set(at);
    let Some(piece) = piece else { return Ok(vm.stop()) };
    let literal = Str::new(vm, piece.literal)?.value();
    let none = Value::NONE;
    let Some((name, conversion, spec)) = piece.field else { return vm.tuple(&[literal, none, none, none]) };
    let conversion = match conversion {
        Some(c) => {
            let mut letter = Vec::new();
            push_code_point(&mut letter, c);
            Str::new(vm, &letter)?.value()
        }
        None => none,
    };
    vm.tuple(&[literal, Str::new(vm, name)?.value(), Str::new(vm, spec)?.value(), conversion])
}

/// A name that may be a number.
fn name_or_number(vm: &Vm, name: &[u8]) -> R<Value> {
    match as_number(vm, name)? {
        Some(n) => vm.int(n as i64),
        None => Ok(Str::new(vm, name)?.value()),
    }
}

fn split(vm: &Vm, name: Value) -> R<Value> {
    let text = text_argument(vm, name)?;
    let (first, steps) = split_name(text.bytes());
    let rest = List::with_capacity(vm, steps.len())?;
    for step in steps {
        rest.push(
            vm,
            match step {
                Step::Attribute(name) => vm.tuple(&[Value::TRUE, Str::new(vm, name)?.value()])?,
                Step::Item(name) => vm.tuple(&[Value::FALSE, name_or_number(vm, name)?])?,
                Step::Wrong(message) => return Err(vm.value_error(message)),
            },
        )?;
    }
    vm.tuple(&[name_or_number(vm, first)?, vm.iter(rest.value())?])
}
