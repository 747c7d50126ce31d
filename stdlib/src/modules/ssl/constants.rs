//! The numbers of `_ssl`: OpenSSL's, which programs pass on and compare.

use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::{R, Value, Vm};

pub const PROTOCOL_TLS: i32 = 2;
pub const PROTOCOL_TLS_V1: i32 = 3;
pub const PROTOCOL_TLS_V1_1: i32 = 4;
pub const PROTOCOL_TLS_V1_2: i32 = 5;
pub const PROTOCOL_TLS_CLIENT: i32 = 16;
pub const PROTOCOL_TLS_SERVER: i32 = 17;

pub const PROTO_MINIMUM: i64 = -2;
pub const PROTO_MAXIMUM: i64 = -1;
pub const PROTO_SSL_V3: i64 = 0x300;
pub const PROTO_TLS_V1: i64 = 0x301;
pub const PROTO_TLS_V1_1: i64 = 0x302;
pub const PROTO_TLS_V1_2: i64 = 0x303;
pub const PROTO_TLS_V1_3: i64 = 0x304;

pub const OP_ALL: u64 = 0x8000_0050;
pub const OP_CIPHER_SERVER_PREFERENCE: u64 = 0x0040_0000;
pub const OP_ENABLE_MIDDLEBOX_COMPAT: u64 = 0x0010_0000;
pub const OP_NO_COMPRESSION: u64 = 0x0002_0000;
pub const OP_NO_SSL_V3: u64 = 0x0200_0000;
pub const OP_NO_TLS_V1: u64 = 0x0400_0000;
pub const OP_NO_TLS_V1_1: u64 = 0x1000_0000;
pub const OP_NO_TLS_V1_2: u64 = 0x0800_0000;
pub const OP_NO_TLS_V1_3: u64 = 0x2000_0000;
pub const OP_NO_TICKET: u64 = 0x4000;

pub const VERIFY_TRUSTED_FIRST: u32 = 0x8000;

pub const SSL_ERROR_SSL: i64 = 1;
pub const SSL_ERROR_WANT_READ: i64 = 2;
pub const SSL_ERROR_WANT_WRITE: i64 = 3;
pub const SSL_ERROR_ZERO_RETURN: i64 = 6;
pub const SSL_ERROR_EOF: i64 = 8;

pub const ENCODING_PEM: i64 = 1;
pub const ENCODING_DER: i64 = 2;

