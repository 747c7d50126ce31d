# Python 3.14
# What is said of names that a module does not have: imports that go in a circle, and files that stand before
# modules of the same name.

import os
import subprocess
import sys
import tempfile
import warnings


def error(kind, f, *args):
    try:
        f(*args)
    except kind as e:
        return str(e)
    raise AssertionError("nothing was raised")


def write(folder, **files):
    for name, text in files.items():
        path = os.path.join(folder, *name.split("__in__")[::-1]) + ".py"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)


with tempfile.TemporaryDirectory() as folder:
    folder = os.path.realpath(folder)
    write(
        folder,
        round_a="import round_b\nnever = 1\n",
        round_b="import round_a\nround_a.never\n",
        from_a="from from_b import b\n",
        from_b="from from_a import a\n",
        __init____in__pack="",
        early__in__pack="import pack\npack.early\n",
        starred="__all__ = ['x', 3]\nx = 1\n",
        wild="globals()[3] = 1\n",
    )
    sys.path.insert(0, folder)

    circle = "(most likely due to a circular import)"
    assert error(AttributeError, __import__, "round_a") == (
        f"partially initialized module 'round_a' from '{folder}/round_a.py' has no attribute 'never' {circle}"
    )
    assert error(ImportError, __import__, "from_a") == (
        f"cannot import name 'a' from partially initialized module 'from_a' {circle} ({folder}/from_a.py)"
    )
    assert error(AttributeError, __import__, "pack.early") == f"cannot access submodule 'early' of module 'pack' {circle}"

    def plain():
        import wild

        wild.nothing

    assert error(AttributeError, plain) == "module 'wild' has no attribute 'nothing'"
    assert error(ImportError, exec, "from wild import nothing") == (
        f"cannot import name 'nothing' from 'wild' ({folder}/wild.py)"
    )
    assert error(ImportError, exec, "from sys import nothing") == (
        "cannot import name 'nothing' from 'sys' (unknown location)"
    )
    assert error(TypeError, exec, "from starred import *") == "Item in starred.__all__ must be str, not int"
    assert error(TypeError, exec, "from wild import *") == "Key in wild.__dict__ must be str, not int"

    # The program's own folder is looked in first.
    write(folder, fractions="import fractions\nfractions.Rationals\n", own="import own\nown.name\n")

    def last_line(*args):
        run = subprocess.run([sys.executable, *args], cwd=folder, capture_output=True, text=True)
        return run.stderr.splitlines()[-1]

    shadow = (
        f"(consider renaming '{folder}/fractions.py' since it has the same name as the standard library module "
        "named 'fractions' and prevents importing that standard library module)"
    )
    assert last_line("fractions.py") == f"AttributeError: module 'fractions' has no attribute 'Rationals' {shadow}"
    assert last_line("-c", "from fractions import Nothing").endswith(shadow)
    assert last_line("own.py") == (
        f"AttributeError: module 'own' has no attribute 'name' (consider renaming '{folder}/own.py' "
        "if it has the same name as a library you intended to import)"
    )
    # -P: it is not.
    assert last_line("-P", "-c", "import fractions; fractions.nothing") == (
        "AttributeError: module 'fractions' has no attribute 'nothing'"
    )

# A parent that takes no attributes.
class Parent:
    __slots__ = ("__name__", "__path__", "__spec__")


with tempfile.TemporaryDirectory() as folder:
    write(folder, child="")
    parent = Parent()
    parent.__name__, parent.__path__, parent.__spec__ = "slotted", [folder], None
    sys.modules["slotted"] = parent
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        import slotted.child
    assert [str(w.message) for w in seen] == [
        "Cannot set an attribute on 'slotted' for child module 'child'"
    ]
    assert seen[0].category is ImportWarning
