"""Modules that cffi generates as C: a table of what is in them, which a C compiler makes. This one is written by hand."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile

if sys.implementation.name != "skein":
    print("skipped: about Skein's own way of loading such modules")
    sys.exit(0)
try:
    import _foreign
except ImportError:
    print("skipped: C is not called on this machine")
    sys.exit(0)
import _cffi_backend

COMPILER = shutil.which("cc")
if COMPILER is None:
    print("skipped: no C compiler")
    sys.exit(0)

SOURCE = r"""
#include <Python.h>
#ifndef PYPY_VERSION
#error "the header is another interpreter's"
#endif

typedef struct { char pad; int x; double y; } point;
typedef struct { long a, b, c; } large;
enum color { RED, GREEN = 5 };

struct call { const char *name; size_t size; void *own[2]; };
static void (*call_python)(struct call *, char *);

static int counter = 7, table[4] = {1, 2, 3, 4};
static int add(int a, int b) { return a + b; }
static double half(double x) { return x / 2; }
static unsigned char low(unsigned char c) { return c; }
static const char *greet(const char *name) { return name[0] ? name : "nobody"; }
static int sum(point *p) { return p->x + (int)p->y; }
static large direct_widen(point p) { large l = {p.x, (long)p.y, 3}; return l; }
/* Structs go by their addresses. */
static void widen(large *to, point *p) { *to = direct_widen(*p); }
static _Bool both(_Bool a, _Bool b) { return a && b; }

static struct call row_times = {"made.times", sizeof(int), {0, 0}};
static int times(int a, int b) {
    char words[16];
    *(int *)words = a;
    *(int *)(words + 8) = b;
    call_python(&row_times, words);
    return *(int *)words;
}
static int call_times(int a, int b) { return times(a, b) + 1; }

static int get_limit(unsigned long long *to) { *to = 42; return 0; }
static int get_least(unsigned long long *to) { *to = (unsigned long long)-3LL; return 1; }
static int get_wrong(unsigned long long *to) { *to = 9; return 2; }
static int get_red(unsigned long long *to) { *to = RED; return 1; }
static int get_green(unsigned long long *to) { *to = GREEN; return 0; }
static void get_ratio(char *to) { *(double *)to = 2.5; }
static int *get_counter(void) { return &counter; }

#define OP(op, arg) ((void *)(((uintptr_t)(op)) | (((uintptr_t)(arg)) << 8)))

static void *types[] = {
    /*  0 */ OP(13, 17), OP(1, 7), OP(1, 7), OP(15, 0),   /* int(int, int) */
    /*  4 */ OP(13, 18), OP(1, 14), OP(15, 0),            /* double(double) */
    /*  7 */ OP(13, 19), OP(1, 4), OP(15, 0),             /* unsigned char(unsigned char) */
    /* 10 */ OP(13, 20), OP(3, 21), OP(15, 0),            /* char *(char *) */
    /* 13 */ OP(13, 17), OP(3, 22), OP(15, 0),            /* int(point *) */
    /* 16 */ OP(11, 0),                                   /* enum color */
    /* 17 */ OP(1, 7), OP(1, 14), OP(1, 4), OP(3, 21), OP(1, 2),
    /* 22 */ OP(9, 1), OP(9, 0),                          /* point, large */
    /* 24 */ OP(13, 23), OP(17, 22), OP(15, 0),           /* large(point) */
    /* 27 */ OP(5, 17), OP(0, 0),                         /* int[4], whose length is put in */
    /* 29 */ OP(13, 32), OP(1, 1), OP(1, 1), OP(15, 0) - 0, /* filled in below */
};

struct global { const char *name; void *address, *op; void *extra; };
static struct global globals[] = {
    {"GREEN", get_green, OP(11, -1), 0},
    {"LEAST", get_least, OP(31, -1), 0},
    {"LIMIT", get_limit, OP(31, -1), 0},
    {"RATIO", get_ratio, OP(29, 18), 0},
    {"RED", get_red, OP(11, -1), 0},
    {"WRONG", get_wrong, OP(31, -1), 0},
    {"add", add, OP(23, 0), add},
    {"call_times", call_times, OP(23, 0), call_times},
    {"counter", get_counter, OP(39, 17), 0},
    {"greet", greet, OP(27, 10), greet},
    {"half", half, OP(27, 4), half},
    {"low", low, OP(27, 7), low},
    {"sum", sum, OP(27, 13), sum},
    {"table", table, OP(33, 27), (void *)sizeof table},
    {"times", &row_times, OP(41, 0), times},
    {"widen", widen, OP(27, 24), direct_widen},
};

struct field { const char *name; size_t offset, size; void *op; };
static struct field fields[] = {
    {"a", 0, 8, OP(17, 29)}, {"b", 8, 8, OP(17, 29)}, {"c", 16, 8, OP(17, 29)},
    {"x", offsetof(point, x), 4, OP(17, 17)}, {"y", offsetof(point, y), 8, OP(17, 18)},
    {"z", 0, 8, OP(17, 17)},
};
struct structs { const char *name; int type, flags; size_t size; int align, first, count; };
static struct structs structs[] = {
    {"$large", 23, 2, sizeof(large), 8, 0, 3},
    {"$point", 22, 0, sizeof(point), 8, 3, 2},
    {"bad", 30, 2, 8, 8, 5, 1},
};
struct enums { const char *name; int type, prim; const char *names; };
static struct enums enums[] = {{"color", 16, 8, "RED,GREEN"}};
struct names { const char *name; int type; };
static struct names names[] = {{"large", 23}, {"point", 22}};

