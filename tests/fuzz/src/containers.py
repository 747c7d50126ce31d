"""Programs of operations on containers whose items change the containers under work.

An input is read byte by byte: each operation takes the bytes that it needs for its operands. So any input is a program, and
nearly each change of one byte changes one operation or one operand. Run with files as arguments, it prints them as programs.
"""

import array
import bisect
import collections
import functools
import heapq
import io
import itertools
import operator
import struct

# What items do when the machine calls them, and what programs do: `{c}` is a container that changes, `{s}` any sequence,
# `{v}` a value, `{n}` an int, `{i}` what has `__index__`, `{t}` an iterable, `{m}` a mapping, `{b}` what is like bytes.
CHANGES = """
L.clear()
L.append({v})
L.extend({t})
L.pop()
L.insert({n}, {v})
L.reverse()
L.sort()
del L[:{n}]
L[:] = [{v}, {v}]
L.__init__({t})
L *= {n}
D.clear()
D.pop({v}, None)
D.popitem()
D[{v}] = {v}
D.update({m})
D.setdefault({v}, {v})
D.__init__({m})
S.clear()
S.add({v})
S.discard({v})
S.pop()
S.update({t})
S.__init__({t})
O.clear()
O.move_to_end({v})
O.popitem()
O[{v}] = {v}
del O[{v}]
B.clear()
B.append(1)
B.extend({b})
B.pop()
B.insert({n}, 7)
del B[{n}:]
B[:] = {b}
A.append(3)
A.pop()
A.extend(A)
del A[:]
A.insert({n}, 1)
A.fromlist([1, 2, 3])
Q.clear()
Q.append({v})
Q.appendleft({v})
Q.popleft()
Q.rotate({n})
Q.extend({t})
T.seek({n})
T.truncate({n})
T.write({b})
T.close()
M.append(memoryview(B))
M.append(T.getbuffer())
M.append(memoryview(A))
M.pop().release()
I.append(iter({s}))
I.append(reversed({s}))
I.append(iter({m}))
I.append(map(F, {s}))
I.append(zip({t}, {t}))
I.append(iter(iter({s}).__next__, {v}))
I.append(itertools.{tool}({t}))
next(I[-1])
I.clear()
V.append({v})
V.clear()
"""
OPERATIONS = CHANGES + """
L.index({v})
L.index({v}, {i}, {i})
L.count({v})
L.remove({v})
L.sort(key=F)
L.sort(key=F, reverse=True)
L.pop({i})
L[{i}]
L[{i}] = {v}
L[{i}:{i}]
L[{i}:{i}:{i}]
L[{i}:{i}] = {t}
L[{i}:{i}:{i}] = {t}
del L[{i}]
del L[{i}:{i}:{i}]
L + L
L * {i}
L == [{v}, {v}, {v}]
L < [{v}, {v}, {v}]
{v} in {s}
{v} in {m}
sorted({t})
sorted({t}, key=F)
min({t})
max({t}, key=F)
min({v}, {v}, {v})
sum({t}, [])
all({t})
any({t})
list({t})
tuple({t})
set({t})
frozenset({t})
dict.fromkeys({t}, {v})
dict(zip({t}, {t}))
collections.Counter({t})
collections.deque({t}, {n})
collections.OrderedDict({m})
list(map(F, {t}, {t}))
list(filter(F, {t}))
list(zip({t}, {t}))
list(enumerate({t}))
functools.reduce(F2, {t})
D[{v}]
D.get({v})
del D[{v}]
D == {m}
D | {m}
D |= {m}
D.copy()
D.keys() & {t}
D.keys() - {t}
D.keys() == S
D.items() | {t}
D.items() ^ {t}
{v} in D.values()
{v} in D.items()
list(D.items())
O == {m}
O.popitem(last=False)
list(reversed(O))
O.setdefault({v}, {v})
S | {t}
S |= S
S & {t}
S.intersection({t}, {t})
S.intersection_update({t})
S - S
S.difference({t}, {t})
S.difference_update({t})
S ^ S
S.symmetric_difference_update({t})
S.issubset({t})
S.issuperset({t})
S.isdisjoint({t})
S <= S
S == frozenset({t})
S.remove({v})
B[{i}]
B[{i}] = {i}
B[{i}:{i}] = {b}
B[{i}:{i}:{i}] = {b}
del B[{i}:{i}:{i}]
B.find({b}, {i}, {i})
B.replace({b}, {b})
B.join([{b}, {b}])
B.split({b})
B.translate({b})
B.startswith({b}, {i})
B.insert({i}, {i})
B.pop({i})
B.append({i})
B.extend({t})
B += {b}
B *= {i}
bytes({t})
bytearray({t})
bytes({i})
b''.join({t})
''.join({t})
int.from_bytes({t})
A[{i}]
A[{i}] = {i}
A[{i}:{i}] = A
A.insert({i}, {i})
A.append({i})
A.extend({t})
A.index({v})
A.remove({v})
A.pop({i})
A.frombytes({b})
A.fromlist(L)
A * {i}
A == A
array.array('i', {t})
Q.index({v})
Q.index({v}, {i}, {i})
Q.count({v})
Q.remove({v})
Q.rotate({i})
Q[{i}]
Q[{i}] = {v}
del Q[{i}]
Q.insert({i}, {v})
Q.extendleft({t})
Q == Q.copy()
Q < Q.copy()
Q * {i}
heapq.heapify(L)
heapq.heappush(L, {v})
heapq.heappop(L)
heapq.heapreplace(L, {v})
heapq.heappushpop(L, {v})
heapq.nsmallest({n}, {t})
heapq.nlargest({n}, {t}, key=F)
list(heapq.merge({t}, {t}))
bisect.bisect({s}, {v})
bisect.insort(L, {v})
bisect.insort(L, {v}, key=F)
bisect.bisect_left({s}, {v}, {i}, {i})
struct.pack('hihq', {i}, {i}, {i}, {i})
struct.pack_into('hh', B, {i}, {i}, {i})
struct.unpack_from('hh', {b}, {i})
list(struct.iter_unpack('h', {b}))
T.read({i})
T.readinto(B)
T.readinto(M[-1])
T.readlines({i})
T.seek({i})
T.writelines({t})
T.getvalue()
M[-1][{i}]
M[-1][{i}] = {i}
M[-1][{i}:{i}] = {b}
M[-1][{i}:{i}].tolist()
M[-1].cast('B')
M[-1].tobytes()
M[-1] == {b}
M[-1].hex()
bytes(M[-1])
next(I[-1])
next(I[0], None)
list(I[-1])
list(itertools.islice(I[-1], {n}))
operator.length_hint(I[-1])
I[-1].__setstate__({n})
I[-1].__reduce__()
str(L)
repr({m})
repr({s})
hash({v})
hash(({v}, {v}))
range({i})[{i}]
range(10)[{i}:{i}]
slice({i}, {i}, {i}).indices({i})
'abc' * {i}
'a-b-c'.split('-', {i})
'{{}}'.format({v})
f'{{{v}}}'
'%s %r' % ({v}, {v})
(1, {v}, {v}).index({v})
({v}, {v}) == ({v}, {v})
({v}, {v}) < ({v}, {v})
[*{t}]
{{*{t}}}
{{**{m}}}
F3(*{t})
F3(**{m})
a, *b = {t}
a, b = {t}
isinstance({v}, ({v}, int))
[x for x in {t} if x in {s}]
{{x: F(x) for x in {t}}}
"""
VALUES = ["K({n})", "K({n})", "{n}", "{n}", "'a'", "1.5", "None", "(K({n}),)", "frozenset([K({n})])", "2 ** 70", "b'ab'"]
INDEXES = ["K({n})", "K({n})", "{n}", "{n}", "None", "True", "2 ** 70"]
SEQUENCES = ["L", "L", "Q", "B", "A", "V", "tuple(L)", "'abc'", "range(5)"]
ITERABLES = ["L", "D", "S", "O", "B", "A", "Q", "K({n})", "I[-1]", "M[-1]", "(x for x in L)", "map(F, L)", "D.items()", "[{v}, {v}]"]
MAPPINGS = ["D", "O", "{{{v}: {v}}}", "collections.Counter(L)", "K({n})", "collections.defaultdict(list, D)"]
BYTES = ["B", "A", "T.getbuffer()", "M[-1]", "b'abc'", "bytes({t})", "K({n})"]
TOOLS = ["chain", "accumulate", "pairwise", "tee", "combinations", "permutations", "groupby", "product"]
KINDS = {"v": VALUES, "i": INDEXES, "s": SEQUENCES, "t": ITERABLES, "m": MAPPINGS, "b": BYTES, "tool": TOOLS}
CHANGES, OPERATIONS = CHANGES.split("\n")[1:-1], [line for line in OPERATIONS.split("\n") if line]
NUMBERS = [0, 1, 2, 3, 4, 5, 7, 8, -1, -2, -3, 16, 100, 255, 256, 1000]


