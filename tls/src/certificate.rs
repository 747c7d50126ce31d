//! Certificates: what they say, for the verifier and for Python programs.

use crate::objects;
use std::net::{Ipv4Addr, Ipv6Addr};
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::X509Name;

/// A certificate that could be read.
#[derive(PartialEq, Eq, Hash)]
pub struct Certificate {
    der: Vec<u8>,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    /// Of the kind that may sign others.
    is_ca: bool,
}

/// A name's parts: groups of attributes, each with its long name and its value.
pub type Name = Vec<Vec<(String, String)>>;

/// An alternative name of a subject: its kind, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AltName {
    Text(&'static str, String),
    Directory(Name),
}

/// What `getpeercert()` shows.
#[derive(Debug)]
pub struct Info {
    pub subject: Name,
    pub issuer: Name,
    pub version: u32,
    pub serial: String,
    pub not_before: String,
    pub not_after: String,
    pub alt_names: Vec<AltName>,
    pub ocsp: Vec<String>,
    pub ca_issuers: Vec<String>,
    pub crl_points: Vec<String>,
}

/// Of text in any of ASN.1's string types, by its tag.
fn text_of(tag: u32, bytes: &[u8]) -> String {
    match tag {
        // BMPString and UniversalString
        30 => char::decode_utf16(bytes.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])))
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
        28 => bytes
            .chunks_exact(4)
            .map(|b| char::from_u32(u32::from_be_bytes([b[0], b[1], b[2], b[3]])))
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
        // TeletexString, taken for Latin 1 as everybody does
        20 => bytes.iter().map(|&b| char::from(b)).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn name_of(name: &X509Name<'_>) -> Name {
    name.iter()
        .map(|group| {
            group
                .iter()
                .map(|a| {
                    let oid = a.attr_type().to_id_string();
                    let value = text_of(a.attr_value().tag().0, a.attr_value().data);
                    (objects::by_oid(&oid).map_or(oid, |o| o.long.into()), value)
                })
                .collect()
        })
        .collect()
}

