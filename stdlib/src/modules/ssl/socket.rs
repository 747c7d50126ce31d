//! `_SSLSocket`: one connection, on a socket or on two `MemoryBIO`s.
//!
//! A call works in steps: what is to be sent is sent, a record of the peer's is waited for, the connection takes it. The
//! connection is borrowed within a step only, never while Python code runs or another thread may.

use super::super::socket::endpoint;
use super::super::support::{BytesLike, write_bytes};
use super::bio::Bio;
use super::certs::{self, SESSION, Session};
use super::constants::{PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER};
use super::context::{ContextRef, SslContext};
use super::errors::{Wait, raise, raise_wait};
use super::transport::{Attempt, Operation, Transport, Until};
use skein_runtime::object::{Field, Header, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Raised, Value, Vm, native_type};
use skein_tls::certificate::Certificate;
use skein_tls::connection::{Connection, Progress};
use skein_tls::context::Settings;
use skein_tls::faults::Fault;
use skein_tls::session;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

pub struct SslSocket {
    connection: RefCell<Connection>,
    /// As they were when it was made.
    settings: Settings,
    context: Field,
    /// The socket that it lies on, or unset.
    socket: Field,
    incoming: Field,
    outgoing: Field,
    server_hostname: Field,
    is_server: bool,
    /// What the program has of it. It has this one, so that this one has it weakly.
    owner: Cell<Option<Value>>,
    /// The peer was gone without a word.
    gone: Cell<bool>,
    /// So many bytes of a call that could not be finished are in the outgoing bytes already.
    accepted: Cell<usize>,
    /// Another thread is in the midst of it.
    receiving: Cell<bool>,
    sending: Cell<bool>,
}

impl Payload for SslSocket {
    const NAME: &'static str = "_ssl._SSLSocket";
    fn trace(&self, t: &mut Tracer<'_>) {
        let SslSocket {
            connection: _,
            settings: _,
            context,
            socket,
            incoming,
            outgoing,
            server_hostname,
            is_server: _,
            owner: _,
            gone: _,
            accepted: _,
            receiving: _,
            sending: _,
        } = self;
        for field in [context, socket, incoming, outgoing, server_hostname] {
            field.trace(t);
        }
    }
    fn clear_weak(&self, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        if self.owner.get().and_then(|v| v.header()).is_some_and(|h| !is_live(h)) {
            self.owner.set(None);
        }
        false
    }
}

type This = ExtArg<SslSocket>;
type SocketRef = Ref<Ext<SslSocket>>;

native_type! {
    pub SSL_SOCKET: "_ssl._SSLSocket", Kind::Ext, type_flags::NO_NEW;
    methods {
        "do_handshake($self, /)" => |vm: &Vm, this: This| do_handshake(vm, this.0);
        "write($self, b, /)" => write, "Write bytes; return how many were taken.";
        "read($self, len, buffer=<unrepresentable>, /)" => read, "Read up to len bytes, into a buffer if one is given.";
        "pending($self, /)" => |_: &Vm, this: This| -> i64 { this.0.connection.borrow().pending() as i64 }, "How many bytes can be read at once.";
        "getpeercert($self, der=False, /)" => getpeercert, "The peer's certificate, as a dict or as bytes.";
        "get_channel_binding($self, /, cb_type='tls-unique')" => get_channel_binding;
        "cipher($self, /)" => cipher;
        "shared_ciphers($self, /)" => shared_ciphers;
        "version($self, /)" => |_: &Vm, this: This| -> Option<&'static str> { this.0.connection.borrow().version() };
        "selected_alpn_protocol($self, /)" => selected_alpn_protocol;
        "compression($self, /)" => |_: &Vm, _: This| Value::NONE;
        "shutdown($self, /)" => shutdown, "End TLS; give the socket back.";
        "verify_client_post_handshake($self, /)" => |vm: &Vm, _: This| -> R<()> { Err(vm.raise_text(vm.exc.not_implemented_error, "Post-handshake auth is not supported by your OpenSSL version.")) };
        "get_unverified_chain($self, /)" => get_unverified_chain;
        "get_verified_chain($self, /)" => get_verified_chain;
    }
    getset {
        "context" => |_: &Vm, this: This| -> R<Value> { Ok(this.0.context.or_none()) }, set_context;
        "server_side" => |_: &Vm, this: This| -> R<Value> { Ok(Value::bool(this.0.is_server)) };
        "server_hostname" => |_: &Vm, this: This| -> R<Value> { Ok(this.0.server_hostname.or_none()) };
        "owner" => |_: &Vm, this: This| -> R<Value> { Ok(this.0.owner.get().unwrap_or(Value::NONE)) }, set_owner;
        "session" => get_session, set_session;
        "session_reused" => |_: &Vm, this: This| -> R<Value> { Ok(this.0.connection.borrow().session_reused().map_or(Value::NONE, Value::bool)) }, |vm: &Vm, _: This, _: Option<Value>| -> R<()> { Err(vm.attribute_error("attribute 'session_reused' of '_ssl._SSLSocket' objects is not writable")) };
    }
}