static struct {
    void **types; struct global *globals; struct field *fields; struct structs *structs; struct enums *enums; struct names *names;
    int counts[4]; const char *const *includes; int count, flags;
} context = {types, globals, fields, structs, enums, names, {16, 3, 1, 2}, 0, 31, 1};

PyMODINIT_FUNC _cffi_pypyinit_made(void **p) {
    if ((intptr_t)p[0] >= 0x0A03)
        call_python = (void (*)(struct call *, char *))p[1];
    types[28] = (void *)4;
    types[29] = OP(1, 9);
    types[30] = OP(9, 2);
    p[0] = (void *)0x2601;
    p[1] = &context;
    return NULL;
}
"""
SOURCE = SOURCE.replace("    /* 29 */ OP(13, 32), OP(1, 1), OP(1, 1), OP(15, 0) - 0, /* filled in below */\n", "    0, 0,\n")


def raises(error, function, *args):
    try:
        function(*args)
    except error as e:
        return str(e)
    raise AssertionError(f"{error.__name__} was not raised")


def compiled(folder, name, source):
    path = os.path.join(folder, name + ".c")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    shared = os.path.join(folder, name + sysconfig.get_config_var("EXT_SUFFIX"))
    include = sysconfig.get_config_var("INCLUDEPY")
    subprocess.run([COMPILER, "-shared", "-fPIC", "-w", "-I", include, path, "-o", shared], check=True)


def functions(ffi, lib):
    assert lib.add(2, 3) == 5 and lib.half(3) == 1.5 and lib.half(2.0) == 1.0
    assert "does not fit" in raises(OverflowError, lib.add, 1 << 31, 0)
    assert "does not fit" in raises(OverflowError, lib.low, 256)
    raises(OverflowError, lib.low, -1)
    assert lib.low(255) == 255
    raises(TypeError, lib.add, 1)
    raises(TypeError, lib.add, 1, 2.5)
    raises(TypeError, lib.add, 1, "2")
    assert ffi.string(lib.greet(b"you")) == b"you" and ffi.string(lib.greet(b"")) == b"nobody"
    kept = ffi.new("char[]", b"them")
    assert ffi.string(lib.greet(kept)) == b"them"
    raises(TypeError, lib.greet, "text")
    raises(TypeError, lib.greet, None)
    assert ffi.addressof(lib, "add")(4, 5) == 9
    assert "cannot write" in raises(AttributeError, setattr, lib, "add", 1)
    raises(AttributeError, lambda: lib.nothing)


def structs(ffi, lib):
    p = ffi.new("point *", (3, 4.5))
    assert ffi.sizeof("point") == 16 and ffi.offsetof("point", "x") == 4
    assert lib.sum(p) == 7
    raises(TypeError, lib.sum, ffi.new("large *"))
    made = lib.widen(p[0])
    assert (made.a, made.b, made.c) == (3, 4, 3)
    assert "wrong size for field 'z'" in raises(ffi.error, lambda: ffi.new("struct bad *"))


def constants_and_variables(ffi, lib):
    assert (lib.LIMIT, lib.LEAST, lib.RATIO) == (42, -3, 2.5)
    assert "disagrees" in raises(ffi.error, lambda: lib.WRONG)
    assert (lib.RED, lib.GREEN) == (0, 5) and ffi.typeof("enum color").elements == {0: "RED", 5: "GREEN"}
    assert lib.counter == 7
    lib.counter = 9
    assert lib.counter == 9 == ffi.addressof(lib, "counter")[0]
    lib.table[2] = 30
    assert list(lib.table) == [1, 2, 30, 4]
    assert "LIMIT" in dir(lib) and ffi.list_types()[0] == ["large", "point"]


def from_c(ffi, lib):
    @ffi.def_extern()
    def times(a, b):
        return a * b

    assert lib.call_times(6, 7) == 43 == lib.times(6, 7) + 1
    told = []
    ffi.def_extern(name="times", error=-5, onerror=lambda *error: told.append(error[0]))(lambda a, b: a // b)
    assert lib.call_times(6, 0) == -4 and told == [ZeroDivisionError]
    assert lib.call_times(6, 2) == 4
    raises(ffi.error, ffi.def_extern(name="add"), print)


def imports(folder):
    import made
    from made.lib import add

    assert add(1, 1) == 2 and made.__file__.startswith(folder)
    assert isinstance(made.ffi, _cffi_backend.FFI) and isinstance(made.lib, _cffi_backend.Lib)
    compiled(folder, "other", "int nothing(void) { return 0; }")
    try:
        import other
    except ImportError as e:
        assert "does not define module export function" in str(e) and e.name == "other", e
    else:
        raise AssertionError("it was loaded")


with tempfile.TemporaryDirectory() as folder:
    sys.path.insert(0, folder)
    compiled(folder, "made", SOURCE)
    from made import ffi, lib

    for test in (functions, structs, constants_and_variables, from_c):
        for _ in range(3):
            lib.counter, lib.table[2] = 7, 3
            test(ffi, lib)
    imports(folder)
print("ok")
