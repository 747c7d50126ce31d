"""gevent's own tests on the interpreter that runs this.

    GEVENT_TESTS=.../gevent/tests skein benches/suites/gevent_suite.py [-v] [NAME ...]

`gevent` itself, in its pure Python form, is imported as any package is, so PYTHONPATH names where it is if it is not
installed. Tests of name look-ups and of child processes are skipped unless CPython's package `test` can be imported too.
"""

import os
import sys

import cases

FOLDER = cases.folder("GEVENT_TESTS", "the folder tests of the package gevent", "test__core.py")
# Programs that are run by other tests, and those that look at the C extension or at reference counts.
LEFT_OUT = {"test__refcount", "test__refcount_core", "test__memleak"}
MODULES = [
    "gevent.tests." + name[:-3]
    for name in sorted(os.listdir(FOLDER))
    if name.startswith("test_") and name.endswith(".py") and name[:-3] not in LEFT_OUT
]


def prepare():
    # Some are programs that look at their arguments, and import each other.
    del sys.argv[1:]
    sys.path.insert(0, FOLDER)


if __name__ == "__main__":
    cases.main(__file__, MODULES, prepare, {"GEVENTTEST_LEAKCHECK": "", "GEVENT_RESOLVER": "thread"})
