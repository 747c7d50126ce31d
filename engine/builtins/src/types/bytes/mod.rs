//! What Python code sees of `bytes` and `bytearray`.

mod array;
mod change;
mod construct;
mod iterator;
mod search;
mod sequence;
mod split;

pub use iterator::{BYTEARRAY_ITERATOR, BYTES_ITERATOR};

use crate::types::{codecs, memoryview, percent};
use skein_bytecode::Special;
use skein_runtime::native::{FromArg, NativeDef, wrong_type};
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::exports::Pinned;
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cmp::Ordering;

/// Declares one of the two types: their common methods and its own.
macro_rules! bytes_type {
    ($def:ident: $name:literal, $kind:expr, $doc:literal; $($own:tt)*) => {
        native_type! {
            pub $def: $name, $kind, type_flags::BASETYPE | type_flags::MATCH_SELF, $doc;
            methods {
                $($own)*
                "__buffer__($self, flags, /)" => |vm: &Vm, s: Row, flags: i64| memoryview::lend(vm, s.value, flags), "Return a buffer object that exposes the underlying memory of the object.";
                [simple] "__len__($self, /)" => |_: &Vm, s: Row| s.data().len();
                [simple] "__eq__($self, value, /)" => |vm: &Vm, a: Row, b: Value| compare(vm, &a, b, Ordering::is_eq);
                [simple] "__ne__($self, value, /)" => |vm: &Vm, a: Row, b: Value| compare(vm, &a, b, Ordering::is_ne);
                [simple] "__lt__($self, value, /)" => |vm: &Vm, a: Row, b: Value| compare(vm, &a, b, Ordering::is_lt);
                [simple] "__le__($self, value, /)" => |vm: &Vm, a: Row, b: Value| compare(vm, &a, b, Ordering::is_le);
                [simple] "__gt__($self, value, /)" => |vm: &Vm, a: Row, b: Value| compare(vm, &a, b, Ordering::is_gt);
                [simple] "__ge__($self, value, /)" => |vm: &Vm, a: Row, b: Value| compare(vm, &a, b, Ordering::is_ge);
                [simple] "__add__($self, value, /)" => sequence::add;
                [simple] "__mul__($self, value, /)" => sequence::multiply;
                [simple] "__rmul__($self, value, /)" => sequence::multiply;
                "__mod__($self, value, /)" => |vm: &Vm, s: Row, v: Value| {
                    let _pinned = Pinned::new(s.value);
                    let out = percent::format_bytes(vm, &vm.copied(s.data())?, v)?;
                    s.make(vm, &out)
                };
                "__rmod__($self, value, /)" => |_: &Vm, _: Row, _: Value| Value::NOT_IMPLEMENTED;
                [simple] "__contains__($self, key, /)" => sequence::contains;
                [simple] "__getitem__($self, key, /)" => sequence::getitem;
                "decode($self, /, encoding='utf-8', errors='strict')" => |vm: &Vm, v: Value, encoding: Option<Ref<Str>>, errors: Option<Ref<Str>>| codecs::decode_object(vm, v, encoding, errors), "Decode the bytes using the codec registered for encoding.";
                [simple] "hex($self, /, sep='', bytes_per_sep=1)" => change::hex, "Create a string of hexadecimal numbers from a bytes object.\n\nWith a separator it stands between groups of so many bytes, which are counted from the right, or from the\nleft if their number is negative.\n\n>>> bytes([1, 160, 255]).hex()\n'01a0ff'\n>>> bytearray([1, 160, 255]).hex('-', 2)\n'01-a0ff'";
                [class] "fromhex($type, string, /)" => construct::fromhex, "Create an object from a string of hexadecimal numbers.";
                [simple] "find($self, sub, start=None, end=None, /)" => search::find, "Return the lowest index in B where subsection 'sub' is found, such that 'sub' is contained within B[start,end].\n\nReturn -1 on failure.";
                [simple] "rfind($self, sub, start=None, end=None, /)" => search::rfind, "Return the highest index in B where subsection 'sub' is found, such that 'sub' is contained within B[start,end].\n\nReturn -1 on failure.";
                [simple] "index($self, sub, start=None, end=None, /)" => search::index, "Return the lowest index in B where subsection 'sub' is found, such that 'sub' is contained within B[start,end].\n\nRaise ValueError if the subsection is not found.";
                [simple] "rindex($self, sub, start=None, end=None, /)" => search::rindex, "Return the highest index in B where subsection 'sub' is found, such that 'sub' is contained within B[start,end].\n\nRaise ValueError if the subsection is not found.";
                [simple] "count($self, sub, start=None, end=None, /)" => search::count, "Return the number of non-overlapping occurrences of subsection 'sub' in bytes B[start:end].";
                [simple] "startswith($self, prefix, start=None, end=None, /)" => search::startswith, "Return True if the bytes starts with the specified prefix, False otherwise.";
                [simple] "endswith($self, suffix, start=None, end=None, /)" => search::endswith, "Return True if the bytes ends with the specified suffix, False otherwise.";
                [simple] "removeprefix($self, prefix, /)" => search::removeprefix, "Return a bytes object with the given prefix string removed if present.";
                [simple] "removesuffix($self, suffix, /)" => search::removesuffix, "Return a bytes object with the given suffix string removed if present.";
                [simple] "replace($self, old, new, count=-1, /)" => search::replace, "Return a copy with all occurrences of substring old replaced by new.";
                [simple] "split($self, /, sep=None, maxsplit=-1)" => split::split, "Return a list of the sections in the bytes, using sep as the delimiter.";
                [simple] "rsplit($self, /, sep=None, maxsplit=-1)" => split::rsplit, "Return a list of the sections in the bytes, using sep as the delimiter.";
                [simple] "splitlines($self, /, keepends=False)" => split::splitlines, "Return a list of the lines in the bytes, breaking at line boundaries.";
                [simple] "partition($self, sep, /)" => split::partition, "Partition the bytes into three parts using the given separator.";
                [simple] "rpartition($self, sep, /)" => split::rpartition, "Partition the bytes into three parts using the given separator.";
                "join($self, iterable_of_bytes, /)" => split::join, "Concatenate any number of bytes objects.";
                [simple] "strip($self, bytes=None, /)" => split::strip, "Strip leading and trailing bytes contained in the argument.";
                [simple] "lstrip($self, bytes=None, /)" => split::lstrip, "Strip leading bytes contained in the argument.";
                [simple] "rstrip($self, bytes=None, /)" => split::rstrip, "Strip trailing bytes contained in the argument.";
                [simple] "upper($self, /)" => |vm: &Vm, s: Row| changed(vm, &s, |b| b.make_ascii_uppercase()), "B.upper() -> copy of B\n\nReturn a copy of B with all ASCII characters converted to uppercase.";
                [simple] "lower($self, /)" => |vm: &Vm, s: Row| changed(vm, &s, |b| b.make_ascii_lowercase()), "B.lower() -> copy of B\n\nReturn a copy of B with all ASCII characters converted to lowercase.";
                [simple] "title($self, /)" => change::title;
                [simple] "capitalize($self, /)" => change::capitalize;
                [simple] "swapcase($self, /)" => change::swapcase;
                [simple] "center($self, width, fillchar=b' ', /)" => change::center, "Return a centered string of length width.";
                [simple] "ljust($self, width, fillchar=b' ', /)" => change::ljust, "Return a left-justified string of length width.";
                [simple] "rjust($self, width, fillchar=b' ', /)" => change::rjust, "Return a right-justified string of length width.";
                [simple] "zfill($self, width, /)" => change::zfill, "Pad a numeric string with zeros on the left, to fill a field of the given width.";
                [simple] "expandtabs($self, /, tabsize=8)" => change::expandtabs, "Return a copy where all tab characters are expanded using spaces.";
                [simple] "translate($self, table, /, delete=b'')" => change::translate, "Return a copy with each character mapped by the given translation table.";
                [static] "maketrans(frm, to, /)" => change::maketrans, "Return a translation table usable for the bytes or bytearray translate method.";
                [simple] "isalpha($self, /)" => |_: &Vm, s: Row| s.all(|b| b.is_ascii_alphabetic());
                [simple] "isalnum($self, /)" => |_: &Vm, s: Row| s.all(|b| b.is_ascii_alphanumeric());
                [simple] "isdigit($self, /)" => |_: &Vm, s: Row| s.all(|b| b.is_ascii_digit());
                [simple] "isspace($self, /)" => |_: &Vm, s: Row| s.all(crate::types::text::is_byte_space);
                [simple] "isascii($self, /)" => |_: &Vm, s: Row| s.data().is_ascii();
                [simple] "islower($self, /)" => |_: &Vm, s: Row| s.data().iter().any(u8::is_ascii_lowercase) && !s.data().iter().any(u8::is_ascii_uppercase);
                [simple] "isupper($self, /)" => |_: &Vm, s: Row| s.data().iter().any(u8::is_ascii_uppercase) && !s.data().iter().any(u8::is_ascii_lowercase);
                [simple] "istitle($self, /)" => change::istitle;
            }
        }
    };
}

