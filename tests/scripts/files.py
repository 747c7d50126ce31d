import os

path = "/tmp/skein-test-io-%d.txt" % os.getpid()
with open(path, "w") as f:
    assert f.write("one\ntwo\r\nthree") == 14
    assert f.writable() and not f.readable() and not f.closed
assert f.closed
with open(path) as f:
    assert f.readline() == "one\n"
    assert f.read(3) == "two"
    assert f.read() == "\nthree"
    assert f.read() == ""
with open(path, newline="") as f:
    assert list(f) == ["one\n", "two\r\n", "three"]
with open(path, "rb") as f:
    assert f.read() == b"one\ntwo\r\nthree"
    assert f.seek(4) == 4
    assert f.readline() == b"two\r\n"
    assert f.tell() == 9
with open(path, "a") as f:
    f.writelines(["\n", "four"])
with open(path) as f:
    assert f.readlines()[-1] == "four"
with open(path, "w", encoding="latin-1") as f:
    f.write("\xe9")
with open(path, "rb") as f:
    assert f.read() == b"\xe9"
try:
    f.read()
except ValueError:
    pass
else:
    assert False
os.unlink(path)
try:
    open(path)
except FileNotFoundError as e:
    assert e.errno == 2 and e.filename == path
else:
    assert False
for mode in ("z", "rw", "tb"):
    try:
        open(path, mode)
    except ValueError:
        pass
    else:
        assert False, mode
