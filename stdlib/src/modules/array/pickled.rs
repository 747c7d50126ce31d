//! Arrays as they are pickled: bytes with a number that says how a machine laid them out.

use super::{ArrayRef, This, append, code_argument, data, frombytes, is_text, items, of_type, size, this};
use skein_builtins::modules::import;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Value, Vm};

/// A machine's layout of items.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Int { size: usize, signed: bool, big_endian: bool },
    Float { size: usize, big_endian: bool },
    Text { encoding: &'static str, size: usize },
}

/// The layouts by their numbers in pickles, from 0.
const LAYOUTS: [Layout; 22] = {
    const fn int(size: usize, signed: bool, big_endian: bool) -> Layout {
        Layout::Int { size, signed, big_endian }
    }
    const fn float(size: usize, big_endian: bool) -> Layout {
        Layout::Float { size, big_endian }
    }
    const fn text(encoding: &'static str, size: usize) -> Layout {
        Layout::Text { encoding, size }
    }
    [
        int(1, false, false),
        int(1, true, false),
        int(2, false, false),
        int(2, false, true),
        int(2, true, false),
        int(2, true, true),
        int(4, false, false),
        int(4, false, true),
        int(4, true, false),
        int(4, true, true),
        int(8, false, false),
        int(8, false, true),
        int(8, true, false),
        int(8, true, true),
        float(4, false),
        float(4, true),
        float(8, false),
        float(8, true),
        text("utf-16-le", 2),
        text("utf-16-be", 2),
        text("utf-32-le", 4),
        text("utf-32-be", 4),
    ]
};

/// The layout of this machine's items of a type.
fn own_layout(code: u8) -> Layout {
    let big_endian = cfg!(target_endian = "big");
    let size = size(code);
    match code {
        b'u' | b'w' => Layout::Text { encoding: if big_endian { "utf-32-be" } else { "utf-32-le" }, size },
        b'f' | b'd' => Layout::Float { size, big_endian },
        // One byte has no order.
        _ => Layout::Int { size, signed: code.is_ascii_lowercase(), big_endian: big_endian && size > 1 },
    }
}

/// The typecode for ints of a layout: of those of one size the last.
fn int_code(size: usize, signed: bool) -> u8 {
    let code = match size {
        1 => b'b',
        2 => b'h',
        4 => b'i',
        _ => b'q',
    };
    if signed { code } else { code.to_ascii_uppercase() }
}

/// `array.__reduce_ex__`.
pub fn reduce(vm: &Vm, a: This, protocol: Value) -> R<Value> {
    if !vm.is_int(protocol) {
        return Err(vm.type_error("__reduce_ex__ argument should be an integer"));
    }
    let protocol = vm.index_i64(protocol)?;
    let state = match vm.find_attr(a.0.value(), vm.names.__dict__)? {
        Some(dict) if dict.cast::<Dict>().is_none_or(|d| !d.is_empty()) => dict,
        _ => Value::NONE,
    };
    let class = vm.type_of(a.0.value()).value();
    let code = vm.str(&char::from(a.0.code).to_string())?;
    if protocol < 3 {
        let args = vm.tuple(&[code, items(vm, a.0)?.value()])?;
        return vm.tuple(&[class, args, state]);
    }
    let own = own_layout(a.0.code);
    let number = LAYOUTS.iter().position(|l| *l == own).unwrap_or_default();
    let args = vm.tuple(&[class, code, Value::small_int(number as i64), vm.bytes(data(&a.0))?])?;
    let maker = vm.get_attr_str(import(vm, "array")?, "_array_reconstructor")?;
    vm.tuple(&[maker, args, state])
}

/// `array._array_reconstructor`.
pub fn reconstruct(vm: &Vm, class: Value, code: Value, number: Value, bytes: Value) -> R<Value> {
    let code = code_argument(vm, code, "_array_reconstructor")?;
    let number = vm.index_i64(number)?;
    let Some(ty) = class.cast::<Type>() else {
        let got = vm.type_name(class);
        return Err(vm.type_error(format!("first argument must be a type object, not {got}")));
    };
    let array = super::array_type(vm)?;
    if ty != array && !ty.is_subtype(array) {
        let (got, array) = (ty.message_name(), array.message_name());
        return Err(vm.type_error(format!("{got} is not a subtype of {array}")));
    }
    let Some(code) = code.filter(|&c| super::is_code(c)) else {
        return Err(vm.value_error("second argument must be a valid type code"));
    };
    let Some(&layout) = usize::try_from(number).ok().and_then(|n| LAYOUTS.get(n)) else {
        return Err(vm.value_error("third argument must be a valid machine format code."));
    };
    let Some(bytes) = bytes.cast::<Bytes>() else {
        let got = vm.type_name(bytes);
        return Err(vm.type_error(format!("fourth argument should be bytes, not {got}")));
    };
    if layout == own_layout(code) {
        let a = of_type(vm, ty, code, b"")?;
        frombytes(vm, this(vm, a)?, bytes.bytes())?;
        return Ok(a);
    }
    let (size, code) = match layout {
        Layout::Int { size, signed, .. } => (size, int_code(size, signed)),
        Layout::Float { size, .. } | Layout::Text { size, .. } => (size, code),
    };
    if !bytes.bytes().len().is_multiple_of(size) {
        return Err(vm.value_error("string length not a multiple of item size"));
    }
    let a = of_type(vm, ty, code, b"")?;
    fill(vm, this(vm, a)?, layout, bytes.bytes())?;
    Ok(a)
}

/// Appends the items that lie in these bytes.
fn fill(vm: &Vm, a: ArrayRef, layout: Layout, bytes: &[u8]) -> R<()> {
    let ordered = |b: &[u8], big_endian: bool| {
        let mut word = [0; 8];
        word[..b.len()].copy_from_slice(b);
        if big_endian {
            word[..b.len()].reverse();
        }
        u64::from_le_bytes(word)
    };
    match layout {
        Layout::Int { size, signed, big_endian } => {
            for b in bytes.chunks_exact(size) {
                let n = ordered(b, big_endian);
                let unused = 64 - 8 * size as u32;
                let v = if signed { vm.int((n << unused) as i64 >> unused)? } else { vm.int_u64(n)? };
                append(vm, a, v)?;
            }
        }
        Layout::Float { size, big_endian } => {
            for b in bytes.chunks_exact(size) {
                let n = ordered(b, big_endian);
                let x = if size == 4 { f32::from_bits(n as u32).into() } else { f64::from_bits(n) };
                append(vm, a, vm.float(x)?)?;
            }
        }
        Layout::Text { encoding, .. } => {
            let text = vm.call_method(vm.bytes(bytes)?, "decode", &[vm.str(encoding)?])?;
            if !is_text(a.code) {
                let code = char::from(a.code);
                return Err(
                    vm.type_error(format!("cannot use a str to initialize an array with typecode '{code}'"))
                );
            }
            super::extend(vm, a, text)?;
        }
    }
    Ok(())
}
