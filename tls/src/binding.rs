//! `tls-unique` (RFC 5929): what binds a program's own authentication to a connection of TLS 1.2. It is the first message
//! `Finished` of the handshake, which is made from the master secret and all messages before it.

use crate::context::Log;
use crate::watch::Message;
use hmac::{Hmac, Mac};
use rustls::KeyLog;
use sha2::{Digest, Sha256, Sha384};
use std::sync::{Arc, Mutex};

/// Passes secrets on to the context's log, and keeps the master secret of a connection.
#[derive(Debug)]
pub struct Tap {
    log: Arc<Log>,
    master: Mutex<Option<Vec<u8>>>,
}

/// What the master secret of TLS 1.2 is called.
const MASTER: &str = "CLIENT_RANDOM";

impl Tap {
    pub fn new(log: Arc<Log>) -> Tap {
        Tap { log, master: Mutex::new(None) }
    }
}

impl KeyLog for Tap {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        if label == MASTER {
            *crate::lock(&self.master) = Some(secret.to_vec());
        }
        self.log.log(label, client_random, secret);
    }

    fn will_log(&self, label: &str) -> bool {
        label == MASTER || self.log.will_log(label)
    }
}

/// The messages of a handshake until one side begins to encrypt.
#[derive(Default)]
pub struct Transcript {
    messages: Vec<u8>,
    /// Who began: the client?
    by_client: Option<bool>,
}

const HANDSHAKE: u16 = 22;
const CHANGE_CIPHER_SPEC: u16 = 20;
const HELLO_REQUEST: u16 = 0;

impl Transcript {
    pub fn add(&mut self, message: &Message, is_server: bool) {
        match message.content {
            _ if self.by_client.is_some() => {}
            HANDSHAKE if message.kind != HELLO_REQUEST => self.messages.extend_from_slice(&message.data),
            CHANGE_CIPHER_SPEC => self.by_client = Some(message.is_write != is_server),
            _ => {}
        }
    }

    /// The data of `Finished` of the side that began to encrypt.
    pub fn finished(&self, tap: &Tap, by_sha384: bool) -> Option<Vec<u8>> {
        let master = crate::lock(&tap.master).take()?;
        let mut seed = match self.by_client? {
            true => b"client finished".to_vec(),
            false => b"server finished".to_vec(),
        };
        if by_sha384 {
            seed.extend_from_slice(&Sha384::digest(&self.messages));
            expand::<Hmac<Sha384>>(&master, &seed)
        } else {
            seed.extend_from_slice(&Sha256::digest(&self.messages));
            expand::<Hmac<Sha256>>(&master, &seed)
        }
    }
}

/// The first twelve bytes of what the secret and the seed are expanded to (RFC 5246, section 5).
fn expand<M: Mac + hmac::digest::KeyInit>(secret: &[u8], seed: &[u8]) -> Option<Vec<u8>> {
    let keyed = |parts: [&[u8]; 2]| {
        let mut mac = <M as Mac>::new_from_slice(secret).ok()?;
        parts.iter().for_each(|part| mac.update(part));
        Some(mac.finalize().into_bytes())
    };
    let first = keyed([seed, &[]])?;
    Some(keyed([&first, seed])?[..12].to_vec())
}
