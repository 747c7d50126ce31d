//! `memoryview`: items in the bytes of another object.
//!
//! They have one dimension, or others by `cast`: then all but the first lie in a row, since only the first can be sliced.
//!
//! The object keeps its size while a view is in use ([`Export`]). If it has become shorter nevertheless, what lies
//! behind its end reads as IndexError.

mod lending;

pub use lending::{lend, take_back};

use super::bytes::FULL_READ_ONLY;
use super::common::item_index;
use lending::{Lease, from_flags, give_back, of_object};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::exports::Export;
use skein_runtime::types::ext::class_argument;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::slice::Slice;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;
use std::ops::Deref;

/// Which bytes of the object, and how they are read.
#[derive(Clone, Copy)]
pub struct Part {
    start: usize,
    /// Items.
    count: usize,
    /// Bytes from one row of items to the next; with one dimension a row is an item.
    stride: i64,
    /// Items of a row.
    row: usize,
    format: u8,
    readonly: bool,
}

pub struct View {
    /// A bytes or bytearray object.
    object: Field,
    /// `obj`: the object of which the view was asked.
    owner: Field,
    /// A tuple of ints; None: one dimension.
    shape: Field,
    /// Whom to tell that the bytes are not needed any more, if that is to be told.
    lease: Field,
    export: Export,
    part: Part,
    hash: Cell<Option<i64>>,
    /// Calls under way that need the bytes: it cannot be released meanwhile.
    held: Cell<usize>,
}

impl Part {
    /// Where item `i` begins.
    fn at(&self, i: usize) -> usize {
        let beside = (i % self.row * item_size(self.format)) as i64;
        (self.start as i64 + self.stride * (i / self.row) as i64 + beside) as usize
    }
}

impl Deref for View {
    type Target = Part;
    fn deref(&self) -> &Part {
        &self.part
    }
}

impl Payload for View {
    const NAME: &'static str = "memoryview";
    fn trace(&self, t: &mut Tracer<'_>) {
        let View { object, owner, shape, lease, export, part: _, hash: _, held: _ } = self;
        for field in [object, owner, shape, lease] {
            field.trace(t);
        }
        export.trace(t);
    }
}

type ViewRef = Ref<Ext<View>>;
type This = ExtArg<View>;

