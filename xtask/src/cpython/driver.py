"""Runs one module of CPython's tests and notes what becomes of each case.

usage: driver.py MODULE NOTES

NOTES grows by a line per event, tab-separated: what, the case, a reason. A run that died is gone on with by starting this
again with the same file: cases that it names are left out. Nothing here needs tracebacks or warnings to work.
"""

import contextlib
import re
import signal
import sys
import unittest

# Processes that a test starts import this file too, without arguments.
module_name, notes_path = (*sys.argv[1:3], "", "")[:2]

# Modules that begin by importing something of CPython's build for a few of their cases: there it is a module whose
# functions skip, but for those that have a meaning here (MEANT).
STAND_INS = {
    "test_bytes": "_testlimitedcapi",
    "test_class": "_testinternalcapi",
    "test_compileall": "_testmultiphase",
    "test_import": "_testmultiphase",
    "test_importlib": "_testmultiphase",
    "test_opcache": "_testinternalcapi",
    "test_pkgutil": "_testmultiphase",
    "test_pyclbr": "_testmultiphase",
    "test_traceback": "_testcapi",
    "test_type_cache": "_testcapi",
    "test_types": "_datetime",
    "test_unittest": "_testmultiphase",
}


def exception_print(error, legacy=False):
    """Prints an exception as the interpreter does by itself."""
    sys.__excepthook__(type(error), error, error.__traceback__)


MEANT = {
    "_testcapi": {"exception_print": exception_print},
    # How often something is to be done until caches know it, and until they have forgotten it.
    "_testinternalcapi": {
        "SPECIALIZATION_THRESHOLD": 200,
        "SPECIALIZATION_COOLDOWN": 200,
        "SHARED_KEYS_MAX_SIZE": 30,
    },
}


def note(what, case="", reason=""):
    with open(notes_path, "a", encoding="utf-8", errors="backslashreplace") as notes:
        notes.write(f"{what}\t{one_line(case)}\t{one_line(reason)}\n")


