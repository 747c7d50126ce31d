def run(c):
    try:
        while True:
            c.send(None)
    except StopIteration as s:
        return s.value

class Pause:
    def __await__(self):
        yield 'paused'
        return 'resumed'

async def add(x):
    await Pause()
    return x + 1

async def agen(n):
    try:
        for i in range(n):
            await Pause()
            got = yield i
            if got:
                yield got
    finally:
        log.append('closed')

log = []
async def main():
    assert await add(1) == 2
    assert [x async for x in agen(3)] == [0, 1, 2]
    assert log == ['closed']
    g = agen(5)
    assert await g.__anext__() == 0
    assert await g.asend('hey') == 'hey'
    await g.aclose()
    assert log == ['closed', 'closed']
    try:
        await g.__anext__()
    except StopAsyncIteration:
        pass
    else:
        assert False
    g = agen(2)
    await anext(g)
    try:
        await g.athrow(ValueError('in'))
    except ValueError as e:
        assert e.args == ('in',)
    else:
        assert False
    return 'end'
assert run(main()) == 'end'

c = add(1)
assert c.send(None) == 'paused'
assert c.cr_await is not None and c.cr_suspended
try:
    c.throw(KeyError('k'))
except KeyError:
    pass
try:
    c.send(None)
except RuntimeError as e:
    assert str(e) == 'cannot reuse already awaited coroutine'
else:
    assert False

class Manager:
    async def __aenter__(self):
        log.append('enter')
        return self
    async def __aexit__(self, *exc):
        log.append(exc[0])
        return True
async def uses():
    async with Manager() as m:
        raise ValueError
    return 'ok'
log.clear()
assert run(uses()) == 'ok' and log == ['enter', ValueError]

async def bad():
    await 5
try:
    run(bad())
except TypeError as e:
    assert "int" in str(e)
w = add(4).__await__()
assert next(w) == 'paused'
try:
    next(w)
except StopIteration as s:
    assert s.value == 5
