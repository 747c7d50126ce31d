# TLS over loopback and in memory: names, certificates, who is trusted; by threads, asyncio and greenlets.
# The certificates were made for this script, and are good from 2020 to 2120.
import asyncio
import os
import socket
import ssl
import tempfile
import threading

try:
    import greenlet
except ImportError:
    greenlet = None

AUTHORITY = """
-----BEGIN CERTIFICATE-----
MIIBhDCCASugAwIBAgIBATAKBggqhkjOPQQDAjApMQ4wDAYDVQQKDAVTa2VpbjEX
MBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAx
MDEwMDAwMDBaMCkxDjAMBgNVBAoMBVNrZWluMRcwFQYDVQQDDA50ZXN0IGF1dGhv
cml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABD7YPTZCvuY05zO7JgnAOjNb
2McE+k1D7Je/E9jCnWR9awtmFpEK7UXOr0/hb0XbHyxjYs3pIzqD3WocAr3YuXaj
QjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMB0GA1UdDgQWBBRY
PUHZ1tWAzGu335ssDEhwQzSGZzAKBggqhkjOPQQDAgNHADBEAiBARrZD4MJtDyWZ
OgyUqBeNsiYf8tWFjyOXF2/RI79W6AIgb4TtgnF5XRe9TDOgoA9DsyZSdEjuvYbl
baKnwPenTpI=
-----END CERTIFICATE-----
"""

SERVER = """
-----BEGIN CERTIFICATE-----
MIIBzTCCAXSgAwIBAgIBAjAKBggqhkjOPQQDAjApMQ4wDAYDVQQKDAVTa2VpbjEX
MBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAx
MDEwMDAwMDBaMCQxDjAMBgNVBAoMBVNrZWluMRIwEAYDVQQDDAlsb2NhbGhvc3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARobG+Y3qfiTJ3bRWObDCku74yb4NI6
TmEbBhqvlCFioqP5PkzdBUzFiV1kQ0rgphOCe8lSSOnUQcoaMwu8DfIlo4GPMIGM
MAkGA1UdEwQCMAAwDgYDVR0PAQH/BAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMB
MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAfBgNVHSMEGDAWgBRYPUHZ1tWA
zGu335ssDEhwQzSGZzAdBgNVHQ4EFgQUP609Jn0dC4+K2dCkCr8zYNtLAcQwCgYI
KoZIzj0EAwIDRwAwRAIgV4wLmVENcNtaXvcfq5rjTiNwFD+VcJC10E+J3Ykgv4QC
IHNFAwvAYS5VFWtYXHdfcL1pRK6MV/kxDE+ZKfcpCuG1
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLzIfjF8RgwtuONEQ
DaQ2WJWwFqLRbQqzYOlD0wocUauhRANCAARobG+Y3qfiTJ3bRWObDCku74yb4NI6
TmEbBhqvlCFioqP5PkzdBUzFiV1kQ0rgphOCe8lSSOnUQcoaMwu8DfIl
-----END PRIVATE KEY-----
"""

OTHER = """
-----BEGIN CERTIFICATE-----
MIIB3zCCAYagAwIBAgIBAzAKBggqhkjOPQQDAjApMQ4wDAYDVQQKDAVTa2VpbjEX
MBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAx
MDEwMDAwMDBaMCgxDjAMBgNVBAoMBVNrZWluMRYwFAYDVQQDDA1vdGhlci5leGFt
cGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYueA1dEEXRhDRSRFigPQLXXW
2fSjxy71nhZrX9bwoPgZqmdrEqRbbk7ZNqGF9JfWqF+J4XeVUDftVqplJl92O6OB
nTCBmjAJBgNVHRMEAjAAMA4GA1UdDwEB/wQEAwIHgDATBgNVHSUEDDAKBggrBgEF
BQcDATAoBgNVHREEITAfgg1vdGhlci5leGFtcGxlgg4qLndpbGQuZXhhbXBsZTAf
BgNVHSMEGDAWgBRYPUHZ1tWAzGu335ssDEhwQzSGZzAdBgNVHQ4EFgQUwIGQutWT
zWL2xULQV6QXJjpOCHgwCgYIKoZIzj0EAwIDRwAwRAIgQuE7T3AWv+ybp7bXK+LQ
rwsNeXK2NQKas/PybusejQ4CIC4KotzKySOPiXz143mMuWcweuJGcKBBQFAOA07/
y7+y
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0Ogp8z2OE8ybG+xQ
MhAJygbFg8smikw6/v19y51R/ZmhRANCAARi54DV0QRdGENFJEWKA9AtddbZ9KPH
LvWeFmtf1vCg+BmqZ2sSpFtuTtk2oYX0l9aoX4nhd5VQN+1WqmUmX3Y7
-----END PRIVATE KEY-----
"""

