# pip install rsa
import rsa

public, private = rsa.newkeys(512)
message = b"hello skein"
print(rsa.decrypt(rsa.encrypt(message, public), private))
signature = rsa.sign(message, private, "SHA-256")
print(rsa.verify(message, signature, public), len(signature))
try:
    rsa.verify(b"other", signature, public)
except rsa.VerificationError as e:
    print(e)
print(rsa.PublicKey.load_pkcs1(public.save_pkcs1()) == public)
