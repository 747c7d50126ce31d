"""The exceptions, and which of them stands for what SQLite says."""

import _sqlite


class Warning(Exception):
    __module__ = "sqlite3"


class Error(Exception):
    __module__ = "sqlite3"


class InterfaceError(Error):
    __module__ = "sqlite3"


class DatabaseError(Error):
    __module__ = "sqlite3"


class InternalError(DatabaseError):
    __module__ = "sqlite3"


class OperationalError(DatabaseError):
    __module__ = "sqlite3"


class ProgrammingError(DatabaseError):
    __module__ = "sqlite3"


class IntegrityError(DatabaseError):
    __module__ = "sqlite3"


class DataError(DatabaseError):
    __module__ = "sqlite3"


class NotSupportedError(DatabaseError):
    __module__ = "sqlite3"


_CLASSES = {
    2: InternalError, 12: InternalError,
    1: OperationalError, 3: OperationalError, 4: OperationalError, 5: OperationalError, 6: OperationalError,
    8: OperationalError, 9: OperationalError, 10: OperationalError, 13: OperationalError, 14: OperationalError,
    15: OperationalError, 16: OperationalError, 17: OperationalError,
    18: DataError, 19: IntegrityError, 20: IntegrityError, 21: InterfaceError, 25: InterfaceError,
}
_CODE_NAMES = {
    code: name
    for name, code in _sqlite.constants.items()
    if code > 255 and not name.startswith("SQLITE_DBCONFIG")
}
# The plain codes, whose numbers other constants have too.
_CODE_NAMES.update({code: name for code, name in enumerate(
    "OK ERROR INTERNAL PERM ABORT BUSY LOCKED NOMEM READONLY INTERRUPT IOERR CORRUPT NOTFOUND FULL CANTOPEN PROTOCOL "
    "EMPTY SCHEMA TOOBIG CONSTRAINT MISMATCH MISUSE NOLFS AUTH FORMAT RANGE NOTADB NOTICE WARNING".split())})
_CODE_NAMES = {code: name if name.startswith("SQLITE_") else "SQLITE_" + name for code, name in _CODE_NAMES.items()}


def _error(code, message):
    """The exception for what SQLite says."""
    if code & 0xFF == 7:
        return MemoryError()
    if code == 21 and "microthread" in message:
        return ProgrammingError(message)
    e = _CLASSES.get(code & 0xFF, DatabaseError)(message)
    e.sqlite_errorcode = code
    e.sqlite_errorname = _CODE_NAMES.get(code, "unknown")
    return e
