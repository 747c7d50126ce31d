//! The decoded source text and its lines.

use crate::errors::{ErrorKind, SyntaxError};
use ruff_text_size::{TextRange, TextSize};
use skein_bytecode::{Const, Position};

/// Of a tree that a program made there is no text: see [`Source::of_places`].
#[derive(Default)]
pub struct Source {
    pub text: String,
    line_starts: Vec<u32>,
    /// Line and column of each offset, where there is no text.
    places: Vec<(u32, u32)>,
    /// Constants that no literal stands for.
    constants: Vec<Const>,
    /// Texts of interpolations, in the order of their offsets.
    texts: Vec<(u32, Const)>,
    /// Positions say lines only.
    pub lines_only: bool,
    /// See [`crate::Options`].
    pub barry: bool,
    /// See [`crate::Options`].
    pub max_int_digits: Option<usize>,
}

impl Source {
    pub fn new(text: String) -> Source {
        let bytes = text.as_bytes();
        let mut line_starts = vec![0];
        for (i, &b) in bytes.iter().enumerate() {
            if b == b'\n' || b == b'\r' && bytes.get(i + 1) != Some(&b'\n') {
                line_starts.push(i as u32 + 1);
            }
        }
        Source { text, line_starts, ..Source::default() }
    }

    /// No text, but the places that offsets stand for, and what else a tree has and text would tell.
    pub fn of_places(places: Vec<(u32, u32)>, constants: Vec<Const>, texts: Vec<(u32, Const)>) -> Source {
        Source { places, constants, texts, ..Source::default() }
    }

    /// Is there source text?
    pub fn has_text(&self) -> bool {
        self.places.is_empty()
    }

    /// The text behind an offset; none where there is no text.
    pub fn rest(&self, offset: TextSize) -> &str {
        if self.has_text() { &self.text[offset.to_usize()..] } else { "" }
    }

    /// The constant that a node names by its number.
    pub fn constant(&self, number: &str) -> Option<&Const> {
        self.constants.get(number.parse::<usize>().ok()?)
    }

    /// The text of the interpolation that begins at an offset.
    pub fn interpolation(&self, offset: TextSize) -> Option<&Const> {
        let i = self.texts.binary_search_by_key(&offset.to_u32(), |t| t.0).ok()?;
        Some(&self.texts[i].1)
    }

    /// Line (from 1) and byte column (from 0) of an offset.
    pub fn locate(&self, offset: u32) -> (u32, u32) {
        if !self.has_text() {
            return self.places.get(offset as usize).copied().unwrap_or_default();
        }
        let line = self.line_starts.partition_point(|&s| s <= offset);
        (line as u32, offset - self.line_starts[line - 1])
    }

    pub fn line_of(&self, offset: u32) -> u32 {
        self.locate(offset).0
    }

    /// Text of a line, its line end included.
    pub fn line_text(&self, line: u32) -> &str {
        if line == 0 {
            return "";
        }
        let start = self.line_starts.get(line as usize - 1).map_or(self.text.len(), |&s| s as usize);
        let end = self.line_starts.get(line as usize).map_or(self.text.len(), |&s| s as usize);
        &self.text[start..end]
    }

    /// Character column (from 1) of an offset.
    pub fn char_col(&self, offset: u32) -> u32 {
        let (line, col) = self.locate(offset);
        if !self.has_text() {
            return col.wrapping_add(1);
        }
        let text = self.line_text(line);
        let col = (col as usize).min(text.len());
        text.as_bytes()[..col].iter().filter(|&&b| b & 0xc0 != 0x80).count() as u32 + 1
    }

    pub fn position(&self, range: TextRange) -> Position {
        if range.start().to_u32() == u32::MAX {
            return Position::NONE;
        }
        let (line, col) = self.locate(range.start().to_u32());
        if self.lines_only {
            return Position { line, end_line: line, col: u32::MAX, end_col: u32::MAX };
        }
        let (end_line, end_col) = self.locate(range.end().to_u32());
        Position { line, end_line, col, end_col }
    }
}

