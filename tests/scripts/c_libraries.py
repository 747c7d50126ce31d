# ctypes: numbers, structures, arrays, pointers, functions of the C library, callbacks.
import ctypes as c
import gc

libc = c.CDLL(None, use_errno=True)


def raises(error, f, *args):
    try:
        f(*args)
    except error as e:
        return str(e)
    assert False, (error, f)


# Numbers.
assert c.c_int(-1).value == -1 and c.c_uint8(300).value == 44 and c.c_int8(200).value == -56
assert c.c_double(1.5).value == 1.5 and c.c_float(0.1).value != 0.1 and c.c_bool(7).value is True
assert c.c_char(b"x").value == b"x" and c.c_wchar("é").value == "é" and c.c_char_p(b"abc").value == b"abc"
assert repr(c.c_int(5)) == "c_int(5)" and not c.c_int(0) and c.c_void_p().value is None
assert c.sizeof(c.c_long) == 8 and c.sizeof(c.c_longdouble) == 16 and c.c_longdouble(1.25).value == 1.25
raises(TypeError, c.c_int, "1")
raises(TypeError, c.c_int, 1.0)


# Structures.
class Point(c.Structure):
    _fields_ = [("x", c.c_int), ("y", c.c_double)]


class Flags(c.Structure):
    _fields_ = [("a", c.c_uint, 3), ("b", c.c_int, 5), ("c", c.c_uint, 24)]


class Line(c.Structure):
    _fields_ = [("from_", Point), ("to", Point), ("name", c.c_char * 8)]


class Both(c.Union):
    _fields_ = [("n", c.c_uint32), ("bytes", c.c_ubyte * 4)]


p = Point(3, y=2.5)
assert (p.x, p.y, c.sizeof(Point), Point.y.offset) == (3, 2.5, 16, 8)
line = Line(p, (4, 5.0), b"ab")
line.to.x = 9
assert (line.from_.x, line.to.x, line.to.y, line.name) == (3, 9, 5.0, b"ab")
flags = Flags(5, -3, 1000)
assert (flags.a, flags.b, flags.c, c.sizeof(Flags)) == (5, -3, 1000, 4)
assert bytes(Both(0x01020304).bytes) == b"\4\3\2\1"
raises(TypeError, Point, 1, 2, 3)
raises(AttributeError, setattr, Point, "_fields_", [])


class Big(c.BigEndianStructure):
    _fields_ = [("n", c.c_uint16)]


assert bytes(Big(0x0102)) == b"\1\2" and Big(5).n == 5

# Arrays and pointers.
numbers = (c.c_int * 4)(1, 2, 3)
assert list(numbers) == [1, 2, 3, 0] and numbers[1:3] == [2, 3] and len(numbers) == 4
raises(IndexError, lambda: numbers[4])
at = c.cast(numbers, c.POINTER(c.c_int))
assert at[2] == 3 and at.contents.value == 1 and bool(at) and not c.POINTER(c.c_int)()
at[0] = 50
assert numbers[0] == 50
raises(ValueError, lambda: c.POINTER(c.c_int)().contents)
text = c.create_string_buffer(b"hello", 10)
assert text.value == b"hello" and text.raw == b"hello" + bytes(5) and c.string_at(text) == b"hello"
wide = c.create_unicode_buffer("hé")
assert wide.value == "hé" and c.wstring_at(wide) == "hé"
assert memoryview(numbers).nbytes == 16 and (c.c_byte * 2).from_buffer_copy(b"\1\2")[1] == 2
data = bytearray(8)
c.c_int.from_buffer(data, 4).value = 7
assert data[4] == 7

# Functions.
libc.strlen.restype = c.c_size_t
assert libc.strlen(b"12345") == 5 and libc.abs(-4) == 4
libc.strtod.restype, libc.strtod.argtypes = c.c_double, [c.c_char_p, c.POINTER(c.c_char_p)]
assert libc.strtod(b"2.5x", None) == 2.5
raises(c.ArgumentError, libc.strlen, 1.5)
raises(c.ArgumentError, libc.strtod, 5.0, None)
buffer = c.create_string_buffer(60)
assert libc.snprintf(buffer, 60, b"%d %s %.2f", 42, b"txt", c.c_double(1.5)) == 11
assert buffer.value == b"42 txt 1.50"
raises(AttributeError, lambda: libc.no_such_function)
raises(OSError, c.CDLL, "libnothing.so.9")
c.set_errno(0)
assert libc.close(-1) == -1 and c.get_errno() == 9
# Each thread has its own.
import threading

told = []
other = threading.Thread(target=lambda: told.extend((c.get_errno(), c.set_errno(5), c.get_errno())))
other.start()
other.join()
assert told == [0, 0, 5] and c.get_errno() == 9
value = c.c_int()
assert libc.sscanf(b"17", b"%d", c.byref(value)) == 1 and value.value == 17


class Div(c.Structure):
    _fields_ = [("quot", c.c_int), ("rem", c.c_int)]


class LongDiv(c.Structure):
    _fields_ = [("quot", c.c_long), ("rem", c.c_long)]


libc.div.restype, libc.ldiv.restype = Div, LongDiv
assert (libc.div(17, 5).quot, libc.div(17, 5).rem) == (3, 2)
libc.ldiv.argtypes = [c.c_long, c.c_long]
assert (libc.ldiv(-17, 5).quot, libc.ldiv(-17, 5).rem) == (-3, -2)

# Callbacks.
Compare = c.CFUNCTYPE(c.c_int, c.POINTER(c.c_int), c.POINTER(c.c_int))
calls = []


@Compare
def compare(a, b):
    calls.append(1)
    gc.collect(0)
    return a[0] - b[0]


numbers = (c.c_int * 5)(5, 1, 4, 2, 3)
libc.qsort(numbers, 5, c.sizeof(c.c_int), compare)
assert list(numbers) == [1, 2, 3, 4, 5] and calls
Many = c.CFUNCTYPE(c.c_double, *[c.c_int, c.c_double] * 7)
assert Many(lambda *row: sum(row))(*range(14)) == sum(range(14))
assert c.CFUNCTYPE(None, c.c_char_p)(calls.append)(b"x") is None and calls[-1] == b"x"
By = c.CFUNCTYPE(c.c_double, Point)
assert By(lambda point: point.x + point.y)(Point(1, 0.5)) == 1.5
assert c.memmove(buffer, b"zz", 2) and buffer.value[:2] == b"zz"
# Bytes in the other order, also of types whose size is not that which struct has for them in that order.
for simple, value in ((c.c_long, -3), (c.c_ulong, 2**63), (c.c_short, -2), (c.c_double, 0.5)):
    swapped = simple.__ctype_be__(value)
    assert swapped.value == value and bytes(swapped) == bytes(simple(value))[::-1]
