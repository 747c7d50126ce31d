"""Connections."""

import threading as _threading
import weakref

import _sqlite
import _warnings

from ._blobs import Blob
from ._constants import LEGACY_TRANSACTION_CONTROL, PARSE_COLNAMES, PARSE_DECLTYPES
from ._cursors import Cursor
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
)
from ._statements import _nothing, _skip_blank, _Statement

_OPEN_READWRITE_CREATE_URI = 0x2 | 0x4 | 0x40
_OPEN_READWRITE_CREATE = 0x2 | 0x4


def _listed(names):
    names = [f"'{name}'" for name in names]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _warn_of_positional(function, given):
    """Tells who passes more than the database by its place."""
    if given > 1:
        import warnings
        names = _listed(["timeout", "detect_types", "isolation_level", "check_same_thread", "factory",
                         "cached_statements", "uri"])
        warnings.warn(
            f"Passing more than 1 positional argument to {function}() is deprecated. Parameters {names} will become "
            "keyword-only parameters in Python 3.15.", DeprecationWarning, stacklevel=3)


def _keywords_deprecated(*names):
    """For methods whose parameters will be known by their places only."""
    def decorate(function):
        def method(self, *args, **kwargs):
            if kwargs and not names_set.isdisjoint(kwargs):
                import warnings
                plural = "s" if len(names) > 1 else ""
                warnings.warn(
                    f"Passing keyword argument{plural} {_listed(names)} to _sqlite3.Connection.{function.__name__}() is "
                    f"deprecated. Parameter{plural} {_listed(names)} will become positional-only in Python 3.15.",
                    DeprecationWarning, stacklevel=2)
            return function(self, *args, **kwargs)
        names_set = frozenset(names)
        method.__name__, method.__qualname__ = function.__name__, function.__qualname__
        method.__doc__, method.__wrapped__ = function.__doc__, function
        return method
    return decorate


def connect(*args, **kwargs):
    """Open a connection to the SQLite database file 'database'."""
    factory = args[5] if len(args) > 5 else kwargs.get("factory", Connection)
    if factory is Connection:
        _warn_of_positional("sqlite3.connect", len(args))
        connection = object.__new__(Connection)
        connection._open(*args, **kwargs)
        return connection
    return factory(*args, **kwargs)


