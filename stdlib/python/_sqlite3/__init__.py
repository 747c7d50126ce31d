"""SQLite as PEP 249 has it, for the module sqlite3. What touches SQLite itself is in _sqlite."""

import _sqlite
from _sqlite import complete_statement, enable_callback_tracebacks, sqlite_version, threadsafety

from ._blobs import Blob
from ._connections import Connection, connect
from ._constants import LEGACY_TRANSACTION_CONTROL, PARSE_COLNAMES, PARSE_DECLTYPES
from ._cursors import Cursor, Row
from ._errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
    _error,
)
from ._statements import PrepareProtocol, adapt, adapters, converters, register_adapter, register_converter

globals().update(_sqlite.constants)