pub fn wrap_socket(
    vm: &Vm,
    this: ExtArg<SslContext>,
    sock: Value,
    is_server: bool,
    host: Option<Value>,
    owner: Option<Value>,
    session: Option<Value>,
) -> R<Value> {
    if endpoint(sock).is_none() {
        let got = vm.type_name(sock);
        return Err(
            vm.type_error(format!("_wrap_socket() argument 'sock' must be _socket.socket, not {got}"))
        );
    }
    wrap(vm, this.0, Transport::Socket(sock), is_server, host, owner, session)
}

#[allow(clippy::too_many_arguments)]
pub fn wrap_bio(
    vm: &Vm,
    this: ExtArg<SslContext>,
    incoming: Value,
    outgoing: Value,
    is_server: bool,
    host: Option<Value>,
    owner: Option<Value>,
    session: Option<Value>,
) -> R<Value> {
    let bio = |v: Value, name: &str| {
        v.cast::<Ext<Bio>>().ok_or_else(|| {
            let got = vm.type_name(v);
            vm.type_error(format!("_wrap_bio() argument '{name}' must be _ssl.MemoryBIO, not {got}"))
        })
    };
    let transport =
        Transport::Memory { incoming: bio(incoming, "incoming")?, outgoing: bio(outgoing, "outgoing")? };
    wrap(vm, this.0, transport, is_server, host, owner, session)
}

/// About as many bytes does a connection keep outside of the heap, so that the collector comes in time for those that
/// nothing leads to.
const CONNECTION: isize = 24 << 10;

/// The name of a server, which must be ASCII. TypeError, ValueError.
fn host_text(vm: &Vm, host: Value) -> R<String> {
    let Some(text) = host.cast::<Str>() else {
        let got = vm.type_name(host);
        return Err(vm.type_error(format!("argument 'server_hostname' must be str or None, not {got}")));
    };
    let text = text.to_string_lossy().into_owned();
    if text.contains('\0') {
        return Err(vm.type_error("argument must be encoded string without null bytes, not str"));
    }
    if text.is_empty() || text.starts_with('.') {
        return Err(vm.value_error("server_hostname cannot be an empty string or start with a leading dot."));
    }
    if !text.is_ascii() {
        return Err(vm.value_error("server_hostname must be ASCII"));
    }
    Ok(text)
}

fn wrap(
    vm: &Vm,
    context: ContextRef,
    transport: Transport,
    is_server: bool,
    host: Option<Value>,
    owner: Option<Value>,
    session: Option<Value>,
) -> R<Value> {
    let given = |v: Option<Value>| v.filter(|v| !v.is_none());
    let (host, owner, session) = (given(host), given(owner), given(session));
    let refused = match (is_server, context.protocol) {
        (true, PROTOCOL_TLS_CLIENT) => {
            Some("Cannot create a server socket with a PROTOCOL_TLS_CLIENT context")
        }
        (false, PROTOCOL_TLS_SERVER) => {
            Some("Cannot create a client socket with a PROTOCOL_TLS_SERVER context")
        }
        _ => None,
    };
    if let Some(text) = refused {
        return Err(raise(vm, &Fault { library: "", reason: None, text: text.into(), verify: None }));
    }
    if !is_server
        && context.checks_hostname()
        && host.is_none_or(|host| host.cast::<Str>().is_some_and(|s| s.bytes().is_empty()))
    {
        return Err(vm.value_error("check_hostname requires server_hostname"));
    }
    let host_name = host.map(|host| host_text(vm, host)).transpose()?;
    let settings = context.current();
    let connection = match is_server {
        true => {
            if host.is_some() {
                return Err(vm.value_error("server_hostname can only be specified in client mode"));
            }
            if session.is_some() {
                return Err(vm.value_error("session can only be specified in client mode"));
            }
            Connection::server(context.core.clone(), settings.clone())
        }
        false => {
            let session = session.map(|v| known_session(vm, context, v)).transpose()?;
            client(vm, context, &settings, host_name.as_deref(), session)?
        }
    };
    let (socket, incoming, outgoing) = match transport {
        Transport::Socket(socket) => (Some(socket), None, None),
        Transport::Memory { incoming, outgoing } => (None, Some(incoming.value()), Some(outgoing.value())),
    };
    let made = Ext::new(
        vm,
        ext_type(vm, &SSL_SOCKET)?,
        SslSocket {
            connection: RefCell::new(connection),
            settings,
            context: Field::new(Some(context.value())),
            socket: Field::new(socket),
            incoming: Field::new(incoming),
            outgoing: Field::new(outgoing),
            server_hostname: Field::new(host),
            is_server,
            owner: Cell::new(owner),
            gone: Cell::new(false),
            accepted: Cell::new(0),
            receiving: Cell::new(false),
            sending: Cell::new(false),
        },
    )?;
    vm.heap.register_weak(made.header());
    vm.heap.add_external(CONNECTION);
    Ok(made.value())
}

