# pip install wrapt
import wrapt


@wrapt.decorator
def logged(wrapped, instance, args, kwargs):
    print(wrapped.__name__, instance is not None, args, kwargs)
    return wrapped(*args, **kwargs)


@logged
def f(a, b=2):
    return a + b


class C:
    @logged
    def m(self, x):
        return x

    @classmethod
    @logged
    def c(cls):
        return cls.__name__


print(f(1, b=5), C().m(3), C.c(), f.__name__)
proxy = wrapt.ObjectProxy([1, 2])
proxy.append(3)
print(proxy, len(proxy), isinstance(proxy, list), proxy + [4])
