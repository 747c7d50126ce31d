//! `_hmac`: message authentication codes by the hashes, for `hmac`.

use super::blake2::{Big, Blake2, Parameters, Small};
use super::{State, add, bytes_to_hash, hex};
use crate::modules::support::add_exception;
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Value, Vm, native_functions, native_type};
use std::cell::RefCell;

/// A hash that a code can be made of.
pub(super) struct Algorithm {
    pub name: &'static str,
    pub digest_size: usize,
    pub block_size: usize,
    pub state: fn() -> State,
}

fn blake2(digest_size: usize) -> Parameters<'static> {
    Parameters {
        digest_size,
        key: &[],
        salt: &[],
        person: &[],
        fanout: 1,
        depth: 1,
        leaf_size: 0,
        node_offset: 0,
        node_depth: 0,
        inner_size: 0,
        last_node: false,
    }
}

macro_rules! algorithms {
    ($($name:literal $digest:literal $block:literal $state:expr;)*) => {
        pub(super) const ALGORITHMS: &[Algorithm] =
            &[$(Algorithm { name: $name, digest_size: $digest, block_size: $block, state: || $state }),*];
    };
}
macro_rules! fixed {
    ($ty:ty) => {
        State::Fixed(Box::new(<$ty>::default()))
    };
}
algorithms! {
    "md5" 16 64 fixed!(md5::Md5);
    "sha1" 20 64 fixed!(sha1::Sha1);
    "sha224" 28 64 fixed!(sha2::Sha224);
    "sha256" 32 64 fixed!(sha2::Sha256);
    "sha384" 48 128 fixed!(sha2::Sha384);
    "sha512" 64 128 fixed!(sha2::Sha512);
    "sha3_224" 28 144 fixed!(sha3::Sha3_224);
    "sha3_256" 32 136 fixed!(sha3::Sha3_256);
    "sha3_384" 48 104 fixed!(sha3::Sha3_384);
    "sha3_512" 64 72 fixed!(sha3::Sha3_512);
    "blake2s" 32 64 State::Blake2s(Blake2::new(Small, &blake2(32)));
    "blake2b" 64 128 State::Blake2b(Blake2::new(Big, &blake2(64)));
}

struct Hmac {
    algorithm: &'static Algorithm,
    inner: RefCell<State>,
    /// Fed with the key's outer block, and with nothing yet of what is hashed.
    outer: State,
}

impl Payload for Hmac {
    const NAME: &'static str = "_hmac.HMAC";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Hmac { algorithm: _, inner: _, outer: _ } = self;
    }
}

type This = ExtArg<Hmac>;

native_type! {
    pub(super) HMAC: "_hmac.HMAC", Kind::Ext, type_flags::NO_NEW, "The object used to calculate HMAC of a message.";
    methods {
        "update($self, /, msg)" => update, "Feed the HMAC object with a message.";
        "digest($self, /)" => |vm: &Vm, h: This| -> R<Value> { vm.bytes(&digest(&h.0.outer, &h.0.inner.borrow())) }, "Return the digest of the bytes passed to the update() method so far.";
        "hexdigest($self, /)" => |_: &Vm, h: This| hex(&digest(&h.0.outer, &h.0.inner.borrow())), "Return hexadecimal digest of the bytes passed to the update() method so far.";
        "copy($self, /)" => copy, "Return a copy of the HMAC object.";
        "__repr__($self, /)" => |_: &Vm, h: This| format!("<{} HMAC object @ {:#x}>", h.0.algorithm.name, h.0.value().bits());
    }
    getset {
        "name" => |vm: &Vm, h: This| vm.str(&format!("hmac-{}", h.0.algorithm.name));
        "digest_size" => |_: &Vm, h: This| Ok(Value::small_int(h.0.algorithm.digest_size as i64));
        "block_size" => |_: &Vm, h: This| Ok(Value::small_int(h.0.algorithm.block_size as i64));
    }
}

macro_rules! compute {
    ($name:literal) => {
        |vm: &Vm, key: Value, msg: Value| compute(vm, key, msg, named($name))
    };
}

native_functions! { FUNCTIONS:
    "new(key, msg=None, digestmod=None)" => new, "Return a new HMAC object.";
    "compute_digest(key, msg, digest)" => |vm: &Vm, key: Value, msg: Value, digest: Value| compute(vm, key, msg, algorithm(vm, digest)?);
    "compute_md5(key, msg, /)" => compute!("md5");
    "compute_sha1(key, msg, /)" => compute!("sha1");
    "compute_sha224(key, msg, /)" => compute!("sha224");
    "compute_sha256(key, msg, /)" => compute!("sha256");
    "compute_sha384(key, msg, /)" => compute!("sha384");
    "compute_sha512(key, msg, /)" => compute!("sha512");
    "compute_sha3_224(key, msg, /)" => compute!("sha3_224");
    "compute_sha3_256(key, msg, /)" => compute!("sha3_256");
    "compute_sha3_384(key, msg, /)" => compute!("sha3_384");
    "compute_sha3_512(key, msg, /)" => compute!("sha3_512");
    "compute_blake2s_32(key, msg, /)" => compute!("blake2s");
    "compute_blake2b_32(key, msg, /)" => compute!("blake2b");
}