native_type! {
    pub DEF: "memoryview", Kind::Ext, type_flags::SEQUENCE | type_flags::HAS_WEAKREF, "Create a new memoryview object which references the given object.";
    methods {
        [static] "__new__($type, object)" => new;
        "__len__($self, /)" => len;
        "__iter__($self, /)" => |vm: &Vm, v: This| -> R<Value> { one_dimension(vm, open(vm, v.0)?)?; Ok(SeqIter::new(vm, vm.types.iterator, v.0.value(), 0)?.value()) };
        "__getitem__($self, key, /)" => getitem;
        "__setitem__($self, key, value, /)" => setitem;
        "__delitem__($self, key, /)" => |vm: &Vm, _: This, _: Value| -> R<()> { Err(vm.type_error("cannot delete memory")) };
        "__eq__($self, value, /)" => |vm: &Vm, v: This, other: Value| equal(vm, v.0, other);
        "__ne__($self, value, /)" => |vm: &Vm, v: This, other: Value| -> R<Value> { let r = equal(vm, v.0, other)?; Ok(if r.is_bool() { Value::bool(!r.is(Value::TRUE)) } else { r }) };
        "__hash__($self, /)" => hash;
        "__repr__($self, /)" => repr;
        "__enter__($self, /)" => |vm: &Vm, v: This| open(vm, v.0);
        "__exit__($self, /, *exc_info)" => |vm: &Vm, args: Args<'_>| -> R<()> { args.positional().first().and_then(|v| v.cast::<Ext<View>>()).map_or(Ok(()), |v| release(vm, v)) };
        "release($self, /)" => |vm: &Vm, v: This| release(vm, v.0), "Release the underlying buffer exposed by the memoryview object.";
        "tobytes($self, /, order='C')" => to_bytes, "Return the data in the buffer as a byte string.";
        "tolist($self, /)" => |vm: &Vm, v: This| nested(vm, open(vm, v.0)?), "Return the data in the buffer as a list of elements.";
        "hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)" => |vm: &Vm, v: This, sep: Option<Value>, n: Option<i64>| -> R<Value> {
            let b = vm.bytes(&bytes(vm, v.0)?)?;
            match sep { Some(s) => { let n = vm.int(n.unwrap_or(1))?; holding(v.0, || vm.call_method(b, "hex", &[s, n])) } None => vm.call_method(b, "hex", &[]) }
        }, "Return the data in the buffer as a str of hexadecimal numbers, as bytes.hex() does.\n\n>>> memoryview(b'ab').hex(':')\n'61:62'";
        "cast($self, /, format, shape=<unrepresentable>)" => cast, "Cast a memoryview to a new format or shape.";
        "__buffer__($self, flags, /)" => |vm: &Vm, v: This, _: Value| -> R<Value> { let v = open(vm, v.0)?; Ok(v.shaped(vm, v.part, v.shape.get())?.value()) }, "Return a buffer object that exposes the underlying memory of the object.";
        "__release_buffer__($self, buffer, /)" => |vm: &Vm, _: This, view: Ref<Ext<View>>| release(vm, view), "Release the buffer object that exposes the underlying memory of the object.";
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item), "See PEP 585";
        [class] "_from_flags($type, /, object, flags)" => from_flags, "Create a new memoryview object which references the given object, asked for with these flags.";
        "toreadonly($self, /)" => |vm: &Vm, v: This| { let v = open(vm, v.0)?; v.shaped(vm, Part { readonly: true, ..v.part }, v.shape.get()) }, "Return a readonly version of the memoryview.";
        "count($self, value, /)" => |vm: &Vm, v: This, x: Value| -> R<i64> { let l = tolist(vm, v)?; let mut n = 0; for i in 0..l.len() { if let Some(y) = l.get(i) && vm.eq(y, x)? { n += 1; } } Ok(n) };
        "index($self, value, start=0, stop=sys.maxsize, /)" => |vm: &Vm, v: This, x: Value, start: Option<Value>, stop: Option<Value>| -> R<Value> {
            let l = tolist(vm, v)?;
            match (start, stop) {
                (Some(a), Some(b)) => vm.call_method(l.value(), "index", &[x, a, b]),
                (Some(a), None) => vm.call_method(l.value(), "index", &[x, a]),
                _ => vm.call_method(l.value(), "index", &[x]),
            }
        };
    }
    getset {
        "obj" => |vm: &Vm, v: Value| Ok(open(vm, this(vm, v)?)?.owner.or_none());
        "nbytes" => |vm: &Vm, v: Value| { let v = open(vm, this(vm, v)?)?; vm.int((v.count * item_size(v.format)) as i64) };
        "readonly" => |vm: &Vm, v: Value| Ok(Value::bool(open(vm, this(vm, v)?)?.readonly));
        "itemsize" => |vm: &Vm, v: Value| vm.int(item_size(open(vm, this(vm, v)?)?.format) as i64);
        "format" => |vm: &Vm, v: Value| vm.str(&char::from(open(vm, this(vm, v)?)?.format).to_string());
        "ndim" => |vm: &Vm, v: Value| { let v = open(vm, this(vm, v)?)?; vm.int(v.dimensions(vm)?.len() as i64) };
        "shape" => |vm: &Vm, v: Value| { let v = open(vm, this(vm, v)?)?; Ok(v.dimensions(vm)?.value()) };
        "strides" => strides;
        "suboffsets" => |vm: &Vm, v: Value| { open(vm, this(vm, v)?)?; vm.tuple(&[]) };
        "contiguous" => |vm: &Vm, v: Value| Ok(Value::bool(is_contiguous(open(vm, this(vm, v)?)?)));
        "c_contiguous" => |vm: &Vm, v: Value| Ok(Value::bool(is_contiguous(open(vm, this(vm, v)?)?)));
        "f_contiguous" => |vm: &Vm, v: Value| -> R<Value> {
            let v = open(vm, this(vm, v)?)?;
            let long = v.dimensions(vm)?.items().iter().filter(|n| !matches!(vm.as_i64(**n), Some(0 | 1))).count();
            Ok(Value::bool(is_contiguous(v) && long <= 1))
        };
    }
}

fn this(vm: &Vm, v: Value) -> R<ViewRef> {
    v.cast().ok_or_else(|| vm.type_error("not a memoryview"))
}

