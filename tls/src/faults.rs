//! What went wrong, in the words that Python programs know.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

/// An error of the TLS protocol, of a certificate or of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The part of the library: `SSL`, `PEM`, `X509`.
    pub library: &'static str,
    /// In capitals, e.g. `TLSV1_ALERT_UNKNOWN_CA`.
    pub reason: Option<String>,
    pub text: String,
    /// The peer's certificate was not accepted: number and text.
    pub verify: Option<(i32, String)>,
}

impl Fault {
    /// A fault whose text is its reason in small letters.
    pub fn new(library: &'static str, reason: impl Into<String>) -> Fault {
        let reason = reason.into();
        let text = reason.to_lowercase().replace('_', " ");
        Fault { library, reason: Some(reason), text, verify: None }
    }

    /// One of the protocol.
    pub fn ssl(reason: impl Into<String>) -> Fault {
        Fault::new("SSL", reason)
    }

    /// A file that is not what was expected.
    pub fn pem(library: &'static str) -> Fault {
        Fault { library, reason: None, text: "PEM lib".into(), verify: None }
    }

    /// The peer's certificate was not accepted.
    pub fn verification(code: i32, message: String) -> Fault {
        let mut fault = Fault::ssl("CERTIFICATE_VERIFY_FAILED");
        fault.text = format!("certificate verify failed: {message}");
        fault.verify = Some((code, message));
        fault
    }
}

/// The reason of an alert that the peer sent.
fn alert_reason(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let name = match alert {
        A::UnexpectedMessage => "SSLV3_ALERT_UNEXPECTED_MESSAGE",
        A::BadRecordMac => "SSLV3_ALERT_BAD_RECORD_MAC",
        A::DecryptionFailed => "TLSV1_ALERT_DECRYPTION_FAILED",
        A::RecordOverflow => "TLSV1_ALERT_RECORD_OVERFLOW",
        A::DecompressionFailure => "SSLV3_ALERT_DECOMPRESSION_FAILURE",
        A::HandshakeFailure => "SSLV3_ALERT_HANDSHAKE_FAILURE",
        A::NoCertificate => "SSLV3_ALERT_NO_CERTIFICATE",
        A::BadCertificate => "SSLV3_ALERT_BAD_CERTIFICATE",
        A::UnsupportedCertificate => "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        A::CertificateRevoked => "SSLV3_ALERT_CERTIFICATE_REVOKED",
        A::CertificateExpired => "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        A::CertificateUnknown => "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        A::IllegalParameter => "SSLV3_ALERT_ILLEGAL_PARAMETER",
        A::UnknownCA => "TLSV1_ALERT_UNKNOWN_CA",
        A::AccessDenied => "TLSV1_ALERT_ACCESS_DENIED",
        A::DecodeError => "TLSV1_ALERT_DECODE_ERROR",
        A::DecryptError => "TLSV1_ALERT_DECRYPT_ERROR",
        A::ExportRestriction => "TLSV1_ALERT_EXPORT_RESTRICTION",
        A::ProtocolVersion => "TLSV1_ALERT_PROTOCOL_VERSION",
        A::InsufficientSecurity => "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        A::InternalError => "TLSV1_ALERT_INTERNAL_ERROR",
        A::InappropriateFallback => "TLSV1_ALERT_INAPPROPRIATE_FALLBACK",
        A::UserCanceled => "TLSV1_ALERT_USER_CANCELLED",
        A::NoRenegotiation => "TLSV1_ALERT_NO_RENEGOTIATION",
        A::MissingExtension => "TLSV13_ALERT_MISSING_EXTENSION",
        A::UnsupportedExtension => "TLSV1_UNSUPPORTED_EXTENSION",
        A::CertificateUnobtainable => "TLSV1_CERTIFICATE_UNOBTAINABLE",
        A::UnrecognisedName => "TLSV1_UNRECOGNIZED_NAME",
        A::BadCertificateStatusResponse => "TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE",
        A::BadCertificateHashValue => "TLSV1_BAD_CERTIFICATE_HASH_VALUE",
        A::CertificateRequired => "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        A::NoApplicationProtocol => "TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
        other => return format!("TLSV1_ALERT_{}", capitals(&format!("{other:?}"))),
    };
    name.into()
}

