"""A result of a special method that the machine rejects is an error of the instruction that called it: also where
that is the last one in a `try`."""
import contextlib


def method(*result):
    return lambda self, *args: result[0] if result else NotImplemented


class X:
    __add__ = __radd__ = __iadd__ = __lt__ = __gt__ = __le__ = method()
    __bool__ = method(3)
    __format__ = method(7)
    __str__ = __repr__ = method(7)
    __iter__ = method(5)
    __next__ = method(1)
    __len__ = method(-1)
    __index__ = method("x")
    __hash__ = method("x")
    __contains__ = method()
    __await__ = __aiter__ = __anext__ = method(5)
    __enter__ = method(1)
    __length_hint__ = method("x")
    __reversed__ = method(5)
    __int__ = __float__ = __complex__ = __bytes__ = method([])
    __dir__ = method(5)
    __getitem__ = __setitem__ = __delitem__ = method()
    __neg__ = method()
    keys = method(5)

    def __init__(self, *args):
        self.args = args


class TruthOfLen:
    __len__ = method(2.5)


class LenTooLarge:
    __len__ = method(2**70)


class Inits:
    def __init__(self):
        return 4


class News:
    def __new__(cls):
        return object.__new__(cls)

    def __init__(self):
        return 4


class Compares:
    """The result of a comparison has no truth."""

    __eq__ = __ne__ = __lt__ = __contains__ = method(X())
    __hash__ = None


class Iterates:
    def __iter__(self):
        return X()


def binary(x):
    try:
        return x + 1
    except TypeError:
        return "caught"


def reflected(x):
    try:
        return 1 + x
    except TypeError:
        return "caught"


def inplace(x):
    try:
        x += 1
    except TypeError:
        return "caught"


def ordered(x):
    try:
        return x < 3
    except TypeError:
        return "caught"


def ordered_jump(x):
    try:
        if x < 3:
            pass
    except TypeError:
        return "caught"


def true(x):
    try:
        if x:
            pass
    except TypeError:
        return "caught"


def negated(x):
    try:
        return not x
    except TypeError:
        return "caught"


def connected(x):
    try:
        return x and 5
    except TypeError:
        return "caught"


def looped(x):
    try:
        while x:
            pass
    except TypeError:
        return "caught"


def chosen(x):
    try:
        return 1 if x else 2
    except TypeError:
        return "caught"


def formatted(x):
    try:
        return f"{x}"
    except TypeError:
        return "caught"


def shown(x):
    try:
        return f"{x!s}"
    except TypeError:
        return "caught"


def represented(x):
    try:
        return f"{x!r:>5}"
    except TypeError:
        return "caught"


def iterated(x):
    try:
        for _ in x:
            pass
    except TypeError:
        return "caught"


def comprehended(x):
    try:
        return [y for y in x]
    except TypeError:
        return "caught"


def unpacked(x):
    try:
        a, b = x
    except TypeError:
        return "caught"


def spread(x):
    try:
        return [*x]
    except TypeError:
        return "caught"


def spread_mapping(x):
    try:
        return {**x}
    except TypeError:
        return "caught"


def delegated(x):
    def g():
        try:
            yield from x
        except TypeError:
            yield "caught"

    return next(g())


def awaited(x):
    async def c():
        try:
            await x
        except TypeError:
            return "caught"

    try:
        c().send(None)
    except StopIteration as e:
        return e.value


def iterated_async(x):
    async def c():
        try:
            async for _ in x:
                pass
        except TypeError:
            return "caught"

    try:
        c().send(None)
    except StopIteration as e:
        return e.value


def length(x):
    try:
        return len(x)
    except ValueError:
        return "caught"


def hashed(x):
    try:
        return {x: 1}
    except TypeError:
        return "caught"


def indexed(x):
    try:
        return [1, 2][x]
    except TypeError:
        return "caught"


def sliced(x):
    try:
        return [1, 2][x:]
    except TypeError:
        return "caught"


def initialised(x):
    try:
        Inits()
    except TypeError:
        return "caught"


def initialised_after_new(x):
    try:
        News()
    except TypeError:
        return "caught"


def initialised_starred(x):
    try:
        Inits(*())
    except TypeError:
        return "caught"


def length_truth(x):
    try:
        if TruthOfLen():
            pass
    except TypeError:
        return "caught"


def length_truth_large(x):
    try:
        if LenTooLarge():
            pass
    except OverflowError:
        return "caught"


def truth_of_comparison(x):
    try:
        if Compares() == 1:
            pass
    except TypeError:
        return "caught"


def truth_of_inequality(x):
    try:
        return not Compares() != 1
    except TypeError:
        return "caught"


def truth_of_in(x):
    try:
        return 1 in Compares()
    except TypeError:
        return "caught"


def truth_of_not_in(x):
    try:
        if 1 not in Compares():
            pass
    except TypeError:
        return "caught"


def matched(x):
    try:
        match 1:
            case _ if x:
                pass
    except TypeError:
        return "caught"


def asserted(x):
    try:
        assert x
    except TypeError:
        return "caught"


def yielded(x):
    """A value that a generator yields to a branch."""

    def g():
        yield X()

    try:
        if next(g()):
            pass
    except TypeError:
        return "caught"


def nested_function(x):
    def inner():
        try:
            return x + 1
        except ValueError:
            return "wrong"

    try:
        return inner()
    except TypeError:
        return "caught"


def with_statement(x):
    @contextlib.contextmanager
    def manager():
        try:
            yield
        except TypeError:
            pass

    with manager():
        x + 1
    return "caught"


def with_exit(x):
    class Manager:
        def __enter__(self):
            return self

        def __exit__(self, *args):
            return X()

    try:
        with Manager():
            raise KeyError
    except TypeError:
        return "caught"


for f in list(globals().values()):
    if type(f) is type(binary) and f is not method:
        try:
            got = f(X())
        except Exception as e:
            raise AssertionError(f"{f.__name__}: escaped: {e!r}")
        assert got == "caught", (f.__name__, got)
        # Once more, with warm caches, and in a try of its own.
        for _ in range(3):
            try:
                got = f(X())
            except Exception as e:
                raise AssertionError(f"{f.__name__}: escaped: {e!r}")
            assert got == "caught", (f.__name__, got)
