"""Types as C writes them: `int(*)(struct foo *, char[10])`."""

import re

from . import _types

_TOKEN = re.compile(r"\s*(\.\.\.|[A-Za-z_$][A-Za-z0-9_$]*|0[xX][0-9a-fA-F]+|[0-9]+|[()\[\],*])")
_QUALIFIERS = frozenset(("const", "volatile", "restrict", "__restrict"))
_WORDS = frozenset(("unsigned", "signed", "short", "long", "int", "char", "float", "double", "_Bool", "void", "_Complex",
                    "__int128"))
_KEYWORDS = _WORDS | {"struct", "union", "enum"} | _QUALIFIERS
_COMMON = {"bool": "_Bool"}


class Parser:
    """Reads one type. `ffi` knows names; what is wrong is its `error`."""

    def __init__(self, ffi, text):
        self.ffi, self.text = ffi, text
        self.tokens, self.places = [], []
        at = 0
        stripped = text.rstrip()
        while at < len(stripped):
            match = _TOKEN.match(stripped, at)
            if match is None:
                while stripped[at].isspace():
                    at += 1
                self.fail("identifier expected" if not self.tokens else "invalid character", at)
            self.tokens.append(match[1])
            self.places.append(match.start(1))
            at = match.end()
        self.tokens.append(None)
        self.places.append(len(text))
        self.at = 0
        # Is what was read last a function, and no pointer to one?
        self.bare = False

    def fail(self, why, place=None):
        if place is None:
            place = self.places[self.at]
        if len(self.text) > 500:
            raise self.ffi.error(why)
        # White space is shown as such, and what cannot be shown is counted in bytes.
        shown, marked = "", None
        for i, c in enumerate(self.text):
            if i == place:
                marked = len(shown)
            shown += c if " " <= c <= "~" else " " if c in "\t\n\r\v\f" else "?" * len(c.encode())
        raise self.ffi.error(f"{why}\n{shown}\n{' ' * (len(shown) if marked is None else marked)}^")

    @property
    def token(self):
        return self.tokens[self.at]

    def take(self, wanted):
        if self.token != wanted:
            self.fail(f"expected '{wanted}'")
        self.at += 1

    def whole(self):
        made = self.declarator(self.specifier())
        if self.token is not None:
            self.fail("unexpected symbol")
        return made

    def qualifiers(self):
        while self.token in _QUALIFIERS:
            self.at += 1

    def specifier(self):
        """The type that stands before stars and brackets."""
        self.qualifiers()
        first = self.token
        if first in ("struct", "union", "enum"):
            self.at += 1
            name = self.token
            if not self.is_name(name):
                self.fail("struct or union name expected" if first != "enum" else "enum name expected")
            made = self.ffi._tagged(first, name)
            if made is None:
                self.fail("undefined enum name" if first == "enum" else "undefined struct/union name")
            self.at += 1
        elif first in _WORDS:
            made = self.words()
        elif self.is_name(first):
            made = self.ffi._typename(first)
            if made is None:
                made = self.primitive(_COMMON.get(first, first))
            if made is None:
                self.fail("undefined type name")
            self.at += 1
        else:
            self.fail("identifier expected")
        self.qualifiers()
        return made

    @staticmethod
    def is_name(token):
        return token is not None and (token[0].isalpha() or token[0] in "_$") and token not in _KEYWORDS

    @staticmethod
    def primitive(name):
        try:
            return _types.new_primitive_type(name)
        except KeyError:
            return None

    def words(self):
        words = []
        while self.token in _WORDS or self.token in _QUALIFIERS:
            if self.token in _WORDS:
                words.append(self.token)
            self.at += 1
        rest = sorted(words)
        sign = [w for w in rest if w in ("unsigned", "signed")]
        size = [w for w in rest if w in ("short", "long")]
        base = [w for w in rest if w not in ("unsigned", "signed", "short", "long")]
        if base == ["void"] and not sign and not size:
            return _types.new_void_type()
        if base in (["_Complex", "float"], ["_Complex", "double"]) and not sign and not size:
            return self.primitive(f"_cffi_{base[1]}_complex_t")
        made = None
        if len(sign) <= 1 and (base in ([], ["int"]) and size in ([], ["short"], ["long"], ["long", "long"])):
            made = " ".join(size) or "int"
            made = f"unsigned {made}" if sign == ["unsigned"] else made
        elif base == ["char"] and not size and len(sign) <= 1:
            made = " ".join((*sign, "char"))
        elif base == ["double"] and not sign and size in ([], ["long"]):
            made = " ".join((*size, "double"))
        elif base in (["float"], ["_Bool"]) and not sign and not size:
            made = base[0]
        if made is None:
            self.at -= 1
            self.fail("invalid combination of types")
        return self.primitive(made)

    def declarator(self, base):
        """What stars, brackets and parentheses make of a type."""
        while self.token == "*":
            self.at += 1
            base = _types.new_pointer_type(base)
            self.bare = False
            self.qualifiers()
        inner = None
        if self.token == "(" and self.tokens[self.at + 1] in ("*", "(", "["):
            # What is in it applies to all that stands behind it.
            self.at += 1
            inner, depth = self.at, 1
            while depth:
                if self.token is None:
                    self.fail("expected ')'")
                depth += (self.token == "(") - (self.token == ")")
                self.at += 1
        elif self.is_name(self.token):
            # The name of a parameter.
            self.at += 1
        base = self.suffix(base, inner is not None)
        if inner is not None:
            end, self.at = self.at, inner
            if base._kind == "function" and self.token == "*":
                # A function type is one of pointers.
                self.at += 1
                self.bare = False
                self.qualifiers()
            base = self.declarator(base)
            self.take(")")
            self.at = end
        return base

    def suffix(self, base, in_parentheses):
        if self.token == "(":
            self.at += 1
            return self.function(base)
        lengths = []
        while self.token == "[":
            self.at += 1
            if self.token == "]":
                lengths.append(None)
            else:
                lengths.append(self.number())
                self.at += 1
            self.take("]")
        for length in reversed(lengths):
            base = self.array(base, length)
        return base

    def array(self, item, length):
        self.bare = False
        try:
            return _types.new_array_type(_types.new_pointer_type(item), length)
        except OverflowError as e:
            self.fail(str(e))

    def number(self):
        text = self.token
        if text is not None and text[0].isdigit():
            return int(text, 16 if text[:2] in ("0x", "0X") else 8 if text[0] == "0" and len(text) > 1 else 10)
        if self.is_name(text):
            value = self.ffi._integer(text)
            if value is not None:
                return value
        self.fail("expected a positive integer constant")

    def function(self, result):
        args, ellipsis = [], False
        if self.token == "void" and self.tokens[self.at + 1] == ")":
            self.at += 1
        while self.token != ")":
            if self.token == "...":
                ellipsis = True
                self.at += 1
                break
            arg = self.declarator(self.specifier())
            args.append(arg._made if arg._kind == "array" else arg)
            if self.token != ",":
                break
            self.at += 1
        self.take(")")
        self.bare = True
        try:
            return _types.new_function_type(tuple(args), result, ellipsis)
        except TypeError as e:
            self.fail(str(e))