def _isolation_level(level):
    if level is None:
        return None
    if not isinstance(level, str):
        raise TypeError("isolation_level must be str or None")
    if "\0" in level:
        raise ValueError("embedded null character")
    for known in ("", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"):
        if str.upper(level) == known:
            return known
    raise ValueError("isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'")


def _autocommit(value):
    if value is True or value is False:
        return value
    if isinstance(value, int) and value == LEGACY_TRANSACTION_CONTROL:
        return LEGACY_TRANSACTION_CONTROL
    raise ValueError("autocommit must be True, False, or sqlite3.LEGACY_TRANSACTION_CONTROL")


class Connection:
    """SQLite database connection object."""

    __module__ = "sqlite3"
    _database = None
    _ready = False
    row_factory, text_factory = None, str
    Warning, Error, InterfaceError, DatabaseError = Warning, Error, InterfaceError, DatabaseError
    DataError, OperationalError, IntegrityError = DataError, OperationalError, IntegrityError
    InternalError, ProgrammingError, NotSupportedError = InternalError, ProgrammingError, NotSupportedError

    def __init__(self, *args, **kwargs):
        _warn_of_positional("_sqlite3.Connection", len(args))
        self._open(*args, **kwargs)

    def _open(self, database, timeout=5.0, detect_types=0, isolation_level="", check_same_thread=True,
              factory=None, cached_statements=128, uri=False, *, autocommit=LEGACY_TRANSACTION_CONTROL):
        import sys
        if self._ready:
            self._ready = False
            self._database.close()
        self._database = None
        sys.audit("sqlite3.connect", database)
        self._isolation_level = _isolation_level(isolation_level)
        self._autocommit = _autocommit(autocommit)
        self._decltypes, self._colnames = detect_types & PARSE_DECLTYPES, detect_types & PARSE_COLNAMES
        self._thread = _threading.get_ident() if check_same_thread else None
        self._statements, self._cached = {}, cached_statements
        self._cursors_and_blobs = []
        self._prepared = weakref.WeakSet()
        self.row_factory, self.text_factory = None, str
        flags = _OPEN_READWRITE_CREATE_URI if uri else _OPEN_READWRITE_CREATE
        self._database = _sqlite.Database(database, flags, timeout)
        self._ready = True
        if self._autocommit is False:
            self._run("BEGIN")
        sys.audit("sqlite3.connect/handle", self)

    # When the program ends nothing can be imported, and names of modules are gone.
    def __del__(self, _warn=_warnings.warn, ResourceWarning=ResourceWarning):
        if self._ready and self._database.is_open:
            _warn(f"unclosed database in {self!r}", ResourceWarning, source=self, stacklevel=1)
            self._database.close()

    def _check(self):
        self._check_thread()
        if not self._ready:
            raise ProgrammingError("Base Connection.__init__ not called.")
        if not self._database.is_open:
            raise ProgrammingError("Cannot operate on a closed database.")

    def _check_thread(self):
        thread = self.__dict__.get("_thread")
        if thread is not None and thread != _threading.get_ident():
            raise ProgrammingError(
                "SQLite objects created in a thread can only be used in that same thread. The object was created in "
                f"thread id {thread} and this is thread id {_threading.get_ident()}.")

    def _run(self, sql):
        """Executes a statement without parameters and result. Where those of cursors that nobody has any more are in the
        way of a transaction's end, they are collected."""
        statement, _ = self._database.prepare(sql)
        try:
            try:
                statement.step()
                return
            except OperationalError as e:
                if "SQL statements in progress" not in str(e):
                    raise
            import gc
            statement.reset()
            gc.collect()
            statement.step()
        finally:
            statement.finalize()

    def _prepare(self, sql):
        if not isinstance(sql, str):
            raise TypeError(f"execute() argument 1 must be str, not {type(sql).__name__}")
        if len(sql) > self._database.limit(1, -1):
            raise DataError("query string is too large")
        if "\0" in sql:
            raise ProgrammingError("the query contains a null character")
        raw, rest = self._database.prepare(sql)
        if _skip_blank(rest) < len(rest):
            raise ProgrammingError("You can only execute one statement at a time.")
        if raw is None:
            return None
        statement = _Statement.of(raw, sql, self._database)
        self._prepared.add(statement)
        return statement

    def _statement(self, sql):
        """A statement that nobody executes, or a new one."""
        found = self._statements.pop(sql, None) if type(sql) is str else None
        return self._prepare(sql) if found is None else found

    def _give_back(self, statement):
        """Keeps a statement that was executed for the next time. One that somebody has let go of before its end is not
        kept, so that it ends when it is collected."""
        if self._cached > 0 and statement.database is self._database and self._database.is_open:
            self._statements[statement.sql] = statement
            while len(self._statements) > self._cached:
                self._statements.pop(next(iter(self._statements))).raw.finalize()

    def __call__(self, *args):
        self._check()
        sql, = args
        return self._prepare(sql)

    def __delattr__(self, name):
        if name in ("row_factory", "text_factory", "autocommit"):
            raise AttributeError(f"cannot delete {name} attribute")
        object.__delattr__(self, name)

    def __enter__(self):
        self._check()
        return self

    def __exit__(self, type, value, traceback, /):
        commit = type is None and value is None and traceback is None
        if commit:
            try:
                self.commit()
            except BaseException:
                if not self._database.autocommit and self._autocommit is LEGACY_TRANSACTION_CONTROL:
                    self._run("ROLLBACK")
                elif self._autocommit is False:
                    self.rollback()
                raise
        else:
            self.rollback()
        return False

    def cursor(self, factory=_nothing):
        """Return a cursor for the connection."""
        self._check()
        cursor = (Cursor if factory is _nothing else factory)(self)
        if not issubclass(type(cursor), Cursor):
            raise TypeError(f"factory must return a cursor, not {type(cursor).__name__}")
        if self.row_factory is not None:
            cursor.row_factory = self.row_factory
        return cursor

    def close(self):
        """Close the database connection.

Any pending transaction is not committed implicitly."""
        self._check_thread()
        if not self._ready:
            raise ProgrammingError("Base Connection.__init__ not called.")
        if not self._database.is_open:
            return
        for reference in self._cursors_and_blobs:
            blob = reference()
            if blob is not None:
                blob.close()
        if self._autocommit is False and not self._database.autocommit:
            self._run("ROLLBACK")
        # The connection would wait for them, and the database for the connection, until they are collected.
        self._statements.clear()
        for statement in self._prepared:
            statement.raw.finalize()
        self._database.close()

    def commit(self):
        """Commit any pending transaction to the database.

If there is no open transaction, this method is a no-op."""
        self._check()
        if self._autocommit is LEGACY_TRANSACTION_CONTROL:
            if not self._database.autocommit:
                self._run("COMMIT")
        elif self._autocommit is False:
            self._run("COMMIT")
            self._run("BEGIN")

    def rollback(self):
        """Roll back to the start of any pending transaction.

If there is no open transaction, this method is a no-op."""
        self._check()
        if self._autocommit is LEGACY_TRANSACTION_CONTROL:
            if not self._database.autocommit:
                self._run("ROLLBACK")
        elif self._autocommit is False:
            self._run("ROLLBACK")
            self._run("BEGIN")

    def execute(self, sql, parameters=(), /):
        """Executes an SQL statement."""
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql, parameters, /):
        """Repeatedly executes an SQL statement."""
        return self.cursor().executemany(sql, parameters)

    def executescript(self, sql_script, /):
        """Executes multiple SQL statements at once."""
        return self.cursor().executescript(sql_script)

    @property
    def isolation_level(self):
        self._check()
        return self._isolation_level

    @isolation_level.setter
    def isolation_level(self, level):
        if level is None:
            self._isolation_level = None
            self.commit()
        else:
            self._isolation_level = _isolation_level(level)

    @isolation_level.deleter
    def isolation_level(self):
        raise AttributeError("cannot delete attribute")

    @property
    def autocommit(self):
        self._check()
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value):
        self._check()
        value = _autocommit(value)
        if value is False:
            if self._database.autocommit:
                self._run("BEGIN")
        elif value is True and not self._database.autocommit:
            self._run("COMMIT")
        self._autocommit = value

    @property
    def total_changes(self):
        self._check()
        return self._database.total_changes

    @property
    def in_transaction(self):
        self._check()
        return not self._database.autocommit

    @_keywords_deprecated("name", "narg", "func")
    def create_function(self, name, narg, func, *, deterministic=False):
        """Creates a new function."""
        self._check()
        self._check_arity("narg", narg)
        self._made("Error creating function", self._database.create_function, name, narg, bool(deterministic), func)

    @_keywords_deprecated("name", "n_arg", "aggregate_class")
    def create_aggregate(self, name, n_arg, aggregate_class):
        """Creates a new aggregate."""
        self._check()
        self._check_arity("n_arg", n_arg)
        self._made("Error creating aggregate", self._database.create_aggregate, name, n_arg, False, aggregate_class)

    def create_window_function(self, name, num_params, aggregate_class, /):
        """Creates or redefines an aggregate window function. Experimental."""
        self._check()
        self._check_arity("num_params", num_params)
        try:
            self._database.create_aggregate(name, num_params, True, aggregate_class)
        except InterfaceError:
            raise ProgrammingError("Error creating window function") from None

    def _check_arity(self, name, n):
        limit = self._database.limit(6, -1)
        if not -1 <= n <= limit:
            raise ProgrammingError(f"'{name}' must be between -1 and {limit}, not {n}")

    def _made(self, message, make, *arguments):
        try:
            make(*arguments)
        except Error:
            raise OperationalError(message) from None

    def create_collation(self, name, callback, /):
        """Creates a collation function."""
        self._check()
        if callback is not None and not callable(callback):
            raise TypeError("parameter must be callable")
        self._database.create_collation(name, callback)

    @_keywords_deprecated("authorizer_callback")
    def set_authorizer(self, authorizer_callback):
        """Set authorizer callback."""
        self._check()
        self._database.set_authorizer(authorizer_callback)

    @_keywords_deprecated("progress_handler")
    def set_progress_handler(self, progress_handler, n):
        """Set progress handler callback."""
        self._check()
        self._database.set_progress(n, progress_handler)

    @_keywords_deprecated("trace_callback")
    def set_trace_callback(self, trace_callback):
        """Set a trace callback called for each SQL statement (passed as unicode)."""
        self._check()
        self._database.set_trace(trace_callback)

    def interrupt(self):
        """Abort any pending database operation."""
        if not self._ready:
            raise ProgrammingError("Base Connection.__init__ not called.")
        if not self._database.is_open:
            raise ProgrammingError("Cannot operate on a closed database.")
        self._database.interrupt()

    def iterdump(self, *, filter=None):
        """Returns iterator to the dump of the database in an SQL text format."""
        self._check()
        from sqlite3.dump import _iterdump
        return _iterdump(self, filter=filter)

    def backup(self, target, *, pages=-1, progress=None, name="main", sleep=0.25):
        """Makes a backup of the database."""
        self._check()
        if not isinstance(target, Connection):
            raise TypeError(f"backup() argument 1 must be sqlite3.Connection, not {type(target).__name__}")
        target._check()
        if target is self:
            raise ValueError("target cannot be the same connection instance")
        if not target._database.autocommit:
            raise OperationalError("target is in transaction")
        if progress is not None and not callable(progress):
            raise TypeError("progress argument must be a callable")
        self._database.backup(target._database, name, pages or -1, progress, float(sleep))

    def enable_load_extension(self, enable, /):
        """Enable dynamic loading of SQLite extension modules."""
        import sys
        self._check()
        sys.audit("sqlite3.enable_load_extension", self, enable)
        self._made("Error enabling load extension", self._database.enable_load_extension, bool(enable))

    def load_extension(self, name, /, *, entrypoint=None):
        """Load SQLite extension module."""
        import sys
        self._check()
        sys.audit("sqlite3.load_extension", self, name)
        try:
            self._database.load_extension(name, *() if entrypoint is None else (entrypoint,))
        except Error as e:
            raise OperationalError(str(e)) from None

    def serialize(self, *, name="main"):
        """Serialize a database into a byte string."""
        self._check()
        content = self._database.serialize(name)
        if content is None:
            raise OperationalError(f"unable to serialize '{name}'")
        return content

    def deserialize(self, data, /, *, name="main"):
        """Load a serialized database."""
        self._check()
        self._database.deserialize(name, data.encode() if isinstance(data, str) else data)

    def setlimit(self, category, limit, /):
        """Set connection run-time limits."""
        self._check()
        old = self._database.limit(category, limit)
        if old < 0:
            raise ProgrammingError("'category' is out of bounds")
        return old

    def getlimit(self, category, /):
        """Get connection run-time limits."""
        return self.setlimit(category, -1)

    def setconfig(self, op, enable=True, /):
        """Set a boolean connection configuration option."""
        self._check()
        if _configuration(op) and self._database.config(op, bool(enable)) != bool(enable):
            raise OperationalError("Unable to set config")

    def getconfig(self, op, /):
        """Query a boolean connection configuration option."""
        self._check()
        return _configuration(op) and self._database.config(op, None)

    def blobopen(self, table, column, rowid, /, *, readonly=False, name="main"):
        """Open and return a BLOB object."""
        self._check()
        if not -2**63 <= rowid < 2**63:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        raw = self._database.open_blob(name, table, column, rowid, not readonly)
        blob = object.__new__(Blob)
        blob._connection, blob._raw, blob._offset = self, raw, 0
        self._cursors_and_blobs = [r for r in self._cursors_and_blobs if r() is not None]
        self._cursors_and_blobs.append(weakref.ref(blob))
        return blob


_CONFIGURATIONS = {v for k, v in _sqlite.constants.items() if k.startswith("SQLITE_DBCONFIG")}


def _configuration(op):
    if op not in _CONFIGURATIONS:
        raise ValueError("unknown config 'op': %d" % op)
    return True
