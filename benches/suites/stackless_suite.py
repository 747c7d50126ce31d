"""Stackless Python's own tests on the interpreter that runs this.

    STACKLESS_TESTS=.../Stackless/unittests skein benches/suites/stackless_suite.py [-v] [NAME ...]

Those modules are left out that are about Stackless's interface for C.
"""

import os
import sys
import types

import cases

FOLDER = cases.folder("STACKLESS_TESTS", "the folder Stackless/unittests of Stackless Python's sources", "support.py")
LEFT_OUT = {"test_capi", "test_slp_embed", "test_transfer_errors", "test_tpflags_have_stackless_call"}
MODULES = [
    name[:-3]
    for name in sorted(os.listdir(FOLDER))
    if name.startswith("test_") and name.endswith(".py") and name[:-3] not in LEFT_OUT
]


CLOSED = "steps of async generators that have ended raise RuntimeError from Python 3.9 on"
COUNTS = "asks for counts of references, or for what dies as soon as the last reference goes"
LAYOUT = "about the parts of a frame in the pickles of Stackless's interpreter"
HARD = "expects that what was pickled does not go on while switches are hard; here it does"
INAPPLICABLE = {
    "test_pickle.TestAsyncGenPickling.test_*": CLOSED,
    "test_pickle.TestAsyncGenAThrowPickling.test_*": CLOSED,
    "test_watchdog.TestWatchdog*.test_pickle_*H": HARD,
    "test_generator.TestGarbageCollection.*": COUNTS,
    "test_generator.TestAsyncGenPickling.test_finalizer*": COUNTS,
    "test_thread.TestThreadLocalStorage.test_destructor_at_end_of_thread*": COUNTS,
    "test_miscell.ContextManagerTestCase.test_nokeepref*": COUNTS,
    "test_miscell.TestBind.test_*bind*": COUNTS,
    "test_weakref.TestWeakReferences.testSimple*": COUNTS,
    "test_generator.TestGeneratorWrapper.*": LAYOUT,
    "test_defects.TestCrashUponFrameUnpickling.*": LAYOUT,
    "test_pickle.TestFramePickling.*": LAYOUT,
    "test_thread.TestRebindCrash.test_crash": LAYOUT,
    "test_tstate.TestTracingState.testReduceOfTracingState*": LAYOUT,
    "test_shutdown.TestShutdown.*Py_Exit*": "calls a function of the C interface",
}


def prepare():
    sys.path.insert(0, FOLDER)
    try:
        from test import support
    except ImportError:
        # CPython's own tests are no part of what is packaged. Others of them are looked for, in vain, where they are needed.
        package, support = types.ModuleType("test"), types.ModuleType("test.support")
        package.__path__, package.support = [], support
        sys.modules.update({"test": package, "test.support": support})
    # It has gone from newer versions. Only the suite's own runner calls it.
    vars(support).setdefault("run_unittest", None)


if __name__ == "__main__":
    # Child processes of the tests import modules of the suite too.
    path = os.pathsep.join(p for p in (FOLDER, os.environ.get("PYTHONPATH")) if p)
    cases.main(__file__, MODULES, prepare, {"PYTHONPATH": path}, inapplicable=INAPPLICABLE)
