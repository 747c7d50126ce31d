//! Chains of LZMA filters: Python's dicts and the library's structs.

use skein_runtime::types::dict::Dict;
use skein_runtime::types::str::Str;
use skein_runtime::{R, Raised, Value, Vm};

use super::lzma::error;
use liblzma_sys as sys;

/// The library's options of a delta filter.
#[repr(C)]
struct Delta {
    /// 0: by bytes.
    kind: u32,
    distance: u32,
    reserved_ints: [u32; 4],
    reserved_pointers: [*mut libc::c_void; 2],
}

/// One filter's options. What they point to stays where it is while the chain lives.
enum Options {
    Lzma(Box<sys::lzma_options_lzma>),
    Delta(Box<Delta>),
    Bcj(Box<sys::lzma_options_bcj>),
}

/// A chain of filters for the library.
pub struct Chain {
    options: Vec<Options>,
    filters: Vec<sys::lzma_filter>,
}

const VLI_UNKNOWN: u64 = u64::MAX;

impl Chain {
    fn new() -> Chain {
        Chain { options: Vec::new(), filters: Vec::new() }
    }

    fn push(&mut self, id: u64, mut options: Options) {
        let pointer: *mut libc::c_void = match &mut options {
            Options::Lzma(o) => std::ptr::from_mut(&mut **o).cast(),
            Options::Delta(o) => std::ptr::from_mut(&mut **o).cast(),
            Options::Bcj(o) => std::ptr::from_mut(&mut **o).cast(),
        };
        self.options.push(options);
        self.filters.push(sys::lzma_filter { id, options: pointer });
    }

    /// The row that ends with an unknown id, good while the chain lives.
    pub fn row(&mut self) -> *const sys::lzma_filter {
        if self.filters.last().is_none_or(|f| f.id != VLI_UNKNOWN) {
            self.filters.push(sys::lzma_filter { id: VLI_UNKNOWN, options: std::ptr::null_mut() });
        }
        self.filters.as_ptr()
    }

    /// The options of a chain that is one LZMA filter.
    pub fn single_lzma1(&self) -> Option<*const sys::lzma_options_lzma> {
        match (&self.options[..], self.filters.first()) {
            ([Options::Lzma(o)], Some(f)) if f.id == sys::LZMA_FILTER_LZMA1 => Some(&raw const **o),
            _ => None,
        }
    }
}

fn preset_options(vm: &Vm, preset: u32) -> R<Box<sys::lzma_options_lzma>> {
    // SAFETY: plain data, which the library fills.
    let mut o: Box<sys::lzma_options_lzma> = unsafe { Box::new(std::mem::zeroed()) };
    // SAFETY: a struct out.
    match unsafe { sys::lzma_lzma_preset(&mut *o, preset) } {
        0 => Ok(o),
        _ => Err(error(vm, &format!("Invalid compression preset: {preset}"))),
    }
}

/// The chain of a preset for the old format.
pub fn of_preset(vm: &Vm, preset: u32) -> R<Chain> {
    let mut c = Chain::new();
    c.push(sys::LZMA_FILTER_LZMA1, Options::Lzma(preset_options(vm, preset)?));
    Ok(c)
}

fn invalid(vm: &Vm, what: &str) -> Raised {
    vm.value_error(format!("Invalid filter specifier for {what} filter"))
}

/// The numbers of a specifier whose keys are all among these.
fn numbers<const N: usize>(
    vm: &Vm,
    d: skein_runtime::Ref<Dict>,
    keys: [&str; N],
    what: &str,
) -> R<[Option<u32>; N]> {
    let mut out = [None; N];
    let pairs = vm.list_from(vm.call_method(d.value(), "items", &[])?)?;
    for i in 0..pairs.len() {
        let pair = pairs.get(i).and_then(|p| p.cast::<skein_runtime::types::tuple::Tuple>());
        let Some(pair) = pair else { continue };
        let Some(key) = pair.items()[0].cast::<Str>() else { return Err(invalid(vm, what)) };
        if key.bytes() == b"id" {
            continue;
        }
        let Some(k) = keys.iter().position(|k| k.as_bytes() == key.bytes()) else {
            return Err(invalid(vm, what));
        };
        let n = vm.as_i64(vm.index(pair.items()[1])?).and_then(|n| u32::try_from(n).ok());
        out[k] = Some(n.ok_or_else(|| vm.overflow_error("Value too large for uint32_t type"))?);
    }
    Ok(out)
}

