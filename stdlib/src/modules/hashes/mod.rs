//! `_md5`, `_sha1`, `_sha2`, `_sha3`, `_blake2`, `_hashlib`, `_hmac`: the hashes of `hashlib` and `hmac`.

mod blake2;
mod hashlib;
mod hmac;
mod kdf;

use super::support::BytesLike;
use blake2::{Big, Blake2, Parameters, Small};
pub use hashlib::make as make_hashlib;
pub use hmac::make as make_hmac;
use md5::digest::{DynDigest, ExtendableOutput, Update, XofReader};
use sha3::{Shake128, Shake256};
use skein_runtime::native::{NativeDef, TypeDef};
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{class_argument, ext_type};
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_functions, native_type};
use std::cell::RefCell;

#[derive(Clone)]
enum State {
    Fixed(Box<dyn DynDigest>),
    Shake128(Shake128),
    Shake256(Shake256),
    Blake2b(Blake2<Big>),
    Blake2s(Blake2<Small>),
}

impl State {
    fn update(&mut self, data: &[u8]) {
        match self {
            State::Fixed(d) => DynDigest::update(&mut **d, data),
            State::Shake128(s) => s.update(data),
            State::Shake256(s) => s.update(data),
            State::Blake2b(b) => b.update(data),
            State::Blake2s(b) => b.update(data),
        }
    }

    /// `length` is that of the hashes that can have any.
    fn digest(&self, length: usize) -> Vec<u8> {
        // bounded: the room was asked for
        let mut out = vec![0; length];
        match self {
            State::Fixed(d) => return d.box_clone().finalize().into_vec(),
            State::Shake128(s) => s.clone().finalize_xof().read(&mut out),
            State::Shake256(s) => s.clone().finalize_xof().read(&mut out),
            State::Blake2b(b) => return b.digest(),
            State::Blake2s(b) => return b.digest(),
        }
        out
    }
}

struct Hash {
    name: &'static str,
    digest_size: usize,
    block_size: usize,
    state: RefCell<State>,
    def: &'static TypeDef,
}

impl Payload for Hash {
    const NAME: &'static str = "hash";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Hash { name: _, digest_size: _, block_size: _, state: _, def: _ } = self;
    }
}

type This = ExtArg<Hash>;

macro_rules! hash_type {
    ($def:ident, $name:literal, $flags:expr $(, $new:path)?) => {
        native_type! {
            $def: $name, Kind::Ext, $flags;
            methods {
                $([static] "__new__($type, *args, **kwargs)" => $new;)?
                "update($self, obj, /)" => update, "Update this hash object's state with the provided string.";
                "digest($self, /)" => |vm: &Vm, h: This| -> R<Value> { vm.bytes(&h.0.state.borrow().digest(0)) }, "Return the digest value as a bytes object.";
                "hexdigest($self, /)" => |_: &Vm, h: This| hex(&h.0.state.borrow().digest(0)), "Return the digest value as a string of hexadecimal digits.";
                "copy($self, /)" => copy, "Return a copy of the hash object.";
            }
            getset { "name" => name; "digest_size" => digest_size; "block_size" => block_size; }
        }
    };
}
hash_type!(MD5, "_md5.md5", type_flags::NO_NEW);
hash_type!(SHA1, "_sha1.sha1", type_flags::NO_NEW);
hash_type!(SHA224, "_sha2.SHA224Type", type_flags::NO_NEW);
hash_type!(SHA256, "_sha2.SHA256Type", type_flags::NO_NEW);
hash_type!(SHA384, "_sha2.SHA384Type", type_flags::NO_NEW);
hash_type!(SHA512, "_sha2.SHA512Type", type_flags::NO_NEW);
hash_type!(SHA3_224, "_sha3.sha3_224", type_flags::NO_NEW);
hash_type!(SHA3_256, "_sha3.sha3_256", type_flags::NO_NEW);
hash_type!(SHA3_384, "_sha3.sha3_384", type_flags::NO_NEW);
hash_type!(SHA3_512, "_sha3.sha3_512", type_flags::NO_NEW);
hash_type!(BLAKE2B, "_blake2.blake2b", 0, new_blake2b);
hash_type!(BLAKE2S, "_blake2.blake2s", 0, new_blake2s);

