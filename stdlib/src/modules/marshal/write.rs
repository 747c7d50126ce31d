//! Writing values in marshal's format.

use super::{FLAG_REF, VERSION_OF_REFERENCES, VERSION_OF_SLICES};
use crate::modules::support::BytesLike;
use num_bigint::Sign;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::complex::Complex;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::set::Set;
use skein_runtime::types::slice::Slice;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Raised, Value, Vm};
use std::collections::HashMap;

/// Bytes that a value takes besides those of its text or items, at most.
const LONGEST: usize = 24;

/// How values are written.
#[derive(Clone, Copy)]
pub struct Form {
    pub version: i64,
    pub allow_code: bool,
}

struct Writer<'a> {
    vm: &'a Vm,
    form: Form,
    out: Vec<u8>,
    /// The objects that were begun, by their words: their numbers, and whether they are whole.
    begun: HashMap<u64, (u32, bool)>,
    /// The same objects: kept, so that no other one gets an address of theirs.
    kept: Ref<List>,
}

/// The bytes of a value. ValueError for what has no form.
pub fn written(vm: &Vm, v: Value, form: Form) -> R<Vec<u8>> {
    let kept = List::with_capacity(vm, 0)?;
    let mut w = Writer { vm, form, out: Vec::new(), begun: HashMap::default(), kept };
    w.value(v)?;
    Ok(w.out)
}

