# Skein alone
# `dis` shows the machine's own instructions.
import dis
import io
import opcode
import sys


def f(x):
    for i in range(x):
        try:
            print(i.real, "a")
        except ValueError:
            raise
    return [y for y in (x, 2)]


rows = list(dis.get_instructions(f))
names = [row.opname for row in rows]
assert {"LOAD_GLOBAL", "LOAD_ATTR", "CALL", "FOR_ITER", "RETURN"} <= set(names), names
assert all(opcode.opmap[row.opname] == row.opcode and dis.opname[row.opcode] == row.opname for row in rows)
assert {row.argval for row in rows if row.opname == "LOAD_GLOBAL"} == {"range", "print", "ValueError"}
assert any(row.opname == "LOAD_ATTR" and row.argval == "real" and row.argrepr.endswith(", i, real") for row in rows)
for row, after in zip(rows, rows[1:]):
    assert row.end_offset == after.offset
for row in rows:
    if row.jump_target is not None:
        assert any(other.offset == row.jump_target and other.is_jump_target for other in rows), row
first = f.__code__.co_firstlineno
assert {line - first for _, line in dis.findlinestarts(f.__code__) if line} >= {0, 1, 3, 4, 5, 6}
assert {row.line_number for row in dis.get_instructions(f, first_line=100) if row.line_number} <= set(range(100, 109))
text = dis.Bytecode(f).dis()
assert "ExceptionTable:" in text and "LOAD_GLOBAL" in text and str(rows[0]).strip().startswith(rows[0].opname)
out = io.StringIO()
dis.dis(type("C", (), {"m": f}), file=out)
assert out.getvalue().startswith("Disassembly of m:\n")
dis.dis("1 + x", file=out)
try:
    f("a")
except TypeError as error:
    sys.last_exc = error
    at = io.StringIO()
    dis.distb(file=at)
    assert "-->" in at.getvalue()
code = compile("import a.b\nfrom . import d\nglobal z\nz = c = 1", "", "exec")
assert list(dis._find_imports(code)) == [("a.b", 0, None), ("", 1, ("d",))]
assert {"d", "c", "z", "a"} <= set(dis._find_store_names(code))
assert "Name:              f" in dis.code_info(f)
assert opcode.stack_effect(rows[0].opcode, 0) == 0 and not opcode.hasexc
for bad in (1, b"abc", object()):
    try:
        dis.dis(bad)
    except TypeError:
        pass
    else:
        raise AssertionError
import inspect

here = 1
assert inspect.getclosurevars(lambda: here.bit_length()).globals == {"here": 1}