macro_rules! shake_type {
    ($def:ident, $name:literal) => {
        native_type! {
            $def: $name, Kind::Ext, type_flags::NO_NEW;
            methods {
                "update($self, obj, /)" => update, "Update this hash object's state with the provided bytes-like object.";
                "digest($self, length, /)" => |vm: &Vm, h: This, n: i64| -> R<Value> { let n = length(vm, n)?; vm.bytes(&h.0.state.borrow().digest(n)) }, "Return the digest value as a bytes object.";
                "hexdigest($self, length, /)" => |vm: &Vm, h: This, n: i64| -> R<String> { Ok(hex(&h.0.state.borrow().digest(length(vm, n)?))) }, "Return the digest value as a string of hexadecimal digits.";
                "copy($self, /)" => copy, "Return a copy of the hash object.";
            }
            getset { "name" => name; "digest_size" => digest_size; "block_size" => block_size; }
        }
    };
}
shake_type!(SHAKE_128, "_sha3.shake_128");
shake_type!(SHAKE_256, "_sha3.shake_256");

fn this(vm: &Vm, v: Value) -> R<Ref<Ext<Hash>>> {
    v.cast().ok_or_else(|| vm.type_error("not a hash object"))
}

fn name(vm: &Vm, v: Value) -> R<Value> {
    vm.str(this(vm, v)?.name)
}

fn digest_size(vm: &Vm, v: Value) -> R<Value> {
    vm.int(this(vm, v)?.digest_size as i64)
}

fn block_size(vm: &Vm, v: Value) -> R<Value> {
    vm.int(this(vm, v)?.block_size as i64)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let both = |b: u8| [b >> 4, b & 15].map(|n| char::from(DIGITS[usize::from(n)]));
    bytes.iter().flat_map(|&b| both(b)).collect()
}

fn length(vm: &Vm, n: i64) -> R<usize> {
    match n {
        0..0x2000_0000 => {
            // Once as bytes and once as text.
            vm.check_room(n as usize * 3)?;
            Ok(n as usize)
        }
        n if n < 0 => Err(vm.value_error("value must be positive")),
        _ => Err(vm.value_error("length is too large")),
    }
}

/// Text must be encoded first.
fn bytes_to_hash(vm: &Vm, v: Value) -> R<BytesLike> {
    if v.cast::<skein_runtime::types::str::Str>().is_some() {
        return Err(vm.type_error("Strings must be encoded before hashing"));
    }
    match vm.absorb(BytesLike::new(vm, v), vm.exc.type_error)? {
        Some(b) => Ok(b),
        None => Err(vm.type_error("object supporting the buffer API required")),
    }
}

fn update(vm: &Vm, h: This, data: Value) -> R<()> {
    let data = bytes_to_hash(vm, data)?;
    if data.len() <= PART {
        h.0.state.borrow_mut().update(&data);
        return Ok(());
    }
    // All of it or nothing, if a signal comes in.
    let mut state = h.0.state.borrow().clone();
    add(vm, &mut state, &data)?;
    *h.0.state.borrow_mut() = state;
    Ok(())
}

/// From how many bytes on CPython lets other threads go on; programs size their data by it.
const GIL_MINSIZE: i64 = 2048;

/// Bytes that are hashed between two looks for signals.
const PART: usize = 1 << 20;

fn add(vm: &Vm, state: &mut State, data: &[u8]) -> R<()> {
    for part in data.chunks(PART) {
        vm.check_signals()?;
        state.update(part);
    }
    Ok(())
}

