//! `open`, the module, and the standard streams.

use super::base::DEFAULT_BUFFER_SIZE;
use super::fileio::open_file;
use super::methods;
use super::newlines::Newline;
use super::text::{self, Options, optional_text};
use super::types;
use skein_builtins::types::path_object;
use skein_bytecode::Special;
use skein_runtime::object::Ref;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm, native_functions};

/// A path argument's bytes. TypeError.
pub fn encode_path(vm: &Vm, v: Value) -> R<Vec<u8>> {
    let v = path_object(vm, v)?;
    match v.cast::<Str>() {
        Some(s) => super::codec::encode(vm, s, "utf-8", "surrogateescape"),
        None => super::super::support::bytes_of(vm, v),
    }
}

/// As [`encode_path`], for the system. ValueError for zero bytes.
pub fn path_bytes(vm: &Vm, v: Value) -> R<std::ffi::CString> {
    let mut bytes = encode_path(vm, v)?;
    crate::unpacked::look_for(&vm.config.library, &bytes);
    // For the zero byte.
    vm.grow(&mut bytes, 1)?;
    std::ffi::CString::new(bytes).map_err(|_| vm.value_error("embedded null byte"))
}

native_functions! { FUNCTIONS:
    "open(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)" => open,
        "Open file and return a stream.  Raise OSError upon failure.";
    "open_code(path)" => open_code, "Opens the provided file with the intent to import the contents.";
    "text_encoding(encoding, stacklevel=2, /)" => text_encoding, "A helper function to choose the text encoding.";
}

fn text_encoding(vm: &Vm, encoding: Value, level: Option<Value>) -> R<Value> {
    if !encoding.is_none() {
        return Ok(encoding);
    }
    warn_of_encoding(vm, level.unwrap_or(Value::small_int(2)))?;
    vm.str(if vm.config.utf8_mode { "utf-8" } else { "locale" })
}

/// Tells of a file whose encoding is not said (PEP 597), if that is wanted.
fn warn_of_encoding(vm: &Vm, level: Value) -> R<()> {
    if !vm.config.warn_default_encoding {
        return Ok(());
    }
    let text = vm.str("'encoding' argument not specified")?;
    let warnings = skein_builtins::modules::import(vm, "_warnings")?;
    vm.call_method(warnings, "warn", &[text, vm.exc.encoding_warning.value(), level]).map(|_| ())
}

fn open_code(vm: &Vm, path: Value) -> R<Value> {
    if path.cast::<Str>().is_none() {
        let got = vm.type_name(path);
        return Err(vm.type_error(format!("open_code() argument 'path' must be str, not {got}")));
    }
    let mode = vm.str("rb")?;
    open(vm, path, Some(mode), None, None, None, None, None, None)
}

#[allow(clippy::too_many_arguments)]
fn open(
    vm: &Vm,
    file: Value,
    mode: Option<Value>,
    buffering: Option<i64>,
    encoding: Option<Value>,
    errors: Option<Value>,
    newline: Option<Value>,
    close_fd: Option<bool>,
    opener: Option<Value>,
) -> R<Value> {
    let ty = vm.type_of(file);
    let is_number = vm.is_int(file)
        || file.is_bool()
        || [Special::Index, Special::Int, Special::Float].iter().any(|s| ty.special(vm, *s).is_some());
    let file = if is_number { file } else { path_object(vm, file)? };
    let mode = match mode {
        None => "r".to_string(),
        Some(m) => match m.cast::<Str>() {
            Some(s) => s.to_string_lossy().into_owned(),
            None => {
                let got = vm.type_name(m);
                return Err(vm.type_error(format!("open() argument 'mode' must be str, not {got}")));
            }
        },
    };
    let encoding = optional_text(vm, encoding, "open", "encoding")?;
    let errors = optional_text(vm, errors, "open", "errors")?;
    let mut seen = String::new();
    for c in mode.chars() {
        if !"rwxabt+".contains(c) || seen.contains(c) {
            return Err(vm.value_error(format!("invalid mode: '{mode}'")));
        }
        seen.push(c);
    }
    let (binary, is_text) = (mode.contains('b'), mode.contains('t'));
    if binary && is_text {
        return Err(vm.value_error("can't have text and binary mode at once"));
    }
    if mode.chars().filter(|c| "rwxa".contains(*c)).count() != 1 {
        return Err(vm.value_error("must have exactly one of create/read/write/append mode"));
    }
    if binary {
        let given = newline.is_some_and(|n| !n.is_none());
        for (there, name) in
            [(encoding.is_some(), "an encoding"), (errors.is_some(), "an errors"), (given, "a newline")]
        {
            if there {
                return Err(vm.value_error(format!("binary mode doesn't take {name} argument")));
            }
        }
    }
    if !binary && encoding.is_none() {
        warn_of_encoding(vm, Value::small_int(1))?;
    }
    let mut buffering = buffering.unwrap_or(-1);
    if binary && buffering == 1 {
        let text = "line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used";
        vm.warn(vm.exc.runtime_warning, text)?;
    }
    let kind = mode.replace(['b', 't'], "");
    let opener = opener.filter(|o| !o.is_none());
    let raw = open_file(vm, file, &kind, close_fd.unwrap_or(true), opener)?;
    let finish = || -> R<Value> {
        let fd = raw.file.fd.get();
        // SAFETY: asks only.
        let terminal = buffering < 0 && unsafe { libc::isatty(fd) } == 1;
        let line_buffering = (buffering == 1 && !binary) || terminal;
        if buffering == 1 || terminal {
            buffering = -1;
        }
        if buffering < 0 {
            buffering = raw.block_size.get().clamp(DEFAULT_BUFFER_SIZE as i64, 8 << 20);
        }
        if buffering == 0 {
            if binary {
                return Ok(raw.value());
            }
            return Err(vm.value_error("can't have unbuffered text I/O"));
        }
        let (reads, writes) = (raw.readable.get(), raw.writable.get());
        let buffer = methods::over(vm, raw.value(), reads, writes, buffering)?;
        if binary {
            return Ok(buffer.value());
        }
        let newline = Newline::parse(vm, newline, "open() argument 'newline'")?;
        let options = Options { encoding, errors, newline, line_buffering, write_through: false };
        let t = text::over(vm, buffer.value(), &options)?;
        vm.set_attr(t.value(), vm.intern("mode")?, vm.str(&mode)?)?;
        Ok(t.value())
    };
    match finish() {
        Ok(v) => Ok(v),
        Err(e) => {
            let pending = vm.pending.take();
            if vm.call_method(raw.value(), "close", &[]).is_err() {
                vm.pending.take();
            }
            vm.pending.set(pending);
            Err(e)
        }
    }
}

