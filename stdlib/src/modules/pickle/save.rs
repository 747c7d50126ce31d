//! Writing objects: the builtin types.

use super::buffer::{PickleBuffer, view};
use super::ops::*;
use super::output::TARGET;
use super::pickler::{Memo, PicklerRef};
use super::{PICKLING_ERROR, full_name, noted};
use crate::modules::codecs::encode_raw;
use crate::modules::support;
use skein_builtins::types::is_contiguous_view;
use skein_runtime::interp::check_native_stack;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::function::Function;
use skein_runtime::types::list::List;
use skein_runtime::types::set::Set;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Raised, Value, Vm};

/// A pickler at work, with what was looked up for it.
pub struct Saver<'a> {
    pub vm: &'a Vm,
    pub p: PicklerRef,
    pub persistent_id: Option<Value>,
    pub reducer_override: Option<Value>,
    pub dispatch_table: Option<Value>,
}

impl Saver<'_> {
    pub fn protocol(&self) -> i64 {
        self.p.protocol.get()
    }

    pub fn is_binary(&self) -> bool {
        self.p.bin.get() != 0
    }

    pub fn error(&self, text: impl AsRef<str>) -> Raised {
        support::raise(self.vm, PICKLING_ERROR, text)
    }

    pub fn write(&self, data: &[u8]) -> R<()> {
        self.p.out.borrow_mut().write(self.vm, data)
    }

    /// Hands what there is to the file, if there is one.
    pub fn flush(&self) -> R<()> {
        let Some(write) = self.p.write.get() else { return Ok(()) };
        let bytes = std::mem::take(&mut self.p.out.borrow_mut().bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        self.vm.call(write, &[self.vm.bytes(&bytes)?]).map(|_| ())
    }

    /// Between two objects: a frame that is long enough ends.
    fn boundary(&self) -> R<()> {
        if !self.p.out.borrow().is_full() {
            return Ok(());
        }
        self.p.out.borrow_mut().commit();
        self.flush()
    }

    /// An op with its length, and the bytes, which are in no frame if they are many.
    fn write_long(&self, header: &[u8], data: &[u8], object: Option<Value>) -> R<()> {
        if data.len() < TARGET {
            self.write(header)?;
            return self.write(data);
        }
        let framing = {
            let mut out = self.p.out.borrow_mut();
            out.commit();
            std::mem::replace(&mut out.framing, false)
        };
        self.write(header)?;
        match self.p.write.get() {
            Some(write) => {
                self.flush()?;
                let payload = object.map_or_else(|| self.vm.bytes(data), Ok)?;
                self.vm.call(write, &[payload])?;
            }
            None => self.write(data)?,
        }
        self.p.out.borrow_mut().framing = framing;
        Ok(())
    }

    /// Gives the object that was just written a number.
    pub fn memoize(&self, v: Value) -> R<()> {
        if self.p.fast.get() != 0 {
            return Ok(());
        }
        let n = self.p.remember(self.vm, v)?;
        if self.protocol() >= 4 {
            return self.write(&[MEMOIZE]);
        }
        self.write_number(n, PUT, BINPUT, LONG_BINPUT)
    }

    /// The object of this number.
    pub fn get(&self, n: u32) -> R<()> {
        self.write_number(n, GET, BINGET, LONG_BINGET)
    }

    fn write_number(&self, n: u32, text: u8, short: u8, long: u8) -> R<()> {
        if !self.is_binary() {
            self.write(&[text])?;
            return self.write(format!("{n}\n").as_bytes());
        }
        match u8::try_from(n) {
            Ok(n) => self.write(&[short, n]),
            Err(_) => self.write_sized(long, &n.to_le_bytes()),
        }
    }

    fn write_sized(&self, op: u8, size: &[u8]) -> R<()> {
        self.write(&[op])?;
        self.write(size)
    }

    pub fn save(&self, v: Value) -> R<()> {
        self.save_unless_persistent(v, true)
    }

    pub fn save_unless_persistent(&self, v: Value, ask: bool) -> R<()> {
        let vm = self.vm;
        self.boundary()?;
        if ask && let Some(f) = self.persistent_id {
            let id = vm.call(f, &[v])?;
            if !id.is_none() {
                return self.save_persistent(id);
            }
        }
        match v {
            Value::NONE => return self.write(&[NONE]),
            Value::TRUE | Value::FALSE => {
                let is_true = v.is(Value::TRUE);
                return match self.protocol() >= 2 {
                    true => self.write(&[if is_true { NEWTRUE } else { NEWFALSE }]),
                    false => self.write(if is_true { b"I01\n" } else { b"I00\n" }),
                };
            }
            _ => {}
        }
        let ty = vm.type_of(v);
        let t = &vm.types;
        if ty == t.int {
            return self.save_int(v);
        }
        if ty == t.float {
            return self.save_float(v);
        }
        if let Some(n) = self.p.number_of(v) {
            return self.get(n);
        }
        if let Some(b) = v.cast::<Bytes>().filter(|_| ty == t.bytes) {
            return self.save_bytes(b);
        }
        if let Some(s) = v.cast::<Str>().filter(|_| ty == t.str) {
            return self.save_str(s);
        }
        check_native_stack(vm, " while pickling an object")?;
        if let Some(d) = v.cast::<Dict>().filter(|_| ty == t.dict) {
            self.write(if self.is_binary() { &[EMPTY_DICT] } else { &[MARK, DICT] })?;
            self.memoize(v)?;
            return self.save_dict_items(d);
        }
        if let Some(s) = v.cast::<Set>().filter(|_| ty == t.set || ty == t.frozenset) {
            return self.save_set(s, ty == t.frozenset);
        }
        if let Some(l) = v.cast::<List>().filter(|_| ty == t.list) {
            self.write(if self.is_binary() { &[EMPTY_LIST] } else { &[MARK, LIST] })?;
            self.memoize(v)?;
            return self.save_list_items(l);
        }
        if let Some(x) = v.cast::<Tuple>().filter(|_| ty == t.tuple) {
            return self.save_tuple(x);
        }
        if let Some(b) = v.cast::<ByteArray>().filter(|_| ty == t.bytearray) {
            return self.save_bytearray(b);
        }
        if let Some(b) = v.cast::<Ext<PickleBuffer>>() {
            return self.save_buffer(b);
        }
        if let Some(f) = self.reducer_override {
            let reduced = vm.call(f, &[v])?;
            if !reduced.is(Value::NOT_IMPLEMENTED) {
                return self.save_reduced(v, reduced);
            }
        }
        if ty == t.type_ {
            return self.save_type(v);
        }
        if v.cast::<Function>().is_some() {
            return self.save_function(v, ty);
        }
        self.save_other(v, ty)
    }

    fn save_persistent(&self, id: Value) -> R<()> {
        if self.is_binary() {
            self.save_unless_persistent(id, false)?;
            return self.write(&[BINPERSID]);
        }
        let text = self.vm.to_str(id)?;
        if !text.is_ascii() {
            return Err(self.error("persistent IDs in protocol 0 must be ASCII strings"));
        }
        self.write(&[PERSID])?;
        self.write(text.bytes())?;
        self.write(b"\n")
    }

    fn save_int(&self, v: Value) -> R<()> {
        let vm = self.vm;
        if let Some(i) = vm.as_i64(v).and_then(|i| i32::try_from(i).ok()) {
            if !self.is_binary() {
                return self.write(format!("I{i}\n").as_bytes());
            }
            return match (u8::try_from(i), u16::try_from(i)) {
                (Ok(n), _) => self.write(&[BININT1, n]),
                (_, Ok(n)) => self.write_sized(BININT2, &n.to_le_bytes()),
                _ => self.write_sized(BININT, &i.to_le_bytes()),
            };
        }
        if self.protocol() < 2 {
            let text = vm.repr_string(v)?;
            return self.write(format!("L{text}L\n").as_bytes());
        }
        let bits = skein_builtins::types::Int::of(v).map_or(0, |i| i.big().bits());
        skein_builtins::types::check_room(vm, bits)?;
        let bytes = vm.as_big(v).unwrap_or_default().to_signed_bytes_le();
        match (u8::try_from(bytes.len()), i32::try_from(bytes.len())) {
            (Ok(n), _) => self.write(&[LONG1, n])?,
            (_, Ok(n)) => self.write_sized(LONG4, &n.to_le_bytes())?,
            _ => return Err(vm.overflow_error("int too large to pickle")),
        }
        self.write(&bytes)
    }

    fn save_float(&self, v: Value) -> R<()> {
        if self.is_binary() {
            return self.write_sized(BINFLOAT, &self.vm.to_f64(v)?.to_be_bytes());
        }
        let text = self.vm.repr_string(v)?;
        self.write(format!("F{text}\n").as_bytes())
    }

    /// Bytes, in a protocol that has them, without a number.
    fn save_plain_bytes(&self, bytes: &[u8], object: Option<Value>) -> R<()> {
        let n = bytes.len();
        match (u8::try_from(n), u32::try_from(n)) {
            (Ok(n), _) => self.write_long(&[SHORT_BINBYTES, n], bytes, object),
            (_, Ok(n)) => self.write_long(&header(BINBYTES, &n.to_le_bytes()), bytes, object),
            _ if self.protocol() >= 4 => {
                self.write_long(&header(BINBYTES8, &(n as u64).to_le_bytes()), bytes, object)
            }
            _ => Err(self.vm.overflow_error(
                "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher",
            )),
        }
    }

    fn save_bytes(&self, b: Ref<Bytes>) -> R<()> {
        let vm = self.vm;
        if self.protocol() >= 3 {
            self.save_plain_bytes(b.bytes(), Some(b.value()))?;
            return self.memoize(b.value());
        }
        // Old protocols have no bytes: text that is encoded.
        let reduced = if b.bytes().is_empty() {
            [vm.types.bytes.value(), vm.tuple(&[])?]
        } else {
            let codecs = skein_builtins::modules::import(vm, "_codecs")?;
            let text = vm.call_method(b.value(), "decode", &[vm.str("latin1")?])?;
            [vm.get_attr_str(codecs, "encode")?, vm.tuple(&[text, vm.str("latin1")?])?]
        };
        self.save_reduce(b.value(), &reduced)
    }

    fn save_bytearray(&self, b: Ref<ByteArray>) -> R<()> {
        let vm = self.vm;
        if self.protocol() >= 5 {
            self.save_plain_bytearray(&vm.copied(b.bytes())?, Some(b.value()))?;
            return self.memoize(b.value());
        }
        let args: &[Value] = if b.bytes().is_empty() { &[] } else { &[vm.bytes(b.bytes())?] };
        self.save_reduce(b.value(), &[vm.types.bytearray.value(), vm.tuple(args)?])
    }

    fn save_plain_bytearray(&self, bytes: &[u8], object: Option<Value>) -> R<()> {
        self.write_long(&header(BYTEARRAY8, &(bytes.len() as u64).to_le_bytes()), bytes, object)
    }

    fn save_buffer(&self, b: Ref<Ext<PickleBuffer>>) -> R<()> {
        let vm = self.vm;
        if self.protocol() < 5 {
            return Err(self.error("PickleBuffer can only be pickled with protocol >= 5"));
        }
        // The callback may release the buffer's own one.
        let view = vm.call(vm.types.memoryview.value(), &[view(vm, b)?])?;
        if !is_contiguous_view(view) {
            return Err(
                self.error("PickleBuffer can not be pickled when pointing to a non-contiguous buffer")
            );
        }
        let in_band = match self.p.buffer_callback.get() {
            Some(f) => vm.truth(vm.call(f, &[b.value()])?)?,
            None => true,
        };
        let is_readonly = vm.truth(vm.get_attr_str(view, "readonly")?)?;
        if !in_band {
            return self.write(if is_readonly { &[NEXT_BUFFER, READONLY_BUFFER] } else { &[NEXT_BUFFER] });
        }
        let bytes = support::bytes_of(vm, view)?;
        match is_readonly {
            true => self.save_plain_bytes(&bytes, None)?,
            false => self.save_plain_bytearray(&bytes, None)?,
        }
        self.memoize(b.value())
    }

    fn save_str(&self, s: Ref<Str>) -> R<()> {
        let vm = self.vm;
        if self.is_binary() {
            let bytes = s.bytes();
            match (u8::try_from(bytes.len()), u32::try_from(bytes.len())) {
                (Ok(n), _) if self.protocol() >= 4 => self.write_long(&[SHORT_BINUNICODE, n], bytes, None)?,
                (_, Ok(n)) => self.write_long(&header(BINUNICODE, &n.to_le_bytes()), bytes, None)?,
                _ if self.protocol() >= 4 => {
                    let n = bytes.len() as u64;
                    self.write_long(&header(BINUNICODE8, &n.to_le_bytes()), bytes, None)?;
                }
                _ => {
                    return Err(vm.overflow_error(
                        "serializing a string larger than 4 GiB requires pickle protocol 4 or higher",
                    ));
                }
            }
            return self.memoize(s.value());
        }
        self.write(&[UNICODE])?;
        // What the encoding leaves as it is, and what ends a line or a file.
        for part in s.bytes().split_inclusive(|b| matches!(b, b'\\' | 0 | b'\n' | b'\r' | 0x1a)) {
            let (plain, special) = match part.split_last() {
                Some((&last, rest)) if matches!(last, b'\\' | 0 | b'\n' | b'\r' | 0x1a) => (rest, Some(last)),
                _ => (part, None),
            };
            self.write(&encode_raw(vm, Str::new(vm, plain)?)?)?;
            if let Some(c) = special {
                self.write(format!("\\u{c:04x}").as_bytes())?;
            }
        }
        self.write(b"\n")?;
        self.memoize(s.value())
    }

    fn save_tuple(&self, t: Ref<Tuple>) -> R<()> {
        let n = t.len();
        if n == 0 {
            return self.write(if self.is_binary() { &[EMPTY_TUPLE] } else { &[MARK, TUPLE] });
        }
        let short = n <= 3 && self.protocol() >= 2;
        if !short {
            self.write(&[MARK])?;
        }
        for (i, &item) in t.items().iter().enumerate() {
            self.item(t.value(), item, i)?;
        }
        // An item that leads back to the tuple has written it: then the items go and that one is taken.
        if let Some(known) = self.p.number_of(t.value()) {
            if short {
                self.write(&[POP; 3][..n])?;
            } else if self.is_binary() {
                self.write(&[POP_MARK])?;
            } else {
                (0..=n).try_for_each(|_| self.write(&[POP]))?;
            }
            return self.get(known);
        }
        self.write(&[if short { [TUPLE1, TUPLE2, TUPLE3][n - 1] } else { TUPLE }])?;
        self.memoize(t.value())
    }

    /// An item of a container, by its index.
    fn item(&self, container: Value, item: Value, i: usize) -> R<()> {
        noted(self.vm, self.save(item), || Ok(format!("{} item {i}", full_name(self.vm, container)?)))
    }

    fn save_list_items(&self, l: Ref<List>) -> R<()> {
        let mut i = 0;
        if !self.is_binary() || l.len() == 1 {
            while let Some(v) = l.get(i) {
                self.item(l.value(), v, i)?;
                self.write(&[APPEND])?;
                i += 1;
            }
            return Ok(());
        }
        while i < l.len() {
            self.write(&[MARK])?;
            let end = i + BATCH;
            while let Some(v) = l.get(i).filter(|_| i < end) {
                self.item(l.value(), v, i)?;
                i += 1;
            }
            self.write(&[APPENDS])?;
        }
        Ok(())
    }

    /// The items that an object's reduction gives for a list.
    pub fn save_list_iterator(&self, of: Value, items: Value) -> R<()> {
        let vm = self.vm;
        let mut i = 0;
        let mut ahead = vm.next(items)?;
        while let Some(first) = ahead {
            ahead = if self.is_binary() { vm.next(items)? } else { None };
            let Some(second) = ahead else {
                self.item(of, first, i)?;
                self.write(&[APPEND])?;
                i += 1;
                ahead = if self.is_binary() { None } else { vm.next(items)? };
                continue;
            };
            self.write(&[MARK])?;
            self.item(of, first, i)?;
            let end = i + BATCH;
            i += 1;
            ahead = Some(second);
            while let Some(v) = ahead.filter(|_| i < end) {
                self.item(of, v, i)?;
                i += 1;
                ahead = vm.next(items)?;
            }
            self.write(&[APPENDS])?;
        }
        Ok(())
    }

    /// A key and its value.
    fn pair(&self, of: Value, k: Value, v: Value) -> R<()> {
        self.save(k)?;
        noted(self.vm, self.save(v), || {
            Ok(format!("{} item {}", full_name(self.vm, of)?, self.vm.repr_string(k)?))
        })
    }

    fn save_dict_items(&self, d: Ref<Dict>) -> R<()> {
        let len = d.len();
        let mut at = 0;
        let mut next = || -> R<Option<(Value, Value)>> {
            if d.len() != len {
                return Err(self.vm.runtime_error("dictionary changed size during iteration"));
            }
            while at < d.fill() {
                at += 1;
                if let Some(pair) = d.entry(at - 1) {
                    return Ok(Some(pair));
                }
            }
            Ok(None)
        };
        let of = d.value();
        if !self.is_binary() || len == 1 {
            while let Some((k, v)) = next()? {
                self.pair(of, k, v)?;
                self.write(&[SETITEM])?;
            }
            return Ok(());
        }
        let mut left = len;
        while left > 0 {
            self.write(&[MARK])?;
            for _ in 0..left.min(BATCH) {
                match next()? {
                    Some((k, v)) => self.pair(of, k, v)?,
                    None => break,
                }
            }
            self.write(&[SETITEMS])?;
            left = left.saturating_sub(BATCH);
        }
        Ok(())
    }

    /// The items that an object's reduction gives for a dict.
    pub fn save_dict_iterator(&self, of: Value, items: Value) -> R<()> {
        let vm = self.vm;
        let pair = |v: Value| match v.cast::<Tuple>().filter(|t| t.len() == 2) {
            Some(t) => self.pair(of, t.items()[0], t.items()[1]),
            None => Err(vm.type_error("dict items iterator must return 2-tuples")),
        };
        let mut ahead = vm.next(items)?;
        while let Some(first) = ahead {
            ahead = if self.is_binary() { vm.next(items)? } else { None };
            if ahead.is_none() {
                pair(first)?;
                self.write(&[SETITEM])?;
                ahead = if self.is_binary() { None } else { vm.next(items)? };
                continue;
            }
            self.write(&[MARK])?;
            pair(first)?;
            let mut n = 1;
            while let Some(v) = ahead.filter(|_| n < BATCH) {
                pair(v)?;
                n += 1;
                ahead = vm.next(items)?;
            }
            self.write(&[SETITEMS])?;
        }
        Ok(())
    }

    fn save_set(&self, s: Ref<Set>, frozen: bool) -> R<()> {
        let vm = self.vm;
        let items = List::with_capacity(vm, s.len())?;
        for v in s.iter() {
            items.push(vm, v)?;
        }
        if self.protocol() < 4 {
            let ty = vm.type_of(s.value()).value();
            return self.save_reduce(s.value(), &[ty, vm.tuple(&[items.value()])?]);
        }
        let element = |v: Value| {
            noted(vm, self.save(v), || Ok(format!("{} element", full_name(vm, s.value())?)))?;
            match s.len() == items.len() {
                true => Ok(()),
                false => Err(vm.runtime_error("set changed size during iteration")),
            }
        };
        if frozen {
            self.write(&[MARK])?;
            items.items().iter().try_for_each(|&v| element(v))?;
            if let Some(known) = self.p.number_of(s.value()) {
                self.write(&[POP_MARK])?;
                return self.get(known);
            }
            self.write(&[FROZENSET])?;
            return self.memoize(s.value());
        }
        self.write(&[EMPTY_SET])?;
        self.memoize(s.value())?;
        for batch in items.items().chunks(BATCH) {
            self.write(&[MARK])?;
            batch.iter().try_for_each(|&v| element(v))?;
            self.write(&[ADDITEMS])?;
        }
        Ok(())
    }
}

/// An op and a size.
fn header(op: u8, size: &[u8]) -> Vec<u8> {
    // bounded: at most eight bytes
    let mut out = Vec::with_capacity(size.len() + 1);
    out.push(op);
    out.extend_from_slice(size);
    out
}
