# Errors in the fields of f-strings: how far the expression goes decides.
def check(source, text, offset=None):
    try:
        compile(source, "<source>", "eval")
    except SyntaxError as e:
        assert e.msg == text and offset in (None, e.offset), (source, e.msg, e.offset)
    else:
        raise AssertionError(f"{source}: no error")


for letter in "ft":
    behind = f"{letter}-string: expecting '=', or '!', or ':', or '}}'"
    none = f"{letter}-string: expecting a valid expression after '{{'"
    for field, offset in (("1+", 5), ("a.b.", 7), ("a or", 6), ("foo(+)", 7), ("1+:3", 5), ("a == ", 6), ("a,+", 6), ("1 if", 6)):
        check(f"{letter}'{{{field}}}'", behind, offset)
    for field in ("[+]", "(1+)", "+ lambda x:None", "+:3", "not", "-", "3:{{>10}"):
        check(f"{letter}'{{{field}}}'", none)
    lines = f"{letter}-string: newlines are not allowed in format specifiers for single quoted {letter}-strings"
    for source in ("'{1:d\n}'", "'__{\n    1:d\n}__'", "'{a!r:x\n}'", "'{a:\n}'"):
        check(letter + source, lines)
    compile(f"{letter}'''{{1:d\n}}'''", "<source>", "eval")
check("f'{a if b}'", "expected 'else' after 'if' expression", 4)
check("f'{a b}'", "invalid syntax. Perhaps you forgot a comma?", 4)
check("f'{lambda x:1}'", "f-string: lambda expressions are not allowed without parentheses")
print("ok")
