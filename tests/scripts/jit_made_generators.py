"""Generators that a trace makes, goes over and ends; and those that leave it in the middle."""
import gc


def pair(k):
    yield k
    yield k + 1


def count(n):
    i = 0
    while i < n:
        yield i
        i += 1


class Tree:
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        for x in self.items:
            yield x * 2


def made(n):
    total = 0
    for i in range(n):
        for x in pair(i):
            total += x
        for x in Tree((1, 2)):
            total += x
    return total


def long(n):
    total = 0
    for i in range(n):
        for x in count(50):
            total += x
    return total


def broken(n):
    total = 0
    for i in range(n):
        g = pair(i)
        for x in g:
            total += x
            break
        for x in g:
            total += 3 * x
        for x in g:
            total += 1000
    return total


def expressions(n):
    row, total = [1, 2, 3], 0
    for i in range(n):
        for x in (y * i for y in row):
            total += x
    return total


def kept(n):
    all = []
    for i in range(n):
        g = count(3)
        for x in g:
            if x == 1:
                break
        all.append(g)
    gc.collect()
    return sum(list(g) == [2] for g in all)


def failing(n):
    def raises(i):
        yield i
        if i % 3 == 0:
            raise KeyError(i)
        yield i

    total = 0
    for i in range(n):
        try:
            for x in raises(i):
                total += 1
        except KeyError:
            total += 100
    return total


def closing(n):
    log = []

    def tidy(i):
        try:
            yield i
            yield i
        finally:
            log.append(i)

    for i in range(n):
        for x in tidy(i):
            break
        gc.collect() if i % 100 == 0 else None
    gc.collect()
    return len(log)


def returned(n):
    def ends(i):
        yield i
        return i

    def delegates(i):
        got = yield from ends(i)
        yield got

    total = 0
    for i in range(n):
        for x in delegates(i):
            total += x
    return total


def strings(n):
    total = 0
    for i in range(n):
        for c in "añ€😀":
            total += len(c) + ord(c)
        for b in b"ab":
            total += b
        for k, v in {"a": 1, "b": 2}.items():
            total += v
        for x in reversed([1, 2]):
            total = total * 3 % 1000003 + x
    return total


def changed(n):
    d = {i: i for i in range(8)}
    errors = 0
    for i in range(n):
        try:
            for k in d:
                if i % 10 == 9 and k == 3:
                    d[100 + i] = 1
        except RuntimeError as e:
            assert str(e) == "dictionary changed size during iteration"
            errors += 1
    return errors


assert made(1000) == sum(2 * i + 1 + 6 for i in range(1000))
for n in (3, 100, 500):
    assert long(n) == n * 1225
assert broken(1000) == sum(i + 3 * (i + 1) for i in range(1000))
assert expressions(1000) == 6 * sum(range(1000))
assert kept(500) == 500
assert failing(300) == 100 * 101 + 200 * 2
assert closing(300) == 300
assert returned(500) == 2 * sum(range(500))
expected = 0
for i in range(400):
    expected += sum(1 + ord(c) for c in "añ€😀") + 97 + 98 + 3
    expected = expected * 3 % 1000003 + 2
    expected = expected * 3 % 1000003 + 1
assert strings(400) == expected
assert changed(300) == 30
print("ok")
