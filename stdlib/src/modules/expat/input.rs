//! Bytes of a document to UTF-8, whatever they are in.

use super::codes;
use super::parser::{Fault, Out};
use skein_runtime::types::str::Str;
use skein_runtime::{Value, Vm};

/// How the bytes are to be read.
enum Encoding {
    Utf8,
    Latin1,
    Ascii,
    Utf16 {
        big: bool,
    },
    /// One character per byte; None: no character.
    Table(Box<[Option<char>; 256]>),
}

/// Turns bytes into text, piece by piece.
#[derive(Default)]
pub struct Input {
    encoding: Option<Encoding>,
    /// What the program said, which goes before what the document says.
    pub said: Option<String>,
    /// Bytes that are not a whole character, or not enough to tell the encoding.
    held: Vec<u8>,
    /// Behind the text there is something that is none.
    pub bad: bool,
}

impl Input {
    pub fn new(said: Option<String>) -> Input {
        Input { said, ..Input::default() }
    }

    /// Adds bytes to the text. Unknown encodings.
    pub fn feed(&mut self, vm: &Vm, bytes: &[u8], last: bool, text: &mut Vec<u8>) -> Out<()> {
        if self.bad {
            return Ok(());
        }
        self.held.extend_from_slice(bytes);
        if self.encoding.is_none() && !self.detect(vm, last)? {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        let done = match self.encoding.as_ref() {
            Some(Encoding::Utf8) | None => match std::str::from_utf8(&held) {
                Ok(s) => {
                    text.extend_from_slice(s.as_bytes());
                    held.len()
                }
                Err(e) => {
                    text.extend_from_slice(&held[..e.valid_up_to()]);
                    self.bad = e.error_len().is_some() || last;
                    e.valid_up_to()
                }
            },
            Some(Encoding::Utf16 { big }) => self.feed_utf16(*big, &held, last, text),
            Some(single) => {
                let mut n = 0;
                for &b in &held {
                    let c = match single {
                        Encoding::Ascii => b.is_ascii().then_some(char::from(b)),
                        Encoding::Table(t) => t[usize::from(b)],
                        _ => Some(char::from(b)),
                    };
                    let Some(c) = c else {
                        self.bad = true;
                        break;
                    };
                    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    n += 1;
                }
                n
            }
        };
        self.held = held[done..].to_vec();
        Ok(())
    }

    fn feed_utf16(&self, big: bool, held: &[u8], last: bool, text: &mut Vec<u8>) -> usize {
        let unit = |i: usize| {
            let pair = [held[i], held[i + 1]];
            if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
        };
        let mut at = 0;
        while at + 1 < held.len() {
            let first = unit(at);
            let mut n = 2;
            let c = match first {
                0xd800..=0xdbff if at + 3 < held.len() => {
                    n = 4;
                    char::decode_utf16([first, unit(at + 2)]).next().and_then(Result::ok)
                }
                0xd800..=0xdbff if !last => break,
                _ => char::from_u32(first.into()),
            };
            text.extend_from_slice(c.unwrap_or('\u{fffe}').encode_utf8(&mut [0; 4]).as_bytes());
            at += n;
        }
        at
    }

    /// Finds out the encoding by the first bytes. False: more are wanted.
    fn detect(&mut self, vm: &Vm, last: bool) -> Out<bool> {
        let b = &self.held;
        if b.len() < 4 && !last {
            return Ok(false);
        }
        let (skip, found) = match b[..] {
            [0xef, 0xbb, 0xbf, ..] => (3, Some(Encoding::Utf8)),
            [0xff, 0xfe, ..] => (2, Some(Encoding::Utf16 { big: false })),
            [0xfe, 0xff, ..] => (2, Some(Encoding::Utf16 { big: true })),
            [b'<', 0, ..] => (0, Some(Encoding::Utf16 { big: false })),
            [0, b'<', ..] => (0, Some(Encoding::Utf16 { big: true })),
            _ => (0, None),
        };
        if let Some(said) = self.said.clone() {
            let by_mark = matches!(found, Some(Encoding::Utf16 { .. }))
                && said.to_ascii_lowercase().starts_with("utf-16");
            self.held.drain(..if by_mark || said.eq_ignore_ascii_case("utf-8") { skip } else { 0 });
            self.encoding = if by_mark { found } else { Some(by_name(vm, &said)?) };
            return Ok(true);
        }
        if found.is_some() {
            self.held.drain(..skip);
            self.encoding = found;
            return Ok(true);
        }
        if !b.starts_with(b"<?xml") {
            self.encoding = Some(Encoding::Utf8);
            return Ok(true);
        }
        let Some(end) = b.windows(2).position(|w| w == b"?>") else {
            if last || b.len() > 4096 {
                self.encoding = Some(Encoding::Utf8);
            }
            return Ok(self.encoding.is_some());
        };
        let declaration = String::from_utf8_lossy(&b[..end]).into_owned();
        self.encoding = Some(match declared(&declaration) {
            Some(name) => by_name(vm, name)?,
            None => Encoding::Utf8,
        });
        Ok(true)
    }
}

/// The encoding that a declaration names.
fn declared(declaration: &str) -> Option<&str> {
    let rest = &declaration[declaration.find("encoding")? + 8..];
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let rest = &rest[1..];
    rest.find(quote).map(|end| &rest[..end])
}

fn by_name(vm: &Vm, name: &str) -> Out<Encoding> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => Encoding::Utf8,
        "iso-8859-1" | "latin-1" => Encoding::Latin1,
        "us-ascii" => Encoding::Ascii,
        // What was read so far is no UTF-16.
        "utf-16" | "utf-16le" | "utf-16be" => return Err(Fault::Code(codes::PARTIAL_CHAR)),
        _ => {
            let all: Vec<u8> = (0..=255).collect();
            let b = vm.bytes(&all)?;
            let s = vm.call_method(b, "decode", &[vm.str(name)?, vm.str("replace")?])?;
            let chars: Vec<u32> = s.cast::<Str>().map(|s| s.code_points().collect()).unwrap_or_default();
            if chars.len() != 256 {
                return Err(vm.value_error("multi-byte encodings are not supported").into());
            }
            let mut table = Box::new([None; 256]);
            for (slot, c) in table.iter_mut().zip(chars) {
                *slot = char::from_u32(c).filter(|c| *c != '\u{fffd}');
            }
            Encoding::Table(table)
        }
    })
}

/// Is it text, which says itself that it is UTF-8?
pub fn text_or_bytes(vm: &Vm, data: Value) -> skein_runtime::R<(Vec<u8>, bool)> {
    match data.cast::<Str>() {
        Some(s) => Ok((skein_builtins::types::codecs::utf8(vm, s)?, true)),
        None => Ok((super::super::support::bytes_of(vm, data)?, false)),
    }
}
