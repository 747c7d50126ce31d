//! Files whose state is watched: the system tells of changes (inotify), and they are looked at now and then besides.

use super::poller::READ;
use super::state::{Kind, LoopRef, Watcher, WatcherRef, events, feed};
use skein_runtime::types::bytes::Bytes;
use std::ffi::CString;

/// How often files are looked at, in seconds: where nothing was asked for, and at most.
const DEFAULT_INTERVAL: f64 = 5.0074891;
const SHORTEST_INTERVAL: f64 = 0.1074891;

/// Place of the descriptor that the system tells of changes by: of no watcher.
pub const INOTIFY: u32 = u32::MAX - 1;

fn path(w: &Watcher) -> Option<CString> {
    CString::new(w.path.cast::<Bytes>()?.bytes()).ok()
}

/// A file's state; one that is missing has no links.
pub fn look(w: &Watcher) -> libc::stat {
    // SAFETY: plain data out; the path ends with a null.
    unsafe {
        let mut st: libc::stat = std::mem::zeroed();
        if path(w).is_none_or(|p| libc::lstat(p.as_ptr(), &mut st) != 0) {
            st = std::mem::zeroed();
        }
        st
    }
}

fn differ(a: &libc::stat, b: &libc::stat) -> bool {
    let key = |s: &libc::stat| {
        let times = (s.st_atime, s.st_atime_nsec, s.st_mtime, s.st_mtime_nsec, s.st_ctime, s.st_ctime_nsec);
        ((s.st_dev, s.st_ino, s.st_mode, s.st_nlink), (s.st_uid, s.st_gid, s.st_rdev, s.st_size), times)
    };
    key(a) != key(b)
}

fn interval(w: &Watcher) -> f64 {
    match w.repeat.get() {
        0.0 => DEFAULT_INTERVAL,
        t => t,
    }
}

/// Asks the system to tell of changes of the file and of those in its folder.
fn ask(event_loop: LoopRef, w: &Watcher) {
    if event_loop.inotify.get() < 0 {
        // SAFETY: a plain call.
        let fd = unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) };
        if fd < 0 {
            // The file is looked at now and then.
            return;
        }
        event_loop.inotify.set(fd);
        event_loop.poller.borrow_mut().add(fd, INOTIFY, READ, true);
    }
    let Some(path) = path(w) else { return };
    let folder = match path.as_bytes().iter().rposition(|&b| b == b'/') {
        None => c".".to_owned(),
        Some(0) => c"/".to_owned(),
        Some(n) => CString::new(&path.as_bytes()[..n]).unwrap_or_default(),
    };
    let changes = libc::IN_ATTRIB | libc::IN_MODIFY | libc::IN_DELETE_SELF | libc::IN_MOVE_SELF;
    let names = libc::IN_CREATE | libc::IN_DELETE | libc::IN_MOVED_FROM | libc::IN_MOVED_TO;
    for (path, mask) in [(path, changes | libc::IN_DONT_FOLLOW), (folder, names)] {
        // SAFETY: the path ends with a null. A file that is missing is told of by its folder.
        unsafe { libc::inotify_add_watch(event_loop.inotify.get(), path.as_ptr(), mask | libc::IN_MASK_ADD) };
    }
}

pub fn begin(event_loop: LoopRef, w: WatcherRef) {
    if w.repeat.get() != 0.0 {
        w.repeat.set(w.repeat.get().max(SHORTEST_INTERVAL));
    }
    let now = look(&w);
    *w.stats.borrow_mut() = Some(Box::new((now, now)));
    w.at.set(event_loop.monotonic.get() + interval(&w));
    ask(event_loop, &w);
}

/// The system has told of changes.
pub fn changed(event_loop: LoopRef) {
    let mut room = [0u8; 4096];
    // SAFETY: the room is as long as said; the descriptor does not block.
    while unsafe { libc::read(event_loop.inotify.get(), room.as_mut_ptr().cast(), room.len()) } > 0 {}
    for w in event_loop.all(Kind::Stat) {
        compare(event_loop, w);
    }
}

/// Looks at those files whose time has come.
pub fn poll(event_loop: LoopRef) {
    for w in event_loop.all(Kind::Stat) {
        if w.at.get() <= event_loop.monotonic.get() {
            compare(event_loop, w);
        }
    }
}

fn compare(event_loop: LoopRef, w: WatcherRef) {
    w.at.set(event_loop.monotonic.get() + interval(&w));
    let new = look(&w);
    let mut stats = w.stats.borrow_mut();
    let Some(pair) = stats.as_mut() else { return };
    if differ(&pair.0, &new) {
        **pair = (new, pair.0);
        drop(stats);
        // The name may stand for another file now.
        ask(event_loop, &w);
        feed(event_loop, w, events::STAT, false);
    }
}

/// When the next file is to be looked at.
pub fn next(event_loop: LoopRef) -> Option<f64> {
    event_loop.all(Kind::Stat).iter().map(|w| w.at.get()).min_by(f64::total_cmp)
}
