# Python 3.14
# t-strings: the templates that they make, and what can be done with these.

import copy
from string.templatelib import Interpolation, Template, convert


def parts(t):
    return t.strings, [(i.value, i.expression, i.conversion, i.format_spec) for i in t.interpolations]


def error(kind, f, *args):
    try:
        f(*args)
    except kind as e:
        return str(e)
    raise AssertionError("no error")


name, width = "Ada", 10

# ---- literals

assert type(t"") is Template
assert parts(t"") == (("",), [])
assert parts(t"abc") == (("abc",), [])
assert parts(t"{name}") == (("", ""), [("Ada", "name", None, "")])
assert parts(t"a{name}b{1 + 1}c") == (("a", "b", "c"), [("Ada", "name", None, ""), (2, "1 + 1", None, "")])
assert parts(t"{name}{name}") == (("", "", ""), [("Ada", "name", None, "")] * 2)
assert parts(t"{{{name}}}") == (("{", "}"), [("Ada", "name", None, "")])

# Conversions and specifications are kept, not applied.
assert parts(t"{name!r}")[1] == [("Ada", "name", "r", "")]
assert parts(t"{name!s:>{width}}")[1] == [("Ada", "name", "s", ">10")]
assert parts(t"{name!a:x}")[1] == [("Ada", "name", "a", "x")]
assert parts(t"{width:{'0'}{4}x}")[1] == [(10, "width", None, "04x")]

# The text of `=` becomes part of the string before; without anything else it means repr.
assert parts(t"{name=}") == (("name=", ""), [("Ada", "name", "r", "")])
assert parts(t"{name = !s}") == (("name = ", ""), [("Ada", "name ", "s", "")])
assert parts(t"{width=:>5}") == (("width=", ""), [(10, "width", None, ">5")])
assert parts(t"a{ name = }b") == (("a name = ", "b"), [("Ada", " name ", "r", "")])

# The expression's text is the source's, parentheses and spaces included, comments not.
assert t"{(1, 2)}".interpolations[0].expression == "(1, 2)"
assert t"{(name)}".interpolations[0].expression == "(name)"
assert t"{((name) ) }".interpolations[0].expression == "((name) ) "
assert t"{name }".interpolations[0].expression == "name "
assert t"{'!:{}' + name!r:>9}".interpolations[0].expression == "'!:{}' + name"
assert t"{(lambda: 3)()}".values == (3,)
assert t'''{
    name  # who
}'''.interpolations[0].expression == "\n    name  \n"

# Raw ones, in any case and order.
assert rt"\n{name}\t".strings == ("\\n", "\\t")
assert tr"\d" .strings == Rt"\d".strings == TR"\d".strings == ("\\d",)
assert t"\n\x41\N{BULLET}".strings == ("\nA\u2022",)
assert t"""a
{name}
""".strings == ("a\n", "\n")

# Next to each other they are one.
assert parts(t"a{1}" t"b" t"{2}c") == (("a", "b", "c"), [(1, "1", None, ""), (2, "2", None, "")])

# Nested, and with f-strings inside.
inner = t"{t'<{name}>'}".values[0]
assert parts(inner) == (("<", ">"), [("Ada", "name", None, "")])
assert t"{f'{name}!'}".values == ("Ada!",)
assert f"{t'{name}'.values[0]}" == "Ada"
assert t"{name:{t'x'.strings[0]}}".interpolations[0].format_spec == "x"

# Values are computed from left to right, at once.
order = []
t"{order.append(1)}{order.append(2):{order.append(3)}}{order.append(4)}"
assert order == [1, 2, 3, 4]

for text in [
    "t'{x}' 'str'", "'str' t'{x}'", "t'a' f'b'", "f'a' t'b'", "t'a' b'b'", "b'a' t'b'", "u'x' t'{x}'",
]:
    assert "cannot mix t-string literals with string or bytes literals" in error(SyntaxError, eval, text), text
