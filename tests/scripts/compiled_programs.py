"""Compiled files that are run as programs: by name, in a folder, and by what they begin with."""
import importlib.util
import marshal
import os
import py_compile
import subprocess
import sys
import tempfile

SOURCE = """\
import sys
print(__name__, __file__, __cached__, type(__loader__).__name__, __loader__.path == __file__, sys.argv[1:])
def f():
    raise ValueError("told")
f()
"""


def run(*args):
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, encoding="utf-8")


with tempfile.TemporaryDirectory() as folder:
    source, compiled = os.path.join(folder, "program.py"), os.path.join(folder, "program.pyc")
    with open(source, "w") as file:
        file.write(SOURCE)
    py_compile.compile(source, cfile=compiled, dfile="/elsewhere/program.py", doraise=True)
    other = os.path.join(folder, "no_suffix")
    with open(compiled, "rb") as file, open(other, "wb") as copy:
        copy.write(file.read())
    for path in (compiled, other):
        done = run(path, "a", "b")
        assert done.stdout == f"__main__ {path} None SourcelessFileLoader True ['a', 'b']\n", done
        assert done.returncode == 1 and done.stderr.splitlines()[-1] == "ValueError: told", done
        # Where it was compiled from is where it says that it comes from.
        assert '  File "/elsewhere/program.py", line 4, in f' in done.stderr, done
    wrong = os.path.join(folder, "wrong.pyc")
    for data, error in (
        (b"", "EOFError: EOF read where not expected"),
        (importlib.util.MAGIC_NUMBER, "EOFError: EOF read where not expected"),
        (b"print(1)\n", "RuntimeError: Bad magic number in .pyc file"),
    ):
        with open(wrong, "wb") as file:
            file.write(data)
        done = run(wrong)
        assert done.stderr.splitlines()[-1:] == [error], done

    with open(wrong, "wb") as file:
        file.write(importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps([1]))
    done = run(wrong)
    assert done.stderr.splitlines()[-1:] == ["RuntimeError: Bad code object in .pyc file"], done
