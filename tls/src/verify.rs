//! Is a chain of certificates to be trusted? RFC 5280, in the order and with the numbers of OpenSSL's verifier, which
//! Python programs see in `SSLCertVerificationError.verify_code`.
//!
//! The checks are, in this order: a way to something trusted; what each certificate may be used for; the host's name;
//! revocation; times and signatures; constraints on names.

use crate::certificate::{Certificate, may_sign};
use crate::constraints;
use crate::hostname;
use crate::store::Store;
use std::sync::Arc;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;

pub const CRL_CHECK_LEAF: u32 = 0x4;
pub const CRL_CHECK_ALL: u32 = 0x8;
pub const STRICT: u32 = 0x20;
pub const PARTIAL_CHAIN: u32 = 0x80000;

/// A chain is no longer than this, as with OpenSSL.
const MAX_DEPTH: usize = 100;
/// Signatures that may be checked in search of a way, so that a peer cannot make it long.
const MAX_TRIES: usize = 200;

/// Whose certificate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Server,
    Client,
}

/// What to check.
pub struct Request<'a> {
    pub purpose: Purpose,
    pub flags: u32,
    /// The host that must be named, and how names are compared.
    pub host: Option<(&'a str, u32)>,
    /// Seconds since 1970.
    pub now: i64,
}

/// Why a chain is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: i32,
    pub message: String,
}

/// The texts of the numbers that are used here; others are an error of the program.
fn message(code: i32) -> &'static str {
    match code {
        2 => "unable to get issuer certificate",
        3 => "unable to get certificate CRL",
        7 => "certificate signature failure",
        8 => "CRL signature failure",
        9 => "certificate is not yet valid or the system clock is incorrect",
        10 => "certificate has expired",
        11 => "CRL is not yet valid",
        12 => "CRL has expired",
        18 => "self-signed certificate",
        19 => "self-signed certificate in certificate chain",
        20 => "unable to get local issuer certificate",
        22 => "certificate chain too long",
        23 => "certificate revoked",
        25 => "path length constraint exceeded",
        26 => "unsuitable certificate purpose",
        34 => "unhandled critical extension",
        36 => "unhandled critical CRL extension",
        41 => "invalid or inconsistent certificate extension",
        47 => "permitted subtree violation",
        48 => "excluded subtree violation",
        51 => "unsupported name constraint type",
        68 => "CA signature digest algorithm too weak",
        79 => "invalid CA certificate",
        80 => "Path length invalid for non-CA cert",
        82 => "Key usage keyCertSign invalid for non-CA cert",
        83 => "Issuer name empty",
        84 => "Subject name empty",
        85 => "Missing Authority Key Identifier",
        86 => "Missing Subject Key Identifier",
        87 => "Empty Subject Alternative Name extension",
        88 => "Subject empty and Subject Alt Name extension not critical",
        89 => "Basic Constraints of CA cert not marked critical",
        90 => "Authority Key Identifier marked critical",
        91 => "Subject Key Identifier marked critical",
        92 => "CA cert does not include key usage extension",
        _ => "certificate rejected",
    }
}

pub(crate) fn refusal(code: i32) -> Refusal {
    Refusal { code, message: message(code).into() }
}

/// The chain from the peer's certificate to a trusted one, or why there is none. `sent` are the other certificates that
/// the peer sent.
pub fn verify(
    store: &mut Store,
    leaf: &Arc<Certificate>,
    sent: &[Arc<Certificate>],
    request: &Request<'_>,
) -> Result<Vec<Arc<Certificate>>, Refusal> {
    store.look_into_folders();
    let chain = build(store, leaf, sent, request)?;
    let parsed: Vec<X509Certificate<'_>> = chain.iter().map(|c| c.parsed()).collect();
    check_extensions(&chain, &parsed, request)?;
    if let Some((host, flags)) = request.host
        && !hostname::matches(leaf, host, flags)
    {
        let (code, what) = match host.parse::<std::net::IpAddr>() {
            Ok(_) => (64, "IP address mismatch"),
            Err(_) => (62, "Hostname mismatch"),
        };
        return Err(Refusal { code, message: format!("{what}, certificate is not valid for '{host}'.") });
    }
    check_revocation(store, &chain, &parsed, request)?;
    check_times_and_signatures(&parsed, request)?;
    constraints::check(&chain, &parsed)?;
    Ok(chain)
}

fn identifiers_agree(child: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    let wanted = child.extensions().iter().find_map(|e| match e.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    });
    let has = issuer.extensions().iter().find_map(|e| match e.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    });
    wanted.zip(has).is_none_or(|(wanted, has)| wanted == has)
}

/// A signature by SHA-1 or MD5 proves nothing any more.
fn is_weak(x: &X509Certificate<'_>) -> bool {
    matches!(
        &x.signature_algorithm.algorithm.to_id_string()[..],
        "1.2.840.113549.1.1.2"
            | "1.2.840.113549.1.1.4"
            | "1.2.840.113549.1.1.5"
            | "1.2.840.10045.4.1"
            | "1.3.14.3.2.29"
    )
}

