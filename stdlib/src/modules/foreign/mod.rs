//! `_foreign`: memory, libraries and functions of C by their addresses, for `_ctypes` and
//! `_cffi_backend`, which are in Python.
//!
//! Addresses are what the program says they are: a wrong one ends it, as in C.

// Calls of C are written for this architecture.
#![cfg(target_arch = "x86_64")]

mod field;
mod function;

use super::io::path_bytes;
use super::support::BytesLike;
use skein_builtins::types::view_of;
use skein_foreign::{Aggregate, Argument, Callback, Incoming, Returned, Scalar, Type, call as call_c};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type as Class, type_flags};
use skein_runtime::{R, Value, Vm, native_functions, native_type};
use std::cell::{Cell, OnceCell};
use std::ffi::{CStr, CString};

native_functions! { FUNCTIONS:
    "read(code, address, /)" => read, "The number of a struct code at an address.";
    "write(code, address, value, /)" => write, "Put a number of a struct code to an address.";
    "read_bytes(address, count, /)" => read_bytes, "So many bytes.";
    "write_bytes(address, data, /)" => write_bytes, "Put bytes to an address.";
    "length(address, size, /)" => length, "Items of 1 or 4 bytes before one that is zero.";
    "view(address, count, owner, /)" => view, "A memoryview of so many bytes, which keeps their owner.";
    "address_of(buffer, /)" => address_of, "Address and length of a writable buffer, and the object that keeps it there.";
    "span_of(buffer, /)" => span_of, "As address_of() for a buffer that may not be writable.";
    "call(address, result, types, values, flags, /)" => call, "Call a function.";
    "call_known(function, place, arguments, /)" => function::call_known, "Call a function of known types whose address lies at a place.";
    "text_at(bytes, /)" => text_at, "The address of bytes, behind which a zero comes; they are there as long as the object.";
    "dlopen(name, flags, /)" => dlopen;
    "dlsym(handle, name, /)" => dlsym;
    "dlclose(handle, /)" => dlclose;
    "fix(class, /)" => |_: &Vm, class: Ref<Class>| class.set_flag(type_flags::FIXED, true), "Let a class's attributes be set no more.";
    "unraisable(error, message, /)" => unraisable, "Tell of an exception that has nowhere to go.";
    "get_errno()" => |_: &Vm| i64::from(ERRNO.get());
    "set_errno(value, /)" => |_: &Vm, n: i32| -> i64 { ERRNO.replace(n).into() };
}

/// Flags of a call: the program's own copy of errno is errno during it.
const USE_ERRNO: i64 = 8;

thread_local! {
    /// The program's copy of errno, of which each thread has its own.
    static ERRNO: Cell<i32> = const { Cell::new(0) };
}

#[derive(Default)]
struct State {
    /// Callbacks that were made: with any, C may call Python, and keeps the lock.
    callbacks: Cell<usize>,
}

/// Bytes at an address that stays, zeroed and given back at its death.
struct Memory {
    start: *mut u8,
    len: usize,
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated in `alloc`, given back once.
        unsafe { libc::free(self.start.cast()) };
    }
}

impl Payload for Memory {
    const NAME: &'static str = "_foreign.Memory";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Memory { start: _, len: _ } = self;
    }
}

native_type! {
    MEMORY: "_foreign.Memory", Kind::Ext, 0, "Memory of C.";
    methods {
        [static] "__new__($type, size, /)" => alloc;
        "__len__($self, /)" => |_: &Vm, m: ExtArg<Memory>| m.0.len;
    }
    getset {
        "address" => |vm: &Vm, m: ExtArg<Memory>| vm.int_u64(m.0.start.addr() as u64);
    }
}

fn alloc(vm: &Vm, _: Value, size: usize) -> R<Value> {
    // SAFETY: a plain call; one byte at least, so that there is an address.
    let start: *mut u8 = unsafe { libc::calloc(size.max(1), 1) }.cast();
    if start.is_null() {
        return Err(vm.memory_error());
    }
    Ok(Ext::new(vm, ext_type(vm, &MEMORY)?, Memory { start, len: size })?.value())
}

/// A callback with the callable that it leads to, and the one that is shown for it.
struct Thunk {
    callable: Field,
    callback: OnceCell<Callback>,
}

