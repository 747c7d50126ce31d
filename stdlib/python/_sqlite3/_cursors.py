"""Cursors, and the rows that they may give."""

from . import _connections
from ._constants import LEGACY_TRANSACTION_CONTROL
from ._errors import DataError, OperationalError, ProgrammingError
from ._statements import converters


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
        if not isinstance(connection, _connections.Connection):
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
                try:
                    while raw.step():
                        pass
                finally:
                    raw.finalize()
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
