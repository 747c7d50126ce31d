//! `array`: rows of machine numbers. The bytes are a bytearray's, so that views of it show the array itself.

mod items;
mod pickled;

use super::support::{BytesLike, holds};
use items::{encoded, item};
use skein_builtins::types::{compare_rows, item_index, item_size, repeat_count, take_back};
use skein_bytecode::Special;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::bytes::ByteArray;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::slice::Slice;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};

struct Array {
    bytes: Field,
    code: u8,
}

impl Payload for Array {
    const NAME: &'static str = "array.array";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Array { bytes, code: _ } = self;
        bytes.trace(t);
    }
}

type ArrayRef = Ref<Ext<Array>>;
type This = ExtArg<Array>;

native_type! {
    ARRAY: "array.array", Kind::Ext, type_flags::BASETYPE | type_flags::SEQUENCE | type_flags::HAS_WEAKREF,
        "array(typecode [, initializer]) -> array\n\nReturn a new array whose items are restricted by typecode, and\ninitialized from the optional initializer value.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "append($self, v, /)" => |vm: &Vm, a: This, v: Value| append(vm, a.0, v), "Append new value v to the end of the array.";
        "extend($self, bb, /)" => |vm: &Vm, a: This, from: Value| extend(vm, a.0, from), "Append items to the end of the array.";
        "fromlist($self, list, /)" => fromlist, "Append items to array from list.";
        "tolist($self, /)" => |vm: &Vm, a: This| items(vm, a.0), "Convert array to an ordinary list with the same items.";
        "frombytes($self, buffer, /)" => |vm: &Vm, a: This, b: BytesLike| frombytes(vm, a.0, &b), "Appends items from the string, interpreting it as an array of machine values.";
        "tobytes($self, /)" => |vm: &Vm, a: This| vm.bytes(data(&a.0)), "Convert the array to an array of machine values and return the bytes representation.";
        "fromfile($self, f, n, /)" => fromfile, "Read n objects from the file object f and append them to the end of the array.";
        "tofile($self, f, /)" => |vm: &Vm, a: This, f: Value| -> R<()> { vm.call_method(f, "write", &[vm.bytes(data(&a.0))?]).map(|_| ()) }, "Write all items (as machine values) to the file object f.";
        "fromunicode($self, ustr, /)" => |vm: &Vm, a: This, s: Ref<Str>| -> R<()> { text_only(vm, &a.0, "fromunicode")?; extend(vm, a.0, s.value()) };
        "tounicode($self, /)" => tounicode;
        "insert($self, i, v, /)" => insert, "Insert a new item v into the array before position i.";
        "pop($self, i=-1, /)" => pop, "Return the i-th element and delete it from the array.";
        "remove($self, v, /)" => |vm: &Vm, a: This, v: Value| -> R<()> { match find(vm, a.0, v)? { Some(i) => splice(vm, a.0, i, i + 1, &[]), None => Err(vm.value_error("array.remove(x): x not in array")) } }, "Remove the first occurrence of v in the array.";
        "index($self, v, start=0, stop=sys.maxsize, /)" => |vm: &Vm, a: This, v: Value, start: Option<Value>, stop: Option<Value>| -> R<Value> {
            let l = items(vm, a.0)?;
            let (start, stop) = (start.unwrap_or(Value::small_int(0)), stop.unwrap_or(Value::small_int(l.len() as i64)));
            match vm.absorb(vm.call_method(l.value(), "index", &[v, start, stop]), vm.exc.value_error)? { Some(i) => Ok(i), None => Err(vm.value_error("array.index(x): x not in array")) }
        }, "Return index of first occurrence of v in the array.";
        "count($self, v, /)" => |vm: &Vm, a: This, v: Value| -> R<Value> { vm.call_method(items(vm, a.0)?.value(), "count", &[v]) }, "Return number of occurrences of v in the array.";
        "reverse($self, /)" => |vm: &Vm, a: This| change(vm, a.0, reverse_items), "Reverse the order of the items in the array.";
        "byteswap($self, /)" => |vm: &Vm, a: This| change(vm, a.0, |b, size| b.chunks_exact_mut(size).for_each(<[u8]>::reverse)), "Byteswap all items of the array.";
        "clear($self, /)" => |vm: &Vm, a: This| splice(vm, a.0, 0, len(&a.0), &[]), "Remove all items from the array.";
        "buffer_info($self, /)" => |vm: &Vm, a: This| -> R<Value> { let at = vm.int_u64(data(&a.0).as_ptr().addr() as u64)?; vm.tuple(&[at, vm.int(len(&a.0) as i64)?]) };
        "__len__($self, /)" => |_: &Vm, a: This| len(&a.0);
        "__iter__($self, /)" => |vm: &Vm, a: This| -> R<Value> { Ok(SeqIter::new(vm, vm.types.iterator, a.0.value(), 0)?.value()) };
        "__getitem__($self, key, /)" => getitem;
        "__setitem__($self, key, value, /)" => setitem;
        "__delitem__($self, key, /)" => delitem;
        "__contains__($self, key, /)" => |vm: &Vm, a: This, v: Value| -> R<bool> { Ok(find(vm, a.0, v)?.is_some()) };
        "__add__($self, value, /)" => add;
        "__iadd__($self, value, /)" => |vm: &Vm, a: This, v: Value| -> R<Value> { same_kind(vm, a.0, v, true)?; extend(vm, a.0, v)?; Ok(a.0.value()) };
        "__mul__($self, value, /)" => mul;
        "__rmul__($self, value, /)" => mul;
        "__imul__($self, value, /)" => repeat_in_place;
        "__eq__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Eq, a.0, b);
        "__ne__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Ne, a.0, b);
        "__lt__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Lt, a.0, b);
        "__le__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Le, a.0, b);
        "__gt__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Gt, a.0, b);
        "__ge__($self, value, /)" => |vm: &Vm, a: This, b: Value| compare(vm, Special::Ge, a.0, b);
        "__repr__($self, /)" => repr;
        "__copy__($self, /)" => |vm: &Vm, a: This| make_array(vm, a.0.code, data(&a.0));
        "__deepcopy__($self, memo, /)" => |vm: &Vm, a: This, _: Value| make_array(vm, a.0.code, data(&a.0));
        "__reduce_ex__($self, value, /)" => pickled::reduce, "Return state information for pickling.";
        "__buffer__($self, flags, /)" => buffer;
        "__release_buffer__($self, buffer, /)" => |vm: &Vm, _: This, view: Value| take_back(vm, view), "Release the buffer object that exposes the underlying memory of the object.";
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
    getset {
        "typecode" => |vm: &Vm, v: Value| vm.str(&char::from(this(vm, v)?.code).to_string());
        "itemsize" => |vm: &Vm, v: Value| vm.int(size(this(vm, v)?.code) as i64);
    }
}

