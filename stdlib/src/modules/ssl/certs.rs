//! Certificates as Python sees them: the dict of `getpeercert()`, the types `Certificate` and `SSLSession`, and object
//! identifiers.

use super::constants::{ENCODING_DER, ENCODING_PEM};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::str::{Str, hash_bytes};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Value, Vm, native_type};
use skein_tls::certificate::{AltName, Certificate, Name};
use skein_tls::objects::{self, Object};
use skein_tls::{pem, session};
use std::sync::Arc;

/// A certificate of a chain.
pub struct Shown(Arc<Certificate>);

impl Payload for Shown {
    const NAME: &'static str = "_ssl.Certificate";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Shown(_) = self;
    }
}

type This = ExtArg<Shown>;

native_type! {
    pub CERTIFICATE: "_ssl.Certificate", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__repr__($self, /)" => |_: &Vm, this: This| -> String { format!("<_ssl.Certificate '{}'>", this.0.0.subject_text()) };
        "__hash__($self, /)" => |vm: &Vm, this: This| -> i64 { hash_bytes(vm, this.0.0.der()) };
        "__eq__($self, value, /)" => |_: &Vm, this: This, other: Value| -> Value { same(this.0, other, true) };
        "__ne__($self, value, /)" => |_: &Vm, this: This, other: Value| -> Value { same(this.0, other, false) };
        "public_bytes($self, /, format=1)" => public_bytes, "The certificate as PEM text or DER bytes.";
        "get_info($self, /)" => |vm: &Vm, this: This| -> R<Value> { info(vm, &this.0.0) }, "What the certificate says, as a dict.";
    }
}

fn same(this: Ref<Ext<Shown>>, other: Value, wanted: bool) -> Value {
    match other.cast::<Ext<Shown>>() {
        Some(other) => Value::bool((this.0.der() == other.0.der()) == wanted),
        None => Value::NOT_IMPLEMENTED,
    }
}

fn public_bytes(vm: &Vm, this: This, format: Option<i64>) -> R<Value> {
    match format.unwrap_or(ENCODING_PEM) {
        ENCODING_PEM => vm.str(&pem::encode("CERTIFICATE", this.0.0.der())),
        ENCODING_DER => vm.bytes(this.0.0.der()),
        _ => Err(vm.value_error("Unsupported format")),
    }
}

/// The objects of a chain, in a list. MemoryError.
pub fn chain(vm: &Vm, chain: impl Iterator<Item = Arc<Certificate>>) -> R<Value> {
    let ty = ext_type(vm, &CERTIFICATE)?;
    let list = List::new(vm, &[])?;
    for certificate in chain {
        list.push(vm, Ext::new(vm, ty, Shown(certificate))?.value())?;
    }
    Ok(list.value())
}

fn name(vm: &Vm, name: &Name) -> R<Value> {
    let groups = List::new(vm, &[])?;
    for group in name {
        let parts = List::new(vm, &[])?;
        for (key, value) in group {
            parts.push(vm, vm.tuple(&[vm.str(key)?, vm.str(value)?])?)?;
        }
        groups.push(vm, vm.tuple(parts.items())?)?;
    }
    vm.tuple(groups.items())
}

/// The dict that tells what a certificate says. MemoryError.
pub fn info(vm: &Vm, certificate: &Certificate) -> R<Value> {
    let info = certificate.info();
    let d = Dict::new(vm)?;
    d.set_name(vm, "subject", name(vm, &info.subject)?)?;
    d.set_name(vm, "issuer", name(vm, &info.issuer)?)?;
    d.set_name(vm, "version", vm.int(info.version.into())?)?;
    for (key, text) in
        [("serialNumber", &info.serial), ("notBefore", &info.not_before), ("notAfter", &info.not_after)]
    {
        d.set_name(vm, key, vm.str(text)?)?;
    }
    if !info.alt_names.is_empty() {
        let names = List::new(vm, &[])?;
        for alt in &info.alt_names {
            let pair = match alt {
                AltName::Text(kind, text) => [vm.str(kind)?, vm.str(text)?],
                AltName::Directory(directory) => [vm.str("DirName")?, name(vm, directory)?],
            };
            names.push(vm, vm.tuple(&pair)?)?;
        }
        d.set_name(vm, "subjectAltName", vm.tuple(names.items())?)?;
    }
    for (key, texts) in
        [("OCSP", &info.ocsp), ("caIssuers", &info.ca_issuers), ("crlDistributionPoints", &info.crl_points)]
    {
        if !texts.is_empty() {
            let row = List::new(vm, &[])?;
            for text in texts {
                row.push(vm, vm.str(text)?)?;
            }
            d.set_name(vm, key, vm.tuple(row.items())?)?;
        }
    }
    Ok(d.value())
}

