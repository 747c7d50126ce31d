"""Shows the instructions of Skein's register machine, by the interface of CPython's module `dis`.

docs/opcodes.md says what each does. An instruction has up to three operands in its own bytes and one behind it, which
`Instruction.argrepr` shows: registers by the name of the local that is in them or as `r7`, numbers, names, constants and
places to jump to. `Instruction.argval` is the name, constant or offset if there is one.
"""

import _opcode
import collections
import io
import sys
import types
from opcode import *
from opcode import __all__ as _opcodes_all
from opcode import _common_constants, _inline_cache_entries, _intrinsic_1_descs, _intrinsic_2_descs, _nb_ops  # noqa: F401
from opcode import _cache_format, _special_method_names, _specializations, _specialized_opmap  # noqa: F401

__all__ = [
    "code_info", "dis", "disassemble", "distb", "disco", "findlinestarts", "findlabels", "show_code",
    "get_instructions", "Instruction", "Bytecode", *_opcodes_all,
]

_have_code = (
    types.MethodType, types.FunctionType, types.CodeType, classmethod, staticmethod, type,
)

COMPILER_FLAG_NAMES = {
    1: "OPTIMIZED",
    2: "NEWLOCALS",
    4: "VARARGS",
    8: "VARKEYWORDS",
    16: "NESTED",
    32: "GENERATOR",
    64: "NOFREE",
    128: "COROUTINE",
    256: "ITERABLE_COROUTINE",
    512: "ASYNC_GENERATOR",
    0x4000000: "HAS_DOCSTRING",
    0x8000000: "METHOD",
}

# What a function is made with besides its code and defaults, in the order in which it is given.
FUNCTION_ATTR_FLAGS = ("defaults", "kwdefaults", "annotations", "closure", "annotate")

# An instruction that has taken another's place while code runs is not shown: so there are no more than these.
_all_opname = list(opname)
_all_opmap = dict(opmap)
deoptmap = {}

_OPNAME_WIDTH = 22
_NO_LINENO = "NO_LINENO"

_ExceptionTableEntryBase = collections.namedtuple("_ExceptionTableEntryBase", "start end target depth lasti")


class _ExceptionTableEntry(_ExceptionTableEntryBase):
    """A row of the table of handlers; `depth` is the register of the exception."""


def _parse_exception_table(code):
    return [_ExceptionTableEntry(*row, False) for row in _opcode.get_handlers(code)]


def _deoptop(op):
    """The instruction that was there before another took its place."""
    return deoptmap.get(op, op)


def _get_cache_size(opname):
    return sum(_cache_format.get(opname, {}).values())


def get_executor(*, code, offset):
    """What runs in place of the code: see skein.jit for the traces."""
    raise RuntimeError("Executors are not available in this build")


def _try_compile(source, name):
    """The code of an expression, or else of statements."""
    try:
        return compile(source, name, "eval")
    except SyntaxError:
        return compile(source, name, "exec")


def dis(x=None, *, file=None, depth=None, show_caches=False, adaptive=False, show_offsets=False, show_positions=False):
    """Disassembles a class, method, function, generator or code, or source text; without an argument the last traceback."""
    options = {"file": file, "show_offsets": show_offsets, "show_positions": show_positions}
    if x is None:
        distb(**options)
        return
    if hasattr(x, "__func__"):
        x = x.__func__
    for attribute in ("__code__", "gi_code", "ag_code", "cr_code"):
        if hasattr(x, attribute):
            x = getattr(x, attribute)
            break
    if hasattr(x, "__dict__"):
        for name, member in sorted(x.__dict__.items()):
            if isinstance(member, _have_code):
                print(f"Disassembly of {name}:", file=file)
                try:
                    dis(member, depth=depth, **options)
                except TypeError as error:
                    print("Sorry:", error, file=file)
                print(file=file)
    elif hasattr(x, "co_code"):
        _disassemble_recursive(x, depth, **options)
    elif isinstance(x, (bytes, bytearray)):
        raise TypeError("instructions need their code object: raw bytes cannot be disassembled")
    elif isinstance(x, str):
        _disassemble_recursive(_try_compile(x, "<dis>"), depth, **options)
    else:
        raise TypeError(f"don't know how to disassemble {type(x).__name__} objects")


