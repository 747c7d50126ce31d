"""`array.array`: items, errors, pickling."""
import array as module
import copy
import pickle
import warnings
from array import array


def raised(kind, text, f, *args):
    try:
        f(*args)
    except kind as e:
        assert str(e) == text, e
    else:
        raise AssertionError("no error")


for code, value, text in [
    ("b", 128, "signed char is greater than maximum"),
    ("b", -129, "signed char is less than minimum"),
    ("b", 1 << 20, "signed short integer is greater than maximum"),
    ("B", 256, "unsigned byte integer is greater than maximum"),
    ("B", -1, "unsigned byte integer is less than minimum"),
    ("h", 1 << 15, "signed short integer is greater than maximum"),
    ("H", -1, "unsigned short is less than minimum"),
    ("H", 1 << 40, "signed integer is greater than maximum"),
    ("i", 1 << 31, "signed integer is greater than maximum"),
    ("I", -1, "can't convert negative value to unsigned int"),
    ("I", 1 << 32, "unsigned int is greater than maximum"),
    ("I", 1 << 64, "Python int too large to convert to C unsigned long"),
    ("l", 1 << 63, "Python int too large to convert to C long"),
    ("L", -1, "can't convert negative value to unsigned int"),
    ("q", 1 << 63, "int too big to convert"),
    ("Q", -1, "can't convert negative int to unsigned"),
    ("Q", 1 << 64, "int too big to convert"),
]:
    raised(OverflowError, text, array, code, [value])
for code, (low, high) in {"b": (-128, 127), "B": (0, 255), "h": (-(1 << 15), (1 << 15) - 1), "H": (0, (1 << 16) - 1),
                          "i": (-(1 << 31), (1 << 31) - 1), "I": (0, (1 << 32) - 1), "q": (-(1 << 63), (1 << 63) - 1),
                          "Q": (0, (1 << 64) - 1)}.items():
    assert array(code, [low, high]).tolist() == [low, high]
raised(TypeError, "array item must be a unicode character, not a string of length 2", array, "w", ["ab"])
raised(TypeError, "array item must be a unicode character, not int", array, "w", [3])
raised(TypeError, "'float' object cannot be interpreted as an integer", array, "b", [1.5])
raised(TypeError, "must be real number, not str", array, "f", ["a"])
raised(TypeError, "array() argument 1 must be a unicode character, not int", array, 5)
raised(TypeError, "array() argument 1 must be a unicode character, not a string of length 2", array, "bb")
raised(TypeError, "cannot use a str to initialize an array with typecode 'b'", array, "b", "a")
raised(TypeError, "cannot use a unicode array to initialize an array with typecode 'b'", array, "b", array("w"))
raised(TypeError, "array.array() takes no keyword arguments", lambda: array("b", x=3))
raised(TypeError, "array indices must be integers", lambda: array("b", [1])["x"])
raised(TypeError, 'can only extend array with array (not "int")', array("b").__iadd__, 3)
raised(TypeError, "arg must be list", array("b").fromlist, (1,))
assert array("d", array("i", [1, 2])) == array("d", [1.0, 2.0])
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    array("u", "ab")
assert [str(w.message) for w in seen] == ["The 'u' type code is deprecated and will be removed in Python 3.16"]

# All of a list or nothing of it.
a = array("b", [1])
raised(TypeError, "'str' object cannot be interpreted as an integer", a.fromlist, [2, 3, "x"])
assert a == array("b", [1])


class Growing(int):
    def __index__(self):
        items.append(1)
        return 1


class Index:
    def __index__(self):
        items.append(1)
        return 1


items = [1, Index()]
raised(RuntimeError, "list changed size during iteration", a.fromlist, items)
assert a == array("b", [1])


class Own(array):
    pass


assert repr(Own("b", [1])) == "Own('b', [1])" and repr(Own("b")) == "Own('b')"
own = Own("h", [1, -2])
own.x = 3
for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    back = pickle.loads(pickle.dumps(own, protocol))
    assert type(back) is Own and back == own and back.x == 3
    for code in "bBhHiIlLqQfdw":
        a = array(code, "ab" if code == "w" else [1, 2])
        assert pickle.loads(pickle.dumps(a, protocol)) == a and copy.deepcopy(a) == a
assert array("b", [1]).__reduce_ex__(2) == (array, ("b", [1]), None)
assert array("b", [1]).__reduce_ex__(4) == (module._array_reconstructor, (array, "b", 1, b"\1"), None)

# Layouts of other machines.
make = module._array_reconstructor
assert make(array, "l", 9, b"\xff\xff\xff\xfe").tolist() == [-2]
assert make(array, "H", 3, b"\1\2").tolist() == [0x102]
assert make(array, "Q", 11, b"\0" * 7 + b"\5").tolist() == [5]
assert make(array, "f", 15, b"\x3f\x80\0\0").tolist() == [1.0]
assert make(array, "w", 19, b"\0a\0b").tounicode() == "ab"
raised(ValueError, "string length not a multiple of item size", make, array, "d", 17, b"a")
raised(ValueError, "bytes length not a multiple of item size", make, array, "d", 16, b"a")
raised(ValueError, "third argument must be a valid machine format code.", make, array, "b", 22, b"")
raised(ValueError, "second argument must be a valid type code", make, array, "z", 0, b"")
raised(TypeError, "first argument must be a type object, not int", make, 3, "b", 0, b"")
raised(TypeError, "int is not a subtype of array.array", make, int, "b", 0, b"")
raised(TypeError, "fourth argument should be bytes, not int", make, array, "b", 0, 3)
