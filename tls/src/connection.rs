//! One connection: bytes of the peer's in, bytes for the peer out. It does no input and output itself.
//!
//! ```text
//! peer ── feed ──> record ── rustls ──> plain ── read ──> program
//! peer <── outgoing <──────── rustls <────────── write ── program
//! ```
//! A peer's bytes are asked for record by record ([`Connection::wanted`]), so that nothing is taken from a socket that comes
//! after the end of TLS, and a socket with more to read stays ready to be read.

use crate::binding::{Tap, Transcript};
use crate::certificate::Certificate;
use crate::ciphers::{self, Suite};
use crate::context::{Context, Settings};
use crate::faults::Fault;
use crate::keys::Keys;
use crate::session::{Kept, Session, count};
use crate::trust::{Outcome, Verifier};
use crate::watch::{Message, Watch};
use rustls::client::ClientConnection;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{Accepted, Acceptor, ServerConnection};
use rustls::{ConnectionCommon, HandshakeKind, ProtocolVersion, SideData};
use std::io::{Read, Write};
use std::sync::Arc;

/// A record has no more bytes than these, its header among them.
const MAX_RECORD: usize = 5 + 16_384 + 2_048;
/// As many bytes of a program's go into a record.
pub const MAX_FRAGMENT: usize = 16_384;

enum State {
    /// A server that waits for the first message.
    Listening(Box<Acceptor>),
    /// A server that has it, and must be told how to go on.
    Greeted(Box<Accepted>),
    Server(Box<ServerConnection>),
    Client(Box<ClientConnection>),
    /// It came to nothing.
    Failed,
}

/// How far a handshake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Done,
    /// More bytes of the peer's are needed.
    Wants,
    /// [`Connection::hello`] tells what the client asks for; [`Connection::accept`] goes on.
    Greeted,
}

/// What a client asks for.
#[derive(Debug, Default)]
pub struct Hello {
    pub server_name: Option<String>,
    pub alpn: Vec<Vec<u8>>,
}

pub struct Connection {
    state: State,
    context: Arc<Context>,
    settings: Settings,
    is_server: bool,
    /// The record that is coming in.
    record: Vec<u8>,
    outgoing: Vec<u8>,
    plain: Vec<u8>,
    plain_read: usize,
    /// Something was moved to the outgoing bytes, or came in.
    begun: bool,
    finished: bool,
    peer_closed: bool,
    closed: bool,
    session: Option<Arc<Session>>,
    kept: Arc<Kept>,
    chain: Vec<Arc<Certificate>>,
    shared: Vec<&'static Suite>,
    /// There until nobody asks any more: after the handshake, unless the program watches.
    watches: Option<Box<[Watch; 2]>>,
    /// The program watches.
    watched: bool,
    messages: Vec<Message>,
    tap: Arc<Tap>,
    transcript: Transcript,
    binding: Option<Vec<u8>>,
}

