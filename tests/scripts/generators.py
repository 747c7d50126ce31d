log = []
def gen(n):
    try:
        for i in range(n):
            log.append((yield i))
    finally:
        log.append('fin')
    return 'done'

g = gen(3)
assert next(g) == 0 and g.send('a') == 1 and log == ['a']
g.close()
assert log == ['a', 'fin'] and list(g) == []
assert iter(g) is g

def outer():
    r = yield from gen(2)
    log.append(r)
log.clear()
assert list(outer()) == [0, 1] and log == [None, None, 'fin', 'done']

o = outer()
next(o)
assert o.gi_yieldfrom is not None and o.gi_suspended and not o.gi_running
try:
    o.throw(ValueError('boo'))
except ValueError as e:
    assert e.args == ('boo',)
else:
    assert False
assert o.gi_frame is None

def catches():
    try:
        yield 1
    except ValueError as e:
        yield repr(e)
    return 5
c = catches()
next(c)
assert c.throw(ValueError('x')) == "ValueError('x')"
try:
    next(c)
except StopIteration as s:
    assert s.value == 5

def ignores():
    while True:
        try:
            yield 1
        except GeneratorExit:
            pass
i = ignores()
next(i)
try:
    i.close()
except RuntimeError as e:
    assert str(e) == 'generator ignored GeneratorExit'
else:
    assert False

def stops():
    raise StopIteration
    yield
try:
    next(stops())
except RuntimeError as e:
    assert str(e) == 'generator raised StopIteration' and isinstance(e.__cause__, StopIteration)
else:
    assert False

def reenters():
    next(me)
    yield
me = reenters()
try:
    next(me)
except ValueError as e:
    assert str(e) == 'generator already executing'
else:
    assert False

try:
    gen(1).send(1)
except TypeError as e:
    assert str(e) == "can't send non-None value to a just-started generator"
else:
    assert False

assert gen.__name__ == 'gen' and gen(1).__qualname__ == 'gen'
assert next(gen(0), 'default') == 'default'
assert [x * 2 for x in (y for y in range(3))] == [0, 2, 4]

class Delegate:
    def __iter__(self): return self
    def __next__(self): return 1
    def throw(self, e): return 'thrown ' + str(e)
    def close(self): log.append('closed')
def d(): yield from Delegate()
g = d()
next(g)
assert g.throw(ValueError('q')) == 'thrown q'
log.clear()
g.close()
assert log == ['closed']

def handled():
    try:
        1 / 0
    except ZeroDivisionError:
        yield 1
        try:
            raise KeyError
        except KeyError as k:
            yield k.__context__
h = handled()
next(h)
assert isinstance(next(h), ZeroDivisionError)

def closes_with_value():
    try:
        yield
    except GeneratorExit:
        return 7
g = closes_with_value()
next(g)
assert g.close() in (None, 7)
