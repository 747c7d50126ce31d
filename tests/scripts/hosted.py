"""Builtins that go over a generator, which are functions in Python once a generator's code is asked often: what they give,
raise and show is what natives give, raise and show."""
import sys
import traceback


def numbers(n):
    for i in range(n):
        yield i


for _ in range(20):
    assert sum(i for i in range(10)) == 45
    assert sum(numbers(100)) == 4950
    assert sum(i / 4 for i in range(10)) == 11.25
    assert sum(x for x in [0.1] * 10) == 1.0
    assert sum(x for x in [1, 2.5, 3]) == 6.5
    assert sum(x for x in [1e100, 1.0, -1e100]) == 1.0
    assert sum(x for x in [True, 2, False]) == 3
    assert sum(x for x in [2**62, 2**62, 1]) == 2**63 + 1
    assert sum(x for x in [1, 1j, 2.0]) == 3 + 1j
    assert str(sum(x for x in [float("inf"), 1.0])) == "inf"
    assert sum(x for x in ()) == 0 and type(sum(x for x in ())) is int
    assert sum((x for x in [[1], [2]]), []) == [1, 2]
    assert any(i == 3 for i in range(5)) is True and any(i == 9 for i in range(5)) is False
    assert all(i < 5 for i in range(5)) is True and all(i < 3 for i in range(5)) is False
    assert list(numbers(4)) == [0, 1, 2, 3] and tuple(numbers(4)) == (0, 1, 2, 3)
    assert set(i % 3 for i in range(9)) == {0, 1, 2}
    assert min(-i for i in range(5)) == -4 and max(i * i for i in range(5)) == 16
    assert max((i for i in range(3)), key=lambda x: -x) == 0 and min((i for i in ()), default=7) == 7
    assert sorted(-i for i in range(4)) == [-3, -2, -1, 0]
    assert sorted((i for i in range(4)), reverse=True) == [3, 2, 1, 0]
    assert "-".join(str(i) for i in range(4)) == "0-1-2-3"

# An iterator that is left in the middle goes on there.
for _ in range(20):
    g = numbers(5)
    assert any(i == 2 for i in g)
    g = numbers(5)
    assert any(g) is True and next(g) == 2 and list(g) == [3, 4]

# What they raise, and where it is seen to come from.


def failing(n):
    yield n
    raise KeyError(n)


def frames_of(call):
    try:
        call()
    except (KeyError, ValueError, TypeError) as e:
        return repr(e), [f.name for f in traceback.extract_tb(e.__traceback__)][1:]
    return None


for call in (
    lambda: sum(failing(1)),
    lambda: list(failing(1)),
    lambda: sorted(failing(1)),
    lambda: set(failing(1)),
    lambda: "".join(failing("a")),
    lambda: all(failing(1)),
):
    first = frames_of(call)
    assert first[1] == ["<lambda>", "failing"], first
    for _ in range(20):
        assert frames_of(call) == first
for call, text in (
    (lambda: min(i for i in ()), "ValueError('min() iterable argument is empty')"),
    (lambda: max(i for i in ()), "ValueError('max() iterable argument is empty')"),
    (lambda: sum(i for i in ("a",)), "TypeError(\"unsupported operand type(s) for +: 'int' and 'str'\")"),
    (lambda: "".join(i for i in ("a", 1)), "TypeError('sequence item 1: expected str instance, int found')"),
    (lambda: set(i for i in ([],)), "TypeError(\"cannot use 'list' as a set element (unhashable type: 'list')\")"),
):
    for _ in range(20):
        assert frames_of(call) == (text, ["<lambda>"]), frames_of(call)


# A frame within sees no other than its callers.


def looking():
    yield sys._getframe(1).f_code.co_name
    yield sys._getframe().f_back.f_code.co_name


def asks():
    return list(looking())


for _ in range(20):
    assert asks() == ["asks", "asks"], asks()


# Somebody who is told of lines hears of none but the program's.
def traced(frame, event, arg):
    seen.add(frame.f_code.co_filename)
    return traced


seen = set()
sys.settrace(traced)
for _ in range(10):
    sum(i for i in range(3))
sys.settrace(None)
assert seen == {__file__}, seen


# A switch in the middle, and another one's generator meanwhile.
def turns(n):
    for i in range(n):
        if i % 3 == 0:
            stackless.schedule()
        yield i


try:
    import stackless
except ImportError:
    stackless = None
if stackless:
    results = []
    for _ in range(10):
        stackless.tasklet(lambda: results.append(sum(turns(20))))()
    stackless.run()
    assert results == [190] * 10, results

# Deep within themselves they are a recursion like any other.


def deep(n):
    yield sum(deep(n + 1))


try:
    sum(deep(0))
except RecursionError:
    pass
else:
    raise AssertionError


# ---- by keys


def by_keys(n):
    rows = [(3, "c"), (1, "a"), (2, "b"), (1, "z")]
    out = []
    for i in range(n):
        out.append(
            (
                sorted(rows, key=lambda row: row[0]),
                sorted(rows, key=lambda row: row[0], reverse=True),
                min(rows, key=lambda row: -row[0]),
                max(rows, key=lambda row: row[1]),
                sorted((x for x in rows), key=lambda row: row[1]),
                max(range(i + 1), key=lambda x: -x),
            )
        )
    return out


for got in by_keys(60):
    assert got == (
        [(1, "a"), (1, "z"), (2, "b"), (3, "c")],
        [(3, "c"), (2, "b"), (1, "a"), (1, "z")],
        (3, "c"),
        (1, "z"),
        [(1, "a"), (2, "b"), (3, "c"), (1, "z")],
        0,
    ), got


def wrong(x):
    if x == 3:
        raise ValueError(x)
    return x


def ways(call):
    for _ in range(20):
        try:
            call()
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
        else:
            text = None
    return text


assert ways(lambda: sorted([1, 3], key=wrong)) == "ValueError: 3"
assert ways(lambda: max([1, 3], key=wrong)) == "ValueError: 3"
assert ways(lambda: max([], key=wrong)) == "ValueError: max() iterable argument is empty"
assert ways(lambda: min((), key=wrong)) == "ValueError: min() iterable argument is empty"
assert ways(lambda: sorted(5, key=wrong)) == "TypeError: 'int' object is not iterable"
assert ways(lambda: sorted([1, "a"], key=lambda x: x)) == "TypeError: '<' not supported between instances of 'str' and 'int'"
assert ways(lambda: max([1, "a"], key=lambda x: x)) == "TypeError: '>' not supported between instances of 'str' and 'int'"
assert ways(lambda: sorted([1], key=lambda: 1)).startswith("TypeError: ")
for _ in range(20):
    assert max([], key=wrong, default=7) == 7
    assert sorted([2, 1], key=None) == [1, 2]


# A key that changes what is sorted sees the list that was given; the result is of a copy.
def grows(x):
    given.append(x)
    return -x


for _ in range(20):
    given = [1, 2, 3]
    assert sorted(given, key=grows) == [3, 2, 1] and given == [1, 2, 3, 1, 2, 3]
print("ok")
