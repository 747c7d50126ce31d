//! The pure-Python standard library, compiled ahead and packed into the program.
//!
//! [`find`] looks a module up; its entry hands out code for `skein_bytecode::read_file`, already
//! verified when it was packed, and on demand the source text for tracebacks and `inspect`. The
//! build script (build/main.rs) makes the blob and its index.
//!
//! **Invariant:** nothing happens before a module is asked for. The index is constant data without
//! pointers, a look-up is a binary search, and only the pages of the module's own code are touched.

mod modules;
pub mod unpacked;

pub use modules::{check_tree_class, is_tree, symbols_to_object, tree_from_object};
pub use modules::{
    finalize_apart, finish, install, native_module, native_module_names, tree_to_object, weak_cleared,
};

use std::io::Read;

/// `co_filename` of packed code is this and the entry's path; only the import system's own modules
/// have CPython's frozen names instead, e.g. `<frozen importlib._bootstrap>`.
pub const FILENAME_PREFIX: &str = "<stdlib>/";

/// Where a module's parts are in [`NAMES`] and [`BLOB`].
struct Record {
    name: u32,
    name_len: u16,
    is_package: bool,
    code: u32,
    code_len: u32,
    source: u32,
    deflated_len: u32,
    source_len: u32,
}

/// A file that is no module.
struct Data {
    /// Below `Lib`, with slashes.
    path: &'static str,
    start: u32,
    deflated_len: u32,
    len: u32,
}

include!(concat!(env!("OUT_DIR"), "/index.rs"));
static BLOB: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.bin"));

impl Record {
    fn name(&self) -> &'static str {
        &NAMES[self.name as usize..][..self.name_len.into()]
    }
}

/// A module of the library.
#[derive(Clone, Copy)]
pub struct Entry(&'static Record);

impl Entry {
    /// The module's full name, e.g. `collections.abc`.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// Whether it is a package, whose file is `__init__.py`.
    pub fn is_package(&self) -> bool {
        self.0.is_package
    }

    /// The file's path below `Lib`, with slashes, e.g. `collections/__init__.py`.
    pub fn path(&self) -> String {
        let end = if self.is_package() { "/__init__.py" } else { ".py" };
        self.name().replace('.', "/") + end
    }

    /// The code in the file form of skein-bytecode. Not compressed: what of it nobody looks at costs nothing.
    pub fn code(&self) -> &'static [u8] {
        &BLOB[self.0.code as usize..][..self.0.code_len as usize]
    }

    /// The source text as the file has it, decompressed anew at each call.
    pub fn source(&self) -> Vec<u8> {
        inflated(self.0.source, self.0.deflated_len, self.0.source_len)
    }

    /// Bytes that it takes in the blob: code, source.
    pub fn stored_size(&self) -> (usize, usize) {
        (self.0.code_len as usize, self.0.deflated_len as usize)
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Entry").field(&self.name()).finish()
    }
}

fn inflated(start: u32, stored: u32, len: u32) -> Vec<u8> {
    let stored = &BLOB[start as usize..][..stored as usize];
    let mut out = Vec::with_capacity(len as usize);
    flate2::read::ZlibDecoder::new(stored).read_to_end(&mut out).expect("the build script compressed it");
    out
}

/// The bytes of a packed file, a module's source or another: its path is below `Lib`, with slashes.
pub fn file(path: &str) -> Option<Vec<u8>> {
    if let Ok(i) = DATA.binary_search_by(|d| d.path.cmp(path)) {
        let d = &DATA[i];
        return Some(inflated(d.start, d.deflated_len, d.len));
    }
    let stem = path.strip_suffix(".py")?;
    let entry = find(&stem.strip_suffix("/__init__").unwrap_or(stem).replace('/', "."))?;
    (entry.path() == path).then(|| entry.source())
}

/// Names of what is directly in a packed folder, each once; none if there is no such folder. `""` is the whole library.
pub fn folder(path: &str) -> Vec<String> {
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    let modules = RECORDS.iter().map(|r| Entry(r).path());
    let all = modules.chain(DATA.iter().map(|d| d.path.to_string()));
    let names = all.filter_map(|p| Some(p.strip_prefix(&prefix)?.split('/').next()?.to_string()));
    names.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// The packed module of this full name, if there is one.
pub fn find(module: &str) -> Option<Entry> {
    let i = RECORDS.binary_search_by(|record| record.name().cmp(module)).ok()?;
    Some(Entry(&RECORDS[i]))
}

/// All packed modules, sorted by name.
pub fn entries() -> impl ExactSizeIterator<Item = Entry> {
    RECORDS.iter().map(Entry)
}

/// Names of the modules directly inside a package, without its name; with `""` those at the top.
pub fn children(package: &str) -> impl Iterator<Item = Entry> + '_ {
    let inside = move |entry: &Entry| match package {
        "" => !entry.name().contains('.'),
        _ => entry.name().rsplit_once('.').is_some_and(|(parent, _)| parent == package),
    };
    // Names that begin with the package's stand together.
    let start = RECORDS.partition_point(|record| record.name() < package);
    let begins = move |record: &&'static Record| record.name().starts_with(package);
    RECORDS[start..].iter().take_while(begins).map(Entry).filter(inside)
}