fn this(vm: &Vm, v: Value) -> R<ArrayRef> {
    v.cast().ok_or_else(|| vm.type_error("not an array.array object"))
}

/// Characters are four bytes.
fn is_text(code: u8) -> bool {
    matches!(code, b'u' | b'w')
}

fn size(code: u8) -> usize {
    if is_text(code) { 4 } else { item_size(code) }
}

fn bytes_of(a: &Array) -> Option<Ref<ByteArray>> {
    a.bytes.cast()
}

/// The bytes as they are now: not to be used after anything that may change the array.
fn data(a: &Array) -> &[u8] {
    match bytes_of(a) {
        // SAFETY: the bytearray is kept by the array.
        Some(b) => unsafe { &*std::ptr::from_ref(b.bytes()) },
        None => &[],
    }
}

fn len(a: &Array) -> usize {
    data(a).len() / size(a.code)
}

fn make_array(vm: &Vm, code: u8, bytes: &[u8]) -> R<Value> {
    of_type(vm, ext_type(vm, &ARRAY)?, code, bytes)
}

fn of_type(vm: &Vm, ty: Ref<Type>, code: u8, bytes: &[u8]) -> R<Value> {
    let bytes = ByteArray::new(vm, bytes)?;
    Ok(Ext::new(vm, ty, Array { bytes: Field::new(Some(bytes.value())), code })?.value())
}

