# Names, addresses and messages of socket.
import array
import os
import socket


def raises(kind, text, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except kind as e:
        assert text is None or str(e) == text, str(e)
        return e
    raise AssertionError(f"{kind.__name__} not raised")


# Numbers and texts of addresses.
assert socket.inet_aton("1.2") == b"\x01\0\0\x02" and socket.inet_aton("0x7f.1") == b"\x7f\0\0\x01"
assert socket.inet_pton(socket.AF_INET, "127.0.0.1") == b"\x7f\0\0\x01"
assert socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, "::1")) == "::1"
assert socket.inet_ntop(socket.AF_INET6, b"\0" * 12 + b"\1\2\3\4") == "::1.2.3.4"
raises(OSError, "illegal IP address string passed to inet_pton", socket.inet_pton, socket.AF_INET, "x")
raises(OSError, "[Errno 97] Address family not supported by protocol", socket.inet_pton, 99, "x")
raises(ValueError, "invalid length of packed IP address string", socket.inet_ntop, socket.AF_INET, b"abc")
raises(ValueError, "unknown address family 99", socket.inet_ntop, 99, b"abcd")
raises(OSError, "packed IP wrong length for inet_ntoa", socket.inet_ntoa, b"abc")
assert socket.inet_ntoa(bytearray(b"\1\2\3\4")) == "1.2.3.4"
raises(ValueError, "Cannot convert negative int", socket.htonl, -1)
raises(OverflowError, "Python int too large for C uint16_t", socket.htons, 70000)
assert socket.CMSG_LEN(4) == 20 and socket.CMSG_SPACE(4) == 24
raises(OverflowError, "CMSG_LEN() argument out of range", socket.CMSG_LEN, -1)

# Look-ups that need no network.
rows = socket.getaddrinfo("127.0.0.1", 80)
assert [(r[0], r[1], r[2], r[4]) for r in rows][0] == (socket.AF_INET, socket.SOCK_STREAM, 6, ("127.0.0.1", 80))
assert socket.getaddrinfo(b"127.0.0.1", "80", type=socket.SOCK_STREAM)[0][4] == ("127.0.0.1", 80)
assert socket.getaddrinfo("::1", 80, type=socket.SOCK_STREAM)[0][4] == ("::1", 80, 0, 0)
passive = socket.getaddrinfo(None, 80, family=socket.AF_INET, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
assert passive[0][4] == ("0.0.0.0", 80)
e = raises(socket.gaierror, None, socket.getaddrinfo, None, None)
assert e.errno == socket.EAI_NONAME and isinstance(e, OSError)
raises(TypeError, "getaddrinfo() argument 1 must be string or None", socket.getaddrinfo, 3, 80)
raises(OSError, "Int or String expected", socket.getaddrinfo, "::1", 1.5)
numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
assert socket.getnameinfo(("127.0.0.1", 80), numeric) == ("127.0.0.1", "80")
assert socket.getnameinfo(("::1", 80, 0, 0), numeric) == ("::1", "80")
raises(TypeError, "getnameinfo() argument 1 must be a tuple", socket.getnameinfo, "x", 3)
assert socket.gethostbyname("127.0.0.1") == "127.0.0.1" and socket.gethostbyname("") == "0.0.0.0"
assert socket.gethostbyname_ex("127.0.0.1") == ("127.0.0.1", [], ["127.0.0.1"])
raises(OSError, "protocol not found", socket.getprotobyname, "no such protocol")
raises(OSError, "service/proto not found", socket.getservbyname, "http", "no such protocol")
raises(OverflowError, "getservbyport: port must be 0-65535.", socket.getservbyport, -1)
assert (1, "lo") in socket.if_nameindex() and socket.if_nametoindex("lo") == 1 and socket.if_indextoname(1) == "lo"
raises(OSError, "[Errno 19] No such device", socket.if_nametoindex, "none such")

# Addresses as arguments.
with socket.socket() as s:
    raises(TypeError, "connect(): AF_INET address must be tuple, not str", s.connect, "x")
    raises(TypeError, "AF_INET address must be a pair (host, port)", s.connect, ("a",))
    raises(OverflowError, "connect(): port must be 0-65535.", s.connect, ("127.0.0.1", -1))
    raises(TypeError, "str, bytes or bytearray expected, not int", s.connect, (3, 1))
    raises(ValueError, "negative buffersize in recv", s.recv, -1)
    raises(ValueError, "buffer too small for requested bytes", s.recv_into, bytearray(2), 3)
    raises(TypeError, "recv_into() argument 1 must be read-write bytes-like object, not bytes", s.recv_into, b"a")
    raises(TypeError, "sendto() takes 2 or 3 arguments (1 given)", s.sendto, b"a")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert s.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == b"\1\0\0\0\0\0\0\0"
with socket.socket(socket.AF_UNIX) as s:
    raises(OSError, "AF_UNIX path too long", s.bind, "a" * 200)
    s.bind("\0skein-test-%d" % os.getpid())
    assert s.getsockname() == b"\0skein-test-%d" % os.getpid()

# Several buffers, ancillary data, and buffers of all kinds.
a, b = socket.socketpair()
with a, b:
    assert a.sendmsg([b"one", bytearray(b"two"), memoryview(b"three")]) == 11
    first, second = bytearray(4), array.array("B", bytes(20))
    got = b.recvmsg_into([first, second])
    assert got[0] == 11 and first == b"onet" and second[:7].tobytes() == b"wothree"
    r, w = os.pipe()
    fds = array.array("i", [w])
    a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    data, ancillary, flags, address = b.recvmsg(10, socket.CMSG_SPACE(fds.itemsize))
    ((level, kind, raw),) = ancillary
    assert (data, level, kind, flags & ~socket.MSG_CMSG_CLOEXEC) == (b"x", socket.SOL_SOCKET, socket.SCM_RIGHTS, 0)
    os.close(w)
    passed = array.array("i", raw)[0]
    os.write(passed, b"through")
    assert os.read(r, 10) == b"through"
    os.close(passed)
    os.close(r)
    room = bytearray(b"-" * 6)
    a.send(b"12345")
    assert b.recv_into(memoryview(room)[1:4], 2) == 2 and room == b"-12---"
    assert b.recvfrom_into(room, 3)[0] == 3 and room == b"345---"
    raises(ValueError, "negative buffer size in recvmsg()", b.recvmsg, -1)
    raises(TypeError, "sendmsg() argument 1 must be an iterable", a.sendmsg, 3)
    socket.send_fds(a, [b"fd"], [0])
    msg, fds, flags, _ = socket.recv_fds(b, 10, 1)
    assert msg == b"fd" and len(fds) == 1
    os.close(fds[0])

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
    one.bind(("127.0.0.1", 0))
    two.sendto(b"hello", one.getsockname())
    data, address = one.recvfrom(10)
    assert data == b"hello" and address == ("127.0.0.1", two.getsockname()[1])
    two.sendmsg([b"again"], [], 0, one.getsockname())
    data, ancillary, flags, sender = one.recvmsg(10)
    assert (data, ancillary, sender) == (b"again", [], address)
print("ok")
