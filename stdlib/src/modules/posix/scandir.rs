//! `os.scandir`: the entries of a folder with their kinds.

use super::arguments::{DirFd, Path, Place, PlaceOrHere, null_byte, path_like};
use super::files::{names_of, open_folder};
use skein_runtime::object::{Field, Kind, Tracer};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::Cell;
use std::ffi::CString;

struct Entry {
    name: Field,
    path: Field,
    /// For the system: relative to the folder.
    system: CString,
    folder: i32,
    /// As the folder tells it (`DT_…`), links not followed.
    kind: u8,
    inode: u64,
}

impl Payload for Entry {
    const NAME: &'static str = "posix.DirEntry";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Entry { name, path, system: _, folder: _, kind: _, inode: _ } = self;
        name.trace(t);
        path.trace(t);
    }
}

type This = ExtArg<Entry>;

native_type! {
    pub ENTRY: "posix.DirEntry", Kind::Ext, type_flags::NO_NEW;
    methods {
        "is_dir($self, /, *, follow_symlinks=True)" => |vm: &Vm, e: This, follow: Option<bool>| is(vm, &e.0, follow, libc::S_IFDIR);
        "is_file($self, /, *, follow_symlinks=True)" => |vm: &Vm, e: This, follow: Option<bool>| is(vm, &e.0, follow, libc::S_IFREG);
        "is_symlink($self, /)" => |vm: &Vm, e: This| is(vm, &e.0, Some(false), libc::S_IFLNK);
        "is_junction($self, /)" => |_: &Vm, _: This| false;
        "stat($self, /, *, follow_symlinks=True)" => stat;
        "inode($self, /)" => |vm: &Vm, e: This| vm.int_u64(e.0.inode);
        "__fspath__($self, /)" => |_: &Vm, e: This| e.0.path.value();
        [class] "__class_getitem__($type, object, /)" => class_item, "See PEP 585";
        "__repr__($self, /)" => |vm: &Vm, e: This| -> R<String> { Ok(format!("<DirEntry {}>", vm.repr_string(e.0.name.value())?)) };
    }
    getset {
        "name" => |_: &Vm, v: Value| Ok(v.cast::<Ext<Entry>>().map_or(Value::NONE, |e| e.name.value()));
        "path" => |_: &Vm, v: Value| Ok(v.cast::<Ext<Entry>>().map_or(Value::NONE, |e| e.path.value()));
    }
}

/// Is it of this kind? What does not exist is nothing. OSError.
fn is(vm: &Vm, e: &Entry, follow: Option<bool>, format: libc::mode_t) -> R<bool> {
    let follow = follow.unwrap_or(true);
    let known = match e.kind {
        libc::DT_DIR => Some(libc::S_IFDIR),
        libc::DT_REG => Some(libc::S_IFREG),
        libc::DT_LNK => Some(libc::S_IFLNK),
        libc::DT_UNKNOWN => None,
        _ => Some(0),
    };
    if let Some(known) = known
        && (known != libc::S_IFLNK || !follow)
    {
        return Ok(known == format);
    }
    // SAFETY: plain data; a C string in, plain data out.
    let (done, st) = unsafe {
        let mut st: libc::stat = std::mem::zeroed();
        let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
        (libc::fstatat(e.folder, e.system.as_ptr(), &mut st, flags), st)
    };
    match done {
        0 => Ok(st.st_mode & libc::S_IFMT == format),
        _ if std::io::Error::last_os_error().raw_os_error() == Some(libc::ENOENT) => Ok(false),
        _ => Err(vm.last_os_error(e.path.get())),
    }
}

fn stat(vm: &Vm, e: This, follow: Option<bool>) -> R<Value> {
    let path = Path { bytes: e.0.system.clone(), object: e.0.path.value() };
    let flags = if follow.unwrap_or(true) { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    super::stats::stat_at(vm, &path, DirFd(e.0.folder), flags)
}

fn class_item(vm: &Vm, class: Value, item: Value) -> R<Value> {
    let types = skein_builtins::modules::import(vm, "types")?;
    vm.call_method(types, "GenericAlias", &[class, item])
}

struct Entries {
    list: Field,
    at: Cell<usize>,
}

impl Payload for Entries {
    const NAME: &'static str = "posix.ScandirIterator";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Entries { list, at: _ } = self;
        list.trace(t);
    }
}

native_type! {
    ENTRIES: "posix.ScandirIterator", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next;
        "__enter__($self, /)" => |_: &Vm, it: Value| it;
        "__exit__($self, /, *args)" => |_: &Vm, args: Args<'_>| if let Some(it) = args.positional().first().and_then(|v| v.cast::<Ext<Entries>>()) { it.at.set(usize::MAX) };
        "close($self, /)" => |_: &Vm, it: ExtArg<Entries>| it.0.at.set(usize::MAX);
    }
}

fn next(vm: &Vm, it: ExtArg<Entries>) -> Value {
    let at = it.0.at.get();
    match it.0.list.cast::<List>().and_then(|l| l.get(at)) {
        Some(v) => {
            it.0.at.set(at + 1);
            v
        }
        None => vm.stop(),
    }
}

/// `os.scandir(path='.')`. OSError.
pub fn scandir(vm: &Vm, path: Option<PlaceOrHere>) -> R<Value> {
    let place = path.unwrap_or_else(PlaceOrHere::here).0;
    vm.audit("os.scandir", || vm.tuple(&[place.object()]))?;
    let (folder, as_bytes) = match &place {
        Place::Path(p) => (p.c().to_bytes(), p.is_bytes()),
        Place::Fd(..) => (&b""[..], false),
    };
    let fd = if let Place::Fd(fd, _) = place { Some(fd) } else { None };
    let dir = open_folder(vm, &place)?;
    let list = List::with_capacity(vm, 0)?;
    let ty = ext_type(vm, &ENTRY)?;
    names_of(vm, dir, |entry, name| {
        let mut full = folder.to_vec();
        if !full.is_empty() && !full.ends_with(b"/") {
            full.push(b'/');
        }
        full.extend_from_slice(name);
        let shown = path_like(vm, as_bytes, name)?;
        let e = Entry {
            name: Field::new(Some(shown)),
            path: Field::new(Some(if fd.is_some() { shown } else { path_like(vm, as_bytes, &full)? })),
            system: CString::new(full).map_err(|_| null_byte(vm))?,
            folder: fd.unwrap_or(libc::AT_FDCWD),
            kind: entry.d_type,
            inode: entry.d_ino,
        };
        list.push(vm, Ext::new(vm, ty, e)?.value())
    })?;
    let it = Entries { list: Field::new(Some(list.value())), at: Cell::new(0) };
    Ok(Ext::new(vm, ext_type(vm, &ENTRIES)?, it)?.value())
}