bytes_type! {
    BYTES: "bytes", Kind::Bytes, "bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\nbytes(bytes_or_buffer) -> immutable copy of bytes_or_buffer\nbytes(int) -> bytes object of size given by the parameter initialized with null bytes\nbytes() -> empty bytes object";
    [static] "__new__($type, *args, **kwargs)" => construct::new_bytes;
    "__repr__($self, /)" => |vm: &Vm, s: Row| repr_text(vm, s.data());
    [simple] "__hash__($self, /)" => |vm: &Vm, s: Ref<Bytes>| s.hash(vm);
    [leaf] "__iter__($self, /)" => |vm: &Vm, s: Ref<Bytes>| SeqIter::new(vm, vm.types.bytes_iterator, s.value(), 0);
    "__bytes__($self, /)" => |vm: &Vm, s: Row| s.make(vm, s.data()), "Convert this value to exact type bytes.";
    "__getnewargs__($self, /)" => |vm: &Vm, s: Row| {
        let b = vm.bytes(s.data())?;
        Tuple::new(vm, &[b])
    };
}

bytes_type! {
    BYTEARRAY: "bytearray", Kind::ByteArray, "bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> bytearray\nbytearray(bytes_or_buffer) -> mutable copy of bytes_or_buffer\nbytearray(int) -> bytes array of size given by the parameter initialized with null bytes\nbytearray() -> empty bytes array";
    [static] "__new__($type, *args, **kwargs)" => construct::new_bytearray;
    "__init__($self, /, *args, **kwargs)" => construct::init_bytearray;
    "__release_buffer__($self, buffer, /)" => |vm: &Vm, _: Row, view: Value| memoryview::take_back(vm, view), "Release the buffer object that exposes the underlying memory of the object.";
    "__repr__($self, /)" => |vm: &Vm, v: Row| -> R<String> {
        Ok(format!("{}({})", vm.type_name(v.value), escaped_text(vm, v.data(), true)?))
    };
    [leaf] "__iter__($self, /)" => |vm: &Vm, s: Ref<ByteArray>| SeqIter::new(vm, vm.types.bytearray_iterator, s.value(), 0);
    "__setitem__($self, key, value, /)" => array::setitem;
    "__delitem__($self, key, /)" => array::delitem;
    "__iadd__($self, value, /)" => array::iadd;
    "__imul__($self, value, /)" => array::imul;
    "__alloc__($self, /)" => |_: &Vm, s: Ref<ByteArray>| s.bytes().len() + 1, "B.__alloc__() -> int\n\nReturn the number of bytes actually allocated.";
    "__reduce__($self, /)" => |vm: &Vm, s: Ref<ByteArray>| array::reduce(vm, s, None), "Return state information for pickling.";
    "__reduce_ex__($self, proto=0, /)" => array::reduce, "Return state information for pickling.";
    "append($self, item, /)" => array::append, "Append a single item to the end of the bytearray.";
    "extend($self, iterable_of_ints, /)" => array::extend, "Append all the items from the iterator or sequence to the end of the bytearray.";
    "insert($self, index, item, /)" => array::insert, "Insert a single item into the bytearray before the given index.";
    "pop($self, index=-1, /)" => array::pop, "Remove and return a single item from B.";
    "remove($self, value, /)" => array::remove, "Remove the first occurrence of a value in the bytearray.";
    "clear($self, /)" => |vm: &Vm, s: Ref<ByteArray>| s.replace(vm, &[]), "Remove all items from the bytearray.";
    "copy($self, /)" => |vm: &Vm, s: Row| s.make(vm, s.data()), "Return a copy of B.";
    "reverse($self, /)" => array::reverse, "Reverse the order of the values in B in place.";
    "resize($self, size, /)" => array::resize, "Resize the internal buffer of bytearray to len.";
}