impl Payload for Thunk {
    const NAME: &'static str = "_foreign.Callback";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Thunk { callable, callback: _ } = self;
        callable.trace(t);
    }
}

native_type! {
    CALLBACK: "_foreign.Callback", Kind::Ext, 0, "A function that C can call.";
    methods {
        [static] "__new__($type, callable, shown, result, types, flags, /)" => new_callback;
    }
    getset {
        "address" => |vm: &Vm, c: ExtArg<Thunk>| vm.int_u64(c.0.callback.get().map_or(0, |c| c.address() as u64));
    }
}

/// The type of a struct code, or of a tuple (size, alignment, ((offset, code), …)).
fn type_of(vm: &Vm, v: Value) -> R<Type> {
    if let Some(code) = v.cast::<Str>() {
        return match code.bytes() {
            b"" => Ok(Type::Void),
            &[c] => scalar(vm, c).map(Type::Scalar),
            _ => Err(vm.type_error("a type's code is one character")),
        };
    }
    let wrong = || vm.type_error("a type is a code or a tuple (size, alignment, parts)");
    let row = v.cast::<Tuple>().ok_or_else(wrong)?;
    let &[size, align, parts] = row.items() else { return Err(wrong()) };
    let (size, align) = (vm.index_i64(size)? as usize, vm.index_i64(align)? as usize);
    let parts = vm.list_from(parts)?;
    let mut out = Vec::new();
    for part in parts.items() {
        let row = part.cast::<Tuple>().ok_or_else(wrong)?;
        let &[at, code] = row.items() else { return Err(wrong()) };
        let s = match code.cast::<Str>().ok_or_else(wrong)?.bytes() {
            b"g" => Scalar::F80,
            b"G" => Scalar::C80,
            &[c] => scalar(vm, c)?,
            _ => return Err(wrong()),
        };
        out.push((vm.index_i64(at)? as usize, s));
    }
    Ok(Type::Aggregate(Aggregate { size, align, parts: out }))
}

fn scalar(vm: &Vm, code: u8) -> R<Scalar> {
    Ok(match code {
        b'b' => Scalar::Int(1),
        b'B' | b'?' | b'c' => Scalar::Uint(1),
        b'h' => Scalar::Int(2),
        b'H' => Scalar::Uint(2),
        b'i' => Scalar::Int(4),
        b'I' | b'u' => Scalar::Uint(4),
        b'l' | b'q' => Scalar::Int(8),
        b'L' | b'Q' | b'P' | b'z' | b'Z' | b'O' | b'X' => Scalar::Uint(8),
        b'f' => Scalar::F32,
        b'd' => Scalar::F64,
        _ => return Err(vm.value_error(format!("no type has the code {:?}", char::from(code)))),
    })
}

fn types(vm: &Vm, v: Value) -> R<Vec<Type>> {
    let row = vm.list_from(v)?;
    let mut out = Vec::new();
    for i in 0..row.len() {
        if let Some(v) = row.get(i) {
            out.push(type_of(vm, v)?);
        }
    }
    Ok(out)
}

/// A word as an object.
fn object(vm: &Vm, s: Scalar, word: u64) -> R<Value> {
    match s {
        Scalar::F64 => vm.float(f64::from_bits(word)),
        Scalar::F32 => vm.float(f32::from_bits(word as u32).into()),
        Scalar::Int(_) => vm.int(word as i64),
        Scalar::Uint(_) => vm.int_u64(word),
        Scalar::F80 | Scalar::C80 => Err(vm.type_error("a long double is no word")),
    }
}

/// An object as a word. Ints are cut. TypeError.
fn word(vm: &Vm, s: Scalar, v: Value) -> R<u64> {
    match s {
        Scalar::F64 => Ok(vm.to_f64(v)?.to_bits()),
        Scalar::F32 => Ok((vm.to_f64(v)? as f32).to_bits().into()),
        _ => {
            let i = vm.index(v)?;
            if let Some(n) = vm.as_i64(i) {
                return Ok(n as u64);
            }
            let big = vm.as_big(i).unwrap_or_default();
            let low = big.iter_u64_digits().next().unwrap_or(0);
            Ok(if big.sign() == num_bigint::Sign::Minus { low.wrapping_neg() } else { low })
        }
    }
}