/// Text of a source file, with plain line ends: honours a byte order mark and a coding cookie unless it is `decoded`
/// already.
pub fn decode(bytes: &[u8], decoded: bool) -> Result<String, Box<SyntaxError>> {
    let text = decode_bytes(bytes, decoded)?;
    if !text.contains('\r') {
        return Ok(text);
    }
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn decode_bytes(bytes: &[u8], decoded: bool) -> Result<String, Box<SyntaxError>> {
    if decoded {
        return utf8(bytes, true);
    }
    let (bytes, bom) = match bytes.strip_prefix(BOM) {
        Some(rest) => (rest, true),
        None => (bytes, false),
    };
    let error = |message: String| Box::new(SyntaxError::bare(ErrorKind::Syntax, message));
    let cookie = coding_cookie(bytes);
    match cookie.as_deref().map(normalize).as_deref() {
        None => utf8(bytes, true),
        // Other names of it are looked up as those of any encoding are.
        Some("utf-8") => utf8(bytes, cookie.as_deref().is_none_or(is_utf8_itself)),
        Some(other) if bom => {
            let mut e = error(format!("encoding problem: {other} with BOM"));
            let says = |line: &&[u8]| line.windows(6).any(|w| w == b"coding");
            let mut lines = bytes.split(|&b| b == b'\n').zip(1u32..);
            if let Some((line, number)) = lines.find(|(line, _)| says(line)) {
                e.line = number;
                e.text = Some(String::from_utf8_lossy(line).into_owned());
            }
            Err(e)
        }
        Some("iso-8859-1") => Ok(bytes.iter().map(|&b| b as char).collect()),
        Some("ascii") => match bytes.iter().position(|&b| b >= 0x80) {
            None => utf8(bytes, true),
            Some(i) => Err(error(format!(
                "'ascii' codec can't decode byte 0x{:02x} in position {i}: ordinal not in range(128)",
                bytes[i]
            ))),
        },
        Some(other) => Err(error(format!("unknown encoding: {other}"))),
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

fn is_utf8_itself(name: &str) -> bool {
    let name = name.replace('_', "-").to_ascii_lowercase();
    name == "utf-8" || name.starts_with("utf-8-")
}

/// The encoding that a source declares, if it is none of those that [`decode`] knows.
pub fn foreign_encoding(bytes: &[u8]) -> Option<String> {
    if bytes.starts_with(BOM) {
        return None;
    }
    coding_cookie(bytes).filter(|c| !matches!(&*normalize(c), "utf-8" | "iso-8859-1" | "ascii"))
}

fn normalize(name: &str) -> String {
    let n: String =
        name.chars().take(12).map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect();
    let is = |base: &str| n == base || n.starts_with(&format!("{base}-"));
    if is("utf-8") || n == "utf8" || n == "u8" || n == "utf" || n == "cp65001" {
        "utf-8".into()
    } else if ["latin-1", "iso-8859-1", "iso-latin-1"].into_iter().any(is)
        || ["latin1", "latin", "l1", "iso8859-1", "8859", "cp819"].contains(&n.as_str())
    {
        "iso-8859-1".into()
    } else if ["ascii", "us-ascii", "646"].contains(&n.as_str()) {
        "ascii".into()
    } else {
        name.into()
    }
}

/// The encoding that a comment on one of the first two lines names (PEP 263).
fn coding_cookie(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|&b| b == b'\n').take(2) {
        let trimmed = line.trim_ascii_start();
        if !trimmed.starts_with(b"#") {
            if trimmed.is_empty() {
                continue;
            }
            return None;
        }
        let Some(at) = trimmed.windows(6).position(|w| w == b"coding") else { continue };
        let rest = &trimmed[at + 6..];
        let Some(rest) = rest.strip_prefix(b":").or(rest.strip_prefix(b"=")) else { continue };
        let rest = rest.trim_ascii_start();
        let end = rest
            .iter()
            .position(|&b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')))
            .unwrap_or(rest.len());
        if end > 0 {
            return Some(String::from_utf8_lossy(&rest[..end]).into_owned());
        }
    }
    None
}

/// `undeclared`: the source names no encoding.
fn utf8(bytes: &[u8], undeclared: bool) -> Result<String, Box<SyntaxError>> {
    let e = match std::str::from_utf8(bytes) {
        Ok(s) => return Ok(s.to_string()),
        Err(e) => e,
    };
    let at = e.valid_up_to();
    let byte = bytes[at];
    if !undeclared {
        let reason = match (e.error_len(), byte) {
            (None, _) => "unexpected end of data",
            (_, 0x80..=0xc1 | 0xf5..) => "invalid start byte",
            _ => "invalid continuation byte",
        };
        let text = format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: {reason}");
        return Err(Box::new(SyntaxError::bare(ErrorKind::Syntax, text)));
    }
    let line_start = bytes[..at].iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    let line_end = bytes[at..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |i| at + i);
    let line = bytes[..at].iter().filter(|&&b| b == b'\n').count() as u32 + 1;
    let mut error = SyntaxError::bare(
        ErrorKind::Syntax,
        format!(
            "Non-UTF-8 code starting with '\\x{byte:02x}' on line {line}, but no encoding declared; \
             see https://peps.python.org/pep-0263/ for details"
        ),
    );
    error.line = line;
    error.end_line = error.line;
    error.col = String::from_utf8_lossy(&bytes[line_start..at]).chars().count() as u32 + 1;
    error.end_col = error.col;
    error.text = Some(String::from_utf8_lossy(&bytes[line_start..line_end]).into_owned());
    Err(Box::new(error))
}
