# pip install pylint
import os
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "bad.py"), "w") as f:
        f.write("import os\ndef f(x, l=[]):\n    if x == None:\n        return undefined\n    print(os.nothing)\nclass a: pass\n")
    command = [sys.executable, "-m", "pylint", "--score=n", "bad.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    print(done.stdout, done.stderr, done.returncode)
