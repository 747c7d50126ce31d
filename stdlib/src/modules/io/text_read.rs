//! Reading text: pieces of bytes, decoded, from which characters and lines are taken.

use super::super::support::BytesLike;
use super::buffered;
use super::codec;
use super::text::{State, TextIo, TextRef, buffer, check_open, give, native_buffer, ready};
use super::types::{size, unsupported};
use skein_builtins::types::codecs::Codec;
use skein_runtime::types::ext::ExtArg;
use skein_runtime::types::str::{Str, char_width};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm};

type This = ExtArg<TextIo>;

impl State {
    /// Decoded text that was not taken.
    fn rest(&self) -> &[u8] {
        self.decoded.as_ref().map_or(&[], |d| &d[self.used..])
    }
}

/// Characters in WTF-8.
pub fn count(text: &[u8]) -> usize {
    text.iter().filter(|b| !matches!(b, 0x80..=0xbf)).count()
}

/// Bytes of the first `n` characters.
fn bytes_of(text: &[u8], n: usize) -> usize {
    if text.len() <= n {
        // Each has a byte at least.
        return text.len();
    }
    if text[..n].is_ascii() {
        return n;
    }
    let mut at = 0;
    for _ in 0..n {
        at += text.get(at).map_or(0, |&b| char_width(b));
    }
    at.min(text.len())
}

/// Forgets what was decoded, and where it was.
pub fn clear(t: TextRef) {
    let mut s = t.state.borrow_mut();
    (s.decoded, s.used, s.snapshot) = (None, 0, None);
}

/// Before a write: what was read ahead does not count any more.
pub fn forget(vm: &Vm, t: TextRef) -> R<()> {
    if t.state.borrow().snapshot.is_some() {
        clear(t);
        if t.state.borrow().decodes {
            reset_decoder(vm, t)?;
        }
    }
    Ok(())
}

// ---- the decoder

pub fn reset_decoder(vm: &Vm, t: TextRef) -> R<()> {
    {
        let mut s = t.state.borrow_mut();
        s.undecoded.clear();
        s.newlines.reset();
    }
    match t.decoder.get() {
        Some(d) => vm.call_method(d, "reset", &[]).map(|_| ()),
        None => Ok(()),
    }
}

/// The bytes that the decoder holds back, and its state as a number, in which the lowest bit is a held `\r`.
pub fn decoder_state(vm: &Vm, t: TextRef) -> R<(Vec<u8>, i64)> {
    let (held, flag) = match t.decoder.get() {
        None => (t.state.borrow().undecoded.clone(), 0),
        Some(d) => {
            let state = vm.call_method(d, "getstate", &[])?;
            let wrong = || vm.type_error("illegal decoder state");
            let pair = state.cast::<Tuple>().filter(|t| t.len() == 2).ok_or_else(wrong)?;
            let Some(held) = vm.absorb(BytesLike::new(vm, pair.items()[0]), vm.exc.type_error)? else {
                let got = vm.type_name(pair.items()[0]);
                let text =
                    format!("illegal decoder state: the first item should be a bytes object, not '{got}'");
                return Err(vm.type_error(text));
            };
            (held.to_vec(), vm.index_i64(pair.items()[1])?)
        }
    };
    let s = t.state.borrow();
    match s.newline.is_universal() {
        true => Ok((held, flag << 1 | i64::from(s.newlines.pending_cr))),
        false => Ok((held, flag)),
    }
}

/// Sets the decoder to a state without held bytes.
pub fn set_decoder_state(vm: &Vm, t: TextRef, held: &[u8], flag: i64) -> R<()> {
    let flag = {
        let mut s = t.state.borrow_mut();
        s.undecoded = held.to_vec();
        match s.newline.is_universal() {
            true => {
                s.newlines.pending_cr = flag & 1 != 0;
                flag >> 1
            }
            false => flag,
        }
    };
    if let Some(d) = t.decoder.get() {
        let state = vm.tuple(&[vm.bytes(held)?, vm.int(flag)?])?;
        vm.call_method(d, "setstate", &[state])?;
    }
    Ok(())
}

