# _hashlib: hashes by name, codes by name or function; comparing what may be secret.
import _hashlib
import hashlib
import hmac
from _operator import _compare_digest


def raises(kind, text, f, *args, **named):
    try:
        f(*args, **named)
    except kind as e:
        assert text in str(e), (text, str(e))
    else:
        raise AssertionError(f"{kind.__name__} is not raised")


for name, size, block in (("md5", 16, 64), ("sha1", 20, 64), ("sha256", 32, 64), ("sha512", 64, 128), ("sha3_256", 32, 136)):
    h = _hashlib.new(name, b"abc")
    assert (h.name, h.digest_size, h.block_size) == (name, size, block)
    assert h.digest() == getattr(hashlib, name)(b"abc").digest() == getattr(_hashlib, f"openssl_{name}")(b"abc").digest()
    assert repr(h).startswith(f"<{name} _hashlib.HASH object @ 0x")
    copy = h.copy()
    copy.update(b"d")
    assert type(copy) is _hashlib.HASH and copy.hexdigest() == hashlib.new(name, b"abcd").hexdigest() != h.hexdigest()
    assert name in _hashlib.openssl_md_meth_names and _hashlib._constructors[getattr(_hashlib, f"openssl_{name}")] == name
x = _hashlib.openssl_shake_128(b"abc")
assert type(x) is _hashlib.HASHXOF and isinstance(x, _hashlib.HASH) and x.digest_size == 0
assert x.hexdigest(length=4) == "5881092d" == x.copy().digest(4).hex()
assert hashlib.sha256 is _hashlib.openssl_sha256

raises(TypeError, "cannot create '_hashlib.HASH' instances", _hashlib.HASH)
raises(_hashlib.UnsupportedDigestmodError, "unsupported", _hashlib.new, "foo")
raises(ValueError, "unsupported hash type foo", hashlib.new, "foo")
raises(TypeError, "Strings must be encoded before hashing", _hashlib.openssl_md5, "x")
raises(TypeError, "Missing required parameter 'digestmod'.", _hashlib.hmac_new, b"key")
raises(_hashlib.UnsupportedDigestmodError, "Unsupported digestmod 3", _hashlib.hmac_new, b"key", digestmod=3)
code = "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d"
assert _hashlib.hmac_digest(b"", b"", "sha1").hex() == code == _hashlib.hmac_new(b"", digestmod=hashlib.sha1).hexdigest()
assert hmac.new(b"", b"", "sha1").hexdigest() == code
assert hashlib.pbkdf2_hmac("sha1", b"password", b"salt", 1).hex() == "0c60c80f961f0e71f3a9b524af6012062fe037a6"
assert hashlib.scrypt(b"", salt=b"", n=16, r=1, p=1, dklen=64).hex().startswith("77d6576238657b203b19ca42c18a0497")

# Whatever lends its bytes can be compared.
assert _compare_digest(bytearray(b"abc"), b"abc") and _compare_digest(b"abc", memoryview(b"abc"))
assert not _compare_digest(bytearray(b"abc"), bytearray(b"abcd")) and not _compare_digest("a", "b")
raises(TypeError, "a bytes-like object is required, not 'str'", _compare_digest, "a", b"a")
raises(TypeError, "unsupported operand types(s) or combination of types: 'int' and 'int'", _compare_digest, 1, 2)
raises(TypeError, "non-ASCII characters", _compare_digest, "é", "é")
print("ok")