/// A view that was not released. ValueError.
fn open(vm: &Vm, v: ViewRef) -> R<ViewRef> {
    if !v.export.is_open() {
        return Err(vm.value_error("operation forbidden on released memoryview object"));
    }
    Ok(v)
}

/// Bytes of an item of a native format.
pub fn item_size(format: u8) -> usize {
    match format {
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' | b'q' | b'Q' | b'n' | b'N' | b'P' | b'd' => 8,
        _ => 1,
    }
}

fn is_contiguous(v: ViewRef) -> bool {
    v.count <= v.row || v.stride == (v.row * item_size(v.format)) as i64
}

/// Is it a memoryview, not released, of items in a row?
pub fn is_contiguous_view(v: Value) -> bool {
    v.cast::<Ext<View>>().is_some_and(|v| v.export.is_open() && is_contiguous(v))
}

/// Is it a memoryview, not released, of items that are not in a row?
pub fn is_scattered_view(v: Value) -> bool {
    v.cast::<Ext<View>>().is_some_and(|v| v.export.is_open() && !is_contiguous(v))
}

fn make(vm: &Vm, object: Value, owner: Value, part: Part, shape: Option<Value>) -> R<ViewRef> {
    make_of(vm, object, owner, part, shape, None)
}

fn make_of(
    vm: &Vm,
    object: Value,
    owner: Value,
    part: Part,
    shape: Option<Value>,
    lease: Option<Ref<Ext<Lease>>>,
) -> R<ViewRef> {
    if let Some(lease) = lease {
        lease.views.set(lease.views.get() + 1);
    }
    let view = View {
        object: Field::new(Some(object)),
        owner: Field::new(Some(owner)),
        shape: Field::new(shape),
        lease: Field::new(lease.map(|l| l.value())),
        export: Export::of(object),
        part,
        hash: Cell::new(None),
        held: Cell::new(0),
    };
    Ext::new(vm, vm.types.memoryview, view)
}

impl View {
    /// Another view of the same object, in one dimension.
    fn again(&self, vm: &Vm, part: Part) -> R<ViewRef> {
        self.shaped(vm, part, None)
    }

    /// Another view of the same object, of this shape.
    fn shaped(&self, vm: &Vm, part: Part, shape: Option<Value>) -> R<ViewRef> {
        let lease = self.lease.get().and_then(|l| l.cast());
        make_of(vm, self.object.value(), self.owner.value(), part, shape, lease)
    }

    /// The lengths of all dimensions. MemoryError.
    fn dimensions(&self, vm: &Vm) -> R<Ref<Tuple>> {
        match self.shape.cast::<Tuple>() {
            Some(shape) => Ok(shape),
            None => Tuple::new(vm, &[Value::small_int(self.count as i64)]),
        }
    }
}

/// BufferError while a call needs it.
fn release(vm: &Vm, v: ViewRef) -> R<()> {
    match v.held.get() {
        0 => {
            let was_open = v.export.is_open();
            v.export.release();
            match v.lease.cast::<Ext<Lease>>() {
                Some(lease) if was_open => give_back(vm, lease),
                _ => Ok(()),
            }
        }
        n => {
            let plural = if n == 1 { "" } else { "s" };
            Err(vm.buffer_error(format!("memoryview has {n} exported buffer{plural}")))
        }
    }
}

/// Calls with the view held, so that it is not released meanwhile.
fn holding<T>(v: ViewRef, f: impl FnOnce() -> R<T>) -> R<T> {
    v.held.set(v.held.get() + 1);
    let r = f();
    v.held.set(v.held.get() - 1);
    r
}

/// TypeError for a view of no dimension, NotImplementedError for one of several.
fn one_dimension(vm: &Vm, v: ViewRef) -> R<()> {
    match v.shape.cast::<Tuple>().map(|s| s.len()) {
        None => Ok(()),
        Some(0) => Err(vm.type_error("invalid indexing of 0-dim memory")),
        Some(_) => Err(vm.not_implemented("multi-dimensional sub-views are not implemented")),
    }
}

fn len(vm: &Vm, v: This) -> R<usize> {
    let v = open(vm, v.0)?;
    match v.shape.cast::<Tuple>() {
        None => Ok(v.count),
        Some(shape) => match shape.items().first() {
            Some(&n) => Ok(vm.as_i64(n).unwrap_or(0) as usize),
            None => Err(vm.type_error("0-dim memory has no length")),
        },
    }
}