def distb(tb=None, *, file=None, show_caches=False, adaptive=False, show_offsets=False, show_positions=False):
    """Disassembles the function at the end of a traceback, by default the last one."""
    if tb is None:
        try:
            if hasattr(sys, "last_exc"):
                tb = sys.last_exc.__traceback__
            else:
                tb = sys.last_traceback
        except AttributeError:
            raise RuntimeError("no last traceback to disassemble") from None
        while tb.tb_next:
            tb = tb.tb_next
    disassemble(
        tb.tb_frame.f_code, tb.tb_lasti, file=file, show_offsets=show_offsets, show_positions=show_positions
    )


def pretty_flags(flags):
    """The flags of a code, by name."""
    names = [name for bit, name in COMPILER_FLAG_NAMES.items() if flags & bit]
    rest = flags & ~sum(COMPILER_FLAG_NAMES)
    if rest or not names:
        names.append(hex(rest))
    return ", ".join(names)


class _Unknown:
    def __repr__(self):
        return "<unknown>"


UNKNOWN = _Unknown()


def _get_code_object(x):
    """The code of whatever has one, or of source text."""
    x = getattr(x, "__func__", x)
    for attribute in ("__code__", "gi_code", "ag_code", "cr_code"):
        if hasattr(x, attribute):
            x = getattr(x, attribute)
            break
    if isinstance(x, str):
        x = _try_compile(x, "<disassembly>")
    if hasattr(x, "co_code"):
        return x
    raise TypeError(f"don't know how to disassemble {type(x).__name__} objects")


def code_info(x):
    """What is to be said of a code, as lines of text."""
    return _format_code_info(_get_code_object(x))


def _format_code_info(co):
    lines = [
        f"Name:              {co.co_name}",
        f"Filename:          {co.co_filename}",
        f"Argument count:    {co.co_argcount}",
        f"Positional-only arguments: {co.co_posonlyargcount}",
        f"Kw-only arguments: {co.co_kwonlyargcount}",
        f"Number of locals:  {co.co_nlocals}",
        f"Stack size:        {co.co_stacksize}",
        f"Flags:             {pretty_flags(co.co_flags)}",
    ]
    for title, row, show in (
        ("Constants:", co.co_consts, repr),
        ("Names:", co.co_names, str),
        ("Variable names:", co.co_varnames, str),
        ("Free variables:", co.co_freevars, str),
        ("Cell variables:", co.co_cellvars, str),
    ):
        if row:
            lines.append(title)
            lines += [f"{number:4d}: {show(item)}" for number, item in enumerate(row)]
    return "\n".join(lines)


def show_code(co, *, file=None):
    """Prints what `code_info` says."""
    print(code_info(co), file=file)


Positions = collections.namedtuple(
    "Positions", ["lineno", "end_lineno", "col_offset", "end_col_offset"], defaults=[None] * 4
)

_Instruction = collections.namedtuple(
    "_Instruction",
    ["opname", "opcode", "arg", "argval", "argrepr", "offset", "start_offset", "starts_line", "line_number", "label",
     "positions", "cache_info"],
    defaults=[None, None, None],
)

for _field, _text in (
    ("opname", "Name of the operation"),
    ("opcode", "Number of the operation"),
    ("arg", "The operands as a number, or None"),
    ("argval", "The name, constant or offset that the instruction is about, or the same as arg"),
    ("argrepr", "The operands as text"),
    ("offset", "Where the instruction begins, in bytes"),
    ("start_offset", "The same: no instruction has a prefix"),
    ("starts_line", "True if a line of source begins here"),
    ("line_number", "The line of source, or None"),
    ("label", "Number of the label that jumps to here name, or None"),
    ("positions", "Where in the source the instruction comes from"),
    ("cache_info", "None: caches are beside the code"),
):
    getattr(_Instruction, _field).__doc__ = _text


class Instruction(_Instruction):
    """An instruction of the machine."""

    @classmethod
    def make(cls, opname, arg, argval, argrepr, offset, start_offset, starts_line, line_number, label=None,
             positions=None, cache_info=None):
        """An instruction by its name; what this machine does not have has the number -1."""
        return cls(
            opname, opmap.get(opname, -1), arg, argval, argrepr, offset, start_offset, starts_line, line_number, label,
            positions, cache_info,
        )

    @property
    def oparg(self):
        return self.arg

    @property
    def baseopcode(self):
        return self.opcode

    @property
    def baseopname(self):
        return self.opname

    @property
    def cache_offset(self):
        return self.end_offset

    @property
    def end_offset(self):
        """Where the next instruction begins."""
        return self.offset + _opcode.get_length(self.opcode)

    @property
    def jump_target(self):
        """The offset that the instruction jumps to, or None."""
        return self.argval if self.opcode in hasjump else None

    @property
    def is_jump_target(self):
        return self.label is not None

    def __str__(self):
        output = io.StringIO()
        Formatter(file=output).print_instruction(self)
        return output.getvalue()


