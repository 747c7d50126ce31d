# pip install tinydb
from tinydb import Query, TinyDB
from tinydb.operations import increment
from tinydb.storages import MemoryStorage

db = TinyDB(storage=MemoryStorage)
print(db.insert_multiple([{"n": "a", "v": 1}, {"n": "b", "v": 2, "d": {"x": [1, 2]}}]))
q = Query()
print(db.search((q.v > 1) & q.n.matches("b")), db.search(q.d.x.any([2])))
db.update(increment("v"), q.n == "a")
print(db.all(), db.count(q.v == 2), db.remove(q.n == "b"), len(db))
