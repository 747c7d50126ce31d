//! Contexts: the settings from which connections are made.

use crate::binding::Tap;
use crate::ciphers::{SUITES, Suite};
use crate::faults::Fault;
use crate::keys::Keys;
use crate::session::{Counters, Kept, ServerSessions};
use crate::store::Store;
use crate::trust::{Policy, Verifier};
use rustls::crypto::ring::{Ticketer, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::server::ProducesTickets;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, KeyLog, ServerConfig, SupportedProtocolVersion};
use std::sync::{Arc, Mutex};

/// What a context is asked for when a connection begins. Names of options are OpenSSL's.
#[derive(Clone)]
pub struct Settings {
    pub suites: Vec<&'static Suite>,
    /// The one group for key exchange; None: all.
    pub group: Option<Group>,
    pub tls12: bool,
    pub tls13: bool,
    pub alpn: Vec<Vec<u8>>,
    pub server_preference: bool,
    pub tickets: bool,
    /// How many a server of TLS 1.3 sends.
    pub ticket_count: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            suites: SUITES.iter().collect(),
            group: None,
            tls12: true,
            tls13: true,
            alpn: Vec::new(),
            server_preference: true,
            tickets: true,
            ticket_count: 2,
        }
    }
}

/// A group for key exchange.
#[derive(Clone, Copy)]
pub struct Group(&'static dyn SupportedKxGroup);

impl Group {
    /// By any of its names.
    pub fn named(name: &str) -> Option<Group> {
        Some(Group(match name {
            "X25519" | "x25519" => kx_group::X25519,
            "prime256v1" | "secp256r1" | "P-256" => kx_group::SECP256R1,
            "secp384r1" | "P-384" => kx_group::SECP384R1,
            _ => return None,
        }))
    }
}

/// What connections of one context share.
pub struct Context {
    pub store: Arc<Mutex<Store>>,
    pub keys: Arc<Keys>,
    pub verifier: Arc<Verifier>,
    pub counters: Arc<Counters>,
    pub key_log: Arc<Log>,
    sessions: Arc<ServerSessions>,
    ticketer: Option<Arc<dyn ProducesTickets>>,
}

/// Secrets of connections, in lines for a file, until somebody takes them.
#[derive(Debug, Default)]
pub struct Log {
    lines: Mutex<Option<String>>,
}

impl Log {
    /// Begins to collect, or stops.
    pub fn turn(&self, on: bool) {
        *crate::lock(&self.lines) = on.then(String::new);
    }

    /// What was collected.
    pub fn take(&self) -> String {
        crate::lock(&self.lines).as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl KeyLog for Log {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        use std::fmt::Write;
        if let Some(lines) = crate::lock(&self.lines).as_mut() {
            let hex = |lines: &mut String, bytes: &[u8]| {
                for b in bytes {
                    // Writing to a string does not fail.
                    let _ = write!(lines, "{b:02x}");
                }
            };
            lines.push_str(label);
            lines.push(' ');
            hex(lines, client_random);
            lines.push(' ');
            hex(lines, secret);
            lines.push('\n');
        }
    }

    fn will_log(&self, _: &str) -> bool {
        crate::lock(&self.lines).is_some()
    }
}

impl Context {
    pub fn new(policy: Policy) -> Context {
        let store = Arc::new(Mutex::new(Store::default()));
        let counters = Arc::new(Counters::default());
        Context {
            keys: Arc::new(Keys::new(store.clone())),
            verifier: Arc::new(Verifier::new(store.clone(), policy)),
            sessions: Arc::new(ServerSessions::new(counters.clone())),
            // Without random numbers there are none.
            ticketer: Ticketer::new().ok(),
            key_log: Arc::default(),
            store,
            counters,
        }
    }

    pub(crate) fn client(
        &self,
        settings: &Settings,
        kept: Arc<Kept>,
        tap: Arc<Tap>,
    ) -> Result<ClientConfig, Fault> {
        let mut config = ClientConfig::builder_with_provider(provider(settings))
            .with_protocol_versions(&versions(settings)?)?
            .dangerous()
            .with_custom_certificate_verifier(self.verifier.clone())
            .with_client_cert_resolver(self.keys.clone());
        config.alpn_protocols = settings.alpn.clone();
        config.key_log = tap;
        config.resumption = rustls::client::Resumption::store(kept);
        if !settings.tickets {
            config.resumption =
                config.resumption.tls12_resumption(rustls::client::Tls12Resumption::SessionIdOnly);
        }
        Ok(config)
    }

    /// `keys` and `alpn` may be those of another context, which the server's name has chosen.
    pub(crate) fn server(
        &self,
        settings: &Settings,
        keys: Arc<Keys>,
        alpn: Vec<Vec<u8>>,
        tap: Arc<Tap>,
    ) -> Result<ServerConfig, Fault> {
        let mut config = ServerConfig::builder_with_provider(provider(settings))
            .with_protocol_versions(&versions(settings)?)?
            .with_client_cert_verifier(self.verifier.clone())
            .with_cert_resolver(keys);
        config.alpn_protocols = alpn;
        config.key_log = tap;
        config.ignore_client_order = settings.server_preference;
        config.session_storage = self.sessions.clone();
        config.send_tls13_tickets = settings.ticket_count;
        if let Some(ticketer) = self.ticketer.as_ref().filter(|_| settings.tickets) {
            config.ticketer = ticketer.clone();
        }
        Ok(config)
    }
}

fn provider(settings: &Settings) -> Arc<CryptoProvider> {
    let mut provider = default_provider();
    provider.cipher_suites = settings.suites.iter().map(|suite| suite.supported).collect();
    if let Some(group) = settings.group {
        provider.kx_groups = vec![group.0];
    }
    Arc::new(provider)
}

fn versions(settings: &Settings) -> Result<Vec<&'static SupportedProtocolVersion>, Fault> {
    let all = [(settings.tls13, &TLS13), (settings.tls12, &TLS12)];
    let chosen: Vec<_> = all.iter().filter(|(on, _)| *on).map(|(_, version)| *version).collect();
    if chosen.is_empty() { Err(Fault::ssl("NO_PROTOCOLS_AVAILABLE")) } else { Ok(chosen) }
}
