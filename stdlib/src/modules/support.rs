//! What several modules need: bytes-like arguments, and the modules' own exception classes.

use skein_bytecode::Special;
use skein_runtime::native::{FromArg, NativeDef};
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Raised, Value, Vm};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Deref;

/// The bytes of a bytes-like argument: those of a bytes object as they lie, of others a copy.
pub enum BytesLike {
    Bytes(Ref<Bytes>),
    Copy(Vec<u8>),
}

impl BytesLike {
    /// TypeError.
    pub fn new(vm: &Vm, v: Value) -> R<BytesLike> {
        match v.cast::<Bytes>() {
            Some(b) => Ok(BytesLike::Bytes(b)),
            None => bytes_of(vm, v).map(BytesLike::Copy),
        }
    }

    /// The bytes for themselves. MemoryError.
    pub fn into_vec(self, vm: &Vm) -> R<Vec<u8>> {
        match self {
            BytesLike::Bytes(b) => vm.copied(b.bytes()),
            BytesLike::Copy(b) => Ok(b),
        }
    }

    /// Is it a bytes or bytearray object?
    pub fn is(v: Value) -> bool {
        v.cast::<Bytes>().is_some() || v.cast::<ByteArray>().is_some()
    }
}

/// The memoryview that an object's `__buffer__` gives, if its type has one.
pub fn view_of(vm: &Vm, v: Value, flags: i64) -> R<Option<Value>> {
    let ty = vm.type_of(v);
    match ty.lookup(vm, vm.intern("__buffer__")?) {
        Some(f) => vm.call(vm.bind(f, v, ty)?, &[Value::small_int(flags)]).map(Some),
        None => Ok(None),
    }
}

/// The bytes of a bytes-like argument. TypeError; BufferError if they do not lie in a row.
pub fn bytes_of(vm: &Vm, v: Value) -> R<Vec<u8>> {
    if let Some(b) = v.cast::<Bytes>() {
        return vm.copied(b.bytes());
    }
    if let Some(b) = v.cast::<ByteArray>() {
        return vm.copied(b.bytes());
    }
    let view = if vm.is_exact_or_subtype(v, vm.types.memoryview) {
        Some(v)
    } else {
        view_of(vm, v, FULL_READ_ONLY)?
    };
    if view.is_some_and(skein_builtins::types::is_scattered_view) {
        return Err(vm.buffer_error("memoryview: underlying buffer is not C-contiguous"));
    }
    if let Some(view) = view
        && let Some(b) = vm.call_method(view, "tobytes", &[])?.cast::<Bytes>()
    {
        return vm.copied(b.bytes());
    }
    Err(vm.type_error(format!("a bytes-like object is required, not '{}'", vm.type_name(v))))
}

/// `inspect.BufferFlags.FULL_RO` and `WRITABLE`.
const FULL_READ_ONLY: i64 = 0x11c;
pub const WRITABLE: i64 = 1;

impl Deref for BytesLike {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            BytesLike::Bytes(b) => b.bytes(),
            BytesLike::Copy(v) => v,
        }
    }
}

impl FromArg for BytesLike {
    fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<BytesLike> {
        BytesLike::new(vm, v)
    }
}

/// Bytes, or text that is all ASCII.
pub struct AsciiOrBytes(pub BytesLike);

impl FromArg for AsciiOrBytes {
    fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<AsciiOrBytes> {
        match v.cast::<Str>() {
            Some(s) if s.is_ascii() => Ok(AsciiOrBytes(BytesLike::Copy(vm.copied(s.bytes())?))),
            Some(_) => Err(vm.value_error("string argument should contain only ASCII characters")),
            None if v.cast::<Bytes>().is_some() || v.cast::<ByteArray>().is_some() => {
                BytesLike::new(vm, v).map(AsciiOrBytes)
            }
            None => {
                let taken = vm.absorb(BytesLike::new(vm, v), vm.exc.type_error)?;
                taken.map(AsciiOrBytes).ok_or_else(|| {
                    let got = vm.type_name(v);
                    vm.type_error(format!("argument should be bytes, buffer or ASCII string, not '{got}'"))
                })
            }
        }
    }
}

/// Changes the bytes of a bytearray or another writable row of bytes in place. `f` may not run Python
/// code. TypeError.
pub fn write_bytes(vm: &Vm, v: Value, f: impl FnOnce(&mut [u8]) -> R<()>) -> R<()> {
    let whole = v.cast::<ByteArray>().map(|b| (b, 0, b.bytes().len()));
    let mut target = whole.or_else(|| skein_builtins::types::view_target(v));
    if target.is_none() && !vm.is_exact_or_subtype(v, vm.types.memoryview) && v.cast::<Bytes>().is_none() {
        target = view_of(vm, v, WRITABLE)?.and_then(skein_builtins::types::view_target);
    }
    let Some((array, start, end)) = target else {
        let got = vm.type_name(v);
        return Err(vm.type_error(format!("read-write bytes-like object is required, not '{got}'")));
    };
    match array.as_mut_ptr() {
        // SAFETY: the array's own bytes; `f` runs no Python code that could see or change them.
        Some(p) => f(unsafe { std::slice::from_raw_parts_mut(p.add(start), end - start) }),
        None => f(&mut []),
    }
}

