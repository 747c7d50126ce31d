# A connection that is closed writes its database and lets go of it, though its statements are not collected yet.
import csv
import dbm
import dbm.sqlite3
import gc
import os
import sqlite3
import tempfile

gc.disable()
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "words")
    with dbm.sqlite3.open(path, "c") as db:
        db["a"] = "b"
    assert os.listdir(folder) == ["words"]
    assert dbm.whichdb(path) == "dbm.sqlite3"
    with dbm.open(path) as db:
        assert db["a"] == b"b"

    path = os.path.join(folder, "log")
    con = sqlite3.connect(path, cached_statements=2)
    con.execute("pragma journal_mode = wal").close()
    con.executescript("create table t(x); insert into t values(1); select * from t;")
    for n in range(10):
        con.execute(f"insert into t values({n})")
    cursor = con.execute("select x from t")
    assert len(cursor.fetchall()) == 11
    con.commit()
    con.close()
    assert sorted(os.listdir(folder)) == ["log", "words"]
    try:
        cursor.fetchone()
    except sqlite3.ProgrammingError as e:
        assert "closed database" in str(e)
    else:
        raise AssertionError("a closed database gives rows")

# Blanks may separate, and be passed over.
assert list(csv.reader(["a  b"], delimiter=" ", skipinitialspace=True)) in ([["a", "b"]], [["a", "", "b"]])
try:
    csv.reader([], quotechar=" ", skipinitialspace=True)
except ValueError as e:
    assert "bad quotechar value" in str(e)
else:
    raise AssertionError("blanks quote")
# A connection that is open when the program ends says so only where one wants to hear of it.
import subprocess
import sys

open_at_end = "import sqlite3\ncx = sqlite3.connect(':memory:')\ncx.execute('select 1')\n"
for options, wanted in (([], False), (["-W", "default"], True)):
    done = subprocess.run([sys.executable, *options, "-c", open_at_end], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == "", done
    assert ("ResourceWarning: unclosed database" in done.stderr) is wanted and "Exception" not in done.stderr, done
print("ok")
