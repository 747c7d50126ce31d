//! SyntaxErrors: kind, text and position, which are CPython's.

use skein_compiler::{ErrorKind, ErrorKind::*, Mode, Options, SyntaxError, compile};

fn error(source: &[u8]) -> SyntaxError {
    compile(source, "<test>", Mode::Exec, &Options::default()).expect_err("it is wrong")
}

/// Source, kind, message, line, column.
#[rustfmt::skip]
const TABLE: &[(&str, ErrorKind, &str, u32, u32)] = &[
    ("def f(x):\n    global x\n", Syntax, "name 'x' is parameter and global", 2, 5),
    ("obj.None = 1\n", Syntax, "invalid syntax", 1, 5),
    ("None = 1\n", Syntax, "cannot assign to None", 1, 1),
    ("obj.True = 1\n", Syntax, "invalid syntax", 1, 5),
    ("True = 1\n", Syntax, "cannot assign to True", 1, 1),
    ("(True := 1)\n", Syntax, "cannot use assignment expressions with True", 1, 2),
    ("obj.__debug__ = 1\n", Syntax, "cannot assign to __debug__", 1, 1),
    ("__debug__ = 1\n", Syntax, "cannot assign to __debug__", 1, 1),
    ("del __debug__\n", Syntax, "cannot delete __debug__", 1, 5),
    ("f() = 1\n", Syntax, "cannot assign to function call here. Maybe you meant '==' instead of '='?", 1, 1),
    ("yield = 1\n", Syntax, "assignment to yield expression not possible", 1, 1),
    ("del f()\n", Syntax, "cannot delete function call", 1, 5),
    ("a + 1 = 2\n", Syntax, "cannot assign to expression here. Maybe you meant '==' instead of '='?", 1, 1),
    ("(x for x in x) = 1\n", Syntax, "cannot assign to generator expression", 1, 1),
    ("1 = 1\n", Syntax, "cannot assign to literal here. Maybe you meant '==' instead of '='?", 1, 1),
    ("\"abc\" = 1\n", Syntax, "cannot assign to literal here. Maybe you meant '==' instead of '='?", 1, 1),
    ("... = 1\n", Syntax, "cannot assign to ellipsis here. Maybe you meant '==' instead of '='?", 1, 1),
    ("`1` = 1\n", Syntax, "invalid syntax", 1, 1),
    ("(a, \"b\", c) = (1, 2, 3)\n", Syntax, "cannot assign to literal", 1, 5),
    ("(a, True, c) = (1, 2, 3)\n", Syntax, "cannot assign to True", 1, 5),
    ("[a, b, c + 1] = [1, 2, 3]\n", Syntax, "cannot assign to expression", 1, 8),
    ("[a, b[1], c + 1] = [1, 2, 3]\n", Syntax, "cannot assign to expression", 1, 11),
    ("a if 1 else b = 1\n", Syntax, "cannot assign to conditional expression", 1, 1),
    ("a = 42 if True\n", Syntax, "expected 'else' after 'if' expression", 1, 5),
    ("a = (42 if True)\n", Syntax, "expected 'else' after 'if' expression", 1, 6),
    ("if True:\n    print(\"Hello\"\n\nif 2:\n   print(123))\n", Syntax, "invalid syntax", 4, 5),
    ("x = y = yield = 1\n", Syntax, "assignment to yield expression not possible", 1, 9),
    ("(a, b) += 1, 2\n", Syntax, "'tuple' is an illegal expression for augmented assignment", 1, 1),
    ("[a, b] += 1, 2\n", Syntax, "'list' is an illegal expression for augmented assignment", 1, 1),
    ("for a() in b: pass\n", Syntax, "cannot assign to function call", 1, 5),
    ("for (a, b()) in b: pass\n", Syntax, "cannot assign to function call", 1, 9),
    ("with a as b\n", Syntax, "expected ':'", 1, 12),
    ("p = p =\n", Syntax, "invalid syntax", 1, 8),
    ("[x for x if range(1)]\n", Syntax, "'in' expected after for-loop variables", 1, 10),
    ("tuple(x for x if range(1))\n", Syntax, "'in' expected after for-loop variables", 1, 15),
    ("[x,y for x,y in range(100)]\n", Syntax, "did you forget parentheses around the comprehension target?", 1, 2),
    ("{x,y for x,y in range(100)}\n", Syntax, "did you forget parentheses around the comprehension target?", 1, 2),
    ("[1, 2 3]\n", Syntax, "invalid syntax. Perhaps you forgot a comma?", 1, 5),
    ("{1, 2 3}\n", Syntax, "invalid syntax. Perhaps you forgot a comma?", 1, 5),
    ("match x:\n    y = 3\n", Syntax, "invalid syntax", 2, 5),
    ("def f(x, y=1, z):\n    pass\n", Syntax, "parameter without a default follows parameter with a default", 1, 15),
    ("def f(x, /, y=1, z):\n    pass\n", Syntax, "parameter without a default follows parameter with a default", 1, 18),
    ("def foo(/,a,b=,c):\n   pass\n", Syntax, "at least one argument must precede /", 1, 9),
    ("def foo(a,/,/,b,c):\n   pass\n", Syntax, "/ may appear only once", 1, 13),
    ("def foo(a,/,a1,/,b,c):\n   pass\n", Syntax, "/ may appear only once", 1, 16),
    ("def foo(a,*b,c,/,d,e):\n   pass\n", Syntax, "/ must be ahead of *", 1, 16),
    ("def foo(a=1,*b,c=3,/,d,e):\n   pass\n", Syntax, "/ must be ahead of *", 1, 20),
    ("def foo(a,*b=3,c):\n   pass\n", Syntax, "var-positional argument cannot have default value", 1, 13),
    ("def foo(a,*b: int=,c):\n   pass\n", Syntax, "var-positional argument cannot have default value", 1, 18),
    ("def foo(a,**b=3):\n   pass\n", Syntax, "var-keyword argument cannot have default value", 1, 14),
    ("def foo(a,**b: int=3):\n   pass\n", Syntax, "var-keyword argument cannot have default value", 1, 19),
    ("def foo(a,*a, b, **c, d):\n   pass\n", Syntax, "arguments cannot follow var-keyword argument", 1, 23),
    ("def foo(a,*a, b, **c, d=4):\n   pass\n", Syntax, "arguments cannot follow var-keyword argument", 1, 23),
    ("def foo(*b,*d):\n   pass\n", Syntax, "* argument may appear only once", 1, 12),
    ("def foo(a,*b,c,*d,*e,c):\n   pass\n", Syntax, "* argument may appear only once", 1, 16),
    ("def foo(a=1,d=,c):\n   pass\n", Syntax, "expected default value expression", 1, 14),
    ("def foo(a,d=,c):\n   pass\n", Syntax, "expected default value expression", 1, 12),
    ("lambda /,a,b,c: None\n", Syntax, "at least one argument must precede /", 1, 8),
    ("f(x for x in L, 1)\n", Syntax, "Generator expression must be parenthesized", 1, 3),
    ("f(x for x in L, y=1)\n", Syntax, "Generator expression must be parenthesized", 1, 3),
    ("f(lambda x: x[0] = 3)\n", Syntax, "expression cannot contain assignment, perhaps you meant \"==\"?", 1, 3),
    ("f(x()=2)\n", Syntax, "expression cannot contain assignment, perhaps you meant \"==\"?", 1, 3),
    ("f(False=1)\n", Syntax, "cannot assign to False", 1, 3),
    ("f(None=1)\n", Syntax, "cannot assign to None", 1, 3),
    ("f(a=)\n", Syntax, "expected argument value expression", 1, 3),
    ("f(a, b, c=)\n", Syntax, "expected argument value expression", 1, 9),
    ("f(*args=[0])\n", Syntax, "cannot assign to iterable argument unpacking", 1, 3),
    ("f(a, b, *args=[0])\n", Syntax, "cannot assign to iterable argument unpacking", 1, 9),
    ("f(**kwargs={'a': 1})\n", Syntax, "cannot assign to keyword argument unpacking", 1, 3),
    ("f(a, b, *args, **kwargs={'a': 1})\n", Syntax, "cannot assign to keyword argument unpacking", 1, 16),
    ("def foo():\n    try:\n        pass\n    finally:\n        continue\n", Syntax, "'continue' not properly in loop", 5, 9),
    ("try:\n    print(1)\n    break\n    print(2)\nfinally:\n    print(3)\n", Syntax, "'break' outside loop", 3, 5),
    ("def f():\n    print(x)\n    global x\n", Syntax, "name 'x' is used prior to global declaration", 3, 5),
    ("def f():\n    x = 1\n    global x\n", Syntax, "name 'x' is assigned to before global declaration", 3, 5),
    ("def f():\n    x = 1\n    def g():\n        print(x)\n        nonlocal x\n", Syntax, "name 'x' is used prior to nonlocal declaration", 5, 9),
    ("def f():\n    x = 1\n    def g():\n        x = 2\n        nonlocal x\n", Syntax, "name 'x' is assigned to before nonlocal declaration", 5, 9),
    ("def f(x):\n    nonlocal x\n", Syntax, "name 'x' is parameter and nonlocal", 2, 5),
    ("def f():\n    global x\n    nonlocal x\n", Syntax, "name 'x' is nonlocal and global", 2, 5),
    ("def f():\n    nonlocal x\n", Syntax, "no binding for nonlocal 'x' found", 2, 5),
    ("nonlocal x\n", Syntax, "nonlocal declaration not allowed at module level", 1, 1),
    ("class A:\n    def f(self):\n        nonlocal __x\n", Syntax, "no binding for nonlocal '_A__x' found", 3, 9),
    ("if 1:\n  x() = 1\nelif 1:\n  pass\n", Syntax, "cannot assign to function call here. Maybe you meant '==' instead of '='?", 2, 3),
    ("def f()\n    pass\n", Syntax, "expected ':'", 1, 8),
    ("if x = 3:\n   pass\n", Syntax, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?", 1, 4),
    ("while x = 3:\n   pass\n", Syntax, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?", 1, 7),
    ("if x.a = 3:\n   pass\n", Syntax, "cannot assign to attribute here. Maybe you meant '==' instead of '='?", 1, 4),
    ("while x.a = 3:\n   pass\n", Syntax, "cannot assign to attribute here. Maybe you meant '==' instead of '='?", 1, 7),
    ("def f(x, (y, z), w):\n   pass\n", Syntax, "Function parameters cannot be parenthesized", 1, 10),
    ("def f((x, y, z, w)):\n   pass\n", Syntax, "Function parameters cannot be parenthesized", 1, 7),
    ("lambda x, (y, z), w: None\n", Syntax, "Lambda expression parameters cannot be parenthesized", 1, 11),
    ("lambda (x, y, z, w): None\n", Syntax, "Lambda expression parameters cannot be parenthesized", 1, 8),
    ("try:\n   x = 34\n", Syntax, "expected 'except' or 'finally' block", 2, 10),
    ("try:\n   pass\nexcept TypeError:\n   pass\nexcept* ValueError:\n   pass\n", Syntax, "cannot have both 'except' and 'except*' on the same 'try'", 5, 1),
    ("try:\n   pass\nexcept* TypeError:\n   pass\nexcept ValueError:\n   pass\n", Syntax, "cannot have both 'except' and 'except*' on the same 'try'", 5, 1),
    ("{1:2, 3:4, 5}\n", Syntax, "':' expected after dictionary key", 1, 12),
    ("{1:2, 3:4, 5:}\n", Syntax, "expression expected after dictionary key and ':'", 1, 13),
    ("{1: *12+1, 23: 1}\n", Syntax, "cannot use a starred expression in a dictionary value", 1, 5),
    ("{1: *12+1}\n", Syntax, "cannot use a starred expression in a dictionary value", 1, 5),
    ("{1:}\n", Syntax, "expression expected after dictionary key and ':'", 1, 3),
    ("while condition:\npass\n", Indentation, "expected an indented block after 'while' statement on line 1", 2, 1),
    ("for x in range(10):\npass\n", Indentation, "expected an indented block after 'for' statement on line 1", 2, 1),
    ("def foo(x, /, y, *, z=2):\npass\n", Indentation, "expected an indented block after function definition on line 1", 2, 1),
    ("def foo[T](x, /, y, *, z=2):\npass\n", Indentation, "expected an indented block after function definition on line 1", 2, 1),
    ("class Blech(A):\npass\n", Indentation, "expected an indented block after class definition on line 1", 2, 1),
    ("class Blech[T](A):\npass\n", Indentation, "expected an indented block after class definition on line 1", 2, 1),
    ("try:\n  pass\nexcept* A as a:\n  pass\nexcept*:\n  pass\n", Syntax, "expected one or more exception types", 5, 8),
    ("f(a=23, a=234)\n", Syntax, "keyword argument repeated: a", 1, 9),
    ("{1, 2, 3} = 42\n", Syntax, "cannot assign to set display here. Maybe you meant '==' instead of '='?", 1, 1),
    ("{1: 2, 3: 4} = 42\n", Syntax, "cannot assign to dict literal here. Maybe you meant '==' instead of '='?", 1, 1),
    ("f'{x}' = 42\n", Syntax, "cannot assign to f-string expression here. Maybe you meant '==' instead of '='?", 1, 1),
    ("f'{x}-{y}' = 42\n", Syntax, "cannot assign to f-string expression here. Maybe you meant '==' instead of '='?", 1, 1),
    ("from t import x,\n", Syntax, "trailing comma not allowed without surrounding parentheses", 1, 17),
    ("from t import x,y,\n", Syntax, "trailing comma not allowed without surrounding parentheses", 1, 19),
    ("import a from b\n", Syntax, "Did you mean to use 'from ... import ...' instead?", 1, 1),
    ("import a.y.z from b.y.z\n", Syntax, "Did you mean to use 'from ... import ...' instead?", 1, 1),
    ("from i import\n", Syntax, "Expected one or more names after 'import'", 1, 14),
    ("from .. import\n", Syntax, "Expected one or more names after 'import'", 1, 15),
    ("(): int\n", Syntax, "only single target (not tuple) can be annotated", 1, 1),
    ("[]: int\n", Syntax, "only single target (not list) can be annotated", 1, 1),
    ("(()): int\n", Syntax, "only single target (not tuple) can be annotated", 1, 2),
    ("([]): int\n", Syntax, "only single target (not list) can be annotated", 1, 2),
    ("3 + not 3\n", Syntax, "'not' after an operator must be parenthesized", 1, 5),
    ("3 * not 3\n", Syntax, "'not' after an operator must be parenthesized", 1, 5),
    ("import ä £\n", Syntax, "invalid character '£' (U+00A3)", 1, 10),
    ("match ...:\n  case 42 as _:\n    ...\n", Syntax, "cannot use '_' as a target", 2, 14),
    ("match ...:\n  case Foo(z=1, y=2, x):\n    ...\n", Syntax, "positional patterns follow keyword patterns", 2, 22),
    ("match ...:\n  case Foo(a, z=1, y=2, x):\n    ...\n", Syntax, "positional patterns follow keyword patterns", 2, 25),
    ("A[:(*b)]\n", Syntax, "cannot use starred expression here", 1, 5),
    ("A[(*b):]\n", Syntax, "cannot use starred expression here", 1, 4),
    ("A[*:]\n", Syntax, "Invalid star expression", 1, 4),
    ("A[*]\n", Syntax, "Invalid star expression", 1, 4),
    ("b\"Ā\"\n", Syntax, "bytes can only contain ASCII literal characters", 1, 1),
    ("b\"абвгде\"\n", Syntax, "bytes can only contain ASCII literal characters", 1, 1),
    ("type A[] = int\n", Syntax, "Type parameter list cannot be empty", 1, 8),
    ("class A[]: ...\n", Syntax, "Type parameter list cannot be empty", 1, 9),
    ("def f[T: (x:=3)](): pass\n", Syntax, "named expression cannot be used within a TypeVar bound", 1, 11),
    ("def f[T: ((x:= 3), int)](): pass\n", Syntax, "named expression cannot be used within a TypeVar constraint", 1, 12),
    ("def f[T = ((x:=3))](): pass\n", Syntax, "named expression cannot be used within a TypeVar default", 1, 13),
    ("async def f[T: (x:=3)](): pass\n", Syntax, "named expression cannot be used within a TypeVar bound", 1, 17),
    ("async def f[T: ((x:= 3), int)](): pass\n", Syntax, "named expression cannot be used within a TypeVar constraint", 1, 18),
    ("async def f[T = ((x:=3))](): pass\n", Syntax, "named expression cannot be used within a TypeVar default", 1, 19),
    ("def f[T: (yield)](): pass\n", Syntax, "yield expression cannot be used within a TypeVar bound", 1, 11),
    ("def f[T: (int, (yield))](): pass\n", Syntax, "yield expression cannot be used within a TypeVar constraint", 1, 17),
    ("def f[T = (yield)](): pass\n", Syntax, "yield expression cannot be used within a TypeVar default", 1, 12),
    ("def f[*Ts = (yield)](): pass\n", Syntax, "yield expression cannot be used within a TypeVarTuple default", 1, 14),
    ("def f[**P = [(yield), int]](): pass\n", Syntax, "yield expression cannot be used within a ParamSpec default", 1, 15),
    ("type A[T: (yield 3)] = int\n", Syntax, "yield expression cannot be used within a TypeVar bound", 1, 12),
    ("type A[T: (int, (yield 3))] = int\n", Syntax, "yield expression cannot be used within a TypeVar constraint", 1, 18),
    ("type A[T = (yield 3)] = int\n", Syntax, "yield expression cannot be used within a TypeVar default", 1, 13),
    ("type A[T: (await 3)] = int\n", Syntax, "await expression cannot be used within a TypeVar bound", 1, 12),
    ("class A[*Ts = (yield)]: pass\n", Syntax, "yield expression cannot be used within a TypeVarTuple default", 1, 16),
    ("class A[**P = [(yield), int]]: pass\n", Syntax, "yield expression cannot be used within a ParamSpec default", 1, 17),
    ("type A = (x := 3)\n", Syntax, "named expression cannot be used within a type alias", 1, 11),
    ("type A = (yield 3)\n", Syntax, "yield expression cannot be used within a type alias", 1, 11),
    ("type A = (await 3)\n", Syntax, "await expression cannot be used within a type alias", 1, 11),
    ("type A = (yield from [])\n", Syntax, "yield expression cannot be used within a type alias", 1, 11),
    ("class A[T]((x := 3)): ...\n", Syntax, "named expression cannot be used within the definition of a generic", 1, 13),
    ("class A[T]((yield 3)): ...\n", Syntax, "yield expression cannot be used within the definition of a generic", 1, 13),
    ("class A[T]((await 3)): ...\n", Syntax, "await expression cannot be used within the definition of a generic", 1, 13),
    ("class A[T]((yield from [])): ...\n", Syntax, "yield expression cannot be used within the definition of a generic", 1, 13),
    ("(", Syntax, "'(' was never closed", 1, 1),
    ("[1,2", Syntax, "'[' was never closed", 1, 1),
    ("'abc", Syntax, "unterminated string literal (detected at line 1)", 1, 1),
    ("\"abc", Syntax, "unterminated string literal (detected at line 1)", 1, 1),
    ("'''abc", Syntax, "unterminated triple-quoted string literal (detected at line 1)", 1, 1),
    ("f'{a!x}'", Syntax, "f-string: invalid conversion character 'x': expected 's', 'r', or 'a'", 1, 6),
    ("f'}'", Syntax, "f-string: single '}' is not allowed", 1, 3),
    ("f'{}'", Syntax, "f-string: valid expression required before '}'", 1, 4),
    ("try:\n  pass", Syntax, "expected 'except' or 'finally' block", 2, 7),
    ("  x=1", Indentation, "unexpected indent", 1, 2),
    ("if 1:\n    x\n  y", Indentation, "unindent does not match any outer indentation level", 3, 4),
    ("if 1:\n  x\n    y", Indentation, "unexpected indent", 3, 4),
    ("a + b = c", Syntax, "cannot assign to expression here. Maybe you meant '==' instead of '='?", 1, 1),
    ("f(a=1, b)", Syntax, "positional argument follows keyword argument", 1, 9),
    ("f(**a, b)", Syntax, "positional argument follows keyword argument unpacking", 1, 9),
    ("f(x=1, x=2)", Syntax, "keyword argument repeated: x", 1, 8),
    ("print 'hello'", Syntax, "Missing parentheses in call to 'print'. Did you mean print(...)?", 1, 1),
    ("print hello", Syntax, "Missing parentheses in call to 'print'. Did you mean print(...)?", 1, 1),
    ("exec 'x'", Syntax, "Missing parentheses in call to 'exec'. Did you mean exec(...)?", 1, 1),
    ("return", Syntax, "'return' outside function", 1, 1),
    ("yield", Syntax, "'yield' outside function", 1, 1),
    ("break", Syntax, "'break' outside loop", 1, 1),
    ("continue", Syntax, "'continue' not properly in loop", 1, 1),
    ("async def f():\n  yield from x", Syntax, "'yield from' inside async function", 2, 3),
    ("def f():\n  await x", Syntax, "'await' outside async function", 2, 3),
    ("x=1\nglobal x", Syntax, "name 'x' is assigned to before global declaration", 2, 1),
    ("def f():\n  print(x)\n  global x", Syntax, "name 'x' is used prior to global declaration", 3, 3),
    ("def f(x):\n  global x", Syntax, "name 'x' is parameter and global", 2, 3),
    ("nonlocal x", Syntax, "nonlocal declaration not allowed at module level", 1, 1),
    ("def f():\n  x=1\n  def g():\n    nonlocal x\n    global x", Syntax, "name 'x' is nonlocal and global", 4, 5),
    ("from __future__ import braces", Syntax, "not a chance", 1, 1),
    ("from __future__ import nope", Syntax, "future feature nope is not defined", 1, 1),
    ("x=1\nfrom __future__ import annotations", Syntax, "from __future__ imports must occur at the beginning of the file", 2, 1),
    ("del f()", Syntax, "cannot delete function call", 1, 5),
    ("del 1", Syntax, "cannot delete literal", 1, 5),
    ("del (a, 1)", Syntax, "cannot delete literal", 1, 9),
    ("for 1 in x: pass", Syntax, "cannot assign to literal", 1, 5),
    ("(1 := 2)", Syntax, "cannot use assignment expressions with literal", 1, 2),
    ("{1:2, 3}", Syntax, "':' expected after dictionary key", 1, 7),
    ("[*a for a in b]", Syntax, "iterable unpacking cannot be used in comprehension", 1, 2),
    ("*a", Syntax, "can't use starred expression here", 1, 1),
    ("*a = 1", Syntax, "starred assignment target must be in a list or tuple", 1, 1),
    ("print(*a)\nx = *a", Syntax, "can't use starred expression here", 2, 5),
    ("def f(*): pass", Syntax, "named arguments must follow bare *", 1, 7),
    ("x = 0777", Syntax, "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers", 1, 5),
    ("x = 0x", Syntax, "invalid hexadecimal literal", 1, 6),
    ("x = 0b2", Syntax, "invalid digit '2' in binary literal", 1, 7),
    ("x = 0o8", Syntax, "invalid digit '8' in octal literal", 1, 7),
    ("1__0", Syntax, "invalid decimal literal", 1, 2),
    ("1_", Syntax, "invalid decimal literal", 1, 2),
    ("0xg", Syntax, "invalid hexadecimal literal", 1, 2),
    ("1.5j2", Syntax, "invalid imaginary literal", 1, 4),
    ("x = €", Syntax, "invalid character '€' (U+20AC)", 1, 5),
    ("\\ x", Syntax, "unexpected character after line continuation character", 1, 2),
    ("'\\x1'", Syntax, "(unicode error) 'unicodeescape' codec can't decode bytes in position 0-2: truncated \\xXX escape", 1, 1),
    ("'\\u12'", Syntax, "(unicode error) 'unicodeescape' codec can't decode bytes in position 0-3: truncated \\uXXXX escape", 1, 1),
    ("'\\N{nope}'", Syntax, "(unicode error) 'unicodeescape' codec can't decode bytes in position 0-7: unknown Unicode character name", 1, 1),
    ("b'\\x1'", Syntax, "(value error) invalid \\x escape at position 0", 1, 1),
    ("x = )", Syntax, "unmatched ')'", 1, 5),
    ("(]", Syntax, "closing parenthesis ']' does not match opening parenthesis '('", 1, 2),
    ("(a]", Syntax, "closing parenthesis ']' does not match opening parenthesis '('", 1, 3),
    ("try:\n  pass\nexcept:\n  pass\nexcept A:\n  pass", Syntax, "default 'except:' must be last", 3, 1),
    ("try:\n  pass\nexcept*:\n  pass", Syntax, "expected one or more exception types", 3, 8),
    ("match x:\n  case a:\n    pass\n  case b:\n    pass", Syntax, "name capture 'a' makes remaining patterns unreachable", 2, 8),
    ("match x:\n  case a | b: pass", Syntax, "name capture 'a' makes remaining patterns unreachable", 2, 8),
    ("match x:\n  case (a, a): pass", Syntax, "multiple assignments to name 'a' in pattern", 2, 12),
    ("async with a: pass", Syntax, "'async with' outside async function", 1, 1),
    ("async def f(): [await x for x in y]\n[x async for x in y]", Syntax, "asynchronous comprehension outside of an asynchronous function", 2, 1),
    ("def f():\n  [x async for x in y]", Syntax, "asynchronous comprehension outside of an asynchronous function", 2, 3),
    ("def f(x):\n  return x\n return y", Indentation, "unindent does not match any outer indentation level", 3, 10),
    ("f'{a!}'", Syntax, "f-string: missing conversion character", 1, 6),
    ("type X[T, T] = int", Syntax, "duplicate type parameter 'T'", 1, 11),
    ("class A[T]: pass\nclass B[*T = 1, U]: pass", Syntax, "non-default type parameter 'U' follows default type parameter", 2, 17),
    ("f(): int", Syntax, "illegal target for annotation", 1, 1),
    ("del __debug__", Syntax, "cannot delete __debug__", 1, 5),
    ("{a: 1} = 2", Syntax, "cannot assign to dict literal here. Maybe you meant '==' instead of '='?", 1, 1),
    ("... = 1", Syntax, "cannot assign to ellipsis here. Maybe you meant '==' instead of '='?", 1, 1),
    ("a < b = c", Syntax, "cannot assign to comparison", 1, 1),
    ("lambda: 1 = 2", Syntax, "cannot assign to lambda", 1, 1),
    ("a if b else c = 1", Syntax, "cannot assign to conditional expression", 1, 1),
    ("[x for x in y] = 1", Syntax, "cannot assign to list comprehension here. Maybe you meant '==' instead of '='?", 1, 1),
    ("(x for x in y) = 1", Syntax, "cannot assign to generator expression", 1, 1),
    ("await x = 1", Syntax, "cannot assign to await expression here. Maybe you meant '==' instead of '='?", 1, 1),
    ("x = '''abc\ndef", Syntax, "unterminated triple-quoted string literal (detected at line 2)", 1, 5),
    ("async def f():\n  return 1\n  yield 1", Syntax, "'return' with value in async generator", 2, 3),
];

#[test]
fn errors_are_worded_and_placed_as_in_cpython() {
    let mut wrong = Vec::new();
    for &(source, kind, message, line, col) in TABLE {
        let e = error(source.as_bytes());
        if (e.kind, &*e.message, e.line, e.col) != (kind, message, line, col) {
            wrong.push(format!("{source:?}: {:?} {e}", e.kind));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn encodings_are_honoured() {
    let compile = |s: &[u8]| compile(s, "<test>", Mode::Exec, &Options::default());
    assert!(compile(b"\xef\xbb\xbfx = 1").is_ok());
    assert!(compile(b"# -*- coding: latin-1 -*-\nx = '\xe9'").is_ok());
    assert!(compile(b"# coding: utf8\nx = '\xc3\xa9'").is_ok());
    assert_eq!(error(b"# coding: nope\n").message, "unknown encoding: nope");
    let e = error(b"x = 1\ny = '\xff'");
    assert_eq!(
        e.message,
        "(unicode error) 'utf-8' codec can't decode byte 0xff in position 5: invalid start byte"
    );
    assert_eq!(e.line, 2);
    assert_eq!(error(b"# coding: ascii\n'\xe9'").kind, Syntax);
}

#[test]
fn input_that_more_lines_complete_is_known() {
    for source in ["(1,", "if x:", "def f():", "\"\"\"abc", "x = [\n1"] {
        assert!(error(source.as_bytes()).incomplete, "{source:?}");
    }
    for source in ["x = )", "1 = 2", "a b"] {
        assert!(!error(source.as_bytes()).incomplete, "{source:?}");
    }
}

#[test]
fn warnings_come_beside_the_code() {
    let warnings = |s: &str| {
        let c =
            skein_compiler::compile_with_warnings(s.as_bytes(), "<test>", Mode::Exec, &Options::default());
        c.expect("it compiles").warnings.into_iter().map(|w| (w.line, w.message)).collect::<Vec<_>>()
    };
    let escape = r#""\d" is an invalid escape sequence. Such sequences will not work in the future. Did you mean "\\d"? A raw string is also an option."#;
    assert_eq!(warnings("x = 1\ny = '\\d'"), [(2, escape.to_string())]);
    assert_eq!(warnings("r'\\d' + '\\n\\x41' + rf'\\d'"), []);
    let is = warnings("x is 1");
    assert_eq!(is, [(1, "\"is\" with 'int' literal. Did you mean \"==\"?".to_string())]);
    let leave = warnings("def f():\n  try: pass\n  finally:\n    return 1");
    assert_eq!(leave, [(4, "'return' in a 'finally' block".to_string())]);
    assert_eq!(warnings("assert (x, 'y')")[0].1, "assertion is always true, perhaps remove parentheses?");
}
