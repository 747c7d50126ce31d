"""Statements, and how the values of their parameters are adapted."""

from ._errors import ProgrammingError


class PrepareProtocol:
    __module__ = "sqlite3"


adapters = {}
converters = {}
_nothing = object()


def adapt(obj, proto=PrepareProtocol, alt=_nothing, /):
    """Adapt given object to given protocol."""
    adapter = adapters.get((type(obj), proto))
    if adapter is not None:
        return adapter(obj)
    method = getattr(proto, "__adapt__", None)
    if method is not None:
        try:
            adapted = method(obj)
        except TypeError:
            pass
        else:
            if adapted is not None:
                return adapted
    method = getattr(obj, "__conform__", None)
    if method is not None:
        try:
            adapted = method(proto)
        except TypeError:
            pass
        else:
            if adapted is not None:
                return adapted
    if alt is not _nothing:
        return alt
    raise ProgrammingError("can't adapt")


def _adapt_parameter(value):
    return adapt(value, PrepareProtocol, value)


# Types whose values are not adapted, unless somebody has registered an adapter for one of them.
_PLAIN = (int, float, str, bytearray)
_all_adapted = False


def register_adapter(type, adapter, /):
    """Register a function to adapt Python objects to SQLite values."""
    global _all_adapted
    _all_adapted = _all_adapted or type in _PLAIN
    adapters[type, PrepareProtocol] = adapter


def register_converter(typename, converter, /):
    """Register a function to convert SQLite values to Python objects."""
    converters[typename.upper()] = converter


class _Statement:
    """A statement with what its text tells."""

    __slots__ = ("raw", "sql", "database", "is_dml", "names", "count", "__weakref__")

    def __new__(cls, *args):
        raise TypeError("cannot create '_sqlite3._Statement' instances")

    @classmethod
    def of(cls, raw, sql, database):
        self = object.__new__(cls)
        self.raw, self.sql, self.database = raw, sql, database
        self.is_dml = _first_word(sql) in ("INSERT", "UPDATE", "DELETE", "REPLACE")
        self.names, self.count = raw.parameter_names(), raw.parameter_count
        return self

    def bind(self, parameters):
        if isinstance(parameters, (tuple, list)) or not isinstance(parameters, dict) and _is_sequence(parameters):
            if len(parameters) != self.count:
                raise ProgrammingError(
                    "Incorrect number of bindings supplied. The current statement uses "
                    f"{self.count}, and there are {len(parameters)} supplied.")
            for i, name in enumerate(self.names, 1):
                if name is not None and name[0] != "?":
                    raise ProgrammingError(
                        f"Binding {i} ('{name}') is a named parameter, but you supplied a sequence which "
                        "requires nominal (qmark) placeholders.")
            if not isinstance(parameters, (tuple, list)):
                parameters = [parameters[i] for i in range(self.count)]
            parameters = self._bind_all(parameters, lambda i: i + 1)
            if len(parameters) != self.count:
                # An adapter has changed it meanwhile.
                raise IndexError("list index out of range")
        elif isinstance(parameters, dict) or _is_mapping(parameters):
            row = []
            for i, name in enumerate(self.names, 1):
                if name is None:
                    raise ProgrammingError(
                        f"Binding {i} has no name, but you supplied a dictionary (which has only names).")
                name = name[1:]
                try:
                    row.append(parameters[name])
                except LookupError:
                    raise ProgrammingError(f"You did not supply a value for binding parameter :{name}.") from None
            self._bind_all(row, lambda i: f"':{self.names[i][1:]}'")
        else:
            raise ProgrammingError("parameters are of unsupported type")

    def _bind_all(self, values, label):
        if _all_adapted:
            values = [_adapt_parameter(value) for value in values]
        wrong = self.raw.bind_all(values, _adapt_parameter)
        if wrong is not None:
            i, value = wrong
            raise ProgrammingError(
                f"Error binding parameter {label(i)}: type '{type(value).__name__}' is not supported")
        return values


def _is_sequence(value):
    return hasattr(type(value), "__getitem__") and hasattr(type(value), "__len__") and not _is_mapping(value)


def _is_mapping(value):
    return isinstance(value, dict) or hasattr(type(value), "__getitem__") and hasattr(value, "keys")


def _skip_blank(sql, i=0):
    """Where the first token begins, behind blanks and comments."""
    while i < len(sql):
        if sql[i] in " \t\r\n\f":
            i += 1
        elif sql.startswith("--", i):
            i = sql.find("\n", i)
            if i < 0:
                return len(sql)
        elif sql.startswith("/*", i):
            end = sql.find("*/", i + 2)
            if end < 0:
                return len(sql)
            i = end + 2
        else:
            break
    return i


def _first_word(sql):
    start = _skip_blank(sql)
    return sql[start:start + 7].upper().split(maxsplit=1)[0].rstrip("(;") if sql[start:start + 1].isalpha() else ""