CLIENT = """
-----BEGIN CERTIFICATE-----
MIIB0DCCAXagAwIBAgIBBDAKBggqhkjOPQQDAjApMQ4wDAYDVQQKDAVTa2VpbjEX
MBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAx
MDEwMDAwMDBaMCMxDjAMBgNVBAoMBVNrZWluMREwDwYDVQQDDAhhIGNsaWVudDBZ
MBMGByqGSM49AgEGCCqGSM49AwEHA0IABPqHmGWCgMaiMWMtR2YF7FBGIjHrS3Tu
f0y1MDzayRqZnkLkjEyjFV6lHi78cZDNa5+8F3HBfK756mYjmlgegPmjgZIwgY8w
CQYDVR0TBAIwADAOBgNVHQ8BAf8EBAMCB4AwEwYDVR0lBAwwCgYIKwYBBQUHAwIw
HQYDVR0RBBYwFIESY2xpZW50QGV4YW1wbGUub3JnMB8GA1UdIwQYMBaAFFg9QdnW
1YDMa7ffmywMSHBDNIZnMB0GA1UdDgQWBBRsO3e11BPj0jm3qGEn0F3B+gWG+TAK
BggqhkjOPQQDAgNIADBFAiEA0I1dp+tnUsSAlnZtjSwezN6e5w7EIYnXNO96dwGc
VyUCIA+X+wLni5YOfJSqE8ASncbZf8WfPTlRl67D7/rd9kwH
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgtsbFOZtR6V3XYcKN
FocPUUYFGXqoPHBn2KzmsN27WuShRANCAAT6h5hlgoDGojFjLUdmBexQRiIx60t0
7n9MtTA82skamZ5C5IxMoxVepR4u/HGQzWufvBdxwXyu+epmI5pYHoD5
-----END PRIVATE KEY-----
"""

# The client's key, with the password "secret".
LOCKED_KEY = """
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjDDlFKOdTXhwICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDSDUsWP5Kg8qkD6+FP28foEgZCp
81wG6AzMV41EmDB7+zIumKuSrmTDCpwvcGGh2HYanoGUYDkpHbCQJfCkZyDreYKK
QxdxDAQ+m7uHxIu9RW0FeOaMNhIKEK4b+cd6hby80PyseMccZTIP0fcCDMnjYFkC
EOHfT5M1VcNJBrHfqG8VyH7Jy4WeHhMbofasKmmclaTH5eGgYjkxq/fPwCrNJt8=
-----END ENCRYPTED PRIVATE KEY-----
"""


folder = tempfile.TemporaryDirectory()


def saved(name, text):
    path = os.path.join(folder.name, name)
    with open(path, "w") as file:
        file.write(text)
    return path


server_file = saved("server.pem", SERVER)
other_file = saved("other.pem", OTHER)
client_file = saved("client.pem", CLIENT)
locked_file = saved("locked.pem", LOCKED_KEY)
certificate = lambda text: text[:text.index("-----END CERTIFICATE-----") + 25]


def client_context(**settings):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=AUTHORITY)
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def server_context(file=server_file, **settings):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def raises(kind, f, *args, **more):
    try:
        f(*args, **more)
    except kind as e:
        return e
    raise AssertionError(f"no {kind.__name__}")


# In memory: both sides in turns.

class Pair:
    def __init__(self, client, server, host="localhost", session=None):
        self.wires = [ssl.MemoryBIO() for _ in range(4)]
        a, b, c, d = self.wires
        self.client = client.wrap_bio(a, b, server_hostname=host, session=session)
        self.server = server.wrap_bio(c, d, server_side=True)
        self.faults = []

    def move(self):
        a, b, c, d = self.wires
        c.write(b.read())
        a.write(d.read())

    def turn(self, side, f, *args):
        try:
            return f(*args)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLError as e:
            self.faults.append((side, e))
            return None

    def shake(self):
        for _ in range(4):
            self.turn("client", self.client.do_handshake)
            self.move()
            self.turn("server", self.server.do_handshake)
            self.move()
            if self.faults:
                self.turn("client", self.client.do_handshake)
                break
        return self

    def fault(self, side):
        return next(e for s, e in self.faults if s == side)