fn strides(vm: &Vm, v: Value) -> R<Value> {
    let v = open(vm, this(vm, v)?)?;
    let Some(shape) = v.shape.cast::<Tuple>() else { return vm.tuple(&[Value::small_int(v.stride)]) };
    let mut row = vm.filled(Value::NONE, shape.len())?;
    let mut stride = item_size(v.format) as i64;
    for (slot, &n) in row.iter_mut().zip(shape.items()).rev() {
        *slot = Value::small_int(stride);
        stride *= vm.as_i64(n).unwrap_or(1);
    }
    if let Some(first) = row.first_mut() {
        *first = Value::small_int(v.stride);
    }
    vm.tuple(&row)
}

fn to_bytes(vm: &Vm, v: This, order: Option<Value>) -> R<Value> {
    let fortran = match order.filter(|o| !o.is_none()) {
        None => false,
        Some(o) => {
            match o.cast::<Str>().and_then(|s| s.bytes().first().copied().filter(|_| s.bytes().len() == 1)) {
                Some(b'C' | b'A') => false,
                Some(b'F') => true,
                _ => return Err(vm.value_error("order must be 'C', 'F' or 'A'")),
            }
        }
    };
    let all = bytes(vm, v.0)?;
    let Some(shape) = v.0.shape.cast::<Tuple>().filter(|_| fortran) else { return vm.bytes(&all) };
    // The first dimension varies fastest.
    let lengths: Vec<usize> = shape.items().iter().map(|&n| vm.as_i64(n).unwrap_or(1) as usize).collect();
    let size = item_size(v.0.format);
    let mut out = vm.buffer(all.len())?;
    for n in 0..v.0.count {
        let (mut rest, mut at, mut step) = (n, 0, v.0.count);
        for &length in &lengths {
            step /= length.max(1);
            at += rest % length.max(1) * step;
            rest /= length.max(1);
        }
        vm.put(&mut out, &all[at * size..(at + 1) * size])?;
    }
    vm.bytes(&out)
}

/// The items in lists, one in the other for each dimension.
fn nested(vm: &Vm, v: ViewRef) -> R<Value> {
    let Some(shape) = v.shape.cast::<Tuple>() else { return Ok(tolist(vm, ExtArg(v))?.value()) };
    nested_from(vm, v, shape.items(), &mut 0)
}

fn nested_from(vm: &Vm, v: ViewRef, shape: &[Value], at: &mut usize) -> R<Value> {
    let Some((&n, inner)) = shape.split_first() else {
        *at += 1;
        return read(vm, v.format, item_bytes(vm, &v, *at - 1)?);
    };
    let list = List::new(vm, &[])?;
    for _ in 0..vm.as_i64(n).unwrap_or(0) {
        list.push(vm, nested_from(vm, v, inner, at)?)?;
    }
    Ok(list.value())
}

/// The item that a tuple of indexes names. TypeError, NotImplementedError, IndexError.
fn item_of_row(vm: &Vm, v: ViewRef, key: Ref<Tuple>) -> R<usize> {
    let shape = v.dimensions(vm)?;
    let mut at = 0;
    for (n, &i) in key.items().iter().enumerate() {
        if !vm.is_int(i) && vm.type_of(i).special(vm, skein_bytecode::Special::Index).is_none() {
            let slices = key.items().iter().all(|k| k.cast::<Slice>().is_some());
            return Err(match slices {
                true => vm.not_implemented("multi-dimensional slicing is not implemented"),
                false => vm.type_error("memoryview: invalid slice key"),
            });
        }
        let Some(&length) = shape.items().get(n) else {
            let (dimensions, given) = (shape.len(), key.len());
            return Err(
                vm.type_error(format!("cannot index {dimensions}-dimension view with {given}-element tuple"))
            );
        };
        let length = vm.as_i64(length).unwrap_or(0);
        let i = vm.index_i64(i)?;
        let i = if i < 0 { i + length } else { i };
        if !(0..length).contains(&i) {
            return Err(vm.index_error(format!("index out of bounds on dimension {}", n + 1)));
        }
        at = at * length as usize + i as usize;
    }
    if key.len() < shape.len() {
        return Err(vm.not_implemented("sub-views are not implemented"));
    }
    Ok(at)
}

