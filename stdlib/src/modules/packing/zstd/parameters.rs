//! Parameters of compression and decompression: their names, bounds and values.

use super::{check, sys};
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Raised, Value, Vm};
use std::cell::Cell;

/// A parameter: its number, the module's constant for it, and what messages call it.
pub struct Parameter {
    pub key: i32,
    pub constant: &'static str,
    name: &'static str,
    which: Which,
}

enum Which {
    Compress(sys::ZSTD_cParameter),
    Decompress(sys::ZSTD_dParameter),
}

impl Parameter {
    fn bounds(&self) -> sys::ZSTD_bounds {
        // SAFETY (both): functions of a number that there is.
        match self.which {
            Which::Compress(p) => unsafe { sys::ZSTD_cParam_getBounds(p) },
            Which::Decompress(p) => unsafe { sys::ZSTD_dParam_getBounds(p) },
        }
    }
}

macro_rules! parameters {
    ($table:ident: $kind:ident $ty:ident; $($which:ident $name:literal;)*) => {
        pub const $table: &[Parameter] = &[$(Parameter {
            key: sys::$ty::$which as i32,
            constant: stringify!($which),
            name: $name,
            which: Which::$kind(sys::$ty::$which),
        }),*];
    };
}

parameters! { COMPRESSION: Compress ZSTD_cParameter;
    ZSTD_c_compressionLevel "compression_level";
    ZSTD_c_windowLog "window_log";
    ZSTD_c_hashLog "hash_log";
    ZSTD_c_chainLog "chain_log";
    ZSTD_c_searchLog "search_log";
    ZSTD_c_minMatch "min_match";
    ZSTD_c_targetLength "target_length";
    ZSTD_c_strategy "strategy";
    ZSTD_c_enableLongDistanceMatching "enable_long_distance_matching";
    ZSTD_c_ldmHashLog "ldm_hash_log";
    ZSTD_c_ldmMinMatch "ldm_min_match";
    ZSTD_c_ldmBucketSizeLog "ldm_bucket_size_log";
    ZSTD_c_ldmHashRateLog "ldm_hash_rate_log";
    ZSTD_c_contentSizeFlag "content_size_flag";
    ZSTD_c_checksumFlag "checksum_flag";
    ZSTD_c_dictIDFlag "dict_id_flag";
    ZSTD_c_nbWorkers "nb_workers";
    ZSTD_c_jobSize "job_size";
    ZSTD_c_overlapLog "overlap_log";
}

parameters! { DECOMPRESSION: Decompress ZSTD_dParameter;
    ZSTD_d_windowLogMax "window_log_max";
}

/// The enums of `compression.zstd` whose members are parameters: of compression, of decompression.
#[derive(Default)]
struct Enums([Cell<Option<Value>>; 2]);

pub fn set_parameter_types(vm: &Vm, c: Ref<Type>, d: Ref<Type>) {
    let enums = vm.state::<Enums>();
    for (place, ty) in enums.0.iter().zip([c, d]) {
        vm.roots.borrow_mut().push(ty.value());
        place.set(Some(ty.value()));
    }
}

pub fn get_param_bounds(vm: &Vm, key: i32, is_compress: bool) -> R<Value> {
    let (table, kind) =
        if is_compress { (COMPRESSION, "compression") } else { (DECOMPRESSION, "decompression") };
    let Some(p) = table.iter().find(|p| p.key == key) else {
        let tried = format!("Unable to get zstd {kind} parameter bounds: Unsupported parameter");
        return Err(super::error(vm, tried));
    };
    let bounds = p.bounds();
    check(vm, bounds.error, &format!("get zstd {kind} parameter bounds"))?;
    vm.tuple(&[vm.int(bounds.lowerBound.into())?, vm.int(bounds.upperBound.into())?])
}

/// An int of C's. OverflowError, TypeError.
fn c_int(vm: &Vm, v: Value) -> R<i32> {
    let n = vm.as_i64(vm.index(v)?).and_then(|n| i32::try_from(n).ok());
    n.ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))
}

