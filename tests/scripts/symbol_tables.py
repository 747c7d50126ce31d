# symtable: the scopes of a source as the compiler sees them.
import symtable

SOURCE = """
import sys
def f(a, *b: int, c=1, **d) -> str:
    z = [q for q in a if (lambda: q)]
    def g():
        nonlocal z
        global top
        z = top = sys
    class A[T]:
        z = 2
        def m(self): return super().m, z, T
type L[K] = list[K]
"""
top = symtable.symtable(SOURCE, "here.py", "exec")
assert (top.get_type(), top.get_name(), top.get_lineno(), top.is_nested()) == ("module", "top", 0, False)
assert repr(top) == "<SymbolTable for module here.py>"
annotations, f, outer = top.get_children()
assert annotations.get_name() == "__annotate__" and annotations.get_type() == "annotation"
assert (f.get_type(), f.get_lineno(), f.is_optimized()) == ("function", 3, True)
assert f.get_parameters() == ("a", "c", "b", "d")
assert sorted(f.get_locals()) == ["A", "a", "b", "c", "d", "g", "q", "z"] and f.get_globals() == ()
assert repr(f.lookup("q")) == "<symbol 'q': CELL, USE|DEF_LOCAL|DEF_COMP_ITER|DEF_COMP_CELL>"
inner = {t.get_name(): t for t in f.get_children()}
g = inner["g"]
assert g.get_nonlocals() == ("z",) and g.is_nested()
assert g.lookup("top").is_declared_global() and g.lookup("z").is_free() and g.lookup("sys").is_global()
assert f.lookup("g").get_namespace() is g
params = inner["A"]
assert params.get_type() == "type parameters"
assert repr(params.lookup("T")) == "<symbol 'T': CELL, DEF_LOCAL|DEF_TYPE_PARAM>"
(a,) = [t for t in params.get_children() if t.get_type() == "class"]
assert repr(a.lookup("z")) == "<symbol 'z': LOCAL, DEF_LOCAL|DEF_FREE_CLASS>" and a.lookup("T").is_free()
assert outer.get_name() == "L" and outer.get_children()[0].get_type() == "type alias"
assert top.lookup("sys").is_imported() and not top.lookup("f").is_imported()

assert repr(symtable.symtable("[x for x in y]", "?", "eval").lookup("x")) == (
    "<symbol 'x': LOCAL, USE|DEF_LOCAL|DEF_COMP_ITER>"
)
for args, kind, text in [
    (("x", "f", "all"), ValueError, "arg 3 must be 'exec' or 'eval' or 'single'"),
    (("x", "f", 1), TypeError, "argument 3 must be str, not int"),
    ((1, "f", "exec"), TypeError, "arg 1 must be a string or bytes object"),
    (("def f(x): global x", "f", "exec"), SyntaxError, "parameter and global"),
]:
    try:
        symtable.symtable(*args)
    except kind as e:
        assert text in str(e), e
    else:
        raise AssertionError(args)