for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
    pair = Pair(client_context(maximum_version=version), server_context())
    assert pair.client.version() is None and pair.client.cipher() is None
    assert "handshake not done" in str(raises(ValueError, pair.client.getpeercert))
    pair.shake()
    assert not pair.faults, pair.faults
    name = version.name.replace("_", ".")
    assert pair.client.version() == pair.server.version() == name
    assert pair.client.cipher() == pair.server.cipher() and pair.client.cipher()[1] == name
    assert pair.client.compression() is None and pair.client.selected_alpn_protocol() is None
    cert = pair.client.getpeercert()
    assert cert["subject"] == ((("organizationName", "Skein"),), (("commonName", "localhost"),))
    assert cert["issuer"] == ((("organizationName", "Skein"),), (("commonName", "test authority"),))
    assert cert["subjectAltName"] == (("DNS", "localhost"), ("IP Address", "127.0.0.1"))
    assert cert["notBefore"] == "Jan  1 00:00:00 2020 GMT" and cert["notAfter"] == "Jan  1 00:00:00 2120 GMT"
    assert cert["serialNumber"] == "02" and cert["version"] == 3
    der = pair.client.getpeercert(True)
    assert ssl.DER_cert_to_PEM_cert(der).strip() == certificate(SERVER).strip()
    assert pair.server.getpeercert() is None
    assert [len(pair.client._sslobj.get_verified_chain()), len(pair.client._sslobj.get_unverified_chain())] == [2, 1]
    assert "CN=localhost" in repr(pair.client._sslobj.get_unverified_chain()[0])

    # data, more than a record of it
    assert pair.client.write(b"hello") == 5 and pair.client.write(b"") == 0
    pair.move()
    assert pair.server.read(2) == b"he" and pair.server.pending() == 3
    room = bytearray(10)
    assert pair.server.read(10, room) == 3 and room == b"llo\0\0\0\0\0\0\0"
    raises(ssl.SSLWantReadError, pair.server.read, 1)
    big, rest, got = bytes(range(256)) * 300, 0, b""
    while rest < len(big):
        rest += pair.server.write(memoryview(big)[rest:])
    pair.move()
    while len(got) < len(big):
        got += pair.client.read(100_000)
    assert got == big
    raises(ValueError, pair.client.read, -1)

    # the end
    raises(ssl.SSLWantReadError, pair.client.unwrap)
    pair.move()
    assert pair.server.read(10) == b""
    pair.server.unwrap()
    pair.move()
    pair.client.unwrap()
    raises(ssl.SSLError, pair.client.write, b"x")

# The end of the wire is not the end of TLS.
pair = Pair(client_context(), server_context()).shake()
pair.wires[0].write_eof()
e = raises(ssl.SSLEOFError, pair.client.read, 1)
assert e.args[0] == ssl.SSL_ERROR_EOF and "EOF occurred in violation of protocol" in str(e)

# What is not TLS.
pair = Pair(client_context(), server_context())
pair.wires[2].write(b"GET / HTTP/1.0\r\n\r\n")
e = raises(ssl.SSLError, pair.server.do_handshake)
assert (e.library, e.reason) == ("SSL", "HTTP_REQUEST") and str(e).startswith("[SSL: HTTP_REQUEST] http request")
pair.wires[0].write(b"220 mail.example.org ESMTP\r\n")
assert raises(ssl.SSLError, pair.client.do_handshake).reason == "WRONG_VERSION_NUMBER"

# Who is trusted: each of these is refused, and both sides are told.
def refused(client, server=None, host="localhost"):
    pair = Pair(client, server or server_context(), host).shake()
    e = pair.fault("client")
    assert isinstance(e, ssl.SSLCertVerificationError) and isinstance(e, ValueError), e
    assert e.reason == "CERTIFICATE_VERIFY_FAILED" and e.verify_message in str(e)
    assert "alert" in str(pair.fault("server")), pair.faults
    return e.verify_code, e.verify_message


stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
assert refused(stranger) == (20, "unable to get local issuer certificate")
assert refused(client_context(), host="example.com") == (
    62, "Hostname mismatch, certificate is not valid for 'example.com'.")
assert refused(client_context(), host="127.0.0.2") == (
    64, "IP address mismatch, certificate is not valid for '127.0.0.2'.")
