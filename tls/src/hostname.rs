//! Does a certificate name the host that was asked for? RFC 6125, with the flags that OpenSSL has for it.

use crate::certificate::Certificate;
use std::net::IpAddr;
use x509_parser::extensions::{GeneralName, ParsedExtension};

pub const ALWAYS_CHECK_SUBJECT: u32 = 1;
pub const NO_WILDCARDS: u32 = 2;
pub const NO_PARTIAL_WILDCARDS: u32 = 4;
pub const MULTI_LABEL_WILDCARDS: u32 = 8;
pub const SINGLE_LABEL_SUBDOMAINS: u32 = 16;
pub const NEVER_CHECK_SUBJECT: u32 = 32;

/// Is the certificate for that host? An address must be named as an address.
pub fn matches(certificate: &Certificate, host: &str, flags: u32) -> bool {
    let x = certificate.parsed();
    let address = host.parse::<IpAddr>().ok();
    let mut named = false;
    for extension in x.extensions() {
        let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() else { continue };
        for name in &names.general_names {
            match (name, address) {
                (GeneralName::IPAddress(bytes), Some(IpAddr::V4(ip))) if ip.octets() == **bytes => {
                    return true;
                }
                (GeneralName::IPAddress(bytes), Some(IpAddr::V6(ip))) if ip.octets() == **bytes => {
                    return true;
                }
                (GeneralName::DNSName(pattern), None) => {
                    named = true;
                    if pattern_matches(pattern, host, flags) {
                        return true;
                    }
                }
                _ => {}
            }
        }
    }
    let check_subject = flags & ALWAYS_CHECK_SUBJECT != 0 || (!named && flags & NEVER_CHECK_SUBJECT == 0);
    address.is_none()
        && check_subject
        && x.subject()
            .iter_common_name()
            .any(|name| name.as_str().is_ok_and(|pattern| pattern_matches(pattern, host, flags)))
}

/// Does a name in a certificate, which may have a star in its first label, stand for the host?
fn pattern_matches(pattern: &str, host: &str, flags: u32) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let pattern = pattern.strip_suffix('.').unwrap_or(pattern);
    if pattern.is_empty() || pattern.contains('\0') {
        return false;
    }
    // Asked for by a leading dot: any host below a domain.
    if let Some(domain) = host.strip_prefix('.') {
        let below = pattern.len() > domain.len() && pattern.is_char_boundary(pattern.len() - domain.len());
        return below && {
            let (label, rest) = pattern.split_at(pattern.len() - domain.len());
            rest.eq_ignore_ascii_case(domain)
                && label.ends_with('.')
                && (flags & SINGLE_LABEL_SUBDOMAINS == 0 || label.matches('.').count() == 1)
        };
    }
    let Some((label, domain)) = pattern.split_once('.').filter(|(label, _)| label.contains('*')) else {
        return pattern.eq_ignore_ascii_case(host);
    };
    let (before, after) = label.split_once('*').unwrap_or((label, ""));
    let allowed = flags & NO_WILDCARDS == 0
        && !after.contains('*')
        && !domain.contains('*')
        // A star for all of a domain such as `com` would be too much.
        && domain.contains('.')
        && !domain.split('.').any(str::is_empty)
        && !label.to_ascii_lowercase().starts_with("xn--")
        && (label == "*" || flags & NO_PARTIAL_WILDCARDS == 0);
    if !allowed {
        return false;
    }
    let Some(at) = host.len().checked_sub(domain.len() + 1) else { return false };
    let (Some(first), Some(rest)) = (host.get(..at), host.get(at..)) else { return false };
    let Some(rest) = rest.strip_prefix('.') else { return false };
    if !rest.eq_ignore_ascii_case(domain) || first.len() < before.len() + after.len() {
        return false;
    }
    // A whole star needs something, and stands for one label unless more are allowed; a part of an international
    // label is nothing that a star may stand for.
    let whole = label == "*";
    let several = whole && flags & MULTI_LABEL_WILDCARDS != 0;
    !first.is_empty()
        && (several || !first.contains('.'))
        && (whole || !first.to_ascii_lowercase().starts_with("xn--"))
        && first.get(..before.len()).is_some_and(|start| start.eq_ignore_ascii_case(before))
        && first.get(first.len() - after.len()..).is_some_and(|end| end.eq_ignore_ascii_case(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let yes = [
            ("example.com", "example.com"),
            ("EXAMPLE.com", "example.COM"),
            ("*.example.com", "www.example.com"),
            ("*.a.example.com", "b.a.example.com"),
            ("*.example.com", "xn--knig-5qa.example.com"),
            ("example.com", "example.com."),
        ];
        let no = [
            ("example.com", "www.example.com"),
            ("*.example.com", "example.com"),
            ("*.example.com", "a.b.example.com"),
            ("*.example.com", ".example.org"),
            ("*.com", "example.com"),
            ("w*.example.com", "www.example.com"),
            ("*.*.example.com", "a.b.example.com"),
            ("xn--*.example.com", "xn--a.example.com"),
            ("evil.com\0.example.com", "evil.com"),
            ("", ""),
            ("*", "example"),
        ];
        for (pattern, host) in yes {
            assert!(pattern_matches(pattern, host, NO_PARTIAL_WILDCARDS), "{pattern} {host}");
        }
        for (pattern, host) in no {
            assert!(!pattern_matches(pattern, host, NO_PARTIAL_WILDCARDS), "{pattern} {host}");
        }
        assert!(pattern_matches("w*w.example.com", "wxw.example.com", 0));
        assert!(!pattern_matches("w*w.example.com", "w.example.com", 0));
        assert!(!pattern_matches("*.example.com", "a.example.com", NO_WILDCARDS));
        assert!(pattern_matches("*.example.com", "a.b.example.com", MULTI_LABEL_WILDCARDS));
    }
}
