# pip install docopt
from docopt import docopt

DOC = """Naval.

Usage:
  naval new <name>...
  naval move <name> <x> <y> [--speed=<kn>]
  naval -h | --help

Options:
  --speed=<kn>  Speed [default: 10].
"""
print(docopt(DOC, ["new", "a", "b"]))
print(docopt(DOC, ["move", "a", "1", "2", "--speed=15"]))
try:
    docopt(DOC, ["fly"])
except SystemExit as e:
    print(e)