fn copy(vm: &Vm, h: This) -> R<Value> {
    let Hash { name, digest_size, block_size, state, def } = &**h.0;
    let state = RefCell::new(state.borrow().clone());
    let copy = Hash { name, digest_size: *digest_size, block_size: *block_size, state, def };
    Ok(Ext::new(vm, ext_type(vm, def)?, copy)?.value())
}

struct Kept {
    name: &'static str,
    def: &'static TypeDef,
    digest_size: usize,
    block_size: usize,
}

fn make_hash(vm: &Vm, what: Kept, mut state: State, data: Option<Value>, string: Option<Value>) -> R<Value> {
    let given = |v: Option<Value>| v.filter(|v| !v.is_none());
    let data = match (data, given(string)) {
        (Some(_), Some(_)) => {
            return Err(vm.type_error("'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for removal in a future version."));
        }
        (d, s) => d.or(s),
    };
    if let Some(v) = data {
        add(vm, &mut state, &bytes_to_hash(vm, v)?)?;
    }
    let Kept { name, def, digest_size, block_size } = what;
    Ok(Ext::new(
        vm,
        ext_type(vm, def)?,
        Hash { name, digest_size, block_size, state: RefCell::new(state), def },
    )?
    .value())
}

macro_rules! constructor {
    ($name:literal, $def:ident, $digest:literal, $block:literal, $state:expr) => {
        |vm: &Vm, data: Option<Value>, _: Option<bool>, string: Option<Value>| {
            let what = Kept { name: $name, def: &$def, digest_size: $digest, block_size: $block };
            make_hash(vm, what, $state, data, string)
        }
    };
}

macro_rules! fixed {
    ($ty:ty) => {
        State::Fixed(Box::new(<$ty>::default()))
    };
}

native_functions! { MD5_FUNCTIONS:
    "md5(data=b'', *, usedforsecurity=True, string=None)" => constructor!("md5", MD5, 16, 64, fixed!(md5::Md5)), "Return a new MD5 hash object; optionally initialized with a string.";
}
native_functions! { SHA1_FUNCTIONS:
    "sha1(data=b'', *, usedforsecurity=True, string=None)" => constructor!("sha1", SHA1, 20, 64, fixed!(sha1::Sha1)), "Return a new SHA1 hash object; optionally initialized with a string.";
}
native_functions! { SHA2_FUNCTIONS:
    "sha224(data=b'', *, usedforsecurity=True, string=None)" => constructor!("sha224", SHA224, 28, 64, fixed!(sha2::Sha224));
    "sha256(data=b'', *, usedforsecurity=True, string=None)" => constructor!("sha256", SHA256, 32, 64, fixed!(sha2::Sha256));
    "sha384(data=b'', *, usedforsecurity=True, string=None)" => constructor!("sha384", SHA384, 48, 128, fixed!(sha2::Sha384));
    "sha512(data=b'', *, usedforsecurity=True, string=None)" => constructor!("sha512", SHA512, 64, 128, fixed!(sha2::Sha512));
}
native_functions! { SHA3_FUNCTIONS:
    "sha3_224(data=b'', *, usedforsecurity=True, string=None)" => constructor!("sha3_224", SHA3_224, 28, 144, fixed!(sha3::Sha3_224));
    "sha3_256(data=b'', *, usedforsecurity=True, string=None)" => constructor!("sha3_256", SHA3_256, 32, 136, fixed!(sha3::Sha3_256));
    "sha3_384(data=b'', *, usedforsecurity=True, string=None)" => constructor!("sha3_384", SHA3_384, 48, 104, fixed!(sha3::Sha3_384));
    "sha3_512(data=b'', *, usedforsecurity=True, string=None)" => constructor!("sha3_512", SHA3_512, 64, 72, fixed!(sha3::Sha3_512));
    "shake_128(data=b'', *, usedforsecurity=True, string=None)" => constructor!("shake_128", SHAKE_128, 0, 168, State::Shake128(Shake128::default()));
    "shake_256(data=b'', *, usedforsecurity=True, string=None)" => constructor!("shake_256", SHAKE_256, 0, 136, State::Shake256(Shake256::default()));
}
native_functions! { NO_FUNCTIONS: }