fn is_signed_by(child: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    child.verify_signature(Some(issuer.public_key())).is_ok()
}

fn is_valid_at(x: &X509Certificate<'_>, now: i64) -> bool {
    x.validity().not_before.timestamp() <= now && now <= x.validity().not_after.timestamp()
}

/// The issuer of a certificate among these: one that signed it, and rather one whose time has not passed.
fn issuer_among<'a>(
    child: &Certificate,
    candidates: impl Iterator<Item = &'a Arc<Certificate>>,
    now: i64,
    tries: &mut usize,
) -> Option<Arc<Certificate>> {
    let x = child.parsed();
    let mut expired = None;
    for candidate in candidates {
        if candidate.subject_key() != child.issuer_key() {
            continue;
        }
        let issuer = candidate.parsed();
        if *tries == 0 || !identifiers_agree(&x, &issuer) {
            continue;
        }
        *tries -= 1;
        // What is signed in a way that is not taken is found out, and told of, at the end.
        if !is_weak(&x) && !is_signed_by(&x, &issuer) {
            continue;
        }
        if is_valid_at(&issuer, now) {
            return Some(candidate.clone());
        }
        expired.get_or_insert_with(|| candidate.clone());
    }
    expired
}

fn build(
    store: &mut Store,
    leaf: &Arc<Certificate>,
    sent: &[Arc<Certificate>],
    request: &Request<'_>,
) -> Result<Vec<Arc<Certificate>>, Refusal> {
    let mut chain = vec![leaf.clone()];
    let mut tries = MAX_TRIES;
    let partial = request.flags & PARTIAL_CHAIN != 0;
    let mut trusted = store.contains(leaf);
    loop {
        let last = chain[chain.len() - 1].clone();
        let is_root = last.is_self_issued();
        if trusted && (is_root || partial) {
            return Ok(chain);
        }
        if is_root {
            return Err(refusal(if chain.len() == 1 { 18 } else { 19 }));
        }
        if chain.len() > MAX_DEPTH {
            return Err(refusal(22));
        }
        let known = store.with_subject(last.issuer_key());
        if let Some(issuer) = issuer_among(&last, known.iter(), request.now, &mut tries) {
            trusted = true;
            chain.push(issuer);
            continue;
        }
        if trusted {
            return Err(refusal(2));
        }
        let unused = sent.iter().filter(|c| !chain.contains(c));
        match issuer_among(&last, unused, request.now, &mut tries) {
            Some(issuer) => {
                trusted = store.contains(&issuer);
                chain.push(issuer);
            }
            None => return Err(refusal(20)),
        }
    }
}

/// Extensions that are understood here, so that they may be critical.
fn is_known(extension: &ParsedExtension<'_>) -> bool {
    matches!(
        extension,
        ParsedExtension::AuthorityKeyIdentifier(_)
            | ParsedExtension::SubjectKeyIdentifier(_)
            | ParsedExtension::KeyUsage(_)
            | ParsedExtension::SubjectAlternativeName(_)
            | ParsedExtension::BasicConstraints(_)
            | ParsedExtension::NameConstraints(_)
            | ParsedExtension::ExtendedKeyUsage(_)
            | ParsedExtension::CRLDistributionPoints(_)
            | ParsedExtension::CertificatePolicies(_)
            | ParsedExtension::PolicyMappings(_)
            | ParsedExtension::PolicyConstraints(_)
            | ParsedExtension::InhibitAnyPolicy(_)
            | ParsedExtension::NSCertType(_)
    )
}

