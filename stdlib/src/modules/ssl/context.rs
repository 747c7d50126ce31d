//! `_SSLContext`: the settings from which connections are made.

use super::super::io::path_bytes;
use super::super::support::BytesLike;
use super::constants::*;
use super::errors::{raise, raise_plain};
use super::{certs, paths};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};
use skein_tls::ciphers::{self, Suite};
use skein_tls::context::{Context, Group, Settings};
use skein_tls::faults::Fault;
use skein_tls::trust::{Mode, Policy};
use skein_tls::{hostname, keys, lock, pem};
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub struct SslContext {
    pub core: Arc<Context>,
    pub settings: RefCell<Settings>,
    pub protocol: i32,
    options: Cell<u64>,
    minimum: Cell<i64>,
    maximum: Cell<i64>,
    security_level: Cell<u32>,
    post_handshake_auth: Cell<bool>,
    pub sni_callback: Field,
    pub msg_callback: Field,
    keylog_filename: Field,
    keylog: RefCell<Option<File>>,
}

impl Payload for SslContext {
    const NAME: &'static str = "_ssl._SSLContext";
    fn trace(&self, t: &mut Tracer<'_>) {
        let SslContext {
            core: _,
            settings: _,
            protocol: _,
            options: _,
            minimum: _,
            maximum: _,
            security_level: _,
            post_handshake_auth: _,
            sni_callback,
            msg_callback,
            keylog_filename,
            keylog: _,
        } = self;
        sni_callback.trace(t);
        msg_callback.trace(t);
        keylog_filename.trace(t);
    }
}

pub type ContextRef = Ref<Ext<SslContext>>;
type This = ExtArg<SslContext>;

native_type! {
    pub CONTEXT: "_ssl._SSLContext", Kind::Ext, type_flags::BASETYPE;
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "_wrap_socket($self, /, sock, server_side, server_hostname=None, *, owner=None, session=None)" => super::socket::wrap_socket;
        "_wrap_bio($self, /, incoming, outgoing, server_side, server_hostname=None, *, owner=None, session=None)" => super::socket::wrap_bio;
        "set_ciphers($self, cipherlist, /)" => set_ciphers, "Choose the cipher suites.";
        "get_ciphers($self, /)" => get_ciphers, "The cipher suites, a dict for each.";
        "_set_alpn_protocols($self, protos, /)" => set_alpn, "Names of protocols, each after its length.";
        "load_cert_chain($self, /, certfile, keyfile=None, password=None)" => load_cert_chain, "Load a certificate with its private key.";
        "load_dh_params($self, path, /)" => load_dh_params, "Check parameters for Diffie-Hellman; no suite uses them.";
        "load_verify_locations($self, /, cafile=None, capath=None, cadata=None)" => load_verify_locations, "Load certificates that are trusted.";
        "set_default_verify_paths($self, /)" => set_default_verify_paths, "Trust what the system trusts.";
        "session_stats($self, /)" => session_stats, "Numbers of connections and sessions.";
        "set_ecdh_curve($self, name, /)" => set_ecdh_curve, "Choose the group for key exchange.";
        "cert_store_stats($self, /)" => cert_store_stats, "Numbers of loaded certificates.";
        "get_ca_certs($self, /, binary_form=False)" => get_ca_certs, "Loaded certificates of authorities.";
        "set_psk_client_callback($self, /, callback)" => |vm: &Vm, _: This, _: Value| -> R<()> { Err(no_psk(vm)) };
        "set_psk_server_callback($self, /, callback, identity_hint=None)" => |vm: &Vm, _: This, _: Value, _: Option<Value>| -> R<()> { Err(no_psk(vm)) };
    }
    getset {
        "check_hostname" => |_: &Vm, this: This| -> R<Value> { Ok(Value::bool(this.0.policy().check_hostname)) }, set_check_hostname;
        "_host_flags" => |vm: &Vm, this: This| vm.int(this.0.policy().host_flags.into()), set_host_flags;
        "minimum_version" => |vm: &Vm, this: This| vm.int(this.0.minimum.get()), |vm: &Vm, this: This, v: Option<Value>| set_bound(vm, this, "minimum_version", v);
        "maximum_version" => |vm: &Vm, this: This| vm.int(this.0.maximum.get()), |vm: &Vm, this: This, v: Option<Value>| set_bound(vm, this, "maximum_version", v);
        "keylog_filename" => |_: &Vm, this: This| -> R<Value> { Ok(this.0.keylog_filename.or_none()) }, set_keylog;
        "_msg_callback" => |_: &Vm, this: This| -> R<Value> { Ok(this.0.msg_callback.or_none()) }, set_msg_callback;
        "sni_callback" => |_: &Vm, this: This| -> R<Value> { Ok(this.0.sni_callback.or_none()) }, set_sni_callback;
        "num_tickets" => |vm: &Vm, this: This| vm.int_u64(this.0.settings.borrow().ticket_count as u64), set_num_tickets;
        "options" => |vm: &Vm, this: This| vm.int_u64(this.0.options.get()), set_options;
        "post_handshake_auth" => |_: &Vm, this: This| -> R<Value> { Ok(Value::bool(this.0.post_handshake_auth.get())) }, set_post_handshake_auth;
        "protocol" => |vm: &Vm, this: This| vm.int(this.0.protocol.into());
        "verify_flags" => |vm: &Vm, this: This| vm.int(this.0.policy().flags.into()), set_verify_flags;
        "verify_mode" => |vm: &Vm, this: This| vm.int(this.0.policy().mode as i64), set_verify_mode;
        "security_level" => |vm: &Vm, this: This| vm.int(this.0.security_level.get().into());
    }
}