fn filter(vm: &Vm, chain: &mut Chain, spec: Value) -> R<()> {
    let is_mapping = vm.find_attr(spec, vm.intern("keys")?)?.is_some();
    if !is_mapping {
        return Err(vm.type_error("Filter specifier must be a dict or dict-like object"));
    }
    let d = Dict::new(vm)?;
    vm.call_method(d.value(), "update", &[spec])?;
    let Some(id) = d.get_name(vm, "id")? else {
        return Err(vm.value_error("Filter specifier must have an \"id\" entry"));
    };
    let id = vm.as_i64(vm.index(id)?).and_then(|n| u64::try_from(n).ok());
    let id = id.ok_or_else(|| vm.overflow_error("Value too large for lzma_vli type"))?;
    match id {
        sys::LZMA_FILTER_LZMA1 | sys::LZMA_FILTER_LZMA2 => {
            let keys =
                ["preset", "preset_dict", "dict_size", "lc", "lp", "pb", "mode", "nice_len", "mf", "depth"];
            let [preset, dictionary, dict_size, lc, lp, pb, mode, nice_len, mf, depth] =
                numbers(vm, d, keys, "LZMA")?;
            if dictionary.is_some() {
                return Err(invalid(vm, "LZMA"));
            }
            let mut o = preset_options(vm, preset.unwrap_or(sys::LZMA_PRESET_DEFAULT))?;
            let fields = [
                (&mut o.dict_size, dict_size),
                (&mut o.lc, lc),
                (&mut o.lp, lp),
                (&mut o.pb, pb),
                (&mut o.nice_len, nice_len),
                (&mut o.depth, depth),
            ];
            for (field, n) in fields {
                *field = n.unwrap_or(*field);
            }
            o.mode = mode.map_or(o.mode, |n| n as _);
            o.mf = mf.map_or(o.mf, |n| n as _);
            chain.push(id, Options::Lzma(o));
        }
        sys::LZMA_FILTER_DELTA => {
            let [distance] = numbers(vm, d, ["dist"], "delta")?;
            let o = Delta {
                kind: 0,
                distance: distance.unwrap_or(1),
                reserved_ints: [0; 4],
                reserved_pointers: [std::ptr::null_mut(); 2],
            };
            chain.push(id, Options::Delta(Box::new(o)));
        }
        0x04..=0x09 => {
            let [start] = numbers(vm, d, ["start_offset"], "BCJ")?;
            let o = sys::lzma_options_bcj { start_offset: start.unwrap_or(0) };
            chain.push(id, Options::Bcj(Box::new(o)));
        }
        _ => return Err(vm.value_error(format!("Invalid filter ID: {id}"))),
    }
    Ok(())
}

/// The chain of a sequence of specifiers. TypeError, ValueError.
pub fn of_specifiers(vm: &Vm, specs: Value) -> R<Chain> {
    if specs.cast::<Dict>().is_some() {
        return Err(vm.type_error("dict is not a sequence"));
    }
    let list = vm.list_from(specs)?;
    if list.len() > 4 {
        return Err(vm.value_error("Too many filters - liblzma supports a maximum of 4"));
    }
    let mut chain = Chain::new();
    for i in 0..list.len() {
        filter(vm, &mut chain, list.get(i).unwrap_or(Value::NONE))?;
    }
    Ok(chain)
}

/// A filter's options as they stand in a file. LZMAError.
pub fn encode_properties(vm: &Vm, spec: Value) -> R<Vec<u8>> {
    let mut chain = Chain::new();
    filter(vm, &mut chain, spec)?;
    let row = chain.row();
    let mut size = 0;
    // SAFETY: a filter in, a number out; then a buffer of that length out.
    unsafe {
        super::lzma::check(vm, sys::lzma_properties_size(&mut size, row))?;
        // bounded: a few bytes of properties
        let mut out = vec![0; size as usize];
        super::lzma::check(vm, sys::lzma_properties_encode(row, out.as_mut_ptr()))?;
        Ok(out)
    }
}

/// The specifier of options as they stand in a file. LZMAError.
pub fn decode_properties(vm: &Vm, id: u64, properties: &[u8]) -> R<Value> {
    let mut f = sys::lzma_filter { id, options: std::ptr::null_mut() };
    // SAFETY: a slice in; the library allocates the options, which are freed below.
    let code = unsafe {
        sys::lzma_properties_decode(&mut f, std::ptr::null(), properties.as_ptr(), properties.len())
    };
    super::lzma::check(vm, code)?;
    struct Free(*mut libc::c_void);
    impl Drop for Free {
        fn drop(&mut self) {
            // SAFETY: the library's own allocation, by malloc, or null.
            unsafe { libc::free(self.0) };
        }
    }
    let options = Free(f.options);
    let d = Dict::new(vm)?;
    d.set_name(vm, "id", vm.int_u64(id)?)?;
    let set = |name: &str, n: u32| d.set_name(vm, name, vm.int(n.into())?);
    match id {
        _ if options.0.is_null() => {}
        sys::LZMA_FILTER_LZMA1 => {
            // SAFETY: the id tells the struct.
            let o = unsafe { &*options.0.cast::<sys::lzma_options_lzma>() };
            for (name, n) in [("dict_size", o.dict_size), ("lc", o.lc), ("lp", o.lp), ("pb", o.pb)] {
                set(name, n)?;
            }
        }
        sys::LZMA_FILTER_LZMA2 => {
            // SAFETY: as above.
            set("dict_size", unsafe { (*options.0.cast::<sys::lzma_options_lzma>()).dict_size })?;
        }
        sys::LZMA_FILTER_DELTA => {
            // SAFETY: as above.
            set("dist", unsafe { (*options.0.cast::<Delta>()).distance })?;
        }
        0x04..=0x09 => {
            // SAFETY: as above.
            set("start_offset", unsafe { (*options.0.cast::<sys::lzma_options_bcj>()).start_offset })?;
        }
        _ => return Err(vm.value_error(format!("Invalid filter ID: {id}"))),
    }
    Ok(d.value())
}
