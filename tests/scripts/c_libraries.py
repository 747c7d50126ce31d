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

# Long doubles and complex numbers as arguments and results, of C and of callbacks.
libm = c.CDLL("libm.so.6")
for name, of, value, wanted in (
    ("sqrtl", c.c_longdouble, 2.25, 1.5), ("csqrt", c.c_double_complex, -4, 2j), ("csqrtf", c.c_float_complex, -4, 2j),
    ("csqrtl", c.c_longdouble_complex, -4, 2j), ("conjl", c.c_longdouble_complex, 1 + 2j, 1 - 2j),
):
    function = getattr(libm, name)
    function.restype, function.argtypes = of, [of]
    assert function(value) == wanted, (name, function(value))
    assert c.CFUNCTYPE(of, of)(lambda v: v * 2)(value) == 2 * value, name
    assert c.CFUNCTYPE(of, *[c.c_int, of] * 5)(lambda *row: sum(row))(*[1, value] * 5) == 5 * value + 5, name
assert c.c_double_complex.__ctype_be__(1 + 2j).value == 1 + 2j

# What is kept alive is shown, and shared by what comes of a cast.
texts = (c.c_char_p * 3)(b"a", b"bc")
assert texts._objects == {"0": b"a", "1": b"bc"}
same = c.cast(texts, c.POINTER(c.c_char_p))
same[2] = b"d"
assert same._objects is texts._objects and texts._objects["2"] == b"d" and texts[:] == [b"a", b"bc", b"d"]
assert c.c_char_p(b"x")._objects == b"x"
both = (Line * 2)()
both[1].to = Point(1, 2)
assert both._objects == {"1:1": {}}, both._objects
del texts
gc.collect()
assert same[1] == b"bc"

# Calls of every kind of argument, again after the types have changed.
libc.memcmp.argtypes = [c.c_void_p, c.c_void_p, c.c_size_t]
cell, other = c.c_int(5), c.c_int(5)
for _ in range(3):
    assert libc.memcmp(c.byref(cell), c.pointer(other), 4) == 0 and libc.memcmp(b"ab", c.addressof(cell), 1) != 0
    assert libc.memcmp(c.create_string_buffer(b"ab"), b"ab", 2) == 0
    raises(c.ArgumentError, libc.memcmp, "text", 1.5, 2)
    raises(TypeError, libc.memcmp, None)
libc.labs.argtypes, libc.labs.restype = [c.c_long], c.c_long
assert libc.labs(-(2**40)) == 2**40 and libc.labs(c.c_long(-3)) == 3 and libc.labs(True) == 1
libc.labs.restype = str
assert libc.labs(-7) == "7"
libc.labs.restype = c.c_ubyte
assert libc.labs(-300) == 300 & 255
libc.labs.errcheck = lambda result, function, args: (result, args)
assert libc.labs(-3) == (3, (-3,))
libc.strchr.restype, libc.strchr.argtypes = c.c_char_p, [c.c_char_p, c.c_char]
assert libc.strchr(b"hello", b"l") == b"llo" and libc.strchr(c.c_char_p(b"hello"), b"z") is None
libc.strchr.restype = c.POINTER(c.c_char)
assert libc.strchr(b"hello", b"l")[:2] == b"ll" and not libc.strchr(b"hello", b"z")
swap = c.CFUNCTYPE(None, c.POINTER(c.c_int), c.POINTER(Point))


@swap
def change(number, point):
    number[0], point.contents.x = point.contents.x, number[0]


where = Point(7, 1.0)
for _ in range(2):
    change(cell, where)
    change(c.byref(cell), c.byref(where))
    change(c.pointer(cell), c.pointer(where))
assert (cell.value, where.x) == (5, 7)
raises(c.ArgumentError, change, c.byref(where), c.byref(where))
raises(c.ArgumentError, change, c.c_short(1), where)
assert libc.close(-1) == -1 and c.get_errno() == 9

# Types of ctypes' own cannot be changed, and no class is initialized twice.
raises(TypeError, setattr, c.Structure, "x", 1)
raises(SystemError, type(c.Structure).__init__, Point, "Point", (c.Structure,), {})
raises(AttributeError, setattr, Point, "_fields_", [("x", c.c_int)])
raises(TypeError, lambda: (c.c_int * 2).from_buffer(b"12345678"))
assert "_address" not in vars(c.c_int(1)) and repr(c.c_int.from_param(3)) == "<cparam 'i' (3)>"
# Text ends at its first zero in a field, and has to fit.
line.name = b"a\0bcd"
assert line.name == b"a"
raises(ValueError, setattr, line, "name", b"123456789")
