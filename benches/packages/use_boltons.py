# pip install boltons
from boltons import cacheutils, dictutils, funcutils, iterutils, strutils, tbutils, timeutils

print(iterutils.chunked(range(5), 2), iterutils.remap({"a": [1, {"b": None}]}, lambda p, k, v: v is not None))
print(strutils.slugify("Hello, World!"), strutils.bytes2human(128991), strutils.camel2under("HelloWorld"))
cache = cacheutils.LRU(max_size=2)
cache["a"] = cache["b"] = cache["c"] = 1
print(sorted(cache), dictutils.OneToOne({1: 2}).inv)


@funcutils.wraps(print)
def f(*args, **kwargs):
    return args


print(f(1))
try:
    [][1]
except IndexError:
    print(tbutils.ExceptionInfo.from_current().exc_msg)
print(timeutils.relative_time is not None)
