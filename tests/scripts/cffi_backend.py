# _cffi_backend: what the package cffi stands on. Types, values, calls and callbacks of C described at run time.
import gc
import sys
import weakref

import _cffi_backend as b

INT, CHAR, LONG, DOUBLE = map(b.new_primitive_type, ("int", "char", "long", "double"))
SHORT, UINT, BOOL, WCHAR = map(b.new_primitive_type, ("short", "unsigned int", "_Bool", "wchar_t"))
VOID = b.new_void_type()
INT_P, CHAR_P, VOID_P = map(b.new_pointer_type, (INT, CHAR, VOID))
CHARS, INTS = b.new_array_type(CHAR_P, None), b.new_array_type(INT_P, None)


def raises(error, text, f, *args):
    try:
        f(*args)
    except error as e:
        assert text in str(e), str(e)
    else:
        raise AssertionError(f"{error.__name__} expected")


def types():
    assert b.new_pointer_type(INT) is INT_P and b.new_array_type(INT_P, None) is INTS
    assert repr(b.new_pointer_type(b.new_array_type(INT_P, 3))) == "<ctype 'int(*)[3]'>"
    f = b.new_function_type((INT, CHAR_P), VOID, True)
    assert f.cname == "void(*)(int, char *, ...)" and f.kind == "function" and f.ellipsis and f.args == (INT, CHAR_P)
    assert repr(b.new_array_type(b.new_pointer_type(f), 2)) == "<ctype 'void(*[2])(int, char *, ...)'>"
    assert b.getcname(b.new_array_type(INT_P, 2), "x") == "intx[2]"
    raises(AttributeError, "fields", lambda: INT.fields)
    raises(KeyError, "foo", b.new_primitive_type, "foo")
    raises(ValueError, "negative array length", b.new_array_type, INT_P, -1)
    raises(OverflowError, "", b.new_array_type, INT_P, 2**62)
    enum = b.new_enum_type("enum e", ("A", "B", "C"), (5, -2, 5), INT)
    assert enum.elements == {5: "A", -2: "B"} and enum.relements == {"A": 5, "B": -2, "C": 5}
    assert repr(b.cast(enum, 5)) == "<cdata 'enum e' 5: A>" and b.string(b.cast(enum, 9)) == "9"


def numbers():
    p = b.newp(INT_P, 7)
    assert repr(p) == "<cdata 'int *' owning 4 bytes>" and p[0] == 7
    p[0] = -(2**31)
    assert p[0] == -(2**31)
    raises(OverflowError, "integer 2147483648 does not fit 'int'", p.__setitem__, 0, 2**31)
    raises(TypeError, "an integer is required", p.__setitem__, 0, 1.5)
    raises(OverflowError, "can't convert negative number to unsigned", b.newp, b.new_pointer_type(UINT), -1)
    raises(IndexError, "can only be indexed by 0", lambda: p[1])
    assert int(b.cast(INT, 2**33 + 1)) == 1 and int(b.cast(SHORT, 0x18000)) == -0x8000
    assert b.cast(INT, 3) == 3 and hash(b.cast(INT, 3)) == hash(3) and b.cast(INT, 3) < 4
    assert float(b.cast(b.new_primitive_type("float"), 1.1)) != 1.1
    assert float(b.cast(b.new_primitive_type("long double"), 1.25)) == 1.25
    assert repr(b.cast(BOOL, 3)) == "<cdata '_Bool' True>" and b.cast(BOOL, -0.1)
    assert b.newp(b.new_pointer_type(WCHAR), "\u1234")[0] == "\u1234"
    c = b.new_primitive_type("_cffi_double_complex_t")
    assert b.newp(b.new_pointer_type(c), 1 + 2j)[0] == 1 + 2j


def arrays_and_pointers():
    a = b.newp(INTS, [1, 2, 3])
    assert len(a) == 3 and list(a) == [1, 2, 3] and b.sizeof(a) == 12
    raises(IndexError, "index too large", lambda: a[3])
    raises(IndexError, "negative index", lambda: a[-1])
    assert (a + 2)[0] == 3 and (a + 2) - a == 2 and a[1:3][1] == 3
    a[0:2] = [8, 9]
    assert list(a) == [8, 9, 3]
    raises(ValueError, "need 2 values to unpack, got 1", a.__setitem__, slice(0, 2), [1])
    s = b.newp(CHARS, b"hello")
    assert len(s) == 6 and b.string(s) == b"hello" and b.unpack(s, 3) == b"hel" and b.string(s, 2) == b"he"
    raises(IndexError, "initializer bytes is too long", b.newp, b.new_array_type(CHAR_P, 3), b"hello")
    raises(RuntimeError, "null pointer", lambda: b.cast(INT_P, 0)[0])
    w = b.newp(b.new_array_type(b.new_pointer_type(b.new_primitive_type("char16_t")), None), "x\U00012345")
    assert len(w) == 4 and b.string(w) == "x\U00012345"
    # A slice keeps the memory that it shows.
    part = b.newp(INTS, [1, 2, 3])[1:3]
    gc.collect()
    assert list(part) == [2, 3]