fn no_psk(vm: &Vm) -> skein_runtime::Raised {
    vm.raise_text(vm.exc.not_implemented_error, "TLS-PSK is not supported by your OpenSSL version.")
}

impl SslContext {
    fn policy(&self) -> Policy {
        *lock(&self.core.verifier.policy)
    }

    fn change_policy(&self, change: impl FnOnce(&mut Policy)) {
        change(&mut lock(&self.core.verifier.policy));
    }

    pub fn verifies(&self) -> bool {
        self.policy().mode != Mode::None
    }

    pub fn checks_hostname(&self) -> bool {
        self.policy().check_hostname
    }

    /// The settings for a connection that begins now.
    pub fn current(&self) -> Settings {
        let mut settings = self.settings.borrow().clone();
        let options = self.options.get();
        let within = |version: i64, option: u64| {
            let above = self.minimum.get() == PROTO_MINIMUM || self.minimum.get() <= version;
            let below = self.maximum.get() == PROTO_MAXIMUM || version <= self.maximum.get();
            above && below && options & option == 0
        };
        settings.tls12 = within(PROTO_TLS_V1_2, OP_NO_TLS_V1_2);
        settings.tls13 = within(PROTO_TLS_V1_3, OP_NO_TLS_V1_3) && self.protocol != PROTOCOL_TLS_V1_2;
        settings.tickets = options & OP_NO_TICKET == 0;
        settings.server_preference = options & OP_CIPHER_SERVER_PREFERENCE != 0;
        settings
    }

    /// Appends secrets of connections to the file that is asked for. OSError.
    pub fn write_keylog(&self, vm: &Vm) -> R<()> {
        let lines = match &*self.keylog.borrow() {
            Some(_) => self.core.key_log.take(),
            None => return Ok(()),
        };
        match self.keylog.borrow_mut().as_mut() {
            Some(file) if !lines.is_empty() => {
                file.write_all(lines.as_bytes()).map_err(|e| vm.os_error_of(&e, None))
            }
            _ => Ok(()),
        }
    }
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &CONTEXT)?)?;
    let (&[_, protocol], false) = (args.positional(), args.has_keywords()) else {
        return Err(vm.type_error(format!(
            "_SSLContext expected 1 argument, got {}",
            args.positional().len() - 1 + args.keywords().count()
        )));
    };
    let protocol = vm.index_i64(protocol)?;
    let deprecated = match i32::try_from(protocol) {
        Ok(PROTOCOL_TLS_CLIENT | PROTOCOL_TLS_SERVER) => None,
        Ok(PROTOCOL_TLS) => Some("PROTOCOL_TLS"),
        Ok(PROTOCOL_TLS_V1_2) => Some("PROTOCOL_TLSv1_2"),
        _ => return Err(vm.value_error(format!("invalid or unsupported protocol version {protocol}"))),
    };
    if let Some(name) = deprecated {
        vm.warn(vm.exc.deprecation_warning, &format!("ssl.{name} is deprecated"))?;
    }
    let protocol = protocol as i32;
    let is_client = protocol == PROTOCOL_TLS_CLIENT;
    let policy = Policy {
        mode: if is_client { Mode::Required } else { Mode::None },
        flags: VERIFY_TRUSTED_FIRST,
        check_hostname: is_client,
        host_flags: hostname::NO_PARTIAL_WILDCARDS,
    };
    let context = SslContext {
        core: Arc::new(Context::new(policy)),
        settings: RefCell::default(),
        protocol,
        options: Cell::new(
            OP_ALL
                | OP_NO_SSL_V3
                | OP_NO_COMPRESSION
                | OP_CIPHER_SERVER_PREFERENCE
                | OP_ENABLE_MIDDLEBOX_COMPAT,
        ),
        minimum: Cell::new(PROTO_TLS_V1_2),
        maximum: Cell::new(PROTO_MAXIMUM),
        security_level: Cell::new(2),
        post_handshake_auth: Cell::new(false),
        sni_callback: Field::new(None),
        msg_callback: Field::new(None),
        keylog_filename: Field::new(None),
        keylog: RefCell::new(None),
    };
    Ok(Ext::new(vm, class, context)?.value())
}

