"""The numbers and kinds of Skein's instructions, under the names that CPython's module `opcode` has.

The table with what each does is docs/opcodes.md.
"""

import _opcode
import builtins
from _opcode import stack_effect
from _opcode_metadata import HAVE_ARGUMENT, MIN_INSTRUMENTED_OPCODE, _specialized_opmap, _specializations, opmap

__all__ = [
    "cmp_op", "stack_effect", "hascompare", "opname", "opmap", "HAVE_ARGUMENT", "EXTENDED_ARG", "hasarg", "hasconst",
    "hasname", "hasjump", "hasjrel", "hasjabs", "hasfree", "haslocal", "hasexc",
]

# No instruction is a prefix of another; the number is none.
EXTENDED_ARG = 255

opname = [f"<{op}>" for op in range(256)]
for _name, _op in (opmap | _specialized_opmap).items():
    opname[_op] = _name

cmp_op = ("<", "<=", "==", "!=", ">", ">=")

hasarg = [op for op in opmap.values() if _opcode.has_arg(op)]
hasconst = [op for op in opmap.values() if _opcode.has_const(op)]
hasname = [op for op in opmap.values() if _opcode.has_name(op)]
hasjump = [op for op in opmap.values() if _opcode.has_jump(op)]
hasjrel = hasjump
hasjabs = []
hasfree = [op for op in opmap.values() if _opcode.has_free(op)]
haslocal = [op for op in opmap.values() if _opcode.has_local(op)]
hasexc = []
hascompare = [op for name, op in opmap.items() if name.startswith("COMPARE_")]

_intrinsic_1_descs = _opcode.get_intrinsic1_descs()
_intrinsic_2_descs = _opcode.get_intrinsic2_descs()
_special_method_names = _opcode.get_special_method_names()
_common_constants = [
    builtins.AssertionError, builtins.NotImplementedError, builtins.__build_class__, builtins.tuple, builtins.all,
    builtins.any,
]
_nb_ops = _opcode.get_nb_ops()

# Caches are beside the code and not in it.
_cache_format = {}
_inline_cache_entries = {}