/// A view of all bytes of a bytes or bytearray object, as items of this format; `owner` is what they belong to.
/// MemoryError.
pub fn view_of(vm: &Vm, object: Value, owner: Value, format: u8) -> R<Value> {
    let (len, readonly) = match object.cast::<ByteArray>() {
        Some(b) => (b.bytes().len(), false),
        None => (object.cast::<Bytes>().map_or(0, |b| b.bytes().len()), true),
    };
    let size = item_size(format);
    let part = Part { start: 0, count: len / size, stride: size as i64, row: 1, format, readonly };
    Ok(make(vm, object, owner, part, None)?.value())
}

/// Is the first a memoryview, not released, of the second?
pub fn views(v: Value, array: Ref<ByteArray>) -> bool {
    v.cast::<Ext<View>>()
        .is_some_and(|v| v.export.is_open() && v.object.get().is_some_and(|o| o.is(array.value())))
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    class_argument(vm, &args, vm.types.memoryview)?;
    let object = match (args.positional().get(1), args.keywords().next()) {
        (Some(&o), None) if args.positional().len() == 2 => o,
        (None, Some((name, o))) if name.cast::<Str>().is_some_and(|n| n.bytes() == b"object") => o,
        (None, Some((name, _))) => {
            let name = vm.str_string(name)?;
            return Err(vm.type_error(format!("memoryview() got an unexpected keyword argument '{name}'")));
        }
        _ => return Err(vm.type_error("memoryview() missing required argument 'object' (pos 1)")),
    };
    of_object(vm, object, FULL_READ_ONLY)
}

/// The object's bytes as they are now.
fn source(v: &View) -> &[u8] {
    // SAFETY (both): the object is kept by the view; the slice is used before anything else runs.
    if let Some(b) = v.object.cast::<Bytes>() {
        return unsafe { &*std::ptr::from_ref(b.bytes()) };
    }
    match v.object.cast::<ByteArray>() {
        Some(b) => unsafe { &*std::ptr::from_ref(b.bytes()) },
        None => &[],
    }
}

/// Bytes of item `i`. IndexError if the object has become shorter.
fn item_bytes<'a>(vm: &Vm, v: &'a View, i: usize) -> R<&'a [u8]> {
    let at = v.at(i);
    source(v)
        .get(at..at + item_size(v.format))
        .ok_or_else(|| vm.index_error("the object of this memoryview has become shorter"))
}

/// The bytes of all items. ValueError, IndexError.
fn bytes(vm: &Vm, v: ViewRef) -> R<Vec<u8>> {
    open(vm, v)?;
    let mut out = vm.buffer(v.count * item_size(v.format))?;
    for i in 0..v.count {
        if is_contiguous(v)
            && let Some(all) = source(&v).get(v.start..v.start + v.count * item_size(v.format))
        {
            return vm.copied(all);
        }
        out.extend_from_slice(item_bytes(vm, &v, i)?);
    }
    Ok(out)
}

/// The bytes that a view shows; None: it is none, or was released, or its object has become shorter. MemoryError.
pub fn view_bytes(vm: &Vm, v: Value) -> R<Option<Vec<u8>>> {
    let Some(v) = v.cast::<Ext<View>>().filter(|v| v.export.is_open()) else { return Ok(None) };
    let size = item_size(v.format);
    let mut out = vm.buffer(v.count * size)?;
    for i in 0..v.count {
        let at = v.at(i);
        let Some(item) = source(&v).get(at..at + size) else { return Ok(None) };
        out.extend_from_slice(item);
    }
    Ok(Some(out))
}

/// The part of a bytearray that a writable view of bytes in a row shows: the array, first and last byte.
pub fn view_target(v: Value) -> Option<(Ref<ByteArray>, usize, usize)> {
    let v = v.cast::<Ext<View>>().filter(|v| v.export.is_open() && !v.readonly && is_contiguous(*v))?;
    let array = v.object.cast::<ByteArray>()?;
    let end = (v.start + v.count * item_size(v.format)).min(array.bytes().len());
    Some((array, v.start.min(end), end))
}

