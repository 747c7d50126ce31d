# pip install decorator
import inspect

from decorator import contextmanager, decorator


@decorator
def trace(f, verbose=True, *args, **kw):
    print("calling", f.__name__, args, kw)
    return f(*args, **kw)


@trace(verbose=False)
def add(x, y: int = 2, *rest, z=3) -> int:
    return x + y + z


print(add(1), inspect.signature(add))


@contextmanager
def block(name):
    print("<", name)
    yield
    print(">", name)


with block("b"):
    print("in")
