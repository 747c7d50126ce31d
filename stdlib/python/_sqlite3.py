"""SQLite as PEP 249 has it, for the module sqlite3. What touches SQLite itself is in _sqlite."""

import threading as _threading

import _sqlite
from _sqlite import complete_statement, enable_callback_tracebacks, sqlite_version, threadsafety

PARSE_DECLTYPES = 1
PARSE_COLNAMES = 2
LEGACY_TRANSACTION_CONTROL = -1
globals().update(_sqlite.constants)

_OPEN_READWRITE_CREATE_URI = 0x2 | 0x4 | 0x40
_OPEN_READWRITE_CREATE = 0x2 | 0x4


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


class _Statement:
    """A statement with what its text tells."""

    __slots__ = ("raw", "sql", "database", "is_dml", "names", "count")

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
            if _all_adapted:
                parameters = [_adapt_parameter(value) for value in parameters]
            wrong = self.raw.bind_all(parameters, _adapt_parameter)
            if wrong is not None:
                i, value = wrong
                raise ProgrammingError(
                    f"Error binding parameter {i + 1}: type '{type(value).__name__}' is not supported")
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
            if _all_adapted:
                row = [_adapt_parameter(value) for value in row]
            wrong = self.raw.bind_all(row, _adapt_parameter)
            if wrong is not None:
                i, value = wrong
                raise ProgrammingError(
                    f"Error binding parameter ':{self.names[i][1:]}': type '{type(value).__name__}' is not supported")
        else:
            raise ProgrammingError("parameters are of unsupported type")


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
        self.row_factory, self.text_factory = None, str
        flags = _OPEN_READWRITE_CREATE_URI if uri else _OPEN_READWRITE_CREATE
        self._database = _sqlite.Database(database, flags, timeout)
        self._ready = True
        if self._autocommit is False:
            self._run("BEGIN")
        sys.audit("sqlite3.connect/handle", self)

    def __del__(self):
        if self._ready and self._database.is_open:
            import warnings
            warnings.warn(f"unclosed database in {self!r}", ResourceWarning, source=self, stacklevel=1)
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
        """Executes a statement without parameters and result."""
        statement, _ = self._database.prepare(sql)
        try:
            statement.step()
        finally:
            statement.reset()

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
        return None if raw is None else _Statement.of(raw, sql, self._database)

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
                del self._statements[next(iter(self._statements))]

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
        self._statements.clear()
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
            self._database.load_extension(name, entrypoint)
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
        import weakref
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


def _column_name(name, colnames):
    """A column's name without the type that PARSE_COLNAMES takes from it."""
    if colnames:
        bracket = name.find("[")
        if bracket > 0 and name[bracket - 1] == " ":
            return name[:bracket - 1]
    return name


def _row_count(size):
    """A number of rows. TypeError, ValueError, OverflowError."""
    size = size.__index__() if hasattr(size, "__index__") else size
    if not isinstance(size, int):
        raise TypeError(f"'{type(size).__name__}' object cannot be interpreted as an integer")
    if size < 0:
        raise ValueError("value must be positive")
    if size >= 2**32:
        raise OverflowError("Python int too large to convert to C uint32_t")
    return size


