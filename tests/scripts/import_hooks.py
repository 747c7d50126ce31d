"""Modules that are not found as files in a folder: archives, hooks, packages in several folders, compiled files."""
import importlib
import importlib.metadata
import importlib.resources
import importlib.util
import os
import py_compile
import subprocess
import sys
import tempfile
import zipfile

folder = tempfile.mkdtemp()


def write(path, text=""):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    return path


def archives():
    name = os.path.join(folder, "archive.zip")
    with zipfile.ZipFile(name, "w") as z:
        z.writestr("in_zip.py", "where = __file__\n")
        z.writestr("zip_package/__init__.py", "x = 1\n")
        z.writestr("zip_package/part.py", "y = 2\n")
        z.writestr("zip_namespace/leaf.py", "z = 3\n")
        z.writestr("__main__.py", "print(__name__, __file__, __spec__.name, __package__ == '')\n")
    sys.path.insert(0, name)
    import in_zip
    import zip_package.part
    from zip_namespace import leaf

    assert in_zip.where == name + "/in_zip.py" and zip_package.part.y == 2 and leaf.z == 3
    assert type(sys.path_importer_cache[name]).__name__ == "zipimporter"
    assert type(in_zip.__loader__).__name__ == "zipimporter"
    sys.path.remove(name)
    for main in (name, folder + "/program"):
        shown = subprocess.run([sys.executable, main], capture_output=True, text=True)
        assert shown.stdout == f"__main__ {main}/__main__.py __main__ True\n", shown
    shown = subprocess.run([sys.executable, folder + "/empty"], capture_output=True, text=True)
    assert shown.returncode == 1 and "can't find '__main__' module in '" in shown.stderr, shown


def namespaces():
    write("one/spread/a.py", "v = 'a'\n")
    write("two/spread/b.py", "v = 'b'\n")
    sys.path.insert(0, folder + "/one")
    import spread.a

    assert spread.__file__ is None and spread.__spec__.origin is None
    assert repr(spread) == f"<module 'spread' (namespace) from ['{folder}/one/spread']>", repr(spread)
    try:
        import spread.b
    except ModuleNotFoundError:
        pass
    else:
        raise AssertionError("found too early")
    # The path of the package follows that of its parent.
    sys.path.insert(0, folder + "/two")
    import spread.b

    assert spread.b.v == "b" and list(spread.__path__) == [folder + "/two/spread", folder + "/one/spread"]
    del sys.path[:2]


def hooks():
    class Finder:
        def __init__(self, path):
            if path != "<own>":
                raise ImportError(path)

        def find_spec(self, name, target=None):
            if name == "made_up":
                return importlib.util.spec_from_loader(name, self, origin="here")
            return None

        def create_module(self, spec):
            return None

        def exec_module(self, module):
            module.value = 42

    sys.path_hooks.insert(0, Finder)
    sys.path.insert(0, "<own>")
    import made_up

    assert made_up.value == 42 and repr(made_up) == "<module 'made_up' (here)>", repr(made_up)
    assert type(sys.path_importer_cache["<own>"]) is Finder
    sys.path.remove("<own>")
    sys.path_hooks.remove(Finder)
    # What hooks raise besides ImportError is raised by the import, and nothing is kept.
    def wrong(path):
        raise OSError(path)

    sys.path_hooks.insert(0, wrong)
    sys.path.insert(0, "<other>")
    try:
        import not_there
    except OSError as e:
        assert str(e) == "<other>"
    else:
        raise AssertionError("no error")
    assert "<other>" not in sys.path_importer_cache
    sys.path.remove("<other>")
    sys.path_hooks.remove(wrong)
    # A folder that comes later is seen once that is said.
    sys.path.insert(0, folder + "/later")
    assert importlib.util.find_spec("comes_later") is None
    write("later/comes_later.py", "")
    importlib.invalidate_caches()
    assert importlib.util.find_spec("comes_later").origin == folder + "/later/comes_later.py"
    sys.path.remove(folder + "/later")


def compiled_files():
    source = write("compiled/plain.py", "def f(x, *, y=2):\n    return [x * i for i in range(y)]\nk = f(3, y=3)\n")
    write("compiled/pack/__init__.py", "inside = 1\n")
    sys.path.insert(0, folder + "/compiled")
    import plain

    cached = importlib.util.cache_from_source(source)
    assert plain.__cached__ == plain.__spec__.cached == cached
    for name in ("plain", "pack/__init__"):
        path = f"{folder}/compiled/{name}.py"
        assert py_compile.compile(path, cfile=path + "c", doraise=True) == path + "c"
        os.remove(path)
    del sys.modules["plain"]
    importlib.invalidate_caches()
    import pack
    import plain

    assert plain.k == [0, 3, 6] and plain.__file__ == folder + "/compiled/plain.pyc" and pack.inside == 1
    with open(plain.__file__, "r+b") as f:
        f.write(b"\0")
    del sys.modules["plain"]
    try:
        import plain
    except ImportError as e:
        assert str(e).startswith("bad magic number in 'plain'"), e
    else:
        raise AssertionError("read as it is")
    sys.path.remove(folder + "/compiled")


def metadata_and_resources():
    write("site/thing-1.5.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.5\n")
    write("site/thing/__init__.py")
    write("site/thing/data.txt", "text of a resource")
    sys.path.insert(0, folder + "/site")
    assert importlib.metadata.version("thing") == "1.5"
    assert importlib.resources.files("thing").joinpath("data.txt").read_text() == "text of a resource"
    write("site/other.py")
    importlib.invalidate_caches()
    a, b = importlib.util.find_spec("other"), importlib.util.find_spec("other")
    assert a == b and a.loader == b.loader and a is not b and hash(a.loader) == hash(b.loader)
    sys.path.remove(folder + "/site")


def relative_entries():
    write("relative/rel.py")
    before = os.getcwd()
    os.chdir(folder)
    sys.path.insert(0, "relative")
    import rel

    assert os.path.samefile(rel.__file__, folder + "/relative/rel.py") and os.path.isabs(rel.__file__)
    os.chdir(before)
    sys.path.remove("relative")


write("program/__main__.py", "print(__name__, __file__, __spec__.name, __package__ == '')\n")
os.mkdir(folder + "/empty")
archives()
namespaces()
hooks()
compiled_files()
metadata_and_resources()
relative_entries()
