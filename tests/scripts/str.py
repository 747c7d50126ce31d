"""str: methods, indexing, encoding."""


def raises(error, f, *args):
    try:
        f(*args)
    except error as e:
        return str(e)
    assert False, "did not raise"


# Indexing, slicing, iteration.
for s in ("hello", "héllo", "h\U0001f600llo"):
    assert len(s) == 5 and s[0] == "h" and s[-1] == "o" and s[1] * 2 == s[1] + s[1] and s[1:3] == s[1] + "l"
    assert s[::-1] == "oll" + s[1] + "h" and s[::2] == "hlo" and "".join([c for c in s]) == s and s[10:] == "" and s[:] is s
    assert s.find("l") == 2 and s.rfind("l") == 3 and s.find("l", 3) == 3 and s.find("z") == -1 and s.index("o") == 4
    assert s.count("l") == 2 and s.count("") == 6 and s.find("", 9) == -1 and s.startswith("l", 2) and s.endswith("o", -1)
assert raises(IndexError, lambda: "a"[5]) == "string index out of range"
assert raises(TypeError, lambda: "a"["x"]) == "string indices must be integers, not 'str'"

# Operators.
assert "a" + "b" == "ab" and "ab" * 3 == 3 * "ab" == "ababab" and "a" * -1 == "" and "a" < "b" and "" < "a" and "ä" > "z"
assert "b" in "abc" and "" in "" and "x" not in "abc" and hash("abc") == hash("".join(["a", "bc"]))
assert raises(TypeError, lambda: "a" + 1) == 'can only concatenate str (not "int") to str'
assert raises(TypeError, lambda: "a" * "b") == "can't multiply sequence by non-int of type 'str'"
assert raises(TypeError, lambda: 1 in "a") == "'in <string>' requires string as left operand, not int"

# Cutting and joining.
assert "a,b,,c".split(",") == ["a", "b", "", "c"] and " a  b ".split() == ["a", "b"] and "".split() == [] and "".split(",") == [""]
assert "a b c".split(None, 1) == ["a", "b c"] and "a b c".rsplit(None, 1) == ["a b", "c"] and " a b ".split(None, 1) == ["a", "b "]
assert "a--b--c".split("--", 1) == ["a", "b--c"] and "a--b--c".rsplit("--", 1) == ["a--b", "c"]
assert "a\u2003b".split() == ["a", "b"] and raises(ValueError, "a".split, "") == "empty separator"
assert "a\nb\r\nc\x0bd\u2028".splitlines() == ["a", "b", "c", "d"] and "a\nb".splitlines(True) == ["a\n", "b"]
assert "a=b=c".partition("=") == ("a", "=", "b=c") and "a=b=c".rpartition("=") == ("a=b", "=", "c")
assert "abc".partition("x") == ("abc", "", "") and "abc".rpartition("x") == ("", "", "abc")
assert "-".join(["a", "b"]) == "a-b" and "".join(()) == "" and ", ".join(c for c in "xyz") == "x, y, z"
assert raises(TypeError, "".join, ["a", 1]) == "sequence item 1: expected str instance, int found"
assert raises(TypeError, "".join, 5) == "can only join an iterable"
assert "  a ".strip() == "a" and "xxaxx".strip("x") == "a" and "éaé".lstrip("é") == "aé" and "abc".rstrip("bc") == "a"
assert "abcabc".replace("b", "X") == "aXcaXc" and "abc".replace("", "-") == "-a-b-c-" and "aaa".replace("a", "b", 2) == "bba"
assert "abc".removeprefix("a") == "bc" and "abc".removesuffix("bc") == "a" and "abc".removeprefix("x") == "abc"

# Case.
assert "Hello".upper() == "HELLO" and "straße".upper() == "STRASSE" and "ΑΣ ΑΣΑ".lower() == "ας ασα" and "ŉ".title() == "ʼN"
assert "hello world's".title() == "Hello World'S" and "hELLO".capitalize() == "Hello" and "ǆ".capitalize() == "ǅ"
assert "aBc".swapcase() == "AbC" and "ẞß".casefold() == "ssss" and "ﬁ".title() == "Fi" and "İ".lower() == "i̇"