impl Writer<'_> {
    fn unmarshallable(&self) -> Raised {
        self.vm.value_error("unmarshallable object")
    }

    /// A code byte; `flag` marks an object that later ones may refer to.
    fn code(&mut self, code: u8, flag: u8) -> R<()> {
        self.vm.grow(&mut self.out, LONGEST)?;
        self.out.push(code | flag);
        Ok(())
    }

    fn size(&mut self, n: usize) -> R<()> {
        match i32::try_from(n) {
            Ok(n) => {
                self.out.extend_from_slice(&n.to_le_bytes());
                Ok(())
            }
            Err(_) => Err(self.unmarshallable()),
        }
    }

    fn bytes(&mut self, code: u8, flag: u8, bytes: &[u8]) -> R<()> {
        self.code(code, flag)?;
        self.size(bytes.len())?;
        self.vm.put(&mut self.out, bytes)
    }

    fn row(&mut self, code: u8, flag: u8, items: &[Value]) -> R<()> {
        self.code(code, flag)?;
        self.size(items.len())?;
        items.iter().try_for_each(|&v| self.value(v))
    }

    fn value(&mut self, v: Value) -> R<()> {
        let vm = self.vm;
        if vm.native_stack_low() {
            return Err(vm.value_error("object too deeply nested to marshal"));
        }
        let simple = match v {
            Value::NONE => Some(b'N'),
            Value::TRUE => Some(b'T'),
            Value::FALSE => Some(b'F'),
            Value::ELLIPSIS => Some(b'.'),
            _ if v.is(vm.exc.stop_iteration.value()) => Some(b'S'),
            _ => None,
        };
        if let Some(code) = simple {
            return self.code(code, 0);
        }
        if self.form.version < VERSION_OF_REFERENCES || v.header().is_none() {
            return self.object(v, 0);
        }
        match self.begun.get(&v.bits()) {
            Some(&(n, true)) => {
                self.code(b'r', 0)?;
                self.out.extend_from_slice(&n.to_le_bytes());
                Ok(())
            }
            // One that cannot refer to itself when it is read.
            Some((_, false)) => Err(self.unmarshallable()),
            None => {
                let n = self.begun.len() as u32;
                let ty = vm.type_of(v);
                let later = ty == vm.types.slice || ty == vm.types.frozenset || ty == vm.types.code;
                if self.begun.try_reserve(1).is_err() {
                    return Err(vm.memory_error());
                }
                self.kept.push(vm, v)?;
                self.begun.insert(v.bits(), (n, !later));
                self.object(v, FLAG_REF)?;
                self.begun.insert(v.bits(), (n, true));
                Ok(())
            }
        }
    }

    fn object(&mut self, v: Value, flag: u8) -> R<()> {
        let vm = self.vm;
        let ty = vm.type_of(v);
        let t = &vm.types;
        if ty == t.int {
            return self.int(v, flag);
        }
        if let Some(f) = vm.as_float(v).filter(|_| ty == t.float) {
            return self.floats(b'g', b'f', flag, &[f]);
        }
        if let Some(c) = v.cast::<Complex>().filter(|_| ty == t.complex) {
            return self.floats(b'y', b'x', flag, &[c.re(), c.im()]);
        }
        if let Some(s) = v.cast::<Str>().filter(|_| ty == t.str) {
            return self.text(s, flag);
        }
        if let Some(x) = v.cast::<Tuple>().filter(|_| ty == t.tuple) {
            let items = x.items();
            return match u8::try_from(items.len()) {
                Ok(n) if self.form.version >= 4 => {
                    self.code(b')', flag)?;
                    self.out.push(n);
                    items.iter().try_for_each(|&v| self.value(v))
                }
                _ => self.row(b'(', flag, items),
            };
        }
        if let Some(l) = v.cast::<List>().filter(|_| ty == t.list) {
            return self.row(b'[', flag, Tuple::new(vm, l.items())?.items());
        }
        if let Some(s) = v.cast::<Set>().filter(|_| ty == t.set || ty == t.frozenset) {
            return self.set(s, if ty == t.set { b'<' } else { b'>' }, flag);
        }
        if let Some(d) = v.cast::<Dict>().filter(|_| ty == t.dict) {
            self.code(b'{', flag)?;
            for (k, v) in d.copy(vm)?.iter() {
                self.value(k)?;
                self.value(v)?;
            }
            return self.code(b'0', 0);
        }
        if let Some(s) = v.cast::<Slice>().filter(|_| ty == t.slice) {
            if self.form.version < VERSION_OF_SLICES {
                return Err(self.unmarshallable());
            }
            self.code(b':', flag)?;
            return [&s.start, &s.stop, &s.step].into_iter().try_for_each(|f| self.value(f.or_none()));
        }
        if let Some(c) = v.cast::<CodeObject>() {
            if !self.form.allow_code {
                return Err(vm.value_error("marshalling code objects is disallowed"));
            }
            // Skein's own form, as a whole.
            let file = skein_bytecode::write_file(c.portable()).map_err(|e| vm.value_error(e.to_string()))?;
            return self.bytes(b'c', flag, &file);
        }
        if let Some(b) = v.cast::<Bytes>().filter(|_| ty == t.bytes) {
            return self.bytes(b's', flag, b.bytes());
        }
        match vm.absorb(BytesLike::new(vm, v), vm.exc.type_error)? {
            Some(shown) => self.bytes(b's', flag, &shown),
            None => Err(self.unmarshallable()),
        }
    }

    /// Floats as machine numbers, or in old versions as text.
    fn floats(&mut self, code: u8, old: u8, flag: u8, floats: &[f64]) -> R<()> {
        if self.form.version > 1 {
            self.code(code, flag)?;
            floats.iter().for_each(|f| self.out.extend_from_slice(&f.to_le_bytes()));
            return Ok(());
        }
        self.code(old, flag)?;
        for &f in floats {
            let text = self.vm.str_string(self.vm.float(f)?)?;
            let text = text.strip_suffix(".0").unwrap_or(&text);
            self.vm.grow(&mut self.out, LONGEST + text.len())?;
            self.out.push(text.len() as u8);
            self.out.extend_from_slice(text.as_bytes());
        }
        Ok(())
    }

    fn text(&mut self, s: Ref<Str>, flag: u8) -> R<()> {
        let interned = s.is_interned() && self.form.version >= 1;
        if self.form.version < 4 || !s.is_ascii() {
            return self.bytes(if interned { b't' } else { b'u' }, flag, s.bytes());
        }
        match u8::try_from(s.bytes().len()) {
            Ok(n) => {
                self.code(if interned { b'Z' } else { b'z' }, flag)?;
                self.out.push(n);
                self.vm.put(&mut self.out, s.bytes())
            }
            Err(_) => self.bytes(if interned { b'A' } else { b'a' }, flag, s.bytes()),
        }
    }

    /// The items in the order of their own bytes, which does not depend on hashes.
    fn set(&mut self, s: Ref<Set>, code: u8, flag: u8) -> R<()> {
        let vm = self.vm;
        let items = List::with_capacity(vm, 0)?;
        let mut order: Vec<(Vec<u8>, usize)> = Vec::new();
        for v in s.iter() {
            items.push(vm, v)?;
        }
        for (i, &v) in Tuple::new(vm, items.items())?.items().iter().enumerate() {
            vm.push(&mut order, (written(vm, v, self.form)?, i))?;
        }
        order.sort();
        self.code(code, flag)?;
        self.size(order.len())?;
        order.iter().try_for_each(|(_, i)| self.value(items.get(*i).unwrap_or(Value::NONE)))
    }

    fn int(&mut self, v: Value, flag: u8) -> R<()> {
        if let Some(i) = self.vm.as_i64(v).and_then(|i| i32::try_from(i).ok()) {
            self.code(b'i', flag)?;
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
        self.code(b'l', flag)?;
        let signed = if big.sign() == Sign::Minus { -n } else { n };
        self.out.extend_from_slice(&signed.to_le_bytes());
        self.vm.grow(&mut self.out, 2 * words.len() + LONGEST)?;
        words.iter().for_each(|w| self.out.extend_from_slice(&w.to_le_bytes()));
        Ok(())
    }
}
