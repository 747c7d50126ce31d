//! The global interpreter lock: which thread runs, and who is next.
//!
//! ```text
//!  holder ── lets go, or is asked to ──> the next of:   urgent:  back from a blocking call
//!                                                       patient: were asked to let others run
//! ```
//! The lock is handed to the next thread directly, which alone is woken. A thread that comes back from
//! a blocking call goes before those that compute, but not for ever: one of these is next after
//! [`PATIENCE`] intervals at the latest.
//!
//! Whether the holder has run for too long is looked at by one more thread, the *ticker*, which runs
//! while there are several threads and sleeps while none of them waits. Its request is a bit of the
//! isolate's poll word, so that the running code pays nothing for it.

use crate::threads::futex;
use crate::threads::words::Asker;
use crate::vm::poll;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bit of a seat's word: the lock is this thread's.
const GRANTED: u32 = 1;
/// Bit of a seat's word: a signal has come in.
const SIGNAL: u32 = 2;
/// After so many intervals one of the patient threads is next, whoever else waits.
const PATIENCE: u32 = 2;
/// The default of `sys.setswitchinterval`.
const INTERVAL: Duration = Duration::from_millis(5);
/// The shortest turn, where very many threads compute.
const SHORTEST: Duration = Duration::from_micros(250);
/// The ticker looks at least so often, since the interval may be changed.
const LONGEST: Duration = Duration::from_millis(20);
/// How long after a request that was not heard it is made again.
const AGAIN: Duration = Duration::from_millis(1);

/// Where one thread waits.
#[derive(Default, Debug)]
pub struct Seat {
    word: AtomicU32,
    /// It waits for [`Gil::unpark`], not for the lock. Changed under the lock's mutex.
    parked: AtomicBool,
}

impl Seat {
    /// Ends a [`Gil::park`] that signals may interrupt. May be called in a signal handler.
    pub fn interrupt(&self) {
        self.word.fetch_or(SIGNAL, Ordering::AcqRel);
        futex::wake(&self.word);
    }
}

/// How a parked thread came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parked {
    Called,
    TimedOut,
    /// By a signal.
    Interrupted,
}

struct Inner {
    holder: Option<Arc<Seat>>,
    /// Since when.
    since: Instant,
    urgent: VecDeque<Arc<Seat>>,
    patient: VecDeque<Arc<Seat>>,
    /// When the last of the patient began to run, or the first began to wait.
    last_patient: Instant,
    /// One that is urgent has stood back for a patient one, and is next: however short the interval is, both go on.
    owed: bool,
    ticker: bool,
    /// The isolate is gone.
    over: bool,
    /// The thread that ends the program: no other gets the lock any more.
    last: Option<Arc<Seat>>,
}

impl Inner {
    fn is_free_for(&self, seat: &Arc<Seat>) -> bool {
        self.holder.is_none() && self.last.as_ref().is_none_or(|last| Arc::ptr_eq(last, seat))
    }

    fn hold(&mut self, seat: Option<Arc<Seat>>) {
        self.holder = seat;
        self.since = Instant::now();
    }

    fn is_wanted(&self) -> bool {
        self.last.is_none() && !(self.urgent.is_empty() && self.patient.is_empty())
    }

    /// Gives the lock to the next thread, or to nobody. The thread is to be woken.
    fn pass(&mut self, interval: Duration) -> Option<Arc<Seat>> {
        if let Some(last) = self.last.clone() {
            let asked = self.urgent.iter().chain(&self.patient).any(|s| Arc::ptr_eq(s, &last));
            self.urgent.retain(|s| !Arc::ptr_eq(s, &last));
            self.patient.retain(|s| !Arc::ptr_eq(s, &last));
            let next = asked.then_some(last);
            if let Some(seat) = &next {
                seat.word.fetch_or(GRANTED, Ordering::AcqRel);
            }
            self.hold(next.clone());
            return next;
        }
        let overdue = !self.owed
            && !self.patient.is_empty()
            && self.last_patient.elapsed() > interval.saturating_mul(PATIENCE);
        let next = match if overdue { None } else { self.urgent.pop_front() } {
            Some(seat) => {
                self.owed = false;
                Some(seat)
            }
            None => {
                self.owed = !self.urgent.is_empty();
                self.last_patient = Instant::now();
                self.patient.pop_front()
            }
        };
        if let Some(seat) = &next {
            seat.word.fetch_or(GRANTED, Ordering::AcqRel);
        }
        self.hold(next.clone());
        next
    }

