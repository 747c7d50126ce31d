# ast.parse: type comments, the types of functions, syntax of older versions.
import ast


def parse(source, **keywords):
    return ast.parse(source, type_comments=True, **keywords)


def raises(text, source, **keywords):
    try:
        parse(source, **keywords)
    except SyntaxError as e:
        assert text in e.msg, e
    else:
        raise AssertionError(source)


tree = parse("""
def f(
    a,  # type: A
    *b,  #type:B
    c=(1)  # type: C
):
    # type: (...) -> int
    x = 1  # type: X
    for y in x:  # type: Y
        pass  # type: ignore[y]
    with (x as z):  # type:  Z
        pass
async def g(): # type: () -> None
    pass
""")
f, g = tree.body
assert f.type_comment == "(...) -> int" and g.type_comment == "() -> None"
assert [a.type_comment for a in [*f.args.args, f.args.vararg, *f.args.kwonlyargs]] == ["A", "B", "C"]
assert [s.type_comment for s in f.body] == ["X", "Y", "Z"]
assert [(i.lineno, i.tag) for i in tree.type_ignores] == [(10, "[y]")]
assert ast.parse("x = 1  # type: int").body[0].type_comment is None
raises("Cannot have two type comments on def", "def f():  # type: () -> int\n    # type: () -> str\n    pass\n")
raises("invalid syntax", "pass  # type: int\n")

t = ast.parse("(int, *str, **Any) -> float", mode="func_type")
assert ast.dump(t) == (
    "FunctionType(argtypes=[Name(id='int', ctx=Load()), Name(id='str', ctx=Load()), Name(id='Any', ctx=Load())], "
    "returns=Name(id='float', ctx=Load()))"
)
assert t.argtypes[0].col_offset == 1 and t.returns.col_offset == 22
assert ast.dump(ast.parse("() -> List[int]", mode="func_type")).startswith("FunctionType(returns=Subscript(")
for wrong in ["(int) -> ", "int -> str", "(x=int) -> str"]:
    try:
        ast.parse(wrong, mode="func_type")
    except SyntaxError:
        pass
    else:
        raise AssertionError(wrong)
try:
    compile("() -> int", "f", "func_type")
except ValueError as e:
    assert str(e) == "compile() mode 'func_type' requires flag PyCF_ONLY_AST"

for minor, what, source in [
    (5, "The '@' operator is", "a @ b"),
    (6, "Underscores in numeric literals are", "x = 1_000"),
    (6, "Variable annotation syntax is", "x: int"),
    (8, "Positional-only parameters are", "def f(a, /): pass"),
    (8, "Assignment expressions are", "(x := 1)"),
    (10, "Pattern matching is", "match x:\n  case 1: pass"),
    (11, "Exception groups are", "try: pass\nexcept* E: pass"),
    (12, "Type parameter lists are", "def f[T](): pass"),
    (13, "Type parameter defaults are", "class A[T = int]: pass"),
    (14, "except expressions without parentheses are", "try: pass\nexcept A, B: pass"),
    (14, "t-strings are", "t'{x}'"),
]:
    raises(f"{what} only supported in Python 3.{minor} and greater", source, feature_version=(3, minor - 1))
    parse(source, feature_version=(3, minor))