/// Where the bytes of a view are that shows bytes in a row, which may not be for writing, and how many they are.
pub fn view_span(v: Value) -> Option<(usize, usize)> {
    let v = v.cast::<Ext<View>>().filter(|v| v.export.is_open() && is_contiguous(*v))?;
    let (array, bytes) = (v.object.cast::<ByteArray>(), v.object.cast::<Bytes>());
    let all = array.as_ref().map(|a| a.bytes()).or(bytes.as_ref().map(|b| b.bytes()))?;
    let part = all.get(v.start..v.start + v.count * item_size(v.format))?;
    Some((part.as_ptr().addr(), part.len()))
}

/// An item from its bytes. MemoryError.
pub fn read(vm: &Vm, format: u8, b: &[u8]) -> R<Value> {
    let mut word = [0; 8];
    word[..b.len()].copy_from_slice(b);
    let n = u64::from_le_bytes(word);
    match format {
        b'c' => vm.bytes(b),
        b'?' => Ok(Value::bool(n != 0)),
        b'f' => vm.float(f32::from_bits(n as u32).into()),
        b'd' => vm.float(f64::from_bits(n)),
        b'B' | b'H' | b'I' | b'L' | b'Q' | b'N' | b'P' => vm.int_u64(n),
        _ => {
            let unused = 64 - 8 * b.len() as u32;
            vm.int((n << unused) as i64 >> unused)
        }
    }
}

/// An item's bytes. TypeError, ValueError.
pub fn write(vm: &Vm, format: u8, v: Value) -> R<Vec<u8>> {
    let size = item_size(format);
    let wrong = |what: &str| {
        let format = char::from(format);
        vm.type_error(format!("memoryview: invalid {what} for format '{format}'"))
    };
    let value_error = || {
        let format = char::from(format);
        vm.value_error(format!("memoryview: invalid value for format '{format}'"))
    };
    Ok(match format {
        b'c' => match v.cast::<Bytes>() {
            Some(b) if b.bytes().len() == 1 => b.bytes().to_vec(),
            Some(_) => return Err(value_error()),
            None => return Err(wrong("type")),
        },
        b'?' => vec![u8::from(vm.truth(v)?)],
        b'f' => (vm.to_f64(v)? as f32).to_le_bytes().to_vec(),
        b'd' => vm.to_f64(v)?.to_le_bytes().to_vec(),
        _ => {
            let Some(i) = vm.absorb(vm.index(v), vm.exc.type_error)? else { return Err(wrong("type")) };
            let n = vm.as_big(i).and_then(|b| i128::try_from(b).ok());
            let bits = 8 * size as u32;
            let range = match format.is_ascii_uppercase() {
                true => 0..=(1i128 << bits) - 1,
                false => -(1i128 << (bits - 1))..=(1i128 << (bits - 1)) - 1,
            };
            match n.filter(|n| range.contains(n)) {
                Some(n) => n.to_le_bytes()[..size].to_vec(),
                None => return Err(value_error()),
            }
        }
    })
}

fn getitem(vm: &Vm, v: This, key: Value) -> R<Value> {
    let v = open(vm, v.0)?;
    if let Some(row) = key.cast::<Tuple>() {
        let i = item_of_row(vm, v, row)?;
        return read(vm, v.format, item_bytes(vm, &v, i)?);
    }
    let dimensions = v.shape.cast::<Tuple>().map(|s| s.len());
    if key.is(Value::ELLIPSIS) && dimensions == Some(0) {
        return Ok(v.value());
    }
    if let Some(s) = key.cast::<Slice>().filter(|_| dimensions != Some(0)) {
        let r = vm.slice_range(s, || v.count / v.row)?;
        let start = (v.start as i64 + v.stride * r.start.max(0)) as usize;
        let part = Part { start, count: r.count * v.row, stride: v.stride * r.step, ..v.part };
        let Some(shape) = v.shape.cast::<Tuple>() else { return Ok(v.again(vm, part)?.value()) };
        let lengths = List::new(vm, shape.items())?;
        lengths.store(vm, 0, Value::small_int(r.count as i64));
        return Ok(v.shaped(vm, part, Some(Tuple::new(vm, lengths.items())?.value()))?.value());
    }
    one_dimension(vm, v)?;
    if !vm.is_int(key) && vm.type_of(key).special(vm, skein_bytecode::Special::Index).is_none() {
        return Err(vm.type_error("memoryview: invalid slice key"));
    }
    let i = item_index(vm, key, || v.count, "memoryview").map_err(|e| out_of_bounds(vm, e))?;
    read(vm, v.format, item_bytes(vm, &v, i)?)
}

