//! Reading objects: a machine with a stack.

use super::input::Input;
use super::ops::*;
use super::unpickler::{UnpicklerRef, find_class};
use super::{call_with, unpickling_error};
use skein_builtins::modules::import;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::ByteArray;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Raised, Value, Vm};

/// An unpickler at work, with what was looked up for it.
pub struct Loader<'a> {
    pub vm: &'a Vm,
    pub u: UnpicklerRef,
    /// What a subclass finds objects with.
    pub find_class: Option<Value>,
    pub persistent_load: Value,
    pub stack: Ref<List>,
    /// Heights of the stack.
    pub marks: Vec<usize>,
    pub memo: Ref<Dict>,
    pub input: Input,
}

impl Loader<'_> {
    /// The object that the pickle is of.
    pub fn run(&mut self) -> R<Value> {
        let mut n = 0usize;
        loop {
            n += 1;
            if n.is_multiple_of(1 << 14) {
                self.vm.check_signals()?;
            }
            match self.input.op(self.vm)? {
                STOP => return self.pop(),
                op => self.step(op)?,
            }
        }
    }

    fn error(&self, text: impl AsRef<str>) -> Raised {
        unpickling_error(self.vm, text)
    }

    #[cold]
    fn underflow(&self) -> Raised {
        self.error(match self.marks.is_empty() {
            true => "unpickling stack underflow",
            false => "unexpected MARK found",
        })
    }

    /// The lowest height that may be taken from.
    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn push(&self, v: Value) -> R<()> {
        self.stack.push(self.vm, v)
    }

    fn pop(&self) -> R<Value> {
        match self.stack.pop() {
            Some(v) if self.stack.len() >= self.fence() => Ok(v),
            _ => Err(self.underflow()),
        }
    }

    fn top(&self) -> R<Value> {
        match self.stack.get(self.stack.len().wrapping_sub(1)) {
            Some(v) if self.stack.len() > self.fence() => Ok(v),
            _ => Err(self.underflow()),
        }
    }

    /// The items above a height, which leave the stack.
    fn cut(&self, height: usize) -> R<Ref<Tuple>> {
        let items = Tuple::new(self.vm, self.stack.items().get(height..).unwrap_or_default())?;
        self.stack.splice(self.vm, height, self.stack.len(), &[])?;
        Ok(items)
    }

    /// The items above the last mark.
    fn pop_mark(&mut self) -> R<Ref<Tuple>> {
        match self.marks.pop() {
            Some(height) => self.cut(height),
            None => Err(self.error("could not find MARK")),
        }
    }

    /// As [`Loader::pop_mark`], with the object below them, which stays.
    fn pop_items(&mut self) -> R<(Ref<Tuple>, Value)> {
        let items = self.pop_mark()?;
        Ok((items, self.top()?))
    }

    fn step(&mut self, op: u8) -> R<()> {
        let vm = self.vm;
        match op {
            NONE => self.push(Value::NONE),
            NEWTRUE => self.push(Value::TRUE),
            NEWFALSE => self.push(Value::FALSE),
            BININT => self.number::<4>(|b| i32::from_le_bytes(b).into()),
            BININT1 => self.number::<1>(|b| b[0].into()),
            BININT2 => self.number::<2>(|b| u16::from_le_bytes(b).into()),
            INT | LONG | FLOAT => self.text_number(op),
            LONG1 => {
                let n = self.input.array::<1>(vm)?[0];
                self.long(n.into())
            }
            LONG4 => match i32::from_le_bytes(self.input.array(vm)?) {
                n if n < 0 => Err(self.error("LONG pickle has negative byte count")),
                n => self.long(n as usize),
            },
            BINFLOAT => {
                let f = f64::from_be_bytes(self.input.array(vm)?);
                self.push(vm.float(f)?)
            }
            STRING | BINSTRING | SHORT_BINSTRING => self.string(op),
            SHORT_BINBYTES | BINBYTES | BINBYTES8 => {
                let n = self.size(op, "BINBYTES8")?;
                let b = vm.bytes(self.input.take(vm, n)?)?;
                self.push(b)
            }
            BYTEARRAY8 => {
                let n = self.size(op, "BYTEARRAY8")?;
                let b = ByteArray::new(vm, self.input.take(vm, n)?)?;
                self.push(b.value())
            }
            SHORT_BINUNICODE | BINUNICODE | BINUNICODE8 => {
                let n = self.size(op, "BINUNICODE8")?;
                let text = self.input.take(vm, n)?;
                let codec = skein_builtins::types::codecs::Codec::Utf8;
                let s = skein_builtins::types::codecs::decode_with(vm, text, codec, Some("surrogatepass"))?;
                self.push(s.value())
            }
            UNICODE => {
                let mut line = self.input.line(vm)?;
                line.pop();
                let name = vm.str("raw-unicode-escape")?;
                self.push(vm.call_method(vm.bytes(&line)?, "decode", &[name])?)
            }
            EMPTY_LIST => self.push(List::with_capacity(vm, 0)?.value()),
            EMPTY_TUPLE => self.push(vm.tuple(&[])?),
            EMPTY_DICT => self.push(Dict::new(vm)?.value()),
            EMPTY_SET => self.push(vm.call(vm.types.set.value(), &[])?),
            LIST => {
                let items = self.pop_mark()?;
                self.push(List::new(vm, items.items())?.value())
            }
            TUPLE => {
                let items = self.pop_mark()?;
                self.push(items.value())
            }
            TUPLE1 | TUPLE2 | TUPLE3 => {
                let n = usize::from(op - TUPLE1) + 1;
                match self.stack.len().checked_sub(n).filter(|&height| height >= self.fence()) {
                    Some(height) => {
                        let items = self.cut(height)?;
                        self.push(items.value())
                    }
                    None => Err(self.underflow()),
                }
            }
            DICT => {
                let items = self.pop_mark()?;
                if items.len() % 2 != 0 {
                    return Err(self.error("odd number of items for DICT"));
                }
                let d = Dict::new(vm)?;
                items.items().chunks_exact(2).try_for_each(|pair| d.set(vm, pair[0], pair[1]))?;
                self.push(d.value())
            }
            FROZENSET => {
                let items = self.pop_mark()?;
                self.push(vm.frozenset(items.items())?)
            }
            APPEND => {
                let v = self.pop()?;
                self.append(self.top()?, &[v])
            }
            APPENDS => {
                let (items, list) = self.pop_items()?;
                self.append(list, items.items())
            }
            SETITEM => {
                let v = self.pop()?;
                let k = self.pop()?;
                self.set_items(self.top()?, &[k, v])
            }
            SETITEMS => {
                let (items, d) = self.pop_items()?;
                if items.len() % 2 != 0 {
                    return Err(self.error("odd number of items for SETITEMS"));
                }
                self.set_items(d, items.items())
            }
            ADDITEMS => {
                let (items, set) = self.pop_items()?;
                let add = vm.get_attr_str(set, "add")?;
                items.items().iter().try_for_each(|&v| vm.call(add, &[v]).map(|_| ()))
            }
            GET | BINGET | LONG_BINGET => {
                let n = self.memo_number(op)?;
                match self.memo.get(vm, n)? {
                    Some(v) => self.push(v),
                    None => {
                        let n = vm.repr_string(n)?;
                        Err(self.error(format!("Memo value not found at index {n}")))
                    }
                }
            }
            PUT | BINPUT | LONG_BINPUT => {
                let n = self.memo_number(op)?;
                let v = self.top()?;
                if vm.as_i64(n).is_none_or(|n| n < 0) {
                    return Err(vm.value_error("negative PUT argument"));
                }
                self.memo.set(vm, n, v)
            }
            MEMOIZE => {
                let v = self.top()?;
                self.memo.set(vm, Value::small_int(self.memo.len() as i64), v)
            }
            MARK => {
                vm.push(&mut self.marks, self.stack.len())?;
                Ok(())
            }
            // Without items above it, the mark itself goes.
            POP if self.marks.last() == Some(&self.stack.len()) => {
                self.marks.pop();
                Ok(())
            }
            POP => self.pop().map(|_| ()),
            POP_MARK => self.pop_mark().map(|_| ()),
            DUP => self.push(self.top()?),
            GLOBAL => {
                let module = self.input.word(vm)?;
                let name = self.input.word(vm)?;
                let (module, name) = (self.utf8(&module)?, self.utf8(&name)?);
                self.push(self.find(module, name)?)
            }
            STACK_GLOBAL => {
                let name = self.pop()?;
                let module = self.pop()?;
                match (module.cast::<Str>(), name.cast::<Str>()) {
                    (Some(module), Some(name))
                        if vm.is_exact_str(module.value()) && vm.is_exact_str(name.value()) =>
                    {
                        self.push(self.find(module, name)?)
                    }
                    _ => Err(self.error("STACK_GLOBAL requires str")),
                }
            }
            INST => self.instance(),
            OBJ => {
                let items = self.pop_mark()?;
                match items.items().split_first() {
                    Some((&class, args)) => self.push(self.instantiate(class, args)?),
                    None => Err(self.underflow()),
                }
            }
            NEWOBJ | NEWOBJ_EX => self.new_object(op == NEWOBJ_EX),
            REDUCE => {
                let args = self.pop()?;
                let f = self.pop()?;
                match args.cast::<Tuple>() {
                    Some(args) => self.push(call_with(vm, f, args.items(), None)?),
                    None => Err(vm.type_error("argument list must be a tuple")),
                }
            }
            BUILD => self.build(),
            EXT1 | EXT2 | EXT4 => self.extension(op),
            PERSID => {
                let mut id = self.input.line(vm)?;
                id.pop();
                if !id.is_ascii() {
                    return Err(self.error("persistent IDs in protocol 0 must be ASCII strings"));
                }
                let id = Str::new(vm, &id)?.value();
                self.push(vm.call(self.persistent_load, &[id])?)
            }
            BINPERSID => {
                let id = self.pop()?;
                self.push(vm.call(self.persistent_load, &[id])?)
            }
            PROTO => {
                let n = self.input.array::<1>(vm)?[0];
                if i64::from(n) > HIGHEST {
                    return Err(vm.value_error(format!("unsupported pickle protocol: {n}")));
                }
                self.u.protocol.set(n);
                Ok(())
            }
            FRAME => {
                let n = u64::from_le_bytes(self.input.array(vm)?);
                if n > isize::MAX as u64 {
                    let max = isize::MAX;
                    return Err(
                        vm.overflow_error(format!("FRAME length exceeds system's maximum of {max} bytes"))
                    );
                }
                self.input.frame(vm, n as usize)
            }
            NEXT_BUFFER => {
                let Some(buffers) = self.u.buffers.get().filter(|b| !b.is_none()) else {
                    return Err(self.error(
                        "pickle stream refers to out-of-band data but no *buffers* argument was given",
                    ));
                };
                match vm.next(buffers)? {
                    Some(v) => self.push(v),
                    None => Err(self.error("not enough out-of-band buffers")),
                }
            }
            READONLY_BUFFER => {
                let v = self.top()?;
                let view = vm.call(vm.types.memoryview.value(), &[v])?;
                if !vm.truth(vm.get_attr_str(view, "readonly")?)? {
                    let view = vm.call_method(view, "toreadonly", &[])?;
                    self.stack.store(vm, self.stack.len() - 1, view);
                }
                Ok(())
            }
            _ => {
                let shown = match op {
                    b'\'' => "\"'\"".to_owned(),
                    b'\\' => "'\\\\'".to_owned(),
                    0x20..0x7f => format!("'{}'", char::from(op)),
                    _ => format!("'\\x{op:02x}'"),
                };
                Err(self.error(format!("invalid load key, {shown}.")))
            }
        }
    }

    fn number<const N: usize>(&mut self, of: fn([u8; N]) -> i64) -> R<()> {
        let n = of(self.input.array(self.vm)?);
        self.push(self.vm.int(n)?)
    }

    /// A number as text, in a line.
    fn text_number(&mut self, op: u8) -> R<()> {
        let vm = self.vm;
        let mut line = self.input.line(vm)?;
        if line.len() < 2 {
            return Err(self.error("pickle data was truncated"));
        }
        if op == FLOAT {
            let text = Str::new(vm, &line)?.value();
            let made = vm.call(vm.types.float.value(), &[text]);
            let Some(f) = vm.absorb(made, vm.exc.value_error)? else {
                let text = String::from_utf8_lossy(&line).into_owned();
                return Err(vm.value_error(format!("could not convert string to float: '{text}'")));
            };
            return self.push(f);
        }
        line.pop();
        if op == INT {
            match &line[..] {
                b"00" => return self.push(Value::FALSE),
                b"01" => return self.push(Value::TRUE),
                _ => {}
            }
        } else if line.last() == Some(&b'L') {
            line.pop();
        }
        let text = Str::new(vm, &line)?.value();
        let made = vm.call(vm.types.int.value(), &[text]);
        if op == LONG {
            return self.push(made?);
        }
        match vm.absorb(made, vm.exc.value_error)? {
            Some(n) => self.push(n),
            None => Err(vm.value_error("could not convert string to int")),
        }
    }

    fn long(&mut self, n: usize) -> R<()> {
        let vm = self.vm;
        let big = num_bigint::BigInt::from_signed_bytes_le(self.input.take(vm, n)?);
        self.push(vm.big_int(big)?)
    }

    /// The length that an op has in front of its bytes.
    fn size(&mut self, op: u8, what: &str) -> R<usize> {
        let vm = self.vm;
        let n = match op {
            SHORT_BINBYTES | SHORT_BINUNICODE => u64::from(self.input.array::<1>(vm)?[0]),
            BINBYTES | BINUNICODE => u32::from_le_bytes(self.input.array(vm)?).into(),
            _ => u64::from_le_bytes(self.input.array(vm)?),
        };
        match isize::try_from(n) {
            Ok(n) => Ok(n as usize),
            Err(_) => {
                let max = isize::MAX;
                Err(vm.overflow_error(format!("{what} exceeds system's maximum size of {max} bytes")))
            }
        }
    }

    /// A string of Python 2, which may be text or bytes.
    fn string(&mut self, op: u8) -> R<()> {
        let vm = self.vm;
        let bytes = match op {
            STRING => {
                let mut line = self.input.line(vm)?;
                line.pop();
                match &line[..] {
                    [a @ (b'\'' | b'"'), inner @ .., b] if a == b => {
                        let codecs = import(vm, "_codecs")?;
                        let decode = vm.get_attr_str(codecs, "escape_decode")?;
                        let pair = vm.call(decode, &[vm.bytes(inner)?])?;
                        vm.get_item(pair, Value::small_int(0))?
                    }
                    _ => return Err(self.error("the STRING opcode argument must be quoted")),
                }
            }
            _ => {
                let n = match op {
                    SHORT_BINSTRING => i64::from(self.input.array::<1>(vm)?[0]),
                    _ => i32::from_le_bytes(self.input.array(vm)?).into(),
                };
                if n < 0 {
                    return Err(self.error("BINSTRING pickle has negative byte count"));
                }
                vm.bytes(self.input.take(vm, n as usize)?)?
            }
        };
        let encoding = self.u.encoding.or_none();
        if encoding.cast::<Str>().is_some_and(|e| e.bytes() == b"bytes") {
            return self.push(bytes);
        }
        self.push(vm.call_method(bytes, "decode", &[encoding, self.u.errors.or_none()])?)
    }

    /// The number that an op has for the memo, as an int.
    fn memo_number(&mut self, op: u8) -> R<Value> {
        let vm = self.vm;
        match op {
            BINGET | BINPUT => Ok(Value::small_int(self.input.array::<1>(vm)?[0].into())),
            LONG_BINGET | LONG_BINPUT => {
                Ok(Value::small_int(u32::from_le_bytes(self.input.array(vm)?).into()))
            }
            _ => {
                let line = self.input.line(vm)?;
                if line.len() < 2 {
                    return Err(self.error("pickle data was truncated"));
                }
                if op == PUT {
                    self.top()?;
                }
                vm.call(vm.types.int.value(), &[Str::new(vm, &line)?.value()])
            }
        }
    }

    fn append(&self, list: Value, items: &[Value]) -> R<()> {
        let vm = self.vm;
        if let Some(l) = list.cast::<List>().filter(|_| vm.type_of(list) == vm.types.list) {
            return l.extend(vm, items);
        }
        if items.len() != 1
            && let Some(extend) = vm.find_attr(list, vm.intern("extend")?)?
        {
            return vm.call(extend, &[List::new(vm, items)?.value()]).map(|_| ());
        }
        let append = vm.get_attr_str(list, "append")?;
        items.iter().try_for_each(|&v| vm.call(append, &[v]).map(|_| ()))
    }

    fn set_items(&self, d: Value, items: &[Value]) -> R<()> {
        let vm = self.vm;
        let exact = d.cast::<Dict>().filter(|_| vm.type_of(d) == vm.types.dict);
        items.chunks_exact(2).try_for_each(|pair| match exact {
            Some(d) => d.set(vm, pair[0], pair[1]),
            None => vm.set_item(d, pair[0], pair[1]),
        })
    }

    fn utf8(&self, text: &[u8]) -> R<Ref<Str>> {
        let codec = skein_builtins::types::codecs::Codec::Utf8;
        skein_builtins::types::codecs::decode_with(self.vm, text, codec, None)
    }

    fn find(&self, module: Ref<Str>, name: Ref<Str>) -> R<Value> {
        match self.find_class {
            Some(f) => self.vm.call(f, &[module.value(), name.value()]),
            None => find_class(self.vm, self.u, module, name),
        }
    }

    /// An instance of an old class, whose name is in the pickle.
    fn instance(&mut self) -> R<()> {
        if self.marks.is_empty() {
            return Err(self.error("could not find MARK"));
        }
        let module = self.input.word(self.vm)?;
        let name = self.input.word(self.vm)?;
        let class = self.find(self.utf8(&module)?, self.utf8(&name)?)?;
        let args = self.pop_mark()?;
        self.push(self.instantiate(class, args.items())?)
    }

    fn instantiate(&self, class: Value, args: &[Value]) -> R<Value> {
        let vm = self.vm;
        if args.is_empty()
            && class.cast::<Type>().is_some()
            && vm.find_attr(class, vm.intern("__getinitargs__")?)?.is_none()
        {
            return vm.call(vm.get_attr_str(class, "__new__")?, &[class]);
        }
        vm.call(class, args)
    }

    fn new_object(&mut self, with_keywords: bool) -> R<()> {
        let vm = self.vm;
        let op = if with_keywords { "NEWOBJ_EX" } else { "NEWOBJ" };
        let keywords = if with_keywords { Some(self.pop()?) } else { None };
        let args = self.pop()?;
        let class = self.pop()?;
        let wrong = |what: &str, wanted: &str, got: Value| {
            let got = vm.type_name(got);
            self.error(format!("{op} {what} argument must be {wanted}, not {got}"))
        };
        if class.cast::<Type>().is_none() {
            return Err(wrong("class", "a type", class));
        }
        let Some(args) = args.cast::<Tuple>() else { return Err(wrong("args", "a tuple", args)) };
        let keywords = match keywords {
            Some(k) => match k.cast::<Dict>() {
                Some(d) => Some(d),
                None => return Err(wrong("kwargs", "a dict", k)),
            },
            None => None,
        };
        let row = List::new(vm, &[class])?;
        row.extend(vm, args.items())?;
        let new = vm.get_attr_str(class, "__new__")?;
        self.push(call_with(vm, new, row.items(), keywords)?)
    }

    /// Gives an object its state.
    fn build(&mut self) -> R<()> {
        let vm = self.vm;
        let state = self.pop()?;
        let object = self.top()?;
        if let Some(f) = vm.find_attr(object, vm.intern("__setstate__")?)? {
            return vm.call(f, &[state]).map(|_| ());
        }
        let (state, slots) = match state.cast::<Tuple>().filter(|t| t.len() == 2) {
            Some(pair) => (pair.items()[0], pair.items()[1]),
            None => (state, Value::NONE),
        };
        if !state.is_none() {
            let Some(state) = state.cast::<Dict>() else {
                return Err(self.error("state is not a dictionary"));
            };
            let dict = vm.get_attr(object, vm.names.__dict__)?;
            for (k, v) in state.copy(vm)?.iter() {
                let k = match k.cast::<Str>().filter(|_| vm.is_exact_str(k)) {
                    Some(name) => vm.intern_str(name).value(),
                    None => k,
                };
                vm.set_item(dict, k, v)?;
            }
        }
        if !slots.is_none() {
            let Some(slots) = slots.cast::<Dict>() else {
                return Err(self.error("slot state is not a dictionary"));
            };
            for (k, v) in slots.copy(vm)?.iter() {
                let Some(name) = k.cast::<Str>() else {
                    let got = vm.type_name(k);
                    return Err(vm.type_error(format!("attribute name must be string, not '{got}'")));
                };
                vm.set_attr(object, vm.intern_str(name), v)?;
            }
        }
        Ok(())
    }

    /// An object by a number that `copyreg` has for it.
    fn extension(&mut self, op: u8) -> R<()> {
        let vm = self.vm;
        let code = match op {
            EXT1 => self.input.array::<1>(vm)?[0].into(),
            EXT2 => u16::from_le_bytes(self.input.array(vm)?).into(),
            _ => i32::from_le_bytes(self.input.array(vm)?),
        };
        if code <= 0 {
            return Err(self.error("EXT specifies code <= 0"));
        }
        let copyreg = import(vm, "copyreg")?;
        let key = Value::small_int(code.into());
        let table =
            |name: &str| -> R<Option<Ref<Dict>>> { Ok(vm.get_attr_str(copyreg, name)?.cast::<Dict>()) };
        let cache = table("_extension_cache")?;
        if let Some(cache) = cache
            && let Some(known) = cache.get(vm, key)?
        {
            return self.push(known);
        }
        let Some(pair) = table("_inverted_registry")?.map_or(Ok(None), |t| t.get(vm, key))? else {
            return Err(vm.value_error(format!("unregistered extension code {code}")));
        };
        let pair = pair.cast::<Tuple>().filter(|t| t.len() == 2);
        let names = pair.and_then(|t| Some((t.items()[0].cast::<Str>()?, t.items()[1].cast::<Str>()?)));
        let Some((module, name)) = names else {
            return Err(vm.value_error(format!("_inverted_registry[{code}] isn't a 2-tuple of strings")));
        };
        let v = self.find(module, name)?;
        if let Some(cache) = cache {
            cache.set(vm, key, v)?;
        }
        self.push(v)
    }
}
