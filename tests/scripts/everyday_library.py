# The library on top of the native modules, and memoryview.
m = memoryview(bytearray(b'abcdef'))
m[1:3] = b'XY'; assert m.tobytes() == b'aXYdef' and m[::-2].tobytes() == b'fdX'
assert list(m.cast('H')) == [0x5861, 0x6459, 0x6665] and m == b'aXYdef' and b'aXYdef' == m
assert bytes(m[2:4]) == b'Yd' and b''.join([m, b'x']) == b'aXYdefx' and len(m) == 6
assert memoryview(b'abc').readonly and hash(memoryview(b'abc')) == hash(b'abc')
with m as n: assert n[0] == 97
try: m[0]
except ValueError: pass
else: assert 0
import dataclasses, logging, unittest, enum, collections, argparse, csv, io, statistics, fractions, decimal, datetime, pickle, copy, textwrap, heapq, bisect, threading, zipfile, tempfile, os, shutil, pathlib, glob, configparser, uuid, secrets, urllib.parse, html, pprint, difflib, gzip, tarfile, string, locale, calendar
@dataclasses.dataclass(order=True)
class P:
    x: int
    y: int = 2
assert repr(P(1)) == 'P(x=1, y=2)' and P(1) < P(2)
s = io.StringIO(); w = csv.writer(s); w.writerow([1, 'a,b', 'q"q', None]); assert s.getvalue() == '1,"a,b","q""q",\r\n', s.getvalue()
assert list(csv.reader(['a,"b ""c""",d', '"x', 'y",z'])) == [['a', 'b "c"', 'd'], ['xy', 'z']]
assert next(csv.DictReader(['a,b', '1,2'])) == {'a': '1', 'b': '2'}
assert statistics.mean([1, 2, 3, 4]) == 2.5 and fractions.Fraction(1, 3) + 1 == fractions.Fraction(4, 3)
assert str(decimal.Decimal('1.1') + decimal.Decimal('2.2')) == '3.3'
assert datetime.datetime(2024, 2, 29).strftime('%Y-%m-%d') == '2024-02-29' and datetime.date.fromisoformat('2024-01-02').weekday() == 1
assert pickle.loads(pickle.dumps({'a': [1, (2, 3), b'x', P(5)]})) == {'a': [1, (2, 3), b'x', P(5)]}
assert copy.deepcopy([[1]]) == [[1]]
h = [5, 1, 4]; heapq.heapify(h); assert heapq.heappop(h) == 1 and heapq.nsmallest(2, [3, 1, 2]) == [1, 2] and bisect.bisect([1, 2, 2, 3], 2) == 3
d = tempfile.mkdtemp()
p = pathlib.Path(d) / 'a.zip'
with zipfile.ZipFile(p, 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('x.txt', b'hello' * 100)
with zipfile.ZipFile(p) as z: assert z.read('x.txt') == b'hello' * 100
with gzip.open(d + '/b.gz', 'wb') as f: f.write(b'data' * 1000)
with gzip.open(d + '/b.gz') as f: assert f.read() == b'data' * 1000
with tarfile.open(d + '/c.tar.gz', 'w:gz') as t: t.add(str(p), 'a.zip')
with tarfile.open(d + '/c.tar.gz') as t: assert t.getnames() == ['a.zip']
assert sorted(os.path.basename(g) for g in glob.glob(d + '/*')) == ['a.zip', 'b.gz', 'c.tar.gz']
shutil.rmtree(d)
c = configparser.ConfigParser(); c.read_string('[a]\nb = 1\n'); assert c.getint('a', 'b') == 1
assert len(str(uuid.uuid4())) == 36 and len(secrets.token_hex(4)) == 8
assert urllib.parse.urlencode({'a': 'b c', 'd': 'é'}) == 'a=b+c&d=%C3%A9' and urllib.parse.urlparse('http://x/y?z').query == 'z'
assert html.escape('<a>') == '&lt;a&gt;' and html.unescape('&eacute;') == 'é'
assert pprint.pformat({'b': 1, 'a': 2}) == "{'a': 2, 'b': 1}"
assert difflib.get_close_matches('appel', ['apple', 'ape']) == ['apple', 'ape']
a = argparse.ArgumentParser(prog='x'); a.add_argument('--n', type=int, default=3); assert a.parse_args(['--n', '5']).n == 5 and 'usage: x' in a.format_help()
log = logging.getLogger('t'); out = io.StringIO(); log.addHandler(logging.StreamHandler(out)); log.warning('hi %s', 1); assert out.getvalue() == 'hi 1\n'
assert calendar.month(2024, 2).startswith('   February 2024') and string.Template('$a').substitute(a=1) == '1'
class T(unittest.TestCase):
    def test_a(self): self.assertEqual(1, 1)
    def test_b(self):
        with self.assertRaisesRegex(ValueError, 'x.z'): raise ValueError('xyz')
r = unittest.TextTestRunner(stream=io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromTestCase(T)); assert r.wasSuccessful() and r.testsRun == 2, (r.errors, r.failures)
import array
a = array.array('i', [1, 2, 3]); a.append(-4); a[1:2] = array.array('i', [7, 8])
assert a.tolist() == [1, 7, 8, 3, -4] and a.tobytes()[4] == 7 and a.itemsize == 4 and repr(a[::2]) == "array('i', [1, 8, -4])"
memoryview(a)[0] = 100; assert a[0] == 100 and a.pop() == -4 and 8 in a and a.index(8) == 2
assert (a + a)[5] == 7 and a * 2 == a + a and array.array('d', [1.5]).tolist() == [1.5] and array.array('B', b'ab') < array.array('B', b'b')
try: a.append(2**40)
except OverflowError: pass
else: assert 0
import marshal
data = [None, True, -5, 2**70, -2**31 - 1, 1.5, 2j, 'a', 'é', b'x', (1, [2], {3: {4}}), frozenset([5]), ...]
assert marshal.loads(marshal.dumps(data)) == data
