//! What a context trusts: certificates, lists of revoked ones, and folders with more of both.

use crate::certificate::{Certificate, canonical};
use crate::faults::Fault;
use crate::pem;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

/// A list of revoked certificates that could be read.
pub struct RevocationList {
    der: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
}

impl RevocationList {
    fn new(der: Vec<u8>) -> Option<RevocationList> {
        let (_, list) = CertificateRevocationList::from_der(&der).ok()?;
        let issuer = canonical(list.issuer());
        Some(RevocationList { der, issuer })
    }

    pub(crate) fn parsed(&self) -> CertificateRevocationList<'_> {
        match CertificateRevocationList::from_der(&self.der) {
            Ok((_, list)) => list,
            Err(_) => unreachable!("it was read when it was made"),
        }
    }
}

/// Numbers of a store: all certificates, those that may sign, lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub certificates: usize,
    pub authorities: usize,
    pub lists: usize,
}

#[derive(Default)]
pub struct Store {
    /// In the order in which they were added.
    certificates: Vec<Arc<Certificate>>,
    by_subject: HashMap<Vec<u8>, Vec<usize>>,
    lists: Vec<Arc<RevocationList>>,
    /// Folders that have not been looked into yet: they are when something is looked for.
    folders: Vec<PathBuf>,
    /// What was found in folders; it counts as loaded once it was looked for.
    found: Vec<Arc<Certificate>>,
}

impl Store {
    pub fn add(&mut self, certificate: Certificate) {
        let with_subject = self.by_subject.entry(certificate.subject_key().to_vec()).or_default();
        if with_subject.iter().any(|&i| *self.certificates[i] == certificate) {
            return;
        }
        with_subject.push(self.certificates.len());
        self.certificates.push(Arc::new(certificate));
    }

    pub fn certificates(&self) -> &[Arc<Certificate>] {
        &self.certificates
    }

    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.folders.is_empty() && self.found.is_empty()
    }

    pub fn counts(&self) -> Counts {
        Counts {
            certificates: self.certificates.len(),
            authorities: self.certificates.iter().filter(|c| c.is_ca()).count(),
            lists: self.lists.len(),
        }
    }

    /// Adds what a file's text has: certificates and lists of revoked ones.
    pub fn add_file(&mut self, text: &[u8]) -> Result<(), Fault> {
        let mut count = 0;
        for block in pem::blocks(text).map_err(|_| Fault::pem("X509"))? {
            match &block.label[..] {
                "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                    // A trusted one has more behind it, which says for what.
                    let (certificate, _) =
                        Certificate::first(&block.data).ok_or_else(|| Fault::pem("X509"))?;
                    self.add(certificate);
                }
                "X509 CRL" => {
                    let list = RevocationList::new(block.data).ok_or_else(|| Fault::pem("X509"))?;
                    self.lists.push(Arc::new(list));
                }
                _ => continue,
            }
            count += 1;
        }
        if count == 0 { Err(Fault::new("X509", "NO_CERTIFICATE_OR_CRL_FOUND")) } else { Ok(()) }
    }

    /// Adds certificates that are given as text.
    pub fn add_text(&mut self, text: &str) -> Result<(), Fault> {
        let mut found = Vec::new();
        for block in pem::blocks(text.as_bytes()).map_err(|_| Fault::pem("X509"))? {
            if block.label.ends_with("CERTIFICATE") {
                found.push(Certificate::first(&block.data).ok_or_else(|| Fault::pem("X509"))?.0);
            }
        }
        if found.is_empty() {
            return Err(missing("no start line"));
        }
        found.into_iter().for_each(|certificate| self.add(certificate));
        Ok(())
    }

    /// Adds certificates that follow each other as bytes.
    pub fn add_der(&mut self, mut der: &[u8]) -> Result<(), Fault> {
        let mut found = Vec::new();
        while !der.is_empty() {
            match Certificate::first(der) {
                Some((certificate, rest)) => {
                    found.push(certificate);
                    der = rest;
                }
                None if found.is_empty() => return Err(missing("not enough data")),
                None => return Err(Fault::new("ASN1", "NOT_ENOUGH_DATA")),
            }
        }
        if found.is_empty() {
            return Err(missing("not enough data"));
        }
        found.into_iter().for_each(|certificate| self.add(certificate));
        Ok(())
    }

    /// A folder whose files are named by a hash and a number.
    pub fn add_folder(&mut self, path: &Path) {
        self.folders.push(path.into());
    }

    /// Reads the folders, if there are some that were not.
    pub(crate) fn look_into_folders(&mut self) {
        for folder in std::mem::take(&mut self.folders) {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            let mut paths: Vec<PathBuf> =
                entries.flatten().map(|entry| entry.path()).filter(|path| is_hashed_name(path)).collect();
            paths.sort();
            for path in paths {
                let Ok(text) = std::fs::read(&path) else { continue };
                let Ok(blocks) = pem::blocks(&text) else { continue };
                for block in blocks {
                    if block.label == "X509 CRL" {
                        self.lists.extend(RevocationList::new(block.data).map(Arc::new));
                    } else if let Some((certificate, _)) = Certificate::first(&block.data)
                        && !self.found.iter().any(|known| **known == certificate)
                    {
                        self.found.push(Arc::new(certificate));
                    }
                }
            }
        }
    }

    /// Trusted certificates with this subject. [`Store::look_into_folders`] comes first.
    pub(crate) fn with_subject(&mut self, subject: &[u8]) -> Vec<Arc<Certificate>> {
        for certificate in self.found.extract_if(.., |c| c.subject_key() == subject) {
            let with_subject = self.by_subject.entry(subject.to_vec()).or_default();
            if !with_subject.iter().any(|&i| self.certificates[i] == certificate) {
                with_subject.push(self.certificates.len());
                self.certificates.push(certificate);
            }
        }
        self.by_subject.get(subject).into_iter().flatten().map(|&i| self.certificates[i].clone()).collect()
    }

    pub(crate) fn contains(&mut self, certificate: &Certificate) -> bool {
        self.with_subject(certificate.subject_key()).iter().any(|known| **known == *certificate)
    }

    pub(crate) fn lists_of<'a>(&'a self, issuer: &'a [u8]) -> impl Iterator<Item = &'a Arc<RevocationList>> {
        self.lists.iter().filter(move |list| list.issuer == issuer)
    }
}

fn missing(what: &str) -> Fault {
    let text = format!("{what}: cadata does not contain a certificate");
    Fault { library: "", reason: None, text, verify: None }
}

/// `0a1b2c3d.0`, or `.r0` for lists.
fn is_hashed_name(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let Some((hash, number)) = name.split_once('.') else { return false };
    let number = number.strip_prefix('r').unwrap_or(number);
    hash.len() == 8
        && hash.bytes().all(|b| b.is_ascii_hexdigit())
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_folders() {
        for (name, is) in
            [("5ed36f99.0", true), ("5ed36f99.r12", true), ("a.pem", false), ("5ed36f9.0", false)]
        {
            assert_eq!(is_hashed_name(Path::new(name)), is, "{name}");
        }
    }

    #[test]
    fn what_is_no_certificate() {
        let mut store = Store::default();
        assert!(store.add_text("broken").unwrap_err().text.starts_with("no start line"));
        assert!(store.add_der(b"broken").unwrap_err().text.starts_with("not enough data"));
        assert_eq!(store.add_file(b"").unwrap_err().reason.as_deref(), Some("NO_CERTIFICATE_OR_CRL_FOUND"));
    }
}