/// IndexError in this type's words.
fn out_of_bounds(vm: &Vm, e: Raised) -> Raised {
    match vm.catch(vm.exc.index_error) {
        Some(_) => vm.index_error("index out of bounds on dimension 1"),
        None => e,
    }
}

fn setitem(vm: &Vm, v: This, key: Value, new: Value) -> R<()> {
    let v = open(vm, v.0)?;
    if v.readonly {
        return Err(vm.type_error("cannot modify read-only memory"));
    }
    let size = item_size(v.format);
    let dimensions = v.shape.cast::<Tuple>().map(|s| s.len());
    let row = match key.cast::<Tuple>() {
        Some(row) => Some(item_of_row(vm, v, row)?),
        None if key.is(Value::ELLIPSIS) && dimensions == Some(0) => Some(0),
        None if key.cast::<Slice>().is_some() && dimensions.is_some_and(|n| n > 1) => {
            return Err(
                vm.not_implemented("memoryview slice assignments are currently restricted to ndim = 1")
            );
        }
        None => {
            one_dimension(vm, v)?;
            None
        }
    };
    let (first, count, step, data) = match key.cast::<Slice>() {
        _ if row.is_some() => (row.unwrap_or(0) as i64, 1, 1, write(vm, v.format, new)?),
        Some(s) => {
            let r = vm.slice_range(s, || v.count)?;
            let data = super::bytes::bytes_like(vm, new)?;
            if data.len() != r.count * size {
                return Err(
                    vm.value_error("memoryview assignment: lvalue and rvalue have different structures")
                );
            }
            (r.start.max(0), r.count, r.step, data)
        }
        None => {
            let i = item_index(vm, key, || v.count, "memoryview").map_err(|e| out_of_bounds(vm, e))?;
            (i as i64, 1, 1, write(vm, v.format, new)?)
        }
    };
    let Some(array) = v.object.cast::<ByteArray>() else { return Ok(()) };
    let len = array.bytes().len();
    let Some(to) = array.as_mut_ptr() else { return Ok(()) };
    for (i, item) in data.chunks_exact(size).take(count).enumerate() {
        let at = v.at((first + step * i as i64) as usize);
        if at + size > len {
            return Err(vm.index_error("the object of this memoryview has become shorter"));
        }
        // SAFETY: in the array's bounds, and `data` is a copy.
        unsafe { std::ptr::copy_nonoverlapping(item.as_ptr(), to.add(at), size) };
    }
    Ok(())
}

fn tolist(vm: &Vm, v: This) -> R<Ref<List>> {
    let v = open(vm, v.0)?;
    let list = List::with_capacity(vm, v.count)?;
    for i in 0..v.count {
        list.push(vm, read(vm, v.format, item_bytes(vm, &v, i)?)?)?;
    }
    Ok(list)
}

fn equal(vm: &Vm, v: ViewRef, other: Value) -> R<Value> {
    if !v.export.is_open() {
        return Ok(Value::bool(other.is(v.value())));
    }
    let other = match other.cast::<Ext<View>>() {
        Some(o) => o,
        None => {
            let ty = vm.type_of(other);
            let lends = super::bytes::is_bytes_like(other)
                || ty.special(vm, skein_bytecode::Special::Buffer).is_some();
            let made = match lends {
                true => vm.absorb(
                    new(vm, Args::new(&[vm.types.memoryview.value(), other], None)),
                    vm.exc.type_error,
                )?,
                false => None,
            };
            match made.and_then(|m| m.cast::<Ext<View>>()) {
                Some(o) => o,
                None => return Ok(Value::NOT_IMPLEMENTED),
            }
        }
    };
    if !other.export.is_open() {
        return Ok(Value::FALSE);
    }
    if !vm.eq(v.dimensions(vm)?.value(), other.dimensions(vm)?.value())? {
        return Ok(Value::FALSE);
    }
    // Items are compared, not bytes.
    let floats = matches!(v.format, b'f' | b'd' | b'?');
    if other.format != v.format || floats {
        let (a, b) = (tolist(vm, ExtArg(v))?, tolist(vm, ExtArg(other))?);
        if floats && (0..a.len()).any(|i| a.get(i).and_then(|f| vm.as_float(f)).is_some_and(f64::is_nan)) {
            return Ok(Value::FALSE);
        }
        return vm.eq(a.value(), b.value()).map(Value::bool);
    }
    Ok(Value::bool(bytes(vm, v)? == bytes(vm, other)?))
}

