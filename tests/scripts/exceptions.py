# BaseException
e = Exception(1, 'a')
assert e.args == (1, 'a') and str(e) == "(1, 'a')" and repr(e) == "Exception(1, 'a')"
assert str(Exception()) == '' and str(Exception('x')) == 'x'
e.add_note('n1')
e.add_note('n2')
assert e.__notes__ == ['n1', 'n2']
try:
    e.add_note(1)
except TypeError as t:
    assert 'note must be a str' in str(t)
else:
    assert False
assert e.with_traceback(None) is e
assert e.__cause__ is None and e.__context__ is None and e.__suppress_context__ is False
e.__cause__ = ValueError()
assert e.__suppress_context__ is True
try:
    e.__cause__ = 5
except TypeError as t:
    assert str(t) == 'exception cause must be None or derive from BaseException'
else:
    assert False
try:
    Exception(a=1)
except TypeError as t:
    assert str(t) == 'Exception() takes no keyword arguments', t
else:
    assert False
assert e.__reduce__()[:2] == (Exception, (1, 'a'))

# chaining
try:
    try:
        1 / 0
    except ZeroDivisionError:
        raise KeyError('k')
except KeyError as k:
    assert isinstance(k.__context__, ZeroDivisionError) and k.__cause__ is None
    assert str(k) == "'k'"
try:
    try:
        1 / 0
    except ZeroDivisionError as z:
        raise KeyError('k') from z
except KeyError as k:
    assert k.__cause__ is k.__context__ and k.__suppress_context__

# subclasses with their own __init__
class Mine(Exception):
    def __init__(self, x):
        self.x = x
m = Mine(3)
assert m.args == (3,) and m.x == 3

# special fields
assert StopIteration(4).value == 4 and StopIteration().value is None
assert SystemExit().code is None and SystemExit(3).code == 3 and SystemExit(1, 2).code == (1, 2)
i = ImportError('msg', name='n', path='p')
assert (i.msg, i.name, i.path) == ('msg', 'n', 'p') and str(i) == 'msg'
a = AttributeError('m', name='x', obj=5)
assert (a.name, a.obj) == ('x', 5)
try:
    (5).nope
except AttributeError as a:
    assert (a.name, a.obj) == ('nope', 5), (a.name, a.obj)
try:
    undefined_name
except NameError as n:
    assert n.name == 'undefined_name' and str(n) == "name 'undefined_name' is not defined"

# OSError
o = OSError(2, 'No such file', 'f')
assert type(o) is FileNotFoundError and o.errno == 2 and o.strerror == 'No such file' and o.filename == 'f'
assert str(o) == "[Errno 2] No such file: 'f'" and o.args == (2, 'No such file')
assert str(OSError(2, 'a', 'b', None, 'c')) == "[Errno 2] a: 'b' -> 'c'"
assert str(OSError('x')) == 'x' and OSError('x').errno is None
assert type(OSError(13, 'x')) is PermissionError
class MyOS(OSError):
    def __init__(self, a, b, c):
        super().__init__(a, b)
        self.c = c
mo = MyOS(1, 'two', 3)
assert mo.c == 3 and mo.errno == 1 and mo.args == (1, 'two') and str(mo) == '[Errno 1] two'

# SyntaxError
s = SyntaxError('msg', ('dir/f.py', 3, 4, 'text', 3, 6))
assert (s.msg, s.filename, s.lineno, s.offset, s.text, s.end_lineno, s.end_offset) == ('msg', 'dir/f.py', 3, 4, 'text', 3, 6)
assert str(s) == 'msg (f.py, line 3)'
try:
    compile('x = = 1\n', 'name.py', 'exec')
except SyntaxError as s:
    assert s.filename == 'name.py' and s.lineno == 1 and s.text.rstrip('\n') == 'x = = 1' and s.offset == 5
else:
    assert False
try:
    compile('if 1:\nx\n', 'name.py', 'exec')
except IndentationError as s:
    assert s.lineno == 2
else:
    assert False

# Unicode
u = UnicodeDecodeError('utf-8', b'abc\xff', 3, 4, 'invalid start byte')
assert str(u) == "'utf-8' codec can't decode byte 0xff in position 3: invalid start byte"
assert (u.encoding, u.object, u.start, u.end, u.reason) == ('utf-8', b'abc\xff', 3, 4, 'invalid start byte')
u = UnicodeEncodeError('ascii', 'a\xe9b', 1, 2, 'ordinal not in range(128)')
assert str(u) == "'ascii' codec can't encode character '\\xe9' in position 1: ordinal not in range(128)"
assert str(UnicodeTranslateError('abc', 0, 2, 'r')) == "can't translate characters in position 0-1: r"
try:
    UnicodeDecodeError('x')
except TypeError as t:
    assert str(t) == 'function takes exactly 5 arguments (1 given)'

# traceback objects
def inner():
    raise ValueError('v')
def outer():
    inner()
try:
    outer()
except ValueError as v:
    tb = v.__traceback__
    names = []
    while tb:
        names.append((tb.tb_frame.f_code.co_name, tb.tb_lineno - tb.tb_frame.f_code.co_firstlineno))
        tb = tb.tb_next
    assert [n for n, _ in names[1:]] == ['outer', 'inner'] and names[1][1] == 1 and names[2][1] == 1

# A bare raise before a semicolon.
try:
    try: 1 / 0
    except ZeroDivisionError: raise; x = 1
except ZeroDivisionError as e:
    assert e.__traceback__.tb_lineno > 0
