"""eventlet's own tests on the interpreter that runs this.

    EVENTLET_TESTS=.../eventlet-0.41.3/tests skein benches/suites/eventlet_suite.py [-v] [NAME ...]

`eventlet` itself is imported as any package is, so PYTHONPATH names where it is if it is not installed.
"""

import os
import sys

import cases

FOLDER = cases.folder("EVENTLET_TESTS", "the folder tests of eventlet's sources", "greenio_test.py")
MODULES = [
    "tests." + name[:-3]
    for name in sorted(os.listdir(FOLDER))
    if name.endswith("_test.py") or name.startswith("test_") and name.endswith(".py")
]
TOP = os.path.dirname(FOLDER)


def prepare():
    sys.path.insert(0, TOP)
    # They name the programs that they run from there.
    os.chdir(TOP)


if __name__ == "__main__":
    # Child processes of the tests import `tests` too.
    path = os.pathsep.join(p for p in (TOP, os.environ.get("PYTHONPATH")) if p)
    # The suite is made for pytest, which sets this; eventlet then says nothing of locks that it could not replace.
    environment = {"PYTHONPATH": path, "PYTEST_CURRENT_TEST": "yes"}
    cases.main(__file__, MODULES, prepare, environment)
