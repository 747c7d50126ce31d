//! Which descriptors are ready: epoll, level-triggered, with one system call per wait.
//!
//! A descriptor stays registered when nobody waits for it any more, since as a rule somebody soon will again; if it
//! then becomes ready in vain, it is taken out. So a connection that reads, handles and reads again costs no
//! calls besides the waiting itself.

use rustc_hash::FxHashMap;
use std::time::Duration;

pub const READ: i32 = 1;
pub const WRITE: i32 = 2;

/// A descriptor with its watchers.
#[derive(Default)]
struct Entry {
    /// The watchers' places in the loop, and what each waits for.
    watchers: Vec<(u32, i32)>,
    /// What the system was asked to tell.
    registered: i32,
    /// It is in `changed`.
    listed: bool,
    /// The number may stand for another file than the one that was registered.
    renewed: bool,
    /// A file that the system does not poll: it is always ready.
    always: bool,
    /// Tells events of the file before, if a descriptor was registered anew, from those of this one.
    serial: u32,
}

impl Entry {
    fn wanted(&self) -> i32 {
        self.watchers.iter().fold(0, |all, &(_, events)| all | events)
    }
}

/// What the loop is told.
pub enum Found {
    /// The descriptor is ready for this.
    Ready(i32, i32),
    /// The system refuses to watch it.
    Bad(i32),
}

pub struct Poller {
    epoll: i32,
    /// An eventfd: written to by signals and by other threads.
    wake: i32,
    fds: FxHashMap<i32, Entry>,
    changed: Vec<i32>,
    always: usize,
    events: Vec<libc::epoll_event>,
    /// `epoll_pwait2` is missing.
    coarse: bool,
}

/// The events' word of the eventfd.
const WAKE: u64 = u64::MAX;
/// Events of one wait.
const ROOM: usize = 256;

fn checked(n: i32) -> std::io::Result<i32> {
    if n < 0 { Err(std::io::Error::last_os_error()) } else { Ok(n) }
}

impl Poller {
    pub fn new() -> std::io::Result<Poller> {
        let mut poller = Poller {
            epoll: -1,
            wake: -1,
            fds: FxHashMap::default(),
            changed: Vec::new(),
            always: 0,
            // bounded: by ROOM
            events: vec![libc::epoll_event { events: 0, u64: 0 }; ROOM],
            coarse: false,
        };
        poller.open()?;
        Ok(poller)
    }

