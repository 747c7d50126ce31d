def add(a, b=2, /, *rest, c, d=4, **more):
    return a + b + c


def outer(x):
    def inner(y):
        nonlocal x
        x += y
        return x

    return inner


class Base:
    """Documented."""

    limit: int = 3

    def __init__(self, value):
        self.value = value

    def step(self, by=1):
        self.value += by
        return super().__repr__()


add(1, *[2, 3], c=4, **{})
Base(1).step(by=2)
