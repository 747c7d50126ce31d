//! Cipher suites, and lists of them in OpenSSL's language: `ECDHE+AESGCM:!aNULL`.

use rustls::crypto::ring::cipher_suite as suites;
use rustls::{CipherSuite, SupportedCipherSuite};

/// A suite as Python programs know it.
pub struct Suite {
    pub name: &'static str,
    pub id: CipherSuite,
    pub supported: SupportedCipherSuite,
    /// `TLSv1.2` or `TLSv1.3`.
    pub protocol: &'static str,
    pub bits: u32,
    /// For `get_ciphers()`.
    pub symmetric: &'static str,
    /// None: by the version any.
    pub authentication: Option<&'static str>,
    keywords: &'static [&'static str],
}

const AES256: &[&str] = &["AES", "AES256", "AESGCM", "SHA384"];
const AES128: &[&str] = &["AES", "AES128", "AESGCM", "SHA256"];
const CHACHA: &[&str] = &["CHACHA20", "SHA256"];

macro_rules! suites {
    ($($name:literal $rustls:ident $protocol:literal $bits:literal $symmetric:literal $auth:expr, $keywords:expr;)*) => {
        /// All that there are, in the order of preference.
        pub static SUITES: &[Suite] = &[$(Suite {
            name: $name,
            id: CipherSuite::$rustls,
            supported: suites::$rustls,
            protocol: $protocol,
            bits: $bits,
            symmetric: $symmetric,
            authentication: $auth,
            keywords: $keywords,
        }),*];
    };
}
suites! {
    "TLS_AES_256_GCM_SHA384" TLS13_AES_256_GCM_SHA384 "TLSv1.3" 256 "aes-256-gcm" None, AES256;
    "TLS_CHACHA20_POLY1305_SHA256" TLS13_CHACHA20_POLY1305_SHA256 "TLSv1.3" 256 "chacha20-poly1305" None, CHACHA;
    "TLS_AES_128_GCM_SHA256" TLS13_AES_128_GCM_SHA256 "TLSv1.3" 128 "aes-128-gcm" None, AES128;
    "ECDHE-ECDSA-AES256-GCM-SHA384" TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 "TLSv1.2" 256 "aes-256-gcm" Some("ecdsa"), AES256;
    "ECDHE-RSA-AES256-GCM-SHA384" TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 "TLSv1.2" 256 "aes-256-gcm" Some("rsa"), AES256;
    "ECDHE-ECDSA-CHACHA20-POLY1305" TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 "TLSv1.2" 256 "chacha20-poly1305" Some("ecdsa"), CHACHA;
    "ECDHE-RSA-CHACHA20-POLY1305" TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 "TLSv1.2" 256 "chacha20-poly1305" Some("rsa"), CHACHA;
    "ECDHE-ECDSA-AES128-GCM-SHA256" TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 "TLSv1.2" 128 "aes-128-gcm" Some("ecdsa"), AES128;
    "ECDHE-RSA-AES128-GCM-SHA256" TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 "TLSv1.2" 128 "aes-128-gcm" Some("rsa"), AES128;
}

impl Suite {
    pub fn is_tls13(&self) -> bool {
        self.authentication.is_none()
    }

    /// Is SHA-384 its hash, and not SHA-256?
    pub fn is_by_sha384(&self) -> bool {
        self.keywords.contains(&"SHA384")
    }

    /// The line that `openssl ciphers -v` prints.
    pub fn description(&self) -> String {
        let encryption = match self.symmetric {
            "chacha20-poly1305" => "CHACHA20/POLY1305(256)".to_owned(),
            _ => format!("AESGCM({})", self.bits),
        };
        let (exchange, auth) = match self.authentication {
            None => ("any", "any".to_owned()),
            Some(auth) => ("ECDH", auth.to_uppercase()),
        };
        format!(
            "{:<30} {} Kx={exchange:<8} Au={auth:<5} Enc={encryption:<22} Mac=AEAD",
            self.name, self.protocol
        )
    }