/// The new value of an attribute that cannot be deleted. AttributeError.
fn given(vm: &Vm, name: &str, v: Option<Value>) -> R<Value> {
    v.ok_or_else(|| {
        vm.attribute_error(format!("attribute '{name}' of '_ssl._SSLContext' objects cannot be deleted"))
    })
}

fn set_check_hostname(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    let on = vm.truth(given(vm, "check_hostname", v)?)?;
    this.0.change_policy(|policy| {
        policy.check_hostname = on;
        if on && policy.mode == Mode::None {
            policy.mode = Mode::Required;
        }
    });
    Ok(())
}

fn set_host_flags(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    let flags = vm.index_i64(given(vm, "_host_flags", v)?)?;
    this.0.change_policy(|policy| policy.host_flags = flags as u32);
    Ok(())
}

fn set_verify_flags(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    let flags = vm.index_i64(given(vm, "verify_flags", v)?)?;
    this.0.change_policy(|policy| policy.flags = flags as u32);
    Ok(())
}

fn set_verify_mode(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    let mode = match vm.index_i64(given(vm, "verify_mode", v)?)? {
        0 => Mode::None,
        1 => Mode::Optional,
        2 => Mode::Required,
        _ => return Err(vm.value_error("invalid value for verify_mode")),
    };
    if mode == Mode::None && this.0.policy().check_hostname {
        return Err(vm.value_error("Cannot set verify_mode to CERT_NONE when check_hostname is enabled."));
    }
    this.0.change_policy(|policy| policy.mode = mode);
    Ok(())
}

fn set_bound(vm: &Vm, this: This, name: &str, v: Option<Value>) -> R<()> {
    let version = vm.index_i64(given(vm, name, v)?)?;
    if this.0.protocol == PROTOCOL_TLS_V1_2 {
        return Err(vm.value_error(
            "The context's protocol doesn't support modification of highest and lowest version.",
        ));
    }
    let old = match version {
        PROTO_SSL_V3 => Some("SSLv3"),
        PROTO_TLS_V1 => Some("TLSv1"),
        PROTO_TLS_V1_1 => Some("TLSv1_1"),
        PROTO_MINIMUM | PROTO_MAXIMUM | PROTO_TLS_V1_2 | PROTO_TLS_V1_3 => None,
        _ => return Err(vm.value_error(format!("Unsupported TLS/SSL version {version:#x}"))),
    };
    if let Some(old) = old {
        vm.warn(vm.exc.deprecation_warning, &format!("ssl.TLSVersion.{old} is deprecated"))?;
    }
    // The lowest bound for the highest version, and the other way round, are versions that there are.
    if name == "minimum_version" {
        this.0.minimum.set(if version == PROTO_MAXIMUM { PROTO_TLS_V1_3 } else { version });
    } else {
        this.0.maximum.set(if version == PROTO_MINIMUM { PROTO_TLS_V1_2 } else { version });
    }
    Ok(())
}

fn set_options(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    let v = vm.index(given(vm, "options", v)?)?;
    let Some(options) = vm
        .as_big(v)
        .and_then(|n| u64::try_from(n).ok())
        .or_else(|| vm.as_i64(v).and_then(|n| u64::try_from(n).ok()))
    else {
        let is_negative = vm.as_i64(v).is_some_and(|n| n < 0) || vm.as_big(v).is_some_and(|n| n < 0.into());
        return Err(match is_negative {
            true => vm.value_error("Cannot convert negative int"),
            false => vm.overflow_error("Python int too large for C unsigned long long"),
        });
    };
    let added = options & !this.0.options.get();
    let versions = OP_NO_SSL_V3 | OP_NO_TLS_V1 | OP_NO_TLS_V1_1 | OP_NO_TLS_V1_2 | OP_NO_TLS_V1_3;
    if added & versions != 0 {
        vm.warn(vm.exc.deprecation_warning, "ssl.OP_NO_SSL*/ssl.OP_NO_TLS* options are deprecated")?;
    }
    this.0.options.set(options);
    Ok(())
}

