# Smaller corners of the library, and the texts of their errors.
import ast
import copy
import errno
import io
import pickle
import struct
import sys
import traceback
import uuid
from functools import cmp_to_key
from typing import Generic, NoDefault, ParamSpec, TypeVar


def raises(kind, text, f, *args, **named):
    try:
        f(*args, **named)
    except kind as e:
        assert text in str(e), (text, str(e))
    else:
        raise AssertionError(f"{kind.__name__} is not raised")


# The steps of a format's field are looked at one after the other.
raises(IndexError, "Replacement index 0 out of range", "{0.}".format)
raises(ValueError, "Empty attribute in format string", "{0.}".format, 1)
raises(TypeError, "string indices must be integers", "{0[{1}]}".format, "abc", 1)
raises(TypeError, "str() takes at most 3 arguments (4 given)", str, b"x", "ascii", "strict", encoding="ascii")


class Number:
    def __int__(self):
        return 7

    def __index__(self):
        return 8


assert "%d %x" % (Number(), Number()) == "7 8"

# A list that is changed while it is sorted, and is as it was.
for change in (lambda l: (l.append(3), l.pop()), lambda l: (l.append(3), l.clear())):
    row = [1, 2]
    raises(ValueError, "list modified during sort", row.sort, key=cmp_to_key(lambda x, y: (change(row), x - y)[1]))
    assert row == [1, 2]
row = [3, 1, 2]
row.sort(key=lambda x: (row.clear(), row[:], x)[2])
assert row == [1, 2, 3]

# What is unpacked stays so.
for alias in ((*tuple[int, ...],)[0], tuple[float, *tuple[int, ...], str], next(iter(list[int]))):
    for other in (copy.copy(alias), copy.deepcopy(alias), pickle.loads(pickle.dumps(alias))):
        assert other == alias and repr(other) == repr(alias)
it = iter(tuple[int])
assert list(pickle.loads(pickle.dumps(it))) == list(it) and list(it) == []
T, U, D = TypeVar("T"), TypeVar("U"), TypeVar("D", default=str)


class Three(Generic[T, U, D]):
    pass


raises(TypeError, "actual 1, expected at least 2", lambda: Three[int])
assert ParamSpec("P", bound=(int, str)).__bound__ == (int, str)
assert pickle.loads(pickle.dumps(NoDefault)) is NoDefault

s = struct.Struct("<h")
raises(UnicodeEncodeError, "ordinal not in range(128)", s.__init__, "\udc00")
assert s.size == 2 and struct.Struct.__new__(struct.Struct, "i").size in (-1, 4)
raises(struct.error, f"at least {sys.maxsize + 4} bytes for packing", struct.pack_into, "<I", bytearray(10), sys.maxsize, 1)
raises(TypeError, "got an invalid type in Constant: type", compile, ast.Expression(ast.Constant((1, (2, int)), lineno=1, col_offset=0)), "", "eval")

# The views of a BytesIO are of an object of its own kind.
view = io.BytesIO(b"abc").getbuffer()
assert type(view.obj).__name__ == "_BytesIOBuffer" and bytes(memoryview(view.obj)) == b"abc"
raises(TypeError, "cannot create", type(view.obj))
first, second = uuid.uuid1(), uuid.uuid1()
assert first.version == 1 and first != second and first.node == second.node and first.time < second.time
assert errno.EFTYPE == 134 and errno.errorcode[134] == "EFTYPE"
raises(ValueError, "", sys.activate_stack_trampoline, "nothing")
assert sys.deactivate_stack_trampoline() is None


# What `except*` wraps comes from there.
def naked():
    try:
        1 / 0
    except* ZeroDivisionError:
        raise


try:
    naked()
except ExceptionGroup as e:
    assert [f.name for f in traceback.extract_tb(e.__traceback__)] == ["<module>", "naked"]
    assert e.__traceback__.tb_next.tb_lineno == naked.__code__.co_firstlineno + 3


# A coroutine's or generator's frame is left where it raised, whatever comes behind.
def told(function):
    lines = []

    def trace(frame, event, arg):
        if event == "return" and frame.f_code is function.__code__:
            lines.append(frame.f_lineno - frame.f_code.co_firstlineno)
        return trace

    sys.settrace(trace)
    try:
        list(function())
    except KeyError:
        pass
    finally:
        sys.settrace(None)
    return lines


def left():
    try:
        yield 1
        [][1]
    except IndexError:
        raise KeyError
    yield 2


assert told(left) == [2, 5]
print("ok")
