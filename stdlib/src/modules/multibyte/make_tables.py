"""Makes tables.bin, the character sets of the East Asian encodings, by asking CPython's codecs.

usage: python3.14 make_tables.py > tables.bin

The file is compressed by zlib. A table is what an encoding makes of its sequences of two and three bytes (and of single
bytes from 0x80), as differences from an earlier table that has most of it:

    base        number of that table + 1, or 0
    sequences   how many follow: distance from the last one, then 0 (there is none here), 1 and two code points, or 2 + the
                zigzag distance from the code point before
    exceptions  how many follow: code points that are not encoded as the first sequence that gives them: distance from the
                last one, then 0 or 1 + the sequence

All numbers are little-endian in base 128. After the tables come the runs of GB18030's sequences of four bytes: how many,
and for each the distance of its first number from the end of the last run, its length, and its first code point.
"""

import sys
import zlib

# In this order, since bases come first; `tables.rs` has the same.
TABLES = [
    ("gbk", None),
    ("gb2312", "gbk"),
    ("gb18030", "gbk"),
    ("big5", None),
    ("cp950", "big5"),
    ("big5hkscs", "big5"),
    ("euc_kr", None),
    ("cp949", "euc_kr"),
    ("johab", None),
    ("shift_jis", None),
    ("cp932", "shift_jis"),
    ("shift_jis_2004", "shift_jis"),
    ("shift_jisx0213", "shift_jis_2004"),
    ("euc_jp", None),
    ("euc_jis_2004", "euc_jp"),
    ("euc_jisx0213", "euc_jis_2004"),
]
THREE_BYTES = {"euc_jp", "euc_jis_2004", "euc_jisx0213"}
CODE_POINTS = [*range(0x80, 0xD800), *range(0xE000, 0x30000)]


def decoded(row, encoding):
    try:
        return bytes(row).decode(encoding)
    except UnicodeDecodeError:
        return None


def sequences(encoding):
    found = {}
    for a in range(0x80, 0x100):
        if (text := decoded([a], encoding)) is not None:
            found[a] = text
            continue
        for b in range(0x100):
            if (text := decoded([a, b], encoding)) is not None:
                found[a << 8 | b] = text
    if encoding in THREE_BYTES:
        for b in range(0xA1, 0xFF):
            for c in range(0xA1, 0xFF):
                if (text := decoded([0x8F, b, c], encoding)) is not None:
                    found[0x8F0000 | b << 8 | c] = text
    return found


def exceptions(encoding, found):
    inverse = {text: key for key, text in sorted(found.items(), reverse=True)}
    for code in CODE_POINTS:
        try:
            row = chr(code).encode(encoding)
        except UnicodeEncodeError:
            key = None
        else:
            # What has more is put together by rules.
            key = int.from_bytes(row) if len(row) <= 3 else None
        if inverse.get(chr(code)) != key:
            yield code, key


def number(n):
    while n > 0x7F:
        yield n & 0x7F | 0x80
        n >>= 7
    yield n


def zigzag(n):
    return n << 1 if n >= 0 else (-n << 1) - 1


def table(encoding, base, found, out):
    out.extend(number([name for name, _ in TABLES].index(base) + 1 if base else 0))
    own, below = found[encoding], found.get(base, {})
    keys = sorted(k for k in own.keys() | below.keys() if own.get(k) != below.get(k))
    out.extend(number(len(keys)))
    last, before = -1, 0
    for key in keys:
        out.extend(number(key - last - 1))
        last = key
        text = own.get(key)
        if text is None:
            out.extend(number(0))
        elif len(text) == 2:
            out.extend([*number(1), *number(ord(text[0])), *number(ord(text[1]))])
        else:
            out.extend(number(2 + zigzag(ord(text) - before)))
            before = ord(text)
    rows = list(exceptions(encoding, own))
    out.extend(number(len(rows)))
    last = -1
    for code, key in rows:
        out.extend([*number(code - last - 1), *number(0 if key is None else key + 1)])
        last = code


def four_bytes(out):
    runs = []
    for code in CODE_POINTS:
        if code > 0xFFFF:
            break
        row = chr(code).encode("gb18030")
        if len(row) == 4:
            a, b, c, d = row
            place = ((a - 0x81) * 10 + b - 0x30) * 1260 + (c - 0x81) * 10 + d - 0x30
            runs.append((place, code))
    runs.sort()
    joined = []
    for place, code in runs:
        if joined and joined[-1][0] + joined[-1][2] == place and joined[-1][1] + joined[-1][2] == code:
            joined[-1][2] += 1
        else:
            joined.append([place, code, 1])
    out.extend(number(len(joined)))
    end = 0
    for place, code, length in joined:
        out.extend([*number(place - end), *number(length), *number(code)])
        end = place + length


def main():
    found, out = {}, bytearray()
    for encoding, base in TABLES:
        found[encoding] = sequences(encoding)
        table(encoding, base, found, out)
    four_bytes(out)
    sys.stdout.buffer.write(zlib.compress(out, 9))


main()
