//! `_ssl`: what the packaged `ssl` is built on.
//!
//! ```text
//! context     _SSLContext: settings; from these connections are made
//! socket      _SSLSocket: one connection, on a socket or on two MemoryBIOs
//! transport   waiting for the peer
//! bio         MemoryBIO
//! certs       Certificate, SSLSession, and certificates as dicts
//! errors, constants, paths
//! ```
//! TLS itself is in the crate `skein-tls`.

mod bio;
mod certs;
mod constants;
mod context;
mod errors;
mod paths;
mod socket;
mod transport;

use super::io::path_bytes;
use super::support::BytesLike;
use skein_runtime::object::Ref;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm, native_functions};

native_functions! { FUNCTIONS:
    "RAND_add(string, entropy, /)" => rand_add, "Mix bytes into the generator of random numbers, which needs none.";
    "RAND_bytes(n, /)" => rand_bytes, "Generate n random bytes.";
    "RAND_status()" => |_: &Vm| true, "Has the generator been seeded?";
    "get_default_verify_paths()" => paths::get_default_verify_paths, "Where certificates are that the system trusts.";
    "txt2obj(txt, name=False)" => certs::txt2obj, "An object identifier by its decimals or its name.";
    "nid2obj(nid, /)" => certs::nid2obj, "An object identifier by its number.";
    "_test_decode_cert(path, /)" => test_decode_cert, "What the certificate in a file says.";
}

fn rand_add(vm: &Vm, bytes: Value, _entropy: f64) -> R<()> {
    // The system's generator takes nothing from programs; it needs nothing of them.
    if bytes.cast::<Str>().is_none() {
        BytesLike::new(vm, bytes)?;
    }
    Ok(())
}

fn rand_bytes(vm: &Vm, n: i64) -> R<Value> {
    let Ok(n) = usize::try_from(n) else { return Err(vm.value_error("num must be positive")) };
    let mut out = vm.filled(0u8, n)?;
    if !skein_tls::random(&mut out) {
        return Err(errors::raise_plain(vm, "the system has no random numbers"));
    }
    vm.bytes(&out)
}

fn test_decode_cert(vm: &Vm, path: Value) -> R<Value> {
    let path = paths::to_path(&path_bytes(vm, path)?);
    let Ok(text) = std::fs::read(path) else { return Err(errors::raise_plain(vm, "Can't open file")) };
    match skein_tls::keys::read_chain(&text) {
        Ok(chain) => certs::info(vm, &chain[0]),
        Err(_) => Err(errors::raise_plain(vm, "Error decoding PEM-encoded file")),
    }
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_ssl", FUNCTIONS)?;
    let d = m.dict();
    constants::add(vm, d)?;
    errors::add(vm, m)?;
    for (name, def) in [
        ("_SSLContext", &context::CONTEXT),
        ("_SSLSocket", &socket::SSL_SOCKET),
        ("MemoryBIO", &bio::MEMORY_BIO),
        ("Certificate", &certs::CERTIFICATE),
        ("SSLSession", &certs::SESSION),
    ] {
        d.set_name(vm, name, ext_type(vm, def)?.value())?;
    }
    Ok(m)
}
