# An expression that begins behind blanks is none for `compile`, though `eval` takes it.
import ast


def fault(text, **how):
    try:
        compile(text, "here", "eval", **how)
    except SyntaxError as e:
        return type(e), e.msg, e.lineno, e.offset, e.text
    return None


assert fault(" True") == (IndentationError, "unexpected indent", 1, 1, " True")
assert fault("\tTrue") == (IndentationError, "unexpected indent", 1, 1, "\tTrue")
assert fault("\n True") == (IndentationError, "unexpected indent", 2, 1, " True")
assert fault(b" True")[0] is fault(" True", flags=ast.PyCF_ONLY_AST)[0] is IndentationError
assert fault(" ")[:2] == (IndentationError, "unexpected indent")
assert fault("True ") is fault("(\n  True)") is fault("  # nothing\nTrue") is fault("  \nTrue") is None
assert eval(" True") is eval(b"\t True") is ast.literal_eval(" True") is True
try:
    ast.parse(" True", mode="eval")
except IndentationError:
    pass
else:
    raise AssertionError
tree = ast.parse("x = 5  # type:  int", type_comments=True)
assert tree.body[0].type_comment == "int"
assert ast.unparse(ast.parse("(int) -> str", mode="func_type")) == "(int) -> str"
