"""What a generator has yielded is not kept by it while it waits; what it still needs is."""
import gc
import sys
import weakref


class Thing:
    pass


def plain(row):
    while row:
        yield row.pop()


def delegating(row):
    yield from plain(row)


def deeper(row):
    yield from delegating(row)


def in_try(row):
    try:
        while row:
            try:
                yield row.pop()
            except ValueError:
                yield "caught"
    finally:
        row.append("closed")


def answered(row):
    got = None
    while row:
        got = yield (row.pop(), got)[0]


class Items:
    def __init__(self, row):
        self.row = row

    def __iter__(self):
        with self:
            for _ in range(len(self.row)):
                yield self.row.pop()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.row.append("left")


def collect():
    gc.collect()


for make in (plain, delegating, deeper, in_try, answered, Items):
    for x in make([Thing() for _ in range(5)]):
        if type(x) is Thing:
            seen = weakref.ref(x)
            del x
            collect()
            assert seen() is None, make.__name__


# A variable that was yielded stays what it is.
def kept():
    x = Thing()
    x.number = 1
    yield x
    x = yield x
    yield x


g = kept()
seen = weakref.ref(next(g))
collect()
assert seen().number == 1 and g.gi_frame.f_locals["x"] is seen()
next(g)
collect()
assert seen().number == 1
assert g.send("sent") == "sent"
collect()
assert seen() is None

# Exceptions that are thrown in find what handlers need, behind a collection.
row = [Thing(), Thing(), Thing()]
g = in_try(row)
next(g)
collect()
assert g.throw(ValueError) == "caught"
collect()
assert type(next(g)) is Thing
collect()
g.close()
assert row[-1] == "closed"

row = [1, 2, 3]
g = iter(Items(row))
next(g)
collect()
g.close()
assert row == [1, 2, "left"]


# Loops, calls under way and displays around a yield.
def around(n):
    for i in range(n):
        total = [i, (yield i), str((yield -i)), {i: (yield i * 2)}]
        assert total == [i, "a", "b", {i: "c"}], total


g = around(3)
assert next(g) == 0
for i in range(3):
    collect()
    assert g.send("a") == -i
    collect()
    assert g.send("b") == i * 2
    collect()
    try:
        assert g.send("c") == i + 1
    except StopIteration:
        assert i == 2

# Objects that are read by others are closed in order, whichever was made first.
import io

told = []


class Raw(io.RawIOBase):
    def __init__(self, name):
        self.name = name

    def readable(self):
        return True

    def close(self):
        if not self.closed:
            told.append(self.name)
        super().close()


class Response(io.BufferedIOBase):
    def __init__(self):
        self.fp = Raw("inner")
        self.parts = {"deep": [Raw("deep")]}

    def flush(self):
        super().flush()
        if self.fp is not None and not self.fp.closed:
            self.fp.flush()

    def close(self):
        if not self.closed:
            told.append("outer")
        super().close()


def make():
    Response()
    r = Raw("first")
    io.BufferedReader(r).raw.name
    del r


make()
gc.collect()
# A collection in the middle of a finalizer lets others run before that goes on.
if "skein-gc-stress" not in getattr(sys, "_xoptions", {}):
    assert told.index("outer") < min(told.index("inner"), told.index("deep")), told
assert "first" in told
