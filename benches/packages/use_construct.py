# pip install construct
from construct import Array, Byte, Const, ConstructError, GreedyBytes, Int16ub, PrefixedArray, Struct, this, CString, Enum, BitStruct, BitsInteger, Flag

fmt = Struct("sig" / Const(b"BMP"), "w" / Int16ub, "n" / Byte, "px" / Array(this.n, Byte), "name" / CString("utf8"), "rest" / GreedyBytes)
data = fmt.build({"w": 3, "n": 2, "px": [7, 8], "name": "é", "rest": b"z"})
print(data, fmt.parse(data))
print(PrefixedArray(Byte, Int16ub).parse(b"\x02\x00\x01\x00\x02"), Enum(Byte, a=1, b=2).parse(b"\x02"))
print(BitStruct("a" / BitsInteger(3), "b" / Flag, "c" / BitsInteger(4)).parse(b"\xb5"))
try:
    fmt.parse(b"???")
except ConstructError as e:
    print(type(e).__name__, str(e).splitlines()[-1])