/// The text of the next bytes.
pub fn decode(vm: &Vm, t: TextRef, input: &[u8], last: bool) -> R<Vec<u8>> {
    let known = t.state.borrow().codec;
    let text = match known {
        None => {
            let d = t.decoder.get().ok_or_else(|| unsupported(vm, "not readable"))?;
            let s = vm.call_method(d, "decode", &[vm.bytes(input)?, Value::bool(last)])?;
            match s.cast::<Str>() {
                Some(s) => s.bytes().to_vec(),
                None => {
                    let got = vm.type_name(s);
                    let text = format!("decoder should return a string result, not '{got}'");
                    return Err(vm.type_error(text));
                }
            }
        }
        Some(codec) => {
            let (mut all, errors) = {
                let s = t.state.borrow();
                (s.undecoded.clone(), s.errors.clone())
            };
            all.extend_from_slice(input);
            let held = if codec == Codec::Utf8 && !last { codec::incomplete_end(&all) } else { 0 };
            let tail = all.split_off(all.len() - held);
            let text = codec::decode_known(vm, &all, codec, &errors)?;
            t.state.borrow_mut().undecoded = tail;
            text
        }
    };
    let mut s = t.state.borrow_mut();
    if s.newline.is_universal() { Ok(s.newlines.feed(text, last)) } else { Ok(text) }
}

// ---- pieces

/// Reads and decodes one more piece. False: that was the end.
fn read_piece(vm: &Vm, t: TextRef, hint: usize) -> R<bool> {
    let before = match t.telling.get() {
        true => Some(decoder_state(vm, t)?),
        false => None,
    };
    let want = {
        let s = t.state.borrow();
        let hinted = if hint > 0 { (s.ratio.max(1.0) * hint as f64) as usize } else { 0 };
        s.chunk.max(hinted)
    };
    let input = match native_buffer(vm, &t) {
        Some(b) if b.readable => BytesLike::Copy(buffered::read_one(vm, b, want)?),
        _ => {
            let method = if t.has_read1.get() { "read1" } else { "read" };
            let got = vm.call_method(buffer(vm, &t)?, method, &[vm.int(want as i64)?])?;
            match vm.absorb(BytesLike::new(vm, got), vm.exc.type_error)? {
                Some(b) => b,
                None => {
                    let got = vm.type_name(got);
                    let text = format!(
                        "underlying {method}() should have returned a bytes-like object, not '{got}'"
                    );
                    return Err(vm.type_error(text));
                }
            }
        }
    };
    let mut end = input.is_empty();
    let text = decode(vm, t, &input, end)?;
    let chars = count(&text);
    let mut s = t.state.borrow_mut();
    if chars > 0 {
        s.ratio = input.len() as f64 / chars as f64;
        end = false;
    } else {
        s.ratio = 0.0;
    }
    s.decoded = Some(text);
    s.used = 0;
    if let Some((held, flag)) = before {
        let mut whole = held;
        whole.extend_from_slice(&input);
        s.snapshot = Some((flag, whole));
    }
    Ok(!end)
}

fn for_reading(vm: &Vm, t: TextRef) -> R<TextRef> {
    ready(vm, t)?;
    check_open(vm, t)?;
    if !t.state.borrow().decodes {
        return Err(unsupported(vm, "not readable"));
    }
    give(vm, t)?;
    Ok(t)
}

pub fn read(vm: &Vm, t: This, n: Option<Value>) -> R<Value> {
    let t = ready(vm, t.0)?;
    let n = size(vm, n)?;
    for_reading(vm, t)?;
    let Some(n) = n else { return read_all(vm, t) };
    vm.check_room(n)?;
    let mut out = Vec::new();
    let mut left = n;
    loop {
        {
            let mut s = t.state.borrow_mut();
            let rest = s.rest();
            let part = bytes_of(rest, left);
            left -= count(&rest[..part]).min(left);
            out.extend_from_slice(&rest[..part]);
            s.used += part;
        }
        if left == 0 || !read_piece(vm, t, left)? {
            return Ok(Str::new(vm, &out)?.value());
        }
    }
}