/// A client's session.
pub struct Session {
    pub session: Arc<session::Session>,
    /// The context that it belongs to.
    pub context: Field,
}

impl Payload for Session {
    const NAME: &'static str = "_ssl.SSLSession";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Session { session: _, context } = self;
        context.trace(t);
    }
}

type SessionArg = ExtArg<Session>;

native_type! {
    pub SESSION: "_ssl.SSLSession", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__eq__($self, value, /)" => |_: &Vm, this: SessionArg, other: Value| -> Value { same_session(this.0, other, true) };
        "__ne__($self, value, /)" => |_: &Vm, this: SessionArg, other: Value| -> Value { same_session(this.0, other, false) };
        "__hash__($self, /)" => |vm: &Vm, _: SessionArg| -> R<i64> { Err(vm.type_error("unhashable type: '_ssl.SSLSession'")) };
    }
    getset {
        "id" => |vm: &Vm, this: SessionArg| vm.bytes(&this.0.session.id);
        "time" => |vm: &Vm, this: SessionArg| vm.int_u64(this.0.session.time);
        "timeout" => |vm: &Vm, this: SessionArg| vm.int_u64(this.0.session.timeout);
        "ticket_lifetime_hint" => |vm: &Vm, this: SessionArg| vm.int_u64(this.0.session.ticket_lifetime());
        "has_ticket" => |_: &Vm, this: SessionArg| -> R<Value> { Ok(Value::bool(this.0.session.has_ticket())) };
    }
}

fn same_session(this: Ref<Ext<Session>>, other: Value, wanted: bool) -> Value {
    match other.cast::<Ext<Session>>() {
        Some(other) => Value::bool((this.session.id == other.session.id) == wanted),
        None => Value::NOT_IMPLEMENTED,
    }
}

fn object(vm: &Vm, o: Object) -> R<Value> {
    if o.nid == 0 {
        return Err(vm.value_error("Unknown object"));
    }
    vm.tuple(&[vm.int(o.nid.into())?, vm.str(o.short)?, vm.str(o.long)?, vm.str(o.oid)?])
}

/// `txt2obj`: by dotted decimals, and by names if that is asked for. ValueError.
pub fn txt2obj(vm: &Vm, text: Ref<Str>, by_name: Option<bool>) -> R<Value> {
    let text = text.to_string_lossy();
    let named = if by_name == Some(true) { objects::by_name(&text) } else { None };
    if let Some(found) = named.or_else(|| objects::by_oid(&text)) {
        return object(vm, found);
    }
    let is_dotted = text.contains('.') && text.split('.').all(|n| n.parse::<u64>().is_ok());
    if is_dotted {
        return Err(vm.value_error("Unknown object"));
    }
    let text: String = text.chars().take(100).collect();
    Err(vm.value_error(format!("unknown object '{text}'")))
}

/// `nid2obj`. ValueError.
pub fn nid2obj(vm: &Vm, nid: i64) -> R<Value> {
    if nid < 0 {
        return Err(vm.value_error("NID must be positive"));
    }
    match objects::by_nid(nid) {
        Some(found) => object(vm, found),
        None => Err(vm.value_error(format!("unknown NID {nid}"))),
    }
}