#[cold]
fn illegal_level(vm: &Vm, level: Option<i32>) -> Raised {
    let level = level.map_or_else(String::new, |n| format!(" {n}"));
    // SAFETY (both): the library's constants.
    let (low, high) = unsafe { (sys::ZSTD_minCLevel(), sys::ZSTD_maxCLevel()) };
    vm.value_error(format!("illegal compression level{level}; the valid range is [{low}, {high}]"))
}

/// A level, as an argument gives it.
pub fn level(vm: &Vm, v: Value) -> R<i32> {
    if !vm.is_int(v) {
        return Err(vm.type_error("invalid type for level, expected int"));
    }
    let n = vm.as_i64(v).and_then(|n| i32::try_from(n).ok()).ok_or_else(|| illegal_level(vm, None))?;
    checked_level(vm, n)
}

fn checked_level(vm: &Vm, n: i32) -> R<i32> {
    // SAFETY (both): the library's constants.
    let legal = unsafe { sys::ZSTD_minCLevel()..=sys::ZSTD_maxCLevel() };
    if legal.contains(&n) { Ok(n) } else { Err(illegal_level(vm, Some(n))) }
}

/// Sets each parameter in a dict by `set`, which gives the library's code. `known`: those that there are, and what
/// messages call them; `foreign`: the place of the enum whose members are of the other kind, and its name.
fn set_each(
    vm: &Vm,
    options: Ref<Dict>,
    known: (&'static [Parameter], &str),
    foreign: (usize, &str),
    mut set: impl FnMut(&'static Parameter, i32) -> R<usize>,
) -> R<()> {
    let (table, kind) = known;
    let enums = vm.state::<Enums>();
    let mut i = 0;
    // An `__index__` may change the dict.
    while i < options.fill() {
        i += 1;
        let Some((key, value)) = options.entry(i - 1) else { continue };
        if enums.0[foreign.0].get().is_some_and(|t| t.is(vm.type_of(key).value())) {
            let name = foreign.1;
            return Err(
                vm.type_error(format!("{kind} options dictionary key must not be a {name} attribute"))
            );
        }
        let (key, value) = (c_int(vm, key)?, c_int(vm, value)?);
        let Some(p) = table.iter().find(|p| p.key == key) else {
            return Err(vm.value_error(format!("invalid {kind} parameter 'unknown parameter (key {key})'")));
        };
        if super::is_error(set(p, value)?) {
            let (name, bounds) = (p.name, p.bounds());
            let range = format!("[{}, {}]", bounds.lowerBound, bounds.upperBound);
            let text = format!(
                "{kind} parameter '{name}' received an illegal value {value}; the valid range is {range}"
            );
            return Err(vm.value_error(text));
        }
    }
    Ok(())
}

/// Sets a compressor's parameters: the level, if they have one.
pub fn set_for_compression(vm: &Vm, options: Ref<Dict>, stream: *mut sys::ZSTD_CCtx) -> R<Option<i32>> {
    let mut level = None;
    set_each(vm, options, (COMPRESSION, "compression"), (1, "DecompressionParameter"), |p, value| {
        let Which::Compress(which) = p.which else { return Ok(0) };
        if which == sys::ZSTD_cParameter::ZSTD_c_compressionLevel {
            level = Some(checked_level(vm, value)?);
        }
        // SAFETY: the caller's stream, and a parameter that there is.
        Ok(unsafe { sys::ZSTD_CCtx_setParameter(stream, which, value) })
    })?;
    Ok(level)
}

/// Sets a decompressor's parameters.
pub fn set_for_decompression(vm: &Vm, options: Ref<Dict>, stream: *mut sys::ZSTD_DCtx) -> R<()> {
    set_each(vm, options, (DECOMPRESSION, "decompression"), (0, "CompressionParameter"), |p, value| {
        let Which::Decompress(which) = p.which else { return Ok(0) };
        // SAFETY: the caller's stream, and a parameter that there is.
        Ok(unsafe { sys::ZSTD_DCtx_setParameter(stream, which, value) })
    })
}