class Formatter:
    """Prints instructions as lines."""

    def __init__(self, file=None, lineno_width=0, offset_width=0, label_width=0, line_offset=0, show_caches=False, *,
                 show_positions=False):
        self.file = file
        self.lineno_width = lineno_width
        self.offset_width = offset_width
        self.label_width = label_width
        self.show_positions = show_positions

    def print_instruction(self, instr, mark_as_current=False):
        self.print_instruction_line(instr, mark_as_current)

    def print_instruction_line(self, instr, mark_as_current):
        if instr.starts_line and instr.offset > 0 and self.lineno_width:
            print(file=self.file)
        fields = []
        if self.show_positions:
            fields.append(_positions_text(instr.positions).ljust(self.lineno_width))
        elif self.lineno_width:
            line = ""
            if instr.starts_line:
                line = "--" if instr.line_number is None else str(instr.line_number)
            fields.append(line.rjust(self.lineno_width))
        label = "" if instr.label is None else f"L{instr.label}:"
        fields.append(label.rjust(self.label_width))
        fields.append("-->" if mark_as_current else "   ")
        if self.offset_width:
            fields.append(str(instr.offset).rjust(self.offset_width))
        fields.append(instr.opname.ljust(_OPNAME_WIDTH))
        if instr.argrepr:
            fields.append(instr.argrepr)
        print(" ".join(fields).rstrip(), file=self.file)

    def print_exception_table(self, exception_entries):
        if not exception_entries:
            return
        print("ExceptionTable:", file=self.file)
        for entry in exception_entries:
            print(
                f"  L{entry.start_label} to L{entry.end_label} -> L{entry.target_label}, r{entry.register}",
                file=self.file,
            )


_Handler = collections.namedtuple(
    "_Handler", ["start", "end", "target", "register", "start_label", "end_label", "target_label"]
)


def _positions_text(positions):
    if positions is None or positions.lineno is None:
        return _NO_LINENO
    shown = ["?" if n is None else str(n) for n in positions]
    return f"{shown[0]}:{shown[2]}-{shown[1]}:{shown[3]}"


def _labels(co):
    """The number of each place that something jumps to, or where the range of a handler begins or ends."""
    places = set(findlabels(co))
    for start, end, target, _ in _opcode.get_handlers(co):
        places |= {start, end, target}
    return {place: number for number, place in enumerate(sorted(places), 1)}


def _handlers(co):
    labels = _labels(co)
    return [
        _Handler(start, end, target, register, labels[start], labels[end], labels[target])
        for start, end, target, register in _opcode.get_handlers(co)
    ]


def get_instructions(x, *, first_line=None, show_caches=None, adaptive=False):
    """The instructions of a method, function, generator, code or source text, one after the other.

    `first_line` replaces the line that the code begins at. There are no caches in the code to be shown, and what takes the
    place of instructions while they run is not told.
    """
    co = _get_code_object(x)
    return _instructions(co, 0 if first_line is None else first_line - co.co_firstlineno)