/// The modules' exception classes, by their full names. `Vm::roots` keeps them.
#[derive(Default)]
struct Exceptions(RefCell<HashMap<&'static str, Value>>);

/// Makes a module's exception class, e.g. `struct.error`, and puts it into the module. A module that is made once more
/// has the same class. MemoryError.
pub fn add_exception(vm: &Vm, m: Ref<Module>, full: &'static str, base: Ref<Type>) -> R<Value> {
    add_exception_of(vm, m, full, &[base.value()])
}

/// As [`add_exception`], of several bases.
pub fn add_exception_of(vm: &Vm, m: Ref<Module>, full: &'static str, bases: &[Value]) -> R<Value> {
    let (module, name) = full.rsplit_once('.').unwrap_or(("builtins", full));
    let known = vm.state::<Exceptions>().0.borrow().get(full).copied();
    if let Some(class) = known {
        m.dict().set_name(vm, name, class)?;
        return Ok(class);
    }
    let namespace = Dict::new(vm)?;
    namespace.set_name(vm, "__module__", vm.str(module)?)?;
    let bases = vm.tuple(bases)?;
    let class = vm.call(vm.types.type_.value(), &[vm.str(name)?, bases, namespace.value()])?;
    vm.roots.borrow_mut().push(class);
    vm.state::<Exceptions>().0.borrow_mut().insert(full, class);
    m.dict().set_name(vm, name, class)?;
    Ok(class)
}

/// A class that [`add_exception`] made. SystemError before that.
pub fn exception_class(vm: &Vm, full: &'static str) -> R<Value> {
    let class = vm.state::<Exceptions>().0.borrow().get(full).copied();
    class.ok_or_else(|| vm.system_error(format!("{full} is not there yet")))
}

/// Raises a class that [`add_exception`] made.
#[cold]
pub fn raise(vm: &Vm, full: &'static str, message: impl AsRef<str>) -> Raised {
    match vm.str(message.as_ref()) {
        Ok(text) => raise_args(vm, full, &[text]),
        Err(e) => e,
    }
}

/// As [`raise`], with these arguments.
#[cold]
pub fn raise_args(vm: &Vm, full: &'static str, args: &[Value]) -> Raised {
    match exception_class(vm, full).and_then(|class| vm.call(class, args)) {
        Ok(e) => vm.raise(e),
        Err(e) => e,
    }
}

/// Does a comparison hold for things of this order?
pub fn holds(op: Special, order: Ordering) -> bool {
    match op {
        Special::Eq => order.is_eq(),
        Special::Ne => order.is_ne(),
        Special::Lt => order.is_lt(),
        Special::Le => order.is_le(),
        Special::Gt => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// The low 32 bits of an int of any size and sign. TypeError.
pub fn low_word(vm: &Vm, v: Value) -> R<u32> {
    let i = vm.index(v)?;
    match vm.as_i64(i) {
        Some(i) => Ok(i as u32),
        None => {
            let big = vm.as_big(i).unwrap_or_default();
            Ok(big.to_signed_bytes_le().iter().take(4).rev().fold(0, |n, &b| n << 8 | u32::from(b)))
        }
    }
}

/// The descriptor of an int or of an object with `fileno()`. TypeError, ValueError.
pub fn descriptor(vm: &Vm, v: Value) -> R<i32> {
    let n = if vm.is_int(v) {
        if v.is_bool() {
            vm.warn(vm.exc.runtime_warning, "bool is used as a file descriptor")?;
        }
        vm.index_i64(v)?
    } else {
        let Some(f) = vm.find_attr(v, vm.names.fileno)? else {
            return Err(vm.type_error("argument must be an int, or have a fileno() method."));
        };
        let n = vm.call(f, &[])?;
        if !vm.is_int(n) {
            return Err(vm.type_error("fileno() returned a non-integer"));
        }
        vm.index_i64(n)?
    };
    match i32::try_from(n) {
        Ok(n) if n >= 0 => Ok(n),
        Ok(n) => Err(vm.value_error(format!("file descriptor cannot be a negative integer ({n})"))),
        Err(_) => Err(vm.overflow_error("Python int too large to convert to C int")),
    }
}
