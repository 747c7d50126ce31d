//! The types of `_io`, `open`, and the standard streams.

use super::core::{Core, DEFAULT_BUFFER_SIZE};
use super::files::{self, File, FileRef, Layer, Newline};
use skein_runtime::native::TypeDef;
use skein_runtime::object::Kind;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Raised, Ref, Value, Vm, native_functions, native_type};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The types, made with the module.
#[derive(Default)]
pub struct State {
    unsupported: Cell<Option<Value>>,
    types: RefCell<Vec<(Layer, &'static str, Ref<Type>)>>,
    bases: RefCell<Vec<Ref<Type>>>,
}

/// Raises io.UnsupportedOperation.
pub fn unsupported(vm: &Vm, text: &str) -> Raised {
    let raise = || -> R<Raised> {
        let state = vm.state::<State>();
        let ty = state.unsupported.get().ok_or_else(|| vm.value_error(text))?;
        let e = vm.call(ty, &[vm.str(text)?])?;
        Ok(vm.raise(e))
    };
    raise().unwrap_or_else(|e| e)
}

const FILE_FLAGS: u32 = type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF;

macro_rules! file_type {
    ($def:ident $name:literal $new:ident; $($more:tt)*) => {
        native_type! {
            $def: $name, Kind::Ext, FILE_FLAGS, base |vm| base_of(vm, $name);
            methods {
                [static] "__new__($type, *args, **kwargs)" => $new;
                "read($self, size=-1, /)" => files::read;
                "readline($self, size=-1, /)" => files::readline;
                "readlines($self, hint=-1, /)" => files::readlines;
                "write($self, text, /)" => files::write;
                "writelines($self, lines, /)" => files::writelines;
                "flush($self, /)" => files::flush;
                "close($self, /)" => files::close;
                "seek($self, offset, whence=0, /)" => files::seek;
                "tell($self, /)" => files::tell;
                "truncate($self, size=None, /)" => files::truncate;
                "fileno($self, /)" => files::fileno;
                "isatty($self, /)" => files::isatty;
                "readable($self, /)" => files::readable;
                "writable($self, /)" => files::writable;
                "seekable($self, /)" => files::seekable;
                "__enter__($self, /)" => files::enter;
                "__exit__($self, *args)" => files::exit;
                "__iter__($self, /)" => files::iter;
                "__next__($self, /)" => files::next;
                "__repr__($self, /)" => files::repr;
                $($more)*
            }
            getset {
                "closed" => files::closed;
                "name" => |vm: &Vm, v: Value| attr(vm, v, "name"), |vm: &Vm, v: Value, n: Option<Value>| set_name(vm, v, n);
                "mode" => |vm: &Vm, v: Value| attr(vm, v, "mode"), |vm: &Vm, v: Value, n: Option<Value>| set_mode(vm, v, n);
                "buffer" => |vm: &Vm, v: Value| attr(vm, v, "buffer");
                "raw" => |vm: &Vm, v: Value| attr(vm, v, "raw");
                "encoding" => |vm: &Vm, v: Value| attr(vm, v, "encoding");
                "errors" => |vm: &Vm, v: Value| attr(vm, v, "errors");
                "newlines" => |vm: &Vm, v: Value| attr(vm, v, "newlines");
                "line_buffering" => |vm: &Vm, v: Value| attr(vm, v, "line_buffering");
                "closefd" => |vm: &Vm, v: Value| attr(vm, v, "closefd");
            }
        }
    };
}

file_type! { FILE_IO "_io.FileIO" new_file_io;
"readinto($self, buffer, /)" => files::readinto; }
file_type! { READER "_io.BufferedReader" new_buffered;
"read1($self, size=-1, /)" => files::read1; "peek($self, size=0, /)" => files::peek;
"readinto($self, buffer, /)" => files::readinto; }
file_type! { WRITER "_io.BufferedWriter" new_buffered; }
file_type! { RANDOM "_io.BufferedRandom" new_buffered;
"read1($self, size=-1, /)" => files::read1; "peek($self, size=0, /)" => files::peek;
"readinto($self, buffer, /)" => files::readinto; }
file_type! { TEXT "_io.TextIOWrapper" new_text;
"reconfigure($self, *, line_buffering=None, write_through=None)" => files::reconfigure; }
file_type! { BYTES_IO "_io.BytesIO" new_bytes_io;
"getbuffer($self, /)" => files::getbuffer; "getvalue($self, /)" => files::getvalue; "read1($self, size=-1, /)" => files::read1;
"readinto($self, buffer, /)" => files::readinto; }
file_type! { STRING_IO "_io.StringIO" new_string_io;
"getvalue($self, /)" => files::getvalue; }

macro_rules! base_types {
    ($($def:ident $name:literal;)*) => {
        $(native_type! { $def: $name, Kind::Instance, FILE_FLAGS, base |vm| base_of(vm, $name);
            methods {
                "__enter__($self, /)" => base_enter;
                "__exit__($self, *args)" => files::exit;
                "__iter__($self, /)" => base_enter;
                "__next__($self, /)" => base_next;
                "close($self, /)" => base_close;
                "flush($self, /)" => base_flush;
                "readable($self, /)" => base_false;
                "writable($self, /)" => base_false;
                "seekable($self, /)" => base_false;
                "isatty($self, /)" => base_false;
                "fileno($self, /)" => base_fileno;
                "_checkClosed($self, msg=None, /)" => |vm: &Vm, v: Value, _: Option<Value>| base_check(vm, v);
                "writelines($self, lines, /)" => |vm: &Vm, v: Value, lines: Value| vm.for_each(lines, |line| vm.call_method(v, "write", &[line]).map(|_| ()));
            }
            getset { "closed" => |vm: &Vm, v: Value| Ok(Value::bool(base_closed(vm, v)?)); }
        })*
    };
}
base_types! {
    IO_BASE "_io._IOBase";
    RAW_BASE "_io._RawIOBase";
    BUFFERED_BASE "_io._BufferedIOBase";
    TEXT_BASE "_io._TextIOBase";
}

fn base_enter(_: &Vm, v: Value) -> Value {
    v
}
fn base_next(vm: &Vm, v: Value) -> R<Value> {
    let line = vm.call_method(v, "readline", &[])?;
    Ok(if vm.len(line)? == 0 { vm.stop() } else { line })
}
/// Set in an instance when it is closed.
const CLOSED: &str = "__IOBase_closed";

fn base_closed(vm: &Vm, v: Value) -> R<bool> {
    vm.find_attr(v, vm.intern(CLOSED)?)?.map_or(Ok(false), |c| vm.truth(c))
}
fn base_check(vm: &Vm, v: Value) -> R<()> {
    match vm.truth(vm.get_attr_str(v, "closed")?)? {
        true => Err(vm.value_error("I/O operation on closed file.")),
        false => Ok(()),
    }
}
fn base_close(vm: &Vm, v: Value) -> R<()> {
    if base_closed(vm, v)? {
        return Ok(());
    }
    let flushed = vm.call_method(v, "flush", &[]);
    vm.set_attr(v, vm.intern(CLOSED)?, Value::TRUE)?;
    flushed.map(|_| ())
}
fn base_flush(_: &Vm, _v: Value) {}
fn base_false(_: &Vm, _v: Value) -> bool {
    false
}
fn base_fileno(vm: &Vm, _v: Value) -> R<()> {
    Err(unsupported(vm, "fileno"))
}

/// The base of a type of this module; the bases are made first, in order.
fn base_of(vm: &Vm, name: &str) -> Ref<Type> {
    let state = vm.state::<State>();
    let bases = state.bases.borrow();
    let i = match name {
        "_io._IOBase" => return vm.types.object,
        "_io.FileIO" => 1,
        "_io.TextIOWrapper" | "_io.StringIO" => 3,
        _ if name.starts_with("_io._") => 0,
        _ => 2,
    };
    bases.get(i).copied().unwrap_or(vm.types.object)
}

fn attr(vm: &Vm, v: Value, name: &str) -> R<Value> {
    let f = files::this_of(vm, v)?;
    let below = f.below.cast::<skein_runtime::types::ext::Ext<File>>();
    match (name, f.layer) {
        ("name", Layer::Text | Layer::Buffered | Layer::Raw) => {
            f.name.get().ok_or_else(|| files::missing(vm, v, name))
        }
        ("mode", Layer::Text | Layer::Buffered | Layer::Raw) => {
            f.mode.get().ok_or_else(|| files::missing(vm, v, name))
        }
        ("buffer", Layer::Text) => Ok(below.map_or(Value::NONE, Value::from)),
        ("raw", Layer::Buffered) => Ok(below.map_or(Value::NONE, Value::from)),
        ("encoding", Layer::Text) => vm.str(&f.encoding),
        ("errors", Layer::Text) => vm.str(&f.errors),
        ("encoding" | "errors" | "newlines", Layer::Text | Layer::String) => Ok(Value::NONE),
        ("line_buffering", Layer::Text | Layer::String) => Ok(Value::bool(f.line_buffering.get())),
        ("closefd", Layer::Raw) => Ok(Value::bool(f.core.borrow().close_fd)),
        _ => Err(files::missing(vm, v, name)),
    }
}

fn set_name(vm: &Vm, v: Value, n: Option<Value>) -> R<()> {
    let f = files::this_of(vm, v)?;
    f.name.set(vm, f, n);
    Ok(())
}

fn set_mode(vm: &Vm, v: Value, n: Option<Value>) -> R<()> {
    let f = files::this_of(vm, v)?;
    f.mode.set(vm, f, n);
    Ok(())
}

/// The type of that name in this module.
fn ty(vm: &Vm, name: &str) -> R<Ref<Type>> {
    ensure_types(vm)?;
    let state = vm.state::<State>();
    let found = state.types.borrow().iter().find(|t| t.1 == name).map(|t| t.2);
    found.ok_or_else(|| vm.system_error(format!("no type _io.{name}")))
}

fn ensure_types(vm: &Vm) -> R<()> {
    let state = vm.state::<State>();
    if !state.types.borrow().is_empty() {
        return Ok(());
    }
    for def in [&IO_BASE, &RAW_BASE, &BUFFERED_BASE, &TEXT_BASE] {
        let t = vm.make_native_type(def)?;
        state.bases.borrow_mut().push(t);
    }
    let defs: [(Layer, &'static TypeDef); 7] = [
        (Layer::Raw, &FILE_IO),
        (Layer::Buffered, &READER),
        (Layer::Buffered, &WRITER),
        (Layer::Buffered, &RANDOM),
        (Layer::Text, &TEXT),
        (Layer::Bytes, &BYTES_IO),
        (Layer::String, &STRING_IO),
    ];
    for (layer, def) in defs {
        let t = vm.make_native_type(def)?;
        state.types.borrow_mut().push((layer, &def.name[4..], t));
    }
    Ok(())
}

/// Arguments by position or name; missing ones are None.
fn bind<const N: usize>(
    vm: &Vm,
    args: Args<'_>,
    function: &str,
    names: [&str; N],
) -> R<(Ref<Type>, [Option<Value>; N])> {
    let all = args.positional();
    let Some(ty) = all.first().and_then(|t| t.cast::<Type>()) else {
        return Err(vm.type_error(format!("{function}.__new__(X): X is not a type object")));
    };
    if all.len() > N + 1 {
        return Err(
            vm.type_error(format!("{function}() takes at most {N} arguments ({} given)", all.len() - 1))
        );
    }
    let mut out = [None; N];
    for (slot, &v) in out.iter_mut().zip(&all[1..]) {
        *slot = Some(v);
    }
    for (k, v) in args.keywords() {
        let key = k.cast::<Str>().map(|k| k.to_string_lossy().into_owned()).unwrap_or_default();
        match names.iter().position(|n| *n == key) {
            Some(i) => out[i] = Some(v),
            None => {
                return Err(vm.type_error(format!("{function}() got an unexpected keyword argument '{key}'")));
            }
        }
    }
    Ok((ty, out.map(|v| v.filter(|v| !v.is_none()))))
}

/// A mode, read.
struct Mode {
    flags: i32,
    readable: bool,
    writable: bool,
    append: bool,
    /// As FileIO shows it.
    raw: &'static str,
}

fn parse_mode(vm: &Vm, letters: &str) -> R<Mode> {
    let kind: Vec<char> = letters.chars().filter(|c| "rwxa".contains(*c)).collect();
    let plus = letters.contains('+');
    if kind.len() != 1 || letters.matches('+').count() > 1 {
        return Err(
            vm.value_error("Must have exactly one of create/read/write/append mode and at most one plus")
        );
    }
    let (extra, raw) = match (kind[0], plus) {
        ('r', false) => (0, "rb"),
        ('r', true) => (0, "rb+"),
        ('w', false) => (libc::O_CREAT | libc::O_TRUNC, "wb"),
        ('w', true) => (libc::O_CREAT | libc::O_TRUNC, "rb+"),
        ('x', false) => (libc::O_CREAT | libc::O_EXCL, "xb"),
        ('x', true) => (libc::O_CREAT | libc::O_EXCL, "xb+"),
        (_, false) => (libc::O_CREAT | libc::O_APPEND, "ab"),
        (_, true) => (libc::O_CREAT | libc::O_APPEND, "ab+"),
    };
    let access = match (plus, kind[0]) {
        (true, _) => libc::O_RDWR,
        (false, 'r') => libc::O_RDONLY,
        (false, _) => libc::O_WRONLY,
    };
    Ok(Mode {
        flags: access | extra | libc::O_CLOEXEC,
        readable: plus || kind[0] == 'r',
        writable: plus || kind[0] != 'r',
        append: kind[0] == 'a',
        raw,
    })
}

/// A path argument's bytes. TypeError.
pub fn encode_path(vm: &Vm, v: Value) -> R<Vec<u8>> {
    let v = match v.cast::<Str>().is_some() || v.cast::<skein_runtime::types::bytes::Bytes>().is_some() {
        true => v,
        false => match vm.find_attr(v, vm.intern("__fspath__")?)? {
            Some(f) => vm.call(f, &[])?,
            None => {
                return Err(vm.type_error(format!(
                    "expected str, bytes or os.PathLike object, not {}",
                    vm.type_name(v)
                )));
            }
        },
    };
    match v.cast::<Str>() {
        Some(s) => super::codec::encode(vm, s, "utf-8", "surrogateescape"),
        None => super::super::support::bytes_of(vm, v),
    }
}

/// As [`encode_path`], for the system. ValueError for zero bytes.
pub fn path_bytes(vm: &Vm, v: Value) -> R<std::ffi::CString> {
    std::ffi::CString::new(encode_path(vm, v)?).map_err(|_| vm.value_error("embedded null byte"))
}

fn open_raw(
    vm: &Vm,
    ty: Ref<Type>,
    file: Value,
    mode: &Mode,
    close_fd: bool,
    opener: Option<Value>,
) -> R<FileRef> {
    let fd = if vm.is_int(file) || file.is_bool() {
        let fd = vm.index_i64(file)?;
        if fd < 0 {
            return Err(vm.value_error("negative file descriptor"));
        }
        // SAFETY: asks only.
        if unsafe { libc::fcntl(fd as i32, libc::F_GETFD) } < 0 {
            return Err(vm.last_os_error(Some(file)));
        }
        fd as i32
    } else if !close_fd {
        return Err(vm.value_error("Cannot use closefd=False with file name"));
    } else if let Some(opener) = opener {
        let fd = vm.call(opener, &[file, vm.int(mode.flags.into())?])?;
        vm.index_i64(fd)? as i32
    } else {
        let path = path_bytes(vm, file)?;
        let opened = vm.retry(|| {
            // SAFETY: a C string and numbers.
            match unsafe { libc::open(path.as_ptr(), mode.flags, 0o666) } {
                fd if fd < 0 => Err(std::io::Error::last_os_error()),
                fd => Ok(fd),
            }
        })?;
        let fd = opened.map_err(|e| vm.os_error(e.raw_os_error().unwrap_or(0), Some(file)))?;
        // SAFETY: plain data; an error leaves zeros.
        let is_folder = unsafe {
            let mut st: libc::stat = std::mem::zeroed();
            libc::fstat(fd, &mut st) == 0 && st.st_mode & libc::S_IFMT == libc::S_IFDIR
        };
        if is_folder {
            // SAFETY: just opened.
            unsafe { libc::close(fd) };
            return Err(vm.os_error(libc::EISDIR, Some(file)));
        }
        fd
    };
    let mut core = Core::default();
    (core.fd, core.close_fd) = (fd, close_fd);
    (core.readable, core.writable) = (mode.readable, mode.writable);
    let raw = File::new(vm, ty, Rc::new(RefCell::new(core)), Layer::Raw)?;
    raw.name.set(vm, raw, file);
    raw.mode.set(vm, raw, vm.str(mode.raw)?);
    if mode.append {
        // SAFETY: a plain call; pipes have no place to be.
        unsafe { libc::lseek(fd, 0, libc::SEEK_END) };
    }
    Ok(raw)
}

fn new_file_io(vm: &Vm, args: Args<'_>) -> R<Value> {
    let (ty, [file, mode, close_fd, opener]) =
        bind(vm, args, "FileIO", ["file", "mode", "closefd", "opener"])?;
    let Some(file) = file else {
        return Err(vm.type_error("FileIO() missing required argument 'file' (pos 1)"));
    };
    let letters = match mode {
        Some(m) => vm.str_string(m)?,
        None => "r".into(),
    };
    let mode = parse_mode(vm, &letters.replace('b', ""))?;
    let close_fd = close_fd.map_or(Ok(true), |v| vm.truth(v))?;
    Ok(open_raw(vm, ty, file, &mode, close_fd, opener)?.value())
}

/// A layer over another of the same core.
fn layer(vm: &Vm, ty: Ref<Type>, below: FileRef, layer: Layer) -> R<FileRef> {
    let f = File::new(vm, ty, below.core.clone(), layer)?;
    f.below.set(vm, f, below.value());
    f.name.set(vm, f, below.name.get());
    f.mode.set(vm, f, below.mode.get());
    Ok(f)
}

fn native_below(vm: &Vm, v: Option<Value>, what: &str) -> R<FileRef> {
    let Some(v) = v else {
        return Err(vm.type_error(format!("{what}() missing required argument (pos 1)")));
    };
    v.cast().ok_or_else(|| vm.unsupported(&format!("{what} over a file object written in Python")))
}

fn new_buffered(vm: &Vm, args: Args<'_>) -> R<Value> {
    let (ty, [raw, size]) = bind(vm, args, "Buffered", ["raw", "buffer_size"])?;
    let raw = native_below(vm, raw, "Buffered")?;
    let size = size.map_or(Ok(DEFAULT_BUFFER_SIZE as i64), |s| vm.index_i64(s))?;
    if size <= 0 {
        return Err(vm.value_error("buffer size must be strictly positive"));
    }
    raw.core.borrow_mut().buffer_size = size as usize;
    Ok(layer(vm, ty, raw, Layer::Buffered)?.value())
}

/// What makes a text layer.
struct TextOptions {
    encoding: Option<Value>,
    errors: Option<Value>,
    newline: Option<Value>,
}

fn text_layer(vm: &Vm, ty: Ref<Type>, below: FileRef, o: &TextOptions, line_buffering: bool) -> R<FileRef> {
    let string = |v: Value, what: &str| match v.cast::<Str>() {
        Some(s) => Ok(s.to_string_lossy().into_owned()),
        None => Err(vm.type_error(format!(
            "TextIOWrapper() argument '{what}' must be str or None, not {}",
            vm.type_name(v)
        ))),
    };
    let encoding = match o.encoding {
        Some(e) => match string(e, "encoding")? {
            e if e == "locale" => "utf-8".to_string(),
            e => e,
        },
        None => "utf-8".into(),
    };
    let errors = o.errors.map_or(Ok("strict".into()), |e| string(e, "errors"))?;
    let newline = parse_newline(vm, o.newline)?;
    // SAFETY: zeroed fields are empty.
    let (b, n, m) = unsafe { (std::mem::zeroed(), std::mem::zeroed(), std::mem::zeroed()) };
    let file = File {
        core: below.core.clone(),
        layer: Layer::Text,
        closed: Cell::new(false),
        encoding,
        errors,
        newline,
        line_buffering: Cell::new(line_buffering),
        write_through: Cell::new(false),
        below: b,
        name: n,
        mode: m,
    };
    let f = skein_runtime::types::ext::Ext::new(vm, ty, file)?;
    f.below.set(vm, f, below.value());
    f.name.set(vm, f, below.name.get());
    Ok(f)
}

fn parse_newline(vm: &Vm, v: Option<Value>) -> R<Newline> {
    let Some(v) = v else { return Ok(Newline::Universal) };
    match v.cast::<Str>().map(|s| s.to_string_lossy().into_owned()) {
        Some(s) if s.is_empty() => Ok(Newline::Untranslated),
        Some(s) if ["\n", "\r", "\r\n"].contains(&s.as_str()) => Ok(Newline::Only(s.into_bytes())),
        Some(_) => Err(vm.value_error(format!("illegal newline value: {}", vm.repr_string(v)?))),
        None => Err(vm.type_error(format!("newline must be str or None, not {}", vm.type_name(v)))),
    }
}

fn new_text(vm: &Vm, args: Args<'_>) -> R<Value> {
    let names = ["buffer", "encoding", "errors", "newline", "line_buffering", "write_through"];
    let (ty, [buffer, encoding, errors, newline, lines, through]) = bind(vm, args, "TextIOWrapper", names)?;
    let below = native_below(vm, buffer, "TextIOWrapper")?;
    let lines = lines.map_or(Ok(false), |v| vm.truth(v))?;
    let f = text_layer(vm, ty, below, &TextOptions { encoding, errors, newline }, lines)?;
    f.write_through.set(through.map_or(Ok(false), |v| vm.truth(v))?);
    Ok(f.value())
}

fn memory(vm: &Vm, ty: Ref<Type>, layer: Layer, initial: Vec<u8>, newline: Newline) -> R<Value> {
    let mut core = Core::default();
    (core.fd, core.memory) = (-1, initial);
    (core.readable, core.writable) = (true, true);
    // SAFETY: zeroed fields are empty.
    let (below, name, mode) = unsafe { (std::mem::zeroed(), std::mem::zeroed(), std::mem::zeroed()) };
    let file = File {
        core: Rc::new(RefCell::new(core)),
        layer,
        closed: Cell::new(false),
        encoding: "utf-8".into(),
        errors: "surrogatepass".into(),
        newline,
        line_buffering: Cell::new(false),
        write_through: Cell::new(false),
        below,
        name,
        mode,
    };
    Ok(skein_runtime::types::ext::Ext::new(vm, ty, file)?.value())
}

fn new_bytes_io(vm: &Vm, args: Args<'_>) -> R<Value> {
    let (ty, [initial]) = bind(vm, args, "BytesIO", ["initial_bytes"])?;
    let initial = initial.map_or(Ok(Vec::new()), |v| super::super::support::bytes_of(vm, v))?;
    memory(vm, ty, Layer::Bytes, initial, Newline::Untranslated)
}

fn new_string_io(vm: &Vm, args: Args<'_>) -> R<Value> {
    let given = args.positional().len() > 2
        || args.keywords().any(|(k, _)| k.cast::<Str>().is_some_and(|k| k.bytes() == b"newline"));
    let (ty, [initial, newline]) = bind(vm, args, "StringIO", ["initial_value", "newline"])?;
    let newline = if given { parse_newline(vm, newline)? } else { Newline::Only(b"\n".to_vec()) };
    let initial = match initial {
        None => Vec::new(),
        Some(v) => match v.cast::<Str>() {
            Some(s) => s.bytes().to_vec(),
            None => {
                return Err(
                    vm.type_error(format!("initial_value must be str or None, not {}", vm.type_name(v)))
                );
            }
        },
    };
    memory(vm, ty, Layer::String, initial, newline)
}

native_functions! { FUNCTIONS:
    "open(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)" => open,
        "Open file and return a stream.  Raise OSError upon failure.";
    "open_code(path)" => open_code;
    "text_encoding(encoding, stacklevel=2, /)" => text_encoding;
}

fn text_encoding(vm: &Vm, encoding: Value, _level: Option<Value>) -> R<Value> {
    if encoding.is_none() { vm.str("locale") } else { Ok(encoding) }
}

fn open_code(vm: &Vm, path: Value) -> R<Value> {
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
    let given = |v: Option<Value>| v.filter(|v| !v.is_none());
    let (encoding, errors, newline, opener) = (given(encoding), given(errors), given(newline), given(opener));
    let letters = match mode {
        None => "r".to_string(),
        Some(m) => match m.cast::<Str>() {
            Some(s) => s.to_string_lossy().into_owned(),
            None => {
                return Err(
                    vm.type_error(format!("open() argument 'mode' must be str, not {}", vm.type_name(m)))
                );
            }
        },
    };
    let mut seen = std::collections::HashSet::new();
    if letters.chars().any(|c| !"rwxabt+".contains(c) || !seen.insert(c)) {
        return Err(vm.value_error(format!("invalid mode: '{letters}'")));
    }
    let (binary, text) = (letters.contains('b'), letters.contains('t'));
    if binary && text {
        return Err(vm.value_error("can't have text and binary mode at once"));
    }
    if letters.chars().filter(|c| "rwxa".contains(*c)).count() != 1 {
        return Err(vm.value_error("must have exactly one of create/read/write/append mode"));
    }
    if binary {
        for (v, name) in [(encoding, "an encoding"), (errors, "an errors"), (newline, "a newline")] {
            if v.is_some() {
                return Err(vm.value_error(format!("binary mode doesn't take {name} argument")));
            }
        }
    }
    let parsed = parse_mode(vm, &letters.replace(['b', 't'], ""))?;
    let raw = open_raw(vm, ty(vm, "FileIO")?, file, &parsed, close_fd.unwrap_or(true), opener)?;
    let buffering = buffering.unwrap_or(-1);
    let fd = raw.core.borrow().fd;
    // SAFETY: asks only.
    let line_buffering = buffering == 1 || (buffering < 0 && unsafe { libc::isatty(fd) } == 1);
    if buffering == 0 {
        if binary {
            return Ok(raw.value());
        }
        return Err(vm.value_error("can't have unbuffered text I/O"));
    }
    raw.core.borrow_mut().buffer_size = if buffering > 1 { buffering as usize } else { DEFAULT_BUFFER_SIZE };
    let buffered = layer(vm, buffered_type(vm, &parsed)?, raw, Layer::Buffered)?;
    if binary {
        return Ok(buffered.value());
    }
    let f = text_layer(
        vm,
        ty(vm, "TextIOWrapper")?,
        buffered,
        &TextOptions { encoding, errors, newline },
        line_buffering,
    )?;
    f.mode.set(vm, f, vm.str(&letters)?);
    Ok(f.value())
}

fn buffered_type(vm: &Vm, mode: &Mode) -> R<Ref<Type>> {
    ty(
        vm,
        match (mode.readable, mode.writable) {
            (true, true) => "BufferedRandom",
            (true, false) => "BufferedReader",
            _ => "BufferedWriter",
        },
    )
}

/// A standard stream; None where its descriptor is closed.
fn standard(vm: &Vm, fd: i32, name: &str, mode: &str, errors: &str) -> R<Value> {
    // SAFETY: asks only.
    if vm.config.closed[fd as usize] || unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Ok(Value::NONE);
    }
    let parsed = parse_mode(vm, mode)?;
    let raw = open_raw(vm, ty(vm, "FileIO")?, Value::small_int(fd.into()), &parsed, false, None)?;
    raw.name.set(vm, raw, vm.str(name)?);
    raw.core.borrow_mut().buffer_size = DEFAULT_BUFFER_SIZE;
    let buffered = layer(vm, buffered_type(vm, &parsed)?, raw, Layer::Buffered)?;
    // SAFETY: asks only.
    let lines = fd == 2 || unsafe { libc::isatty(fd) } == 1;
    let (encoding, handler) = &vm.config.io_encoding;
    // What shows errors must not fail.
    let errors = handler.as_deref().filter(|_| fd != 2).unwrap_or(errors);
    let encoding = match encoding {
        Some(name) => Some(vm.str(name)?),
        None => None,
    };
    let options = TextOptions { encoding, errors: Some(vm.str(errors)?), newline: None };
    let f = text_layer(vm, ty(vm, "TextIOWrapper")?, buffered, &options, lines)?;
    f.write_through.set(vm.config.unbuffered);
    f.mode.set(vm, f, vm.str(mode)?);
    Ok(f.value())
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
        }
    }
    fine
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_io", FUNCTIONS)?;
    ensure_types(vm)?;
    let d = m.dict();
    let state = vm.state::<State>();
    for t in state.bases.borrow().iter().chain(state.types.borrow().iter().map(|(_, _, t)| t)) {
        d.set_str(vm, t.name(), t.value())?;
    }
    d.set_name(vm, "DEFAULT_BUFFER_SIZE", Value::small_int(DEFAULT_BUFFER_SIZE as i64))?;
    d.set_name(vm, "BlockingIOError", vm.exc.blocking_io_error.value())?;
    let bases = vm.tuple(&[vm.exc.os_error.value(), vm.exc.value_error.value()])?;
    let namespace = skein_runtime::types::dict::Dict::new(vm)?;
    namespace.set_name(vm, "__module__", vm.str("io")?)?;
    let class =
        vm.call(vm.types.type_.value(), &[vm.str("UnsupportedOperation")?, bases, namespace.value()])?;
    state.unsupported.set(Some(class));
    vm.roots.borrow_mut().push(class);
    d.set_name(vm, "UnsupportedOperation", class)?;
    super::missing::add(vm, m)?;
    Ok(m)
}
