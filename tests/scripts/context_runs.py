"""`Context.run`, and calls with unpacked rows, in loops that become machine code."""
import contextvars
from collections import deque

var = contextvars.ContextVar("var", default=0)
other = contextvars.ContextVar("other")


def add(a, b=10, *rest, k=0):
    var.set(var.get() + 1)
    return a + b + sum(rest) + k


class Counter:
    def __init__(self):
        self.n = 0

    def up(self, by):
        self.n += by
        var.set(self.n)
        return self.n

    def __call__(self, by):
        return self.up(by)


def runs(n):
    context, counter, total = contextvars.copy_context(), Counter(), 0
    for i in range(n):
        total += context.run(add, i)
        total += context.run(add, i, i + 1)
        total += context.run(add, i, 1, 2, 3, k=4)
        total += context.run(counter.up, 2)
        total += context.run(*(counter.up, 1))
        args = (i,)
        total += context.run(add, *args)
        total += context.run(add, i, *args, **{"k": 1})
        total += contextvars.Context.run(context, add, i)
        total += context.run(abs, -i)
        total += context.run(counter, 0)
    assert var.get() == 0
    assert context[var] == counter.n == 3 * n
    return total


def expected(n):
    total, count = 0, 0
    for i in range(n):
        total += i + 10 + i + i + 1 + i + 10
        count += 2
        total += count
        count += 1
        total += count
        total += i + 10 + 2 * i + 1 + i + 10 + i + count
    return total


for n in (1, 50, 3000):
    assert runs(n) == expected(n), (n, runs(n), expected(n))


def raising(n):
    """Exceptions leave the context, as returns do."""
    caught = 0

    def fails(i):
        var.set(i)
        if i % 3 == 0:
            raise ValueError(i)
        return i

    context = contextvars.copy_context()
    for i in range(n):
        try:
            assert context.run(fails, i) == i
        except ValueError as e:
            assert e.args == (i,)
            caught += 1
        assert var.get() == 0 and context[var] == i
    return caught


assert raising(3000) == 1000


def entered(n):
    """One that is entered is not entered again."""
    context, refused = contextvars.copy_context(), 0

    def inside():
        nonlocal refused
        try:
            context.run(int)
        except RuntimeError as e:
            assert str(e).startswith("cannot enter context: <_contextvars.Context object at"), e
            refused += 1

    for _ in range(n):
        context.run(inside)
    return refused


assert entered(1000) == 1000


def nested(n):
    outer, inner = contextvars.Context(), contextvars.Context()

    def deepest(i):
        other.set(i)
        return var.get()

    def middle(i):
        var.set(i)
        seen = inner.run(deepest, i)
        assert var.get() == i and other not in outer
        return seen

    for i in range(n):
        assert outer.run(middle, i) == 0
        assert outer[var] == i and inner[other] == i and var not in inner
    return n


assert nested(2000) == 2000


def generators(n):
    """A generator that another context resumes, and one that is made in it."""
    context = contextvars.copy_context()

    def numbers():
        for i in range(n):
            var.set(i)
            yield var.get()

    made, total = context.run(numbers), 0
    for _ in range(n):
        total += context.run(made.__next__)
        total += context.run(next, context.run(numbers))
    assert var.get() == 0
    return total


assert generators(500) == sum(range(500))


def bound(n):
    """Methods of builtin types that are bound and called later, and seen."""
    row, made = deque(), []
    for i in range(n):
        push, pop, size = row.append, row.popleft, row.__len__
        push(i)
        args = [i]
        push(*args)
        assert size() == 2 and len(row) == 2
        assert pop() + pop() == 2 * i
        if i % 100 == 0:
            made.append(push)
    assert all(m.__self__ is row and m.__name__ == "append" for m in made), made
    try:
        row.popleft()
    except IndexError as e:
        assert str(e) == "pop from an empty deque"
    return len(made)


assert bound(2000) == 20


def empties(n):
    row, failed = deque(), 0
    for i in range(n):
        if i % 2:
            row.append(i)
        try:
            row.popleft()
        except IndexError:
            failed += 1
    return failed


assert empties(2000) == 1000


def collect(*args, **names):
    return args, names


def rows(n):
    """Lists that are made piece by piece, in calls and displays."""
    seen = []
    for i in range(n):
        few = tuple(range(i % 5))
        many = list(range(i % 3))
        assert collect(i, *few) == ((i, *few), {})
        assert collect(*few, i, *many, *few) == (few + (i,) + tuple(many) + few, {})
        assert [i, *few, *many, i] == [i] + list(few) + many + [i]
        assert [*few, *"ab", *{1: 2}] == list(few) + ["a", "b", 1]
        assert [x for x in few] == list(few)
        if i % 500 == 0:
            seen.append([i, *few])
            seen[-1].append(1)
    return seen


assert rows(2001) == [[i, *range(i % 5), 1] for i in (0, 500, 1000, 1500, 2000)]


def interrupted(n):
    """What raises while a row is made."""
    def fails(i):
        if i % 4 == 0:
            raise KeyError(i)
        return i

    caught = 0
    for i in range(n):
        try:
            assert collect(i, *(1, 2), fails(i), *(3,)) == ((i, 1, 2, i, 3), {})
        except KeyError:
            caught += 1
    return caught


assert interrupted(2000) == 500
