//! Reading values in marshal's format.

use super::FLAG_REF;
use num_bigint::{BigInt, Sign};
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::code::load;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::set::Set;
use skein_runtime::types::slice::Slice;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm};

/// Where the bytes come from.
enum Source<'a> {
    Bytes {
        all: &'a [u8],
        at: usize,
    },
    /// A file, and what was read of it last.
    File {
        file: Value,
        chunk: Vec<u8>,
    },
}

struct Reader<'a> {
    vm: &'a Vm,
    from: Source<'a>,
    allow_code: bool,
    /// Objects that later ones may refer to.
    seen: Ref<List>,
}

/// Stands in `seen` for an object that is not whole yet.
const BEGUN: Value = Value::NOT_IMPLEMENTED;

/// The value that bytes begin with.
pub fn from_bytes(vm: &Vm, bytes: &[u8], allow_code: bool) -> R<Value> {
    let from = Source::Bytes { all: bytes, at: 0 };
    Reader { vm, from, allow_code, seen: List::with_capacity(vm, 0)? }.value()
}

/// The next value of a file, from which no more is read.
pub fn from_file(vm: &Vm, file: Value, allow_code: bool) -> R<Value> {
    let nothing = vm.call_method(file, "read", &[Value::small_int(0)])?;
    if nothing.cast::<Bytes>().is_none() {
        let got = vm.type_name(nothing);
        return Err(vm.type_error(format!("file.read() returned not bytes but {got}")));
    }
    let from = Source::File { file, chunk: Vec::new() };
    Reader { vm, from, allow_code, seen: List::with_capacity(vm, 0)? }.value()
}

