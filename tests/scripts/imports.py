import os
import sys

folder = "/tmp/skein-test-imports-%d" % os.getpid()
files = {
    "a.py": "import b\nx = 1\n",
    "b.py": "import a\ny = 2\n",
    "bad.py": "1 / 0\n",
    "p/__init__.py": "from . import m\nfrom .m import z\n",
    "p/m.py": "z = 5\n",
    "n/inner.py": "w = 6\n",
}
os.mkdir(folder)
os.mkdir(folder + "/p")
os.mkdir(folder + "/n")
for name, text in files.items():
    with open(folder + "/" + name, "w") as f:
        f.write(text)
sys.path.insert(0, folder)
import a

assert a.x == 1 and a.b.y == 2 and a.b.a is a
assert a.__file__ == folder + "/a.py" and a.__spec__.name == "a" and a.__package__ == ""
import p.m

assert p.z == 5 and p.m is sys.modules["p.m"] and p.__path__ == [folder + "/p"]
assert p.m.__package__ == "p"
from n import inner

assert inner.w == 6
try:
    import bad
except ZeroDivisionError:
    assert "bad" not in sys.modules
else:
    assert False
for name, text in (
    ("nope", "No module named 'nope'"),
    ("a.nope", "No module named 'a.nope'; 'a' is not a package"),
    ("p.nope", "No module named 'p.nope'"),
):
    try:
        __import__(name)
    except ModuleNotFoundError as e:
        assert str(e) == text and e.name == name, str(e)
    else:
        assert False
try:
    from p import nope
except ImportError as e:
    assert str(e).startswith("cannot import name 'nope' from 'p'"), str(e)
else:
    assert False
for name in files:
    os.unlink(folder + "/" + name)

# ---- the classes of syntax trees, which annotations are taken apart with

import _ast

node = _ast.BinOp(_ast.Name("a"), _ast.Add(), _ast.Constant(3))
assert node._fields == ("left", "op", "right") and isinstance(node, _ast.expr) and node.left.id == "a"
assert type(node.left.ctx) is _ast.Load and _ast.Call(node).args == [] and _ast.Return().value is None
assert _ast.Name.__doc__ == "Name(identifier id, expr_context ctx)" and _ast.expr._attributes[0] == "lineno"
for wrong in (lambda: _ast.Name(1, 2, 3), lambda: _ast.Name("a", id="b")):
    try:
        wrong()
    except TypeError as e:
        assert str(e) in ("Name constructor takes at most 2 positional arguments", "Name got multiple values for argument 'id'")
    else:
        raise AssertionError
