# pip install cachetools
from cachetools import LFUCache, LRUCache, TTLCache, cached, cachedmethod

calls = []


@cached(LRUCache(2))
def square(n):
    calls.append(n)
    return n * n


print([square(n) for n in (1, 2, 1, 3, 1, 2)], calls, square.cache)
now = [0]
ttl = TTLCache(10, 5, timer=lambda: now[0])
ttl["a"] = 1
now[0] = 6
print("a" in ttl, LFUCache(1), square.cache_key(4))
