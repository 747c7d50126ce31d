"""Skein's instructions by name: those that the compiler makes, and those that take their place while a program runs."""

import _opcode

opmap = {}
_specialized_opmap = {}
for _name, _op, _made in _opcode.get_ops():
    (opmap if _made else _specialized_opmap)[_name] = _op

_specializations = {}
# Operands of any instruction are in its own bytes.
HAVE_ARGUMENT = -1
MIN_INSTRUMENTED_OPCODE = 256
