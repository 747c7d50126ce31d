//! `_hashlib`: the hashes by name, as `hashlib` takes them where CPython has OpenSSL.

use super::hmac::{self, ALGORITHMS, Algorithm};
use super::{Kept, State, This, hex, kdf, length, make_hash};
use super::{block_size, copy, digest_size, name, update};
use crate::modules::support::{self, add_exception};
use sha3::{Shake128, Shake256};
use skein_builtins::modules::import;
use skein_runtime::native::TypeDef;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::list::List;
use skein_runtime::types::mappingproxy::MappingProxy;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Raised, Value, Vm, native_functions, native_type};

native_type! {
    HASH: "_hashlib.HASH", Kind::Ext, type_flags::NO_NEW | type_flags::BASETYPE, "A hash is an object used to calculate a checksum of a string of information.";
    methods {
        "update($self, obj, /)" => update, "Update this hash object's state with the provided string.";
        "digest($self, /)" => |vm: &Vm, h: This| -> R<Value> { vm.bytes(&h.0.state.borrow().digest(0)) }, "Return the digest value as a bytes object.";
        "hexdigest($self, /)" => |_: &Vm, h: This| hex(&h.0.state.borrow().digest(0)), "Return the digest value as a string of hexadecimal digits.";
        "copy($self, /)" => copy, "Return a copy of the hash object.";
        "__repr__($self, /)" => |vm: &Vm, h: This| format!("<{} {} object @ {:#x}>", h.0.name, vm.type_of(h.0.value()).def().map_or("hash", |d| d.name), h.0.value().bits());
    }
    getset { "name" => name; "digest_size" => digest_size; "block_size" => block_size; }
}

native_type! {
    HASH_XOF: "_hashlib.HASHXOF", Kind::Ext, type_flags::NO_NEW | type_flags::BASETYPE, base |vm| ext_type(vm, &HASH).unwrap_or(vm.types.object), "A hash is an object used to calculate a checksum of a string of information.";
    methods {
        "digest($self, /, length)" => |vm: &Vm, h: This, n: i64| -> R<Value> { let n = length(vm, n)?; vm.bytes(&h.0.state.borrow().digest(n)) }, "Return the digest value as a bytes object.";
        "hexdigest($self, /, length)" => |vm: &Vm, h: This, n: i64| -> R<String> { Ok(hex(&h.0.state.borrow().digest(length(vm, n)?))) }, "Return the digest value as a string of hexadecimal digits.";
    }
    getset { "digest_size" => digest_size; }
}

/// A hash of any length: its name, its block's size, how it begins.
type Extendable = (&'static str, usize, fn() -> State);

const EXTENDABLE: [Extendable; 2] = [
    ("shake_128", 168, || State::Shake128(Shake128::default())),
    ("shake_256", 136, || State::Shake256(Shake256::default())),
];

/// The hashes that have a function of their own: BLAKE2's have a module.
fn fixed() -> impl Iterator<Item = &'static Algorithm> {
    ALGORITHMS.iter().filter(|a| !a.name.starts_with("blake2"))
}

fn find(name: &str) -> Option<&'static Algorithm> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    ALGORITHMS.iter().find(|a| a.name == name)
}

#[cold]
fn unsupported(vm: &Vm) -> Raised {
    support::raise(vm, "_hashlib.UnsupportedDigestmodError", "[digital envelope routines] unsupported")
}

fn begin(vm: &Vm, name: &str, data: Option<Value>, string: Option<Value>) -> R<Value> {
    if let Some(a) = find(name) {
        return made(vm, &HASH, (a.name, a.digest_size, a.block_size), (a.state)(), data, string);
    }
    let name = name.to_ascii_lowercase().replace('-', "_");
    match EXTENDABLE.iter().find(|x| x.0 == name) {
        Some(x) => made(vm, &HASH_XOF, (x.0, 0, x.1), x.2(), data, string),
        None => Err(unsupported(vm)),
    }
}

