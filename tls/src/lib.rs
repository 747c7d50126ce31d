//! TLS for the module `_ssl`, without input and output and without Python: contexts, connections, certificates and whom to
//! trust, on `rustls`.
//!
//! ```text
//! context      settings, keys, what is trusted: from these connections are made
//! connection   bytes in, bytes out; handshake, data, end
//! keys, pem    certificates with private keys, and the files they are in
//! certificate, objects   what certificates say
//! store, trust, verify, constraints, hostname   is a peer's certificate accepted?
//! binding      tls-unique
//! ciphers      suites, and lists of them
//! session      taking up sessions again
//! watch        what passes in plain text
//! faults       errors in the words that Python programs know
//! ```

mod binding;
pub mod certificate;
pub mod ciphers;
pub mod connection;
mod constraints;
pub mod context;
pub mod faults;
pub mod hostname;
pub mod keys;
pub mod objects;
pub mod pem;
pub mod session;
pub mod store;
pub mod trust;
pub mod verify;
pub mod watch;

use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Fills a row with random bytes. False: the system has none.
pub fn random(into: &mut [u8]) -> bool {
    rustls::crypto::ring::default_provider().secure_random.fill(into).is_ok()
}

/// Locks, also after a panic: each change under these locks is whole at every moment.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(|poisoned| poisoned.into_inner())
}
fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(|poisoned| poisoned.into_inner())
}