fn check_extensions(
    chain: &[Arc<Certificate>],
    parsed: &[X509Certificate<'_>],
    request: &Request<'_>,
) -> Result<(), Refusal> {
    let mut below = 0;
    for (i, x) in parsed.iter().enumerate() {
        if x.extensions().iter().any(|e| matches!(e.parsed_extension(), ParsedExtension::ParseError { .. })) {
            return Err(refusal(41));
        }
        if x.extensions().iter().any(|e| e.critical && !is_known(e.parsed_extension())) {
            return Err(refusal(34));
        }
        let (Ok(usage), Ok(extended), Ok(constraints)) =
            (x.key_usage(), x.extended_key_usage(), x.basic_constraints())
        else {
            return Err(refusal(41));
        };
        if i > 0 {
            if !may_sign(x) {
                return Err(refusal(79));
            }
            let limit = constraints.as_ref().and_then(|c| c.value.path_len_constraint);
            if limit.is_some_and(|limit| below > limit) {
                return Err(refusal(25));
            }
            // Those that a CA gives itself do not count.
            below += u32::from(!chain[i].is_self_issued());
        }
        let fits = extended.is_none_or(|e| {
            let wanted = match request.purpose {
                Purpose::Server => e.value.server_auth,
                Purpose::Client => e.value.client_auth,
            };
            wanted || (i > 0 && e.value.any)
        });
        let signs = i > 0
            || usage.is_none_or(|u| match request.purpose {
                Purpose::Server => {
                    u.value.digital_signature() || u.value.key_encipherment() || u.value.key_agreement()
                }
                Purpose::Client => u.value.digital_signature() || u.value.key_agreement(),
            });
        if !fits || !signs {
            return Err(refusal(26));
        }
        // One that is its own authority is outside of what RFC 5280 is about.
        if request.flags & STRICT != 0 && parsed.len() > 1 {
            check_strictly(x, i + 1 == parsed.len())?;
        }
    }
    Ok(())
}

/// What RFC 5280 asks of those who make certificates.
fn check_strictly(x: &X509Certificate<'_>, is_last: bool) -> Result<(), Refusal> {
    let critical = |wanted: fn(&ParsedExtension<'_>) -> bool| {
        x.extensions().iter().find(|e| wanted(e.parsed_extension())).map(|e| e.critical)
    };
    let constraints = x.basic_constraints().ok().flatten();
    let is_ca = constraints.as_ref().is_some_and(|c| c.value.ca);
    let has_limit = constraints.as_ref().is_some_and(|c| c.value.path_len_constraint.is_some());
    let usage = x.key_usage().ok().flatten();
    let subject_is_empty = x.subject().iter().next().is_none();
    let alt_names = critical(|e| matches!(e, ParsedExtension::SubjectAlternativeName(_)));
    let no_alt_names =
        x.subject_alternative_name().ok().flatten().is_some_and(|names| names.value.general_names.is_empty());
    let authority = critical(|e| matches!(e, ParsedExtension::AuthorityKeyIdentifier(_)));
    let subject_key = critical(|e| matches!(e, ParsedExtension::SubjectKeyIdentifier(_)));
    let is_v3 = x.version().0 >= 2;
    let faults = [
        (80, has_limit && !is_ca),
        (82, !is_ca && usage.as_ref().is_some_and(|u| u.value.key_cert_sign())),
        (83, x.issuer().iter().next().is_none()),
        (84, subject_is_empty && (is_ca || alt_names.is_none())),
        (87, no_alt_names),
        (88, subject_is_empty && alt_names == Some(false)),
        (89, is_ca && constraints.is_some_and(|c| !c.critical)),
        (90, authority == Some(true)),
        (91, subject_key == Some(true)),
        (92, is_v3 && is_ca && usage.is_none()),
        (85, is_v3 && !is_last && authority.is_none()),
        (86, is_v3 && is_ca && subject_key.is_none()),
    ];
    match faults.iter().find(|(_, holds)| *holds) {
        Some(&(code, _)) => Err(refusal(code)),
        None => Ok(()),
    }
}

fn check_revocation(
    store: &Store,
    chain: &[Arc<Certificate>],
    parsed: &[X509Certificate<'_>],
    request: &Request<'_>,
) -> Result<(), Refusal> {
    let count = match request.flags {
        f if f & CRL_CHECK_LEAF == 0 => 0,
        f if f & CRL_CHECK_ALL == 0 => 1,
        _ => chain.len(),
    };
    for i in 0..count {
        // A root is not revoked by itself.
        let issuer = parsed.get(i + 1).unwrap_or(&parsed[i]);
        let mut worst = refusal(3);
        let mut good = false;
        for list in store.lists_of(chain[i].issuer_key()) {
            let list = list.parsed();
            let critical = list.extensions().iter().any(|e| {
                e.critical && !matches!(e.parsed_extension(), ParsedExtension::AuthorityKeyIdentifier(_))
            });
            worst = if critical {
                refusal(36)
            } else if list.last_update().timestamp() > request.now {
                refusal(11)
            } else if list.next_update().is_some_and(|next| next.timestamp() < request.now) {
                refusal(12)
            } else if list.verify_signature(issuer.public_key()).is_err() {
                refusal(8)
            } else {
                good = true;
                let serial = parsed[i].raw_serial();
                if list.iter_revoked_certificates().any(|revoked| revoked.raw_serial() == serial) {
                    return Err(refusal(23));
                }
                continue;
            };
        }
        if !good {
            return Err(worst);
        }
    }
    Ok(())
}

fn check_times_and_signatures(parsed: &[X509Certificate<'_>], request: &Request<'_>) -> Result<(), Refusal> {
    for (i, x) in parsed.iter().enumerate().rev() {
        if let Some(issuer) = parsed.get(i + 1) {
            if is_weak(x) {
                return Err(refusal(68));
            }
            if !is_signed_by(x, issuer) {
                return Err(refusal(7));
            }
        }
        if x.validity().not_before.timestamp() > request.now {
            return Err(refusal(9));
        }
        if x.validity().not_after.timestamp() < request.now {
            return Err(refusal(10));
        }
    }
    Ok(())
}