    fn open(&mut self) -> std::io::Result<()> {
        // SAFETY: plain calls; the event is read only.
        unsafe {
            self.epoll = checked(libc::epoll_create1(libc::EPOLL_CLOEXEC))?;
            self.wake = checked(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK))?;
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: WAKE };
            checked(libc::epoll_ctl(self.epoll, libc::EPOLL_CTL_ADD, self.wake, &mut event))?;
        }
        Ok(())
    }

    pub fn close(&mut self) {
        for fd in [&mut self.epoll, &mut self.wake] {
            if *fd >= 0 {
                // SAFETY: this object's descriptor.
                unsafe { libc::close(*fd) };
            }
            *fd = -1;
        }
    }

    /// Begins anew with all that is watched: in a child process, whose epoll is the parent's, or where the system's
    /// list has what cannot be taken out of it.
    pub fn reopen(&mut self) -> std::io::Result<()> {
        self.close();
        for (&fd, entry) in &mut self.fds {
            if entry.registered != 0 || !entry.watchers.is_empty() {
                entry.registered = 0;
                if !std::mem::replace(&mut entry.listed, true) {
                    self.changed.push(fd);
                }
            }
        }
        self.open()
    }

    pub fn epoll_fd(&self) -> i32 {
        self.epoll
    }

    pub fn wake_fd(&self) -> i32 {
        self.wake
    }

    fn change(&mut self, fd: i32, f: impl FnOnce(&mut Entry)) {
        let entry = self.fds.entry(fd).or_default();
        f(entry);
        if !std::mem::replace(&mut entry.listed, true) {
            self.changed.push(fd);
        }
    }

    pub fn add(&mut self, fd: i32, place: u32, events: i32, renewed: bool) {
        self.change(fd, |entry| {
            entry.watchers.push((place, events));
            entry.renewed |= renewed;
        });
    }

    pub fn remove(&mut self, fd: i32, place: u32) {
        let Some(entry) = self.fds.get_mut(&fd) else { return };
        entry.watchers.retain(|&(p, _)| p != place);
        if entry.watchers.is_empty() && entry.always {
            entry.always = false;
            self.always -= 1;
        }
        if entry.watchers.is_empty() && entry.registered == 0 && !entry.listed {
            self.fds.remove(&fd);
        }
    }

    /// The watchers of a descriptor that wait for one of these events.
    pub fn watchers(&self, fd: i32, events: i32) -> impl Iterator<Item = (u32, i32)> + '_ {
        let all = self.fds.get(&fd).map_or(&[][..], |entry| &entry.watchers);
        all.iter().filter_map(move |&(place, wanted)| match wanted & events {
            0 => None,
            both => Some((place, both)),
        })
    }

    fn control(&mut self, op: i32, fd: i32, mask: i32, serial: u32) -> i32 {
        let mut bits = 0;
        if mask & READ != 0 {
            bits |= libc::EPOLLIN;
        }
        if mask & WRITE != 0 {
            bits |= libc::EPOLLOUT;
        }
        let word = u64::from(serial) << 32 | u64::from(fd as u32);
        let mut event = libc::epoll_event { events: bits as u32, u64: word };
        // SAFETY: plain data in.
        match unsafe { libc::epoll_ctl(self.epoll, op, fd, &mut event) } {
            0 => 0,
            _ => std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL),
        }
    }

    /// Registers `mask` for a descriptor; an errno, or 0.
    fn register(&mut self, fd: i32, was: i32, mask: i32, serial: u32) -> i32 {
        let op = if was == 0 { libc::EPOLL_CTL_ADD } else { libc::EPOLL_CTL_MOD };
        match self.control(op, fd, mask, serial) {
            libc::ENOENT if was != 0 => self.control(libc::EPOLL_CTL_ADD, fd, mask, serial),
            libc::EEXIST if was == 0 => self.control(libc::EPOLL_CTL_MOD, fd, mask, serial),
            errno => errno,
        }
    }

    /// Tells the system what has changed, and `found` of descriptors that it does not watch.
    fn apply_changes(&mut self, found: &mut Vec<Found>) {
        for fd in std::mem::take(&mut self.changed) {
            let Some(entry) = self.fds.get_mut(&fd) else { continue };
            entry.listed = false;
            let (wanted, was) = (entry.wanted(), entry.registered);
            if wanted == 0 {
                if was == 0 {
                    self.fds.remove(&fd);
                }
                continue;
            }
            let renewed = std::mem::take(&mut entry.renewed);
            if (entry.always || wanted & !was == 0) && !renewed {
                continue;
            }
            if std::mem::take(&mut entry.always) {
                self.always -= 1;
            }
            entry.serial = entry.serial.wrapping_add(1);
            let serial = entry.serial;
            let errno = self.register(fd, was, wanted, serial);
            let Some(entry) = self.fds.get_mut(&fd) else { continue };
            entry.registered = if errno == 0 { wanted } else { 0 };
            match errno {
                0 => {}
                libc::EPERM => {
                    entry.always = true;
                    self.always += 1;
                }
                _ => found.push(Found::Bad(fd)),
            }
        }
    }

    /// Prepares a wait: what the system is to be told. True: something is found already.
    pub fn prepare(&mut self, found: &mut Vec<Found>) -> bool {
        self.apply_changes(found);
        if self.always > 0 {
            let ready = self.fds.iter().filter(|(_, entry)| entry.always);
            found.extend(ready.map(|(&fd, entry)| Found::Ready(fd, entry.wanted())));
        }
        !found.is_empty()
    }

    /// What waits, for a closure that runs without the isolate's lock.
    pub fn waiting(&mut self, timeout: Option<Duration>) -> Wait {
        Wait { epoll: self.epoll, events: std::mem::take(&mut self.events), timeout, coarse: self.coarse }
    }

    /// Takes a wait's result. True: the eventfd was written to.
    pub fn waited(&mut self, wait: Wait, n: usize, found: &mut Vec<Found>) -> bool {
        self.coarse = wait.coarse;
        self.events = wait.events;
        let mut woken = false;
        let mut stuck = false;
        for i in 0..n {
            let event = self.events[i];
            if event.u64 == WAKE {
                let mut count = 0u64;
                // SAFETY: eight bytes of room; the descriptor does not block.
                unsafe { libc::read(self.wake, (&raw mut count).cast(), 8) };
                woken = true;
                continue;
            }
            let (fd, serial, bits) = (event.u64 as u32 as i32, (event.u64 >> 32) as u32, event.events as i32);
            let Some(entry) = self.fds.get_mut(&fd) else { continue };
            if entry.serial != serial {
                // Of a file that had the number before, and is still open elsewhere.
                stuck = true;
                continue;
            }
            let failed = bits & (libc::EPOLLERR | libc::EPOLLHUP) != 0;
            let mut ready = 0;
            if bits & libc::EPOLLIN != 0 || failed {
                ready |= READ;
            }
            if bits & libc::EPOLLOUT != 0 || failed {
                ready |= WRITE;
            }
            let (wanted, was) = (entry.wanted(), entry.registered);
            if was & !wanted & ready != 0 || wanted == 0 {
                // Nobody waits for that any more.
                entry.registered = wanted;
                let op = if wanted == 0 { libc::EPOLL_CTL_DEL } else { libc::EPOLL_CTL_MOD };
                stuck |= self.control(op, fd, wanted, serial) != 0;
                if wanted == 0 && self.fds.get(&fd).is_some_and(|e| !e.listed) {
                    self.fds.remove(&fd);
                }
            }
            if ready & wanted != 0 {
                found.push(Found::Ready(fd, ready & wanted));
            }
        }
        // Where there is no room for a new one, the old one goes on and is asked again.
        if stuck {
            let _ = self.reopen();
        }
        woken
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.close();
    }
}

