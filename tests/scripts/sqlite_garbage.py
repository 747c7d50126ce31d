# A cursor that nobody has any more is not in the way of a transaction's end.
import sqlite3

connection = sqlite3.connect(":memory:")
connection.execute("create table t(a)")
for i in range(3):
    connection.execute("insert into t values(?)", (i,))
    # Each has a row that is not fetched.
    connection.execute("pragma user_version")
    connection.execute("insert into t values(7) returning a")
    connection.commit()
    assert not connection.in_transaction

# One that is there is.
cursor = connection.execute("insert into t values(8) returning a")
try:
    connection.commit()
except sqlite3.OperationalError as e:
    assert str(e) == "cannot commit transaction - SQL statements in progress", e
else:
    raise AssertionError("committed")
assert cursor.fetchall() == [(8,)]
connection.commit()
assert connection.execute("select count(*) from t").fetchone() == (7,)
connection.close()