    fn wait_urgent(&mut self, seat: &Arc<Seat>) {
        self.urgent.push_back(seat.clone());
    }

    fn wait_patient(&mut self, seat: &Arc<Seat>) {
        if self.patient.is_empty() {
            self.last_patient = Instant::now();
        }
        self.patient.push_back(seat.clone());
    }

    /// How long the holder may still run. With more threads the turns are shorter, so that none
    /// waits for much more than three intervals.
    fn time_left(&self, interval: Duration) -> Duration {
        let waiting = self.urgent.len() + self.patient.len();
        let turn = (interval * 3 / (waiting as u32 + 2)).max(SHORTEST).min(interval);
        turn.saturating_sub(self.since.elapsed())
    }
}

/// The lock.
pub struct Gil {
    inner: Mutex<Inner>,
    /// Microseconds.
    interval: AtomicU64,
    asker: Arc<Asker>,
    /// Where the ticker sleeps: 1 while it is to be awake.
    ticking: AtomicU32,
}

impl Gil {
    /// Was the thread made to let others run, and waits for its turn?
    pub fn is_patient(&self, seat: &Arc<Seat>) -> bool {
        self.lock().patient.iter().any(|s| Arc::ptr_eq(s, seat))
    }

    /// A lock that the thread of this seat holds.
    pub fn new(seat: &Arc<Seat>, asker: Arc<Asker>) -> Gil {
        let now = Instant::now();
        Gil {
            inner: Mutex::new(Inner {
                holder: Some(seat.clone()),
                since: now,
                urgent: VecDeque::new(),
                patient: VecDeque::new(),
                last_patient: now,
                owed: false,
                ticker: false,
                over: false,
                last: None,
            }),
            interval: AtomicU64::new(INTERVAL.as_micros() as u64),
            asker,
            ticking: AtomicU32::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What a panic could leave behind: nothing in here panics half-way.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `sys.setswitchinterval` has set.
    pub fn interval(&self) -> Duration {
        Duration::from_micros(self.interval.load(Ordering::Relaxed))
    }

    pub fn set_interval(&self, interval: Duration) {
        let micros = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX / 8).clamp(1, u64::MAX / 8);
        self.interval.store(micros, Ordering::Relaxed);
    }

    /// Takes the lock after a blocking call, or for the first time.
    pub fn take(&self, seat: &Arc<Seat>) {
        let mut inner = self.lock();
        if inner.is_free_for(seat) {
            return inner.hold(Some(seat.clone()));
        }
        inner.wait_urgent(seat);
        drop(inner);
        self.wait(seat);
    }

    /// From now on the lock is for this thread alone, which holds it.
    pub fn end_others(&self, seat: &Arc<Seat>) {
        self.lock().last = Some(seat.clone());
    }

    /// Lets go of the lock.
    pub fn release(&self) {
        let next = self.lock().pass(self.interval());
        if let Some(next) = next {
            futex::wake(&next.word);
        }
    }

    /// Lets those run that wait, then goes on. False: nobody did.
    pub fn yield_to_others(&self, seat: &Arc<Seat>) -> bool {
        let mut inner = self.lock();
        if !inner.is_wanted() {
            return false;
        }
        inner.wait_patient(seat);
        let next = inner.pass(self.interval());
        drop(inner);
        if let Some(next) = next {
            futex::wake(&next.word);
        }
        self.wait(seat);
        true
    }

    /// Waits for the lock, which has been asked for.
    fn wait(&self, seat: &Seat) {
        self.wake_ticker();
        loop {
            let word = seat.word.load(Ordering::Acquire);
            if word & GRANTED != 0 {
                break;
            }
            futex::wait(&seat.word, word, None);
        }
        seat.word.fetch_and(!GRANTED, Ordering::AcqRel);
    }

    /// Lets go of the lock until [`Gil::unpark`], the time's end, or a signal; and takes it again.
    pub fn park(&self, seat: &Arc<Seat>, until: Option<Instant>, interruptible: bool) -> Parked {
        let mut inner = self.lock();
        seat.parked.store(true, Ordering::Relaxed);
        let next = inner.pass(self.interval());
        drop(inner);
        if let Some(next) = next {
            futex::wake(&next.word);
        }
        let mut result = Parked::Called;
        loop {
            let word = seat.word.load(Ordering::Acquire);
            if word & GRANTED != 0 {
                break;
            }
            let left = until.map(|t| t.saturating_duration_since(Instant::now()));
            if left.is_some_and(|t| t.is_zero()) {
                result = Parked::TimedOut;
                break;
            }
            if interruptible && word & SIGNAL != 0 {
                result = Parked::Interrupted;
                break;
            }
            futex::wait(&seat.word, word, left);
        }
        if interruptible {
            seat.word.fetch_and(!SIGNAL, Ordering::AcqRel);
        }
        let mut inner = self.lock();
        if seat.parked.swap(false, Ordering::Relaxed) {
            // Nobody has called: it has to ask for the lock itself.
            if inner.is_free_for(seat) {
                inner.hold(Some(seat.clone()));
                return result;
            }
            inner.wait_urgent(seat);
        } else {
            result = Parked::Called;
        }
        drop(inner);
        self.wait(seat);
        result
    }

    /// The thread goes on as soon as the lock is free. To be called by the holder; a thread that is
    /// not parked takes no notice.
    pub fn unpark(&self, seat: &Arc<Seat>) {
        let mut inner = self.lock();
        if seat.parked.swap(false, Ordering::Relaxed) {
            inner.wait_urgent(seat);
            drop(inner);
            self.wake_ticker();
        }
    }

    /// Starts the ticker, if there is none. Fails where there can be no further thread.
    pub fn start_ticker(self: &Arc<Gil>) -> std::io::Result<()> {
        let mut inner = self.lock();
        if inner.ticker {
            return Ok(());
        }
        let gil = self.clone();
        let made = std::thread::Builder::new().name("ticker".into()).stack_size(64 << 10);
        without_signals(|| made.spawn(move || gil.tick()))?;
        inner.ticker = true;
        Ok(())
    }

    /// The isolate is gone: the ticker's thread ends.
    pub fn end_ticker(&self) {
        self.lock().over = true;
        if self.ticking.swap(1, Ordering::AcqRel) == 0 {
            futex::wake(&self.ticking);
        }
    }

    fn wake_ticker(&self) {
        if self.ticking.load(Ordering::Relaxed) == 0 && self.ticking.swap(1, Ordering::AcqRel) == 0 {
            futex::wake(&self.ticking);
        }
    }

    /// The ticker's loop.
    fn tick(&self) {
        /// Turns without anybody waiting, after which it sleeps.
        const IDLE: u32 = 20;
        let mut idle = 0;
        loop {
            let interval = self.interval();
            let inner = self.lock();
            if inner.over {
                return;
            }
            let wanted = inner.is_wanted();
            let left = inner.time_left(interval);
            drop(inner);
            if wanted {
                idle = 0;
                if left.is_zero() {
                    self.asker.ask(poll::THREAD);
                }
                std::thread::sleep(left.max(AGAIN.min(interval)).min(LONGEST));
                continue;
            }
            idle += 1;
            if idle <= IDLE {
                std::thread::sleep(interval.min(INTERVAL));
                continue;
            }
            idle = 0;
            self.ticking.store(0, Ordering::Release);
            // Who began to wait before that was stored is seen here; others wake it.
            if !self.lock().is_wanted() {
                while self.ticking.load(Ordering::Acquire) == 0 {
                    futex::wait(&self.ticking, 0, None);
                }
            }
            self.ticking.store(1, Ordering::Release);
        }
    }

    /// Forks while nobody changes the lock. In the child the forking thread is the only one.
    pub fn fork(&self, fork: impl FnOnce() -> i32) -> i32 {
        let mut inner = self.lock();
        let pid = fork();
        if pid == 0 {
            inner.urgent.clear();
            inner.patient.clear();
            inner.ticker = false;
            inner.last = None;
            self.ticking.store(0, Ordering::Relaxed);
        }
        pid
    }
}

/// Starts a thread that takes no signals, so that these come to those of the program.
pub fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    // SAFETY: sets are plain data; the thread's own mask is put back.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        let result = start();
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
        result
    }
}