class Cursor:
    """SQLite database cursor class."""

    __module__ = "sqlite3"
    _ready = False
    row_factory = None

    def __init__(self, connection, /):
        if self._ready and self._locked:
            raise ProgrammingError("Recursive use of cursors not allowed.")
        if not isinstance(connection, Connection):
            raise TypeError(f"Cursor() argument 1 must be sqlite3.Connection, not {type(connection).__name__}")
        if self._ready:
            self._end()
        self._connection = connection
        self._statement, self._row_is_there = None, False
        self._converters, self._description = None, None
        self._lastrowid, self._rowcount = None, -1
        self._closed, self._locked = False, False
        self._arraysize, self.row_factory = 1, None
        self._ready = True
        connection._check_thread()

    connection = property(lambda self: self._connection)
    description = property(lambda self: self._description)
    lastrowid = property(lambda self: self._lastrowid)
    rowcount = property(lambda self: self._rowcount)

    def _check(self):
        if not self._ready:
            raise ProgrammingError("Base Cursor.__init__ not called.")
        if self._closed:
            raise ProgrammingError("Cannot operate on a closed cursor.")
        if self._locked:
            raise ProgrammingError("Recursive use of cursors not allowed.")
        self._connection._check()

    def _end(self):
        """Ends the execution of the statement."""
        statement, self._statement, self._row_is_there = self._statement, None, False
        if statement is not None:
            statement.raw.reset()
            self._connection._give_back(statement)

    def _step(self):
        """Goes on to the next row; whether there is one."""
        self._row_is_there = self._statement.raw.step()
        return self._row_is_there

    def _first_step(self):
        """As _step. Where a table is locked by cursors of which nobody has any more, they are collected."""
        try:
            return self._step()
        except OperationalError as e:
            if e.sqlite_errorcode & 0xFF != 6:
                raise
        import gc
        self._statement.raw.reset()
        gc.collect()
        return self._step()

    @property
    def arraysize(self):
        return self._arraysize

    @arraysize.setter
    def arraysize(self, size):
        self._arraysize = _row_count(size)

    def __delattr__(self, name):
        if name in ("row_factory", "arraysize"):
            raise AttributeError(f"'sqlite3.Cursor' attribute '{name}' cannot be deleted")
        object.__delattr__(self, name)

    def execute(self, sql, parameters=(), /):
        """Executes an SQL statement."""
        return self._execute(sql, (parameters,), False)

    def executemany(self, sql, seq_of_parameters, /):
        """Repeatedly executes an SQL statement."""
        return self._execute(sql, seq_of_parameters, True)

    def _execute(self, sql, rows, many):
        self._check()
        self._locked = True
        try:
            self._end()
            connection = self._connection
            database = connection._database
            if many:
                rows = iter(rows)
            self._rowcount, self._description = -1, None
            self._statement = statement = connection._statement(sql)
            if statement is None:
                return self
            raw = statement.raw
            if many and raw.is_readonly and not statement.is_dml:
                self._statement = None
                raise ProgrammingError("executemany() can only execute DML statements.")
            if statement.is_dml:
                self._rowcount = 0
                if (connection._autocommit is LEGACY_TRANSACTION_CONTROL and connection._isolation_level is not None
                        and database.autocommit):
                    connection._run(f"BEGIN {connection._isolation_level}")
            for parameters in rows:
                statement.bind(parameters)
                there = self._first_step()
                if not many and self._description is None and raw.column_count:
                    self._describe(statement)
                if statement.is_dml:
                    if there and many:
                        while self._step():
                            pass
                    self._rowcount += database.changes
                if not self._row_is_there or many:
                    if many or not raw.column_count:
                        raw.reset()
                    self._row_is_there = self._row_is_there and not many
            if not many:
                self._lastrowid = database.last_insert_rowid
            if not self._row_is_there:
                self._end()
            return self
        except BaseException:
            self._end()
            self._rowcount = -1
            raise
        finally:
            self._locked = False

    def _describe(self, statement):
        connection = self._connection
        columns = statement.raw.columns()
        names = [_column_name(name, connection._colnames) for name, _ in columns]
        self._description = tuple([(name, None, None, None, None, None, None) for name in names])
        self._converters = None
        if connection._decltypes or connection._colnames:
            self._converters = tuple([self._converter(name, declared) for name, declared in columns])

    def _converter(self, name, declared):
        """The function for a column's values, by the type in its name or in its declaration."""
        if self._connection._colnames:
            start, end = name.find("["), name.find("]")
            if start >= 0 and end > start:
                found = converters.get(name[start + 1:end].upper())
                if found is not None:
                    return found
        if self._connection._decltypes and declared:
            for i, c in enumerate(declared):
                if c in " (":
                    declared = declared[:i]
                    break
            return converters.get(declared.upper())
        return None

    def executescript(self, sql_script, /):
        """Executes multiple SQL statements at once."""
        self._check()
        connection = self._connection
        if not isinstance(sql_script, str):
            raise TypeError(f"executescript() argument must be str, not {type(sql_script).__name__}")
        if len(sql_script) > connection._database.limit(1, -1):
            raise DataError("query string is too large")
        if "\0" in sql_script:
            raise ValueError("embedded null character")
        if connection._autocommit is LEGACY_TRANSACTION_CONTROL and not connection._database.autocommit:
            connection._run("COMMIT")
        rest = sql_script
        while rest:
            raw, rest = connection._database.prepare(rest)
            if raw is not None:
                while raw.step():
                    pass
        return self

    def __iter__(self):
        return self

    def __next__(self):
        self._check()
        if not self._row_is_there:
            raise StopIteration
        self._locked = True
        try:
            connection, statement = self._connection, self._statement
            row = statement.raw.row(connection.text_factory, self._converters)
        except BaseException:
            self._end()
            raise
        finally:
            self._locked = False
        try:
            if not self._step():
                if statement.is_dml:
                    self._rowcount = connection._database.changes
                self._end()
        except BaseException:
            self._end()
            raise
        return row if self.row_factory is None else self.row_factory(self, row)

    def fetchone(self):
        """Fetches one row from the resultset."""
        return next(self, None)

    def fetchmany(self, size=None):
        """Fetches several rows from the resultset."""
        size = self._arraysize if size is None else _row_count(size)
        rows = []
        while len(rows) < size:
            try:
                rows.append(self.__next__())
            except StopIteration:
                break
        return rows

    def fetchall(self):
        """Fetches all rows from the resultset."""
        self._check()
        connection, statement = self._connection, self._statement
        if (not self._row_is_there or self.row_factory is not None or self._converters is not None
                or statement.is_dml or connection.text_factory not in (str, bytes)):
            return list(self)
        self._locked = True
        try:
            return statement.raw.rows(connection.text_factory)
        finally:
            self._locked = False
            self._end()

    def setinputsizes(self, sizes, /):
        """Required by DB-API. Does nothing in sqlite3."""

    def setoutputsize(self, size, column=None, /):
        """Required by DB-API. Does nothing in sqlite3."""

    def close(self):
        """Closes the cursor."""
        if self._ready and self._locked:
            raise ProgrammingError("Recursive use of cursors not allowed.")
        if not self._ready:
            raise ProgrammingError("Base Cursor.__init__ not called.")
        self._connection._check()
        self._end()
        self._closed = True