def one_line(text):
    """Text without line ends, and without what differs from run to run."""
    text = " ".join(str(text).split())
    # The library where it was unpacked.
    text = re.sub(r"[^\s'\"(]*/skein/3\.\d+-[0-9a-f]{12}", "<stdlib>", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x?", text)


def told(error):
    """An exception in a line."""
    try:
        # The comparison that failed stands in the first line; what follows are the two values.
        text = str(error).strip().split("\n")[0]
    except Exception as second:
        text = f"<str() raised {type(second).__name__}>"
    return f"{type(error).__name__}: {text[:160]}"


def name_of(case):
    # Some cases have an attribute of that name.
    name = case.id() if callable(case.id) else unittest.TestCase.id(case)
    for prefix in (f"test.{module_name}.", "test."):
        name = name.removeprefix(prefix)
    return name


class Notes(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.outcome = ("passed", "")
        note("start", name_of(test))

    def stopTest(self, test):
        super().stopTest(test)
        if self.outcome[0] != "passed":
            free_tools()
        note(self.outcome[0], name_of(test), self.outcome[1])

    def _fail(self, test, error):
        if isinstance(test, unittest.suite._ErrorHolder):
            note("fixture", one_line(test.id()), told(error[1]))
        elif self.outcome[0] != "failed":
            self.outcome = ("failed", told(error[1]))

    addError = addFailure = _fail

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self._fail(test, error)

    def addSkip(self, test, reason):
        if isinstance(test, unittest.suite._ErrorHolder):
            note("fixture", one_line(test.id()), f"skipped: {reason}")
        elif not hasattr(test, "test_case"):  # not just one of a case's subtests
            self.outcome = ("skipped", reason)

    def addExpectedFailure(self, test, error):
        pass

    def addUnexpectedSuccess(self, test):
        self.outcome = ("failed", "unexpected success")

    def addDuration(self, test, elapsed):
        pass


def free_tools():
    """A case whose setUp was left early keeps the tool of sys.monitoring that it took, which the next ones want."""
    for tool in range(6):
        if sys.monitoring.get_tool(tool) is not None:
            sys.monitoring.free_tool_id(tool)


def stand_in(name):
    # The library's own file takes what it finds there.
    import datetime

    def missing(attribute):
        # What `test.support` asks for has another answer where it is not there.
        if attribute.startswith("__") or attribute == "get_c_recursion_remaining":
            raise AttributeError(attribute)

        def skip(*args, **kwargs):
            raise unittest.SkipTest(f"{name}.{attribute} is CPython's")

        return skip

    module = type(sys)(name)
    module.__getattr__ = missing
    vars(module).update(MEANT.get(name, {}))
    sys.modules[name] = module


# Cases of CPython's details that are not run: they leave modules behind that the others cannot do with.
NOT_RUN = {
    "test_ast": "ModuleStateTests",
}


class OtherInstructions(dict):
    """Numbers of instructions by name; those that are CPython's alone get one that no instruction has."""

    def __missing__(self, name):
        return 255


class Details:
    """Makes cases that are marked as details of CPython run all the same while this is entered: many test what programs see.

    Whether they ask for another result on other implementations is left to them: that they ask while they run.
    """

    def __init__(self, support):
        self.support = support
        self.asked = support.check_impl_detail
        support.check_impl_detail = self.check
        # It asks a module in C of CPython's build.
        support.has_no_debug_ranges = lambda: "no_debug_ranges" in sys._xoptions

    def __enter__(self):
        self.entered = True

    def __exit__(self, *error):
        self.entered = False

    def check(self, **guards):
        if self.entered:
            guards, default = self.support._parse_guards(guards)
            return guards.get("cpython", default)
        return self.asked(**guards)


# What `_ctypes_test`, a library of CPython's build, takes from the interpreter. Its functions for ctypes do without.
CALLED = (
    "PyArg_ParseTuple", "PyBytes_FromStringAndSize", "PyErr_Format", "PyErr_SetString", "PyList_Append", "PyList_New",
    "PyLong_FromLong", "PyType_GetFlags", "PyUnicode_CompareWithASCIIString", "PyUnicode_FromString",
    "Py_GetConstantBorrowed", "_Py_DecRef",
)
# These give what they are given: so a number comes out of a function for Python as it is.
PASSED_ON = ("PyLong_FromLongLong", "PyLong_FromUnsignedLongLong", "PyModuleDef_Init")
TAKEN = ("PyExc_TypeError", "PyExc_ValueError")


def library_of_c():
    """The module `_ctypes_test`, whose library the reference has and ctypes loads by its path; what it takes from CPython's
    interface for C is there by name only."""
    import ctypes
    import os
    import subprocess

    find = "import _ctypes_test; print(_ctypes_test.__file__)"
    reference = os.environ.get("SKEIN_REFERENCE") or "python3.14"
    found = subprocess.run([reference, "-I", "-c", find], capture_output=True, text=True)
    if found.returncode:
        raise unittest.SkipTest("the reference has no _ctypes_test")
    source, stubs = os.path.abspath("stubs.c"), os.path.abspath("stubs.so")
    with open(source, "w", encoding="utf-8") as file:
        file.writelines(f"void *{name}(void) {{ return 0; }}\n" for name in CALLED)
        file.writelines(f"void *{name}(void *given) {{ return given; }}\n" for name in PASSED_ON)
        file.writelines(f"void *{name};\n" for name in TAKEN)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", stubs, source], check=True)
    ctypes.CDLL(stubs, ctypes.RTLD_GLOBAL)
    module = type(sys)("_ctypes_test")
    module.__file__ = found.stdout.strip()
    library = ctypes.CDLL(module.__file__)
    for name, of in (("get_last_tf_arg_s", ctypes.c_longlong), ("get_last_tf_arg_u", ctypes.c_ulonglong)):
        setattr(module, name, own_function(library, name.encode(), of))
    sys.modules["_ctypes_test"] = module


def own_function(library, name, of):
    """A function that the library has for Python only, by the table of its module."""
    import ctypes

    class Method(ctypes.Structure):
        _fields_ = [("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("rest", ctypes.c_void_p * 2)]

    library.PyInit__ctypes_test.restype = ctypes.c_void_p
    # The table stands behind the object's head of five words, two texts and a size.
    place = library.PyInit__ctypes_test() + 8 * 8
    methods = ctypes.POINTER(ctypes.POINTER(Method)).from_buffer(ctypes.c_void_p(place)).contents
    at = next(i for i in range(99) if methods[i].name in (name, None))
    function = ctypes.CFUNCTYPE(of, ctypes.c_void_p, ctypes.c_void_p)(methods[at].function)
    return lambda: function(None, None)


def without(suite, done):
    """The suite with no case that is in `done`, or of the class that is not run."""
    if not isinstance(suite, unittest.TestSuite):
        return suite
    left_out = NOT_RUN.get(module_name) if sys.implementation.name != "cpython" else None

    def wanted(test):
        return isinstance(test, unittest.TestSuite) or name_of(test) not in done and type(test).__name__ != left_out

    return type(suite)(without(test, done) for test in suite if wanted(test))


def main():
    with open(notes_path, "a+", encoding="utf-8") as notes:
        notes.seek(0)
        done = {fields[1] for fields in (line.split("\t") for line in notes) if fields[0] == "start"}
    sys.argv = [module_name]
    # A shell starts what is to run in the background with this ignored; cases send it, and wait for what comes of it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    details = contextlib.nullcontext()
    try:
        from test import support

        support.use_resources = []
        if sys.implementation.name != "cpython":
            details = Details(support)
        if sys.implementation.name != "cpython":
            # The package `test` is a part of CPython's library; here programs that a test starts find it by PYTHONPATH
            # only, so they are not to be isolated from that.
            from test.support import script_helper

            script_helper.__cached_interp_requires_environment = True
        if sys.implementation.name != "cpython" and module_name in STAND_INS:
            stand_in(STAND_INS[module_name])
        if sys.implementation.name != "cpython" and module_name in ("test_code", "test_dis"):
            # They ask for some by name before their first case.
            import dis
            import opcode

            opcode.opmap = dis.opmap = OtherInstructions(opcode.opmap)
        if sys.implementation.name != "cpython" and module_name == "test_ctypes":
            library_of_c()
        if sys.implementation.name != "cpython" and module_name == "test_code":
            # It takes functions of CPython's interface for C out of it, where there is none.
            sys.modules["ctypes"] = None
        if sys.implementation.name != "cpython":
            # CPython writes into the other process's memory for that; here it is done by a signal and a file.
            support.support_remote_exec_only = lambda test: test
        if sys.implementation.name != "cpython" and module_name == "test_ast":
            # It lists the library's folder, which is in the program here; the tests come with one.
            import ast
            import os

            ast.__file__ = os.path.join(os.path.dirname(os.path.dirname(support.__file__)), "..", "ast.py")
        with details:
            __import__(f"test.{module_name}")
            module = sys.modules[f"test.{module_name}"]
            suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    except unittest.SkipTest as skip:
        note("module_skipped", "", skip)
    except BaseException as error:
        note("cannot_start", "", told(error))
    else:
        try:
            without(suite, done).run(Notes())
        except KeyboardInterrupt:
            note("fixture", "the run", "KeyboardInterrupt")
    note("end")


if __name__ == "__main__":
    main()
