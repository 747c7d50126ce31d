# pip install ecdsa
import hashlib

from ecdsa import NIST256p, SECP256k1, BadSignatureError, SigningKey, VerifyingKey

key = SigningKey.from_secret_exponent(123456789, SECP256k1, hashlib.sha256)
signature = key.sign_deterministic(b"hello")
print(signature.hex())
print(key.verifying_key.verify(signature, b"hello"), key.verifying_key.to_string("compressed").hex())
try:
    key.verifying_key.verify(signature, b"bye")
except BadSignatureError as e:
    print(type(e).__name__, e)
other = SigningKey.generate(NIST256p)
print(VerifyingKey.from_pem(other.verifying_key.to_pem()).verify(other.sign(b"x"), b"x"))
