"""usage: python -m skein.inside ADDRESS [-m MODULE | PROGRAM] [ARG...]

Runs a program that is looked into from its beginning: what `skein.inspect` starts.
"""

import os
import runpy
import sys

from . import agent


def main():
    _, address, *rest = sys.argv
    agent.start(address, wait=True)
    if rest[0] == "-m":
        sys.argv = rest[1:]
        sys.path[0] = os.getcwd()
        runpy.run_module(rest[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = rest
        sys.path[0] = os.path.dirname(os.path.abspath(rest[0]))
        runpy.run_path(rest[0], run_name="__main__")


if __name__ == "__main__":
    main()
