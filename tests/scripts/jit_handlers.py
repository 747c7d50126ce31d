"""Loops whose rounds raise and catch: traces go on in the handler, in whatever frame of theirs it is."""


class Own(Exception):
    pass


def raise_and_catch(n):
    caught = 0
    for i in range(n):
        try:
            raise ValueError(i)
        except ValueError as e:
            caught += e.args[0]
    return caught


def inner(i):
    if i % 3 == 0:
        raise Own(i)
    if i % 7 == 0:
        return missing  # noqa: F821
    return i


def through_calls(n):
    total, log = 0, []
    for i in range(n):
        try:
            total += inner(i)
        except Own as e:
            total -= e.args[0]
        except NameError as e:
            log.append(e.name)
        else:
            total += 1
        finally:
            total += 2
    return total, len(log), set(log)


def key_errors(n):
    table = {i: i for i in range(0, n, 2)}
    found = missed = 0
    for i in range(n):
        try:
            found += table[i]
        except KeyError as e:
            missed += e.args[0]
    return found, missed


def conversions(n):
    good = bad = 0
    for i in range(n):
        try:
            good += int("x" if i & 1 else "12")
        except ValueError:
            bad += 1
    return good, bad


def nested(n):
    log = []
    for i in range(n):
        try:
            try:
                [][i]
            except IndexError:
                raise Own(i) from None
            finally:
                log.append(i)
        except Own as e:
            assert e.__suppress_context__ and isinstance(e.__context__, IndexError)
            log.append(-e.args[0])
    return sum(log), len(log)


class Context:
    def __init__(self, swallows):
        self.swallows = swallows
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.seen.append(kind and kind.__name__)
        return self.swallows


def contexts(n):
    c, escaped = Context(True), 0
    for i in range(n):
        with c:
            if i % 5 == 0:
                raise KeyError(i)
        try:
            with Context(False):
                if i % 4 == 0:
                    raise Own
        except Own:
            escaped += 1
    return c.seen.count("KeyError"), c.seen.count(None), escaped


def iterates(n):
    total = 0
    for i in range(n):
        it = iter((1, 2, i))
        while True:
            try:
                total += next(it)
            except StopIteration:
                break
    return total


def handled_within(n):
    """What is being handled is right inside and behind."""
    import sys

    for i in range(n):
        try:
            raise Own(i)
        except Own as e:
            assert sys.exception() is e
            try:
                raise KeyError
            except KeyError as k:
                assert sys.exception() is k and k.__context__ is e
            assert sys.exception() is e
        assert sys.exception() is None
    return n


def traceback_lines(n):
    lines = set()
    for i in range(n):
        try:
            inner(3)
        except Own as e:
            tb = e.__traceback__
            lines.add((tb.tb_lineno - tb.tb_frame.f_code.co_firstlineno, tb.tb_next.tb_lineno, tb.tb_next.tb_next))
    return len(lines)


def reraised(n):
    count = 0
    for i in range(n):
        try:
            try:
                raise Own(i)
            except Own:
                raise
        except Own as e:
            count += e.args[0] == i
    return count


assert raise_and_catch(2000) == sum(range(2000))
expected = 0
for i in range(2000):
    expected += 2
    if i % 3 == 0:
        expected -= i
    elif i % 7:
        expected += i + 1
names = sum(1 for i in range(2000) if i % 3 and i % 7 == 0)
assert through_calls(2000) == (expected, names, {"missing"})
assert key_errors(2000) == (sum(range(0, 2000, 2)), sum(range(1, 2000, 2)))
assert conversions(2000) == (12000, 1000)
assert nested(1000) == (0, 2000)
assert contexts(1000) == (200, 800, 250)
assert iterates(1000) == 3000 + sum(range(1000))
assert handled_within(1000) == 1000
assert traceback_lines(1000) == 1
assert reraised(1000) == 1000
print("ok")
