# pip install flake8
import os
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "bad.py"), "w") as f:
        f.write("import os, sys\ndef f( x ):\n    y = 1\n    return undefined\n" + "z = '" + "x" * 90 + "'\n")
    done = subprocess.run([sys.executable, "-m", "flake8", "-j1", "bad.py"], cwd=folder, capture_output=True, text=True)
    print(done.stdout, done.stderr, done.returncode)