class Bytes:
    """An input, read from its beginning; it is followed by zeros."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def next(self):
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    @property
    def ended(self):
        return self.at >= len(self.data)


def fill(template, data, depth=0):
    """The template with its places filled."""
    out, rest = [], template
    while "{" in rest:
        before, _, rest = rest.partition("{")
        out.append(before.replace("}}", "}"))
        if rest.startswith("{"):
            out.append("{")
            rest = rest[1:]
            continue
        name, _, rest = rest.partition("}")
        if name == "n":
            out.append(str(NUMBERS[data.next() % len(NUMBERS)]))
        elif depth > 2:
            out.append("1" if name in "vi" else "L")
        else:
            out.append(fill(KINDS[name][data.next() % len(KINDS[name])], data, depth + 1))
    out.append(rest.replace("}}", "}"))
    return "".join(out)


def program(data):
    """The lines that items execute in turn when they are called, and the lines of the program."""
    data = Bytes(data)
    changes = [fill(CHANGES[data.next() % len(CHANGES)], data) for _ in range(data.next() % 6)]
    lines = []
    while not data.ended and len(lines) < 40:
        lines.append(fill(OPERATIONS[data.next() % len(OPERATIONS)], data))
    return changes, lines


COMPILED = {}


def compiled(line):
    if line not in COMPILED:
        if len(COMPILED) > 20000:
            COMPILED.clear()
        COMPILED[line] = compile(line, "program.py", "exec")
    return COMPILED[line]


class Item:
    """A value whose special methods change what is around them, a limited number of times."""

    def __init__(self, number, world):
        self.number, self.world = number, world

    def act(self):
        world = self.world
        if world["left"] > 0 and world["changes"]:
            world["left"] -= 1
            code = world["changes"][world["left"] % len(world["changes"])]
            try:
                exec(code, world["names"])
            except Exception:
                pass
        return self.number

    def __eq__(self, other):
        self.act()
        return self.number == getattr(other, "number", other)

    def __lt__(self, other):
        return self.act() < getattr(other, "number", 0)

    def __hash__(self):
        return self.act() & 3

    def __index__(self):
        return self.act()

    def __bool__(self):
        return self.act() > 0

    def __len__(self):
        return abs(self.act()) % 300

    def __getitem__(self, at):
        self.act()
        if isinstance(at, int) and at >= 3:
            raise IndexError
        return at

    def __iter__(self):
        for n in range(3):
            self.act()
            yield n

    def keys(self):
        self.act()
        return [1, 2, "a"]

    def __repr__(self):
        return f"K{self.act()}"

    def __format__(self, spec):
        self.act()
        return "k"

    def __length_hint__(self):
        return self.act()

    def __del__(self):
        self.act()

    def __buffer__(self, flags):
        self.act()
        return memoryview(self.world["names"]["B"])

    def __release_buffer__(self, view):
        self.act()


def run(data, show=None):
    """Runs a program; gives how many of its lines raised something. An exception that no program should see is let out."""
    changes, lines = program(data)
    world = {"left": 60, "changes": [], "names": {}}

    def K(number):
        return Item(number, world)

    def F(value=0, *rest):
        if isinstance(value, Item):
            value.act()
        return value

    names = {name: globals()[name] for name in "array bisect collections functools heapq io itertools operator struct".split()}
    names.update(K=K, F=F, F2=lambda a, b: F(b), F3=lambda *a, **k: (F(*a), k))
    world["names"] = names
    names.update(
        L=[K(1), 2, K(3), 4, K(1)], D={1: 2, "a": K(2), K(5): 3}, S={1, 2, K(7)}, O=collections.OrderedDict([(1, K(1)), (2, 3)]),
        B=bytearray(b"abcdefgh"), A=array.array("i", range(6)), Q=collections.deque([1, K(2), 3]), T=io.BytesIO(b"a\nbc\nd"),
        M=[memoryview(bytearray(b"view"))], I=[iter([K(4), 5])], V=[K(1), 2],
    )
    raised = 0
    watch(0.1)
    try:
        world["changes"] = [compiled(line) for line in changes]
        for line in lines:
            code = compiled(line)
            world["left"] = 60
            try:
                exec(code, names)
            except SystemError as e:
                if "internal" in str(e):
                    raise
            except Exception as e:
                raised += 1
                if show:
                    show(f"{line:50} # {type(e).__name__}: {e}")
            else:
                if show:
                    show(line)
    finally:
        watch(0)
        world["left"] = 0
    return str(raised)


if __name__ == "__main__":
    import sys

    def watch(seconds):
        """By itself a program may take its time."""

    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            data = file.read()[1:]
        print("items do:", *program(data)[0], sep="\n    ")
        run(data, show=print)
