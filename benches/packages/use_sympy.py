# pip install sympy
from sympy import (
    Eq, Function, Matrix, Rational, cos, diff, dsolve, expand, factor, integrate, latex, limit, oo, pi, simplify, sin,
    solve, sqrt, symbols, sympify,
)

x, y = symbols("x y")
print(expand((x + y) ** 5))
print(factor(x**3 - x**2 + x - 1), solve(x**2 - 3 * x + 1, x))
print(diff(sin(x) * x**2, x), integrate(x * cos(x), x), integrate(1 / (1 + x**2), (x, -oo, oo)))
print(limit(sin(x) / x, x, 0), simplify(sin(x) ** 2 + cos(x) ** 2))
print(Matrix([[1, 2], [3, 4]]).inv(), Matrix([[2, 1], [1, 2]]).eigenvals())
f = Function("f")
print(dsolve(Eq(f(x).diff(x), f(x)), f(x)))
print(latex(sqrt(x) / (1 + Rational(1, 3))), pi.evalf(40), sympify("2*x + x/3"))