/// A typecode as a function got it; None: a character that is none of ASCII. TypeError.
fn code_argument(vm: &Vm, v: Value, function: &str) -> R<Option<u8>> {
    match v.cast::<Str>() {
        Some(s) if s.char_len() == 1 => Ok(match s.bytes() {
            [c] => Some(*c),
            _ => None,
        }),
        Some(s) => {
            let n = s.char_len();
            // The two ways of parsing arguments write a function's name differently.
            let function =
                if function == "array" { "array() argument" } else { "_array_reconstructor(): argument" };
            let position = if function.starts_with("array()") { 1 } else { 2 };
            Err(vm.type_error(format!(
                "{function} {position} must be a unicode character, not a string of length {n}"
            )))
        }
        None => {
            let got = vm.type_name(v);
            let position = if function == "array" { 1 } else { 2 };
            Err(vm.type_error(format!(
                "{function}() argument {position} must be a unicode character, not {got}"
            )))
        }
    }
}

fn is_code(code: u8) -> bool {
    TYPECODES.as_bytes().contains(&code)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let array = array_type(vm)?;
    let ty = class_argument(vm, &args, array)?;
    let init = |t: Ref<Type>| t.lookup(vm, vm.names.__init__);
    if args.has_keywords() && init(ty) == init(array) {
        return Err(vm.type_error("array.array() takes no keyword arguments"));
    }
    let (code, initial) = match args.positional()[1..] {
        [code] => (code, None),
        [code, initial] => (code, Some(initial)),
        [] => return Err(vm.type_error("array() takes at least 1 argument (0 given)")),
        ref more => {
            return Err(vm.type_error(format!("array() takes at most 2 arguments ({} given)", more.len())));
        }
    };
    let told = code;
    let code = code_argument(vm, code, "array")?;
    vm.audit("array.__new__", || vm.tuple(&[told, initial.unwrap_or(Value::NONE)]))?;
    if code == Some(b'u') {
        vm.warn(
            vm.exc.deprecation_warning,
            "The 'u' type code is deprecated and will be removed in Python 3.16",
        )?;
    }
    if let (Some(v), Some(code)) = (initial, code.filter(|&c| !is_text(c))) {
        let code = char::from(code);
        let what = match v.cast::<Ext<Array>>() {
            Some(other) if is_text(other.code) => Some("unicode array"),
            _ => v.cast::<Str>().map(|_| "str"),
        };
        if let Some(what) = what {
            return Err(
                vm.type_error(format!("cannot use a {what} to initialize an array with typecode '{code}'"))
            );
        }
    }
    let Some(code) = code.filter(|&c| is_code(c)) else {
        return Err(vm.value_error("bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, Q, f or d)"));
    };
    let a = of_type(vm, ty, code, b"")?;
    if let Some(v) = initial {
        let array = this(vm, a)?;
        if v.cast::<ByteArray>().is_some() || v.cast::<skein_runtime::types::bytes::Bytes>().is_some() {
            frombytes(vm, array, &BytesLike::new(vm, v)?)?;
        } else if v.cast::<Ext<Array>>().is_some_and(|other| other.code == code) {
            extend(vm, array, v)?;
        } else {
            vm.for_each(v, |v| append(vm, array, v))?;
        }
    }
    Ok(a)
}

/// The type `array.array`. MemoryError.
fn array_type(vm: &Vm) -> R<Ref<Type>> {
    ext_type(vm, &ARRAY)
}

fn items(vm: &Vm, a: ArrayRef) -> R<Ref<List>> {
    let list = List::with_capacity(vm, len(&a))?;
    for i in 0..len(&a) {
        list.push(vm, item(vm, &a, i)?)?;
    }
    Ok(list)
}

fn append(vm: &Vm, a: ArrayRef, v: Value) -> R<()> {
    let (b, n) = encoded(vm, a.code, v)?;
    push(vm, a, &b[..n])
}

/// BufferError while a view shows the array.
fn check_resizable(vm: &Vm, a: &Array) -> R<()> {
    match bytes_of(a) {
        Some(b) if !b.is_resizable(vm) => {
            Err(vm.buffer_error("cannot resize an array that is exporting buffers"))
        }
        _ => Ok(()),
    }
}

/// Appends the bytes of items, which do not lie in the array itself. MemoryError, BufferError.
fn push(vm: &Vm, a: ArrayRef, b: &[u8]) -> R<()> {
    if !b.is_empty() {
        check_resizable(vm, &a)?;
    }
    bytes_of(&a).map_or(Ok(()), |to| to.append(vm, b))
}

