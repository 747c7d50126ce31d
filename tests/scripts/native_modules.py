# Native modules of everyday scripts: struct, json, hashlib, zlib, codecs, random and others.
import struct, json, hashlib, binascii, zlib, random, base64, gzip, io
assert struct.pack('<IhQ3sxd', 1, -2, 2**63, b'ab', 1.5) == b'\x01\0\0\0\xfe\xff' + b'\0'*7 + b'\x80' + b'ab\0\0' + b'\0\0\0\0\0\0\xf8?'
assert struct.unpack('>e', struct.pack('>e', 1.5)) == (1.5,)
assert struct.calcsize('@bq') == 16 and struct.calcsize('=bq') == 9
assert list(struct.iter_unpack('<H', b'\1\0\2\0')) == [(1,), (2,)]
for f, args, text in [('B', (300,), "'B' format requires 0 <= number <= 255"), ('<H', (-1,), "'H' format requires 0 <= number <= 65535"),
  ('i', ('a',), 'required argument is not an integer'), ('ii', (1,), 'pack expected 2 items for packing (got 1)'), ('y', (), 'bad char in struct format')]:
    try: struct.pack(f, *args)
    except struct.error as e: assert str(e) == text, (str(e), text)
    else: assert 0
buf = bytearray(8); struct.pack_into('<I', buf, 2, 0x01020304); assert buf == b'\0\0\4\3\2\1\0\0'
assert struct.unpack_from('<I', buf, 2) == (0x01020304,)
data = {'a': [1, 2.5, None, True, 'é\n"\ud83d'], 'b': {}, 'c': [], '1': -10**30}
for kw in ({}, {'indent': 2}, {'ensure_ascii': False}, {'sort_keys': True, 'separators': (',', ':')}):
    s = json.dumps(data, **kw); assert json.loads(s) == data, s
assert json.dumps({1: 2, None: 3, True: 4.0}) == '{"1": 4.0, "null": 3}', json.dumps({1: 2, None: 3, True: 4.0})
assert json.loads('[1e3, -0, 12345678901234567890, "\\u00e9\\ud83d\\ude00", {"a": NaN}]')[3] == 'é😀'
for bad, text in [('[1,]', 'Illegal trailing comma before end of array: line 1 column 3 (char 2)'), ('{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"),
    ('"abc', 'Unterminated string starting at: line 1 column 1 (char 0)'), ('nul', 'Expecting value: line 1 column 1 (char 0)'), ('{"a":1', "Expecting ',' delimiter: line 1 column 7 (char 6)"),
    ('"\\x"', 'Invalid \\escape: line 1 column 2 (char 1)')]:
    try: json.loads(bad)
    except json.JSONDecodeError as e: assert str(e) == text, (str(e), text)
    else: assert 0
l = []; l.append(l)
try: json.dumps(l)
except ValueError as e: assert 'Circular' in str(e)
assert (hashlib.md5(b'abc').hexdigest(), hashlib.sha1(b'abc').hexdigest(), hashlib.sha256(b'').hexdigest()[:16], hashlib.sha3_256(b'abc').hexdigest()[:16], hashlib.shake_128(b'abc').hexdigest(8), hashlib.blake2b(b'abc').hexdigest()[:20], hashlib.blake2s(b'abc', key=b'k', salt=b's', digest_size=16).hexdigest(), hashlib.sha512(b'x'*1000).hexdigest()[:20], hashlib.blake2b(b'x'*128, person=b'p', fanout=2, depth=3, leaf_size=5, node_offset=7, node_depth=1, inner_size=32, last_node=True).hexdigest()[:20]) == ('900150983cd24fb0d6963f7d28e17f72', 'a9993e364706816aba3e25717850c26c9cd0d89d', 'e3b0c44298fc1c14', '3a985da74fe225b2', '5881092dd818bf5c', 'ba80a53f981c4d0d6a27', 'd3bdb1fc80befb3bfa6bca8fc8c32949', 'ae13575c5d98bfa68961', '6ff4f8da46f246412cc8')
assert binascii.crc32(b'hello', 5) == zlib.crc32(b'hello', 5) and zlib.adler32(b'hello') == 103547413
assert (binascii.crc32(b'hello', 5), binascii.b2a_uu(b'hello world'), binascii.b2a_qp(b'a=b \xe9 \n'), binascii.crc_hqx(b'abc', 1)) == (4277152246, b'+:&5L;&\\@=V]R;&0 \n', b'a=3Db =E9=20\n', 44775)
assert zlib.decompress(zlib.compress(b'abc'*1000)) == b'abc'*1000
assert gzip.decompress(gzip.compress(b'xyz'*10000)) == b'xyz'*10000
d = zlib.decompressobj(); c = zlib.compress(b'q'*100000) + b'tail'
out = d.decompress(c, 10); assert out == b'q'*10
while d.unconsumed_tail and not d.eof: out += d.decompress(d.unconsumed_tail, 5000)

assert out == b'q'*100000 and d.unused_data == b'tail' and d.eof, (len(out), d.unused_data, d.eof)
assert zlib.decompress(zlib.compress(b'abc', wbits=31), wbits=47) == b'abc' and zlib.decompress(zlib.compress(b'abc', wbits=-15), -15) == b'abc'
random.seed(42)
assert (random.random(), random.getrandbits(70), random.randint(1, 100), random.choice('abc'), random.gauss(0, 1), random.sample(range(100), 5)) == (0.6394267984578837, 327273841618135227089, 32, 'a', 0.2974745204017183, [94, 69, 11, 75, 54])
r = random.Random('x')
assert r.random() == 0.6307877176639078
assert (base64.b64encode(b'hello'), base64.b32encode(b'hello'), base64.b85encode(b'hello'), base64.b64decode('aGVsbG8=')) == (b'aGVsbG8=', b'NBSWY3DP', b'Xk~0{Zv', b'hello')
assert 'äö€'.encode('cp1252') == b'\xe4\xf6\x80' and b'\xe4\x80'.decode('cp1252') == 'ä€'
assert 'a\x00\u20ac'.encode('unicode_escape') == b'a\\x00\\u20ac' and b'\\u20ac\\N{EURO SIGN}\\x41'.decode('unicode_escape') == '€€A'
assert '\u1234x'.encode('ascii', 'namereplace') == b'\\N{ETHIOPIC SYLLABLE SEE}x'
import codecs
codecs.register_error('stars', lambda e: ('*' * (e.end - e.start), e.end))
assert 'aéb'.encode('ascii', 'stars') == b'a*b' and b'a\xffb'.decode('utf-8', 'stars') == 'a*b'
assert codecs.encode('abc', 'rot13') == 'nop' and codecs.decode(b'YWJj', 'base64') == b'abc'
dec = codecs.getincrementaldecoder('utf-8')(); assert dec.decode('é'.encode()[:1]) == '' and dec.decode('é'.encode()[1:]) == 'é'
dec = codecs.getincrementaldecoder('utf-16')(); assert ''.join(dec.decode(bytes([b])) for b in 'aé😀'.encode('utf-16')) == 'aé😀'
assert codecs.lookup('UTF8').name == 'utf-8'
import unicodedata as u
assert (u.name('é'), u.category('A'), u.normalize('NFD', 'é').encode(), u.numeric('½'), u.digit('²'), u.bidirectional('א'), u.combining('\u0301'), u.lookup('GREEK SMALL LETTER ALPHA')) == ('LATIN SMALL LETTER E WITH ACUTE', 'Lu', b'e\xcc\x81', 0.5, 2, 'R', 230, 'α')