fn named(name: &str) -> &'static Algorithm {
    ALGORITHMS.iter().find(|a| a.name == name).unwrap_or(&ALGORITHMS[0])
}

fn algorithm(vm: &Vm, name: Value) -> R<&'static Algorithm> {
    let text = name.cast::<Str>().map(|s| s.to_string_lossy().to_lowercase()).unwrap_or_default();
    match ALGORITHMS.iter().find(|a| a.name == text) {
        Some(found) => Ok(found),
        None => {
            let message = format!("unsupported hash type: {}", vm.repr_string(name)?);
            let module = skein_builtins::modules::import(vm, "_hmac")?;
            let error = vm.get_attr_str(module, "UnknownHashError")?;
            let text = vm.str(&message)?;
            Err(vm.raise(vm.call(error, &[text])?))
        }
    }
}

/// The states behind the key's inner and outer blocks.
fn begin(vm: &Vm, key: Value, algorithm: &Algorithm) -> R<(State, State)> {
    let key = bytes_to_hash(vm, key)?;
    let mut block = vm.filled(0u8, algorithm.block_size)?;
    if key.len() > algorithm.block_size {
        let mut state = (algorithm.state)();
        add(vm, &mut state, &key)?;
        block[..algorithm.digest_size].copy_from_slice(&state.digest(0));
    } else {
        block[..key.len()].copy_from_slice(&key);
    }
    let keyed = |pad: u8| {
        let mut state = (algorithm.state)();
        // bounded: by the hash's block
        state.update(&block.iter().map(|b| b ^ pad).collect::<Vec<u8>>());
        state
    };
    Ok((keyed(0x36), keyed(0x5c)))
}

fn digest(outer: &State, inner: &State) -> Vec<u8> {
    let mut outer = outer.clone();
    outer.update(&inner.digest(0));
    outer.digest(0)
}

/// Of a whole message. TypeError.
pub(super) fn compute(vm: &Vm, key: Value, msg: Value, algorithm: &Algorithm) -> R<Value> {
    let (mut inner, outer) = begin(vm, key, algorithm)?;
    add(vm, &mut inner, &bytes_to_hash(vm, msg)?)?;
    vm.bytes(&digest(&outer, &inner))
}

fn new(vm: &Vm, key: Value, msg: Option<Value>, digestmod: Option<Value>) -> R<Value> {
    let Some(digestmod) = digestmod.filter(|d| !d.is_none()) else {
        return Err(vm.type_error("Missing required parameter 'digestmod'."));
    };
    let algorithm = algorithm(vm, digestmod)?;
    new_hmac(vm, key, msg, algorithm)
}

/// A new HMAC object. TypeError.
pub(super) fn new_hmac(vm: &Vm, key: Value, msg: Option<Value>, algorithm: &'static Algorithm) -> R<Value> {
    let (mut inner, outer) = begin(vm, key, algorithm)?;
    if let Some(msg) = msg.filter(|m| !m.is_none()) {
        add(vm, &mut inner, &bytes_to_hash(vm, msg)?)?;
    }
    Ok(Ext::new(vm, ext_type(vm, &HMAC)?, Hmac { algorithm, inner: RefCell::new(inner), outer })?.value())
}

fn update(vm: &Vm, h: This, msg: Value) -> R<()> {
    let msg = bytes_to_hash(vm, msg)?;
    // All of it or nothing, if a signal comes in.
    let mut state = h.0.inner.borrow().clone();
    add(vm, &mut state, &msg)?;
    *h.0.inner.borrow_mut() = state;
    Ok(())
}

fn copy(vm: &Vm, h: This) -> R<Value> {
    let Hmac { algorithm, inner, outer } = &**h.0;
    let copy = Hmac { algorithm, inner: RefCell::new(inner.borrow().clone()), outer: outer.clone() };
    Ok(Ext::new(vm, ext_type(vm, &HMAC)?, copy)?.value())
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_hmac", FUNCTIONS)?;
    m.dict().set_name(vm, "HMAC", ext_type(vm, &HMAC)?.value())?;
    m.dict().set_name(vm, "_GIL_MINSIZE", Value::small_int(super::GIL_MINSIZE))?;
    add_exception(vm, m, "_hmac.UnknownHashError", vm.exc.value_error)?;
    Ok(m)
}