def structs():
    s = b.new_struct_type("struct foo")
    sp = b.new_pointer_type(s)
    raises(TypeError, "unknown size", b.newp, sp)
    b.complete_struct_or_union(s, [("a", INT, -1), ("b", SHORT, 3, -1), ("c", SHORT, 7), ("d", sp, -1)])
    assert b.sizeof(s) == 16 and b.alignof(s) == 8 and b.typeoffsetof(s, "d") == (sp, 8)
    p = b.newp(sp, {"a": 5, "b": -4})
    assert (p.a, p.b, p[0].a) == (5, -4, 5) and dir(p) == ["a", "b", "c", "d"]
    raises(OverflowError, "value 4 outside the range allowed by the bit field width: -4 <= x <= 3", setattr, p, "b", 4)
    raises(AttributeError, "has no field 'z'", lambda: p.z)
    p.d = p
    assert p.d.d.a == 5 and p.d == p
    whole = p[0]
    del p
    gc.collect()
    assert whole.a == 5
    raises(ValueError, "too many initializers", b.newp, sp, [1, 2, 3, b.cast(sp, 0), 5])
    # A union in it whose fields are its own, and an array of as many items as it is made with.
    u = b.new_union_type("union $1")
    b.complete_struct_or_union(u, [("i", INT), ("x", DOUBLE)])
    t = b.new_struct_type("struct bar")
    b.complete_struct_or_union(t, [("n", INT), ("", u), ("rest", INTS)])
    q = b.newp(b.new_pointer_type(t), [1, 2, [3, 4, 5]])
    assert q.i == 2 and len(q.rest) == 3 and list(q.rest) == [3, 4, 5] and b.sizeof(q[0]) == 28
    q.x = 0.5
    assert q.x == 0.5 and q.i == 0
    assert len(b.newp(b.new_pointer_type(t), {"rest": 7}).rest) == 7


def calls():
    lib = b.load_library(None, b.RTLD_NOW)
    strlen = lib.load_function(b.new_function_type((CHAR_P,), LONG), "strlen")
    assert strlen(b"abc") == 3 and strlen(b.newp(CHARS, b"abcd")) == 4
    raises(TypeError, "expects 1 arguments, got 0", strlen)
    raises(TypeError, "must be a bytes or list or tuple, not str", strlen, "abc")
    raises(AttributeError, "function/symbol 'no_such' not found in library", lib.load_function, VOID_P, "no_such")
    snprintf = lib.load_function(b.new_function_type((CHAR_P, LONG, CHAR_P), INT, True), "snprintf")
    out = b.newp(CHARS, 40)
    assert snprintf(out, 40, b"%d %.2f %s", b.cast(INT, -5), b.cast(DOUBLE, 2.5), b.newp(CHARS, b"x")) == 9
    assert b.string(out) == b"-5 2.50 x"
    raises(TypeError, "argument 4 passed in the variadic part needs to be a cdata object", snprintf, out, 40, b"%d", 5)
    # struct div_t { int quot, rem; } by value
    div_t = b.new_struct_type("div_t")
    b.complete_struct_or_union(div_t, [("quot", INT), ("rem", INT)])
    div = lib.load_function(b.new_function_type((INT, INT), div_t), "div")
    result = div(17, 5)
    assert (result.quot, result.rem) == (3, 2) and repr(result) == "<cdata 'div_t' owning 8 bytes>"
    b.set_errno(0)
    lib.load_function(b.new_function_type((CHAR_P,), INT), "rmdir")(b"/no/such/folder")
    assert b.get_errno() == 2
    raises(OSError, "cannot load library 'no-such.so'", b.load_library, "no-such.so")