impl Reader<'_> {
    fn take(&mut self, n: usize) -> R<&[u8]> {
        let vm = self.vm;
        match &mut self.from {
            Source::Bytes { all, at } => match all.get(*at..at.saturating_add(n)) {
                Some(row) => {
                    *at += n;
                    Ok(row)
                }
                None => Err(vm.eof_error("marshal data too short")),
            },
            Source::File { file, chunk } => {
                let room = ByteArray::new(vm, &[])?;
                room.resize(vm, n)?;
                let view = skein_builtins::types::view_of(vm, room.value(), room.value(), b'B')?;
                let got = vm.call_method(*file, "readinto", &[view])?;
                let got = vm.index_i64(got)?;
                if got != n as i64 {
                    return Err(match got > n as i64 {
                        true => vm.value_error(format!(
                            "read() returned too much data: {n} bytes requested, {got} returned"
                        )),
                        false => vm.eof_error("EOF read where not expected"),
                    });
                }
                *chunk = vm.copied(room.bytes())?;
                Ok(chunk)
            }
        }
    }

    /// Can so many objects follow? What is read of bytes cannot have more items than there are bytes.
    fn check_count(&self, n: usize) -> R<()> {
        match &self.from {
            Source::Bytes { all, at } if n > all.len() - at => {
                Err(self.vm.eof_error("EOF read where object expected"))
            }
            _ => self.vm.check_room(n.saturating_mul(size_of::<Value>())),
        }
    }

    fn fixed<const N: usize>(&mut self) -> R<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn long(&mut self) -> R<i32> {
        Ok(i32::from_le_bytes(self.fixed()?))
    }

    fn double(&mut self) -> R<f64> {
        Ok(f64::from_le_bytes(self.fixed()?))
    }

    fn size(&mut self, short: bool, what: &str) -> R<usize> {
        if short {
            return Ok(self.take(1)?[0].into());
        }
        let n = self.long()?;
        let wrong = |_| self.vm.value_error(format!("bad marshal data ({what} size out of range)"));
        usize::try_from(n).map_err(wrong)
    }

    fn text(&mut self, short: bool) -> R<Value> {
        let n = self.size(short, "string")?;
        let vm = self.vm;
        let bytes = self.vm.copied(self.take(n)?)?;
        let codec = skein_builtins::types::codecs::Codec::Utf8;
        Ok(skein_builtins::types::codecs::decode_with(vm, &bytes, codec, Some("surrogatepass"))?.value())
    }

    /// A float as text.
    fn text_float(&mut self) -> R<f64> {
        let n = self.size(true, "float")?;
        let text = String::from_utf8_lossy(self.take(n)?).into_owned();
        text.parse().map_err(|_| self.vm.value_error("bad marshal data (digit out of range in float)"))
    }

    fn items(&mut self, n: usize) -> R<Ref<List>> {
        let list = List::with_capacity(self.vm, 0)?;
        for _ in 0..n {
            let v = self.value()?;
            list.push(self.vm, v)?;
        }
        Ok(list)
    }

    /// The next object. Not that of a null, which ends a dict.
    fn value(&mut self) -> R<Value> {
        match self.object()? {
            Some(v) => Ok(v),
            None => Err(self.vm.type_error("NULL object in marshal data for object")),
        }
    }

    fn object(&mut self) -> R<Option<Value>> {
        let vm = self.vm;
        if vm.native_stack_low() {
            return Err(vm.value_error("recursion limit exceeded"));
        }
        let at_end = vm.exc.eof_error;
        let byte = match vm.absorb(self.take(1).map(|b| b[0]), at_end)? {
            Some(b) => b,
            None => return Err(vm.eof_error("EOF read where object expected")),
        };
        let code = byte & !FLAG_REF;
        let place = match byte & FLAG_REF != 0 && !matches!(code, b'0' | b'N' | b'T' | b'F' | b'.' | b'S') {
            true => {
                self.seen.push(vm, BEGUN)?;
                Some(self.seen.len() - 1)
            }
            false => None,
        };
        let note = |r: &Reader<'_>, v: Value| {
            if let Some(i) = place {
                r.seen.store(vm, i, v);
            }
        };
        let v = match code {
            b'0' => return Ok(None),
            b'N' => Value::NONE,
            b'T' => Value::TRUE,
            b'F' => Value::FALSE,
            b'.' => Value::ELLIPSIS,
            b'S' => vm.exc.stop_iteration.value(),
            b'i' => vm.int(self.long()?.into())?,
            b'I' => vm.int(i64::from_le_bytes(self.fixed()?))?,
            b'l' => self.big()?,
            b'g' => vm.float(self.double()?)?,
            b'f' => vm.float(self.text_float()?)?,
            b'y' => vm.complex(self.double()?, self.double()?)?,
            b'x' => vm.complex(self.text_float()?, self.text_float()?)?,
            b's' => {
                let n = self.size(false, "bytes object")?;
                vm.bytes(self.take(n)?)?
            }
            b'a' | b'u' => self.text(false)?,
            b'z' => self.text(true)?,
            b'A' | b't' | b'Z' => match self.text(code == b'Z')?.cast::<Str>() {
                Some(s) => vm.intern_str(s).value(),
                None => Value::NONE,
            },
            b'(' | b')' => {
                let n = self.size(code == b')', "tuple")?;
                self.check_count(n)?;
                // It may be a part of its own items.
                let t = Tuple::new(vm, &vm.filled(Value::NONE, n)?)?;
                note(self, t.value());
                for i in 0..n {
                    let v = self.value()?;
                    t.complete(vm, i, v);
                }
                t.value()
            }
            b':' => {
                let (start, stop, step) = (self.value()?, self.value()?, self.value()?);
                Slice::new(vm, start, stop, step)?.value()
            }
            b'[' => {
                let list = List::with_capacity(vm, 0)?;
                note(self, list.value());
                for _ in 0..self.size(false, "list")? {
                    let v = self.value()?;
                    list.push(vm, v)?;
                }
                list.value()
            }
            b'{' => {
                let d = Dict::new(vm)?;
                note(self, d.value());
                while let Some(k) = self.object()? {
                    let v = self.value()?;
                    d.set(vm, k, v)?;
                }
                d.value()
            }
            b'<' => {
                let n = self.size(false, "set")?;
                let set = vm.call(vm.types.set.value(), &[])?;
                note(self, set);
                if let Some(s) = set.cast::<Set>() {
                    for _ in 0..n {
                        let v = self.value()?;
                        s.add(vm, v)?;
                    }
                }
                set
            }
            b'>' => {
                let n = self.size(false, "set")?;
                let items = self.items(n)?;
                vm.frozenset(Tuple::new(vm, items.items())?.items())?
            }
            b'r' => {
                let i = self.long()?;
                match usize::try_from(i).ok().and_then(|i| self.seen.get(i)).filter(|v| !v.is(BEGUN)) {
                    Some(v) => v,
                    None => return Err(vm.value_error("bad marshal data (invalid reference)")),
                }
            }
            b'c' => self.code_object()?,
            _ => return Err(vm.value_error("bad marshal data (unknown type code)")),
        };
        note(self, v);
        Ok(Some(v))
    }

    /// A code in Skein's own form, checked as one that comes from anywhere.
    fn code_object(&mut self) -> R<Value> {
        let vm = self.vm;
        if !self.allow_code {
            return Err(vm.value_error("unmarshalling code objects is disallowed"));
        }
        let n = self.size(false, "code")?;
        let wrong = |e: String| vm.value_error(format!("bad marshal data ({e})"));
        let code = skein_bytecode::read_file(self.take(n)?).map_err(|e| wrong(e.to_string()))?;
        skein_bytecode::verify(&code).map_err(|e| wrong(e.to_string()))?;
        Ok(load(vm, skein_bytecode::CodeRef::new(code))?.value())
    }

    fn big(&mut self) -> R<Value> {
        let n = self.long()?;
        let mut magnitude = num_bigint::BigUint::default();
        let words = self.take(n.unsigned_abs() as usize * 2)?.to_vec();
        for w in words.chunks_exact(2).rev() {
            let digit = u16::from_le_bytes([w[0], w[1]]);
            if digit > 0x7fff {
                return Err(self.vm.value_error("bad marshal data (digit out of range in long)"));
            }
            magnitude = (magnitude << 15u32) | num_bigint::BigUint::from(digit);
        }
        if words.len() >= 2 && words[words.len() - 2..] == [0, 0] {
            return Err(self.vm.value_error("bad marshal data (unnormalized long data)"));
        }
        let sign = if n < 0 { Sign::Minus } else { Sign::Plus };
        self.vm.big_int(BigInt::from_biguint(sign, magnitude))
    }
}
