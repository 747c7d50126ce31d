# pip install sqlparse
import sqlparse

print(sqlparse.format("select a,b from t where x=1 and y in (select z from u) order by a", reindent=True, keyword_case="upper"))
for statement in sqlparse.parse("insert into t values (1,'a'); delete from t"):
    print(statement.get_type(), [str(t.ttype) for t in statement.tokens[:3]])
print(sqlparse.split("a; b; c 'x;y'"))