def _instructions(co, line_offset):
    labels = _labels(co)
    all_positions = [Positions(*row) for row in co.co_positions()]
    last_line = False
    for offset, opcode, arg, argval, argrepr, target, _ in _opcode.get_instructions(co):
        positions = all_positions[offset // 2]
        if line_offset and positions.lineno is not None:
            positions = positions._replace(
                lineno=positions.lineno + line_offset, end_lineno=positions.end_lineno + line_offset
            )
        line = positions.lineno
        if target is not None:
            argval = target
            argrepr = ", ".join(filter(None, [argrepr, f"to L{labels[target]}"]))
        yield Instruction(
            opname[opcode], opcode, arg, argval, argrepr, offset, offset, line != last_line, line,
            labels.get(offset), positions, None,
        )
        last_line = line


def disassemble(co, lasti=-1, *, file=None, show_caches=False, adaptive=False, show_offsets=False, show_positions=False):
    """Disassembles a code; the instruction at `lasti` is marked."""
    print(_text(co, lasti, 0, show_offsets, show_positions), end="", file=file)


def _text(co, lasti, line_offset, show_offsets, show_positions):
    output = io.StringIO()
    rows = list(_instructions(co, line_offset))
    lines = [row.line_number for row in rows if row.line_number is not None]
    if show_positions:
        width = max((len(_positions_text(row.positions)) for row in rows), default=0)
    else:
        width = max(3, len(str(max(lines)))) if lines else 3
    formatter = Formatter(
        file=output,
        lineno_width=width,
        offset_width=len(str(rows[-1].offset)) if show_offsets and rows else 0,
        label_width=4 + len(str(len(_labels(co)))) - 1,
        show_positions=show_positions,
    )
    for row in rows:
        formatter.print_instruction(row, row.offset <= lasti < row.end_offset)
    formatter.print_exception_table(_handlers(co))
    return output.getvalue()


def _disassemble_recursive(co, depth, *, file, show_offsets, show_positions):
    disassemble(co, file=file, show_offsets=show_offsets, show_positions=show_positions)
    if depth is None or depth > 0:
        for constant in co.co_consts:
            if hasattr(constant, "co_code"):
                print(file=file)
                print(f"Disassembly of {constant!r}:", file=file)
                _disassemble_recursive(
                    constant, None if depth is None else depth - 1,
                    file=file, show_offsets=show_offsets, show_positions=show_positions,
                )


disco = disassemble


def findlabels(code):
    """The offsets that instructions of a code jump to."""
    found = []
    for row in _opcode.get_instructions(code):
        target = row[5]
        if target is not None and target not in found:
            found.append(target)
    return found


def findlinestarts(code):
    """(offset, line) for each place where another line of source begins; a function's own is told of at its beginning."""
    last = False
    for start, _, line in code.co_lines():
        if line is not last:
            last = line
            yield max(start, 0), line


def _find_imports(co):
    """(module, level, names or None) for each import that a code does, as it stands there."""
    held = {}
    for _, opcode, _, argval, _, _, (a, b, _) in _opcode.get_instructions(co):
        name = opname[opcode]
        if name in ("LOAD_CONST", "LOAD_INT", "LOAD_SPECIAL"):
            held[a] = argval
        elif name == "IMPORT_NAME":
            yield argval, held.get(b + 1), held.get(b)


def _find_store_names(co):
    """The names that a code binds in its module or class."""
    for row in get_instructions(co):
        if row.opname in ("STORE_NAME", "STORE_GLOBAL"):
            yield row.argval


class Bytecode:
    """The instructions of a method, function, generator, code or source text; iterating over it gives each."""

    def __init__(self, x, *, first_line=None, current_offset=None, show_caches=False, adaptive=False,
                 show_offsets=False, show_positions=False):
        self.codeobj = co = _get_code_object(x)
        if first_line is None:
            self.first_line = co.co_firstlineno
            self._line_offset = 0
        else:
            self.first_line = first_line
            self._line_offset = first_line - co.co_firstlineno
        self._original_object = x
        self.current_offset = current_offset
        self.exception_entries = _handlers(co)
        self.show_caches = show_caches
        self.adaptive = adaptive
        self.show_offsets = show_offsets
        self.show_positions = show_positions

    def __iter__(self):
        return _instructions(self.codeobj, self._line_offset)

    def __repr__(self):
        return f"{type(self).__name__}({self._original_object!r})"

    @classmethod
    def from_traceback(cls, tb, *, show_caches=False, adaptive=False):
        """The code at the end of a traceback, with the instruction that raised marked."""
        while tb.tb_next:
            tb = tb.tb_next
        return cls(tb.tb_frame.f_code, current_offset=tb.tb_lasti, show_caches=show_caches, adaptive=adaptive)

    def info(self):
        """What is to be said of the code, as lines of text."""
        return _format_code_info(self.codeobj)

    def dis(self):
        """The instructions as lines of text."""
        offset = -1 if self.current_offset is None else self.current_offset
        return _text(self.codeobj, offset, self._line_offset, self.show_offsets, self.show_positions)


def main(args=None):
    import argparse

    parser = argparse.ArgumentParser(color=True)
    parser.add_argument("-C", "--show-caches", action="store_true", help="accepted: there are no caches in the code")
    parser.add_argument("-O", "--show-offsets", action="store_true", help="show where instructions begin")
    parser.add_argument("-P", "--show-positions", action="store_true", help="show positions in the source")
    parser.add_argument("-S", "--specialized", action="store_true", help="accepted: what ran before is shown as it was made")
    parser.add_argument("infile", nargs="?", default="-")
    args = parser.parse_args(args=args)
    if args.infile == "-":
        name = "<stdin>"
        source = sys.stdin.buffer.read()
    else:
        name = args.infile
        with open(args.infile, "rb") as infile:
            source = infile.read()
    code = compile(source, name, "exec")
    dis(code, show_offsets=args.show_offsets, show_positions=args.show_positions)


if __name__ == "__main__":
    main()
