# What the variables of comprehensions had last is not kept alive by the frame they were in.
import gc
import weakref


class Thing:
    pass


def things():
    made = [Thing()]
    return made, weakref.ref(made[0])


def ended(made, ref):
    made.clear()
    gc.collect()
    return ref() is None


def each_kind():
    made, ref = things()
    [t for t in made]
    assert ended(made, ref)
    made, ref = things()
    {t for t in made}
    assert ended(made, ref)
    made, ref = things()
    {1: t for t in made}
    assert ended(made, ref)
    made, ref = things()
    [[u for u in [t]] for t in made]
    assert ended(made, ref)
    made, ref = things()
    [(lambda: t) for t in made]
    assert ended(made, ref)
    made, ref = things()
    [a for a, *b in [made * 3]]
    assert ended(made, ref)


each_kind()


def left_by_an_exception():
    made, ref = things()
    try:
        [1 / 0 for t in made]
    except ZeroDivisionError:
        pass
    assert ended(made, ref)
    made, ref = things()
    for again in range(2):
        try:
            [[u.nothing for u in [t]] for t in made]
        except AttributeError:
            pass
    assert ended(made, ref)


left_by_an_exception()


class InBody:
    made, ref = things()
    copies = [t for t in made]
    del copies
    assert ended(made, ref)


made, ref = things()
[t for t in made]
assert ended(made, ref)


async def awaiting():
    async def each(row):
        for t in row:
            yield t

    made, ref = things()
    [t async for t in each(made)]
    assert ended(made, ref)


try:
    awaiting().send(None)
except StopIteration:
    pass


# A variable of the same name outside is another one.
def outer_name(t):
    [t for t in "ab"]
    gc.collect()
    return t, sorted(locals())


assert outer_name(5) == (5, ["t"])


# A variable that is deleted, and one that is there again.
def unbound_and_bound():
    for n in range(3):
        try:
            seen = n
        finally:
            gc.collect()
        assert seen == n
        del seen
        gc.collect()
        try:
            seen
        except UnboundLocalError:
            pass
        else:
            raise AssertionError
    return sorted(locals())


assert unbound_and_bound() == ["n"]