for text in ["t'{'", "t'}'", "t'{}'", "t'{a!x}'", "t'{lambda: 1}'", "ut'a'", "bt'a'", "ft'a'", "t'{a b}'"]:
    error(SyntaxError, eval, text)
try:
    eval("t'{}'")
except SyntaxError as e:
    assert e.msg == "t-string: valid expression required before '}'", e.msg
assert error(NameError, eval, "t'{missing}'") == "name 'missing' is not defined"

# ---- Template

t = t"a{1}b{name!r:x}"
assert t.values == (1, "Ada")
assert list(t) == ["a", t.interpolations[0], "b", t.interpolations[1]]
assert list(t"") == [] and list(t"{1}{2}")[1].value == 2 and list(t"x") == ["x"]
it = iter(t)
assert iter(it) is it and type(it).__name__ == "TemplateIter"
assert [next(it) for _ in range(4)] and next(it, None) is None and next(it, None) is None

one = Interpolation(1, "1")
made = Template("a", "b", one, one, "c")
assert made.strings == ("ab", "", "c") and made.interpolations == (one, one)
assert Template().strings == ("",) and Template(one).strings == ("", "")
assert "need to be of type 'str' or 'Interpolation', got int" in error(TypeError, Template, 1)
assert error(TypeError, lambda: Template(a=1)) == "Template.__new__ only accepts *args arguments"

both = t"a{1}b" + t"c{2}"
assert both.strings == ("a", "bc", "") and both.values == (1, 2)
assert (t"" + t"").strings == ("",)
assert "can only concatenate string.templatelib.Template (not \"str\")" in error(TypeError, lambda: t"a" + "b")
error(TypeError, lambda: "b" + t"a")

assert repr(t"a{1!r:x}") == (
    "Template(strings=('a', ''), interpolations=(Interpolation(1, '1', 'r', 'x'),))"
)
assert t"" != t"" and t == t and len({t, t}) == 1
for write in ["strings", "interpolations", "values"]:
    error(AttributeError, setattr, t, write, ())
error(TypeError, type, "Sub", (Template,), {})
assert Template[int].__origin__ is Template
assert copy.copy(t).strings == t.strings

# ---- Interpolation

i = Interpolation(3, "x", "r", ">3")
assert (i.value, i.expression, i.conversion, i.format_spec) == (3, "x", "r", ">3")
assert repr(i) == "Interpolation(3, 'x', 'r', '>3')"
assert repr(Interpolation(None)) == "Interpolation(None, '', None, '')"
assert Interpolation(value=1, format_spec="d").format_spec == "d"
assert Interpolation.__match_args__ == ("value", "expression", "conversion", "format_spec")
match t"{name!r:>5}".interpolations[0]:
    case Interpolation(value, expression, conversion, spec):
        assert (value, expression, conversion, spec) == ("Ada", "name", "r", ">5")
    case _:
        raise AssertionError
assert error(ValueError, Interpolation, 1, "", "x") == (
    "Interpolation() argument 'conversion' must be one of 's', 'a' or 'r'"
)
assert error(TypeError, Interpolation, 1, "", 2) == "Interpolation() argument 'conversion' must be str, not int"
error(TypeError, Interpolation)
error(TypeError, Interpolation, 1, 2)
error(TypeError, Interpolation, 1, "", None, None)
error(AttributeError, setattr, i, "value", 2)
error(TypeError, type, "Sub", (Interpolation,), {})
assert copy.copy(i).expression == "x" and i.__reduce__() == (Interpolation, (3, "x", "r", ">3"))

# ---- what they are for


def render(template):
    out = []
    for part in template:
        match part:
            case str() as s:
                out.append(s)
            case Interpolation(value, _, conversion, spec):
                out.append(format(convert(value, conversion), spec).replace("<", "&lt;"))
    return "".join(out)


evil = "<script>"
assert render(t"<p>{evil:>10}</p>{name!r}") == "<p>  &lt;script></p>'Ada'"


def generate():
    for n in range(3):
        yield t"{n}: {(yield n)}"


g = generate()
assert next(g) == 0 and g.send("x").values == (0, "x")
