"""Sources that nest deep or play with names that the compiler uses: an error or a program, never a crash."""
import sys


def outcome(source, mode="exec"):
    try:
        compile(source, "<test>", mode)
    except (SyntaxError, MemoryError, RecursionError) as e:
        return type(e)
    return None


for part in ("lambda: ", "lambda a, b: ", "lambda x=1, *y: ", "not ", "-", "await ", "1 if 1 else ", "a.b.c ** ~", "lambda x=lambda: 1, y=2: "):
    for n in (20_000, 100_000):
        assert outcome(part * n + "1") in (SyntaxError, MemoryError), part
    assert outcome(part * 20_000) in (SyntaxError, MemoryError), part

for head, tail in (("f'{", "}'"), ("f'{x:{", "}}'"), ("rf'\\{", "}'"), ('f"""{', '}"""'), ("t'{", "}'")):
    assert outcome(head + "-" * 100_000 + "1" + tail) in (SyntaxError, MemoryError), head
    assert outcome(head + "lambda: " * 100_000 + "1" + tail) in (SyntaxError, MemoryError), head

for line in ("if x: ", "while x: ", "for x in y: ", "with x: ", "class A: ", "def f(): ", "try: ", "else: ", "x; if y: ", "@a ", "match x: ", "case x: ", "type A = ", "return ", "raise ", "del ", "import a; ", "async "):
    assert outcome(line * 20_000 + "1") is not None or line == "import a; ", line

# The set of conditional annotations is a name like any other.
for value in (5, None, [], {}, "text", 2**70, 1.5):
    try:
        exec("__conditional_annotations__ = value\nif True:\n    x: int = 1", {"value": value})
    except TypeError:
        pass
    else:
        raise AssertionError(value)
names = {}
exec("if True:\n    x: int\n    y: str\nelse:\n    z: bytes\n", names)
assert names["__annotate__"](1) == {"x": int, "y": str}


def replaced_flags_are_verified():
    def plain():
        return 1

    def numbers():
        yield 1

    # A generator's code leaves its frame in another way than a function's.
    generator = 0x20
    for code, flags in (
        (plain.__code__, plain.__code__.co_flags | generator),
        (numbers.__code__, numbers.__code__.co_flags & ~generator),
    ):
        try:
            code.replace(co_flags=flags)
        except ValueError:
            continue
        raise AssertionError("the flags were taken")
    assert plain.__code__.replace(co_name="other").co_name == "other"


# CPython takes them, and crashes when such a code is called.
if sys.implementation.name == "skein":
    replaced_flags_are_verified()
