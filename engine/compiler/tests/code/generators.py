def numbers(n):
    for i in range(n):
        got = yield i
    yield from other(got)


async def fetch(session, urls):
    async with session as s:
        async for u in urls:
            await s.get(u)
    return [await s async for s in urls]


def lazy(xs):
    return sum(x for x in xs)
