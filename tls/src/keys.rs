//! Certificates with their private keys: how a side of a connection shows who it is.

use crate::certificate::Certificate;
use crate::faults::Fault;
use crate::pem;
use crate::store::Store;
use aes::cipher::{BlockDecryptMut, KeyIvInit, block_padding::Pkcs7};
use md5::{Digest, Md5};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{SignatureScheme, crypto};
use std::sync::{Arc, Mutex, RwLock};
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

/// A private key in a file, as it lies there.
pub struct KeyFile(pem::Block);

/// The certificates of a file, the one that is shown first.
pub fn read_chain(text: &[u8]) -> Result<Vec<Certificate>, Fault> {
    let blocks = pem::blocks(text).map_err(|_| Fault::pem("SSL"))?;
    let mut chain = Vec::new();
    for block in blocks.iter().filter(|b| b.label.ends_with("CERTIFICATE")) {
        chain.push(Certificate::first(&block.data).ok_or_else(|| Fault::pem("SSL"))?.0);
    }
    if chain.is_empty() { Err(Fault::pem("SSL")) } else { Ok(chain) }
}

/// The first private key of a file.
pub fn read_key(text: &[u8]) -> Result<KeyFile, Fault> {
    let blocks = pem::blocks(text).map_err(|_| Fault::pem("SSL"))?;
    let key = blocks.into_iter().find(|block| block.label.ends_with("PRIVATE KEY"));
    key.map(KeyFile).ok_or_else(|| Fault::pem("SSL"))
}

impl KeyFile {
    /// Is a password needed to read it?
    pub fn is_encrypted(&self) -> bool {
        self.0.label == "ENCRYPTED PRIVATE KEY"
            || self.header("Proc-Type").is_some_and(|v| v.contains("ENCRYPTED"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.iter().find(|(n, _)| n == name).map(|(_, v)| &v[..])
    }

    /// The key itself. `password` is for keys that are encrypted.
    fn open(self, password: Option<&[u8]>) -> Option<Arc<dyn SigningKey>> {
        let (label, data) = match (&self.0.label[..], self.is_encrypted()) {
            ("ENCRYPTED PRIVATE KEY", _) => {
                let sealed = pkcs8::EncryptedPrivateKeyInfo::try_from(&self.0.data[..]).ok()?;
                ("PRIVATE KEY", sealed.decrypt(password?).ok()?.as_bytes().to_vec())
            }
            (label, true) => (label, decrypt_old(self.header("DEK-Info")?, &self.0.data, password?)?),
            (label, false) => (label, self.0.data.clone()),
        };
        let key = match label {
            "RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(data)),
            "EC PRIVATE KEY" => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(data)),
            _ => PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(data)),
        };
        crypto::ring::sign::any_supported_type(&key).ok()
    }
}

/// The older way to encrypt a key: its secret is made of the password and the first bytes of the initial vector by MD5.
fn decrypt_old(info: &str, data: &[u8], password: &[u8]) -> Option<Vec<u8>> {
    let (cipher, vector) = info.split_once(',')?;
    let vector: Vec<u8> = vector
        .trim()
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect::<Option<_>>()?;
    let secret = |n: usize| -> Option<Vec<u8>> {
        let mut out: Vec<u8> = Vec::new();
        while out.len() < n {
            let mut hash = Md5::new();
            hash.update(&out[out.len().saturating_sub(16)..]);
            hash.update(password);
            hash.update(vector.get(..8)?);
            out.extend_from_slice(&hash.finalize());
        }
        out.truncate(n);
        Some(out)
    };
    macro_rules! decrypt {
        ($cipher:ty, $n:literal) => {
            cbc::Decryptor::<$cipher>::new_from_slices(&secret($n)?, &vector)
                .ok()?
                .decrypt_padded_vec_mut::<Pkcs7>(data)
                .ok()
        };
    }
    match cipher.trim() {
        "AES-128-CBC" => decrypt!(aes::Aes128, 16),
        "AES-192-CBC" => decrypt!(aes::Aes192, 24),
        "AES-256-CBC" => decrypt!(aes::Aes256, 32),
        "DES-EDE3-CBC" => decrypt!(des::TdesEde3, 24),
        "DES-CBC" => decrypt!(des::Des, 8),
        _ => None,
    }
}

/// What a context shows to its peers: a chain and a key of each kind, e.g. one by RSA and one by ECDSA.
pub struct Keys {
    held: RwLock<Vec<Held>>,
    /// Where the rest of a chain is found that has only the first certificate.
    store: Arc<Mutex<Store>>,
}

struct Held {
    chain: Vec<Arc<Certificate>>,
    key: Arc<dyn SigningKey>,
}

impl Keys {
    pub fn new(store: Arc<Mutex<Store>>) -> Keys {
        Keys { held: RwLock::default(), store }
    }

    /// Adds a chain with its key, in place of one of the same kind.
    pub fn add(&self, chain: Vec<Certificate>, key: KeyFile, password: Option<&[u8]>) -> Result<(), Fault> {
        let key = key.open(password).ok_or_else(|| Fault::pem("SSL"))?;
        let own = key.public_key().ok_or_else(|| Fault::pem("SSL"))?;
        let bits = |spki: &[u8]| {
            SubjectPublicKeyInfo::from_der(spki).ok().map(|(_, k)| k.subject_public_key.data.to_vec())
        };
        if bits(&own).is_none() || bits(&own) != bits(&chain[0].public_key()) {
            return Err(Fault::new("X509", "KEY_VALUES_MISMATCH"));
        }
        let mut held = crate::write(&self.held);
        held.retain(|other| other.key.algorithm() != key.algorithm());
        held.push(Held { chain: chain.into_iter().map(Arc::new).collect(), key });
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        crate::read(&self.held).is_empty()
    }

    fn choose(&self, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let held = crate::read(&self.held);
        let fitting = held.iter().find(|held| held.key.choose_scheme(schemes).is_some())?;
        let chain = self.completed(&fitting.chain);
        let chain = chain.iter().map(|c| CertificateDer::from(c.der().to_vec())).collect();
        Some(Arc::new(CertifiedKey::new(chain, fitting.key.clone())))
    }

    /// A chain of one certificate goes on with its issuers, as far as they are known.
    fn completed(&self, chain: &[Arc<Certificate>]) -> Vec<Arc<Certificate>> {
        let mut chain = chain.to_vec();
        let mut store = crate::lock(&self.store);
        if chain.len() > 1 || store.is_empty() {
            return chain;
        }
        store.look_into_folders();
        while let Some(last) = chain.last().filter(|last| !last.is_self_issued() && chain.len() < 10) {
            let Some(issuer) = store.with_subject(last.issuer_key()).into_iter().next() else { break };
            if chain.contains(&issuer) {
                break;
            }
            chain.push(issuer);
        }
        chain
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", crate::read(&self.held).len())
    }
}

impl ResolvesServerCert for Keys {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.signature_schemes())
    }
}

impl ResolvesClientCert for Keys {
    fn resolve(&self, _authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.choose(schemes)
    }

    fn has_certs(&self) -> bool {
        !self.is_empty()
    }
}