class Row:
    """A row whose values are found by the columns' names too."""

    __module__ = "sqlite3"
    __slots__ = ("_data", "_description")

    def __new__(cls, cursor, data, /):
        if not issubclass(type(cursor), Cursor):
            raise TypeError(f"Row() argument 1 must be sqlite3.Cursor, not {type(cursor).__name__}")
        if not isinstance(data, tuple):
            raise TypeError(f"Row() argument 2 must be tuple, not {type(data).__name__}")
        row = super().__new__(cls)
        row._data, row._description = data, cursor.description
        return row

    def keys(self):
        """Returns the keys of the row."""
        return [] if self._description is None else [column[0] for column in self._description]

    def __getitem__(self, key):
        if isinstance(key, int):
            return self._data[key]
        if isinstance(key, str):
            wanted = key if not key.isascii() else key.lower()
            for i, column in enumerate(self._description or ()):
                name = column[0]
                if name == key or name.isascii() and name.lower() == wanted:
                    return self._data[i]
            raise IndexError(f"No item with key {key!r}")
        if isinstance(key, slice):
            return self._data[key]
        raise IndexError("Index must be int or string")

    def __len__(self):
        return len(self._data)

    def __iter__(self):
        return iter(self._data)

    def __hash__(self):
        return hash(self._description) ^ hash(self._data)

    def __eq__(self, other):
        if not isinstance(other, Row):
            return NotImplemented
        return self._description == other._description and self._data == other._data

    def __ne__(self, other):
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal


def _bytes_of(data):
    view = memoryview(data)
    if not view.c_contiguous:
        raise BufferError("memoryview: underlying buffer is not C-contiguous")
    return view.cast("B")


class Blob:
    __module__ = "sqlite3"

    def __contains__(self, item):
        raise TypeError("argument of type 'sqlite3.Blob' is not a container or iterable")

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create 'sqlite3.Blob' instances")

    def _check(self):
        self._connection._check()
        if not self._raw.is_open:
            raise ProgrammingError("Cannot operate on a closed blob.")

    def close(self):
        """Close the blob."""
        self._connection._check()
        self._raw.close()

    def __enter__(self):
        self._check()
        return self

    def __exit__(self, type, val, tb, /):
        self._check()
        self._raw.close()
        return False

    def __len__(self):
        self._check()
        return len(self._raw)

    def read(self, length=-1, /):
        """Read data at the current offset position."""
        self._check()
        left = len(self._raw) - self._offset
        length = left if length < 0 or length > left else length
        content = self._raw.read(self._offset, length) if length else b""
        self._offset += length
        return content

    def write(self, data, /):
        """Write data at the current offset."""
        self._check()
        data = _bytes_of(data)
        if len(data) > len(self._raw) - self._offset:
            raise ValueError("data longer than blob length")
        self._raw.write(self._offset, data)
        self._offset += len(data)

    def seek(self, offset, origin=0, /):
        """Set the current access position to offset."""
        self._check()
        if origin not in (0, 1, 2):
            raise ValueError("'origin' should be os.SEEK_SET, os.SEEK_CUR, or os.SEEK_END")
        base = (0, self._offset, len(self._raw))[origin]
        if base + offset > 2**31 - 1:
            raise OverflowError("seek offset results in offset overflow")
        if not 0 <= base + offset <= len(self._raw):
            raise ValueError("offset out of blob range")
        self._offset = base + offset

    def tell(self):
        """Return the current access position for the blob."""
        self._check()
        return self._offset

    def _index(self, key):
        try:
            i = key.__index__()
        except AttributeError:
            raise TypeError("Blob indices must be integers") from None
        if not -2**63 <= i < 2**63:
            raise IndexError("cannot fit 'int' into an index-sized integer")
        i += len(self._raw) if i < 0 else 0
        if not 0 <= i < len(self._raw):
            raise IndexError("Blob index out of range")
        return i

    def __getitem__(self, key):
        self._check()
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self._raw))
            span = range(start, stop, step)
            if not span:
                return b""
            low, high = min(span[0], span[-1]), max(span[0], span[-1]) + 1
            part = self._raw.read(low, high - low)
            return part[start - low::step] if step > 0 else part[::step]
        return self._raw.read(self._index(key), 1)[0]

    def __setitem__(self, key, value):
        self._check()
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self._raw))
            span = range(start, stop, step)
            value = _bytes_of(value)
            if len(value) != len(span):
                raise IndexError("Blob slice assignment is wrong size")
            if step == 1:
                if span:
                    self._raw.write(start, value)
                return
            for i, byte in zip(span, value):
                self._raw.write(i, bytes((byte,)))
            return
        i = self._index(key)
        if not isinstance(value, int):
            raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
        if not 0 <= value <= 255:
            raise ValueError("byte must be in range(0, 256)")
        self._raw.write(i, bytes((value,)))

    def __delitem__(self, key):
        self._check()
        if isinstance(key, slice):
            raise TypeError("Blob doesn't support slice deletion")
        raise TypeError("Blob doesn't support item deletion")