# Predicates.
assert "abc".isalpha() and not "".isalpha() and "é1".isalnum() and "²".isdigit() and not "²".isdecimal() and "Ⅷ".isnumeric()
assert "五".isnumeric() and "१".isdecimal() and "x_1".isidentifier() and "é".isidentifier() and not "1x".isidentifier()
assert "a1".islower() and "A1".isupper() and "Ab Cd".istitle() and " \t\u2003".isspace() and "é".isprintable() and not "\n".isprintable()
assert "".isprintable() and "".isascii() and not "é".isascii()

# Padding.
assert "a".center(4, "*") == "*a**" and "ab".center(5) == "  ab " and "a".ljust(3) == "a  " and "a".rjust(3, "é") == "ééa"
assert "-5".zfill(4) == "-005" and "a\tb".expandtabs() == "a       b" and "a\tb".expandtabs(2) == "a b"
assert "abc".translate({97: "X", 98: None, 99: 100}) == "Xd" and "abc".translate(str.maketrans("ab", "xy", "c")) == "xy"
assert str.maketrans({"a": 1}) == {97: 1} and ord("é") == 233 and chr(0x1F600) == "\U0001f600"
assert raises(ValueError, chr, -1) == "chr() arg not in range(0x110000)"
assert raises(TypeError, ord, "ab") == "ord() expected a character, but string of length 2 found"

# repr.
assert repr("a'b") == '"a\'b"' and repr("a'\"") == "'a\\'\"'" and repr("\n\t\\\x00\x7f") == "'\\n\\t\\\\\\x00\\x7f'"
assert repr("é\u200b\ud800\U000e0001") == "'é\\u200b\\ud800\\U000e0001'" and ascii("é€\U0001f600") == "'\\xe9\\u20ac\\U0001f600'"

# Encoding.
assert "é€".encode() == b"\xc3\xa9\xe2\x82\xac" and "é".encode("latin-1") == b"\xe9" and "a".encode("ASCII") == b"a"
for name in ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "utf-8-sig"):
    assert "aé€\U0001f600".encode(name).decode(name) == "aé€\U0001f600", name
assert "é€".encode("ascii", "ignore") == b"" and "é".encode("ascii", "replace") == b"?"
assert "é€".encode("ascii", "backslashreplace") == b"\\xe9\\u20ac" and "é".encode("ascii", "xmlcharrefreplace") == b"&#233;"
assert b"a\xffb".decode("utf-8", "replace") == "a\ufffdb" and b"\xff".decode("utf-8", "backslashreplace") == "\\xff"
assert b"\xff".decode("utf-8", "surrogateescape") == "\udcff" and "\udcff".encode("utf-8", "surrogateescape") == b"\xff"
assert "\ud800".encode("utf-8", "surrogatepass") == b"\xed\xa0\x80"
for f in (lambda: "é".encode("ascii"), lambda: "\ud800".encode(), lambda: b"\xff".decode(), lambda: b"\xe2\x82".decode()):
    raises(UnicodeError, f)
assert raises(LookupError, "a".encode, "nope") == "unknown encoding: nope"
assert str(b"abc", "utf-8") == "abc" and str(object=5) == "5" and str() == ""


class S(str):
    def __str__(self):
        return "S!"


s = S("abc")
s.x = 1
assert s.x == 1 and str(s) == "S!" and s + "d" == "abcd" and type(s.upper()) is str and "%s" % s == "S!" and f"{s}" == "S!"
assert {"abc": 1}[s] == 1 and hash(S("héé")) == hash("héé") and s == "abc" and "-".join([s, s]) == "abc-abc" and type(s[:]) is str
print("ok")


def positions_in_wide_text():
    # Lengths around the distance of the marks that positions are found by, characters of all widths.
    for n in (0, 1, 63, 64, 65, 127, 128, 129, 130, 1000):
        chars = [chr((0x61, 0xE9, 0x20AC, 0x1F600)[i * i % 4]) for i in range(n)] + ["\xe9"]
        text = "".join(chars)
        assert len(text) == n + 1 and list(text) == chars
        for i in range(0, n + 1, max(1, n // 97)):
            assert text[i] == chars[i] and text[i:] == "".join(chars[i:]) and text[:i] == "".join(chars[:i])
            assert text.index(text[i:]) <= i and text.find("\xe9", i) == (chars.index("\xe9", i))
        assert text.rfind("\xe9") == n and text.find("") == 0 and text[::-1] == "".join(chars[::-1])

    class Text(str):
        pass

    marked = Text("\xe9" * 200)
    marked.note = [1]
    assert marked.note == [1] and marked[199] == "\xe9"


positions_in_wide_text()