fn client(
    vm: &Vm,
    context: ContextRef,
    settings: &Settings,
    host: Option<&str>,
    session: Option<Arc<session::Session>>,
) -> R<Connection> {
    Connection::client(context.core.clone(), settings.clone(), host, session).map_err(|fault| {
        match fault.library {
            "" => vm.value_error(format!("{}: '{}'", fault.text, host.unwrap_or_default())),
            _ => raise(vm, &fault),
        }
    })
}

/// A session that belongs to the context. TypeError, ValueError.
fn known_session(vm: &Vm, context: ContextRef, v: Value) -> R<Arc<session::Session>> {
    let Some(session) = v.cast::<Ext<Session>>() else {
        return Err(vm.type_error("Value is not a SSLSession."));
    };
    if session.context.get() != Some(context.value()) {
        return Err(vm.value_error("Session refers to a different SSLContext."));
    }
    Ok(session.session.clone())
}

/// Marks that a thread is in the midst of something, until it is dropped.
struct Busy<'a>(&'a Cell<bool>);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Waits until no other thread is in the midst of it.
fn enter<'a>(vm: &Vm, flag: &'a Cell<bool>) -> R<Busy<'a>> {
    while flag.get() {
        vm.without_gil(|| std::thread::sleep(Duration::from_millis(1)));
        vm.check_signals()?;
    }
    flag.set(true);
    Ok(Busy(flag))
}

impl SslSocket {
    fn transport(&self) -> Transport {
        match (self.socket.get(), self.incoming.cast(), self.outgoing.cast()) {
            (_, Some(incoming), Some(outgoing)) => Transport::Memory { incoming, outgoing },
            (socket, ..) => Transport::Socket(socket.unwrap_or(Value::NONE)),
        }
    }

    fn context(&self) -> Option<ContextRef> {
        self.context.cast()
    }
}

/// Bytes that are sent by one call.
const CHUNK: usize = 1 << 16;

/// Sends what is to be sent. False: it would have to wait. OSError, TimeoutError.
fn flush(vm: &Vm, this: SocketRef, until: Until, operation: Operation) -> R<bool> {
    if this.connection.borrow().outgoing().is_empty() {
        return Ok(true);
    }
    let transport = this.transport();
    let _busy = enter(vm, &this.sending)?;
    loop {
        let chunk = {
            let connection = this.connection.borrow();
            let bytes = connection.outgoing();
            vm.copied(&bytes[..bytes.len().min(CHUNK)])?
        };
        if chunk.is_empty() {
            return Ok(true);
        }
        match transport.send(vm, &chunk, until, operation)? {
            Attempt::Done(n) => this.connection.borrow_mut().sent(n),
            Attempt::Blocks | Attempt::End => return Ok(false),
        }
    }
}

/// What a step has brought besides: lines for the file of secrets, messages for the program that watches.
fn tell(vm: &Vm, this: SocketRef) -> R<()> {
    let Some(context) = this.context() else { return Ok(()) };
    context.write_keylog(vm)?;
    let messages = this.connection.borrow_mut().take_messages();
    for message in messages {
        let Some(callback) = context.msg_callback.get() else { break };
        let owner = this.owner.get().unwrap_or(this.value());
        vm.call(
            callback,
            &[
                owner,
                vm.str(if message.is_write { "write" } else { "read" })?,
                vm.int(message.version.into())?,
                vm.int(message.content.into())?,
                vm.int(message.kind.into())?,
                vm.bytes(&message.data)?,
            ],
        )?;
    }
    Ok(())
}

