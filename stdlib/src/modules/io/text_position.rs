//! `tell` and `seek` of text. A place is a number that holds where the bytes are from which to decode anew: their
//! position, the decoder's state there, how many bytes to feed it, whether that is the end, and how many characters
//! of what comes out to skip.

use super::text::{TextIo, TextRef, buffer, check_open, flush_text, ready};
use super::text_read::{clear, count, decode, decoder_state, reset_decoder, set_decoder_state};
use super::types::unsupported;
use num_bigint::BigInt;
use skein_runtime::types::ext::ExtArg;
use skein_runtime::types::str::char_width;
use skein_runtime::{R, Value, Vm};

type This = ExtArg<TextIo>;

#[derive(Clone, Copy, Default)]
struct Place {
    position: u64,
    flags: u32,
    feed: u32,
    skip: u32,
    at_end: bool,
}

impl Place {
    fn pack(self, vm: &Vm) -> R<Value> {
        if self.flags == 0 && self.feed == 0 && self.skip == 0 && !self.at_end {
            return vm.int_u64(self.position);
        }
        let mut bytes = self.position.to_le_bytes().to_vec();
        for n in [self.flags, self.feed, self.skip] {
            bytes.extend_from_slice(&n.to_le_bytes());
        }
        bytes.push(u8::from(self.at_end));
        vm.big_int(BigInt::from_bytes_le(num_bigint::Sign::Plus, &bytes))
    }

    /// OverflowError.
    fn unpack(vm: &Vm, cookie: Value) -> R<Place> {
        let big = vm.as_big(cookie).unwrap_or_default();
        let (_, mut bytes) = big.to_bytes_le();
        if bytes.len() > 21 {
            return Err(vm.overflow_error("int too big to convert"));
        }
        bytes.resize(21, 0);
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let position = u64::from(word(0)) | u64::from(word(4)) << 32;
        Ok(Place { position, flags: word(8), feed: word(12), skip: word(16), at_end: bytes[20] != 0 })
    }
}

pub fn tell(vm: &Vm, t: This) -> R<Value> {
    let t = ready(vm, t.0)?;
    check_open(vm, t)?;
    if !t.seekable.get() {
        return Err(unsupported(vm, "underlying stream is not seekable"));
    }
    if !t.telling.get() {
        return Err(vm.raise_text(vm.exc.os_error, "telling position disabled by next() call"));
    }
    super::text::give(vm, t)?;
    vm.call_method(t.value(), "flush", &[])?;
    let at = vm.call_method(buffer(vm, &t)?, "tell", &[])?;
    let (snapshot, skip) = {
        let s = t.state.borrow();
        let taken = s.decoded.as_ref().map_or(0, |d| count(&d[..s.used]));
        (s.snapshot.clone(), taken)
    };
    let Some((flags, input)) = snapshot.filter(|_| t.state.borrow().decodes) else { return Ok(at) };
    let start = (vm.index_i64(at)? - input.len() as i64).max(0) as u64;
    let saved = decoder_state(vm, t)?;
    let found = find(vm, t, start, flags, &input, skip);
    // The decoder goes on from where it was, whatever became of the search.
    let pending = vm.pending.take();
    let restored = set_decoder_state(vm, t, &saved.0, saved.1);
    if pending.is_some() {
        vm.pending.set(pending);
    } else {
        restored?;
    }
    found?.pack(vm)
}

