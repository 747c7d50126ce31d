//! `marshal`: plain data as bytes, in CPython's format. Code objects are Skein's own and cannot be written.

use super::support::BytesLike;
use num_bigint::{BigInt, Sign};
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::complex::Complex;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::set::Set;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm, native_functions};

/// The newest version of the format.
const VERSION: i64 = 5;
/// Marks an object that later ones refer to.
const FLAG_REF: u8 = 0x80;

/// Bytes that a value takes besides those of its text or items, at most.
const LONGEST: usize = 24;

struct Writer<'a> {
    vm: &'a Vm,
    out: Vec<u8>,
}

impl Writer<'_> {
    fn size(&mut self, n: usize) -> R<()> {
        match i32::try_from(n) {
            Ok(n) => {
                self.out.extend_from_slice(&n.to_le_bytes());
                Ok(())
            }
            Err(_) => Err(self.vm.value_error("unmarshallable object")),
        }
    }

    fn row(&mut self, code: u8, items: &[Value]) -> R<()> {
        self.vm.grow(&mut self.out, LONGEST)?;
        self.out.push(code);
        self.size(items.len())?;
        items.iter().try_for_each(|&v| self.value(v))
    }

    fn bytes(&mut self, code: u8, bytes: &[u8]) -> R<()> {
        self.vm.grow(&mut self.out, LONGEST)?;
        self.out.push(code);
        self.size(bytes.len())?;
        self.vm.put(&mut self.out, bytes)
    }

    fn value(&mut self, v: Value) -> R<()> {
        let vm = self.vm;
        if vm.native_stack_low() {
            return Err(vm.value_error("object too deeply nested to marshal"));
        }
        vm.grow(&mut self.out, LONGEST)?;
        let simple = match v {
            Value::NONE => Some(b'N'),
            Value::TRUE => Some(b'T'),
            Value::FALSE => Some(b'F'),
            Value::ELLIPSIS => Some(b'.'),
            _ if v.is(vm.exc.stop_iteration.value()) => Some(b'S'),
            _ => None,
        };
        if let Some(code) = simple {
            self.out.push(code);
            return Ok(());
        }
        let ty = vm.type_of(v);
        let t = &vm.types;
        if ty == t.int {
            return self.int(v);
        }
        if let Some(f) = vm.as_float(v).filter(|_| ty == t.float) {
            self.out.push(b'g');
            self.out.extend_from_slice(&f.to_le_bytes());
            return Ok(());
        }
        if let Some(c) = v.cast::<Complex>().filter(|_| ty == t.complex) {
            self.out.push(b'y');
            self.out.extend_from_slice(&c.re().to_le_bytes());
            self.out.extend_from_slice(&c.im().to_le_bytes());
            return Ok(());
        }
        if let Some(s) = v.cast::<Str>().filter(|_| ty == t.str) {
            return self.bytes(if s.is_ascii() { b'a' } else { b'u' }, s.bytes());
        }
        if let Some(x) = v.cast::<Tuple>().filter(|_| ty == t.tuple) {
            return self.row(b'(', x.items());
        }
        if let Some(l) = v.cast::<List>().filter(|_| ty == t.list) {
            return self.row(b'[', Tuple::new(vm, l.items())?.items());
        }
        if let Some(s) = v.cast::<Set>().filter(|_| ty == t.set || ty == t.frozenset) {
            let items = List::with_capacity(vm, 0)?;
            for v in s.iter() {
                items.push(vm, v)?;
            }
            return self.row(if ty == t.set { b'<' } else { b'>' }, items.items());
        }
        if let Some(d) = v.cast::<Dict>().filter(|_| ty == t.dict) {
            self.out.push(b'{');
            for (k, v) in d.copy(vm)?.iter() {
                self.value(k)?;
                self.value(v)?;
            }
            self.out.push(b'0');
            return Ok(());
        }
        if let Some(b) = v.cast::<Bytes>() {
            return self.bytes(b's', b.bytes());
        }
        if let Some(b) = v.cast::<ByteArray>() {
            return self.bytes(b's', b.bytes());
        }
        if ty == t.code {
            return Err(vm.unsupported("marshalling code objects"));
        }
        Err(vm.value_error("unmarshallable object"))
    }

    fn int(&mut self, v: Value) -> R<()> {
        if let Some(i) = self.vm.as_i64(v).and_then(|i| i32::try_from(i).ok()) {
            self.out.push(b'i');
            self.out.extend_from_slice(&i.to_le_bytes());
            return Ok(());
        }
        let bits = skein_builtins::types::Int::of(v).map_or(0, |i| i.big().bits());
        skein_builtins::types::check_room(self.vm, 4 * bits)?;
        let big = self.vm.as_big(v).unwrap_or_default();
        // Digits of 15 bits.
        let digits = big.magnitude().to_bytes_le();
        let mut words = self.vm.buffer(digits.len())?;
        let (mut bits, mut have) = (0u32, 0);
        for byte in digits {
            bits |= u32::from(byte) << have;
            have += 8;
            if have >= 15 {
                words.push((bits & 0x7fff) as u16);
                bits >>= 15;
                have -= 15;
            }
        }
        if bits != 0 {
            words.push(bits as u16);
        }
        while words.last() == Some(&0) {
            words.pop();
        }
        let n = words.len() as i32;
        self.out.push(b'l');
        let signed = if big.sign() == Sign::Minus { -n } else { n };
        self.out.extend_from_slice(&signed.to_le_bytes());
        self.vm.grow(&mut self.out, 2 * words.len() + LONGEST)?;
        words.iter().for_each(|w| self.out.extend_from_slice(&w.to_le_bytes()));
        Ok(())
    }
}