/// Raises a fault, after the peer was told of it as far as that can be done at once.
fn fail(vm: &Vm, this: SocketRef, fault: &Fault) -> Raised {
    if flush(vm, this, Until::Now, Operation::Write).is_err() {
        // What was wrong first counts.
        vm.pending.take();
    }
    if let Err(e) = tell(vm, this) {
        return e;
    }
    raise(vm, fault)
}

/// Waits for more of the peer's, and lets the connection work on it. SSLWantReadError, SSLEOFError, SSLError, OSError.
fn pull(vm: &Vm, this: SocketRef, until: Until, operation: Operation) -> R<()> {
    let result = {
        let _busy = enter(vm, &this.receiving)?;
        let wanted = this.connection.borrow().wanted();
        match this.transport().receive(vm, wanted, until, operation)? {
            Attempt::Done(bytes) => this.connection.borrow_mut().feed(&bytes),
            Attempt::Blocks => return Err(raise_wait(vm, Wait::Read)),
            Attempt::End => {
                this.gone.set(true);
                return Err(raise_wait(vm, Wait::Gone));
            }
        }
    };
    match result {
        Ok(()) => tell(vm, this),
        Err(fault) => Err(fail(vm, this, &fault)),
    }
}

/// Once the peer was gone, it stays so.
fn check_gone(vm: &Vm, this: SocketRef) -> R<()> {
    if this.gone.get() { Err(raise_wait(vm, Wait::Gone)) } else { Ok(()) }
}

fn do_handshake(vm: &Vm, this: SocketRef) -> R<()> {
    check_gone(vm, this)?;
    handshake(vm, this, this.transport().until(), Operation::Handshake)
}

/// Goes on with the handshake until it is done.
fn handshake(vm: &Vm, this: SocketRef, until: Until, operation: Operation) -> R<()> {
    if this.context().is_some_and(|context| context.msg_callback.get().is_some()) {
        this.connection.borrow_mut().watch();
    }
    loop {
        let progress = this.connection.borrow_mut().progress();
        let progress = progress.map_err(|fault| fail(vm, this, &fault))?;
        tell(vm, this)?;
        if !flush(vm, this, until, operation)? {
            return Err(raise_wait(vm, Wait::Write));
        }
        match progress {
            Progress::Done => return Ok(()),
            Progress::Greeted => greet(vm, this)?,
            Progress::Wants => pull(vm, this, until, operation)?,
        }
    }
}

const HANDSHAKE_FAILURE: u8 = 40;
const INTERNAL_ERROR: u8 = 80;

/// A server that knows what the client asks for: the program may choose another context, or refuse.
fn greet(vm: &Vm, this: SocketRef) -> R<()> {
    let refuse = |alert: u8| {
        this.connection.borrow_mut().refuse(alert);
        fail(vm, this, &Fault::ssl("CALLBACK_FAILED"))
    };
    let Some(context) = this.context() else { return Err(refuse(INTERNAL_ERROR)) };
    if let Some(callback) = context.sni_callback.get() {
        let Some(owner) = this.owner.get() else { return Err(refuse(HANDSHAKE_FAILURE)) };
        let name = this.connection.borrow().hello().server_name;
        let name = name.map_or(Ok(Value::NONE), |name| vm.str(&name))?;
        match vm.call(callback, &[owner, name, context.value()]) {
            Ok(v) if v.is_none() => {}
            Ok(v) => match vm.index_i64(v) {
                Ok(alert) => return Err(refuse(alert as u8)),
                Err(Raised) => {
                    vm.unraisable(None, v);
                    return Err(refuse(INTERNAL_ERROR));
                }
            },
            Err(Raised) => {
                vm.unraisable(None, this.value());
                return Err(refuse(HANDSHAKE_FAILURE));
            }
        }
    }
    // The context that the callback has put in its place, if it has.
    let Some(chosen) = this.context() else { return Err(refuse(INTERNAL_ERROR)) };
    let alpn = chosen.settings.borrow().alpn.clone();
    let accepted = this.connection.borrow_mut().accept(chosen.core.keys.clone(), &alpn);
    accepted.map_err(|fault| fail(vm, this, &fault))
}

