# _imp: modules that are there as frozen ones; _stat.
import _imp
import contextlib
import io
import stat
import _stat
from importlib.machinery import FrozenImporter

assert _imp.is_frozen("__hello__") and not _imp.is_frozen("os.path")
assert _imp.is_frozen_package("__phello__") and not _imp.is_frozen_package("__phello__.spam")
assert _imp.find_frozen("__hello_alias__") == (None, False, "__hello__") and _imp.find_frozen("none") is None
data, is_package, name = _imp.find_frozen("__phello__.ham", withdata=True)
assert isinstance(data, memoryview) and is_package and name == "__phello__.ham"
assert "__hello__" in _imp._frozen_module_names()
spec = FrozenImporter.find_spec("__hello__")
assert spec.origin == "frozen" and spec.loader is FrozenImporter
namespace = {"__name__": "x"}
exec(FrozenImporter.get_code("__hello__"), namespace)
with contextlib.redirect_stdout(io.StringIO()) as out:
    namespace["main"]()
assert out.getvalue() == "Hello world!\n"
try:
    _imp.get_frozen_object("none")
except ImportError as e:
    assert str(e) == "No such frozen object named 'none'" and e.name == "none"
else:
    raise AssertionError

assert stat.S_ISDIR is _stat.S_ISDIR and _stat.S_ISDIR(0o40755) and not _stat.S_ISREG(0o40755)
for mode, text in [
    (0o100644, "-rw-r--r--"), (0o40755, "drwxr-xr-x"), (0o104755, "-rwsr-xr-x"), (0o102644, "-rw-r-Sr--"),
    (0o41777, "drwxrwxrwt"), (0o120777, "lrwxrwxrwx"), (0o20600, "crw-------"), (0, "?---------"),
]:
    assert _stat.filemode(mode) == text, (oct(mode), _stat.filemode(mode))
try:
    _stat.S_IFMT(1 << 32)
except OverflowError:
    pass
else:
    raise AssertionError
