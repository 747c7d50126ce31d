//! Text files with blocks between `-----BEGIN …-----` and `-----END …-----`.

/// One block of such a file.
pub struct Block {
    pub label: String,
    /// Lines such as `DEK-Info: …` before the data.
    pub headers: Vec<(String, String)>,
    pub data: Vec<u8>,
}

/// Why a file has no more blocks that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPem {
    /// A block has no end, or its data is not base 64.
    Malformed,
}

/// The blocks of a text, in order; text around them is passed over.
pub fn blocks(text: &[u8]) -> Result<Vec<Block>, BadPem> {
    let mut found = Vec::new();
    let mut lines = text.split(|&b| b == b'\n').map(|line| line.trim_ascii());
    while let Some(line) = lines.next() {
        let Some(label) = delimited(line, b"-----BEGIN ") else { continue };
        let mut headers = Vec::new();
        let mut digits = Vec::new();
        loop {
            let line = lines.next().ok_or(BadPem::Malformed)?;
            if let Some(end) = delimited(line, b"-----END ") {
                if end != label {
                    return Err(BadPem::Malformed);
                }
                break;
            }
            match line.iter().position(|&b| b == b':') {
                Some(at) => headers.push((
                    String::from_utf8_lossy(&line[..at]).into_owned(),
                    String::from_utf8_lossy(line[at + 1..].trim_ascii()).into_owned(),
                )),
                None => digits.extend_from_slice(line),
            }
        }
        let data = base64(&digits).ok_or(BadPem::Malformed)?;
        found.push(Block { label: String::from_utf8_lossy(label).into_owned(), headers, data });
    }
    Ok(found)
}

/// What stands between `start` and five dashes.
fn delimited<'a>(line: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(start)?.strip_suffix(b"-----")
}

fn digit(b: u8) -> Option<u32> {
    Some(u32::from(match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// The bytes of digits of base 64, whose padding must be right.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    // bounded: by the size of the file.
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for (i, group) in text.chunks_exact(4).enumerate() {
        let padding = group.iter().rev().take_while(|&&b| b == b'=').count();
        if padding > 2 || (padding > 0 && (i + 1) * 4 != text.len()) {
            return None;
        }
        let mut word = 0;
        for &b in &group[..4 - padding] {
            word = word << 6 | digit(b)?;
        }
        word <<= 6 * padding;
        out.extend_from_slice(&word.to_be_bytes()[1..4 - padding]);
    }
    Some(out)
}

/// A block's text, with lines of 64 digits.
pub fn encode(label: &str, data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in data.chunks(48) {
        for group in line.chunks(3) {
            let byte = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
            let word = byte(0) << 16 | byte(1) << 8 | byte(2);
            for i in 0..4 {
                let digit = DIGITS[(word >> (18 - 6 * i) & 63) as usize];
                out.push(if i <= group.len() { char::from(digit) } else { '=' });
            }
        }
        out.push('\n');
    }
    out + &format!("-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_comes_back() {
        for n in 0..200 {
            let data: Vec<u8> = (0..n).map(|i| (i * 7) as u8).collect();
            let found = blocks(encode("THING", &data).as_bytes()).unwrap();
            assert_eq!((found.len(), &found[0].label[..], &found[0].data), (1, "THING", &data));
        }
    }

    #[test]
    fn headers_and_faults() {
        let text = b"junk\n-----BEGIN A-----\nX: y\n\nAAA=\n-----END A-----\nmore";
        let found = blocks(text).unwrap();
        assert_eq!((&found[0].headers[0].1[..], &found[0].data[..]), ("y", &[0u8, 0][..]));
        for bad in [
            "-----BEGIN A-----\nAAA=",
            "-----BEGIN A-----\nA=A=\n-----END A-----",
            "-----BEGIN A-----\nAAA\n-----END A-----",
            "-----BEGIN A-----\nAA==AAAA\n-----END A-----",
            "-----BEGIN A-----\nAAAA\n-----END B-----",
        ] {
            assert!(blocks(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