fn address(vm: &Vm, v: Value) -> R<usize> {
    Ok(word(vm, Scalar::Uint(8), v)? as usize)
}

/// The one scalar that a code means.
fn scalar_of(vm: &Vm, code: Ref<Str>) -> R<Scalar> {
    match code.bytes() {
        &[c] => scalar(vm, c),
        _ => Err(vm.type_error("a type's code is one character")),
    }
}

/// ValueError for the null address.
fn checked(vm: &Vm, at: Value) -> R<*mut u8> {
    match address(vm, at)? {
        0 => Err(vm.value_error("NULL pointer access")),
        at => Ok(at as *mut u8),
    }
}

fn read(vm: &Vm, code: Ref<Str>, at: Value) -> R<Value> {
    let (s, at) = (scalar_of(vm, code)?, checked(vm, at)?);
    object(vm, s, load(s, at))
}

/// The word of a number at an address that is not null.
fn load(s: Scalar, at: *const u8) -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: the program says that there are so many bytes.
    unsafe { std::ptr::copy_nonoverlapping(at, bytes.as_mut_ptr(), s.size().min(8)) };
    s.narrowed(u64::from_le_bytes(bytes))
}

fn text_at(vm: &Vm, bytes: Ref<Bytes>) -> R<Value> {
    vm.int_u64(bytes.as_c_str().addr() as u64)
}

fn write(vm: &Vm, code: Ref<Str>, at: Value, v: Value) -> R<()> {
    let s = scalar_of(vm, code)?;
    let bytes = word(vm, s, v)?.to_le_bytes();
    let at = checked(vm, at)?;
    // SAFETY: as in `read`.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at, s.size()) };
    Ok(())
}

fn read_bytes(vm: &Vm, at: Value, count: usize) -> R<Value> {
    if count == 0 {
        return vm.bytes(b"");
    }
    let at = checked(vm, at)?;
    // SAFETY: as in `read`.
    vm.bytes(unsafe { std::slice::from_raw_parts(at, count) })
}

fn write_bytes(vm: &Vm, at: Value, data: BytesLike) -> R<()> {
    if data.is_empty() {
        return Ok(());
    }
    let at = checked(vm, at)?;
    // SAFETY: as in `read`; what is copied may lie there itself.
    unsafe { std::ptr::copy(data.as_ptr(), at, data.len()) };
    Ok(())
}

fn length(vm: &Vm, at: Value, size: usize) -> R<usize> {
    let at = checked(vm, at)?;
    let mut n = 0;
    // SAFETY: the program says that a zero comes.
    unsafe {
        if size == 1 {
            return Ok(libc::strlen(at.cast()));
        }
        while at.cast::<u32>().add(n).read_unaligned() != 0 {
            n += 1;
        }
    }
    Ok(n)
}

fn view(vm: &Vm, at: Value, count: usize, owner: Value) -> R<Value> {
    let at = address(vm, at)? as *mut u8;
    // SAFETY: the program says that there are so many bytes as long as the owner lives.
    let array = unsafe { ByteArray::of_foreign(vm, owner, at, count)? };
    view_of(vm, array.value(), owner, b'B')
}

fn address_of(vm: &Vm, buffer: Value) -> R<Value> {
    let view = match skein_builtins::types::view_target(buffer) {
        Some(_) => buffer,
        None => vm.call(vm.types.memoryview.value(), &[buffer])?,
    };
    let Some((array, start, end)) = skein_builtins::types::view_target(view) else {
        return Err(vm.type_error("underlying buffer is not writable"));
    };
    let at = array.as_mut_ptr().map_or(0, |p| p.addr() + start);
    vm.tuple(&[vm.int_u64(at as u64)?, vm.int((end - start) as i64)?, view])
}

fn span_of(vm: &Vm, buffer: Value) -> R<Value> {
    let view = vm.call(vm.types.memoryview.value(), &[buffer])?;
    let Some((at, length)) = skein_builtins::types::view_span(view) else {
        return Err(vm.raise_text(vm.exc.buffer_error, "the buffer's bytes do not lie in a row"));
    };
    vm.tuple(&[vm.int_u64(at as u64)?, vm.int(length as i64)?, view])
}