fn write(vm: &Vm, this: This, bytes: BytesLike) -> R<i64> {
    let this = this.0;
    check_gone(vm, this)?;
    let until = this.transport().until();
    let before = this.accepted.get();
    if before == 0 {
        if !this.connection.borrow().is_finished() {
            handshake(vm, this, until, Operation::Write)?;
        }
        if bytes.is_empty() {
            return Ok(0);
        }
        // What an earlier call has left.
        if !flush(vm, this, until, Operation::Write)? {
            return Err(raise_wait(vm, Wait::Write));
        }
        let taken = this.connection.borrow_mut().write(&bytes);
        this.accepted.set(taken.map_err(|fault| fail(vm, this, &fault))?);
    } else if bytes.len() < before {
        return Err(raise(vm, &Fault::ssl("BAD_WRITE_RETRY")));
    }
    if !flush(vm, this, until, Operation::Write)? {
        return Err(raise_wait(vm, Wait::Write));
    }
    Ok(this.accepted.replace(0) as i64)
}

fn read(vm: &Vm, this: This, size: i64, buffer: Option<Value>) -> R<Value> {
    let this = this.0;
    let mut room = match buffer {
        None => usize::try_from(size).map_err(|_| vm.value_error("size should not be negative"))?,
        Some(buffer) => {
            let mut room = 0;
            write_bytes(vm, buffer, |bytes| {
                room = bytes.len();
                Ok(())
            })?;
            match usize::try_from(size) {
                Ok(n) if n > 0 && n < room => n,
                _ => room,
            }
        }
    };
    let mut out = Vec::new();
    if room > 0 {
        wait_for_data(vm, this)?;
        room = room.min(this.connection.borrow().pending());
        out = vm.filled(0u8, room)?;
        let n = this.connection.borrow_mut().read(&mut out);
        out.truncate(n);
    }
    match buffer {
        None => vm.bytes(&out),
        Some(buffer) => {
            let mut n = 0;
            write_bytes(vm, buffer, |bytes| {
                n = out.len().min(bytes.len());
                bytes[..n].copy_from_slice(&out[..n]);
                Ok(())
            })?;
            vm.int(n as i64)
        }
    }
}

/// Until there is something to read, or the peer has said that nothing follows.
fn wait_for_data(vm: &Vm, this: SocketRef) -> R<()> {
    let until = this.transport().until();
    loop {
        {
            let connection = this.connection.borrow();
            if connection.pending() > 0 {
                return Ok(());
            }
            if connection.is_peer_closed() {
                if connection.is_closed() {
                    drop(connection);
                    return Err(raise_wait(vm, Wait::Closed));
                }
                return Ok(());
            }
        }
        check_gone(vm, this)?;
        if !this.connection.borrow().is_finished() {
            handshake(vm, this, until, Operation::Read)?;
            continue;
        }
        // Answers that the protocol asks for. Where they would have to wait, they go with what is sent next.
        if !this.sending.get() && this.accepted.get() == 0 {
            let _ = flush(vm, this, Until::Now, Operation::Read)?;
        }
        pull(vm, this, until, Operation::Read)?;
    }
}

fn shutdown(vm: &Vm, this: This) -> R<Value> {
    let this = this.0;
    check_gone(vm, this)?;
    if !this.connection.borrow().is_finished() {
        return Err(raise(vm, &Fault::ssl("SHUTDOWN_WHILE_IN_INIT")));
    }
    let until = this.transport().until();
    let closed = this.connection.borrow_mut().close();
    closed.map_err(|fault| fail(vm, this, &fault))?;
    tell(vm, this)?;
    if !flush(vm, this, until, Operation::Shutdown)? {
        return Err(raise_wait(vm, Wait::Write));
    }
    loop {
        let (pending, is_closed) = {
            let connection = this.connection.borrow();
            (connection.pending(), connection.is_peer_closed())
        };
        if pending > 0 {
            return Err(raise(vm, &Fault::ssl("APPLICATION_DATA_AFTER_CLOSE_NOTIFY")));
        }
        if is_closed {
            return Ok(this.socket.or_none());
        }
        pull(vm, this, until, Operation::Shutdown)?;
    }
}

fn getpeercert(vm: &Vm, this: This, der: Option<bool>) -> R<Value> {
    let this = this.0;
    if !this.connection.borrow().is_finished() {
        return Err(vm.value_error("handshake not done yet"));
    }
    let der_bytes = this.connection.borrow().peer_certificates().first().map(|c| c.to_vec());
    let Some(bytes) = der_bytes else { return Ok(Value::NONE) };
    if der == Some(true) {
        return vm.bytes(&bytes);
    }
    let verifies = this.context().is_some_and(|context| context.verifies());
    match Certificate::new(&bytes).filter(|_| verifies) {
        Some(certificate) => certs::info(vm, &certificate),
        None => Ok(skein_runtime::types::dict::Dict::new(vm)?.value()),
    }
}

