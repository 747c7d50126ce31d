# pip install sqlglot
import sqlglot
from sqlglot import exp, parse_one
from sqlglot.optimizer import optimize

print(sqlglot.transpile("SELECT EPOCH_MS(1618088028295)", read="duckdb", write="hive")[0])
print(sqlglot.transpile("SELECT a, COUNT(*) FROM t WHERE x > 1 GROUP BY a LIMIT 5", write="tsql", pretty=True)[0])
tree = parse_one("SELECT a, b + 1 AS c FROM x JOIN y ON x.id = y.id WHERE a IN (1, 2)")
print([c.name for c in tree.find_all(exp.Column)], [t.name for t in tree.find_all(exp.Table)])
print(tree.transform(lambda n: exp.column("z") if isinstance(n, exp.Column) and n.name == "a" else n).sql())
print(optimize("SELECT a FROM (SELECT a, b FROM t) WHERE TRUE AND a > 1", schema={"t": {"a": "INT", "b": "INT"}}).sql())
try:
    parse_one("SELECT FROM (")
except sqlglot.errors.ParseError as e:
    print(e.errors[0]["description"])
