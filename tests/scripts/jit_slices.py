"""Slices of lists in compiled loops: read, stored, and copied from list to list."""


def flips(n):
    perm = list(range(n))
    count = 0
    for i in range(4000):
        perm[0], perm[i % n] = perm[i % n], perm[0]
        k = perm[0]
        perm[: k + 1] = perm[k::-1]
        count = (count * 7 + perm[0] * 3 + perm[-1]) % 1000003
    return perm, count


def model(n):
    perm = list(range(n))
    count = 0
    for i in range(4000):
        perm[0], perm[i % n] = perm[i % n], perm[0]
        k = perm[0]
        head = [perm[j] for j in range(k, -1, -1)]
        perm = head + [perm[j] for j in range(k + 1, n)]
        count = (count * 7 + perm[0] * 3 + perm[-1]) % 1000003
    return perm, count


def overlaps():
    a = list(range(10))
    for i in range(3000):
        j = i % 4
        # Partly the same places, forwards and backwards.
        a[j : j + 4] = a[j + 2 : j + 6]
        a[j : j + 3] = a[j + 4 : j + 1 : -1]
        a[j + 3 : j + 6] = a[j + 4 : j + 1 : -1]
        a[j] = i
    b = list(range(10))
    for i in range(3000):
        j = i % 4
        t = b[j + 2 : j + 6]
        for x in range(4):
            b[j + x] = t[x]
        t = b[j + 4 : j + 1 : -1]
        for x in range(3):
            b[j + x] = t[x]
        t = b[j + 4 : j + 1 : -1]
        for x in range(3):
            b[j + 3 + x] = t[x]
        b[j] = i
    assert a == b, (a, b)


def other_lengths():
    """What is replaced need not be as long as what replaces it."""
    a, lengths = list(range(6)), 0
    for i in range(3000):
        a[1:2] = a[2:4] if i & 1 else a[2:3]
        lengths += len(a)
        if len(a) > 12:
            a[4:] = a[1:2]
    b, total = list(range(6)), 0
    for i in range(3000):
        t = b[2:4] if i & 1 else b[2:3]
        b = b[:1] + t + b[2:]
        total += len(b)
        if len(b) > 12:
            b = b[:4] + b[1:2]
    assert (a, lengths) == (b, total)


def kept():
    """What was taken is wanted behind, too."""
    a, seen = [3, 1, 2], []
    for i in range(3000):
        t = a[::-1]
        a[:] = t
        t.append(i)
        seen = t
    assert a == [2, 1, 3][::-1] if 3000 % 2 == 0 else [2, 1, 3], a
    assert seen == a + [2999], (seen, a)


def grows_big():
    """The sum between leaves the trace at last."""
    a = [1, 2, 3, 4]
    k = 2**61 - 2000
    for _ in range(3000):
        a[: k + 1] = a[::-1]
        k += 1
    assert a == [1, 2, 3, 4] and k > 2**61, (a, k)


def subclasses():
    class L(list):
        def __setitem__(self, key, value):
            calls.append(key)
            super().__setitem__(key, value)

    calls = []
    for i in range(2000):
        a = [1, 2, 3] if i < 1500 else L([1, 2, 3])
        a[:2] = a[1::-1]
        assert a == [2, 1, 3]
    assert len(calls) == 500 and calls[0] == slice(None, 2, None)


def texts_and_tuples():
    total, s, t = 0, "abcdefgh", (1, 2, 3, 4)
    for i in range(3000):
        j = i % 5
        total += len(s[j:]) + len(s[: j - 1]) + sum(t[j:]) + len(t[::-1]) + ord(s[j::2][0])
    assert total == sum(
        8 - j + len("abcdefgh"[: j - 1]) + sum((1, 2, 3, 4)[j:]) + 4 + ord("abcdefgh"[j])
        for j in (i % 5 for i in range(3000))
    )


for n in (4, 9):
    assert flips(n) == model(n)
for test in (overlaps, other_lengths, kept, grows_big, subclasses, texts_and_tuples):
    test()
print("ok")