fn get_channel_binding(vm: &Vm, this: This, kind: Option<Ref<Str>>) -> R<Value> {
    let kind = kind.map(|kind| kind.to_string_lossy().into_owned());
    if let Some(kind) = kind.filter(|kind| kind != "tls-unique") {
        return Err(vm.value_error(format!("'{kind}' channel binding type not implemented")));
    }
    let bytes = this.0.connection.borrow().binding().map(<[u8]>::to_vec);
    bytes.map_or(Ok(Value::NONE), |bytes| vm.bytes(&bytes))
}

fn cipher(vm: &Vm, this: This) -> R<Value> {
    let suite = this.0.connection.borrow().suite();
    match suite {
        Some(suite) => vm.tuple(&[vm.str(suite.name)?, vm.str(suite.protocol)?, vm.int(suite.bits.into())?]),
        None => Ok(Value::NONE),
    }
}

fn shared_ciphers(vm: &Vm, this: This) -> R<Value> {
    let suites = this.0.connection.borrow().shared_suites().map(<[_]>::to_vec);
    let Some(suites) = suites else { return Ok(Value::NONE) };
    let list = List::new(vm, &[])?;
    for suite in suites {
        let row = [vm.str(suite.name)?, vm.str(suite.protocol)?, vm.int(suite.bits.into())?];
        list.push(vm, vm.tuple(&row)?)?;
    }
    Ok(list.value())
}

fn selected_alpn_protocol(vm: &Vm, this: This) -> R<Value> {
    let name = this.0.connection.borrow().alpn().map(<[u8]>::to_vec);
    name.map_or(Ok(Value::NONE), |name| vm.str(&String::from_utf8_lossy(&name)))
}

fn get_unverified_chain(vm: &Vm, this: This) -> R<Value> {
    let sent: Vec<_> = {
        let connection = this.0.connection.borrow();
        connection.peer_certificates().iter().filter_map(|c| Certificate::new(c).map(Arc::new)).collect()
    };
    if sent.is_empty() { Ok(Value::NONE) } else { certs::chain(vm, sent.into_iter()) }
}

fn get_verified_chain(vm: &Vm, this: This) -> R<Value> {
    let chain = this.0.connection.borrow().verified_chain().to_vec();
    if chain.is_empty() { Ok(Value::NONE) } else { certs::chain(vm, chain.into_iter()) }
}

fn set_context(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    let Some(v) = v else {
        return Err(vm.attribute_error("attribute 'context' of '_ssl._SSLSocket' objects cannot be deleted"));
    };
    match v.cast::<Ext<SslContext>>() {
        Some(context) => {
            this.0.context.set(vm, this.0, context.value());
            Ok(())
        }
        None => Err(vm.type_error("The value must be a SSLContext")),
    }
}

fn set_owner(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    let Some(v) = v else {
        return Err(vm.attribute_error("attribute 'owner' of '_ssl._SSLSocket' objects cannot be deleted"));
    };
    // An older object has it now, so that the collector must be told, although it keeps nothing alive.
    this.0.barrier(vm);
    this.0.owner.set(Some(v).filter(|v| !v.is_none()));
    Ok(())
}

fn get_session(vm: &Vm, this: This) -> R<Value> {
    if this.0.is_server {
        return Ok(Value::NONE);
    }
    let session = this.0.connection.borrow().session().cloned();
    let Some(session) = session else { return Ok(Value::NONE) };
    let ty = ext_type(vm, &SESSION)?;
    Ok(Ext::new(vm, ty, Session { session, context: Field::new(this.0.context.get()) })?.value())
}

fn set_session(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    let this = this.0;
    let Some(v) = v else {
        return Err(vm.attribute_error("attribute 'session' of '_ssl._SSLSocket' objects cannot be deleted"));
    };
    let Some(context) = this.context() else { return Ok(()) };
    let session = known_session(vm, context, v)?;
    if this.is_server {
        return Err(vm.value_error("Cannot set session for server-side SSLSocket."));
    }
    if this.connection.borrow().has_begun() {
        return Err(vm.value_error("Cannot set session after handshake."));
    }
    let host = match this.server_hostname.get() {
        Some(host) => Some(host_text(vm, host)?),
        None => None,
    };
    let connection = client(vm, context, &this.settings, host.as_deref(), Some(session))?;
    *this.connection.borrow_mut() = connection;
    Ok(())
}