/// A standard stream; None where its descriptor is closed.
fn standard(vm: &Vm, fd: i32, name: &str, mode: &str, errors: &str) -> R<Value> {
    // SAFETY: asks only.
    if vm.config.closed[fd as usize] || unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Ok(Value::NONE);
    }
    let raw = open_file(vm, Value::small_int(fd.into()), mode, false, None)?;
    raw.name.set(vm, raw, vm.str(name)?);
    let (reads, through) = (mode == "r", vm.config.unbuffered && mode != "r");
    let buffer = match through {
        true => raw.value(),
        false => methods::over(vm, raw.value(), reads, !reads, DEFAULT_BUFFER_SIZE as i64)?.value(),
    };
    // SAFETY: asks only.
    let line_buffering = fd == 2 || unsafe { libc::isatty(fd) } == 1;
    let (encoding, handler) = &vm.config.io_encoding;
    // What shows errors must not fail.
    let errors = handler.as_deref().filter(|_| fd != 2).unwrap_or(errors);
    let options = Options {
        encoding: Some(encoding.clone().unwrap_or_else(|| "utf-8".into())),
        errors: Some(errors.to_string()),
        newline: if reads { Newline::Universal } else { Newline::Only("\n") },
        line_buffering,
        write_through: through,
    };
    let t = text::over(vm, buffer, &options)?;
    vm.set_attr(t.value(), vm.intern("mode")?, vm.str(mode)?)?;
    Ok(t.value())
}

/// `sys.stdin` and so on, and `builtins.open`.
pub fn install(vm: &Vm) -> R<()> {
    let io = skein_builtins::modules::import(vm, "_io")?;
    let (Some(sys), Some(builtins)) = (vm.sys_dict.get(), vm.builtins.get()) else { return Ok(()) };
    for (fd, name, mode, errors) in
        [(0, "stdin", "r", "strict"), (1, "stdout", "w", "strict"), (2, "stderr", "w", "backslashreplace")]
    {
        let f = standard(vm, fd, &format!("<{name}>"), mode, errors)?;
        sys.set_name(vm, name, f)?;
        sys.set_name(vm, &format!("__{name}__"), f)?;
    }
    builtins.set_name(vm, "open", vm.get_attr_str(io, "open")?)
}

/// Flushes `sys.stdout` and `sys.stderr` at the end. False: output was lost.
pub fn flush_standard(vm: &Vm) -> bool {
    let mut fine = true;
    for name in ["stdout", "stderr"] {
        let f = vm.sys_dict.get().and_then(|d| d.get_name(vm, name).ok().flatten());
        let Some(f) = f.filter(|f| !f.is_none()) else { continue };
        let closed = vm.get_attr_str(f, "closed").and_then(|c| vm.truth(c)).unwrap_or(false);
        vm.pending.take();
        if !closed && vm.call_method(f, "flush", &[]).is_err() {
            fine = false;
            if name == "stdout" {
                vm.unraisable(Some("Exception ignored while flushing sys.stdout"), Value::NONE);
            }
            vm.pending.take();
            forget_output(f);
        }
    }
    fine
}

/// The streams that the program began with, and what they stand on.
pub fn standard_streams(vm: &Vm) -> Vec<Value> {
    let mut streams = Vec::new();
    for name in ["__stdin__", "__stdout__", "__stderr__"] {
        let stream = vm.sys_dict.get().and_then(|d| d.get_name(vm, name).ok().flatten());
        let Some(text) = stream.and_then(|s| s.cast::<Ext<text::TextIo>>()) else { continue };
        streams.extend([text.value(), text.buffer.or_none()]);
        if let Some(b) = text.buffer.cast::<Ext<super::buffered::Buffered>>() {
            streams.push(b.raw.or_none());
        }
    }
    streams
}

/// What could not be written is not tried again when the stream dies.
fn forget_output(stream: Value) {
    let text = stream.cast::<Ext<text::TextIo>>();
    if let Some(b) = text.and_then(|t| t.buffer.cast::<Ext<super::buffered::Buffered>>()) {
        super::buffered::discard(b);
    }
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_io", FUNCTIONS)?;
    let d = m.dict();
    types::make_all(vm)?;
    for def in types::ALL {
        let t = types::ty(vm, def)?;
        d.set_str(vm, t.name(), t.value())?;
    }
    d.set_name(vm, "DEFAULT_BUFFER_SIZE", Value::small_int(DEFAULT_BUFFER_SIZE as i64))?;
    d.set_name(vm, "BlockingIOError", vm.exc.blocking_io_error.value())?;
    let class = types::make_unsupported(vm)?;
    d.set_name(vm, "UnsupportedOperation", class)?;
    Ok(m)
}