fn hash(vm: &Vm, v: This) -> R<i64> {
    if let Some(h) = v.0.hash.get() {
        return Ok(h);
    }
    let v = open(vm, v.0)?;
    if !v.readonly {
        return Err(vm.value_error("cannot hash writable memoryview object"));
    }
    if !matches!(v.format, b'B' | b'b' | b'c') {
        return Err(vm.value_error("memoryview: hashing is restricted to formats 'B', 'b' or 'c'"));
    }
    // What it shows must be hashable as well.
    holding(v, || vm.hash(v.owner.or_none()))?;
    let h = vm.hash(vm.bytes(&bytes(vm, v)?)?)?;
    v.hash.set(Some(h));
    Ok(h)
}

fn repr(_: &Vm, v: This) -> String {
    let at = v.0.value().bits();
    if !v.0.export.is_open() {
        format!("<released memory at {at:#x}>")
    } else {
        format!("<memory at {at:#x}>")
    }
}

fn cast(vm: &Vm, v: This, format: Ref<Str>, shape: Option<Value>) -> R<Value> {
    let v = open(vm, v.0)?;
    let shape = match shape {
        None => None,
        Some(s) if s.cast::<Tuple>().is_some() || s.cast::<List>().is_some() => {
            let lengths = vm.list_from(s)?;
            if lengths.len() > 64 {
                return Err(vm.value_error("memoryview: number of dimensions must not exceed 64"));
            }
            Some(Tuple::new(vm, lengths.items())?)
        }
        Some(s) => {
            let got = vm.type_name(s);
            return Err(vm.type_error(format!("shape must be a list or a tuple, not {got}")));
        }
    };
    if v.shape.get().is_some() && shape.is_some_and(|s| s.len() != 1) {
        return Err(vm.type_error("memoryview: cast must be 1D -> ND or ND -> 1D"));
    }
    let code = match format.bytes() {
        [b'@', c] | [c] if b"cbB?hHiIlLqQnNfdP".contains(c) => *c,
        _ => {
            return Err(vm.value_error(
                "memoryview: destination format must be a native single character format prefixed with an optional '@'",
            ));
        }
    };
    if !is_contiguous(v) {
        return Err(vm.type_error("memoryview: casts are restricted to C-contiguous views"));
    }
    let (size, total) = (item_size(code), v.count * item_size(v.format));
    if !matches!(v.format, b'B' | b'b' | b'c') && !matches!(code, b'B' | b'b' | b'c') {
        return Err(vm.type_error("memoryview: cannot cast between two non-byte formats"));
    }
    if total % size != 0 {
        return Err(vm.type_error("memoryview: length is not a multiple of itemsize"));
    }
    let part = Part { count: total / size, stride: size as i64, row: 1, format: code, ..v.part };
    let Some(shape) = shape else { return Ok(v.again(vm, part)?.value()) };
    let mut items = 1usize;
    for &n in shape.items() {
        if !vm.is_int(n) {
            return Err(vm.type_error("memoryview.cast(): elements of shape must be integers"));
        }
        let n = vm.index_i64(n)?;
        if n <= 0 {
            return Err(vm.value_error("memoryview.cast(): elements of shape must be integers > 0"));
        }
        let Some(product) = items.checked_mul(n as usize) else {
            return Err(vm.value_error("memoryview.cast(): product(shape) > SSIZE_MAX"));
        };
        items = product;
    }
    if items.checked_mul(size) != Some(total) {
        return Err(vm.type_error("memoryview: product(shape) * itemsize != buffer size"));
    }
    if shape.len() == 1 {
        return Ok(v.again(vm, part)?.value());
    }
    let first = shape.items().first().and_then(|&n| vm.as_i64(n)).unwrap_or(1) as usize;
    let row = items / first;
    let part = Part { row, stride: (row * size) as i64, ..part };
    Ok(v.shaped(vm, part, Some(shape.value()))?.value())
}