fn extend(vm: &Vm, a: ArrayRef, from: Value) -> R<()> {
    if let Some(other) = from.cast::<Ext<Array>>() {
        if other.code != a.code {
            return Err(vm.type_error("can only extend with array of same kind"));
        }
        return push(vm, a, &vm.copied(data(&other))?);
    }
    vm.for_each(from, |v| append(vm, a, v))
}

/// Appends a list's items: all, or none if one does not fit. TypeError, RuntimeError.
fn fromlist(vm: &Vm, a: This, list: Value) -> R<()> {
    let a = a.0;
    let Some(list) = list.cast::<List>() else { return Err(vm.type_error("arg must be list")) };
    let (before, count) = (len(&a), list.len());
    let all = || -> R<()> {
        for i in 0..count {
            append(vm, a, list.get(i).unwrap_or(Value::NONE))?;
            if list.len() != count {
                return Err(vm.runtime_error("list changed size during iteration"));
            }
        }
        Ok(())
    };
    let done = all();
    if done.is_err() && len(&a) > before {
        // The pending error is the one to be told.
        splice(vm, a, before, len(&a), &[])?;
    }
    done
}

fn frombytes(vm: &Vm, a: ArrayRef, b: &[u8]) -> R<()> {
    if !b.len().is_multiple_of(size(a.code)) {
        return Err(vm.value_error("bytes length not a multiple of item size"));
    }
    push(vm, a, &vm.copied(b)?)
}

fn fromfile(vm: &Vm, a: This, f: Value, n: i64) -> R<()> {
    if n < 0 {
        return Err(vm.value_error("negative count"));
    }
    let wanted = (n as usize).saturating_mul(size(a.0.code));
    let got = BytesLike::new(vm, vm.call_method(f, "read", &[vm.int(wanted as i64)?])?)?;
    let whole = got.len() / size(a.0.code) * size(a.0.code);
    frombytes(vm, a.0, &got[..whole])?;
    if got.len() < wanted {
        return Err(vm.eof_error("read() didn't return enough bytes"));
    }
    Ok(())
}

fn text_only(vm: &Vm, a: &Array, name: &str) -> R<()> {
    match is_text(a.code) {
        true => Ok(()),
        false => {
            Err(vm.value_error(format!("{name}() may only be called on unicode type arrays ('u' or 'w')")))
        }
    }
}

fn tounicode(vm: &Vm, a: This) -> R<Value> {
    text_only(vm, &a.0, "tounicode")?;
    let mut text = Vec::new();
    let all = data(&a.0);
    for (i, c) in all.chunks_exact(4).enumerate() {
        let c = u32::from_le_bytes([c[0], c[1], c[2], c[3]]);
        if c > 0x10_ffff {
            let reason = "code point not in range(0x110000)";
            return Err(vm.decode_error("utf-32-le", vm.bytes(all)?, 4 * i, 4 * i + 4, reason));
        }
        push_code_point(&mut text, c);
    }
    Ok(Str::new(vm, &text)?.value())
}

/// Changes the bytes in place, of items of this size.
fn change(_: &Vm, a: ArrayRef, f: impl FnOnce(&mut [u8], usize)) {
    let size = size(a.code);
    if let Some(b) = bytes_of(&a) {
        b.update(|all| f(all, size));
    }
}

fn reverse_items(all: &mut [u8], size: usize) {
    all.reverse();
    all.chunks_exact_mut(size).for_each(<[u8]>::reverse);
}

/// Replaces the items `start..end`. MemoryError, BufferError.
fn splice(vm: &Vm, a: ArrayRef, start: usize, end: usize, new: &[u8]) -> R<()> {
    let size = size(a.code);
    if (end - start) * size != new.len() {
        check_resizable(vm, &a)?;
    }
    bytes_of(&a).map_or(Ok(()), |b| b.splice(vm, start * size, end * size, new))
}

fn insert(vm: &Vm, a: This, i: i64, v: Value) -> R<()> {
    let (new, size) = encoded(vm, a.0.code, v)?;
    let n = len(&a.0) as i64;
    let at = (if i < 0 { i.saturating_add(n) } else { i }).clamp(0, n) as usize;
    splice(vm, a.0, at, at, &new[..size])
}

fn find(vm: &Vm, a: ArrayRef, v: Value) -> R<Option<usize>> {
    let mut i = 0;
    while i < len(&a) {
        if vm.eq(item(vm, &a, i)?, v)? {
            return Ok(Some(i));
        }
        i += 1;
    }
    Ok(None)
}