assert refused(client_context(), server_context(client_file)) == (26, "unsuitable certificate purpose")
assert refused(client_context(verify_flags=ssl.VERIFY_CRL_CHECK_LEAF)) == (3, "unable to get certificate CRL")
for host, file in ("127.0.0.1", server_file), ("a.wild.example", other_file), ("OTHER.example", other_file):
    assert not Pair(client_context(), server_context(file), host).shake().faults, host
assert refused(client_context(), server_context(other_file), "wild.example")[0] == 62
strict = client_context(verify_flags=ssl.VERIFY_X509_STRICT)
assert not Pair(strict, server_context()).shake().faults
lenient = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
lenient.check_hostname = False
lenient.verify_mode = ssl.CERT_NONE
pair = Pair(lenient, server_context(), None).shake()
assert not pair.faults and pair.client.getpeercert() == {} and pair.client.getpeercert(True)
# a leaf can be what is trusted, if that is asked for
leaf = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
leaf.load_verify_locations(cadata=certificate(SERVER))
assert refused(leaf)[0] in (2, 20)
leaf.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
assert not Pair(leaf, server_context()).shake().faults

# Certificates of clients.
for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
    asking = server_context(verify_mode=ssl.CERT_REQUIRED, maximum_version=version)
    asking.load_verify_locations(cadata=AUTHORITY)
    client = client_context()
    pair = Pair(client, asking).shake()
    assert pair.fault("server").reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE", pair.faults
    client.load_cert_chain(client_file, locked_file, lambda: "secret")
    pair = Pair(client, asking).shake()
    assert not pair.faults, pair.faults
    assert pair.server.getpeercert()["subjectAltName"] == (("email", "client@example.org"),)
    asking.verify_mode = ssl.CERT_OPTIONAL
    pair = Pair(client_context(), asking).shake()
    assert not pair.faults and pair.server.getpeercert() is None

# Names: of the server, and of protocols.
asked = []


def choose(connection, name, context):
    asked.append((name, context is first))
    if name == "other.example":
        connection.context = second
    elif name == "refused.example":
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME


first, second = server_context(), server_context(other_file)
first.sni_callback = choose
second.set_alpn_protocols(["spdy", "h2"])
client = client_context()
client.set_alpn_protocols(["http/1.1", "h2"])
pair = Pair(client, first, "other.example").shake()
assert not pair.faults and pair.client.selected_alpn_protocol() == pair.server.selected_alpn_protocol() == "h2"
assert pair.client.getpeercert()["subject"][1] == (("commonName", "other.example"),)
pair = Pair(client, first).shake()
assert not pair.faults and pair.client.selected_alpn_protocol() is None
pair = Pair(client, first, "refused.example").shake()
assert pair.fault("client").reason.endswith("UNRECOGNIZED_NAME"), pair.faults
pair = Pair(client, first, "127.0.0.1").shake()
assert not pair.faults
assert asked == [("other.example", True), ("localhost", True), ("refused.example", True), (None, True)]

