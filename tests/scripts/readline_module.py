# Skein alone
# The history of lines, and editing where there is a terminal.
import os
import pty
import select
import sys
import tempfile
import time

import readline


def raises(kind, call, *args):
    try:
        call(*args)
    except kind as e:
        return e
    raise AssertionError(f"{kind.__name__} was not raised")


readline.clear_history()
for line in ("one", "two", "three"):
    readline.add_history(line)
assert readline.get_current_history_length() == 3
assert readline.get_history_item(1) == "one" and readline.get_history_item(4) is None
readline.replace_history_item(0, "first")
readline.remove_history_item(1)
raises(ValueError, readline.remove_history_item, 7)
raises(ValueError, readline.replace_history_item, -1, "x")
raises(TypeError, readline.add_history, 1)
raises(TypeError, readline.set_completer, 1)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "history")
    readline.write_history_file(path)
    with open(path) as f:
        assert f.read() == "first\nthree\n"
    readline.add_history("é")
    readline.append_history_file(1, path)
    readline.clear_history()
    readline.read_history_file(path)
    assert [readline.get_history_item(i) for i in (1, 2, 3)] == ["first", "three", "é"]
    readline.set_history_length(2)
    readline.write_history_file(path)
    with open(path, encoding="utf-8") as f:
        assert f.read() == "three\né\n"
    readline.set_history_length(-1)
    raises(FileNotFoundError, readline.append_history_file, 1, path + "x")
    raises(FileNotFoundError, readline.read_history_file, path + "x")
readline.set_completer(lambda text, state: None)
assert readline.get_completer()("a", 0) is None
readline.set_completer(None)
assert readline.get_completer() is None
assert " " in readline.get_completer_delims()
readline.parse_and_bind("tab: complete")

PROGRAM = """
import readline
readline.add_history("earlier")
print("<" + input("? ") + ">")
print("<" + input("? ") + ">", readline.get_current_history_length())
"""
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execv(sys.executable, [sys.executable, "-c", PROGRAM])
out = b""


def read_until(what):
    global out
    end = time.monotonic() + 120
    while what not in out:
        assert time.monotonic() < end, out
        if select.select([fd], [], [], 1)[0]:
            try:
                more = os.read(fd, 65536)
            except OSError:
                more = b""
            assert more, out
            out += more


read_until(b"? ")
# A letter comes in before the last one.
os.write(fd, b"ac\x1bODb\r")
read_until(b"<abc>")
os.write(fd, b"\x10\x10\r")
read_until(b"<earlier>")
assert os.waitpid(pid, 0)[1] == 0, out