/// `NoCipherSuitesInCommon` as `NO_CIPHER_SUITES_IN_COMMON`; without what stands in parentheses.
fn capitals(name: &str) -> String {
    let mut out = String::new();
    let mut begins_word = false;
    for c in name.chars().take_while(|c| c.is_ascii_alphanumeric()) {
        if c.is_ascii_uppercase() && begins_word {
            out.push('_');
        }
        begins_word = !c.is_ascii_uppercase();
        out.push(c.to_ascii_uppercase());
    }
    out
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        use PeerIncompatible as P;
        let reason = match &error {
            Error::AlertReceived(alert) => {
                let mut fault = Fault::ssl(alert_reason(*alert));
                fault.text = fault.text.replace("sslv3", "ssl/tls");
                return fault;
            }
            Error::PeerIncompatible(P::NoCipherSuitesInCommon) => "NO_SHARED_CIPHER",
            Error::PeerIncompatible(P::NoKxGroupsInCommon) => "NO_SUITABLE_KEY_SHARE",
            Error::PeerIncompatible(
                P::NoSignatureSchemesInCommon | P::NoCertificateRequestSignatureSchemesInCommon,
            ) => "NO_SUITABLE_SIGNATURE_ALGORITHM",
            Error::PeerIncompatible(
                P::Tls12NotOffered
                | P::Tls12NotOfferedOrEnabled
                | P::ServerTlsVersionIsDisabledByOurConfig
                | P::ServerDoesNotSupportTls12Or13
                | P::SupportedVersionsExtensionRequired,
            ) => "UNSUPPORTED_PROTOCOL",
            Error::NoCertificatesPresented => "PEER_DID_NOT_RETURN_A_CERTIFICATE",
            Error::DecryptError => "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
            Error::PeerSentOversizedRecord => "ENCRYPTED_LENGTH_TOO_LONG",
            Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
                "UNEXPECTED_MESSAGE"
            }
            Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => "WRONG_VERSION_NUMBER",
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => "UNEXPECTED_RECORD",
            Error::InvalidMessage(InvalidMessage::MessageTooShort | InvalidMessage::MissingData(_)) => {
                "LENGTH_MISMATCH"
            }
            // The server has no certificate of a kind that the client takes.
            Error::General(text) if text.contains("no server certificate") => "NO_SHARED_CIPHER",
            Error::NoApplicationProtocol => "NO_APPLICATION_PROTOCOL",
            Error::InvalidCertificate(CertificateError::BadSignature) => "BAD_SIGNATURE",
            Error::InvalidCertificate(_) => "CERTIFICATE_VERIFY_FAILED",
            Error::InvalidMessage(what) => return Fault::ssl(capitals(&format!("{what:?}"))),
            Error::PeerIncompatible(what) => return Fault::ssl(capitals(&format!("{what:?}"))),
            Error::PeerMisbehaved(what) => return Fault::ssl(capitals(&format!("{what:?}"))),
            other => {
                let mut fault = Fault::ssl("INTERNAL_ERROR");
                fault.text = other.to_string();
                return fault;
            }
        };
        Fault::ssl(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons() {
        let fault = Fault::from(Error::AlertReceived(AlertDescription::UnknownCA));
        assert_eq!(
            (fault.reason.as_deref(), &fault.text[..]),
            (Some("TLSV1_ALERT_UNKNOWN_CA"), "tlsv1 alert unknown ca")
        );
        let fault = Fault::from(Error::InvalidMessage(InvalidMessage::TrailingData("x")));
        assert_eq!((fault.reason.as_deref(), &fault.text[..]), (Some("TRAILING_DATA"), "trailing data"));
    }
}
