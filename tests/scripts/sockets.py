import _socket

a, b = _socket.socketpair()
assert a.send(b"hello") == 5
assert b.recv(100) == b"hello"
b.setblocking(False)
try:
    b.recv(1)
except BlockingIOError:
    pass
else:
    assert False
b.settimeout(0.01)
try:
    b.recv(1)
except TimeoutError as e:
    assert str(e) == "timed out"
else:
    assert False
a.close()
assert b.recv(1) == b""
b.close()
l = _socket.socket()
l.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
l.bind(("127.0.0.1", 0))
l.listen()
c = _socket.socket()
c.connect(l.getsockname())
fd, address = l._accept()
s = _socket.socket(fileno=fd)
assert address == c.getsockname()
c.sendall(b"abc")
assert s.recv(10) == b"abc"
for x in (s, c, l):
    x.close()
