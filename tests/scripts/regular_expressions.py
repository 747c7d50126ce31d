# Regular expressions: the engine and the objects of `re`.
import re
assert re.match(r'(\w+) (\w+)', 'hello world').groups()==('hello','world')
assert re.sub(r'(\d+)', r'<\1>', 'a1b22')=='a<1>b<22>'
assert re.sub('x', lambda m: m.group().upper(), 'axbx')=='aXbX'
assert re.split(r'[,;]\s*', 'a, b;c')==['a','b','c']
assert re.findall(r'(a)(b)?','abaab')==[('a','b'),('a',''),('a','b')]
assert [m.span() for m in re.finditer('é','éaéb')]==[(0,1),(2,3)]
assert re.fullmatch(r'(?:ab|a)*','abaab')
assert re.match(r'(a*?)b\1','aabaa').group()=='aabaa'
assert re.match(r'(?>a+)ab','aaab') is None
assert re.match(r'a++b','aaab')
assert re.match(r'(?:ab)++c','ababc')
assert re.match(r'(?:ab){2,}+a','ababab') is None
assert re.search(r'(?<=a)b(?!c)','abcab').start()==4
assert re.match(r'(?i)straße','STRAßE')
assert re.split('x*','axbc')==['','a','','b','c','']
assert re.sub('x*','-','abxd')=='-a-b--d-'
assert re.match(r'(a)?b(?(1)c|d)','bd') and re.match(r'(a)?b(?(1)c|d)','abc')
assert re.match(rb'\w+',b'abc').group()==b'abc'
assert re.match(r'(?:(a)|b)*', 'ab').groups() == ('a',)
assert repr(re.compile(r'(?P<a>x+)|y', re.I)) == "re.compile('(?P<a>x+)|y', re.IGNORECASE)"
assert repr(re.search('b+', 'aabbb')) == "<re.Match object; span=(2, 5), match='bbb'>"
m = re.search(r'(?P<year>\d{4})-(?P<month>\d\d)', 'on 2024-05-06', re.ASCII)
assert m.groupdict() == {'year': '2024', 'month': '05'} and m['year'] == m[1] and m.lastgroup == 'month'
assert m.regs == ((3, 10), (3, 7), (8, 10)) and m.expand(r'\g<month>/\1') == '05/2024'
try:
    m.group('day')
except IndexError as e:
    assert str(e) == 'no such group'
else:
    assert False
# Long text needs no native stack, and positions in wide text are those of characters.
assert re.match(r'(?:a|b)*c', 'ab' * 20000 + 'c').end() == 40001
assert re.search(r'(x+x+)+y', 'x' * 12) is None
wide = 'äöü€𝄞' * 50
assert [m.start() for m in re.finditer('𝄞', wide)] == list(range(4, 250, 5))
assert re.compile('€').search(wide, 4).start() == 8
assert re.sub(r'[ä-ü]', '', wide) == '€𝄞' * 50
for bad in (lambda: re.match('a', b'a'), lambda: re.match(b'a', 'a'), lambda: re.match('a', 1)):
    try:
        bad()
    except TypeError:
        pass
    else:
        assert False
try:
    re.compile('(')
except re.error as e:
    assert 'missing ), unterminated subpattern' in str(e)
