"""Characters and comparisons of text in loops that are gone round often: text of every kind, and what is no exact str."""


class Own(str):
    def __eq__(self, other):
        return "own"

    def __ne__(self, other):
        return "not own"

    __hash__ = str.__hash__


class Plain(str):
    pass


def chars(text):
    found = []
    for c in text:
        found.append(c)
    return found


def by_index(text):
    n = len(text)
    return [text[i] for i in range(n)], [text[i - n] for i in range(n)]


def ends(text, i):
    try:
        return text[i]
    except IndexError as e:
        return str(e)


def grown(n):
    # Shares its bytes with what it was.
    s = "x"
    for i in range(n):
        s += "abc"
    return s


texts = ["", "a", "hello world", "\0\x7f", "häßlich", "€", "日本語", "🎉", "\ud800x", grown(40), Plain("plain"), Own("own")]
for _ in range(60):
    for text in texts:
        expected = [chr(c) for c in map(ord, text)]
        assert chars(text) == expected
        assert by_index(text) == (expected, expected)
        assert ends(text, len(text)) == ends(text, -len(text) - 1) == "string index out of range"
assert all(type(c) is str for t in texts for c in chars(t))


def compare(a, b):
    if a == b:
        jumped = True
    else:
        jumped = False
    if a != b:
        differs = True
    else:
        differs = False
    return jumped, differs, a == b, a != b


def fresh(text):
    return "".join(list(text))


pairs = [(a, b) for a in texts[:-1] for b in texts[:-1]]
for _ in range(20):
    for a, b in pairs:
        same = [ord(c) for c in a] == [ord(c) for c in b]
        for x, y in ((a, b), (fresh(a), b), (a, fresh(b)), (fresh(a), fresh(b))):
            assert compare(x, y) == (same, not same, same, not same), (x, y)
for _ in range(200):
    assert compare("own", Own("own")) == (True, True, "own", "not own")
    assert compare(Own("a"), "b") == (True, True, "own", "not own")
    assert compare("1", 1) == (False, True, False, True)
    assert compare("1", None) == (False, True, False, True)


def dispatch(ops):
    total = 0
    for op in ops:
        if op == "add":
            total += 1
        elif op == "sub":
            total -= 1
        elif op != "nothing":
            total += 100
    return total


for _ in range(100):
    assert dispatch(["add", "add", "sub", "nothing", fresh("add"), fresh("nothing"), "other"]) == 102


# Each index is one of a text of its own.
def several(rows):
    out = ""
    for i, row in enumerate(rows):
        out += row[i % len(row)]
    return out


for _ in range(100):
    assert several(["abc", "dé", "日本語", "x", "hello"]) == "aé語xo"
print("ok")
