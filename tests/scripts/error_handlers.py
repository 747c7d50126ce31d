# Handlers of codecs' errors: what they may put in, and what they say themselves.
import codecs


def raises(kind, f, *args):
    try:
        f(*args)
    except kind as e:
        return e
    raise AssertionError(f"{kind.__name__} is not raised")


assert codecs.lookup_error("strict") is codecs.strict_errors is codecs.lookup_error("strict")
codecs.register_error("test.given", lambda e: (given, e.end))
for encoding, given, good in (
    ("ascii", "abc", True), ("latin-1", "½", True), ("utf-8", "\U0001f40d", False), ("utf-16", "é", False),
    ("utf-8", b"\xff", True), ("utf-16-le", b"a", False), ("utf-16-le", b"ab", True), ("utf-32-be", b"abc", False),
):
    text = "[\udc80]"
    if good:
        inside = given if isinstance(given, bytes) else given.encode(encoding)
        assert text.encode(encoding, "test.given") == "[".encode(encoding) + inside + "]".encode(encoding)
    else:
        e = raises(UnicodeEncodeError, text.encode, encoding, "test.given")
        assert (e.start, e.end, e.object) == (1, 2, text)

passing = codecs.lookup_error("surrogatepass")
for encoding, text, data in (
    ("utf-8", "\ud800", b"\xed\xa0\x80"), ("utf-16le", "\udfff", b"\xff\xdf"), ("utf-16be", "\udfff", b"\xdf\xff"),
    ("utf_32_le", "\ud800\udfff", b"\0\xd8\0\0\xff\xdf\0\0"), ("UTF-32BE", "\ud800", b"\0\0\xd8\0"),
):
    assert passing(UnicodeEncodeError(encoding, "a" + text + "b", 1, 1 + len(text), "x")) == (data, 1 + len(text))
    size = len(data) // len(text)
    assert passing(UnicodeDecodeError(encoding, b"a" + data[:size] + b"b", 1, 1 + size, "x")) == (text[0], 1 + size)
    raises(UnicodeEncodeError, passing, UnicodeEncodeError(encoding, "a", 0, 1, "x"))
    raises(UnicodeDecodeError, passing, UnicodeDecodeError(encoding, "a".encode(encoding), 0, 1, "x"))
raises(UnicodeEncodeError, passing, UnicodeEncodeError("ascii", "\ud800", 0, 1, "x"))
raises(TypeError, passing, UnicodeTranslateError("\ud800", 0, 1, "x"))
print("ok")