fn set_post_handshake_auth(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    this.0.post_handshake_auth.set(vm.truth(given(vm, "post_handshake_auth", v)?)?);
    Ok(())
}

fn set_num_tickets(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    let n = vm.index_i64(given(vm, "num_tickets", v)?)?;
    let Ok(n) = usize::try_from(n) else { return Err(vm.value_error("value must be non-negative")) };
    if this.0.protocol != PROTOCOL_TLS_SERVER {
        return Err(vm.value_error("SSLContext is not a server context."));
    }
    // More would do nothing but fill the wire.
    this.0.settings.borrow_mut().ticket_count = n.min(255);
    Ok(())
}

fn set_sni_callback(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    let v = given(vm, "sni_callback", v)?;
    if this.0.protocol == PROTOCOL_TLS_CLIENT {
        return Err(vm.value_error("sni_callback cannot be set on TLS_CLIENT context"));
    }
    if !v.is_none() && !vm.is_callable(v) {
        return Err(vm.type_error("not a callable object"));
    }
    this.0.sni_callback.set(vm, this.0, Some(v).filter(|v| !v.is_none()));
    Ok(())
}

fn set_msg_callback(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    let v = given(vm, "_msg_callback", v)?;
    if !v.is_none() && !vm.is_callable(v) {
        return Err(vm.type_error("not a callable object"));
    }
    this.0.msg_callback.set(vm, this.0, Some(v).filter(|v| !v.is_none()));
    Ok(())
}

fn set_keylog(vm: &Vm, this: This, v: Option<Value>) -> R<()> {
    let v = given(vm, "keylog_filename", v)?;
    *this.0.keylog.borrow_mut() = None;
    this.0.keylog_filename.set(vm, this.0, None);
    this.0.core.key_log.turn(false);
    if v.is_none() {
        return Ok(());
    }
    let path = paths::to_path(&path_bytes(vm, v)?);
    let opened = File::options().append(true).create(true).open(&path);
    let mut file = opened.map_err(|e| vm.os_error(e.raw_os_error().unwrap_or(0), Some(v)))?;
    if file.metadata().is_ok_and(|m| m.len() == 0) {
        let header = b"# TLS secrets log file, generated by Skein / Python\n";
        file.write_all(header).map_err(|e| vm.os_error_of(&e, None))?;
    }
    *this.0.keylog.borrow_mut() = Some(file);
    this.0.keylog_filename.set(vm, this.0, v);
    this.0.core.key_log.turn(true);
    Ok(())
}

fn set_ciphers(vm: &Vm, this: This, list: Ref<Str>) -> R<()> {
    match ciphers::parse(&list.to_string_lossy()) {
        Some((suites, level)) => {
            this.0.settings.borrow_mut().suites = suites;
            if let Some(level) = level {
                this.0.security_level.set(level);
            }
            Ok(())
        }
        None => Err(raise_plain(vm, "No cipher can be selected.")),
    }
}

fn get_ciphers(vm: &Vm, this: This) -> R<Value> {
    let list = List::new(vm, &[])?;
    let suites = this.0.settings.borrow().suites.clone();
    for suite in suites {
        list.push(vm, described(vm, suite)?)?;
    }
    Ok(list.value())
}

fn described(vm: &Vm, suite: &Suite) -> R<Value> {
    let d = Dict::new(vm)?;
    let (exchange, auth) = match suite.authentication {
        None => ("kx-any", "auth-any".to_owned()),
        Some(auth) => ("kx-ecdhe", format!("auth-{auth}")),
    };
    d.set_name(vm, "id", vm.int(0x0300_0000 | i64::from(u16::from(suite.id)))?)?;
    d.set_name(vm, "name", vm.str(suite.name)?)?;
    d.set_name(vm, "protocol", vm.str(suite.protocol)?)?;
    d.set_name(vm, "description", vm.str(&suite.description())?)?;
    d.set_name(vm, "strength_bits", vm.int(suite.bits.into())?)?;
    d.set_name(vm, "alg_bits", vm.int(suite.bits.into())?)?;
    d.set_name(vm, "aead", Value::TRUE)?;
    d.set_name(vm, "symmetric", vm.str(suite.symmetric)?)?;
    d.set_name(vm, "digest", Value::NONE)?;
    d.set_name(vm, "kea", vm.str(exchange)?)?;
    d.set_name(vm, "auth", vm.str(&auth)?)?;
    Ok(d.value())
}