fn pop(vm: &Vm, a: This, i: Option<Value>) -> R<Value> {
    if len(&a.0) == 0 {
        return Err(vm.index_error("pop from empty array"));
    }
    let i = match vm
        .absorb(item_index(vm, i.unwrap_or(Value::small_int(-1)), || len(&a.0), "pop"), vm.exc.index_error)?
    {
        Some(i) => i,
        None => return Err(vm.index_error("pop index out of range")),
    };
    let v = item(vm, &a.0, i)?;
    splice(vm, a.0, i, i + 1, &[])?;
    Ok(v)
}

/// A subscript as a position. TypeError, IndexError.
fn index(vm: &Vm, key: Value, a: &Array, what: &str) -> R<usize> {
    if !vm.is_int(key) && vm.type_of(key).special(vm, Special::Index).is_none() {
        return Err(vm.type_error("array indices must be integers"));
    }
    item_index(vm, key, || len(a), what)
}

fn getitem(vm: &Vm, a: This, key: Value) -> R<Value> {
    let a = a.0;
    let Some(s) = key.cast::<Slice>() else {
        return item(vm, &a, index(vm, key, &a, "array")?);
    };
    let n = size(a.code);
    let r = vm.slice_range(s, || len(&a))?;
    let mut out = vm.buffer(r.count * n)?;
    for i in r.positions() {
        out.extend_from_slice(&data(&a)[i * n..(i + 1) * n]);
    }
    make_array(vm, a.code, &out)
}

fn setitem(vm: &Vm, a: This, key: Value, v: Value) -> R<()> {
    let a = a.0;
    let n = size(a.code);
    let Some(s) = key.cast::<Slice>() else {
        let i = index(vm, key, &a, "array assignment")?;
        let (b, _) = encoded(vm, a.code, v)?;
        // Python code that told the value may have changed the length.
        if i >= len(&a) {
            return Err(vm.index_error("array assignment index out of range"));
        }
        change(vm, a, |all, _| all[i * n..(i + 1) * n].copy_from_slice(&b[..n]));
        return Ok(());
    };
    let Some(other) = v.cast::<Ext<Array>>() else {
        let got = vm.type_name(v);
        return Err(vm.type_error(format!("can only assign array (not \"{got}\") to array slice")));
    };
    if other.code != a.code {
        return Err(vm.type_error("bad argument type for built-in operation"));
    }
    let new = vm.copied(data(&other))?;
    let r = vm.slice_range(s, || len(&a))?;
    if r.step == 1 {
        let start = r.start.max(0) as usize;
        return splice(vm, a, start, start + r.count, &new);
    }
    let given = new.len() / n;
    if given != r.count {
        let count = r.count;
        return Err(vm.value_error(format!(
            "attempt to assign array of size {given} to extended slice of size {count}"
        )));
    }
    change(vm, a, |all, _| {
        for (i, item) in r.positions().zip(new.chunks_exact(n)) {
            all[i * n..(i + 1) * n].copy_from_slice(item);
        }
    });
    Ok(())
}

fn delitem(vm: &Vm, a: This, key: Value) -> R<()> {
    let a = a.0;
    let Some(s) = key.cast::<Slice>() else {
        let i = index(vm, key, &a, "array assignment")?;
        return splice(vm, a, i, i + 1, &[]);
    };
    let r = vm.slice_range(s, || len(&a))?;
    if r.count == 0 {
        return Ok(());
    }
    // The items that stay move to the front, then the rest goes.
    let last = r.start + (r.count as i64 - 1) * r.step;
    let (low, gap) = (r.start.min(last) as usize, r.step.unsigned_abs() as usize);
    let mut kept = 0;
    check_resizable(vm, &a)?;
    change(vm, a, |all, size| {
        for i in 0..all.len() / size {
            let gone = i >= low && (i - low).is_multiple_of(gap) && (i - low) / gap < r.count;
            if !gone {
                all.copy_within(i * size..(i + 1) * size, kept * size);
                kept += 1;
            }
        }
    });
    splice(vm, a, kept, len(&a), &[])
}