/// `inspect.BufferFlags.FULL_RO`.
pub const FULL_READ_ONLY: i64 = 0x11c;

/// A bytes-like object. Its bytes are asked for when they are needed: a bytearray's may change whenever Python
/// code runs.
pub struct Row {
    pub value: Value,
    /// What a view showed when it was taken.
    shown: Option<Vec<u8>>,
}

impl Row {
    /// None: it is no bytes-like object. MemoryError.
    pub fn of(vm: &Vm, value: Value) -> R<Option<Row>> {
        if value.cast::<Bytes>().is_some() || value.cast::<ByteArray>().is_some() {
            return Ok(Some(Row { value, shown: None }));
        }
        // Views are taken as arguments; as receivers they never come here.
        let mut shown = super::memoryview::view_bytes(vm, value)?;
        if shown.is_none() && value.header().is_some() {
            // Any other object with a buffer gives a view of it.
            let ty = vm.type_of(value);
            if ty != vm.types.memoryview
                && let Some(f) = ty.special(vm, skein_bytecode::Special::Buffer)
            {
                let view = vm.call(vm.bind(f, value, ty)?, &[Value::small_int(FULL_READ_ONLY)])?;
                shown = super::memoryview::view_bytes(vm, view)?;
            }
        }
        Ok(shown.map(|shown| Row { value, shown: Some(shown) }))
    }