fn call(vm: &Vm, function: Value, result: Value, of: Value, values: Value, flags: i64) -> R<Value> {
    let function = checked(vm, function)?.addr();
    let (result, of) = (type_of(vm, result)?, types(vm, of)?);
    let values = vm.list_from(values)?;
    // Words and bytes first: making them may run Python code.
    let mut words = Vec::new();
    for (i, ty) in of.iter().enumerate() {
        let Some(v) = values.get(i) else { return Err(vm.type_error("an argument is missing")) };
        match ty {
            Type::Void => return Err(vm.type_error("an argument has a type")),
            Type::Scalar(s) => words.push((word(vm, *s, v)?, Vec::new())),
            Type::Aggregate(a) => {
                let bytes = BytesLike::new(vm, v)?.into_vec(vm)?;
                if bytes.len() != a.size {
                    return Err(vm.type_error("a struct has another size"));
                }
                words.push((0, bytes));
            }
        }
    }
    let arguments: Vec<_> = of
        .iter()
        .zip(&words)
        .filter_map(|(ty, (word, bytes))| match ty {
            Type::Scalar(s) => Some(Argument::Scalar(*s, *word)),
            Type::Aggregate(a) => Some(Argument::Aggregate(a, bytes)),
            Type::Void => None,
        })
        .collect();
    let mut out = match &result {
        Type::Aggregate(a) => vm.filled(0u8, a.size)?,
        _ => Vec::new(),
    };
    let state = vm.state::<State>();
    // SAFETY: the program says that this is a function of these types.
    let mut run = || unsafe { call_c(function, &result, &arguments, &mut out) };
    let run = || if flags & USE_ERRNO != 0 { with_errno(run) } else { run() };
    let word = if state.callbacks.get() == 0 { vm.without_gil(run) } else { run() };
    // What a signal's handler raised in a callback.
    if vm.pending.get().is_some() {
        return Err(skein_runtime::Raised);
    }
    match result {
        Type::Void => Ok(Value::NONE),
        Type::Scalar(s) => object(vm, s, word),
        Type::Aggregate(_) => vm.bytes(&out),
    }
}

/// Calls with the program's copy of errno in place.
fn with_errno<T>(f: impl FnOnce() -> T) -> T {
    // SAFETY: the thread's own number.
    let swap = || unsafe { *libc::__errno_location() = ERRNO.replace(*libc::__errno_location()) };
    swap();
    let made = f();
    swap();
    made
}

fn new_callback(
    vm: &Vm,
    _: Value,
    callable: Value,
    shown: Value,
    result: Value,
    of: Value,
    flags: i64,
) -> R<Value> {
    let (result, of) = (type_of(vm, result)?, types(vm, of)?);
    let kept = vm.tuple(&[callable, shown])?;
    let thunk = Thunk { callable: Field::new(Some(kept)), callback: OnceCell::new() };
    let thunk = Ext::new(vm, ext_type(vm, &CALLBACK)?, thunk)?;
    let isolate: *const Vm = vm;
    let returns = result.clone();
    let handler = move |row: Vec<Incoming>| {
        // SAFETY: callbacks are called while the isolate is there: it waits for the functions that it calls.
        let vm = unsafe { &*isolate };
        // SAFETY: asks only.
        if vm.threads.current().ident() != unsafe { libc::pthread_self() } as u64 {
            eprintln!("ctypes: a callback was called from a thread that is not the interpreter's");
            return Returned::Nothing;
        }
        answer(vm, callable, shown, &returns, row, flags)
    };
    match Callback::new(result, of, Box::new(handler)) {
        Some(callback) => {
            let state = vm.state::<State>();
            state.callbacks.set(state.callbacks.get() + 1);
            let _ = thunk.callback.set(callback);
            Ok(thunk.value())
        }
        None => Err(vm.memory_error()),
    }
}

