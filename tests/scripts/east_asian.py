# Python 3.14
# The encodings of East Asia: tables, states, errors, streams.
import codecs
import io

SAMPLES = {
    "gb2312": ("中文", b"\xd6\xd0\xce\xc4"),
    "gbk": ("中文㐂"[:2], b"\xd6\xd0\xce\xc4"),
    "gb18030": ("中€\U0001f600", b"\xd6\xd0\xa2\xe3\x94\x39\xfc\x36"),
    "hz": ("a~中文b", b"a~~~{VPND~}b"),
    "big5": ("中文", b"\xa4\xa4\xa4\xe5"),
    "cp950": ("中文€", b"\xa4\xa4\xa4\xe5\xa3\xe1"),
    "big5hkscs": ("ÊÊ̄中", b"\x88\x66\x88\x62\xa4\xa4"),
    "euc_kr": ("한글갂", b"\xc7\xd1\xb1\xdb\xa4\xd4\xa4\xa1\xa4\xbf\xa4\xa2"),
    "cp949": ("한글갂", b"\xc7\xd1\xb1\xdb\x81\x41"),
    "johab": ("한글", b"\xd0\x65\x8b\x69"),
    "shift_jis": ("日本ｱ¥", b"\x93\xfa\x96\x7b\xb1\x5c"),
    "cp932": ("日本①\x80", b"\x93\xfa\x96\x7b\x87\x40\x80"),
    "shift_jis_2004": ("日本か゚", b"\x93\xfa\x96\x7b\x82\xf5"),
    "euc_jp": ("日本ｱ丂", b"\xc6\xfc\xcb\xdc\x8e\xb1\x8f\xb0\xa1"),
    "euc_jis_2004": ("日本か゚", b"\xc6\xfc\xcb\xdc\xa4\xf7"),
    "euc_jisx0213": ("日本か゚", b"\xc6\xfc\xcb\xdc\xa4\xf7"),
    "iso2022_kr": ("a한글b", b"a\x1b$)C\x0eGQ1[\x0fb"),
    "iso2022_jp": ("a日本b", b"a\x1b$BF|K\\\x1b(Bb"),
    "iso2022_jp_1": ("丂", b"\x1b$(D0!\x1b(B"),
    "iso2022_jp_2": ("日한", b"\x1b$BF|\x1b$(CGQ\x1b(B"),
    "iso2022_jp_2004": ("か゚", b"\x1b$(Q$w\x1b(B"),
    "iso2022_jp_3": ("か゚", b"\x1b$(O$w\x1b(B"),
    "iso2022_jp_ext": ("ｱ", b"\x1b(I1\x1b(B"),
}

for name, (text, data) in SAMPLES.items():
    assert text.encode(name) == data, (name, text.encode(name))
    back = data.decode(name)
    assert back == (text.replace("¥", "\\") if name == "shift_jis" else text), (name, back)
    # Byte by byte, and character by character.
    decoder = codecs.getincrementaldecoder(name)()
    parts = "".join(decoder.decode(data[i : i + 1]) for i in range(len(data))) + decoder.decode(b"", True)
    assert parts == back, (name, parts)
    encoder = codecs.getincrementalencoder(name)()
    parts = b"".join(encoder.encode(c) for c in text) + encoder.encode("", True)
    assert parts == data, (name, parts)
    assert codecs.getreader(name)(io.BytesIO(data)).read() == back
    stream = io.BytesIO()
    writer = codecs.getwriter(name)(stream)
    writer.write(text)
    writer.reset()
    # It only writes what it has kept, and not the end of a state.
    assert data.startswith(stream.getvalue()) and stream.getvalue(), (name, stream.getvalue())


def error(kind, call, *args):
    try:
        call(*args)
    except kind as e:
        return e
    raise AssertionError(f"{kind.__name__} was not raised")


e = error(UnicodeDecodeError, b"a\xd6".decode, "gbk")
assert (e.start, e.end, e.reason) == (1, 2, "incomplete multibyte sequence"), e
e = error(UnicodeDecodeError, b"a\xff\xffb".decode, "gbk")
assert (e.start, e.end, e.reason) == (1, 2, "illegal multibyte sequence"), e
e = error(UnicodeEncodeError, "a\u0e01b".encode, "euc_kr")
assert (e.encoding, e.start, e.end, e.reason) == ("euc_kr", 1, 2, "illegal multibyte sequence"), e
assert "a\u0e01b".encode("gb2312", "replace") == b"a?b"
assert "a\u0e01b".encode("gb2312", "xmlcharrefreplace") == b"a&#3585;b"
assert "a\u0e01b".encode("gb2312", "ignore") == b"ab"
assert "日\u0e01".encode("iso2022_jp", "replace") == b"\x1b$BF|\x1b(B?"
assert b"a\xff\xffb".decode("big5", "replace") == "a\ufffd\ufffdb"
assert b"\x1b$BF|\x1b(Q".decode("iso2022_jp", "ignore") == "日"
codecs.register_error("east.back", lambda e: ("\xb7", e.end))
assert b"\xffa".decode("gbk", "east.back") == "\xb7a"
codecs.register_error("east.wrong", lambda e: (1, e.end))
error(TypeError, b"\xff".decode, "gbk", "east.wrong")
codecs.register_error("east.far", lambda e: ("", 100))
error(IndexError, b"\xff".decode, "gbk", "east.far")

# States as numbers.
encoder = codecs.getincrementalencoder("euc_jis_2004")()
assert encoder.getstate() == 0
assert encoder.encode("\u00e6") == b""
state = encoder.getstate()
assert state == int.from_bytes(b"\x02\xc3\xa6" + bytes(8), "little")
assert encoder.encode("\u0300") == b"\xab\xc4"
encoder.setstate(state)
assert encoder.encode("a") == b"\xa9\xdca"
encoder = codecs.getincrementalencoder("iso2022_jp")()
assert encoder.getstate() == int.from_bytes(b"\x00BB" + bytes(6), "little")
assert encoder.encode("日") == b"\x1b$BF|"
encoder.reset()
assert encoder.encode("a") == b"a"
decoder = codecs.getincrementaldecoder("iso2022_jp")()
assert decoder.decode(b"\x1b$BF") == ""
state = decoder.getstate()
assert state[0] == b"F"
assert decoder.decode(b"|") == "日"
decoder.setstate(state)
assert decoder.decode(b"|") == "日"

with io.TextIOWrapper(io.BytesIO(), encoding="euc_jp", newline="") as file:
    file.write("日本\nabc\n")
    file.seek(0)
    assert file.readline() == "日本\n"
    place = file.tell()
    assert file.read() == "abc\n"
    file.seek(place)
    assert file.read() == "abc\n"

assert compile("# coding: shift_jis\nx = '日'".encode("shift_jis"), "<s>", "exec")
import _codecs_cn
import _multibytecodec

error(LookupError, _codecs_cn.getcodec, "euc_jp")
error(TypeError, _codecs_cn.getcodec, 1)
error(AttributeError, _multibytecodec.MultibyteIncrementalEncoder)