/// Limits of a BLAKE2 variant.
struct Limits {
    def: &'static TypeDef,
    digest: usize,
    key: usize,
    /// Of salt and person.
    salt: usize,
    offset: u64,
}

const BIG: Limits = Limits { def: &BLAKE2B, digest: 64, key: 64, salt: 16, offset: u64::MAX };
const SMALL: Limits = Limits { def: &BLAKE2S, digest: 32, key: 32, salt: 8, offset: (1 << 48) - 1 };

fn new_blake2b(vm: &Vm, args: Args<'_>) -> R<Value> {
    new_blake2(vm, args, &BIG)
}

fn new_blake2s(vm: &Vm, args: Args<'_>) -> R<Value> {
    new_blake2(vm, args, &SMALL)
}

fn new_blake2(vm: &Vm, args: Args<'_>, l: &Limits) -> R<Value> {
    class_argument(vm, &args, ext_type(vm, l.def)?)?;
    let which = if l.digest == 64 { "blake2b" } else { "blake2s" };
    let mut data = args.positional().get(1).copied();
    if args.positional().len() > 2 {
        let n = args.positional().len() - 1;
        return Err(vm.type_error(format!("{which}() takes at most 1 positional argument ({n} given)")));
    }
    let mut string = None;
    let (mut key, mut salt, mut person) = (Vec::new(), Vec::new(), Vec::new());
    let mut n = [l.digest as i64, 1, 1, 0, 0, 0];
    let mut node_offset = 0u64;
    let mut last_node = false;
    for (k, v) in args.keywords() {
        let k = vm.str_string(k)?;
        match k.as_str() {
            "data" if data.is_none() => data = Some(v),
            "string" => string = Some(v),
            "digest_size" => n[0] = vm.index_i64(v)?,
            "key" => key = BytesLike::new(vm, v)?.into_vec(vm)?,
            "salt" => salt = BytesLike::new(vm, v)?.into_vec(vm)?,
            "person" => person = BytesLike::new(vm, v)?.into_vec(vm)?,
            "fanout" => n[1] = vm.index_i64(v)?,
            "depth" => n[2] = vm.index_i64(v)?,
            "leaf_size" => n[3] = vm.index_i64(v)?,
            "node_offset" => {
                let big = vm.as_big(vm.index(v)?).unwrap_or_default();
                node_offset = match u64::try_from(&big) {
                    Ok(n) if n <= l.offset => n,
                    Ok(_) => return Err(vm.overflow_error("node_offset is too large")),
                    Err(_) if big.sign() == num_bigint::Sign::Minus => {
                        return Err(vm.value_error("value must be positive"));
                    }
                    Err(_) => return Err(vm.overflow_error("int too big to convert")),
                };
            }
            "node_depth" => n[4] = vm.index_i64(v)?,
            "inner_size" => n[5] = vm.index_i64(v)?,
            "last_node" => last_node = vm.truth(v)?,
            "usedforsecurity" => {}
            _ => return Err(vm.type_error(format!("{which}() got an unexpected keyword argument '{k}'"))),
        }
    }
    let check = |good: bool, message: String| if good { Ok(()) } else { Err(vm.value_error(message)) };
    check(
        (1..=l.digest as i64).contains(&n[0]),
        format!("digest_size for {which} must be between 1 and {} bytes, here it is {}", l.digest, n[0]),
    )?;
    check(salt.len() <= l.salt, format!("maximum salt length is {} bytes", l.salt))?;
    check(person.len() <= l.salt, format!("maximum person length is {} bytes", l.salt))?;
    check((0..256).contains(&n[1]), "fanout must be between 0 and 255".into())?;
    check((1..256).contains(&n[2]), "depth must be between 1 and 255".into())?;
    check(n[3] >= 0, "value must be positive".into())?;
    let Ok(leaf_size) = u32::try_from(n[3]) else { return Err(vm.overflow_error("leaf_size is too large")) };
    check((0..256).contains(&n[4]), "node_depth must be between 0 and 255".into())?;
    check(
        (0..=l.digest as i64).contains(&n[5]),
        format!("inner_size must be between 0 and is {}", l.digest),
    )?;
    check(key.len() <= l.key, format!("maximum key length is {} bytes", l.key))?;
    let p = Parameters {
        digest_size: n[0] as usize,
        key: &key,
        salt: &salt,
        person: &person,
        fanout: n[1] as u8,
        depth: n[2] as u8,
        leaf_size,
        node_offset,
        node_depth: n[4] as u8,
        inner_size: n[5] as u8,
        last_node,
    };
    let state = match l.digest {
        64 => State::Blake2b(Blake2::new(Big, &p)),
        _ => State::Blake2s(Blake2::new(Small, &p)),
    };
    let what = Kept { name: which, def: l.def, digest_size: p.digest_size, block_size: 2 * l.digest };
    make_hash(vm, what, state, data, string)
}

