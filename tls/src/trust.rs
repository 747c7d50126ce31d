//! The verifiers that connections ask: whether the peer's certificate is accepted.

use crate::certificate::Certificate;
use crate::faults::Fault;
use crate::store::Store;
use crate::verify::{Purpose, Refusal, Request, verify};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved, SignatureScheme,
};
use std::sync::{Arc, Mutex};
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

/// How much is asked of the peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    None,
    Optional,
    Required,
}

/// How a peer's certificate is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    pub mode: Mode,
    pub flags: u32,
    pub check_hostname: bool,
    pub host_flags: u32,
}

/// What came of the last look at a peer's certificate.
#[derive(Debug)]
pub enum Outcome {
    /// The chain up to what is trusted.
    Accepted(Vec<Arc<Certificate>>),
    Refused(Fault),
}

/// Asked by the connections of a context. What it finds out lies here until the connection, which is working just then,
/// takes it.
pub struct Verifier {
    store: Arc<Mutex<Store>>,
    pub policy: Mutex<Policy>,
    outcome: Mutex<Option<Outcome>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Verifier({:?})", crate::lock(&self.policy))
    }
}

impl Verifier {
    pub fn new(store: Arc<Mutex<Store>>, policy: Policy) -> Verifier {
        Verifier {
            store,
            policy: Mutex::new(policy),
            outcome: Mutex::new(None),
            algorithms: rustls::crypto::ring::default_provider().signature_verification_algorithms,
        }
    }

    pub fn take_outcome(&self) -> Option<Outcome> {
        crate::lock(&self.outcome).take()
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        purpose: Purpose,
        host: Option<&str>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let policy = *crate::lock(&self.policy);
        let bad = |_| Error::InvalidCertificate(CertificateError::BadEncoding);
        let read = |der: &CertificateDer<'_>| Certificate::new(der).map(Arc::new).ok_or(()).map_err(bad);
        let leaf = read(leaf)?;
        if policy.mode == Mode::None {
            return Ok(());
        }
        let sent = sent.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let request = Request {
            purpose,
            flags: policy.flags,
            host: host.filter(|_| policy.check_hostname).map(|host| (host, policy.host_flags)),
            now: now.as_secs() as i64,
        };
        let (outcome, result) = match verify(&mut crate::lock(&self.store), &leaf, &sent, &request) {
            Ok(chain) => (Outcome::Accepted(chain), Ok(())),
            Err(refusal) => {
                let error = Error::InvalidCertificate(alert_kind(&refusal));
                (Outcome::Refused(Fault::verification(refusal.code, refusal.message)), Err(error))
            }
        };
        *crate::lock(&self.outcome) = Some(outcome);
        result
    }

    fn check_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        is_tls13: bool,
    ) -> Result<HandshakeSignatureValid, Error> {
        let bad = || Error::InvalidCertificate(CertificateError::BadEncoding);
        let key = Certificate::new(certificate).ok_or_else(bad)?.public_key();
        if is_tls13 {
            let key = SubjectPublicKeyInfoDer::from(&key[..]);
            return verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms);
        }
        // In TLS 1.2 a scheme does not tell the curve, so each that goes with it is tried.
        let (_, key) = SubjectPublicKeyInfo::from_der(&key).map_err(|_| bad())?;
        let wanted = algorithm_of(key.raw).ok_or_else(bad)?;
        let with_scheme = self.algorithms.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
        let (_, candidates) = with_scheme.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        let fitting = candidates.iter().find(|a| a.public_key_alg_id().as_ref() == wanted);
        let fitting = fitting.ok_or(Error::InvalidCertificate(CertificateError::BadSignature))?;
        match fitting.verify_signature(&key.subject_public_key.data, message, signed.signature()) {
            Ok(()) => Ok(HandshakeSignatureValid::assertion()),
            Err(_) => Err(Error::InvalidCertificate(CertificateError::BadSignature)),
        }
    }
}

/// What stands in the algorithm identifier of a public key, without its outer tag and length.
fn algorithm_of(spki: &[u8]) -> Option<&[u8]> {
    use x509_parser::asn1_rs::{Any, Sequence};
    let (_, outer) = Sequence::from_der(spki).ok()?;
    let content: &[u8] = match outer.content {
        std::borrow::Cow::Borrowed(content) => content,
        std::borrow::Cow::Owned(_) => return None,
    };
    let (_, algorithm) = Any::from_der(content).ok()?;
    Some(algorithm.data)
}

/// The error whose alert fits best.
fn alert_kind(refusal: &Refusal) -> CertificateError {
    match refusal.code {
        2 | 18..=20 => CertificateError::UnknownIssuer,
        9 => CertificateError::NotValidYet,
        10 => CertificateError::Expired,
        23 => CertificateError::Revoked,
        7 => CertificateError::BadSignature,
        26 => CertificateError::InvalidPurpose,
        62 | 64 => CertificateError::NotValidForName,
        3 | 8 | 11 | 12 | 36 => CertificateError::UnknownRevocationStatus,
        _ => CertificateError::ApplicationVerificationFailure,
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(leaf, sent, Purpose::Server, Some(&host.to_str()), now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, certificate, signed, false)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, certificate, signed, true)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Verifier {
    fn offer_client_auth(&self) -> bool {
        crate::lock(&self.policy).mode != Mode::None
    }

    fn client_auth_mandatory(&self) -> bool {
        crate::lock(&self.policy).mode == Mode::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(leaf, sent, Purpose::Client, None, now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, certificate, signed, false)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(message, certificate, signed, true)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