    /// Bytes that are no object's.
    pub fn made(shown: Vec<u8>) -> Row {
        Row { value: Value::NONE, shown: Some(shown) }
    }

    /// The bytes as they are now.
    pub fn data(&self) -> &[u8] {
        if let Some(shown) = &self.shown {
            return shown;
        }
        // SAFETY: the bytes lie in an object that the collector does not move, and keeps where this slice's
        // address lies on the stack, also if a bytearray meanwhile has others. Nothing writes to them while the
        // slice is in use: natives do not run Python code with it in hand.
        unsafe {
            match (self.value.cast::<Bytes>(), self.value.cast::<ByteArray>()) {
                (Some(b), _) => &*std::ptr::from_ref(b.bytes()),
                (_, Some(b)) => &*std::ptr::from_ref(b.bytes()),
                _ => &[],
            }
        }
    }

    /// A copy of the bytes. MemoryError.
    pub fn into_bytes(self, vm: &Vm) -> R<Vec<u8>> {
        match self.shown {
            Some(shown) => Ok(shown),
            None => vm.copied(self.data()),
        }
    }

    pub fn is_array(&self) -> bool {
        self.value.cast::<ByteArray>().is_some()
    }

    /// A new object of the receiver's builtin type.
    pub fn make(&self, vm: &Vm, bytes: &[u8]) -> R<Value> {
        if self.is_array() {
            return Ok(ByteArray::new(vm, bytes)?.value());
        }
        if bytes.len() == self.data().len()
            && bytes == self.data()
            && vm.type_of(self.value) == vm.types.bytes
        {
            return Ok(self.value);
        }
        vm.bytes(bytes)
    }

    fn all(&self, test: impl Fn(u8) -> bool) -> bool {
        !self.data().is_empty() && self.data().iter().all(|&b| test(b))
    }
}