impl Connection {
    /// A client's. Without a name the server is told none.
    pub fn client(
        context: Arc<Context>,
        settings: Settings,
        host: Option<&str>,
        session: Option<Arc<Session>>,
    ) -> Result<Connection, Fault> {
        let kept = session.as_ref().map_or_else(Arc::default, |session| session.kept().clone());
        let tap = Arc::new(Tap::new(context.key_log.clone()));
        let config = Arc::new(context.client(&settings, kept.clone(), tap.clone())?);
        let name = match host {
            Some(host) => ServerName::try_from(host.to_owned()).map_err(|_| Fault {
                library: "",
                reason: None,
                text: "invalid server_hostname".into(),
                verify: None,
            })?,
            // An address is not sent.
            None => ServerName::IpAddress(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED).into()),
        };
        let mut connection = ClientConnection::new(config, name)?;
        connection.set_buffer_limit(None);
        count(&context.counters.connect);
        let mut made = Connection::new(context, settings, State::Client(Box::new(connection)), kept, tap);
        made.session = session;
        Ok(made)
    }

    pub fn server(context: Arc<Context>, settings: Settings) -> Connection {
        count(&context.counters.accept);
        let tap = Arc::new(Tap::new(context.key_log.clone()));
        let state = State::Listening(Box::default());
        let mut made = Connection::new(context, settings, state, Arc::default(), tap);
        made.is_server = true;
        made
    }

    fn new(
        context: Arc<Context>,
        settings: Settings,
        state: State,
        kept: Arc<Kept>,
        tap: Arc<Tap>,
    ) -> Connection {
        Connection {
            state,
            context,
            settings,
            is_server: false,
            record: Vec::new(),
            outgoing: Vec::new(),
            plain: Vec::new(),
            plain_read: 0,
            begun: false,
            finished: false,
            peer_closed: false,
            closed: false,
            session: None,
            kept,
            chain: Vec::new(),
            shared: Vec::new(),
            watches: Some(Box::default()),
            watched: false,
            messages: Vec::new(),
            tap,
            transcript: Transcript::default(),
            binding: None,
        }
    }

    /// Collects messages that pass from now on.
    pub fn watch(&mut self) {
        self.watched = true;
    }

    pub fn take_messages(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.messages)
    }

    fn verifier(&self) -> &Verifier {
        &self.context.verifier
    }

    /// How many bytes of the peer's come next: those that the record still lacks.
    pub fn wanted(&self) -> usize {
        match self.record.get(3..5) {
            Some(length) => 5 + usize::from(u16::from_be_bytes([length[0], length[1]])) - self.record.len(),
            None => 5 - self.record.len(),
        }
    }

    /// Takes bytes of the peer's, no more than were [wanted](Connection::wanted).
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.record.extend_from_slice(bytes);
        if self.record.len() >= 5 && self.record.len() - bytes.len() < 5 {
            self.check_header()?;
        }
        if self.record.len() < 5 || self.wanted() > 0 {
            return Ok(());
        }
        let record = std::mem::take(&mut self.record);
        self.pass(false, &record);
        let result = self.process(&record);
        if result.is_err() {
            let _ = self.drain();
            self.state = State::Failed;
        }
        result
    }

    /// Refuses what is no TLS before more of it is waited for.
    fn check_header(&mut self) -> Result<(), Fault> {
        let header = &self.record[..5];
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        let fault = if matches!(header, b"GET /" | b"POST " | b"HEAD " | b"PUT /" | b"PUT h" | b"GET h")
            && matches!(self.state, State::Listening(_))
        {
            Fault::ssl("HTTP_REQUEST")
        } else if header[1] != 3 || !(20..=24).contains(&header[0]) {
            Fault::ssl("WRONG_VERSION_NUMBER")
        } else if length > MAX_RECORD - 5 {
            Fault::ssl("PACKET_LENGTH_TOO_LONG")
        } else {
            return Ok(());
        };
        self.state = State::Failed;
        Err(fault)
    }

    fn process(&mut self, mut record: &[u8]) -> Result<(), Fault> {
        let lost = |e: std::io::Error| {
            let mut fault = Fault::ssl("INTERNAL_ERROR");
            fault.text = e.to_string();
            fault
        };
        match &mut self.state {
            State::Listening(acceptor) => {
                acceptor.read_tls(&mut record).map_err(lost)?;
                match acceptor.accept() {
                    Ok(None) => {}
                    Ok(Some(accepted)) => self.state = State::Greeted(Box::new(accepted)),
                    Err((error, mut alert)) => {
                        self.send(&mut |out| alert.write_all(out));
                        return Err(error.into());
                    }
                }
                Ok(())
            }
            State::Server(c) => {
                let result = process(&mut **c, record, &mut self.plain, &mut self.peer_closed);
                self.settle(result)
            }
            State::Client(c) => {
                let result = process(&mut **c, record, &mut self.plain, &mut self.peer_closed);
                self.settle(result)
            }
            State::Greeted(_) => Err(Fault::ssl("UNEXPECTED_MESSAGE")),
            State::Failed => Err(Fault::ssl("UNINITIALIZED")),
        }
    }

    /// After each record: what the verifier said, whether the handshake is done, and what is to be sent.
    fn settle(&mut self, result: Result<(), rustls::Error>) -> Result<(), Fault> {
        let outcome = self.verifier().take_outcome();
        self.drain()?;
        if let Err(error) = result {
            return Err(match outcome {
                Some(Outcome::Refused(fault)) => fault,
                _ => error.into(),
            });
        }
        if let Some(Outcome::Accepted(chain)) = outcome {
            self.chain = chain;
        }
        if !self.finished && !self.is_handshaking() {
            self.finished = true;
            let counters = &self.context.counters;
            if self.is_server {
                count(&counters.accept_good);
            } else {
                count(&counters.connect_good);
            }
            if self.is_resumed() {
                count(&counters.hits);
            }
            let suite = self.suite().filter(|suite| !suite.is_tls13());
            self.binding = suite.and_then(|suite| self.transcript.finished(&self.tap, suite.is_by_sha384()));
            self.transcript = Transcript::default();
            self.session = Some(Arc::new(match &self.session {
                Some(session) if self.is_resumed() => session.continued(),
                _ => Session::new(self.kept.clone()),
            }));
        }
        Ok(())
    }

    /// Moves what rustls has to send to the outgoing bytes.
    fn drain(&mut self) -> Result<(), Fault> {
        let mut out = Vec::new();
        let result = match &mut self.state {
            State::Server(c) => drain(&mut **c, &mut out),
            State::Client(c) => drain(&mut **c, &mut out),
            _ => Ok(()),
        };
        self.pass(true, &out);
        self.begun |= !out.is_empty();
        self.outgoing.append(&mut out);
        result.map_err(|e| {
            let mut fault = Fault::ssl("INTERNAL_ERROR");
            fault.text = e.to_string();
            fault
        })
    }

    fn send(&mut self, write: &mut dyn FnMut(&mut Vec<u8>) -> std::io::Result<()>) {
        let mut out = Vec::new();
        // Writing to memory does not fail.
        let _ = write(&mut out);
        self.pass(true, &out);
        self.outgoing.append(&mut out);
    }

    fn pass(&mut self, is_write: bool, bytes: &[u8]) {
        let version = self.protocol_version();
        let Some(watches) = &mut self.watches else { return };
        let mut messages = Vec::new();
        watches[usize::from(is_write)].pass(is_write, version, bytes, &mut messages);
        for message in &messages {
            self.transcript.add(message, self.is_server);
        }
        if self.watched {
            self.messages.append(&mut messages);
        } else if self.finished {
            self.watches = None;
        }
    }

    /// How far the handshake is. What a client has to say first is put to the outgoing bytes.
    pub fn progress(&mut self) -> Result<Progress, Fault> {
        self.drain()?;
        match &self.state {
            State::Failed => Err(Fault::ssl("UNINITIALIZED")),
            State::Greeted(_) => Ok(Progress::Greeted),
            State::Listening(_) => Ok(Progress::Wants),
            _ if self.finished => Ok(Progress::Done),
            _ => Ok(Progress::Wants),
        }
    }

    /// What the client asks for that a server has just heard of.
    pub fn hello(&self) -> Hello {
        let State::Greeted(accepted) = &self.state else { return Hello::default() };
        let hello = accepted.client_hello();
        Hello {
            server_name: hello.server_name().map(str::to_owned),
            alpn: hello.alpn().map(|names| names.map(<[u8]>::to_vec).collect()).unwrap_or_default(),
        }
    }

    /// Goes on as a server with the keys, and names of protocols, of a context.
    pub fn accept(&mut self, keys: Arc<Keys>, alpn: &[Vec<u8>]) -> Result<(), Fault> {
        let State::Greeted(accepted) = std::mem::replace(&mut self.state, State::Failed) else {
            return Err(Fault::ssl("UNINITIALIZED"));
        };
        let hello = accepted.client_hello();
        let offered: Vec<&[u8]> = hello.alpn().map(Iterator::collect).unwrap_or_default();
        // Where there is none in common, there is no protocol instead of no connection.
        let alpn = alpn.iter().filter(|name| offered.contains(&&name[..])).cloned().collect();
        let in_hello = hello.cipher_suites();
        self.shared =
            self.settings.suites.iter().copied().filter(|suite| in_hello.contains(&suite.id)).collect();
        if self.shared.is_empty() {
            self.send_alert(40);
            return Err(Fault::ssl("NO_SHARED_CIPHER"));
        }
        let config = self.context.server(&self.settings, keys, alpn, self.tap.clone())?;
        match accepted.into_connection(Arc::new(config)) {
            Ok(mut connection) => {
                connection.set_buffer_limit(None);
                self.state = State::Server(Box::new(connection));
                self.settle(Ok(()))
            }
            Err((error, mut alert)) => {
                self.send(&mut |out| alert.write_all(out));
                Err(error.into())
            }
        }
    }

    /// Ends the handshake with this alert, before any key is made.
    pub fn refuse(&mut self, alert: u8) {
        self.send_alert(alert);
        self.state = State::Failed;
    }

    fn send_alert(&mut self, alert: u8) {
        self.send(&mut |out| out.write_all(&[21, 3, 3, 0, 2, 2, alert]));
    }

    /// Bytes for the peer that were not taken yet.
    pub fn outgoing(&self) -> &[u8] {
        &self.outgoing
    }

    /// So many of them were sent.
    pub fn sent(&mut self, n: usize) {
        self.outgoing.drain(..n);
    }

    /// Bytes of the peer's that wait to be read.
    pub fn pending(&self) -> usize {
        self.plain.len() - self.plain_read
    }

    /// Reads of what waits.
    pub fn read(&mut self, into: &mut [u8]) -> usize {
        let n = into.len().min(self.pending());
        into[..n].copy_from_slice(&self.plain[self.plain_read..][..n]);
        self.plain_read += n;
        if self.plain_read == self.plain.len() {
            self.plain.clear();
            self.plain_read = 0;
        }
        n
    }

    /// Encrypts bytes for the peer: not more than a record takes. How many it were.
    pub fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        if self.closed {
            return Err(Fault::ssl("PROTOCOL_IS_SHUTDOWN"));
        }
        let bytes = &bytes[..bytes.len().min(MAX_FRAGMENT)];
        let written = match &mut self.state {
            State::Server(c) => c.writer().write(bytes),
            State::Client(c) => c.writer().write(bytes),
            _ => return Err(Fault::ssl("UNINITIALIZED")),
        };
        self.drain()?;
        written.map_err(|_| Fault::ssl("BAD_WRITE_RETRY"))
    }

    /// Tells the peer that nothing follows.
    pub fn close(&mut self) -> Result<(), Fault> {
        if !self.closed {
            self.closed = true;
            match &mut self.state {
                State::Server(c) => c.send_close_notify(),
                State::Client(c) => c.send_close_notify(),
                _ => {}
            }
        }
        self.drain()
    }

    /// Did the peer tell that nothing follows?
    pub fn is_peer_closed(&self) -> bool {
        self.peer_closed
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Has the handshake begun?
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    pub fn is_finished(&self) -> bool {
        self.finished
    }

    fn is_handshaking(&self) -> bool {
        match &self.state {
            State::Server(c) => c.is_handshaking(),
            State::Client(c) => c.is_handshaking(),
            _ => true,
        }
    }

    fn is_resumed(&self) -> bool {
        let kind = match &self.state {
            State::Server(c) => c.handshake_kind(),
            State::Client(c) => c.handshake_kind(),
            _ => None,
        };
        kind == Some(HandshakeKind::Resumed)
    }

    /// None before the handshake is done.
    pub fn session_reused(&self) -> Option<bool> {
        self.finished.then(|| self.is_resumed())
    }

    pub fn session(&self) -> Option<&Arc<Session>> {
        self.session.as_ref().filter(|_| self.finished)
    }

    fn protocol_version(&self) -> Option<u16> {
        let version = match &self.state {
            State::Server(c) => c.protocol_version(),
            State::Client(c) => c.protocol_version(),
            _ => None,
        };
        version.map(u16::from)
    }

    /// `TLSv1.3`; None before it is known.
    pub fn version(&self) -> Option<&'static str> {
        let version = self.protocol_version().filter(|_| self.finished)?;
        Some(if version == u16::from(ProtocolVersion::TLSv1_3) { "TLSv1.3" } else { "TLSv1.2" })
    }

    pub fn suite(&self) -> Option<&'static Suite> {
        let suite = match &self.state {
            State::Server(c) => c.negotiated_cipher_suite(),
            State::Client(c) => c.negotiated_cipher_suite(),
            _ => None,
        };
        suite.filter(|_| self.finished).and_then(|suite| ciphers::by_id(suite.suite()))
    }

    /// Suites that both sides have; a client does not know.
    pub fn shared_suites(&self) -> Option<&[&'static Suite]> {
        (self.is_server && self.finished).then_some(&self.shared)
    }

    pub fn alpn(&self) -> Option<&[u8]> {
        match &self.state {
            State::Server(c) => c.alpn_protocol(),
            State::Client(c) => c.alpn_protocol(),
            _ => None,
        }
    }

    /// What `tls-unique` is: of TLS 1.2, after the handshake.
    pub fn binding(&self) -> Option<&[u8]> {
        self.binding.as_deref()
    }

    /// The certificates that the peer sent, its own first.
    pub fn peer_certificates(&self) -> &[CertificateDer<'static>] {
        let certificates = match &self.state {
            State::Server(c) => c.peer_certificates(),
            State::Client(c) => c.peer_certificates(),
            _ => None,
        };
        certificates.unwrap_or_default()
    }

    /// The chain that was found to what is trusted.
    pub fn verified_chain(&self) -> &[Arc<Certificate>] {
        &self.chain
    }
}

/// Lets rustls work on a record, and takes what it has for the program.
fn process<S: SideData>(
    connection: &mut ConnectionCommon<S>,
    mut record: &[u8],
    plain: &mut Vec<u8>,
    peer_closed: &mut bool,
) -> Result<(), rustls::Error> {
    let mut first = Ok(());
    while !record.is_empty() && first.is_ok() {
        if let Err(error) = connection.read_tls(&mut record) {
            return Err(rustls::Error::General(error.to_string()));
        }
        match connection.process_new_packets() {
            Ok(state) => *peer_closed |= state.peer_has_closed(),
            Err(error) => first = Err(error),
        }
        // It ends with "would block", or where the peer has closed.
        let mut room = [0; 4096];
        while let Ok(n @ 1..) = connection.reader().read(&mut room) {
            plain.extend_from_slice(&room[..n]);
        }
    }
    first
}

fn drain<S: SideData>(connection: &mut ConnectionCommon<S>, out: &mut Vec<u8>) -> std::io::Result<()> {
    while connection.wants_write() {
        connection.write_tls(out)?;
    }
    Ok(())
}
