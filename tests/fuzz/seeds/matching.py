def m(v):
    match v:
        case 0 | -1: return "int"
        case [1, x, *rest] if x: return rest
        case {"k": str() as s, **more}: return s, more
        case complex(real=r): return r
        case (a, b): return a + b
        case "x" "y": pass
        case None | True: return v
        case m.x: return 3
        case _: return ...
m.x = 9
[m(v) for v in (0, [1, 2, 3], {"k": "s", "z": 1}, 1j, (1, 2), None, 9, m)]
from math import pi as p, sqrt
import os.path as q
t = t'{p!r:5} {q}'
b = b'\x00' b"a"; r = r'\d'; c = 1_000j; o = 0o17 + 0b1 + 0xfF; e = 1e-5; u = 'é' '\N{BULLET}'
