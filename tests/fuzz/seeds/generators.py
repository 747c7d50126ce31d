def g(n):
    try:
        got = yield n
        while got: got = yield from h(got)
    finally:
        yield "last"
def h(n):
    yield n
    return n - 1
it = g(3)
next(it); it.send(2); list(it); it.close()
async def c():
    async with m() as x:
        async for y in ag(): await z(y)
    return [y async for y in ag()]
async def ag():
    yield 1
    await z(2)
async def z(x): return x
co = c()
try: co.send(None)
except NameError: pass
total = [x for x in g(1)]
