# sqlite3: statements, types, transactions, functions, aggregates, blobs and callbacks.
import gc
import sqlite3
import threading

db = sqlite3.connect(":memory:")
db.execute("create table t (a integer primary key, b text, c real, d blob)")
assert db.in_transaction is False
rows = [(1, "one", 1.5, b"\x00\x01"), (2, "zwei é", None, None), (3, None, 2.0, bytearray(b"x"))]
cursor = db.executemany("insert into t values (?, ?, ?, ?)", rows)
assert cursor.rowcount == 3 and db.in_transaction and db.total_changes == 3
db.commit()
cursor = db.execute("select * from t order by a")
assert [d[0] for d in cursor.description] == ["a", "b", "c", "d"]
assert cursor.fetchall() == [(1, "one", 1.5, b"\x00\x01"), (2, "zwei é", None, None), (3, None, 2.0, b"x")]
assert db.execute("select a from t where b = :name", {"name": "one"}).fetchone() == (1,)
assert db.execute("insert into t (b) values ('x') returning a").fetchall() == [(4,)]
assert db.execute("select count(*) from t").fetchmany(5) == [(4,)]
db.rollback()
assert db.execute("select count(*) from t").fetchone() == (3,)


def raises(error, text, f, *args):
    try:
        f(*args)
    except error as e:
        assert str(e) == text, str(e)
        return e
    assert False, text


e = raises(sqlite3.IntegrityError, "UNIQUE constraint failed: t.a", db.execute, "insert into t (a) values (1)")
assert e.sqlite_errorname == "SQLITE_CONSTRAINT_PRIMARYKEY" and e.sqlite_errorcode == 1555
raises(sqlite3.OperationalError, "no such table: nope", db.execute, "select * from nope")
raises(sqlite3.OperationalError, 'near "selec": syntax error', db.execute, "selec 1")
raises(sqlite3.ProgrammingError, "You can only execute one statement at a time.", db.execute, "select 1; select 2")
raises(sqlite3.ProgrammingError, "Incorrect number of bindings supplied. The current statement uses 1, and there are 2 supplied.", db.execute, "select ?", (1, 2))
raises(sqlite3.ProgrammingError, "You did not supply a value for binding parameter :a.", db.execute, "select :a", {})
raises(sqlite3.ProgrammingError, "Error binding parameter 1: type 'object' is not supported", db.execute, "select ?", (object(),))
raises(OverflowError, "Python int too large to convert to SQLite INTEGER", db.execute, "select ?", (2**63,))

# Functions in Python.
db.create_function("twice", 1, lambda x: x * 2)
assert db.execute("select twice(21), twice('ab')").fetchone() == (42, "abab")
db.create_function("bad", 0, lambda: 1 / 0)
raises(sqlite3.OperationalError, "user-defined function raised exception", db.execute, "select bad()")


class Product:
    def __init__(self):
        self.n = 1

    def step(self, x):
        self.n *= x

    def inverse(self, x):
        self.n //= x

    def value(self):
        return self.n

    finalize = value


db.create_aggregate("product", 1, Product)
assert db.execute("select product(a) from t").fetchone() == (6,)
db.create_window_function("product_w", 1, Product)
query = "select product_w(a) over (order by a rows between 1 preceding and current row) from t"
assert db.execute(query).fetchall() == [(1,), (2,), (6,)]
db.create_collation("backwards", lambda a, b: (a < b) - (a > b))
assert db.execute("select b from t where b is not null order by b collate backwards").fetchall() == [("zwei é",), ("one",)]
seen = []
db.set_trace_callback(seen.append)
db.execute("select a from t where a = ?", (2,)).fetchall()
db.set_trace_callback(None)
assert seen == ["select a from t where a = 2"], seen
db.set_authorizer(lambda action, *names: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_DELETE else sqlite3.SQLITE_OK)
raises(sqlite3.DatabaseError, "not authorized", db.execute, "delete from t")
db.set_authorizer(None)
db.set_progress_handler(lambda: 1, 10)
query = "with recursive c(x) as (select 1 union all select x + 1 from c where x < 100000) select sum(x) from c"
raises(sqlite3.OperationalError, "interrupted", lambda: db.execute(query).fetchall())
db.set_progress_handler(None, 0)

# Statements that callbacks take away while they are executed.
def close(x):
    gc.collect()
    cursor.close()
    return x


db.create_function("closing", 1, close)
cursor = db.cursor()
try:
    cursor.execute("select closing(a) from t").fetchall()
except sqlite3.Error:
    pass

db.commit()
with sqlite3.connect(":memory:") as other:
    db.backup(other)
    assert other.execute("select count(*) from t").fetchone() == (3,)
other.close()
raises(sqlite3.ProgrammingError, "Cannot operate on a closed database.", other.execute, "select 1")

with db.blobopen("t", "d", 1) as blob:
    assert len(blob) == 2 and blob.read() == b"\x00\x01"
    blob[0] = 65
    assert blob[:] == b"A\x01"
assert db.execute("select d from t where a = 1").fetchone() == (b"A\x01",)

db.row_factory = sqlite3.Row
row = db.execute("select a, b as name from t where a = 1").fetchone()
assert row["NAME"] == "one" and row[0] == 1 and row.keys() == ["a", "name"] and tuple(row) == (1, "one")

typed = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES)
sqlite3.register_converter("upper", lambda b: b.decode().upper())
typed.execute("create table u (x upper, y)")
typed.execute("insert into u values ('a', 'b')")
assert typed.execute('select x, y, y as "z [upper]" from u').fetchone() == ("A", "b", "B")
typed.close()

# Only the thread that made it uses it.
refused = []


def use():
    try:
        db.execute("select 1")
    except sqlite3.ProgrammingError as e:
        refused.append(str(e)[:60])


thread = threading.Thread(target=use)
thread.start()
thread.join()
assert refused == ["SQLite objects created in a thread can only be used in that "], refused

content = db.serialize()
copy = sqlite3.connect(":memory:")
copy.deserialize(content)
assert copy.execute("select count(*) from t").fetchone() == (3,) and len(list(copy.iterdump())) > 4
copy.close()
db.close()