    fn has(&self, keyword: &str) -> bool {
        match keyword {
            "ALL" | "DEFAULT" | "HIGH" | "FIPS" | "TLSv1.2" => true,
            "ECDHE" | "EECDH" | "kECDHE" | "kEECDH" | "ECDH" => true,
            "aRSA" | "RSA" => self.authentication == Some("rsa"),
            "aECDSA" | "ECDSA" => self.authentication == Some("ecdsa"),
            _ => self.name == keyword || self.keywords.contains(&keyword),
        }
    }
}

/// The suite of that number.
pub fn by_id(id: CipherSuite) -> Option<&'static Suite> {
    SUITES.iter().find(|suite| suite.id == id)
}

/// The suites of a list, in its order, and the security level that it sets; those of TLS 1.3 are not chosen by lists and
/// stand first. None: it names no suite that there is.
pub fn parse(list: &str) -> Option<(Vec<&'static Suite>, Option<u32>)> {
    let choosable = || SUITES.iter().filter(|suite| !suite.is_tls13());
    let mut chosen: Vec<&'static Suite> = Vec::new();
    let mut killed: Vec<&'static str> = Vec::new();
    let mut level = None;
    for word in list.split([':', ',', ' ', ';']).filter(|word| !word.is_empty()) {
        if let Some(rule) = word.strip_prefix('@') {
            match rule.split_once('=') {
                Some(("SECLEVEL", n)) => level = n.parse().ok().filter(|n| *n <= 5),
                _ if rule == "STRENGTH" => chosen.sort_by_key(|suite| std::cmp::Reverse(suite.bits)),
                _ => {}
            }
            continue;
        }
        let (action, keywords) = match word.as_bytes()[0] {
            sign @ (b'!' | b'-' | b'+') => (sign, &word[1..]),
            _ => (b' ', word),
        };
        let named = |suite: &Suite| keywords.split('+').all(|keyword| suite.has(keyword));
        match action {
            b'!' => {
                killed.extend(choosable().filter(|s| named(s)).map(|s| s.name));
                chosen.retain(|suite| !named(suite));
            }
            b'-' => chosen.retain(|suite| !named(suite)),
            b'+' => chosen.sort_by_key(|suite| named(suite)),
            _ => {
                let more: Vec<_> = choosable()
                    .filter(|s| {
                        named(s) && !killed.contains(&s.name) && !chosen.iter().any(|c| c.name == s.name)
                    })
                    .collect();
                chosen.extend(more);
            }
        }
    }
    if chosen.is_empty() {
        return None;
    }
    let mut all: Vec<_> = SUITES.iter().filter(|suite| suite.is_tls13()).collect();
    all.extend(chosen);
    Some((all, level))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Vec<&'static str> {
        let chosen = parse(list).map(|(suites, _)| suites).unwrap_or_default();
        chosen.iter().filter(|suite| !suite.is_tls13()).map(|suite| suite.name).collect()
    }

    #[test]
    fn lists() {
        assert_eq!(names("ALL").len(), 6);
        assert_eq!(names("ALL:!COMPLEMENTOFDEFAULT:!eNULL"), names("DEFAULT"));
        assert_eq!(names("AES128:!aRSA"), ["ECDHE-ECDSA-AES128-GCM-SHA256"]);
        assert_eq!(names("ECDHE+CHACHA20+aRSA"), ["ECDHE-RSA-CHACHA20-POLY1305"]);
        assert_eq!(names("ECDHE:ECDSA:!NULL:!aRSA").len(), 3);
        assert_eq!(names("!aRSA:ALL").len(), 3);
        assert_eq!(names("ECDHE-RSA-AES128-GCM-SHA256:AES256")[0], "ECDHE-RSA-AES128-GCM-SHA256");
        assert_eq!(names("ALL:+AES256").last(), Some(&"ECDHE-RSA-AES256-GCM-SHA384"));
        assert!(parse("^$?*'dorothyx").is_none() && parse("").is_none());
        assert_eq!(parse("@SECLEVEL=1:ALL").unwrap().1, Some(1));
    }
}