impl FromArg for Row {
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Row> {
        Row::of(vm, v)?.ok_or_else(|| wrong_type(vm, def, i, v, "bytes"))
    }
}

/// A copy, changed in place. MemoryError.
fn changed(vm: &Vm, s: &Row, f: impl FnOnce(&mut [u8])) -> R<Value> {
    let mut out = vm.copied(s.data())?;
    f(&mut out);
    s.make(vm, &out)
}

/// A bytes-like argument.
pub struct Like(pub Row);

impl std::ops::Deref for Like {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.0.data()
    }
}

impl Like {
    /// Is it a bytes or bytearray object?
    fn is_row(v: Value) -> bool {
        v.cast::<Bytes>().is_some() || v.cast::<ByteArray>().is_some()
    }
}

impl FromArg for Like {
    fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<Like> {
        match Row::of(vm, v)? {
            Some(r) => Ok(Like(r)),
            None => Err(not_bytes_like(vm, v)),
        }
    }
}

/// The bytes of a bytes-like object, views included. TypeError.
pub fn bytes_like(vm: &Vm, v: Value) -> R<Vec<u8>> {
    match Row::of(vm, v)? {
        Some(r) => Ok(r.into_bytes(vm)?),
        None => Err(not_bytes_like(vm, v)),
    }
}

#[cold]
pub fn not_bytes_like(vm: &Vm, v: Value) -> skein_runtime::value::Raised {
    vm.type_error(format!("a bytes-like object is required, not '{}'", vm.type_name(v)))
}

/// Has the object bytes to be read?
pub fn is_bytes_like(v: Value) -> bool {
    v.cast::<Bytes>().is_some()
        || v.cast::<ByteArray>().is_some()
        || v.cast::<skein_runtime::types::ext::Ext<super::memoryview::View>>().is_some()
}

/// The bytes of a bytes-like object, or of an iterable of ints. TypeError, ValueError.
pub fn bytes_of_object(vm: &Vm, v: Value) -> R<Vec<u8>> {
    match Row::of(vm, v)? {
        Some(r) => Ok(r.into_bytes(vm)?),
        None => construct::from_iterable(vm, v, "bytes"),
    }
}

/// The bytes that an object's `__bytes__`, if it has one, gives. TypeError.
pub fn bytes_by_method(vm: &Vm, v: Value) -> R<Option<Value>> {
    let Some(f) = vm.type_of(v).special(vm, Special::Bytes) else { return Ok(None) };
    let made = vm.special_1(f, v)?;
    if made.cast::<Bytes>().is_none() {
        return Err(vm.type_error(format!("__bytes__ returned non-bytes (type {})", vm.type_name(made))));
    }
    Ok(Some(made))
}

/// `repr` of bytes.
pub fn repr_text(vm: &Vm, bytes: &[u8]) -> R<String> {
    escaped_text(vm, bytes, false)
}

/// In a bytearray's, single quotes are escaped whatever the quotes are.
fn escaped_text(vm: &Vm, bytes: &[u8], all_single: bool) -> R<String> {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let quoted = |b: &u8| if matches!(b, 32..127) && !matches!(b, b'\\' | b'\'') { 1 } else { 4 };
    let mut out = vm.text_buffer(bytes.iter().map(quoted).sum::<usize>() + 3)?;
    out.push('b');
    out.push(quote);
    for &b in bytes {
        match b {
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\\' => out.push_str("\\\\"),
            _ if char::from(b) == quote || (all_single && b == b'\'') => {
                out.push('\\');
                out.push(char::from(b));
            }
            32..127 => out.push(char::from(b)),
            _ => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out.push(quote);
    Ok(out)
}

fn compare(vm: &Vm, a: &Row, b: Value, test: fn(Ordering) -> bool) -> R<Value> {
    // A bytes object has no order with what merely lends bytes.
    if a.value.cast::<Bytes>().is_some() && !Like::is_row(b) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    Ok(match Row::of(vm, b)? {
        Some(b) => Value::bool(test(a.data().cmp(b.data()))),
        None => Value::NOT_IMPLEMENTED,
    })
}
