//! What passes over a connection in plain text, for programs that watch the protocol: headers of records, and the messages of
//! handshakes until encryption begins.

/// A message that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub is_write: bool,
    pub version: u16,
    /// As in a record; 0x100 for its header.
    pub content: u16,
    pub kind: u16,
    pub data: Vec<u8>,
}

const HEADER: u16 = 0x100;
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// What the change of ciphers is called among messages.
const CHANGE: u16 = 0x101;

/// One direction of a connection.
#[derive(Default)]
pub struct Watch {
    encrypted: bool,
    /// A message of which more records bring the rest.
    begun: Vec<u8>,
    /// Bytes of a record that is not whole yet.
    partial: Vec<u8>,
}

impl Watch {
    /// Takes bytes that pass. `version` is that of the connection, if it is known.
    pub fn pass(&mut self, is_write: bool, version: Option<u16>, bytes: &[u8], out: &mut Vec<Message>) {
        self.partial.extend_from_slice(bytes);
        while let Some(length) = self.partial.get(3..5).map(|b| usize::from(u16::from_be_bytes([b[0], b[1]])))
        {
            if self.partial.len() < 5 + length {
                break;
            }
            let rest = self.partial.split_off(5 + length);
            let record = std::mem::replace(&mut self.partial, rest);
            self.record(is_write, version, &record, out);
        }
    }

    fn record(&mut self, is_write: bool, version: Option<u16>, record: &[u8], out: &mut Vec<Message>) {
        let (header, body) = record.split_at(5);
        let on_wire = u16::from_be_bytes([header[1], header[2]]);
        let mut message = |version: u16, content: u16, kind: u16, data: &[u8]| {
            out.push(Message { is_write, version, content, kind, data: data.to_vec() });
        };
        message(on_wire, HEADER, header[0].into(), header);
        let version = version.unwrap_or(on_wire);
        match header[0] {
            CHANGE_CIPHER_SPEC => {
                message(version, CHANGE_CIPHER_SPEC.into(), CHANGE, body);
                self.encrypted = true;
            }
            ALERT if !self.encrypted && body.len() == 2 => {
                message(version, ALERT.into(), body[1].into(), body);
            }
            HANDSHAKE if !self.encrypted => {
                self.begun.extend_from_slice(body);
                while let Some(&[kind, a, b, c]) = self.begun.first_chunk() {
                    let length = 4 + (usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c));
                    if self.begun.len() < length {
                        break;
                    }
                    let rest = self.begun.split_off(length);
                    message(version, HANDSHAKE.into(), kind.into(), &self.begun);
                    self.begun = rest;
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_two_records() {
        let (mut watch, mut out) = (Watch::default(), Vec::new());
        watch.pass(false, Some(0x303), &[22, 3, 3, 0, 4, 2, 0, 0, 2, 22, 3, 3, 0], &mut out);
        assert_eq!(out.len(), 1);
        watch.pass(false, Some(0x303), &[2, 7, 8, 20, 3, 3, 0, 1, 1, 22, 3, 3, 0, 1, 9], &mut out);
        let kinds: Vec<_> = out.iter().map(|m| (m.content, m.kind)).collect();
        assert_eq!(kinds, [(0x100, 22), (0x100, 22), (22, 2), (0x100, 20), (20, 0x101), (0x100, 22)]);
        assert_eq!(out[2].data, [2, 0, 0, 2, 7, 8]);
    }
}
