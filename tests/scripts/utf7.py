# UTF-7, whole and in pieces.
import codecs
import io

for text, data in [
    ("a+b", b"a+-b"), ("é", b"+AOk-"), ("é-", b"+AOk--"), ("éa", b"+AOk-a"), ("~\\", b"+AH4AXA-"), ("é.", b"+AOk."),
    ("\U0001f600", b"+2D3eAA-"), ("é é", b"+AOk +AOk-"), ("\ud800", b"+2AA-"), ("a\0b", b"a+AAA-b"),
]:
    assert text.encode("utf-7") == data, (text, text.encode("utf-7"))
    assert data.decode("utf-7") == text
    d = codecs.getincrementaldecoder("utf-7")()
    assert "".join(d.decode(data[i : i + 1]) for i in range(len(data))) + d.decode(b"", True) == text
for data, strict, replaced in [
    (b"+A", "unterminated shift sequence", "\ufffd"), (b"+AGEx", "unterminated shift sequence", "a\ufffd"),
    (b"\xff", "unexpected special character", "\ufffd"), (b"+\xff", "ill-formed sequence", "\ufffd"),
    (b"+AGEA-", "partial character in shift sequence", "a\ufffd"), (b"+AGH-x", "non-zero padding bits in shift sequence", "a\ufffdx"),
]:
    try:
        data.decode("utf-7")
    except UnicodeDecodeError as e:
        assert (e.encoding, e.reason) == ("utf7", strict), (data, e)
    else:
        raise AssertionError(data)
    assert data.decode("utf-7", "replace") == replaced, data
t = io.TextIOWrapper(io.BytesIO("é中\n".encode("utf-7") * 100), "utf-7")
assert t.readlines() == ["é中\n"] * 100
print("ok")
