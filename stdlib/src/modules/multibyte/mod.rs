//! `_multibyte`: the encodings of East Asia, of which `_multibytecodec`, which is in Python, makes what programs see. A call
//! goes as far as it can; what it stops at is the caller's to decide.

mod codec;
mod iso2022;
mod tables;

use super::support::BytesLike;
use codec::{CODECS, Codec, Output, State, Stop};
use skein_runtime::object::Ref;
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::{R, Value, Vm, native_functions};
use tables::Decoded;

native_functions! { FUNCTIONS:
    "names()" => names, "Names of the encodings.";
    "encoder_state(encoding)" => |vm: &Vm, s: Ref<Str>| -> R<Value> { vm.int_u64(number(named(vm, s)?.encoder_state())) };
    "decoder_state(encoding)" => |vm: &Vm, s: Ref<Str>| -> R<Value> { vm.int_u64(number(named(vm, s)?.decoder_state())) };
    "encode(encoding, text, start, state, whole)" => encode, "Encodes text from a character on: bytes, where it stopped, the state, and why it stopped there.";
    "reset_encoder(encoding, state)" => reset_encoder, "The bytes that end an encoded text, and the state behind them.";
    "reset_decoder(encoding, state)" => reset_decoder, "The state of a decoder after it was reset.";
    "decode(encoding, data, start, state)" => decode, "Decodes data from a byte on: text, where it stopped, the state, and why it stopped there.";
}

/// Steps between two looks at signals.
const CHECKED: usize = 1 << 16;

/// Why a call stopped: nothing is left; how many bytes or characters mean nothing; -1 if what is left may begin something.
fn reason(stop: Option<Stop>) -> i64 {
    match stop {
        None => 0,
        Some(Stop::Illegal(n)) => n as i64,
        Some(Stop::Incomplete) => -1,
    }
}

fn number(state: State) -> u64 {
    u64::from_le_bytes(state)
}

fn named(vm: &Vm, name: Ref<Str>) -> R<Codec> {
    let name = name.to_string_lossy();
    Codec::named(&name).ok_or_else(|| vm.lookup_error("no such codec is supported."))
}

fn names(vm: &Vm) -> R<Value> {
    let list = List::with_capacity(vm, CODECS.len())?;
    for (name, _) in CODECS {
        list.push(vm, vm.str(name)?)?;
    }
    Ok(list.value())
}

fn result(vm: &Vm, out: Value, at: usize, state: State, stop: Option<Stop>) -> R<Value> {
    vm.tuple(&[out, Value::small_int(at as i64), vm.int_u64(number(state))?, Value::small_int(reason(stop))])
}

fn encode(vm: &Vm, name: Ref<Str>, text: Ref<Str>, start: usize, state: u64, whole: bool) -> R<Value> {
    let codec = named(vm, name)?;
    let mut state = state.to_le_bytes();
    let bytes = text.bytes();
    let start = start.min(text.char_len());
    let mut characters = skein_runtime::types::str::code_points(&bytes[text.byte_offset(start)..]).peekable();
    let mut out = vm.buffer(bytes.len())?;
    let (mut at, mut steps, mut stop) = (start, 0, None);
    while let Some(first) = characters.next() {
        match codec.encode(first, characters.peek().copied(), whole, &mut state) {
            Ok(found) => {
                vm.put(&mut out, found.bytes())?;
                at += found.taken;
                if found.taken == 2 {
                    characters.next();
                }
            }
            Err(why) => {
                stop = Some(why);
                break;
            }
        }
        steps += 1;
        if steps % CHECKED == 0 {
            vm.check_signals()?;
        }
    }
    result(vm, vm.bytes(&out)?, at, state, stop)
}

fn reset_encoder(vm: &Vm, name: Ref<Str>, state: u64) -> R<Value> {
    let mut state = state.to_le_bytes();
    let out: Output = named(vm, name)?.reset_encoder(&mut state);
    vm.tuple(&[vm.bytes(out.bytes())?, vm.int_u64(number(state))?])
}

fn reset_decoder(vm: &Vm, name: Ref<Str>, state: u64) -> R<Value> {
    let mut state = state.to_le_bytes();
    named(vm, name)?.reset_decoder(&mut state);
    vm.int_u64(number(state))
}

fn decode(vm: &Vm, name: Ref<Str>, data: BytesLike, start: usize, state: u64) -> R<Value> {
    let codec = named(vm, name)?;
    let mut state = state.to_le_bytes();
    let bytes: &[u8] = &data;
    let mut at = start.min(bytes.len());
    let mut out = vm.buffer(bytes.len() - at)?;
    let (mut steps, mut stop) = (0, None);
    while at < bytes.len() {
        match codec.decode(&bytes[at..], &mut state) {
            Ok((decoded, taken)) => {
                at += taken;
                // Room for two code points.
                vm.grow(&mut out, 8)?;
                match decoded {
                    Decoded::None => {}
                    Decoded::One(code) => push_code_point(&mut out, code),
                    Decoded::Two(pair) => pair.iter().for_each(|code| push_code_point(&mut out, *code)),
                }
            }
            Err(why) => {
                stop = Some(why);
                break;
            }
        }
        steps += 1;
        if steps % CHECKED == 0 {
            vm.check_signals()?;
        }
    }
    let text = String::from_utf8_lossy(&out);
    result(vm, vm.str(&text)?, at, state, stop)
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    make_module(vm, "_multibyte", FUNCTIONS)
}