fn made(
    vm: &Vm,
    def: &'static TypeDef,
    (name, digest_size, block_size): (&'static str, usize, usize),
    state: State,
    data: Option<Value>,
    string: Option<Value>,
) -> R<Value> {
    make_hash(vm, Kept { name, def, digest_size, block_size }, state, data, string)
}

macro_rules! opener {
    ($name:literal) => {
        |vm: &Vm, data: Option<Value>, _: Option<bool>, string: Option<Value>| begin(vm, $name, data, string)
    };
}

native_functions! { FUNCTIONS:
    "new(name, data=b'', *, usedforsecurity=True, string=None)" => |vm: &Vm, name: Ref<Str>, data: Option<Value>, _: Option<bool>, string: Option<Value>| begin(vm, &name.to_string_lossy(), data, string), "Return a new hash object using the named algorithm.";
    "openssl_md5(data=b'', *, usedforsecurity=True, string=None)" => opener!("md5"), "Returns a md5 hash object; optionally initialized with a string";
    "openssl_sha1(data=b'', *, usedforsecurity=True, string=None)" => opener!("sha1"), "Returns a sha1 hash object; optionally initialized with a string";
    "openssl_sha224(data=b'', *, usedforsecurity=True, string=None)" => opener!("sha224"), "Returns a sha224 hash object; optionally initialized with a string";
    "openssl_sha256(data=b'', *, usedforsecurity=True, string=None)" => opener!("sha256"), "Returns a sha256 hash object; optionally initialized with a string";
    "openssl_sha384(data=b'', *, usedforsecurity=True, string=None)" => opener!("sha384"), "Returns a sha384 hash object; optionally initialized with a string";
    "openssl_sha512(data=b'', *, usedforsecurity=True, string=None)" => opener!("sha512"), "Returns a sha512 hash object; optionally initialized with a string";
    "openssl_sha3_224(data=b'', *, usedforsecurity=True, string=None)" => opener!("sha3_224"), "Returns a sha3-224 hash object; optionally initialized with a string";
    "openssl_sha3_256(data=b'', *, usedforsecurity=True, string=None)" => opener!("sha3_256"), "Returns a sha3-256 hash object; optionally initialized with a string";
    "openssl_sha3_384(data=b'', *, usedforsecurity=True, string=None)" => opener!("sha3_384"), "Returns a sha3-384 hash object; optionally initialized with a string";
    "openssl_sha3_512(data=b'', *, usedforsecurity=True, string=None)" => opener!("sha3_512"), "Returns a sha3-512 hash object; optionally initialized with a string";
    "openssl_shake_128(data=b'', *, usedforsecurity=True, string=None)" => opener!("shake_128"), "Returns a shake-128 variable hash object; optionally initialized with a string";
    "openssl_shake_256(data=b'', *, usedforsecurity=True, string=None)" => opener!("shake_256"), "Returns a shake-256 variable hash object; optionally initialized with a string";
    "hmac_new(key, msg=b'', digestmod=None)" => hmac_new, "Return a new hmac object.";
    "hmac_digest(key, msg, digest)" => |vm: &Vm, key: Value, msg: Value, digest: Value| -> R<Value> { hmac::compute(vm, key, msg, algorithm(vm, digest)?) }, "Single-shot HMAC.";
    "pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None)" => kdf::pbkdf2_hmac, "Password based key derivation function 2 (PKCS #5 v2.0) with HMAC as pseudorandom function.";
    "scrypt(password, *, salt, n, r, p, maxmem=0, dklen=64)" => kdf::scrypt_key, "scrypt password-based key derivation function.";
    "get_fips_mode()" => |_: &Vm| 0_i64, "Determine the OpenSSL FIPS mode of operation.";
}

/// What `digestmod` means: a name, or one of the module's functions.
fn algorithm(vm: &Vm, digestmod: Value) -> R<&'static Algorithm> {
    if let Some(name) = digestmod.cast::<Str>() {
        return find(&name.to_string_lossy()).ok_or_else(|| unsupported(vm));
    }
    let constructors = vm.get_attr_str(import(vm, "_hashlib")?, "_constructors")?;
    let name = vm.call_method(constructors, "get", &[digestmod])?;
    match name.cast::<Str>().and_then(|name| find(&name.to_string_lossy())) {
        Some(found) => Ok(found),
        None => {
            let text = format!("Unsupported digestmod {}", vm.repr_string(digestmod)?);
            Err(support::raise(vm, "_hashlib.UnsupportedDigestmodError", text))
        }
    }
}

fn hmac_new(vm: &Vm, key: Value, msg: Option<Value>, digestmod: Option<Value>) -> R<Value> {
    let Some(digestmod) = digestmod.filter(|d| !d.is_none()) else {
        return Err(vm.type_error("Missing required parameter 'digestmod'."));
    };
    hmac::new_hmac(vm, key, msg, algorithm(vm, digestmod)?)
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_hashlib", FUNCTIONS)?;
    let d = m.dict();
    d.set_name(vm, "_GIL_MINSIZE", Value::small_int(super::GIL_MINSIZE))?;
    d.set_name(vm, "HASH", ext_type(vm, &HASH)?.value())?;
    d.set_name(vm, "HASHXOF", ext_type(vm, &HASH_XOF)?.value())?;
    d.set_name(vm, "HMAC", ext_type(vm, &hmac::HMAC)?.value())?;
    let compare = vm.get_attr_str(import(vm, "_operator")?, "_compare_digest")?;
    d.set_name(vm, "compare_digest", compare)?;
    let constructors = Dict::new(vm)?;
    for name in fixed().map(|a| a.name).chain(EXTENDABLE.map(|x| x.0)) {
        if let Some(f) = d.get_name(vm, &format!("openssl_{name}"))? {
            constructors.set(vm, f, vm.str(name)?)?;
        }
    }
    d.set_name(vm, "_constructors", MappingProxy::new(vm, constructors.value())?.value())?;
    let names = List::with_capacity(vm, ALGORITHMS.len() + EXTENDABLE.len())?;
    for name in ALGORITHMS.iter().map(|a| a.name).chain(EXTENDABLE.map(|x| x.0)) {
        names.push(vm, vm.str(name)?)?;
    }
    d.set_name(vm, "openssl_md_meth_names", vm.frozenset(names.items())?)?;
    add_exception(vm, m, "_hashlib.UnsupportedDigestmodError", vm.exc.value_error)?;
    Ok(m)
}
