//! Writes the blob and its index.

use crate::Source;
use crate::select::Data;
use std::fmt::Write as _;
use std::hash::Hasher as _;
use std::io::Write as _;
use std::path::Path;

/// A module as it will be stored: its source is compressed.
pub struct Module {
    pub name: String,
    is_package: bool,
    code: Vec<u8>,
    source: Vec<u8>,
    source_len: usize,
}

impl Module {
    pub fn new(source: &Source, code: &[u8], text: &[u8]) -> Module {
        Module {
            name: source.module.clone(),
            is_package: source.is_package,
            code: code.to_owned(),
            source: deflated(text),
            source_len: text.len(),
        }
    }
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    // Writing to a vector does not fail.
    let _ = out.write_all(bytes);
    out.finish().unwrap_or_default()
}

/// Writes `library.bin` and `index.rs` for modules sorted by name and other files sorted by path.
///
/// # Errors
/// If a file cannot be read or written.
pub fn write(out: &Path, modules: &[Module], data: &[Data]) -> std::io::Result<()> {
    let mut blob: Vec<u8> = Vec::new();
    let mut names = String::new();
    let mut index = String::from("static RECORDS: &[Record] = &[\n");
    let mut source_at: usize = modules.iter().map(|m| m.code.len()).sum();
    for m in modules {
        let _ = writeln!(
            index,
            "Record {{ name: {}, name_len: {}, is_package: {}, code: {}, code_len: {}, \
             source: {source_at}, deflated_len: {}, source_len: {} }},",
            names.len(),
            m.name.len(),
            m.is_package,
            blob.len(),
            m.code.len(),
            m.source.len(),
            m.source_len,
        );
        names += &m.name;
        blob.extend(&m.code);
        source_at += m.source.len();
    }
    modules.iter().for_each(|m| blob.extend(&m.source));
    let _ = write!(index, "];\nstatic NAMES: &str = {names:?};\nstatic DATA: &[Data] = &[\n");
    for d in data {
        let bytes = std::fs::read(&d.file)?;
        let stored = deflated(&bytes);
        let _ = writeln!(
            index,
            "Data {{ path: {:?}, start: {}, deflated_len: {}, len: {} }},",
            d.path,
            blob.len(),
            stored.len(),
            bytes.len(),
        );
        blob.extend(stored);
    }
    // Which library it is: the sources and other files behind the codes.
    let codes: usize = modules.iter().map(|m| m.code.len()).sum();
    let mut hash = std::hash::DefaultHasher::new();
    hash.write(&blob[codes..]);
    let _ = writeln!(index, "];\nstatic VERSION: &str = \"3.14-{:012x}\";", hash.finish() >> 16);
    std::fs::write(out.join("library.bin"), blob)?;
    std::fs::write(out.join("index.rs"), index)
}
