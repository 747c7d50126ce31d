//! Constraints on names: a CA may be allowed to sign for some names only. RFC 5280, section 4.2.1.10.

use crate::certificate::{Certificate, canonical};
use crate::verify::{Refusal, refusal};
use std::sync::Arc;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, GeneralSubtree};
use x509_parser::x509::X509Name;

/// Each certificate below one with constraints has names that these allow.
pub fn check(chain: &[Arc<Certificate>], parsed: &[X509Certificate<'_>]) -> Result<(), Refusal> {
    for (i, issuer) in parsed.iter().enumerate().skip(1) {
        let Ok(Some(constraints)) = issuer.name_constraints() else {
            // What cannot be read was refused before.
            continue;
        };
        for (j, x) in parsed[..i].iter().enumerate() {
            // Those that a CA gives itself are passed over, but for the last one.
            if j > 0 && chain[j].is_self_issued() {
                continue;
            }
            let permitted = constraints.value.permitted_subtrees.as_deref().unwrap_or_default();
            let excluded = constraints.value.excluded_subtrees.as_deref().unwrap_or_default();
            for name in names(x) {
                check_name(&name, permitted, excluded)?;
            }
        }
    }
    Ok(())
}

enum Named<'a> {
    Subject(&'a X509Name<'a>),
    Alternative(&'a GeneralName<'a>),
    /// A common name that stands for a host, where there are no alternative names.
    Host(&'a str),
}

fn names<'a>(x: &'a X509Certificate<'_>) -> Vec<Named<'a>> {
    let mut out = Vec::new();
    if x.subject().iter().next().is_some() {
        out.push(Named::Subject(x.subject()));
    }
    let mut has_host = false;
    if let Ok(Some(alternatives)) = x.subject_alternative_name() {
        for name in &alternatives.value.general_names {
            has_host |= matches!(name, GeneralName::DNSName(_));
            out.push(Named::Alternative(name));
        }
    }
    if !has_host {
        let common = x.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        out.extend(common.filter(|name| looks_like_host(name)).map(Named::Host));
    }
    out
}

fn looks_like_host(name: &str) -> bool {
    name.contains('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._*".contains(&b))
}

fn check_name(
    name: &Named<'_>,
    permitted: &[GeneralSubtree<'_>],
    excluded: &[GeneralSubtree<'_>],
) -> Result<(), Refusal> {
    let mut constrained = false;
    let mut allowed = false;
    for subtree in permitted {
        if let Some(is_in) = within(name, &subtree.base)? {
            constrained = true;
            allowed |= is_in;
        }
    }
    if constrained && !allowed {
        return Err(refusal(47));
    }
    for subtree in excluded {
        if within(name, &subtree.base)? == Some(true) {
            return Err(refusal(48));
        }
    }
    Ok(())
}

/// Is the name within the constraint; None where they are of different kinds.
fn within(name: &Named<'_>, base: &GeneralName<'_>) -> Result<Option<bool>, Refusal> {
    Ok(Some(match (name, base) {
        (Named::Subject(name), GeneralName::DirectoryName(base)) => directory_within(name, base),
        (Named::Alternative(GeneralName::DirectoryName(name)), GeneralName::DirectoryName(base)) => {
            directory_within(name, base)
        }
        (Named::Host(host), GeneralName::DNSName(base)) => host_within(host, base),
        (Named::Alternative(GeneralName::DNSName(host)), GeneralName::DNSName(base)) => {
            host_within(host, base)
        }
        (Named::Alternative(GeneralName::RFC822Name(mail)), GeneralName::RFC822Name(base)) => {
            mail_within(mail, base)
        }
        (Named::Alternative(GeneralName::URI(uri)), GeneralName::URI(base)) => uri_within(uri, base),
        (Named::Alternative(GeneralName::IPAddress(ip)), GeneralName::IPAddress(base)) => {
            base.len() == ip.len() * 2
                && ip.iter().zip(*base).zip(&base[ip.len()..]).all(|((a, b), mask)| a & mask == b & mask)
        }
        // A constraint of a kind that is not understood, for a name of that kind.
        (Named::Alternative(GeneralName::OtherName(..)), GeneralName::OtherName(..))
        | (Named::Alternative(GeneralName::X400Address(_)), GeneralName::X400Address(_))
        | (Named::Alternative(GeneralName::EDIPartyName(_)), GeneralName::EDIPartyName(_))
        | (Named::Alternative(GeneralName::RegisteredID(_)), GeneralName::RegisteredID(_))
        | (Named::Alternative(GeneralName::Invalid(..)), _) => return Err(refusal(51)),
        _ => return Ok(None),
    }))
}

fn directory_within(name: &X509Name<'_>, base: &X509Name<'_>) -> bool {
    canonical(name).starts_with(&canonical(base))
}

fn host_within(host: &str, base: &str) -> bool {
    let base = base.strip_prefix('.').unwrap_or(base);
    if base.is_empty() {
        return true;
    }
    let Some(at) = host.len().checked_sub(base.len()) else { return false };
    let Some(end) = host.get(at..) else { return false };
    end.eq_ignore_ascii_case(base) && (at == 0 || host.as_bytes()[at - 1] == b'.')
}

fn mail_within(mail: &str, base: &str) -> bool {
    let Some((user, host)) = mail.rsplit_once('@') else { return false };
    match base.rsplit_once('@') {
        Some((base_user, base_host)) => user == base_user && host.eq_ignore_ascii_case(base_host),
        None if base.starts_with('.') => host.len() >= base.len() && host_within(host, base),
        None => host.eq_ignore_ascii_case(base),
    }
}

fn uri_within(uri: &str, base: &str) -> bool {
    let Some((_, rest)) = uri.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    match base.starts_with('.') {
        true => host.len() >= base.len() && host_within(host, base),
        false => host.eq_ignore_ascii_case(base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_mails() {
        assert!(host_within("a.example.com", "example.com") && host_within("example.com", ".example.com"));
        assert!(!host_within("badexample.com", "example.com") && !host_within("com", "example.com"));
        assert!(mail_within("a@b.example.com", ".example.com") && mail_within("a@x.org", "x.org"));
        assert!(!mail_within("a@b.x.org", "x.org") && !mail_within("b@x.org", "a@x.org"));
        assert!(
            uri_within("https://u@www.x.org:8/y", ".x.org") && !uri_within("https://x.org.evil/", "x.org")
        );
    }
}