# Suites and versions.
few = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)
few.set_ciphers("ECDHE+AES128")
names = [suite["name"] for suite in few.get_ciphers() if suite["protocol"] == "TLSv1.2"]
assert set(names) >= {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"}
pair = Pair(few, server_context()).shake()
assert pair.client.cipher() == ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLSv1.2", 128)
assert any(name == "ECDHE-ECDSA-AES128-GCM-SHA256" for name, _, _ in pair.server.shared_ciphers())
many = server_context()
many.set_ciphers("AES256")
assert Pair(few, many).shake().fault("server").reason == "NO_SHARED_CIPHER"
new = server_context(minimum_version=ssl.TLSVersion.TLSv1_3)
assert Pair(few, new).shake().fault("server").reason == "UNSUPPORTED_PROTOCOL"
assert str(raises(ssl.SSLError, few.set_ciphers, "none such")) == "('No cipher can be selected.',)"
raises(ValueError, few.set_ecdh_curve, "none such")

# Sessions are taken up again.
for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
    client, server = client_context(maximum_version=version), server_context()
    pair = Pair(client, server).shake()
    assert pair.client.session_reused is False
    pair.server.write(b"x")
    pair.move()
    assert pair.client.read() == b"x"
    session = pair.client.session
    assert session.has_ticket and len(session.id) == 32 and session == session and session.timeout > 0
    again = Pair(client, server, session=session).shake()
    assert not again.faults and again.client.session_reused and again.server.session_reused
    assert server.session_stats()["accept"] == 2 and server.session_stats()["hits"] == 1
    assert "different SSLContext" in str(raises(ValueError, Pair, client_context(), server, session=session))

# Files that are not what they should be.
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
assert "key values mismatch" in str(raises(ssl.SSLError, context.load_cert_chain, server_file, other_file))
raises(ssl.SSLError, context.load_cert_chain, client_file, locked_file, password="wrong")
raises(FileNotFoundError, context.load_cert_chain, os.path.join(folder.name, "none"))
raises(TypeError, context.load_verify_locations)
assert context.cert_store_stats() == {"x509": 0, "crl": 0, "x509_ca": 0}
context.load_verify_locations(cadata=AUTHORITY + certificate(SERVER) + AUTHORITY)
assert context.cert_store_stats() == {"x509": 2, "crl": 0, "x509_ca": 1}
assert [c["subject"][1][0][1] for c in context.get_ca_certs()] == ["test authority"]
default = ssl.create_default_context()
assert default.verify_mode == ssl.CERT_REQUIRED and default.check_hostname

# Over sockets, with threads: a server that answers in capitals.

def serve(connection, context):
    try:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            while data := wrapped.recv(1000):
                if data == b"plain":
                    wrapped.sendall(b"ok")
                    bare = wrapped.unwrap()
                    bare.sendall(b"<" + bare.recv(100) + b">")
                    break
                wrapped.sendall(data.upper())
    except OSError:
        pass


def started(context):
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        with listener:
            while True:
                connection, _ = listener.accept()
                with connection:
                    if context is None:
                        return
                    serve(connection, context)
                if stop:
                    return

    stop = []
    thread = threading.Thread(target=accept)
    thread.start()
    return listener.getsockname(), thread, stop


address, thread, stop = started(server_context())
with socket.create_connection(address) as bare:
    with client_context().wrap_socket(bare, server_hostname="localhost") as wrapped:
        wrapped.settimeout(10)
        wrapped.sendall(b"a" * 100_000)
        got = b""
        while len(got) < 100_000:
            got += wrapped.recv(65536)
        assert got == b"A" * 100_000
        wrapped.settimeout(0.02)
        assert "timed out" in str(raises(TimeoutError, wrapped.recv, 1))
        wrapped.setblocking(False)
        raises(ssl.SSLWantReadError, wrapped.recv, 1)
        wrapped.setblocking(True)
        with wrapped.makefile("rwb") as file:
            file.write(b"line\n")
            file.flush()
            assert file.readline() == b"LINE\n"
        # back to plain text, of which nothing was taken
        wrapped.sendall(b"plain")
        assert wrapped.recv(10) == b"ok"
        stop.append(True)
        bare = wrapped.unwrap()
        bare.sendall(b"text")
        assert bare.recv(10) == b"<text>"
        bare.close()
thread.join()

# asyncio.

async def in_asyncio():
    async def answer(reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_context())
    port = server.sockets[0].getsockname()[1]

    async def talk(i):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_context(), server_hostname="localhost")
        assert writer.get_extra_info("peercert")["serialNumber"] == "02"
        writer.write(b"hello %d\n" % i)
        assert await reader.readline() == b"HELLO %d\n" % i
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*[talk(i) for i in range(3)])
    try:
        await asyncio.open_connection("127.0.0.1", port, ssl=client_context(), server_hostname="example.com")
    except ssl.SSLCertVerificationError as e:
        assert e.verify_code == 62
    else:
        raise AssertionError
    server.close()
    await server.wait_closed()


asyncio.run(in_asyncio())

# Greenlets, with sockets that do not block: who would wait lets others run.
if greenlet is not None:
    a, b = socket.socketpair()
    a.setblocking(False)
    b.setblocking(False)
    done = []

    def until(f, *args):
        while True:
            try:
                return f(*args)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                hub.switch()

    def client_side():
        with client_context().wrap_socket(a, server_hostname="localhost", do_handshake_on_connect=False) as s:
            until(s.do_handshake)
            data = b"z" * 200_000
            while data:
                data = data[until(s.send, data[:50_000]):]
            assert until(s.recv, 10) == b"200000"
            done.append("client")

    def server_side():
        with server_context().wrap_socket(b, server_side=True, do_handshake_on_connect=False) as s:
            until(s.do_handshake)
            n = 0
            while n < 200_000:
                n += len(until(s.recv, 65536))
            until(s.send, b"%d" % n)
            done.append("server")

    hub = greenlet.getcurrent()
    both = [greenlet.greenlet(client_side), greenlet.greenlet(server_side)]
    while not all(g.dead for g in both):
        for g in both:
            g.switch()
    assert sorted(done) == ["client", "server"]

folder.cleanup()
