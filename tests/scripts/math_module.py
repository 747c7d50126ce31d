"""The module math."""

import math


def raises(error, f, *args):
    try:
        f(*args)
    except error as e:
        return str(e)
    assert False, "did not raise"


inf, nan = math.inf, math.nan
assert math.floor(-1.5) == -2 and math.ceil(1.2) == 2 and math.trunc(-1.7) == -1 and math.floor(10**30) == 10**30 and math.floor(1e20) == 10**20
assert math.gcd(12, 18, 27) == 3 and math.gcd() == 0 and math.lcm(4, 6) == 12 and math.lcm() == 1 and math.gcd(2**100, 3 * 2**80) == 2**80
assert math.isqrt(10**40) == 10**20 and math.isqrt(99) == 9 and math.factorial(25) == 15511210043330985984000000 and math.factorial(0) == 1
assert math.comb(50, 25) == 126410606437752 and math.comb(3, 5) == 0 and math.perm(10, 3) == 720 and math.perm(5) == 120
assert math.fsum([0.1] * 10) == 1.0 and math.fsum([1e100, 1.0, -1e100]) == 1.0 and math.prod([1, 2, 3.5]) == 7.0 and math.prod([], start=5) == 5
assert math.hypot(3, 4, 12) == 13.0 and math.hypot() == 0.0 and math.isclose(math.hypot(1e300, 1e300), 1.4142135623730951e300) and math.dist((1, 2), (4, 6)) == 5.0
assert math.sumprod([1, 2], [3, 4]) == 11 and math.sumprod([1.5, 2], [3, 4]) == 12.5
assert math.sqrt(2) == 1.4142135623730951 and math.exp(0) == 1.0 and math.exp2(10) == 1024.0 and math.log(8, 2) == 3.0 and math.log2(2**2000) == 2000.0
assert math.log10(10**400) == 400.0 and math.isclose(math.log(2**2000), 1386.2943611198906) and math.log1p(0) == 0.0 and math.expm1(0) == 0.0
assert math.sin(0) == 0.0 and math.cos(0) == 1.0 and math.atan2(1, 1) == math.pi / 4 and math.degrees(math.pi) == 180.0 and math.radians(180) == math.pi
assert math.frexp(8.0) == (0.5, 4) and math.ldexp(0.5, 4) == 8.0 and math.modf(-1.5) == (-0.5, -1.0) and math.copysign(1, -0.0) == -1.0
assert math.fmod(-7, 3) == -1.0 and math.remainder(7, 4) == -1.0 and math.pow(2, 0.5) == 2**0.5 and math.fabs(-1) == 1.0 and math.isclose(math.cbrt(27), 3)
assert math.nextafter(1.0, 2.0) == 1.0000000000000002 and math.nextafter(1.0, 2.0, steps=3) == 1.0000000000000007 and math.ulp(1.0) == 2.220446049250313e-16
assert math.fma(2.0, 3.0, 4.0) == 10.0 and math.isclose(0.1 + 0.2, 0.3) and not math.isclose(1, 1.1) and math.isnan(nan) and math.isinf(-inf)
assert math.gamma(5) == 24.0 and math.isclose(math.lgamma(10), 12.801827480081469) and math.isclose(math.erf(1), 0.8427007929497149)
assert str(math.pi) == "3.141592653589793" and str(math.e) == "2.718281828459045" and math.tau == 2 * math.pi
for f, x in ((math.sqrt, -1.0), (math.log, 0.0), (math.log, -5), (math.acos, 2), (math.acosh, 0.5), (math.atanh, 1), (math.sin, inf), (math.gamma, -1)):
    raises(ValueError, f, x)
for f, x in ((math.exp, 1000), (math.cosh, 1000), (math.gamma, 1000), (math.floor, inf)):
    raises(OverflowError, f, x)
raises(ValueError, math.pow, 0.0, -1)
raises(OverflowError, math.pow, 10.0, 400)
raises(TypeError, math.sqrt, "x")
raises(TypeError, math.factorial, 2.5)
assert raises(ValueError, math.factorial, -1) == "factorial() not defined for negative values"
assert raises(ValueError, math.isqrt, -1) == "isqrt() argument must be nonnegative"
assert raises(ValueError, math.comb, -1, 2) == "n must be a non-negative integer"


class V:
    def __floor__(self):
        return "floor"

    def __ceil__(self):
        return "ceil"

    def __trunc__(self):
        return "trunc"


assert math.floor(V()) == "floor" and math.ceil(V()) == "ceil" and math.trunc(V()) == "trunc"
print("ok")
