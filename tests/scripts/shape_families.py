"""Instances of one class in several shapes: some have attributes that others get later, or never."""


class Square:
    kind = "square"

    def __init__(self, n):
        self.n = n
        self.color = n % 3

    def neighbour(self):
        return self.n + 1

    @property
    def twice(self):
        return self.n * 2


class Late(Square):
    def __getattr__(self, name):
        return name


def mixed(cls, count=40):
    squares = [cls(i) for i in range(count)]
    for i, s in enumerate(squares):
        if i % 2:
            s.reference = i
        if i % 3 == 0:
            s.ledges = 1
    return squares


def visit(squares):
    total = 0
    for s in squares:
        total += s.color + s.neighbour() + s.twice + len(s.kind)
        if s:
            s.color = (s.color + 1) % 3
    return total


def expected(colors, count=40):
    return sum(colors) + sum(i + 1 + i * 2 + 6 for i in range(count))


for cls in (Square, Late):
    squares = mixed(cls)
    colors = [i % 3 for i in range(40)]
    for _ in range(300):
        assert visit(squares) == expected(colors)
        colors = [(c + 1) % 3 for c in colors]
        assert [s.color for s in squares] == colors

# An attribute that only some have, in one place or another, or not at all.
for cls in (Square, Late):
    squares = mixed(cls)

    def references(squares):
        found = []
        for s in squares:
            try:
                found.append(s.reference)
            except AttributeError as e:
                assert e.name == "reference" and e.obj is s
                found.append(None)
            found.append(getattr(s, "ledges", 0))
        return found

    missing, none = ("reference", "ledges") if cls is Late else (None, 0)
    want = []
    for i in range(40):
        want += [i if i % 2 else missing, 1 if i % 3 == 0 else none]
    for _ in range(200):
        assert references(squares) == want

# One gets an attribute of its own by the name of a method, of a value of the class, of the property's.
squares = mixed(Square)
for turn in range(200):
    if turn == 100:
        squares[7].neighbour = lambda: 1000
        squares[8].kind = "long name"
        squares[9].__dict__["twice"] = "shadowed by the property"
    extra = (1000 - 8) + 3 if turn >= 100 else 0
    assert visit(squares) == expected([s.color for s in squares]) + extra - sum(
        s.color for s in squares
    ) + sum((s.color - 1) % 3 for s in squares), turn

# They lose attributes, go over to a dictionary, change their class, and the class changes.
squares = mixed(Square)
for turn in range(200):
    if turn == 50:
        del squares[3].reference
    if turn == 80:
        for i in range(100):
            setattr(squares[4], f"a{i}", i)
    if turn == 110:
        squares[5].__class__ = Late
    if turn == 140:
        Square.kind = "sq"
    before = [s.color for s in squares]
    size = 2 if turn >= 140 else 6
    assert visit(squares) == sum(before) + sum(i + 1 + i * 2 + size for i in range(40)), turn
Square.kind = "square"

# What is stored to some of them only is theirs alone.
squares = mixed(Square)


def mark(squares, value):
    for s in squares:
        if s.n % 4 == 1:
            s.reference = value
        s.n = s.n


for turn in range(200):
    mark(squares, turn)
    for s in squares:
        assert s.n % 2 == 0 and not hasattr(s, "reference") or s.reference == (turn if s.n % 4 == 1 else s.n)
assert [sorted(vars(s)) for s in squares[:4]] == [
    ["color", "ledges", "n"],
    ["color", "n", "reference"],
    ["color", "n"],
    ["color", "ledges", "n", "reference"],
]