fn set_alpn(vm: &Vm, this: This, protocols: BytesLike) -> R<()> {
    let mut names = Vec::new();
    let mut rest = &protocols[..];
    while let Some((&length, more)) = rest.split_first() {
        let (Some(name), 1..) = (more.get(..length.into()), length) else {
            return Err(vm.value_error("protocols must be names, each after a byte with its length"));
        };
        vm.push(&mut names, vm.copied(name)?)?;
        rest = &more[length.into()..];
    }
    this.0.settings.borrow_mut().alpn = names;
    Ok(())
}

/// The path of an argument, and what is in that file. TypeError, OSError.
fn file(vm: &Vm, name: &str, path: Value) -> R<Vec<u8>> {
    let taken = vm.absorb(path_bytes(vm, path), vm.exc.type_error)?;
    let path = taken.ok_or_else(|| vm.type_error(format!("{name} should be a valid filesystem path")))?;
    read_file(vm, &path)
}

fn read_file(vm: &Vm, path: &std::ffi::CStr) -> R<Vec<u8>> {
    let path = paths::to_path(path);
    vm.without_gil(|| std::fs::read(path)).map_err(|e| vm.os_error(e.raw_os_error().unwrap_or(0), None))
}

/// Longer passwords are refused.
const MAX_PASSWORD: usize = 1024;

/// The password for a key: given, or got by a call. TypeError, ValueError.
fn password(vm: &Vm, given: Value) -> R<Vec<u8>> {
    let (value, what) = match vm.is_callable(given) {
        true => (vm.call(given, &[])?, "password callback must return a string"),
        false => (given, "password should be a string or callable"),
    };
    let bytes = match value.cast::<Str>() {
        Some(s) => vm.copied(s.bytes())?,
        None if BytesLike::is(value) => BytesLike::new(vm, value)?.into_vec(vm)?,
        None => return Err(vm.type_error(what)),
    };
    if bytes.len() > MAX_PASSWORD {
        return Err(vm.value_error(format!("password cannot be longer than {MAX_PASSWORD} bytes")));
    }
    Ok(bytes)
}

fn load_cert_chain(
    vm: &Vm,
    this: This,
    certfile: Value,
    keyfile: Option<Value>,
    given: Option<Value>,
) -> R<()> {
    let given = given.filter(|v| !v.is_none());
    let text = file(vm, "certfile", certfile)?;
    let key_text = match keyfile.filter(|v| !v.is_none()) {
        Some(path) => Some(file(vm, "keyfile", path)?),
        None => None,
    };
    if let Some(v) = given
        && !vm.is_callable(v)
    {
        password(vm, v)?;
    }
    let wrong = |fault: Fault| raise(vm, &fault);
    let chain = keys::read_chain(&text).map_err(wrong)?;
    let key = keys::read_key(key_text.as_deref().unwrap_or(&text)).map_err(wrong)?;
    let password = match given {
        Some(v) if key.is_encrypted() => Some(password(vm, v)?),
        _ => None,
    };
    this.0.core.keys.add(chain, key, password.as_deref()).map_err(wrong)
}

fn load_dh_params(vm: &Vm, this: This, path: Value) -> R<()> {
    let _ = this;
    vm.audit("open", || vm.tuple(&[path, vm.str("rb")?, Value::small_int(0)]))?;
    let text = read_file(vm, &path_bytes(vm, path)?)?;
    let found =
        pem::blocks(&text).is_ok_and(|blocks| blocks.iter().any(|b| b.label.ends_with("DH PARAMETERS")));
    if found { Ok(()) } else { Err(raise(vm, &Fault::new("PEM", "NO_START_LINE"))) }
}