/// The place after `skip` characters of what the decoder makes of the input.
fn find(vm: &Vm, t: TextRef, start: u64, flags: i64, input: &[u8], skip: usize) -> R<Place> {
    let mut place = Place { position: start, flags: flags as u32, ..Place::default() };
    let (mut done, mut left) = (0, skip);
    // As far as possible the place is one where the decoder holds nothing: by steps that halve.
    let mut step = input.len();
    while step > 0 && left > 0 {
        set_decoder_state(vm, t, b"", place.flags.into())?;
        let part = &input[done..(done + step).min(input.len())];
        let n = count(&decode(vm, t, part, false)?);
        let (held, flag) = decoder_state(vm, t)?;
        if n <= left && held.is_empty() && !part.is_empty() {
            done += part.len();
            left -= n;
            place.flags = flag as u32;
        } else {
            step /= 2;
        }
    }
    place.position = start + done as u64;
    if left == 0 {
        return Ok(place);
    }
    set_decoder_state(vm, t, b"", place.flags.into())?;
    let (mut chars, mut fed) = (0, 0);
    for b in &input[done..] {
        chars += count(&decode(vm, t, std::slice::from_ref(b), false)?);
        fed += 1;
        let (held, flag) = decoder_state(vm, t)?;
        if held.is_empty() && chars <= left {
            // A place where nothing is held is nearer.
            place.position += fed as u64;
            place.flags = flag as u32;
            left -= chars;
            (chars, fed) = (0, 0);
        }
        if left == 0 {
            return Ok(place);
        }
        if chars >= left {
            place.feed = fed;
            place.skip = left as u32;
            return Ok(place);
        }
    }
    chars += count(&decode(vm, t, b"", true)?);
    if chars < left {
        return Err(vm.raise_text(vm.exc.os_error, "can't reconstruct logical file position"));
    }
    place.feed = fed;
    place.skip = left as u32;
    place.at_end = true;
    Ok(place)
}

pub fn seek(vm: &Vm, t: This, cookie: Value, whence: Option<i32>) -> R<Value> {
    let t = ready(vm, t.0)?;
    check_open(vm, t)?;
    if !t.seekable.get() {
        return Err(unsupported(vm, "underlying stream is not seekable"));
    }
    let below = buffer(vm, &t)?;
    let zero = vm.as_i64(vm.index(cookie)?) == Some(0);
    let cookie = match whence.unwrap_or(0) {
        0 => vm.index(cookie)?,
        1 if !zero => return Err(unsupported(vm, "can't do nonzero cur-relative seeks")),
        1 => vm.call_method(t.value(), "tell", &[])?,
        2 if !zero => return Err(unsupported(vm, "can't do nonzero end-relative seeks")),
        2 => {
            flush_text(vm, t)?;
            clear(t);
            if t.state.borrow().decodes {
                reset_decoder(vm, t)?;
            }
            let end = vm.call_method(below, "seek", &[Value::small_int(0), Value::small_int(2)])?;
            reset_encoder(vm, t, vm.as_i64(end) == Some(0))?;
            return Ok(end);
        }
        w => return Err(vm.value_error(format!("invalid whence ({w}, should be 0, 1 or 2)"))),
    };
    if vm.as_big(cookie).is_some_and(|n| n.sign() == num_bigint::Sign::Minus) {
        let shown = vm.repr_string(cookie)?;
        return Err(vm.value_error(format!("negative seek position {shown}")));
    }
    flush_text(vm, t)?;
    let place = Place::unpack(vm, cookie)?;
    vm.call_method(below, "seek", &[vm.int_u64(place.position)?])?;
    clear(t);
    let decodes = t.state.borrow().decodes;
    if decodes {
        if place.position == 0 && place.flags == 0 {
            reset_decoder(vm, t)?;
        } else {
            set_decoder_state(vm, t, b"", place.flags.into())?;
        }
        t.state.borrow_mut().snapshot = Some((place.flags.into(), Vec::new()));
    }
    if place.skip > 0 {
        let input = vm.call_method(below, "read", &[vm.int(place.feed.into())?])?;
        let input = super::super::support::BytesLike::new(vm, input)?.into_vec(vm)?;
        let text = decode(vm, t, &input, place.at_end)?;
        let failed = || vm.raise_text(vm.exc.os_error, "can't restore logical file position");
        if count(&text) < place.skip as usize {
            return Err(failed());
        }
        let mut used = 0;
        for _ in 0..place.skip {
            used += text.get(used).map_or(0, |&b| char_width(b));
        }
        let mut s = t.state.borrow_mut();
        s.snapshot = Some((place.flags.into(), input));
        s.used = used.min(text.len());
        s.decoded = Some(text);
    }
    reset_encoder(vm, t, place.position == 0)?;
    Ok(cookie)
}

/// At the start a mark of the byte order is written, elsewhere not.
fn reset_encoder(vm: &Vm, t: TextRef, at_start: bool) -> R<()> {
    match t.encoder.get() {
        Some(e) if at_start => vm.call_method(e, "reset", &[]).map(|_| ()),
        Some(e) => vm.call_method(e, "setstate", &[Value::small_int(0)]).map(|_| ()),
        None => Ok(()),
    }
}
