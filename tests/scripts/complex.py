"""complex: text and arithmetic."""


def raises(error, f, *args):
    try:
        f(*args)
    except error as e:
        return str(e)
    assert False, "did not raise"


assert repr(1 + 2j) == "(1+2j)" and repr(1j) == "1j" and repr(-1j) == "(-0-1j)" and repr(complex(0, -1.5)) == "-1.5j"
assert (1 + 2j) * (3 - 4j) == 11 + 2j and (1 + 2j) / (3 - 4j) == -0.2 + 0.4j and abs(3 + 4j) == 5.0
assert 1 + 1j - 1 == 1j and 2 * 1j == 2j and 1j**2 == -1 and 2**1j == complex(2) ** 1j and (1 + 1j) ** -2 == -0.5j
assert (1 + 2j).conjugate() == 1 - 2j and (1 + 2j).real == 1.0 and (1 + 2j).imag == 2.0 and -(1 + 2j) == -1 - 2j
assert hash(3 + 0j) == hash(3) and 3 + 0j == 3 and 3 + 0j == 3.0 and 1j != 1 and bool(0j) is False and bool(1j)
for text, value in (
    ("1+2j", 1 + 2j), (" ( 1-2j ) ", 1 - 2j), ("j", 1j), ("-j", -1j), ("1e5-1e-5j", 1e5 - 1e-5j), ("1_0+1_0j", 10 + 10j),
    ("3", 3 + 0j), (".5j", 0.5j),
):
    assert complex(text) == value, text
for text in ("", "1 + 2j", "1+2", "1j+2", "((1))", "x"):
    assert raises(ValueError, complex, text) == "complex() arg is a malformed string"
assert complex(1, 2) == 1 + 2j and complex(real=1) == 1 and complex(imag=1) == 1j and complex() == 0j
raises(TypeError, complex, [])
raises(ZeroDivisionError, lambda: 1j / 0)
raises(ZeroDivisionError, lambda: 0j**-1)
raises(TypeError, lambda: 1j < 2j)
raises(TypeError, lambda: 1j // 2)
assert f"{1 + 2j:.2f}" == "1.00+2.00j" and f"{1j}" == "1j" and f"{1 + 2j:>10}" == "    (1+2j)" and f"{1 - 2j:+}" == "(+1-2j)"


class C(complex):
    pass


c = C(1, 2)
c.name = "c"
assert c.name == "c" and c + 1 == 2 + 2j and type(c + 1) is complex
print("ok")

# Infinite factors and divisors, and sums that keep what rounding loses.
inf, nan = float("inf"), float("nan")
assert repr(complex(inf, 1) * complex(2, 0)) == "(inf+nanj)" or (complex(inf, 1) * complex(2, 0)).real == inf
assert (complex(nan, inf) * complex(1, 1)).imag == inf
assert 1 / complex(inf, 1) == 0 and complex(1, 1) / complex(inf, inf) == 0
assert (complex(inf, 0) / (1 + 1j)).real == inf
for base, exponent in ((1e200 + 1j, 5), (1e200 + 1j, 1e200 + 1j)):
    try:
        base**exponent
    except OverflowError:
        pass
    else:
        raise AssertionError
assert sum([2 + 1j, 10e100j, 1j, -10e100j]) == 2 + 2j
assert sum([1.0, 10e100, 1.0, -10e100, 2j]) == 2 + 2j
assert sum([1.0, 10**100, 1.0, -(10**100)]) == 2.0
number = complex(nan, nan)
assert complex.from_number(number) is number
