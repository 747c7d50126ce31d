# pip install sphinx
import os
import tempfile

from sphinx.application import Sphinx

with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "conf.py"), "w") as f:
        f.write("project = 'Demo'\nextensions = ['sphinx.ext.autodoc']\n")
    with open(os.path.join(folder, "index.rst"), "w") as f:
        f.write("Demo\n====\n\n.. py:function:: twice(x: int) -> int\n\n   Doubles *x*.\n\n:py:func:`twice`\n\n.. autofunction:: textwrap.indent\n")
    out = os.path.join(folder, "out")
    app = Sphinx(folder, folder, out, os.path.join(out, "t"), "text", status=None, warning=None)
    app.build()
    print(app.statuscode)
    with open(os.path.join(out, "index.txt")) as f:
        print(f.read())
