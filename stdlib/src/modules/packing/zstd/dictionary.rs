//! `ZstdDict`, and how dictionaries are made from samples.

use super::super::super::support::BytesLike;
use super::{check, error, sys};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Raised, Value, Vm, native_type};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A dictionary that is prepared for compression at some level.
pub struct ForCompression(*mut sys::ZSTD_CDict);
/// A dictionary that is prepared for decompression.
pub struct ForDecompression(*mut sys::ZSTD_DDict);

impl ForCompression {
    pub fn raw(&self) -> *const sys::ZSTD_CDict {
        self.0
    }
}

impl ForDecompression {
    pub fn raw(&self) -> *const sys::ZSTD_DDict {
        self.0
    }
}

impl Drop for ForCompression {
    fn drop(&mut self) {
        // SAFETY: made by the library, and streams that refer to it hold it too.
        unsafe { sys::ZSTD_freeCDict(self.0) };
    }
}

impl Drop for ForDecompression {
    fn drop(&mut self) {
        // SAFETY: made by the library, and streams that refer to it hold it too.
        unsafe { sys::ZSTD_freeDDict(self.0) };
    }
}

/// `ZstdDict`.
pub struct Dictionary {
    /// A bytes object.
    content: Field,
    id: u32,
    /// By level.
    for_compression: RefCell<HashMap<i32, Rc<ForCompression>>>,
    for_decompression: RefCell<Option<Rc<ForDecompression>>>,
}

impl Payload for Dictionary {
    const NAME: &'static str = "compression.zstd.ZstdDict";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Dictionary { content, id: _, for_compression: _, for_decompression: _ } = self;
        content.trace(t);
    }
}

pub type DictionaryRef = Ref<Ext<Dictionary>>;
type This = ExtArg<Dictionary>;

native_type! {
    pub DICTIONARY: "compression.zstd.ZstdDict", Kind::Ext, 0, "Represents a Zstandard dictionary.";
    methods {
        [static] "__new__($type, dict_content, /, *, is_raw=False)" => new;
        "__len__($self, /)" => |_: &Vm, d: This| d.0.with(<[u8]>::len);
        "__repr__($self, /)" => |vm: &Vm, d: This| vm.str(&format!("<ZstdDict dict_id={} dict_size={}>", d.0.id, d.0.with(<[u8]>::len)));
        "__reduce__($self, /)" => |vm: &Vm, _: Value| -> R<()> { Err(vm.type_error("cannot pickle 'compression.zstd.ZstdDict' object")) };
    }
    getset {
        "dict_id" => |vm: &Vm, d: This| vm.int(d.0.id.into());
        "dict_content" => |_: &Vm, d: This| -> R<Value> { Ok(d.0.content.or_none()) };
        "as_digested_dict" => |vm: &Vm, d: This| vm.tuple(&[d.0.value(), Value::small_int(DIGESTED)]);
        "as_undigested_dict" => |vm: &Vm, d: This| vm.tuple(&[d.0.value(), Value::small_int(UNDIGESTED)]);
        "as_prefix" => |vm: &Vm, d: This| vm.tuple(&[d.0.value(), Value::small_int(PREFIX)]);
    }
}

const DIGESTED: i64 = 0;
const UNDIGESTED: i64 = 1;
const PREFIX: i64 = 2;

/// How a stream uses a dictionary.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It is prepared once, and its parameters go before the stream's.
    Digested,
    /// Its content is loaded into the stream.
    Undigested,
    /// Its content counts as what went before the first frame.
    Prefix,
}

fn new(vm: &Vm, _class: Value, content: BytesLike, is_raw: Option<bool>) -> R<Value> {
    if content.len() < 8 {
        let text = "Zstandard dictionary content too short (must have at least eight bytes)";
        return Err(vm.value_error(text));
    }
    // SAFETY: it reads as many bytes as it is told.
    let id = unsafe { sys::ZSTD_getDictID_fromDict(content.as_ptr().cast(), content.len()) };
    if id == 0 && !is_raw.unwrap_or(false) {
        return Err(vm.value_error("invalid Zstandard dictionary"));
    }
    let content = vm.bytes(&content)?;
    let d = Dictionary {
        content: Field::new(Some(content)),
        id,
        for_compression: RefCell::default(),
        for_decompression: RefCell::default(),
    };
    Ok(Ext::new(vm, ext_type(vm, &DICTIONARY)?, d)?.value())
}

