# pip install uncertainties
from uncertainties import correlated_values, ufloat
from uncertainties.umath import sin, sqrt

x, y = ufloat(0.20, 0.01), ufloat(3, 0.5, "y")
print(x**2, 2 * x + y, x - x, sin(2 * x), sqrt(y).derivatives[y])
print(f"{x:.3f} {y:L} {x + y:P}", (x * y).error_components()[y])
