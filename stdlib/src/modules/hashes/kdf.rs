//! Keys from passwords, for `_hashlib`.

use super::super::support::BytesLike;
use pbkdf2::hmac::digest::{KeyInit, OutputSizeUser};
use pbkdf2::hmac::{Hmac, Mac};
use skein_runtime::object::Ref;
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm};

/// Memory that scrypt may take where the program says nothing.
const DEFAULT_MEMORY: i64 = 32 << 20;
const MAX: i64 = i32::MAX as i64;

pub fn pbkdf2_hmac(
    vm: &Vm,
    hash_name: Ref<Str>,
    password: BytesLike,
    salt: BytesLike,
    iterations: i64,
    dklen: Option<Value>,
) -> R<Value> {
    let name = hash_name.to_string_lossy().to_ascii_lowercase().replace('-', "");
    let (derive, size): (Derive, i64) = match name.as_str() {
        "md5" => (derive::<Hmac<md5::Md5>>, 16),
        "sha1" => (derive::<Hmac<sha1::Sha1>>, 20),
        "sha224" => (derive::<Hmac<sha2::Sha224>>, 28),
        "sha256" => (derive::<Hmac<sha2::Sha256>>, 32),
        "sha384" => (derive::<Hmac<sha2::Sha384>>, 48),
        "sha512" => (derive::<Hmac<sha2::Sha512>>, 64),
        "sha3_224" => (derive::<Hmac<sha3::Sha3_224>>, 28),
        "sha3_256" => (derive::<Hmac<sha3::Sha3_256>>, 32),
        "sha3_384" => (derive::<Hmac<sha3::Sha3_384>>, 48),
        "sha3_512" => (derive::<Hmac<sha3::Sha3_512>>, 64),
        _ => return Err(vm.value_error(format!("unsupported hash type {}", hash_name.to_string_lossy()))),
    };
    if iterations < 1 {
        return Err(vm.value_error("iteration value must be greater than 0."));
    }
    let rounds = u32::try_from(iterations).map_err(|_| vm.overflow_error("iteration value is too great."))?;
    let dklen = dklen.filter(|v| !v.is_none()).map_or(Ok(size), |v| vm.index_i64(v))?;
    if dklen < 1 {
        return Err(vm.value_error("key length must be greater than 0."));
    }
    if dklen > MAX {
        return Err(vm.overflow_error("key length is too great."));
    }
    let mut key = vm.filled(0u8, dklen as usize)?;
    derive(vm, &password, &salt, rounds, &mut key)?;
    vm.bytes(&key)
}

type Derive = fn(&Vm, &[u8], &[u8], u32, &mut [u8]) -> R<()>;

/// PBKDF2 of PKCS #5: each block of the key is the exclusive or of so many chained authentication codes. The crate's own
/// function does not look for signals. Other threads run meanwhile.
fn derive<M: Mac + KeyInit + Clone>(
    vm: &Vm,
    password: &[u8],
    salt: &[u8],
    rounds: u32,
    key: &mut [u8],
) -> R<()> {
    /// Rounds between two looks for signals.
    const PART: u32 = 1 << 12;
    let Ok(keyed) = <M as KeyInit>::new_from_slice(password) else {
        return Err(vm.value_error("the password cannot be a key"));
    };
    for (n, block) in key.chunks_mut(<M as OutputSizeUser>::output_size()).enumerate() {
        let number = u32::try_from(n + 1).map_err(|_| vm.overflow_error("key length is too great."))?;
        let mut code =
            keyed.clone().chain_update(salt).chain_update(number.to_be_bytes()).finalize().into_bytes();
        let mut sum = code.clone();
        let mut left = rounds - 1;
        while left > 0 {
            let part = left.min(PART);
            vm.without_gil(|| {
                for _ in 0..part {
                    code = keyed.clone().chain_update(&code).finalize().into_bytes();
                    sum.iter_mut().zip(&code).for_each(|(s, c)| *s ^= c);
                }
            });
            left -= part;
            vm.check_signals()?;
        }
        block.copy_from_slice(&sum[..block.len()]);
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "Python's signature")]
pub fn scrypt_key(
    vm: &Vm,
    password: BytesLike,
    salt: BytesLike,
    n: i64,
    r: i64,
    p: i64,
    maxmem: Option<i64>,
    dklen: Option<i64>,
) -> R<Value> {
    let (maxmem, dklen) = (maxmem.unwrap_or(0), dklen.unwrap_or(64));
    if n < 2 || n & (n - 1) != 0 {
        return Err(vm.value_error("n must be a power of 2."));
    }
    if !(0..=MAX).contains(&maxmem) {
        return Err(vm.value_error(format!("maxmem must be positive and smaller than {MAX}")));
    }
    if !(1..=MAX).contains(&dklen) {
        return Err(vm.value_error(format!("dklen must be greater than 0 and smaller than {MAX}")));
    }
    let wrong = || vm.value_error("Invalid parameter combination for n, r, p, maxmem.");
    let fits = |v: i64| u32::try_from(v).ok().filter(|&v| v > 0).ok_or_else(wrong);
    let (r32, p32) = (fits(r)?, fits(p)?);
    let room = (|| 128i64.checked_mul(r)?.checked_mul(n.checked_add(p)?.checked_add(2)?))();
    let limit = if maxmem == 0 { DEFAULT_MEMORY } else { maxmem };
    let Some(room) = room.filter(|&room| room <= limit) else {
        return Err(vm.value_error("[digital envelope routines] memory limit exceeded"));
    };
    // The room is there: scrypt itself does not ask.
    drop(vm.buffer::<u8>(room as usize)?);
    let params = scrypt::Params::new(n.trailing_zeros() as u8, r32, p32, 32).map_err(|_| wrong())?;
    let mut key = vm.filled(0u8, dklen as usize)?;
    let done = vm.without_gil(|| scrypt::scrypt(&password, &salt, &params, &mut key));
    done.map_err(|_| wrong())?;
    vm.bytes(&key)
}
