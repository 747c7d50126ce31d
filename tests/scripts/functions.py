def f(a, b=2, /, c=3, *args, d, e=5, **kw) -> int:
    "doc"
    x = 1
    return locals()
assert f.__name__ == 'f' and f.__qualname__ == 'f' and f.__doc__ == 'doc' and f.__module__ == '__main__'
assert f.__defaults__ == (2, 3) and f.__kwdefaults__ == {'e': 5} and f.__closure__ is None
c = f.__code__
assert (c.co_argcount, c.co_posonlyargcount, c.co_kwonlyargcount) == (3, 2, 2)
assert c.co_varnames == ('a', 'b', 'c', 'd', 'e', 'args', 'kw', 'x') and c.co_name == 'f'
assert c.co_flags & 0xc == 0xc and c.co_firstlineno == 1
assert f(1, d=4, z=9) == {'a': 1, 'b': 2, 'c': 3, 'args': (), 'd': 4, 'e': 5, 'kw': {'z': 9}, 'x': 1}
assert f.__globals__ is globals()
assert f.__annotations__ == {'return': int}
f.attr = 1
assert f.__dict__ == {'attr': 1}
f.__name__ = 'g'
assert f.__name__ == 'g' and repr(f).startswith('<function f at 0x')
f.__defaults__ = (1, 1, 1)
assert f(d=1)['a'] == 1

def outer():
    v = 1
    def inner():
        nonlocal v
        v += 1
        return v
    return inner
i = outer()
assert i() == 2 and i.__closure__[0].cell_contents == 2 and i.__code__.co_freevars == ('v',)
assert i.__qualname__ == 'outer.<locals>.inner'
Function = type(i)
copy = Function(i.__code__, i.__globals__, 'copy', None, i.__closure__)
assert copy() == 3 and i() == 4

class C:
    def m(self, x): "mdoc"; return self, x
    @staticmethod
    def s(x): return x
    @classmethod
    def c(cls): return cls
o = C()
assert o.m.__func__ is C.m and o.m.__self__ is o and o.m.__name__ == 'm' and o.m.__doc__ == 'mdoc'
assert o.m == o.m and hash(o.m) == hash(o.m) and o.m != C().m
assert repr(o.m).startswith('<bound method C.m of <')
assert C.__dict__['s'].__func__ is C.s and C.__dict__['s'].__name__ == 's'
assert o.c() is C and C.__dict__['c'].__wrapped__.__name__ == 'c'
assert C.m.__get__(o)(1) == (o, 1)
assert len.__name__ == 'len' and repr(len) == '<built-in function len>' and len.__module__ == 'builtins'
l = []
assert l.append.__self__ is l and l.append.__qualname__ == 'list.append' and l.append == l.append
assert list.append.__objclass__ is list and repr(list.append) == "<method 'append' of 'list' objects>"
assert f.__call__.__self__ is f

for call, text in [
    (lambda: outer(1), 'outer() takes 0 positional arguments but 1 was given'),
    (lambda: o.m(), "C.m() missing 1 required positional argument: 'x'"),
    (lambda: f(), "f() missing 1 required keyword-only argument: 'd'"),
]:
    try:
        call()
    except TypeError as e:
        assert str(e) == text, e
    else:
        assert False

ns = {}
exec('def z(): return y\ny = 3', ns)
assert ns['z']() == 3 and eval('y + 1', ns) == 4 and eval(' y', {'y': 1}, {'y': 2}) == 2
assert eval(compile('1 + 1', 's', 'eval')) == 2
def scopes():
    q = 1
    exec('q = 2')
    return q, eval('q')
assert scopes() == (1, 1)
assert callable(len) and not callable(1) and hasattr(o, 'm') and getattr(o, 'none', 4) == 4
o.x = 1
assert vars(o) == {'x': 1} == o.__dict__ and 'x' in dir(o) and 'm' in dir(C)
o.__dict__ = {'y': 2}
assert o.y == 2 and not hasattr(o, 'x')


# A builtin function that stands for a method is not bound.
class Lengths:
    __call__ = len


assert Lengths()([1, 2]) == 2 and list(map(Lengths(), ["a", "bc"])) == [1, 2]


# So many parameters and temporaries that there are not enough short numbers of registers for them.
for n in (*range(225, 262), 300):
    parameters = ",".join(f"a{i}" for i in range(n))
    joined = "/".join("{a%d}" % i for i in range(n))
    source = f"def f({parameters}): return '0', f'{joined}', '1', (a0, a{n - 1})\n"
    source += f"def g({parameters}):\n    x = yield a0\n    yield f'{joined}', x, [*(a{n - 1}, a{n - 2})]\n"
    source += f"def h({parameters}, *rest, **more):\n    y = a{n - 1}\n    return f'{joined}', y, rest, more, locals()['a{n - 2}']\n"
    namespace = {}
    exec(source, namespace)
    want = "/".join(map(str, range(n)))
    assert namespace["f"](*range(n)) == ("0", want, "1", (0, n - 1)), n
    made = namespace["g"](*range(n))
    assert next(made) == 0 and made.send(5) == (want, 5, [n - 1, n - 2]), n
    by_name = {f"a{i}": i for i in range(n)}
    assert namespace["h"](**by_name, z=1) == (want, n - 1, (), {"z": 1}, n - 2), n
    assert namespace["h"](*range(n), 7, 8, z=1) == (want, n - 1, (7, 8), {"z": 1}, n - 2), n


# They move out of the way once, whatever the first instruction is and wherever a loop goes back to.
class Rows:
    rows = [lambda v, i=i: f"{i}:{v}" for i in range(300)]


for n in 225, 229, 230, 231, 232, 240, 251, 260, 299:
    parameters = ",".join(f"a{i}" for i in range(n))
    joined = "/".join("{self.rows[%d](a%d)}" % (i, i) for i in range(n))
    source = f"def f(self, {parameters}, **kw):\n"
    source += "    if kw: q, p = kw['z'], '?'\n    else: q = p = ''\n"
    source += f"    return '', f'{joined}{{p}}{{q}}'\n"
    source += f"def g({parameters}):\n    while a{n - 1}:\n        a{n - 1} -= 1\n        if a{n - 1} < 5: return f'{'/'.join('{a%d}' % i for i in range(n))}'\n"
    source += f"def h({parameters}):\n    while a{n - 1}:\n        a{n - 1} -= 1\n        if a{n - 1} < 5: yield f'{'/'.join('{a%d}' % i for i in range(n))}'\n"
    namespace = {}
    exec(source, namespace)
    want = "/".join(f"{i}:{i}" for i in range(n))
    for kw in {}, {"z": 3}:
        assert namespace["f"](Rows, *range(n), **kw) == ("", want + ("?3" if kw else "")), n
    want = "/".join(map(str, range(n - 1)))
    assert namespace["g"](*range(n)) == f"{want}/4", n
    assert list(namespace["h"](*range(n))) == [f"{want}/{i}" for i in (4, 3, 2, 1, 0)], n
