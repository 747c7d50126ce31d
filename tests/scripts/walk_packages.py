"""`pkgutil` sees what is in packages: of the library, and in folders."""
import json
import os
import pkgutil
import sys
import tempfile

assert {m.name for m in pkgutil.iter_modules(json.__path__)} >= {"decoder", "encoder", "scanner", "tool"}
walked = {m.name: m.ispkg for m in pkgutil.walk_packages(json.__path__, "json.")}
assert walked["json.decoder"] is False and len(walked) >= 4
xml = {m.name: m.ispkg for m in pkgutil.walk_packages(__import__("xml").__path__, "xml.")}
assert xml["xml.dom"] is True and xml["xml.dom.minidom"] is False and xml["xml.etree.ElementTree"] is False
top = {m.name: m.ispkg for m in pkgutil.iter_modules()}
assert top["json"] is True and top["textwrap"] is False and "json.decoder" not in top

with tempfile.TemporaryDirectory() as folder:
    for name in ("one.py", "pack/__init__.py", "pack/inner.py", "pack/sub/__init__.py", "plain/x.py", "a.b.py", "notes.txt"):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").close()
    found = [(m.name, m.ispkg) for m in pkgutil.iter_modules([folder], "p.")]
    assert found == [("p.one", False), ("p.pack", True)], found
    sys.path.insert(0, folder)
    found = [(m.name, m.ispkg) for m in pkgutil.walk_packages([folder])]
    assert found == [("one", False), ("pack", True), ("pack.inner", False), ("pack.sub", True)], found
    finder = pkgutil.get_importer(folder)
    assert finder.path == folder and repr(finder) == f"FileFinder({folder!r})"
    assert finder.find_spec("one").origin == os.path.join(folder, "one.py") and finder.find_spec("two") is None
    sys.path.remove(folder)
hook = sys.path_hooks[-1]
try:
    hook(os.path.join(folder, "nowhere"))
except ImportError as e:
    assert str(e) == "only directories are supported"
else:
    raise AssertionError
print("ok")
