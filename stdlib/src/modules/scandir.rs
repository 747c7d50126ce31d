//! `os.scandir`: the entries of a folder with their kinds.

use super::io::path_bytes;
use skein_runtime::object::{Field, Kind, Tracer};
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::Cell;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};

struct Entry {
    name: Field,
    path: Field,
    system: PathBuf,
    /// As the folder tells it, links not followed.
    kind: Option<std::fs::FileType>,
    inode: u64,
}

impl Payload for Entry {
    const NAME: &'static str = "posix.DirEntry";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Entry { name, path, system: _, kind: _, inode: _ } = self;
        name.trace(t);
        path.trace(t);
    }
}

type This = ExtArg<Entry>;

native_type! {
    pub ENTRY: "posix.DirEntry", Kind::Ext, type_flags::NO_NEW;
    methods {
        "is_dir($self, /, *, follow_symlinks=True)" => |_: &Vm, e: This, follow: Option<bool>| is(&e.0, follow, |k| k.is_dir());
        "is_file($self, /, *, follow_symlinks=True)" => |_: &Vm, e: This, follow: Option<bool>| is(&e.0, follow, |k| k.is_file());
        "is_symlink($self, /)" => |_: &Vm, e: This| is(&e.0, Some(false), |k| k.is_symlink());
        "is_junction($self, /)" => |_: &Vm, _: This| false;
        "stat($self, /, *, follow_symlinks=True)" => stat;
        "inode($self, /)" => |vm: &Vm, e: This| vm.int_u64(e.0.inode);
        "__fspath__($self, /)" => |_: &Vm, e: This| e.0.path.value();
        "__repr__($self, /)" => |vm: &Vm, e: This| -> R<String> { Ok(format!("<DirEntry {}>", vm.repr_string(e.0.name.value())?)) };
    }
    getset {
        "name" => |_, v| Ok(v.cast::<Ext<Entry>>().map_or(Value::NONE, |e| e.name.value()));
        "path" => |_, v| Ok(v.cast::<Ext<Entry>>().map_or(Value::NONE, |e| e.path.value()));
    }
}

fn is(e: &Entry, follow: Option<bool>, what: fn(&std::fs::FileType) -> bool) -> bool {
    match e.kind {
        Some(k) if !k.is_symlink() || follow == Some(false) => what(&k),
        // A link that leads nowhere is nothing.
        _ => std::fs::metadata(&e.system).is_ok_and(|m| what(&m.file_type())),
    }
}

fn stat(vm: &Vm, e: This, follow: Option<bool>) -> R<Value> {
    let os = skein_builtins::modules::import(vm, "posix")?;
    let name = if follow.unwrap_or(true) { "stat" } else { "lstat" };
    vm.call_method(os, name, &[e.0.path.value()])
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

/// A name as text, bytes that are no UTF-8 escaped, or as bytes where the path is given so.
fn shown(vm: &Vm, path: &Path, as_bytes: bool) -> R<Value> {
    let bytes = path.as_os_str().as_bytes();
    if as_bytes {
        return vm.bytes(bytes);
    }
    let codec = skein_builtins::types::codecs::Codec::Utf8;
    Ok(skein_builtins::types::codecs::decode_with(vm, bytes, codec, Some("surrogateescape"))?.value())
}

/// `os.scandir(path='.')`. OSError.
pub fn scandir(vm: &Vm, path: Option<Value>) -> R<Value> {
    let given = path.filter(|p| !p.is_none());
    if given.is_some_and(|p| vm.is_int(p)) {
        return Err(vm.unsupported("os.scandir of a descriptor"));
    }
    let folder = match given {
        Some(p) => PathBuf::from(std::ffi::OsString::from_vec(path_bytes(vm, p)?.into_bytes())),
        None => PathBuf::from("."),
    };
    let as_bytes = given.is_some_and(|p| p.cast::<Bytes>().is_some() && p.cast::<Str>().is_none());
    let failed = |e: std::io::Error| vm.os_error(e.raw_os_error().unwrap_or(0), given);
    let list = List::with_capacity(vm, 0)?;
    let ty = ext_type(vm, &ENTRY)?;
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let system = folder.join(entry.file_name());
        let e = Entry {
            name: Field::new(Some(shown(vm, Path::new(&entry.file_name()), as_bytes)?)),
            path: Field::new(Some(shown(vm, &system, as_bytes)?)),
            kind: entry.file_type().ok(),
            inode: entry.ino(),
            system,
        };
        list.push(vm, Ext::new(vm, ty, e)?.value())?;
    }
    let it = Entries { list: Field::new(Some(list.value())), at: Cell::new(0) };
    Ok(Ext::new(vm, ext_type(vm, &ENTRIES)?, it)?.value())
}