fn load_verify_locations(
    vm: &Vm,
    this: This,
    cafile: Option<Value>,
    capath: Option<Value>,
    cadata: Option<Value>,
) -> R<()> {
    let given = |v: Option<Value>| v.filter(|v| !v.is_none());
    let (cafile, capath, cadata) = (given(cafile), given(capath), given(cadata));
    if cafile.is_none() && capath.is_none() && cadata.is_none() {
        return Err(vm.type_error("cafile, capath and cadata cannot be all omitted"));
    }
    let wrong = |fault: Fault| raise(vm, &fault);
    let folder = match capath {
        Some(path) => {
            let taken = vm.absorb(path_bytes(vm, path), vm.exc.type_error)?;
            Some(taken.ok_or_else(|| vm.type_error("capath should be a valid filesystem path"))?)
        }
        None => None,
    };
    let text = match cafile {
        Some(path) => Some(file(vm, "cafile", path)?),
        None => None,
    };
    // The lock is not held where an exception is made: finalizers may run then.
    if let Some(v) = cadata {
        match v.cast::<Str>() {
            Some(s) if s.is_ascii() => {
                let added = lock(&this.0.core.store).add_text(&s.to_string_lossy());
                added.map_err(wrong)?;
            }
            Some(_) => return Err(vm.type_error("cadata should be an ASCII string or a bytes-like object")),
            None => {
                let taken = vm.absorb(BytesLike::new(vm, v), vm.exc.type_error)?;
                let bytes = taken.ok_or_else(|| {
                    vm.type_error("cadata should be an ASCII string or a bytes-like object")
                })?;
                let added = lock(&this.0.core.store).add_der(&bytes);
                added.map_err(wrong)?;
            }
        }
    }
    if let Some(text) = text {
        vm.heap.add_external(text.len() as isize);
        let added = lock(&this.0.core.store).add_file(&text);
        added.map_err(wrong)?;
    }
    if let Some(folder) = folder {
        lock(&this.0.core.store).add_folder(&paths::to_path(&folder));
    }
    Ok(())
}

/// What cannot be read there is passed over.
fn set_default_verify_paths(vm: &Vm, this: This) -> R<()> {
    let (file, folder) = paths::trusted();
    let text = vm.without_gil(|| std::fs::read(file));
    let mut store = lock(&this.0.core.store);
    if let Ok(text) = text {
        vm.heap.add_external(text.len() as isize);
        // As with OpenSSL, a bad file is found out when a certificate is not trusted.
        let _ = store.add_file(&text);
    }
    store.add_folder(&folder);
    Ok(())
}

fn session_stats(vm: &Vm, this: This) -> R<Value> {
    let counters = &this.0.core.counters;
    let d = Dict::new(vm)?;
    for (name, n) in [
        ("number", &counters.number),
        ("connect", &counters.connect),
        ("connect_good", &counters.connect_good),
        ("accept", &counters.accept),
        ("accept_good", &counters.accept_good),
        ("hits", &counters.hits),
        ("misses", &counters.misses),
    ] {
        d.set_name(vm, name, vm.int_u64(n.load(Ordering::Relaxed))?)?;
    }
    for name in ["connect_renegotiate", "accept_renegotiate", "timeouts", "cache_full"] {
        d.set_name(vm, name, Value::small_int(0))?;
    }
    Ok(d.value())
}

fn set_ecdh_curve(vm: &Vm, this: This, name: Value) -> R<()> {
    let text = match name.cast::<Str>() {
        Some(s) => s.to_string_lossy().into_owned(),
        None => String::from_utf8_lossy(&super::super::io::encode_path(vm, name)?).into_owned(),
    };
    match Group::named(&text) {
        Some(group) => {
            this.0.settings.borrow_mut().group = Some(group);
            Ok(())
        }
        None => {
            let shown = vm.repr_string(name)?;
            Err(vm.value_error(format!("unknown elliptic curve name {shown}")))
        }
    }
}

fn cert_store_stats(vm: &Vm, this: This) -> R<Value> {
    let counts = lock(&this.0.core.store).counts();
    let d = Dict::new(vm)?;
    for (name, n) in [("x509", counts.certificates), ("crl", counts.lists), ("x509_ca", counts.authorities)] {
        d.set_name(vm, name, vm.int_u64(n as u64)?)?;
    }
    Ok(d.value())
}

fn get_ca_certs(vm: &Vm, this: This, binary: Option<bool>) -> R<Value> {
    let all: Vec<_> = lock(&this.0.core.store).certificates().to_vec();
    let list = List::new(vm, &[])?;
    for certificate in all.iter().filter(|c| c.is_ca()) {
        let shown = match binary {
            Some(true) => vm.bytes(certificate.der())?,
            _ => certs::info(vm, certificate)?,
        };
        list.push(vm, shown)?;
    }
    Ok(list.value())
}
