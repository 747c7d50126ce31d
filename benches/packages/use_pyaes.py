# pip install pyaes
import pyaes

key = bytes(range(32))
for mode in (pyaes.AESModeOfOperationCTR, pyaes.AESModeOfOperationECB):
    print(mode(key).encrypt(b"sixteen byte msg").hex())
print(pyaes.AESModeOfOperationCTR(key).decrypt(pyaes.AESModeOfOperationCTR(key).encrypt(b"hello world")))
