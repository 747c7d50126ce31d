# Skein alone
"""Natives that never end by themselves, or not soon: a signal's handler stops them."""
import base64
import hashlib
import itertools
import math
import operator
import re
import signal
import struct
import sys
import time


class Stop(BaseException):
    pass


def handler(*args):
    raise Stop


signal.signal(signal.SIGALRM, handler)
sys.set_int_max_str_digits(0)


def loop():
    while 1:
        [0] * 10**6


endless = [
    lambda: 3 ** 10**9,
    lambda: sum(itertools.count()),
    lambda: max(itertools.count()),
    lambda: any(itertools.repeat(0)),
    lambda: -1 in itertools.count(),
    lambda: operator.indexOf(itertools.count(), -1),
    lambda: "".join(itertools.repeat("")),
    lambda: next(itertools.islice(itertools.count(), 10**15, None)),
    lambda: next(filter(None, itertools.repeat(0))),
    lambda: next(itertools.filterfalse(None, itertools.repeat(1))),
    lambda: next(itertools.compress(itertools.repeat(1), itertools.repeat(0))),
    lambda: next(itertools.chain.from_iterable(itertools.repeat([]))),
    lambda: dict(zip(itertools.repeat(1), itertools.repeat(1))),
    lambda: math.comb(10**8, 10**7),
    lambda: math.perm(10**8, 10**7),
    lambda: math.factorial(10**8),
    lambda: math.prod(itertools.count(1)),
    lambda: pow(3, 3**10**5, 7**10**5),
    lambda: re.match("(a+)+b", "a" * 60),
    lambda: re.search("a*b", "a" * 10**6),
    lambda: sorted([1] * 10**7, key=lambda v: v),
    lambda: list(map(lambda v: v, itertools.repeat(1))),
    lambda: math.gcd(3**2000000, 7**2000000),
    lambda: int("7" * 10**7),
    lambda: str(3 ** (2 * 10**7)),
    lambda: hashlib.pbkdf2_hmac("sha256", b"a", b"b", 2**31 - 1),
    lambda: math.isqrt(7 ** (3 * 10**7)),
    loop,
]
for f in endless:
    started = None
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        started = time.monotonic()
        f()
    except Stop:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    # A machine that is busy with other things gets its time.
    assert time.monotonic() - started < 20, f

# What is done in pieces is right all the same.
a, b = 3**200_000 + 12345, 7**150_001 + 1
assert (a * b) % 1_000_000_007 == a % 1_000_000_007 * (b % 1_000_000_007) % 1_000_000_007
for x, y in ((a * b, b), (a * b + 17, b), (-a * b + 17, b), (a * b + 17, -b), (-a * b, -b), (a, b * a), (a * a * a, 3), (a, a), (-a, a)):
    q, r = divmod(x, y)
    assert q * y + r == x and (0 <= r < y or y < r <= 0), (q, r)
    assert x // y == q and x % y == r
assert (-3) ** 200_001 == -(3**200_001) and 2**400_000 == 1 << 400_000 and 3**400_000 == 9**200_000
n = 3**5000 + 2
assert pow(5, 7**3000, n) == pow(pow(5, 7**1500, n), 7**1500, n)
assert math.factorial(3000) // math.factorial(2998) == 3000 * 2999
assert math.comb(5000, 2500) == math.factorial(5000) // math.factorial(2500) ** 2
assert math.perm(10**30, 2) == 10**30 * (10**30 - 1)

# Sizes that are refused before anything is made of them.
M = 2**63 - 1
for f in (
    lambda: itertools.product(range(3), repeat=M),
    lambda: next(itertools.combinations_with_replacement(range(10), M)),
    lambda: next(itertools.product(range(3), repeat=2**60)),
    lambda: "x".ljust(M),
    lambda: b"a".zfill(M),
    lambda: [1] * M,
    lambda: bytes(M),
    lambda: bytearray(M),
    lambda: "x\t".expandtabs(2**31 - 1) * 2**40,
    lambda: format(1.0, f".{2**31}e"),
):
    try:
        f()
    except (OverflowError, MemoryError, ValueError):
        pass
    else:
        raise AssertionError(f)

for n in (3**9000, 3**9000 + 1, (3**4500) ** 2, (3**4500) ** 2 - 1, 1 << 20000, (1 << 20000) - 1, 1 << 20001):
    root = math.isqrt(n)
    assert root * root <= n < (root + 1) ** 2
for n in (1 << 64, 3**5000, (1 << 4096) - 1, 1 << 4097, 7**3001):
    assert int(hex(n), 16) == int(oct(n), 8) == int(bin(n), 2) == n
    assert f"{n:x}" == hex(n)[2:] and f"{n:#X}" == hex(n).upper().replace("0X", "0X") and f"{-n:o}" == "-" + oct(n)[2:]
row = list(range(200_000))
packed = struct.pack(f"<{len(row)}q", *row)
assert list(struct.unpack(f"<{len(row)}q", packed)) == row
assert bytes.fromhex(packed.hex()) == packed and base64.b64decode(base64.b64encode(packed)) == packed
assert packed.translate(bytes(255 - i for i in range(256)), b"\0") == bytes(255 - b for b in packed if b)
assert packed.translate(None, bytes(range(1, 256))) == bytes(packed.count(0))
assert hashlib.pbkdf2_hmac("sha256", b"pw", b"salt", 5000, 40).hex() == (
    "a8ab7dd5f8db605e8f440b885870a41fa34e66cbfbcbc92186efb72315712674d166805fd3a20e1e"
)
