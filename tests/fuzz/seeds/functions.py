def f(a, b=1, /, c=2, *d, e, g=3, **h):
    """doc"""
    nonlocal_ = [a, b, *d]
    def inner(x):
        nonlocal nonlocal_
        nonlocal_ = x
        return lambda y: (x, y, a)
    return inner(c)(e), h, g
try:
    print(f(1, 2, 3, 4, e=5, k=6))
    f()
except TypeError as error:
    last = str(error)
global_ = 1
def g():
    global global_
    global_ += 1
    del global_
g()
