# pip install mpmath
from mpmath import findroot, gamma, inf, matrix, mp, mpf, quad, sin, sqrt, zeta, lu_solve, exp

mp.dps = 40
print(mp.pi, sqrt(2), zeta(3))
print(quad(lambda x: exp(-(x**2)), [-inf, inf]), findroot(sin, 3))
print(gamma(mpf("0.5")), lu_solve(matrix([[1, 2], [3, 4]]), matrix([5, 6])))
print(mp.identify(sqrt(2) + 1, ["sqrt(2)"]), mpf(1) / 3)