/// A wait under way, apart from the poller.
pub struct Wait {
    epoll: i32,
    events: Vec<libc::epoll_event>,
    timeout: Option<Duration>,
    coarse: bool,
}

impl Wait {
    /// Waits: the number of events, or what the system says.
    pub fn run(&mut self) -> std::io::Result<usize> {
        let n = self.events.len() as i32;
        if let (Some(t), false) = (self.timeout, self.coarse)
            && !t.is_zero()
        {
            let time =
                libc::timespec { tv_sec: t.as_secs().min(1 << 30) as _, tv_nsec: t.subsec_nanos().into() };
            // SAFETY: the row has room for `n` events; the time is read only.
            let r = unsafe {
                let none = std::ptr::null::<libc::sigset_t>();
                libc::syscall(libc::SYS_epoll_pwait2, self.epoll, self.events.as_mut_ptr(), n, &time, none, 8)
            };
            match std::io::Error::last_os_error() {
                e if r < 0 && e.raw_os_error() == Some(libc::ENOSYS) => self.coarse = true,
                e if r < 0 => return Err(e),
                _ => return Ok(r as usize),
            }
        }
        // Rounded up, so as not to come back early.
        let ms = |t: Duration| t.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32;
        // SAFETY: the row has room for `n` events.
        let r =
            unsafe { libc::epoll_wait(self.epoll, self.events.as_mut_ptr(), n, self.timeout.map_or(-1, ms)) };
        checked(r).map(|n| n as usize)
    }
}