/// Calls the callable of a callback. What it raises is shown.
fn answer(vm: &Vm, callable: Value, shown: Value, result: &Type, row: Vec<Incoming>, flags: i64) -> Returned {
    let run = || -> R<Returned> {
        let values = List::with_capacity(vm, row.len())?;
        for v in row {
            values.push(
                vm,
                match v {
                    Incoming::Scalar(s, word) => object(vm, s, word)?,
                    Incoming::Aggregate(bytes) => vm.bytes(&bytes)?,
                },
            )?;
        }
        let v = vm.call(callable, values.items())?;
        match result {
            Type::Void => Ok(Returned::Nothing),
            Type::Scalar(s) => Ok(Returned::Word(word(vm, *s, v)?)),
            Type::Aggregate(_) => Ok(Returned::Bytes(BytesLike::new(vm, v)?.into_vec(vm)?)),
        }
    };
    let run = || {
        run().unwrap_or_else(|_| {
            let pending = vm.pending.take();
            let shown = vm.repr_string(shown).unwrap_or_default();
            vm.pending.set(pending);
            let text = format!("Exception ignored while calling ctypes callback function {shown}");
            vm.unraisable(Some(&text), Value::NONE);
            vm.pending.take();
            Returned::Nothing
        })
    };
    if flags & USE_ERRNO != 0 { with_errno(run) } else { run() }
}

fn unraisable(vm: &Vm, error: Value, message: Ref<Str>) -> R<()> {
    if !vm.is_instance_plain(error, vm.exc.base_exception)? {
        return Err(vm.type_error("an exception is expected"));
    }
    let text = String::from_utf8_lossy(message.bytes()).into_owned();
    vm.pending.set(Some(error));
    vm.unraisable(Some(&text), Value::NONE);
    Ok(())
}

/// What the loader says of its last failure.
fn loader_error() -> String {
    // SAFETY: a text that is there until the next call of the loader.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}

fn dlopen(vm: &Vm, name: Value, flags: i32) -> R<Value> {
    let name: Option<CString> = if name.is_none() { None } else { Some(path_bytes(vm, name)?) };
    let start = name.as_ref().map_or(std::ptr::null(), |n| n.as_ptr());
    // SAFETY: a text with an end, or null. What the library does when it is loaded is its author's business.
    let handle = unsafe { libc::dlopen(start, flags | libc::RTLD_NOW) };
    if handle.is_null() {
        return Err(vm.raise_text(vm.exc.os_error, &loader_error()));
    }
    vm.int_u64(handle.addr() as u64)
}

fn dlsym(vm: &Vm, handle: Value, name: Ref<Str>) -> R<Value> {
    let handle = address(vm, handle)? as *mut libc::c_void;
    let Ok(text) = CString::new(name.bytes()) else { return Err(vm.value_error("embedded null character")) };
    // SAFETY: a handle that the loader gave, and a text with an end.
    let found = unsafe {
        libc::dlerror();
        libc::dlsym(handle, text.as_ptr())
    };
    if found.is_null() {
        return Err(vm.raise_text(vm.exc.attribute_error, &loader_error()));
    }
    vm.int_u64(found.addr() as u64)
}

fn dlclose(vm: &Vm, handle: Value) -> R<()> {
    let handle = address(vm, handle)? as *mut libc::c_void;
    // SAFETY: a handle that the loader gave.
    if unsafe { libc::dlclose(handle) } != 0 {
        return Err(vm.raise_text(vm.exc.os_error, &loader_error()));
    }
    Ok(())
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_foreign", FUNCTIONS)?;
    let d = m.dict();
    d.set_name(vm, "Memory", ext_type(vm, &MEMORY)?.value())?;
    d.set_name(vm, "Function", ext_type(vm, &function::FUNCTION)?.value())?;
    d.set_name(vm, "Field", ext_type(vm, &field::FIELD)?.value())?;
    d.set_name(vm, "Callback", ext_type(vm, &CALLBACK)?.value())?;
    // Functions that C's own library has, for ctypes' copies of them.
    for (name, at) in
        [("memmove", libc::memmove as *const () as usize), ("memset", libc::memset as *const () as usize)]
    {
        d.set_name(vm, name, vm.int_u64(at as u64)?)?;
    }
    d.set_name(vm, "RTLD_LOCAL", Value::small_int(libc::RTLD_LOCAL.into()))?;
    d.set_name(vm, "RTLD_GLOBAL", Value::small_int(libc::RTLD_GLOBAL.into()))?;
    Ok(m)
}
