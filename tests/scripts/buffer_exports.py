"""While a view of its buffer is in use, a bytearray, an array and a BytesIO keep their size."""
import array
import gc
import io

BYTES = "Existing exports of data: object cannot be re-sized"
ARRAY = "cannot resize an array that is exporting buffers"


def refused(text, f):
    try:
        f()
    except BufferError as e:
        assert str(e) == text, e
    else:
        raise AssertionError("it was resized")


def bytearrays():
    changes = [
        lambda b: b.append(1),
        lambda b: b.extend(b"xy"),
        lambda b: b.insert(1, 1),
        lambda b: b.pop(),
        lambda b: b.remove(2),
        lambda b: b.clear(),
        lambda b: b.__iadd__(b"z"),
        lambda b: b.__imul__(3),
        lambda b: b.__delitem__(0),
        lambda b: b.__delitem__(slice(0, 2)),
        lambda b: b.__delitem__(slice(0, 4, 2)),
        lambda b: b.__setitem__(slice(0, 1), b"long"),
        lambda b: b.resize(100),
    ]
    for change in changes:
        b = bytearray(b"\1\2\3\4")
        view = memoryview(b)
        refused(BYTES, lambda: change(b))
        assert b == b"\1\2\3\4" and view.tolist() == [1, 2, 3, 4]
        b[0] = 9
        b[1:3] = b"ab"
        b.reverse()
        assert bytes(view) == b"\4ba\x09"
        view.release()
        b[:] = b"\1\2\3\4"
        change(b)


def arrays():
    changes = [
        lambda a: a.append(1),
        lambda a: a.extend([1]),
        lambda a: a.extend(a),
        lambda a: a.frombytes(bytes(8)),
        lambda a: a.insert(0, 1),
        lambda a: a.pop(),
        lambda a: a.remove(2),
        lambda a: a.clear(),
        lambda a: a.__iadd__(a),
        lambda a: a.__imul__(2),
        lambda a: a.__delitem__(1),
        lambda a: a.__delitem__(slice(0, 4, 2)),
        lambda a: a.__setitem__(slice(0, 1), array.array("q", [5, 6])),
    ]
    for change in changes:
        a = array.array("q", [1, 2, 3, 4])
        with memoryview(a) as view:
            assert view.obj is a and view.format == "q" and view.shape == (4,)
            refused(ARRAY, lambda: change(a))
            a[0] = 7
            a[1:2] = array.array("q", [8])
            assert view.tolist() == [7, 8, 3, 4]
        a[1] = 2
        change(a)


def files():
    f = io.BytesIO(b"abc")
    view = f.getbuffer()
    for change in (
        lambda: f.write(b"long enough"),
        lambda: f.write(b"a"),
        lambda: f.truncate(1),
        lambda: f.close(),
        lambda: f.__init__(b"x"),
    ):
        refused(BYTES, change)
    view[1] = ord("x")
    assert f.getvalue() == b"axc" and f.read() == b"axc"
    view.release()
    assert f.write(b"more") == 4
    f.close()


class Holder:
    pass


def many_views():
    b = bytearray(b"abcdef")
    whole = memoryview(b)
    part, item = whole[2:4], whole.cast("c")
    whole.release()
    refused(BYTES, b.clear)
    part.release()
    part.release()
    refused(BYTES, b.clear)
    item.release()
    b.clear()
    assert repr(whole).startswith("<released memory at 0x")
    try:
        part[0]
    except ValueError as e:
        assert str(e) == "operation forbidden on released memoryview object"
    else:
        raise AssertionError


def held_anywhere():
    """A view in use is found wherever it is."""
    def in_cell():
        def inner():
            return v
        v = memoryview(b)
        return inner

    def generator():
        v = memoryview(b)
        yield 1
        v[0]

    for hold in (
        lambda v: [v],
        lambda v: {1: v},
        lambda v: setattr(holder, "view", v),
        lambda v: globals().__setitem__("a_global", v),
        lambda v: in_cell(),
        lambda v: iter(v),
        lambda v: [[[(v,)]]],
    ):
        for collect in (False, True):
            b = bytearray(b"abc")
            holder = Holder()
            kept = hold(memoryview(b))
            if collect:
                gc.collect()
            refused(BYTES, lambda: b.append(1))
            kept = holder = None
            globals().pop("a_global", None)
            b.append(1)
    b = bytearray(b"abc")
    g = generator()
    next(g)
    refused(BYTES, b.clear)
    g.close()
    b.clear()


def temporaries():
    """Views of which the program has let go are no obstacle, with and without a collection between."""
    b = bytearray(b"x" * 100)
    while b:
        first = bytes(memoryview(b)[:5])
        assert first == b"xxxxx"
        del b[:5]
    for i in range(300):
        b += b"ab"
        b"".join([memoryview(b), memoryview(b)[1:]])
        io.BytesIO().write(memoryview(b))
        io.BytesIO(b"123").readinto(memoryview(b))
        assert b == b"12"
        b.pop()
        b.pop()

    def use(v):
        return v[0]

    a = array.array("b", [1])
    for i in range(50):
        assert use(memoryview(a)) == 1
        a.append(1)
        view = memoryview(a)
        view = None
        a.append(2)
        del view
    f = io.BytesIO()
    for i in range(50):
        f.write(b"abc")
        assert len(f.getbuffer()) == 3 * i + 3


bytearrays()
arrays()
files()
many_views()
held_anywhere()
temporaries()
print("ok")
