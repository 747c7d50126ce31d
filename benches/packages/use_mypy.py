# pip install mypy==1.17.1
import os
import tempfile

from mypy import api

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "m.py")
    with open(path, "w") as f:
        f.write("def f(x: int) -> str:\n    return x\n\nf('a')\nxs: list[int] = [1, 'b']\n")
    out, err, code = api.run([path, "--cache-dir", os.devnull, "--no-error-summary"])
    print(out.replace(folder, ""), err, code)