struct Reader<'a> {
    vm: &'a Vm,
    bytes: &'a [u8],
    at: usize,
    /// Objects that later ones may refer to.
    seen: Ref<List>,
}

impl Reader<'_> {
    fn take(&mut self, n: usize) -> R<&[u8]> {
        match self.bytes.get(self.at..self.at.saturating_add(n)) {
            Some(row) => {
                self.at += n;
                Ok(row)
            }
            None => Err(self.vm.eof_error("marshal data too short")),
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

    fn size(&mut self, short: bool) -> R<usize> {
        if short {
            return Ok(self.take(1)?[0].into());
        }
        let n = self.long()?;
        usize::try_from(n).map_err(|_| self.vm.value_error("bad marshal data (size out of range)"))
    }

    fn text(&mut self, short: bool) -> R<Value> {
        let n = self.size(short)?;
        let vm = self.vm;
        let bytes = self.vm.copied(self.take(n)?)?;
        let codec = skein_builtins::types::codecs::Codec::Utf8;
        Ok(skein_builtins::types::codecs::decode_with(vm, &bytes, codec, Some("surrogatepass"))?.value())
    }

    /// A float as text.
    fn text_float(&mut self) -> R<f64> {
        let n = self.size(true)?;
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
        let byte = match self.bytes.get(self.at) {
            Some(&b) => b,
            None => return Err(vm.eof_error("EOF read where object expected")),
        };
        self.at += 1;
        let code = byte & !FLAG_REF;
        let place = match byte & FLAG_REF != 0 && !matches!(code, b'0' | b'N' | b'T' | b'F' | b'.' | b'S') {
            true => {
                self.seen.push(vm, Value::NONE)?;
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
                let n = self.size(false)?;
                vm.bytes(self.take(n)?)?
            }
            b'a' | b'A' | b'u' | b't' => self.text(false)?,
            b'z' | b'Z' => self.text(true)?,
            b'(' | b')' => {
                let n = self.size(code == b')')?;
                vm.tuple(self.items(n)?.items())?
            }
            b'[' => {
                let list = List::with_capacity(vm, 0)?;
                note(self, list.value());
                for _ in 0..self.size(false)? {
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
            b'<' | b'>' => {
                let n = self.size(false)?;
                let frozen = vm.frozenset(self.items(n)?.items())?;
                if code == b'>' { frozen } else { vm.call(vm.types.set.value(), &[frozen])? }
            }
            b'r' => {
                let i = self.long()?;
                match usize::try_from(i).ok().and_then(|i| self.seen.get(i)) {
                    Some(v) => v,
                    None => return Err(vm.value_error("bad marshal data (invalid reference)")),
                }
            }
            b'c' => return Err(vm.unsupported("code objects of CPython in marshal data")),
            _ => return Err(vm.value_error("bad marshal data (unknown type code)")),
        };
        note(self, v);
        Ok(Some(v))
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
        let sign = if n < 0 { Sign::Minus } else { Sign::Plus };
        self.vm.big_int(BigInt::from_biguint(sign, magnitude))
    }
}

fn written(vm: &Vm, v: Value) -> R<Value> {
    let mut w = Writer { vm, out: Vec::new() };
    w.value(v)?;
    vm.bytes(&w.out)
}

fn read(vm: &Vm, bytes: &[u8]) -> R<(Value, usize)> {
    let mut r = Reader { vm, bytes, at: 0, seen: List::with_capacity(vm, 0)? };
    let v = r.value()?;
    Ok((v, r.at))
}

/// Reads what follows in the file, and puts it back to behind the object.
fn load(vm: &Vm, file: Value) -> R<Value> {
    let start = vm.call_method(file, "tell", &[])?;
    let data = vm.call_method(file, "read", &[])?;
    let (v, n) = read(vm, &BytesLike::new(vm, data)?)?;
    let end = vm.index_i64(start)? + n as i64;
    vm.call_method(file, "seek", &[vm.int(end)?])?;
    Ok(v)
}

native_functions! { FUNCTIONS:
    "dumps(value, version=5, /, *, allow_code=True)" => |vm: &Vm, v: Value, _: Option<i64>, _: Option<bool>| written(vm, v), "Return the bytes object that would be written to a file by dump(value, file).";
    "loads(bytes, /, *, allow_code=True)" => |vm: &Vm, b: BytesLike, _: Option<bool>| -> R<Value> { Ok(read(vm, &b)?.0) }, "Convert the bytes-like object to a value.";
    "dump(value, file, version=5, /, *, allow_code=True)" => |vm: &Vm, v: Value, f: Value, _: Option<i64>, _: Option<bool>| -> R<Value> { vm.call_method(f, "write", &[written(vm, v)?]) }, "Write the value on the open file.";
    "load(file, /, *, allow_code=True)" => |vm: &Vm, f: Value, _: Option<bool>| load(vm, f), "Read one value from the open file and return it.";
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "marshal", FUNCTIONS)?;
    m.dict().set_name(vm, "version", Value::small_int(VERSION))?;
    Ok(m)
}