impl Dictionary {
    /// Does something with the content, which stays where it is as long as the dictionary lives.
    pub fn with<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        f(self.content.cast::<Bytes>().as_ref().map_or(&[], |b| b.bytes()))
    }

    /// As it is used at a level. ZstdError.
    pub fn for_compression(&self, vm: &Vm, level: i32) -> R<Rc<ForCompression>> {
        if let Some(d) = self.for_compression.borrow().get(&level) {
            return Ok(d.clone());
        }
        // SAFETY: it copies as many bytes as it is told.
        let raw = self.with(|b| unsafe { sys::ZSTD_createCDict(b.as_ptr().cast(), b.len(), level) });
        if raw.is_null() {
            return Err(not_made(vm, "ZSTD_CDict"));
        }
        let made = Rc::new(ForCompression(raw));
        self.for_compression.borrow_mut().insert(level, made.clone());
        Ok(made)
    }

    /// ZstdError.
    pub fn for_decompression(&self, vm: &Vm) -> R<Rc<ForDecompression>> {
        if let Some(d) = &*self.for_decompression.borrow() {
            return Ok(d.clone());
        }
        // SAFETY: it copies as many bytes as it is told.
        let raw = self.with(|b| unsafe { sys::ZSTD_createDDict(b.as_ptr().cast(), b.len()) });
        if raw.is_null() {
            return Err(not_made(vm, "ZSTD_DDict"));
        }
        let made = Rc::new(ForDecompression(raw));
        *self.for_decompression.borrow_mut() = Some(made.clone());
        Ok(made)
    }
}

#[cold]
fn not_made(vm: &Vm, what: &str) -> Raised {
    error(vm, format!("Failed to create a {what} instance from Zstandard dictionary content."))
}

/// The dictionary of an argument, and how it is used: `plain` where the argument does not say.
pub fn argument(vm: &Vm, v: Value, plain: Use) -> R<(DictionaryRef, Use)> {
    let dictionary = |v: Value| v.cast::<Ext<Dictionary>>();
    if let Some(d) = dictionary(v) {
        return Ok((d, plain));
    }
    let wrong = || vm.type_error("zstd_dict argument should be a ZstdDict object.");
    let pair = v.cast::<Tuple>().filter(|t| t.items().len() == 2).ok_or_else(wrong)?;
    let (first, second) = (pair.items()[0], pair.items()[1]);
    let d = dictionary(first).filter(|_| vm.is_int(second)).ok_or_else(wrong)?;
    let Some(n) = vm.as_i64(second).filter(|&n| i32::try_from(n).is_ok()) else {
        return Err(vm.overflow_error("Python int too large to convert to C int"));
    };
    match n {
        DIGESTED => Ok((d, Use::Digested)),
        UNDIGESTED => Ok((d, Use::Undigested)),
        PREFIX => Ok((d, Use::Prefix)),
        _ => Err(wrong()),
    }
}

/// The sizes of samples that lie in a row. ValueError, TypeError.
fn sizes_of(vm: &Vm, samples: Ref<Bytes>, sizes: Ref<Tuple>) -> R<Vec<usize>> {
    let wrong = || vm.value_error("The samples size tuple doesn't match the concatenation's size.");
    if u32::try_from(sizes.items().len()).is_err() {
        return Err(vm.value_error(format!("The number of samples should be <= {}.", u32::MAX)));
    }
    let (mut found, mut sum) = (Vec::new(), 0_usize);
    for &v in sizes.items() {
        if !vm.is_int(v) {
            return Err(vm.type_error("an integer is required"));
        }
        let size = vm.as_i64(v).and_then(|n| usize::try_from(n).ok()).ok_or_else(wrong)?;
        sum = sum.checked_add(size).ok_or_else(wrong)?;
        vm.push(&mut found, size)?;
    }
    if sum == samples.bytes().len() { Ok(found) } else { Err(wrong()) }
}

/// Room for a dictionary of at most so many bytes. ValueError, MemoryError.
fn room(vm: &Vm, size: i64) -> R<Vec<u8>> {
    match usize::try_from(size) {
        Ok(size) if size > 0 => vm.filled(0_u8, size),
        _ => Err(vm.value_error("dict_size argument should be positive number.")),
    }
}

pub fn train_dict(vm: &Vm, samples: Ref<Bytes>, sizes: Ref<Tuple>, dict_size: i64) -> R<Value> {
    let mut out = room(vm, dict_size)?;
    let sizes = sizes_of(vm, samples, sizes)?;
    // SAFETY: as many samples as there are sizes, of as many bytes in all as they say; `out` has that room.
    let made = unsafe {
        sys::ZDICT_trainFromBuffer(
            out.as_mut_ptr().cast(),
            out.len(),
            samples.bytes().as_ptr().cast(),
            sizes.as_ptr(),
            sizes.len() as u32,
        )
    };
    let made = check(vm, made, "train the Zstandard dictionary")?;
    vm.bytes(&out[..made])
}

pub fn finalize_dict(
    vm: &Vm,
    content: Ref<Bytes>,
    samples: Ref<Bytes>,
    sizes: Ref<Tuple>,
    dict_size: i64,
    level: i32,
) -> R<Value> {
    let mut out = room(vm, dict_size)?;
    let sizes = sizes_of(vm, samples, sizes)?;
    let parameters = sys::ZDICT_params_t { compressionLevel: level, notificationLevel: 0, dictID: 0 };
    // SAFETY: as in `train_dict`; the content has as many bytes as it is told.
    let made = unsafe {
        sys::ZDICT_finalizeDictionary(
            out.as_mut_ptr().cast(),
            out.len(),
            content.bytes().as_ptr().cast(),
            content.bytes().len(),
            samples.bytes().as_ptr().cast(),
            sizes.as_ptr(),
            sizes.len() as u32,
            parameters,
        )
    };
    let made = check(vm, made, "finalize the Zstandard dictionary")?;
    vm.bytes(&out[..made])
}