def callbacks():
    compare_t = b.new_function_type((VOID_P, VOID_P), INT)
    qsort = b.load_library(None, 0).load_function(
        b.new_function_type((VOID_P, LONG, LONG, compare_t), VOID), "qsort")
    row = b.newp(INTS, [3, 1, 2])
    compare = b.callback(compare_t, lambda x, y: b.cast(INT_P, x)[0] - b.cast(INT_P, y)[0])
    qsort(row, 3, 4, compare)
    assert list(row) == [1, 2, 3]
    # What is raised is told, and the result is the one that was given for that.
    told = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda u: told.append((u.exc_type, u.err_msg))
    try:
        f = b.callback(b.new_function_type((INT,), INT), lambda x: 1 // x, 42)
        assert f(1) == 1 and f(0) == 42
        assert told[0][0] is ZeroDivisionError and told[0][1].startswith("Exception ignored from cffi callback <function")
        assert b.callback(b.new_function_type((INT,), INT), lambda x: "text", 43)(0) == 43
        assert told[1][1].endswith("trying to convert the result back to C")
    finally:
        sys.unraisablehook = hook
    seen = []
    f = b.callback(b.new_function_type((INT,), INT), lambda x: 1 // x, 0, lambda *error: seen.append(error) or 5)
    assert f(0) == 5 and seen[0][0] is ZeroDivisionError


def buffers():
    data = bytearray(b"abcdef")
    view = b.from_buffer(CHARS, data)
    view[0] = b"X"
    assert data == b"Xbcdef" and len(view) == 6
    raises(BufferError, "", data.append, 1)
    b.release(view)
    data.append(1)
    fixed = b.from_buffer(CHARS, b"xyz")
    assert b.string(fixed, 3) == b"xyz" and repr(fixed) == "<cdata 'char[]' buffer len 3 from 'bytes' object>"
    raises(BufferError, "Object is not writable.", b.from_buffer, CHARS, b"xyz", True)
    p = b.newp(INT_P, 0x01020304)
    buf = b.buffer(p)
    assert len(buf) == 4 and buf[0] == b"\4" and bytes(buf) == b"\4\3\2\1" and buf == b"\4\3\2\1"
    buf[0:2] = b"\1\0"
    assert p[0] == 0x01020001
    raises(IndexError, "buffer index out of range", lambda: buf[4])
    raises(ValueError, "right operand length must match slice length", buf.__setitem__, slice(0, 2), b"abc")
    b.memmove(data, b"123", 3)
    assert data[:4] == b"123d"


def owners():
    class Thing:
        pass

    thing = Thing()
    handle = b.newp_handle(VOID_P, thing)
    assert b.from_handle(b.cast(VOID_P, handle)) is thing
    raises(RuntimeError, "NULL", b.from_handle, b.cast(VOID_P, 0))
    seen = weakref.ref(thing)
    del thing, handle
    gc.collect()
    assert seen() is None
    ended = []
    for i in range(50):
        b.gcp(b.newp(INT_P, i), lambda p: ended.append(p[0]))
    gc.collect()
    assert ended
    kept = b.gcp(b.newp(INT_P, 77), lambda p: ended.append(p[0]))
    with kept:
        assert 77 not in ended
    assert ended.count(77) == 1
    del kept
    gc.collect()
    assert ended.count(77) == 1
    raises(ValueError, "ffi.release()", b.release, b.cast(INT_P, 8))


def declarations():
    ffi = b.FFI()
    assert ffi.typeof("int*") is INT_P and ffi.typeof("char[]") is CHARS
    assert repr(ffi.typeof("int(*(*)(long))[3]")) == "<ctype 'int(*(*)(long))[3]'>"
    assert repr(ffi.typeof("unsigned long long int const * [2][5]")) == "<ctype 'unsigned long long *[2][5]'>"
    assert ffi.typeof("int(*)(int, ...)").ellipsis and ffi.getctype("int(*)(int)", "f") == "int(* f)(int)"
    for text, why in (("struct no_such", "undefined struct/union name"), ("int int", ""),
                      ("int(", "identifier expected"), ("no_such *", "undefined type name")):
        raises(ffi.error, why, ffi.typeof, text)
    raises(ffi.error, "is a function type", ffi.typeof, "int(int)")
    ended = []
    new = ffi.new_allocator(lambda size: b.newp(CHARS, size), lambda p: ended.append(p))
    row = new("int[4]", [1, 2])
    assert list(row) == [1, 2, 0, 0]
    ffi.release(row)
    assert len(ended) == 1


def generated():
    # What cffi writes for: enum { A = 5, B }; struct point { short x; int flag:3; }; int abs(int); typedef struct point point_t;
    ffi = b.FFI(
        "sample", _version=0x2601,
        _types=b"\x00\x00\x01\x0d\x00\x00\x07\x01\x00\x00\x00\x0f\x00\x00\x05\x01\x00\x00\x00\x09",
        _globals=(b"\xff\xff\xff\x0bA", 5, b"\xff\xff\xff\x0bB", 6, b"\x00\x00\x00\x23abs", 0),
        _struct_unions=((b"\x00\x00\x00\x04\x00\x00\x00\x00point", b"\x00\x00\x03\x11x",
                         b"\x00\x00\x01\x13\x00\x00\x00\x03flag"),),
        _enums=(b"\x00\x00\x00\x01\x00\x00\x00\x07$1\x00A,B",), _typenames=(b"\x00\x00\x00\x04point_t",))
    p = ffi.new("point_t *", [3, -2])
    assert p.x == 3 and p.flag == -2 and ffi.typeof("struct point *") is ffi.typeof(p) and ffi.sizeof("struct point") == 4
    lib = ffi.dlopen(None)
    assert lib.abs(-5) == 5 and lib.A == 5 and ffi.integer_const("B") == 6 and ffi.typeof("int[B]").length == 6
    raises(AttributeError, "named 'foo'", lambda: lib.foo)
    raises(ImportError, "has unknown version", b.FFI, "sample", 0x2594)


for test in (declarations, generated, types, numbers, arrays_and_pointers, structs, calls, callbacks, buffers, owners):
    test()
