//! Sessions that are taken up again: what a client keeps of a connection, and what a server does.

use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};
use rustls::{NamedGroup, crypto};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// As many tickets are kept of one session.
const MAX_TICKETS: usize = 8;
/// OpenSSL's time until a session is forgotten, in seconds.
const TIMEOUT: u64 = 7200;

/// A client's session. The connection that began it adds the tickets that the server sends later.
#[derive(Debug)]
pub struct Session {
    pub id: [u8; 32],
    /// Seconds since 1970.
    pub time: u64,
    pub timeout: u64,
    kept: Arc<Kept>,
}

/// What rustls gave to be kept. One that belongs to a connection.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Values>);

#[derive(Debug, Default)]
struct Values {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tls13: VecDeque<Tls13ClientSessionValue>,
}

impl Session {
    /// A new session of a connection that keeps its values there.
    pub fn new(kept: Arc<Kept>) -> Session {
        let mut id = [0; 32];
        if crypto::ring::default_provider().secure_random.fill(&mut id).is_err() {
            // Without random numbers no handshake comes to its end; the time is good enough for a name.
            id[..8].copy_from_slice(&now().to_be_bytes());
        }
        Session { id, time: now(), timeout: TIMEOUT, kept }
    }

    /// The same session as it goes on in another connection.
    pub fn continued(&self) -> Session {
        Session { id: self.id, time: self.time, timeout: self.timeout, kept: self.kept.clone() }
    }

    pub fn kept(&self) -> &Arc<Kept> {
        &self.kept
    }

    pub fn has_ticket(&self) -> bool {
        let values = crate::lock(&self.kept.0);
        !values.tls13.is_empty()
            || values.tls12.as_ref().is_some_and(|value| {
                // There is no other way to ask whether it is a ticket or a mere number.
                !matches!(&shown(value, "ticket: ")[..], "" | "0x")
            })
    }

    /// For how long the server will take the ticket, in seconds; 0: it did not say.
    pub fn ticket_lifetime(&self) -> u64 {
        let values = crate::lock(&self.kept.0);
        let text = match (values.tls13.back(), &values.tls12) {
            (Some(value), _) => shown(value, "lifetime_secs: "),
            (None, Some(value)) => shown(value, "lifetime_secs: "),
            (None, None) => return 0,
        };
        text.parse().unwrap_or(0)
    }
}

/// A field of a session's value, which only its debugging output shows.
fn shown(value: &impl std::fmt::Debug, field: &str) -> String {
    let text = format!("{value:?}");
    let Some((_, rest)) = text.split_once(field) else { return String::new() };
    rest.chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl ClientSessionStore for Kept {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        crate::lock(&self.0).group = Some(group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        crate::lock(&self.0).group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        crate::lock(&self.0).tls12 = Some(value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        crate::lock(&self.0).tls12.clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        crate::lock(&self.0).tls12 = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        let mut values = crate::lock(&self.0);
        if values.tls13.len() == MAX_TICKETS {
            values.tls13.pop_front();
        }
        values.tls13.push_back(value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        crate::lock(&self.0).tls13.pop_back()
    }
}

/// What a server's context counts.
#[derive(Debug, Default)]
pub struct Counters {
    pub connect: AtomicU64,
    pub connect_good: AtomicU64,
    pub accept: AtomicU64,
    pub accept_good: AtomicU64,
    pub hits: AtomicU64,
    pub misses: AtomicU64,
    pub number: AtomicU64,
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The sessions that a server remembers itself.
pub struct ServerSessions {
    sessions: Arc<ServerSessionMemoryCache>,
    counters: Arc<Counters>,
}

impl ServerSessions {
    pub fn new(counters: Arc<Counters>) -> ServerSessions {
        ServerSessions { sessions: ServerSessionMemoryCache::new(1024), counters }
    }
}

impl std::fmt::Debug for ServerSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerSessions")
    }
}

impl StoresServerSessions for ServerSessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        count(&self.counters.number);
        self.sessions.put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let found = self.sessions.get(key);
        if found.is_none() {
            count(&self.counters.misses);
        }
        found
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        let found = self.sessions.take(key);
        if found.is_none() {
            count(&self.counters.misses);
        }
        found
    }

    fn can_cache(&self) -> bool {
        self.sessions.can_cache()
    }
}
