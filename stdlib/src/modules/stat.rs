//! `_stat`: what the bits of a file's mode say.

use skein_runtime::object::Ref;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::{R, Vm, native_functions};

const KIND: i64 = libc::S_IFMT as i64;

native_functions! { FUNCTIONS:
    "S_IFMT(mode, /)" => |vm: &Vm, mode: i64| Ok(mode_of(vm, mode)? & KIND), "Return the portion of the file's mode that describes the file type.";
    "S_IMODE(mode, /)" => |vm: &Vm, mode: i64| Ok(mode_of(vm, mode)? & 0o7777), "Return the portion of the file's mode that can be set by os.chmod().";
    "S_ISBLK(mode, /)" => |vm: &Vm, mode: i64| is(vm, mode, libc::S_IFBLK), "S_ISBLK(mode) -> bool\n\nReturn True if mode is from a block special device file.";
    "S_ISCHR(mode, /)" => |vm: &Vm, mode: i64| is(vm, mode, libc::S_IFCHR), "S_ISCHR(mode) -> bool\n\nReturn True if mode is from a character special device file.";
    "S_ISDIR(mode, /)" => |vm: &Vm, mode: i64| is(vm, mode, libc::S_IFDIR), "S_ISDIR(mode) -> bool\n\nReturn True if mode is from a directory.";
    "S_ISFIFO(mode, /)" => |vm: &Vm, mode: i64| is(vm, mode, libc::S_IFIFO), "S_ISFIFO(mode) -> bool\n\nReturn True if mode is from a FIFO (named pipe).";
    "S_ISLNK(mode, /)" => |vm: &Vm, mode: i64| is(vm, mode, libc::S_IFLNK), "S_ISLNK(mode) -> bool\n\nReturn True if mode is from a symbolic link.";
    "S_ISREG(mode, /)" => |vm: &Vm, mode: i64| is(vm, mode, libc::S_IFREG), "S_ISREG(mode) -> bool\n\nReturn True if mode is from a regular file.";
    "S_ISSOCK(mode, /)" => |vm: &Vm, mode: i64| is(vm, mode, libc::S_IFSOCK), "S_ISSOCK(mode) -> bool\n\nReturn True if mode is from a socket.";
    "S_ISDOOR(mode, /)" => |vm: &Vm, mode: i64| mode_of(vm, mode).map(|_| false), "S_ISDOOR(mode) -> bool\n\nReturn True if mode is from a door.";
    "S_ISPORT(mode, /)" => |vm: &Vm, mode: i64| mode_of(vm, mode).map(|_| false), "S_ISPORT(mode) -> bool\n\nReturn True if mode is from an event port.";
    "S_ISWHT(mode, /)" => |vm: &Vm, mode: i64| mode_of(vm, mode).map(|_| false), "S_ISWHT(mode) -> bool\n\nReturn True if mode is from a whiteout.";
    "filemode(mode, /)" => filemode, "Convert a file's mode to a string of the form '-rwxrwxrwx'";
}

/// Kinds of files that Linux does not have are 0.
#[rustfmt::skip]
const NUMBERS: &[(&str, i64)] = &[
    ("S_IFDIR", libc::S_IFDIR as i64), ("S_IFCHR", libc::S_IFCHR as i64), ("S_IFBLK", libc::S_IFBLK as i64),
    ("S_IFREG", libc::S_IFREG as i64), ("S_IFIFO", libc::S_IFIFO as i64), ("S_IFLNK", libc::S_IFLNK as i64),
    ("S_IFSOCK", libc::S_IFSOCK as i64), ("S_IFDOOR", 0), ("S_IFPORT", 0), ("S_IFWHT", 0),
    ("S_ISUID", 0o4000), ("S_ISGID", 0o2000), ("S_ISVTX", 0o1000), ("S_ENFMT", 0o2000),
    ("S_IREAD", 0o400), ("S_IWRITE", 0o200), ("S_IEXEC", 0o100),
    ("S_IRWXU", 0o700), ("S_IRUSR", 0o400), ("S_IWUSR", 0o200), ("S_IXUSR", 0o100),
    ("S_IRWXG", 0o70), ("S_IRGRP", 0o40), ("S_IWGRP", 0o20), ("S_IXGRP", 0o10),
    ("S_IRWXO", 0o7), ("S_IROTH", 0o4), ("S_IWOTH", 0o2), ("S_IXOTH", 0o1),
    ("ST_MODE", 0), ("ST_INO", 1), ("ST_DEV", 2), ("ST_NLINK", 3), ("ST_UID", 4), ("ST_GID", 5), ("ST_SIZE", 6),
    ("ST_ATIME", 7), ("ST_MTIME", 8), ("ST_CTIME", 9),
    ("UF_SETTABLE", 0xffff), ("UF_NODUMP", 1), ("UF_IMMUTABLE", 2), ("UF_APPEND", 4), ("UF_OPAQUE", 8),
    ("UF_NOUNLINK", 0x10), ("UF_COMPRESSED", 0x20), ("UF_TRACKED", 0x40), ("UF_DATAVAULT", 0x80), ("UF_HIDDEN", 0x8000),
    ("SF_SETTABLE", 0xffff_0000), ("SF_ARCHIVED", 0x1_0000), ("SF_IMMUTABLE", 0x2_0000), ("SF_APPEND", 0x4_0000),
    ("SF_NOUNLINK", 0x10_0000), ("SF_SNAPSHOT", 0x20_0000), ("SF_FIRMLINK", 0x80_0000), ("SF_DATALESS", 0x4000_0000),
];

/// OverflowError: no system has such a mode.
fn mode_of(vm: &Vm, mode: i64) -> R<i64> {
    match u32::try_from(mode) {
        Ok(_) => Ok(mode),
        Err(_) if mode < 0 => Err(vm.overflow_error("can't convert negative value to unsigned int")),
        Err(_) => Err(vm.overflow_error("mode out of range")),
    }
}

fn is(vm: &Vm, mode: i64, kind: libc::mode_t) -> R<bool> {
    Ok(mode_of(vm, mode)? & KIND == i64::from(kind))
}

fn filemode(vm: &Vm, mode: i64) -> R<String> {
    let mode = mode_of(vm, mode)?;
    let kind = match (mode & KIND) as libc::mode_t {
        libc::S_IFREG => '-',
        libc::S_IFDIR => 'd',
        libc::S_IFLNK => 'l',
        libc::S_IFBLK => 'b',
        libc::S_IFCHR => 'c',
        libc::S_IFIFO => 'p',
        libc::S_IFSOCK => 's',
        _ => '?',
    };
    let mut text = String::from(kind);
    // Who the three bits are for, the bit that shows in place of `x`, and its letter.
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bit = |b: i64| mode >> shift & b != 0;
        text.push(if bit(4) { 'r' } else { '-' });
        text.push(if bit(2) { 'w' } else { '-' });
        text.push(match (mode & special != 0, bit(1)) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    Ok(text)
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_stat", FUNCTIONS)?;
    for &(name, n) in NUMBERS {
        m.dict().set_name(vm, name, vm.int(n)?)?;
    }
    Ok(m)
}