#[cold]
fn nothing_yet(vm: &Vm) -> skein_runtime::Raised {
    vm.raise_text(vm.exc.blocking_io_error, "Read returned None.")
}

fn read_all(vm: &Vm, t: TextRef) -> R<Value> {
    let input = match native_buffer(vm, &t) {
        Some(b) if b.readable => BytesLike::Copy(match buffered::read_all(vm, b)? {
            Some(all) => all,
            None => return Err(nothing_yet(vm)),
        }),
        _ => {
            let got = vm.call_method(buffer(vm, &t)?, "read", &[])?;
            if got.is_none() { BytesLike::Copy(Vec::new()) } else { BytesLike::new(vm, got)? }
        }
    };
    let mut text = decode(vm, t, &input, true)?;
    let mut s = t.state.borrow_mut();
    if !s.rest().is_empty() {
        let mut all = s.rest().to_vec();
        all.extend_from_slice(&text);
        text = all;
    }
    if s.decoded.is_some() || s.snapshot.is_some() {
        (s.decoded, s.used) = (Some(Vec::new()), 0);
        s.snapshot = None;
    }
    drop(s);
    Ok(Str::new(vm, &text)?.value())
}

/// The next line, at most `limit` characters of it.
fn line(vm: &Vm, t: TextRef, limit: Option<usize>) -> R<Vec<u8>> {
    let mut out: Vec<u8> = Vec::new();
    loop {
        {
            let mut s = t.state.borrow_mut();
            // A line end of two characters may lie across pieces.
            let old = out.len();
            let overlap = old.saturating_sub(1);
            let (end, all) = if old == 0 {
                (s.newline.line_end(s.rest(), 0), s.rest().len())
            } else {
                vm.put(&mut out, s.rest())?;
                (s.newline.line_end(&out, overlap), out.len())
            };
            let mut stop = end.unwrap_or(all);
            let mut done = end.is_some();
            if let Some(limit) = limit {
                let text = if old == 0 { &s.rest()[..stop] } else { &out[..stop] };
                let within = bytes_of(text, limit);
                if within < stop || count(text) >= limit {
                    (stop, done) = (within, true);
                }
            }
            if old == 0 {
                vm.put(&mut out, &s.rest()[..stop])?;
            } else {
                out.truncate(stop);
            }
            s.used += stop - old.min(stop);
            if done {
                return Ok(out);
            }
        }
        vm.check_room(out.len())?;
        if !read_piece(vm, t, 0)? {
            // At the end the decoder may have given what it held.
            let mut s = t.state.borrow_mut();
            let rest = vm.copied(s.rest())?;
            s.used += rest.len();
            if s.snapshot.is_some() {
                s.snapshot = None;
                (s.decoded, s.used) = (Some(Vec::new()), 0);
            }
            vm.put(&mut out, &rest)?;
            return Ok(out);
        }
    }
}

pub fn readline(vm: &Vm, t: This, n: Option<Value>) -> R<Value> {
    let t = ready(vm, t.0)?;
    let limit = size(vm, n)?;
    for_reading(vm, t)?;
    if limit == Some(0) {
        return vm.str("");
    }
    Ok(Str::new(vm, &line(vm, t, limit)?)?.value())
}

pub fn next(vm: &Vm, t: This) -> R<Value> {
    let t = ready(vm, t.0)?;
    t.telling.set(false);
    let text = if vm.type_of(t.value()).def().is_some() {
        for_reading(vm, t)?;
        let line = line(vm, t, None)?;
        if line.is_empty() { None } else { Some(Str::new(vm, &line)?.value()) }
    } else {
        let line = vm.call_method(t.value(), "readline", &[])?;
        match line.cast::<Str>() {
            Some(s) => Some(line).filter(|_| !s.bytes().is_empty()),
            None => {
                let got = vm.type_name(line);
                let text = format!("readline() should have returned a str object, not '{got}'");
                return Err(vm.raise_text(vm.exc.os_error, &text));
            }
        }
    };
    if let Some(text) = text {
        return Ok(text);
    }
    t.state.borrow_mut().snapshot = None;
    t.telling.set(t.seekable.get());
    Ok(vm.stop())
}
