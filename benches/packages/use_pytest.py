# pip install pytest
import os
import re
import subprocess
import sys
import tempfile

TESTS = '''
import pytest

@pytest.fixture
def number():
    yield 5

@pytest.mark.parametrize("a,b", [(1, 1), (2, 3)])
def test_equal(a, b):
    assert a == b

def test_list(number):
    assert [1, 2, number] == [1, 2, 6]

def test_raises():
    with pytest.raises(ZeroDivisionError, match="zero"):
        1 / 0

@pytest.mark.skip(reason="later")
def test_skipped():
    pass

def test_tmp(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("A", "1")
    (tmp_path / "f").write_text("x")
    print("shown")
    assert capsys.readouterr().out == "shown\\n"
'''
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "test_it.py"), "w") as f:
        f.write(TESTS)
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:randomly", folder]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    out = re.sub(r"in [\d.]+s", "in Ns", done.stdout)
    lines = [line for line in out.splitlines() if not line.startswith(("platform", "rootdir", "cachedir", "plugins"))]
    print("\n".join(lines))
    print(done.returncode)