/// A name in a form in which equal names are equal: letters' case, spaces and string types do not count.
pub(crate) fn canonical(name: &X509Name<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for group in name.iter() {
        let mut parts: Vec<(String, String)> = group
            .iter()
            .map(|a| {
                let text = text_of(a.attr_value().tag().0, a.attr_value().data).to_lowercase();
                let words: Vec<&str> = text.split_ascii_whitespace().collect();
                (a.attr_type().to_id_string(), words.join(" "))
            })
            .collect();
        parts.sort();
        for (oid, text) in parts {
            out.extend_from_slice(oid.as_bytes());
            out.push(b'=');
            out.extend_from_slice(&(text.len() as u32).to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        out.push(0);
    }
    out
}

/// `Jan  5 09:34:43 2018 GMT`.
fn date(seconds: i64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // From days since 1970 to the date, with years that begin in March.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 2 } else { shifted - 10 };
    let year = year_of_era + era * 400 + i64::from(month < 2);
    format!(
        "{} {day:2} {:02}:{:02}:{:02} {year} GMT",
        MONTHS[month as usize],
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// The bytes of an IP address as OpenSSL writes them.
fn ip_text(bytes: &[u8]) -> String {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Ipv4Addr::from(four).to_string();
    }
    match <[u8; 16]>::try_from(bytes) {
        Ok(sixteen) => {
            let parts = Ipv6Addr::from(sixteen).segments();
            parts.map(|part| format!("{part:X}")).join(":")
        }
        Err(_) => "<invalid>".into(),
    }
}

fn alt_name(name: &GeneralName<'_>) -> AltName {
    let text = |kind, text: &str| AltName::Text(kind, text.into());
    match name {
        GeneralName::OtherName(..) => text("othername", "<unsupported>"),
        GeneralName::RFC822Name(s) => text("email", s),
        GeneralName::DNSName(s) => text("DNS", s),
        GeneralName::X400Address(_) => text("X400Name", "<unsupported>"),
        GeneralName::DirectoryName(name) => AltName::Directory(name_of(name)),
        GeneralName::EDIPartyName(_) => text("EdiPartyName", "<unsupported>"),
        GeneralName::URI(s) => text("URI", s),
        GeneralName::IPAddress(bytes) => AltName::Text("IP Address", ip_text(bytes)),
        GeneralName::RegisteredID(oid) => AltName::Text("Registered ID", oid.to_id_string()),
        GeneralName::Invalid(tag, bytes) => {
            let kind = match tag.0 {
                1 => "email",
                2 => "DNS",
                6 => "URI",
                _ => return text("othername", "<unsupported>"),
            };
            AltName::Text(kind, String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

impl Certificate {
    /// The certificate that these bytes begin with, and what comes after it.
    pub fn first(der: &[u8]) -> Option<(Certificate, &[u8])> {
        let (rest, x) = X509Certificate::from_der(der).ok()?;
        let certificate = Certificate {
            subject: canonical(x.subject()),
            issuer: canonical(x.issuer()),
            is_ca: may_sign(&x),
            der: der[..der.len() - rest.len()].to_vec(),
        };
        Some((certificate, rest))
    }

    /// Of just these bytes.
    pub fn new(der: &[u8]) -> Option<Certificate> {
        Certificate::first(der).filter(|(_, rest)| rest.is_empty()).map(|(certificate, _)| certificate)
    }

    pub fn der(&self) -> &[u8] {
        &self.der
    }

    pub fn is_ca(&self) -> bool {
        self.is_ca
    }

    /// Subject and issuer in a form that can be compared.
    pub(crate) fn subject_key(&self) -> &[u8] {
        &self.subject
    }
    pub(crate) fn issuer_key(&self) -> &[u8] {
        &self.issuer
    }
    pub(crate) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    pub(crate) fn parsed(&self) -> X509Certificate<'_> {
        match X509Certificate::from_der(&self.der) {
            Ok((_, x)) => x,
            Err(_) => unreachable!("it was read when it was made"),
        }
    }

    /// Its public key, with the algorithm.
    pub fn public_key(&self) -> Vec<u8> {
        self.parsed().public_key().raw.to_vec()
    }

    /// The subject in one line, as `CN=localhost,O=…` from the innermost part on.
    pub fn subject_text(&self) -> String {
        let x = self.parsed();
        let groups: Vec<String> = x
            .subject()
            .iter()
            .map(|group| {
                let parts: Vec<String> = group
                    .iter()
                    .map(|a| {
                        let oid = a.attr_type().to_id_string();
                        let name = objects::by_oid(&oid).map_or(oid, |o| o.short.into());
                        format!("{name}={}", text_of(a.attr_value().tag().0, a.attr_value().data))
                    })
                    .collect();
                parts.join("+")
            })
            .collect();
        groups.into_iter().rev().collect::<Vec<_>>().join(",")
    }

    /// What it says.
    pub fn info(&self) -> Info {
        let x = self.parsed();
        let digits: String = x.tbs_certificate.raw_serial().iter().map(|b| format!("{b:02X}")).collect();
        let significant = digits.trim_start_matches("00");
        let mut info = Info {
            subject: name_of(x.subject()),
            issuer: name_of(x.issuer()),
            version: x.version().0 + 1,
            serial: if significant.is_empty() { "00".into() } else { significant.into() },
            not_before: date(x.validity().not_before.timestamp()),
            not_after: date(x.validity().not_after.timestamp()),
            alt_names: Vec::new(),
            ocsp: Vec::new(),
            ca_issuers: Vec::new(),
            crl_points: Vec::new(),
        };
        for extension in x.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => {
                    info.alt_names.extend(names.general_names.iter().map(alt_name));
                }
                ParsedExtension::AuthorityInfoAccess(access) => {
                    for entry in &access.accessdescs {
                        let GeneralName::URI(uri) = entry.access_location else { continue };
                        match &entry.access_method.to_id_string()[..] {
                            "1.3.6.1.5.5.7.48.1" => info.ocsp.push(uri.into()),
                            "1.3.6.1.5.5.7.48.2" => info.ca_issuers.push(uri.into()),
                            _ => {}
                        }
                    }
                }
                ParsedExtension::CRLDistributionPoints(points) => {
                    for point in &points.points {
                        let Some(DistributionPointName::FullName(names)) = &point.distribution_point else {
                            continue;
                        };
                        for name in names {
                            if let GeneralName::URI(uri) = name {
                                info.crl_points.push((*uri).into());
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        info
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({})", self.subject_text())
    }
}

/// Is it one whose key may sign certificates?
pub(crate) fn may_sign(x: &X509Certificate<'_>) -> bool {
    let signs = match x.key_usage() {
        Ok(Some(usage)) => usage.value.key_cert_sign(),
        Ok(None) => true,
        Err(_) => false,
    };
    if !signs {
        return false;
    }
    match x.basic_constraints() {
        Ok(Some(constraints)) => constraints.value.ca,
        // Roots of the time before extensions.
        Ok(None) => x.version().0 == 0 && x.subject().as_raw() == x.issuer().as_raw(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date(0), "Jan  1 00:00:00 1970 GMT");
        assert_eq!(date(1_515_144_883), "Jan  5 09:34:43 2018 GMT");
        assert_eq!(date(951_827_696), "Feb 29 12:34:56 2000 GMT");
        assert_eq!(date(253_402_300_799), "Dec 31 23:59:59 9999 GMT");
    }

    #[test]
    fn addresses() {
        assert_eq!(ip_text(&[127, 0, 0, 1]), "127.0.0.1");
        assert_eq!(ip_text(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), "0:0:0:0:0:0:0:1");
        assert_eq!(ip_text(&[1, 2]), "<invalid>");
    }
}
