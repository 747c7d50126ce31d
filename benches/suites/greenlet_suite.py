"""greenlet's own tests on the interpreter that runs this.

    GREENLET_TESTS=.../greenlet-3.5.6/src/greenlet/tests skein benches/suites/greenlet_suite.py [-v] [NAME ...]

The tests are those of greenlet's source distribution. They count objects and memory by psutil and objgraph;
where these are not installed, stand-ins tell the memory that Linux reports. Checks of reference counts are off.
"""

import os
import sys
import types

import cases

FOLDER = cases.folder("GREENLET_TESTS", "the folder src/greenlet/tests of greenlet's sources", "leakcheck.py")
MODULES = [
    "greenlet.tests." + name[:-3]
    for name in sorted(os.listdir(FOLDER))
    if name.startswith("test_") and name.endswith(".py")
]


def prepare():
    import greenlet

    # The package's own folder has no tests: those of the suite's folder are its.
    greenlet.__path__.append(os.path.dirname(FOLDER))
    try:
        import psutil
    except ImportError:
        sys.modules["psutil"] = stand_in_for_psutil()
    try:
        import objgraph
    except ImportError:
        sys.modules["objgraph"] = stand_in_for_objgraph()
    import greenlet.tests

    # There the suite does not ask for counts of references to classes either.
    greenlet.tests.RUNNING_ON_FREETHREAD_BUILD = True


COUNTS = "asks for counts of references, or for what dies as soon as the last reference goes"
FREE = "about CPython without its lock, which the suite takes this for: see prepare()"
EXTENSION = "about the extension in C++, or calls it"
INAPPLICABLE = {
    "*.ContextVarsTests.test_context_assignment_while_running": COUNTS,
    "*.TestGreenlet.test_dealloc_*": COUNTS,
    "*.TestGreenlet.test_parent_restored_on_kill": COUNTS,
    "*.TestGreenlet.test_two_recursive_children": COUNTS,
    "*.TestBrokenGreenlets.test_reentrant_switch_run_callable_has_del": COUNTS,
    "*.test_greenlet_trash.*": "about how CPython takes deep structures apart when their counts fall",
    "*.TestBrokenGreenlets.test_failed_to_*": "sets traps in the extension's code for copying stacks",
    "*.TestGreenlet.test_get_stack_with_nested_c_calls": EXTENSION,
    "*.TestInterpreterShutdown.test_*_at_module_gc_time": EXTENSION,
    "*.TestLeaks.test_kwarg_refs": COUNTS,
    "*.WeakRefTests.test_dealloc_weakref": COUNTS,
    "*.test_stack_saved.*": "about the slices of C stacks that the extension copies",
    "*.TestGC.test_c_stack_refs_suspended_gc": FREE,
    "*.TestModule.test_no_gil_on_free_threaded": FREE,
    "unittest.loader._FailedTest.test_cpp": EXTENSION,
    "unittest.loader._FailedTest.test_extension_interface": EXTENSION,
}


class Memory:
    """What one process has for itself, in bytes."""

    def memory_full_info(self):
        private = 0
        with open("/proc/self/smaps_rollup") as f:
            for line in f:
                if line.startswith("Private_"):
                    private += int(line.split()[1]) * 1024
        return types.SimpleNamespace(uss=private)


def stand_in_for_psutil():
    m = types.ModuleType("psutil")
    m.Process = Memory
    return m


def stand_in_for_objgraph():
    import gc

    m = types.ModuleType("objgraph")
    m.count = lambda name: sum(type(x).__name__ == name for x in gc.get_objects())
    m.typestats = lambda *_, **__: {}
    return m


if __name__ == "__main__":
    # Child processes of the tests import `greenlet.tests` too.
    cases.main(__file__, MODULES, prepare, {"GREENLET_SKIP_LEAKCHECKS": "1"}, inapplicable=INAPPLICABLE)