const NUMBERS: &[(&str, i64)] = &[
    ("ALERT_DESCRIPTION_ACCESS_DENIED", 49),
    ("ALERT_DESCRIPTION_BAD_CERTIFICATE", 42),
    ("ALERT_DESCRIPTION_BAD_CERTIFICATE_HASH_VALUE", 114),
    ("ALERT_DESCRIPTION_BAD_CERTIFICATE_STATUS_RESPONSE", 113),
    ("ALERT_DESCRIPTION_BAD_RECORD_MAC", 20),
    ("ALERT_DESCRIPTION_CERTIFICATE_EXPIRED", 45),
    ("ALERT_DESCRIPTION_CERTIFICATE_REVOKED", 44),
    ("ALERT_DESCRIPTION_CERTIFICATE_UNKNOWN", 46),
    ("ALERT_DESCRIPTION_CERTIFICATE_UNOBTAINABLE", 111),
    ("ALERT_DESCRIPTION_CLOSE_NOTIFY", 0),
    ("ALERT_DESCRIPTION_DECODE_ERROR", 50),
    ("ALERT_DESCRIPTION_DECOMPRESSION_FAILURE", 30),
    ("ALERT_DESCRIPTION_DECRYPT_ERROR", 51),
    ("ALERT_DESCRIPTION_HANDSHAKE_FAILURE", 40),
    ("ALERT_DESCRIPTION_ILLEGAL_PARAMETER", 47),
    ("ALERT_DESCRIPTION_INSUFFICIENT_SECURITY", 71),
    ("ALERT_DESCRIPTION_INTERNAL_ERROR", 80),
    ("ALERT_DESCRIPTION_NO_RENEGOTIATION", 100),
    ("ALERT_DESCRIPTION_PROTOCOL_VERSION", 70),
    ("ALERT_DESCRIPTION_RECORD_OVERFLOW", 22),
    ("ALERT_DESCRIPTION_UNEXPECTED_MESSAGE", 10),
    ("ALERT_DESCRIPTION_UNKNOWN_CA", 48),
    ("ALERT_DESCRIPTION_UNKNOWN_PSK_IDENTITY", 115),
    ("ALERT_DESCRIPTION_UNRECOGNIZED_NAME", 112),
    ("ALERT_DESCRIPTION_UNSUPPORTED_CERTIFICATE", 43),
    ("ALERT_DESCRIPTION_UNSUPPORTED_EXTENSION", 110),
    ("ALERT_DESCRIPTION_USER_CANCELLED", 90),
    ("CERT_NONE", 0),
    ("CERT_OPTIONAL", 1),
    ("CERT_REQUIRED", 2),
    ("ENCODING_DER", ENCODING_DER),
    ("ENCODING_PEM", ENCODING_PEM),
    ("HOSTFLAG_ALWAYS_CHECK_SUBJECT", 1),
    ("HOSTFLAG_MULTI_LABEL_WILDCARDS", 8),
    ("HOSTFLAG_NEVER_CHECK_SUBJECT", 32),
    ("HOSTFLAG_NO_PARTIAL_WILDCARDS", 4),
    ("HOSTFLAG_NO_WILDCARDS", 2),
    ("HOSTFLAG_SINGLE_LABEL_SUBDOMAINS", 16),
    ("OP_ALL", OP_ALL as i64),
    ("OP_CIPHER_SERVER_PREFERENCE", OP_CIPHER_SERVER_PREFERENCE as i64),
    ("OP_ENABLE_KTLS", 8),
    ("OP_ENABLE_MIDDLEBOX_COMPAT", OP_ENABLE_MIDDLEBOX_COMPAT as i64),
    ("OP_IGNORE_UNEXPECTED_EOF", 128),
    ("OP_LEGACY_SERVER_CONNECT", 4),
    ("OP_NO_COMPRESSION", OP_NO_COMPRESSION as i64),
    ("OP_NO_RENEGOTIATION", 0x4000_0000),
    ("OP_NO_SSLv2", 0),
    ("OP_NO_SSLv3", OP_NO_SSL_V3 as i64),
    ("OP_NO_TICKET", OP_NO_TICKET as i64),
    ("OP_NO_TLSv1", OP_NO_TLS_V1 as i64),
    ("OP_NO_TLSv1_1", OP_NO_TLS_V1_1 as i64),
    ("OP_NO_TLSv1_2", OP_NO_TLS_V1_2 as i64),
    ("OP_NO_TLSv1_3", OP_NO_TLS_V1_3 as i64),
    ("OP_SINGLE_DH_USE", 0),
    ("OP_SINGLE_ECDH_USE", 0),
    ("PROTOCOL_SSLv23", PROTOCOL_TLS as i64),
    ("PROTOCOL_TLS", PROTOCOL_TLS as i64),
    ("PROTOCOL_TLS_CLIENT", PROTOCOL_TLS_CLIENT as i64),
    ("PROTOCOL_TLS_SERVER", PROTOCOL_TLS_SERVER as i64),
    ("PROTOCOL_TLSv1", PROTOCOL_TLS_V1 as i64),
    ("PROTOCOL_TLSv1_1", PROTOCOL_TLS_V1_1 as i64),
    ("PROTOCOL_TLSv1_2", PROTOCOL_TLS_V1_2 as i64),
    ("PROTO_MAXIMUM_SUPPORTED", PROTO_MAXIMUM),
    ("PROTO_MINIMUM_SUPPORTED", PROTO_MINIMUM),
    ("PROTO_SSLv3", PROTO_SSL_V3),
    ("PROTO_TLSv1", PROTO_TLS_V1),
    ("PROTO_TLSv1_1", PROTO_TLS_V1_1),
    ("PROTO_TLSv1_2", PROTO_TLS_V1_2),
    ("PROTO_TLSv1_3", PROTO_TLS_V1_3),
    ("SSL_ERROR_EOF", SSL_ERROR_EOF),
    ("SSL_ERROR_INVALID_ERROR_CODE", 10),
    ("SSL_ERROR_SSL", SSL_ERROR_SSL),
    ("SSL_ERROR_SYSCALL", 5),
    ("SSL_ERROR_WANT_CONNECT", 7),
    ("SSL_ERROR_WANT_READ", SSL_ERROR_WANT_READ),
    ("SSL_ERROR_WANT_WRITE", SSL_ERROR_WANT_WRITE),
    ("SSL_ERROR_WANT_X509_LOOKUP", 4),
    ("SSL_ERROR_ZERO_RETURN", SSL_ERROR_ZERO_RETURN),
    ("VERIFY_ALLOW_PROXY_CERTS", 64),
    ("VERIFY_CRL_CHECK_CHAIN", 12),
    ("VERIFY_CRL_CHECK_LEAF", 4),
    ("VERIFY_DEFAULT", 0),
    ("VERIFY_X509_PARTIAL_CHAIN", 0x8_0000),
    ("VERIFY_X509_STRICT", 32),
    ("VERIFY_X509_TRUSTED_FIRST", VERIFY_TRUSTED_FIRST as i64),
];

/// What there is and what is not.
const FEATURES: &[(&str, bool)] = &[
    ("HAS_ALPN", true),
    ("HAS_ECDH", true),
    ("HAS_NPN", false),
    ("HAS_PHA", false),
    ("HAS_PSK", false),
    ("HAS_SNI", true),
    ("HAS_SSLv2", false),
    ("HAS_SSLv3", false),
    ("HAS_TLS_UNIQUE", true),
    ("HAS_TLSv1", false),
    ("HAS_TLSv1_1", false),
    ("HAS_TLSv1_2", true),
    ("HAS_TLSv1_3", true),
];

/// The version of OpenSSL whose interface this is: programs compare it to find out what they can ask for. The text names
/// what stands behind it.
const INTERFACE: [i64; 5] = [3, 0, 0, 0, 0];
const VERSION: &str = "OpenSSL 3.0.0 (its interface, by rustls and ring)";

/// Puts them into the module's namespace. MemoryError.
pub fn add(vm: &Vm, d: Ref<Dict>) -> R<()> {
    for &(name, n) in NUMBERS {
        d.set_name(vm, name, vm.int(n)?)?;
    }
    for &(name, has) in FEATURES {
        d.set_name(vm, name, Value::bool(has))?;
    }
    let version = vm.tuple(&INTERFACE.map(Value::small_int))?;
    d.set_name(vm, "OPENSSL_VERSION", vm.str(VERSION)?)?;
    d.set_name(vm, "OPENSSL_VERSION_INFO", version)?;
    d.set_name(vm, "_OPENSSL_API_VERSION", version)?;
    d.set_name(vm, "OPENSSL_VERSION_NUMBER", vm.int(INTERFACE[0] << 28)?)?;
    d.set_name(vm, "_DEFAULT_CIPHERS", vm.str("DEFAULT")?)
}
