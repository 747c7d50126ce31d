"""format(), f-strings, str.format and % formatting."""


def raises(error, f, *args):
    try:
        f(*args)
    except error as e:
        return str(e)
    assert False, "did not raise"


for value, spec, text in (
    (42, "", "42"), (42, "5d", "   42"), (42, "<5", "42   "), (42, "^6", "  42  "), (42, "*>5", "***42"), (42, "05", "00042"),
    (-42, "05", "-0042"), (42, "+", "+42"), (42, " ", " 42"), (-42, "=+8d", "-     42"), (255, "x", "ff"), (255, "#X", "0XFF"),
    (255, "#010b", "0b11111111"), (5, "08b", "00000101"), (8, "o", "10"), (1234567, ",", "1,234,567"), (1234567, "_", "1_234_567"),
    (1234567, "012,", "0,001,234,567"), (0xABCDEF, "_x", "ab_cdef"), (65, "c", "A"), (3, "f", "3.000000"), (10**20, "d", "1" + "0" * 20),
    (3.14159, ".2f", "3.14"), (3.14159, "10.3f", "     3.142"), (-3.5, "08.2f", "-0003.50"), (1e10, "", "10000000000.0"),
    (12345.678, "e", "1.234568e+04"), (12345.678, ".3g", "1.23e+04"), (0.0001, "g", "0.0001"), (0.00001, "g", "1e-05"), (100.0, "g", "100"),
    (100.0, "#g", "100.000"), (1234567.891, ",.2f", "1,234,567.89"), (0.256, ".1%", "25.6%"), (float("inf"), "f", "inf"), (float("nan"), "F", "NAN"),
    (-0.04, "z.1f", "0.0"), (2.5, ".0f", "2"), (0.5, ".0f", "0"), (1.5, ".0f", "2"), (1.0, ".3", "1.0"), (123456.0, ".3", "1.23e+05"), (1.5, "+010", "+0000001.5"),
    ("abc", "5", "abc  "), ("abc", ">5", "  abc"), ("abc", "é^5", "éabcé"), ("abcdef", ".3", "abc"), ("abc", "05", "abc00"), ("héé", "4s", "héé "),
    (True, "", "True"), (True, "d", "1"),
):
    assert format(value, spec) == text, (value, spec, format(value, spec), text)
assert raises(ValueError, format, 1, "s") == "Unknown format code 's' for object of type 'int'"
assert raises(ValueError, format, "a", "d") == "Unknown format code 'd' for object of type 'str'"
assert raises(ValueError, format, 1, ".3d") == "Precision not allowed in integer format specifier"
assert raises(ValueError, format, 1.5, "10.f") == "Format specifier missing precision"
assert raises(ValueError, format, 1, ",x") == "Cannot specify ',' with 'x'."
raises(ValueError, format, "a", "+")
raises(ValueError, format, 1, "5dd")

x, w = 3.14159, 10
assert f"{x:.2f}|{x:{w}.{3}f}|{x!r:>9}|{'a'!s:^3}|{x=:.1f}" == "3.14|     3.142|  3.14159| a |x=3.1"

# % formatting.
for text, args, expected in (
    ("%d %i %u", (1, -2, 3), "1 -2 3"), ("%5d|%-5d|%05d|%+d|% d", (42,) * 5, "   42|42   |00042|+42| 42"), ("%x %X %#x %o %#o", (255, 255, 255, 8, 8), "ff FF 0xff 10 0o10"),
    ("%.5d", (42,), "00042"), ("%s %r %a", ("é", "é", "é"), "é 'é' '\\xe9'"), ("%.2s|%5s|%-5s|", ("abc", "a", "a"), "ab|    a|a    |"),
    ("%e %.2f %g %G", (12345.678, 2.5, 1e-10, 1e20), "1.234568e+04 2.50 1e-10 1E+20"), ("%010.2f|%-8.1f|%+.0f", (-3.14159, 2.25, 2.5), "-000003.14|2.2     |+2"),
    ("%c%c", (65, "é"), "Aé"), ("%%", (), "%"), ("%*d|%-*d|%.*f", (5, 42, 5, 42, 2, 3.14159), "   42|42   |3.14"), ("%d", (3.9,), "3"),
    ("%s", ((1, 2),), "(1, 2)"), ("%d", (10**20,), "1" + "0" * 20), ("%ld", (5,), "5"),
):
    assert text % args == expected, (text, text % args)
assert "%(a)s-%(b)05.1f" % {"a": 1, "b": 2.25} == "1-002.2" and "%s" % None == "None" and "%s" % [1] == "[1]" and "x" % {} == "x"
assert raises(TypeError, lambda: "%d" % "a") == "%d format: a real number is required, not str"
assert raises(TypeError, lambda: "%x" % 1.5) == "%x format: an integer is required, not float"
assert raises(TypeError, lambda: "%d %d" % (1,)) == "not enough arguments for format string"
assert raises(TypeError, lambda: "%d" % (1, 2)) == "not all arguments converted during string formatting"
assert raises(ValueError, lambda: "%y" % 1) == "unsupported format character 'y' (0x79) at index 1"
assert raises(ValueError, lambda: "%" % 1) == "incomplete format"
assert raises(TypeError, lambda: "%(a)s" % 1) == "format requires a mapping"
raises(KeyError, lambda: "%(a)s" % {})

# str.format.
assert "{} {}".format(1, 2) == "1 2" and "{1}{0}".format("a", "b") == "ba" and "{a}{b[c]}".format(a=1, b={"c": 2}) == "12"
assert "{0[1]}{0[0]!r:>4}".format(["a", "b"]) == "b 'a'" and "{:{}}".format("a", 3) == "a  " and "{{}}".format() == "{}"
assert "{0.real}".format(5) == "5" and "{:>{w}}".format(1, w=3) == "  1" and "{a}".format_map({"a": 1}) == "1"
assert raises(IndexError, "{} {}".format, 1) == "Replacement index 1 out of range for positional args tuple"
assert raises(ValueError, "{".format) == "Single '{' encountered in format string"
assert raises(ValueError, "}".format) == "Single '}' encountered in format string"
assert raises(ValueError, "{0}{}".format, 1) == "cannot switch from manual field specification to automatic field numbering"
raises(KeyError, "{x}".format)


class P:
    def __format__(self, spec):
        return "<" + spec + ">"


assert f"{P():abc}" == "<abc>" and "{:x}".format(P()) == "<x>" and format(P()) == "<>"
print("ok")
