# Python 3.14
"""Decimal numbers in Rust: exact arithmetic, contexts and their signals, texts, large numbers."""

import decimal
import pickle
from decimal import Decimal as D
from decimal import Context, FloatOperation, Inexact, InvalidOperation, Overflow, localcontext
from fractions import Fraction


def raises(exception, text, f):
    try:
        f()
    except exception as e:
        assert text in str(e), (text, str(e))
    else:
        raise AssertionError(f"no {exception.__name__}")


def test_arithmetic():
    assert D(1) / 3 == D("0." + "3" * 28)
    assert repr(D("1.10") + D("2.2")) == "Decimal('3.30')"
    assert D(-7) // 2 == -3 and D(-7) % 2 == -1 and divmod(D(7), D(-2)) == (-3, 1)
    assert D("1E+5") + D("1E-40") == D("100000.0000000000000000000000")
    assert D(2).sqrt() == D("1.414213562373095048801688724")
    assert D(2) ** -3 == D("0.125") and D("1.000") ** 3 == D("1.000000000")
    assert D(9) ** D("0.5") == 3 and pow(D(7), 100, 13) == 9
    assert D(1).exp() == D("2.718281828459045235360287471")
    assert D(3).ln() == D("1.098612288668109691395245237") and D(1000).log10() == 3
    assert D("1.05").quantize(D("0.1")) == D("1.0") and round(D("2.675"), 2) == D("2.68")
    assert D("1.2").fma(3, 4) == D("7.6")
    assert D(10).remainder_near(6) == -2 and D("1.9").to_integral_value() == 2
    assert D("1101").logical_and(D("111")) == D("101") and D(12345).rotate(-2) == D("4500000000000000000000000123")
    assert sum([D("0.1")] * 10) == 1 and str(D("0.1") * 3) == "0.3"


def test_texts():
    for text in ("0E-10", "-0.0", "1E+10", "1.234E-7", "123E+3", "NaN12", "-sNaN", "-Infinity"):
        assert str(D(text)) == text.replace("123E+3", "1.23E+5"), text
    assert D("123E+3").to_eng_string() == "123E+3" and D(" 1_0.5 ") == D("10.5") and D("\u0663") == 3
    assert f"{D('1234567.891'):,.2f}" == "1,234,567.89" and f"{D('0.5'):%}" == "50%"
    assert f"{D('-0.001'):z.1f}" == "0.0" and f"{D('1.5'):*^9}" == "***1.5***" and f"{D(7):+08.2f}" == "+0007.00"
    assert D((1, (1, 2, 3), -2)) == D("-1.23") and D("-1.23").as_tuple() == (1, (1, 2, 3), -2)
    assert D(0.1).as_integer_ratio() == (0.1).as_integer_ratio()
    for x in (D("1.50"), D("-Infinity"), D("1E+999999")):
        assert repr(pickle.loads(pickle.dumps(x))) == repr(x)


def test_comparison():
    assert D("0.5") == 0.5 == Fraction(1, 2) and hash(D("0.5")) == hash(0.5) and D(10**30) == 10**30
    assert D("1.0").compare_total(D("1")) == -1 and D("NaN") != D("NaN")
    assert sorted([D(3), 2, D("-1"), Fraction(5, 2)]) == [D("-1"), 2, Fraction(5, 2), D(3)]
    raises(InvalidOperation, "InvalidOperation", lambda: D("NaN") < 1)
    raises(TypeError, "'<' not supported between instances of 'decimal.Decimal' and 'str'", lambda: D(1) < "1")


def test_contexts():
    raises(decimal.DivisionByZero, "[<class 'decimal.DivisionByZero'>]", lambda: D(1) / 0)
    raises(InvalidOperation, "[<class 'decimal.DivisionUndefined'>]", lambda: D(0) / 0)
    raises(InvalidOperation, "[<class 'decimal.ConversionSyntax'>]", lambda: D("1x"))
    with localcontext(prec=5, Emax=9, Emin=-9) as c:
        assert D(2) / 3 == D("0.66667") and c.flags[Inexact]
        raises(Overflow, "Overflow", lambda: D("9e9") * 2)
        c.traps[Overflow] = False
        assert D("9e9") * 2 == D("Infinity")
        c.rounding = decimal.ROUND_DOWN
        assert D("9e9") * 2 == D("9.9999E+9") and D(2) / 3 == D("0.66666")
        assert +D("1.23456E-12") == D("1.2E-12") and c.flags[decimal.Underflow]
    assert decimal.getcontext().prec == 28
    with localcontext() as c:
        c.traps[FloatOperation] = True
        raises(FloatOperation, "", lambda: D(0.1))
    exact = Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
    raises(MemoryError, "", lambda: exact.divide(1, 3))
    assert exact.multiply(10**50, 10**50) == 10**100
    raises(ValueError, "valid range for prec is [1, MAX_PREC]", lambda: Context(prec=0))


def test_large_numbers():
    with localcontext(prec=3000):
        root = D(2).sqrt()
        assert abs(root * root - 2) < D("1e-2998") and len(str(root)) == 3001
        assert (D(7) / 13 * 13).quantize(D("1e-2990")) == 7
        assert abs(D(5).ln().exp() - 5) < D("1e-2990")
        n = D("7" * 2500)
        assert int(n) == int("7" * 2500) and D(int(n)) == n and str(n * n)[:8] == "6.049382"


for test in (test_arithmetic, test_texts, test_comparison, test_contexts, test_large_numbers):
    test()
