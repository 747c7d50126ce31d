"""A plugin of pytest that writes how each case ended into the file that OUTCOMES names: one line each, a word and the case's name."""

import os

WORDS = {}


def pytest_runtest_logreport(report):
    # A case passes in its call, and may be skipped or fail before and behind that.
    if report.when == "call" or report.outcome != "passed":
        word = report.outcome
        if hasattr(report, "wasxfail"):
            word = "xfailed" if report.skipped else "xpassed"
        if WORDS.get(report.nodeid) != "failed":
            WORDS[report.nodeid] = word


def pytest_sessionfinish():
    with open(os.environ["OUTCOMES"], "w") as f:
        for name, word in WORDS.items():
            f.write(f"{word} {name.encode('unicode_escape').decode('ascii')}\n")
