"""float: text, arithmetic, rounding, hash."""


def raises(error, f, *args):
    try:
        f(*args)
    except error as e:
        return str(e)
    assert False, "did not raise"


inf, nan = float("inf"), float("nan")
for x, text in (
    (0.0, "0.0"), (-0.0, "-0.0"), (1e15, "1000000000000000.0"), (1e16, "1e+16"), (1e-4, "0.0001"), (1e-5, "1e-05"),
    (0.1, "0.1"), (1 / 3, "0.3333333333333333"), (1e22, "1e+22"), (1e23, "1e+23"), (5e-324, "5e-324"),
    (1.7976931348623157e308, "1.7976931348623157e+308"), (inf, "inf"), (-inf, "-inf"), (nan, "nan"), (100.0, "100.0"),
    (123456789.125, "123456789.125"), (900719925474099.25, "900719925474099.2"),
):
    assert repr(x) == text and str(x) == text, text

assert float(" 1_0.5e1 ") == 105.0 and float("+.5") == 0.5 and float("5.") == 5.0 and float("-Infinity") == -inf
assert float("1e400") == inf and float(b"1.5") == 1.5 and float("१.५") == 1.5 and float() == 0.0
for text in ("", "x", "1e", "0x10", "1._5", "infinit", "1 2"):
    assert raises(ValueError, float, text) == f"could not convert string to float: {text!r}"
assert raises(TypeError, float, []) == "float() argument must be a string or a real number, not 'list'"

assert 7.5 // 2 == 3.0 and -7.5 // 2 == -4.0 and -7.5 % 2 == 0.5 and 7.5 % -2 == -0.5 and divmod(-1.5, 1) == (-2.0, 0.5)
assert str(-0.0 % 5) == "0.0" and str(0.0 // -1) == "-0.0" and 5.0 % inf == 5.0 and -5.0 % inf == inf
for f in (lambda: 1.0 / 0, lambda: 1.0 // 0, lambda: 1.0 % 0, lambda: divmod(1.0, 0), lambda: 0.0**-1):
    raises(ZeroDivisionError, f)
assert 2.0**0.5 == 1.4142135623730951 and (-8.0) ** 3 == -512.0 and 1.0**nan == 1.0 and nan**0 == 1.0
assert isinstance((-8.0) ** 0.5, complex)
raises(OverflowError, lambda: 2.0**5000)

assert round(2.5) == 2 and round(3.5) == 4 and round(-0.5) == 0 and round(2.675, 2) == 2.67 and round(0.125, 2) == 0.12
assert round(1234.5, -2) == 1200.0 and round(150.0, -2) == 200.0 and round(50.0, -2) == 0.0 and round(99.5, -3) == 0.0
assert round(5e-324, 400) == 5e-324 and type(round(1.5)) is int and type(round(1.5, 0)) is float
assert (2.5).as_integer_ratio() == (5, 2) and (0.1).as_integer_ratio() == (3602879701896397, 36028797018963968)
assert (1.0).is_integer() and not (1.5).is_integer() and not inf.is_integer() and (1.5).conjugate() == 1.5
assert (-0.1).hex() == "-0x1.999999999999ap-4" and (0.0).hex() == "0x0.0p+0" and (5e-324).hex() == "0x0.0000000000001p-1022"
assert float.fromhex("0x1.8p1") == 3.0 and float.fromhex(" -0x.8p-1 ") == -0.25 and float.fromhex("ff.8") == 255.5
assert float.fromhex("0x1p-1075") == 0.0 and float.fromhex("0x1.00000000000008p0") == 1.0
assert float.fromhex("0x1.000000000000080001p0") == 1.0000000000000002
assert raises(ValueError, float.fromhex, "0x") == "invalid hexadecimal floating-point string"
assert raises(OverflowError, float.fromhex, "0x1p1024") == "hexadecimal value too large to represent as a float"

assert hash(2.0) == 2 and hash(0.5) == 1152921504606846976 and hash(inf) == 314159 and hash(-inf) == -314159
assert hash(1e300) == hash(int(1e300)) and hash(-1.0) == -2
assert nan != nan and not nan < 1 and 1e300 < 10**301 and float(2**53) < 2**53 + 1 and inf > 10**500
assert int(1e20) == 100000000000000000000 and (1.5).__trunc__() == 1 and (1.5).__ceil__() == 2 and (-1.5).__floor__() == -2


class F(float):
    pass


f = F("1.5")
f.unit = "m"
assert f.unit == "m" and f * 2 == 3.0 and type(f * 2) is float and repr(f) == "1.5" and {1.5: 1}[f] == 1
print("ok")
