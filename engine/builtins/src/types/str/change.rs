//! `str`: padding and translating.

use super::exact;
use crate::types::rows;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// The fill character. TypeError.
fn fill_char(vm: &Vm, fill: Option<Value>) -> R<u32> {
    let Some(fill) = fill else { return Ok(32) };
    match fill.cast::<Str>() {
        Some(s) if s.char_len() == 1 => Ok(s.code_points().next().unwrap_or(32)),
        Some(_) => Err(vm.type_error("The fill character must be exactly one character long")),
        None => Err(vm.type_error(format!(
            "The fill character must be a unicode character, not {}",
            vm.type_name(fill)
        ))),
    }
}

fn padded(vm: &Vm, s: Ref<Str>, left: usize, right: usize, fill: u32) -> R<Ref<Str>> {
    if left == 0 && right == 0 {
        return exact(vm, s);
    }
    vm.check_room(s.bytes().len().saturating_add(left).saturating_add(right))?;
    let mut out = vm.buffer(s.bytes().len() + left + right)?;
    (0..left).for_each(|_| push_code_point(&mut out, fill));
    out.extend_from_slice(s.bytes());
    (0..right).for_each(|_| push_code_point(&mut out, fill));
    Str::new(vm, &out)
}

fn width_of(width: i64) -> usize {
    usize::try_from(width).unwrap_or(0)
}

pub fn center(vm: &Vm, s: Ref<Str>, width: i64, fill: Option<Value>) -> R<Ref<Str>> {
    let fill = fill_char(vm, fill)?;
    let (left, right) = rows::centre(s.char_len(), width_of(width));
    padded(vm, s, left, right, fill)
}

pub fn ljust(vm: &Vm, s: Ref<Str>, width: i64, fill: Option<Value>) -> R<Ref<Str>> {
    let fill = fill_char(vm, fill)?;
    padded(vm, s, 0, width_of(width).saturating_sub(s.char_len()), fill)
}

pub fn rjust(vm: &Vm, s: Ref<Str>, width: i64, fill: Option<Value>) -> R<Ref<Str>> {
    let fill = fill_char(vm, fill)?;
    padded(vm, s, width_of(width).saturating_sub(s.char_len()), 0, fill)
}

pub fn zfill(vm: &Vm, s: Ref<Str>, width: i64) -> R<Ref<Str>> {
    if width_of(width) <= s.char_len() {
        return exact(vm, s);
    }
    vm.check_room(width_of(width))?;
    Str::new(vm, &rows::zero_fill(vm, s.bytes(), s.char_len(), width_of(width))?)
}

pub fn expandtabs(vm: &Vm, s: Ref<Str>, size: Option<i32>) -> R<Ref<Str>> {
    if !s.bytes().contains(&b'\t') {
        return exact(vm, s);
    }
    let size = width_of(i64::from(size.unwrap_or(8)));
    Str::new(vm, &rows::expand_tabs::<true>(vm, s.bytes(), size)?)
}

pub fn translate(vm: &Vm, s: Ref<Str>, table: Value) -> R<Ref<Str>> {
    let mut out = vm.buffer(s.bytes().len())?;
    let exact_dict = table.cast::<Dict>().filter(|_| vm.type_of(table) == vm.types.dict);
    for (i, c) in s.code_points().enumerate() {
        if i % (1 << 14) == 0 {
            vm.check_signals()?;
        }
        let key = Value::small_int(i64::from(c));
        let found = match exact_dict {
            Some(d) => d.get(vm, key)?,
            None => vm.absorb(vm.get_item(table, key), vm.exc.lookup_error)?,
        };
        let Some(v) = found else {
            push_code_point(&mut out, c);
            continue;
        };
        if v.is_none() {
            continue;
        }
        if let Some(t) = v.cast::<Str>() {
            vm.put(&mut out, t.bytes())?;
        } else if vm.is_int(v) {
            match vm.as_i64(v).and_then(|i| u32::try_from(i).ok()).filter(|c| *c < 0x11_0000) {
                Some(c) => push_code_point(&mut out, c),
                None => return Err(vm.value_error("character mapping must be in range(0x110000)")),
            }
        } else {
            return Err(vm.type_error("character mapping must return integer, None or str"));
        }
    }
    Str::new(vm, &out)
}

pub fn maketrans(vm: &Vm, x: Value, y: Option<Value>, z: Option<Value>) -> R<Ref<Dict>> {
    let table = Dict::new(vm)?;
    let Some(y) = y else {
        let Some(d) = x.cast::<Dict>() else {
            return Err(vm.type_error("if you give only one argument to maketrans it must be a dict"));
        };
        for (k, v) in d.iter() {
            let key = match k.cast::<Str>() {
                Some(s) if s.char_len() == 1 => Value::small_int(s.code_points().next().map_or(0, i64::from)),
                Some(_) => return Err(vm.value_error("string keys in translate table must be of length 1")),
                None if vm.is_int(k) => k,
                None => return Err(vm.type_error("keys in translate table must be strings or integers")),
            };
            table.set(vm, key, v)?;
        }
        return Ok(table);
    };
    let Some(from) = x.cast::<Str>() else {
        return Err(vm.type_error("first maketrans argument must be a string if there is a second argument"));
    };
    let text = |v: Value, n: usize| {
        v.cast::<Str>().ok_or_else(|| {
            vm.type_error(format!("maketrans() argument {n} must be str, not {}", vm.type_name(v)))
        })
    };
    let to = text(y, 2)?;
    if from.char_len() != to.char_len() {
        return Err(vm.value_error("the first two maketrans arguments must have equal length"));
    }
    for (k, v) in from.code_points().zip(to.code_points()) {
        table.set(vm, Value::small_int(i64::from(k)), Value::small_int(i64::from(v)))?;
    }
    if let Some(z) = z {
        for k in text(z, 3)?.code_points() {
            table.set(vm, Value::small_int(i64::from(k)), Value::NONE)?;
        }
    }
    Ok(table)
}
