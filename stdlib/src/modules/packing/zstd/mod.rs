//! `_zstd`: what the packaged `compression.zstd` is built on, over zstd's own library.

mod dictionary;
mod parameters;
mod streams;

use super::super::support::{self, BytesLike, add_exception};
use dictionary::{finalize_dict, train_dict};
use parameters::{get_param_bounds, set_parameter_types};
use skein_runtime::object::Ref;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::{R, Raised, Value, Vm, native_functions};
use std::ffi::CStr;
use zstd_sys as sys;

/// What the library gives for sizes that are not written in a frame, and for what is no frame.
const SIZE_UNKNOWN: u64 = sys::ZSTD_CONTENTSIZE_UNKNOWN as i64 as u64;
const SIZE_ERROR: u64 = sys::ZSTD_CONTENTSIZE_ERROR as i64 as u64;

#[cold]
fn error(vm: &Vm, message: impl AsRef<str>) -> Raised {
    support::raise(vm, "compression.zstd.ZstdError", message)
}

fn is_error(code: usize) -> bool {
    // SAFETY: a function of a number.
    unsafe { sys::ZSTD_isError(code) != 0 }
}

/// The library's words for an error.
fn reason(code: usize) -> String {
    // SAFETY: the library's text is static and ends with a zero.
    unsafe { CStr::from_ptr(sys::ZSTD_getErrorName(code)) }.to_string_lossy().into_owned()
}

/// What a call gave, if it was no error; else ZstdError, which begins with what was tried.
fn check(vm: &Vm, code: usize, tried: &str) -> R<usize> {
    if is_error(code) { Err(error(vm, format!("Unable to {tried}: {}", reason(code)))) } else { Ok(code) }
}

fn get_frame_size(vm: &Vm, frame: BytesLike) -> R<Value> {
    // SAFETY: it reads as many bytes as it is told.
    let size = unsafe { sys::ZSTD_findFrameCompressedSize(frame.as_ptr().cast(), frame.len()) };
    if is_error(size) {
        return Err(error(
            vm,
            format!(
                "Error when finding the compressed size of a Zstandard frame. Ensure the frame_buffer argument \
                 starts from the beginning of a frame, and its length is not less than this complete frame. \
                 Zstd error message: {}.",
                reason(size)
            ),
        ));
    }
    vm.int(size as i64)
}

fn get_frame_info(vm: &Vm, frame: BytesLike) -> R<Value> {
    let (data, len) = (frame.as_ptr().cast(), frame.len());
    // SAFETY (both): they read as many bytes as they are told.
    let size = unsafe { sys::ZSTD_getFrameContentSize(data, len) };
    if size == SIZE_ERROR {
        return Err(error(
            vm,
            "Error when getting information from the header of a Zstandard frame. Ensure the frame_buffer argument \
             starts from the beginning of a frame, and its length is not less than the frame header (6~18 bytes).",
        ));
    }
    let id = unsafe { sys::ZSTD_getDictID_fromFrame(data, len) };
    let size = if size == SIZE_UNKNOWN { Value::NONE } else { vm.int_u64(size)? };
    vm.tuple(&[size, vm.int(id.into())?])
}

native_functions! { FUNCTIONS:
    "train_dict(samples_bytes, samples_sizes, dict_size, /)" => train_dict, "Train a Zstandard dictionary on sample data.";
    "finalize_dict(custom_dict_bytes, samples_bytes, samples_sizes, dict_size, compression_level, /)" => finalize_dict, "Finalize a Zstandard dictionary.";
    "get_param_bounds(parameter, is_compress)" => get_param_bounds, "Get CompressionParameter/DecompressionParameter bounds.";
    "get_frame_size(frame_buffer)" => get_frame_size, "Get the size of a Zstandard frame, including the header and optional checksum.";
    "get_frame_info(frame_buffer)" => get_frame_info, "Get Zstandard frame information from a frame header.";
    "set_parameter_types(c_parameter_type, d_parameter_type)" => set_parameter_types, "Set CompressionParameter and DecompressionParameter types for validity check.";
}

const STRATEGIES: &[(&str, i64)] = &[
    ("ZSTD_fast", 1),
    ("ZSTD_dfast", 2),
    ("ZSTD_greedy", 3),
    ("ZSTD_lazy", 4),
    ("ZSTD_lazy2", 5),
    ("ZSTD_btlazy2", 6),
    ("ZSTD_btopt", 7),
    ("ZSTD_btultra", 8),
    ("ZSTD_btultra2", 9),
];

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_zstd", FUNCTIONS)?;
    let set = |name: &str, n: i64| m.dict().set_name(vm, name, vm.int(n)?);
    for p in parameters::COMPRESSION.iter().chain(parameters::DECOMPRESSION) {
        set(p.constant, p.key.into())?;
    }
    for &(name, n) in STRATEGIES {
        set(name, n)?;
    }
    // SAFETY (all): the library's constants; the text is static.
    set("ZSTD_CLEVEL_DEFAULT", unsafe { sys::ZSTD_defaultCLevel() }.into())?;
    set("ZSTD_DStreamOutSize", unsafe { sys::ZSTD_DStreamOutSize() } as i64)?;
    set("zstd_version_number", unsafe { sys::ZSTD_versionNumber() }.into())?;
    let version = unsafe { CStr::from_ptr(sys::ZSTD_versionString()) }.to_string_lossy();
    m.dict().set_name(vm, "zstd_version", vm.str(&version)?)?;
    m.dict().set_name(vm, "ZstdDict", ext_type(vm, &dictionary::DICTIONARY)?.value())?;
    m.dict().set_name(vm, "ZstdCompressor", streams::compressor_type(vm)?.value())?;
    m.dict().set_name(vm, "ZstdDecompressor", ext_type(vm, &streams::DECOMPRESSOR)?.value())?;
    add_exception(vm, m, "compression.zstd.ZstdError", vm.exc.exception)?;
    Ok(m)
}