/// The other operand of `+` or, `in_place`, of `+=`. TypeError.
fn same_kind(vm: &Vm, a: ArrayRef, v: Value, in_place: bool) -> R<ArrayRef> {
    match v.cast::<Ext<Array>>() {
        Some(o) if o.code == a.code => Ok(o),
        Some(_) if in_place => Err(vm.type_error("can only extend with array of same kind")),
        Some(_) => Err(vm.type_error("bad argument type for built-in operation")),
        None => {
            let got = vm.type_name(v);
            Err(vm.type_error(match in_place {
                true => format!("can only extend array with array (not \"{got}\")"),
                false => format!("can only append array (not \"{got}\") to array"),
            }))
        }
    }
}

fn repeat_in_place(vm: &Vm, a: This, n: Value) -> R<Value> {
    let Some(n) = repeat_count(vm, a.0.value(), n)? else { return Ok(Value::NOT_IMPLEMENTED) };
    if n != 1 && len(&a.0) > 0 {
        check_resizable(vm, &a.0)?;
    }
    if let Some(b) = bytes_of(&a.0) {
        b.repeat(vm, n)?;
    }
    Ok(a.0.value())
}

fn add(vm: &Vm, a: This, v: Value) -> R<Value> {
    let other = same_kind(vm, a.0, v, false)?;
    let sum = data(&a.0).len() + data(&other).len();
    let mut all = vm.buffer(sum)?;
    all.extend_from_slice(data(&a.0));
    all.extend_from_slice(data(&other));
    make_array(vm, a.0.code, &all)
}

fn mul(vm: &Vm, a: This, n: Value) -> R<Value> {
    match repeat_count(vm, a.0.value(), n)? {
        Some(n) => {
            let all = make_array(vm, a.0.code, data(&a.0))?;
            let array: ArrayRef = this(vm, all)?;
            if let Some(b) = bytes_of(&array) {
                b.repeat(vm, n)?;
            }
            Ok(all)
        }
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn compare(vm: &Vm, op: Special, a: ArrayRef, b: Value) -> R<Value> {
    let Some(b) = b.cast::<Ext<Array>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let floats = |a: &Array| matches!(a.code, b'f' | b'd');
    let (x, y) = (items(vm, a)?, items(vm, b)?);
    if floats(&a) && floats(&b) {
        // The items are no objects, of which NaN would be equal to itself.
        let number = |l: Ref<List>, i: usize| l.get(i).and_then(|v| vm.as_float(v));
        let first = (0..x.len().min(y.len())).find(|&i| number(x, i) != number(y, i));
        let Some(i) = first else { return Ok(Value::bool(holds(op, x.len().cmp(&y.len())))) };
        return Ok(Value::bool(match op {
            Special::Eq => false,
            Special::Ne => true,
            op => number(x, i).partial_cmp(&number(y, i)).is_some_and(|o| holds(op, o)),
        }));
    }
    compare_rows(vm, op, |i| x.get(i), |i| y.get(i))
}

fn repr(vm: &Vm, a: This) -> R<String> {
    let code = char::from(a.0.code);
    let name = vm.type_of(a.0.value()).name_string();
    if len(&a.0) == 0 {
        return Ok(format!("{name}('{code}')"));
    }
    let shown = if is_text(a.0.code) { tounicode(vm, ExtArg(a.0))? } else { items(vm, a.0)?.value() };
    Ok(format!("{name}('{code}', {})", vm.repr_string(shown)?))
}

fn buffer(vm: &Vm, a: This, _: Value) -> R<Value> {
    let code = if is_text(a.0.code) { b'I' } else { a.0.code };
    skein_builtins::types::view_of(vm, a.0.bytes.value(), a.0.value(), code)
}

const TYPECODES: &str = "bBuwhHiIlLqQfd";

native_functions! { FUNCTIONS:
    "_array_reconstructor(arraytype, typecode, mformat_code, items, /)" => pickled::reconstruct, "Internal. Used for pickling support.";
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "array", FUNCTIONS)?;
    let ty = ext_type(vm, &ARRAY)?;
    let sequence =
        vm.get_attr_str(skein_builtins::modules::import(vm, "collections.abc")?, "MutableSequence")?;
    vm.call_method(sequence, "register", &[ty.value()])?;
    m.dict().set_name(vm, "array", ty.value())?;
    m.dict().set_name(vm, "ArrayType", ty.value())?;
    m.dict().set_name(vm, "typecodes", vm.str(TYPECODES)?)?;
    Ok(m)
}