fn module(
    vm: &Vm,
    name: &str,
    functions: &'static [NativeDef],
    types: &[(&str, &'static TypeDef)],
) -> R<Ref<Module>> {
    let m = make_module(vm, name, functions)?;
    m.dict().set_name(vm, "_GIL_MINSIZE", Value::small_int(GIL_MINSIZE))?;
    for (name, def) in types {
        m.dict().set_name(vm, name, ext_type(vm, def)?.value())?;
    }
    Ok(m)
}

/// MemoryError.
pub fn make_md5(vm: &Vm) -> R<Ref<Module>> {
    module(vm, "_md5", MD5_FUNCTIONS, &[("MD5Type", &MD5)])
}

/// MemoryError.
pub fn make_sha1(vm: &Vm) -> R<Ref<Module>> {
    module(vm, "_sha1", SHA1_FUNCTIONS, &[("SHA1Type", &SHA1)])
}

/// MemoryError.
pub fn make_sha2(vm: &Vm) -> R<Ref<Module>> {
    let types =
        [("SHA224Type", &SHA224), ("SHA256Type", &SHA256), ("SHA384Type", &SHA384), ("SHA512Type", &SHA512)];
    module(vm, "_sha2", SHA2_FUNCTIONS, &types)
}

/// MemoryError.
pub fn make_sha3(vm: &Vm) -> R<Ref<Module>> {
    let m = module(vm, "_sha3", SHA3_FUNCTIONS, &[])?;
    m.dict().set_name(vm, "implementation", vm.str("RustCrypto")?)?;
    Ok(m)
}

/// MemoryError.
pub fn make_blake2(vm: &Vm) -> R<Ref<Module>> {
    let m = module(vm, "_blake2", NO_FUNCTIONS, &[("blake2b", &BLAKE2B), ("blake2s", &BLAKE2S)])?;
    for l in [&BIG, &SMALL] {
        let ty = ext_type(vm, l.def)?;
        for (name, n) in [
            ("SALT_SIZE", l.salt),
            ("PERSON_SIZE", l.salt),
            ("MAX_KEY_SIZE", l.key),
            ("MAX_DIGEST_SIZE", l.digest),
        ] {
            let n = Value::small_int(n as i64);
            ty.dict().set_name(vm, name, n)?;
            let prefix = l.def.name.trim_start_matches("_blake2.").to_ascii_uppercase();
            m.dict().set_name(vm, &format!("{prefix}_{name}"), n)?;
        }
        ty.modified(vm);
    }
    Ok(m)
}
