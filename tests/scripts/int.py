"""int: arithmetic, conversion, methods."""


def raises(error, f, *args):
    try:
        f(*args)
    except error as e:
        return str(e)
    assert False, "did not raise"


# Small and large, and the border between them.
B = 2**61
assert (B - 1) + 1 == B and -B - 1 == -(B + 1)
assert B * B == 2**122 and (B * B) // B == B and (B * B) % B == 0
assert 2**100 == 1267650600228229401496703205376
assert str(10**30 + 7) == "1000000000000000000000000000007"
assert (10**30 + 7) - (10**30) == 7
assert hash(2**61 - 1) == 0 and hash(-1) == -2 and hash(2**64) == hash(2.0**64)

# Division rounds down, the remainder has the divisor's sign.
for a in (7, -7, 10**25, -(10**25)):
    for b in (3, -3, 10**12 + 1, -(10**12) - 1):
        q, r = divmod(a, b)
        assert q == a // b and r == a % b and q * b + r == a
        assert r == 0 or (r < 0) == (b < 0)
assert 7 // -2 == -4 and 7 % -2 == -1
assert 1 / 3 == 0.3333333333333333 and 10**400 / 10**399 == 10.0
assert (2**53 + 1) / 10 == 900719925474099.2
for f in (lambda: 1 // 0, lambda: 1 % 0, lambda: 1 / 0, lambda: divmod(1, 0), lambda: 0**-1):
    raises(ZeroDivisionError, f)
raises(OverflowError, lambda: 10**400 / 1)
raises(OverflowError, lambda: 10**400 * 1.0)

# Powers and shifts.
assert 2**-1 == 0.5 and 0**0 == 1 and (-1) ** 1001 == -1 and 3**50 == 717897987691852588770249
assert pow(3, 200, 13) == 3**200 % 13 and pow(3, -1, 7) == 5 and pow(2, 5, -7) == -3
assert raises(ValueError, pow, 2, -1, 4) == "base is not invertible for the given modulus"
assert raises(ValueError, pow, 2, 1, 0) == "pow() 3rd argument cannot be 0"
assert 1 << 70 == 2**70 and -(2**70) >> 69 == -2 and -1 >> 1000 == -1 and 5 >> 10**20 == 0 and 0 << 10**20 == 0
assert raises(ValueError, lambda: 1 << -1) == "negative shift count"
assert -5 & 3 == 3 and -5 | 3 == -5 and -5 ^ 3 == -8 and ~(2**70) == -(2**70) - 1
assert (2**70 | 1) & ~1 == 2**70

# Text.
assert int("12") == 12 and int(" -1_000\n") == -1000 and int("0x1F", 16) == 31 and int("0b101", 0) == 5
assert int("z", 36) == 35 and int(b"17", 8) == 15 and int("१२") == 12 and int("9" * 50) == 10**50 - 1
assert int() == 0 and int(3.99) == 3 and int(-1e30) == -1000000000000000019884624838656
for text in ("", " ", "x", "1__0", "_1", "1_", "1.5", "- 5", "0x"):
    assert raises(ValueError, int, text) == f"invalid literal for int() with base 10: {text!r}"
raises(ValueError, int, "01", 0)
assert raises(ValueError, int, "1", 1) == "int() base must be >= 2 and <= 36, or 0"
assert raises(TypeError, int, 1, 2) == "int() can't convert non-string with explicit base"
assert raises(TypeError, int, []) == (
    "int() argument must be a string, a bytes-like object or a real number, not 'list'"
)
assert raises(ValueError, int, float("nan")) == "cannot convert float NaN to integer"
assert raises(OverflowError, int, float("inf")) == "cannot convert float infinity to integer"
assert "Exceeds the limit (4300 digits)" in raises(ValueError, int, "1" * 5000)
assert "Exceeds the limit (4300 digits)" in raises(ValueError, str, 10**5000)
assert bin(-5) == "-0b101" and hex(255) == "0xff" and oct(8) == "0o10" and hex(2**70) == "0x400000000000000000"

# Methods.
assert (255).bit_length() == 8 and (-(2**70)).bit_length() == 71 and (0).bit_length() == 0
assert (-7).bit_count() == 3 and (5).as_integer_ratio() == (5, 1) and (5).conjugate() == 5
assert (5).real == 5 and (5).imag == 0 and (5).numerator == 5 and (5).denominator == 1 and (5).is_integer()
assert (1000).to_bytes(2) == b"\x03\xe8" and (-2).to_bytes(3, "little", signed=True) == b"\xfe\xff\xff"
assert int.from_bytes(b"\xfe\xff", "little", signed=True) == -2 and int.from_bytes(b"\x01\x00") == 256
assert raises(OverflowError, (256).to_bytes) == "int too big to convert"
assert raises(OverflowError, (-1).to_bytes) == "can't convert negative int to unsigned"
assert round(15, -1) == 20 and round(25, -1) == 20 and round(-15, -1) == -20 and round(5, 3) == 5 and round(7, -5) == 0
assert (5).__add__("x") is NotImplemented and (5).__radd__(2) == 7 and (2).__rsub__(5) == 3
assert raises(TypeError, lambda: 1 + "a") == "unsupported operand type(s) for +: 'int' and 'str'"

# Comparison with floats is exact.
assert 2**53 + 1 > float(2**53) and 2**53 == float(2**53) and 10**400 < float("inf") and not 1 < float("nan")
assert {1: "a"}[1.0] == "a" and {1: "a"}[True] == "a"


# Subclasses.
class I(int):
    def __str__(self):
        return "I!"


i = I("7")
i.note = "n"
assert i.note == "n" and i + 1 == 8 and type(i + 1) is int and type(-i) is int and [0] * i == [0] * 7
assert str(i) == "I!" and repr(i) == "7" and "%d %s" % (i, i) == "7 I!" and {7: 1}[i] == 1
assert I(2**70) + 1 == 2**70 + 1 and type(int(i)) is int and isinstance(i, int)

# bool.
assert True + True == 2 and (True & False) is False and (True ^ True) is False and (False | True) is True
assert True | 2 == 3 and repr(True) == "True" and bool([]) is False and bool(0.0) is False and int(True) == 1
assert str(False) == "False" and f"{True}" == "True" and f"{True:d}" == "1" and True == 1.0
print("ok")

# Long numbers are converted by halves.
import math
import sys

sys.set_int_max_str_digits(0)
for n in (16383, 16384, 16385, 32768, 40000, 65537, 100003):
    for digit in "1907":
        text = digit.replace("0", "5") + digit * (n - 1)
        value = int(text)
        assert str(value) == text and str(-value) == "-" + text, (n, digit)
    assert str(10**n) == "1" + "0" * n and int("1" + "0" * n) == 10**n
    assert int("z" * n, 36) == 36**n - 1 and int("2" * n, 3) == 3**n - 1
sys.set_int_max_str_digits(4300)
a, b = 3**60000 * 7**500, 3**50000 * 11**900
assert math.gcd(a, b) == 3**50000 == math.gcd(-b, a) and math.gcd(a, 0) == a and math.gcd(b, 3**10) == 3**10

# Long numbers divided by others nearly as long: digit by digit, where an estimate is one too large as well.
def check_division(a, b):
    q, r = divmod(a, b)
    assert q * b + r == a and (0 <= r < b if b > 0 else b < r <= 0), (a, b)
    assert a // b == q and a % b == r


import random

numbers = random.Random(7)
for bits in (2047, 2048, 2049, 2050, 2111, 2112, 2113, 4000, 9999):
    for more in (-1, 0, 1, 2, 63, 64, 65, 500, 2046, 2047, 2048, 2049, 2050):
        for _ in range(6):
            b = numbers.getrandbits(bits) | 1 << bits
            a = numbers.getrandbits(bits + more) | 1 << bits + more
            for a, b in (a, b), (-a, b), (a, -b), (-a, -b), (b * (a >> bits) - 1, b), (b * (a >> bits), b):
                check_division(a, b)
        # The divisor's first digit is the least there is, and all of the dividend's are ones; and the reverse.
        for b in (1 << bits) + 1, (1 << bits) - 1, (1 << bits) | (1 << 64) - 1, ((1 << bits) - 1) << 3 | 1:
            for a in (1 << bits + more) - 1, 1 << bits + more, (b << max(more, 0)) - 1, b * b - 1:
                check_division(a, b)
