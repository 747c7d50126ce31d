"""Sources in other encodings than UTF-8, and with other line ends."""
import ast
import codecs


def value(source):
    space = {}
    exec(compile(source, "<made>", "exec"), space)
    return space["s"]


def fails(source, text):
    try:
        compile(source, "<made>", "exec")
    except SyntaxError as e:
        assert text in str(e), e
        return e
    raise AssertionError("no error")


assert value(b'# coding: koi8-r\ns = "\xc1"') == "а"
assert value(b'#!/usr/bin/python\n# -*- coding: iso-8859-15 -*-\ns = "\xa4"') == "€"
assert value(b'# vim: set fileencoding=cp1252 :\ns = "\x80"') == "€"
assert value(b'# coding: utf-7\ns = "+AGE-"') == "a"
assert value(b'# coding: latin-1\ns = "\xe9"') == "é"
assert eval(b'# coding: koi8-r\n"\xc1"') == "а"
assert ast.literal_eval(ast.parse(b'# coding: koi8-r\ns = "\xc1"').body[0].value) == "а"
fails(b"# coding: nope\ns = 1", "unknown encoding: nope")
fails(b"# coding: hex\ns = 1", "'hex' is not a text encoding; use codecs.decode() to handle arbitrary codecs")
fails(b'# coding: cp1252\ns = "\x81"', "'charmap' codec can't decode byte 0x81 in position 22: character maps to <undefined>")
fails(b'# coding: ascii\ns = "\xe9"', "'ascii' codec can't decode byte 0xe9 in position 21: ordinal not in range(128)")
fails(b'# coding: utf8\ns = "\xe9"', "'utf-8' codec can't decode byte 0xe9 in position 20: invalid continuation byte")
fails(b"\xef\xbb\xbf# coding: latin-1\ns = 1", "with BOM")
for source, line in ((b's = "\xe9"', 1), (b"a = 1\n#\xff", 2), (b"# coding: utf-8\na = 1\n\xff", 3), (b"\xef\xbb\xbf\n\xff", 2)):
    e = fails(source, f"on line {line}, but no encoding declared; see https://peps.python.org/pep-0263/ for details")
    assert str(e).startswith("Non-UTF-8 code starting with '\\x") and e.lineno == line
e = fails(b'# coding: koi8-r\ns = "\xc1" +', "invalid syntax")
assert e.lineno == 2 and e.text.rstrip() == 's = "а" +'

# Line ends in texts are plain ones.
for end in ("\n", "\r\n", "\r"):
    source = f's = """a{end}b{end}""" + "c\\{end}d"{end}'
    assert value(source) == value(source.encode()) == "a\nb\ncd", repr(end)
    assert value("# coding: latin-1\n".encode() + source.encode()) == "a\nb\ncd"

# Error handlers may put other bytes into the place of those that cannot be decoded.
def other(e):
    e.object = b""
    return "\u4242", 0


def none(e):
    e.object = 42
    return "\u4242", 0


codecs.register_error("test.other", other)
codecs.register_error("test.none", none)
for encoding, data in [("ascii", b"\xff"), ("utf-7", b"++"), ("utf-8", b"\xff"), ("utf-16", b"\xff"), ("utf-32", b"\xff"),
                       ("unicode-escape", b"\\u123g"), ("raw-unicode-escape", b"\\u123g"), ("cp1252", b"\x81")]:
    assert data.decode(encoding, "test.other") == "\u4242", encoding
    try:
        data.decode(encoding, "test.none")
    except TypeError as e:
        assert str(e) == "UnicodeError 'object' attribute must be a bytes", e
    else:
        raise AssertionError("no error")
assert codecs.unicode_escape_decode(b"\\u12", "test.other") == ("\u4242", 4)
